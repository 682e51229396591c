"""A graph as DOT text, which Graphviz lays out: a box per node, an arrow from each operand to its result.

The local partial of an arrow is a small box of its own, in which the arrow pauses: Graphviz keeps boxes apart and leads
arrows around them, so no number is crossed. On the page numbers change, and there they are labels of the arrows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autograd.draw.layers import Layers
from autograd.draw.markup import SIZE, colored, digraph, number, symbol_cell, table, text, tooltip
from autograd.draw.options import View
from autograd.draw.style import faded, width
from autograd.floats import as_float, shown
from autograd.graph import edges
from autograd.names import plain
from autograd.operations import CONSTANT, local_partials
from autograd.value import Value

if TYPE_CHECKING:
    from graphviz import Digraph


def dot(order: Sequence[Value], swept: bool, room: int = 0, view: View = View()) -> str:  # noqa: B008  # it cannot change
    """The DOT text of the nodes in `order`, with their gradients if `swept`.

    With `room`, for the page, in which numbers will change, boxes are at least so many points wide and arrows all alike:
    box `i` has the texts label, symbol, data, grad, and arrow `i`, in the order of `edges(order)`, the text of its partial.
    """
    names = {node: f"n{i}" for i, node in enumerate(order)}
    arrows = [Arrow(parent, consumer, position, swept) for parent, consumer, position in edges(order)]
    strongest = math.inf if room else max((abs(arrow.flow) for arrow in arrows if math.isfinite(arrow.flow)), default=0.0)
    graph = digraph(view, room)
    for node in order:
        label = _page_box(node, swept, room, view) if room else box(node, swept, view)
        graph.node(names[node], label=label, tooltip=tip(node))
    layers = Layers(() if room else order)
    for i, arrow in enumerate(arrows):
        label, attributes = arrow.label(view), arrow.attributes(strongest, view)
        ends, enters = (names[arrow.parent], names[arrow.consumer]), layers.enters(arrow.parent, arrow.consumer)
        if not label:
            graph.edge(*ends, **attributes, **({"minlen": "2"} if enters else {}))
        elif room:
            graph.edge(*ends, label=label, **attributes)
        else:
            pausing(graph, ends, f"p{i}", label, attributes, view, enters=enters)
            layers.place(f"p{i}", arrow.consumer)
    layers.write(graph, names, view)
    source: str = graph.source
    return source


def pausing(
    graph: Digraph, ends: tuple[str, str], name: str, label: str, attributes: dict[str, str], view: View, *, enters: bool
) -> None:
    """An arrow that pauses at its number; one that comes into the frame of a neuron does so as soon as it is inside."""
    content = colored(label, attributes.get("fontcolor", view.theme.line))
    graph.node(name, label=f"<{content}>", shape="plaintext", margin="0.05,0.03", width="0", height="0", fontsize=str(SIZE - 1))
    graph.edge(ends[0], name, **{**attributes, "arrowhead": "none"})
    graph.edge(name, ends[1], **attributes, **({"minlen": "2"} if enters else {}))


def tip(node: Value) -> Any:
    """The tooltip of a box: its label and all digits of its number."""
    return tooltip(f"{plain(node.label)} = {shown(node.data)}" if node.label else shown(node.data))


class Arrow:
    """From an operand to its consumer: the local partial, and the gradient that flows back along it."""

    def __init__(self, parent: Value, consumer: Value, position: int, swept: bool) -> None:
        self.parent, self.consumer, self.swept = parent, consumer, swept
        self.partial = as_float(local_partials(consumer)[position])
        self.flow = as_float(consumer.grad) * self.partial if swept and parent.operation is not CONSTANT else 0.0

    def label(self, view: View) -> str:
        """The partial; nothing where the operand is a constant, which is not varied."""
        return "" if self.parent.operation is CONSTANT or "partials" not in view.show else number(self.partial, view.precision)

    def attributes(self, strongest: float, view: View) -> dict[str, str]:
        """Its DOT attributes, in a picture where the strongest flow is this."""
        found = {} if self.parent.operation is CONSTANT or not self.swept else flow(self.flow, strongest, view)
        if not view.is_lit(self.parent, self.consumer):
            color = faded(found.get("color", view.theme.line))
            return {**found, "color": color, "fontcolor": color}
        return found


def flow(x: float, strongest: float, view: View) -> dict[str, str]:
    """The DOT attributes of an arrow along which the gradient `x` flows back."""
    if x == 0:
        return {"style": "dashed"}
    theme = view.theme
    color = theme.positive if x > 0 else theme.negative
    found = {"color": color, "fontcolor": color, "penwidth": f"{width(x, strongest):.2f}"}
    if x < 0 and theme.negative_head != "normal":
        found["arrowhead"] = theme.negative_head
    return found


def box(node: Value, swept: bool, view: View) -> str:
    """A node as a box: its operation beside its name, number and gradient."""
    theme, is_lit = view.theme, view.is_lit(node)
    tone = str if is_lit else faded
    rows = [colored(line, tone(color)) for line, color in _numbers(node, swept, view)]
    name = text(view.names.get(node, node.label))
    if name and "labels" in view.show and node.operation is not CONSTANT:
        written, color = (f"<B>{name}</B>", theme.ink) if node.label else (f"<I>{name}</I>", theme.symbol)
        rows.insert(0, colored(written, tone(color)))
    symbol = node.operation.symbol
    side = symbol_cell(symbol, tone(theme.ink)) if symbol else ""
    line, border = (theme.accent, 3) if view.lit is not None and is_lit else (tone(theme.line), 1)
    return table(rows, tone(theme.fill(node.operation)), line, border=border, side=side)


def _numbers(node: Value, swept: bool, view: View) -> list[tuple[str, str]]:
    """The lines of a box that have numbers, with their colours."""
    theme, lines = view.theme, []
    if "data" in view.show:
        word = "" if node.operation is CONSTANT else "data "
        lines.append((f"{word}{number(node.data, view.precision)}", theme.ink))
    if swept and "grad" in view.show and node.operation is not CONSTANT:
        color = theme.positive if node.grad > 0 else theme.negative if node.grad < 0 else theme.line
        lines.append((f"grad {number(node.grad, view.precision)}", color))
    if node in view.rates and node.operation is not CONSTANT:
        lines.append((f"tangent {number(view.rates[node], view.precision)}", theme.ink))
    return lines


def _page_box(node: Value, swept: bool, room: int, view: View) -> str:
    symbol = node.operation.symbol
    title = [f"<B>{text(node.label)}</B>"] if node.label else []
    title += [colored(text(symbol), view.theme.symbol)] if symbol else []
    lines = _numbers(node, swept, view)
    if node.operation is CONSTANT:
        lines = [(f"data {content}", color) for content, color in lines]
    rows = [colored(content, color) if color != view.theme.ink else content for content, color in lines]
    return table([" ".join(title), *rows] if title else rows, view.theme.fill(node.operation), view.theme.line, least=room)
