r"""Is every number in the prose also the output of a cell?

A number *needs evidence* if it is written with three or more decimals (0.728), or in scientific
notation with three or more significant digits (2.81e-8, $2.81 \times 10^{-8}$). Formulas, code
spans, alternative texts and captions count as prose. Evidence is a number in an output that rounds
to it: 0.728 is backed by 0.72835 and by 0.7280, not by 0.73 (too few digits), -0.728 (another sign)
or 0.7286. A paragraph that cites a source (`{cite}`) or has a footnote needs none: its numbers are
someone else's.

A minus sign belongs to the number it touches unless it also touches what stands before it: -0.728
and "the slope -0.728" are negative, in `1-0.728` and `a - 0.728` the sign is an operator.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from html.parser import HTMLParser

from nbformat import NotebookNode

DECIMALS = 3
SIGNIFICANT = 3

SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
POWER_OF_TEN = r"(?:\\times|\\cdot|×|·|\*)\s*10\s*(?:\^|\*\*)?\s*\{?\(?\s*(?P<power>[-+]?\d+)"
NUMBER = re.compile(
    r"""
    (?<![\d.])                       # not inside a version or another number
    (?P<digits>\d*\.\d+|\d+)
    (?:[eE](?P<exponent>[-+]?\d+)    # 1.5e-7
       |\s*"""
    + POWER_OF_TEN
    + r""")?                         # 1.5 x 10^-7
    (?!\d|\.\d)
    """,
    re.VERBOSE,
)
# What is not prose although it stands in a Markdown cell.
NOT_PROSE = re.compile(
    r"""
    <!--.*?-->                        # comments
    | ^\s*%.*?$                       # MyST comments
    | \]\([^)\s]*\)                   # targets of links
    | <?\bhttps?://[^\s>)]+>?         # addresses
    | \bdoi:\S+ | \b10\.\d{4,9}/\S+   # DOIs
    | ^\([\w:.-]+\)=\s*$              # labels
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
# A minus sign right in front of a number, with nothing to subtract from right in front of it.
NEGATIVE = re.compile(r"(?:^|[^\w)\]}])-$")
REFERENCE = re.compile(r"\{cite(?::\w+)?\}`|\[\^[^\]]+\]")
NEW_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+|^\s*\|")
INLINE_TAGS = {"b", "i", "em", "strong", "span", "code", "sub", "sup", "a", "u", "small", "mark"}
HIDDEN_TAGS = {"script", "style"}


@dataclass(frozen=True)
class Number:
    """A number as printed: `decimals` digits after the point, times ten to the `exponent`."""

    text: str
    value: Decimal
    decimals: int
    exponent: int = 0
    context: str = ""

    @property
    def unit(self) -> Decimal:
        """The size of one step in its last digit."""
        return Decimal(1).scaleb(self.exponent - self.decimals)

    @property
    def needs_evidence(self) -> bool:
        """Whether it shows digits that nobody could know without a computation."""
        if self.exponent:
            return len(self.value.as_tuple().digits) >= SIGNIFICANT
        return self.decimals >= DECIMALS

    def backed_by(self, output: Number) -> bool:
        """Whether `output` shows at least as many digits and rounds to this number."""
        if output.unit > self.unit or output.value.is_signed() != self.value.is_signed():
            return False
        return abs(output.value - self.value) <= self.unit / 2


def numbers(text: str) -> Iterator[Number]:
    """Every number in a piece of text or of LaTeX, from left to right."""
    plain = _plain(text)
    for match in NUMBER.finditer(plain):
        yield _number(match, plain)


def _plain(text: str) -> str:
    """One spelling for minus signs, powers and thin spaces; commands end where they end."""
    plain = text.translate(SUPERSCRIPTS).replace("\u2212", "-")
    plain = re.sub(r"(?<=\d)(?:\\,|\u2009|\u202f)(?=\d)", "", plain)
    plain = re.sub(r"\{([-.])\}", r"\1", plain)
    return re.sub(r"(\\[A-Za-z]+)(?=[-\d])", r"\1 ", plain)


def _number(match: re.Match[str], plain: str) -> Number:
    digits = match["digits"]
    sign = "-" if NEGATIVE.search(plain[: match.start()]) else ""
    exponent = int(match["exponent"] or match["power"] or 0)
    context = plain[max(0, match.start() - 40) : match.end() + 25]
    return Number(
        text=sign + match[0].strip(),
        value=Decimal(sign + digits).scaleb(exponent),
        decimals=len(digits.partition(".")[2]),
        exponent=exponent,
        context=" ".join(context.split()),
    )


def paragraphs(markdown: str) -> Iterator[str]:
    """Paragraphs of a page; every item of a list and every row of a table is one of its own."""
    prose = NOT_PROSE.sub(" ", markdown)
    for block in re.split(r"\n\s*\n", prose):
        lines: list[str] = []
        for line in block.splitlines():
            if lines and NEW_ITEM.match(line):
                yield "\n".join(lines)
                lines = []
            lines.append(line)
        yield "\n".join(lines)


def unbacked(markdown: str, evidence: Iterable[Number]) -> list[Number]:
    """The numbers of a page that need evidence and have none."""
    shown = list(evidence)
    return [
        number
        for paragraph in paragraphs(markdown)
        if not REFERENCE.search(paragraph)
        for number in numbers(paragraph)
        if number.needs_evidence and not any(number.backed_by(output) for output in shown)
    ]


def unbacked_in_notebook(notebook: NotebookNode) -> list[str]:
    """Offenders of a chapter, each as 'cell 7: 0.7283 in "... the loss is 0.7283 after ..."'."""
    evidence = list(evidence_in(notebook))
    found = []
    for position, cell in enumerate(notebook.cells, start=1):
        for number in unbacked(prose_of(cell), evidence):
            found.append(f'cell {position}: {number.text} in "{number.context}"')
    return found


def prose_of(cell: NotebookNode) -> str:
    """What a reader reads in a cell: Markdown, or a figure's alternative text and caption."""
    if cell.cell_type == "markdown":
        return str(cell.source)
    figure = cell.metadata.get("mystnb", {})
    texts = (figure.get("image", {}).get("alt"), figure.get("figure", {}).get("caption"))
    return "\n\n".join(text for text in texts if text)


def evidence_in(notebook: NotebookNode) -> Iterator[Number]:
    """Every number that stands, visible to a reader, in an output."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            for output in cell.outputs:
                for text in visible_texts(output):
                    yield from numbers(text)


def visible_texts(output: NotebookNode) -> Iterator[str]:
    """The words and numbers of an output; pictures and hidden attributes have none."""
    if output.output_type == "stream":
        yield output.text
    elif output.output_type == "error":
        yield output.evalue
    else:
        yield from _visible_data(output.data)


def _visible_data(data: Mapping[str, str]) -> Iterator[str]:
    for kind, value in data.items():
        if kind in ("text/html", "image/svg+xml"):
            yield text_of_html(value)
        elif kind.startswith("text/"):
            yield value


class _TextOf(HTMLParser):
    """Collects the text between tags; a tag that ends a word on the page ends it here."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in HIDDEN_TAGS
        self.pieces.append("" if tag in INLINE_TAGS else "\n")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in HIDDEN_TAGS
        self.pieces.append("" if tag in INLINE_TAGS else "\n")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.pieces.append(data)


def text_of_html(markup: str) -> str:
    parser = _TextOf()
    parser.feed(markup)
    parser.close()
    return "".join(parser.pieces)
