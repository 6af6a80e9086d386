"""The bibliography: one list, ``references.bib``, tied to the chapters in both directions.

Each chapter ends with *Where it came from*, where works are named in prose: "F. Rosenblatt, *The
perceptron* ..., (1958)". A work of the list is recognised there by the name of its first author and
its year, and by its title where that is not enough. On the chapter's page the year becomes a link
to the entry; on the bibliography's page, ``{book-bibliography}``, the entry says which chapters
name it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from book_live import chapters
from docutils import nodes
from pybtex.database import parse_string
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

PAGE = "bibliography"
FILE = "references.bib"
SECTION = "where it came from"
MOST_AUTHORS = 6
OTHERS = "others"  # BibTeX's word for authors that are not listed
SHOWN_OF_MANY = 3
WORDS_OF_A_TITLE = 2
DOI = "https://doi.org/"


@dataclass(frozen=True)
class Work:
    """One entry of the list."""

    key: str
    authors: tuple[str, ...]
    surname: str
    years: tuple[str, ...]
    title: str
    venue: str
    address: str

    @property
    def anchor(self) -> str:
        """The entry's place on the page."""
        return f"ref-{self.key}"

    @property
    def opening(self) -> str:
        """The first words of the title, as one compares them."""
        return " ".join(_words(self.title)[:WORDS_OF_A_TITLE])


# --- Reading the list -----------------------------------------------------------------------------


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _place_and_volume(entry: Any) -> str:
    """The journal, or the book that a work is a part of."""
    fields = entry.fields
    place = f"in {fields['booktitle']}" if "booktitle" in fields else fields.get("journal", "")
    if volume := fields.get("volume"):
        place += ", volume " if entry.type == "incollection" else " "
        place += volume + (f"({fields['number']})" if "number" in fields else "")
    return str(place)


def _venue(entry: Any) -> str:
    """Where the work appeared: journal with volume, number and pages, or book, or house."""
    fields = entry.fields
    names = ("edition", "publisher", "school", "howpublished")
    parts = [_place_and_volume(entry), *(fields.get(name, "") for name in names)]
    if pages := fields.get("pages"):
        parts.append(pages.replace("--", "\N{EN DASH}"))
    return ", ".join(part for part in parts if part)


def _work(key: str, entry: Any) -> Work:
    fields = entry.fields
    people = entry.persons["author"]
    authors = tuple(" ".join([*p.first_names, *p.middle_names, *p.last_names]) for p in people)
    address = DOI + fields["doi"] if "doi" in fields else fields.get("url", "")
    years = (fields["year"], *fields.get("presented", "").split())
    surname = people[0].last_names[0]
    return Work(key, authors, surname, years, fields["title"], _venue(entry), address)


@cache
def parse(text: str) -> tuple[Work, ...]:
    """The works of a BibTeX file by their first author, then by year."""
    found = parse_string(text, "bibtex").entries.items()
    works = [_work(key, entry) for key, entry in found]
    return tuple(sorted(works, key=lambda work: (work.surname.casefold(), work.years[0])))


def _path(env: BuildEnvironment) -> Path:
    return Path(env.srcdir) / FILE


def read(env: BuildEnvironment) -> tuple[Work, ...]:
    """The works that the book lists."""
    return parse(_path(env).read_text(encoding="utf-8")) if _path(env).exists() else ()


# --- Recognising a work in a chapter --------------------------------------------------------------


def _year(year: str) -> re.Pattern[str]:
    """A year, but no page number of a range."""
    return re.compile(rf"(?<![\d\N{{EN DASH}}-]){year}(?![\d\N{{EN DASH}}-])")


def _place(work: Work, text: str) -> tuple[int, int] | None:
    """Where the text names the year of a work, behind the name of its first author."""
    name = re.search(rf"\b[A-Z]\w?\.\s?{re.escape(work.surname)}\b", text)
    if name is None:
        return None
    for year in work.years:
        if found := _year(year).search(text, name.end()):
            return found.span()
    return None


def cited(works: tuple[Work, ...], text: str) -> Iterator[tuple[Work, tuple[int, int]]]:
    """The works that a paragraph names, each with the place of its year."""
    places = {work: place for work in works if (place := _place(work, text))}
    said = " ".join(_words(text))
    for work, place in places.items():
        twins = [other for other in places if other.surname == work.surname and other != work]
        twins = [other for other in twins if set(other.years) & set(work.years)]
        if not twins or work.opening in said:
            yield work, place


def sources(document: nodes.document) -> list[nodes.paragraph]:
    """The paragraphs of the section that names the sources."""
    return [
        paragraph
        for section in document.findall(nodes.section)
        if section.next_node(nodes.title).astext().strip().lower() == SECTION
        for paragraph in section.findall(nodes.paragraph)
    ]


class LinkWorks(SphinxPostTransform):
    """Turn the years of the works that a chapter names into links."""

    default_priority = 150
    formats: ClassVar[tuple[str, ...]] = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Go through the chapter's sources."""
        docname = self.env.docname
        if PAGE not in self.env.found_docs or docname not in chapters(self.env):
            return
        page = self.app.builder.get_relative_uri(docname, PAGE)
        for paragraph in sources(self.document):
            # From the last to the first, so that places in front stay where they are.
            found = sorted(cited(read(self.env), paragraph.astext()), key=lambda pair: pair[1])
            for work, place in reversed(found):
                _link(paragraph, place, f"{page}#{work.anchor}")


def _link(paragraph: nodes.paragraph, place: tuple[int, int], address: str) -> None:
    """Turn a stretch of a paragraph's text into a link."""
    start = 0
    for text in list(paragraph.findall(nodes.Text)):
        end = start + len(text)
        if start <= place[0] and place[1] <= end and not isinstance(text.parent, nodes.reference):
            whole, first, last = str(text), place[0] - start, place[1] - start
            link = nodes.reference("", whole[first:last], internal=True, refuri=address)
            pieces = [nodes.Text(whole[:first]), link, nodes.Text(whole[last:])]
            text.parent.replace(text, pieces)
            return
        start = end


# --- The page -------------------------------------------------------------------------------------


class BibliographyRequest(nodes.General, nodes.Element):
    """Stands for the list until all chapters have been read."""


class Bibliography(SphinxDirective):
    """Every work, with the chapters that name it."""

    def run(self) -> list[nodes.Node]:
        """Leave a request; the page is read again in each build, as chapters may change."""
        self.env.note_reread()
        self.env.note_dependency(str(_path(self.env)))
        return [BibliographyRequest()]


def citations(env: BuildEnvironment) -> dict[str, list[str]]:
    """The chapters that name a work, by the work's key."""
    found: dict[str, list[str]] = {}
    for chapter in chapters(env):
        for paragraph in sources(env.get_doctree(chapter)):
            for work, _ in cited(read(env), paragraph.astext()):
                known = found.setdefault(work.key, [])
                known += [] if chapter in known else [chapter]
    return found


def _authors(work: Work) -> str:
    known = [name for name in work.authors if name != OTHERS]
    if len(known) < len(work.authors) or len(known) > MOST_AUTHORS:
        return ", ".join(known[:SHOWN_OF_MANY]) + " and others"
    return ", ".join(known)


def _cited_in(app: Sphinx, docname: str, where: list[str]) -> list[nodes.Node]:
    """'Named in chapters 1, 4', the numbers as links; nothing for a work that no chapter names."""
    if not where:
        return []
    links: list[nodes.Node] = []
    for chapter in where:
        number = str(int(chapter.removeprefix("chapters/")[:2]))
        address = f"{app.builder.get_relative_uri(docname, chapter)}#where-it-came-from"
        link = nodes.reference("", number, internal=True, refuri=address)
        links += [nodes.Text(", " if links else ""), link]
    words = f" Named in chapter{'s' if len(where) > 1 else ''}\N{NO-BREAK SPACE}"
    return [nodes.inline("", "", nodes.Text(words), *links, nodes.Text("."), classes=["book-back"])]


def _typeset(text: str) -> str:
    """With the apostrophe of print, as in the chapters."""
    return text.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")


def _item(app: Sphinx, docname: str, work: Work, where: list[str]) -> nodes.list_item:
    comma = "" if work.title.endswith("?") else ","
    title, venue = _typeset(work.title), _typeset(f"{comma} {work.venue} ({work.years[0]}).")
    parts = [nodes.Text(f"{_authors(work)}, "), nodes.emphasis("", title), nodes.Text(venue)]
    if work.address:
        name = re.sub(r"^https?://", "", work.address.replace(DOI, "doi:"))
        link = nodes.reference("", name, refuri=work.address, classes=["book-address"])
        parts += [nodes.Text(" "), link, nodes.Text(".")]
    line = nodes.paragraph("", "", *parts, *_cited_in(app, docname, where))
    return nodes.list_item("", line, ids=[work.anchor])


def put_list(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Replace the request by the list."""
    requests = list(doctree.findall(BibliographyRequest))
    if not requests:
        return
    where = citations(app.env)
    for request in requests:
        items = [_item(app, docname, w, where.get(w.key, [])) for w in read(app.env)]
        request.replace_self(nodes.bullet_list("", *items, classes=["book-bibliography"]))


def note_list(app: Sphinx, config: Any) -> None:
    """Let chapters be written anew when the list changes: their links depend on it."""
    path = Path(app.srcdir) / FILE
    config.book_references = path.read_text(encoding="utf-8") if path.exists() else ""


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directive and the links."""
    app.add_config_value("book_references", "", "html", [str])
    app.add_node(BibliographyRequest)
    app.add_directive("book-bibliography", Bibliography)
    app.add_post_transform(LinkWorks)
    app.connect("config-inited", note_list)
    app.connect("doctree-resolved", put_list)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
