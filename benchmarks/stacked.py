"""1,000 stacked networks trained at once by `nn.fit`, against the same networks one at a time.

3-4-1, sigmoid, on the four samples of the seed question. The time is that of one step of one network: a stacked step counts
for 1,000.
"""

from __future__ import annotations

from compare import FASTER, Side, compare, same
from fit import X, Y

import nn

NETWORKS, STACKED_STEPS, SINGLE_STEPS = 1000, 400, 10_000


def model() -> nn.MatrixMLP:
    return nn.MatrixMLP.random([3, 4, 1], rng=0, networks=NETWORKS)


def stacked() -> float:
    return float(nn.fit(model(), X, Y, STACKED_STEPS, 1.0).losses[-1][7])


def single(steps: int = SINGLE_STEPS) -> float:
    return float(nn.fit(model().network(7), X, Y, steps, 1.0).losses[-1])


def run() -> None:
    same("stacked: network 7", stacked(), single(STACKED_STEPS))
    compare(
        "stacked: one step of one network",
        Side("1,000 at once", stacked, STACKED_STEPS * NETWORKS),
        Side("one at a time", single, SINGLE_STEPS),
        FASTER,
        goal=20,
    )
