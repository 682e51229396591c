"""The activations: one record each, read by MLP, MatrixMLP, fit, derive_matrices and diagnose.

A new activation is one more record at the end of this file. Slopes are functions of the output a = f(z), as one derives
them by hand, so a backward pass needs no z.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import methodcaller
from typing import Any, NamedTuple

import numpy as np

from autograd import Value
from autograd.expressions import Expression, where
from nn.arrays import Array, sequence


def glorot(n_in: int, n_out: int) -> float:
    """Initial weights are drawn from +-sqrt(6 / (n_in + n_out)): Glorot & Bengio (AISTATS 2010), equation 16."""
    return float(np.sqrt(6 / (n_in + n_out)))


def he(n_in: int, _n_out: int) -> float:
    """Initial weights are drawn from +-sqrt(6 / n_in), for relu and its like: He et al. (ICCV 2015), equation 10."""
    return float(np.sqrt(6 / n_in))


class Activation(NamedTuple):
    """One activation f."""

    name: str
    value: Callable[[Array, Array, Array], None]
    slope: Callable[[Array, Array], None]
    graph: Callable[[Value], Value]
    formula: Callable[[Any, Any], Expression] | None
    width: Callable[[int, int], float] = glorot
    unguarded: Callable[[Array, Array, Array], None] | None = None
    jacobian: Callable[[Array, Array], Array] | None = None

    def of(self, z: Array) -> Array:
        """f(z), a new array."""
        out = np.empty_like(z)
        self.value(z, out, np.empty_like(z))
        return out

    def slope_at(self, a: Array) -> Array:
        """f'(z) from a = f(z), a new array."""
        out = np.empty_like(a)
        self.slope(a, out)
        return out

    def through(self, a: Array, error: Array) -> Array:
        """dC/dz from a = f(z) and `error`, which is dC/da."""
        return self.jacobian(a, error) if self.jacobian else error * self.slope_at(a)


ONE, LARGEST = np.array(1.0), np.array(700.0)  # arrays: NumPy would make one of a plain number at every call
_exp, _add, _divide = np.exp, np.add, np.divide  # looked up once: these lines are a good part of a training step


def of_objects(function: np.ufunc, z: Array) -> Array:
    """NumPy's function of an array of objects that have it as a method. `TypeError` if they do not."""
    try:
        return np.asarray(function(z))
    except TypeError:
        kind, name = type(z.flat[0]).__name__, function.__name__
        raise TypeError(f"a {kind} has no {name}(); use relu or linear for it, or arrays of floats") from None


def logistic(z: Array, out: Array, scratch: Array) -> None:
    """Write 1 / (1 + exp(-z)) into `out`: as e / (1 + e), right to the last digits for any z, the smallest too."""
    if z.dtype.hasobject:
        own = all(hasattr(entry, "sigmoid") for entry in z.flat)  # as a Value has, whose slope is right for any z
        out[...] = np.frompyfunc(methodcaller("sigmoid"), 1, 1)(z) if own else 1 / (1 + of_objects(np.exp, -z))
    else:
        np.minimum(z, LARGEST, out=out)  # beyond it e / (1 + e) is 1 anyway, and e stays finite
        _unguarded_logistic(out, out, scratch)


def _unguarded_logistic(z: Array, out: Array, scratch: Array) -> None:
    """The same where z is at most 700; nan above 709.78."""
    _exp(z, out)
    _add(out, ONE, scratch)
    _divide(out, scratch, out)


def _sigmoid_slope(a: Array, out: Array) -> None:
    np.subtract(1 if a.dtype.hasobject else ONE, a, out)
    np.multiply(out, a, out)


def _tanh(z: Array, out: Array, _scratch: Array) -> None:
    if z.dtype.hasobject:
        out[...] = of_objects(np.tanh, z)
    else:
        np.tanh(z, out)


def _tanh_slope(a: Array, out: Array) -> None:
    np.multiply(a, a, out)
    np.subtract(1 if a.dtype.hasobject else ONE, out, out)


def _relu(z: Array, out: Array, _scratch: Array) -> None:
    np.maximum(z, z * 0 if z.dtype.hasobject else 0, out=out)  # the zero of a Fraction is a Fraction


LEAK = 0.01  # the slope of leaky_relu at 0 and below


def _leaky_relu(z: Array, out: Array, scratch: Array) -> None:
    np.multiply(z, LEAK, scratch)
    np.maximum(z, scratch, out=out)


def shifted_exp(z: Array, out: Array) -> tuple[Array, Array]:
    """Write exp(z - m) into `out`, m being the largest of each row; return z - m, and the sum of a row's exp but for one 1."""
    shifted = z - z.max(axis=-1, keepdims=True)
    np.exp(shifted, out)
    largest, ones = (shifted == 0).astype(float), np.ones((z.shape[-1], 1))
    return shifted, (out - largest) @ ones + (largest @ ones - 1)  # `@ ones` sums rows, in a fifth of the time of `.sum`


def _softmax(z: Array, out: Array, _scratch: Array) -> None:
    _, others = shifted_exp(z, out)
    out /= 1 + others


def _softmax_jacobian(a: Array, error: Array) -> Array:
    return np.asarray(a * (error - (error * a).sum(axis=-1, keepdims=True)))


def _no_graph(_z: Value) -> Value:
    raise TypeError("softmax is not a function of one Value; use the loss softmax_cross_entropy with a linear last layer")


ACTIVATIONS = {
    activation.name: activation
    for activation in (
        Activation(
            "sigmoid", logistic, _sigmoid_slope, lambda z: z.sigmoid(), lambda a, _z: a * (1 - a), unguarded=_unguarded_logistic
        ),
        Activation("tanh", _tanh, _tanh_slope, lambda z: z.tanh(), lambda a, _z: 1 - a * a),
        Activation("relu", _relu, lambda a, out: np.copyto(out, a > 0), lambda z: z.relu(), lambda _a, z: z > 0, he),
        Activation("linear", lambda z, out, _: np.copyto(out, z), lambda _, out: out.fill(1), lambda z: z, None),
        Activation(
            "leaky_relu",
            _leaky_relu,
            lambda a, out: np.copyto(out, np.where(a > 0, 1, LEAK)),
            lambda z: LEAK * z + (1 - LEAK) * z.relu(),  # of which the slope at 0 is LEAK
            lambda _a, z: where(z > 0, 1, LEAK),
            he,
        ),
    )
}
# only as the last activation of arrays, and in softmax_cross_entropy; the slope is the diagonal of the Jacobian
SOFTMAX = Activation("softmax", _softmax, _sigmoid_slope, _no_graph, lambda a, _z: a * (1 - a), jacobian=_softmax_jacobian)


def records(names: Sequence[str]) -> list[Activation]:
    """The activations of these names."""
    return [SOFTMAX if name == SOFTMAX.name else ACTIVATIONS[name] for name in names]


def activation_names(activations: str | Sequence[str], layers: int, last: tuple[str, ...] = ()) -> tuple[str, ...]:
    """One name per layer; `last` are more for the last one. Raises `ValueError` for an unknown name or a wrong number."""
    given = (
        [activations] * layers if isinstance(activations, str) else sequence(activations, "activations", "['tanh', 'linear']")
    )
    names = tuple(given)
    if len(names) != layers:
        raise ValueError(f"activations: got {len(names)} names, expected {layers}, one per layer, or a single name for all")
    for i, name in enumerate(names):
        if not isinstance(name, str) or (name not in ACTIVATIONS and not (name in last and i == layers - 1)):
            more = "" if name != SOFTMAX.name else ", and softmax for the last layer of a MatrixMLP"
            raise ValueError(f"activations: {name!r:.40} is not known; choose from {', '.join(ACTIVATIONS)}{more}")
    return names
