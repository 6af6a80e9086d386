"""Install as Binder does, and run the chapters through its server: `make binder`.

    python -m tools.binder          every chapter, and a live figure in a browser
    python -m tools.binder 07 08    these chapters only

Binder's lines for this repository (tools/dockerfile.py) are run as they stand. Two folders play the
image: one holds the files that a clone would have, one an environment with the Jupyter packages
that are there before ours. Then the image's server starts, each chapter is opened and run through
it, with the image's variables and not the book's own, and compared with what is stored.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from string import Template

from nbformat import NotebookNode
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.book import named
from tools.comparison import run_differences
from tools.dockerfile import Recipe, python_packages, read_lock, recipe_for
from tools.environment import ROOT, locked_versions
from tools.execution import Failed
from tools.jupyter import Server, ask, run_all, running_server
from tools.notebooks import WIDGET_VIEW, code_cells, normalise, read_notebook, required_package
from tools.pictures import with_plain_names

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Of this machine's variables only these: how pip reaches a registry, how numpy sees a processor.
PASSED_ON = re.compile(r"(?i:PIP_|\w+_PROXY$|SSL_CERT|REQUESTS_CA)|OPENBLAS_CORETYPE|NPY_")
LIVE_TEST = "tests/live/test_live_jupyterlab.py"
# What a figure's output holds for pages without a kernel.
LIVE_FIGURE = re.compile(r'<div class="live" id="([^"]+)"')
SVG = "image/svg+xml"


# --- The image, without an image ------------------------------------------------------------------


@dataclass(frozen=True)
class Replay:
    """Two folders in place of the image's, and the variables with which programs run there."""

    home: Path
    prefix: Path
    variables: Mapping[str, str]

    @property
    def python(self) -> Path:
        return self.prefix / "bin" / "python"

    def run(self, line: str) -> None:
        """Run a shell command as the Dockerfile would, and say what it cost."""
        print(f"$ {line}", flush=True)
        started = time.perf_counter()
        ran = subprocess.run(
            ["sh", "-c", line],
            cwd=self.home,
            env=self.variables,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if ran.returncode != 0:
            raise SystemExit(f"This line fails here, and would in Binder:\n{ran.stdout}")
        seconds = time.perf_counter() - started
        print(f"  {seconds:.0f} s; the environment has {megabytes(self.prefix)} MB", flush=True)

    def installed(self) -> dict[str, str]:
        """Package -> version."""
        pip = [str(self.python), "-m", "pip", "--disable-pip-version-check"]
        command = [*pip, "list", "--format=json"]
        listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return {canonicalize_name(one["name"]): one["version"] for one in json.loads(listed)}


def replay_in(folder: Path, recipe: Recipe) -> Replay:
    """Name the folders, and give each variable of the Dockerfile its value here."""
    home, prefix = folder / "home", folder / "environment"
    ours = {"NB_USER": "reader", "HOME": str(home), "NB_PYTHON_PREFIX": str(prefix)}
    values = {name: value for name, value in os.environ.items() if PASSED_ON.match(name)}
    values |= {"PATH": SYSTEM_PATH} | ours
    for name, value in recipe.variables:
        if name not in ours:
            values[name] = Template(value).safe_substitute(values)
    return Replay(home, prefix, values)


def copy_tracked(target: Path) -> None:
    """The files that a clone would have, as they are now."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def install_base(replay: Replay, recipe: Recipe) -> None:
    """Make the environment with what is there before ours, in the versions of repo2docker."""
    packages = python_packages(read_lock(recipe.lock))
    subprocess.run([python_like(recipe.python), "-m", "venv", str(replay.prefix)], check=True)
    wanted = replay.home.with_name("base.txt")
    wanted.write_text("".join(f"{n}=={v}\n" for n, v in packages.items()), encoding="utf-8")
    print(f"The {len(packages)} packages of {recipe.lock}, Jupyter among them:")
    replay.run(f"$NB_PYTHON_PREFIX/bin/python -m pip install -q --no-deps -r {wanted}")


def python_like(version: str) -> str:
    """A Python of this version: the one that runs this, else one on the PATH."""
    if version == ".".join(map(str, sys.version_info[:2])):
        return sys.executable
    if found := shutil.which(f"python{version}"):
        return found
    raise SystemExit(f"Binder takes Python {version}; here is no python{version} on the PATH")


def megabytes(folder: Path) -> int:
    sizes = (path.lstat().st_size for path in folder.rglob("*"))
    return sum(sizes) // 1_000_000


def wrong_versions(installed: Mapping[str, str]) -> list[str]:
    """Of what a reader's two files ask for, what is not there as it was tested."""
    files = (ROOT / name for name in ("requirements.txt", "requirements-jupyter.txt"))
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    asked = [canonicalize_name(Requirement(line).name) for line in lines if re.match(r"\w", line)]
    locked = locked_versions()
    return [
        f"{name} is {installed.get(name, 'missing')}, tested was {locked[name]}"
        for name in asked
        if installed.get(name) != locked[name]
    ]


# --- A chapter, as a reader runs it ---------------------------------------------------------------


@dataclass(frozen=True)
class Visit:
    """What came out of one chapter: code cells compared, and those that ask for a package."""

    compared: int = 0
    passed_over: int = 0
    live: int = 0
    problems: tuple[str, ...] = ()

    def __add__(self, other: Visit) -> Visit:
        return Visit(
            self.compared + other.compared,
            self.passed_over + other.passed_over,
            self.live + other.live,
            self.problems + other.problems,
        )

    def __str__(self) -> str:
        verdict = f"NOT equal ({len(self.problems)})" if self.problems else "all equal"
        counts = f"{self.passed_over} passed over; live figures: {self.live}"
        return f"{self.compared} code cells compared, {verdict}; {counts}"


async def visit(server: Server, slug: str) -> Visit:
    """Open a chapter where the site's button leads, run it, and compare."""
    path = f"chapters/{slug}.ipynb"
    await ask(server, f"/lab/tree/{path}")
    try:
        fresh, widgets = await run_all(server, path)
    except Failed as failure:
        return Visit(problems=(str(failure),))
    return compare(slug, read_notebook(slug), fresh, widgets)


def compare(slug: str, stored: NotebookNode, fresh: NotebookNode, widgets: Set[str]) -> Visit:
    """What a fresh run shows that is not stored, and which of its figures no widget moves."""
    live = list(live_figures(fresh))
    problems = [f"{name} is not alive" for name, model in live if model not in widgets]
    if not all(cell.metadata.get("trusted") for cell in code_cells(fresh)):
        problems.append("the server does not trust it, so it opens without its drawings")
    fresh = normalise(fresh, slug)
    passed_over = leave_out_passed_over(stored, fresh)
    problems += run_differences(plainly_named(stored), plainly_named(fresh))
    compared = len(code_cells(stored)) - passed_over
    return Visit(compared, passed_over, len(live), tuple(problems))


def live_figures(notebook: NotebookNode) -> Iterator[tuple[str, str]]:
    """Each live figure shown, and the widget that moves it; an empty name if there is none."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            data = output.get("data", {})
            if figure := LIVE_FIGURE.search(data.get("text/html", "")):
                yield figure[1], data.get(WIDGET_VIEW, {}).get("model_id", "")


def leave_out_passed_over(stored: NotebookNode, fresh: NotebookNode) -> int:
    """Leave out cells whose package Binder has not, if they say just that; say how many."""
    count = 0
    for old, new in zip(code_cells(stored), code_cells(fresh), strict=False):
        package = required_package(old)
        said = "".join(output.get("text", "") for output in new.outputs)
        if said == f"{package} is not installed here: this cell was passed over.\n":
            old.outputs = new.outputs = []
            count += 1
    return count


def plainly_named(notebook: NotebookNode) -> NotebookNode:
    """The notebook with those names in its drawings that mean nothing made alike, in place."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            if SVG in output.get("data", {}):
                output.data[SVG] = with_plain_names(output.data[SVG])
    return notebook


# --- The command ----------------------------------------------------------------------------------


def build(folder: Path) -> tuple[Replay, Recipe]:
    """Make of `folder` what Binder would make of this repository."""
    copy_tracked(folder / "home")
    recipe = recipe_for(folder / "home")
    replay = replay_in(folder, recipe)
    install_base(replay, recipe)
    for line in recipe.steps:
        replay.run(line)
    replay.run("$NB_PYTHON_PREFIX/bin/python -m pip check")
    if wrong := wrong_versions(replay.installed()):
        raise SystemExit("\n".join(wrong))
    return replay, recipe


def visit_all(replay: Replay, recipe: Recipe, chosen: Sequence[str]) -> Visit:
    """Start the image's server and run the chapters there, one after the other."""
    total = Visit()
    with running_server(server_of(replay, recipe), replay.home, replay.variables) as server:
        for slug in chosen:
            started = time.perf_counter()
            found = asyncio.run(visit(server, slug))
            print(f"{slug}: {found}; {time.perf_counter() - started:.0f} s", flush=True)
            for problem in found.problems:
                print(f"    {problem}", flush=True)
            total += found
    return total


def server_of(replay: Replay, recipe: Recipe) -> list[str]:
    """The command that a reader's container runs, but for the address, which is not ours to take.

    repo2docker's own entry point, left out here, runs the repository's, if it has one.
    """
    program = recipe.server[: recipe.server.index("--ip")]
    ours = replay.variables.get("R2D_ENTRYPOINT")
    return [ours, *program] if ours else [*program]


def see_live(replay: Replay) -> int:
    """Move a live figure in a browser, in this environment's JupyterLab."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", LIVE_TEST]
    print(f"$ pytest {LIVE_TEST}", flush=True)
    told = {**os.environ, "JUPYTER_PYTHON": str(replay.python)}
    return subprocess.run(command, cwd=ROOT, env=told, check=False).returncode


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.binder",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", help="chapters, e.g. 07; without any: all")
    chosen = named(parser.parse_args(words).names)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="binder-") as name:
        replay, recipe = build(Path(name))
        total = visit_all(replay, recipe, chosen)
        status = see_live(replay)
    print(f"{len(chosen)} chapters: {total}; {time.perf_counter() - started:.0f} s in all")
    return 1 if total.problems or status else 0


if __name__ == "__main__":
    sys.exit(main())
