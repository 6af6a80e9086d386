"""Show the live figures of chapters on other pages, and list them all.

* ``{live} 07_hand_trace trace`` puts the figure ``trace`` of that chapter onto a page;
* ``{live-gallery}`` lists every live figure of the book with its description.

Both read the chapters' stored outputs, as the build has read them already. So each figure has one
source, a chapter's notebook, and whatever compares that notebook has compared the figure.
"""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.osutil import relative_uri

if TYPE_CHECKING:
    from collections.abc import Callable

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

CHAPTER = re.compile(r"chapters/(\d\d_[^/]*)")
# Where each figure lies alone (book_share.py).
FOLDER = "figure"
# What backprop_lib.live.LiveFigure.to_html writes; its state holds no quote and no angle bracket.
OPENING = re.compile(
    r'<div class="live" id="(?P<name>[^"]+)" data-live="(?P<kind>[^"]+)" '
    r"data-state='(?P<state>[^']*)'>"
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Figure:
    """A live figure as a chapter has it."""

    docname: str
    section: nodes.section
    name: str
    kind: str
    alt: str
    source: str


class LiveRequest(nodes.General, nodes.Element):
    """Stands for one figure until all chapters have been read."""


class GalleryRequest(nodes.General, nodes.Element):
    """Stands for the list of figures until all chapters have been read."""


class Live(SphinxDirective):
    """One figure: the chapter's file name and the figure's name."""

    required_arguments: ClassVar[int] = 2

    def run(self) -> list[nodes.Node]:
        """Leave a request; the page is read again in each build, as the chapter may change."""
        self.env.note_reread()
        request = LiveRequest(chapter=self.arguments[0], figure=self.arguments[1])
        self.set_source_info(request)
        return [request]


class LiveGallery(SphinxDirective):
    """All figures, in the order of the chapters."""

    option_spec: ClassVar[dict[str, Callable[[str], Any]]] = {"class": directives.class_option}

    def run(self) -> list[nodes.Node]:
        """Leave a request; the page is read again in each build, as chapters may change."""
        self.env.note_reread()
        return [GalleryRequest(classes=self.options.get("class", []))]


def chapters(env: BuildEnvironment) -> list[str]:
    """The chapters of this build, by number."""
    return sorted(docname for docname in env.found_docs if CHAPTER.fullmatch(docname))


def _section_of(node: nodes.Node) -> nodes.section:
    while not isinstance(node, nodes.section):
        node = node.parent
    return node


def figures_of(env: BuildEnvironment, docname: str) -> list[Figure]:
    """The live figures of a chapter, in its order."""
    found = []
    for raw in env.get_doctree(docname).findall(nodes.raw):
        source = raw.astext()
        if opening := OPENING.search(source):
            alt = json.loads(html.unescape(opening["state"]))["alt"]
            section = _section_of(raw)
            names = (opening["name"], opening["kind"])
            found.append(Figure(docname, section, *names, alt=alt, source=source))
    return found


def find(env: BuildEnvironment, chapter: str, name: str) -> Figure | str:
    """The figure, or one sentence that says what there is instead."""
    docname = f"chapters/{chapter}"
    if docname not in chapters(env):
        known = ", ".join(other.removeprefix("chapters/") for other in chapters(env))
        return f"there is no chapter {chapter!r} in this book, only: {known or 'none'}"
    figures = figures_of(env, docname)
    for figure in figures:
        if figure.name == name:
            return figure
    known = ", ".join(figure.name for figure in figures)
    return f"chapter {chapter} has no live figure {name!r}, only: {known or 'none'}"


def own_address(chapter: str, name: str) -> str:
    """Where in the site a figure of a chapter lies alone, as a page or as a file."""
    return f"{FOLDER}/{chapter.removeprefix('chapters/')}/{name}"


def put_figures(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Replace each request for one figure by the figure, or by nothing and a warning."""
    taken = {name for element in doctree.findall(nodes.Element) for name in element.get("ids", [])}
    for raw in doctree.findall(nodes.raw):
        if opening := OPENING.search(raw.astext()):
            taken.add(opening["name"])
    for request in list(doctree.findall(LiveRequest)):
        figure = find(app.env, request["chapter"], request["figure"])
        if isinstance(figure, Figure) and figure.name in taken:
            figure = f"the page already has something called {figure.name!r}; names are used once"
        if isinstance(figure, str):
            logger.warning(figure, location=request)
            request.parent.remove(request)
            continue
        taken.add(figure.name)
        request.replace_self(nodes.raw("", figure.source, format="html"))


def _link(app: Sphinx, docname: str, figure: Figure) -> nodes.reference:
    """Chapter and section, leading to the section."""
    anchor = figure.section["ids"][0]
    address = f"{app.builder.get_relative_uri(docname, figure.docname)}#{anchor}"
    number = int(figure.docname.removeprefix("chapters/")[:2])
    chapter = app.env.titles[figure.docname].astext()
    heading = figure.section.next_node(nodes.title).astext()
    text = f"{number}. {chapter}: {heading}"
    return nodes.reference("", text, internal=True, refuri=address)


def from_page(app: Sphinx, docname: str, address: str) -> str:
    """An address in the site as a page needs it."""
    return relative_uri(app.builder.get_target_uri(docname), address)


def _item(app: Sphinx, docname: str, figure: Figure) -> nodes.definition_list_item:
    kind = nodes.Text(f" ({figure.kind}), ")
    alone = f"{own_address(figure.docname, figure.name)}.html"
    page = nodes.reference("", "alone", internal=True, refuri=from_page(app, docname, alone))
    term = nodes.term("", "", _link(app, docname, figure), kind, page)
    description = nodes.definition("", nodes.paragraph("", figure.alt))
    return nodes.definition_list_item("", term, description)


def put_gallery(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Replace the request for the gallery by the list, or by nothing where the book has none."""
    requests = list(doctree.findall(GalleryRequest))
    if not requests:
        return
    figures = [figure for chapter in chapters(app.env) for figure in figures_of(app.env, chapter)]
    for request in requests:
        items = [_item(app, docname, figure) for figure in figures]
        gallery = nodes.definition_list("", *items, classes=["live-gallery", *request["classes"]])
        request.replace_self([gallery] if items else [])


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directives; what they ask for is put in when every chapter has been read."""
    app.add_node(LiveRequest)
    app.add_node(GalleryRequest)
    app.add_directive("live", Live)
    app.add_directive("live-gallery", LiveGallery)
    app.connect("doctree-resolved", put_figures)
    app.connect("doctree-resolved", put_gallery)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
