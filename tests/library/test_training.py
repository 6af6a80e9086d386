"""Training: every sample once an epoch, nothing changed behind the caller's back, clear endings."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop_lib.activations import Activation, identity, relu, sigmoid, softmax, tanh
from backprop_lib.backprop import backward
from backprop_lib.data import load_digits, load_xor, make_moons
from backprop_lib.errors import Diverged, ShapeError
from backprop_lib.losses import Loss, bce, cross_entropy, half_mse, one_hot, sse
from backprop_lib.network import MLP, Params, cost, forward, predict
from backprop_lib.optimizers import Optimizer, adam, adamw, clipped, momentum, sgd, step_decay
from backprop_lib.regularization import backprop_gradient, with_l2
from backprop_lib.training import Fit, accuracy, fit, minibatches

repeatable = settings(
    derandomize=True, print_blob=False, database=None, deadline=None, max_examples=40
)
X_MOONS, Y_MOONS = make_moons(50, 0.1, np.random.default_rng(0))
MOONS = MLP((2, 8, 1), (tanh, sigmoid))
START = MOONS.init(np.random.default_rng(1))


def fit_moons(**changes: Any) -> Fit:
    """A short run on two half moons, with whatever a test wants otherwise."""
    given_ = {
        "mlp": MOONS,
        "params": START,
        "X": X_MOONS,
        "y": Y_MOONS,
        "loss": bce,
        "optimizer": sgd(0.5),
        "epochs": 3,
        "batch_size": 8,
        "rng": np.random.default_rng(2),
    }
    return fit(**(given_ | changes))


def exactly(message: str) -> str:
    return f"^{re.escape(message)}$"


# ------------------------------------------------------------------------------------------------
# Mini-batches


@repeatable
@given(st.data())
def test_every_sample_comes_exactly_once_an_epoch(data: Any) -> None:
    N = data.draw(st.integers(1, 60))
    batch_size = data.draw(st.integers(1, N))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    batches = list(minibatches(N, batch_size, rng))
    assert sorted(np.concatenate(batches).tolist()) == list(range(N))
    whole, rest = divmod(N, batch_size)
    assert [len(batch) for batch in batches] == [batch_size] * whole + [rest] * (rest > 0)


def test_ten_thousand_samples_in_hundreds_are_a_hundred_updates() -> None:
    assert len(list(minibatches(10_000, 100, np.random.default_rng(0)))) == 100


def test_epochs_are_shuffled_anew_and_repeatably() -> None:
    def two_epochs() -> list[list[int]]:
        rng = np.random.default_rng(0)
        return [np.concatenate(list(minibatches(20, 6, rng))).tolist() for _ in range(2)]

    first, second = two_epochs()
    assert first != second
    assert list(range(20)) not in (first, second)
    assert two_epochs() == [first, second]


def test_every_sample_is_as_likely_to_come_first() -> None:
    rng = np.random.default_rng(0)
    first = [int(next(iter(minibatches(5, 2, rng)))[0]) for _ in range(5000)]
    assert np.abs(np.bincount(first, minlength=5) / 5000 - 0.2).max() < 0.02


# ------------------------------------------------------------------------------------------------
# The gradient of a batch

PAIRS = [(identity, half_mse), (sigmoid, bce), (softmax, cross_entropy)]


def one_batch(output: Activation, loss: Loss, N: int) -> tuple[MLP, Params, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(N)
    mlp = MLP((3, 5, 2), (relu, output))
    labels = one_hot(rng.integers(0, 2, N), 2)
    return mlp, mlp.init(rng), rng.standard_normal((N, 3)), labels


@pytest.mark.parametrize(("output", "loss"), PAIRS)
@pytest.mark.parametrize("N", [1, 2, 7])
def test_the_gradient_of_a_batch_is_the_mean_of_the_singles(
    output: Activation, loss: Loss, N: int
) -> None:
    mlp, params, X, y = one_batch(output, loss, N)
    gradient = backprop_gradient(mlp, loss)
    singles = [gradient(params, X[[n]], y[[n]]).theta for n in range(N)]
    assert np.allclose(gradient(params, X, y).theta, np.mean(singles, axis=0), rtol=1e-12)


def test_only_the_summed_loss_sums() -> None:
    mlp, params, X, y = one_batch(identity, sse, N=7)
    gradient = backprop_gradient(mlp, sse)
    singles = [gradient(params, X[[n]], y[[n]]).theta for n in range(7)]
    assert np.allclose(gradient(params, X, y).theta, np.sum(singles, axis=0), rtol=1e-12)


def test_mini_batches_are_unbiased() -> None:
    """Batches of equal size: their gradients average to the full one, exactly, every epoch."""
    mlp, params, X, y = one_batch(softmax, cross_entropy, N=12)
    gradient = backprop_gradient(mlp, cross_entropy)
    batches = minibatches(12, 3, np.random.default_rng(0))
    of_batches = [gradient(params, X[batch], y[batch]).theta for batch in batches]
    assert np.allclose(np.mean(of_batches, axis=0), gradient(params, X, y).theta, rtol=1e-12)


# ------------------------------------------------------------------------------------------------
# fit


def test_fit_is_the_loop_it_says_it_is() -> None:
    optimizer, rng = momentum(step_decay(0.5, 0.5, 10)), np.random.default_rng(2)
    params, state = START, optimizer.init(START)
    losses = [cost(MOONS, forward(MOONS, params, X_MOONS), Y_MOONS, bce)]
    for _ in range(3):
        for batch in minibatches(50, 8, rng):
            cache = forward(MOONS, params, X_MOONS[batch])
            back = backward(MOONS, params, cache, Y_MOONS[batch], bce)
            params, state = optimizer.step(params, back.grads, state)
        losses.append(cost(MOONS, forward(MOONS, params, X_MOONS), Y_MOONS, bce))
    result = fit_moons(optimizer=optimizer)
    assert result.params.theta.tobytes() == params.theta.tobytes()
    assert result.history.loss == tuple(losses)
    assert result.history.updates == 21


OPTIMIZERS = [sgd(0.1), momentum(0.1), adam(0.01), adamw(0.01), clipped(sgd(0.1), 0.1)]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_nothing_of_the_callers_is_changed(optimizer: Optimizer, dtype: Any) -> None:
    params = START.like(START.theta.astype(dtype))
    X, y = X_MOONS.astype(dtype), Y_MOONS.astype(dtype)
    before = [array.tobytes() for array in (params.theta, X, y)]
    gradient = with_l2(backprop_gradient(MOONS, bce), 0.01)
    result = fit_moons(params=params, X=X, y=y, optimizer=optimizer, gradient=gradient)
    assert [array.tobytes() for array in (params.theta, X, y)] == before
    assert not np.shares_memory(result.params.theta, params.theta)
    assert result.params.theta.dtype == dtype


def test_read_only_arrays_will_do() -> None:
    params, X, y = START.like(START.theta.copy()), X_MOONS.copy(), Y_MOONS.copy()
    for array in (params.theta, X, y):
        array.flags.writeable = False
    assert fit_moons(params=params, X=X, y=y).history.loss == fit_moons().history.loss


def test_the_same_generator_gives_the_same_run() -> None:
    runs = [fit_moons(rng=np.random.default_rng(seed)) for seed in (5, 5, 6)]
    bits = [run.params.theta.tobytes() for run in runs]
    assert bits[0] == bits[1] != bits[2]
    assert runs[0].history == runs[1].history


def test_no_epochs_change_nothing() -> None:
    result = fit_moons(epochs=0)
    assert result.params.theta.tobytes() == START.theta.tobytes()
    assert len(result.history.loss) == 1
    assert result.history.updates == 0


@repeatable
@given(N=st.integers(1, 20), epochs=st.integers(0, 3), data=st.data())
def test_updates_are_counted(N: int, epochs: int, data: Any) -> None:
    batch_size = data.draw(st.integers(1, N))
    X = np.linspace(-1, 1, N)[:, None]
    mlp = MLP((1, 1), (identity,))
    start = Params(np.zeros(2), (1, 1))
    run = {"epochs": epochs, "batch_size": batch_size, "rng": np.random.default_rng(0)}
    result = fit(mlp, start, X, X, half_mse, sgd(0.1), **run)
    assert result.history.updates == epochs * -(-N // batch_size)
    assert len(result.history.loss) == epochs + 1


def test_any_gradient_will_do() -> None:
    sizes = []

    def towards_zero(params: Params, X: np.ndarray, y: np.ndarray) -> Params:
        sizes.append((X.shape, y.shape))
        return params

    result = fit_moons(gradient=towards_zero, optimizer=sgd(0.5), epochs=1, batch_size=20)
    assert np.allclose(result.params.theta, START.theta / 8)
    assert sizes == [((20, 2), (20, 1)), ((20, 2), (20, 1)), ((10, 2), (10, 1))]


def test_the_history_is_the_loss_on_the_data_alone() -> None:
    gradient = with_l2(backprop_gradient(MOONS, bce), 0.5)
    result = fit_moons(gradient=gradient)
    data = cost(MOONS, forward(MOONS, result.params, X_MOONS), Y_MOONS, bce)
    assert result.history.loss[-1] == data


def test_xor_is_learned() -> None:
    X, y = load_xor()
    mlp = MLP((2, 4, 1), (tanh, sigmoid))
    start, rng = mlp.init(np.random.default_rng(0)), np.random.default_rng(0)
    result = fit(mlp, start, X, y, bce, sgd(1.0), epochs=500, batch_size=4, rng=rng)
    assert np.abs(predict(mlp, result.params, X) - y).max() < 0.05
    assert result.history.loss[-1] < 0.05 < result.history.loss[0]


def test_digits_are_learned() -> None:
    digits = load_digits(np.random.default_rng(0))
    X, y = digits.X_train, one_hot(digits.y_train, 10)
    mlp = MLP((64, 32, 10), (relu, softmax))
    start, rng = mlp.init(np.random.default_rng(0)), np.random.default_rng(0)
    result = fit(mlp, start, X, y, cross_entropy, adam(0.003), epochs=10, batch_size=32, rng=rng)
    assert accuracy(predict(mlp, result.params, digits.X_test), digits.y_test) > 0.93


# ------------------------------------------------------------------------------------------------
# Callbacks and endings


def test_a_callback_sees_every_epoch_and_can_stop() -> None:
    seen = []

    def stop_after_two(epoch: int, params: Params, J: float) -> bool:
        seen.append((epoch, params.theta.tobytes(), J))
        return epoch == 2

    result = fit_moons(epochs=10, callback=stop_after_two)
    assert [epoch for epoch, _, _ in seen] == [1, 2]
    assert tuple(J for _, _, J in seen) == result.history.loss[1:]
    assert (
        seen[-1][1] == result.params.theta.tobytes() == fit_moons(epochs=2).params.theta.tobytes()
    )
    assert result.history.updates == 14


def test_a_callback_without_an_answer_does_not_stop() -> None:
    epochs = []
    fit_moons(epochs=4, callback=lambda epoch, params, J: epochs.append(epoch))
    assert epochs == [1, 2, 3, 4]


def test_too_large_a_step_ends_with_the_epoch_and_the_cure() -> None:
    X = np.array([[1.0], [2.0], [3.0]])
    mlp, start = MLP((1, 1), (identity,)), Params(np.array([1.0, 0.0]), (1, 1))
    message = r"^the loss is (inf|nan) after epoch (\d+); a smaller learning rate usually cures it"
    with pytest.raises(Diverged, match=message) as caught:
        fit(
            mlp,
            start,
            X,
            2 * X,
            half_mse,
            sgd(100.0),
            epochs=1000,
            batch_size=3,
            rng=np.random.default_rng(0),
        )
    assert 10 < int(re.search(r"epoch (\d+)", str(caught.value))[1]) < 200


def test_a_start_that_overflows_is_said_before_the_first_epoch() -> None:
    params = START.like(START.theta * 1e200)
    wide = MLP(MOONS.sizes, (identity, identity))
    with pytest.raises(Diverged, match=r"^the loss is (inf|nan) after epoch 0;"):
        fit_moons(mlp=wide, params=params, loss=half_mse)


# ------------------------------------------------------------------------------------------------
# The progress bar


def test_no_bar_where_nobody_watches(capfd: pytest.CaptureFixture[str]) -> None:
    fit_moons()
    fit_moons(progress=False)
    assert capfd.readouterr() == ("", "")


def test_a_bar_where_one_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    fit_moons(epochs=4, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "4/4" in err
    assert "epoch" in err


def test_a_bar_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    fit_moons(epochs=2)
    assert "2/2" in capsys.readouterr().err
    fit_moons(epochs=2, progress=False)
    assert capsys.readouterr().err == ""


def test_a_bar_does_not_change_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    shown, hidden = fit_moons(progress=True), fit_moons(progress=False)
    assert shown.params.theta.tobytes() == hidden.params.theta.tobytes()


# ------------------------------------------------------------------------------------------------
# Doors


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": -1}, "epochs is -1, expected a whole number, 0 or more"),
        ({"epochs": 2.5}, "epochs is 2.5, expected a whole number, 0 or more"),
        ({"epochs": True}, "epochs is True, expected a whole number, 0 or more"),
        ({"batch_size": 0}, "batch_size is 0, expected a whole number from 1 to N=50"),
        ({"batch_size": 51}, "batch_size is 51, expected a whole number from 1 to N=50"),
        ({"batch_size": 8.0}, "batch_size is 8.0, expected a whole number from 1 to N=50"),
        ({"batch_size": True}, "batch_size is True, expected a whole number from 1 to N=50"),
        (
            {"rng": 0},
            "rng is 0, expected a Generator; make one: np.random.default_rng(seed)",
        ),
        (
            {"optimizer": 0.5},
            "optimizer is 0.5, expected an Optimizer such as sgd(learning_rate=0.5)",
        ),
        (
            {"loss": cross_entropy},
            "the output layer is sigmoid and the loss cross_entropy; "
            "cross_entropy needs a softmax output (bce goes with sigmoid)",
        ),
        ({"y": 2 * Y_MOONS}, "y holds 2.0, expected numbers between 0 and 1 for bce"),
        (
            {"y": Y_MOONS[:, 0]},
            "y has shape (50,), expected (N=50, n_L=1); one number per sample is a column: "
            "y[:, None]",
        ),
        (
            {"X": X_MOONS.T},
            "X has shape (2, 50), expected (N, n_0=2); samples are rows: X.T",
        ),
        (
            {"X": X_MOONS.astype(np.float32)},
            "X is float32 and theta is float64; convert one: X.astype(np.float64)",
        ),
        (
            {"y": Y_MOONS.astype(np.float32)},
            "y is float32 and X is float64; convert one: y.astype(np.float64)",
        ),
        (
            {"params": Params(np.zeros(3), (2, 1))},
            "params are for sizes (2, 1), expected the network's (2, 8, 1)",
        ),
    ],
)
def test_what_does_not_fit_is_refused_before_training(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises((ValueError, TypeError, ShapeError), match=exactly(message)):
        fit_moons(**changes)


def test_the_optimizer_itself_is_not_an_optimizer() -> None:
    """The classic slip: `sgd` where `sgd(learning_rate=...)` was meant."""
    with pytest.raises(TypeError, match=r"^optimizer is <function sgd .*>, expected an Optimizer"):
        fit_moons(optimizer=sgd)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: minibatches(5, 6, np.random.default_rng(0)),
            "batch_size is 6, expected a whole number from 1 to N=5",
        ),
        (
            lambda: minibatches(5, 2, 42),
            "rng is 42, expected a Generator; make one: np.random.default_rng(seed)",
        ),
        (
            lambda: accuracy(np.ones((3, 2)), np.ones((3, 2))),
            "labels have shape (3, 2) and the answers (3, 2), "
            "expected one label a row: (N,) and (N, K)",
        ),
    ],
)
def test_the_small_doors(call: Callable[[], Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=exactly(message)):
        call()


def test_accuracy_counts_rows_whose_largest_output_is_at_the_label() -> None:
    a = np.array([[0.9, 0.1, 0.0], [0.2, 0.3, 0.5], [0.1, 0.8, 0.1], [0.4, 0.3, 0.3]])
    assert accuracy(a, np.array([0, 2, 0, 0])) == 0.75
