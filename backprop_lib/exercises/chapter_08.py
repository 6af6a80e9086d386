"""The exercises of chapter 8, *Checking gradients*, and its bug bounty.

Right answers are computed by the library's own checks, wrong ones by the same check done wrong;
the planted gradients come from the catalogue of mistakes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from backprop_lib.activations import relu, sigmoid, softmax
from backprop_lib.backprop import backward
from backprop_lib.data import load_digits
from backprop_lib.diagnose import mistaken_gradient
from backprop_lib.errors import Array
from backprop_lib.exercises.kinds import Exercise, Slip
from backprop_lib.gradcheck import (
    central_differences,
    check_gradients,
    complex_step,
    forward_differences,
    relative_distance,
)
from backprop_lib.losses import Loss, cross_entropy, half_mse, one_hot
from backprop_lib.mistakes import MISTAKES
from backprop_lib.network import MLP, Params, forward, he, predict
from backprop_lib.optimizers import sgd
from backprop_lib.training import accuracy, fit


def others(choices: Sequence[str], right: str, advice: Sequence[str]) -> list[Slip]:
    """A slip for every choice but the right one; each advice stands in the order of the choices."""
    said = [(choice, advice[i]) for i, choice in enumerate(choices) if choice != right]
    return [
        Slip(f'"{choice}" is chosen', sentence, lambda choice=choice: choice)
        for choice, sentence in said
    ]


# --------------------------------------------------------------------------------------------
# Predictions


SEVEN_TENTHS = np.array([0.7])
_STEPS = ("1e-2", "1e-5", "1e-10", "1e-15")


def _logistic(t: Array) -> float:
    return float(sigmoid.f(t)[0])


def _best_step() -> str:
    """The step whose central difference of the sigmoid at 0.7 comes nearest."""
    exact = sigmoid.d(SEVEN_TENTHS, sigmoid.f(SEVEN_TENTHS))
    errors = [
        relative_distance(central_differences(_logistic, SEVEN_TENTHS, float(h)), exact)
        for h in _STEPS
    ]
    return _STEPS[int(np.argmin(errors))]


EPOCHS = 10
_LEVELS = (
    "chance, about 10 %",
    "somewhere near 50 %",
    "above 90 %, like the right one",
)


@cache
def accuracy_with(mistake: str) -> float:
    """Test accuracy on the 8x8 digits after ten epochs with a mistake of the catalogue."""
    digits = load_digits(np.random.default_rng(0))
    y = one_hot(digits.y_train, 10)
    mlp = MLP((64, 32, 32, 10), (relu, relu, softmax))
    trained = fit(
        mlp,
        mlp.init(np.random.default_rng(0), he),
        digits.X_train,
        y,
        cross_entropy,
        sgd(learning_rate=0.1),
        epochs=EPOCHS,
        batch_size=32,
        rng=np.random.default_rng(0),
        gradient=lambda p, X, t: mistaken_gradient(mistake, mlp, p, X, t, cross_entropy),
        progress=False,
    )
    return accuracy(predict(mlp, trained.params, digits.X_test), digits.y_test)


def _level() -> str:
    reached = accuracy_with("transposed")
    return _LEVELS[int(np.searchsorted([0.25, 0.9], reached))]


_PREDICTIONS = (
    Exercise(
        "08-predict-h",
        "The slope of the sigmoid at 0.7 is measured by central differences in float64. Which "
        "step h comes nearest to the true slope?",
        answer=cache(_best_step),
        slips=lambda: others(
            _STEPS,
            _best_step(),
            (
                "Over so long a stretch the curve bends: a smaller step does better.",
                "Two errors pull in opposite directions; where do they balance?",
                "The two values agree in their first ten digits, and those digits cancel.",
                "The two values differ in their last digit or two: hardly anything is left.",
            ),
        ),
        hints=(
            "One error shrinks with h: the bend of the curve. Does every error?",
            "A float64 has sixteen digits. How many of them survive the subtraction?",
        ),
        solution=lambda: f"h = {_best_step()}",
        choices=_STEPS,
    ),
    Exercise(
        "08-predict-transpose",
        "A network with two hidden layers of 32 ReLU units learns 8x8 digits, and its backward "
        "pass has W where W transposed belongs. What accuracy on the test images will it reach "
        "after ten epochs?",
        answer=cache(_level),
        slips=lambda: others(
            _LEVELS,
            _level(),
            (
                "Layers 2 and 3 have right gradients, and they alone can learn a great deal.",
                "Only the first layer gets a wrong gradient; the others adapt to it.",
                "That would need a first layer that learns the right thing.",
            ),
        ),
        hints=(
            "Which of the three layers get a wrong gradient?",
            "What can the last two layers do on features that are not quite the right ones?",
        ),
        solution=lambda: f"test accuracy {accuracy_with('transposed'):.2f}",
        choices=_LEVELS,
    ),
)


# --------------------------------------------------------------------------------------------
# The best step


EPS_SINGLE = float(np.finfo(np.float32).eps)
EPS_DOUBLE = float(np.finfo(np.float64).eps)


def best_central_step(eps: float, f: float, third: float) -> float:
    """Where truncation h^2/6 |f'''| and rounding eps |f|/(2h) have the smallest sum."""
    return float(np.cbrt(1.5 * eps * f / third))


def _single_slips() -> Sequence[Slip]:
    return [
        Slip(
            "the machine epsilon of float64 is used",
            "Single precision has a rounding unit of its own, about nine digits coarser.",
            lambda: best_central_step(EPS_DOUBLE, 1.0, 1.0),
        ),
        Slip(
            "the formula of forward differences is used",
            "The error of a central difference falls with h squared: a cube root comes out.",
            lambda: float(np.sqrt(2 * EPS_SINGLE)),
        ),
        Slip(
            "the two errors are made equal instead of their sum smallest",
            "Near, but asked is the minimum: set the derivative of the sum to zero.",
            lambda: float(np.cbrt(3 * EPS_SINGLE)),
        ),
        Slip(
            "no root is taken",
            "Solve h^3 = ... for h.",
            lambda: 1.5 * EPS_SINGLE,
        ),
    ]


KINK_Z, KINK_H = 2.6e-6, 1e-5


def _relu_slope(z: float, above: float, below: float) -> float:
    """The slope of ReLU between z + above and z - below."""
    return float((relu.f(np.array(z + above)) - relu.f(np.array(z - below))) / (above + below))


def _kink_slips() -> Sequence[Slip]:
    return [
        Slip(
            "the slope at z itself is given",
            "The difference looks h to the left as well, and there the unit is off.",
            lambda: 1.0,
        ),
        Slip(
            "the kink is taken to lie in the middle",
            "Only at z = 0 does half of the stretch lie on each side.",
            lambda: 0.5,
        ),
        Slip(
            "only the left half is looked at",
            "The stretch has the length 2h, from z - h to z + h.",
            lambda: _relu_slope(KINK_Z, 0.0, KINK_H),
        ),
        Slip(
            "the difference is divided by h",
            "From z - h to z + h it is 2h.",
            lambda: 2 * _relu_slope(KINK_Z, KINK_H, KINK_H),
        ),
    ]


def _dual_slips() -> Sequence[Slip]:
    value, _ = _dual_answer()
    return [
        Slip(
            "the slopes are multiplied with each other",
            "The product of the two slopes stands beside epsilon squared, which is 0.",
            lambda: [value, 3.0 * 4.0],
        ),
        Slip(
            "the second factor's slope is forgotten",
            "(u + u' e)(v + v' e) = uv + (u v' + u' v) e: two terms.",
            lambda: [value, 3.0 * 5.0],
        ),
        Slip(
            "the first factor's slope is forgotten",
            "(u + u' e)(v + v' e) = uv + (u v' + u' v) e: two terms.",
            lambda: [value, 2.0 * 4.0],
        ),
    ]


def _dual_answer() -> list[float]:
    """(2 + 3e)(5 + 4e), as an entire function of a small real number would have it."""
    product = (2.0 + 3e-20j) * (5.0 + 4e-20j)
    return [product.real, product.imag / 1e-20]


_NUMBERS = (
    Exercise(
        "08-best-h",
        "e^t at t = 0 is differentiated by central differences in single precision, whose "
        "epsilon is 2^-23. Truncation is h^2/6 |f'''|, rounding eps |f|/(2h). Which h makes their "
        "sum smallest?",
        answer=lambda: best_central_step(EPS_SINGLE, 1.0, 1.0),
        slips=_single_slips,
        hints=(
            "At t = 0, f and all its derivatives are 1. Write the sum down, and its derivative.",
            "h/3 = eps/(2 h^2). Solve for h; eps is 2^-23, about a ten-millionth.",
        ),
        solution=lambda: (
            f"h = (3 eps/2)^(1/3) = (1.5 * {EPS_SINGLE:.3g})^(1/3) = "
            f"{best_central_step(EPS_SINGLE, 1.0, 1.0):.5f}"
        ),
        digits=2,
    ),
    Exercise(
        "08-kink",
        f"A ReLU unit has z = {KINK_Z:g}. A central difference with h = {KINK_H:g} measures its "
        "slope. What does it find?",
        answer=lambda: _relu_slope(KINK_Z, KINK_H, KINK_H),
        slips=_kink_slips,
        hints=(
            "What are relu(z + h) and relu(z - h)?",
            "The left end lies beyond the kink, where ReLU is 0: (z + h)/(2h).",
        ),
        solution=lambda: (
            f"(z + h)/(2h) = {_relu_slope(KINK_Z, KINK_H, KINK_H):.5f}, and the slope is 1: "
            "a false alarm"
        ),
    ),
    Exercise(
        "08-dual",
        "Multiply the dual numbers 2 + 3e and 5 + 4e. Two numbers: the value, and what stands "
        "beside e.",
        answer=_dual_answer,
        slips=_dual_slips,
        hints=("Multiply out as usual, four terms.", "The term with e squared is dropped."),
        solution=lambda: "{:.5f} + {:.5f} e".format(*_dual_answer()),
    ),
)


# --------------------------------------------------------------------------------------------
# Write the checks


def central(w: Array, x: Array, h: Array) -> Array:
    """The gradient of tanh(w . x) in w, by central differences."""
    return central_differences(lambda v: float(np.tanh(v @ x)), w, float(h[0]))


def imaginary(w: Array, x: Array) -> Array:
    """The gradient of tanh(w . x) in w, by the complex step."""
    return complex_step(lambda v: np.tanh(v @ x), w)


def _point(rng: np.random.Generator, trial: int) -> tuple[Array, Array]:
    n = 2 if trial == 0 else int(rng.integers(1, 7))
    return rng.standard_normal(n) / 2, rng.standard_normal(n)


def _point_and_step(rng: np.random.Generator, trial: int) -> tuple[Array, ...]:
    return (*_point(rng, trial), np.array([0.1 if trial % 2 == 0 else 0.01]))


def _central_slips() -> Sequence[Slip]:
    return [
        Slip(
            "forward differences are taken",
            "Step to both sides: f(w + h e) - f(w - h e).",
            lambda w, x, h: forward_differences(lambda v: float(np.tanh(v @ x)), w, float(h[0])),
        ),
        Slip(
            "the difference is divided by h",
            "The two points are 2h apart.",
            lambda w, x, h: 2 * central(w, x, h),
        ),
        Slip(
            "all weights are nudged at once",
            "One entry at a time: h must be added to w[i] alone.",
            lambda w, x, h: np.full_like(
                w, (np.tanh((w + h) @ x) - np.tanh((w - h) @ x)) / (2 * h[0])
            ),
        ),
    ]


def _imaginary_slips() -> Sequence[Slip]:
    return [
        Slip(
            "the real part is returned",
            "The real part is the function; its slope is in the imaginary part.",
            lambda w, x: np.full_like(w, np.tanh(w @ x)),
        ),
        Slip(
            "the imaginary part is not divided by h",
            "Im f is about h times the slope.",
            lambda w, x: 1e-20 * imaginary(w, x),
        ),
        Slip(
            "all weights are nudged at once",
            "One entry at a time: ih must be added to w[i] alone.",
            lambda w, x: np.full_like(w, imaginary(w, x).sum()),
        ),
    ]


def _pair(rng: np.random.Generator, trial: int) -> tuple[Array, Array]:
    n = 2 if trial == 0 else int(rng.integers(1, 8))
    u = rng.standard_normal(n)
    return u, rng.choice([0.5, 1.0, 3.0]) * u + 0.1 * rng.standard_normal(n)


def _norm(u: Array) -> float:
    return float(np.linalg.norm(u))


def distance(u: Array, v: Array) -> float:
    """The length of u - v, measured by the longer of the two."""
    return relative_distance(u, v)


def _relative_slips() -> Sequence[Slip]:
    return [
        Slip(
            "the distance is absolute",
            "Divide by the length of the longer one.",
            lambda u, v: _norm(u - v),
        ),
        Slip(
            "it is measured by the first vector",
            "If the wrong one is the longer, the error looks larger than 1; take the longer.",
            lambda u, v: _norm(u - v) / _norm(u),
        ),
        Slip(
            "it is measured by the second vector",
            "If the other one is the longer, the error looks larger than 1; take the longer.",
            lambda u, v: _norm(u - v) / _norm(v),
        ),
        Slip(
            "it is measured by the sum of both lengths",
            "That is also in use, and half as large; here the longer one is the measure.",
            lambda u, v: _norm(u - v) / (_norm(u) + _norm(v)),
        ),
    ]


_LINES = (
    Exercise(
        "08-central",
        "Write central(w, x, h): the gradient of tanh(w . x) with respect to w, shape (n,), by "
        "central differences with the step h[0]. w and x have shape (n,), h has shape (1,).",
        answer=central,
        slips=_central_slips,
        hints=(
            "A loop over the entries of w; each needs two evaluations.",
            "e = np.zeros_like(w); e[i] = h[0]; then (f(w + e) - f(w - e)) / (2 * h[0]).",
        ),
        solution=lambda: (
            "f = lambda v: np.tanh(v @ x)\n"
            "return np.array([(f(w + e) - f(w - e)) / (2 * h[0]) for e in h[0] * np.eye(len(w))])"
        ),
        inputs=_point_and_step,
        arguments=("w", "x", "h"),
    ),
    Exercise(
        "08-complex",
        "Write imaginary(w, x): the gradient of tanh(w . x) with respect to w, shape (n,), by the "
        "complex step.",
        answer=imaginary,
        slips=_imaginary_slips,
        hints=(
            "Add 1j * h to one entry of w; h may be 1e-20.",
            "np.tanh((w + 1j * h * e) @ x).imag / h for every unit vector e.",
        ),
        solution=lambda: (
            "return np.array([np.tanh((w + 1e-20j * e) @ x).imag / 1e-20 for e in np.eye(len(w))])"
        ),
        inputs=_point,
        arguments=("w", "x"),
    ),
    Exercise(
        "08-relative",
        "Write distance(u, v) in one line: the length of u - v, divided by the length of the "
        "longer of the two.",
        answer=distance,
        slips=_relative_slips,
        hints=(
            "np.linalg.norm gives a length.",
            "Divide by max(np.linalg.norm(u), np.linalg.norm(v)).",
        ),
        solution=lambda: "return np.linalg.norm(u - v) / max(np.linalg.norm(u), np.linalg.norm(v))",
        inputs=_pair,
        arguments=("u", "v"),
    ),
)


# --------------------------------------------------------------------------------------------
# The bug bounty


@dataclass(frozen=True, eq=False)
class Bounty:
    """Somebody's gradient with one classic mistake in it, and all that is needed to find it.

    Parameters
    ----------
    mlp : MLP
        The network.
    params : Params
        Its parameters.
    X, y : ndarray
        The batch.
    loss : Loss
        What the gradient is the gradient of.
    gradient : Params
        The gradient, wrong.

    Examples
    --------
    >>> case = bounty(1)
    >>> check_gradients(
    ...     case.mlp, case.params, case.X, case.y, case.loss, gradient=case.gradient
    ... ).ok
    False

    Notes
    -----
    Chapter 8, *Checking gradients*.
    """

    mlp: MLP
    params: Params
    X: Array
    y: Array
    loss: Loss
    gradient: Params


# What may have been planted, and what was.
SUSPECTS = (
    "bias_averaged_twice",
    "bias_missing",
    "early_update",
    "hidden_slope_omitted",
    "own_activation",
    "sign",
    "sum_not_mean",
    "transposed",
)
_PLANTED = (
    "own_activation",
    "hidden_slope_omitted",
    "early_update",
    "bias_averaged_twice",
    "transposed",
)


@cache
def bounty(number: int) -> Bounty:
    """One of the five planted bugs of the chapter: a 3-4-4-2 network and a wrong gradient.

    Parameters
    ----------
    number : int
        From 1 to 5.

    Returns
    -------
    Bounty

    Raises
    ------
    ValueError
        If there is no such number.

    Examples
    --------
    >>> bounty(1).mlp.sizes
    (3, 4, 4, 2)

    Notes
    -----
    Chapter 8, *Checking gradients*.
    """
    if number not in range(1, len(_PLANTED) + 1):
        raise ValueError(f"number is {number!r}, expected 1 to {len(_PLANTED)}")
    name, rng = _PLANTED[number - 1], np.random.default_rng(number)
    mlp = MLP((3, 4, 4, 2), (sigmoid, sigmoid, sigmoid))
    params = mlp.init(rng)
    params.theta[:] += 0.3 * rng.standard_normal(params.theta.size)
    X, y = rng.standard_normal((10, 3)), rng.random((10, 2))
    eta = 0.5 if name == "early_update" else None
    wrong = mistaken_gradient(name, mlp, params, X, y, half_mse, learning_rate=eta)
    return Bounty(mlp, params, X, y, half_mse, wrong)


def _distances(number: int) -> str:
    """What the check finds in each array of a planted gradient, on one line."""
    case = bounty(number)
    report = check_gradients(
        case.mlp, case.params, case.X, case.y, case.loss, gradient=case.gradient
    )
    found = {
        name: "ok" if report.verdict(name) == "ok" else f"{distance:.2g}"
        for name, distance in report.by_array.items()
    }
    return ", ".join(f"{name} {text}" for name, text in found.items())


def _bounty_slips(number: int) -> list[Slip]:
    right = _PLANTED[number - 1]
    return [
        Slip(f"{name} is suspected", _alibi(name), lambda name=name: (name,))
        for name in SUSPECTS
        if name != right
    ]


_ALIBIS = {
    "bias_averaged_twice": "It would leave every W right, and make each b off by 1 - 1/N.",
    "bias_missing": "It would leave every W right, and put each b at the distance 1.",
    "early_update": "It would leave layer 3 right, and the others off by a little.",
    "hidden_slope_omitted": "It would leave layer 3 right, and make the rest at least 4 times too "
    "long: a distance of 0.75 or more.",
    "own_activation": "It would leave every b right, and spoil the W with inputs enough.",
    "sign": "It would put every array at the distance 2.",
    "sum_not_mean": "It would put every array at the same distance, 1 - 1/N.",
    "transposed": "It can be made at the square W[2] only, so it would spoil layer 1 alone.",
}


def _alibi(name: str) -> str:
    return _ALIBIS[name]


def _bounty_exercise(number: int) -> Exercise:
    planted = _PLANTED[number - 1]
    return Exercise(
        f"08-bounty-{number}",
        lambda: (
            f"Planted bug {number}: a 3-4-4-2 network of sigmoids, half squared error, a batch of "
            f"10. The check finds these relative distances: {_distances(number)}. Which mistake "
            f"is it, out of {', '.join(SUSPECTS)}?"
        ),
        answer=lambda: (planted,),
        slips=lambda: _bounty_slips(number),
        hints=(
            "Which arrays are right? They clear every line of code that they depend on.",
            "Then the sizes: 2 is a sign, 1 is nothing there, 1 - 1/N a missing or a second mean.",
        ),
        solution=lambda: f"{planted}: {MISTAKES[planted].title}.\n{_alibi(planted)}",
    )


# --------------------------------------------------------------------------------------------
# What no check sees


def _sum_of_all_steps(gradient: Callable[[], Params]) -> Callable[[], Params]:
    total: list[Array] = []

    def accumulated() -> Params:
        grads = gradient()
        total.append(grads.theta)
        return grads.like(np.sum(total, axis=0))

    return accumulated


_UNSEEN = (
    "the biases get no gradient",
    "the slope of the hidden activation is left out",
    "gradients are added to those of all steps before",
    "the error goes back through W instead of its transpose",
)


def _gradient_of(bug: str) -> Callable[[], Params]:
    """A fresh program with this bug in it, asked for the gradient of one batch."""
    case = bounty(1)
    batch = (case.mlp, case.params, case.X, case.y, case.loss)
    planted = ("bias_missing", "hidden_slope_omitted", "", "transposed")
    names = dict(zip(_UNSEEN, planted, strict=True))
    if names[bug]:
        return lambda: mistaken_gradient(names[bug], *batch)
    cache = forward(case.mlp, case.params, case.X)
    return _sum_of_all_steps(
        lambda: backward(case.mlp, case.params, cache, case.y, case.loss).grads
    )


@cache
def _unseen_bug() -> str:
    """The one bug whose first gradient passes the check."""
    case = bounty(1)
    batch = (case.mlp, case.params, case.X, case.y, case.loss)
    passed = [bug for bug in _UNSEEN if check_gradients(*batch, gradient=_gradient_of(bug)()).ok]
    return passed[0]


_LAST = (
    Exercise(
        "08-unseen",
        "Four programs have a bug each. One of them passes every gradient check that is made "
        "before training, and still does not learn. Which bug is it?",
        answer=_unseen_bug,
        slips=lambda: others(
            _UNSEEN,
            _unseen_bug(),
            (
                "The check compares every array: those of the biases would be 1 off.",
                "The hidden gradients would be wrong at the first call already.",
                "That is wrong from the second call on; the first is right.",
                "The layers below would be wrong at the first call already.",
            ),
        ),
        hints=(
            "A check looks at one gradient, computed once.",
            "Which of the four is right the first time it is called?",
        ),
        solution=lambda: f"{_unseen_bug()}: the first gradient is right, every later one is a sum.",
        choices=_UNSEEN,
    ),
)

EXERCISES = (
    *_PREDICTIONS,
    *_NUMBERS,
    *_LINES,
    *(_bounty_exercise(number) for number in range(1, len(_PLANTED) + 1)),
    *_LAST,
)
