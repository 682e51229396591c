"""Factors by which a right gradient may be off."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from nn.diagnose.explanations import Cause
from nn.diagnose.gradients import CLOSE
from nn.losses import Loss

GUESSED = 1.3  # what a constant costs that nobody stated


def _likely(choice: Sequence[tuple[str, str, float, float]]) -> bool:
    """Different factors, of which a guessed rate stands alone or beside a sign, and of three one is a sign."""
    names = [c[0] for c in choice]
    guessed = any(c[3] == GUESSED for c in choice)
    return len(set(names)) == len(names) and (len(names) - ("sign_flipped" in names) <= (1 if guessed else 2))


def scales(n: int, k: int, loss: Loss, reduction: str, learning_rate: float | None) -> Sequence[tuple[str, str, float, float]]:
    """Factors by which a right gradient may be off: name, text, number, cost; the likelier first."""
    found: list[tuple[str, str, float, float]] = [("sign_flipped", "-1", -1.0, 1.0)]
    if reduction in ("samples", "all"):
        found.append(("missing_1_over_n", "n", float(n), 1.0))
    if reduction in ("outputs", "all") and k > 1:
        found.append(("missing_1_over_k", "k", float(k), 1.0))
    half = ("missing_factor_2", "1/2", 0.5, 1.0)
    doubled = not loss.by_preactivation and float(loss.error(np.array(0.5), np.array(0.0))) == 1.0  # as 2 * (a - y) is
    found += [half] * doubled
    found += [("extra_factor_2", "2", 2.0, 1.0), ("extra_factor_4", "4", 4.0, 1.0), ("extra_1_over_n", "1/n", 1 / n, 1.0)]
    found += [half] * (not doubled)
    if learning_rate is None:
        found += [("learning_rate_folded", f"{rate:g}", rate, GUESSED) for rate in (0.1, 0.01, 0.001, 0.05, 0.3)]
    elif learning_rate != 1:
        found.append(("learning_rate_folded", f"{learning_rate:g}", learning_rate, 1.0))
    found += [
        ("extra_1_over_k", "1/k", 1 / k, 1.1),
        ("extra_factor_n", "n", float(n), 1.1),
        ("extra_factor_k", "k", float(k), 1.1),
    ]
    return [scale for scale in found if scale[2] != 1]


def scalings(known: Sequence[tuple[str, str, float, float]], ratio: float, number: int) -> list[tuple[Cause, ...]]:
    """The names of a factor in that layer, as few as possible; all that have the same number of them."""
    if abs(ratio - 1) <= CLOSE:
        return [()]
    for count in (1, 2, 3):
        named = [c for c in combinations(known, count) if abs(np.prod([s[2] for s in c]) / ratio - 1) <= CLOSE and _likely(c)]
        if named:
            return [tuple(Cause(name, number, "scale", text, price) for name, text, _, price in c) for c in named]
    return [(Cause("wrong_scale", number, "scale", f"{ratio:.6g}", 2.0),)]
