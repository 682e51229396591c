"""L2 penalties: how much of each parameter is in its gradient, and what is wrong with that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from nn.arrays import Array
from nn.diagnose.explanations import Cause
from nn.diagnose.gradients import CLOSE, Seen, called, read
from nn.diagnose.network import network
from nn.diagnose.problem import Problem
from nn.diagnose.readings import Evidence, exact


def penalties(backward: Any, problem: Problem, found: Evidence) -> dict[str, float]:
    """How much of each parameter is in its gradient whatever the error: what is left where the targets are the outputs."""
    net = network(problem.W, problem.b, found.X[:1], found.Y[:1], problem.activations, problem.loss, 1.0)
    if callable(backward):
        y = net.A[-1][0]
        given = (problem.X.T, y.T) if problem.columns else (problem.X, y)
        try:
            with np.errstate(all="ignore"):
                left, _ = read([called(backward, problem.params, *given)], list(found.seen), problem)
        except Exception:  # noqa: BLE001  # such targets may not suit it
            return {}
        left_over = {name: s.readings[0][0] for name, s in left.items() if s.fits}
    else:
        left_over = {}
        for name, right in exact(net, found.seen).items():
            s, w = found.seen[name], problem.W[int(name[2:]) - 1]
            if name[1] == "W" and s.fits and w.size > 2:
                both = np.stack([right.ravel(), w.ravel()], axis=1)
                (r, c), *_ = np.linalg.lstsq(both, s.readings[0].ravel(), rcond=None)
                close = np.abs(both @ (r, c) - s.readings[0].ravel()).max() <= CLOSE * np.abs(s.readings[0]).max()
                left_over[name] = c * w if close and abs(r) > 1e-9 and abs(c) > 1e-9 else 0 * w
    return _coefficients(problem, found, left_over)


def _coefficients(problem: Problem, found: Evidence, left_over: Mapping[str, Array]) -> dict[str, float]:
    """Each of the gradients that are left as a multiple of its parameter; nothing where one of them is something else."""
    coefficients = {}
    for name, rest in left_over.items():
        l = int(name[2:]) - 1
        p = problem.W[l] if name[1] == "W" else problem.b[l]
        at = np.abs(p).argmax()
        c = float(rest.flat[at] / (p.flat[at] or 1.0)) if rest.size == p.size else 0.0
        size = max(float(np.abs(found.seen[name].readings[0]).max()), 1e-300)
        if rest.size != p.size or np.abs(rest.ravel() - c * p.ravel()).max() > CLOSE * size:
            return {}
        coefficients[name] = 0.0 if np.abs(rest).max() <= CLOSE * size else c
    weights = [c for name, c in coefficients.items() if name[1] == "W" and c]
    return coefficients if weights else {}


def without(seen: Seen, problem: Problem, coefficient: float) -> Seen:
    """The gradient without that much of its parameter."""
    l = int(seen.name[2:]) - 1
    if not coefficient or not seen.fits:
        return seen
    p = problem.W[l] if seen.name[1] == "W" else problem.b[l]
    first = seen.readings[0] - coefficient * p
    return seen._replace(readings=(first, first.swapaxes(-1, -2)) if len(seen.readings) > 1 else (first,))


def usual(there: dict[str, float]) -> tuple[float, float]:
    """The penalty that most gradients have: of the weights, and of the biases if all of them have it."""
    weights = [round(c, 12) for name, c in there.items() if name[1] == "W" and c]
    biases = [c for name, c in there.items() if name[1] == "b"]
    usually = float(abs(Counter(weights).most_common(1)[0][0])) if weights else 0.0
    all_of_them = bool(biases) and all(abs(abs(c) - usually) <= 1e-6 * usually for c in biases)
    return usually, usually if all_of_them else 0.0


def penalty_causes(problem: Problem, there: dict[str, float], seen: dict[str, Seen]) -> Iterator[Cause]:
    """What is wrong with the penalty of each gradient."""
    flipped = bool(there) and all(c <= 0 for c in there.values())
    for name in seen:
        c, want = there.get(name, 0.0) * (-1 if flipped else 1), (problem.penalty or (0.0, 0.0))[name[1] == "b"]
        if abs(c - want) <= 1e-6 * max(abs(want), abs(c)) or (name[1] == "b" and not problem.b[int(name[2:]) - 1].any()):
            continue
        ratio = c / want if want else np.inf
        names = {
            0.0: "penalty_missing",
            2.0: "penalty_doubled",
            0.5: "penalty_halved",
            -1.0: "penalty_sign_flipped",
            np.inf: "penalty_misplaced",
        }
        mistake = names.get(round(ratio, 6), "penalty_wrong")
        p = name[1:]
        yield Cause(mistake, int(name[2:]), "penalty", f"{f'{c:.6g} * {p}' if c else ''} | {want:.6g} * {p}")
