"""The network: parameters in one vector, initialisers, the forward pass, the loss of it."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from random_networks import Case, cases, repeatable

from backprop_lib.activations import identity, relu, sigmoid, softmax, step, tanh
from backprop_lib.backprop import backward
from backprop_lib.data import load_xor
from backprop_lib.losses import bce, cross_entropy, half_mse, one_hot
from backprop_lib.network import (
    MLP,
    Params,
    constant,
    cost,
    count_parameters,
    forward,
    he,
    normal,
    objective,
    predict,
    propagate,
    xavier,
    zeros,
)
from backprop_lib.optimizers import sgd
from backprop_lib.training import fit

SIZES = (3, 4, 2, 5)
PARAMS = Params(np.arange(1.0, 42.0), SIZES)


# --- Params ---------------------------------------------------------------------------------------


def test_theta_holds_w1_b1_w2_b2_row_by_row() -> None:
    parts = [part.ravel() for l in (1, 2, 3) for part in (PARAMS.W[l], PARAMS.b[l])]
    np.testing.assert_array_equal(np.concatenate(parts), PARAMS.theta)
    assert [w.shape for w in PARAMS.W[1:]] == [(4, 3), (2, 4), (5, 2)]
    assert [b.shape for b in PARAMS.b[1:]] == [(4,), (2,), (5,)]
    assert PARAMS.W[0] is PARAMS.b[0] is None
    np.testing.assert_array_equal(PARAMS.W[1][0], [1, 2, 3])


def test_matrices_are_views_of_theta() -> None:
    params = PARAMS.like(PARAMS.theta.copy())
    params.W[2][1, 3] = -7
    params.b[3][:] = -8
    assert params.theta[params.theta == -7].size == 1
    assert (params.theta[-5:] == -8).all()
    params.theta[:] = 0
    assert not params.W[1].any()


def test_the_name_of_an_entry_is_the_code_that_reads_it() -> None:
    names = [PARAMS.name(i) for i in range(PARAMS.theta.size)]
    assert len(set(names)) == 41
    for name, value in zip(names, PARAMS.theta, strict=True):
        assert eval(name, {"W": PARAMS.W, "b": PARAMS.b}) == value


def test_gathering_copies_and_gives_the_same_parameters_back() -> None:
    again = Params.of(PARAMS.W[1:], PARAMS.b[1:])
    np.testing.assert_array_equal(again.theta, PARAMS.theta)
    assert again.sizes == SIZES
    assert not np.shares_memory(again.theta, PARAMS.theta)


def test_other_numbers_are_not_copied() -> None:
    theta = np.zeros(41)
    assert PARAMS.like(theta).theta is theta


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gathering_keeps_the_dtype(dtype: type) -> None:
    params = Params.of([np.ones((2, 1), dtype)], [np.ones(2, dtype)])
    assert params.theta.dtype == dtype


@pytest.mark.parametrize(
    ("sizes", "P"), [((1, 1), 2), ((2, 2, 1), 9), ((784, 30, 10), 23860), ((3, 4, 2, 5), 41)]
)
def test_parameters_are_counted(sizes: tuple[int, ...], P: int) -> None:
    assert count_parameters(sizes) == P
    by_layer = [n_out * n_in + n_out for n_in, n_out in pairwise(sizes)]
    assert sum(by_layer) == P


# --- Initialisers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("initialise", "deviation"),
    [(normal, 1.0), (xavier, math.sqrt(2 / 500)), (he, math.sqrt(2 / 200))],
    ids=["normal", "xavier", "he"],
)
def test_random_initialisers_have_the_spread_they_promise(initialise, deviation) -> None:
    w = initialise(np.random.default_rng(0), 200, 300)
    assert w.shape == (300, 200)
    assert w.std() == pytest.approx(deviation, rel=0.02)  # five standard errors are 1.4 %
    assert abs(w.mean()) < 5 * deviation / math.sqrt(w.size)


def test_constant_initialisers() -> None:
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(zeros(rng, 2, 3), np.zeros((3, 2)))
    np.testing.assert_array_equal(constant(0.5)(rng, 2, 3), np.full((3, 2), 0.5))
    assert rng.random() == np.random.default_rng(0).random()  # neither took a number


def test_fresh_parameters_have_zero_biases_and_new_random_weights() -> None:
    mlp, rng = MLP(SIZES, (tanh, tanh, sigmoid)), np.random.default_rng(0)
    first, second = mlp.init(rng), mlp.init(rng)
    again = mlp.init(np.random.default_rng(0))
    assert not any(b.any() for b in first.b[1:])
    assert (first.W[1] != second.W[1]).all()
    np.testing.assert_array_equal(first.theta, again.theta)
    assert first.theta.dtype == np.float64
    assert first.W[1].std() == pytest.approx(xavier(np.random.default_rng(0), 3, 4).std())


def test_a_size_may_be_a_numpy_integer() -> None:
    mlp = MLP((2, np.int64(3)), [sigmoid])
    assert mlp.sizes == (2, 3)
    assert type(mlp.sizes[1]) is int
    assert mlp.activations == (sigmoid,)
    assert mlp.L == 1
    assert mlp.phi == (None, sigmoid)


def test_networks_are_values() -> None:
    assert MLP((2, 1), (tanh,)) == MLP([2, 1], [tanh]) != MLP((2, 1), (relu,))


# --- The forward pass -----------------------------------------------------------------------------


def unit_by_unit(case: Case, n: int) -> list[list[float]]:
    """Activations of one sample, from plain sums; slot 0 is the input."""
    a = [case.X[n].tolist()]
    for l in range(1, case.mlp.L + 1):
        W, b = case.params.W[l].tolist(), case.params.b[l].tolist()
        z = [
            sum(w * x for w, x in zip(row, a[-1], strict=True)) + bias
            for row, bias in zip(W, b, strict=True)
        ]
        a.append(case.mlp.phi[l].f(np.array([z]))[0].tolist())
    return a


@repeatable(60)
@given(cases())
def test_forward_is_the_sum_over_inputs_unit_by_unit(case: Case) -> None:
    cache = forward(case.mlp, case.params, case.X)
    for n in range(len(case.X)):
        for l, row in enumerate(unit_by_unit(case, n)):
            np.testing.assert_allclose(cache.a[l][n], row, rtol=1e-12, atol=1e-14)


@repeatable(60)
@given(cases())
def test_rows_are_the_page_columns_transposed(case: Case) -> None:
    cache = forward(case.mlp, case.params, case.X)
    a = case.X.T
    for l in range(1, case.mlp.L + 1):
        z = case.params.W[l] @ a + case.params.b[l][:, None]
        a = case.mlp.phi[l].f(z.T).T
        np.testing.assert_allclose(cache.z[l], z.T, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(cache.a[l], a.T, rtol=1e-12, atol=1e-14)


def test_slots_carry_the_page_numbers() -> None:
    mlp, X = MLP((3, 4, 2, 5), (tanh, tanh, sigmoid)), np.ones((6, 3))
    cache = forward(mlp, mlp.init(np.random.default_rng(0)), X)
    assert cache.a[0] is X
    assert cache.z[0] is None
    assert [a.shape for a in cache.a] == [(6, 3), (6, 4), (6, 2), (6, 5)]
    assert [z.shape for z in cache.z[1:]] == [(6, 4), (6, 2), (6, 5)]
    params = mlp.init(np.random.default_rng(0))
    np.testing.assert_array_equal(predict(mlp, params, X), forward(mlp, params, X).a[3])
    np.testing.assert_array_equal(predict(mlp, params, X), propagate(mlp, params, X).a[-1])


@repeatable(30)
@given(cases())
def test_float32_stays_float32(case: Case) -> None:
    params = case.params.like(case.params.theta.astype(np.float32))
    X, y = case.X.astype(np.float32), case.y.astype(np.float32)
    cache = forward(case.mlp, params, X)
    assert {array.dtype for array in (*cache.a, *cache.z[1:])} == {np.dtype(np.float32)}
    back = backward(case.mlp, params, cache, y, case.loss)
    assert {array.dtype for array in back.delta[1:]} == {np.dtype(np.float32)}
    assert back.grads.theta.dtype == np.float32
    assert type(cost(case.mlp, cache, y, case.loss)) is float


def test_layers_without_a_bend_collapse_into_one_matrix() -> None:
    rng = np.random.default_rng(0)
    mlp = MLP((4, 6, 5, 3), (identity, identity, identity))
    params, X = mlp.init(rng, normal), rng.standard_normal((7, 4))
    W, b = params.W, params.b
    matrix = W[3] @ W[2] @ W[1]
    vector = W[3] @ (W[2] @ b[1] + b[2]) + b[3]
    assert np.abs(predict(mlp, params, X) - (X @ matrix.T + vector)).max() < 1e-12


def test_two_hidden_steps_compute_xor() -> None:
    """One unit says OR, one says AND, and the output says OR but not AND."""
    params = Params.of(W=[[[1.0, 1.0], [1.0, 1.0]], [[1.0, -1.0]]], b=[[-0.5, -1.5], [-0.5]])
    X, y = load_xor()
    np.testing.assert_array_equal(predict(MLP((2, 2, 1), (step, step)), params, X), y)


def test_the_first_hand_trace() -> None:
    mlp = MLP((2, 2, 1), (sigmoid, sigmoid))
    params = Params.of(W=[[[0.15, 0.20], [0.25, 0.30]], [[0.40, 0.45]]], b=[[0.35, 0.35], [0.6]])
    cache = forward(mlp, params, np.array([[0.05, 0.10]]))
    np.testing.assert_allclose(cache.a[1], [[0.593270, 0.596884]], atol=5e-7)
    assert cache.a[2][0, 0] == pytest.approx(0.751365, abs=5e-7)
    assert cost(mlp, cache, np.array([[0.01]]), half_mse) == pytest.approx(0.274811, abs=5e-7)


# --- Initialisation breaks symmetry ---------------------------------------------------------------


@pytest.mark.parametrize("phi", [tanh, relu], ids=repr)
def test_from_zero_no_weight_ever_moves(phi) -> None:
    mlp, (X, y) = MLP((2, 3, 1), (phi, sigmoid)), load_xor()
    params = mlp.init(np.random.default_rng(0), zeros)
    grads = backward(mlp, params, forward(mlp, params, X), y, bce).grads
    assert not grads.W[1].any()
    assert not grads.W[2].any()


def test_from_a_constant_the_hidden_units_stay_twins() -> None:
    mlp, (X, y), rng = MLP((2, 3, 1), (tanh, sigmoid)), load_xor(), np.random.default_rng(0)
    start = mlp.init(rng, constant(0.5))
    end = fit(mlp, start, X, y, bce, sgd(0.5), epochs=500, batch_size=1, rng=rng).params
    assert (end.W[1] != start.W[1]).all()
    for array in (end.W[1], end.b[1][:, None], end.W[2].T):
        assert np.ptp(array, axis=0).max() == 0


# --- The loss of a forward pass -------------------------------------------------------------------


@repeatable(60)
@given(cases())
def test_the_cost_is_the_loss_of_the_answers(case: Case) -> None:
    cache = forward(case.mlp, case.params, case.X)
    found = cost(case.mlp, cache, case.y, case.loss)
    assert found == pytest.approx(case.loss(cache.a[-1], case.y), rel=1e-9)
    assert found == objective(case.mlp, cache, case.y, case.loss)


def test_the_cost_stays_finite_where_the_answer_has_rounded() -> None:
    X = np.array([[1.0]])
    mlp, params = MLP((1, 1), (sigmoid,)), Params.of([[[800.0]]], [[0.0]])
    assert cost(mlp, forward(mlp, params, X), np.array([[0.0]]), bce) == 800
    mlp, params = MLP((1, 2), (softmax,)), Params.of([[[800.0], [0.0]]], [[0.0, 0.0]])
    wrong = one_hot(np.array([1]), 2)
    assert cost(mlp, forward(mlp, params, X), wrong, cross_entropy) == 800
