"""Reading what a person calls their gradients: any container, any orientation, some arrays only.

What was understood is said in words (`Reading.notes`); what cannot be is refused with the repair.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from backprop_lib.errors import Array, ShapeError, check_array
from backprop_lib.network import Params, count_parameters

Orientation = Literal["auto", "out_in", "in_out"]
Arrays = dict[tuple[str, int], Array]  # ("W", 2) -> the array as it came

_KEY = re.compile(r"(?:d|grad_?)?(w|b|weights?|bias(?:es)?)_?\[?(\d+)\]?", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Reading:
    """Gradients in the book's order: one flat vector, and which arrays of it were given."""

    grads: Params
    given: tuple[str, ...]  # ("W[1]", "b[1]", ...)
    notes: tuple[str, ...]


def gather(gradients: Any, sizes: tuple[int, ...]) -> Arrays:
    """Every array that was given, by kind and layer; arrays that are None are left out."""
    L = len(sizes) - 1
    if isinstance(gradients, Params):
        found = _numbered("W", gradients.W, L) | _numbered("b", gradients.b, L)
    elif isinstance(gradients, Mapping):
        found = _from_mapping(gradients, L)
    elif isinstance(gradients, np.ndarray):
        found = _from_vector(gradients, sizes)
    elif isinstance(gradients, tuple | list) and _alternates(gradients, L):
        found = _numbered("W", gradients[::2], L) | _numbered("b", gradients[1::2], L)
    elif isinstance(gradients, tuple | list) and len(gradients) == 2:
        found = _numbered("W", gradients[0], L) | _numbered("b", gradients[1], L)
    else:
        raise TypeError(
            f"my_gradients is a {type(gradients).__name__}, expected Params, a dict such as "
            '{"W1": ..., "b1": ...}, the pair of lists (W, b), or one list W[1], b[1], W[2], ...'
        )
    arrays = {key: _as_array(f"{key[0]}[{key[1]}]", array) for key, array in found.items()}
    if not arrays:
        raise ValueError("my_gradients holds no array, expected at least one W[l] or b[l]")
    return arrays


def _alternates(gradients: Sequence[Any], L: int) -> bool:
    """Whether a list runs W[1], b[1], W[2], ... as a framework lists its parameters."""
    return len(gradients) == 2 * L and (L > 1 or isinstance(gradients[0], np.ndarray))


def _from_vector(theta: Array, sizes: tuple[int, ...]) -> dict[tuple[str, int], Any]:
    P = count_parameters(sizes)
    if theta.shape != (P,):
        raise ShapeError(
            f"my_gradients is one array of shape {theta.shape}, expected ({P},): every W[l], b[l] "
            f"of sizes {sizes} in one vector; or name the arrays in a dict"
        )
    whole = Params(theta, sizes)
    return _numbered("W", whole.W, len(sizes) - 1) | _numbered("b", whole.b, len(sizes) - 1)


def _from_mapping(gradients: Mapping[Any, Any], L: int) -> dict[tuple[str, int], Any]:
    found: dict[tuple[str, int], Any] = {}
    for name, value in gradients.items():
        if name in ("W", "b"):
            found |= _numbered(name, value, L)
            continue
        matched = _KEY.fullmatch(str(name))
        if not matched or not 1 <= int(matched[2]) <= L:
            raise ValueError(
                f"my_gradients has a key {name!r}, expected W1, b1, ... or dW1, db1, ... "
                f"for the layers 1..{L}"
            )
        key = ("W" if matched[1][0] in "wW" else "b", int(matched[2]))
        if key in found:
            raise ValueError(f"my_gradients names {key[0]}[{key[1]}] twice")
        if value is not None:
            found[key] = value
    return found


def _numbered(kind: str, values: Any, L: int) -> dict[tuple[str, int], Any]:
    """A list of one array a layer, with or without the empty slot 0."""
    listed = list(values)
    if len(listed) == L + 1 and listed[0] is None:
        listed = listed[1:]
    if len(listed) != L:
        raise ShapeError(
            f"my_gradients has {len(listed)} arrays {kind}, expected {L}: one for each of the "
            f"layers 1..{L}, None for a layer that is not to be examined"
        )
    return {(kind, l): value for l, value in enumerate(listed, start=1) if value is not None}


def _as_array(name: str, value: Any) -> Array:
    if isinstance(value, np.ndarray):
        return check_array(f"{name} of your gradients", value)
    try:
        array = np.array(value, dtype=float)
    except (TypeError, ValueError):
        raise TypeError(
            f"{name} of your gradients is a {type(value).__name__} that is no array of numbers"
        ) from None
    return check_array(f"{name} of your gradients", array)


# --------------------------------------------------------------------------------------------
# Orientation


def _layout(name: str, array: Array, n_out: int, n_in: int) -> tuple[Array, str | None]:
    """The (n_out, n_in) matrix if only one reading fits, and which; square matrices stay open."""
    if min(n_out, n_in) == 1 and array.size == n_out * n_in and array.ndim < 2:
        return array.reshape(n_out, n_in), None
    if array.shape == (n_out, n_in) == (n_in, n_out):
        return array, None
    if array.shape == (n_out, n_in):
        return array, "out_in"
    if array.shape == (n_in, n_out):
        return array.T, "in_out"
    raise ShapeError(
        f"{name} of your gradients has shape {array.shape}, expected (n_out={n_out}, "
        f"n_in={n_in}) or its transpose ({n_in}, {n_out})"
    )


def _bias(name: str, array: Array, n: int, N: int) -> tuple[Array, str | None]:
    """The vector of n numbers, and a word on its shape if it came as something else."""
    if array.shape == (n,):
        return array, None
    if array.shape in ((n, 1), (1, n)) or array.size == n == 1:
        return array.reshape(n), f"{name} came with shape {array.shape} and was read as ({n},)"
    message = f"{name} of your gradients has shape {array.shape}, expected ({n},)"
    if array.shape in ((N, n), (n, N)):
        axis = 0 if array.shape == (N, n) else 1
        raise ShapeError(f"{message}; it was not summed over the {N} samples: .sum(axis={axis})")
    if array.size == N:
        raise ShapeError(f"{message}; with one number a sample it was summed over the wrong axis")
    raise ShapeError(message)


def read(
    gradients: Any, sizes: tuple[int, ...], N: int, orientation: Orientation = "auto"
) -> list[Reading]:
    """The ways to understand the arrays: one, or two where square matrices leave it open."""
    arrays = gather(gradients, sizes)
    grads = Params(np.zeros(count_parameters(sizes)), sizes)
    notes: list[str] = []
    layouts: dict[int, str | None] = {}
    for (kind, l), array in sorted(arrays.items(), key=lambda item: item[0][1]):
        name = f"{kind}[{l}]"
        if kind == "W":
            grads.W[l][:], layouts[l] = _layout(name, array, sizes[l], sizes[l - 1])
            if layouts[l] == "in_out":
                notes.append(f"{name} came as (n_in, n_out) = {array.shape} and was transposed")
        else:
            grads.b[l][:], note = _bias(name, array, sizes[l], N)
            notes += [note] if note else []
    given = tuple(n for n in array_slices(sizes) if (n[0], int(n[2:-1])) in arrays)
    square = [l for l in layouts if sizes[l] == sizes[l - 1] > 1]
    conventions = _conventions(layouts, sizes, orientation)
    reading = Reading(grads, given, tuple(notes))
    return [_turned(reading, square, c) for c in conventions] if square else [reading]


def _conventions(
    layouts: Mapping[int, str | None], sizes: Sequence[int], orientation: Orientation
) -> list[str]:
    """How square matrices may be meant, likeliest first.

    A statement decides, else the matrices that are neither square nor a single row or column.
    Single rows and columns are weaker evidence (a column may be nobody's transpose), so they
    only say which reading comes first.
    """
    if orientation not in ("auto", "out_in", "in_out"):
        raise ValueError(f"orientation is {orientation!r}, expected 'auto', 'out_in' or 'in_out'")
    if orientation != "auto":
        _check_stated(layouts, sizes, orientation)
        return [orientation]
    known = {l: layout for l, layout in layouts.items() if layout}
    firm = {layout for l, layout in known.items() if min(sizes[l], sizes[l - 1]) > 1}
    if len(firm) == 1:
        return list(firm)
    hinted = set(known.values()) == {"in_out"}
    return ["in_out", "out_in"] if hinted else ["out_in", "in_out"]


def _check_stated(
    layouts: Mapping[int, str | None], sizes: Sequence[int], orientation: str
) -> None:
    for l, layout in layouts.items():
        if layout not in (None, orientation):
            shape = (sizes[l], sizes[l - 1]) if layout == "out_in" else (sizes[l - 1], sizes[l])
            raise ShapeError(
                f"W[{l}] of your gradients has shape {shape}, expected {shape[::-1]}: "
                f"orientation {orientation!r} was stated"
            )


def _turned(reading: Reading, square: Sequence[int], convention: str) -> Reading:
    """The reading in which square matrices are stored by this convention."""
    if convention == "out_in" or not square:
        return reading
    grads = reading.grads.like(reading.grads.theta.copy())
    for l in square:
        grads.W[l][:] = reading.grads.W[l].T
    names = ", ".join(f"W[{l}]" for l in square)
    note = f"{names}: square, read as (n_in, n_out) and transposed"
    return Reading(grads, reading.given, (*reading.notes, note))


def array_slices(sizes: Sequence[int]) -> dict[str, slice]:
    """Where W[1], b[1], W[2], ... lie in the flat vector, in its order."""
    slices, start = {}, 0
    for l, (n_in, n_out) in enumerate(pairwise(sizes), start=1):
        for name, length in ((f"W[{l}]", n_out * n_in), (f"b[{l}]", n_out)):
            slices[name] = slice(start, start + length)
            start += length
    return slices
