"""The graph of a network's loss, with the names that its nodes have in the matrices: which node is z2[3,0], which a1[3,2].

The loss is recorded as `MLP.loss` records it, one sample after the other; then one sweep gives every adjoint, and
`routes` walks from a node to the next pre-activations that depend on it: the terms of which the sweep made its adjoint. The
trade-off: one node for every product of every sample, so it is for as many samples as a person would look at.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import mul
from typing import Any, NamedTuple, TypeAlias

from autograd import Value, topological_order
from autograd.derivation.dialects import as_text
from autograd.derivation.formulas import FORMULAS
from autograd.graph import edges, local_partials
from autograd.rules import CONSTANT, RULES
from autograd.sweep import ONE, adjoints
from autograd.symbols import Expression, number, symbol
from nn.arrays import Array
from nn.losses import LOSSES
from nn.mlp import MLP

Factor: TypeAlias = tuple[str, Any]
SHARE = "softmax"  # the slope of a log of a sum of exp
DEPTH = 3  # a factor is written out down to the operands of its operands of its operands


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
    symbols: tuple[str, ...]
    factors: tuple[Any, ...]

    @property
    def number(self) -> Any:
        """The product of the factors, from the loss back, in the order of the sweep."""
        return reduce(mul, self.factors[::-1])


class Recorded:
    """The loss of `model` on samples X with targets Y as a graph, `output`, and the adjoint of every node."""

    def __init__(self, model: MLP, X: Array, Y: Array, loss: str) -> None:
        self.names: dict[Value, str] = {}
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
        self.adjoint: dict[Value, Any] = adjoints(self.output, kind(1), kind())
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
                factors = (*factors, ("delta{}[{},{}]".format(*place), self.adjoint[at]))
            elif at is not self.output:
                onward = self.consumers[at]
                stack += [(consumer, (*factors, *self._factor(consumer, i))) for consumer, i in reversed(onward)]
                continue
            symbols, numbers = zip(*self._shared(factors), strict=True)
            found.append(Route(place or self.places[node], symbols, numbers))
        return sorted(found, key=lambda route: route.place)

    def _shared(self, factors: Sequence[Factor]) -> Sequence[Factor]:
        """The factors; those through a log of a sum of exp as one, the share that the first of them has in the sum."""
        shares = [(text, number) for text, number in factors if text.startswith(SHARE)]
        if not shares:
            return factors
        at = factors.index(shares[0])
        return *factors[:at], (shares[0][0], reduce(mul, (number for _, number in shares))), *factors[at + len(shares) :]

    def _factor(self, consumer: Value, position: int) -> tuple[Factor, ...]:
        """The local partial of an edge, in symbols and as a number; nothing where it is the 1 of a sum."""
        partial = local_partials(consumer)[position]
        if partial is ONE and consumer.rule.name in ("add", "sub"):  # the slope of a relu may be 1 too, and is shown
            return ()
        if consumer.rule is RULES["logaddexp"]:
            return ((SHARE + self._whose(consumer.parents[position]), partial),)
        operands = [self._expression(p, DEPTH) for p in consumer.parents]
        formula = FORMULAS[consumer.rule.name].partials(self._expression(consumer, DEPTH), *operands)[position]
        return ((as_text(formula), partial),)

    def _whose(self, operand: Value) -> str:
        """Of which pre-activation z a difference z - z' is; nothing for a log, the share of which is a factor of that one's."""
        place = self.places.get(operand.parents[0])
        return "(z{})[{},{}]".format(*place) if place else ""

    def _expression(self, node: Value, depth: int) -> Expression:
        """A node in names: its own, or its operation on its operands, so deep and no deeper."""
        if node in self.names:
            return symbol(self.names[node])
        if node.rule is CONSTANT:
            return number(node.data)
        if not depth:
            return symbol("...")
        operands = [self._expression(p, depth - 1) for p in node.parents]
        expression: Expression = FORMULAS[node.rule.name].forward(*operands)
        return expression
