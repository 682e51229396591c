"""A multi-layer perceptron made of Values: neurons of layers, as one would draw them.

It uses only the public names of `autograd`, as any user's code does. Every product and sum is a node of the graph, so the
network can be drawn, derived and checked. `MatrixMLP` is the fast one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add, mul
from typing import Any

import numpy as np

from autograd import Value, zero_grad
from nn.activations import ACTIVATIONS, activation_names
from nn.arrays import LISTS, Array, array, kind_of, layers, sequence, shape_of, whole
from nn.losses import loss_named


def initial_weights(sizes: Sequence[int], activations: Sequence[str], rng: Any, networks: int | None = None) -> list[Array]:
    """Uniform random weights per layer, of the width that keeps signals and gradients of one size from layer to layer.

    The width is that of the layer's activation, glorot or he. Raises `ValueError` for fewer than two sizes or a size below
    one.
    """
    if len(sizes) < 2 or any(isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1 for n in sizes):
        raise ValueError(f"sizes: {list(sizes)} has to be at least two whole numbers from 1 up: inputs, layers, outputs")
    random = _generator(rng)
    stack = () if networks is None else (whole("networks", networks, 1),)
    weights = []
    for n_in, n_out, activation in zip(sizes[:-1], sizes[1:], activations, strict=True):
        width = ACTIVATIONS[activation].width(n_in, n_out)
        weights.append(random.uniform(-width, width, (*stack, n_in, n_out)))
    return weights


def _generator(rng: Any) -> Any:
    if isinstance(rng, np.random.RandomState):
        return rng
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        raise type(error)(f"rng={rng!r:.60} is no seed: {error}; give a whole number, a NumPy generator, or None") from None


def _entries(x: Any, name: str) -> list[Any]:
    """The numbers or Values of an array, in lists."""
    entries: list[Any] = array(x, name, (1, 2)).tolist()
    return entries


class Neuron:
    """f(w . x + b): `weights` has one Value per input, `bias` is a Value or None."""

    def __init__(self, weights: Sequence[Value], bias: Value | None, activation: str, name: str = "") -> None:
        self.weights = sequence(weights, "weights", "[Value(0.5)]")
        self.bias, self.name = bias, name
        for what in (*self.weights, *(() if bias is None else (bias,))):
            if not isinstance(what, Value):
                raise TypeError(f"weights and bias: {what!r:.60} is a {type(what).__name__}; a neuron is made of Values")
        if not self.weights:
            raise ValueError("weights: there are none; a neuron has one for each input")
        (self.activation,) = activation_names(activation, 1)

    def preactivation(self, x: Sequence[Value]) -> Value:
        """w . x + b, before the activation."""
        n = len(self.weights)
        if not (isinstance(x, list) and len(x) == n and set(map(type, x)) == {Value}):  # as from layer to layer
            shape = shape_of(x, "x")
            if shape != (n,):
                raise ValueError(f"x has shape {shape}, expected ({n},); the neuron {self.name} has {n} weights{kind_of(x)}")
            x = _entries(x, "x")
        z: Value = reduce(add, map(mul, x, self.weights))
        return z if self.bias is None else z + self.bias

    def activate(self, z: Value) -> Value:
        """f(z), labelled with the neuron's name."""
        if not isinstance(z, Value):
            raise TypeError(f"z={z!r:.60} is a {type(z).__name__}; give a Value, as `preactivation` returns")
        a = ACTIVATIONS[self.activation].graph(z)
        a.label = self.name
        return a

    def __call__(self, x: Sequence[Value]) -> Value:
        """f(w . x + b)."""
        return self.activate(self.preactivation(x))


def _neurons(weights: Any, biases: Any, activations: tuple[str, ...]) -> list[list[Neuron]]:
    """Neurons with these numbers, labelled by layer and index: W1[i,j] leads from input i to neuron j of layer 1."""
    W, b = layers(weights, biases, stacks=False)
    found = []
    for layer, (w, activation) in enumerate(zip(W, activations, strict=True), 1):
        into = [[Value(x, f"W{layer}[{i},{j}]") for i, x in enumerate(column)] for j, column in enumerate(w.T.tolist())]
        bias = [None] * len(into) if b is None else [Value(x, f"b{layer}[{j}]") for j, x in enumerate(b[layer - 1].tolist())]
        neurons = zip(into, bias, strict=True)
        found.append([Neuron(values, of, activation, f"a{layer}[{j}]") for j, (values, of) in enumerate(neurons)])
    return found


class MLP:
    """A network of `n_in` inputs and layers of `n_outs` neurons, of Values.

    `activations` is one name or one per layer, of sigmoid, tanh, relu, linear, leaky_relu; `bias=False` leaves the biases
    out; `rng` is a seed, a NumPy generator, or None for a fresh one. Weights: `initial_weights`; biases start at zero.
    Raises `ValueError` for sizes or names that do not fit.

    >>> model = MLP(3, [4, 1], rng=0)
    >>> (output,) = model([1.0, 0.0, 1.0])
    >>> output.backward()
    >>> len(model.parameters()), model.weights[0][2][3].label
    (21, 'W1[2,3]')
    """

    activations: tuple[str, ...]
    layers: list[list[Neuron]]

    def __init__(
        self, n_in: int, n_outs: Sequence[int], activations: str | Sequence[str] = "sigmoid", bias: bool = True, rng: Any = None
    ) -> None:
        if isinstance(n_outs, int | np.integer):
            raise TypeError(
                f"n_outs={n_outs} is a number; give the width of every layer, the outputs last, for example [4, {n_outs}]"
            )
        n_outs = sequence(n_outs, "n_outs", "[4, 1]")
        names = activation_names(activations, len(n_outs))
        self.activations = names
        self.layers = _neurons(
            initial_weights([n_in, *n_outs], names, rng), [[0.0] * n for n in n_outs] if bias else None, names
        )

    @classmethod
    def from_arrays(
        cls, weights: Sequence[Any], biases: Sequence[Any] | None = None, activations: str | Sequence[str] = "sigmoid"
    ) -> MLP:
        """The network with these numbers: weights of shape (n_in, n_out) per layer, biases of shape (n_out,) or None.

        Raises `ValueError` for shapes that do not fit together and `TypeError` for entries that are not real numbers.

        >>> model = MLP.from_arrays([[[2.0], [3.0]]], [[1.0]], activations="linear")
        >>> model([10.0, 100.0])[0].data
        321.0
        """
        model = cls.__new__(cls)
        model.activations = activation_names(activations, len(sequence(weights, "weights", LISTS["weights"])))
        model.layers = _neurons(weights, biases, model.activations)
        return model

    @property
    def weights(self) -> list[list[list[Value]]]:
        """`weights[l][i][j]`: from input i to neuron j of layer l, in the shape of the matrices, n_in x n_out."""
        return [[list(row) for row in zip(*(neuron.weights for neuron in layer), strict=True)] for layer in self.layers]

    @property
    def biases(self) -> list[list[Value]] | None:
        """`biases[l][j]`: of neuron j of layer l; None for a network without biases."""
        found = [[neuron.bias for neuron in layer if neuron.bias is not None] for layer in self.layers]
        return found if found[0] else None

    def parameters(self) -> list[Value]:
        """Every weight and bias, layer by layer and neuron by neuron."""
        return [
            p
            for layer in self.layers
            for neuron in layer
            for p in (*neuron.weights, *(() if neuron.bias is None else (neuron.bias,)))
        ]

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to zero."""
        zero_grad(self.parameters())

    def __call__(self, x: Any) -> list[Value]:
        """The outputs for one sample, a list of Values. Raises `ValueError` if it has not n_in numbers or Values."""
        inputs = self._last_inputs(x)
        return [neuron(inputs) for neuron in self.layers[-1]]

    def _last_inputs(self, x: Any) -> list[Value]:
        """What comes into the last layer."""
        n_in = len(self.layers[0][0].weights)
        shape = shape_of(x, "x")
        if shape != (n_in,):
            raise ValueError(f"x has shape {shape}, expected ({n_in},): one number or Value for each input{kind_of(x)}")
        return self._forward(_entries(x, "x"))

    def _forward(self, x: Sequence[Any]) -> list[Value]:
        signals = [v if isinstance(v, Value) else Value(v, f"x[{i}]") for i, v in enumerate(x)]
        for layer in self.layers[:-1]:
            signals = [neuron(signals) for neuron in layer]
        return signals

    def loss(self, X: Any, Y: Any, loss: str = "half_squared_error") -> Value:
        """The loss over the samples X, n rows of n_in numbers, with targets Y, n rows of n_out numbers, as one Value.

        Raises `ValueError` for shapes, a loss, or a last activation that do not fit.

        >>> model = MLP.from_arrays([[[2.0]]], activations="linear")
        >>> loss = model.loss([[3.0]], [[5.0]])
        >>> loss.backward()
        >>> loss.data, model.weights[0][0][0].grad     # 1/2 (2 * 3 - 5)^2, (2 * 3 - 5) * 3
        (0.5, 3.0)
        """
        chosen = loss_named(loss, self.activations[-1])
        n_in, n_out = len(self.layers[0][0].weights), len(self.layers[-1])
        shape, wanted = shape_of(X, "X"), shape_of(Y, "Y")
        if shape[1:] != (n_in,) or not shape[0]:
            raise ValueError(f"X has shape {shape}, expected (n, {n_in}), one row per sample, at least one{kind_of(X)}")
        if wanted != (shape[0], n_out):
            raise ValueError(f"Y has shape {wanted}, expected {(shape[0], n_out)}, one row per sample{kind_of(Y)}")
        rows, targets = _entries(X, "X"), _entries(Y, "Y")
        chosen.check(targets)
        z, a = [], []
        for x in rows:
            inputs = self._forward(x)
            z.append([neuron.preactivation(inputs) for neuron in self.layers[-1]])
            a.append([neuron.activate(z_j) for neuron, z_j in zip(self.layers[-1], z[-1], strict=True)])
        return chosen.graph(z, a, targets)
