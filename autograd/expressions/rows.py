"""The rows of the table as formulas to be read: the formula that is printed is the row that is computed.

`row_at` takes the arms of a row's choices that the numbers take, at a tie or an edge too; `usual_partials` are those of the
usual case.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from autograd.expressions import SYMBOLS, Expression, number, operands_first, substituted, symbol, unchanged
from autograd.expressions.expression import EQUAL, NUMBER, WHERE, applied, apply, gathered, lifted, printed_size, rebuilt, shown
from autograd.floats import Real
from autograd.operations import Arithmetic, Operation

LONGEST = 300  # names, numbers and operations of a formula that is shown


def _usual(condition: Any, a: Any, b: Any) -> Expression:
    """Of a choice the arm that is not an edge: where an equality holds, or the derivative is undefined, which is nan."""
    asked, first, second = map(lifted, (condition, a, b))
    if _undefined(first) or any(e.op is EQUAL for e in operands_first(asked)):
        return second
    return first if _undefined(second) else apply(WHERE, asked, first, second)


def _undefined(e: Expression) -> bool:
    return any(x.op is NUMBER and isinstance(x.content, float) and math.isnan(x.content) for x in (e, *e.parents))


USUAL = Arithmetic(applied, where=_usual, zeros_like=SYMBOLS.zeros_like)


def definition(row: Operation, *operands: Any) -> Expression:
    """The operation of its operands, as it is."""
    return unchanged(row)(*operands)


def readable(row: Operation, partials: Sequence[Any], operands: Sequence[Expression]) -> tuple[Expression, ...]:
    """The partials, of which one that is too long to be read is only named, as a function of the operands."""
    named = (unchanged(shown(f"d{row.symbol}/d{place + 1}")) for place in range(len(partials)))
    formulas = map(lifted, partials)
    return tuple(e if printed_size(e) <= LONGEST else name(*operands) for e, name in zip(formulas, named, strict=True))


def usual_partials(row: Operation, out: Expression, *operands: Expression) -> tuple[Expression, ...]:
    """The partials as formulas, away from ties and edges."""
    return readable(row, row.partials(USUAL, out, *operands), operands)


def all_partials(row: Operation, out: Expression, *operands: Expression) -> tuple[Expression, ...]:
    """The partials as formulas with all their choices."""
    return tuple(map(lifted, row.partials(SYMBOLS, out, *operands)))


def partials_at(
    row: Operation, out: Expression, operands: Sequence[Expression], numbers: Mapping[str, Real]
) -> tuple[Expression, ...]:
    """The partials of a row as they are at these numbers of the names: at a tie or an edge, what holds there."""
    if not _has_choices(row):
        return usual_partials(row, out, *operands)
    known = {name: number(x) for name, x in numbers.items()}
    return readable(row, [_chosen(partial, known) for partial in all_partials(row, out, *operands)], operands)


def settled(arm: Expression) -> Expression:
    """The arm of a choice; nan where the derivative is undefined."""
    return number(math.nan) if _undefined(arm) else arm


def _chosen(expression: Expression, numbers: Mapping[str, Expression]) -> Expression:
    """The expression with every choice made: the arm that these numbers of its names take."""

    def choose(e: Expression, operands: list[Expression]) -> Expression:
        if e.op is WHERE:
            return settled(operands[1 if substituted(e.parents[0], numbers).content else 2])
        return rebuilt(e, operands)

    return gathered(expression, choose)


@cache
def _has_choices(row: Operation) -> bool:
    partials = all_partials(row, symbol("out"), *(symbol(f"x{i}") for i in range(len(row.domain))))
    return any(e.op is WHERE for partial in partials for e in operands_first(partial))
