"""A Value as a number: operators, operands, refusals; `backward`; copies; micrograd's code; size and length of graphs."""

from __future__ import annotations

import copy
import gc
import math
import operator
import pickle
import random
import tracemalloc
import weakref
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from rows import changed

from autograd import Value, grad, topological_order
from autograd.floats import as_float, shown
from autograd.operations import CONSTANT, OPERATIONS
from autograd.recording import record
from autograd.value import UNSWEPT

OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": operator.pow,
}
COMPARISONS = (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne)
NUMBERS = (3, 1.5, Fraction(1, 4), True, np.float64(2.5), np.float32(0.1), np.int64(2), Decimal("0.5"))
METHODS = ("exp", "log", "sqrt", "sin", "cos", "tanh", "sigmoid", "relu", "softplus")


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: type(number).__name__)
@pytest.mark.parametrize("name", OPERATORS)
def test_operators_take_a_number_on_either_side(name: str, number: Any) -> None:
    x, apply = Value(2.0), OPERATORS[name]
    for output, want in ((apply(x, number), apply(2.0, float(number))), (apply(number, x), apply(float(number), 2.0))):
        assert type(output) is Value
        assert output.data == want
        assert type(output.data) is float
        assert output.operation is OPERATIONS[name]
        assert [parent.operation is CONSTANT for parent in output.parents] == [parent is not x for parent in output.parents]
    assert (apply(x, number).parents[0], apply(number, x).parents[1]) == (x, x)
    assert apply(x, Value(float(number))).data == apply(2.0, float(number))


def test_one_operator_is_one_node() -> None:
    x, y = Value(2.0), Value(3.0)
    for output in (x + y, x - y, x * y, x / y, x**y, -x, abs(x), *(getattr(x, name)() for name in METHODS)):
        assert set(output.parents) <= {x, y}
    assert (x**y).parents == (x, y)
    assert (x - 1).parents[1].data == 1


@pytest.mark.parametrize("name", METHODS)
def test_methods_apply_their_row(name: str) -> None:
    output = getattr(Value(0.5), name)()
    assert (output.data, output.operation) == (OPERATIONS[name].forward(0.5), OPERATIONS[name])
    assert getattr(Value, name).__name__ == name
    assert getattr(Value, name).__doc__.startswith(f"{name} of this Value")


@pytest.mark.parametrize("output", [Value(2.0).exp(), Value(2.0) * 3, 3 - Value(2.0), (Value(2.0) * 3).parents[1]])
def test_a_result_and_a_constant_start_without_gradient_and_label(output: Value) -> None:
    assert (output.grad, output.label, type(output.label)) == (0.0, "", str)
    assert repr(output).endswith("grad=0.0)")


def test_a_rule_of_ones_own_has_to_give_numbers() -> None:
    x = Value(2.0)
    exp, mul = (changed(OPERATIONS[name], forward=lambda *at: "two") for name in ("exp", "mul"))
    with pytest.raises(TypeError, match=r"^result of exp: 'two' is of type str, not a real number"):
        record(Value, exp, x)
    with pytest.raises(TypeError, match=r"^result of \*: 'two' is of type str, not a real number"):
        record(Value, mul, x, x)


def test_negation_and_absolute_value() -> None:
    assert ((-Value(2.0)).data, abs(Value(-2.0)).data, abs(Value(2.0)).data) == (-2.0, 2.0, 2.0)


@pytest.mark.parametrize("compare", COMPARISONS)
@pytest.mark.parametrize("number", [*NUMBERS, 2, 2.0, math.nan])
def test_comparisons_are_those_of_the_numbers(compare: Callable[..., bool], number: Any) -> None:
    assert bool(compare(Value(2.0), number)) is bool(compare(2.0, number))
    assert compare(Value(2.0), Value(number)) is compare(2.0, float(number))


@pytest.mark.parametrize("compare", COMPARISONS)
@pytest.mark.parametrize("number", NUMBERS)
def test_comparisons_with_the_number_on_the_left(compare: Callable[..., bool], number: Any) -> None:
    assert bool(compare(number, Value(2.0))) is bool(compare(number, 2.0))


def test_comparisons_with_other_things_are_pythons() -> None:
    assert (Value(2.0) == "2.0", Value(2.0) != None) == (False, True)  # noqa: E711 (the operator is what is tested)
    with pytest.raises(TypeError, match="not supported"):
        assert Value(2.0) < "3"


class Foreign:
    """Like an array of another library: it has a shape, and it knows what to do with a Value, or says that it does not."""

    shape = (2,)
    __array_ufunc__ = None

    def __gt__(self, other: Any) -> Any:
        return other


def test_another_kind_of_operand_is_asked_itself() -> None:
    x: Any = Value(2.0)
    assert (x < Foreign()) is x
    uses: tuple[Callable[[], Any], ...] = (lambda: Foreign() + x, lambda: x + Foreign(), lambda: Foreign() ** x)
    for use in uses:
        with pytest.raises(TypeError, match="unsupported operand"):
            use()


def test_equal_numbers_are_kept_apart_in_sets() -> None:
    x, y = Value(2.0), Value(2.0)
    assert x == y
    assert len({x, y, x}) == 2
    assert {x: "x", y: "y"}[y] == "y"


def test_a_value_converts_to_float_and_bool_and_prints() -> None:
    assert (Value(2).item(), f"{Value(2 / 3):.3f}", f"{Value(2)}") == (2.0, "0.667", "Value(data=2.0, grad=0.0)")
    assert (bool(Value(0.0)), bool(Value(-0.0)), bool(Value(math.nan)), bool(Value(0.1))) == (False, False, True, True)
    assert repr(Value(2, "it's")) == 'Value(data=2.0, grad=0.0, label="it\'s")'
    assert repr(Value(Fraction(1, 2))) == "Value(data=1/2, grad=0)"
    assert repr(Value(1) * 3) == "Value(data=3.0, grad=0.0)"


def test_arithmetic_is_ieees() -> None:
    zero, big = Value(0.0), Value(1e308)
    assert ((1 / zero).data, (-1 / zero).data, (1 / -zero).data) == (math.inf, -math.inf, -math.inf)
    assert ((big * 10).data, (big**2).data, (big.exp()).data, zero.log().data) == (math.inf, math.inf, math.inf, -math.inf)
    assert all(
        math.isnan(v.data) for v in (zero / 0, Value(-8.0) ** (1 / 3), (-big).log(), (-big).sqrt(), Value(math.inf).sin())
    )


REFUSED = [
    # operand, what the message says beside the operation: operand and remedy
    ("3", "'3' is of type str", "give an int, a float or a Fraction"),
    (None, "None is of type NoneType", "give an int, a float or a Fraction"),
    (2j, "2j is of type complex", "give an int, a float or a Fraction"),
    ([1.0], r"\[1.0\] is of type list", "give an int, a float or a Fraction"),
]


@pytest.mark.parametrize(("operand", "what", "remedy"), REFUSED, ids=lambda part: type(part).__name__)
def test_what_is_no_number_is_refused_by_name(operand: Any, what: str, remedy: str) -> None:
    with pytest.raises(TypeError, match=f"^Value: {what}.*; .*{remedy}"):
        Value(operand)
    for name, apply in OPERATORS.items():
        operation = {"add": "(\\+|add)", "sub": "(-|subtract)", "mul": "(\\*|multiply)", "div": "(/|divide)"}.get(
            name, "(\\*\\*|power)"
        )
        with pytest.raises(TypeError, match=f"^operation {operation}: {what}.*; .*{remedy}"):
            apply(Value(2.0), operand)
        with pytest.raises(TypeError, match=f"^operation {operation}: {what}.*; .*{remedy}"):
            apply(operand, Value(2.0))


def test_the_remedies_are_whole_sentences() -> None:
    array = np.ones(1)
    remedies = {
        "give an int, a float or a Fraction": None,
        "it is a Value already: use it as it is, or its .data for the bare number": Value(2.0),
        "a Value holds one number; array.astype(object) and NumPy's functions compute with Values element by element": array,
    }
    for remedy, wrong in remedies.items():
        with pytest.raises(TypeError, match="is of type") as caught:
            Value(wrong)
        assert str(caught.value) == f"Value: {wrong!r} is of type {type(wrong).__name__}, not a real number; {remedy}"


def test_what_has_a_shape_but_is_no_array_of_numpys_is_refused_by_name() -> None:
    class Tensor:
        shape = (2,)

    with pytest.raises(TypeError, match=r"^operation \+: <.* is of type Tensor, not a real number; give"):
        Value(2.0) + Tensor()


@pytest.mark.parametrize("label", [3, None, b"x", Value(1.0)])
def test_a_label_is_a_string(label: Any) -> None:
    with pytest.raises(TypeError, match=rf"^Value: the label .* is of type {type(label).__name__}; give a string"):
        Value(1.0, label)


@pytest.mark.parametrize("power", [400, 5000])
def test_an_int_beyond_the_floats_is_refused_with_the_remedy(power: int) -> None:
    with pytest.raises(ValueError, match=r"^Value: 1(000.*|e5000) is too large for a float; give it as a Fraction"):
        Value(10**power)
    with pytest.raises(ValueError, match=r"^operation \+: 1(000.*|e5000) is too large for a float; give it as a Fraction"):
        Value(1.0) + 10**power
    exact: Any = Value(Fraction(10**power)).data
    assert type(exact) is Fraction


@pytest.mark.parametrize("wrong", ["3", None, 2j, [1.0], np.array([1.0, 2.0])])
def test_a_wrong_number_put_there_by_hand_is_refused_and_what_was_there_stays(wrong: Any) -> None:
    x = Value(2.0, "x")
    x.grad = 5.0
    with pytest.raises(TypeError, match=rf"^Value.data: .* is of type {type(wrong).__name__}, not a real number"):
        x.data = wrong
    with pytest.raises(TypeError, match=rf"^Value.grad: .* is of type {type(wrong).__name__}, not a real number"):
        x.grad = wrong
    with pytest.raises(TypeError, match=r"^Value: the label 5 is of type int; give a string"):
        x.label = 5  # type: ignore[assignment]  # the mistake
    assert (x.data, x.grad, x.label) == (2.0, 5.0, "x")


@pytest.mark.parametrize("number", [3, True, np.float64(3.0), np.float32(0.1), Decimal(2)])
def test_another_kind_of_number_put_there_by_hand_gives_floats(number: Any) -> None:
    x = Value(2.0)
    x.data = number
    for output in (x + x, x * x, -x):
        assert type(output.data) is float


def test_object_arrays_compute_element_by_element() -> None:
    w, x = np.array([[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]]), np.array([Value(0.5), Value(-0.25)])
    output = (w @ x).sum()
    output.backward()
    assert [v.data for v in w @ x] == [0.0, 0.5]
    assert [[v.grad for v in row] for row in w] == [[0.5, -0.25], [0.5, -0.25]]
    assert [v.grad for v in x] == [4.0, 6.0]
    assert [v.data for v in w[0] @ np.array([2.0, 3.0]).astype(object).reshape(2, 1)] == [8.0]


@pytest.mark.parametrize("name", ["exp", "log", "sqrt", "sin", "cos", "tanh", "absolute", "negative"])
def test_numpys_functions_of_a_value_and_of_an_object_array(name: str) -> None:
    row = OPERATIONS[{"absolute": "abs", "negative": "neg"}.get(name, name)]
    x = Value(0.5)
    array = getattr(np, name)(np.array([x, Value(2.0)], dtype=object))
    assert [type(v) for v in array] == [Value, Value]
    assert [v.data for v in array] == [row.forward(0.5), row.forward(2.0)]
    single = getattr(np, name)(x)
    assert (type(single), single.data, single.parents, single.operation) == (Value, row.forward(0.5), (x,), row)


@pytest.mark.parametrize("name", OPERATORS)
def test_an_object_array_beside_a_value(name: str) -> None:
    x, apply, numbers = Value(2.0), OPERATORS[name], [1.0, 3.0]
    array = np.array([Value(number) for number in numbers])
    assert [v.data for v in apply(array, x)] == [apply(number, 2.0) for number in numbers]
    assert [v.data for v in apply(x, array)] == [apply(2.0, number) for number in numbers]
    assert [v.data for v in apply(x, np.array(numbers, dtype=object))] == [apply(2.0, number) for number in numbers]


def test_numpys_options_reach_numpy() -> None:
    x: Any = Value(2.0)
    out = np.array([None, None], dtype=object)
    assert np.multiply(x, np.array([3.0, 5.0], dtype=object), out=out, where=np.array([True, False])) is out
    assert (out[0].data, out[1]) == (6.0, None)


def test_an_array_of_floats_beside_a_value_is_an_array_of_values() -> None:
    x: Any = Value(2.0)
    for found in (x * np.array([1.0, 3.0]), np.array([1.0, 3.0]) * x, np.multiply(np.array([1.0, 3.0]), x)):
        assert [(type(v), v.data) for v in found] == [(Value, 2.0), (Value, 6.0)]
        assert grad(found.sum(), x) == 4.0
    assert [v.data for v in np.array([1.0, 3.0]) - x] == [-1.0, 1.0]


@pytest.mark.parametrize("number", [np.array(3.0), np.array(3), np.bool_(True), np.longdouble(3), np.float16(0.5)])
def test_numpys_numbers_of_every_kind_are_numbers_on_either_side(number: Any) -> None:
    x: Any = Value(2.0)
    want = float(number)
    for found in (x * number, number * x, x + number, number - x, x**number):
        assert (type(found), type(found.data)) == (Value, float)
    assert ((x * number).data, (number * x).data, (number - x).data) == (2 * want, 2 * want, want - 2)


class Vector:
    """A user's class with operators of its own."""

    def __init__(self, *entries: Any) -> None:
        self.entries = entries

    def __rmul__(self, other: Any) -> Any:
        return [other * entry for entry in self.entries]


def test_what_has_operators_of_its_own_is_asked() -> None:
    x: Any = Value(2.0)
    assert [v.data for v in x * Vector(1.0, 3.0)] == [2.0, 6.0]
    with pytest.raises(TypeError, match=r"^operation \+: .* is of type Vector, not a real number"):
        x + Vector(1.0)


def test_backward_fills_the_whole_graph() -> None:
    x, y = Value(2.0), Value(3.0)
    product = x * y
    output = product + x
    output.backward()
    assert (output.grad, product.grad, x.grad, y.grad) == (1.0, 1.0, 4.0, 2.0)


def test_leaves_accumulate_and_results_are_replaced() -> None:
    x = Value(3.0)
    square = x * x
    output = square * 2
    for times in (1, 2, 3):
        output.backward()
        assert (x.grad, square.grad, output.grad) == (12.0 * times, 2.0, 1.0)
    (x * 5).backward()
    assert x.grad == 41.0


def test_backward_of_a_leaf_is_one() -> None:
    x = Value(3.0)
    x.backward()
    assert x.grad == 1.0


def test_constants_keep_no_gradient() -> None:
    output = Value(2.0) * 3 + 1
    output.backward()
    assert [node.grad for node in topological_order(output) if node.operation is CONSTANT] == [0.0, 0.0]


def test_a_diamond_sums_both_sides() -> None:
    x = Value(2.0)
    shared = x * 3
    output = shared * shared + shared
    output.backward()
    assert (shared.grad, x.grad) == (13.0, 39.0)


def test_deep_sharing_costs_one_visit_a_node() -> None:
    x = one = Value(1.0)
    for _ in range(60):
        x = x * x
    x.backward()
    assert one.grad == 2.0**60


def test_fractions_stay_exact_through_backward() -> None:
    x, y = Value(Fraction(2, 3)), Value(Fraction(5, 7))
    output = (3 * x * y - x**2 / 7 + abs(-y) ** -1).relu()
    output.backward()
    assert output.data == 3 * x.data * y.data - x.data**2 / 7 + 1 / y.data
    assert (x.grad, y.grad) == (3 * y.data - 2 * x.data / 7, 3 * x.data - 1 / y.data**2)
    numbers: list[Any] = [output.data, output.grad, x.grad, y.grad]
    assert {type(n) for n in numbers} == {Fraction}


@pytest.mark.parametrize("number", [3, True, np.int64(3), np.uint8(3), 2**60 + 1, -(2**60) - 1, 10**400])
def test_a_whole_number_of_any_kind_beside_a_fraction_is_exact(number: Any) -> None:
    third = Fraction(1, 3)
    for output, want in ((Value(third) * number, third * int(number)), (number - Value(third), int(number) - third)):
        assert (type(output.data), output.data) == (Fraction, want)


@pytest.mark.parametrize("number", [3, True, np.int64(3), 2**60 + 1, Fraction(1, 2), Decimal("0.5")])
def test_a_constant_beside_a_float_is_a_float_unless_it_is_a_fraction(number: Any) -> None:
    constant = (Value(2.0) * number).parents[1]
    assert (type(constant.data), constant.data) == (Fraction if type(number) is Fraction else float, float(number))


def test_large_fractions_stay_exact_through_backward() -> None:
    x = Value(Fraction(10) ** 200)
    (x**2).backward()
    assert x.grad == 2 * Fraction(10) ** 200


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div"])
def test_a_fraction_beyond_the_floats_beside_a_float_does_not_raise(name: str) -> None:
    assert type(OPERATORS[name](Value(Fraction(10) ** 400), 1.5).data) is float


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("sign", [1, -1])
def test_a_function_of_a_fraction_beyond_the_floats_is_that_of_infinity(name: str, sign: int) -> None:
    huge, infinite = (getattr(Value(sign * x), name)().data for x in (Fraction(10) ** 400, math.inf))
    assert repr(as_float(huge)) == repr(infinite)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Fraction(10) ** 5000, "1e5000"),
        (-(Fraction(10) ** 5000), "-1e5000"),
        (Fraction(1, 10**5000), "1e-5000"),
        (Fraction(7 * 10**4999, 10**5000 + 1), "1e-0"),
        (Fraction(10) ** 59, "1" + "0" * 59),
        (Fraction(10) ** 60, "1" + "0" * 39 + "..."),
        (-1.5, "-1.5"),
    ],
)
def test_a_number_of_any_length_is_shown_in_one_line(number: Any, text: str) -> None:
    assert shown(number) == text
    assert repr(Value(number)) == f"Value(data={text}, grad={shown(type(number)())})"


def test_a_long_fraction_prints() -> None:
    x = Value(Fraction(2))
    for _ in range(14):
        x = Value((x - (x * x - 2) / (2 * x)).data)
    assert repr(x).startswith("Value(data=")


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))], ids=["deepcopy", "pickle"])  # noqa: S301
def test_a_copied_graph_still_differentiates(copied: Callable[[Value], Value]) -> None:
    x = Value(2.0, "x")
    output = x * x * 3 + x.exp()
    output.backward()
    assert copied(x.exp()).grad is UNSWEPT
    twin = copied(output)
    (leaf,) = (node for node in topological_order(twin) if node.label == "x")
    assert leaf is not x
    assert (twin.data, leaf.grad) == (output.data, x.grad)
    twin.backward()
    assert leaf.grad == 2 * x.grad
    assert [node.operation for node in topological_order(twin)] == [node.operation for node in topological_order(output)]
    assert [node.grad for node in topological_order(twin) if node.operation is CONSTANT] == [0.0]


def readme(number: Callable[[float], Any]) -> tuple[float, float, float]:
    """The expression of micrograd's README."""
    a, b = number(-4.0), number(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    return g.data, a.grad, b.grad


def test_micrograds_readme_expression() -> None:
    ours = readme(Value)
    assert ours == pytest.approx((24.7041, 138.8338, 645.5773), abs=5e-5)  # as printed there
    assert ours == pytest.approx(readme(pytest.importorskip("micrograd.engine").Value), rel=1e-14)


def test_micrograds_network_runs_on_either_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    nn = pytest.importorskip("micrograd.nn")

    def gradients() -> list[float]:
        random.seed(3)
        model = nn.MLP(2, [4, 1])
        for _ in range(2):
            model.zero_grad()
            loss = sum((1 + -y * model(x)).relu() for x, y in (([2.0, 3.0], 1.0), ([-1.0, 0.5], -1.0)))
            loss = loss * (1.0 / 2) + 1e-4 * sum(p * p for p in model.parameters())
            loss.backward()
            for p in model.parameters():
                p.data -= 0.1 * p.grad
        return [loss.data, *(p.grad for p in model.parameters())]

    theirs = gradients()
    monkeypatch.setattr(nn, "Value", Value)
    assert gradients() == pytest.approx(theirs, rel=1e-12)


def test_micrograds_names_for_drawing() -> None:
    x, y = Value(2.0), Value(3.0)
    assert ((x * y)._prev, (x * x)._prev, x._prev) == ({x, y}, {x}, set())
    assert ((x * y)._op, x.tanh()._op, x._op) == ("*", "tanh", "")


@pytest.mark.slow
def test_a_million_operations_record_differentiate_print_and_vanish() -> None:
    x = y = Value(1.0)
    for _ in range(500_000):
        y = -(y + x)
    y.backward()
    assert x.grad == 1.0  # y was -1, then 0, then -1, ...: half a million times minus, one time plus
    assert repr(y) == "Value(data=1.0, grad=1.0)"
    gone = weakref.ref(y)
    del y
    assert gone() is None


@pytest.mark.parametrize("swept", [False, True])
def test_a_graph_is_freed_with_its_last_reference(swept: bool) -> None:
    gc.collect()
    gc.disable()
    try:
        x = Value(2.0)
        inner = x * x
        output = (inner + inner).exp() * 1e-9
        if swept:
            output.backward()
        gone = [weakref.ref(node) for node in topological_order(output) if node is not x]
        del inner, output
        assert [node for node in gone if node() is not None] == []
    finally:
        gc.enable()


def test_a_misspelled_attribute_is_refused() -> None:
    with pytest.raises(AttributeError):
        Value(1.0).gard = 0.0  # type: ignore[attr-defined]  # the mistake


def test_a_node_takes_at_most_220_bytes() -> None:
    gc.collect()
    tracemalloc.start()
    try:
        x = y = Value(1.0)
        for _ in range(20_000):  # three results and one constant each
            y = (y * x + 0.5).tanh()
        y.backward()
        gc.collect()
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert used <= 220 * 80_000
    assert len(topological_order(y)) == 80_001
