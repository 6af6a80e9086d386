"""Draw a figure of the book again, in another size or kind of file.

python -m tools.figure fig-backward --size 8x4.5 --to slide.pdf

The figure's chapter is run up to the cell that draws it, so the file shows what the chapter
computes. Letters keep their size in points, so a small figure that is shown large has large ones.
The ending of the file's name says its kind: svg, pdf or png.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from nbformat import NotebookNode

from tools.execution import Failed, execute
from tools.notebooks import figure_metadata, read_source, slugs

SIZE = re.compile(r"(\d+(?:\.\d+)?)x(\d+(?:\.\d+)?)")
KINDS = (".svg", ".pdf", ".png")
DOTS_PER_INCH = 200
# Put behind the cell that draws; what it has drawn is still open there.
SAVING = """
import matplotlib.pyplot as _plt

_drawn = _plt.figure(_plt.get_fignums()[-1])
_drawn.set_size_inches({size!r} or _drawn.get_size_inches())
_drawn.savefig({path!r}, dpi={dots})
"""


def figures() -> Iterator[tuple[str, str, int]]:
    """Name, chapter and cell of every figure that a cell draws."""
    for slug in slugs():
        for place, cell in enumerate(read_source(slug).cells):
            if name := figure_metadata(cell).get("figure", {}).get("name"):
                yield name, slug, place


def find(name: str) -> tuple[str, int]:
    """The chapter and the cell of a figure."""
    known = {figure: (slug, place) for figure, slug, place in figures()}
    if name not in known:
        raise SystemExit(f"there is no figure {name!r}; there are: {', '.join(known)}")
    return known[name]


def parse_size(text: str) -> tuple[float, float]:
    """'8x4.5' as width and height in inches."""
    found = SIZE.fullmatch(text)
    if found is None or not all(0 < float(side) <= 100 for side in found.groups()):
        message = f"{text!r} is no size; expected width x height in inches, such as 8x4.5"
        raise argparse.ArgumentTypeError(message)
    return float(found[1]), float(found[2])


def parse_path(text: str) -> Path:
    """A file that a figure can be drawn into."""
    path = Path(text)
    if path.suffix not in KINDS:
        raise argparse.ArgumentTypeError(f"{text!r} ends in none of {', '.join(KINDS)}")
    return path


def up_to(slug: str, place: int, saving: str) -> NotebookNode:
    """The chapter as far as the cell that draws, and behind it what saves the drawing."""
    notebook = read_source(slug)
    notebook.cells = notebook.cells[: place + 1]
    notebook.cells[place].source += f"\n{saving}"
    return notebook


def draw(name: str, path: Path, size: tuple[float, float] | None = None) -> None:
    """Draw the figure into a file."""
    slug, place = find(name)
    saving = SAVING.format(size=size, path=str(path.resolve()), dots=DOTS_PER_INCH)
    execute(up_to(slug, place, saving))


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.figure",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", help="as in the address of the figure, e.g. fig-backward")
    parser.add_argument("--size", type=parse_size, help="in inches, e.g. 8x4.5; else the book's")
    parser.add_argument("--to", type=parse_path, help="the file to write; else NAME.svg, here")
    arguments = parser.parse_args(words)
    path = arguments.to or Path(f"{arguments.name}.svg")
    try:
        draw(arguments.name, path, arguments.size)
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
