"""What Binder makes of this repository: what it installs, and how `make binder` replays that.

That the chapters run in the environment so made is proved by `make binder`, which takes minutes;
here its parts are tried on small examples.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import packages_distributions, requires
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import binder, dockerfile, lock
from tools.environment import LIBRARY, ROOT
from tools.execution import Failed
from tools.jupyter import Kernel, unpacked
from tools.notebooks import (
    WIDGET_VIEW,
    code_cells,
    normalise,
    read_source,
    required_package,
    slugs,
)

# --- What is installed, and by whom ---------------------------------------------------------------

IMPORTED = re.compile(r"^ *(?:import|from) (\w+)(?:\.[\w.]+)?(?: import | as |$)", re.MULTILINE)
FILES = {name: (ROOT / name).read_text(encoding="utf-8") for name in lock.REQUIREMENTS}


def asked(name: str) -> set[str]:
    """The packages that one requirements file names itself."""
    lines = (line for line in FILES[name].splitlines() if re.match(r"\w", line))
    return {canonicalize_name(Requirement(line).name) for line in lines}


def with_dependencies(packages: set[str]) -> set[str]:
    """These packages, and all that comes with them."""
    found: set[str] = set()
    waiting = set(packages)
    while waiting:
        package = waiting.pop()
        found.add(package)
        needed = map(Requirement, requires(package) or [])
        here = {
            need for need in needed if need.marker is None or need.marker.evaluate({"extra": ""})
        }
        waiting |= {canonicalize_name(need.name) for need in here} - found
    return found


def imported_modules() -> set[str]:
    """What the library and the chapters import, without cells for which a package is optional."""
    texts = [path.read_text(encoding="utf-8") for path in LIBRARY.rglob("*.py")]
    cells = (cell for slug in slugs() for cell in code_cells(read_source(slug)))
    texts += [cell.source for cell in cells if required_package(cell) is None]
    found = {name for text in texts for name in IMPORTED.findall(text)}
    return found - sys.stdlib_module_names - {LIBRARY.name}


def test_binder_reads_the_root_files() -> None:
    """A folder named binder would hide them; a patch level in runtime.txt is refused."""
    assert (ROOT / "runtime.txt").read_text(encoding="utf-8").strip() == "python-3.11"
    assert not (ROOT / "binder").exists()
    assert not (ROOT / ".binder").exists()
    # These would come before requirements.txt, or hide it.
    others = ("environment.yml", "environment.yaml", "Pipfile", "setup.py", "Dockerfile", "apt.txt")
    assert [name for name in others if (ROOT / name).exists()] == []


def test_a_reader_gets_all_that_chapters_import() -> None:
    origin = packages_distributions()
    installed = with_dependencies(asked("requirements.txt"))
    modules = imported_modules()
    assert {"numpy", "matplotlib", "anywidget", "IPython"} <= modules
    missing = {
        module
        for module in modules
        if not {canonicalize_name(name) for name in origin.get(module, [])} & installed
    }
    assert missing == set()


def test_a_reader_gets_nothing_that_only_authors_need() -> None:
    installed = with_dependencies(asked("requirements.txt"))
    for name in set(FILES) - {"requirements.txt"}:
        assert asked(name) & installed == set(), name


def test_every_package_is_asked_for_in_one_place() -> None:
    names = [package for name in FILES for package in asked(name)]
    assert sorted(names) == sorted(set(names))
    assert "-r requirements.txt\n" in FILES["requirements-book.txt"]
    assert "-r requirements-book.txt\n" in FILES["requirements-test.txt"]


def test_a_version_that_was_not_tested_is_named() -> None:
    installed = binder.locked_versions()
    assert binder.wrong_versions(installed) == []
    locked = installed.pop("numpy")
    (said,) = binder.wrong_versions(installed)
    assert said == f"numpy is missing, tested was {locked}"
    assert binder.wrong_versions(installed | {"numpy": "1.0"}) == [
        f"numpy is 1.0, tested was {locked}"
    ]


# --- The Dockerfile -------------------------------------------------------------------------------

PRINTED = r"""
FROM some/image:1

# Comments are left out, also those that say RUN rm.
ENV LC_ALL=en_US.UTF-8 \
    LANG=en_US.UTF-8
ARG NB_USER
ENV USER=${NB_USER} \
    HOME=/users/${NB_USER}
RUN apt-get -qq update && \
    apt-get -qq install less
ENV APP_BASE=/srv
ENV NB_PYTHON_PREFIX=${APP_BASE}/envs/notebook
ENV CONDA_PLATFORM=linux-64
ENV PATH=${NB_PYTHON_PREFIX}/bin:${PATH}
USER root
ARG REPO_DIR=${HOME}
ENV REPO_DIR=${REPO_DIR}
RUN chown ${NB_USER} ${REPO_DIR}
COPY --chown=0:0 src/requirements.txt ${REPO_DIR}/requirements.txt
USER root
COPY --chown=0:0 src/ ${REPO_DIR}/
USER ${NB_USER}
RUN ${NB_PYTHON_PREFIX}/bin/pip install -r "requirements.txt"
RUN ${NB_PYTHON_PREFIX}/bin/pip install \
    .
LABEL who="nobody"
CMD ["jupyter", "notebook", "--ip", "0.0.0.0"]

Picked Local content provider.
Building conda environment for python=3.11
"""

LOCK = """\
# platform: linux-64
@EXPLICIT
https://host/linux-64/libzlib-1.3.1-hb9d3cd8_2.conda#edb0
https://host/noarch/python_abi-3.11-8_cp311.conda#8fcb
https://host/linux-64/python-3.11.14-hfe2f287_1_cpython.conda#e87c
https://host/noarch/jupyterlab_widgets-3.0.15-pyhd8ed1ab_0.conda#ad10
https://host/linux-64/tornado-6.5.2-py311h49ec1c0_1.conda#18a9
https://host/noarch/typing-extensions-4.15.0-h396c80c_0.conda#edd3
https://host/noarch/nbconvert-core-7.16.6-pyh29332c3_0.tar.bz2
"""


def test_the_part_of_a_dockerfile_that_concerns_us_is_read() -> None:
    recipe = dockerfile.read_recipe(PRINTED)
    assert recipe.lock == "environment.py-3.11-linux-64.lock"
    assert recipe.steps == (
        '${NB_PYTHON_PREFIX}/bin/pip install -r "requirements.txt"',
        "${NB_PYTHON_PREFIX}/bin/pip install .",
    )
    assert recipe.server == ("jupyter", "notebook", "--ip", "0.0.0.0")
    assert recipe.variables[:2] == (("LC_ALL", "en_US.UTF-8"), ("LANG", "en_US.UTF-8"))


def test_variables_lead_to_the_folders_of_the_replay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "not for a reader")
    monkeypatch.setenv("PIP_INDEX_URL", "somewhere")
    replay = binder.replay_in(tmp_path, dockerfile.read_recipe(PRINTED))
    found = replay.variables
    assert found["HOME"] == found["REPO_DIR"] == str(tmp_path / "home")
    assert found["PATH"] == f"{tmp_path}/environment/bin:{binder.SYSTEM_PATH}"
    assert (found["USER"], found["LANG"]) == ("reader", "en_US.UTF-8")
    assert found["PIP_INDEX_URL"] == "somewhere"
    assert "PYTHONPATH" not in found
    assert "MATPLOTLIBRC" not in found


def test_the_server_is_started_as_the_repository_wants(tmp_path: Path) -> None:
    plain = dockerfile.read_recipe(PRINTED)
    assert binder.server_of(binder.replay_in(tmp_path, plain), plain) == ["jupyter", "notebook"]
    ours = dockerfile.read_recipe(PRINTED + 'ENV R2D_ENTRYPOINT="${REPO_DIR}/start"\n')
    command = binder.server_of(binder.replay_in(tmp_path, ours), ours)
    assert command == [str(tmp_path / "home" / "start"), "jupyter", "notebook"]


@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_what_binder_runs_is_a_correct_script(name: str) -> None:
    assert os.access(ROOT / name, os.X_OK)
    subprocess.run(["sh", "-n", str(ROOT / name)], check=True)


def test_a_program_started_as_in_binder_uses_one_thread() -> None:
    said = 'import os; print(os.environ["OMP_NUM_THREADS"])'
    command = [str(ROOT / "start"), sys.executable, "-c", said]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    assert ran.stdout == "1\n"


def test_what_cannot_be_replayed_is_said() -> None:
    as_root = PRINTED.replace("USER ${NB_USER}\n", "USER root\n")
    with pytest.raises(SystemExit, match=r"root runs this .*requirements\.txt"):
        dockerfile.read_recipe(as_root)
    with pytest.raises(SystemExit, match=r"expected one .*CMD .*, found 0"):
        dockerfile.read_recipe(PRINTED.replace("CMD", "NOTHING"))


def test_a_conda_lock_is_read_as_pip_names_packages() -> None:
    assert dockerfile.python_packages(LOCK) == {
        "jupyterlab_widgets": "3.0.15",
        "tornado": "6.5.2",
        "nbconvert": "7.16.6",
    }


def test_a_line_that_fails_shows_what_it_said(tmp_path: Path) -> None:
    replay = binder.Replay(tmp_path, tmp_path, {"PATH": binder.SYSTEM_PATH, "WORD": "sorry"})
    with pytest.raises(SystemExit, match="sorry"):
        replay.run('echo "$WORD"; false')


def test_a_python_that_is_not_here_is_named() -> None:
    with pytest.raises(SystemExit, match=r"Python 2\.2; here is no python2\.2"):
        binder.python_like("2.2")


@pytest.mark.skipif(not find_spec("repo2docker"), reason="`make binder` installs repo2docker")
def test_repo2docker_installs_the_book_as_it_was_tested(tmp_path: Path) -> None:
    binder.copy_tracked(tmp_path)
    recipe = dockerfile.recipe_for(tmp_path)
    assert recipe.python == "3.11"
    assert recipe.steps == (
        '${KERNEL_PYTHON_PREFIX}/bin/pip install --no-cache-dir -r "requirements.txt"',
        "${KERNEL_PYTHON_PREFIX}/bin/pip install --no-cache-dir .",
        "chmod +x postBuild",
        "./postBuild",
        'chmod +x "${REPO_DIR}/start"',
    )
    assert ("R2D_ENTRYPOINT", "${REPO_DIR}/start") in recipe.variables
    packages = dockerfile.python_packages(dockerfile.read_lock(recipe.lock))
    assert {"jupyterlab", "notebook", "jupyter_server", "jupyterhub", "ipywidgets"} <= set(packages)


# --- A chapter through a server -------------------------------------------------------------------


Answer = tuple[str, dict[str, Any]]


class Socket:
    """A server's end: to each request it says what a test has prepared."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = answers
        self.frames: list[str | bytes | None] = []

    async def write_message(self, frame: str) -> None:
        sent = json.loads(frame)
        assert (sent["channel"], sent["header"]["msg_type"]) == ("shell", "execute_request")
        self.frames = [
            message("stream", "of another cell", {"name": "stdout", "text": "not mine"}),
            *(message(kind, sent["header"]["msg_id"], content) for kind, content in self.answers),
            None,
        ]

    async def read_message(self) -> str | bytes | None:
        return self.frames.pop(0)


def message(kind: str, parent: str, content: dict[str, Any]) -> str:
    return json.dumps(
        {
            "header": {"msg_type": kind},
            "parent_header": {"msg_id": parent},
            "metadata": {},
            "content": content,
        }
    )


def run_cell(*answers: Answer) -> tuple[NotebookNode, set[str]]:
    cell = nbformat.v4.new_code_cell("1 + 1")
    socket: Any = Socket(*answers)
    # In a thread of its own: where a browser is open, this one has a loop of events already.
    with ThreadPoolExecutor(1) as thread:
        return cell, thread.submit(lambda: asyncio.run(Kernel(socket).run(cell))).result()


IDLE = ("status", {"execution_state": "idle"})


def test_a_cell_gets_its_outputs_and_no_others() -> None:
    cell, widgets = run_cell(
        ("status", {"execution_state": "busy"}),
        ("execute_input", {"execution_count": 3}),
        ("comm_open", {"comm_id": "w", "target_name": "jupyter.widget", "data": {}}),
        ("comm_open", {"comm_id": "x", "target_name": "something", "data": {}}),
        ("stream", {"name": "stdout", "text": "2\n"}),
        ("execute_result", {"execution_count": 3, "data": {"text/plain": "2"}, "metadata": {}}),
        IDLE,
        ("stream", {"name": "stdout", "text": "too late"}),
    )
    assert [output.output_type for output in cell.outputs] == ["stream", "execute_result"]
    assert (cell.execution_count, widgets) == (3, {"w"})


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([("status", {"execution_state": "restarting"})], "the kernel died"),
        ([], "the server has closed the connection"),
        ([("clear_output", {}), IDLE], "clear_output, which is not understood here"),
    ],
)
def test_a_kernel_that_fails_is_heard(answers: list[Answer], words: str) -> None:
    with pytest.raises(Failed, match=words):
        run_cell(*answers)


def test_a_binary_frame_holds_its_message_first() -> None:
    text, data = b'{"content": {}}', b"\x00\xff"
    begins = (12, 12 + len(text))
    frame = struct.pack("!III", 2, *begins) + text + data
    assert unpacked(frame) == unpacked(text.decode()) == {"content": {}}


FIGURE = '<div class="live" id="curve-a" data-live="curve">picture</div>'


@pytest.fixture
def stored() -> NotebookNode:
    """A chapter with a number, a live figure, and a cell for a package that Binder has not."""
    number = nbformat.v4.new_output("stream", name="stdout", text="0.72835\n")
    figure = nbformat.v4.new_output("execute_result", data={"text/html": FIGURE}, execution_count=2)
    torch = nbformat.v4.new_output("stream", name="stdout", text="0.5\n")
    cells = [
        nbformat.v4.new_code_cell("print(a)", outputs=[number], execution_count=1),
        nbformat.v4.new_code_cell("figure", outputs=[figure], execution_count=2),
        nbformat.v4.new_code_cell("%%requires torch", outputs=[torch], execution_count=3),
    ]
    return normalise(nbformat.v4.new_notebook(cells=cells), "00_small")


@pytest.fixture
def fresh(stored: NotebookNode) -> Iterator[NotebookNode]:
    """What Binder's kernel makes of it."""
    notebook = nbformat.from_dict(json.loads(json.dumps(stored)))
    for cell in notebook.cells:
        cell.metadata.trusted = True
    notebook.cells[1].outputs[0].data[WIDGET_VIEW] = {"model_id": "m"}
    said = "torch is not installed here: this cell was passed over.\n"
    notebook.cells[2].outputs[0].text = said
    return notebook


def test_a_chapter_that_is_repeated_passes(stored: NotebookNode, fresh: NotebookNode) -> None:
    visit = binder.compare("00_small", stored, fresh, {"m"})
    assert visit == binder.Visit(compared=2, passed_over=1, live=1)
    said = "4 code cells compared, all equal; 2 passed over; live figures: 2"
    assert str(visit + visit) == said


def test_a_moved_digit_and_a_dead_figure_are_found(
    stored: NotebookNode, fresh: NotebookNode
) -> None:
    fresh.cells[0].outputs[0].text = "0.72836\n"
    visit = binder.compare("00_small", stored, fresh, {"another"})
    assert "NOT equal (2)" in str(visit)
    dead, moved = visit.problems
    assert dead == "curve-a is not alive"
    assert "stored has '0.72835', this run '0.72836'" in moved


def test_a_chapter_that_opens_without_drawings_is_found(
    stored: NotebookNode, fresh: NotebookNode
) -> None:
    fresh.cells[1].metadata.trusted = False
    (said,) = binder.compare("00_small", stored, fresh, {"m"}).problems
    assert "opens without its drawings" in said


def test_a_cell_is_passed_over_only_if_it_says_so(
    stored: NotebookNode, fresh: NotebookNode
) -> None:
    fresh.cells[2].outputs[0].text = ""
    visit = binder.compare("00_small", stored, fresh, {"m"})
    assert visit.passed_over == 0
    assert len(visit.problems) == 1
