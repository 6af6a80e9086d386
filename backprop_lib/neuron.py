r"""One neuron: the perceptron, linear regression and logistic regression are the same formula.

.. math:: z = w \cdot x + b, \qquad a = \varphi(z)

With $\varphi$ a step it is the perceptron, with the identity linear regression, with the sigmoid
logistic regression. May import `errors`, `activations` and `losses`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from backprop_lib.activations import Activation, identity, sigmoid, step
from backprop_lib.errors import (
    Array,
    Diverged,
    ShapeError,
    check_array,
    check_positive,
    check_rows,
    check_same_dtype,
)
from backprop_lib.losses import Loss, bce, check_targets, half_mse, sse

Labels = Literal["signs", "bits"]


@dataclass(frozen=True, eq=False)
class Neuron:
    """A weight for each input, a bias, and an activation.

    Parameters
    ----------
    w : ndarray, shape (n_0,)
        The weights.
    b : float
        The bias.
    phi : Activation
        `step`, `identity`, `sigmoid`, or any other that looks at one number at a time.

    Raises
    ------
    ShapeError, TypeError, ValueError
        If the weights are not a vector of finite floats, or phi is not such an activation.

    Examples
    --------
    >>> neuron = Neuron(np.array([3.0, 2.0]), -4.0, step)
    >>> X = np.array([[0.0, 0.0], [1.0, 1.0]])
    >>> neuron.z(X)
    array([[-4.],
           [ 1.]])
    >>> neuron(X)
    array([[0.],
           [1.]])

    Notes
    -----
    Chapters 1 to 3.
    """

    w: Array
    b: float
    phi: Activation

    def __post_init__(self) -> None:
        if check_array("w", self.w).ndim != 1:
            raise ShapeError(f"w has shape {self.w.shape}, expected (n_0,): w.ravel()")
        if not np.isfinite(self.b):
            raise ValueError(f"b is {self.b}, expected a finite number")
        if not isinstance(self.phi, Activation) or not self.phi.elementwise:
            raise ValueError(
                f"phi is {self.phi!r}, expected an activation of one number, such as sigmoid"
            )

    def z(self, X: Array) -> Array:
        """The pre-activation w . x + b of every row of X, as a column (N, 1)."""
        check_rows("X", X, len(self.w), "n_0")
        check_same_dtype("X", X, "w", self.w)
        return (X @ self.w + self.b)[:, None]

    def __call__(self, X: Array) -> Array:
        """The answer of every row of X, as a column (N, 1)."""
        return self.phi.f(self.z(X))


# --- The perceptron: step -------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Correction:
    """One mistake of the perceptron, and what it learned from it.

    Parameters
    ----------
    epoch : int
        In which pass over the data, counted from 1.
    sample : int
        Which row of X was misjudged.
    w_before, b_before
        Weights and bias that misjudged it.
    w, b
        Weights and bias after the correction.

    Examples
    --------
    >>> X, y = np.array([[2.0, 1.0]]), np.array([[1.0]])
    >>> first = perceptron(X, y).corrections[0]
    >>> first.sample, first.w_before, first.w, first.b
    (0, array([0., 0.]), array([2., 1.]), 1.0)

    Notes
    -----
    Chapter 1, *Perceptron*.
    """

    epoch: int
    sample: int
    w_before: Array
    b_before: float
    w: Array
    b: float


@dataclass(frozen=True, eq=False)
class Perceptron:
    """What `perceptron` learned, and how.

    Parameters
    ----------
    neuron : Neuron
        The neuron at the end, with a step: it answers 1 or 0.
    corrections : tuple of Correction
        Every mistake, in order.
    epochs : int
        Passes over the data, the last one included.
    converged : bool
        Whether the last pass was clean.

    Examples
    --------
    >>> perceptron(np.array([[2.0, 1.0]]), np.array([[1.0]])).converged
    True

    Notes
    -----
    Chapter 1, *Perceptron*.
    """

    neuron: Neuron
    corrections: tuple[Correction, ...]
    epochs: int
    converged: bool

    @property
    def mistakes(self) -> int:
        """Number of corrections."""
        return len(self.corrections)


def _pull_of_signs(z: float, y: float) -> float:
    """Labels -1 and +1: a point on the line is a mistake, whatever its label."""
    return y if y * z <= 0 else 0.0


def _pull_of_bits(z: float, y: float) -> float:
    """Labels 0 and 1: the answer is 1 where z > 0, so a point on the line counts as 0."""
    return y - (1.0 if z > 0 else 0.0)


_LABELS = {"signs": ((-1.0, 1.0), _pull_of_signs), "bits": ((0.0, 1.0), _pull_of_bits)}


def perceptron(
    X: Array,
    y: Array,
    *,
    labels: Labels = "signs",
    epochs: int = 100,
    learning_rate: float = 1.0,
) -> Perceptron:
    r"""Rosenblatt's rule: go through the data, and after each mistake move towards its repair.

    .. math:: w \leftarrow w + \eta \, p \, x, \qquad b \leftarrow b + \eta \, p

    where the pull p is +1 if the answer was too low, -1 if it was too high, 0 if it was right.
    What counts as right differs in one point between the two usual ways to write labels:

    - ``"signs"``, labels -1 and +1: a mistake is $y z \le 0$, and $p = y$. On the line, z = 0,
      every label is a mistake.
    - ``"bits"``, labels 0 and 1: the answer is 1 where z > 0, and $p = y - a$. On the line the
      answer is 0, which is right for label 0.

    Parameters
    ----------
    X : ndarray, shape (N, n_0)
        One sample a row, gone through from top to bottom.
    y : ndarray, shape (N, 1)
        The labels.
    labels : {"signs", "bits"}
        How they are written.
    epochs : int
        After so many passes it gives up.
    learning_rate : float
        From a start at zero it scales w and b and changes no answer.

    Returns
    -------
    Perceptron
        Started from w = 0, b = 0; stopped after the first clean pass.

    Raises
    ------
    ShapeError, TypeError, ValueError
        If X or y is malformed, or y holds other labels.

    Examples
    --------
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> AND = np.array([[-1.0], [-1.0], [-1.0], [1.0]])
    >>> learned = perceptron(X, AND)
    >>> learned.mistakes, learned.epochs, learned.neuron.w, learned.neuron.b
    (18, 9, array([3., 2.]), -4.0)
    >>> learned = perceptron(X, (AND + 1) / 2, labels="bits")
    >>> learned.mistakes, learned.epochs, learned.neuron.w, learned.neuron.b
    (10, 6, array([2., 1.]), -2.0)

    Notes
    -----
    Rosenblatt (1958, 1962); Chapter 1, *Perceptron*.
    """
    pull_of = _check_labels(X, y, labels)
    check_positive("learning_rate", learning_rate)
    _check_whole("epochs", epochs, least=1)
    w, b = np.zeros_like(X[0]), 0.0
    corrections: list[Correction] = []
    for epoch in range(1, epochs + 1):
        before = len(corrections)
        for n, (x, target) in enumerate(zip(X, y[:, 0].tolist(), strict=True)):
            pull = learning_rate * pull_of(float(w @ x) + b, target)
            if pull != 0:
                old_w, old_b = w, b
                w, b = w + pull * x, b + pull
                corrections.append(Correction(epoch, n, old_w, old_b, w, b))
        if len(corrections) == before:
            break
    converged = len(corrections) == before
    return Perceptron(Neuron(w, b, step), tuple(corrections), epoch, converged)


def _check_labels(X: Array, y: Array, labels: str) -> Any:
    """The rule for these labels, once X and y are known to be sound."""
    if labels not in _LABELS:
        raise ValueError(f"labels is {labels!r}, expected 'signs' (-1, +1) or 'bits' (0, 1)")
    if check_array("X", X).ndim != 2:
        raise ShapeError(f"X has shape {X.shape}, expected (N, n_0): one sample a row")
    check_rows("y", y, 1, "n_L", rows=len(X))
    (low, high), pull_of = _LABELS[labels]
    other = y[(y != low) & (y != high)]
    if other.size:
        raise ValueError(
            f"y holds {other[0]:g}, expected {low:g} or {high:g} with labels={labels!r}; "
            "the other way to write labels is "
            + ("'bits', 0 and 1" if labels == "signs" else "'signs', -1 and +1")
        )
    return pull_of


@dataclass(frozen=True)
class ConvergenceBound:
    r"""How many mistakes a perceptron can make at most, given one line that makes none.

    Parameters
    ----------
    radius : float
        R, the length of the longest sample $(x, 1)$.
    margin : float
        $\gamma$, the distance of the nearest sample from the line, bias included.

    Examples
    --------
    >>> ConvergenceBound(radius=3.0, margin=0.5).mistakes
    36.0

    Notes
    -----
    Novikoff (1962); Chapter 1, *Perceptron*.
    """

    radius: float
    margin: float

    @property
    def mistakes(self) -> float:
        r"""The bound $(R/\gamma)^2$."""
        return (self.radius / self.margin) ** 2


def convergence_bound(
    X: Array, y: Array, w: Array, b: float, *, labels: Labels = "signs"
) -> ConvergenceBound:
    r"""The bound $(R/\gamma)^2$ on the perceptron's mistakes, from any line that separates.

    The bias is a weight like the others, whose input is always 1:

    .. math:: R = \max_n \lVert (x_n, 1) \rVert, \qquad
        \gamma = \min_n \frac{\pm(w \cdot x_n + b)}{\lVert (w, b) \rVert}

    Parameters
    ----------
    X, y, labels
        As for `perceptron`.
    w : ndarray, shape (n_0,)
        Weights of the line.
    b : float
        Its bias. The better the line, the smaller the bound.

    Returns
    -------
    ConvergenceBound

    Raises
    ------
    ShapeError, TypeError, ValueError
        As `perceptron`; also if the line does not separate the classes.

    Examples
    --------
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> AND = np.array([[-1.0], [-1.0], [-1.0], [1.0]])
    >>> bound = convergence_bound(X, AND, np.array([2.0, 2.0]), -3.0)
    >>> round(bound.radius**2), round(bound.margin, 3), round(bound.mistakes)
    (3, 0.243, 51)

    Notes
    -----
    Novikoff (1962); Chapter 1, *Perceptron*.
    """
    _check_labels(X, y, labels)
    signs = y if labels == "signs" else 2 * y - 1
    sides = signs * Neuron(w, b, identity).z(X)
    if sides.min() <= 0:
        raise ValueError(
            f"the line does not separate the classes: sample {int(sides.argmin())} is on it "
            "or on the wrong side; the bound needs a line without mistakes"
        )
    radius = np.sqrt((X * X).sum(axis=1).max() + 1)
    return ConvergenceBound(float(radius), float(sides.min() / np.sqrt(w @ w + b * b)))


# --- Linear regression: identity ------------------------------------------------------------------


def linear_regression(X: Array, y: Array) -> Neuron:
    r"""The neuron with the smallest squared error, in one step and without descent.

    .. math:: \min_{w, b} \sum_n (w \cdot x_n + b - y_n)^2

    Parameters
    ----------
    X : ndarray, shape (N, n_0)
        One sample a row.
    y : ndarray, shape (N, 1)
        One target a row.

    Returns
    -------
    Neuron
        With the identity as its activation.

    Raises
    ------
    ShapeError, TypeError
        If X or y is malformed.
    ValueError
        If several lines fit equally well.

    Examples
    --------
    >>> X = np.array([[0.0], [1.0], [2.0]])
    >>> neuron = linear_regression(X, 3 * X + 1)
    >>> neuron.w.round(12), round(neuron.b, 12)
    (array([3.]), 1.0)

    Notes
    -----
    Chapter 2, *Linear regression*.
    """
    _check_data(X, y, half_mse)
    with_ones = _with_ones(X)
    solution, _, rank, _ = np.linalg.lstsq(with_ones, y, rcond=None)
    if rank < with_ones.shape[1]:
        raise ValueError(
            f"{rank} of the {with_ones.shape[1]} numbers w, b are determined by the data, several "
            "lines fit equally well; leave out a column of X that follows from the others"
        )
    return Neuron(solution[:-1, 0].copy(), float(solution[-1, 0]), identity)


def hessian_of_squares(X: Array, loss: Loss = half_mse) -> Array:
    r"""The second derivatives of a linear neuron's squared error: the shape of the bowl.

    .. math:: H = \tfrac{1}{N} \sum_n (x_n, 1) (x_n, 1)^\top

    for `half_mse`, and 2N times as much for `sse`. It depends neither on w nor on y.

    Parameters
    ----------
    X : ndarray, shape (N, n_0)
        One sample a row.
    loss : Loss
        `half_mse` or `sse`.

    Returns
    -------
    ndarray, shape (n_0 + 1, n_0 + 1)
        The bias last.

    Raises
    ------
    ShapeError, TypeError, ValueError
        If X is malformed, or the loss is not a squared error.

    Examples
    --------
    >>> hessian_of_squares(np.array([[1.0], [3.0]]))
    array([[5., 2.],
           [2., 1.]])

    Notes
    -----
    Chapter 2, *Linear regression*.
    """
    if loss not in (half_mse, sse):
        raise ValueError(f"loss is {loss!r}, expected half_mse or sse: only a bowl has one shape")
    if check_array("X", X).ndim != 2:
        raise ShapeError(f"X has shape {X.shape}, expected (N, n_0): one sample a row")
    with_ones = _with_ones(X)
    # How fast dJ/da grows with a: what the loss says for answers 1 and targets 0.
    curvature = loss.grad(np.ones_like(X[:, :1]), np.zeros_like(X[:, :1]))
    return with_ones.T @ (curvature * with_ones)


def critical_learning_rate(X: Array, loss: Loss = half_mse) -> float:
    r"""The learning rate $2/\lambda_{max}$, from which on descent on a linear neuron diverges.

    Along the steepest direction of the bowl a step multiplies the distance from the bottom by
    $1 - \eta \lambda_{max}$, which is -1 at this rate: from wall to wall, for ever.

    Parameters
    ----------
    X, loss
        As for `hessian_of_squares`.

    Returns
    -------
    float

    Raises
    ------
    ShapeError, TypeError, ValueError
        As `hessian_of_squares`.

    Examples
    --------
    >>> round(critical_learning_rate(np.array([[1.0], [3.0]])), 6)
    0.343146

    Notes
    -----
    Chapter 2, *Linear regression*.
    """
    return 2 / float(np.linalg.eigvalsh(hessian_of_squares(X, loss))[-1])


def _with_ones(X: Array) -> Array:
    """X with a last column of ones, the input of the bias."""
    return np.column_stack([X, np.ones_like(X[:, :1])])


# --- Descent, for any activation and loss ---------------------------------------------------------


def neuron_cost(neuron: Neuron, X: Array, y: Array, loss: Loss) -> float:
    """J of a neuron, taken from z where the loss and the activation are partners.

    Parameters
    ----------
    neuron : Neuron
        The neuron.
    X : ndarray, shape (N, n_0)
        One sample a row.
    y : ndarray, shape (N, 1)
        One target a row.
    loss : Loss
        `half_mse`, `sse` or `bce`.

    Returns
    -------
    float

    Raises
    ------
    ShapeError, TypeError, ValueError
        If X, y or the answers do not fit the neuron and the loss.

    Examples
    --------
    >>> neuron = Neuron(np.array([1.0]), 0.0, sigmoid)
    >>> round(neuron_cost(neuron, np.array([[-8.0]]), np.array([[1.0]]), bce), 6)
    8.000335

    Notes
    -----
    Chapter 3, *Logistic regression*.
    """
    _check_data(X, y, loss)
    z = neuron.z(X)
    if neuron.phi is loss.canonical:
        return loss.from_logits(z, y)
    return loss(neuron.phi.f(z), y)


def neuron_gradient(neuron: Neuron, X: Array, y: Array, loss: Loss) -> tuple[Array, float]:
    r"""The gradient of a neuron's loss with respect to its weights and its bias.

    .. math::

       \delta_n = \frac{\partial J}{\partial a_n} \varphi'(z_n), \qquad
       \frac{\partial J}{\partial w} = \sum_n \delta_n x_n, \qquad
       \frac{\partial J}{\partial b} = \sum_n \delta_n

    Parameters
    ----------
    neuron, X, y, loss
        As for `neuron_cost`.

    Returns
    -------
    dw : ndarray, shape (n_0,)
        dJ/dw.
    db : float
        dJ/db.

    Raises
    ------
    ShapeError, TypeError, ValueError
        As `neuron_cost`.

    Examples
    --------
    >>> neuron = Neuron(np.array([2.0, 1.0]), 0.5, identity)
    >>> neuron_gradient(neuron, np.array([[3.0, -1.0]]), np.array([[4.0]]), half_mse)
    (array([ 4.5, -1.5]), 1.5)

    Notes
    -----
    Chapter 2, *Linear regression*, and Chapter 3, *Logistic regression*.
    """
    _check_data(X, y, loss)
    z = neuron.z(X)
    a = neuron.phi.f(z)
    if neuron.phi is loss.canonical:
        delta = loss.delta(a, y)
    else:
        loss.check("a", a)
        delta = loss.grad(a, y) * neuron.phi.d(z, a)
    return (delta * X).sum(axis=0), float(delta.sum())


@dataclass(frozen=True, eq=False)
class Descent:
    """Where gradient descent on a neuron went.

    Parameters
    ----------
    neuron : Neuron
        The neuron at the end.
    w : ndarray, shape (steps + 1, n_0)
        The weights before and after each step.
    b : ndarray, shape (steps + 1,)
        The bias before and after each step.
    loss : ndarray, shape (steps + 1,)
        J over all samples before and after each step.

    Examples
    --------
    >>> X, y = np.array([[1.0], [-1.0]]), np.array([[2.0], [-2.0]])
    >>> start = Neuron(np.zeros(1), 0.0, identity)
    >>> descend(start, X, y, half_mse, learning_rate=0.5, steps=2).w.ravel()
    array([0. , 1. , 1.5])

    Notes
    -----
    Chapter 2, *Linear regression*.
    """

    neuron: Neuron
    w: Array
    b: Array
    loss: Array


def descend(
    neuron: Neuron,
    X: Array,
    y: Array,
    loss: Loss,
    *,
    learning_rate: float,
    steps: int,
    batches: Sequence[Any] | None = None,
) -> Descent:
    r"""Gradient descent on one neuron, step by step.

    .. math:: w \leftarrow w - \eta \, \partial J/\partial w, \qquad
        b \leftarrow b - \eta \, \partial J/\partial b

    Parameters
    ----------
    neuron, X, y, loss
        Where to start, on which data and loss.
    learning_rate : float
        $\eta$.
    steps : int
        Number of steps.
    batches : sequence, optional
        The row numbers that each step looks at, one entry a step: ``rng.integers(N, size=(steps,
        10))`` draws mini-batches of 10. By default every step looks at all rows.

    Returns
    -------
    Descent

    Raises
    ------
    Diverged
        As soon as the loss is too large for a float.
    ShapeError, TypeError, ValueError
        As `neuron_gradient`; also if there are fewer batches than steps.

    Examples
    --------
    >>> X = np.array([[0.0], [1.0], [2.0]])
    >>> start = Neuron(np.zeros(1), 0.0, identity)
    >>> found = descend(start, X, 3 * X + 1, half_mse, learning_rate=0.5, steps=200).neuron
    >>> found.w.round(6), round(found.b, 6)
    (array([3.]), 1.0)

    Notes
    -----
    Chapter 2, *Linear regression*, and Chapter 3, *Logistic regression*.
    """
    _check_descent(learning_rate, steps, batches)
    path = [neuron]
    losses = [neuron_cost(neuron, X, y, loss)]
    for t in range(steps):
        rows = slice(None) if batches is None else batches[t]
        dw, db = neuron_gradient(path[-1], X[rows], y[rows], loss)
        w, b = path[-1].w - learning_rate * dw, path[-1].b - learning_rate * db
        path.append(Neuron(w, b, neuron.phi))
        with np.errstate(over="ignore"):
            losses.append(neuron_cost(path[-1], X, y, loss))
        if losses[-1] == np.inf:
            raise Diverged(f"the loss is inf after step {t + 1}; take a smaller learning rate")
    weights, biases = np.array([at.w for at in path]), np.array([at.b for at in path])
    return Descent(path[-1], weights, biases, np.array(losses))


def logistic_regression(X: Array, y: Array, *, learning_rate: float, steps: int) -> Descent:
    r"""Logistic regression: the sigmoid neuron, descent on `bce` from a start at zero.

    .. math:: P(y = 1 \mid x) = \sigma(w \cdot x + b)

    Parameters
    ----------
    X : ndarray, shape (N, n_0)
        One sample a row; standardised columns descend best.
    y : ndarray, shape (N, 1)
        Classes 0 and 1, or probabilities between.
    learning_rate : float
        $\eta$.
    steps : int
        Number of steps.

    Returns
    -------
    Descent

    Raises
    ------
    ShapeError, TypeError, ValueError
        As `descend`.

    Examples
    --------
    >>> X, y = np.array([[-1.0], [0.0], [0.5], [2.0]]), np.array([[0.0], [1.0], [0.0], [1.0]])
    >>> found = logistic_regression(X, y, learning_rate=1.0, steps=500)
    >>> found.neuron(X).round(2).ravel()
    array([0.13, 0.39, 0.57, 0.92])

    Notes
    -----
    Chapter 3, *Logistic regression*.
    """
    if check_array("X", X).ndim != 2:
        raise ShapeError(f"X has shape {X.shape}, expected (N, n_0): one sample a row")
    start = Neuron(np.zeros_like(X[0]), 0.0, sigmoid)
    return descend(start, X, y, bce, learning_rate=learning_rate, steps=steps)


def _check_data(X: Array, y: Array, loss: Loss) -> None:
    if not isinstance(loss, Loss):
        raise TypeError(f"loss is {loss!r}, expected a Loss such as half_mse or bce")
    if check_array("X", X).ndim != 2:
        raise ShapeError(f"X has shape {X.shape}, expected (N, n_0): one sample a row")
    check_targets(loss, y, len(X), 1)
    check_same_dtype("y", y, "X", X)


def _check_descent(learning_rate: float, steps: int, batches: Sequence[Any] | None) -> None:
    check_positive("learning_rate", learning_rate)
    _check_whole("steps", steps, least=0)
    if batches is not None and len(batches) < steps:
        raise ValueError(f"found {len(batches)} batches, expected one for each of {steps} steps")


def _check_whole(name: str, value: int, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} is {value!r}, expected a whole number, {least} or more")
