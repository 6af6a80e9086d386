"""List every figure of the book by chapter: ``{book-figures}``.

Numbers and captions are those of the chapters as the build has read them. Each line leads to its
figure and to the figure's file. Figures that move stand behind the others of their chapter, by
name.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from book_live import chapters, figures_of, from_page, own_address
from book_share import file_name, numbered
from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx


class FiguresRequest(nodes.General, nodes.Element):
    """Stands for the list until all chapters have been read."""


class Figures(SphinxDirective):
    """All figures, in the order of the chapters."""

    def run(self) -> list[nodes.Node]:
        """Leave a request; the page is read again in each build, as chapters may change."""
        self.env.note_reread()
        return [FiguresRequest()]


def _caption(figure: nodes.figure) -> list[nodes.Node]:
    """The caption's text and formulas; its links, which hold on its own page only, become text."""
    caption = figure.next_node(nodes.caption).deepcopy()
    for link in [*caption.findall(addnodes.pending_xref), *caption.findall(nodes.reference)]:
        link.replace_self(nodes.Text(link.astext()))
    return list(caption.children)


def _figures(app: Sphinx, docname: str, chapter: str) -> list[nodes.list_item]:
    address = app.builder.get_relative_uri(docname, chapter)
    items = []
    for name, label, figure in numbered(app.env, chapter):
        link = nodes.reference("", label, internal=True, refuri=f"{address}#{name}")
        file = from_page(app, docname, own_address(chapter, file_name(name, figure)))
        kind = Path(file).suffix.removeprefix(".").upper()
        parts = [nodes.Text(": "), *_caption(figure), nodes.Text(" ")]
        line = nodes.paragraph("", "", link, *parts, nodes.reference("", kind, refuri=file))
        items.append(nodes.list_item("", line))
    return items


def _moving(app: Sphinx, docname: str, chapter: str) -> list[nodes.paragraph]:
    address = app.builder.get_relative_uri(docname, chapter)
    parts: list[nodes.Node] = []
    for figure in figures_of(app.env, chapter):
        link = nodes.reference("", figure.name, internal=True, refuri=f"{address}#{figure.name}")
        parts += [nodes.Text(", " if parts else "Figures that move: ")]
        parts += [link, nodes.Text(f" ({figure.kind})")]
    return [nodes.paragraph("", "", *parts, nodes.Text("."))] if parts else []


def _chapter(app: Sphinx, docname: str, chapter: str) -> list[nodes.Node]:
    """One chapter's figures under its title; nothing for a chapter without any."""
    items, moving = _figures(app, docname, chapter), _moving(app, docname, chapter)
    if not items and not moving:
        return []
    number = int(chapter.removeprefix("chapters/")[:2])
    title = nodes.title("", f"{number}. {app.env.titles[chapter].astext()}")
    still = [nodes.bullet_list("", *items, classes=["book-figures"])] if items else []
    return [nodes.section("", title, *still, *moving, ids=[f"figures-of-chapter-{number}"])]


def put_list(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Replace the request by the list."""
    for request in list(doctree.findall(FiguresRequest)):
        sections = [part for name in chapters(app.env) for part in _chapter(app, docname, name)]
        request.parent.replace(request, sections)


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directive; the list is put in when every chapter has been read."""
    app.add_node(FiguresRequest)
    app.add_directive("book-figures", Figures)
    app.connect("doctree-resolved", put_list)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
