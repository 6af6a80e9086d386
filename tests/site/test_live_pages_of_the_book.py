"""Live figures outside their chapters: the directive, the gallery, the small explorer in front."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from html import escape, unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import book_live
import numpy as np
import pytest
from built_pages import CHAPTERS, START, notebook_of, soup
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from backprop_lib import MLP, Params, half_mse, sigmoid, trace_step
from backprop_lib.live import Axis, Curve, Slider

if TYPE_CHECKING:
    from playwright.sync_api import Page

GALLERY = "live_figures.html"
ALT = 'A line & its "slope" <1'


def curve(name: str, alt: str = ALT) -> Curve:
    return Curve(
        name,
        alt,
        x=Axis("z", 0, 1),
        y=Axis("value", 0, 1),
        point=Slider("z", 0.5, 0, 1, 0.1),
        curves={"line": ("+", "z", 0)},
    )


def chapter(title: str, *figures: Curve) -> str:
    """A chapter with one section for each figure."""
    parts = [f"{title}\n{'=' * 40}\n"]
    for figure in figures:
        parts.append(f"About {figure.name}\n{'-' * 40}\n\n.. raw:: html\n")
        parts += [f"   {line}" for line in figure.to_html().splitlines()]
        parts.append("")
    return "\n".join(parts)


def build(tmp_path: Path, text: str, **chapters: str) -> tuple[str, str]:
    """The first page of a small book and the warnings of its build."""
    source = tmp_path / "source"
    (source / "chapters").mkdir(parents=True, exist_ok=True)
    for name, body in chapters.items():
        (source / "chapters" / f"{name[1:]}.rst").write_text(body, encoding="utf-8")
    listed = "".join(f"   chapters/{name[1:]}\n" for name in chapters)
    page = f"Title\n=====\n\n.. toctree::\n\n{listed}\n{text}\n"
    (source / "index.rst").write_text(page, encoding="utf-8")
    warnings = io.StringIO()
    settings = {"extensions": ["book_live"], "html_theme": "basic"}
    places = (source, None, tmp_path / "out", tmp_path / "doctrees")
    with docutils_namespace():
        app = Sphinx(*places, "html", settings, status=None, warning=warnings)
        app.build()
    return (tmp_path / "out" / "index.html").read_text(encoding="utf-8"), warnings.getvalue()


class TestDirective:
    def test_takes_the_figure_of_the_chapter_unchanged(self, tmp_path: Path) -> None:
        text = ".. live:: 07_trace one"
        html, warnings = build(tmp_path, text, _07_trace=chapter("Trace", curve("one")))
        assert not warnings
        assert curve("one").to_html() in html

    def test_follows_the_chapter_in_the_next_build(self, tmp_path: Path) -> None:
        text = ".. live:: 07_trace one"
        build(tmp_path, text, _07_trace=chapter("Trace", curve("one", "before")))
        later = curve("one", "afterwards")
        html, _ = build(tmp_path, text, _07_trace=chapter("Trace", later))
        assert later.to_html() in html

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ("08_none one", "there is no chapter '08_none' in this book, only: 07_trace"),
            ("07_trace three", "chapter 07_trace has no live figure 'three', only: one, two"),
        ],
    )
    def test_says_what_exists_when_asked_for_what_does_not(
        self, arguments: str, message: str, tmp_path: Path
    ) -> None:
        pages = {"_07_trace": chapter("Trace", curve("one"), curve("two"))}
        html, warnings = build(tmp_path, f".. live:: {arguments}", **pages)
        assert message in warnings
        assert "index.rst:" in warnings
        assert "data-live" not in html

    @pytest.mark.parametrize("before", [".. live:: 07_trace one", ".. _one:\n\nPart\n----"])
    def test_refuses_a_name_that_the_page_has_already(self, before: str, tmp_path: Path) -> None:
        pages = {"_07_trace": chapter("Trace", curve("one"))}
        html, warnings = build(tmp_path, f"{before}\n\n.. live:: 07_trace one", **pages)
        assert "the page already has something called 'one'" in warnings
        assert len(re.findall('id="one"', html)) == 1


class TestGallery:
    def test_lists_figures_in_the_order_of_the_chapters(self, tmp_path: Path) -> None:
        html, warnings = build(
            tmp_path,
            ".. live-gallery::",
            _09_later=chapter("Later", curve("three")),
            _07_trace=chapter("Trace", curve("one"), curve("two")),
        )
        assert not warnings
        gallery = html[html.index("live-gallery") :]
        assert "7. Trace: About one" in gallery
        assert re.findall(r'href="(chapters/[^"]+)"', gallery)[:3] == [
            "chapters/07_trace.html#about-one",
            "chapters/07_trace.html#about-two",
            "chapters/09_later.html#about-three",
        ]
        assert gallery.count(escape(ALT)) == 3

    def test_a_book_without_figures_has_none(self, tmp_path: Path) -> None:
        html, warnings = build(tmp_path, ".. live-gallery::", _07_trace=chapter("Trace"))
        assert not warnings
        assert "live-gallery" not in html


def stored_figures(page: str) -> list[tuple[str, str]]:
    """Name and description of each live figure in the stored notebook of a page."""
    found = []
    for cell in json.loads(notebook_of(page).read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            text = "".join(output.get("data", {}).get("text/html", ""))
            if opening := book_live.OPENING.search(text):
                alt = json.loads(unescape(opening["state"]))["alt"]
                found.append((opening["name"], alt))
    return found


def test_the_marks_of_live_figures_are_those_that_the_library_writes() -> None:
    opening = book_live.OPENING.match(curve("one").to_html())
    assert opening
    assert (opening["name"], opening["kind"]) == ("one", "curve")
    assert json.loads(unescape(opening["state"]))["alt"] == ALT


def test_the_gallery_has_every_figure_of_every_chapter(site: Path) -> None:
    listed = soup(site / GALLERY).select("dl.live-gallery > dt")
    expected = [(page, *figure) for page in CHAPTERS for figure in stored_figures(page)]
    assert len(expected) > 3
    assert len(listed) == len(expected)
    for term, (page, name, alt) in zip(listed, expected, strict=True):
        assert " ".join(term.find_next_sibling("dd").get_text().split()) == " ".join(alt.split())
        address, _, anchor = term.a["href"].partition("#")
        assert address == page
        assert soup(site / page).find(id=anchor).find(id=name)
        number, _, words = term.get_text().partition(". ")
        assert int(number) == int(Path(page).name[:2])
        heading = soup(site / page).find(id=anchor).find(["h2", "h3"])
        assert re.sub(r"^\d+\.\d+\. |#$", "", heading.get_text()) in words


def test_the_figure_in_front_is_the_chapters_own(site: Path) -> None:
    front = soup(site / START).select("[data-live]")
    chapter_page = soup(site / "chapters" / "07_hand_trace.html")
    assert [figure["id"] for figure in front] == ["neuron"]
    assert front[0]["data-state"] == chapter_page.find(id="neuron")["data-state"]


def one_neuron(weight: float) -> Any:
    params = Params.of(W=[[[weight]]], b=[[0.1]])
    x, y = np.array([[1.0]]), np.array([[0.0]])
    return trace_step(MLP((1, 1), (sigmoid,)), params, x, y, half_mse, 0.5)


def test_moving_its_weight_gives_the_numbers_of_python(
    site: Path, serve: Callable[[Path], str], open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{serve(site)}/{START}")
    page.locator("#neuron").scroll_into_view_if_needed()
    page.wait_for_selector("#neuron[data-ready]")
    sliders = page.locator("#neuron .lf-inputs input[type=range]")
    assert sliders.count() == 4
    before = page.locator("#neuron [data-line='a1[1]'] .lf-result").inner_text()
    sliders.nth(2).press("ArrowRight")
    sliders.nth(2).press("ArrowRight")
    moved = one_neuron(0.52)
    after = page.locator("#neuron [data-line='a1[1]'] .lf-result").inner_text()
    assert before.strip(" =*") == f"{one_neuron(0.5)['a1[1]']:.5f}"
    assert after.strip(" =*") == f"{moved['a1[1]']:.5f}" != before.strip(" =*")
    page.locator("#neuron").get_by_role("button", name="Back, layer 1").click()
    gradient = page.locator("#neuron [data-line='dw1[1,1]']")
    assert f"{moved['dw1[1,1]']:.5f}" in gradient.locator(".lf-result").inner_text()
    assert f"{moved['dw1[1,1]']:.5f}" in gradient.locator(".lf-check").inner_text()
    assert page.log.clean, page.log
