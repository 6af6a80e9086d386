"""The verdict: `diagnose` compares, searches, and says what it found in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from backprop_lib.activations import leaky_relu, relu
from backprop_lib.backprop import check_backward
from backprop_lib.diagnose.reading import Orientation, read
from backprop_lib.diagnose.rules import (
    RIGHT,
    RULES,
    Case,
    bends,
    bent_gradient,
    gradient_with,
    make_case,
    slope_at_zero,
)
from backprop_lib.diagnose.search import (
    STAGES,
    TOLERANCE,
    TOLERANCE_SINGLE,
    Bench,
    Explanation,
    blind_spots,
    constant_name,
    explain,
    rounding_noise,
)
from backprop_lib.errors import Array, check_positive, check_zero_or_more
from backprop_lib.losses import Loss
from backprop_lib.mistakes import MISTAKES
from backprop_lib.network import MLP, Layers, Params, forward
from backprop_lib.regularization import dropout_forward

CLOSE = 1e-3  # a gradient this near to the right one looks like a coarse one, not a wrong one

Verdict = Literal["correct", "mistake", "two mistakes", "factor", "cannot tell apart", "unknown"]


@dataclass(frozen=True, eq=False, repr=False)
class Diagnosis:
    """What `diagnose` found; printing it gives the report.

    Parameters
    ----------
    verdict : str
        "correct", "mistake", "two mistakes", "factor", "cannot tell apart" or "unknown".
    explanations : tuple of Explanation
        What reproduces the gradient; several where they cannot be told apart on this data, none
        where the gradient is right or nothing in the catalogue fits.
    from_right : dict of str to float
        Relative distance of each given array from the right one.
    from_mistake : dict of str to float
        The same from the (first) explanation; empty without one.
    notes : tuple of str
        How the arrays were read: orientation, shapes, what else is worth knowing.
    unseen : tuple of str
        For a right gradient, the mistakes that would go unnoticed on this data.
    where : str
        For an unknown mistake, the first wrong array going backwards, and which line to look at.

    Examples
    --------
    >>> Diagnosis("correct", (), {"W[1]": 0.0, "b[1]": 0.0}, {}, ()).ok
    True

    Notes
    -----
    Chapter 8, *Checking gradients*.
    """

    verdict: Verdict
    explanations: tuple[Explanation, ...]
    from_right: Mapping[str, float]
    from_mistake: Mapping[str, float]
    notes: tuple[str, ...]
    unseen: tuple[str, ...] = ()
    where: str = ""

    @property
    def ok(self) -> bool:
        """Whether the gradient is right."""
        return self.verdict == "correct"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the mistakes in the catalogue, those of every explanation."""
        return tuple(dict.fromkeys(name for e in self.explanations for name in e.names))

    @property
    def layers(self) -> tuple[int, ...]:
        """The layers that the mistake was made in, if not in all where it can be made."""
        return self.explanations[0].layers if self.explanations else ()

    @property
    def factor(self) -> float | None:
        """The constant that the gradient, or a part of it, is multiplied with; None without one."""
        factor = self.explanations[0].factor if self.explanations else 1.0
        return factor if factor != 1 else None

    @property
    def learning_rate(self) -> float | None:
        """The learning rate that fits, if weights were updated too early."""
        return self.explanations[0].learning_rate if self.explanations else None

    @property
    def advice(self) -> str:
        """What to do, one sentence a mistake."""
        if self.verdict == "factor":
            return _factor_advice(self.explanations[0])
        return " ".join(MISTAKES[name].advice for name in self.names)

    @property
    def chapters(self) -> tuple[str, ...]:
        """Slugs of the chapters that explain it."""
        if self.verdict == "factor":
            return ("02_linear_regression",)
        found = dict.fromkeys(MISTAKES[name].chapter for name in self.names)
        return tuple(found) or (() if self.ok else ("08_checking_gradients",))

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        lines = [*_headline(self), *([] if self.ok else _table(self))]
        lines += [f"advice: {self.advice}"] if self.explanations else []
        lines += [f"read:   chapters/{slug}.ipynb" for slug in self.chapters]
        lines += [f"note:   {note}" for note in self.notes]
        if self.unseen:
            lines.append(f"note:   this data would not show {', '.join(self.unseen)}")
        return "\n".join(lines)


def _factor_advice(found: Explanation) -> str:
    if found.factor == 0:
        return "Nothing arrives there: is that part of the gradient computed, and stored, at all?"
    advice = "The directions are right, only the length is off: look for that constant."
    whole = abs(found.factor - round(found.factor)) <= 1e-6 * found.factor
    if not found.where and found.factor > 1.5 and whole:
        advice += " A whole number may also count backward passes added up without zeroing."
    return advice


def _headline(diagnosis: Diagnosis) -> list[str]:
    names = ", ".join(diagnosis.from_right)
    if diagnosis.ok:
        worst = format_distance(max(diagnosis.from_right.values()))
        return [f"correct: {names} (largest relative distance {worst})"]
    if diagnosis.verdict == "unknown":
        return ["not right, and nothing in the catalogue fits", diagnosis.where]
    found = [(e.title, e.sentence) for e in diagnosis.explanations]
    if diagnosis.verdict == "cannot tell apart":
        return [
            "not right, but on this data one cannot tell apart",
            *(f"- {title}: {sentence}" for title, sentence in found),
        ]
    return [f"not right: {found[0][0]}", f"this is {found[0][1]}"]


def format_distance(distance: float) -> str:
    """Two digits of a distance; what is only rounding counts as 0."""
    return "0" if distance < 1e-9 else f"{distance:.1e}"


def _table(diagnosis: Diagnosis) -> list[str]:
    """One line an array: its distance from the right gradient, and from the mistaken one."""
    head = f"{'':6}{'from right':>12}" + (f"{'from this':>12}" if diagnosis.from_mistake else "")
    lines = [head]
    for name, distance in diagnosis.from_right.items():
        line = f"{name:6}{format_distance(distance):>12}"
        if diagnosis.from_mistake:
            line += f"{format_distance(diagnosis.from_mistake[name]):>12}"
        lines.append(line)
    return lines


# --------------------------------------------------------------------------------------------


def diagnose(
    my_gradients: Any,
    mlp: MLP,
    params: Params,
    X: Array,
    y: Array,
    loss: Loss,
    *,
    orientation: Orientation = "auto",
    masks: Layers | None = None,
    l2: float = 0.0,
    learning_rate: float | None = None,
    previous: Any = None,
    tolerance: float | None = None,
) -> Diagnosis:
    r"""Name the classic mistake that reproduces a gradient.

    How it decides is told at the head of this room, `backprop_lib.diagnose`.

    Parameters
    ----------
    my_gradients : Params, dict, pair of lists, list or vector
        The gradients in question: `Params`; ``{"W1": ..., "b1": ...}`` (also ``dW1``, ``W[1]``);
        ``(W, b)``, two lists of one array a layer; ``[W1, b1, W2, b2, ...]``; or one flat vector.
        What is missing or None is not examined. A weight gradient may be (n_l, n_{l-1}) or its
        transpose, a bias gradient (n_l,), (n_l, 1) or (1, n_l).
    mlp, params, X, y, loss
        The network, its parameters, the batch and the loss that the gradient is for.
    orientation : {"auto", "out_in", "in_out"}
        How weight matrices are stored; "auto" reads it off those that are not square.
    masks : tuple, optional
        Dropout masks as `dropout_masks` draws them: ``masks[l]`` is what a[l] was multiplied
        with, 0 or 1/(1-p).
    l2 : float
        The strength of an L2 penalty $\frac{\lambda}{2}\sum W^2$ in the loss.
    learning_rate : float, optional
        The learning rate of the step, where one is made; it need not be known.
    previous : optional
        The gradients of the step before, in any of the forms above, all of them.
    tolerance : float, optional
        Largest relative distance of an array that counts as agreement; by default 1e-5, and
        1e-4 for numbers that were computed in float32.

    Returns
    -------
    Diagnosis

    Raises
    ------
    ShapeError, TypeError, ValueError
        As `forward` and `backward`; also if an array cannot be one of this network's.

    Examples
    --------
    >>> from backprop_lib.activations import sigmoid
    >>> from backprop_lib.backprop import backward
    >>> from backprop_lib.losses import half_mse
    >>> from backprop_lib.network import forward
    >>> rng = np.random.default_rng(0)
    >>> mlp = MLP((3, 4, 2), (sigmoid, sigmoid))
    >>> params, X, y = mlp.init(rng), rng.standard_normal((5, 3)), rng.random((5, 2))
    >>> grads = backward(mlp, params, forward(mlp, params, X), y, half_mse).grads
    >>> mine = {"W1": 5 * grads.W[1], "b1": 5 * grads.b[1], "W2": 5 * grads.W[2]}
    >>> print(diagnose(mine, mlp, params, X, y, half_mse))
    not right: sum_not_mean
    this is the gradient you get when the samples of the batch are added up where the loss takes their mean
            from right   from this
    W[1]       8.0e-01           0
    b[1]       8.0e-01           0
    W[2]       8.0e-01           0
    advice: Divide by N exactly once, best where the loss is: delta[L] starts with (a - y)/N.
    read:   chapters/09_mini_batches.ipynb
    note:   every array is 5 = N times the right one

    Notes
    -----
    Chapter 8, *Checking gradients*.
    """  # noqa: E501 - a report line is one line
    known = {"masks": masks, "l2": l2, "learning_rate": learning_rate, "previous": previous}
    case = prepare(mlp, params, X, y, loss, known | {"orientation": orientation})
    right = bent_gradient(case, {})
    readings = read(my_gradients, mlp.sizes, len(X), orientation)
    single = _is_single(readings[0].grads.theta) or params.theta.dtype == np.float32
    noise, allowed = rounding_noise(case, right, single), _allowed(tolerance, single)
    return _decide([Bench(case, reading, right, noise, allowed) for reading in readings])


def _allowed(tolerance: float | None, single: bool) -> float:
    if tolerance is None:
        return TOLERANCE_SINGLE if single else TOLERANCE
    check_positive("tolerance", tolerance)
    return tolerance


def prepare(
    mlp: MLP, params: Params, X: Array, y: Array, loss: Loss, known: Mapping[str, Any]
) -> Case:
    """Check everything that is not the gradient itself, and run the network forwards in float64.

    `known` holds what else was told: masks, l2, learning_rate, previous, orientation.
    """
    masks, previous, eta = (known.get(key) for key in ("masks", "previous", "learning_rate"))
    cache = dropout_forward(mlp, params, X, masks) if masks else forward(mlp, params, X)
    check_backward(mlp, params, cache, y, loss)
    if eta is not None:
        check_positive("learning_rate", eta)
    if previous is not None:
        previous = _every_array(previous, mlp.sizes, len(X), known.get("orientation", "auto"))
    theta, X, y = (array.astype(np.float64) for array in (params.theta, X, y))
    m = {l: mask.astype(np.float64) for l, mask in enumerate(masks or ()) if not np.isscalar(mask)}
    l2 = check_zero_or_more("l2", known.get("l2", 0.0))
    told: dict[str, Any] = {"l2": l2, "learning_rate": eta, "previous": previous}
    return make_case(mlp, params.like(theta), X, y, loss, m, **told)


def _every_array(previous: Any, sizes: tuple[int, ...], N: int, orientation: Orientation) -> Params:
    reading = read(previous, sizes, N, orientation)[0]
    if len(reading.given) < 2 * (len(sizes) - 1):
        raise ValueError(
            f"previous holds {', '.join(reading.given)}, expected every array of the step before"
        )
    return reading.grads


def _is_single(theta: Array) -> bool:
    """Whether every number is one that float32 holds: then it was computed in float32."""
    with np.errstate(over="ignore"):
        return bool((theta == theta.astype(np.float32)).all())


def _decide(benches: Sequence[Bench]) -> Diagnosis:
    """The first reading that is right; else the first stage and reading with an explanation."""
    for bench in (*benches, *_at_the_kink(benches)):
        if bench.fits(bench.right):
            return _correct(bench)
    for stage in STAGES:
        for bench in benches:
            found = explain(bench, stage)
            if found:
                return _explained(bench, found)
    for bench in benches:
        if _drowned(bench):
            return _correct(bench)
    return _unknown(min(benches, key=lambda bench: bench.distance(bench.right)))


def _at_the_kink(benches: Sequence[Bench]) -> Iterator[Bench]:
    """Other gradients that are as right: at z = 0 exactly, ReLU's slope is anybody's choice."""
    case = benches[0].case
    hidden = zip(case.mlp.phi[1:], case.z[1:], strict=True)
    if not any(phi in (relu, leaky_relu) and (z == 0).any() for phi, z in hidden):
        return
    note = "where z is exactly 0 your slope is {}: any slope between the two sides is as right"
    for slope in (1.0, 0.5):
        law = replace(RIGHT, slope=slope_at_zero(slope))
        right = bent_gradient(case, dict.fromkeys(range(1, case.mlp.L + 1), law))
        for bench in benches:
            notes = (*bench.reading.notes, note.format(f"{slope:g}"))
            yield replace(bench, right=right, reading=replace(bench.reading, notes=notes))


def _correct(bench: Bench) -> Diagnosis:
    distances = bench.distances(bench.right)
    notes = bench.reading.notes
    off = [name for name, distance in distances.items() if distance > 10 * bench.tolerance]
    if off:
        notes += (f"{', '.join(off)}: off by more than the rest, but no more than noise explains",)
    return Diagnosis("correct", (), distances, {}, notes, blind_spots(bench))


def _drowned(bench: Bench) -> bool:
    """Whether all that is wrong is a tiny part of the gradient, which noise may have drowned."""
    mine, right = bench.reading.grads.theta, bench.right.theta * bench.entries
    longest = max(float(np.linalg.norm(mine)), float(np.linalg.norm(right)))
    return float(np.linalg.norm(mine - right)) <= bench.tolerance * longest


def _explained(bench: Bench, found: tuple[Explanation, ...]) -> Diagnosis:
    verdict: Verdict = "mistake"
    if len(found) > 1:
        verdict = "cannot tell apart"
    elif not found[0].names:
        verdict = "factor"
    elif len(found[0].names) == 2:
        verdict = "two mistakes"
    distances, left = bench.distances(bench.right), bench.distances(found[0].grads)
    notes = bench.reading.notes
    if found[0].names and found[0].factor == 1:
        notes += _as_a_multiple(bench)
    return Diagnosis(verdict, found, distances, left, notes)


def _as_a_multiple(bench: Bench) -> tuple[str, ...]:
    """A word on mistakes that change nothing but the length of the gradient."""
    factor = bench.best_factor(bench.right.theta, bench.reading.grads.theta)
    if factor == 0 or not bench.fits(bench.right.like(factor * bench.right.theta)):
        return ()
    constant = constant_name(bench.case, factor)
    number = f"{factor:.6g}" + (f" = {constant}" if constant else "")
    return (f"every array is {number} times the right one",)


def _unknown(bench: Bench) -> Diagnosis:
    distances, notes = bench.distances(bench.right), bench.reading.notes
    if max(distances.values()) < CLOSE:
        notes += (
            f"no array is off by more than {CLOSE:g} of itself: rounding, or differences with a "
            "coarse step, look like that; allow it with tolerance=",
        )
    where = _first_wrong(bench, {name for name, d in distances.items() if d > bench.tolerance})
    return Diagnosis("unknown", (), distances, {}, notes, where=where)


def _first_wrong(bench: Bench, wrong: set[str]) -> str:
    """The first wrong array going backwards, and the line of the backward pass that made it."""
    L, given = bench.case.mlp.L, bench.reading.given
    l = max(int(name[2:-1]) for name in wrong)
    W, b = f"W[{l}]", f"b[{l}]"
    error = "the output error" if l == L else f"delta[{l}], made from delta[{l + 1}] and W[{l + 1}]"
    if W in wrong and b in wrong:
        reason = f"both read delta[{l}], so look at {error}"
    elif b in wrong:
        reason = f"{W} is right, so delta[{l}] is: look at its sum over the batch"
        reason = reason if W in given else f"look at {error}, and at its sum over the batch"
    else:
        reason = f"{b} is right, so delta[{l}] most likely is: look at its product with a[{l - 1}]"
        reason = reason if b in given else f"look at {error}, and at its product with a[{l - 1}]"
    found = [name for name in (W, b) if name in wrong]
    only = " only" if all(int(name[2:-1]) == l for name in wrong) and len(given) > 2 else ""
    first = f"wrong in layer {l}{only}" if only else f"going backwards, wrong from layer {l} on"
    return f"{first}: {' and '.join(found)} ({_worst_entry(bench, found)}); {reason}"


def _worst_entry(bench: Bench, names: Sequence[str]) -> str:
    """The entry furthest off, by name, with both values."""
    mine, right = bench.reading.grads, bench.right
    apart = np.zeros_like(mine.theta)
    for name in names:
        place = bench.slices[name]
        apart[place] = np.abs(mine.theta[place] - right.theta[place])
    i = int(apart.argmax())
    return f"furthest off is {mine.name(i)}: {mine.theta[i]:.6g}, right {right.theta[i]:.6g}"


def mistaken_gradient(
    name: str,
    mlp: MLP,
    params: Params,
    X: Array,
    y: Array,
    loss: Loss,
    *,
    layers: Sequence[int] | None = None,
    masks: Layers | None = None,
    l2: float = 0.0,
    learning_rate: float | None = None,
    previous: Any = None,
) -> Params:
    """The gradient of somebody who makes one classic mistake and no other.

    Parameters
    ----------
    name : str
        Name of the mistake in the catalogue; one that can be made in this network.
    mlp, params, X, y, loss, masks, l2, learning_rate, previous
        As for `diagnose`.
    layers : sequence of int, optional
        The layers to make it in; by default every one where it can be made.

    Returns
    -------
    Params

    Raises
    ------
    ShapeError, TypeError, ValueError
        As `diagnose`; also if the mistake cannot be made here, naming those that can.

    Examples
    --------
    >>> from backprop_lib.activations import identity
    >>> from backprop_lib.losses import half_mse
    >>> mlp, params = MLP((1, 1), (identity,)), Params.of(W=[[[2.0]]], b=[[0.0]])
    >>> X, y = np.array([[3.0], [1.0]]), np.array([[5.0], [1.0]])
    >>> mistaken_gradient("bias_averaged_twice", mlp, params, X, y, half_mse).theta
    array([2. , 0.5])

    Notes
    -----
    Chapter 8, *Checking gradients*.
    """
    known = {"masks": masks, "l2": l2, "learning_rate": learning_rate, "previous": previous}
    case = prepare(mlp, params, X, y, loss, known)
    made = bends(case, name)
    if not made:
        possible = ", ".join(known for known in RULES if bends(case, known))
        raise ValueError(f"name is {name!r}; in this network one can make {possible}")
    if layers is None:
        return gradient_with(case, made[0])
    if not layers or not set(layers) <= set(made[0].layers):
        raise ValueError(f"layers are {layers}, expected some of {made[0].layers} for {name}")
    return gradient_with(case, made[0]._replace(layers=tuple(layers)))
