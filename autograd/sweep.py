"""The chain rule, written once.

The sweep visits every edge of the graph once, a node only after all its consumers, and adds `adjoint * partial` to the
parent at the other end. It does not know what kind of number it adds: Values and their images (`graph.images`) go the
same way. Nothing is written into the graph. The trade-off: one and two operands are spelled out instead of looped over,
because this loop is half of the time of a training step.

Source: Griewank & Walther, Evaluating Derivatives (2nd ed., SIAM 2008), section 3.2, the adjoint recursion.
"""

from __future__ import annotations

from typing import Any

from autograd.graph import consumers_first


class _Nothing:
    """The sum of no contributions: where sums are recorded, `0 + x` would record an operation, this does not."""

    def __add__(self, other: Any) -> Any:
        return other


NOTHING = _Nothing()
ONE = 1  # the partial of a sum: `upstream * 1` would cost a multiplication, and record a node, for nothing


def adjoints(output: Any, seed: Any, zero: Any) -> dict[Any, Any]:
    """d output / d node, times `seed`, for every node of the graph; sums start from `zero`.

    Raises `OverflowError` where a float meets a Fraction that no float can hold.

    >>> from autograd import Value
    >>> x = Value(3.0)
    >>> adjoints(x * x + x, seed=1.0, zero=0.0)[x]
    7.0
    """
    order, adjoint = consumers_first(output, zero)
    adjoint[output] = seed
    try:
        for node in order:
            upstream = adjoint[node]
            a = node.left
            b = node.right
            if b is None:
                (by_a,) = node.rule.partials(node.data, a.data)
            else:
                by_a, by_b = node.rule.partials(node.data, a.data, b.data)
                adjoint[b] = adjoint[b] + (upstream if by_b is ONE else upstream * by_b)  # not `+=`: an array would be changed
            adjoint[a] = adjoint[a] + (upstream if by_a is ONE else upstream * by_a)
    except OverflowError:
        raise OverflowError(
            "a derivative has floats in it and a Fraction beyond 1.8e308; give all numbers as Fractions, or all as floats"
        ) from None
    return adjoint
