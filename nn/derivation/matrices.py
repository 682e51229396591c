"""From scalars to matrices: where each formula of backpropagation comes from, shown on the user's own network.

Every equation of `MatrixMLP` stands beside the graph of the same loss: one entry of the matrix as the sum of the
terms along which the graph reaches it, its number in both, and the index that is summed over, which says where a transpose
belongs. The graph has a node for every product of every sample, so this is for as many samples as one reads.

The equations, for samples in rows (Nielsen 2015, chapter 2, BP1 to BP4, transposed):
    (1) delta of the last layer = dC/da * f'(z)            (2) delta = (delta_after @ W_after.T) * f'(z)
    (3) dW = a_before.T @ delta                            (4) db = delta, summed over the samples
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from autograd.expressions import summed, symbol
from nn.arrays import Array, check_finite, plain
from nn.derivation.equations import Entry, Equation, Term, latex
from nn.derivation.formulas import last_delta_formula, last_delta_why, slope_formula
from nn.derivation.notation import Form, Operand, both_ways, matrix, product, why, why_summed
from nn.derivation.recorded import Place, Recorded
from nn.derivation.text import text
from nn.derivation.variants import in_columns, signs
from nn.losses import loss_named
from nn.matrix import MatrixMLP
from nn.mlp import MLP

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
                _check_finite(numbers, f"derive_matrices: {name}{layer}")
        self.transposed = in_columns(model, x, y, loss)
        self.signs = signs(model, self.passes, y, loss)
        self._values = model.to_mlp()
        self._graph = Recorded(self._values, x, y, loss)
        self._matrices: dict[str, tuple[Callable[..., Equation], int, Array]] = {}
        cls = type(self)  # functions, not methods: they would hold this object, and only the collector could free its graph
        for layer in range(len(model.weights), 0, -1):
            self._matrices[f"delta{layer}"] = cls._delta, layer, self.passes.delta[layer - 1]
            self._matrices[f"dW{layer}"] = cls._weights, layer, self.gradients.weights[layer - 1]
            if self.gradients.biases is not None:
                self._matrices[f"db{layer}"] = cls._biases, layer, self.gradients.biases[layer - 1]
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
        equation, layer, matrix = self._matrices[name]
        if not all(type(i) is int for i in entry):
            raise ValueError(f"at: the entry {list(entry)} of {name} has to be given in whole numbers, counted from 0")
        if len(entry) != matrix.ndim or not all(0 <= i < size for i, size in zip(entry, matrix.shape, strict=True)):
            raise ValueError(f"at: {name} has shape {matrix.shape}, counted from 0; there is no entry {list(entry)}")
        return equation(self, layer, entry)

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

    def _thread(self) -> Iterator[tuple[str, Entry]]:
        """The entries that are shown: one sample, and one neuron of each layer, so that each leads to the next."""
        dW, sample, neuron = self.gradients.weights, 0, 0
        for layer in range(len(dW), 0, -1):
            if layer == len(dW):  # the weight with the largest gradient, and the sample that adds most to it
                before, neuron = (int(i) for i in np.unravel_index(np.abs(dW[-1]).argmax(), dW[-1].shape))
                sample = int(np.abs(self.passes.a[-2][:, before] * self.passes.delta[-1][:, neuron]).argmax())
            else:
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

    def _terms(self, node: Any, backwards: bool = False) -> tuple[Term, ...]:
        step = -1 if backwards else 1
        routes = self._graph.routes(node)
        return tuple(Term(r.place.sample, r.place.neuron, r.expressions[::step], r.factors[::step], r.number) for r in routes)

    def _equation(self, line: int, layer: int, forms: Iterable[Form], entry: Entry, node: Any, why: str = "") -> Equation:
        rows, columns = forms
        number = plain(self._matrices[rows.result.text][2][entry])
        terms = self._terms(node, backwards=line < 3)
        return Equation(line, layer, rows, columns, entry, terms, number, self._graph.adjoint[node], why)

    def _weights(self, layer: int, entry: Entry) -> Equation:
        a, delta = self._operand("a", layer - 1, "si"), self._operand("delta", layer, "sj")
        result = matrix(f"dW{layer}", "ij", self.model.weights[layer - 1].shape)
        forms = both_ways(product(a, delta), result)
        node = self._values.weights[layer - 1][entry[0]][entry[1]]
        return self._equation(3, layer, forms, entry, node, why(a, delta, result))

    def _biases(self, layer: int, entry: Entry) -> Equation:
        name, k = f"db{layer}", self.model.weights[layer - 1].shape[1]
        delta = symbol(f"delta{layer}")
        rows = Form(summed(delta, 0), (), matrix(name, "j", (k,)))
        columns = Form(summed(delta, 1, keepdims=True), (), matrix(name, "j1", (k, 1)))
        node = (self._values.biases or [])[layer - 1][entry[0]]
        return self._equation(4, layer, (rows, columns), entry, node, why_summed(layer))

    def _delta(self, layer: int, entry: Entry) -> Equation:
        node, activation = self._graph.z[Place(layer, *entry)], self.model.activations[layer - 1]
        if layer == len(self.model.weights):
            result = self._operand("delta", layer, "sj")
            rows, columns = (last_delta_formula(self.loss, activation, layer, self.Y, axis) for axis in (1, 0))
            forms = Form(rows, (), result), Form(columns, (), result.in_columns)
            return self._equation(1, layer, forms, entry, node, last_delta_why(self.loss, activation, layer))
        result = self._operand("delta", layer, "si")
        delta, W = self._operand("delta", layer + 1, "sk"), self._operand("W", layer + 1, "ik")
        forms = both_ways(product(delta, W), result, slope_formula(activation, layer))
        left, right = forms[0].factors
        error = result._replace(expression=left.expression @ right.expression)
        return self._equation(2, layer, forms, entry, node, why(delta, W, error))


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
    chosen = loss_named(loss, matrices.checked().activations[-1])
    x = matrices.samples(X)
    y = matrices.targets(Y, x, chosen)
    arrays = {"X": x, "Y": y} | {f"weights[{i}]": w for i, w in enumerate(matrices.weights)}
    arrays |= {f"biases[{i}]": b for i, b in enumerate(matrices.biases or ())}
    for name, a in arrays.items():
        _check_finite(a, f"derive_matrices: {name}")
    products = len(x) * sum(w.size for w in matrices.weights)
    if products > LARGEST:
        some = max(1, LARGEST * len(x) // products)
        raise ValueError(
            f"derive_matrices: {len(x)} samples make {products:,} products, each a node of the graph, more than {LARGEST:,}; "
            f"give some of the samples, X[:{some}] and Y[:{some}]"
        )
    with np.errstate(all="ignore"):  # what is not finite is refused by name
        return MatrixDerivation(MatrixMLP(matrices.weights, matrices.biases, matrices.activations), x, y, loss)


def _check_finite(a: Array, name: str) -> None:
    """As `check_finite`, for arrays of objects too, in which Fractions are finite."""
    numbers = [x for x in a.flat if not isinstance(x, Fraction)] if a.dtype.hasobject else a
    check_finite(np.asarray(numbers, dtype=float), name)
