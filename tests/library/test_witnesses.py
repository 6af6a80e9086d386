"""Witnesses that share no code tell the same gradient, to twelve digits.

`benchmarks/witnesses.py` prints the same comparison as a table.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_networks import repeatable

from backprop_lib.backprop import backward
from backprop_lib.gradcheck import by_name
from backprop_lib.losses import sse
from backprop_lib.network import forward
from benchmarks.witnesses import (
    ALL,
    DIFFERENCE_DIGITS,
    EXACT_DIGITS,
    FEATURES,
    NUMPY,
    WITNESSES,
    Problem,
    agreeing_digits,
    demanded,
    hand_trace,
    library_cost,
    loss_again,
    matrix_route,
    random_problem,
    worst_digits,
)

ORACLES = {"PyTorch": "torch", "JAX": "jax", "autograd": "autograd"}
OURS = [name for name in WITNESSES if name not in ORACLES]
seeds = st.integers(0, 2**31)
every_feature = pytest.mark.parametrize("feature", FEATURES)


def assert_agreement(witness: str, problem: Problem) -> None:
    found, expected = WITNESSES[witness](problem), matrix_route(problem)
    assert found is not None, f"{witness} has no say about {problem}"
    digits = agreeing_digits(found, expected)
    assert digits >= demanded(witness), f"{witness} agrees in {digits:.1f} digits: {problem}"
    if demanded(witness) == EXACT_DIGITS:
        assert_every_array_agrees(witness, problem, found, expected)


def assert_every_array_agrees(
    witness: str, problem: Problem, found: np.ndarray, expected: np.ndarray
) -> None:
    """Each matrix and vector by itself, so that a small one cannot hide behind a large one."""
    whole = np.abs(expected).max()
    theirs, ours = by_name(problem.plain(found)), by_name(problem.plain(expected))
    for name, array in ours.items():
        # The floor is what rounding leaves where the samples of a batch cancel.
        scale = max(np.abs(array).max(), 1e-2 * whole)
        assert np.abs(theirs[name] - array).max() <= 1e-12 * scale, (witness, name, problem)


@every_feature
@pytest.mark.parametrize("witness", [name for name in OURS if name != "hand trace"])
@repeatable(12)
@given(seed=seeds)
def test_our_own_witnesses_agree(witness: str, feature: str, seed: int) -> None:
    assert_agreement(witness, random_problem(seed, feature))


@repeatable(60)
@given(seed=seeds)
def test_the_hand_trace_agrees(seed: int) -> None:
    assert_agreement("hand trace", random_problem(seed, "plain"))


@pytest.mark.parametrize("feature", FEATURES[1:])
def test_the_hand_trace_has_no_say_beyond_the_plain_network(feature: str) -> None:
    assert hand_trace(random_problem(0, feature)) is None


@every_feature
@pytest.mark.parametrize("witness", ["PyTorch", "autograd"])
@repeatable(12)
@given(seed=seeds)
def test_frameworks_agree(witness: str, feature: str, seed: int) -> None:
    pytest.importorskip(ORACLES[witness])
    assert_agreement(witness, random_problem(seed, feature))


@every_feature
@repeatable(2)  # each network is compiled, which takes half a second
@given(seed=seeds)
def test_jax_agrees(feature: str, seed: int) -> None:
    pytest.importorskip("jax")
    assert_agreement("JAX", random_problem(seed, feature))


# --- The comparison itself has teeth --------------------------------------------------------------


@every_feature
@repeatable(12)
@given(seed=seeds)
def test_both_forward_passes_are_of_the_same_loss(feature: str, seed: int) -> None:
    problem = random_problem(seed, feature)
    again = loss_again(problem, problem.theta, NUMPY)
    assert again == pytest.approx(library_cost(problem, problem.theta), rel=1e-12)


@repeatable(30)
@given(seed=seeds)
def test_a_plain_problem_is_judged_by_the_plain_backward_pass(seed: int) -> None:
    problem = random_problem(seed, "plain")
    params = problem.plain(problem.theta)
    cache = forward(problem.mlp, params, problem.X)
    expected = backward(problem.mlp, params, cache, problem.y, problem.loss).grads.theta
    np.testing.assert_allclose(matrix_route(problem), expected, rtol=1e-14, atol=1e-16)


@every_feature
def test_the_random_networks_are_worth_checking(feature: str) -> None:
    """Depths, widths, batches, outputs, activations and losses vary; no bias is 0."""
    problems = [random_problem(seed, feature) for seed in range(60)]
    assert len({p.mlp.L for p in problems}) >= 3
    assert len({p.mlp.sizes[-1] for p in problems}) == 4
    assert len({len(p.X) for p in problems}) >= 4
    assert len({p.loss for p in problems}) == 4
    assert len({phi for p in problems for phi in p.mlp.activations}) == 6
    assert all(b.all() for p in problems for b in p.plain(p.theta).b[1:])
    assert any(p.loss is sse for p in problems)
    switches = {
        "L2": [p.l2 > 0 for p in problems],
        "dropout": [p.masks is not None for p in problems],
        "batch norm": [p.batch_norm for p in problems],
        "skips": [p.skip and any(map(p.deep.skips, range(1, p.mlp.L))) for p in problems],
    }
    on = {"plain": set(), ALL: {"L2", "batch norm", "skips"}}.get(feature, {feature})
    for name, states in switches.items():
        # A skip needs two hidden layers, or one as wide as the input.
        assert (sum(states) > 30) if name in on else not any(states), name
    if feature == "dropout":
        dropped = [(mask == 0).any() for p in problems for mask in p.masks[1:]]
        assert sum(dropped) > len(dropped) / 2


@pytest.mark.parametrize("witness", OURS[1:])
@every_feature
def test_a_gradient_that_is_a_little_wrong_is_noticed(witness: str, feature: str) -> None:
    problem = random_problem(1, feature)
    wrong = matrix_route(problem)
    wrong[-1] += 1e-5 * np.linalg.norm(wrong)
    found = WITNESSES[witness](problem)
    assert 4.9 < agreeing_digits(found, wrong) < 5.1 < DIFFERENCE_DIGITS


def test_digits_are_counted() -> None:
    u = np.array([3.0, 4.0])
    assert agreeing_digits(u, u) == 16
    assert agreeing_digits(u, u * (1 + 1e-7)) == pytest.approx(7, abs=0.01)
    assert agreeing_digits(u, -u) < 0


def test_a_cell_of_the_table_is_the_worst_of_its_networks() -> None:
    digits = [worst_digits("complex step", "skips", n) for n in (1, 2, 3, 4)]
    assert digits == sorted(digits, reverse=True)
    assert worst_digits("hand trace", "skips", 2) is None
