"""The picture of a graph: DOT text, a pure function of the graph, and a thin shell that has it rendered.

Boxes are HTML-like labels, in which every character of a user's label is text. The trade-off: Graphviz does the layout,
so a picture needs Graphviz itself: `dot`, or the copy that pygraphviz brings. Colours are Okabe & Ito's (2008), told
apart by colour-blind readers, the blue a little lighter: a contrast of 4 to 1 on white and on dark pages alike.
"""

from __future__ import annotations

import math
from _thread import allocate_lock  # `threading` would be a twentieth of what `import autograd` takes
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from autograd.names import plain
from autograd.floats import as_float, shown
from autograd.graph import edges, topological_order
from autograd.operations import CONSTANT, LEAF, local_partials
from autograd.value import UNSWEPT, Number, Value

if TYPE_CHECKING:
    import os
    from pathlib import Path

INK, SYMBOL, GREY, POSITIVE, NEGATIVE = "#1a1a1a", "#555555", "#808080", "#007FC6", "#D55E00"
FILL = {LEAF: "#FFF3D6", CONSTANT: "#ECECEC"}
RESULT = "#FFFFFF"
FONT = "Helvetica,Arial,sans-serif"
MINUS = "\u2212"
RENDERING = allocate_lock()  # pygraphviz has Graphviz in this process, and two pictures at once would end it


class RenderError(RuntimeError):
    """Nothing on this machine can render DOT. `source` has the DOT text."""

    def __init__(self, source: str) -> None:
        self.source = source
        super().__init__(
            "no Graphviz found to render the picture; either pip install 'chainrule[svg]', which brings it, or install "
            "Graphviz itself (apt install graphviz, brew install graphviz); the DOT text is in .source"
        )


class Drawing:
    """A graph as DOT text in `source`; Jupyter shows it as a picture."""

    def __init__(self, source: str) -> None:
        self.source = source

    def svg(self) -> str:
        """The picture as SVG text. Raises `RenderError` where there is no Graphviz."""
        return _render(self.source, "svg").decode()

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture as svg, pdf or png, by the suffix of `path`, and return the path.

        Raises `ValueError` for another suffix, `RenderError` where there is no Graphviz; then nothing is written.
        """
        from pathlib import Path

        target = Path(path)
        suffix = target.suffix.lower().lstrip(".")
        if suffix not in ("svg", "pdf", "png"):
            raise ValueError(f"save({str(path)!r}): the suffix {target.suffix!r} is not one of .svg, .pdf, .png")
        target.write_bytes(_render(self.source, suffix))
        return target

    def _repr_svg_(self) -> str:
        return self.svg()


def draw(output: Value, limit: int = 500) -> Drawing:
    """Draw the graph of `output`: a box per node, an arrow from each operand to the result, with its local partial.

    After `backward()` boxes show gradients, and arrows are as thick as the gradient that flows back along them: blue
    where it is positive, orange where it is negative, dashed where it is zero. Raises `ValueError` for a graph of more
    than `limit` nodes and `TypeError` for anything but a Value.

    >>> x = Value(3.0, "x")
    >>> draw(x * x).source.count("->")
    2
    """
    if not isinstance(output, Value):
        raise TypeError(f"draw: {output!r:.80} is of type {type(output).__name__}; give the Value whose graph to draw")
    order = topological_order(output)
    if len(order) > limit:
        raise ValueError(
            f"draw: the graph has {len(order)} nodes, more than the limit of {limit}; draw a part of it, "
            f"draw(output.parents[0]), or raise the limit, draw(output, limit={len(order)})"
        )
    swept = bool(output.grad) if output.left is None else output.grad is not UNSWEPT
    return Drawing(dot(order, swept))


def dot(order: Sequence[Value], swept: bool, room: int = 0) -> str:
    """The DOT text of the nodes in `order`, with their gradients if `swept`.

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
        graph.node(names[node], label=_box(node, swept, room), tooltip=graphviz.escape(_escaped(tip)))
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
        share = abs(self.flow) / strongest if strongest and math.isfinite(self.flow) else 1.0
        color = POSITIVE if self.flow > 0 else NEGATIVE
        return {**label, "color": color, "fontcolor": color, "penwidth": f"{1 + 4 * math.sqrt(share):.2f}"}


def _box(node: Value, swept: bool, room: int) -> str:
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


def _render(source: str, suffix: str) -> bytes:
    from shutil import which

    if which("dot"):
        import graphviz

        piped: bytes = graphviz.Source(source).pipe(format=suffix)
        return piped
    try:
        import pygraphviz
    except ImportError:
        raise RenderError(source) from None
    with RENDERING:
        rendered: bytes = pygraphviz.AGraph(string=source).draw(format=suffix, prog="dot")
    return rendered
