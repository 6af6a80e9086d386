"""The same modules under a kernel: a figure in JupyterLab, moved from both sides."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest

from tools.jupyter import running_server

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


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a notebook in a JupyterLab of its own."""
    folder = tmp_path_factory.mktemp("lab")
    cells = [nbformat.v4.new_code_cell(cell) for cell in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    nbformat.write(notebook, folder / "figure.ipynb")
    variables = {**os.environ, "HOME": str(folder)}
    with running_server([PYTHON, "-m", "jupyterlab"], folder, variables) as server:
        yield f"{server.url}/lab/tree/figure.ipynb?reset&token={server.token}"


def test_figure_is_alive_in_jupyterlab(lab: str, open_page: Callable[..., Page]) -> None:
    page = open_page(lab, height=1600)
    page.set_default_timeout(60_000)
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
