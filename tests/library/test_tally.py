"""Counting from outside: the counted code is the code that runs."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_networks import Case, cases, repeatable

from backprop_lib.activations import identity, relu, sigmoid, softmax, tanh
from backprop_lib.backprop import backward, delta_of
from backprop_lib.losses import bce, cross_entropy, half_mse, one_hot
from backprop_lib.network import MLP, forward
from backprop_lib.tally import count_edges, count_multiplications, count_paths, watched


def every_delta(L: int, width: int, memo: bool, phi: Any = sigmoid, N: int = 1) -> int:
    """Multiplications counted while all errors of a network of one width are asked for."""
    mlp = MLP((width,) * (L + 1), (phi,) * L)
    rng = np.random.default_rng(0)
    params, X = mlp.init(rng), rng.standard_normal((N, width))
    cache = forward(mlp, params, X)

    def ask(y: Any) -> None:
        known: dict[int, Any] | None = {} if memo else None
        for l in range(1, L + 1):
            delta_of(l, mlp, params, cache, y, half_mse, known)

    return count_multiplications(ask, np.zeros((N, width)))


@pytest.mark.parametrize("L", [1, 2, 3, 5, 8, 16])
def test_width_three_costs_12L_minus_9_with_a_memo(L: int) -> None:
    assert every_delta(L, 3, memo=True) == 12 * L - 9


@pytest.mark.parametrize("L", [1, 2, 3, 5, 8, 16])
def test_width_three_costs_6L2_minus_3L_without(L: int) -> None:
    assert every_delta(L, 3, memo=False) == 6 * L**2 - 3 * L


def test_the_example_of_the_chapter() -> None:
    assert every_delta(16, 3, memo=True) == 183
    assert every_delta(16, 3, memo=False) == 1488


@repeatable(30)
@given(st.integers(1, 7), st.integers(1, 6), st.integers(1, 4))
def test_the_formulas_hold_for_any_width_depth_and_batch(L: int, n: int, N: int) -> None:
    layer = n * n + n
    assert every_delta(L, n, memo=True, N=N) == N * ((L - 1) * layer + n)
    from_scratch = sum((L - l) * layer + n for l in range(1, L + 1))
    assert every_delta(L, n, memo=False, N=N) == N * from_scratch


@pytest.mark.parametrize("phi", [sigmoid, tanh, relu], ids=repr)
def test_how_a_slope_is_computed_does_not_matter(phi: Any) -> None:
    assert every_delta(4, 3, memo=True, phi=phi) == 12 * 4 - 9


@pytest.mark.parametrize(
    ("phi", "loss", "products"),
    [(softmax, cross_entropy, 0), (sigmoid, bce, 0), (sigmoid, half_mse, 3)],
    ids=str,
)
def test_a_canonical_pair_saves_the_product_at_the_output(
    phi: Any, loss: Any, products: int
) -> None:
    mlp = MLP((2, 3), (phi,))
    params = mlp.init(np.random.default_rng(0))
    cache = forward(mlp, params, np.ones((1, 2)))
    y = one_hot(np.array([1]), 3)
    assert count_multiplications(lambda y: delta_of(1, mlp, params, cache, y, loss), y) == products


@repeatable(30)
@given(cases(pairs=[(sigmoid, half_mse), (tanh, half_mse)]))
def test_backward_costs_the_errors_and_one_product_a_weight(case: Case) -> None:
    cache = forward(case.mlp, case.params, case.X)
    sizes, N = case.mlp.sizes, len(case.X)
    errors = N * (sizes[-1] + sum(n * m + n for n, m in itertools.pairwise(sizes[1:])))
    counted = count_multiplications(
        lambda y: backward(case.mlp, case.params, cache, y, case.loss), case.y
    )
    assert counted == errors + N * count_edges(sizes)


@repeatable(30)
@given(cases(hidden=(identity,), pairs=[(identity, half_mse)]))
def test_forward_costs_one_product_a_weight_and_sample(case: Case) -> None:
    counted = count_multiplications(lambda X: forward(case.mlp, case.params, X), case.X)
    assert counted == len(case.X) * count_edges(case.mlp.sizes)


def test_each_kind_of_product_is_counted_and_nothing_else() -> None:
    x = np.full((2, 3), 2.0)
    counted = {
        "elementwise": lambda x: x * x,
        "by a number": lambda x: 3.0 * x,
        "broadcast": lambda x: x[:, :1] * np.ones((2, 5)),
        "square": lambda x: np.square(x),
        "power of two": lambda x: x**2,
        "matrices": lambda x: x @ np.ones((3, 4)),
        "from the right": lambda x: np.ones((5, 2)) @ x,
        "a vector": lambda x: x @ np.ones(3),
        "a vector from the left": lambda x: x[0] @ np.ones((3, 4)),
        "in place": lambda x: x.__imul__(2.0),
        "of parts": lambda x: x.T[1:] @ x[:, 0],
        "sum": lambda x: (x + x - 1).sum(axis=0),
        "division": lambda x: x / 2 + 1 / x,
        "exp": lambda x: np.exp(-x).max(),
        "comparison": lambda x: np.where(x > 0, x, 0),
        "others": lambda x: np.ones(5) * np.ones(5),
    }
    found = {name: count_multiplications(work, x.copy()) for name, work in counted.items()}
    assert found == {
        "elementwise": 6,
        "by a number": 6,
        "broadcast": 10,
        "square": 6,
        "power of two": 6,
        "matrices": 24,
        "from the right": 30,
        "a vector": 6,
        "a vector from the left": 12,
        "in place": 6,
        "of parts": 4,
        "sum": 0,
        "division": 0,
        "exp": 0,
        "comparison": 0,
        "others": 0,
    }


def test_counting_changes_no_bit_of_the_result() -> None:
    mlp = MLP((3, 4, 2), (tanh, sigmoid))
    rng = np.random.default_rng(0)
    params, X, y = mlp.init(rng), rng.standard_normal((5, 3)), rng.random((5, 2))
    cache = forward(mlp, params, X)
    expected = backward(mlp, params, cache, y, half_mse)
    kept, results = y.copy(), []
    count_multiplications(lambda y: results.append(backward(mlp, params, cache, y, half_mse)), y)
    np.testing.assert_array_equal(results[0].grads.theta, expected.grads.theta)
    for l in (1, 2):
        np.testing.assert_array_equal(np.asarray(results[0].delta[l]), expected.delta[l])
    np.testing.assert_array_equal(y, kept)
    assert type(y) is type(expected.delta[1]) is np.ndarray


def test_two_counts_do_not_mix() -> None:
    x, outer = np.ones((2, 2)), []

    def work(x: Any) -> None:
        outer.append(count_multiplications(lambda v: v @ v, np.ones((3, 3))))
        x * x

    assert count_multiplications(work, x) == 4
    assert outer == [27]
    assert watched(1.5, outer.append) == 1.5


@repeatable(30)
@given(st.lists(st.integers(1, 4), min_size=2, max_size=5))
def test_paths_and_edges_are_those_one_finds_by_walking(sizes: list[int]) -> None:
    walked = list(itertools.product(*(range(n) for n in sizes)))
    assert count_paths(sizes) == len(walked)
    edges = {(l, *walk[l : l + 2]) for walk in walked for l in range(len(sizes) - 1)}
    assert count_edges(sizes) == len(edges)


def test_the_digits_network_has_few_edges_and_many_paths() -> None:
    assert count_paths((784, 30, 30, 10)) == 7_056_000
    assert count_edges((784, 30, 30, 10)) == 24_720
