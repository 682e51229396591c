"""The chain rule, backwards, written once: every edge is visited once, and a node only after all its consumers.

It does not know what kind of number it adds, and writes nothing into the graph. Source: Griewank & Walther, Evaluating
Derivatives (2nd ed., SIAM 2008), section 3.2, the adjoint recursion.
"""

from __future__ import annotations

from functools import partial as fixed
from typing import Any, TypeAlias

from autograd.graph import consumers_first, images, topological_order
from autograd.operations import FLOATS
from autograd.recording import latest, recorded_numbers


class _Nothing:
    """The sum of no contributions: where sums are recorded, `0 + x` would record an operation, this does not."""

    def __add__(self, other: Any) -> Any:
        return other


NOTHING = _Nothing()
NEVER = 0  # the partial of what never has a slope, whatever the numbers are
ONE = 1  # the partial of a sum: `upstream * 1` would cost a multiplication, and record a node, for nothing
Walk: TypeAlias = tuple[list[Any], dict[Any, Any]]  # what `consumers_first` returns


def adjoints(output: Any, seed: Any, zero: Any, m: Any, walk: Walk | None = None, *, guarded: bool = False) -> dict[Any, Any]:
    """d output / d node, times `seed`, for every node of the graph; sums start from `zero`, rows compute with `m`."""
    order, adjoint = walk or consumers_first(output, zero)
    adjoint[output] = seed
    reached: dict[Any, Any] = {output: True}  # where something was sent to a node: always, or a choice
    try:
        for node in order:
            upstream = adjoint[node]
            if upstream is zero:
                continue
            row = node.operation
            if not (row.many or row.selects or guarded):  # spelled out: the loop below takes 15 % longer with create_graph
                a, b = node.left, node.right
                if b is None:
                    (by_a,) = row.partials(m, node.data, a.data)
                else:
                    by_a, by_b = row.partials(m, node.data, a.data, b.data)
                    adjoint[b] = adjoint[b] + (upstream if by_b is ONE else upstream * by_b)  # not `+=`: it may be an array
                adjoint[a] = adjoint[a] + (upstream if by_a is ONE else upstream * by_a)
                continue
            parents = node.parents
            partials = row.partials(m, node.data, *[operand.data for operand in parents])
            for operand, partial in zip(parents[::-1], partials[::-1], strict=True):
                taken = reached[node] if guarded else True
                if row.selects:
                    if not row.sends(partial) if m is FLOATS else partial is NEVER:
                        continue
                    if m is not FLOATS:
                        nonzero = m.not_equal(partial, 0)
                        taken = nonzero if taken is True else m.logical_and(taken, nonzero)
                term = upstream if partial is ONE else upstream * partial
                if taken is not True:
                    term = m.where(taken, term, m.zeros_like(term))
                adjoint[operand] = adjoint[operand] + term
                if guarded:
                    before = reached.get(operand, False)
                    reached[operand] = (
                        taken if before is False or taken is True else True if before is True else m.where(before, 1, taken)
                    )
    except OverflowError:
        raise OverflowError(
            "a derivative has floats in it and a Fraction beyond 1.8e308; give all numbers as Fractions, or all as floats"
        ) from None
    if m is FLOATS or zero is NOTHING:
        return adjoint
    return {node: m.zeros_like(node.data) if x is zero else x for node, x in adjoint.items()}  # an array of the shape at hand


guarded_adjoints = fixed(adjoints, guarded=True)


def gradients(output: Any) -> dict[Any, Any]:
    """d output / d node for every node of a recorded graph, at the numbers with which it was recorded."""
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
