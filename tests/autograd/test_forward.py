"""Forward mode: dual numbers and runs along graphs, against the sweep, SymPy's values and exact fractions."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import autograd
import autograd.trees
from autograd import Value, grad, jvp, stop_gradient, tangents
from autograd.forward import Dual, applied
from autograd.functions import function_of
from autograd.operations import FLOATS, OPERATIONS, Operation
from autograd.recording import record
from autograd.trees import unflatten

ROWS = [row for row in OPERATIONS.values() if row.domain]
EXACT = ["add", "sub", "mul", "div", "neg", "abs", "relu", "maximum", "minimum"]


def program(seed: int, length: int, rows: list[Any] = ROWS) -> Callable[..., Any]:
    """A random function of three numbers by operations of the table, each kept within the domain where it is smooth."""

    def f(*x: Any) -> Any:
        rng, numbers = random.Random(seed), list(x)  # noqa: S311  # no secret
        for _ in range(length):
            row = rng.choice(rows)
            operands = [low + (high - low) * autograd.sigmoid(rng.choice([*numbers[-4:], *x])) for low, high in row.domain]
            numbers.append(function_of(row)(*operands))
        return sum(numbers[1:], numbers[0])

    return f


@pytest.mark.parametrize("seed", range(40))
def test_forward_is_reverse_on_random_graphs_of_the_whole_table(seed: int) -> None:
    f, at, v = program(seed, 30), (0.3, -1.1, 2.0), (1.0, -0.5, 0.25)
    leaves = [Value(x) for x in at]
    output = f(*leaves)
    slopes = grad(output, leaves)
    want, size = sum(map(float.__mul__, slopes, v)), sum(abs(a * b) for a, b in zip(slopes, v, strict=True))
    rates = tangents(output, dict(zip(leaves, v, strict=True)))
    assert abs(rates[output] - want) <= 1e-11 * max(size, 1e-3)
    value, rate = jvp(f, at, v)
    assert (value, rate) == (output.data, rates[output])  # the same arithmetic, to the bit
    again = tangents(output, dict(zip(leaves, v, strict=True)), create_graph=True)[output]
    assert again.data == pytest.approx(want, rel=1e-11, abs=1e-11 * size)


@pytest.mark.parametrize("seed", range(10))
def test_random_graphs_use_the_whole_table_between_them_and_second_derivatives_agree(seed: int) -> None:
    f, at, v = program(seed, 8), [0.3, -1.1, 2.0], [1.0, -0.5, 0.25]
    first = autograd.hvp(lambda x: f(*x))(at, v)
    second = jvp(grad(lambda x: f(*x)), (at,), (v,))[1]
    hessian = np.array(autograd.hessian(lambda x: f(*x))(at))
    assert first == second
    assert hessian @ v == pytest.approx(first, rel=1e-10, abs=1e-10)
    assert hessian == pytest.approx(hessian.T, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("seed", range(20))
def test_forward_is_reverse_exactly_on_fractions(seed: int) -> None:
    def f(*x: Any) -> Any:
        rng, numbers = random.Random(seed), list(x)  # noqa: S311  # no secret
        for _ in range(12):
            row = OPERATIONS[rng.choice(EXACT)]
            numbers.append(function_of(row)(*(rng.choice(numbers) for _ in row.domain)))
            if abs(numbers[-1]) > 100 or numbers[-1] == 0:
                numbers[-1] = numbers[0] * 2 - 1 / numbers[1] ** 2
        return sum(numbers[3:], numbers[0] ** 3)

    at, v = (Fraction(1, 3), Fraction(-7, 5), Fraction(2)), (Fraction(1), Fraction(-1, 2), Fraction(1, 4))
    leaves = [Value(x) for x in at]
    output = f(*leaves)
    want: Any = sum(a * b for a, b in zip(grad(output, leaves), v, strict=True))
    assert type(want) is Fraction
    assert tangents(output, dict(zip(leaves, v, strict=True)))[output] == want
    value, rate = jvp(f, at, v)
    assert (value, rate, type(value), type(rate)) == (output.data, want, Fraction, Fraction)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_on_duals_of_floats_values_duals_and_arrays(row: Any) -> None:
    at = [low + 0.37 * (high - low) for low, high in row.domain]
    partials = row.partials(FLOATS, row.forward(*at), *at)
    function = function_of(row)
    for position, partial in enumerate(partials):
        v = [float(i == position) for i in range(len(at))]
        value, rate = jvp(function, at, v)
        assert (value, rate) == (float(row.forward(*at)), pytest.approx(float(partial), rel=1e-14, abs=1e-300))
        mixed = [Value(x) if i != position else x for i, x in enumerate(at)]
        only = jvp(lambda x, p=position, o=mixed: function(*o[:p], x, *o[p + 1 :]), (at[position],), (1.0,))[1]
        assert (only.data if isinstance(only, Value) else only) == rate
        outer = jvp(lambda x, p=position, v=v: jvp(function, [*at[:p], x, *at[p + 1 :]], v)[0], (at[position],), (1.0,))
        assert outer == (value, rate)
        arrays = [np.full((2,), x) for x in at]
        spread = jvp(function, arrays, [np.full(2, s) for s in v])
        assert [x.tolist() for x in spread] == [[value] * 2, [rate] * 2]


def test_no_graph_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Value, "__init__", None)
    monkeypatch.setattr("autograd.forward.record", None)
    assert jvp(lambda x: (x * 3).exp() + autograd.maximum(x, 0) ** 2, (0.0,), (1.0,)) == (1.0, 3.0)


def test_perturbations_of_nested_transforms_are_told_apart() -> None:
    """Siskind & Pearlmutter's example, d/dx (x * d/dy (x + y)) = 1 and not 2, with both modes in both places."""

    def forward(f: Any) -> Any:
        return lambda x: jvp(f, (x,), (1.0,))[1]

    for outer in (forward, grad):
        for inner in (forward, grad):
            assert outer(lambda x, d=inner: x * d(lambda y: x + y)(1.0))(1.0) == 1.0
            assert outer(lambda x, d=inner: x * d(lambda y: x * y)(1.0))(3.0) == 6.0
            assert outer(lambda x, d=inner: d(lambda y: x * y)(x))(3.0) == 1.0
            assert outer(lambda x, d=inner: d(lambda y: x * y * y)(x * x))(3.0) == 54.0  # d/dx 2 x**3
            for third in (forward, grad):
                deep = outer(lambda x, d=inner, e=third: d(lambda y: e(lambda z: x * y**2 * z**3)(x * y))(x))
                assert deep(1.5) == pytest.approx(3 * 4 * 6 * 1.5**5)  # d/dx (d/dy 3 x**3 y**4 at y = x) = d/dx 12 x**6


def test_values_outside_of_f_stay_differentiable() -> None:
    w = Value(2.0, "w")
    value, rate = jvp(lambda x: w * x**3, (2.0,), (1.0,))
    assert (value.data, rate.data, grad(rate, w)) == (16.0, 24.0, 12.0)


def test_a_users_own_operations_with_any_number_of_operands() -> None:
    erf = autograd.operation("t_erf", math.erf, lambda m, out, a: (2 / math.sqrt(math.pi) * m.exp(-a * a),))
    fma = autograd.operation("t_fma", lambda a, b, c: a * b + c, lambda m, out, a, b, c: (b, a, 1))
    gelu = autograd.operation("t_gelu", formula=lambda m, a: a * (1 + m.t_erf(a / math.sqrt(2))) / 2)

    def f(x: Any) -> Any:
        return fma(erf(x), 3.0, gelu(x))

    x = Value(0.4)
    output = f(x)
    first = grad(output, x, create_graph=True)
    assert jvp(f, (0.4,), (1.0,)) == (output.data, pytest.approx(first.data, rel=1e-15))
    assert tangents(output, {x: 1.0})[output] == pytest.approx(first.data, rel=1e-15)
    assert jvp(grad(f), (0.4,), (1.0,))[1] == pytest.approx(grad(first, x), rel=1e-14)
    assert autograd.derivative(f, 2)(0.4) == pytest.approx(grad(first, x), rel=1e-14)


def test_tangents_of_every_node_and_of_seeds_in_the_middle() -> None:
    x, y = Value(3.0), Value(5.0)
    z = x * y
    output = z + x.exp()
    rates = tangents(output, {x: 2.0, z: 100.0})
    assert (rates[x], rates[y], rates[z], rates[output]) == (2.0, 0.0, 110.0, 110.0 + 2 * math.exp(3))
    assert set(rates) == set(autograd.topological_order(output))
    assert tangents(output, {Value(1.0): 1.0})[output] == 0.0
    half = Value(Fraction(1, 2))
    assert tangents(half * half, {half: 1})[half] == Fraction(1)
    assert type(tangents(half * half, {})[half]) is Fraction
    recorded = tangents(output, {x: y}, create_graph=True)[output]
    assert grad(recorded, y) == pytest.approx(10 + math.exp(3))
    assert [v.grad for v in (x, y, z)] == [0.0] * 3


def test_numbers_changed_by_hand_are_those_of_the_recording_or_an_error() -> None:
    x = Value(3.0)
    output = x * x
    x.data = 5.0
    assert tangents(output, {x: 1.0})[output] == 6.0
    with pytest.raises(ValueError, match=r"was 3\.0 when this graph was recorded and is 5\.0 now"):
        tangents(output, {x: 1.0}, create_graph=True)


def test_an_arm_that_was_not_taken_is_sent_nothing_and_edges_are_the_tables() -> None:
    assert jvp(lambda x: autograd.maximum(x, 0), (0.0,), (1.0,)) == (0.0, 0.5)
    assert jvp(autograd.sqrt, (0.0,), (1.0,)) == (0.0, math.inf)
    pick = Operation(
        "t_pick", "pick", max, lambda m, out, a, b: (m.heaviside(a - b, 0), m.heaviside(b - a, 0)), ((0, 1),) * 2, selects=True
    )
    assert [applied(pick, Dual(1, 1.0, math.inf), Dual(1, x, 2.0)).tangent for x in (2.0, 0.0)] == [2.0, math.inf]
    assert jvp(lambda x: x**0, (0.0,), (1.0,)) == (1.0, 0.0)
    huge = Fraction(10) ** 400
    assert jvp(lambda x: x * 0.5, (huge,), (1,)) == (math.inf, 0.5)


def test_duals_are_no_floats_and_compare_by_number() -> None:
    x: Any = Dual(1, 3.0, 1.0)
    assert (x > 2, x == 3.0, 4 < x, x != 4, x <= Value(3.0), +x is x) == (True, True, False, True, True, True)  # noqa: SIM300
    with pytest.raises(TypeError, match="as a float it would lose its tangent; use the functions of autograd"):
        math.exp(x)
    for wrong in ("a", None, 2j, [1.0]):
        with pytest.raises(TypeError, match=r"^operation \*: .* not a real number"):
            x * wrong
    assert (x * np.float64(2), np.float64(2) * x, np.exp(x).data) == (6.0, 6.0, math.exp(3))
    assert repr(np.arange(2.0) * x) == repr(x * np.arange(2.0)) == "array([Dual(0.0, 0.0), Dual(3.0, 1.0)], dtype=object)"
    assert np.maximum(x, 3.0).tangent == 0.5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: jvp(lambda x: x, 1.0, (1.0,)), r"^jvp: primals is 1.0 of type float; give a tuple, \(1.0,\)"),
        (lambda: jvp(lambda x: x, (1.0,), 1.0), "^jvp: tangents is 1.0 of type float"),
        (lambda: jvp(lambda x: x, (1.0,), (1.0, 2.0)), "^jvp: tangents is a tuple with 2, where a tuple with 1 is needed"),
        (lambda: jvp(lambda x: x, ([1.0],), (1.0,)), r"^jvp: tangents\[0\] is a number, where a list with 1 is needed"),
        (lambda: jvp(lambda x: x, ({"a": 1.0},), ({"b": 1.0},)), r"a dict with \['b'\], where a dict with \['a'\] is needed"),
        (lambda: jvp(lambda x: x, (np.ones(2),), (np.ones(3),)), r"array of shape \(3,\), where an array of shape \(2,\)"),
        (lambda: jvp(lambda x: x, (2j,), (1.0,)), "^jvp: primals: 2j is of type complex"),
        (lambda: jvp(lambda x: "text", (1.0,), (1.0,)), "^jvp: f returned something else than numbers: 'text'"),
        (lambda: tangents(1.0, {}), "^tangents: output is 1.0 of type float; give a Value"),  # type: ignore[arg-type]
        (lambda: tangents(Value(1.0), Value(1.0)), "^tangents: seeds is .*; give a dictionary, {x: 1.0}"),  # type: ignore[arg-type]
        (lambda: tangents(Value(1.0), {"x": 1.0}), "^tangents: the key 'x' of seeds is of type str"),  # type: ignore[dict-item]
        (lambda: tangents(Value(1.0), {Value(1.0): "a"}), "^tangents: seeds: 'a' is of type str"),
        (lambda: tangents(Value(1.0), {Value(1.0): Value(2.0)}), "is a recorded number; use create_graph=True, or its .data"),
    ],
)
def test_mistakes_say_what_to_give(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        call()


def test_what_is_cut_off_has_no_tangent_forwards_either() -> None:
    for cut in (stop_gradient, lambda v: v.detach()):
        assert jvp(lambda x, cut=cut: x * cut(x), (3.0,), (1.0,)) == (9.0, 3.0)
        assert jvp(lambda x, cut=cut: jvp(lambda y: x * y * cut(y), (x,), (1.0,))[1], (3.0,), (1.0,)) == (9.0, 3.0)


def test_arrangements_survive() -> None:
    at = {"w": np.array([[1.0, 2.0]]), "b": [3, (4.0, Fraction(1, 2))]}
    value, rate = jvp(lambda t: t, (at,), ({"b": [1, (2.0, Fraction(1, 3))], "w": np.ones((1, 2))},))
    assert value["w"].dtype == rate["w"].dtype == float
    assert (value["b"], rate["b"]) == ([3.0, (4.0, Fraction(1, 2))], [1.0, (2.0, Fraction(1, 3))])
    assert list(value) == ["w", "b"]
    assert unflatten(autograd.trees.flatten(np.array(3.0))[1], [1.0]).shape == ()


def test_record_asks_an_operand_that_computes_for_itself() -> None:
    assert isinstance(record(Value, OPERATIONS["exp"], Dual(1, 0.0, 1.0)), Dual)


def test_a_picture_shows_tangents_in_the_boxes() -> None:
    x, y = Value(3.0, "x"), Value(-5.0, "y")
    output = x * y + 2
    source = autograd.draw(output, tangents={y: 2.0}).source
    assert re.findall(r"tangent ([^<]+)<", source) == ["0", "2", "6", "6"]
    assert "tangent" not in autograd.draw(output).source
    with pytest.raises(TypeError, match=r"^tangents: the key"):
        autograd.draw(output, tangents={"y": 1.0})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match=r"^tangents: seeds is 3 of type int"):
        autograd.draw(output, tangents=3)  # type: ignore[arg-type]


def test_choices_and_operations_of_a_list_on_duals() -> None:
    def f(v: Any) -> Any:
        soft = autograd.softmax(v)
        chosen = autograd.where(autograd.less(v[0], v[1]), v[0] * v[1], autograd.log(v[0] - v[1]))
        parts = [autograd.clip(v[0] * 3, -1, 2), autograd.where(v[0] < v[1], v[2], 0.0), autograd.mean(v), chosen]
        return autograd.total(parts) + autograd.dot(soft, v) * autograd.logsumexp([v[0], 0.3, v[2]])

    at, v = [0.3, 0.9, -0.4], [1.0, -0.5, 2.0]
    leaves = [Value(x) for x in at]
    want = sum(a * b for a, b in zip(grad(f(leaves), leaves), v, strict=True))
    assert jvp(f, (at,), (v,)) == (f(leaves).data, pytest.approx(want, rel=1e-14))
    second = autograd.hvp(f)(at, v)
    assert second == pytest.approx(np.array(autograd.hessian(f)(at)) @ v, rel=1e-12)
    only = jvp(lambda x: f([x, leaves[1], leaves[2]]), (0.3,), (1.0,))[1]
    assert only.data == pytest.approx(grad(f(leaves), leaves[0]), rel=1e-14)
