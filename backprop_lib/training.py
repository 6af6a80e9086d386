r"""Training: mini-batches, epochs, and a history of what happened.

May import the rooms above it; progress bars come from tqdm, loaded only where one is shown.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from backprop_lib.errors import Array, Diverged, check_rng, check_same_dtype
from backprop_lib.losses import Loss, check_targets
from backprop_lib.network import MLP, Params, check_input, check_pair, cost, propagate
from backprop_lib.optimizers import Optimizer, State
from backprop_lib.regularization import Gradient, backprop_gradient

Callback = Callable[[int, Params, float], bool | None]


@dataclass(frozen=True)
class History:
    """What `fit` measured: the loss over the whole training set, before and after each epoch.

    Parameters
    ----------
    loss : tuple of float
        ``loss[e]`` after e epochs; ``loss[0]`` before any training. The loss on the data alone,
        of the whole network: penalties are not in it, and no unit is dropped.
    updates : int
        Number of steps taken in all.

    Examples
    --------
    >>> History(loss=(0.9, 0.4), updates=100).loss[-1]
    0.4

    Notes
    -----
    Chapter 9, *Mini-batches and epochs*.
    """

    loss: tuple[float, ...]
    updates: int


@dataclass(frozen=True)
class Fit:
    """The result of training: new parameters, and the history.

    Parameters
    ----------
    params : Params
        The trained parameters; those passed to `fit` are untouched.
    history : History
        Loss after each epoch.

    Examples
    --------
    >>> Fit(Params(np.zeros(2), (1, 1)), History((0.5,), 0)).history.updates
    0

    Notes
    -----
    Chapter 9, *Mini-batches and epochs*.
    """

    params: Params
    history: History


def minibatches(N: int, batch_size: int, rng: np.random.Generator) -> Iterator[Array]:
    """Shuffle the sample numbers 0..N-1 and deal them out in batches: one epoch.

    Parameters
    ----------
    N : int
        Number of samples.
    batch_size : int
        Samples a batch; the last batch is shorter where it does not divide N.
    rng : numpy.random.Generator
        Source of the shuffle.

    Yields
    ------
    ndarray of int
        Row numbers. Every sample comes exactly once.

    Raises
    ------
    TypeError, ValueError
        If rng is not a Generator, or the batch size not a whole number from 1 to N.

    Examples
    --------
    >>> [batch.tolist() for batch in minibatches(5, 2, np.random.default_rng(0))]
    [[2, 4], [3, 0], [1]]

    Notes
    -----
    Chapter 9, *Mini-batches and epochs*.
    """
    check_batch_size(batch_size, N)
    check_rng(rng)
    order = rng.permutation(N)
    return (order[start : start + batch_size] for start in range(0, N, batch_size))


def check_batch_size(batch_size: int, N: int) -> None:
    """Refuse a batch size that is not a whole number from 1 to N.

    Parameters
    ----------
    batch_size, N : int
        Samples a batch, and in all.

    Raises
    ------
    ValueError
        Naming both.

    Examples
    --------
    >>> check_batch_size(32, 20)
    Traceback (most recent call last):
    ValueError: batch_size is 32, expected a whole number from 1 to N=20
    """
    if not _is_whole(batch_size) or not 1 <= batch_size <= N:
        raise ValueError(f"batch_size is {batch_size!r}, expected a whole number from 1 to N={N}")


def _is_whole(number: int) -> bool:
    return isinstance(number, int | np.integer) and not isinstance(number, bool)


def fit(
    mlp: MLP,
    params: Params,
    X: Array,
    y: Array,
    loss: Loss,
    optimizer: Optimizer,
    *,
    epochs: int,
    batch_size: int,
    rng: np.random.Generator,
    gradient: Gradient | None = None,
    callback: Callback | None = None,
    progress: bool | None = None,
) -> Fit:
    """Train: for every mini-batch of every epoch compute the gradient and take one step.

    Parameters
    ----------
    mlp, params, X, y, loss
        The network, its starting parameters, the training set and the loss.
    optimizer : Optimizer
        How a gradient becomes a step, e.g. ``sgd(learning_rate=0.5)``.
    epochs : int
        How often to go through the training set.
    batch_size : int
        Samples a step; N is full-batch descent, 1 is one sample at a time.
    rng : numpy.random.Generator
        Source of the shuffles.
    gradient : callable, optional
        ``gradient(params, X, y) -> Params`` of one batch. By default ``backprop_gradient(mlp,
        loss)``; `with_l2` and `dropout_gradient` make others.
    callback : callable, optional
        ``callback(epoch, params, J)`` after each epoch; training stops early if it returns True.
    progress : bool, optional
        Show a progress bar. By default where standard error is a terminal.

    Returns
    -------
    Fit

    Raises
    ------
    Diverged
        After the first epoch whose loss is not a finite number, with the usual cure.
    ShapeError, TypeError, ValueError
        As `forward` and `backward`, before any training.

    Examples
    --------
    >>> from backprop_lib.activations import identity
    >>> from backprop_lib.losses import half_mse
    >>> from backprop_lib.optimizers import sgd
    >>> X = np.array([[0.0], [1.0], [2.0]])
    >>> mlp, start = MLP((1, 1), (identity,)), Params(np.zeros(2), (1, 1))
    >>> rng = np.random.default_rng(0)
    >>> result = fit(mlp, start, X, 3 * X + 1, half_mse, sgd(0.5), epochs=200, batch_size=3, rng=rng)
    >>> result.params.theta.round(6)
    array([3., 1.])

    Notes
    -----
    Chapter 9, *Mini-batches and epochs*.
    """  # noqa: E501 - a call on one line
    check_training(mlp, params, X, y, loss, optimizer, epochs, batch_size)
    gradient = gradient or backprop_gradient(mlp, loss)
    state = optimizer.init(params)
    losses = [_loss_or_diverged(mlp, params, X, y, loss, epoch=0)]
    for epoch in _watched(range(1, epochs + 1), progress):
        params, state = _one_epoch(params, state, X, y, gradient, optimizer, batch_size, rng)
        losses.append(_loss_or_diverged(mlp, params, X, y, loss, epoch))
        if callback is not None and callback(epoch, params, losses[-1]):
            break
    return Fit(params, History(tuple(losses), updates=state[0]))


@np.errstate(over="ignore", invalid="ignore")  # the loss tells, once an epoch
def _one_epoch(
    params: Params,
    state: State,
    X: Array,
    y: Array,
    gradient: Gradient,
    optimizer: Optimizer,
    batch_size: int,
    rng: np.random.Generator,
) -> tuple[Params, State]:
    for batch in minibatches(len(X), batch_size, rng):
        grads = gradient(params, X[batch], y[batch])
        params, state = optimizer.step(params, grads, state)
    return params, state


def check_training(
    mlp: MLP,
    params: Params,
    X: Array,
    y: Array,
    loss: Loss,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int,
) -> None:
    """Everything that `fit` asks of its arguments, checked once before the first step.

    Parameters
    ----------
    mlp, params, X, y, loss, optimizer, epochs, batch_size
        As for `fit`.

    Raises
    ------
    ShapeError, TypeError, ValueError
        With the repair.

    Examples
    --------
    >>> from backprop_lib.activations import identity
    >>> from backprop_lib.losses import half_mse
    >>> from backprop_lib.optimizers import sgd
    >>> mlp, X = MLP((1, 1), (identity,)), np.zeros((3, 1))
    >>> params = mlp.init(np.random.default_rng(0))
    >>> check_training(mlp, params, X, X, half_mse, sgd(0.1), epochs=-1, batch_size=3)
    Traceback (most recent call last):
    ValueError: epochs is -1, expected a whole number, 0 or more
    """
    if not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"optimizer is {optimizer!r}, expected an Optimizer such as sgd(learning_rate=0.5)"
        )
    if not _is_whole(epochs) or epochs < 0:
        raise ValueError(f"epochs is {epochs!r}, expected a whole number, 0 or more")
    check_input(mlp, params, X)
    check_batch_size(batch_size, len(X))
    check_pair(mlp, loss)
    check_targets(loss, y, len(X), mlp.sizes[-1])
    check_same_dtype("y", y, "X", X)


def _loss_or_diverged(
    mlp: MLP, params: Params, X: Array, y: Array, loss: Loss, epoch: int
) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        J = cost(mlp, propagate(mlp, params, X), y, loss)
    if not np.isfinite(J):
        raise Diverged(
            f"the loss is {J} after epoch {epoch}; a smaller learning rate usually cures it, "
            "or smaller initial weights"
        )
    return J


def _watched(epochs: Iterable[int], progress: bool | None) -> Iterable[int]:
    """The epochs, behind a progress bar where a person watches (never in a compared output)."""
    if progress is None:
        progress = sys.stderr.isatty()
    if not progress:
        return epochs
    from tqdm import tqdm  # loading it costs more than a small training run

    bar: Iterable[int] = tqdm(epochs, unit="epoch")
    return bar


def accuracy(a: Array, labels: Array) -> float:
    """The share of samples whose largest output is at their label.

    Parameters
    ----------
    a : ndarray, shape (N, K)
        The network's answers.
    labels : ndarray of int, shape (N,)
        The right classes.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    ValueError
        If there is not one label a row.

    Examples
    --------
    >>> accuracy(np.array([[0.1, 0.9], [0.8, 0.2]]), np.array([1, 1]))
    0.5

    Notes
    -----
    Chapter 14, *Handwritten digits*.
    """
    if a.ndim != 2 or labels.shape != a.shape[:1]:
        raise ValueError(
            f"labels have shape {labels.shape} and the answers {a.shape}, "
            "expected one label a row: (N,) and (N, K)"
        )
    return float((a.argmax(axis=1) == labels).mean())
