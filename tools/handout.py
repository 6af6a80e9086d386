"""The book for a class, without solutions, beside the normal one: `make handout`.

_build/handout/html      the site
_build/handout/chapters  its notebooks with their data, ready for a repository of the class's own

Nothing is executed: the folded cells under *Check yourself*, which hold the worked ways, are left
out, and the forms come without their solution. Every other output is the one that was compared.
The pages know no repository, as its notebooks hold the solutions. Sources stay as they are.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from nbformat import NotebookNode

from backprop_lib.exercises.form import SWITCH, without_solution
from tools.environment import CHAPTERS, ROOT
from tools.notebooks import notebook_path, read_notebook, slugs, tags, write

TARGET = ROOT / "_build" / "handout"
EXERCISES = "Check yourself"
FOLDED = "hide-cell"
EDITION = "Edition without solutions."
CONFIG = "_config.yml"
# What belongs to this checkout, or is written anew for the handout.
NOT_LINKED = {"_build", "_lite", "build", "dist", "chapters", CONFIG}
FORGES = ("GITHUB_", "CI_")


def is_solution(cell: NotebookNode, section: str) -> bool:
    """Whether a cell shows a worked way: folded, among the exercises, or asking for one."""
    if cell.cell_type != "code":
        return False
    return cell.source.startswith("solution(") or (section == EXERCISES and FOLDED in tags(cell))


def without_solutions(notebook: NotebookNode) -> NotebookNode:
    """The notebook, changed in place: no worked ways, forms that know none."""
    kept, section = [], ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            headings = [line[3:] for line in cell.source.splitlines() if line.startswith("## ")]
            section = headings[-1].strip() if headings else section
        if not is_solution(cell, section):
            kept.append(cell)
    notebook.cells = kept
    for cell in kept:
        for output in cell.get("outputs", []):
            if "text/html" in output.get("data", {}):
                output.data["text/html"] = without_solution(output.data["text/html"])
    return notebook


def write_notebooks(folder: Path) -> None:
    """The notebooks without solutions, and the data they read."""
    for slug in slugs():
        write(without_solutions(read_notebook(slug)), folder / notebook_path(slug).name)
    shutil.copytree(CHAPTERS / "data", folder / "data")


def configuration() -> str:
    """The book's own, without a repository and with a word about the edition."""
    config = yaml.safe_load((ROOT / CONFIG).read_text(encoding="utf-8"))
    config["repository"] = {}
    config["sphinx"]["config"]["html_context"]["edition"] = EDITION
    text: str = yaml.safe_dump(config, allow_unicode=True)
    return text


def make_book(folder: Path, chapters: Path) -> None:
    """A book of the same files in another folder, except for chapters and configuration."""
    for path in ROOT.iterdir():
        if path.name not in NOT_LINKED and not path.name.startswith("."):
            (folder / path.name).symlink_to(path)
    (folder / "chapters").symlink_to(chapters)
    (folder / CONFIG).write_text(configuration(), encoding="utf-8")


def build(book: Path) -> None:
    """Build the site of a book, where no forge names its repository."""
    program = Path(sys.executable).with_name("jupyter-book")
    variables = {k: v for k, v in os.environ.items() if not k.startswith(FORGES)}
    command = [str(program), "build", str(book), "-n", "-W", "--keep-going", "-q"]
    without = variables | {SWITCH: "no"}
    ran = subprocess.run(command, env=without, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise SystemExit(f"the book without solutions does not build:\n{ran.stdout}\n{ran.stderr}")


def main() -> int:
    print("Building the book without solutions (as long as `make book` takes from nothing)")
    shutil.rmtree(TARGET, ignore_errors=True)
    chapters = TARGET / "chapters"
    write_notebooks(chapters)
    with tempfile.TemporaryDirectory() as name:
        book = Path(name)
        make_book(book, chapters)
        build(book)
        shutil.move(book / "_build" / "html", TARGET / "html")
    print(f"Without solutions: {TARGET / 'html' / 'index.html'}")
    print(f"The notebooks for a class: {chapters}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
