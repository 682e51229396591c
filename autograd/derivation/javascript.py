"""The table of rules as JavaScript: what a page needs to compute and to differentiate the graph that it shows.

Each row is built on symbols and printed, so no derivative is written a second time. JavaScript's numbers are float64 too;
where its functions part from NumPy's, PRELUDE says what NumPy says. The trade-off: an operand used twice is printed twice,
for a row is short and is to be read.

Source for where they part: ECMAScript 2024, 6.1.6.1.3 (Number::exponentiate), against C17, F.10.4.4 (pow).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autograd import symbols
from autograd.printing import ATOM, Dialect, Form, infix, written
from autograd.rules import Rule, table
from autograd.symbols import NAME, Expression, number, symbol

PRELUDE = """\
// NumPy's functions, where JavaScript has none or one that differs at nan, at -0 or at infinity.
const power = (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b);
const sign = (a) => (a > 0 ? 1 : a < 0 ? -1 : a === 0 ? 0 : NaN);
const heaviside = (a, atZero) => (a > 0 ? 1 : a < 0 ? 0 : a === 0 ? atZero : NaN);
const maximum = (a, b) => (a >= b || Number.isNaN(a) ? a : b);
const minimum = (a, b) => (a <= b || Number.isNaN(a) ? a : b);
"""
UNARY = 8
CALLS = {name: f"Math.{name}" for name in ("exp", "log", "log1p", "sqrt", "sin", "cos", "tanh")}
CALLS |= {"absolute": "Math.abs"} | {name: name for name in ("power", "sign", "heaviside", "maximum", "minimum")}


def _function(op: str) -> str:
    if op not in CALLS:
        raise ValueError(f"the operation {op!r} has no JavaScript here; give it a line in autograd/derivation/javascript.py")
    return CALLS[op]


def _leaf(e: Expression) -> tuple[str, int]:
    text = e.content if e.op is NAME else literal(e.content)
    return text, UNARY if text.startswith("-") else ATOM


def literal(x: Any) -> str:
    """A number as JavaScript writes it."""
    if isinstance(x, bool):
        return str(x).lower()
    return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(repr(x), repr(x).removesuffix(".0"))


JAVASCRIPT = Dialect(
    {
        "where": Form("{} ? {} : {}", 1, (2, 2, 1)),
        "logical_and": infix("&&", 3),
        "equal": infix("===", 4),
        "less": infix("<", 5),
        "less_equal": infix("<=", 5),
        "greater": infix(">", 5),
        "greater_equal": infix(">=", 5),
        "add": infix("+", 6),
        "subtract": infix("-", 6),
        "multiply": infix("*", 7),
        "divide": infix("/", 7),
        "negative": Form("-{}", UNARY, (ATOM,)),
    },
    _leaf,
    _function,
)


def as_javascript(expression: Expression) -> str:
    """The expression as JavaScript, with no more parentheses than it needs.

    Raises `ValueError` for an operation that has no JavaScript here.

    >>> a, b = symbol("a"), symbol("b")
    >>> as_javascript(symbols.where(a > 0, a * (1 - b), -symbols.exp(a)))
    'a > 0 ? a * (1 - b) : -Math.exp(a)'
    """
    return written(expression, JAVASCRIPT)


def rows(names: Iterable[str]) -> str:
    """The rows of these operations as the JavaScript constant RULES, with what they call.

    >>> print(rows(["mul"]).removeprefix(PRELUDE))
    const RULES = {
      mul: {
        forward: (a, b) => a * b,
        partials: (out, a, b) => [b, a],
      },
    };
    <BLANKLINE>

    Raises `ValueError` for a name that is not in the table.
    """
    printed, wanted = table(symbols), set(names)
    if unknown := sorted(wanted - set(printed)):
        raise ValueError(f"the operation {unknown[0]!r} is not in the table of rules, so its formula is not known here")
    return PRELUDE + "const RULES = {\n" + "".join(_row(rule) for rule in printed.values() if rule.name in wanted) + "};\n"


def _row(rule: Rule) -> str:
    names = ("a", "b")[: len(rule.domain)]
    inputs = [symbol(name) for name in names]
    forward = as_javascript(rule.forward(*inputs))
    partials = (p if isinstance(p, Expression) else number(p) for p in rule.partials(symbol("out"), *inputs))
    return (
        f"  {rule.name}: {{\n"
        f"    forward: ({', '.join(names)}) => {forward},\n"
        f"    partials: ({', '.join(('out', *names))}) => [{', '.join(map(as_javascript, partials))}],\n"
        "  },\n"
    )
