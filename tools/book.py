"""Run, check and normalise the chapters.

python -m tools.book run                 execute the chapters that are stale
python -m tools.book run 07 08           execute these, stale or not
python -m tools.book run --all           execute every chapter
python -m tools.book run --all --verify  execute in memory and compare with what is stored
python -m tools.book check               compare the twins, without executing anything
python -m tools.book normalise           repair notebooks that an editor has saved
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass

from tools import environment
from tools.comparison import form_differences, run_differences, twin_differences
from tools.execution import Failed, execute
from tools.notebooks import (
    code_cells,
    missing_packages,
    normalise,
    notebook_path,
    read_notebook,
    read_source,
    slugs,
    to_text,
    write,
)
from tools.staleness import remember, why_edited, why_stale


@dataclass(frozen=True)
class Outcome:
    """What happened to one chapter: one line, more lines where something is wrong."""

    slug: str
    line: str
    problems: tuple[str, ...] = ()


def run_chapter(slug: str) -> Outcome:
    """Execute the text twin and store the result; if it fails the stored notebook stays."""
    notebook = read_source(slug)
    if missing := missing_packages(notebook.cells):
        return _not_run(slug, missing)
    try:
        seconds = execute(notebook)
    except Failed as failure:
        return Outcome(slug, "failed; its stored notebook is as before", (str(failure),))
    changed = write(normalise(notebook, slug), notebook_path(slug))
    cells = f"{len(code_cells(notebook))} code cells in {seconds:.1f} s"
    return Outcome(slug, f"{cells}, {'outputs stored' if changed else 'no output moved'}")


def verify_chapter(slug: str) -> Outcome:
    """Execute the text twin in memory and compare it with the stored notebook, byte for byte."""
    if not notebook_path(slug).exists():
        return Outcome(slug, "nothing stored", ("chapters/ has no such notebook",))
    fresh = read_source(slug)
    if missing := missing_packages(fresh.cells):
        return _not_run(slug, missing)
    try:
        seconds = execute(fresh)
    except Failed as failure:
        return Outcome(slug, "failed", (str(failure),))
    fresh = normalise(fresh, slug)
    if to_text(fresh).encode("utf-8") == notebook_path(slug).read_bytes():
        return Outcome(slug, f"identical, pictures included, in {seconds:.1f} s")
    problems = [*run_differences(read_notebook(slug), fresh), *form_differences(slug)]
    return Outcome(slug, "differs from what is stored", tuple(problems or ["in its bytes"]))


def _not_run(slug: str, missing: list[str]) -> Outcome:
    """A cell passed over for want of a package has no output that could be stored or compared."""
    problem = f"needs {', '.join(missing)}, not installed here; `make oracles` installs it"
    return Outcome(slug, "not run; its stored notebook is as before", (problem,))


def run(arguments: argparse.Namespace) -> int:
    chosen = _chosen(arguments)
    if not chosen:
        print("No chapter must be run: stored outputs are up to date.")
        return 0
    environment.build_font_cache()
    action = verify_chapter if arguments.verify else run_chapter
    started = time.perf_counter()
    failed = 0
    for outcome in _in_parallel(action, chosen, arguments.jobs):
        _report(outcome)
        failed += bool(outcome.problems)
        if not arguments.verify and not outcome.problems:
            remember(outcome.slug)
    seconds = time.perf_counter() - started
    print(f"{len(chosen) - failed} of {len(chosen)} chapters in order, {seconds:.0f} s")
    return 1 if failed else 0


def check(arguments: argparse.Namespace) -> int:
    """Compare twins and form; executes nothing."""
    failed = 0
    for slug in named(arguments.names):
        problems = tuple(twin_differences(slug) + form_differences(slug))
        _report(Outcome(slug, "differs" if problems else "twins equal, in normal form", problems))
        failed += bool(problems)
    return 1 if failed else 0


def put_in_form(arguments: argparse.Namespace) -> int:
    for slug in named(arguments.names):
        if not notebook_path(slug).exists():
            print(f"{slug}: no notebook yet, nothing to normalise")
            continue
        changed = write(normalise(read_notebook(slug), slug), notebook_path(slug))
        print(f"{slug}: {'normalised' if changed else 'already in its normal form'}")
    return 0


def _chosen(arguments: argparse.Namespace) -> list[str]:
    """The chapters to execute, each announced with the reason."""
    if arguments.names or arguments.all or arguments.verify:
        return named(arguments.names)
    reason_for = why_edited if arguments.edited else why_stale
    reasons = {slug: reason_for(slug) for slug in slugs()}
    stale = {slug: reason for slug, reason in reasons.items() if reason}
    for slug, reason in stale.items():
        print(f"{slug} will run: {reason}")
    return list(stale)


def named(names: Sequence[str]) -> list[str]:
    """Full names for what was typed: '7', '07' and '07_hand_trace' are one chapter."""
    if not names:
        return slugs()
    return [_full_name(name) for name in names]


def _full_name(name: str) -> str:
    wanted = name.zfill(2) if name.isdigit() else name
    matching = [slug for slug in slugs() if slug.startswith(wanted)]
    if len(matching) != 1:
        found = "several chapters" if matching else "no chapter"
        raise SystemExit(f"{name!r} names {found}; there are: {', '.join(slugs())}")
    return matching[0]


def _in_parallel(
    action: Callable[[str], Outcome], chosen: Sequence[str], jobs: int
) -> Iterable[Outcome]:
    with ProcessPoolExecutor(max_workers=min(jobs, len(chosen))) as pool:
        for done in as_completed(pool.submit(action, slug) for slug in chosen):
            yield done.result()


def _report(outcome: Outcome) -> None:
    print(f"{outcome.slug}: {outcome.line}", flush=True)
    for problem in outcome.problems:
        print("\n".join(f"    {line}".rstrip() for line in problem.splitlines()), flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.book",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run", help="execute chapters and store their outputs")
    running.set_defaults(do=run)
    running.add_argument("--all", action="store_true", help="every chapter, stale or not")
    running.add_argument("--edited", action="store_true", help="only those whose source changed")
    running.add_argument("--verify", action="store_true", help="compare with what is stored")
    running.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="at a time")
    checking = commands.add_parser("check", help="compare the twins, without executing anything")
    checking.set_defaults(do=check)
    normalising = commands.add_parser("normalise", help="repair notebooks saved by an editor")
    normalising.set_defaults(do=put_in_form)
    for command in (running, checking, normalising):
        command.add_argument("names", nargs="*", help="chapters, e.g. 07; without any: all")
    return parser


def main(words: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(words)
    result: int = arguments.do(arguments)
    return result


if __name__ == "__main__":
    sys.exit(main())
