"""The workflows of the forge: pinned, with few rights, and made of commands that run anywhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.environment import ROOT

FOLDER = ROOT / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))
PINNED = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
OURS = re.compile(r"^\./\.github/workflows/\w+\.yml(?: #|$)")
ALLOWED_TO_WRITE = {
    "site.yml": {"pages", "id-token"},
    "release.yml": {"contents"},
    "weekly.yml": {"issues"},
}

Step = dict[str, Any]


def read(path: Path) -> dict[Any, Any]:
    content: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def steps(path: Path) -> Iterator[tuple[str, Step]]:
    """Every step with the name of its job."""
    for name, job in read(path)["jobs"].items():
        for step in job.get("steps", []):
            yield name, step


def commands(path: Path) -> list[str]:
    return [str(step["run"]) for _, step in steps(path) if "run" in step]


def targets() -> set[str]:
    text = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    (phony,) = re.findall(r"^\.PHONY: (.+)$", text, flags=re.MULTILINE)
    return set(phony.split())


def test_there_are_the_four_that_the_book_promises() -> None:
    assert [path.name for path in FILES] == ["checks.yml", "release.yml", "site.yml", "weekly.yml"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_action_is_pinned_by_its_commit(path: Path) -> None:
    used = re.findall(r"\buses: (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert [word for word in used if not PINNED.match(word) and not OURS.match(word)] == []


def test_one_action_is_pinned_to_one_commit_everywhere() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in FILES)
    pins = set(re.findall(r"\buses: ([^@\s]+)@(\w+)", text))
    assert len({name for name, _ in pins}) == len(pins)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_rights_are_given_to_jobs_one_by_one(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        assert "permissions" in job, name
        rights = {right for right, level in job["permissions"].items() if level == "write"}
        assert rights <= ALLOWED_TO_WRITE.get(path.name, set()), name
        checks_out = any("checkout" in str(step.get("uses")) for step in job.get("steps", []))
        assert not (rights and checks_out), f"{name} runs the project's code with a right to write"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_step_is_a_make_target_or_the_forges_own_command(path: Path) -> None:
    for command in commands(path):
        if command.startswith("make"):
            assert re.fullmatch(r"make \w+", command.strip()), command
            assert command.split()[1] in targets(), command
        else:
            assert re.match(r"gh |open=\$\(gh ", command), command
        assert "${{" not in command, f"a value of the forge stands in a shell command: {command}"


def test_the_oldest_and_the_newest_python_are_tried() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    supported = re.findall(r"Python :: (3\.\d+)\"", project)
    jobs = read(FOLDER / "checks.yml")["jobs"]
    in_binder = jobs.pop("binder")
    for job in jobs.values():
        assert job["strategy"]["matrix"]["python"] == [supported[0], supported[-1]]
    runtime = (ROOT / "runtime.txt").read_text(encoding="utf-8").strip()
    assert in_binder["env"]["PYTHON3"] == runtime.replace("-", "")


def test_nothing_is_published_before_the_checks_have_passed() -> None:
    for name in ("site.yml", "release.yml"):
        jobs = read(FOLDER / name)["jobs"]
        assert OURS.match(jobs["checks"]["uses"])
        assert (jobs["build"]["needs"], jobs["publish"]["needs"]) == ("checks", "build")


def test_zizmor_finds_nothing() -> None:
    beside = Path(sys.executable).with_name("zizmor")
    if not beside.exists():
        pytest.skip("zizmor is not installed (requirements-test.txt)")
    ran = subprocess.run(
        [str(beside), "--offline", "--quiet", "--no-progress", str(ROOT / ".github")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout


def test_zizmor_finds_what_is_wrong(tmp_path: Path) -> None:
    beside = Path(sys.executable).with_name("zizmor")
    if not beside.exists():
        pytest.skip("zizmor is not installed (requirements-test.txt)")
    text = (FOLDER / "checks.yml").read_text(encoding="utf-8")
    bad = re.sub(r"checkout@\w+ # \S+", "checkout@v6", text)
    assert bad != text
    (tmp_path / "bad.yml").write_text(bad, encoding="utf-8")
    command = [str(beside), "--offline", "--quiet", "--no-progress", str(tmp_path / "bad.yml")]
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0


def actionlint(*files: Path) -> subprocess.CompletedProcess[str]:
    beside = str(Path(sys.executable).parent)
    program = shutil.which("actionlint", path=os.pathsep.join([beside, os.environ["PATH"]]))
    if program is None:
        pytest.skip("actionlint is not installed (contributing.md says how)")
    command = [program, *map(str, files)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_actionlint_finds_nothing() -> None:
    ran = actionlint(*FILES)
    assert ran.returncode == 0, ran.stdout


def test_actionlint_finds_what_is_wrong(tmp_path: Path) -> None:
    text = (FOLDER / "checks.yml").read_text(encoding="utf-8")
    bad = text.replace("matrix.python }}", "matrix.pyhton }}", 1)
    assert bad != text
    (tmp_path / "bad.yml").write_text(bad, encoding="utf-8")
    ran = actionlint(tmp_path / "bad.yml")
    assert ran.returncode != 0
    assert "pyhton" in ran.stdout
