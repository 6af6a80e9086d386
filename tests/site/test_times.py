"""How long a chapter takes: an estimate of the reading, a measurement of the run."""

from __future__ import annotations

import re
from pathlib import Path

import book_times
import pytest
from built_pages import CHAPTERS, soup
from docutils import nodes
from docutils.core import publish_doctree

from tools import run_times
from tools.notebooks import slugs

WORDS = "word\n" * (20 * book_times.WORDS_A_MINUTE)


def read(text: str) -> int:
    return book_times.minutes_to_read(publish_doctree(text))


def test_words_lines_and_sights_take_their_time() -> None:
    assert read(WORDS) == 20
    lines = 5 * 60 // book_times.SECONDS_A_LINE
    assert read(f"{WORDS}\n\n::\n\n" + "  x = 1\n" * lines) == 25
    sights = 5 * 60 // book_times.SECONDS_A_SIGHT
    assert read(f"{WORDS}\n\n" + ".. math:: a = b\n\n" * sights) == 25


def test_a_page_of_one_word_is_not_read_in_no_time() -> None:
    assert read("word") == book_times.STEP


def test_what_is_folded_is_not_counted() -> None:
    doctree = publish_doctree(WORDS)
    doctree += nodes.container("", nodes.paragraph("", WORDS), classes=["tag_hide-cell"])
    source = nodes.container("", nodes.paragraph("", WORDS), classes=["cell_input"])
    output = nodes.container("", nodes.paragraph("", WORDS), classes=["cell_output"])
    doctree += nodes.container("", source, output, classes=["tag_hide-input"])
    assert book_times.minutes_to_read(doctree) == 40


def test_the_run_of_every_chapter_was_measured() -> None:
    assert sorted(run_times.read()) == slugs()
    assert all(seconds >= 1 for seconds in run_times.read().values())


@pytest.mark.parametrize("page", CHAPTERS)
def test_a_chapter_says_it_under_its_title(site: Path, page: str) -> None:
    html = soup(site / page)
    said = html.h1.find_next_sibling().get_text(" ", strip=True)
    found = re.fullmatch(
        r"About (\d+) minutes to read; runs in (?:(\d+) s on one core|a second)\.", said
    )
    assert found, said
    assert int(found[2] or 1) == run_times.read()[Path(page).stem]
    assert not html.find("meta", attrs={"name": "description"})["content"].startswith("About")
