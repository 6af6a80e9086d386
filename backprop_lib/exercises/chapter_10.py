"""The exercises of chapter 10, *Vanishing and exploding gradients*.

Right answers are measured on networks, or computed from slopes and gains; wrong ones come from the
same lines with one rule changed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np

from backprop_lib.activations import Activation, identity, relu, softmax
from backprop_lib.data import load_digits
from backprop_lib.deep import DeepMLP, deep_backward, deep_forward, layer_norms, with_gain
from backprop_lib.errors import Array
from backprop_lib.exercises.kinds import Exercise, Slip
from backprop_lib.losses import cross_entropy, half_mse, one_hot
from backprop_lib.network import MLP, propagate
from backprop_lib.optimizers import sgd
from backprop_lib.training import accuracy, fit

# --------------------------------------------------------------------------------------------
# Predictions, answered by running what they ask about


def error_left(phi: Activation, gain: float, depth: int, skip: bool = False) -> float:
    """The length of the first layer's error, for one of length 1 at the last hidden layer."""
    rng = np.random.default_rng(0)
    mlp = MLP((100,) * (depth + 1) + (10,), (phi,) * depth + (identity,))
    deep = DeepMLP(mlp, skip=skip)
    params = deep.init(rng, with_gain(gain))
    cache_ = deep_forward(deep, params, rng.standard_normal((16, 100)))
    y = cache_.a[-1] - rng.standard_normal((16, 10))
    norms = layer_norms(deep_backward(deep, params, cache_, y, half_mse).delta)
    return float(norms[0] / norms[-2])


ABOUT_HALF, THOUSANDTH, MILLIONTH = (
    "at least half of it is left",
    "between half and a hundred-thousandth is left",
    "less than a millionth is left",
)


def _linear() -> str:
    left = error_left(identity, 0.5, 50)
    return ABOUT_HALF if left > 0.5 else THOUSANDTH if left > 1e-5 else MILLIONTH


def _coarse(rng: np.random.Generator, n_in: int, n_out: int) -> Array:
    return rng.choice([-0.5, 0.0, 0.5], (n_out, n_in), p=[0.1, 0.8, 0.1])


def learns_with_slope(value: float) -> bool:
    """Whether a ReLU network reads digits when the slope at exactly 0 is `value`."""
    phi = Activation("relu", relu.f, lambda z, a: np.where(z == 0, value, z > 0))
    mlp, digits = MLP((64, 32, 32, 10), (phi, phi, softmax)), load_digits(np.random.default_rng(0))
    params = mlp.init(np.random.default_rng(4), _coarse)
    X, Y = digits.X_train, one_hot(digits.y_train, 10)
    rng, descent = np.random.default_rng(0), sgd(0.1)
    run = fit(mlp, params, X, Y, cross_entropy, descent, epochs=8, batch_size=32, rng=rng)
    return accuracy(propagate(mlp, run.params, digits.X_test).a[-1], digits.y_test) > 0.8


ONLY_ZERO, ALL_THREE, NONE = "only the one with 0", "all three", "none of them"


def _kink() -> str:
    learned = [learns_with_slope(value) for value in (0.0, 0.5, 1.0)]
    return ALL_THREE if all(learned) else ONLY_ZERO if learned[0] else NONE


SHRINKS, STAYS, GROWS = (
    "it shrinks to a tenth or less",
    "it stays within a factor of ten",
    "it grows more than a hundredfold",
)


def _skip_with_he() -> str:
    left = error_left(relu, 2.0, 20, skip=True)
    return GROWS if left > 100 else SHRINKS if left < 0.1 else STAYS


_PREDICTIONS = (
    Exercise(
        "10-predict-linear",
        "Fifty layers of 100 units without any activation, weights of variance 0.5/100. How much "
        "of the length of an error at the output has come back to the first layer?",
        answer=cache(_linear),
        slips=lambda: (
            Slip(
                "only an activation is taken to shrink an error",
                "The weights multiply, too: by what factor does one layer change a mean square?",
                lambda: ABOUT_HALF,
            ),
            Slip(
                "fifty layers are taken for some ten or twenty",
                "Each layer halves the square of the length. Halve fifty times, then take the "
                "root.",
                lambda: THOUSANDTH,
            ),
        ),
        hints=(
            "What does one layer do to the mean square of what it is fed?",
            "It halves it, in both directions. Fifty times, and then the root for the length.",
        ),
        solution=lambda: (
            f"measured {error_left(identity, 0.5, 50):.1e}; predicted sqrt(0.5)^49 = "
            f"{math.sqrt(0.5) ** 49:.1e}: {_linear()}"
        ),
        choices=(ABOUT_HALF, THOUSANDTH, MILLIONTH),
    ),
    Exercise(
        "10-predict-kink",
        "Three ReLU networks whose slope at exactly z = 0 is set to 0, to 0.5 and to 1 are trained "
        "on digits from a start at which more than a thousand sums are 0. Which of them learn?",
        answer=cache(_kink),
        slips=lambda: (
            Slip(
                "one value is taken to be the true derivative",
                "There is none at the kink; every number between the slopes beside it serves.",
                lambda: ONLY_ZERO,
            ),
            Slip(
                "a derivative is taken to be needed everywhere",
                "How many of the sums are still exactly 0 after the first step?",
                lambda: NONE,
            ),
        ),
        hints=(
            "How long does a sum stay exactly 0 once the weights move?",
            "The loss needs a slope that points the right way almost everywhere.",
        ),
        solution=lambda: f"run it: {_kink()}",
        choices=(ONLY_ZERO, ALL_THREE, NONE),
    ),
    Exercise(
        "10-predict-skip",
        "Twenty ReLU layers with He's gain of 2 keep the length of an error. Now every layer gets "
        "a skip connection, and nothing else changes. What happens to the error on its way from "
        "the last hidden layer to the first?",
        answer=cache(_skip_with_he),
        slips=lambda: (
            Slip(
                "a skip is taken to replace the branch",
                "The branch still brings its share; the two are added.",
                lambda: STAYS,
            ),
            Slip(
                "a sum is taken for a mean",
                "Two roads are added, not averaged.",
                lambda: SHRINKS,
            ),
        ),
        hints=(
            "By what factor does each of the two roads multiply the mean square?",
            "Both by 1, and independent mean squares add: 2 a layer.",
        ),
        solution=lambda: (
            f"measured: times {error_left(relu, 2.0, 20, skip=True):.0f}; "
            f"predicted sqrt(1 + 1)^19 = {2**9.5:.0f}: {_skip_with_he()}"
        ),
        choices=(SHRINKS, STAYS, GROWS),
    ),
)


# --------------------------------------------------------------------------------------------
# Factors


_SLOPE_GAIN, _LEAK = 0.8, 0.2


def factor_of_length(gain: float, mean_square_slope: float) -> float:
    """By what a layer multiplies the length of the error."""
    return math.sqrt(gain * mean_square_slope)


def _leaky_mean_square() -> float:
    return (1 + _LEAK**2) / 2


def _layers_to(floor: float, factor: float) -> int:
    """The least number of layers after which an error of length 1 is below the floor."""
    return math.floor(math.log(floor) / math.log(factor)) + 1


_PER_LAYER, _FLOOR = 0.236, 1.2e-38

_FACTORS = (
    Exercise(
        "10-slope",
        "Layers of equal width with the activation |z| (slope -1 or +1) are drawn with weights of "
        "variance 0.8/n. By what factor does the length of the error change from layer to layer?",
        answer=lambda: factor_of_length(_SLOPE_GAIN, 1.0),
        slips=lambda: (
            Slip(
                "the factor of the mean square is given",
                "The length is its root.",
                lambda: _SLOPE_GAIN,
            ),
            Slip(
                "half of the slopes are taken for 0, as in a ReLU",
                "A slope of -1 turns the sign and keeps the size: its square is 1.",
                lambda: factor_of_length(_SLOPE_GAIN, 0.5),
            ),
            Slip(
                "the mean of the slopes is taken",
                "It is the mean of their squares that counts.",
                lambda: 0.0,
            ),
        ),
        hints=(
            "chi = g E[phi'^2]: what is the square of a slope of -1?",
            "chi is the gain itself here; the length takes the root.",
        ),
        solution=lambda: (
            f"chi = {_SLOPE_GAIN} * 1; sqrt(chi) = {factor_of_length(_SLOPE_GAIN, 1.0):.5f}"
        ),
    ),
    Exercise(
        "10-right-gain",
        "A leaky ReLU has slope 1 for positive and 0.2 for negative z. For which gain g (weights "
        "of variance g/n) does the error neither vanish nor explode?",
        answer=lambda: 1 / _leaky_mean_square(),
        slips=lambda: (
            Slip(
                "the gain of the plain ReLU is given",
                "The leak lets something through for negative z.",
                lambda: 2.0,
            ),
            Slip(
                "the slopes are averaged instead of their squares",
                "E[phi'^2] is the mean of 1 and 0.2 squared.",
                lambda: 2 / (1 + _LEAK),
            ),
            Slip(
                "the square of the mean slope is taken",
                "First square, then take the mean.",
                lambda: 4 / (1 + _LEAK) ** 2,
            ),
            Slip(
                "E[phi'^2] itself is given",
                "The gain must make up for it: g times E[phi'^2] is 1.",
                _leaky_mean_square,
            ),
            Slip(
                "the mean of the squares is not halved",
                "Each of the two slopes is met by half of the z.",
                lambda: 1 / (1 + _LEAK**2),
            ),
        ),
        hints=(
            "E[phi'^2] is the mean of two squares.",
            "g times (1 + 0.2^2)/2 shall be 1.",
        ),
        solution=lambda: (
            f"E[phi'^2] = (1 + 0.04)/2 = {_leaky_mean_square():.5f}; "
            f"g = 1/E[phi'^2] = {1 / _leaky_mean_square():.5f}"
        ),
    ),
    Exercise(
        "10-how-deep",
        "The length of the error of a sigmoid network at gain 1 is multiplied by 0.236 in each "
        "layer. Through how many layers, at least, must an error of length 1 go to fall below "
        "1.2e-38?",
        answer=lambda: _layers_to(_FLOOR, _PER_LAYER),
        slips=lambda: (
            Slip(
                "the bound 0.25 a layer is taken",
                "Hardly any slope is at its maximum; the measured factor is 0.236.",
                lambda: _layers_to(_FLOOR, 0.25),
            ),
            Slip(
                "0.236 is taken for the factor of the mean square",
                "It multiplies the length already.",
                lambda: _layers_to(_FLOOR, math.sqrt(_PER_LAYER)),
            ),
            Slip(
                "the number is rounded down",
                "After so many layers it is still above.",
                lambda: _layers_to(_FLOOR, _PER_LAYER) - 1,
            ),
        ),
        hints=(
            "Which power of 0.236 is 1.2e-38? Take logarithms.",
            "log(1.2e-38) divided by log(0.236), rounded up.",
        ),
        solution=lambda: (
            f"log(1.2e-38) / log(0.236) = {math.log(_FLOOR) / math.log(0.236):.2f}, rounded up: "
            f"{_layers_to(_FLOOR, _PER_LAYER):.5f}"
        ),
    ),
)


# --------------------------------------------------------------------------------------------
# Lines of numpy


def dead(z: Array) -> Array:
    """How many columns are never above 0."""
    return np.asarray((z <= 0).all(axis=0).sum(), dtype=float)


def _dead_inputs(rng: np.random.Generator, trial: int) -> tuple[Array, ...]:
    if trial == 0:
        return (np.array([[-1.0, 2.0, -0.5], [-2.0, -1.0, 0.5]]),)
    N, n = (int(size) for size in rng.integers(2, 7, size=2))
    return (rng.standard_normal((N, n)) - 1.5 * rng.random(n),)


def skip_back(e: Array, z: Array, W: Array) -> Array:
    """dJ/da_in of a = relu(a_in W^T) + a_in."""
    result: Array = (e * (z > 0)) @ W + e
    return result


def _skip_inputs(rng: np.random.Generator, trial: int) -> tuple[Array, ...]:
    N, n = (1, 2) if trial == 0 else (int(size) for size in rng.integers(2, 6, size=2))
    e, z = rng.standard_normal((2, N, n))
    return e, z, rng.standard_normal((n, n))


def norm_back(g: Array, s: Array) -> Array:
    """dJ/ds from g = dJ/ds_hat, without epsilon."""
    s_hat = (s - s.mean(axis=0)) / s.std(axis=0)
    result: Array = (g - g.mean(axis=0) - s_hat * (g * s_hat).mean(axis=0)) / s.std(axis=0)
    return result


def _norm_inputs(rng: np.random.Generator, trial: int) -> tuple[Array, ...]:
    N, n = (3, 1) if trial == 0 else (int(rng.integers(3, 8)), int(rng.integers(2, 5)))
    return rng.standard_normal((N, n)), 2 * rng.standard_normal((N, n)) + 1


def _norm_slips() -> Sequence[Slip]:
    def s_hat_of(s: Array) -> Array:
        result: Array = (s - s.mean(axis=0)) / s.std(axis=0)
        return result

    return [
        Slip(
            "mean and spread are taken for constants",
            "Every row has moved both; two terms are missing.",
            lambda g, s: g / s.std(axis=0),
        ),
        Slip(
            "only the mean is taken to move",
            "The spread moves as well: its term is s_hat times the mean of g s_hat.",
            lambda g, s: (g - g.mean(axis=0)) / s.std(axis=0),
        ),
        Slip(
            "only the spread is taken to move",
            "The mean moves as well: subtract the mean of g.",
            lambda g, s: (g - s_hat_of(s) * (g * s_hat_of(s)).mean(axis=0)) / s.std(axis=0),
        ),
        Slip(
            "the division by the spread is left out",
            "A wide column answers less to a nudge of one of its sums.",
            lambda g, s: g - g.mean(axis=0) - s_hat_of(s) * (g * s_hat_of(s)).mean(axis=0),
        ),
    ]


def clip(g: Array) -> Array:
    """g, shortened to length 1 where it is longer."""
    return g * min(1.0, 1.0 / max(float(np.linalg.norm(g)), 1e-300))


def _clip_inputs(rng: np.random.Generator, trial: int) -> tuple[Array, ...]:
    if trial == 0:
        return (np.array([3.0, 0.4]),)
    return (rng.standard_normal(int(rng.integers(2, 12))) * float(rng.choice([0.1, 1.0, 10.0])),)


_LINES = (
    Exercise(
        "10-dead",
        "Write dead(z): how many of the ReLU units are dead, from their sums z, one sample a row "
        "and one unit a column.",
        answer=dead,
        slips=lambda: (
            Slip(
                "a unit counts as dead that is off for one sample",
                "It lives as long as one sample lifts its sum above 0: `all`, not `any`.",
                lambda z: (z <= 0).any(axis=0).sum(),
            ),
            Slip(
                "samples are counted instead of units",
                "Units are columns: `axis=0` runs over the samples.",
                lambda z: (z <= 0).all(axis=1).sum(),
            ),
            Slip(
                "sums are counted instead of units",
                "A unit is dead if all of its sums are at most 0.",
                lambda z: (z <= 0).sum(),
            ),
        ),
        hints=(
            "When does a unit get no gradient from any sample?",
            "All entries of its column are at most 0; count such columns.",
        ),
        solution=lambda: "return (z <= 0).all(axis=0).sum()",
        inputs=_dead_inputs,
        arguments=("z",),
    ),
    Exercise(
        "10-skip",
        "A layer says a = relu(z) + a_in with z = a_in @ W.T. Write skip_back(e, z, W): dJ/da_in "
        "from e = dJ/da, all of shape (N, n) and W of shape (n, n).",
        answer=skip_back,
        slips=lambda: (
            Slip(
                "the skip is forgotten on the way back",
                "Two roads lead from a_in to a; the chain rule adds them.",
                lambda e, z, W: (e * (z > 0)) @ W,
            ),
            Slip(
                "the skip is sent through the slope",
                "What is added after the activation has not passed through it: add e, not delta.",
                lambda e, z, W: (e * (z > 0)) @ W + e * (z > 0),
            ),
            Slip(
                "the slope of the branch is left out",
                "The branch goes through the ReLU: first e times its slope, then W.",
                lambda e, z, W: e @ W + e,
            ),
            Slip(
                "W is transposed",
                "Backwards the first index of W is summed: delta @ W.",
                lambda e, z, W: (e * (z > 0)) @ W.T + e,
            ),
        ),
        hints=(
            "Which two roads lead from a_in to a?",
            "delta = e * (z > 0) goes back through W; e itself comes back along the skip.",
        ),
        solution=lambda: "return (e * (z > 0)) @ W + e",
        inputs=_skip_inputs,
        arguments=("e", "z", "W"),
    ),
    Exercise(
        "10-batch-norm",
        "Write norm_back(g, s): dJ/ds for s_hat = (s - mean) / std over the rows, from "
        "g = dJ/ds_hat and the sums s, both (N, n); no epsilon.",
        answer=norm_back,
        slips=cache(_norm_slips),
        hints=(
            "Every row has moved the mean and the spread of all rows.",
            "From g subtract its mean and s_hat times the mean of g s_hat; then divide by the std.",
        ),
        solution=lambda: (
            "s_hat = (s - s.mean(axis=0)) / s.std(axis=0)\n"
            "g = g - g.mean(axis=0) - s_hat * (g * s_hat).mean(axis=0)\n"
            "return g / s.std(axis=0)"
        ),
        inputs=_norm_inputs,
        arguments=("g", "s"),
    ),
    Exercise(
        "10-clip",
        "Write clip(g): the vector g, clipped by norm to a length of at most 1.",
        answer=clip,
        slips=lambda: (
            Slip(
                "each entry is clipped by itself",
                "That turns the direction; one factor for all entries keeps it.",
                lambda g: np.clip(g, -1, 1),
            ),
            Slip(
                "every vector is scaled to length 1, short ones too",
                "A gradient shorter than the limit stays as it is.",
                lambda g: g / np.linalg.norm(g),
            ),
            Slip(
                "the largest entry is taken for the length",
                "The length is the root of the sum of all squares.",
                lambda g: g * min(1.0, 1.0 / float(np.abs(g).max())),
            ),
            Slip(
                "it is divided by the square of its length",
                "Take the root: np.linalg.norm(g).",
                lambda g: g * min(1.0, 1.0 / float(g @ g)),
            ),
        ),
        hints=(
            "One factor for the whole vector, and never one above 1.",
            "g * min(1, 1 / length).",
        ),
        solution=lambda: "return g * min(1.0, 1.0 / np.linalg.norm(g))",
        inputs=_clip_inputs,
        arguments=("g",),
    ),
)


EXERCISES = (*_PREDICTIONS, *_FACTORS, *_LINES)
