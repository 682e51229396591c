"""What `diagnose` was asked: its arguments, checked, in one orientation; and fresh data like the given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from nn.activations import ACTIVATIONS, SOFTMAX, Activation
from nn.arrays import Array, array, check_finite, float64
from nn.losses import LOSSES, Loss

REDUCTIONS = ("sum", "samples", "outputs", "all")
SUMS = ("squared_error", "half_squared_error", "binary_cross_entropy", "softmax_cross_entropy")  # unless `reduction` is given
FRESH = (1.0, 1.0, 2.0, 3.0)  # spreads of the data sets beside the given one, relative to it


class Problem(NamedTuple):
    """What was asked, in one orientation: samples in rows, weights n_in x n_out."""

    params: dict[str, Array]
    W: list[Array]
    b: list[Array]
    X: Array
    Y: Array
    activations: tuple[Activation, ...]
    loss: Loss
    reduction: str
    columns: bool
    out_in: bool
    learning_rate: float | None

    @property
    def factor(self) -> float:
        """What the loss is multiplied with by its average."""
        n, k = self.Y.shape
        over: int = {"sum": 1, "samples": n, "outputs": k, "all": n * k}[self.reduction]
        return 1 / over


def listed(names: Iterable[Any]) -> str:
    """Names with commas, those in quotes that a stranger may have chosen."""
    return ", ".join(f"{name:.60}" if isinstance(name, str) and name.isidentifier() else f"{name!r:.60}" for name in names)


def losses() -> dict[str, Loss]:
    """The losses by the names that people give them: squared_error is the sum of which mean_squared_error is the mean."""
    return {"squared_error": LOSSES["mean_squared_error"], **LOSSES}


def last_activations() -> dict[str, Activation]:
    """What the last activation may be."""
    return {**ACTIVATIONS, SOFTMAX.name: SOFTMAX}


def _one_of(name: str, x: Any, allowed: Iterable[str]) -> str:
    if not isinstance(x, str) or x not in allowed:
        raise ValueError(f"{name}={x!r:.60} is not known; choose one of {', '.join(allowed)}")
    return str(x)


def _layers(given: Mapping[str, Array], depth: int, width: int, out_in: bool) -> tuple[list[Array], list[Array]]:
    """Weights as n_in x n_out and biases as (k,), zeros where there are none; `ValueError` where they do not fit together."""
    W, b = [], []
    for layer in range(1, depth + 1):
        w = given[f"W{layer}"]
        w = w.T if out_in and w.ndim == 2 else w
        if w.ndim != 2 or w.shape[0] != width:
            shape, expected = given[f"W{layer}"].shape, f"(n_out, {width})" if out_in else f"({width}, n_out)"
            raise ValueError(
                f"params['W{layer}'] has shape {shape}, expected {expected}: {width} numbers come into layer {layer}"
            )
        width = w.shape[1]
        bias = given.get(f"b{layer}", np.zeros(width))
        if bias.shape not in ((width,), (1, width), (width, 1)):
            raise ValueError(f"params['b{layer}'] has shape {bias.shape}, expected ({width},), (1, {width}) or ({width}, 1)")
        W.append(w)
        b.append(bias.ravel())
    return W, b


def checked(params: Any, X: Any, Y: Any, activations: Sequence[str], options: Mapping[str, Any]) -> Problem:
    """The arguments of `diagnose`, checked. Raises `ValueError` and `TypeError` for those that do not fit."""
    if not isinstance(params, Mapping) or "W1" not in params:
        raise ValueError(f"params: expected a dictionary with W1, b1 (optional), W2, ..., got {params!r:.80}")
    if isinstance(activations, str) or not isinstance(activations, Sequence) or not activations:
        raise TypeError(f"activations={activations!r}: give one name per layer, for example ('sigmoid', 'sigmoid')")
    depth = len(activations)
    for i, name in enumerate(activations):
        _one_of(f"activations[{i}]", name, last_activations() if i == depth - 1 else ACTIVATIONS)
    known = {f"{letter}{layer}" for layer in range(1, depth + 1) for letter in "Wb"}
    if set(params) - known or not {f"W{layer}" for layer in range(1, depth + 1)} <= set(params):
        raise ValueError(f"params has {listed(params)}; {depth} activations need W1 to W{depth}, and b1 to b{depth} at most")
    name = _one_of("loss", options["loss"], losses())
    loss = losses()[name]
    if loss.canonical and activations[-1] != loss.canonical.name:
        raise ValueError(f"loss={name!r} needs {loss.canonical.name} as the last activation, not {activations[-1]!r}")
    columns = _one_of("samples", options["samples"], ("rows", "columns")) == "columns"
    out_in = _one_of("weights", options["weights"], ("in_out", "out_in")) == "out_in"
    given = {key: float64(array(p, f"params[{key!r}]", (1, 2)), f"params[{key!r}]") for key, p in params.items()}
    x, y = (float64(array(a, what, (2,)), what) for a, what in ((X, "X"), (Y, "Y")))
    for what, a in (*((f"params[{key!r}]", p) for key, p in given.items()), ("X", x), ("Y", y)):
        check_finite(a, what)
        if not a.size:
            raise ValueError(f"{what} has shape {a.shape}, expected one without zeros")
    x, y = (x.T, y.T) if columns else (x, y)
    W, b = _layers(given, depth, x.shape[1], out_in)
    width = W[-1].shape[1]
    if y.shape != (len(x), width):
        raise ValueError(f"Y has shape {np.shape(Y)}, expected {(width, len(x)) if columns else (len(x), width)}")
    reduction = _one_of("reduction", options["reduction"], REDUCTIONS)
    if reduction == "sum" and name not in SUMS:
        reduction = loss.reduction
    rate = options["learning_rate"]
    if rate is not None and (isinstance(rate, bool) or not isinstance(rate, int | float) or not np.isfinite(rate)):
        raise ValueError(f"learning_rate={rate!r} has to be a finite number, or None if it is not known")
    functions = tuple(last_activations()[activation] for activation in activations)
    return Problem(given, W, b, x, y, functions, loss, reduction, columns, out_in, None if rate is None else float(rate))


def fresh(problem: Problem) -> Iterator[tuple[Array, Array]]:
    """The given data, and more of the same shapes, with targets like the given ones."""
    yield problem.X, problem.Y
    random = np.random.default_rng(0)
    y = problem.Y
    for spread in FRESH:
        x = random.normal(problem.X.mean(), spread * (problem.X.std() or 1.0), problem.X.shape)
        if np.isin(y, (0, 1)).all() and y.shape[1] > 1 and (y.sum(axis=1) == 1).all():
            targets = np.eye(y.shape[1])[random.integers(y.shape[1], size=len(y))]
        elif np.isin(y, (0, 1)).all():
            targets = random.integers(0, 2, y.shape).astype(float)
        else:
            targets = random.uniform(y.min(), y.max() if y.max() > y.min() else y.min() + 1, y.shape)
        yield x, targets
