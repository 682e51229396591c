"""A user's own operations on every kind of tape: one with a native form, one of a formula, one with three operands."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from programs import GRID, INF, NAN, same

from autograd import Tape, Value, grad, operation
from autograd.operations import OPERATIONS
from autograd.tape import native, replay
from autograd.tape.native import kernel

SLOPE = 2 / math.sqrt(math.pi)
KINDS = pytest.mark.parametrize("kind", ["straight", "interpreted"])
SIZES = pytest.mark.parametrize("repeated", [1, 600])  # 600 make more than LARGEST_STRAIGHT operations
Function = Callable[..., Any]


@pytest.fixture
def erf() -> Function:
    return operation("tape_erf", math.erf, lambda m, out, a: (SLOPE * m.exp(-a * a),), native="erf")


@pytest.fixture
def gelu(erf: Function) -> Function:  # noqa: ARG001  # it is called by its name
    return operation("tape_gelu", formula=lambda m, a: a * (1 + m.tape_erf(a / math.sqrt(2))) / 2)


@pytest.fixture
def blend() -> Function:
    return operation("tape_blend", formula=lambda m, c, a, b: c * a + (1 - c) * b)


@pytest.fixture
def own(erf: Function, gelu: Function, blend: Function) -> Function:
    """A function of three Values with all of them in it; every fifth operation has three operands, two of them results."""

    def function(a: Any, b: Any, c: Any, repeated: int = 1) -> Any:
        total = a
        for _ in range(repeated):
            total = blend(c, erf(total) * b, gelu(total + 0.25))
            total = blend(0.5, total, total)
        return total

    return function


def leaves() -> list[Value]:
    return [Value(0.3, "a"), Value(0.8, "b"), Value(0.4, "c")]


def taped(function: Function, repeated: int) -> Tape:
    inputs = leaves()
    return Tape(function(*inputs, repeated), inputs)


def engine(function: Function, numbers: Any, repeated: int) -> tuple[Any, list[Any]]:
    nodes = list(map(Value, numbers))
    output = function(*nodes, repeated)
    return output.data, grad(output, nodes)


AT = [(0.7, 1.2, 0.4), (-0.3, 0.1, 2.0), (0.0, -0.0, 1.0), (1e300, 2.0, 0.5), (INF, 1.0, 0.5), (NAN, 1.0, 1.0)]


@SIZES
@pytest.mark.parametrize("largest", [10_000, -1])
def test_on_floats(own: Function, repeated: int, largest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    tape = taped(own, repeated)
    monkeypatch.setattr(replay, "LARGEST_SOURCE", largest)
    for numbers in AT:
        assert same(tape(list(numbers)), engine(own, numbers, repeated)), numbers
    assert ("_compiled" in vars(tape)) == (largest > 0)


@SIZES
@KINDS
def test_natively(own: Function, repeated: int, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("llvmlite", reason="pip install llvmlite")
    tape = taped(own, min(repeated, 60) if kind == "straight" else repeated)
    monkeypatch.setattr(native, "LARGEST_STRAIGHT", 10**9 if kind == "straight" else -1)
    fast = tape.native()
    for numbers in AT:
        assert same(fast(list(numbers)), tape(list(numbers))), numbers
    value, grads = fast(list(np.array(AT).T))
    for k, numbers in enumerate(AT):
        assert same((value[k], [g[k] for g in grads]), tape(list(numbers)))
    moved = [0.7, 1.2, 0.4]
    for _ in range(3):
        moved = [x - 0.1 * dx for x, dx in zip(moved, tape(moved)[1], strict=True)]
    assert fast.descend([0.7, 1.2, 0.4], steps=3, learning_rate=0.1) == moved


def test_a_large_tape_is_interpreted(own: Function) -> None:
    pytest.importorskip("llvmlite", reason="pip install llvmlite")
    tape = taped(own, 600)
    fast = tape.native()
    assert len(tape) > native.LARGEST_STRAIGHT
    assert fast._arrays is not None
    assert same(fast([0.7, 1.2, 0.4]), engine(own, [0.7, 1.2, 0.4], 600))


@SIZES
def test_on_arrays(own: Function, repeated: int) -> None:
    tape = taped(own, repeated)
    value, grads = tape([np.array([[0.7], [-0.3]]), np.array([1.2, 0.1, 0.4]), 0.4])
    assert [z.shape for z in (value, *grads)] == [(2, 3)] * 4
    for i, a in enumerate((0.7, -0.3)):
        for j, b in enumerate((1.2, 0.1, 0.4)):
            want, slopes = tape([a, b, 0.4])
            assert [value[i, j], *(g[i, j] for g in grads)] == pytest.approx([want, *slopes], rel=1e-13, abs=1e-300)


@SIZES
def test_on_values(own: Function, repeated: int) -> None:
    given = list(map(Value, (0.7, 1.2, 0.4)))
    value, grads = taped(own, repeated)(given)
    nodes = list(map(Value, (0.7, 1.2, 0.4)))
    want = own(*nodes, repeated)
    slopes = grad(want, nodes, create_graph=True)
    assert same((value.data, [g.data for g in grads]), (want.data, [g.data for g in slopes]))
    if repeated == 1:
        assert grad(grads[0], given) == pytest.approx(grad(slopes[0], nodes), rel=1e-12)


def test_fractions_stay_exact_where_the_operation_is(blend: Function) -> None:
    a, b, c = leaves()
    value, grads = Tape(blend(a, b, c), [a, b, c])([Fraction(1, 3), Fraction(1, 2), Fraction(1, 5)])
    assert (value, grads) == (Fraction(3, 10), [Fraction(3, 10), Fraction(1, 3), Fraction(2, 3)])


def test_on_other_modules(own: Function, blend: Function) -> None:
    a, b, c = leaves()
    letters = sympy.symbols("a b c")
    value, grads = Tape(blend(a, b, c), [a, b, c]).on(sympy)(letters)
    assert [sympy.expand(sympy.diff(value, z) - g) for z, g in zip(letters, grads, strict=True)] == [0, 0, 0]
    tape = taped(own, 1)
    with pytest.raises(NotImplementedError, match=r"^this module has no function tape_erf; give the operation as a formula"):
        tape.on(SimpleNamespace(exp=mpmath.exp, log=mpmath.log))([mpmath.mpf(1)] * 3)
    module = SimpleNamespace(exp=mpmath.exp, log=mpmath.log, tape_erf=mpmath.erf)
    assert [float(z) for z in tape.on(module)([mpmath.mpf("0.7"), 1, 0.5])[1]] == pytest.approx(tape([0.7, 1.0, 0.5])[1])


def test_an_array_function_is_used_on_arrays() -> None:
    seen: list[Any] = []

    def array(a: Any) -> Any:
        seen.append(a)
        return a * a

    square = operation("tape_square", lambda a: a * a, lambda m, out, a: (2 * a,), array=array)
    x = Value(2.0)
    value, (slope,) = Tape(square(x), x)([np.array([1.0, 3.0])])
    assert (value.tolist(), slope.tolist(), len(seen)) == ([1.0, 9.0], [2.0, 6.0], 1)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda tape: pickle.loads(pickle.dumps(tape))])  # noqa: S301
def test_copied_and_pickled(own: Function, copied: Callable[[Any], Any]) -> None:
    tape = taped(own, 2)
    want = tape([0.7, 1.2, 0.4])
    assert copied(tape)([0.7, 1.2, 0.4]) == copied(copied(tape))([0.7, 1.2, 0.4]) == want
    pytest.importorskip("llvmlite", reason="pip install llvmlite")
    assert copied(tape.native())([0.7, 1.2, 0.4]) == want


def test_without_registration_a_pickled_tape_says_what_is_missing(own: Function) -> None:
    text = pickle.dumps(taped(own, 1))
    del OPERATIONS["tape_blend"]
    with pytest.raises(LookupError, match="'tape_blend' is not registered here"):
        pickle.loads(text)  # noqa: S301  # our own


@pytest.mark.parametrize("composed", [False, True])
@pytest.mark.parametrize("repeated", [1, 2_001])
def test_without_a_native_form_there_is_one_error_that_names_the_argument(composed: bool, repeated: int) -> None:
    pytest.importorskip("llvmlite", reason="pip install llvmlite")
    mine = operation("my_op", lambda a: a * a, lambda m, out, a: (2 * a,))
    function = operation("my_formula", formula=lambda m, a: 1 + m.my_op(a)) if composed else mine
    x = Value(0.5)
    output = x
    for _ in range(repeated):
        output = function(output)
    with pytest.raises(NotImplementedError) as caught:
        Tape(output, x).native()
    assert str(caught.value) == "my_op has no native form; give operation(..., native='name of a function of the C library')"


@pytest.mark.parametrize("name", ["no_such_function", "a b", "__class__", "\u00e9", '"'])
def test_a_function_that_the_c_library_does_not_have(name: str) -> None:
    pytest.importorskip("llvmlite", reason="pip install llvmlite")
    mine = operation("my_op", lambda a: a, lambda m, out, a: (1,), native=name)
    x = Value(0.5)
    with pytest.raises(ValueError, match=r"^my_op: the C library has no function .*; give operation\(\.\.\., native=\.\.\.\)"):
        Tape(mine(x), x).native()


@KINDS
def test_native_functions_of_any_arity(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("llvmlite", reason="pip install llvmlite")
    monkeypatch.setattr(native, "LARGEST_STRAIGHT", 10**9 if kind == "straight" else -1)
    hypot = operation("tape_hypot", math.hypot, lambda m, out, a, b: (m.div(a, out), m.div(b, out)), native="hypot")
    fma = operation("tape_fma", lambda a, b, c: a * b + c, lambda m, out, a, b, c: (b, a, 1), native="fma")
    a, b, c = leaves()
    for output in (hypot(fma(a, b, c), c), fma(hypot(a, b), a, 2.0) + fma(1.0, a, b) * c):
        tape = Tape(output, [a, b, c])
        assert same(tape.native()([3.0, 2.0, -2.0]), tape([3.0, 2.0, -2.0]))  # whole numbers: nothing is rounded in between


@KINDS
def test_a_choice_of_whole_numbers_and_a_truth_are_floats(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "LARGEST_STRAIGHT", 10**9 if kind == "straight" else -1)
    bump = operation("tape_bump", formula=lambda m, a: m.where(a > 0, 1, 0), partials=lambda m, out, a: (m.where(a > 0, 1, 0),))
    above = operation("tape_above", formula=lambda m, a, b: m.greater(a, b), partials=lambda m, out, a, b: (0, 0))
    x, y = Value(0.5, "x"), Value(0.7, "y")
    tape = Tape(-bump(x) + 2 * above(x, y) * y + bump(x) * x, [x, y])
    for a in GRID:
        for b in (0.0, -0.0, 1.0, NAN):
            nodes = Value(a), Value(b)
            want = -bump(nodes[0]) + 2 * above(*nodes) * nodes[1] + bump(nodes[0]) * nodes[0]
            assert same(tape([a, b]), (want.data, grad(want, nodes)))
            assert same(tape.native()([a, b]) if b == 1.0 else tape([a, b]), tape([a, b]))


def test_a_record_that_was_registered_anew_stays_what_it_was() -> None:
    pytest.importorskip("llvmlite", reason="pip install llvmlite")
    x = Value(0.5)
    old = operation("tape_twice", lambda a: 2 * a, lambda m, out, a: (2,), native="sin")(x)
    new = operation("tape_twice", math.cos, lambda m, out, a: (-m.sin(a),), native="cos")
    tape = Tape(new(old), x)
    assert tape([0.25]) == (math.cos(0.5), [-math.sin(0.5) * 2])
    assert tape([np.array([0.25])])[0].tolist() == [math.cos(0.5)]
    assert tape([Value(0.25)])[0].parents[0].operation is old.operation
    assert tape.native()([0.25])[0] == math.cos(math.sin(0.25))
    assert sorted(tape._source.own) == ["tape_twice", "tape_twice__2"]


@pytest.mark.parametrize("symbol", ["+", "%", "@", "-", "<", "**"])
def test_a_symbol_of_pythons_is_still_a_call(symbol: str) -> None:
    mine = operation("tape_mine", lambda a, b: 100 * a + b, lambda m, out, a, b: (100, 1), symbol=symbol)
    x, y = Value(1.0, "x"), Value(2.0, "y")
    tape = Tape(mine(x, y) * 2, [x, y])
    assert "tape_mine(x, y)" in tape.source
    assert tape([3.0, 4.0]) == (608.0, [200.0, 2.0])


def test_names_of_inputs_and_of_operations_do_not_meet() -> None:
    names = ["v1", "t1", "x1", "d_x", "replay", "inf", "print"]
    x = Value(0.5, "tape_a")
    total = x
    for name in names:
        total = total + operation(name, lambda a: 2 * a, lambda m, out, a: (2,))(total * 0.5)
        total.label = name
    assert Tape(total, x)([1.0]) == (128.0, [128.0])


def test_what_a_forward_returns_is_a_float_in_the_end() -> None:
    whole = operation("tape_whole", lambda a: int(a > 0), lambda m, out, a: (0,))
    single = operation("tape_single", np.float64, lambda m, out, a: (1,))
    x = Value(0.5)
    tape = Tape(whole(x), x)
    assert [type(z) for z in (tape([2.0])[0], Tape(single(x), x)([2.0])[0])] == [float, float]
    assert tape([np.array([2.0, -1.0])])[0].dtype == np.float64


def test_an_error_in_a_forward_is_the_users() -> None:
    def refuse(a: float) -> float:
        if a < 0:
            raise ValueError("no negative numbers here")
        return a

    mine = operation("tape_refuse", refuse, lambda m, out, a: (1,))
    x = Value(0.5)
    with pytest.raises(ValueError, match="no negative numbers here"):
        Tape(mine(x), x)([-1.0])


@pytest.mark.usefixtures("own")
def test_the_interpreter_has_the_cases_of_these_operations_in_addition() -> None:
    rows = tuple((OPERATIONS[name], len(OPERATIONS[name].domain)) for name in ("tape_erf", "tape_gelu", "tape_blend"))
    codes = kernel.codes_of(rows)
    assert [codes[call, kernel.ALL] for call in rows] == [len(kernel.codes_of()) + k for k in range(3)]
    assert kernel.interpreter(rows).text.count("@c_erf_1(") > kernel.interpreter().text.count("@c_erf_1(")
