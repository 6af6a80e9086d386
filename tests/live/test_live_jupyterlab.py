"""The same modules under a kernel: a figure in JupyterLab, moved from both sides."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import nbformat
import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

if not importlib.util.find_spec("jupyterlab"):
    pytest.skip("JupyterLab is not installed.", allow_module_level=True)

TESTS = Path(__file__).parent
CELLS = [
    f"import sys; sys.path.insert(0, {str(TESTS)!r}); import live_examples as examples",
    "figure = examples.curve(); figure",
    "figure.values = {'z': 2.5}",
    "print('values', figure.values)",
    "trace = examples.explorer(); trace",
]
START_S = 60


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a JupyterLab that serves a folder with one notebook."""
    folder = tmp_path_factory.mktemp("lab")
    cells = [nbformat.v4.new_code_cell(cell) for cell in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    nbformat.write(notebook, folder / "figure.ipynb")
    options = ["--no-browser", "--allow-root", "--ServerApp.port=0", "--IdentityProvider.token="]
    log = folder / "log.txt"
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options, f"--ServerApp.root_dir={folder}"],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "HOME": str(folder)},
        )
    try:
        yield wait_for_address(log)
    finally:
        server.terminate()
        server.wait(timeout=20)


def wait_for_address(log: Path) -> str:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if found := re.search(r"http://(?:localhost|127\.0\.0\.1):(\d+)/lab", log.read_text()):
            address = f"http://127.0.0.1:{found[1]}"
            urlopen(f"{address}/api").close()
            return address
        time.sleep(0.2)
    raise AssertionError(f"JupyterLab did not start:\n{log.read_text()}")


def test_figure_is_alive_in_jupyterlab(lab: str, open_page: Callable[..., Page]) -> None:
    page = open_page(f"{lab}/lab/tree/figure.ipynb?reset", height=1600)
    page.set_default_timeout(60_000)
    page.get_by_text("import live_examples").wait_for()
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()

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
