"""Random networks for the tests: any depth and width, every activation, every loss that fits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from backprop_lib.activations import (
    Activation,
    identity,
    leaky_relu,
    relu,
    sigmoid,
    softmax,
    step,
    tanh,
)
from backprop_lib.losses import Loss, bce, cross_entropy, half_mse, sse
from backprop_lib.network import MLP, Params, propagate

Array = NDArray[np.float64]

HIDDEN = (sigmoid, tanh, relu, leaky_relu, identity)
# Every output activation with every loss it may have; step is left to tests of its own.
PAIRS = [(phi, loss) for phi in HIDDEN for loss in (half_mse, sse, bce)] + [
    (softmax, cross_entropy)
]
KINKED = (relu, leaky_relu, step)


def repeatable(max_examples: int) -> settings:
    """The same examples in every run, and nothing written to disk."""
    return settings(
        derandomize=True,
        database=None,
        deadline=None,
        print_blob=False,
        max_examples=max_examples,
    )


@dataclass(frozen=True)
class Case:
    """A network with everything that a gradient needs."""

    mlp: MLP
    params: Params
    X: Array
    y: Array
    loss: Loss

    def __repr__(self) -> str:
        return f"<{self.mlp.sizes} {self.mlp.activations} {self.loss} N={len(self.X)}>"

    @property
    def kink_distance(self) -> float:
        """How far the nearest input of a ReLU is from its kink."""
        z = propagate(self.mlp, self.params, self.X).z
        inputs = [np.abs(z[l]).min() for l in range(1, self.mlp.L + 1) if self._kinked(l)]
        return float(min(inputs, default=np.inf))

    def _kinked(self, l: int) -> bool:
        return self.mlp.phi[l] in KINKED


def random_case(
    seed: int,
    sizes: tuple[int, ...],
    hidden: tuple[Activation, ...],
    pair: tuple[Activation, Loss],
    N: int,
) -> Case:
    """Random weights, non-zero biases, inputs and targets of a network."""
    rng = np.random.default_rng(seed)
    phi, loss = pair
    mlp = MLP(sizes, (*hidden, phi))
    theta = rng.uniform(-1, 1, mlp.init(rng).theta.size)
    theta += 0.05 * np.sign(theta)  # no weight and no bias is nearly 0
    params = Params(theta, sizes)
    X = rng.standard_normal((N, sizes[0]))
    if loss is bce and phi is not sigmoid:
        _answer_between_0_and_1(mlp, params, X)
    return Case(mlp, params, X, random_targets(rng, loss, (N, sizes[-1])), loss)


def _answer_between_0_and_1(mlp: MLP, params: Params, X: Array) -> None:
    """Make z[L] lie within 0.2 and 0.8, where every activation answers between 0 and 1."""
    params.b[-1][:] = 0.5
    off = np.abs(propagate(mlp, params, X).z[-1] - 0.5).max()
    params.W[-1][:] *= 0.3 / max(off, 0.3)


def random_targets(rng: np.random.Generator, loss: Loss, shape: tuple[int, int]) -> Array:
    """Targets in the loss's range: classes, probabilities, any numbers."""
    if loss is cross_entropy:
        soft = rng.dirichlet(np.ones(shape[1]), shape[0])
        hard = np.eye(shape[1])[rng.integers(shape[1], size=shape[0])]
        return np.where(rng.random((shape[0], 1)) < 0.5, hard, soft)
    if loss is bce:
        soft = rng.random(shape)
        return np.where(rng.random(shape) < 0.5, np.round(soft), soft)
    return rng.standard_normal(shape)


@st.composite
def cases(
    draw: st.DrawFn,
    hidden: tuple[Activation, ...] = HIDDEN,
    pairs: list[tuple[Activation, Loss]] | None = None,
    max_layers: int = 4,
    max_width: int = 5,
    max_rows: int = 5,
) -> Case:
    """Cases of random depth, width, batch size, activations, loss and number of outputs."""
    L = draw(st.integers(1, max_layers))
    sizes = tuple(draw(st.lists(st.integers(1, max_width), min_size=L + 1, max_size=L + 1)))
    phis = tuple(draw(st.lists(st.sampled_from(hidden), min_size=L - 1, max_size=L - 1)))
    pair = draw(st.sampled_from(pairs or PAIRS))
    if pair[0] is softmax and sizes[-1] == 1:
        sizes = (*sizes[:-1], 2)  # one class of one has probability 1: nothing to learn
    seed, N = draw(st.integers(0, 2**32 - 1)), draw(st.integers(1, max_rows))
    return random_case(seed, sizes, phis, pair, N)


def distance(found: Array, expected: Array, floor: float = 0.0) -> float:
    """Length of the difference over the length of the longer vector, or over `floor` if shorter."""
    longer = max(np.linalg.norm(found), np.linalg.norm(expected), floor)
    difference = float(np.linalg.norm(np.ravel(found) - np.ravel(expected)))
    return difference / longer if difference else 0.0
