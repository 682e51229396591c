"""How a graph looks: themes, fonts and the width of arrows, shared by the drawing and the page.

Colours are Okabe & Ito's (2008), which colour-blind readers can distinguish, the blue a little lighter: a contrast of 4 to 1 on
white and on dark pages alike.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from autograd.operations import CONSTANT, LEAF, Operation

INK, SYMBOL, GREY, POSITIVE, NEGATIVE = "#1a1a1a", "#555555", "#808080", "#007FC6", "#D55E00"
FILL = {LEAF: "#FFF3D6", CONSTANT: "#ECECEC"}
RESULT = "#FFFFFF"
FONT = "Helvetica,Arial,sans-serif"
THINNEST, WIDEST = 1.0, 4.0  # of an arrow, in points, and what the strongest has in addition


class Theme(NamedTuple):
    """The colours of a picture. `negative_head` is the arrowhead of a negative flow, which print tells apart without colour."""

    background: str
    ink: str
    symbol: str
    line: str
    positive: str
    negative: str
    leaf: str
    constant: str
    result: str
    cluster: str
    accent: str
    negative_head: str = "normal"

    def fill(self, operation: Operation) -> str:
        """The colour of a box: of an input, a constant or a result."""
        return self.leaf if operation is LEAF else self.constant if operation is CONSTANT else self.result


THEMES = {
    "light": Theme(
        *("transparent", INK, SYMBOL, GREY, POSITIVE, NEGATIVE),
        *(FILL[LEAF], FILL[CONSTANT], RESULT, "#80808014", "#AA4499"),
    ),
    "dark": Theme(
        *("#15181D", "#F2F2F2", "#B8BEC8", "#8D949E", "#56B4E9", "#F28C28"),
        *("#423A24", "#33373E", "#23272E", "#FFFFFF0C", "#E78AC3"),
    ),
    "print": Theme(
        *("#FFFFFF", "#000000", "#000000", "#555555", "#000000", "#000000"),
        *("#E6E6E6", "#FFFFFF", "#FFFFFF", "#F6F6F6", "#000000", "empty"),
    ),
}
GLYPHS = {"*": "\u00d7", "-": "\u2212"}  # an asterisk and a hyphen are small and hang too high to be read from afar


def width(flow: float, strongest: float) -> float:
    """How wide the arrow is along which `flow` comes back: the root of its share of the strongest, so that areas compare.

    >>> width(0.25, 1.0), width(1.0, 1.0)
    (3.0, 5.0)
    """
    share = abs(flow) / strongest if strongest and math.isfinite(flow) else 1.0
    return THINNEST + WIDEST * math.sqrt(share)


def faded(color: str) -> str:
    """The colour of what is not highlighted: the same, a quarter of it.

    >>> faded("#007FC6")
    '#007FC640'
    """
    return f"{color[:7]}40" if color.startswith("#") else color
