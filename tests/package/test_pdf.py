"""The printed book: a page put on paper, a small book, and the whole PDF where there is one.

The tests marked slow read the PDF in dist/; `make pdf` prints it and runs them.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import yaml
from bs4 import BeautifulSoup, Tag
from pypdf import PageObject, PdfReader

from tools import chromium, pdf
from tools.binding import Book, bind
from tools.environment import ROOT
from tools.paper import anchor_of, paper_page

PAGES = ("start", "chapters/07_trace", "words")
CONTENTS = {
    "root": "start",
    "parts": [
        {"caption": "Many neurons", "chapters": [{"file": "chapters/07_trace"}]},
        {"caption": "Appendix", "chapters": [{"file": "words"}]},
    ],
}
A4_IN_POINTS = (595, 842)
CODE_FONT = "DejaVuSansMono"
RAW_FORMULA = re.compile(r"\$\$|\\\(|\\\[|\\begin\{|\\frac|\\sigma|\\delta")
OF_A_SCREEN = ("Search this book", "Skip to main content", "Show the code", "Colour mode", "Launch")


# --- A page on paper ------------------------------------------------------------------------------


def page_of_site(body: str) -> str:
    return f'<nav>Search this book</nav><article class="bd-article">{body}</article>'


def form(name: str, kind: str, fallback: str) -> str:
    """A cell with the form of an exercise, as a chapter has it."""
    state = html.escape(json.dumps({"name": name, "kind": kind}))
    return (
        '<div class="cell"><div class="cell_input"><pre>check(...)</pre></div>'
        f'<div class="exercise" id="exercise-{name}" data-live="form" data-state=\'{state}\'>'
        f"<pre>{fallback}</pre></div></div>"
    )


def folded(code: str, output: str) -> str:
    return (
        '<details class="admonition hide above-input"><summary><p>Show the code</p></summary>'
        f'<div class="cell_input"><pre>{code}</pre></div><pre class="out">{output}</pre></details>'
    )


def on_paper(folder: Path, body: str) -> Tag:
    """A chapter with this text, as the book has it."""
    (folder / "chapters").mkdir(exist_ok=True)
    (folder / "chapters" / "07_trace.html").write_text(page_of_site(body), encoding="utf-8")
    return paper_page(folder, "chapters/07_trace", PAGES, below=1)


def test_links_lead_to_places_in_the_book(tmp_path: Path) -> None:
    text = on_paper(
        tmp_path,
        '<h2 id="here" aria-describedby="a b">Here<a class="headerlink" href="#here">#</a></h2>'
        '<a href="#here">1</a><a href="../words.html#term">2</a><a href="../start.html">3</a>'
        '<a href="https://example.org/">4</a><a href="../_sources/chapters/07.ipynb">5</a>',
    )
    assert {link.get_text(): link["href"] for link in text.find_all("a")} == {
        "1": "#07_trace--here",
        "2": "#words--term",
        "3": "#start",
        "4": "https://example.org/",
    }
    assert text.get_text() == "Here12345"
    heading = text.find("h3", id="07_trace--here")
    assert heading is not None
    assert heading["aria-describedby"] == "07_trace--a 07_trace--b"


def test_images_are_those_of_the_site(tmp_path: Path) -> None:
    image = on_paper(tmp_path, '<img src="../_images/a.svg">').find("img")
    assert image is not None
    assert image["src"] == (tmp_path / "_images" / "a.svg").as_uri()


def test_a_choice_becomes_boxes_and_a_question_lines(tmp_path: Path) -> None:
    text = on_paper(
        tmp_path,
        form(
            "07-a", "choice", "not attempted: choose one\n1. more &lt; less\n2. less\nmore help: x"
        )
        + form("07-b", "numbers", "not attempted")
        + form("07-c", "function", "not attempted"),
    )
    choice, numbers, function = text.select(".answer")
    assert choice["id"] == "07_trace--exercise-07-a"
    assert [box.get_text() for box in choice.find_all("li")] == ["more < less", "less"]
    lines = [len(sheet.select("p:empty")) for sheet in (choice, numbers, function)]
    assert lines == [0, 1, 3]
    assert "not attempted" not in text.get_text()
    assert "check(" not in text.get_text()


def test_what_is_folded_is_open_and_a_solution_is_marked(tmp_path: Path) -> None:
    text = on_paper(tmp_path, folded("plot(x)", "drawn") + folded('solution("07-a")', "42"))
    assert text.find("details") is None
    assert text.select_one(".unfolded").get_text() == "plot(x)drawn"
    assert text.select_one(".admonition.solution").get_text() == "Solution42"


def test_a_live_figure_stands_still_and_says_so(tmp_path: Path) -> None:
    drawing = base64.b64encode(b'<svg viewBox="0 0 9 9"><text>w</text></svg>').decode("ascii")
    text = on_paper(
        tmp_path,
        '<div class="live" id="bowl" data-live="plane" data-state="{}">'
        f'<img alt="A bowl" src="data:image/svg+xml;base64,{drawing}"></div>',
    )
    figure = text.find(id="07_trace--bowl")
    assert figure is not None
    assert "data-state" not in figure.attrs
    assert figure.select_one('svg[role=img][aria-label="A bowl"]').get_text() == "w"
    assert "moves on the site" in figure.get_text()


def test_a_formula_has_its_tex_for_a_name(tmp_path: Path) -> None:
    tex = "a &lt; b"
    formula = (
        '<span class="math"><span class="katex"><span class="katex-mathml"><math><semantics>'
        f'<mi>a</mi><annotation encoding="application/x-tex">{tex}</annotation></semantics></math>'
        '</span><span class="katex-html" aria-hidden="true">a &lt; b</span></span></span>'
    )
    text = on_paper(tmp_path, f"<p>Where {formula}, so <em>b</em>.</p>")
    assert text.select_one(".katex")["aria-label"] == "a < b"
    assert text.get_text() == "Where a < b, so b."


def test_code_knows_its_width_and_whether_it_is_short(tmp_path: Path) -> None:
    lines = [f'<span class="n">x{"x" * width}</span>\n' for width in (9, 79, 200)]
    short, wide, sentence = on_paper(
        tmp_path, f"<pre>{lines[0]}</pre><pre>{lines[1] * 20}</pre><pre>{lines[2]}</pre>"
    ).find_all("pre")
    assert (short["style"], short["class"]) == ("--columns: 10", "short")
    assert (wide["style"], wide["class"]) == ("--columns: 80", "")
    assert "style" not in sentence.attrs
    assert short.find("span") is None


def test_what_is_no_page_of_the_book_is_refused(tmp_path: Path) -> None:
    (tmp_path / "start.html").write_text("<p>Moved</p>", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"start\.html has no text.*make book"):
        paper_page(tmp_path, "start", PAGES)


# --- A PDF as its reader has it -------------------------------------------------------------------


class Printed:
    """A PDF: its outline, its links, and the text of each page, code apart."""

    def __init__(self, path: Path) -> None:
        self.reader = PdfReader(path)
        self.places = {
            name.removeprefix("/"): self.reader.get_destination_page_number(place)
            for name, place in self.reader.named_destinations.items()
        }

    @cached_property
    def outline(self) -> list[tuple[int, str, int]]:
        """Level, title, page (from 1) of every bookmark."""

        def walk(entries: Any, level: int) -> Iterator[tuple[int, str, int]]:
            for entry in entries:
                if isinstance(entry, list):
                    yield from walk(entry, level + 1)
                else:
                    page = self.reader.get_destination_page_number(entry)
                    yield level, entry.title, (page or 0) + 1

        return list(walk(self.reader.outline, 0))

    @cached_property
    def pages(self) -> list[str]:
        return [text for text, _ in self._read]

    @cached_property
    def outside(self) -> list[str]:
        """What begins outside the paper."""
        return [piece for _, outside in self._read for piece in outside]

    @cached_property
    def _read(self) -> list[tuple[str, list[str]]]:
        return [_read(page) for page in self.reader.pages]

    def links(self) -> Iterator[tuple[str, str]]:
        """Places and addresses that links lead to."""
        for page in self.reader.pages:
            for annotation in page.get("/Annots", []):
                link = annotation.get_object()
                yield (
                    str(link.get("/Dest", "")).removeprefix("/"),
                    str(link.get("/A", {}).get("/URI", "")),
                )


def _read(page: PageObject) -> tuple[str, list[str]]:
    """The text that is no code, and those of its pieces that begin outside the paper."""
    pieces, outside = [], []
    width, height = page.mediabox.width, page.mediabox.height

    def visit(text: str, matrix: Any, line: Any, font: Any, size: float) -> None:
        if not text.strip():
            pieces.append(" ")
        elif font and CODE_FONT not in str(font.get("/BaseFont")):
            pieces.append(text)
        x = matrix[0] * line[4] + matrix[2] * line[5] + matrix[4]
        y = matrix[1] * line[4] + matrix[3] * line[5] + matrix[5]
        if text.strip() and not (0 <= x <= width and 0 <= y <= height):
            outside.append(f"{text!r} at ({x:.0f}, {y:.0f})")

    page.extract_text(visitor_text=visit)
    return "".join(pieces), outside


def without_spaces(text: str) -> str:
    return re.sub(r"\s+", "", text)


def is_sound(printed: Printed) -> None:
    """What holds of every PDF, small or large."""
    root, information = printed.reader.trailer["/Root"], printed.reader.metadata
    assert information is not None
    assert root["/Lang"] == "en"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert information.title
    assert information.author
    sizes = {(round(p.mediabox.width), round(p.mediabox.height)) for p in printed.reader.pages}
    assert sizes == {A4_IN_POINTS}
    assert [font for font, embedded in fonts(printed.reader) if not embedded] == []
    assert printed.outside == []

    targets = set(printed.links())
    assert {place for place, _ in targets if place} <= printed.places.keys()
    assert [address for place, address in targets if not place and not is_public(address)] == []


def is_public(address: str) -> bool:
    return bool(re.match(r"https?://(?!127\.|localhost)", address))


def fonts(reader: PdfReader) -> set[tuple[str, bool]]:
    """Each font with whether the PDF carries it."""
    found = set()
    for page in reader.pages:
        for font in page["/Resources"].get("/Font", {}).values():
            (inner,) = font.get_object().get("/DescendantFonts", [font])
            descriptor = inner.get_object()["/FontDescriptor"]
            embedded = any(key.startswith("/FontFile") for key in descriptor)
            found.add((str(font.get_object()["/BaseFont"]), embedded))
    return found


# --- A small book ---------------------------------------------------------------------------------

START = (
    '<section id="every"><h1>Every number</h1><p><a href="words.html#term">a word</a></p></section>'
)
TRACE = (
    '<section id="trace"><h1><span class="section-number">7. </span>A trace that is so very long '
    "that its title must be broken into two lines</h1>"
    '<section id="one"><h2><span class="section-number">7.1. </span>Step 1</h2>'
    '<figure id="fig"><figcaption><span class="caption-number">Figure 7.1 </span>What is given.'
    '</figcaption></figure><div class="math"><div class="formula"><span style="white-space:nowrap">'
    f"{'a formula as wide as two pages ' * 8}END</span></div></div></section></section>"
)
WORDS = (
    '<section id="w"><h1>Words</h1>'
    '<dl><dt id="term">term</dt><dd>A word: a ≤ b.</dd></dl></section>'
)


@pytest.fixture(scope="module")
def small_book(chromium_path: str, tmp_path_factory: pytest.TempPathFactory) -> Printed:
    """Three pages, bound, printed and signed."""
    site = tmp_path_factory.mktemp("site")
    (site / "chapters").mkdir()
    for name, body in zip(PAGES, (START, TRACE, WORDS), strict=True):
        (site / f"{name}.html").write_text(page_of_site(body), encoding="utf-8")
    book = Book("A Book, Small", "An Author, née Ω", "data:,", "en", ("Version 1",))
    styles = [(ROOT / "website" / "assets" / name).as_uri() for name in ("book.css", "paper.css")]
    document = site / "book.html"
    document.write_text(bind(book, site, CONTENTS, styles, pdf.font_faces()), encoding="utf-8")
    # In a thread of its own: where a browser is open, this one has a loop of events already.
    with ThreadPoolExecutor(1) as thread:
        printed = thread.submit(pdf.print_document, document, chromium_path).result()
    written = pdf.signed(printed, book.author)
    (site / "book.pdf").write_bytes(written)
    return Printed(site / "book.pdf")


def test_a_small_book_is_sound(small_book: Printed) -> None:
    is_sound(small_book)
    assert small_book.reader.metadata is not None
    assert small_book.reader.metadata.title == "A Book, Small"
    assert small_book.reader.metadata.author == "An Author, née Ω"


def test_the_outline_has_parts_chapters_and_sections(small_book: Printed) -> None:
    title = "7. A trace that is so very long that its title must be broken into two lines"
    assert small_book.outline == [
        (0, "Contents", 3),
        (0, "Every number", 4),
        (0, "Many neurons", 5),
        (1, title, 5),
        (2, "7.1. Step 1", 5),
        (0, "Appendix", 6),
        (1, "Words", 6),
    ]


def test_the_contents_name_the_pages_on_which_things_stand(small_book: Printed) -> None:
    text = " ".join(small_book.pages[2].split())
    assert "Contents Every number 4 Many neurons 5 7. A trace" in text
    assert text.endswith("two lines 5 7.1. Step 1 5 Appendix 6 Words 6")


def test_each_page_has_its_number_and_a_running_head(small_book: Printed) -> None:
    heads = [" ".join(page.split())[:33] for page in small_book.pages]
    assert heads[0].startswith("A Book Small An Author")
    assert heads[2].startswith("A Book, Small 3 Contents")
    assert heads[3].startswith("A Book, Small Every number 4")
    assert heads[4].startswith("A Book, Small 7. A trace that is")
    assert heads[5].startswith("A Book, Small Words 6")


def test_what_is_too_wide_is_drawn_smaller(small_book: Printed) -> None:
    assert "END" in small_book.pages[4]
    ends: list[float] = []

    def visit(text: str, matrix: Any, line: Any, font: Any, size: float) -> None:
        if "END" in text:
            ends.append(matrix[0] * size)

    small_book.reader.pages[4].extract_text(visitor_text=visit)
    assert ends
    assert all(0 < size < 7 for size in ends)


def test_the_author_is_added_to_what_the_browser_says(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="does not end as expected"):
        pdf.signed(b"%PDF-1.4\n", "A")


# --- What is missing is said ----------------------------------------------------------------------


def test_nothing_is_printed_without_a_built_book(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pdf, "SITE", tmp_path)
    assert pdf.main() == 1
    assert "make book" in capsys.readouterr().err


def test_nothing_is_printed_without_a_browser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>", encoding="utf-8")
    monkeypatch.setattr(pdf, "SITE", tmp_path)
    monkeypatch.setenv("CHROMIUM", "no-such-browser")
    assert pdf.main() == 1
    said = capsys.readouterr().err
    assert "CHROMIUM is 'no-such-browser', which is not a program: install Chromium" in said


def test_a_browser_is_found_by_its_usual_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(chromium.NoChromiumError, match="looked for chromium, chromium-"):
        chromium.find_chromium({})
    program = tmp_path / "google-chrome"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    assert chromium.find_chromium({}) == str(program)
    assert chromium.find_chromium({"CHROMIUM": str(program)}) == str(program)


# --- The whole book -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole() -> Printed:
    if not pdf.TARGET.exists():
        pytest.skip("there is no printed book: `make pdf` prints it and runs this test")
    return Printed(pdf.TARGET)


@pytest.fixture(scope="module")
def contents() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return read


def text_of(page: str) -> Tag:
    """The text of a page of the built site."""
    source = (pdf.SITE / f"{page}.html").read_text(encoding="utf-8")
    text = BeautifulSoup(source, "html.parser").find("article")
    assert isinstance(text, Tag)
    return text


@pytest.fixture(scope="module")
def texts(contents: dict[str, Any]) -> dict[str, Tag]:
    """The text of every page of the built site, in the order of the book."""
    pages = [chapter["file"] for part in contents["parts"] for chapter in part["chapters"]]
    return {page: text_of(page) for page in (contents["root"], *pages)}


def headings(text: Tag, *, below: int) -> Iterator[tuple[int, str]]:
    """Level and words of every heading, without its link and the MathML of its formulas."""
    for heading in text.select("h1, h2, h3, h4, h5"):
        for element in heading.select(".headerlink, .katex-mathml"):
            element.decompose()
        yield int(heading.name[1]) - 1 + below, " ".join(heading.get_text().split())


@pytest.mark.slow
def test_the_book_is_sound(whole: Printed) -> None:
    is_sound(whole)


@pytest.mark.slow
def test_the_outline_names_every_part_and_heading_in_order(
    whole: Printed, contents: dict[str, Any], texts: dict[str, Tag]
) -> None:
    expected = [(0, "Contents"), *headings(texts[contents["root"]], below=0)]
    for part in contents["parts"]:
        expected.append((0, part["caption"]))
        for chapter in part["chapters"]:
            expected += headings(texts[chapter["file"]], below=1)
    assert [(level, " ".join(title.split())) for level, title, _ in whole.outline] == expected


@pytest.mark.slow
def test_the_contents_name_the_page_of_every_chapter(
    whole: Printed, contents: dict[str, Any], texts: dict[str, Tag]
) -> None:
    page_of = {title: page for level, title, page in reversed(whole.outline) if level < 2}
    first = page_of[next(headings(texts[contents["root"]], below=0))[1]]
    lines = without_spaces("".join(whole.pages[2 : first - 1]))
    titles = [next(headings(text, below=1))[1] for text in texts.values()]
    missing = [t for t in titles if f"{without_spaces(t)}{page_of[t]}" not in lines]
    assert missing == []


@pytest.mark.slow
def test_every_figure_has_its_number_and_caption(whole: Printed, texts: dict[str, Tag]) -> None:
    missing, count = [], 0
    for page, text in texts.items():
        for figure in text.select("figure[id]:has(.caption-number)"):
            caption = figure.select_one(".caption-number").get_text()
            caption += str(figure.select_one(".caption-text").find(string=True))
            place = whole.places.get(anchor_of(page, str(figure["id"])))
            where = whole.pages if place is None else [whole.pages[place]]
            count += 1
            if not any(without_spaces(caption) in without_spaces(words) for words in where):
                missing.append(caption)
    assert count > 40
    assert missing == []


@pytest.mark.slow
def test_nothing_of_a_screen_and_no_raw_formula_is_printed(whole: Printed) -> None:
    for number, text in enumerate(whole.pages, start=1):
        assert not RAW_FORMULA.search(text), f"page {number}: {RAW_FORMULA.search(text)}"
        assert [words for words in OF_A_SCREEN if words in text] == [], f"page {number}"


@pytest.mark.slow
def test_every_page_but_the_first_two_is_numbered(whole: Printed) -> None:
    wrong = [
        number
        for number, text in enumerate(whole.pages, start=1)
        if number > 2 and str(number) not in text.split()[:20]
    ]
    assert wrong == []
