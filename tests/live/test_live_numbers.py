"""Digits and arithmetic of the page against Python's, on thousands of numbers."""

from __future__ import annotations

import math
import random
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from backprop_lib.expressions import BINARY, UNARY, evaluate, to_text

if TYPE_CHECKING:
    from playwright.sync_api import Page

SPECS = [".6f", ".6g", ".5f", ".0f", ".1g", ".4g", ".15g", ".17g"]
EDGES = [
    0.0, -0.0, 0.5, 1.5, 2.5, -2.5, 0.125, 5e-7, -4e-7, 1e-5, 1e-4, 9.5, 99999.95, 999999.5,
    9999995.0, 1e16, 1e21, 1e22, 1e23, 123456.5, 5e-324, 2.2250738585072014e-308,
    1.7976931348623157e308, math.nan, math.inf, -math.inf,
]  # fmt: skip


@pytest.fixture
def modules(
    live_root: Path, serve: Callable[..., str], open_page: Callable[..., Page]
) -> Callable[[str, Any], Any]:
    """``modules(script, argument)``: run a script that may import from ``/live``."""
    return open_page(f"{serve(live_root)}/empty.html").evaluate


def bits(number: float) -> str:
    """A double without any rounding on the way to the page."""
    return str(struct.unpack("<Q", struct.pack("<d", number))[0])


FROM_BITS = """
const view = new DataView(new ArrayBuffer(8));
const fromBits = (word) => (view.setBigUint64(0, BigInt(word)), view.getFloat64(0));
const toBits = (x) => (view.setFloat64(0, x), String(view.getBigUint64(0)));
"""


def pythons(number: float, spec: str) -> str:
    text = f"{number:{spec}}"
    return text.lstrip("-") if re.fullmatch(r"-0(\\.0*)?", text) or number == 0 else text


def sample(rng: random.Random) -> list[float]:
    anything = [struct.unpack("<d", rng.randbytes(8))[0] for _ in range(800)]
    usual = [rng.gauss(0, 1) * 10 ** rng.randint(-9, 9) for _ in range(800)]
    ties = [rng.randint(-(10**6), 10**6) / 2 ** rng.randint(0, 24) for _ in range(800)]
    return EDGES + anything + usual + ties


def test_formats_are_pythons_to_the_last_digit(modules: Callable[[str, Any], Any]) -> None:
    numbers = sample(random.Random(1))
    shown = modules(
        """async ([words, specs]) => {
          const { format } = await import("/live/format.mjs");"""
        + FROM_BITS
        + "return words.map((word) => specs.map((spec) => format(fromBits(word), spec)));}",
        [[bits(number) for number in numbers], SPECS],
    )
    wrong = [
        (number, spec, text, pythons(number, spec))
        for number, row in zip(numbers, shown, strict=True)
        for spec, text in zip(SPECS, row, strict=True)
        if text != pythons(number, spec) and not re.fullmatch(r"-0(\.0+)?", pythons(number, spec))
    ]
    assert wrong == []
    assert not any(re.fullmatch(r"-0(\.0+)?", text) for row in shown for text in row)
    assert modules("async () => (await import('/live/format.mjs')).format(41.6, 'd')", None) == "42"


def expression(rng: random.Random, depth: int) -> Any:
    """A random tree over the keys p, q, r."""
    if depth == 0 or rng.random() < 0.15:
        return rng.choice(["p", "q", "r", rng.choice([0, 1, -1.5, 0.01, 2])])
    if rng.random() < 0.5:
        return (rng.choice(sorted(UNARY)), expression(rng, depth - 1))
    count = rng.choice([2, 2, 2, 3, 4])
    return (rng.choice(sorted(BINARY)), *(expression(rng, depth - 1) for _ in range(count)))


def same(found: float, wanted: float) -> bool:
    """Equal up to the last places in which two machines' exp and tanh may differ."""
    if math.isnan(wanted) or math.isinf(wanted):
        return math.isnan(found) if math.isnan(wanted) else found == wanted
    return abs(found - wanted) <= 1e-9 * max(1.0, abs(wanted))


RUN = (
    """async ([trees, values]) => {
  const { compile } = await import("/live/expression.mjs");
  const slots = new Map(["p", "q", "r"].map((key, i) => [key, i]));"""
    + FROM_BITS
    + """return trees.map((tree, i) => toBits(compile(tree, slots)(values[i])));}"""
)


def number_of(word: str) -> float:
    return struct.unpack("<d", struct.pack("<Q", int(word)))[0]


def test_expressions_have_pythons_values(modules: Callable[[str, Any], Any]) -> None:
    rng = random.Random(2)
    trees = [expression(rng, 4) for _ in range(1500)]
    values = [[rng.choice([0.0, 1.0, rng.gauss(0, 2)]) for _ in "pqr"] for _ in trees]
    words = modules(RUN, [trees, values])
    wanted = [
        evaluate(tree, dict(zip("pqr", row, strict=True)))
        for tree, row in zip(trees, values, strict=True)
    ]
    steep = sum(abs(w) > 1e6 or not math.isfinite(w) for w in wanted)
    pairs = list(zip(trees, map(number_of, words), wanted, strict=True))
    wrong = [(t, f, w) for t, f, w in pairs if not same(f, w) and abs(w) < 1e6]
    # A difference of one last place may be blown up by a pole; it must stay a rare exception.
    assert len(wrong) <= 3, wrong
    assert steep < len(trees) / 2


def test_sums_and_products_are_exactly_pythons(modules: Callable[[str, Any], Any]) -> None:
    rng = random.Random(3)

    def exact(depth: int) -> Any:
        if depth == 0:
            return rng.choice("pqr")
        return (rng.choice("+-*"), *(exact(depth - 1) for _ in range(rng.choice([2, 3]))))

    trees = [exact(3) for _ in range(400)]
    values = [[rng.gauss(0, 2) for _ in "pqr"] for _ in trees]
    words = modules(RUN, [trees, values])
    wanted = [
        evaluate(tree, dict(zip("pqr", row, strict=True)))
        for tree, row in zip(trees, values, strict=True)
    ]
    assert words == [bits(value) for value in wanted]


def test_written_formulas_are_those_of_the_library(modules: Callable[[str, Any], Any]) -> None:
    rng = random.Random(4)
    trees = [expression(rng, 4) for _ in range(800)]
    numbers = {"p": "-0.25", "q": "0.5", "r": "1e-07"}
    shown = modules(
        """async ([trees, numbers]) => {
          const { write } = await import("/live/write.mjs");
          const text = (tree, f) => write(tree, f).map((part) => part.text ?? part).join("");
          return trees.map((tree) => [text(tree, (key) => key), text(tree, (key) => numbers[key])]);
        }""",
        [trees, numbers],
    )
    for tree, pair in zip(trees, shown, strict=True):
        plain = [text.replace("·", "*").replace("²", "^2").replace("σ", "sigmoid") for text in pair]
        plain = [text.replace("ln(", "log(") for text in plain]
        assert plain == [to_text(tree), to_text(tree, key=numbers.__getitem__)]


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (["sin", "p"], 'unknown operator "sin"'),
        (["constructor", "p"], 'unknown operator "constructor"'),
        (["__proto__", "p", "q"], 'unknown operator "__proto__"'),
        (["exp", "p", "q"], "exp has 2 arguments"),
        (["+", "p"], "+ has 1 arguments"),
        ([], "unknown operator undefined"),
        ("s", 'unknown quantity "s"'),
        (None, "unknown quantity null"),
        ({"p": 1}, "unknown quantity"),
    ],
)
def test_what_cannot_be_evaluated_is_named(
    modules: Callable[[str, Any], Any], tree: Any, message: str
) -> None:
    script = RUN.replace("return trees", "try { return trees").replace(
        "(values[i])));}", "(values[i]))); } catch (error) { return error.message; }}"
    )
    assert message in modules(script, [[tree], [[0, 0, 0]]])


def test_deep_and_long_expressions_are_safe(modules: Callable[[str, Any], Any]) -> None:
    message = modules(
        """async () => {
          const { compile } = await import("/live/expression.mjs");
          let tree = "p";
          for (let i = 0; i < 5000; i += 1) tree = ["neg", tree];
          try { return compile(tree, new Map([["p", 0]]))([1]); }
          catch (error) { return error.message; }
        }""",
        None,
    )
    assert message == "an expression is nested deeper than 400"
    total = modules(
        """async () => {
          const { compile } = await import("/live/expression.mjs");
          return compile(["+", ...Array(50000).fill("p")], new Map([["p", 0]]))([1]);
        }""",
        None,
    )
    assert total == 50_000
