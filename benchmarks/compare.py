"""Two programs side by side, on a machine that does other things too.

Ours and the peer's run in turn, A B A B ..., after a first turn that is thrown away; each round gives one figure from the
pair, and the line that is printed gives the median of these figures, with the smallest and the largest. What slows the
machine down for a while slows down both, so the figure of a pair holds where the times themselves do not. Times are wall
clock times, with garbage collection and threads as they are by default.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple


class Figure(NamedTuple):
    """What one pair of times, in seconds, says, and on which side of the goal it has to be."""

    text: str
    of: Callable[[float, float], float]
    at_least: bool


FASTER = Figure("times as fast", lambda ours, peer: peer / ours, at_least=True)
TIMES = Figure("times the time", lambda ours, peer: ours / peer, at_least=False)
MORE = Figure("ms more", lambda ours, peer: 1000 * (ours - peer), at_least=False)


class Side(NamedTuple):
    """A block of work, timed as a whole, and the number of steps in it."""

    name: str
    block: Callable[[], object]
    steps: int = 1


def compare(name: str, ours: Side, peer: Side, figure: Figure, goal: float, rounds: int = 9) -> None:
    """Time both in turn and print one line. Where that takes longer than a minute, fewer rounds have to do, but three."""
    pairs: list[tuple[float, float]] = []
    seconds(ours), seconds(peer)
    end = perf_counter() + 60
    while len(pairs) < rounds and (len(pairs) < 3 or perf_counter() < end):
        pairs.append((seconds(ours), seconds(peer)))
    found = sorted(figure.of(*pair) for pair in pairs)
    middle = median(found)
    met = middle >= goal if figure.at_least else middle <= goal
    report(
        name,
        f"{ours.name} {duration(median(a for a, _ in pairs))}, {peer.name} {duration(median(b for _, b in pairs))}: "
        f"{middle:.2f} {figure.text} [{found[0]:.2f} .. {found[-1]:.2f}] in {len(pairs)} rounds; "
        f"goal: at {'least' if figure.at_least else 'most'} {goal:g}, {'met' if met else 'MISSED'}",
    )


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


def same(name: str, ours: float, peer: float, tolerance: float = 1e-9) -> None:
    """Print whether both sides computed the same number: a comparison of two different computations says nothing."""
    agree = math.isclose(ours, peer, rel_tol=tolerance)
    report(name, f"both end at the loss {ours:.9g}" if agree else f"DIFFERENT RESULTS: {ours!r} and {peer!r}")


def report(name: str, text: str) -> None:
    """One line, at once: a later comparison may take a while."""
    print(f"{name}: {text}", flush=True)
