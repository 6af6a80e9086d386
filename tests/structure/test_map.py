"""The map on the first page shows the chapters of the book, in its parts and by their titles."""

from __future__ import annotations

import re

import yaml

from tools import book_map
from tools.notebooks import slugs, source_path

CONTENTS = yaml.safe_load((book_map.ROOT / "_toc.yml").read_text(encoding="utf-8"))


def test_the_map_is_drawn_from_its_chapters() -> None:
    drawn = book_map.draw()
    assert book_map.MAP.read_text(encoding="utf-8") == drawn, "run: python -m tools.book_map"


def test_the_map_has_the_parts_and_chapters_of_the_contents() -> None:
    parts = {}
    for part in CONTENTS["parts"]:
        files = [entry["file"] for entry in part["chapters"]]
        parts[part["caption"]] = tuple(
            name.removeprefix("chapters/") for name in files if name.startswith("chapters/")
        )
    assert parts == book_map.PARTS
    assert [slug for part in parts.values() for slug in part] == slugs() == [*book_map.TITLES]


def test_the_map_names_a_chapter_as_the_chapter_names_itself() -> None:
    for slug, title in book_map.TITLES.items():
        heading = re.search(
            r"^# (.+)$", source_path(slug).read_text(encoding="utf-8"), re.MULTILINE
        )
        assert heading is not None, slug
        assert heading[1] == title
