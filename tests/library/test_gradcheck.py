"""Four ways to a derivative, how far each can be trusted, and the report."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from random_networks import Array, Case, cases, distance, random_case, repeatable

from backprop_lib.activations import identity, relu, sigmoid, softmax, tanh
from backprop_lib.backprop import backward
from backprop_lib.gradcheck import (
    BANDS,
    Dual,
    GradientReport,
    by_name,
    central_differences,
    check_gradients,
    compare,
    complex_step,
    dual_numbers,
    error_band,
    error_curve,
    forward_differences,
    relative_distance,
    sum_of_sizes,
)
from backprop_lib.losses import bce, cross_entropy, half_mse
from backprop_lib.network import MLP, Params, forward, zeros

METHODS = (central_differences, forward_differences, complex_step, dual_numbers)
EXACT = (complex_step, dual_numbers)
all_methods = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
exact_methods = pytest.mark.parametrize("method", EXACT, ids=lambda method: method.__name__)

# f and its derivative, on numbers from 0.2 to 2.
SCALAR: dict[str, tuple[Callable[[Any], Any], Callable[[float], float]]] = {
    "polynomial": (lambda x: 3 * x**4 - x**2 / 2 + 1, lambda x: 12 * x**3 - x),
    "quotient": (lambda x: (x - 1) / (x * x + 1), lambda x: (1 + 2 * x - x * x) / (x * x + 1) ** 2),
    "reversed": (lambda x: 2 - 1 / x + 3 - (2 - x), lambda x: 1 / x**2 + 1),
    "exp": (lambda x: np.exp(-x * x), lambda x: -2 * x * math.exp(-x * x)),
    "log": (lambda x: np.log(x) * x, lambda x: math.log(x) + 1),
    "log1p": (lambda x: np.log1p(x / 3), lambda x: 1 / (3 + x)),
    "sqrt": (lambda x: np.sqrt(1 + x), lambda x: 0.5 / math.sqrt(1 + x)),
    "tanh": (lambda x: np.tanh(2 * x), lambda x: 2 / math.cosh(2 * x) ** 2),
    "sin": (lambda x: np.sin(x) ** 2, lambda x: math.sin(2 * x)),
    "cos": (lambda x: np.cos(3 * x), lambda x: -3 * math.sin(3 * x)),
    "own power": (lambda x: x**x, lambda x: x**x * (math.log(x) + 1)),
    "exponential": (lambda x: 2.0**x, lambda x: 2**x * math.log(2)),
    "negative power": (lambda x: x**-2, lambda x: -2 / x**3),
    "no power": (lambda x: x**0 + 0 * x, lambda x: 0.0),
    "larger": (lambda x: np.maximum(x, 1) + np.minimum(x, 1) * x, lambda x: 2 * x if x < 1 else 2),
    "sigmoid": (sigmoid.f, lambda x: math.exp(-x) / (1 + math.exp(-x)) ** 2),
    "relu": (lambda x: relu.f(x - 1) * x, lambda x: 2 * x - 1 if x > 1 else 0.0),
}


@pytest.mark.parametrize(("f", "slope"), SCALAR.values(), ids=list(SCALAR))
@repeatable(15)
@given(x=st.floats(0.2, 2).filter(lambda x: abs(x - 1) > 1e-3))
def test_every_method_differentiates_a_function_of_one_number(f, slope, x: float) -> None:
    theta, expected = np.array([x]), slope(x)
    size = max(1.0, abs(expected))
    for method, tolerance in zip(METHODS, (1e-8, 1e-5, 1e-14, 1e-14), strict=True):
        found = method(lambda t: f(t[0]), theta)
        assert found.shape == (1,)
        assert abs(found[0] - expected) < tolerance * size, method.__name__


@all_methods
@repeatable(20)
@given(seed=st.integers(0, 2**32 - 1), P=st.integers(1, 6))
def test_every_method_differentiates_a_function_of_many(method: Any, seed: int, P: int) -> None:
    rng = np.random.default_rng(seed)
    A, theta = rng.standard_normal((P, P)), rng.standard_normal(P)
    kept = theta.copy()
    found = method(lambda t: (t @ A @ t) / 2 + (A[0] * t).sum(), theta)
    expected = (A + A.T) @ theta / 2 + A[0]
    assert distance(found, expected, floor=1.0) < (1e-13 if method in EXACT else 1e-6)
    np.testing.assert_array_equal(theta, kept)
    assert found.dtype == np.float64


@all_methods
def test_a_function_may_scribble_on_its_own_argument(method: Any) -> None:
    """Each evaluation gets a vector of its own, so nothing comes back to theta."""
    theta = np.array([1.0, 2.0])

    def rude(t: Array) -> Any:
        value = t[0] * t[1]
        t[:] = 0
        return value

    np.testing.assert_allclose(method(rude, theta), [2, 1], rtol=1e-7)
    assert theta.tolist() == [1, 2]


@all_methods
@repeatable(40)
@given(case=cases(max_layers=3, max_width=4, max_rows=3))
def test_every_method_goes_through_the_network(method: Any, case: Case) -> None:
    """Every activation, every loss, several outputs: complex and dual numbers come through."""
    assume(case.kink_distance > 1e-3)
    report = check_gradients(case.mlp, case.params, case.X, case.y, case.loss, method=method)
    assert report.ok, report


# --- The V-curve ----------------------------------------------------------------------------------

POINT = np.array([0.7])
SLOPE = sigmoid.d(POINT, sigmoid.f(POINT))
STEPS = 10.0 ** np.arange(-15, 0)


def curve(method: Any) -> dict[int, float]:
    """Relative error at sigma(0.7) for each power of ten."""
    errors = error_curve(method, lambda t: sigmoid.f(t)[0], POINT, SLOPE, STEPS)
    return dict(zip(range(-15, 0), errors.tolist(), strict=True))


def test_central_differences_are_best_near_1e_minus_5() -> None:
    errors = curve(central_differences)
    assert min(errors, key=errors.__getitem__) == -5
    assert errors[-5] == pytest.approx(4e-12, rel=0.5)
    assert errors[-15] == pytest.approx(0.25, abs=0.05)
    # The right arm is truncation: a hundredth of the error for a tenth of the step.
    assert errors[-2] / errors[-3] == pytest.approx(100, rel=0.01)


def test_forward_differences_are_best_near_1e_minus_8() -> None:
    errors = curve(forward_differences)
    assert min(errors, key=errors.__getitem__) in (-9, -8)
    assert 1e-10 < min(errors.values()) < 1e-7
    assert errors[-2] / errors[-3] == pytest.approx(10, rel=0.02)
    assert min(errors.values()) > 1e3 * min(curve(central_differences).values())


def test_the_complex_step_has_no_left_arm() -> None:
    errors = curve(complex_step)
    assert max(errors[power] for power in range(-15, -8)) < 5e-16
    assert errors[-2] / errors[-3] == pytest.approx(100, rel=0.01)
    tiny = error_curve(complex_step, lambda t: sigmoid.f(t)[0], POINT, SLOPE, [1e-100, 1e-300])
    assert tiny.max() < 5e-16


def test_dual_numbers_need_no_step() -> None:
    assert relative_distance(dual_numbers(lambda t: sigmoid.f(t)[0], POINT), SLOPE) < 3e-16


def test_at_a_kink_the_differences_take_the_middle() -> None:
    """Central differences at 0 say 1/2, which no one-sided slope is: a false alarm."""
    zero = np.zeros(1)

    def f(t: Array) -> Any:
        return relu.f(t)[0]

    assert central_differences(f, zero)[0] == 0.5
    assert forward_differences(f, zero)[0] == 1.0
    assert relu.d(zero, relu.f(zero))[0] == 0.0


# --- Dual numbers ---------------------------------------------------------------------------------

numbers = st.floats(0.25, 4) | st.floats(-4, -0.25)


@repeatable(60)
@given(u=numbers, du=numbers, v=numbers, dv=numbers)
def test_arithmetic_on_duals_is_the_calculus(u: float, du: float, v: float, dv: float) -> None:
    x, y = Dual(u, du), Dual(v, dv)
    rules = [
        (x + y, u + v, du + dv),
        (x - y, u - v, du - dv),
        (x * y, u * v, u * dv + du * v),
        (x / y, u / v, (du * v - u * dv) / v**2),
        (x + v, u + v, du),
        (v + x, u + v, du),
        (x - v, u - v, du),
        (v - x, v - u, -du),
        (x * v, u * v, du * v),
        (v * x, u * v, du * v),
        (x / v, u / v, du / v),
        (v / x, v / u, -v * du / u**2),
        (-x, -u, -du),
        (x**3, u**3, 3 * u**2 * du),
    ]
    for found, value, slope in rules:
        assert found.value == pytest.approx(value, rel=1e-14, abs=1e-14)
        assert found.slope == pytest.approx(slope, rel=1e-12, abs=1e-12)


def test_duals_are_ordered_by_value() -> None:
    low, high = Dual(1.0, 9.0), Dual(2.0, -9.0)
    assert low < high
    assert low <= high
    assert high > low
    assert high >= low
    assert low < 1.5 <= high
    assert max(low, high) is high
    assert not low > 1.0
    assert low >= 1.0
    assert not low < 1.0
    assert low <= 1.0
    assert not low > Dual(1.0, 0.0)
    assert low >= Dual(1.0, 0.0)


def test_numpy_passes_its_functions_on_to_duals() -> None:
    x = Dual(0.5, 2.0)
    assert np.exp(x).slope == 2 * math.exp(0.5)
    column = np.exp(np.array([[x], [-x]]))
    assert column[1, 0].slope == -2 * math.exp(-0.5)
    assert (np.float64(3.0) * x).slope == 6.0


def test_a_constant_has_no_slope() -> None:
    assert dual_numbers(lambda t: 3.0, np.ones(2)).tolist() == [0, 0]


def test_a_dual_may_carry_many_slopes() -> None:
    x, y = Dual(3.0, np.array([1.0, 0.0])), Dual(2.0, np.array([0.0, 1.0]))
    assert (x * x * y).slope.tolist() == [12, 9]


# --- Distances and bands --------------------------------------------------------------------------


@repeatable(60)
@given(st.integers(0, 2**32 - 1), st.floats(1e-6, 1e6))
def test_the_relative_distance_is_a_symmetric_scale_free_number(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    u, v = rng.standard_normal((2, 5))
    d = relative_distance(u, v)
    assert 0 < d <= 2
    assert relative_distance(v, u) == d
    assert relative_distance(scale * u, scale * v) == pytest.approx(d)
    assert relative_distance(u, u) == 0
    assert relative_distance(u, -u) == 2
    assert relative_distance(u, 0 * u) == 1
    assert relative_distance(0 * u, 0 * u) == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_broken_vector_is_near_nothing(bad: float) -> None:
    broken, whole = np.array([1.0, bad]), np.array([1.0, 2.0])
    for u, v in ((broken, whole), (whole, broken), (broken, broken)):
        with np.errstate(invalid="ignore"):
            d = relative_distance(u, v)
        assert not d <= 1e300
        assert error_band(d) == "wrong"


def test_bands_meet_without_a_gap() -> None:
    limits = [limit for limit, _ in BANDS]
    assert limits == sorted(limits)
    assert [error_band(limit) for limit in limits] == [meaning for _, meaning in BANDS]
    assert error_band(0.0) == error_band(1e-7) == "right"
    assert error_band(1.1e-7) == error_band(1e-4) == "right if a kink is near, else suspicious"
    assert error_band(1.1e-4) == error_band(1e-2) == "suspicious"
    assert error_band(1.1e-2) == error_band(2.0) == "wrong"


# --- The report -----------------------------------------------------------------------------------

CASE = random_case(3, (3, 4, 2), (tanh,), (sigmoid, half_mse), N=5)
GRADS = backward(
    CASE.mlp, CASE.params, forward(CASE.mlp, CASE.params, CASE.X), CASE.y, CASE.loss
).grads


def report_on(theta: Array, **options: Any) -> GradientReport:
    gradient = GRADS.like(theta)
    return check_gradients(
        CASE.mlp, CASE.params, CASE.X, CASE.y, CASE.loss, gradient=gradient, **options
    )


@all_methods
def test_a_right_gradient_passes(method: Any) -> None:
    report = report_on(GRADS.theta.copy(), method=method)
    assert report.ok
    assert list(report.by_array) == ["W[1]", "b[1]", "W[2]", "b[2]"]
    assert {report.verdict(name) for name in report.by_array} == {"ok"}
    lines = str(report).splitlines()
    allowed = f"{report.tolerance:.0e}"
    assert lines[0] == f"gradients agree: relative distance at most {allowed} in each array"
    assert [line.split() for line in lines[1:]] == [
        [name, "<=", allowed, "ok"] for name in report.by_array
    ]


@all_methods
def test_one_wrong_entry_is_found_and_named_wherever_it_is(method: Any) -> None:
    for i in range(GRADS.theta.size):
        wrong = GRADS.theta.copy()
        wrong[i] += 0.01
        report = report_on(wrong, method=method)
        assert not report.ok
        assert report.worst == GRADS.name(i)
        assert report.worst_given == wrong[i]
        assert report.worst_expected == pytest.approx(GRADS.theta[i], abs=1e-6)
        array = report.worst[:4]
        assert [name for name in report.by_array if report.verdict(name) == "WRONG"] == [array]


@all_methods
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_gradient_that_is_no_number_is_wrong(method: Any, bad: float) -> None:
    wrong = GRADS.theta.copy()
    wrong[2] = bad
    with np.errstate(invalid="ignore"):
        report = report_on(wrong, method=method)
    assert not report.ok
    assert report.worst == "W[1][0, 2]"
    assert "W[1]" not in report.unseen


@exact_methods
def test_the_exact_methods_see_the_tenth_digit(method: Any) -> None:
    wrong = GRADS.theta * (1 + 1e-10)
    assert not report_on(wrong, method=method).ok
    assert report_on(wrong, method=central_differences).ok
    assert report_on(wrong, method=method, tolerance=1e-9).ok


def test_the_step_reaches_the_method() -> None:
    assert report_on(GRADS.theta, h=1e-5).ok
    # Rounding has eaten every digit; the report says so and does not call the gradient wrong.
    blind = report_on(GRADS.theta, h=1e-14)
    assert max(blind.by_array.values()) > 1e-4
    assert blind.ok
    assert blind.unseen
    assert not report_on(GRADS.theta, h=0.5).ok
    with pytest.raises(TypeError):
        report_on(GRADS.theta, method=dual_numbers, h=1e-5)


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_what_differences_can_see_grows_with_the_loss(scale: float) -> None:
    """Rounding is a share of J: targets a thousand times as large blur a thousand times as much."""
    rng = np.random.default_rng(0)
    mlp, X, y = MLP((2, 1), (identity,)), rng.standard_normal((5, 2)), rng.standard_normal((5, 1))
    params = Params(scale * rng.standard_normal(3), (2, 1))
    step = 1e-10 * scale
    blurred = check_gradients(mlp, params, X, scale * y, half_mse, h=step)
    assert max(blurred.by_array.values()) > 1e-7
    assert blurred.ok, blurred
    right = backward(mlp, params, forward(mlp, params, X), scale * y, half_mse).grads
    wrong = right.like(1.01 * right.theta)
    assert not check_gradients(mlp, params, X, scale * y, half_mse, h=step, gradient=wrong).ok


def test_any_function_may_be_the_method() -> None:
    report = report_on(GRADS.theta, method=lambda f, theta: central_differences(f, theta, 1e-4))
    assert report.tolerance == 1e-7
    assert report.distance < 1e-7


def test_the_report_prints_a_table() -> None:
    wrong = GRADS.theta.copy()
    wrong[-1] *= 2
    report = report_on(wrong)
    lines = str(report).splitlines()
    assert lines[0].startswith("gradients DISAGREE: relative distance ")
    assert lines[0].endswith(", allowed 1e-07 in each array")
    assert [line.split()[0] for line in lines[1:5]] == ["W[1]", "b[1]", "W[2]", "b[2]"]
    assert [line.split()[-1] for line in lines[1:5]] == ["ok", "ok", "ok", "WRONG"]
    assert [line.split()[1] for line in lines[1:5]] == [
        "<=",
        "<=",
        "<=",
        f"{report.by_array['b[2]']:.1e}",
    ]
    value = GRADS.theta[-1]
    assert lines[5] == f"furthest off is b[2][1]: {2 * value:.6g}, numerically {value:.6g}"


def test_at_a_minimum_the_samples_cancel_and_nothing_is_called_wrong() -> None:
    """Least squares: each sample pulls, all together do not; what is left is rounding."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
    best = np.linalg.lstsq(np.column_stack([X, np.ones(20)]), y, rcond=None)[0].ravel()
    mlp, params = MLP((3, 1), (identity,)), Params(best, (3, 1))
    for method in METHODS:
        report = check_gradients(mlp, params, X, y, half_mse, method=method)
        assert report.ok, report
        assert "too small to see" in str(report)


def test_a_vanished_gradient_is_too_small_for_differences_but_not_for_the_exact_methods() -> None:
    rng = np.random.default_rng(0)
    mlp = MLP((4,) * 13 + (1,), (sigmoid,) * 13)
    params, X, y = mlp.init(rng), rng.standard_normal((3, 4)), rng.random((3, 1))
    early = backward(mlp, params, forward(mlp, params, X), y, half_mse).grads
    assert np.abs(early.W[1]).max() < 1e-9
    assert "W[1]" in check_gradients(mlp, params, X, y, half_mse).unseen
    for method in EXACT:
        report = check_gradients(mlp, params, X, y, half_mse, method=method)
        assert {report.verdict(name) for name in report.by_array} == {"ok"}
        doubled = early.like(early.theta.copy())
        doubled.W[1][:] *= 2
        report = check_gradients(mlp, params, X, y, half_mse, method=method, gradient=doubled)
        assert [name for name in report.by_array if report.verdict(name) == "WRONG"] == ["W[1]"]


def test_at_zero_weights_a_check_sees_little() -> None:
    """Half of the gradient is 0 there, so half of the mistakes hide: no place for a check."""
    mlp = MLP((2, 3, 1), (tanh, sigmoid))
    params = mlp.init(np.random.default_rng(0), zeros)
    X, y = np.ones((4, 2)), np.array([[0.0], [1.0], [1.0], [1.0]])
    grads = backward(mlp, params, forward(mlp, params, X), y, bce).grads
    lost = grads.like(grads.theta.copy())
    lost.W[1][:] *= 7  # any nonsense passes
    assert check_gradients(mlp, params, X, y, bce, gradient=lost).ok


def test_two_gradients_can_be_compared_without_a_network() -> None:
    u, v = Params(np.array([1.0, 2.0]), (1, 1)), Params(np.array([1.0, 2.5]), (1, 1))
    assert compare(u, u, 0.0).verdict("W[1]") == "ok"
    report = compare(u, v, 1e-7)
    assert not report.ok
    assert (report.worst, report.worst_given, report.worst_expected) == ("b[1][0]", 2.0, 2.5)
    assert compare(u, v, 1e-7, noise=1.0).ok
    assert compare(u, v, 1e-7, noise=np.array([0.0, 0.4])).verdict("b[1]") == "WRONG"
    assert list(by_name(u)) == ["W[1]", "b[1]"]


@repeatable(30)
@given(cases())
def test_sums_without_signs_are_never_smaller_than_the_gradient(case: Case) -> None:
    cache = forward(case.mlp, case.params, case.X)
    back = backward(case.mlp, case.params, cache, case.y, case.loss)
    sizes = sum_of_sizes(cache, back)
    assert (sizes >= np.abs(back.grads.theta) * (1 - 1e-12)).all()
    if len(case.X) == 1:
        np.testing.assert_allclose(sizes, np.abs(back.grads.theta), rtol=1e-13)


@exact_methods
def test_confident_answers_can_be_checked(method: Any) -> None:
    """Logits of 60 round sigmoid and softmax to 1; J and its derivative come from z."""
    X = np.array([[60.0], [-60.0]])
    one, two = Params.of([[[1.0]]], [[0.5]]), Params.of([[[1.0], [-1.0]]], [[0.5, 0.25]])
    y = np.array([[0.0], [1.0]])
    assert check_gradients(MLP((1, 1), (sigmoid,)), one, X, y, bce, method=method).ok
    wrong = np.column_stack([y, 1 - y])
    assert check_gradients(MLP((1, 2), (softmax,)), two, X, wrong, cross_entropy, method=method).ok
