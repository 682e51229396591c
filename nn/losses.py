"""The losses: each as a graph of Values, and as NumPy formulas with the derivative that one derives by hand.

`graph` is what the sweep differentiates; `evaluate` is where the matrix formulas start. They are written apart on
purpose: they are two derivations of one thing, and the tests hold them to the same numbers. Cross-entropies start from
the pre-activation z, where the derivative is the bare `a - y` and no logit is too large.

Formulas: Bishop, Pattern Recognition and Machine Learning (Springer 2006), 4.3.2, 4.3.4, 5.2; half_squared_error: the
cost C of the second seed question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from operator import add, methodcaller
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from autograd import Value, logaddexp, softplus

Array: TypeAlias = NDArray[Any]
Rows: TypeAlias = Sequence[Sequence[Any]]


class Loss(NamedTuple):
    """One loss of the outputs of a network.

    `evaluate(z, a, y, out)` returns the loss and writes its derivative into `out`: with respect to the activation a, or
    to the pre-activation z if `by_preactivation`. z, a, y and out are (n, k), or (R, n, k) for R networks, which have R
    losses. `graph(z, a, y)` is the same loss as a Value, from n rows of k Values. `predicted(z, a)` is what is compared with
    the targets. `outputs` names the activations that the last layer may have, the first being the usual one.
    """

    name: str
    by_preactivation: bool
    outputs: tuple[str, ...]
    graph: Callable[[Rows, Rows, Rows], Value]
    evaluate: Callable[[Array, Array, Array, Array], Any]
    predicted: Callable[[Array, Array], Array]

    def check(self, y: Any) -> None:
        """`ValueError` for targets of a cross-entropy that are no probabilities, and for a softmax of one output."""
        targets = np.asarray(y)
        if self.name == "softmax_cross_entropy" and targets.shape[-1] == 1:
            raise ValueError(
                "softmax_cross_entropy of one output is 0 whatever it is, for its softmax is 1; use binary_cross_entropy, or "
                "one output for each class"
            )
        if self.by_preactivation and ((targets < 0) | (targets > 1)).any():
            outside = targets[(targets < 0) | (targets > 1)][0]
            raise ValueError(f"Y holds {outside}; the targets of {self.name} are probabilities, from 0 to 1")


def _total(terms: Iterable[Any]) -> Value:
    total: Value = reduce(add, terms)
    return total


def _summed(terms: Array) -> Any:
    return terms.sum(axis=(-2, -1))


def _pairs(rows: Rows, y: Rows) -> Iterable[tuple[Any, Any]]:
    for row, targets in zip(rows, y, strict=True):
        yield from zip(row, targets, strict=True)


def _squares_graph(a: Rows, y: Rows) -> Value:
    return _total((a_ij - y_ij) ** 2 for a_ij, y_ij in _pairs(a, y))


def _half_squared_error_graph(_z: Rows, a: Rows, y: Rows) -> Value:
    return _squares_graph(a, y) / 2


def _half_squared_error(_z: Array, a: Array, y: Array, out: Array) -> Any:
    np.subtract(a, y, out)
    return _squares(out) / 2


def _squares(d: Array) -> Any:
    if d.dtype.hasobject:
        return _summed(d * d)
    if d.ndim > 2:
        return np.einsum("rij,rij->r", d, d)
    flat = d.ravel()
    return flat.dot(flat)


def _mean_squared_error_graph(_z: Rows, a: Rows, y: Rows) -> Value:
    return _squares_graph(a, y) / (len(y) * len(y[0]))


def _mean_squared_error(_z: Array, a: Array, y: Array, out: Array) -> Any:
    np.subtract(a, y, out)
    loss = _squares(out) / y.size
    out *= 2
    out /= y.size
    return loss


def _binary_cross_entropy_graph(z: Rows, _a: Rows, y: Rows) -> Value:
    total = _total(y_ij * softplus(-z_ij) + (1 - y_ij) * softplus(z_ij) for z_ij, y_ij in _pairs(z, y))
    return total / (len(y) * len(y[0]))


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

    return _total(term for row in zip(z, y, strict=True) for term in of_row(*row)) / len(y)


def _softmax_cross_entropy(z: Array, _a: Array, y: Array, out: Array) -> Any:
    shifted, others = softmax_of_targets(z, y, out)
    loss = _summed(y * (np.log1p(others) - shifted)) / y.shape[-2]
    out -= y
    out /= y.shape[-2]
    return loss


def _ones(rows: Array) -> Array:
    return np.ones((rows.shape[-1], 1))  # `@ ones` sums rows, in a fifth of the time of `.sum`


def softmax_of_targets(z: Array, y: Array, out: Array) -> tuple[Array, Array]:
    """Write softmax(z), times the sum of the targets in each row, into `out`; return what `_shifted_exp` does.

    >>> out = np.empty((1, 2))
    >>> _ = softmax_of_targets(np.zeros((1, 2)), np.array([[1.0, 0.5]]), out); out
    array([[0.75, 0.75]])
    """
    shifted, others = _shifted_exp(z, out)
    out *= y @ _ones(y) / (1 + others)
    return shifted, others


def _shifted_exp(z: Array, out: Array) -> tuple[Array, Array]:
    """Write exp(z - m) into `out`, m the largest of each row; return z - m, and the sum of a row's exp but for one that is 1.

    With that 1 in it the sum would lose what is small; log1p adds it without a loss.

    >>> out = np.empty((1, 3))
    >>> _shifted_exp(np.array([[-40.0, 0.0, 0.0]]), out)[1], out[0, 1:]
    (array([[1.]]), array([1., 1.]))
    """
    shifted = z - z.max(axis=-1, keepdims=True)
    np.exp(shifted, out)
    largest, ones = (shifted == 0).astype(float), _ones(z)
    return shifted, (out - largest) @ ones + (largest @ ones - 1)


def _activation(_z: Array, a: Array) -> Array:
    return a


def _sigmoid(z: Array, _a: Array) -> Array:
    out = np.empty_like(z)
    logistic(z, out, np.empty_like(z))
    return out


def _softmax(z: Array, _a: Array) -> Array:
    out = np.empty_like(z)
    _, others = _shifted_exp(z, out)
    out /= 1 + others
    return out


ONE, LARGEST = np.array(1.0), np.array(700.0)  # arrays: NumPy would make one of a plain number at every call


def logistic(z: Array, out: Array, scratch: Array) -> None:
    """Write 1 / (1 + exp(-z)) into `out`: as e / (1 + e), right to the last digits for any z, the smallest too.

    >>> out = np.empty(3)
    >>> logistic(np.array([-1000.0, 0.0, 1000.0]), out, np.empty(3)); out
    array([0. , 0.5, 1. ])
    """
    if z.dtype.hasobject:
        own = all(hasattr(entry, "sigmoid") for entry in z.flat)  # as a Value has, whose slope is right for any z
        out[...] = np.frompyfunc(methodcaller("sigmoid"), 1, 1)(z) if own else 1 / (1 + of_objects(np.exp, -z))
    else:
        np.minimum(z, LARGEST, out=out)  # beyond it e / (1 + e) is 1 anyway, and e stays finite
        unguarded_logistic(out, out, scratch)


def of_objects(function: np.ufunc, z: Array) -> Array:
    """NumPy's function of an array of objects, which have it as a method. `TypeError` where they have not.

    >>> of_objects(np.exp, np.array([Value(0.0)]))
    array([Value(data=1.0, grad=0.0)], dtype=object)
    """
    try:
        return np.asarray(function(z))
    except TypeError:
        kind, name = type(z.flat[0]).__name__, function.__name__
        raise TypeError(f"a {kind} has no {name}(); use relu or linear for it, or arrays of floats") from None


def unguarded_logistic(z: Array, out: Array, scratch: Array) -> None:
    """The same where z is at most 700; nan above 709.78."""
    _exp(z, out)
    _add(out, ONE, scratch)
    _divide(out, scratch, out)


_exp, _add, _divide = np.exp, np.add, np.divide  # looked up once: these lines are a good part of a training step


ANY = ("linear", "sigmoid", "tanh", "relu")
LOSSES = {
    loss.name: loss
    for loss in (
        Loss("half_squared_error", False, ANY, _half_squared_error_graph, _half_squared_error, _activation),
        Loss("mean_squared_error", False, ANY, _mean_squared_error_graph, _mean_squared_error, _activation),
        Loss("binary_cross_entropy", True, ("sigmoid", "linear"), _binary_cross_entropy_graph, _binary_cross_entropy, _sigmoid),
        Loss("softmax_cross_entropy", True, ("linear",), _softmax_cross_entropy_graph, _softmax_cross_entropy, _softmax),
    )
}


def loss_named(name: str, last_activation: str) -> Loss:
    """The loss of that name, for a network whose last layer has that activation; `ValueError` where there is none."""
    if not isinstance(name, str) or name not in LOSSES:
        raise ValueError(f"loss={name!r:.60} is not known; choose one of {', '.join(LOSSES)}")
    loss = LOSSES[name]
    if last_activation not in loss.outputs:
        allowed = " or ".join(loss.outputs)
        raise ValueError(
            f"loss={name!r} starts from the pre-activation of the last layer, so that layer has to be {allowed}, "
            f"not {last_activation}"
        )
    return loss
