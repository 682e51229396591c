"""Formulas as a person writes them: the dialects in which expressions become text to read, and LaTeX.

Both are tables of forms for `printing`. A minus is stronger on the left of a product than on the right: -a * b, but
a * (-b). The trade-off: numbers have six digits here; whoever wants all has the numbers themselves.
"""

from __future__ import annotations

from autograd.derivation.printed import latex_name, latex_number, number_text, text_name
from autograd.printing import Choice, Dialect, Form, written
from autograd.symbols import NAME, Expression, number

ATOM, POWER, PRODUCT, SIGN, SUM, COMPARISON, CONDITION, CHOICE = 10, 7, 6, 5, 4, 3, 2, 1


def _signs(times: str, less_equal: str, greater_equal: str, equal: str, both: str) -> dict[str, Form]:
    """The operators between two operands, of which five have signs of their own in each dialect."""
    asked = {
        "add": ("+", SUM, SUM, PRODUCT),
        "subtract": ("-", SUM, SUM, PRODUCT),
        "multiply": (times, PRODUCT, SIGN, POWER),
        "divide": ("/", PRODUCT, SIGN, POWER),
        "less": ("<", COMPARISON, SUM, SUM),
        "less_equal": (less_equal, COMPARISON, SUM, SUM),
        "greater": (">", COMPARISON, SUM, SUM),
        "greater_equal": (greater_equal, COMPARISON, SUM, SUM),
        "equal": (equal, COMPARISON, SUM, SUM),
        "equation": ("=", CHOICE, CONDITION, CHOICE),
        "logical_and": (both, CONDITION, CONDITION, COMPARISON),
    }
    return {op: Form(f"{{}} {sign} {{}}", strength, (left, right)) for op, (sign, strength, left, right) in asked.items()}


def _step(template: str) -> Choice:
    """The step, which is 1 where the first of two is larger: told by these two, not by their difference."""

    def choose(e: Expression) -> tuple[Form, tuple[Expression, ...]]:
        difference = e.parents[0]
        sides = difference.parents if difference.op == "subtract" else (difference, number(0))
        return Form(template, ATOM, (SUM, SUM)), sides

    return choose


def _text_leaf(e: Expression) -> tuple[str, int]:
    if e.op == NAME:
        return text_name(e.content), ATOM
    text = number_text(e.content)
    return text, PRODUCT if "/" in text else ATOM


def _latex_leaf(e: Expression) -> tuple[str, int]:
    if e.op == NAME:
        text = latex_name(e.content)
        return text, POWER if "^" in text else ATOM
    text = latex_number(e.content)
    return text, PRODUCT if "10^" in text else POWER if "frac" in text else ATOM


_SHORT = {"absolute": "abs", "maximum": "max", "minimum": "min"}
TEXT = Dialect(
    {
        **_signs("*", "<=", ">=", "==", "and"),
        "power": Form("{}**{}", POWER, (ATOM, POWER)),
        "negative": Form("-{}", SIGN, (POWER,)),
        "heaviside": _step("[{} > {}]"),
        "derivative": Form("d{}/d{}", ATOM, (0, 0)),
        "where": Form("{1} if {0} else {2}", CHOICE, (CONDITION, CONDITION, CONDITION)),
    },
    _text_leaf,
    lambda op: _SHORT.get(op, op),
    minus=SIGN,
)
_MACROS = {"sigmoid": r"\sigma", "maximum": r"\max", "minimum": r"\min"} | {f: f"\\{f}" for f in ("log", "sin", "cos", "tanh")}
LATEX = Dialect(
    {
        **_signs(r"\cdot", r"\le", r"\ge", "=", r"\text{{ and }}"),
        "divide": Form(r"\frac{{{}}}{{{}}}", POWER, (0, 0)),
        "power": Form("{}^{{{}}}", POWER, (ATOM, 0)),
        "negative": Form("-{}", SIGN, (PRODUCT,)),
        "heaviside": _step(r"\left[{} > {}\right]"),
        "derivative": Form(r"\frac{{\partial {}}}{{\partial {}}}", POWER, (0, 0)),
        "where": Form(r"\begin{{cases}} {1} & \text{{if }} {0} \\ {2} & \text{{otherwise}} \end{{cases}}", ATOM, (0, 0, 0)),
        "absolute": Form(r"\left|{}\right|", ATOM, (0,)),
        "sqrt": Form(r"\sqrt{{{}}}", ATOM, (0,)),
        "exp": Form("e^{{{}}}", POWER, (0,)),
        "log1p": Form(r"\log\left(1 + {}\right)", ATOM, (0,)),
        "logaddexp": Form(r"\log\left(e^{{{}}} + e^{{{}}}\right)", ATOM, (0, 0)),
    },
    _latex_leaf,
    lambda op: _MACROS.get(op, f"\\operatorname{{{{{op}}}}}"),
    (r"\left(", r"\right)"),
    minus=SIGN,
)


def as_text(expression: Expression, least: int = CHOICE) -> str:
    """The formula as text, in Python's operators, with no more parentheses than a reader needs; [a > b] is 1 or 0.

    Numbers have six digits; a name that is not one at first sight stands in quotes. If the formula is weaker than `least`,
    for instance than POWER, which is what stands right in a product, all of it stands in parentheses.

    >>> from autograd.symbols import heaviside, symbol
    >>> a, b = symbol("a"), symbol("b")
    >>> as_text(a * (1 - b) ** 2), as_text(heaviside(a - b, 0)), as_text(symbol("my weight") * -2)
    ('a * (1 - b)**2', '[a > b]', "'my weight' * (-2)")
    """
    return written(expression, TEXT, least)


def as_latex(expression: Expression, least: int = CHOICE) -> str:
    r"""The formula as LaTeX for plain amsmath, or for MathJax: \cdot, \frac, \sigma, subscripts for indices of names.

    >>> from autograd.symbols import symbol
    >>> W, out = symbol("W1[2,0]"), symbol("a1[0]")
    >>> print(as_latex(W * (out * (1 - out))))
    W^{(1)}_{2,0} \cdot \left(a^{(1)}_{0} \cdot \left(1 - a^{(1)}_{0}\right)\right)
    """
    return written(expression, LATEX, least)
