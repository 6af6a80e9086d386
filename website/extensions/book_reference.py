"""Write the reference of the library from the library itself: ``{book-rooms}`` in a page.

Nothing is listed by hand. The rooms and their order are those of the tour (``house.md``), a room's
public names are those it defines (its ``__all__`` where it has one), and the text is that of the
docstrings. A room that the tour leaves out is an error, so nothing can be missing.

Docstrings speak as the book does, and become links and formulas on the page: ``$z$`` a formula,
a name in single backticks a link to its entry, "Chapter 6, *Backpropagation*" a link to the
chapter once the book has it.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

PACKAGE = "backprop_lib"
TOUR = "house"
ROOM_IN_TOUR = re.compile(r"^\| \[`(\w+)(?:\.py|/)`\]\(room-\1\) \|", re.MULTILINE)
# What may stand inside a line of a docstring; the first two are left as they are.
INLINE = re.compile(
    r"``.+?``|:[\w:]+:`[^`]+`"
    r"|(?P<before>\w?)\$(?P<tex>[^$]+)\$(?P<after>\w?)"
    r"|`(?P<name>[^`<>]+)`(?!_)"
    r"|(?P<word>\b[Cc]hapter)\s+(?P<number>\d+)\b(?:,\s+\*(?P<title>[^*]+)\*)?",
    re.DOTALL,
)
LAST = 900


@dataclass(frozen=True)
class Entry:
    """A public name: where it stands and what it is."""

    room: str
    name: str
    thing: Any

    @property
    def target(self) -> str:
        """The full name, which is also the anchor on the page."""
        return f"{PACKAGE}.{self.room}.{self.name}"


# --- What there is --------------------------------------------------------------------------------


def _module(room: str) -> Any:
    return importlib.import_module(f"{PACKAGE}.{room}")


def _folder() -> Path:
    return Path(importlib.import_module(PACKAGE).__file__ or "").parent


def rooms(tour: str) -> list[str]:
    """The rooms in the order of the tour; refuses a tour that misses one."""
    found = {path.stem for path in _folder().glob("[!_]*.py")}
    found |= {path.parent.name for path in _folder().glob("*/__init__.py")}
    listed = [room for room in ROOM_IN_TOUR.findall(tour) if room in found]
    missing = sorted(found - set(listed))
    if missing:
        raise ExtensionError(f"{TOUR}.md leaves out of its table: {', '.join(missing)}")
    return listed


def _is_ours(thing: Any) -> bool:
    return type(thing).__module__.partition(".")[0] == PACKAGE


def _is_documented(thing: Any) -> bool:
    """Functions, classes, and values that are made of the library's own classes."""
    if inspect.isclass(thing) or inspect.isfunction(thing):
        return bool(thing.__doc__)
    if isinstance(thing, dict):
        return bool(thing) and all(_is_ours(value) for value in thing.values())
    return _is_ours(thing)


def _defined(module: Any) -> list[str]:
    """The names that a file defines, in its order."""
    names: list[str] = []
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign):
            names += [target.id for target in node.targets if isinstance(target, ast.Name)]
    return [name for name in names if not name.startswith("_")]


@cache
def entries(room: str) -> list[Entry]:
    """The public names of a room, in the order in which it defines them."""
    module = _module(room)
    names = getattr(module, "__all__", None)
    if names is not None:
        return [Entry(room, name, getattr(module, name)) for name in names]
    found = [Entry(room, name, getattr(module, name)) for name in dict.fromkeys(_defined(module))]
    return [entry for entry in found if _is_documented(entry.thing)]


# --- The text of a docstring ----------------------------------------------------------------------


def _link(name: str, room: str, order: Iterable[str]) -> str:
    """A name in backticks as a link to its entry or room; as code where it has neither."""
    own_first = [room, *(other for other in order if other != room)]
    for entry in (entry for other in own_first for entry in entries(other)):
        if entry.name == name.removesuffix("()"):
            return f":py:obj:`{name} <{entry.target}>`"
    if name in own_first:
        return f":ref:`{name} <room-{name}>`"
    return f"``{name}``"


def _chapter(found: re.Match[str], chapters: dict[int, str]) -> str:
    words = f"{found['word']} {found['number']}"
    if found["title"]:
        words += f", {' '.join(found['title'].split())}"
    page = chapters.get(int(found["number"]))
    return f":doc:`{words} </{page}>`" if page else words


def to_rst(prose: str, room: str, order: Iterable[str], chapters: dict[int, str]) -> str:
    """A stretch of a docstring without code, as Sphinx reads it."""

    def translate(found: re.Match[str]) -> str:
        if found["tex"]:
            # A backslash and a space end a role in the middle of a word.
            before = found["before"] and found["before"] + "\\ "
            after = found["after"] and "\\ " + found["after"]
            return f"{before}:math:`{' '.join(found['tex'].split())}`{after}"
        if found["name"]:
            return _link(found["name"], room, order)
        return _chapter(found, chapters) if found["number"] else found[0]

    return INLINE.sub(translate, prose)


def _stretches(lines: list[str]) -> list[tuple[bool, list[str]]]:
    """Lines in runs of code (examples, displayed formulas) and of prose."""
    runs: list[tuple[bool, list[str]]] = []
    indent: int | None = None  # of the directive that we are in
    is_example = False
    for line in lines:
        bare = line.lstrip()
        depth = len(line) - len(bare)
        is_example = bool(bare) and (is_example or bare.startswith(">>>"))
        if indent is not None and bare and depth <= indent:
            indent = None
        if bare.startswith((".. math::", ".. code-block::")):
            indent = depth
        is_code = is_example or indent is not None
        if not runs or runs[-1][0] != is_code:
            runs.append((is_code, []))
        runs[-1][1].append(line)
    return runs


def translate(lines: list[str], room: str, env: BuildEnvironment) -> list[str]:
    """The lines of a docstring with its formulas, names and chapters as Sphinx wants them."""
    order = rooms(_tour(env))
    chapters = {
        int(Path(page).name[:2]): page for page in env.found_docs if page.startswith("chapters/")
    }
    translated: list[str] = []
    for is_code, run in _stretches(lines):
        text = "\n".join(run)
        text = text if is_code else to_rst(text, room, order, chapters)
        translated += text.split("\n")
    return translated


def translate_docstring(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]
) -> None:
    """Let autodoc read what `translate` makes of a docstring."""
    lines[:] = translate(lines, name.split(".")[1], app.env)


# --- The page -------------------------------------------------------------------------------------


def _tour(env: BuildEnvironment) -> str:
    return Path(env.doc2path(TOUR)).read_text(encoding="utf-8")


def _contents(room: str) -> list[str]:
    """The room's names as links, by the module from which they are imported."""
    whole = importlib.import_module(PACKAGE).__all__
    lines = []
    for source, short in ((PACKAGE, True), (f"{PACKAGE}.{room}", False)):
        here = [entry for entry in entries(room) if (entry.name in whole) == short]
        if here:
            links = ", ".join(f":py:obj:`{e.name} <{e.target}>`" for e in here)
            lines += [f"   From ``{source}``: {links}", ""]
    return [".. container:: book-names", "", *lines] if lines else []


def _what(thing: Any) -> str:
    """One sentence about values, with their class as a link."""
    if not isinstance(thing, dict):
        return f"Of class `{type(thing).__name__}`."
    kinds = {type(value).__name__ for value in thing.values()}
    keys = ", ".join(f"``{key!r}``" for key in thing)
    return f"A dictionary of {' and '.join(f'`{kind}`' for kind in sorted(kinds))}: {keys}."


def _value(names: list[Entry], text: list[str]) -> list[str]:
    first, *others = [entry.name for entry in names]
    indent = " " * len(".. py:data:: ")
    body = [f"   {line}" for line in text]
    return [f".. py:data:: {first}", *(indent + name for name in others), "", *body, ""]


def _entries(room: str, env: BuildEnvironment) -> list[str]:
    """The directives for a room's names; values of one kind that stand together share an entry."""
    lines: list[str] = []
    group: list[Entry] = []
    for entry, following in zip(entries(room), [*entries(room)[1:], None], strict=True):
        if inspect.isclass(entry.thing):
            lines += [f".. autoclass:: {entry.target}", "   :members:", ""]
        elif inspect.isfunction(entry.thing):
            lines += [f".. autofunction:: {entry.target}", ""]
        else:
            group.append(entry)
            what = _what(entry.thing)
            if following is None or _what(following.thing) != what:
                lines += _value(group, translate([what], room, env))
                group = []
    return lines


def page_of(room: str, env: BuildEnvironment) -> str:
    """The section of a room in Markdown; what comes from docstrings is reStructuredText."""
    module = _module(room)
    name = f"{room}.py" if Path(module.__file__).stem == room else f"{room}/"
    intro = translate(inspect.cleandoc(module.__doc__ or "").split("\n"), room, env)
    rst = [
        f".. py:currentmodule:: {PACKAGE}.{room}",
        "",
        *intro,
        "",
        *_contents(room),
        *_entries(room, env),
    ]
    return "\n".join([f"(room-{room})=", f"## `{name}`", "", "````{eval-rst}", *rst, "````", ""])


class Rooms(SphinxDirective):
    """``{book-rooms}``: every room of the library, one section each."""

    def run(self) -> list[nodes.Node]:
        """Read the generated text as if it stood in the page."""
        self.env.note_dependency(self.env.doc2path(TOUR))
        for path in _folder().rglob("*.py"):
            self.env.note_dependency(str(path))
        text = "\n".join(page_of(room, self.env) for room in rooms(_tour(self.env)))
        holder = nodes.Element()
        self.state.nested_parse(text.split("\n"), self.content_offset, holder, match_titles=True)
        self.env.metadata[self.env.docname]["book_rooms"] = True
        return holder.children


def renew(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """Read the reference anew when chapters come or go: its links depend on them."""
    pages = [page for page, known in env.metadata.items() if "book_rooms" in known]
    return pages if added or removed else []


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the directive; docstrings are translated after napoleon has read them."""
    app.setup_extension("sphinx.ext.autodoc")
    app.setup_extension("sphinx.ext.napoleon")
    app.add_directive("book-rooms", Rooms)
    app.connect("autodoc-process-docstring", translate_docstring, priority=LAST)
    app.connect("env-get-outdated", renew)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
