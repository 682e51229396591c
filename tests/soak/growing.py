"""What a graph of a million operations costs every reader: is each linear, and does none recurse?

Run it: python tests/soak/growing.py [1000000] [SEED]; half an hour. Every shape of graph is recorded in three sizes, each
in a process of its own and there in a thread with a stack of 256 KiB and with room for a few dozen frames of Python: what
recursed over the graph would end in an error, or the process in a crash. Printed is, for each reader, the shape that grew
most: nanoseconds for each operation, and the exponent with which the time grows, fitted to the three sizes. A graph that fits
into no cache any more takes longer to look at, so the first row, a loop that does nothing else, tells what is the machine's:
what its exponent is above 1 is taken off from all others of that shape. Then 1 is linear, and a quadratic step would give 2.
Last is the memory at the peak for each operation, of the shape that takes most, by tracemalloc, at the smallest size.

The garbage collector is off: what it does between the steps grows with everything that there is in the process. What writes
or keeps formulas takes a tenth of the operations, for it takes kilobytes for each.
"""

from __future__ import annotations

import copy
import gc
import json
import math
import os
import pickle
import random
import subprocess
import sys
import threading
import time
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autograd import Tape, Value, derive, draw, first_nonfinite, grad, maximum, topological_order, wrong_ways

STACK = 256 * 1024  # bytes; LLVM alone takes a third of them to compile a small tape
FRAMES = 50  # of Python, above the first of the thread
BARE, LINEAR = "each operand looked up", 1.25
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}  # the child reads with this checkout


class Graph(NamedTuple):
    """A recorded graph, and the leaves that a tape of it is called with."""

    output: Value
    inputs: list[Value]


def chain(n: int) -> Graph:
    """Each operation on the result before it."""
    x = y = Value(0.5, "x")
    for _ in range(n // 4):
        y = -(y * x + 0.25).tanh()
    return Graph(y, [x])


def wide(n: int) -> Graph:
    """A sum of products with as many leaves."""
    leaves = [Value(k % 7 / 8, f"x{k}") for k in range(n // 2)]
    total = Value(0.0)
    for leaf in leaves:
        total = total + leaf * 0.5
    return Graph(total, leaves)


def tree(n: int) -> Graph:
    """A balanced tree, whose leaves all have one label."""
    level = leaves = [Value(k % 5 / 4 - 0.5, "x") for k in range(n + 1)]
    while len(level) > 1:
        odd = level[len(level) // 2 * 2 :]
        level = [maximum(a, b) if k % 3 else a * b for k, (a, b) in enumerate(zip(level[::2], level[1::2], strict=False))] + odd
    return Graph(level[0], leaves)


def ladder(n: int) -> Graph:
    """Two rails with rungs across: every rung doubles the number of routes."""
    x = a = Value(0.5, "x")
    b = a * 0.5
    for _ in range(n // 4):
        a, b = (a + b) * 0.5, (a - b) * 0.25
    return Graph(a + b, [x])


def fan(n: int) -> Graph:
    """Three leaves that go into a third of all operations each."""
    leaves = [Value(0.5 + k / 8, f"x{k}") for k in range(3)]
    y = leaves[0]
    for k in range(n):
        y = y * leaves[k % 3] if k % 2 else y + leaves[k % 3]
    return Graph(y, leaves)


def tangle(n: int, seed: int = 0) -> Graph:
    """Each operation on the result before it and on any other."""
    chosen = random.Random(seed)  # noqa: S311  # no secret
    nodes = [Value(chosen.uniform(-1, 1), f"x{k}") for k in range(3)]
    y = nodes[0] + nodes[1] * nodes[2]
    for _ in range(n // 2):
        nodes.append(y)
        y = (y - nodes[chosen.randrange(len(nodes))]).sin()
    return Graph(y, nodes[:3])


SHAPES: dict[str, Callable[[int], Graph]] = {f.__name__: f for f in (chain, wide, tree, ladder, fan, tangle)}


def bare(order: list[Value]) -> float:
    """What any reader has to do: look at every node, and look up its operands among all others."""
    found = dict.fromkeys(order, 0.0)
    return sum(found[parent] for node in order for parent in node.parents)


def refused(ask: Callable[[], Any]) -> str:
    """What is said of a graph that is too large for it."""
    try:
        ask()
    except ValueError as error:
        if "more than the limit" in str(error):
            return str(error)
        raise
    raise RuntimeError("it was not refused")


def readers(graph: Graph) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What is done with a graph without a formula for every step."""
    output, inputs = graph
    yield BARE, partial(bare, topological_order(output))
    yield "topological_order", lambda: topological_order(output)
    yield "backward", output.backward
    yield "grad", lambda: grad(output, inputs)
    yield "grad, create_graph", lambda: grad(output, inputs, create_graph=True)
    yield "repr, of all nodes", lambda: list(map(repr, topological_order(output)))
    yield "first_nonfinite", lambda: first_nonfinite(output)
    yield "draw refuses", lambda: refused(lambda: draw(output))
    yield "wrong_ways, printed", lambda: str(wrong_ways(output))
    yield "derive", lambda: derive(output, inputs[0])
    yield "derive: routes counted", lambda: derive(output, inputs[0]).paths().count
    yield "derive: page refuses", lambda: refused(derive(output).html)
    yield "copy.copy", lambda: copy.copy(output)
    yield "copy.deepcopy", lambda: copy.deepcopy(output)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        pickled = pickle.dumps(output, protocol)
        yield f"pickle.dumps, {protocol}", partial(pickle.dumps, output, protocol)
        yield f"pickle.loads, {protocol}", partial(pickle.loads, pickled)
    tape, numbers = Tape(output, inputs), [x.data for x in inputs]
    yield "Tape", lambda: Tape(output, inputs)
    yield "Tape, floats", lambda: tape(numbers)
    yield "Tape, arrays", lambda: tape([np.array([x, x / 2]) for x in numbers])
    yield "Tape, Values", lambda: tape([Value(x) for x in numbers])
    yield "Tape, pickled", lambda: pickle.loads(pickle.dumps(tape))  # noqa: S301  # bytes of our own
    native = tape.native()
    yield "Tape.native", tape.native
    yield "native, floats", lambda: native(numbers)
    yield "native, a descent", lambda: native.descend(numbers, 2, 0.1)


def writers(graph: Graph) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What is done with a formula for every step."""
    output, inputs = graph
    yield "derive: routes told", lambda: str(derive(output, inputs[0]).paths())
    yield "derive: text", lambda: derive(output).text()
    yield "derive: LaTeX", lambda: derive(output).latex()
    yield "derive: text of all steps", lambda: derive(output).text(fold=False)
    yield "Tape.source", lambda: Tape(output, inputs).source


def seconds(step: Callable[[], Any]) -> float:
    """The time of the step, what it takes to drop its result included: the best of a few."""
    times: list[float] = []
    while not times or (len(times) < 5 and sum(times) < 0.2):
        start = time.process_time()
        step()
        times.append(time.process_time() - start)
    return min(times)


def peak(step: Callable[[], Any]) -> float:
    """The bytes that the step takes at its peak, above what was there before."""
    tracemalloc.start()
    step()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def measure(shape: str, n: int, seed: int, watch: Callable[[Callable[[], Any]], float]) -> dict[str, float]:
    """What is watched of every step, for each operation."""

    def record(size: int) -> Graph:
        return tangle(size, seed) if shape == "tangle" else SHAPES[shape](size)

    found = {"record": watch(lambda: record(n)) / n}
    for steps, size in ((readers, n), (writers, n // 10)):
        graph = [record(size)]
        gone = weakref.ref(graph[0].output)
        for name, step in steps(graph[0]):
            found[name] = watch(step) / size
        del step
        start = time.process_time()
        graph.clear()
        found["drop"] = (time.process_time() - start) / size
        if gone() is not None:
            raise RuntimeError("something holds the graph")
    return found


def child(shape: str, n: int, seed: int, watch: str) -> None:
    """Measure in a thread in which nothing can recurse far; print what was found."""
    for steps in (readers, writers):
        for _, step in steps(chain(3000)):  # what is imported or compiled at the first use
            step()
    gc.disable()
    threading.stack_size(STACK)
    found: list[dict[str, float]] = []

    def work() -> None:
        sys.setrecursionlimit(FRAMES)
        found.append(measure(shape, n, seed, {"seconds": seconds, "peak": peak}[watch]))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    print(json.dumps(found[0]))


def fresh(shape: str, n: int, seed: int, watch: str) -> dict[str, float]:
    """What a process of its own has measured."""
    command = [sys.executable, __file__, "child", shape, str(n), str(seed), watch]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT, check=True)  # noqa: S603  # this file
    found: dict[str, float] = json.loads(run.stdout)
    return found


def exponent(sizes: list[int], times: list[float]) -> float:
    """By how much the total grows: the slope of the line through its logarithms."""
    logarithms = [math.log(size) for size in sizes], [math.log(size * each) for size, each in zip(sizes, times, strict=True)]
    return float(np.polyfit(*logarithms, 1)[0])


def main(n: int, seed: int) -> None:
    if n < 40_000:
        sys.exit(f"{n} operations are too few: the smallest graph has a fortieth of them; give 40000 or more")
    sizes = [n // 40, n // 6, n]
    times = {shape: [fresh(shape, size, seed, "seconds") for size in sizes] for shape in SHAPES}
    memory = {shape: fresh(shape, sizes[0], seed, "peak") for shape in SHAPES}
    print(f"seed {seed}; the sizes of the last five rows are a tenth")
    print(f"{'':26}{'grows most':>11}" + "".join(f"{size:>13,}" for size in sizes) + f"{'exponent':>10}{'bytes':>9}")
    worse, caches = 0, dict.fromkeys(SHAPES, 0.0)
    for name in (BARE, *(name for name in memory["chain"] if name != BARE)):
        rows = {shape: [found[name] for found in each] for shape, each in times.items()}
        grows = {shape: exponent(sizes, row) - caches[shape] for shape, row in rows.items() if max(row) * n > 0.01}
        if name == BARE:
            caches = {shape: max(grows[shape] - 1, 0.0) for shape in SHAPES}
        most = max(grows, key=grows.__getitem__, default="")
        told = f"{grows[most]:>10.2f}" if most else f"{'-':>10}"
        bytes_ = max(each[name] for each in memory.values()) if name != "drop" else 0
        cells = "".join(f"{each * 1e9:>10,.0f} ns" for each in rows[most or "chain"])
        verdict = "   MORE THAN LINEAR" if most and name != BARE and grows[most] > LINEAR else ""
        worse += bool(verdict)
        print(f"{name:26}{most:>11}{cells}{told}{bytes_:>9,.0f}{verdict}")
    print(f"{worse} of the steps grow with a power of more than {LINEAR}")
    sys.exit(worse > 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        child(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 1_000_000, int(sys.argv[2]) if sys.argv[2:] else 0)
