"""The same backward pass in two other ways that people know: samples in columns, and with a plus.

Textbooks put samples in columns, and then every formula is the transposed one. That pass is computed here in full, so that
comparing it says something. Tutorials add where others subtract: their error starts from (y - a) instead of (a - y).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nn.activations import records
from nn.arrays import Array
from nn.losses import LOSSES
from nn.matrix import MatrixMLP, Passes, backward, parameter_gradients


class Transposed(NamedTuple):
    """The backward pass for samples in columns: delta (n_out, n), dW (n_out, n_in) and db (n_out, 1), layer by layer."""

    delta: list[Array]
    weights: list[Array]
    biases: list[Array]


class Signs(NamedTuple):
    """One step of gradient descent at rate 1, twice: -= the gradient, from (a - y), and += its negative, from (y - a)."""

    names: list[str]
    minus: list[Array]
    plus: list[Array]
    steps: list[Array]

    @property
    def same(self) -> bool:
        """Whether both ways lead to the same numbers, to the last bit."""
        return all(map(np.array_equal, self.minus, self.plus))


def in_columns(model: MatrixMLP, x: Array, y: Array, loss: str) -> Transposed:
    """The passes of `model` with every matrix transposed: a = f(W @ a_before + b), dW = delta @ a_before.T."""
    functions, W, A, Z = records(model.activations), [w.T.copy() for w in model.weights], [x.T.copy()], []
    for layer, w in enumerate(W):
        z = w @ A[-1]
        Z.append(z if model.biases is None else z + model.biases[layer][:, None])
        A.append(functions[layer].of(Z[-1]))
    error, chosen = np.empty_like(y), LOSSES[loss]
    chosen.evaluate(Z[-1].T, A[-1].T, y, error)
    deltas = [error.T if chosen.by_preactivation else functions[-1].through(A[-1], error.T)]
    for layer in range(len(W) - 1, 0, -1):
        deltas.insert(0, functions[layer - 1].through(A[layer], W[layer].T @ deltas[0]))
    pairs = zip(deltas, A[:-1], strict=True)
    return Transposed(deltas, [d @ a.T for d, a in pairs], [d.sum(axis=1, keepdims=True) for d in deltas])


def signs(model: MatrixMLP, found: Passes, y: Array, loss: str) -> Signs:
    """One step with -= and one with +=, from the same weights."""
    chosen, functions, error = LOSSES[loss], records(model.activations), np.empty_like(found.a[-1])
    chosen.evaluate(found.z[-1], found.a[-1], y, error)
    error = -error  # from (y - p) instead of (p - y), to the last bit
    last = error if chosen.by_preactivation else functions[-1].through(found.a[-1], error)
    towards = backward(model.weights, functions, found.a, last)
    down, up = (parameter_gradients(found.a, deltas) for deltas in (found.delta, towards))
    rows = []
    for layer in range(len(model.weights) - 1, -1, -1):
        for kind, now, d, u in zip("Wb", (model.weights, model.biases), down, up, strict=True):
            if now:
                rows.append((f"{kind}{layer + 1}", now[layer] - d[layer], now[layer] + u[layer], u[layer]))
    return Signs(*map(list, zip(*rows, strict=True)))
