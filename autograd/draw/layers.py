"""Networks drawn as their layers: frames around neurons and layers, inputs in a column, found by labels such as a1[0].

A result with indices in its label is a neuron, with all that is computed for it alone; neurons with one stem are a layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from autograd.draw.cones import cones, stem
from autograd.draw.markup import text
from autograd.draw.style import Theme
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

    def write(self, graph: Digraph, names: Mapping[Value, str], theme: Theme) -> None:
        """Add the frames and the columns to the graph."""
        for i, (layer, neurons) in enumerate(self.neurons.items()):
            frame = {"style": "rounded,filled", "color": theme.line, "fillcolor": theme.cluster, "fontcolor": theme.symbol}
            frame |= {"labeljust": "l", "fontsize": "14", "penwidth": "0.5"}
            if len(neurons) == 1:
                self._neuron(graph, names, next(iter(neurons)), frame)
                continue
            with graph.subgraph(name=f"cluster_layer{i}", graph_attr={**frame, "label": f"<{text(layer)}>"}) as inner:
                for root in neurons:
                    self._neuron(inner, names, root, frame)
        for column in self.columns:
            with graph.subgraph(graph_attr={"rank": "same"}) as inner:
                for node in column:
                    inner.node(names[node])

    def _neuron(self, graph: Digraph, names: Mapping[Value, str], root: Value, frame: Mapping[str, str]) -> None:
        cluster = {**frame, "label": f"<{text(root.label)}>"}
        with graph.subgraph(name=f"cluster_{names[root]}", graph_attr=cluster) as inner:
            for node in self.neurons[stem(root.label)][root]:
                inner.node(names[node])
            for partial in self.partials.get(root, ()):
                inner.node(partial)
        self._behind_inputs(graph, names, root)

    def _behind_inputs(self, graph: Digraph, names: Mapping[Value, str], root: Value) -> None:
        """Keep the weights of a neuron behind its inputs, so that layers stand side by side: arrows that are not seen."""
        readers = [node for node in self.neurons[stem(root.label)][root] if any(self.enters(p, node) for p in node.parents)]
        first = next((names[p] for node in readers for p in node.parents if self.enters(p, node)), "")
        for node in readers:
            for weight in node.parents:
                if weight.left is None and not self.enters(weight, node):
                    graph.edge(first, names[weight], style="invis", weight="0")
