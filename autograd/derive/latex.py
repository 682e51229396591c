r"""A derivation as LaTeX: one `align*` for plain amsmath, which MathJax understands too; what it says is in `outline`.

Put \allowdisplaybreaks before it, or it stays on one page. It compiles with pdflatex whatever the labels are: letters that
pdflatex has no font for are shown by number, U+4F60.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from autograd.derive.outline import NOTHING, Alike, Equation, Letter, Local, Outline, Part
from autograd.expressions import Expression, as_latex, as_text, call, derivative, symbol
from autograd.names import latex_number

INDENTED = r"\quad +"  # how a sum goes on in the next row
WIDTH = 63  # of a row, in characters of the same formula as text: what fits between the margins of an article
UNKNOWN = "ÐÞðþĄąĐđĘęĦħĮįĸĿŀŉŊŋŦŧŲųſ"  # letters of Latin that the fonts of plain LaTeX have not
HEADS = {"given": "Given", "forward": "Forward", "local": "Local derivatives", "backward": "Backward", "tangents": "Tangents"}
ABOUT = {"forward": r"\text{: every result from its operands}", "local": r"\text{: of every operation by its operands}"}


def render(outline: Outline) -> str:
    r"""The derivation as an `align*` environment."""
    parts = " \\\\[1ex]\n".join(" \\\\\n".join(_part(part, outline)) for part in outline.parts)
    return f"\\begin{{align*}}\n{_compilable(parts)}\n\\end{{align*}}"


def _part(part: Part, outline: Outline) -> Iterator[str]:
    rules = {"backward": _backward_rule, "tangents": _forward_rule}
    about = rules[part.name](outline) if part.name in rules else ABOUT.get(part.name, "")
    yield rf"& \textbf{{{HEADS[part.name]}}}{about}"
    if part.name == "local":
        local = [call("local", item.operation, *item.partials) for item in part.items if isinstance(item, Local)]
        for row in _broken(local):
            yield r"& \quad " + r"\qquad ".join(_in_line(*formulas.parents) for formulas in row)
    for item in part.items:
        if not isinstance(item, Local):
            yield from _alike(item) if isinstance(item, Alike) else _equation(item)
    if part.left_out:
        yield rf"& \text{{... and {part.left_out:,} more, left out here; latex(fold=False) shows them all}}"


def _compilable(latex: str) -> str:
    """It with the numbers of those characters that pdflatex does not know."""
    return re.sub(f"[^\n -~\u00c0-\u017f]|[{UNKNOWN}]", lambda found: f"U+{ord(found[0]):04X}", latex)


def _backward_rule(outline: Outline) -> str:
    out, u, v = map(symbol, (outline.output, *outline.letters))
    product = as_latex(derivative(out, v) * derivative(v, u))
    words = rf"\text{{ over the results }} {as_latex(v)} \text{{ that }} {as_latex(u)} \text{{ went into}}"
    return rf":\quad {as_latex(derivative(out, u))} = \sum_{{{as_latex(v)}}} {product} {words}"


def _forward_rule(outline: Outline) -> str:
    u, v, x = map(symbol, (*outline.letters, *(outline.wrt or ())))
    product = as_latex(derivative(v, u) * derivative(u, x))
    words = rf"\text{{ over the operands }} {as_latex(u)} \text{{ of }} {as_latex(v)}"
    return rf":\quad {as_latex(derivative(v, x))} = \sum_{{{as_latex(u)}}} {product} {words}"


def _alike(item: Alike) -> Iterator[str]:
    words = f"and {item.size:,} more" if item.more else f"{item.size:,} numbers"
    about = [] if item.pattern is None else [_in_line(item.pattern), *map(_range, item.letters)]
    rows = [_in_line(*row) for row in _broken(item.results, 0 if about else len(words))]
    if item.more or not rows:
        first = r",\;\; ".join(about) if about else rows.pop(0) if rows else ""
        yield rf"& \quad \text{{{words}{': ' if first else ''}}} {first}"
    yield from (f"& \\quad {row}" for row in rows)


def _equation(step: Equation) -> Iterator[str]:
    """The sides of an equation: in one row if there is room, or the symbols and the numbers apart, and each sum apart."""
    left, result = as_latex(step.left), f"= {as_latex(step.result)}"
    if not step.contributions:
        first, *more = (f"= {as_latex(e)}" for e in (*step.symbols, *step.numbers, step.result))
        if step.since and step.since[0][1].endswith(NOTHING):
            more[-1] += r" \quad \text{for nothing is sent}"
        if not step.depends:
            output, node = map(as_latex, step.left.parents)
            first += rf" \quad \text{{for }} {output} \text{{ does not depend on }} {node}"
        apart = sum(map(_width, (*step.symbols, *step.numbers, step.result))) > WIDTH
        yield f"{left} & {first}" if apart else f"{left} & {' '.join((first, *more))}"
        if apart:
            yield f"& {' '.join(more)}"
        return
    for side in (step.symbols, step.numbers, step.contributions):
        sums = list(_broken(side))
        for i, summands in enumerate(sums):
            row = " + ".join(_summand(summand, first=not i and not k) for k, summand in enumerate(summands))
            row = f"{left} & {INDENTED if i else '='} {row}"
            left = ""
            if i < len(sums) - 1:
                yield row
        row += r" + \cdots" if step.left_out else ""
        if side is not step.contributions:
            yield row
        elif sum(map(_width, (*sums[-1], step.result))) > WIDTH:
            yield from (row, f"& {result}")
        else:
            yield f"{row} {result}"


def _summand(formula: Expression, first: bool) -> str:
    """A part of a sum, in parentheses if a plus comes before its minus."""
    text = as_latex(formula)
    return text if first or not text.startswith("-") else rf"\left({text}\right)"


def _width(formula: Expression) -> int:
    """About how many characters a formula and a sign are wide in print, where indices are small, and fractions narrow."""
    text = as_text(formula)
    return len(re.sub(r"(?<=d)\S*?/d|(?<=\d)\[|,\d", "", text)) + (4 if text.startswith("-") else 2)


def _in_line(*equations: Expression) -> str:
    return r",\;\; ".join(map(as_latex, equations)).replace(r"\frac", r"\tfrac")


def _broken(formulas: Iterable[Expression], used: int = 0) -> Iterator[list[Expression]]:
    """As many of the formulas as there is room for in a row of which some is used already, and so on."""
    row: list[Expression] = []
    for formula in formulas:
        if row and used + _width(formula) > WIDTH:
            yield row
            row, used = [], 0
        row.append(formula)
        used += _width(formula)
    if row:
        yield row


def _range(letter: Letter) -> str:
    numbers = [latex_number(n) for n in letter.numbers]
    shown = r", \dots, ".join(numbers) if letter.interval else ", ".join(numbers[:5]) + (r", \dots" if numbers[5:] else "")
    return f"{letter.letter} = {shown}"
