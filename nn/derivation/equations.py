"""One equation of a matrix derivation, with all terms of one entry: as data, as text and as LaTeX.

Numbers along the way have six digits; the two that are compared, of the matrix and of the graph, have all of theirs.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Any, NamedTuple, TypeAlias

from autograd.expressions import Expression, as_latex, as_text, number, symbol
from autograd.floats import shown
from autograd.names import number_text
from nn.derivation.notation import Form, times

Entry: TypeAlias = tuple[int, ...]
WIDTH = 92
SHOWN = 6  # of more terms, the largest are shown


class Term(NamedTuple):
    """One term of an entry, as the graph has it: the factors along one route, in symbols and numbers, and their product.

    `sample` is the sample and `neuron` the neuron, of the layer whose delta is the factor, through which the route goes.
    """

    sample: int
    neuron: int
    expressions: tuple[Expression, ...]
    factors: tuple[Any, ...]
    number: Any

    @property
    def symbols(self) -> tuple[str, ...]:
        """The factors in symbols, as text."""
        return tuple(map(as_text, self.expressions))


class Equation(NamedTuple):
    """One of the equations (1) to (4), `line`, and one entry of it: what the matrix says and what the graph says.

    `rows` and `columns` are the formula for samples in rows, as everywhere here, and in columns. The `terms` sum to
    `from_graph`, the adjoint of the node that is this `entry` of the matrix; `from_matrix` is the number in the matrix.
    """

    line: int
    layer: int
    rows: Form
    columns: Form
    entry: Entry
    terms: tuple[Term, ...]
    from_matrix: Any
    from_graph: Any
    why: str

    @property
    def name(self) -> str:
        """What the equation gives: delta2, dW2 or db2."""
        return self.rows.result.text

    @property
    def difference(self) -> Any:
        """How far the matrix and the graph are apart."""
        return abs(self.from_matrix - self.from_graph)

    def __str__(self) -> str:
        return equation_text(self)

    def latex(self) -> str:
        """The equation, its shapes and its entry with all terms, as an `align*` environment of amsmath."""
        return latex([self])


def equation_text(e: Equation) -> str:
    """One equation, its entry term by term, both numbers, and the reason for what stands there."""
    head = f"({e.line}) {e.rows}"
    name = entry(e.name, e)
    return "\n".join(
        (
            f"{head}{' ' * max(4, 52 - len(head))}{e.rows.shapes}",
            *paragraph(_lead(e)),
            *_terms(e),
            f"      {name} in the matrix  {exact(e.from_matrix)}",
            f"      {' ' * len(name)} in the graph   {exact(e.from_graph)}   difference {number_text(e.difference)}",
            *paragraph(e.why),
        )
    )


def paragraph(words: str) -> list[str]:
    """Lines of text, in which no formula is broken at its operator."""
    whole = re.sub(r" ([@*=]) ", "\u00a0\\1\u00a0", words)  # a formula is not broken
    lines = textwrap.wrap(whole, WIDTH, initial_indent="    ", subsequent_indent="    ", break_long_words=False)
    return [line.replace("\u00a0", " ") for line in lines]


def entry(name: str, e: Equation) -> str:
    """The name with the equation's entry: dW2[1,0]."""
    return f"{name}[{','.join(map(str, e.entry))}]"


def exact(x: Any) -> str:
    """All digits of a number."""
    return shown(x + 0)  # -0.0 is shown as the zero that it is


def short(x: Any) -> str:
    """Six digits of a number."""
    return number_text(x + 0)


def _lead(e: Equation) -> str:
    """What the graph says of the entry: along what the sum runs."""
    at, l, to = entry("", e), e.layer, e.entry[-1]
    if e.line == 1:
        routes = "one route leads" if len(e.terms) == 1 else f"{len(e.terms)} routes lead"
        return f"Entry {at}: {routes} from z{l}{at} to C in the graph. Along a route the slopes multiply, from C back:"
    if e.line == 2:
        return f"Entry {at}: a{l}{at} goes into every neuron k of layer {l + 1}; each route adds a term:"
    if e.line == 3:
        return f"Entry {at}: every sample s uses W{l}{at} once, on its way to z{l}[s,{to}], and adds a term:"
    return f"Entry {at}: every sample s adds b{l}{at} to its z{l}[s,{to}], and adds a term:"


def _terms(e: Equation) -> Iterator[str]:
    """A line for each term, or two where they are long; and their sum."""
    largest = sorted(range(len(e.terms)), key=lambda i: -abs(e.terms[i].number))[:SHOWN]
    shown = [e.terms[i] for i in sorted(largest)]
    rows = [(_of(e, term), _product(term), _product_of_numbers(term), short(term.number)) for term in shown]
    label, symbols, numbers, result = (max(map(len, column)) for column in zip(*rows, strict=True))
    folds = 14 + label + symbols + numbers + result > WIDTH
    for name, product, values, value in rows:
        start = f"      {name:{label}}  "
        if folds:
            yield from textwrap.wrap(product, WIDTH, initial_indent=start, subsequent_indent=" " * len(start))
            yield f"{' ' * len(start)}= {values} = {value}"
        elif len(shown[0].factors) == 1:
            yield f"{start}{product:{symbols}} = {value:>{result}}"
        else:
            yield f"{start}{product:{symbols}} = {values:{numbers}} = {value:>{result}}"
    if len(e.terms) > len(shown):
        yield f"      and {len(e.terms) - len(shown)} more, none of them larger"
    if len(e.terms) > 1:
        total = short(sum(term.number for term in e.terms))
        column = 7 + label if folds else 8 + label + symbols + (0 if len(shown[0].factors) == 1 else 3 + numbers)
        yield f"{'sum':>{column}} = {total:>{0 if folds else result}}"


def _of(e: Equation, term: Term) -> str:
    """What the term is one of: the samples, the neurons of the next layer, or the routes through the loss."""
    return "route" if e.line == 1 else f"neuron {term.neuron}" if e.line == 2 else f"sample {term.sample}"


def _product(term: Term) -> str:
    return as_text(reduce(times, term.expressions))


def _product_of_numbers(term: Term) -> str:
    return " * ".join(map(short, term.factors))


def latex(equations: Sequence[Equation]) -> str:
    """The equations, an `align*` environment each, so that a page may break between them."""
    return "\n".join("\\begin{align*}\n" + " \\\\[3pt]\n".join(_latex_lines(e)) + "\n\\end{align*}" for e in equations)


def _latex_lines(e: Equation) -> Iterator[str]:
    """The equation and its shapes; its entry, term by term, in symbols and beside them in numbers; and their sum."""
    yield rf"{_latex(symbol(e.name))} &= {_latex(e.rows.expression)} && {_latex_shapes(e.rows)}"
    shown = [*e.terms[: SHOWN - 1], e.terms[-1]] if len(e.terms) > SHOWN else e.terms
    start, sign = _latex(symbol(entry(e.name, e))), "="
    for number_of_term, term in enumerate(shown, 1):
        symbols = _latex(reduce(times, term.expressions))
        numbers = r" \cdot ".join(map(_latex_number, term.factors))
        gap = r"\cdots + " if len(e.terms) > SHOWN and number_of_term == SHOWN else ""
        yield rf"{start} &{sign} {gap}{symbols} && {sign} {gap}{numbers}"
        start, sign = "", r"\quad + "
    yield f" &&& = {as_latex(number(e.from_graph + 0))}"


def _latex_shapes(form: Form) -> str:
    sizes = [r" \times ".join(operand.dims.strip("(),").split(", ")) for operand in (*form.factors, form.result)]
    product = r"\,".join(f"({size})" for size in sizes[:-1])
    return rf"{product} \to {sizes[-1]}" if product else sizes[-1]


def _latex(expression: Expression) -> str:
    return as_latex(expression, layers=True)


def _latex_number(x: Any) -> str:
    text = as_latex(number(x + 0))
    return rf"\left({text}\right)" if text.startswith("-") else text
