"""Would the chapters say the same in a reader's browser? `make litecheck` asks in two ways.

Here: every cell of every chapter is executed with the versions of numpy, matplotlib and their kin
that the browser gets, in an environment of its own, and compared with what is stored. Drawings are
made, but not compared: another matplotlib sets its letters a little differently.

In a browser (tests/package/test_lite_site.py): Chromium opens the built site and executes what can
be executed where numpy's server cannot be reached.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path

from packaging.specifiers import SpecifierSet

from tools import pyodide
from tools.environment import ROOT, locked_versions
from tools.lite import BOOK, LIST, TARGET
from tools.lock import without_lock
from tools.package import metadata

PYTHON = TARGET / "static" / "pyodide"
BROWSER_TESTS = "tests/package/test_lite_site.py"
# A plugin for pytest that lets nbval look away from drawings.
WITHOUT_DRAWINGS = """
import pytest

@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    for item in items:
        item.parent.skip_compare = (*item.parent.skip_compare, "image/svg+xml")
"""


def used_packages(folder: Path) -> dict[str, pyodide.Entry]:
    """The packages that a chapter uses in the browser, the book's own aside."""
    packages = json.loads((folder / LIST).read_text(encoding="utf-8"))["packages"]
    used = pyodide.needed_by(packages, ["ipython", BOOK])
    return {name: packages[name] for name in used if name != BOOK}


def suits(wheel: Path, python: str) -> bool:
    """Whether a wheel may be installed for this Python; one that is not here may."""
    wanted = metadata(wheel)["Requires-Python"] if wheel.is_file() else None
    return wanted is None or SpecifierSet(wanted).contains(python)


def pins(folder: Path, python: str) -> tuple[dict[str, str], list[str]]:
    """The browser's versions in place of the locked ones, and those for which Python is too old."""
    chosen = locked_versions()
    refused = []
    for name, entry in used_packages(folder).items():
        if suits(folder / entry["file_name"], python):
            chosen[name] = entry["version"]
        else:
            refused.append(f"{name} {entry['version']}")
    return chosen, refused


def environment(folder: Path, versions: dict[str, str]) -> Path:
    """Install the book in these versions, with the browser's own wheel; return its Python."""
    lines = [f"{name}=={version}\n" for name, version in versions.items()]
    (folder / "pins.txt").write_text("".join(lines), encoding="utf-8")
    files = [ROOT / "requirements.txt", ROOT / "requirements-book.txt"]
    *_, requirements = without_lock(files, folder)
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    pip = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    pinned = ["-c", str(folder / "pins.txt"), "-r", str(requirements)]
    (wheel,) = PYTHON.glob("backprop_lib-*.whl")
    subprocess.run([*pip, *pinned], check=True)
    subprocess.run([*pip, "--no-deps", str(wheel)], check=True)
    return python


def compare_chapters(python: Path, folder: Path) -> int:
    """Execute every cell of the book and compare all but drawings."""
    (folder / "without_drawings.py").write_text(WITHOUT_DRAWINGS, encoding="utf-8")
    command = [str(python), "-m", "pytest", "-q", "-p", "without_drawings"]
    words = ["-p", "no:cacheprovider", "--nbval", "--nbval-current-env", "chapters"]
    variables = os.environ | {"PYTHONPATH": str(folder)}
    return subprocess.run([*command, *words], cwd=ROOT, env=variables, check=False).returncode


def main(words: Sequence[str] | None = None) -> int:
    if not (PYTHON / LIST).is_file():
        print("There is no site for the browser yet: run `make lite` first.", file=sys.stderr)
        return 1
    versions, refused = pins(PYTHON, platform.python_version())
    print("The chapters with", ", ".join(f"{n} {versions[n]}" for n in ("numpy", "matplotlib")))
    if refused:
        print(f"(not with {', '.join(refused)}: too new for Python {platform.python_version()})")
    with tempfile.TemporaryDirectory(prefix="lite-") as name:
        folder = Path(name)
        differs = compare_chapters(environment(folder, versions), folder)
    browser = [sys.executable, "-m", "pytest", "-q", "-m", "slow", BROWSER_TESTS]
    return differs or subprocess.run(browser, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
