"""The commands a person types: make and what stands behind it, the lock, the local server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import check, lock, serve
from tools.environment import CONSTRAINTS, ROOT, locked_versions

REQUIREMENTS = [ROOT / name for name in lock.REQUIREMENTS]


# --- make test: counting --------------------------------------------------------------------------


def test_reports_are_counted(tmp_path: Path) -> None:
    tests = tmp_path / "test_all_kinds.py"
    tests.write_text(
        "import pytest\n"
        "def test_passes(): pass\n"
        "def test_passes_too(): pass\n"
        "def test_fails(): assert False\n"
        "@pytest.fixture\n"
        "def broken(): raise ValueError\n"
        "def test_error(broken): pass\n"
        "def test_skipped(): pytest.skip('why')\n",
        encoding="utf-8",
    )
    report = tmp_path / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull]
    subprocess.run([*command, f"--junitxml={report}", str(tests)], cwd=tmp_path, check=False)
    assert check.read_report(report) == check.Count(passed=2, failed=2, skipped=1)
    assert check.read_report(tmp_path / "none.xml") == check.Count()


@pytest.fixture
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The checks with their notes, and nothing to check, in a folder of the test's own."""
    monkeypatch.setattr(check, "CACHE", tmp_path)
    monkeypatch.setattr(check, "SUMMARY", tmp_path / "summary.txt")
    monkeypatch.setattr(check, "ROOT", tmp_path)
    return tmp_path


def test_a_failing_stage_hides_nothing(
    in_a_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def first() -> check.Count:
        """Fail."""
        return check.Count(passed=3, failed=2)

    def second() -> check.Count:
        """Pass."""
        return check.Count(passed=4, skipped=1)

    monkeypatch.setattr(check, "STAGES", {"first": first, "second": second})
    assert check.main([]) == 1
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1] == "7 passed, 2 failed, 1 skipped"
    assert (in_a_folder / "summary.txt").read_text(encoding="utf-8") == printed[-1] + "\n"
    assert any(re.fullmatch(r"second +4 +0 +1 +0", line) for line in printed)
    assert check.main(["second"]) == 0


def test_a_stage_without_tests_fails(in_a_folder: Path) -> None:
    (in_a_folder / "chapters").mkdir()
    assert check.chapters() == check.Count(failed=1)


def test_an_unknown_stage_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        check.main(["everything"])
    assert "no stage is called 'everything'" in capsys.readouterr().err


# --- make: finding a Python -----------------------------------------------------------------------

TOO_OLD = 'case "$*" in *version_info*) exit 1;; --version) echo "Python 3.9.2";; esac'
WITHOUT_VENV = f'case "$*" in *ensurepip*) exit 1;; *) exec "{sys.executable}" "$@";; esac'


@pytest.mark.parametrize(
    ("python3", "words"),
    [
        (None, "needs Python 3.11 or newer; found: no python3 at all"),
        (TOO_OLD, "needs Python 3.11 or newer; found: Python 3.9.2"),
        (WITHOUT_VENV, "apt-get install python3."),
    ],
)
def test_what_is_missing_is_said(python3: str | None, words: str, tmp_path: Path) -> None:
    if python3:
        fake = tmp_path / "python3"
        fake.write_text(f"#!/bin/sh\n{python3}\n", encoding="utf-8")
        fake.chmod(0o755)
    folder = tmp_path / "venv"
    shell = shutil.which("sh")
    assert shell
    ran = subprocess.run(
        [shell, str(ROOT / "tools" / "make_venv.sh"), str(folder)],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert words in ran.stderr
    assert not folder.exists()


def makefile_targets() -> list[str]:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    text = text.replace("\\\n", " ")
    (phony,) = re.findall(r"^\.PHONY: (.+)$", text, flags=re.MULTILINE)
    return phony.split()


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_bare_make_lists_every_command() -> None:
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"\bmake (\w+)", listed)) == set(makefile_targets()) - {"help"}


def test_ci_is_a_correct_script() -> None:
    subprocess.run(["bash", "-n", str(ROOT / ".ci" / "run")], check=True)
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


# --- The lock -------------------------------------------------------------------------------------


def required(path: Path) -> list[Requirement]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if re.match(r"\w", line)]


def test_the_lock_names_versions_and_nothing_else() -> None:
    lines = CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert [line for line in pins if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
    assert pins == sorted(pins, key=str.lower)


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.stem)
def test_the_lock_satisfies_the_requirements(path: Path) -> None:
    locked = locked_versions()
    for requirement in required(path):
        version = locked[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} is locked to {version}"


def test_the_library_asks_for_what_the_book_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    asked = {str(Requirement(word)) for word in project["dependencies"]}
    asked |= {str(Requirement(word)) for extra in extras for word in extra}
    assert asked <= {str(requirement) for requirement in required(ROOT / "requirements.txt")}


def test_pins_have_no_local_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = "torch==2.13.0+cpu\nnumpy==2.4.6\n-e /somewhere\nthing @ file:///x\nABC==1.0\n"

    def pip_freeze(*words: object, **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 0, stdout=listed)

    monkeypatch.setattr(lock.subprocess, "run", pip_freeze)
    assert lock.frozen(Path("python")) == ["ABC==1.0", "numpy==2.4.6", "torch==2.13.0"]


# --- The local server -----------------------------------------------------------------------------


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "figure.mjs").write_text("export default 1;\n", encoding="utf-8")
    handler = partial(serve.Handler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_modules_are_served_as_scripts(address: str) -> None:
    with urllib.request.urlopen(f"{address}/figure.mjs") as answer:
        assert answer.headers["Content-Type"] == "text/javascript"
        assert answer.headers["Cache-Control"] == "no-cache"


def test_serving_needs_a_built_book(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(serve, "SITE", tmp_path / "html")
    monkeypatch.setattr(sys, "argv", ["serve"])
    assert serve.main() == 1
    assert "make book" in capsys.readouterr().err
