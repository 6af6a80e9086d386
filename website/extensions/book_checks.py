"""Show what the hunt for planted bugs has found: ``{book-witnesses}`` and ``{book-mutants}``.

Both tables are written from the files that ``make mutants`` keeps, so the page cannot claim more
than was seen. A row that names a mistake of the library's catalogue says what the mistake is.
"""

from __future__ import annotations

import csv
import importlib
import re
import runpy
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FOLDER = Path("tests") / "mutants"
WITNESSES, KILLERS = FOLDER / "witnesses.tsv", FOLDER / "killers.tsv"
EQUIVALENT = FOLDER / "equivalent_mutants.py"
# "losses._sse: 2 * x  [* -> +]": an automatic mutant says where it stands; a named bug does not.
AUTOMATIC = re.compile(r"^(\w+)\.[\w.]+: ")
TEST = re.compile(r"test_(?P<file>\w+)\.py::(?:\w+::)?test_(?P<name>\w+)(?P<case>\[.*\])?$")


def read(path: Path) -> list[list[str]]:
    """The rows of a table, its heading first."""
    with path.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if row]


def named_and_automatic(rows: list[list[str]]) -> tuple[list[list[str]], Counter[str]]:
    """The rows of named bugs, and how many automatic mutants each room has."""
    named = [row for row in rows if not AUTOMATIC.match(row[0])]
    rooms = Counter(found[1] for row in rows if (found := AUTOMATIC.match(row[0])))
    return named, rooms


def in_words(check: str) -> str:
    """'test_losses.py::test_it_is_so[a]' as 'it is so [a]'."""
    if found := TEST.search(check):
        case = f" {found['case']}" if found["case"] else ""
        return f"{found['name'].replace('_', ' ')}{case}"
    return check


def _title(name: str) -> list[nodes.Node]:
    """The mistake in words, its name behind them."""
    known = importlib.import_module("backprop_lib.mistakes").MISTAKES
    if name not in known:
        return [nodes.Text(name)]
    return [nodes.Text(f"{known[name].title} "), nodes.literal("", name)]


def _mark(mark: str) -> nodes.Node:
    """What a witness says: the eye looks for those that see nothing."""
    return nodes.strong("", mark) if mark == "no" else nodes.Text(mark)


def _cell(content: list[nodes.Node]) -> nodes.entry:
    return nodes.entry("", nodes.paragraph("", "", *content))


def _table(heading: list[str], rows: list[list[list[nodes.Node]]], kind: str) -> nodes.table:
    """A table with a heading; its first column names the row."""
    group = nodes.tgroup("", cols=len(heading))
    group += [nodes.colspec(colwidth=1) for _ in heading]
    group += nodes.thead("", nodes.row("", *(_cell([nodes.Text(word)]) for word in heading)))
    group += nodes.tbody("", *(nodes.row("", *map(_cell, row)) for row in rows))
    return nodes.table("", group, classes=[kind])


class Checks(SphinxDirective):
    """What both tables need: the files, watched for changes."""

    def rows(self, path: Path) -> list[list[str]]:
        """The table in a file of the project."""
        return read(self.file(path))

    def file(self, path: Path) -> Path:
        """A file of the project, which makes the page old when it changes."""
        whole = Path(self.env.srcdir) / path
        self.env.note_dependency(str(whole))
        return whole


class Witnesses(Checks):
    """``{book-witnesses}``: which witness sees which wrong gradient."""

    def run(self) -> list[nodes.Node]:
        """The table, and one sentence that counts it."""
        heading, *rows = self.rows(WITNESSES)
        seen = [row.count("yes") for row in rows]
        cells = [[_title(row[0]), *([_mark(mark)] for mark in row[1:])] for row in rows]
        unseen = [row[0] for row, times in zip(rows, seen, strict=True) if not times]
        two = sum(times > 1 for times in seen)
        words = f"{len(rows)} wrong gradients, {len(heading) - 1} witnesses. "
        count = nodes.paragraph("", f"{words}At least two see {two} of them")
        for name in unseen:
            count += [nodes.Text("; none sees "), nodes.literal("", name)]
        count += nodes.Text(".")
        return [count, _table(heading, cells, "book-witnesses")]


class Mutants(Checks):
    """``{book-mutants}``: the named bugs with their killers, and the automatic ones in numbers."""

    def run(self) -> list[nodes.Node]:
        """Two tables, each after a sentence that counts it."""
        named, rooms = named_and_automatic(self.rows(KILLERS)[1:])
        equivalent = runpy.run_path(str(self.file(EQUIVALENT)))["EQUIVALENT"]
        harmless = Counter(found[1] for name in equivalent if (found := AUTOMATIC.match(name)))
        bugs = [[_title(name), [nodes.Text(in_words(killer))]] for name, killer in named]
        counted = [
            [[nodes.literal("", f"{room}.py")], *([nodes.Text(str(n))] for n in numbers)]
            for room, *numbers in ((room, n, harmless[room]) for room, n in rooms.items())
        ]
        first = f"{len(named)} named bugs, each with the check that stopped it first:"
        second = (
            f"{rooms.total()} automatic mutants, one at each operator and number of the central "
            f"rooms, were stopped too. {harmless.total()} change nothing that anyone could see; "
            "each of these has its reason written beside it."
        )
        return [
            nodes.paragraph("", first),
            _table(["planted", "stopped by"], bugs, "book-mutants"),
            nodes.paragraph("", second),
            _table(["room", "stopped", "without effect"], counted, "book-mutants"),
        ]


def setup(app: Sphinx) -> dict[str, object]:
    """Add the directives."""
    app.add_directive("book-witnesses", Witnesses)
    app.add_directive("book-mutants", Mutants)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
