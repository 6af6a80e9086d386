r"""Activation functions $\varphi$ and their slopes $\varphi'$, one value each.

An activation is a name, the function ``f(z)`` and its slope ``d(z, a)``. The slope is handed
both the pre-activation ``z`` and the activation ``a = f(z)``, so that nothing is computed twice:
the sigmoid's slope needs only ``a``, the ReLU's only ``z``. May import `errors`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from backprop_lib.errors import Array

LEAK = 0.01


@dataclass(frozen=True)
class Activation:
    r"""A function $a = \varphi(z)$ together with its slope $\varphi'(z)$.

    Parameters
    ----------
    name : str
        The name used in tables and messages.
    f : callable
        ``f(z) -> a``, arrays of shape (N, n_l).
    d : callable
        ``d(z, a) -> slope``, of shape (N, n_l); for `softmax`, whose outputs depend on all of
        a row, the Jacobian of shape (N, n_l, n_l).
    elementwise : bool
        Whether each output depends on its own input only.

    Examples
    --------
    >>> z = np.array([[0.0, 2.0]])
    >>> a = sigmoid.f(z)
    >>> sigmoid.d(z, a)
    array([[0.25      , 0.10499359]])

    Notes
    -----
    Derived in Chapter 4, *Multilayer perceptron*.
    """

    name: str
    f: Callable[[Array], Array]
    d: Callable[[Array, Array], Array]
    elementwise: bool = True

    def __repr__(self) -> str:
        return self.name


def _sigmoid(z: Array) -> Array:
    # exp(-z) overflows to inf below z = -709, where 1 / (1 + inf) = 0 is the right float64.
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-z))


def _softmax(z: Array) -> Array:
    # Subtracting the row's largest entry changes nothing but keeps exp from overflowing.
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _softmax_jacobian(z: Array, a: Array) -> Array:
    """da_j/dz_i = a_j ((i == j) - a_i), one n_l x n_l matrix a sample."""
    return a[:, :, None] * (np.eye(a.shape[1], dtype=a.dtype) - a[:, None, :])


identity = Activation("identity", f=lambda z: z, d=lambda z, a: np.ones_like(z))
step = Activation("step", f=lambda z: np.where(z > 0, 1, 0).astype(z.dtype), d=lambda z, a: 0 * z)
sigmoid = Activation("sigmoid", f=_sigmoid, d=lambda z, a: a * (1 - a))
tanh = Activation("tanh", f=np.tanh, d=lambda z, a: 1 - a * a)
relu = Activation("relu", f=lambda z: np.maximum(z, 0), d=lambda z, a: (z > 0).astype(z.dtype))
leaky_relu = Activation(
    "leaky_relu",
    f=lambda z: np.where(z > 0, z, LEAK * z),
    d=lambda z, a: np.where(z > 0, 1, LEAK).astype(z.dtype),
)
softmax = Activation("softmax", f=_softmax, d=_softmax_jacobian, elementwise=False)

ACTIVATIONS = {phi.name: phi for phi in (identity, step, sigmoid, tanh, relu, leaky_relu, softmax)}
