"""The options of a picture, checked: what may be given, and what it is as the writers read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from autograd.draw.style import THEMES, Theme
from autograd.value import Value

DIRECTIONS = ("LR", "TB")
PARTS = ("data", "grad", "partials", "labels")
COLLAPSE = (None, "auto")


class View(NamedTuple):
    """How a graph is drawn. `names` has the name of each node; `lit` the nodes that stand out, None where all do.

    `rates` has tangents, which are shown in the boxes.
    """

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


def view(direction: Any, show: Any, precision: Any, title: Any, theme: Any) -> View:
    """The options that depend on no graph. Raises `ValueError` or `TypeError`, which list what may be given.

    >>> view("down", "data", 4, None, "light")
    Traceback (most recent call last):
    ...
    ValueError: draw: direction='down' is not known; choose 'LR' or 'TB'
    """
    parts = PARTS if show is None else (show,) if isinstance(show, str) else show
    if not isinstance(parts, Iterable):
        raise TypeError(f"draw: show={show!r:.60} is of type {type(show).__name__}; give some of {PARTS}")
    parts = tuple(parts)
    for part in parts:
        one_of("show", part, PARTS)
    if isinstance(precision, bool) or not isinstance(precision, int):
        raise TypeError(f"draw: precision={precision!r:.60} is of type {type(precision).__name__}; give the digits, 1 to 17")
    if not 1 <= precision <= 17:
        raise ValueError(f"draw: precision={precision} has to be from 1 to 17, the digits of a number")
    if title is not None and not isinstance(title, str):
        raise TypeError(f"draw: title={title!r:.60} is of type {type(title).__name__}; give a string or None")
    one_of("theme", theme, tuple(THEMES))
    return View(one_of("direction", direction, DIRECTIONS), frozenset(parts), precision, title, THEMES[theme])


def one_of(name: str, given: Any, allowed: tuple[Any, ...]) -> Any:
    """`given` if it is allowed; else `ValueError` with what is."""
    if any(given is choice or (isinstance(given, str) and given == choice) for choice in allowed):
        return given
    *most, last = map(repr, allowed)
    raise ValueError(f"draw: {name}={given!r:.60} is not known; choose {', '.join(most)} or {last}")


def positive(name: str, given: Any) -> float:
    """A finite number above zero."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise TypeError(f"draw: {name}={given!r:.60} is of type {type(given).__name__}; give a number above zero")
    if not 0 < given <= 100:
        raise ValueError(f"draw: {name}={given!r} has to be above 0 and at most 100")
    return float(given)


def lit(order: list[Value], highlight: Any, wrt: Any) -> frozenset[Value] | None:
    """The nodes that stand out: `highlight` itself, for one Value its consumers too, and all that `wrt` reaches."""
    if highlight is None and wrt is None:
        return None
    found = set(_nodes("highlight", highlight, order))
    if isinstance(highlight, Value):
        found |= {node for node in order if any(parent is highlight for parent in node.parents)}
    reached = set(_nodes("wrt", wrt, order))
    for node in order:
        if not reached.isdisjoint(node.parents):
            reached.add(node)
    return frozenset(found | reached)


def _nodes(name: str, given: Any, order: list[Value]) -> tuple[Value, ...]:
    nodes = () if given is None else (given,) if isinstance(given, Value) else given
    if not isinstance(nodes, Iterable) or isinstance(nodes, str):
        raise TypeError(f"draw: {name}={given!r:.60} is of type {type(given).__name__}; give a Value or a sequence of Values")
    nodes, known = tuple(nodes), set(order)
    for node in nodes:
        if not isinstance(node, Value):
            raise TypeError(f"draw: {name} has {node!r:.60} of type {type(node).__name__}; give Values of the graph")
        if node not in known:
            raise ValueError(f"draw: {name} has {node!r:.80}, which is not in the graph of the output")
    if given is not None and not nodes:
        raise ValueError(f"draw: {name} is empty; give a Value, a sequence of Values, or None")
    return nodes
