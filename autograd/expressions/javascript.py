"""The table as JavaScript: what a page needs to compute and to differentiate the graph that it shows.

Each row is computed with symbols and printed, so no derivative is written a second time. JavaScript's numbers are float64
too; `pow` alone differs from C's, and PRELUDE mends it.

Source: ECMAScript 2024, 6.1.6.1.3 (Number::exponentiate), against C17, F.10.4.4 (pow).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from string import ascii_lowercase
from types import MappingProxyType
from typing import Any

from autograd.expressions import SYMBOLS, Expression, operands_first, symbol
from autograd.expressions.expression import NAME, NUMBER, WHERE, apply, gathered, lifted, printed_size
from autograd.expressions.printer import ATOM, CHOICE, COMPARISON, CONDITION, PRECEDENCE, SIGN, SUM, Form, Language, printed
from autograd.expressions.rows import all_partials
from autograd.operations import Operation, of_count

MOST = 10_000  # names, numbers and operations of a formula that a page computes
PRELUDE = """\
// C's power: JavaScript's own differs where the base is 1 or -1.
const power = (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b);
"""


def keys(used: Iterable[Operation]) -> dict[Operation, str]:
    """What each of these operations, and of those that they use, is called in JavaScript: its name, numbered if it is taken."""
    rows, counts = list(used), Counter[str]()
    found: dict[Operation, str] = {}
    for op in dict.fromkeys((*rows, *_own(rows))):
        counts[op.name] += 1
        found[op] = op.name if counts[op.name] == 1 else f"{op.name}${counts[op.name]}"
    return found


def operand_names(row: Operation) -> list[str]:
    """The names of the operands: a, b, c, ...; those of many have numbers."""
    count = len(row.domain)
    return list(ascii_lowercase[:count]) if count <= len(ascii_lowercase) else [f"a{i}" for i in range(count)]


def _settled(expression: Expression) -> Expression:
    """The expression, in which every operation is of a certain number of operands."""
    return gathered(expression, lambda e, new: Expression(of_count(e.op, len(new)), tuple(new), e.content))


def _leaf(e: Expression) -> tuple[str, int]:
    text = e.content if e.op is NAME else literal(e.content)
    return text, SIGN if text.startswith("-") else ATOM


def _is_own(op: Operation) -> bool:
    """Whether the operation needs a JavaScript function of its own: a formula, or an expression that the user gave."""
    if op.formula is not None or op.javascript is None:
        return op.formula is not None
    return not re.fullmatch(r"[A-Za-z_$][\w.$]*", op.javascript) or op.javascript in operand_names(op)


def literal(x: Any) -> str:
    """A number as JavaScript writes it."""
    if isinstance(x, bool):
        return str(x).lower()
    return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(repr(x), repr(x).removesuffix(".0"))


def _asked(e: Expression, least: int) -> tuple[str, int]:
    """A condition that is a number holds where it is not 0, also where it is nan, which JavaScript takes for false."""
    is_bool = e.op is NUMBER or PRECEDENCE.get(e.op.symbol) in (COMPARISON, CONDITION)
    return ("{}", least) if is_bool else ("{} !== 0", SUM)


def _choice(e: Expression) -> tuple[Form, Sequence[Expression]]:
    test, least = _asked(e.parents[0], CONDITION)
    return Form(f"{test} ? {{}} : {{}}", CHOICE, (least, CONDITION, CHOICE)), e.parents


def _both(e: Expression) -> tuple[Form, Sequence[Expression]]:
    (left, least), (right, least_right) = _asked(e.parents[0], CONDITION), _asked(e.parents[1], COMPARISON)
    return Form(f"{left} && {right}", CONDITION, (least, least_right)), e.parents


JAVASCRIPT = Language(
    {
        "where": _choice,
        "logical_and": _both,
        "mod": Form("op_mod({}, {})", ATOM, (0, 0)),  # `%` is C's remainder
        "pow": Form("power({}, {})", ATOM, (0, 0)),
        "neg": Form("-{}", SIGN, (ATOM,)),
    },
    _leaf,
    signs={"==": "===", "!=": "!=="},
)


def as_javascript(expression: Expression, named: Mapping[Operation, str] = MappingProxyType({})) -> str:
    """The expression as JavaScript, with no more parentheses than it needs; `named` are keys of operations."""

    def call(op: Operation) -> str:
        return f"op_{named.get(op, op.name)}" if _is_own(op) else str(op.javascript)

    return printed(expression, JAVASCRIPT._replace(call=call))


def rows(used: Iterable[Operation]) -> str:
    """The rows of these operations as the JavaScript constant RULES, by their keys, with the functions that they call."""
    wanted = list(dict.fromkeys(used))
    if missing := lacking(wanted):
        raise ValueError(f"the operation {missing[0]!r} has no JavaScript form; give one, operation(..., javascript=...)")
    named = keys(wanted)
    functions = "".join(_function(op, named) for op in _own(wanted))
    script = PRELUDE + functions + "const RULES = {\n" + "".join(_row(row, named) for row in wanted) + "};\n"
    return re.sub("<(?=[/!])", "< ", script)  # nothing in an expression of the user ends the script


def lacking(used: Iterable[Operation]) -> list[str]:
    """The names of the operations among these, and among those that they use, that have no JavaScript form."""
    rows = list(used)
    needed = dict.fromkeys((*rows, *_called(formula for row in rows for formula in _formulas(row)), *_own(rows)))
    return sorted({op.name for op in needed if _lacks(op) or any(printed_size(e) > MOST for e in _formulas(op))})


def _lacks(op: Operation) -> bool:
    return op.formula is None and op.javascript is None


def _called(formulas: Iterable[Expression]) -> list[Operation]:
    """The operations in these formulas, each once."""
    return list(dict.fromkeys(e.op for formula in formulas for e in operands_first(formula) if e.op.domain))


def _own(rows: Iterable[Operation]) -> list[Operation]:
    """The operations in these rows that need a function of their own, and those in the formulas of these."""
    waiting = _called(formula for row in rows for formula in _formulas(row))
    found: dict[Operation, None] = {}
    for op in waiting:  # grows while it is read
        if op not in found and (_is_own(op) or _lacks(op)):
            found[op] = None
            waiting += _called([_composition(op)])
    return list(found)


def _formulas(row: Operation) -> list[Expression]:
    """The operation itself, and its partials."""
    operands = [*map(symbol, operand_names(row))]
    return [_number(row, *operands), *map(_settled, all_partials(row, symbol("out"), *operands))]


def _number(row: Operation, *operands: Expression) -> Expression:
    """The operation; a comparison, which is true or false in JavaScript, as a number."""
    found = apply(row, *operands)
    return apply(WHERE, found, 1, 0) if PRECEDENCE.get(row.symbol) in (COMPARISON, CONDITION) else found


def _composition(row: Operation) -> Expression:
    """The formula that the operation is composed by."""
    return _settled(lifted(row.formula(SYMBOLS, *map(symbol, operand_names(row))) if row.formula else 0))


def _function(row: Operation, named: Mapping[Operation, str]) -> str:
    body = as_javascript(_composition(row), named) if row.formula else row.javascript
    return f"const op_{named[row]} = ({', '.join(operand_names(row))}) => ({body});\n"


def _row(row: Operation, named: Mapping[Operation, str]) -> str:
    forward, *partials = (as_javascript(formula, named) for formula in _formulas(row))
    names = ", ".join(operand_names(row))
    return (
        f"  {named[row]}: {{\n"
        f"    forward: ({names}) => {forward},\n"
        f"    partials: (out, {names}) => [{', '.join(partials)}],\n"
        "  },\n"
    )
