"""The Chromium that shows the site to the tests and prints the book, and how it is started."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
REPAIR = "install Chromium, or let the variable CHROMIUM name one."
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Whatever slips past a filter of requests must not leave the machine either.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


class NoChromiumError(Exception):
    """There is none; the message says what was looked for, and the repair."""


def find_chromium(variables: Mapping[str, str] = os.environ) -> str:
    """Path of a Chromium: the variable ``CHROMIUM``, else the first usual name on the PATH."""
    if named := variables.get("CHROMIUM"):
        if found := shutil.which(named):
            return found
        raise NoChromiumError(f"CHROMIUM is {named!r}, which is not a program: {REPAIR}")
    for name in NAMES:
        if found := shutil.which(name):
            return found
    raise NoChromiumError(f"No browser found (looked for {', '.join(NAMES)}): {REPAIR}")
