"""Run a notebook top to bottom in a clean kernel, as the book does."""

from __future__ import annotations

import re
import time

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, CellExecutionError, DeadKernelError
from nbformat import NotebookNode
from traitlets import default

from tools import environment

CELL_TIMEOUT = 1200
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Failed(Exception):
    """A chapter that did not run to its end; the text says where and why."""


class OwnPython(AsyncKernelManager):
    """Starts kernels with the Python that runs this, never with one a person has registered."""

    @default("kernel_spec_manager")
    def _no_registered_kernels(self) -> KernelSpecManager:
        return KernelSpecManager(kernel_dirs=[])


def execute(notebook: NotebookNode) -> float:
    """Fill in the outputs of `notebook`, return the seconds it took; `Failed` if a cell fails."""
    begun = time.perf_counter()
    started = []
    client = NotebookClient(
        notebook,
        kernel_manager_class=OwnPython,
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR"],
        timeout=CELL_TIMEOUT,
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(environment.CHAPTERS)}},
        on_cell_execute=lambda cell, cell_index: started.append(cell_index),
    )
    try:
        client.execute(env=environment.for_kernel())
    except (CellExecutionError, CellControlSignal, DeadKernelError) as error:
        raise Failed(report(notebook, started[-1], error)) from None
    return time.perf_counter() - begun


def report(notebook: NotebookNode, index: int, error: Exception | None = None) -> str:
    """Which cell failed, its code, and what Python said, without colours."""
    cell = notebook.cells[index]
    lines = [f"cell {index + 1} of {len(notebook.cells)} failed:", ""]
    lines += [f"    {line}" for line in cell.source.splitlines()]
    tracebacks = [out.traceback for out in cell.outputs if out.output_type == "error"]
    said = "\n".join(tracebacks[-1]) if tracebacks else f"{type(error).__name__}: {error}"
    return "\n".join([*lines, "", COLOUR.sub("", said).rstrip()])
