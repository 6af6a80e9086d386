"""The map on the first page shows the chapters that are there."""

from __future__ import annotations

import re

from tools import book_map


def test_the_map_is_drawn_from_the_chapters_that_exist() -> None:
    drawn = book_map.draw(book_map.finished_chapters())
    assert book_map.MAP.read_text(encoding="utf-8") == drawn, "run: python -m tools.book_map"


def test_every_chapter_has_its_place_and_its_title_on_the_map() -> None:
    planned = [slug for slugs in book_map.PARTS.values() for slug in slugs]
    assert planned == sorted(book_map.TITLES)
    assert book_map.finished_chapters() <= set(planned)


def test_the_map_names_a_chapter_as_the_chapter_names_itself() -> None:
    for slug in sorted(book_map.finished_chapters()):
        source = (book_map.ROOT / "sources" / f"{slug}.md").read_text(encoding="utf-8")
        title = re.search(r"^# (.+)$", source, re.MULTILINE)
        assert title is not None, slug
        assert title[1] == book_map.TITLES[slug]
