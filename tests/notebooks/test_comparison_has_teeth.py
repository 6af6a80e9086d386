"""`pytest --nbval` with the hooks of the book: honest notebooks pass, every forgery is caught."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

from tools import environment
from tools.execution import execute
from tools.notebooks import normalise, to_text

ROOT = environment.ROOT

# One cell for each kind of output; each shows a digit that a forger could change.
CELLS = {
    "stdout": 'print("loss 0.274811")',
    "text/plain": "0.728352",
    "text/html": 'from IPython.display import HTML\n\nHTML("<b>0.138499</b>")',
    "text/latex": 'from IPython.display import Latex\n\nLatex("$0.138499$")',
    "text/markdown": 'from IPython.display import Markdown\n\nMarkdown("0.138499")',
    "image/svg+xml": 'from IPython.display import SVG\n\nSVG("<svg><text>0.138499</text></svg>")',
    "error": 'raise ValueError("found 0.138499")',
    "image/png": "import matplotlib.pyplot as plt\n\nplt.plot([1, 2])\nplt.show()",
}


def forge_text(cell: NotebookNode, key: str) -> None:
    """Change the last digit that the cell shows."""

    def forged(text: str) -> str:
        changed = re.sub(r"\d(?=\D*$)", lambda digit: str((int(digit[0]) + 1) % 10), text, count=1)
        assert changed != text
        return changed

    for output in cell.outputs:
        if key == "stdout":
            output.text = forged(output.text)
        elif key == "error":
            output.evalue = forged(output.evalue)
        else:
            output.data[key] = forged(output.data[key])


def forge_picture(cell: NotebookNode, key: str) -> None:
    """Change one pixel by the smallest step there is."""
    data = cell.outputs[0].data
    with Image.open(io.BytesIO(b64decode(data[key]))) as picture:
        pixels = picture.convert("RGBA")
    red, green, blue, alpha = pixels.getpixel((20, 20))
    pixels.putpixel((20, 20), (red - 1 if red else 1, green, blue, alpha))
    file = io.BytesIO()
    pixels.save(file, "PNG")
    data[key] = b64encode(file.getvalue()).decode("ascii")


def forget_the_run(cell: NotebookNode, key: str) -> None:
    cell.execution_count = None
    cell.outputs = []


def ask_to_be_skipped(cell: NotebookNode, key: str) -> None:
    cell.metadata["tags"] = ["nbval-skip"]


@pytest.fixture(scope="module")
def honest() -> NotebookNode:
    notebook = new_notebook(cells=[new_code_cell(source) for source in CELLS.values()])
    for key, cell in zip(CELLS, notebook.cells, strict=True):
        if key == "error":
            cell.metadata["tags"] = ["raises-exception"]
    execute(notebook)
    return normalise(notebook, "00_honest")


def forged(honest: NotebookNode, forge: Callable[[NotebookNode, str], None]) -> NotebookNode:
    notebook = deepcopy(honest)
    for key, cell in zip(CELLS, notebook.cells, strict=True):
        forge(cell, key)
    return notebook


def forge_every_output(cell: NotebookNode, key: str) -> None:
    (forge_picture if key == "image/png" else forge_text)(cell, key)


def compare(notebook: NotebookNode, folder: Path) -> dict[int, str]:
    """Run nbval as CI does; the cells that are not green, each with what was said about it."""
    path = folder / "notebook.ipynb"
    path.write_text(to_text(notebook), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "--color=no"]
    # The hooks of the root conftest.py, for a notebook that lies elsewhere.
    options = ["-p", "conftest", "-p", "no:cacheprovider", "-p", "no:xdist", f"--rootdir={ROOT}"]
    words = [*command, *options, f"--config-file={ROOT / 'pyproject.toml'}", str(path)]
    ran = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert ran.returncode in (0, 1), ran.stdout + ran.stderr
    assert f"collected {len(CELLS)} items" in ran.stdout
    sections = re.split(r"^_+ .*?::Cell (\d+) _+$", ran.stdout, flags=re.MULTILINE)
    return {int(n): text for n, text in zip(sections[1::2], sections[2::2], strict=True)}


def test_an_honest_notebook_passes(honest: NotebookNode, tmp_path: Path) -> None:
    assert compare(honest, tmp_path) == {}


def test_every_changed_digit_and_pixel_is_caught(honest: NotebookNode, tmp_path: Path) -> None:
    found = compare(forged(honest, forge_every_output), tmp_path)
    expected = set(range(len(CELLS)))
    if environment.why_pictures_may_differ():
        expected.remove(list(CELLS).index("image/png"))
    assert set(found) == expected
    said = dict(zip(CELLS, (found.get(n, "") for n in range(len(CELLS))), strict=True))
    assert "0.274811" in said["stdout"]
    assert "0.274812" in said["stdout"]


@pytest.mark.parametrize(
    ("forge", "words"),
    [(forget_the_run, "never executed"), (ask_to_be_skipped, "asks to be skipped")],
)
def test_no_cell_escapes(
    forge: Callable[[NotebookNode, str], None], words: str, honest: NotebookNode, tmp_path: Path
) -> None:
    found = compare(forged(honest, forge), tmp_path)
    assert set(found) == set(range(len(CELLS)))
    assert all(words in said for said in found.values())


def test_the_kernel_is_in_the_fixed_environment(tmp_path: Path) -> None:
    """What a person has set does not reach a cell; what is pinned does."""
    source = "import os, sys\nprint(*[os.environ.get(name, '-') for name in NAMES])"
    names = ["PYTHONHASHSEED", "SOURCE_DATE_EPOCH", "TZ", "OMP_NUM_THREADS", "PYTHONSTARTUP"]
    notebook = new_notebook(cells=[new_code_cell(f"NAMES = {names}\n{source}")])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONHASHSEED", "7")
        patch.setenv("PYTHONSTARTUP", str(tmp_path / "startup.py"))
        execute(notebook)
    assert notebook.cells[0].outputs[0].text.split() == ["0", "0", "UTC", "1", "-"]
    nbformat.validate(notebook)
