"""The exercises of chapter 6, *Backpropagation*.

Right answers are computed by the library or by finite differences, wrong ones by the same code with
one mistake in it; costs are counted, not derived.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise

import numpy as np

from backprop_lib.activations import identity, sigmoid, tanh
from backprop_lib.backprop import Backward, delta_of, output_delta, propagate_back
from backprop_lib.errors import Array
from backprop_lib.exercises.kinds import Exercise, Slip
from backprop_lib.gradcheck import central_differences
from backprop_lib.losses import half_mse
from backprop_lib.network import MLP, Cache, Params, propagate
from backprop_lib.tally import count_multiplications

# --------------------------------------------------------------------------------------------
# Predictions

_COSTS = ("about one forward pass", "two or three forward passes", "a thousand forward passes")
_PRODUCTS = ("1 of 8", "2 of 8", "4 of 8", "8 of 8")


@cache
def _passes() -> float:
    """Forward and backward pass of a 784-30-10 network, measured in forward passes."""
    mlp, rng = MLP((784, 30, 10), (sigmoid, sigmoid)), np.random.default_rng(0)
    params, X, y = mlp.init(rng), rng.random((1, 784)), rng.random((1, 10))
    cache = propagate(mlp, params, X)
    forwards = count_multiplications(lambda X: propagate(mlp, params, X), X)
    backwards = count_multiplications(lambda y: propagate_back(mlp, params, cache, y, half_mse), y)
    return (forwards + backwards) / forwards


def _cost_of_gradient() -> str:
    return _COSTS[0] if _passes() < 1.5 else _COSTS[1] if _passes() < 100 else _COSTS[2]


_COST_OF_GRADIENT_SLIPS = (
    Slip(
        "the way back is taken to be free",
        "The way back visits every weight as well: each has a gradient.",
        lambda: _COSTS[0],
    ),
    Slip(
        "the cost is taken to grow with the number of derivatives",
        "No weight gets a run of its own: what is known of a unit serves all its weights.",
        lambda: _COSTS[2],
    ),
)


def _square() -> tuple[Array, Array]:
    draw = np.random.default_rng(0).standard_normal
    return draw((3, 3)), draw((3, 3))


def fitting_products(D: Array, W: Array) -> int:
    """How many of the eight products of D and W have the shape of D."""
    pairs = [(A, B) for A in (D, D.T) for B in (W, W.T)]
    pairs += [(B, A) for A, B in pairs]
    fits = [A.shape[1] == B.shape[0] and (A @ B).shape == D.shape for A, B in pairs]
    return sum(fits)


def _fitting() -> str:
    return f"{fitting_products(*_square())} of 8"


def _fitting_slips() -> Sequence[Slip]:
    reasons = {
        _PRODUCTS[0]: (
            "the shapes are trusted to pick the right product",
            "Transpose a 3 x 3 matrix: what does its shape become?",
        ),
        _PRODUCTS[1]: (
            "the shapes are trusted to reject a transposed error",
            "The error is 3 x 3 as well, and so is its transpose.",
        ),
        _PRODUCTS[2]: (
            "the shapes are trusted to fix the order of the factors",
            "Square matrices of one size can be multiplied in either order.",
        ),
    }
    return [Slip(*words, lambda choice=choice: choice) for choice, words in reasons.items()]


_PREDICTIONS = (
    Exercise(
        "06-predict-cost",
        "All derivatives of a 784-30-10 network for one image, by backpropagation: about how much "
        "work is that, the forward pass included?",
        answer=_cost_of_gradient,
        slips=lambda: _COST_OF_GRADIENT_SLIPS,
        hints=(
            "How often is each weight multiplied on the way back?",
            "Once for the error in front of it, once for its own gradient.",
        ),
        solution=lambda: f"{_cost_of_gradient()}: counted, {_passes():.2f}",
        choices=_COSTS,
    ),
    Exercise(
        "06-predict-products",
        "The error D and the weights W are both 3 x 3. Two orders and two transpositions make "
        "eight products. How many of them have the shape of D?",
        answer=_fitting,
        slips=_fitting_slips,
        hints=("Which shape has W transposed?", "3 x 3 times 3 x 3 is 3 x 3, in any order."),
        solution=lambda: f"{_fitting()}: the shapes say nothing",
        choices=_PRODUCTS,
    ),
)


# --------------------------------------------------------------------------------------------
# By indices


def squared_layer(delta: Array, W: Array, a: Array) -> Array:
    """For z = W a^2: dJ/dW row by row, then dJ/da."""
    return np.concatenate([np.outer(delta, a**2).ravel(), (W.T @ delta) * 2 * a])


def _squared_inputs(rng: np.random.Generator, trial: int) -> tuple[Array, ...]:
    n_out, n_in = (1, 2) if trial == 0 else (int(n) for n in rng.integers(1, 5, 2))
    n_out = n_in if trial % 3 == 1 else n_out
    draw = rng.standard_normal
    return draw(n_out), draw((n_out, n_in)), draw(n_in)


def _squared_slip(
    says: str, advice: str, dW: Callable[..., Array], da: Callable[..., Array]
) -> Slip:
    def wrong(delta: Array, W: Array, a: Array) -> Array:
        return np.concatenate([dW(delta, a).ravel(), da(delta, W, a)])

    return Slip(says, advice, wrong)


def _outer(delta: Array, a: Array) -> Array:
    return np.outer(delta, a**2)


def _through_square(delta: Array, W: Array, a: Array) -> Array:
    return (W.T @ delta) * 2 * a


_SQUARED_SLIPS = (
    _squared_slip(
        "the weights are taken to be fed a, not its square",
        "dz_j/dw_ji is what w_ji is multiplied by.",
        lambda delta, a: np.outer(delta, a),
        _through_square,
    ),
    _squared_slip(
        "the slope of the square is left out",
        "z_j moves 2 a_i w_ji times as fast as a_i.",
        _outer,
        lambda delta, W, a: W.T @ delta,
    ),
    _squared_slip(
        "a square is taken where its slope belongs",
        "The derivative of a^2 is 2a.",
        _outer,
        lambda delta, W, a: (W.T @ delta) * a**2,
    ),
    _squared_slip(
        "W is not turned over",
        "a_i reaches every z_j: sum over j, the first index of W.",
        _outer,
        lambda delta, W, a: (W @ delta) * 2 * a,
    ),
)


_COLUMN_PRODUCTS = ("Delta A^T", "A Delta^T", "Delta^T A")


def _right_column_product() -> str:
    """Which of the three is the gradient, by finite differences on square matrices."""
    rng = np.random.default_rng(11)
    W, A, T = rng.random((3, 2, 2))
    delta = W @ A - T

    def J(w: Array) -> float:
        return 0.5 * float(((w.reshape(2, 2) @ A - T) ** 2).sum())

    numerical = central_differences(J, W.ravel())
    products = (delta @ A.T, A @ delta.T, delta.T @ A)
    right = [np.allclose(product.ravel(), numerical, atol=1e-8) for product in products]
    return _COLUMN_PRODUCTS[right.index(True)]


_COLUMN_SLIPS = (
    Slip(
        "the gradient comes out transposed",
        "dJ/dw_ji: row j is the unit, so the error's index comes first.",
        lambda: _COLUMN_PRODUCTS[1],
    ),
    Slip(
        "the line for rows is copied",
        "There the samples are the first index. Here they are the last: sum over that one.",
        lambda: _COLUMN_PRODUCTS[2],
    ),
)


_BIAS_ERRORS = np.array([0.23, -0.11, 0.34, 0.59])


_BIAS_SLIPS = (
    Slip(
        "the errors are averaged",
        "They hold the 1/N already: add them up.",
        lambda: float(_BIAS_ERRORS.mean()),
    ),
    Slip(
        "only the last sample counts",
        "The bias is used once for every sample: four paths.",
        lambda: float(_BIAS_ERRORS[-1]),
    ),
    Slip(
        "the signs are dropped",
        "A sample that pulls the other way counts against the rest.",
        lambda: float(np.abs(_BIAS_ERRORS).sum()),
    ),
    Slip(
        "the 1/N is multiplied away",
        "The loss is a mean, so its gradient keeps the 1/N that is in the errors.",
        lambda: float(4 * _BIAS_ERRORS.sum()),
    ),
)


_ZERO = (
    "both are always 0",
    "the gradients are 0, its own error need not be",
    "its own error is 0, the gradients need not be",
    "neither needs to be 0",
)


@cache
def _zero_input() -> str:
    rng = np.random.default_rng(12)
    mlp = MLP((2, 3, 1), (tanh, identity))
    params, X = mlp.init(rng), rng.random((5, 2)) * np.array([1.0, 0.0])
    back = propagate_back(mlp, params, propagate(mlp, params, X), rng.random((5, 1)), half_mse)
    weights = bool((back.grads.W[1][:, 1] == 0).all())
    error = bool(((back.delta[1] @ params.W[1])[:, 1] == 0).all())
    return {(True, True): _ZERO[0], (True, False): _ZERO[1], (False, True): _ZERO[2]}.get(
        (weights, error), _ZERO[3]
    )


_ZERO_INPUT_SLIPS = (
    Slip(
        "a value of 0 is taken for a slope of 0",
        "Nudge the input away from 0: its weights carry the nudge to the loss.",
        lambda: _ZERO[0],
    ),
    Slip(
        "the two are exchanged",
        "A weight's gradient is error times input; the input's own error reads no input.",
        lambda: _ZERO[2],
    ),
    Slip(
        "the gradient of a weight is taken not to read its input",
        "Error times input: whatever the error is, it is multiplied by 0.",
        lambda: _ZERO[3],
    ),
)


_BY_INDICES = (
    Exercise(
        "06-squared-layer",
        "One sample, a layer that squares its inputs first: z_j = sum_i w_ji a_i^2. Write "
        "squared_layer(delta, W, a): dJ/dW row by row, then dJ/da, as one vector "
        "(np.concatenate), from delta = dJ/dz (n_out,), W (n_out, n_in) and a (n_in,).",
        answer=squared_layer,
        slips=lambda: _SQUARED_SLIPS,
        hints=(
            "dJ/dw_ji = delta_j times dz_j/dw_ji. dJ/da_i = sum_j delta_j dz_j/da_i.",
            "dz_j/dw_ji = a_i^2, and dz_j/da_i = 2 w_ji a_i.",
        ),
        solution=lambda: (
            "return np.concatenate([np.outer(delta, a**2).ravel(), (W.T @ delta) * 2 * a])"
        ),
        inputs=_squared_inputs,
        arguments=("delta", "W", "a"),
    ),
    Exercise(
        "06-columns",
        "Samples are columns, Z = W A + b, and Delta = dJ/dZ. Which product is dJ/dW?",
        answer=cache(_right_column_product),
        slips=lambda: _COLUMN_SLIPS,
        hints=(
            "Write z_jn = sum_i w_ji a_in and differentiate with respect to w_ji.",
            "sum_n delta_jn a_in: the samples are the last index of both.",
        ),
        solution=lambda: f"{_right_column_product()}: dJ/dw_ji = sum_n delta_jn a_in",
        choices=_COLUMN_PRODUCTS,
    ),
    Exercise(
        "06-bias",
        "The errors of one unit for the four samples of a batch, already divided by N, are 0.23, "
        "-0.11, 0.34 and 0.59. What is the gradient of its bias?",
        answer=lambda: float(_BIAS_ERRORS.sum()),
        slips=lambda: _BIAS_SLIPS,
        hints=("How often is the bias used in a batch of four?", "The chain rule adds paths."),
        solution=lambda: f"0.23 - 0.11 + 0.34 + 0.59 = {_BIAS_ERRORS.sum():.4f}",
    ),
    Exercise(
        "06-zero-input",
        "One input is 0 in every sample. What of the gradients of the weights that leave it, and "
        "of its own error dJ/dx?",
        answer=_zero_input,
        slips=lambda: _ZERO_INPUT_SLIPS,
        hints=(
            "Which of the two formulas reads the input?",
            "delta_j x_i, and sum_j delta_j w_ji.",
        ),
        solution=lambda: f"{_zero_input()}: delta_j x_i = 0, but sum_j delta_j w_ji reads no x",
        choices=_ZERO,
    ),
)


# --------------------------------------------------------------------------------------------
# Order and cost


def _back_with(when: int, target: int, case: tuple[MLP, Params, Cache, Array]) -> Backward:
    """The backward pass if W[target] moves as soon as delta[when] is known."""
    mlp, params, cache, y = case
    right = propagate_back(mlp, params, cache, y, half_mse)
    used = params.like(params.theta.copy())
    delta, grads = list(right.delta), params.like(right.grads.theta.copy())
    for l in range(mlp.L, 0, -1):
        if l == mlp.L:
            delta[l] = output_delta(mlp, cache, y, half_mse)
        else:
            delta[l] = (delta[l + 1] @ used.W[l + 1]) * mlp.phi[l].d(cache.z[l], cache.a[l])
        grads.W[l][:] = delta[l].T @ cache.a[l - 1]
        if l == when:
            used.W[target][:] -= right.grads.W[target]
    return Backward(tuple(delta), grads)


_MOMENTS = (
    "as soon as its own gradient is known",
    "as soon as the error of the layer before it, delta[l-1], is known",
    "only when delta[1], the last error, is known",
)


@cache
def _safe_from() -> list[int]:
    """For W[4], W[3], W[2]: the first error after which a move of it spoils no gradient."""
    mlp, rng = MLP((2, 3, 3, 3, 1), (sigmoid,) * 4), np.random.default_rng(13)
    params, X, y = mlp.init(rng), rng.random((4, 2)), rng.random((4, 1))
    case = (mlp, params, propagate(mlp, params, X), y)
    right = propagate_back(*case, half_mse).grads.theta
    return [
        next(m for m in range(l, 0, -1) if (_back_with(m, l, case).grads.theta == right).all())
        for l in (4, 3, 2)
    ]


def _safe_moment() -> str:
    first = _safe_from()
    return _MOMENTS[0 if first == [4, 3, 2] else 1 if first == [3, 2, 1] else 2]


_SAFE_MOMENT_SLIPS = (
    Slip(
        "W[l] is taken to be read by its own gradient only",
        "W[l] is read once more, by delta[l-1].",
        lambda: _MOMENTS[0],
    ),
    Slip(
        "everything waits for the last error",
        "That is safe, and what the library does; asked is the earliest moment.",
        lambda: _MOMENTS[2],
    ),
)


def _small_step(early: bool) -> list[float]:
    """w1 and w2 of the chain x -> w1 -> w2 -> output after one step with eta = 0.5."""
    x, w1, w2, y, eta = _CHAIN
    a1 = w1 * x
    delta2 = w2 * a1 - y
    new_w2 = w2 - eta * delta2 * a1
    delta1 = delta2 * (new_w2 if early else w2)
    return [w1 - eta * delta1 * x, new_w2]


_CHAIN = (1.2, 0.7, 1.6, 0.9, 0.5)


def _small_step_slips() -> Sequence[Slip]:
    x, w1, w2, y, eta = _CHAIN
    delta2, (new_w1, new_w2) = w2 * w1 * x - y, _small_step(early=False)
    return [
        Slip(
            "w2 is updated before the error goes back through it",
            "The error of the hidden unit uses the w2 that the forward pass used.",
            lambda: _small_step(early=True),
        ),
        Slip(
            "the error is not multiplied by w2 on its way back",
            "Nudge the hidden unit: the output moves w2 times as fast.",
            lambda: [w1 - eta * delta2 * x, new_w2],
        ),
        Slip(
            "the error is not multiplied by what w2 was fed",
            "The gradient of w2 is the output error times a1 = w1 x.",
            lambda: [new_w1, w2 - eta * delta2],
        ),
        Slip(
            "the step goes uphill",
            "Subtract eta times the gradient.",
            lambda: [2 * w1 - new_w1, 2 * w2 - new_w2],
        ),
    ]


def costs(sizes: Array) -> Array:
    """Multiplications, counted, for every error of one sample: with a memo, and without."""
    widths = tuple(int(n) for n in sizes)
    mlp = MLP(widths, (sigmoid,) * (len(widths) - 1))
    params = mlp.init(np.random.default_rng(0))
    cache, y = propagate(mlp, params, np.ones((1, widths[0]))), np.zeros((1, widths[-1]))

    def count(remember: bool) -> int:
        def every_error(y: Array) -> list[Array]:
            memo: dict[int, Array] | None = {} if remember else None
            layers = range(1, mlp.L + 1)
            return [delta_of(l, mlp, params, cache, y, half_mse, memo) for l in layers]

        return count_multiplications(every_error, y)

    return np.array([count(remember=True), count(remember=False)], dtype=float)


def _from_formula(sizes: Array, slopes: int = 1, output: int = 1, first: int = 1) -> Array:
    """The same by a formula, with the mistakes that can be made in it."""
    parts = [n * m + slopes * n for n, m in pairwise(sizes)][first:]
    top = output * sizes[-1]
    with_memo = top + sum(parts)
    without = sum(top + sum(parts[k:]) for k in range(len(parts) + 1))
    return np.array([with_memo, without], dtype=float)


def _depths(rng: np.random.Generator, trial: int) -> tuple[Array, ...]:
    return (rng.integers(2, 6, 3 + trial % 13),)


_COST_SLIPS = (
    Slip(
        "an error of the inputs is computed as well",
        "No gradient needs delta[0]: the last error is that of layer 1.",
        lambda sizes: _from_formula(sizes, first=0),
    ),
    Slip(
        "the slopes of the hidden units are left out",
        "Each error is multiplied by its slope: n_l more for layer l.",
        lambda sizes: _from_formula(sizes, slopes=0),
    ),
    Slip(
        "the error of the output is taken to cost nothing",
        "It is a product of two factors for every output unit.",
        lambda sizes: _from_formula(sizes, output=0),
    ),
    Slip(
        "the memo is given for both",
        "Without a memo every error is computed anew, and with it all errors behind it.",
        lambda sizes: costs(sizes)[[0, 0]],
    ),
)


_ORDER_AND_COST = (
    Exercise(
        "06-order",
        "The errors delta[L], ..., delta[1] are computed one after the other, each gradient with "
        "its error. When may W[l], l > 1, be changed at the earliest without spoiling a gradient?",
        answer=_safe_moment,
        slips=lambda: _SAFE_MOMENT_SLIPS,
        hints=("Who reads W[l]?", "The forward pass, delta[l-1], and nobody after that."),
        solution=lambda: (
            f"{_safe_moment()}. Tried with L = 4: W[4], W[3], W[2] may move after "
            "delta[{}], delta[{}], delta[{}]".format(*_safe_from())
        ),
        choices=_MOMENTS,
    ),
    Exercise(
        "06-step",
        "Two units in a row, identity, no biases: x = 1.2, w1 = 0.7, w2 = 1.6, y = 0.9, "
        "C = (a2 - y)^2/2. What are w1 and w2 after one step with eta = 0.5? Two numbers.",
        answer=lambda: _small_step(early=False),
        slips=_small_step_slips,
        hints=(
            "Both gradients first, then both steps.",
            "delta2 = a2 - y, delta1 = delta2 w2; the gradients are delta1 x and delta2 a1.",
        ),
        solution=lambda: "w1 = {:.6f}, w2 = {:.6f}".format(*_small_step(early=False)),
    ),
    Exercise(
        "06-cost",
        "Write cost(sizes): how many multiplications all errors of one sample take in a network of "
        "these sizes (n_0, ..., n_L), an array of whole numbers: with a memo, and without. Two "
        "numbers. For L layers of width 3 they were 12L - 9 and 6L^2 - 3L.",
        answer=costs,
        slips=lambda: _COST_SLIPS,
        hints=(
            "The output takes n_L, a layer l below it n_l n_(l+1) + n_l more.",
            "Without a memo layer l pays for itself and all layers behind it: a sum of sums.",
        ),
        solution=lambda: (
            "parts = sizes[1:-1] * sizes[2:] + sizes[1:-1]   # layers 1, ..., L - 1\n"
            "from_here = np.append(np.cumsum(parts[::-1])[::-1], 0) + sizes[-1]\n"
            "return np.array([from_here[0], from_here.sum()])"
        ),
        inputs=_depths,
        arguments=("sizes",),
    ),
)


# --------------------------------------------------------------------------------------------
# New layers


def scale_shift(g: Array, x: Array, gamma: Array) -> Array:
    """For a = gamma x + beta on a batch: dJ/dx row by row, dJ/dgamma, dJ/dbeta."""
    return np.concatenate([(g * gamma).ravel(), (g * x).sum(axis=0), g.sum(axis=0)])


def _scale_inputs(rng: np.random.Generator, trial: int) -> tuple[Array, ...]:
    N, n = (2, 1) if trial == 0 else (int(k) for k in rng.integers(1, 9, 2))
    return rng.standard_normal((N, n)), rng.standard_normal((N, n)), rng.standard_normal(n)


def _joined(*parts: Array) -> Array:
    return np.concatenate([part.ravel() for part in parts])


_SCALE_SLIPS = (
    Slip(
        "the parameters' gradients are not summed over the batch",
        "gamma and beta are in every row: N paths, which add up.",
        lambda g, x, gamma: _joined(g * gamma, g * x, g),
    ),
    Slip(
        "the parameters' gradients are averaged over the batch",
        "The 1/N is in the loss, hence in g: sum.",
        lambda g, x, gamma: _joined(g * gamma, (g * x).mean(axis=0), g.mean(axis=0)),
    ),
    Slip(
        "gamma is forgotten on the way to x",
        "a moves gamma times as fast as x.",
        lambda g, x, gamma: _joined(g, (g * x).sum(axis=0), g.sum(axis=0)),
    ),
    Slip(
        "what gamma is multiplied by is forgotten",
        "da/dgamma is x; only beta is fed a constant 1.",
        lambda g, x, gamma: _joined(g * gamma, g.sum(axis=0), g.sum(axis=0)),
    ),
)


def gate_back(g: Array, x: Array, W: Array, V: Array) -> Array:
    """For a = u sigma(v), u = x W^T, v = x V^T on a batch: dJ/dx, dJ/dW, dJ/dV."""
    gate = sigmoid.f(x @ V.T)
    return _gate_joined(g * gate, g * (x @ W.T) * gate * (1 - gate), x, W, V)


def _gate_joined(du: Array, dv: Array, x: Array, W: Array, V: Array) -> Array:
    """From the two errors inside the gated unit to its three gradients, as one vector."""
    parts = (du @ W + dv @ V, du.T @ x, dv.T @ x)
    return np.concatenate([part.ravel() for part in parts])


def _gate_inputs(rng: np.random.Generator, trial: int) -> tuple[Array, ...]:
    N, n_in, n = (1, 1, 1) if trial == 0 else (int(k) for k in rng.integers(1, 5, 3))
    draw = rng.standard_normal
    return draw((N, n)), draw((N, n_in)), draw((n, n_in)), draw((n, n_in))


def _slope_forgotten(g: Array, x: Array, W: Array, V: Array) -> Array:
    return _gate_joined(g * sigmoid.f(x @ V.T), g * (x @ W.T), x, W, V)


def _gate_held(g: Array, x: Array, W: Array, V: Array) -> Array:
    gate = sigmoid.f(x @ V.T)
    return _gate_joined(g * gate, 0 * g, x, W, V)


def _other_factor_forgotten(g: Array, x: Array, W: Array, V: Array) -> Array:
    gate = sigmoid.f(x @ V.T)
    return _gate_joined(g, g * gate * (1 - gate), x, W, V)


def _one_path(g: Array, x: Array, W: Array, V: Array) -> Array:
    right, gate = gate_back(g, x, W, V), sigmoid.f(x @ V.T)
    return np.concatenate([((g * gate) @ W).ravel(), right[x.size :]])


def _averaged(g: Array, x: Array, W: Array, V: Array) -> Array:
    right = gate_back(g, x, W, V)
    return np.concatenate([right[: x.size], right[x.size :] / len(x)])


_GATE_SLIPS = (
    Slip(
        "the slope of the gate is forgotten",
        "From sigma(v) to v the error is multiplied by sigma(v)(1 - sigma(v)).",
        _slope_forgotten,
    ),
    Slip(
        "the gate is treated as a constant",
        "It reads x and V: an error goes back through it as well.",
        _gate_held,
    ),
    Slip(
        "each factor's error is not multiplied by the other factor",
        "da/du = sigma(v), and da/dsigma = u: a product swaps its factors.",
        _other_factor_forgotten,
    ),
    Slip(
        "x hears of the error along one path only",
        "x feeds u and v: add what comes back from both.",
        _one_path,
    ),
    Slip(
        "the weights' gradients are averaged over the batch",
        "The 1/N is in the loss, hence in g: sum.",
        _averaged,
    ),
)


_NEW_LAYERS = (
    Exercise(
        "06-scale-shift",
        "A layer a = gamma * x + beta scales and shifts each of n quantities. Write "
        "scale_shift(g, x, gamma): dJ/dx row by row, then dJ/dgamma, then dJ/dbeta, as one vector "
        "(np.concatenate), from g = dJ/da (N, n), x (N, n) and gamma (n,).",
        answer=scale_shift,
        slips=lambda: _SCALE_SLIPS,
        hints=(
            "Write it for one entry: a_nj = gamma_j x_nj + beta_j. Who uses gamma_j?",
            "Every row n does: the gradients of gamma and beta are sums over n.",
        ),
        solution=lambda: (
            "return np.concatenate([(g * gamma).ravel(), (g * x).sum(axis=0), g.sum(axis=0)])"
        ),
        inputs=_scale_inputs,
        arguments=("g", "x", "gamma"),
    ),
    Exercise(
        "06-gate",
        "A gated layer multiplies one answer by another: u = x @ W.T, v = x @ V.T, a = u * "
        "sigma(v). Write gate_back(g, x, W, V): dJ/dx, dJ/dW, dJ/dV, each row by row, as one "
        "vector, from g = dJ/da (N, n), x (N, n_in) and W, V (n, n_in).",
        answer=gate_back,
        slips=lambda: _GATE_SLIPS,
        hints=(
            "First du = dJ/du and dv = dJ/dv; then u and v are two layers as usual.",
            "du = g * sigma(v), dv = g * u * sigma(v) * (1 - sigma(v)); x feeds both.",
        ),
        solution=lambda: (
            "gate = 1 / (1 + np.exp(-x @ V.T))\n"
            "du, dv = g * gate, g * (x @ W.T) * gate * (1 - gate)\n"
            "parts = du @ W + dv @ V, du.T @ x, dv.T @ x\n"
            "return np.concatenate([part.ravel() for part in parts])"
        ),
        inputs=_gate_inputs,
        arguments=("g", "x", "W", "V"),
    ),
)

EXERCISES = (*_PREDICTIONS, *_BY_INDICES, *_ORDER_AND_COST, *_NEW_LAYERS)
