"""What `python -m benchmarks` prints, section by section."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np

from backprop_lib.activations import sigmoid
from backprop_lib.backprop import propagate_back
from backprop_lib.data import load_mnist
from backprop_lib.gradcheck import (
    central_differences,
    check_gradients,
    complex_step,
    dual_numbers,
)
from backprop_lib.losses import half_mse, one_hot
from backprop_lib.network import MLP, count_parameters, normal, propagate
from backprop_lib.optimizers import sgd
from backprop_lib.regularization import backprop_gradient
from backprop_lib.training import fit, minibatches
from benchmarks.peers import (
    MAKERS,
    Task,
    bare_products,
    contestants,
    library_step,
    sklearn_network,
)
from benchmarks.timing import Time, Work, in_turn, print_table, show

TASKS = (
    Task((2, 2, 1), 1),
    Task((2, 4, 1), 4),
    Task((64, 32, 10), 32),
    Task((784, 30, 10), 10),
    Task((784, 128, 10), 64),
)
IMAGES = 10_000
LEARNING_RATE = 3.0


def training_steps() -> None:
    """One step beside the bare matrix products and the peers."""
    measured = {task.title: in_turn(contestants(task)) for task in TASKS}
    rows, ratios = [], []
    for title, times in measured.items():
        rows.append([title, *(_both(times.get(name)) for name in MAKERS)])
        ratios.append([title, *(_ratio(times.get(name), times["library"]) for name in MAKERS)])
    head = ["network", *MAKERS]
    print_table("One training step: forward, backward, update", head, rows)
    print_table(
        "The same, as multiples of the library's",
        head,
        ratios,
        "Above 1: takes longer than the library. scikit-learn: MLPRegressor for one output, else "
        "MLPClassifier (softmax).",
    )


def _both(measured: Time | None) -> str:
    return "-" if measured is None else f"{show(measured.median)} ({show(measured.best)})"


def _ratio(measured: Time | None, ours: Time) -> str:
    if measured is None:
        return "-"
    return f"{measured.median / ours.median:.2f} ({measured.best / ours.best:.2f})"


# --- Where a step's time goes ---------------------------------------------------------------------


def profile() -> None:
    """The largest step taken apart: what it does besides the products."""
    task = TASKS[-1]
    measured = in_turn({"the whole step": library_step(task), **parts_of_a_step(task)})
    whole = measured["the whole step"].median
    products = measured["matrix products"].median
    seconds = {name: time.median for name, time in measured.items()}
    seconds["calls, checks, small arrays"] = 2 * whole - sum(seconds.values())
    print_table(
        f"Where the step of {task.title} spends its time",
        ["", "median", "products = 1"],
        [[name, show(s), f"{s / products:.2f}"] for name, s in seconds.items()],
        "The last line is what is left of the whole.",
    )


def parts_of_a_step(task: Task) -> dict[str, Work]:
    """The pieces of a step that touch large arrays, each by itself."""
    mlp, (X, y) = task.mlp(), task.batch()
    params = mlp.init(np.random.default_rng(0), normal)
    cache = propagate(mlp, params, X)
    back = propagate_back(mlp, params, cache, y, half_mse)
    layers = range(1, mlp.L + 1)

    def copy_gradients() -> None:
        grads = params.like(np.empty_like(params.theta))
        for l in layers:
            grads.W[l][:] = back.grads.W[l]

    def activate() -> None:
        for l in layers:
            mlp.phi[l].f(cache.z[l])
            mlp.phi[l].d(cache.z[l], cache.a[l])

    return {
        "matrix products": bare_products(task),
        "sigmoids and their slopes": activate,
        "the gradients' copy into one vector": copy_gradients,
        "theta - eta g, a new vector": lambda: params.theta - LEARNING_RATE * back.grads.theta,
    }


# --- MNIST ----------------------------------------------------------------------------------------


def mnist_epoch() -> None:
    """An epoch of 784-30-10 in batches of 10, shortened to the first 10 000 images."""
    images = load_mnist()
    X, labels = images.X_train[:IMAGES], images.y_train[:IMAGES]
    works: dict[str, Work] = {}
    for name, make in (
        ("library, the loop of fit", _library_epoch),
        ("library, fit itself", _fit_epoch),
        ("PyTorch, the same loop", _torch_epoch),
        ("scikit-learn, MLPClassifier.fit", _sklearn_epoch),
    ):
        try:
            works[name] = make(X, labels)
        except ImportError:
            continue
    measured = in_turn(works, rounds=7, block=0)
    ours = measured["library, the loop of fit"]
    print_table(
        f"MNIST, 784-30-10, batch 10: {IMAGES} images, {IMAGES // 10} steps",
        ["", "time", "multiple", "for 50 000 images"],
        [
            [name, _both(t), _ratio(t, ours), show(t.median * 50_000 / IMAGES)]
            for name, t in measured.items()
        ],
        "fit also measures the loss over all images, before and after the epoch.",
    )


def _library_epoch(X: np.ndarray, labels: np.ndarray) -> Work:
    mlp, y, rng = _digits_mlp(), one_hot(labels, 10), np.random.default_rng(0)
    gradient, optimizer = backprop_gradient(mlp, half_mse), sgd(LEARNING_RATE)

    def epoch() -> None:
        params = mlp.init(rng, normal)
        state = optimizer.init(params)
        for batch in minibatches(len(X), 10, rng):
            params, state = optimizer.step(params, gradient(params, X[batch], y[batch]), state)

    return epoch


def _fit_epoch(X: np.ndarray, labels: np.ndarray) -> Work:
    mlp, y, rng = _digits_mlp(), one_hot(labels, 10), np.random.default_rng(0)
    params, optimizer = mlp.init(rng, normal), sgd(LEARNING_RATE)
    options = {"epochs": 1, "batch_size": 10, "rng": rng, "progress": False}
    return lambda: fit(mlp, params, X, y, half_mse, optimizer, **options)


def _digits_mlp() -> MLP:
    return MLP((784, 30, 10), (sigmoid, sigmoid))


def _torch_epoch(X: np.ndarray, labels: np.ndarray) -> Work:
    import torch

    torch.set_num_threads(1)
    images, targets = torch.from_numpy(X), torch.from_numpy(one_hot(labels, 10))

    def epoch() -> None:
        net = torch.nn.Sequential(
            torch.nn.Linear(784, 30, dtype=torch.float64),
            torch.nn.Sigmoid(),
            torch.nn.Linear(30, 10, dtype=torch.float64),
            torch.nn.Sigmoid(),
        )
        optimizer = torch.optim.SGD(net.parameters(), lr=LEARNING_RATE)
        for batch in torch.randperm(len(images)).split(10):
            optimizer.zero_grad()
            J = (net(images[batch]) - targets[batch]).square().sum() / (2 * len(batch))
            J.backward()
            optimizer.step()

    return epoch


def _sklearn_epoch(X: np.ndarray, labels: np.ndarray) -> Work:
    net = sklearn_network((784, 30, 10), 10)
    return lambda: net.fit(X, labels)


# --- Checking gradients ---------------------------------------------------------------------------


def gradient_checks() -> None:
    """What the ways of checking cost, as multiples of the one backward pass they check."""
    rows = []
    for task in (
        Task((2, 2, 1), 1),
        Task((2, 4, 1), 4),
        Task((8, 8, 4), 8),
        Task((64, 32, 10), 32),
    ):
        mlp, (X, y) = task.mlp(), task.batch()
        params = mlp.init(np.random.default_rng(0), normal)
        gradient = backprop_gradient(mlp, half_mse)
        once = in_turn({"gradient": lambda g=gradient, p=params, X=X, y=y: g(p, X, y)}, rounds=5)
        times = []
        for method in (central_differences, complex_step, dual_numbers):
            if method is dual_numbers and params.theta.size > 1000:
                times.append(None)  # every number would carry thousands of slopes along
                continue
            started = time.perf_counter()
            check_gradients(mlp, params, X, y, half_mse, method=method)
            times.append(time.perf_counter() - started)
        each = times[0] / params.theta.size
        backs = f"{times[0] / once['gradient'].median:.0f}"
        cells = [str(count_parameters(task.sizes)), *map(show, times), show(each), backs]
        rows.append([task.title, *cells])
    print_table(
        "Checking a gradient",
        ["network", "P", "central", "complex step", "dual", "central, a parameter", "backwards"],
        rows,
        "backwards: how many backward passes the central check costs; it takes 2 P forward passes.",
    )


# --- Import ---------------------------------------------------------------------------------------


def import_times(rounds: int = 15) -> None:
    """The import alone, without the interpreter's start, in fresh processes."""
    training = "from backprop_lib import MLP, backward, fit, forward, half_mse, sgd, sigmoid"
    imports = ("import numpy", "import backprop_lib", training)
    seconds: dict[str, list[float]] = {line: [] for line in imports}
    for _ in range(rounds):
        for line in imports:
            seconds[line].append(_import_time(line))
    median = {line: statistics.median(s) for line, s in seconds.items()}
    print_table(
        "Import",
        ["", "median", "best", "multiple"],
        [
            [line, show(median[line]), show(min(s)), f"{median[line] / median['import numpy']:.2f}"]
            for line, s in seconds.items()
        ],
        "The library loads a room, and numpy with it, when one of its names is first asked for.",
    )


def _import_time(line: str) -> float:
    program = f"import time; t = time.perf_counter(); {line}; print(time.perf_counter() - t)"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return float(ran.stdout)


# --- Scaling --------------------------------------------------------------------------------------


def scaling() -> None:
    """The time of a step, or an epoch, when one number is doubled again and again."""
    _show_scaling(
        "Depth: layers of 64 units, N=64",
        [8, 16, 32, 64],
        lambda L: library_step(Task((64,) * (L + 1), 64)),
        "1",
    )
    _show_scaling(
        "Width: 4 layers of n units, N=64 (the number of weights grows with the square)",
        [128, 256, 512, 1024],
        lambda n: library_step(Task((n,) * 5, 64)),
        "2",
    )
    _show_scaling(
        "Batch: 256-256-10, one step of N rows",
        [64, 128, 256, 512, 1024],
        lambda N: library_step(Task((256, 256, 10), N)),
        "1",
    )
    _show_scaling(
        "Data: 64-32-10, one epoch of N samples in batches of 32",
        [1024, 2048, 4096, 8192],
        _epoch_of,
        "1",
    )


def _epoch_of(N: int) -> Work:
    task = Task((64, 32, 10), N)
    mlp, (X, y), rng = task.mlp(), task.batch(), np.random.default_rng(0)
    params, optimizer = mlp.init(rng, normal), sgd(0.1)
    options = {"epochs": 1, "batch_size": 32, "rng": rng, "progress": False}
    return lambda: fit(mlp, params, X, y, half_mse, optimizer, **options)


def _show_scaling(
    title: str, values: Sequence[int], make: Callable[[int], Work], expected: str
) -> None:
    measured = in_turn({str(value): make(value) for value in values}, rounds=9)
    medians = [time.median for time in measured.values()]
    exponent = np.polyfit(np.log(values), np.log(medians), 1)[0]
    print_table(
        title,
        ["", *measured],
        [["time", *map(show, medians)]],
        f"time grows like the power {exponent:.2f}; the arithmetic, like the power {expected}",
    )
