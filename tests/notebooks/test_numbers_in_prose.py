"""Every number in the book's text is the output of a cell, or someone else's, and then cited."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.environment import ROOT
from tools.notebooks import notebook_path, read_notebook, slugs
from tools.prose_numbers import Number, evidence_in, unbacked, unbacked_in_notebook

EXECUTED = [slug for slug in slugs() if notebook_path(slug).exists()]


def pages() -> list[Path]:
    """The README, and every page of the book that is text only."""
    listed = re.findall(
        r"^\s*-?\s*(?:root|file):\s*(\S+)",
        (ROOT / "_toc.yml").read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )
    candidates = [ROOT / "README.md", *(ROOT / f"{name}.md" for name in listed)]
    return [path for path in candidates if path.exists()]


@pytest.fixture(scope="module")
def whole_book() -> list[Number]:
    return [number for slug in EXECUTED for number in evidence_in(read_notebook(slug))]


@pytest.mark.parametrize("slug", EXECUTED)
def test_numbers_of_a_chapter(slug: str) -> None:
    assert unbacked_in_notebook(read_notebook(slug)) == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_numbers_of_a_page(page: Path, whole_book: list[Number]) -> None:
    """A page without cells may quote any chapter."""
    offenders = unbacked(page.read_text(encoding="utf-8"), whole_book)
    assert [f'{number.text} in "{number.context}"' for number in offenders] == []


def planted_bugs() -> dict[str, str]:
    """What a network reads with each bug of chapter 8, as the chapter's own table says."""
    for cell in read_notebook("08_checking_gradients").cells:
        for output in cell.get("outputs", []):
            heading, _, rows = output.get("text", "").partition("accuracy\n")
            if heading.startswith("bug "):
                return dict(re.findall(r"^(\S.*?)  +.* (\S+)$", rows, flags=re.MULTILINE))
    raise AssertionError("chapter 8 has no table of planted bugs")


def test_the_first_page_says_of_planted_bugs_what_the_chapter_finds() -> None:
    accuracy = planted_bugs()
    right = float(accuracy.pop("none"))
    read = sorted(float(a) for a in accuracy.values() if a[0] == "0" and float(a) > 0.9)
    assert (len(accuracy), len(read), read[0], read[-1]) == (13, 6, 0.93, right)
    page = " ".join((ROOT / "intro.md").read_text(encoding="utf-8").split())
    assert "thirteen mistakes are planted" in page
    assert "with six of them it still reads between 93 and 97 in a hundred" in page
