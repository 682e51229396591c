"""The chain rule forwards, written out: how fast every result changes with one input, in the order of computation.

What is given, the values and the local derivatives are said as in a derivation backwards; the last part has the tangents.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from autograd.derive.groups import Group
from autograd.derive.outline import Equation, Item, Outline, Part, Parts, alike, outline_of, shown_number, side, times
from autograd.derive.steps import Steps, Term, term
from autograd.expressions import Expression, derivative, equation, number
from autograd.expressions.expression import SUM
from autograd.forward import tangents
from autograd.operands import Number
from autograd.operations import CONSTANT
from autograd.sweep import ONE
from autograd.value import Value


class ForwardDerivation(Steps):
    """The derivation of d node / d x for every node between `x` and the output; see `derive`."""

    def __init__(self, output: Value, x: Value) -> None:
        super().__init__(output, (x,))
        self.x = x
        self.tangents: dict[Value, Number] = {node: type(output.data)() for node in self.order}
        self.tangents |= {x: type(x.data)(1), **tangents(output, {x: 1})}

    def terms(self, node: Value) -> tuple[Term, ...]:
        """One for each operand between `x` and the node; none for `x` itself."""
        if node is self.x:
            return ()
        found = []
        for position, (operand, (formula, partial)) in enumerate(zip(node.parents, self.partials(node), strict=True)):
            if operand in self.covered:
                found.append(term(node, position, formula, partial, self.tangents[operand]))
        return tuple(found)

    def text(self, fold: bool = True) -> str:
        """The derivation as text, which is also its `str()`: the numbers forward, and the tangents forward after them."""
        from autograd.derive.text import render

        return render(self._outline(fold))

    def latex(self, fold: bool = True) -> str:
        """The same as one `align*` environment for amsmath."""
        from autograd.derive.latex import render

        return render(self._outline(fold))

    def _outline(self, fold: bool) -> Outline:
        return outline_of(self, _ForwardParts(self, fold))

    @cached_property
    def multiplications(self) -> int:
        """How many products of a local derivative and a tangent are taken; one by the 1 of a sum is none."""
        return sum(term.partial is not ONE for node in self.order if node in self.covered for term in self.terms(node))

    def __str__(self) -> str:
        return self.text()

    def _repr_latex_(self) -> str:
        return self.latex()


class _ForwardParts(Parts):
    """The parts of a derivation forwards, in which all derivatives are by the same input."""

    derivation: ForwardDerivation
    same = 1

    def slopes(self) -> Part:
        nodes = [node for node in self.derivation.order if node in self.derivation.covered and node.operation is not CONSTANT]
        return self.part("tangents", self.groups(nodes, self._sum), self._tangent)

    def _rate(self, node: Value) -> Expression:
        return derivative(self.names[node], self.names[self.derivation.x])

    def _product(self, term: Term) -> Expression:
        return times(term.formula, self._rate(term.consumer.parents[term.position]))

    def _sum(self, node: Value) -> Expression:
        """The equation that says what the derivative of a node is the sum of."""
        products = tuple(map(self._product, self.derivation.terms(node)))
        if not products:
            return equation(self._rate(node), number(1))
        return equation(self._rate(node), products[0] if len(products) == 1 else Expression(SUM, products))

    def _tangent(self, group: Group) -> Iterator[Item]:
        node, *more = group.nodes
        terms = self.derivation.terms(node)
        yield Equation(
            self._rate(node),
            tuple(map(self._product, terms)),
            tuple(times(*(number(shown_number(x)) for x in (term.partial, term.upstream))) for term in terms),
            number(self.derivation.tangents[node]),
            tuple(number(shown_number(term.contribution)) for term in terms if len(terms) > 1),
            tuple((self.definition(node), side(term)) for term in terms),
        )
        if more:
            yield alike(more, True, group.pattern if len(terms) == 1 else None, group.letters, self._result)

    def _result(self, node: Value) -> Expression:
        return equation(self._rate(node), number(self.derivation.tangents[node]))
