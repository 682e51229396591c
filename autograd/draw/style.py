"""How a graph looks: themes, fonts and the width of arrows, shared by the drawing and the page; and the options of a picture.

Colours are Okabe & Ito's (2008), which colour-blind readers can distinguish, the blue a little lighter: a contrast of 4 to 1 on
white and on dark pages alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from autograd.operations import CONSTANT, LEAF, Operation
from autograd.value import Value

INK, SYMBOL, GREY, POSITIVE, NEGATIVE = "#1a1a1a", "#555555", "#808080", "#007FC6", "#D55E00"
FILL = {LEAF: "#FFF3D6", CONSTANT: "#ECECEC"}
RESULT = "#FFFFFF"
FONT = "Helvetica,Arial,sans-serif"
THINNEST, WIDEST = 1.0, 4.0  # of an arrow, in points, and what the strongest has in addition
GLYPHS = {"*": "\u00d7", "-": "\u2212"}  # an asterisk and a hyphen are small and hang too high to be read from afar


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
        return {LEAF: self.leaf, CONSTANT: self.constant}.get(operation, self.result)


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
PARTS = ("data", "grad", "partials", "labels")
CHOICES: dict[str, tuple[Any, ...]] = {
    "direction": ("LR", "TB"),
    "theme": tuple(THEMES),
    "names": (True, False),
    "collapse": (None, "auto"),
}
KINDS: dict[str, tuple[Any, str, float, str]] = {  # the type, what to give, the largest number, the range in words
    "limit": (int, "a number of nodes", math.inf, ""),
    "precision": (int, "the digits, 1 to 17", 17, "from 1 to 17, the digits of a number"),
    "scale": (int | float, "a number above zero", 100, "above 0 and at most 100"),
    "title": (str | None, "a string or None", math.inf, ""),
}


class View(NamedTuple):
    """How a graph is drawn. `names` has the name of each node; `lit` the nodes that stand out, None where all do."""

    direction: str = "LR"
    show: frozenset[str] = frozenset(PARTS)
    precision: int = 4
    title: str | None = None
    theme: Theme = THEMES["light"]
    names: Mapping[Value, str] = {}  # read only
    lit: frozenset[Value] | None = None
    rates: Mapping[Value, Any] = {}  # read only

    def is_lit(self, *nodes: Value) -> bool:
        """Whether all these nodes stand out."""
        return self.lit is None or self.lit.issuperset(nodes)


def check(**options: Any) -> None:
    """Raise `TypeError` or `ValueError`, which say what may be given, for an option that is not known."""
    for name, given in options.items():
        if name in CHOICES:
            _choose(name, given, CHOICES[name])
            continue
        kind, advice, most, limits = KINDS[name]
        if isinstance(given, bool) or not isinstance(given, kind):
            raise TypeError(f"draw: {name}={given!r:.60} is of type {type(given).__name__}; give {advice}")
        if limits and not 0 < given <= most:
            raise ValueError(f"draw: {name}={given!r} has to be {limits}")


def _choose(name: str, given: Any, allowed: tuple[Any, ...]) -> None:
    if not any(given is choice or (isinstance(given, str) and given == choice) for choice in allowed):
        *others, last = map(repr, allowed)
        raise ValueError(f"draw: {name}={given!r:.60} is not known; choose {', '.join(others)} or {last}")


def parts(show: Any) -> frozenset[str]:
    """What boxes and arrows say: one of `PARTS`, several, or None for all."""
    given = PARTS if show is None else _several("show", show, str, f"some of {PARTS}")
    for part in given:
        _choose("show", part, PARTS)
    return frozenset(given)


def lit(order: list[Value], highlight: Any, wrt: Any) -> frozenset[Value] | None:
    """The nodes that stand out: `highlight` itself, for one Value its consumers too, and all that `wrt` reaches."""
    if highlight is None and wrt is None:
        return None
    found, reached = _nodes("highlight", highlight, order), _nodes("wrt", wrt, order)
    if isinstance(highlight, Value):
        found |= {node for node in order if any(parent is highlight for parent in node.parents)}
    for node in order:
        if not reached.isdisjoint(node.parents):
            reached.add(node)
    return frozenset(found | reached)


def _nodes(name: str, given: Any, order: list[Value]) -> set[Value]:
    nodes, known = _several(name, () if given is None else given, Value, "a Value or a sequence of Values"), set(order)
    for node in nodes:
        if not isinstance(node, Value):
            raise TypeError(f"draw: {name} has {node!r:.60} of type {type(node).__name__}; give Values of the graph")
        if node not in known:
            raise ValueError(f"draw: {name} has {node!r:.80}, which is not in the graph of the output")
    if given is not None and not nodes:
        raise ValueError(f"draw: {name} is empty; give a Value, a sequence of Values, or None")
    return set(nodes)


def _several(name: str, given: Any, one: type, advice: str) -> tuple[Any, ...]:
    found = (given,) if isinstance(given, one) else given
    if not isinstance(found, Iterable) or isinstance(found, str):
        raise TypeError(f"draw: {name}={given!r:.60} is of type {type(given).__name__}; give {advice}")
    return tuple(found)


def width(flow: float, strongest: float) -> float:
    """How wide the arrow is along which `flow` comes back: the root of its share of the strongest, so that areas compare."""
    share = abs(flow) / strongest if strongest and math.isfinite(flow) else 1.0
    return THINNEST + WIDEST * math.sqrt(share)


def faded(color: str) -> str:
    """The colour of what is not highlighted: a quarter as opaque."""
    return f"{color[:7]}40" if color.startswith("#") else color
