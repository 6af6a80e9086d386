"""The exercises of chapter 4, *The multilayer perceptron*.

Networks are judged by what they answer, not by their weights: many weights give one function. Right
and wrong networks are both wired here and run by the library's own forward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise, permutations, product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop_lib.activations import Activation, identity, relu, sigmoid, step, tanh
from backprop_lib.backprop import propagate_back
from backprop_lib.errors import Array
from backprop_lib.exercises.kinds import Exercise, Slip
from backprop_lib.losses import bce
from backprop_lib.network import MLP, Params, constant, count_parameters, propagate, zeros

Network = Callable[[Array], Any]


def wired(W: Sequence[ArrayLike], b: Sequence[ArrayLike], *phi: Activation) -> Network:
    """The function that a network with these weights is."""
    params = Params.of(W=W, b=b)
    mlp = MLP(params.sizes, phi)
    return lambda X: np.array(propagate(mlp, params, X).a[-1])


# --------------------------------------------------------------------------------------------
# Predictions

_POINTS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
_OR_AND: tuple[ArrayLike, ArrayLike] = ([[1, 1], [1, 1]], [-0.5, -1.5])
_THIRD = (
    "no: three lines are still lines",
    "yes, but the weights can only be found by training",
    "yes, with weights of 1 and -1 that can be found on paper",
    "only if the third reads x1 and x2 as well",
)


def xor(X: Array) -> Array:
    """At least one, but not both: three step neurons."""
    return wired([_OR_AND[0], [[1, -1]]], [_OR_AND[1], [-0.5]], step, step)(X)


def _third_neuron() -> str:
    """Try all weights of 1 and -1 on the answers of OR and AND."""
    wanted = [0.0, 1.0, 1.0, 0.0]
    for w in product((1, -1), repeat=2):
        answers = wired([_OR_AND[0], [list(w)]], [_OR_AND[1], [-0.5]], step, step)(_POINTS)
        if answers.ravel().tolist() == wanted:
            return _THIRD[2]
    return _THIRD[0]


_THIRD_NEURON_SLIPS = (
    Slip(
        "the third line is drawn in the plane of the inputs",
        "It is drawn in the plane of the two answers, where points may have moved together.",
        lambda: _THIRD[0],
    ),
    Slip(
        "weights are taken to come from data only",
        "XOR means at least one, but not both: can you wire each half of that sentence?",
        lambda: _THIRD[1],
    ),
    Slip(
        "the two answers are taken to say too little",
        "Write the two answers beside the four points: do they decide XOR?",
        lambda: _THIRD[3],
    ),
)


_LINEAR = (3, 8, 8, 8, 2)
_HOW_MANY = ("all 194", "about half of them", "24", "8")


def _enough_numbers() -> str:
    needed = count_parameters((_LINEAR[0], _LINEAR[-1]))
    return next(choice for choice in _HOW_MANY if choice == str(needed))


_ENOUGH_NUMBERS_SLIPS = (
    Slip(
        "every layer is taken to add something",
        "A sum of sums is a sum: put the first layer's formula into the second's.",
        lambda: _HOW_MANY[0],
    ),
    Slip(
        "some of the layers are taken to join",
        "If two join, the result joins with the third, and so on.",
        lambda: _HOW_MANY[1],
    ),
    Slip(
        "the width of the hidden layers is taken to survive",
        "What is left leads from 3 inputs to 2 outputs; no 8 occurs in it.",
        lambda: _HOW_MANY[2],
    ),
)


_WHO_MOVES = (
    "all of them",
    "none of them, whatever the activation",
    "it depends on the activation; with tanh only one ever moves",
    "all weights, but no bias",
)


def _moving(phi: Activation) -> int:
    """How many numbers of a network of zeros have a gradient after one step."""
    mlp = MLP((2, 4, 1), (phi, sigmoid))
    params = mlp.init(np.random.default_rng(0), zeros)
    X, y = np.random.default_rng(1).standard_normal((9, 2)), (np.arange(9.0) < 3)[:, None]
    moved = np.zeros(params.theta.size, dtype=bool)
    for _ in range(5):
        grads = propagate_back(mlp, params, propagate(mlp, params, X), y.astype(float), bce).grads
        moved |= grads.theta != 0
        params = params.like(params.theta - grads.theta)
    return int(moved.sum())


def _who_moves() -> str:
    return _WHO_MOVES[2] if _moving(tanh) == 1 < _moving(sigmoid) else _WHO_MOVES[0]


_WHO_MOVES_SLIPS = (
    Slip(
        "a slope is expected wherever there is a number",
        "Nudge a weight of the first layer: its effect is multiplied by a weight that is 0.",
        lambda: _WHO_MOVES[0],
    ),
    Slip(
        "a slope of 0 is expected everywhere",
        "Nudge the bias of the output: the answer moves. And a sigmoid says 1/2 at z = 0.",
        lambda: _WHO_MOVES[1],
    ),
    Slip(
        "weights and biases are taken to differ in kind",
        "A bias is a weight whose input is 1. Ask of each number what it is multiplied by.",
        lambda: _WHO_MOVES[3],
    ),
)


def _shows_who_moves() -> str:
    counts = ", ".join(f"{phi.name}: {_moving(phi)}" for phi in (tanh, relu, sigmoid))
    return f"{_who_moves()} (numbers that move in five steps, of 17: {counts})"


_PREDICTIONS = (
    Exercise(
        "04-predict-third",
        "Two neurons read x1 and x2; a third reads only the answers of these two. Can the third "
        "answer XOR?",
        answer=_third_neuron,
        slips=lambda: _THIRD_NEURON_SLIPS,
        hints=("What does the third neuron see of the four points?", "At least one; not both."),
        solution=lambda: f"{_third_neuron()}: OR, AND, and 'the first, but not the second'",
        choices=_THIRD,
    ),
    Exercise(
        "04-predict-collapse",
        "A network of sizes (3, 8, 8, 8, 2) has 194 numbers. Leave its activations out: how many "
        "numbers would do the same job?",
        answer=_enough_numbers,
        slips=lambda: _ENOUGH_NUMBERS_SLIPS,
        hints=("Put one layer's formula into the next one's.", "One matrix and one vector."),
        solution=lambda: f"{_enough_numbers()}: a 2 x 3 matrix and 2 biases",
        choices=_HOW_MANY,
    ),
    Exercise(
        "04-predict-zeros",
        "A 2-4-1 network with a sigmoid at its output starts with all weights and biases 0. Which "
        "numbers move when training begins?",
        answer=cache(_who_moves),
        slips=lambda: _WHO_MOVES_SLIPS,
        hints=(
            "Nudge one number. By what is its effect multiplied on the way to the output?",
            "What does a hidden unit answer at z = 0: tanh, ReLU, sigmoid?",
        ),
        solution=_shows_who_moves,
        choices=_WHO_MOVES,
    ),
)


# --------------------------------------------------------------------------------------------
# Forward, by hand

_W1, _B1 = np.array([[1.5, -1.1], [0.7, 0.4]]), np.array([0.3, -0.2])
_W2, _B2 = np.array([[2.0, -3.0]]), np.array([0.5])


def _by_hand(
    W1: ArrayLike = _W1,
    b1: ArrayLike = _B1,
    b2: ArrayLike = _B2,
    phi: Activation = relu,
    last: Activation = identity,
) -> list[float]:
    """Both hidden sums and the answer for x = (1.2, 2.3)."""
    params = Params.of(W=[W1, _W2], b=[b1, b2])
    cache = propagate(MLP((2, 2, 1), (phi, last)), params, np.array([[1.2, 2.3]]))
    return [*cache.z[1][0].tolist(), *cache.a[2][0].tolist()]


_BY_HAND_SLIPS = (
    Slip(
        "the hidden layer does not bend",
        "ReLU turns a negative sum into 0 before it is handed on.",
        lambda: _by_hand(phi=identity),
    ),
    Slip(
        "the columns of W[1] are used for its rows",
        "Row j holds what flows into hidden unit j.",
        lambda: _by_hand(W1=_W1.T),
    ),
    Slip(
        "the hidden biases are left out",
        "Each sum ends with its bias, before the activation.",
        lambda: _by_hand(b1=[0, 0]),
    ),
    Slip(
        "the output's bias is left out",
        "The output adds its bias, too.",
        lambda: _by_hand(b2=[0]),
    ),
    Slip(
        "the output bends as well",
        "The output layer hands its sum on as it is: identity.",
        lambda: _by_hand(last=relu),
    ),
    Slip(
        "the hidden activations are given for the hidden sums",
        "The sums come first, before ReLU; the answer is right.",
        lambda: [0.0, *_by_hand()[1:]],
    ),
)


def _shown_by_hand() -> str:
    first, second, answer = _by_hand()
    return (
        f"z[1] = (1.5*1.2 - 1.1*2.3 + 0.3, 0.7*1.2 + 0.4*2.3 - 0.2) = ({first:.4f}, {second:.4f})\n"
        f"a[1] = (0, {second:.4f})\n"
        f"answer = 2*0 - 3*{second:.4f} + 0.5 = {answer:.4f}"
    )


# --------------------------------------------------------------------------------------------
# Networks wired by hand, judged by what they answer


def _corners(rng: np.random.Generator, trial: int) -> tuple[Array, ...]:
    if trial == 0:
        return (_POINTS,)
    return (rng.integers(0, 2, (trial + 1, 2)).astype(float),)


def _output_on_gates(w: list[float], bias: float) -> Network:
    """An output neuron behind OR and AND."""
    return wired([_OR_AND[0], [w]], [_OR_AND[1], [bias]], step, step)


_XOR_SLIPS = (
    Slip(
        "the output adds what it should subtract",
        "(1, 1) must be held down: the weight that comes from AND is negative.",
        _output_on_gates([1, 1], -0.5),
    ),
    Slip(
        "the two hidden units are exchanged",
        "The output says: OR, but not AND. Which of the two columns comes first?",
        _output_on_gates([-1, 1], -0.5),
    ),
    Slip(
        "only one neuron asks: it answers AND",
        "Ask two questions in the hidden layer and let the output combine the answers.",
        lambda X: step.f(X @ np.array([[1.0], [1.0]]) - 1.5),
    ),
    Slip(
        "the answer is turned round: 1 where both are equal",
        "XOR is 1 where the inputs differ.",
        _output_on_gates([-1, 1], 0.5),
    ),
)


def three_questions(X: Array) -> Array:
    """AND, OR and EQUAL, three output neurons behind OR and AND."""
    return wired([_OR_AND[0], _THREE_W], [_OR_AND[1], [-0.5, -0.5, 0.5]], step, step)(X)


_THREE_W = np.array([[0.0, 1.0], [1.0, 0.0], [-1.0, 1.0]])


def _three(W2: ArrayLike, b2: ArrayLike) -> Network:
    return wired([_OR_AND[0], W2], [_OR_AND[1], b2], step, step)


_THREE_SLIPS = (
    Slip(
        "AND and OR are exchanged",
        "The columns are AND, OR, EQUAL; the hidden layer answers OR first.",
        _three([[1, 0], [0, 1], [-1, 1]], [-0.5, -0.5, 0.5]),
    ),
    Slip(
        "the third column is 1 where the inputs differ",
        "That is XOR; EQUAL turns both weights and the bias round.",
        _three([[0, 1], [1, 0], [1, -1]], [-0.5, -0.5, -0.5]),
    ),
    Slip(
        "the third column forgets that (1, 1) is equal, too",
        "Not OR is 1 only at (0, 0): let AND raise it again.",
        _three([[0, 1], [1, 0], [-1, 0]], [-0.5, -0.5, 0.5]),
    ),
    Slip(
        "the outputs add OR and AND before they compare with a half",
        "A weight of 0 shuts one of the two hidden units out.",
        _three([[1, 1], [1, 1], [-1, 1]], [-0.5, -0.5, 0.5]),
    ),
)


_FOLD_W1 = np.array([[1.0, -1.0], [-1.0, 1.0]])


def _folded(W1: ArrayLike, W2: ArrayLike) -> Network:
    return wired([W1, W2], [[0, 0], [0]], relu, identity)


def fold(X: Array) -> Array:
    """The distance |x1 - x2|: the plane folded along its diagonal."""
    return _folded(_FOLD_W1, [[1, 1]])(X)


_FOLD_SLIPS = (
    Slip(
        "one of the two sides is missing",
        "max(t, 0) keeps the positive half of t; a second unit keeps the other half.",
        _folded(_FOLD_W1, [[1, 0]]),
    ),
    Slip(
        "the two halves are subtracted",
        "max(t, 0) - max(-t, 0) is t again: no fold. Add them.",
        _folded(_FOLD_W1, [[1, -1]]),
    ),
    Slip(
        "the inputs are added instead of compared",
        "The distance is that of x1 and x2: t = x1 - x2.",
        _folded([[1, 1], [-1, -1]], [[1, 1]]),
    ),
    Slip(
        "the hidden units do not bend",
        "Without ReLU the two halves cancel: t + (-t) = 0.",
        lambda X: np.zeros((len(X), 1)),
    ),
)


def _places(rng: np.random.Generator, trial: int) -> tuple[Array, ...]:
    return (rng.uniform(-1, 2, (2 + 4 * trial, 2)),)


def _sides(bias: float, third: Sequence[float] = (-1, -1), shift: float = 1) -> Network:
    """Three half planes, and an output that counts how many of them hold the point."""
    return wired(
        [np.array([[1, 0], [0, 1], third], float), [[1, 1, 1]]], [[0, 0, shift], [bias]], step, step
    )


in_triangle = _sides(-2.5)


_TRIANGLE_SLIPS = (
    Slip(
        "one of the three answers is enough",
        "Inside means on the right side of all three lines: the sum must exceed 2.5.",
        _sides(-0.5),
    ),
    Slip(
        "two of the three answers are enough",
        "Inside means on the right side of all three lines: the sum must exceed 2.5.",
        _sides(-1.5),
    ),
    Slip(
        "the third line is turned round",
        "Below the line x1 + x2 = 1 is where 1 - x1 - x2 is positive.",
        _sides(-2.5, third=(1, 1), shift=-1),
    ),
    Slip(
        "the bias of the third line is left out",
        "The line runs through (1, 0) and (0, 1): 1 - x1 - x2 = 0.",
        _sides(-2.5, shift=0),
    ),
)


_WIRED = (
    Exercise(
        "04-forward",
        "A 2-2-1 network, ReLU in the hidden layer, identity at the output: W[1] = [[1.5, -1.1], "
        "[0.7, 0.4]], b[1] = (0.3, -0.2), W[2] = (2, -3), b[2] = 0.5. For x = (1.2, 2.3), what are "
        "the two hidden sums z[1] and the answer? Three numbers.",
        answer=_by_hand,
        slips=lambda: _BY_HAND_SLIPS,
        hints=(
            "First both sums of the hidden layer, row by row; then ReLU; then the output.",
            "One hidden sum is negative: ReLU hands 0 on, and the output hears of the other only.",
        ),
        solution=_shown_by_hand,
    ),
    Exercise(
        "04-xor-network",
        "Write xor_network(X) from three neurons with steps (np.heaviside(z, 0)): the answers "
        "(N, 1) to N rows of zeros and ones, 1 where the two inputs differ.",
        answer=xor,
        slips=lambda: _XOR_SLIPS,
        hints=(
            "Hidden: at least one? both? Output: the first, but not the second.",
            "Weights 1, 1 with biases -0.5 and -1.5; then weights 1, -1 with bias -0.5.",
        ),
        solution=lambda: (
            "hidden = np.heaviside(X @ np.array([[1, 1], [1, 1]]).T + [-0.5, -1.5], 0)\n"
            "return np.heaviside(hidden @ np.array([[1, -1]]).T - 0.5, 0)"
        ),
        inputs=_corners,
        arguments=("X",),
    ),
    Exercise(
        "04-three-questions",
        "Keep the hidden neurons OR and AND and give the network three step outputs. Write "
        "gates(X): the answers (N, 3) to N rows of zeros and ones; the columns are AND, OR, and "
        "EQUAL (1 where both inputs are the same).",
        answer=three_questions,
        slips=lambda: _THREE_SLIPS,
        hints=(
            "Two of the three columns the hidden layer knows already.",
            "EQUAL is AND, or not OR: weights -1, 1 and bias 0.5.",
        ),
        solution=lambda: (
            "hidden = np.heaviside(X @ np.array([[1, 1], [1, 1]]).T + [-0.5, -1.5], 0)\n"
            "return np.heaviside(hidden @ np.array([[0, 1], [1, 0], [-1, 1]]).T"
            " + [-0.5, -0.5, 0.5], 0)"
        ),
        inputs=_corners,
        arguments=("X",),
    ),
    Exercise(
        "04-fold",
        "Two ReLU units, an identity output, no bias anywhere: write fold(X), the distance "
        "|x1 - x2| for N rows of any two numbers, shape (N, 1), with two matrices and np.maximum. "
        "On zeros and ones it is XOR.",
        answer=fold,
        slips=lambda: _FOLD_SLIPS,
        hints=(
            "What is |t| in terms of max(t, 0) and max(-t, 0)?",
            "Hidden: max(x1 - x2, 0) and max(x2 - x1, 0). Output: their sum.",
        ),
        solution=lambda: (
            "hidden = np.maximum(X @ np.array([[1, -1], [-1, 1]]).T, 0)\n"
            "return hidden @ np.array([[1, 1]]).T"
        ),
        inputs=_places,
        arguments=("X",),
    ),
    Exercise(
        "04-triangle",
        "Write in_triangle(X) from three step neurons and a step output: (N, 1), 1 inside the "
        "triangle with the corners (0, 0), (1, 0), (0, 1), else 0.",
        answer=in_triangle,
        slips=lambda: _TRIANGLE_SLIPS,
        hints=(
            "One hidden neuron for each side; what does the output ask of the three?",
            "x1 > 0, x2 > 0, 1 - x1 - x2 > 0, and all three: the sum minus 2.5.",
        ),
        solution=lambda: (
            "sides = np.array([[1, 0], [0, 1], [-1, -1]])\n"
            "hidden = np.heaviside(X @ sides.T + [0, 0, 1], 0)\n"
            "return np.heaviside(hidden.sum(axis=1, keepdims=True) - 2.5, 0)"
        ),
        inputs=_places,
        arguments=("X",),
    ),
)


# --------------------------------------------------------------------------------------------
# Counting, joining, parting


def counts(sizes: Array) -> Array:
    """Weights, biases, and the forward passes of one measured step."""
    weights, biases = _wires(sizes), int(sizes[1:].sum())
    return np.array([weights, biases, 2 * (weights + biases)], dtype=float)


def _wires(sizes: Array) -> int:
    return int(sum(n * m for n, m in pairwise(sizes)))


def _sizes(rng: np.random.Generator, trial: int) -> tuple[Array, ...]:
    return (rng.integers(2, 9, 2 + trial),)


def _count_slip(says: str, advice: str, weights: Network, biases: Network, passes: Network) -> Slip:
    def wrong(sizes: Array) -> Array:
        parts = (weights(sizes), biases(sizes), passes(sizes))
        return np.array([float(part) for part in parts])

    return Slip(says, advice, wrong)


def _right_count(i: int) -> Network:
    return lambda sizes: counts(sizes)[i]


_COUNT_SLIPS = (
    _count_slip(
        "the inputs get a bias as well",
        "Layer 0 computes nothing and has no bias.",
        _right_count(0),
        lambda sizes: sizes.sum(),
        lambda sizes: counts(sizes)[2] + 2 * sizes[0],
    ),
    _count_slip(
        "the biases are not nudged",
        "A bias is learned like a weight: nudge every number.",
        _right_count(0),
        _right_count(1),
        lambda sizes: 2 * counts(sizes)[0],
    ),
    _count_slip(
        "each number is nudged once only",
        "The measured slope of the chapter needs a nudge up and a nudge down.",
        _right_count(0),
        _right_count(1),
        lambda sizes: counts(sizes)[2] / 2,
    ),
    _count_slip(
        "the sizes are multiplied through the whole network",
        "That counts paths from input to output; wires join neighbouring layers only.",
        lambda sizes: sizes.prod(),
        _right_count(1),
        lambda sizes: 2 * (sizes.prod() + sizes[1:].sum()),
    ),
)


def collapse(W1: Array, b1: Array, W2: Array, b2: Array) -> Array:
    """The one layer that two layers without a bend are: its matrix, and its bias as last column."""
    return np.column_stack([W2 @ W1, W2 @ b1 + b2])


def _layers(rng: np.random.Generator, trial: int) -> tuple[Array, ...]:
    n0, n1, n2 = (1, 2, 1) if trial == 0 else (int(n) for n in rng.integers(1, 5, 3))
    if trial % 3 == 1:
        n0, n2 = n1, n1  # square: the wrong order fits as well
    draw = rng.standard_normal
    return draw((n1, n0)), draw(n1), draw((n2, n1)), draw(n2)


_COLLAPSE_SLIPS = (
    Slip(
        "the matrices are multiplied in reading order",
        "W1 acts first, so it stands next to x: W2 (W1 x).",
        lambda W1, b1, W2, b2: np.column_stack([W1 @ W2, W2 @ b1 + b2]),
    ),
    Slip(
        "the first bias is dropped",
        "What b1 adds passes through W2 as everything else does.",
        lambda W1, b1, W2, b2: np.column_stack([W2 @ W1, b2]),
    ),
    Slip(
        "the first bias bypasses the second layer",
        "What b1 adds passes through W2 as everything else does.",
        lambda W1, b1, W2, b2: np.column_stack([W2 @ W1, b1 + b2]),
    ),
    Slip(
        "the second bias is dropped",
        "The second layer adds b2 at the end.",
        lambda W1, b1, W2, b2: np.column_stack([W2 @ W1, W2 @ b1]),
    ),
)


def kinds_of_units(nudges: dict[int, float]) -> int:
    """How many different hidden units a 2-4-1 network has that starts equal but for `nudges`."""
    mlp, rng = MLP((2, 4, 1), (sigmoid, sigmoid)), np.random.default_rng(0)
    params = mlp.init(rng, constant(0.5))
    for place, nudge in nudges.items():
        params.theta[place] += nudge
    X, y = rng.standard_normal((9, 2)), (np.arange(9.0) < 3)[:, None].astype(float)
    for _ in range(5):
        grads = propagate_back(mlp, params, propagate(mlp, params, X), y, bce).grads
        params = params.like(params.theta - grads.theta)
    units = np.column_stack([params.W[1], params.b[1], params.W[2].T])
    return len(np.unique(np.round(units, 9), axis=0))


_FEWEST = ("one, whichever it is", "three", "four", "all seventeen")
_ORDERS = ("1", "4", "16", "24")


@cache
def _fewest() -> str:
    """How few numbers must differ from 1/2 for four kinds of hidden units."""
    enough = [k for k in range(5) if kinds_of_units({2 * j: 0.1 * (j + 1) for j in range(k)}) == 4]
    return {1: _FEWEST[0], 3: _FEWEST[1], 4: _FEWEST[2]}[min(enough)]


_FEWEST_SLIPS = (
    Slip(
        "one nudge is taken to part all four",
        "The three units that were not nudged are still equal, and stay so.",
        lambda: _FEWEST[0],
    ),
    Slip(
        "every unit is taken to need a nudge of its own",
        "One unit may stay as it is: it differs from those that were changed.",
        lambda: _FEWEST[2],
    ),
    Slip(
        "every number is taken to need a nudge of its own",
        "Units are equal only if all their numbers are: one number a unit is enough.",
        lambda: _FEWEST[3],
    ),
)


def _shown_fewest() -> str:
    one, two = kinds_of_units({0: 0.1}), kinds_of_units({0: 0.1, 2: 0.2})
    return (
        f"{_fewest()}: one changed weight makes {one} kinds, two in different units make {two}; "
        f"the output's bias leaves {kinds_of_units({16: 0.1})}"
    )


def _orders() -> str:
    return str(len(set(permutations(("one", "two", "three", "four")))))


_ORDER_SLIPS = (
    Slip(
        "a function is taken to have one vector",
        "Exchange two hidden units, with all their weights: what changes in theta?",
        lambda: _ORDERS[0],
    ),
    Slip(
        "the units are only moved round in a circle",
        "Any order will do: four units for the first place, three for the second.",
        lambda: _ORDERS[1],
    ),
    Slip(
        "a choice of two is made for every unit",
        "An order is asked for, not a subset.",
        lambda: _ORDERS[2],
    ),
)


_COUNTED = (
    Exercise(
        "04-count",
        "Write count(sizes): how many weights and how many biases a network of these sizes has, an "
        "array of whole numbers, and how many forward passes one measured step needs, with a nudge "
        "up and a nudge down for every number. Three numbers.",
        answer=counts,
        slips=lambda: _COUNT_SLIPS,
        hints=(
            "Count wires between neighbouring layers; who has a bias?",
            "Sum n_(l-1) n_l over the layers, sum n_l without the inputs, and twice both.",
        ),
        solution=lambda: (
            "weights = (sizes[:-1] * sizes[1:]).sum()\n"
            "biases = sizes[1:].sum()\n"
            "return [weights, biases, 2 * (weights + biases)]"
        ),
        inputs=_sizes,
        arguments=("sizes",),
    ),
    Exercise(
        "04-collapse",
        "Two layers without a bend, W1 (n1, n0), b1 (n1,), W2 (n2, n1), b2 (n2,), are one. Write "
        "collapse(W1, b1, W2, b2): its matrix with its bias as the last column, (n2, n0 + 1).",
        answer=collapse,
        slips=lambda: _COLLAPSE_SLIPS,
        hints=(
            "Multiply W2 (W1 x + b1) + b2 out.",
            "np.column_stack([matrix, bias]) puts them together; the matrix is W2 @ W1.",
        ),
        solution=lambda: "return np.column_stack([W2 @ W1, W2 @ b1 + b2])",
        inputs=_layers,
        arguments=("W1", "b1", "W2", "b2"),
    ),
    Exercise(
        "04-break-symmetry",
        "A 2-4-1 network starts with all 17 numbers 1/2. How many of them must be changed, at "
        "least, so that after some training no two of its four hidden units are equal?",
        answer=_fewest,
        slips=lambda: _FEWEST_SLIPS,
        hints=(
            "Units that are equal now stay equal: group them.",
            "Change one weight into unit 1: there is unit 1, and the group of the others.",
        ),
        solution=_shown_fewest,
        choices=_FEWEST,
    ),
    Exercise(
        "04-orders",
        "Four hidden units, all different. In how many vectors theta can the same function be "
        "written by reordering them?",
        answer=_orders,
        slips=lambda: _ORDER_SLIPS,
        hints=("How many orders do four things have?", "4 * 3 * 2 * 1."),
        solution=lambda: f"4! = {_orders()}",
        choices=_ORDERS,
    ),
)

EXERCISES = (*_PREDICTIONS, *_WIRED, *_COUNTED)
