"""A training step as a list of NumPy calls, arguments bound and every buffer allocated once: `nn.matrix`, faster.

It takes a quarter of the time of a loop over `MatrixMLP.gradients` for the 3-4-1 network, two thirds for 64-32-10 on 200
samples. Small matrices multiply by `ndarray.dot`, which costs half of what `@` does; layers with the same activation share
one buffer and so one call for the slope; all weights are one array, updated by one subtraction.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np

from nn.activations import records
from nn.arrays import Array, transposed
from nn.losses import Loss
from nn.matrix import MatrixMLP

Call = Callable[[], Any]


class Weights:
    """All weights and biases of a network in one array, with a view for each layer and its parts."""

    def __init__(self, model: MatrixMLP, flat: Array | None = None) -> None:
        self.blocks: list[Array] = []
        self.weights: list[Array] = []
        self.biases: list[Array] = []
        blocks = model.weights
        if model.biases is not None:
            pairs = zip(model.weights, model.biases, strict=True)
            blocks = [np.concatenate((w, b[..., None, :]), axis=-2) for w, b in pairs]
        self.flat = np.concatenate([block.ravel() for block in blocks]) if flat is None else flat
        start = 0
        for like, w in zip(blocks, model.weights, strict=True):
            block = self.flat[start : start + like.size].reshape(like.shape)
            start += like.size
            self.blocks.append(block)
            self.weights.append(block[..., : w.shape[-2], :])
            if model.biases is not None:
                self.biases.append(block[..., -1, :])


def _product(a: Array, b: Array, out: Array) -> Call:
    small = a.ndim == b.ndim == 2 and out.size < 4096  # dot zeroes `out` first, which costs more than matmul's overhead
    return partial(a.dot, b, out) if small else partial(np.matmul, a, b, out)


class Buffers:
    """Activations, slopes and deltas of every layer, for n samples."""

    def __init__(self, model: MatrixMLP, n: int) -> None:
        shapes = [(*w.shape[:-2], n, w.shape[-1]) for w in model.weights]
        sizes = [int(np.prod(shape)) for shape in shapes]
        self.bounds = np.cumsum([0, *sizes])
        self.flat_a, self.flat_slope = np.zeros(self.bounds[-1]), np.zeros(self.bounds[-1])
        self.a, self.slope = (
            [flat[i:j].reshape(shape) for i, j, shape in zip(self.bounds[:-1], self.bounds[1:], shapes, strict=True)]
            for flat in (self.flat_a, self.flat_slope)
        )
        self.scratch, self.delta = ([np.zeros(shape) for shape in shapes] for _ in range(2))
        self.z = np.zeros(shapes[-1])


def forward_calls(model: MatrixMLP, x: Array, w: Weights, at: Buffers, guarded: bool) -> list[Call]:
    """A = f(A_before @ W + b), layer by layer; the last pre-activation stays in `at.z`."""
    calls: list[Call] = []
    before, last = x, len(w.weights) - 1
    for layer, (weights, a) in enumerate(zip(w.weights, at.a, strict=True)):
        z = at.z if layer == last else a
        calls.append(_product(before, weights if layer else w.blocks[0], z))
        if w.biases and layer:
            calls.append(partial(np.add, z, w.biases[layer][..., None, :], z))
        if model.activations[layer] != "linear" or z is not a:
            (f,) = records([model.activations[layer]])
            value = f.value if guarded or f.unguarded is None else f.unguarded
            calls.append(partial(value, z, a, at.scratch[layer]))
        before = a
    return calls


def backward_calls(model: MatrixMLP, xT: Array, w: Weights, into: Weights, at: Buffers, loss: Loss) -> list[Call]:
    """delta = (delta_after @ W_after.T) * f'(z); dW = A_before.T @ delta; db = delta summed over the samples."""
    calls: list[Call] = []
    last = len(w.weights) - 1
    ones = np.ones((1, xT.shape[1]))  # `ones @` sums over the samples, in less than half of the time of `np.add.reduce`
    with_slope = range(last if loss.by_preactivation else last + 1)
    for name, run in groupby(with_slope, key=lambda layer: model.activations[layer]):
        layers = list(run)
        part = slice(at.bounds[layers[0]], at.bounds[layers[-1] + 1])
        calls.append(partial(records([name])[0].slope, at.flat_a[part], at.flat_slope[part]))
    for layer in range(last, -1, -1):
        delta = at.delta[layer]
        if layer < last:
            calls.append(_product(at.delta[layer + 1], transposed(w.weights[layer + 1]), delta))
        if layer in with_slope:
            calls.append(partial(np.multiply, delta, at.slope[layer], delta))
        if layer == 0:  # with biases, x ends in a column of ones: one product gives dW and db
            calls.append(_product(xT, delta, into.blocks[0]))
            continue
        calls.append(_product(transposed(at.a[layer - 1]), delta, into.weights[layer]))
        if w.biases:
            calls.append(_product(ones, delta, into.biases[layer][..., None, :]))
    return calls
