"""Matrix formulas as text: NumPy code that can be run, with the shapes that go with it, and the same in LaTeX.

Where a transpose belongs is not written down anywhere but found from the letters of the indices: `s` for the sample, others
for neurons. A product sums over the letter that its factors share, and that letter has to stand inside: last in the left
factor, first in the right one. The trade-off: one letter is enough, for no formula here sums over more.
"""

from __future__ import annotations

import ast
from typing import NamedTuple

SAMPLE = "s"


class Operand(NamedTuple):
    """A matrix of a formula: its text, the letters of its indices, and its shape."""

    text: str
    letters: str
    shape: tuple[int, ...]

    @property
    def turned(self) -> Operand:
        """The transposed matrix."""
        return Operand(self.text.removesuffix(".T") if self.text.endswith(".T") else f"{self.text}.T", *self._reversed())

    @property
    def in_columns(self) -> Operand:
        """The matrix of the same name, for samples in columns."""
        return Operand(self.text, *self._reversed())

    def _reversed(self) -> tuple[str, tuple[int, ...]]:
        return self.letters[::-1], self.shape[::-1]

    @property
    def dims(self) -> str:
        """The shape as text, with n for the number of samples: (n, 4)."""
        sizes = ["n" if letter == SAMPLE else str(size) for letter, size in zip(self.letters, self.shape, strict=True)]
        return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"

    @property
    def entry(self) -> str:
        """Any one entry: a1[s,i]."""
        return f"{self.text}[{','.join(self.letters)}]"


class Form(NamedTuple):
    """A formula for one layout of the samples: its text, the factors of its matrix product, if any, and its result."""

    text: str
    factors: tuple[Operand, ...]
    result: Operand

    def __str__(self) -> str:
        return f"{self.result.text} = {self.text}"

    @property
    def shapes(self) -> str:
        """The shapes as text: (4, n) @ (n, 1) -> (4, 1)."""
        product = " @ ".join(factor.dims for factor in self.factors)
        return f"{product} -> {self.result.dims}" if product else self.result.dims


def product(left: Operand, right: Operand) -> tuple[Operand, Operand]:
    """The two factors as they have to stand for the index that they share to be summed over, transposed where need be.

    >>> a1, delta2 = Operand("a1", "si", (5, 4)), Operand("delta2", "sj", (5, 1))
    >>> [factor.text for factor in product(a1, delta2)]
    ['a1.T', 'delta2']
    """
    (shared,) = set(left.letters) & set(right.letters)
    return left if left.letters[-1] == shared else left.turned, right if right.letters[0] == shared else right.turned


def both_ways(factors: tuple[Operand, Operand], result: Operand, template: str) -> tuple[Form, Form]:
    """The formula for samples in rows and for samples in columns: (A @ B).T = B.T @ A.T, and each name is transposed.

    >>> a1, delta2, dW2 = Operand("a1", "si", (5, 4)), Operand("delta2", "sj", (5, 1)), Operand("dW2", "ij", (4, 1))
    >>> rows, columns = both_ways(product(a1, delta2), dW2, "{} @ {}")
    >>> print(rows, rows.shapes, columns, columns.shapes, sep="    ")
    dW2 = a1.T @ delta2    (4, n) @ (n, 1) -> (4, 1)    dW2 = delta2 @ a1.T    (1, n) @ (n, 4) -> (1, 4)
    """
    left, right = factors
    turned = right.in_columns, left.in_columns
    return tuple(  # type: ignore[return-value]  # two of them
        Form(template.format(a.text, b.text), (a, b), into) for (a, b), into in ((factors, result), (turned, result.in_columns))
    )


def why(left: Operand, right: Operand, result: Operand) -> str:
    """Why the transposes stand where they stand, from the indices of the factors as they are called, untransposed.

    >>> a1, delta2, W2 = Operand("a1", "si", (5, 4)), Operand("delta2", "sj", (5, 1)), Operand("dW2", "ij", (4, 1))
    >>> import textwrap
    >>> print(textwrap.fill(why(a1, delta2, W2), 100))
    dW2[i,j] is the sum over the samples s of a1[s,i] * delta2[s,j]. A matrix product sums over its
    inner indices, so s has to be inner and i, j outer, (i,s) @ (s,j): a1[s,i] is turned to a1.T[i,s],
    delta2[s,j] stays.
    """
    placed = product(left, right)
    turns = [
        f"{plain.entry} {'stays' if factor == plain else f'is turned to {factor.entry}'}"
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


def bracketed(formula: str) -> str:
    """The formula as a factor of a product: in parentheses if it is a sum, a comparison or has a sign.

    >>> bracketed("1 - a2"), bracketed("a2 * (1 - a2)"), bracketed("log'")
    ('(1 - a2)', 'a2 * (1 - a2)', "log'")
    """
    try:
        node = ast.parse(formula, mode="eval").body
    except SyntaxError:
        return formula
    loose = isinstance(node, ast.Compare | ast.UnaryOp) or (
        isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)
    )
    return f"({formula})" if loose else formula
