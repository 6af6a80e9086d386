"""Timing several things in turn, and the one way a table is printed."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

Work = Callable[[], object]

BLOCK_S = 0.02  # calls are timed in blocks of about this length
ROUNDS = 25


@dataclass(frozen=True)
class Time:
    """Seconds a call, over the blocks."""

    median: float
    best: float


def in_turn(
    works: Mapping[str, Work], rounds: int = ROUNDS, block: float = BLOCK_S
) -> dict[str, Time]:
    """Time all of them block by block in turn, so that a busy moment hits them alike."""
    calls = {name: _calls_in(work, block) for name, work in works.items()}
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            seconds[name].append(_time(work, calls[name]) / calls[name])
    return {name: Time(statistics.median(s), min(s)) for name, s in seconds.items()}


def _calls_in(work: Work, block: float) -> int:
    """How many calls fill a block; warms up on the way."""
    calls = 1
    while (seconds := _time(work, calls)) < block / 2:
        calls *= 2
    return max(1, round(calls * block / seconds))


def _time(work: Work, calls: int) -> float:
    started = time.perf_counter()
    for _ in range(calls):
        work()
    return time.perf_counter() - started


def show(seconds: float | None) -> str:
    """Three digits and a unit; a dash for what was not measured."""
    if seconds is None:
        return "-"
    for unit, size in (("s ", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.2f} us"


def print_table(
    title: str, head: Sequence[str], rows: Sequence[Sequence[str]], note: str = ""
) -> None:
    """Columns as wide as they need to be, the first to the left."""
    columns = list(zip(head, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    print(f"\n{title}\n{'-' * len(title)}")
    for row in (head, *rows):
        first, *others = (
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join([first, *others]).rstrip())
    if note:
        print(note)


def describe_machine() -> str:
    """What the numbers depend on."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    load = (
        ", ".join(f"{x:.2f}" for x in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown"
    )
    threads = os.environ["OPENBLAS_NUM_THREADS"]
    return (
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()}; load before: {load}\n"
        f"Python {platform.python_version()}, numpy {np.__version__}, "
        f"BLAS {blas['name']} {blas['version']}, {threads} thread, float64\n"
        "Median of blocks measured in turn; the best block in parentheses.\n"
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown processor"
