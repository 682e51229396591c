"""Six layers of 16 neurons with rms-norm, relu and softmax as one tape, beside the same written by hand in C (gcc -O2)."""

from __future__ import annotations

import random
from ctypes import c_double, c_long, c_void_p
from pathlib import Path
from typing import Any

import numpy as np
from compare import SECONDS, TIMES, Side, alone, c_library, compare, same, same_gradient

from autograd import Tape, Value

LAYERS, N, STEPS, RATE = 6, 16, 2000, 0.001


def recorded() -> Tape:
    """The loss, -log of the probability of class 3, by the weights and what goes in."""
    chance = random.Random(0)
    weights = [[[Value(chance.gauss(0, 0.4)) for _ in range(N)] for _ in range(N)] for _ in range(LAYERS)]
    inputs = [Value(chance.gauss(0, 1)) for _ in range(N)]
    x: list[Any] = inputs
    for layer in weights:
        scale = (sum(v * v for v in x) / N + 1e-5) ** -0.5
        scaled = [v * scale for v in x]
        x = [sum(w * v for w, v in zip(row, scaled, strict=True)).relu() for row in layer]
    largest = max(v.data for v in x)
    powers = [(v - largest).exp() for v in x]
    return Tape(-(powers[3] / sum(powers)).log(), [*(w for layer in weights for row in layer for w in row), *inputs])


def run() -> None:
    tape = recorded()
    fast, numbers = tape.native(), np.array([node.data for node in tape.inputs])
    as_list = numbers.tolist()
    library = c_library(Path(__file__).parent / "layers.c", "-O2")
    if library is None:
        return
    library.replay.argtypes, library.replay.restype = (c_void_p, c_void_p), c_double
    library.descend.argtypes = (c_void_p, c_void_p, c_long, c_double)
    grads = np.zeros(len(numbers))
    value, ours = fast(numbers)
    same("layers: C", value, library.replay(numbers.ctypes.data, grads.ctypes.data), what="compute")
    same_gradient("layers: C", ours, grads.tolist())

    def c_descent() -> None:
        x = numbers.copy()
        library.descend(x.ctypes.data, grads.ctypes.data, STEPS, RATE)

    def calls(x: Any) -> Any:
        return lambda: [fast(x) for _ in range(STEPS)]

    name, c = f"layers: {len(tape):,} operations, native", Side("C, gcc -O2", c_descent, STEPS)
    compare(f"{name}, a step of descend", Side("ours", lambda: fast.descend(numbers, STEPS, RATE), STEPS), c, TIMES, goal=6)
    on_array = Side("on an array", calls(numbers), STEPS)
    compare(f"{name}, a call on an array", on_array, c, TIMES, goal=10)
    compare(f"{name}, a call on a list", Side("on a list", calls(as_list), STEPS), on_array, TIMES, goal=3)
    alone("layers: the tape, recorded and made native", Side("ours", lambda: recorded().native()(numbers)), SECONDS, goal=0.2)


if __name__ == "__main__":
    run()
