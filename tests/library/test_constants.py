"""Numbers and boundaries in the source that no other test would miss: found by planting mutants."""

from __future__ import annotations

import numpy as np
import pytest

from backprop_lib.activations import sigmoid, tanh
from backprop_lib.backprop import backward
from backprop_lib.errors import check_zero_or_more
from backprop_lib.losses import bce, cross_entropy, half_mse, one_hot
from backprop_lib.network import MLP, Params, cost, forward, propagate


@pytest.mark.parametrize("off", [9e-7, -9e-7])
def test_a_row_of_probabilities_may_miss_1_by_a_millionth(off: float) -> None:
    a = np.array([[0.25, 0.75]])
    assert cross_entropy(a, a + np.array([[off, 0.0]])) > 0


@pytest.mark.parametrize("off", [1.1e-6, -1.1e-6])
def test_but_by_no_more(off: float) -> None:
    a = np.array([[0.25, 0.75]])
    with pytest.raises(ValueError, match="row 0 of y sums to"):
        cross_entropy(a, a + np.array([[off, 0.0]]))


def test_one_class_is_a_class() -> None:
    np.testing.assert_array_equal(one_hot(np.array([0, 0]), 1), [[1.0], [1.0]])


def test_a_strength_is_finite() -> None:
    assert check_zero_or_more("strength", 0) == 0.0
    with pytest.raises(ValueError, match=r"^strength is inf, expected a finite number, 0 or more"):
        check_zero_or_more("strength", np.inf)


def test_the_first_bias_vector_is_called_1() -> None:
    with pytest.raises(TypeError, match=r"^b\[1\] cannot be read"):
        Params.of(W=[[[1.0]]], b=[["one"]])


def test_answers_are_checked_where_the_output_is_not_the_partner_of_the_loss() -> None:
    """Not even where a hidden layer is."""
    mlp, params = (
        MLP((1, 1, 1), (sigmoid, tanh)),
        Params(np.array([1.0, 0.0, -1.0, 0.0]), (1, 1, 1)),
    )
    cache = forward(mlp, params, np.array([[1.0]]))
    with pytest.raises(ValueError, match=r"^a\[L\] holds -0\.6"):
        cost(mlp, cache, np.array([[1.0]]), bce)


def test_the_input_in_the_cache_must_be_of_the_dtype_of_the_parameters() -> None:
    """The later layers are: numpy has promoted them."""
    mlp, params = MLP((1, 1), (sigmoid,)), Params(np.ones(2), (1, 1))
    cache = propagate(mlp, params, np.ones((1, 1), np.float32))
    assert cache.a[1].dtype == np.float64
    with pytest.raises(TypeError, match=r"^X is float32 and theta is float64"):
        backward(mlp, params, cache, np.ones((1, 1)), half_mse)
