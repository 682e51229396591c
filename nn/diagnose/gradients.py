"""The gradients that a backward pass returned, as arrays that can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from nn.arrays import Array, transposed
from nn.diagnose.problem import Problem, listed

CLOSE = 1e-7  # relative: below it two gradients are the same, rounding apart


class Seen(NamedTuple):
    """One gradient as the backward pass returned it, in our orientation, on S data sets."""

    name: str
    readings: tuple[Array, ...]
    fits: bool
    flat: tuple[tuple[tuple[int, ...], Array, int, int], ...]

    def ratio(self, candidate: Array, readings: int = 2) -> float | None:
        """The one factor between these numbers and the candidate's, or None if there is none."""
        shape = squeezed(candidate.shape)
        for reading, theirs, largest, smaller in self.flat[:readings]:
            if shape != reading:
                continue
            ours = candidate.reshape(-1)
            here = ours.item(largest)
            if not here:
                continue
            there, size = theirs.item(largest), abs(theirs.item(largest))
            factor = there / here
            if not abs(ours.item(smaller) * factor - theirs.item(smaller)) <= CLOSE * size:  # most are turned away here
                continue
            if factor and np.abs(ours * factor - theirs).max() <= CLOSE * size:
                return float(factor)
        return None


def reading(name: str, readings: tuple[Array, ...], fits: bool) -> Seen:
    """The gradient, with each reading also as one row of numbers, and where its largest and a middling one stand."""
    flat = []
    for reading in readings:
        order = np.abs(reading).ravel().argsort()
        flat.append((squeezed(reading.shape), reading.reshape(-1), int(order[-1]), int(order[len(order) * 2 // 3])))
    return Seen(name, readings, fits, tuple(flat))


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
        return reading(name, (stacked.reshape(len(stacked), -1),), True), ""
    if len(got) != 2:
        return reading(name, (stacked,), False), ""
    turned = transposed(stacked)
    if name[1] == "W" and got == shape:
        return reading(name, (turned, stacked) if problem.out_in else (stacked, turned), True), ""
    return reading(name, (stacked, turned), False), ""


def run(
    backward: Any, params: Mapping[str, Any], problem: Problem, data: Sequence[tuple[Array, Array]]
) -> tuple[list[Mapping[str, Any]], str]:
    """What the backward pass returned on each data set, or why it returned nothing."""
    if isinstance(backward, Mapping):
        return [backward], ""
    if not callable(backward):
        raise TypeError(
            f"backward: {backward!r:.80} is neither a function (params, X, Y) -> gradients nor a dictionary of them"
        )
    found = []
    for x, y in data:
        copies = {name: p.copy() for name, p in problem.params.items()}
        try:
            result = backward(copies, *((x.T.copy(), y.T.copy()) if problem.columns else (x.copy(), y.copy())))
        except Exception as error:  # noqa: BLE001  # whatever it raises is the diagnosis
            shapes = ", ".join(f"{name} {np.shape(p)}" for name, p in (*params.items(), ("X", x.T if problem.columns else x)))
            return [], f"The backward pass raised {type(error).__name__}: {error}. The shapes it was given: {shapes}."
        if not isinstance(result, Mapping):
            return [], f"The backward pass returned {result!r:.60}; it has to return a dictionary, {{'dW1': ..., 'db1': ...}}."
        found.append(result)
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
