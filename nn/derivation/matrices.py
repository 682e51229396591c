"""From scalars to matrices: where each formula of backpropagation comes from, shown on the user's own network.

Every equation of `MatrixMLP` stands beside the graph of the same loss, one entry as the sum of the terms along which the
graph reaches it. The graph has a node for every product of every sample, so this is for as many samples as one reads.

The equations, for samples in rows (Nielsen 2015, chapter 2, BP1 to BP4, transposed):
    (1) delta of the last layer = dC/da * f'(z)            (2) delta = (delta_after @ W_after.T) * f'(z)
    (3) dW = a_before.T @ delta                            (4) db = delta, summed over the samples
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np

from autograd import Value
from autograd.expressions import summed, symbol
from nn.arrays import Array, check_finite, plain
from nn.derivation.equations import Equation, latex, text
from nn.derivation.formulas import Form, Operand, both_ways, last_delta_formula, last_delta_why, matrix, slope_formula, why
from nn.derivation.recorded import Place, Recorded
from nn.derivation.variants import in_columns, signs
from nn.losses import loss_named
from nn.matrix import MatrixMLP
from nn.mlp import MLP

Found: TypeAlias = tuple[int, tuple[Form, Form], Value, str]  # line, formula in both layouts, node of the entry, reason
LARGEST = 200_000  # products that are recorded at most: four seconds


class MatrixDerivation:
    """The matrix equations of one network beside the graph, from the loss back: `equations`; to print, or `.latex()`.

    `passes` and `gradients` are the matrices, `transposed` the same passes for samples in columns, `signs` one step of
    gradient descent with minus and with plus. Made by `derive_matrices`.
    """

    def __init__(self, model: MatrixMLP, x: Array, y: Array, loss: str) -> None:
        self.model, self.X, self.Y, self.loss = model, x, y, loss
        self.passes, self.gradients = model.passes(x, y, loss), model.gradients(x, y, loss)
        for name, found in (("z", self.passes.z), ("delta", self.passes.delta)):
            for layer, numbers in enumerate(found, 1):
                check_finite(numbers, f"derive_matrices: {name}{layer}")
        self.transposed = in_columns(model, x, y, loss)
        self.signs = signs(model, self.passes, y, loss)
        self._values = model.to_mlp()
        self._graph = Recorded(self._values, x, y, loss)
        kinds = (("delta", self.passes.delta), ("dW", self.gradients.weights), ("db", self.gradients.biases))
        self._matrices = {
            f"{kind}{layer}": (kind, layer, arrays[layer - 1])
            for layer in range(len(model.weights), 0, -1)
            for kind, arrays in kinds
            if arrays
        }
        self.equations = tuple(self.at(name, *entry) for name, entry in self._thread())

    def at(self, name: str, *entry: int) -> Equation:
        """The equation of delta2, dW2 or db2 with all terms of this entry.

        Raises `ValueError` for a name or an entry that the network has not.

        >>> derivation = derive_matrices(MatrixMLP.random([2, 3, 1], rng=0), [[0, 1], [1, 1]], [[1], [0]])
        >>> [term.symbols for term in derivation.at("dW2", 2, 0).terms]
        [('a1[0,2]', 'delta2[0,0]'), ('a1[1,2]', 'delta2[1,0]')]
        """
        if name not in self._matrices:
            raise ValueError(f"at: this network has no {name!r}; it has {', '.join(self._matrices)}")
        kind, layer, numbers = self._matrices[name]
        if not all(type(i) is int for i in entry):
            raise ValueError(f"at: the entry {list(entry)} of {name} has to be given in whole numbers, counted from 0")
        if len(entry) != numbers.ndim or not all(0 <= i < size for i, size in zip(entry, numbers.shape, strict=True)):
            raise ValueError(f"at: {name} has shape {numbers.shape}, counted from 0; there is no entry {list(entry)}")
        found: dict[str, Callable[..., Found]] = {"delta": self._delta, "dW": self._weights, "db": self._biases}
        line, (rows, columns), node, reason = found[kind](layer, *entry)
        terms = self._graph.terms(node, from_loss=line < 3)
        return Equation(line, layer, rows, columns, entry, terms, plain(numbers[entry]), self._graph.adjoint[node], reason)

    @property
    def columns_apart(self) -> Any:
        """The largest difference between an entry and the same one for samples in columns."""
        rows, columns = self.gradients, self.transposed
        pairs = [*zip(self.passes.delta, columns.delta, strict=True), *zip(rows.weights, columns.weights, strict=True)]
        if rows.biases is not None:
            pairs += [(b, c[:, 0]) for b, c in zip(rows.biases, columns.biases, strict=True)]
        return max(plain(np.abs(a - b.T).max()) for a, b in pairs)

    def __str__(self) -> str:
        return text(self)

    def latex(self) -> str:
        """All equations with their entries, as an `align*` environment of amsmath."""
        return latex(self.equations)

    def _repr_latex_(self) -> str:
        return self.latex()

    def _thread(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """The entries that are shown: one sample, and one neuron of each layer, so that each leads to the next."""
        dW = self.gradients.weights  # from the weight with the largest gradient, and the sample that adds most to it
        before, neuron = (int(i) for i in np.unravel_index(np.abs(dW[-1]).argmax(), dW[-1].shape))
        sample = int(np.abs(self.passes.a[-2][:, before] * self.passes.delta[-1][:, neuron]).argmax())
        for layer in range(len(dW), 0, -1):
            before = int(np.abs(dW[layer - 1][:, neuron]).argmax())
            yield f"delta{layer}", (sample, neuron)
            yield f"dW{layer}", (before, neuron)
            if self.gradients.biases is not None:
                yield f"db{layer}", (neuron,)
            neuron = before

    def _operand(self, name: str, layer: int, index: str) -> Operand:
        """The matrix of that name as it stands in a formula: X is a0."""
        found = {"a": self.passes.a, "delta": [self.X, *self.passes.delta], "W": [self.X, *self.model.weights]}[name]
        return matrix(f"{name}{layer}" if name != "a" or layer else "X", index, found[layer].shape)

    def _weights(self, layer: int, i: int, j: int) -> Found:
        operands = self._operand("a", layer - 1, "si"), self._operand("delta", layer, "sj")
        result = matrix(f"dW{layer}", "ij", self.model.weights[layer - 1].shape)
        return 3, both_ways(*operands, result), self._values.weights[layer - 1][i][j], why(*operands, result)

    def _biases(self, layer: int, j: int) -> Found:
        name, delta, k = f"db{layer}", symbol(f"delta{layer}"), self.model.weights[layer - 1].shape[1]
        rows = Form(summed(delta, 0), (), matrix(name, "j", (k,)))
        columns = Form(summed(delta, 1, keepdims=True), (), matrix(name, "j1", (k, 1)))
        reason = (
            f"{name}[j] is the sum over the samples s of delta{layer}[s,j]: one and the same b{layer}[j] is added in every "
            f"sample, with slope 1, so every sample has its share. It is the line of dW{layer} for an input that is always 1."
        )
        return 4, (rows, columns), (self._values.biases or [])[layer - 1][j], reason

    def _delta(self, layer: int, s: int, i: int) -> Found:
        node, activation = self._graph.z[Place(layer, s, i)], self.model.activations[layer - 1]
        result = self._operand("delta", layer, "si")
        if layer == len(self.model.weights):
            rows, columns = (last_delta_formula(self.loss, activation, layer, self.Y, axis) for axis in (1, 0))
            forms = Form(rows, (), result), Form(columns, (), result.in_columns)
            return 1, forms, node, last_delta_why(self.loss, activation, layer)
        operands = self._operand("delta", layer + 1, "sk"), self._operand("W", layer + 1, "ik")
        forms = both_ways(*operands, result, slope_formula(activation, layer))
        left, right = forms[0].factors
        error = result._replace(expression=left.expression @ right.expression)
        return 2, forms, node, why(*operands, error)


def derive_matrices(model: MatrixMLP | MLP, X: Any, Y: Any, loss: str = "half_squared_error") -> MatrixDerivation:
    """Each matrix equation of the network's gradients beside the graph of the same loss; see `MatrixDerivation`. Print it.

    `model` is a single network; X is (n, d) and Y (n, k), a sample a row, all finite. `loss` is one of `nn.LOSSES`. The
    derivation has copies of all numbers. Raises `ValueError` for shapes that do not fit, stacked networks, numbers that are
    not finite and more than LARGEST products (samples times weights), and `TypeError` for another kind of model.

    >>> X, Y = [[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]], [[0], [1], [1], [0]]
    >>> derivation = derive_matrices(MatrixMLP.random([3, 4, 1], bias=False, rng=1), X, Y)
    >>> for equation in derivation.equations:
    ...     print(equation.line, equation.rows, "   ", equation.rows.shapes)
    1 delta2 = (a2 - Y) * a2 * (1 - a2)     (n, 1)
    3 dW2 = a1.T @ delta2     (4, n) @ (n, 1) -> (4, 1)
    2 delta1 = (delta2 @ W2.T) * a1 * (1 - a1)     (n, 1) @ (1, 4) -> (n, 4)
    3 dW1 = X.T @ delta1     (3, n) @ (n, 4) -> (3, 4)
    """
    if not isinstance(model, MatrixMLP | MLP):
        raise TypeError(f"derive_matrices: the model is a {type(model).__name__}; give a MatrixMLP or an MLP")
    matrices = MatrixMLP.from_mlp(model) if isinstance(model, MLP) else model
    if matrices.weights[0].ndim == 3:
        raise ValueError(f"derive_matrices: these are {len(matrices.weights[0])} stacked networks; give one, model.network(i)")
    loss_named(loss, matrices.activations[-1])
    x = matrices.samples(X)
    y = matrices.targets(Y, x)
    arrays = {"X": x, "Y": y} | {f"weights[{i}]": w for i, w in enumerate(matrices.weights)}
    arrays |= {f"biases[{i}]": b for i, b in enumerate(matrices.biases or ())}
    for name, a in arrays.items():
        check_finite(a, f"derive_matrices: {name}")
    products = len(x) * sum(w.size for w in matrices.weights)
    if products > LARGEST:
        some = max(1, LARGEST * len(x) // products)
        raise ValueError(
            f"derive_matrices: {len(x)} samples make {products:,} products, each a node of the graph, more than {LARGEST:,}; "
            f"give some of the samples, X[:{some}] and Y[:{some}]"
        )
    with np.errstate(all="ignore"):  # what is not finite is refused by name
        return MatrixDerivation(MatrixMLP(matrices.weights, matrices.biases, matrices.activations), x, y, loss)
