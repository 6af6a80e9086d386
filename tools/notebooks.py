"""Text twins and stored notebooks: reading, normalising, writing.

`sources/NN_slug.md` is what an author edits; `chapters/NN_slug.ipynb` holds the same cells,
executed. A stored notebook is *normalised*: whatever a second run could change without meaning
anything (ids, times, versions, widget state, counts after a restart) is fixed or removed, so that
a run of an unchanged chapter leaves the file byte for byte as it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from copy import deepcopy
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbformat import NotebookNode

from tools.environment import CHAPTERS, SOURCES
from tools.pictures import normalise_base64, with_round_coordinates

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "pygments_lexer": "ipython3",
    },
}
# Traces of a run or of an editor; everything else in a cell's metadata was written by an author.
NOT_AN_AUTHORS = ("execution", "collapsed", "scrolled", "trusted", "editable", "jupyter")
# A cell that begins like this is run only where the package is installed (see conftest.py).
REQUIRES = re.compile(r"%%requires[ \t]+([\w.]+)[ \t]*(?:\n|$)")


def source_path(slug: str) -> Path:
    return SOURCES / f"{slug}.md"


def notebook_path(slug: str) -> Path:
    return CHAPTERS / f"{slug}.ipynb"


def slugs() -> list[str]:
    """Every chapter that has a source or a notebook, in the book's order."""
    found = {path.stem for path in SOURCES.glob("*.md")}
    return sorted(found | {path.stem for path in CHAPTERS.glob("*.ipynb")})


def read_source(slug: str) -> NotebookNode:
    """The text twin as a notebook without outputs."""
    text = source_path(slug).read_text(encoding="utf-8")
    notebook: NotebookNode = jupytext.reads(text, fmt="md:myst")
    return notebook


def read_notebook(slug: str) -> NotebookNode:
    notebook: NotebookNode = nbformat.read(notebook_path(slug), as_version=4)
    return notebook


def tags(cell: NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", []))


def normalise(notebook: NotebookNode, slug: str) -> NotebookNode:
    """A copy of `notebook` in the one form in which it is stored."""
    cells = []
    count = 0
    for position, cell in enumerate(notebook.cells, start=1):
        # A cell that was never run keeps its missing count: the tests must see it.
        if cell.cell_type == "code" and cell.execution_count is not None:
            count += 1
        cells.append(_normalise_cell(cell, f"{slug.replace('_', '-')}-{position:03d}", count))
    return NotebookNode(
        cells=cells, metadata=nbformat.from_dict(NOTEBOOK_METADATA), nbformat=4, nbformat_minor=5
    )


def _normalise_cell(cell: NotebookNode, identifier: str, count: int) -> NotebookNode:
    metadata = {k: deepcopy(v) for k, v in cell.metadata.items() if k not in NOT_AN_AUTHORS}
    normal = NotebookNode(
        cell_type=cell.cell_type, id=identifier, metadata=metadata, source=cell.source
    )
    if cell.cell_type == "code":
        normal.execution_count = None if cell.execution_count is None else count
        outputs = [_normalise_output(output, normal.execution_count) for output in cell.outputs]
        normal.outputs = _join_streams([output for output in outputs if output is not None])
    elif "attachments" in cell:
        normal.attachments = deepcopy(cell.attachments)
    return normal


def _normalise_output(output: NotebookNode, count: int | None) -> NotebookNode | None:
    """The output as stored; None for one that only a running kernel could show."""
    normal = deepcopy(output)
    if normal.output_type == "error":
        # The traceback names folders of this machine; name and text are what the page shows.
        normal.traceback = [f"{normal.ename}: {normal.evalue}"]
    if normal.output_type not in ("display_data", "execute_result"):
        return normal
    is_widget = normal.data.pop(WIDGET_VIEW, None) is not None
    if is_widget and not normal.data.keys() - {"text/plain"}:
        return None
    if "image/png" in normal.data:
        normal.data["image/png"] = normalise_base64(normal.data["image/png"])
    if "image/svg+xml" in normal.data:
        normal.data["image/svg+xml"] = with_round_coordinates(normal.data["image/svg+xml"])
    if normal.output_type == "execute_result":
        normal.execution_count = count
    normal.pop("transient", None)
    return normal


def _join_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join neighbouring pieces of one stream: where a kernel cuts it is a matter of timing."""
    joined: list[NotebookNode] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if last and output.output_type == last.output_type == "stream" and last.name == output.name:
            last.text += output.text
        else:
            joined.append(output)
    return joined


def to_text(notebook: NotebookNode) -> str:
    """The notebook file's text: sorted keys, one line a source line, final newline."""
    nbformat.validate(notebook)
    text: str = nbformat.writes(notebook, version=nbformat.NO_CONVERT)
    return text.rstrip("\n") + "\n"


def write(notebook: NotebookNode, path: Path) -> bool:
    """Write the file if its bytes change, in one step, and say whether they did."""
    new = to_text(notebook).encode("utf-8")
    if path.exists() and path.read_bytes() == new:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_bytes(new)
    unfinished.replace(path)
    return True


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def required_package(cell: NotebookNode) -> str | None:
    """The package, beyond the book's own, that a code cell declares in its first line."""
    declared = REQUIRES.match(cell.source) if cell.cell_type == "code" else None
    return declared[1] if declared else None


def missing_packages(cells: Iterable[NotebookNode]) -> list[str]:
    """The packages that these cells declare and that are not installed here."""
    needed = {name for cell in cells if (name := required_package(cell))}
    return sorted(name for name in needed if find_spec(name) is None)


def figure_metadata(cell: NotebookNode) -> dict[str, Any]:
    """The cell's `mystnb` block: alternative text, caption and name of its figure."""
    return dict(cell.metadata.get("mystnb", {}))
