"""The table as JavaScript: what a page needs to compute and to differentiate the graph that it shows.

Each row is computed with symbols and printed, so no derivative is written a second time. JavaScript's numbers are float64
too; `pow` alone differs from C's, and PRELUDE mends it.

Source: ECMAScript 2024, 6.1.6.1.3 (Number::exponentiate), against C17, F.10.4.4 (pow).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from autograd.expressions.expression import NAME, SYMBOLS, Expression, apply, lifted, operands_first, symbol
from autograd.expressions.printer import ATOM, CHOICE, CONDITION, SIGN, Form, Language, printed
from autograd.expressions.rows import all_partials
from autograd.operations import Operation

PRELUDE = """\
// C's power: JavaScript's own differs where the base is 1 or -1.
const power = (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b);
"""
OPERANDS = "abcdefghijklmnopqrstuvwxyz"


def _leaf(e: Expression) -> tuple[str, int]:
    text = e.content if e.op is NAME else literal(e.content)
    return text, SIGN if text.startswith("-") else ATOM


def _is_own(op: Operation) -> bool:
    """Whether the operation needs a JavaScript function of its own: a formula, or an expression that the user gave."""
    return op.formula is not None or (op.javascript is not None and not re.fullmatch(r"[\w.$]+", op.javascript))


def _call(op: Operation) -> str:
    return f"op_{op.name}" if _is_own(op) else str(op.javascript)


def literal(x: Any) -> str:
    """A number as JavaScript writes it."""
    if isinstance(x, bool):
        return str(x).lower()
    return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(repr(x), repr(x).removesuffix(".0"))


JAVASCRIPT = Language(
    {
        "where": Form("{} ? {} : {}", CHOICE, (CONDITION, CONDITION, CHOICE)),
        "pow": Form("power({}, {})", ATOM, (0, 0)),
        "neg": Form("-{}", SIGN, (ATOM,)),
    },
    _leaf,
    _call,
    {"==": "===", "and": "&&"},
)


def as_javascript(expression: Expression) -> str:
    """The expression as JavaScript, with no more parentheses than it needs.

    >>> a, b = symbol("a"), symbol("b")
    >>> as_javascript(SYMBOLS.where(a > 0, a * (1 - b), -SYMBOLS.exp(a)))
    'a > 0 ? a * (1 - b) : -Math.exp(a)'
    """
    return printed(expression, JAVASCRIPT)


def rows(used: Iterable[Operation]) -> str:
    """The rows of these operations as the JavaScript constant RULES, with the functions that they call.

    Raises `ValueError` for an operation that has no JavaScript, or that uses one.

    >>> from autograd.operations import OPERATIONS
    >>> print(rows([OPERATIONS["mul"]]).removeprefix(PRELUDE))
    const RULES = {
      mul: {
        forward: (a, b) => a * b,
        partials: (out, a, b) => [b, a],
      },
    };
    <BLANKLINE>
    """
    wanted = {row.name: row for row in used}
    formulas = [formula for row in wanted.values() for formula in (_forward(row), *_partials(row))]
    functions = "".join(map(_function, _own(formulas)))
    return PRELUDE + functions + "const RULES = {\n" + "".join(map(_row, wanted.values())) + "};\n"


def lacking(used: Iterable[Operation]) -> list[str]:
    """The operations among these, and among those that they use, that have no JavaScript."""
    formulas = [formula for row in used for formula in (_forward(row), *_partials(row))]
    named = {e.op.name: e.op for formula in formulas for e in operands_first(formula) if e.op.domain}
    named.update((op.name, op) for op in _own(formulas))
    return sorted(name for name, op in named.items() if op.formula is None and op.javascript is None)


def _own(formulas: Iterable[Expression]) -> list[Operation]:
    """The operations in these formulas that need a function of their own, and those in their formulas."""
    found: dict[str, Operation] = {}
    waiting = list(formulas)
    while waiting:
        for op in {e.op.name: e.op for e in operands_first(waiting.pop()) if e.op.domain}.values():
            if op.name not in found and _is_own(op):
                found[op.name] = op
                if op.formula is not None:
                    waiting.append(_formula(op))
    return list(found.values())


def _operands(row: Operation) -> list[Expression]:
    return [symbol(name) for name in OPERANDS[: row.arity]]


def _forward(row: Operation) -> Expression:
    return apply(row, *_operands(row))


def _partials(row: Operation) -> tuple[Expression, ...]:
    return all_partials(row, symbol("out"), *_operands(row))


def _formula(row: Operation) -> Expression:
    return lifted(row.formula(SYMBOLS, *_operands(row)) if row.formula else 0)


def _function(row: Operation) -> str:
    body = as_javascript(_formula(row)) if row.formula else row.javascript
    return f"const op_{row.name} = ({', '.join(OPERANDS[: row.arity])}) => ({body});\n"


def _row(row: Operation) -> str:
    if missing := lacking([row]):
        raise ValueError(f"the operation {missing[0]!r} has no JavaScript; give it some, operation(..., javascript=...)")
    names = ", ".join(OPERANDS[: row.arity])
    return (
        f"  {row.name}: {{\n"
        f"    forward: ({names}) => {as_javascript(_forward(row))},\n"
        f"    partials: (out, {names}) => [{', '.join(map(as_javascript, _partials(row)))}],\n"
        "  },\n"
    )
