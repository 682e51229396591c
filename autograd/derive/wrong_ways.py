"""Well-known mistakes of a backward sweep, made on purpose, beside the right sweep of the same graph.

Each is the chain rule with one thing wrong: the order, the plus of `+=`, or what was there before. Partials are those of the
table, so only the sweep differs. Numbers count as different beyond rounding only, for another order of the same sum rounds
differently.

Source of the bound on rounding: Higham, Accuracy and Stability of Numerical Algorithms (2nd ed., SIAM 2002), section 3.1.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import Any

from autograd.derive.report import Adjoints, WrongWay, WrongWays
from autograd.floats import as_float
from autograd.graph import consumers_first, topological_order
from autograd.names import named, number_text, text_name
from autograd.operands import Number
from autograd.operations import CONSTANT, FLOATS
from autograd.recording import recorded_numbers
from autograd.slopes import one_value
from autograd.sweep import gradients
from autograd.value import Value

TERMS = 6  # of a sum that are shown
ROUNDING = 1e-10  # of all that was added up


def wrong_ways(output: Value) -> WrongWays:
    """Sweep the graph of `output` rightly and in four wrong ways, and show where each of them goes wrong.

    The ways: depth-first order, `=` instead of `+=`, a second sweep that finds the leaves uncleared, and one that finds the
    results uncleared too. The graph is read, not changed. Raises `TypeError` for anything but a Value.

    >>> from autograd import Value
    >>> x = Value(3.0, "x")
    >>> report = wrong_ways(x * x + x)
    >>> report.right[x], [way.adjoints[x] for way in report.ways]
    (7.0, [7.0, 3.0, 14.0, 20.0])
    >>> print(report.ways[1].why)
    They differ first at x: 3 instead of 7. Its terms are 1, 3 and 3; the last one wrote over the others.
    """
    output = one_value(output, "wrong_ways: output")
    graph = _Graph(output)
    return WrongWays(output, graph.labels, graph.right, tuple(way(graph) for way in WAYS))


class _Graph:
    """The right sweep of a graph, and what it takes to tell a wrong one from it."""

    def __init__(self, output: Value) -> None:
        order = topological_order(output)
        numbers = recorded_numbers(order)
        kind = type(numbers[output])
        self.output, self.labels = output, named(order)
        self.names = {node: text_name(name) for node, name in self.labels.items()}
        self.zeros: Adjoints = dict.fromkeys(order, kind())
        self.zeros[output] = kind(1)
        self.results, _ = consumers_first(output, None)
        self.partials: dict[Value, list[Number | None]] = {}  # None where nothing is sent
        reached = {output}
        for node in self.results:
            partials = node.operation.partials(FLOATS, numbers[node], *(numbers[parent] for parent in node.parents))
            self.partials[node] = [x if node in reached and node.operation.sends(x) else None for x in partials]
            reached |= {node.parents[i] for i, x in enumerate(self.partials[node]) if x is not None}
        found = gradients(output)
        leaves = [node for node in reversed(order) if not node.parents and node.operation is not CONSTANT]
        self.right: Adjoints = {node: found[node] for node in (*self.results, *leaves)}
        self.sizes = dict(self.zeros)  # the sums of absolute terms, of which rounding is a share
        self.sweep(self.results, self.sizes, lambda size, term: size + abs(term))
        self.terms: dict[Value, list[Number]] = {node: [] for node in order}  # what its consumers add to each node
        for consumer in self.results:
            for parent, term in self.passed(consumer, found):
                self.terms[parent].append(term)

    def passed(self, node: Value, found: Adjoints) -> Iterator[tuple[Value, Number]]:
        """What a node passes on to each of its operands."""
        for parent, partial in zip(node.parents, self.partials.get(node, ()), strict=True):
            yield parent, self.zeros[node] * 0 if partial is None else found[node] * partial

    def sweep(self, order: Iterable[Value], found: Adjoints, write: Callable[[Any, Any], Any] = operator.add) -> Adjoints:
        """Let every node pass on its adjoint in this order; `found` is changed, and what each node passed on is returned."""
        passed = {}
        for node in order:
            passed[node] = found[node]
            for parent, term in self.passed(node, found):
                found[parent] = write(found[parent], term)
        return passed

    def differs(self, node: Value, x: Any) -> bool:
        """Whether `x` is another number than the right adjoint, beyond rounding."""
        right = self.right[node]
        if x == right or (x != x and right != right):  # noqa: PLR0124  # nan alone differs from itself
            return False
        if type(x) is type(right) is Fraction:
            return True
        size = as_float(self.sizes[node])
        return not abs(as_float(x) - as_float(right)) <= ROUNDING * (size if math.isfinite(size) else abs(as_float(right)))

    def way(self, name: str, what: str, found: Adjoints, why: Callable[[Value], str], why_not: str) -> WrongWay:
        """Compare the adjoints of a way with the right ones, and say why they differ, or why they do not."""
        mine = {node: found[node] for node in self.right}
        wrong = tuple(node for node, x in mine.items() if self.differs(node, x))
        if not wrong:
            return WrongWay(name, what, mine, (), f"This graph does not show it: {why_not}")
        first = wrong[0]
        there = (
            f"They differ first at {self.names[first]}: {number_text(mine[first])} instead of {number_text(self.right[first])}."
        )
        return WrongWay(name, what, mine, wrong, f"{there} {why(first)}")


def _early(graph: _Graph) -> WrongWay:
    """Every node passes on what it has when it is first reached, the left operand first, as a recursion would."""
    order: dict[Value, None] = {}
    stack = [graph.output]
    while stack:
        node = stack.pop()
        if node not in order:
            order[node] = None
            stack += node.parents[::-1]
    found = dict(graph.zeros)
    passed = graph.sweep(order, found)

    def why(first: Value) -> str:
        consumers = (node for node in graph.results if any(parent is first for parent in node.parents))  # `in` compares numbers
        late = (node for node in consumers if graph.differs(node, passed[node]))
        node = next(late, graph.output)
        name, early, right = graph.names[node], number_text(passed[node]), number_text(graph.right[node])
        return f"{name} passed on {early} as soon as it was reached; the rest of its {right} came later and went no further."

    shared = any(len(graph.terms[node]) > 1 for node in graph.results)
    return graph.way(
        "Depth-first order",
        "a node passes on its adjoint as soon as one consumer has reached it, without waiting for the others.",
        found,
        why,
        "what is used twice is reached in time here, or what comes late changes nothing."
        if shared
        else "no result is used twice, and where results make a tree all orders agree.",
    )


def _assigned(graph: _Graph) -> WrongWay:
    """Every term replaces those before it."""
    found = dict(graph.zeros)
    graph.sweep(graph.results, found, lambda _, term: term)

    def why(first: Value) -> str:
        *others, last = map(number_text, graph.terms[first])
        if len(others) < TERMS:
            return f"Its terms are {', '.join(others)} and {last}; the last one wrote over the others."
        return f"It has {len(others) + 1:,} terms; the last one, {last}, wrote over the others."

    shared = any(len(graph.terms[node]) > 1 for node in graph.right)
    return graph.way(
        "= instead of +=",
        "each consumer writes its term into the adjoint of its operand, where it should be added.",
        found,
        why,
        "where several terms meet, the last alone is their sum." if shared else "nothing is used twice, so no sum is lost.",
    )


def _leaves_kept(graph: _Graph) -> WrongWay:
    """Two right sweeps, of which the leaves keep the sum."""
    return graph.way(
        "A second sweep, leaves not cleared",
        "what the first one left in the leaves is still there, and the second one adds to it.",
        {node: x if node.parents else x + x for node, x in graph.right.items()},
        lambda _: (
            "That is the sum over two sweeps: meant for two samples of a batch, wrong for two steps of training. "
            "Between steps call zero_grad."
        ),
        "no leaf has a finite gradient other than 0.",
    )


def _all_kept(graph: _Graph) -> WrongWay:
    """Two sweeps that add to whatever is there; the second starts from 1 at the output again."""
    found = dict(graph.zeros)
    graph.sweep(graph.results, found)
    found[graph.output] = graph.zeros[graph.output]
    passed = graph.sweep(graph.results, found)

    def why(first: Value) -> str:
        if not first.parents:
            return "As in (3): no result had kept anything that it could pass on again."
        name, held, total = graph.names[first], number_text(graph.right[first]), number_text(passed[first])
        said = f"{name} still held {held} from the first sweep, and passed on {total} in the second: the first is counted again"
        for leaf, right in graph.right.items():
            twice = found[leaf]
            if not leaf.parents and graph.differs(leaf, twice) and graph.differs(leaf, twice - right):
                said += f", and {graph.names[leaf]} gets {number_text(twice)}, neither {number_text(right)} nor twice that"
                break
        return f"{said}. Value.backward replaces what results hold, so that this cannot happen to it."

    return graph.way(
        "A second sweep, nothing cleared",
        "what the first one left in the results is still there too.",
        found,
        why,
        "all that was kept is 0 or not finite, or is the output's, which starts from 1 again.",
    )


WAYS = (_early, _assigned, _leaves_kept, _all_kept)
