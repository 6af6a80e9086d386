"""The environment in which every chapter is run: by an author, by `make test` and by CI.

Outputs are compared to the last digit, so whatever could change a digit or a pixel is pinned: the
hash seed, the clock's zone, the number of BLAS threads, and the settings a person may have in their
home folder. `NPY_DISABLE_CPU_FEATURES` and `OPENBLAS_CORETYPE` are passed through on purpose: with
them one machine can play another (`make portable`).
"""

from __future__ import annotations

import atexit
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import MutableMapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = ROOT / "chapters"
SOURCES = ROOT / "sources"
LIBRARY = ROOT / "backprop_lib"
CONSTRAINTS = ROOT / "constraints.txt"
CACHE = ROOT / ".cache"

BLAS_LIBRARIES = ("OMP", "OPENBLAS", "MKL", "NUMEXPR")
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in BLAS_LIBRARIES} | {
    "VECLIB_MAXIMUM_THREADS": "1"
}
FIXED = ONE_THREAD | {
    "PYTHONHASHSEED": "0",
    "SOURCE_DATE_EPOCH": "0",
    "TZ": "UTC",
    "LC_ALL": "C.UTF-8",
    "COLUMNS": "100",
    "JAX_PLATFORMS": "cpu",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "MATPLOTLIBRC": str(ROOT / "tools" / "matplotlibrc"),
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}
# These would let a person's own settings into the kernel.
REMOVED = ("PYTHONPATH", "PYTHONSTARTUP", "PYTHONWARNINGS", "PYTHONOPTIMIZE")

# Where these differ from constraints.txt, pictures may differ without anything being wrong.
DRAWING_PACKAGES = ("numpy", "matplotlib", "contourpy", "pillow")
DRAWING_PLATFORM = ("Linux", "x86_64")


@cache
def _empty_ipython_folder() -> str:
    """A throw-away IPython folder: no start-up files, no history, one for each process."""
    folder = tempfile.mkdtemp(prefix="ipython-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def fix(environment: MutableMapping[str, str]) -> None:
    """Change `environment` (for example os.environ) to the one chapters are run in."""
    for name in REMOVED:
        environment.pop(name, None)
    environment.update(FIXED)
    environment["IPYTHONDIR"] = _empty_ipython_folder()


def for_kernel() -> dict[str, str]:
    """A copy of this process's environment, fixed."""
    environment = dict(os.environ)
    fix(environment)
    return environment


def build_font_cache() -> None:
    """Let matplotlib list the fonts now: in a kernel it would announce that in a cell's output."""
    subprocess.run([sys.executable, "-c", "import matplotlib.font_manager"], check=True)


def locked_versions() -> dict[str, str]:
    """Package, by its canonical name, -> version, read from constraints.txt."""
    lines = CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if "==" in line and not line.startswith("#"))
    return {canonicalize_name(name.strip()): number.strip() for name, number in pairs}


def why_pictures_may_differ() -> list[str]:
    """What on this machine could draw other pixels than stored; empty in the locked environment."""
    reasons = []
    here = (platform.system(), platform.machine())
    if here != DRAWING_PLATFORM:
        reasons.append(f"{' '.join(here)} here, {' '.join(DRAWING_PLATFORM)} when stored")
    locked = locked_versions()
    for name in DRAWING_PACKAGES:
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "none"
        if found != locked.get(name):
            reasons.append(f"{name} {found} here, {locked.get(name)} locked")
    return reasons
