"""The checker of numbers in prose: what it reads, what it accepts, and what turns it red."""

from __future__ import annotations

from decimal import Decimal

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools.prose_numbers import (
    evidence_in,
    numbers,
    paragraphs,
    text_of_html,
    unbacked,
    unbacked_in_notebook,
)


def values(text: str) -> list[str]:
    return [str(number.value) for number in numbers(text)]


def offenders(prose: str, printed: str) -> list[str]:
    return [number.text for number in unbacked(prose, numbers(printed))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("it is 0.728.", ["0.728"]),
        ("(0.05, 0.10)", ["0.05", "0.10"]),
        ("-0.728", ["-0.728"]),
        ("\u22120.728", ["-0.728"]),
        ("the slope -0.728", ["-0.728"]),
        ("$= -0.728$", ["-0.728"]),
        ("$={-}0{.}728$", ["-0.728"]),
        ("[-0.728 -0.315]", ["-0.728", "-0.315"]),
        ("1-0.728", ["1", "0.728"]),
        ("$a_2 - 0.728$", ["2", "0.728"]),
        ("$(y)-0.728$", ["0.728"]),
        ("0.728\u20130.751", ["0.728", "0.751"]),
        (r"$x\approx0.728$", ["0.728"]),
        (r"$x\cdot-0.728$", ["-0.728"]),
        (r"$0.291\,027\,774$", ["0.291027774"]),
        ("3.162x too large", ["3.162"]),
        ("94.912%", ["94.912"]),
        (".728", ["0.728"]),
    ],
)
def test_numbers_are_read(text: str, expected: list[str]) -> None:
    assert values(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2.812e-8",
        "2.812E-08",
        r"$2.812 \times 10^{-8}$",
        "2.812·10⁻⁸",
        "2.812 × 10^-8",
        "2.812*10**-8",
    ],
)
def test_scientific_notation_is_read(text: str) -> None:
    (number,) = numbers(text)
    assert number.value == Decimal("2.812e-8")
    assert number.unit == Decimal("1e-11")
    assert number.needs_evidence


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("0.728", True),
        ("12.000", True),
        ("3.35e-4", True),
        ("0.73", False),
        ("24720", False),
        ("1e-5", False),
        ("2.8e-8", False),
    ],
)
def test_what_needs_evidence(text: str, needed: bool) -> None:
    (number,) = numbers(text)
    assert number.needs_evidence is needed


def test_versions_are_not_numbers() -> None:
    assert values("matplotlib 3.11.2 and 1.0.4.dev") == []


@pytest.mark.parametrize(
    ("prose", "printed"),
    [
        ("the output is 0.728", "0.72835"),
        ("the output is 0.728", "0.7280"),
        ("the output is 0.7284", "0.72835"),
        ("$a_2 = 0.728$ after the step", "a[2] = 0.728352"),
        ("the slope is \u22120.7283", "array([-0.72832])"),
        ("about $2.81 \\times 10^{-8}$", "2.8123e-08"),
        ("about 2.81e-8", "0.00000002812"),
        ("two decimals, 0.73, are not checked", ""),
        ("by {cite}`nielsen2015`: 0.718 after one step", ""),
        ("it was 0.718 in print[^1].", ""),
    ],
)
def test_backed_numbers(prose: str, printed: str) -> None:
    assert offenders(prose, printed) == []


@pytest.mark.parametrize(
    ("prose", "printed", "found"),
    [
        ("the output is 0.729", "0.72835", ["0.729"]),
        ("the output is 0.727", "0.72835", ["0.727"]),
        ("the output is 0.728", "", ["0.728"]),
        ("the output is 0.7284", "0.728", ["0.7284"]),
        ("the output is -0.728", "0.72835", ["-0.728"]),
        ("the output is 0.728", "-0.72835", ["0.728"]),
        ("$0.751 \\to 0.718$", "0.75137 0.72835", ["0.718"]),
        ("about 2.82e-8", "2.8123e-08", ["2.82e-8"]),
        ("about 2.81e-9", "2.8123e-08", ["2.81e-9"]),
        ("`0.729`", "0.72835", ["0.729"]),
        ("cited {cite}`x`: 0.718\n\nnot cited: 0.719", "", ["0.719"]),
        ("- cited {cite}`x`: 0.718\n- not cited: 0.719", "", ["0.719"]),
        ("| {cite}`x` | 0.718 |\n| here | 0.719 |", "", ["0.719"]),
    ],
)
def test_unbacked_numbers_are_found(prose: str, printed: str, found: list[str]) -> None:
    assert offenders(prose, printed) == found


@pytest.mark.parametrize(
    "text",
    [
        "<!-- 0.7281 -->",
        "% 0.7281",
        "[a paper](https://example.org/10.1234/0.7281)",
        "<https://example.org/0.7281>",
        "https://example.org/v0.7281/page",
        "doi:10.1038/0.7281",
        "(eq-0.7281)=",
    ],
)
def test_what_is_not_prose(text: str) -> None:
    assert offenders(text, "") == []


def test_an_item_is_a_paragraph() -> None:
    assert list(paragraphs("one\ntwo\n\n1. three\n   four\n2. five")) == [
        "one\ntwo",
        "1. three\n   four",
        "2. five",
    ]


def test_only_what_a_reader_sees_is_evidence() -> None:
    markup = (
        '<div data-state="0.111"><style>a { opacity: 0.222 }</style><img alt="0.333">'
        "<td>0.444</td><td>0.5<b>55</b></td></div>"
    )
    assert values(text_of_html(markup)) == ["0.444", "0.555"]


def notebook_with(*outputs: object, prose: str, figure: dict[str, object] | None = None) -> object:
    cell = new_code_cell("f()", outputs=list(outputs))
    if figure:
        cell.metadata["mystnb"] = figure
    return new_notebook(cells=[new_markdown_cell(prose), cell])


@pytest.mark.parametrize(
    "output",
    [
        new_output("stream", name="stdout", text="loss 0.274811\n"),
        new_output("execute_result", data={"text/plain": "0.274811"}),
        new_output("display_data", data={"text/html": "<table><td>0.274811</td></table>"}),
        new_output("display_data", data={"text/latex": r"$C = 0.274811$"}),
        new_output("error", ename="ValueError", evalue="loss 0.274811", traceback=[]),
    ],
)
def test_every_kind_of_output_is_evidence(output: object) -> None:
    assert unbacked_in_notebook(notebook_with(output, prose="The loss is 0.2748.")) == []
    assert unbacked_in_notebook(notebook_with(output, prose="The loss is 0.2749.")) == [
        'cell 1: 0.2749 in "The loss is 0.2749."'
    ]


def test_code_is_not_evidence() -> None:
    notebook = new_notebook(cells=[new_markdown_cell("It is 0.728."), new_code_cell("x = 0.728")])
    assert list(evidence_in(notebook)) == []
    assert len(unbacked_in_notebook(notebook)) == 1


def test_alternative_texts_and_captions_are_prose() -> None:
    figure = {"image": {"alt": "It falls to 0.728."}, "figure": {"caption": "From 0.751."}}
    output = new_output("stream", name="stdout", text="0.75137")
    found = unbacked_in_notebook(notebook_with(output, prose="Words.", figure=figure))
    assert found == ['cell 2: 0.728 in "It falls to 0.728."']
