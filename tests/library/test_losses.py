"""Losses: values, gradients, canonical partners, and where 1/N lives."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from random_networks import Array, distance, random_targets, repeatable

from backprop_lib.activations import identity, sigmoid, softmax
from backprop_lib.gradcheck import central_differences, complex_step, dual_numbers
from backprop_lib.losses import LOSSES, Loss, bce, cross_entropy, half_mse, one_hot, sse

everyone = pytest.mark.parametrize("loss", LOSSES.values(), ids=repr)
ZERO_ONE = np.array([[0.0], [1.0]])

shapes = st.tuples(st.integers(1, 6), st.integers(2, 4))
seeds = st.integers(0, 2**32 - 1)


def answers(rng: np.random.Generator, loss: Loss, shape: tuple[int, int]) -> Array:
    """Random answers well inside the loss's range."""
    return loss.canonical.f(rng.standard_normal(shape))


def by_hand(loss: Loss, a: Array, y: Array) -> float:
    """The page's formula, one sample and one output at a time, in plain Python."""
    terms = {
        "half_mse": lambda p, t: (p - t) ** 2 / 2,
        "sse": lambda p, t: (p - t) ** 2,
        "bce": lambda p, t: -(t * math.log(p) + (1 - t) * math.log(1 - p)),
        "cross_entropy": lambda p, t: -t * math.log(p),
    }
    term = terms[loss.name]
    total = sum(term(p, t) for p, t in zip(a.ravel().tolist(), y.ravel().tolist(), strict=True))
    return total if loss is sse else total / len(a)


@everyone
@repeatable(40)
@given(seed=seeds, shape=shapes)
def test_the_value_is_that_of_the_formula(loss: Loss, seed: int, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(seed)
    a, y = answers(rng, loss, shape), random_targets(rng, loss, shape)
    assert loss(a, y) == pytest.approx(by_hand(loss, a, y), rel=1e-13)
    assert type(loss(a, y)) is float


@everyone
@repeatable(40)
@given(seed=seeds, shape=shapes)
def test_the_gradient_is_that_of_the_value(loss: Loss, seed: int, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(seed)
    a, y = answers(rng, loss, shape), random_targets(rng, loss, shape)

    def value(theta: Array) -> float:
        return loss.value(theta.reshape(shape), y)

    exact = loss.grad(a, y)
    assert exact.shape == shape
    assert distance(exact, complex_step(value, a.ravel())) < 1e-13
    assert distance(exact, dual_numbers(value, a.ravel())) < 1e-13
    assume(a.min() > 1e-3 or loss in (half_mse, sse))
    assert distance(exact, central_differences(value, a.ravel(), 1e-6)) < 1e-6


@everyone
@repeatable(40)
@given(seed=seeds, shape=shapes)
def test_the_canonical_delta_is_gradient_times_slope(
    loss: Loss, seed: int, shape: tuple[int, int]
) -> None:
    """With softmax the slope is a Jacobian, one matrix a sample."""
    rng = np.random.default_rng(seed)
    z, y = rng.standard_normal(shape), random_targets(rng, loss, shape)
    phi = loss.canonical
    a = phi.f(z)
    slope, gradient = phi.d(z, a), loss.grad(a, y)
    if phi is softmax:
        general = np.einsum("nj,nji->ni", gradient, slope)
    else:
        general = gradient * slope
    assert distance(loss.delta(a, y), general) < 1e-12


@everyone
@repeatable(40)
@given(seed=seeds, shape=shapes)
def test_from_logits_is_the_value_behind_the_activation(
    loss: Loss, seed: int, shape: tuple[int, int]
) -> None:
    rng = np.random.default_rng(seed)
    z, y = 3 * rng.standard_normal(shape), random_targets(rng, loss, shape)
    assert loss.from_logits(z, y) == pytest.approx(loss(loss.canonical.f(z), y), rel=1e-10)

    def value(theta: Array) -> float:
        return loss.from_logits(theta.reshape(shape), y)

    assert distance(loss.delta(loss.canonical.f(z), y), complex_step(value, z.ravel())) < 1e-12


def test_canonical_partners() -> None:
    assert [loss.canonical for loss in (half_mse, sse, bce, cross_entropy)] == [
        identity,
        identity,
        sigmoid,
        softmax,
    ]
    assert [repr(loss) for loss in LOSSES.values()] == list(LOSSES)


@everyone
def test_a_repeated_batch_has_the_same_mean_and_twice_the_sum(loss: Loss) -> None:
    rng = np.random.default_rng(3)
    a, y = answers(rng, loss, (4, 3)), random_targets(rng, loss, (4, 3))
    twice = loss(np.vstack([a, a]), np.vstack([y, y]))
    gradient = loss.grad(np.vstack([a, a]), np.vstack([y, y]))
    if loss is sse:
        assert twice == pytest.approx(2 * loss(a, y))
        np.testing.assert_allclose(gradient[:4], loss.grad(a, y))
    else:
        assert twice == pytest.approx(loss(a, y))
        np.testing.assert_allclose(gradient[:4], loss.grad(a, y) / 2)


def test_the_sum_is_two_n_times_the_half_mean() -> None:
    rng = np.random.default_rng(0)
    a, y = rng.standard_normal((5, 2)), rng.standard_normal((5, 2))
    assert sse(a, y) == pytest.approx(2 * 5 * half_mse(a, y))
    np.testing.assert_allclose(sse.grad(a, y), 2 * 5 * half_mse.grad(a, y))


def test_two_numbers_of_the_third_chapter() -> None:
    """Target 1, z = -8: the squared error's gradient has vanished, cross-entropy's has not."""
    z, y = np.array([[-8.0]]), np.array([[1.0]])
    a = sigmoid.f(z)
    squared = half_mse.grad(a, y) * sigmoid.d(z, a)
    assert squared[0, 0] == pytest.approx(-3.35e-4, rel=1e-3)
    assert bce.delta(a, y)[0, 0] == pytest.approx(-0.99966, abs=1e-5)
    p = softmax.f(np.array([[2.0, 1.0, 0.1]]))
    delta = cross_entropy.delta(p, one_hot(np.array([1]), 3))
    np.testing.assert_allclose(delta, [[0.659, -0.758, 0.099]], atol=5e-4)


@pytest.mark.parametrize("K", [2, 3, 10])
def test_undecided_answers_cost_ln_K(K: int) -> None:
    y = one_hot(np.arange(K), K)
    assert cross_entropy(np.full((K, K), 1 / K), y) == pytest.approx(math.log(K))
    assert cross_entropy.from_logits(np.zeros((K, K)), y) == pytest.approx(math.log(K))
    assert bce(np.full((2, 1), 0.5), ZERO_ONE) == pytest.approx(math.log(2))


@pytest.mark.parametrize("z", [40.0, 800.0, 1e4, 1e300])
@pytest.mark.parametrize("target", [0.0, 1.0, 0.25])
def test_bce_is_exact_at_any_logit(z: float, target: float) -> None:
    """The loss of a confident answer is |z| where it is wrong, e^-|z| where it is right."""
    logits = np.array([[z], [-z]])
    y = np.full((2, 1), target)
    right = math.exp(-z)
    expected = [(1 - target) * z + right, target * z + right]
    for row, value in enumerate(expected):
        found = bce.from_logits(logits[row : row + 1], y[row : row + 1])
        assert found == pytest.approx(value, rel=1e-14, abs=0)
        delta = bce.delta(sigmoid.f(logits[row : row + 1]), y[row : row + 1])
        assert delta[0, 0] == pytest.approx((z > 0) * (row == 0) - target, abs=1e-15)


@pytest.mark.parametrize("z", [40.0, 800.0, 1e4, 1e300])
def test_cross_entropy_is_exact_at_any_logit(z: float) -> None:
    logits = np.array([[z, 0.0, -z]])
    costs = [cross_entropy.from_logits(logits, np.eye(3)[k : k + 1]) for k in range(3)]
    assert costs[1:] == pytest.approx([z, 2 * z], rel=1e-14)
    assert costs[0] == pytest.approx(0, abs=1e-15)
    for k in range(3):
        delta = cross_entropy.delta(softmax.f(logits), np.eye(3)[k : k + 1])
        np.testing.assert_allclose(delta, np.eye(3)[:1] - np.eye(3)[k : k + 1], atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_logits_raise_no_warning(dtype: type) -> None:
    z = np.array([[1e4, -1e4], [-1e4, 1e4], [0.0, 0.0]], dtype=dtype)
    y = np.array([[0, 1], [0, 1], [1, 0]], dtype=dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for loss in (bce, cross_entropy):
            assert math.isfinite(loss.from_logits(z, y))
            assert np.isfinite(loss.delta(loss.canonical.f(z), y)).all()


def test_a_confident_wrong_answer_is_infinite_and_says_so() -> None:
    message = (
        "bce is inf: an output is exactly 0 or 1 on the wrong side; "
        r"compute it before the activation: bce.from_logits\(z, y\)"
    )
    with pytest.warns(RuntimeWarning, match=message) as caught:
        assert bce(np.array([[1.0], [0.5]]), ZERO_ONE) == math.inf
    assert caught[0].filename == __file__
    with pytest.warns(RuntimeWarning, match="cross_entropy is inf"):
        assert cross_entropy(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])) == math.inf


def test_a_confident_right_answer_costs_nothing() -> None:
    """0 ln 0 is 0, not nan; and what does not happen has no gradient."""
    assert bce(ZERO_ONE, ZERO_ONE) == 0
    assert cross_entropy(np.eye(2), np.eye(2)) == 0
    np.testing.assert_array_equal(bce.grad(ZERO_ONE, ZERO_ONE), [[0.5], [-0.5]])
    np.testing.assert_array_equal(cross_entropy.grad(np.eye(2), np.eye(2)), -np.eye(2) / 2)


def test_a_confident_wrong_answer_has_an_infinite_gradient() -> None:
    gradient = bce.grad(1 - ZERO_ONE, ZERO_ONE)
    np.testing.assert_array_equal(gradient, [[np.inf], [-np.inf]])
    gradient = cross_entropy.grad(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]))
    np.testing.assert_array_equal(gradient, [[0.0, -np.inf]])


@everyone
def test_float32_stays_float32(loss: Loss) -> None:
    rng = np.random.default_rng(5)
    a = answers(rng, loss, (4, 3)).astype(np.float32)
    y = random_targets(rng, loss, (4, 3)).astype(np.float32)
    assert loss.grad(a, y).dtype == np.float32
    assert loss.delta(a, y).dtype == np.float32
    assert type(loss.value(a, y)) is type(loss.from_logits(a, y)) is float


@everyone
def test_complex_numbers_stay_complex(loss: Loss) -> None:
    rng = np.random.default_rng(6)
    y = random_targets(rng, loss, (4, 3))
    a = answers(rng, loss, (4, 3))
    for value in (loss.value(a + 0j, y), loss.from_logits(a + 0j, y)):
        assert type(value) is complex
    assert loss.value(a + 0j, y) == pytest.approx(loss.value(a, y), rel=1e-14)
    assert loss.from_logits(a + 0j, y) == pytest.approx(loss.from_logits(a, y), rel=1e-14)


def test_one_hot_rows() -> None:
    rows = one_hot(np.array([2, 0, 1, 2], dtype=np.uint8), 4)
    np.testing.assert_array_equal(rows, [[0, 0, 1, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]])
    assert rows.dtype == np.float64
    assert rows.argmax(axis=1).tolist() == [2, 0, 1, 2]
