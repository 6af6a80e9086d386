"""Would the outputs be the same on a reader's machine? `make portable` plays an older one here.

The fastest instructions of numpy and OpenBLAS are switched off, so that sums are added up in
another order; then every chapter is executed and compared as usual. An output that differs shows
more digits than another machine can be asked to repeat.
"""

from __future__ import annotations

import importlib
import os
import platform
import subprocess
import sys

from tools.check import IN_PARALLEL
from tools.environment import ROOT

OLDEST_CORE = {"x86_64": "Nehalem", "AMD64": "Nehalem", "aarch64": "ARMV8", "arm64": "ARMV8"}


def optional_features() -> list[str]:
    """The instruction sets that numpy chose at run time on this machine."""
    # numpy has no public name for these two.
    multiarray = importlib.import_module("numpy._core._multiarray_umath")
    return [name for name in multiarray.__cpu_dispatch__ if multiarray.__cpu_features__.get(name)]


def main() -> int:
    disabled = " ".join(optional_features())
    core = OLDEST_CORE.get(platform.machine(), "")
    print(
        f"Switched off in numpy: {disabled or 'nothing'}; OpenBLAS: {core or 'as it is'}",
        flush=True,
    )
    older = {"NPY_DISABLE_CPU_FEATURES": disabled, "OPENBLAS_CORETYPE": core}
    changes = {name: value for name, value in older.items() if value}
    command = [sys.executable, "-m", "pytest", "-q", "--nbval", "--nbval-current-env"]
    words = [*command, *IN_PARALLEL, "chapters"]
    return subprocess.run(words, cwd=ROOT, env=os.environ | changes, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
