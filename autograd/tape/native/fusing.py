"""Sums and weighted sums, which a graph has as chains of `+`, as one instruction each: the same floats in the same order.

A chain is followed from its end to the left, through sums that nothing else uses. It is put together only where it was
recorded in one piece, so that nothing else is sent to its operands in between.
"""

from __future__ import annotations

from array import array
from collections import Counter
from itertools import accumulate
from typing import NamedTuple

from autograd.operations import OPERATIONS, Operation
from autograd.tape.program import Program

ADD, MUL, TOTAL, DOT = (OPERATIONS[name] for name in ("add", "mul", "total", "dot"))
CHAIN = Operation(
    "chain", "", DOT.forward, DOT.partials, (), several=True
)  # c + x1 * w1 + x2 * w2 + ..., of c, x1, ..., w1, ...
FEWEST = 2  # terms
NOTHING = -1  # where a chain starts with a product


class Chain(NamedTuple):
    """The terms that are added to `start`, from the left: operands, or products of two; `first` is its first operation."""

    start: int
    terms: list[tuple[int, ...]]
    first: int


class _Graph:
    """A program to be searched for chains."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.uses = Counter(program.operands)
        self.uses[program.output] += 1

    def factors(self, position: int) -> tuple[int, ...]:
        """Of a product that is used once."""
        k = position - self.program.first
        return self.operands(k) if k >= 0 and self.program.operations[k] is MUL and self.uses[position] == 1 else ()

    def operands(self, k: int) -> tuple[int, ...]:
        program = self.program
        return tuple(program.operands[program.starts[k] : program.starts[k + 1]])

    def chain(self, end: int, tried: set[int]) -> Chain | None:
        """The longest chain that ends with this sum; sums that are followed in vain are added to `tried`."""
        first, at, low, size, last = self.program.first, end, end, 0, end
        terms: list[tuple[int, ...]] = []
        walked, seen = [end], set[int]()
        best: tuple[int, int, int] | None = None
        while True:
            left, right = self.operands(at)
            factors = self.factors(right)
            if (terms and len(terms[0]) != (len(factors) or 1)) or (factors and right - first >= last):
                break
            terms.append(factors or (right,))
            seen.update(factors)
            low, size, last = min(low, at), size + 1, right - first if factors else last
            if factors:
                low, size = min(low, last), size + 1
            whole = size == end - low + 1
            if whole and left not in seen:
                best = (left, len(terms), low)
            elif best:
                break
            k = left - first
            if k < 0 or self.program.operations[k] is not ADD or self.uses[left] != 1:
                start = self.factors(left) if factors and k < last else ()
                if start and size + 1 == end - min(low, k) + 1:
                    terms.append(start)
                    best = (NOTHING, len(terms), min(low, k))
                break
            at = k
            walked.append(at)
        if best is None or best[1] < FEWEST:
            tried.update(walked[: len(terms)])
            return None
        return Chain(best[0], terms[: best[1]][::-1], best[2])


def fused(program: Program) -> Program:
    """The same program with fewer operations; of a chain of products that starts with one, the start is -0.0."""
    graph, tried = _Graph(program), set[int]()
    chains: dict[int, Chain] = {}
    k = len(program.operations) - 1
    while k >= 0:
        found = graph.chain(k, tried) if program.operations[k] is ADD and k not in tried else None
        if found:
            chains[k] = found
            k = found.first
        k -= 1
    return _rewritten(graph, chains) if chains else program


def _rewritten(graph: _Graph, chains: dict[int, Chain]) -> Program:
    program, first = graph.program, graph.program.first
    place = {k: k for k in range(first)} | {NOTHING: first}  # the new positions; there is one more constant
    operations, operands = [], list[tuple[int, ...]]()
    inside = {k for end, chain in chains.items() for k in range(chain.first, end)}
    for k, row in enumerate(program.operations):
        if k in inside:
            continue
        found = graph.operands(k)
        if k in chains:
            start, terms, _ = chains[k]
            row = CHAIN if len(terms[0]) == 2 else TOTAL  # noqa: PLW2901
            found = (start, *(factor for each in zip(*terms, strict=True) for factor in each))
        operations.append(row)
        operands.append(tuple(place[p] for p in found))
        place[first + k] = first + len(operations)
    return program._replace(
        constants=[*program.constants, -0.0],
        operations=operations,
        operands=array("q", [p for each in operands for p in each]),
        starts=array("q", accumulate(map(len, operands), initial=0)),
        output=place[program.output],
        labels={},
        rows=tuple(dict.fromkeys(operations)),
    )
