"""Six layers of 16 with relu and rms-norm, then a softmax: what a small language model does, on both classes of Values.

The lines are the same for both. Forward, which records, and backward are timed apart, with the collector on and off; ours
also with `dot` and `total`, one node each. Times are CPU time.
"""

from __future__ import annotations

import gc
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from time import process_time
from typing import Any

import microgpt_style
from compare import report, same

from autograd import Value, dot, total

LAYERS, WIDTH, ROUNDS = 6, 16, 15


def weights(value: Any) -> tuple[list[Any], list[Any]]:
    draw = random.Random(1)
    matrices = [[[value(draw.gauss(0, 0.3)) for _ in range(WIDTH)] for _ in range(WIDTH)] for _ in range(LAYERS)]
    return matrices, [value(draw.gauss(0, 1)) for _ in range(WIDTH)]


def summed(terms: list[Any]) -> Any:
    s = terms[0]
    for term in terms[1:]:
        s = s + term
    return s


def product(row: list[Any], x: list[Any]) -> Any:
    return summed([w * v for w, v in zip(row, x, strict=True)])


def block(matrices: list[Any], x: list[Any], product: Callable[..., Any] = product, summed: Callable[..., Any] = summed) -> Any:
    """The loss of class 3."""
    for matrix in matrices:
        x = [product(row, x).relu() for row in matrix]
        scale = (product(x, x) / WIDTH + 1e-5) ** -0.5
        x = [v * scale for v in x]
    largest = max(v.data for v in x)
    exps = [(v - largest).exp() for v in x]
    return -(exps[3] / summed(exps)).log()


@contextmanager
def collector(on: bool) -> Iterator[None]:
    gc.collect()
    if not on:
        gc.disable()
    try:
        yield
    finally:
        gc.enable()


def timed(value: Any, **nodes: Any) -> tuple[float, float]:
    """Seconds of one forward and one backward pass."""
    matrices, x = weights(value)
    start = process_time()
    loss = block(matrices, x, **nodes)
    recorded = process_time()
    loss.backward()
    return recorded - start, process_time() - recorded


def run() -> None:
    sys.setrecursionlimit(100_000)  # for the peer
    sides: dict[str, Callable[[], tuple[float, float]]] = {
        "the peer": lambda: timed(microgpt_style.Value),
        "ours": lambda: timed(Value),
        "ours, with dot and total": lambda: timed(Value, product=dot, summed=total),
    }
    losses = [block(*weights(value)).data for value in (microgpt_style.Value, Value)]
    same("block: microgpt-style Values", losses[1], losses[0])
    for on in (True, False):
        with collector(on):
            for side in sides.values():
                side()
            turns = [{name: side() for name, side in sides.items()} for _ in range(ROUNDS)]
        for name in list(sides)[1:]:
            parts = {"forward": lambda t: t[0], "backward": lambda t: t[1], "both": sum}
            ratios = {part: median(of(t["the peer"]) / of(t[name]) for t in turns) for part, of in parts.items()}
            text = ", ".join(f"{part} {ratio:.2f}" for part, ratio in ratios.items())
            goal = 3.5 if "dot" in name else 1.5
            verdict = "met" if ratios["both"] >= goal else "MISSED"
            report(
                f"block: {name}, collector {'on' if on else 'off'}",
                f"times as fast: {text}; goal: at least {goal:g}, {verdict}",
            )


if __name__ == "__main__":
    run()
