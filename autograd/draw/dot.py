"""A graph as DOT text, which Graphviz lays out: a box per node, an arrow from each operand to its result.

The local partial of an arrow is a small box of its own, in which the arrow pauses: Graphviz keeps boxes apart and leads
arrows around them, so no number is crossed. On the page numbers change, and there they are labels of the arrows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from autograd.draw.layers import Layers
from autograd.draw.markup import SIZE, colored, digraph, number, symbol_cell, table, text, tooltip
from autograd.draw.style import View, faded, width
from autograd.floats import as_float, shown
from autograd.names import plain
from autograd.operations import CONSTANT, Operation, local_partials
from autograd.value import Value

if TYPE_CHECKING:
    from graphviz import Digraph

Line = tuple[Any, ...]  # of a box: the text, its colour, and its size if that is another


def dot(order: Sequence[Value], swept: bool, room: int = 0, view: View = View()) -> str:  # noqa: B008  # it cannot change
    """The DOT text of the nodes in `order`, with their gradients if `swept`."""
    names = {node: f"n{i}" for i, node in enumerate(order)}
    found = arrows(order, swept)
    strongest = math.inf if room else strength(found)
    graph = digraph(view, room)
    for node in order:
        label = _page_box(node, swept, room, view) if room else box(node, swept, view)
        graph.node(names[node], label=label, tooltip=tip(node))
    layers = Layers(() if room else order)
    for i, arrow in enumerate(found):
        ends, label = (names[arrow.parent], names[arrow.consumer]), arrow.label(view)
        looks = attributes([arrow], strongest, view)
        if room:
            graph.edge(*ends, **({"label": label} if label else {}), **looks)
            continue
        connect(graph, ends, f"p{i}", label, looks, view, enters=layers.enters(arrow.parent, arrow.consumer))
        if label:
            layers.place(f"p{i}", arrow.consumer)
    layers.write(graph, names, view)
    return str(graph.source)


class Arrow(NamedTuple):
    """From an operand to its consumer: the partial, and the gradient that flows back, None to a constant or before a sweep."""

    parent: Value
    consumer: Value
    partial: float
    flow: float | None

    def label(self, view: View) -> str:
        """The partial; nothing where the operand is a constant, which is not varied."""
        return "" if self.parent.operation is CONSTANT or "partials" not in view.show else number(self.partial, view.precision)


def arrows(order: Iterable[Value], swept: bool) -> list[Arrow]:
    """The arrows to every node in `order`."""
    found = []
    for node in order:
        for parent, partial in zip(node.parents, map(as_float, local_partials(node)), strict=True):
            has_flow = swept and parent.operation is not CONSTANT
            found.append(Arrow(parent, node, partial, as_float(node.grad) * partial if has_flow else None))
    return found


def strength(found: Iterable[Arrow]) -> float:
    """The strongest flow along these arrows that is finite."""
    return max((abs(arrow.flow) for arrow in found if arrow.flow is not None and math.isfinite(arrow.flow)), default=0.0)


def attributes(bundle: Sequence[Arrow], strongest: float, view: View) -> dict[str, str]:
    """The DOT attributes of arrows that are drawn as one: they look like their strongest, grey where they differ in sign."""
    theme, found = view.theme, dict[str, str]()
    flows = [arrow.flow for arrow in bundle if arrow.flow is not None]
    flow = max(filter(math.isfinite, flows), key=abs, default=flows[0]) if flows else None
    if flow == 0:
        found = {"style": "dashed"}
    elif flow is not None:
        both = min(flows) < 0 < max(flows)
        color = theme.line if both else theme.positive if flow > 0 else theme.negative
        found = {"color": color, "fontcolor": color, "penwidth": f"{width(flow, strongest):.2f}"}
        if flow < 0 and not both and theme.negative_head != "normal":
            found["arrowhead"] = theme.negative_head
    if not any(view.is_lit(arrow.parent, arrow.consumer) for arrow in bundle):
        color = faded(found.get("color", theme.line))
        found |= {"color": color, "fontcolor": color}
    return found


def connect(
    graph: Digraph, ends: tuple[str, str], name: str, label: str, looks: dict[str, str], view: View, *, enters: bool = False
) -> None:
    """An arrow that pauses at its number; one that comes into the frame of a neuron does so as soon as it is inside."""
    inward = {"minlen": "2"} if enters else {}
    start, end = ends
    if label:
        content = f"<{colored(label, looks.get('fontcolor', view.theme.line))}>"
        graph.node(name, label=content, shape="plaintext", margin="0.05,0.03", width="0", height="0", fontsize=str(SIZE - 1))
        graph.edge(start, name, **{**looks, "arrowhead": "none"})
        start = name
    graph.edge(start, end, **looks, **inward)


def tip(node: Value) -> Any:
    """The tooltip of a box: its label and all digits of its number."""
    return tooltip(f"{plain(node.label)} = {shown(node.data)}" if node.label else shown(node.data))


def box(node: Value, swept: bool, view: View) -> str:
    """A node as a box: its operation beside its name, number and gradient."""
    name, is_lit = view.names.get(node, node.label), view.is_lit(node)
    has_title = text(name) and "labels" in view.show and node.operation is not CONSTANT
    lines = [title(name, bool(node.label), view)] if has_title else []
    border = 3 if view.lit is not None and is_lit else 1
    return framed([*lines, *_numbers(node, swept, view)], node.operation.symbol, node.operation, view, is_lit, border)


def title(name: str, own: bool, view: View, times: str = "") -> Line:
    """The name of a box, slanted where it is not from a label, and how many parts it has."""
    tag, color = ("B", view.theme.ink) if own else ("I", view.theme.symbol)
    return f"<{tag}>{text(name)}</{tag}>{times}", color


def framed(lines: Sequence[Line], symbol: str, operation: Operation, view: View, is_lit: bool, border: int) -> str:
    """A box with these lines beside a symbol, filled as the operation is; faint if it does not stand out."""
    theme, tone = view.theme, str if is_lit else faded
    rows = [colored(content, tone(color), *size) for content, color, *size in lines]
    line = theme.accent if view.lit is not None and is_lit else tone(theme.line)
    side = symbol_cell(symbol, tone(theme.ink))
    return table(rows, tone(theme.fill(operation)), line, border=border, side=side)


def _numbers(node: Value, swept: bool, view: View, word: str = "") -> list[Line]:
    """The lines of a box that have numbers; that of a constant has no word before it but `word`."""
    theme, lines = view.theme, []
    is_constant = node.operation is CONSTANT
    if "data" in view.show:
        lines.append((f"{word if is_constant else 'data '}{number(node.data, view.precision)}", theme.ink))
    if swept and "grad" in view.show and not is_constant:
        color = theme.positive if node.grad > 0 else theme.negative if node.grad < 0 else theme.line
        lines.append((f"grad {number(node.grad, view.precision)}", color))
    if node in view.rates and node.operation is not CONSTANT:
        lines.append((f"tangent {number(view.rates[node], view.precision)}", theme.ink))
    return lines


def _page_box(node: Value, swept: bool, room: int, view: View) -> str:
    symbol, theme = node.operation.symbol, view.theme
    heads = [f"<B>{text(node.label)}</B>"] if node.label else []
    heads += [colored(text(symbol), theme.symbol)] if symbol else []
    rows = [colored(*line) for line in _numbers(node, swept, view, "data ")]
    return table([" ".join(heads), *rows] if heads else rows, theme.fill(node.operation), theme.line, least=room)
