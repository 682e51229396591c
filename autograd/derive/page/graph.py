"""The part of a graph that the page shows, as a picture and as data."""

from __future__ import annotations

import math
import re
from typing import Any, cast

from autograd.derive.page.formulas import Formulas, mathml, template
from autograd.derive.steps import Steps
from autograd.draw.dot import dot
from autograd.draw.render import render
from autograd.expressions.javascript import keys, literal
from autograd.floats import as_float
from autograd.graph import Image
from autograd.names import latex_name
from autograd.operations import CONSTANT, LEAF, local_partials, of_count
from autograd.value import Value

INDEXED = re.compile(r"[^\W\d][\w\[\],#]*")  # a name in which HTML finds nothing that means more
KIND = {LEAF: "input", CONSTANT: "given"}
WIDTH = 84  # of a box, in points: room for a number that changes


class Copy(Image):
    """A node as the page shows it."""

    __slots__ = ("grad", "label")

    grad: float
    label: str


class Graph:
    """The nodes that have a step, which vary, and their other operands, which are given."""

    def __init__(self, derivation: Steps, limit: int) -> None:
        output, free = derivation.output, set(derivation.wrt or ())
        self.varied = {node for node in derivation.covered if node.operation is not CONSTANT} | {output}
        self.results = {
            node
            for node in self.varied & derivation.adjoints.keys()
            if node.left is not None and (node not in free or not self.varied.isdisjoint(node.parents))
        }
        shown = self.varied.union(*(node.parents for node in self.results))
        if len(shown) > limit:
            raise ValueError(
                f"page: the graph has {len(shown)} nodes, more than the limit of {limit}; take a part of it: "
                "derive(output, wrt=w) has only what lies between w and the output, derive(output.parents[0]) an operand"
            )
        self.derivation, self.names = derivation, derivation.names
        self.nodes: dict[Value, Copy] = {}
        for node in derivation.order:
            if node in shown:
                self.nodes[node] = self._copy(node)
        self.sweep = list(dict.fromkeys((output, *(step.node for step in derivation.steps if step.node in self.varied))))
        self.used = list(
            dict.fromkeys(of_count(node.operation, len(node.parents)) for node in self.nodes if node in self.results)
        )

    def _copy(self, node: Value) -> Copy:
        is_result = node in self.results
        operation = of_count(node.operation, len(node.parents)) if is_result else LEAF if node in self.varied else CONSTANT
        operands = [self.nodes[parent] for parent in node.parents] if is_result else []
        copy = Copy(as_float(self.derivation.data[node]), operation, *operands)
        copy.grad = as_float(self.derivation.adjoints.get(node, 0.0))
        copy.label = "" if node.operation is CONSTANT else self.names[node]
        return copy

    def svg(self) -> str:
        """The picture, without the head that a file of its own would have."""
        text = render(dot(cast("list[Value]", list(self.nodes.values())), swept=True, room=WIDTH), "svg").decode()
        return text[text.index("<svg") :]

    def program(self, formulas: Formulas, fixed: bool) -> dict[str, Any]:
        """The graph as data: its nodes, with the places of their operands, and the places in the order of the sweep."""
        place = {node: i for i, node in enumerate(self.nodes)}
        rows = keys(self.used)
        nodes = []
        for node, copy in self.nodes.items():
            is_result = node in self.results
            data = {
                "name": self.names[node],
                "kind": "constant" if node.operation is CONSTANT else KIND.get(copy.operation, "result"),
                "operation": copy.operation.name if is_result else "",
                "row": rows[copy.operation] if is_result else "",
                "parents": [place[parent] for parent in node.parents if is_result],
                "data": _number(copy.data),
            }
            if is_result and copy.operation.selects:
                data["selects"] = True
            if fixed and is_result:
                value, *partials = formulas.at(copy)
                data |= {"value": value, "formulas": partials, "partials": [_number(x) for x in local_partials(copy)]}
            nodes.append(data)
        return {"nodes": nodes, "sweep": [place[node] for node in self.sweep]}

    def templates(self) -> str:
        """The names that have indices or Greek letters as inert HTML; the page writes the others as they are."""
        names = ((i, self.names[node]) for i, node in enumerate(self.nodes) if node.operation is not CONSTANT)
        return "".join(template(f"name{i}", mathml(latex_name(name))) for i, name in names if INDEXED.fullmatch(name))


def _number(x: Any) -> Any:
    """A number that JSON can hold, or its name in JavaScript."""
    return x if math.isfinite(x) else literal(float(x))
