"""Formulas against SymPy and against the engine: every row forward and back, as expressions, as text and as LaTeX."""

from __future__ import annotations

import itertools
import math
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import compiled, evaluated, from_latex

from autograd.expressions import (
    SYMBOLS,
    Expression,
    as_latex,
    as_text,
    derivative,
    equation,
    number,
    substituted,
    symbol,
    unchanged,
)
from autograd.expressions.expression import WHERE, operands_first
from autograd.expressions.rows import USUAL, all_partials, definition, partials_at, usual_partials
from autograd.operations import FLOATS, OPERATIONS

ROWS = pytest.mark.parametrize("name", OPERATIONS)
P, Q = sympy.symbols("p q", positive=True)
POINTS = {"maximum": [(Q + P, Q), (Q, Q + P)], "minimum": [(Q + P, Q), (Q, Q + P)], "pow": [(P, Q)]}  # beside the tie


def points(name: str) -> list[tuple[Any, ...]]:
    """Operands in general, on both sides of a kink and inside the domain."""
    signs = itertools.product(*((P, -P) if low < 0 else (P,) for low, _ in OPERATIONS[name].domain[:1]))
    return POINTS.get(name, [(*first, Q) for first in signs])


def step(a: Any, b: Any) -> Any:
    return sympy.Piecewise((1, a > b), (0, True))


BASIC = ("exp", "log", "sqrt", "sin", "cos", "tanh")
NAMED: dict[str, Any] = {
    **{name: getattr(sympy, name) for name in BASIC},
    "sign": sympy.sign,
    "abs": sympy.Abs,
    "log1p": lambda a: sympy.log(1 + a),
    "max": sympy.Max,
    "maximum": sympy.Max,
    "heaviside": sympy.Heaviside,
    "logaddexp": lambda a, b: sympy.log(sympy.exp(a) + sympy.exp(b)),
    "min": sympy.Min,
    "minimum": sympy.Min,
    "sigmoid": lambda a: 1 / (1 + sympy.exp(-a)),
    "softplus": lambda a: sympy.log(1 + sympy.exp(a)),
    "relu": lambda a: sympy.Max(a, 0),
    "step": step,
}


def operation(name: str) -> Any:
    return unchanged(OPERATIONS[name])


def operands(name: str) -> list[Expression]:
    return [*map(symbol, "abcd")][: len(OPERATIONS[name].domain)]


def partials(name: str) -> tuple[Expression, ...]:
    return usual_partials(OPERATIONS[name], symbol("out"), *operands(name))


OLD = [*BASIC, "abs", "log1p", "maximum", "heaviside", "logaddexp", "minimum", "sigmoid", "softplus", "relu"]
OLD += ["add", "sub", "mul", "div", "pow", "neg", "square", "reciprocal", "total", "dot"]
FLAT = [name for name, row in OPERATIONS.items() if row.selects and row.formula is None]  # nothing to read
NEW: dict[str, Any] = {
    **{f"arc{name}": getattr(sympy, f"a{name}") for name in ("sin", "cos", "tan", "tan2", "sinh", "cosh", "tanh")},
    **{name: getattr(sympy, name) for name in ("tan", "sinh", "cosh", "cbrt", "erf", "erfc")},
    "exp2": lambda a: 2**a,
    "expm1": lambda a: sympy.exp(a) - 1,
    "log2": lambda a: sympy.log(a) / math.log(2),
    "log10": lambda a: sympy.log(a) / math.log(10),
    "hypot": lambda a, b: sympy.sqrt(a * a + b * b),
    "sinc": lambda a: sympy.sinc(sympy.pi * a),
    "deg2rad": lambda a: a * math.pi / 180,
    "rad2deg": lambda a: a * 180 / math.pi,
    "softsign": lambda a: a / (1 + sympy.Abs(a)),
    "leaky_relu": lambda a: sympy.Max(a, sympy.Rational(1, 100) * a),
    "elu": lambda a: sympy.Piecewise((a, a > 0), (sympy.exp(a) - 1, True)),
    "gelu": lambda a: a * sympy.erfc(-a / sympy.sqrt(2)) / 2,
    "silu": lambda a: a / (1 + sympy.exp(-a)),
    "clip": lambda a, low, high: sympy.Min(sympy.Max(a, low), high),
    "logsumexp": lambda *values: sympy.log(sum(map(sympy.exp, values))),
}


def test_every_row_is_read_back_somewhere() -> None:
    assert {*OLD, *NEW, *FLAT, "mod", "fmod", "sign"} == {*OPERATIONS}


@pytest.mark.parametrize("name", NEW)
def test_printed_partials_of_functions_are_sympys_derivatives(name: str) -> None:
    letters = sympy.symbols("a b c d", real=True)[: len(operands(name))]
    names = {**NAMED, **NEW, **{letter.name: letter for letter in letters}}
    forward = NEW[name](*letters)
    shares = (0.8, 0.3, 0.6)
    at = {
        x: low + (high - low) * share for x, (low, high), share in zip(letters, OPERATIONS[name].domain, shares, strict=False)
    }
    for letter, partial in zip(letters, partials(name), strict=True):
        got = evaluated(as_text(partial).replace("out", "o"), sympy.Rational, {**names, "o": forward})
        assert abs(sympy.N((sympy.diff(forward, letter) - got).subs(at))) < 1e-4  # six digits of a number are printed


@pytest.mark.parametrize("name", OLD)
@pytest.mark.parametrize("printed", [as_text, lambda e: from_latex(as_latex(e))], ids=["text", "latex"])
def test_printed_partials_are_sympys_derivatives_of_the_printed_forward(name: str, printed: Any) -> None:
    letters = sympy.symbols("a b c d", real=True)[: len(operands(name))]
    names = {**NAMED, **{letter.name: letter for letter in letters}}
    forward = evaluated(printed(definition(OPERATIONS[name], *operands(name))), sympy.Rational, names)
    for letter, partial in zip(letters, partials(name), strict=True):
        got = evaluated(printed(partial).replace("out", "o"), sympy.Rational, {**names, "o": forward})
        want = sympy.diff(forward, letter)
        for point in points(name):
            difference = (want - got).subs(dict(zip(letters, point, strict=False)), simultaneous=True)
            assert sympy.simplify(difference.rewrite(sympy.Piecewise)) == 0


SPECIAL = [0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, 3.0, -8.0, 1 / 3, 800.0, math.inf, -math.inf, math.nan]


@ROWS
def test_formulas_at_any_numbers_come_to_the_engines_partials(name: str) -> None:
    rule = OPERATIONS[name]
    few = SPECIAL if len(rule.domain) < 3 else [0.0, 1.0, -2.0, math.inf, -math.inf, math.nan]
    for at in itertools.product(few, repeat=len(rule.domain)):
        out = rule.forward(*at)
        known = {"out": out, **dict(zip("abcd", at, strict=False))}
        formulas = partials_at(OPERATIONS[name], symbol("out"), operands(name), known)
        assert not any(e.op is WHERE for formula in formulas for e in operands_first(formula))
        for formula, want in zip(formulas, rule.partials(FLOATS, out, *at), strict=True):
            numbers = {letter: number(x) for letter, x in known.items()}
            got = substituted(formula, numbers).content
            assert got == want or (math.isnan(got) and math.isnan(want))


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in ("where", "fmod", "mod")])  # choices by nature
def test_usual_formulas_have_no_choices_and_are_those_at_usual_numbers(name: str) -> None:
    rule = OPERATIONS[name]
    at = [low + (high - low) * share for (low, high), share in zip(rule.domain, (0.8, 0.3, 0.6, 0.45), strict=False)]
    known = {"out": rule.forward(*at), **dict(zip("abcd", at, strict=False))}
    here = partials_at(OPERATIONS[name], symbol("out"), operands(name), known)
    assert [as_text(formula) for formula in partials(name)] == [as_text(formula) for formula in here]


@pytest.mark.parametrize(
    ("name", "at", "want"),
    [
        ("maximum", (2.0, 2.0), ["0.5", "0.5"]),
        ("maximum", (1.0, 2.0), ["[a > b]", "[b > a]"]),
        ("relu", (0.0,), ["[a > 0]"]),
        ("log", (0.0,), ["1 / (a + 0)"]),
        ("log", (-1.0,), ["nan"]),
        ("pow", (0.0, 0.0), ["0", "0"]),
        ("pow", (2.0, 3.0), ["b * a**(b - 1)", "out * log(a)"]),
        ("sqrt", (0.0,), ["0.5 / (out + 0)"]),
        ("div", (1.0, 2.0), ["1 / b", "-(out / b)"]),
        ("tanh", (1.0,), ["1 - out * out"]),
        ("sigmoid", (1.0,), ["out * (1 - out)"]),
    ],
)
def test_formulas_at_edges_say_what_holds_there(name: str, at: tuple[float, ...], want: list[str]) -> None:
    known = {"out": float(OPERATIONS[name].forward(*at)), **dict(zip("abcd", at, strict=False))}
    assert [as_text(formula) for formula in partials_at(OPERATIONS[name], symbol("out"), operands(name), known)] == want


def test_the_usual_arm_is_neither_an_edge_nor_undefined() -> None:
    a, one, other = map(symbol, ("a", "one", "other"))
    for condition, first, second, want in (
        (a > 0, math.nan, other, other),
        (a > 0, one, math.nan, one),
        (a == 0, one, other, other),
        ((a > 0) & (a == 1), one, other, other),
    ):
        assert USUAL.where(condition, first, second) is want
    assert as_text(USUAL.where(a > 0, one, other)) == "one if a > 0 else other"


def test_a_number_in_the_place_of_an_operand_simplifies_the_formula_as_the_engine_computes() -> None:
    x, out = symbol("x"), symbol("out")
    assert as_text(partials_at(OPERATIONS["pow"], out, (x, number(2.0)), {"out": 9.0, "x": 3.0})[0]) == "2 * x"
    assert as_text(partials_at(OPERATIONS["pow"], out, (x, number(1.0)), {"out": 3.0, "x": 3.0})[0]) == "x**0"
    assert as_text(partials_at(OPERATIONS["div"], out, (x, number(4.0)), {"out": 0.5, "x": 2.0})[0]) == "0.25"


LEAVES = st.sampled_from([*map(symbol, "abc"), *map(number, (0.0, 2.0, -3.0, 0.25, -1.5, 4e12, 123456789.0))])
BINARY = st.sampled_from(["add", "sub", "mul", "div", "pow", "maximum", "minimum"])
UNARY = st.sampled_from(["neg", "abs", "exp", "sin", "tanh", "sign", "log", "sqrt"])
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda parts: st.one_of(
        st.builds(lambda op, a, b: operation(op)(a, b), BINARY, parts, parts),
        st.builds(lambda op, a: operation(op)(a), UNARY, parts),
        st.builds(lambda a, b: operation("heaviside")(operation("sub")(a, b), number(0)), parts, parts),
    ),
    max_leaves=8,
)
AT = {"a": number(0.5), "b": number(-2.0), "c": number(3.0)}
READ: dict[str, Any] = {
    **{name: getattr(SYMBOLS, name) for name in ("exp", "log", "sqrt", "sin", "tanh", "sign", "abs", "maximum", "minimum")},
    "max": SYMBOLS.maximum,
    "min": SYMBOLS.minimum,
    "step": lambda a, b: SYMBOLS.heaviside(a - b, 0),
    **{name: symbol(name) for name in AT},
}


@settings(max_examples=300)
@given(EXPRESSIONS)
def test_what_is_printed_computes_the_same_to_the_last_bit(expression: Expression) -> None:
    want = substituted(expression, AT).content
    for text in (as_text(expression), from_latex(as_latex(expression))):
        got = substituted(evaluated(text, lambda digits: number(float(digits)), READ), AT).content
        assert got == want or (math.isnan(got) and math.isnan(want))


def test_parentheses_are_there_where_they_are_needed_and_nowhere_else() -> None:
    a, b, c = map(symbol, "abc")
    minus, times, over, to = (operation(op) for op in ("neg", "mul", "div", "pow"))
    texts = [a + b + c, a + (b + c), a - (b - c), times(a, times(b, c)), times(times(a, b), c), over(over(a, b), c)]
    texts += [over(a, times(b, c)), over(a, over(b, c)), times(over(a, b), c), a + times(b, c), times(a, b + c)]
    want = ["a + b + c", "a + (b + c)", "a - (b - c)", "a * (b * c)", "a * b * c", "a / b / c"]
    want += ["a / (b * c)", "a / (b / c)", "a / b * c", "a + b * c", "a * (b + c)"]
    assert list(map(as_text, texts)) == want
    signs = [
        minus(a) * b,
        a * minus(b),
        minus(a * b),
        a - minus(b),
        a * number(-2),
        a + number(-2.5) * b,
        to(minus(a), number(2)),
    ]
    want = ["-a * b", "a * (-b)", "-(a * b)", "a - (-b)", "a * (-2)", "a + (-2.5 * b)", "(-a)**2"]
    assert list(map(as_text, signs)) == want
    powers = [to(to(a, b), c), to(a, to(b, c)), to(a, -b), to(a + b, number(2)), to(number(Fraction(3, 4)), a), minus(to(a, b))]
    assert list(map(as_text, powers)) == ["(a**b)**c", "a**b**c", "a**(-b)", "(a + b)**2", "(3/4)**a", "-a**b"]
    choice = operation("where")(operation("logical_and")(a > 0, b >= c), a + 1, b)
    assert as_text(choice) == "a + 1 if a > 0 and b >= c else b"


@pytest.mark.parametrize(
    ("op", "sign", "latex"),
    [
        ("less", "<", "<"),
        ("less_equal", "<=", r"\le"),
        ("greater", ">", ">"),
        ("greater_equal", ">=", r"\ge"),
        ("equal", "==", "="),
    ],
)
def test_comparisons(op: str, sign: str, latex: str) -> None:
    a, b = symbol("a"), symbol("b")
    asked = operation("logical_and")(operation(op)(a + 1, b), operation(op)(b, operation("where")(a > b, a, b)))
    assert as_text(asked) == f"a + 1 {sign} b and b {sign} (a if a > b else b)"
    assert as_latex(operation(op)(a + 1, -b)) == f"a + 1 {latex} -b"


def test_latex_by_hand() -> None:
    a, W = symbol("a"), symbol("W1[2,0]")
    wanted = {
        r"\frac{W^{(1)}_{2,0}}{a + 1}": W / (a + 1),
        r"\left(W^{(1)}_{2,0}\right)^{2}": W**2,
        r"e^{-a} \cdot \sqrt{a}": SYMBOLS.exp(-a) * SYMBOLS.sqrt(a),
        r"\left|a\right| - \max\left(a, 0\right)": abs(a) - SYMBOLS.maximum(a, 0),
        r"\left[a > W^{(1)}_{2,0}\right]": SYMBOLS.heaviside(a - W, 0),
        r"a \cdot \left(1.5 \cdot 10^{-9}\right) + \infty": a * 1.5e-9 + math.inf,
        r"\left(\frac{3}{4}\right)^{a}": number(Fraction(3, 4)) ** a,
        r"\frac{\partial a}{\partial W^{(1)}_{2,0}} = \sigma\left(a\right)": equation(
            derivative(a, W), operation("sigmoid")(a)
        ),
    }
    assert {as_latex(expression): latex for latex, expression in wanted.items()} == {latex: latex for latex in wanted}


def test_a_long_formula_is_printed_without_recursion() -> None:
    expression = symbol("x")
    for _ in range(5000):
        expression = -(expression + 1)
    assert as_text(expression).count("(") == as_latex(expression).count(r"\left(") == 5000


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="no pdflatex here")
def test_the_latex_of_every_row_compiles(tmp_path: Path) -> None:
    formulas = [e for name in OPERATIONS for e in (operation(name)(*operands(name)), *partials(name))]
    formulas += [e for name in OPERATIONS for e in all_partials(OPERATIONS[name], symbol("out"), *operands(name))]
    compiled(tmp_path, "".join(f"\\[ {as_latex(formula)} \\]\n" for formula in formulas))
