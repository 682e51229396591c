"""The optimizers: one record each, read by `fit` and by whoever descends; `optimizer` makes one ready for use on Values.

Formulas and default settings are those of `torch.optim`. momentum: Polyak (USSR Comp. Math. 4, 1964), the velocity without the
rate, so that a new rate counts at once. nesterov: Sutskever et al. (ICML 2013), in the form that needs the gradient at the
weights alone. rmsprop: Tieleman & Hinton (Coursera, lecture 6.5, 2012), epsilon outside of the root. adam: Kingma & Ba (ICLR
2015), algorithm 1. adamw: Loshchilov & Hutter (ICLR 2019), algorithm 2, its decay times the rate. Others add the decay to g.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from autograd import Value
from nn.arrays import number

State: TypeAlias = tuple[Any, ...]
Settings: TypeAlias = Mapping[str, float]


class Optimizer(NamedTuple):
    """One optimizer: the names of the arrays that it keeps, zeros at first, and its settings with their defaults."""

    name: str
    state: tuple[str, ...]
    settings: Settings
    update: Callable[[Any, Any, State, int, Settings], tuple[Any, State]]


def _decayed(p: Any, g: Any, s: Settings) -> Any:
    return g + s["weight_decay"] * p if s["weight_decay"] else g


def _sgd(p: Any, g: Any, state: State, _step: int, s: Settings) -> tuple[Any, State]:
    return p - s["learning_rate"] * _decayed(p, g, s), state


def _momentum(p: Any, g: Any, state: State, _step: int, s: Settings, ahead: bool = False) -> tuple[Any, State]:
    g = _decayed(p, g, s)
    velocity = s["momentum"] * state[0] + g
    return p - s["learning_rate"] * (g + s["momentum"] * velocity if ahead else velocity), (velocity,)


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


_BASE = {"learning_rate": 1e-3, "weight_decay": 0.0}
_ADAM = {**_BASE, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
OPTIMIZERS = {
    record.name: record
    for record in (
        Optimizer("sgd", (), _BASE, _sgd),
        Optimizer("momentum", ("velocity",), {**_BASE, "momentum": 0.9}, _momentum),
        Optimizer("nesterov", ("velocity",), {**_BASE, "momentum": 0.9}, partial(_momentum, ahead=True)),
        Optimizer("rmsprop", ("square",), {**_BASE, "learning_rate": 1e-2, "alpha": 0.99, "eps": 1e-8}, _rmsprop),
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
    """An optimizer with its settings, and what it keeps between the steps: `nn.optimizer("adam", learning_rate=0.01)`.

    `name` is sgd, momentum, nesterov, rmsprop, adam or adamw. Raises `ValueError` and `TypeError` for names and settings
    that do not fit.

    >>> w, adam = Value(3.0), Stepper("adam", learning_rate=0.5)
    >>> (w**2).backward()
    >>> adam.step([w])
    >>> round(w.data, 6)     # the first step of adam is the rate, whatever the size of the gradient
    2.5
    """

    def __init__(self, name: str, **settings: Any) -> None:
        if not isinstance(name, str) or name not in OPTIMIZERS:
            raise ValueError(f"optimizer={name!r:.60} is not known; choose one of {', '.join(OPTIMIZERS)}")
        self.record, self.steps = OPTIMIZERS[name], 0
        unknown = [setting for setting in settings if setting not in self.record.settings]
        if unknown:
            raise TypeError(f"{name} has no setting {unknown[0]!r:.40}; it has {', '.join(self.record.settings)}")
        self.settings = {setting: number(setting, x) for setting, x in {**self.record.settings, **settings}.items()}
        for setting, x in self.settings.items():
            top = {"learning_rate": None, "weight_decay": math.inf, "eps": math.inf}.get(setting, 1)
            if top and not 0 <= x < top:
                raise ValueError(f"{setting}={x!r} has to be 0 or more{', and below 1' * (top == 1)}")
        self.state: State = ()

    def __str__(self) -> str:
        default = {**self.record.settings, "learning_rate": self.settings["learning_rate"]}
        return " ".join([self.record.name, *(f"{name}={x!r}" for name, x in self.settings.items() if x != default[name])])

    def step(self, parameters: Iterable[Value]) -> None:
        """Update each `data` by its `grad`. `TypeError` for what is no Value, `ValueError` where their number changes."""
        values = list(parameters)
        for p in values:
            if not isinstance(p, Value):
                raise TypeError(f"step: {p!r:.60} is a {type(p).__name__}; give Values, as model.parameters()")
        data, gradient = (np.array([getattr(p, part) for p in values], dtype=float) for part in ("data", "grad"))
        state = self.state or tuple(np.zeros_like(data) for _ in self.record.state)
        if state and len(state[0]) != len(data):
            raise ValueError(f"step: got {len(data)} parameters, and {len(state[0])} before; make an optimizer for each model")
        with np.errstate(all="ignore"):
            new, self.state = self.record.update(data, gradient, state, self.steps + 1, self.settings)
        self.steps += 1
        for p, x in zip(values, new.tolist(), strict=True):
            p.data = x


optimizer = Stepper
