"""Formulas to be read: the table of rules as expressions.

`FORMULAS` is the table built on symbols, so the formula that is printed is the row that is computed. Its rows are those of
the usual case; `partials_at` takes the arms that the numbers choose, at a tie or an edge too. The trade-off: a formula is
a handful of operations, and is printed as the tree that it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from autograd import symbols
from autograd.graph import topological_order
from autograd.rules import Rule, table
from autograd.symbols import Expression, number, symbol
from autograd.value import Number


def operation(op: str) -> Callable[..., Expression]:
    """The function that makes the expression `op` of its operands as it stands: nothing is simplified or computed.

    >>> operation("multiply")(number(1), number(2))
    multiply(1, 2)
    """
    return lambda *operands: Expression(op, operands)


def operands_first(expression: Expression) -> list[Expression]:
    """Every part of an expression, each once and after its operands; the expression itself is the last.

    >>> operands_first(1 - symbol("x"))
    [1, x, subtract(1, x)]
    """
    return topological_order(expression)


def _usual(condition: Expression, a: Any, b: Any) -> Any:
    """Of a choice the arm that is not an edge: where an equality holds, or the derivative is undefined, which is None."""
    if a is None or any(e.op == "equal" for e in operands_first(condition)):
        return b
    return a if b is None else symbols.where(condition, a, b)


def _row(rule: Rule) -> Rule:
    """The rule with the operation under its own name forward, and with expressions only as partials."""
    inputs = tuple(map(symbol, "ab"[: len(rule.domain)]))
    computed = rule.forward(*inputs)
    single = all(p is a for p, a in zip(computed.parents, inputs, strict=False))  # else it is made of several operations
    return rule._replace(
        forward=operation(computed.op if single else rule.name),
        partials=lambda *out_and_operands: tuple(
            p if isinstance(p, Expression) else number(p) for p in rule.partials(*out_and_operands)
        ),
    )


_NAMES = {**vars(symbols), "sigmoid": operation("sigmoid")}
CHOICES = {rule.name: _row(rule) for rule in table(SimpleNamespace(**_NAMES)).values()}
FORMULAS = {rule.name: _row(rule) for rule in table(SimpleNamespace(**{**_NAMES, "where": _usual, "nan": None})).values()}


def substituted(expression: Expression, meanings: Mapping[str, Expression]) -> Expression:
    """The expression with names replaced by what they mean; what is of numbers only is computed.

    >>> x, y = symbol("x"), symbol("y")
    >>> substituted(x * (1 - x) + y, {"x": number(0.25)}), substituted(x * (1 - x), {"x": number(0.25)})
    (add(0.1875, y), 0.1875)
    """
    image: dict[Expression, Expression] = {}
    for e in operands_first(expression):
        operands = [image[parent] for parent in e.parents]
        image[e] = getattr(symbols, e.op, operation(e.op))(*operands) if operands else meanings.get(e.content, e)
    return image[expression]


def partials_at(
    rule: str, out: Expression, operands: Sequence[Expression], numbers: Mapping[str, Number]
) -> tuple[Expression, ...]:
    """The partials of the row `rule` as they are at these numbers of the names: at a tie or an edge, what holds there.

    >>> from autograd import symbols
    >>> out, a, b = map(symbol, ("out", "a", "b"))
    >>> from autograd.derivation.dialects import as_text
    >>> [as_text(p) for p in partials_at("maximum", out, (a, b), {"a": 1.0, "b": 2.0})]
    ['[a > b]', '[b > a]']
    >>> [as_text(p) for p in partials_at("maximum", out, (a, b), {"a": 2.0, "b": 2.0})]
    ['0.5', '0.5']

    Raises `ValueError` for an operation that is not in the table of rules.
    """
    if rule not in FORMULAS:
        raise ValueError(f"the operation {rule!r} is not in the table of rules, so its formula is not known here")
    if rule not in _CHOOSING:
        return FORMULAS[rule].partials(out, *operands)
    known = {name: number(x) for name, x in numbers.items()}
    return tuple(_chosen(partial, known) for partial in CHOICES[rule].partials(out, *operands))


def _chosen(expression: Expression, numbers: Mapping[str, Expression]) -> Expression:
    """The expression with every choice made: the arm that these numbers of its names take."""
    image: dict[Expression, Expression] = {}
    for e in operands_first(expression):
        operands = [image[parent] for parent in e.parents]
        if e.op == "where":
            image[e] = operands[1 if substituted(e.parents[0], numbers).content else 2]
        else:
            image[e] = getattr(symbols, e.op, operation(e.op))(*operands) if operands else e
    return image[expression]


def _has_choices(rule: Rule) -> bool:
    partials = rule.partials(*map(symbol, ("out", "a", "b")[: 1 + len(rule.domain)]))
    return any(e.op == "where" for partial in partials for e in operands_first(partial))


_CHOOSING = {name for name, rule in CHOICES.items() if _has_choices(rule)}


def derivative(output: Expression, node: Expression) -> Expression:
    """The name of the derivative of one by the other: dy/dx."""
    return Expression("derivative", (output, node))


def equation(left: Expression, right: Expression) -> Expression:
    """The statement that both are equal; to be printed, not to be decided.

    >>> from autograd.derivation.dialects import as_text
    >>> as_text(equation(derivative(symbol("y"), symbol("x")), symbol("x") * 2))
    'dy/dx = x * 2'
    """
    return Expression("equation", (left, right))
