"""A matrix derivation as text, for a terminal, and as LaTeX.

Numbers along the way have six digits; the two that are compared, of the matrix and of the graph, have all of theirs.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any

from autograd.derivation import dialects
from autograd.derivation.printed import number_text
from autograd.symbols import number

from autograd.value import shown
from nn.arrays import plain
from nn.derivation.formulas import loss_formula, predicted
from nn.derivation.latex import as_latex
from nn.derivation.notation import Form

if TYPE_CHECKING:
    from nn.derivation.matrices import Equation, MatrixDerivation, Term

WIDTH = 92
SHOWN = 6  # of more terms, the largest are shown


def text(d: MatrixDerivation) -> str:
    """All of it: the forward pass, the equations from the loss back, the other layout, the other sign."""
    parts = [_forward(d)]
    for equation in d.equations:
        if equation.line < 3:
            parts.append(f"Layer {equation.layer}")
        parts.append(equation_text(equation))
    return "\n\n".join([*parts, _both_layouts(d), _both_signs(d)])


def _forward(d: MatrixDerivation) -> str:
    layers, n = len(d.model.weights), len(d.X)
    rows = []
    for layer, (activation, w) in enumerate(zip(d.model.activations, d.model.weights, strict=True), 1):
        before, bias = f"a{layer - 1}" if layer > 1 else "X", f" + b{layer}" if d.model.biases is not None else ""
        a = f"a{layer} = z{layer}" if activation == "linear" else f"a{layer} = {activation}(z{layer})"
        rows.append((f"z{layer} = {before} @ W{layer}{bias}", f"(n, {w.shape[0]}) @ {w.shape} -> (n, {w.shape[1]})", a))
    sizes = "-".join(map(str, [len(d.model.weights[0]), *(w.shape[1] for w in d.model.weights)]))
    loss = as_text(loss_formula(d.loss, d.model.activations[-1], layers))
    return "\n".join(
        (
            f"The {sizes} network with C = {d.loss}, for n = {n} sample{'s' if n > 1 else ''} in rows",
            *_aligned(rows, "   "),
            f"    C = {loss} = {number_text(d.passes.loss)}",
        )
    )


def equation_text(e: Equation) -> str:
    """One equation, its entry term by term, both numbers, and the reason for what stands there."""
    head = f"({e.line}) {e.rows}"
    name = _entry(e.name, e)
    return "\n".join(
        (
            f"{head}{' ' * max(4, 52 - len(head))}{e.rows.shapes}",
            *_paragraph(_lead(e)),
            *_terms(e),
            f"      {name} in the matrix  {_exact(e.from_matrix)}",
            f"      {' ' * len(name)} in the graph   {_exact(e.from_graph)}   difference {number_text(e.difference)}",
            *_paragraph(e.why),
        )
    )


def _paragraph(words: str) -> list[str]:
    whole = re.sub(r" ([@*=]) ", "\u00a0\\1\u00a0", words)  # a formula is not broken
    lines = textwrap.wrap(whole, WIDTH, initial_indent="    ", subsequent_indent="    ", break_long_words=False)
    return [line.replace("\u00a0", " ") for line in lines]


def _aligned(rows: Sequence[Sequence[str]], between: str) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [f"    {between.join(f'{cell:{widths[i]}}' for i, cell in enumerate(row))}".rstrip() for row in rows]


def _entry(name: str, e: Equation) -> str:
    return f"{name}[{','.join(map(str, e.entry))}]"


def _exact(x: Any) -> str:
    return shown(x + 0)  # -0.0 is shown as the zero that it is


def _short(x: Any) -> str:
    return number_text(x + 0)


def _bracketed(x: Any) -> str:
    return f"({_short(x)})" if x < 0 else _short(x)


def _lead(e: Equation) -> str:
    """What the graph says of the entry: along what the sum runs."""
    entry, l, to = _entry("", e), e.layer, e.entry[-1]
    if e.line == 1:
        routes = "one route leads" if len(e.terms) == 1 else f"{len(e.terms)} routes lead"
        return f"Entry {entry}: {routes} from z{l}{entry} to C in the graph. Along a route the slopes multiply, from C back:"
    if e.line == 2:
        return f"Entry {entry}: a{l}{entry} goes into every neuron k of layer {l + 1}; each route adds a term:"
    if e.line == 3:
        return f"Entry {entry}: every sample s uses W{l}{entry} once, on its way to z{l}[s,{to}], and adds a term:"
    return f"Entry {entry}: every sample s adds b{l}{entry} to its z{l}[s,{to}], and adds a term:"


def _terms(e: Equation) -> Iterator[str]:
    """A line for each term, or two where they are long; and their sum."""
    largest = sorted(range(len(e.terms)), key=lambda i: -abs(e.terms[i].number))[:SHOWN]
    shown = [e.terms[i] for i in sorted(largest)]
    rows = [(_of(e, term), _product(term), _product_of_numbers(term), _short(term.number)) for term in shown]
    label, symbols, numbers, result = (max(map(len, column)) for column in zip(*rows, strict=True))
    folds = 14 + label + symbols + numbers + result > WIDTH
    for name, product, values, value in rows:
        start = f"      {name:{label}}  "
        if folds:
            yield start + product
            yield f"{' ' * len(start)}= {values} = {value}"
        elif len(shown[0].factors) == 1:
            yield f"{start}{product:{symbols}} = {value:>{result}}"
        else:
            yield f"{start}{product:{symbols}} = {values:{numbers}} = {value:>{result}}"
    if len(e.terms) > len(shown):
        yield f"      and {len(e.terms) - len(shown)} more, none of them larger"
    if len(e.terms) > 1:
        total = _short(sum(term.number for term in e.terms))
        column = 7 + label if folds else 8 + label + symbols + (0 if len(shown[0].factors) == 1 else 3 + numbers)
        yield f"{'sum':>{column}} = {total:>{0 if folds else result}}"


def _of(e: Equation, term: Term) -> str:
    """What the term is one of: the samples, the neurons of the next layer, or the routes through the loss."""
    return "route" if e.line == 1 else f"neuron {term.neuron}" if e.line == 2 else f"sample {term.sample}"


def _product(term: Term) -> str:
    return as_text(reduce(times, term.expressions))


def _product_of_numbers(term: Term) -> str:
    return " * ".join(map(_short, term.factors))


def _both_layouts(d: MatrixDerivation) -> str:
    rows = [("samples in rows", "samples in columns"), ("X is (n, d), W is n_in x n_out", "X is (d, n), W is n_out x n_in")]
    for e in d.equations:
        rows.append((f"({e.line}) {e.rows}", f"({e.line}) {e.columns}"))
        rows.append((f"        {e.rows.shapes}", f"        {e.columns.shapes}"))
    lines = _aligned(rows, "   ")
    if max(map(len, lines)) > WIDTH + 8:  # too wide to stand side by side
        lines = [line for i in (0, 1) for line in ("", *(f"    {row[i]}" for row in rows))][1:]
    return "\n".join(
        (
            "Samples in columns: every matrix transposed, and (A @ B).T = B.T @ A.T turns the order",
            *lines,
            *_paragraph(f"Both computed, the largest difference of an entry is {number_text(d.columns_apart)}."),
        )
    )


def _both_signs(d: MatrixDerivation) -> str:
    last = len(d.model.weights)
    entry = next(e.entry for e in d.equations if e.name == f"dW{last}")
    place = d.signs.names.index(f"W{last}")
    old, step = (plain(a[entry]) for a in (d.model.weights[-1], d.signs.steps[place]))
    minus, plus = (_exact(plain(a[place][entry])) for a in (d.signs.minus, d.signs.plus))
    p, dW = as_text(predicted(d.loss, d.model.activations[-1], last)), d.equations[1].rows.text
    rows = [
        (f"W{last} -= {dW}, from ({p} - Y)", f"{_short(old)} - {_bracketed(-step)}", f"= {minus}"),
        (f"W{last} += {dW}, from (Y - {p})", f"{_short(old)} + {_bracketed(step)}", f"= {plus}"),
    ]
    numbers, both = sum(a.size for a in d.signs.plus), " and biases" if d.model.biases else ""
    all_of_them = f"all {numbers} weights{both} are" if numbers > 1 else "the weight is"
    verdict = "the same, bit for bit" if d.signs.same else "not the same"
    return "\n".join(
        (
            f"Minus or plus: one step of gradient descent at rate 1, for W{last}[{entry[0]},{entry[1]}]",
            *_aligned(rows, "   "),
            *_paragraph(
                f"({p} - Y) and (Y - {p}) differ in the sign alone, and so do the products and sums that are made of them: the "
                f"minus stands in front, or inside. After the step {all_of_them} {verdict}."
            ),
        )
    )


def latex(equations: Sequence[Equation]) -> str:
    """The equations, an `align*` environment each, so that a page may break between them."""
    return "\n".join("\\begin{align*}\n" + " \\\\[3pt]\n".join(_latex_lines(e)) + "\n\\end{align*}" for e in equations)


def _latex_lines(e: Equation) -> Iterator[str]:
    """The equation and its shapes; its entry, term by term, in symbols and beside them in numbers; and their sum."""
    yield rf"{_latex(symbol(e.name))} &= {_latex(e.rows.expression)} && {_latex_shapes(e.rows)}"
    shown = [*e.terms[: SHOWN - 1], e.terms[-1]] if len(e.terms) > SHOWN else e.terms
    start, sign = _latex(symbol(_entry(e.name, e))), "="
    for number_of_term, term in enumerate(shown, 1):
        symbols = _latex(reduce(times, term.expressions))
        numbers = r" \cdot ".join(map(_latex_number, term.factors))
        gap = r"\cdots + " if len(e.terms) > SHOWN and number_of_term == SHOWN else ""
        yield rf"{start} &{sign} {gap}{symbols} && {sign} {gap}{numbers}"
        start, sign = "", r"\quad + "
    yield f" &&& = {dialects.as_latex(number(e.from_graph + 0))}"


def _latex_shapes(form: Form) -> str:
    sizes = [r" \times ".join(operand.dims.strip("(),").split(", ")) for operand in (*form.factors, form.result)]
    product = r"\,".join(f"({size})" for size in sizes[:-1])
    return rf"{product} \to {sizes[-1]}" if product else sizes[-1]


def _latex(expression: Expression) -> str:
    return as_latex(expression, layers=True)


def _latex_number(x: Any) -> str:
    text = as_latex(number(x + 0))
    return rf"\left({text}\right)" if text.startswith("-") else text
