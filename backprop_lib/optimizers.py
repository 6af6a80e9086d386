r"""Optimizers: how a gradient becomes a step.

An optimizer is a pair of pure functions on flat vectors, ``init`` and ``step``. May import
`errors` and `network`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from backprop_lib.errors import check_positive
from backprop_lib.network import Params

State = Any  # whatever the optimizer remembers between steps; None for plain descent


@dataclass(frozen=True)
class Optimizer:
    """A pair of pure functions: the memory to start with, and one step.

    Parameters
    ----------
    name : str
        The name used in tables and messages.
    init : callable
        ``init(params) -> state``.
    step : callable
        ``step(params, grads, state) -> (params, state)``; new values, nothing changed in place.

    Examples
    --------
    >>> sgd(learning_rate=0.5).name
    'sgd(learning_rate=0.5)'

    Notes
    -----
    Chapter 11, *Optimizers*.
    """

    name: str
    init: Callable[[Params], State]
    step: Callable[[Params, Params, State], tuple[Params, State]]

    def __repr__(self) -> str:
        return self.name


def sgd(learning_rate: float) -> Optimizer:
    r"""Gradient descent: one step against the gradient.

    .. math:: \theta \leftarrow \theta - \eta \, \nabla J(\theta)

    Stochastic or not depends only on the batch that the gradient was taken over.

    Parameters
    ----------
    learning_rate : float
        $\eta$, the length of a step per unit of gradient.

    Returns
    -------
    Optimizer

    Raises
    ------
    ValueError
        If the learning rate is not a positive number.

    Examples
    --------
    >>> import numpy as np
    >>> params, grads = Params(np.array([1.0, 2.0]), (1, 1)), Params(np.array([0.2, -0.4]), (1, 1))
    >>> optimizer = sgd(learning_rate=0.5)
    >>> params, state = optimizer.step(params, grads, optimizer.init(params))
    >>> params.theta
    array([0.9, 2.2])

    Notes
    -----
    Chapter 2, *Linear regression*.
    """
    check_positive("learning_rate", learning_rate)

    def step(params: Params, grads: Params, state: None) -> tuple[Params, None]:
        return params.like(params.theta - learning_rate * grads.theta), None

    return Optimizer(f"sgd(learning_rate={learning_rate})", lambda params: None, step)
