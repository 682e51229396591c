"""A multi-layer perceptron made of Values: neurons of layers, as one would draw them.

It uses only the public names of `autograd`, as any user's code does. Every product and sum is a node of the graph, so the
network can be drawn, derived and checked. `MatrixMLP` is the fast one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import add, mul
from typing import Any

import numpy as np

from autograd import Value, dot, zero_grad
from nn.activations import ACTIVATIONS, activation_names, records
from nn.arrays import LISTS, Array, array, generator, kind_of, layers, plain, sequence, shape_of, whole
from nn.losses import loss_named


def initial_weights(sizes: Sequence[int], activations: Sequence[str], rng: Any, networks: int | None = None) -> list[Array]:
    """Uniform random weights per layer, of the width that keeps signals and gradients of one size from layer to layer."""
    if len(sizes) < 2 or any(isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1 for n in sizes):
        raise ValueError(f"sizes: {list(sizes)} has to be at least two whole numbers from 1 up: inputs, layers, outputs")
    random = generator(rng)
    stack = () if networks is None else (whole("networks", networks, 1),)
    weights = []
    for n_in, n_out, activation in zip(sizes[:-1], sizes[1:], activations, strict=True):
        width = records([activation])[0].width(n_in, n_out)
        weights.append(random.uniform(-width, width, (*stack, n_in, n_out)))
    return weights


def _entries(x: Any, name: str) -> list[Any]:
    """The numbers or Values of an array, in lists."""
    entries: list[Any] = array(x, name, (1, 2)).tolist()
    return entries


class Module:
    """What has parameters: neurons, layers, networks, and a user's own."""

    def parameters(self) -> list[Value]:
        """Every weight and bias: none, until a class says which."""
        return []

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to zero."""
        zero_grad(self.parameters())


class Predictor:
    """What can be said of a network by its outputs for many samples, which `predict` gives."""

    predict: Callable[[Any], Array]
    activations: tuple[str, ...]

    def classify(self, X: Any) -> Array:
        """The labels of the samples X: the number of the largest output; of one 1 where its pre-activation is above 0."""
        a, (last,) = self.predict(X), records(self.activations[-1:])
        return a.argmax(axis=-1) if a.shape[-1] > 1 else (a[..., 0] > last.of(np.zeros(1))).astype(int)

    def score(self, X: Any, Y: Any) -> Any:
        """The share of the samples X that `classify` gets right. `ValueError` where Y are no labels, nor rows of 0 and 1."""
        found, y = self.classify(X), array(Y, "Y", (1, 2))
        labels = y.argmax(axis=1) if (rows := y.ndim == 2 and y.shape[1] > 1) else y.ravel()
        if labels.shape != found.shape[-1:] or not (np.isin(y, (0, 1)) if rows else y == np.rint(y)).all():
            raise ValueError(f"Y has shape {y.shape}; expected {found.shape[-1]} labels, or as many rows of 0 and 1")
        return plain((found == labels).mean(axis=-1))


class Neuron(Module):
    """f(w . x + b): `weights` has one Value per input, `bias` is a Value or None.

    `Neuron(3)` draws three weights, by `initial_weights`, and has a bias of 0 and relu, as micrograd's. Where `nodes` is "dot",
    w . x is one node of the graph.
    """

    nodes = "each"

    def __init__(
        self,
        weights: Sequence[Value] | int,
        bias: Value | None = None,
        activation: str = "relu",
        name: str = "",
        rng: Any = None,
    ) -> None:
        if isinstance(weights, int | np.integer):
            (drawn,) = initial_weights([weights, 1], activation_names(activation, 1), rng)
            weights, bias = [Value(x) for x in drawn[:, 0].tolist()], Value(0.0) if bias is None else bias
        self.weights = sequence(weights, "weights", "[Value(0.5)]")
        self.bias, self.name = bias, name
        for what in (*self.weights, *(() if bias is None else (bias,))):
            if not isinstance(what, Value):
                raise TypeError(f"weights and bias: {what!r:.60} is a {type(what).__name__}; a neuron is made of Values")
        if not self.weights:
            raise ValueError("weights: there are none; a neuron has one for each input")
        (self.activation,) = activation_names(activation, 1)
        self.w, self.b = self.weights, bias  # micrograd's names

    def parameters(self) -> list[Value]:
        """The weights, then the bias."""
        return [*self.weights, *(() if self.bias is None else (self.bias,))]

    def preactivation(self, x: Sequence[Value]) -> Value:
        """w . x + b, before the activation."""
        n = len(self.weights)
        if not (isinstance(x, list) and len(x) == n and set(map(type, x)) == {Value}):  # as from layer to layer
            shape = shape_of(x, "x")
            if shape != (n,):
                raise ValueError(f"x has shape {shape}, expected ({n},); the neuron {self.name} has {n} weights{kind_of(x)}")
            x = _entries(x, "x")
        z: Value = dot(x, self.weights) if self.nodes == "dot" else reduce(add, map(mul, x, self.weights))
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


class Layer(Module, list[Neuron]):
    """A list of neurons with the same inputs; `Layer(3, 2)` draws two of them, as `Neuron(3)` does."""

    def __init__(self, n_in: Any, n_out: int = 1, activation: str = "relu", rng: Any = None) -> None:
        random = generator(rng)
        drawn = isinstance(n_in, int | np.integer)
        super().__init__(
            [Neuron(n_in, None, activation, "", random) for _ in range(n_out)] if drawn else sequence(n_in, "n_in", "3")
        )

    neurons = property(lambda self: self, doc="The neurons, by micrograd's name.")

    def parameters(self) -> list[Value]:
        """Every weight and bias, neuron by neuron."""
        return [p for neuron in self for p in neuron.parameters()]

    def __call__(self, x: Any) -> list[Value]:
        """The outputs of the neurons."""
        return [neuron(x) for neuron in self]


def _neurons(weights: Any, biases: Any, activations: tuple[str, ...]) -> list[Layer]:
    """Neurons with these numbers, labelled by layer and index: W1[i,j] leads from input i to neuron j of layer 1."""
    W, b = layers(weights, biases, stacks=False)
    found = []
    for layer, (w, activation) in enumerate(zip(W, activations, strict=True), 1):
        into = [[Value(x, f"W{layer}[{i},{j}]") for i, x in enumerate(column)] for j, column in enumerate(w.T.tolist())]
        bias = [None] * len(into) if b is None else [Value(x, f"b{layer}[{j}]") for j, x in enumerate(b[layer - 1].tolist())]
        neurons = zip(into, bias, strict=True)
        found.append(Layer([Neuron(values, of, activation, f"a{layer}[{j}]") for j, (values, of) in enumerate(neurons)]))
    return found


class MLP(Module, Predictor):
    """A network of `n_in` inputs and layers of `n_outs` neurons, of Values.

    `activations` is one name or one per layer, of sigmoid, tanh, relu, linear, leaky_relu; `bias=False` leaves the biases
    out; `rng` is a seed, a NumPy generator, or None for a fresh one. Weights: `initial_weights`; biases start at zero.
    `single=True` makes it micrograd's: one output comes as a Value, not as a list of one, and activations that are not given
    are relu, linear in the last layer; else they are sigmoid. With `nodes="dot"` each sum of products is one node. Raises
    `ValueError` for sizes or names that do not fit.

    >>> model = MLP(3, [4, 1], rng=0)
    >>> (output,) = model([1.0, 0.0, 1.0])
    >>> output.backward()
    >>> len(model.parameters()), model.weights[0][2][3].label
    (21, 'W1[2,3]')
    """

    activations: tuple[str, ...]
    layers: list[Layer]
    single = False

    def __init__(
        self, n_in: int, n_outs: Sequence[int], activations: Any = None, bias: bool = True, rng: Any = None, *,
        single: bool = False, nodes: str = "each",
    ) -> None:  # fmt: skip
        if isinstance(n_outs, int | np.integer):
            raise TypeError(
                f"n_outs={n_outs} is a number; give the width of every layer, the outputs last, for example [4, {n_outs}]"
            )
        n_outs = sequence(n_outs, "n_outs", "[4, 1]")
        if activations is None:
            activations = [*["relu"] * (len(n_outs) - 1), "linear"] if single else "sigmoid"
        self.activations = names = activation_names(activations, len(n_outs))
        self.single = single
        if not isinstance(nodes, str) or nodes not in ("each", "dot"):
            raise ValueError(f"nodes={nodes!r:.60} has to be 'each', a node for each product and sum, or 'dot'")
        self.layers = _neurons(
            initial_weights([n_in, *n_outs], names, rng), [[0.0] * n for n in n_outs] if bias else None, names
        )
        for layer in self.layers:
            for neuron in layer:
                neuron.nodes = nodes

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
        return [p for layer in self.layers for p in layer.parameters()]

    def __repr__(self) -> str:
        sizes = f"{len(self.layers[0][0].weights)}, {[len(layer) for layer in self.layers]}"
        return f"MLP({sizes}, {', '.join(self.activations)}{', no biases' * (self.biases is None)})"

    def predict(self, X: Any) -> Array:
        """The outputs for the samples X, (n, n_in), as numbers: (n, n_out)."""
        return np.array([[neuron(inputs).data for neuron in self.layers[-1]] for inputs in map(self._forward, self._rows(X))])

    def _rows(self, X: Any) -> list[Any]:
        n_in, shape = len(self.layers[0][0].weights), shape_of(X, "X")
        if shape[1:] != (n_in,) or not shape[0]:
            raise ValueError(f"X has shape {shape}, expected (n, {n_in}), one row per sample, at least one{kind_of(X)}")
        return _entries(X, "X")

    def __call__(self, x: Any) -> Any:
        """The outputs for one sample, a list of Values. Raises `ValueError` if it has not n_in numbers or Values."""
        outputs = self.layers[-1](self._last_inputs(x))
        return outputs[0] if self.single and len(outputs) == 1 else outputs

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

    def loss(self, X: Any, Y: Any, loss: str = "half_squared_error", *, reduction: str | None = None) -> Value:
        """The loss over the samples X, n rows of n_in numbers, with targets Y, n rows of n_out numbers, as one Value.

        `reduction` and labels as Y are those of `MatrixMLP.gradients`. Raises `ValueError` for shapes, a loss, or a last
        activation that do not fit.

        >>> model = MLP.from_arrays([[[2.0]]], activations="linear")
        >>> loss = model.loss([[3.0]], [[5.0]])
        >>> loss.backward()
        >>> loss.data, model.weights[0][0][0].grad     # 1/2 (2 * 3 - 5)^2, (2 * 3 - 5) * 3
        (0.5, 3.0)
        """
        chosen = loss_named(loss, self.activations[-1]).reduced(reduction)
        rows, wanted, n_out = self._rows(X), shape_of(Y, "Y"), len(self.layers[-1])
        y = chosen.targets(array(Y, "Y", (1, 2)), len(rows), n_out) if wanted else Y
        if np.shape(y) != (len(rows), n_out):
            raise ValueError(f"Y has shape {wanted}, expected {(len(rows), n_out)}, one row per sample{kind_of(Y)}")
        targets = y.tolist()
        chosen.check(targets)
        z, a = [], []
        for x in rows:
            inputs = self._forward(x)
            z.append([neuron.preactivation(inputs) for neuron in self.layers[-1]])
            a.append([neuron.activate(z_j) for neuron, z_j in zip(self.layers[-1], z[-1], strict=True)])
        return chosen.graph(z, a, targets)
