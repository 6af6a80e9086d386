"""The classic mistakes, as changes of the library's source.

Each is planted where a person would make it, and so that nothing but the numbers is wrong: a
mistake that only fits square layers is made in square layers only, where no shape gives it away.
`CATALOGUE` has every mistake of the library's own catalogue, under the same name; `GRADIENTS` more
ways to a wrong gradient; `OTHERS` what a check of gradients is blind to.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bug:
    """One mistake: in which file of the library which text, standing there once, becomes which."""

    name: str
    file: str
    old: str
    new: str

    def applied_to(self, source: str) -> str:
        """The whole file with this mistake."""
        assert source.count(self.old) == 1, self.name
        return source.replace(self.old, self.new)

    @property
    def room(self) -> str:
        return self.file.split("/")[0].removesuffix(".py")


OUTPUT_DELTA = "        return loss.delta(a, y)\n"
CARRY_BACK = "delta[l] = (delta[l + 1] @ W[l + 1]) * phi[l].d(z[l], a[l])"
WEIGHT_GRADIENT = "grads.W[l][:] = delta[l].T @ a[l - 1]"
BIAS_GRADIENT = "grads.b[l][:] = delta[l].sum(axis=0)"
MEAN_ERROR = "return (a - y) / len(y)"
RELU = 'Activation("relu", f=lambda z: np.maximum(z, 0), d=lambda z, a: (z > 0).astype(z.dtype))'

CATALOGUE = (
    # ---- the size of the output error
    Bug("sum_not_mean", "losses.py", MEAN_ERROR, "return a - y"),
    Bug("averaged_twice", "losses.py", MEAN_ERROR, "return (a - y) / len(y) ** 2"),
    Bug("mean_not_sum", "losses.py", "return 2 * (a - y)", "return 2 * (a - y) / len(y)"),
    Bug("mean_over_outputs", "losses.py", MEAN_ERROR, "return (a - y) / y.size"),
    Bug("missing_half", "losses.py", MEAN_ERROR, "return 2 * (a - y) / len(y)"),
    Bug("missing_two", "losses.py", "return 2 * (a - y)", "return a - y"),
    Bug("sign", "losses.py", MEAN_ERROR, "return (y - a) / len(y)"),
    # ---- the shape of the output error
    Bug(
        "output_slope_omitted",
        "backprop.py",
        "return loss.grad(a, y) * phi.d(z, a)",
        "return loss.grad(a, y)",
    ),
    Bug(
        "extra_slope",
        "backprop.py",
        OUTPUT_DELTA,
        "        return loss.delta(a, y) * a * (1 - a)\n",
    ),
    Bug(
        "softmax_twice",
        "backprop.py",
        OUTPUT_DELTA,
        "        return loss.delta(phi.f(a), y)\n",
    ),
    Bug(
        "labels_misaligned",
        "training.py",
        "gradient(params, X[batch], y[batch])",
        "gradient(params, X[batch], y[np.sort(batch)])",
    ),
    # ---- the way back
    Bug(
        "early_update",
        "backprop.py",
        CARRY_BACK,
        "updated = W[l + 1] - 0.5 * delta[l + 1].T @ a[l]\n"
        "        delta[l] = (delta[l + 1] @ updated) * phi[l].d(z[l], a[l])",
    ),
    Bug(
        "transposed",
        "backprop.py",
        CARRY_BACK,
        "back = W[l + 1].T if len(W[l + 1]) == len(W[l + 1].T) else W[l + 1]\n"
        "        delta[l] = (delta[l + 1] @ back) * phi[l].d(z[l], a[l])",
    ),
    Bug("hidden_slope_omitted", "backprop.py", CARRY_BACK, "delta[l] = delta[l + 1] @ W[l + 1]"),
    Bug(
        "slope_at_a",
        "backprop.py",
        CARRY_BACK,
        "delta[l] = (delta[l + 1] @ W[l + 1]) * phi[l].d(a[l], phi[l].f(a[l]))",
    ),
    Bug(
        "slope_of_z",
        "backprop.py",
        CARRY_BACK,
        "delta[l] = (delta[l + 1] @ W[l + 1]) * phi[l].d(z[l], z[l])",
    ),
    Bug("relu_ge", "activations.py", RELU, RELU.replace("z > 0", "a >= 0")),
    Bug(
        "dropout_factor_lost",
        "regularization.py",
        "delta[l] = (delta[l + 1] @ W[l + 1]) * m[l] *",
        "delta[l] = (delta[l + 1] @ W[l + 1]) * (m[l] > 0) *",
    ),
    Bug(
        "dropout_mask_lost",
        "regularization.py",
        "delta[l] = (delta[l + 1] @ W[l + 1]) * m[l] *",
        "delta[l] = (delta[l + 1] @ W[l + 1]) *",
    ),
    # ---- from errors to gradients
    Bug(
        "own_activation",
        "backprop.py",
        WEIGHT_GRADIENT,
        "grads.W[l][:] = delta[l].T @ (a[l] if a[l].shape == a[l - 1].shape else a[l - 1])",
    ),
    Bug(
        "gradient_transposed",
        "backprop.py",
        WEIGHT_GRADIENT,
        "gradient = delta[l].T @ a[l - 1]\n"
        "        grads.W[l][:] = gradient.T if len(gradient) == len(gradient.T) else gradient",
    ),
    Bug("bias_missing", "backprop.py", BIAS_GRADIENT, "grads.b[l][:] = 0"),
    Bug(
        "bias_averaged_twice",
        "backprop.py",
        BIAS_GRADIENT,
        "grads.b[l][:] = delta[l].mean(axis=0)",
    ),
    Bug(
        "bias_not_averaged",
        "backprop.py",
        BIAS_GRADIENT,
        "grads.b[l][:] = delta[l].sum(axis=0) * len(delta[l])",
    ),
    Bug(
        "bias_wrong_axis",
        "backprop.py",
        BIAS_GRADIENT,
        "grads.b[l][:] = delta[l].sum(axis=int(len(delta[l]) == len(delta[l].T)))",
    ),
    Bug("bias_over_all_axes", "backprop.py", BIAS_GRADIENT, "grads.b[l][:] = delta[l].sum()"),
    # ---- what is added to the gradient
    Bug(
        "accumulated",
        "training.py",
        "    for batch in minibatches(len(X), batch_size, rng):\n"
        "        grads = gradient(params, X[batch], y[batch])\n",
        "    grads = params.like(np.zeros_like(params.theta))\n"
        "    for batch in minibatches(len(X), batch_size, rng):\n"
        "        grads = params.like(grads.theta + gradient(params, X[batch], y[batch]).theta)\n",
    ),
    Bug(
        "l2_on_biases",
        "regularization.py",
        "return params.like(float(strength) * _penalised(params, biases))",
        "return params.like(float(strength) * _penalised(params, True))",
    ),
    Bug(
        "l2_missing",
        "regularization.py",
        "return params.like(gradient(params, X, y).theta + penalty.theta)",
        "return gradient(params, X, y)",
    ),
    Bug(
        "l2_strength",
        "regularization.py",
        "return params.like(float(strength) * _penalised(params, biases))",
        "return params.like(2 * float(strength) * _penalised(params, biases))",
    ),
)

GRADIENTS = (
    Bug(
        "random feedback",
        "backprop.py",
        CARRY_BACK,
        "feedback = np.random.default_rng(l).standard_normal(W[l + 1].shape)\n"
        "        delta[l] = (delta[l + 1] @ feedback) * phi[l].d(z[l], a[l])",
    ),
    Bug("only the last layer", "backprop.py", CARRY_BACK, "delta[l] = np.zeros_like(z[l])"),
    Bug("sign in one layer", "backprop.py", WEIGHT_GRADIENT, f"{WEIGHT_GRADIENT} * (-1) ** l"),
    Bug(
        "gradients averaged twice",
        "backprop.py",
        WEIGHT_GRADIENT,
        f"{WEIGHT_GRADIENT} / len(a[0])",
    ),
    Bug(
        "gradients never zeroed",
        "backprop.py",
        WEIGHT_GRADIENT,
        "sums = propagate_back.__dict__.setdefault((mlp.sizes, l), np.zeros_like(W[l]))\n"
        "        sums += delta[l].T @ a[l - 1]\n"
        "        grads.W[l][:] = sums",
    ),
    Bug("sigmoid's slope taken at z", "activations.py", "a * (1 - a))", "z * (1 - z))"),
    Bug("tanh's slope without the square", "activations.py", "1 - a * a)", "1 - a)"),
    Bug(
        "mean taken for a constant",
        "deep.py",
        "(delta_hat - delta_hat.mean(axis=0) - s_hat",
        "(delta_hat - s_hat",
    ),
    Bug(
        "variance taken for a constant",
        "deep.py",
        "- s_hat * (delta_hat * s_hat).mean(axis=0)) / rho",
        ") / rho",
    ),
    Bug("skip forgotten on the way back", "deep.py", "e[l - 1] += e[l]", "e[l - 1] += 0"),
    Bug(
        "slope at what is handed on",
        "deep.py",
        "phi[l - 1].d(z[l - 1], v[l - 1])",
        "phi[l - 1].d(z[l - 1], a[l - 1])",
    ),
    Bug(
        "weights fed unmasked",
        "regularization.py",
        "delta[l].T @ (a[l - 1] * m[l - 1])",
        "delta[l].T @ a[l - 1]",
    ),
)

OTHERS = (
    # ---- what backward does not pass through
    Bug(
        "relu's slope 1 at the kink",
        "activations.py",
        RELU,
        RELU.replace("z > 0", "z >= 0"),
    ),
    Bug(
        "softmax's slope without its neighbours",
        "activations.py",
        "(np.eye(a.shape[1], dtype=a.dtype) - a[:, None, :])",
        "np.eye(a.shape[1], dtype=a.dtype) * (1 - a[:, None, :])",
    ),
    Bug("recursion forgets its memo", "backprop.py", "return memo[l]\n", "return memo.pop(l)\n"),
    Bug(
        "recursion updates too early",
        "backprop.py",
        "memo[l] = (after @ params.W[l + 1]) *",
        "memo[l] = (after @ (params.W[l + 1] - 0.5 * after.T @ cache.a[l])) *",
    ),
    # ---- losses
    Bug(
        "half missing in the loss",
        "losses.py",
        "np.square(a - y).sum() / (2 * len(y))",
        "np.square(a - y).sum() / len(y)",
    ),
    Bug(
        "loss averaged over outputs",
        "losses.py",
        "np.square(a - y).sum() / (2 * len(y))",
        "np.square(a - y).mean() / 2",
    ),
    Bug(
        "softmax twice in the loss",
        "network.py",
        "return loss.from_logits(cache.z[-1], y)",
        "return loss.from_logits(cache.a[-1], y)",
    ),
    Bug(
        "probabilities clipped in silence",
        "losses.py",
        "return np.where(y == 0, 0, y * np.log(p))",
        "return np.where(y == 0, 0, y * np.log(np.clip(p, 1e-12, None)))",
    ),
    Bug(
        "a column minus a row",
        "losses.py",
        '    check_rows("y", y, n_L, "n_L", rows=N)\n',
        "",
    ),
    # ---- numbers that leave the range of a float
    Bug(
        "softmax overflows",
        "activations.py",
        "np.exp(z - z.max(axis=-1, keepdims=True))",
        "np.exp(z)",
    ),
    Bug(
        "bce overflows",
        "losses.py",
        "np.maximum(z, 0) + np.log1p(np.exp(np.minimum(z, -z)))",
        "np.log1p(np.exp(z))",
    ),
    # ---- forward
    Bug("bias left out", "network.py", "a[l - 1] @ W[l].T + b[l]", "a[l - 1] @ W[l].T"),
    Bug(
        "weights transposed",
        "network.py",
        "a[l - 1] @ W[l].T + b[l]",
        "a[l - 1] @ (W[l] if len(W[l]) == len(W[l].T) else W[l].T) + b[l]",
    ),
    Bug("he for xavier", "network.py", "np.sqrt(2 / (n_in + n_out))", "np.sqrt(2 / n_in)"),
    Bug("parameters copied", "network.py", ".reshape(n_out, n_in))", ".reshape(n_out, n_in) + 0)"),
    # ---- training
    Bug(
        "steps taken in place",
        "optimizers.py",
        "return (theta - eta(t) * g,)",
        "return (np.subtract(theta, eta(t) * g, out=theta),)",
    ),
    Bug(
        "adam counts from 0",
        "optimizers.py",
        "m / (1 - beta1 ** (t + 1)), v / (1 - beta2 ** (t + 1))",
        "m / (1 - beta1 ** max(t, 1)), v / (1 - beta2 ** max(t, 1))",
    ),
    Bug(
        "adam's correction left out",
        "optimizers.py",
        "if bias_correction:",
        "if False:",
    ),
    Bug("eps under the root", "optimizers.py", "np.sqrt(v_hat) + eps", "np.sqrt(v_hat + eps)"),
    Bug(
        "adamw's decay is an L2 penalty",
        "optimizers.py",
        "moved, state = plain.step(params, grads, state)",
        "grads = grads.like(grads.theta + decay * params.theta)\n"
        "        return plain.step(params, grads, state)",
    ),
    Bug(
        "momentum without the new gradient",
        "optimizers.py",
        "return theta - eta(t) * (g + mu * v), v",
        "return theta - eta(t) * (mu * v), v",
    ),
    Bug(
        "every entry clipped by itself",
        "optimizers.py",
        "grads.like(grads.theta * (c / norm))",
        "grads.like(np.clip(grads.theta, -c, c))",
    ),
    Bug(
        "last batch dropped",
        "training.py",
        "for start in range(0, N, batch_size))",
        "for start in range(0, N - batch_size + 1, batch_size))",
    ),
    Bug("batches not shuffled", "training.py", "rng.permutation(N)", "np.arange(N)"),
    # ---- regularisation
    Bug(
        "dropout without its factor",
        "regularization.py",
        "keep.astype(X.dtype) / (1 - p)",
        "keep.astype(X.dtype)",
    ),
    Bug(
        "last instead of best",
        "regularization.py",
        "        if held_out < min(self.losses, default=np.inf):\n            ",
        "        if held_out < min(self.losses, default=np.inf) or self.best_epoch:\n            ",
    ),
    # ---- deep networks
    Bug(
        "batch statistics at inference",
        "deep.py",
        "z = batch_norm_inference(s, gamma[l], b[l], statistics[l])",
        "z = batch_norm_inference(s, gamma[l], b[l], Statistics(s.mean(axis=0), s.var(axis=0)))",
    ),
    # ---- the witnesses themselves
    Bug(
        "a check that agrees with itself",
        "gradcheck.py",
        "return compare(given, params.like(slope), promised",
        "return compare(given, given, promised",
    ),
    Bug("difference over one step", "gradcheck.py", "f(theta - e)) / (2 * h)", "f(theta - e)) / h"),
    Bug(
        "trace steps uphill",
        "trace.py",
        'moved = ("-", w, ("*", "eta", f"d{w}"))',
        'moved = ("+", w, ("*", "eta", f"d{w}"))',
    ),
    # ---- automatic differentiation
    Bug(
        "the last path wins",
        "autodiff.py",
        "adjoint[parent] + share if parent in adjoint else share",
        "share",
    ),
    Bug("a turn for every path", "autodiff.py", "        elif node not in seen:", "        else:"),
    Bug(
        "broadcasting not undone",
        "autodiff.py",
        "share = unbroadcast(arriving, parent.shape)",
        "share = np.asarray(arriving)",
    ),
    Bug(
        "a second backward starts afresh",
        "autodiff.py",
        "node.grad = g if node.grad is None else np.asarray(node.grad + g)",
        "node.grad = g",
    ),
)

BUGS = CATALOGUE + GRADIENTS + OTHERS
