"""Activations and their slopes: values, bounds, stability, dtype."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_networks import repeatable

from backprop_lib.activations import (
    ACTIVATIONS,
    LEAK,
    Activation,
    identity,
    leaky_relu,
    relu,
    sigmoid,
    softmax,
    step,
    tanh,
)

ELEMENTWISE = [phi for phi in ACTIVATIONS.values() if phi.elementwise]
everyone = pytest.mark.parametrize("phi", ELEMENTWISE, ids=repr)

# The page's formulas in plain Python, one number at a time.
FORMULAS = {
    "identity": (lambda z: z, lambda z: 1.0),
    "step": (lambda z: 1.0 if z > 0 else 0.0, lambda z: 0.0),
    "sigmoid": (
        lambda z: 1 / (1 + math.exp(-z)),
        lambda z: math.exp(-z) / (1 + math.exp(-z)) ** 2,
    ),
    "tanh": (math.tanh, lambda z: 1 / math.cosh(z) ** 2),
    "relu": (lambda z: max(z, 0.0), lambda z: 1.0 if z > 0 else 0.0),
    "leaky_relu": (lambda z: z if z > 0 else LEAK * z, lambda z: 1.0 if z > 0 else LEAK),
}
Z = np.array([[-8.0, -1.5, -1e-9, 0.0], [1e-9, 0.7, 2.0, 8.0]])


def test_there_are_seven_and_each_knows_its_name() -> None:
    assert list(ACTIVATIONS) == [
        "identity",
        "step",
        "sigmoid",
        "tanh",
        "relu",
        "leaky_relu",
        "softmax",
    ]
    assert [repr(phi) for phi in ACTIVATIONS.values()] == list(ACTIVATIONS)
    assert [phi for phi in ACTIVATIONS.values() if not phi.elementwise] == [softmax]


@everyone
def test_values_are_those_of_the_formula(phi: Activation) -> None:
    f, _ = FORMULAS[phi.name]
    expected = [[f(z) for z in row] for row in Z.tolist()]
    np.testing.assert_allclose(phi.f(Z), expected, rtol=1e-15, atol=0)


@everyone
def test_slopes_are_those_of_the_formula(phi: Activation) -> None:
    _, slope = FORMULAS[phi.name]
    expected = [[slope(z) for z in row] for row in Z.tolist()]
    # 1 - a and 1 - a^2 lose digits where a is nearly 1: a few units of 1e-16, not more.
    np.testing.assert_allclose(phi.d(Z, phi.f(Z)), expected, rtol=1e-12, atol=4e-16)


@everyone
@repeatable(40)
@given(z=st.floats(-5, 5).filter(lambda z: abs(z) > 1e-3))
def test_a_slope_is_the_limit_of_the_differences(phi: Activation, z: float) -> None:
    h = 1e-6
    difference = (phi.f(np.array([[z + h]])) - phi.f(np.array([[z - h]])))[0, 0] / (2 * h)
    at = np.array([[z]])
    assert phi.d(at, phi.f(at))[0, 0] == pytest.approx(difference, abs=1e-9)


@everyone
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_stays(phi: Activation, dtype: type) -> None:
    z = Z.astype(dtype)
    assert phi.f(z).dtype == dtype
    assert phi.d(z, phi.f(z)).dtype == dtype
    assert phi.f(z).shape == phi.d(z, phi.f(z)).shape == z.shape


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_keeps_the_dtype(dtype: type) -> None:
    z = Z.astype(dtype)
    assert softmax.f(z).dtype == softmax.d(z, softmax.f(z)).dtype == dtype


@pytest.mark.parametrize("phi", ACTIVATIONS.values(), ids=repr)
def test_the_argument_is_left_alone(phi: Activation) -> None:
    z = Z.copy()
    a = phi.f(z)
    kept = a.copy()
    phi.d(z, a)
    np.testing.assert_array_equal(z, Z)
    np.testing.assert_array_equal(a, kept)


@pytest.mark.parametrize("phi", ACTIVATIONS.values(), ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_arguments_give_neither_nan_nor_warning(phi: Activation, dtype: type) -> None:
    z = np.array([[-1e38, -800.0, 800.0, 1e38]], dtype=dtype)
    a = phi.f(z)
    assert np.isfinite(a).all()
    assert np.isfinite(phi.d(z, a)).all()
    if phi in (sigmoid, tanh):
        low = 0.0 if phi is sigmoid else -1.0
        np.testing.assert_array_equal(a, [[low, low, 1, 1]])


def test_the_largest_slopes_are_a_quarter_and_one() -> None:
    z = np.linspace(-6, 6, 1201)[None, :]
    assert sigmoid.d(z, sigmoid.f(z)).max() == 0.25
    assert tanh.d(z, np.tanh(z)).max() == 1.0
    assert sigmoid.d(z, sigmoid.f(z)).argmax() == tanh.d(z, np.tanh(z)).argmax() == 600


def test_the_sigmoid_is_a_tanh_in_other_units() -> None:
    np.testing.assert_allclose(sigmoid.f(Z), (1 + tanh.f(Z / 2)) / 2, rtol=1e-12)


def test_the_sigmoid_is_the_softmax_of_two() -> None:
    z = np.column_stack([Z.ravel(), np.zeros(Z.size)])
    np.testing.assert_allclose(softmax.f(z)[:, 0], sigmoid.f(Z.ravel()), rtol=1e-14)


def test_at_zero_the_kinked_ones_take_the_left_slope() -> None:
    zero = np.zeros((1, 1))
    assert relu.d(zero, relu.f(zero)) == 0
    assert leaky_relu.d(zero, leaky_relu.f(zero)) == LEAK == 0.01
    assert step.f(zero) == 0
    assert identity.d(zero, zero) == 1


def test_softmax_of_the_chapters_example() -> None:
    p = softmax.f(np.array([[2.0, 1.0, 0.1]]))
    np.testing.assert_allclose(p, [[0.659, 0.242, 0.099]], atol=5e-4)


@repeatable(60)
@given(
    st.lists(st.floats(-30, 30), min_size=2, max_size=6),
    st.floats(-500, 500),
)
def test_softmax_rows_are_probabilities_and_a_shift_changes_nothing(
    row: list[float], shift: float
) -> None:
    z = np.array([row, row[::-1]])
    p = softmax.f(z)
    assert (p > 0).all()
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-14)
    np.testing.assert_allclose(p[0], p[1][::-1], rtol=1e-13)
    np.testing.assert_allclose(softmax.f(z + shift), p, rtol=1e-11)


@repeatable(40)
@given(st.lists(st.floats(-5, 5), min_size=2, max_size=5))
def test_the_softmax_jacobian_is_the_limit_of_the_differences(row: list[float]) -> None:
    z, h = np.array([row, [2 * entry for entry in row]]), 1e-6
    jacobian = softmax.d(z, softmax.f(z))
    assert jacobian.shape == (2, len(row), len(row))
    for i in range(len(row)):
        shift = h * np.eye(len(row))[i]
        difference = (softmax.f(z + shift) - softmax.f(z - shift)) / (2 * h)
        np.testing.assert_allclose(jacobian[:, :, i], difference, atol=1e-9)
    np.testing.assert_allclose(jacobian.sum(axis=1), 0, atol=1e-15)
    np.testing.assert_allclose(jacobian.sum(axis=2), 0, atol=1e-15)
