"""The exercises of chapter 3, *Logistic regression and softmax*.

Right answers are computed by the library, wrong ones by the line of arithmetic that a misconception
stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import permutations
from typing import Any

import numpy as np

from backprop_lib.activations import sigmoid, softmax
from backprop_lib.errors import Array
from backprop_lib.exercises.kinds import Exercise, Slip
from backprop_lib.losses import bce, cross_entropy, half_mse, one_hot
from backprop_lib.mistakes import MISTAKES
from backprop_lib.neuron import Neuron, logistic_regression, neuron_gradient

# --------------------------------------------------------------------------------------------
# Predictions


def _confident_ratio() -> float:
    """How much smaller squared error's gradient is than cross-entropy's: target 1, z = -8."""
    neuron = Neuron(np.array([1.0]), 0.0, sigmoid)
    x, y = np.array([[-8.0]]), np.array([[1.0]])
    squared, entropy = (neuron_gradient(neuron, x, y, loss)[1] for loss in (half_mse, bce))
    return entropy / squared


_CONFIDENT = ("larger", "about as large", "a few times smaller", "thousands of times smaller")


def _confident() -> str:
    ratio = _confident_ratio()
    limits = (0.5, 2.0, 1000.0)
    return _CONFIDENT[sum(ratio > limit for limit in limits)]


def _confident_slips() -> Sequence[Slip]:
    advice = "The slope of the sigmoid is a(1 - a); how large is it where a is nearly 0?"
    return [
        Slip(
            "a larger miss is thought to be a larger gradient, with a square on top",
            advice,
            lambda: _CONFIDENT[0],
        ),
        Slip("only the miss a - y is compared, which both share", advice, lambda: _CONFIDENT[1]),
        Slip(
            "the slope is taken where the sigmoid is steep, at z = 0, where it is 1/4",
            advice,
            lambda: _CONFIDENT[2],
        ),
    ]


_SEPARABLE = ("they settle", "they go on growing", "they shrink back")


@cache
def _weights_of_two_points() -> tuple[float, float]:
    """The weight after 1000 and after 2000 steps on two points that a line separates."""
    X, y = np.array([[-1.0], [1.0]]), np.array([[0.0], [1.0]])
    w = logistic_regression(X, y, learning_rate=1.0, steps=2000).w[:, 0]
    return float(w[1000]), float(w[2000])


def _separable() -> str:
    early, late = _weights_of_two_points()
    return _SEPARABLE[0 if abs(late - early) < 0.01 else 1 if late > early else 2]


def _separable_slips() -> Sequence[Slip]:
    return [
        Slip(
            "a convex loss is taken to have a lowest point",
            "What does the loss do when all weights are doubled and no answer was wrong?",
            lambda: _SEPARABLE[0],
        ),
        Slip(
            "overshooting is expected",
            "No bird is on the wrong side: which of them would pull the weights back?",
            lambda: _SEPARABLE[2],
        ),
    ]


_START = ("about 0", "about 0.33", "about 1.10", "about 3")


def _start() -> str:
    loss = cross_entropy(softmax.f(np.zeros((1, 3))), one_hot(np.array([0]), 3))
    return min(_START, key=lambda choice: abs(float(choice.split()[1]) - loss))


def _start_slips() -> Sequence[Slip]:
    return [
        Slip(
            "knowing nothing is thought to cost nothing",
            "It gives every species the same probability; what is -ln of that?",
            lambda: _START[0],
        ),
        Slip(
            "the probability of the right species is given",
            "The loss is minus the logarithm of that probability.",
            lambda: _START[1],
        ),
        Slip(
            "the species are counted",
            "Each gets the probability 1/3, and the loss is -ln of that.",
            lambda: _START[3],
        ),
    ]


_PREDICTIONS = (
    Exercise(
        "03-predict-confident",
        "A sigmoid neuron has z = -8, and its target is 1: surely wrong. Compared with the "
        "gradient dC/dz of cross-entropy, that of half the squared error is how large?",
        answer=_confident,
        slips=_confident_slips,
        hints=(
            "How steep is the sigmoid at z = -8?",
            "One of the two gradients is a - y, the other (a - y) a (1 - a).",
        ),
        solution=lambda: f"{_confident()}: {_confident_ratio():.0f} times",
        choices=_CONFIDENT,
    ),
    Exercise(
        "03-predict-separable",
        "A line separates the two classes without a mistake. Descent on the cross-entropy goes on "
        "for ten times as many steps. What do the weights do?",
        answer=_separable,
        slips=_separable_slips,
        hints=(
            "Can the loss be exactly 0?",
            "Double w and b: the line stays where it is, and every answer becomes surer.",
        ),
        solution=lambda: (
            f"{_separable()}: on the points -1 and 1, w is {_weights_of_two_points()[0]:.3f} "
            f"after 1000 steps, {_weights_of_two_points()[1]:.3f} after 2000"
        ),
        choices=_SEPARABLE,
    ),
    Exercise(
        "03-predict-start",
        "Three species, all weights and biases zero. What is the cross-entropy of the softmax "
        "before the first step, whatever the data?",
        answer=_start,
        slips=_start_slips,
        hints=("Which probabilities does it give?", "Each species gets 1/3; take -ln of it."),
        solution=lambda: f"{_start()}: ln 3 = {np.log(3):.4f}",
        choices=_START,
    ),
)


# --------------------------------------------------------------------------------------------
# One neuron

_NEURONS = ("step", "identity", "sigmoid")


def _which_activation_slips() -> Sequence[Slip]:
    mixed = {
        ("identity", "step", "sigmoid"): (
            "the first two are exchanged",
            "Which neuron answers yes or no, and which any number?",
        ),
        ("step", "sigmoid", "identity"): (
            "the last two are exchanged",
            "Which neuron answers any number, and which a probability?",
        ),
        ("sigmoid", "identity", "step"): (
            "the first and the last are exchanged",
            "Which neuron answers yes or no, and which how probable a yes is?",
        ),
    }
    assert set(mixed) < set(permutations(_NEURONS))
    return [Slip(*words, lambda names=names: names) for names, words in mixed.items()]


def _slope(z: float) -> float:
    a = sigmoid.f(np.array(z))
    return float(sigmoid.d(np.array(z), a))


def _slope_slips() -> Sequence[Slip]:
    a = float(sigmoid.f(np.array(2.0)))
    return [
        Slip(MISTAKES["slope_of_z"].title, MISTAKES["slope_of_z"].advice, lambda: 2.0 * (1 - 2.0)),
        Slip(MISTAKES["slope_at_a"].title, MISTAKES["slope_at_a"].advice, lambda: _slope(a)),
        Slip("the activation itself is given", "Asked is its slope, a(1 - a).", lambda: a),
        Slip(
            "the slope of tanh is used",
            "For the sigmoid it is a(1 - a), not 1 - a^2.",
            lambda: 1 - a * a,
        ),
    ]


_X, _Y = np.array([[2.0, -1.0]]), np.array([[0.0]])
_BIRD = Neuron(np.array([0.5, 0.3]), 0.3, sigmoid)


def _gradient_of(neuron: Neuron, loss: Any) -> list[float]:
    dw, db = neuron_gradient(neuron, _X, _Y, loss)
    return [*dw.tolist(), db]


def _gradient_slips() -> Sequence[Slip]:
    right = _gradient_of(_BIRD, bce)
    z = float(_BIRD.z(_X)[0, 0])
    return [
        Slip(
            MISTAKES["extra_slope"].title,
            MISTAKES["extra_slope"].advice,
            lambda: _gradient_of(_BIRD, half_mse),
        ),
        Slip(
            MISTAKES["sign"].title, MISTAKES["sign"].advice, lambda: [-number for number in right]
        ),
        Slip(
            "z is taken for the answer",
            "Squash z first: a is the sigmoid of z, and the error is a - y.",
            lambda: [z * x for x in (*_X[0], 1.0)],
        ),
        Slip(
            "the error is not multiplied by the inputs",
            "Each weight's gradient is the error times what that weight was fed.",
            lambda: [right[2]] * 3,
        ),
    ]


def stable_bce(z: Array, y: Array) -> Array:
    """The mean binary cross-entropy of sigmoids, from z."""
    return np.asarray((np.maximum(z, 0) - y * z + np.log1p(np.exp(-np.abs(z)))).mean())


def _clipped(z: Array, y: Array) -> Array:
    a = np.clip(sigmoid.f(z), 1e-12, 1 - 1e-12)
    return np.asarray(-(y * np.log(a) + (1 - y) * np.log(1 - a)).mean())


def _stable_slips() -> Sequence[Slip]:
    return [
        Slip(
            "the samples are added up, not averaged",
            "The loss is a mean: divide by the number of samples.",
            lambda z, y: stable_bce(z, y) * len(z),
        ),
        Slip(
            "the sign is turned",
            "A logarithm of a probability is below 0, the loss above.",
            lambda z, y: -stable_bce(z, y),
        ),
        Slip(
            "the answers are clipped before the logarithm",
            "Clipping hides the infinity, and with it how wrong the answer is: start from z.",
            _clipped,
        ),
        Slip(
            "the targets are exchanged",
            "For target 1 the loss is ln(1 + e^-z), for target 0 it is ln(1 + e^z).",
            lambda z, y: stable_bce(-z, y),
        ),
    ]


def _stable_inputs(rng: np.random.Generator, trial: int) -> tuple[Array, ...]:
    N = 2 + trial  # another length each time
    z = rng.normal(0.0, 3.0, N)
    y = rng.integers(0, 2, N).astype(float)
    if trial > 0:
        z[0] = rng.choice([-1000.0, 1000.0])  # far beyond what exp can take
    return z, y


_NEURON_EXERCISES = (
    Exercise(
        "03-which-activation",
        "One neuron, three names. Which activation makes it a perceptron, which linear "
        "regression, which logistic regression? Three words out of sigmoid, step, identity, in "
        "this order.",
        answer=lambda: _NEURONS,
        slips=_which_activation_slips,
        hints=(
            "What may each of them answer: yes or no, any number, a probability?",
            "The perceptron answers yes or no; linear regression hands z on as it is.",
        ),
        solution=lambda: "perceptron: step\nlinear regression: identity\nlogistic: sigmoid",
    ),
    Exercise(
        "03-sigmoid-slope",
        "What is the slope of the sigmoid at z = 2?",
        answer=lambda: _slope(2.0),
        slips=_slope_slips,
        hints=(
            "First the activation, then the slope from it.",
            "a = 1/(1 + e^-2), and the slope is a(1 - a).",
        ),
        solution=lambda: (
            f"a = {float(sigmoid.f(np.array(2.0))):.6f}, slope = a(1 - a) = {_slope(2.0):.6f}"
        ),
    ),
    Exercise(
        "03-one-bird",
        "A sigmoid neuron with w = (0.5, 0.3) and b = 0.3 is shown x = (2, -1) with target 0. What "
        "are dC/dw1, dC/dw2 and dC/db, with cross-entropy?",
        answer=lambda: _gradient_of(_BIRD, bce),
        slips=_gradient_slips,
        hints=(
            "z first, then a, then the error, then error times input.",
            "z = 1, and the error is a - y; the bias is fed a 1.",
        ),
        solution=lambda: (
            f"z = {float(_BIRD.z(_X)[0, 0]):.4f}, a = {float(_BIRD(_X)[0, 0]):.6f}, a - y times "
            f"(2, -1, 1): {', '.join(f'{number:.6f}' for number in _gradient_of(_BIRD, bce))}"
        ),
    ),
    Exercise(
        "03-stable-bce",
        "Write stable_bce(z, y): the mean binary cross-entropy of sigmoid neurons with "
        "pre-activations z (N,) and targets y (N,), finite for z = 1000 as for z = -1000.",
        answer=stable_bce,
        slips=_stable_slips,
        hints=(
            "For target 1 the loss is ln(1 + e^-z). What is it when z is far below 0?",
            "max(z, 0) - y z + ln(1 + e^-|z|): its exponent is never above 0.",
        ),
        solution=lambda: "return np.mean(np.maximum(z, 0) - y*z + np.log1p(np.exp(-np.abs(z))))",
        inputs=_stable_inputs,
        arguments=("z", "y"),
    ),
)


# --------------------------------------------------------------------------------------------
# Several classes

_LOGITS, _CLASS = np.array([[1.0, 3.0, 0.0]]), 0


@cache
def _p() -> Array:
    return np.asarray(softmax.f(_LOGITS)[0])


def _target() -> Array:
    return np.eye(3)[_CLASS]


def _matrix(p: Array) -> Array:
    return np.diag(p) - np.outer(p, p)


def _softmax_error_slips() -> Sequence[Slip]:
    p, y = _p(), _target()
    squashed = softmax.f(p[None])[0]
    return [
        Slip(
            MISTAKES["extra_slope"].title,
            MISTAKES["extra_slope"].advice,
            lambda: (p - y) * p * (1 - p),
        ),
        Slip(
            MISTAKES["softmax_twice"].title, MISTAKES["softmax_twice"].advice, lambda: squashed - y
        ),
        Slip(MISTAKES["sign"].title, MISTAKES["sign"].advice, lambda: y - p),
        Slip(
            "the gradient stops at the probabilities",
            "-y/p is dC/dp; it has to pass through the softmax, too.",
            lambda: -y / p,
        ),
        Slip(
            "the classes are counted from 1",
            "Classes are counted from 0 here: class 0 is the first.",
            lambda: p - np.eye(3)[2],
        ),
    ]


def _row_slips() -> Sequence[Slip]:
    p = _p()
    return [
        Slip(
            "every entry is taken as p(1 - p)",
            "That is right on the diagonal only; the others are -p_0 p_i.",
            lambda: p * (1 - p),
        ),
        Slip(
            "the sign beside the diagonal is turned",
            "When another z rises, p_0 falls.",
            lambda: np.array([p[0] * (1 - p[0]), p[0] * p[1], p[0] * p[2]]),
        ),
        Slip(
            "the diagonal is left out",
            "p_0 also rises with its own z: diag(p) - p p^T.",
            lambda: -p[0] * p,
        ),
        Slip(
            "only the own z counts",
            "Raise any z and the sum below the fraction grows: all p move.",
            lambda: np.array([p[0] * (1 - p[0]), 0.0, 0.0]),
        ),
    ]


def jacobian(p: Array) -> Array:
    """The Jacobian of one softmax, from its probabilities."""
    return _matrix(p)


def _jacobian_slips() -> Sequence[Slip]:
    return [
        Slip(
            "only the diagonal is kept",
            "Every p moves with every z: beside the diagonal stands -p_j p_i.",
            lambda p: np.diag(p * (1 - p)),
        ),
        Slip(
            "the diagonal is left out",
            "p_j also rises with its own z: diag(p) is to be added.",
            lambda p: -np.outer(p, p),
        ),
        Slip(
            "p is subtracted, not its outer product",
            "p p^T is a matrix: np.outer(p, p).",
            lambda p: np.diag(p) - p,
        ),
        Slip("the sign is turned", "Raise z_j and p_j rises.", lambda p: -_matrix(p)),
    ]


def _probabilities(rng: np.random.Generator, trial: int) -> tuple[Array, ...]:
    K = 2 + trial  # another number of classes each time
    return (softmax.f(rng.standard_normal((1, K)))[0],)


def _start_of_seven_slips() -> Sequence[Slip]:
    return [
        Slip(
            "the probability of one class is given",
            "The loss is minus its logarithm.",
            lambda: 1 / 7,
        ),
        Slip("the logarithm to base 10 is taken", "ln has base e.", lambda: float(np.log10(7))),
        Slip("the logarithm to base 2 is taken", "ln has base e.", lambda: float(np.log2(7))),
        Slip(
            "each class is treated as a coin of its own",
            "A softmax shares one probability among all classes: each gets 1/7.",
            lambda: 7 * float(np.log(2)),
        ),
    ]


def floor(K: int) -> float:
    """The lowest cross-entropy behind two softmaxes: the first one sure and right."""
    sure = np.eye(K)[:1]
    return float(cross_entropy(softmax.f(sure), sure))


def _floor_slips() -> Sequence[Slip]:
    return [
        Slip(
            "the second softmax is taken to leave a sure answer sure",
            "Squash (1, 0, ..., 0) and see what is left of the 1.",
            lambda: 0.0,
        ),
        Slip(
            "the loss of knowing nothing is given",
            "The first softmax can be sure; the second one sees z = (1, 0, ..., 0).",
            lambda: float(np.log(100)),
        ),
        Slip(
            "the probability is given",
            "The loss is minus its logarithm.",
            lambda: float(np.e / (np.e + 99)),
        ),
        Slip("ten classes are taken", "Here there are 100: e/(e + 99).", lambda: floor(10)),
    ]


def _shown(numbers: Array) -> str:
    return "(" + ", ".join(f"{number:.5f}" for number in numbers) + ")"


def _softmax_exercise(
    name: str,
    question: str,
    answer: Callable[[], Any],
    slips: Callable[[], Sequence[Slip]],
    hints: tuple[str, ...],
    solution: Callable[[], str],
) -> Exercise:
    return Exercise(name, question, answer=answer, slips=slips, hints=hints, solution=solution)


_SOFTMAX_EXERCISES = (
    _softmax_exercise(
        "03-loss-at-start",
        "A softmax over seven classes starts with all weights zero. What is its cross-entropy?",
        lambda: cross_entropy(softmax.f(np.zeros((1, 7))), np.eye(7)[:1]),
        _start_of_seven_slips,
        ("Which probability does each class get?", "-ln(1/7)."),
        lambda: f"ln 7 = {np.log(7):.6f}",
    ),
    _softmax_exercise(
        "03-softmax-error",
        "A softmax has z = (1, 3, 0), and class 0, the first, is right. What is dC/dz, with "
        "cross-entropy? Three numbers.",
        lambda: _p() - _target(),
        _softmax_error_slips,
        ("First the three probabilities.", "p - y, with y = (1, 0, 0)."),
        lambda: f"p = {_shown(_p())}, p - y = {_shown(_p() - _target())}",
    ),
    _softmax_exercise(
        "03-jacobian-row",
        "The same softmax, z = (1, 3, 0). How fast does p_0 grow with z_0, with z_1 and with z_2? "
        "Three numbers, the first row of the Jacobian.",
        lambda: _matrix(_p())[0],
        _row_slips,
        (
            "With its own z it grows, with the others it shrinks.",
            "p_0 (1 - p_0), then -p_0 p_1, then -p_0 p_2. What is their sum?",
        ),
        lambda: f"{_shown(_matrix(_p())[0])}, which sum to 0",
    ),
    Exercise(
        "03-jacobian",
        "Write jacobian(p): the matrix of all dp_j/dz_i of one softmax, row j for p_j, from its "
        "probabilities p (K,).",
        answer=jacobian,
        slips=_jacobian_slips,
        hints=(
            "On the diagonal stands p_j (1 - p_j), beside it -p_j p_i.",
            "diag(p) minus the outer product of p with itself.",
        ),
        solution=lambda: "return np.diag(p) - np.outer(p, p)",
        inputs=_probabilities,
        arguments=("p",),
    ),
    _softmax_exercise(
        "03-floor",
        "A network with 100 classes ends in a softmax, and its loss squashes once more. What is "
        "the lowest loss it can reach?",
        lambda: floor(100),
        _floor_slips,
        (
            "At best, what does the first softmax hand to the second?",
            "(1, 0, ..., 0): the second makes e/(e + 99) of the 1. Take -ln.",
        ),
        lambda: f"ln(e + 99) - 1 = {floor(100):.6f}",
    ),
)

EXERCISES = (*_PREDICTIONS, *_NEURON_EXERCISES, *_SOFTMAX_EXERCISES)
