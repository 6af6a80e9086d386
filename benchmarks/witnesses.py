"""Do all witnesses tell the same gradient?

    python benchmarks/witnesses.py [number of random networks a column]

Prints one screen: for each witness and each feature of a network, the digits in which its
gradient agrees with the library's, in the worst of the random networks. The networks differ in
depth, widths, batch size, activations, loss and number of outputs; no bias is zero.

Only the hand trace and the central differences use the library's own forward pass. All the others
run `loss_again`, written once more below, each on numbers of its own kind.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop_lib.activations import (
    LEAK,
    Activation,
    identity,
    leaky_relu,
    relu,
    sigmoid,
    softmax,
    tanh,
)
from backprop_lib.autodiff import Tensor, gradients
from backprop_lib.deep import EPS, DeepMLP, DeepParams, deep_backward, deep_cost, deep_forward
from backprop_lib.gradcheck import (
    central_differences,
    complex_step,
    dual_numbers,
    relative_distance,
)
from backprop_lib.losses import Loss, bce, cross_entropy, half_mse, sse
from backprop_lib.network import MLP, Params, cost, count_parameters
from backprop_lib.regularization import (
    dropout_backward,
    dropout_forward,
    dropout_masks,
    l2_gradient,
    l2_penalty,
)
from backprop_lib.trace import trace_step

Array = NDArray[np.float64]
Gradient = Callable[["Problem"], Array | None]

HIDDEN = (sigmoid, tanh, relu, leaky_relu, identity)
PAIRS = [(phi, loss) for phi in HIDDEN for loss in (half_mse, sse, bce)]
PAIRS += [(softmax, cross_entropy)]
ALL = "BN+skips+L2"
FEATURES = ("plain", "L2", "dropout", "batch norm", "skips", ALL)

EXACT_DIGITS = 12
DIFFERENCE_DIGITS = 6  # central differences: what is left between rounding and truncation
KINK_DISTANCE = 1e-3


# --- Problems -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Problem:
    """One network with its data, its loss, and what is switched on."""

    mlp: MLP
    theta: Array
    X: Array
    y: Array
    loss: Loss
    l2: float = 0.0
    masks: tuple[Any, ...] | None = None
    batch_norm: bool = False
    skip: bool = False

    @property
    def deep(self) -> DeepMLP:
        return DeepMLP(self.mlp, self.batch_norm, self.skip)

    def params(self, theta: Array) -> Any:
        if self.batch_norm or self.skip:
            return DeepParams(theta, self.mlp.sizes, self.batch_norm)
        return Params(theta, self.mlp.sizes)

    def plain(self, theta: Array) -> Params:
        """Weights and biases without the scales of the normalisation."""
        return Params(theta[: count_parameters(self.mlp.sizes)], self.mlp.sizes)

    def __repr__(self) -> str:
        switches = f"l2={self.l2} dropout={self.masks is not None} bn={self.batch_norm}"
        switches += f" skip={self.skip}"
        return f"<{self.mlp.sizes} {self.mlp.activations} {self.loss} N={len(self.X)} {switches}>"


def random_problem(seed: int, feature: str) -> Problem:
    """A random network of up to four layers of up to five units, at no kink."""
    rng = np.random.default_rng([seed, FEATURES.index(feature)])
    while True:
        problem = _draw(rng, feature)
        if _kink_distance(problem) > KINK_DISTANCE:
            return problem


def _draw(rng: np.random.Generator, feature: str) -> Problem:
    hidden = int(rng.integers(feature != "plain", 4))
    widths = rng.integers(1, 6, hidden)
    if feature in ("skips", ALL):
        widths[:] = widths[0]  # so that there is something to skip
    phi, loss = PAIRS[rng.integers(len(PAIRS))]
    n_L = int(rng.integers(2 if phi is softmax else 1, 5))
    sizes = (int(rng.integers(1, 5)), *map(int, widths), n_L)
    mlp = MLP(sizes, [*(HIDDEN[i] for i in rng.integers(len(HIDDEN), size=hidden)), phi])
    switched = feature == ALL
    batch_norm = switched or feature == "batch norm"
    N = int(rng.integers(2 + batch_norm, 7))
    X = rng.standard_normal((N, sizes[0]))
    size = count_parameters(sizes) + (int(widths.sum()) if batch_norm else 0)
    theta = rng.uniform(0.05, 1, size) * rng.choice([-1, 1], size)
    problem = Problem(
        mlp,
        theta,
        X,
        _targets(rng, loss, (N, n_L)),
        loss,
        l2=0.1 if switched or feature == "L2" else 0.0,
        masks=dropout_masks(mlp, X, 0.3, rng) if feature == "dropout" else None,
        batch_norm=batch_norm,
        skip=switched or feature == "skips",
    )
    if loss is bce and phi is not sigmoid:
        _answer_between_0_and_1(problem)
    return problem


def _targets(rng: np.random.Generator, loss: Loss, shape: tuple[int, int]) -> Array:
    if loss is cross_entropy:
        return np.eye(shape[1])[rng.integers(shape[1], size=shape[0])]
    return rng.random(shape) if loss is bce else rng.standard_normal(shape)


def _answer_between_0_and_1(problem: Problem) -> None:
    """Make z[L] lie within 0.2 and 0.8, where every activation answers between 0 and 1."""
    params = problem.plain(problem.theta)
    params.b[-1][:] = 0.5
    off = np.abs(_forward(problem, problem.theta).z[-1] - 0.5).max()
    params.W[-1][:] *= 0.3 / max(off, 0.3)


def _kink_distance(problem: Problem) -> float:
    z, phi = _forward(problem, problem.theta).z, problem.mlp.phi
    kinked = [l for l in range(1, problem.mlp.L + 1) if phi[l] in (relu, leaky_relu)]
    return float(min((np.abs(z[l]).min() for l in kinked), default=math.inf))


# --- The library ----------------------------------------------------------------------------------


def _forward(problem: Problem, theta: Array) -> Any:
    params = problem.params(theta)
    if isinstance(params, DeepParams):
        return deep_forward(problem.deep, params, problem.X)
    masks = problem.masks or (1.0, *(np.ones((len(problem.X), n)) for n in problem.mlp.sizes[1:-1]))
    return dropout_forward(problem.mlp, params, problem.X, masks)


def library_cost(problem: Problem, theta: Array) -> float:
    """J and the penalty, as the library has them."""
    forward, penalty = _forward(problem, theta), l2_penalty(problem.plain(theta), problem.l2)
    if problem.batch_norm or problem.skip:
        return deep_cost(problem.deep, forward, problem.y, problem.loss) + penalty
    return cost(problem.mlp, forward, problem.y, problem.loss) + penalty


def matrix_route(problem: Problem) -> Array:
    """The gradient that is on trial: the library's own backward pass."""
    theta = problem.theta
    params, forward = problem.params(theta), _forward(problem, theta)
    given = (params, forward, problem.y, problem.loss)
    if problem.batch_norm or problem.skip:
        found = deep_backward(problem.deep, *given).grads.theta.copy()
    else:
        masks = problem.masks or (1.0, *(np.ones_like(a) for a in forward.a[1:-1]))
        found = dropout_backward(problem.mlp, *given, masks).grads.theta.copy()
    penalty = l2_gradient(problem.plain(theta), problem.l2).theta
    found[: penalty.size] += penalty
    return found


# --- The same loss once more ----------------------------------------------------------------------


def loss_again(problem: Problem, theta: Any, kind: SimpleNamespace) -> Any:
    """The loss without the library: formulas that any kind of number can go through."""
    W, b, gamma = _unpacked(problem, theta)
    N, L, a = len(problem.X), problem.mlp.L, kind.array(problem.X)
    for l in range(1, L + 1):
        fed = a if problem.masks is None or l == 1 else a * kind.array(problem.masks[l - 1])
        s = fed @ W[l].T
        if problem.batch_norm and l < L:
            off = s - s.sum(0) / N
            s = gamma[l] * off / ((off * off).sum(0) / N + EPS) ** 0.5
        z = s + b[l]
        v = _answer(problem, l, z, kind)
        wide = problem.mlp.sizes[l] == problem.mlp.sizes[l - 1]
        a = v + a if problem.skip and wide and l < L else v
    penalty = sum((w * w).sum() for w in W[1:]) * (problem.l2 / 2)
    return _measured(problem, a, kind.array(problem.y), N, kind) + penalty


def _unpacked(problem: Problem, theta: Any) -> tuple[list[Any], list[Any], list[Any]]:
    W, b, gamma, start = [None], [None], [None], 0
    for n_in, n_out in pairwise(problem.mlp.sizes):
        W.append(theta[start : start + n_in * n_out].reshape(n_out, n_in))
        start += n_in * n_out
        b.append(theta[start : start + n_out])
        start += n_out
    for n in problem.mlp.sizes[1:-1] if problem.batch_norm else ():
        gamma.append(theta[start : start + n])
        start += n
    return W, b, gamma


def _answer(problem: Problem, l: int, z: Any, kind: SimpleNamespace) -> Any:
    """phi(z), except behind a softmax: there ln p, which cross-entropy wants."""
    phi: Activation = problem.mlp.phi[l]
    functions = {
        "identity": lambda z: z,
        "sigmoid": kind.sigmoid,
        "tanh": kind.tanh,
        "relu": kind.relu,
        "leaky_relu": lambda z: kind.relu(z) - LEAK * kind.relu(-z),
        "softmax": lambda z: z - kind.log(kind.exp(z).sum(1)).reshape(-1, 1),
    }
    return functions[phi.name](z)


def _measured(problem: Problem, a: Any, y: Any, N: int, kind: SimpleNamespace) -> Any:
    terms = {
        "half_mse": lambda: ((a - y) ** 2).sum() / (2 * N),
        "sse": lambda: ((a - y) ** 2).sum(),
        "bce": lambda: -(y * kind.log(a) + (1 - y) * kind.log(1 - a)).sum() / N,
        "cross_entropy": lambda: -(y * a).sum() / N,
    }
    return terms[problem.loss.name]()


def _formulas(xp: Any) -> SimpleNamespace:
    """Numbers that numpy's functions, or functions of the same names, know."""
    return SimpleNamespace(
        array=lambda x: x,
        exp=xp.exp,
        log=xp.log,
        tanh=xp.tanh,
        sigmoid=lambda z: 1 / (1 + xp.exp(-z)),
        relu=lambda z: xp.where(z > 0, z, 0 * z),
    )


NUMPY = _formulas(np)
TENSORS = SimpleNamespace(
    array=lambda x: x,
    exp=Tensor.exp,
    log=Tensor.log,
    tanh=Tensor.tanh,
    sigmoid=Tensor.sigmoid,
    relu=Tensor.relu,
)


# --- The witnesses --------------------------------------------------------------------------------


def hand_trace(problem: Problem) -> Array | None:
    """Plain Python numbers, one sample after the other; it knows the plain network only."""
    if problem.masks or problem.batch_norm or problem.skip or problem.l2:
        return None
    params, total = problem.plain(problem.theta), np.zeros_like(problem.theta)
    for n in range(len(problem.X)):
        x, y = problem.X[n : n + 1], problem.y[n : n + 1]
        total += trace_step(problem.mlp, params, x, y, problem.loss, 0.01).grads.theta
    return total if problem.loss is sse else total / len(problem.X)


def by_differences(problem: Problem) -> Array:
    return central_differences(lambda theta: library_cost(problem, theta), problem.theta)


def by_complex_step(problem: Problem) -> Array:
    return complex_step(lambda theta: loss_again(problem, theta, NUMPY), problem.theta)


def by_dual_numbers(problem: Problem) -> Array:
    return dual_numbers(lambda theta: loss_again(problem, theta, NUMPY), problem.theta)


def by_own_autodiff(problem: Problem) -> Array:
    theta = Tensor(problem.theta)
    (found,) = gradients(loss_again(problem, theta, TENSORS), [theta])
    return found


def by_torch(problem: Problem) -> Array | None:
    if not (torch := _imported("torch")):
        return None
    kind = SimpleNamespace(
        array=torch.from_numpy,
        exp=torch.exp,
        log=torch.log,
        tanh=torch.tanh,
        sigmoid=torch.sigmoid,
        relu=torch.relu,
    )
    theta = torch.tensor(problem.theta, requires_grad=True)
    loss_again(problem, theta, kind).backward()
    return theta.grad.numpy()


def by_jax(problem: Problem) -> Array | None:
    # Each network is compiled anew and run once, so nothing is gained by compiling it well.
    os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
    if not (jax := _imported("jax")):
        return None
    with jax.enable_x64(True):
        kind = _formulas(jax.numpy)
        kind.array, kind.sigmoid, kind.relu = jax.numpy.asarray, jax.nn.sigmoid, jax.nn.relu
        slope = jax.jit(jax.grad(lambda theta: loss_again(problem, theta, kind)))
        return np.asarray(slope(jax.numpy.asarray(problem.theta)))


def by_autograd(problem: Problem) -> Array | None:
    if not (autograd := _imported("autograd")):
        return None
    kind = _formulas(_imported("autograd.numpy"))
    found: Array = autograd.grad(lambda theta: loss_again(problem, theta, kind))(problem.theta)
    return found


@cache
def _imported(name: str) -> Any:
    """A package, or None where it is not installed."""
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError:
        return None


WITNESSES: dict[str, Gradient] = {
    "hand trace": hand_trace,
    "central differences": by_differences,
    "complex step": by_complex_step,
    "dual numbers": by_dual_numbers,
    "own autodiff": by_own_autodiff,
    "PyTorch": by_torch,
    "JAX": by_jax,
    "autograd": by_autograd,
}


def demanded(witness: str) -> int:
    """In how many digits a witness must agree."""
    return DIFFERENCE_DIGITS if witness == "central differences" else EXACT_DIGITS


def agreeing_digits(found: Array, expected: Array) -> float:
    """Digits in which two gradients agree, at most 16."""
    distance = relative_distance(found, expected)
    return 16.0 if distance <= 1e-16 else -math.log10(distance)


# --- The table ------------------------------------------------------------------------------------


def worst_digits(witness: str, feature: str, networks: int) -> float | None:
    """The fewest agreeing digits over the random networks; None if the witness has no say."""
    fewest: float | None = None
    for seed in range(networks):
        problem = random_problem(seed, feature)
        found = WITNESSES[witness](problem)
        if found is None:
            return None
        digits = agreeing_digits(found, matrix_route(problem))
        fewest = digits if fewest is None else min(fewest, digits)
    return fewest


def main(networks: int = 20) -> bool:
    """Print the table; whether every witness agrees as it must."""
    print("Digits in which each witness's gradient agrees with the library's backward pass:")
    print(f"the worst of {networks} random networks a column, float64; - where it has no say.\n")
    print(f"{'':<21}" + "".join(f"{feature:>13}" for feature in FEATURES))
    agree = True
    for witness in WITNESSES:
        row = [worst_digits(witness, feature, networks) for feature in FEATURES]
        print(f"{witness:<21}" + "".join(f"{_cell(digits):>13}" for digits in row))
        agree &= all(digits is None or digits >= demanded(witness) for digits in row)
    verdict = "All agree" if agree else "NOT all agree"
    print(f"\n{verdict}: {EXACT_DIGITS} digits, central differences {DIFFERENCE_DIGITS}.")
    return agree


def _cell(digits: float | None) -> str:
    return "-" if digits is None else f"{digits:.1f}"


if __name__ == "__main__":
    sys.exit(not main(*map(int, sys.argv[1:])))
