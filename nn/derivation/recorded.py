"""The graph of a network's loss, with the names that its nodes have in the matrices: which node is z2[3,0], which a1[3,2].

The loss is recorded as `MLP.loss` records it, one sample after the other; then one sweep gives every adjoint, and
`routes` walks from a node to the next pre-activations that depend on it: the terms of which the sweep made its adjoint. There
is a node for every product of every sample, so it is for as many samples as a person would look at.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import mul
from typing import Any, NamedTuple, TypeAlias

from autograd import Value, topological_order
from autograd.expressions import SYMBOLS, Expression, call, number, symbol
from autograd.expressions.rows import usual_partials
from autograd.graph import edges
from autograd.operations import CONSTANT, FLOATS, OPERATIONS, local_partials
from autograd.sweep import ONE, adjoints
from nn.activations import ACTIVATIONS
from nn.arrays import Array
from nn.losses import LOSSES
from nn.mlp import MLP

Factor: TypeAlias = tuple[Expression, Any]
SHARE = "softmax"  # the slope of a log of a sum of exp
DEPTH = 5  # a factor is shown with operands of operands, so deep


class Place(NamedTuple):
    """Where a pre-activation stands in the matrices: z of that layer (from 1), row `sample`, column `neuron`."""

    layer: int
    sample: int
    neuron: int


class Route(NamedTuple):
    """One way on which a node goes into the loss: the factors of its edges, but for those that are 1.

    It ends at the first pre-activation, `place`, and its adjoint is the last factor; or at the loss, and `place` is the start.
    """

    place: Place
    expressions: tuple[Expression, ...]
    factors: tuple[Any, ...]

    @property
    def number(self) -> Any:
        """The product of the factors, from the loss back, in the order of the sweep."""
        return reduce(mul, self.factors[::-1])


class Recorded:
    """The loss of `model` on samples X with targets Y as a graph, `output`, and the adjoint of every node."""

    def __init__(self, model: MLP, X: Array, Y: Array, loss: str) -> None:
        self.model = model
        self.names: dict[Value, str] = {}
        self.activated: dict[Value, Value] = {}
        self.places: dict[Value, Place] = {}
        self.z: dict[Place, Value] = {}
        x, y = self._leaves("X", X), self._leaves("Y", Y)
        for layer, rows in enumerate(model.weights, 1):
            self.names |= {w: f"W{layer}[{i},{j}]" for i, row in enumerate(rows) for j, w in enumerate(row)}
        last = [self._sample(model, s, signals) for s, signals in enumerate(x)]
        chosen = LOSSES[loss]
        if chosen.by_preactivation:  # it starts from z, also where a is the same node
            self.names |= {z_j: f"z{len(model.layers)}[{s},{j}]" for s, (z, _) in enumerate(last) for j, z_j in enumerate(z)}
        self.output = chosen.graph([z for z, _ in last], [a for _, a in last], y)
        kind = type(self.output.data)
        self.adjoint: dict[Value, Any] = adjoints(self.output, kind(1), kind(), FLOATS)
        self.consumers: dict[Value, list[tuple[Value, int]]] = {}
        for parent, consumer, position in edges(topological_order(self.output)):
            self.consumers.setdefault(parent, []).append((consumer, position))

    def _leaves(self, name: str, numbers: Array) -> list[list[Value]]:
        rows = [[Value(v, f"{name}[{s},{i}]") for i, v in enumerate(row)] for s, row in enumerate(numbers)]
        self.names |= {v: v.label for row in rows for v in row}
        return rows

    def _sample(self, model: MLP, s: int, signals: list[Value]) -> tuple[list[Value], list[Value]]:
        """Record one sample, as `MLP.loss` does; return the pre-activations and activations of the last layer."""
        z: list[Value] = []
        for layer, neurons in enumerate(model.layers, 1):
            z = [neuron.preactivation(signals) for neuron in neurons]
            signals = [neuron.activate(z_j) for neuron, z_j in zip(neurons, z, strict=True)]
            for j, (z_j, a_j) in enumerate(zip(z, signals, strict=True)):
                self.names |= {z_j: f"z{layer}[{s},{j}]", a_j: f"a{layer}[{s},{j}]"}
                place = Place(layer, s, j)
                self.places[z_j], self.z[place] = place, z_j
                if a_j is not z_j:
                    self.activated[z_j] = a_j
        return z, signals

    def routes(self, node: Value) -> list[Route]:
        """Every route from a parameter or a pre-activation on; the products of their factors sum to its adjoint.

        At most one for each sample or neuron; in the loss at most two for each other output.
        """
        found = []
        stack: list[tuple[Value, tuple[Factor, ...]]] = [(node, ())]
        while stack:
            at, factors = stack.pop()
            place = self.places.get(at)
            if place and at is not node:
                factors = (*factors, (symbol("delta{}[{},{}]".format(*place)), self.adjoint[at]))
            elif place and (a := self.activated.get(at)) in self.consumers:
                stack.append((a, (*factors, self._slope(at, a, place))))
                continue
            elif at is not self.output:
                onward = self.consumers[at]
                stack += [(consumer, (*factors, *self._factor(consumer, i))) for consumer, i in reversed(onward)]
                continue
            expressions, numbers = zip(*self._shared(factors), strict=True)
            found.append(Route(place or self.places[node], expressions, numbers))
        return sorted(found, key=lambda route: route.place)

    def _shared(self, factors: Sequence[Factor]) -> Sequence[Factor]:
        """The factors; those through a log of a sum of exp as one, the share that the first of them has in the sum."""
        shares = [i for i, (e, _) in enumerate(factors) if SHARE in (e.op.name, *(p.op.name for p in e.parents))]
        if not shares:
            return factors
        at, numbers = shares[0], [factors[i][1] for i in shares]
        return *factors[:at], (factors[at][0], reduce(mul, numbers)), *factors[at + len(shares) :]

    def _slope(self, z: Value, a: Value, place: Place) -> Factor:
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
        formula = ACTIVATIONS[self.model.activations[place.layer - 1]].formula
        names = symbol(self.names[a]), symbol(self.names[z])
        return (number(1) if formula is None else formula(*names)), slope

    def _factor(self, consumer: Value, position: int) -> tuple[Factor, ...]:
        """The local partial of an edge, in symbols and as a number; nothing where it is the 1 of a sum."""
        partial = local_partials(consumer)[position]
        row = consumer.operation
        if partial is ONE and row.name in ("add", "sub"):  # the slope of a relu may be 1 too, and is shown
            return ()
        if row is OPERATIONS["logaddexp"]:
            return ((self._share(consumer.parents[position]), partial),)
        operands = [self._expression(p, DEPTH) for p in consumer.parents]
        return ((usual_partials(row, self._expression(consumer, DEPTH), *operands)[position], partial),)

    def _share(self, operand: Value) -> Expression:
        """The share of the z in a difference z - z'; a bare name for a log, whose share is a factor of that one's."""
        place = self.places.get(operand.parents[0])
        return call(SHARE, symbol(f"z{place.layer}"))[place.sample, place.neuron] if place else call(SHARE)

    def _expression(self, node: Value, depth: int) -> Expression:
        """A node in names: its own, or its operation on its operands, so deep and no deeper."""
        if node in self.names:
            return symbol(self.names[node])
        if node.operation is CONSTANT:
            return number(node.data)
        if not depth:
            return symbol("...")
        operands = [self._expression(p, depth - 1) for p in node.parents]
        expression: Expression = getattr(SYMBOLS, node.operation.name)(*operands)
        return expression
