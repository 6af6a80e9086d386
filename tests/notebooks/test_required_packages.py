"""Cells that begin with `%%requires torch`: compared where it is installed, else passed over.

What is stored for such a cell is true, no other cell leans on it, and the rest of its chapter runs
without the package.
"""

from __future__ import annotations

import re
import subprocess
import symtable
import sys
from copy import deepcopy
from importlib.util import find_spec
from pathlib import Path

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from tools import book
from tools.comparison import run_differences
from tools.environment import ROOT
from tools.execution import execute
from tools.notebooks import (
    code_cells,
    missing_packages,
    normalise,
    notebook_path,
    read_notebook,
    read_source,
    required_package,
    slugs,
    to_text,
)

MAGIC = """\
from importlib.util import find_spec

from IPython import get_ipython
from IPython.core.magic import register_cell_magic

@register_cell_magic
def requires(package, cell):
    if find_spec(package) is None:
        print("passed over")
    else:
        get_ipython().run_cell(cell).raise_error()
"""
EXECUTED = [slug for slug in slugs() if notebook_path(slug).exists()]
DECLARING = [
    slug for slug in EXECUTED if any(map(required_package, code_cells(read_notebook(slug))))
]


def compare(notebook: NotebookNode, folder: Path) -> str:
    """What nbval with the hooks of the book says of a notebook that lies elsewhere."""
    path = folder / "notebook.ipynb"
    path.write_text(to_text(notebook), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "--color=no"]
    options = ["-p", "conftest", "-p", "no:cacheprovider", "-p", "no:xdist", f"--rootdir={ROOT}"]
    words = [*command, *options, f"--config-file={ROOT / 'pyproject.toml'}", str(path)]
    ran = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert ran.returncode in (0, 1), ran.stdout + ran.stderr
    return ran.stdout


def executed(*sources: str) -> NotebookNode:
    notebook = new_notebook(cells=[new_code_cell(source) for source in (MAGIC, *sources)])
    execute(notebook)
    return normalise(notebook, "00_small")


def test_where_the_package_is_missing_exactly_its_cells_are_skipped(tmp_path: Path) -> None:
    notebook = executed("%%requires no_such_package\nprint(0.25)", "print(0.5)")
    said = compare(notebook, tmp_path)
    assert "2 passed, 1 skipped" in said
    assert "this cell needs no_such_package, not installed here" in said


def test_where_the_package_is_installed_the_cell_is_compared(tmp_path: Path) -> None:
    notebook = executed("%%requires numpy\nimport numpy\nprint(numpy.sqrt(0.0625))")
    assert "2 passed" in compare(notebook, tmp_path)
    notebook.cells[1].outputs[0].text = "0.26\n"
    said = compare(notebook, tmp_path)
    assert "1 failed, 1 passed" in said
    assert "0.26" in said


def test_an_error_in_such_a_cell_is_not_swallowed() -> None:
    with pytest.raises(Exception, match="ZeroDivisionError"):
        executed("%%requires numpy\n1 / 0")


def test_only_a_first_line_declares() -> None:
    sources = ("%%requires torch\nx", "%%requires  torch ", "x\n%%requires torch", "%%requires\nx")
    declared = [required_package(new_code_cell(source)) for source in sources]
    assert declared == ["torch", "torch", None, None]


@pytest.mark.parametrize("action", [book.run_chapter, book.verify_chapter])
def test_nothing_is_stored_or_verified_without_the_package(
    action: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = EXECUTED[0]
    notebook = new_notebook(cells=[new_code_cell("%%requires no_such_package\n1")])
    monkeypatch.setattr(book, "read_source", lambda slug: notebook)
    monkeypatch.setattr(book, "execute", lambda notebook: pytest.fail("it was run"))
    before = notebook_path(slug).read_bytes()
    assert callable(action)
    outcome = action(slug)
    assert "needs no_such_package, not installed here" in outcome.problems[0]
    assert notebook_path(slug).read_bytes() == before


def declared_by_the_oracles() -> set[str]:
    text = (ROOT / "requirements-oracles.txt").read_text(encoding="utf-8")
    return set(re.findall(r"^([\w-]+)", text, flags=re.MULTILINE))


@pytest.mark.parametrize("slug", DECLARING)
def test_what_is_required_is_what_continuous_integration_installs(slug: str) -> None:
    required = {required_package(cell) for cell in code_cells(read_notebook(slug))} - {None}
    assert required <= declared_by_the_oracles()


def names(cell: NotebookNode) -> tuple[set[str], set[str]]:
    """The global names that a cell binds, and those that it or a function in it reads."""
    top = symtable.symtable(re.sub(r"^%%.*\n?", "", cell.source), "cell", "exec")
    bound = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    read = {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    inner = top.get_children()
    while inner:
        table = inner.pop()
        read |= {s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced()}
        inner += table.get_children()
    return bound, read


def leaning_cells(notebook: NotebookNode) -> list[tuple[int, set[str]]]:
    """Cells that read a name a cell with another requirement has bound, with these names."""
    bound_by: dict[str | None, set[str]] = {}
    found = []
    for number, cell in enumerate(code_cells(notebook), start=1):
        package = required_package(cell)
        bound, read = names(cell)
        others = [b for owner, b in bound_by.items() if owner not in (None, package)]
        if leaned_on := read & set().union(*others):
            found.append((number, leaned_on))
        bound_by.setdefault(package, set()).update(bound)
    return found


@pytest.mark.parametrize("slug", DECLARING)
def test_no_cell_uses_what_only_another_package_defines(slug: str) -> None:
    assert leaning_cells(read_notebook(slug)) == []


def test_a_cell_that_leans_on_a_passed_over_one_is_found() -> None:
    needing = "%%requires torch\nx = 2\ndef f():\n    z = x\n    return z"
    sources = ("x = 1", needing, "def g():\n    return x, z", "%%requires torch\nf()")
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    assert leaning_cells(notebook) == [(3, {"x"})]


@pytest.mark.parametrize("slug", DECLARING)
def test_the_rest_of_the_chapter_runs_without_the_packages(slug: str) -> None:
    """Executed where none of them can be imported, every other cell gives what is stored."""
    stored, fresh = read_notebook(slug), read_source(slug)
    packages = {name for cell in code_cells(stored) if (name := required_package(cell))}
    hiding = f"import sys\nsys.modules.update(dict.fromkeys({sorted(packages)}))"
    fresh.cells.insert(0, new_code_cell(hiding))
    execute(fresh)
    del fresh.cells[0]
    fresh = normalise(fresh, slug)
    for ours, theirs in zip(fresh.cells, stored.cells, strict=True):
        if name := required_package(ours):
            assert f"{name} is not installed here" in ours.outputs[0].text
            ours.outputs = deepcopy(theirs.outputs)
    assert run_differences(stored, fresh) == []


def test_the_frameworks_are_looked_for_where_cells_look_for_them() -> None:
    cell = new_code_cell("%%requires torch\nimport torch")
    assert (missing_packages([cell]) == []) == (find_spec("torch") is not None)
