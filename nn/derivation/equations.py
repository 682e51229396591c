"""One equation of a matrix derivation, with all terms of one entry, as data, text and LaTeX; and a whole derivation as text.

Numbers along the way have six digits; the two that are compared, of the matrix and of the graph, have all of theirs.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from functools import partial, reduce
from typing import TYPE_CHECKING, Any, NamedTuple

from autograd.expressions import as_latex, as_text, number, symbol
from autograd.floats import shown
from autograd.names import number_text
from nn.arrays import plain
from nn.derivation.formulas import Form, Y, predicted, times
from nn.derivation.recorded import Term
from nn.losses import LOSSES

if TYPE_CHECKING:
    from nn.derivation.matrices import MatrixDerivation

WIDTH = 92
_latex = partial(as_latex, layers=True)
SHOWN = 6  # of more terms, the largest are shown
LEADS = {  # by line: what the graph says of an entry, and what a term of it belongs to
    1: ("{routes} from z{l}{at} to C in the graph. Along a route the slopes multiply, from C back:", "route"),
    2: ("a{l}{at} goes into every neuron k of layer {after}; each route adds a term:", "neuron {term.neuron}"),
    3: ("every sample s uses W{l}{at} once, on its way to z{l}[s,{to}], and adds a term:", "sample {term.sample}"),
    4: ("every sample s adds b{l}{at} to its z{l}[s,{to}], and adds a term:", "sample {term.sample}"),
}


class Equation(NamedTuple):
    """One of the equations (1) to (4), `line`, and one entry of it: what the matrix says and what the graph says."""

    line: int
    layer: int
    rows: Form
    columns: Form
    entry: tuple[int, ...]
    terms: tuple[Term, ...]
    from_matrix: Any
    from_graph: Any
    why: str

    @property
    def name(self) -> str:
        """What the equation gives: delta2, dW2 or db2."""
        return self.rows.result.text

    @property
    def at(self) -> str:
        """The entry as text: [1,0]."""
        return f"[{','.join(map(str, self.entry))}]"

    @property
    def difference(self) -> Any:
        """How far the matrix and the graph are apart."""
        return abs(self.from_matrix - self.from_graph)

    def __str__(self) -> str:
        return "\n".join(_lines(self))

    def latex(self) -> str:
        """The equation, its shapes and its entry with all terms, as an `align*` environment of amsmath."""
        return latex([self])


def _lines(e: Equation) -> Iterator[str]:
    """The equation, its entry term by term, both numbers, and the reason for what stands there."""
    head, name = f"({e.line}) {e.rows}", e.name + e.at
    routes = "one route leads" if len(e.terms) == 1 else f"{len(e.terms)} routes lead"
    lead = LEADS[e.line][0].format(l=e.layer, at=e.at, to=e.entry[-1], after=e.layer + 1, routes=routes)
    yield f"{head}{' ' * max(4, 52 - len(head))}{e.rows.shapes}"
    yield from _paragraph(f"Entry {e.at}: {lead}")
    yield from _terms(e)
    yield f"      {name} in the matrix  {_exact(e.from_matrix)}"
    yield f"      {' ' * len(name)} in the graph   {_exact(e.from_graph)}   difference {number_text(e.difference)}"
    yield from _paragraph(e.why)


def _paragraph(words: str) -> list[str]:
    """Lines of text, in which no formula is broken at its operator."""
    whole = re.sub(r" ([@*=]) ", "\u00a0\\1\u00a0", words)
    lines = textwrap.wrap(whole, WIDTH, initial_indent="    ", subsequent_indent="    ", break_long_words=False)
    return [line.replace("\u00a0", " ") for line in lines]


def _exact(x: Any) -> str:
    """All digits of a number."""
    return shown(x + 0)  # -0.0 is shown as the zero that it is


def _short(x: Any) -> str:
    """Six digits of a number."""
    return number_text(x + 0)


def _terms(e: Equation) -> Iterator[str]:
    """A line for each term, or two where they are long; and their sum."""
    largest = sorted(range(len(e.terms)), key=lambda i: -abs(e.terms[i].number))[:SHOWN]
    chosen = [e.terms[i] for i in sorted(largest)]
    several = max(len(term.factors) for term in chosen) > 1  # a single factor is the term
    rows = []
    for term in chosen:
        factors = f" = {' * '.join(map(_short, term.factors))}" if several else ""
        symbols = as_text(reduce(times, term.expressions))
        rows.append((LEADS[e.line][1].format(term=term), symbols, factors, _short(term.number)))
    label, left, middle, right = (max(map(len, column)) for column in zip(*rows, strict=True))
    folds = 11 + label + left + middle + right > WIDTH
    for name, symbols, factors, result in rows:
        start = f"      {name:{label}}  "
        if folds:
            yield from textwrap.wrap(symbols, WIDTH, initial_indent=start, subsequent_indent=" " * len(start))
            yield f"{' ' * len(start[1:])}{factors} = {result}"
        else:
            yield f"{start}{symbols:{left}}{factors:{middle}} = {result:>{right}}"
    if len(e.terms) > len(chosen):
        yield f"      and {len(e.terms) - len(chosen)} more, none of them larger"
    if len(e.terms) > 1:
        total = _short(sum(term.number for term in e.terms))
        yield f"{'sum':>{7 + label}} = {total}" if folds else f"{'sum':>{8 + label + left + middle}} = {total:>{right}}"


def latex(equations: Sequence[Equation]) -> str:
    """The equations, an `align*` environment each, so that a page may break between them."""
    return "\n".join("\\begin{align*}\n" + " \\\\[3pt]\n".join(_latex_lines(e)) + "\n\\end{align*}" for e in equations)


def _latex_lines(e: Equation) -> Iterator[str]:
    """The equation and its shapes; its entry, term by term, in symbols and beside them in numbers; and their sum."""
    yield rf"{_latex(symbol(e.name))} &= {_latex(e.rows.expression)} && {_latex_shapes(e.rows)}"
    cut = len(e.terms) > SHOWN
    start, sign = _latex(symbol(e.name + e.at)), "="
    for i, term in enumerate([*e.terms[: SHOWN - 1], e.terms[-1]] if cut else e.terms, 1):
        symbols = _latex(reduce(times, term.expressions))
        numbers = r" \cdot ".join(map(_latex_number, term.factors))
        gap = r"\cdots + " if cut and i == SHOWN else ""
        yield rf"{start} &{sign} {gap}{symbols} && {sign} {gap}{numbers}"
        start, sign = "", r"\quad + "
    yield f" &&& = {as_latex(number(e.from_graph + 0))}"


def _latex_shapes(form: Form) -> str:
    *factors, result = (operand.dims.strip("(),").replace(", ", r" \times ") for operand in (*form.factors, form.result))
    product = r"\,".join(f"({size})" for size in factors)
    return rf"{product} \to {result}" if product else result


def _latex_number(x: Any) -> str:
    text = as_latex(number(x + 0))
    return rf"\left({text}\right)" if text.startswith("-") else text


def text(d: MatrixDerivation) -> str:
    """All of it."""
    equations = (part for e in d.equations for part in ([f"Layer {e.layer}"] if e.line < 3 else []) + [str(e)])
    forward, layouts, signs = ("\n".join(section(d)) for section in (_forward, _both_layouts, _both_signs))
    return "\n\n".join((forward, *equations, layouts, signs))


def _forward(d: MatrixDerivation) -> Iterator[str]:
    weights, n, rows, before = d.model.weights, len(d.X), [], "X"
    for layer, (activation, w) in enumerate(zip(d.model.activations, weights, strict=True), 1):
        bias = "" if d.model.biases is None else f" + b{layer}"
        a = f"a{layer} = z{layer}" if activation == "linear" else f"a{layer} = {activation}(z{layer})"
        rows.append((f"z{layer} = {before} @ W{layer}{bias}", f"(n, {w.shape[0]}) @ {w.shape} -> (n, {w.shape[1]})", a))
        before = f"a{layer}"
    sizes = "-".join(str(size) for size in (len(weights[0]), *(w.shape[1] for w in weights)))
    yield f"The {sizes} network with C = {d.loss}, for n = {n} sample{'s' if n > 1 else ''} in rows"
    yield from _aligned(rows)
    loss = LOSSES[d.loss].formula(predicted(d.loss, d.model.activations[-1], len(weights)), Y)
    yield f"    C = {as_text(loss)} = {number_text(d.passes.loss)}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [f"    {'   '.join(map(str.ljust, row, widths))}".rstrip() for row in rows]


def _both_layouts(d: MatrixDerivation) -> Iterator[str]:
    rows = [("samples in rows", "samples in columns"), ("X is (n, d), W is n_in x n_out", "X is (d, n), W is n_out x n_in")]
    for e in d.equations:
        rows.append((f"({e.line}) {e.rows}", f"({e.line}) {e.columns}"))
        rows.append((f"        {e.rows.shapes}", f"        {e.columns.shapes}"))
    lines = _aligned(rows)
    if max(map(len, lines)) > WIDTH + 8:  # too wide to stand side by side
        left, right = ([f"    {cell}" for cell in column] for column in zip(*rows, strict=True))
        lines = [*left, "", *right]
    yield "Samples in columns: every matrix transposed, and (A @ B).T = B.T @ A.T turns the order"
    yield from lines
    yield from _paragraph(f"Both computed, the largest difference of an entry is {number_text(d.columns_apart)}.")


def _names_of_error(d: MatrixDerivation) -> tuple[str, str]:
    """The error and the other one: (p - Y) and (Y - p) where the loss does nothing but change its sign with them."""
    loss, a, last = LOSSES[d.loss], d.passes.a[-1], len(d.model.weights)
    if loss.by_preactivation or (loss.error(a, d.Y) == -loss.error(d.Y, a)).all():
        p = as_text(predicted(d.loss, d.model.activations[-1], last))
        return f"({p} - Y)", f"(Y - {p})"
    return f"dC/da{last}", f"-dC/da{last}"


def _both_signs(d: MatrixDerivation) -> Iterator[str]:
    W, entry = f"W{len(d.model.weights)}", d.equations[1].entry
    place = d.signs.names.index(W)
    arrays = (d.model.weights[-1], *(part[place] for part in (d.signs.steps, d.signs.minus, d.signs.plus)))
    old, step, minus, plus = (plain(a[entry]) for a in arrays)
    dW, (one, other) = d.equations[1].rows.text, _names_of_error(d)
    numbers, both = sum(a.size for a in d.signs.plus), " and biases" if d.model.biases else ""
    all_of_them = f"all {numbers} weights{both} are" if numbers > 1 else "the weight is"
    yield f"Minus or plus: one step of gradient descent at rate 1, for {W}[{entry[0]},{entry[1]}]"
    yield from _aligned(
        [
            (f"{W} -= {dW}, from {one}", f"{_short(old)} - {_bracketed(-step)}", f"= {_exact(minus)}"),
            (f"{W} += {dW}, from {other}", f"{_short(old)} + {_bracketed(step)}", f"= {_exact(plus)}"),
        ]
    )
    yield from _paragraph(
        f"{one} and {other} differ in the sign alone, and so do the products and sums that are made of them: the minus stands "
        f"in front, or inside. After the step {all_of_them} {'the same, bit for bit' if d.signs.same else 'not the same'}."
    )


def _bracketed(x: Any) -> str:
    return f"({_short(x)})" if x < 0 else _short(x)
