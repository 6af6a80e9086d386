"""Print the whole book into one PDF: `make pdf`.

The pages of the built site are bound into one document (tools/binding.py), and a Chromium prints it
twice: the first time to learn on which page everything stands, the second time with these numbers
in the table of contents. Links, outline and the tags that a screen reader needs are Chromium's.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import yaml
from playwright.sync_api import Page, sync_playwright
from pypdf import PdfReader

import backprop_lib
from tools.binding import Book, bind
from tools.chromium import FLAGS, NoChromiumError, find_chromium
from tools.environment import ROOT

SITE = ROOT / "_build" / "html"
BOUND = ROOT / "_build" / "pdf" / "book.html"
TARGET = ROOT / "dist" / "backpropagation-every-number-checked.pdf"
STYLES = ("pygments.css", "katex/katex.min.css", "book.css", "paper.css")
# The letters are those that come with matplotlib: the same pages on every machine.
FONTS = Path(mpl.get_data_path()) / "fonts" / "ttf"
DEJAVU = ("", "-Bold", "-Oblique", "-BoldOblique")
FAMILIES = {
    "Book Text": ("STIXGeneral", ("", "Bol", "Italic", "BolIta")),
    "Book Sans": ("DejaVuSans", DEJAVU),
    "Book Code": ("DejaVuSansMono", DEJAVU),
}
LOOKS = (("normal", 400), ("normal", 700), ("italic", 400), ("italic", 700))
# Width of the text on A4 with the margins of paper.css, in the pixels of a style sheet.
TEXT_WIDTH = 612
TIMEOUT_MS = 180_000

TRAILER = re.compile(
    rb"trailer\s*<</Size (\d+)\s*/Root (\d+) 0 R\s*/Info (\d+) 0 R>>\s*"
    rb"startxref\s*(\d+)\s*%%EOF\n$"
)

# A formula or a table that is too wide is drawn smaller.
FIT = """() => {
  const boxes = document.querySelectorAll(".formula, .pst-scrollable-table-container, .live");
  for (const box of boxes) {
    const share = box.clientWidth / box.scrollWidth;
    if (share < 1) box.style.zoom = share;
  }
}"""
FILL = """(pages) => {
  for (const place of document.querySelectorAll(".page-number")) {
    place.textContent = pages[place.dataset.of];
  }
}"""


def font_faces() -> str:
    """The style sheet that names the fonts."""
    rules = [
        f'@font-face {{ font-family: "{family}"; font-style: {style}; font-weight: {weight}; '
        f'src: url("{(FONTS / f"{name}{ending}.ttf").as_uri()}"); }}'
        for family, (name, endings) in FAMILIES.items()
        for ending, (style, weight) in zip(endings, LOOKS, strict=True)
    ]
    return "\n".join(rules)


def this_book(config: Mapping[str, Any]) -> Book:
    """What the first pages say, from _config.yml and the version of the library."""
    return Book(
        title=config["title"],
        author=config["author"],
        logo=(SITE / "_static" / "logo.svg").as_uri(),
        language=config["sphinx"]["config"]["language"],
        imprint=(
            f"Version {backprop_lib.__version__}",
            "Every number in this book is the output of a cell, and every stored output is "
            "compared with a fresh run. These are the pages of the book's site, printed: figures "
            "that move stand still here, and solutions are not folded.",
            "The text and figures may be shared under CC BY 4.0, the code under the MIT licence.",
        ),
    )


def page_numbers(pdf: bytes) -> dict[str, int]:
    """On which page each anchor stands that a link of the PDF leads to."""
    reader = PdfReader(BytesIO(pdf))
    indices = {
        name.removeprefix("/"): reader.get_destination_page_number(place)
        for name, place in reader.named_destinations.items()
    }
    return {name: index + 1 for name, index in indices.items() if index is not None}


def print_page(page: Page, *, with_tags: bool) -> bytes:
    """A PDF of what the page shows, with or without what only its readers need."""
    return page.pdf(
        prefer_css_page_size=True, print_background=True, tagged=with_tags, outline=with_tags
    )


def print_document(document: Path, chromium: str) -> bytes:
    """Print the document with its numbers of pages in the table of contents."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        page = browser.new_page(viewport={"width": TEXT_WIDTH, "height": 1000})
        page.set_default_timeout(TIMEOUT_MS)
        page.emulate_media(media="print", color_scheme="light")
        page.goto(document.as_uri())
        page.evaluate(FIT)
        numbers = page_numbers(print_page(page, with_tags=False))
        page.evaluate(FILL, numbers)
        pdf = print_page(page, with_tags=True)
        browser.close()
    return pdf


def signed(pdf: bytes, author: str) -> bytes:
    """The PDF with its author, whom Chromium leaves out.

    The new dictionary of information is appended as an incremental update. Writing the whole file
    anew would take longer than printing it.
    """
    trailer = TRAILER.search(pdf)
    if trailer is None:
        raise SystemExit("Chromium's PDF does not end as expected: its author cannot be added.")
    size, root, info, table = (int(word) for word in trailer.groups())
    start = pdf.index(b"\n%d 0 obj\n<<" % info) + 1
    known = pdf[start : pdf.index(b">>\nendobj", start)]
    name = author.encode("utf-16-be").hex().encode("ascii")
    longer = pdf + b"%b\n/Author <feff%b>>>\nendobj\n" % (known, name)
    return longer + (
        b"xref\n%d 1\n%010d 00000 n \ntrailer\n" % (info, len(pdf))
        + b"<</Size %d\n/Root %d 0 R\n/Info %d 0 R\n/Prev %d>>\n" % (size, root, info, table)
        + b"startxref\n%d\n%%%%EOF\n" % len(longer)
    )


def main() -> int:
    if not (SITE / "index.html").is_file():
        print("There is no built book yet: run `make book` first.", file=sys.stderr)
        return 1
    try:
        chromium = find_chromium()
    except NoChromiumError as error:
        print(f"The book is printed by a browser. {error}", file=sys.stderr)
        return 1
    config, contents = (
        yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
        for name in ("_config.yml", "_toc.yml")
    )
    book = this_book(config)
    styles = [(SITE / "_static" / name).as_uri() for name in STYLES]
    BOUND.parent.mkdir(exist_ok=True)
    BOUND.write_text(bind(book, SITE, contents, styles, font_faces()), encoding="utf-8")
    pdf = signed(print_document(BOUND, chromium), book.author)
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_bytes(pdf)
    pages = len(PdfReader(BytesIO(pdf)).pages)
    print(f"{TARGET.relative_to(ROOT)}: {pages} pages, {len(pdf) / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
