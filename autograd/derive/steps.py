"""The derivation of a gradient as data: the chain rule for a recorded graph, step by step.

A step is a node: its operation, its local partials as formulas and as numbers, and one term for each consumer that used it.
The terms are in the order in which the sweep adds them, so that their sum is the gradient of `grad`, bit for bit. Numbers are
those with which the graph was recorded, names those of when the derivation was made. Formulas are made when they are asked for.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

from autograd.expressions import Expression, number, symbol
from autograd.expressions.rows import definition, partials_at
from autograd.graph import consumers_first, topological_order
from autograd.names import named
from autograd.operands import Number
from autograd.operations import CONSTANT, FLOATS
from autograd.recording import recorded_numbers
from autograd.sweep import ONE, gradients
from autograd.value import Value


class Term(NamedTuple):
    """What one consumer adds to an adjoint: `contribution`, which is `upstream` times `partial`."""

    consumer: Value
    position: int
    formula: Expression
    partial: Number
    upstream: Number
    contribution: Number
    sent: bool = True


class Step(NamedTuple):
    """One node: its name, the operation that made it, and how its adjoint comes about."""

    node: Value
    name: str
    definition: Expression | None
    partials: tuple[tuple[Expression, Number], ...]
    terms: tuple[Term, ...]
    adjoint: Number
    data: Number


class Steps:
    """The derivative of `output` by every node, or by those between `wrt` and the output, as data; see `Derivation`."""

    def __init__(self, output: Value, wrt: tuple[Value, ...] | None) -> None:
        self.output, self.wrt = output, wrt
        self.order = topological_order(output, *(wrt or ()))
        self.data: dict[Value, Number] = recorded_numbers(self.order)
        self.adjoints: dict[Value, Number] = gradients(output)
        self.names: dict[Value, str] = named(self.order)
        self._zero = type(self.data[output])()

    @cached_property
    def covered(self) -> frozenset[Value]:
        """The nodes that have a step: all of the graph, or `wrt` and those of the graph that depend on it."""
        if self.wrt is None:
            return frozenset(self.order)
        covered = set(self.wrt)
        for node in self.order:
            if node in self.adjoints and not covered.isdisjoint(node.parents):
                covered.add(node)
        return frozenset(covered)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """One step for each covered node, in the order of the sweep: the output first, leaves at the end."""
        results, _ = consumers_first(self.output, None)
        sweep = dict.fromkeys(node for node in results if node in self.covered)
        sweep |= dict.fromkeys(node for node in reversed(self.order) if node in self.covered)
        terms: dict[Value, list[Term]] = {node: [] for node in sweep}
        return tuple(self._step(node, terms) for node in sweep)

    def __getitem__(self, node: Value) -> Step:
        """The step of a node. Raises `KeyError` for one that is not covered."""
        return self._by_node[node]

    @cached_property
    def _by_node(self) -> dict[Value, Step]:
        return {step.node: step for step in self.steps}

    def _step(self, node: Value, terms: dict[Value, list[Term]]) -> Step:
        """The step of a node that has all its terms; its own contributions go to the terms of its operands."""
        adjoint = self.adjoints.get(node, self._zero)
        partials = self.partials(node)
        reached = node is self.output or any(term.sent for term in terms[node])
        for position in range(len(partials))[::-1]:  # the sweep adds to the right operand first
            formula, partial = partials[position]
            if node in self.adjoints and (operand := node.parents[position]) in terms:
                terms[operand].append(term(node, position, formula, partial, adjoint, reached))
        made = definition(node.operation, *map(self._named, node.parents)) if partials else None
        return Step(node, self.names[node], made, partials, tuple(terms[node]), adjoint, self.data[node])

    def partials(self, node: Value) -> tuple[tuple[Expression, Number], ...]:
        """Formula and number of the derivative of a node by each of its operands."""
        parents = node.parents
        if not parents:
            return ()
        numbers = {self.names[n]: self.data[n] for n in (node, *parents) if n.operation is not CONSTANT}
        formulas = partials_at(node.operation, self._named(node), [self._named(parent) for parent in parents], numbers)
        partials = node.operation.partials(FLOATS, self.data[node], *(self.data[parent] for parent in parents))
        return tuple(zip(formulas, partials, strict=True))

    def _named(self, node: Value) -> Expression:
        return number(self.data[node]) if node.operation is CONSTANT else symbol(self.names[node])


def term(consumer: Value, position: int, formula: Expression, partial: Number, upstream: Number, reached: bool = True) -> Term:
    """The term, of which nothing is sent where the consumer has selected another operand, or was not `reached` itself."""
    sent = reached and consumer.operation.sends(partial)
    contribution = type(upstream)() if not sent else upstream if partial is ONE else upstream * partial
    return Term(consumer, position, formula, partial, upstream, contribution, sent)
