"""Expressions: what is simplified leaves every float as it is, bit for bit; the rest stays as it was written."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from programs import GRID, INF, NAN, NUMBERS, bits

from autograd.expressions import EXPANDED, SYMBOLS, Expression, number, symbol, unchanged
from autograd.expressions.expression import NAME, NUMBER, is_number
from autograd.expressions.rows import all_partials, definition
from autograd.graph import topological_order
from autograd.operations import FLOATS, OPERATIONS

COMPARE: dict[str, Callable[..., Any]] = {
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "equal": operator.eq,
}
COMPUTE: dict[str, Callable[..., Any]] = {
    **{name: row.forward for name, row in OPERATIONS.items() if row.formula is None},
    **{name: OPERATIONS[name].forward for name in ("sign", "heaviside", "maximum", "minimum")},
    "where": OPERATIONS["where"].forward,
}
INPUTS = {name: len(row.domain) for name, row in OPERATIONS.items()}
SIMPLE = (0.0, -0.0, 1.0, -1.0, 2.0, 0, 1, -1)  # what a simplification looks for
NAMES = ("x", "y", "z")
x, y = symbol("x"), symbol("y")


def evaluated(e: Expression, at: dict[str, float]) -> Any:
    """The number that an expression stands for, with nothing but its operations' own definitions."""
    found: dict[Expression, Any] = {}
    for node in topological_order(e):
        operands = [found[p] for p in node.parents]
        if node.op in (NAME, NUMBER):
            found[node] = at[node.content] if node.op is NAME else node.content
        else:
            found[node] = node.op.forward(*operands)
    return found[e]


@st.composite
def expressions(
    draw: st.DrawFn,
    at: dict[str, float],
    functions: Any = SYMBOLS,
    often: tuple[str, ...] = ("mul", "neg"),
    simple: tuple[float, ...] = SIMPLE,
) -> tuple[list[Expression], list[Any]]:
    """Expressions of a random program, and beside each of them the number that Python computes on the way."""
    leaves = draw(st.lists(st.one_of(st.sampled_from(simple), NUMBERS), min_size=1, max_size=4))
    found: list[tuple[Any, Any]] = [(symbol(name), at[name]) for name in NAMES] + [(number(c), c) for c in leaves]
    conditions: list[tuple[Any, Any]] = []
    for _ in range(draw(st.integers(1, 14))):
        op = draw(st.sampled_from((*COMPUTE, *COMPARE, "logical_and", "where", *often)))
        (a, a_), (b, b_), (c, c_) = (draw(st.sampled_from(found)) for _ in range(3))
        if op in COMPARE:
            conditions.append((getattr(functions, op)(a, b), COMPARE[op](a_, b_)))
        elif op == "logical_and" and conditions:
            (p, p_), (q, q_) = draw(st.sampled_from(conditions)), draw(st.sampled_from(conditions))
            conditions.append((functions.logical_and(p, q), p_ and q_))
        elif op == "where" and conditions:
            condition, holds = draw(st.sampled_from(conditions))
            found.append((functions.where(condition, b, c), b_ if holds else c_))
        elif op not in ("where", "logical_and"):
            n = INPUTS.get(op, 2)
            found.append((getattr(functions, op)(*(a, b, c)[:n]), COMPUTE[op](*(a_, b_, c_)[:n])))
    both = found + conditions
    return [e for e, _ in both], [value for _, value in both]


@given(st.data(), st.tuples(*[NUMBERS] * 3))
def test_what_is_simplified_computes_the_same_number(data: st.DataObject, numbers: tuple[float, ...]) -> None:
    at = dict(zip(NAMES, numbers, strict=True))
    found, want = data.draw(expressions(at))
    assert [bits(float(evaluated(e, at))) for e in found] == [bits(float(value)) for value in want]


@pytest.mark.parametrize(
    ("made", "want"),
    [
        (1 * x, x),
        (x * 1.0, x),
        (x / 1, x),
        (x**1, x),
        (x - 0, x),
        (x - 0.0, x),
        (SYMBOLS.neg(-x), x),
        (SYMBOLS.where(x < y, x, x), x),
        (SYMBOLS.where(number(True), x, y), x),  # a condition that is known
        (SYMBOLS.where(number(False), x, y), y),  # as above
    ],
)
def test_what_is_nothing_to_compute_is_not_there(made: Expression, want: Expression) -> None:
    assert made is want


def test_minus_one_times_is_a_negation() -> None:
    for made in (-1 * x, x * -1.0):
        assert (made.op.name, made.parents[0] is x) == ("neg", True)


@pytest.mark.parametrize(
    "made",
    [
        x * 0,
        0.0 * x,
        x + 0,
        0.0 + x,
        x - -0.0,
        0 - x,
        x - x,
        x / x,
        1 / x,
        x**0,
        1**x,
        x * x,
        x * 2,
        SYMBOLS.equal(x, x),
        SYMBOLS.where(x < y, x, y),
        -x,
    ],
)
def test_what_stays_because_a_float_could_differ(made: Expression) -> None:
    assert made.parents != ()


def test_a_condition_that_is_known_drops_out_of_a_conjunction() -> None:
    p, yes, no = x < y, number(True), number(False)  # conditions that are known
    assert SYMBOLS.logical_and(p, yes) is p
    assert SYMBOLS.logical_and(yes, p) is p
    assert SYMBOLS.logical_and(p, no) is no
    assert SYMBOLS.logical_and(no, p) is no
    assert (p & (y < x)).op is (p & p).op is OPERATIONS["logical_and"]
    assert (True & p) is p


@example(math.inf, 0.0)
@example(0.0, 0.0)
@example(1e308, 1e308)
@example(-8.0, 1 / 3)
@given(NUMBERS, NUMBERS)
def test_constants_are_computed_as_floats_and_never_raise(a: float, b: float) -> None:
    for op, compute in COMPUTE.items():
        if op == "where":
            continue
        operands = (a, b)[: INPUTS.get(op, 2)]
        made = getattr(SYMBOLS, op)(*map(number, operands))
        assert made.op is NUMBER
        assert bits(float(made.content)) == bits(float(compute(*operands)))
    for op, compare in COMPARE.items():
        made = getattr(SYMBOLS, op)(number(a), b)
        assert (made.op, made.content) == (NUMBER, compare(a, b))


def test_operands_keep_their_sides() -> None:
    two = {"+": 2 + x, "-": 2 - x, "*": 2 * x, "/": 2 / x, "**": 2**x}
    assert all((e.op.symbol, e.parents[0].content) == (sign, 2) and e.parents[1] is x for sign, e in two.items())
    two = {"+": x + 2, "-": x - 2, "*": x * 2, "/": x / 2, "**": x**2}
    assert all((e.op.symbol, e.parents[1].content) == (sign, 2) and e.parents[0] is x for sign, e in two.items())
    assert [(e.op.name, e.parents[0] is x) for e in (x < y, x <= y, x > y, x >= y, x == y)] == [(op, True) for op in COMPARE]


@pytest.mark.parametrize("compare", COMPARE.values())
def test_a_number_may_stand_on_the_left_of_a_comparison(compare: Callable[..., Any]) -> None:
    for a in (1.0, 2.0, 3.0, NAN):
        assert evaluated(compare(2.0, x), {"x": a}) == compare(2.0, a)
        assert evaluated(compare(x, 2.0), {"x": a}) == compare(a, 2.0)


def test_no_expression_is_true_or_false() -> None:
    with pytest.raises(TypeError, match=r"whether less\(x, 2\) holds is not known .* use m.where\(condition, a, b\)"):
        bool(x < 2)
    with pytest.raises(TypeError, match="not known before its names have numbers"):
        max(x, y)


def test_expressions_are_known_by_identity() -> None:
    assert len({x, symbol("x"), x, x + 1, x + 1}) == 4
    assert hash(x) == object.__hash__(x)


def test_an_expression_shows_its_operation_and_no_more() -> None:
    assert repr(x) == "x"
    assert repr(number(-0.5)) == "-0.5"
    assert repr(x * 3) == "mul(x, 3)"
    deep = x
    for _ in range(100_000):
        deep = SYMBOLS.sin(deep)
    assert repr(deep) == "sin(...)"


@pytest.mark.parametrize("a", GRID)
@pytest.mark.parametrize("b", [0.0, -0.0, 1.0, -1.0, INF, NAN])
def test_a_number_is_told_with_its_sign(a: float, b: float) -> None:
    assert is_number(number(a), b) == (bits(a) == bits(b) and a == a)  # noqa: PLR0124  # nan is no number at all
    assert not is_number(x, b)


@pytest.mark.parametrize("arithmetic", [SYMBOLS, EXPANDED], ids=["kept", "expanded"])
@pytest.mark.parametrize("name", OPERATIONS)
@given(data=st.data())
def test_every_row_of_the_table_as_a_formula_is_the_row_on_floats(name: str, arithmetic: Any, data: st.DataObject) -> None:
    row = OPERATIONS[name]
    numbers = data.draw(st.tuples(*[NUMBERS] * len(row.domain)))
    if name == "logical_and":  # of conditions, which are 1 or 0
        numbers = tuple(float(x > 0) for x in numbers)
    at = dict(zip((*NAMES, "w"), numbers, strict=False))
    operands = [data.draw(st.sampled_from([symbol(key), number(at[key])])) for key in at]
    want = row.forward(*numbers)
    for out in (definition(row, *operands), getattr(arithmetic, name)(*operands)):
        assert bits(float(evaluated(out, at))) == bits(float(want))
    for made, partial in zip(
        row.partials(arithmetic, number(want), *operands), row.partials(FLOATS, want, *numbers), strict=True
    ):
        value = made if isinstance(made, int | float) else evaluated(made, at)
        assert bits(float(value)) == bits(float(partial))


def test_nothing_of_a_formula_is_left_composed_where_it_is_expanded() -> None:
    for row in OPERATIONS.values():
        for e in (getattr(EXPANDED, row.name)(x, y), *row.partials(EXPANDED, x, x, y)) if row.arity == 2 else ():
            assert all(part.op.formula is None for part in (topological_order(e) if isinstance(e, Expression) else ()))
    assert all(isinstance(e, Expression) for e in all_partials(OPERATIONS["add"], x, x, y))


def test_rows_with_the_numbers_of_python_are_refused() -> None:
    with pytest.raises(TypeError, match=r"x is a formula, not a number; .* write m.exp\(a\) where you have math.exp\(a\)"):
        math.exp(x)


def test_unchanged_makes_the_operation_as_it_is() -> None:
    made = unchanged(OPERATIONS["mul"])(1, 2)
    assert (made.op.name, [p.content for p in made.parents]) == ("mul", [1, 2])
