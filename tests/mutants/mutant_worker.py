"""A process that plants mutants in a copy of the library, and tells which test notices.

It reads one job a line from standard input and writes one verdict a line, both JSON. Every job is
done by a fork of this process, which has everything but the library imported already: a mutant
costs what its tests cost. Started by `mutant_hunt`, with the folder of the copy as its argument.
"""

from __future__ import annotations

import contextlib
import doctest
import importlib
import io
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np  # noqa: F401 - so that forks have it already
import pytest
from hypothesis import Phase, settings

ROOT = Path(__file__).resolve().parents[2]
ORACLES = ("torch", "jax", "autograd", "sklearn")
OPTIONS = [
    "-qx",
    "--noconftest",  # the checkout's would put its own library first
    "--assert=plain",
    f"--rootdir={ROOT}",
    f"--config-file={ROOT / 'pyproject.toml'}",
    *(word for plugin in ("cacheprovider", "nbval", "xdist") for word in ("-p", f"no:{plugin}")),
]


class FirstFailure:
    """Remembers the first test, or file, that failed."""

    def __init__(self) -> None:
        self.where: str | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.where = self.where or report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.where = self.where or report.nodeid


def run_doctests(module: str, name: str = "") -> str | None:
    """The first docstring of a module, or the one of that name, whose example fails."""
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for test in doctest.DocTestFinder().find(importlib.import_module(module)):
        if name in ("", test.name) and runner.run(test).failed:
            return f"doctest {test.name}"
    return None


def run_tests(words: list[str]) -> str | None:
    """The first test that fails; words are pytest's. A test that does not exist has not failed."""
    failure = FirstFailure()
    pytest.main([*OPTIONS, *words], plugins=[failure])
    return failure.where


def run_chapters(copy: Path, chapters: list[str]) -> str | None:
    """Execute chapters and compare their outputs, up to the first that differs."""
    plugin = [f"--rootdir={ROOT}", "-p", "planted_kernel", "-p", "no:cacheprovider"]
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-qx",
            "--nbval",
            "--nbval-current-env",
            *plugin,
            *chapters,
        ],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent), "MUTANT": str(copy)},
        capture_output=True,
        text=True,
        check=False,
    )
    failed = re.search(r"^FAILED (.+?)(?: - .*)?$", ran.stdout, flags=re.MULTILINE)
    return failed[1] if failed else None


def first_failure(copy: Path, checks: list[list[str]]) -> str | None:
    """Run check after check on the copy until one fails."""
    try:
        library = importlib.import_module("backprop_lib")
    except Exception as error:
        return f"import: {type(error).__name__}"
    assert Path(library.__file__ or "").is_relative_to(copy), "this is not the copy"
    for kind, *words in checks:
        if kind == "doctest":
            found = run_doctests(*words)
        elif kind == "chapters":
            found = run_chapters(copy, words)
        else:
            found = run_tests(words)
        if found is not None:
            return found
    return None


def in_the_fork(copy: Path, checks: list[list[str]], pipe: int) -> None:
    """Do one job and end this process."""
    os.chdir(ROOT)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        verdict = first_failure(copy, checks)
    os.write(pipe, json.dumps(verdict).encode())


def in_a_fork(copy: Path, checks: list[list[str]], timeout: float) -> str | None:
    """What `first_failure` says in a process of its own, or that it took too long or crashed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            in_the_fork(copy, checks, writing)
        finally:
            os._exit(0)
    os.close(writing)
    ready, _, _ = select.select([reading], [], [], timeout)
    answer = os.read(reading, 65536) if ready else b""
    if not ready:
        os.kill(child, signal.SIGKILL)
    os.close(reading)
    os.waitpid(child, 0)
    if not ready:
        return f"more than {timeout:.0f} s"
    return json.loads(answer) if answer else "crash"


def do(copy: Path, job: dict[str, Any]) -> dict[str, Any]:
    """Plant, run, and put the right source back."""
    file = copy / job["file"]
    right = file.read_text(encoding="utf-8")
    file.write_text(job["source"], encoding="utf-8")
    started = time.perf_counter()
    try:
        killer = in_a_fork(copy, job["checks"], job["timeout"])
    finally:
        file.write_text(right, encoding="utf-8")
    return {"killer": killer, "seconds": time.perf_counter() - started}


def main() -> None:
    copy = Path(sys.argv[1]).resolve()
    # A mutant may be as long, and as old, as the file whose byte code was kept.
    sys.dont_write_bytecode = True
    # No time for the smallest counterexample: any will do.
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("hunt", database=None, derandomize=True, deadline=None, phases=phases)
    settings.load_profile("hunt")
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main([*OPTIONS, "--collect-only", __file__])
    assert "backprop_lib" not in sys.modules
    # Mutants must be noticed where these are not installed, too; a test that needs them is skipped.
    sys.modules.update(dict.fromkeys(ORACLES))
    sys.path.insert(0, str(copy))
    sys.path.append(str(ROOT))
    os.environ["PYTHONPATH"] = str(copy)
    for line in sys.stdin:
        print(json.dumps(do(copy, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
