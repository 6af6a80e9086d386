"""What a teacher fills in: addresses that name the repository, a link for a hub, a citation.

* ``{with-repository}`` shows its text as it stands, with REPOSITORY, BRANCH and FOLDER filled in
  where the build knows them;
* ``{hub-link}`` is a form that makes the link with which a JupyterHub opens a chapter;
* ``{book-citation}`` shows CITATION.cff as a sentence and as BibTeX.
"""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from book_live import chapters
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

CITATION = "CITATION.cff"
KEY = "backpropagation-every-number-checked"


def filled_in(text: str, repository: Any) -> str:
    """The text with what is known of the repository."""
    if repository is None:
        return text
    folder = repository.url.rpartition("/")[2]
    known = {"REPOSITORY": repository.url, "BRANCH": repository.branch, "FOLDER": folder}
    for word, value in known.items():
        text = text.replace(word, value)
    return text


class WithRepository(SphinxDirective):
    """A literal block that knows the repository."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Fill in what this build knows; the page is read again in each, as that may change."""
        self.env.note_reread()
        text = filled_in("\n".join(self.content), self.config.book_repository)
        return [nodes.literal_block(text, text, language="text", classes=["book-wrapped"])]


# --- The link for a hub ---------------------------------------------------------------------------


class HubRequest(nodes.General, nodes.Element):
    """Stands for the form until all chapters have been read."""


class HubLink(SphinxDirective):
    """A form for the hub's address, the repository's, and the chapter."""

    def run(self) -> list[nodes.Node]:
        """Leave a request; the page is read again in each build, as chapters may change."""
        self.env.note_reread()
        return [HubRequest()]


def _field(label: str, name: str, value: str = "", hint: str = "") -> str:
    shown = f'value="{html.escape(value)}" placeholder="{html.escape(hint)}"'
    entry = f'<input name="{name}" {shown} autocomplete="off" spellcheck="false" />'
    return f"<label><span>{label}</span> {entry}</label>\n"


def form(titles: dict[str, str], repository: Any) -> str:
    """The form; `titles` are those of the chapters by their path."""
    options = "".join(
        f'<option value="{html.escape(name)}.ipynb">{html.escape(title)}</option>'
        for name, title in titles.items()
    )
    url, branch = (repository.url, repository.branch) if repository else ("", "main")
    return (
        '<form class="book-hub pst-js-only" id="hub-link">\n'
        + _field("Address of the hub", "hub", hint="https://hub.example.org")
        + _field("Repository", "repository", url, "https://github.com/owner/book")
        + _field("Branch", "branch", branch)
        + f'<label><span>Chapter</span> <select name="notebook">{options}</select></label>\n'
        + '<p class="book-hub__link"><output name="link"></output></p>\n</form>'
    )


def put_form(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Replace the request by the form."""
    for request in list(doctree.findall(HubRequest)):
        titles = {
            name: f"{int(name.removeprefix('chapters/')[:2])}. {app.env.titles[name].astext()}"
            for name in chapters(app.env)
        }
        written = form(titles, app.config.book_repository)
        request.replace_self(nodes.raw("", written, format="html"))


# --- The citation ---------------------------------------------------------------------------------


def sentence(work: dict[str, Any], address: str) -> str:
    """The work as a list of references names it."""
    authors = ", ".join(author["name"] for author in work["authors"])
    year = str(work["date-released"])[:4]
    parts = [f"{authors} ({year}). {work['title']}, version {work['version']}", address]
    return ". ".join(part for part in parts if part) + "."


def bibtex(work: dict[str, Any], address: str) -> str:
    """The work as BibTeX: names in braces of their own, as they are no first and last names."""
    fields = {
        "author": " and ".join(f"{{{author['name']}}}" for author in work["authors"]),
        "title": f"{{{work['title']}}}",
        "year": str(work["date-released"])[:4],
        "version": str(work["version"]),
        "url": address,
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@misc{{{KEY},", *lines, "}"])


class Citation(SphinxDirective):
    """How to cite the book."""

    def run(self) -> list[nodes.Node]:
        """Read the file anew in each build, as the repository may change, too."""
        self.env.note_reread()
        path = Path(self.env.srcdir) / CITATION
        work = yaml.safe_load(path.read_text(encoding="utf-8"))
        address = self.config.book_repository.url if self.config.book_repository else ""
        entry = bibtex(work, address)
        cited = nodes.paragraph("", sentence(work, address))
        return [nodes.block_quote("", cited), nodes.literal_block(entry, entry, language="bibtex")]


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directives; the form is put in when every chapter has been read."""
    app.add_node(HubRequest)
    app.add_directive("with-repository", WithRepository)
    app.add_directive("hub-link", HubLink)
    app.add_directive("book-citation", Citation)
    app.connect("doctree-resolved", put_form)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
