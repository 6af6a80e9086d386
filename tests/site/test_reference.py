"""The reference of the library: nothing missing, and links that follow the book."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import book_reference
import pytest
from bs4 import BeautifulSoup
from built_pages import CHAPTERS, ROOT, TEXTS, soup
from sphinx.errors import ExtensionError

import backprop_lib

sys.path.append(str(ROOT / "tests" / "structure"))
from test_rooms import ROOMS

PAGE = "reference.html"
in_the_book = pytest.mark.skipif(
    PAGE not in TEXTS, reason="the reference is not in the table of contents"
)
MENTION = re.compile(r"[Cc]hapter (\d+)(?:, |$)")
CHAPTER_PAGES = {6: "chapters/06_backpropagation"}


@pytest.fixture
def reference(site: Path) -> BeautifulSoup:
    return soup(site / PAGE)


def rst(prose: str, room: str = "backprop") -> str:
    return book_reference.to_rst(prose, room, ROOMS, CHAPTER_PAGES)


@in_the_book
def test_every_room_has_a_section_in_the_order_of_the_house(reference: BeautifulSoup) -> None:
    titles = [heading.code.get_text() for heading in reference.find_all("h2")]
    assert [re.sub(r"\.py$|/$", "", title) for title in titles] == list(ROOMS)


@in_the_book
@pytest.mark.parametrize("name", sorted(backprop_lib.__all__))
def test_every_public_name_has_an_entry(reference: BeautifulSoup, name: str) -> None:
    places = reference.find_all("dt", id=re.compile(rf"^backprop_lib\.\w+\.{name}$"))
    assert len(places) == 1
    assert places[0].find_next("dd").get_text(strip=True)


@in_the_book
def test_functions_have_parameters_results_errors_and_examples(reference: BeautifulSoup) -> None:
    entry = reference.find(id="backprop_lib.network.forward").find_parent("dl")
    parts = [part.get_text().rstrip(":") for part in entry.select(".field-list > dt, .rubric")]
    assert parts == ["Parameters", "Returns", "Raises", "Examples", "Notes"]
    assert ">>>" in entry.pre.get_text()


@in_the_book
def test_chapters_are_links_once_they_are_in_the_book(reference: BeautifulSoup) -> None:
    in_book = {int(Path(page).name[:2]): page for page in CHAPTERS}
    linked = reference.select("dd a[href^='chapters/']")
    assert linked
    for link in linked:
        assert link["href"] == in_book[int(MENTION.match(link.get_text())[1])]
    for link in linked:
        link.extract()
    for paragraph in reference.select(".rubric + p"):
        unlinked = {int(number) for number in MENTION.findall(paragraph.get_text())}
        assert unlinked & in_book.keys() == set()


def test_a_formula_a_name_and_a_chapter_become_roles() -> None:
    assert rst(r"The $\delta^{[l]}$s") == r"The :math:`\delta^{[l]}`\ s"
    assert rst("see `forward()`") == "see :py:obj:`forward() <backprop_lib.network.forward>`"
    assert rst("may import `errors`") == "may import :ref:`errors <room-errors>`"
    assert rst("in Chapter 6,\n   *Backpropagation*.") == (
        "in :doc:`Chapter 6, Backpropagation </chapters/06_backpropagation>`."
    )


def test_what_is_code_or_unknown_stays_as_it_is() -> None:
    assert rst("``$5`` and ``chapter 6``") == "``$5`` and ``chapter 6``"
    assert rst("`no_such_name`") == "``no_such_name``"
    assert rst("Chapter 99, *Nothing*") == "Chapter 99, Nothing"


def test_examples_and_displayed_formulas_are_left_alone() -> None:
    lines = ["Costs $J$.", "", ">>> cost  # $J$", "1", "", ".. math::", "", "   J", "", "Then $a$"]
    runs = book_reference._stretches(lines)
    assert [run[0] for is_code, run in runs if is_code] == [">>> cost  # $J$", ".. math::"]
    assert [run[-1] for is_code, run in runs if not is_code] == ["", "", "Then $a$"]


def test_a_tour_that_leaves_out_a_room_is_refused() -> None:
    tour = (ROOT / "house.md").read_text(encoding="utf-8")
    assert book_reference.rooms(tour) == list(ROOMS)
    with pytest.raises(ExtensionError, match="leaves out of its table: tally"):
        book_reference.rooms(tour.replace("| [`tally.py`](room-tally) |", "| tally |"))
