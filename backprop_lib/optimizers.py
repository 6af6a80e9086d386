r"""Optimizers: how a gradient becomes a step.

An optimizer is a pair of pure functions, ``init`` and ``step``. What tells one from another is its
*rule*: a line or two of arithmetic on the flat vector $\theta$, its gradient $g$, and the vectors
that the rule remembers from step to step. Schedules are functions of the number of steps taken so
far; wherever a learning rate is asked for, a number or such a function will do. Imports `errors`
only: an optimizer need not know what a network is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar

import numpy as np

from backprop_lib.errors import (
    Array,
    Diverged,
    ShapeError,
    check_fraction,
    check_positive,
    check_same_dtype,
    check_zero_or_more,
)

State = Any  # (t, *memory): the number of steps taken so far, and the vectors the rule remembers
Schedule = Callable[[int], float]
Rule = Callable[..., tuple[Array, ...]]  # (theta, g, t, *memory) -> (new theta, *new memory)


class Vector(Protocol):
    """What an optimizer asks of parameters: one flat vector, and a way to make another like it."""

    @property
    def theta(self) -> Array:
        """All the numbers, of shape (P,)."""

    def like(self, theta: Array) -> Self:
        """The same kind of parameters with other numbers."""


AnyParams = TypeVar("AnyParams", bound=Vector)


class Step(Protocol):
    """One step: new parameters of the same kind, and a new state."""

    def __call__(
        self, params: AnyParams, grads: AnyParams, state: State
    ) -> tuple[AnyParams, State]:
        """See `Optimizer`."""


@dataclass(frozen=True)
class Optimizer:
    """A pair of pure functions: the memory to start with, and one step.

    Parameters
    ----------
    name : str
        The name used in tables and messages.
    init : callable
        ``init(params) -> state``; a state is ``(t, *memory)``, the number of steps taken so far
        and the vectors that the rule remembers, of shape (P,) each.
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
    init: Callable[[Vector], State]
    step: Step

    def __repr__(self) -> str:
        return self.name


def sgd(learning_rate: float | Schedule) -> Optimizer:
    r"""Gradient descent: one step against the gradient.

    .. math:: \theta \leftarrow \theta - \eta \, g

    Stochastic or not depends only on the batch that the gradient $g = \nabla J(\theta)$ was
    taken over.

    Parameters
    ----------
    learning_rate : float or callable
        $\eta$, the length of a step per unit of gradient: a number, or a schedule ``eta(t)``.

    Returns
    -------
    Optimizer

    Raises
    ------
    ValueError
        If the learning rate is not a positive number.

    Examples
    --------
    >>> from backprop_lib.network import Params
    >>> params, grads = Params(np.array([1.0, 2.0]), (1, 1)), Params(np.array([0.2, -0.4]), (1, 1))
    >>> optimizer = sgd(learning_rate=0.5)
    >>> params, state = optimizer.step(params, grads, optimizer.init(params))
    >>> params.theta
    array([0.9, 2.2])

    Notes
    -----
    Chapter 2, *Linear regression*.
    """
    eta = _as_schedule(learning_rate)

    def rule(theta: Array, g: Array, t: int) -> tuple[Array, ...]:
        return (theta - eta(t) * g,)

    return _optimizer(_title("sgd", learning_rate), rule, memories=0)


def momentum(learning_rate: float | Schedule, momentum: float = 0.9) -> Optimizer:
    r"""Descent with a velocity that forgets slowly.

    .. math:: v \leftarrow \mu v + g, \qquad \theta \leftarrow \theta - \eta v

    Under a steady gradient the velocity grows to $g/(1 - \mu)$: with $\mu = 0.9$ a step ten
    times as long as plain descent's.

    Parameters
    ----------
    learning_rate : float or callable
        $\eta$: a number, or a schedule ``eta(t)``.
    momentum : float
        $\mu$, the share of the velocity that survives a step, 0 <= momentum < 1.

    Returns
    -------
    Optimizer

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> from backprop_lib.network import Params
    >>> params, grads = Params(np.zeros(2), (1, 1)), Params(np.ones(2), (1, 1))
    >>> optimizer = momentum(learning_rate=0.1, momentum=0.9)
    >>> state = optimizer.init(params)
    >>> for _ in range(200):
    ...     params, state = optimizer.step(params, grads, state)
    >>> t, v = state
    >>> v.round(6)
    array([10., 10.])

    Notes
    -----
    Chapter 11, *Optimizers*; Polyak (1964). PyTorch's SGD uses this form. Others let $\eta$ into
    the velocity, $v \leftarrow \mu v - \eta g$ and $\theta \leftarrow \theta + v$: the same path
    while $\eta$ stays the same, another one under a schedule.
    """
    eta, mu = _as_schedule(learning_rate), check_fraction("momentum", momentum)

    def rule(theta: Array, g: Array, t: int, v: Array) -> tuple[Array, ...]:
        v = mu * v + g
        return theta - eta(t) * v, v

    return _optimizer(_title("momentum", learning_rate, momentum=momentum), rule, memories=1)


def nesterov(learning_rate: float | Schedule, momentum: float = 0.9) -> Optimizer:
    r"""Momentum that looks one step ahead.

    .. math:: v \leftarrow \mu v + g, \qquad \theta \leftarrow \theta - \eta (g + \mu v)

    Parameters
    ----------
    learning_rate : float or callable
        $\eta$: a number, or a schedule ``eta(t)``.
    momentum : float
        $\mu$, the share of the velocity that survives a step, 0 <= momentum < 1.

    Returns
    -------
    Optimizer

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> from backprop_lib.network import Params
    >>> params, grads = Params(np.zeros(2), (1, 1)), Params(np.ones(2), (1, 1))
    >>> optimizer = nesterov(learning_rate=0.1, momentum=0.9)
    >>> optimizer.step(params, grads, optimizer.init(params))[0].theta
    array([-0.19, -0.19])

    Notes
    -----
    Chapter 11, *Optimizers*; Nesterov (1983). The original takes the gradient at the point ahead,
    $\theta - \eta \mu v$. Written for that point, as here and in PyTorch, the rule needs the
    gradient only where the parameters are.
    """
    eta, mu = _as_schedule(learning_rate), check_fraction("momentum", momentum)

    def rule(theta: Array, g: Array, t: int, v: Array) -> tuple[Array, ...]:
        v = mu * v + g
        return theta - eta(t) * (g + mu * v), v

    return _optimizer(_title("nesterov", learning_rate, momentum=momentum), rule, memories=1)


def rmsprop(learning_rate: float | Schedule, beta2: float = 0.9, eps: float = 1e-8) -> Optimizer:
    r"""Each entry's step divided by the recent size of its gradient.

    .. math::

       v \leftarrow \beta_2 v + (1 - \beta_2) g^2, \qquad
       \theta \leftarrow \theta - \eta \, \frac{g}{\sqrt{v} + \epsilon}

    Parameters
    ----------
    learning_rate : float or callable
        $\eta$: a number, or a schedule ``eta(t)``.
    beta2 : float
        How much of the mean square survives a step, 0 <= beta2 < 1.
    eps : float
        Keeps the quotient finite where the gradient has been 0.

    Returns
    -------
    Optimizer

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> from backprop_lib.network import Params
    >>> params, grads = Params(np.zeros(2), (1, 1)), Params(np.array([5.0, -0.001]), (1, 1))
    >>> optimizer = rmsprop(learning_rate=0.1)
    >>> optimizer.step(params, grads, optimizer.init(params))[0].theta.round(4)
    array([-0.3162,  0.3162])

    Notes
    -----
    Chapter 11, *Optimizers*; Tieleman & Hinton (2012). PyTorch calls beta2 ``alpha`` and sets it
    to 0.99. This is `adam` with beta1 = 0 and without the bias correction.
    """
    eta = _as_schedule(learning_rate)
    beta2, eps = check_fraction("beta2", beta2), _positive("eps", eps)

    def rule(theta: Array, g: Array, t: int, v: Array) -> tuple[Array, ...]:
        v = beta2 * v + (1 - beta2) * g**2
        return theta - eta(t) * g / (np.sqrt(v) + eps), v

    return _optimizer(_title("rmsprop", learning_rate, beta2=beta2), rule, memories=1)


def adam(
    learning_rate: float | Schedule,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    *,
    bias_correction: bool = True,
) -> Optimizer:
    r"""Momentum divided by the recent size of the gradient, both corrected for their start at 0.

    .. math::

       m &\leftarrow \beta_1 m + (1 - \beta_1) g, & \hat m &= m / (1 - \beta_1^t) \\
       v &\leftarrow \beta_2 v + (1 - \beta_2) g^2, & \hat v &= v / (1 - \beta_2^t) \\
       \theta &\leftarrow \theta - \eta \, \hat m / (\sqrt{\hat v} + \epsilon)

    The first step has length $\eta$ in every entry, whatever the gradient. Without the correction
    it would be longer, by $(1 - \beta_1)/\sqrt{1 - \beta_2}$: 3.16 times.

    Parameters
    ----------
    learning_rate : float or callable
        $\eta$: a number, or a schedule ``eta(t)``.
    beta1, beta2 : float
        How much of the mean and of the mean square survives a step, from 0 up to 1.
    eps : float
        Keeps the quotient finite where the gradient has been 0.
    bias_correction : bool
        False leaves the two divisions out: the experiment of the chapter.

    Returns
    -------
    Optimizer

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> from backprop_lib.network import Params
    >>> params, grads = Params(np.zeros(2), (1, 1)), Params(np.array([5.0, -0.001]), (1, 1))
    >>> for optimizer in adam(0.1), adam(0.1, bias_correction=False):
    ...     print(optimizer.step(params, grads, optimizer.init(params))[0].theta.round(4))
    [-0.1  0.1]
    [-0.3162  0.3161]

    Notes
    -----
    Chapter 11, *Optimizers*; Kingma & Ba (2015).
    """
    eta, eps = _as_schedule(learning_rate), _positive("eps", eps)
    beta1, beta2 = check_fraction("beta1", beta1), check_fraction("beta2", beta2)

    def rule(theta: Array, g: Array, t: int, m: Array, v: Array) -> tuple[Array, ...]:
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat, v_hat = m, v
        if bias_correction:  # t steps lie behind, so this is the paper's step t + 1
            m_hat, v_hat = m / (1 - beta1 ** (t + 1)), v / (1 - beta2 ** (t + 1))
        return theta - eta(t) * m_hat / (np.sqrt(v_hat) + eps), m, v

    return _optimizer(_title("adam", learning_rate, beta1=beta1, beta2=beta2), rule, memories=2)


def adamw(
    learning_rate: float | Schedule,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> Optimizer:
    r"""Adam's step, and beside it a decay that the moments never see.

    .. math::

       \theta \leftarrow \theta - \eta \, \hat m / (\sqrt{\hat v} + \epsilon) - \eta \lambda \theta

    An L2 penalty would put $\lambda\theta$ into the gradient, where Adam divides it by the
    gradient's size: entries with large gradients would hardly decay. Here all decay alike,
    biases included, as in the paper and in PyTorch.

    Parameters
    ----------
    learning_rate : float or callable
        $\eta$: a number, or a schedule ``eta(t)``.
    beta1, beta2, eps : float
        As for `adam`.
    weight_decay : float
        $\lambda$, 0 or more.

    Returns
    -------
    Optimizer

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> from backprop_lib.network import Params
    >>> params, grads = Params(np.array([4.0, 4.0]), (1, 1)), Params(np.array([5.0, 0.0]), (1, 1))
    >>> optimizer = adamw(learning_rate=0.1, weight_decay=0.5)
    >>> optimizer.step(params, grads, optimizer.init(params))[0].theta.round(6)
    array([3.7, 3.8])

    Notes
    -----
    Chapter 11, *Optimizers*; Loshchilov & Hutter (2019).
    """
    eta, decay = _as_schedule(learning_rate), check_zero_or_more("weight_decay", weight_decay)
    plain = adam(learning_rate, beta1, beta2, eps)

    def step(params: AnyParams, grads: AnyParams, state: State) -> tuple[AnyParams, State]:
        t, *_ = state
        moved, state = plain.step(params, grads, state)
        return moved.like(moved.theta - eta(t) * decay * params.theta), state

    return Optimizer(_title("adamw", learning_rate, weight_decay=weight_decay), plain.init, step)


def step_decay(start: float, factor: float, steps: int) -> Schedule:
    r"""A learning rate that falls by a factor every so many steps, at once.

    .. math:: \eta_t = \eta_0 \, f^{\lfloor t/T \rfloor}

    Parameters
    ----------
    start : float
        $\eta_0$, where it begins.
    factor : float
        $f$, what it is multiplied by, e.g. 0.5.
    steps : int
        $T$, how many steps each value lasts.

    Returns
    -------
    callable
        ``eta(t) -> float``, where t counts the steps taken so far: 0 at the first step.

    Raises
    ------
    ValueError
        If an argument is not positive.

    Examples
    --------
    >>> eta = step_decay(0.8, factor=0.5, steps=10)
    >>> eta(0), eta(9), eta(10), eta(20)
    (0.8, 0.8, 0.4, 0.2)
    >>> sgd(learning_rate=eta)
    sgd(learning_rate=schedule)

    Notes
    -----
    Chapter 11, *Optimizers*.
    """
    _check_all_positive(start=start, factor=factor, steps=steps)
    return lambda t: start * factor ** (t // steps)


def exponential_decay(start: float, factor: float, steps: int) -> Schedule:
    r"""A learning rate that falls by a factor every so many steps, smoothly.

    .. math:: \eta_t = \eta_0 \, f^{t/T}

    Parameters
    ----------
    start : float
        $\eta_0$, where it begins.
    factor : float
        $f$, what it is multiplied by in `steps` steps; above 1 it grows.
    steps : int
        $T$, how many steps that takes.

    Returns
    -------
    callable
        ``eta(t) -> float``, where t counts the steps taken so far: 0 at the first step.

    Raises
    ------
    ValueError
        If an argument is not positive.

    Examples
    --------
    >>> eta = exponential_decay(0.8, factor=0.25, steps=10)
    >>> eta(0), eta(5), eta(10)
    (0.8, 0.4, 0.2)

    Notes
    -----
    Chapter 11, *Optimizers*.
    """
    _check_all_positive(start=start, factor=factor, steps=steps)
    return lambda t: start * factor ** (t / steps)


def cosine_decay(start: float, steps: int, stop: float = 0.0) -> Schedule:
    r"""A learning rate that follows half a wave of the cosine down, and then stays.

    .. math:: \eta_t = \eta_T + (\eta_0 - \eta_T) \, \frac{1 + \cos(\pi \min(t/T, 1))}{2}

    Parameters
    ----------
    start : float
        $\eta_0$, where it begins.
    steps : int
        $T$, how many steps the way down takes.
    stop : float
        $\eta_T$, where it ends, 0 or more.

    Returns
    -------
    callable
        ``eta(t) -> float``, where t counts the steps taken so far: 0 at the first step.

    Raises
    ------
    ValueError
        If start or steps are not positive, or stop is negative.

    Examples
    --------
    >>> eta = cosine_decay(0.8, steps=100)
    >>> [round(eta(t), 6) for t in (0, 50, 100, 1000)]
    [0.8, 0.4, 0.0, 0.0]

    Notes
    -----
    Chapter 11, *Optimizers*; Loshchilov & Hutter (2017).
    """
    _check_all_positive(start=start, steps=steps)
    check_zero_or_more("stop", stop)
    return lambda t: stop + (start - stop) * (1 + math.cos(math.pi * min(t / steps, 1))) / 2


def warm_up(learning_rate: float | Schedule, steps: int) -> Schedule:
    r"""A learning rate that is reached in equal stairs instead of at once.

    .. math:: \eta'_t = \min\!\left(\frac{t + 1}{T}, 1\right) \eta_t

    Parameters
    ----------
    learning_rate : float or callable
        $\eta$: a number, or a schedule, which runs on meanwhile.
    steps : int
        $T$, the number of stairs; the first step is taken at $\eta/T$, not at 0.

    Returns
    -------
    callable
        ``eta(t) -> float``, where t counts the steps taken so far: 0 at the first step.

    Raises
    ------
    ValueError
        If an argument is not positive.

    Examples
    --------
    >>> eta = warm_up(0.8, steps=4)
    >>> [round(eta(t), 6) for t in range(6)]
    [0.2, 0.4, 0.6, 0.8, 0.8, 0.8]

    Notes
    -----
    Chapter 11, *Optimizers*; Goyal et al. (2017).
    """
    eta = _as_schedule(learning_rate)
    check_positive("steps", steps)
    return lambda t: min((t + 1) / steps, 1) * eta(t)


def clip_by_norm(grads: AnyParams, max_norm: float) -> AnyParams:
    r"""The gradient, shortened where it is longer than allowed; its direction stays.

    .. math:: g \leftarrow g \, \min(1, c / \lVert g \rVert)

    Parameters
    ----------
    grads : Params
        The gradient of all parameters together: one norm, one factor.
    max_norm : float
        $c$, the greatest length allowed.

    Returns
    -------
    Params

    Raises
    ------
    ValueError
        If max_norm is not a positive number.
    Diverged
        If the norm is not a finite number: there is no direction left to keep.

    Examples
    --------
    >>> from backprop_lib.network import Params
    >>> clip_by_norm(Params(np.array([30.0, 40.0]), (1, 1)), max_norm=5.0).theta
    array([3., 4.])

    Notes
    -----
    Chapter 10, *Vanishing and exploding gradients*; Pascanu et al. (2013).
    """
    c = _positive("max_norm", max_norm)
    norm = float(np.linalg.norm(grads.theta))
    if not math.isfinite(norm):
        raise Diverged(
            f"the norm of the gradient is {norm}, which no factor repairs; "
            "a smaller learning rate usually cures it, or smaller initial weights"
        )
    return grads if norm <= c else grads.like(grads.theta * (c / norm))


def clipped(optimizer: Optimizer, max_norm: float) -> Optimizer:
    """An optimizer that shortens every gradient with `clip_by_norm` before it takes its step.

    Parameters
    ----------
    optimizer : Optimizer
        What to do with the shortened gradient.
    max_norm : float
        The greatest length allowed.

    Returns
    -------
    Optimizer

    Raises
    ------
    ValueError
        If max_norm is not a positive number.

    Examples
    --------
    >>> from backprop_lib.network import Params
    >>> params, grads = Params(np.zeros(2), (1, 1)), Params(np.array([30.0, 40.0]), (1, 1))
    >>> optimizer = clipped(sgd(learning_rate=1.0), max_norm=5.0)
    >>> optimizer
    sgd(learning_rate=1.0) clipped at 5.0
    >>> optimizer.step(params, grads, optimizer.init(params))[0].theta
    array([-3., -4.])

    Notes
    -----
    Chapter 10, *Vanishing and exploding gradients*.
    """
    check_positive("max_norm", max_norm)

    def step(params: AnyParams, grads: AnyParams, state: State) -> tuple[AnyParams, State]:
        return optimizer.step(params, clip_by_norm(grads, max_norm), state)

    return Optimizer(f"{optimizer.name} clipped at {max_norm}", optimizer.init, step)


def _optimizer(name: str, rule: Rule, memories: int) -> Optimizer:
    """The optimizer of a rule: counts the steps, and keeps `memories` vectors, 0 at the start."""

    def init(params: Vector) -> State:
        return 0, *(np.zeros_like(params.theta) for _ in range(memories))

    def step(params: AnyParams, grads: AnyParams, state: State) -> tuple[AnyParams, State]:
        _check_gradient(params, grads)
        t, *memory = state
        theta, *memory = rule(params.theta, grads.theta, t, *memory)
        return params.like(theta), (t + 1, *memory)

    return Optimizer(name, init, step)


def _check_gradient(params: Vector, grads: Vector) -> None:
    if grads.theta.shape != params.theta.shape:
        raise ShapeError(
            f"the gradient has {grads.theta.size} entries, expected one for each of the "
            f"{params.theta.size} parameters"
        )
    check_same_dtype("grads.theta", grads.theta, "params.theta", params.theta)


def _as_schedule(learning_rate: float | Schedule) -> Schedule:
    """A number becomes the schedule that never changes; a schedule gets its values checked."""
    if not callable(learning_rate):
        constant = _positive("learning_rate", learning_rate)
        return lambda t: constant
    return lambda t: check_zero_or_more(f"learning_rate({t})", learning_rate(t))


def _title(rule: str, learning_rate: float | Schedule, **settings: float) -> str:
    eta = "schedule" if callable(learning_rate) else learning_rate
    shown = {"learning_rate": eta} | settings
    return f"{rule}({', '.join(f'{name}={value}' for name, value in shown.items())})"


def _check_all_positive(**values: float) -> None:
    for name, value in values.items():
        check_positive(name, value)


# What passes these doors is a Python float: unlike numpy's float64 it leaves float32 arrays alone.


def _positive(name: str, value: float) -> float:
    check_positive(name, value)
    return float(value)
