"""A pytest plugin: the kernels of nbval import the library from the folder in MUTANT.

The checkout's conftest takes PYTHONPATH away from kernels, so that nothing strange gets into them;
a mutant is meant to.
"""

from __future__ import annotations

import os

import pytest


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    os.environ["PYTHONPATH"] = os.environ["MUTANT"]
