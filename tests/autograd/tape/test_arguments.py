"""What a tape may be called with, in each of its kinds of call, and the words with which it refuses the rest."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from autograd import Tape, Value
from autograd.tape.arguments import arguments, counted, like

x, y = Value(2.0, "x"), Value(3.0, "y")
INPUTS = (x, y)
HUGE = Fraction(10) ** 400


def native() -> Callable[[Any], Any]:
    pytest.importorskip("llvmlite", reason="pip install llvmlite")
    return Tape(x * y + x, INPUTS).native()


def descent() -> Callable[[Any], Any]:
    fast: Any = native()
    return lambda numbers: fast.descend(numbers, steps=1, learning_rate=0.5)


CALLS = pytest.mark.parametrize("made", [lambda: Tape(x * y + x, INPUTS), native], ids=["tape", "native"])
EVERY_CALL = pytest.mark.parametrize(
    "made", [lambda: Tape(x * y + x, INPUTS), native, descent], ids=["tape", "native", "descend"]
)


@CALLS
@pytest.mark.parametrize(
    "numbers",
    [
        [0.5, -2.0],
        (0.5, -2),
        [Fraction(1, 2), -2.0],
        [Decimal("0.5"), Decimal(-2)],
        [np.float64(0.5), np.int8(-2)],
        [np.float32(0.5), np.array(-2)],
        [np.longdouble(0.5), np.array(-2.0, dtype=np.float16)],
        np.array([0.5, -2.0]),
        np.array([0.5, -2.0], dtype=np.float32),
        np.array([0.5, -2.0], dtype=">f8"),
        np.array([0.5, 9.0, -2.0, 9.0])[::2],
        np.array([0.5, -2.0], dtype=object),
        {0: 0.5, 1: -2.0}.values(),
    ],
    ids=repr,
)
def test_one_number_for_each_input_in_whatever_type(made: Callable[[], Any], numbers: Any) -> None:
    value, grads = made()(numbers)
    assert type(value) is float
    assert value == -0.5
    assert list(grads) == [-1.0, 0.5]
    assert isinstance(grads, np.ndarray) == isinstance(numbers, np.ndarray)
    if isinstance(grads, list):
        assert [type(g) for g in grads] == [float, float]


@CALLS
def test_numbers_may_come_out_of_an_iterator_and_be_bools(made: Callable[[], Any]) -> None:
    assert made()(z for z in (0.5, -2.0)) == (-0.5, [-1.0, 0.5])
    assert made()(iter([True, False])) == (1.0, [1.0, 1.0])
    assert made()([np.True_, np.array(False)]) == (1.0, [1.0, 1.0])  # a number here
    assert made()(range(2)) == (0.0, [2.0, 0.0])


@pytest.mark.parametrize("numbers", [[Fraction(1, 2), -2], [Fraction(1, 2), Decimal(-2)]])
def test_one_fraction_makes_the_call_exact_where_it_can(numbers: list[Any]) -> None:
    exact = Value(Fraction(2))
    value, grads = Tape(exact * exact / 3 + exact, exact)([Fraction(1, 2)])
    assert (value, grads) == (Fraction(7, 12), [Fraction(4, 3)])
    assert {type(value), *map(type, grads)} == {Fraction}
    assert arguments(numbers, INPUTS) == (Fraction, [Fraction(1, 2), -2.0])


def test_which_kind_of_call_it_is() -> None:
    assert arguments([1, 2.5], INPUTS) == (float, [1.0, 2.5])
    assert list(map(type, arguments([1, np.float32(2.5)], INPUTS)[1])) == [float, float]
    kind, (a, b) = arguments([x, 2], INPUTS)
    assert (kind, a is x, b, type(b)) == (Value, True, 2.0, float)
    kind, (a, b) = arguments([np.arange(3), 2], INPUTS)
    assert (kind, a.dtype, b.dtype, a.shape, b.shape) == (list, np.float64, np.float64, (3,), ())
    kind, (a, b) = arguments([[[1], [2]], [3, 4, 5]], INPUTS)
    assert (kind, a.shape, b.shape) == (list, (2, 3), (2, 3))


def test_gradients_are_an_array_only_where_the_numbers_were() -> None:
    assert like([1.0], [2.0]) == [2.0]
    assert like((1.0,), [2.0]) == [2.0]
    found = like(np.zeros((2, 3)), [np.ones(3), np.zeros(3)])
    assert isinstance(found, np.ndarray)
    assert found.tolist() == [[1.0] * 3, [0.0] * 3]


def refused(call: Callable[..., Any], numbers: Any, error: type[Exception], *substance: str) -> None:
    with pytest.raises(error) as caught:
        call(numbers)
    missing = [part for part in substance if part not in str(caught.value)]
    assert missing == [], str(caught.value)


@EVERY_CALL
@pytest.mark.parametrize(
    "numbers",
    [
        "ab",
        b"ab",
        {"a": 1.0},
        {1.0, 2.0},
        frozenset([1.0, 2.0]),
        {1.0: 1, 2.0: 2}.keys(),
        1.0,
        None,
        x,
        np.array(1.0),
        np.float64(2),
    ],
    ids=repr,
)
def test_what_is_no_list_of_numbers(made: Callable[[], Any], numbers: Any) -> None:
    refused(made(), numbers, TypeError, "a list of numbers, one for each input", repr(numbers)[:40])


@EVERY_CALL
@pytest.mark.parametrize("numbers", [[], [1.0], [1.0, 2.0, 3.0], np.zeros(3), np.zeros((1, 5)), range(1)])
def test_a_wrong_number_of_them(made: Callable[[], Any], numbers: Any) -> None:
    refused(made(), numbers, ValueError, "2 inputs (x, y)", f"got {len(numbers)} numbers", "one for each input")
    refused(made(), iter(numbers), ValueError, f"got {len(numbers)} numbers")


def test_labels_drive_no_terminal() -> None:
    x, y = Value(1.0, "\x1b[2J\nx"), Value(2.0)
    refused(Tape(x * y, [x, y]), [], ValueError, "2 inputs (\ufffd[2J x, ?), got 0 numbers")


def test_of_many_inputs_the_first_are_named() -> None:
    many = [Value(1.0, "" if k == 1 else f"w{k}") for k in range(9)]
    refused(lambda n: counted(n, many), [1.0], ValueError, "9 inputs (w0, ?, w2, w3, w4, w5, w6, w7, ...)")
    refused(lambda n: counted(n, many[:8]), [1.0], ValueError, "8 inputs (w0, ?, w2, w3, w4, w5, w6, w7),")


@EVERY_CALL
@pytest.mark.parametrize(
    ("numbers", "substance"),
    [
        ([1.0, "two"], ("numbers[1], for 'y'", "'two'", "str")),
        ([None, 1.0], ("numbers[0], for 'x'", "None", "NoneType")),
        ([1.0, 1j], ("numbers[1]", "1j", "complex")),
        ([1.0, np.array(1j)], ("numbers[1]", "1.j")),
        ([np.array([1j]), 1.0], ("numbers[0]", "1.j", "no real number")),
        ([np.array(["a"]), 1.0], ("numbers[0]", "'a'")),
        ([np.array([b"1"]), 1.0], ("numbers[0]", "b'1'")),
        ([np.array(["2020-01-01"], dtype="M8[D]"), 1.0], ("numbers[0]", "datetime64")),
        ([1.0, np.array([1.0, None])], ("numbers[1]", "None")),
        ([np.zeros(2, dtype=[("a", float)]), 1.0], ("numbers[0]",)),
        (np.zeros(2, dtype=[("a", float)]), ("numbers[0]",)),
        ([np.array("a"), 1.0], ("numbers[0]", "'a'")),
        ([..., 1.0], ("numbers[0]", "Ellipsis")),
        ([[[1.0, 2.0]], {"a": 2.0}], ("numbers[1]", "{'a': 2.0}")),
    ],
    ids=str,
)
def test_what_holds_no_real_number(made: Callable[[], Any], numbers: Any, substance: tuple[str, ...]) -> None:
    refused(made(), numbers, TypeError, *substance)


@EVERY_CALL
@pytest.mark.parametrize(
    "numbers",
    [
        np.ma.array([1.0, 2.0], mask=[True, False]),
        np.ma.array([[1.0, 2.0]] * 2, mask=[[True, False]] * 2),
        [np.ma.array([1.0, 2.0], mask=[True, False]), 1.0],
        [np.ma.masked, 1.0],
        np.ma.array([1.0, 2.0]),
    ],
)
def test_a_masked_array_would_lose_its_mask(made: Callable[[], Any], numbers: Any) -> None:
    refused(made(), numbers, TypeError, "masked array", "filled")


@EVERY_CALL
def test_rows_of_different_lengths(made: Callable[[], Any]) -> None:
    refused(made(), [[1.0, 2.0], [[1.0], [2.0, 3.0]]], ValueError, "numbers[1], for 'y'", "different lengths")


@CALLS
def test_shapes_that_do_not_broadcast(made: Callable[[], Any]) -> None:
    refused(
        made(), [np.ones(2), np.ones(3)], ValueError, "broadcast", "(2,)", "(3,)", "numbers[0], for 'x'", "numbers[1], for 'y'"
    )


def test_of_many_shapes_the_different_ones_are_named() -> None:
    many = [Value(1.0, f"w{k}") for k in range(40)]
    shapes: list[Any] = [np.ones(2), 1.0, *[np.ones(3)] * 37, np.ones((5, 1, 4))]
    with pytest.raises(ValueError, match="broadcast") as caught:
        arguments(shapes, many)
    assert all(part in str(caught.value) for part in ("(2,)", "(3,)", "(5, 1, 4)", "'w0'", "'w39'"))
    assert "'w2'" in str(caught.value), "the first input of each shape"
    assert len(str(caught.value)) < 400
    with pytest.raises(ValueError, match="broadcast") as caught:
        arguments([np.ones(k + 2) for k in range(40)], many)
    assert str(caught.value).count("is the shape of") == 3


@pytest.mark.parametrize("made", [lambda: Tape(x * y + x, INPUTS)])
def test_a_value_beside_what_cannot_become_one(made: Callable[[], Any]) -> None:
    refused(made(), [x, np.ones(3)], TypeError, "numbers[1], for 'y'", "not a real number")
    refused(made(), [x, "a"], TypeError, "numbers[1], for 'y'", "'a'")


def test_native_tapes_take_no_values() -> None:
    refused(native(), [x, 2.0], TypeError, "Values", "numbers")
    refused(descent(), [x, y], TypeError, "Values", "numbers")


def test_an_int_beyond_the_floats_and_a_fraction_beyond_them() -> None:
    refused(Tape(x * y, INPUTS), [10**400, 1.0], ValueError, "numbers[0], for 'x'", "too large for a float", "Fraction")
    assert Tape(x * y, INPUTS)([HUGE, Fraction(1, 2)]) == (HUGE / 2, [Fraction(1, 2), HUGE])
    assert Tape(x / y, INPUTS)([HUGE, 0.5])[0] == np.inf
    assert native()([HUGE, 0.5]) == (np.inf, [1.5, np.inf])


def test_where_a_number_beside_an_array_stands_is_said() -> None:
    refused(Tape(x * y, INPUTS), [np.ones(2), 10**400], ValueError, "numbers[1], for 'y'", "too large for a float")


def test_what_is_said_of_what_is_no_number_says_what_to_give() -> None:
    with pytest.raises(TypeError) as caught:
        Tape(x * y, INPUTS)([1.0, np.array(1j)])
    assert str(caught.value) == f"numbers[1], for 'y': array(0.+1.j) of type ndarray {UNREAL}"


MASKED = "a masked array; fill it first, array.filled(...)"
UNREAL = "holds no real numbers; give floats or arrays of them, or call tape.on(module) with the numbers of another module"
SHAPES = "(2,) is the shape of numbers[0], for 'x'; (3,) is the shape of numbers[1], for 'y'"


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        (np.ma.array([1.0, 2.0]), f"numbers: {MASKED}"),
        ([1.0, np.ma.array([1.0, 2.0])], f"numbers[1], for 'y': {MASKED}"),
        ([[1.0, 2.0], [[1.0], [2.0, 3.0]]], "numbers[1], for 'y': rows of different lengths; give an array of numbers"),
        (
            [np.ones(2), np.ones(3)],
            f"arrays of samples have to broadcast: {SHAPES}; give each input one number or such an array",
        ),
        ("ab" * 50, f"a tape is called with a list of numbers, one for each input, not with '{'ab' * 39}a"),
        ([1.0], "the tape has 2 inputs (x, y), got 1 numbers; give one for each input"),
        ([1.0, ["ab" * 50]], f"numbers[1], for 'y': ['{'ab' * 39} of type list {UNREAL}"),
    ],
)
def test_it_is_said_in_these_words(numbers: Any, said: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        arguments(numbers, INPUTS)
    assert str(caught.value) == said


def test_what_has_a_mask_and_cannot_be_filled_is_no_masked_array() -> None:
    masked = type("Masked", (list,), {"mask": None})
    assert arguments(masked([1.0, 2.0]), INPUTS) == (float, [1.0, 2.0])


def test_numbers_of_other_types_stand_beside_arrays() -> None:
    value, (by_x, by_y) = Tape(x * y, INPUTS)([Fraction(1, 4), np.array([1.0, 2.0])])
    assert (value.tolist(), by_x.tolist(), by_y.tolist()) == ([0.25, 0.5], [1.0, 2.0], [0.25, 0.25])
    assert Tape(x * y, INPUTS)([2**70, np.array([1.0])])[0].tolist() == [2.0**70]
    assert Tape(x * y, INPUTS)([2.0, np.array([1, 3], dtype=np.uint8)])[0].tolist() == [2.0, 6.0]
    assert Tape(x * y, INPUTS)([Decimal("0.25"), np.array([1.0])])[0].tolist() == [0.25]
    assert Tape(x * y, INPUTS)([HUGE, np.array([1.0])])[0].tolist() == [np.inf]


def test_where_a_number_stands_is_said_without_a_label_too() -> None:
    nameless = Value(1.0)
    with pytest.raises(TypeError, match=re.escape("numbers[0]: 'a' ")):
        Tape(nameless * 2, nameless)(["a"])
    long = Value(1.0, "a" * 10_000)
    with pytest.raises(TypeError) as caught:
        Tape(long * 2, long)(["b" * 10_000])
    assert str(caught.value).startswith(f"numbers[0], for '{'a' * 79}: '{'b' * 79} ")
    assert len(str(caught.value)) < 400
