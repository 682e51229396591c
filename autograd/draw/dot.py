"""A graph as DOT text, which Graphviz lays out: a pure function of the nodes and their numbers.

Boxes are HTML-like labels, in which every character of a user's label is text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

from autograd.draw.style import FILL, FONT, GREY, INK, NEGATIVE, POSITIVE, RESULT, SYMBOL, width
from autograd.floats import as_float, shown
from autograd.graph import edges
from autograd.names import plain
from autograd.operands import Number
from autograd.operations import CONSTANT, local_partials
from autograd.value import Value

MINUS = "\u2212"


def dot(order: Sequence[Value], swept: bool, room: int = 0, rates: Mapping[Value, Number] | None = None) -> str:
    """The DOT text of the nodes in `order`, with their gradients if `swept`, and their tangents if there are `rates`.

    With `room`, for a picture in which numbers will change, boxes are at least so many points wide and arrows all alike.
    """
    import graphviz  # not with autograd itself, which stays light to import

    names = {node: f"n{i}" for i, node in enumerate(order)}
    arrows = [_Arrow(parent, consumer, position, swept) for parent, consumer, position in edges(order)]
    strongest = math.inf if room else max((abs(arrow.flow) for arrow in arrows if math.isfinite(arrow.flow)), default=0.0)
    arrowsize = "0.9" if room else "0.6"
    graph = graphviz.Digraph(
        graph_attr={"rankdir": "LR", "bgcolor": "transparent", "nodesep": "0.12", "ranksep": "0.4", "ordering": "in"},
        node_attr={"shape": "plain", "fontname": FONT, "fontsize": "11", "fontcolor": INK},
        edge_attr={"fontname": FONT, "fontsize": "10", "color": GREY, "fontcolor": GREY, "arrowsize": arrowsize},
    )
    for node in order:
        tip = f"{plain(node.label)} = {shown(node.data)}" if node.label else shown(node.data)
        graph.node(names[node], label=_box(node, swept, room, rates or {}), tooltip=graphviz.escape(_escaped(tip)))
    for arrow in arrows:
        graph.edge(names[arrow.parent], names[arrow.consumer], **arrow.attributes(strongest))
    source: str = graph.source
    return source


class _Arrow:
    """From an operand to its consumer: the local partial, and the gradient that flows back along it."""

    def __init__(self, parent: Value, consumer: Value, position: int, swept: bool) -> None:
        self.parent, self.consumer, self.swept = parent, consumer, swept
        self.partial = as_float(local_partials(consumer)[position])
        self.flow = as_float(consumer.grad) * self.partial if swept and parent.operation is not CONSTANT else 0.0

    def attributes(self, strongest: float) -> dict[str, str]:
        """Its DOT attributes, in a picture where the strongest flow is this."""
        if self.parent.operation is CONSTANT:  # a constant is not varied: nothing flows to it
            return {}
        label = {"label": _number(self.partial)}
        if not self.swept:
            return label
        if self.flow == 0:
            return {**label, "style": "dashed"}
        color = POSITIVE if self.flow > 0 else NEGATIVE
        return {**label, "color": color, "fontcolor": color, "penwidth": f"{width(self.flow, strongest):.2f}"}


def _box(node: Value, swept: bool, room: int, rates: Mapping[Value, Number]) -> str:
    title = " ".join(
        part
        for part in (
            f"<B>{_text(node.label)}</B>" if node.label else "",
            f'<FONT COLOR="{SYMBOL}">{_text(node.operation.symbol)}</FONT>' if node.operation.symbol else "",
        )
        if part
    )
    lines = [title] if title else []
    lines.append(f"data {_number(node.data)}")
    if swept and node.operation is not CONSTANT:
        color = POSITIVE if node.grad > 0 else NEGATIVE if node.grad < 0 else GREY
        lines.append(f'<FONT COLOR="{color}">grad {_number(node.grad)}</FONT>')
    if node in rates and node.operation is not CONSTANT:
        lines.append(f"tangent {_number(rates[node])}")
    rows = "".join(f"<TR><TD>{line}</TD></TR>" for line in lines)
    fill = FILL.get(node.operation, RESULT)
    least = f' WIDTH="{room}"' if room else ""
    return (
        f'<<TABLE{least} STYLE="ROUNDED" BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="3" '
        f'COLOR="{GREY}" BGCOLOR="{fill}">{rows}</TABLE>>'
    )


def _number(x: Number) -> str:
    text = shown(x) if isinstance(x, Fraction) else f"{x + 0.0:.4g}"  # -0.0 + 0.0 is 0.0
    return _text(text).replace("-", MINUS)


def _text(text: str) -> str:
    """`text` as it stands inside an HTML-like label."""
    return _escaped(plain(text))


def _escaped(text: str) -> str:
    r"""`text` where Graphviz reads `&lt;` as a character, in labels and tooltips, and `\N` as the node's name."""
    from html import escape  # here, like all that only pictures need: `import autograd` stays light

    return escape(text).replace("\\", "\\\\")
