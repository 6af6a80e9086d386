"""What must hold for every figure: hostile states, no scripts, small screens, axe."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import live_examples as examples
import pytest

from backprop_lib.live import Axis, Curve, Film, LiveFigure, Readout, Series, Slider
from backprop_lib.live.encode import to_attribute

if TYPE_CHECKING:
    from playwright.sync_api import Page

LivePage = Callable[..., "Page"]
NASTY = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>\'&'
SORRY = "This figure cannot be moved here"
PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACw="
FALLBACK = f'<img alt="what it shows" width="10" height="10" src="{PIXEL}">'


def raw(kind: str, state: str, name: str = "raw") -> str:
    """A figure's div with a state that no constructor would make."""
    escaped = state.replace("&", "&amp;").replace("'", "&#39;").replace("<", "&lt;")
    return f'<div id="{name}" data-live="{kind}" data-state=\'{escaped}\'>{FALLBACK}</div>'


def poisoned(value: Any) -> Any:
    """Every text of a state becomes markup, except the words that say what a thing is."""
    kept = {"key", "kind", "ramp", "format", "coordinates", "target", "keys", "surface", "point"}
    kept |= {"definitions", "update", "start", "steps", "expression", "expressions", "phase"}
    kept |= {"gradients", "network", "order", "bugs", "alternatives", "options", "value", "tangent"}
    kept |= {"written", "node", "wires", "place", "total", "codes", "pixels", "activation"}
    if isinstance(value, dict):
        return {k: v if k in kept else poisoned(v) for k, v in value.items()}
    if isinstance(value, list):
        return [poisoned(item) for item in value]
    return NASTY if isinstance(value, str) and not value.endswith("Infinity") else value


@pytest.mark.parametrize("figure", examples.all_kinds(), ids=lambda figure: figure.name)
def test_markup_in_labels_stays_text(live_page: LivePage, figure: LiveFigure) -> None:
    state = json.dumps(poisoned(figure.state))
    page = live_page(raw(figure.kind, state, figure.name))
    assert page.evaluate("() => window.hit") is None
    assert page.locator("main script, main img").count() == 0
    assert page.log.clean


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("curve", '{"alt":"truncated","x":{"lab'),
        ("curve", "null"),
        ("curve", "{}"),
        ("curve", "[1,2]"),
        ("plane", '{"controls":[],"readouts":[],"definitions":[["a",["evil","b"]]]}'),
        ("film", '{"controls":[],"readouts":[],"runs":[]}'),
        ("explorer", '{"quantities":[]}'),
        ("circuit", '{"titles":["c"],"circuits":[{"inputs":[],"lines":[]}]}'),
        ("pad", '{"network":[{"step":1,"codes":"AQ==","biases":[0,0],"activation":"relu"}]}'),
        ("nosuchkind", "{}"),
        ("../../evil", "{}"),
        ("constructor", "{}"),
    ],
)
def test_a_broken_state_leaves_the_picture_and_one_sentence(
    live_page: LivePage, kind: str, state: str
) -> None:
    page = live_page(raw(kind, state), examples.curve(), wait=False)
    page.get_by_text(SORRY).wait_for()
    assert page.locator("#raw img").is_visible()
    assert page.locator("#raw > *").count() == 2
    page.wait_for_selector("#sigmoid-slope[data-ready]")
    assert page.log.errors == []


@pytest.mark.parametrize("name", ["curve", "plane", "bowl", "film", "explorer", "circuit", "pad"])
def test_truncated_anywhere_no_state_breaks_the_page(live_page: LivePage, name: str) -> None:
    figure = getattr(examples, name)()
    whole = json.dumps(figure.state)
    cuts = [raw(figure.kind, whole[: len(whole) * i // 7], f"cut{i}") for i in range(1, 7)]
    page = live_page(*cuts, wait=False)
    for i in range(1, 7):
        page.locator(f"#cut{i}").scroll_into_view_if_needed()
        page.locator(f"#cut{i}").get_by_text(SORRY).wait_for()
    assert page.log.errors == []


WILD = [float("nan"), float("inf"), float("-inf"), 1e308, -1e308, 5e-324]


def test_wild_numbers_are_drawn_or_left_out(live_page: LivePage) -> None:
    film = Film(
        "wild",
        "Numbers of every size.",
        record=lambda: [{"w": number} for number in WILD],
        panels=[Series("w", Axis("w", 0.1, 1, log=True), ["w"])],
    )
    table = Curve(
        "wild-table",
        "Numbers of every size.",
        x=Axis("x", 0, 6),
        y=Axis("y", -1e308, 1e308),
        point=Slider("x", 1, options=[0, 1, 2, 3, 4, 5]),
        curves={"table": WILD},
        readouts=[Readout("table", "table"), Readout("square", "x", ".6f")],
    )
    steep = Curve(
        "steep",
        "A curve with a pole.",
        x=Axis("x", -1e-300, 1e300),
        y=Axis("y", -1, 1),
        point=Slider("x", 0.0, -1e-300, 1e300, 1e299),
        curves={"pole": ("/", 1, "x"), "log": ("log", "x"), "big": ("exp", ("exp", "x"))},
    )
    page = live_page(film, table, steep)
    shown = []
    for _ in range(6):
        shown.insert(0, page.locator("#wild dd").text_content())
        page.locator("#wild").get_by_role("button", name="Step back").click()
    assert shown == ["nan", "inf", "-inf", "1e+308", "-1e+308", "4.94066e-324"]
    assert page.locator("#steep dd").all_text_contents() == ["inf", "-inf", "2.71828"]
    drawn = page.locator("main svg").evaluate_all("list => list.map((e) => e.outerHTML)")
    assert not any("NaN" in text or "Infinity" in text for text in drawn)
    assert page.log.clean


def test_an_explorer_survives_wild_inputs(live_page: LivePage) -> None:
    page = live_page(examples.explorer())
    figure = page.locator("#hand-trace")
    for value in ["1e308", "-1e308", "1e-320", "123456789"]:
        for key in ["x[1]", "w2[1,1]", "eta", "y[1]"]:
            figure.get_by_label(f"{key}, exact").fill(value)
    for stage in figure.locator(".lf-stages button").all():
        stage.click()
    drawn = figure.locator("svg").evaluate_all("list => list.map((e) => e.outerHTML)")
    assert not any("NaN" in text for text in drawn)
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert page.log.clean


def test_without_scripts_every_fallback_is_there(live_page: LivePage) -> None:
    page = live_page(*examples.all_kinds(), javascript=False, wait=False)
    images = page.locator("main img")
    assert images.count() == 6
    for image in images.all():
        assert image.get_attribute("alt")
        assert image.bounding_box()["width"] > 200
    trace, circuit, pad = page.locator("main table").all()
    assert "0.59327" in trace.inner_text()
    assert "-12" in circuit.inner_text()
    assert "read as" in pad.inner_text()
    assert page.log.missing == []


def test_fallbacks_are_pictures_that_a_browser_draws(live_page: LivePage) -> None:
    page = live_page(
        *examples.all_kinds(), wait=False, init_script="delete window.IntersectionObserver"
    )
    sizes = page.locator("main img").evaluate_all(
        "list => Promise.all(list.map((e) => e.decode().then(() => e.naturalWidth)))"
    )
    assert len(sizes) == 6
    assert all(size >= 300 for size in sizes)


AXE = Path(importlib.util.find_spec("axe_playwright_python").origin).parent / "axe.min.js"


def violations(page: Page) -> list[str]:
    page.evaluate(AXE.read_text(encoding="utf-8") + "; undefined")
    found = page.evaluate("() => axe.run()")["violations"]
    return [f"{v['id']}: {node['html'][:120]}" for v in found for node in v["nodes"]]


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing(live_page: LivePage, theme: str, width: int) -> None:
    page = live_page(*examples.all_kinds(), theme=theme, color_scheme=theme, width=width)
    figure = page.locator("#hand-trace")
    figure.get_by_label("Bug").select_option(index=2)
    figure.get_by_role("button", name="Back, layer 2").click()
    figure.get_by_role("button", name="Line forward").click()
    assert violations(page) == []


def test_axe_finds_nothing_in_the_fallbacks(live_page: LivePage) -> None:
    page = live_page(
        *examples.all_kinds(), wait=False, init_script="delete window.IntersectionObserver"
    )
    assert violations(page) == []


TOO_WIDE = """() => [...document.querySelectorAll("main *:not(svg svg, svg svg *)")].filter((e) =>
  e.getBoundingClientRect().right > innerWidth + 1 && e.getBoundingClientRect().width > 2 &&
  getComputedStyle(e).visibility !== "hidden").map((e) => e.outerHTML.slice(0, 100))"""
SMALL_TEXT = """() => [...document.querySelectorAll("main svg text")].filter((e) => e.textContent &&
  parseFloat(getComputedStyle(e).fontSize) * e.ownerSVGElement.getScreenCTM().a < 11.5)
  .map((e) => e.textContent)"""
SMALL_TARGETS = """() => [...document.querySelectorAll("main button, main input, main select")]
  .filter((e) => { const box = e.getBoundingClientRect(); return box.width && box.height < 24; })
  .map((e) => e.outerHTML.slice(0, 100))"""


# A page zoomed to 200 % has half the width in CSS pixels, and twice the device's.
@pytest.mark.parametrize(("width", "scale"), [(390, 1), (320, 1), (640, 2)])
def test_figures_fit_small_screens_and_zoomed_pages(
    live_page: LivePage, width: int, scale: int
) -> None:
    page = live_page(*examples.all_kinds(), width=width, device_scale_factor=scale)
    assert page.evaluate(TOO_WIDE) == []
    assert page.evaluate(SMALL_TEXT) == []
    assert page.evaluate(SMALL_TARGETS) == []
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_figures_follow_the_width_of_the_page(live_page: LivePage) -> None:
    page = live_page(examples.explorer(), examples.curve())
    wide = page.locator("#hand-trace svg").first.bounding_box()
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_function("() => document.documentElement.scrollWidth <= innerWidth")
    page.wait_for_function("() => document.querySelector('#hand-trace svg').clientWidth < 380")
    narrow = page.locator("#hand-trace svg").first.bounding_box()
    assert wide["width"] > wide["height"]
    assert narrow["height"] > narrow["width"]


def test_surfaces_change_their_colours_with_the_theme(live_page: LivePage) -> None:
    page = live_page(examples.plane())
    pixel = """() => [...document.querySelector("#xor-network canvas").getContext("2d")
      .getImageData(2, 30, 1, 1).data].join()"""
    darkest = """() => {
      const canvas = document.querySelector("#xor-network canvas");
      const pen = canvas.getContext("2d");
      const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
      let least = 3 * 255;
      for (let i = 0; i < data.length; i += 4) {
        least = Math.min(least, data[i] + data[i + 1] + data[i + 2]);
      }
      return least;
    }"""
    light = page.evaluate(pixel)
    assert page.evaluate(darkest) > 300, "a colour that a canvas refuses is painted black"
    page.evaluate("() => { document.documentElement.dataset.theme = 'dark'; }")
    page.wait_for_function(f"() => ({pixel})() !== '{light}'")


def test_every_control_has_a_name_and_keeps_its_keys_from_jupyterlab(live_page: LivePage) -> None:
    page = live_page(*examples.all_kinds())
    controls = page.locator("main button, main input, main select, main textarea, main g[tabindex]")
    assert controls.count() > 60
    marks = controls.evaluate_all("list => list.map((e) => e.dataset.lmSuppressShortcuts)")
    assert set(marks) == {"true"}


def test_figures_far_below_wait_until_they_are_near(live_page: LivePage) -> None:
    page = live_page("<p>line</p>" * 200, examples.curve(), wait=False)
    page.wait_for_timeout(300)
    assert page.locator("#sigmoid-slope[data-ready]").count() == 0
    page.locator("#sigmoid-slope").scroll_into_view_if_needed()
    page.wait_for_selector("#sigmoid-slope[data-ready]")


# Notes, in the breath in which a figure says that it is ready, whether it is drawn.
NOTE_READY = """
window.drawn = {};
new MutationObserver((changes) => changes.forEach(({ target }) => {
  window.drawn[target.id] = target.querySelector(".lf svg, .lf canvas") !== null;
})).observe(document, { subtree: true, attributeFilter: ["data-ready"] });"""


def test_a_figure_that_is_ready_is_drawn(live_page: LivePage) -> None:
    figures = examples.all_kinds()
    page = live_page(*figures, init_script=NOTE_READY)
    assert page.evaluate("window.drawn") == {figure.name: True for figure in figures}


def test_changes_are_told_to_screen_readers_once(live_page: LivePage) -> None:
    page = live_page(examples.curve())
    live = page.locator("#sigmoid-slope output[aria-live=polite]")
    for _ in range(3):
        page.get_by_label("z, exact").press("ArrowUp")
    said = "a 0.785835, slope 0.168298"
    page.wait_for_function(f"e => e.textContent === '{said}'", arg=live.element_handle())


def test_attribute_of_a_state_is_read_back_unchanged(live_page: LivePage) -> None:
    state = {"text": NASTY + "\u2028\\\"'\n\t", "number": 0.1}
    html = f"<div id=\"x\" data-state='{to_attribute(state)}'></div>"
    page = live_page(html, wait=False)
    assert page.evaluate("() => JSON.parse(document.querySelector('#x').dataset.state)") == state
