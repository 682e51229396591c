"""Expressions as text, with the parentheses that they need and no others.

A dialect says how each operation is spelled and how tightly that holds together; the text of an expression is put together
from those of its operands. Python, JavaScript, formulas to read and LaTeX are four dialects. The trade-off: a dialect knows
spelling only, so what an operation means has to be the same in all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from autograd.graph import topological_order
from autograd.symbols import Expression

ATOM = 10  # how tightly a text holds together that never needs parentheses


class Form(NamedTuple):
    """How an operation is spelled: how tightly that holds together, and how tightly each operand has to."""

    template: str
    strength: int
    operands: tuple[int, ...]


Forms: TypeAlias = Mapping[str, Form | Callable[[Expression], Form]]


class Dialect(NamedTuple):
    """The forms of the operations, or functions that choose one; `leaf` writes names and numbers, with their strength.

    An operation without a form is a call: `call` turns its name into that of the function. `brackets` are parentheses.
    """

    forms: Forms
    leaf: Callable[[Expression], tuple[str, int]]
    call: Callable[[str], str] = str
    brackets: tuple[str, str] = ("(", ")")


class Written(NamedTuple):
    """The text of an expression, its strength, and how many operations lie within one another in it."""

    text: str
    strength: int
    depth: int


def infix(sign: str, strength: int) -> Form:
    """An operator between two operands, of which the right one has to hold together more tightly: a - (b - c)."""
    return Form(f"{{}} {sign} {{}}", strength, (strength, strength + 1))


def call(function: str, operands: int) -> Form:
    """A function of operands in parentheses."""
    return Form(f"{function}({', '.join(['{}'] * operands)})", ATOM, (0,) * operands)


def composed(e: Expression, operands: list[Written], dialect: Dialect) -> Written:
    """The text of an expression, from those of its operands."""
    if not e.parents:
        return Written(*dialect.leaf(e), 0)
    form = dialect.forms.get(e.op) or call(dialect.call(e.op), len(operands))
    if not isinstance(form, Form):
        form = form(e)
    left, right = dialect.brackets
    pairs = zip(operands, form.operands, strict=True)
    texts = (w.text if w.strength >= least else f"{left}{w.text}{right}" for w, least in pairs)
    return Written(form.template.format(*texts), form.strength, 1 + max(w.depth for w in operands))


def written(expression: Expression, dialect: Dialect) -> str:
    """The text of an expression; an operand that is used twice is written twice.

    >>> from autograd.tapes.program import PYTHON
    >>> from autograd.symbols import symbol
    >>> a, b = symbol("a"), symbol("b")
    >>> written(a * (a - (b - 1)), PYTHON)
    'a * (a - (b - 1))'
    """
    found: dict[Expression, Written] = {}
    for e in topological_order(expression):
        found[e] = composed(e, [found[p] for p in e.parents], dialect)
    return found[expression].text
