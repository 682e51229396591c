r"""Formulas as LaTeX, for plain amsmath or MathJax: \cdot, \frac, \sigma, subscripts for the indices of names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from autograd.expressions.expression import MATMUL, NAME, NUMBER, Expression, operands_first
from autograd.expressions.printer import ATOM, CHOICE, POWER, PRODUCT, SIGN, SUM, Form, Language, infix, printed
from autograd.expressions.text import plus, step
from autograd.names import latex_name, latex_number, plain
from autograd.operations import OPERATIONS, Operation

# those that LaTeX has a name for
FUNCTIONS = ("log", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "max", "min")
BRACKETS = (r"\left(", r"\right)")
SIGNS = {
    "*": r"\cdot",
    "@": r"\,",
    "%": r"\bmod",
    "and": r"\text{{ and }}",
    "<=": r"\le",
    ">=": r"\ge",
    "==": "=",
    "!=": r"\ne",
}


def _leaf(e: Expression) -> tuple[str, int]:
    if e.op is NAME:
        text = latex_name(e.content)
        return text, POWER if "^" in text else ATOM
    text = latex_number(e.content)
    return text, PRODUCT if "10^" in text else POWER if "frac" in text else ATOM


def _call(op: Operation) -> str:
    if op.latex is not None:
        return op.latex
    if op.symbol in FUNCTIONS:
        return f"\\{op.symbol}"
    if re.fullmatch(r"\w+", op.symbol, re.ASCII):
        return f"\\operatorname{{{op.symbol}}}".replace("_", r"\_")
    return latex_name(plain(op.symbol))  # a letter of the user's, Greek for example


def _template(op: Operation) -> Form | None:
    """The form of a row whose LaTeX has places for its operands; of any other one None."""
    if op.latex is None or "{}" not in op.latex:
        return None
    raised = op.latex[1:2] == "^"
    return Form(op.latex, POWER if raised else ATOM, (0,) * len(op.domain))


LATEX = Language(
    {
        "div": Form(r"\frac{{{}}}{{{}}}", POWER, (0, 0)),
        "pow": Form("{}^{{{}}}", POWER, (ATOM, 0)),
        "heaviside": step(r"\left[{} > {}\right]", r"\operatorname{heaviside}", BRACKETS),
        "square": Form("{}^{{2}}", POWER, (ATOM,)),
        "reciprocal": Form(r"\frac{{1}}{{{}}}", POWER, (0,)),
        "total": plus(r"\cdots"),
        "dot": plus(r"\cdots", r" \cdot "),
        "neg": Form("-{}", SIGN, (PRODUCT,)),
        "derivative": Form(r"\frac{{\partial {}}}{{\partial {}}}", POWER, (0, 0)),
        "where": Form(r"\begin{{cases}} {1} & \text{{if }} {0} \\ {2} & \text{{otherwise}} \end{{cases}}", ATOM, (0, 0, 0)),
        **{row.name: form for row in OPERATIONS.values() if (form := _template(row))},
    },
    _leaf,
    _call,
    SIGNS,
    BRACKETS,
)


# the matrices of a network: W2 is W^{(2)}, dW2 is the derivative of C by it
MATRIX = re.compile(r"(d(?=[Wb]\d))?([^\W\d_]+)(\d*)(?:\[([a-z\d,]+)\])?")
Chosen = tuple[Form, Sequence[Expression]]


def _name(name: str, above: str = "", below: str = "") -> str:
    """A name with its layer, and what else stands above it; its indices stand below."""
    found = MATRIX.fullmatch(name)
    if not found:
        return latex_name(name) + (f"^{{{above}}}" if above else "") + (f"_{{{below}}}" if below else "")
    by, stem, layer, index = found.groups()
    raised, indices = (f"({layer})" if layer else "") + above, index or below
    text = latex_name(stem) + (f"^{{{raised}}}" if raised else "") + (f"_{{{indices}}}" if indices else "")
    return rf"\frac{{\partial C}}{{\partial {text}}}" if by else text


def _layer_leaf(e: Expression) -> tuple[str, int]:
    return (_name(e.content), ATOM) if e.op is NAME else LATEX.leaf(e)


def _as_it_is(text: str) -> Chosen:
    return Form(text.replace("{", "{{").replace("}", "}}"), ATOM, ()), ()


def _transpose(e: Expression) -> Chosen:
    (matrix,) = e.parents
    return _as_it_is(_name(matrix.content, r"\top")) if matrix.op is NAME else (Form(r"{}^{{\top}}", ATOM, (ATOM,)), e.parents)


def _entry(e: Expression) -> Chosen:
    matrix, *index = e.parents
    below = ",".join(str(i.content) for i in index)
    if matrix.op is NAME:
        return _as_it_is(_name(matrix.content, below=below))
    return Form(f"{{}}_{{{{{below}}}}}", ATOM, (ATOM,)), (matrix,)


def _product(e: Expression) -> Chosen:
    """A number times anything, entries times entries, or matrices entry by entry."""
    left = e.parents[0]
    parts = operands_first(e)
    of_entries = any((part.op is NAME and "[" in part.content) or part.op.name == "entry" for part in parts)
    of_numbers = not any(part.op is NAME for part in parts)
    sign = r"\cdot" if of_entries or of_numbers else r"\," if left.op is NUMBER else r"\odot"
    least = [ATOM if side.op is MATMUL else PRODUCT + i for i, side in enumerate(e.parents)]
    return Form(f"{{}} {sign} {{}}", PRODUCT, (least[0], least[1])), e.parents


def _sum(e: Expression) -> Chosen:
    over = "" if e.content is None else ("_{{s}}", "_{{j}}")[e.content[0]]
    return Form(rf"\sum{over} {{}}", SUM, (PRODUCT,)), e.parents


LAYERS = LATEX._replace(
    forms={
        **LATEX.forms,
        "transpose": _transpose,
        "entry": _entry,
        "mul": _product,
        "chosen": LATEX.forms["where"],
        "matmul": infix(r"\,", PRODUCT),
        "summed": _sum,
        "averaged": Form(r"\operatorname{{mean}} {}", SUM, (PRODUCT,)),
        "size": Form(r"\operatorname{{size}} {}", ATOM, (ATOM,)),
    },
    leaf=_layer_leaf,
)


def as_latex(expression: Expression, least: int = CHOICE, layers: bool = False) -> str:
    r"""The formula as LaTeX, in which a name like W1[2,0] is a matrix of a layer with its indices.

    With `layers`, the names are those of the matrices of a network: digits are layers, and `*` is entry by entry.

    >>> from autograd.expressions import symbol
    >>> W, out = symbol("W1[2,0]"), symbol("a1[0]")
    >>> print(as_latex(W * (out * (1 - out))))
    W^{(1)}_{2,0} \cdot \left(a^{(1)}_{0} \cdot \left(1 - a^{(1)}_{0}\right)\right)
    >>> print(as_latex((symbol("delta2") @ symbol("W2").T) * symbol("a1"), layers=True))
    \left(\delta^{(2)} \, W^{(2)\top}\right) \odot a^{(1)}
    """
    return printed(expression, LAYERS if layers else LATEX, least)
