"""The exercises of chapter 13, *Automatic differentiation*.

Right answers come from the engine or from one of its rules, wrong ones from the same rule with one
mistake in it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from backprop_lib.autodiff import Tensor, gradients, topological_order, unbroadcast
from backprop_lib.errors import Array
from backprop_lib.exercises.kinds import Exercise, Slip

Inputs = tuple[Array, ...]


def _chosen(choice: str, says: str, advice: str) -> Slip:
    return Slip(says, advice, lambda: choice)


# --------------------------------------------------------------------------------------------
# Predictions

_WHEN = ("when y is computed", "when y.backward() is called", "when Tensor(3.0) is made")
_TWICE = ("114", "228", "12996", "an error")
_KINKS = ("0 and 0", "0 and 1/2", "1/2 and 1/2", "1 and 1")


def _fork() -> tuple[Tensor, Tensor]:
    a = Tensor(3.0)
    b = a**2
    return a, b**2 + b


@cache
def _when_is_the_graph_built() -> str:
    a, y = _fork()
    nodes = len(topological_order(y))
    return _WHEN[0] if nodes > 1 and not a.parents else _WHEN[1]


@cache
def _after_two_backwards() -> str:
    a, y = _fork()
    y.backward()
    y.backward()
    return f"{float(a.grad):g}" if a.grad is not None else _TWICE[-1]


@cache
def _slopes_at_the_kink() -> str:
    x = Tensor(0.0)
    slopes = [float(gradients(y, [x])[0]) for y in (x.relu(), x.maximum(0))]
    return " and ".join({0.0: "0", 0.5: "1/2", 1.0: "1"}[slope] for slope in slopes)


_PREDICTIONS = (
    Exercise(
        "13-predict-when",
        "a = Tensor(3.0), then b = a**2, y = b**2 + b, then y.backward(). When does the engine "
        "learn that y was made of b, and b of a?",
        answer=_when_is_the_graph_built,
        slips=lambda: (
            _chosen(
                _WHEN[1],
                "backward is thought to look at the program",
                "It cannot: by then Python has run the lines and forgotten them.",
            ),
            _chosen(
                _WHEN[2],
                "the input is thought to know what it will be used for",
                "At that moment nothing has been computed from it.",
            ),
        ),
        hints=(
            "Who is there when b**2 is computed?",
            "The operation itself makes the result: it can write down what it read.",
        ),
        solution=lambda: f"{_when_is_the_graph_built()}: before backward, y has its parents",
        choices=_WHEN,
    ),
    Exercise(
        "13-predict-twice",
        "y = b**2 + b, b = a**2, a = 3, and dy/da = 114. y.backward() is called twice in a row. "
        "What is a.grad?",
        answer=_after_two_backwards,
        slips=lambda: (
            _chosen(
                _TWICE[0],
                "the second call is thought to replace what the first one left",
                "backward adds to grad, as every wire adds at a fork.",
            ),
            _chosen(
                _TWICE[2],
                "the second gradient is thought to be multiplied on",
                "Along a path slopes multiply; two calls are like two paths.",
            ),
            _chosen(
                _TWICE[3],
                "the engine is thought to throw its graph away",
                "PyTorch does that, to save memory; ours keeps it while y exists.",
            ),
        ),
        hints=("What does a fork do with what comes back?", "It adds. So does backward."),
        solution=lambda: f"{_after_two_backwards()}: 114 + 114",
        choices=_TWICE,
    ),
    Exercise(
        "13-predict-kink",
        "x = Tensor(0.0). x.relu() and x.maximum(0) are the same number. What are their two slopes "
        "at 0, in this order?",
        answer=_slopes_at_the_kink,
        slips=lambda: (
            _chosen(
                _KINKS[0],
                "the same function is thought to have the same rule",
                "relu asks whether x > 0; maximum has two operands and treats them alike.",
            ),
            _chosen(
                _KINKS[2],
                "relu is thought to be a maximum of two operands",
                "It has a rule of its own, g * (x > 0).",
            ),
            _chosen(
                _KINKS[3],
                "the slope is taken from the right",
                "At 0 the comparison x > 0 is false, and a tie is shared.",
            ),
        ),
        hints=(
            "Look for both in the table of rules.",
            "At 0, x > 0 is false, and x - y is 0: a tie.",
        ),
        solution=lambda: f"{_slopes_at_the_kink()}: two programs for one function, two answers",
        choices=_KINKS,
    ),
)


# --------------------------------------------------------------------------------------------
# Rules


def times_back(g: Array, x: Array, y: Array) -> Array:
    """What reaches x and y when g reaches their product; arrays of one shape."""
    return np.stack([g * y, g * x])


def tanh_back(g: Array, x: Array) -> Array:
    """What reaches x when g reaches tanh(x)."""
    return g * (1 - np.tanh(x) ** 2)


def abs_back(g: Array, x: Array) -> Array:
    """What reaches x when g reaches |x|; at 0 nothing, as PyTorch has it."""
    return g * np.sign(x)


def matmul_back(g: Array, X: Array, Y: Array) -> Array:
    """What reaches X and Y when g reaches X @ Y, each row by row, as one vector."""
    return _joined(g @ Y.T, X.T @ g)


def undo(g: Array, x: Array) -> Array:
    """What reaches x when g reaches the array that x was broadcast to."""
    return unbroadcast(g, x.shape)


def _joined(*parts: Array) -> Array:
    return np.concatenate([part.ravel() for part in parts])


def _alike(count: int) -> Callable[[np.random.Generator, int], Inputs]:
    def inputs(rng: np.random.Generator, trial: int) -> Inputs:
        shape = (2,) if trial == 0 else tuple(int(n) for n in rng.integers(1, 6, 1 + trial % 3))
        return tuple(rng.standard_normal(shape) for _ in range(count))

    return inputs


def _with_zeros(rng: np.random.Generator, trial: int) -> Inputs:
    """A gradient, and whole numbers of which some are 0."""
    g, x = _alike(2)(rng, trial)
    x = np.sign(x) * rng.integers(0, 3, x.shape)
    x.flat[0] = 0.0
    return g, x


def _matrices(rng: np.random.Generator, trial: int) -> Inputs:
    n, k, m = (2, 2, 2) if trial < 2 else (int(i) for i in rng.integers(1, 6, 3))
    draw = rng.standard_normal
    return draw((n, m)), draw((n, k)), draw((k, m))


def _broadcast_inputs(rng: np.random.Generator, trial: int) -> Inputs:
    """A gradient (N, n) and an array of shape (n,), (1, n), (N, 1) or (N, n)."""
    N, n = (2, 2) if trial == 0 else (int(i) for i in rng.integers(2, 6, 2))
    shape = ((n,), (N, 1), (1, n), (N, n))[trial % 4]
    return rng.standard_normal((N, n)), rng.standard_normal(shape)


def _averaged(g: Array, x: Array) -> Array:
    total = unbroadcast(g, x.shape)
    return total * (total.size / g.size)


def _first_axis(g: Array, x: Array) -> Array:
    return g.sum(axis=0).reshape(x.shape)


def _one_copy(g: Array, x: Array) -> Array:
    return g[tuple(slice(0, n) for n in (1,) * (2 - x.ndim) + x.shape)].reshape(x.shape)


_RULES = (
    Exercise(
        "13-times",
        "Write times_back(g, x, y) for out = x * y: what reaches x and what reaches y when "
        "g = dJ/dout arrives. Arrays of one shape; return np.stack of the two.",
        answer=times_back,
        slips=lambda: (
            Slip(
                "each factor is given its own value",
                "A product swaps: out moves y times as fast as x.",
                lambda g, x, y: np.stack([g * x, g * y]),
            ),
            Slip(
                "what arrives is left out",
                "The local slope is y; the chain rule multiplies it by g.",
                lambda g, x, y: np.stack([y, x]),
            ),
            Slip(
                "a product is treated like a sum",
                "Nudge x by h: x * y moves by h * y, not by h.",
                lambda g, x, y: np.stack([g, g]),
            ),
        ),
        hints=(
            "How fast does x * y move with x?",
            "y times as fast; and J moves g times as fast as out.",
        ),
        solution=lambda: "return np.stack([g * y, g * x])",
        inputs=_alike(3),
        arguments=("g", "x", "y"),
    ),
    Exercise(
        "13-tanh",
        "Write tanh_back(g, x) for out = tanh(x), entry by entry: what reaches x when g = dJ/dout "
        "arrives.",
        answer=tanh_back,
        slips=lambda: (
            Slip(
                "the slope is taken of x instead of out",
                "1 - out**2: the slope is written with the result, not with the input.",
                lambda g, x: g * (1 - x**2),
            ),
            Slip(
                "the slope is the sigmoid's",
                "a (1 - a) belongs to the sigmoid; for tanh it is 1 - a**2.",
                lambda g, x: g * np.tanh(x) * (1 - np.tanh(x)),
            ),
            Slip(
                "what arrives is left out",
                "The local slope is only one factor; the other is g.",
                lambda g, x: 1 - np.tanh(x) ** 2,
            ),
        ),
        hints=("What is the slope of tanh, written with its own value t?", "1 - t**2."),
        solution=lambda: "return g * (1 - np.tanh(x) ** 2)",
        inputs=_alike(2),
        arguments=("g", "x"),
    ),
    Exercise(
        "13-matmul",
        "Write matmul_back(g, X, Y) for out = X @ Y: what reaches X, row by row, then what reaches "
        "Y, row by row, as one vector (np.concatenate), when g = dJ/dout arrives.",
        answer=matmul_back,
        slips=lambda: (
            Slip(
                "neither factor is transposed",
                "The summed index must meet itself: dJ/dX_ik = sum_j g_ij Y_kj.",
                lambda g, X, Y: _joined(g @ Y, X @ g),
            ),
            Slip(
                "the factors stand in the other order",
                "dJ/dX has the rows of g, so g stands first: g @ Y.T.",
                lambda g, X, Y: _joined(Y.T @ g, g @ X.T),
            ),
            Slip(
                "the gradient of Y is averaged over the rows",
                "1/N lives in the loss, hence in g already.",
                lambda g, X, Y: _joined(g @ Y.T, X.T @ g / len(X)),
            ),
            Slip(
                "the two answers are exchanged",
                "First what reaches X.",
                lambda g, X, Y: _joined(X.T @ g, g @ Y.T),
            ),
        ),
        hints=(
            "out_ij = sum_k X_ik Y_kj. Who reads X_ik?",
            "Every out_ij of row i, times Y_kj: sum over j, which is g @ Y.T.",
        ),
        solution=lambda: "return np.concatenate([(g @ Y.T).ravel(), (X.T @ g).ravel()])",
        inputs=_matrices,
        arguments=("g", "X", "Y"),
    ),
    Exercise(
        "13-unbroadcast",
        "x has the shape (n,), (1, n), (N, 1) or (N, n) and was broadcast to (N, n). Write "
        "undo(g, x): dJ/dx, of x's shape, from g = dJ/d(broadcast x) of shape (N, n).",
        answer=undo,
        slips=lambda: (
            Slip(
                "the copies' gradients are averaged",
                "A copy sums on the way back: every copy is a path.",
                _averaged,
            ),
            Slip(
                "the batch axis is summed whatever the shape of x",
                "A column (N, 1) was copied along the other axis.",
                _first_axis,
            ),
            Slip(
                "only one of the copies is heard",
                "All copies moved with x: add up what comes back from each.",
                _one_copy,
            ),
            Slip(
                "the copies are left unsummed",
                "x has fewer numbers than g, and each wants one gradient.",
                lambda g, x: g,
            ),
        ),
        hints=(
            "Along which axes was x copied?",
            "Along those where x has length 1, and along the first if x has only one axis.",
        ),
        solution=lambda: (
            "if x.ndim == 1:\n"
            "    return g.sum(axis=0)\n"
            "copied = tuple(i for i in (0, 1) if x.shape[i] == 1)\n"
            "return g.sum(axis=copied, keepdims=True)"
        ),
        inputs=_broadcast_inputs,
        arguments=("g", "x"),
    ),
    Exercise(
        "13-abs",
        "Write abs_back(g, x) for out = abs(x), entry by entry: what reaches x when g = dJ/dout "
        "arrives. At x = 0 it shall say what PyTorch says.",
        answer=abs_back,
        slips=lambda: (
            Slip(
                "0 is counted among the positive numbers",
                "That is JAX's answer, the slope from the right; PyTorch says 0 at 0.",
                lambda g, x: g * np.where(x >= 0, 1.0, -1.0),
            ),
            Slip(
                "0 is counted among the negative numbers",
                "That is the slope from the left; PyTorch says 0 at 0.",
                lambda g, x: g * np.where(x > 0, 1.0, -1.0),
            ),
            Slip(
                "the value is taken for the slope",
                "abs(x) moves as fast as x, up or down; how large x is does not matter.",
                lambda g, x: g * np.abs(x),
            ),
            Slip(
                "what arrives is left out",
                "The local slope is only one factor; the other is g.",
                lambda g, x: np.sign(x),
            ),
        ),
        hints=(
            "Left of 0 the slope is -1, right of it 1. What does PyTorch say at 0?",
            "One function of numpy has these three values.",
        ),
        solution=lambda: "return g * np.sign(x)",
        inputs=_with_zeros,
        arguments=("g", "x"),
    ),
)


# --------------------------------------------------------------------------------------------
# The tape and the loop


def _shares_walked(doublings: int) -> list[int]:
    """Operations visited for x + x in a row: path by path, and once each."""
    x = Tensor(1.0)
    for _ in range(doublings):
        x = x + x

    def walk(node: Tensor) -> int:
        return bool(node.parents) + sum(walk(parent) for parent in node.parents)

    return [walk(x), sum(bool(node.parents) for node in topological_order(x))]


_SAMPLES = ((2.0, 3.0), (-1.0, 1.0))  # x and its target
_START, _ETA = 0.5, 0.1


def _slope(w: float, sample: tuple[float, float]) -> float:
    weight = Tensor(w)
    x, target = sample
    return float(gradients((weight * x - target) ** 2 / 2, [weight])[0])


def _two_steps(zeroed: bool) -> float:
    """The weight after a step on each sample, with or without zero_grad between them."""
    first = _slope(_START, _SAMPLES[0])
    w = _START - _ETA * first
    return w - _ETA * (_slope(w, _SAMPLES[1]) + (0 if zeroed else first))


def _one_step_on_both() -> float:
    return _START - _ETA * sum(_slope(_START, sample) for sample in _SAMPLES)


_LOOP = (
    Exercise(
        "13-visits",
        "x is doubled ten times in a row by x = x + x. How many operations are visited by a "
        "recursion that hands on only the share it was brought, and how many by gradients? "
        "Two numbers.",
        answer=lambda: _shares_walked(10),
        slips=lambda: (
            Slip(
                "only the visits to the first addition are counted",
                "That one is visited 2**9 times; add the others.",
                lambda: [2**9, 10],
            ),
            Slip(
                "the paths are counted instead of the visits",
                "There are 2**10 paths from end to end; the additions are visited "
                "1 + 2 + 4 + ... + 2**9 times.",
                lambda: [2**10, 10],
            ),
            Slip(
                "x itself is counted as an operation",
                "x was given, not computed: nothing is handed on from it.",
                lambda: [2**11 - 1, 11],
            ),
        ),
        hints=(
            "The last addition is visited once, the one below it twice.",
            "1 + 2 + 4 + ... with ten terms.",
        ),
        solution=lambda: "path by path, 1 + 2 + ... + 2**9: {:.0f}\nonce each: {:.0f}".format(
            *_shares_walked(10)
        ),
    ),
    Exercise(
        "13-forgotten",
        "J = (w x - t)^2/2, w = 0.5, eta = 0.1. One step on the sample x = 2, t = 3, then one on "
        "x = -1, t = 1, and zero_grad is forgotten between them. What is w at the end?",
        answer=lambda: _two_steps(zeroed=False),
        slips=lambda: (
            Slip(
                "the gradients are zeroed between the steps",
                "Here they are not: the second step takes the first gradient once more.",
                lambda: _two_steps(zeroed=True),
            ),
            Slip(
                "both gradients are taken at the start",
                "The weight has moved before the second forward pass.",
                _one_step_on_both,
            ),
            Slip(
                "the second sample's own gradient is forgotten",
                "backward adds to what is there; it does not keep the old value alone.",
                lambda: _START - 2 * _ETA * _slope(_START, _SAMPLES[0]),
            ),
        ),
        hints=(
            "The first gradient is (w x - t) x = -4, so w becomes 0.9.",
            "After the second backward, grad holds the sum of both gradients.",
        ),
        solution=lambda: (
            f"first gradient {_slope(_START, _SAMPLES[0]):g}, w = "
            f"{_START - _ETA * _slope(_START, _SAMPLES[0]):g}; the second, "
            f"{_slope(0.9, _SAMPLES[1]):g}, is added to it: w = {_two_steps(zeroed=False):.4f}"
        ),
    ),
)

EXERCISES = (*_PREDICTIONS, *_RULES, *_LOOP)
