"""Expressions as text, with the parentheses that they need and no others.

A dialect says how each operation is spelled and how tightly that holds together; the text of an expression is put together
from those of its operands. Python, JavaScript, formulas to read and LaTeX are four dialects. The trade-off: a dialect knows
spelling only, so what an operation means has to be the same in all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from autograd.graph import topological_order
from autograd.symbols import Expression

ATOM = 10  # how tightly a text holds together that never needs parentheses


class Form(NamedTuple):
    """How an operation is spelled: how tightly that holds together, and how tightly each operand has to."""

    template: str
    strength: int
    operands: tuple[int, ...]


Choice: TypeAlias = Callable[[Expression], tuple[Form, Sequence[Expression]]]


class Dialect(NamedTuple):
    """The forms of the operations, or functions that choose one, and of what; `leaf` writes names and numbers.

    An operation without a form is a call: `call` turns its name into that of the function. `brackets` are parentheses. A
    text that begins with a minus holds together no more tightly than `minus`.
    """

    forms: Mapping[str, Form | Choice]
    leaf: Callable[[Expression], tuple[str, int]]
    call: Callable[[str], str] = str
    brackets: tuple[str, str] = ("(", ")")
    minus: int = ATOM


class Written(NamedTuple):
    """The text of an expression, its strength, and how many operations lie within one another in it."""

    text: str
    strength: int
    depth: int


def infix(sign: str, strength: int) -> Form:
    """An operator between two operands, of which the right one has to hold together more tightly: a - (b - c)."""
    return Form(f"{{}} {sign} {{}}", strength, (strength, strength + 1))


def call(function: str, operands: int, brackets: tuple[str, str] = ("(", ")")) -> Form:
    """A function of operands in parentheses; braces in its name are doubled, as in every template."""
    return Form(f"{function}{brackets[0]}{', '.join(['{}'] * operands)}{brackets[1]}", ATOM, (0,) * operands)


def composed(e: Expression, found: Mapping[Expression, Written], dialect: Dialect) -> Written:
    """The text of an expression, from those of its operands."""
    if not e.parents:
        text, strength = dialect.leaf(e)
        return Written(text, min(strength, dialect.minus) if text.startswith("-") else strength, 0)
    operands: Sequence[Expression] = e.parents
    form = dialect.forms.get(e.op) or call(dialect.call(e.op), len(operands), dialect.brackets)
    if not isinstance(form, Form):
        form, operands = form(e)
    parts = [found[p] if p in found else composed(p, found, dialect) for p in operands]
    text = form.template.format(*(at_least(least, part, dialect) for part, least in zip(parts, form.operands, strict=True)))
    strength = min(form.strength, dialect.minus) if text.startswith("-") else form.strength
    return Written(text, strength, 1 + max(part.depth for part in parts))


def at_least(strength: int, part: Written, dialect: Dialect) -> str:
    """The text, in parentheses if it holds together less tightly than that."""
    left, right = dialect.brackets
    return part.text if part.strength >= strength else f"{left}{part.text}{right}"


def written(expression: Expression, dialect: Dialect, least: int = 0) -> str:
    """The text of an expression, of this strength at least; an operand that is used twice is written twice.

    >>> from autograd.tapes.program import PYTHON
    >>> from autograd.symbols import symbol
    >>> a, b = symbol("a"), symbol("b")
    >>> written(a * (a - (b - 1)), PYTHON)
    'a * (a - (b - 1))'
    """
    found: dict[Expression, Written] = {}
    for e in topological_order(expression):
        found[e] = composed(e, found, dialect)
    return at_least(least, found[expression], dialect)
