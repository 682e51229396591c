"""Optimizers for native tapes, and the samples of each step.

An optimizer is a record with `state`, the names of the arrays that it keeps, `settings`, and `update(parameters, gradient,
state, step, settings)`, which returns new parameters and a new state; such are those of `nn.OPTIMIZERS` too.

Formulas: Polyak (USSR Comp. Math. 4, 1964), the velocity without the rate; Kingma & Ba (ICLR 2015), algorithm 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from autograd.value import Value


class Optimizer(NamedTuple):
    """What an optimizer keeps between steps, its settings, and its step."""

    state: tuple[str, ...]
    settings: Mapping[str, float]
    update: Callable[..., tuple[Any, tuple[Any, ...]]]


def _sgd(p: Any, g: Any, state: Any, _step: int, s: Mapping[str, float]) -> tuple[Any, tuple[Any, ...]]:
    return p - s["learning_rate"] * (g + s["weight_decay"] * p), state


def _momentum(p: Any, g: Any, state: Any, _step: int, s: Mapping[str, float]) -> tuple[Any, tuple[Any, ...]]:
    velocity = s["momentum"] * state[0] + (g + s["weight_decay"] * p)
    return p - s["learning_rate"] * velocity, (velocity,)


def _adam(p: Any, g: Any, state: Any, step: int, s: Mapping[str, float]) -> tuple[Any, tuple[Any, ...]]:
    g = g + s["weight_decay"] * p
    mean, square = s["beta1"] * state[0] + (1 - s["beta1"]) * g, s["beta2"] * state[1] + (1 - s["beta2"]) * g * g
    root = (square / (1 - s["beta2"] ** step)) ** 0.5
    return p - s["learning_rate"] / (1 - s["beta1"] ** step) * mean / (root + s["eps"]), (mean, square)


OPTIMIZERS = {
    "sgd": Optimizer((), {}, _sgd),
    "momentum": Optimizer(("velocity",), {"momentum": 0.9}, _momentum),
    "adam": Optimizer(("mean", "square"), {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8}, _adam),
}


def settled(optimizer: Any, learning_rate: float, weight_decay: float) -> tuple[Any, dict[str, float]]:
    """The record of a name, a record or an object with one (`record` and `settings`), and its settings."""
    record = getattr(optimizer, "record", optimizer)
    record = OPTIMIZERS.get(record, record) if isinstance(record, str) else record
    if not all(hasattr(record, name) for name in Optimizer._fields):
        raise ValueError(
            f"descend: optimizer={optimizer!r:.60}; give {', '.join(map(repr, OPTIMIZERS))}, or a record with state, settings "
            "and update"
        )
    settings = {"weight_decay": 0.0, **getattr(optimizer, "settings", record.settings), "learning_rate": learning_rate}
    return record, settings | ({"weight_decay": weight_decay} if weight_decay else {})


def columns(samples: Mapping[Value, Any], places: Mapping[Value, int]) -> tuple[list[int], Any]:
    """The positions of the inputs that vary, and their numbers, a row for each sample."""
    strange = [node for node in samples if node not in places]
    arrays = [np.asarray(found, dtype=float) for found in samples.values()]
    if strange or len({a.shape for a in arrays}) != 1 or arrays[0].ndim != 1 or not len(arrays[0]):
        what = f"{strange[0]!r:.60} is no input of the tape" if strange else f"arrays of {[a.shape for a in arrays]!r:.80}"
        raise ValueError(f"descend: samples: {what}; give a dictionary of inputs, each with an array of one number a sample")
    return [places[node] for node in samples], np.column_stack(arrays)


def batches(count: int, size: int | None, rng: Any) -> Iterator[Any]:
    """The samples of each step: epoch by epoch in an order that `rng` draws, as `nn.fit` does, or their own for None."""
    size = count if size is None else min(size, count)
    seed = None if rng is None or size == count else int(np.random.default_rng(rng).integers(2**63))
    block, orders = 0, np.tile(np.arange(count), (1 if seed is None else max(1, 4096 // count), 1))
    while True:
        for order in orders if seed is None else np.random.default_rng([seed, block]).permuted(orders, axis=1):
            yield from (order[k : k + size] for k in range(0, count, size))
        block += 1
