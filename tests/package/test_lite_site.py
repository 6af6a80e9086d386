"""The site for the browser, opened in Chromium: `make litecheck`, after `make lite`.

numpy comes from a server on the net, and no request leaves this machine. So what is executed is
what needs no numpy: all that is plain Python in a chapter, the rooms of the library that compute
with plain numbers, the standard library. The rest is executed outside of a browser, with the
browser's versions (tools/lite_check.py).
"""

from __future__ import annotations

import ast
import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import nbformat
import pytest

from tools import lite, pyodide
from tools.environment import CHAPTERS, LIBRARY
from tools.notebooks import code_cells
from tools.package import library_files, wheel_files

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.slow

CHAPTER = "05_chain_rule"
BOOT_TIMEOUT_MS = 300_000
# What intro.md says about all that a chapter loads from this site, its data aside.
ANNOUNCED = "16 MB where the server compresses what it sends, else 32 MB"
ANNOUNCED_MB = (16, 32)
PLAIN_ROOMS = ("expressions", "mistakes")
COMPILED = ("numpy", "matplotlib", "matplotlib_inline", "anywidget", "ipywidgets")

# Executes the code cells of a notebook where what was compiled cannot be imported: the standard
# output of each cell, or null for one that fails.
PLAIN_PYTHON = """
import contextlib, io, json, sys
cells, hidden = json.load(sys.stdin)
sys.modules.update(dict.fromkeys(hidden))
names, said = {"__name__": "__main__"}, []
for cell in cells:
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            exec(cell, names)
        said.append(out.getvalue())
    except Exception:
        said.append(None)
json.dump(said, sys.stdout)
"""
# Executes one cell of the open notebook; its outputs, as the notebook file would hold them.
RUN_CELL = """async (index) => {
  const panel = window.jupyterapp.shell.currentWidget;
  await panel.context.ready;
  await panel.sessionContext.ready;
  const notebook = panel.content;
  notebook.activeCellIndex = index;
  notebook.deselectAll();
  await window.jupyterapp.commands.execute("notebook:run-cell");
  return notebook.activeCell.model.outputs.toJSON();
}"""
# Adds a cell at the end of the open notebook; its index.
ADD_CELL = """(source) => {
  const model = window.jupyterapp.shell.currentWidget.content.model.sharedModel;
  model.insertCell(model.cells.length, {cell_type: "code", source});
  return model.cells.length - 1;
}"""
# Whether the browser would keep the open notebook in place of the site's.
IS_CHANGED = "() => window.jupyterapp.shell.currentWidget.context.model.dirty"
IS_READY = """() =>
  window.jupyterapp.shell.currentWidget.sessionContext.kernelDisplayStatus === "idle"
"""
# A notebook that is not trusted hides its drawings.
IS_TRUSTED = """() => {
  const cells = [...window.jupyterapp.shell.currentWidget.content.model.cells];
  return cells.filter((cell) => cell.type === "code").every((cell) => cell.trusted);
}"""
CODE_CELLS = """async () => {
  const panel = window.jupyterapp.shell.currentWidget;
  await panel.context.ready;
  const cells = [...panel.content.model.cells];
  return cells.flatMap((cell, index) => (cell.type === "code" ? [index] : []));
}"""


@pytest.fixture(scope="module")
def site() -> Path:
    """The built book, with the notebooks for the browser in it."""
    if not (lite.TARGET / "notebooks" / "index.html").is_file():
        pytest.skip("there is no site for the browser (`make lite`)")
    return lite.SITE


@pytest.fixture(scope="module")
def packages(site: Path) -> pyodide.Packages:
    text = (lite.TARGET / "static" / "pyodide" / lite.LIST).read_text(encoding="utf-8")
    found: pyodide.Packages = json.loads(text)["packages"]
    return found


# --- What lies in the site ------------------------------------------------------------------------


def test_the_chapters_are_those_of_the_book(site: Path) -> None:
    there = lite.TARGET / "files" / "chapters"
    stored = {path.name: path for path in CHAPTERS.glob("*.ipynb")}
    assert {path.name for path in there.glob("*.ipynb")} == set(stored)
    for name, path in stored.items():
        ours, theirs = (nbformat.read(file, as_version=4).cells for file in (path, there / name))
        assert ours == theirs, f"{name} has changed: run `make lite` again"
    for path in (CHAPTERS / "data").iterdir():
        assert (there / "data" / path.name).read_bytes() == path.read_bytes()


def test_the_library_is_that_of_the_book(site: Path, packages: pyodide.Packages) -> None:
    wheel = lite.TARGET / "static" / "pyodide" / packages[lite.BOOK]["file_name"]
    assert wheel_files(wheel) == library_files()


def test_every_package_that_is_served_has_its_checksum(
    site: Path, packages: pyodide.Packages
) -> None:
    folder = lite.TARGET / "static" / "pyodide"
    served = {p["file_name"]: p["sha256"] for p in packages.values() if "/" not in p["file_name"]}
    assert served.keys() == {path.name for path in folder.glob("*.whl")}
    for name, expected in served.items():
        assert pyodide.checksum(folder / name) == expected, name


def test_every_chapter_has_the_button_and_the_intro_says_what_it_loads(
    site: Path, packages: pyodide.Packages
) -> None:
    for path in CHAPTERS.glob("*.ipynb"):
        page = (site / "chapters" / f"{path.stem}.html").read_text(encoding="utf-8")
        assert f"../lite/notebooks/index.html?path=chapters/{path.name}" in page
        assert "numpy and matplotlib from the public server of Pyodide" in page
    intro = (site / "intro.html").read_text(encoding="utf-8")
    assert ANNOUNCED in intro
    # The intro names these: numpy, matplotlib, and the three packages that it draws with.
    names = {text.split()[0].lower() for text in lite.from_elsewhere(packages)}
    assert names == {"numpy", "matplotlib", "contourpy", "kiwisolver", "pillow"}
    (server,) = {
        urlsplit(p["file_name"]).netloc for p in packages.values() if "//" in p["file_name"]
    }
    assert server in intro


# --- In a browser ---------------------------------------------------------------------------------


class Lite:
    """A chapter, opened in Chromium from a folder within the server's."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.requested: set[str] = set()
        page.set_default_timeout(BOOT_TIMEOUT_MS)
        page.context.route("**/lite/jupyter-lite.json", self._hand_out_the_application)
        page.context.on("request", lambda request: self.requested.add(request.url))
        page.goto(f"{address}/lite/notebooks/index.html?path=chapters/{CHAPTER}.ipynb")
        page.wait_for_selector(".jp-Notebook")
        self.cells: list[int] = page.evaluate(CODE_CELLS)

    @staticmethod
    def _hand_out_the_application(route: Route) -> None:
        """Let the page name its application, so that a test can ask it to run a cell."""
        answer = route.fetch()
        content = answer.json()
        content["jupyter-config-data"]["exposeAppInBrowser"] = True
        route.fulfill(response=answer, json=content)

    def megabytes(self) -> tuple[float, float]:
        """What the requested files of the site weigh, compressed and not, the data aside."""
        names = {urlsplit(url).path.partition("/lite/")[2] for url in self.requested}
        paths = [lite.TARGET / name for name in names if not name.startswith("files/chapters/data")]
        files = [path.read_bytes() for path in paths if path.is_file()]
        return sum(len(gzip.compress(file)) for file in files) / 1e6, sum(map(len, files)) / 1e6

    def run(self, index: int) -> list[dict[str, Any]]:
        """Execute a cell of the notebook."""
        outputs: list[dict[str, Any]] = self.page.evaluate(RUN_CELL, index)
        return outputs

    def say(self, source: str) -> str:
        """Execute a text in a new cell; what it prints."""
        outputs = self.run(self.page.evaluate(ADD_CELL, source))
        assert [out["output_type"] for out in outputs] == ["stream"], outputs
        return str(outputs[0]["text"])


@pytest.fixture(scope="module")
def book(site: Path, serve: Callable[[Path | str], str], browser: Any) -> Iterator[Lite]:
    """One chapter for all tests; its kernel remembers what the tests before have executed."""
    # The pages of a forge lie in a folder of its server, too.
    context = browser.new_context(viewport={"width": 1280, "height": 900}, service_workers="allow")
    page = context.new_page()
    page.asked = []
    context.route(lambda url: not url.startswith("http://127.0.0.1:"), _refuse(page.asked))
    yield Lite(page, f"{serve(site.parent)}/{site.name}")
    context.close()


def _refuse(asked: list[str]) -> Callable[[Route], None]:
    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    return refuse


def in_cpython(sources: list[str]) -> list[str | None]:
    ran = subprocess.run(
        [sys.executable, "-c", PLAIN_PYTHON],
        input=json.dumps([sources, COMPILED]),
        cwd=CHAPTERS,
        capture_output=True,
        text=True,
        check=True,
    )
    said: list[str | None] = json.loads(ran.stdout)
    return said


def printed(outputs: list[dict[str, Any]]) -> str | None:
    if any(out["output_type"] == "error" for out in outputs):
        return None
    return "".join(out["text"] for out in outputs if out["output_type"] == "stream")


def test_to_open_a_chapter_does_not_change_it(book: Lite) -> None:
    book.page.wait_for_function(IS_READY)
    assert book.page.evaluate(IS_CHANGED) is False


def test_a_chapter_opens_with_its_boxes_and_drawings(book: Lite) -> None:
    book.page.locator(".jp-MarkdownCell aside").first.wait_for(state="attached")
    shown = book.page.locator(".jp-MarkdownCell").all_inner_texts()
    assert [text for text in shown if ":::" in text] == []
    assert book.page.evaluate(IS_TRUSTED)


def test_it_starts_without_another_server(book: Lite) -> None:
    assert book.say("import sys\nprint(sys.version.split()[0], sys.platform)") == (
        "3.14.2 emscripten\n"
    )
    assert book.page.asked == []


def test_a_chapter_prints_there_what_is_stored(book: Lite) -> None:
    stored = code_cells(nbformat.read(CHAPTERS / f"{CHAPTER}.ipynb", as_version=4))
    here = in_cpython([cell.source for cell in stored])
    there = [printed(book.run(index)) for index in book.cells[: len(stored)]]
    # A cell that fails in both for want of numpy proves nothing; one that fails in one, all.
    assert there == here
    expected = [printed(cell.outputs) for cell in stored]
    plain = [i for i, said in enumerate(here) if said]
    assert len(plain) >= 15
    assert [there[i] for i in plain] == [expected[i] for i in plain]


def test_what_is_announced_is_loaded_and_no_more(book: Lite, packages: pyodide.Packages) -> None:
    book.run(book.page.evaluate(ADD_CELL, "import backprop_lib.plots"))
    named = {package["file_name"] for package in packages.values()}
    asked = set(book.page.asked)
    assert asked <= named
    names = {p["name"] for p in packages.values() if p["file_name"] in asked}
    assert names == {text.split()[0] for text in lite.from_elsewhere(packages)}
    assert book.megabytes() == pytest.approx(ANNOUNCED_MB, abs=1)


@pytest.mark.parametrize("room", PLAIN_ROOMS)
def test_the_examples_of_a_plain_room_hold(book: Lite, room: str) -> None:
    source = (
        f"import doctest\nimport backprop_lib.{room} as room\n"
        "result = doctest.testmod(room)\nprint(result.failed, result.attempted)"
    )
    (here,) = in_cpython([source])
    assert here is not None
    assert here.startswith("0 ")
    assert here != "0 0\n"
    assert book.say(source) == here


def test_the_library_can_be_read_by_the_browsers_python(book: Lite) -> None:
    source = (
        "import backprop_lib, compileall\n"
        "print(compileall.compile_dir(backprop_lib.__path__[0], quiet=1, force=True))"
    )
    assert book.say(source) == "True\n"


def imported_modules() -> set[str]:
    """Modules of the standard library, parts included, that chapters and library import."""
    notebooks = [nbformat.read(path, as_version=4) for path in CHAPTERS.glob("*.ipynb")]
    texts = [cell.source for notebook in notebooks for cell in code_cells(notebook)]
    texts += [path.read_text(encoding="utf-8") for path in LIBRARY.rglob("*.py")]
    nodes = [
        node for text in texts if not text.startswith("%%") for node in ast.walk(ast.parse(text))
    ]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name for name in names if name.partition(".")[0] in sys.stdlib_module_names}


def test_the_standard_library_is_there(book: Lite) -> None:
    names = sorted(imported_modules())
    assert len(names) > 20
    source = (
        "from importlib import import_module\n"
        f"print(len([import_module(name) for name in {names}]))"
    )
    assert book.say(source) == f"{len(names)}\n"


def test_a_chapter_finds_its_data(book: Lite) -> None:
    path = CHAPTERS / "data" / "mnist.npz"
    source = (
        "import hashlib\nfrom pathlib import Path\n"
        "print(hashlib.sha256(Path('data/mnist.npz').read_bytes()).hexdigest())"
    )
    assert book.say(source) == f"{pyodide.checksum(path)}\n"


def test_a_figure_with_a_kernel_comes_alive(book: Lite) -> None:
    source = (
        "import anywidget\n"
        "class Alive(anywidget.AnyWidget):\n"
        "    _esm = \"export default {render({el}) {el.textContent = 'it is alive'}}\"\n"
        "Alive()"
    )
    book.run(book.page.evaluate(ADD_CELL, source))
    book.page.get_by_text("it is alive", exact=True).wait_for(state="attached")


def test_its_worker_keeps_to_its_own_folder(book: Lite) -> None:
    scopes = "async () => (await navigator.serviceWorker.getRegistrations()).map((r) => r.scope)"
    assert book.page.evaluate(scopes) == [f"{book.address}/lite/"]


def test_a_page_opened_as_a_file_offers_nothing_that_needs_a_server(
    site: Path, browser: Any
) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto((site / "chapters" / f"{CHAPTER}.html").as_uri())
    assert page.get_by_role("link", name="Run here").count() == 0
    assert page.get_by_role("link", name="Notebook").count() == 1
    context.close()
