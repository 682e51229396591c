"""The optimizers: one record each, read by `fit` and by whoever descends; `optimizer` makes one ready for use on Values.

The formulas are those of `torch.optim`, and so are the default settings. momentum: Polyak (USSR Comp. Math. 4, 1964), with
the velocity without the rate, so that a new rate counts at once. nesterov: Sutskever et al. (ICML 2013), in the form that
needs the gradient at the weights alone. rmsprop: Tieleman & Hinton (Coursera lecture 6.5, 2012), epsilon outside of the root.
adam: Kingma & Ba (ICLR 2015), algorithm 1. adamw: Loshchilov & Hutter (ICLR 2019), algorithm 2, the decay times the rate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from autograd import Value
from nn.arrays import Array, number

State: TypeAlias = tuple[Any, ...]
Settings: TypeAlias = Mapping[str, float]


class Optimizer(NamedTuple):
    """One optimizer: the names of the arrays that it keeps, which begin as zeros, and its settings with their defaults.

    `update(parameters, gradient, state, step, settings)` returns the new parameters and the new state; `step` counts from 1.
    It changes nothing, and is plain arithmetic: for arrays, floats or Values alike.
    """

    name: str
    state: tuple[str, ...]
    settings: Settings
    update: Callable[[Any, Any, State, int, Settings], tuple[Any, State]]

    def with_settings(self, given: Settings) -> dict[str, float]:
        """All settings, checked: `TypeError` for one that it has not, `ValueError` for one out of range."""
        unknown = [name for name in given if name not in self.settings]
        if unknown:
            raise TypeError(f"{self.name} has no setting {unknown[0]!r:.40}; it has {', '.join(self.settings)}")
        found = {name: number(name, given.get(name, default)) for name, default in self.settings.items()}
        for name, x in found.items():
            if name != "learning_rate" and not (0 <= x < 1 or (x >= 0 and name in ("weight_decay", "eps"))):
                raise ValueError(f"{name}={x!r} has to be {'0 or more' if name in ('weight_decay', 'eps') else 'in [0, 1)'}")
        return found


def _decayed(p: Any, g: Any, s: Settings) -> Any:
    return g + s["weight_decay"] * p if s["weight_decay"] else g


def _sgd(p: Any, g: Any, state: State, _step: int, s: Settings) -> tuple[Any, State]:
    return p - s["learning_rate"] * _decayed(p, g, s), state


def _momentum(p: Any, g: Any, state: State, _step: int, s: Settings) -> tuple[Any, State]:
    velocity = s["momentum"] * state[0] + _decayed(p, g, s)
    return p - s["learning_rate"] * velocity, (velocity,)


def _nesterov(p: Any, g: Any, state: State, _step: int, s: Settings) -> tuple[Any, State]:
    g = _decayed(p, g, s)
    velocity = s["momentum"] * state[0] + g
    return p - s["learning_rate"] * (g + s["momentum"] * velocity), (velocity,)


def _rmsprop(p: Any, g: Any, state: State, _step: int, s: Settings) -> tuple[Any, State]:
    g = _decayed(p, g, s)
    square = s["alpha"] * state[0] + (1 - s["alpha"]) * g**2
    return p - s["learning_rate"] * g / (square**0.5 + s["eps"]), (square,)


def _adam(p: Any, g: Any, state: State, step: int, s: Settings) -> tuple[Any, State]:
    g = _decayed(p, g, s)
    mean = s["beta1"] * state[0] + (1 - s["beta1"]) * g
    square = s["beta2"] * state[1] + (1 - s["beta2"]) * g**2
    root = (square / (1 - s["beta2"] ** step)) ** 0.5
    return p - s["learning_rate"] / (1 - s["beta1"] ** step) * mean / (root + s["eps"]), (mean, square)


def _adamw(p: Any, g: Any, state: State, step: int, s: Settings) -> tuple[Any, State]:
    return _adam(p - s["learning_rate"] * s["weight_decay"] * p, g, state, step, {**s, "weight_decay": 0.0})


_ADAM = {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0}
_MOMENTUM = {"learning_rate": 1e-3, "momentum": 0.9, "weight_decay": 0.0}
OPTIMIZERS = {
    record.name: record
    for record in (
        Optimizer("sgd", (), {"learning_rate": 1e-3, "weight_decay": 0.0}, _sgd),
        Optimizer("momentum", ("velocity",), _MOMENTUM, _momentum),
        Optimizer("nesterov", ("velocity",), _MOMENTUM, _nesterov),
        Optimizer("rmsprop", ("square",), {"learning_rate": 1e-2, "alpha": 0.99, "eps": 1e-8, "weight_decay": 0.0}, _rmsprop),
        Optimizer("adam", ("mean", "square"), _ADAM, _adam),
        Optimizer("adamw", ("mean", "square"), {**_ADAM, "weight_decay": 1e-2}, _adamw),
    )
}
# the factor of the learning rate by the share of the way; cosine: Loshchilov & Hutter (ICLR 2017), equation 5, without restarts
SCHEDULES: dict[str, Callable[[float], float]] = {
    "linear": lambda share: 1 - share,
    "cosine": lambda share: (1 + math.cos(math.pi * share)) / 2,
}


class Stepper:
    """An optimizer with its settings, and what it keeps between the steps: `optimizer` makes it."""

    def __init__(self, record: Optimizer, settings: dict[str, float]) -> None:
        self.record, self.settings, self.steps = record, settings, 0
        self.state: State = ()

    def __repr__(self) -> str:
        return f"optimizer({self.record.name!r}, {', '.join(f'{name}={x!r}' for name, x in self.settings.items())})"

    def step(self, parameters: Iterable[Value]) -> None:
        """One update of each `data` by its `grad`. Raises `TypeError` for what is no Value, `ValueError` for another number."""
        values = list(parameters)
        wrong = [p for p in values if not isinstance(p, Value)]
        if wrong:
            raise TypeError(f"step: {wrong[0]!r:.60} is a {type(wrong[0]).__name__}; give Values, as model.parameters()")
        data, gradient = (np.array([getattr(p, part) for p in values], dtype=float) for part in ("data", "grad"))
        state: tuple[Array, ...] = self.state or tuple(np.zeros_like(data) for _ in self.record.state)
        if state and len(state[0]) != len(data):
            raise ValueError(f"step: got {len(data)} parameters, and {len(state[0])} before; make an optimizer for each model")
        with np.errstate(all="ignore"):
            new, self.state = self.record.update(data, gradient, state, self.steps + 1, self.settings)
        self.steps += 1
        for p, x in zip(values, new.tolist(), strict=True):
            p.data = x


def optimizer(name: Any, **settings: float) -> Stepper:
    """The optimizer of that name with its settings: `.step(parameters)` updates Values by their gradients, after a sweep.

    sgd, momentum, nesterov, rmsprop, adam or adamw. Raises `ValueError` and `TypeError` for names and settings that it has not.

    >>> w, adam = Value(3.0), optimizer("adam", learning_rate=0.5)
    >>> (w**2).backward()
    >>> adam.step([w])
    >>> round(w.data, 6)     # the first step of adam is the rate, whatever the size of the gradient
    2.5
    """
    if not isinstance(name, str) or name not in OPTIMIZERS:
        raise ValueError(f"optimizer={name!r:.60} is not known; choose one of {', '.join(OPTIMIZERS)}")
    return Stepper(OPTIMIZERS[name], OPTIMIZERS[name].with_settings(settings))
