"""The graph of a network's loss, its nodes labelled by what they are in the matrices: which is z2[3,0], which a1[3,2].

The loss is recorded as `MLP.loss` records it, one sample after the other; then one sweep gives every adjoint, and
`terms` walks from a node to the next pre-activations that depend on it: the terms of which the sweep made its adjoint. There
is a node for every product of every sample, so it is for as many samples as a person would look at.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import mul
from typing import Any, NamedTuple, TypeAlias

from autograd import Value, topological_order
from autograd.expressions import SYMBOLS, Expression, as_text, call, number, symbol
from autograd.expressions.rows import usual_partials
from autograd.graph import edges
from autograd.operations import CONSTANT, FLOATS, OPERATIONS, local_partials
from autograd.sweep import ONE, adjoints
from nn.activations import ACTIVATIONS
from nn.arrays import Array
from nn.losses import LOSSES
from nn.mlp import MLP

Factor: TypeAlias = tuple[Expression, Any]
Place: TypeAlias = tuple[int, int, int]  # where a pre-activation stands in the matrices: layer, from 1, sample and neuron
SHARE = "softmax"  # the slope of a log of a sum of exp
DEPTH = 5  # a factor is shown with operands of operands, so deep


class Term(NamedTuple):
    """One term of an entry: the factors along one route to the loss, but for those that are 1, and their product, `number`."""

    sample: int
    neuron: int
    expressions: tuple[Expression, ...]
    factors: tuple[Any, ...]
    number: Any

    @property
    def symbols(self) -> tuple[str, ...]:
        """The factors in symbols, as text."""
        return tuple(map(as_text, self.expressions))


class Recorded:
    """The loss of `model`, whose numbers nobody else uses, on X and Y as a graph, `output`, and the adjoint of every node."""

    def __init__(self, model: MLP, X: Array, Y: Array, loss: str) -> None:
        self.model, chosen = model, LOSSES[loss]
        self.activated: dict[Value, Value] = {}
        self.places: dict[Value, Place] = {}
        self.nodes = {p.label: p for p in model.parameters()}
        x, y = (
            [[Value(v, f"{name}[{s},{i}]") for i, v in enumerate(row)] for s, row in enumerate(rows)]
            for name, rows in (("X", X), ("Y", Y))
        )
        z, a = zip(*(self._sample(s, signals) for s, signals in enumerate(x)), strict=True)
        for name, node in self.nodes.items():
            if chosen.by_preactivation and name.startswith(f"z{len(model.layers)}["):  # it starts from z, though a may be z
                node.label = name
        self.output = chosen.graph(z, a, y)
        kind = type(self.output.data)
        self.adjoint: dict[Value, Any] = adjoints(self.output, kind(1), kind(), FLOATS)
        self.consumers: dict[Value, list[tuple[Value, int]]] = {}
        for parent, consumer, position in edges(topological_order(self.output)):
            self.consumers.setdefault(parent, []).append((consumer, position))

    def _sample(self, s: int, signals: list[Value]) -> tuple[list[Value], list[Value]]:
        """Record one sample, as `MLP.loss` does; return the pre-activations and activations of the last layer."""
        z: list[Value] = []
        for layer, neurons in enumerate(self.model.layers, 1):
            z = [neuron.preactivation(signals) for neuron in neurons]
            signals = [neuron.activate(z_j) for neuron, z_j in zip(neurons, z, strict=True)]
            for j, (z_j, a_j) in enumerate(zip(z, signals, strict=True)):
                at = f"{layer}[{s},{j}]"
                self.places[z_j], self.nodes[f"z{at}"] = (layer, s, j), z_j
                z_j.label, a_j.label = f"z{at}", f"a{at}"
                if a_j is not z_j:
                    self.activated[z_j] = a_j
        return z, signals

    def terms(self, node: Value, from_loss: bool) -> tuple[Term, ...]:
        """A term for every route from a parameter or a pre-activation on; their factors start at the node, or at the loss."""
        found = []
        stack: list[tuple[Value, tuple[Factor, ...]]] = [(node, ())]
        while stack:
            at, factors = stack.pop()
            place = self.places.get(at)
            if place and at is not node:
                factors = (*factors, (symbol("delta{}[{},{}]".format(*place)), self.adjoint[at]))
            elif place and (a := self.activated.get(at)) in self.consumers:
                stack.append((a, (*factors, self._slope(at, a, place[0]))))
                continue
            elif at is not self.output:
                onward = self.consumers[at]
                stack += [(consumer, (*factors, *self._factor(consumer, i))) for consumer, i in reversed(onward)]
                continue
            expressions, numbers = zip(*self._shared(factors), strict=True)
            step, total = -1 if from_loss else 1, reduce(mul, numbers[::-1])  # in the order of the sweep
            found.append(Term(*(place or self.places[node])[1:], expressions[::step], numbers[::step], total))
        return tuple(sorted(found, key=lambda term: (term.sample, term.neuron)))

    def _shared(self, factors: Sequence[Factor]) -> Sequence[Factor]:
        """The factors; those through a log of a sum of exp as one, the share that the first of them has in the sum."""
        shares = [i for i, (e, _) in enumerate(factors) if SHARE in (e.op.name, *(p.op.name for p in e.parents))]
        if not shares:
            return factors
        at, numbers = shares[0], [factors[i][1] for i in shares]
        return *factors[:at], (factors[at][0], reduce(mul, numbers)), *factors[at + len(shares) :]

    def _slope(self, z: Value, a: Value, layer: int) -> Factor:
        """The slope of the activation between z and a: one factor, whatever the operations that it is made of."""
        slope, stack = None, [(z, None)]
        while stack:
            at, along = stack.pop()
            if at is a:
                slope = along if slope is None else slope + along
                continue
            for consumer, i in self.consumers[at]:
                partial = local_partials(consumer)[i]
                stack.append((consumer, partial if along is None else along * partial))
        formula = ACTIVATIONS[self.model.activations[layer - 1]].formula
        return (number(1) if formula is None else formula(symbol(a.label), symbol(z.label))), slope

    def _factor(self, consumer: Value, position: int) -> tuple[Factor, ...]:
        """The local partial of an edge, in symbols and as a number; nothing where it is the 1 of a sum."""
        partial, row = local_partials(consumer)[position], consumer.operation
        if partial is ONE and row.name in ("add", "sub"):  # the slope of a relu may be 1 too, and is shown
            return ()
        if row is OPERATIONS["logaddexp"]:
            return ((self._share(consumer.parents[position]), partial),)
        operands = [self._expression(p, DEPTH) for p in consumer.parents]
        return ((usual_partials(row, self._expression(consumer, DEPTH), *operands)[position], partial),)

    def _share(self, operand: Value) -> Expression:
        """The share of the z in a difference z - z'; a bare name for a log, whose share is a factor of that one's."""
        if operand.parents[0] not in self.places:
            return call(SHARE)
        layer, *entry = self.places[operand.parents[0]]
        return call(SHARE, symbol(f"z{layer}"))[tuple(entry)]

    def _expression(self, node: Value, depth: int) -> Expression:
        """A node in names: its own label, or its operation on its operands, so deep and no deeper."""
        if node.label:
            return symbol(node.label)
        if node.operation is CONSTANT:
            return number(node.data)
        if not depth:
            return symbol("...")
        expression: Expression = getattr(SYMBOLS, node.operation.name)(*(self._expression(p, depth - 1) for p in node.parents))
        return expression
