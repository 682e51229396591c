"""Reading a recorded graph: its nodes in order, its edges, how many consumers each result has.

Loops with a stack of their own instead of recursion: Python's stack ends at a thousand nodes, a graph at the memory.
Nothing here changes the graph; whatever has `left` and `right` can be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol, TypeVar

from autograd.rules import Rule


class Ordered(Protocol):
    """What can be put in order: anything that has operands of its own kind."""

    @property
    def parents(self) -> tuple[Any, ...]:
        """The operands in order, with multiplicity."""


class Node(Ordered, Protocol):
    """What a graph is made of: a Value, or anything else with its number, its rule and its operands."""

    data: Any
    rule: Rule
    left: Any
    right: Any


O = TypeVar("O", bound=Ordered)
N = TypeVar("N", bound=Node)


def topological_order(*outputs: O) -> list[O]:
    """Every node on which the outputs depend, each once, parents before consumers.

    The order is that in which a person would compute the expression, left operand first, and the same on every run.

    >>> from autograd import Value
    >>> a, b = Value(2.0, "a"), Value(3.0, "b")
    >>> [node.label or node.rule.symbol for node in topological_order(a * b + a)]
    ['a', 'b', '*', '+']
    """
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
    """(parent, consumer, position) of every edge; `x * x` has two.

    >>> from autograd import Value
    >>> x = Value(3.0, "x")
    >>> [(parent.label, position) for parent, _, position in edges(topological_order(x * x))]
    [('x', 0), ('x', 1)]
    """
    for consumer in order:
        for position, parent in enumerate(consumer.parents):
            yield parent, consumer, position


def local_partials(node: Any) -> tuple[Any, ...]:
    """The derivatives of a node by each of its operands, at their numbers; none for a leaf.

    >>> from autograd import Value
    >>> local_partials(Value(2.0) * Value(5.0))
    (5.0, 2.0)
    """
    inputs = (parent.data for parent in (node.left, node.right) if parent is not None)
    partials: tuple[Any, ...] = node.rule.partials(node.data, *inputs)
    return partials


def consumers_first(output: Any, zero: Any) -> tuple[list[Any], dict[Any, Any]]:
    """What a sweep walks along: the results, each after all its consumers, and a dictionary of `zero` for every node.

    >>> from autograd import Value
    >>> square = Value(2.0, "x") ** 2
    >>> results, zeros = consumers_first(square + square, 0.0)
    >>> [node.rule.symbol for node in results], len(zeros)
    (['+', '**'], 4)
    """
    zeros = {output: zero}
    waiting: dict[Any, int] = {}  # how many consumers a result has beyond one
    results = [output] if output.left is not None else []
    for consumer in results:  # grows while it is read
        node = consumer.left
        if node not in zeros:
            zeros[node] = zero
            if node.left is not None:
                results.append(node)
        elif node.left is not None:
            waiting[node] = waiting.get(node, 0) + 1
        node = consumer.right
        if node is not None:
            if node not in zeros:
                zeros[node] = zero
                if node.left is not None:
                    results.append(node)
            elif node.left is not None:
                waiting[node] = waiting.get(node, 0) + 1
    if not waiting:  # a tree of results: the order in which they were found is an order of consumers first
        return results, zeros
    order = [output]
    for consumer in order:
        for node in (consumer.left, consumer.right):
            if waiting.get(node):
                waiting[node] -= 1
            elif node is not None and node.left is not None:
                order.append(node)
    return order, zeros


class Image:
    """A node's place in the same graph, holding another kind of number."""

    __slots__ = ("data", "left", "right", "rule")

    def __init__(self, data: Any, rule: Rule, left: Image | None, right: Image | None) -> None:
        self.data, self.rule, self.left, self.right = data, rule, left, right

    @property
    def parents(self) -> tuple[Image, ...]:
        """The operands in order, with multiplicity."""
        return tuple(parent for parent in (self.left, self.right) if parent is not None)


def row_of(rule: Rule, rules: Mapping[str, Rule]) -> Rule:
    """The row of that operation in another table. Raises `ValueError` where there is none."""
    if rule.name not in rules:
        raise ValueError(f"the operation {rule.name!r} is not in the table of rules, so its formula is not known here")
    return rules[rule.name]


def images(order: Iterable[N], rules: Mapping[str, Rule], data: Mapping[N, Any]) -> dict[N, Image]:
    """The graph of `order` with other numbers, `data`, and with the rows of another table, `rules`.

    Raises `ValueError` for an operation that is not in that table.
    """
    found: dict[N, Image] = {}
    for node in order:
        rule = node.rule if node.left is None else row_of(node.rule, rules)
        left, right = (None if parent is None else found[parent] for parent in (node.left, node.right))
        found[node] = Image(data[node], rule, left, right)
    return found
