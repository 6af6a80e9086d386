"""Expression trees: every reading of a tree is the same formula."""

from __future__ import annotations

import ast
import json
import math
import re
from fractions import Fraction
from typing import Any

import pytest
from formulas import latex_to_text, tree_of
from hypothesis import assume, given
from hypothesis import strategies as st
from random_networks import repeatable

from backprop_lib.expressions import (
    BINARY,
    UNARY,
    Expression,
    evaluate,
    fold,
    keys_of,
    to_latex,
    to_text,
)

KEYS = ("a", "b", "w2[1,2]", "new_C")
FUNCTIONS = [name for name in UNARY if name not in ("neg", "square")]

leaves = st.sampled_from(KEYS) | st.integers(-3, 4) | st.sampled_from([0.5, -0.25])
trees = st.recursive(
    leaves,
    lambda inner: (
        st.tuples(st.sampled_from(list(UNARY)), inner)
        | st.builds(
            lambda operator, arguments: (operator, *arguments),
            st.sampled_from(list(BINARY)),
            st.lists(inner, min_size=2, max_size=4),
        )
    ),
    max_leaves=8,
)

VALUES = {"a": Fraction(3, 7), "b": Fraction(-5, 2), "w2[1,2]": Fraction(11), "new_C": Fraction(2)}


def exactly(expression: Expression) -> Fraction:
    """The value in fractions; each named function is a law of its own, unlike any other."""

    def operation(operator: str, parts: list[Fraction]) -> Fraction:
        if operator == "neg":
            return -parts[0]
        if operator == "square":
            return parts[0] * parts[0]
        if operator in UNARY:
            return 3 * parts[0] + 100 + FUNCTIONS.index(operator)
        total = parts[0]
        for part in parts[1:]:
            total = {
                "+": lambda x, y: x + y,
                "-": lambda x, y: x - y,
                "*": lambda x, y: x * y,
                "/": lambda x, y: x / y,
            }[operator](total, part)
        return total

    return fold(expression, Fraction, VALUES.__getitem__, operation)


@repeatable(150)
@given(trees)
def test_the_text_is_the_formula(tree: Expression) -> None:
    try:
        expected = exactly(tree)
    except ZeroDivisionError:
        assume(False)
    assert exactly(tree_of(to_text(tree))) == expected


@repeatable(150)
@given(trees)
def test_the_latex_is_the_formula(tree: Expression) -> None:
    try:
        expected = exactly(tree)
    except ZeroDivisionError:
        assume(False)
    assert exactly(tree_of(latex_to_text(to_latex(tree)))) == expected
    thin = to_latex(tree, times=r"\,")
    assert exactly(tree_of(latex_to_text(thin))) == expected


@repeatable(100)
@given(trees)
def test_numbers_in_place_of_keys_are_the_same_formula(tree: Expression) -> None:
    """Negative numbers take parentheses where a letter needs none."""
    try:
        expected = exactly(tree)
    except ZeroDivisionError:
        assume(False)
    numbers = {"a": "(3/7)", "b": "-2.5", "w2[1,2]": "11", "new_C": "2"}
    assert exactly(tree_of(to_text(tree, key=numbers.__getitem__))) == expected


@repeatable(100)
@given(trees)
def test_keys_are_listed_once_in_reading_order(tree: Expression) -> None:
    text = to_text(tree)
    found = re.findall(r"w2\[1,2\]|new_C|\b[ab]\b", text)
    assert list(keys_of(tree)) == list(dict.fromkeys(found))


@repeatable(100)
@given(trees)
def test_json_gives_the_same_tree_back(tree: Expression) -> None:
    def tuples(part: Any) -> Any:
        return tuple(map(tuples, part)) if isinstance(part, list) else part

    assert tuples(json.loads(json.dumps(tree))) == tree


@repeatable(100)
@given(trees)
def test_evaluation_is_plain_floating_point(tree: Expression) -> None:
    """Against Python itself, which reads the text; nan and inf stay nan and inf."""
    values = {key: float(value) for key, value in VALUES.items()}
    found = evaluate(tree, values)
    by_python = evaluate(tree_of(to_text(tree, number=repr)), values)
    assume(math.isfinite(found))
    assert isinstance(found, float)
    assert by_python == pytest.approx(found, rel=1e-9, abs=1e-9)


def test_sums_and_products_go_from_left_to_right() -> None:
    """In another order these would be 1e16 and 0."""
    assert evaluate(("+", 1e16, 1.0, 1.0, -1e16), {}) == 0.0
    assert evaluate(("-", 1e16, 1e16, -1.0), {}) == 1.0
    assert evaluate(("*", 1e-200, 1e-200, 1e300), {}) == 0.0
    assert evaluate(("/", 1.0, 4.0, 2.0), {}) == 0.125


@pytest.mark.parametrize(
    ("tree", "value"),
    [
        (("sigmoid", 0), 0.5),
        (("sigmoid", -800), 0.0),
        (("sigmoid", 800), 1.0),
        (("sigmoid", -709.9), math.exp(-709.9)),
        (("exp", 800), math.inf),
        (("exp", -800), 0.0),
        (("exp", 710), math.inf),
        (("log", 0), -math.inf),
        (("log", 0.5), math.log(0.5)),
        (("sqrt", 0), 0.0),
        (("sqrt", 0.25), 0.5),
        (("leaky_relu", 0.5), 0.5),
        (("/", 1, 0), math.inf),
        (("/", -1, 0), -math.inf),
        (("relu", -2), 0.0),
        (("relu", 2), 2.0),
        (("leaky_relu", -2), -0.02),
        (("leaky_relu", 2), 2.0),
        (("positive", 0), 0.0),
        (("positive", 1e-300), 1.0),
        (("square", -3), 9.0),
        (("sqrt", 9), 3.0),
        (("tanh", 0.5), math.tanh(0.5)),
        (("neg", 2), -2.0),
        (("identity", 2), 2.0),
    ],
)
def test_every_function(tree: Expression, value: float) -> None:
    assert evaluate(tree, {}) == value


@pytest.mark.parametrize("tree", [("log", -1), ("sqrt", -1), ("/", 0, 0)])
def test_what_has_no_value_is_nan(tree: Expression) -> None:
    assert math.isnan(evaluate(tree, {}))


@pytest.mark.parametrize(
    ("tree", "text", "latex"),
    [
        (("-", "b", ("*", "a", -0.5)), "b - a*(-0.5)", r"b - a\cdot (-0.5)"),
        (("square", ("-", "a", "b")), "(a - b)^2", "(a - b)^2"),
        (("neg", ("+", "a", "b")), "-(a + b)", "-(a + b)"),
        (("-", "a", ("-", "b", "a")), "a - (b - a)", "a - (b - a)"),
        (("/", ("+", "a", 1), ("*", "a", "b")), "(a + 1)/(a*b)", r"\frac{a + 1}{a\cdot b}"),
        (("*", ("neg", "a"), "b"), "(-a)*b", r"(-a)\cdot b"),
        (("sigmoid", "a"), "sigmoid(a)", r"\sigma(a)"),
        (("sqrt", ("+", "a", "b")), "sqrt(a + b)", r"\sqrt{a + b}"),
        (("square", ("exp", "a")), "exp(a)^2", r"\exp(a)^2"),
    ],
)
def test_formulas_take_as_few_parentheses_as_they_need(
    tree: Expression, text: str, latex: str
) -> None:
    assert to_text(tree) == text
    assert to_latex(tree) == latex


@pytest.mark.parametrize("tree", [("cosh", "a"), ("+", "a"), ("exp", "a", "b"), ("+",)])
def test_unknown_operators_are_refused(tree: Expression) -> None:
    arguments = len(tree) - 1
    with pytest.raises(ValueError, match=rf"with {arguments} arguments is unknown; known with one"):
        evaluate(tree, {"a": 1.0, "b": 1.0})


def test_a_key_without_a_value_is_named() -> None:
    with pytest.raises(KeyError, match="missing"):
        evaluate(("+", "missing", 1), {})


def test_the_reader_of_formulas_knows_precedence() -> None:
    """The witness itself: it reads with Python's own grammar."""
    assert tree_of("-a^2") == ("neg", ("square", "a"))
    assert tree_of("a - b*2") == ("-", "a", ("*", "b", 2))
    assert isinstance(ast.parse("a"), ast.Module)
    assert latex_to_text(r"\frac{1}{1 + \exp(-a)}\,b") == "((1)/(1 + exp(-a)))*b"
