"""Small expression trees: one formula, read in several ways.

An expression is a number, the key of another quantity, or a tuple ``(operator, argument, ...)``:
``("*", ("-", "a2[1]", "y[1]"), 0.5)``. Written as a list it is its own JSON. Its value, the
formula in letters, the formula with numbers and the list of keys it reads are folds of the same
tree, so they cannot disagree. Imports nothing from the house.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from operator import add, mul, sub
from typing import Any, TypeVar

Expression = float | str | tuple[Any, ...]
T = TypeVar("T")


def _sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z)) if z > -700 else math.exp(z)


def _log(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf if x == 0 else math.nan


def _divide(x: float, y: float) -> float:
    """Division as floats do it everywhere but in Python: by zero it gives inf or nan."""
    if y:
        return x / y
    if x == 0 or math.isnan(x):
        return math.nan
    return math.copysign(math.inf, x) * math.copysign(1, y)


# Each operator takes one argument, or two and then folds from left to right.
UNARY: dict[str, Callable[[float], float]] = {
    "neg": lambda x: -x,
    "square": lambda x: x * x,
    "sqrt": lambda x: math.sqrt(x) if x >= 0 else math.nan,
    "exp": lambda x: math.exp(x) if x < 709.7 else math.inf,
    "log": _log,
    "identity": lambda x: x,
    "sigmoid": _sigmoid,
    "tanh": math.tanh,
    "relu": lambda x: max(x, 0.0),
    "leaky_relu": lambda x: x if x > 0 else 0.01 * x,
    "positive": lambda x: 1.0 if x > 0 else 0.0,
}
BINARY: dict[str, Callable[[float, float], float]] = {"+": add, "-": sub, "*": mul, "/": _divide}


def fold(
    expression: Expression,
    number: Callable[[float], T],
    key: Callable[[str], T],
    operation: Callable[[str, list[T]], T],
) -> T:
    """Replace every number, key and operator of a tree, leaves first: all readings are this.

    Parameters
    ----------
    expression : number, str or tuple
        The tree.
    number, key : callable
        What becomes of a leaf.
    operation : callable
        ``operation(operator, arguments)``: what becomes of a node, its arguments done already.

    Returns
    -------
    Whatever the three functions return.

    Raises
    ------
    ValueError
        If an operator is unknown, or has the wrong number of arguments.

    Examples
    --------
    >>> fold(("+", "a", ("*", "b", 2)), lambda x: 0, lambda k: 1, lambda op, args: sum(args))
    2
    """
    if isinstance(expression, str):
        return key(expression)
    if not isinstance(expression, tuple):
        return number(expression)
    operator, *arguments = expression
    if not arguments or operator not in (UNARY if len(arguments) == 1 else BINARY):
        raise ValueError(
            f"operator {operator!r} with {len(arguments)} arguments is unknown; known with one: "
            f"{', '.join(UNARY)}; with two or more: {', '.join(BINARY)}"
        )
    return operation(operator, [fold(x, number, key, operation) for x in arguments])


def evaluate(expression: Expression, values: Mapping[str, float]) -> float:
    """The value of a tree: plain Python floats, every sum and product from left to right.

    Parameters
    ----------
    expression : number, str or tuple
        The tree.
    values : mapping
        The value of every key it reads.

    Returns
    -------
    float

    Raises
    ------
    KeyError
        If a key has no value.

    Examples
    --------
    >>> evaluate(("*", ("-", "a", "y"), 0.5), {"a": 0.75, "y": 0.25})
    0.25

    Notes
    -----
    Chapter 7, *The hand trace*.
    """

    def operation(operator: str, arguments: list[float]) -> float:
        if operator in UNARY:
            return UNARY[operator](arguments[0])
        return reduce(BINARY[operator], arguments)

    return fold(expression, float, values.__getitem__, operation)


def keys_of(expression: Expression) -> tuple[str, ...]:
    """The keys a tree reads, each once, in reading order.

    Parameters
    ----------
    expression : number, str or tuple
        The tree.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> keys_of(("+", ("*", "w", "x"), "b", "x"))
    ('w', 'x', 'b')
    """
    found: dict[str, None] = {}  # a dict is a set that remembers the order
    fold(expression, lambda x: None, lambda key: found.setdefault(key), lambda op, parts: None)
    return tuple(found)


def to_text(
    expression: Expression,
    key: Callable[[str], str] = str,
    number: Callable[[float], str] = "{:g}".format,
) -> str:
    """The formula as one line of plain text, with as few parentheses as it needs.

    Parameters
    ----------
    expression : number, str or tuple
        The tree.
    key : callable
        How to write a key: itself, or its number.
    number : callable
        How to write a number that stands in the formula.

    Returns
    -------
    str

    Examples
    --------
    >>> to_text(("*", ("-", "a", "y"), "a", ("-", 1, "a")))
    '(a - y)*a*(1 - a)'
    >>> to_text(("-", "b", ("*", "eta", "db")), key={"b": "0.6", "eta": "0.5", "db": "-0.1"}.get)
    '0.6 - 0.5*(-0.1)'
    """
    return _write(expression, key, number, _TEXT)


def to_latex(
    expression: Expression,
    key: Callable[[str], str] = str,
    number: Callable[[float], str] = "{:g}".format,
    times: str = r"\cdot ",
) -> str:
    r"""The formula for a typeset page.

    Parameters
    ----------
    expression : number, str or tuple
        The tree.
    key, number : callable
        As for `to_text`.
    times : str
        What stands between factors: a dot between numbers, a thin space between letters.

    Returns
    -------
    str

    Examples
    --------
    >>> print(to_latex(("/", 1, ("+", 1, ("exp", ("neg", "z"))))))
    \frac{1}{1 + \exp(-z)}
    """
    return _write(expression, key, number, replace(_LATEX, times=times))


@dataclass(frozen=True)
class _Style:
    """What differs between plain text and LaTeX."""

    times: str
    over: Callable[[str, str], str]
    call: Callable[[str, str], str]
    fraction_groups: bool  # whether a fraction bar holds its two sides together by itself


_LATEX_NAMES = {
    "exp": r"\exp",
    "log": r"\ln",
    "sigmoid": r"\sigma",
    "tanh": r"\tanh",
    "relu": r"\operatorname{relu}",
    "leaky_relu": r"\operatorname{lrelu}",
    "positive": r"\mathbf{1}_{>0}",
}
_TEXT = _Style(
    times="*",
    over=lambda above, below: f"{above}/{below}",
    call=lambda function, argument: f"{function}({argument})",
    fraction_groups=False,
)
_LATEX = _Style(
    times=r"\cdot ",
    over=lambda above, below: rf"\frac{{{above}}}{{{below}}}",
    call=lambda function, argument: (
        rf"\sqrt{{{argument}}}"
        if function == "sqrt"
        else f"{_LATEX_NAMES.get(function, function)}({argument})"
    ),
    fraction_groups=True,
)

# How tightly a written piece holds together; a looser one gets parentheses inside a tighter one.
_SIGNED, _SUM, _PRODUCT, _POWER, _ATOM = range(5)
_Written = tuple[str, int]


def _write(
    expression: Expression,
    key: Callable[[str], str],
    number: Callable[[float], str],
    style: _Style,
) -> str:
    def leaf(text: str) -> _Written:
        return text, _SIGNED if text.startswith("-") else _ATOM

    def operation(operator: str, parts: list[_Written]) -> _Written:
        return _WRITERS.get(operator, _write_call)(operator, parts, style)

    return fold(expression, lambda x: leaf(number(x)), lambda k: leaf(key(k)), operation)[0]


def _grouped(part: _Written, at_least: int) -> str:
    text, binding = part
    return text if binding >= at_least else f"({text})"


def _write_sum(operator: str, parts: list[_Written], style: _Style) -> _Written:
    terms = [parts[0][0], *(_grouped(part, _PRODUCT) for part in parts[1:])]
    return f" {operator} ".join(terms), _SIGNED if terms[0].startswith("-") else _SUM


def _write_product(operator: str, parts: list[_Written], style: _Style) -> _Written:
    return style.times.join(_grouped(part, _PRODUCT) for part in parts), _PRODUCT


def _write_fraction(operator: str, parts: list[_Written], style: _Style) -> _Written:
    above, below = (_SIGNED, _SIGNED) if style.fraction_groups else (_PRODUCT, _POWER)
    pieces = [_grouped(parts[0], above), *(_grouped(part, below) for part in parts[1:])]
    return reduce(style.over, pieces), _PRODUCT


def _write_minus(operator: str, parts: list[_Written], style: _Style) -> _Written:
    return "-" + _grouped(parts[0], _PRODUCT), _SIGNED


def _write_square(operator: str, parts: list[_Written], style: _Style) -> _Written:
    return _grouped(parts[0], _ATOM) + "^2", _POWER


def _write_call(operator: str, parts: list[_Written], style: _Style) -> _Written:
    return style.call(operator, parts[0][0]), _ATOM


_WRITERS = {
    "+": _write_sum,
    "-": _write_sum,
    "*": _write_product,
    "/": _write_fraction,
    "neg": _write_minus,
    "square": _write_square,
}
