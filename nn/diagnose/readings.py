"""Conventions found, not demanded: which reading of what was left out makes the pass right, or comes nearest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from nn.arrays import Array
from nn.diagnose.gradients import CLOSE, Seen, read, run
from nn.diagnose.network import Network, network
from nn.diagnose.problem import Given, Problem, fresh
from nn.diagnose.watch import Line, key_of, watched

SETS = 3  # data sets on which readings are compared; the one that is chosen is confirmed on all


class Evidence(NamedTuple):
    """What the pass returned in one orientation: the data, the gradients, what could not be read, what its lines set."""

    X: Array
    Y: Array
    seen: dict[str, Seen]
    notes: list[str]
    lines: list[Line]
    returned: Sequence[Mapping[str, Any]]
    kept: str = ""


class Fit(NamedTuple):
    """Whether all gradients are right under a reading, with what common factor and penalty."""

    right: bool
    ratio: float
    penalty: tuple[float, float] = (0.0, 0.0)


def names_of(problem: Problem) -> tuple[str, ...]:
    """The names of the gradients, from the outputs back."""
    return tuple(f"d{kind}{l}" for l in range(len(problem.W), 0, -1) for kind in "Wb" if f"{kind}{l}" in problem.params)


def evidence(backward: Any, problem: Problem) -> tuple[Evidence | None, str]:
    """What the pass returns on the given and on fresh data, or why it returns nothing."""
    data = [(problem.X, problem.Y)]
    returned: list[Mapping[str, Any]] = [] if callable(backward) else [backward]
    lines: list[Line] = []
    kept = ""
    if callable(backward):
        outcome: list[Any] = []
        lines = watched(backward, lambda: outcome.append(run(backward, problem.params, problem.columns, data)))
        returned, trouble = outcome[0]
        if trouble:
            return None, trouble
        kept = between_calls(returned[0], run(backward, problem.params, problem.columns, data)[0])
        for more in list(fresh(problem.X, problem.Y))[1:] if not kept else ():
            also, trouble = run(backward, problem.params, problem.columns, [more])
            if not trouble and (
                finite(also[0]) or not finite(returned[0])
            ):  # what is given counts, not what is drawn beside it
                data.append(more)
                returned += also
    seen, notes = read(returned, names_of(problem), problem)
    X, Y = (np.stack(arrays) for arrays in zip(*data, strict=True))
    return Evidence(X, Y, seen, notes, lines, returned, kept), ""


def between_calls(first: Mapping[str, Any], second: Sequence[Mapping[str, Any]]) -> str:
    """What differs between two calls with the same data; nothing, if they are as they should be."""
    if not second:
        return "it raises an error the second time"
    pairs = {
        name: (np.asarray(g), np.asarray(second[0].get(name))) for name, g in first.items() if isinstance(g, np.ndarray | float)
    }
    off = [name for name, (a, b) in pairs.items() if a.shape != b.shape or not np.allclose(a, b, CLOSE, 0, equal_nan=True)]
    if off and all(np.shape(b) == np.shape(a) and np.allclose(b, 2 * a, CLOSE, 0) for a, b in (pairs[name] for name in off)):
        return f"twice the {', '.join(off)} of the first call; the sums have to start from zero in every call"
    return f"another {', '.join(off)}; weights or sums are kept from the call before" if off else ""


def finite(gradients: Mapping[str, Any]) -> bool:
    """Whether no array among them holds nan or an infinity."""
    arrays = [g for g in gradients.values() if isinstance(g, np.ndarray | float) and np.asarray(g).dtype.kind in "fiub"]
    return all(bool(np.isfinite(g).all()) for g in arrays)


def exact(net: Network, names: Iterable[str]) -> dict[str, Array]:
    """The right gradients of the sum, on every data set."""
    found = {}
    for name in names:
        l = int(name[2:])
        found[name] = net.A[l - 1].swapaxes(-1, -2) @ net.D[l] if name[1] == "W" else net.D[l].sum(axis=-2)
    return found


def _flat(arrays: Iterable[Array], sets: int) -> Array:
    return np.concatenate([a[:sets].reshape(sets, -1) for a in arrays], axis=1)


def fitted(problem: Problem, found: Evidence, penalised: bool, sets: int) -> Fit:
    """Whether a reading makes all gradients right, but for a common factor."""
    fitting = {name: s.readings[0] for name, s in found.seen.items() if s.fits}
    if len(fitting) < len(names_of(problem)) or found.notes:
        return Fit(False, 0.0)
    net = network(problem.W, problem.b, found.X[:sets], found.Y[:sets], problem.activations, problem.loss, 1.0)
    T, G = _flat(fitting.values(), sets), _flat(exact(net, fitting).values(), sets)
    if not np.isfinite(G).all() or not T.any():
        return Fit(False, 0.0)
    at, penalty = np.abs(G).argmax(), (0.0, 0.0)
    ratio = T.flat[at] / (G.flat[at] or 1.0)
    if penalised:
        W = np.concatenate(
            [problem.W[int(name[2:]) - 1].ravel() if name[1] == "W" else 0 * problem.b[int(name[2:]) - 1] for name in fitting]
        )
        b = np.concatenate(
            [0 * problem.W[int(name[2:]) - 1].ravel() if name[1] == "W" else problem.b[int(name[2:]) - 1] for name in fitting]
        )
        penalty = problem.penalty or _coefficients_of(T, G, W, b, sets)
        T = T - penalty[0] * W - penalty[1] * b
        ratio = T.flat[at] / (G.flat[at] or 1.0)
    good = (np.abs(T - ratio * G) <= CLOSE * np.abs(T).max()).all() and min(penalty) >= 0
    return Fit(bool(good), float(ratio), penalty)


def _coefficients_of(T: Array, G: Array, W: Array, b: Array, sets: int) -> tuple[float, float]:
    """The coefficients of weights and biases with which T is nearest to a multiple of G."""
    columns = [G.ravel(), *(np.tile(c, sets) for c in ((W, b) if b.any() else (W,)))]
    if len(columns[0]) <= len(columns):
        return 0.0, 0.0
    solved = np.linalg.lstsq(np.stack(columns, axis=1), T.ravel(), rcond=None)[0]
    biases = float(solved[2]) if b.any() else 0.0
    return float(solved[1]), biases if abs(biases) > 1e-6 * abs(solved[1]) else 0.0


def score(problem: Problem, found: Evidence) -> float:
    """How many gradients are right up to a factor; those of lower layers, which know more of the network, count more."""
    sets, total = min(SETS, len(found.X)), 0.0
    net = network(problem.W, problem.b, found.X[:sets], found.Y[:sets], problem.activations, problem.loss, 1.0)
    for name, right in exact(net, [name for name, s in found.seen.items() if s.fits]).items():
        t, g = found.seen[name].readings[0][:sets].reshape(sets, -1), right.reshape(sets, -1)
        if sets > 1:
            t, g = t - t[-1], g - g[-1]  # what all data sets share is a penalty
        at = np.abs(g).argmax()
        if g.flat[at] and t.any() and np.abs(t - t.flat[at] / g.flat[at] * g).max() <= CLOSE * np.abs(t).max():
            total += 1 + 0.1 / int(name[2:])
    return total


def seen_in(problem: Problem, lines: Sequence[Line]) -> float:
    """How many activations of this reading the lines of the pass have computed."""
    keys = {key_of(a) for line in lines for a in line.names.values() if a.any()}
    a, found = problem.X, 0.0
    for w, b, f in zip(problem.W, problem.b, problem.activations, strict=True):
        a = f.of(a @ w + b)
        found += (1.0 if f.name != "linear" else 0.5) * (key_of(a) in keys)
    return found


class Chosen(NamedTuple):
    """The readings that come nearest, with what was returned under their orientation; whether the first makes all right."""

    readings: list[tuple[Problem, Evidence]]
    right: bool


def choose(given: Given, backward: Any, found: dict[Any, Any], every: Sequence[Problem], nearest: bool = True) -> Chosen | str:
    """The reading under which the pass is right, or those that come nearest; text where nothing was returned."""
    of: dict[tuple[bool, bool], Evidence] = {}
    trouble = ""
    for problem in every:
        key = problem.columns, problem.out_in
        if key not in of and key not in found:
            found[key] = evidence(backward, problem)
        if found[key][0] is None:
            trouble = trouble or found[key][1]
            continue
        of[key] = found[key][0]
    usable = [problem for problem in every if (problem.columns, problem.out_in) in of]
    if not usable:
        return trouble
    for penalised in (False, True):
        for problem in usable:
            if penalised or not any(problem.penalty or (0.0,)):
                here = of[problem.columns, problem.out_in]
                fit = fitted(problem, here, penalised, 1)
                read_as = given.named(problem, fit.ratio) if fit.right and fit.ratio > 0 else None
                if read_as is not None and fitted(problem, here, penalised, len(here.X)).right:
                    return Chosen([(read_as._replace(penalty=fit.penalty), here)], True)
    return Chosen(
        [(problem, of[problem.columns, problem.out_in]) for problem in _nearest(usable, of)] if nearest else [], False
    )


def _nearest(usable: Sequence[Problem], of: Mapping[Any, Evidence]) -> list[Problem]:
    """The readings that come nearest, the nearest first."""
    if len(usable) == 1:
        return list(usable)
    there = [seen_in(problem, of[problem.columns, problem.out_in].lines) for problem in usable]
    kept = [(problem, found) for problem, found in zip(usable, there, strict=True) if found >= max(there) - 0.6]
    order = sorted(kept, key=lambda k: -score(k[0], of[k[0].columns, k[0].out_in]) - k[1] / 2)
    return [problem for problem, _ in order][:24]
