"""The packages of Python in the browser: Pyodide's list of them, completed by the book's own.

Pyodide names its packages in one file, pyodide-lock.json: version, address, checksum, what each
needs and which names it answers to in an `import`. Here the list is given what the book needs and
Pyodide lacks. A package of plain Python that the book uses gets an address beside the list; what
was compiled for the browser keeps its address on Pyodide's public server.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.package import EXTRAS, metadata

Entry = dict[str, Any]
Packages = dict[str, Entry]
Markers = Mapping[str, str]

PLAIN = "-none-any.whl"
# The halves of ipywidgets for JupyterLab and Notebook: parts of a site, nothing to import.
NOT_IMPORTED = {"jupyterlab-widgets", "widgetsnbextension"}


def checksum(path: Path) -> str:
    """The checksum of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def modules(wheel: Path) -> list[str]:
    """The names that a wheel answers to in an `import`."""
    with zipfile.ZipFile(wheel) as archive:
        files = [name for name in archive.namelist() if name.endswith(".py")]
    tops = {name.partition("/")[0].removesuffix(".py") for name in files}
    return sorted(name for name in tops if name.isidentifier())


def files(wheel: Path) -> Entry:
    """The part of an entry that a wheel's files decide."""
    return {"file_name": wheel.name, "sha256": checksum(wheel), "imports": modules(wheel)}


def requirements(wheel: Path, markers: Markers) -> list[Requirement]:
    """What a wheel needs where these markers hold; of the book's own, its extras' needs too."""
    extras = ["", *EXTRAS.split(",")]
    stated = [Requirement(text) for text in metadata(wheel).get_all("Requires-Dist") or []]
    return [
        requirement
        for requirement in stated
        if canonicalize_name(requirement.name) not in NOT_IMPORTED
        and (
            requirement.marker is None
            or any(requirement.marker.evaluate({**markers, "extra": extra}) for extra in extras)
        )
    ]


def entry(wheel: Path, markers: Markers) -> Entry:
    """A wheel as the list names it."""
    said = metadata(wheel)
    return {
        **files(wheel),
        "name": said["Name"],
        "version": said["Version"],
        "depends": [canonicalize_name(needed.name) for needed in requirements(wheel, markers)],
        "install_dir": "site",
        "package_type": "package",
        "unvendored_tests": False,
    }


def satisfied(packages: Packages, requirement: Requirement) -> bool:
    """Whether the list has this package in a version that will do."""
    found = packages.get(canonicalize_name(requirement.name))
    return found is not None and requirement.specifier.contains(found["version"])


def add(
    packages: Packages,
    wheels: Iterable[Path],
    find: Callable[[Requirement], Path],
    markers: Markers,
) -> list[Path]:
    """Add wheels to the list, and whatever they need and it lacks; return all that were added."""
    added: list[Path] = []
    waiting = list(wheels)
    while waiting:
        for wheel in waiting:
            packages[canonicalize_name(metadata(wheel)["Name"])] = entry(wheel, markers)
        added += waiting
        needed = [needed for wheel in waiting for needed in requirements(wheel, markers)]
        lacking = [requirement for requirement in needed if not satisfied(packages, requirement)]
        waiting = sorted({find(requirement) for requirement in lacking})
    return added


def needed_by(packages: Packages, names: Iterable[str]) -> list[str]:
    """These packages and all that they need, in alphabetical order."""
    found: set[str] = set()
    waiting = [canonicalize_name(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [canonicalize_name(other) for other in packages[name]["depends"]]
    return sorted(found)


def is_plain(package: Entry) -> bool:
    """Whether a package is plain Python, which runs anywhere."""
    return bool(package["file_name"].endswith(PLAIN))
