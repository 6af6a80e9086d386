"""Buttons that lead to a repository, to Binder or to Python in the browser: only where they work.

The book's own configuration, extensions and templates build a site of two small pages, in the
environment of a forge and outside of any.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import nbformat
import pytest

from tools.environment import ROOT
from tools.repository import Repository, find_repository, of_book

FORGES = ("GITHUB_", "CI_", "GITLAB_")
INTRO = "# Small\n\nA page.\n\n```{only} lite\nPress *Run here*.\n```\n"
TOC = "format: jb-book\nroot: intro\nchapters:\n  - file: chapters/01_small\n"
FORK = {
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "somebody/fork",
    "GITHUB_REF": "refs/heads/fix/typo",
    "GITHUB_REF_NAME": "fix/typo",
}
GITLAB = {"CI_PROJECT_URL": "https://gitlab.com/group/book", "CI_COMMIT_BRANCH": "main"}

Links = dict[str, str]


def small_book(folder: Path) -> None:
    for name in ("website", "backprop_lib"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copy2(ROOT / "_config.yml", folder)
    (folder / "_toc.yml").write_text(TOC, encoding="utf-8")
    (folder / "intro.md").write_text(INTRO, encoding="utf-8")
    cell = nbformat.v4.new_markdown_cell("# Chapter\n\nText.", id="a")
    (folder / "chapters").mkdir()
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata=metadata)
    nbformat.write(notebook, folder / "chapters" / "01_small.ipynb")


def bar(page: Path) -> Links:
    """The links of the bar above the text: name and address."""
    text = page.read_text(encoding="utf-8")
    found = re.findall(r'<a class="book-button" href="([^"]+)".*?button__name">(.+?)<', text, re.S)
    return {name: address for address, name in found}


@pytest.fixture
def built(tmp_path: Path) -> Callable[[Mapping[str, str]], tuple[Links, Links]]:
    """Build the small book where a forge sets these variables; the bars of its two pages."""
    small_book(tmp_path)
    program = shutil.which("jupyter-book", path=str(Path(sys.executable).parent))
    assert program

    def build(variables: Mapping[str, str]) -> tuple[Links, Links]:
        outside = {k: v for k, v in os.environ.items() if not k.startswith(FORGES)}
        ran = subprocess.run(
            [program, "build", str(tmp_path), "-q"],
            env=outside | dict(variables),
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        html = tmp_path / "_build" / "html"
        return bar(html / "intro.html"), bar(html / "chapters" / "01_small.html")

    return build


def test_without_a_repository_nothing_leads_to_one(
    built: Callable[[Mapping[str, str]], tuple[Links, Links]],
) -> None:
    page, chapter = built({})
    assert page == {}
    assert chapter == {"Notebook": "../_sources/chapters/01_small.ipynb"}


def test_a_fork_points_to_itself_and_forgets_it_again(
    built: Callable[[Mapping[str, str]], tuple[Links, Links]], tmp_path: Path
) -> None:
    page, chapter = built(FORK)
    assert page == {"Source": "https://github.com/somebody/fork"}
    binder = "https://mybinder.org/v2/gh/somebody/fork/fix%2Ftypo"
    assert chapter["Binder"] == f"{binder}?urlpath=lab/tree/chapters/01_small.ipynb"
    assert "Run here" not in chapter
    intro = tmp_path / "_build" / "html" / "intro.html"
    assert "Run here" not in intro.read_text(encoding="utf-8")

    lite = tmp_path / "_build" / "html" / "lite" / "notebooks" / "index.html"
    lite.parent.mkdir(parents=True)
    lite.write_text("<!doctype html>", encoding="utf-8")
    _, chapter = built(GITLAB)
    assert chapter["Binder"].startswith("https://mybinder.org/v2/gl/group%2Fbook/main?")
    assert chapter["Source"] == GITLAB["CI_PROJECT_URL"]
    assert chapter["Run here"] == "../lite/notebooks/index.html?path=chapters/01_small.ipynb"
    assert "Run here" in intro.read_text(encoding="utf-8")
    assert lite.is_file(), "a build must leave the site beside it alone"

    shutil.rmtree(lite.parents[1])
    assert built({})[1].keys() == {"Notebook"}
    assert "Run here" not in intro.read_text(encoding="utf-8")


def test_a_tag_is_pointed_to_by_name() -> None:
    github = {"GITHUB_REPOSITORY": "owner/book", "GITHUB_REF": "refs/tags/v1.0"}
    assert find_repository(github, "", "main") == Repository(
        "https://github.com/owner/book", "v1.0"
    )
    gitlab = GITLAB | {"CI_COMMIT_BRANCH": "", "CI_COMMIT_TAG": "v1.0"}
    assert find_repository(gitlab, "", "main") == Repository(GITLAB["CI_PROJECT_URL"], "v1.0")


def test_a_proposed_change_is_pointed_to_the_configured_branch() -> None:
    change = {
        "GITHUB_REPOSITORY": "owner/book",
        "GITHUB_REF": "refs/pull/7/merge",
        "GITHUB_REF_NAME": "7/merge",
    }
    assert find_repository(change, "", "trunk") == Repository(
        "https://github.com/owner/book", "trunk"
    )


def test_the_configuration_is_asked_where_no_forge_speaks(tmp_path: Path) -> None:
    config = tmp_path / "_config.yml"
    config.write_text("repository:\n  url: https://example.org/a/b.git\n  branch: x\n")
    assert of_book(tmp_path, {}) == Repository("https://example.org/a/b", "x")
    assert of_book(tmp_path, FORK) == Repository("https://github.com/somebody/fork", "fix/typo")
    config.write_text("title: none\n")
    assert of_book(tmp_path, {}) is None
