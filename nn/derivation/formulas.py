"""Matrix formulas: expressions with their shapes, which print as NumPy code that can be run; and those of losses and slopes.

Where a transpose belongs is found from the letters of the indices: `s` for the sample, others for neurons. A product sums
over the letter that its factors share, and that letter has to stand inside: last in the left factor, first in the right
one. One letter is enough, for no formula here sums over more.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from autograd.expressions import SYMBOLS, Expression, as_text, call, summed, symbol, unchanged
from autograd.operations import OPERATIONS
from nn.activations import ACTIVATIONS, SOFTMAX
from nn.arrays import Array
from nn.losses import LOSSES
from nn.matrix import MatrixMLP

SAMPLE, Y = "s", symbol("Y")


class Operand(NamedTuple):
    """A matrix of a formula: its expression, the letters of its indices, and its shape."""

    expression: Expression
    letters: str
    shape: tuple[int, ...]

    @property
    def text(self) -> str:
        """The matrix as code: a1.T."""
        return as_text(self.expression)

    @property
    def in_columns(self) -> Operand:
        """The matrix of the same name, for samples in columns."""
        return Operand(self.expression, self.letters[::-1], self.shape[::-1])

    @property
    def transposed(self) -> Operand:
        """The transposed matrix."""
        return self.in_columns._replace(expression=self.expression.T)

    @property
    def dims(self) -> str:
        """The shape as text, with n for the number of samples: (n, 4)."""
        sizes = ["n" if letter == SAMPLE else str(size) for letter, size in zip(self.letters, self.shape, strict=True)]
        return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"

    @property
    def entry(self) -> str:
        """Any one entry: a1[s,i]."""
        return as_text(self.expression[tuple(self.letters)])


def matrix(name: str, letters: str, shape: tuple[int, ...]) -> Operand:
    """The matrix of that name."""
    return Operand(symbol(name), letters, shape)


class Form(NamedTuple):
    """A formula for one layout of the samples: its expression, the factors of its matrix product, if any, and its result."""

    expression: Expression
    factors: tuple[Operand, ...]
    result: Operand

    @property
    def text(self) -> str:
        """The formula as code."""
        return as_text(self.expression)

    def __str__(self) -> str:
        return f"{self.result.text} = {self.text}"

    @property
    def shapes(self) -> str:
        """The shapes as text: (4, n) @ (n, 1) -> (4, 1)."""
        product = " @ ".join(factor.dims for factor in self.factors)
        return f"{product} -> {self.result.dims}" if product else self.result.dims


def product(left: Operand, right: Operand) -> tuple[Operand, Operand]:
    """The two factors as they have to stand for the index that they share to be summed over, transposed where need be."""
    (shared,) = set(left.letters) & set(right.letters)
    return left if left.letters[-1] == shared else left.transposed, right if right.letters[0] == shared else right.transposed


def times(a: Expression, b: Expression) -> Expression:
    """a * b without parentheses around b: a * (b * c) is (a * b) * c."""
    if b.op is OPERATIONS["mul"]:
        return times(times(a, b.parents[0]), b.parents[1])
    return unchanged(OPERATIONS["mul"])(a, b)


def both_ways(left: Operand, right: Operand, result: Operand, slope: Expression | None = None) -> tuple[Form, Form]:
    """The product for samples in rows and for samples in columns, times the slope: (A @ B).T = B.T @ A.T."""

    def form(first: Operand, second: Operand, into: Operand) -> Form:
        found = first.expression @ second.expression
        return Form(found if slope is None else times(found, slope), (first, second), into)

    a, b = product(left, right)
    return form(a, b, result), form(b.in_columns, a.in_columns, result.in_columns)


def why(left: Operand, right: Operand, result: Operand) -> str:
    """Why the transposes stand where they stand, from the indices of the factors as they are called, untransposed."""
    placed = product(left, right)
    pairs = zip((left, right), placed, strict=True)
    turns = [f"{a.entry} {'stays' if a is turned else f'is turned to {turned.entry}'}" for a, turned in pairs]
    shared = placed[0].letters[-1]
    inner = " @ ".join(f"({','.join(factor.letters)})" for factor in placed)
    return (
        f"{result.entry} is the sum over the {'samples' if shared == SAMPLE else 'neurons'} {shared} of {left.entry} * "
        f"{right.entry}. A matrix product sums over its inner indices, so {shared} has to be inner and "
        f"{', '.join(result.letters)} outer, {inner}: {', '.join(turns)}."
    )


def predicted(loss: str, activation: str, layer: int) -> Expression:
    """p, what is compared with the targets: the activation of the last layer, or what the loss makes of a bare z."""
    canonical, z = LOSSES[loss].canonical, symbol(f"z{layer}")
    if canonical is None or canonical.name == activation:
        return symbol(f"a{layer}")
    return getattr(SYMBOLS, canonical.name)(z) if canonical.name in OPERATIONS else call(canonical.name, z)


def slope_formula(activation: str, layer: int) -> Expression | None:
    """The slope of the layer's activation; None if it is 1."""
    formula = ACTIVATIONS[activation].formula
    return None if formula is None else formula(symbol(f"a{layer}"), symbol(f"z{layer}"))


def last_delta_formula(loss: str, activation: str, layer: int, y: Array, axis: int) -> Expression:
    """Delta of the last layer; `axis` is that of the outputs, 0 for samples in columns."""
    chosen, p = LOSSES[loss], predicted(loss, activation, layer)
    if chosen.canonical is SOFTMAX and not np.allclose(y.sum(axis=1), 1, rtol=0, atol=1e-12):
        p = p * summed(Y, axis, keepdims=True)
    error, slope = chosen.delta(p, Y), slope_formula(activation, layer)
    return error if chosen.by_preactivation or slope is None else times(error, slope)


def last_delta_why(loss: str, activation: str, layer: int) -> str:
    """Where the formula of the last delta comes from, in words."""
    chosen = LOSSES[loss]
    if chosen.by_preactivation or ACTIVATIONS[activation].formula is None:
        return chosen.why
    a, z = f"a{layer}", f"z{layer}"
    return f"{chosen.why} C depends on {z} only through {a} = {activation}({z}), so the slope of {activation} is a factor."


class Formula(NamedTuple):
    """One of the equations (1) to (4), `line`, of a layer: the formula in both layouts, and why it is that."""

    line: int
    layer: int
    rows: Form
    columns: Form
    why: str


def formulas(model: MatrixMLP, y: Array, loss: str) -> dict[str, Formula]:
    """The formulas of every delta, dW and db by their names, from the loss back."""
    found, n, last = {}, len(y), len(model.weights)
    for layer in range(last, 0, -1):
        (n_in, n_out), activation = model.weights[layer - 1].shape, model.activations[layer - 1]
        before = matrix(f"a{layer - 1}" if layer > 1 else "X", "si", (n, n_in))
        delta, dW = matrix(f"delta{layer}", "sj", (n, n_out)), matrix(f"dW{layer}", "ij", (n_in, n_out))
        if layer == last:
            rows, columns = (last_delta_formula(loss, activation, layer, y, axis) for axis in (1, 0))
            layouts = Form(rows, (), delta), Form(columns, (), delta.in_columns)
            found[delta.text] = Formula(1, layer, *layouts, last_delta_why(loss, activation, layer))
        else:
            W = matrix(f"W{layer + 1}", "ik", model.weights[layer].shape)
            after, result = matrix(f"delta{layer + 1}", "sk", (n, W.shape[1])), delta._replace(letters="si")
            left, right = product(after, W)
            reason = why(after, W, result._replace(expression=left.expression @ right.expression))
            found[delta.text] = Formula(2, layer, *both_ways(after, W, result, slope_formula(activation, layer)), reason)
        found[dW.text] = Formula(3, layer, *both_ways(before, delta, dW), why(before, delta, dW))
        if model.biases is not None:
            found[f"db{layer}"] = _of_biases(layer, n_out)
    return found


def _of_biases(layer: int, n_out: int) -> Formula:
    name, delta = f"db{layer}", symbol(f"delta{layer}")
    rows = Form(summed(delta, 0), (), matrix(name, "j", (n_out,)))
    columns = Form(summed(delta, 1, keepdims=True), (), matrix(name, "j1", (n_out, 1)))
    reason = (
        f"{name}[j] is the sum over the samples s of delta{layer}[s,j]: one and the same b{layer}[j] is added in every "
        f"sample, with slope 1, so every sample has its share. It is the line of dW{layer} for an input that is always 1."
    )
    return Formula(4, layer, rows, columns, reason)
