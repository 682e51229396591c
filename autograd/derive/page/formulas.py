"""The formulas of the rows that a page uses: MathML with holes for the operands, and JavaScript that says which one holds."""

from __future__ import annotations

import re
from collections.abc import Iterable

from autograd.expressions import Expression, as_latex, number, operands_first, substituted, symbol
from autograd.expressions.expression import ADD, NEG, SUB, WHERE, apply, rebuilt
from autograd.expressions.javascript import as_javascript, keys, operand_names
from autograd.expressions.rows import all_partials, definition, partials_at, readable, settled
from autograd.graph import Node
from autograd.operations import Operation

HOLE = 0xE000  # letters of private use stand for the operands in a formula, and for the result
LAST = 0xF8FF
CHOICES = 5  # of a formula that are made in JavaScript; one with more is shown with its choices


class Formulas:
    """The formulas of these rows; each has a number, and is a template of the page."""

    def __init__(self, used: Iterable[Operation]) -> None:
        self._templates: dict[tuple[str, str], int] = {}
        self._used = list(used)
        self._keys = keys(self._used)

    def script(self) -> str:
        """The JavaScript constant FORMULAS: by row, the number of the formula that holds for these operands."""
        return "const FORMULAS = {\n" + "".join(map(self._row, self._used)) + "};\n"

    def _row(self, row: Operation) -> str:
        names = ["out", *operand_names(row)]
        out, *operands = map(symbol, names)
        value = self._template(definition(row, *operands), names)
        shown = readable(row, all_partials(row, out, *operands), operands)
        partials = (as_javascript(self._numbered(partial, names), self._keys) for partial in shown)
        return f"  {self._keys[row]}: {{ value: {value}, partials: ({', '.join(names)}) => [{', '.join(partials)}] }},\n"

    def _numbered(self, formula: Expression, names: list[str]) -> Expression:
        """The number of the formula's template; if it has choices, the same choices between the templates of its arms."""
        order = operands_first(formula)
        choices = [e for e in order if e.op is WHERE]
        if not choices or len(choices) > CHOICES:
            return number(self._template(formula, names))
        condition, *arms = choices[0].parents
        return apply(WHERE, condition, *(self._numbered(_replaced(order, choices[0], settled(arm)), names) for arm in arms))

    def at(self, node: Node) -> list[int]:
        """The formulas of a node and of its partials that hold at its numbers."""
        row = node.operation
        names = ["out", *operand_names(row)]
        out, *operands = map(symbol, names)
        numbers = dict(zip(names, (node.data, *(parent.data for parent in node.parents)), strict=True))
        found = definition(row, *operands), *partials_at(row, out, operands, numbers)
        return [self._template(formula, names) for formula in found]

    def _template(self, formula: Expression, names: list[str]) -> int:
        holes = {name: symbol(chr(HOLE + i)) for i, name in enumerate(names)}
        html = mathml(as_latex(substituted(formula, holes)))
        html = re.sub(rf"(<mrow>)?<mtext>([{chr(HOLE)}-{chr(LAST)}])</mtext>(?(1)</mrow>)", _hole, html)
        kind = "sum" if formula.op in (ADD, SUB, NEG) else "product"
        return self._templates.setdefault((html, kind), len(self._templates))

    def templates(self) -> str:
        """The formulas as inert HTML."""
        return "".join(template(f"formula{i}", html, kind) for (html, kind), i in self._templates.items())


def _hole(letter: re.Match[str]) -> str:
    """Where the page puts the result, or the operand at a place."""
    place = ord(letter[2]) - HOLE
    return f'<mi class="{"out" if place == 0 else place - 1}"></mi>'


def _replaced(order: list[Expression], old: Expression, new: Expression) -> Expression:
    """The last expression in an order of operands first, with another in the place of `old`."""
    image: dict[Expression, Expression] = {}
    for e in order:
        image[e] = new if e is old else rebuilt(e, [image[parent] for parent in e.parents])
    return image[order[-1]]


def template(key: str, content: str, kind: str = "") -> str:
    """Inert HTML, which the page copies by its key."""
    return f'<template id="{key}" class="{kind}">{content}</template>\n'


def mathml(latex: str) -> str:
    """The formula as MathML. Raises `ImportError` without latex2mathml."""
    try:
        from latex2mathml.converter import convert
    except ImportError:
        raise ImportError("page: the formulas need latex2mathml, which is not installed; pip install latex2mathml") from None
    found: str = convert(latex)
    return found
