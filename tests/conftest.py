"""Fixtures shared by the tests that need a web server, a browser or the built site.

* ``site``: folder of the built site,
* ``serve(folder)``: base address of a quiet local server for that folder,
* ``open_page(url, ...)``: a Playwright page; what happened on it stands in ``page.log``.

Without a Chromium the browser tests are skipped, except where the environment
variable ``CI`` is set: there a missing browser is a failure.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from tools.chromium import FLAGS, NoChromiumError, find_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

ROOT = Path(__file__).resolve().parents[1]
NOT_LOCAL = re.compile(
    r"^(?!(?:https?|wss?)://(?:127\.0\.0\.1|localhost)[:/]|(?:data|blob|about):)"
)
MIME_TYPES = {
    ".mjs": "text/javascript",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
}
BUILD_TIMEOUT_S = 600
PAGE_TIMEOUT_MS = 15_000


def _without_browser(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"{reason} In CI the browser tests must run.")
    pytest.skip(f"The browser tests need a browser. {reason}")


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Path of a Chromium: the variable ``CHROMIUM``, else the first usual name on the PATH."""
    try:
        return find_chromium()
    except NoChromiumError as error:
        _without_browser(str(error))


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator[Browser]:
    """One headless Chromium with a fresh profile for the whole session."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _without_browser("The Python package playwright is not installed.")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=chromium_path, headless=True, args=list(FLAGS)
        )
        yield chromium
        chromium.close()


class _QuietHandler(SimpleHTTPRequestHandler):
    """Serve files over kept-alive connections, say nothing, name module types correctly."""

    protocol_version = "HTTP/1.1"
    extensions_map = SimpleHTTPRequestHandler.extensions_map | MIME_TYPES

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[Path | str], str]]:
    """Start a server for a folder and return its address, e.g. ``http://127.0.0.1:40123``."""
    servers: dict[Path, ThreadingHTTPServer] = {}

    def start(directory: Path | str) -> str:
        folder = Path(directory).resolve(strict=True)
        if folder not in servers:
            handler = partial(_QuietHandler, directory=str(folder))
            servers[folder] = ThreadingHTTPServer(("127.0.0.1", 0), handler)
            Thread(target=servers[folder].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[folder].server_port}"

    yield start
    for server in servers.values():
        server.shutdown()
        server.server_close()


@dataclass
class PageLog:
    """What a page did: requests that left the machine, console complaints, errors, failures.

    ``console`` holds warnings and errors, each as "type: text (address)"; ``missing`` holds
    local addresses answered with 400 or more.
    """

    external: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.external or self.console or self.errors or self.missing)

    def add_console(self, message: ConsoleMessage) -> None:
        if message.type in ("warning", "error", "assert"):
            self.console.append(f"{message.type}: {message.text} ({message.location.get('url')})")


def _watch(page: Page) -> PageLog:
    log = PageLog()

    def refuse(route: Any) -> None:
        log.external.append(route.request.url)
        route.abort()

    page.context.route(NOT_LOCAL, refuse)
    page.on("console", log.add_console)
    page.on("pageerror", lambda error: log.errors.append(str(error)))
    page.on(
        "response",
        lambda answer: log.missing.append(answer.url) if answer.status >= 400 else None,
    )
    return log


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open an address in a private context; contexts are closed when the test ends.

    ``open_page(url, width=1280, height=900, color_scheme="light", javascript=True,
    reduced_motion=None, wait_until="load", init_script=None, **context_options)`` returns the
    page with its ``PageLog`` as ``page.log``. Requests to other machines are refused and logged.
    """
    contexts: list[BrowserContext] = []

    def open_one(
        url: str,
        *,
        width: int = 1280,
        height: int = 900,
        color_scheme: str = "light",
        javascript: bool = True,
        reduced_motion: str | None = None,
        wait_until: str = "load",
        init_script: str | None = None,
        **context_options: Any,
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=color_scheme,
            java_script_enabled=javascript,
            reduced_motion=reduced_motion,
            # A service worker would fetch behind the request filter's back.
            **{"service_workers": "block"} | context_options,
        )
        contexts.append(context)
        context.set_default_timeout(PAGE_TIMEOUT_MS)
        page = context.new_page()
        page.log = _watch(page)
        if init_script:
            page.add_init_script(init_script)
        page.goto(url, wait_until=wait_until)
        return page

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the built site: ``BOOK_SITE``, else ``_build/html``, else a fresh build.

    A fresh build goes to a temporary folder, so that parallel workers never share one.
    """
    if named := os.environ.get("BOOK_SITE"):
        folder = Path(named).resolve()
        assert (folder / "index.html").is_file(), f"BOOK_SITE={named} holds no index.html"
        return folder
    if (ROOT / "_build" / "html" / "index.html").is_file():
        return ROOT / "_build" / "html"
    output = tmp_path_factory.mktemp("book")
    program = shutil.which("jupyter-book", path=str(Path(sys.executable).parent))
    assert program, "jupyter-book is not installed beside this Python (requirements-book.txt)"
    options = ["-n", "-W", "--keep-going", "--path-output", str(output)]
    built = subprocess.run(
        [program, "build", str(ROOT), *options],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=BUILD_TIMEOUT_S,
    )
    assert built.returncode == 0, f"the site does not build:\n{built.stdout}\n{built.stderr}"
    return output / "_build" / "html"
