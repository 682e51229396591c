"""Every comparison, or those that are named: `python benchmarks/run.py engine fit`.

One line per comparison: its name, our time and the peer's, the median of the figures of all rounds, [smallest .. largest],
the goal, and whether the median meets it. Nothing is asserted, because a busy machine is no mistake of the code; the first
line says how busy it was.
"""

from __future__ import annotations

import os
import platform
import sys

import big
import block
import engine
import fit
import growth
import layers
import numpy as np
import stacked
import startup
import study
import tape

COMPARISONS = {
    "engine": engine.run,
    "block": block.run,
    "fit": fit.run,
    "big": big.run,
    "stacked": stacked.run,
    "startup": startup.run,
    "tape": tape.run,
    "layers": layers.run,
    "study": study.run,
    "growth": growth.run,
}


def main() -> None:
    names = sys.argv[1:] or list(COMPARISONS)
    unknown = [name for name in names if name not in COMPARISONS]
    if unknown:
        print(f"not known: {', '.join(unknown)}; choose from {', '.join(COMPARISONS)}")
        return
    load = f", load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores" if hasattr(os, "getloadavg") else ""
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.platform()}{load}", flush=True)
    for name in names:
        COMPARISONS[name]()


if __name__ == "__main__":
    main()
