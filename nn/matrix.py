"""The same network in NumPy, as the matrix formulas that one derives by hand.

`forward`, `backward` and `MatrixMLP.gradients` are the derivation, line by line, for any depth. Samples are rows: X is n x d,
a weight matrix is n_in x n_out, and a layer is A = f(X @ W + b). Arrays of objects (Fractions, symbols) go through the same
lines.

Weights may carry a leading axis of R networks, (R, n_in, n_out); every formula then holds for each of them.
Formulas: Nielsen, Neural Networks and Deep Learning (2015), chapter 2, BP1 to BP4, transposed for samples in rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from nn.activations import SOFTMAX, Activation, activation_names, records
from nn.arrays import Array, array, floats, layers, objects, plain, sequence, transposed
from nn.losses import LOSSES, Loss, loss_named
from nn.mlp import MLP, Predictor, initial_weights


class Gradients(NamedTuple):
    """The loss, and its derivative by every weight and bias, in arrays of their shapes; `biases` is None without any."""

    loss: Any
    weights: list[Array]
    biases: list[Array] | None


class Passes(NamedTuple):
    """What both passes compute on the way, layer by layer: `z` and `delta` are (n, n_out), `delta` being d loss / d z."""

    loss: Any
    z: list[Array]
    a: list[Array]
    delta: list[Array]


def forward(
    weights: Sequence[Array], biases: Sequence[Array] | None, activations: Sequence[Activation], x: Array
) -> tuple[list[Array], list[Array]]:
    """Every layer's pre-activation z = a_before @ W + b; and x, followed by every layer's activation a = f(z)."""
    Z: list[Array] = []
    A = [x]
    for layer, (w, activation) in enumerate(zip(weights, activations, strict=True)):
        z = A[-1] @ w
        Z.append(z if biases is None else z + biases[layer][..., None, :])
        A.append(activation.of(Z[-1]))
    return Z, A


def backward(weights: Sequence[Array], activations: Sequence[Activation], A: Sequence[Array], last: Array) -> list[Array]:
    """Every layer's delta, from the delta of the `last`: delta = (delta_after @ W_after.T) * f'(z)."""
    deltas = [last]
    for layer in range(len(weights) - 1, 0, -1):
        deltas.insert(0, activations[layer - 1].through(A[layer], deltas[0] @ transposed(weights[layer])))
    return deltas


def parameter_gradients(A: Sequence[Array], deltas: Sequence[Array]) -> tuple[list[Array], list[Array]]:
    """Every layer's dW = a_before.T @ delta and db = delta summed: both sums run over the samples."""
    dW = [transposed(a) @ delta for a, delta in zip(A[:-1], deltas, strict=True)]
    return dW, [delta.sum(axis=-2) for delta in deltas]


class MatrixMLP(Predictor):
    """A multi-layer perceptron as arrays.

    `weights`: one array per layer, (n_in, n_out), or (R, n_in, n_out) for R networks at once. `biases`: one per layer,
    (n_out,) or (R, n_out), or None for none. `activations`: one name or one per layer, of sigmoid, tanh, relu, linear,
    leaky_relu; the last one may be softmax, whose outputs are probabilities, for softmax_cross_entropy.
    The arrays are copied, as float64, or as they are if they hold objects. Arrays that take their place are checked when
    they are used. Raises `ValueError` for shapes that do not
    fit together and `TypeError` for arrays that do not hold numbers.

    >>> model = MatrixMLP([np.array([[1.0], [-1.0]])], activations="linear")
    >>> model.predict([[3.0, 1.0]])
    array([[2.]])
    """

    weights: list[Array]
    biases: list[Array] | None
    activations: tuple[str, ...]

    def __init__(
        self, weights: Sequence[Any], biases: Sequence[Any] | None = None, activations: str | Sequence[str] = "sigmoid"
    ) -> None:
        self.weights, self.biases = layers(weights, biases, stacks=True)
        self.activations = activation_names(activations, len(self.weights), (SOFTMAX.name,))

    def __repr__(self) -> str:
        sizes = [self.weights[0].shape[-2], *(w.shape[-1] for w in self.weights)]
        stack = f", {len(self.weights[0])} networks" if self.weights[0].ndim == 3 else ""
        return f"MatrixMLP({sizes}, {', '.join(self.activations)}{', no biases' * (self.biases is None)}{stack})"

    def checked(self) -> MatrixMLP:
        """The model itself, when its arrays fit; integers and float32 in them have become float64.

        Raises `ValueError` and `TypeError` for arrays of other shapes or kinds that were put into its lists.
        """
        W, b = layers(self.weights, self.biases, stacks=True, copy=False)
        activation_names(self.activations, len(W), (SOFTMAX.name,))
        for mine, found in ((self.weights, W), (self.biases, b)):
            if found is not None and any(a is not x for a, x in zip(found, mine or (), strict=True)):
                mine[:] = found  # type: ignore[index]  # not None where there are biases
        return self

    @classmethod
    def random(
        cls, sizes: Sequence[int], activations: str | Sequence[str] = "sigmoid", bias: bool = True, rng: Any = None,
        networks: int | None = None,
    ) -> MatrixMLP:  # fmt: skip
        """A network of these layer sizes with random weights and zero biases; `networks=R` gives R of them stacked.

        `rng` is a seed, a NumPy generator, or None for a fresh one. Weights: `initial_weights`.

        >>> [w.shape for w in MatrixMLP.random([3, 4, 1], rng=0, networks=10).weights]
        [(10, 3, 4), (10, 4, 1)]
        """
        names = activation_names(activations, len(sequence(sizes, "sizes", "[3, 4, 1]")) - 1, (SOFTMAX.name,))
        weights = initial_weights(sizes, names, rng, networks)
        biases = [np.zeros((*w.shape[:-2], w.shape[-1])) for w in weights] if bias else None
        return cls(weights, biases, names)

    @classmethod
    def from_mlp(cls, model: MLP) -> MatrixMLP:
        """The same network as arrays, with a copy of its numbers.

        >>> MatrixMLP.from_mlp(MLP(2, [1], rng=0)).weights[0].shape
        (2, 1)
        """
        if not isinstance(model, MLP):
            raise TypeError(f"from_mlp: the model is a {type(model).__name__}; give an MLP")
        weights = [[[w.data for w in row] for row in layer] for layer in model.weights]
        biases = [[b.data for b in layer] for layer in model.biases] if model.biases else None
        return cls(weights, biases, model.activations)

    def to_mlp(self) -> MLP:
        """The same network made of Values, with a copy of its numbers. Raises `ValueError` for stacked networks.

        >>> MatrixMLP.random([2, 1], rng=0).to_mlp().parameters()[0].label
        'W1[0,0]'
        """
        if self.weights[0].ndim == 3:
            raise ValueError(f"to_mlp: these are {len(self.weights[0])} stacked networks; convert model.network(i) instead")
        return MLP.from_arrays(self.weights, self.biases, self.activations)

    def network(self, index: int) -> MatrixMLP:
        """One of R stacked networks, as a copy.

        >>> MatrixMLP.random([3, 4, 1], rng=0, networks=10).network(7).weights[0].shape
        (3, 4)
        """
        if self.weights[0].ndim != 3:
            raise ValueError("network: this is a single network; there is none to choose")
        count = len(self.weights[0])
        if isinstance(index, bool) or not isinstance(index, int | np.integer) or not -count <= index < count:
            raise ValueError(f"index={index!r:.80} has to be a whole number from 0 to {count - 1}")
        biases = None if self.biases is None else [b[index] for b in self.biases]
        return MatrixMLP([w[index] for w in self.weights], biases, self.activations)

    def predict(self, X: Any) -> Array:
        """The outputs for the samples X, (n, d): (n, k), or (R, n, k) for R networks. Raises `ValueError` for a wrong shape.

        `model(X)` is the same. The outputs of a softmax are probabilities; those of a linear last layer that is trained with a
        cross-entropy are the logits.

        >>> MatrixMLP.random([3, 4, 1], rng=0).predict(np.ones((5, 3))).shape
        (5, 1)
        """
        self.checked()
        return forward(self.weights, self.biases, records(self.activations), self.samples(X))[1][-1]

    __call__ = predict

    def gradients(self, X: Any, Y: Any, loss: str = "half_squared_error", *, reduction: str | None = None) -> Gradients:
        """The loss on the samples X, (n, d), with targets Y, (n, k), and its gradients: the formulas derived by hand.

        half_squared_error is 1/2 of the sum over samples and outputs; mean_squared_error, binary_cross_entropy and huber are
        means over both, softmax_cross_entropy is the mean over the samples of the sum over the outputs. `reduction` is "mean",
        "sum", or None for that. Y may be n labels: of classes for softmax_cross_entropy, else for a single output.

        For two sigmoid layers and half_squared_error these lines say: delta2 = (a2 - y) * a2 * (1 - a2),
        dW2 = a1.T @ delta2, delta1 = (delta2 @ W2.T) * a1 * (1 - a1), dW1 = X.T @ delta1, and each bias its delta summed
        over the samples. Raises `ValueError` for shapes, losses or activations that do not fit.

        >>> model = MatrixMLP([np.array([[2.0]])], activations="linear")
        >>> model.gradients([[3.0]], [[5.0]]).weights[0]     # (2 * 3 - 5) * 3
        array([[3.]])
        """
        found = self.passes(X, Y, loss, reduction=reduction)
        dW, db = parameter_gradients(found.a, found.delta)
        return Gradients(found.loss, dW, None if self.biases is None else db)

    def passes(self, X: Any, Y: Any, loss: str = "half_squared_error", *, reduction: str | None = None) -> Passes:
        """The forward pass and the deltas of the backward pass, from which `gradients` makes dW and db. Raises what it raises.

        >>> model = MatrixMLP([np.array([[2.0]])], activations="linear")
        >>> model.passes([[3.0]], [[5.0]]).delta[0]     # 2 * 3 - 5
        array([[1.]])
        """
        chosen = loss_named(loss, self.checked().activations[-1]).reduced(reduction)
        x = self.samples(X)
        y = self.targets(Y, x, chosen)
        chosen.check(y)
        functions = records(self.activations)
        Z, A = forward(self.weights, self.biases, functions, x)
        if chosen.by_preactivation and objects(Z[-1]):
            raise TypeError(
                f"{loss} takes arrays of floats here, and X or the weights hold objects; model.to_mlp().loss(X, Y, {loss!r}) "
                "takes Fractions and Values"
            )
        delta = np.empty_like(A[-1])
        value = chosen.evaluate(Z[-1], A[-1], y, delta)
        if not chosen.by_preactivation:
            delta = functions[-1].through(A[-1], delta)
        return Passes(plain(value), Z, A, backward(self.weights, functions, A, delta))

    def samples(self, X: Any) -> Array:
        """X as an (n, d) array of numbers, a copy; `ValueError` for another shape, `TypeError` for anything but numbers."""
        x = array(X, "X", (2,)).copy()  # in one layout, so that equal numbers give equal bits
        if x.shape[1] != self.weights[0].shape[-2] or not len(x):
            raise ValueError(
                f"X has shape {x.shape}, expected (n, {self.weights[0].shape[-2]}) with at least one sample as a row"
            )
        return x

    def targets(self, Y: Any, x: Array, loss: Loss = LOSSES["half_squared_error"]) -> Array:
        """Y as an (n, k) array of numbers, a copy, for the samples x; of floats, where all else is floats.

        It may be labels, as the loss takes them.
        Raises `ValueError` for another shape, `TypeError` for anything but numbers.
        """
        n, k = len(x), self.weights[-1].shape[-1]
        y = loss.targets(array(Y, "Y", (1, 2)).copy(), n, k)
        if y.shape != (n, k):
            rows = f"; give one row per sample, for numbers of classes np.eye({k})[Y]" * (y.ndim == 1 and k > 1)
            raise ValueError(f"Y has shape {y.shape}, expected {(n, k)}{rows}")
        return y if objects(x, *self.weights, *(self.biases or ())) else floats(y, "Y")
