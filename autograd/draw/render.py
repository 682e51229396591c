"""DOT text to pictures: by Graphviz where it is installed, else by the copy that pygraphviz brings."""

from __future__ import annotations

from _thread import allocate_lock  # `threading` would be a twentieth of what `import autograd` takes

RENDERING = allocate_lock()  # pygraphviz has Graphviz in this process, and two pictures at once would end it


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

        piped: bytes = graphviz.Source(source).pipe(format=suffix)
        return piped
    try:
        import pygraphviz
    except ImportError:
        raise RenderError(source) from None
    with RENDERING:
        rendered: bytes = pygraphviz.AGraph(string=source).draw(format=suffix, prog="dot")
    return rendered
