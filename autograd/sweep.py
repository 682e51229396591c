"""The chain rule, backwards, written once.

In words, with `m` computing on the numbers that the graph holds:

    for node in consumers_first(output):
        for operand, partial in zip(node.parents, node.operation.partials(m, node.data, *data of the operands)):
            adjoint[operand] += adjoint[node] * partial

The sweep visits every edge once, and a node only after all its consumers. It does not know what kind of number it adds,
and writes nothing into the graph.

An operand that a row selects against, the arm of `where` that was not taken, is sent nothing, not 0 times something: a
node to which nothing was sent sends nothing on, and so no nan comes out of the arm. On arrays and recorded Values, where
one node holds samples that differ, `adjoints` sends such an operand zeros; `guarded_adjoints` keeps with every node where
something was sent to it, which costs a choice on every edge. It is for where the zeros met an inf and came out as nan.

Source: Griewank & Walther, Evaluating Derivatives (2nd ed., SIAM 2008), section 3.2, the adjoint recursion.
"""

from __future__ import annotations

from collections.abc import Iterator
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


def adjoints(output: Any, seed: Any, zero: Any, m: Any, walk: Walk | None = None) -> dict[Any, Any]:
    """d output / d node, times `seed`, for every node of the graph; sums start from `zero`, rows compute with `m`.

    A node to which nothing was sent has a zero, or NOTHING if that is what sums start from. `walk` is for who knows the order
    of the sweep. Raises `OverflowError` where a float meets a Fraction that no float can hold.

    >>> from autograd import Value
    >>> from autograd.operations import FLOATS
    >>> x = Value(3.0)
    >>> adjoints(x * x + x, seed=1.0, zero=0.0, m=FLOATS)[x]
    7.0
    """
    order, adjoint = walk or consumers_first(output, zero)
    adjoint[output] = seed
    try:
        for node in order:  # one and two operands are spelled out: this loop is half of the time of a training step
            upstream = adjoint[node]
            if upstream is zero:  # nothing was sent
                continue
            operation = node.operation
            if not operation.simple:
                for operand, partial in _sent(node, m):
                    term = upstream if partial is ONE else upstream * partial
                    if operation.selects and m is not FLOATS:
                        term = m.where(m.not_equal(partial, 0), term, m.zeros_like(term))
                    adjoint[operand] = adjoint[operand] + term
                continue
            a = node.left
            b = node.right
            if b is None:
                (by_a,) = operation.partials(m, node.data, a.data)
            else:
                by_a, by_b = operation.partials(m, node.data, a.data, b.data)
                adjoint[b] = adjoint[b] + (upstream if by_b is ONE else upstream * by_b)  # not `+=`: an array would be changed
            adjoint[a] = adjoint[a] + (upstream if by_a is ONE else upstream * by_a)
    except OverflowError:
        raise OverflowError(
            "a derivative has floats in it and a Fraction beyond 1.8e308; give all numbers as Fractions, or all as floats"
        ) from None
    return adjoint if m is FLOATS or zero is NOTHING else _filled(adjoint, zero, m)


def _filled(adjoint: dict[Any, Any], zero: Any, m: Any) -> dict[Any, Any]:
    """The adjoints with a zero of the numbers at hand, an array of their shape, for a node to which nothing was sent."""
    return {node: m.zeros_like(node.data) if x is zero else x for node, x in adjoint.items()}


def _sent(node: Any, m: Any) -> Iterator[tuple[Any, Any]]:
    """The operands of a node, the last one first, with their partials; without those that are sent nothing."""
    operation, parents = node.operation, node.parents
    partials = operation.partials(m, node.data, *[parent.data for parent in parents])
    for operand, partial in zip(parents[::-1], partials[::-1], strict=True):
        if operation.sends(partial) if m is FLOATS else partial is not NEVER or not operation.selects:
            yield operand, partial


def guarded_adjoints(output: Any, seed: Any, zero: Any, m: Any, walk: Walk | None = None) -> dict[Any, Any]:
    """The adjoints, where what is sent to an operand is sent on only where it was sent, sample by sample.

    >>> import numpy as np
    >>> from autograd import Value, greater, log, where
    >>> from autograd.graph import images, topological_order
    >>> from autograd.modules import arithmetic
    >>> x, m = Value(1.0), arithmetic(np)
    >>> y = where(greater(x, 0), log(x), 0.0)  # at the samples 1.0 and -1.0:
    >>> order = topological_order(y)
    >>> data = {node: np.array([node.data] * 2) for node in order} | {x: np.array([1.0, -1.0]), order[2]: np.array([1, 0])}
    >>> image = images(order, data)
    >>> adjoints(image[y], 1.0, 0.0, m)[image[x]], guarded_adjoints(image[y], 1.0, 0.0, m)[image[x]]
    (array([ 1., nan]), array([1., 0.]))
    """
    order, adjoint = walk or consumers_first(output, zero)
    adjoint[output] = seed
    reached: dict[Any, Any] = {output: True}  # where something was sent to a node: always, or a choice
    for node in order:
        upstream = adjoint[node]
        if upstream is zero:
            continue
        for operand, partial in _sent(node, m):
            term, taken = upstream if partial is ONE else upstream * partial, reached[node]
            if node.operation.selects:
                nonzero = m.not_equal(partial, 0)
                taken = nonzero if taken is True else m.logical_and(taken, nonzero)
            adjoint[operand] = adjoint[operand] + (term if taken is True else m.where(taken, term, m.zeros_like(term)))
            before = reached.get(operand, False)
            if before is False or taken is True:
                reached[operand] = taken
            elif before is not True:
                reached[operand] = m.where(before, 1, taken)
    return adjoint if zero is NOTHING else _filled(adjoint, zero, m)


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
