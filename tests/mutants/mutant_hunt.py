"""Which checks hunt which mutants, and the processes that do it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from tools.environment import ONE_THREAD, for_kernel

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "backprop_lib"
TESTS = ROOT / "tests" / "library"
WORKER = Path(__file__).with_name("mutant_worker.py")
KILLERS = Path(__file__).with_name("killers.tsv")
WITNESSES = Path(__file__).with_name("witnesses.tsv")

# Who looks at a mutant after the tests of its own room.
NEXT = ("backprop", "gradcheck", "trace", "witnesses", "training")

Check = list[str]  # "pytest" and its words, or "doctest", a module and perhaps a name in it


@dataclass(frozen=True)
class Prey:
    """A file of the library with a mistake in it, and the room it belongs to."""

    name: str
    room: str
    file: str
    source: str


@dataclass(frozen=True)
class Verdict:
    """Which check noticed; none if the mutant has survived them all."""

    killer: str | None
    seconds: float


# --- Checks ---------------------------------------------------------------------------------------


def own_checks(room: str) -> list[Check]:
    """The tests of a mutant's own room and of all doors, then the examples in its docstrings."""
    return [*_pytest(_test_files(_own(room))), ["doctest", f"backprop_lib.{room}"]]


def all_checks(room: str) -> list[Check]:
    """The room's own checks, then everybody else's, the likeliest first."""
    own = _test_files(_own(room))
    witnesses = [path for path in _test_files(NEXT) if path not in own]
    others = [path for path in sorted(TESTS.glob("test_*.py")) if path not in own + witnesses]
    return [*own_checks(room), *_pytest(witnesses), *_pytest(others)]


def witness_checks() -> dict[str, list[Check]]:
    """The tests in which one witness speaks, by witness; the last is the book itself."""
    tests = {
        "hand trace": [
            "trace.py::test_every_quantity_stands_in_the_arrays_where_its_source_says",
            "witnesses.py::test_the_hand_trace_agrees",
        ],
        "central differences": ["backprop.py::test_backward_agrees_with_central_differences"],
        "complex step": ["backprop.py::test_backward_agrees_with_the_complex_step_in_every_array"],
        "dual numbers": ["backprop.py::test_backward_agrees_with_dual_numbers_in_every_array"],
        "own autodiff": [],
    }
    for witness in list(tests)[1:]:
        for feature in ("plain", "L2", "dropout", "batch norm", "skips"):
            test = f"witnesses.py::test_our_own_witnesses_agree[{witness}-{feature}]"
            tests[witness].append(test)
    checks = {
        witness: [["pytest", *(f"tests/library/test_{name}" for name in names)]]
        for witness, names in tests.items()
    }
    chapters = sorted((ROOT / "chapters").glob("0[67]_*.ipynb"))
    return checks | {"chapters 6, 7": [["chapters", *map(str, chapters)]]}


def _own(room: str) -> tuple[str, ...]:
    return room, "errors", "constants"


def _test_files(names: Iterable[str]) -> list[Path]:
    paths = (TESTS / f"test_{name}.py" for name in names)
    return [path for path in paths if path.exists()]


def _pytest(paths: list[Path]) -> list[Check]:
    return [["pytest", *map(str, paths)]] if paths else []


def check_called(killer: str) -> list[Check]:
    """The one check that a verdict, or a line of the table, names."""
    kind, _, name = killer.partition(" ")
    if kind == "doctest":
        module = ".".join(name.split(".")[:2])
        return [["doctest", module, name]]
    return [["pytest", killer]] if "::" in killer else []


# --- Tables of a hunt, kept: one tells whom to ask first ------------------------------------------


def read_killers() -> dict[str, str]:
    """Mutant -> killer; whoever it names is only asked first, so an old line does no harm."""
    if not KILLERS.exists():
        return {}
    lines = KILLERS.read_text(encoding="utf-8").splitlines()[1:]
    return dict(line.split("\t") for line in lines)


def write_table(file: Path, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    lines = ["\t".join(row) for row in (head, *rows)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


# --- Processes ------------------------------------------------------------------------------------


class Hunters:
    """Some processes, each with a copy of the library of its own."""

    def __init__(self, folder: Path, number: int) -> None:
        self._idle: SimpleQueue[subprocess.Popen[str]] = SimpleQueue()
        self._workers = [self._start(folder / f"copy-{i}") for i in range(number)]
        self._threads = ThreadPoolExecutor(number)

    def _start(self, copy: Path) -> subprocess.Popen[str]:
        shutil.copytree(
            LIBRARY, copy / "backprop_lib", ignore=shutil.ignore_patterns("__pycache__")
        )
        worker = subprocess.Popen(
            [sys.executable, str(WORKER), str(copy)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=for_kernel() | ONE_THREAD | {"MPLBACKEND": "agg"},
        )
        self._idle.put(worker)
        return worker

    def hunt(self, prey: Prey, checks: list[Check], timeout: float) -> Future[Verdict]:
        """Put a mutant on the list; the result tells who killed it."""
        job = {
            "file": f"backprop_lib/{prey.file}",
            "source": prey.source,
            "checks": checks,
            "timeout": timeout,
        }
        return self._threads.submit(self._do, json.dumps(job))

    def _do(self, job: str) -> Verdict:
        worker = self._idle.get()
        try:
            assert worker.stdin is not None
            assert worker.stdout is not None
            worker.stdin.write(f"{job}\n")
            worker.stdin.flush()
            return Verdict(**json.loads(worker.stdout.readline()))
        finally:
            self._idle.put(worker)

    def stop(self) -> None:
        self._threads.shutdown(cancel_futures=True)
        for worker in self._workers:
            worker.communicate()  # closes its standard input, and so ends it
