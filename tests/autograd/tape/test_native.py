"""Native tapes: the tape's own numbers to the last bit, whole descents, several threads at once, and Ctrl-C."""

from __future__ import annotations

import gc
import math
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from threading import Barrier
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import GRID, INF, NAN, NUMBERS, SMOOTH, bits, programs, same

from autograd import Tape, Value
from autograd.tape import native
from autograd.tape.native import kernel
from autograd.tape.native.machine import loaded
from autograd.tape.program import Program

pytest.importorskip("llvmlite", reason="pip install llvmlite")

KINDS = pytest.mark.parametrize("kind", ["straight", "interpreted"])
x, y = Value(2.0, "x"), Value(3.0, "y")


def made(kind: str, tape: Tape) -> native.Native:
    """The tape compiled for itself, or by way of the interpreter."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native, "LARGEST_STRAIGHT", -1 if kind == "interpreted" else 10**9)
        return tape.native()


def loss() -> Tape:
    """A small fit with every kind of row in it."""
    w, b, c = Value(0.3, "w"), Value(-0.2, "b"), Value(0.7, "c")
    total = Value(0.0)
    for t, target in ((0.0, 0.1), (0.5, 0.4), (1.0, 0.9), (-1.5, 0.2)):
        total = total + ((w * t + b).tanh() * c.softplus() + (c * t).sigmoid() - target) ** 2 / 4
    return Tape(total + abs(w) * 0.01 + (c**2 + 1).log() * 0.1, [w, b, c])


def descended(tape: Tape, numbers: list[float], steps: int, rate: float, over: tuple[int, ...]) -> list[float]:
    """The loop that a user would write."""
    numbers = list(numbers)
    for _ in range(steps):
        _, grads = tape(numbers)
        for k in over:
            numbers[k] = numbers[k] - rate * grads[k]
    return numbers


# --- which of the two


def test_a_small_tape_is_compiled_for_itself_and_a_large_one_interpreted() -> None:
    output = x
    for _ in range(native.LARGEST_STRAIGHT // 2):
        output = output * 0.5 + 1
    assert Tape(output, x).native()._arrays is None
    assert Tape(-output, x).native()._arrays is not None
    assert repr(Tape(x * y, [x, y]).native()) == "Native(Tape(1 operations, 2 inputs))"


@KINDS
def test_its_numbers_are_the_tapes_and_of_pythons_types(kind: str) -> None:
    tape = loss()
    fast = made(kind, tape)
    value, grads = fast([0.1, 0.2, 0.3])
    assert (type(value), type(grads), {*map(type, grads)}) == (float, list, {float})
    assert same((value, grads), tape([0.1, 0.2, 0.3]))
    value, grads = fast(np.array([0.1, 0.2, 0.3]))
    assert (type(value), type(grads), grads.dtype, grads.shape) == (float, np.ndarray, np.float64, (3,))
    assert same((value, grads), tape([0.1, 0.2, 0.3]))
    grads += 1.0
    assert same(fast([0.1, 0.2, 0.3]), tape([0.1, 0.2, 0.3]))


@KINDS
def test_a_fraction_among_the_constants_is_a_float_here(kind: str) -> None:
    exact = Value(Fraction(2))
    fast = made(kind, Tape(exact * Fraction(1, 3), exact))
    assert fast([3.0]) == (1.0, [1 / 3])
    assert fast([Fraction(1, 2)]) == (0.5 * (1 / 3), [1 / 3])
    assert made(kind, Tape(x * Fraction(10) ** 400, x))([1.0]) == (INF, [INF])


@KINDS
def test_values_are_for_the_tape_itself(kind: str) -> None:
    with pytest.raises(TypeError) as caught:
        made(kind, Tape(x * y, [x, y]))([Value(1.0), 2.0])
    assert str(caught.value) == "a native tape computes with floats; give numbers, or call the tape itself with Values"


def test_a_thread_lays_out_its_memory_once_and_no_share_is_sent_to_a_constant(monkeypatch: pytest.MonkeyPatch) -> None:
    memory, made_of = native._Arrays.memory, []

    def watched(program: native._Arrays) -> Any:
        made_of.append(memory(program))
        return made_of[-1]

    monkeypatch.setattr(native._Arrays, "memory", watched)
    for output in (x * 3.0, 3.0 * x):
        made_of.clear()
        fast = made("interpreted", Tape(output, x))
        for number in (5.0, 7.0):
            assert fast([number]) == (3 * number, [3.0])
        ((_, slots, adjoints),) = made_of
        assert (slots.tolist(), adjoints.tolist()) == ([7.0, 3.0, 21.0], [3.0, 0.0, 1.0])


# --- arrays


@settings(max_examples=30, deadline=None)
@given(programs(), st.data())
def test_arrays_have_the_bits_of_each_sample_by_itself(program: Any, data: st.DataObject) -> None:
    n = len(program.used)
    samples = data.draw(st.lists(st.lists(NUMBERS, min_size=n, max_size=n), min_size=1, max_size=6))
    tape = Tape(*program.record(samples[0]))
    for fast in (made("interpreted", tape), made("straight", tape)):
        value, grads = fast([np.array(column) for column in zip(*samples, strict=True)])
        for k, sample in enumerate(samples):
            assert same((value[k], [g[k] for g in grads]), fast(sample))
            assert same((value[k], [g[k] for g in grads]), program.engine(sample))


@KINDS
def test_samples_in_several_portions(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tape = Tape(x * y + x, [x, y])
    monkeypatch.setattr(native, "AT_ONCE", 20)
    a, b = np.arange(1001.0), np.arange(1001.0)[::-1].copy()
    value, (by_x, by_y) = made(kind, tape)([a, b])
    assert np.array_equal(value, a * b + a)
    assert np.array_equal(by_x, b + 1)
    assert np.array_equal(by_y, a)
    value, grads = made(kind, tape)([a, 2.0])
    assert np.array_equal(value, 3 * a)
    assert np.array_equal(grads, [np.full(1001, 3.0), a])


@KINDS
def test_arrays_of_special_values_in_every_combination(kind: str) -> None:
    tape = Tape((x**y).softplus() / (x - y).sqrt() + (y.log() * x).sigmoid(), [x, y])
    fast, grid = made(kind, tape), np.array(GRID)
    value, (by_x, by_y) = fast([grid[:, None], grid])
    for i, a in enumerate(GRID):
        for j, b in enumerate(GRID):
            assert same((value[i, j], [by_x[i, j], by_y[i, j]]), tape([a, b])), (a, b)


# --- descend


@KINDS
@pytest.mark.parametrize("steps", [0, 1, 2, 77])
@pytest.mark.parametrize("over", [(0, 1, 2), (1,), (2, 0)])
def test_a_descent_is_the_loop_to_the_last_bit(kind: str, steps: int, over: tuple[int, ...]) -> None:
    tape = loss()
    fast, start = made(kind, tape), [0.3, -0.2, 0.7]
    got = fast.descend(start, steps, 0.3, over=[tape.inputs[k] for k in over])
    assert [*map(bits, got)] == [*map(bits, descended(tape, start, steps, 0.3, over))]
    assert start == [0.3, -0.2, 0.7]
    if over == (0, 1, 2):
        assert fast.descend(start, steps=steps, learning_rate=0.3) == got


@settings(max_examples=25, deadline=None)
@given(programs(SMOOTH), st.data())
def test_any_descent_is_the_loop_to_the_last_bit(program: Any, data: st.DataObject) -> None:
    n = len(program.used)
    start = data.draw(st.lists(st.one_of(st.floats(-3, 3), NUMBERS), min_size=n, max_size=n))
    rate = data.draw(st.one_of(st.floats(-1, 1), NUMBERS))
    tape = Tape(*program.record(start))
    want = [*map(bits, descended(tape, start, 3, rate, tuple(range(n))))]
    for kind in ("interpreted", "straight"):
        assert [*map(bits, made(kind, tape).descend(start, 3, rate))] == want


@KINDS
def test_a_descent_in_several_portions_is_the_same(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tape = loss()
    want = made(kind, tape).descend([0.3, -0.2, 0.7], 101, 0.3)
    for portion in (5 * len(tape), 1):
        monkeypatch.setattr(native, "AT_ONCE", portion)
        assert made(kind, tape).descend([0.3, -0.2, 0.7], 101, 0.3) == want


@KINDS
def test_a_list_gives_a_list_and_an_array_an_array_and_both_are_left_alone(kind: str) -> None:
    tape = loss()
    fast = made(kind, tape)
    want = fast.descend([0.3, -0.2, 0.7], 5, 0.3)
    assert (type(want), {*map(type, want)}) == (list, {float})
    steps: Any = np.int64(5)
    rate: Any = Fraction(3, 10)
    assert fast.descend((0.3, Fraction(-1, 5), np.float64(0.7)), steps, rate) == want
    frozen = np.array([0.3, -0.2, 0.7])
    frozen.flags.writeable = False
    for given_ in (frozen, np.array([0.3, 9.0, -0.2, 9.0, 0.7])[::2], np.array([0.3, -0.2, 0.7], dtype=">f8")):
        before = given_.copy()
        got = fast.descend(given_, 5, 0.3)
        assert (type(got), got.dtype, got.tolist()) == (np.ndarray, np.float64, want)
        assert np.array_equal(given_, before)
        got += 1.0
    whole = fast.descend(np.array([1, 0, 1]), 5, 0.3)
    assert (type(whole), whole.tolist()) == (np.ndarray, fast.descend([1, 0, 1], 5, 0.3))


@KINDS
def test_no_steps_and_no_inputs_to_move_change_nothing(kind: str) -> None:
    fast = made(kind, Tape(x * y, [x, y]))
    assert fast.descend([1.0, 2.0], 0, 0.1) == [1.0, 2.0]
    assert fast.descend([1.0, 2.0], 1_000, 0.1, over=[]) == [1.0, 2.0]
    start = np.array([1.0, 2.0])
    got = fast.descend(start, 0, 0.1)
    got += 1.0
    assert start.tolist() == [1.0, 2.0]


@KINDS
def test_an_input_named_twice_in_over_moves_once(kind: str) -> None:
    fast = made(kind, Tape(x * y, [x, y]))
    assert fast.descend([1.0, 2.0], 1, 0.5, over=[y, y]) == [1.0, 1.5]
    assert fast.descend([1.0, 2.0], 1, 0.5, over=(node for node in (x,))) == [0.0, 2.0]


@KINDS
def test_rates_of_every_kind(kind: str) -> None:
    fast: Any = made(kind, Tape(x * x, x))
    assert fast.descend([1.0], 1, -0.5) == [2.0]
    assert fast.descend([1.0], 1, 1) == [-1.0]
    assert math.isnan(fast.descend([1.0], 2, NAN)[0])
    assert fast.descend([1.0], 1, INF) == [-INF]
    assert fast.descend([1.0], 1, np.float32(0.25)) == [0.5]
    assert fast.descend([1.0], True, Fraction(10) ** 400) == [-INF]


SAMPLES = "arrays of samples have a gradient each; record the sum over the samples as the output"


@pytest.mark.parametrize(
    ("change", "error", "substance"),
    [
        ({"steps": -1}, ValueError, ("descend: steps=-1", "from 0 up")),
        ({"steps": 1.5}, ValueError, ("descend: steps=1.5", "whole number")),
        ({"steps": "3"}, ValueError, ("descend: steps='3'",)),
        ({"steps": None}, ValueError, ("descend: steps=None",)),
        ({"learning_rate": "0.1"}, TypeError, ("descend: learning_rate", "'0.1'", "str")),
        ({"learning_rate": None}, TypeError, ("descend: learning_rate", "None")),
        ({"learning_rate": 10**400}, ValueError, ("descend: learning_rate", "too large")),
        ({"over": [Value(1.0, "stranger")]}, ValueError, ("descend:", "stranger", "not an input of the tape")),
        ({"over": [x, 3.0]}, TypeError, ("descend: over[1]", "3.0", "give Values")),
        ({"over": 3.0}, TypeError, ("descend: over", "3.0")),
        ({"numbers": np.ones((2, 3))}, ValueError, (f"descend: {SAMPLES}",)),
        ({"numbers": [1.0, np.ones(3)]}, ValueError, (f"descend: {SAMPLES}",)),
        ({"numbers": [1.0]}, ValueError, ("the tape has 2 inputs (x, y)", "got 1")),
    ],
)
def test_what_cannot_be_descended(change: dict[str, Any], error: type[Exception], substance: tuple[str, ...]) -> None:
    fast = Tape(x * y, [x, y]).native()
    with pytest.raises(error) as caught:
        fast.descend(**{"numbers": [1.0, 2.0], "steps": 3, "learning_rate": 0.1, **change})
    assert str(caught.value).startswith(substance[0])
    assert [part for part in substance if part not in str(caught.value)] == [], str(caught.value)


def test_a_call_and_a_descent_have_a_program_each(monkeypatch: pytest.MonkeyPatch) -> None:
    straight, asked = kernel.straight, []

    def watched(program: Program, valued: bool) -> kernel.Text:
        asked.append(valued)
        return straight(program, valued)

    monkeypatch.setattr(kernel, "straight", watched)
    fast = Tape(x * y, [x, y]).native()
    for _ in range(2):
        assert fast([1.0, 2.0]) == (2.0, [2.0, 1.0])
        assert fast.descend([1.0, 2.0], 1, 0.5) == [0.0, 1.5]
    assert asked == [True, False], "what the output alone needs is not in a descent, and nothing is compiled twice"


def test_it_gets_to_the_minimum() -> None:
    tape = loss()
    numbers = tape.native().descend([0.3, -0.2, 0.7], steps=60_000, learning_rate=0.5)
    value, grads = tape(numbers)
    assert value < 0.6 * tape([0.3, -0.2, 0.7])[0]
    assert max(abs(g) for g in grads[1:]) < 1e-9


# --- threads and Ctrl-C


@KINDS
def test_eight_threads_each_get_their_own_answer(kind: str) -> None:
    tape = loss()
    fast, chosen = made(kind, tape), random.Random(0)  # noqa: S311  # no secret
    numbers = [[chosen.uniform(-1, 1) for _ in range(3)] for _ in range(8)]
    want = [(tape(at), descended(tape, at, 30, 0.1, (0, 1, 2))) for at in numbers]

    def work(at: list[float]) -> list[Any]:
        return [(fast(at), fast.descend(at, 30, 0.1), fast([np.full(50, z) for z in at])) for _ in range(60)]

    with ThreadPoolExecutor(8) as pool:
        for found, (once, after) in zip(pool.map(work, numbers), want, strict=True):
            assert all(single == once and descent == after for single, descent, _ in found)
            assert all((value == once[0]).all() for *_, (value, _) in found)
            assert all((g == slope).all() for *_, (_, grads) in found for g, slope in zip(grads, once[1], strict=True))


@pytest.mark.parametrize("name", ["replay", "samples", "descend"])
def test_a_function_owns_its_code(name: str) -> None:
    compiled = loaded(*kernel.straight(Tape(x * y, [x, y]).program, valued=True))
    function: Any = getattr(compiled, name)
    del compiled
    gc.collect()
    assert function.engine is not None, "the code would be gone while it is called"


@KINDS
def test_eight_threads_may_make_the_first_call_at_once(kind: str) -> None:
    for _ in range(4):
        fast, ready = made(kind, loss()), Barrier(8)

        def work(fast: native.Native = fast, ready: Barrier = ready) -> Any:
            ready.wait()
            return fast([0.1, 0.2, 0.3]), fast.descend([0.1, 0.2, 0.3], 3, 0.1)

        with ThreadPoolExecutor(8) as pool:
            assert len({repr(done.result()) for done in [pool.submit(work) for _ in range(8)]}) == 1


@KINDS
def test_while_it_computes_other_threads_go_on(kind: str) -> None:
    fast = made(kind, loss())
    with ThreadPoolExecutor(1) as pool:
        started = time.perf_counter()
        done = pool.submit(fast.descend, [0.3, -0.2, 0.7], 300_000, 0.1)
        ticks = 0
        while not done.done() and time.perf_counter() - started < 30:
            time.sleep(0.001)
            ticks += 1
    assert ticks > 5


def test_the_longer_the_tape_the_fewer_passes_between_two_looks() -> None:
    for operations in (0, 10, 1_000_000, 10**9):
        portions = native._portions(10**7, operations)
        assert 1 <= next(portions) <= max(1, native.AT_ONCE / (operations + 1))
    assert sum(native._portions(1_000, 10**6)) == 1_000


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
@pytest.mark.parametrize("call", ["f.descend([1e300, 1e299], 10**12, 1e-12)", "f([np.full(10**7, 1e300), 1e299])"])
@KINDS
def test_ctrl_c_is_heard_within_a_second(kind: str, call: str) -> None:
    program = f"""
import signal
import numpy as np
from autograd import Tape, Value
from autograd.tape import native
signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in a shell's background is told to ignore it
native.LARGEST_STRAIGHT = {-1 if kind == "interpreted" else 10**9}
x, y = Value(2.0, "x"), Value(3.0, "y")
f = Tape(x.sin() * y.cos() + x**y, [x, y]).native()
f([1.0, 2.0])
print("ready", flush=True)
try:
    while True:
        {call}
except KeyboardInterrupt:
    print("heard")
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(0.2)
            started = time.perf_counter()
            process.send_signal(signal.SIGINT)
            assert process.stdout.read() == "heard\n"
            assert time.perf_counter() - started < 1.0
        finally:
            process.kill()
