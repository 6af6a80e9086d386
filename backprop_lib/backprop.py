r"""Backpropagation: the four equations, for a batch of rows.

``delta[l]`` is dJ/dz[l], one row a sample. May import `errors`, `activations`, `losses`
and `network`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from backprop_lib.errors import Array, ShapeError, check_same_dtype
from backprop_lib.losses import Loss, check_targets
from backprop_lib.network import (
    MLP,
    Cache,
    Layers,
    Params,
    check_answers,
    check_pair,
    check_params,
)


@dataclass(frozen=True, eq=False)
class Backward:
    """What the backward pass computes: every error, and the gradient.

    Parameters
    ----------
    delta : tuple of ndarray
        ``delta[l]`` = dJ/dz[l], of shape (N, n_l); slot 0 is None.
    grads : Params
        dJ/dtheta: ``grads.W[l]`` and ``grads.b[l]``, or all of it as ``grads.theta``.

    Examples
    --------
    >>> Backward(delta=(None,), grads=Params(np.zeros(2), (1, 1))).grads.W[1]
    array([[0.]])

    Notes
    -----
    Chapter 6, *Backpropagation*.
    """

    delta: Layers
    grads: Params


def backward(mlp: MLP, params: Params, cache: Cache, y: Array, loss: Loss) -> Backward:
    r"""The gradient of the loss with respect to every weight and bias, by the four equations.

    .. math::

       \delta^{[L]} &= \partial J/\partial a^{[L]} \odot \varphi_L'(z^{[L]}) \\
       \delta^{[l]} &= \delta^{[l+1]} W^{[l+1]} \odot \varphi_l'(z^{[l]}) \\
       \partial J/\partial W^{[l]} &= \delta^{[l]\top} a^{[l-1]} \\
       \partial J/\partial b^{[l]} &= \textstyle\sum_n \delta^{[l]}_n

    Parameters
    ----------
    mlp : MLP
        The architecture.
    params : Params
        The weights that the forward pass used: all errors are computed before any update.
    cache : Cache
        What `forward` returned.
    y : ndarray, shape (N, n_L)
        The targets.
    loss : Loss
        Which loss; it alone divides by N.

    Returns
    -------
    Backward

    Raises
    ------
    ShapeError, TypeError, ValueError
        If the targets or the cache do not fit the network, or loss and output do not go together.

    Examples
    --------
    >>> from backprop_lib.activations import sigmoid
    >>> from backprop_lib.losses import half_mse
    >>> from backprop_lib.network import forward
    >>> mlp = MLP((2, 2, 1), (sigmoid, sigmoid))
    >>> params = Params.of(W=[[[0.15, 0.2], [0.25, 0.3]], [[0.4, 0.45]]], b=[[0.35, 0.35], [0.6]])
    >>> cache = forward(mlp, params, np.array([[0.05, 0.10]]))
    >>> back = backward(mlp, params, cache, np.array([[0.01]]), half_mse)
    >>> print(np.round(back.delta[2], 6), np.round(back.grads.W[2], 6))
    [[0.138499]] [[0.082167 0.082668]]

    Notes
    -----
    Derived in Chapter 6, *Backpropagation*; done by hand in Chapter 7, *The hand trace*.
    """
    check_backward(mlp, params, cache, y, loss)
    return propagate_back(mlp, params, cache, y, loss)


def propagate_back(
    mlp: MLP,
    params: Params,
    cache: Cache,
    y: Array,
    loss: Loss,
) -> Backward:
    """`backward` without its door: the four equations and nothing else.

    Parameters
    ----------
    mlp, params, cache, y, loss
        As for `backward`.

    Returns
    -------
    Backward

    Examples
    --------
    >>> from backprop_lib.activations import identity
    >>> from backprop_lib.losses import half_mse
    >>> from backprop_lib.network import propagate
    >>> mlp, params = MLP((1, 1), (identity,)), Params.of(W=[[[2.0]]], b=[[0.0]])
    >>> cache = propagate(mlp, params, np.array([[3.0]]))
    >>> propagate_back(mlp, params, cache, np.array([[5.0]]), half_mse).grads.theta
    array([3., 1.])

    Notes
    -----
    Chapter 6, *Backpropagation*.
    """
    L, W, phi, z, a = mlp.L, params.W, mlp.phi, cache.z, cache.a
    delta: list[Any] = [None] * (L + 1)
    grads = params.like(np.empty_like(params.theta))

    delta[L] = output_delta(mlp, cache, y, loss)
    for l in range(L - 1, 0, -1):
        delta[l] = (delta[l + 1] @ W[l + 1]) * phi[l].d(z[l], a[l])
    for l in range(1, L + 1):
        grads.W[l][:] = delta[l].T @ a[l - 1]
        grads.b[l][:] = delta[l].sum(axis=0)
    return Backward(tuple(delta), grads)


def output_delta(mlp: MLP, cache: Cache, y: Array, loss: Loss) -> Array:
    r"""The error of the output layer, $\delta^{[L]} = \partial J / \partial z^{[L]}$.

    Where the last activation is the loss's canonical partner, the slope has cancelled on paper
    already and ``loss.delta`` is used, which stays finite when a[L] rounds to 0 or 1.

    Parameters
    ----------
    mlp, cache, y, loss
        As for `backward`.

    Returns
    -------
    ndarray, shape (N, n_L)

    Examples
    --------
    >>> from backprop_lib.activations import sigmoid
    >>> from backprop_lib.losses import bce
    >>> cache = Cache(z=(None, np.array([[-8.0]])), a=(None, np.array([[3.35e-4]])))
    >>> output_delta(MLP((1, 1), (sigmoid,)), cache, np.array([[1.0]]), bce)
    array([[-0.999665]])

    Notes
    -----
    Chapter 3, *Logistic regression*, and Chapter 6, *Backpropagation*.
    """
    phi, z, a = mlp.phi[-1], cache.z[-1], cache.a[-1]
    if phi is loss.canonical:
        return loss.delta(a, y)
    return loss.grad(a, y) * phi.d(z, a)


def delta_of(
    l: int,
    mlp: MLP,
    params: Params,
    cache: Cache,
    y: Array,
    loss: Loss,
    memo: dict[int, Array] | None = None,
) -> Array:
    r"""One error by recursion: $\delta^{[l]}$ asks for $\delta^{[l+1]}$, up to the output.

    With a memo each error is computed once, however often it is asked for; that is all that
    `backward`'s loop does. Without one, asking for every error costs quadratically many products.

    Parameters
    ----------
    l : int
        Which layer, 1 <= l <= L.
    mlp, params, cache, y, loss
        As for `backward`.
    memo : dict, optional
        Errors known so far, by layer; extended on the way. None starts from nothing.

    Returns
    -------
    ndarray, shape (N, n_l)
        The same floating-point numbers as ``backward(...).delta[l]``, bit for bit.

    Raises
    ------
    ShapeError, TypeError, ValueError
        As `backward`; also if there is no layer l.

    Examples
    --------
    >>> from backprop_lib.activations import identity
    >>> from backprop_lib.losses import half_mse
    >>> from backprop_lib.network import forward
    >>> mlp = MLP((1, 1, 1), (identity, identity))
    >>> params = Params.of(W=[[[2.0]], [[3.0]]], b=[[0.0], [0.0]])
    >>> cache, memo = forward(mlp, params, np.array([[1.0]])), {}
    >>> delta_of(1, mlp, params, cache, np.array([[5.0]]), half_mse, memo)
    array([[3.]])
    >>> sorted(memo)
    [1, 2]

    Notes
    -----
    Chapter 6, *Backpropagation*.
    """
    if not 1 <= l <= mlp.L:
        raise ValueError(f"there is no delta[{l}]; layers with an error are 1..{mlp.L}")
    check_backward(mlp, params, cache, y, loss)
    memo = {} if memo is None else memo
    if l not in memo:
        if l == mlp.L:
            memo[l] = output_delta(mlp, cache, y, loss)
        else:
            after = delta_of(l + 1, mlp, params, cache, y, loss, memo)
            memo[l] = (after @ params.W[l + 1]) * mlp.phi[l].d(cache.z[l], cache.a[l])
    return memo[l]


def check_backward(mlp: MLP, params: Params, cache: Cache, y: Array, loss: Loss) -> None:
    """Refuse targets, caches and losses that do not belong to the network.

    Parameters
    ----------
    mlp, params, cache, y, loss
        As for `backward`.

    Raises
    ------
    ShapeError, TypeError, ValueError
        With the repair.

    Examples
    --------
    >>> from backprop_lib.activations import sigmoid
    >>> from backprop_lib.losses import half_mse
    >>> mlp = MLP((1, 1), (sigmoid,))
    >>> check_backward(mlp, mlp.init(np.random.default_rng(0)), Cache((None,), (None,)), 0, half_mse)
    Traceback (most recent call last):
    backprop_lib.errors.ShapeError: the cache holds 0 layers, expected 1; run forward with this network first
    """  # noqa: E501 - a message is one line
    check_params(mlp, params)
    check_pair(mlp, loss)
    if len(cache.a) != mlp.L + 1:
        raise ShapeError(
            f"the cache holds {len(cache.a) - 1} layers, expected {mlp.L}; "
            "run forward with this network first"
        )
    widths = tuple(a.shape[1] for a in cache.a)
    if widths != mlp.sizes:
        raise ShapeError(
            f"the cache is of sizes {widths}, expected {mlp.sizes}; "
            "run forward with this network first"
        )
    check_same_dtype("X", cache.a[0], "theta", params.theta)
    check_targets(loss, y, len(cache.a[0]), mlp.sizes[-1])
    check_answers(mlp, cache, loss)
    check_same_dtype("y", y, "theta", params.theta)
