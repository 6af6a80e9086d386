"""Measure how long each chapter runs: `make times`, or `python -m tools.run_times 07 08`.

What is measured is processor time, so that a busy machine does not change it: a chapter computes on
one thread, and on an idle core the clock shows about the same. The site prints it, in whole seconds
(website/extensions/book_times.py). It is not compared with anything.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence

from tools.book import named
from tools.environment import ROOT
from tools.execution import execute
from tools.notebooks import missing_packages, read_source

RUN_TIMES = ROOT / "website" / "run_times.json"


def read() -> dict[str, int]:
    """Seconds by chapter."""
    times: dict[str, int] = json.loads(RUN_TIMES.read_text(encoding="utf-8"))
    return times


def measure(slug: str) -> int:
    """The processor time of a chapter and the start of its kernel, in seconds, at least one."""
    notebook = read_source(slug)
    if missing := missing_packages(notebook.cells):
        raise SystemExit(f"{slug} needs {', '.join(missing)}; `make oracles` installs it")
    before = os.times()
    execute(notebook)
    after = os.times()
    user = after.children_user - before.children_user
    return max(1, round(user + after.children_system - before.children_system))


def main(words: Sequence[str] | None = None) -> int:
    times = read() if RUN_TIMES.exists() else {}
    for slug in named(sys.argv[1:] if words is None else words):
        times[slug] = measure(slug)
        print(f"{slug}: {times[slug]} s", flush=True)
        text = json.dumps(times, indent=1, sort_keys=True) + "\n"
        RUN_TIMES.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
