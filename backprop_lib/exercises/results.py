"""Results that readers saved as files, put together in two tables.

A file holds answers. They are judged again here, so a grade that somebody wrote into a file by
hand counts for nothing; what was answered in Python only is not in a file.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backprop_lib.exercises.desk import EXERCISES, check
from backprop_lib.exercises.kinds import Verdict

FORMAT = 1


@dataclass(frozen=True)
class Result:
    """What a reader last answered to one exercise, judged again.

    Parameters
    ----------
    name : str
        The exercise.
    verdict : Verdict
        On the last answer.
    tries, hints : int
        How often an answer was checked; how many hints were read.
    seen : bool
        Whether the solution was opened no later than the first right answer.
    """

    name: str
    verdict: Verdict
    tries: int
    hints: int
    seen: bool


@dataclass(frozen=True)
class Report:
    """One reader's file.

    Parameters
    ----------
    reader : str
        The name given in the file, else that of the file.
    saved : str
        When the file was made.
    results : tuple of Result
        Exercises with an answer.
    """

    reader: str
    saved: str
    results: tuple[Result, ...]


def read_report(path: Path) -> Report:
    """The results in a file that the page *All exercises* saved.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        If it is not such a file.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        records = content["exercises"]
        if content["format"] != FORMAT or not isinstance(records, dict):
            raise ValueError("another format")
    except (ValueError, KeyError, TypeError):
        raise ValueError(
            f"{path} holds no results, expected a file that the page 'All exercises' saved"
        ) from None
    answered = {
        name: record
        for name, record in records.items()
        if name in EXERCISES and isinstance(record, dict) and "answer" in record
    }
    results = tuple(_result(name, answered[name]) for name in sorted(answered))
    reader = _printable(content.get("reader")) or path.stem
    return Report(reader, _printable(content.get("saved")), results)


def _printable(text: Any) -> str:
    """A text from outside, on one line."""
    return "".join(character for character in str(text or "") if character.isprintable()).strip()


def _result(name: str, record: dict[str, Any]) -> Result:
    solved, seen = str(record.get("solved") or "~"), str(record.get("solution") or "")
    verdict = check(name, record["answer"])
    return Result(
        name, verdict, _count(record, "tries"), _count(record, "hints"), "" < seen <= solved
    )


def _count(record: dict[str, Any], key: str) -> int:
    value = record.get(key, 0)
    return value if isinstance(value, int) else 0


def summary(reports: Sequence[Report]) -> str:
    """Two tables: who solved how much, and what goes wrong where.

    Parameters
    ----------
    reports : sequence of Report
        One a reader.

    Returns
    -------
    str

    Examples
    --------
    >>> half = Result("07-dw2", check("07-dw2", [7, 8]), tries=2, hints=1, seen=False)
    >>> print(summary([Report("Ada", "2026-03-01T10:00:00Z", (half,))]))
    reader  solved  answered  tries  hints  solutions  saved
    Ada     0       1         2      1      0          2026-03-01
    <BLANKLINE>
    exercise  solved  answered  most often
    07-dw2    0       1         1 x that is not it, nor what one of the usual mistakes gives.
    """
    return f"{_table(_READERS, map(_reader_row, reports))}\n\n{_table(_TASKS, _task_rows(reports))}"


_READERS = ("reader", "solved", "answered", "tries", "hints", "solutions", "saved")
_TASKS = ("exercise", "solved", "answered", "most often")


def _reader_row(report: Report) -> tuple[Any, ...]:
    results = report.results
    solved = sum(result.verdict.ok for result in results)
    tries, hints = sum(r.tries for r in results), sum(r.hints for r in results)
    seen = sum(result.seen for result in results)
    return report.reader, solved, len(results), tries, hints, seen, report.saved[:10]


def _task_rows(reports: Sequence[Report]) -> list[tuple[Any, ...]]:
    by_name: dict[str, list[Verdict]] = {}
    for report in reports:
        for result in report.results:
            by_name.setdefault(result.name, []).append(result.verdict)
    return [
        (name, sum(v.ok for v in verdicts), len(verdicts), _most_often(verdicts))
        for name, verdicts in sorted(by_name.items())
    ]


def _most_often(verdicts: Sequence[Verdict]) -> str:
    """The commonest reason why an answer is not right."""
    reasons = Counter(verdict.message or verdict.grade for verdict in verdicts if not verdict.ok)
    return "".join(f"{count} x {reason}" for reason, count in reasons.most_common(1))


def _table(heads: Sequence[str], rows: Any) -> str:
    cells = [tuple(heads), *(tuple(map(str, row)) for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(heads))]
    lines = ("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in cells)
    return "\n".join(line.rstrip() for line in lines)
