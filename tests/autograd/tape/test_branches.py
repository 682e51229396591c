"""What Python decided while a tape was recorded is known, and held to; several outputs give a Jacobian."""

from __future__ import annotations

import inspect
import pickle
from typing import Any

import numpy as np
import pytest
import sympy

from autograd import BranchChanged, Tape, Value, exp


def f(x: Any, y: Any) -> Any:
    if x > y:
        return x * y
    return x - y if y else x


def test_each_comparison_is_known_with_its_place_and_outcome() -> None:
    tape = Tape.record(f, 1.0, 2.0)
    first = inspect.getsourcelines(f)[1]
    assert [tuple(branch) for branch in tape.branches] == [
        (__file__, first + 1, "x > y", False),
        (__file__, first + 3, "y != 0", True),
    ]
    assert f"{__file__}:{first + 1}: x > y was False, in 'if x > y:'" in str(tape)
    assert [node.label for node in tape.inputs] == ["x", "y"]


@pytest.mark.parametrize("native", [False, True])
def test_other_branches_are_an_error_that_names_the_line(native: bool) -> None:
    tape = Tape.record(f, 1.0, 2.0)
    call = tape.native() if native else tape
    line = inspect.getsourcelines(f)[1] + 1
    assert call([0.5, 2.0]) == (-1.5, [1.0, -1.0])
    for numbers in ([3.0, 2.0], iter([3.0, 2.0]), [np.array([0.0, 3.0]), 2.0], np.array([3.0, 2.0])):
        with pytest.raises(BranchChanged, match=rf":{line}: x > y was False.*check=False"):
            call(numbers)
    with pytest.raises(BranchChanged, match=r"y != 0 was True"):
        call([-1.0, 0.0])
    assert call([3.0, 2.0], check=False) == (1.0, [1.0, -1.0])
    assert pickle.loads(pickle.dumps(call))([0.5, 2.0]) == (-1.5, [1.0, -1.0])  # noqa: S301  # our own


def test_values_and_fractions_are_checked_too() -> None:
    tape = Tape.record(f, 1.0, 2.0)
    with pytest.raises(BranchChanged):
        tape([Value(3.0), 2.0])


def test_what_is_decided_by_constants_alone_is_no_branch() -> None:
    assert Tape.record(lambda x: x if Value(1.0) < 2 else -x, 1.0).branches == []


def test_a_descent_stops_where_a_branch_would_change() -> None:
    fast = Tape.record(lambda x: x * x if x > 1 else x, 4.0).native()
    with pytest.raises(BranchChanged):
        fast.descend([4.0], 100, 0.1)
    assert fast.descend([4.0], 100, 0.1, check=False)[0] < 1e-6


def test_a_comparison_in_a_loop_is_one_branch_if_it_comes_out_alike() -> None:
    tape = Tape.record(lambda a, b, c: sum(v for v in (a, b, c) if v > 0), 1.0, 2.0, -1.0)
    assert [branch.outcome for branch in tape.branches] == [True, True, False]
    assert tape([3.0, 1.0, -2.0])[0] == 4.0
    with pytest.raises(BranchChanged, match="c > 0"):
        tape([3.0, 1.0, 2.0])


@pytest.mark.parametrize("native", [False, True])
def test_several_outputs_give_values_and_a_jacobian(native: bool) -> None:
    x, y = Value(1.0, "x"), Value(2.0, "y")
    tape = Tape([x * y, exp(x), y], [x, y])
    call = tape.native() if native else tape
    e = exp(1.0).data
    assert call([1.0, 2.0]) == ([2.0, e, 2.0], [[2.0, 1.0], [e, 0.0], [0.0, 1.0]])
    values, jacobian = call(np.array([1.0, 2.0]))
    assert (values.shape, jacobian.shape, jacobian[0].tolist()) == ((3,), (3, 2), [2.0, 1.0])
    values, jacobian = call(np.ones((2, 5)))
    assert (values.shape, jacobian.shape) == ((3, 5), (3, 2, 5))


def test_several_outputs_of_other_numbers_and_of_a_recorded_function() -> None:
    x, y = Value(1.0, "x"), Value(2.0, "y")
    a, b = sympy.symbols("a b")
    assert Tape([x * y, x], [x, y]).on(sympy)([a, b]) == ([a * b, a], [[b, a], [1, 0]])
    tape = Tape.record(lambda x, y: [x * y, x] if x < y else [y, y], 1.0, 2.0)
    assert tape([0.0, 1.0]) == ([0.0, 0.0], [[1.0, 0.0], [1.0, 0.0]])
    for call in (tape, tape.native()):
        with pytest.raises(BranchChanged, match="x < y"):
            call([2.0, 1.0])
