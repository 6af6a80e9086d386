"""Numbers and names on their way into a page: plain JSON, nothing lost, nothing dangerous."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def jsonable(value: Any, digits: int | None = None) -> Any:
    """Turn numbers, arrays, lists and dicts into what JSON can hold.

    JSON has no infinities and no nan; they become the words that JavaScript's ``Number`` reads
    back. Rounding is for recorded data only: a run of thousands of numbers needs no 17 digits.

    Parameters
    ----------
    value : Any
        Numbers, strings, None, numpy arrays, and lists, tuples or dicts of these.
    digits : int, optional
        Significant digits to keep; all of them if not given.

    Returns
    -------
    Any
        Lists, dicts with string keys, strings, ints, floats, booleans, None.

    Raises
    ------
    TypeError
        If a value is none of these.

    Examples
    --------
    >>> jsonable({"loss": np.array([0.123456789, np.inf])}, digits=6)
    {'loss': [0.123457, 'Infinity']}
    """
    if isinstance(value, np.ndarray | np.generic):
        return jsonable(value.tolist(), digits)
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return _number(value, digits)
    if isinstance(value, Mapping):
        return {_key(key): jsonable(inner, digits) for key, inner in value.items()}
    if isinstance(value, Sequence):
        return [jsonable(inner, digits) for inner in value]
    raise TypeError(
        f"a live figure's data holds a {type(value).__name__}, expected numbers, text, arrays, "
        f"lists or dicts; convert it before the figure is made"
    )


def _number(value: float, digits: int | None) -> float | str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return float(f"{value:.{digits}g}") if digits else value


def _key(key: Any) -> str:
    if isinstance(key, str):
        return key
    raise TypeError(f"a live figure's data has the key {key!r}, expected text; use str(key)")


def to_attribute(value: Any) -> str:
    """JSON that can stand between single quotes in HTML, whatever its texts hold.

    Parameters
    ----------
    value : Any
        What `jsonable` returns.

    Returns
    -------
    str
        ASCII only, without ``<``, ``>``, ``'`` and with every ``&`` escaped.

    Examples
    --------
    >>> to_attribute({"label": "</script><b>'&"})
    '{"label":"&lt;/script&gt;&lt;b&gt;&#39;&amp;"}'
    """
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for character, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("'", "&#39;")):
        text = text.replace(character, escaped)
    return text
