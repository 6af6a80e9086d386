"""The gradient doctor: names what was planted, never accuses what is right, reads any layout.

The full run over thousands of networks is ``benchmarks/confusion.py``; here is a quick share of
it, and what it does not show: independent witnesses, reports, errors, files.
"""

from __future__ import annotations

import inspect
import subprocess
import sys
import textwrap
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from backprop_lib import backprop
from backprop_lib.activations import Activation, identity, relu, sigmoid, softmax, tanh
from backprop_lib.backprop import backward
from backprop_lib.diagnose import diagnose, diagnose_arrays, mistaken_gradient
from backprop_lib.diagnose.__main__ import main
from backprop_lib.diagnose.rules import RULES, bends, gradient_with
from backprop_lib.errors import ShapeError
from backprop_lib.losses import Loss, cross_entropy, half_mse, one_hot
from backprop_lib.mistakes import MISTAKES
from backprop_lib.network import MLP, Params, forward
from backprop_lib.regularization import (
    backprop_gradient,
    dropout_backward,
    dropout_forward,
    dropout_masks,
    with_l2,
)
from benchmarks import confusion

repeatable = settings(derandomize=True, print_blob=False, database=None, deadline=None)


def a_problem(
    sizes: tuple[int, ...] = (3, 4, 4, 2),
    phi: tuple[Activation, ...] = (tanh, sigmoid, sigmoid),
    loss: Loss = half_mse,
    N: int = 6,
    seed: int = 0,
) -> tuple[Any, ...]:
    rng = np.random.default_rng(seed)
    mlp = MLP(sizes, phi)
    params = mlp.init(rng)
    params.theta[:] += 0.2 * rng.standard_normal(params.theta.size)
    X, y = rng.standard_normal((N, sizes[0])), rng.random((N, sizes[-1]))
    if phi[-1] is softmax:
        y = one_hot(rng.integers(sizes[-1], size=N), sizes[-1])
    return mlp, params, X, y, loss


def right_gradient(problem: tuple[Any, ...]) -> Params:
    mlp, params, X, y, loss = problem
    return backward(mlp, params, forward(mlp, params, X), y, loss).grads


def changed(grads: Params, change: Callable[[Params], None]) -> Params:
    """A copy of a gradient after `change(copy)`."""
    copy = grads.like(grads.theta.copy())
    change(copy)
    return copy


# --- The right gradient ---------------------------------------------------------------------------


@repeatable
@given(seed=st.integers(0, 10_000))
def test_without_a_mistake_the_bent_pass_is_backward(seed: int) -> None:
    problem = confusion.random_problem(np.random.default_rng(seed))
    found = gradient_with(problem.case)
    assert found.theta.tolist() == right_gradient(problem.arguments).theta.tolist()


@repeatable
@given(seed=st.integers(0, 10_000))
def test_dropout_and_the_penalty_are_those_of_the_library(seed: int) -> None:
    problem = confusion.random_problem(np.random.default_rng(seed), "masks", "l2")
    mlp, params, X, y, loss = problem.arguments
    masks, l2 = problem.knowledge["masks"], problem.knowledge["l2"]
    cache = dropout_forward(mlp, params, X, masks)
    plain = dropout_backward(mlp, params, cache, y, loss, masks).grads
    expected = with_l2(lambda *_: plain, l2)(params, X, y)
    np.testing.assert_allclose(gradient_with(problem.case).theta, expected.theta, rtol=1e-13)


@pytest.mark.parametrize("manner", confusion.MANNERS, ids=lambda manner: manner.__name__)
def test_a_right_gradient_is_never_accused(
    manner: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confusion, "MANNERS", (manner,))
    accused = confusion.accusations(80, np.random.default_rng(1))
    assert [(problem.mlp, str(found)) for _, problem, found in accused] == []


def test_right_with_dropout_penalty_and_whatever_else_is_known() -> None:
    rng = np.random.default_rng(2)
    for _ in range(40):
        problem = confusion.random_problem(rng, "masks", "l2", "learning_rate", "previous")
        assert problem.diagnose(gradient_with(problem.case)).ok


def test_right_where_the_gradient_is_all_rounding() -> None:
    """At the minimum of the loss nothing but rounding is left, and rounding is nobody's mistake."""
    mlp, params, X, _, loss = a_problem((3, 4, 2), (tanh, identity))
    y = forward(mlp, params, X).a[-1] * (1 + 1e-16)
    crumbs = params.like(1e-17 * np.random.default_rng(0).standard_normal(params.theta.size))
    assert diagnose(crumbs, mlp, params, X, y, loss).ok
    assert diagnose(params.like(np.zeros(params.theta.size)), mlp, params, X, y, loss).ok


def test_right_with_noise_that_drowns_a_vanished_layer() -> None:
    problem = a_problem((3, 4, 4, 4, 4, 2), (sigmoid,) * 5)
    problem[1].theta[:] *= 0.01
    right = right_gradient(problem)
    noise = 1e-7 * np.linalg.norm(right.theta) * np.random.default_rng(0).standard_normal(99)
    found = diagnose(right.like(right.theta + noise[: right.theta.size]), *problem)
    assert found.ok
    assert "no more than noise explains" in str(found)


def test_a_vanished_gradient_is_examined_all_the_same() -> None:
    """The first layer's gradient is 1e-30 of the last one's, and still it must be right."""
    problem = a_problem((3, *(4,) * 30, 2), (sigmoid,) * 31)
    problem[1].theta[:] *= 0.2
    right = right_gradient(problem)
    assert np.linalg.norm(right.W[1]) < 1e-25 * np.linalg.norm(right.W[31])
    assert diagnose(right, *problem).ok
    found = diagnose(changed(right, lambda g: g.b[1].fill(0)), *problem)
    assert (found.verdict, found.names, found.layers) == ("mistake", ("bias_missing",), (1,))


@pytest.mark.parametrize("slope", [1.0, 0.5])
def test_at_the_kink_of_relu_any_slope_is_right(slope: float) -> None:
    X, y = np.array([[0.0, 0.0], [1.0, 2.0]]), np.array([[1.0], [0.0]])
    mlp, params = (
        MLP((2, 2, 1), (relu, identity)),
        Params.of([np.eye(2), np.ones((1, 2))], [[0, 0], [0]]),
    )
    cache = forward(mlp, params, X)
    delta2 = (cache.a[2] - y) / 2
    delta1 = (delta2 @ params.W[2]) * np.where(cache.z[1] == 0, slope, cache.z[1] > 0)
    mine = [delta1.T @ X, delta1.sum(axis=0), delta2.T @ cache.a[1], delta2.sum(axis=0)]
    found = diagnose(mine, mlp, params, X, y, half_mse)
    assert found.ok
    assert f"where z is exactly 0 your slope is {slope:g}" in str(found)


def test_mistakes_that_the_data_hides_are_listed() -> None:
    problem = a_problem(N=1)
    found = diagnose(right_gradient(problem), *problem)
    assert {"sum_not_mean", "averaged_twice", "bias_averaged_twice"} <= set(found.unseen)
    assert "sign" not in found.unseen
    assert "this data would not show sum_not_mean" in str(found)


# --- What was planted is named --------------------------------------------------------------------


@pytest.mark.parametrize("name", RULES)
def test_every_mistake_is_named_on_random_networks(name: str) -> None:
    source = confusion.planted_singles(name, np.random.default_rng([*map(ord, name)]))
    stated = confusion.STATED.get(name, {})
    for _ in range(12):
        problem, grads, _ = next(source)
        found = problem.diagnose(grads, **stated)
        assert confusion.judge(grads, (name,), found) in ("named", "among"), (problem.mlp, found)


def test_every_mistake_is_named_through_noise() -> None:
    rng = np.random.default_rng(3)
    for name in RULES:
        source = confusion.planted_singles(name, rng, visible=1e-3)
        for _ in range(3):
            problem, grads, _ = next(source)
            noisy = confusion.noise_by_entry(rng, grads, problem)
            found = problem.diagnose(noisy, **confusion.STATED.get(name, {}))
            assert name in found.names, (problem.mlp, found)


def test_pairs_of_mistakes_are_named() -> None:
    judged = confusion.judge_many(confusion.planted_pairs(np.random.default_rng(4)), 15)
    assert judged["wrong"] == 0
    assert judged["named"] >= 10


def test_constant_factors_are_named() -> None:
    judged = confusion.constant_factors(60, np.random.default_rng(5))
    assert judged["wrong"] == 0
    assert judged["named"] >= 50


# The book's own backward pass with a mistake typed into it: a witness that shares no code with
# the doctor's rules.
ERROR, SLOPE = "output_delta(mlp, cache, y, loss)", "phi[l].d(z[l], a[l])"
OUTPUT_SLOPE = "phi[L].d(z[L], a[L])"
PRODUCT, SUM = "delta[l].T @ a[l - 1]", "delta[l].sum(axis=0)"
IS_SQUARE = "len(W[l]) == W[l].shape[1]"
TYPED = {
    "sum_not_mean": (ERROR, f"len(y) * {ERROR}"),
    "averaged_twice": (ERROR, f"{ERROR} / len(y)"),
    "mean_over_outputs": (ERROR, f"(a[L] - y) * {OUTPUT_SLOPE} / y.size"),
    "missing_half": (ERROR, f"2 * (a[L] - y) * {OUTPUT_SLOPE} / len(y)"),
    "missing_two": (ERROR, f"0.5 * (a[L] - y) * {OUTPUT_SLOPE} / len(y)"),
    "sign": (ERROR, f"(y - a[L]) * {OUTPUT_SLOPE} / len(y)"),
    "output_slope_omitted": (ERROR, "(a[L] - y) / len(y)"),
    "extra_slope": (ERROR, "(a[L] - y) * (a[L] * (1 - a[L])) ** 2 / len(y)"),
    "labels_misaligned": (ERROR, "output_delta(mlp, cache, np.roll(y, 1, axis=0), loss)"),
    "transposed": ("@ W[l + 1])", "@ (W[l + 1].T if l == 1 else W[l + 1]))"),
    "hidden_slope_omitted": (f" * {SLOPE}", ""),
    "relu_ge": (SLOPE, f"((a[l] >= 0) if l == 2 else {SLOPE})"),
    "slope_at_a": (SLOPE, "phi[l].d(a[l], phi[l].f(a[l]))"),
    "slope_of_z": (SLOPE, "phi[l].d(z[l], z[l])"),
    "own_activation": (PRODUCT, f"delta[l].T @ a[l if {IS_SQUARE} else l - 1]"),
    "gradient_transposed": (PRODUCT, f"(a[1].T @ delta[2]) if {IS_SQUARE} else {PRODUCT}"),
    "bias_missing": (SUM, "0"),
    "bias_averaged_twice": (SUM, "delta[l].mean(axis=0)"),
    "bias_not_averaged": (SUM, f"len(y) * {SUM}"),
    "bias_wrong_axis": (SUM, "delta[l].sum(axis=1 if delta[l].shape == (4, 4) else 0)"),
    "bias_over_all_axes": (SUM, "delta[l].sum()"),
}
# Where it was typed in, if that is not everywhere the doctor would make it.
TYPED_IN_LAYERS = {"slope_at_a": (1, 2), "slope_of_z": (1, 2), "own_activation": (2,)}


def typed_into_backward(name: str) -> Callable[..., Any]:
    """`propagate_back` with one expression replaced in its source."""
    right, wrong = TYPED[name]
    source = textwrap.dedent(inspect.getsource(backprop.propagate_back))
    assert source.count(right) == 1, f"{right!r} is no longer in backprop.propagate_back"
    space = dict(vars(backprop))
    exec(source.replace(right, wrong), space)
    return space["propagate_back"]


@pytest.mark.parametrize("name", TYPED)
def test_a_mistake_typed_into_the_books_own_backward_is_named(name: str) -> None:
    # Two kinds of hidden layers: with ReLU alone, relu_ge would be hidden_slope_omitted.
    phi = (tanh, relu if name == "relu_ge" else tanh, sigmoid)
    N = 4 if name == "bias_wrong_axis" else 5
    mlp, params, X, y, loss = problem = a_problem((3, 4, 4, 3), phi, N=N)
    mine = typed_into_backward(name)(mlp, params, forward(mlp, params, X), y, loss).grads
    found = diagnose(mine, *problem)
    assert found.names == (name,), str(found)
    assert found.layers == TYPED_IN_LAYERS.get(name, ())


def test_early_update_reports_the_learning_rate_that_fits() -> None:
    for sizes in ((2, 2, 1), (3, 4, 2), (3, 4, 4, 2), (2, 3, 3, 3, 1)):
        problem = a_problem(sizes, (sigmoid,) * (len(sizes) - 1))
        mine = mistaken_gradient("early_update", *problem, learning_rate=0.7)
        found = diagnose(mine, *problem)
        assert found.names == ("early_update",)
        assert found.learning_rate == pytest.approx(0.7, rel=1e-6)
        assert "with a learning rate of 0.7)" in str(found)
        told = diagnose(mine, *problem, learning_rate=0.1)
        assert "with a learning rate of 0.7, not 0.1)" in str(told)
        assert diagnose(mine, *problem, learning_rate=0.7).names == ("early_update",)


def test_early_update_is_found_in_the_first_layer_alone() -> None:
    problem = a_problem((3, 4, 4, 2))
    mine = mistaken_gradient("early_update", *problem, learning_rate=0.7)
    found = diagnose({"W1": mine.W[1], "b1": mine.b[1]}, *problem)
    assert found.names == ("early_update",)
    assert found.learning_rate == pytest.approx(0.7, rel=1e-6)


def test_a_velocity_is_recognised_when_the_step_before_is_known() -> None:
    problem = a_problem()
    right, before = right_gradient(problem), np.random.default_rng(1).standard_normal(46)
    previous = right.like(before[: right.theta.size])
    mine = right.like(right.theta + 0.9 * previous.theta)
    found = diagnose(mine, *problem, previous=previous)
    assert found.names == ("accumulated",)
    assert "0.9 times the previous one" in str(found)


def test_a_penalty_nobody_mentioned_is_measured() -> None:
    mlp, params, X, y, loss = problem = a_problem()
    mine = with_l2(backprop_gradient(mlp, loss), 0.03)(params, X, y)
    found = diagnose(mine, *problem)
    assert found.names == ("l2_strength",)
    assert "lambda is 0.03 in the gradient and 0 in the loss" in str(found)
    assert "lambda is 0.03 in the gradient and 0.015 in" in str(diagnose(mine, *problem, l2=0.015))


@pytest.mark.parametrize(("head", "loss"), [(sigmoid, half_mse), (softmax, cross_entropy)], ids=str)
def test_targets_in_any_order_are_recognised(head: Activation, loss: Loss) -> None:
    mlp, params, X, y, _ = problem = a_problem((3, 5, 6, 4), (tanh, tanh, head), loss, N=9)
    order = np.array([4, 0, 7, 2, 8, 1, 3, 6, 5])
    mine = right_gradient((mlp, params, X, y[order], loss))
    found = diagnose(mine, *problem)
    assert found.names == ("labels_misaligned",)
    assert "in some other order" in str(found)


def test_other_targets_are_not_called_shuffled() -> None:
    mlp, params, X, y, loss = problem = a_problem()
    mine = right_gradient((mlp, params, X, np.random.default_rng(9).random(y.shape), loss))
    assert diagnose(mine, *problem).verdict == "unknown"


@pytest.mark.parametrize("l", [1, 2, 3])
def test_a_mistake_in_one_layer_only(l: int) -> None:
    problem = a_problem(phi=(tanh, sigmoid, sigmoid))
    found = diagnose(mistaken_gradient("slope_at_a", *problem, layers=[l]), *problem)
    assert (found.verdict, found.names, found.layers) == ("mistake", ("slope_at_a",), (l,))
    assert f"slope_at_a, in layer {l} only" in str(found)


def test_a_factor_on_a_part_of_the_gradient() -> None:
    problem = a_problem()
    right = right_gradient(problem)

    def sign_in_layer_2(g: Params) -> None:
        g.W[2][:] *= -1
        g.b[2][:] *= -1

    found = diagnose(changed(right, sign_in_layer_2), *problem)
    assert (found.verdict, found.factor, found.layers) == ("factor", -1, (2,))
    assert "a factor of -1, in layer 2 only" in str(found)

    def only_the_last_layer(g: Params) -> None:
        g.theta[: g.theta.size - g.W[3].size - g.b[3].size] = 0

    found = diagnose(changed(right, only_the_last_layer), *problem)
    assert (found.factor, found.layers) == (0, (1, 2))
    assert "Nothing arrives there" in found.advice

    found = diagnose(changed(right, lambda g: np.multiply(g.W[1], 0.37, out=g.W[1])), *problem)
    assert found.factor == pytest.approx(0.37)
    assert "a factor of 0.37, in W[1] only" in str(found)


def test_the_learning_rate_as_a_factor() -> None:
    problem = a_problem()
    right = right_gradient(problem)
    step = right.like(-0.05 * right.theta)
    found = diagnose(step, *problem, learning_rate=0.05)
    assert found.verdict == "factor"
    assert "a factor of -0.05 = minus the learning rate" in str(found)
    assert "a factor of -0.05\n" in str(diagnose(step, *problem))


def test_a_whole_number_reminds_of_zeroing() -> None:
    problem = a_problem()
    right = right_gradient(problem)
    assert "without zeroing" in diagnose(right.like(7 * right.theta), *problem).advice
    assert "without zeroing" not in diagnose(right.like(7.5 * right.theta), *problem).advice


# --- What cannot be told apart, and what is unknown -----------------------------------------------


def test_two_names_for_one_gradient_are_both_given() -> None:
    """Where every hidden layer is ReLU, a >= 0 is the same as no slope at all."""
    problem = a_problem((3, 4, 4, 2), (relu, relu, sigmoid))
    found = diagnose(mistaken_gradient("relu_ge", *problem), *problem)
    assert found.verdict == "cannot tell apart"
    assert set(found.names) == {"relu_ge", "hidden_slope_omitted"}
    assert "on this data one cannot tell apart" in str(found)
    assert all(MISTAKES[name].title in str(found) for name in found.names)


def test_a_batch_of_two_hides_which_factor_two_it_is() -> None:
    problem = a_problem(N=2)
    found = diagnose(mistaken_gradient("missing_half", *problem), *problem)
    assert set(found.names) == {"missing_half", "sum_not_mean"}
    assert diagnose(mistaken_gradient("missing_half", *(p := a_problem(N=3))), *p).names == (
        "missing_half",
    )


def random_entries(*arrays: str) -> Callable[[Params], None]:
    def change(g: Params) -> None:
        rng = np.random.default_rng(7)
        for name in arrays:
            array = getattr(g, name[0])[int(name[2:-1])]
            array[:] = rng.standard_normal(array.shape)

    return change


@pytest.mark.parametrize(
    ("arrays", "where"),
    [
        (
            ["W[3]", "b[3]", "W[2]", "b[2]", "W[1]", "b[1]"],
            "going backwards, wrong from layer 3 on",
        ),
        (["W[3]", "b[3]", "W[1]"], "both read delta[3], so look at the output error"),
        (["W[2]", "b[2]", "W[1]", "b[1]"], "look at delta[2], made from delta[3] and W[3]"),
        (["W[2]", "b[2]"], "wrong in layer 2 only: W[2] and b[2] (furthest off is b[2]["),
        (["W[2]"], "b[2] is right, so delta[2] most likely is: look at its product with a[1]"),
        (["b[2]"], "W[2] is right, so delta[2] is: look at its sum over the batch"),
    ],
)
def test_an_unknown_mistake_is_located_going_backwards(arrays: list[str], where: str) -> None:
    problem = a_problem()
    found = diagnose(changed(right_gradient(problem), random_entries(*arrays)), *problem)
    assert (found.verdict, found.names, found.explanations) == ("unknown", (), ())
    assert where in found.where


def test_the_worst_entry_is_named_with_both_values() -> None:
    problem = a_problem()
    right = right_gradient(problem)

    def slip(g: Params) -> None:
        g.W[2][1, 3] = 0.5

    found = diagnose(changed(right, slip), *problem)
    assert f"furthest off is W[2][1, 3]: 0.5, right {right.W[2][1, 3]:.6g}" in found.where


def test_a_coarse_gradient_is_told_from_a_wrong_one() -> None:
    problem = a_problem()
    right = right_gradient(problem)
    coarse = right.like(right.theta * (1 + 1e-4 * np.random.default_rng(0).standard_normal(46)))
    found = diagnose(coarse, *problem)
    assert "differences with a coarse step, look like that" in str(found)
    assert diagnose(coarse, *problem, tolerance=1e-3).ok


@settings(repeatable, max_examples=25)
@given(seed=st.integers(0, 10_000), scale=st.sampled_from([1e-4, 1e-2, 1.0]))
def test_a_clearly_wrong_gradient_is_never_called_correct(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    problem = confusion.random_problem(rng)
    right = right_gradient(problem.arguments)
    assume(right.theta.any())
    noise = scale * np.abs(right.theta).max() * rng.standard_normal(right.theta.size)
    assert not problem.diagnose(right.like(right.theta + noise)).ok


# --- Any container, any orientation ---------------------------------------------------------------


def as_lists(g: Params) -> Any:
    return [W.tolist() for W in g.W[1:]], [b.tolist() for b in g.b[1:]]


CONTAINERS: dict[str, Callable[[Params], Any]] = {
    "params": lambda g: g,
    "vector": lambda g: g.theta,
    "pair with slot 0": lambda g: (list(g.W), list(g.b)),
    "pair of lists": as_lists,
    "in the order of a framework": lambda g: [
        a for p in zip(g.W[1:], g.b[1:], strict=True) for a in p
    ],
    "W1": lambda g: {f"{k}{l}": getattr(g, k)[l] for k in "Wb" for l in (1, 2, 3)},
    "dW[1]": lambda g: {f"d{k}[{l}]": getattr(g, k)[l] for k in "Wb" for l in (1, 2, 3)},
    "grad_W_1": lambda g: {f"grad_{k}_{l}": getattr(g, k)[l] for k in "Wb" for l in (1, 2, 3)},
    "dict of lists": lambda g: {"W": g.W[1:], "b": g.b},
    "transposed": lambda g: ([W.T for W in g.W[1:]], [b[None, :] for b in g.b[1:]]),
    "columns": lambda g: (g.W[1:], [b[:, None] for b in g.b[1:]]),
    "some missing": lambda g: ([None, g.W[2], None], [g.b[1], None, None]),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_any_container_is_read(name: str) -> None:
    problem = a_problem()
    right = right_gradient(problem)
    assert diagnose(CONTAINERS[name](right), *problem).ok
    wrong = mistaken_gradient("sign", *problem)
    assert "sign" in diagnose(CONTAINERS[name](wrong), *problem).names


def test_only_what_was_given_is_examined() -> None:
    problem = a_problem()
    right = right_gradient(problem)
    found = diagnose({"W3": right.W[3], "b1": None}, *problem)
    assert list(found.from_right) == ["W[3]"]
    wrong = mistaken_gradient("hidden_slope_omitted", *problem)
    assert diagnose({"W3": wrong.W[3]}, *problem).ok
    assert diagnose({"W1": wrong.W[1]}, *problem).names == ("hidden_slope_omitted",)


def test_shapes_and_orientation_are_told() -> None:
    problem = a_problem()
    right = right_gradient(problem)
    mine = {"W1": right.W[1].T, "W2": right.W[2].T, "W3": right.W[3].T, "b2": right.b[2][:, None]}
    notes = diagnose(mine, *problem).notes
    assert "W[1] came as (n_in, n_out) = (3, 4) and was transposed" in notes
    assert "W[2]: square, read as (n_in, n_out) and transposed" in notes
    assert "b[2] came with shape (4, 1) and was read as (4,)" in notes


def test_a_square_layer_the_other_way_round_than_the_rest_is_a_mistake() -> None:
    problem = a_problem()
    right = right_gradient(problem)
    mine = {"W1": right.W[1], "W2": right.W[2].T, "W3": right.W[3], "b2": right.b[2]}
    assert diagnose(mine, *problem).names == ("gradient_transposed",)
    mine = {"W1": right.W[1].T, "W2": right.W[2], "W3": right.W[3].T, "b2": right.b[2]}
    assert diagnose(mine, *problem).names == ("gradient_transposed",)


def test_square_layers_alone_may_be_either_way_round_until_somebody_says_so() -> None:
    problem = a_problem((3, 3, 3), (tanh, sigmoid))
    right = right_gradient(problem)
    mine = [right.W[1].T, right.b[1], right.W[2].T, right.b[2]]
    found = diagnose(mine, *problem)
    assert found.ok
    assert found.notes == ("W[1], W[2]: square, read as (n_in, n_out) and transposed",)
    assert diagnose(mine, *problem, orientation="in_out").ok
    assert diagnose(mine, *problem, orientation="out_in").names == ("gradient_transposed",)
    mixed = [right.W[1].T, right.b[1], right.W[2], right.b[2]]
    found = diagnose(mixed, *problem)
    assert (found.names, found.layers) == (("gradient_transposed",), (1,))


def test_a_single_column_does_not_decide_how_square_layers_are_meant() -> None:
    """h = W1 @ x and then h @ W2 with W2 a column: both are right, whatever the column suggests."""
    problem = a_problem((2, 2, 1), (sigmoid, sigmoid))
    right = right_gradient(problem)
    for first in (right.W[1], right.W[1].T):
        for second in (right.W[2], right.W[2].T, right.W[2].ravel()):
            assert diagnose({"W1": first, "W2": second}, *problem).ok


def test_mistakes_are_named_in_either_orientation_of_square_layers() -> None:
    problem = a_problem((3, 3, 3), (tanh, sigmoid))
    for name in ("transposed", "hidden_slope_omitted", "own_activation", "sum_not_mean"):
        g = mistaken_gradient(name, *problem)
        assert diagnose([g.W[1].T, g.b[1], g.W[2].T, g.b[2]], *problem).names == (name,)


# --- Errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mine", "error", "message"),
    [
        (3.0, TypeError, "my_gradients is a float, expected Params, a dict such as"),
        ({}, ValueError, "my_gradients holds no array, expected at least one"),
        ({"W4": np.ones((2, 2))}, ValueError, "a key 'W4', expected W1, b1, ... or dW1, db1"),
        ({"gamma": np.ones(2)}, ValueError, "my_gradients has a key 'gamma'"),
        ({"W1": np.ones((3, 4)), "dW1": np.ones((3, 4))}, ValueError, "names W[1] twice"),
        ({"W1": np.ones((5, 4))}, ShapeError, "expected (n_out=4, n_in=3) or its transpose (3, 4)"),
        ({"b1": np.ones((6, 4))}, ShapeError, "not summed over the 6 samples: .sum(axis=0)"),
        ({"b1": np.ones((4, 6))}, ShapeError, "not summed over the 6 samples: .sum(axis=1)"),
        ({"b1": np.ones(6)}, ShapeError, "it was summed over the wrong axis"),
        ({"b1": np.ones(5)}, ShapeError, "b[1] of your gradients has shape (5,), expected (4,)"),
        ({"b1": np.array([1, 2, 3, 4])}, TypeError, "b[1] of your gradients has dtype int64"),
        ({"b1": np.array([1, 2, np.nan, 4])}, ValueError, "gradients[2] is nan, expected finite"),
        ({"b1": "none"}, TypeError, "b[1] of your gradients is a str that is no array of numbers"),
        (np.ones(3), ShapeError, "my_gradients is one array of shape (3,), expected (46,)"),
        (([None], [None]), ShapeError, "my_gradients has 1 arrays W, expected 3"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_read_is_refused(mine: Any, error: type[Exception], message: str) -> None:
    problem = a_problem()
    with pytest.raises(error) as caught:
        diagnose(mine, *problem)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"orientation": "T"}, "orientation is 'T', expected 'auto', 'out_in' or 'in_out'"),
        ({"orientation": "in_out"}, "W[1] of your gradients has shape (4, 3), expected (3, 4)"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0, expected a finite number above 0"),
        ({"l2": -1.0}, "l2 is -1.0, expected a finite number, 0 or more"),
        ({"masks": (1.0,)}, "found 1 masks, expected 3"),
        ({"previous": {"W1": np.ones((4, 3))}}, "previous holds W[1], expected every array"),
        ({"tolerance": -1.0}, "tolerance is -1.0, expected a finite number above 0"),
    ],
    ids=str,
)
def test_options_are_checked(option: dict[str, Any], message: str) -> None:
    problem = a_problem()
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below
        diagnose(right_gradient(problem), *problem, **option)
    assert message in str(caught.value)


def test_a_network_that_does_not_fit_its_data_is_refused_as_by_backward() -> None:
    mlp, params, X, y, loss = a_problem()
    with pytest.raises(ShapeError, match=r"^y has shape \(6,\), expected \(N=6, n_L=2\)"):
        diagnose(params, mlp, params, X, y[:, 0], loss)


def test_nothing_of_the_callers_is_changed() -> None:
    _, params, X, y, _ = problem = a_problem()
    mine = mistaken_gradient("transposed", *problem)
    before = [array.copy() for array in (params.theta, X, y, mine.theta)]
    for array in (params.theta, X, y, mine.theta):
        array.setflags(write=False)
    diagnose(mine, *problem)
    diagnose(mine.like(np.ones(46)), *problem)
    for array, copy in zip((params.theta, X, y, mine.theta), before, strict=True):
        assert (array == copy).all()


# --- A network of one's own -----------------------------------------------------------------------


class MyNetwork:
    """What people write: samples in columns, W of shape (n_in, n_out), no library in sight."""

    def __init__(self, sizes: tuple[int, ...]) -> None:
        rng = np.random.default_rng(5)
        self.W = [0.5 * rng.standard_normal(pair) for pair in pairwise(sizes)]
        self.b = [0.1 * rng.standard_normal((n, 1)) for n in sizes[1:]]

    def gradients(self, X: Any, Y: Any, mistake: str = "") -> tuple[list[Any], list[Any]]:
        A = [X]
        for W, b in zip(self.W, self.b, strict=True):
            A.append(1 / (1 + np.exp(-(W.T @ A[-1] + b))))
        m = X.shape[1]
        dZ = (A[-1] - Y) * A[-1] * (1 - A[-1])
        if mistake == "output_slope_omitted":
            dZ = A[-1] - Y
        dW, db = [], []
        for i in reversed(range(len(self.W))):
            dW.insert(0, A[i] @ dZ.T / (1 if mistake == "sum_not_mean" else m))
            db.insert(0, dZ.sum(axis=1, keepdims=True) / (1 if "sum_not" in mistake else m))
            if mistake == "bias_not_averaged":
                db[0] = db[0] * m
            dA = self.W[i] @ dZ
            dZ = dA if mistake == "hidden_slope_omitted" else dA * A[i] * (1 - A[i])
        return dW, db


@pytest.mark.parametrize(
    "mistake",
    ["", "sum_not_mean", "output_slope_omitted", "hidden_slope_omitted", "bias_not_averaged"],
)
@pytest.mark.parametrize("sizes", [(3, 5, 2), (4, 4, 4)], ids=str)
def test_a_person_with_a_network_of_their_own_gets_the_name_in_one_call(
    sizes: tuple[int, ...], mistake: str
) -> None:
    rng = np.random.default_rng(6)
    network = MyNetwork(sizes)
    X, Y = rng.standard_normal((sizes[0], 7)), rng.random((sizes[-1], 7))
    dW, db = network.gradients(X, Y, mistake)
    found = diagnose_arrays(
        W=network.W, b=network.b, dW=dW, db=db, X=X, y=Y,
        activations="sigmoid", loss="half_mse", orientation="in_out", samples="columns",
    )  # fmt: skip
    assert found.names == ((mistake,) if mistake else ())
    assert found.ok == (not mistake)


def test_the_shapes_say_the_orientation_where_they_can() -> None:
    network, rng = MyNetwork((3, 5, 2)), np.random.default_rng(6)
    X, Y = rng.standard_normal((3, 7)), rng.random((2, 7))
    dW, db = network.gradients(X, Y)
    known = {"X": X, "y": Y, "activations": "sigmoid", "loss": "half_mse", "samples": "columns"}
    assert diagnose_arrays(W=network.W, b=network.b, dW=dW, db=db, **known).ok
    turned = {"W": [W.T for W in network.W], "dW": [W.T for W in dW]}
    assert diagnose_arrays(**turned, b=network.b, db=db, **known).ok


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"samples": "rows"}, "X has shape (4, 7), expected (N, n_0=4)"),
        ({"samples": "cols"}, "samples is 'cols', expected 'rows' or 'columns'"),
        ({"orientation": "auto"}, "could be either way round; state orientation='out_in' for"),
        ({"activations": "sigmoyd"}, "activation is 'sigmoyd', expected one of identity, step"),
        ({"activations": ["sigmoid"]}, "for each of the 2 layers"),
        ({"loss": "mse"}, "loss is 'mse', expected one of half_mse, sse, bce, cross_entropy"),
        ({"W": [np.ones((4, 3)), np.ones((4, 4))]}, "which do not follow each other"),
        ({"dW": [np.ones((4, 3)), None]}, "W[1] of your gradients has shape (3, 4), expected (n_"),
    ],
    ids=str,
)
def test_arrays_that_make_no_network_are_refused(change: dict[str, Any], message: str) -> None:
    network, rng = MyNetwork((4, 4, 4)), np.random.default_rng(6)
    X, Y = rng.standard_normal((4, 7)), rng.random((4, 7))
    dW, db = network.gradients(X, Y)
    known: dict[str, Any] = {
        "W": network.W, "b": network.b, "dW": dW, "db": db, "X": X, "y": Y,
        "activations": "sigmoid", "loss": "half_mse",
        "orientation": "in_out", "samples": "columns",
    }  # fmt: skip
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below
        diagnose_arrays(**(known | change))
    assert message in str(caught.value)


# --- The command ----------------------------------------------------------------------------------


def a_file(folder: Path, mistake: str = "", **change: Any) -> str:
    network, rng = MyNetwork((3, 5, 2)), np.random.default_rng(6)
    X, Y = rng.standard_normal((3, 7)), rng.random((2, 7))
    dW, db = network.gradients(X, Y, mistake)
    named = {"W": network.W, "b": network.b, "dW": dW, "db": db}
    stored: dict[str, Any] = {
        f"{k}{l + 1}": arrays[l] for k, arrays in named.items() for l in (0, 1)
    }
    stored |= {"X": X, "y": Y, "activations": "sigmoid", "loss": "half_mse", "samples": "columns"}
    stored |= change
    path = folder / "my_gradients.npz"
    np.savez(path, **{name: value for name, value in stored.items() if value is not None})
    return str(path)


@pytest.mark.parametrize(("mistake", "code"), [("", 0), ("sum_not_mean", 1)])
def test_the_command_prints_the_report_and_says_it_with_its_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], mistake: str, code: int
) -> None:
    assert main([a_file(tmp_path, mistake)]) == code
    printed = capsys.readouterr().out
    assert (f"not right: {mistake}" if mistake else "correct: W[1], b[1]") in printed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": None, "b2": None}, "the file has no b2, X; it holds W1, W2, b1"),
        ({"colour": "red"}, "the file holds colour, which nobody asked for; see --help"),
        ({"dW1": np.ones((2, 2))}, "W[1] of your gradients has shape (2, 2), expected"),
        ({"loss": "hinge"}, "loss is 'hinge', expected one of half_mse"),
        ({"y": np.array([None] * 7)}, "Object arrays cannot be loaded"),
    ],
    ids=str,
)
def test_a_file_that_cannot_be_used_is_refused_with_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, Any], message: str
) -> None:
    assert main([a_file(tmp_path, **change)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert message in printed.err
    assert printed.err.count("\n") == 1


def test_no_file_and_no_archive_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "notes.npz"
    text.write_text("W1 = 3", encoding="utf-8")
    assert main([str(text)]) == 2
    assert main([str(tmp_path / "nowhere.npz")]) == 2
    assert "No such file" in capsys.readouterr().err


def test_a_file_with_everything_optional_in_it(tmp_path: Path) -> None:
    mlp, params, X, y, _ = problem = a_problem((3, 4, 2), (tanh, sigmoid))
    masks = dropout_masks(mlp, X, 0.5, np.random.default_rng(0))
    known = {"masks": masks, "l2": 0.01, "learning_rate": 0.5}
    previous = params.like(np.random.default_rng(1).standard_normal(params.theta.size))
    mine = mistaken_gradient("accumulated", *problem, previous=previous, **known)
    stored: dict[str, Any] = {"X": X, "y": y, "activations": ["tanh", "sigmoid"]}
    stored |= {"loss": "half_mse", "mask1": masks[1], "l2": 0.01, "learning_rate": 0.5}
    for l in (1, 2):
        stored |= {f"W{l}": params.W[l], f"b{l}": params.b[l]}
        stored |= {f"dW{l}": mine.W[l], f"db{l}": mine.b[l]}
        stored |= {f"previous_dW{l}": previous.W[l], f"previous_db{l}": previous.b[l]}
    path = tmp_path / "everything.npz"
    np.savez(path, **stored)
    assert main([str(path)]) == 1


def test_the_module_runs_and_documents_the_layout(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-m", "backprop_lib.diagnose"]
    shown = subprocess.run([*command, "--help"], capture_output=True, text=True)
    assert (shown.returncode, shown.stderr) == (0, "")
    for name in ("dW1 db1", "orientation", "samples", "mask1", "previous_dW1", "Exit code"):
        assert name in shown.stdout
    path = a_file(tmp_path, "sum_not_mean")
    ran = subprocess.run([*command, path], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert "sum_not_mean" in ran.stdout


# --- The report -----------------------------------------------------------------------------------


def test_the_report_names_advises_and_points_to_the_chapter() -> None:
    problem = a_problem()
    found = diagnose(mistaken_gradient("bias_averaged_twice", *problem), *problem)
    lines = str(found).splitlines()
    assert lines[0] == "not right: bias_averaged_twice"
    assert lines[2].split() == ["from", "right", "from", "this"]
    assert lines[3].split() == ["W[1]", "0", "0"]
    assert lines[4].split() == ["b[1]", "8.3e-01", "0"]
    assert f"advice: {MISTAKES['bias_averaged_twice'].advice}" in lines
    assert "read:   chapters/06_backpropagation.ipynb" in lines
    assert repr(found) == str(found)


def test_two_mistakes_have_two_pieces_of_advice() -> None:
    problem = a_problem()
    case = confusion.Problem(*problem, knowledge={}).case
    both = gradient_with(case, bends(case, "transposed")[0], bends(case, "bias_missing")[0])
    found = diagnose(both, *problem)
    assert found.verdict == "two mistakes"
    assert set(found.names) == {"transposed", "bias_missing"}
    assert all(MISTAKES[name].advice in str(found) for name in found.names)


def test_distances_of_rounding_size_print_as_zero() -> None:
    """So that a page that prints a report is the same on every machine."""
    problem = a_problem()
    for name in ("sign", "transposed", "slope_of_z"):
        report = str(diagnose(mistaken_gradient(name, *problem), *problem))
        assert "e-1" not in report.replace("e-01", "")


@repeatable
@given(seed=st.integers(0, 10_000))
def test_noise_near_the_tolerance_is_never_given_the_name_of_a_mistake(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem = confusion.random_problem(rng)
    right = right_gradient(problem.arguments)
    assume(right.theta.size >= 12)
    noise = 2e-5 * rng.standard_normal(right.theta.size)
    found = problem.diagnose(right.like(right.theta * (1 + noise)))
    assert found.verdict in ("correct", "unknown"), str(found)
