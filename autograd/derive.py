"""The derivation of a gradient: the chain rule written out for a recorded graph, step by step, as data.

A step is a node: its operation, its local partials as formulas and as numbers, and one term for each consumer that it went
into. The terms stand in the order in which the sweep adds them, so that their sum is the gradient of `grad`, bit for bit.
The trade-off: numbers and names are taken when the derivation is made, formulas are not made before they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

from autograd.formulas import FORMULAS, partials_at
from autograd.gradients import values
from autograd.graph import consumers_first, topological_order
from autograd.printed import named
from autograd.rules import CONSTANT
from autograd.sweep import ONE, adjoints
from autograd.symbols import Expression, number, symbol
from autograd.value import Number, Value


class Term(NamedTuple):
    """What one consumer adds to an adjoint: `contribution`, which is `upstream` times `partial`.

    `upstream` is the adjoint of the consumer, `partial` the derivative of the consumer by its operand at `position`, and
    `formula` that derivative in the names of the derivation.
    """

    consumer: Value
    position: int
    formula: Expression
    partial: Number
    upstream: Number
    contribution: Number


class Step(NamedTuple):
    """One node: what it is called, what it was made by, and how its adjoint comes about.

    `definition` is the operation on the names of its operands, None for a leaf or a constant; `partials` has the formula
    and the number of its derivative by each operand; `terms` has one for each place in which a consumer uses it, in the
    order of the sweep. Their sum is `adjoint`; that of the output is 1.
    """

    node: Value
    name: str
    definition: Expression | None
    partials: tuple[tuple[Expression, Number], ...]
    terms: tuple[Term, ...]
    adjoint: Number
    data: Number


class Derivation:
    """The derivation of d output / d node for every node, or for those between `wrt` and the output; see `derive`.

    `names` has a name for every node: its label, or z1, z2, ..., and for a constant its number. `steps` has one step for
    each node that is told, in the order of the sweep: the output first, a node after all its consumers, leaves at the end.
    """

    def __init__(self, output: Value, wrt: tuple[Value, ...] | None) -> None:
        self.output, self.wrt = output, wrt
        kind = type(output.data)
        self._adjoints = adjoints(output, kind(1), kind())
        self._order = topological_order(output)
        self._order += [node for node in wrt or () if node not in self._adjoints]  # the output does not depend on them
        self._data = {node: node.data for node in self._order}
        self._zero = kind()
        self.names: dict[Value, str] = named(self._order)

    @cached_property
    def told(self) -> frozenset[Value]:
        """The nodes that have a step: all, or those that depend on one of `wrt`."""
        if self.wrt is None:
            return frozenset(self._order)
        told = set(self.wrt)
        for node in self._order:
            if not told.isdisjoint(node.parents):
                told.add(node)
        return frozenset(told)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """One step for each node that is told, in the order of the sweep."""
        results, _ = consumers_first(self.output, None)
        sweep = [node for node in results if node in self.told]
        sweep += [node for node in self._order if node in self.told and node.left is None]
        terms: dict[Value, list[Term]] = {node: [] for node in sweep}
        return tuple(self._step(node, terms) for node in sweep)

    def _step(self, node: Value, terms: dict[Value, list[Term]]) -> Step:
        """The step of a node that has all its terms; its own share goes to the terms of its operands."""
        adjoint = self._adjoints.get(node, self._zero)
        partials = self._partials(node)
        for position in range(len(partials))[::-1]:  # the sweep adds to the right operand first
            formula, partial = partials[position]
            if (operand := node.parents[position]) in terms:
                contribution = adjoint if partial is ONE else adjoint * partial
                terms[operand].append(Term(node, position, formula, partial, adjoint, contribution))
        definition = FORMULAS[node.rule.name].forward(*map(self._named, node.parents)) if partials else None
        return Step(node, self.names[node], definition, partials, tuple(terms[node]), adjoint, self._data[node])

    def _partials(self, node: Value) -> tuple[tuple[Expression, Number], ...]:
        parents = node.parents
        if not parents:
            return ()
        numbers = {self.names[n]: self._data[n] for n in (node, *parents) if n.rule is not CONSTANT}
        formulas = partials_at(node.rule.name, self._named(node), [self._named(parent) for parent in parents], numbers)
        partials = node.rule.partials(self._data[node], *(self._data[parent] for parent in parents))
        return tuple(zip(formulas, partials, strict=True))

    def _named(self, node: Value) -> Expression:
        return number(self._data[node]) if node.rule is CONSTANT else symbol(self.names[node])


def derive(output: Value, wrt: Value | Iterable[Value] | None = None) -> Derivation:
    """Write out the chain rule for the graph of `output`: for every node, or for what lies between `wrt` and the output.

    The graph is read, not changed. Raises `TypeError` for anything that is not a Value, and `ValueError` for a `wrt` that
    is empty.

    >>> from autograd import Value
    >>> x = Value(3.0, "x")
    >>> step = derive(x * x + x, wrt=x).steps[-1]
    >>> [(term.upstream, term.partial, term.contribution) for term in step.terms], step.adjoint
    ([(1.0, 1, 1.0), (1.0, 3.0, 3.0), (1.0, 3.0, 3.0)], 7.0)
    """
    (output,) = values([output], "derive: output")
    if wrt is None:
        return Derivation(output, None)
    wanted = tuple(dict.fromkeys(values([wrt] if isinstance(wrt, Value) else wrt, "derive: wrt")))
    if not wanted:
        raise ValueError("derive: wrt is empty; give a Value or several, or leave it out to derive by all of them")
    return Derivation(output, wanted)
