"""The exercises of chapter 2, *Linear regression*.

Right answers come from the library's neuron, its descent and its closed form; wrong ones from the
same numbers with one rule changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from backprop_lib.activations import identity
from backprop_lib.data import load_penguins
from backprop_lib.errors import Array
from backprop_lib.exercises.kinds import Exercise, Slip
from backprop_lib.losses import half_mse, sse
from backprop_lib.neuron import (
    Descent,
    Neuron,
    critical_learning_rate,
    descend,
    hessian_of_squares,
    linear_regression,
    neuron_gradient,
)

# --------------------------------------------------------------------------------------------
# The data of the chapter


@cache
def penguins() -> tuple[Array, Array]:
    """Flipper length in cm beyond 19 cm, and body mass in kg, each a column."""
    measured = load_penguins(["flipper_length_mm", "body_mass_g"]).X
    return (measured[:, :1] - 190) / 10, measured[:, 1:] / 1000


@cache
def walk(learning_rate: float, steps: int) -> Descent:
    """Descent on the penguins from w = b = 0."""
    X, y = penguins()
    start = Neuron(np.zeros(1), 0.0, identity)
    return descend(start, X, y, half_mse, learning_rate=learning_rate, steps=steps)


def gradient_of(neuron: Neuron, X: Array, y: Array) -> list[float]:
    """The partial derivatives of `half_mse`, the bias last."""
    dw, db = neuron_gradient(neuron, X, y, half_mse)
    return [*dw.tolist(), db]


def shown(numbers: Sequence[float], digits: int = 5) -> str:
    """Numbers on one line."""
    return ", ".join(f"{number:.{digits}f}" for number in numbers)


# --------------------------------------------------------------------------------------------
# Predictions


FALLS, STAYS, GROWS = "it falls", "it stays", "it grows"


def _direction(change: float) -> str:
    return FALLS if change < 0 else GROWS if change > 0 else STAYS


def _weight_of_a_low_answer() -> str:
    """Where the weight goes whose neuron answers 1 too low for x = 2."""
    gradient = gradient_of(Neuron(np.zeros(1), 0.0, identity), np.array([[2.0]]), np.array([[1.0]]))
    return _direction(-gradient[0])


def _steps_to_one_per_cent(scale: float) -> int:
    """Steps at rate 0.3 after which w stays within 1 % of its best value."""
    X, y = penguins()
    start = Neuron(np.zeros(1), 0.0, identity)
    run = descend(start, X, scale * y, half_mse, learning_rate=0.3, steps=100)
    best = float(linear_regression(X, scale * y).w[0])
    return int(np.flatnonzero(np.abs(run.w[:, 0] / best - 1) > 0.01)[-1]) + 1


SMALLER, ABOUT, LARGER = "smaller", "about the same", "larger than at the start"


def _doubled_rate() -> str:
    """What twenty steps at rate 0.6 leave, against those at 0.3."""
    slow, fast = walk(0.3, 20).loss, walk(0.6, 20).loss
    if fast[-1] > fast[0]:
        return LARGER
    return ABOUT if abs(fast[-1] / slow[-1] - 1) < 0.1 else SMALLER


_PREDICTIONS = (
    Exercise(
        "02-predict-sign",
        "A penguin's mass is predicted 1 kg too low, and its x is 2. A step against the slope of "
        "its half squared error does what to the weight?",
        answer=_weight_of_a_low_answer,
        slips=lambda: (
            Slip(
                "the step follows the slope instead of going against it",
                "The slope is (a - y) x, which is negative here; the step has the other sign.",
                lambda: FALLS,
            ),
            Slip(
                "only the bias is taken to answer for an error",
                "The weight reaches the answer through x, and x is not 0.",
                lambda: STAYS,
            ),
        ),
        hints=(
            "Must the answer go up or down?",
            "For a positive input, the answer goes where the weight goes.",
        ),
        solution=lambda: (
            "slope = (a - y) x = -1 * 2 = -2; the step is -eta * slope = +2 eta: "
            f"{_weight_of_a_low_answer()}"
        ),
        choices=(FALLS, STAYS, GROWS),
    ),
    Exercise(
        "02-predict-rate",
        "Descent on the penguins, from w = b = 0: with eta = 0.3 the loss is about 0.08 after 20 "
        "steps. With eta = 0.6 it is then what?",
        answer=cache(_doubled_rate),
        slips=lambda: (
            Slip(
                "a longer step is taken for a faster one",
                "It is, until it lands on the other side of the valley, higher up.",
                lambda: SMALLER,
            ),
            Slip(
                "both are taken to have arrived",
                "Then more steps would change nothing; try five, ten and twenty at eta = 0.6.",
                lambda: ABOUT,
            ),
        ),
        hints=(
            "Look at the first step of eta = 0.3: on which side of the valley does it land?",
            "It jumped over the floor already. Twice as far is higher up on the other wall.",
        ),
        solution=lambda: (
            f"eta = 0.3: {walk(0.3, 20).loss[-1]:.4f}; eta = 0.6: {walk(0.6, 20).loss[-1]:.1f}, "
            f"from {walk(0.6, 20).loss[0]:.4f}: {_doubled_rate()}"
        ),
        choices=(SMALLER, ABOUT, LARGER),
    ),
    Exercise(
        "02-predict-grams",
        "The masses are given in grams instead of kilograms, the inputs stay. At the same "
        "eta = 0.3, what happens to the number of steps until w is within 1 % of its best value?",
        answer=cache(lambda: _direction(_steps_to_one_per_cent(1000) - _steps_to_one_per_cent(1))),
        slips=lambda: (
            Slip(
                "larger gradients are taken to arrive sooner",
                "The way is a thousand times longer, too.",
                lambda: FALLS,
            ),
            Slip(
                "a larger loss is taken for a harder problem",
                "Does the target occur in the Hessian?",
                lambda: GROWS,
            ),
        ),
        hints=(
            "How do the gradient and the best w change with the unit?",
            "Each step multiplies the distance by 1 - eta lambda; lambda comes from the inputs.",
        ),
        solution=lambda: (
            f"{_steps_to_one_per_cent(1)} steps in kg, {_steps_to_one_per_cent(1000)} in g: {STAYS}"
        ),
        choices=(FALLS, STAYS, GROWS),
    ),
)


# --------------------------------------------------------------------------------------------
# Gradients


_ONE = Neuron(np.array([0.8, 0.5]), 0.3, identity)
_ONE_X, _ONE_Y = np.array([[1.2, -0.7]]), np.array([[2.0]])
_THREE = Neuron(np.array([1.0]), 0.2, identity)
_THREE_X, _THREE_Y = np.array([[0.5], [1.5], [2.5]]), np.array([[1.1], [1.3], [3.3]])
_GUESS = Neuron(np.array([0.2]), 4.0, identity)


def _one_sample() -> list[float]:
    return gradient_of(_ONE, _ONE_X, _ONE_Y)


def _one_sample_slips() -> Sequence[Slip]:
    dw1, dw2, error = _one_sample()
    return [
        Slip(
            "the error is y - a",
            "The loss moves with a at the rate a - y.",
            lambda: [-dw1, -dw2, -error],
        ),
        Slip(
            "the 2 of the square is kept",
            "The half in front of the square cancels it.",
            lambda: [2 * dw1, 2 * dw2, 2 * error],
        ),
        Slip(
            "the inputs are left out",
            "A weight moves the sum as fast as its input says.",
            lambda: [error] * 3,
        ),
        Slip(
            "the error is multiplied by the weights",
            "How fast does the sum move when the weight does? By its input.",
            lambda: [*(error * _ONE.w).tolist(), error],
        ),
        Slip(
            "the error of the bias is multiplied by the bias",
            "A bias is a weight whose input is always 1.",
            lambda: [dw1, dw2, error * _ONE.b],
        ),
    ]


def _conventions() -> list[float]:
    return [
        float(neuron_gradient(_THREE, _THREE_X, _THREE_Y, loss)[0][0]) for loss in (half_mse, sse)
    ]


def _convention_slips() -> Sequence[Slip]:
    mean, total = _conventions()
    N = len(_THREE_X)
    error = float((_THREE(_THREE_X) - _THREE_Y).mean())
    return [
        Slip("the two are mixed up", "The mean comes first.", lambda: [total, mean]),
        Slip(
            "the sum has lost its 2",
            "Without a half in front, the 2 of the square stays.",
            lambda: [mean, total / 2],
        ),
        Slip(
            "the mean is divided by 2 once more",
            "The half has cancelled the 2 already.",
            lambda: [mean / 2, total],
        ),
        Slip(
            "the first one is not divided by N",
            "It is a mean over the three samples.",
            lambda: [mean * N, total],
        ),
        Slip(
            "the inputs are left out",
            "Each error is multiplied by its own input before they are added up.",
            lambda: [error, 2 * N * error],
        ),
    ]


_SUSPECTS = ("no_mean", "input_left_out", "sign", "no_half")


def _reports() -> list[list[float]]:
    """The gradient of the chapter's guess with each of the mistakes."""
    X, y = penguins()
    dw, db = gradient_of(_GUESS, X, y)
    N = len(X)
    return [[N * dw, N * db], [db, db], [-dw, -db], [2 * dw, 2 * db]]


def _whose_question() -> str:
    reports = "; ".join(f"({shown(report, 3)})" for report in _reports())
    return (
        f"With w = 0.2 and b = 4 on the penguins, four readers report (dJ/dw, dJ/db) of the mean "
        f"of half the squares as {reports}. Each made one mistake out of "
        f"{', '.join(sorted(_SUSPECTS))}. Name the four, in this order."
    )


def _whose_slips() -> Sequence[Slip]:
    no_mean, left_out, sign, no_half = _SUSPECTS
    return [
        Slip(
            "the two factors are mixed up",
            "One of them is as large as the number of penguins.",
            lambda: (no_half, left_out, sign, no_mean),
        ),
        Slip(
            "the turned sign and the missing input are mixed up",
            "Without its input, a weight has the same slope as the bias.",
            lambda: (no_mean, sign, left_out, no_half),
        ),
        Slip(
            "the turned sign and the missing half are mixed up",
            "Compare the sizes with the gradient on the page.",
            lambda: (no_mean, left_out, no_half, sign),
        ),
    ]


_GRADIENTS = (
    Exercise(
        "02-one-sample",
        "A neuron has w = (0.8, 0.5) and b = 0.3. For x = (1.2, -0.7) the target is 2. What are "
        "the partial derivatives of its half squared error by w1, w2 and b?",
        answer=cache(_one_sample),
        slips=cache(_one_sample_slips),
        hints=("First the answer a, then the error a - y.", "Error times input; the bias has 1."),
        solution=lambda: (
            f"a = {float(_ONE(_ONE_X)[0, 0]):.5f}, error a - y = {_one_sample()[2]:.5f}\n"
            f"error times 1.2, times -0.7, times 1: {shown(_one_sample())}"
        ),
    ),
    Exercise(
        "02-two-conventions",
        "A neuron with w = 1, b = 0.2 sees x = 0.5, 1.5, 2.5 with targets 1.1, 1.3, 3.3. What is "
        "dJ/dw of the mean of the half squares, and of the sum of the squares? Two numbers.",
        answer=cache(_conventions),
        slips=cache(_convention_slips),
        hints=(
            "Three errors, each times its own x.",
            "Their mean is the one; twice their sum is the other.",
        ),
        solution=lambda: (
            f"errors {shown((_THREE(_THREE_X) - _THREE_Y)[:, 0].tolist())}\n"
            f"mean of error times x, and 2 times the sum: {shown(_conventions())}"
        ),
    ),
    Exercise(
        "02-whose-gradient",
        _whose_question,
        answer=lambda: _SUSPECTS,
        slips=_whose_slips,
        hints=(
            "Divide each report by the right gradient.",
            "A factor of 342, of 2, of -1: and one whose two numbers are equal.",
        ),
        solution=lambda: "\n".join(
            f"({shown(report, 3)})  {name}"
            for report, name in zip(_reports(), _SUSPECTS, strict=True)
        ),
    ),
)


# --------------------------------------------------------------------------------------------
# The edge, the shapes, the thousand steps


_EDGE_X = np.array([[1.0], [2.0], [4.0]])


def _eigenvalues() -> list[float]:
    values: list[float] = np.linalg.eigvalsh(hessian_of_squares(_EDGE_X)).tolist()
    return values


def _edge_slips() -> Sequence[Slip]:
    least, largest = _eigenvalues()
    N = len(_EDGE_X)
    return [
        Slip(
            "1/lambda_max is given",
            "There the steep factor is 0; the edge is where it is -1.",
            lambda: 1 / largest,
        ),
        Slip(
            "the smaller eigenvalue is taken",
            "The steepest axis is the first to go over the edge.",
            lambda: 2 / least,
        ),
        Slip(
            "the best rate is given, 2/(lambda_min + lambda_max)",
            "There both factors are equally large; asked is where one of them is -1.",
            lambda: 2 / (least + largest),
        ),
        Slip(
            "the Hessian is not divided by N",
            "The loss is a mean over three samples.",
            lambda: 2 / (N * largest),
        ),
        Slip(
            "the bias is forgotten",
            "It is a weight whose input is 1: the Hessian is a 2 x 2 matrix.",
            lambda: 2 / float((_EDGE_X**2).mean()),
        ),
    ]


_COLUMN, _ROW = np.array([[0.3], [1.1], [1.6]]), np.array([0.4, 0.9, 2.0])


def _shape_losses() -> list[float]:
    right = ((_COLUMN[:, 0] - _ROW) ** 2).mean()
    return [float(right), float(((_COLUMN - _ROW) ** 2).mean())]


def _shape_slips() -> Sequence[Slip]:
    right, table = _shape_losses()
    N = len(_ROW)
    return [
        Slip(
            "broadcasting is taken to be harmless",
            "A column minus a row is a table: 3 x 3 differences.",
            lambda: [right, right],
        ),
        Slip("the two are mixed up", "The true one comes first.", lambda: [table, right]),
        Slip(
            "the nine squares are divided by 3",
            "`mean` divides by the number of entries, and the table has nine.",
            lambda: [right, N * table],
        ),
        Slip(
            "the squares are added up and not averaged",
            "Both are means.",
            lambda: [N * right, N * N * table],
        ),
    ]


def _thousand() -> list[float]:
    run = walk(0.01, 1000)
    return [float(run.neuron.w[0]), run.neuron.b]


def _thousand_slips() -> Sequence[Slip]:
    w, b = _thousand()
    X, y = penguins()
    best, early = linear_regression(X, y), walk(0.01, 100).neuron
    return [
        Slip(
            "the closed form is given",
            "The descent is on its way there and not yet there to four digits.",
            lambda: [float(best.w[0]), best.b],
        ),
        Slip("w and b are mixed up", "w comes first.", lambda: [b, w]),
        Slip(
            "only 100 steps are taken",
            "Asked is the place after ten times as many.",
            lambda: [float(early.w[0]), early.b],
        ),
    ]


def _shallow_rest() -> float:
    """What 1000 steps at rate 0.01 leave of the distance along the shallow axis."""
    least = float(np.linalg.eigvalsh(hessian_of_squares(penguins()[0]))[0])
    return float((1 - 0.01 * least) ** 1000)


_MEASURED = (
    Exercise(
        "02-edge",
        "Three samples have the inputs 1, 2 and 4. From which eta on does descent on half_mse no "
        "longer converge, for a neuron with a weight and a bias?",
        answer=cache(lambda: critical_learning_rate(_EDGE_X)),
        slips=cache(_edge_slips),
        hints=(
            "Which 2 x 2 matrix is the Hessian? Its entries are means of x^2, x and 1.",
            "Its eigenvalues solve lambda^2 - (trace) lambda + (determinant) = 0.",
        ),
        solution=lambda: (
            f"H = {hessian_of_squares(_EDGE_X).round(4).tolist()}, eigenvalues "
            f"{shown(_eigenvalues())}\n2/lambda_max = {critical_learning_rate(_EDGE_X):.5f}"
        ),
    ),
    Exercise(
        "02-shape-bug",
        "The answers 0.3, 1.1, 1.6 stand in a column, shape (3, 1), the targets 0.4, 0.9, 2.0 in "
        "an array of shape (3,). What is the true mean squared error, and what does "
        "((a - y) ** 2).mean() print? Two numbers.",
        answer=cache(_shape_losses),
        slips=cache(_shape_slips),
        hints=(
            "What shape has a column minus a row?",
            "Write down the 3 x 3 table of differences; its diagonal is what was meant.",
        ),
        solution=lambda: (
            f"differences {(_COLUMN - _ROW).round(2).tolist()}\n"
            f"mean square of the diagonal and of the table: {shown(_shape_losses())}"
        ),
    ),
    Exercise(
        "02-thousand-steps",
        "Descent on the chapter's penguins, half_mse, from w = b = 0 with eta = 0.01: where are w "
        "and b after 1000 steps? Two numbers.",
        answer=cache(_thousand),
        slips=cache(_thousand_slips),
        hints=(
            "What is the factor of the shallow axis, to the power of 1000?",
            "descend(start, X, y, half_mse, learning_rate=0.01, steps=1000).neuron",
        ),
        solution=lambda: (
            f"the shallow axis still has {_shallow_rest():.5f} of its distance: "
            f"w, b = {shown(_thousand())}"
        ),
    ),
)


# --------------------------------------------------------------------------------------------
# Lines of code


def gradient(a: Array, y: Array, X: Array) -> Array:
    """The gradient of `half_mse` with respect to the weights, (n_0, 1)."""
    return X.T @ (a - y) / len(y)


def closed_form(A: Array, y: Array) -> Array:
    """The solution of the normal equations, (n_0 + 1, 1)."""
    return np.linalg.solve(A.T @ A, A.T @ y)


def _gradient_inputs(rng: np.random.Generator, trial: int) -> tuple[Array, ...]:
    N, n_0 = (2, 2) if trial == 0 else rng.integers(1, 7, 2)
    return rng.standard_normal((N, 1)), rng.standard_normal((N, 1)), rng.standard_normal((N, n_0))


def _closed_inputs(rng: np.random.Generator, trial: int) -> tuple[Array, ...]:
    n_0 = 1 if trial == 0 else int(rng.integers(1, 5))
    N = 4 if trial == 0 else n_0 + int(rng.integers(3, 9))
    A = np.column_stack([rng.standard_normal((N, n_0)), np.ones(N)])
    return A, rng.standard_normal((N, 1))


def _gradient_slips() -> Sequence[Slip]:
    return [
        Slip(
            "the sum is not divided by N",
            "half_mse is a mean over the samples.",
            lambda a, y, X: X.T @ (a - y),
        ),
        Slip("the error is y - a", "Downhill is the step's business.", _opposite),
        Slip(
            "the 2 of the square is kept",
            "The half cancels it.",
            lambda a, y, X: 2 * gradient(a, y, X),
        ),
        Slip(
            "every answer is compared with every target",
            "A column minus a row is a table; a column minus a column is a column.",
            lambda a, y, X: X.T @ (a - y.mean()) / len(y),
        ),
        Slip(
            "the inputs are averaged before they meet the errors",
            "Each error meets its own input first; then comes the mean.",
            lambda a, y, X: X.mean(axis=0)[:, None] * (a - y).mean(),
        ),
    ]


def _opposite(a: Array, y: Array, X: Array) -> Array:
    return -gradient(a, y, X)


def _closed_slips() -> Sequence[Slip]:
    wrong: tuple[tuple[str, str, Callable[..., Array]], ...] = (
        (
            "A.T @ A is left out",
            "A.T @ y is the right side of the equations, not yet their solution.",
            lambda A, y: A.T @ y,
        ),
        (
            "A.T @ A is multiplied instead of solved for",
            "It stands on the side of theta: np.linalg.solve takes it there.",
            lambda A, y: A.T @ A @ (A.T @ y),
        ),
        (
            "each input is fitted by itself",
            "Inputs share their work: dividing by the diagonal of A.T @ A is not enough.",
            lambda A, y: A.T @ y / np.diag(A.T @ A)[:, None],
        ),
    )
    return [Slip(*parts) for parts in wrong]


_LINES = (
    Exercise(
        "02-gradient-line",
        "Write gradient(a, y, X) in one line: the gradient of half_mse with respect to the "
        "weights, shape (n_0, 1), from answers a and targets y, (N, 1), and inputs X, (N, n_0).",
        answer=gradient,
        slips=_gradient_slips,
        hints=(
            "Error times input, averaged over the samples.",
            "X.T @ (a - y) adds up over the samples; what is missing?",
        ),
        solution=lambda: "return X.T @ (a - y) / len(y)",
        inputs=_gradient_inputs,
        arguments=("a", "y", "X"),
    ),
    Exercise(
        "02-closed-form",
        "Write closed_form(A, y): the theta of the normal equations, shape (n_0 + 1, 1), from A, "
        "(N, n_0 + 1), whose last column holds ones, and targets y, (N, 1).",
        answer=closed_form,
        slips=_closed_slips,
        hints=(
            "A.T @ A @ theta = A.T @ y is a system of linear equations.",
            "np.linalg.solve(M, v) solves M @ theta = v.",
        ),
        solution=lambda: "return np.linalg.solve(A.T @ A, A.T @ y)",
        inputs=_closed_inputs,
        arguments=("A", "y"),
    ),
)

EXERCISES = (*_PREDICTIONS, *_GRADIENTS, *_MEASURED, *_LINES)
