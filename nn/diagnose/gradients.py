"""The gradients that a backward pass returned, as arrays that can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np

from nn.arrays import Array, transposed
from nn.diagnose.problem import Problem, listed

CLOSE = 1e-7  # relative: below it two gradients are the same, rounding apart


class Seen(NamedTuple):
    """One gradient as the backward pass returned it, in our orientation and as its transpose, on S data sets."""

    name: str
    readings: tuple[Array, ...]
    fits: bool
    shape: tuple[int, ...]

    def hits(self, stack: Array, readings: int = 2) -> list[tuple[int, float]]:
        """Which of a stack of candidates are a multiple of these numbers on data set 0, and the factors."""
        found: list[tuple[int, float]] = []
        shape = squeezed(stack.shape[1:])
        flat = stack.reshape(len(stack), -1)
        for reading in self.readings[:readings]:
            if squeezed(reading.shape[1:]) != shape:
                continue
            theirs = reading[0].ravel()
            order = np.abs(theirs).argsort()
            largest, middling = int(order[-1]), int(order[len(order) * 2 // 3])
            size = abs(theirs[largest])
            factors = theirs[largest] / flat[:, largest]
            near = np.abs(flat[:, middling] * factors - theirs[middling]) <= CLOSE * size  # most are turned away here
            kept = np.flatnonzero(near & (factors != 0))
            off = np.abs(flat[kept] * factors[kept, None] - theirs).max(axis=1, initial=0)
            found += [(int(i), float(factors[i])) for i in kept[off <= CLOSE * size]]
        return list(dict(found).items())

    def equals(self, numbers: Array, factor: float, readings: int = 2) -> bool:
        """Whether a candidate, on all data sets, times that factor, is this gradient."""
        for reading in self.readings[:readings]:
            if squeezed(reading.shape) == squeezed(numbers.shape):
                ours, theirs = numbers.reshape(len(reading), -1) * factor, reading.reshape(len(reading), -1)
                if (np.abs(ours - theirs).max(axis=1) <= CLOSE * np.abs(theirs).max()).all():
                    return True
        return False


@cache
def squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape without its axes of length one."""
    return tuple(size for size in shape if size != 1)


def _seen(name: str, raw: Sequence[Any], problem: Problem) -> tuple[Seen | None, str]:
    """The gradient, or None and what is wrong with it as an array."""
    shape = np.shape(problem.params[name[1:]])
    try:
        arrays = [np.asarray(r, dtype=float) for r in raw]
        stacked = np.stack(arrays)
    except (TypeError, ValueError):
        return None, f"{name} is not an array of numbers of one shape: {raw[0]!r:.80}"
    if not np.isfinite(stacked).all():
        return None, f"{name} holds numbers that are not finite, {stacked[~np.isfinite(stacked)][0]}; expected finite ones"
    got = stacked.shape[1:]
    if not stacked.size:
        return None, f"{name} is empty, of shape {got}; expected {shape}"
    if name[1] == "b" and squeezed(got) == squeezed(shape):
        return Seen(name, (stacked.reshape(len(stacked), -1),), True, got), ""
    if len(got) != 2:
        return Seen(name, (stacked,), False, got), ""
    turned = transposed(stacked)
    if name[1] == "W" and got == shape:
        return Seen(name, (turned, stacked) if problem.out_in else (stacked, turned), True, got), ""
    return Seen(name, (stacked, turned), False, got), ""


def named(result: Any, params: Mapping[str, Array]) -> Mapping[str, Any] | None:
    """What was returned as a dictionary; a list or tuple is taken in the one order in which the shapes fit."""
    if isinstance(result, Mapping) or not isinstance(result, list | tuple) or len(result) != len(params):
        return result if isinstance(result, Mapping) else None
    kinds = [sorted(params, key=lambda name: (int(name[1:]), name[0])), list(params)]
    kinds += [list(reversed(kinds[0])), sorted(params, key=lambda name: (name[0], int(name[1:])))]
    kinds += [
        sorted(params, key=lambda name: (-int(name[1:]), name[0])),
        *map(list, permutations(params) if len(params) < 5 else ()),
    ]
    try:
        shapes = [np.shape(g) for g in result]
    except ValueError:
        return None
    for strict in (True, False):
        for order in kinds:
            there = [np.shape(params[name]) for name in order]
            if all(a == b or (not strict and squeezed(a) == squeezed(b)) for a, b in zip(shapes, there, strict=True)):
                return {f"d{name}": g for name, g in zip(order, result, strict=True)}
    return None


def called(backward: Any, params: Mapping[str, Array], X: Array, Y: Array) -> Mapping[str, Any]:
    """What the function returns for copies of these; whatever it raises, and `TypeError` for what are no gradients."""
    result = backward({name: p.copy() for name, p in params.items()}, X.copy(), Y.copy())
    found = named(result, params)
    if found is None:
        raise _NoGradientsError(f"returned {result!r:.60}; it has to return a dictionary, {{'dW1': ..., 'db1': ...}}.")
    return {name: np.array(g) if isinstance(g, np.ndarray) else g for name, g in found.items()}


class _NoGradientsError(TypeError):
    """What a backward pass returned is not what it should return."""


def run(
    backward: Any, params: Mapping[str, Array], columns: bool, data: Sequence[tuple[Array, Array]]
) -> tuple[list[Mapping[str, Any]], str]:
    """What the backward pass returned on each data set (of which the samples are rows), or why it returned nothing."""
    found: list[Mapping[str, Any]] = []
    for x, y in [(x.T, y.T) for x, y in data] if columns else data:
        try:
            found.append(called(backward, params, x, y))
        except _NoGradientsError as error:  # noqa: PERF203  # one error ends it
            return [], f"The backward pass {error}"
        except Exception as error:  # noqa: BLE001  # whatever it raises is the diagnosis
            shapes = ", ".join(f"{name} {np.shape(p)}" for name, p in (*params.items(), ("X", x)))
            return [], f"The backward pass raised {type(error).__name__}: {error}. The shapes it was given: {shapes}."
    return found, ""


def read(returned: Sequence[Mapping[str, Any]], names: Sequence[str], problem: Problem) -> tuple[dict[str, Seen], list[str]]:
    """The gradients by name, and a note on each that is missing or no gradient."""
    found, notes = {}, []
    for name in names:
        if any(name not in gradients for gradients in returned):
            bare = f"{name} is missing, but there is a {name[1:]}; gradients are returned as dW1, db1, ..."
            there = f"{name} is missing: the backward pass returned {listed(sorted(map(str, returned[0])))}."
            notes.append(bare if name[1:] in returned[0] else there)
            continue
        seen, trouble = _seen(name, [gradients[name] for gradients in returned], problem)
        if seen is None:
            notes.append(f"{trouble}.")
        else:
            found[name] = seen
    return found, notes
