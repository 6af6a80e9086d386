"""The exercises of chapter 7, *The hand trace*.

Nothing is typed in that can be computed: right answers come from traces, wrong ones from the same
traces with one of the catalogue's mistakes, or from a line of arithmetic on them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from backprop_lib.activations import sigmoid, tanh
from backprop_lib.errors import Array
from backprop_lib.exercises.kinds import Exercise, Slip
from backprop_lib.losses import half_mse
from backprop_lib.mistakes import MISTAKES
from backprop_lib.network import MLP, Params
from backprop_lib.trace import Biases, Trace, trace_step

Reading = Callable[[Trace], Any]  # takes an answer from a trace


# --------------------------------------------------------------------------------------------
# The networks of the chapter


@cache
def first() -> Trace:
    """The first network: 2-2-1, sigmoids, one step with learning rate 0.5."""
    return _one_output(MLP((2, 2, 1), (sigmoid, sigmoid)))


@cache
def with_tanh() -> Trace:
    """The first network with tanh in its hidden layer."""
    return _one_output(MLP((2, 2, 1), (tanh, sigmoid)))


def _one_output(mlp: MLP) -> Trace:
    params = Params.of(W=[[[0.15, 0.20], [0.25, 0.30]], [[0.40, 0.45]]], b=[[0.35, 0.35], [0.60]])
    x, y = np.array([[0.05, 0.10]]), np.array([[0.01]])
    return trace_step(mlp, params, x, y, half_mse, learning_rate=0.5)


@cache
def two_outputs(biases: Biases) -> Trace:
    """The network with two outputs; which biases learn is the question."""
    params = Params.of(
        W=[[[0.15, 0.20], [0.25, 0.30]], [[0.40, 0.45], [0.50, 0.55]]],
        b=[[0.35, 0.35], [0.60, 0.60]],
    )
    x, y = np.array([[0.05, 0.10]]), np.array([[0.01, 0.99]])
    mlp = MLP((2, 2, 2), (sigmoid, sigmoid))
    return trace_step(mlp, params, x, y, half_mse, learning_rate=0.5, biases=biases)


# --------------------------------------------------------------------------------------------
# From a trace to an exercise


def values(*keys: str) -> Reading:
    """Take these quantities from a trace: one number, or a list."""
    return lambda trace: [trace[key] for key in keys] if len(keys) > 1 else trace[keys[0]]


def hidden_weights(trace: Trace) -> Any:
    """Take the gradient of the hidden weights, to-unit by from-unit."""
    return trace.grads.W[1]


def lines(trace: Trace, *keys: str) -> str:
    """The lines of these quantities."""
    readings = [trace.reading(trace.quantities[key]) for key in keys]
    return "\n".join(" = ".join(dict.fromkeys(filter(None, parts))) for parts in readings)


@cache
def bent(trace: Callable[[], Trace], bug: str) -> Trace:
    """The same trace with a mistake in it."""
    return trace().with_bug(bug)


def slips_of(trace: Callable[[], Trace], read: Reading) -> list[Slip]:
    """What `read` finds in a trace with each mistake that changes it."""
    right = np.asarray(read(trace()))
    slips = []
    for bug in trace().bugs:
        found = np.asarray(read(bent(trace, bug)))
        if not np.allclose(found, right, rtol=1e-12, atol=0):
            mistake = MISTAKES[bug]
            slips.append(Slip(mistake.title, mistake.advice, lambda found=found: found))
    return slips


def traced(
    name: str,
    question: str,
    trace: Callable[[], Trace],
    read: Reading,
    hints: tuple[str, ...],
    shown: Callable[[Trace], str],
    more: Callable[[], Sequence[Slip]] = tuple,
    digits: int = 4,
) -> Exercise:
    """An exercise whose right answer stands in a trace, and its mistakes in the bent traces."""
    return Exercise(
        name,
        question,
        answer=cache(lambda: read(trace())),
        slips=cache(lambda: (*slips_of(trace, read), *more())),
        hints=hints,
        solution=lambda: shown(trace()),
        digits=digits,
    )


# --------------------------------------------------------------------------------------------
# One gradient after the other


def _delta_output_slips() -> Sequence[Slip]:
    t = first()
    return [
        Slip(
            "only the slope of the sigmoid is taken",
            "That is how a changes with z; C also changes with a, by a - y.",
            lambda: t["a2[1]"] * (1 - t["a2[1]"]),
        ),
        Slip("the loss itself is given", "Asked is how C changes with z.", lambda: t["C"]),
    ]


def _fed(error: str, fed: Sequence[str]) -> Callable[[], Any]:
    return lambda: [first()[error] * first()[key] for key in fed]


def _dw2_slips() -> Sequence[Slip]:
    t = first()
    new = values("new_w2[1,1]", "new_w2[1,2]")
    return [
        Slip(
            "the error is multiplied by the inputs x",
            "The output unit was fed the hidden activations.",
            _fed("delta2[1]", ("x[1]", "x[2]")),
        ),
        Slip(
            "the error is multiplied by the hidden sums z",
            "What arrives at the output is a, not z.",
            _fed("delta2[1]", ("z1[1]", "z1[2]")),
        ),
        Slip(
            "the gradient is already multiplied by the learning rate",
            "That is how far the weights move; asked is the gradient.",
            lambda: [0.5 * g for g in values("dw2[1,1]", "dw2[1,2]")(t)],
        ),
        Slip("the new weights are given", "Asked is the gradient.", lambda: new(t)),
    ]


def _delta_hidden_slips() -> Sequence[Slip]:
    t = first()
    return [
        Slip(
            "the weight is left out on the way back",
            "What the output's error says to a hidden unit is said through their wire.",
            lambda: [t["delta2[1]"] * t[f"a1[{j}]"] * (1 - t[f"a1[{j}]"]) for j in (1, 2)],
        ),
        Slip(
            "the two weights are mixed up",
            "Hidden unit 1 speaks to the output through w2[1,1].",
            lambda: [
                t[f"w2[1,{3 - j}]"] * t["delta2[1]"] * t[f"a1[{j}]"] * (1 - t[f"a1[{j}]"])
                for j in (1, 2)
            ],
        ),
    ]


def _dw1_slips() -> Sequence[Slip]:
    transposed, own = MISTAKES["gradient_transposed"], MISTAKES["own_activation"]
    t = first()
    delta = np.array(values("delta1[1]", "delta1[2]")(t))
    a = np.array(values("a1[1]", "a1[2]")(t))
    advice = "Row j belongs to hidden unit j: delta1[j] times x1, delta1[j] times x2."
    return [
        Slip(transposed.title, advice, lambda: t.grads.W[1].T),
        Slip(own.title, own.advice, lambda: np.outer(delta, a)),
    ]


def _bias_slips() -> Sequence[Slip]:
    t = first()
    layers = [(1, 1), (1, 2), (2, 1)]
    return [
        Slip(
            "the error is multiplied by the bias",
            "A bias is multiplied by 1, and that 1 is what it was fed.",
            lambda: [t[f"delta{l}[{j}]"] * t[f"b{l}[{j}]"] for l, j in layers],
        ),
        Slip(
            "the error is multiplied by the unit's activation",
            "A bias is multiplied by 1, and that 1 is what it was fed.",
            lambda: [t[f"delta{l}[{j}]"] * t[f"a{l}[{j}]"] for l, j in layers],
        ),
    ]


_GRADIENTS = (
    traced(
        "07-delta-output",
        "In the first network, what is the error of the output unit, delta[2] = dC/dz[2]?",
        first,
        values("delta2[1]"),
        (
            "How does C change with a, and a with z? Multiply the two.",
            "(a - y) times a(1 - a), with the a of the output.",
        ),
        lambda t: t.table("backward", layer=2),
        _delta_output_slips,
    ),
    traced(
        "07-dw2",
        "In the first network, what are dC/dw2[1,1] and dC/dw2[1,2]?",
        first,
        values("dw2[1,1]", "dw2[1,2]"),
        (
            "Error times input: which error, and what was the output unit fed?",
            "delta2[1] times a1[1], and delta2[1] times a1[2].",
        ),
        lambda t: t.table("gradient", layer=2),
        _dw2_slips,
    ),
    traced(
        "07-delta-hidden",
        "In the first network, what are the errors of the hidden units, delta1[1] and delta1[2]?",
        first,
        values("delta1[1]", "delta1[2]"),
        (
            "The output's error comes back through the wire of the hidden unit. And then?",
            "w2[1,j] times delta2[1] times a1[j](1 - a1[j]), with the weight as it was.",
        ),
        lambda t: t.table("backward", layer=1),
        _delta_hidden_slips,
    ),
    traced(
        "07-dw1",
        "In the first network, what is dC/dW[1]? A 2 x 2 matrix, row j for hidden unit j.",
        first,
        hidden_weights,
        (
            "Error times input again: which errors, and what were the hidden units fed?",
            "Row j, column i is delta1[j] times x[i].",
        ),
        lambda t: t.table("gradient", layer=1),
        _dw1_slips,
    ),
    traced(
        "07-biases",
        "In the first network, what are dC/db1[1], dC/db1[2] and dC/db2[1]?",
        first,
        values("db1[1]", "db1[2]", "db2[1]"),
        ("A bias is a weight whose input is always 1.", "They are the three errors themselves."),
        lambda t: lines(t, "db1[1]", "db1[2]", "db2[1]"),
        _bias_slips,
    ),
)


# --------------------------------------------------------------------------------------------
# After the step


def _loss_at(params: Params) -> float:
    """The loss of the first network with other weights and biases."""
    step = first().step
    return trace_step(step.mlp, params, step.x, step.y, step.loss, 0.5)["C"]


def _second_step_slips() -> Sequence[Slip]:
    t = first()
    start, gradient = t.step.params, t.grads.theta
    return [
        Slip(
            "only one step is taken",
            "Start again from the new weights.",
            lambda: t["new_C"],
        ),
        Slip(
            "the gradient of the first step is used again",
            "At the new weights everything has changed, the gradient too: go forward and back.",
            lambda: _loss_at(start.like(start.theta - 2 * 0.5 * gradient)),
        ),
    ]


def _new_output_slips() -> Sequence[Slip]:
    t = first()
    return [Slip("no step is taken", "First update all nine numbers.", lambda: t["a2[1]"])]


def _sigmoid_slope_kept() -> Sequence[Slip]:
    t = with_tanh()
    return [
        Slip(
            "the slope of the sigmoid is kept",
            "The slope of tanh is 1 - a^2.",
            lambda: [
                t[f"w2[1,{j}]"] * t["delta2[1]"] * t[f"a1[{j}]"] * (1 - t[f"a1[{j}]"])
                for j in (1, 2)
            ],
        ),
        Slip(
            "the hidden units still squash with the sigmoid",
            "Go forward again first: a = tanh(z), and the output changes as well.",
            lambda: values("delta1[1]", "delta1[2]")(first()),
        ),
    ]


_STEPS = (
    traced(
        "07-new-output",
        "In the first network, what is the output after one step? Give six significant digits.",
        first,
        values("new_a2[1]"),
        (
            "All nine numbers move at once, by -eta times their gradients; then go forward.",
            "First nine gradients, then nine new numbers, then forward with the new ones only.",
        ),
        lambda t: f"{t.table('update')}\n{t.table('verify')}",
        _new_output_slips,
        digits=6,
    ),
    traced(
        "07-second-step",
        "Take two steps with the first network. What is the loss then? Give six digits.",
        first,
        lambda t: t.next()["new_C"],
        (
            "The second step is the first once more, from the new weights.",
            "trace.next() is the trace of the second step; its new_C is what is asked.",
        ),
        lambda t: f"{lines(t, 'new_C')}\n{lines(t.next(), 'new_C')}",
        _second_step_slips,
        digits=6,
    ),
    traced(
        "07-tanh",
        "Put tanh into the hidden layer of the first network. What are delta1[1] and delta1[2]?",
        with_tanh,
        values("delta1[1]", "delta1[2]"),
        (
            "Going forward a changes, and so does the output; going back the slope changes.",
            "w2[1,j] times delta2[1] times (1 - a1[j]^2), with a1[j] = tanh(z1[j]).",
        ),
        lambda t: f"{t.table('forward')}\n{t.table('backward')}",
        _sigmoid_slope_kept,
    ),
)


# --------------------------------------------------------------------------------------------
# Numbers that people report


_SUSPECTS = ("output_slope_omitted", "missing_half", "bias_missing", "sign")


def _reported(names: Sequence[str]) -> list[str]:
    return [f"{first().with_bug(name)['new_C']:.5f}" for name in names]


def _which_loss_question() -> str:
    return (
        f"Four readers take one step with the first network and report the losses "
        f"{', '.join(_reported(_SUSPECTS))} (right: {first()['new_C']:.5f}). Each made one mistake "
        f"out of {', '.join(sorted(first().bugs))}. Name the four, in this order."
    )


def _which_loss_slips() -> Sequence[Slip]:
    output, half, bias, sign = _SUSPECTS
    return [
        Slip(
            "the two larger steps are mixed up",
            "The output slope is below 1/4: to leave it out lengthens the step more than a 2 does.",
            lambda: (half, output, bias, sign),
        ),
        Slip(
            "the two smaller steps are mixed up",
            "Only one of the mistakes makes the loss grow.",
            lambda: (output, half, sign, bias),
        ),
        Slip(
            "the two omitted slopes are mixed up",
            "The hidden slope reaches only the hidden weights, whose gradients are tiny.",
            lambda: ("hidden_slope_omitted", half, bias, sign),
        ),
    ]


def _early_slips() -> Sequence[Slip]:
    t, all_biases = two_outputs("fixed"), two_outputs("each")
    return [
        Slip("no step is taken", "Asked is the loss after one step.", lambda: t["C"]),
        Slip(
            "the order is right",
            "That is the right ending. What does the wrong order give? Update w2 first.",
            lambda: t["new_C"],
        ),
        Slip(
            "the biases learn as well",
            "The page in question moves weights only.",
            lambda: all_biases.with_bug("early_update")["new_C"],
        ),
        Slip(
            "the biases learn as well and the order is right",
            "The page in question moves weights only, and those of the output too early.",
            lambda: all_biases["new_C"],
        ),
    ]


def _bias_losses() -> list[float]:
    return [two_outputs(biases)["new_C"] for biases in ("fixed", "each", "shared")]


def _shared_by_mean() -> float:
    """The loss after a step in which a layer's shared bias moves by the mean of its errors."""
    t = two_outputs("each")
    moved = t.step.params.like(t.step.params.theta - 0.5 * t.grads.theta)
    for l in (1, 2):
        moved.b[l][:] = t.step.params.b[l] - 0.5 * t.grads.b[l].mean()
    return trace_step(t.step.mlp, moved, t.step.x, t.step.y, t.step.loss, 0.5)["C"]


def _bias_loss_slips() -> Sequence[Slip]:
    fixed, each, shared = _bias_losses()
    return [
        Slip(
            "the first two are exchanged",
            "Which of the two lets the loss fall further?",
            lambda: [each, fixed, shared],
        ),
        Slip(
            "the last two are exchanged",
            "The errors of the two outputs have opposite signs: shared, they partly cancel.",
            lambda: [fixed, shared, each],
        ),
        Slip(
            "the shared bias moves by the mean of its units' errors",
            "What one bias does to two units adds up: its gradient is the sum.",
            lambda: [fixed, each, _shared_by_mean()],
        ),
    ]


_REPORTS = (
    Exercise(
        "07-which-loss",
        _which_loss_question,
        answer=lambda: _SUSPECTS,
        slips=cache(_which_loss_slips),
        hints=(
            "Which mistakes make the step longer, which shorter, and which send it uphill?",
            "Try them: trace.with_bug(name)['new_C'] for each name.",
        ),
        solution=lambda: "\n".join(
            f"{loss}  {name}" for loss, name in zip(_reported(_SUSPECTS), _SUSPECTS, strict=True)
        ),
    ),
    Exercise(
        "07-early-update",
        "In the network with two outputs, biases fixed: which loss stands after one step if the "
        "output weights are updated before the error goes back? Give nine digits.",
        answer=cache(lambda: two_outputs("fixed").with_bug("early_update")["new_C"]),
        slips=cache(_early_slips),
        hints=(
            "Only the hidden errors change, and with them the hidden weights' new values.",
            "Make the trace with biases='fixed' and ask it for with_bug('early_update')['new_C'].",
        ),
        solution=lambda: two_outputs("fixed").with_bug("early_update").table("verify", digits=9),
        digits=9,
    ),
    Exercise(
        "07-which-biases",
        "In the network with two outputs: the loss after one step if no bias learns, if every "
        "bias learns, and if the units of a layer share one bias that learns. Three numbers, six "
        "digits each.",
        answer=cache(_bias_losses),
        slips=cache(_bias_loss_slips),
        hints=(
            "trace_step takes biases='fixed', 'each' or 'shared'.",
            "The gradient of a shared bias is the sum of its units' errors.",
        ),
        solution=lambda: "\n".join(
            f"{loss:.9f}  {name}"
            for loss, name in zip(_bias_losses(), ("fixed", "each", "shared"), strict=True)
        ),
        digits=6,
    ),
)


# --------------------------------------------------------------------------------------------
# Lines of code


def hidden_error(delta2: Array, W2: Array, a1: Array) -> Array:
    """The hidden errors of a batch, one row a sample, behind sigmoids."""
    return (delta2 @ W2) * a1 * (1 - a1)


def weight_gradient(delta: Array, a: Array) -> Array:
    """The gradient of the weights between activations a and errors delta, rows of a batch."""
    return delta.T @ a


def _hidden_inputs(rng: np.random.Generator, trial: int) -> tuple[Array, ...]:
    N, n_1, n_2 = (1, 2, 1) if trial == 0 else rng.integers(1, 6, 3)
    n_2 = n_1 if trial % 3 == 1 else n_2  # where W2 is square, its transpose fits as well
    a1 = rng.uniform(0.1, 0.9, (N, n_1))
    return rng.standard_normal((N, n_2)), rng.standard_normal((n_2, n_1)), a1


def _gradient_inputs(rng: np.random.Generator, trial: int) -> tuple[Array, ...]:
    N, n_out, n_in = (2, 1, 2) if trial == 0 else rng.integers(1, 6, 3)
    return rng.standard_normal((N, n_out)), rng.standard_normal((N, n_in))


def _hidden_line_slips() -> Sequence[Slip]:
    def known(name: str, function: Callable[..., Array]) -> Slip:
        return Slip(MISTAKES[name].title, MISTAKES[name].advice, function)

    return [
        Slip(
            "W2 is transposed",
            "In rows, delta2 @ W2 sums over the output units; W2.T sums over the wrong ones.",
            lambda delta2, W2, a1: (delta2 @ W2.T) * a1 * (1 - a1),
        ),
        known("hidden_slope_omitted", lambda delta2, W2, a1: delta2 @ W2),
        known("slope_at_a", lambda delta2, W2, a1: (delta2 @ W2) * sigmoid.d(a1, sigmoid.f(a1))),
        Slip(
            "the slope of tanh is used",
            "The hidden units are sigmoids: a(1 - a).",
            lambda delta2, W2, a1: (delta2 @ W2) * (1 - a1**2),
        ),
    ]


def _gradient_line_slips() -> Sequence[Slip]:
    transposed = MISTAKES["gradient_transposed"].advice
    return [
        Slip("the product is transposed", transposed, lambda delta, a: a.T @ delta),
        Slip(
            "the batch is averaged once more",
            MISTAKES["averaged_twice"].advice,
            lambda delta, a: delta.T @ a / len(a),
        ),
        Slip(
            "only the first sample counts",
            "Every sample has its say: add up over the rows.",
            lambda delta, a: np.outer(delta[0], a[0]),
        ),
    ]


_LINES = (
    Exercise(
        "07-hidden-line",
        "Write hidden_error(delta2, W2, a1) in one line: the hidden errors (N, n_1) of a batch, "
        "from delta2 (N, n_2), W2 (n_2, n_1) and the sigmoids' activations a1 (N, n_1).",
        answer=hidden_error,
        slips=_hidden_line_slips,
        hints=(
            "Which product of delta2 and W2 sums over the output units?",
            "delta2 @ W2 has one row a sample; then comes the slope a1 * (1 - a1).",
        ),
        solution=lambda: "return (delta2 @ W2) * a1 * (1 - a1)",
        inputs=_hidden_inputs,
        arguments=("delta2", "W2", "a1"),
    ),
    Exercise(
        "07-gradient-line",
        "Write weight_gradient(delta, a) in one line: dC/dW of shape (n_out, n_in), from the "
        "errors delta (N, n_out), which hold the 1/N already, and the inputs a (N, n_in).",
        answer=weight_gradient,
        slips=_gradient_line_slips,
        hints=(
            "For one sample it is an outer product; for a batch, their sum.",
            "A product of two matrices sums over the rows if the first one is transposed.",
        ),
        solution=lambda: "return delta.T @ a",
        inputs=_gradient_inputs,
        arguments=("delta", "a"),
    ),
)


# --------------------------------------------------------------------------------------------
# Predictions: choose first, compute afterwards

_FAR, _NEAR, _HALFWAY, _BACKWARDS = "close to 0.01", "about 0.73", "about 0.50", "above 0.75"


def _where_one_step_ends() -> str:
    t = first()
    if t["new_a2[1]"] > t["a2[1]"]:
        return _BACKWARDS
    ends = {_FAR: t["y[1]"], _NEAR: 0.73, _HALFWAY: 0.5}
    return min(ends, key=lambda choice: abs(ends[choice] - t["new_a2[1]"]))


def _which_step_is_longer() -> str:
    t = first()
    one, two = t["C"] - t["new_C"], t["new_C"] - t.next()["new_C"]
    if math.isclose(one, two, rel_tol=1e-3):
        return "just as much"
    return "more" if two > one else "less"


@cache
def bold() -> Trace:
    """The first network with a learning rate ten times as large."""
    step = first().step
    return trace_step(step.mlp, step.params, step.x, step.y, step.loss, learning_rate=5.0)


def _does_it_overshoot() -> str:
    t = bold()
    if t["new_a2[1]"] > t["a2[1]"]:
        return "it moves away from the target"
    short = "no, it stays above the target"
    return short if t["new_a2[1]"] > t["y[1]"] else "yes, it falls below the target"


@cache
def no_miss() -> Trace:
    """The network with two outputs, of which the second hits its target."""
    step = two_outputs("each").step
    y = np.array([[step.y[0, 0], two_outputs("each")["a2[2]"]]])
    return trace_step(step.mlp, step.params, step.x, y, step.loss, learning_rate=0.5)


def _which_gradients_vanish() -> str:
    weight, bias = (no_miss()[key] == 0 for key in ("dw2[2,1]", "db2[2]"))
    names = {(True, True): "both are 0", (True, False): "only that of the weight is 0"}
    names |= {(False, True): "only that of the bias is 0", (False, False): "neither is 0"}
    return names[weight, bias]


def chosen(choice: str, says: str, advice: str) -> Slip:
    """What somebody means who makes this choice."""
    return Slip(says, advice, lambda: choice)


_PREDICTIONS = (
    Exercise(
        "07-predict-output",
        "The output is about 0.75 and should be 0.01. Where is it after one step with learning "
        "rate 0.5 on all nine numbers?",
        answer=cache(_where_one_step_ends),
        slips=lambda: (
            chosen(
                _FAR,
                "one step is taken for the whole way",
                "The gradient says where downhill is, not how far away the valley lies.",
            ),
            chosen(
                _HALFWAY,
                "the learning rate is taken for a share of the way",
                "It multiplies gradients, which are small here: the slope of a sigmoid is at most "
                "1/4, and several of them are multiplied.",
            ),
            chosen(
                _BACKWARDS,
                "the step goes along the gradient",
                "Parameters move against the gradient, so the loss falls and the output with it.",
            ),
        ),
        hints=(
            "How large can a step be whose every factor is below 1?",
            "The error of the output unit is below 1/4, and the step multiplies it by 0.5 and by "
            "what the unit was fed.",
        ),
        solution=lambda: lines(first(), "a2[1]", "new_a2[1]"),
        choices=(_FAR, _NEAR, _HALFWAY, _BACKWARDS),
    ),
    Exercise(
        "07-predict-second-step",
        "The first step lowers the loss a little. How much will the second step lower it?",
        answer=cache(_which_step_is_longer),
        slips=lambda: (
            chosen(
                "less",
                "every step is thought to be shorter than the one before",
                "Steps grow while the slope grows: the output leaves the flat part of the sigmoid.",
            ),
            chosen(
                "just as much",
                "the gradient is thought to stay the same",
                "The gradient belongs to a point; at the new weights it is another one.",
            ),
        ),
        hints=(
            "Where is a sigmoid steeper, at 0.75 or nearer to 0.5?",
            "The error is a little smaller after the first step, the slope a(1 - a) is larger.",
        ),
        solution=lambda: (
            f"first step:  {first()['C']:.6f} - {first()['new_C']:.6f} = "
            f"{first()['C'] - first()['new_C']:.6f}\n"
            f"second step: {first()['new_C']:.6f} - {first().next()['new_C']:.6f} = "
            f"{first()['new_C'] - first().next()['new_C']:.6f}"
        ),
        choices=("more", "less", "just as much"),
    ),
    Exercise(
        "07-predict-no-miss",
        "In the network with two outputs the second target is set to the second output. Which of "
        "dC/dw2[2,1] and dC/db2[2] are 0?",
        answer=cache(_which_gradients_vanish),
        slips=lambda: (
            chosen(
                "only that of the weight is 0",
                "the bias is thought to learn without an error",
                "A bias is a weight whose input is 1: its gradient is the error itself.",
            ),
            chosen(
                "only that of the bias is 0",
                "the hidden activation is thought to count alone",
                "Every gradient is error times input, and the error is 0.",
            ),
            chosen(
                "neither is 0",
                "the miss of the first output is thought to reach the second",
                "What leads into the second output answers for the second output only.",
            ),
        ),
        hints=("Error times input: what is the error?", "delta2[2] holds the factor a - y."),
        solution=lambda: no_miss().table("gradient", layer=2),
        choices=(
            "both are 0",
            "only that of the weight is 0",
            "only that of the bias is 0",
            "neither is 0",
        ),
    ),
    Exercise(
        "07-predict-overshoot",
        "The learning rate of the first network is raised from 0.5 to 5. Will one step overshoot "
        "the target 0.01?",
        answer=cache(_does_it_overshoot),
        slips=lambda: (
            chosen(
                "yes, it falls below the target",
                "a large learning rate is thought always to overshoot",
                "Ten times a step of about 0.02 is still shorter than the way to the target.",
            ),
            chosen(
                "it moves away from the target",
                "a large step is thought to climb",
                "A step may climb only where it jumps across the valley; this one is far from it.",
            ),
        ),
        hints=(
            "With learning rate 0.5 the output moves by about 0.02.",
            "Ten times the way is about 0.2 or a little more, and the target is 0.74 away.",
        ),
        solution=lambda: lines(bold(), "a2[1]", "new_a2[1]"),
        choices=(
            "yes, it falls below the target",
            "no, it stays above the target",
            "it moves away from the target",
        ),
    ),
)

EXERCISES = (*_GRADIENTS, *_STEPS, *_REPORTS, *_LINES, *_PREDICTIONS)
