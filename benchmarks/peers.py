"""One training step of the same network, done by the library and by its peers.

Sigmoid layers, half the mean squared error, plain gradient descent: the same arithmetic
everywhere, except that scikit-learn's classifier ends in softmax and cross-entropy. Every maker
returns a function that takes one step, or raises ImportError.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop_lib.activations import sigmoid
from backprop_lib.backprop import backward
from backprop_lib.losses import half_mse
from backprop_lib.network import MLP, forward, normal
from backprop_lib.optimizers import sgd
from backprop_lib.regularization import backprop_gradient
from benchmarks.timing import Work

LEARNING_RATE = 1e-3  # small: thousands of steps must not leave the range of a sigmoid


@dataclass(frozen=True)
class Task:
    """A network and one batch."""

    sizes: tuple[int, ...]
    N: int

    @property
    def title(self) -> str:
        return f"{'-'.join(map(str, self.sizes))}  N={self.N}"

    def batch(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        rng = np.random.default_rng(0)
        X = rng.random((self.N, self.sizes[0]))
        labels = np.arange(self.N) % max(self.sizes[-1], 2)
        y = labels[:, None].astype(float) if self.sizes[-1] == 1 else np.eye(self.sizes[-1])[labels]
        return X, y

    def mlp(self) -> MLP:
        return MLP(self.sizes, (sigmoid,) * (len(self.sizes) - 1))


def library_step(task: Task) -> Work:
    """As `fit` does it: arguments are checked before the first step only."""
    mlp, (X, y) = task.mlp(), task.batch()
    gradient, optimizer = backprop_gradient(mlp, half_mse), sgd(LEARNING_RATE)
    params = mlp.init(np.random.default_rng(0), normal)
    state = optimizer.init(params)

    def step() -> None:
        nonlocal params, state
        params, state = optimizer.step(params, gradient(params, X, y), state)

    return step


def checked_step(task: Task) -> Work:
    """As a page writes it: forward, backward, step, each with its door."""
    mlp, (X, y) = task.mlp(), task.batch()
    optimizer = sgd(LEARNING_RATE)
    params = mlp.init(np.random.default_rng(0), normal)
    state = optimizer.init(params)

    def step() -> None:
        nonlocal params, state
        cache = forward(mlp, params, X)
        back = backward(mlp, params, cache, y, half_mse)
        params, state = optimizer.step(params, back.grads, state)

    return step


def bare_products(task: Task) -> Work:
    """Nothing but the matrix products that a step cannot do without."""
    rng = np.random.default_rng(0)
    layers = list(pairwise(task.sizes))
    W = [rng.standard_normal((n_out, n_in)) for n_in, n_out in layers]
    a = [rng.standard_normal((task.N, n_in)) for n_in, _ in layers]
    delta = [rng.standard_normal((task.N, n_out)) for _, n_out in layers]

    def products() -> None:
        for l in range(len(W)):
            a[l] @ W[l].T
            delta[l].T @ a[l]
            if l:
                delta[l] @ W[l]

    return products


def torch_step(task: Task) -> Work:
    import torch

    torch.set_num_threads(1)
    X, y = map(torch.from_numpy, task.batch())
    layers = [
        layer
        for n_in, n_out in pairwise(task.sizes)
        for layer in (torch.nn.Linear(n_in, n_out, dtype=torch.float64), torch.nn.Sigmoid())
    ]
    net = torch.nn.Sequential(*layers)
    optimizer = torch.optim.SGD(net.parameters(), lr=LEARNING_RATE)

    def step() -> None:
        optimizer.zero_grad()
        J = (net(X) - y).square().sum() / (2 * len(X))
        J.backward()
        optimizer.step()

    return step


def sklearn_step(task: Task) -> Work:
    X, y = task.batch()
    net = sklearn_network(task.sizes, task.N)
    if task.sizes[-1] == 1:
        return lambda: net.partial_fit(X, y[:, 0])
    labels, classes = y.argmax(axis=1), np.arange(task.sizes[-1])
    return lambda: net.partial_fit(X, labels, classes=classes)


def sklearn_network(sizes: tuple[int, ...], N: int) -> Any:
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    warnings.filterwarnings("ignore", module="sklearn")
    return (MLPRegressor if sizes[-1] == 1 else MLPClassifier)(
        hidden_layer_sizes=sizes[1:-1],
        activation="logistic",
        solver="sgd",
        learning_rate_init=LEARNING_RATE,
        momentum=0.0,
        nesterovs_momentum=False,
        alpha=0.0,
        batch_size=N,
        max_iter=1,
        random_state=0,
    )


def jax_step(task: Task) -> Work:
    import jax
    import jax.numpy as jnp

    X, y = map(jnp.asarray, task.batch())
    rng = np.random.default_rng(0)
    params = [
        (jnp.asarray(rng.standard_normal((n_out, n_in))), jnp.zeros(n_out))
        for n_in, n_out in pairwise(task.sizes)
    ]

    def cost(params: Any) -> Any:
        a = X
        for W, b in params:
            a = jax.nn.sigmoid(a @ W.T + b)
        return jnp.square(a - y).sum() / (2 * len(X))

    @jax.jit
    def update(params: Any) -> Any:
        grads = jax.grad(cost)(params)
        return jax.tree.map(lambda theta, g: theta - LEARNING_RATE * g, params, grads)

    def step() -> None:
        nonlocal params
        params = jax.block_until_ready(update(params))

    return step


MAKERS: dict[str, Callable[[Task], Work]] = {
    "library": library_step,
    "with doors": checked_step,
    "bare products": bare_products,
    "PyTorch": torch_step,
    "scikit-learn": sklearn_step,
    "JAX jit": jax_step,
}


def contestants(task: Task) -> dict[str, Work]:
    """Everybody who is installed."""
    found = {}
    for name, make in MAKERS.items():
        try:
            found[name] = make(task)
        except ImportError:
            continue
    return found
