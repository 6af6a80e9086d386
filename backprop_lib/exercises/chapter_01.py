"""The exercises of chapter 1, *The perceptron*.

Nothing is typed in that can be computed: right answers come from `perceptron` and
`convergence_bound`, wrong ones from the same rule with one thing changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from backprop_lib.data import load_penguins
from backprop_lib.errors import Array
from backprop_lib.exercises.kinds import Exercise, Slip
from backprop_lib.neuron import (
    ConvergenceBound,
    Labels,
    Perceptron,
    convergence_bound,
    perceptron,
)

CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
AND = np.array([[-1.0], [-1.0], [-1.0], [1.0]])
OR = np.array([[-1.0], [1.0], [1.0], [1.0]])
XOR = np.array([[-1.0], [1.0], [1.0], [-1.0]])


def others(choices: Sequence[str], right: str, advice: Sequence[str]) -> list[Slip]:
    """A slip for every choice but the right one; each advice stands in the order of the choices."""
    said = [(choice, advice[i]) for i, choice in enumerate(choices) if choice != right]
    return [
        Slip(f'"{choice}" is chosen', sentence, lambda choice=choice: choice)
        for choice, sentence in said
    ]


def bits(y: Array) -> Array:
    """Labels -1 and +1 written as 0 and 1."""
    return (y + 1) / 2


# --------------------------------------------------------------------------------------------
# Predictions


@cache
def penguins() -> tuple[Array, Array]:
    """Bills of Adelie (-1) and Gentoo (+1) penguins, counted from 43 mm and 17 mm."""
    birds = load_penguins(["bill_length_mm", "bill_depth_mm"], ["Adelie", "Gentoo"])
    return birds.X - np.array([43.0, 17.0]), np.where(birds.species == "Gentoo", 1.0, -1.0)[:, None]


_RANGES = ("fewer than 10", "10 to 100", "101 to 1000", "more than 1000")


def _range_of(mistakes: int) -> str:
    return _RANGES[int(np.searchsorted([9, 100, 1000], mistakes))]


def _penguin_mistakes() -> int:
    return perceptron(*penguins()).mistakes


_RATES = ("fewer", "as many", "more")


def _more_or_fewer(y: Array) -> str:
    slow, fast = (perceptron(CORNERS, y, learning_rate=rate).mistakes for rate in (1.0, 2.0))
    return _RATES[1 + int(np.sign(fast - slow))]


_FATES = (
    "they settle on the best line there is",
    "they grow without end",
    "they come back to where they began",
)


def _fate_of_xor() -> str:
    ends = [perceptron(CORNERS, XOR, epochs=epochs).neuron for epochs in (1, 10, 100)]
    sizes = [float(abs(end.w).sum() + abs(end.b)) for end in ends]
    if sizes == [0.0, 0.0, 0.0]:
        return _FATES[2]
    return _FATES[1] if sizes[0] < sizes[1] < sizes[2] else _FATES[0]


_PREDICTIONS = (
    Exercise(
        "01-predict-penguins",
        "A neuron starts with all weights 0 and goes through the bills of 274 penguins of two "
        "species, correcting itself after each mistake, until a pass is clean. How many mistakes "
        "does it make?",
        answer=lambda: _range_of(_penguin_mistakes()),
        slips=lambda: others(
            _RANGES,
            _range_of(_penguin_mistakes()),
            (
                "Look at the figure again.",
                "One correction swings the line past many birds at once.",
                "Most birds are never corrected: they are right when their turn comes.",
                "The two clouds of points hardly touch, and any line between them will do.",
            ),
        ),
        hints=(
            "A mistake is not needed for each bird: a line that suits one suits its neighbours.",
            "Three numbers are to be found, and the two clouds of points lie well apart.",
        ),
        solution=lambda: f"perceptron(X, y).mistakes = {_penguin_mistakes()}",
        choices=_RANGES,
    ),
    Exercise(
        "01-predict-rate",
        "The learning rate of the perceptron is doubled; it still starts from zero. How many "
        "mistakes does it make on AND, compared with before?",
        answer=lambda: _more_or_fewer(AND),
        slips=lambda: others(
            _RATES,
            _more_or_fewer(AND),
            (
                "Every weight becomes twice as large, and so does z: does its sign change?",
                "Compare the two runs correction by correction.",
                "It cannot overshoot: weights twice as large draw the same line.",
            ),
        ),
        hints=(
            "Write down the first two corrections with both learning rates.",
            "All weights and the bias are doubled at every moment. Which answers change?",
        ),
        solution=lambda: "\n".join(
            f"learning rate {rate:g}: {learned.mistakes} mistakes, "
            f"w = {learned.neuron.w.tolist()}, b = {learned.neuron.b:g}"
            for rate in (1.0, 2.0)
            for learned in [perceptron(CORNERS, AND, learning_rate=rate)]
        ),
        choices=_RATES,
    ),
    Exercise(
        "01-predict-xor",
        "The perceptron is trained on XOR, pass after pass. What becomes of its weights?",
        answer=_fate_of_xor,
        slips=lambda: others(
            _FATES,
            _fate_of_xor(),
            (
                "The rule moves after every mistake, and on XOR every line makes one.",
                "Corrections in opposite directions can cancel: follow one pass on paper.",
                "Follow one pass on paper.",
            ),
        ),
        hints=(
            "Four points, and the first pass fits on a napkin.",
            "Add up the four corrections (x1, x2, 1) with their signs.",
        ),
        solution=lambda: _corrections(perceptron(CORNERS, XOR, epochs=1)),
        choices=_FATES,
    ),
)


# --------------------------------------------------------------------------------------------
# By hand


def _corrections(learned: Perceptron) -> str:
    """Each correction on a line: which point, and the weights after it."""
    return "\n".join(
        f"after ({CORNERS[c.sample][0]:g}, {CORNERS[c.sample][1]:g}): "
        f"w1 = {c.w[0]:.4f}, w2 = {c.w[1]:.4f}, b = {c.b:.4f}"
        for c in learned.corrections
    )


_W, _B, _X, _Y = np.array([0.35, -0.9]), -0.25, np.array([0.7, 1.3]), 1.0


def _moved(pull: float, x: Array, of_bias: float) -> list[float]:
    return [*(_W + pull * x).tolist(), _B + of_bias]


def _update_slips() -> Sequence[Slip]:
    z = float(_W @ _X) + _B
    return [
        Slip(
            "the sign is turned",
            "z must rise: move towards x.",
            lambda: _moved(-_Y, _X, -_Y),
        ),
        Slip(
            "the bias stays where it is",
            "The bias is a weight whose input is always 1: it moves by y.",
            lambda: _moved(_Y, _X, 0.0),
        ),
        Slip(
            "the weights move by y and not by y x",
            "Each weight moves in proportion to what it was fed.",
            lambda: _moved(_Y, np.ones(2), _Y),
        ),
        Slip(
            "the sample is taken for a right one",
            f"z = {z:g}, and the label is {_Y:+g}: the signs differ.",
            lambda: _moved(0.0, _X, 0.0),
        ),
    ]


_OR_RATE = 0.25


def _end_on(y: Array, labels: Labels = "signs", learning_rate: float = _OR_RATE) -> list[float]:
    """Weights and bias after the last correction."""
    neuron = perceptron(CORNERS, y, labels=labels, learning_rate=learning_rate).neuron
    return [*neuron.w.tolist(), neuron.b]


def _or_slips() -> Sequence[Slip]:
    first_pass = perceptron(CORNERS, OR, epochs=1, learning_rate=_OR_RATE).neuron
    return [
        Slip(
            "the labels are 0 and 1",
            "With labels -1 and +1 a point on the line, z = 0, is a mistake.",
            lambda: _end_on(bits(OR), labels="bits"),
        ),
        Slip(
            "the learning rate is 1",
            "Every correction is a quarter as long; from zero, so is all that comes of them.",
            lambda: _end_on(OR, learning_rate=1.0),
        ),
        Slip(
            "only one pass is made",
            "Go on until a whole pass is clean.",
            lambda: [*first_pass.w.tolist(), first_pass.b],
        ),
        Slip(
            "the table is that of AND",
            "OR answers +1 for three of the four points.",
            lambda: _end_on(AND),
        ),
    ]


_LINE, _LINE_B = np.array([2.0, 2.0]), -1.0  # the line of the exercise on the bound, for OR


def _or_bound() -> ConvergenceBound:
    return convergence_bound(CORNERS, OR, _LINE, _LINE_B)


def _bound_slips() -> Sequence[Slip]:
    bound = _or_bound()
    raw = float((OR[:, 0] * (CORNERS @ _LINE + _LINE_B)).min())
    return [
        Slip(
            "the quotient is not squared",
            "k gamma <= sqrt(k) R: divide by sqrt(k), then square.",
            lambda: bound.radius / bound.margin,
        ),
        Slip(
            "the 1 of the bias is left out of R",
            "R is the length of the longest (x1, x2, 1).",
            lambda: (bound.radius**2 - 1) / bound.margin**2,
        ),
        Slip(
            "the bias is left out of the length of the line's numbers",
            "Divide by the length of (w1, w2, b), all three.",
            lambda: bound.radius**2 * float(_LINE @ _LINE) / raw**2,
        ),
        Slip(
            "the margin is not divided by any length",
            "Otherwise doubling w and b would double the margin of the same line.",
            lambda: (bound.radius / raw) ** 2,
        ),
    ]


_XOR_START = (-0.4, 0.2, 0.3)


def _walk(sign: float = 1.0, bias: float = 1.0, low: float = -1.0) -> list[list[float]]:
    """w1, w2, b after each correction of a first pass over XOR, by the rule or a bent one."""
    w, b = np.array(_XOR_START[:2]), _XOR_START[2]
    seen: list[list[float]] = []
    for x, label in zip(CORNERS, XOR[:, 0].tolist(), strict=True):
        pull = sign * (label if label > 0 else low)  # every point is a mistake
        w, b = w + pull * x, b + bias * pull
        seen.append([*w.tolist(), b])
    return seen


def _cycle_slips() -> Sequence[Slip]:
    return [
        Slip(
            "the sign is turned",
            "A point labelled +1 is added, a point labelled -1 is taken away.",
            lambda: _walk(sign=-1.0)[2],
        ),
        Slip(
            "the bias is left out",
            "The bias moves by y at every mistake.",
            lambda: _walk(bias=0.0)[2],
        ),
        Slip(
            "the label of the first point counts as 0",
            "The labels are -1 and +1: the first mistake lowers the bias.",
            lambda: _walk(low=0.0)[2],
        ),
        Slip("the second correction is given", "One more: (1, 0).", lambda: _walk()[1]),
        Slip(
            "the fourth correction is given",
            "That is after the whole pass; stop before the point (1, 1).",
            lambda: _walk()[3],
        ),
    ]


_BY_HAND = (
    Exercise(
        "01-next-update",
        f"A perceptron holds w = ({_W[0]:g}, {_W[1]:g}) and b = {_B:g} and meets the sample "
        f"x = ({_X[0]:g}, {_X[1]:g}) with label {_Y:+g}. What are w1, w2 and b afterwards, with "
        "learning rate 1? Three numbers.",
        answer=lambda: _moved(_Y, _X, _Y),
        slips=_update_slips,
        hints=(
            "First z = w1 x1 + w2 x2 + b. Is it on the side the label asks for?",
            "If it is not: w + y x, and b + y.",
        ),
        solution=lambda: (
            f"z = {float(_W @ _X) + _B:g}, label {_Y:+g}: a mistake\n"
            "w1 = {:.4f}, w2 = {:.4f}, b = {:.4f}".format(*_moved(_Y, _X, _Y))
        ),
    ),
    Exercise(
        "01-or",
        "The perceptron learns OR. It starts from zero, in the order 00, 01, 10, 11, with labels "
        f"-1 and +1 and learning rate {_OR_RATE:g}, until a pass is clean. What are w1, w2 and b "
        "at the end? Three numbers.",
        answer=lambda: _end_on(OR),
        slips=_or_slips,
        hints=(
            "Make a table with four columns: w1, w2, b, and which point was misjudged.",
            "A point is a mistake if y z is not above zero; so the first point is one.",
        ),
        solution=lambda: _corrections(perceptron(CORNERS, OR, learning_rate=_OR_RATE)),
    ),
    Exercise(
        "01-bound",
        f"The line with w = ({_LINE[0]:g}, {_LINE[1]:g}) and b = {_LINE_B:g} separates OR. At most "
        "how many mistakes does the convergence theorem allow, by this line?",
        answer=lambda: _or_bound().mistakes,
        slips=_bound_slips,
        hints=(
            "R^2 is the largest x1^2 + x2^2 + 1; the margin is the smallest y z, divided by a "
            "length.",
            "That length is sqrt(w1^2 + w2^2 + b^2). Then (R/gamma)^2.",
        ),
        solution=lambda: (
            f"R = {_or_bound().radius:.4f}, gamma = {_or_bound().margin:.4f}, "
            f"(R/gamma)^2 = {_or_bound().mistakes:.4f}"
        ),
    ),
    Exercise(
        "01-xor-cycle",
        "A perceptron starts on XOR with w = ({:g}, {:g}) and b = {:g}, in the order 00, 01, 10, "
        "11, with labels -1 and +1 and learning rate 1. It is wrong at every point of the first "
        "pass. What are w1, w2 and b after its third correction?".format(*_XOR_START),
        answer=lambda: _walk()[2],
        slips=_cycle_slips,
        hints=(
            "The first point is (0, 0): the weights stay, the label moves the bias.",
            "The next two points are added, each with its bias; the fourth is taken away.",
        ),
        solution=lambda: "\n".join(
            f"after {k}: w1 = {row[0]:.4f}, w2 = {row[1]:.4f}, b = {row[2]:.4f}"
            for k, row in enumerate(_walk(), start=1)
        ),
    ),
)


# --------------------------------------------------------------------------------------------
# Lines of code, and breaking them

_CODE: dict[str, Callable[[Array, float, float, Array], Array]] = {
    "w = w + (y - a) * x": lambda w, y, a, x: w + (y - a) * x,
    "w = w - (a - y) * x": lambda w, y, a, x: w - (a - y) * x,
    "w = w - (y - a) * x": lambda w, y, a, x: w - (y - a) * x,
    "w = w + y * x - a * x": lambda w, y, a, x: w + y * x - a * x,
}


def _flipped() -> str:
    """The line of code that moves a misjudged point's z to the wrong side."""
    x = np.array([1.0, 3.0])
    bad = [name for name, line in _CODE.items() if float(line(np.zeros(2), 1.0, 0.0, x) @ x) < 0]
    assert len(bad) == 1, bad
    return bad[0]


_GATES = {"AND": AND, "OR": OR, "XOR": XOR}
_LEARNABLE = ("none of them", "AND", "OR", "AND and OR")


def _without_bias() -> str:
    """Which gates a neuron without a bias learns, labels 0 and 1."""
    learned = []
    for name, y in _GATES.items():
        w = np.zeros(2)
        for _ in range(100):
            for x, target in zip(CORNERS, bits(y)[:, 0], strict=True):
                w = w + (target - float(w @ x > 0)) * x
        if ((CORNERS @ w > 0) == bits(y)[:, 0]).all():
            learned.append(name)
    return " and ".join(learned) or _LEARNABLE[0]


def mistakes(X: Array, y: Array, w: Array, b: Array) -> Array:
    """How many rows of X are misjudged, labels -1 and +1."""
    return (y * (X @ w + b) <= 0).sum()


def _mistakes_inputs(rng: np.random.Generator, trial: int) -> tuple[Array, ...]:
    N, n_0 = (2, 2) if trial == 0 else rng.integers(3, 12, 2)
    X = rng.integers(-2, 3, (N, n_0)).astype(float)
    w, b = rng.integers(-2, 3, n_0).astype(float), np.array(float(rng.integers(1, 3)))
    X[0], X[1] = 0.0, 0.0
    w[0] = 1.0
    X[1, 0] = -b  # one point lies on the line
    return X, rng.choice([-1.0, 1.0], N), w, b


def _mistakes_slips() -> Sequence[Slip]:
    return [
        Slip(
            "a point on the line counts as right",
            "With labels -1 and +1 a mistake is y z <= 0, not y z < 0.",
            lambda X, y, w, b: (y * (X @ w + b) < 0).sum(),
        ),
        Slip(
            "the bias is left out",
            "z is X @ w + b.",
            lambda X, y, w, b: (y * (X @ w) <= 0).sum(),
        ),
        Slip(
            "the right answers are counted",
            "Asked are the mistakes: y z <= 0.",
            lambda X, y, w, b: (y * (X @ w + b) > 0).sum(),
        ),
        Slip(
            "the share of mistakes is returned",
            "Asked is how many: a sum, not a mean.",
            lambda X, y, w, b: (y * (X @ w + b) <= 0).mean(),
        ),
    ]


_CODING = (
    Exercise(
        "01-flipped-sign",
        "Labels y and answers a are 0 or 1. Four programs learn with these lines; one of them "
        "never learns. Which line is its?",
        answer=_flipped,
        slips=lambda: others(
            tuple(_CODE),
            _flipped(),
            (
                "With y = 1 and a = 0 this adds x: z rises, as it should.",
                "Two minus signs make a plus: with y = 1 and a = 0 this adds x.",
                "Put in y = 1 and a = 0.",
                "Multiply out: this is (y - a) x, added.",
            ),
        ),
        hints=(
            "Put in y = 1 and a = 0. The answer was too low: must x be added or taken away?",
            "Three of the lines add x in this case.",
        ),
        solution=lambda: f"{_flipped()}\nWith y = 1 and a = 0 it takes x away, and z falls.",
        choices=tuple(_CODE),
    ),
    Exercise(
        "01-no-bias",
        "A neuron without a bias answers 1 where w . x > 0, else 0. Labels are 0 and 1. Which of "
        "AND, OR and XOR can it learn?",
        answer=_without_bias,
        slips=lambda: others(
            _LEARNABLE,
            _without_bias(),
            (
                "At (0, 0) the answer is always 0; there is a table for which that suffices.",
                "AND needs a 0 at (0, 1) and (1, 0), so neither weight may be positive. And then?",
                "Try w = (1, 1).",
                "AND needs a 0 at (0, 1) and (1, 0), so neither weight may be positive. What does "
                "(1, 1) get?",
            ),
        ),
        hints=(
            "At (0, 1) the sum is w2 alone, at (1, 0) it is w1, at (1, 1) it is w1 + w2.",
            "Write down which of these three must be positive for each table.",
        ),
        solution=lambda: (
            f"{_without_bias()}\nw1 > 0 and w2 > 0 answer OR. AND and XOR ask of w1, w2 and "
            "w1 + w2 what no two numbers do."
        ),
        choices=_LEARNABLE,
    ),
    Exercise(
        "01-mistakes-line",
        "Write mistakes(X, y, w, b) in one line: how many rows of X (N, n_0) the perceptron "
        "misjudges, with labels y (N,) of -1 and +1, weights w (n_0,) and bias b.",
        answer=mistakes,
        slips=_mistakes_slips,
        hints=(
            "All pre-activations at once are X @ w + b.",
            "Compare y * (X @ w + b) with 0 and add up: True counts as 1.",
        ),
        solution=lambda: "return (y * (X @ w + b) <= 0).sum()",
        inputs=_mistakes_inputs,
        arguments=("X", "y", "w", "b"),
    ),
)

EXERCISES = (*_PREDICTIONS, *_BY_HAND, *_CODING)
