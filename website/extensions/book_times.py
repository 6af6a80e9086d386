"""Say under the title of a chapter how long it takes to read, and to run.

Reading is estimated from what the page shows: running text at a reader's usual pace, a moment for
each line of code or output, and a pause for each thing to look at. Running was measured
(tools/run_times.py).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from book_numbers import CHAPTER
from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx

RUN_TIMES = Path("website") / "run_times.json"
WORDS_A_MINUTE = 200
SECONDS_A_LINE = 2
SECONDS_A_SIGHT = 15
STEP = 5

# A live figure or a form is raw HTML.
SIGHTS = (nodes.math_block, nodes.image, nodes.table, nodes.raw)
FOLDED = {"dropdown", "tag_hide-cell"}


def seconds_to_read(node: nodes.Node) -> float:
    """An estimate for a node and what it holds, without what is folded until a reader asks."""
    if isinstance(node, nodes.Element) and set(node["classes"]) & FOLDED:
        return 0
    if isinstance(node, nodes.literal_block):
        return SECONDS_A_LINE * sum(bool(line.strip()) for line in node.astext().splitlines())
    if isinstance(node, SIGHTS):
        return SECONDS_A_SIGHT
    if isinstance(node, nodes.Text):
        return 60 * len(node.split()) / WORDS_A_MINUTE
    shown = node.children[1:] if _has_folded_input(node) else node.children
    return sum(map(seconds_to_read, shown))


def _has_folded_input(node: nodes.Node) -> bool:
    """Whether this is a cell of which only the output is seen, the second of its two parts."""
    return isinstance(node, nodes.Element) and "tag_hide-input" in node["classes"]


def minutes_to_read(doctree: nodes.document) -> int:
    """The estimate in steps of five minutes, at least one step."""
    return max(STEP, STEP * round(seconds_to_read(doctree) / 60 / STEP))


def add_times(app: Sphinx, doctree: nodes.document) -> None:
    """Write the line under the title of a chapter."""
    docname = app.env.docname
    file = Path(app.srcdir) / RUN_TIMES
    title = next(doctree.findall(nodes.title), None)
    if title is None or not CHAPTER.search(docname):
        return
    app.env.note_dependency(str(file))
    said = f"About {minutes_to_read(doctree)} minutes to read"
    seconds = json.loads(file.read_text(encoding="utf-8")).get(Path(docname).name)
    if seconds is not None:
        said += f"; runs in {seconds} s on one core" if seconds > 1 else "; runs in a second"
    line = nodes.container("", nodes.paragraph("", f"{said}."), classes=["book-times"])
    title.parent.insert(title.parent.index(title) + 1, line)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect it to every page as it is read."""
    app.connect("doctree-read", add_times)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
