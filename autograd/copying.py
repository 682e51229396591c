"""Graphs copied and pickled node by node, in a loop: Python's own way is to recurse, and a graph is deeper than its stack.

A deep copy keeps what is shared shared. A pickled result is a flat list of its graph; leaves stay the same objects in all
that is pickled together. The trade-off: two results that are pickled beside each other bring a copy each of the results
that they share.
"""

from __future__ import annotations

from array import array
from typing import Any

from autograd.graph import placed, topological_order


def rebuilt(kind: Any, operands: tuple[Any, ...], *columns: Any) -> Any:
    """A Value, which is `kind`, with these operands, and with what `columns` has of it."""
    made = kind.__new__(kind)
    made.left, made.right, made.rest = placed(operands)
    made.operation, made.data, made.grad, made.label = columns
    return made


def columns(value: Any) -> tuple[Any, ...]:
    """What a Value holds beside its operands."""
    return value.operation, value.data, value.grad, value.label


def deep(output: Any, memo: dict[int, Any]) -> Any:
    """What `copy.deepcopy` returns: every node of the graph anew, but for those that `memo` has a copy of.

    >>> import copy
    >>> from autograd import Value
    >>> x = Value(3.0, "x")
    >>> square = copy.deepcopy(x * x)
    >>> square.left is square.right, square.left is x
    (True, False)
    """
    for old in topological_order(output):
        if id(old) not in memo:
            memo[id(old)] = rebuilt(type(old), tuple(memo[id(parent)] for parent in old.parents), *columns(old))
    return memo[id(output)]


def flat(output: Any) -> tuple[Any, ...]:
    """The graph of a result as lists, for `restored`: leaves as the Values that they are, operands by their places."""
    order = topological_order(output)
    leaves = [old for old in order if old.left is None]
    results = [old for old in order if old.left is not None]
    place = {old: i for i, old in enumerate((*leaves, *results))}
    counts = array("q", [len(old.parents) for old in results])
    places = array("q", [place[parent] for old in results for parent in old.parents])
    return type(output), leaves, counts, places, *zip(*map(columns, results), strict=True)


def restored(kind: type, leaves: list[Any], counts: Any, places: Any, *rest: Any) -> Any:
    """The result whose graph `flat` has put into lists."""
    nodes, start = list(leaves), 0
    for count, *held in zip(counts, *rest, strict=True):
        nodes.append(rebuilt(kind, tuple(nodes[place] for place in places[start : start + count]), *held))
        start += count
    return nodes[-1]
