"""The exercises of chapter 9, *Mini-batches and epochs*.

Right answers are counted or enumerated, wrong ones follow from the same numbers with one mistake.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np

from backprop_lib.activations import identity
from backprop_lib.data import load_penguins
from backprop_lib.errors import Array
from backprop_lib.exercises.kinds import Exercise, Slip
from backprop_lib.losses import half_mse
from backprop_lib.neuron import Neuron, descend, linear_regression, neuron_cost
from backprop_lib.training import minibatches


def _chosen(choice: str, says: str, advice: str) -> Slip:
    """What somebody means who makes this choice."""
    return Slip(says, advice, lambda: choice)


# --------------------------------------------------------------------------------------------
# Predictions

_HUNDREDTH, _TENTH, _HALF, _SAME = "a hundredth", "a tenth", "a half", "the same"


def noise_share(B: int) -> float:
    """Typical distance of a batch from the full gradient, over that of a single sample."""
    return 1 / math.sqrt(B)


def _noise_of_a_hundred() -> str:
    named = {_HUNDREDTH: 0.01, _TENTH: 0.1, _HALF: 0.5, _SAME: 1.0}
    return min(named, key=lambda choice: abs(named[choice] - noise_share(100)))


_AHEAD, _LEVEL, _TEN_AHEAD = "all is far ahead", "about level", "ten is far ahead"


@cache
def heights_after(steps: int, batch_size: int) -> float:
    """J above its lowest value, after steps on the penguins' bowl; the mean of ten seeds."""
    penguins = load_penguins(["flipper_length_mm", "body_mass_g"])
    X, y = (penguins.X[:, :1] - 190) / 10, penguins.X[:, 1:] / 1000
    bottom = neuron_cost(linear_regression(X, y), X, y, half_mse)
    start, ends = Neuron(np.zeros(1), 0.0, identity), []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        batches = [rng.permutation(len(X))[:batch_size] for _ in range(steps)]
        walk = descend(start, X, y, half_mse, learning_rate=0.05, steps=steps, batches=batches)
        ends.append(float(walk.loss[-1]) - bottom)
    return float(np.mean(ends))


def _who_is_lower() -> str:
    every, ten = heights_after(35, 342), heights_after(35, 10)
    if max(every, ten) < 2 * min(every, ten):
        return _LEVEL
    return _AHEAD if every < ten else _TEN_AHEAD


_JUST, _TWICE, _SEVENTEEN = "just as much", "twice as much", "17 times as much"


def say_of_the_last(N: int, B: int) -> float:
    """How much more a sample of the short last batch counts than any other, in one epoch."""
    return B / (N % B) if N % B else 1.0


def _say_of_two_penguins() -> str:
    named = {_JUST: 1, _TWICE: 2, _SEVENTEEN: 17}
    return min(named, key=lambda choice: abs(named[choice] - say_of_the_last(342, 34)))


_PREDICTIONS = (
    Exercise(
        "09-predict-noise",
        "The typical distance of the gradient of 100 random samples from the full gradient, "
        "compared with that of a single sample, is ...",
        answer=_noise_of_a_hundred,
        slips=lambda: (
            _chosen(
                _HUNDREDTH,
                "the noise is divided by the number of samples",
                "It is the variance that shrinks by 100; the distance is its square root.",
            ),
            _chosen(
                _HALF,
                "a mean is thought hardly to help",
                "Independent errors cancel: the variance of a mean of 100 is a hundredth.",
            ),
            _chosen(
                _SAME,
                "noise is thought to stay noise",
                "Errors of both signs are averaged, and partly cancel.",
            ),
        ),
        hints=("What happens to the variance of a mean?", "Variance over 100; then the root."),
        solution=lambda: f"1 / sqrt(100) = {noise_share(100):g}",
        choices=(_HUNDREDTH, _TENTH, _HALF, _SAME),
    ),
    Exercise(
        "09-predict-equal-steps",
        "35 steps on the penguins' bowl with the same learning rate 0.05, one walker asking all "
        "342 penguins before each step, the other 10 of them. Who is lower in the end?",
        answer=cache(_who_is_lower),
        slips=lambda: (
            _chosen(
                _AHEAD,
                "better information is thought to make a much better step",
                "Far from the bottom the gradient is long beside the noise of ten.",
            ),
            _chosen(
                _TEN_AHEAD,
                "equal steps are mixed up with equal work",
                "At equal work ten at a time take 34 times as many steps; here both take 35.",
            ),
        ),
        hints=(
            "How long is the gradient there, and how far off is a mean of ten?",
            "Both take 35 steps of about the same length in about the same direction.",
        ),
        solution=lambda: (
            f"J - J* after 35 steps: {heights_after(35, 342):.3f} with 342 a step, "
            f"{heights_after(35, 10):.3f} with 10 a step"
        ),
        choices=(_AHEAD, _LEVEL, _TEN_AHEAD),
    ),
    Exercise(
        "09-predict-last",
        "342 penguins in batches of 34, always in the same order, leave two for a last batch. In "
        "an epoch each of these two moves the parameters, compared with any other penguin, ...",
        answer=_say_of_two_penguins,
        slips=lambda: (
            _chosen(
                _JUST,
                "each sample is thought to count once because it is used once",
                "It is used once, in a mean: of 34 for the others, of two for these.",
            ),
            _chosen(
                _TWICE,
                "the size of the short batch is taken for its weight",
                "In a mean of two each counts 1/2; in a mean of 34 each counts 1/34.",
            ),
        ),
        hints=("A step uses the mean of its batch.", "1/2 against 1/34."),
        solution=lambda: f"(1/2) / (1/34) = {say_of_the_last(342, 34):g}",
        choices=(_JUST, _TWICE, _SEVENTEEN),
    ),
)


# --------------------------------------------------------------------------------------------
# Counting, averaging, scaling

_N, _B, _EPOCHS = 1437, 32, 30


def updates(N: int, B: int, epochs: int) -> float:
    """Counted, batch by batch."""
    rng = np.random.default_rng(0)
    return float(sum(1 for _ in range(epochs) for _ in minibatches(N, B, rng)))


def _updates_slips() -> Sequence[Slip]:
    return [
        Slip(
            "the last short batch is dropped",
            "29 images are left over, and they make a batch, too: round up.",
            lambda: float(_N // _B * _EPOCHS),
        ),
        Slip(
            "it is rounded once at the end",
            "Every epoch ends with a short batch of its own: round up an epoch, then multiply.",
            lambda: float(math.ceil(_N * _EPOCHS / _B)),
        ),
        Slip(
            "a fraction of a batch is counted",
            "There is no fraction of a step: the short batch makes a whole one.",
            lambda: _N * _EPOCHS / _B,
        ),
        Slip("a single epoch is counted", "Asked is all 30.", lambda: updates(_N, _B, 1)),
        Slip(
            "every image makes an update",
            "A batch of 32 makes one update.",
            lambda: float(_N * _EPOCHS),
        ),
    ]


_FOUR = np.array([5.0, -1.0, 8.0, 2.0])


def mean_and_variance_of_pairs() -> list[float]:
    """Over all batches of two of the four gradients, listed."""
    means = np.array([_FOUR[list(S)].mean() for S in combinations(range(4), 2)])
    return [float(means.mean()), float(means.var())]


def _pairs_slips() -> Sequence[Slip]:
    mean, variance = float(_FOUR.mean()), float(_FOUR.var())
    return [
        Slip(
            "the samples are drawn with replacement",
            "Two different samples: the factor (N - B)/(N - 1) is missing.",
            lambda: [mean, variance / 2],
        ),
        Slip(
            "the variance of single gradients is given",
            "A mean of two varies less.",
            lambda: [mean, variance],
        ),
        Slip(
            "the factor is taken as (N - B)/N",
            "It is (N - B)/(N - 1): for B = 1 it must be 1.",
            lambda: [mean, variance / 2 * (4 - 2) / 4],
        ),
        Slip(
            "the gradients of a batch are added up",
            "A batch gradient is a mean: divide by 2, and the variance by 4.",
            lambda: [2 * mean, 4 * mean_and_variance_of_pairs()[1]],
        ),
        Slip(
            "the standard deviation is given",
            "Asked is its square.",
            lambda: [mean, math.sqrt(mean_and_variance_of_pairs()[1])],
        ),
    ]


_NOISE, _SIZE, _LARGER, _WANTED = 0.6, 25, 400, 0.06


def noise_and_size(power: float) -> list[float]:
    """Noise at the larger batch, and the batch for the noise wanted, if noise ~ B**-power."""
    noise = _NOISE * (_SIZE / _LARGER) ** power
    return [noise, _SIZE * (_NOISE / _WANTED) ** (1 / power)]


def _slope_slips() -> Sequence[Slip]:
    return [
        Slip(
            "the noise is taken to fall as 1/B",
            "The variance does; the noise falls as one over the square root of B.",
            lambda: noise_and_size(1.0),
        ),
        Slip(
            "the noise is taken to fall as 1/B^2",
            "It falls slower than 1/B, not faster: as one over the square root of B.",
            lambda: noise_and_size(2.0),
        ),
        Slip(
            "the noise is thought to grow with the batch",
            "Sixteen times the batch, a quarter of the noise.",
            lambda: [_NOISE * math.sqrt(_LARGER / _SIZE), noise_and_size(0.5)[1]],
        ),
    ]


_SMALL_BATCH, _GOOD_RATE, _LARGE_BATCH, _CURVATURE = 8, 0.05, 32, 4.0


def scaled(power: float = 1.0, edge: float = 2 / _CURVATURE) -> list[float]:
    """The rate at the large batch if it goes as B**power, and the batch where it meets the edge."""
    rate = _GOOD_RATE * (_LARGE_BATCH / _SMALL_BATCH) ** power
    return [rate, _SMALL_BATCH * (edge / _GOOD_RATE) ** (1 / power)]


def _scaling_slips() -> Sequence[Slip]:
    return [
        Slip(
            "the rate is scaled with the square root of the batch",
            "The noise goes with the root; this rule is linear: batch times 4, rate times 4.",
            lambda: scaled(power=0.5),
        ),
        Slip(
            "the edge is taken at 1/lambda_max",
            "There one step reaches the bottom of the steepest direction; the edge is twice that.",
            lambda: scaled(edge=1 / _CURVATURE),
        ),
        Slip(
            "the rate is divided",
            "A larger batch stands for several small steps: its one step is longer.",
            lambda: [_GOOD_RATE * _SMALL_BATCH / _LARGE_BATCH, scaled()[1]],
        ),
    ]


_NUMBERS = (
    Exercise(
        "09-updates",
        f"{_N} images, batches of {_B}, {_EPOCHS} epochs: how many updates in all?",
        answer=cache(lambda: updates(_N, _B, _EPOCHS)),
        slips=_updates_slips,
        hints=("How many batches has one epoch?", f"{_N} / {_B} is not whole: round it up."),
        solution=lambda: (
            f"ceil({_N} / {_B}) = {math.ceil(_N / _B)} updates an epoch, times {_EPOCHS} = "
            f"{updates(_N, _B, _EPOCHS):.4f}"
        ),
        digits=6,
    ),
    Exercise(
        "09-all-batches",
        "Four samples have the gradients 5, -1, 8, 2. Over all batches of two different samples: "
        "the mean of the batch gradients, and their variance? Two numbers.",
        answer=cache(mean_and_variance_of_pairs),
        slips=_pairs_slips,
        hints=(
            "There are six batches: list their means.",
            "The variance is sigma^2/2 times (4 - 2)/(4 - 1), where sigma^2 is that of the four.",
        ),
        solution=lambda: (
            f"batch gradients {[float(_FOUR[list(S)].mean()) for S in combinations(range(4), 2)]}\n"
            f"mean {mean_and_variance_of_pairs()[0]:.5f}, "
            f"variance {_FOUR.var():g}/2 * 2/3 = {mean_and_variance_of_pairs()[1]:.5f}"
        ),
    ),
    Exercise(
        "09-slope",
        f"With batches of {_SIZE}, drawn with replacement, the gradient is typically off by "
        f"{_NOISE}. By how much with batches of {_LARGER}? And which batch size brings it down to "
        f"{_WANTED}? Two numbers.",
        answer=lambda: noise_and_size(0.5),
        slips=_slope_slips,
        hints=(
            "On log-log paper the slope is -1/2.",
            f"{_LARGER} is 16 times {_SIZE}; {_WANTED} is a tenth of {_NOISE}.",
        ),
        solution=lambda: (
            f"{_NOISE} / sqrt(16) = {noise_and_size(0.5)[0]:.4f}; a tenth of the noise takes "
            f"a hundred times the batch: {noise_and_size(0.5)[1]:.4f}"
        ),
    ),
    Exercise(
        "09-scaling",
        f"With batches of {_SMALL_BATCH} the best rate is {_GOOD_RATE}. What does the linear "
        f"scaling rule say for batches of {_LARGE_BATCH}? The loss is a bowl with lambda_max = "
        f"{_CURVATURE:g}: at which batch size does the scaled rate reach the edge 2/lambda_max? "
        "Two numbers.",
        answer=scaled,
        slips=_scaling_slips,
        hints=("Batch times k, rate times k.", "The edge is at 0.5: ten times the best rate."),
        solution=lambda: (
            f"{_GOOD_RATE} * 4 = {scaled()[0]:.4f}; 2/{_CURVATURE:g} = 0.5 is ten times "
            f"{_GOOD_RATE}, so {_SMALL_BATCH} * 10 = {scaled()[1]:.4f}"
        ),
    ),
)


# --------------------------------------------------------------------------------------------
# The short batch

_TEN = np.array([2.0, -1.0, 0.0, 3.0, 1.0, 5.0, -2.0, 4.0, 6.0, 7.0])
_DEALT = (_TEN[:4], _TEN[4:8], _TEN[8:])

_READINGS: dict[str, Callable[[], float]] = {
    "short_not_weighted": lambda: float(np.mean([S.mean() for S in _DEALT])),
    "last_dropped": lambda: float(np.mean([S.mean() for S in _DEALT[:-1]])),
    "sums_not_means": lambda: float(np.mean([S.sum() for S in _DEALT])),
    "first_only": lambda: float(_DEALT[0].mean()),
}


def _whose_question() -> str:
    reports = ", ".join(f"{reading():g}" for reading in _READINGS.values())
    return (
        "Ten samples have the gradients 2, -1, 0, 3, 1, 5, -2, 4, 6, 7, dealt out in this order "
        f"in batches of four (full gradient: {_TEN.mean():g}). Four readers estimate it from the "
        f"batches and report {reports}. Name what each did, in this order, out of "
        f"{', '.join(sorted(_READINGS))}."
    )


def _whose_slips() -> Sequence[Slip]:
    short, dropped, sums, first = _READINGS
    return [
        Slip(
            "the two smallest reports are mixed up",
            "The first batch has the mean 1; the first two together have 1.5.",
            lambda: (short, first, sums, dropped),
        ),
        Slip(
            "the two largest reports are mixed up",
            "Sums of four are about four times too large.",
            lambda: (sums, dropped, short, first),
        ),
        Slip(
            "the dropped batch and the one that counts too much are mixed up",
            "The short batch has the mean 6.5: without it the report is below the full gradient.",
            lambda: (dropped, short, sums, first),
        ),
    ]


def _short_slips() -> Sequence[Slip]:
    full = float(_TEN.mean())
    advice = "The last two gradients are large, and each counts 1/2 in its batch, not 1/4."
    return [
        Slip("the short batch is taken for harmless", advice, lambda: [full, full]),
        Slip(
            "the short batch is dropped",
            "It is a step like the others, with the mean of its two samples.",
            lambda: [full, _READINGS["last_dropped"]()],
        ),
        Slip(
            "the short batch is divided by 4",
            "A step uses the mean over the samples it has: divide by 2.",
            lambda: [full, float(np.mean([S.sum() / 4 for S in _DEALT]))],
        ),
        Slip(
            "the sums of the batches are averaged",
            "Each batch gradient is a mean.",
            lambda: [full, _READINGS["sums_not_means"]()],
        ),
    ]


_SHORT = (
    Exercise(
        "09-short-batch",
        "Ten samples have the gradients 2, -1, 0, 3, 1, 5, -2, 4, 6, 7, dealt out in this order in "
        "batches of four. What is the full gradient, and what is the mean of the three batch "
        "gradients? Two numbers.",
        answer=lambda: [float(_TEN.mean()), _READINGS["short_not_weighted"]()],
        slips=_short_slips,
        hints=("The last batch has two samples.", "The three batch gradients are 1, 2 and 6.5."),
        solution=lambda: (
            f"full: {_TEN.sum():g} / 10 = {_TEN.mean():.4f}\n"
            f"batches: {[float(S.mean()) for S in _DEALT]}, their mean "
            f"{_READINGS['short_not_weighted']():.5f}"
        ),
    ),
    Exercise(
        "09-whose-gradient",
        _whose_question,
        answer=lambda: tuple(_READINGS),
        slips=_whose_slips,
        hints=("The batch gradients are 1, 2 and 6.5.", "Which report is above all three?"),
        solution=lambda: "\n".join(f"{read():<8.6g} {name}" for name, read in _READINGS.items()),
    ),
)


# --------------------------------------------------------------------------------------------
# Lines of code


def batch_gradient(X: Array, y: Array, w: Array, rows: Array) -> Array:
    """The gradient of half the mean squared error over some rows."""
    return X[rows].T @ (X[rows] @ w - y[rows]) / len(rows)


def shuffled(X: Array, y: Array, order: Array) -> Array:
    """Inputs and targets in the new order, side by side."""
    return np.column_stack([X[order], y[order]])


def _line_inputs(rng: np.random.Generator, trial: int) -> tuple[Array, ...]:
    N, n_0, B = (3, 1, 2) if trial == 0 else (int(n) for n in rng.integers(3, 7, 3))
    rows = rng.permutation(N)[: min(B, N - 1)]
    X, y = rng.standard_normal((N, n_0)), rng.standard_normal(N)
    return X, y, rng.standard_normal(n_0), rows


def _shuffle_inputs(rng: np.random.Generator, trial: int) -> tuple[Array, ...]:
    N, n_0 = (4, 1) if trial == 0 else (int(n) for n in rng.integers(4, 8, 2))
    order = np.roll(rng.permutation(N), trial)
    return rng.standard_normal((N, n_0)), rng.standard_normal(N), order


def _line_slips() -> Sequence[Slip]:
    def error(X: Array, y: Array, w: Array, rows: Array) -> Any:
        return X[rows] @ w - y[rows]

    return [
        Slip(
            "the sum is divided by N",
            "A batch gradient is a mean over the batch: divide by the number of its rows.",
            lambda X, y, w, rows: X[rows].T @ error(X, y, w, rows) / len(X),
        ),
        Slip(
            "the sum is not divided",
            "The batch gradient is a mean: divide by the number of rows in the batch.",
            lambda X, y, w, rows: X[rows].T @ error(X, y, w, rows),
        ),
        Slip(
            "all samples are used",
            "Only the rows of the batch: X[rows], y[rows].",
            lambda X, y, w, rows: X.T @ (X @ w - y) / len(X),
        ),
        Slip(
            "the half is forgotten",
            "The half cancels the 2 of the square.",
            lambda X, y, w, rows: 2 * X[rows].T @ error(X, y, w, rows) / len(rows),
        ),
        Slip(
            "the targets are taken from the top of the file",
            "Inputs and targets need the same rows: y[rows].",
            lambda X, y, w, rows: X[rows].T @ (X[rows] @ w - y[: len(rows)]) / len(rows),
        ),
    ]


def _shuffle_slips() -> Sequence[Slip]:
    return [
        Slip(
            "only the inputs are shuffled",
            "The targets need the same order: y[order].",
            lambda X, y, order: np.column_stack([X[order], y]),
        ),
        Slip(
            "only the targets are shuffled",
            "The inputs need the same order: X[order].",
            lambda X, y, order: np.column_stack([X, y[order]]),
        ),
        Slip(
            "nothing is shuffled",
            "Row i of the result is row order[i] of the data.",
            lambda X, y, order: np.column_stack([X, y]),
        ),
        Slip(
            "the order is undone instead of applied",
            "Row i of the result is row order[i]; argsort gives the way back.",
            lambda X, y, order: np.column_stack([X, y])[np.argsort(order)],
        ),
    ]


_LINES = (
    Exercise(
        "09-batch-line",
        "Write batch_gradient(X, y, w, rows) in one line: the gradient with respect to w of the "
        "mean of (x_n . w - y_n)^2 / 2 over the samples in rows; X is (N, n_0), y (N,), w (n_0,).",
        answer=batch_gradient,
        slips=_line_slips,
        hints=(
            "The error of the batch is X[rows] @ w - y[rows].",
            "Error times input, summed over the batch, divided by len(rows).",
        ),
        solution=lambda: "return X[rows].T @ (X[rows] @ w - y[rows]) / len(rows)",
        inputs=_line_inputs,
        arguments=("X", "y", "w", "rows"),
    ),
    Exercise(
        "09-shuffle",
        "Write shuffled(X, y, order): X of shape (N, n_0) and, as a last column, y of shape (N,), "
        "both with row order[i] of the data as row i.",
        answer=shuffled,
        slips=_shuffle_slips,
        hints=("One order for both.", "np.column_stack sets a matrix and a vector side by side."),
        solution=lambda: "return np.column_stack([X[order], y[order]])",
        inputs=_shuffle_inputs,
        arguments=("X", "y", "order"),
    ),
)


EXERCISES = (*_PREDICTIONS, *_NUMBERS, *_SHORT, *_LINES)
