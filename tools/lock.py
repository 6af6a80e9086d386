"""Resolve all requirements in a throw-away environment and write constraints.txt: `make lock`."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from tools.environment import CONSTRAINTS, ROOT

GROUPS = ("book", "jupyter", "test", "oracles", "lite", "binder")
REQUIREMENTS = ("requirements.txt", *(f"requirements-{group}.txt" for group in GROUPS))
HEADER = """\
# Written by `make lock`: every package the book was built, tested and compared with.
# Python {python}, {system} {machine}. Nothing here is installed unless a requirements file asks.
"""


def frozen(python: Path) -> list[str]:
    """`name==version` lines of an environment, without local versions such as +cpu."""
    command = [str(python), "-m", "pip", "freeze", "--exclude", "pip", "--exclude", "setuptools"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    pinned = re.findall(r"^([\w.-]+)==([^+\s]+)", listed, flags=re.MULTILINE)
    return sorted((f"{name}=={version}" for name, version in pinned), key=str.lower)


def without_lock(requirements: list[Path], folder: Path) -> list[Path]:
    """Copies of these files that do not ask for the locked versions."""
    copies = []
    for path in requirements:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        copy = folder / path.name
        copy.write_text("".join(line for line in lines if line[:3] != "-c "), encoding="utf-8")
        copies.append(copy)
    return copies


def resolve(requirements: list[Path]) -> list[str]:
    """Install the newest versions that satisfy all files together, and list them."""
    with tempfile.TemporaryDirectory(prefix="lock-") as name:
        folder = Path(name)
        venv.create(folder / "venv", with_pip=True)
        python = folder / "venv" / "bin" / "python"
        pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
        copies = without_lock(requirements, folder)
        named = [word for path in copies for word in ("-r", str(path))]
        subprocess.run([*pip, "install", "--quiet", *named], check=True)
        return frozen(python)


def main() -> int:
    print("Resolving all requirements in a throw-away environment; this takes a few minutes.")
    lines = resolve([ROOT / name for name in REQUIREMENTS])
    header = HEADER.format(
        python=".".join(platform.python_version_tuple()[:2]),
        system=platform.system(),
        machine=platform.machine(),
    )
    CONSTRAINTS.write_text(header + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(lines)} packages locked in constraints.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main())
