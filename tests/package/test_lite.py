"""What the site for the browser is made from: packages, chapters, Python. Nothing is built here.

The built site is opened and executed by tests/package/test_lite_site.py (`make litecheck`).
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from packaging.requirements import Requirement

from tools import lite, lite_check, pyodide
from tools.environment import ROOT, locked_versions

BROWSER = {"python_version": "3.14", "sys_platform": "emscripten"}
HOME = "https://example.org/v1/full/"

Wheels = Callable[..., Path]


@pytest.fixture
def wheel(tmp_path: Path) -> Wheels:
    """Make a wheel of one module that says what it needs."""

    def make(name: str, version: str = "1.0", *needs: str, python: str = "") -> Path:
        path = tmp_path / f"{name}-{version}-py3-none-any.whl"
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        lines += [f"Requires-Dist: {need}" for need in needs]
        lines += [f"Requires-Python: {python}"] if python else []
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"{name}/__init__.py", "")
            archive.writestr(f"{name}-{version}.dist-info/METADATA", "\n".join(lines) + "\n")
        return path

    return make


def listed(name: str, version: str, *depends: str, plain: bool = False) -> pyodide.Entry:
    kind = "py3-none-any" if plain else "cp314-cp314-wasm32"
    return {
        "name": name,
        "version": version,
        "file_name": f"{name}-{version}-{kind}.whl",
        "imports": [name],
        "depends": list(depends),
    }


def refuse(requirement: Requirement) -> Path:
    raise AssertionError(f"{requirement} was asked for")


# --- The list of packages -------------------------------------------------------------------------


def test_a_wheel_is_named_with_its_checksum_and_its_modules(wheel: Wheels) -> None:
    packages: pyodide.Packages = {"numpy": listed("numpy", "2.4.6")}
    (added,) = pyodide.add(packages, [wheel("my_book", "2.0", "numpy>=2")], refuse, BROWSER)
    entry = packages["my-book"]
    assert entry["file_name"] == added.name == "my_book-2.0-py3-none-any.whl"
    assert entry["sha256"] == pyodide.checksum(added)
    assert entry["version"] == "2.0"
    assert entry["imports"] == ["my_book"]
    assert entry["depends"] == ["numpy"]


def test_what_is_missing_or_too_old_is_found_with_what_it_needs(wheel: Wheels) -> None:
    packages: pyodide.Packages = {
        "loader": listed("loader", "0.5"),
        "numpy": listed("numpy", "2.4.6"),
    }
    there = {"loader": wheel("loader", "0.6"), "widget": wheel("widget", "1.0", "signal")}
    there["signal"] = wheel("signal")
    book = wheel("book", "1.0", "loader>=0.6", "numpy", "widget")
    added = pyodide.add(packages, [book], lambda needed: there[needed.name], BROWSER)
    assert {path.name.partition("-")[0] for path in added} == {"book", *there}
    assert packages["loader"]["version"] == "0.6"
    assert packages["numpy"]["file_name"].endswith("wasm32.whl")
    assert pyodide.needed_by(packages, ["book"]) == ["book", "loader", "numpy", "signal", "widget"]


def test_what_the_browser_does_not_need_is_not_asked_for(wheel: Wheels) -> None:
    needs = [
        'colorama; sys_platform == "win32"',
        'pytest; extra == "test"',
        "jupyterlab_widgets~=3.0",
        "widgetsnbextension~=4.0",
    ]
    packages: pyodide.Packages = {}
    pyodide.add(packages, [wheel("book", "1.0", *needs)], refuse, BROWSER)
    assert packages["book"]["depends"] == []


def test_the_books_extras_are_needed(wheel: Wheels) -> None:
    needs = ['matplotlib>=3.8; extra == "plots"', 'anywidget; extra == "live"']
    packages: pyodide.Packages = {
        "matplotlib": listed("matplotlib", "3.10.8"),
        "anywidget": listed("anywidget", "0.11"),
    }
    pyodide.add(packages, [wheel("book", "1.0", *needs)], refuse, BROWSER)
    assert packages["book"]["depends"] == ["matplotlib", "anywidget"]


def test_a_requirement_that_the_lock_cannot_meet_is_named() -> None:
    with pytest.raises(SystemExit, match=r"needs numpy>=99; constraints\.txt has 2\."):
        lite.locked_wheel(Requirement("numpy>=99"), "3.14")
    with pytest.raises(SystemExit, match=r"no version of it"):
        lite.locked_wheel(Requirement("nobody-has-this"), "3.14")


@pytest.fixture
def completed(wheel: Wheels, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A small list, completed by a book that needs a compiled package and two plain ones."""
    first = {name: listed(name, "1.0", plain=True) for name in lite.FIRST}
    content = {
        "info": {"python": "3.14.2"},
        "packages": first
        | {
            "numpy": listed("numpy", "2.4.6"),
            "tqdm": listed("tqdm", "4.67.3", plain=True) | {"sha256": "of another wheel"},
            "scipy": listed("scipy", "1.0", "numpy"),
        },
    }

    def fetch(versions: Any, python: str) -> list[Path]:
        assert python == "3.14"
        return [wheel(name, version) for name, version in versions]

    monkeypatch.setattr(lite, "fetch_wheels", fetch)
    book = wheel("backprop_lib", "1.0", "numpy", "tqdm", "lazy-loader>=0.6")
    served = lite.complete(content, HOME, [book])
    content["served"] = {path.name for path in served}
    return content


def test_plain_packages_are_served_by_the_book_and_compiled_ones_are_not(
    completed: dict[str, Any],
) -> None:
    packages = completed["packages"]
    names = {name: entry["file_name"] for name, entry in packages.items()}
    elsewhere = {name for name, file in names.items() if file.startswith(HOME)}
    assert elsewhere == {"numpy", "scipy"}
    assert {names[name] for name in names.keys() - elsewhere} == completed["served"]
    assert (
        names["lazy-loader"] == f"lazy-loader-{locked_versions()['lazy-loader']}-py3-none-any.whl"
    )
    assert lite.from_elsewhere(packages) == ["numpy 2.4.6"]


def test_the_checksum_is_that_of_the_wheel_that_is_served(
    completed: dict[str, Any], tmp_path: Path
) -> None:
    entry = completed["packages"]["tqdm"]
    assert entry["sha256"] == pyodide.checksum(tmp_path / entry["file_name"])


# --- What the chapters ask for --------------------------------------------------------------------


def test_what_no_package_provides_is_named() -> None:
    packages = {name: listed(name, "1.0") for name in lite.FIRST}
    provided = ["backprop_lib", "numpy", "matplotlib", "matplotlib_inline", "IPython"]
    provided += ["anywidget", "traitlets", "lazy_loader", "tqdm", "cycler"]
    packages[lite.BOOK] = listed("backprop_lib", "1.0") | {"imports": provided}
    cells = [
        new_code_cell("import numpy as np\nfrom math import pi\nfrom matplotlib import pyplot"),
        new_code_cell("%%requires torch\nimport torch"),
    ]
    assert lite.problems(packages, {"01": new_notebook(cells=cells)}) == []
    cells.append(new_code_cell("def later():\n    from scipy.special import expit"))
    (said,) = lite.problems(packages, {"01": new_notebook(cells=cells)})
    assert said == "01 imports scipy, which no package of the list provides"


def test_chapters_keep_their_text_in_one_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chapters = tmp_path / "chapters"
    (chapters / "data").mkdir(parents=True)
    (chapters / "data" / "numbers.npz").write_bytes(b"\x00\xff")
    out = new_output("stream", name="stdout", text="1\n2\n")
    cell = new_code_cell("for i in (1, 2):\n    print(i)", outputs=[out], execution_count=1)
    nbformat.write(new_notebook(cells=[cell]), chapters / "01_one.ipynb")
    monkeypatch.setattr(lite, "CHAPTERS", chapters)

    stage = tmp_path / "stage"
    stage.mkdir()
    assert lite.stage_chapters(stage).keys() == {"01_one.ipynb"}
    assert (stage / "data" / "numbers.npz").read_bytes() == b"\x00\xff"
    (stored,) = json.loads((stage / "01_one.ipynb").read_text(encoding="utf-8"))["cells"]
    assert stored["metadata"]["trusted"], "JupyterLab would hide its drawings"
    assert stored["source"] == cell.source
    assert stored["outputs"][0]["text"] == "1\n2\n"
    staged, book = (nbformat.read(f / "01_one.ipynb", as_version=4) for f in (stage, chapters))
    assert staged.cells == book.cells


# --- Fetching Python ------------------------------------------------------------------------------


@pytest.fixture
def downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(lite, "DOWNLOADS", tmp_path)
    monkeypatch.setattr(lite, "CHECKSUMS", {"1.2.3": "0" * 64})
    return tmp_path


def test_without_npm_the_repair_is_said(downloads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(downloads))
    with pytest.raises(SystemExit, match=r"`npm` was not found(?s:.*)apt-get install npm"):
        lite.fetch_pyodide("1.2.3")


def test_npms_own_words_are_passed_on(downloads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = downloads / "npm"
    npm.write_text("#!/bin/sh\necho no such version >&2\nexit 1\n", encoding="utf-8")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(downloads))
    with pytest.raises(SystemExit, match=r"npm cannot fetch pyodide@1\.2\.3:\nno such version"):
        lite.fetch_pyodide("1.2.3")


def test_a_changed_package_is_refused_and_removed(downloads: Path) -> None:
    path = downloads / "pyodide-1.2.3.tgz"
    path.write_bytes(b"something else")
    with pytest.raises(SystemExit, match=f"found     {pyodide.checksum(path)}"):
        lite.fetch_pyodide("1.2.3")
    assert not path.exists()


def test_a_package_that_is_there_is_not_fetched_again(
    downloads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = downloads / "pyodide-1.2.3.tgz"
    path.write_bytes(b"the package")
    monkeypatch.setattr(lite, "CHECKSUMS", {"1.2.3": pyodide.checksum(path)})
    monkeypatch.setenv("PATH", str(downloads))
    assert lite.fetch_pyodide("1.2.3") == path


def test_an_unknown_version_is_refused(downloads: Path) -> None:
    with pytest.raises(SystemExit, match=r"asks for Pyodide 9\.9\.9, but .* knows(?s:.*)1\.2\.3"):
        lite.fetch_pyodide("9.9.9")


def test_a_missing_kernel_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"not installed(?s:.*)requirements-lite\.txt"):
        lite.home_of_pyodide(tmp_path / "kernel")


def test_the_installed_kernel_asks_for_a_pyodide_that_is_known() -> None:
    kernel = lite.EXTENSIONS / lite.KERNEL
    if not kernel.is_dir():
        pytest.skip("the kernel for the browser is not installed (`make lite`)")
    assert lite.version_in(lite.home_of_pyodide(kernel)) in lite.CHECKSUMS


# --- Which versions are compared ------------------------------------------------------------------


def test_the_browsers_versions_stand_in_for_the_locked_ones(wheel: Wheels, tmp_path: Path) -> None:
    plain = {
        "ipython": listed("ipython", "9.9", "tqdm", plain=True),
        "tqdm": listed("tqdm", "0.1", plain=True),
    }
    plain["ipython"]["file_name"] = wheel("ipython", "9.9", python=">=3.12").name
    plain["tqdm"]["file_name"] = wheel("tqdm", "0.1", python=">=3.7").name
    numpy = listed("numpy", "2.0") | {"file_name": f"{HOME}numpy-2.0-wasm32.whl"}
    packages = plain | {"numpy": numpy, lite.BOOK: listed("backprop_lib", "1.0", "numpy")}
    (tmp_path / lite.LIST).write_text(json.dumps({"packages": packages}), encoding="utf-8")

    chosen, refused = lite_check.pins(tmp_path, "3.11.7")
    locked = locked_versions()
    assert (chosen["numpy"], chosen["tqdm"]) == ("2.0", "0.1")
    assert chosen["ipython"] == locked["ipython"]
    assert chosen["matplotlib"] == locked["matplotlib"]
    assert refused == ["ipython 9.9"]
    assert lite_check.pins(tmp_path, "3.13.0")[1] == []


# --- What is promised -----------------------------------------------------------------------------


def test_the_published_site_holds_the_notebooks_for_the_browser() -> None:
    workflow = (ROOT / ".github" / "workflows" / "site.yml").read_text(encoding="utf-8")
    assert workflow.index("run: make lite\n") < workflow.index("actions/upload-pages-artifact")
