"""Let figures travel: each has an address of its own, which says what it is.

* ``figure/07_hand_trace/fig-given.svg`` is a figure as a file; title, description, source and
  licence stand inside, so they go where it goes;
* ``figure/07_hand_trace/neuron.html`` is a live figure alone, for a frame in slides or on the page
  of a course. Opened by itself it shows the code for the frame.

The lists of figures link to both.
"""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from book_live import FOLDER, chapters, figures_of, own_address
from docutils import nodes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

BOOK = "Backpropagation, Every Number Checked"
LICENCE = "CC BY 4.0"
LICENCE_ADDRESS = "https://creativecommons.org/licenses/by/4.0/"
SVG_OPENING = re.compile(r"<svg\b[^>]*(?=>)")
# How matplotlib says that lines have round corners: a style sheet, which servers may forbid.
LINES = re.compile(r"\s*<style[^>]*>\*\{stroke-linejoin: round; stroke-linecap: butt\}</style>")


def numbered(env: BuildEnvironment, chapter: str) -> Iterator[tuple[str, str, nodes.figure]]:
    """Name, number ("Figure 7.1") and node of every figure with a caption."""
    numbers = env.toc_fignumbers.get(chapter, {}).get("figure", {})
    for figure in env.get_doctree(chapter).findall(nodes.figure):
        name = next((name for name in figure["ids"] if name in numbers), None)
        if name is not None and figure.next_node(nodes.caption) is not None:
            yield name, f"Figure {'.'.join(map(str, numbers[name]))}", figure


def file_name(name: str, figure: nodes.figure) -> str:
    """The name of the figure's file: its own, with the kind of its picture."""
    return name + Path(figure.next_node(nodes.image)["uri"]).suffix


def title_of(env: BuildEnvironment, chapter: str) -> str:
    """'chapter 7, The hand trace'."""
    number = int(chapter.removeprefix("chapters/")[:2])
    return f"chapter {number}, {env.titles[chapter].astext()}"


# --- Figures as files -----------------------------------------------------------------------------


def labelled(svg: str, title: str, description: str) -> str:
    """A drawing that says what it is, to people and to machines, and brings no style sheet."""
    inside = f">\n<title>{html.escape(title)}</title>\n<desc>{html.escape(description)}</desc"
    if LINES.search(svg):
        inside = f' stroke-linejoin="round" stroke-linecap="butt"{inside}'
    svg = SVG_OPENING.sub(lambda opening: opening[0] + inside, LINES.sub("", svg), count=1)
    licence = f'<cc:license rdf:resource="{LICENCE_ADDRESS}"/>'
    return svg.replace("</cc:Work>", f" {licence}\n   </cc:Work>")


def write_file(source: Path, target: Path, title: str, description: str) -> None:
    """Copy a picture; a drawing gets its label."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix == ".svg":
        text = labelled(source.read_text(encoding="utf-8"), title, description)
        target.write_text(text, encoding="utf-8")
    else:
        shutil.copyfile(source, target)


def write_files(app: Sphinx, exception: Exception | None) -> None:
    """Write every figure of every chapter."""
    if exception is not None or app.builder.name != "html":
        return
    for chapter in chapters(app.env):
        for name, number, figure in numbered(app.env, chapter):
            image = figure.next_node(nodes.image)
            caption = figure.next_node(nodes.caption).astext()
            source = f"{number} of {BOOK}, {title_of(app.env, chapter)}. {LICENCE}."
            target = Path(app.outdir) / own_address(chapter, file_name(name, figure))
            picture = Path(app.srcdir) / image["uri"]
            write_file(picture, target, f"{number}: {caption}", f"{image.get('alt', '')} {source}")


# --- Live figures as pages ------------------------------------------------------------------------


def make_pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """A page for every live figure."""
    for chapter in chapters(app.env):
        for figure in figures_of(app.env, chapter):
            context = {
                "figure": figure,
                "where": title_of(app.env, chapter),
                "book": BOOK,
                "licence": LICENCE,
                "licence_address": LICENCE_ADDRESS,
            }
            yield own_address(chapter, figure.name), context, "figure.html"


def forget_old(app: Sphinx) -> None:
    """Leave no figure behind that a chapter has no more."""
    if app.builder.name == "html":
        shutil.rmtree(Path(app.outdir) / FOLDER, ignore_errors=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Write files and pages when the chapters' pages have been written."""
    app.connect("builder-inited", forget_old)
    app.connect("html-collect-pages", make_pages)
    app.connect("build-finished", write_files)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
