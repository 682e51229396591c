"""What repeats in a graph, folded: equal shapes beside each other into one box, and equal steps after each other.

Shapes are compared as in hash consing (Ershov, On programming of arithmetic operations, CACM 1(8), 1958): a node has the
number of its operation with the numbers of its operands, so equal numbers mean equal trees, in one pass over the nodes. A
number is larger than those below it, which makes it an order of operands first for the boxes too.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from itertools import chain, groupby, pairwise
from operator import attrgetter
from types import MappingProxyType
from typing import Any, NamedTuple

from autograd.draw.layers import cones, gathered, stem
from autograd.expressions import Expression, as_text, number, summed, symbol, unchanged
from autograd.operands import Number
from autograd.operations import CONSTANT, OPERATIONS
from autograd.value import Value

MOST = 60  # boxes on a page
FEW = 3  # boxes, below which nothing is folded that comes once
LONGEST_STEP = 24  # boxes in a step that is looked for
LONGEST = 8  # operations in a formula that is shown
ADD, POW = OPERATIONS["add"], OPERATIONS["pow"]


class Box(NamedTuple):
    """Parts of a graph that have one shape: each a list of nodes in their order, the last of which is its result."""

    number: int
    parts: list[list[Value]]

    @property
    def nodes(self) -> list[Value]:
        """All nodes of all parts."""
        return list(chain(*self.parts))

    def looks(self) -> tuple[Any, ...]:
        """What it looks like from nearby: its operations, and those of its operands, however these were computed."""
        nearby = ((node.operation, *(parent.operation for parent in node.parents)) for node in self.parts[0])
        return (len(self.parts), *nearby)

    def varied(self, numbers: Mapping[Value, int]) -> set[tuple[int, int]]:
        """Where constants are not one number, as the shape that reads them and the position."""
        known: dict[tuple[int, int], Number] = {}
        return {
            place
            for node in self.nodes
            for position, parent in enumerate(node.parents)
            if parent.operation is CONSTANT and known.setdefault(place := (numbers[node], position), parent.data) != parent.data
        }


def fold(order: Sequence[Value], most: int = MOST) -> list[Box]:
    """At most so many boxes, in an order of operands first; every node is in one of them."""
    numbers = shapes(order)
    boxes = _boxes(cones(order), numbers)
    room = most - len(boxes)
    shown: list[Box] = []
    for box in sorted(boxes, key=lambda box: len(box.nodes)):
        says = len(box.parts) > 1 or (len(boxes) >= FEW and formula(box.parts[0], numbers))
        inner = [box] if says else _inside(box.parts[0], numbers)
        if len(inner) - 1 > room:
            inner = [box]
        shown += inner
        room -= len(inner) - 1
    shown.sort(key=attrgetter("number"))
    if len(shown) > most:
        shown = _steps(shown)
    return shown if len(shown) <= most else _neighbours(shown, most)


def shapes(order: Sequence[Value]) -> dict[Value, int]:
    """The number of each node's shape; labels count by their stems, constants only as exponents."""
    known: dict[tuple[Any, ...], int] = {}
    found: dict[Value, int] = {}
    for node in order:
        operands = node.parents
        key: tuple[Any, ...] = (node.operation, stem(node.label) or node.label, *(found[parent] for parent in operands))
        if len(operands) > 1:
            key += (operands[0] is operands[1],)
        if node.operation is POW and operands[1].operation is CONSTANT:
            key += (operands[1].data,)
        found[node] = known.setdefault(key, len(known))
    return found


def _boxes(parts: Mapping[Value, list[Value]], numbers: Mapping[Value, int]) -> list[Box]:
    """The parts, by their roots, of which those of one shape are a box."""
    return [Box(*box) for box in gathered((numbers[root], part) for root, part in parts.items()).items()]


def _inside(part: list[Value], numbers: Mapping[Value, int]) -> list[Box]:
    """The nodes of a part, constants with what reads them: equal ones are a box, and so are the additions of one sum."""
    if len(part) == 1:
        return [Box(numbers[part[0]], [part])]
    here = set(part)
    with_which = dict(zip(part, part, strict=True))  # a constant goes with its reader, an addition with the last of its sum
    for node in reversed(part):
        for parent in node.parents:
            if parent in here and (parent.operation is CONSTANT or node.operation is parent.operation is ADD):
                with_which[parent] = with_which[node]
    return _steps(
        sorted(_boxes(gathered((last, node) for node, last in with_which.items()), numbers), key=attrgetter("number"))
    )


def _steps(boxes: list[Box]) -> list[Box]:
    """The boxes, with steps that repeat one after the other, three times and more, in one."""
    kind: dict[Any, int] = {}
    kinds = [kind.setdefault(box.looks(), len(kind)) for box in boxes]
    folded, i = [], 0
    while i < len(boxes):
        period, times = _repeats(kinds, i)
        run = boxes[i : i + period * times]
        folded += run if times == 1 else [_joined([run[k : k + period] for k in range(0, len(run), period)])]
        i += len(run)
    return folded


def _repeats(kinds: list[int], start: int) -> tuple[int, int]:
    """The step that folds most of what starts here, as its length and how often it comes; (1, 1) where none does."""
    best, saved = (1, 1), 0
    for period in range(1, LONGEST_STEP + 1):
        end = start
        while end + period < len(kinds) and kinds[end] == kinds[end + period]:
            end += 1
        times = (end - start) // period + 1
        if times > 2 and (times - 1) * period > saved:
            best, saved = (period, times), (times - 1) * period
    return best


def _neighbours(boxes: list[Box], most: int) -> list[Box]:
    """So many boxes, each of neighbours in the order."""
    cuts = [len(boxes) * k // most for k in range(most + 1)]
    return [_joined([boxes[i:j]]) for i, j in pairwise(cuts)]


def _joined(steps: list[list[Box]]) -> Box:
    """A box whose parts are these steps."""
    return Box(steps[-1][-1].number, [[node for box in step for node in box.nodes] for step in steps])


class Term(NamedTuple):
    """Of a sum: the number of its shape, its formula, the operations in it, and how often it comes after itself."""

    shape: int
    formula: Expression
    size: int
    times: int = 1


def formula(
    part: Sequence[Value],
    numbers: Mapping[Value, int],
    names: Mapping[Value, str] = MappingProxyType({}),
    varied: Container[tuple[int, int]] = (),
) -> str:
    """The formula of the last node of the part, in the stems of the names of what it reads; empty where it would be long."""

    def single(node: Value) -> list[Term]:
        is_number = node.operation is CONSTANT
        name = stem(node.label) or names.get(node) or node.label
        return [Term(numbers[node], number(node.data) if is_number else symbol(name), 0)]

    sums: dict[Value, list[Term]] = {}  # empty where there are too many operations to be shown
    for node in part:
        operands = [
            [Term(numbers[parent], symbol("c"), 0)]
            if (numbers[node], position) in varied
            else sums[parent]
            if parent in sums
            else single(parent)
            for position, parent in enumerate(node.parents)
        ]
        terms = sums[node] = [] if not all(operands) else _applied(node, operands, numbers) if operands else single(node)
        if _size(terms) > LONGEST:
            sums[node] = []
    return as_text(_total(sums[part[-1]])) if sums[part[-1]] else ""


def _applied(node: Value, operands: list[list[Term]], numbers: Mapping[Value, int]) -> list[Term]:
    """The operation of its operands: of an addition the terms of both, else one term."""
    if node.operation is not ADD:
        size = 1 + sum(map(_size, operands))
        return [Term(numbers[node], unchanged(node.operation)(*map(_total, operands)), size)] if size <= LONGEST else []
    runs = (list(run) for _, run in groupby(chain(*operands), attrgetter("shape")))
    return [run[0]._replace(times=sum(term.times for term in run)) if len(run) > 1 else run[0] for run in runs]


def _size(terms: list[Term]) -> int:
    return sum(term.size + 1 for term in terms) - 1


def _total(terms: list[Term]) -> Expression:
    first, *others = (summed(term.formula) if term.times > 1 else term.formula for term in terms)
    for term in others:
        first = unchanged(ADD)(first, term)
    return first
