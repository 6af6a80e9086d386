"""Reading an answer: numbers in any reasonable form, words, choices by name or by number.

The forms of the page read text by the same rules (``live/reading.mjs``); a test compares the two
sentence by sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from numbers import Integral, Real
from typing import Any

import numpy as np

from backprop_lib.errors import Array

_NUMBER = re.compile(r"[-+]?(\d+/\d+|(\d+\.?\d*|\.\d+)(e[-+]?\d+)?)", re.ASCII | re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"\d,\d", re.ASCII)


class Unreadable(Exception):
    """An answer that is none: the message says what was received."""


def is_missing(answer: Any) -> bool:
    """Whether nothing was answered yet: None, ``...``, an empty string, or a list of these."""
    if isinstance(answer, list | tuple):
        return len(answer) > 0 and all(is_missing(part) for part in answer)
    return answer is None or answer is ... or (isinstance(answer, str) and not answer.strip())


def read_numbers(answer: Any) -> Array:
    """The numbers of an answer as an array: of lists, tuples, arrays, fractions or text.

    Raises
    ------
    Unreadable
        If there is anything in it that is not a finite real number, or the rows differ in length.
    """
    missing = [str(i) for i, leaf in enumerate(_leaves(answer), start=1) if is_missing(leaf)]
    if missing:
        raise Unreadable(f"received nothing for number {', '.join(missing)}")
    try:
        array = np.array(_plain(answer), dtype=float)
    except (ValueError, OverflowError):
        differ = f"received {describe(answer)}, whose rows differ in length"
        raise Unreadable(differ + _about_commas(answer)) from None
    if not array.size or not np.isfinite(array).all():
        raise Unreadable(f"received {describe(answer)}, expected finite numbers")
    return array


def _leaves(answer: Any) -> list[Any]:
    """The parts of nested lists that are no lists."""
    if isinstance(answer, list | tuple):
        return [leaf for part in answer for leaf in _leaves(part)]
    return [answer]


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
    words = re.split(r"[\s,;\[\]()]+", text.replace("\u2212", "-"))  # a minus sign, as printed
    words = [word for word in words if word]
    try:
        if not all(_NUMBER.fullmatch(word) for word in words):
            raise ValueError
        values = [float(Fraction(word)) if "/" in word else float(word) for word in words]
    except (ValueError, ZeroDivisionError, OverflowError):
        raise Unreadable(f"received the text {text!r}, expected numbers") from None
    return values[0] if len(values) == 1 else values


def _about_commas(answer: Any) -> str:
    """What to say where numbers do not fit and a comma stands where a point is meant."""
    texts = [leaf for leaf in _leaves(answer) if isinstance(leaf, str)]
    commas = any(_DECIMAL_COMMA.search(text) for text in texts)
    return "; write decimals with a point: 0.5, not 0,5" if commas else ""


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
    differ = f"received {describe(answer)} of shape {array.shape}, expected {words}"
    raise Unreadable(differ + _about_commas(answer))


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


def read_choice(answer: Any, choices: Sequence[str]) -> str:
    """The choice that is meant: by its words, by the beginning of one only, or by its number.

    Raises
    ------
    Unreadable
        If none is meant, or more than one.
    """
    found = _choices_meant(answer, choices)
    if len(found) == 1:
        return found[0]
    listed = ", ".join(f"{i}. {choice}" for i, choice in enumerate(choices, start=1))
    raise Unreadable(f"received {describe(answer)}, expected one of: {listed}")


def _choices_meant(answer: Any, choices: Sequence[str]) -> Sequence[str]:
    if isinstance(answer, str):
        text = " ".join(answer.lower().split())
        same = [choice for choice in choices if choice.lower() == text]
        if same or not (text.isascii() and text.isdigit()):
            return same or [choice for choice in choices if choice.lower().startswith(text)]
        answer = int(text)
    if answer is True or answer is False or not isinstance(answer, Integral):
        return []
    number = int(answer)
    return choices[number - 1 : number] if number > 0 else []
