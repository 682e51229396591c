"""Formulas as a person writes them, in Python's operators and with six digits of a number."""

from __future__ import annotations

from collections.abc import Sequence

from autograd.expressions.expression import MATMUL, NAME, NUMBER, SUB, Expression
from autograd.expressions.printer import ATOM, CHOICE, CONDITION, POWER, PRODUCT, SUM, Choice, Form, Language, call, printed
from autograd.names import number_text, text_name

TERMS = 6  # that are shown of a sum of any number


def step(template: str, function: str, brackets: tuple[str, str] = ("(", ")")) -> Choice:
    """The step, which is 1 where the first of two is larger: shown by these two, not by their difference."""

    def choose(e: Expression) -> tuple[Form, Sequence[Expression]]:
        difference, at_zero = e.parents
        if difference.op is SUB and at_zero.op is NUMBER:
            return Form(template, ATOM, (SUM, SUM)), difference.parents
        if at_zero.op is NUMBER and at_zero.content == 0:
            return Form(template, ATOM, (SUM, SUM)), (difference, at_zero)
        return call(function, 2, brackets), e.parents

    return choose


def plus(dots: str, times: str = "") -> Choice:
    """The sum that `total` and `dot` stand for: x1 * w1 + x2 * w2 + ...; of a long one the first terms and the last."""

    def choose(e: Expression) -> tuple[Form, Sequence[Expression]]:
        n = len(e.parents) // (2 if times else 1)
        terms = [(e.parents[i], e.parents[n + i]) if times else (e.parents[i],) for i in range(n)]
        shown = terms if n <= TERMS else [*terms[: TERMS - 2], terms[-1]]
        texts = ["{}" + times + "{}" if times else "{}"] * len(shown)
        if n > TERMS:
            texts.insert(TERMS - 2, dots)
        strengths = (PRODUCT, PRODUCT + 1) if times else (SUM,)
        strength = PRODUCT if times and n == 1 else SUM
        return Form(" + ".join(texts), strength, strengths * len(shown)), [x for term in shown for x in term]

    return choose


def _leaf(e: Expression) -> tuple[str, int]:
    if e.op is NAME:
        return text_name(e.content), ATOM
    text = number_text(e.content)
    return text, PRODUCT if "/" in text else ATOM


def _entry(e: Expression) -> tuple[Form, Sequence[Expression]]:
    indices = ",".join(["{}"] * (len(e.parents) - 1))
    return Form(f"{{}}[{indices}]", ATOM, (ATOM, *(0,) * (len(e.parents) - 1))), e.parents


def _sum(e: Expression) -> tuple[Form, Sequence[Expression]]:
    along = "" if e.content is None else f"axis={e.content[0]}" + ", keepdims=True" * e.content[1]
    return Form(f"{{}}.sum({along})", ATOM, (ATOM,)), e.parents


def _product(e: Expression) -> tuple[Form, Sequence[Expression]]:
    """A matrix product beside `*` stands in parentheses, which Python does not need but a reader does."""
    least = [ATOM if side.op is MATMUL else PRODUCT + i for i, side in enumerate(e.parents)]
    return Form("{} * {}", PRODUCT, (least[0], least[1])), e.parents


TEXT = Language(
    {
        "square": Form("{}**2", POWER, (ATOM,)),
        "reciprocal": Form("1 / {}", PRODUCT, (PRODUCT + 1,)),
        "total": plus("..."),
        "dot": plus("...", " * "),
        "heaviside": step("[{} > {}]", "heaviside"),
        "derivative": Form("d{}/d{}", ATOM, (0, 0)),
        "where": Form("{1} if {0} else {2}", CHOICE, (CONDITION, CONDITION, CONDITION)),
        "transpose": Form("{}.T", ATOM, (ATOM,)),
        "summed": _sum,
        "size": Form("{}.size", ATOM, (ATOM,)),
        "mul": _product,
        "averaged": Form("{}.mean()", ATOM, (ATOM,)),
        "entry": _entry,
    },
    _leaf,
)


def as_text(expression: Expression, least: int = CHOICE) -> str:
    """The formula as text, in Python's operators, with no more parentheses than a reader needs; [a > b] is 1 or 0.

    Numbers have six digits; a name that is not one at first sight stands in quotes. If the formula is weaker than `least`,
    for instance than POWER, which is what can be right in a product, all of it stands in parentheses.

    >>> from autograd.expressions import SYMBOLS, symbol
    >>> a, b = symbol("a"), symbol("b")
    >>> as_text(a * (1 - b) ** 2), as_text(SYMBOLS.heaviside(a - b, 0)), as_text(symbol("my weight") * -2)
    ('a * (1 - b)**2', '[a > b]', "'my weight' * (-2)")
    >>> as_text(a.T @ (b * (1 - b))[0, "j"])
    'a.T @ (b * (1 - b))[0,j]'
    """
    return printed(expression, TEXT, max(least, CHOICE))
