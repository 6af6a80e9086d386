"""The exercises of chapter 11, *Optimizers*.

Right answers come from the library's optimizers; wrong ones from the same rules with one mistake.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from backprop_lib.errors import Array
from backprop_lib.exercises.kinds import Exercise, Slip
from backprop_lib.network import Params
from backprop_lib.optimizers import Optimizer, adam, adamw, momentum, nesterov, rmsprop, sgd

# --------------------------------------------------------------------------------------------
# Steps of the library


def walk(
    optimizer: Optimizer, start: Sequence[float], gradients: Sequence[Sequence[float]]
) -> Array:
    """The places after each of the given gradients, one a row."""
    params = Params(np.array(start, dtype=float), (len(start) - 1, 1))
    state, places = optimizer.init(params), []
    for g in gradients:
        grads = params.like(np.array(g, dtype=float))
        params, state = optimizer.step(params, grads, state)
        places.append(params.theta)
    return np.array(places)


def walk_one(optimizer: Optimizer, start: float, gradients: Sequence[float]) -> list[float]:
    """The same for a single number."""
    places: list[float] = walk(optimizer, [start, 0.0], [[g, 1.0] for g in gradients])[
        :, 0
    ].tolist()
    return places


def shown(numbers: Sequence[float], digits: int = 5) -> str:
    """Numbers on one line."""
    return ", ".join(f"{number:.{digits}f}" for number in numbers)


# --------------------------------------------------------------------------------------------
# Predictions


SHORTER_ETA, EXACTLY, LONGER_ETA = "shorter than eta", "exactly eta", "longer than eta"
SHORTER, EQUAL, LONGER = "shorter steps", "equally long steps", "longer steps"


def _compare(ratio: float, words: tuple[str, str, str]) -> str:
    """Which of the words for below, at and above 1 describes a ratio."""
    if abs(ratio - 1) < 0.01:
        return words[1]
    return words[0] if ratio < 1 else words[2]


def _uncorrected() -> float:
    """The first step without correction, in units of eta."""
    return abs(walk_one(adam(1.0, bias_correction=False), 0.0, [1.0])[0])


def _large_against_small() -> float:
    """A late step under a steady gradient of 1000, measured by that under 0.001."""
    places = walk(adam(1.0), [0.0, 0.0], [[1000.0, 0.001]] * 100)
    large, small = (places[-1] - places[-2]).tolist()
    return float(large / small)


_PREDICTIONS = (
    Exercise(
        "11-predict-uncorrected",
        "Without the bias correction, with beta1 = 0.9 and beta2 = 0.999, Adam's first step is "
        "how long?",
        answer=cache(lambda: _compare(_uncorrected(), (SHORTER_ETA, EXACTLY, LONGER_ETA))),
        slips=lambda: (
            Slip(
                "only the numerator is looked at",
                "The average in the denominator is too small as well, and by more.",
                lambda: SHORTER_ETA,
            ),
            Slip(
                "the two corrections are taken to cancel",
                "One is 1 - 0.9, the other the root of 1 - 0.999: compare them.",
                lambda: EXACTLY,
            ),
        ),
        hints=(
            "What are m and v after the first gradient g?",
            "m = 0.1 g and v = 0.001 g^2; divide m by the root of v.",
        ),
        solution=lambda: f"0.1 |g| / (sqrt(0.001) |g|) = {_uncorrected():.3f}: {LONGER_ETA}",
        choices=(SHORTER_ETA, EXACTLY, LONGER_ETA),
    ),
    Exercise(
        "11-predict-size",
        "One parameter's gradient is 1000 at every step, another's 0.001 at every step. After many "
        "Adam steps the parameter with the large gradient takes which steps?",
        answer=cache(lambda: _compare(_large_against_small(), (SHORTER, EQUAL, LONGER))),
        slips=lambda: (
            Slip(
                "the division by the root of v is taken to punish large gradients",
                "The numerator is a thousand times larger, too.",
                lambda: SHORTER,
            ),
            Slip(
                "steps are taken to be proportional to the gradient",
                "That is plain descent; Adam divides by the gradient's size.",
                lambda: LONGER,
            ),
        ),
        hints=(
            "What are the corrected averages if the gradient is always the same?",
            "m-hat = g and v-hat = g^2.",
        ),
        solution=lambda: (
            f"the one step is {_large_against_small():.4f} times the other: {EQUAL}, eta each"
        ),
        choices=(SHORTER, EQUAL, LONGER),
    ),
)

# --------------------------------------------------------------------------------------------
# Momentum


def _terminal() -> list[float]:
    """The velocity after two steps and after very many, from the steps of the library."""
    places = [0.0, *walk_one(momentum(1.0, 0.95), 0.0, [2.0] * 1000)]
    return [places[1] - places[2], places[-2] - places[-1]]


def _terminal_slips() -> Sequence[Slip]:
    second, last = _terminal()
    return [
        Slip(
            "the velocity is taken to be an average of the gradients",
            "The new gradient enters in full, not with the share 1 - mu.",
            lambda: [second * 0.05, last * 0.05],
        ),
        Slip(
            "1/mu is taken for 1/(1 - mu)",
            "The series 1 + mu + mu^2 + ... has the sum 1/(1 - mu).",
            lambda: [second, 2 / 0.95],
        ),
        Slip(
            "nothing of the velocity is forgotten",
            "Only the share mu of it survives a step.",
            lambda: [4.0, last],
        ),
        Slip(
            "momentum 0.9 is used",
            "Here mu = 0.95, which remembers twice as long.",
            lambda: [2 + 0.9 * 2, 2 / (1 - 0.9)],
        ),
    ]


_LEAST, _LARGEST = 0.5, 18.0


def _best(root: float = math.sqrt(_LARGEST / _LEAST)) -> list[float]:
    """The best eta and mu and the factor a step, from the root of the condition number."""
    factor = (root - 1) / (root + 1)
    eta = 4 / (math.sqrt(_LEAST) + math.sqrt(_LARGEST)) ** 2
    return [eta, factor**2, factor]


def _best_slips() -> Sequence[Slip]:
    eta, mu, factor = _best()
    kappa = _LARGEST / _LEAST
    plain = (kappa - 1) / (kappa + 1)
    return [
        Slip(
            "the root of mu is given for mu",
            "sqrt(mu) is (sqrt(kappa) - 1)/(sqrt(kappa) + 1), and also the factor a step.",
            lambda: [eta, factor, factor],
        ),
        Slip(
            "mu is given for the factor a step",
            "Both roots have the length sqrt(mu): their product is mu.",
            lambda: [eta, mu, mu],
        ),
        Slip(
            "kappa stands where its root belongs",
            "The window's ends are squares, so dividing them gives the root of kappa.",
            lambda: [eta, plain**2, plain],
        ),
        Slip(
            "the best rate of plain descent is given, 2/(lambda_min + lambda_max)",
            "With momentum the best rate is 4 over the square of the sum of the roots.",
            lambda: [2 / (_LEAST + _LARGEST), mu, factor],
        ),
    ]


def _saddle() -> list[float]:
    """The factor a step, measured from the distance 1, and the distance after 30 steps."""
    factor = walk_one(sgd(0.5), 1.0, [-0.3])[0]
    return [factor, 0.001 * factor**30]


def _saddle_slips() -> Sequence[Slip]:
    factor, _ = _saddle()
    return [
        Slip(
            "the sign of lambda is lost",
            "The factor is 1 - eta lambda, and lambda is negative.",
            lambda: [2 - factor, 0.001 * (2 - factor) ** 30],
        ),
        Slip(
            "the learning rate is left out",
            "The factor is 1 - eta lambda.",
            lambda: [1.3, 0.001 * 1.3**30],
        ),
        Slip(
            "the growth is added instead of multiplied",
            "The further away, the larger the slope: each step multiplies the distance.",
            lambda: [factor, 0.001 * (1 + 30 * (factor - 1))],
        ),
    ]


_MOMENTUM = (
    Exercise(
        "11-terminal",
        "Momentum with mu = 0.95 and a gradient of 2 at every step, from v = 0. What is the "
        "velocity after two steps, and what does it tend to? Two numbers.",
        answer=cache(_terminal),
        slips=cache(_terminal_slips),
        hints=("v = mu v + g, twice.", "In the end v = mu v + g leaves v as it is: solve for v."),
        solution=lambda: f"0.95 * 2 + 2 and 2/(1 - 0.95): {shown(_terminal(), 4)}",
    ),
    Exercise(
        "11-best",
        "A quadratic has the eigenvalues 0.5 and 18. Which eta and which mu are best for momentum, "
        "and by which factor does the distance then shrink a step in the long run? Three numbers.",
        answer=cache(_best),
        slips=cache(_best_slips),
        hints=(
            "kappa = 36. What is sqrt(mu)?",
            "eta = 4/(sqrt(0.5) + sqrt(18))^2; the factor is sqrt(mu).",
        ),
        solution=lambda: f"sqrt(kappa) = 6, sqrt(mu) = 5/7; eta, mu, factor: {shown(_best())}",
    ),
    Exercise(
        "11-saddle",
        "Plain descent with eta = 0.5 stands 0.001 from a saddle, along a direction with "
        "lambda = -0.3. By which factor does a step multiply that distance, and how far is it "
        "after 30 steps? Two numbers.",
        answer=cache(_saddle),
        slips=cache(_saddle_slips),
        hints=(
            "The gradient is lambda times the distance: what does one step do to the distance?",
            "The factor is 1 - eta lambda, more than 1 here; take its 30th power.",
        ),
        solution=lambda: f"1 + 0.5 * 0.3, and 0.001 times its 30th power: {shown(_saddle())}",
    ),
)

# --------------------------------------------------------------------------------------------
# Adam


_START, _GRADIENTS = 2.0, (2.0, -1.0, 4.0)


def _variant(
    correct: Callable[[float, int], float] = lambda beta, t: 1 - beta**t, square: bool = True
) -> list[float]:
    """Three Adam steps with another correction, or without the squares' root."""
    theta, m, v, places = _START, 0.0, 0.0, []
    for t, g in enumerate(_GRADIENTS, start=1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        m_hat, v_hat = m / correct(0.9, t), v / correct(0.999, t)
        theta -= 0.1 * m_hat / (math.sqrt(v_hat) if square else v_hat)
        places.append(theta)
    return places


def _adam_steps() -> list[float]:
    return walk_one(adam(0.1), _START, _GRADIENTS)


def _adam_slips() -> Sequence[Slip]:
    return [
        Slip(
            "the bias correction is left out",
            "Divide m by 1 - 0.9^t and v by 1 - 0.999^t.",
            lambda: walk_one(adam(0.1, bias_correction=False), _START, _GRADIENTS),
        ),
        Slip(
            "the correction of the first step is used for all three",
            "t is 1, then 2, then 3.",
            lambda: _variant(lambda beta, t: 1 - beta),
        ),
        Slip(
            "the memory is renewed at every step",
            "m and v of the step before are kept; the signs alone do not decide.",
            lambda: (_START - 0.1 * np.cumsum(np.sign(_GRADIENTS))).tolist(),
        ),
        Slip(
            "the root is left out",
            "The denominator is the root of v-hat.",
            lambda: _variant(square=False),
        ),
    ]


_WHOSE = ("adam", "nesterov", "rmsprop", "sgd")


def _first_steps() -> list[list[float]]:
    rules = (adam(0.1), nesterov(0.1), rmsprop(0.1), sgd(0.1))
    return [walk(rule, [0.0, 0.0], [[5.0, -0.01]])[0].tolist() for rule in rules]


def _whose_question() -> str:
    places = "; ".join(f"({x:.3g}, {y:.3g})" for x, y in _first_steps())
    return (
        "At theta = (0, 0) the gradient is (5, -0.01). Four optimizers with eta = 0.1 (momentum "
        f"0.9; RMSProp with beta2 = 0.9) take their first step, to {places}. Name them in this "
        f"order, out of {', '.join(_WHOSE)}."
    )


def _whose_slips() -> Sequence[Slip]:
    first, second, third, fourth = _WHOSE
    return [
        Slip(
            "adam and rmsprop are mixed up",
            "Both divide by size; the one with a correction moves by eta exactly.",
            lambda: (third, second, first, fourth),
        ),
        Slip(
            "nesterov and sgd are mixed up",
            "Plain descent moves by eta g; looking ahead adds mu times as much.",
            lambda: (first, fourth, third, second),
        ),
        Slip(
            "nesterov and rmsprop are mixed up",
            "RMSProp moves both entries equally far, whatever their gradients.",
            lambda: (first, third, second, fourth),
        ),
    ]


def _decays() -> list[float]:
    return [
        walk_one(adamw(0.1, weight_decay=0.5), 4.0, [5.0])[0],
        walk_one(adam(0.1), 4.0, [5.0 + 0.5 * 4.0])[0],
    ]


def _decay_slips() -> Sequence[Slip]:
    decoupled, penalised = _decays()
    return [
        Slip(
            "the two are taken to be the same",
            "Under plain descent they are; Adam divides the penalty's gradient by its size.",
            lambda: [decoupled, decoupled],
        ),
        Slip("the two are mixed up", "AdamW comes first.", lambda: [penalised, decoupled]),
        Slip(
            "the decay is not multiplied by eta",
            "AdamW's decay is eta lambda theta.",
            lambda: [4.0 - 0.1 - 0.5 * 4.0, penalised],
        ),
        Slip(
            "the decay is taken from theta after Adam's move",
            "Both parts use the old theta.",
            lambda: [(4.0 - 0.1) * (1 - 0.05), penalised],
        ),
        Slip(
            "the steps are those of plain descent",
            "Adam's first move is eta, whatever the gradient.",
            lambda: [4.0 - 0.1 * 7.0, 4.0 - 0.1 * 7.0],
        ),
    ]


def adam_theta(theta: Array, g: Array, m: Array, v: Array, t: Array) -> Array:
    """Where one Adam step with eta = 0.1 leads after t steps."""
    params = Params(theta, (len(theta) - 1, 1))
    moved, _ = adam(0.1).step(params, params.like(g), (int(t), m, v))
    return moved.theta


def _mistaken(
    later: int = 1, old_memory: bool = False, correct: bool = True
) -> Callable[..., Array]:
    """The same step with one mistake."""

    def step(theta: Array, g: Array, m: Array, v: Array, t: Array) -> Array:
        if not old_memory:
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        if correct:
            m, v = m / (1 - 0.9 ** (t + later)), v / (1 - 0.999 ** (t + later))
        moved: Array = theta - 0.1 * m / (np.sqrt(v) + 1e-8)
        return moved

    return step


def _line_inputs(rng: np.random.Generator, trial: int) -> tuple[Array, ...]:
    P = 2 if trial == 0 else int(rng.integers(2, 8))
    theta, g, m = rng.standard_normal((3, P))
    return theta, g, m, rng.random(P) + 0.1, np.array(3 if trial == 0 else rng.integers(1, 50))


def _line_slips() -> Sequence[Slip]:
    return [
        Slip(
            "the correction uses t, not t + 1",
            "t steps lie behind, so this is step t + 1.",
            _mistaken(later=0),
        ),
        Slip(
            "the step uses the memory from before",
            "First m and v are renewed with g, then the step is taken.",
            _mistaken(old_memory=True),
        ),
        Slip(
            "the bias correction is left out",
            "Divide m by 1 - 0.9 ** (t + 1) and v by 1 - 0.999 ** (t + 1).",
            _mistaken(correct=False),
        ),
    ]


_ADAM = (
    Exercise(
        "11-adam-steps",
        "theta = 2, eta = 0.1, beta1 = 0.9, beta2 = 0.999; the gradients are 2, -1, 4. Where is "
        "theta after each of Adam's three steps? Three numbers.",
        answer=cache(_adam_steps),
        slips=cache(_adam_slips),
        hints=(
            "The first step has length eta. Then m = 0.9 * 0.2 + 0.1 * (-1).",
            "At step 2 divide m by 1 - 0.81 and v by 1 - 0.998001.",
        ),
        solution=lambda: f"theta after each step: {shown(_adam_steps())}",
    ),
    Exercise(
        "11-whose-step",
        _whose_question,
        answer=lambda: _WHOSE,
        slips=_whose_slips,
        hints=(
            "Two of them divide by the gradient's size: both entries move equally far.",
            "0.316 is 0.1/sqrt(1 - 0.9): no correction.",
        ),
        solution=lambda: "\n".join(
            f"({x:.3g}, {y:.3g})  {name}"
            for (x, y), name in zip(_first_steps(), _WHOSE, strict=True)
        ),
    ),
    Exercise(
        "11-decay",
        "theta = 4, g = 5, eta = 0.1, lambda = 0.5. Where does one first step lead with AdamW, and "
        "where with Adam on g + lambda theta? Two numbers.",
        answer=cache(_decays),
        slips=cache(_decay_slips),
        hints=(
            "How long is Adam's first move, whatever the gradient?",
            "AdamW also takes away eta lambda theta.",
        ),
        solution=lambda: f"4 - 0.1 - 0.1 * 0.5 * 4 and 4 - 0.1: {shown(_decays(), 4)}",
    ),
    Exercise(
        "11-adam-line",
        "Write adam_theta(theta, g, m, v, t): where one Adam step leads with eta = 0.1, "
        "beta1 = 0.9, beta2 = 0.999, eps = 1e-8. The memory m, v is that before the step, and t "
        "steps lie behind.",
        answer=adam_theta,
        slips=_line_slips,
        hints=(
            "Renew m and v with g first.",
            "This is step t + 1: divide m by 1 - 0.9 ** (t + 1), v by 1 - 0.999 ** (t + 1).",
        ),
        solution=lambda: (
            "m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2\n"
            "m_hat, v_hat = m / (1 - 0.9 ** (t + 1)), v / (1 - 0.999 ** (t + 1))\n"
            "return theta - 0.1 * m_hat / (np.sqrt(v_hat) + 1e-8)"
        ),
        inputs=_line_inputs,
        arguments=("theta", "g", "m", "v", "t"),
    ),
)

EXERCISES = (*_PREDICTIONS, *_MOMENTUM, *_ADAM)
