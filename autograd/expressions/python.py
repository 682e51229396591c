"""Formulas as Python, which computes with them: the rows of a tape are printed so, and run."""

from __future__ import annotations

import math
from collections.abc import Sequence

from autograd.expressions.expression import NAME, NUMBER, Expression
from autograd.expressions.printer import ATOM, CHOICE, CONDITION, POWER, SIGN, Form, Language, call, printed


def _leaf(e: Expression) -> tuple[str, int]:
    if e.op is NAME:
        return e.content, ATOM
    return repr(e.content), SIGN if math.copysign(1, e.content) < 0 else ATOM


def _power(e: Expression) -> tuple[Form, Sequence[Expression]]:
    """Python's own operator for a whole constant, with which it never gets complex."""
    exponent = e.parents[1]
    whole = exponent.op is NUMBER and float(exponent.content).is_integer()
    return Form("{} ** {}", POWER, (ATOM, SIGN)) if whole else call("pow", 2), e.parents


PYTHON = Language(
    {"where": Form("{1} if {0} else {2}", CHOICE, (CONDITION, CONDITION, CHOICE)), "pow": _power},
    _leaf,
    lambda op: op.name,
)


def as_python(expression: Expression) -> str:
    """The expression as Python source; functions have the names of the table.

    >>> from autograd.expressions import SYMBOLS, symbol
    >>> a = symbol("a")
    >>> as_python(SYMBOLS.where(a > 0, SYMBOLS.exp(a), a**2))
    'exp(a) if a > 0 else a ** 2'
    """
    return printed(expression, PYTHON)
