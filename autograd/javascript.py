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
from autograd.graph import topological_order
from autograd.rules import Rule, table
from autograd.symbols import NAME, NUMBER, Expression, number, symbol

PRELUDE = """\
// NumPy's functions, where JavaScript has none or one that differs at nan, at -0 or at infinity.
const power = (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b);
const sign = (a) => (a > 0 ? 1 : a < 0 ? -1 : a === 0 ? 0 : NaN);
const heaviside = (a, atZero) => (a > 0 ? 1 : a < 0 ? 0 : a === 0 ? atZero : NaN);
const maximum = (a, b) => (a >= b || Number.isNaN(a) ? a : b);
const minimum = (a, b) => (a <= b || Number.isNaN(a) ? a : b);
"""
ATOM, UNARY, CONDITIONAL = 9, 8, 1  # how tightly a text holds together, beside those of _INFIX
_INFIX = {
    "multiply": ("*", 7),
    "divide": ("/", 7),
    "add": ("+", 6),
    "subtract": ("-", 6),
    "less": ("<", 5),
    "less_equal": ("<=", 5),
    "greater": (">", 5),
    "greater_equal": (">=", 5),
    "equal": ("===", 4),
    "logical_and": ("&&", 3),
}
_CALLS = {name: f"Math.{name}" for name in ("exp", "log", "log1p", "sqrt", "sin", "cos", "tanh")}
_CALLS |= {"absolute": "Math.abs"} | {name: name for name in ("power", "sign", "heaviside", "maximum", "minimum")}


def as_javascript(expression: Expression) -> str:
    """The expression as JavaScript, with no more parentheses than it needs.

    Raises `ValueError` for an operation that has no JavaScript here.

    >>> a, b = symbol("a"), symbol("b")
    >>> as_javascript(symbols.where(a > 0, a * (1 - b), -symbols.exp(a)))
    'a > 0 ? a * (1 - b) : -Math.exp(a)'
    """
    texts: dict[Expression, tuple[str, int]] = {}
    for e in topological_order(expression):  # type: ignore[type-var]  # it reads an expression's parents, nothing else
        texts[e] = _text(e, [texts[parent] for parent in e.parents])
    return texts[expression][0]


def _text(e: Expression, operands: list[tuple[str, int]]) -> tuple[str, int]:
    """An expression of operands that are texts, and how tightly its own text holds together."""

    def operand(i: int, strength: int) -> str:
        text, own = operands[i]
        return text if own >= strength else f"({text})"

    if e.op is NAME:
        return e.content, ATOM
    if e.op is NUMBER:
        text = literal(e.content)
        return text, UNARY if text.startswith("-") else ATOM
    if e.op in _INFIX:
        sign, strength = _INFIX[e.op]
        return f"{operand(0, strength)} {sign} {operand(1, strength + 1)}", strength
    if e.op == "negative":
        return f"-{operand(0, ATOM)}", UNARY
    if e.op == "where":
        return f"{operand(0, 2)} ? {operand(1, 2)} : {operand(2, CONDITIONAL)}", CONDITIONAL
    if e.op in _CALLS:
        return f"{_CALLS[e.op]}({', '.join(text for text, _ in operands)})", ATOM
    raise ValueError(f"the operation {e.op!r} has no JavaScript here; give it a line in autograd/javascript.py")


def literal(x: Any) -> str:
    """A number, True or False as it stands in JavaScript.

    >>> literal(2.0), literal(-float("inf"))
    ('2', '-Infinity')
    """
    if isinstance(x, bool):
        return str(x).lower()
    return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(repr(x), repr(x).removesuffix(".0"))


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
