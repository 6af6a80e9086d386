"""One ES module for notebooks from the several the site serves.

On the site the browser loads ``curve.mjs`` and follows its imports to ``draw.mjs`` and the
others. A notebook hands the browser one text without an address, from which no relative import
can be resolved. So the modules are joined here, dependencies first, each in a function of its
own that returns what it exports: no bundler, no name can clash, and both places run the same
lines. The modules keep to two forms that make this a matter of two patterns: imports are
``import { a, b } from "./name.mjs";`` and exports stand before ``function``, ``const`` or
``class``; only the module of a figure has a default export, in its last line.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
_IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"\./(\w+)\.mjs";\n', re.MULTILINE)
_DEFAULT = re.compile(r"^export default (.*);\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class) (\w+))", re.MULTILINE)


def dependencies(name: str) -> list[str]:
    """Names of the modules that `name` needs, each after its own dependencies, itself last.

    Parameters
    ----------
    name : str
        Name of a module, without ``.mjs``.

    Returns
    -------
    list of str

    Examples
    --------
    >>> dependencies("draw")
    ['format', 'draw']
    """
    ordered: list[str] = []
    for _, needed in _IMPORT.findall(_source(name)):
        ordered += [module for module in dependencies(needed) if module not in ordered]
    return [*ordered, name]


@cache
def joined(name: str) -> str:
    """One module that does what ``name.mjs`` and everything it imports do.

    Parameters
    ----------
    name : str
        Name of a figure's module.

    Returns
    -------
    str
        Source of an ES module without imports, with the default export of ``name.mjs``.

    Examples
    --------
    >>> "import " in joined("curve")
    False
    """
    *needed, figure = dependencies(name)
    return "\n".join([*map(_as_function, needed), _with_local_imports(_source(figure))])


def classic() -> str:
    """One script that is no module and draws every kind of figure.

    Browsers load no module into a page that was opened as a file. The site then takes this one.

    Returns
    -------
    str
        The loader and everything it may need, in one function.

    Examples
    --------
    >>> classic().startswith("(() => {")
    True
    """
    built = (path.stem for path in FOLDER.glob("*.mjs") if _DEFAULT.search(_source(path.stem)))
    kinds = sorted(built)
    ordered = dict.fromkeys(name for kind in kinds for name in dependencies(kind))
    loader = _source("loader").replace("import.meta.url", "here")
    loader = loader.replace("await import(`./${kind}.mjs`)", "kinds[kind]")
    table = ", ".join(f"{kind}: {kind}_module" for kind in kinds)
    parts = [*map(_as_function, ordered), f"const kinds = {{ {table} }};", loader]
    start = '(() => {\n"use strict";\nconst here = document.currentScript.src;\n'
    return start + "\n".join(parts) + "})();\n"


def _source(name: str) -> str:
    return (FOLDER / f"{name}.mjs").read_text(encoding="utf-8")


def _with_local_imports(source: str) -> str:
    return _IMPORT.sub(r"const {\1} = \2_module;\n", source)


def _as_function(name: str) -> str:
    """The module as a call whose result holds its exports: its private names stay private."""
    source = _source(name)
    exports = ", ".join(
        [*_EXPORT.findall(source), *(f"default: {built}" for built in _DEFAULT.findall(source))]
    )
    body = _DEFAULT.sub("", _EXPORT.sub("", _with_local_imports(source)))
    return f"const {name}_module = (() => {{\n{body}\nreturn {{ {exports} }};\n}})();\n"
