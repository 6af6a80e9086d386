"""After a hunt: a line for every mutant, and the numbers by room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from automatic_mutants import ROOMS
from equivalent_mutants import EQUIVALENT

TEST = "test_a_mutant_is_noticed["


def hunted(reporter: pytest.TerminalReporter) -> Iterator[tuple[str, str | None]]:
    """(mutant, killer) of every mutant that this run has hunted."""
    for outcome in ("passed", "failed"):
        for report in reporter.getreports(outcome):
            _, _, name = report.nodeid.partition(TEST)
            properties = dict(report.user_properties)
            if name and "killer" in properties and report.when == "call":
                yield name.removesuffix("]"), properties["killer"]


def room_of(mutant: str) -> str:
    room = mutant.partition(".")[0]
    return room if room in ROOMS else "named bugs"


def kind_of(killer: str | None) -> str:
    """One of the columns below."""
    if killer is None:
        return "survived"
    if killer.startswith("doctest "):
        return "by a doctest"
    if "::" in killer:
        return "by a test"
    return "at import" if killer.endswith(".py") or killer.startswith("import") else "by a crash"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    verdicts = list(hunted(terminalreporter))
    if not verdicts:
        return
    terminalreporter.section("mutants")
    if terminalreporter.config.option.verbose >= 0:
        for name, killer in verdicts:
            terminalreporter.write_line(f"{name}\n    {killer or 'SURVIVED'}")
        terminalreporter.write_line("")
    counts = Counter((room_of(name), kind_of(killer)) for name, killer in verdicts)
    equivalent = Counter(room_of(name) for name in EQUIVALENT)
    kinds = ("by a test", "by a doctest", "at import", "by a crash", "survived")
    head = "".join(f"{kind:>14}" for kind in (*kinds, "equivalent"))
    terminalreporter.write_line(f"{'':<15}{'mutants':>8}{head}")
    for room in ("named bugs", *ROOMS):
        row = [counts[room, kind] for kind in kinds]
        cells = "".join(f"{number:>14}" for number in (*row, equivalent[room]))
        terminalreporter.write_line(f"{room:<15}{sum(row):>8}{cells}")
