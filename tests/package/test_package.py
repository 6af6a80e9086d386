"""backprop_lib as a package of its own: what its archives hold and say.

That the installed wheel passes the library's tests without the book is proved by `make package`,
which takes minutes; here the archives are built and opened.
"""

from __future__ import annotations

import ast
import re
import subprocess
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

import backprop_lib
from tools import package
from tools.environment import ROOT

FORK = {"GITHUB_REPOSITORY": "somebody/fork", "GITHUB_SERVER_URL": "https://github.com"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> package.Built:
    return package.build(tmp_path_factory.mktemp("dist"), FORK)


def test_the_archives_hold_every_file_of_the_library_and_its_tests(built: package.Built) -> None:
    assert package.problems(built) == []
    names = package.wheel_files(built.wheel)
    for suffix in (".py", ".pyi", ".mjs", ".css", ".csv", ".npz", "py.typed"):
        assert any(name.endswith(suffix) for name in names), suffix


def test_a_missing_and_a_foreign_file_are_found(built: package.Built, tmp_path: Path) -> None:
    poor = tmp_path / built.wheel.name
    with zipfile.ZipFile(built.wheel) as whole, zipfile.ZipFile(poor, "w") as copy:
        for name in whole.namelist():
            if name != "backprop_lib/py.typed":
                copy.writestr(name, whole.read(name))
        copy.writestr("tools/book.py", "")
    assert package.problems(package.Built(poor, built.sdist)) == [
        "the wheel lacks backprop_lib/py.typed",
        "the wheel holds tools/book.py",
    ]


def test_the_package_says_what_it_is(built: package.Built) -> None:
    said = package.metadata(built.wheel)
    assert said["Name"] == "backprop_lib"
    assert said["Version"] == backprop_lib.__version__
    assert said["Requires-Python"] == ">=3.11"
    assert said["License-Expression"] == "MIT AND CC-BY-4.0 AND CC0-1.0"
    assert said.get_all("License-File") == ["LICENSE", "backprop_lib/datasets/README.md"]
    assert set(said.get_all("Provides-Extra") or []) == {"plots", "live"}
    assert said["Summary"]
    assert said["Author"]
    assert "Typing :: Typed" in (said.get_all("Classifier") or [])
    assert said["Description-Content-Type"] == "text/markdown"
    assert said.get_payload() == (ROOT / "backprop_lib" / "README.md").read_text(encoding="utf-8")
    assert said.get_all("Project-URL") == ["Source, https://github.com/somebody/fork"]


def test_the_source_distribution_can_be_built_again_as_it_is(built: package.Built) -> None:
    with tarfile.open(built.sdist) as archive:
        (name,) = (n for n in archive.getnames() if re.fullmatch(r"[^/]+/pyproject\.toml", n))
        member = archive.extractfile(name)
        assert member is not None
        project = tomllib.loads(member.read().decode("utf-8"))["project"]
    assert project["urls"] == {"Source": "https://github.com/somebody/fork"}


def test_no_address_is_given_where_none_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "of_book", lambda root, variables: None)
    assert package.addresses({}) == ""


def test_the_version_stands_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" in project["project"]["dynamic"]
    assert "version" not in project["project"]
    source = project["tool"]["setuptools"]["dynamic"]["version"]["attr"]
    assert source == "backprop_lib.__version__"
    tree = ast.parse((ROOT / "backprop_lib" / "__init__.py").read_text(encoding="utf-8"))
    given = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__version__"
    ]
    assert given == [backprop_lib.__version__]


def test_the_citation_names_the_same_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == backprop_lib.__version__


def test_the_locked_versions_are_used_only_with_the_python_they_were_locked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "lock.txt"
    monkeypatch.setattr(package, "CONSTRAINTS", lock)
    monkeypatch.setattr(package, "locked_versions", lambda: {"numpy": "2.0"})
    here = ".".join(map(str, package.sys.version_info[:2]))
    lock.write_text(f"# Written.\n# Python {here}, Linux.\n", encoding="utf-8")
    assert package.constraints(tmp_path).read_text(encoding="utf-8") == "numpy==2.0\n"
    lock.write_text("# Written.\n# Python 3.1, Linux.\n", encoding="utf-8")
    assert package.constraints(tmp_path).read_text(encoding="utf-8") == ""


def test_what_cannot_be_built_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    failed = subprocess.CompletedProcess([], 1, stdout="no backend", stderr="")
    monkeypatch.setattr(package.subprocess, "run", lambda *words, **options: failed)
    with pytest.raises(SystemExit, match="cannot be built:\nno backend"):
        package.build(tmp_path, {})
