"""The derivation of a gradient: the chain rule written out for a recorded graph, step by step, as data.

A step is a node: its operation, its local partials as formulas and as numbers, and one term for each consumer that it went
into. The terms stand in the order in which the sweep adds them, so that their sum is the gradient of `grad`, bit for bit.
The trade-off: numbers and names are taken when the derivation is made, formulas are not made before they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from autograd.expressions import Expression, number, symbol
from autograd.expressions.rows import definition as defined
from autograd.expressions.rows import partials_at
from autograd.graph import consumers_first, topological_order
from autograd.names import named
from autograd.operations import CONSTANT, FLOATS
from autograd.sweep import ONE, adjoints
from autograd.transforms import one_value, values
from autograd.value import Number, Value

if TYPE_CHECKING:
    from autograd.derive.paths import Paths


class Term(NamedTuple):
    """What one consumer adds to an adjoint: `contribution`, which is `upstream` times `partial`.

    `upstream` is the adjoint of the consumer, `partial` the derivative of the consumer by its operand at `position`, and
    `formula` that derivative in the names of the derivation.
    """

    consumer: Value
    position: int
    formula: Expression
    partial: Number
    upstream: Number
    contribution: Number


class Step(NamedTuple):
    """One node: its name, what it was made by, and how its adjoint comes about.

    `definition` is the operation on the names of its operands, None for a leaf or a constant; `partials` has the formula
    and the number of its derivative by each operand; `terms` has one for each place in which a consumer uses it, in the
    order of the sweep. Their sum is `adjoint`; that of the output is 1. `data` is its number.
    """

    node: Value
    name: str
    definition: Expression | None
    partials: tuple[tuple[Expression, Number], ...]
    terms: tuple[Term, ...]
    adjoint: Number
    data: Number


class Derivation:
    """The derivation of d output / d node for every node, or for those between `wrt` and the output; see `derive`.

    `names` has a name for every node of the graph: its label, or z1, z2, ..., and for a constant its number; `data` has
    its number, `adjoints` the derivative by it, `order` has them all, operands first. `steps` tells of those in `told`, in
    the order of the sweep, and `derivation[node]` is the step of one. Jupyter shows a page, or formulas where there is none.
    """

    def __init__(self, output: Value, wrt: tuple[Value, ...] | None) -> None:
        self.output, self.wrt = output, wrt
        kind = type(output.data)
        self.adjoints: dict[Value, Number] = adjoints(output, kind(1), kind(), FLOATS)
        self.order = topological_order(output, *(wrt or ()))
        self.data: dict[Value, Number] = {node: node.data for node in self.order}
        self.names: dict[Value, str] = named(self.order)
        self._zero = kind()

    @cached_property
    def told(self) -> frozenset[Value]:
        """The nodes that have a step: all of the graph, or `wrt` and those of the graph that depend on it."""
        if self.wrt is None:
            return frozenset(self.order)
        told = set(self.wrt)
        for node in self.order:
            if node in self.adjoints and not told.isdisjoint(node.parents):
                told.add(node)
        return frozenset(told)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """One step for each node that is told, in the order of the sweep: the output first, leaves at the end."""
        results, _ = consumers_first(self.output, None)
        sweep = dict.fromkeys(node for node in results if node in self.told)
        sweep |= dict.fromkeys(node for node in reversed(self.order) if node in self.told)
        terms: dict[Value, list[Term]] = {node: [] for node in sweep}
        return tuple(self._step(node, terms) for node in sweep)

    def __getitem__(self, node: Value) -> Step:
        """The step of a node. Raises `KeyError` for one that is not told."""
        return self._by_node[node]

    @cached_property
    def _by_node(self) -> dict[Value, Step]:
        return {step.node: step for step in self.steps}

    def _step(self, node: Value, terms: dict[Value, list[Term]]) -> Step:
        """The step of a node that has all its terms; its own share goes to the terms of its operands."""
        adjoint = self.adjoints.get(node, self._zero)
        partials = self.partials(node)
        for position in range(len(partials))[::-1]:  # the sweep adds to the right operand first
            formula, partial = partials[position]
            if node in self.adjoints and (operand := node.parents[position]) in terms:
                contribution = adjoint if partial is ONE else adjoint * partial
                terms[operand].append(Term(node, position, formula, partial, adjoint, contribution))
        definition = defined(node.operation, *map(self._named, node.parents)) if partials else None
        return Step(node, self.names[node], definition, partials, tuple(terms[node]), adjoint, self.data[node])

    def partials(self, node: Value) -> tuple[tuple[Expression, Number], ...]:
        """Formula and number of the derivative of a node by each of its operands."""
        parents = node.parents
        if not parents:
            return ()
        numbers = {self.names[n]: self.data[n] for n in (node, *parents) if n.operation is not CONSTANT}
        formulas = partials_at(node.operation, self._named(node), [self._named(parent) for parent in parents], numbers)
        partials = node.operation.partials(FLOATS, self.data[node], *(self.data[parent] for parent in parents))
        return tuple(zip(formulas, partials, strict=True))

    def _named(self, node: Value) -> Expression:
        return number(self.data[node]) if node.operation is CONSTANT else symbol(self.names[node])

    def text(self, fold: bool = True) -> str:
        """The derivation as text, which is its `str()`: the numbers forward, then the chain rule back.

        Steps that differ in indices only are told once, and no more than 100 kinds of them; `fold=False` tells every one.
        """
        from autograd.derive.text import written  # here, like the other ways of writing it: `import autograd` stays light

        return written(self, fold)

    def latex(self, fold: bool = True) -> str:
        r"""The same as one `align*` environment for amsmath; with \allowdisplaybreaks before it, it may take several pages.

        It compiles with pdflatex, whatever the labels are: letters that it has no font for stand there by number, U+4F60.
        """
        from autograd.derive.latex import written

        return written(self, fold)

    def html(self) -> str:
        """The same as a page to step through, one file without a network. Raises `ImportError` without latex2mathml."""
        from autograd.derive.page import page

        return page(self)

    def paths(self, limit: int = 1000) -> Paths:
        """The routes from `wrt` to the output, of which the products of the local derivatives sum to the gradient.

        However many there are, `.count` says how many, and `str()` tells of them; to list more than `limit` raises
        `ValueError`, and so does a derivation by anything but one Value.

        >>> from autograd import Value
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
        return f'<iframe srcdoc="{page}" style="width: 100%; height: 40em; border: 0"></iframe>'


def derive(output: Value, wrt: Value | Iterable[Value] | None = None) -> Derivation:
    """Write out the chain rule for the graph of `output`: for every node, or for what lies between `wrt` and the output.

    The graph is read, not changed. Raises `TypeError` for anything that is not a Value, and `ValueError` for a `wrt` that
    is empty.

    >>> from autograd import Value
    >>> x = Value(3.0, "x")
    >>> step = derive(x * x + x)[x]
    >>> [(term.upstream, term.partial, term.contribution) for term in step.terms], step.adjoint
    ([(1.0, 1, 1.0), (1.0, 3.0, 3.0), (1.0, 3.0, 3.0)], 7.0)
    """
    output = one_value(output, "derive: output")
    if wrt is None:
        return Derivation(output, None)
    wanted = tuple(dict.fromkeys(values(wrt, "derive: wrt")))
    if not wanted:
        raise ValueError("derive: wrt is empty; give a Value or several, or leave it out to derive by all of them")
    return Derivation(output, wanted)
