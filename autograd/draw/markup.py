"""Texts, numbers and boxes as Graphviz reads them: HTML-like labels, in which every character of a user's label is text."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from autograd.draw.style import FONT, GLYPHS, View
from autograd.floats import shown
from autograd.names import plain
from autograd.operands import Number

if TYPE_CHECKING:
    from graphviz import Digraph

SIZE = 14  # of the texts in boxes, in points


def digraph(view: View, room: int = 0) -> Digraph:
    """An empty graph with the looks of the view; `room` is for the page, which writes new numbers on its arrows."""
    import graphviz  # not with autograd itself, which stays light to import

    theme, size = view.theme, 11 if room else SIZE
    graph = {"rankdir": view.direction, "bgcolor": theme.background, "nodesep": "0.2", "ordering": "in", "fontname": FONT}
    graph |= {"ranksep": "0.45" if room else "0.25", "pad": "0.1"}
    graph["newrank"] = "true"  # inputs stand in a column whatever frames there are
    if view.title is not None:
        graph |= {"label": f"<<B>{text(view.title)}</B>>", "labelloc": "t", "fontsize": "20", "fontcolor": theme.ink}
    node = {"shape": "plain", "fontname": FONT, "fontsize": str(size), "fontcolor": theme.ink}
    edge = {"fontname": FONT, "fontsize": str(size - 1), "color": theme.line, "fontcolor": theme.line}
    edge["arrowsize"] = "0.9" if room else "0.7"
    return graphviz.Digraph(graph_attr=graph, node_attr=node, edge_attr=edge)


def table(rows: Sequence[str], fill: str, line: str, *, border: int = 1, least: int = 0, side: str = "") -> str:
    """A box with a text a row, and `side` to the left of them all."""
    cells = [f"<TD>{row}</TD>" for row in rows or [""]]
    if side:
        cells[0] = f'<TD ROWSPAN="{len(cells)}" BORDER="1" SIDES="R" CELLPADDING="5">{side}</TD>' + cells[0]
    width = f' WIDTH="{least}"' if least else ""
    return (
        f'<<TABLE{width} STYLE="ROUNDED" BORDER="{border}" CELLBORDER="0" CELLSPACING="0" CELLPADDING="{3 if least else 4}" '
        f'COLOR="{line}" BGCOLOR="{fill}">{"".join(f"<TR>{cell}</TR>" for cell in cells)}</TABLE>>'
    )


def colored(content: str, color: str, size: int = 0) -> str:
    """Text of a colour, and of a size if one is given."""
    points = f' POINT-SIZE="{size}"' if size else ""
    return f'<FONT COLOR="{color}"{points}>{content}</FONT>'


def symbol_cell(symbol: str, color: str) -> str:
    """The symbol of an operation as it stands beside its numbers, large enough to be read from afar."""
    glyph = GLYPHS.get(symbol, symbol)
    return f"<B>{colored(text(glyph), color, 26 if len(glyph) < 3 else 18)}</B>" if symbol else ""


def number(x: Number, precision: int = 4) -> str:
    """A number as it stands in a box: a Fraction exactly, a float to so many significant digits."""
    digits = shown(x) if isinstance(x, Fraction) else f"{x + 0.0:.{precision}g}"  # -0.0 + 0.0 is 0.0
    return text(digits).replace("-", "\u2212")


def text(content: str) -> str:
    """The text as it stands inside an HTML-like label."""
    return _escaped(plain(content))


def tooltip(content: str) -> Any:
    """The text of a tooltip."""
    import graphviz

    return graphviz.escape(_escaped(content))


def _escaped(content: str) -> str:
    r"""The text where Graphviz reads `&lt;` as a character, in labels and tooltips, and `\N` as the node's name."""
    from html import escape  # here, like all that only pictures need: `import autograd` stays light

    return escape(content).replace("\\", "\\\\")
