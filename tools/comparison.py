"""Differences between notebooks, said in words: between twins, and between two runs."""

from __future__ import annotations

import json
from itertools import zip_longest
from typing import Any

from nbformat import NotebookNode

from tools.notebooks import normalise, notebook_path, read_notebook, read_source, source_path
from tools.notebooks import to_text as text_of
from tools.pictures import describe_base64

SHOWN = 90


def twin_differences(slug: str) -> list[str]:
    """What is not the same in `sources/` and `chapters/`; empty for equal twins."""
    if not source_path(slug).exists():
        return [f"sources/{slug}.md is missing: chapters/{slug}.ipynb has no twin"]
    if not notebook_path(slug).exists():
        return [f"chapters/{slug}.ipynb is missing: run the chapter"]
    return cell_differences(read_source(slug), read_notebook(slug))


def form_differences(slug: str) -> list[str]:
    """Whether the stored file is normalised, byte for byte."""
    if not notebook_path(slug).exists():
        return []
    stored = notebook_path(slug).read_text(encoding="utf-8")
    if stored == text_of(normalise(read_notebook(slug), slug)):
        return []
    return ["the notebook is not in its normal form: `python -m tools.book normalise` repairs it"]


def cell_differences(source: NotebookNode, stored: NotebookNode) -> list[str]:
    """Cells of the text twin and of the notebook that are not equal in type, source or metadata."""
    pairs = zip_longest(source.cells, stored.cells)
    for position, (theirs, ours) in enumerate(pairs, start=1):
        if theirs is None or ours is None:
            where = "sources" if ours is None else "chapters"
            extra = (theirs or ours).source
            return [f"cell {position} stands only in {where}: {_shorten(extra)}"]
        found = _cell_difference(theirs, ours)
        if found:
            # After an inserted cell every later one differs: the first is the one to look at.
            return [f"cell {position}: {found}"]
    return []


def _cell_difference(theirs: NotebookNode, ours: NotebookNode) -> str | None:
    if theirs.cell_type != ours.cell_type:
        return f"{theirs.cell_type} in sources, {ours.cell_type} in chapters"
    if theirs.source != ours.source:
        return f"the text differs, {first_difference(theirs.source, ours.source)}"
    keys = sorted(theirs.metadata.keys() | ours.metadata.keys())
    for key in keys:
        first, second = theirs.metadata.get(key), ours.metadata.get(key)
        if first != second:
            return f"{key} is {_shorten(first)} in sources, {_shorten(second)} in chapters"
    return None


def first_difference(
    first: str, second: str, names: tuple[str, str] = ("sources", "chapters")
) -> str:
    """The first line in which two texts differ, e.g. 'line 2: sources has "a", chapters "b"'."""
    lines = zip_longest(first.split("\n"), second.split("\n"))
    for number, (one, other) in enumerate(lines, start=1):
        if one != other:
            return f"line {number}: {names[0]} has {_shorten(one)}, {names[1]} {_shorten(other)}"
    return "nowhere"


def run_differences(stored: NotebookNode, fresh: NotebookNode) -> list[str]:
    """Which outputs of a fresh run (both notebooks normalised) are not those that are stored."""
    found = cell_differences(fresh, stored)
    for position, (old, new) in enumerate(zip(stored.cells, fresh.cells, strict=False), start=1):
        if old.cell_type == new.cell_type == "code" and (moved := _moved(old, new)):
            found.append(f"cell {position} ({_shorten(new.source.splitlines()[0])}): {moved}")
    return found


def _moved(old: NotebookNode, new: NotebookNode) -> str | None:
    if old.outputs != new.outputs:
        return _output_difference(old.outputs, new.outputs)
    if old.execution_count != new.execution_count:
        return f"execution count {old.execution_count} stored, {new.execution_count} in this run"
    return None


def _output_difference(old: list[NotebookNode], new: list[NotebookNode]) -> str:
    if len(old) != len(new):
        return f"{len(old)} outputs stored, {len(new)} in this run"
    for before, after in zip(old, new, strict=True):
        if before != after:
            return _difference_in_one_output(before, after)
    return "equal"


def _difference_in_one_output(old: NotebookNode, new: NotebookNode) -> str:
    before, after = readable(old), readable(new)
    for kind in sorted(before.keys() | after.keys()):
        if kind not in before or kind not in after:
            return f"{kind} is only in {'this run' if kind in after else 'the stored notebook'}"
        if before[kind] != after[kind]:
            where = first_difference(before[kind], after[kind], ("stored", "this run"))
            return f"{kind} moved, {where}"
    if "data" in old and old.data.get("image/png") != new.data.get("image/png"):
        return "image/png: the same pixels, compressed differently"
    return "the output's metadata moved"


def readable(output: NotebookNode) -> dict[str, str]:
    """An output as kind -> text: a stream by its name, an error by its message, data by type."""
    if output.output_type == "stream":
        return {output.name: output.text}
    if output.output_type == "error":
        return {"error": f"{output.ename}: {output.evalue}"}
    return {kind: _readable_data(kind, value) for kind, value in output.data.items()}


def _readable_data(kind: str, value: Any) -> str:
    if kind == "image/png":
        return describe_base64(value)
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _shorten(value: Any) -> str:
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
