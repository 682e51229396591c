"""The chain rule, backwards, written once.

In words, with `m` computing on the numbers that the graph holds:

    for node in consumers_first(output):
        for operand, partial in zip(node.parents, node.operation.partials(m, node.data, *data of the operands)):
            adjoint[operand] += adjoint[node] * partial

The sweep visits every edge once, and a node only after all its consumers. It does not know what kind of number it adds,
and writes nothing into the graph.

Source: Griewank & Walther, Evaluating Derivatives (2nd ed., SIAM 2008), section 3.2, the adjoint recursion.
"""

from __future__ import annotations

from typing import Any

from autograd.graph import consumers_first, images, topological_order
from autograd.operations import FLOATS
from autograd.recording import latest, recorded_numbers


class _Nothing:
    """The sum of no contributions: where sums are recorded, `0 + x` would record an operation, this does not."""

    def __add__(self, other: Any) -> Any:
        return other


NOTHING = _Nothing()
ONE = 1  # the partial of a sum: `upstream * 1` would cost a multiplication, and record a node, for nothing


def adjoints(output: Any, seed: Any, zero: Any, m: Any) -> dict[Any, Any]:
    """d output / d node, times `seed`, for every node of the graph; sums start from `zero`, rows compute with `m`.

    Raises `OverflowError` where a float meets a Fraction that no float can hold.

    >>> from autograd import Value
    >>> from autograd.operations import FLOATS
    >>> x = Value(3.0)
    >>> adjoints(x * x + x, seed=1.0, zero=0.0, m=FLOATS)[x]
    7.0
    """
    order, adjoint = consumers_first(output, zero)
    adjoint[output] = seed
    try:
        for node in order:  # one and two operands are spelled out: this loop is half of the time of a training step
            upstream = adjoint[node]
            operation = node.operation
            a = node.left
            b = node.right
            if b is None:
                (by_a,) = operation.partials(m, node.data, a.data)
            elif not operation.many:
                by_a, by_b = operation.partials(m, node.data, a.data, b.data)
                adjoint[b] = adjoint[b] + (upstream if by_b is ONE else upstream * by_b)  # not `+=`: an array would be changed
            else:
                by_a, *others = operation.partials(m, node.data, *(parent.data for parent in node.parents))
                for operand, partial in zip(node.parents[:0:-1], others[::-1], strict=True):
                    adjoint[operand] = adjoint[operand] + (upstream if partial is ONE else upstream * partial)
            adjoint[a] = adjoint[a] + (upstream if by_a is ONE else upstream * by_a)
    except OverflowError:
        raise OverflowError(
            "a derivative has floats in it and a Fraction beyond 1.8e308; give all numbers as Fractions, or all as floats"
        ) from None
    return adjoint


def gradients(output: Any) -> dict[Any, Any]:
    """d output / d node for every node of a recorded graph, at the numbers with which it was recorded.

    Raises `ValueError` where a number was changed by hand in the middle of recording.
    """
    kind = type(output.data)
    results, _ = consumers_first(output, None)
    if not results or latest[0] < results[-1].order:
        return adjoints(output, kind(1), kind(), FLOATS)
    order = topological_order(output)
    numbers = recorded_numbers(order)
    found = images(order, numbers)
    kind = type(numbers[output])
    by_image = adjoints(found[output], kind(1), kind(), FLOATS)
    return {node: by_image[found[node]] for node in order}
