"""Batch normalisation and skips against differences, PyTorch and plain networks."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop_lib.activations import Activation, identity, relu, sigmoid, softmax, tanh
from backprop_lib.backprop import backward
from backprop_lib.data import make_moons
from backprop_lib.deep import (
    EPS,
    DeepBackward,
    DeepCache,
    DeepMLP,
    DeepParams,
    Statistics,
    batch_norm,
    batch_norm_back,
    batch_norm_inference,
    blend_statistics,
    deep_backward,
    deep_cost,
    deep_forward,
    deep_predict,
    layer_norms,
    running_statistics,
    with_gain,
)
from backprop_lib.errors import ShapeError
from backprop_lib.gradcheck import central_differences, relative_distance
from backprop_lib.losses import Loss, bce, cross_entropy, half_mse, one_hot, sse
from backprop_lib.network import MLP, Params, cost, forward, he, predict
from backprop_lib.optimizers import adam, adamw, clip_by_norm, clipped, momentum, nesterov, rmsprop
from backprop_lib.optimizers import sgd as plain_sgd

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
BOTH = pytest.mark.parametrize(
    "switches",
    [(False, False), (True, False), (False, True), (True, True)],
    ids=["plain", "batch_norm", "skip", "both"],
)


@dataclass(frozen=True)
class Problem:
    """A random deep network, none of whose parameters is 0 or 1, and a batch for it."""

    deep: DeepMLP
    params: DeepParams
    X: np.ndarray
    y: np.ndarray
    loss: Loss

    def forward(self) -> DeepCache:
        return deep_forward(self.deep, self.params, self.X)

    def backward(self) -> DeepBackward:
        return deep_backward(self.deep, self.params, self.forward(), self.y, self.loss)

    def J(self, theta: np.ndarray) -> float:
        cache = deep_forward(self.deep, self.params.like(theta), self.X)
        return deep_cost(self.deep, cache, self.y, self.loss)


def problem(
    sizes: tuple[int, ...],
    phi: list[Activation],
    loss: Loss,
    *,
    switches: tuple[bool, bool],
    N: int = 6,
    seed: int = 0,
) -> Problem:
    rng = np.random.default_rng(seed)
    deep = DeepMLP(MLP(sizes, tuple(phi)), *switches)
    params = deep.init(rng, with_gain(1.5))
    params = params.like(params.theta + 0.3 * rng.standard_normal(params.theta.size))
    if loss is cross_entropy:
        y = one_hot(rng.integers(0, sizes[-1], N), sizes[-1])
    else:
        y = rng.random((N, sizes[-1]))
    return Problem(deep, params, rng.standard_normal((N, sizes[0])), y, loss)


@st.composite
def problems(draw: Any, activations: Any = tuple(SMOOTH)) -> Problem:
    output, loss = draw(st.sampled_from(PAIRS))
    hidden = draw(st.lists(st.sampled_from(activations), min_size=1, max_size=4))
    widths = st.integers(2, 3)  # few values, so that neighbours are often equal
    sizes = draw(st.lists(widths, min_size=len(hidden) + 2, max_size=len(hidden) + 2))
    switches = (draw(st.booleans()), draw(st.booleans()))
    N, seed = draw(st.integers(3, 6)), draw(st.integers(0, 2**16))
    return problem(tuple(sizes), [*hidden, output], loss, switches=switches, N=N, seed=seed)


def close(found: np.ndarray, expected: np.ndarray, tolerance: float) -> bool:
    return bool(np.abs(found - expected).max() <= tolerance * max(1, np.abs(expected).max()))


def exactly(message: str) -> str:
    return f"^{re.escape(message)}$"


# ------------------------------------------------------------------------------------------------
# Batch normalisation, one layer

BATCHES = {"N": st.integers(3, 8), "n": st.integers(1, 4), "seed": st.integers(0, 2**16)}


def layer(N: int, n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Sums of very different size and place, a scale, a centre, and an error from behind."""
    rng = np.random.default_rng(seed)
    s = rng.normal(rng.uniform(-5, 5, n), 10 ** rng.uniform(-1, 1, n), (N, n))
    return s, rng.standard_normal(n), rng.standard_normal(n), rng.standard_normal((N, n))


@repeatable
@given(**BATCHES)
def test_every_column_gets_its_centre_and_its_scale(N: int, n: int, seed: int) -> None:
    s, gamma, beta, _ = layer(N, n, seed)
    norm = batch_norm(s, gamma, beta)
    assert np.allclose(norm.s_hat.mean(axis=0), 0, atol=1e-12)
    assert np.allclose(norm.s_hat.var(axis=0), s.var(axis=0) / (s.var(axis=0) + 1e-5), rtol=1e-9)
    assert np.allclose(norm.z.mean(axis=0), beta, atol=1e-12)
    assert np.array_equal(norm.batch.mean, s.mean(axis=0))
    assert np.array_equal(norm.batch.variance, s.var(axis=0))


@repeatable
@given(**BATCHES)
def test_batch_norm_back_against_differences(N: int, n: int, seed: int) -> None:
    s, gamma, beta, delta = layer(N, n, seed)

    def J(v: np.ndarray) -> float:
        moved, scale, centre = v[: s.size].reshape(s.shape), v[s.size : -n], v[-n:]
        return float((delta * batch_norm(moved, scale, centre).z).sum())

    found = batch_norm_back(delta, gamma, batch_norm(s, gamma, beta))
    expected = central_differences(J, np.concatenate([s.ravel(), gamma, beta]), h=1e-5)
    assert close(np.concatenate([part.ravel() for part in found]), expected, 1e-6)


@repeatable
@given(**BATCHES)
def test_a_shift_is_cancelled_and_so_is_its_error(N: int, n: int, seed: int) -> None:
    """So a bias in front of the normalisation would do nothing and learn nothing."""
    s, gamma, beta, delta = layer(N, n, seed)
    norm = batch_norm(s, gamma, beta)
    assert np.allclose(batch_norm(s + 7.0, gamma, beta).z, norm.z, atol=1e-9)
    ds, _, _ = batch_norm_back(delta, gamma, norm)
    assert np.allclose(ds.sum(axis=0), 0, atol=1e-11 * max(1, np.abs(ds).max()))


def test_two_rows_are_enough() -> None:
    norm = batch_norm(np.array([[1.0], [3.0]]), np.array([2.0]), np.array([5.0]))
    assert np.allclose(norm.z, [[3.0], [7.0]], atol=1e-4)


def test_a_unit_that_says_the_same_to_all_rows_does_no_harm() -> None:
    s = np.full((4, 1), 3.0)
    norm = batch_norm(s, np.ones(1), np.array([2.0]))
    ds, _, _ = batch_norm_back(np.ones((4, 1)), np.ones(1), norm)
    assert norm.z.tolist() == [[2.0]] * 4
    assert ds.tolist() == [[0.0]] * 4


@repeatable
@given(**BATCHES)
def test_inference_with_the_batchs_own_statistics_is_training(N: int, n: int, seed: int) -> None:
    s, gamma, beta, _ = layer(N, n, seed)
    norm = batch_norm(s, gamma, beta)
    assert np.allclose(batch_norm_inference(s, gamma, beta, norm.batch), norm.z, atol=1e-12)
    row_by_row = [batch_norm_inference(s[[i]], gamma, beta, norm.batch) for i in range(N)]
    assert np.allclose(np.vstack(row_by_row), norm.z, atol=1e-12)


def test_running_statistics_start_with_the_first_batch_and_then_blend() -> None:
    rng = np.random.default_rng(0)
    first, second = (
        batch_norm(rng.standard_normal((5, 2)), np.ones(2), np.zeros(2)) for _ in range(2)
    )
    running = blend_statistics(None, first)
    assert np.array_equal(running.mean, first.batch.mean)
    assert np.allclose(running.variance, first.batch.variance * 5 / 4)
    running = blend_statistics(running, second, keep=0.7)
    assert np.allclose(running.mean, 0.7 * first.batch.mean + 0.3 * second.batch.mean)
    assert np.allclose(
        running.variance, (0.7 * first.batch.variance + 0.3 * second.batch.variance) * 5 / 4
    )
    assert np.array_equal(blend_statistics(running, first, keep=0.0).mean, first.batch.mean)


def test_running_statistics_settle_on_the_truth() -> None:
    rng, running = np.random.default_rng(0), None
    for _ in range(2000):
        s = rng.normal(3.0, 2.0, (4, 1))
        running = blend_statistics(running, batch_norm(s, np.ones(1), np.zeros(1)), keep=0.99)
    assert running.mean[0] == pytest.approx(3.0, abs=0.2)
    assert running.variance[0] == pytest.approx(4.0, abs=0.5)


@pytest.mark.parametrize("seed", range(5))
def test_pytorchs_batch_norm_1d(seed: int) -> None:
    torch = pytest.importorskip("torch")
    theirs = torch.nn.BatchNorm1d(3, dtype=torch.float64)  # its eps and ours are the same
    running = Statistics(np.zeros(3), np.ones(3))  # where PyTorch starts, with momentum 0.1
    for step in range(4):
        s, gamma, beta, delta = layer(6, 3, 10 * seed + step)
        with torch.no_grad():
            theirs.weight.copy_(torch.tensor(gamma))
            theirs.bias.copy_(torch.tensor(beta))
        theirs.zero_grad()
        leaf = torch.tensor(s, requires_grad=True)
        z = theirs(leaf)
        (z * torch.tensor(delta)).sum().backward()

        norm = batch_norm(s, gamma, beta)
        running = blend_statistics(running, norm, keep=0.9)
        expected = (leaf.grad, theirs.weight.grad, theirs.bias.grad)
        assert close(norm.z, z.detach().numpy(), 1e-12)
        for ours, gradient in zip(batch_norm_back(delta, gamma, norm), expected, strict=True):
            assert close(ours, gradient.numpy(), 1e-12)
    assert close(running.mean, theirs.running_mean.numpy(), 1e-12)
    assert close(running.variance, theirs.running_var.numpy(), 1e-12)
    used = theirs.eval()(torch.tensor(s)).detach().numpy()
    assert close(batch_norm_inference(s, gamma, beta, running), used, 1e-12)


# ------------------------------------------------------------------------------------------------
# The deep network


@settings(repeatable, max_examples=80)
@given(problems())
def test_deep_gradients_against_differences(p: Problem) -> None:
    expected = central_differences(p.J, p.params.theta)
    assert close(p.backward().grads.theta, expected, 1e-6)


@repeatable
@given(problems(activations=[*SMOOTH, relu]))
def test_the_laws_of_a_layer_hold_with_every_switch(p: Problem) -> None:
    cache, back = p.forward(), p.backward()
    assert cache.a[0] is p.X
    for l in range(1, p.deep.mlp.L + 1):
        assert np.array_equal(cache.v[l], p.deep.mlp.phi[l].f(cache.z[l]))
        handed_on = cache.v[l] + cache.a[l - 1] if p.deep.skips(l) else cache.v[l]
        assert np.array_equal(cache.a[l], handed_on)
        assert np.array_equal(back.grads.b[l], back.delta[l].sum(axis=0))
        assert (cache.norm[l] is not None) == p.deep.normalises(l)


@pytest.mark.parametrize("skip", [False, True])
def test_delta_is_the_slope_of_the_loss_at_z(skip: bool) -> None:
    """Moving z of one sample alone, behind the normalisation, is moving its b for that row."""
    sizes, phi = (3, 3, 3, 2), [tanh, sigmoid, identity]
    p = problem(sizes, phi, half_mse, switches=(False, skip), N=1)
    back = p.backward()  # with one row, dJ/db[l] is delta[l]
    expected = p.params.like(central_differences(p.J, p.params.theta))
    for l in (1, 2, 3):
        assert close(back.delta[l][0], expected.b[l], 1e-8)


@repeatable
@given(problems(activations=[*SMOOTH, relu]))
def test_with_both_switches_off_it_is_the_plain_network_bit_for_bit(p: Problem) -> None:
    deep = DeepMLP(p.deep.mlp)
    params = DeepParams(p.params.plain.theta, p.params.sizes, batch_norm=False)
    plain = Params(p.params.plain.theta, p.params.sizes)
    cache, expected_cache = deep_forward(deep, params, p.X), forward(deep.mlp, plain, p.X)
    back = deep_backward(deep, params, cache, p.y, p.loss)
    expected = backward(deep.mlp, plain, expected_cache, p.y, p.loss)
    assert cache.a[-1].tobytes() == expected_cache.a[-1].tobytes()
    assert back.grads.theta.tobytes() == expected.grads.theta.tobytes()
    assert all(
        ours.tobytes() == theirs.tobytes()
        for ours, theirs in zip(back.delta[1:], expected.delta[1:], strict=True)
    )
    assert deep_cost(deep, cache, p.y, p.loss) == cost(deep.mlp, expected_cache, p.y, p.loss)
    assert np.array_equal(deep_predict(deep, params, p.X), predict(deep.mlp, plain, p.X))


def torch_twin(p: Problem, torch: Any) -> tuple[float, np.ndarray]:
    """Loss and gradient of the same network, written with PyTorch's own layers."""
    functional, theta = torch.nn.functional, p.params.theta

    def leaves(arrays: tuple[Any, ...]) -> list[Any]:
        return [x if x is None else torch.tensor(x.copy(), requires_grad=True) for x in arrays]

    W, b, gamma = leaves(p.params.W), leaves(p.params.b), leaves(p.params.gamma)
    f = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "identity": torch.clone}
    a = torch.tensor(p.X)
    for l in range(1, p.deep.mlp.L):
        z = functional.linear(a, W[l], None if p.deep.batch_norm else b[l])
        if p.deep.batch_norm:
            z = functional.batch_norm(z, None, None, gamma[l], b[l], training=True, eps=EPS)
        said = f[p.deep.mlp.phi[l].name](z)
        a = said + a if p.deep.skip and said.shape == a.shape else said
    z = functional.linear(a, W[-1], b[-1])
    J = functional.cross_entropy(z, torch.tensor(p.y.argmax(axis=1)))
    J.backward()
    grads = p.params.like(np.empty_like(theta))
    for ours, theirs in ((grads.W, W), (grads.b, b), (grads.gamma, gamma)):
        for view, leaf in zip(ours[1:], theirs[1:], strict=True):
            view[:] = leaf.grad.numpy()
    return float(J.detach()), grads.theta


@BOTH
@pytest.mark.parametrize("seed", range(3))
def test_pytorch_agrees_on_a_deep_network(switches: tuple[bool, bool], seed: int) -> None:
    torch = pytest.importorskip("torch")
    sizes, phi = (4, 4, 5, 5, 5, 3), [relu, tanh, sigmoid, relu, softmax]
    p = problem(sizes, phi, cross_entropy, switches=switches, N=9, seed=seed)
    J, gradient = torch_twin(p, torch)
    assert deep_cost(p.deep, p.forward(), p.y, p.loss) == pytest.approx(J, rel=1e-12)
    assert relative_distance(p.backward().grads.theta, gradient) < 1e-12


@BOTH
def test_answers_in_use_agree_with_training_on_the_same_statistics(
    switches: tuple[bool, bool],
) -> None:
    p = problem((3, 4, 4, 4, 2), [tanh, relu, sigmoid, identity], half_mse, switches=switches)
    cache = p.forward()
    own = tuple(norm and norm.batch for norm in cache.norm)
    answers = deep_predict(p.deep, p.params, p.X, own)
    assert np.allclose(answers, cache.a[-1], rtol=0, atol=1e-12)
    one_by_one = [deep_predict(p.deep, p.params, p.X[[i]], own) for i in range(len(p.X))]
    assert np.allclose(np.vstack(one_by_one), answers, rtol=0, atol=1e-12)


def test_running_statistics_of_a_network_are_those_of_its_layers() -> None:
    p = problem((3, 4, 5, 2), [tanh, relu, identity], half_mse, switches=(True, False))
    cache = p.forward()
    running = running_statistics(None, cache)
    running = running_statistics(running, cache, keep=0.5)
    assert [slot is None for slot in running] == [True, False, False, True]
    for l in (1, 2):
        expected = blend_statistics(blend_statistics(None, cache.norm[l]), cache.norm[l], keep=0.5)
        assert np.array_equal(running[l].mean, expected.mean)
        assert np.array_equal(running[l].variance, expected.variance)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_branch_that_says_nothing_lets_the_error_pass_undiminished(batch_norm: bool) -> None:
    """With every branch silent at tanh(0) = 0, twenty layers hand on what they were handed."""
    depth = 20
    deep = DeepMLP(MLP((3, *[3] * depth, 2), (*[tanh] * depth, identity)), batch_norm, skip=True)
    silent = deep.init(np.random.default_rng(0), with_gain(1.0))
    for l in range(1, depth + 1):
        (silent.gamma[l] if batch_norm else silent.W[l])[:] = 0
    X = np.random.default_rng(1).standard_normal((5, 3))
    cache = deep_forward(deep, silent, X)
    back = deep_backward(deep, silent, cache, np.zeros((5, 2)), half_mse)
    assert np.array_equal(cache.a[depth], X)
    assert all(np.array_equal(back.delta[l], back.delta[depth]) for l in range(1, depth))


def test_skips_only_where_the_widths_agree() -> None:
    mlp = MLP((2, 2, 3, 3, 3), (tanh, tanh, tanh, identity))
    assert [DeepMLP(mlp, skip=True).skips(l) for l in (1, 2, 3, 4)] == [True, False, True, False]
    assert not any(DeepMLP(mlp).skips(l) for l in (1, 2, 3, 4))
    normalised = DeepMLP(mlp, batch_norm=True)
    assert [normalised.normalises(l) for l in (1, 2, 3, 4)] == [True, True, True, False]


# ------------------------------------------------------------------------------------------------
# Parameters, dtypes, optimizers


@pytest.mark.parametrize("batch_norm", [False, True])
def test_one_vector_and_views_into_it(batch_norm: bool) -> None:
    deep = DeepMLP(MLP((2, 4, 3, 1), (tanh, tanh, identity)), batch_norm=batch_norm)
    params = deep.init(np.random.default_rng(0))
    views = [*params.W[1:], *params.b[1:], *params.gamma[1:]]
    assert all(np.shares_memory(view, params.theta) for view in views)
    assert sum(view.size for view in views) == params.theta.size == 31 + 7 * batch_norm
    numbered = params.like(np.arange(float(params.theta.size)))
    seen = np.concatenate([np.ravel(view) for view in (*numbered.W[1:], *numbered.b[1:])])
    seen = np.concatenate([seen, *numbered.gamma[1:]])
    assert sorted(seen) == list(range(params.theta.size))
    if batch_norm:
        assert [gamma.tolist() for gamma in params.gamma[1:]] == [[1.0] * 4, [1.0] * 3]
    assert not any(b.any() for b in params.b[1:])


def test_weights_are_drawn_as_for_a_plain_network() -> None:
    mlp = MLP((5, 4, 3), (relu, identity))
    for normalised in (False, True):
        deep = DeepMLP(mlp, batch_norm=normalised)
        found = deep.init(np.random.default_rng(3))
        expected = mlp.init(np.random.default_rng(3), he)
        assert found.plain.theta.tobytes() == expected.theta.tobytes()


@repeatable
@given(problems(activations=[*SMOOTH, relu]))
def test_float32_stays_float32_and_nothing_is_changed(p: Problem) -> None:
    params = p.params.like(p.params.theta.astype(np.float32))
    X, y = p.X.astype(np.float32), p.y.astype(np.float32)
    before = [array.tobytes() for array in (params.theta, X, y)]
    cache = deep_forward(p.deep, params, X)
    back = deep_backward(p.deep, params, cache, y, p.loss)
    running = running_statistics(running_statistics(None, cache), cache, keep=np.float64(0.9))
    answers = deep_predict(p.deep, params, X, running)
    statistics = [array for s in running if s for array in (s.mean, s.variance)]
    results = [*cache.z[1:], *cache.v[1:], *cache.a, *back.delta[1:], back.grads.theta]
    assert {x.dtype for x in (*results, *statistics, answers)} == {np.dtype(np.float32)}
    assert [array.tobytes() for array in (params.theta, X, y)] == before
    again = deep_backward(p.deep, params, deep_forward(p.deep, params, X), y, p.loss)
    assert again.grads.theta.tobytes() == back.grads.theta.tobytes()


OPTIMIZERS = [
    plain_sgd(0.1),
    momentum(0.02),
    nesterov(0.02),
    rmsprop(0.003),
    adam(0.01),
    adamw(0.01),
    clipped(plain_sgd(0.3), max_norm=0.5),
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_every_optimizer_trains_a_deep_network(optimizer: Any) -> None:
    X, y = make_moons(80, 0.1, np.random.default_rng(0))
    deep = DeepMLP(MLP((2, *[8] * 8, 1), (*[relu] * 8, sigmoid)), batch_norm=True, skip=True)
    params, running = deep.init(np.random.default_rng(1)), None
    state = optimizer.init(params)
    for _ in range(120):
        cache = deep_forward(deep, params, X)
        back = deep_backward(deep, params, cache, y, bce)
        params, state = optimizer.step(params, back.grads, state)
        running = running_statistics(running, cache)
    assert isinstance(params, DeepParams)
    answers = deep_predict(deep, params, X, running)
    assert ((answers > 0.5) == (y > 0.5)).mean() > 0.95


def test_clipping_keeps_the_kind_of_parameters() -> None:
    p = problem((2, 3, 1), [tanh, identity], half_mse, switches=(True, False))
    short = clip_by_norm(p.params, 0.1)
    assert isinstance(short, DeepParams)
    assert short.batch_norm


# ------------------------------------------------------------------------------------------------
# Gain and norms: the claims of chapter 10


def test_a_gain_of_two_is_he() -> None:
    ours, theirs = (f(np.random.default_rng(0), 7, 5) for f in (with_gain(2.0), he))
    assert ours.tobytes() == theirs.tobytes()


@pytest.mark.parametrize("gain", [0.25, 1.0, 4.0])
def test_a_linear_layer_scales_squares_by_its_gain(gain: float) -> None:
    W = with_gain(gain)(np.random.default_rng(0), 300, 500)
    X = np.random.default_rng(1).standard_normal((200, 300))
    assert ((X @ W.T) ** 2).mean() / (X**2).mean() == pytest.approx(gain, rel=0.05)


def gradient_through_fifty_layers(phi: Activation, gain: float, **switches: bool) -> float:
    """How much of the error at layer 50 is left at layer 1."""
    rng, depth = np.random.default_rng(0), 50
    mlp = MLP((100, *[100] * depth, 1), (*[phi] * depth, identity))
    deep = DeepMLP(mlp, **switches)
    params = deep.init(rng, with_gain(gain))
    cache = deep_forward(deep, params, rng.standard_normal((32, 100)))
    back = deep_backward(deep, params, cache, rng.standard_normal((32, 1)), half_mse)
    norms = layer_norms(back.delta)
    return float(norms[0] / norms[depth - 1])


def test_it_is_the_gain_and_not_the_sigmoid_that_vanishes() -> None:
    assert 1e-9 < gradient_through_fifty_layers(identity, 0.5) < 1e-6
    assert 1e-9 < gradient_through_fifty_layers(relu, 1.0) < 1e-6
    assert 0.1 < gradient_through_fifty_layers(relu, 2.0) < 10
    assert gradient_through_fifty_layers(sigmoid, 1.0) < 1e-28
    assert 0.01 < gradient_through_fifty_layers(sigmoid, 100.0) < 100


def test_a_skip_rescues_the_gradient_of_fifty_sigmoids() -> None:
    assert 0.1 < gradient_through_fifty_layers(sigmoid, 1.0, skip=True) < 10


def test_layer_norms_are_euclidean_one_a_layer() -> None:
    params = Params.of(W=[[[3.0, 4.0], [0.0, 12.0]], [[1.0, 1.0]]], b=[[6.0, 8.0], [2.0]])
    assert layer_norms(params.W).tolist() == [13.0, np.sqrt(2)]
    assert layer_norms(params.b).tolist() == [10.0, 2.0]


# ------------------------------------------------------------------------------------------------
# Doors

P0 = problem((3, 4, 2), [tanh, sigmoid], half_mse, switches=(True, False), N=5)
UNSWITCHED = DeepMLP(P0.deep.mlp)
NORM = batch_norm(np.eye(3), np.ones(3), np.zeros(3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: with_gain(0.0), "gain is 0.0, expected a finite number above 0"),
        (
            lambda: batch_norm(np.ones((1, 2)), np.ones(2), np.ones(2)),
            "the batch has 1 row, expected at least 2 to normalise over; choose a batch_size "
            "that leaves no last batch of one, or use running statistics",
        ),
        (
            lambda: deep_forward(P0.deep, P0.params, P0.X[:1]),
            "the batch has 1 row, expected at least 2 to normalise over; choose a batch_size "
            "that leaves no last batch of one, or use running statistics",
        ),
        (
            lambda: batch_norm(np.ones((4, 3)), np.ones(1), np.ones(3)),
            "s, gamma and beta have shapes (4, 3), (1,) and (3,), expected (N, n_l), (n_l,) and "
            "(n_l,): one scale and one centre a unit",
        ),
        (
            lambda: batch_norm_inference(np.ones(3), np.ones(3), np.ones(3), NORM.batch),
            "s, gamma and beta have shapes (3,), (3,) and (3,), expected (N, n_l), (n_l,) and "
            "(n_l,): one scale and one centre a unit",
        ),
        (
            lambda: blend_statistics(None, NORM, keep=1.0),
            "keep is 1.0, expected a number from 0 up to, but not including, 1",
        ),
        (
            lambda: DeepParams(np.ones(26), (3, 4, 2), batch_norm=True),
            "theta has shape (26,), expected (30,): 26 weights and biases of sizes (3, 4, 2), "
            "4 scales",
        ),
        (
            lambda: deep_forward(UNSWITCHED, P0.params, P0.X),
            "params are for sizes (3, 4, 2) with batch_norm=True, "
            "expected the network's (3, 4, 2) with batch_norm=False",
        ),
        (
            lambda: deep_forward(P0.deep, P0.params.like(np.full(30, np.nan)), P0.X),
            "theta[0] is nan, expected finite numbers; 30 of 30 entries are not",
        ),
        (
            lambda: deep_forward(P0.deep, P0.params, P0.X.T),
            "X has shape (3, 5), expected (N, n_0=3); samples are rows: X.T",
        ),
        (
            lambda: deep_forward(P0.deep, P0.params, P0.X.astype(np.float32)),
            "X is float32 and theta is float64; convert one: X.astype(np.float64)",
        ),
        (
            lambda: deep_backward(P0.deep, P0.params, P0.forward(), P0.y[:, 0], half_mse),
            "y has shape (5,), expected (N=5, n_L=2); class labels become rows of 0 and 1: "
            "one_hot(y, 2)",
        ),
        (
            lambda: deep_backward(P0.deep, P0.params, P0.forward(), P0.y, cross_entropy),
            "the output layer is sigmoid and the loss cross_entropy; "
            "cross_entropy needs a softmax output (bce goes with sigmoid)",
        ),
        (
            lambda: deep_backward(
                P0.deep, P0.params, DeepCache((None,), (None,), (P0.X,), (None,)), P0.y, half_mse
            ),
            "the cache holds 0 layers, expected 2; run forward with this network first",
        ),
        (
            lambda: deep_backward(
                P0.deep,
                P0.params,
                deep_forward(UNSWITCHED, UNSWITCHED.init(np.random.default_rng(0)), P0.X),
                P0.y,
                half_mse,
            ),
            "the cache was made with batch_norm=False, expected True; "
            "run deep_forward with this network first",
        ),
        (
            lambda: deep_forward(P0.deep, P0.params.plain, P0.X),
            "params is a Params, expected DeepParams: deep.init(rng) or params.like(theta)",
        ),
        (
            lambda: DeepMLP((2, 3, 1)),
            "mlp is (2, 3, 1), expected an MLP: MLP((2, 1), (sigmoid,))",
        ),
        (
            lambda: deep_predict(P0.deep, P0.params, P0.X),
            "running is None, expected the statistics of layers 0..2; gather them while "
            "training: running = running_statistics(running, cache)",
        ),
        (
            lambda: deep_predict(P0.deep, P0.params, P0.X, ()),
            "running is (), expected the statistics of layers 0..2; gather them while "
            "training: running = running_statistics(running, cache)",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[[], Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError, ShapeError), match=exactly(message)):
        call()


def test_the_scale_that_is_not_finite_is_found_too() -> None:
    theta = P0.params.theta.copy()
    theta[-1] = np.inf
    with pytest.raises(ValueError, match=r"^theta\[29\] is inf, expected finite numbers"):
        deep_forward(P0.deep, P0.params.like(theta), P0.X)


def test_a_network_without_hidden_layers_has_nothing_to_switch() -> None:
    for switches in ((True, True), (False, False)):
        p = problem((3, 2), [softmax], cross_entropy, switches=switches, N=1)
        assert close(p.backward().grads.theta, central_differences(p.J, p.params.theta), 1e-8)


def test_one_row_will_do_where_nothing_is_normalised() -> None:
    p = problem((3, 3, 2), [tanh, identity], half_mse, switches=(False, True), N=1)
    assert p.backward().grads.theta.shape == (20,)
