r"""Regularisation: ways to keep a network from learning its training set by heart.

A gradient is a function ``gradient(params, X, y) -> Params``, and `training.fit` takes any.
`backprop_gradient` makes the plain one, `dropout_gradient` one that drops units, and `with_l2`
adds a penalty's share to either::

    fit(..., gradient=with_l2(dropout_gradient(mlp, loss, 0.5, rng), 1e-4))

Early stopping is a callback of `fit`, augmentation is more data. May import the rooms above it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from backprop_lib.backprop import Backward, check_backward, output_delta, propagate_back
from backprop_lib.errors import (
    Array,
    ShapeError,
    check_fraction,
    check_positive,
    check_rng,
    check_rows,
    check_same_dtype,
    check_zero_or_more,
)
from backprop_lib.losses import Loss, check_targets
from backprop_lib.network import (
    MLP,
    Cache,
    Layers,
    Params,
    check_input,
    check_pair,
    cost,
    forward,
    propagate,
)

Gradient = Callable[[Params, Array, Array], Params]


def backprop_gradient(mlp: MLP, loss: Loss) -> Gradient:
    r"""The plain gradient as a function of the parameters and the batch: forward, then backward.

    Parameters
    ----------
    mlp : MLP
        The architecture.
    loss : Loss
        Which loss.

    Returns
    -------
    callable
        ``gradient(params, X, y) -> Params``; it trusts its arguments, `fit` has checked them.

    Raises
    ------
    ValueError
        If loss and output layer do not go together.

    Examples
    --------
    >>> from backprop_lib.activations import identity
    >>> from backprop_lib.losses import half_mse
    >>> gradient = backprop_gradient(MLP((1, 1), (identity,)), half_mse)
    >>> gradient(Params.of(W=[[[2.0]]], b=[[0.0]]), np.array([[3.0]]), np.array([[5.0]])).theta
    array([3., 1.])

    Notes
    -----
    Chapter 6, *Backpropagation*.
    """
    check_pair(mlp, loss)

    def gradient(params: Params, X: Array, y: Array) -> Params:
        return propagate_back(mlp, params, propagate(mlp, params, X), y, loss).grads

    return gradient


# --- L2 -------------------------------------------------------------------------------------------


def l2_penalty(params: Params, strength: float, *, biases: bool = False) -> float:
    r"""What large weights cost: half the sum of their squares, times a strength.

    .. math:: \Omega = \frac{\lambda}{2} \sum_l \lVert W^{[l]} \rVert^2

    Biases go free: they shift a unit's threshold and cannot make its answer steeper.

    Parameters
    ----------
    params : Params
        Weights and biases.
    strength : float
        $\lambda$, added to a loss that is a mean over samples; a text whose penalty is
        $\frac{\lambda}{2N} \sum w^2$ means N times this number.
    biases : bool
        True makes biases pay too.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the strength is negative or not a finite number.

    Examples
    --------
    >>> params = Params.of(W=[[[3.0, 4.0]]], b=[[10.0]])
    >>> l2_penalty(params, strength=0.1), l2_penalty(params, strength=0.1, biases=True)
    (1.25, 6.25)

    Notes
    -----
    Chapter 12, *Overfitting and regularisation*.
    """
    check_zero_or_more("strength", strength)
    return float(strength * np.square(_penalised(params, biases)).sum() / 2)


def l2_gradient(params: Params, strength: float, *, biases: bool = False) -> Params:
    r"""The gradient of `l2_penalty`: every weight times the strength.

    .. math:: \frac{\partial \Omega}{\partial W^{[l]}} = \lambda W^{[l]}, \qquad
        \frac{\partial \Omega}{\partial b^{[l]}} = 0

    Parameters
    ----------
    params, strength, biases
        As for `l2_penalty`.

    Returns
    -------
    Params

    Raises
    ------
    ValueError
        If the strength is negative or not a finite number.

    Examples
    --------
    >>> l2_gradient(Params.of(W=[[[3.0, 4.0]]], b=[[10.0]]), strength=0.5).theta
    array([1.5, 2. , 0. ])

    Notes
    -----
    Chapter 12, *Overfitting and regularisation*.
    """
    check_zero_or_more("strength", strength)
    return params.like(float(strength) * _penalised(params, biases))


def _penalised(params: Params, biases: bool) -> Array:
    """Theta, with 0 for whatever goes free."""
    if biases:
        return params.theta
    paying = params.like(np.zeros_like(params.theta))
    for own, W in zip(paying.W[1:], params.W[1:], strict=True):
        own[:] = W
    return paying.theta


def with_l2(gradient: Gradient, strength: float, *, biases: bool = False) -> Gradient:
    r"""A gradient with the share of the L2 penalty added: the gradient of $J + \Omega$.

    Parameters
    ----------
    gradient : callable
        ``gradient(params, X, y) -> Params``, such as ``backprop_gradient(mlp, loss)``.
    strength, biases
        As for `l2_penalty`.

    Returns
    -------
    callable
        ``gradient(params, X, y) -> Params``.

    Raises
    ------
    ValueError
        If the strength is negative or not a finite number.

    Examples
    --------
    >>> from backprop_lib.activations import identity
    >>> from backprop_lib.losses import half_mse
    >>> gradient = with_l2(backprop_gradient(MLP((1, 1), (identity,)), half_mse), strength=0.5)
    >>> gradient(Params.of(W=[[[2.0]]], b=[[0.0]]), np.array([[3.0]]), np.array([[5.0]])).theta
    array([4., 1.])

    Notes
    -----
    Chapter 12, *Overfitting and regularisation*.
    """
    check_zero_or_more("strength", strength)

    def penalised(params: Params, X: Array, y: Array) -> Params:
        penalty = l2_gradient(params, strength, biases=biases)
        return params.like(gradient(params, X, y).theta + penalty.theta)

    return penalised


# --- Dropout --------------------------------------------------------------------------------------


def dropout_masks(mlp: MLP, X: Array, p: float, rng: np.random.Generator) -> Layers:
    r"""Draw which hidden units drop out, afresh for every row of X.

    .. math:: m^{[l]}_{nj} = \begin{cases} 0 & \text{with probability } p \\
        1/(1-p) & \text{otherwise} \end{cases}

    The factor 1/(1-p) makes up for the units that are missing, on the average exactly. So nothing
    is left to do when the network is used: `predict` needs no change.

    Parameters
    ----------
    mlp : MLP
        The architecture.
    X : ndarray, shape (N, n_0)
        The batch; only its number of rows and its dtype matter.
    p : float
        The share of units to drop, 0 <= p < 1.
    rng : numpy.random.Generator
        Source of randomness; its state moves on.

    Returns
    -------
    tuple
        ``m[l]`` of shape (N, n_l) for the hidden layers; ``m[0]`` is 1, for inputs all stay.

    Raises
    ------
    ShapeError, TypeError, ValueError
        If X is not a batch for the network, p not a probability below 1, or rng not a Generator.

    Examples
    --------
    >>> from backprop_lib.activations import sigmoid
    >>> mlp = MLP((2, 4, 1), (sigmoid, sigmoid))
    >>> masks = dropout_masks(mlp, np.zeros((3, 2)), 0.5, np.random.default_rng(0))
    >>> masks[1]
    array([[2., 0., 0., 0.],
           [2., 2., 2., 2.],
           [2., 2., 2., 0.]])

    Notes
    -----
    Chapter 12, *Overfitting and regularisation*; Srivastava et al. (2014).
    """
    check_rows("X", X, mlp.sizes[0], "n_0")
    check_rng(rng)
    p = check_fraction("p", p)
    kept = [rng.random((len(X), n)) >= p for n in mlp.sizes[1:-1]]
    return 1.0, *(keep.astype(X.dtype) / (1 - p) for keep in kept)


def dropout_forward(mlp: MLP, params: Params, X: Array, m: Layers) -> Cache:
    r"""The forward pass in which a layer hands on only what its mask lets through.

    .. math:: z^{[l]} = (a^{[l-1]} \odot m^{[l-1]}) W^{[l]\top} + b^{[l]}, \qquad
        a^{[l]} = \varphi_l(z^{[l]})

    Parameters
    ----------
    mlp, params, X
        As for `forward`.
    m : tuple
        What `dropout_masks` drew. Keep it: the backward pass needs the same, and a numerical
        check of the gradient must hold it fixed.

    Returns
    -------
    Cache
        ``a[l]`` before the mask, so that ``a[l]`` is phi of ``z[l]`` as always.

    Raises
    ------
    ShapeError, TypeError, ValueError
        As `forward`; also if the masks do not fit the batch.

    Examples
    --------
    >>> from backprop_lib.activations import identity
    >>> mlp = MLP((1, 2, 1), (identity, identity))
    >>> params = Params.of(W=[[[3.0], [4.0]], [[1.0, 1.0]]], b=[[0.0, 0.0], [0.0]])
    >>> dropout_forward(mlp, params, np.array([[1.0]]), (1.0, np.array([[0.0, 2.0]]))).a[2]
    array([[8.]])

    Notes
    -----
    Chapter 12, *Overfitting and regularisation*.
    """
    check_input(mlp, params, X)
    _check_masks(mlp, X, m)
    return _propagate(mlp, params, X, m)


def dropout_backward(
    mlp: MLP, params: Params, cache: Cache, y: Array, loss: Loss, m: Layers
) -> Backward:
    r"""The backward pass through the same masks: what was multiplied is multiplied again.

    .. math::

       \delta^{[l]} &= \delta^{[l+1]} W^{[l+1]} \odot m^{[l]} \odot \varphi_l'(z^{[l]}) \\
       \partial J/\partial W^{[l]} &= \delta^{[l]\top} (a^{[l-1]} \odot m^{[l-1]})

    Parameters
    ----------
    mlp, params, cache, y, loss
        As for `backward`; the cache is `dropout_forward`'s.
    m : tuple
        The masks of the forward pass.

    Returns
    -------
    Backward

    Raises
    ------
    ShapeError, TypeError, ValueError
        As `backward`; also if the masks do not fit the batch.

    Examples
    --------
    >>> from backprop_lib.activations import identity
    >>> from backprop_lib.losses import half_mse
    >>> mlp = MLP((1, 2, 1), (identity, identity))
    >>> params = Params.of(W=[[[3.0], [4.0]], [[1.0, 1.0]]], b=[[0.0, 0.0], [0.0]])
    >>> m = (1.0, np.array([[0.0, 2.0]]))
    >>> cache = dropout_forward(mlp, params, np.array([[1.0]]), m)
    >>> back = dropout_backward(mlp, params, cache, np.array([[7.0]]), half_mse, m)
    >>> back.delta[1], back.grads.W[2]
    (array([[0., 2.]]), array([[0., 8.]]))

    Notes
    -----
    Chapter 12, *Overfitting and regularisation*.
    """
    check_backward(mlp, params, cache, y, loss)
    _check_masks(mlp, cache.a[0], m)
    return _propagate_back(mlp, params, cache, y, loss, m)


def _propagate(mlp: MLP, params: Params, X: Array, m: Layers) -> Cache:
    W, b, phi = params.W, params.b, mlp.phi
    z: list[Any] = [None]
    a: list[Any] = [X]
    for l in range(1, mlp.L + 1):
        z.append((a[l - 1] * m[l - 1]) @ W[l].T + b[l])
        a.append(phi[l].f(z[l]))
    return Cache(tuple(z), tuple(a))


def _propagate_back(
    mlp: MLP, params: Params, cache: Cache, y: Array, loss: Loss, m: Layers
) -> Backward:
    L, W, phi, z, a = mlp.L, params.W, mlp.phi, cache.z, cache.a
    delta: list[Any] = [None] * (L + 1)
    grads = params.like(np.empty_like(params.theta))

    delta[L] = output_delta(mlp, cache, y, loss)
    for l in range(L - 1, 0, -1):
        delta[l] = (delta[l + 1] @ W[l + 1]) * m[l] * phi[l].d(z[l], a[l])
    for l in range(1, L + 1):
        grads.W[l][:] = delta[l].T @ (a[l - 1] * m[l - 1])
        grads.b[l][:] = delta[l].sum(axis=0)
    return Backward(tuple(delta), grads)


def dropout_gradient(mlp: MLP, loss: Loss, p: float, rng: np.random.Generator) -> Gradient:
    """The gradient with dropout, through fresh masks at every call: what `fit` wants.

    Parameters
    ----------
    mlp, loss
        The architecture and the loss.
    p : float
        The share of hidden units to drop, 0 <= p < 1.
    rng : numpy.random.Generator
        Source of the masks; its state moves on with every call.

    Returns
    -------
    callable
        ``gradient(params, X, y) -> Params``. Two calls differ, so a numerical check of it fails:
        check `dropout_backward` with masks held fixed instead.

    Raises
    ------
    ValueError, TypeError
        If p is not a probability below 1, rng not a Generator, or loss and output layer do not
        go together.

    Examples
    --------
    >>> from backprop_lib.activations import identity
    >>> from backprop_lib.losses import half_mse
    >>> mlp = MLP((1, 3, 1), (identity, identity))
    >>> params = Params.of(W=[[[1.0], [1.0], [1.0]], [[1.0, 1.0, 1.0]]], b=[[0.0] * 3, [0.0]])
    >>> gradient = dropout_gradient(mlp, half_mse, 0.5, np.random.default_rng(0))
    >>> for _ in range(2):
    ...     print(gradient(params, np.array([[1.0]]), np.array([[1.0]])).W[2])
    [[2. 0. 0.]]
    [[0. 6. 6.]]

    Notes
    -----
    Chapter 12, *Overfitting and regularisation*.
    """
    check_pair(mlp, loss)
    check_fraction("p", p)
    check_rng(rng)

    def gradient(params: Params, X: Array, y: Array) -> Params:
        m = dropout_masks(mlp, X, p, rng)
        return _propagate_back(mlp, params, _propagate(mlp, params, X, m), y, loss, m).grads

    return gradient


def _check_masks(mlp: MLP, X: Array, m: Layers) -> None:
    if len(m) != mlp.L:
        raise ShapeError(
            f"found {len(m)} masks, expected {mlp.L}: one for each of the layers 0..{mlp.L - 1}"
        )
    for l, mask in enumerate(m):
        if l == 0 and isinstance(mask, int | float):
            continue
        check_rows(f"m[{l}]", mask, mlp.sizes[l], f"n_{l}", rows=len(X))
        check_same_dtype(f"m[{l}]", mask, "X", X)


# --- Early stopping -------------------------------------------------------------------------------


@dataclass(eq=False)
class EarlyStopping:
    """A callback for `fit` that stops when held-out data have not improved for a while.

    The one thing in the house that remembers: after the run it holds the best parameters. Used
    for another run, it starts again from nothing.

    Parameters
    ----------
    mlp : MLP
        The network being trained.
    X, y : ndarray
        Data that training does not see, and that the final test does not use.
    loss : Loss
        What is to improve.
    patience : int
        How many epochs in a row may pass without a new best.

    Attributes
    ----------
    best_params : Params or None
        The parameters after the best epoch.
    best_epoch : int
        Which epoch that was; 0 before the first.
    losses : list of float
        The held-out loss after each epoch.

    Raises
    ------
    ShapeError, TypeError, ValueError
        If data, loss and network do not fit, or patience is not positive.

    Examples
    --------
    >>> from backprop_lib.activations import identity
    >>> from backprop_lib.losses import half_mse
    >>> mlp, X = MLP((1, 1), (identity,)), np.array([[1.0]])
    >>> stop = EarlyStopping(mlp, X, 2 * X, half_mse, patience=2)
    >>> for epoch, w in enumerate([1.0, 1.9, 2.5, 2.2], start=1):
    ...     if stop(epoch, Params.of(W=[[[w]]], b=[[0.0]]), 0.0):
    ...         print(f"stopped after epoch {epoch}, best was {stop.best_epoch}")
    stopped after epoch 4, best was 2
    >>> stop.best_params.theta
    array([1.9, 0. ])

    Notes
    -----
    Chapter 12, *Overfitting and regularisation*.
    """

    mlp: MLP
    X: Array
    y: Array
    loss: Loss
    patience: int
    best_params: Params | None = field(default=None, init=False)
    best_epoch: int = field(default=0, init=False)
    losses: list[float] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        check_positive("patience", self.patience)
        check_pair(self.mlp, self.loss)
        check_rows("X", self.X, self.mlp.sizes[0], "n_0")
        check_targets(self.loss, self.y, len(self.X), self.mlp.sizes[-1])
        check_same_dtype("y", self.y, "X", self.X)

    def __call__(self, epoch: int, params: Params, J: float) -> bool:
        """Whether to stop; J, the training loss, is not what counts."""
        if epoch == 1:
            self.best_params, self.best_epoch, self.losses = None, 0, []
        held_out = cost(self.mlp, forward(self.mlp, params, self.X), self.y, self.loss)
        if held_out < min(self.losses, default=np.inf):
            self.best_params, self.best_epoch = params, epoch
        self.losses.append(held_out)
        return epoch - self.best_epoch >= self.patience


# --- More data ------------------------------------------------------------------------------------


def shift_images(X: Array, shape: tuple[int, int], *, down: int = 0, right: int = 0) -> Array:
    """Move every image by whole pixels; what comes in at the edge is paper, 0.

    Parameters
    ----------
    X : ndarray, shape (N, height * width)
        One image a row.
    shape : tuple of int
        (height, width).
    down, right : int
        How far; negative for up and left.

    Returns
    -------
    ndarray, shape (N, height * width)
        A new array.

    Raises
    ------
    ShapeError, ValueError
        If a row does not hold height * width pixels, or a number is not whole.

    Examples
    --------
    >>> image = np.array([[1.0, 2.0,
    ...                    3.0, 4.0]])
    >>> shift_images(image, (2, 2), right=1).reshape(2, 2)
    array([[0., 1.],
           [0., 3.]])

    Notes
    -----
    Chapter 12, *Overfitting and regularisation*. ``np.roll`` would let the ink that leaves at one
    edge come back at the other.
    """
    if not all(isinstance(n, int | np.integer) for n in (*shape, down, right)):
        raise ValueError(
            f"shape is {shape}, down {down} and right {right}, expected whole numbers of pixels"
        )
    height, width = shape
    check_rows("X", X, height * width, f"{height}*{width}")
    edge = max(abs(down), abs(right))
    padded = np.pad(X.reshape(-1, height, width), ((0, 0), (edge, edge), (edge, edge)))
    top, left = edge - down, edge - right
    return padded[:, top : top + height, left : left + width].reshape(X.shape)


def augment_by_shifts(X: Array, y: Array, shape: tuple[int, int]) -> tuple[Array, Array]:
    """Five images for one: as it is, and moved by one pixel up, down, left and right.

    Only for training data, and only after the split: a shifted copy of a test image in the
    training set is a leak.

    Parameters
    ----------
    X : ndarray, shape (N, height * width)
        One image a row.
    y : ndarray, shape (N,) or (N, n_L)
        Labels or targets; a moved image keeps its own.
    shape : tuple of int
        (height, width).

    Returns
    -------
    X : ndarray, shape (5 N, height * width)
        The N images as they are, then all of them up, down, left, right.
    y : ndarray
        Five times y, one after the other.

    Raises
    ------
    ShapeError
        If a row does not hold height * width pixels, or there is not one label a row.

    Examples
    --------
    >>> X, y = augment_by_shifts(np.eye(4), np.array([0, 1, 2, 3]), (2, 2))
    >>> X.shape, y.tolist()[:6]
    ((20, 4), [0, 1, 2, 3, 0, 1])

    Notes
    -----
    Chapter 12, *Overfitting and regularisation*.
    """
    if len(y) != len(X):
        raise ShapeError(f"found {len(X)} images and {len(y)} labels, expected one label an image")
    moves = [(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)]
    moved = [shift_images(X, shape, down=down, right=right) for down, right in moves]
    return np.concatenate(moved), np.concatenate([y] * len(moves))
