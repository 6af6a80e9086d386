"""Counting: multiplications, from outside the counted code, and paths through a network.

The code that is counted is the very code that runs; nothing in it knows of the count. May import
`errors`, `activations`, `losses`, `network` and `backprop`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from backprop_lib.errors import Array


class _Watched(np.ndarray[Any, Any]):
    """An array that reports every multiplication it takes part in, as does whatever results."""

    report: Callable[[int], None]

    def __array_finalize__(self, source: Any) -> None:
        self.report = getattr(source, "report", lambda count: None)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        plain = [np.asarray(x) if isinstance(x, _Watched) else x for x in inputs]
        if "out" in options:
            options["out"] = tuple(np.asarray(x) for x in options["out"])
        result = getattr(ufunc, method)(*plain, **options)
        if method == "__call__" and ufunc in _MULTIPLICATIONS:
            self.report(_MULTIPLICATIONS[ufunc](result, plain[0]))
        return watched(result, self.report)


# How many multiplications a product takes, from its result and its first factor.
_MULTIPLICATIONS: dict[Any, Callable[[Any, Any], int]] = {
    np.multiply: lambda product, first: np.size(product),
    np.square: lambda product, first: np.size(product),
    np.matmul: lambda product, first: np.size(product) * first.shape[-1],
}


def watched(value: Any, report: Callable[[int], None]) -> Any:
    """The same numbers, sharing memory, with every multiplication reported.

    Parameters
    ----------
    value : ndarray
        What to watch; anything but an array is handed back as it is.
    report : callable
        ``report(count)`` is called after each multiplication of arrays.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> counts = []
    >>> x = watched(np.ones((2, 3)), counts.append)
    >>> y = (2 * x) @ np.ones((3, 4))
    >>> counts
    [6, 24]

    Notes
    -----
    Chapter 6, *Backpropagation*.
    """
    if not isinstance(value, np.ndarray):
        return value
    view = value.view(_Watched)
    view.report = report
    return view


def count_multiplications(work: Callable[[Array], Any], array: Array) -> int:
    r"""How many multiplications of two numbers `array`, and all that comes of it, takes part in.

    A product ``A @ B`` of shapes (m, k) and (k, n) counts m k n, an elementwise product or a
    square counts its entries; divisions, sums and multiplications between other arrays count
    nothing. ``np.dot`` and ``np.einsum`` are not seen: counted code writes ``@`` and ``*``.

    So to count what the errors cost, watch the targets y: every $\delta^{[l]}$ comes of them, the
    slopes $\varphi'(z^{[l]})$ do not. For one sample and L layers of width n with a slope at the
    output, $\delta^{[L]}$ takes n multiplications (loss gradient times slope), each
    $\delta^{[l]}$ below it $n^2$ for $\delta^{[l+1]} W^{[l+1]}$ and n for the slope:

    - every error once, with a memo: $(L - 1)(n^2 + n) + n$, for n = 3 that is 12 L - 9;
    - every error from scratch: the sum over l of $(L - l)(n^2 + n) + n$, for n = 3 that is
      $6 L^2 - 3 L$.

    Parameters
    ----------
    work : callable
        ``work(array)``; what it returns is not used.
    array : ndarray
        What to watch; not modified.

    Returns
    -------
    int

    Examples
    --------
    >>> from backprop_lib.activations import sigmoid
    >>> from backprop_lib.backprop import delta_of
    >>> from backprop_lib.losses import half_mse
    >>> from backprop_lib.network import MLP, forward
    >>> L = 16
    >>> mlp = MLP((3,) * (L + 1), (sigmoid,) * L)
    >>> params = mlp.init(np.random.default_rng(0))
    >>> cache, y = forward(mlp, params, np.ones((1, 3))), np.zeros((1, 3))
    >>> def every_error(y, memo):
    ...     return [delta_of(l, mlp, params, cache, y, half_mse, memo) for l in range(1, L + 1)]
    >>> count_multiplications(lambda y: every_error(y, memo={}), y)
    183
    >>> count_multiplications(lambda y: every_error(y, memo=None), y)
    1488

    Notes
    -----
    Chapter 6, *Backpropagation*.
    """
    counts: list[int] = []
    work(watched(array, counts.append))
    return sum(counts)


def count_paths(sizes: Sequence[int]) -> int:
    """Number of ways through a network, from any input to any output.

    Parameters
    ----------
    sizes : sequence of int
        (n_0, ..., n_L).

    Returns
    -------
    int
        One choice of a unit in every layer.

    Examples
    --------
    >>> count_paths((784, 30, 30, 10))
    7056000

    Notes
    -----
    Chapter 5, *The chain rule on graphs*.
    """
    return math.prod(sizes)


def count_edges(sizes: Sequence[int]) -> int:
    """Number of connections of a network: one for each weight.

    Parameters
    ----------
    sizes : sequence of int
        (n_0, ..., n_L).

    Returns
    -------
    int

    Examples
    --------
    >>> count_edges((784, 30, 30, 10))
    24720

    Notes
    -----
    Chapter 5, *The chain rule on graphs*.
    """
    return sum(n_in * n_out for n_in, n_out in pairwise(sizes))
