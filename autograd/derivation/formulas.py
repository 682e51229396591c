"""Formulas to be read: the table of rules as expressions, printed as text and as LaTeX.

`FORMULAS` is the table built on symbols, so the formula that is printed is the row that is computed. Its rows are those of
the usual case; `partials_at` takes the arms that the numbers choose, at a tie or an edge too. The trade-off: a formula is
a handful of operations, and is printed as the tree that it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from autograd import symbols
from autograd.derivation.printed import latex_name, latex_number, number_text, text_name
from autograd.graph import topological_order
from autograd.rules import Rule, table
from autograd.symbols import NAME, NUMBER, Expression, number, symbol
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

# How it is printed. A text has a strength, how tightly it holds together; an operand that is weaker than its place asks for
# stands in parentheses. A minus is stronger on the left of a product than on the right: -a * b, but a * (-b).
Printed = tuple[str, int]
ATOM, POWER, PRODUCT, SIGN, SUM, COMPARISON, CONDITION, CHOICE = 8, 7, 6, 5, 4, 3, 2, 1
_INFIX = {  # operation: its sign in text and in LaTeX, its strength, what it asks of its left and of its right operand
    "add": ("+", "+", SUM, SUM, PRODUCT),
    "subtract": ("-", "-", SUM, SUM, PRODUCT),
    "multiply": ("*", r"\cdot", PRODUCT, SIGN, POWER),
    "divide": ("/", "/", PRODUCT, SIGN, POWER),
    "less": ("<", "<", COMPARISON, SUM, SUM),
    "less_equal": ("<=", r"\le", COMPARISON, SUM, SUM),
    "greater": (">", ">", COMPARISON, SUM, SUM),
    "greater_equal": (">=", r"\ge", COMPARISON, SUM, SUM),
    "equal": ("==", "=", COMPARISON, SUM, SUM),
    "equation": ("=", "=", CHOICE, CONDITION, CHOICE),
    "logical_and": ("and", r"\text{ and }", CONDITION, CONDITION, COMPARISON),
}
_SHORT = {"absolute": "abs", "maximum": "max", "minimum": "min"}
_MACROS = {"sigmoid": r"\sigma", "maximum": r"\max", "minimum": r"\min"} | {f: f"\\{f}" for f in ("log", "sin", "cos", "tanh")}


def derivative(output: Expression, node: Expression) -> Expression:
    """The name of the derivative of one by the other: dy/dx."""
    return Expression("derivative", (output, node))


def equation(left: Expression, right: Expression) -> Expression:
    """The statement that both are equal; to be printed, not to be decided.

    >>> as_text(equation(derivative(symbol("y"), symbol("x")), symbol("x") * 2))
    'dy/dx = x * 2'
    """
    return Expression("equation", (left, right))


def as_text(expression: Expression, least: int = CHOICE) -> str:
    """The formula as text, in Python's operators, with no more parentheses than a reader needs; [a > b] is 1 or 0.

    Numbers have six digits; a name that is not one at first sight stands in quotes. If the formula is weaker than `least`,
    for instance than POWER, which is what stands right in a product, all of it stands in parentheses.

    >>> a, b = symbol("a"), symbol("b")
    >>> as_text(a * (1 - b) ** 2), as_text(FORMULAS["relu"].partials(b, a)[0]), as_text(symbol("my weight") * -2)
    ('a * (1 - b)**2', '[a > 0]', "'my weight' * (-2)")
    """
    return _at_least(least, _printed(expression, _text))


def as_latex(expression: Expression, least: int = CHOICE) -> str:
    r"""The formula as LaTeX for plain amsmath, or for MathJax: \cdot, \frac, \sigma, subscripts for indices of names.

    >>> W, out = symbol("W1[2,0]"), symbol("a1[0]")
    >>> print(as_latex(W * (out * (1 - out))))
    W^{(1)}_{2,0} \cdot \left(a^{(1)}_{0} \cdot \left(1 - a^{(1)}_{0}\right)\right)
    """
    return _at_least(least, _printed(expression, _latex), r"\left(", r"\right)")


def _printed(expression: Expression, line: Callable[[Expression, dict[Expression, Printed]], Printed]) -> Printed:
    printed: dict[Expression, Printed] = {}
    for e in operands_first(expression):
        text, strength = line(e, printed)
        printed[e] = text, min(strength, SIGN) if text.startswith("-") else strength
    return printed[expression]


def _step(e: Expression, printed: dict[Expression, Printed]) -> list[str]:
    """The two sides of the step that is 1 where the first is larger."""
    sides = e.parents[0].parents if e.parents[0].op == "subtract" else (e.parents[0], number(0))
    return [_at_least(SUM, printed.get(side, ("0", ATOM))) for side in sides]


def _at_least(strength: int, printed: Printed, left: str = "(", right: str = ")") -> str:
    text, own = printed
    return text if own >= strength else f"{left}{text}{right}"


def _text(e: Expression, printed: dict[Expression, Printed]) -> Printed:
    operands = [printed[parent] for parent in e.parents]
    if e.op == NAME:
        return text_name(e.content), ATOM
    if e.op == NUMBER:
        text = number_text(e.content)
        return text, PRODUCT if "/" in text else ATOM
    if e.op in _INFIX:
        sign, _, strength, left, right = _INFIX[e.op]
        return f"{_at_least(left, operands[0])} {sign} {_at_least(right, operands[1])}", strength
    if e.op == "power":
        return f"{_at_least(ATOM, operands[0])}**{_at_least(POWER, operands[1])}", POWER
    if e.op == "negative":
        return f"-{_at_least(POWER, operands[0])}", SIGN
    if e.op == "heaviside":
        return "[{} > {}]".format(*_step(e, printed)), ATOM
    if e.op == "derivative":
        return "d{}/d{}".format(*(text for text, _ in operands)), ATOM
    if e.op == "where":
        return "{1} if {0} else {2}".format(*(_at_least(CONDITION, operand) for operand in operands)), CHOICE
    return f"{_SHORT.get(e.op, e.op)}({', '.join(text for text, _ in operands)})", ATOM


_DELIMITED = {  # operation: what stands before and after its operand
    "absolute": (r"\left|", r"\right|"),
    "sqrt": (r"\sqrt{", "}"),
    "exp": ("e^{", "}"),
    "log1p": (r"\log\left(1 + ", r"\right)"),
}


def _latex(e: Expression, printed: dict[Expression, Printed]) -> Printed:
    def operand(i: int, strength: int) -> str:
        return _at_least(strength, printed[e.parents[i]], r"\left(", r"\right)")

    if e.op == NAME:
        text = latex_name(e.content)
        return text, POWER if "^" in text else ATOM
    if e.op == NUMBER:
        text = latex_number(e.content)
        return text, PRODUCT if "10^" in text else POWER if "frac" in text else ATOM
    if e.op == "divide":
        return f"\\frac{{{operand(0, 0)}}}{{{operand(1, 0)}}}", POWER
    if e.op in _INFIX:
        _, sign, strength, left, right = _INFIX[e.op]
        return f"{operand(0, left)} {sign} {operand(1, right)}", strength
    if e.op == "power":
        return f"{operand(0, ATOM)}^{{{operand(1, 0)}}}", POWER
    if e.op == "negative":
        return f"-{operand(0, PRODUCT)}", SIGN
    if e.op == "heaviside":
        return r"\left[{} > {}\right]".format(*_step(e, printed)), ATOM
    if e.op == "derivative":
        return f"\\frac{{\\partial {operand(0, 0)}}}{{\\partial {operand(1, 0)}}}", POWER
    if e.op == "where":
        rows = f"{operand(1, 0)} & \\text{{if }} {operand(0, 0)} \\\\ {operand(2, 0)} & \\text{{otherwise}}"
        return f"\\begin{{cases}} {rows} \\end{{cases}}", ATOM
    if e.op in _DELIMITED:
        left_end, right_end = _DELIMITED[e.op]
        return f"{left_end}{operand(0, 0)}{right_end}", POWER if e.op == "exp" else ATOM
    function = _MACROS.get(e.op, f"\\operatorname{{{e.op}}}")
    return f"{function}\\left({', '.join(printed[parent][0] for parent in e.parents)}\\right)", ATOM
