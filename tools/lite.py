"""Build the site that runs chapters in a reader's browser: `make lite`.

_build/html/lite gets JupyterLab without a server, the chapters with their data, and Pyodide, which
is Python for a browser. Pyodide comes from its npm package and is checked; packages of plain
Python come from where pip finds them; the book serves all of these itself. Only packages that were
compiled for the browser, such as numpy, are loaded from Pyodide's public server, at the moment in
which a reader runs a cell that needs them.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from tools import package, pyodide
from tools.archive import SITE
from tools.environment import CACHE, CHAPTERS, LIBRARY, ROOT, locked_versions
from tools.notebooks import code_cells, required_package

TARGET = SITE / "lite"
DOWNLOADS = CACHE / "lite"
WHEELS = DOWNLOADS / "wheels"
STAGE = DOWNLOADS / "stage"

# Pyodide's npm package, as `sha256sum` sees what `npm pack pyodide@VERSION` brings.
CHECKSUMS = {"314.0.6": "d78ac549b28a2a58600cd06f44e017024151775f8c6b2d73fab1475400d38ea2"}
RUNTIME = (
    "pyodide.mjs",
    "pyodide.asm.mjs",
    "pyodide.asm.wasm",
    "python_stdlib.zip",
    "package.json",  # names the licence, and where the sources are
)
LIST = "pyodide-lock.json"

EXTENSIONS = Path(sys.prefix) / "share" / "jupyter" / "labextensions"
KERNEL = "@jupyterlite/pyodide-kernel-extension"
USED_EXTENSIONS = (KERNEL, "@jupyter-widgets/jupyterlab-manager", "anywidget", "jupyterlab-myst")
# The kernel loads these before its first cell: together, where the list knows them all.
FIRST = ("micropip", "piplite", "ipykernel", "comm", "pyodide-kernel", "jedi", "ipython")
BOOK = "backprop-lib"
# What the kernel for the browser says about itself. Where a notebook says anything else, opening it
# changes it, a changed notebook is kept by the browser, and the kept one hides every later edition.
KERNEL_METADATA = {
    "kernelspec": {"display_name": "Python (Pyodide)", "language": "python", "name": "python"},
    "language_info": {
        "codemirror_mode": {"name": "python", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
        "version": "3.8",
    },
}

INSTALL_NPM = """\
`make lite` needs npm once, to fetch Python for the browser: the program `npm` was not found.
It comes with Node.js, for example:  apt-get install npm   or   brew install node
Everything else in the book works without it."""
NO_KERNEL = """\
The kernel for the browser is not installed: {folder} does not exist.
`make lite` installs it (requirements-lite.txt)."""
UNKNOWN_PYODIDE = """\
The kernel asks for Pyodide {version}, but tools/lite.py knows the checksum of {known} only.
Either install the kernel that requirements-lite.txt names, or add the checksum of the new one:
npm pack pyodide@{version} && sha256sum pyodide-{version}.tgz"""
CHANGED_PYODIDE = """\
The npm package pyodide {version} is not the one that tools/lite.py knows:
found     {found}
expected  {expected}
Do not use it; find out what changed before you change the checksum."""


# --- Pyodide --------------------------------------------------------------------------------------


def home_of_pyodide(kernel: Path) -> str:
    """The public server of the Pyodide that the kernel was made for; its path names the version."""
    if not kernel.is_dir():
        raise SystemExit(NO_KERNEL.format(folder=kernel))
    schema = json.loads((kernel / "static/schema/kernel.v0.schema.json").read_text("utf-8"))
    address: str = schema["properties"]["pyodideUrl"]["default"]
    return address.removesuffix("pyodide.mjs")


def version_in(home: str) -> str:
    """The version that the address of a Pyodide names."""
    return re.findall(r"/v([\d.]+)/", home)[0]


def fetch_pyodide(version: str) -> Path:
    """Pyodide's npm package, checked; npm is asked only where it is not here yet."""
    if version not in CHECKSUMS:
        raise SystemExit(UNKNOWN_PYODIDE.format(version=version, known=", ".join(CHECKSUMS)))
    path = DOWNLOADS / f"pyodide-{version}.tgz"
    if not path.is_file():
        npm_pack(f"pyodide@{version}", DOWNLOADS)
    found, expected = pyodide.checksum(path), CHECKSUMS[version]
    if found != expected:
        path.unlink()
        message = CHANGED_PYODIDE.format(version=version, found=found, expected=expected)
        raise SystemExit(message)
    return path


def npm_pack(name: str, folder: Path) -> None:
    """Let npm put a package into a folder, as the one file that it is."""
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit(INSTALL_NPM)
    folder.mkdir(parents=True, exist_ok=True)
    command = [npm, "pack", "--silent", "--pack-destination", str(folder), name]
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    if ran.returncode != 0:
        raise SystemExit(f"npm cannot fetch {name}:\n{ran.stderr or ran.stdout}")


def unpack_runtime(archive: Path, folder: Path) -> dict[str, Any]:
    """Unpack the interpreter and its library, and return the list of packages."""
    with tarfile.open(archive) as files:
        for name in RUNTIME:
            (folder / name).write_bytes(read_member(files, name))
        listed: dict[str, Any] = json.loads(read_member(files, LIST))
    return listed


def read_member(files: tarfile.TarFile, name: str) -> bytes:
    """One file of an npm package."""
    member = files.extractfile(f"package/{name}")
    assert member is not None, f"{name} is a folder"
    return member.read()


# --- Packages -------------------------------------------------------------------------------------


def wheel_of(name: str, version: str) -> Path | None:
    """A wheel of plain Python that is here already."""
    wanted = (canonicalize_name(name), Version(version))
    found = (path for path in WHEELS.glob("*.whl") if parse_wheel_filename(path.name)[:2] == wanted)
    return next(found, None)


def fetch_wheels(versions: Iterable[tuple[str, str]], python: str) -> list[Path]:
    """Wheels of plain Python in these versions; pip is asked for those that are not here yet."""
    wanted = list(versions)
    lacking = [f"{name}=={version}" for name, version in wanted if not wheel_of(name, version)]
    if lacking:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        kind = ["--no-deps", "--only-binary", ":all:", "--platform", "any"]
        where = ["--python-version", python, "--dest", str(WHEELS)]
        command = [*pip, *kind, *where, *lacking]
        ran = subprocess.run(command, check=False, capture_output=True, text=True)
        if ran.returncode != 0:
            raise SystemExit(f"pip cannot fetch {', '.join(lacking)}:\n{ran.stderr}")
    found = [wheel_of(name, version) for name, version in wanted]
    return [path for path in found if path is not None]


def locked_wheel(requirement: Requirement, python: str) -> Path:
    """The wheel that satisfies a requirement in the version to which the book is locked."""
    version = locked_versions().get(canonicalize_name(requirement.name))
    if version is None or not requirement.specifier.contains(version):
        raise SystemExit(
            f"A package needs {requirement}; constraints.txt has "
            f"{version or 'no version of it'}. `make lock` finds versions that fit together."
        )
    (wheel,) = fetch_wheels([(requirement.name, version)], python)
    return wheel


def complete(listed: dict[str, Any], home: str, wheels: Iterable[Path]) -> list[Path]:
    """Complete Pyodide's list by these wheels and what they need; return the wheels to serve."""
    packages: pyodide.Packages = listed["packages"]
    full = listed["info"]["python"]
    python = ".".join(full.split(".")[:2])
    markers = {"python_version": python, "python_full_version": full, "sys_platform": "emscripten"}
    served = pyodide.add(packages, wheels, lambda needed: locked_wheel(needed, python), markers)
    ours = {wheel.name for wheel in served}
    used = pyodide.needed_by(packages, [*FIRST, BOOK])
    others = [packages[name] for name in used if packages[name]["file_name"] not in ours]
    plain = [entry for entry in others if pyodide.is_plain(entry)]
    fetched = fetch_wheels(((entry["name"], entry["version"]) for entry in plain), python)
    for entry, wheel in zip(plain, fetched, strict=True):
        entry |= pyodide.files(wheel)
    ours |= {wheel.name for wheel in fetched}
    for entry in packages.values():
        if entry["file_name"] not in ours:
            entry["file_name"] = home + entry["file_name"]
    return [*served, *fetched]


# --- What the chapters ask for --------------------------------------------------------------------


def imported(source: str) -> Iterator[str]:
    """The modules, without their parts, that a text imports from elsewhere."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


def problems(packages: pyodide.Packages, notebooks: dict[str, NotebookNode]) -> list[str]:
    """What chapters or library import and the browser will not have."""
    used = pyodide.needed_by(packages, [*FIRST, BOOK])
    there = {name for package in used for name in packages[package]["imports"]}
    there |= sys.stdlib_module_names
    texts = {str(path.relative_to(ROOT)): path.read_text("utf-8") for path in LIBRARY.rglob("*.py")}
    for name, notebook in notebooks.items():
        cells = [cell for cell in code_cells(notebook) if not required_package(cell)]
        texts[name] = "\n".join(cell.source for cell in cells)
    return [
        f"{name} imports {module}, which no package of the list provides"
        for name, text in texts.items()
        for module in sorted(set(imported(text)) - there)
    ]


# --- The site -------------------------------------------------------------------------------------


def settings() -> dict[str, Any]:
    """What JupyterLab in the browser reads when it starts."""
    return {
        "jupyter-lite-schema-version": 0,
        "jupyter-config-data": {
            "appName": "Backpropagation, Every Number Checked",
            "litePluginSettings": {
                f"{KERNEL}:kernel": {"loadPyodideOptions": {"packages": list(FIRST)}}
            },
        },
    }


def write_json(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def stage_settings(folder: Path) -> None:
    """Write what the builder of the site reads, and what the site itself does."""
    write_json(folder / "jupyter-lite.json", settings())
    theme = {"@jupyterlab/apputils-extension:themes": {"adaptive-theme": True}}
    write_json(folder / "overrides.json", theme)
    build = {
        "apps": ["lab", "notebooks", "tree"],
        "no_sourcemaps": True,
        "no_unused_shared_packages": True,
        # Other extensions that may stand in this environment want a server.
        "ignore_sys_prefix": ["federated_extensions"],
        "federated_extensions": [str(EXTENSIONS / name) for name in USED_EXTENSIONS],
    }
    write_json(folder / "jupyter_lite_config.json", {"LiteBuildConfig": build})


def stage_chapters(folder: Path) -> dict[str, NotebookNode]:
    """Copy chapters, for the kernel they will find, and their data; return the chapters."""
    shutil.copytree(CHAPTERS / "data", folder / "data")
    notebooks = {}
    for path in sorted(CHAPTERS.glob("*.ipynb")):
        notebook = notebooks[path.name] = nbformat.read(path, as_version=4)
        notebook.metadata = nbformat.from_dict(KERNEL_METADATA)
        for cell in code_cells(notebook):
            # Where no server vouches for a notebook, JupyterLab hides its drawings.
            cell.metadata.trusted = True
        # As it is: nbformat would cut texts into lines, which only a server joins again, and would
        # leave out whom to trust.
        write_json(folder / path.name, notebook)
    return notebooks


def stage_python(folder: Path) -> dict[str, Any]:
    """Put Python for the browser, its packages and their list into a folder."""
    kernel = EXTENSIONS / KERNEL
    home = home_of_pyodide(kernel)
    listed = unpack_runtime(fetch_pyodide(version_in(home)), folder)
    book = package.build(DOWNLOADS / "book").wheel
    of_kernel = (kernel / "static" / "pypi").glob("*.whl")
    wheels = [wheel for wheel in of_kernel if not wheel.name.startswith("widgetsnbextension")]
    for wheel in complete(listed, home, [book, *wheels]):
        shutil.copy2(wheel, folder)
    write_json(folder / LIST, listed)
    return listed


def build_site(stage: Path, target: Path) -> None:
    """Let JupyterLite build, and put the result in the place of an older one."""
    program = str(Path(sys.executable).with_name("jupyter-lite"))
    built = stage / "built"
    command = [program, "build", "--lite-dir", str(stage), "--output-dir", str(built)]
    ran = subprocess.run(command, cwd=stage, check=False, capture_output=True, text=True)
    if ran.returncode != 0:
        raise SystemExit(f"JupyterLite cannot build the site:\n{ran.stdout}{ran.stderr}")
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(built, target)


def from_elsewhere(packages: pyodide.Packages) -> list[str]:
    """Name and version of the packages that a chapter loads from the public server."""
    used = [packages[name] for name in pyodide.needed_by(packages, [*FIRST, BOOK])]
    return [f"{entry['name']} {entry['version']}" for entry in used if "//" in entry["file_name"]]


def main() -> int:
    shutil.rmtree(STAGE, ignore_errors=True)
    files, python = STAGE / "files" / "chapters", STAGE / "static" / "pyodide"
    for folder in (files, python, WHEELS):
        folder.mkdir(parents=True, exist_ok=True)
    stage_settings(STAGE)
    notebooks = stage_chapters(files)
    listed = stage_python(python)
    if found := problems(listed["packages"], notebooks):
        print("\n".join(found), file=sys.stderr)
        return 1
    build_site(STAGE, TARGET)
    size = sum(path.stat().st_size for path in TARGET.rglob("*") if path.is_file())
    print(f"{TARGET.relative_to(ROOT)}: {size / 1e6:.0f} MB, Python {listed['info']['python']}")
    print(f"Loaded from Pyodide's server: {', '.join(from_elsewhere(listed['packages']))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
