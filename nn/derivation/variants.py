"""The same backward pass written two other ways that people know: samples in columns, and with a plus.

Textbooks put samples in columns, and then every formula is the transposed one; tutorials add where others subtract, and then
the error starts from (y - a) instead of (a - y). Both are computed here in full, so that they can be compared. The trade-off:
the lines of `MatrixMLP.passes` stand here again, on purpose, as those who ask about them write them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from nn.losses import LOSSES, Array, softmax_of_targets
from nn.matrix import ACTIVATIONS, MatrixMLP, Passes


class Transposed(NamedTuple):
    """The backward pass for samples in columns: delta (n_out, n), dW (n_out, n_in) and db (n_out, 1), layer by layer."""

    delta: list[Array]
    weights: list[Array]
    biases: list[Array]


class Signs(NamedTuple):
    """One step of gradient descent at rate 1, twice: -= the gradient, from (a - y), and += its negative, from (y - a).

    `minus` and `plus` are the weights, and biases if any, after the step, and `steps` is what was added to reach `plus`;
    `names` says which array is which: W2, b2, W1, ...
    """

    names: list[str]
    minus: list[Array]
    plus: list[Array]
    steps: list[Array]

    @property
    def same(self) -> bool:
        """Whether both ways lead to the same numbers, to the last bit."""
        return all(np.array_equal(m, p) for m, p in zip(self.minus, self.plus, strict=True))


def _slope(model: MatrixMLP, layer: int, a: Array) -> Array:
    slope = np.empty_like(a)
    ACTIVATIONS[model.activations[layer]].slope(a, slope)
    return slope


def in_columns(model: MatrixMLP, x: Array, y: Array, loss: str) -> Transposed:
    """The passes of `model` with every matrix transposed: a = f(W @ a_before + b), dW = delta @ a_before.T.

    >>> model = MatrixMLP([np.array([[2.0], [1.0]])], activations="linear")
    >>> in_columns(model, np.array([[3.0, 0.0]]), np.array([[5.0]]), "half_squared_error").weights
    [array([[3., 0.]])]
    """
    W, A, Z = [w.T.copy() for w in model.weights], [x.T.copy()], []
    for layer, w in enumerate(W):
        z = w @ A[-1] if model.biases is None else w @ A[-1] + model.biases[layer][:, None]
        a = np.empty_like(z)
        ACTIVATIONS[model.activations[layer]].value(z, a, np.empty_like(z))
        Z.append(z)
        A.append(a)
    error = np.empty_like(y)
    chosen = LOSSES[loss]
    chosen.evaluate(Z[-1].T, A[-1].T, y, error)
    deltas = [error.T if chosen.by_preactivation else error.T * _slope(model, -1, A[-1])]
    for layer in range(len(W) - 1, 0, -1):
        deltas.insert(0, (W[layer].T @ deltas[0]) * _slope(model, layer - 1, A[layer]))
    pairs = zip(deltas, A[:-1], strict=True)
    return Transposed(deltas, [d @ a.T for d, a in pairs], [d.sum(axis=1, keepdims=True) for d in deltas])


def _towards_the_targets(found: Passes, y: Array, loss: str) -> Any:
    """The derivative of the loss with the other sign, from (y - p) instead of (p - y)."""
    z, a = found.z[-1], found.a[-1]
    if loss == "half_squared_error":
        return y - a
    if loss == "mean_squared_error":
        return 2 * (y - a) / y.size
    if loss == "binary_cross_entropy":
        return (y - LOSSES[loss].predicted(z, a)) / y.size
    p = np.empty_like(a)
    softmax_of_targets(z, y, p)
    return (y - p) / len(y)


def signs(model: MatrixMLP, found: Passes, y: Array, loss: str) -> Signs:
    """One step with -= and one with +=, from the same weights.

    >>> model = MatrixMLP([np.array([[2.0]])], activations="linear")
    >>> X, Y = np.array([[3.0]]), np.array([[5.0]])
    >>> signs(model, model.passes(X, Y), Y, "half_squared_error").plus     # 2 + (5 - 2 * 3) * 3
    [array([[-1.]])]
    """
    d = _towards_the_targets(found, y, loss)
    if not LOSSES[loss].by_preactivation:
        d = d * _slope(model, -1, found.a[-1])
    names, before, down, up = [], [], [], []
    for layer in range(len(model.weights), 0, -1):
        a, delta = found.a[layer - 1], found.delta[layer - 1]
        names.append(f"W{layer}")
        before.append(model.weights[layer - 1])
        down.append(a.T @ delta)
        up.append(a.T @ d)
        if model.biases is not None:
            names.append(f"b{layer}")
            before.append(model.biases[layer - 1])
            down.append(delta.sum(axis=0))
            up.append(d.sum(axis=0))
        if layer > 1:
            d = (d @ model.weights[layer - 1].T) * _slope(model, layer - 2, a)
    minus = [p - step for p, step in zip(before, down, strict=True)]
    return Signs(names, minus, [p + step for p, step in zip(before, up, strict=True)], up)
