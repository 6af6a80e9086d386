"""The four equations, for any depth, width, batch, activation and loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from random_networks import (
    HIDDEN,
    PAIRS,
    Array,
    Case,
    cases,
    distance,
    random_case,
    repeatable,
)

from backprop_lib.activations import identity, sigmoid, softmax, step, tanh
from backprop_lib.backprop import Backward, backward, delta_of, output_delta, propagate_back
from backprop_lib.gradcheck import (
    central_differences,
    check_gradients,
    complex_step,
    dual_numbers,
)
from backprop_lib.losses import Loss, half_mse, sse
from backprop_lib.network import MLP, Params, forward, objective, propagate


def back(case: Case) -> Backward:
    cache = forward(case.mlp, case.params, case.X)
    return backward(case.mlp, case.params, cache, case.y, case.loss)


def cost_at(case: Case) -> Any:
    """J as a function of theta alone."""

    def J(theta: Array) -> Any:
        cache = propagate(case.mlp, case.params.like(theta), case.X)
        return objective(case.mlp, cache, case.y, case.loss)

    return J


# --- The gradient is the gradient -----------------------------------------------------------------


@repeatable(150)
@given(cases())
def test_backward_agrees_with_central_differences(case: Case) -> None:
    assume(case.kink_distance > 1e-3)
    expected = central_differences(cost_at(case), case.params.theta)
    assert distance(back(case).grads.theta, expected, floor=0.1) < 1e-8


@repeatable(150)
@given(cases())
def test_backward_agrees_with_the_complex_step_in_every_array(case: Case) -> None:
    assert check_gradients(case.mlp, case.params, case.X, case.y, case.loss, method=complex_step).ok


@repeatable(100)
@given(cases())
def test_backward_agrees_with_dual_numbers_in_every_array(case: Case) -> None:
    assert check_gradients(case.mlp, case.params, case.X, case.y, case.loss, method=dual_numbers).ok


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair[0]}-{pair[1]}")
@pytest.mark.parametrize("hidden", HIDDEN, ids=repr)
def test_every_hidden_activation_with_every_output_and_loss(hidden, pair) -> None:
    case = random_case(7, (3, 4, 3, 2), (hidden, hidden), pair, N=3)
    grads = back(case).grads
    assert distance(grads.theta, complex_step(cost_at(case), case.params.theta)) < 1e-13
    assert np.abs(grads.theta).max() > 1e-2  # the example is not a degenerate one


@repeatable(60)
@given(cases(max_layers=3), st.data())
def test_delta_is_the_derivative_with_respect_to_z(case: Case, data: st.DataObject) -> None:
    """Nudge one z of one sample, leave everything before it alone, go on from there."""
    l = data.draw(st.integers(1, case.mlp.L))
    cache = forward(case.mlp, case.params, case.X)

    def J(z: Array) -> Any:
        nudged = list(cache.z)
        activations = list(cache.a)
        nudged[l] = z.reshape(cache.z[l].shape)
        activations[l] = case.mlp.phi[l].f(nudged[l])
        for k in range(l + 1, case.mlp.L + 1):
            nudged[k] = activations[k - 1] @ case.params.W[k].T + case.params.b[k]
            activations[k] = case.mlp.phi[k].f(nudged[k])
        nudged_cache = type(cache)(tuple(nudged), tuple(activations))
        return objective(case.mlp, nudged_cache, case.y, case.loss)

    expected = complex_step(J, cache.z[l].ravel())
    assert distance(back(case).delta[l], expected, floor=1e-6) < 1e-12


# --- The same gradient in other clothes -----------------------------------------------------------


@repeatable(100)
@given(cases(pairs=[(phi, loss) for phi, loss in PAIRS if phi is not softmax]))
def test_rows_are_the_page_columns_transposed(case: Case) -> None:
    """The page's equations for columns of samples, slope and all, written out once more."""
    W, L, phi = case.params.W, case.mlp.L, case.mlp.phi
    cache = forward(case.mlp, case.params, case.X)
    z = [None, *(z.T for z in cache.z[1:])]
    a = [a.T for a in cache.a]
    delta = case.loss.grad(cache.a[L], case.y).T * phi[L].d(z[L].T, a[L].T).T
    grads = case.params.like(np.empty_like(case.params.theta))
    for l in range(L, 0, -1):
        grads.W[l][:] = delta @ a[l - 1].T
        grads.b[l][:] = delta.sum(axis=1)
        if l > 1:
            delta = (W[l].T @ delta) * phi[l - 1].d(z[l - 1], a[l - 1])
    assert distance(back(case).grads.theta, grads.theta) < 1e-12


@repeatable(100)
@given(cases())
def test_the_batch_gradient_is_the_mean_of_the_single_ones(case: Case) -> None:
    singles = [
        back(Case(case.mlp, case.params, case.X[n : n + 1], case.y[n : n + 1], case.loss))
        for n in range(len(case.X))
    ]
    total = np.sum([single.grads.theta for single in singles], axis=0)
    mean = total if case.loss is sse else total / len(singles)
    assert distance(back(case).grads.theta, mean, floor=1e-3) < 1e-13


@repeatable(100)
@given(cases())
def test_the_canonical_delta_is_the_general_one(case: Case) -> None:
    """Loss gradient times slope; behind softmax the slope is a matrix for each sample."""
    cache = forward(case.mlp, case.params, case.X)
    z, a = cache.z[-1], cache.a[-1]
    gradient, slope = case.loss.grad(a, case.y), case.mlp.phi[-1].d(z, a)
    general = (
        np.stack([g @ jacobian for g, jacobian in zip(gradient, slope, strict=True)])
        if case.mlp.phi[-1] is softmax
        else gradient * slope
    )
    assert distance(output_delta(case.mlp, cache, case.y, case.loss), general, floor=1e-6) < 1e-12


@repeatable(100)
@given(cases(max_layers=6))
def test_with_or_without_a_memo_every_bit_is_the_same(case: Case) -> None:
    cache = forward(case.mlp, case.params, case.X)
    arguments = (case.mlp, case.params, cache, case.y, case.loss)
    memo: dict[int, Array] = {}
    expected = backward(*arguments).delta
    for l in range(1, case.mlp.L + 1):
        np.testing.assert_array_equal(delta_of(l, *arguments), expected[l])
        np.testing.assert_array_equal(delta_of(l, *arguments, memo), expected[l])
        assert delta_of(l, *arguments, memo) is memo[l]
    assert sorted(memo) == list(range(1, case.mlp.L + 1))


@repeatable(50)
@given(cases(pairs=[(phi, half_mse) for phi in HIDDEN]))
def test_the_sum_is_two_n_times_the_half_mean(case: Case) -> None:
    summed = Case(case.mlp, case.params, case.X, case.y, sse)
    expected = 2 * len(case.X) * back(case).grads.theta
    assert distance(back(summed).grads.theta, expected) < 1e-13


@repeatable(50)
@given(cases(), st.integers(0, 1000))
def test_the_order_of_the_samples_does_not_matter(case: Case, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(case.X))
    shuffled = Case(case.mlp, case.params, case.X[order], case.y[order], case.loss)
    assert distance(back(shuffled).grads.theta, back(case).grads.theta, floor=1e-3) < 1e-13


@repeatable(50)
@given(cases(), st.integers(0, 1000))
def test_renumbering_hidden_units_renumbers_their_gradients(case: Case, seed: int) -> None:
    assume(case.mlp.L > 1)
    order = np.random.default_rng(seed).permutation(case.mlp.sizes[1])

    def renumbered(params: Params) -> Params:
        W, b = list(params.W[1:]), list(params.b[1:])
        W[0], b[0], W[1] = W[0][order], b[0][order], W[1][:, order]
        return Params.of(W, b)

    other = Case(case.mlp, renumbered(case.params), case.X, case.y, case.loss)
    expected = renumbered(back(case).grads).theta
    assert distance(back(other).grads.theta, expected, floor=1e-3) < 1e-13


# --- Shapes, types, side effects ------------------------------------------------------------------


@repeatable(50)
@given(cases())
def test_every_delta_has_the_shape_of_its_z(case: Case) -> None:
    result, cache = back(case), forward(case.mlp, case.params, case.X)
    assert result.delta[0] is None
    assert [d.shape for d in result.delta[1:]] == [z.shape for z in cache.z[1:]]
    assert result.grads.sizes == case.mlp.sizes
    for l in range(1, case.mlp.L + 1):
        np.testing.assert_array_equal(result.grads.b[l], result.delta[l].sum(axis=0))


@repeatable(30)
@given(cases())
def test_running_twice_gives_the_same_bits_in_new_arrays(case: Case) -> None:
    cache = forward(case.mlp, case.params, case.X)
    arguments = (case.mlp, case.params, cache, case.y, case.loss)
    before = [array.copy() for array in (case.params.theta, case.y, *cache.a, *cache.z[1:])]
    first, second = backward(*arguments), backward(*arguments)
    np.testing.assert_array_equal(first.grads.theta, second.grads.theta)
    assert not np.shares_memory(first.grads.theta, second.grads.theta)
    np.testing.assert_array_equal(propagate_back(*arguments).grads.theta, first.grads.theta)
    after = (case.params.theta, case.y, *cache.a, *cache.z[1:])
    for array, copy in zip(after, before, strict=True):
        np.testing.assert_array_equal(array, copy)


# --- Numbers of the book --------------------------------------------------------------------------


def test_the_first_hand_trace() -> None:
    mlp = MLP((2, 2, 1), (sigmoid, sigmoid))
    params = Params.of(W=[[[0.15, 0.20], [0.25, 0.30]], [[0.40, 0.45]]], b=[[0.35, 0.35], [0.6]])
    case = Case(mlp, params, np.array([[0.05, 0.10]]), np.array([[0.01]]), half_mse)
    result = back(case)
    np.testing.assert_allclose(result.delta[2], [[0.138499]], atol=5e-7)
    np.testing.assert_allclose(result.grads.W[2], [[0.082167, 0.082668]], atol=5e-7)
    np.testing.assert_allclose(result.delta[1], [[0.013368, 0.014996]], atol=5e-7)
    expected = [[0.000668, 0.001337], [0.000750, 0.001500]]
    np.testing.assert_allclose(result.grads.W[1], expected, atol=5e-7)


def test_one_neuron_by_hand() -> None:
    """z = 2*3 + 1*(-1) + 0.5 = 5.5, y = 4: delta = 1.5, dW = 1.5 (3, -1)."""
    mlp, params = MLP((2, 1), (identity,)), Params.of([[[2.0, 1.0]]], [[0.5]])
    case = Case(mlp, params, np.array([[3.0, -1.0]]), np.array([[4.0]]), half_mse)
    assert back(case).grads.theta.tolist() == [4.5, -1.5, 1.5]


def test_a_step_lets_nothing_through() -> None:
    rng = np.random.default_rng(0)
    mlp = MLP((2, 3, 1), (step, sigmoid))
    case = Case(mlp, mlp.init(rng), rng.standard_normal((4, 2)), rng.random((4, 1)), half_mse)
    result = back(case)
    assert not result.grads.W[1].any()
    assert not result.grads.b[1].any()
    assert result.grads.W[2].any()
    assert distance(result.grads.theta, complex_step(cost_at(case), case.params.theta)) < 1e-13
    assert distance(result.grads.theta, dual_numbers(cost_at(case), case.params.theta)) < 1e-13


def test_for_square_layers_all_eight_products_fit_and_one_is_right() -> None:
    rng = np.random.default_rng(0)
    mlp = MLP((3, 3, 3), (tanh, identity))
    case = Case(mlp, mlp.init(rng), rng.standard_normal((3, 3)), rng.standard_normal((3, 3)), sse)
    delta, a = back(case).delta[2], forward(mlp, case.params, case.X).a[1]
    factors = [(u, v) for u in (delta, delta.T) for v in (a, a.T)]
    products = [p for u, v in factors for p in (u @ v, v @ u)]
    exact = mlp.init(rng).like(complex_step(cost_at(case), case.params.theta)).W[2]
    assert len(products) == 8
    assert {product.shape for product in products} == {exact.shape}
    assert [distance(product, exact) < 1e-12 for product in products].count(True) == 1


@pytest.mark.parametrize("loss", [half_mse, sse], ids=repr)
def test_a_deep_network_needs_no_deep_recursion(loss: Loss) -> None:
    """2000 layers: the loop of `backward` does not care."""
    mlp = MLP((1,) * 2001, (identity,) * 2000)
    params = Params(np.tile([1.0, 0.0], 2000), mlp.sizes)
    case = Case(mlp, params, np.array([[3.0]]), np.array([[1.0]]), loss)
    slope = 2.0 if loss is half_mse else 4.0
    assert back(case).delta[1][0, 0] == slope
    assert back(case).grads.W[1][0, 0] == 3 * slope
