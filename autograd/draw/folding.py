"""What repeats in a graph, folded: equal shapes beside each other into one box, and equal steps after each other.

Shapes are compared as in hash consing (Ershov, On programming of arithmetic operations, CACM 1(8), 1958): a node has the
number of its operation with the numbers of its operands, so equal numbers mean equal trees, in one pass over the nodes. A
number is larger than those below it, which makes it an order of operands first for the boxes too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from operator import attrgetter
from typing import Any

from autograd.draw.cones import cones, stem
from autograd.draw.formula import formula
from autograd.operands import Number
from autograd.operations import CONSTANT, OPERATIONS
from autograd.value import Value

MOST = 60  # boxes on a page
FEW = 3  # boxes, below which nothing is folded that comes once
LONGEST_STEP = 24  # boxes in a step that is looked for
ADD, POW = OPERATIONS["add"], OPERATIONS["pow"]


class Box:
    """Parts of a graph that have one shape: each a list of nodes in their order, the last of which is its result."""

    def __init__(self, number: int, parts: list[list[Value]]) -> None:
        self.number, self.parts = number, parts

    @property
    def nodes(self) -> list[Value]:
        """All nodes of all parts."""
        return [node for part in self.parts for node in part]

    @property
    def results(self) -> list[Value]:
        """The last node of each part."""
        return [part[-1] for part in self.parts]

    def varied(self, numbers: Mapping[Value, int]) -> set[tuple[int, int]]:
        """Where constants are not one number, as the shape that reads them and the position."""
        known: dict[tuple[int, int], Number] = {}
        found = set()
        for node in self.nodes:
            for position, parent in enumerate(node.parents):
                if parent.operation is CONSTANT and known.setdefault((numbers[node], position), parent.data) != parent.data:
                    found.add((numbers[node], position))
        return found


def fold(order: Sequence[Value], most: int = MOST) -> list[Box]:
    """At most so many boxes, in an order of operands first; every node is in one of them.

    Parts of one shape are a box: all neurons of a layer, the weights with one stem. A part that has none like it, and whose
    formula would be long, is shown by its own nodes, folded in the same way, where there is room. If there are too many boxes
    still, steps that repeat one after the other are a box, and at last neighbours are, so that the number always holds.

    >>> x = Value(2.0, "x")
    >>> a, b = x.sin(), x.sin()
    >>> [len(box.nodes) for box in fold([x, a, b, a + b])]
    [1, 2, 1]
    """
    numbers = shapes(order)
    groups: dict[int, list[list[Value]]] = {}
    for root, part in cones(order).items():
        groups.setdefault(numbers[root], []).append(part)
    boxes = [Box(number, parts) for number, parts in groups.items()]
    room = most - len(boxes)
    shown: list[Box] = []
    for box in sorted(boxes, key=lambda box: len(box.nodes)):
        says = len(box.parts) > 1 or (len(boxes) >= FEW and formula(box.parts[0], numbers))
        inner = [box] if says else _inside(box.parts[0], numbers)
        fits = len(inner) - 1 <= room
        shown += inner if fits else [box]
        room -= len(inner) - 1 if fits else 0
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


def _inside(part: list[Value], numbers: dict[Value, int]) -> list[Box]:
    """The nodes of a part, constants with what reads them: equal ones are a box, and so are the additions of one sum."""
    if len(part) == 1:
        return [Box(numbers[part[0]], [part])]
    total: dict[Value, Value] = {}  # the last addition of the sum to which an addition belongs
    for node in reversed(part):
        if node.operation is ADD:
            total.setdefault(node, node)
            for parent in node.parents:
                if parent.operation is ADD:
                    total[parent] = total[node]
    here = set(part)
    reader = {parent: node for node in part for parent in node.parents if parent.operation is CONSTANT}
    groups: dict[int, dict[Value, list[Value]]] = {}
    for node in part:
        last = reader.get(node, node)
        last = total[last] if last in total and total[last] in here else last
        groups.setdefault(numbers[last], {}).setdefault(last, []).append(node)
    boxes = [Box(number, list(parts.values())) for number, parts in groups.items()]
    boxes.sort(key=attrgetter("number"))
    return _steps(boxes)


def _steps(boxes: list[Box]) -> list[Box]:
    """The boxes, with steps that repeat one after the other, three times and more, in one."""
    kind: dict[Any, int] = {}
    kinds = [kind.setdefault(_looks(box), len(kind)) for box in boxes]
    folded, i = [], 0
    while i < len(boxes):
        period, times = _repeats(kinds, i)
        run = boxes[i : i + period * times]
        if times > 1:
            steps = [run[k : k + period] for k in range(0, len(run), period)]
            folded.append(Box(run[-1].number, [[node for box in step for node in box.nodes] for step in steps]))
        else:
            folded += run
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


def _looks(box: Box) -> tuple[Any, ...]:
    """What a box looks like from nearby: its operations, and those of its operands, however these were computed."""
    part = box.parts[0]
    looks: list[Any] = [len(box.parts)]
    for node in part:
        looks += (node.operation, *(parent.operation for parent in node.parents))
    return tuple(looks)


def _neighbours(boxes: list[Box], most: int) -> list[Box]:
    """So many boxes, each of neighbours in the order."""
    cuts = [len(boxes) * k // most for k in range(most + 1)]
    runs = [boxes[i:j] for i, j in pairwise(cuts)]
    return [Box(run[-1].number, [[node for box in run for node in box.nodes]]) for run in runs]


def census(nodes: Sequence[Value]) -> list[tuple[str, int]]:
    """The symbols of the operations and how often each comes, the most frequent first."""
    return Counter(node.operation.symbol for node in nodes if node.left is not None).most_common()
