"""Reading an answer: numbers in any reasonable form, words in any order of capitals."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from numbers import Real
from typing import Any

import numpy as np

from backprop_lib.errors import Array


class Unreadable(Exception):
    """An answer that is none: the message says what was received."""


def is_missing(answer: Any) -> bool:
    """Whether nothing was answered yet: None, ``...`` or an empty string."""
    return answer is None or answer is ... or (isinstance(answer, str) and not answer.strip())


def read_numbers(answer: Any) -> Array:
    """The numbers of an answer as an array: of lists, tuples, arrays, fractions or text.

    Raises
    ------
    Unreadable
        If there is anything in it that is not a finite real number, or the rows differ in length.
    """
    try:
        array = np.array(_plain(answer), dtype=float)
    except (ValueError, OverflowError):
        raise Unreadable(f"received {describe(answer)}, whose rows differ in length") from None
    if not array.size or not np.isfinite(array).all():
        raise Unreadable(f"received {describe(answer)}, expected finite numbers")
    return array


def _plain(answer: Any) -> Any:
    """Nested lists of floats."""
    if isinstance(answer, str):
        return _from_text(answer)
    if isinstance(answer, list | tuple):
        return [_plain(part) for part in answer]
    if hasattr(answer, "tolist") and not isinstance(answer, np.generic):
        return _plain(answer.tolist())  # an array, or a framework's tensor
    if answer is not True and answer is not False and isinstance(answer, Real):
        return float(answer)
    raise Unreadable(f"received {describe(answer)}, expected numbers")


def _from_text(text: str) -> Any:
    """The numbers of ``"0.5"``, ``"1/3"``, ``"[0.1, 0.2]"`` or ``"0.1 0.2"``."""
    words = [word for word in re.split(r"[\s,;\[\]()]+", text) if word]
    try:
        values = [float(Fraction(word)) for word in words]
    except (ValueError, ZeroDivisionError, OverflowError):
        raise Unreadable(f"received the text {text!r}, expected numbers") from None
    return values[0] if len(values) == 1 else values


def describe(answer: Any) -> str:
    """What was received, in a few words."""
    if isinstance(answer, np.ndarray):
        return f"an array of shape {answer.shape} and dtype {answer.dtype}"
    if isinstance(answer, str | int | float | complex | bool | Fraction | np.generic):
        return repr(answer)
    if callable(answer):
        return f"the function {getattr(answer, '__name__', answer)}"
    if isinstance(answer, Sequence):
        return f"a {type(answer).__name__} of {len(answer)}"
    return f"a {type(answer).__name__}"


def fit_shape(array: Array, shape: tuple[int, ...], answer: Any) -> Array:
    """The numbers in the shape expected: rows, columns and one long list are all welcome.

    Raises
    ------
    Unreadable
        If there are not as many numbers as expected, or they stand in another matrix.
    """
    wanted, found = _without_ones(shape), _without_ones(array.shape)
    if found == wanted or (array.size == np.prod(shape) and len(found) == 1):
        return array.reshape(shape)
    words = "one number" if not wanted else f"{' x '.join(map(str, wanted))} numbers"
    raise Unreadable(f"received {describe(answer)} of shape {array.shape}, expected {words}")


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in shape if n != 1)


def read_words(answer: Any, count: int) -> tuple[str, ...]:
    """As many words as asked for, in small letters; one text may hold all of them.

    Raises
    ------
    Unreadable
        If they are not words, or not as many.
    """
    parts = re.split(r"[\s,;]+", answer.strip()) if isinstance(answer, str) else answer
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
        raise Unreadable(f"received {describe(answer)}, expected {count} words")
    if len(parts) != count:
        raise Unreadable(f"received {len(parts)} words, expected {count}")
    return tuple(part.strip().lower() for part in parts)
