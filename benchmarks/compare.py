"""Two programs side by side, on a machine that does other things too.

Ours and the peer's run in turn, A B A B ..., after a first turn that is thrown away; each round gives one figure from the
pair, and the line that is printed gives the median of these figures, with the smallest and the largest. What slows the
machine down for a while slows down both, so the figure of a pair holds where the times themselves do not. Times are wall
clock times, with garbage collection and threads as they are by default. Where the goal is a time, ours runs alone. A peer
in C is compiled when it is needed.
"""

from __future__ import annotations

import ctypes
import importlib
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, NamedTuple

import autograd


class Figure(NamedTuple):
    """What one pair of times, in seconds, or one time alone, says, and on which side of the goal it has to be."""

    text: str
    of: Callable[..., float]
    at_least: bool


FASTER = Figure("times as fast", lambda ours, peer: peer / ours, at_least=True)
TIMES = Figure("times the time", lambda ours, peer: ours / peer, at_least=False)
MORE = Figure("ms more", lambda ours, peer: 1000 * (ours - peer), at_least=False)
SECONDS = Figure("s", lambda ours: ours, at_least=False)
A_SECOND = Figure("a second", lambda ours: 1 / ours, at_least=True)


class Side(NamedTuple):
    """A block of work, timed as a whole, and the number of steps in it."""

    name: str
    block: Callable[[], object]
    steps: int = 1


def compare(name: str, ours: Side, peer: Side, figure: Figure, goal: float, rounds: int = 9) -> None:
    """Time both in turn and print one line."""
    _timed(name, (ours, peer), figure, goal, rounds)


def alone(name: str, ours: Side, figure: Figure, goal: float, rounds: int = 9) -> None:
    """Time one side, whose goal is a time of its own, and print one line."""
    _timed(name, (ours,), figure, goal, rounds)


def _timed(name: str, sides: Sequence[Side], figure: Figure, goal: float, rounds: int) -> None:
    """Where all rounds take longer than a minute, fewer have to do, but three."""
    turns: list[list[float]] = []
    for side in sides:
        seconds(side)
    end = perf_counter() + 60
    while len(turns) < rounds and (len(turns) < 3 or perf_counter() < end):
        turns.append([seconds(side) for side in sides])
    found = sorted(figure.of(*turn) for turn in turns)
    middle = median(found)
    met = middle >= goal if figure.at_least else middle <= goal
    times = zip(*turns, strict=True)
    report(
        name,
        f"{', '.join(f'{side.name} {duration(median(of))}' for side, of in zip(sides, times, strict=True))}: "
        f"{number(middle)} {figure.text} [{number(found[0])} .. {number(found[-1])}] in {len(turns)} rounds; "
        f"goal: at {'least' if figure.at_least else 'most'} {goal:g}, {'met' if met else 'MISSED'}",
    )


def number(x: float) -> str:
    """A figure with as many digits as it deserves.

    >>> number(1.2345), number(4571.29)
    ('1.23', '4,571')
    """
    return f"{x:.2f}" if x < 100 else f"{x:,.0f}"


def seconds(side: Side) -> float:
    """The time of one step, from one run of the block."""
    start = perf_counter()
    side.block()
    return (perf_counter() - start) / side.steps


def duration(s: float) -> str:
    """A time with its unit.

    >>> duration(0.00125), duration(2.5)
    ('1.25 ms', '2.5 s')
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if s >= size:
            return f"{s / size:.3g} {unit}"
    return f"{s / 1e-6:.3g} us"


def peer_module(name: str) -> Any:
    """The peer's module, or None, said by name, where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        report(name.partition(".")[0], "not installed, left out")
        return None


def fresh(program: str, **environment: str) -> str:
    """Run it in a fresh interpreter, which finds the benchmarks and the same autograd as this one; what it prints."""
    places = os.pathsep.join(map(str, (Path(__file__).parent, Path(autograd.__file__).parents[1])))
    changed = {**os.environ, "PYTHONPATH": places, **environment}
    return subprocess.run([sys.executable, "-c", program], env=changed, check=True, stdout=subprocess.PIPE, text=True).stdout


def c_library(source: Path, *options: str) -> ctypes.CDLL | None:
    """The C program, compiled with these options; None, said by name, where there is no compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        report(source.name, "no C compiler found (gcc, cc), left out")
        return None
    with TemporaryDirectory(ignore_cleanup_errors=True) as place:  # Windows keeps a library that is loaded
        library = Path(place, source.stem + ".so")
        subprocess.run([compiler, *options, "-shared", "-fPIC", "-o", library, source, "-lm"], check=True)
        return ctypes.CDLL(str(library))


def same(name: str, ours: float, peer: float, tolerance: float = 1e-9, what: str = "end at the loss") -> None:
    """Print whether both sides computed the same number: a comparison of two different computations says nothing."""
    agree = math.isclose(ours, peer, rel_tol=tolerance)
    report(name, f"both {what} {ours:.9g}" if agree else f"DIFFERENT RESULTS: {ours!r} and {peer!r}")


def same_gradient(name: str, ours: Sequence[float], peer: Sequence[float], tolerance: float = 1e-9) -> None:
    """Print whether both sides computed the same derivatives, as far off as `tolerance` times the largest of them."""
    off, place = max((abs(a - b), k) for k, (a, b) in enumerate(zip(ours, peer, strict=True)))
    size = max(map(abs, ours))
    if size > 0 and off <= tolerance * size:
        report(name, f"both find the same {len(ours):,} derivatives; the largest is {size:.9g}")
    else:
        report(name, f"DIFFERENT GRADIENTS: {ours[place]!r} and {peer[place]!r}, derivative {place} of {len(ours)}")


def report(name: str, text: str) -> None:
    """One line, at once: a later comparison may take a while."""
    print(f"{name}: {text}", flush=True)
