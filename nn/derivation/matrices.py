"""From scalars to matrices: where each formula of backpropagation comes from, shown on the user's own network.

Every equation of `MatrixMLP` stands beside the graph of the same loss, one entry as the sum of the terms along which the
graph reaches it. The graph has a node for every product of every sample, so this is for as many samples as one reads.

The equations, for samples in rows (Nielsen 2015, chapter 2, BP1 to BP4, transposed):
    (1) delta of the last layer = dC/da * f'(z)            (2) delta = (delta_after @ W_after.T) * f'(z)
    (3) dW = a_before.T @ delta                            (4) db = delta, summed over the samples
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from nn.arrays import Array, check_finite, plain
from nn.derivation.equations import Equation, latex, text
from nn.derivation.formulas import formulas
from nn.derivation.recorded import Recorded
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
                check_finite(numbers, f"derive_matrices: {name}{layer}")
        self.transposed = in_columns(model, x, y, loss)
        self.signs = signs(model, self.passes, y, loss)
        self._graph = Recorded(model.to_mlp(), x, y, loss)
        self._formulas = formulas(model, y, loss)
        self._matrices = {f"delta{layer}": (f"z{layer}", a) for layer, a in enumerate(self.passes.delta, 1)}
        self._matrices |= {f"dW{layer}": (f"W{layer}", a) for layer, a in enumerate(self.gradients.weights, 1)}
        self._matrices |= {f"db{layer}": (f"b{layer}", a) for layer, a in enumerate(self.gradients.biases or (), 1)}
        self.equations = tuple(self.at(name, *entry) for name, entry in self._thread())

    def at(self, name: str, *entry: int) -> Equation:
        """The equation of delta2, dW2 or db2 with all terms of this entry.

        Raises `ValueError` for a name or an entry that the network has not.

        >>> derivation = derive_matrices(MatrixMLP.random([2, 3, 1], rng=0), [[0, 1], [1, 1]], [[1], [0]])
        >>> [term.symbols for term in derivation.at("dW2", 2, 0).terms]
        [('a1[0,2]', 'delta2[0,0]'), ('a1[1,2]', 'delta2[1,0]')]
        """
        if name not in self._formulas:
            raise ValueError(f"at: this network has no {name!r}; it has {', '.join(self._formulas)}")
        f, (of, numbers) = self._formulas[name], self._matrices[name]  # `numbers` are the derivatives by `of`
        if not all(type(i) is int for i in entry):
            raise ValueError(f"at: the entry {list(entry)} of {name} has to be given in whole numbers, counted from 0")
        if len(entry) != numbers.ndim or not all(0 <= i < size for i, size in zip(entry, numbers.shape, strict=True)):
            raise ValueError(f"at: {name} has shape {numbers.shape}, counted from 0; there is no entry {list(entry)}")
        node = self._graph.nodes[f"{of}[{','.join(map(str, entry))}]"]
        terms, slope = self._graph.terms(node, from_loss=f.line < 3), self._graph.adjoint[node]
        return Equation(f.line, f.layer, f.rows, f.columns, entry, terms, plain(numbers[entry]), slope, f.why)

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

    _repr_latex_ = latex

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
