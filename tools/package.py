"""Build backprop_lib as a package of its own, and prove it without the book: `make package`.

    python -m tools.package          build into dist/, install elsewhere, run doctests and tests
    python -m tools.package build    build and look into the archives only

The wheel is built from the source distribution, and both from a copy of the few files that belong
to the library. Its tests come out of the source distribution and run in a fresh environment, in a
folder from which neither the book nor this checkout can be seen.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from pathlib import Path

from tools.environment import CONSTRAINTS, LIBRARY, ONE_THREAD, ROOT, locked_versions
from tools.repository import of_book

DIST = ROOT / "dist"
# The tests quote the benchmarks' tables of witnesses and of confusions.
TESTS = ("tests/library", "benchmarks")
STAGED = ("backprop_lib", *TESTS, "pyproject.toml", "MANIFEST.in", "LICENSE")
NOT_STAGED = shutil.ignore_patterns("__pycache__", "*.pyc", ".ipynb_checkpoints")
TEST_TOOLS = ("pytest", "pytest-xdist", "hypothesis", "beautifulsoup4")
EXTRAS = "plots,live"
WITHOUT_EXTRAS = """
import backprop_lib
for name in backprop_lib.__all__:
    getattr(backprop_lib, name)
print(f"{len(backprop_lib.__all__)} public names without any extra")
"""


@dataclass(frozen=True)
class Built:
    """The two archives."""

    wheel: Path
    sdist: Path


def library_files(library: Path = LIBRARY) -> set[str]:
    """Every file of the library, as the wheel must name it."""
    found = (path for path in library.rglob("*") if path.is_file())
    return {
        path.relative_to(library.parent).as_posix()
        for path in found
        if path.suffix != ".pyc" and ".ipynb_checkpoints" not in path.parts
    }


def addresses(variables: Mapping[str, str]) -> str:
    """The table of the project's addresses for pyproject.toml; empty if none is known."""
    repository = of_book(ROOT, variables)
    if repository is None:
        return ""
    return f"\n[project.urls]\nSource = {json.dumps(repository.url)}\n"


def stage(folder: Path, variables: Mapping[str, str]) -> None:
    """Copy what belongs to the library, and add the addresses that are known."""
    for name in STAGED:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=NOT_STAGED)
        else:
            shutil.copy2(source, target)
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as project:
        project.write(addresses(variables))


def build(target: Path, variables: Mapping[str, str] = os.environ) -> Built:
    """Build the source distribution, and from it the wheel."""
    with tempfile.TemporaryDirectory(prefix="package-") as name:
        folder = Path(name)
        stage(folder / "source", variables)
        command = [sys.executable, "-m", "build", "--outdir", str(folder / "built")]
        ran = subprocess.run(
            [*command, str(folder / "source")], check=False, capture_output=True, text=True
        )
        if ran.returncode != 0:
            raise SystemExit(f"The package cannot be built:\n{ran.stdout}{ran.stderr}")
        target.mkdir(parents=True, exist_ok=True)
        for old in (*target.glob("backprop_lib-*.whl"), *target.glob("backprop_lib-*.tar.gz")):
            old.unlink()
        (wheel,) = (folder / "built").glob("*.whl")
        (sdist,) = (folder / "built").glob("*.tar.gz")
        return Built(*(Path(shutil.copy2(path, target)) for path in (wheel, sdist)))


def wheel_files(wheel: Path) -> set[str]:
    """What the wheel installs, its notes about itself aside."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def sdist_files(sdist: Path) -> set[str]:
    """What the source distribution holds, its outer folder aside."""
    with tarfile.open(sdist) as archive:
        members = (member.name for member in archive.getmembers() if member.isfile())
        return {name.partition("/")[2] for name in members}


def metadata(wheel: Path) -> Message:
    """What the wheel says about itself."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode("utf-8"))


def problems(built: Built) -> list[str]:
    """What is missing in the archives, or does not belong there."""
    expected = library_files()
    found = wheel_files(built.wheel)
    said = [f"the wheel lacks {name}" for name in sorted(expected - found)]
    said += [f"the wheel holds {name}" for name in sorted(found - expected)]
    tests = {f"{name}/{path.name}" for name in TESTS for path in (ROOT / name).glob("*.py")}
    lacking = (expected | tests | {"LICENSE", "pyproject.toml"}) - sdist_files(built.sdist)
    return said + [f"the source distribution lacks {name}" for name in sorted(lacking)]


def take_tests(sdist: Path, folder: Path) -> None:
    """The tests and their settings, without the library they test."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (unpacked,) = folder.iterdir()
    for name in TESTS:
        shutil.copytree(unpacked / name, folder / name)
    shutil.copy2(unpacked / "pyproject.toml", folder)
    shutil.rmtree(unpacked)


def prove(built: Built) -> int:
    """Install the wheel where the book is not, and run its examples and its tests there."""
    with tempfile.TemporaryDirectory(prefix="elsewhere-") as name:
        folder = Path(name)
        venv.create(folder / "venv", with_pip=True)
        programs = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
        (folder / "book").mkdir()
        take_tests(built.sdist, folder / "book")
        variables = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        variables |= ONE_THREAD | {"MPLBACKEND": "agg"}

        def run(*words: str | Path) -> int:
            print(f"$ {_shown(words)}", flush=True)
            return subprocess.run(words, cwd=folder / "book", env=variables, check=False).returncode

        pip = (programs / "python", "-m", "pip", "install", "-qq", "--disable-pip-version-check")
        pytest = (programs / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider")
        constrained = ("-c", constraints(folder))
        return (
            run(*pip, *constrained, built.wheel)
            or run(programs / "python", "-c", WITHOUT_EXTRAS)
            or run(*pip, *constrained, f"{built.wheel}[{EXTRAS}]", *TEST_TOOLS)
            or run(*pytest, "--doctest-modules", "--pyargs", "backprop_lib")
            or run(*pytest, "-n", "2", "--dist", "loadfile", "tests/library")
        )


def _shown(words: Sequence[str | Path]) -> str:
    """A command in one short line: file names without their folders, a program's text as dots."""
    names = (word.name if isinstance(word, Path) else word for word in words)
    return " ".join("..." if "\n" in name else name for name in names)


def constraints(folder: Path) -> Path:
    """The locked versions, but only where this is the Python they were locked for."""
    chosen = folder / "constraints.txt"
    locked_for = CONSTRAINTS.read_text(encoding="utf-8").partition("# Python ")[2].split(",")[0]
    same = locked_for == f"{sys.version_info.major}.{sys.version_info.minor}"
    lines = [f"{name}=={version}\n" for name, version in locked_versions().items()] if same else []
    chosen.write_text("".join(lines), encoding="utf-8")
    return chosen


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.package",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("only", nargs="?", choices=["build"], help="do not install and test")
    only = parser.parse_args(words).only
    built = build(DIST)
    for path in (built.wheel, built.sdist):
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1000} kB")
    if found := problems(built):
        print("\n".join(found), file=sys.stderr)
        return 1
    return 0 if only else prove(built)


if __name__ == "__main__":
    sys.exit(main())
