"""What `derive` returns: the steps, and every way to show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograd.derive.steps import Steps

if TYPE_CHECKING:
    from autograd.derive.compare import Comparison
    from autograd.derive.paths import Paths


class Derivation(Steps):
    """The derivation of d output / d node for every node, or for those between `wrt` and the output; see `derive`.

    `names` has a name for every node of the graph: its label, or z1, z2, ..., and for a constant its number; `data` has
    its number, `adjoints` the derivative by it, `order` has them all, operands first. `steps` has one for each node in
    `covered`, in the order of the sweep, and `derivation[node]` is the step of one. Jupyter shows it as a page, or as formulas
    where a page cannot be made.
    """

    def text(self, fold: bool = True) -> str:
        """The derivation as text, which is also its `str()`: the numbers forward, then the chain rule back.

        Steps that differ only in indices are shown once, and at most 100 kinds of them; `fold=False` shows every step.
        """
        from autograd.derive.outline import outline  # here, like the other forms: `import autograd` stays light
        from autograd.derive.text import render

        return render(outline(self, fold))

    def latex(self, fold: bool = True) -> str:
        r"""The same as one `align*` environment for amsmath; with \allowdisplaybreaks before it, it may take several pages.

        It compiles with pdflatex, whatever the labels are: a letter that it has no font for is shown by number, U+4F60.
        """
        from autograd.derive.latex import render
        from autograd.derive.outline import outline

        return render(outline(self, fold))

    def html(self) -> str:
        """The same as a page to step through, one file that needs no network. Raises `ImportError` without latex2mathml."""
        from autograd.derive.page import page

        return page(self)

    def paths(self, limit: int = 1000) -> Paths:
        """The routes from `wrt` to the output; the products of the local derivatives along them sum to the gradient.

        `.count` is their number, however many there are, and `str()` describes them. Listing more than `limit` raises
        `ValueError`, and so does a derivation by anything but one Value.

        >>> from autograd import Value, derive
        >>> x = Value(3.0, "x")
        >>> paths = derive(x * x * x, wrt=x).paths()
        >>> paths.count, [route.product for route in paths], paths.total, paths.adjoint
        (3, [9.0, 9.0, 9.0], 27.0, 27.0)
        """
        from autograd.derive.paths import Paths

        if self.wrt is None or len(self.wrt) != 1:
            asked = "every node" if self.wrt is None else f"{len(self.wrt)} Values"
            raise ValueError(f"paths: this is a derivation by {asked}; ask for one, derive(output, wrt=w).paths()")
        if not isinstance(limit, int):
            raise TypeError(f"paths: limit={limit!r:.80} is of type {type(limit).__name__}; give a whole number of routes")
        return Paths(self, self.wrt[0], limit)

    def compare(self) -> Comparison:
        """Forward and backward beside each other on this graph, with the multiplications that each takes; print it.

        Raises `ValueError` for a derivation by every node: `wrt` has the inputs that are compared.
        """
        from autograd.derive.compare import Comparison

        if self.wrt is None:
            raise ValueError("compare: this is a derivation by every node; say by which inputs, derive(output, wrt=[w, x])")
        return Comparison(self, self.wrt)

    def __str__(self) -> str:
        return self.text()

    def _repr_latex_(self) -> str:
        return self.latex()

    def _repr_html_(self) -> str | None:
        from html import escape

        from autograd.draw import RenderError

        try:
            page = escape(self.html())
        except (ImportError, RenderError, ValueError):  # no latex2mathml, no Graphviz, a graph too large for a page
            return None  # and Jupyter asks for the formulas instead
        return f'<iframe sandbox="allow-scripts" srcdoc="{page}" style="width: 100%; height: 40em; border: 0"></iframe>'
