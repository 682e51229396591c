"""Matrix formulas: expressions with the shapes that go with them, which print as NumPy code that can be run, and as LaTeX.

Where a transpose belongs is found from the letters of the indices: `s` for the sample, others for neurons. A product sums
over the letter that its factors share, and that letter has to stand inside: last in the left factor, first in the right
one. One letter is enough, for no formula here sums over more.
"""

from __future__ import annotations

from typing import NamedTuple

from autograd.expressions import Expression, as_text, symbol, unchanged
from autograd.operations import OPERATIONS

SAMPLE = "s"


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
    def transposed(self) -> Operand:
        """The transposed matrix."""
        return Operand(self.expression.T, self.letters[::-1], self.shape[::-1])

    @property
    def in_columns(self) -> Operand:
        """The matrix of the same name, for samples in columns."""
        return Operand(self.expression, self.letters[::-1], self.shape[::-1])

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


def both_ways(factors: tuple[Operand, Operand], result: Operand, slope: Expression | None = None) -> tuple[Form, Form]:
    """The product for samples in rows and for samples in columns, times the slope: (A @ B).T = B.T @ A.T."""

    def form(left: Operand, right: Operand, into: Operand) -> Form:
        found = left.expression @ right.expression
        return Form(found if slope is None else times(found, slope), (left, right), into)

    left, right = factors
    return form(left, right, result), form(right.in_columns, left.in_columns, result.in_columns)


def why(left: Operand, right: Operand, result: Operand) -> str:
    """Why the transposes stand where they stand, from the indices of the factors as they are called, untransposed."""
    placed = product(left, right)
    turns = [
        f"{plain.entry} {'stays' if factor is plain else f'is turned to {factor.entry}'}"
        for plain, factor in ((left, placed[0]), (right, placed[1]))
    ]
    shared = placed[0].letters[-1]
    inner = " @ ".join(f"({','.join(factor.letters)})" for factor in placed)
    return (
        f"{result.entry} is the sum over the {'samples' if shared == SAMPLE else 'neurons'} {shared} of {left.entry} * "
        f"{right.entry}. A matrix product sums over its inner indices, so {shared} has to be inner and "
        f"{', '.join(result.letters)} outer, {inner}: {', '.join(turns)}."
    )


def why_summed(layer: int) -> str:
    """Why biases are summed over the samples."""
    return (
        f"db{layer}[j] is the sum over the samples s of delta{layer}[s,j]: one and the same b{layer}[j] is added in every "
        f"sample, with slope 1, so every sample has its share. It is the line of dW{layer} for an input that is always 1."
    )
