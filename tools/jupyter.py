"""A Jupyter server, and a chapter opened and run through it as a reader's browser does.

A browser asks for the notebook's contents, opens a session, whose kernel starts in the notebook's
folder, and sends it one cell after the other over a websocket. So does `run_all`; nothing here
knows what is installed where the server runs.
"""

from __future__ import annotations

import asyncio
import json
import os
import struct
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.session import Session
from nbformat import NotebookNode
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tools.execution import CELL_TIMEOUT, Failed, report
from tools.notebooks import tags

START_S = 120
LARGEST_MESSAGE = 256_000_000
# What a notebook shows; a kernel says more (that it is busy, that a widget was made).
OUTPUTS = ("stream", "display_data", "execute_result", "error")
# These change an output that is there already; no chapter does that.
CHANGES = ("clear_output", "update_display_data")
# What a server says of a kernel that is gone, whoever asked it something.
ENDINGS = ("dead", "restarting", "autorestarting")

Message = dict[str, Any]


@dataclass(frozen=True)
class Server:
    """Where a server answers, and the word it wants to hear."""

    url: str
    token: str

    def request(self, path: str, method: str = "GET", body: Any = None) -> HTTPRequest:
        return HTTPRequest(
            f"{self.url}{path}",
            method=method,
            body=None if body is None else json.dumps(body),
            headers={"Authorization": f"token {self.token}"},
            request_timeout=START_S,
        )


@contextmanager
def running_server(
    command: Sequence[str], folder: Path, variables: Mapping[str, str]
) -> Iterator[Server]:
    """Start a server in a folder, with these variables and no others; stop it at the end."""
    notes = folder / ".server"
    notes.mkdir()
    # The port is the first free one after the usual; of a port 0 the server would not say more.
    options = ["--ip=127.0.0.1", "--no-browser"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--allow-root")
    with (notes / "log.txt").open("w") as log:
        process = subprocess.Popen(
            [*command, *options],
            cwd=folder,
            env={**variables, "JUPYTER_RUNTIME_DIR": str(notes)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield _when_ready(process, notes)
        finally:
            process.terminate()
            process.wait(timeout=START_S)


def _when_ready(process: subprocess.Popen[bytes], notes: Path) -> Server:
    """The address a server writes down for its siblings as soon as it listens."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        for note in notes.glob("jpserver-*.json"):
            if text := note.read_text(encoding="utf-8"):
                said = json.loads(text)
                return Server(said["url"].rstrip("/"), said["token"])
        time.sleep(0.2)
    raise SystemExit(f"The server does not start:\n{(notes / 'log.txt').read_text()}")


async def ask(server: Server, path: str, method: str = "GET", body: Any = None) -> Any:
    """What the server answers: JSON as its value, anything else as text."""
    answer = await AsyncHTTPClient().fetch(server.request(path, method, body))
    is_json = "json" in answer.headers.get("Content-Type", "")
    return json.loads(answer.body) if is_json else answer.body.decode("utf-8")


async def run_all(server: Server, path: str) -> tuple[NotebookNode, set[str]]:
    """Open a notebook and run its cells: its fresh form, and the widgets its kernel made.

    Raises `Failed` where a browser's "Run All Cells" would stop.
    """
    opened = await ask(server, f"/api/contents/{path}?type=notebook")
    notebook: NotebookNode = nbformat.from_dict(opened["content"])
    widgets: set[str] = set()
    async with kernel_for(server, notebook, path) as kernel:
        for index, cell in enumerate(notebook.cells):
            if cell.cell_type == "code":
                widgets |= await kernel.run(cell)
                failed = any(output.output_type == "error" for output in cell.outputs)
                if failed and "raises-exception" not in tags(cell):
                    raise Failed(report(notebook, index))
    return notebook, widgets


@asynccontextmanager
async def kernel_for(server: Server, notebook: NotebookNode, path: str) -> AsyncIterator[Kernel]:
    """The kernel of a session that is closed at the end."""
    wanted = {
        "path": path,
        "name": path,
        "type": "notebook",
        "kernel": {"name": notebook.metadata.kernelspec.name},
    }
    session = await ask(server, "/api/sessions", "POST", wanted)
    channels = server.request(f"/api/kernels/{session['kernel']['id']}/channels")
    channels.url = channels.url.replace("http", "ws", 1)
    socket = await websocket_connect(channels, max_message_size=LARGEST_MESSAGE)
    try:
        yield Kernel(socket)
    finally:
        socket.close()
        await ask(server, f"/api/sessions/{session['id']}", "DELETE")


class Kernel:
    """A kernel at the other end of a server's websocket."""

    def __init__(self, socket: WebSocketClientConnection) -> None:
        self.socket = socket
        self.session = Session()

    async def run(self, cell: NotebookNode) -> set[str]:
        """Run a cell, put its outputs in place, and say which widgets it made."""
        cell.outputs, widgets = [], set()
        async for message in self._answers_to(cell.source):
            kind, content = message["header"]["msg_type"], message["content"]
            if kind in OUTPUTS:
                cell.outputs.append(nbformat.v4.output_from_msg(message))
            elif kind in CHANGES:
                raise Failed(f"a cell sends {kind}, which is not understood here:\n{cell.source}")
            elif kind == "execute_input":
                cell.execution_count = content["execution_count"]
            elif kind == "comm_open" and content["target_name"] == "jupyter.widget":
                widgets.add(content["comm_id"])
        return widgets

    async def _answers_to(self, code: str) -> AsyncIterator[Message]:
        """Everything a kernel says about some code, until it has nothing more to say."""
        request = self.session.msg(
            "execute_request",
            {
                "code": code,
                "silent": False,
                "store_history": True,
                "user_expressions": {},
                "allow_stdin": False,
                "stop_on_error": True,
            },
        )
        await self.socket.write_message(json.dumps({**request, "channel": "shell"}, default=str))
        while True:
            message = await self._next()
            if message["content"].get("execution_state") in ENDINGS:
                raise Failed("the kernel died")
            if message["parent_header"].get("msg_id") != request["header"]["msg_id"]:
                continue
            if message["content"].get("execution_state") == "idle":
                return
            yield message

    async def _next(self) -> Message:
        frame = await asyncio.wait_for(self.socket.read_message(), CELL_TIMEOUT)
        if frame is None:
            raise Failed("the server has closed the connection")
        return unpacked(frame)


def unpacked(frame: str | bytes) -> Message:
    """The message in a frame: JSON, in a binary frame the first part of several."""
    if isinstance(frame, str):
        text: str | bytes = frame
    else:
        # The number of parts, where each begins, the parts; the later ones hold raw data.
        (parts,) = struct.unpack_from("!I", frame)
        begins = [*struct.unpack_from(f"!{parts}I", frame, 4), len(frame)]
        text = frame[begins[0] : begins[1]]
    message: Message = json.loads(text)
    return message
