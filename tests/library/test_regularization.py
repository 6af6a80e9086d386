"""L2, dropout, early stopping and shifted images: gradients checked with the masks held fixed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop_lib.activations import Activation, identity, relu, sigmoid, softmax, tanh
from backprop_lib.backprop import backward
from backprop_lib.data import load_digits, make_moons
from backprop_lib.errors import ShapeError
from backprop_lib.gradcheck import central_differences, relative_distance
from backprop_lib.losses import Loss, bce, cross_entropy, half_mse, one_hot, sse
from backprop_lib.network import MLP, Cache, Params, cost, forward, normal, predict
from backprop_lib.optimizers import sgd
from backprop_lib.regularization import (
    EarlyStopping,
    augment_by_shifts,
    backprop_gradient,
    dropout_backward,
    dropout_forward,
    dropout_gradient,
    dropout_masks,
    l2_gradient,
    l2_penalty,
    shift_images,
    with_l2,
)
from backprop_lib.training import fit

repeatable = settings(
    derandomize=True, print_blob=False, database=None, deadline=None, max_examples=40
)
SMOOTH = [identity, sigmoid, tanh]
PAIRS = [
    (sigmoid, half_mse),
    (identity, sse),
    (tanh, half_mse),
    (sigmoid, bce),
    (softmax, cross_entropy),
]


@dataclass(frozen=True)
class Problem:
    """A random network with non-zero biases, and a batch for it."""

    mlp: MLP
    params: Params
    X: np.ndarray
    y: np.ndarray
    loss: Loss


def problem(
    sizes: tuple[int, ...], phi: list[Activation], loss: Loss, N: int, seed: int
) -> Problem:
    rng = np.random.default_rng(seed)
    mlp = MLP(sizes, tuple(phi))
    params = mlp.init(rng, normal)
    params = params.like(params.theta + 0.3 * rng.standard_normal(params.theta.size))
    if loss is cross_entropy:
        y = one_hot(rng.integers(0, sizes[-1], N), sizes[-1])
    else:
        y = rng.random((N, sizes[-1]))
    return Problem(mlp, params, rng.standard_normal((N, sizes[0])), y, loss)


@st.composite
def problems(draw: Any, activations: Any = tuple(SMOOTH)) -> Problem:
    output, loss = draw(st.sampled_from(PAIRS))
    hidden = draw(st.lists(st.sampled_from(activations), max_size=3))
    sizes = draw(st.lists(st.integers(1, 4), min_size=len(hidden) + 2, max_size=len(hidden) + 2))
    N, seed = draw(st.integers(1, 5)), draw(st.integers(0, 2**16))
    return problem(tuple(sizes), [*hidden, output], loss, N, seed)


def exactly(message: str) -> str:
    return f"^{re.escape(message)}$"


# ------------------------------------------------------------------------------------------------
# The plain gradient, and L2


@repeatable
@given(problems())
def test_the_plain_gradient_is_backwards(p: Problem) -> None:
    expected = backward(p.mlp, p.params, forward(p.mlp, p.params, p.X), p.y, p.loss).grads
    found = backprop_gradient(p.mlp, p.loss)(p.params, p.X, p.y)
    assert found.theta.tobytes() == expected.theta.tobytes()


@repeatable
@given(problems(), st.floats(0, 10), st.booleans())
def test_l2_gradient_is_the_slope_of_its_penalty(p: Problem, strength: float, biases: bool) -> None:
    def omega(theta: np.ndarray) -> float:
        return l2_penalty(p.params.like(theta), strength, biases=biases)

    found = l2_gradient(p.params, strength, biases=biases)
    assert relative_distance(found.theta, central_differences(omega, p.params.theta)) < 1e-8
    for l in range(1, p.mlp.L + 1):
        assert np.array_equal(found.W[l], strength * p.params.W[l])
        assert np.array_equal(found.b[l], strength * p.params.b[l] if biases else 0 * p.params.b[l])


@repeatable
@given(problems(), st.floats(0, 2), st.booleans())
def test_with_l2_is_the_gradient_of_loss_and_penalty(
    p: Problem, strength: float, biases: bool
) -> None:
    def J(theta: np.ndarray) -> float:
        params = p.params.like(theta)
        data = cost(p.mlp, forward(p.mlp, params, p.X), p.y, p.loss)
        return data + l2_penalty(params, strength, biases=biases)

    gradient = with_l2(backprop_gradient(p.mlp, p.loss), strength, biases=biases)
    found = gradient(p.params, p.X, p.y).theta
    expected = central_differences(J, p.params.theta)
    assert np.allclose(found, expected, rtol=1e-6, atol=1e-8)


def test_weights_pay_and_biases_do_not() -> None:
    params = Params.of(W=[[[3.0, 0.0]], [[4.0]]], b=[[100.0], [100.0]])
    assert l2_penalty(params, 2.0) == 25.0
    assert l2_penalty(params, 2.0, biases=True) == 20025.0
    assert l2_penalty(params, 0.0) == 0.0
    assert l2_gradient(params, 2.0).theta.tolist() == [6.0, 0.0, 0.0, 8.0, 0.0]
    nothing = with_l2(lambda params, X, y: params.like(0 * params.theta), 2.0)
    assert nothing(params, np.ones((1, 2)), np.ones((1, 1))).theta.tolist() == [6, 0, 0, 8, 0]


def test_a_penalty_pulls_the_weights_towards_zero() -> None:
    X, y = make_moons(60, 0.2, np.random.default_rng(0))
    mlp = MLP((2, 8, 1), (tanh, sigmoid))
    start = mlp.init(np.random.default_rng(1), normal)
    lengths = []
    for strength in (0.0, 1e-3, 1e-2, 1e-1):
        result = fit(
            mlp,
            start,
            X,
            y,
            bce,
            sgd(0.5),
            epochs=150,
            batch_size=20,
            rng=np.random.default_rng(2),
            gradient=with_l2(backprop_gradient(mlp, bce), strength),
        )
        lengths.append(l2_penalty(result.params, 1.0))
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[-1] < lengths[0] / 10


@pytest.mark.parametrize("biases", [True, False])
def test_pytorch_calls_it_weight_decay(biases: bool) -> None:
    torch = pytest.importorskip("torch")
    p = problem((3, 4, 2), [tanh, sigmoid], half_mse, N=6, seed=0)
    gradient, optimizer = with_l2(backprop_gradient(p.mlp, half_mse), 0.1, biases=biases), sgd(0.5)
    ours, state = p.params, optimizer.init(p.params)
    W = [torch.tensor(w.copy(), requires_grad=True) for w in p.params.W[1:]]
    b = [torch.tensor(v.copy(), requires_grad=True) for v in p.params.b[1:]]
    groups = [{"params": W, "weight_decay": 0.1}, {"params": b, "weight_decay": 0.1 * biases}]
    theirs = torch.optim.SGD(groups, lr=0.5)
    X, y = torch.tensor(p.X), torch.tensor(p.y)
    for _ in range(20):
        theirs.zero_grad()
        a = torch.sigmoid(torch.tanh(X @ W[0].T + b[0]) @ W[1].T + b[1])
        (((a - y) ** 2).sum() / (2 * len(X))).backward()
        theirs.step()
        ours, state = optimizer.step(ours, gradient(ours, p.X, p.y), state)
    expected = Params.of([w.detach().numpy() for w in W], [v.detach().numpy() for v in b])
    assert relative_distance(ours.theta, expected.theta) < 1e-12


# ------------------------------------------------------------------------------------------------
# Dropout


def masks_for(p: Problem, share: float, seed: int = 0) -> tuple[Any, ...]:
    return dropout_masks(p.mlp, p.X, share, np.random.default_rng(seed))


@repeatable
@given(problems(), st.floats(0, 0.8))
def test_dropout_with_frozen_masks_against_differences(p: Problem, share: float) -> None:
    m = masks_for(p, share)

    def J(theta: np.ndarray) -> float:
        return cost(p.mlp, dropout_forward(p.mlp, p.params.like(theta), p.X, m), p.y, p.loss)

    cache = dropout_forward(p.mlp, p.params, p.X, m)
    found = dropout_backward(p.mlp, p.params, cache, p.y, p.loss, m).grads.theta
    expected = central_differences(J, p.params.theta)
    assert np.allclose(found, expected, rtol=1e-6, atol=1e-8 * max(1, np.abs(expected).max()))


@repeatable
@given(problems(activations=[*SMOOTH, relu]))
def test_dropping_nothing_is_plain_backpropagation_bit_for_bit(p: Problem) -> None:
    m = masks_for(p, 0.0)
    cache, plain = dropout_forward(p.mlp, p.params, p.X, m), forward(p.mlp, p.params, p.X)
    found = dropout_backward(p.mlp, p.params, cache, p.y, p.loss, m)
    expected = backward(p.mlp, p.params, plain, p.y, p.loss)
    assert cache.a[-1].tobytes() == plain.a[-1].tobytes()
    assert found.grads.theta.tobytes() == expected.grads.theta.tobytes()


@repeatable
@given(problems(), st.floats(0.1, 0.9))
def test_no_error_passes_through_a_unit_that_dropped_out(p: Problem, share: float) -> None:
    m = masks_for(p, share)
    cache = dropout_forward(p.mlp, p.params, p.X, m)
    back = dropout_backward(p.mlp, p.params, cache, p.y, p.loss, m)
    for l in range(1, p.mlp.L):
        assert not back.delta[l][m[l] == 0].any()
        assert np.array_equal(cache.a[l], p.mlp.phi[l].f(cache.z[l]))
        dropped_for_all_rows = (m[l] == 0).all(axis=0)
        assert not back.grads.W[l + 1][:, dropped_for_all_rows].any()


@pytest.mark.parametrize("share", [0.25, 0.5, 0.9])
def test_dropout_is_unbiased_over_all_masks(share: float) -> None:
    """In a network without curvature the average over every possible mask is the plain answer."""
    p = problem((2, 3, 2, 1), [identity, identity, identity], half_mse, N=1, seed=3)
    average, total = 0.0, 0.0
    for kept in product([0.0, 1.0], repeat=5):
        chance = np.prod([1 - share if k else share for k in kept])
        m = np.array([kept]) / (1 - share)
        cache = dropout_forward(p.mlp, p.params, p.X, (1.0, m[:, :3], m[:, 3:]))
        average += chance * cache.a[-1]
        total += chance
    assert total == pytest.approx(1)
    assert np.allclose(average, predict(p.mlp, p.params, p.X), rtol=1e-12)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_masks_hold_zeros_and_one_factor(share: float) -> None:
    mlp, X = MLP((2, 50, 30, 3), (relu, relu, identity)), np.zeros((400, 2))
    m = dropout_masks(mlp, X, share, np.random.default_rng(0))
    assert m[0] == 1.0
    assert [mask.shape for mask in m[1:]] == [(400, 50), (400, 30)]
    for mask in m[1:]:
        assert set(np.unique(mask)) == {0.0, 1 / (1 - share)}
        assert (mask == 0).mean() == pytest.approx(share, abs=0.02)
        assert mask.mean() == pytest.approx(1, abs=0.05)
        assert len(np.unique(mask, axis=0)) > 300  # each row has its own


def test_the_factor_belongs_in_both_passes() -> None:
    p = problem((4, 8, 2), [tanh, sigmoid], half_mse, N=10, seed=5)
    m = masks_for(p, 0.5)
    lost = (1.0, (m[1] > 0).astype(float))
    cache = dropout_forward(p.mlp, p.params, p.X, m)
    right = dropout_backward(p.mlp, p.params, cache, p.y, p.loss, m).grads
    wrong = dropout_backward(p.mlp, p.params, cache, p.y, p.loss, lost).grads
    assert np.allclose(right.W[1], 2 * wrong.W[1])
    assert np.array_equal(right.b[2], wrong.b[2])


def test_live_masks_fail_the_check_that_frozen_ones_pass() -> None:
    p = problem((4, 8, 2), [tanh, sigmoid], half_mse, N=10, seed=5)
    rng = np.random.default_rng(0)
    m = dropout_masks(p.mlp, p.X, 0.5, rng)

    def live(theta: np.ndarray) -> float:
        fresh = dropout_masks(p.mlp, p.X, 0.5, rng)
        return cost(p.mlp, dropout_forward(p.mlp, p.params.like(theta), p.X, fresh), p.y, p.loss)

    cache = dropout_forward(p.mlp, p.params, p.X, m)
    grads = dropout_backward(p.mlp, p.params, cache, p.y, p.loss, m).grads
    assert relative_distance(grads.theta, central_differences(live, p.params.theta)) > 0.9


def test_dropout_gradient_draws_fresh_masks_from_its_generator() -> None:
    p = problem((4, 8, 2), [tanh, sigmoid], half_mse, N=10, seed=5)
    gradient = dropout_gradient(p.mlp, p.loss, 0.5, np.random.default_rng(7))
    rng = np.random.default_rng(7)
    for _ in range(3):
        m = dropout_masks(p.mlp, p.X, 0.5, rng)
        cache = dropout_forward(p.mlp, p.params, p.X, m)
        expected = dropout_backward(p.mlp, p.params, cache, p.y, p.loss, m).grads
        assert gradient(p.params, p.X, p.y).theta.tobytes() == expected.theta.tobytes()


def test_inputs_drop_out_where_the_first_mask_says_so() -> None:
    p = problem((3, 4, 2), [tanh, sigmoid], half_mse, N=5, seed=1)
    m = masks_for(p, 0.5)
    zeroed = np.array([[0.0, 2.0, 2.0]] * 5)
    found = dropout_forward(p.mlp, p.params, p.X, (zeroed, m[1])).a[-1]
    expected = dropout_forward(p.mlp, p.params, p.X * zeroed, m).a[-1]
    assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("seed", range(5))
def test_pytorch_with_the_same_masks(seed: int) -> None:
    torch = pytest.importorskip("torch")
    p = problem((5, 6, 4, 3), [relu, tanh, softmax], cross_entropy, N=7, seed=seed)
    m = masks_for(p, 0.4, seed)
    cache = dropout_forward(p.mlp, p.params, p.X, m)
    penalty = l2_gradient(p.params, 0.01)
    ours = dropout_backward(p.mlp, p.params, cache, p.y, p.loss, m).grads.theta + penalty.theta

    W = [None, *(torch.tensor(w.copy(), requires_grad=True) for w in p.params.W[1:])]
    b = [None, *(torch.tensor(v.copy(), requires_grad=True) for v in p.params.b[1:])]
    a = torch.relu(torch.tensor(p.X) @ W[1].T + b[1]) * torch.tensor(m[1])
    a = torch.tanh(a @ W[2].T + b[2]) * torch.tensor(m[2])
    z = a @ W[3].T + b[3]
    J = torch.nn.functional.cross_entropy(z, torch.tensor(p.y.argmax(axis=1)))
    (J + 0.005 * sum((w**2).sum() for w in W[1:])).backward()
    theirs = Params.of([w.grad.numpy() for w in W[1:]], [v.grad.numpy() for v in b[1:]])
    assert cost(p.mlp, cache, p.y, p.loss) == pytest.approx(float(J.detach()), rel=1e-12)
    assert relative_distance(ours, theirs.theta) < 1e-12


# ------------------------------------------------------------------------------------------------
# All of it together


@repeatable
@given(problems(activations=[*SMOOTH, relu]), st.floats(0, 0.8))
def test_float32_stays_float32_and_nothing_is_changed(p: Problem, share: float) -> None:
    params = p.params.like(p.params.theta.astype(np.float32))
    X, y = p.X.astype(np.float32), p.y.astype(np.float32)
    m = dropout_masks(p.mlp, X, np.float64(share), np.random.default_rng(0))
    arrays = [params.theta, X, y, *m[1:]]
    before = [array.tobytes() for array in arrays]
    cache = dropout_forward(p.mlp, params, X, m)
    back = dropout_backward(p.mlp, params, cache, y, p.loss, m)
    dropped = dropout_gradient(p.mlp, p.loss, share, np.random.default_rng(0))
    penalised = with_l2(dropped, np.float64(0.1))(params, X, y)
    results = [*cache.z[1:], *cache.a, *back.delta[1:], back.grads.theta, penalised.theta, *m[1:]]
    assert {array.dtype for array in results} == {np.dtype(np.float32)}
    assert [array.tobytes() for array in arrays] == before


def test_the_same_masks_for_float32_and_float64() -> None:
    p = problem((3, 20, 2), [tanh, sigmoid], half_mse, N=5, seed=1)
    wide = dropout_masks(p.mlp, p.X, 0.5, np.random.default_rng(0))
    narrow = dropout_masks(p.mlp, p.X.astype(np.float32), 0.5, np.random.default_rng(0))
    assert np.array_equal(wide[1] > 0, narrow[1] > 0)


def test_a_network_learns_with_dropout_and_a_penalty() -> None:
    X, y = make_moons(100, 0.1, np.random.default_rng(0))
    mlp = MLP((2, 32, 1), (relu, sigmoid))
    start = mlp.init(np.random.default_rng(1))
    gradient = with_l2(dropout_gradient(mlp, bce, 0.3, np.random.default_rng(2)), 1e-4)
    result = fit(
        mlp,
        start,
        X,
        y,
        bce,
        sgd(0.5),
        epochs=150,
        batch_size=10,
        rng=np.random.default_rng(3),
        gradient=gradient,
    )
    assert ((predict(mlp, result.params, X) > 0.5) == (y > 0.5)).mean() > 0.95


# ------------------------------------------------------------------------------------------------
# Early stopping


def stopper(patience: int) -> tuple[EarlyStopping, Callable[[float], Params]]:
    """For a network w x with target 0 at x = 1: the held-out loss is w^2 / 2."""
    X = np.ones((1, 1))
    stop = EarlyStopping(MLP((1, 1), (identity,)), X, 0 * X, half_mse, patience)
    return stop, lambda w: Params.of(W=[[[w]]], b=[[0.0]])


@repeatable
@given(
    st.lists(st.floats(0, 10), min_size=1, max_size=30),
    st.integers(1, 5),
)
def test_early_stopping_stops_when_it_should_and_keeps_the_best(
    weights: list[float], patience: int
) -> None:
    stop, at = stopper(patience)
    best, best_epoch, stopped_at, given_params = np.inf, 0, None, {}
    for epoch, w in enumerate(weights, start=1):
        if w * w / 2 < best:
            best, best_epoch = w * w / 2, epoch
        given_params[epoch] = at(w)
        if stop(epoch, given_params[epoch], 123.0):
            stopped_at = epoch
            break
    assert (stop.best_epoch, min(stop.losses)) == (best_epoch, best)
    assert stop.best_params is given_params[best_epoch]
    assert len(stop.losses) == len(given_params)
    if stopped_at is None:
        assert len(weights) - best_epoch < patience
    else:
        assert stopped_at == best_epoch + patience


def test_early_stopping_begins_with_nothing_and_keeps_the_first_of_equals() -> None:
    stop, at = stopper(patience=2)
    assert (stop.best_params, stop.best_epoch, stop.losses) == (None, 0, [])
    first = at(1.0)
    stops = [stop(epoch, params, 0.0) for epoch, params in enumerate([first, at(-1.0), at(1.0)], 1)]
    assert stops == [False, False, True]
    assert stop.best_params is first
    assert (stop.best_epoch, stop.losses) == (1, [0.5, 0.5, 0.5])


def test_an_infinite_held_out_loss_is_never_the_best() -> None:
    stop, at = stopper(patience=1)
    with np.errstate(over="ignore"):
        assert stop(1, at(1e200), 0.0)
    assert (stop.best_params, stop.best_epoch, stop.losses) == (None, 0, [np.inf])


def test_early_stopping_ends_a_fit_and_beats_its_last_parameters() -> None:
    rng = np.random.default_rng(0)
    X, y = make_moons(40, 0.4, rng)
    X_held, y_held = make_moons(200, 0.4, rng)
    mlp = MLP((2, 30, 1), (tanh, sigmoid))
    start = mlp.init(np.random.default_rng(1), normal)
    stop = EarlyStopping(mlp, X_held, y_held, bce, patience=20)

    def run() -> Any:
        rng = np.random.default_rng(2)
        return fit(
            mlp, start, X, y, bce, sgd(2.0), epochs=500, batch_size=10, rng=rng, callback=stop
        )

    result = run()
    epochs = len(result.history.loss) - 1
    assert epochs < 500
    assert epochs == stop.best_epoch + 20 == len(stop.losses)

    def held_out(params: Params) -> float:
        return cost(mlp, forward(mlp, params, X_held), y_held, bce)

    assert held_out(stop.best_params) == min(stop.losses) < held_out(result.params)
    first = (stop.best_epoch, stop.best_params.theta.tobytes(), list(stop.losses))
    run()  # the cell is run again, with the same object
    assert (stop.best_epoch, stop.best_params.theta.tobytes(), list(stop.losses)) == first


# ------------------------------------------------------------------------------------------------
# Shifted images


@repeatable
@given(
    height=st.integers(1, 5),
    width=st.integers(1, 5),
    down=st.integers(-6, 6),
    right=st.integers(-6, 6),
)
def test_every_pixel_moves_to_its_place(height: int, width: int, down: int, right: int) -> None:
    X = np.random.default_rng(0).uniform(0.1, 1, (3, height * width))
    before = X.tobytes()
    expected = np.zeros((3, height, width))
    for i, j in product(range(height), range(width)):
        if 0 <= i + down < height and 0 <= j + right < width:
            expected[:, i + down, j + right] = X.reshape(3, height, width)[:, i, j]
    found = shift_images(X, (height, width), down=down, right=right)
    assert np.array_equal(found, expected.reshape(3, -1))
    assert X.tobytes() == before
    assert not np.shares_memory(found, X)
    narrow = shift_images(X.astype(np.float32), (height, width), down=down, right=right)
    assert narrow.dtype == np.float32


def test_an_image_moves_only_where_it_is_told_to() -> None:
    X = np.random.default_rng(0).random((2, 6))
    assert np.array_equal(shift_images(X, (2, 3)), X)
    down, right = shift_images(X, (2, 3), down=1), shift_images(X, (2, 3), right=1)
    assert np.array_equal(down[:, 3:], X[:, :3])
    assert np.array_equal(right[:, [1, 2, 4, 5]], X[:, [0, 1, 3, 4]])


def test_five_images_for_one_in_the_order_it_says() -> None:
    digits = load_digits()
    X, labels = digits.X_train[:20], digits.y_train[:20]
    for y in (labels, one_hot(labels, 10)):
        X5, y5 = augment_by_shifts(X, y, (8, 8))
        assert X5.shape == (100, 64)
        assert np.array_equal(X5[:20], X)
        assert all(np.array_equal(y5[k : k + 20], y) for k in range(0, 100, 20))
    image = np.zeros((1, 9))
    image[0, 4] = 1.0  # the middle of 3x3
    moved, _ = augment_by_shifts(image, np.array([7]), (3, 3))
    assert moved.argmax(axis=1).tolist() == [4, 1, 7, 3, 5]


# ------------------------------------------------------------------------------------------------
# Doors

PROBLEM = problem((3, 4, 2), [tanh, sigmoid], half_mse, N=5, seed=0)
MASK = np.ones((5, 4))


def forward_with(*m: Any) -> Cache:
    return dropout_forward(PROBLEM.mlp, PROBLEM.params, PROBLEM.X, m)


def backward_with(*m: Any) -> Any:
    p = PROBLEM
    return dropout_backward(p.mlp, p.params, forward(p.mlp, p.params, p.X), p.y, p.loss, m)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: dropout_masks(PROBLEM.mlp, PROBLEM.X, 1.0, np.random.default_rng(0)),
            "p is 1.0, expected a number from 0 up to, but not including, 1",
        ),
        (
            lambda: dropout_gradient(PROBLEM.mlp, half_mse, -0.1, np.random.default_rng(0)),
            "p is -0.1, expected a number from 0 up to, but not including, 1",
        ),
        (
            lambda: dropout_masks(PROBLEM.mlp, PROBLEM.X, False, np.random.default_rng(0)),
            "p is False, expected a number from 0 up to, but not including, 1",
        ),
        (
            lambda: dropout_masks(PROBLEM.mlp, PROBLEM.X, 0.5, 42),
            "rng is 42, expected a Generator; make one: np.random.default_rng(seed)",
        ),
        (
            lambda: dropout_gradient(PROBLEM.mlp, half_mse, 0.5, None),
            "rng is None, expected a Generator; make one: np.random.default_rng(seed)",
        ),
        (
            lambda: backprop_gradient(PROBLEM.mlp, cross_entropy),
            "the output layer is sigmoid and the loss cross_entropy; "
            "cross_entropy needs a softmax output (bce goes with sigmoid)",
        ),
        (
            lambda: dropout_gradient(PROBLEM.mlp, cross_entropy, 0.5, np.random.default_rng(0)),
            "the output layer is sigmoid and the loss cross_entropy; "
            "cross_entropy needs a softmax output (bce goes with sigmoid)",
        ),
        (
            lambda: with_l2(backprop_gradient(PROBLEM.mlp, half_mse), -0.1),
            "strength is -0.1, expected a finite number, 0 or more",
        ),
        (
            lambda: l2_penalty(PROBLEM.params, np.inf),
            "strength is inf, expected a finite number, 0 or more",
        ),
        (
            lambda: l2_gradient(PROBLEM.params, "0.1"),
            "strength is '0.1', expected a finite number, 0 or more",
        ),
        (lambda: forward_with(1.0), "found 1 masks, expected 2: one for each of the layers 0..1"),
        (
            lambda: forward_with(1.0, MASK[:4]),
            "m[1] has shape (4, 4), expected (N=5, n_1=4); X and m[1] need one row per sample each",
        ),
        (
            lambda: backward_with(1.0, MASK.T),
            "m[1] has shape (4, 5), expected (N=5, n_1=4); samples are rows: m[1].T",
        ),
        (
            lambda: forward_with(np.ones((5, 2)), MASK),
            "m[0] has shape (5, 2), expected (N=5, n_0=3)",
        ),
        (
            lambda: forward_with(1.0, 1.0),
            "m[1] is a float, expected a numpy array of floats; "
            "convert it: np.array(m[1], dtype=float)",
        ),
        (
            lambda: forward_with(1.0, MASK > 0),
            "m[1] has dtype bool, expected float64 or float32; convert it: m[1].astype(float)",
        ),
        (
            lambda: forward_with(1.0, MASK.astype(np.float32)),
            "m[1] is float32 and X is float64; convert one: m[1].astype(np.float64)",
        ),
        (
            lambda: dropout_forward(PROBLEM.mlp, PROBLEM.params, PROBLEM.X.T, (1.0, MASK)),
            "X has shape (3, 5), expected (N, n_0=3); samples are rows: X.T",
        ),
        (
            lambda: EarlyStopping(PROBLEM.mlp, PROBLEM.X, PROBLEM.y, half_mse, patience=0),
            "patience is 0, expected a finite number above 0",
        ),
        (
            lambda: EarlyStopping(PROBLEM.mlp, PROBLEM.X, PROBLEM.y[:3], half_mse, patience=1),
            "y has shape (3, 2), expected (N=5, n_L=2); X and y need one row per sample each",
        ),
        (
            lambda: shift_images(np.ones((2, 63)), (8, 8), right=1),
            "X has shape (2, 63), expected (N, 8*8=64)",
        ),
        (
            lambda: shift_images(np.ones((2, 64)), (8, 8), right=0.5),
            "shape is (8, 8), down 0 and right 0.5, expected whole numbers of pixels",
        ),
        (
            lambda: dropout_masks(PROBLEM.mlp, PROBLEM.X[0], 0.5, np.random.default_rng(0)),
            "X has shape (3,), expected (N, n_0=3); one sample is a row: X[None, :]",
        ),
        (
            lambda: augment_by_shifts(np.ones((2, 64)), np.array([1]), (8, 8)),
            "found 2 images and 1 labels, expected one label an image",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[[], Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError, ShapeError), match=exactly(message)):
        call()
