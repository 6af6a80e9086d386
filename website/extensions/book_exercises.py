"""List every exercise of the library with its place in the book: ``{exercise-index}``.

What there is comes from ``backprop_lib.exercises``; where it stands comes from the chapters as the
build has read them. An exercise that no chapter of this build holds is listed without a link, as
one for a notebook: no form can judge it.
"""

from __future__ import annotations

import html
import importlib
import re
from itertools import groupby
from typing import TYPE_CHECKING, Any

from book_live import chapters
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sphinx.application import Sphinx

FORM = re.compile(r'<div class="exercise" id="([^"]+)" data-live="form"')
CONTROLS = (
    '<div class="exercise" id="progress" data-live="progress" data-state="{}">\n'
    "<p>Results are kept by your browser, which needs scripts for it.</p>\n</div>"
)
KINDS = {
    "numbers": "numbers",
    "words": "words",
    "choice": "choose",
    "function": "write a function",
}


class IndexRequest(nodes.General, nodes.Element):
    """Stands for the list until all chapters have been read."""


class ExerciseIndex(SphinxDirective):
    """All exercises, in the order of the chapters."""

    def run(self) -> list[nodes.Node]:
        """Leave a request; the page is read again in each build, as chapters may change."""
        self.env.note_reread()
        return [IndexRequest()]


def places(app: Sphinx) -> dict[str, str]:
    """The chapter in which each form stands, by the form's id."""
    return {
        name: docname
        for docname in chapters(app.env)
        for raw in app.env.get_doctree(docname).findall(nodes.raw)
        for name in FORM.findall(raw.astext())
    }


def _item(app: Sphinx, docname: str, exercise: Any, question: str, where: str) -> nodes.list_item:
    name = nodes.literal("", exercise.name)
    kind, what = exercise.kind, KINDS[exercise.kind]
    if where:
        address = f"{app.builder.get_relative_uri(docname, where)}#exercise-{exercise.name}"
        link: nodes.Node = nodes.reference("", "", name, internal=True, refuri=address)
    else:
        kind, what, link = "notebook", f"{what}, in a notebook", name
    escaped = html.escape(exercise.name, quote=True)
    state = nodes.raw(
        "",
        f' <b class="exercise-state" data-exercise="{escaped}" data-kind="{kind}"></b>',
        format="html",
    )
    heading = nodes.paragraph("", "", link, nodes.Text(f" ({what})"), state)
    return nodes.list_item("", heading, nodes.paragraph("", question))


def _chapter(app: Sphinx, docname: str, number: str, exercises: Iterable[Any]) -> nodes.section:
    """One chapter's exercises under its title."""
    desk = importlib.import_module("backprop_lib.exercises")
    found = places(app)
    titles = {name: app.env.titles[name].astext() for name in chapters(app.env)}
    ours = [title for name, title in titles.items() if name.startswith(f"chapters/{number}_")]
    heading = f"{int(number)}. {ours[0]}" if ours else f"Chapter {int(number)}"
    items = [
        _item(app, docname, e, str(desk.question(e.name)), found.get(f"exercise-{e.name}", ""))
        for e in exercises
    ]
    body = nodes.bullet_list("", *items, classes=["exercise-list"])
    return nodes.section("", nodes.title("", heading), body, ids=[f"chapter-{number}"])


def _overview(sections: list[nodes.section]) -> nodes.bullet_list:
    """A link to each chapter's exercises, with their number; the page's script says more."""
    items = []
    for section in sections:
        place = section["ids"][0]
        count = f'<span data-chapter="{place}">{len(section[1])} exercises</span>'
        link = nodes.reference("", section[0].astext(), internal=True, refid=place)
        line = nodes.paragraph("", "", link, nodes.Text(" "), nodes.raw("", count, format="html"))
        items.append(nodes.list_item("", line))
    return nodes.bullet_list("", *items, classes=["exercise-chapters"])


def put_index(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Replace the request by the reader's controls, an overview and the list."""
    requests = list(doctree.findall(IndexRequest))
    if not requests:
        return
    known = importlib.import_module("backprop_lib.exercises").EXERCISES.values()
    in_order = sorted(known, key=lambda exercise: exercise.name[:2])
    for request in requests:
        sections = [
            _chapter(app, docname, number, exercises)
            for number, exercises in groupby(in_order, key=lambda exercise: exercise.name[:2])
        ]
        controls = nodes.raw("", CONTROLS, format="html")
        request.replace_self([controls, _overview(sections), *sections])


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directive; the list is put in when every chapter has been read."""
    app.add_node(IndexRequest)
    app.add_directive("exercise-index", ExerciseIndex)
    app.connect("doctree-resolved", put_index)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
