"""Which mistakes reproduce a gradient: candidates from the simplest to the most contrived.

A stage is a list of explanations of equal simplicity. The first stage that holds an explanation
which fits settles the matter; what else fits equally well in the same stage cannot be told apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from backprop_lib.diagnose.reading import Reading, array_slices
from backprop_lib.diagnose.rules import (
    RIGHT,
    RULES,
    Bend,
    Case,
    bends,
    bent_gradient,
    clash,
    gradient_with,
    make_case,
)
from backprop_lib.errors import Array
from backprop_lib.mistakes import MISTAKES
from backprop_lib.network import Params

TOLERANCE = 1e-5  # relative, of each array
TOLERANCE_SINGLE = 1e-4  # the same for numbers computed in float32
SAME = 1e-4  # two misfits below this part of what is allowed are both rounding
LARGEST_SYSTEM = 2_000_000  # numbers in the equations that are solved for shuffled targets
ENOUGH = 2  # numbers that a fitted constant must explain before it explains anything


@dataclass(frozen=True, eq=False)
class Explanation:
    """One way to arrive at a gradient: mistakes, where they were made, and a constant factor.

    Parameters
    ----------
    grads : Params
        The gradient it gives.
    names : tuple of str
        Names of the mistakes in the catalogue; none for a mere factor.
    layers : tuple of int
        The layers it was made in; empty where that is every layer in which it can be made.
    where : str
        The same in words; for a factor the arrays that wear it.
    factor : float
        What the gradient, or the part of it named in `where`, is multiplied with.
    constant : str
        What that factor is: "N", "1/K", "the learning rate"; empty if nobody knows.
    fitted : str
        A number that was found by fitting, in words.
    learning_rate : float, optional
        The learning rate of an early update.

    Examples
    --------
    >>> Explanation(Params(np.zeros(2), (1, 1)), names=("sign",)).sentence
    'the gradient you get when the error is target minus output'

    Notes
    -----
    Chapter 8, *Checking gradients*.
    """

    grads: Params
    names: tuple[str, ...] = ()
    layers: tuple[int, ...] = ()
    where: str = ""
    factor: float = 1.0
    constant: str = ""
    fitted: str = ""
    learning_rate: float | None = None

    @property
    def _number(self) -> str:
        return f"{self.factor:.6g}" + (f" = {self.constant}" if self.constant else "")

    @property
    def title(self) -> str:
        """What to call it: names from the catalogue, or the factor; and where."""
        named = " + ".join(self.names) or f"a factor of {self._number}"
        times = f" times {self._number}" if self.names and self.factor != 1 else ""
        return named + times + (f", in {self.where} only" if self.where else "")

    @property
    def sentence(self) -> str:
        """What happened, in words."""
        only = f", in {self.where} only" if self.where else ""
        if not self.names:
            return f"the right gradient times {self._number}{only}"
        made = ", and ".join(MISTAKES[name].title for name in self.names)
        times = f", all of it times {self._number}" if self.factor != 1 else ""
        fitted = f" ({self.fitted})" if self.fitted else ""
        return f"the gradient you get when {made}{only}{times}{fitted}"


@dataclass(frozen=True, eq=False)
class Bench:
    """One reading of somebody's gradient beside the right one, and the rule for what fits."""

    case: Case
    reading: Reading
    right: Params
    noise: Array
    tolerance: float

    @cached_property
    def slices(self) -> dict[str, slice]:
        """Where each given array lies in the flat vector."""
        every = array_slices(self.case.mlp.sizes)
        return {name: every[name] for name in self.reading.given}

    @cached_property
    def entries(self) -> Array:
        """Which entries of the flat vector were given."""
        given = np.zeros(self.right.theta.size, dtype=bool)
        for place in self.slices.values():
            given[place] = True
        return given

    @cached_property
    def _smallest_first(self) -> list[tuple[slice, float]]:
        """The given arrays, those that are compared quickly first, with what noise may do."""
        places = sorted(self.slices.values(), key=lambda place: place.stop - place.start)
        return [(place, float(np.linalg.norm(self.noise[place]))) for place in places]

    def close(self, first: Params, second: Params) -> bool:
        """Whether every given array is near its counterpart, within tolerance and noise."""
        for place, noise in self._smallest_first:
            apart, longer = _gap(first.theta[place], second.theta[place])
            if not apart <= self.tolerance * longer + noise:
                return False
        return True

    def fits(self, grads: Params) -> bool:
        """Whether every given array is the reader's, within tolerance and noise."""
        return self.close(self.reading.grads, grads)

    def misfit(self, grads: Params) -> float:
        """How far the reader's gradient is off, in units of what is allowed, at the worst array."""
        worst = 0.0
        for place, noise in self._smallest_first:
            apart, longer = _gap(self.reading.grads.theta[place], grads.theta[place])
            allowed = self.tolerance * longer + noise
            worst = max(worst, apart / allowed if allowed > 0 else 0.0)
        return worst

    def distances(self, grads: Params) -> dict[str, float]:
        """Relative distance of each given array from the reader's."""
        found = {}
        for name, place in self.slices.items():
            apart, longer = _gap(self.reading.grads.theta[place], grads.theta[place])
            found[name] = apart / longer if longer > 0 else 0.0
        return found

    def distance(self, grads: Params) -> float:
        """The largest of the distances."""
        return max(self.distances(grads).values())

    def best_factor(self, direction: Array, target: Array, part: Array | None = None) -> float:
        """The c for which c * direction is nearest to target, on what was given; nan if none."""
        entries = self.entries if part is None else self.entries & part
        d, t = direction[entries], target[entries]
        with np.errstate(over="ignore", invalid="ignore"):
            return float(d @ t / (d @ d)) if d.any() else float("nan")


def _gap(u: Array, v: Array) -> tuple[float, float]:
    """Length of the difference, and of the longer of the two; tiny numbers keep their squares."""
    largest = max(float(np.abs(u).max()), float(np.abs(v).max()))
    scale = largest if largest > 0 else 1.0
    u, v = u / scale, v / scale
    longer = max(float(np.linalg.norm(u)), float(np.linalg.norm(v)))
    return scale * float(np.linalg.norm(u - v)), scale * longer


def rounding_noise(case: Case, right: Params, single: bool) -> Array:
    """How far rounding alone may move each entry: float32 shows it, ten times that is allowed.

    The right gradient is computed in float32 a few times, from parameters shaken in their last
    digit. For numbers that were computed in float64 the same, scaled to float64's last digit.
    """
    mlp, worst = case.mlp, np.zeros_like(right.theta)
    masks = {l: mask.astype(np.float32) for l, mask in case.masks.items()}
    X, y = case.out[0].astype(np.float32), case.y.astype(np.float32)
    eps = float(np.finfo(np.float32).eps)
    with np.errstate(all="ignore"):
        for shake in range(3):
            shaken = case.params.like((case.params.theta * (1 + shake * eps)).astype(np.float32))
            again = make_case(mlp, shaken, X, y, case.loss, masks, l2=case.l2)
            worst = np.maximum(worst, np.abs(bent_gradient(again, {}).theta - right.theta))
    scale = 1.0 if single else float(np.finfo(np.float64).eps) / eps
    return 10 * scale * np.nan_to_num(worst, posinf=0.0)


def constants(case: Case) -> dict[str, float]:
    """The numbers by which a whole gradient is commonly off, by name."""
    N, K = case.N, case.K
    named = {"N": N, "1/N": 1 / N, "K": K, "1/K": 1 / K, "N K": N * K, "1/(N K)": 1 / (N * K)}
    if case.learning_rate:
        named["the learning rate"] = case.learning_rate
        named["minus the learning rate"] = -case.learning_rate
    return {name: value for name, value in named.items() if value != 1}


def usual_factors(case: Case) -> tuple[float, ...]:
    """The values worth trying before any number is: those with a name, and 2, 1/2, -1, 0."""
    return tuple(dict.fromkeys((2.0, 0.5, -1.0, 0.0, *constants(case).values())))


def constant_name(case: Case, factor: float) -> str:
    """What a factor is: "N = 1/K", or "" for a number without a name."""
    named = constants(case).items()
    return " = ".join(n for n, value in named if abs(value - factor) <= 1e-6 * abs(factor))


# --------------------------------------------------------------------------------------------
# The stages


def _singles(bench: Bench) -> Iterator[Explanation]:
    """One mistake, wherever it can be made."""
    for name in RULES:
        for bend in bends(bench.case, name):
            yield Explanation(gradient_with(bench.case, bend), (name,))


def _constant_factors(bench: Bench) -> Iterator[Explanation]:
    """The right gradient times a constant that has a name."""
    for value in usual_factors(bench.case):
        scaled = bench.right.like(value * bench.right.theta)
        yield Explanation(scaled, factor=value, constant=constant_name(bench.case, value))


def _scopes(case: Case, bend: Bend) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The hidden layers, or one layer, where that is less than all."""
    hidden = tuple(l for l in bend.layers if l < case.mlp.L)
    if 1 < len(hidden) < len(bend.layers):
        yield "the hidden layers", hidden
    if len(bend.layers) > 1:
        yield from ((f"layer {l}", (l,)) for l in bend.layers)


def _in_some_layers(bench: Bench) -> Iterator[Explanation]:
    """One mistake, in the hidden layers only or in one layer only."""
    for name in RULES:
        for bend in bends(bench.case, name):
            for where, layers in _scopes(bench.case, bend):
                grads = gradient_with(bench.case, bend._replace(layers=layers))
                yield Explanation(grads, (name,), layers, where)


def _parts(bench: Bench) -> Iterator[tuple[str, tuple[int, ...], Array]]:
    """Parts of the gradient that a factor may sit on alone, with their entries."""
    sizes = bench.case.mlp.sizes
    layer, weight = np.zeros(bench.right.theta.size, int), np.zeros(bench.right.theta.size, bool)
    for name, place in array_slices(sizes).items():
        layer[place], weight[place] = int(name[2:-1]), name[0] == "W"
    yield "the weights", (), weight
    yield "the biases", (), ~weight
    for l in range(1, len(sizes)):
        yield f"layer {l}", (l,), layer == l
        if 1 < l < len(sizes) - 1:
            yield f"layers 1 to {l}", tuple(range(1, l + 1)), layer <= l
        yield f"W[{l}]", (l,), (layer == l) & weight
        yield f"b[{l}]", (l,), (layer == l) & ~weight


def _scaled_part(bench: Bench, part: Array, factor: float) -> Params:
    theta = bench.right.theta
    return bench.right.like(np.where(part, factor * theta, theta))


def _constant_factors_on_parts(bench: Bench) -> Iterator[Explanation]:
    """A named constant on the weights, the biases, a layer or an array only."""
    for where, layers, part in _parts(bench):
        if (part & bench.entries).any() and not part[bench.entries].all():
            for value in usual_factors(bench.case):
                name = constant_name(bench.case, value)
                grads = _scaled_part(bench, part, value)
                yield Explanation(grads, (), layers, where, value, name)


def _pairs(bench: Bench) -> Iterator[Explanation]:
    """Two mistakes, each wherever it can be made."""
    single = [bend for name in RULES for bend in bends(bench.case, name)]
    for first, second in combinations(single, 2):
        if first.name != second.name and not clash(first, second):
            names = (first.name, second.name)
            yield Explanation(gradient_with(bench.case, first, second), names)


def _enough(bench: Bench, direction: Array) -> bool:
    """Whether a fitted constant would explain more numbers than it costs."""
    return int(np.count_nonzero(direction[bench.entries])) >= ENOUGH


def _any_factor(bench: Bench) -> Iterator[Explanation]:
    """The right gradient times any number."""
    factor = bench.best_factor(bench.right.theta, bench.reading.grads.theta)
    if _enough(bench, bench.right.theta) and np.isfinite(factor):
        scaled = bench.right.like(factor * bench.right.theta)
        yield Explanation(scaled, factor=factor, constant=constant_name(bench.case, factor))


def _single_times_factor(bench: Bench) -> Iterator[Explanation]:
    """One mistake, and all of it times any number."""
    for found in _singles(bench):
        factor = bench.best_factor(found.grads.theta, bench.reading.grads.theta)
        if _enough(bench, found.grads.theta) and np.isfinite(factor) and factor != 0:
            grads = found.grads.like(factor * found.grads.theta)
            constant = constant_name(bench.case, factor)
            yield replace(found, grads=grads, factor=factor, constant=constant)


def _any_factor_on_parts(bench: Bench) -> Iterator[Explanation]:
    """Any number on the weights, the biases, a layer or an array only."""
    mine, right = bench.reading.grads.theta, bench.right.theta
    for where, layers, part in _parts(bench):
        factor = bench.best_factor(right, mine, part)
        if _enough(bench, right * part) and np.isfinite(factor):
            yield Explanation(_scaled_part(bench, part, factor), (), layers, where, factor)


# --------------------------------------------------------------------------------------------
# Mistakes with an unknown number in them


def _fitted(bench: Bench) -> Iterator[Explanation]:
    """Mistakes of which one number is not known, with the number that fits best."""
    for fit in (_early_update, _accumulated, _l2_strength, _shuffled_targets):
        found = fit(bench)
        if found is not None:
            yield found


def _early_update(bench: Bench) -> Explanation | None:
    eta = _fitted_learning_rate(bench)
    if not eta or not np.isfinite(eta) or eta < 0:
        return None
    case = replace(bench.case, learning_rate=eta)
    grads = gradient_with(case, *bends(case, "early_update"))
    stated = bench.case.learning_rate
    fitted = f"with a learning rate of {eta:.6g}" + (f", not {stated:.6g}" if stated else "")
    return Explanation(grads, ("early_update",), fitted=fitted, learning_rate=eta)


def _fitted_learning_rate(bench: Bench) -> float | None:
    """Newton's steps for the learning rate, on the first layer below the output that was given.

    The gradient of layer L-1 is a straight line in it, so there the first step is exact; every
    layer further down adds a degree to the polynomial.
    """
    below = [l for l in range(1, bench.case.mlp.L) if f"W[{l}]" in bench.reading.given]
    if not below:
        return None
    l, h, eta = max(below), 1e-2, 0.0
    mine = bench.reading.grads.W[l]
    for _ in range(20):
        here, after = _early(bench.case, l, eta), _early(bench.case, l, eta + h)
        slope = (after - here) / h
        length = float(np.sum(slope * slope))
        if not (np.isfinite(length) and length > 0):
            return None
        step = float(np.sum(slope * (mine - here))) / length
        eta += step
        if abs(step) <= 1e-12 * abs(eta):
            break
    return eta


def _early(case: Case, l: int, eta: float) -> Array:
    law = replace(RIGHT, carry=lambda case, W, dW: W - eta * dW)
    with np.errstate(over="ignore", invalid="ignore"):
        return bent_gradient(case, dict.fromkeys(range(1, case.mlp.L), law)).W[l]


def _accumulated(bench: Bench) -> Explanation | None:
    """An earlier gradient, times any number: a velocity, if the number is below 1."""
    if bench.case.previous is None:
        return None
    previous, right = bench.case.previous.theta, bench.right.theta
    factor = bench.best_factor(previous, bench.reading.grads.theta - right)
    if not _enough(bench, previous) or not np.isfinite(factor):
        return None
    fitted = f"{factor:.6g} times the previous one"
    return Explanation(bench.right.like(right + factor * previous), ("accumulated",), fitted=fitted)


def _l2_strength(bench: Bench) -> Explanation | None:
    plain = replace(bench.case, l2=0.0)
    data = bent_gradient(plain, {})
    weights = bench.right.like(np.zeros_like(data.theta))
    for l in range(1, bench.case.mlp.L + 1):
        weights.W[l][:] = bench.case.params.W[l]
    strength = bench.best_factor(weights.theta, bench.reading.grads.theta - data.theta)
    if not _enough(bench, weights.theta) or not strength > 0:
        return None
    fitted = f"lambda is {strength:.6g} in the gradient and {bench.case.l2:.6g} in the loss"
    grads = data.like(data.theta + strength * weights.theta)
    return Explanation(grads, ("l2_strength",), fitted=fitted)


def _shuffled_targets(bench: Bench) -> Explanation | None:
    """Targets in any order, where the gradient gives every sample's output error away."""
    y = _implied_targets(bench)
    if y is None or (y == bench.case.y).all():
        return None
    grads = bent_gradient(replace(bench.case, y=y), {})
    return Explanation(grads, ("labels_misaligned",), fitted="in some other order")


def _implied_targets(bench: Bench) -> Array | None:
    """For every sample the row of y that explains its output error best.

    The gradient is linear in the N K output errors, so they follow from it by least squares where
    it holds enough equations. Each is compared with the error that every row of y would cause.
    """
    case = bench.case
    delta = _implied_errors(replace(bench, case=replace(case, l2=0.0)))
    if delta is None:
        return None
    shifts = [np.roll(case.y, -s, axis=0) for s in range(case.N)]
    errors = [RIGHT.output_error(replace(case, y=shifted), RIGHT) for shifted in shifts]
    misfit = np.array([np.square(error - delta).sum(axis=1) for error in errors])
    return case.y[(np.arange(case.N) + misfit.argmin(axis=0)) % case.N]


def _implied_errors(bench: Bench) -> Array | None:
    """The output errors, (N, K), of which the given arrays are the gradient; None if too many."""
    case = bench.case
    if case.N * case.K * np.count_nonzero(bench.entries) > LARGEST_SYSTEM:
        return None
    penalty = bench.right.theta - bent_gradient(case, {}).theta
    effects = [_effect(case, n, k)[bench.entries] for n in range(case.N) for k in range(case.K)]
    target = (bench.reading.grads.theta - penalty)[bench.entries]
    equations = np.column_stack(effects)
    if not np.isfinite(equations).all():
        return None
    return np.linalg.lstsq(equations, target, rcond=None)[0].reshape(case.N, case.K)


def _effect(case: Case, n: int, k: int) -> Array:
    """The gradient if delta[L] were 1 for output k of sample n, and 0 elsewhere."""
    error = np.zeros((case.N, case.K))
    error[n, k] = 1.0
    law = replace(RIGHT, output_error=lambda case, laws: error)
    return bent_gradient(case, {case.mlp.L: law}).theta


Stage = Callable[[Bench], Iterator[Explanation]]
STAGES: tuple[Stage, ...] = (
    _singles,
    _constant_factors,
    _in_some_layers,
    _constant_factors_on_parts,
    _fitted,
    _pairs,
    _any_factor,
    _single_times_factor,
    _any_factor_on_parts,
)


def explain(bench: Bench, stage: Stage) -> tuple[Explanation, ...]:
    """What fits in a stage, nearest first, once a name; only what fits as well as the nearest.

    An explanation must come ten times nearer than the right gradient does: what is just outside
    the tolerance of the one and just inside that of the other is noise.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        fitting = [found for found in stage(bench) if bench.fits(found.grads)]
        ranked = sorted((bench.misfit(found.grads), i) for i, found in enumerate(fitting))
        enough = bench.misfit(bench.right) / 10
    kept: dict[Any, Explanation] = {}
    for misfit, i in ranked:
        if misfit <= min(enough, 10 * ranked[0][0] + SAME):
            found = fitting[i]
            kept.setdefault(found.names or "a factor", found)
    return tuple(kept.values())


def blind_spots(bench: Bench) -> tuple[str, ...]:
    """The mistakes that nobody can see in this network on this data: they change no array of it."""
    whole = replace(bench.reading, given=tuple(array_slices(bench.case.mlp.sizes)))
    everything = replace(bench, reading=whole)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        unseen = [
            found.names[0]
            for found in _singles(bench)
            if everything.close(found.grads, bench.right)
        ]
    return tuple(dict.fromkeys(unseen))
