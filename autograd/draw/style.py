"""How a graph looks: colours, fonts and the width of arrows, shared by the drawing and the page.

Colours are Okabe & Ito's (2008), which colour-blind readers can distinguish, the blue a little lighter: a contrast of 4 to 1 on
white and on dark pages alike.
"""

from __future__ import annotations

import math

from autograd.operations import CONSTANT, LEAF

INK, SYMBOL, GREY, POSITIVE, NEGATIVE = "#1a1a1a", "#555555", "#808080", "#007FC6", "#D55E00"
FILL = {LEAF: "#FFF3D6", CONSTANT: "#ECECEC"}
RESULT = "#FFFFFF"
FONT = "Helvetica,Arial,sans-serif"
THINNEST, WIDEST = 1.0, 4.0  # of an arrow, in points, and what the strongest has in addition


def width(flow: float, strongest: float) -> float:
    """How wide the arrow is along which `flow` comes back: the root of its share of the strongest, so that areas compare.

    >>> width(0.25, 1.0), width(1.0, 1.0)
    (3.0, 5.0)
    """
    share = abs(flow) / strongest if strongest and math.isfinite(flow) else 1.0
    return THINNEST + WIDEST * math.sqrt(share)
