"""The catalogue: complete, well formed, and the same in the hand trace and for the doctor."""

from __future__ import annotations

import re
from itertools import product

import numpy as np
import pytest

from backprop_lib.activations import Activation, identity, leaky_relu, relu, sigmoid, softmax, tanh
from backprop_lib.diagnose import mistaken_gradient
from backprop_lib.diagnose.rules import RULES
from backprop_lib.losses import Loss, bce, cross_entropy, half_mse, sse
from backprop_lib.mistakes import MISTAKES
from backprop_lib.network import MLP, Params
from backprop_lib.trace import Trace, trace_step

CHAPTERS = (
    *("01_perceptron", "02_linear_regression", "03_logistic_regression"),
    *("04_multilayer_perceptron", "05_chain_rule", "06_backpropagation", "07_hand_trace"),
    *("08_checking_gradients", "09_mini_batches", "10_vanishing_and_exploding", "11_optimizers"),
    *("12_regularisation", "13_automatic_differentiation", "14_handwritten_digits"),
)
IN_THE_TRACE = {
    *("early_update", "output_slope_omitted", "hidden_slope_omitted", "slope_at_a", "slope_of_z"),
    *("sign", "missing_half", "transposed", "own_activation", "bias_missing"),
}
SIZES = ((2, 1), (2, 2, 1), (3, 2, 2), (1, 2, 2), (2, 2, 2, 2))
HEADS = (
    (sigmoid, half_mse),
    (identity, sse),
    (tanh, sse),
    (relu, half_mse),
    (sigmoid, bce),
    (softmax, cross_entropy),
)


def test_every_mistake_has_a_rule_or_is_fitted() -> None:
    """l2_strength is the one that has no rule of its own: its strength is found by fitting."""
    assert set(MISTAKES) == set(RULES) | {"l2_strength"}


@pytest.mark.parametrize("name", MISTAKES)
def test_an_entry_reads_well(name: str) -> None:
    mistake = MISTAKES[name]
    assert mistake.name == name
    assert re.fullmatch(r"[a-z][a-z0-9_]+", name)
    assert mistake.title[0].islower(), "it continues 'the gradient you get when ...'"
    assert not mistake.title.endswith(".")
    assert mistake.advice.endswith(".")
    assert mistake.advice[0].isupper() or re.match(r"[a-z]+[.(\[]|a\(|dW", mistake.advice)
    assert mistake.chapter in CHAPTERS


def test_titles_and_advice_are_all_different() -> None:
    assert len({mistake.title for mistake in MISTAKES.values()} - {""}) >= len(MISTAKES) - 1
    assert len({mistake.advice for mistake in MISTAKES.values()}) == len(MISTAKES)


def random_trace(sizes: tuple[int, ...], phi: Activation, head: Activation, loss: Loss) -> Trace:
    rng = np.random.default_rng([*sizes, len(phi.name), len(head.name), len(loss.name)])
    if head is softmax and sizes[-1] == 1:
        sizes = (*sizes[:-1], 2)
    mlp = MLP(sizes, (*(phi,) * (len(sizes) - 2), head))
    params = mlp.init(rng)
    params.theta[:] += 0.3 * rng.standard_normal(params.theta.size)
    y = (
        rng.dirichlet(np.ones(sizes[-1]))[None, :]
        if head is softmax
        else rng.random((1, sizes[-1]))
    )
    return trace_step(mlp, params, rng.standard_normal((1, sizes[0])), y, loss, 0.3)


@pytest.mark.parametrize(("head", "loss"), HEADS, ids=str)
def test_the_trace_and_the_doctor_make_the_same_mistakes(head: Activation, loss: Loss) -> None:
    seen = set()
    for sizes, phi in product(SIZES, (sigmoid, tanh, leaky_relu)):
        trace = random_trace(sizes, phi, head, loss)
        step = trace.step
        for bug in trace.bugs:
            arguments = step.mlp, step.params, step.x, step.y, loss
            doctor = mistaken_gradient(bug, *arguments, learning_rate=step.learning_rate)
            np.testing.assert_allclose(
                trace.with_bug(bug).grads.theta, doctor.theta, rtol=1e-11, atol=1e-15, err_msg=bug
            )
            seen.add(bug)
    always = {"early_update", "hidden_slope_omitted", "sign", "transposed", "bias_missing"}
    assert always <= seen <= IN_THE_TRACE


def test_a_mistake_that_cannot_be_made_here_is_refused() -> None:
    mlp, params = MLP((1, 1), (identity,)), Params.of(W=[[[2.0]]], b=[[0.0]])
    X = np.ones((2, 1))
    with pytest.raises(ValueError, match=r"^name is 'transposed'; in this network one can make su"):
        mistaken_gradient("transposed", mlp, params, X, X, half_mse)
    with pytest.raises(ValueError, match=r"^layers are \[2\], expected some of \(1,\)"):
        mistaken_gradient("bias_missing", mlp, params, X, X, half_mse, layers=[2])
