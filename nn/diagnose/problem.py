"""What `diagnose` was asked: its arguments, checked; the readings of what was left out; and fresh data like the given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from nn.activations import ACTIVATIONS, SOFTMAX, Activation
from nn.arrays import Array, array, check_finite, float64
from nn.losses import LOSSES, Loss

AUTO = "auto"
REDUCTIONS = ("sum", "samples", "all", "outputs")
SUMS = ("squared_error", "half_squared_error", "binary_cross_entropy", "softmax_cross_entropy")  # the others are means by name
FRESH = (1.0, 1.0, 2.0, 3.0)  # spreads of the data sets beside the given one, relative to it


class Problem(NamedTuple):
    """One reading of what was asked, in one orientation: samples in rows, weights n_in x n_out."""

    params: dict[str, Array]
    W: list[Array]
    b: list[Array]
    X: Array
    Y: Array
    activations: tuple[Activation, ...]
    loss_name: str
    reduction: str
    columns: bool
    out_in: bool
    learning_rate: float | None
    penalty: tuple[float, float] | None
    stated: Mapping[str, Any]

    @property
    def loss(self) -> Loss:
        """The record of the loss."""
        return losses()[self.loss_name]

    @property
    def factor(self) -> float:
        """What the loss is multiplied with by its average."""
        n, k = self.Y.shape
        over: int = {"sum": 1, "samples": n, "outputs": k, "all": n * k}[self.reduction]
        return 1 / over

    @property
    def conventions(self) -> dict[str, Any]:
        """The arguments of `diagnose` that say what this reading is."""
        found: dict[str, Any] = {"activations": tuple(f.name for f in self.activations), "loss": self.loss_name}
        found |= {"reduction": self.reduction, "samples": "columns" if self.columns else "rows"}
        found["weights"] = "out_in" if self.out_in else "in_out"
        if self.penalty and any(self.penalty):
            weights, biases = (float(f"{c:.6g}") for c in self.penalty)
            found["penalty"] = (weights, biases) if biases else weights
        return found


class Given(NamedTuple):
    """The arguments as they were given, checked, and the orientations that fit: columns, out_in, W, b."""

    params: dict[str, Array]
    X: Array
    Y: Array
    stated: Mapping[str, Any]
    fits: list[tuple[bool, bool, list[Array], list[Array]]]

    def readings(self) -> Iterator[Problem]:
        """Every reading of what was left out, the likelier first."""
        s = self.stated
        depth = len(self.fits[0][2])
        hidden: list[tuple[str, ...]] = [(name,) * (depth - 1) for name in ACTIVATIONS]
        if 1 < depth - 1 <= 3:
            hidden += [names for names in product(ACTIVATIONS, repeat=depth - 1) if names not in hidden]
        every = [(*names, last) for names in dict.fromkeys(hidden) for last in last_activations()]
        for columns, out_in, W, b in self.fits:
            x, y = (self.X.T, self.Y.T) if columns else (self.X, self.Y)
            for names, loss in product([tuple(s["activations"])] if s["activations"] != AUTO else every, self.loss_names()):
                canonical, last = losses()[loss].canonical, last_activations()[names[-1]]
                if s["loss"] == AUTO and (canonical not in {None, last} or (canonical and ((y < 0) | (y > 1)).any())):
                    continue
                if (canonical and canonical is not last) or (s["activations"] == AUTO and last is SOFTMAX and y.shape[1] == 1):
                    continue
                functions = tuple(last_activations()[name] for name in names)
                yield Problem(self.params, W, b, x, y, functions, loss, self.reductions(loss)[0], columns, out_in,
                              s["learning_rate"], s["penalty"], s)  # fmt: skip

    def loss_names(self) -> list[str]:
        """The losses that it may be: the stated one; else one of those whose derivatives are multiples of each other."""
        if self.stated["loss"] != AUTO:
            return [self.stated["loss"]]
        return [name for name in LOSSES if name != "mean_squared_error"]

    def reductions(self, loss: str) -> tuple[str, ...]:
        """What that loss may be averaged over, the likeliest first."""
        if self.stated["reduction"] == AUTO:
            return REDUCTIONS if loss in SUMS or self.stated["loss"] == AUTO else ("all", "samples", "outputs")
        if self.stated["reduction"] == "sum" and loss not in SUMS:
            return (losses()[loss].reduction,)
        return (self.stated["reduction"],)

    def named(self, problem: Problem, ratio: float) -> Problem | None:
        """The reading under which gradients that are `ratio` times those of the sum are right, if there is one."""
        likes = {"half_squared_error": ("half_squared_error", "squared_error")}.get(problem.loss_name, (problem.loss_name,))
        for loss in likes if self.stated["loss"] == AUTO else (problem.loss_name,):
            for reduction in self.reductions(loss):
                read = problem._replace(loss_name=loss, reduction=reduction)
                if abs(read.factor * (2 if loss != problem.loss_name else 1) / ratio - 1) < 1e-6:
                    mean = loss == "squared_error" and reduction == "all" and self.stated["reduction"] == AUTO
                    return read._replace(loss_name="mean_squared_error") if mean else read
        return None


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


def _oriented(given: Mapping[str, Array], x: Array, y: Array, depth: int, columns: bool, out_in: bool) -> Any:
    """W and b in that orientation; `ValueError` where the shapes do not fit it."""
    n, inputs = x.shape[::-1] if columns else x.shape
    W, b = _layers(given, depth, inputs, out_in)
    k = W[-1].shape[1]
    if y.shape != ((k, n) if columns else (n, k)):
        raise ValueError(f"Y has shape {y.shape}, expected {(k, n) if columns else (n, k)}")
    return columns, out_in, W, b


def _orientations(given: Mapping[str, Array], x: Array, y: Array, depth: int, samples: str, weights: str) -> list[Any]:
    """The orientations that fit the shapes, of those that were left open; else what would fit is part of the error."""
    found, wrong, elsewhere = list[Any](), list[tuple[bool, bool, str]](), list[str]()
    for rows, in_out in (("rows", "in_out"), ("columns", "out_in"), ("rows", "out_in"), ("columns", "in_out")):
        asked = samples in {AUTO, rows} and weights in {AUTO, in_out}
        try:
            fit = _oriented(given, x, y, depth, rows == "columns", in_out == "out_in")
        except ValueError as error:
            wrong += [(rows == "columns", in_out == "out_in", str(error))] if asked else []
        else:
            (found if asked else elsewhere).append(fit if asked else f"samples={rows!r}, weights={in_out!r}")
    if found:
        return found
    raise ValueError(min(wrong)[2] + (f"; {elsewhere[0]} would fit" if elsewhere else ""))


def _activations(activations: Any, params: Mapping[Any, Any]) -> int:
    """The depth; `ValueError` and `TypeError` for activations that are not known, or do not fit the parameters."""
    if isinstance(activations, str) and activations == AUTO:
        depth = next(layer for layer in range(1, len(params) + 2) if f"W{layer}" not in params) - 1
        said = f"with {depth} layers it may have"
    else:
        if isinstance(activations, str) or not isinstance(activations, Sequence) or not activations:
            raise TypeError(f"activations={activations!r}: give one name per layer, for example ('sigmoid', 'sigmoid')")
        depth = len(activations)
        for i, name in enumerate(activations):
            _one_of(f"activations[{i}]", name, last_activations() if i == depth - 1 else ACTIVATIONS)
        said = f"{depth} activations need"
    known = {f"{letter}{layer}" for layer in range(1, depth + 1) for letter in "Wb"}
    if set(params) - known or not {f"W{layer}" for layer in range(1, depth + 1)} <= set(params):
        raise ValueError(f"params has {listed(params)}; {said} W1 to W{depth}, and b1 to b{depth} at most")
    return depth


def _penalty(penalty: Any) -> tuple[float, float] | None:
    """The penalty's coefficients for weights and biases, or None if they were left out."""
    if isinstance(penalty, str) and penalty == AUTO:
        return None
    both = penalty if isinstance(penalty, tuple) and len(penalty) == 2 else (penalty, False)
    numbers = [isinstance(c, int | float) and np.isfinite(c) and c >= 0 for c in both]
    if not all(numbers) or isinstance(both[0], bool):
        raise ValueError(
            f"penalty={penalty!r:.60} has to be a number, such as 0.01, or (0.01, True) where biases are penalised too"
        )
    return float(both[0]), float(both[0] if both[1] is True else both[1])


def checked(params: Any, X: Any, Y: Any, options: Mapping[str, Any]) -> Given:
    """The arguments of `diagnose`, checked. Raises `ValueError` and `TypeError` for those that do not fit."""
    if not isinstance(params, Mapping) or "W1" not in params:
        raise ValueError(f"params: expected a dictionary with W1, b1 (optional), W2, ..., got {params!r:.80}")
    activations = options["activations"]
    depth = _activations(activations, params)
    auto = isinstance(activations, str)
    name = (
        options["loss"]
        if isinstance(options["loss"], str) and options["loss"] == AUTO
        else _one_of("loss", options["loss"], losses())
    )
    canonical = losses()[name].canonical if name != AUTO else None
    if canonical and not auto and activations[-1] != canonical.name:
        raise ValueError(f"loss={name!r} needs {canonical.name} as the last activation, not {activations[-1]!r}")
    for option, allowed in (
        ("samples", ("rows", "columns")),
        ("weights", ("in_out", "out_in")),
        ("reduction", sorted(REDUCTIONS, key=len)),
    ):
        if not (isinstance(options[option], str) and options[option] == AUTO):
            _one_of(option, options[option], {"reduction": ("sum", "samples", "outputs", "all")}.get(option, allowed))
    given = {key: float64(array(p, f"params[{key!r}]", (1, 2)), f"params[{key!r}]") for key, p in params.items()}
    x, y = (float64(array(a, what, (2,)), what) for a, what in ((X, "X"), (Y, "Y")))
    for what, a in (*((f"params[{key!r}]", p) for key, p in given.items()), ("X", x), ("Y", y)):
        check_finite(a, what)
        if not a.size:
            raise ValueError(f"{what} has shape {a.shape}, expected one without zeros")
    fits = _orientations(given, x, y, depth, options["samples"], options["weights"])
    rate = options["learning_rate"]
    rate = None if isinstance(rate, str) and rate == AUTO else rate
    if rate is not None and (isinstance(rate, bool) or not isinstance(rate, int | float) or not np.isfinite(rate)):
        raise ValueError(f"learning_rate={rate!r} has to be a finite number, or None if it is not known")
    stated = {**options, "learning_rate": None if rate is None else float(rate), "penalty": _penalty(options["penalty"])}
    return Given(given, x, y, stated, fits)


def fresh(x: Array, y: Array) -> Iterator[tuple[Array, Array]]:
    """The given data, samples in rows, and more of the same shapes, with targets like the given ones."""
    yield x, y
    random = np.random.default_rng(0)
    for spread in FRESH:
        drawn = random.normal(x.mean(), spread * (x.std() or 1.0), x.shape)
        if np.isin(y, (0, 1)).all() and y.shape[1] > 1 and (y.sum(axis=1) == 1).all():
            targets = np.eye(y.shape[1])[random.integers(y.shape[1], size=len(y))]
        elif np.isin(y, (0, 1)).all():
            targets = random.integers(0, 2, y.shape).astype(float)
        else:
            targets = random.uniform(y.min(), y.max() if y.max() > y.min() else y.min() + 1, y.shape)
            if y.shape[1] > 1 and np.allclose(y.sum(axis=1), 1) and y.min() >= 0:  # distributions stay such
                targets /= targets.sum(axis=1, keepdims=True)
        yield drawn, targets
