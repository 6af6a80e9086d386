"""How fast the library is, beside its peers: `make bench`.

    python -m benchmarks                  everything, some minutes
    python -m benchmarks step import      some of it: step, profile, epoch, check, import, scaling

One process, one thread, float64. Peers that are not installed show a dash.
"""

from __future__ import annotations

import argparse
import os

from tools.environment import ONE_THREAD

# Before anybody imports numpy: its threads are counted once.
os.environ.update(ONE_THREAD)
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["JAX_ENABLE_X64"] = "1"


def main() -> None:
    from benchmarks import sections
    from benchmarks.timing import describe_machine

    known = {
        "step": sections.training_steps,
        "profile": sections.profile,
        "epoch": sections.mnist_epoch,
        "check": sections.gradient_checks,
        "import": sections.import_times,
        "scaling": sections.scaling,
    }
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="section", help=", ".join(known))
    chosen = parser.parse_args().sections or list(known)
    if unknown := [name for name in chosen if name not in known]:
        parser.error(f"no section is called {unknown[0]!r}; there are: {', '.join(known)}")
    print(describe_machine())
    for name in chosen:
        known[name]()


if __name__ == "__main__":
    main()
