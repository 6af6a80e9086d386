"""What an author is told and given: the guide, the template, the hooks, the locked versions."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from tools import lock
from tools.environment import ROOT
from tools.execution import execute
from tools.notebooks import code_cells, slugs, tags

GUIDE = (ROOT / "contributing.md").read_text(encoding="utf-8")
TEMPLATE = ROOT / "templates" / "chapter.md"


def targets() -> set[str]:
    text = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    (phony,) = re.findall(r"^\.PHONY: (.+)$", text, flags=re.MULTILINE)
    return set(phony.split())


# --- The guide ------------------------------------------------------------------------------------


def test_the_guide_names_commands_and_files_that_exist() -> None:
    named = set(re.findall(r"`make (\w+)", GUIDE)) | set(re.findall(r"\$ make (\w+)", GUIDE))
    assert named
    assert named <= targets()
    files = re.findall(r"`((?:tools|templates|backprop_lib|\.github)/[\w./-]+)`", GUIDE)
    files += re.findall(r"\]\((\w+\.md)\)", GUIDE)
    assert files
    assert [name for name in files if not (ROOT / name).exists()] == []


def test_there_is_one_guide_and_it_is_a_page_of_the_site() -> None:
    assert len([path for path in ROOT.glob("*.md") if path.stem.lower() == "contributing"]) == 1
    assert "file: contributing\n" in (ROOT / "_toc.yml").read_text(encoding="utf-8")


def test_a_red_cell_is_reported_as_the_guide_says(tmp_path: Path) -> None:
    import nbformat

    cell = nbformat.v4.new_code_cell("print(0.72835)", id="a", execution_count=1)
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text="0.75137\n")]
    heading = nbformat.v4.new_markdown_cell("not counted", id="b")
    notebook = nbformat.v4.new_notebook(cells=[heading, cell])
    nbformat.write(notebook, tmp_path / "wrong.ipynb")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    words = ["--nbval", "--nbval-current-env", "-p", "no:cacheprovider", "wrong.ipynb"]
    command = [sys.executable, "-m", "pytest", *words]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout
    assert "Cell 0: Cell outputs differ" in said
    # What is stored stands left and after the plus sign, as the guide explains.
    shown = GUIDE.partition("```text\n")[2].partition("```")[0].splitlines()[8:]
    assert shown[-1].strip() == "+ 0.75137"
    for line in shown:
        assert line.strip() in said


# --- The template ---------------------------------------------------------------------------------


def test_the_template_runs_and_shows_what_it_announces() -> None:
    import jupytext

    notebook = jupytext.reads(TEMPLATE.read_text(encoding="utf-8"), fmt="md:myst")
    execute(notebook)
    cells = code_cells(notebook)
    failing = [cell for cell in cells if "raises-exception" in tags(cell)]
    assert [out.ename for cell in failing for out in cell.outputs] == ["ShapeError"]
    assert all(
        out.output_type == "stream" for cell in cells if cell not in failing for out in cell.outputs
    )
    assert sum("remove-cell" in tags(cell) for cell in cells) == 1


def test_the_template_is_no_chapter() -> None:
    assert "templates" not in (ROOT / "_toc.yml").read_text(encoding="utf-8")
    assert TEMPLATE.stem not in slugs()


# --- Hooks ----------------------------------------------------------------------------------------


def test_every_hook_is_the_projects_own() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert {repository["repo"] for repository in config["repos"]} == {"local"}
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]
    assert {hook["language"] for hook in hooks} == {"system"}
    assert {hook["id"] for hook in hooks} == {"style", "form", "types", "twins"}
    assert all(hook["entry"].startswith(".venv/bin/") for hook in hooks)


# --- What is installed ----------------------------------------------------------------------------


def without_network(path: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Let pip read a requirements file in a folder that is not the book's."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-index", "--no-deps"]
    words = ["--quiet", "--disable-pip-version-check", "-r", str(path)]
    return subprocess.run(
        [*command, *words], cwd=folder, capture_output=True, text=True, check=False
    )


def test_the_requirements_bring_their_lock_wherever_pip_stands(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("-c constraints.txt\npytest>=8\n", encoding="utf-8")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "constraints.txt").write_text("pytest==0.1\n", encoding="utf-8")
    said = without_network(tmp_path / "requirements.txt", elsewhere)
    assert said.returncode != 0
    assert "pytest>=8" in said.stderr
    shutil.copy2(ROOT / "constraints.txt", tmp_path)
    assert without_network(tmp_path / "requirements.txt", elsewhere).returncode == 0

    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert "-c constraints.txt" in lines


def test_a_new_lock_does_not_ask_the_old_one(tmp_path: Path) -> None:
    copies = lock.without_lock([ROOT / name for name in lock.REQUIREMENTS], tmp_path)
    assert [copy.name for copy in copies] == list(lock.REQUIREMENTS)
    text = "".join(copy.read_text(encoding="utf-8") for copy in copies)
    assert "constraints.txt" not in text.replace("# ", "")
    assert "numpy>=" in text
    assert "-r requirements.txt" in text
