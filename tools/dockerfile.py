"""What repo2docker, the program that Binder builds with, would do with this repository.

It prints its Dockerfile without needing Docker. Of that Dockerfile only a part concerns us: the
variables, the lines run once our files are there, the server. Everything before is the same for
each repository with our version of Python; the Python packages of that part stand in a conda lock.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

INSTRUCTION = re.compile(r"(ARG|CMD|COPY|ENV|RUN|USER)\s+(.+)")
READER = "${NB_USER}"
# In a conda lock, what is made of Python code has "py" at the beginning of its build.
PYTHON_CODE = re.compile(r"/([^/]+)-([^-/]+)-py[^-/]*\.(?:conda|tar\.bz2)(?:#|$)", re.MULTILINE)
PYTHON_ITSELF = re.compile(r"/python-([^-/]+)-")
# The few names that are not the same for pip.
FOR_PIP = {
    "brotli-python": "brotli",
    "jupyterhub-base": "jupyterhub",
    "nbconvert-core": "nbconvert",
    "python-fastjsonschema": "fastjsonschema",
}

Instruction = tuple[str, str]


@dataclass(frozen=True)
class Recipe:
    """What a Dockerfile of repo2docker does with a repository."""

    python: str  # version, e.g. 3.11
    platform: str  # e.g. linux-64
    variables: tuple[tuple[str, str], ...]  # in order; a value may name an earlier one
    steps: tuple[str, ...]  # shell commands, run in the repository as its reader
    server: tuple[str, ...]

    @property
    def lock(self) -> str:
        """The file with the packages that are there before ours."""
        return f"environment.py-{self.python}-{self.platform}.lock"


def recipe_for(folder: Path) -> Recipe:
    """Let repo2docker look at a folder."""
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", str(folder)]
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    if ran.returncode != 0:
        raise SystemExit(f"repo2docker finds no way to build this:\n{ran.stdout}{ran.stderr}")
    return read_recipe(ran.stdout + ran.stderr)


def read_recipe(printed: str) -> Recipe:
    """The recipe in what `jupyter-repo2docker --no-build --debug` prints."""
    said = instructions(printed)
    return Recipe(
        python=_only(r"conda environment for python=(\S+)", printed),
        platform=_only(r"^ENV CONDA_PLATFORM=(\S+)", printed),
        variables=tuple(variables(said)),
        steps=tuple(steps(said)),
        server=tuple(json.loads(_only(r"^CMD (.+)", printed))),
    )


def _only(pattern: str, printed: str) -> str:
    found = re.findall(pattern, printed, re.MULTILINE)
    if len(found) != 1:
        raise SystemExit(f"expected one {pattern!r}, found {len(found)}; printed was:\n{printed}")
    return str(found[0])


def instructions(printed: str) -> list[Instruction]:
    """(word, rest) of each instruction; one that goes on over several lines becomes one line."""
    lines = re.sub(r"\\\n\s*", "", printed).splitlines()
    return [(found[1], found[2]) for line in lines if (found := INSTRUCTION.match(line))]


def variables(said: Iterable[Instruction]) -> Iterator[tuple[str, str]]:
    """Names and values as they are set; an argument without a value is left to the builder."""
    for word, rest in said:
        if word in ("ARG", "ENV"):
            for pair in shlex.split(rest):
                name, is_set, value = pair.partition("=")
                if is_set:
                    yield name, value


def steps(said: Iterable[Instruction]) -> Iterator[str]:
    """What is run once files of the repository are there."""
    copied, user = False, "root"
    for word, rest in said:
        if word == "USER":
            user = rest
        elif word == "COPY":
            copied = copied or " src/" in rest
        elif word == "RUN" and copied:
            if user != READER:
                raise SystemExit(f"{user} runs this in the image, so it cannot be replayed: {rest}")
            yield rest


def read_lock(name: str) -> str:
    """The text of one of repo2docker's own locks."""
    found = find_spec("repo2docker")
    if found is None or found.origin is None:
        raise SystemExit("repo2docker is not installed here; `make binder` installs it")
    return (Path(found.origin).parent / "buildpacks" / "conda" / name).read_text(encoding="utf-8")


def python_packages(lock: str) -> dict[str, str]:
    """Package -> version, as pip names them, of the Python code in a conda lock."""
    return {FOR_PIP.get(name, name): version for name, version in PYTHON_CODE.findall(lock)}
