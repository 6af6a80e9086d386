"""JupyterLab: a figure moved from both sides, and a chapter's text as readers see it there."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest
from nbformat import NotebookNode

from tools.jupyter import Server, running_server
from tools.notebooks import read_notebook

if TYPE_CHECKING:
    from playwright.sync_api import Page

# `make binder` names the Python of the environment that it has made.
PYTHON = os.environ.get("JUPYTER_PYTHON", sys.executable)
if "JUPYTER_PYTHON" not in os.environ and not importlib.util.find_spec("jupyterlab"):
    pytest.skip("JupyterLab is not installed.", allow_module_level=True)

TESTS = Path(__file__).parent
CELLS = [
    f"import sys; sys.path.insert(0, {str(TESTS)!r}); import live_examples as examples",
    "figure = examples.curve(); figure",
    "figure.values = {'z': 2.5}",
    "print('values', figure.values)",
    "trace = examples.explorer(); trace",
]
CHAPTER = "07_hand_trace"
# A box, and an equation with a label.
MARKUP = (":::{admonition} Predict", "$$ (trace-forward)")


def write(path: Path, cells: list[NotebookNode]) -> None:
    """Make a notebook that knows its kernel, so that JupyterLab does not ask for one."""
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    nbformat.write(notebook, path)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A JupyterLab of its own, with a notebook of figures and one of text."""
    folder = tmp_path_factory.mktemp("lab")
    texts = [cell for cell in read_notebook(CHAPTER).cells if cell.cell_type == "markdown"]
    texts = [cell for cell in texts if any(mark in cell.source for mark in MARKUP)]
    write(folder / "figure.ipynb", [nbformat.v4.new_code_cell(cell) for cell in CELLS])
    write(folder / "text.ipynb", texts)
    variables = {**os.environ, "HOME": str(folder)}
    with running_server([PYTHON, "-m", "jupyterlab"], folder, variables) as server:
        yield server


def open_in(lab: Server, name: str, open_page: Callable[..., Page]) -> Page:
    """A notebook of the server, in a tab with time to wait."""
    page = open_page(f"{lab.url}/lab/tree/{name}.ipynb?reset&token={lab.token}", height=1600)
    page.set_default_timeout(60_000)
    return page


def test_text_reads_as_in_the_book(lab: Server, open_page: Callable[..., Page]) -> None:
    asked = subprocess.run([PYTHON, "-c", "import jupyterlab_myst"], capture_output=True)
    if asked.returncode and "JUPYTER_PYTHON" not in os.environ:
        pytest.skip("jupyterlab-myst is not installed (requirements-jupyter.txt).")
    page = open_in(lab, "text", open_page)
    cells = page.locator(".jp-MarkdownCell")
    page.locator("aside, .admonition", has_text="Predict before you read on").wait_for()
    assert cells.count() == len(MARKUP)
    cells.locator(".katex-display").first.wait_for()
    shown = "\n".join(cells.all_inner_texts())
    assert ":::" not in shown
    assert "trace-forward" not in shown
    assert re.search(r"^\(1\)$", shown, re.MULTILINE), "the equation has its number"


def test_figure_is_alive_in_jupyterlab(lab: Server, open_page: Callable[..., Page]) -> None:
    page = open_in(lab, "figure", open_page)
    page.get_by_text("import live_examples").wait_for()
    # What is run before the kernel is there is lost; the status bar says when it is.
    page.get_by_text("| Idle").wait_for()

    def run() -> None:
        page.keyboard.press("Shift+Enter")

    page.locator(".jp-Cell .cm-content").first.click()
    run()
    run()
    curve = page.locator(".lf").first
    readout = curve.locator("dd").first
    assert readout.text_content() == "0.731059"
    # From Python to the page ...
    run()
    page.wait_for_function("() => document.querySelector('.lf dd').textContent === '0.924142'")
    # ... and back, by keyboard, in spite of the notebook's own shortcuts.
    curve.locator("input[type=range]").first.press("ArrowLeft")
    assert readout.text_content() == "0.916827"
    page.locator(".jp-Cell .cm-content").nth(3).click()
    run()
    page.get_by_text("values {'z': 2.4}").wait_for()
    run()
    trace = page.locator(".lf", has_text="Line forward")
    trace.get_by_role("button", name="Back, layer 2").click()
    assert "0.08217" in trace.inner_text()
    assert trace.locator("svg").first.bounding_box()["width"] > 300
