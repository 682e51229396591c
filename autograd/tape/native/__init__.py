"""A tape as machine code: the same call as the tape's, and the whole descent without coming back to Python.

A small tape is compiled for itself, operation by operation; a large one is data for an interpreter that is compiled once
and kept on disk, so that it starts at once. Both compute bit for bit what the tape computes on floats. Numbers are floats
here: a `Fraction` among the constants becomes one.
"""

from __future__ import annotations

import math
import struct
import threading
from array import array
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from autograd.floats import as_float
from autograd.operands import checked
from autograd.slopes import values
from autograd.tape.arguments import arguments, like
from autograd.tape.native import kernel
from autograd.tape.native.fusing import fused
from autograd.tape.native.machine import Machine, address, backend, loaded
from autograd.tape.native.training import batches, columns, settled
from autograd.tape.program import FOLDS, Call, Program
from autograd.value import Value

if TYPE_CHECKING:
    from autograd.tape.replay import Tape

Array = NDArray[Any]
LARGEST_STRAIGHT = 1_000  # operations that are compiled for themselves, in less than a second; more would not pay
AT_ONCE = 2_000_000  # operations between two looks at whether the user has pressed Ctrl-C: some hundredths of a second


class Native:
    """What `Tape.native()` returns. Several threads may call it at once."""

    def __init__(self, tape: Tape) -> None:
        backend()  # this and the next say what is missing now, not at the first call
        for called in kernel.checked_calls(tape.program.uncommon()):
            address(called)
        self.tape = tape
        self._local = threading.local()
        self._pack = struct.Struct(f"{len(tape.inputs)}d").pack
        self._guard = tape.guard and Native(tape.guard)
        self._machines: dict[bool, Machine] = {}
        self._arrays = None if len(tape) <= LARGEST_STRAIGHT else _Arrays(fused(tape.program))

    def _machine(self, valued: bool) -> Machine:
        if valued not in self._machines:  # cached_property has a lock on 3.11, which a forked child would wait for
            program = self.tape.program
            made = _interpreter(program.uncommon()) if self._arrays else loaded(*kernel.straight(program, valued))
            self._machines[valued] = made
        return self._machines[valued]

    def __reduce__(self) -> tuple[Any, ...]:
        return Native, (self.tape,)

    def __repr__(self) -> str:
        return f"Native({self.tape!r})"

    def __call__(self, numbers: Any, check: bool = True) -> tuple[Any, Any]:
        """The output and its derivative by each input, at these numbers: what `tape(numbers)` returns, on floats to the bit."""
        if check and self._guard:
            numbers = numbers if hasattr(numbers, "__len__") else list(numbers)
            self.tape.check(numbers, self._guard)
        x = self._floats(numbers)
        if x is None:
            return self._on_arrays(numbers)
        out = array("d", [0.0]) * (len(x) + 1)
        start = _data(out)
        self._machine(valued=True).replay(self._address(), _data(x), start, start + 8)
        return out[0], np.frombuffer(out)[1:] if isinstance(numbers, np.ndarray) else out[1:].tolist()

    def descend(  # as an optimizer needs
        self,
        numbers: Any,
        steps: int,
        learning_rate: float,
        over: Iterable[Value] | None = None,
        check: bool = True,
        *,
        optimizer: Any = "sgd",
        weight_decay: float = 0.0,
        samples: Mapping[Value, Any] | None = None,
        batch_size: int | None = None,
        rng: Any = None,
    ) -> Any:
        """The numbers after `steps` steps of gradient descent, x -= learning_rate * d output / d x for the inputs `over`."""
        x = self._floats(numbers)
        if x is None:
            raise ValueError("descend: arrays of samples have a gradient each; record the sum over the samples as the output")
        if not isinstance(steps, Integral) or steps < 0:
            raise ValueError(f"descend: steps={steps!r} is not a whole number from 0 up")
        rate, moved = as_float(checked(learning_rate, "descend: learning_rate")), self._moved(over)
        x, out = x[:] if isinstance(x, array) else x.copy(), np.empty(len(x) + 1)
        if optimizer != "sgd" or weight_decay or samples:
            given = np.array(x)
            self._train(given, int(steps), moved, settled(optimizer, rate, weight_decay), samples, batch_size, rng, check)
            return given if isinstance(numbers, np.ndarray) else given.tolist()
        start = _data(out)
        guard = self._guard if check else None
        for some in _portions(int(steps) if len(moved) else 0, AT_ONCE if guard else len(self.tape)):
            if guard:  # after every step
                self.tape.check(x, guard)
            self._machine(valued=False).descend(
                self._address(), _data(x), _data(moved), len(moved), rate, some, start, start + 8
            )
        return np.asarray(x) if isinstance(numbers, np.ndarray) else x.tolist()

    def _train(
        self, x: Array, steps: int, moved: Array, by: Any, samples: Any, batch_size: int | None, rng: Any, check: bool
    ) -> None:
        """Change the numbers by the steps of an optimizer."""
        (record, settings), n = by, len(x)
        places, data = columns(samples, {node: k for k, node in enumerate(self.tape.inputs)}) if samples else ([], None)
        moved = np.array([k for k in moved if k not in places], dtype=np.int64)
        count = 1 if data is None else len(data)
        rows, values, grads = np.tile(x, (count, 1)), np.empty(count), np.empty((count, n))
        state = tuple(np.zeros(len(moved)) for _ in record.state)
        for step, chosen in zip(range(1, steps + 1), batches(count, batch_size, rng), strict=False):
            m = len(chosen)
            rows[:m, moved] = x[moved]
            if data is not None:
                rows[:m, places] = data[chosen]
            if check and self._guard:
                self.tape.check([*rows[:m].T], self._guard)
            self._machine(valued=False).samples(self._address(), _data(rows), n, m, _data(values), _data(grads))
            with np.errstate(all="ignore"):
                gradient = grads[:m, moved].sum(axis=0) / m
                x[moved], state = record.update(x[moved], gradient, state, step, settings)

    def _floats(self, numbers: Any) -> Any:
        """One float for each input, as an array of NumPy's or of Python's; None where there are arrays of samples."""
        n = len(self.tape.inputs)
        if type(numbers) is np.ndarray and numbers.shape == (n,) and numbers.dtype == np.float64:
            return np.ascontiguousarray(numbers)
        if numbers.__class__ is list and numbers and numbers[0].__class__ is float:
            with suppress(TypeError, OverflowError, DeprecationWarning, struct.error):  # `arguments` has the words for it
                packed = self._pack(*numbers)
                if sum(numbers).__class__ is float:  # so it holds no arrays and no Values; to look at each type is slow
                    return array("d", packed)
        kind, numbers = arguments(numbers, self.tape.inputs)
        if kind is Value:
            raise TypeError("a native tape computes with floats; give numbers, or call the tape itself with Values")
        return None if kind is list else array("d", map(as_float, numbers))

    def _on_arrays(self, numbers: Any) -> tuple[Any, Any]:
        _, arrays = arguments(numbers, self.tape.inputs)
        shape = np.broadcast_shapes(*(each.shape for each in arrays))
        count, n = math.prod(shape), len(arrays)
        values, grads = np.empty(count), np.empty((count, n))
        single = [k for k, each in enumerate(arrays) if each.ndim == 0]
        varied = [(k, each.reshape(-1)) for k, each in enumerate(arrays) if each.ndim]
        done = 0
        for some in _portions(count, len(self.tape) + n):
            x = np.empty((some, n))
            x[:, single] = [arrays[k] for k in single]
            for k, each in varied:
                x[:, k] = each[done : done + some]
            out = _data(values[done:]), _data(grads[done:])
            self._machine(valued=True).samples(self._address(), _data(x), n, some, *out)
            done += some
        return values.reshape(shape), like(numbers, [grads[:, k].reshape(shape) for k in range(n)])

    def _moved(self, over: Iterable[Value] | None) -> Array:
        places = {node: k for k, node in enumerate(self.tape.inputs)}
        wanted = list(places) if over is None else values(over, "descend: over")
        strange = [node for node in wanted if node not in places]
        if strange:
            raise ValueError(f"descend: {strange[0]!r:.80} in over is not an input of the tape; give Values from its inputs")
        return np.array([places[node] for node in dict.fromkeys(wanted)], dtype=np.int64)

    def _address(self) -> int:
        """Where this thread's copy of the interpreter's program lies; 0 for a tape that is compiled for itself."""
        if self._arrays is None:
            return 0
        if not hasattr(self._local, "memory"):
            self._local.memory = self._arrays.memory()
        return _data(self._local.memory[0])


class _Arrays:
    """A program as the arrays that the interpreter walks over."""

    def __init__(self, program: Program) -> None:
        self._program = program
        codes = kernel.codes_of(program.uncommon())
        operands, starts = np.array(program.operands, dtype=np.int32), np.array(program.starts)
        counts, first = np.diff(starts), starts[:-1]
        self._left, self._right = operands[first], operands[first + (counts > 1)]
        constant = (operands >= program.inputs) & (operands < program.first)
        needs = np.where(constant[first], kernel.RIGHT, np.where(constant[first + (counts > 1)], kernel.LEFT, kernel.ALL))
        needs[counts != 2] = kernel.ALL
        folds = {row: codes[(row, 0), kernel.ALL] for row in program.rows if row.name in FOLDS}
        fixed = {row: codes[(row, row.arity), kernel.ALL] for row in program.rows if row.arity is not None} | folds
        found = list(map(fixed.get, program.operations))
        if len(fixed) < len(program.rows):
            calls = zip(program.operations, counts.tolist(), strict=True)
            found = [fixed[call[0]] if call[0] in fixed else codes[call, kernel.ALL] for call in calls]
        self._codes = np.array(found, dtype=np.int16)
        many = (counts > 2) | np.isin(self._codes, [*folds.values()])
        self._rest = operands if many.any() else operands[:0]
        self._right[many] = first[many] + 1
        for row, code in folds.items():  # where the operands begin, and how many terms there are
            here = self._codes == code
            self._left[here], self._right[here] = (
                first[here],
                counts[here] // (1 if row.name == "total" else 2),
            )  # a chain has one more
        self._codes += np.where(many, 0, needs).astype(np.int16)

    def memory(self) -> tuple[Array, Array, Array]:
        """The description that the interpreter reads (kernel.FIELDS), and the numbers that it writes, for one thread."""
        program = self._program
        n = program.first + len(self._codes)
        numbers, adjoints = np.zeros(n), np.zeros(n)
        numbers[program.inputs : program.first] = program.floats
        codes, left, right, rest = map(_data, (self._codes, self._left, self._right, self._rest))
        found = [codes, left, right, rest, len(self._codes), _data(numbers), _data(adjoints)]
        return np.array([*found, program.inputs, program.first, program.output], dtype=np.int64), numbers, adjoints


@lru_cache(maxsize=8)
def _interpreter(more: tuple[Call, ...] = ()) -> Machine:
    """The interpreter, with cases for these operations in addition."""
    return loaded(*kernel.interpreter(more), keep=True)


def _portions(count: int, operations: int) -> Iterator[int]:
    """`count` in parts, between which Python can hear Ctrl-C."""
    portion = max(1, AT_ONCE // (operations + 1))
    for done in range(0, count, portion):
        yield min(portion, count - done)


def _data(numbers: Any) -> int:
    """The address of an array, NumPy's or Python's, which tells it ten times as fast."""
    address: int = numbers.buffer_info()[0] if isinstance(numbers, array) else numbers.ctypes.data
    return address
