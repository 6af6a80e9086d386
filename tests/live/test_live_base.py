"""The Python side: what stands in an output, and what never does."""

from __future__ import annotations

import base64
import html
import json
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser

import numpy as np
import pytest
from live_examples import all_kinds, curve, film, hand_trace, html_of, plane, record

from backprop_lib.live import (
    Axis,
    Bars,
    Choice,
    Curve,
    Explorer,
    Film,
    LiveFigure,
    Matrix,
    Path,
    Plane,
    Readout,
    Scatter,
    Series,
    Slider,
    Surface,
)
from backprop_lib.live.encode import jsonable, to_attribute

NASTY = """</script><img src=x onerror=alert(1)>'"&<!--]]>\u2028$x$ \\"""
KINDS = all_kinds()
IDS = [figure.name for figure in KINDS]


class Reader(HTMLParser):
    """Collects the tags and the attributes of the first div."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[dict[str, str | None]] = []
        self.shown = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.append(dict(attrs))

    def handle_data(self, data: str) -> None:
        self.shown += data


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    return reader


def state_of(figure: LiveFigure) -> dict[str, object]:
    return json.loads(read(html_of(figure)).attributes[0]["data-state"])


@pytest.mark.parametrize("figure", KINDS, ids=IDS)
def test_output_holds_state_and_fallback_but_no_script_and_no_address(figure: LiveFigure) -> None:
    text = html_of(figure)
    found = read(text)
    assert found.tags[0] == "div"
    assert found.attributes[0]["data-live"] == figure.kind
    assert found.attributes[0]["id"] == figure.name
    assert state_of(figure) == figure.state
    assert "script" not in found.tags
    assert "http" not in text
    assert "style" not in {name for attributes in found.attributes for name in attributes}


@pytest.mark.parametrize("figure", KINDS, ids=IDS)
def test_bundle_has_a_widget_for_kernels_and_a_stable_text(figure: LiveFigure) -> None:
    data, _ = figure._repr_mimebundle_()
    assert data["text/plain"] == repr(figure) == f"<{type(figure).__name__} {figure.name}>"
    assert "application/vnd.jupyter.widget-view+json" in data


def test_output_is_the_same_every_time() -> None:
    assert [html_of(figure) for figure in all_kinds()] == [html_of(figure) for figure in KINDS]


def test_pictures_carry_their_svg_and_their_description() -> None:
    for figure in KINDS[:5]:
        found = read(html_of(figure))
        assert found.tags == ["div", "img"]
        image = found.attributes[1]
        assert image["alt"] == figure.alt
        kind, _, encoded = image["src"].partition("base64,")
        assert kind == "data:image/svg+xml;"
        drawn = read(base64.b64decode(encoded).decode())
        assert drawn.tags[0] == "svg"
        assert drawn.tags.count("path") >= 2
        assert image["width"] == drawn.attributes[0]["width"]


def test_fallback_of_a_trace_is_its_table() -> None:
    shown = read(html_of(KINDS[5])).shown
    for line in hand_trace().table().splitlines():
        for cell in re.split(r"\s+= ", line):
            assert cell.strip() in shown


def test_labels_are_never_markup() -> None:
    figure = Curve(
        "nasty",
        NASTY,
        x=Axis(NASTY, 0, 1),
        y=Axis(NASTY, 0, 1),
        point=Slider("x", 0.5, 0, 1, 0.1, label=NASTY),
        curves={NASTY: ("square", "x")},
        readouts=[Readout(NASTY, NASTY)],
    )
    text = html_of(figure)
    found = read(text)
    assert found.tags == ["div", "img"]
    assert found.attributes[1]["alt"] == NASTY
    assert state_of(figure)["readouts"][0]["label"] == NASTY
    assert text.isascii() or "\u2028" in html.unescape(text)
    svg = base64.b64decode(found.attributes[1]["src"].partition("base64,")[2]).decode()
    assert "img" not in read(svg).tags
    assert NASTY in read(svg).shown


def test_attribute_is_plain_ascii_json() -> None:
    value = {NASTY: [NASTY, 1.5, None, True]}
    escaped = to_attribute(value)
    assert escaped.isascii()
    assert not set("<>'") & set(escaped)
    assert json.loads(html.unescape(escaped)) == value


def test_numbers_survive_as_javascript_reads_them() -> None:
    numbers = np.array([0.1, 1e-300, np.nan, np.inf, -np.inf])
    assert jsonable(numbers) == [0.1, 1e-300, "NaN", "Infinity", "-Infinity"]
    assert jsonable(np.float32(0.1), digits=3) == 0.1
    assert jsonable({"a": (np.int64(3), True)}) == {"a": [3, True]}
    with pytest.raises(TypeError, match="data holds a set, expected numbers"):
        jsonable({1, 2})
    with pytest.raises(TypeError, match="has the key 3, expected text"):
        jsonable({3: 1})


def test_the_library_itself_does_not_import_widgets() -> None:
    program = "import sys, backprop_lib; print([n for n in sys.modules if 'widget' in n])"
    printed = subprocess.check_output([sys.executable, "-c", program], text=True)
    assert printed.strip() == "[]"


def test_values_can_be_set_and_read_from_python() -> None:
    figure = curve()
    figure.values = {"z": 2.0}
    assert figure.get_state(["values"]) == {"values": {"z": 2.0}}


def a_film(**changes: object) -> Film:
    parts = {
        "name": "f",
        "alt": "alt",
        "record": lambda: [{"w": 1.0}],
        "panels": [Series("w", Axis("w", 0, 1), ["w"])],
    }
    return Film(**(parts | changes))


def a_curve(**changes: object) -> Curve:
    parts = {
        "x": Axis("x", 0, 1),
        "y": Axis("y", 0, 1),
        "point": Slider("x", 0.5, 0, 1, 0.1),
        "curves": {"line": "x"},
    }
    return Curve("c", "alt", **(parts | changes))


def a_plane(**changes: object) -> Plane:
    return Plane("p", "alt", **({"x": Axis("x", 0, 1), "y": Axis("y", 0, 1)} | changes))


UNIT = Axis("unit", 0, 1)
BAD = [
    (lambda: a_film(name="Bad Name"), "name is 'Bad Name', expected small letters"),
    (lambda: a_film(alt=" "), "alt is empty"),
    (lambda: Slider("w", 5.0, 0, 1, 0.1), "starts at 5.0, expected a number from 0 to 1"),
    (lambda: Slider("w", 5.0), "expected low < high and a positive step, or a list"),
    (lambda: Slider("w", 5.0, options=[1.0]), r"expected one of its options \[1.0\]"),
    (lambda: Choice("c", {}), "expected one of its options"),
    (lambda: Axis("x", 1, 0), "runs from 1 to 0, expected low < high"),
    (lambda: Axis("x", 0, 1, log=True), "both above 0 on a log axis"),
    (lambda: Readout("r", "k", "5f"), "has the format '5f', expected one such as"),
    (lambda: a_curve(curves={"c": ("tanh", "q")}), "'c' reads 'q', which is neither"),
    (lambda: a_curve(curves={"c": ("sin", "x")}), "operator 'sin' with 1 arguments is unknown"),
    (lambda: a_curve(curves={"c": [1.0, 2.0]}), "a table of 2 numbers, expected 0: one for"),
    (lambda: a_curve(definitions={"x": 1.0}), "'x' is defined twice"),
    (lambda: a_curve(readouts=[Readout("r", "q")]), "shows 'q', expected a quantity or a curve"),
    (lambda: a_curve(controls=[Choice("c", {"o": {"q": 1.0}})]), "replaces 'q', which is not"),
    (lambda: a_plane(surface=Surface("q")), "shows 'q', which is not defined"),
    (lambda: Surface("q", low=1, high=0), "runs from 1 to 0"),
    (lambda: a_plane(points=[(2, 0, 0)]), r"the point \(2, 0\) lies outside the axes"),
    (lambda: a_plane(readouts=[Readout("r", "q")]), "readout 'r' shows 'q'"),
    (lambda: a_plane(paths=[Path("d", {"x": "x"}, 3)]), r"does not update \['y'\]"),
    (lambda: a_film(record=list), "a run has no frames"),
    (lambda: a_film(record=lambda: [{"v": 1.0}]), r"frame 0 has no entry 'w', found \['v'\]"),
    (lambda: a_film(record=lambda: [{"w": [1.0, 2.0]}]), "has 2 numbers, expected one for each"),
    (lambda: a_film(values=[]), "values has 0 numbers, expected 1"),
    (lambda: a_film(record=one, sliders={"rate": [1]}, start=[2]), "starts at 2, expected one"),
    (lambda: a_film(panels=[Bars("w", ["a"], UNIT)], record=lambda: [{"w": []}]), "0 heights"),
    (lambda: a_film(panels=[Matrix("w", "t", 0, 1, (1, 2))], record=square), r"1 rows of \[1\]"),
    (lambda: a_film(panels=[Scatter("w", "t", UNIT, UNIT)]), "a dict with lines and points"),
    (lambda: Explorer("e", "alt", hand_trace().with_bug("sign")), "has the bug 'sign', expected"),
    (lambda: Explorer("e", "alt", hand_trace(), inputs=["q"]), r"\['q'\], expected given"),
]


@pytest.mark.parametrize(("make", "message"), BAD)
def test_bad_input_is_named(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def one(rate: float) -> list[dict[str, float]]:
    return [{"w": 1.0}]


def square() -> list[dict[str, list[list[float]]]]:
    return [{"w": [[1.0]]}]


def test_runs_with_numbers_that_are_none_are_recorded() -> None:
    figure = a_film(record=lambda: [{"w": 1.0}, {"w": float("inf")}, {"w": float("nan")}])
    assert figure.state["runs"][0]["data"] == [[[1.0, "Infinity", "NaN"]]]


def test_inputs_of_an_explorer_can_be_chosen() -> None:
    figure = Explorer("e", "alt", hand_trace(), inputs=["x[1]", "eta"])
    shown = [entry["key"] for entry in figure.state["inputs"] if not entry["hidden"]]
    assert shown == ["x[1]", "eta"]


def test_recorded_numbers_are_rounded_and_runs_stand_in_order() -> None:
    runs = film().state["runs"]
    assert len(runs) == 6
    assert runs[1]["data"][0][0][3] == float(f"{record(0.05, 'many')[3]['loss'][0]:.6g}")
    (handle,) = plane().state["handles"]
    assert handle == {"name": "probe", "keys": ["probe.x", "probe.y"], "point": None}
