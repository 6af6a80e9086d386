"""`python -m tools.book` in a small book of its own: run, check, normalise, verify, failures."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.environment import ROOT

SOURCE = """\
---
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# A small chapter

```{code-cell} ipython3
import os

print(os.path.basename(os.getcwd()))
```

It draws.

```{code-cell} ipython3
:tags: [hide-input]

import matplotlib.pyplot as plt

plt.plot([1, 2])
plt.show()
```

```{code-cell} ipython3
print(0.5 + 0.25)
```
"""


class Book:
    """A folder with the tools and one chapter, and the command in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source = folder / "sources" / "01_small.md"
        self.notebook = folder / "chapters" / "01_small.ipynb"

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tools.book", *words]
        return subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, timeout=300, check=False
        )

    def edit(self, old: str, new: str) -> None:
        text = self.source.read_text(encoding="utf-8")
        assert old in text
        self.source.write_text(text.replace(old, new), encoding="utf-8")

    def forge(self, old: str, new: str) -> None:
        text = self.notebook.read_text(encoding="utf-8")
        assert old in text
        self.notebook.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("book")
    shutil.copytree(ROOT / "tools", folder / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("constraints.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    for name in ("sources", "chapters", "backprop_lib"):
        (folder / name).mkdir()
    (folder / "backprop_lib" / "room.py").write_text("x = 1\n", encoding="utf-8")
    book = Book(folder)
    book.source.write_text(SOURCE, encoding="utf-8")
    ran = book("run")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "no notebook yet" in ran.stdout
    return folder


@pytest.fixture
def book(executed: Path, tmp_path: Path) -> Book:
    """A copy of the executed book, so that every test may spoil its own."""
    return Book(Path(shutil.copytree(executed, tmp_path / "book")))


def test_cells_run_in_the_folder_of_the_chapters(book: Book) -> None:
    assert '"chapters\\n"' in book.notebook.read_text(encoding="utf-8")


def test_a_second_run_changes_no_byte(book: Book) -> None:
    before = book.notebook.read_bytes()
    ran = book("run", "--all")
    assert ran.returncode == 0
    assert "no output moved" in ran.stdout
    assert book.notebook.read_bytes() == before


def test_only_stale_chapters_run(book: Book) -> None:
    assert "No chapter must be run" in book("run").stdout
    (book.folder / "backprop_lib" / "room.py").write_text("x = 2\n", encoding="utf-8")
    assert "No chapter must be run" in book("run", "--edited").stdout
    assert "backprop_lib, its data or numpy changed" in book("run").stdout
    book.edit("0.5 + 0.25", "0.5 + 0.5")
    ran = book("run", "--edited")
    assert "its source changed (cell 5: the text differs" in ran.stdout
    assert "outputs stored" in ran.stdout
    assert '"1.0\\n"' in book.notebook.read_text(encoding="utf-8")


def test_check_compares_twins(book: Book) -> None:
    assert book("check").returncode == 0
    book.edit("It draws.", "It paints.")
    checked = book("check")
    assert checked.returncode == 1
    assert "line 1: sources has 'It paints.', chapters 'It draws.'" in checked.stdout


def test_normalise_repairs_what_an_editor_saved(book: Book) -> None:
    before = book.notebook.read_bytes()
    saved = json.loads(before)
    saved["metadata"]["language_info"]["version"] = "3.11.7"
    for number, cell in enumerate(saved["cells"]):
        cell["id"] = f"random-{number}"
        if cell["cell_type"] == "code":
            cell["execution_count"] += 20
    book.notebook.write_text(json.dumps(saved), encoding="utf-8")
    assert book("check").returncode == 1
    assert book("normalise").returncode == 0
    assert book.notebook.read_bytes() == before


def test_saving_in_an_editor_keeps_both_twins(book: Book) -> None:
    """JupyterLab with jupytext does on saving what its command does here."""
    book.edit("It draws.", "It paints.")
    command = [sys.executable, "-m", "jupytext", "--sync", str(book.source)]
    subprocess.run(command, cwd=book.folder, check=True, capture_output=True)
    assert book("normalise").returncode == 0
    checked = book("check")
    assert checked.returncode == 0, checked.stdout
    stored = book.notebook.read_text(encoding="utf-8")
    assert "It paints." in stored
    assert '"0.75\\n"' in stored


def test_verify_names_the_output_that_moved(book: Book) -> None:
    assert "identical, pictures included" in book("run", "--all", "--verify").stdout
    book.forge('"0.75\\n"', '"0.76\\n"')
    before = book.notebook.read_bytes()
    verified = book("run", "--all", "--verify")
    assert verified.returncode == 1
    assert "cell 5 ('print(0.5 + 0.25)'): stdout moved, line 1" in verified.stdout
    assert "stored has '0.76', this run '0.75'" in verified.stdout
    assert book.notebook.read_bytes() == before


def test_a_failing_cell_is_shown_and_nothing_is_stored(book: Book) -> None:
    before = book.notebook.read_bytes()
    book.edit("print(0.5 + 0.25)", "print('first')\nprint(1 / 0)")
    ran = book("run")
    assert ran.returncode == 1
    assert "01_small: failed; its stored notebook is as before" in ran.stdout
    assert "cell 5 of 5 failed:" in ran.stdout
    assert "print(1 / 0)" in ran.stdout
    assert "ZeroDivisionError: division by zero" in ran.stdout
    assert "\x1b" not in ran.stdout
    assert book.notebook.read_bytes() == before


def test_a_kernel_that_dies_is_reported(book: Book) -> None:
    book.edit("print(0.5 + 0.25)", "os._exit(1)")
    ran = book("run", "1")
    assert ran.returncode == 1
    assert "cell 5 of 5 failed:" in ran.stdout
    assert "DeadKernelError" in ran.stdout


def test_an_unknown_chapter_is_named(book: Book) -> None:
    ran = book("run", "9")
    assert ran.returncode == 1
    assert "'9' names no chapter; there are: 01_small" in ran.stderr
