"""A page of the built site as the printed book has it.

Formulas, numbers of figures and links are those that the tests of the site have seen. What only a
screen can do is put into a form for paper: every anchor gets its page's name in front, for two
pages may use the same; what is folded is open; a form becomes lines to write on; a solution stands
in a box.
"""

from __future__ import annotations

import json
import posixpath
import re
from base64 import b64decode
from collections.abc import Iterable
from html import escape
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from bs4.filter import SoupStrainer

HEADING = re.compile(r"^h[1-5]$")
ONLY_ON_SCREEN = "a.headerlink, script, .toctree-wrapper, [data-live=progress], .exercise-state"
ARTICLE = SoupStrainer("article", class_="bd-article")
MATHML = re.compile(
    r'<span class="katex"><span class="katex-mathml"><math.*?'
    r'<annotation encoding="application/x-tex">([^<]*)</annotation></semantics></math></span>',
    re.DOTALL,
)
PLAIN_MARK = re.compile(r'<span class="(?:n|nn|p|w|pre)">([^<]*)</span>')
# Attributes that name an anchor of the same page, or several.
NAMING = ("aria-labelledby", "aria-describedby", "aria-details", "for", "headers")
ELSEWHERE = re.compile(r"^(?:[a-z]+:|//)")
# Lines or rows: no cell of a chapter is longer, but listings and some lists are.
SHORT = 15
# Columns: longer lines are sentences, which may be broken.
WIDEST = 118
CHOICE = re.compile(r"^\d+\. (.+)$", re.MULTILINE)
SOLUTION = re.compile(r'solution\("[^"]+"\)\s*')
STANDS_STILL = "This figure moves on the site. Here it stands at its start."


def anchor_of(page: str, name: str = "") -> str:
    """What an anchor of a page is called in the document; without a name, the page itself."""
    stem = posixpath.basename(page)
    return f"{stem}--{name}" if name else stem


def paper_page(site: Path, page: str, pages: Iterable[str], *, below: int = 0) -> Tag:
    """The text of a page as the book has it.

    Parameters
    ----------
    site : Path
        The folder of the built site.
    page : str
        Its name, as _toc.yml has it.
    pages : iterable of str
        Every page that is bound: links to these stay links, links to other files become text.
    below : int
        How many levels the headings move down, to stand under that of a part.
    """
    html = _lighter((site / f"{page}.html").read_text(encoding="utf-8"))
    text = BeautifulSoup(html, "html.parser", parse_only=ARTICLE).find("article")
    if not isinstance(text, Tag):
        raise SystemExit(f"{page}.html has no text: it is no page of this book. Run `make book`.")
    for element in text.select(ONLY_ON_SCREEN):
        element.decompose()
    _unfold(text)
    _still_figures(text)
    _forms(text)
    _blocks(text)
    _names(text, page)
    _links(text, page, frozenset(pages))
    _images(text, page, site)
    _headings(text, below)
    text.attrs = {"class": "book-page", "id": anchor_of(page)}
    return text


def _lighter(html: str) -> str:
    """The page without what would only be a burden in a PDF, where each element becomes a tag.

    A PDF has no place for MathML, so a formula is read aloud from its TeX. Marks of code that look
    like the text around them go.
    """
    return PLAIN_MARK.sub(
        r"\1", MATHML.sub(r'<span class="katex" role="img" aria-label="\1">', html)
    )


def fragment(html: str) -> Tag:
    """The one element that a piece of HTML holds."""
    element = BeautifulSoup(html, "html.parser").find()
    assert isinstance(element, Tag)
    return element


def _unfold(text: Tag) -> None:
    """Open what is folded. A solution gets a title of its own; code needs none on paper."""
    for box in text.find_all("details"):
        code, summary = box.select_one(".cell_input"), box.find("summary")
        assert summary is not None, "a folded box without a summary"
        if code is not None and SOLUTION.fullmatch(code.get_text().strip()):
            code.decompose()
            summary.replace_with(fragment('<p class="admonition-title">Solution</p>'))
            box["class"] = "admonition solution"
        elif "hide" in box["class"]:
            summary.decompose()
            box["class"] = "unfolded"
        else:
            summary.name = "p"
        box.name = "div"


def _still_figures(text: Tag) -> None:
    """Take the state of live figures away, and say that what stands there moves elsewhere."""
    for figure in text.select(".live[data-live]"):
        del figure["data-live"], figure["data-state"]
        for image in figure.find_all("img"):
            image.replace_with(_drawn_here(image))
        figure.append(fragment(f'<p class="stands-still">{STANDS_STILL}</p>'))


def _drawn_here(image: Tag) -> Tag:
    """The drawing that an image carries, as part of the text: so its letters are the book's."""
    drawing = fragment(b64decode(str(image["src"]).partition("base64,")[2]).decode("utf-8"))
    drawing["role"], drawing["aria-label"] = "img", image["alt"]
    return drawing


def _forms(text: Tag) -> None:
    """Put lines to write on, or boxes to tick, in the place of each form and its cell."""
    for form in text.select("[data-live=form]"):
        state = json.loads(str(form["data-state"]))
        sheet = fragment(_answer_sheet(state["name"], state["kind"], form.get_text()))
        sheet["id"] = form["id"]
        (form.find_parent(class_="cell") or form).replace_with(sheet)


def _answer_sheet(name: str, kind: str, fallback: str) -> str:
    label = f'<p class="answer-name">Your answer <code>{escape(name)}</code></p>'
    if kind == "choice":
        boxes = "".join(f"<li>{escape(choice)}</li>" for choice in CHOICE.findall(fallback))
        return f'<div class="answer">{label}<ul>{boxes}</ul></div>'
    lines = 3 if kind == "function" else 1
    return f'<div class="answer">{label}{"<p></p>" * lines}</div>'


def _blocks(text: Tag) -> None:
    """Mark the code and the tables that are short enough to stay in one piece; note how wide code
    is, for its letters are made to fit."""
    for block in text.find_all("pre"):
        lines = block.get_text().splitlines()
        columns = max(map(len, lines), default=0)
        if columns <= WIDEST:
            block["style"] = f"--columns: {columns}"
        block["class"] = "short" if len(lines) <= SHORT else ""
    for table in text.find_all("table"):
        if len(table.find_all("tr")) <= SHORT:
            table["class"] = " ".join([*table.get_attribute_list("class"), "short"])


def _names(text: Tag, page: str) -> None:
    """Put the page's name in front of every anchor, and of what names an anchor."""
    for element in text.find_all(id=True):
        element["id"] = anchor_of(page, str(element["id"]))
    for attribute in NAMING:
        for element in text.find_all(None, {attribute: True}):
            names = str(element[attribute]).split()
            element[attribute] = " ".join(anchor_of(page, name) for name in names)


def _links(text: Tag, page: str, pages: frozenset[str]) -> None:
    """Let links lead to the anchors of the document; what the book does not hold is no link."""
    for link in text.find_all("a", href=True):
        address = str(link["href"])
        if ELSEWHERE.match(address):
            continue
        path, _, name = address.partition("#")
        target = _from_top(page, path).removesuffix(".html") if path else page
        if target in pages:
            link["href"] = f"#{anchor_of(target, name)}"
        else:
            link.unwrap()


def _images(text: Tag, page: str, site: Path) -> None:
    """Let images be found from wherever the document lies."""
    for image in text.find_all("img", src=True):
        address = str(image["src"])
        if not ELSEWHERE.match(address):
            image["src"] = (site / _from_top(page, address)).as_uri()


def _from_top(page: str, address: str) -> str:
    """A relative address on a page as seen from the top of the site."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), address))


def _headings(text: Tag, below: int) -> None:
    """Move headings down; mark the one that is the page's title."""
    for heading in text.find_all(HEADING):
        level = int(heading.name[1])
        heading.name = f"h{level + below}"
        if level == 1:
            heading["class"] = "book-page-title"
