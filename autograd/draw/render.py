"""DOT text to pictures: by Graphviz where it is installed, else by the copy that pygraphviz brings."""

from __future__ import annotations

import os
import re
from _thread import RLock  # `threading` would be a twentieth of what `import autograd` takes

RENDERING = RLock()  # pygraphviz has Graphviz in this process, and two pictures at once would end it
if hasattr(os, "register_at_fork"):  # a fork waits for the picture, else the child would wait for it without end
    os.register_at_fork(before=RENDERING.acquire, after_in_parent=RENDERING.release, after_in_child=RENDERING.release)
SLIDE = (1920, 1080)  # the pixels that a PNG fills
LEAST = 96  # dots an inch: text of a large graph stays readable, and its PNG becomes larger than a slide
_SIZE = re.compile(r'(<svg\b[^>]*?) width="([\d.]+)pt" height="([\d.]+)pt"')


class RenderError(RuntimeError):
    """Nothing on this machine can render DOT. `source` has the DOT text."""

    def __init__(self, source: str) -> None:
        self.source = source
        super().__init__(
            "no Graphviz found to render the picture; either pip install pygraphviz, which brings it, or install Graphviz "
            "itself (apt install graphviz, brew install graphviz); the DOT text is in .source"
        )


def render(source: str, suffix: str) -> bytes:
    """The picture as svg, pdf or png. Raises `RenderError` where there is no Graphviz."""
    from shutil import which

    if which("dot"):
        import graphviz

        return bytes(graphviz.Source(source).pipe(format=suffix))
    try:
        import pygraphviz
    except ImportError:
        raise RenderError(source) from None
    with RENDERING:
        return bytes(pygraphviz.AGraph(string=source).draw(format=suffix, prog="dot"))


def png(source: str, scale: float) -> bytes:
    """The picture as a PNG of the size of a slide, times `scale`."""
    found = _SIZE.search(render(source, "svg").decode())
    width, height = (float(found[2]), float(found[3])) if found else SLIDE
    dpi = scale * max(LEAST, 72 * min(SLIDE[0] / width, SLIDE[1] / height))
    body, end, rest = source.rpartition("}")
    return render(f"{body}\tgraph [dpi={dpi:.4f}]\n{end}{rest}", "png")


def scaled(svg: str, scale: float) -> str:
    """The SVG with its width and height times `scale`."""
    return _SIZE.sub(lambda at: f'{at[1]} width="{float(at[2]) * scale:g}pt" height="{float(at[3]) * scale:g}pt"', svg, count=1)


def fitting(svg: str) -> str:
    """The SVG as it stands in a cell of a notebook: no wider than the cell."""
    return _SIZE.sub(lambda at: f'{at[0]} style="max-width: 100%; height: auto"', svg, count=1)
