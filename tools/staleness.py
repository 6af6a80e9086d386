"""Which chapters must be run again, and why.

Two reasons need no memory: a chapter without a notebook, and twins that differ. A third one does:
the library may have changed since the outputs were made. `.cache/book.json` remembers, for each
chapter, the state of the library and of the notebook after its last run on this machine.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from tools import environment
from tools.comparison import twin_differences
from tools.notebooks import notebook_path

RECORD = environment.CACHE / "book.json"
BUILT = ("__pycache__", ".ipynb_checkpoints")


def why_edited(slug: str) -> str | None:
    """The reason to run a chapter that can be seen in the files alone."""
    if not notebook_path(slug).exists():
        return "no notebook yet"
    differences = twin_differences(slug)
    return f"its source changed ({differences[0]})" if differences else None


def why_stale(slug: str) -> str | None:
    """The reason to run a chapter, memory included; None if its outputs are up to date."""
    if reason := why_edited(slug):
        return reason
    remembered = _read().get(slug)
    if remembered is None:
        return "no run of it is recorded on this machine"
    if remembered["library"] != library_state():
        return "backprop_lib, its data or numpy changed"
    if remembered["notebook"] != _file_state(notebook_path(slug)):
        return "the notebook changed since its last run"
    return None


def remember(slug: str) -> None:
    """Record that the stored notebook was made with the library as it is now."""
    record = _read()
    record[slug] = {"library": library_state(), "notebook": _file_state(notebook_path(slug))}
    RECORD.parent.mkdir(exist_ok=True)
    RECORD.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def library_state() -> str:
    """A fingerprint of everything a chapter's outputs are made from, except the chapter."""
    state = hashlib.sha256()
    for name in environment.DRAWING_PACKAGES:
        state.update(f"{name} {version(name)}\n".encode())
    for path in sorted(_ingredients()):
        state.update(f"{path.relative_to(environment.ROOT)} {_file_state(path)}\n".encode())
    return state.hexdigest()


def _ingredients() -> Iterable[Path]:
    for folder in (environment.LIBRARY, environment.CHAPTERS / "data"):
        for path in folder.rglob("*"):
            if path.is_file() and not set(path.parts) & set(BUILT):
                yield path


def _file_state(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read() -> dict[str, dict[str, str]]:
    try:
        record: dict[str, dict[str, str]] = json.loads(RECORD.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return record
