"""Optimizers against their rules entry by entry, against PyTorch, and against the book's claims."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop_lib.errors import Diverged, ShapeError
from backprop_lib.network import Params
from backprop_lib.optimizers import (
    Optimizer,
    adam,
    adamw,
    clip_by_norm,
    clipped,
    cosine_decay,
    exponential_decay,
    momentum,
    nesterov,
    rmsprop,
    sgd,
    step_decay,
    warm_up,
)

repeatable = settings(
    derandomize=True, print_blob=False, database=None, deadline=None, max_examples=40
)
SIZES = (3, 4, 2)
P = 26
STEPS = 50

ETA = 0.05
ALL = {
    "sgd": sgd,
    "momentum": momentum,
    "nesterov": nesterov,
    "rmsprop": rmsprop,
    "adam": adam,
    "adamw": adamw,
    "clipped": lambda eta: clipped(momentum(eta), max_norm=0.5),
}
every_optimizer = pytest.mark.parametrize("make", ALL.values(), ids=ALL)


def params_of(theta: np.ndarray) -> Params:
    return Params(theta, SIZES)


def draw(seed: int, dtype: Any = np.float64) -> Iterator[Params]:
    """Vectors of very different sizes, one after the other."""
    rng = np.random.default_rng(seed)
    while True:
        yield params_of((rng.standard_normal(P) * 10 ** rng.uniform(-3, 2)).astype(dtype))


def walk(optimizer: Optimizer, steps: int = STEPS, seed: int = 0) -> list[np.ndarray]:
    """Every theta on the way, for a fixed sequence of gradients."""
    gradients = draw(seed)
    params = next(gradients)
    state = optimizer.init(params)
    path = [params.theta]
    for _ in range(steps):
        params, state = optimizer.step(params, next(gradients), state)
        path.append(params.theta)
    return path


def apart(found: list[np.ndarray], expected: list[np.ndarray]) -> float:
    """Largest difference over the largest entry."""
    assert np.shape(found) == np.shape(expected)
    return float(np.abs(np.subtract(found, expected)).max() / np.abs(expected).max())


# ------------------------------------------------------------------------------------------------
# The rules, one number at a time and without an array

Rule = Callable[[float, float, int, dict[str, float]], float]  # (theta, g, step from 1, memory)


def momentum_by_hand(theta: float, g: float, k: int, memory: dict[str, float]) -> float:
    memory["v"] = 0.9 * memory.get("v", 0.0) + g
    return theta - ETA * memory["v"]


def nesterov_by_hand(theta: float, g: float, k: int, memory: dict[str, float]) -> float:
    memory["v"] = 0.9 * memory.get("v", 0.0) + g
    return theta - ETA * g - ETA * 0.9 * memory["v"]


def rmsprop_by_hand(theta: float, g: float, k: int, memory: dict[str, float]) -> float:
    memory["v"] = 0.9 * memory.get("v", 0.0) + 0.1 * g * g
    return theta - ETA * g / (math.sqrt(memory["v"]) + 1e-8)


def adam_by_hand(theta: float, g: float, k: int, memory: dict[str, float]) -> float:
    memory["m"] = 0.9 * memory.get("m", 0.0) + 0.1 * g
    memory["v"] = 0.999 * memory.get("v", 0.0) + 0.001 * g * g
    mean, square = memory["m"] / (1 - 0.9**k), memory["v"] / (1 - 0.999**k)
    return theta - ETA * mean / (math.sqrt(square) + 1e-8)


def adamw_by_hand(theta: float, g: float, k: int, memory: dict[str, float]) -> float:
    return adam_by_hand(theta, g, k, memory) - ETA * 0.01 * theta


BY_HAND: dict[str, tuple[Optimizer, Rule]] = {
    "sgd": (sgd(ETA), lambda theta, g, k, memory: theta - ETA * g),
    "momentum": (momentum(ETA), momentum_by_hand),
    "nesterov": (nesterov(ETA), nesterov_by_hand),
    "rmsprop": (rmsprop(ETA), rmsprop_by_hand),
    "adam": (adam(ETA), adam_by_hand),
    "adamw": (adamw(ETA), adamw_by_hand),
}


@pytest.mark.parametrize(("optimizer", "rule"), BY_HAND.values(), ids=BY_HAND)
def test_every_rule_entry_by_entry(optimizer: Optimizer, rule: Rule) -> None:
    gradients = draw(seed=0)
    expected = [next(gradients).theta]
    memories: list[dict[str, float]] = [{} for _ in range(P)]
    for k in range(1, STEPS + 1):
        entries = zip(expected[-1].tolist(), next(gradients).theta.tolist(), memories, strict=True)
        expected.append(np.array([rule(theta, g, k, memory) for theta, g, memory in entries]))
    assert apart(walk(optimizer), expected) < 1e-13


# ------------------------------------------------------------------------------------------------
# PyTorch

TORCH = {
    "SGD": (sgd(ETA), {}),
    "SGD, momentum": (momentum(ETA, momentum=0.8), {"momentum": 0.8}),
    "SGD, nesterov": (nesterov(ETA, momentum=0.8), {"momentum": 0.8, "nesterov": True}),
    "RMSprop": (rmsprop(ETA, beta2=0.95, eps=1e-6), {"alpha": 0.95, "eps": 1e-6}),
    "Adam": (adam(ETA, beta1=0.8, beta2=0.99, eps=1e-6), {"betas": (0.8, 0.99), "eps": 1e-6}),
    "AdamW": (adamw(ETA, weight_decay=0.2), {"weight_decay": 0.2}),
}


def walk_with_torch(make: Callable[..., Any], steps: int = STEPS) -> list[np.ndarray]:
    torch = pytest.importorskip("torch")
    gradients = draw(seed=0)
    theta = torch.nn.Parameter(torch.tensor(next(gradients).theta))
    optimizer, after_step = make(torch, [theta])
    path = [theta.detach().numpy().copy()]
    for _ in range(steps):
        theta.grad = torch.tensor(next(gradients).theta)
        optimizer.step()
        after_step()
        path.append(theta.detach().numpy().copy())
    return path


@pytest.mark.parametrize("title", TORCH)
def test_pytorch_takes_the_same_steps(title: str) -> None:
    ours, options = TORCH[title]

    def make(torch: Any, parameters: list[Any]) -> Any:
        kind = getattr(torch.optim, title.partition(",")[0])
        return kind(parameters, lr=ETA, **options), lambda: None

    assert apart(walk(ours), walk_with_torch(make)) < 1e-12


TORCH_SCHEDULES = {
    "StepLR": (step_decay(ETA, factor=0.5, steps=7), {"step_size": 7, "gamma": 0.5}),
    "ExponentialLR": (exponential_decay(ETA, factor=0.9, steps=1), {"gamma": 0.9}),
    "CosineAnnealingLR": (cosine_decay(ETA, STEPS, stop=0.01), {"T_max": STEPS, "eta_min": 0.01}),
    "LinearLR": (warm_up(ETA, steps=10), {"start_factor": 0.1, "total_iters": 9}),
}


@pytest.mark.parametrize("title", TORCH_SCHEDULES)
def test_pytorch_schedules_the_same_steps(title: str) -> None:
    schedule, options = TORCH_SCHEDULES[title]

    def make(torch: Any, parameters: list[Any]) -> Any:
        optimizer = torch.optim.SGD(parameters, lr=ETA, momentum=0.9)
        kind = getattr(torch.optim.lr_scheduler, title)
        return optimizer, kind(optimizer, **options).step

    assert apart(walk(momentum(schedule)), walk_with_torch(make)) < 1e-12


def test_pytorch_clips_alike() -> None:
    torch = pytest.importorskip("torch")
    gradients = draw(seed=3)
    for _ in range(20):
        g = next(gradients)
        theta = torch.nn.Parameter(torch.zeros(P, dtype=torch.float64))
        theta.grad = torch.tensor(g.theta)
        torch.nn.utils.clip_grad_norm_([theta], max_norm=2.0)
        # PyTorch adds 1e-6 to the norm before it divides.
        assert np.allclose(clip_by_norm(g, 2.0).theta, theta.grad.numpy(), rtol=1e-6, atol=0)


# ------------------------------------------------------------------------------------------------
# Promises every optimizer keeps


@every_optimizer
def test_nothing_is_changed_in_place(make: Callable[..., Optimizer]) -> None:
    optimizer, gradients = make(ETA), draw(seed=1)
    params, grads = next(gradients), next(gradients)
    state = optimizer.init(params)
    for _ in range(3):
        arrays = [params.theta, grads.theta, *state[1:]]
        before = [array.tobytes() for array in arrays]
        moved, next_state = optimizer.step(params, grads, state)
        assert [array.tobytes() for array in arrays] == before
        assert not any(np.shares_memory(moved.theta, array) for array in arrays)
        again, _ = optimizer.step(params, grads, state)
        assert again.theta.tobytes() == moved.theta.tobytes()
        assert next_state[0] == state[0] + 1
        params, state = moved, next_state


@every_optimizer
@pytest.mark.parametrize(
    "learning_rate", [0.1, np.float64(0.1), lambda t: np.float64(0.1)], ids=type
)
def test_float32_stays_float32(make: Callable[..., Optimizer], learning_rate: Any) -> None:
    optimizer, gradients = make(learning_rate), draw(seed=2, dtype=np.float32)
    params = next(gradients)
    state = optimizer.init(params)
    for _ in range(3):
        params, state = optimizer.step(params, next(gradients), state)
        assert {params.theta.dtype, *(memory.dtype for memory in state[1:])} == {
            np.dtype(np.float32)
        }


def test_hyperparameters_from_numpy_leave_float32_alone() -> None:
    half = np.float64(0.5)
    gradients = draw(seed=2, dtype=np.float32)
    params, grads = next(gradients), next(gradients)
    for optimizer in (
        momentum(half, half),
        nesterov(half, half),
        rmsprop(half, half, half),
        adam(half, half, half, half),
        adamw(half, half, half, half, half),
        clipped(sgd(half), half),
    ):
        assert optimizer.step(params, grads, optimizer.init(params))[0].theta.dtype == np.float32


@every_optimizer
def test_every_optimizer_descends_a_bowl(make: Callable[..., Optimizer]) -> None:
    curvature = np.linspace(0.5, 2.0, P)
    optimizer = make(cosine_decay(0.1, steps=300))
    params = params_of(np.ones(P))
    state = optimizer.init(params)
    for _ in range(300):
        params, state = optimizer.step(params, params_of(curvature * params.theta), state)
    assert np.abs(params.theta).max() < 1e-3


@every_optimizer
def test_without_a_gradient_nothing_moves_but_what_decays(make: Callable[..., Optimizer]) -> None:
    optimizer, params = make(ETA), params_of(np.arange(1.0, P + 1))
    moved, _ = optimizer.step(params, params_of(np.zeros(P)), optimizer.init(params))
    shrink = 1 - ETA * 0.01 if make is adamw else 1
    assert np.allclose(moved.theta, shrink * params.theta, rtol=1e-15, atol=0)


# ------------------------------------------------------------------------------------------------
# How the rules hang together


def test_special_cases_are_equal_bit_for_bit() -> None:
    pairs = [
        (momentum(ETA, momentum=0.0), sgd(ETA)),
        (nesterov(ETA, momentum=0.0), sgd(ETA)),
        (adam(ETA, beta1=0.0, beta2=0.9, bias_correction=False), rmsprop(ETA, beta2=0.9)),
        (adamw(ETA, weight_decay=0.0), adam(ETA)),
        (clipped(adam(ETA), max_norm=1e9), adam(ETA)),
        (momentum(lambda t: ETA), momentum(ETA)),
    ]
    for special, general in pairs:
        found, expected = walk(special), walk(general)
        assert [x.tobytes() for x in found] == [x.tobytes() for x in expected], special


def test_learning_rate_in_the_velocity_is_the_same_path_until_it_changes() -> None:
    def other_convention(eta: Callable[[int], float]) -> list[np.ndarray]:
        gradients = draw(seed=0)
        path, v = [next(gradients).theta], np.zeros(P)
        for t in range(STEPS):
            v = 0.9 * v - eta(t) * next(gradients).theta
            path.append(path[-1] + v)
        return path

    falling = step_decay(ETA, factor=0.1, steps=10)
    assert apart(walk(momentum(ETA)), other_convention(lambda t: ETA)) < 1e-13
    assert apart(walk(momentum(falling)), other_convention(falling)) > 1e-3


def test_nesterov_is_the_gradient_at_the_point_ahead() -> None:
    curvature = np.linspace(0.5, 5.0, P)
    theta, v = np.ones(P), np.zeros(P)
    optimizer, ahead = nesterov(ETA), params_of(np.ones(P))
    state = optimizer.init(ahead)
    for _ in range(STEPS):
        v = 0.9 * v + curvature * (theta - ETA * 0.9 * v)
        theta = theta - ETA * v
        ahead, state = optimizer.step(ahead, params_of(curvature * ahead.theta), state)
        assert np.allclose(ahead.theta, theta - ETA * 0.9 * v, rtol=1e-12, atol=1e-15)


# ------------------------------------------------------------------------------------------------
# Claims of chapter 11


def test_momentum_of_nine_tenths_steps_up_to_ten_times_as_far() -> None:
    optimizer, grads = momentum(ETA, momentum=0.9), params_of(np.ones(P))
    params = params_of(np.zeros(P))
    state = optimizer.init(params)
    lengths = []
    for _ in range(300):
        moved, state = optimizer.step(params, grads, state)
        lengths.append(float((params.theta - moved.theta)[0] / ETA))
        params = moved
    assert lengths[0] == 1
    assert all(a <= b + 1e-9 for a, b in pairwise(lengths))
    assert max(lengths) <= 10 + 1e-9
    assert lengths[-1] == pytest.approx(10, rel=1e-9)


@repeatable
@given(size=st.floats(1e-3, 1e6), sign=st.sampled_from([-1, 1]), eta=st.floats(1e-6, 10))
def test_adams_first_step_is_eta_whatever_the_gradient(size: float, sign: int, eta: float) -> None:
    params, grads = params_of(np.zeros(P)), params_of(np.full(P, sign * size))
    for bias_correction, factor in [(True, 1.0), (False, 0.1 / math.sqrt(0.001))]:
        optimizer = adam(eta, eps=1e-12, bias_correction=bias_correction)
        moved, _ = optimizer.step(params, grads, optimizer.init(params))
        assert np.allclose(moved.theta, -sign * factor * eta, rtol=1e-6, atol=0)


def test_without_correction_the_first_step_is_three_times_too_long() -> None:
    params, grads = params_of(np.zeros(P)), params_of(np.ones(P))
    plain, corrected = adam(ETA, bias_correction=False), adam(ETA)
    first = [o.step(params, grads, o.init(params))[0].theta[0] for o in (plain, corrected)]
    assert first[0] / first[1] == pytest.approx(3.16, abs=0.005)


def test_noise_and_not_size_shortens_adams_steps() -> None:
    def last_steps(gradient: Callable[[int], float]) -> float:
        optimizer, params = adam(ETA), params_of(np.zeros(P))
        state, lengths = optimizer.init(params), []
        for t in range(400):
            grads = params_of(np.full(P, gradient(t)))
            moved, state = optimizer.step(params, grads, state)
            lengths.append(abs(moved.theta - params.theta)[0] / ETA)
            params = moved
        return float(np.mean(lengths[-100:]))

    assert last_steps(lambda t: 1000.0) == pytest.approx(1, rel=1e-6)
    assert last_steps(lambda t: 0.001) == pytest.approx(1, rel=1e-4)
    assert last_steps(lambda t: 1.0 if t % 2 else -1.0) < 0.1


def test_under_adam_decay_is_not_an_l2_penalty() -> None:
    """Of two weights, Adam's penalty hardly shrinks the one with the large noisy gradient."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((500, P)) * np.where(np.arange(P) < P // 2, 0.01, 100.0)
    kept = {}
    for title, optimizer, penalty in (
        ("adam and L2", adam(0.001), 0.1),
        ("adamw", adamw(0.001, weight_decay=0.1), 0.0),
    ):
        params = params_of(np.ones(P))
        state = optimizer.init(params)
        for g in noise - noise.mean(axis=0):
            grads = params_of(g + penalty * params.theta)
            params, state = optimizer.step(params, grads, state)
        kept[title] = params.theta[: P // 2].mean() - params.theta[P // 2 :].mean()
    assert kept["adam and L2"] < -0.2
    assert abs(kept["adamw"]) < 0.05


# ------------------------------------------------------------------------------------------------
# Schedules


def test_schedules_at_a_glance() -> None:
    stairs, ramp = step_decay(1.0, 0.5, 10), exponential_decay(1.0, 0.5, 10)
    wave = cosine_decay(1.0, 100, stop=0.2)
    assert [stairs(t) for t in (0, 9, 10, 19, 20)] == [1, 1, 0.5, 0.5, 0.25]
    assert [ramp(t) for t in (0, 10, 20)] == [1, 0.5, 0.25]
    assert ramp(5) == pytest.approx(math.sqrt(0.5))
    assert [round(wave(t), 12) for t in (0, 50, 100, 101, 10**6)] == [1, 0.6, 0.2, 0.2, 0.2]
    assert wave(25) == pytest.approx(0.2 + 0.8 * (1 + math.sqrt(0.5)) / 2)
    assert [warm_up(stairs, 4)(t) for t in (0, 1, 2, 3, 4, 10)] == [0.25, 0.5, 0.75, 1, 1, 0.5]


@repeatable
@given(
    start=st.floats(1e-3, 10),
    factor=st.floats(0.1, 1),
    steps=st.integers(1, 50),
    stop=st.floats(0, 1e-3),
)
def test_schedules_only_fall_and_stay_in_their_range(
    start: float, factor: float, steps: int, stop: float
) -> None:
    for schedule, least in (
        (step_decay(start, factor, steps), 0.0),
        (exponential_decay(start, factor, steps), 0.0),
        (cosine_decay(start, steps, stop), stop),
    ):
        values = [schedule(t) for t in range(3 * steps)]
        assert values[0] == pytest.approx(start)
        assert all(later <= earlier * (1 + 1e-12) for earlier, later in pairwise(values))
        assert min(values) >= least * (1 - 1e-12)
    stairs, ramp = step_decay(start, factor, steps), exponential_decay(start, factor, steps)
    assert all(ramp(t) <= stairs(t) * (1 + 1e-12) for t in range(3 * steps))
    assert all(ramp(t) == pytest.approx(stairs(t)) for t in range(0, 3 * steps, steps))


@pytest.mark.parametrize("make", [sgd, momentum, nesterov, rmsprop, adam, adamw])
def test_a_schedule_is_asked_for_the_number_of_steps_taken(make: Callable[..., Optimizer]) -> None:
    asked: set[int] = set()
    lengths = []

    def eta(t: int) -> float:
        asked.add(t)
        return 0.1 if t == 2 else 0.0

    optimizer, grads = make(eta), params_of(np.ones(P))
    params = params_of(np.zeros(P))
    state = optimizer.init(params)
    for _ in range(4):
        moved, state = optimizer.step(params, grads, state)
        lengths.append(np.abs(moved.theta - params.theta).max())
        params = moved
    assert asked == {0, 1, 2, 3}
    assert [length > 0 for length in lengths] == [False, False, True, False]


# ------------------------------------------------------------------------------------------------
# Clipping


@repeatable
@given(
    g=st.lists(st.floats(-1e6, 1e6), min_size=P, max_size=P),
    max_norm=st.floats(1e-3, 1e3),
)
def test_clipping_shortens_and_never_turns(g: list[float], max_norm: float) -> None:
    grads = params_of(np.array(g))
    before = grads.theta.tobytes()
    short = clip_by_norm(grads, max_norm)
    norm = np.linalg.norm(grads.theta)
    assert grads.theta.tobytes() == before
    assert np.linalg.norm(short.theta) == pytest.approx(min(norm, max_norm), rel=1e-12)
    turned_back = short.theta * norm / min(norm, max_norm) if norm else short.theta
    assert np.allclose(turned_back, grads.theta, rtol=1e-12, atol=1e-300)


def test_a_short_gradient_passes_untouched() -> None:
    grads = params_of(np.full(P, 1e-3))
    assert clip_by_norm(grads, 1.0) is grads


def test_clipping_by_value_would_turn_the_gradient() -> None:
    g = np.array([30.0, 40.0])
    by_norm = clip_by_norm(Params(g, (1, 1)), 5.0).theta
    by_value = np.clip(g, -5, 5)
    assert by_norm[0] / by_norm[1] == pytest.approx(0.75)
    assert by_value[0] / by_value[1] == 1


def test_a_clipped_optimizer_sees_only_short_gradients() -> None:
    gradients = draw(seed=0)
    params = next(gradients)
    plain, short = momentum(ETA), clipped(momentum(ETA), max_norm=0.5)
    expected, state = params, plain.init(params)
    found, clipped_state = params, short.init(params)
    for _ in range(10):
        grads = next(gradients)
        expected, state = plain.step(expected, clip_by_norm(grads, 0.5), state)
        found, clipped_state = short.step(found, grads, clipped_state)
        assert found.theta.tobytes() == expected.theta.tobytes()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_gradient_that_is_not_finite_cannot_be_clipped(bad: float) -> None:
    g = np.ones(P)
    g[3] = bad
    with pytest.raises(Diverged, match=r"^the norm of the gradient is (nan|inf), which no factor"):
        clip_by_norm(params_of(g), 1.0)


# ------------------------------------------------------------------------------------------------
# Doors


def exactly(message: str) -> str:
    return f"^{re.escape(message)}$"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sgd(-0.5), "learning_rate is -0.5, expected a finite number above 0"),
        (lambda: sgd(0), "learning_rate is 0, expected a finite number above 0"),
        (lambda: sgd(math.nan), "learning_rate is nan, expected a finite number above 0"),
        (lambda: sgd("fast"), "learning_rate is 'fast', expected a finite number above 0"),
        (lambda: momentum(math.inf), "learning_rate is inf, expected a finite number above 0"),
        (
            lambda: momentum(0.1, momentum=1.0),
            "momentum is 1.0, expected a number from 0 up to, but not including, 1",
        ),
        (
            lambda: nesterov(0.1, momentum=-0.1),
            "momentum is -0.1, expected a number from 0 up to, but not including, 1",
        ),
        (
            lambda: rmsprop(0.1, beta2=math.nan),
            "beta2 is nan, expected a number from 0 up to, but not including, 1",
        ),
        (
            lambda: momentum(0.1, momentum=False),
            "momentum is False, expected a number from 0 up to, but not including, 1",
        ),
        (
            lambda: adamw(0.1, weight_decay=True),
            "weight_decay is True, expected a finite number, 0 or more",
        ),
        (lambda: rmsprop(0.1, eps=0.0), "eps is 0.0, expected a finite number above 0"),
        (
            lambda: adam(0.1, beta1=1.5),
            "beta1 is 1.5, expected a number from 0 up to, but not including, 1",
        ),
        (
            lambda: adam(0.1, beta2="0.9"),
            "beta2 is '0.9', expected a number from 0 up to, but not including, 1",
        ),
        (lambda: adam(0.1, eps=-1e-8), "eps is -1e-08, expected a finite number above 0"),
        (lambda: adamw(0.0), "learning_rate is 0.0, expected a finite number above 0"),
        (
            lambda: adamw(0.1, weight_decay=-0.01),
            "weight_decay is -0.01, expected a finite number, 0 or more",
        ),
        (lambda: step_decay(0.0, 0.5, 10), "start is 0.0, expected a finite number above 0"),
        (lambda: step_decay(0.1, 0.0, 10), "factor is 0.0, expected a finite number above 0"),
        (
            lambda: exponential_decay(0.1, 0.5, 0),
            "steps is 0, expected a finite number above 0",
        ),
        (lambda: cosine_decay(0.1, -5), "steps is -5, expected a finite number above 0"),
        (lambda: cosine_decay(0.1, 5, stop=-1), "stop is -1, expected a finite number, 0 or more"),
        (lambda: warm_up(-0.1, 5), "learning_rate is -0.1, expected a finite number above 0"),
        (lambda: warm_up(0.1, 0), "steps is 0, expected a finite number above 0"),
        (lambda: clipped(sgd(0.1), 0.0), "max_norm is 0.0, expected a finite number above 0"),
        (
            lambda: clip_by_norm(params_of(np.ones(P)), -1.0),
            "max_norm is -1.0, expected a finite number above 0",
        ),
    ],
)
def test_settings_out_of_range(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=exactly(message)):
        call()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (-0.5, "learning_rate(1) is -0.5, expected a finite number, 0 or more"),
        (math.nan, "learning_rate(1) is nan, expected a finite number, 0 or more"),
        (None, "learning_rate(1) is None, expected a finite number, 0 or more"),
    ],
)
def test_a_schedule_that_goes_wrong_is_named_with_its_step(value: Any, message: str) -> None:
    optimizer, params = sgd(lambda t: 0.1 if t == 0 else value), params_of(np.ones(P))
    params, state = optimizer.step(params, params, optimizer.init(params))
    with pytest.raises(ValueError, match=exactly(message)):
        optimizer.step(params, params, state)


def test_a_gradient_of_another_network_or_dtype_is_refused() -> None:
    optimizer, params = sgd(0.1), params_of(np.ones(P))
    message = "the gradient has 2 entries, expected one for each of the 26 parameters"
    with pytest.raises(ShapeError, match=exactly(message)):
        optimizer.step(params, Params(np.ones(2), (1, 1)), optimizer.init(params))
    message = (
        "grads.theta is float32 and params.theta is float64; "
        "convert one: grads.theta.astype(np.float64)"
    )
    with pytest.raises(TypeError, match=exactly(message)):
        optimizer.step(params, params_of(np.ones(P, np.float32)), optimizer.init(params))


def test_names_say_what_was_set() -> None:
    assert [repr(make(0.1)) for make in ALL.values()] == [
        "sgd(learning_rate=0.1)",
        "momentum(learning_rate=0.1, momentum=0.9)",
        "nesterov(learning_rate=0.1, momentum=0.9)",
        "rmsprop(learning_rate=0.1, beta2=0.9)",
        "adam(learning_rate=0.1, beta1=0.9, beta2=0.999)",
        "adamw(learning_rate=0.1, weight_decay=0.01)",
        "momentum(learning_rate=0.1, momentum=0.9) clipped at 0.5",
    ]
    assert repr(adam(cosine_decay(0.1, 10))).startswith("adam(learning_rate=schedule, ")
