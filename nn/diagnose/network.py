"""The network that is asked about, run forward and back the right way on several data sets at once.

Arrays: samples are rows, S data sets at once, so A is (S, n, k) and W is (n_in, n_out).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nn.activations import Activation
from nn.arrays import Array, transposed
from nn.losses import Loss
from nn.matrix import backward, forward


class Network(NamedTuple):
    """A forward pass on S data sets, and the right backward pass, before the loss is averaged, multiplied by `factor`."""

    W: list[Array]
    A: list[Array]
    Z: list[Array]
    E: list[Array]
    D: list[Array]
    Y: Array
    activations: tuple[Activation, ...]
    loss: Loss
    factor: float

    @property
    def depth(self) -> int:
        """The number of layers."""
        return len(self.activations)


def network(
    W: Sequence[Array],
    b: Sequence[Array],
    X: Array,
    Y: Array,
    activations: tuple[Activation, ...],
    loss: Loss,
    factor: float,
) -> Network:
    """Run forward and back. `b` has zeros where there are no biases."""
    Z, A = forward(W, b, activations, X)
    error = loss.error(A[-1], Y)
    last = activations[-1].through(A[-1], error)
    if loss.by_preactivation:
        last = np.empty_like(error)
        loss.evaluate(Z[-1], A[-1], Y, last)
        last *= Y.size if loss.reduction == "all" else Y.shape[-2]  # the sum instead of the mean
    D = backward(W, activations, A, last)
    E = [d @ transposed(w) for d, w in zip(D[1:], W[1:], strict=True)]
    return Network([X, *W], A, [X, *Z], [X, *E, error], [X, *D], Y, activations, loss, factor)
