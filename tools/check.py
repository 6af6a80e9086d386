"""Everything that can be proved about the book on this machine, in one run: `make test`.

    python -m tools.check                run all stages
    python -m tools.check lint tests     run some of them

Stages: lint, site, tests, doctests, chapters. A stage that fails does not hide the later ones. The
run ends with a table and one closing line; the exit code is 0 only if nothing failed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.environment import CACHE, ROOT

SUMMARY = CACHE / "summary.txt"
WORKERS = str(min(4, os.cpu_count() or 1))
# Files stay whole: a notebook's cells need their kernel, a module's fixtures are made once.
IN_PARALLEL = ("-n", WORKERS, "--dist", "loadfile")
WIDTH = 78


@dataclass(frozen=True)
class Count:
    """How many checks of a stage passed, failed and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0

    def __add__(self, other: Count) -> Count:
        return Count(
            self.passed + other.passed,
            self.failed + other.failed,
            self.skipped + other.skipped,
            self.seconds + other.seconds,
        )

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def lint() -> Count:
    """Style and types; what the workflows may do."""
    return (
        _command("ruff", "check", ".")
        + _command("ruff", "format", "--check", ".")
        + _command("mypy")
        + _command("zizmor", "--offline", "--quiet", ".github")
    )


def site() -> Count:
    """Build every page anew; a warning is an error, a link that leads nowhere is a warning."""
    # Pages that are not read again do not repeat their warnings: hence --all.
    return _command("jupyter-book", "build", ".", "--all", "-n", "-W", "--keep-going", "-q")


def tests() -> Count:
    """Library, notebooks, site, structure."""
    return _pytest("tests", "-m", "not slow", *IN_PARALLEL, *_folders())


def _folders() -> list[str]:
    """The folders of tests; first the one whose browser keeps a worker busy to the end."""
    found = {path.parent.relative_to(ROOT).as_posix() for path in ROOT.glob("tests/*/test_*.py")}
    return sorted(found, key=lambda folder: (folder != "tests/site", folder))


def doctests() -> Count:
    """The examples in the library's docstrings and in the README."""
    examples = ("--doctest-modules", "--doctest-glob=README.md")
    return _pytest("doctests", *examples, "backprop_lib", "README.md")


def chapters() -> Count:
    """Execute every cell of the book and compare every stored output."""
    return _pytest("chapters", "--nbval", "--nbval-current-env", *IN_PARALLEL, "chapters")


STAGES: Mapping[str, Callable[[], Count]] = {
    stage.__name__: stage for stage in (lint, site, tests, doctests, chapters)
}


def _command(program: str, *words: str) -> Count:
    """Run a program that stands beside this Python; it counts as one check."""
    print(f"$ {program} {' '.join(words)}", flush=True)
    beside = Path(sys.executable).with_name(program)
    ran = subprocess.run([str(beside), *words], cwd=ROOT, check=False)
    return Count(passed=1) if ran.returncode == 0 else Count(failed=1)


def _pytest(stage: str, *words: str) -> Count:
    """Run pytest; every test, example or cell counts."""
    report = CACHE / f"{stage}.xml"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *words]
    print(f"$ pytest {' '.join(words)}", flush=True)
    returned = subprocess.run(command, cwd=ROOT, check=False).returncode
    counted = read_report(report)
    if counted.passed + counted.failed == 0:
        print(f"stage {stage}: no test was run (pytest's exit code: {returned})")
        return Count(failed=1)
    if returned != 0 and counted.failed == 0:
        print(f"stage {stage}: pytest failed with exit code {returned}")
        return counted + Count(failed=1)
    return counted


def read_report(report: Path) -> Count:
    """The counts in a JUnit report; none if there is no report."""
    if not report.exists():
        return Count()
    suites = [suite.attrib for suite in ET.parse(report).iter("testsuite")]
    total = {
        name: sum(int(suite[name]) for suite in suites)
        for name in ("tests", "failures", "errors", "skipped")
    }
    failed = total["failures"] + total["errors"]
    return Count(total["tests"] - failed - total["skipped"], failed, total["skipped"])


def run(name: str) -> Count:
    """Run one stage, announced and timed."""
    print(f"\n--- {name}: {STAGES[name].__doc__} ".ljust(WIDTH, "-"), flush=True)
    started = time.perf_counter()
    return STAGES[name]() + Count(seconds=time.perf_counter() - started)


def table(counts: Mapping[str, Count]) -> str:
    """One line a stage, and their sum."""
    rows = [*counts.items(), ("total", sum(counts.values(), Count()))]
    lines = [f"{'stage':<10}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}"]
    lines += [
        f"{name:<10}{c.passed:>8}{c.failed:>8}{c.skipped:>9}{c.seconds:>9.0f}" for name, c in rows
    ]
    return "\n".join(lines)


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.check",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("stages", nargs="*", metavar="stage", help=", ".join(STAGES))
    chosen = parser.parse_args(words).stages or list(STAGES)
    if unknown := [name for name in chosen if name not in STAGES]:
        parser.error(f"no stage is called {unknown[0]!r}; there are: {', '.join(STAGES)}")
    CACHE.mkdir(exist_ok=True)
    counts = {name: run(name) for name in chosen}
    total = sum(counts.values(), Count())
    print(f"\n{table(counts)}\n\n{total}", flush=True)
    SUMMARY.write_text(f"{total}\n", encoding="utf-8")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
