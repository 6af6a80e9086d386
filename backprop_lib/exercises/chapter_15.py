"""The predictions of chapter 15, *Claims, tested*: a popular claim each, to be judged beforehand.

What is right is found by an experiment, a smaller one than the chapter's or one done in another
way, so that the page and this file are two witnesses.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from itertools import product

import numpy as np

from backprop_lib.activations import identity, relu, sigmoid, softmax, tanh
from backprop_lib.autodiff import Tensor, gradients, topological_order
from backprop_lib.backprop import backward, propagate_back
from backprop_lib.data import Images, load_digits, load_xor, make_moons
from backprop_lib.diagnose import mistaken_gradient
from backprop_lib.errors import Array
from backprop_lib.exercises.chapter_10 import error_left, learns_with_slope
from backprop_lib.exercises.kinds import Exercise, Slip
from backprop_lib.gradcheck import check_gradients
from backprop_lib.losses import bce, cross_entropy, half_mse, one_hot
from backprop_lib.network import (
    MLP,
    Params,
    cost,
    forward,
    he,
    propagate,
    zeros,
)
from backprop_lib.optimizers import Optimizer, adam, sgd
from backprop_lib.trace import trace_step
from backprop_lib.training import accuracy, fit

TRUE, FALSE = "true", "false"

Held = Sequence[bool]
Advice = tuple[str, str]


def word(held: Held, condition: str) -> str:
    """What to call a claim that held in these cases."""
    if all(held):
        return TRUE
    return f"true only if {condition}" if any(held) else FALSE


def _claim(
    name: str,
    question: str,
    condition: str,
    held: Callable[[], Held],
    advice: tuple[Advice | None, Advice | None, Advice | None],
    hints: tuple[str, str],
    solution: str,
) -> Exercise:
    """A claim to judge; `advice` says what is wrong with each verdict, None with the right one."""
    choices = (TRUE, f"true only if {condition}", FALSE)
    given = [(choice, said) for choice, said in zip(choices, advice, strict=True) if said]

    def slips() -> tuple[Slip, ...]:
        return tuple(Slip(*said, lambda choice=choice: choice) for choice, said in given)

    @cache
    def answer() -> str:
        return word(held(), condition)

    return Exercise(
        f"15-{name}",
        f"{question} True, false, or true on one condition?",
        answer=answer,
        slips=slips,
        hints=hints,
        solution=lambda: f"{solution} The claim is {answer()}.",
        choices=choices,
    )


# --------------------------------------------------------------------------------------------
# One neuron


def _sign() -> Held:
    """Whether a lower weight raises the answer, for a positive and for a negative input."""
    return [0.9 * x > 1.0 * x for x in (2.0, -2.0)]


@cache
def _digits() -> tuple[Images, Array]:
    digits = load_digits(np.random.default_rng(0))
    return digits, one_hot(digits.y_train, 10)


def reads(optimizer: Optimizer, order: Array | None = None) -> bool:
    """Whether a small network reads most digits after three epochs."""
    digits, Y = _digits()
    mlp, rng = MLP((64, 32, 10), (relu, softmax)), np.random.default_rng(0)
    Y = Y if order is None else Y[order]
    start = mlp.init(rng, he)
    run = fit(
        mlp, start, digits.X_train, Y, cross_entropy, optimizer, epochs=3, batch_size=32, rng=rng
    )
    return accuracy(propagate(mlp, run.params, digits.X_test).a[-1], digits.y_test) > 0.7


def _sum_or_mean() -> Held:
    """Whether one step on a bowl of 32 equal samples goes down, at rate 0.1 and at 0.1/32.

    The mean of (w - 1)^2/2 over 32 samples has curvature 1, the sum has curvature 32.
    """
    return [abs(1 - eta * 32) < 1 for eta in (0.1, 0.1 / 32)]


def _x_one_minus_x() -> Held:
    z, h = 2.0, 1e-5
    up, down = sigmoid.f(np.array([z + h, z - h]))
    a = float(sigmoid.f(np.array([z]))[0])
    return [bool(abs(x * (1 - x) - (up - down) / (2 * h)) < 1e-6) for x in (z, a)]


_NEURON = (
    _claim(
        "sign",
        "A neuron z = w x + b predicted too low. The claim: lower its weight.",
        "its input is negative",
        _sign,
        (
            (
                "the error and the correction are given the same sign",
                "Take x = 2 and nudge w down: which way does w x go?",
            ),
            None,
            (
                "inputs are taken to be always positive",
                "Right for x > 0. What does a lower weight do to w x when x = -2?",
            ),
        ),
        ("Which way does w x go when w goes down?", "It depends on the sign of x."),
        "With x = 2 a lower weight lowers w x, with x = -2 it raises it.",
    ),
    _claim(
        "sum-mean",
        "The loss of a batch of N samples may be summed or averaged. The claim: for training it "
        "makes no difference.",
        "eta is divided by N",
        _sum_or_mean,
        (
            (
                "a constant factor is taken to be harmless",
                "The gradient has the factor N too, and so has every step.",
            ),
            None,
            (
                "the factor is taken to change the direction",
                "The gradients differ by the factor N only: what can take it out again?",
            ),
        ),
        ("By what factor do the two gradients differ?", "By N. Which number multiplies them?"),
        "The sum has N times the gradient: steps are N times as long, unless eta is N times less.",
    ),
    _claim(
        "slope",
        "The claim: the derivative of the sigmoid is x(1 - x).",
        "x is the sigmoid's output",
        _x_one_minus_x,
        (
            (
                "x is taken for the input of the sigmoid",
                "Put x = 2 into it: can the slope of a rising curve be negative?",
            ),
            None,
            (
                "the formula is thrown away with its misuse",
                "Try it on a = sigmoid(2) and compare with a difference quotient.",
            ),
        ),
        ("A sigmoid always rises; when is x(1 - x) positive?", "Which x lies between 0 and 1?"),
        "Of z = 2 it gives -2; of a = sigmoid(2) it gives the slope.",
    ),
)


# --------------------------------------------------------------------------------------------
# Layers and errors


def _tanh_slope() -> Held:
    z = np.linspace(-5, 5, 1001)
    return [bool(tanh.d(z, tanh.f(z)).max() <= 0.25)]


def units_differ(mlp: MLP) -> bool:
    """Whether any two hidden units differ after training from a start of zeros."""
    rng = np.random.default_rng(0)
    X, y = make_moons(100, 0.1, rng)
    start = mlp.init(rng, zeros)
    run = fit(mlp, start, X, y, bce, sgd(0.5), epochs=100, batch_size=100, rng=rng)
    return bool(np.ptp(run.params.W[1], axis=0).max() > 1e-9)


def _zeros() -> Held:
    return [units_differ(MLP((2, 4, 1), (phi, sigmoid))) for phi in (tanh, sigmoid)]


def fitting_products(N: int, n_out: int, n_in: int) -> int:
    """How many products of an error (N, n_out) and weights (n_out, n_in) are (N, n_in)."""
    D, W = np.zeros((N, n_out)), np.zeros((n_out, n_in))
    pairs = [pair for d, w in product((D, D.T), (W, W.T)) for pair in ((d, w), (w, d))]
    return sum(u.shape[1] == v.shape[0] and (u @ v).shape == (N, n_in) for u, v in pairs)


def _one_product() -> Held:
    return [fitting_products(*sizes) == 1 for sizes in ((4, 3, 2), (4, 3, 3), (3, 3, 3))]


def _early_is_right() -> Held:
    mlp = MLP((2, 2, 2), (sigmoid, sigmoid))
    params = Params.of(
        W=[[[0.15, 0.20], [0.25, 0.30]], [[0.40, 0.45], [0.50, 0.55]]],
        b=[[0.35, 0.35], [0.60, 0.60]],
    )
    x, y = np.array([[0.05, 0.10]]), np.array([[0.01, 0.99]])
    right = backward(mlp, params, forward(mlp, params, x), y, half_mse).grads.W[1]
    held = []
    for eta in (0.5, 0.005):
        early = trace_step(mlp, params, x, y, half_mse, eta).with_bug("early_update").grads
        held.append(bool(np.allclose(early.W[1], right, rtol=1e-6, atol=0)))
    return held


_YEARS = {
    "reverse accumulation of derivatives": 1970,
    "for fitting models to data": 1974,
    "for networks of neurons": 1982,
    "the 1986 paper": 1986,
    "set out as four equations": 2015,
}


def _due_to_1986() -> Held:
    """By the years of the sources: whether the recursion, and the packaging, began there."""
    return [
        min(_YEARS.values()) == _YEARS["the 1986 paper"],
        _YEARS["set out as four equations"] == _YEARS["the 1986 paper"],
    ]


_LAYERS = (
    _claim(
        "tanh",
        "The claim: the slope of tanh is at most 0.25.",
        "the weights are small",
        _tanh_slope,
        (
            (
                "the sigmoid's bound is carried over",
                "Tanh runs from -1 to 1. What is its slope at 0?",
            ),
            (
                "the slope of the activation is mixed with the weights before it",
                "The slope of tanh belongs to tanh alone; small weights even lead to where it is "
                "steepest.",
            ),
            None,
        ),
        ("Where is tanh steepest?", "Near 0, tanh(z) is about z."),
        "The slope is 1 - tanh(z)^2, which is 1 at z = 0.",
    ),
    _claim(
        "zeros",
        "A network with one hidden layer. The claim: all parameters 0 is a safe start.",
        "the hidden units are sigmoids",
        _zeros,
        (
            (
                "zero is taken to be neutral",
                "What multiplies the error of a hidden unit on its way back, and what a weight?",
            ),
            (
                "moving is taken for learning",
                "With sigmoids the weights move. Can one hidden unit ever differ from the next?",
            ),
            None,
        ),
        (
            "Compare the gradients of two hidden units.",
            "They see the same, say the same and are blamed alike.",
        ),
        "Hidden units that start alike stay alike; with tanh no weight moves at all.",
    ),
    _claim(
        "shapes",
        "To send an error back, multiply it by the weights. The claim: the dimensions allow only "
        "one product, so it cannot go wrong.",
        "N and both widths differ",
        _one_product,
        (
            (
                "all layers are taken to be of different width",
                "Write down the products for layers of equal width.",
            ),
            None,
            (
                "shapes are taken to say nothing at all",
                "Four samples, three units, two inputs: try all eight products.",
            ),
        ),
        (
            "Two orders, two transpositions: eight products. How many have the right shape?",
            "It depends on which of the three sizes are equal.",
        ),
        "Of eight products 1 fits for sizes 4, 3, 2, but 2 for 4, 3, 3, and all 8 for 3, 3, 3.",
    ),
    _claim(
        "early",
        "The claim: update the last layer first, then send the error back through it; the "
        "gradients are the same.",
        "the learning rate is small",
        _early_is_right,
        (
            (
                "the weights on the way back are taken to be any weights",
                "Which weights made the answer whose error this is?",
            ),
            (
                "a small error is taken for none",
                "The error shrinks with the rate. At which rate is it 0?",
            ),
            None,
        ),
        (
            "The error goes back through weights: old or new ones?",
            "New ones were never used to answer. Ten times less eta, how much less error?",
        ),
        "The hidden gradients are off in proportion to the rate, at 0.5 and at 0.005 alike.",
    ),
    _claim(
        "history",
        "The claim: the four equations of backpropagation are due to the paper of 1986.",
        "only the recursion is meant",
        _due_to_1986,
        (
            (
                "the paper is known from its summaries",
                "It writes single components, and does not count four.",
            ),
            (
                "the paper that made it known is taken for the first",
                "Reverse accumulation is in a thesis of 1970; look also at 1974.",
            ),
            None,
        ),
        ("How does the paper write its equations?", "And what was there before it?"),
        "The recursion is older (1970, 1974, 1982), setting it out as four equations is younger.",
    ),
)


# --------------------------------------------------------------------------------------------
# Checks


def _smaller_is_better() -> Held:
    """Whether a tenth of h has a smaller error, from 0.1 down to 1e-5 and from 1e-7 to 1e-9."""

    def error(h: float) -> float:
        def f(t: float) -> float:
            return 1 / (1 + math.exp(-t))

        slope = f(0.7) * (1 - f(0.7))
        return abs((f(0.7 + h) - f(0.7 - h)) / (2 * h) / slope - 1)

    return [error(1e-5) < error(1e-2), error(1e-10) < error(1e-5)]


def _loss_falls_so_right() -> Held:
    """Two wrong gradients with which the loss falls: whether either passes its check."""
    X, y = make_moons(100, 0.1, np.random.default_rng(0))
    mlp = MLP((2, 4, 4, 1), (tanh, tanh, sigmoid))
    start = mlp.init(np.random.default_rng(1))
    held = []
    for name in ("transposed", "bias_missing"):
        params = start
        for _ in range(100):
            grads = mistaken_gradient(name, mlp, params, X, y, bce)
            params = params.like(params.theta - 0.5 * grads.theta)
        before, after = (cost(mlp, forward(mlp, p, X), y, bce) for p in (start, params))
        assert after < 0.8 * before
        first = mistaken_gradient(name, mlp, start, X, y, bce)
        held.append(check_gradients(mlp, start, X, y, bce, gradient=first).ok)
    return held


def _check_passes_so_trains() -> Held:
    """With right gradients throughout: whether shuffled labels, or an absurd rate, are learned."""
    order = np.random.default_rng(1).permutation(len(_digits()[1]))
    assert reads(sgd(0.1))
    return [reads(sgd(0.1), order), reads(sgd(1e-6))]


def _full_batch_needs_memory() -> Held:
    """Whether the full gradient, gathered ten rows at a time, is any other."""
    digits, Y = _digits()
    mlp = MLP((64, 32, 10), (relu, softmax))
    params = mlp.init(np.random.default_rng(0), he)

    def gradient(rows: Array) -> Array:
        cache = propagate(mlp, params, digits.X_train[rows])
        return propagate_back(mlp, params, cache, Y[rows], cross_entropy).grads.theta

    everything = np.arange(len(Y))
    portions = np.array_split(everything, len(Y) // 10)
    total = sum(len(rows) / len(Y) * gradient(rows) for rows in portions)
    return [not np.allclose(total, gradient(everything), rtol=1e-9, atol=1e-12)]


_CHECKS = (
    _claim(
        "small-h",
        "A gradient is checked by central differences of step h. The claim: the smaller h, the "
        "better the check.",
        "h stays above about 1e-5",
        _smaller_is_better,
        (
            (
                "the limit of the textbook is taken for the computer's",
                "Two nearly equal floats are subtracted: what is left of their digits?",
            ),
            None,
            (
                "truncation is forgotten",
                "From 0.1 to 0.001 the error falls ten-thousandfold. Where does that end?",
            ),
        ),
        (
            "Two errors: one falls with h, the other grows.",
            "They meet near the cube root of 2e-16.",
        ),
        "Truncation falls like h^2, rounding grows like 1/h.",
    ),
    _claim(
        "loss-fell",
        "The claim: the loss went down, so the gradient is right.",
        "it falls on test data as well",
        _loss_falls_so_right,
        (
            (
                "downhill is taken for straight downhill",
                "Half of all directions lead down. Which of them is the gradient?",
            ),
            (
                "generalising is taken for correctness",
                "A network with a wrong gradient can read unseen digits quite well.",
            ),
            None,
        ),
        (
            "Does a step need the exact slope to go down?",
            "Leave out all bias gradients: what happens to the loss?",
        ),
        "Two planted bugs train well and fail the check.",
    ),
    _claim(
        "check-passed",
        "The claim: the gradient check passed, so the training is right.",
        "the check is repeated",
        _check_passes_so_trains,
        (
            (
                "the gradient is taken for all of training",
                "What else can be wrong: the data, the labels, the step?",
            ),
            (
                "only gradients are taken to go stale",
                "That finds gradients never zeroed. Does it find shuffled labels?",
            ),
            None,
        ),
        (
            "What does a check compare, and with what?",
            "The slope with differences of the same loss on the same data.",
        ),
        "With a perfect gradient and shuffled labels, or an absurd rate, nothing is learned.",
    ),
    _claim(
        "memory",
        "The claim: descent on the full batch is out of the question because of memory.",
        "there are many thousand samples",
        _full_batch_needs_memory,
        (
            (
                "all rows are taken to be needed at once",
                "The gradient is a mean: how can a mean over 60 000 rows be gathered?",
            ),
            (
                "a large mean is taken to need a large memory",
                "However many rows: gather the mean in portions.",
            ),
            None,
        ),
        ("The full gradient is a mean.", "A mean can be gathered in portions, each forgotten."),
        "Gathered ten rows at a time, the full gradient is the same.",
    ),
)


# --------------------------------------------------------------------------------------------
# Depth, optimizers, graphs


def _relu_keeps_all() -> Held:
    return [error_left(relu, 1.0, 20) > 0.1, error_left(identity, 0.5, 50) > 0.1]


def _needs_derivatives() -> Held:
    """Whether a ReLU's undefined slope, whatever is put there, keeps it from learning."""
    return [not learns_with_slope(value) for value in (0.0, 1.0)]


def _adam_any_rate() -> Held:
    learned = [reads(adam(eta)) for eta in (1e-6, 1e-2)]
    return [learned[0] == learned[1]]


def first_step(optimizer: Optimizer, g: float) -> float:
    """How far the first step leads, in units of a learning rate of 0.01."""
    params = Params(np.zeros(2), (1, 1))
    after, _ = optimizer.step(params, params.like(np.full(2, g)), optimizer.init(params))
    return float(-after.theta[0] / 0.01)


def _too_short() -> Held:
    rule = adam(0.01, bias_correction=False)
    return [first_step(rule, g) < 1 for g in (0.001, 1.0, 1000.0)]


def _large_is_short() -> Held:
    large, small = (first_step(adam(0.01), g) for g in (1000.0, 0.01))
    return [large < 0.99 * small]


def ends_on_xor(runs: int, steps: int) -> tuple[Array, Array]:
    """Loss and steepest slope at the end of runs with two hidden units, all at once."""
    (X, y), rng = load_xor(), np.random.default_rng(1)
    y = 0.1 + 0.8 * y  # answers that a sigmoid can give, so that descent can come to rest there
    W1, b1 = rng.standard_normal((runs, 2, 2)), np.zeros((runs, 1, 2))
    W2, b2 = rng.standard_normal((runs, 2, 1)), np.zeros((runs, 1, 1))
    for _ in range(steps):
        a1 = np.tanh(X @ W1 + b1)
        a2 = sigmoid.f(a1 @ W2 + b2)
        delta2 = (a2 - y) * a2 * (1 - a2) / 4
        delta1 = delta2 @ W2.swapaxes(1, 2) * (1 - a1**2)
        dW1, dW2 = X.T @ delta1, a1.swapaxes(1, 2) @ delta2
        W1, b1 = W1 - dW1, b1 - delta1.sum(axis=1, keepdims=True)
        W2, b2 = W2 - dW2, b2 - delta2.sum(axis=1, keepdims=True)
    slope = np.maximum(np.abs(dW1).max(axis=(1, 2)), np.abs(dW2).max(axis=(1, 2)))
    return ((a2 - y) ** 2).mean(axis=(1, 2)) / 2, slope


def _trapped() -> Held:
    """Whether any run rests away from the goal, as runs at the goal do."""
    J, slope = ends_on_xor(runs=20, steps=5000)
    far, rest = J > 0.01, slope < 1e-6
    assert far.any()
    assert (~far & rest).any()
    return [bool((far & rest).any())]


def _handed_on(output: Tensor, target: Tensor) -> float:
    """The gradient by a recursion that does not wait until a node's share is complete."""
    grad = {output: np.array(1.0)}

    def visit(node: Tensor) -> None:
        for parent, share in zip(node.parents, node.pullback(grad[node]), strict=True):
            grad[parent] = grad.get(parent, 0.0) + share
        for parent in node.parents:
            visit(parent)

    visit(output)
    return float(grad[target])


def _recursion() -> Held:
    """Whether that recursion is right, on a chain and where a result is read twice."""
    a = Tensor(3.0)
    b = a**2
    return [_handed_on(y, a) == float(gradients(y, [a])[0]) for y in (b.tanh(), b * b + b)]


def _graph_is_built_late() -> Held:
    a = Tensor(3.0)
    y = a**2 + a
    before = len(topological_order(y))
    y.backward()
    return [len(topological_order(y)) > before]


_REST = (
    _claim(
        "sigmoids",
        "The claim: only sigmoids make gradients vanish; a ReLU passes them unimpeded, through "
        "hundreds of layers.",
        "there are fewer than 100 layers",
        _relu_keeps_all,
        (
            (
                "the weights between the slopes are forgotten",
                "Each layer multiplies by a slope and by a matrix.",
            ),
            (
                "depth is taken to be the only cause",
                "Fifty ReLU layers with weights of variance 1/n: half of the square goes each "
                "time.",
            ),
            None,
        ),
        (
            "What besides the slope multiplies an error on its way back?",
            "The weights. What if they are small, and there is no activation at all?",
        ),
        "Twenty ReLU layers at gain 1 lose most of the error, fifty linear ones at 0.5 nearly all.",
    ),
    _claim(
        "differentiable",
        "The claim: backpropagation works only if every activation is differentiable.",
        "a few points are forgiven",
        _needs_derivatives,
        (
            (
                "a derivative is taken to be needed everywhere",
                "How often is a sum exactly 0, and what happens if the slope there is 0, or 1?",
            ),
            (
                "differentiable almost everywhere is taken to be enough",
                "The step function is. What is its slope?",
            ),
            None,
        ),
        (
            "ReLU has no slope at 0. Does it train?",
            "The step function has a slope nearly everywhere. Does it train?",
        ),
        "ReLU networks learn with any value at the kink; what is needed is a slope that is not 0.",
    ),
    _claim(
        "adam-rate",
        "The claim: Adam makes the learning rate irrelevant.",
        "all gradients have one size",
        _adam_any_rate,
        (
            (
                "the gradient's size is taken for the step's",
                "Adam divides the gradient by its size. What is left to set the length of a step?",
            ),
            (
                "Adam is taken to adapt to one common size only",
                "It divides whatever the size. What then is the first step?",
            ),
            None,
        ),
        ("How long is Adam's first step?", "It is eta, whatever the gradient."),
        "At eta 1e-6 nothing is learned in the time in which 0.01 reads the digits.",
    ),
    _claim(
        "adam-correction",
        "Adam with beta1 = 0.9, beta2 = 0.999. The claim: bias correction is needed because the "
        "first steps would be too small.",
        "the gradients are small",
        _too_short,
        (
            (
                "only the numerator is looked at",
                "The denominator starts at 0 as well. Which is more too small?",
            ),
            (
                "the step is taken to follow the gradient's size",
                "Numerator and denominator both have the gradient's size: it cancels.",
            ),
            None,
        ),
        ("At the first step m = 0.1 g.", "And the root of v = 0.001 g^2?"),
        f"0.1/sqrt(0.001) = {0.1 / math.sqrt(0.001):.3f}: too long.",
    ),
    _claim(
        "adam-size",
        "The claim: under Adam, large and consistent gradients get smaller steps.",
        "the gradients are above 1",
        _large_is_short,
        (
            (
                "the denominator is looked at without the numerator",
                "The root of v is large, and so is m. What is their ratio?",
            ),
            (
                "1 is taken for a threshold",
                "The ratio does not know the unit the gradient is measured in.",
            ),
            None,
        ),
        (
            "Let the gradient be g at every step: what are m and v in the end?",
            "m = g and v = g^2.",
        ),
        "A steady gradient of 1000 and one of 0.01 give steps of eta.",
    ),
    _claim(
        "minima",
        "The claim: plain descent gets trapped in local minima.",
        "the network is barely large enough",
        _trapped,
        (
            (
                "a wavy curve is taken for a landscape of many dimensions",
                "Stuck, or at rest? Look at the slope where it stays.",
            ),
            (
                "stuck is taken to mean at rest in a hollow",
                "Two hidden units on XOR often get stuck, but the slope there is not 0.",
            ),
            None,
        ),
        (
            "In a minimum the slope is 0.",
            "Where XOR gets stuck, is the slope 0 after a long time?",
        ),
        "Runs at the goal have come to rest; of those far from it not one of twenty has.",
    ),
    _claim(
        "recursion",
        "The claim: no order is needed; let every node hand its gradient to its operands, and "
        "each of them do the same in turn.",
        "no result is read twice",
        _recursion,
        (
            (
                "graphs are taken to be trees",
                "Try y = b*b + b with b = a*a: when b hands on, is its gradient complete?",
            ),
            None,
            (
                "recursion is taken to be wrong in itself",
                "On a chain it does exactly the right thing.",
            ),
        ),
        ("When is a node's gradient complete?", "When all its readers have had their turn."),
        "Right on a chain; where b is read three times, parts are handed on more than once.",
    ),
    _claim(
        "graph",
        "The claim: frameworks build the graph in backward().",
        "the graph is dynamic",
        _graph_is_built_late,
        (
            (
                "the walk is taken for the building",
                "How would backward() know which operations were executed?",
            ),
            (
                "dynamic is taken to mean late",
                "Dynamic means: recorded while the forward code runs.",
            ),
            None,
        ),
        (
            "Look at the result before backward() is called.",
            "Count the nodes before and after.",
        ),
        "The nodes are there before backward() is called, and none is added.",
    ),
)

EXERCISES = (*_NEURON, *_LAYERS, *_CHECKS, *_REST)
