"""Formulas as Python, which computes with them: the rows of a tape are printed so, and run."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Any

from autograd.expressions.expression import EXPANDED, NAME, NUMBER, Expression, apply, lifted, operands_first
from autograd.expressions.printer import ATOM, CHOICE, CONDITION, POWER, SIGN, Form, Language, Text, call, composed, printed
from autograd.graph import topological_order
from autograd.operations import Operation


def _leaf(e: Expression) -> tuple[str, int]:
    if e.op is NAME:
        return e.content, ATOM
    return repr(e.content), SIGN if math.copysign(1, e.content) < 0 else ATOM


def _language(prefix: str) -> Language:
    """Python, in which functions are called so. A power by a whole constant, which never gets complex, is its own operator."""

    def power(e: Expression) -> tuple[Form, Sequence[Expression]]:
        exponent = e.parents[1]
        whole = exponent.op is NUMBER and float(exponent.content).is_integer()
        return Form("{} ** {}", POWER, (ATOM, SIGN)) if whole else call(f"{prefix}pow", 2), e.parents

    where = Form("{1} if {0} else {2}", CHOICE, (CONDITION, CONDITION, CHOICE))
    return Language({"where": where, "pow": power}, _leaf, lambda op: prefix + op.name)


PYTHON, FAST = _language(""), _language("f_")  # with the names of the table, and with names that clash with none


def as_python(expression: Expression) -> str:
    """The expression as Python source; functions have the names of the table.

    >>> from autograd.expressions import SYMBOLS, symbol
    >>> a = symbol("a")
    >>> as_python(SYMBOLS.where(a > 0, SYMBOLS.exp(a), a**2))
    'exp(a) if a > 0 else a ** 2'
    """
    return printed(expression, PYTHON)


def assignments(
    outputs: Iterable[Expression], names: Mapping[Expression, str], deepest: int = 12, language: Language = PYTHON
) -> tuple[list[str], list[str]]:
    """The lines that compute the outputs, and the text of each output after them."""
    outputs = list(outputs)
    needed = topological_order(*outputs)
    uses = Counter(parent for e in needed for parent in e.parents)
    known = set(needed)
    taken = set(names.values())
    temporaries = (free for k in count(1) if (free := f"t{k}") not in taken)
    lines: list[str] = []
    found: dict[Expression, Text] = {}
    for e in topological_order(*(e for e in names if e in known), *outputs):
        text = composed(e, found, language)
        name = names.get(e) or (next(temporaries) if e.parents and (uses[e] > 1 or text.depth >= deepest) else None)
        if name is not None and e.parents:
            lines.append(f"{name} = {text.text}")
            text = Text(name, ATOM, 0)
        found[e] = text
    return lines, [found[e].text for e in outputs]


def functions_of(formulas: Iterable[Expression]) -> dict[str, Any]:
    """What the calls in `FAST` source mean: the bare functions of Python, which raise where IEEE has an answer."""
    found = {e.op.name: e.op for formula in formulas for e in operands_first(formula) if e.op.domain}
    names: dict[str, Any] = {f"f_{name}": getattr(op.forward, "__wrapped__", op.forward) for name, op in found.items()}
    return {"inf": math.inf, "nan": math.nan, **names}


def formula_of(row: Operation, operands: Sequence[Expression]) -> Expression:
    """The row as a formula of primitive operations."""
    return lifted(row.formula(EXPANDED, *operands)) if row.formula else apply(row, *operands)


def names_in(expression: Expression) -> set[str]:
    """The names that appear in it."""
    return {e.content for e in operands_first(expression) if e.op is NAME}
