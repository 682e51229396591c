r"""Matrix formulas, written as NumPy code, in LaTeX.

Layers become superscripts, W2 is W^{(2)}, and so does a transpose; dW2 is the derivative of C by W2; `*` between matrices is
a circled dot. The trade-off: it knows what the formulas of a network are made of, not all of Python.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

SYMBOLS = {"delta": r"\delta", "sigmoid": r"\sigma", "softmax": r"\operatorname{softmax}"}
OPERATORS: dict[type[ast.AST], tuple[int, str]] = {
    ast.Add: (1, " + "),
    ast.Sub: (1, " - "),
    ast.MatMult: (2, r"\, "),  # held together less than Python does, so that a product beside it has parentheses
    ast.Mult: (3, r" \odot "),
    ast.USub: (3, "-"),
    ast.Pow: (4, ""),
    ast.Div: (5, ""),
    ast.Gt: (0, " > "),
}
ATOM = 6
Written = tuple[str, int]  # LaTeX, and how tightly it holds together


def as_latex(code: str) -> str:
    r"""The formula in LaTeX, for math mode. Raises `ValueError` for code that is no formula of a network.

    >>> as_latex("(delta2 @ W2.T) * a1 * (1 - a1)")
    '\\left(\\delta^{(2)}\\, W^{(2)\\top}\\right) \\odot a^{(1)} \\odot \\left(1 - a^{(1)}\\right)'
    """
    try:
        return _written(ast.parse(code, mode="eval").body)[0]
    except (SyntaxError, KeyError) as error:
        raise ValueError(f"{code!r} is not a formula that can be written in LaTeX: {error!r}") from None


def _written(node: ast.expr) -> Written:
    kind: Callable[..., Written] = _KINDS[type(node)]
    return kind(node)


def _held(node: ast.expr, least: int) -> str:
    text, precedence = _written(node)
    return text if precedence >= least else rf"\left({text}\right)"


def _matrix(node: ast.expr, superscript: str = "") -> Written:
    """A name, its transpose, an entry of it or of a function of it."""
    if isinstance(node, ast.Attribute):
        if node.attr == "size":
            return rf"\operatorname{{size}} {_held(node.value, ATOM)}", ATOM
        if node.attr != "T":
            raise KeyError(node.attr)
        if isinstance(node.value, ast.Name):
            return _matrix(node.value, r"\top")
        return rf"{_held(node.value, ATOM)}^{{\top}}", ATOM
    index = ""
    if isinstance(node, ast.Subscript):
        index, node = f"_{{{ast.unparse(node.slice).strip('()').replace(' ', '')}}}", node.value
    if isinstance(node, ast.Call):
        return _called(node)[0] + index, ATOM
    parts = re.fullmatch(r"(d(?=[Wb]\d))?([a-zA-Z]+)(\d*)", node.id if isinstance(node, ast.Name) else "")
    if not parts:
        raise KeyError(ast.unparse(node))
    by, name, layer = parts.groups()
    above = (f"({layer})" if layer else "") + superscript
    text = SYMBOLS.get(name, name) + (f"^{{{above}}}" if above else "") + index
    return (rf"\frac{{\partial C}}{{\partial {text}}}" if by else text), ATOM


def _binary(node: ast.BinOp) -> Written:
    precedence, sign = OPERATORS[type(node.op)]
    if isinstance(node.op, ast.Div):
        return rf"\frac{{{_written(node.left)[0]}}}{{{_written(node.right)[0]}}}", precedence
    if isinstance(node.op, ast.Pow):
        return f"{_held(node.left, ATOM)}^{{{_written(node.right)[0]}}}", precedence
    if isinstance(node.op, ast.Mult) and (isinstance(node.left, ast.Constant) or _scalar(node)):
        sign = r"\, " if isinstance(node.left, ast.Constant) else r" \cdot "
    return _held(node.left, precedence) + sign + _held(node.right, precedence + 1), precedence


def _scalar(node: ast.AST) -> bool:
    """Whether the formula is one of entries, not of whole matrices."""
    return any(isinstance(part, ast.Subscript) for part in ast.walk(node))


def _unary(node: ast.UnaryOp) -> Written:
    precedence, sign = OPERATORS[type(node.op)]
    return sign + _held(node.operand, precedence), precedence


def _compared(node: ast.Compare) -> Written:
    precedence, sign = OPERATORS[type(node.ops[0])]
    return _held(node.left, 1) + sign + _held(node.comparators[0], 1), precedence


def _called(node: ast.Call) -> Written:
    if not isinstance(node.func, ast.Attribute):
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        arguments = ", ".join(_written(argument)[0] for argument in node.args)
        operator = SYMBOLS.get(name, rf"\operatorname{{{name}}}")
        return rf"{operator}\left({arguments}\right)", ATOM
    over = {"0": "_{s}", "1": "_{j}", "": ""}["".join(ast.unparse(k.value) for k in node.keywords if k.arg == "axis")]
    sign = {"sum": rf"\sum{over} ", "mean": r"\operatorname{mean} "}[node.func.attr]
    return sign + _held(node.func.value, 2), 2


def _bracketed(node: ast.List) -> Written:
    inside = ", ".join(_written(element)[0] for element in node.elts)
    return rf"\left[{inside}\right]", ATOM


_KINDS: dict[type[ast.expr], Callable[..., Written]] = {
    ast.Name: _matrix,
    ast.Attribute: _matrix,
    ast.Subscript: _matrix,
    ast.Constant: lambda node: (repr(node.value), ATOM),
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.Compare: _compared,
    ast.Call: _called,
    ast.List: _bracketed,
}
