"""``python -m backprop_lib.diagnose my_gradients.npz``: the doctor for a file of arrays."""

from __future__ import annotations

import argparse
import sys
import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np

from backprop_lib.activations import ACTIVATIONS
from backprop_lib.diagnose.plain import diagnose_arrays
from backprop_lib.errors import Array
from backprop_lib.losses import LOSSES

LAYOUT = """\
The file holds, under these names (np.savez("my_gradients.npz", W1=W1, b1=b1, ..., loss="bce")):

  W1 b1 W2 b2 ...      weights and biases, as they were in the forward pass
  dW1 db1 dW2 db2 ...  the gradients in question, laid out like W and b; any may be missing
  X y                  the batch, as floats; class labels as rows of 0 and 1
  activations          one name a layer, or one for all: {activations}
  loss                 one of {losses}; all but sse take the mean over the batch
  orientation          "out_in" if W is (n_out, n_in), "in_out" if (n_in, n_out); may be missing
                       if some W is not square
  samples              "rows" if a sample is a row of X, "columns" if a column; default "rows"
  learning_rate l2     optional numbers, as for diagnose
  mask1 mask2 ...      optional: dropout masks of the hidden layers, with their factor 1/(1-p)
  previous_dW1 ...     optional: the gradients of the step before, all of them

Exit code: 0 the gradient is right, 1 it is not, 2 the file cannot be used.
"""


PLAIN = ("activations", "loss", "orientation", "samples", "learning_rate", "l2", "tolerance")


def read_file(path: str) -> dict[str, Any]:
    """The arguments of `diagnose_arrays` from an .npz file; the layout is in `LAYOUT`."""
    with np.load(path, allow_pickle=False) as file:
        stored = {name: file[name] for name in file.files}
    L = 0
    while f"W{L + 1}" in stored:
        L += 1
    needed = ["W1", *(f"b{l}" for l in range(1, L + 1)), "X", "y", "activations", "loss"]
    missing = [name for name in needed if name not in stored]
    if missing:
        raise ValueError(f"the file has no {', '.join(missing)}; it holds {', '.join(stored)}")
    arguments: dict[str, Any] = {name: _layers(stored, name, L) for name in ("W", "b", "dW", "db")}
    previous = any(name.startswith("previous_") for name in stored)
    before = _layers(stored, "previous_dW", L), _layers(stored, "previous_db", L)
    arguments["previous"] = before if previous else None
    masks = [stored.pop(f"mask{l}") for l in range(1, L) if f"mask{l}" in stored]
    arguments["masks"] = masks or None
    arguments |= {name: stored.pop(name) for name in ("X", "y")}
    arguments |= {name: stored.pop(name).tolist() for name in PLAIN if name in stored}
    if stored:
        raise ValueError(f"the file holds {', '.join(stored)}, which nobody asked for; see --help")
    return arguments


def _layers(stored: dict[str, Any], letter: str, L: int) -> list[Array | None]:
    return [stored.pop(f"{letter}{l}", None) for l in range(1, L + 1)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Diagnose the gradients of a file and print the report; 0 right, 1 wrong, 2 no diagnosis."""
    parser = argparse.ArgumentParser(
        prog="python -m backprop_lib.diagnose",
        description="Name the classic mistake that reproduces a gradient.",
        epilog=LAYOUT.format(activations=", ".join(ACTIVATIONS), losses=", ".join(LOSSES)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", help="an .npz file of named arrays, laid out as below")
    path = parser.parse_args(arguments).file
    try:
        diagnosis = diagnose_arrays(**read_file(path))
    except (OSError, ValueError, TypeError, zipfile.BadZipFile) as problem:
        print(f"{path}: {problem}", file=sys.stderr)
        return 2
    print(diagnosis)
    return 0 if diagnosis.ok else 1


if __name__ == "__main__":
    sys.exit(main())
