"""Networks drawn as their layers: frames around neurons and layers, inputs in a column, found by labels such as a1[0].

What is computed for one result alone is its cone; in logic synthesis it is a maximum fanout-free cone (Cong & Ding, FlowMap,
IEEE TCAD 13(1), 1994). The cone of a result with indices in its label is a neuron with its weights; its inputs are not in it,
for other neurons read them too. Neurons with one stem are a layer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

from autograd.draw.markup import text
from autograd.draw.style import View
from autograd.value import Value

if TYPE_CHECKING:
    from graphviz import Digraph

K = TypeVar("K")
T = TypeVar("T")
_INDEXED = re.compile(r"(.*[^\s\[])\[[^\[\]]+\]", re.DOTALL)


def stem(label: str) -> str:
    """A label without the indices at its end; empty if it has none."""
    found = _INDEXED.fullmatch(label)
    return found[1] if found else ""


def gathered(pairs: Iterable[tuple[K, T]]) -> dict[K, list[T]]:
    """The second of each pair, listed by the first."""
    found: dict[K, list[T]] = {}
    for key, item in pairs:
        found.setdefault(key, []).append(item)
    return found


def cones(order: Sequence[Value]) -> dict[Value, list[Value]]:
    """By root, the nodes of each cone in their order. Roots: what several nodes read, what nothing reads, labelled results."""
    consumer: dict[Value, Value | None] = {}  # the only one, or None
    for node in order:
        for parent in dict.fromkeys(node.parents):
            consumer[parent] = None if parent in consumer else node
    root: dict[Value, Value] = {}
    for node in reversed(order):
        only = consumer.get(node)
        root[node] = node if only is None or (node.label and node.left is not None) else root[only]
    return gathered((root[node], node) for node in order)


class Layers:
    """The neurons of a graph by layer, and the inputs that stand in one column."""

    def __init__(self, order: Sequence[Value]) -> None:
        found = {root: cone for root, cone in cones(order).items() if stem(root.label)}
        self.layers = gathered((stem(root.label), (root, cone)) for root, cone in found.items() if len(cone) > 1)
        self.neuron = {node: root for layer in self.layers.values() for root, cone in layer for node in cone}
        inputs = gathered((stem(root.label), root) for root in found if root.left is None)
        self.columns = [column for column in inputs.values() if len(column) > 1]
        self.partials: dict[Value, list[str]] = {}  # in the frame of each neuron

    def enters(self, parent: Value, consumer: Value) -> bool:
        """Whether an arrow comes into a neuron from outside."""
        return consumer in self.neuron and self.neuron[consumer] is not self.neuron.get(parent)

    def place(self, name: str, consumer: Value) -> None:
        """Put the partial of an arrow into the frame of the neuron that it leads to."""
        if consumer in self.neuron:
            self.partials.setdefault(self.neuron[consumer], []).append(name)

    def write(self, graph: Digraph, names: Mapping[Value, str], view: View) -> None:
        """Add the columns and the frames to the graph, in this order: Graphviz lays out better what comes first."""
        for column in self.columns:
            with graph.subgraph(graph_attr={"rank": "same"}) as inner:
                for above, below in pairwise(names[node] for node in column):  # in their order
                    inner.edge(above, below, style="invis")
        frame = {"style": "rounded,filled", "color": view.theme.line, "fillcolor": view.theme.cluster, "penwidth": "0.5"}
        for i, (layer, neurons) in enumerate(self.layers.items()):
            title = {"label": f"<<B>{text(layer)}</B>>", "labeljust": "l", "fontsize": "16", "fontcolor": view.theme.symbol}
            title["labelloc"] = "t" if view.direction == "LR" else "b"  # arrows come in from above, and would cross it
            with graph.subgraph(name=f"cluster_layer{i}", graph_attr={**frame, **title}) as inner:
                for root, cone in neurons:
                    own = inner.subgraph(name=f"cluster_{names[root]}", graph_attr={**frame, "label": ""})
                    with nullcontext(inner) if len(neurons) == 1 else own as neuron:
                        for name in (*(names[node] for node in cone), *self.partials.get(root, ())):
                            neuron.node(name)
        for neurons in self.layers.values():
            for _, cone in neurons:
                self._behind_inputs(graph, names, cone)

    def _behind_inputs(self, graph: Digraph, names: Mapping[Value, str], cone: Sequence[Value]) -> None:
        """Keep the weights of a neuron behind its inputs, so that layers stand side by side: arrows that are not seen."""
        readers = [node for node in cone if any(self.enters(p, node) for p in node.parents)]
        first = next((names[p] for node in readers for p in node.parents if self.enters(p, node)), "")
        for node in readers:
            for weight in node.parents:
                if weight.left is None and not self.enters(weight, node):
                    graph.edge(first, names[weight], style="invis", weight="0")
