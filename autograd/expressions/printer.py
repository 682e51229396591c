"""Expressions as text, with the parentheses that they need and no others.

There is one table of precedence, Python's, for every language: text to read, LaTeX, Python, JavaScript; the parser of the
terminal reads it too. A language says how operations are spelled, and the text of an expression is put together from
those of its operands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from autograd.expressions.expression import Expression
from autograd.graph import topological_order
from autograd.operations import BUILT_IN, Operation

CHOICE, CONDITION, COMPARISON, SUM, PRODUCT, SIGN, POWER, ATOM = 1, 2, 3, 4, 5, 6, 7, 10  # how tightly a text holds together
PRECEDENCE = {
    "=": CHOICE,
    "and": CONDITION,
    "+": SUM,
    "-": SUM,
    "**": POWER,
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), COMPARISON),
    **dict.fromkeys("*/%@", PRODUCT),
}


class Form(NamedTuple):
    """How an operation is spelled: how tightly that holds together, and how tightly each operand has to."""

    template: str
    strength: int
    operands: tuple[int, ...]


Choice: TypeAlias = Callable[[Expression], tuple[Form, Sequence[Expression]]]


class Language(NamedTuple):
    """The forms of operations by name, or functions that choose one, and of what; `leaf` writes names and numbers."""

    forms: Mapping[str, Form | Choice]
    leaf: Callable[[Expression], tuple[str, int]]
    call: Callable[[Operation], str] = lambda op: op.symbol
    signs: Mapping[str, str] = {}
    brackets: tuple[str, str] = ("(", ")")


class Text(NamedTuple):
    """The text of an expression, its strength, and how many operations lie within one another in it."""

    text: str
    strength: int
    depth: int


def infix(sign: str, strength: int) -> Form:
    """An operator between two operands, of which the right one has to hold together more tightly: a - (b - c)."""
    if strength == CHOICE:  # an equation, in which the right side may be a choice
        return Form(f"{{}} {sign} {{}}", CHOICE, (CONDITION, CHOICE))
    left = SUM if strength == COMPARISON else strength  # a < b < c would be a chain
    return Form(f"{{}} {sign} {{}}", strength, (left, strength + 1))


def call(function: str, operands: int, brackets: tuple[str, str] = ("(", ")")) -> Form:
    """A function of operands in parentheses; braces in its name are doubled, as in every template."""
    name = function.replace("{", "{{").replace("}", "}}")
    return Form(f"{name}{brackets[0]}{', '.join(['{}'] * operands)}{brackets[1]}", ATOM, (0,) * operands)


def _form(e: Expression, language: Language) -> tuple[Form, Sequence[Expression]]:
    """How an expression is spelled, and the operands that appear in it; a user's own operation is always a call."""
    form = None
    if e.op.name in BUILT_IN or not e.op.domain:
        form = language.forms.get(e.op.name)
        if form is None and e.op.symbol == "-" and len(e.parents) == 1:
            form = Form("-{}", SIGN, (POWER,))
        if form is None and len(e.parents) == 2 and (strength := PRECEDENCE.get(e.op.symbol)):
            sign = language.signs.get(e.op.symbol, e.op.symbol)
            form = Form("{}**{}", POWER, (ATOM, POWER)) if sign == "**" else infix(sign, strength)
    if form is None:
        form = call(language.call(e.op), len(e.parents), language.brackets)
    return (form, e.parents) if isinstance(form, Form) else form(e)


def composed(e: Expression, found: Mapping[Expression, Text], language: Language) -> Text:
    """The text of an expression, from those of its operands."""
    if not e.parents:
        text, strength = language.leaf(e)
        return Text(text, min(strength, SIGN) if text.startswith("-") else strength, 0)
    form, operands = _form(e, language)
    parts = [found[p] if p in found else composed(p, found, language) for p in operands]
    operator = form.strength in (SUM, PRODUCT)  # after which a minus would be hard to read: a * (-b)
    texts = [
        at_least(ATOM if operator and i and part.text.startswith("-") else least, part, language)
        for i, (part, least) in enumerate(zip(parts, form.operands, strict=True))
    ]
    text = form.template.format(*texts)
    strength = min(form.strength, SIGN) if text.startswith("-") else form.strength
    return Text(text, strength, 1 + max((part.depth for part in parts), default=0))


def at_least(strength: int, part: Text, language: Language) -> str:
    """The text, in parentheses if it holds together less tightly than that."""
    left, right = language.brackets
    return part.text if part.strength >= strength else f"{left}{part.text}{right}"


def printed(expression: Expression, language: Language, least: int = 0) -> str:
    """The text of an expression, of this strength at least; an operand that is used twice is printed twice."""
    found: dict[Expression, Text] = {}
    for e in topological_order(expression):
        found[e] = composed(e, found, language)
    return at_least(least, found[expression], language)
