"""Reading a recorded graph: its nodes in order, its edges, the order of a sweep; and the same graph with other numbers.

Loops with a stack of their own instead of recursion: Python's stack ends at a thousand nodes. Nothing here changes a graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from operator import attrgetter
from typing import Any, Protocol, TypeVar

stamp = count(1).__next__  # numbers results as they are recorded: an operand has a smaller one than its consumers


class Ordered(Protocol):
    """What can be put in order: anything that has operands of its own kind."""

    @property
    def parents(self) -> tuple[Any, ...]:
        """The operands in order, with multiplicity."""


class Node(Ordered, Protocol):
    """What a graph is made of: a Value, or anything else with its number, its operation and its operands."""

    data: Any
    operation: Any
    left: Any  # None where there is none, and so `right`; `rest` is read only where the operation has more than two
    right: Any


O = TypeVar("O", bound=Ordered)
N = TypeVar("N", bound=Node)


def topological_order(*outputs: O) -> list[O]:
    """Every node on which the outputs depend, each once, parents before consumers.

    The order is that in which a person would compute the expression, left operand first, and the same on every run.
    Raises `TypeError` for anything that has no operands of its own kind, such as a number.

    >>> from autograd import Value
    >>> a, b = Value(2.0, "a"), Value(3.0, "b")
    >>> [node.label or node.operation.symbol for node in topological_order(a * b + a)]
    ['a', 'b', '*', '+']
    """
    for output in outputs:
        if not hasattr(output, "parents"):
            raise TypeError(f"topological_order: {output!r:.60} is of type {type(output).__name__}; give Values")
    order: list[O] = []
    seen: set[O] = set()
    stack: list[O | None] = list(outputs[::-1])
    while stack:
        node = stack.pop()
        if node is None:  # the node under this marker has all its parents in the order by now
            order.append(stack.pop())  # type: ignore[arg-type]  # what lies under a marker is never a marker
        elif node not in seen:
            seen.add(node)
            stack += (node, None, *node.parents[::-1])
    return order


def edges(order: Iterable[N]) -> Iterator[tuple[N, N, int]]:
    """(parent, consumer, position) of every edge; `x * x` has two."""
    return ((parent, consumer, place) for consumer in order for place, parent in enumerate(consumer.parents))


def consumers_first(output: Any, zero: Any) -> tuple[list[Any], dict[Any, Any]]:
    """What a sweep walks along: the results in the order of recording, backwards, and a dictionary of `zero` for every node."""
    zeros = {output: zero}
    results = [output] if output.left is not None else []
    for consumer in results:  # grows while it is read
        for node in consumer.parents:
            if node not in zeros:
                zeros[node] = zero
                if node.left is not None:
                    results.append(node)
    results.sort(key=attrgetter("order"), reverse=True)
    return results, zeros


class Image:
    """A node's place in the same graph, holding another kind of number."""

    __slots__ = ("data", "left", "operation", "order", "rest", "right")

    def __init__(self, data: Any, operation: Any, *operands: Any) -> None:
        self.data, self.operation, self.order = data, operation, stamp()
        self.left, self.right, self.rest = placed(operands)

    @property
    def parents(self) -> tuple[Any, ...]:
        """The operands in order, with multiplicity."""
        return tuple(operand for operand in (self.left, self.right, *self.rest) if operand is not None)


def placed(operands: tuple[Any, ...]) -> tuple[Any, Any, tuple[Any, ...]]:
    """Any number of operands as a node keeps them: left, right, and the rest."""
    left, right, *rest = (*operands, None, None) if len(operands) < 2 else operands
    return left, right, tuple(rest) if len(operands) > 2 else ()


def images(order: Iterable[N], data: Mapping[N, Any]) -> dict[N, Image]:
    """The graph of `order` with other numbers, `data`."""
    found: dict[N, Image] = {}
    for node in order:
        found[node] = Image(data[node], node.operation, *(found[parent] for parent in node.parents))
    return found
