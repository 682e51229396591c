"""The chain rule along paths: every route from a node to the output, and why the sweep takes none of them.

The derivative is the sum, over all routes through the graph, of the products of the local derivatives on the way. There may
be exponentially many routes, so they are listed up to a limit only. They are counted in one pass, the sweep itself with every
partial a 1, to as many digits as Python prints: with all digits, the time would be quadratic.

Source: Bauer, Computational Graphs and Rounding Error (SIAM Journal on Numerical Analysis 11(1), 1974), for the sum over
paths; Griewank & Walther, Evaluating Derivatives (2nd ed., SIAM 2008), section 3.2, for the sweep.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import MAX_EMAX, Context, Decimal
from fractions import Fraction
from functools import cached_property, reduce
from itertools import islice
from math import isfinite
from operator import add
from textwrap import wrap
from typing import NamedTuple, TypeAlias

from autograd.derive.steps import Steps
from autograd.expressions import Expression, as_text, number
from autograd.expressions.printer import POWER
from autograd.graph import consumers_first
from autograd.names import number_text, text_name
from autograd.operands import Number
from autograd.sweep import ONE
from autograd.value import Value

WIDTH = 88
SHOWN = 3  # routes in the text where there are too many to list
SUMMANDS = 8  # products in the sum of them
LONG = 12  # nodes of a route that are shown
MOST = 10_000_000  # edges that all listed routes may have together
DIGITS = 4300  # of a count: as many as Python prints, str(2**20_000) is an error

Edge: TypeAlias = tuple[Value, int]  # to a consumer, by its operand at this position


class Route(NamedTuple):
    """One way from a node to the output: its nodes, both ends included, and for each edge the derivative along it."""

    nodes: tuple[Value, ...]
    partials: tuple[tuple[Expression, Number], ...]
    product: Number


class Paths:
    """All routes from `wrt` to `output`; see `Derivation.paths`."""

    def __init__(self, derivation: Steps, wrt: Value, limit: int) -> None:
        self.derivation, self.output, self.wrt, self.limit = derivation, derivation.output, wrt, limit
        self.adjoint = derivation.adjoints.get(wrt, type(self.output.data)())
        self.count, self.length, self.edges = self._count()
        self._known: dict[Value, tuple[tuple[Expression, Number], ...]] = {}

    def _count(self) -> tuple[int, int, int]:
        """How many routes lead from `wrt` to the output, how many edges these have, and how many the graph between them has."""
        plus, none, edges = _rounded().add, Decimal(0), 0
        ways, lengths = {self.output: Decimal(1)}, {self.output: none}  # from a node to the output, until it has passed them on
        for consumer in self._sweep:
            count, length = ways.pop(consumer), lengths.pop(consumer)
            for node in consumer.parents:
                if node in self.derivation.covered:
                    ways[node] = plus(ways.get(node, none), count)
                    lengths[node] = plus(lengths.get(node, none), plus(length, count))
                    edges += 1
        return _whole(ways.get(self.wrt, none)), _whole(lengths.get(self.wrt, none)), edges

    @cached_property
    def _sweep(self) -> list[Value]:
        """The nodes after `wrt` up to the output, consumers first."""
        results, _ = consumers_first(self.output, None)
        return [node for node in results if node in self.derivation.covered and node is not self.wrt]

    @cached_property
    def routes(self) -> tuple[Route, ...]:
        """Every route, in the order in which a person would find them. Raises `ValueError` if there are too many."""
        by, out = self._ends
        if self.count > self.limit:
            raise ValueError(
                f"there are {_counted(self.count)} routes from {by} to {out}, more than the limit of {self.limit:,}; raise "
                "it, paths(limit=...), or read their number in .count and the sum of their products in .adjoint"
            )
        if self.length > MOST:
            raise ValueError(
                f"the {self.count:,} routes from {by} to {out} have {_counted(self.length)} edges together, too many to list; "
                "read the sum of their products in .adjoint"
            )
        return tuple(map(self._route, self._trails()))

    @property
    def total(self) -> Number:
        """The sum of the products of all routes. Raises `ValueError` if there are too many to list."""
        return reduce(add, (route.product for route in self.routes), type(self.output.data)())

    def __iter__(self) -> Iterator[Route]:
        return iter(self.routes)

    def _trails(self) -> Iterator[list[Edge]]:
        """The edges of each route, depth first, along the consumers of each node as they were computed."""
        consumers: dict[Value, list[Edge]] = {}
        for consumer in self.derivation.order:
            for position, node in enumerate(consumer.parents):
                if node in self.derivation.covered:
                    consumers.setdefault(node, []).append((consumer, position))
        if self.wrt is self.output:
            yield []
        ways = [iter(consumers.get(self.wrt, ()))]
        trail: list[Edge] = []
        while ways:
            edge = next(ways[-1], None)
            if edge is None:
                ways.pop()
                del trail[-1:]
            elif edge[0] is self.output:
                yield [*trail, edge]
            else:
                trail.append(edge)
                ways.append(iter(consumers[edge[0]]))

    def _route(self, trail: list[Edge]) -> Route:
        partials = tuple(self._partials(consumer)[position] for consumer, position in trail)
        product: Number = type(self.output.data)(1)
        for (_, partial), (consumer, _) in zip(partials[::-1], trail[::-1], strict=True):
            if not consumer.operation.sends(partial):
                product = type(product)()
                break
            product = product if partial is ONE else product * partial
        return Route((self.wrt, *(consumer for consumer, _ in trail)), partials, product)

    def _partials(self, node: Value) -> tuple[tuple[Expression, Number], ...]:
        if node not in self._known:
            self._known[node] = self.derivation.partials(node)
        return self._known[node]

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        """What the routes come to, and what the sweep does instead."""
        by, out = self._ends
        if not self.count:
            yield f"No route leads from {by} to {out}: {out} does not depend on {by}, so d{out}/d{by} = 0."
            return
        few = self.count <= self.limit and self.length <= MOST
        head = f"{_counted(self.count)} {'route leads' if self.count == 1 else 'routes lead'} from {by} to {out}"
        yield f"{head}:" if few else f"{head}, too many to list; the first of them:"
        for trail in self._trails() if few else islice(self._trails(), SHOWN):
            yield from self._described(trail)
        yield ""
        if few and self.count > 1:
            products = [number_text(route.product + 0) for route in self.routes]
            more = [f"... {len(products) - SUMMANDS:,} more"] if len(products) > SUMMANDS else []
            yield f"Their sum: {' + '.join(products[:SUMMANDS] + more)} = {number_text(self.total)}"
        yield f"The sweep: d{out}/d{by} = {number_text(self.adjoint)}"
        yield from ("", *wrap(self._why(), WIDTH))

    def _described(self, trail: list[Edge]) -> Iterator[str]:
        """The nodes of a route and its product, with symbols and with numbers; of a long one the nodes at its ends."""
        nodes = [self.wrt, *(consumer for consumer, _ in trail)]
        middle = [f"({len(nodes) - LONG:,} more)"] if len(nodes) > LONG else []
        half = LONG // 2
        shown = [text_name(self.derivation.names[node]) for node in (*nodes[:half], *nodes[half:][-half:])]
        yield f"  {' -> '.join([*shown[:half], *middle, *shown[half:]])}"
        if middle:
            return
        route = self._route(trail)
        factors = [formula for formula, _ in route.partials[::-1]], [number(x + 0) for _, x in route.partials[::-1]]
        products = [" * ".join(as_text(factor, POWER) for factor in side) for side in factors if side]
        sides = list(dict.fromkeys((*products, number_text(route.product + 0))))
        if not all(isfinite(x) or route.product for _, x in route.partials):
            sides[-1] += ", for nothing is sent this way"
        yield from [f"      {' = '.join(sides)}"] if sum(map(len, sides)) < WIDTH else [f"      = {side}" for side in sides]

    def _why(self) -> str:
        """Why the sweep takes no routes, in numbers of this graph."""
        by, out = self._ends
        if self.count == 1:
            return "There is one route, and the sweep goes the same way."
        shared = "" if self.length > self.edges else " Here no two routes share an edge, so there is nothing to save yet."
        return (
            "Why the sweep takes no routes: each goes all its way by itself, so together they have "
            f"{_counted(self.length)} edges. The sweep goes once along each of the {_counted(self.edges)} edges between {by} "
            f"and {out}: what comes back to a node from several sides is added up there, and goes on as one number.{shared} "
            "One more node with two edges onward can double the routes; for the sweep it is two edges more."
        )

    @property
    def _ends(self) -> tuple[str, str]:
        return text_name(self.derivation.names[self.wrt]), text_name(self.derivation.names[self.output])


def _whole(count: Decimal) -> int:
    """The count as an int; by `int` alone the time would grow with the square of its digits."""
    zeros = max(0, count.adjusted() + 1 - DIGITS)
    power: int = 10**zeros
    return int(_rounded().scaleb(count, -zeros)) * power


def _rounded() -> Context:
    """Arithmetic with as many digits as are counted, and numbers of any size."""
    return Context(DIGITS, Emax=MAX_EMAX)


def _counted(n: int) -> str:
    """The number with commas; a very long one with six digits."""
    return f"{n:,}" if n < 10**15 else number_text(Fraction(n))
