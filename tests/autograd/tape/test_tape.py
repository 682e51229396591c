"""A tape replayed is the graph recorded anew: on floats to the last bit, on Fractions, Values and arrays as they allow."""

from __future__ import annotations

import ast
import copy
import gc
import math
import pickle
import random
import re
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import (
    EXTREME,
    FUNCTIONS,
    GRID,
    INF,
    NAN,
    NUMBERS,
    RATIONAL,
    ROUNDED,
    SMOOTH,
    Program,
    Step,
    bits,
    cases,
    programs,
    same,
)

from autograd import Tape, Value, floats, grad, maximum, topological_order
from autograd.operations import BUILT_IN, OPERATIONS
from autograd.tape import replay as module

ROWS = pytest.mark.parametrize("name", OPERATIONS)
x, y = Value(2.0, "x"), Value(3.0, "y")


def taped(program: Program, numbers: Any) -> Tape:
    return Tape(*program.record(numbers))


# --- floats


@settings(max_examples=80, deadline=None)
@given(cases())
def test_floats_give_the_engines_floats_bit_for_bit(case: Any) -> None:
    program, (recorded, *others) = case
    tape = taped(program, recorded)
    for numbers in (recorded, *others):
        assert same(tape(numbers), program.engine(numbers)), tape.source


@settings(max_examples=80, deadline=None)
@given(cases())
def test_row_by_row_too(case: Any) -> None:
    program, (recorded, *others) = case
    tape = taped(program, recorded)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "LARGEST_SOURCE", -1)
        for numbers in others:
            assert same(tape(numbers), program.engine(numbers))
    assert "_compiled" not in vars(tape)


FEW = (0.0, -0.0, 1.0, -2.0, INF, NAN)  # of more than two operands


def alone(name: str) -> Program:
    """The row of inputs."""
    count = len(OPERATIONS[name].domain)
    return Program(count, (), (Step(name, count - 1, count - 2, (count - 3, count - 4)),))


@ROWS
def test_every_row_at_every_pair_of_special_values(name: str) -> None:
    step = alone(name)
    tape = taped(step, [1.0] * step.inputs)
    for at in product(GRID if step.inputs < 3 else FEW, repeat=step.inputs):
        numbers = list(at)
        assert same(tape(numbers), step.engine(numbers)), numbers


def test_a_small_tape_runs_its_source_and_a_large_one_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    tape = Tape(x * y + x, [x, y])
    monkeypatch.setattr(Tape, "source", "def replay(x, y):\n    return 'mine', [x, y]")
    assert tape([1.0, 2.0]) == ("mine", [1.0, 2.0])
    monkeypatch.setattr(module, "LARGEST_SOURCE", 1)
    assert tape([1.0, 2.0]) == (3.0, [3.0, 1.0])
    monkeypatch.setattr(module, "LARGEST_SOURCE", 2)
    assert tape([1.0, 2.0]) == ("mine", [1.0, 2.0])


def test_where_python_raises_the_rows_answer() -> None:
    tape = Tape((x / y).exp().log() + x**-1, [x, y])
    assert same(tape([1.0, 0.0]), (INF, [NAN, NAN]))
    assert same(tape([0.0, 0.0]), (NAN, [NAN, NAN]))
    assert tape([1.0, 1.0])[0] == 2.0


def test_an_error_in_the_program_itself_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tape, "source", "def replay(x):\n    return nobody, [x]")
    with pytest.raises(NameError):
        Tape(x * 2, x)([1.0])


def test_the_output_may_be_an_input() -> None:
    tape = Tape(x, x)
    assert (len(tape), tape([5.0])) == (0, (5.0, [1.0]))
    assert tape.source == "def replay(x):\n    return x, [1.0]"
    array = np.array([[1.0, 2.0]])
    value, grads = tape(array)
    assert (value.tolist(), grads.tolist()) == ([1.0, 2.0], [[1.0, 1.0]])
    value[:] = 7.0
    assert array.tolist() == [[1.0, 2.0]]


def test_inputs_in_another_order_and_only_some_of_them() -> None:
    output = x / y
    assert Tape(output, [y, x])([3.0, 2.0]) == (2 / 3, [-2 / 3 / 3, 1 / 3])
    assert Tape(output, y)([4.0]) == (0.5, [-0.125])
    assert Tape(output, (node for node in (x,)))([6.0]) == (2.0, [1 / 3])


def test_a_constant_beside_a_value_may_be_an_input() -> None:
    output = x * 3
    assert Tape(output, output.parents)([5.0, 7.0]) == (35.0, [7.0, 5.0])


def test_later_changes_of_the_graph_are_not_seen() -> None:
    a, b = Value(2.0, "a"), Value(3.0, "b")
    middle = b * b
    output = a * middle
    tape = Tape(output, a)
    b.data = middle.data = a.data = 100.0
    output.backward()
    assert tape([2.0]) == (18.0, [9.0])
    assert b.grad != 0.0


def test_constants_are_the_numbers_that_were_recorded() -> None:
    a, b = Value(2.0), Value(3.0)
    output = a * (b * b) + b
    b.data = 5.0
    assert Tape(output, a)([2.0]) == (21.0, [9.0])
    with pytest.raises(ValueError, match=r"changed while this graph was being recorded"):
        Tape(output * b, a)


def test_an_input_that_the_output_does_not_depend_on_has_derivative_0() -> None:
    stranger = Value(7.0, "stranger")
    tape = Tape(x * y, [stranger, x])
    for call in (tape, tape.native()):
        assert call([5.0, 2.0]) == (6.0, [0.0, 3.0])
        assert [g.tolist() for g in call([np.ones(2), 2.0])[1]] == [[0.0, 0.0], [3.0, 3.0]]
    assert tape([Fraction(1), Fraction(1, 3)])[1][0] == 0
    assert [g.data for g in tape([Value(5.0), 2.0])[1]] == [0.0, 3.0]
    assert tape.on(sympy)(sympy.symbols("a b"))[1][0] == 0
    assert Tape(Value(1.0), [x])([5.0]) == Tape(Value(1.0), [x]).native()([5.0]) == (1.0, [0.0])


def test_nothing_is_written_into_the_graph() -> None:
    a = Value(2.0, "a")
    output = (a * a).exp()
    a.grad = 5.0
    Tape(output, a)([1.0])
    Tape(output, a)([Value(1.0)])
    assert (a.data, a.grad, output.data, repr(output.grad)) == (2.0, 5.0, math.exp(4.0), "0.0")


def frozen(a: Value) -> Value:
    return a * a if a > 0 else -a


def test_a_branch_that_python_took_is_frozen_and_one_in_a_row_is_not() -> None:
    a = Value(2.0)
    assert Tape(frozen(a), a)([-3.0]) == (9.0, [-6.0])
    assert Tape(maximum(a * a, -a), a)([-0.5]) == (0.5, [-1.0])
    assert Tape(a.relu(), a)([-3.0]) == (0.0, [0.0])


# --- what is on the tape


def operations(tape: Tape) -> int:
    """How many operations stand on the lines of its source that compute the output."""
    return sum(not line.strip().startswith(("d_", "def ", "return ", "t")) for line in tape.source.splitlines())


@settings(max_examples=30, deadline=None)
@given(cases())
def test_an_operation_is_on_the_tape_if_the_output_needs_it_and_an_input_moves_it(case: Any) -> None:
    program, (recorded, *_) = case
    output, leaves = program.record(recorded)
    moving = set(leaves)
    for node in topological_order(output):
        if moving & set(node.parents):
            moving.add(node)
    tape = Tape(output, leaves)
    assert len(tape) == len(moving) - len(leaves)
    assert repr(tape) == f"Tape({len(tape)} operations, {len(leaves)} inputs)"


def test_constants_fold() -> None:
    two, three = Value(2.0), Value(3.0)
    constant = (two * three).exp() / three
    tape = Tape(x * constant + (two - 5) * x.sin(), x)
    assert len(tape) == 4
    assert f"v1 = x * {math.exp(6.0) / 3.0!r}" in tape.source
    assert "sin(x)" in tape.source
    assert "exp" not in tape.source
    assert sorted(tape.program.constants) == [-3.0, math.exp(6.0) / 3.0]


def test_constants_stand_in_the_order_of_their_use() -> None:
    output = x
    for k in range(12):
        output = output * (k + 0.25)
    assert Tape(output, x).program.constants == [k + 0.25 for k in range(12)]


def test_constants_that_are_too_large_fold_as_the_engine_computes_them() -> None:
    huge = Value(Fraction(10) ** 400)
    for constant in (huge * 2.0, huge - 0.5, huge / Fraction(1, 3) * 0.5):
        assert Tape(x * constant, x)([1.0])[0] == (Value(1.0) * constant).data == INF
    assert Tape(x * (huge / huge), x)([3.0]) == (3.0, [1.0])


def test_what_the_output_does_not_depend_on_is_not_there() -> None:
    a = Value(2.0, "a")
    (a * 100).exp()
    b = a * 3
    (b + 1).label = "elsewhere"
    assert len(Tape(b.sin(), a)) == 2


def test_one_line_for_each_operation_in_the_order_in_which_it_was_recorded() -> None:
    a, b = Value(0.5, "a"), Value(2.0, "b")
    product = a * b
    product.label = "z"
    tape = Tape(product.tanh() + product**2 + a.softplus().relu(), [a, b])
    body = tape.source.splitlines()
    assert body[0] == "def replay(a, b):"
    assert body[-1] == "    return v7, [d_a, d_b]"
    results = [line.split(" = ")[0].strip() for line in body[1:-1]]
    assert [name for name in results if not name.startswith(("d_", "t"))] == ["z", "v2", "v3", "v4", "v5", "v6", "v7"]
    assert results.index("v7") < min(i for i, name in enumerate(results) if name.startswith("d_"))
    assert [name for name in results if name.startswith("d_")][-2:] == ["d_a", "d_b"]
    assert "    v3 = z ** 2.0" in body
    assert operations(tape) == len(tape) == 7


def test_a_derivative_that_is_known_is_a_number() -> None:
    assert Tape(x + 3 - y, [x, y]).source.splitlines()[1:] == [
        "    v1 = x + 3.0",
        "    v2 = v1 - y",
        "    return v2, [1.0, -1.0]",
    ]


@settings(max_examples=30, deadline=None)
@given(cases(), st.lists(st.one_of(st.text(max_size=8), st.sampled_from(["t1", "v1", "d_x", "x1", "a", "exp"])), min_size=24))
def test_the_source_is_python_and_what_is_run(case: Any, labels: list[str]) -> None:
    program, (recorded, numbers, _) = case
    output, leaves = program.record(recorded)
    for node, label in zip(topological_order(output), labels, strict=False):
        node.label = label
    tape = Tape(output, leaves)
    (function,) = ast.parse(tape.source).body
    assert isinstance(function, ast.FunctionDef)
    names = [arg.arg for arg in function.args.args]
    targets = [s.targets[0].id for s in function.body[:-1] if isinstance(s, ast.Assign) and isinstance(s.targets[0], ast.Name)]
    assert len(targets) == len(function.body) - 1
    assert len(set(names + targets)) == len(names) + len(targets), "a name is assigned twice"
    assert not set(names + targets) & (BUILT_IN | {"replay"})
    called = {node.func.id for node in ast.walk(function) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert called <= {name for name, row in OPERATIONS.items() if row.formula is None}
    assert not [
        node for node in ast.walk(function) if isinstance(node, ast.Attribute | ast.Import | ast.Subscript | ast.Lambda)
    ]
    names_: dict[str, Any] = {"inf": INF, "nan": NAN, **{name: row.forward for name, row in OPERATIONS.items()}}
    exec(tape.source, names_)  # noqa: S102  # that it can be run is what is tested
    with suppress(ArithmeticError, ValueError):  # where Python's operators have no answer
        assert same(names_["replay"](*numbers), program.engine(numbers))


HOSTILE = (
    *("x\nimport os", "lambda", "__import__('os')", "\u00e9t\u00e9", "exp", "d_x", "t1", "v1", "x", "x", "replay", "None"),
    *("a" * 10_000, "x2", "{0}", "%s", "inf", "heaviside", "x__3", "_", "1x", "__builtins__", "as_float", "\u2028", "#", "\\"),
)


def test_labels_never_become_code_and_never_collide() -> None:
    leaves = [Value(0.1 * k + 0.5, label) for k, label in enumerate(HOSTILE)]
    output = leaves[0]
    for leaf, label in zip(leaves[1:], HOSTILE[::-1], strict=False):
        output = (output * leaf).tanh() + leaf.exp() / 3 + leaf**2.5
        output.label = label
    tape = Tape(output, leaves)
    assert same(tape([leaf.data for leaf in leaves]), (output.data, grad(output, leaves)))
    assert "import" not in re.sub(r"\w*import_\w*", "", tape.source)
    assert tape.source.isascii()
    assert max(map(len, tape.source.splitlines()[1:-1])) < 300


def test_the_labels_of_results_are_their_names() -> None:
    a = Value(2.0, "a")
    b = a * a
    b.label = "b"
    assert Tape(b.exp() * b, a).source.splitlines()[1:] == [
        "    b = a * a",
        "    v2 = exp(b)",
        "    v3 = v2 * b",
        "    d_b = v2 + b * v2",
        "    d_a = 0.0 + (d_b * a + d_b * a)",
        "    return v3, [d_a]",
    ]


# --- Fractions and other numbers


@settings(max_examples=80, deadline=None)
@given(cases(RATIONAL, st.fractions(-20, 20, max_denominator=30)))
def test_fractions_stay_exact(case: Any) -> None:
    program, (recorded, *others) = case
    tape = taped(program, recorded)
    for numbers in others:
        value, grads = tape(numbers)
        assert (value, grads) == program.engine(numbers) or same((value, grads), program.engine(numbers))
        assert list(map(type, (value, *grads))) == list(map(type, (program.engine(numbers)[0], *program.engine(numbers)[1])))


def test_fractions_whose_answer_is_known() -> None:
    a, b = Value(Fraction(2), "a"), Value(Fraction(3), "b")
    tape = Tape((a * b - 1) ** 2 / b + maximum(a, b), [a, b])
    third, half = Fraction(1, 3), Fraction(1, 2)
    value, grads = tape([third, half])
    assert value == (third * half - 1) ** 2 / half + half == Fraction(17, 9)
    assert grads == [2 * (third * half - 1), 2 * (third * half - 1) * third / half - (third * half - 1) ** 2 / half**2 + 1]
    assert {type(value), *map(type, grads)} == {Fraction}


@settings(max_examples=80, deadline=None)
@given(cases([n for n in OPERATIONS if n != "pow"], st.one_of(st.fractions(-20, 20, max_denominator=30), st.floats(-3, 3))))
def test_fractions_among_floats_are_what_the_engine_makes_of_them(case: Any) -> None:
    program, (recorded, *others) = case
    tape = taped(program, recorded)
    for numbers in others:
        assert same(tape(numbers), program.engine(numbers))


def test_a_fraction_among_the_constants_is_exact_beside_floats_too() -> None:
    a = Value(0.5, "a")
    output = maximum(a, Fraction(1, 3)) * Fraction(1, 3)
    for numbers in ([0.1], (0.1,), [Fraction(1, 10)]):
        value, (slope,) = Tape(output, a)(numbers)
        assert (value, type(value), slope) == (Fraction(1, 9), Fraction, 0)
    b = Value(-1.0)
    assert same(Tape(b * Fraction(0) - b * Fraction(0), b)([1.0]), (0.0, [0.0]))


# --- Values


@ROWS
def test_on_values_the_same_operations_are_recorded_again(name: str) -> None:
    leaves = [Value(1.5, "a"), Value(0.7, "b"), Value(0.9, "c"), Value(1.1, "d")][: len(OPERATIONS[name].domain)]
    output = FUNCTIONS[name](*leaves)
    given_ = [Value(-0.5), Value(0.25), Value(1.5), Value(2.5)][: len(leaves)]
    value, grads = Tape(output, leaves)(given_)
    want = FUNCTIONS[name](*given_)
    assert (value.operation, value.parents == tuple(given_)) == (output.operation, True)
    assert all(one is other for one, other in zip(value.parents, given_, strict=True))
    assert bits(value.data) == bits(want.data)
    assert [bits(g.data) for g in grads] == [bits(g.data) for g in grad(want, given_, create_graph=True)]
    assert [bits(g) for g in grad(value, given_)] == [bits(g) for g in grad(want, given_)]


@settings(max_examples=80, deadline=None)
@given(cases())
def test_on_values_a_graph_of_the_same_numbers_comes_out(case: Any) -> None:
    program, (recorded, numbers, _) = case
    leaves = list(map(Value, numbers))
    value, grads = taped(program, recorded)(leaves)
    want, given_ = program.record(numbers)
    slopes = grad(want, given_, create_graph=True)
    assert same((value.data, [g.data for g in grads]), (want.data, [g.data for g in slopes]))
    assert same((value.data, grad(value, leaves)), (want.data, grad(want, given_)))
    for got, slope in zip(grads, slopes, strict=True):
        assert same((got.data, grad(got, leaves)), (slope.data, grad(slope, given_)))


def test_values_beside_plain_numbers() -> None:
    a = Value(5.0)
    value, (by_x, by_y) = Tape(x * y + x, [x, y])([a, 7])
    assert (value.data, by_x.data, by_y.data) == (40.0, 8.0, 5.0)
    assert grad(value, a) == 8.0
    assert grad(by_y, a) == 1.0


def test_one_value_for_two_inputs_has_the_partial_derivatives_not_their_sum() -> None:
    a = Value(5.0)
    value, (by_x, by_y) = Tape(x * x * y, [x, y])([a, a])
    assert (by_x.data, by_y.data) == (50.0, 25.0)
    assert grad(value, a) == 75.0
    value, (by_x, by_y) = Tape(x - y, [x, y])([a, a])
    assert (value.data, by_x.data, by_y.data) == (0.0, 1.0, -1.0)


def test_fractions_in_values_stay_exact() -> None:
    a = Value(Fraction(1, 3))
    value, (slope,) = Tape((b := Value(Fraction(2))) * b * b, b)([a])
    found: list[Any] = [value.data, slope.data, grad(slope, a)]
    assert found == [Fraction(1, 27), Fraction(1, 3), Fraction(2)]
    assert {type(number) for number in found} == {Fraction}


def test_fractions_among_the_constants_are_exact_beside_values_too() -> None:
    b = Value(Fraction(2))
    value, (slope,) = Tape(b * Fraction(1, 3), b)([Value(Fraction(1, 2))])
    assert (value.data, slope.data, type(slope.data)) == (Fraction(1, 6), Fraction(1, 3), Fraction)


def hessian_vector(output: Value, inputs: list[Value], direction: list[Value]) -> Tape:
    slopes = grad(output, inputs, create_graph=True)
    along = sum((g * v for g, v in zip(slopes, direction, strict=True)), start=Value(0.0))
    return Tape(along, [*inputs, *direction])


def test_the_tape_of_a_gradient_gives_hessian_vector_products() -> None:
    a, b, u, v = (Value(z, label) for z, label in zip((0.3, 0.8, 1.0, 1.0), "abuv", strict=True))
    output = (a * b).sin() * b.exp() + (a**3 / b).softplus() + (a - b * b).tanh() * a.sigmoid()
    A, B = sympy.symbols("a b")
    exact = sympy.sin(A * B) * sympy.exp(B) + sympy.log(1 + sympy.exp(A**3 / B)) + sympy.tanh(A - B * B) / (1 + sympy.exp(-A))
    tape = hessian_vector(output, [a, b], [u, v])
    for at in ([0.3, 0.8], [-1.2, 0.4], [2.0, -0.7]):
        second = sympy.hessian(exact, (A, B)).subs({A: sympy.Rational(str(at[0])), B: sympy.Rational(str(at[1]))})
        wants = np.array(second.evalf(30).tolist(), dtype=float)
        for direction in ([1.0, 0.0], [0.0, 1.0], [0.6, -2.5]):
            _, found = tape([*at, *direction])
            assert found[:2] == pytest.approx(list(wants @ direction), rel=1e-12)


@settings(max_examples=30, deadline=None)
@given(cases(SMOOTH, st.floats(-3, 3)))
def test_hessian_vector_products_are_grad_of_grad(case: Any) -> None:
    program, (recorded, numbers, direction) = case
    output, leaves = program.record(recorded)
    extra = [Value(d) for d in recorded]
    along: Any = sum((g * v for g, v in zip(grad(output, leaves, create_graph=True), extra, strict=True)), start=Value(0.0))
    inputs = [node for node in (*leaves, *extra) if node in set(topological_order(along))]
    if not set(leaves) <= set(inputs):
        return  # a gradient that is constant: the tape says so, which another test looks at
    given_ = dict(zip([*leaves, *extra], [*numbers, *direction], strict=True))
    _, found = Tape(along, inputs)([given_[node] for node in inputs])
    output_, leaves_ = program.record(numbers)
    along_: Any = sum(
        (g * d for g, d in zip(grad(output_, leaves_, create_graph=True), direction, strict=True)), start=Value(0.0)
    )
    assert found[: len(leaves)] == pytest.approx(grad(along_, leaves_), rel=1e-9, abs=1e-9)


# --- arrays


@ROWS
def test_each_row_on_arrays_is_2_ulp_from_the_row_on_floats_and_its_gradient_as_far_as_that_travels(name: str) -> None:
    rule, rng = OPERATIONS[name], np.random.default_rng(0)
    step = alone(name)
    tape = taped(step, [1.0] * step.inputs)
    spread = [np.concatenate([rng.uniform(*interval, 600), rng.uniform(-800, 800, 60)]) for interval in rule.domain]
    special = np.array(np.meshgrid(*[GRID if step.inputs < 3 else FEW] * step.inputs)).reshape(step.inputs, -1)
    inputs = [np.concatenate(both) for both in zip(spread, special, strict=True)]
    # what cancels, or follows from exp
    loss = 1.0 if name in ("tanh", "sigmoid", "gelu", "silu", "logsumexp", "cbrt") else 0.0
    value, grads = tape(inputs)
    for k, numbers in enumerate(zip(*(z.tolist() for z in inputs), strict=True)):
        want, slopes = tape(list(numbers))
        assert near(value[k], want, 2, absolutely=8 * loss * 2.0**-53), (numbers, value[k], want)
        for got, slope in zip(grads, slopes, strict=True):
            assert near(got[k], slope, 8 if name == "cbrt" else 4, absolutely=8 * loss * 2.0**-53), (numbers, got[k], slope)


def near(got: float, want: float, ulps: int, absolutely: float = 0.0) -> bool:
    """Both nan, the same infinity, or so many units in the last place apart; of the signs of zeros nothing is asked."""
    if not math.isfinite(want):
        return bool(got == want or (got != got and want != want))  # noqa: PLR0124  # nan alone differs from itself
    return bool(abs(got - want) <= max(ulps * math.ulp(want), absolutely))


@settings(max_examples=80, deadline=None)
@given(programs(ROUNDED), st.data())
def test_what_is_rounded_by_ieee_is_the_same_on_arrays_to_the_last_bit(program: Program, data: st.DataObject) -> None:
    n = len(program.used)
    samples = data.draw(st.lists(st.lists(NUMBERS, min_size=n, max_size=n), min_size=1, max_size=5))
    tape = taped(program, samples[0])
    value, grads = tape([np.array(column) for column in zip(*samples, strict=True)])
    for k, sample in enumerate(samples):
        want, slopes = tape(sample)
        # 0.0: the sign of a zero is NumPy's where maximum meets two of them
        assert [bits(0.0 + z[k]) for z in (value, *grads)] == [bits(0.0 + z) for z in (want, *slopes)] or zeros_tie(program)


def zeros_tie(program: Program) -> bool:
    """Whether a maximum of 0.0 and -0.0 can reach a division, which tells them apart."""
    names = {step.name for step in program.steps}
    return bool(names & {"maximum", "minimum"} and names & {"div", "sqrt"})


def wobbling(seed: int) -> SimpleNamespace:
    """`floats`, with each function that is not rounded exactly up to 2 units in the last place off."""
    chosen = random.Random(seed)  # noqa: S311  # no secret

    def off(function: Callable[..., float]) -> Callable[..., float]:
        return lambda *inputs: function(*inputs) * (1 + chosen.choice((-1, 1)) * 4 * 2.0**-53)

    names = ("exp", "log", "log1p", "sin", "cos", "tanh", "power")
    return SimpleNamespace(**{**vars(floats), **{name: off(getattr(floats, name)) for name in names}})


@settings(max_examples=25, deadline=None)
@given(cases(numbers=st.floats(-3, 3).map(lambda z: round(z, 4))))
def test_whole_graphs_on_arrays_are_off_by_what_2_ulp_of_each_operation_come_to(case: Any) -> None:
    program, samples = case
    tape = taped(program, samples[0])
    value, grads = tape([np.array(column) for column in zip(*samples, strict=True)])
    rows = [tape.on(wobbling(seed)) for seed in range(6)]
    for k, sample in enumerate(samples):
        want, slopes = tape(sample)
        exact = np.array([want, *slopes])
        others = np.array([[out, *by] for out, by in (row(sample) for row in rows)], dtype=float)
        got = np.array([value[k], *(g[k] for g in grads)])
        if np.isfinite(exact).all() and np.isfinite(others).all():
            allowed = 10 * np.abs(others - exact).max(axis=0) + 1e-15 * np.abs(exact) + 1e-300
            assert (np.abs(got - exact) <= allowed).all(), (got, exact, allowed)


BOTH = pytest.mark.parametrize("kind", ["tape", "native"])
SHAPES = [
    ((), (4,)),
    ((4,), ()),
    ((3,), (3,)),
    ((3, 1), (4,)),
    ((1,), (1, 1)),
    ((0,), ()),
    ((0, 3), (3,)),
    ((2, 3), (2, 1)),
]


def made(kind: str, tape: Tape) -> Any:
    if kind == "native":
        pytest.importorskip("llvmlite", reason="pip install llvmlite")
        return tape.native()
    return tape


@BOTH
@pytest.mark.parametrize("shapes", SHAPES)
def test_arrays_broadcast(kind: str, shapes: Any) -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=shape) for shape in shapes)
    value, grads = made(kind, Tape(x * y + abs(x), [x, y]))([a, b])
    shape = np.broadcast_shapes(*shapes)
    assert isinstance(grads, list)
    for got, want in zip((value, *grads), (a * b + abs(a), b + np.sign(a), a + 0 * b), strict=True):
        assert (got.shape, got.dtype) == (shape, np.float64)
        assert np.array_equal(got, np.broadcast_to(want, shape))


@BOTH
@pytest.mark.parametrize(
    "change",
    [
        lambda a: a,
        np.asfortranarray,
        lambda a: a[::-1, ::2],
        lambda a: a.T,
        lambda a: a.astype(np.float32),
        lambda a: a.astype(int),
        lambda a: a.astype(np.uint8),
        lambda a: a > 0,
        lambda a: a.astype(">f8"),
        lambda a: a.astype(np.longdouble),
        lambda a: a.astype(np.float16),
        lambda a: np.broadcast_to(a[0], (3, 4)),
        lambda a: np.ascontiguousarray(a)[None],
        lambda a: a.tolist(),
        lambda a: np.ndarray((3, 4), buffer=bytearray(97), offset=1),
    ],
)
def test_arrays_of_any_layout_and_type_are_read_as_they_are(kind: str, change: Callable[[Any], Any]) -> None:
    a = change(np.arange(12.0).reshape(3, 4) / 4 - 1)
    before = copy.deepcopy(a)
    if isinstance(a, np.ndarray) and a.flags.owndata:
        a.flags.writeable = False
    value, (by_x, by_y) = made(kind, Tape(x * y + x, [x, y]))([a, 0.5])
    want = np.array(a, dtype=np.float64)
    for got, right in zip((value, by_x, by_y), (want * 1.5, want * 0 + 1.5, want), strict=True):
        assert (got.shape, got.dtype, got.flags.writeable) == (want.shape, np.float64, True)
        assert np.array_equal(got, right)
    assert np.array_equal(a, before)


@BOTH
def test_single_precision_is_computed_in_double(kind: str) -> None:
    tape, single = Tape(x * 0.3 / (x + 1.1), x), np.array([0.1, 0.7], dtype=np.float32)
    value, (slope,) = made(kind, tape)([single])
    for k, number in enumerate(single.tolist()):
        assert same((value[k], [slope[k]]), tape([number]))


@BOTH
def test_an_array_of_the_inputs_gives_an_array_of_the_derivatives(kind: str) -> None:
    call = made(kind, Tape(x * y, [x, y]))
    for shape in ((2,), (2, 3), (2, 3, 4), (2, 0), (2, 1)):
        numbers = np.arange(float(np.prod(shape))).reshape(shape) + 1
        value, grads = call(numbers)
        assert isinstance(grads, np.ndarray)
        assert (np.shape(value), grads.shape) == (shape[1:], shape)
        assert np.array_equal(grads, numbers[::-1])
        assert np.array_equal(value, numbers[0] * numbers[1])
        value, grads = call(list(numbers))
        assert isinstance(grads, list)


@BOTH
def test_what_is_returned_is_the_callers_own(kind: str) -> None:
    call = made(kind, Tape(x + y * 1, [x, y]))
    a, b = np.ones(3), np.ones(3)
    value, grads = call([a, b])
    for returned in (value, *grads):
        returned[:] = 5.0
    assert (a.tolist(), b.tolist()) == ([1.0] * 3, [1.0] * 3)
    assert call([a, b])[0].tolist() == [2.0] * 3
    numbers = np.array([1.0, 2.0])
    _, slopes = call(numbers)
    slopes += 5.0
    assert call(numbers)[1].tolist() == [1.0, 1.0]
    assert numbers.tolist() == [1.0, 2.0]


@BOTH
def test_no_warnings_where_arrays_leave_the_finite_numbers(kind: str) -> None:
    call = made(kind, Tape((x / y).log() + y.exp().sqrt() ** x, [x, y]))
    special = np.array([*GRID, *EXTREME])
    with np.errstate(all="raise"):
        value, _ = call([special[:, None], special])
    assert value.shape == (len(special),) * 2


# --- copies, errors, size


@BOTH
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda tape: pickle.loads(pickle.dumps(tape))])  # noqa: S301
def test_a_tape_can_be_copied_and_sent_to_another_process(kind: str, copied: Callable[[Any], Any]) -> None:
    call = made(kind, Tape(x * y + x.sigmoid() / 3, [x, y]))
    before = call([1.0, 2.0])
    assert copied(call)([1.0, 2.0]) == before
    call([np.ones(3), 2.0])
    assert copied(copied(call))([1.0, 2.0]) == before


@pytest.mark.parametrize(
    ("output", "inputs", "error", "substance"),
    [
        (3.0, [x], TypeError, ("Tape: output", "3.0", "float", "give a Value")),
        (x * y, [x, 3.0], TypeError, ("Tape: inputs[1]", "3.0", "float", "give Values")),
        (x * y, [x, [y]], TypeError, ("Tape: inputs[1]", "list", "give Values")),
        (x * y, 3.0, TypeError, ("Tape: inputs", "3.0")),
        (x * y, None, TypeError, ("Tape: inputs", "None")),
        (x * y, [x * y], ValueError, ("Tape: inputs[0]", "6.0", "result of 'mul'", "leaves of the graph")),
        (x * y, [x, y, x], ValueError, ("Tape: inputs[2]", "'x'", "given twice")),
    ],
)
def test_what_is_no_tape(output: Any, inputs: Any, error: type[Exception], substance: tuple[str, ...]) -> None:
    with pytest.raises(error) as caught:
        Tape(output, inputs)
    assert [part for part in substance if part not in str(caught.value)] == [], str(caught.value)


def test_the_whole_of_what_is_said() -> None:
    with pytest.raises(ValueError, match=r"^Tape: no inputs; give the leaves whose numbers will change$"):
        Tape(x * y, [])
    with pytest.raises(TypeError, match=r"^Tape: output is 3\.0 of type float; give a Value$"):
        Tape(3.0, [x])


def test_nan_goes_through() -> None:
    assert same(Tape(x * y, [x, y])([NAN, 2.0]), (NAN, [2.0, NAN]))


def chain(n: int) -> tuple[Value, Value]:
    a = Value(0.5, "a")
    output = a
    for _ in range(n // 2):
        output = output * 0.5 + a
    return output, a


@pytest.mark.slow
def test_a_chain_of_100_000_operations_and_a_sum_as_wide() -> None:
    output, a = chain(100_000)
    tape = Tape(output, a)
    assert len(tape) == 100_000
    assert tape([1.0]) == (2.0, [2.0])
    assert [g.tolist() for g in tape([np.array([1.0, 3.0])])[1]] == [[2.0, 2.0]]
    leaves = [Value(1.0) for _ in range(33_333)]
    total = Value(0.0)
    for leaf in leaves:
        total = total + leaf * leaf * 0.5
    numbers = [float(k % 7) for k in range(33_333)]
    assert Tape(total, leaves)(numbers) == (sum(k * k * 0.5 for k in numbers), numbers)


def test_the_source_of_a_long_tape_is_run_too() -> None:
    output, a = chain(5_000)
    tape = Tape(output, a)
    assert tape([1.0]) == (2.0, [2.0])
    assert tape.source.count("\n") > 5_000
    assert "_compiled" in vars(tape)


@pytest.mark.slow
def test_a_million_operations_natively() -> None:
    pytest.importorskip("llvmlite", reason="pip install llvmlite")
    gc.disable()
    try:
        output, a = chain(1_000_000)
        fast = Tape(output, a).native()
        assert len(fast.tape) == 1_000_000
        assert fast([1.0]) == (2.0, [2.0])
        assert fast.descend([1.0], steps=2, learning_rate=0.25) == [0.0]
    finally:
        gc.enable()
