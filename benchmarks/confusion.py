"""How often the gradient doctor is right: every mistake planted in random networks.

    python benchmarks/confusion.py [number of gradients a mistake] [number of right gradients]

Prints the confusion matrix (rows: planted, columns: named), the same counts for mistakes in one
layer only, for pairs and for constant factors, and how often a right gradient was accused.
A planted mistake is *invisible* if it moves no array by more than 1e-6 of itself; such gradients
are not counted. A diagnosis that names another mistake is *the same gradient* if what it names
would give the planted gradient to within 1e-6, and *wrong* otherwise.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from backprop_lib.activations import (
    Activation,
    identity,
    leaky_relu,
    relu,
    sigmoid,
    softmax,
    tanh,
)
from backprop_lib.backprop import backward
from backprop_lib.diagnose import Diagnosis, diagnose
from backprop_lib.diagnose.reading import array_slices
from backprop_lib.diagnose.rules import RULES, Case, bends, clash, gradient_with
from backprop_lib.diagnose.verdict import prepare
from backprop_lib.losses import Loss, bce, cross_entropy, half_mse, one_hot, sse
from backprop_lib.network import MLP, Params, forward
from backprop_lib.regularization import dropout_masks

VISIBLE = 1e-6
HIDDEN = (sigmoid, tanh, relu, leaky_relu, identity)
HEADS: tuple[tuple[Activation, Loss], ...] = (
    (identity, half_mse),
    (identity, sse),
    (sigmoid, half_mse),
    (sigmoid, sse),
    (tanh, half_mse),
    (relu, half_mse),
    (sigmoid, bce),
    (softmax, cross_entropy),
)
# What must be known for a mistake to be possible at all.
NEEDS = {
    "early_update": "learning_rate",
    "dropout_factor_lost": "masks",
    "dropout_mask_lost": "masks",
    "accumulated": "previous",
    "l2_on_biases": "l2",
    "l2_missing": "l2",
}
# Where all matrices are square, only a statement tells a transposed gradient from a layout.
STATED = {"gradient_transposed": {"orientation": "out_in"}}
FACTORS = ("N", "1/N", "2", "1/2", "K", "1/K", "-1", "learning rate", "any")


@dataclass(frozen=True, eq=False)
class Problem:
    """A random network on a random batch, and what else the doctor is told."""

    mlp: MLP
    params: Params
    X: Any
    y: Any
    loss: Loss
    knowledge: dict[str, Any]

    @property
    def case(self) -> Case:
        return prepare(*self.arguments, self.knowledge)

    @property
    def arguments(self) -> tuple[Any, ...]:
        return self.mlp, self.params, self.X, self.y, self.loss

    def diagnose(self, gradients: Any, **options: Any) -> Diagnosis:
        return diagnose(gradients, *self.arguments, **self.knowledge, **options)


def random_problem(rng: np.random.Generator, *known: str) -> Problem:
    """Depth 1 to 4, widths 1 to 8 (often equal), 1 to 16 samples, any activations and losses."""
    L = int(rng.integers(1, 5))
    sizes = tuple(int(n) for n in rng.integers(1, 9, L + 1))
    if rng.random() < 0.4:
        sizes = (*(sizes[0],) * L, sizes[-1])
    head, loss = HEADS[rng.integers(len(HEADS))]
    if head is softmax:
        sizes = (*sizes[:-1], max(2, sizes[-1]))
    mlp = MLP(sizes, (*(HIDDEN[i] for i in rng.integers(len(HIDDEN), size=L - 1)), head))
    params = mlp.init(rng)
    params.theta[:] += 0.2 * rng.standard_normal(params.theta.size)
    N, K = int(rng.integers(1, 17)), sizes[-1]
    X, y = rng.standard_normal((N, sizes[0])), rng.random((N, K))
    if head is softmax:
        y = one_hot(rng.integers(K, size=N), K)
    knowledge: dict[str, Any] = {}
    if "learning_rate" in known:
        knowledge["learning_rate"] = float(10 ** rng.uniform(-2, 0))
    if "l2" in known:
        knowledge["l2"] = float(10 ** rng.uniform(-3, -1))
    if "masks" in known:
        knowledge["masks"] = dropout_masks(mlp, X, 0.5, rng)
    if "previous" in known:
        knowledge["previous"] = params.like(rng.standard_normal(params.theta.size))
    return Problem(mlp, params, X, y, loss, knowledge)


def worst_gap(first: Params, second: Params) -> float:
    """The largest relative distance of an array from its counterpart."""
    worst = 0.0
    for kind in ("W", "b"):
        for u, v in zip(getattr(first, kind)[1:], getattr(second, kind)[1:], strict=True):
            longer = max(np.linalg.norm(u), np.linalg.norm(v))
            worst = max(worst, float(np.linalg.norm(u - v) / longer) if longer else 0.0)
    return worst


def judge(
    planted: Params, named: tuple[str, ...], found: Diagnosis, same_within: float = VISIBLE
) -> str:
    """named, among (others that coincide), same (gradient under another name) or wrong."""
    names = [explanation.names for explanation in found.explanations]
    same = all(worst_gap(planted, e.grads) <= same_within for e in found.explanations)
    if names == [named]:
        return "named"
    if named in names and same:
        return "among"
    return "same" if names and same else "wrong"


# --------------------------------------------------------------------------------------------
# Planting


def planted_singles(
    name: str, rng: np.random.Generator, visible: float = VISIBLE
) -> Iterator[tuple[Problem, Params, Params]]:
    """Problems with one mistake made wherever it can be made, visibly; and the right gradient."""
    while True:
        problem = random_problem(rng, NEEDS.get(name, ""))
        case = problem.case
        ways = bends(case, name)
        if ways:
            right = gradient_with(case)
            grads = gradient_with(case, ways[rng.integers(len(ways))])
            if worst_gap(grads, right) > visible:
                yield problem, grads, right


def planted_in_one_layer(
    name: str, rng: np.random.Generator
) -> Iterator[tuple[Problem, Params, Params]]:
    while True:
        problem = random_problem(rng, NEEDS.get(name, ""))
        case = problem.case
        ways = [bend for bend in bends(case, name) if len(bend.layers) > 1]
        if ways:
            l = ways[0].layers[rng.integers(len(ways[0].layers))]
            right = gradient_with(case)
            grads = gradient_with(case, ways[0]._replace(layers=(l,)))
            if worst_gap(grads, right) > VISIBLE:
                yield problem, grads, right


def planted_pairs(rng: np.random.Generator) -> Iterator[tuple[Problem, Params, tuple[str, ...]]]:
    """Two mistakes at once, each of which changes what the other alone would give."""
    while True:
        problem = random_problem(rng, *rng.permutation(["l2", "masks", "learning_rate"])[:2])
        case = problem.case
        single = [bend for name in RULES for bend in bends(case, name)]
        pairs = [p for p in combinations(single, 2) if p[0].name != p[1].name and not clash(*p)]
        first, second = pairs[rng.integers(len(pairs))]
        both = gradient_with(case, first, second)
        simpler = [gradient_with(case), gradient_with(case, first), gradient_with(case, second)]
        if np.isfinite(both.theta).all() and all(worst_gap(both, g) > VISIBLE for g in simpler):
            yield problem, both, (first.name, second.name)


def with_noise(rng: np.random.Generator) -> Iterator[tuple[Problem, Params, tuple[str, ...]]]:
    """One mistake, every number of its gradient off by a millionth of itself or so."""
    while True:
        name = str(rng.choice(list(RULES)))
        problem, grads, _ = next(planted_singles(name, rng, visible=1e-4))
        yield problem, noise_by_entry(rng, grads, problem), (name,)


def early_updates(rng: np.random.Generator) -> Iterator[tuple[Problem, Params, tuple[str, ...]]]:
    """Updated too early, with a learning rate that the doctor is not told."""
    for problem, grads, _ in planted_singles("early_update", rng, visible=1e-4):
        yield replace(problem, knowledge={}), grads, ("early_update",)


def shuffled(rng: np.random.Generator) -> Iterator[tuple[Problem, Params, tuple[str, ...]]]:
    """Targets in any order; only where the gradient holds more numbers than there are errors."""
    while True:
        problem = random_problem(rng)
        N, K = problem.y.shape
        y = problem.y[rng.permutation(N)]
        enough = K * (problem.mlp.sizes[-2] + 1) >= N * K
        grads = gradient_with(replace(problem, y=y).case)
        if enough and worst_gap(grads, gradient_with(problem.case)) > 1e-4:
            yield problem, grads, ("labels_misaligned",)


def factor_of(name: str, problem: Problem, rng: np.random.Generator) -> float:
    N, K = len(problem.X), problem.mlp.sizes[-1]
    known = {"N": N, "1/N": 1 / N, "2": 2, "1/2": 0.5, "K": K, "1/K": 1 / K, "-1": -1}
    known["learning rate"] = problem.knowledge["learning_rate"]
    return float(known.get(name, 10 ** rng.uniform(-2, 2)))


# --------------------------------------------------------------------------------------------
# Right gradients, as people have them


def exact(rng: np.random.Generator, grads: Params, problem: Problem) -> Any:
    return grads


def noise_by_entry(rng: np.random.Generator, grads: Params, problem: Problem) -> Any:
    return grads.like(grads.theta * (1 + 1e-6 * rng.standard_normal(grads.theta.size)))


def noise_by_array(rng: np.random.Generator, grads: Params, problem: Problem) -> Any:
    def noisy(g: Any) -> Any:
        return g + 1e-6 * np.abs(g).max() * rng.uniform(-1, 1, g.shape)

    return [noisy(g) for g in grads.W[1:]], [noisy(g) for g in grads.b[1:]]


def in_float32(rng: np.random.Generator, grads: Params, problem: Problem) -> Any:
    """Really computed in single precision, then handed over as such or as double."""
    single = np.float32
    params = problem.params.like(problem.params.theta.astype(single))
    cache = forward(problem.mlp, params, problem.X.astype(single))
    found = backward(problem.mlp, params, cache, problem.y.astype(single), problem.loss).grads
    return found if rng.random() < 0.5 else found.like(found.theta.astype(np.float64))


def transposed(rng: np.random.Generator, grads: Params, problem: Problem) -> Any:
    return [W.T for W in grads.W[1:]], [b[:, None] for b in grads.b[1:]]


def some_arrays(rng: np.random.Generator, grads: Params, problem: Problem) -> Any:
    names = tuple(array_slices(grads.sizes))
    kept = rng.choice(names, size=rng.integers(1, len(names) + 1), replace=False)
    return {name: getattr(grads, name[0])[int(name[2:-1])] for name in kept}


MANNERS: tuple[Callable[..., Any], ...] = (
    exact,
    noise_by_entry,
    noise_by_array,
    in_float32,
    transposed,
    some_arrays,
)


def accusations(trials: int, rng: np.random.Generator) -> list[tuple[str, Problem, Diagnosis]]:
    """Right gradients, in turn as each manner has them, that were called wrong."""
    accused = []
    for trial in range(trials):
        manner = MANNERS[trial % len(MANNERS)]
        problem = random_problem(rng)
        grads = backward(
            problem.mlp,
            problem.params,
            forward(problem.mlp, problem.params, problem.X),
            problem.y,
            problem.loss,
        ).grads
        found = problem.diagnose(manner(rng, grads, problem))
        if not found.ok:
            accused.append((manner.__name__, problem, found))
    return accused


# --------------------------------------------------------------------------------------------
# The report


def confusion(trials: int, rng: np.random.Generator) -> dict[str, Counter[str]]:
    """For each mistake what it was called: its own name, or ``other`` names; with judgements."""
    table: dict[str, Counter[str]] = {}
    for name in RULES:
        counts: Counter[str] = Counter()
        source = planted_singles(name, rng)
        for _ in range(trials):
            problem, grads, _right = next(source)
            found = problem.diagnose(grads, **STATED.get(name, {}))
            judged = judge(grads, (name,), found)
            counts[judged] += 1
            own = judged in ("named", "among")
            counts["-> " + (name if own else "+".join(found.names) or found.verdict)] += 1
        table[name] = counts
    return table


def print_matrix(table: dict[str, Counter[str]]) -> None:
    names = list(table)
    print("rows: planted; columns: named (numbered like the rows; 'other': anything else)\n")
    print(f"{'':25}" + "".join(f"{i:4}" for i in range(1, len(names) + 1)) + "  other    right")
    for i, (name, counts) in enumerate(table.items(), start=1):
        cells = "".join(f"{counts[f'-> {other}'] or '.':>4}" for other in names)
        inside = sum(counts[f"-> {other}"] for other in names)
        tried = sum(counts[k] for k in ("named", "among", "same", "wrong"))
        right = 100 * (1 - counts["wrong"] / tried)
        print(f"{i:2} {name:22}{cells}{tried - inside or '.':>7}{right:8.1f} %")


def summarise(title: str, judged: Counter[str]) -> None:
    total = sum(judged.values())
    words = {
        "named": "named",
        "among": "named among others that coincide",
        "same": "the same gradient under another name",
        "wrong": "wrong",
    }
    counts = ", ".join(f"{judged[key]} {word}" for key, word in words.items())
    share = 100 * (1 - judged["wrong"] / total)
    print(f"{title}: {total} gradients: {counts}: {share:.2f} % right")


def judge_many(source: Iterator[Any], trials: int, same_within: float = VISIBLE) -> Counter[str]:
    judged: Counter[str] = Counter()
    for _ in range(trials):
        problem, grads, names = next(source)
        stated = STATED.get("gradient_transposed" if "gradient_transposed" in names else "", {})
        judged[judge(grads, names, problem.diagnose(grads, **stated), same_within)] += 1
    return judged


def one_layer_only(trials: int, rng: np.random.Generator) -> Counter[str]:
    judged: Counter[str] = Counter()
    for name in [n for n in RULES if n not in OUTPUT_ONLY]:
        source = planted_in_one_layer(name, rng)
        judged += judge_many(((p, g, (name,)) for p, g, _ in source), trials)
    return judged


OUTPUT_ONLY = {
    *("sum_not_mean", "averaged_twice", "mean_not_sum", "mean_over_outputs", "missing_half"),
    *("missing_two", "sign", "output_slope_omitted", "extra_slope", "softmax_twice"),
    "labels_misaligned",
}


def constant_factors(trials: int, rng: np.random.Generator) -> Counter[str]:
    """A factor on everything: found if the printed number is right."""
    judged: Counter[str] = Counter()
    for trial in range(trials):
        problem = random_problem(rng, "learning_rate")
        name = FACTORS[trial % len(FACTORS)]
        right = gradient_with(problem.case)
        factor = factor_of(name, problem, rng)
        if abs(factor - 1) <= VISIBLE or not right.theta.any():
            continue
        found = problem.diagnose(right.like(factor * right.theta))
        number = found.factor or next(
            (float(n.split()[3]) for n in found.notes if n.startswith("every array is")), None
        )
        close = number is not None and abs(number - factor) <= 1e-5 * abs(factor)
        judged["named" if close else "wrong"] += 1
    return judged


def main() -> None:
    trials, right = (int(arg) for arg in (*sys.argv[1:], "100", "12000")[:2])
    rng, started = np.random.default_rng(0), time.perf_counter()
    table = confusion(trials, rng)
    print_matrix(table)
    print()
    totals: Counter[str] = Counter()
    for counts in table.values():
        totals += Counter({k: counts[k] for k in ("named", "among", "same", "wrong")})
    summarise("one mistake", totals)
    summarise("one mistake in one layer only", one_layer_only(max(1, trials // 4), rng))
    summarise("two mistakes", judge_many(planted_pairs(rng), 5 * trials))
    summarise("one mistake, noise of 1e-6", judge_many(with_noise(rng), 5 * trials, 1e-4))
    summarise("updated early, learning rate not told", judge_many(early_updates(rng), trials))
    summarise("targets in any order", judge_many(shuffled(rng), trials))
    summarise("a constant factor", constant_factors(5 * trials, rng))
    accused = accusations(right, rng)
    print(f"{right} right gradients, {len(accused)} of them accused")
    for manner, problem, found in accused[:5]:
        print(manner, problem.mlp, problem.loss, len(problem.X), found, sep="\n")
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
