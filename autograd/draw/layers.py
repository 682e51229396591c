"""Networks drawn as their layers: frames around neurons and layers, inputs in a column, found by labels such as a1[0].

A result with indices in its label is a neuron, with all that is computed for it alone; neurons with one stem are a layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from autograd.draw.cones import cones, stem
from autograd.draw.markup import text
from autograd.draw.options import View
from autograd.value import Value

if TYPE_CHECKING:
    from graphviz import Digraph


class Layers:
    """The neurons of a graph by layer, and the inputs that stand in one column."""

    def __init__(self, order: Sequence[Value]) -> None:
        found = cones(order)
        self.neurons: dict[str, dict[Value, list[Value]]] = {}
        for root, cone in found.items():
            if len(cone) > 1 and stem(root.label):
                self.neurons.setdefault(stem(root.label), {})[root] = cone
        self.neuron = {node: root for layer in self.neurons.values() for root, cone in layer.items() for node in cone}
        self.partials: dict[Value, list[str]] = {}
        columns: dict[str, list[Value]] = {}
        for root in found:
            if root.left is None and stem(root.label):
                columns.setdefault(stem(root.label), []).append(root)
        self.columns = [column for column in columns.values() if len(column) > 1]

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
        for i, (layer, neurons) in enumerate(self.neurons.items()):
            title = {"label": f"<<B>{text(layer)}</B>>", "labeljust": "l", "fontsize": "16", "fontcolor": view.theme.symbol}
            title["labelloc"] = "t" if view.direction == "LR" else "b"  # arrows come in from above, and would cross it
            with graph.subgraph(name=f"cluster_layer{i}", graph_attr={**frame, **title}) as inner:
                for root, cone in neurons.items():
                    if len(neurons) == 1:
                        self._members(inner, names, root, cone)
                        continue
                    with inner.subgraph(name=f"cluster_{names[root]}", graph_attr={**frame, "label": ""}) as neuron:
                        self._members(neuron, names, root, cone)
        for neurons in self.neurons.values():
            for cone in neurons.values():
                self._behind_inputs(graph, names, cone)

    def _members(self, frame: Digraph, names: Mapping[Value, str], root: Value, cone: Sequence[Value]) -> None:
        for name in (*(names[node] for node in cone), *self.partials.get(root, ())):
            frame.node(name)

    def _behind_inputs(self, graph: Digraph, names: Mapping[Value, str], cone: Sequence[Value]) -> None:
        """Keep the weights of a neuron behind its inputs, so that layers stand side by side: arrows that are not seen."""
        readers = [node for node in cone if any(self.enters(p, node) for p in node.parents)]
        first = next((names[p] for node in readers for p in node.parents if self.enters(p, node)), "")
        for node in readers:
            for weight in node.parents:
                if weight.left is None and not self.enters(weight, node):
                    graph.edge(first, names[weight], style="invis", weight="0")
