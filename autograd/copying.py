"""Graphs copied and pickled node by node, in a loop: Python's own way is to recurse, and a graph is deeper than its stack.

A pickled result brings a pack: the part of its graph that no other pack of the same pickle has, as flat lists. A pickler
keeps what it has pickled until it ends, so a pack that is alive is one that can be referred to.
"""

from __future__ import annotations

import os
import weakref
from array import array
from collections.abc import Callable
from typing import Any

from autograd.graph import placed

TOKEN = os.urandom(8)  # of this process; with its number, for a fork has the same
PAST = -(2**62)  # before all that is recorded here: nodes of another process keep their order among each other
CLOCKS: dict[tuple[int, bytes], int] = {}
HELD = ("_data", "_grad", "_label", "_was")  # beside operation and operands; what is not filled stays so


def clock() -> tuple[int, bytes]:
    """Whose stamps these are."""
    return os.getpid(), TOKEN


def rebuilt(
    kind: Any, operation: Any, operands: tuple[Any, ...], held: tuple[Any, ...], order: int, source: Any, extra: Any
) -> Any:
    """A node of this type, with these operands, what its slots held, and the attributes that a subclass has given it.

    It keeps its place in the order of recording, by which it is known what was recorded before a number was changed.
    """
    shift = 0 if source == clock() else CLOCKS.setdefault(source, PAST * (len(CLOCKS) + 1))
    node = kind.__new__(kind)
    node.operation, node._mark, node.order = operation, None, order + shift
    node.left, node.right, node.rest = placed(operands)
    for name, x in zip(HELD, held, strict=True):
        if x is not None:
            setattr(node, name, x if name != "_was" else tuple((time + shift, was) for time, was in x))
    if extra:
        vars(node).update(extra)
    return node


def columns(node: Any) -> tuple[Any, ...]:
    """What a node holds beside its operands."""
    held = tuple(getattr(node, name, None) for name in HELD)
    return node.operation, held, node.order if node.left is not None else 0, clock(), getattr(node, "__dict__", None)


def twin(node: Any) -> Any:
    """What `copy.copy` returns: another node on the same operands."""
    operation, *held = columns(node)
    return rebuilt(type(node), operation, node.parents, *held)


def deep(output: Any, memo: dict[int, Any]) -> Any:
    """What `copy.deepcopy` returns: every node of the graph anew, but for those that `memo` has a copy of."""
    for old in _found(output, lambda node: id(node) in memo)[1]:
        operation, *held = columns(old)
        memo[id(old)] = rebuilt(type(old), operation, tuple(memo[id(parent)] for parent in old.parents), *held)
    return memo[id(output)]


def _found(output: Any, is_known: Callable[[Any], bool]) -> tuple[list[Any], list[Any]]:
    """The nodes at which the graph that is not known ends, and the others in the order of recording, leaves first."""
    known, others, waiting = {}, {}, [output]
    while waiting:
        node = waiting.pop()
        if is_known(node):
            known[id(node)] = node
        elif id(node) not in others:
            others[id(node)] = node
            waiting += node.parents
    return [*known.values()], sorted(others.values(), key=lambda node: node.order if node.left is not None else 0)


class Pack:
    """A part of a graph in flat lists: results, each with the places of its operands among `nodes`."""

    def __init__(self, nodes: list[Any], first: int) -> None:
        self.nodes, self.first = nodes, first  # the results begin at `first`; before them stands what they refer to

    def __reduce__(self) -> tuple[Any, ...]:
        outside, results = self.nodes[: self.first], self.nodes[self.first :]
        place = {id(node): i for i, node in enumerate(self.nodes)}
        counts = array("q", [len(node.parents) for node in results])
        places = array("q", [place[id(parent)] for node in results for parent in node.parents])
        kinds = [type(node) for node in results]
        return unpacked, (outside, kinds, counts, places, *map(list, zip(*map(columns, results), strict=True)))


def unpacked(outside: list[Any], kinds: list[Any], counts: Any, places: Any, *held: Any) -> Pack:
    """The pack whose lists these are."""
    nodes, start = list(outside), 0
    for kind, count, operation, *rest in zip(kinds, counts, *held, strict=True):
        nodes.append(rebuilt(kind, operation, tuple(nodes[place] for place in places[start : start + count]), *rest))
        start += count
    return Pack(nodes, len(outside))


def taken(pack: Pack, place: int) -> Any:
    """One node out of a pack."""
    return pack.nodes[place]


_packs: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()  # of each result: a weak pack, and its place in it


def packed(node: Any) -> tuple[Any, ...]:
    """What `__reduce__` returns: a leaf by itself, a result as a place in a pack."""
    if node.left is None:
        operation, *held = columns(node)
        return rebuilt, (type(node), operation, (), *held)
    pack, place = _live(node)
    if pack is None:  # what no live pack has of the graph becomes one
        outside, results = _found(node, lambda x: x.left is None or (x is not node and _live(x)[0] is not None))
        pack = Pack([*outside, *results], len(outside))
        for place, result in enumerate(results, len(outside)):
            _packs[result] = weakref.ref(pack), place
    return taken, (pack, place)


def _live(node: Any) -> tuple[Pack | None, int]:
    reference, place = _packs.get(node, (None, 0))
    return (reference() if reference is not None else None), place
