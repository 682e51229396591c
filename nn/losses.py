"""The losses: one record each, read by MLP, MatrixMLP, fit, derive_matrices and diagnose.

A new loss is one more record at the end of this file. `graph` is what the sweep differentiates; `evaluate` is where the
matrix formulas start. They are two derivations of one thing, and the tests hold them to the same numbers. Cross-entropies
start from the pre-activation z, where the derivative is the bare `a - y` and no logit is too large.

Formulas: Bishop, Pattern Recognition and Machine Learning (Springer 2006), 4.3.2, 4.3.4, 5.2; huber: Huber (Annals of
Mathematical Statistics 35, 1964), with threshold 1; half_squared_error: the cost C of the second seed question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from operator import add
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from autograd import Value, logaddexp, softplus
from autograd.expressions import SYMBOLS, Expression, call, mean, size, summed, symbol
from nn.activations import ACTIVATIONS, SOFTMAX, Activation, logistic, shifted_exp
from nn.arrays import Array

Rows: TypeAlias = Sequence[Sequence[Any]]


class Loss(NamedTuple):
    """One loss of the outputs of a network, which has the targets y."""

    name: str
    graph: Callable[[Rows, Rows, Rows], Value]
    evaluate: Callable[[Array, Array, Array, Array], Any]
    formula: Callable[[Any, Any], Expression]
    delta: Callable[[Any, Any], Expression]
    why: str
    reduction: str
    terms: Callable[[Array, Array], Array]
    error: Callable[[Array, Array], Array]
    canonical: Activation | None = None

    def reduced(self, reduction: str | None = None) -> Loss:
        """The loss as a "mean" or a "sum"; as it is for None. A mean divides as the loss does, or else by Y.size."""
        if reduction not in (None, "mean", "sum"):
            raise ValueError(
                f"reduction={reduction!r:.40} has to be 'mean', 'sum', or None for that of the loss, {self.reduction}"
            )
        if reduction is None or (reduction == "sum") == (self.reduction == "sum"):
            return self

        def factor(y: Any) -> float:
            count = len(y) if self.reduction == "samples" else len(y) * len(y[0])
            return count if reduction == "sum" else 1 / count

        def evaluate(z: Array, a: Array, y: Array, out: Array) -> Any:
            loss = self.evaluate(z, a, y, out) * factor(y)
            out *= factor(y)
            return loss

        kind = "sum" if reduction == "sum" else "all"
        return self._replace(graph=lambda z, a, y: self.graph(z, a, y) * factor(y), evaluate=evaluate, reduction=kind)

    def targets(self, y: Array, n: int, k: int) -> Array:
        """Labels as rows: n numbers as a column for one output, and of classes, from 0 up, as rows of 0 and 1 for a softmax."""
        if k == 1 and y.shape == (n,):
            return y.reshape(n, 1)
        if self.canonical is not SOFTMAX or k == 1 or y.shape not in ((n,), (n, 1)):
            return y
        labels = y.ravel()
        wrong = labels[~np.isin(labels, np.arange(k))]
        if wrong.size:
            raise ValueError(f"Y holds {wrong[0]}; the classes of {k} outputs are the whole numbers from 0 to {k - 1}")
        return np.asarray(np.eye(k)[labels.astype(int)])

    @property
    def by_preactivation(self) -> bool:
        """Whether the loss starts from the pre-activation z instead of the output a."""
        return self.canonical is not None

    @property
    def outputs(self) -> tuple[str, ...]:
        """The activations that the last layer of a network may have."""
        if self.canonical is None:
            return tuple(ACTIVATIONS)
        return tuple(name for name in (self.canonical.name, "linear") if name in ACTIVATIONS)

    def predicted(self, z: Array, a: Array) -> Array:
        """What is compared with the targets: the output a, or the canonical activation of z."""
        return a if self.canonical is None else self.canonical.of(z)

    def check(self, y: Any) -> None:
        """`ValueError` for targets of a cross-entropy that are no probabilities, and for a softmax of one output."""
        targets = np.asarray(y)
        if self.canonical is SOFTMAX and targets.shape[-1] == 1:
            raise ValueError(
                f"{self.name} of one output is 0 whatever it is, for its softmax is 1; use binary_cross_entropy, or "
                "one output for each class"
            )
        if self.canonical and ((targets < 0) | (targets > 1)).any():
            outside = targets[(targets < 0) | (targets > 1)][0]
            raise ValueError(f"Y holds {outside}; the targets of {self.name} are probabilities, from 0 to 1")


def _graph(of: Callable[[Any, Any], Any], divisor: Callable[[Rows], int], of_z: bool = False) -> Callable[..., Value]:
    """The graph of a loss that is a sum over the outputs a, or z, with their targets, divided by a number."""

    def graph(z: Rows, a: Rows, y: Rows) -> Value:
        rows = zip(z if of_z else a, y, strict=True)
        total: Value = reduce(add, (of(x, target) for row, targets in rows for x, target in zip(row, targets, strict=True)))
        return total / divisor(y)

    return graph


def _entries(y: Rows) -> int:
    return len(y) * len(y[0])


def _summed(terms: Array) -> Any:
    return terms.sum(axis=(-2, -1))


def _squares(d: Array) -> Any:
    if d.dtype.hasobject:
        return _summed(d * d)
    if d.ndim > 2:
        return np.einsum("rij,rij->r", d, d)
    flat = d.ravel()
    return flat.dot(flat)


def _half_squared_error(_z: Array, a: Array, y: Array, out: Array) -> Any:
    return _squares(np.subtract(a, y, out)) / 2


def _mean_squared_error(_z: Array, a: Array, y: Array, out: Array) -> Any:
    loss = _squares(np.subtract(a, y, out)) / y.size
    out *= 2
    out /= y.size
    return loss


def _binary_cross_entropy(z: Array, _a: Array, y: Array, out: Array) -> Any:
    loss = _summed(y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z)) / y.size
    logistic(z, out, np.empty_like(z))
    out -= y
    out /= y.size
    return loss


def _softmax_cross_entropy_graph(z: Rows, _a: Rows, y: Rows) -> Value:
    def of_row(logits: Sequence[Any], targets: Sequence[Any]) -> Iterable[Any]:
        for j, (z_j, y_j) in enumerate(zip(logits, targets, strict=True)):
            # -log softmax(z)_j is the log of the sum of all exp(z_k - z_j). One of them is 1, so what is small keeps its
            # digits, and a tape keeps nothing of its recording. The price: a difference for each pair of outputs.
            yield y_j * reduce(logaddexp, [0.0, *(z_k - z_j for k, z_k in enumerate(logits) if k != j)])

    total: Value = reduce(add, (term for row in zip(z, y, strict=True) for term in of_row(*row)))
    return total / len(y)


def _softmax_cross_entropy(z: Array, _a: Array, y: Array, out: Array) -> Any:
    shifted, others = shifted_exp(z, out)
    out *= y @ np.ones((y.shape[-1], 1)) / (1 + others)  # softmax(z), times the sum of a row's targets
    loss = _summed(y * (np.log1p(others) - shifted)) / y.shape[-2]
    out -= y
    out /= y.shape[-2]
    return loss


def _huber_of_output(a: Any, y: Any) -> Any:
    size = abs(a - y)
    beyond = (size - 1).relu()
    return (size - beyond) ** 2 / 2 + beyond


def _huber_terms(a: Array, y: Array) -> Array:
    clipped = np.clip(a - y, -1, 1)
    return np.asarray(clipped * (a - y - clipped / 2))


def _huber(_z: Array, a: Array, y: Array, out: Array) -> Any:
    np.clip(a - y, -1, 1, out=out)
    out /= y.size
    return _summed(_huber_terms(a, y)) / y.size


LOSSES = {
    loss.name: loss
    for loss in (
        Loss(
            "half_squared_error",
            _graph(lambda a, y: (a - y) ** 2, lambda _: 2),
            _half_squared_error,
            lambda p, y: summed((p - y) ** 2) / 2,
            lambda p, y: p - y,
            "The 2 of the square and the 1/2 of C cancel.",
            "sum",
            terms=lambda a, y: (a - y) ** 2 / 2,
            error=lambda a, y: a - y,
        ),
        Loss(
            "mean_squared_error",
            _graph(lambda a, y: (a - y) ** 2, _entries),
            _mean_squared_error,
            lambda p, y: mean((p - y) ** 2),
            lambda p, y: 2 * (p - y) / size(y),
            "The 2 of the square stays, for C has no 1/2; the mean divides by Y.size.",
            "all",
            terms=lambda a, y: (a - y) ** 2,
            error=lambda a, y: 2 * (a - y),
        ),
        Loss(
            "binary_cross_entropy",
            _graph(lambda z, y: y * softplus(-z) + (1 - y) * softplus(z), _entries, of_z=True),
            _binary_cross_entropy,
            lambda p, y: -mean(y * SYMBOLS.log(p) + (1 - y) * SYMBOLS.log(1 - p)),
            lambda p, y: (p - y) / size(y),
            "The routes of Y and of 1 - Y sum to p - Y, p being the sigmoid; the mean divides by Y.size.",
            "all",
            terms=lambda a, y: -(y * np.log(a) + (1 - y) * np.log(1 - a)),
            error=lambda a, y: (a - y) / (a * (1 - a)),
            canonical=ACTIVATIONS["sigmoid"],
        ),
        Loss(
            "softmax_cross_entropy",
            _softmax_cross_entropy_graph,
            _softmax_cross_entropy,
            lambda p, y: -summed(y * SYMBOLS.log(p)) / symbol("n"),
            lambda p, y: (p - y) / symbol("n"),
            "Each Y weighs the log of a sum of exp. Its slope by another z is the share of that one's exp, the softmax p; by "
            "its own z it is minus the shares of all others, p - 1. The routes sum to p - Y, where Y sums to 1, and the mean "
            "divides by n.",
            "samples",
            terms=lambda a, y: -y * np.log(a),
            error=lambda a, y: -y / a,
            canonical=SOFTMAX,
        ),
        Loss(
            "huber",
            _graph(_huber_of_output, _entries),
            _huber,
            lambda p, y: mean(call("huber", p - y)),
            lambda p, y: call("clip", p - y, -1, 1) / size(y),
            "With d = a - Y, each output adds c**2 / 2 + relu(abs(d) - 1), where c = abs(d) - relu(abs(d) - 1) is at most 1. "
            "The routes sum to d, cut off at -1 and 1; the mean divides by Y.size.",
            "all",
            terms=_huber_terms,
            error=lambda a, y: np.clip(a - y, -1, 1),
        ),
    )
}


def loss_named(name: str, last_activation: str) -> Loss:
    """The loss of that name, for a network whose last layer has that activation; `ValueError` where there is none."""
    if not isinstance(name, str) or name not in LOSSES:
        raise ValueError(f"loss={name!r:.60} is not known; choose one of {', '.join(LOSSES)}")
    loss = LOSSES[name]
    if last_activation not in loss.outputs and (loss.canonical is None or last_activation != loss.canonical.name):
        allowed = " or ".join(loss.outputs)
        raise ValueError(
            f"loss={name!r} starts from the pre-activation of the last layer, so that layer has to be {allowed}, "
            f"not {last_activation}"
        )
    return loss
