"""The picture of a graph: a box per node, an arrow from each operand to its result.

`dot` writes the graph as DOT text, in the colours and widths of `style`; `render` has Graphviz make the picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from autograd.draw.render import RenderError as RenderError
from autograd.draw.render import render
from autograd.graph import topological_order
from autograd.value import UNSWEPT, Value

if TYPE_CHECKING:
    import os
    from pathlib import Path


class Drawing:
    """A graph as DOT text in `source`; Jupyter shows it as a picture."""

    def __init__(self, source: str) -> None:
        self.source = source

    def svg(self) -> str:
        """The picture as SVG text. Raises `RenderError` where there is no Graphviz."""
        return render(self.source, "svg").decode()

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture as svg, pdf or png, by the suffix of `path`, and return the path.

        Raises `ValueError` for another suffix, `RenderError` where there is no Graphviz; then nothing is written.
        """
        from pathlib import Path

        target = Path(path)
        suffix = target.suffix.lower().lstrip(".")
        if suffix not in ("svg", "pdf", "png"):
            raise ValueError(f"save({str(path)!r}): the suffix {target.suffix!r} is not one of .svg, .pdf, .png")
        target.write_bytes(render(self.source, suffix))
        return target

    def _repr_svg_(self) -> str:
        return self.svg()


def draw(output: Value, limit: int = 500, *, tangents: Mapping[Value, Any] | None = None) -> Drawing:
    """Draw the graph of `output`: a box per node, an arrow from each operand to the result, with its local partial.

    After `backward()` boxes show gradients, and arrows are as thick as the gradient that flows back along them: blue
    where it is positive, orange where it is negative, dashed where it is zero. With `tangents={x: 1.0}` boxes also show how
    fast they change when x does at that rate, as `autograd.tangents` has it. Raises `ValueError` for a graph of more than
    `limit` nodes and `TypeError` for anything but a Value.

    >>> x = Value(3.0, "x")
    >>> draw(x * x).source.count("->")
    2
    """
    from autograd.draw.dot import dot  # here, like all that only pictures need: `import autograd` stays light

    if not isinstance(output, Value):
        raise TypeError(f"draw: {output!r:.80} is of type {type(output).__name__}; give the Value whose graph to draw")
    order = topological_order(output)
    if len(order) > limit:
        raise ValueError(
            f"draw: the graph has {len(order)} nodes, more than the limit of {limit}; draw a part of it, "
            f"draw(output.parents[0]), or raise the limit, draw(output, limit={len(order)})"
        )
    swept = bool(output.grad) if output.left is None else output.grad is not UNSWEPT
    if tangents is None:
        return Drawing(dot(order, swept))
    from autograd.forward import tangents as rates

    return Drawing(dot(order, swept, rates=rates(output, tangents)))
