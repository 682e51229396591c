"""The text of a program: it computes what its formulas say, with the parentheses that it needs and no others."""

from __future__ import annotations

import ast
import keyword
import math
import re
from contextlib import suppress
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from programs import NUMBERS, bits
from test_expression import NAMES, evaluated, expressions

from autograd import Tape, Value
from autograd.expressions import SYMBOLS, Expression, number, symbol, unchanged
from autograd.expressions.printer import Form, Language, infix
from autograd.expressions.python import assignments
from autograd.operations import OPERATIONS
from autograd.tape.source import identifiers

x, y, z = map(symbol, NAMES)
exp, sin, where = SYMBOLS.exp, SYMBOLS.sin, SYMBOLS.where
DEEPEST = 12
AT = {"x": 0.7, "y": -1.3, "z": 2.0}


def text(e: Expression) -> str:
    lines, (found,) = assignments([e], {})
    assert lines == []
    return found


def run(lines: list[str], outputs: list[str], at: dict[str, float]) -> list[Any]:
    """What the lines compute, and then the outputs: as Python does it, or `floats` where Python raises."""
    names = {"inf": math.inf, "nan": math.nan, "Fraction": Fraction, **{n: row.forward for n, row in OPERATIONS.items()}, **at}
    exec("\n".join(lines), names)  # noqa: S102  # lines of our own
    return [eval(output, names) for output in outputs]  # noqa: S307  # as above


def unparenthesised(text: str) -> list[str]:
    """The texts that come of leaving out one pair of parentheses that is not a call's, or a minus's after an operator."""
    found, stack = [], []
    for i, letter in enumerate(text):
        if letter == "(":
            stack.append(i)
        elif letter == ")":
            start = stack.pop()
            called = text[:start] and (text[start - 1].isalnum() or text[start - 1] == "_")
            if not called and text[start + 1] != "-":
                found.append(f"{text[:start]} {text[start + 1 : i]} {text[i + 1 :]}".strip())
    return found


def tree(text: str) -> str:
    try:
        return ast.dump(ast.parse(text, mode="eval"))
    except SyntaxError:
        return "no Python"


@pytest.mark.parametrize(
    ("e", "want"),
    [
        (x + y + z, "x + y + z"),
        (x + (y + z), "x + (y + z)"),
        (x - (y - z), "x - (y - z)"),
        (x - y - z, "x - y - z"),
        (x * y / z, "x * y / z"),
        (x * (y / z), "x * (y / z)"),
        (x / (y * z), "x / (y * z)"),
        ((x + y) * z, "(x + y) * z"),
        (x + y * z, "x + y * z"),
        (-x * y, "-x * y"),
        (-(x * y), "-(x * y)"),
        (x * -y, "x * (-y)"),
        (x - -y, "x - (-y)"),
        (x - (-2.0), "x - (-2.0)"),
        (-2.0 * x, "-2.0 * x"),
        (x**2, "x ** 2"),
        ((-x) ** 2, "(-x) ** 2"),
        (-(x**2), "-x ** 2"),
        (x**-2, "x ** -2"),
        ((x**2) ** 3, "(x ** 2) ** 3"),
        ((x + y) ** 2, "(x + y) ** 2"),
        (exp(x) ** 2, "exp(x) ** 2"),
        (x**2.5, "pow(x, 2.5)"),
        (x**math.inf, "pow(x, inf)"),
        (x**math.nan, "pow(x, nan)"),
        (2.0**x, "pow(2.0, x)"),
        (x**y, "pow(x, y)"),
        (exp(x + y), "exp(x + y)"),
        (where(x < y, x, y), "x if x < y else y"),
        (where(x < y, x, y) + 1, "(x if x < y else y) + 1"),
        (exp(where(x < y, x, y)), "exp(x if x < y else y)"),
        (where(x < y, x, where(y < z, y, z)), "x if x < y else y if y < z else z"),
        (where(x < y, where(y < z, y, z), x), "(y if y < z else z) if x < y else x"),
        (where((x < y) & (y >= z), x, y), "x if x < y and y >= z else y"),
        (where((x < y) & ((y > z) & (x == z)), x, y), "x if x < y and (y > z and x == z) else y"),
        (where(x + 1 <= where(x < y, x, y), x, y), "x if x + 1 <= (x if x < y else y) else y"),
        (where(x == y + 1, x, y), "x if x == y + 1 else y"),
        (where(x + 1 == y, x, y), "x if x + 1 == y else y"),
        (SYMBOLS.add(number(-0.0), x), "-0.0 + x"),
        (SYMBOLS.add(x, math.inf), "x + inf"),
        (SYMBOLS.add(x, -math.inf), "x + (-inf)"),
        (SYMBOLS.heaviside(x - y, 0.5), "heaviside(x - y, 0.5)"),
    ],
)
def test_a_formula_as_a_person_would_write_it(e: Expression, want: str) -> None:
    assert text(e) == want


ARITHMETIC = [SYMBOLS.add, SYMBOLS.sub, SYMBOLS.mul, SYMBOLS.div]
NESTED = [
    *ARITHMETIC,
    *(lambda a, b, f=f: f(a, b) for f in (SYMBOLS.pow, SYMBOLS.heaviside)),
    *(lambda a, b, f=f: f(a) for f in (SYMBOLS.neg, SYMBOLS.exp)),
    *(lambda a, b, k=k: a**k for k in (2, -3, 0.5)),
    *(lambda a, b, k=k: SYMBOLS.mul(k, a) for k in (-2.0, 0.5)),
    *(lambda a, b, f=f: where(f(a, b), a, b) for f in (SYMBOLS.less, SYMBOLS.equal, SYMBOLS.greater_equal, SYMBOLS.less_equal)),
    lambda a, b: where((a > b) & (b > z), z, a),
]


@pytest.mark.parametrize("outer", NESTED)
@pytest.mark.parametrize("inner", NESTED)
def test_any_operation_within_any_other_has_the_parentheses_that_it_needs(outer: Any, inner: Any) -> None:
    for e in (outer(inner(x, y), z), outer(z, inner(x, y)), outer(inner(x, y), inner(y, x)), outer(inner(outer(x, z), y), z)):
        lines, (printed,) = assignments([e], {})
        for k in range(4):
            at = {name: (number * (-1) ** (k // 2) + k) / 2 for name, number in AT.items()}
            with suppress(ArithmeticError):
                assert bits(float(run(lines, [printed], at)[0])) == bits(float(evaluated(e, at))), printed
        for line in (*(line.partition(" = ")[2] for line in lines), printed):
            assert [t for t in unparenthesised(line) if tree(t) == tree(line)] == [], line


@given(st.data(), st.tuples(*[NUMBERS] * 3))
def test_the_text_computes_the_formula_and_needs_its_parentheses(data: st.DataObject, numbers: tuple[float, ...]) -> None:
    at = dict(zip(NAMES, numbers, strict=True))
    found, _ = data.draw(expressions(at, SYMBOLS))
    lines, outputs = assignments(found, {})
    try:
        got = run(lines, outputs, at)
    except (ArithmeticError, ValueError):
        got = None
    if got is not None:
        assert [bits(float(value)) for value in got] == [bits(float(evaluated(e, at))) for e in found]
    for printed in (*outputs, *(line.partition(" = ")[2] for line in lines)):
        assert [t for t in unparenthesised(printed) if tree(t) == tree(printed)] == []


def test_what_is_used_twice_is_computed_once() -> None:
    e = exp(x)
    assert assignments([e * e], {}) == (["t1 = exp(x)"], ["t1 * t1"])
    assert assignments([e + 1, e + 2], {}) == (["t1 = exp(x)"], ["t1 + 1", "t1 + 2"])
    assert assignments([x * x], {}) == ([], ["x * x"])


def test_names_come_in_their_order_and_only_where_they_are_needed() -> None:
    a, b = exp(x), sin(y)
    c = a * b
    assert assignments([c], {b: "b", a: "a", exp(z): "nobody", c: "c"}) == (["b = sin(y)", "a = exp(x)", "c = a * b"], ["c"])
    assert assignments([c], {c: "c"}) == (["c = exp(x) * sin(y)"], ["c"])
    assert assignments([a], {c: "c"}) == ([], ["exp(x)"])


def test_a_name_for_a_leaf_is_the_leaf() -> None:
    assert assignments([x, number(2.0)], {x: "a", number(2.0): "b"}) == ([], ["x", "2.0"])


def test_temporaries_avoid_the_names_that_are_there() -> None:
    e, f = exp(x), sin(x)
    lines, outputs = assignments(
        [e * e, f * f, y + 1], {SYMBOLS.add(e * e, f * f): "t4", y + 2: "t1", (g := f * e): "t2", g + 1: "t3"}
    )
    assert (lines, outputs) == (["t5 = exp(x)", "t6 = sin(x)"], ["t5 * t5", "t6 * t6", "y + 1"])


def test_a_long_formula_is_cut_into_lines_that_python_can_read() -> None:
    e, exact = x, AT["x"]
    for _ in range(5_000):
        e, exact = sin(e * 1.5) + y, math.sin(exact * 1.5) + AT["y"]
    lines, outputs = assignments([e], {})
    assert run(lines, outputs, AT) == [exact]
    depth = max(max(sum({"(": 1, ")": -1}.get(c, 0) for c in line[:i]) for i in range(len(line))) for line in lines)
    assert 1 <= depth <= DEEPEST
    assert len(lines) <= 15_000 / DEEPEST + 1


def test_another_language_spells_the_operations_its_own_way() -> None:
    fraction = Form("\\frac{{{}}}{{{}}}", 9, (0, 0))
    latex = Language({"div": fraction, "add": infix("+", 4)}, lambda e: (f"<{e.content}>", 10), lambda op: f"\\{op.name}")
    assert assignments([(x + y) / (1 + exp(z))], {}, language=latex) == ([], ["\\frac{<x> + <y>}{<1> + \\exp(<z>)}"])


LABELS = st.one_of(
    st.text(max_size=60),
    st.sampled_from(["x1", "x2", "v3", "t1", "d_x", "d_x1", "a", "a__2", "a__3", "_", "lambda", "None", "1a", "a" * 41]),
)


@example(["x2", "x1"])
@example(["a", "a", "a__2", "a__3", "a"])
@example(["a__2", "a", "a"])
@example(["a", "a__3", "a"])
@example(["a" * 10_000, "a" * 9_999])
@example(["\u00e9t\u00e9", "x\nimport os", "__import__('os')", "lambda", "\u0661"])
@given(st.lists(LABELS, max_size=8))
def test_any_label_becomes_a_name_of_its_own(labels: list[str]) -> None:
    taken = {"exp", "replay"}
    names = identifiers(labels, "x", taken)
    assert len(names) == len(labels) == len(set(names))
    assert taken == {"exp", "replay", *names}
    for k, (label, name) in enumerate(zip(labels, names, strict=True), start=1):
        assert name.isidentifier()
        assert name.isascii()
        assert not keyword.iskeyword(name)
        assert not re.match(r"_|d_[a-zA-Z]", name)  # d_NAME is an adjoint
        assert not re.fullmatch(r"[xvt]\d+", name) or name == f"x{k}"
        assert len(name) < 60
        if (
            label.isascii()
            and label.isalpha()
            and not keyword.iskeyword(label)
            and labels.count(label) == 1
            and len(label) < 40
        ):
            assert name in (label, f"{label}__{k}")


def test_a_label_gives_its_letters_and_digits() -> None:
    assert identifiers(["W1[0,2]", "loss (mean)", "  b ", "a-b"], "x", set()) == ["W1_0_2", "loss_mean", "b", "a_b"]
    assert identifiers(["a" * 40, "b" * 41], "x", set()) == ["a" * 40, "b" * 40]
    assert identifiers(["exp", "exp"], "x", {"exp"}) == ["exp__1", "exp__2"]
    assert identifiers(["", "1", "\u03c3", "if", "d_a", "v7", "t1", "x9"], "v", set()) == [f"v{k}" for k in range(1, 9)]
    assert identifiers(["True", "match", "print", "xx1", "d", "x1a"], "x", set()) == ["x1", "match", "print", "xx1", "d", "x1a"]


SOURCE = """\
def replay(x1, x2, w_0, w_0__4):
    v1 = x1 * x2
    h = exp(v1)
    v3 = 1.0 + h
    v4 = h / v3
    v5 = w_0 * w_0__4
    v6 = v4 + v5
    v7 = h * (-2.0)
    x = v6 - v7
    d_v3 = -(v4 / v3)
    d_h = 2.0 + 1 / v3 + d_v3
    d_v1 = d_h * h
    d_x1 = 0.0 + d_v1 * x2
    d_x2 = 0.0 + d_v1 * x1
    d_w_0 = 0.0 + w_0__4
    d_w_0__4 = 0.0 + w_0
    return x, [d_x1, d_x2, d_w_0, d_w_0__4]"""


def test_the_whole_program_of_a_tape() -> None:
    inputs = [Value(2.0), Value(3.0, "if"), Value(0.5, "w[0]"), Value(1.0, "w[0]")]
    h = (inputs[0] * inputs[1]).exp()
    output = h / (1 + h) + inputs[2] * inputs[3] - h * -2
    h.label, output.label = "h", "x"
    assert Tape(output, inputs).source == SOURCE


ORDERED = """\
def replay(replay__1, X):
    a = exp(replay__1)
    v2 = a * a
    b = exp(X)
    v4 = b * b
    v5 = v2 + v4
    d_b = b + b
    d_a = a + a
    d_replay__1 = 0.0 + d_a * a
    d_X = 0.0 + d_b * b
    return v5, [d_replay__1, d_X]"""


def test_adjoints_come_in_the_order_of_the_sweep_and_no_input_is_called_as_the_function() -> None:
    inputs = [Value(2.0, "replay"), Value(3.0, "X")]
    a, b = (each.exp() for each in inputs)
    a.label, b.label = "a", "b"
    assert Tape(a * a + b * b, inputs).source == ORDERED


def test_a_negative_number_is_a_base_in_parentheses() -> None:
    for base, printed in ((-2.0, "(-2.0)"), (-0.0, "(-0.0)"), (0.0, "0.0"), (2.0, "2.0")):
        assert text(unchanged(OPERATIONS["pow"])(base, 2)) == f"{printed} ** 2"


def test_so_many_operations_stand_on_one_line() -> None:
    e = x
    for _ in range(DEEPEST):
        assert assignments([e], {})[0] == []
        e = exp(e)
    (line,), (name,) = assignments([e], {})
    assert line == f"{name} = {'exp(' * DEEPEST}x{')' * DEEPEST}"
