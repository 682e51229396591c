"""The picture of a graph: a box per node, an arrow from each operand to its result.

`dot` writes the graph as DOT text, in the colours and widths of `style`, `folded` a large one with what repeats in one box;
`render` has Graphviz make the picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd.draw.render import RenderError as RenderError
from autograd.draw.render import fitting, png, render, scaled
from autograd.graph import topological_order
from autograd.recording import as_recorded
from autograd.value import UNSWEPT, Value

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from autograd.draw import style


class Drawing:
    """A graph as DOT text in `source`; Jupyter shows it as a picture.

    Of a folded graph `boxes` has the nodes of each box, by the name of the box.
    """

    def __init__(
        self, source: str, scale: float = 1.0, boxes: Mapping[str, list[Value]] | None = None, opened: Any = None
    ) -> None:
        self.source, self.scale, self.boxes = source, scale, dict(boxes or {})
        self._opened: Callable[[str], Drawing] | None = opened

    def svg(self) -> str:
        """The picture as SVG text. Raises `RenderError` where there is no Graphviz."""
        text = render(self.source, "svg").decode()
        return text if self.scale == 1 else scaled(text, self.scale)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture as svg, pdf or png, by the suffix of `path`, and return the path.

        A PNG has the size of a slide, 1920 by 1080 pixels times the scale, and more where text would be too small to read.
        Raises `ValueError` for another suffix, `RenderError` where there is no Graphviz; then nothing is written.
        """
        from pathlib import Path

        target = Path(path)
        suffix = target.suffix.lower().lstrip(".")
        if suffix not in ("svg", "pdf", "png"):
            raise ValueError(f"save({str(path)!r}): the suffix {target.suffix!r} is not one of .svg, .pdf, .png")
        if suffix == "svg":
            target.write_bytes(self.svg().encode())
        else:
            target.write_bytes(png(self.source, self.scale) if suffix == "png" else render(self.source, suffix))
        return target

    def open(self, name: str) -> Drawing:
        """Draw what is inside a box of a folded graph: of equal parts the first; what it reads is an input there.

        Raises `ValueError` for a name that no box has.
        """
        if self._opened is None or name not in self.boxes:
            known = ", ".join(self.boxes) or "none, for nothing is folded here; draw(output, collapse='auto') folds"
            raise ValueError(f"open: no box is named {name!r:.60}; the boxes are {known}")
        return self._opened(name)

    def __repr__(self) -> str:
        folded = f", {len(self.boxes)} boxes" if self.boxes else ""
        return f"Drawing({len(self.source):,} characters of DOT{folded}; save('graph.svg') writes the picture)"

    def _repr_svg_(self) -> str:
        return fitting(self.svg())


def draw(
    output: Value,
    limit: int = 500,
    *,
    direction: str = "LR",
    show: Iterable[str] | None = None,
    precision: int = 4,
    title: str | None = None,
    names: bool = True,
    theme: str = "light",
    scale: float = 1.0,
    highlight: Any = None,
    wrt: Any = None,
    collapse: str | None = None,
    tangents: Mapping[Value, Any] | None = None,
) -> Drawing:
    """Draw the graph of `output`: a box per node, an arrow from each operand to the result, with its local partial.

    After `backward()` boxes show gradients, and arrows are as thick as the gradient that flows back along them: blue
    where it is positive, orange where it is negative, dashed where it is zero. Results with labels such as a1[0], which a
    network of `nn` has, stand in frames, by neuron and layer.

    - `direction`: "LR" from left to right, "TB" from top to bottom.
    - `show`: what boxes and arrows say, some of "data", "grad", "partials", "labels"; all of it by default.
    - `precision`: significant digits, 1 to 17. A Fraction is shown exactly.
    - `title`: text above the picture.
    - `names`: whether results without a label are called z1, z2, ... as `derive` calls them.
    - `theme`: "light", whose background is transparent, "dark", or "print", which does without colours.
    - `scale`: a factor for the size of SVG and PNG.
    - `highlight`: nodes that stand out with the arrows between them, such as a path; of one Value its consumers do too.
    - `wrt`: one Value or several, as in `derive`: all that depends on them stands out.
    - `collapse`: "auto" folds what repeats, such as the neurons of a layer, into one box, so that any graph is a page.
    - `tangents`: {x: 1.0} shows in each box how fast its number changes when x does at that rate, as `autograd.tangents`.

    Raises `ValueError` for a graph of more than `limit` nodes that is not folded, or an option that is not known, and
    `TypeError` for anything but a Value.

    >>> x = Value(3.0, "x")
    >>> draw(x * x, show=("data", "labels")).source.count("->")
    2
    >>> total = sum(Value(i, f"x[{i}]") * Value(2.0, f"w[{i}]") for i in range(1000))
    >>> {name: len(nodes) for name, nodes in draw(total, collapse="auto").boxes.items()}
    {'x': 1000, 'w': 1000, 'z1999': 1000, 'z2000': 1001}
    """
    from autograd.draw import style  # here, like all that only pictures need: `import autograd` stays light
    from autograd.names import named

    if not isinstance(output, Value):
        raise TypeError(f"draw: {output!r:.80} is of type {type(output).__name__}; give the Value whose graph to draw")
    options = {"limit": limit, "direction": direction, "precision": precision, "title": title, "theme": theme}
    style.check(**options, scale=scale, names=names, collapse=collapse)
    now = as_recorded(topological_order(output))  # the nodes themselves, or with the numbers that they were recorded with
    parts, order = style.parts(show), list(now.values())
    highlight, wrt = (
        now.get(x, x) if isinstance(x, Value) else [now.get(v, v) for v in x] if isinstance(x, list | tuple) else x
        for x in (highlight, wrt)
    )
    if len(order) > limit and collapse is None:
        raise ValueError(
            f"draw: the graph has {len(order)} nodes, more than the limit of {limit}; fold what repeats, "
            'draw(output, collapse="auto"), draw a part of it, draw(output.parents[0]), or raise the limit, '
            f"draw(output, limit={len(order)})"
        )
    swept = bool(output.grad) if output.left is None else output.grad is not UNSWEPT
    lit = style.lit(order, highlight, wrt)
    view = style.View(direction, parts, precision, title, style.THEMES[theme], named(order) if names else {}, lit)
    if tangents is not None:
        from autograd.forward import tangents as rates

        known = {now.get(x, x): rate for x, rate in tangents.items()} if hasattr(tangents, "items") else tangents
        view = view._replace(rates=rates(now[output], known))
    return _drawn(order, swept, limit, view, scale, is_folded=collapse is not None)


def _drawn(order: list[Value], swept: bool, limit: int, view: style.View, scale: float, *, is_folded: bool) -> Drawing:
    from autograd.names import named

    if not is_folded:
        from autograd.draw.dot import dot

        return Drawing(dot(order, swept, view=view), scale)
    from autograd.draw.folded import folded, inside

    source, boxes = folded(order, swept, view)

    def opened(name: str) -> Drawing:
        part = inside(boxes[name].parts[0], named(order))
        alone = view._replace(lit=None, names=named(part))
        return _drawn(part, swept, limit, alone, scale, is_folded=len(part) > limit)

    return Drawing(source, scale, {name: box.nodes for name, box in boxes.items()}, opened)
