"""The operations as functions: of Values and of plain numbers, one node each; and the table that records."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from rows import inside, number

import autograd
from autograd import Value, grad
from autograd.functions import RECORDING
from autograd.operations import CONSTANT, FLOATS, OPERATIONS

NAMED = [name for name in autograd.functions.__all__ if not name.startswith("test_")]
FLAGS = ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "logical_and")  # 1.0 or 0.0
ONE = [name for name in NAMED if OPERATIONS[name].arity == 1]
TWO = [name for name in NAMED if OPERATIONS[name].arity == 2]
ROUNDED = {"logaddexp", "hypot", "arctan2", *FLAGS}  # of Fractions too


def function(name: str) -> Callable[..., Value]:
    found: Callable[..., Value] = getattr(autograd, name)
    return found


@pytest.mark.parametrize("name", ONE)
def test_a_function_of_one_input_records_its_row(name: str) -> None:
    x = Value(0.5)
    output = function(name)(x)
    assert (output.data, output.parents, output.operation) == (OPERATIONS[name].forward(0.5), (x,), OPERATIONS[name])
    assert function(name).__name__ == name
    assert f">>> from autograd import {name}" in str(function(name).__doc__)


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("number", [1, 0.5, Fraction(1, 3), True, np.float32(0.25)])
def test_a_plain_number_becomes_a_constant(name: str, number: Any) -> None:
    if name == "arccosh":
        number = number + 1
    output = function(name)(number)
    assert output.data == pytest.approx(OPERATIONS[name].forward(float(number)), rel=1e-15)
    assert [parent.operation for parent in output.parents] == [CONSTANT]


@pytest.mark.parametrize("name", TWO)
def test_a_function_of_two_inputs_takes_values_and_numbers(name: str) -> None:
    x, y = Value(2.0), Value(3.0)
    want = OPERATIONS[name].forward(2.0, 3.0)
    for output in (function(name)(x, y), function(name)(x, 3), function(name)(2, y), function(name)(2, 3.0)):
        assert (output.data, output.operation) == (want, OPERATIONS[name])
    assert function(name)(x, y).parents == (x, y)
    assert function(name).__name__ == name
    assert f">>> from autograd import {name}" in str(function(name).__doc__)
    beside_a_fraction = function(name)(2, Value(Fraction(1, 2)))
    assert beside_a_fraction.data == OPERATIONS[name].forward(Fraction(2), Fraction(1, 2))
    assert type(beside_a_fraction) is Value
    assert type(beside_a_fraction.data) is (float if name in ROUNDED else Fraction)


def test_the_gradient_goes_to_the_larger_and_to_the_smaller() -> None:
    x, y = Value(2.0), Value(3.0)
    assert grad(autograd.maximum(x, y), [x, y]) == [0, 1]
    assert grad(autograd.minimum(x, y), [x, y]) == [1, 0]


@pytest.mark.parametrize("name", ONE + TWO)
@pytest.mark.parametrize("wrong", ["1", None, 1j, [1.0]])
def test_what_is_no_number_is_refused(name: str, wrong: Any) -> None:
    with pytest.raises(TypeError, match=rf"^operation {name}: .* is of type {type(wrong).__name__}, not a real number; "):
        function(name)(*[wrong] * (2 if name in TWO else 1))
    if name in TWO:
        with pytest.raises(TypeError, match=rf"^operation {name}: "):
            function(name)(Value(1.0), wrong)


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_recording_table_computes_the_numbers_of_the_table(name: str) -> None:
    at = inside(OPERATIONS[name])
    out = OPERATIONS[name].forward(*at)
    partials = OPERATIONS[name].partials(RECORDING, Value(out), *map(Value, at))
    want = OPERATIONS[name].partials(FLOATS, out, *at)
    assert [number(partial) for partial in partials] == pytest.approx(list(want), rel=1e-15)


@pytest.mark.parametrize("name", NAMED)
def test_arrays_are_computed_entry_by_entry(name: str) -> None:
    row, function_ = OPERATIONS[name], function(name)
    at = np.linspace(*row.domain[0], 8)[1:-1].reshape(2, 3)
    operands = (at, *[1.5] * (len(row.domain) - 1))
    for array in (at, at.astype(object), np.array([[Value(x) for x in line] for line in at.tolist()])):
        found: Any = function_(array, *operands[1:])
        assert found.shape == (2, 3)
        assert [v.data for v in found.flat] == [row.forward(x, *operands[1:]) for x in at.ravel().tolist()]
