"""Make the bare `pytest --nbval --nbval-current-env chapters` behave as in CI.

The environment of the kernels is fixed before any is started, no cell escapes the comparison, and
PNG pictures, which nbval passes over, are compared by their pixels where the drawing packages are
the locked ones. Everything else is compared character by character; no number is ever rounded,
except that the points of a drawing are compared as they are stored, to a hundredth.

A cell that begins with `%%requires torch` needs a package that the book itself does not. Where the
package is installed the cell is run and compared like any other; where it is not, exactly this cell
is reported as skipped, with the reason. No other cell may use a name such a cell defines
(tests/notebooks/test_required_packages.py), so the rest of the chapter is compared all the same.
For a reader the first line is a cell magic, defined in the chapter's set-up cell, that passes over
the cell without failing.
"""

from __future__ import annotations

import os

import pytest
from nbval.plugin import IPyNbCell

from tools import environment
from tools.notebooks import missing_packages
from tools.pictures import describe_base64, with_plain_names, with_round_coordinates

OUTPUT_TIMEOUT = 600
PNG_IN_BASE64 = "iVBORw0KGgo"
MAY_DIFFER = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[MAY_DIFFER] = []
    if not config.getoption("nbval"):
        # Tests run side by side, and draw into files.
        os.environ.update(environment.ONE_THREAD | {"MPLBACKEND": "agg"})
        return
    environment.fix(os.environ)
    config.stash[MAY_DIFFER] = environment.why_pictures_may_differ()
    if not hasattr(config, "workerinput"):
        environment.build_font_cache()


def pytest_report_header(config: pytest.Config) -> str | None:
    if not config.getoption("nbval"):
        return None
    reasons = config.stash[MAY_DIFFER]
    if reasons:
        return f"pictures: not compared ({'; '.join(reasons)})"
    return "pictures: compared by their pixels"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, IPyNbCell):
            # nbval waits 5 s for a cell's next output; a training run may be silent for longer.
            item.output_timeout = OUTPUT_TIMEOUT
            item.sanitize = _comparable
            if not config.stash[MAY_DIFFER]:
                passed_over = item.parent.skip_compare
                item.parent.skip_compare = tuple(k for k in passed_over if k != "image/png")


def pytest_runtest_setup(item: pytest.Item) -> None:
    if not isinstance(item, IPyNbCell):
        return
    if item.cell.execution_count is None:
        pytest.fail("this cell was never executed, so there is nothing to compare", pytrace=False)
    if item.options["skip"]:
        pytest.fail("this cell asks to be skipped; no cell of the book may", pytrace=False)
    if missing := missing_packages([item.cell]):
        pytest.skip(f"this cell needs {missing[0]}, not installed here (`make oracles`)")


def _comparable(output: object) -> object:
    """What is compared of an output: of a picture what can be seen, else the output itself."""
    if not isinstance(output, str):
        return output
    if output.startswith(PNG_IN_BASE64):
        return describe_base64(output)
    if output.startswith("<?xml") and "<svg" in output:
        return with_plain_names(with_round_coordinates(output))
    return output
