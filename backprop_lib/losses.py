r"""Loss functions J and their gradients dJ/da: the only room that knows about 1/N.

A loss averages over the N samples of a batch (`sse` alone sums), so every gradient behind it is
already the gradient of the average and no later room divides again. May import `errors` and
`activations`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from backprop_lib.activations import Activation, identity, sigmoid, softmax
from backprop_lib.errors import (
    Array,
    ShapeError,
    check_array,
    check_rows,
    check_same_dtype,
)


@dataclass(frozen=True)
class Loss:
    r"""A loss $J(a, y)$, its gradient $\partial J/\partial a$, and its canonical partner.

    Calling the loss checks its arguments and returns J. The *canonical* activation is the one
    whose slope cancels against the loss's gradient: with it the output error is
    $\delta = (a - y)/N$ and both J and $\delta$ stay finite however sure the network is.

    Parameters
    ----------
    name : str
        The name used in tables and messages.
    value : callable
        ``value(a, y) -> J``, a float.
    grad : callable
        ``grad(a, y) -> dJ/da``, of the shape of ``a``, (N, n_L).
    canonical : Activation
        The activation with which ``delta(a, y)`` is dJ/dz.
    delta : callable
        ``delta(a, y) -> dJ/dz`` behind the canonical activation, (N, n_L).
    from_logits : callable
        ``from_logits(z, y) -> J`` in front of the canonical activation: stable for any z.
    check : callable
        ``check(name, values)`` raises ValueError where targets, or answers, are outside the
        loss's range.

    Examples
    --------
    >>> half_mse(np.array([[0.75]]), np.array([[0.25]]))
    0.125
    >>> half_mse(np.zeros((4, 1)), np.zeros(4))
    Traceback (most recent call last):
    backprop_lib.errors.ShapeError: y has shape (4,), expected (N=4, n_L=1); one number per sample is a column: y[:, None]

    Notes
    -----
    Squared error is derived in Chapter 2, cross-entropy in Chapter 3.
    """  # noqa: E501 - a message is one line

    name: str
    value: Callable[[Array, Array], float]
    grad: Callable[[Array, Array], Array]
    canonical: Activation
    delta: Callable[[Array, Array], Array]
    from_logits: Callable[[Array, Array], float]
    check: Callable[[str, Array], None]

    def __call__(self, a: Array, y: Array) -> float:
        """J of answers a for targets y, both (N, n_L)."""
        if check_array("a", a).ndim != 2:
            raise ShapeError(f"a has shape {a.shape}, expected (N, n_L): one sample a row")
        self.check("a", a)
        check_targets(self, y, *a.shape)
        check_same_dtype("y", y, "a", a)
        return self.value(a, y)

    def __repr__(self) -> str:
        return self.name


def check_targets(loss: Loss, y: Array, N: int, n_L: int) -> None:
    """Refuse targets that are not an (N, n_L) matrix inside the loss's range.

    Parameters
    ----------
    loss : Loss
        Whose range counts.
    y : ndarray
        The targets.
    N, n_L : int
        Number of samples and of outputs.

    Raises
    ------
    ShapeError, TypeError, ValueError
        With the repair.

    Examples
    --------
    >>> check_targets(bce, np.array([[2.0]]), 1, 1)
    Traceback (most recent call last):
    ValueError: y holds 2.0, expected numbers between 0 and 1 for bce
    """
    check_rows("y", y, n_L, "n_L", rows=N)
    loss.check("y", y)


def _any_number(name: str, values: Array) -> None:
    """Squared error accepts every finite number."""


def _probabilities(name: str, values: Array) -> None:
    outside = values[(values < 0) | (values > 1)]
    if outside.size:
        raise ValueError(f"{name} holds {outside[0]}, expected numbers between 0 and 1 for bce")


def _rows_sum_to_one(name: str, values: Array) -> None:
    wrong = np.flatnonzero((values < 0).any(axis=1) | (np.abs(values.sum(axis=1) - 1) > 1e-6))
    if wrong.size:
        raise ValueError(
            f"row {wrong[0]} of {name} sums to {values[wrong[0]].sum():.6g} or is negative "
            "somewhere, expected one probability a class (one 1, the rest 0) for cross_entropy"
        )


def _number(J: Any) -> Any:
    """A plain float of what numpy summed; complex and dual numbers (see `gradcheck`) stay so."""
    return J.item() if isinstance(J, np.generic) else J


def _warn_if_infinite(value: float, name: str) -> float:
    if value == np.inf:
        warnings.warn(
            f"{name} is inf: an output is exactly 0 or 1 on the wrong side; "
            f"compute it before the activation: {name}.from_logits(z, y)",
            RuntimeWarning,
            stacklevel=4,
        )
    return value


def _mean_delta(a: Array, y: Array) -> Array:
    """(a - y) / N: dJ/da of half_mse, and dJ/dz of every canonical pair."""
    return (a - y) / len(y)


def _half_mse(a: Array, y: Array) -> float:
    return _number(np.square(a - y).sum() / (2 * len(y)))


def _sse(a: Array, y: Array) -> float:
    return _number(np.square(a - y).sum())


def _twice_the_error(a: Array, y: Array) -> Array:
    return 2 * (a - y)


def _times_log(y: Array, p: Array) -> Array:
    """Return y ln p, with 0 ln 0 = 0: an event that does not happen costs nothing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(y == 0, 0, y * np.log(p))


def _bce(a: Array, y: Array) -> float:
    J = -(_times_log(y, a) + _times_log(1 - y, 1 - a)).sum() / len(y)
    return _warn_if_infinite(_number(J), "bce")


def _bce_grad(a: Array, y: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(y == 0, 0, -y / a) + np.where(y == 1, 0, (1 - y) / (1 - a))
    return slope / len(y)


def _softplus(z: Array) -> Array:
    """ln(1 + e^z), with an exponent that is never above 0 and so never overflows."""
    return np.maximum(z, 0) + np.log1p(np.exp(np.minimum(z, -z)))


def _bce_from_logits(z: Array, y: Array) -> float:
    # -y ln s(z) - (1 - y) ln s(-z), with -ln s(z) = ln(1 + e^-z).
    return _number((y * _softplus(-z) + (1 - y) * _softplus(z)).sum() / len(y))


def _cross_entropy(a: Array, y: Array) -> float:
    return _warn_if_infinite(_number(-_times_log(y, a).sum() / len(y)), "cross_entropy")


def _cross_entropy_grad(a: Array, y: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(y == 0, 0, -y / a) / len(y)


def _cross_entropy_from_logits(z: Array, y: Array) -> float:
    shifted = z - z.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return _number(-(y * log_p).sum() / len(y))


half_mse = Loss(
    name="half_mse",
    value=_half_mse,
    grad=_mean_delta,
    canonical=identity,
    delta=_mean_delta,
    from_logits=_half_mse,
    check=_any_number,
)
sse = Loss(
    name="sse",
    value=_sse,
    grad=_twice_the_error,
    canonical=identity,
    delta=_twice_the_error,
    from_logits=_sse,
    check=_any_number,
)
bce = Loss(
    name="bce",
    value=_bce,
    grad=_bce_grad,
    canonical=sigmoid,
    delta=_mean_delta,
    from_logits=_bce_from_logits,
    check=_probabilities,
)
cross_entropy = Loss(
    name="cross_entropy",
    value=_cross_entropy,
    grad=_cross_entropy_grad,
    canonical=softmax,
    delta=_mean_delta,
    from_logits=_cross_entropy_from_logits,
    check=_rows_sum_to_one,
)

LOSSES = {loss.name: loss for loss in (half_mse, sse, bce, cross_entropy)}


def one_hot(labels: Array, K: int) -> Array:
    """Turn class labels 0..K-1 into rows of 0 and 1, the targets of `cross_entropy`.

    Parameters
    ----------
    labels : ndarray of int, shape (N,)
        One class a sample.
    K : int
        Number of classes.

    Returns
    -------
    ndarray of float64, shape (N, K)
        Row n has its 1 in column ``labels[n]``.

    Raises
    ------
    ShapeError
        If `labels` is not one-dimensional.
    TypeError, ValueError
        If labels are not integers from 0 to K-1.

    Examples
    --------
    >>> one_hot(np.array([2, 0]), 3)
    array([[0., 0., 1.],
           [1., 0., 0.]])

    Notes
    -----
    Chapter 3, *Logistic regression*.
    """
    if not isinstance(K, int | np.integer) or K < 1:
        raise ValueError(f"K is {K!r}, expected the number of classes: a whole number, 1 or more")
    if not isinstance(labels, np.ndarray) or not np.issubdtype(labels.dtype, np.integer):
        kind = labels.dtype if isinstance(labels, np.ndarray) else f"a {type(labels).__name__}"
        raise TypeError(
            f"labels are {kind}, expected an array of integers: np.array(labels).astype(int)"
        )
    if labels.ndim != 1 or labels.size == 0:
        raise ShapeError(f"labels have shape {labels.shape}, expected (N,): one integer a sample")
    if labels.min() < 0 or labels.max() >= K:
        raise ValueError(f"labels run from {labels.min()} to {labels.max()}, expected 0 to {K - 1}")
    return np.eye(K)[labels]
