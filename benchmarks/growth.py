"""How time and memory grow with the graph, from 1,000 to 1,000,000 operations: `python benchmarks/growth.py growth.svg`.

The graph is the study's (study.py), shorter or longer. Four steps are measured, for each size in a fresh process: recording
the graph, flattening it into a tape, a forward and backward pass natively, and one on floats. The time of a pass is that
of a later one. Memory is what Python and NumPy allocate at the peak of the first, above what was there before, measured by
tracemalloc in a process of its own, for it slows down what it watches; what LLVM itself takes is not in it. Another graph
was replayed before, so that loading LLVM is in neither.

A small graph has a program of its own: natively up to 2,000 operations, on floats up to 10,000 (the dotted line). Beyond,
one program goes from operation to operation, and from 20,000 on the cost of an operation has to stay what it is.
With a file's name the tables are plotted as well (extra `examples`).
"""

from __future__ import annotations

import json
import sys
import tracemalloc
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import study
from compare import fresh, number, report

from autograd import Tape
from autograd.tape.replay import LARGEST_SOURCE

SIZES = (1_000, 4_000, 20_000, 100_000, 400_000, 1_000_000)
FIRST = SIZES.index(20_000)
STEPS = ("record", "flatten", "native pass", "floats pass")
COLORS = ("#0072B2", "#009E73", "#D55E00", "#CC79A7")
SCALARS = 4.75  # operations of the table for one of the study's
GOAL = 2.0


def timed(step: Callable[[], Any], repeats: int) -> tuple[Any, float]:
    """What the step returns, and its seconds: the median of some, as many as a second has room for."""
    times: list[float] = []
    if repeats > 1:
        step()
    while not times or (len(times) < repeats and sum(times) < 1):
        start = perf_counter()
        found = step()
        times.append(perf_counter() - start)
    return found, median(times)


def traced(step: Callable[[], Any], repeats: int) -> tuple[Any, float]:  # noqa: ARG001  # the signature of `timed`
    """What the step returns, and the bytes that it takes at its peak."""
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    found = step()
    return found, tracemalloc.get_traced_memory()[1] - before


def measure(size: int, watch: Callable[[Callable[[], Any], int], tuple[Any, float]]) -> list[float]:
    """The number of operations, and what is watched of each step."""
    study.once(1000)
    if watch is traced:
        tracemalloc.start()
    (output, inputs), record = watch(lambda: study.recorded(round(size / SCALARS)), 1)
    tape, flatten = watch(lambda: Tape(output, inputs), 1)
    numbers = [node.data for node in inputs]
    fast = tape.native()
    _, native = watch(lambda: fast(numbers), 99)
    _, floats = watch(lambda: tape(numbers), 99)
    return [len(tape), record, flatten, native, floats]


def table(of: str, watch: str, unit: float) -> list[list[float]]:
    """Print what an operation takes, a line for each size, a column for each step; return it."""
    report("growth", f"{of} an operation".rjust(22) + "".join(f"{step:>13}" for step in STEPS))
    rows = []
    for size in SIZES:
        operations, *found = json.loads(fresh(f"import growth; print(growth.measure({size}, growth.{watch}))"))
        rows.append([x / operations for x in found])
        report("growth", f"{size:22,}" + "".join(f"{number(x / unit):>13}" for x in rows[-1]))
    return rows


def run() -> tuple[list[list[float]], list[list[float]]]:
    """Print both tables, and how far what an operation takes is from constant; return seconds and bytes."""
    both = table("ns", "timed", 1e-9), table("bytes", "traced", 1)
    for step, name in enumerate(STEPS):
        slower, larger = (rows[-1][step] / rows[FIRST][step] for rows in both)
        report(
            f"growth: {name}",
            f"at {SIZES[-1]:,} operations {slower:.2f} times the time and {larger:.2f} times the memory of an operation at "
            f"{SIZES[FIRST]:,}; goal: at most {GOAL:g}, {'met' if max(slower, larger) <= GOAL else 'MISSED'}",
        )
    return both


def plot(seconds: list[list[float]], memory: list[list[float]], path: str) -> None:
    """Totals on logarithmic axes. Grey: exactly as the graph grows. Dotted: up to here, floats run as Python source."""
    import matplotlib as mpl

    mpl.use("Agg")  # a file, no window
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "growth"})
    import matplotlib.pyplot as plt

    figure, sides = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained")
    for axes, rows, unit, title in zip(
        sides, (seconds, memory), (1, 1e6), ("time in seconds", "memory in megabytes"), strict=True
    ):
        totals = [[x * size / unit for x in row] for row, size in zip(rows, SIZES, strict=True)]
        for k, name in enumerate(STEPS):
            column = [row[k] for row in totals]
            axes.loglog(SIZES, [size * column[-1] / SIZES[-1] for size in SIZES], color="0.8", linewidth=1)
            axes.loglog(SIZES, column, "o-", color=COLORS[k], label=name, markersize=4)
        axes.axvline(LARGEST_SOURCE, color="0.5", linestyle=":", linewidth=1)
        axes.set(xlabel="operations", title=title)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.minorticks_off()
        axes.spines[["top", "right"]].set_visible(False)
    sides[0].legend(frameon=False)
    figure.savefig(path, metadata={"Date": None} if path.endswith(".svg") else None)


if __name__ == "__main__":
    tables = run()
    if sys.argv[1:]:
        plot(*tables, sys.argv[1])
