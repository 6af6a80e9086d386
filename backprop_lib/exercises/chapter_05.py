"""The exercises of chapter 5, *The chain rule on graphs*.

Right answers and wrong ones come from the book's automatic differentiation, from central
differences of the same function, or from a walk through the graph with a mistake in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from backprop_lib.autodiff import Tensor
from backprop_lib.errors import Array
from backprop_lib.exercises.kinds import Exercise, Slip
from backprop_lib.tally import count_edges, count_paths

Point = dict[str, float]


def gradient(function: Callable[..., Tensor], point: Point) -> list[float]:
    """The slopes of a function at a point, in the order of its arguments."""
    inputs = {key: Tensor(value) for key, value in point.items()}
    function(**inputs).backward()
    # Adding 0.0 takes the sign from a zero.
    return [0.0 if t.grad is None else float(t.grad) + 0.0 for t in inputs.values()]


# --------------------------------------------------------------------------------------------
# Predictions


_RISES, _FALLS, _STAYS = "it rises", "it falls", "it stays"
_FIRST: Point = {"x": -2.0, "y": 5.0, "z": -4.0}


def _sum_times(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    return (x + y) * z


def _after_nudge() -> str:
    slope = gradient(_sum_times, _FIRST)[0]
    return _RISES if slope > 0 else _FALLS if slope < 0 else _STAYS


def _nudge_slips() -> Sequence[Slip]:
    return [
        Slip(
            "only the sum is looked at",
            "q = x + y does rise, but f is q times z, and z is negative.",
            lambda: _RISES,
        ),
        Slip(
            "x is thought to be cut off by the product",
            "Put x = -1.9 in and compute f once more.",
            lambda: _STAYS,
        ),
    ]


def _fork_slope() -> float:
    return gradient(lambda a: (a**2) ** 2 + a**2, {"a": 3.0})[0]


def _fork_choice() -> str:
    return f"{_fork_slope():g}, the sum of both paths"


_UPPER, _LOWER = "108, the longer path", "6, the shorter path"
_BOTH, _MEAN = "114, the sum of both paths", "57, their mean"


def _fork_slips() -> Sequence[Slip]:
    return [
        Slip(
            "only the path through s is followed",
            "b is read twice: nudge a, and y moves through both.",
            lambda: _UPPER,
        ),
        Slip(
            "only the path past s is followed",
            "b is read twice: the square moves as well, and much faster.",
            lambda: _LOWER,
        ),
        Slip(
            "the two paths are averaged",
            "Both motions happen, one on top of the other: they add.",
            lambda: _MEAN,
        ),
    ]


_PREDICTIONS = (
    Exercise(
        "05-predict-nudge",
        "f = (x + y) z at x = -2, y = 5, z = -4, where f is -12. Now x is raised a little. What "
        "happens to f?",
        answer=_after_nudge,
        slips=_nudge_slips,
        hints=(
            "What does x do to the sum, and what does the sum do to the product?",
            "The sum rises as fast as x does; the product moves z = -4 times as fast as the sum.",
        ),
        solution=lambda: f"df/dx = z = {gradient(_sum_times, _FIRST)[0]:g}: {_after_nudge()}",
        choices=(_RISES, _FALLS, _STAYS),
    ),
    Exercise(
        "05-predict-fork",
        "y = b^2 + b with b = a^2, at a = 3. One path from a to y has the slopes 6, 18 and 1, the "
        "other 6 and 1. What is dy/da?",
        answer=_fork_choice,
        slips=_fork_slips,
        hints=(
            "If a is nudged, which of the two terms of y moves?",
            "Write y = a^4 + a^2 and differentiate by hand.",
        ),
        solution=lambda: f"dy/da = 6*18*1 + 6*1 = {_fork_slope():g}",
        choices=(_UPPER, _LOWER, _BOTH, _MEAN),
    ),
)


# --------------------------------------------------------------------------------------------
# Label the wires


_FOUR: Point = {"x": 2.0, "y": -3.0, "z": 1.0, "w": 4.0}


def _four(x: Tensor, y: Tensor, z: Tensor, w: Tensor) -> Tensor:
    return (x * y + z.maximum(w)) ** 2


def _label_slips() -> Sequence[Slip]:
    x, y = _FOUR["x"], _FOUR["y"]
    g = gradient(_four, _FOUR)[3]  # what arrives at the plus, and so at the max
    return [
        Slip(
            "multiply hands each factor its own value",
            "It swaps: what reaches x is multiplied by y.",
            lambda: [g * x, g * y, 0.0, g],
        ),
        Slip(
            "max hands the gradient to both",
            "It routes: only the larger one moves the result.",
            lambda: [g * y, g * x, g, g],
        ),
        Slip(
            "max hands the gradient to the smaller one",
            "If the smaller one is nudged, the maximum does not notice.",
            lambda: [g * y, g * x, g, 0.0],
        ),
        Slip(
            "the square is left out on the way back",
            "What arrives at the plus is the slope of the square, twice the sum, not 1.",
            lambda: [y, x, 0.0, 1.0],
        ),
    ]


_TWO: Point = {"a": 2.0, "b": 3.0}


def _twice(a: Tensor, b: Tensor) -> Tensor:
    return (a * b) * (a + b)


def _twice_slips() -> Sequence[Slip]:
    a, b = _TWO.values()
    by_product, by_sum = [b * (a + b), a * (a + b)], [a * b, a * b]
    return [
        Slip(
            "only the paths through the product are followed",
            "a and b are read by the sum as well; what comes back from there is added.",
            lambda: by_product,
        ),
        Slip(
            "only the paths through the sum are followed",
            "a and b are read by the product as well; what comes back from there is added.",
            lambda: by_sum,
        ),
        Slip(
            "what comes back on the two wires is multiplied",
            "Along a path slopes multiply; over paths they add.",
            lambda: [p * s for p, s in zip(by_product, by_sum, strict=True)],
        ),
    ]


# --------------------------------------------------------------------------------------------
# Count; ties


_SIZES = (5, 4, 4, 3)


def _count_slips() -> Sequence[Slip]:
    edges, paths = count_edges(_SIZES), count_paths(_SIZES)
    return [
        Slip("the two are exchanged", "Wires first, then paths.", lambda: [paths, edges]),
        Slip(
            "paths are taken to be wires",
            "A path goes through all layers: one unit is chosen in each.",
            lambda: [edges, edges],
        ),
        Slip(
            "units are counted instead of wires",
            "Each unit has a wire from every unit of the layer before.",
            lambda: [sum(_SIZES), paths],
        ),
        Slip(
            "only inputs and outputs are multiplied",
            "Between them each hidden layer offers a choice as well.",
            lambda: [edges, _SIZES[0] * _SIZES[-1]],
        ),
    ]


_ZERO, _HALF, _ONE, _DOUBLE = "0", "one half", "1", "2"


def _tie() -> str:
    slope = gradient(lambda x: x.maximum(x), {"x": 1.5})[0]
    return {0.0: _ZERO, 0.5: _HALF, 1.0: _ONE, 2.0: _DOUBLE}[slope]


def _tie_slips() -> Sequence[Slip]:
    return [
        Slip(
            "neither side counts as the larger",
            "max(x, x) is x, and that moves with x.",
            lambda: _ZERO,
        ),
        Slip(
            "the half of one side is taken for the whole",
            "There are two wires from x, and a fork adds what comes back on both.",
            lambda: _HALF,
        ),
        Slip(
            "both sides count as the larger",
            "Then a nudge of x would move max(x, x) twice as far as x itself.",
            lambda: _DOUBLE,
        ),
    ]


# --------------------------------------------------------------------------------------------
# A neuron


_NEURON: Point = {"w": 0.5, "x": 2.0, "b": -1.0}


def _neuron(w: Tensor, x: Tensor, b: Tensor) -> Tensor:
    return 0.5 * ((w * x + b).sigmoid() - 0.0) ** 2


def _neuron_slips() -> Sequence[Slip]:
    w, x, _ = _NEURON.values()
    right = gradient(_neuron, _NEURON)
    error = right[2]
    a = 0.5  # the neuron's sum is 0
    return [
        Slip(
            "the slope of the sigmoid is left out",
            "Between the sum and a stands the sigmoid: times a(1 - a).",
            lambda: [a * x, a * w, a],
        ),
        Slip(
            "the product hands each factor its own value",
            "Multiply swaps: w gets x, and x gets w.",
            lambda: [error * w, error * x, error],
        ),
        Slip(
            "the error a - y is left out",
            "The half square hands back a - y, not 1.",
            lambda: [g / a for g in right],
        ),
    ]


def _pairs(names: Sequence[str], numbers: Sequence[float]) -> str:
    return "\n".join(f"{name}: {number:.4f}" for name, number in zip(names, numbers, strict=True))


_NUMBERS = (
    Exercise(
        "05-label-wires",
        "f = (x y + max(z, w))^2 at x = 2, y = -3, z = 1, w = 4. What are the gradients of x, y, "
        "z and w?",
        answer=cache(lambda: gradient(_four, _FOUR)),
        slips=cache(_label_slips),
        hints=(
            "Forwards first. Then start at the output with 1: what does the square hand back?",
            "The plus gets twice the sum and hands it on to both sides, to the product and to max.",
        ),
        solution=lambda: _pairs("xyzw", gradient(_four, _FOUR)),
    ),
    Exercise(
        "05-fork-twice",
        "y = (a b)(a + b) at a = 2, b = 3. What are dy/da and dy/db?",
        answer=cache(lambda: gradient(_twice, _TWO)),
        slips=cache(_twice_slips),
        hints=(
            "Both a and b are read twice: by the product and by the sum.",
            "The product a b gets a + b from behind, the sum a + b gets a b.",
        ),
        solution=lambda: _pairs("ab", gradient(_twice, _TWO)),
    ),
    Exercise(
        "05-count",
        "A network has the layers 5, 4, 4, 3. How many wires has it, and how many paths lead from "
        "an input to an output? Two numbers.",
        answer=lambda: [count_edges(_SIZES), count_paths(_SIZES)],
        slips=_count_slips,
        hints=(
            "A wire joins neighbouring layers; a path chooses a unit in every layer.",
            "Wires: 5*4 + 4*4 + 4*3. Paths: a product of four numbers.",
        ),
        solution=lambda: _pairs(("wires", "paths"), (count_edges(_SIZES), count_paths(_SIZES))),
    ),
    Exercise(
        "05-tie",
        "y = max(x, x): both inputs of the max are the same x. What should a program answer for "
        "dy/dx?",
        answer=_tie,
        slips=_tie_slips,
        hints=("What is max(x, x)?", "It is x: so how fast does it move with x?"),
        solution=lambda: "1: whatever the shares of the two wires are, they have to add up to it",
        choices=(_ZERO, _HALF, _ONE, _DOUBLE),
    ),
    Exercise(
        "05-neuron",
        "C = 1/2 (sigmoid(w x + b) - y)^2 at w = 0.5, x = 2, b = -1, y = 0. What are the "
        "gradients of w, x and b? Three numbers.",
        answer=cache(lambda: gradient(_neuron, _NEURON)),
        slips=cache(_neuron_slips),
        hints=(
            "Forwards first: the sum is 0, so the neuron answers 1/2.",
            "At the sum arrives (a - y) a (1 - a) = 1/8; plus hands it on, times swaps.",
        ),
        solution=lambda: _pairs("wxb", gradient(_neuron, _NEURON)),
    ),
)


# --------------------------------------------------------------------------------------------
# A gate, and four programs


def back(g: Array, x: Array, y: Array) -> Array:
    """What reaches x and what reaches y from behind a node that computes x^2 y."""
    return np.array([g * 2 * x * y, g * x**2])


def _gate_inputs(rng: np.random.Generator, trial: int) -> tuple[Array, ...]:
    shape = (1, 2) if trial == 0 else tuple(rng.integers(1, 8, 2))
    return tuple(rng.uniform(0.5, 2.0, shape) * rng.choice([-1, 1], shape) for _ in range(3))


def _gate_slips() -> Sequence[Slip]:
    return [
        Slip(
            "what arrives is left out",
            "The local slopes are right; multiply them by g.",
            lambda g, x, y: np.array([2 * x * y, x**2]),
        ),
        Slip(
            "the two are exchanged",
            "First what reaches x, then what reaches y.",
            lambda g, x, y: np.array([g * x**2, g * 2 * x * y]),
        ),
        Slip(
            "the square is taken for a plain factor",
            "x enters twice: x^2 y moves 2 x y times as fast as x.",
            lambda g, x, y: np.array([g * x * y, g * x**2]),
        ),
        Slip(
            "only the other factor is taken",
            "For x the other factor is y, but the square has the slope 2 x besides.",
            lambda g, x, y: np.array([g * y, g * x**2]),
        ),
    ]


_READS = {"y": ("s", "b"), "s": ("b",), "b": ("a",)}
_SLOPES = {"y": (1.0, 1.0), "s": (18.0,), "b": (6.0,)}  # at a = 3, b = 9
_NAMES = ("overwrites", "b_too_early", "b_twice", "hasty")


def _walk(order: Sequence[str], add: bool = True) -> float:
    """The gradient of a when the nodes are visited in this order."""
    grad = {"y": 1.0, "s": 0.0, "b": 0.0, "a": 0.0}
    for key in order:
        for read, slope in zip(_READS[key], _SLOPES[key], strict=True):
            grad[read] = add * grad[read] + grad[key] * slope
    return grad["a"]


def _reported() -> dict[str, float]:
    """What each of the four programs answers."""
    # The hasty recursion visits y, then s and below it b, then b once more, complete each time.
    walks = (_walk("ysb", add=False), _walk("ybs"), _walk("ybsb"), _walk("ysbb"))
    return dict(zip(_NAMES, walks, strict=True))


def _mistake_slips() -> Sequence[Slip]:
    overwrites, early, twice, hasty = _NAMES
    return [
        Slip(
            "the two that visit b in a wrong place are exchanged",
            "Visited once and too early, b hands on only what it has by then: 1, so 6.",
            lambda: (overwrites, twice, early, hasty),
        ),
        Slip(
            "the two that hand b on twice are exchanged",
            "In the hasty recursion b is complete, 19, at both visits: twice 114.",
            lambda: (overwrites, early, hasty, twice),
        ),
        Slip(
            "overwriting and visiting too early are exchanged",
            "Overwriting, the last writer wins: in the order y, s, b that is s, with 18.",
            lambda: (early, overwrites, twice, hasty),
        ),
    ]


def _mistake_question() -> str:
    numbers = ", ".join(f"{value:g}" for value in _reported().values())
    return (
        f"b = a^2, s = b^2, y = s + b at a = 3. Four programs answer {numbers} for dy/da. Each "
        f"makes one mistake: overwrites (assigns instead of adding; order y, s, b), b_too_early "
        f"(order y, b, s), b_twice (order y, b, s, b), hasty (each node hands its shares to what "
        f"it reads, then visits those). Name them, in the order of the answers."
    )


_PROGRAMS = (
    Exercise(
        "05-gate",
        "Write back(g, x, y) for a node that computes x^2 y: what reaches x and what reaches y "
        "when g arrives, as a list of two. The arguments are arrays of one shape.",
        answer=back,
        slips=_gate_slips,
        hints=(
            "How fast does x^2 y move with x, and how fast with y?",
            "The local slopes are 2 x y and x^2; each is multiplied by g.",
        ),
        solution=lambda: "return [g * 2 * x * y, g * x**2]",
        inputs=_gate_inputs,
        arguments=("g", "x", "y"),
    ),
    Exercise(
        "05-whose-mistake",
        _mistake_question,
        answer=lambda: _NAMES,
        slips=_mistake_slips,
        hints=(
            "Write down grad of s, b and a after each visit, for each order.",
            "The right way: s gets 1, b gets 1 and then 18, and a gets 6 times 19.",
        ),
        solution=lambda: _pairs(_NAMES, list(_reported().values())),
    ),
)

EXERCISES = (*_PREDICTIONS, *_NUMBERS, *_PROGRAMS)
