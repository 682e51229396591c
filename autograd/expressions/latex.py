r"""Formulas as LaTeX, for plain amsmath or MathJax: \cdot, \frac, \sigma, subscripts for the indices of names."""

from __future__ import annotations

import re

from autograd.expressions.expression import NAME, Expression
from autograd.expressions.printer import ATOM, CHOICE, POWER, PRODUCT, SIGN, STATED, Form, Language, printed
from autograd.expressions.text import step
from autograd.names import latex_name, latex_number, plain
from autograd.operations import OPERATIONS, Operation

# those that LaTeX has a name for
FUNCTIONS = ("log", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "max", "min")
BRACKETS = (r"\left(", r"\right)")
SIGNS = {"*": r"\cdot", "<=": r"\le", ">=": r"\ge", "==": "=", "and": r"\text{{ and }}", "@": r"\,"}


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
    raised = op.latex.startswith("e^")
    return Form(op.latex, POWER if raised else ATOM, (0,) * op.arity)


LATEX = Language(
    {
        "div": Form(r"\frac{{{}}}{{{}}}", POWER, (0, 0)),
        "pow": Form("{}^{{{}}}", POWER, (ATOM, 0)),
        "heaviside": step(r"\left[{} > {}\right]", r"\operatorname{heaviside}", BRACKETS),
        "neg": Form("-{}", SIGN, (PRODUCT,)),
        "equation": STATED,
        "derivative": Form(r"\frac{{\partial {}}}{{\partial {}}}", POWER, (0, 0)),
        "where": Form(r"\begin{{cases}} {1} & \text{{if }} {0} \\ {2} & \text{{otherwise}} \end{{cases}}", ATOM, (0, 0, 0)),
        **{row.name: form for row in OPERATIONS.values() if (form := _template(row))},
    },
    _leaf,
    _call,
    SIGNS,
    BRACKETS,
)


def as_latex(expression: Expression, least: int = CHOICE) -> str:
    r"""The formula as LaTeX, in which a name like W1[2,0] is a matrix of a layer with its indices.

    >>> from autograd.expressions import symbol
    >>> W, out = symbol("W1[2,0]"), symbol("a1[0]")
    >>> print(as_latex(W * (out * (1 - out))))
    W^{(1)}_{2,0} \cdot \left(a^{(1)}_{0} \cdot \left(1 - a^{(1)}_{0}\right)\right)
    """
    return printed(expression, LATEX, least)
