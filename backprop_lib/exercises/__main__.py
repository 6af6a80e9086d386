"""``python -m backprop_lib.exercises summary *.json``: a table of readers' results."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from backprop_lib.exercises.results import read_report, summary


def main(words: list[str] | None = None) -> int:
    """Print the tables; 1 and one sentence if a file cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m backprop_lib.exercises", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("summary", help="who solved what, and what goes wrong where")
    command.add_argument("files", nargs="+", type=Path, help="saved on the page 'All exercises'")
    arguments = parser.parse_args(words)
    try:
        print(summary([read_report(path) for path in arguments.files]))
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
