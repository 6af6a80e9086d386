"""Number chapters by their file names: ``chapters/07_hand_trace`` is chapter 7, always.

Sphinx numbers pages by their place in the table of contents, so a chapter added in front would
renumber the rest, and references in prose or docstrings ("chapter 6") would rot. Here the number
is part of the name. Its sections are 7.1, 7.2 and so on; figures and equations follow.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx import addnodes
from sphinx.environment.collectors.toctree import TocTreeCollector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

CHAPTER = re.compile(r"(?:^|/)(\d\d)_[^/]*$")
DEPTH = 2

Number = tuple[int, ...]


def _entries(
    toc: nodes.Element, prefix: Number, first: int, depth: int
) -> Iterator[tuple[nodes.reference, Number]]:
    """Every heading of a page with its number; below DEPTH it is empty, as Sphinx has it."""
    items = (child for child in toc.children if isinstance(child, nodes.list_item))
    for position, item in enumerate(items, start=first):
        number = (*prefix, position) if depth <= DEPTH else ()
        for child in item.children:
            if isinstance(child, addnodes.compact_paragraph):
                yield child[0], number
            elif isinstance(child, nodes.bullet_list):
                yield from _entries(child, number, first=1, depth=depth + 1)


def number_chapters(self: TocTreeCollector, env: BuildEnvironment) -> list[str]:
    """Give chapters and their sections their numbers; return the pages whose numbers changed."""
    old_numbers = env.toc_secnumbers
    env.toc_secnumbers = {}
    changed = []
    for docname, toc in env.tocs.items():
        chapter = CHAPTER.search(docname)
        if chapter is None:
            continue
        numbers = {}
        for reference, number in _entries(toc, prefix=(), first=int(chapter[1]), depth=1):
            reference["secnumber"] = list(number) or None
            numbers[reference["anchorname"]] = number
        env.toc_secnumbers[docname] = numbers
        env.titles[docname]["secnumber"] = [int(chapter[1])]
        if numbers != old_numbers.get(docname):
            changed.append(docname)
    return changed


def setup(app: Sphinx) -> dict[str, Any]:
    """Replace Sphinx's own numbering, and the variant of sphinx-external-toc, if present.

    Neither offers a setting for it.
    """
    for collector in (TocTreeCollector, *TocTreeCollector.__subclasses__()):
        collector.assign_section_numbers = number_chapters
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
