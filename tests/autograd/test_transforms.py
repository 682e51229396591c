"""`grad` as a function of the graph, its higher derivatives against mpmath and SymPy, and `zero_grad`."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import mpmath
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from rows import number
from test_operations import MP, SYMBOLIC, exact, points, recorded

from autograd import Value, cos, exp, grad, log, maximum, sin, tanh, topological_order, zero_grad
from autograd.operations import CONSTANT, OPERATIONS

ONE = [name for name, rule in OPERATIONS.items() if len(rule.domain) == 1]
TWO = [name for name, rule in OPERATIONS.items() if len(rule.domain) == 2]


def test_no_grad_is_read_or_written() -> None:
    x = Value(2.0)
    square = x * x
    output = square.exp() + square
    x.grad, square.grad = 100.0, 200.0
    want = 4 * (math.exp(4) + 1)
    assert grad(output, x) == grad(output, x) == pytest.approx(want)
    assert (x.grad, square.grad, output.grad) == (100.0, 200.0, 0.0)


def test_one_input_gives_one_result_and_several_a_list() -> None:
    x, y = Value(2.0), Value(3.0)
    output = x * y
    assert grad(output, x) == 3.0
    assert grad(output, [x]) == [3.0]
    assert grad(output, (y, x, y)) == [2.0, 3.0, 2.0]
    assert grad(output, (v for v in (x, y))) == [3.0, 2.0]
    assert grad(output, []) == []


@pytest.mark.parametrize("create_graph", [False, True])
def test_intermediates_the_output_itself_and_strangers(create_graph: bool) -> None:
    x, stranger = Value(2.0), Value(5.0)
    inner = x * 3
    output = inner * inner
    slopes = grad(output, [inner, output, stranger], create_graph) if not create_graph else grad(inner**2, [inner], True)
    assert [number(slope) for slope in slopes] == [12.0, 1.0, 0.0][: len(slopes)]
    assert number(grad(x, x, create_graph)) == 1.0
    assert number(grad(x, stranger, create_graph)) == 0.0


def test_create_graph_through_a_shared_result() -> None:
    x = Value(2.0)
    inner = x * 3
    (slope,) = grad(inner * inner, [x], create_graph=True)
    assert (slope.data, grad(slope, x)) == (36.0, 18.0)


def test_kinds_of_results() -> None:
    x, half = Value(2.0), Value(Fraction(1, 2))
    assert type(grad(x * x, x)) is float
    exact: list[Any] = [grad(half**3, half), grad(half, Value(Fraction(3)))]  # to a type checker they are floats, as .data is
    assert (exact, [type(slope) for slope in exact]) == ([Fraction(3, 4), 0], [Fraction, Fraction])
    first = grad(half**3, half, create_graph=True)
    assert [type(first), type(first.data)] == [Value, Fraction]
    second: Any = grad(first, half)
    assert (second, type(second)) == (Fraction(3), Fraction)
    missing = grad(x, half, create_graph=True)
    assert (missing.data, missing.operation) == (0, CONSTANT)
    assert isinstance(grad(half, x, create_graph=True).data, Fraction)


def test_a_tie_of_fractions_stays_exact_through_create_graph() -> None:
    x, y = Value(Fraction(1, 3)), Value(Fraction(1, 3))
    assert isinstance(grad(maximum(x, y) * Fraction(1, 3), x, create_graph=True).data, Fraction)


@pytest.mark.parametrize("name", ONE)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_derivatives_to_the_third_order_are_mpmaths(name: str, data: st.DataObject) -> None:
    (at,) = data.draw(points(OPERATIONS[name]).filter(lambda at: abs(at[0]) > 1e-3))
    x = Value(at)
    slope = recorded(OPERATIONS[name])(x)
    for order in (1, 2, 3):
        slope = grad(slope, x, create_graph=True)
        with mpmath.workdps(50):
            want = mpmath.diff(exact(name), mpmath.mpf(at), order)
            assert abs(slope.data - want) <= 1e-10 * max(1, abs(want))


def hessian(output: Value, leaves: list[Value]) -> list[list[float]]:
    return [grad(slope, leaves) for slope in grad(output, leaves, create_graph=True)]


@pytest.mark.parametrize("name", TWO)
def test_second_derivatives_of_two_inputs_are_sympys(name: str) -> None:
    a, b = sympy.symbols("a b", positive=True)
    if OPERATIONS[name].selects and OPERATIONS[name].formula is None:
        formula = sympy.Integer(0) * a  # what jumps is flat
    else:
        formula = sympy.sympify(getattr(SYMBOLIC, name)(a, b))
    for at in ((0.7, 1.9), (2.3, 0.4)):
        leaves = [Value(x) for x in at]
        got = hessian(recorded(OPERATIONS[name])(*leaves), leaves)
        want = sympy.hessian(formula, (a, b)).subs({a: at[0], b: at[1]}).evalf()
        assert [x for row in got for x in row] == pytest.approx([float(x) for x in want], rel=1e-12, abs=1e-12)
    assert name in MP or hasattr(mpmath, name)


def test_the_hessian_of_a_long_formula_is_sympys() -> None:
    def formula(m: Any, x: Any, y: Any) -> Any:
        return m.sin(x * y) / (1 + m.exp(x)) + y**3 * m.log(2 + x) - m.tanh(x - 2 * y) * m.cos(y) + x**y

    class Engine:
        sin, exp, log, tanh, cos = map(staticmethod, (sin, exp, log, tanh, cos))

    x, y = sympy.symbols("x y")
    leaves = [Value(0.7), Value(1.3)]
    want = sympy.hessian(formula(sympy, x, y), (x, y)).subs({x: 0.7, y: 1.3}).evalf(30)
    got = hessian(formula(Engine, *leaves), leaves)
    assert [s for row in got for s in row] == pytest.approx([float(s) for s in want], rel=1e-13)


def test_a_recorded_gradient_is_a_graph_like_any_other() -> None:
    x = Value(3.0)
    penalty = grad(x**3, x, create_graph=True) ** 2  # (3 x**2)**2, as in a gradient penalty
    penalty.backward()
    assert (penalty.data, x.grad) == (729.0, 972.0)
    assert all(isinstance(node, Value) for node in topological_order(penalty))


def test_a_long_graph_is_recorded_without_recursion() -> None:
    x = y = Value(0.5)
    for _ in range(20_000):
        y = y.sin() if y.operation.name == "neg" else -y
    first = grad(y, x, create_graph=True)
    assert grad(first, x) == pytest.approx((_sine(0.5 + 1e-5) - 2 * _sine(0.5) + _sine(0.5 - 1e-5)) / 1e-10, abs=1e-4)


def _sine(x: float) -> float:
    for _ in range(10_000):
        x = math.sin(-x)
    return x


def test_zero_grad_sets_zeros_of_the_same_kind() -> None:
    x, half = Value(2.0), Value(Fraction(1, 2))
    (x * half).backward()
    (half * half).backward()
    assert (x.grad, half.grad) == (0.5, 3.0)
    zero_grad(v for v in (x, half))
    assert [x.grad, half.grad, type(x.grad), type(half.grad)] == [0, 0, float, Fraction]


def test_zero_grad_changes_nothing_if_one_is_no_value() -> None:
    x = Value(2.0)
    x.backward()
    with pytest.raises(TypeError, match=r"^zero_grad: values\[1\] is 3.0 of type float; give Values"):
        zero_grad([x, 3.0])  # type: ignore[list-item]  # the mistake
    assert x.grad == 1.0


@pytest.mark.parametrize(
    ("output", "inputs", "where"),
    [
        (3.0, Value(1.0), r"grad: output is 3.0 of type float"),
        ([Value(1.0)], Value(1.0), r"grad: output is .* of type list"),
        (Value(1.0), [Value(1.0), "x"], r"grad: inputs\[1\] is 'x' of type str"),
        (Value(1.0), [None], r"grad: inputs\[0\] is None of type NoneType"),
        (Value(1.0), 3.0, "float"),
        (Value(1.0), None, "NoneType"),
    ],
)
@pytest.mark.parametrize("create_graph", [False, True])
def test_what_is_no_value_is_refused(output: Any, inputs: Any, where: str, create_graph: bool) -> None:
    with pytest.raises(TypeError, match=where):
        grad(output, inputs, create_graph)
