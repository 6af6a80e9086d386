"""One neuron: perceptron, linear and logistic regression, and the numbers of chapters 1 to 3."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_networks import HIDDEN, Array, distance, repeatable

from backprop_lib.activations import identity, sigmoid, softmax, step, tanh
from backprop_lib.backprop import backward
from backprop_lib.data import MEASUREMENTS, load_penguins, standardise
from backprop_lib.errors import Diverged, ShapeError
from backprop_lib.losses import bce, half_mse, sse
from backprop_lib.network import MLP, Params, cost, forward
from backprop_lib.neuron import (
    Correction,
    Neuron,
    convergence_bound,
    critical_learning_rate,
    descend,
    hessian_of_squares,
    linear_regression,
    logistic_regression,
    neuron_cost,
    neuron_gradient,
    perceptron,
)

CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
AND = np.array([[-1.0], [-1.0], [-1.0], [1.0]])
OR = np.array([[-1.0], [1.0], [1.0], [1.0]])
XOR = np.array([[-1.0], [1.0], [1.0], [-1.0]])

seeds = st.integers(0, 2**32 - 1)


# --- The perceptron -------------------------------------------------------------------------------


def test_and_takes_18_mistakes_with_signs() -> None:
    learned = perceptron(CORNERS, AND)
    assert (learned.mistakes, learned.epochs, learned.converged) == (18, 9, True)
    assert (learned.neuron.w.tolist(), learned.neuron.b) == ([3.0, 2.0], -4.0)
    np.testing.assert_array_equal(2 * learned.neuron(CORNERS) - 1, AND)


def test_and_takes_10_mistakes_with_bits() -> None:
    learned = perceptron(CORNERS, (AND + 1) / 2, labels="bits")
    assert (learned.mistakes, learned.epochs, learned.converged) == (10, 6, True)
    assert (learned.neuron.w.tolist(), learned.neuron.b) == ([2.0, 1.0], -2.0)
    np.testing.assert_array_equal(learned.neuron(CORNERS), (AND + 1) / 2)


def test_or_takes_9_mistakes() -> None:
    learned = perceptron(CORNERS, OR)
    assert (learned.mistakes, learned.converged) == (9, True)


def test_the_best_line_for_and_promises_at_most_51_mistakes() -> None:
    bound = convergence_bound(CORNERS, AND, np.array([2.0, 2.0]), -3.0)
    assert bound.radius**2 == pytest.approx(3)
    assert bound.margin == pytest.approx(1 / np.sqrt(17))
    assert int(bound.mistakes * (1 + 1e-12)) == 51
    bits = convergence_bound(CORNERS, (AND + 1) / 2, np.array([2.0, 2.0]), -3.0, labels="bits")
    assert bits == bound
    # A worse line is right as well, but promises less; no line near this one is better.
    assert convergence_bound(CORNERS, AND, np.array([3.0, 2.0]), -4.0).mistakes > bound.mistakes
    rng = np.random.default_rng(0)
    for nudge in 0.05 * rng.standard_normal((200, 3)):
        w, b = np.array([2.0, 2.0]) + nudge[:2], -3.0 + nudge[2]
        found = convergence_bound(CORNERS, AND, w, b)
        assert found.margin <= bound.margin + 1e-12
        assert convergence_bound(CORNERS, (AND + 1) / 2, w, b, labels="bits") == found


def test_after_a_hundred_passes_it_gives_up() -> None:
    assert perceptron(CORNERS, XOR).epochs == 100
    assert perceptron(CORNERS, XOR, epochs=1).mistakes == 4


def test_xor_comes_back_to_zero_after_every_pass() -> None:
    learned = perceptron(CORNERS, XOR, epochs=50)
    assert (learned.converged, learned.epochs) == (False, 50)
    by_epoch = [[c for c in learned.corrections if c.epoch == e] for e in range(1, 51)]
    last = [passes[-1] for passes in by_epoch]
    assert {(*c.w.tolist(), c.b) for c in last} == {(0.0, 0.0, 0.0)}
    assert {tuple(c.sample for c in passes) for passes in by_epoch} == {(0, 1, 2, 3)}


@pytest.mark.parametrize("y", [AND, OR, XOR], ids=["and", "or", "xor"])
@pytest.mark.parametrize("labels", ["signs", "bits"])
def test_the_history_is_the_rule_applied_mistake_by_mistake(y: Array, labels: Any) -> None:
    targets = y if labels == "signs" else (y + 1) / 2
    learned = perceptron(CORNERS, targets, labels=labels, epochs=12)
    w, b = np.zeros(2), 0.0
    for c in learned.corrections:
        assert isinstance(c, Correction)
        np.testing.assert_array_equal(c.w_before, w)
        assert c.b_before == b
        z = CORNERS[c.sample] @ w + b
        assert z * y[c.sample, 0] <= 0  # it was a mistake
        w, b = w + y[c.sample, 0] * CORNERS[c.sample], b + y[c.sample, 0]
        np.testing.assert_array_equal(c.w, w)
        assert c.b == b
    np.testing.assert_array_equal(learned.neuron.w, w)
    order = [(c.epoch, c.sample) for c in learned.corrections]
    assert order == sorted(set(order))


def test_the_two_conventions_differ_on_the_line_only() -> None:
    """At z = 0 a sign is always wrong; a bit is right if it is 0."""
    x, low, high = np.array([[1.0]]), np.array([[-1.0]]), np.array([[1.0]])
    assert perceptron(x, low).mistakes == 1
    assert perceptron(x, 0 * low, labels="bits").mistakes == 0
    assert perceptron(x, high).mistakes == perceptron(x, high, labels="bits").mistakes == 1


@repeatable(40)
@given(seed=seeds, rate=st.sampled_from([0.25, 0.5, 2.0, 8.0]))
def test_the_learning_rate_changes_no_answer(seed: int, rate: float) -> None:
    rng = np.random.default_rng(seed)
    X = rng.integers(-3, 4, (8, 2)).astype(float)
    y = np.sign(rng.standard_normal((8, 1)))
    slow, fast = (perceptron(X, y, epochs=9, learning_rate=eta) for eta in (1.0, rate))
    assert fast.mistakes == slow.mistakes
    np.testing.assert_array_equal(fast.neuron.w, rate * slow.neuron.w)
    assert fast.neuron.b == rate * slow.neuron.b


@repeatable(60)
@given(seed=seeds, n=st.integers(1, 4), labels=st.sampled_from(["signs", "bits"]))
def test_the_bound_is_never_broken(seed: int, n: int, labels: Any) -> None:
    rng = np.random.default_rng(seed)
    X, w, b = rng.standard_normal((30, n)), rng.standard_normal(n), float(rng.standard_normal())
    z = X @ w + b
    X, z = X[np.abs(z) > 0.1], z[np.abs(z) > 0.1]
    y = np.sign(z)[:, None] if labels == "signs" else (z > 0).astype(float)[:, None]
    bound = convergence_bound(X, y, w, b, labels=labels)
    learned = perceptron(X, y, labels=labels, epochs=10_000)
    assert learned.converged
    assert learned.mistakes <= bound.mistakes


def penguins(columns: list[str], species: list[str]) -> tuple[Array, Array]:
    """Standardised measurements of two species; the second is +1."""
    birds = load_penguins(columns, species)
    return standardise(birds.X), np.where(birds.species == species[1], 1.0, -1.0)[:, None]


def test_adelie_and_gentoo_are_told_apart_in_two_passes() -> None:
    X, y = penguins(["bill_depth_mm", "flipper_length_mm"], ["Adelie", "Gentoo"])
    learned = perceptron(X, y)
    assert (learned.converged, learned.epochs) == (True, 2)
    assert (2 * learned.neuron(X) - 1 == y).all()


@pytest.mark.parametrize("columns", list(combinations(MEASUREMENTS, 2)), ids="-".join)
def test_adelie_and_chinstrap_are_never_told_apart(columns: tuple[str, str]) -> None:
    X, y = penguins(list(columns), ["Adelie", "Chinstrap"])
    assert not perceptron(X, y, epochs=20).converged
    # No line whatever separates them: linear programming finds none.
    optimize = pytest.importorskip("scipy.optimize")
    signed = y * np.column_stack([X, np.ones(len(X))])
    found = optimize.linprog(
        np.zeros(3), A_ub=-signed, b_ub=-np.ones(len(X)), bounds=[(None, None)] * 3
    )
    assert found.status == 2  # infeasible


def test_the_wrong_sign_never_learns_and() -> None:
    """Pushing away from the repair is the rule with all labels turned, on the right labels."""
    w, b, mistakes = np.zeros(2), 0.0, 0
    for _ in range(100):
        for x, target in zip(CORNERS, AND[:, 0], strict=True):
            if target * (w @ x + b) <= 0:
                w, b, mistakes = w - target * x, b - target, mistakes + 1
    assert mistakes >= 100
    assert (AND[:, 0] * (CORNERS @ w + b) <= 0).any()


# --- One neuron, three activations ----------------------------------------------------------------


@pytest.mark.parametrize("phi", [step, *HIDDEN], ids=repr)
@repeatable(20)
@given(seed=seeds, n=st.integers(1, 4), N=st.integers(1, 6))
def test_a_neuron_is_a_network_of_one_unit(phi: Any, seed: int, n: int, N: int) -> None:
    rng = np.random.default_rng(seed)
    neuron = Neuron(0.1 * rng.standard_normal(n), 0.5, phi)
    mlp, params = MLP((n, 1), (phi,)), Params.of([neuron.w[None, :]], [[0.5]])
    X, y = rng.uniform(-1, 1, (N, n)), rng.random((N, 1))
    cache = forward(mlp, params, X)
    np.testing.assert_allclose(neuron.z(X), cache.z[1], rtol=1e-13)
    np.testing.assert_allclose(neuron(X), cache.a[1], rtol=1e-13)
    losses = [half_mse, sse]
    if ((cache.a[1] > 0) & (cache.a[1] < 1)).all():
        losses.append(bce)
    for loss in losses:
        found = neuron_cost(neuron, X, y, loss)
        assert found == pytest.approx(cost(mlp, cache, y, loss), rel=1e-12)
        grads = backward(mlp, params, cache, y, loss).grads
        dw, db = neuron_gradient(neuron, X, y, loss)
        assert distance(np.append(dw, db), grads.theta, floor=1e-6) < 1e-12


def test_the_perceptron_is_a_neuron_with_a_step() -> None:
    assert perceptron(CORNERS, AND).neuron.phi is step
    assert linear_regression(CORNERS, AND).phi is identity
    assert logistic_regression(CORNERS, (AND + 1) / 2, learning_rate=1.0, steps=1).neuron.phi is (
        sigmoid
    )


# --- Linear regression ----------------------------------------------------------------------------


@repeatable(40)
@given(seed=seeds, n=st.integers(1, 4))
def test_the_closed_form_finds_the_line_that_made_the_data(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    X, w, b = rng.standard_normal((20, n)), rng.standard_normal(n), rng.standard_normal()
    neuron = linear_regression(X, (X @ w + b)[:, None])
    np.testing.assert_allclose(neuron.w, w, atol=1e-12)
    assert neuron.b == pytest.approx(b, abs=1e-12)


@repeatable(40)
@given(seed=seeds, n=st.integers(1, 4))
def test_at_the_closed_form_the_gradient_is_zero(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((20, n)), rng.standard_normal((20, 1))
    neuron = linear_regression(X, y)
    dw, db = neuron_gradient(neuron, X, y, half_mse)
    assert np.abs([*dw, db]).max() < 1e-14
    best = neuron_cost(neuron, X, y, half_mse)
    for nudge in 0.1 * rng.standard_normal((20, n + 1)):
        other = Neuron(neuron.w + nudge[:-1], neuron.b + nudge[-1], identity)
        assert neuron_cost(other, X, y, half_mse) > best


FLIPPERS = load_penguins(["flipper_length_mm", "body_mass_g"])
BIRDS = standardise(FLIPPERS.X)
FLIPPER, MASS = BIRDS[:, :1], BIRDS[:, 1:]
START = Neuron(np.array([-1.0]), 1.0, identity)


def test_descent_ends_in_the_closed_form() -> None:
    """Flipper length to body mass, both standardised: the slope is the correlation, 0.87."""
    best = linear_regression(FLIPPER, MASS)
    end = descend(START, FLIPPER, MASS, half_mse, learning_rate=0.5, steps=1000)
    assert end.neuron.w == pytest.approx(best.w, abs=1e-12)
    assert end.neuron.b == pytest.approx(best.b, abs=1e-12)
    assert best.w[0] == pytest.approx(np.corrcoef(BIRDS.T)[0, 1])
    assert best.w[0] == pytest.approx(0.871, abs=5e-4)


def test_the_history_of_a_descent_is_gradient_steps() -> None:
    path = descend(START, FLIPPER, MASS, half_mse, learning_rate=0.3, steps=5)
    assert path.w.shape == (6, 1)
    assert path.b.shape == path.loss.shape == (6,)
    assert (path.w[0].tolist(), path.b[0]) == ([-1.0], 1.0)
    for t in range(5):
        at = Neuron(path.w[t], float(path.b[t]), identity)
        dw, db = neuron_gradient(at, FLIPPER, MASS, half_mse)
        np.testing.assert_array_equal(path.w[t + 1], path.w[t] - 0.3 * dw)
        assert path.b[t + 1] == path.b[t] - 0.3 * db
        assert path.loss[t] == neuron_cost(at, FLIPPER, MASS, half_mse)
    np.testing.assert_array_equal(path.neuron.w, path.w[-1])


@pytest.mark.parametrize("loss", [half_mse, sse], ids=repr)
@repeatable(30)
@given(seed=seeds, n=st.integers(1, 3))
def test_the_hessian_is_the_change_of_the_gradient(loss: Any, seed: int, n: int) -> None:
    """The gradient is linear, so one difference is exact, wherever it is taken."""
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((7, n)), rng.standard_normal((7, 1))
    at = rng.standard_normal(n + 1)

    def gradient(theta: Array) -> Array:
        dw, db = neuron_gradient(Neuron(theta[:-1], float(theta[-1]), identity), X, y, loss)
        return np.append(dw, db)

    columns = [gradient(at + e) - gradient(at) for e in np.eye(n + 1)]
    H = hessian_of_squares(X, loss)
    np.testing.assert_allclose(H, np.column_stack(columns), atol=1e-11)
    np.testing.assert_allclose(H, H.T)


@pytest.mark.parametrize("loss", [half_mse, sse], ids=repr)
@repeatable(20)
@given(seed=seeds)
def test_descent_diverges_exactly_from_the_critical_rate_on(loss: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((9, 2)), rng.standard_normal((9, 1))
    best, critical = linear_regression(X, y), critical_learning_rate(X, loss)
    floor = neuron_cost(best, X, y, loss)
    steepest = np.linalg.eigh(hessian_of_squares(X, loss))[1][:, -1]
    start = Neuron(best.w + steepest[:2], best.b + steepest[2], identity)

    def above_floor(rate: float, steps: int) -> Array:
        return descend(start, X, y, loss, learning_rate=rate, steps=steps).loss - floor

    below, at, above = (above_floor(factor * critical, 40) for factor in (0.99, 1.0, 1.01))
    assert all(later < earlier for earlier, later in pairwise(below))
    np.testing.assert_allclose(at, at[0], rtol=1e-9)
    assert all(later > earlier for earlier, later in pairwise(above))
    # From wall to wall: the distance is multiplied by 1 - eta * lambda = -0.98 each time.
    np.testing.assert_allclose(below[1:] / below[:-1], 0.98**2, rtol=1e-6)


def test_a_sum_is_n_times_steeper_than_a_mean() -> None:
    ratio = critical_learning_rate(FLIPPER, half_mse) / critical_learning_rate(FLIPPER, sse)
    assert ratio == pytest.approx(2 * len(FLIPPER))


def test_far_above_the_critical_rate_the_loss_leaves_the_floats() -> None:
    with pytest.raises(Diverged, match=r"the loss is inf after step \d+; take a smaller learning"):
        descend(START, FLIPPER, MASS, half_mse, learning_rate=1e6, steps=100)
    with pytest.raises(Diverged, match="after step 1; "):
        descend(START, FLIPPER, MASS, half_mse, learning_rate=1e200, steps=100)


def test_the_wrong_shape_would_have_given_a_plausible_loss() -> None:
    """(N, 1) minus (N,) is (N, N): every prediction is compared with every target."""
    rng = np.random.default_rng(0)
    X = np.arange(4.0)[:, None]
    y = X + 0.2 * rng.standard_normal((4, 1))
    a = linear_regression(X, y)(X)
    true = half_mse(a, y)
    wrong = float(np.square(a - y[:, 0]).mean() / 2)
    assert wrong > 10 * true
    with pytest.raises(ShapeError, match=r"y has shape \(4,\), expected \(N=4, n_L=1\)"):
        half_mse(a, y[:, 0])


def test_mini_batches_descend_the_same_bowl() -> None:
    rng = np.random.default_rng(0)
    batches = rng.integers(len(FLIPPER), size=(400, 20))
    path = descend(START, FLIPPER, MASS, half_mse, learning_rate=0.05, steps=400, batches=batches)
    best = linear_regression(FLIPPER, MASS)
    assert path.neuron.w == pytest.approx(best.w, abs=0.1)
    one = descend(START, FLIPPER, MASS, half_mse, learning_rate=0.1, steps=1, batches=[[3, 7]])
    dw, _ = neuron_gradient(START, FLIPPER[[3, 7]], MASS[[3, 7]], half_mse)
    np.testing.assert_array_equal(one.w[1], START.w - 0.1 * dw)
    whole = [np.arange(len(FLIPPER))] * 5
    np.testing.assert_array_equal(
        descend(START, FLIPPER, MASS, half_mse, learning_rate=0.1, steps=5, batches=whole).w,
        descend(START, FLIPPER, MASS, half_mse, learning_rate=0.1, steps=5).w,
    )


# --- Logistic regression --------------------------------------------------------------------------


def test_logistic_regression_finds_the_maximum_likelihood() -> None:
    """Chinstrap against Gentoo by bill length: Newton's method is the witness."""
    birds = load_penguins(["bill_length_mm"], ["Chinstrap", "Gentoo"])
    X, y = standardise(birds.X), (birds.species == "Gentoo").astype(float)[:, None]
    found = logistic_regression(X, y, learning_rate=4.0, steps=2000)
    A, theta = np.column_stack([X, np.ones(len(X))]), np.zeros((2, 1))
    for _ in range(30):
        p = 1 / (1 + np.exp(-A @ theta))
        theta -= np.linalg.solve(A.T @ (p * (1 - p) * A), A.T @ (p - y))
    np.testing.assert_allclose([*found.neuron.w, found.neuron.b], theta[:, 0], atol=1e-9)
    assert all(later <= earlier + 1e-15 for earlier, later in pairwise(found.loss))
    assert found.loss[0] == pytest.approx(np.log(2))


def test_on_separable_data_the_weights_grow_for_ever() -> None:
    X, y = penguins(["bill_depth_mm", "flipper_length_mm"], ["Adelie", "Gentoo"])
    path = logistic_regression(X, (y + 1) / 2, learning_rate=1.0, steps=3000)
    lengths = np.linalg.norm(path.w, axis=1)[::500]
    assert all(later > earlier + 0.1 for earlier, later in pairwise(lengths))
    assert path.loss[-1] < 0.01
    assert ((path.neuron(X) > 0.5) == (y > 0)).all()


def test_squared_error_hardly_moves_a_confident_wrong_neuron_and_cross_entropy_does() -> None:
    neuron, X, y = Neuron(np.array([1.0]), 0.0, sigmoid), np.array([[-8.0]]), np.array([[1.0]])
    _, squared = neuron_gradient(neuron, X, y, half_mse)
    _, cross = neuron_gradient(neuron, X, y, bce)
    assert squared == pytest.approx(-3.35e-4, rel=1e-3)
    assert cross == pytest.approx(-0.99966, abs=1e-5)


# --- Doors ----------------------------------------------------------------------------------------

LINE = Neuron(np.array([1.0, 1.0]), 0.0, identity)
REFUSED: list[tuple[str, Callable[[], Any], Exception]] = [
    (
        "weights in a column",
        lambda: Neuron(np.ones((2, 1)), 0.0, step),
        ShapeError("w has shape (2, 1), expected (n_0,): w.ravel()"),
    ),
    (
        "a bias that is nan",
        lambda: Neuron(np.ones(2), np.nan, step),
        ValueError("b is nan, expected a finite number"),
    ),
    (
        "softmax",
        lambda: Neuron(np.ones(2), 0.0, softmax),
        ValueError("phi is softmax, expected an activation of one number, such as sigmoid"),
    ),
    (
        "the name of an activation",
        lambda: Neuron(np.ones(2), 0.0, "step"),
        ValueError("phi is 'step', expected an activation of one number, such as sigmoid"),
    ),
    (
        "too many columns",
        lambda: LINE(np.zeros((4, 3))),
        ShapeError("X has shape (4, 3), expected (N, n_0=2)"),
    ),
    (
        "a vector of labels",
        lambda: perceptron(CORNERS, AND[:, 0]),
        ShapeError(
            "y has shape (4,), expected (N=4, n_L=1); one number per sample is a column: y[:, None]"
        ),
    ),
    (
        "bits where signs are expected",
        lambda: perceptron(CORNERS, (AND + 1) / 2),
        ValueError(
            "y holds 0, expected -1 or 1 with labels='signs'; "
            "the other way to write labels is 'bits', 0 and 1"
        ),
    ),
    (
        "signs where bits are expected",
        lambda: perceptron(CORNERS, AND, labels="bits"),
        ValueError(
            "y holds -1, expected 0 or 1 with labels='bits'; "
            "the other way to write labels is 'signs', -1 and +1"
        ),
    ),
    (
        "one label of another kind",
        lambda: perceptron(CORNERS, np.array([[1.0], [-1.0], [2.5], [1.0]])),
        ValueError(
            "y holds 2.5, expected -1 or 1 with labels='signs'; "
            "the other way to write labels is 'bits', 0 and 1"
        ),
    ),
    (
        "an unknown way to write labels",
        lambda: perceptron(CORNERS, AND, labels="words"),
        ValueError("labels is 'words', expected 'signs' (-1, +1) or 'bits' (0, 1)"),
    ),
    (
        "no passes",
        lambda: perceptron(CORNERS, AND, epochs=0),
        ValueError("epochs is 0, expected a whole number, 1 or more"),
    ),
    (
        "a vector of inputs",
        lambda: perceptron(CORNERS[0], AND),
        ShapeError("X has shape (2,), expected (N, n_0): one sample a row"),
    ),
    (
        "a line that does not separate",
        lambda: convergence_bound(CORNERS, AND, np.array([1.0, 1.0]), -1.0),
        ValueError(
            "the line does not separate the classes: sample 1 is on it or on the wrong side; "
            "the bound needs a line without mistakes"
        ),
    ),
    (
        "a column given twice",
        lambda: linear_regression(np.column_stack([CORNERS, CORNERS[:, 0]]), AND),
        ValueError(
            "3 of the 4 numbers w, b are determined by the data, several lines fit equally well; "
            "leave out a column of X that follows from the others"
        ),
    ),
    (
        "a bowl without a single shape",
        lambda: critical_learning_rate(CORNERS, bce),
        ValueError("loss is bce, expected half_mse or sse: only a bowl has one shape"),
    ),
    (
        "float32 beside float64",
        lambda: neuron_cost(LINE, CORNERS, AND.astype(np.float32), half_mse),
        TypeError("y is float32 and X is float64; convert one: y.astype(np.float64)"),
    ),
    (
        "answers that are no probabilities",
        lambda: neuron_gradient(
            Neuron(np.array([1.0, 1.0]), -3.0, tanh), CORNERS, (AND + 1) / 2, bce
        ),
        ValueError(f"a holds {np.tanh(-3.0)}, expected numbers between 0 and 1 for bce"),
    ),
    (
        "uphill",
        lambda: descend(LINE, CORNERS, AND, half_mse, learning_rate=-1.0, steps=1),
        ValueError("learning_rate is -1.0, expected a finite number above 0"),
    ),
    (
        "a fraction of a step",
        lambda: descend(LINE, CORNERS, AND, half_mse, learning_rate=1.0, steps=0.5),
        ValueError("steps is 0.5, expected a whole number, 0 or more"),
    ),
    (
        "too few batches",
        lambda: descend(
            LINE, CORNERS, AND, half_mse, learning_rate=1.0, steps=3, batches=[[0], [1]]
        ),
        ValueError("found 2 batches, expected one for each of 3 steps"),
    ),
    (
        "the name of a loss",
        lambda: neuron_cost(LINE, CORNERS, AND, "half_mse"),
        TypeError("loss is 'half_mse', expected a Loss such as half_mse or bce"),
    ),
]


@pytest.mark.parametrize(
    ("call", "error"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_a_door_refuses(call: Callable[[], Any], error: Exception) -> None:
    with pytest.raises(type(error)) as raised:
        call()
    assert str(raised.value) == str(error)


def test_nothing_of_the_caller_is_changed() -> None:
    X, y, w = CORNERS.copy(), AND.copy(), np.array([2.0, 2.0])
    for array in (X, y, w):
        array.setflags(write=False)
    perceptron(X, y)
    convergence_bound(X, y, w, -3.0)
    linear_regression(X, y)
    critical_learning_rate(X)
    descend(Neuron(w, 0.0, tanh), X, y, half_mse, learning_rate=0.1, steps=3)


def test_no_step_and_one_sample_are_enough() -> None:
    path = descend(START, FLIPPER, MASS, half_mse, learning_rate=0.3, steps=0)
    assert path.neuron is START
    assert path.w.shape == (1, 1)
    one = logistic_regression(CORNERS[1:2], np.array([[1.0]]), learning_rate=1.0, steps=1)
    assert (one.neuron.w.tolist(), one.neuron.b) == ([0.0, 0.5], 0.5)


def test_float32_stays_float32() -> None:
    X, y = CORNERS.astype(np.float32), AND.astype(np.float32)
    assert perceptron(X, y).neuron.w.dtype == np.float32
    assert linear_regression(X, y).w.dtype == np.float32
    found = logistic_regression(X, (y + 1) / 2, learning_rate=0.5, steps=3)
    assert found.w.dtype == np.float32
    assert found.neuron(X).dtype == np.float32
