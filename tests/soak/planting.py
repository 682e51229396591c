"""Hand-written backward passes, right ones and wrong ones: the harness that `nn.diagnose` is tested with.

`Config` is a network with its loss and its conventions; `plant(config, mistakes)` is a backward pass as people write it,
forward pass inside, with these mistakes in it; `CORRECT` are right ones that look suspicious. Nothing here knows `nn`.

Inside, samples are rows and weights are (in, out); what goes in and out is turned to the config's convention. A layer
here is where a line of code is wrong: slope, input, bias, scale and sign mistakes sit in the lines of their layer, and a
chain mistake at layer l is in the line that computes the error of layer l from layer l + 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Arrays: TypeAlias = dict[str, Array]
Backward: TypeAlias = Callable[[Arrays, Array, Array], dict[str, Any]]

SQUARED = ("half_squared_error", "squared_error")
LOSSES = (*SQUARED, "binary_cross_entropy", "softmax_cross_entropy")
REDUCTIONS = ("sum", "samples", "outputs", "all")
HIDDEN = ("sigmoid", "tanh", "relu", "linear")


class Mistake(NamedTuple):
    """A name of the table, the layer (1-based) that it is in, and which of its variants."""

    name: str
    layer: int
    variant: str = ""


@dataclass(frozen=True)
class Config:
    """A network, its loss, and how its author writes things."""

    sizes: tuple[int, ...]  # of the samples, then of each layer
    activations: tuple[str, ...]
    loss: str = "half_squared_error"
    reduction: str = "sum"
    samples: str = "rows"
    weights: str = "in_out"
    bias: str | None = "flat"  # (k,); "row": (1, k); "column": (k, 1); None: no biases
    n: int = 5
    learning_rate: float | None = None
    fold: str = "error"  # where 1/n and 1/k are written: into the first error, or into the "lines" of the gradients

    @property
    def depth(self) -> int:
        return len(self.activations)

    @property
    def names(self) -> list[str]:
        """Of all gradients."""
        kinds = ("dW",) if self.bias is None else ("dW", "db")
        return [f"{kind}{l}" for l in range(1, self.depth + 1) for kind in kinds]

    @property
    def scale(self) -> float:
        return 1 / {"sum": 1, "samples": self.n, "outputs": self.sizes[-1], "all": self.n * self.sizes[-1]}[self.reduction]

    @property
    def options(self) -> dict[str, Any]:
        """What `nn.diagnose` is told."""
        names = ("activations", "loss", "reduction", "samples", "weights", "learning_rate")
        return {name: getattr(self, name) for name in names}

    def data(self, seed: int) -> tuple[Arrays, Array, Array]:
        """`params, X, Y` in the config's convention, drawn again until they tell mistakes apart."""
        rng = np.random.default_rng(seed)
        while True:
            params: Arrays = {}
            for l, (i, o) in enumerate(zip(self.sizes, self.sizes[1:], strict=False), 1):
                params[f"W{l}"] = rng.normal(0, 1, (i, o) if self.weights == "in_out" else (o, i))
                if self.bias:
                    params[f"b{l}"] = rng.normal(0, 0.5, {"flat": (o,), "row": (1, o), "column": (o, 1)}[self.bias])
            X = self.turned(rng.normal(size=(self.n, self.sizes[0])))
            Y = self.turned(self.targets(rng))
            if self.tells(Pass(self, (), params, X, Y)):
                return params, X, Y

    def tells(self, run: Pass) -> bool:
        """Each relu is on for one sample, not all are on for all; a cross-entropy's 1 - a keeps its digits."""
        for f, z in zip(self.activations, run.Z[1:], strict=True):
            if f == "relu" and ((z > 0).all() or not (z > 0).any(axis=0).all()):
                return False
        return "cross" not in self.loss or float(np.ptp(np.append(run.Z[-1], 0))) < 8

    def targets(self, rng: np.random.Generator) -> Array:
        """That fit the loss, in rows."""
        k = self.sizes[-1]
        if self.loss == "binary_cross_entropy":
            Y = rng.integers(0, 2, (self.n, k)).astype(float)
            Y.flat[0], Y.flat[-1] = 0, 1  # both occur
            return Y
        if self.loss == "softmax_cross_entropy":
            return np.eye(k)[rng.integers(0, k, self.n)]
        return rng.uniform(0, 1, (self.n, k))

    def turned(self, m: Any) -> Any:
        """Samples in rows <-> samples as the config has them."""
        return m.T if self.samples == "columns" else m

    def turned_weight(self, w: Any) -> Any:
        """A weight (in, out) <-> as the config has it."""
        return w.T if self.weights == "out_in" else w


# --- right: activations, their slopes, the losses


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def softmax(z: Array) -> Any:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


VALUE: dict[str, Callable[[Any], Any]] = {
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "linear": lambda z: z,
    "softmax": softmax,
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
}
SLOPE: dict[str, Callable[[Any], Any]] = {  # given the activation, as people write it: x * (1 - x)
    "sigmoid": lambda a: a * (1 - a),
    "tanh": lambda a: 1 - a**2,
    "relu": lambda a: (a > 0) * 1.0,
    "linear": np.ones_like,
    "leaky_relu": lambda a: np.where(a > 0, 1, 0.01),
}
SLOPE_OF_Z: dict[str, Callable[[Any], Any]] = {  # given the pre-activation
    "sigmoid": lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2,
    "tanh": lambda z: 1 / np.cosh(z) ** 2,
    "relu": lambda z: np.where(z > 0, 1.0, 0.0),
    "linear": np.ones_like,
}


def loss_value(config: Config, params: Arrays, X: Array, Y: Array) -> float:
    """The loss; what finite differences are taken of."""
    a, y = Pass(config, (), params, X, Y).A[-1], config.turned(Y)
    terms = {
        "squared_error": lambda: (a - y) ** 2,
        "half_squared_error": lambda: (a - y) ** 2 / 2,
        "binary_cross_entropy": lambda: -(y * np.log(a) + (1 - y) * np.log(1 - a)),
        "softmax_cross_entropy": lambda: -y * np.log(a),
    }[config.loss]()
    return float(terms.sum()) * config.scale


# --- the backward pass, one method per line that can be wrong


class Pass:
    """One run of a backward pass with mistakes. A[0] is X; all lists and methods count layers from 1."""

    def __init__(self, config: Config, mistakes: Iterable[Mistake], params: Arrays, X: Array, Y: Array) -> None:
        self.c, self.L, self.n = config, config.depth, config.n
        self.wrong = {
            (slot, m.layer): PLANTS[m.name].variants(config, m.layer)[m.variant] for m in mistakes for slot in slots(m)
        }
        self.unfused = any(m.variant.startswith("unfused") for m in mistakes)
        self.fused = "cross" in config.loss and not self.unfused
        self.line_scale = config.scale if config.fold == "lines" else 1.0
        self.error_scale = config.scale if config.fold == "error" else 1.0
        self.A, self.Z = [config.turned(X)], [np.empty(0)]
        self.y: Array = config.turned(Y)
        self.W = [np.empty(0)]
        self.D: dict[int, Array] = {}
        self.E: dict[int, Array] = {}
        for l, f in enumerate(config.activations, 1):
            self.W.append(config.turned_weight(params[f"W{l}"]))
            z = self.A[-1] @ self.W[l] + (params[f"b{l}"].reshape(1, -1) if config.bias else 0)
            self.Z.append(z)
            self.A.append(VALUE[f](z))

    def slot(self, slot: str, l: int, right: Callable[[], Any]) -> Any:
        wrong = self.wrong.get((slot, l))
        return right() if wrong is None else wrong(self, l)

    def f(self, l: int) -> str:
        return self.c.activations[l - 1]

    def slope(self, l: int) -> Any:
        return SLOPE[self.f(l)](self.A[l])

    def sloped(self, error: Array, l: int) -> Any:
        """The error times the slope; softmax's is a matrix for each sample."""
        if self.f(l) == "softmax":
            return self.A[l] * (error - (error * self.A[l]).sum(axis=1, keepdims=True))
        return error * self.slope(l)

    def error(self, l: int) -> Array:
        """What reaches the activation of layer l; of the last layer, with a cross-entropy, the bare a - y."""
        if l not in self.E:
            if l == self.L:
                self.E[l] = self.error_scale * self.slot("error", l, self.loss_derivative)
            else:
                self.E[l] = self.slot("back", l, lambda: self.delta(l + 1) @ self.W[l + 1].T)
        return self.E[l]

    def loss_derivative(self) -> Any:
        a, y = self.A[-1], self.y
        if self.fused:
            return a - y
        return {
            "squared_error": lambda: 2 * (a - y),
            "half_squared_error": lambda: a - y,
            "binary_cross_entropy": lambda: -y / a + (1 - y) / (1 - a),
            "softmax_cross_entropy": lambda: -y / a,
        }[self.c.loss]()

    def delta(self, l: int) -> Array:
        if l not in self.D:
            right = self.error if l == self.L and self.fused else lambda l: self.sloped(self.error(l), l)
            self.D[l] = (
                self.slot("sign delta", l, lambda: 1)
                * self.slot("scale delta", l, lambda: 1)
                * self.slot("slope", l, lambda: right(l))
            )
        return self.D[l]

    def weight_gradient(self, l: int) -> Any:
        """In the config's convention."""
        used = self.slot("used", l, lambda: self.delta(l))
        found = self.slot("input", l, lambda: self.c.turned_weight(self.A[l - 1].T @ used))
        return self.line_scale * self.slot("scale dW", l, lambda: 1) * self.slot("sign dW", l, lambda: 1) * found

    def bias_gradient(self, l: int) -> Any:
        used = self.slot("used", l, lambda: self.delta(l))
        found = self.slot("bias", l, lambda: self.biased(used.sum(axis=0)))
        return self.line_scale * self.slot("scale db", l, lambda: 1) * self.slot("sign db", l, lambda: 1) * found

    def biased(self, b: Array) -> Array:
        """A bias's gradient in the shape of the bias."""
        return b.reshape({"flat": (-1,), "row": (1, -1), "column": (-1, 1)}[self.c.bias or "flat"])

    def gradients(self) -> dict[str, Any]:
        return {name: (self.weight_gradient if name[1] == "W" else self.bias_gradient)(int(name[2:])) for name in self.c.names}


# --- the mistakes: for a config and a layer, the variants that can be made there, by name

Variants: TypeAlias = dict[str, Callable[[Pass, int], Any]]


class Plant(NamedTuple):
    """A name of the table: its family, the slot it fills, what is planted, and its variants at a layer of a config."""

    family: str
    slot: str
    planted: str
    variants: Callable[[Config, int], Variants]


PLANTS: dict[str, Plant] = {}


def planted(
    family: str, slot: str, doc: str, where: Callable[[Config, int], Any] = lambda c, l: True
) -> Callable[[Callable[[Config, int], Variants]], None]:
    """Enter the variants that the function gives into the table, at the layers for which `where` holds."""

    def enter(make: Callable[[Config, int], Variants]) -> None:
        PLANTS[make.__name__] = Plant(family, slot, doc, lambda c, l: make(c, l) if where(c, l) else {})

    return enter


def slots(m: Mistake) -> list[str]:
    """The lines that a mistake is in."""
    family, slot = PLANTS[m.name][:2]
    if slot == "scale":
        return {"delta": [f"{family} delta"], "lines": [f"{family} dW", f"{family} db"]}.get(
            m.variant, [f"{family} {m.variant}"]
        )
    if m.name == "delta_of_wrong_layer":
        return {"sent": ["back"], "used": ["used"], "is": ["back", "slope"]}[m.variant.split()[0]]
    return slot.split(" and ")


def act(c: Config, l: int) -> str:
    return c.activations[l - 1]


def last(c: Config, l: int) -> bool:
    return l == c.depth


def hidden(c: Config, l: int) -> bool:
    return l < c.depth


def crossed(c: Config, l: int) -> bool:
    """Is this the layer where a cross-entropy and its activation make the bare a - y?"""
    return last(c, l) and "cross" in c.loss


def curved(c: Config, l: int) -> bool:
    return act(c, l) in {"sigmoid", "tanh"}


def has_bias(c: Config, l: int) -> bool:
    return c.bias is not None and l >= 1


def fits(c: Config, m: int, l: int) -> bool:
    """Does an array of layer m broadcast into one of layer l?"""
    return c.sizes[m] in {1, c.sizes[l]}


def square(c: Config, l: int) -> bool:
    return hidden(c, l) and c.sizes[l] == c.sizes[l + 1]


def written_out(c: Config, l: int, variants: Variants) -> Variants:
    """At a cross-entropy's output a slope is only written by those who write -y/a + (1-y)/(1-a) before it."""
    return {f"unfused {name}": f for name, f in variants.items()} if crossed(c, l) else variants


def times(slope: Callable[[Pass, int], Any]) -> Callable[[Pass, int], Any]:
    return lambda s, l: s.error(l) * slope(s, l)


# slope


@planted("slope", "slope", "delta = error", lambda c, l: act(c, l) != "linear")
def missing_activation_derivative(c: Config, l: int) -> Variants:
    return written_out(c, l, {"": lambda s, l: s.error(l)})


@planted(
    "slope",
    "slope",
    "delta = error * f' * f'; with a cross-entropy (a - y) * f'",
    lambda c, l: act(c, l) not in {"linear", "relu"},
)
def extra_activation_derivative(c: Config, l: int) -> Variants:
    if crossed(c, l):
        return {"": lambda s, l: s.sloped(s.error(l), l)}
    return {"": lambda s, l: s.sloped(s.sloped(s.error(l), l), l)}


@planted(
    "slope", "error and slope", "delta = (a - y) * f'(z) with a cross-entropy; softmax: its diagonal, or all of it", crossed
)
def se_delta_with_ce(c: Config, _l: int) -> Variants:
    found: Variants = {"": lambda s, l: s.error_scale * (s.A[l] - s.y) * s.A[l] * (1 - s.A[l])}
    if c.activations[-1] == "softmax":
        found["jacobian"] = lambda s, l: s.error_scale * s.sloped(s.A[l] - s.y, l)
    return found


@planted(
    "slope",
    "error and slope",
    "delta = a - y with a squared error",
    lambda c, l: last(c, l) and c.loss in SQUARED and act(c, l) in {"sigmoid", "softmax"},
)
def ce_delta_with_se(_c: Config, _l: int) -> Variants:
    return {"": lambda s, l: s.error_scale * (s.A[l] - s.y)}


@planted(
    "slope",
    "slope",
    "the slope of another activation, of a or of z",
    lambda c, l: c.loss != "softmax_cross_entropy" or hidden(c, l),
)
def wrong_activation_derivative(c: Config, l: int) -> Variants:
    found: Variants = {
        "sigmoid's of a": times(lambda s, l: s.A[l] * (1 - s.A[l])),
        "tanh's of a": times(lambda s, l: 1 - s.A[l] ** 2),
        "relu's of z": times(lambda s, l: (s.Z[l] > 0) * 1.0),
        "sigmoid's of z": times(lambda s, l: sigmoid(s.Z[l]) * (1 - sigmoid(s.Z[l]))),
        "tanh's of z": times(lambda s, l: 1 - np.tanh(s.Z[l]) ** 2),
    }
    not_wrong = act(c, l), "sigmoid" if act(c, l) == "softmax" else ""  # sigmoid's slope of a softmax is its diagonal
    return written_out(c, l, {name: f for name, f in found.items() if name.split("'")[0] not in not_wrong})


FORMULAS: dict[str, dict[str, Callable[[Any, Any], Any]]] = {
    "sigmoid": {
        "a": lambda a, z: a,
        "1 - a": lambda a, z: 1 - a,
        "a * (1 + a)": lambda a, z: a * (1 + a),
        "a ** 2": lambda a, z: a**2,
        "a * (1 - a) ** 2": lambda a, z: a * (1 - a) ** 2,
        "exp(-z) / (1 + exp(-z))": lambda a, z: np.exp(-z) / (1 + np.exp(-z)),
        "1 / (1 + exp(-z)) ** 2": lambda a, z: 1 / (1 + np.exp(-z)) ** 2,
    },
    "tanh": {
        "1 - a": lambda a, z: 1 - a,
        "1 + a ** 2": lambda a, z: 1 + a**2,
        "a ** 2": lambda a, z: a**2,
        "(1 - a) ** 2": lambda a, z: (1 - a) ** 2,
        "1 / cosh(z)": lambda a, z: 1 / np.cosh(z),
    },
    "relu": {
        "z < 0": lambda a, z: (z < 0) * 1.0,
        "sign(z)": lambda a, z: np.sign(z),
        "leaky": lambda a, z: np.where(z > 0, 1, 0.01),
    },
    "linear": {"a": lambda a, z: a},
    "softmax": {"a": lambda a, z: a, "1 - a": lambda a, z: 1 - a},
}


@planted(
    "slope", "slope", "sigmoid: a, 1 - a, a (1 + a), ...; tanh: 1 - a, 1 + a^2, ...; relu: z < 0, sign z, leaky; linear: a"
)
def wrong_derivative_formula(c: Config, l: int) -> Variants:
    def use(formula: Callable[[Any, Any], Any]) -> Callable[[Pass, int], Any]:
        return lambda s, l: s.error(l) * formula(s.A[l], s.Z[l])

    return written_out(c, l, {name: use(formula) for name, formula in FORMULAS[act(c, l)].items()})


@planted("slope", "slope", "sigmoid(a) * (1 - sigmoid(a)), 1 - tanh(a)^2", curved)
def derivative_applied_to_activation(c: Config, l: int) -> Variants:
    return written_out(c, l, {"": times(lambda s, l: SLOPE_OF_Z[s.f(l)](s.A[l]))})


@planted("slope", "slope", "z * (1 - z), 1 - z^2", curved)
def activation_form_derivative_on_preactivation(c: Config, l: int) -> Variants:
    return written_out(c, l, {"": times(lambda s, l: SLOPE[s.f(l)](s.Z[l]))})


@planted(
    "slope",
    "slope",
    "f' of another layer's a (relu: of its z), where that broadcasts",
    lambda c, l: act(c, l) in {"sigmoid", "tanh", "relu"},
)
def derivative_at_wrong_layer(c: Config, l: int) -> Variants:
    def of(m: int) -> Callable[[Pass, int], Any]:
        return times(lambda s, l: SLOPE[s.f(l)]((s.Z if s.f(l) == "relu" else s.A)[m]))

    found = {f"of layer {m}": of(m) for m in range(1, c.depth + 1) if m != l and fits(c, m, l) and act(c, m) != "softmax"}
    return {} if crossed(c, l) else found


@planted("slope", "slope", "error * (1 - error), or sigmoid'(error)", lambda c, l: curved(c, l) and not crossed(c, l))
def derivative_at_error(_c: Config, _l: int) -> Variants:
    return {
        "activation form": times(lambda s, l: SLOPE[s.f(l)](s.error(l))),
        "function of z": times(lambda s, l: SLOPE_OF_Z[s.f(l)](s.error(l))),
    }


@planted(
    "slope",
    "slope",
    "f' of what came into the layer, as if it were a or z; relu: input > 0",
    lambda c, l: fits(c, l - 1, l) and not crossed(c, l),
)
def derivative_at_layer_input(c: Config, l: int) -> Variants:
    if curved(c, l):
        return {
            "activation form": times(lambda s, l: SLOPE[s.f(l)](s.A[l - 1])),
            "function of z": times(lambda s, l: SLOPE_OF_Z[s.f(l)](s.A[l - 1])),
        }
    signed = l == 1 or act(c, l - 1) in {"tanh", "linear", "relu"}
    return {"mask": times(lambda s, l: (s.A[l - 1] > 0) * 1.0)} if act(c, l) == "relu" and signed else {}


def is_relu(c: Config, l: int) -> bool:
    return act(c, l) == "relu"


@planted("slope", "slope", "error * (a >= 0), which is always true", is_relu)
def relu_mask_ge_on_output(_c: Config, _l: int) -> Variants:
    return {"": times(lambda s, l: (s.A[l] >= 0) * 1.0)}


@planted("slope", "slope", "maximum(error, 0)", is_relu)
def relu_applied_to_gradient(_c: Config, _l: int) -> Variants:
    return {"": lambda s, l: np.maximum(s.error(l), 0)}


@planted("slope", "slope", "error * maximum(z, 0)", is_relu)
def relu_backward_multiplies_by_value(_c: Config, _l: int) -> Variants:
    return {"": times(lambda s, l: s.A[l])}


@planted("slope", "slope", "error * a * (1 - a) for softmax", lambda c, l: act(c, l) == "softmax")
def softmax_diagonal_only(c: Config, l: int) -> Variants:
    return written_out(c, l, {"": times(lambda s, l: s.A[l] * (1 - s.A[l]))})


# chain: the line that computes the error of layer l


@planted(
    "chain", "back", "error_{l+1} @ W.T instead of delta_{l+1} @ W.T", lambda c, l: hidden(c, l) and act(c, l + 1) != "linear"
)
def error_propagated_without_delta(c: Config, l: int) -> Variants:
    return written_out(c, l + 1, {"": lambda s, l: s.error(l + 1) @ s.W[l + 1].T})


@planted("chain", "back", "W.T * f' or f' alone: delta_{l+1} is left out", hidden)
def upstream_gradient_dropped(_c: Config, _l: int) -> Variants:
    return {
        "weights": lambda s, l: np.ones_like(s.delta(l + 1)) @ s.W[l + 1].T,
        "slope": lambda s, l: np.ones_like(s.A[l]),
    }


@planted(
    "chain",
    "back",
    "delta_{l+1} * f': it is not sent through W, where that broadcasts",
    lambda c, l: hidden(c, l) and fits(c, l + 1, l),
)
def upstream_not_propagated(_c: Config, _l: int) -> Variants:
    return {"": lambda s, l: s.delta(l + 1) * np.ones_like(s.A[l])}


@planted(
    "chain",
    "error",
    "delta = f' without (a - y); a softmax's would be zero",
    lambda c, l: last(c, l) and act(c, l) != "softmax",
)
def missing_error_factor(c: Config, l: int) -> Variants:
    return written_out(c, l, {"": lambda s, l: np.ones_like(s.A[l])})


@planted(
    "chain",
    "back or used",
    "delta_{l+2} @ W_{l+1}.T; or delta_l, or only dW and db of layer l, from another layer's delta, where that fits",
)
def delta_of_wrong_layer(c: Config, l: int) -> Variants:
    found: Variants = {}
    if l + 2 <= c.depth and c.sizes[l + 2] == c.sizes[l + 1]:
        found["sent"] = lambda s, l: s.delta(l + 2) @ s.W[l + 1].T
    for m in range(1, c.depth + 1):
        if m != l and c.sizes[m] == c.sizes[l]:
            found[f"used {m}"] = lambda s, l, m=m: s.delta(m)  # type: ignore[misc]
        if m > l and c.sizes[m] == c.sizes[l]:
            found[f"is {m}"] = lambda s, l, m=m: s.delta(m)  # type: ignore[misc]
    return found


@planted(
    "chain",
    "back",
    "W_{l+1} -= lr * dW_{l+1} stands before delta_{l+1} @ W_{l+1}.T",
    lambda c, l: hidden(c, l) and c.learning_rate,
)
def updated_weights_used(_c: Config, _l: int) -> Variants:
    return {
        "": lambda s, l: (
            s.delta(l + 1) @ (s.W[l + 1] - (s.c.learning_rate or 0) * s.c.turned_weight(np.asarray(s.weight_gradient(l + 1)))).T
        )
    }


@planted("chain", "back", "delta_{l+1} @ dW_{l+1}.T", hidden)
def gradient_used_as_weight(_c: Config, _l: int) -> Variants:
    return {"": lambda s, l: s.delta(l + 1) @ s.c.turned_weight(np.asarray(s.weight_gradient(l + 1))).T}


@planted("chain", "back", "delta_{l+1} @ W_{l+1}, where it is square", square)
def missing_transpose(_c: Config, _l: int) -> Variants:
    return {"": lambda s, l: s.delta(l + 1) @ s.W[l + 1]}


@planted(
    "chain",
    "slope",
    "error @ f', where it has as many samples as units",
    lambda c, l: c.n == c.sizes[l] and act(c, l) != "softmax" and not crossed(c, l),
)
def matmul_instead_of_elementwise(_c: Config, _l: int) -> Variants:
    def product(s: Pass, l: int) -> Any:
        return s.error(l) @ s.slope(l) if s.c.samples == "rows" else s.slope(l) @ s.error(l)

    return {"": product}


# input: in the convention of the config


@planted("input", "input", "a_l.T @ delta_l, of the wrong shape if the widths differ")
def own_output_as_input(_c: Config, _l: int) -> Variants:
    return {"": lambda s, l: s.c.turned_weight(s.A[l].T @ s.delta(l))}


@planted("input", "input", "z_{l-1}.T @ delta_l", lambda c, l: l > 1 and act(c, l - 1) != "linear")
def preactivation_as_input(_c: Config, _l: int) -> Variants:
    return {"": lambda s, l: s.c.turned_weight(s.Z[l - 1].T @ s.delta(l))}


@planted("input", "input", "W * delta.sum(0); delta @ W.T; W @ delta where there are as many samples as units")
def weight_as_input(c: Config, l: int) -> Variants:
    found: Variants = {
        "W * delta.sum(0)": lambda s, l: s.c.turned_weight(s.W[l] * s.delta(l).sum(axis=0)),
        "delta @ W.T": lambda s, l: s.c.turned(s.delta(l) @ s.W[l].T),
    }
    if c.n == c.sizes[l]:
        found["W @ delta"] = lambda s, l: s.c.turned_weight(s.W[l] @ s.delta(l))
    return found


@planted("input", "input", "dW = delta, or delta summed over the samples")
def missing_input_factor(_c: Config, _l: int) -> Variants:
    return {
        "delta": lambda s, l: s.c.turned(s.delta(l)),
        "sum": lambda s, l: s.c.turned(s.delta(l).sum(axis=0, keepdims=True)),
    }


@planted("input", "input", "a_{l-1} * delta_l, where that broadcasts", lambda c, l: fits(c, l - 1, l) or fits(c, l, l - 1))
def elementwise_instead_of_matmul(_c: Config, _l: int) -> Variants:
    return {"": lambda s, l: s.c.turned(s.A[l - 1] * s.delta(l))}


@planted("input", "input", "delta.T @ a, of the wrong shape unless it is square")
def transposed_gradient(_c: Config, _l: int) -> Variants:
    return {"": lambda s, l: s.c.turned_weight(s.A[l - 1].T @ s.delta(l)).T}


# bias


@planted("bias", "bias", "db = delta", has_bias)
def bias_not_summed_over_batch(_c: Config, _l: int) -> Variants:
    return {"": lambda s, l: s.c.turned(s.delta(l))}


@planted("bias", "bias", "summed over the units, with and without keepdims", has_bias)
def bias_summed_over_wrong_axis(_c: Config, _l: int) -> Variants:
    return {
        "": lambda s, l: s.delta(l).sum(axis=1),
        "keepdims": lambda s, l: s.c.turned(s.delta(l).sum(axis=1, keepdims=True)),
    }


@planted("bias", "bias", "np.sum(delta), a scalar, or that in every entry", has_bias)
def bias_summed_over_all_axes(_c: Config, _l: int) -> Variants:
    return {"": lambda s, l: np.sum(s.delta(l)), "filled": lambda s, l: s.biased(np.full(s.c.sizes[l], np.sum(s.delta(l))))}


@planted("bias", "bias", "delta.mean(0) where the sum is right", has_bias)
def bias_mean_instead_of_sum(_c: Config, _l: int) -> Variants:
    return {"": lambda s, l: s.biased(s.delta(l).mean(axis=0))}


@planted("bias", "bias", "db = zeros", has_bias)
def bias_gradient_zero(_c: Config, _l: int) -> Variants:
    return {"": lambda s, l: s.biased(np.zeros(s.c.sizes[l]))}


# scale and sign: of a delta, and so of all below it; of dW and db of one layer ("lines"); or of one of them


def factor(value: Callable[[Config], float], *kinds: str) -> Variants:
    return {kind: lambda s, _l: value(s.c) for kind in kinds}


def places(c: Config, l: int) -> tuple[str, ...]:
    """Where a factor may stand: "delta" of layer 1 is its lines; without biases the lines are dW."""
    return ("delta",) * (l > 1) + ("lines",) + ("dW",) * (c.bias is not None)


@planted(
    "scale",
    "scale",
    "the first error, or dW, or dW and db, is not divided by n",
    lambda c, l: c.reduction in {"samples", "all"},
)
def missing_1_over_n(c: Config, l: int) -> Variants:
    kinds = places(c, l) if last(c, l) else [kind for kind in places(c, l) if kind != "delta"]
    return factor(lambda c: c.n, *kinds)


@planted("scale", "scale", "delta, or dW, or dW and db, divided by n once more")
def extra_1_over_n(c: Config, l: int) -> Variants:
    return factor(lambda c: 1 / c.n, *places(c, l))


@planted("scale", "scale", "the first error is not divided by k", lambda c, l: last(c, l) and c.reduction in {"outputs", "all"})
def missing_1_over_k(_c: Config, _l: int) -> Variants:
    return factor(lambda c: c.sizes[-1], "delta")


@planted("scale", "scale", "a - y for (a - y)^2", lambda c, l: last(c, l) and c.loss == "squared_error")
def missing_factor_2(_c: Config, _l: int) -> Variants:
    return factor(lambda c: 0.5, "delta")


@planted("scale", "scale", "the first error times 2", last)
def extra_factor_2(_c: Config, _l: int) -> Variants:
    return factor(lambda c: 2, "delta")


@planted("scale", "scale", "the first error times 4", last)
def extra_factor_4(_c: Config, _l: int) -> Variants:
    return factor(lambda c: 4, "delta")


@planted("scale", "scale", "all gradients, or those of one layer, times lr", lambda c, l: c.learning_rate)
def learning_rate_folded(c: Config, l: int) -> Variants:
    return factor(lambda c: c.learning_rate or 0, *(places(c, l) if last(c, l) else ("lines",)))


@planted("sign", "scale", "delta, or dW, or db, negated")
def sign_flipped(c: Config, _l: int) -> Variants:
    return factor(lambda c: -1, "delta", "dW", *(() if c.bias is None else ("db",)))


def is_bce(c: Config, l: int) -> bool:
    return last(c, l) and c.loss == "binary_cross_entropy"


@planted("sign", "error", "-(y / a) - (1 - y) / (1 - a)", is_bce)
def sign_error_inside_bce_derivative(_c: Config, _l: int) -> Variants:
    return {"unfused": lambda s, l: -(s.y / s.A[l]) - (1 - s.y) / (1 - s.A[l])}


@planted("sign", "error", "(a - y)^2, |a - y|, sign(a - y) for the error; BCE: -y / a alone, or the loss itself", last)
def wrong_loss_derivative(c: Config, l: int) -> Variants:
    found: Variants = {
        "(a - y) ** 2": lambda s, l: (s.A[l] - s.y) ** 2,
        "sign(a - y)": lambda s, l: np.sign(s.A[l] - s.y),
    }
    if not is_bce(c, l):  # where |a - y| is the negative of what the sign error inside its derivative gives
        found["abs(a - y)"] = lambda s, l: abs(s.A[l] - s.y)
        return found
    found["unfused -y / a"] = lambda s, l: -s.y / s.A[l]
    found["unfused loss"] = lambda s, l: -(s.y * np.log(s.A[l]) + (1 - s.y) * np.log(1 - s.A[l]))
    return found


FAMILIES = {
    family: [name for name, p in PLANTS.items() if p.family == family]
    for family in dict.fromkeys(p.family for p in PLANTS.values())
}

# --- planting


def mistake(name: str, layer: int, config: Config, variant: str | None = None) -> Mistake:
    """A mistake by name and layer, of its first variant unless one is named."""
    return Mistake(name, layer, next(iter(variants(name, layer, config))) if variant is None else variant)


def variants(name: str, layer: int, config: Config) -> list[str]:
    return list(PLANTS[name].variants(config, layer))


def applicable(name: str, layer: int, config: Config) -> bool:
    """Can this mistake be made in this layer? (Whether it changes any number: `changes`.)"""
    return bool(variants(name, layer, config))


def plant(config: Config, mistakes: Iterable[tuple[Any, ...]] = ()) -> Backward:
    """A backward pass with these mistakes: (name, layer) for the first variant, (name, layer, variant) for another."""
    chosen = [m if isinstance(m, Mistake) else mistake(m[0], m[1], config, *m[2:]) for m in mistakes]

    def backward(params: Arrays, X: Array, Y: Array) -> dict[str, Any]:
        with np.errstate(all="ignore"):
            return Pass(config, chosen, params, X, Y).gradients()

    return backward


SEEDS = 101, 102, 103


@cache
def data(config: Config, seed: int) -> tuple[Arrays, Array, Array]:
    return config.data(seed)


def same(name: str, got: Any, want: Any) -> bool:
    """The same gradient; one of a bias may lack or have an axis of length 1."""
    got, want = np.asarray(got), np.asarray(want)
    if name.startswith("db"):
        got, want = got.ravel(), want.ravel()
    return got.shape == want.shape and bool(np.allclose(got, want, rtol=1e-7, atol=1e-9 * (1 + abs(want).max())))


def differ(config: Config, mistakes: Sequence[Mistake], others: Sequence[Mistake] = ()) -> list[str]:
    """Which gradients differ between two backward passes, on any of several data sets."""
    found = set()
    for seed in SEEDS:
        a, b = (plant(config, ms)(*data(config, seed)) for ms in (mistakes, others))
        found |= {name for name in config.names if not same(name, a[name], b[name])}
    return [name for name in config.names if name in found]


def changes(config: Config, mistakes: Iterable[tuple[Any, ...]]) -> list[str]:
    """Which gradients really differ from the right ones on random data."""
    chosen = [m if isinstance(m, Mistake) else mistake(m[0], m[1], config, *m[2:]) for m in mistakes]
    return differ(config, chosen)


def compatible(config: Config, mistakes: Sequence[Mistake]) -> bool:
    """Are these in different lines, does the pass run, and would mending any one of them change something?"""
    lines = [(slot, m.layer) for m in mistakes for slot in slots(m)]
    written = {m.variant.startswith("unfused") for m in mistakes if crossed(config, m.layer) or m.variant.startswith("unfused")}
    if len(set(lines)) < len(lines) or len(written) > 1:
        return False
    try:
        return all(differ(config, mistakes, [m for m in mistakes if m is not one]) for one in mistakes)
    except (ValueError, RecursionError):  # shapes that do not fit; a gradient that would need itself
        return False


def equal(config: Config, mistakes: Sequence[Mistake], others: Sequence[Mistake]) -> bool:
    """Do these give exactly the same numbers as those on every data set?"""
    for seed in SEEDS:
        try:
            a, b = (plant(config, ms)(*data(config, seed)) for ms in (mistakes, others))
        except (ValueError, RecursionError):
            return False
        if not all(same(name, a[name], b[name]) for name in config.names):
            return False
    return True


def explanations(config: Config, mistakes: Sequence[Mistake]) -> list[Mistake]:
    """All single mistakes, of any layer and variant, that give exactly the same numbers as these."""
    singles = (Mistake(name, l, v) for name in PLANTS for l in range(1, config.depth + 1) for v in variants(name, l, config))
    return [one for one in singles if equal(config, [one], mistakes)]


def configs(rng: np.random.Generator, **fixed: Any) -> Iterator[Config]:
    """Random configs without end, with these fields fixed."""

    def one(options: Sequence[Any]) -> Any:
        return options[int(rng.integers(len(options)))]

    while True:
        depth = one((2, 3))
        loss = fixed.get("loss") or one(LOSSES)
        widths = [one((1, 2, 3, 4, 5, 6)) if l == depth else one((2, 3, 4, 5, 6)) for l in range(depth + 1)]
        if rng.random() < 0.4:  # square matrices, and as many samples as units, are where mistakes go unnoticed
            widths = [widths[0]] * (depth + 1)
        at_end = {"binary_cross_entropy": ("sigmoid",), "softmax_cross_entropy": ("softmax",)}.get(loss, (*HIDDEN, "softmax"))
        activations = (*(one(HIDDEN) for _ in range(depth - 1)), one(at_end))
        if activations[-1] == "softmax":
            widths[-1] = max(widths[-1], 2)
        found = Config(
            tuple(widths),
            activations,
            loss,
            one(REDUCTIONS),
            one(("rows", "columns")),
            one(("in_out", "out_in")),
            one(("flat", "row", "column", None)),
            one((3, 4, 5, 6, 7)),
            one((None, 0.3, 0.07)),
            one(("error", "lines")),
        )
        yield replace(found, **fixed)


def case(rng: np.random.Generator, names: Sequence[str], tries: int = 20000, **fixed: Any) -> tuple[Config, list[Mistake]]:
    """A random config, and these mistakes at random layers and of random variants, each of which matters."""
    for config, _ in zip(configs(rng, **fixed), range(tries), strict=False):
        chosen = []
        for name in names:
            places = [(l, v) for l in range(1, config.depth + 1) for v in variants(name, l, config)]
            if places:
                chosen.append(Mistake(name, *places[int(rng.integers(len(places)))]))
        if len(chosen) == len(names) and compatible(config, chosen) and changes(config, chosen):
            return config, chosen
    raise LookupError(f"{names} cannot be planted together")


def random_pair(rng: np.random.Generator, **fixed: Any) -> tuple[Config, list[Mistake]]:
    """Two different mistakes of the table in one random network, which are not together what a single one is alone."""
    while True:
        names = [str(name) for name in rng.choice(list(PLANTS), 2, replace=False)]
        try:
            config, pair = case(rng, names, tries=60, **fixed)
        except LookupError:
            continue
        if not explanations(config, pair):
            return config, pair


# --- right, though it may look wrong


def _by_hand(config: Config, params: Arrays, X: Array, Y: Array) -> tuple[list[Array], list[Array], list[Array]]:
    """Activations, pre-activations and deltas, in the config's own convention, nothing turned."""
    rows, W = config.samples == "rows", [params[f"W{l}"] for l in range(1, config.depth + 1)]
    A, Z = [X], []
    for l, f in enumerate(config.activations):
        w = W[l] if config.weights == "in_out" else W[l].T
        z = A[-1] @ w if rows else w.T @ A[-1]
        if config.bias:
            z = z + (params[f"b{l + 1}"].reshape(1, -1) if rows else params[f"b{l + 1}"].reshape(-1, 1))
        Z.append(z)
        A.append(VALUE[f](z) if rows or f != "softmax" else softmax(z.T).T)
    a, axis = A[-1], 1 if rows else 0
    error = 2 * (a - Y) if config.loss == "squared_error" else a - Y
    if "cross" not in config.loss:
        last = config.activations[-1]
        error = a * (error - (error * a).sum(axis=axis, keepdims=True)) if last == "softmax" else error * SLOPE[last](a)
    D = [error * config.scale]
    for l in reversed(range(1, config.depth)):
        w = W[l] if config.weights == "in_out" else W[l].T
        D.insert(0, (D[0] @ w.T if rows else w @ D[0]) * SLOPE_OF_Z[config.activations[l - 1]](Z[l - 1]))
    return A, Z, D


def _shaped(config: Config, db: Array, l: int) -> Array:
    k = config.sizes[l]
    return db.reshape({"flat": (k,), "row": (1, k), "column": (k, 1)}[config.bias or "flat"])


def own_convention(config: Config, params: Arrays, X: Array, Y: Array) -> dict[str, Any]:
    """Everything in the config's own convention, slopes from z."""
    A, _, D = _by_hand(config, params, X, Y)
    found: dict[str, Any] = {}
    for l, d in enumerate(D, 1):
        a = A[l - 1]
        if config.samples == "rows":
            found[f"dW{l}"] = a.T @ d if config.weights == "in_out" else d.T @ a
        else:
            found[f"dW{l}"] = a @ d.T if config.weights == "in_out" else d @ a.T
        if config.bias:
            found[f"db{l}"] = _shaped(config, d.sum(axis=0 if config.samples == "rows" else 1), l)
    return found


def by_einsum(config: Config, params: Arrays, X: Array, Y: Array) -> dict[str, Any]:
    """The sums written out as subscripts."""
    A, _, D = _by_hand(config, params, X, Y)
    a, d = ("ni", "no") if config.samples == "rows" else ("in", "on")
    found: dict[str, Any] = {}
    for l, delta in enumerate(D, 1):
        found[f"dW{l}"] = np.einsum(f"{a},{d}->{'io' if config.weights == 'in_out' else 'oi'}", A[l - 1], delta)
        if config.bias:
            found[f"db{l}"] = _shaped(config, np.einsum(f"{d}->o", delta), l)
    return found


def by_loops(config: Config, params: Arrays, X: Array, Y: Array) -> dict[str, Any]:
    """One sample after the other, summed up."""
    A, _, D = _by_hand(config, params, X, Y)
    found: dict[str, Any] = {f"d{name}": np.zeros_like(p) for name, p in params.items()}
    for i in range(config.n):
        for l, delta in enumerate(D, 1):
            a, d = (A[l - 1][i], delta[i]) if config.samples == "rows" else (A[l - 1][:, i], delta[:, i])
            found[f"dW{l}"] += np.outer(a, d) if config.weights == "in_out" else np.outer(d, a)
            if config.bias:
                found[f"db{l}"] += _shaped(config, d, l)
    return found


def mean_in_lines(config: Config, params: Arrays, X: Array, Y: Array) -> dict[str, Any]:
    """The mean folded into each line."""
    return plant(replace(config, fold="lines"))(params, X, Y)


def mean_first(config: Config, params: Arrays, X: Array, Y: Array) -> dict[str, Any]:
    """The mean folded into the first error."""
    return plant(replace(config, fold="error"))(params, X, Y)


def written_out_loss(config: Config, params: Arrays, X: Array, Y: Array) -> dict[str, Any]:
    """Cross-entropies by -y/a + (1-y)/(1-a) times the slope, not by the bare a - y."""
    run = Pass(config, (), params, X, Y)
    run.fused = False
    return run.gradients()


def flat_biases(config: Config, params: Arrays, X: Array, Y: Array) -> dict[str, Any]:
    """db = delta.sum(axis=0), of shape (k,), for a bias of shape (1, k): b - lr * db is right."""
    found = own_convention(config, params, X, Y)
    return {name: g.ravel() if name[1] == "b" and config.bias == "row" else g for name, g in found.items()}


CORRECT: dict[str, Callable[[Config, Arrays, Array, Array], dict[str, Any]]] = {
    f.__name__: f for f in (own_convention, by_einsum, by_loops, mean_in_lines, mean_first, written_out_loss, flat_biases)
}


def correct(name: str, config: Config) -> Backward:
    """The right backward pass of that name."""
    return lambda params, X, Y: CORRECT[name](config, params, X, Y)


def numerical(config: Config, params: Arrays, X: Array, Y: Array, h: float = 1e-6) -> Arrays:
    """Central differences of the loss by every parameter."""
    found = {}
    for name, p in params.items():
        found[f"d{name}"] = np.empty_like(p)
        for i in np.ndindex(p.shape):
            sides = []
            for step in (h, -h):
                moved = p.copy()
                moved[i] += step
                sides.append(loss_value(config, {**params, name: moved}, X, Y))
            found[f"d{name}"][i] = (sides[0] - sides[1]) / (2 * h)
    return found
