"""The doctor for networks of your own: plain arrays in any layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from backprop_lib.activations import ACTIVATIONS
from backprop_lib.diagnose.verdict import Diagnosis, diagnose
from backprop_lib.errors import Array, ShapeError, check_array
from backprop_lib.losses import LOSSES
from backprop_lib.network import MLP, Params


def diagnose_arrays(
    *,
    W: Sequence[Array],
    b: Sequence[Array],
    dW: Sequence[Array | None],
    db: Sequence[Array | None],
    X: Array,
    y: Array,
    activations: Sequence[str] | str,
    loss: str,
    orientation: Literal["auto", "out_in", "in_out"] = "auto",
    samples: Literal["rows", "columns"] = "rows",
    **knowledge: Any,
) -> Diagnosis:
    """Diagnose the gradient of a network that was written without this library.

    Parameters
    ----------
    W, b : sequence of ndarray
        Weights and biases of the layers 1..L as you store them; a bias may be a row or a column.
    dW, db : sequence of ndarray
        The gradients in question, laid out like W and b; None for an array not to be examined.
    X, y : ndarray
        The batch.
    activations : sequence of str, or str
        Name of each layer's activation, or one name for all.
    loss : str
        Name of the loss: "half_mse", "sse", "bce" or "cross_entropy".
    orientation : {"auto", "out_in", "in_out"}
        Whether W is (n_out, n_in) or (n_in, n_out); "auto" reads it off a W that is not square.
    samples : {"rows", "columns"}
        Whether a sample is a row or a column of X, y and the masks.
    **knowledge
        What else `diagnose` may be told: ``masks``, a list of the hidden layers' dropout masks;
        ``previous``, the gradients ``(dW, db)`` of the step before, all of them; ``l2``,
        ``learning_rate`` and ``tolerance``.

    Returns
    -------
    Diagnosis

    Raises
    ------
    ShapeError, TypeError, ValueError
        If the arrays do not make a network, or as `diagnose`.

    Examples
    --------
    >>> W, b = [np.array([[0.4], [0.6]])], [np.array([[0.1]])]  # (n_in, n_out)
    >>> X, y = np.array([[0.5, 1.0], [0.8, 0.3]]), np.array([[1.0, 0.0]])  # samples in columns
    >>> error = W[0].T @ X + b[0] - y
    >>> dW, db = [X @ error.T / 2], [error.sum(axis=1, keepdims=True)]  # no 1/N in db
    >>> diagnosis = diagnose_arrays(W=W, b=b, dW=dW, db=db, X=X, y=y, activations="identity",
    ...     loss="half_mse", orientation="in_out", samples="columns")
    >>> diagnosis.names
    ('bias_not_averaged',)

    Notes
    -----
    Chapter 8, *Checking gradients*.
    """
    turned = _layout_of(W, orientation) == "in_out"
    mlp, params = _network_of(W, b, activations, turned)
    rows = _in_rows(samples)
    if knowledge.get("masks"):
        knowledge["masks"] = (1.0, *map(rows, knowledge["masks"]))
    if knowledge.get("previous"):
        before = knowledge["previous"]
        knowledge["previous"] = _book_layout(before[0], before[1], turned)
    mine, batch = _book_layout(dW, db, turned), (rows(X), rows(y))
    judge = _named("loss", loss, LOSSES)
    return diagnose(mine, mlp, params, *batch, judge, orientation="out_in", **knowledge)


def _network_of(
    W: Sequence[Array], b: Sequence[Array], activations: Sequence[str] | str, turned: bool
) -> tuple[MLP, Params]:
    biases = [check_array(f"b{l}", v).ravel() for l, v in enumerate(b, start=1)]
    params = Params.of([w.T if turned else w for w in W], biases)
    names = [activations] * len(W) if isinstance(activations, str) else activations
    phi = tuple(_named("activation", name, ACTIVATIONS) for name in names)
    return MLP(params.sizes, phi), params


def _layout_of(W: Sequence[Array], orientation: str) -> str:
    """The orientation in which the matrices follow each other, if the shapes leave one."""
    shapes = [check_array(f"W{l}", w).shape for l, w in enumerate(W, start=1)]
    if not shapes or any(len(shape) != 2 for shape in shapes):
        raise ShapeError(f"W has shapes {shapes}, expected one matrix a layer")
    possible = [
        name
        for name, first, second in (("out_in", 0, 1), ("in_out", 1, 0))
        if all(below[first] == above[second] for below, above in pairwise(shapes))
    ]
    if orientation != "auto":
        possible = [name for name in possible if name == orientation]
    if not possible:
        raise ShapeError(
            f"W has shapes {shapes}, which do not follow each other with orientation "
            f"{orientation!r}, expected 'out_in' for (n_out, n_in) or 'in_out' for (n_in, n_out)"
        )
    if len(possible) > 1:
        raise ValueError(
            f"W has shapes {shapes}, which could be either way round; "
            "state orientation='out_in' for (n_out, n_in) or 'in_out' for (n_in, n_out)"
        )
    return possible[0]


def _book_layout(
    dW: Sequence[Array | None], db: Sequence[Array | None], turned: bool
) -> tuple[list[Array | None], Sequence[Array | None]]:
    """The pair (W, b) of gradients, weights in the book's orientation."""
    return [np.transpose(g) if turned and g is not None else g for g in dW], db


def _in_rows(samples: str) -> Callable[[Array], Array]:
    if samples not in ("rows", "columns"):
        raise ValueError(f"samples is {samples!r}, expected 'rows' or 'columns'")
    return np.transpose if samples == "columns" else lambda array: array


def _named(kind: str, name: str, known: Mapping[str, Any]) -> Any:
    if name not in known:
        raise ValueError(f"{kind} is {name!r}, expected one of {', '.join(known)}")
    return known[name]
