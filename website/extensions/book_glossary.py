"""The glossary, and a link to it at the first use of each term in each chapter.

``{book-glossary}`` on the page ``glossary`` holds the entries, separated by empty lines:

    chain rule {5}
    How slopes multiply along a path ...

    gate; gates {5}
    ...

The first line gives the term, other forms of it behind semicolons, and the number of the chapter
that introduces it; the rest is the definition, in Markdown. In every chapter the first place of the
running text where a term stands, in any of its forms, becomes a link to the entry. Headings, code,
formulas, links, captions, exercises and lists of sources stay as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from book_live import chapters
from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

PAGE = "glossary"
OPENING = "```{book-glossary}\n"
HEAD = re.compile(r"^(?P<forms>[^{}\n]+?) \{(?P<chapter>\d+)\}$")
# Text inside these is not the chapter's running text.
NOT_PROSE = (
    nodes.title,
    nodes.literal,
    nodes.literal_block,
    nodes.reference,
    nodes.math,
    nodes.math_block,
    nodes.raw,
    nodes.caption,
    nodes.legend,
    nodes.image,
    nodes.term,
    nodes.thead,
    nodes.comment,
    nodes.substitution_definition,
)
# In these sections a link would be in the way: of an exercise, or of the title of somebody's work.
NOT_TAUGHT = {"check yourself", "recap", "where it came from"}
CELL = "cell"


@dataclass(frozen=True)
class Entry:
    """A term with all its forms, the chapter that introduces it, and what it means."""

    term: str
    forms: tuple[str, ...]
    chapter: int
    definition: str

    @property
    def anchor(self) -> str:
        """The entry's place on the page."""
        return "term-" + nodes.make_id(self.term)


# --- Reading the entries --------------------------------------------------------------------------


def parse(text: str) -> list[Entry]:
    """The entries of a glossary, refused where two claim the same words."""
    entries = [_entry(block) for block in re.split(r"\n\s*\n", text.strip())]
    taken: dict[str, str] = {}
    for entry in entries:
        for form in entry.forms:
            other = taken.setdefault(form.lower(), entry.term)
            if other != entry.term:
                raise ExtensionError(f"glossary: {form!r} leads to {other!r} and {entry.term!r}")
    return entries


def _entry(block: str) -> Entry:
    head, _, definition = block.strip().partition("\n")
    found = HEAD.match(head)
    if found is None or not definition.strip():
        raise ExtensionError(f"glossary: expected 'term; form {{chapter}}', then text: {head!r}")
    forms = tuple(form.strip() for form in found["forms"].split(";"))
    return Entry(forms[0], forms, int(found["chapter"]), definition.strip())


def read(env: BuildEnvironment) -> list[Entry]:
    """The entries as they stand in the glossary's page; none in a book without one."""
    if PAGE not in env.found_docs:
        return []
    source = Path(env.doc2path(PAGE)).read_text(encoding="utf-8")
    return parse(source.partition(OPENING)[2].partition("\n```")[0])


# --- Finding the first use ------------------------------------------------------------------------


def _pattern(form: str) -> str:
    """A form with any space between its words; only names are bound to their capitals."""
    words = r"\s+".join(re.escape(word) for word in form.split())
    return words if form != form.lower() else f"(?i:{words})"


def matcher(entries: Iterable[Entry]) -> tuple[re.Pattern[str], dict[str, Entry]]:
    """One pattern for all forms, the longest first, and the entry of each group."""
    forms = sorted(
        ((form, entry) for entry in entries for form in entry.forms),
        key=lambda pair: (-len(pair[0]), pair[0]),
    )
    groups = {f"f{number}": entry for number, (_, entry) in enumerate(forms)}
    choices = (f"(?P<f{number}>{_pattern(form)})" for number, (form, _) in enumerate(forms))
    return re.compile(rf"(?<![\w-])(?:{'|'.join(choices)})(?![\w-])"), groups


def _is_inside_a_cell(node: nodes.Node) -> bool:
    return isinstance(node, nodes.container) and CELL in node["classes"]


def is_prose(text: nodes.Text) -> bool:
    """Whether a reader reads this as the chapter's own text."""
    node: nodes.Node = text
    while (node := node.parent) is not None:
        if isinstance(node, NOT_PROSE) or _is_inside_a_cell(node):
            return False
        if isinstance(node, nodes.section):
            title = node.next_node(nodes.title)
            if title is not None and title.astext().strip().lower() in NOT_TAUGHT:
                return False
    return True


def running_text(document: nodes.document) -> list[nodes.Text]:
    """The pieces of text in which a term may become a link."""
    return [text for text in document.findall(nodes.Text) if is_prose(text)]


def first_uses(
    text: nodes.Text, pattern: re.Pattern[str], groups: dict[str, Entry], used: set[str]
) -> Iterator[tuple[re.Match[str], Entry]]:
    """The places of a text where a term stands that was not used before."""
    whole = str(text)
    for found in pattern.finditer(whole):
        entry = groups[str(found.lastgroup)]
        # All of an italic text may be a term that is being introduced; a part of one is a title's.
        if isinstance(text.parent, nodes.emphasis) and found[0] != whole:
            continue
        if entry.term not in used:
            used.add(entry.term)
            yield found, entry


class LinkTerms(SphinxPostTransform):
    """Turn the first use of each term in a chapter into a link."""

    # When references are resolved, and before folded boxes are taken apart.
    default_priority = 150
    formats: ClassVar[tuple[str, ...]] = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Walk through the chapter once."""
        docname = self.env.docname
        entries = read(self.env) if docname in chapters(self.env) else []
        if not entries:
            return
        page = self.app.builder.get_relative_uri(docname, PAGE)
        pattern, groups = matcher(entries)
        used: set[str] = set()
        for text in running_text(self.document):
            pieces: list[nodes.Node] = []
            end = 0
            for found, entry in first_uses(text, pattern, groups, used):
                pieces += [nodes.Text(str(text)[end : found.start()]), _link(found, entry, page)]
                end = found.end()
            if pieces:
                text.parent.replace(text, [*pieces, nodes.Text(str(text)[end:])])


def _link(found: re.Match[str], entry: Entry, page: str) -> nodes.reference:
    address = f"{page}#{entry.anchor}"
    return nodes.reference("", found[0], internal=True, refuri=address, classes=["book-term"])


# --- The page -------------------------------------------------------------------------------------


class ChapterRequest(nodes.Inline, nodes.TextElement):
    """Stands for the link to a chapter until all chapters have been read."""


class Glossary(SphinxDirective):
    """The letters of the alphabet, and all entries in its order."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """A line of letters, and a definition list; each entry ends with its chapter."""
        entries = parse("\n".join(self.content))
        in_order = sorted(entries, key=lambda entry: entry.term.lower())
        items = [self._item(entry) for entry in in_order]
        listed = nodes.definition_list("", *items, classes=["book-glossary"])
        return [self._letters(in_order), listed]

    @staticmethod
    def _letters(in_order: list[Entry]) -> nodes.paragraph:
        """A link for each letter, to its first entry."""
        first: dict[str, str] = {}
        for entry in in_order:
            first.setdefault(entry.term[0].upper(), entry.anchor)
        line = nodes.paragraph(classes=["book-letters"])
        for letter, anchor in first.items():
            line += [nodes.reference("", letter, internal=True, refid=anchor), nodes.Text(" ")]
        return line

    def _item(self, entry: Entry) -> nodes.definition_list_item:
        body = nodes.definition()
        self.state.nested_parse(entry.definition.split("\n"), self.content_offset, body)
        last = body.children[-1]
        last += [nodes.Text(" "), ChapterRequest(chapter=entry.chapter), nodes.Text(".")]
        name = nodes.term("", entry.term, ids=[entry.anchor])
        return nodes.definition_list_item("", name, body)


def chapter_reference(app: Sphinx, docname: str, number: int) -> nodes.Node:
    """'Chapter 5' as a link to it; as words where this build has no such chapter."""
    words = f"Chapter\N{NO-BREAK SPACE}{number}"
    for chapter in chapters(app.env):
        if chapter.startswith(f"chapters/{number:02d}_"):
            address = app.builder.get_relative_uri(docname, chapter)
            return nodes.reference("", words, internal=True, refuri=address)
    return nodes.Text(words)


def put_chapters(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Let each entry lead to the chapter that introduces it."""
    for request in list(doctree.findall(ChapterRequest)):
        request.replace_self(chapter_reference(app, docname, request["chapter"]))


def renew(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """Link everything anew when the glossary changes, and the glossary when chapters come or go."""
    if PAGE in added | changed | removed:
        return chapters(env)
    return [PAGE] if PAGE in env.found_docs and added | removed else []


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directive and the links."""
    app.add_node(ChapterRequest)
    app.add_directive("book-glossary", Glossary)
    app.add_post_transform(LinkTerms)
    app.connect("doctree-resolved", put_chapters)
    app.connect("env-get-outdated", renew)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
