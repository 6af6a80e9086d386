"""The book without solutions: none in any page or notebook, and all the rest as it was."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from copy import deepcopy
from html import unescape
from pathlib import Path
from typing import Any

import nbformat
import pytest
from built_pages import ROOT, TEXTS
from nbformat import NotebookNode

from backprop_lib.exercises import EXERCISES, check
from backprop_lib.exercises.form import unsealed, without_solution
from tools import handout
from tools.notebooks import code_cells, notebook_path, read_notebook, slugs, tags

SLUGS = [slug for slug in slugs() if notebook_path(slug).exists()]
# Their way is the chapter's own: the reader is asked to redo a line of the text, or to find one.
WAY_IN_THE_TEXT = {"03-jacobian", "07-delta-output", "07-delta-hidden", "07-dw1"}
# So short that it may stand anywhere.
SHORT = 20
FORM = re.compile(r"""data-live="form" data-state='([^']*)'""")


def words(text: str) -> str:
    return " ".join(text.split())


def visible(html: str) -> str:
    """The text of a page."""
    return words(unescape(re.sub(r"<[^>]*>", "", html)))


def forms(html: str) -> list[dict[str, Any]]:
    """What the forms of a page or an output know."""
    states = [json.loads(unescape(state)) for state in FORM.findall(html)]
    return [{"name": s["name"], **unsealed(s["name"], s["sealed"])} for s in states]


def outputs(notebook: NotebookNode) -> Iterator[tuple[NotebookNode, str, str]]:
    """Cell, kind and text of every output."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            for kind, text in {**output.get("data", {}), "stream": output.get("text", "")}.items():
                yield cell, kind, str(text)


def written(notebook: NotebookNode) -> str:
    """Everything of a notebook that can be read, its forms aside."""
    parts = [cell.source for cell in notebook.cells]
    parts += [text for _, kind, text in outputs(notebook) if "data-live" not in text]
    return words("\n".join(parts))


@pytest.fixture(scope="module")
def solutions() -> dict[str, str]:
    """The solutions, as the forms of the normal edition hold them."""
    stored = [text for slug in SLUGS for _, _, text in outputs(read_notebook(slug))]
    known = [form for text in stored if "data-live" in text for form in forms(text)]
    return {form["name"]: words(form["solution"]) for form in known}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole edition, as `make handout` builds it, in a folder of the test's own."""
    patch = pytest.MonkeyPatch()
    before = status()
    target = tmp_path_factory.mktemp("handout")
    patch.setattr(handout, "TARGET", target)
    patch.setenv("GITHUB_REPOSITORY", "somebody/fork")
    assert handout.main() == 0
    patch.undo()
    assert status() == before, "a handout must leave the sources as they are"
    return target


def status() -> str:
    command = ["git", "status", "--porcelain"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def reduced(slug: str) -> NotebookNode:
    return handout.without_solutions(read_notebook(slug))


# --- Notebooks ------------------------------------------------------------------------------------


def test_every_exercise_of_the_book_has_a_solution_to_be_left_out(
    solutions: dict[str, str],
) -> None:
    assert len(solutions) > 150
    assert all(solutions.values())


@pytest.mark.parametrize("slug", SLUGS)
def test_what_is_left_out_is_folded_code_among_the_exercises(slug: str) -> None:
    before, after = read_notebook(slug).cells, reduced(slug).cells
    names = {cell.id for cell in after}
    gone = [cell for cell in before if cell.id not in names]
    assert all(handout.FOLDED in tags(cell) for cell in gone)
    assert [cell.source for cell in after] == [c.source for c in before if c.id in names]
    assert not [cell.source for cell in after if re.search(r"^solution\(", cell.source, re.M)]
    assert not [cell.source for cell in after if handout.FOLDED in tags(cell)]


def names_of(source: str) -> tuple[set[str], set[str]]:
    """The names that code sets and those that it reads."""
    code = re.sub(r"^%.*$", "", source, flags=re.MULTILINE)
    nodes = list(ast.walk(ast.parse(code)))
    names = [node for node in nodes if isinstance(node, ast.Name)]
    set_here = {node.id for node in names if not isinstance(node.ctx, ast.Load)}
    set_here |= {n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    imports = [n for n in nodes if isinstance(n, ast.Import | ast.ImportFrom)]
    set_here |= {a.asname or a.name for n in imports for a in n.names}
    set_here |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    return set_here, {node.id for node in names if isinstance(node.ctx, ast.Load)}


@pytest.mark.parametrize("slug", SLUGS)
def test_no_cell_needs_what_was_left_out(slug: str) -> None:
    kept = {cell.id for cell in reduced(slug).cells}
    changed: set[str] = set()  # by a cell that is gone, and by none since
    for cell in code_cells(read_notebook(slug)):
        sets, reads = names_of(cell.source)
        if cell.id in kept:
            assert not reads & (changed - sets), cell.source
            changed -= sets
        else:
            # A generator of random numbers is changed where it is read.
            changed |= sets | (reads & {"rng"})


@pytest.mark.parametrize("slug", SLUGS)
def test_nothing_else_changes(slug: str) -> None:
    before = {cell.id: cell for cell in read_notebook(slug).cells}
    for cell in reduced(slug).cells:
        same = deepcopy(before[cell.id])
        for output in same.get("outputs", []):
            if "text/html" in output.get("data", {}):
                output.data["text/html"] = without_solution(output.data["text/html"])
        assert cell == same


def test_a_form_without_its_solution_is_the_one_that_python_writes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = ["07-delta-output", "07-which-loss", "07-hidden-line", "07-predict-no-miss"]
    assert {EXERCISES[name].kind for name in names} == {"numbers", "words", "function", "choice"}
    whole = [check(name)._repr_mimebundle_()["text/html"] for name in names]
    monkeypatch.setenv(handout.SWITCH, "no")
    assert [check(name)._repr_mimebundle_()["text/html"] for name in names] == [
        without_solution(form) for form in whole
    ]
    assert without_solution("<p>no form</p>") == "<p>no form</p>"


def test_no_notebook_holds_a_solution(solutions: dict[str, str]) -> None:
    texts = [written(reduced(slug)) for slug in SLUGS]
    found = {
        name
        for name, solution in solutions.items()
        if len(solution) >= SHORT and any(solution in text for text in texts)
    }
    assert found == WAY_IN_THE_TEXT


# --- The whole edition ----------------------------------------------------------------------------


def test_the_notebooks_come_with_their_data(built: Path) -> None:
    chapters = built / "chapters"
    assert sorted(path.stem for path in chapters.glob("*.ipynb")) == SLUGS
    assert (chapters / "data" / "mnist.npz").is_file()
    for slug in SLUGS:
        assert nbformat.read(chapters / f"{slug}.ipynb", as_version=4) == reduced(slug)


def test_no_page_and_no_download_holds_a_solution(built: Path, solutions: dict[str, str]) -> None:
    site = built / "html"
    files = [*site.rglob("*.html"), *(site / "_sources").rglob("*.*")]
    assert len(files) > len(TEXTS)
    found = set()
    for path in files:
        html = path.read_text(encoding="utf-8")
        assert not [form["name"] for form in forms(html) if "solution" in form], path.name
        text = visible(html) if path.suffix == ".html" else words(html)
        found |= {name for name, way in solutions.items() if len(way) >= SHORT and way in text}
    assert found <= WAY_IN_THE_TEXT


def test_every_page_is_there_and_says_which_edition_it_is(built: Path) -> None:
    for page in TEXTS:
        html = (built / "html" / page).read_text(encoding="utf-8")
        assert handout.EDITION in html.partition('class="book-licence"')[2], page


def test_no_page_leads_to_the_notebooks_with_solutions(built: Path) -> None:
    for page in (built / "html").rglob("*.html"):
        assert "somebody/fork" not in page.read_text(encoding="utf-8"), page.name
