"""A tape as machine code: the same call as the tape's, and the whole descent without coming back to Python.

A small tape is compiled for itself, operation by operation; a large one is data for an interpreter that is compiled once
and kept on disk, so that it starts at once. Both compute bit for bit what the tape computes on floats. Numbers are floats
here: a `Fraction` among the constants becomes one.
"""

from __future__ import annotations

import math
import threading
from array import array
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from autograd.floats import as_float
from autograd.operands import checked
from autograd.slopes import values
from autograd.tape.arguments import arguments, like
from autograd.tape.native import kernel
from autograd.tape.native.machine import Machine, address, backend, loaded
from autograd.tape.program import FOLDS, Call, Program
from autograd.value import Value

if TYPE_CHECKING:
    from autograd.tape.replay import Tape

Array = NDArray[Any]
LARGEST_STRAIGHT = 2_000  # operations that are compiled for themselves, in at most a second
AT_ONCE = 2_000_000  # operations between two looks at whether the user has pressed Ctrl-C: some hundredths of a second


class Native:
    """What `Tape.native()` returns. Several threads may call it at once.

    >>> from autograd import Tape
    >>> x = Value(3.0, "x")
    >>> fast = Tape(x * x, [x]).native()
    >>> fast([5.0])
    (25.0, [10.0])
    >>> fast.descend([5.0], steps=200, learning_rate=0.1)[0] < 1e-9
    True
    """

    def __init__(self, tape: Tape) -> None:
        backend()  # this and the next say what is missing now, not at the first call
        for called in kernel.checked_calls(tape.program.uncommon()):
            address(called)
        self.tape = tape
        self._local = threading.local()
        self._guard = tape.guard and Native(tape.guard)
        self._arrays = None if len(tape) <= LARGEST_STRAIGHT else _Arrays(tape.program)

    @cached_property
    def _replaying(self) -> Machine:
        return self._machine(valued=True)

    @cached_property
    def _descending(self) -> Machine:
        return self._machine(valued=False)

    def _machine(self, valued: bool) -> Machine:
        program = self.tape.program
        return _interpreter(program.uncommon()) if self._arrays else loaded(*kernel.straight(program, valued))

    def __reduce__(self) -> tuple[Any, ...]:
        return Native, (self.tape,)

    def __repr__(self) -> str:
        return f"Native({self.tape!r})"

    def __call__(self, numbers: Any, check: bool = True) -> tuple[Any, Any]:
        """The output and its derivative by each input, at these numbers: what `tape(numbers)` returns, on floats to the bit.

        Floats or arrays of samples, as for the tape. Raises what the tape raises, and `TypeError` for Values.
        """
        if check and self._guard:
            numbers = numbers if hasattr(numbers, "__len__") else list(numbers)
            self.tape.check(numbers, self._guard)
        x = self._floats(numbers)
        if x is None:
            return self._on_arrays(numbers)
        out = array("d", [0.0]) * (len(x) + 1)
        start = _data(out)
        self._replaying.replay(self._address(), _data(x), start, start + 8)
        return out[0], np.frombuffer(out)[1:] if isinstance(numbers, np.ndarray) else out[1:].tolist()

    def descend(
        self, numbers: Any, steps: int, learning_rate: float, over: Iterable[Value] | None = None, check: bool = True
    ) -> Any:
        """The numbers after `steps` steps of gradient descent, x -= learning_rate * d output / d x for the inputs `over`.

        `over` are inputs of the tape, all if left out. A list gives a list, an array an array. Raises `ValueError` for
        numbers that are arrays of samples, a negative number of steps, and for Values in `over` that are no inputs. A
        learning rate that is too large ends in inf or nan: look at what comes back.

        Source of the step: Cauchy, Comptes Rendus 25 (1847), 536.
        """
        x = self._floats(numbers)
        if x is None:
            raise ValueError("descend: arrays of samples have a gradient each; record the sum over the samples as the output")
        if not isinstance(steps, Integral) or steps < 0:
            raise ValueError(f"descend: steps={steps!r} is not a whole number from 0 up")
        rate, moved = as_float(checked(learning_rate, "descend: learning_rate")), self._moved(over)
        x, out = x[:] if isinstance(x, array) else x.copy(), np.empty(len(x) + 1)
        start = _data(out)
        guard = self._guard if check else None
        for some in _portions(int(steps) if len(moved) else 0, AT_ONCE if guard else len(self.tape)):
            if guard:  # after every step
                self.tape.check(x, guard)
            self._descending.descend(self._address(), _data(x), _data(moved), len(moved), rate, some, start, start + 8)
        return np.asarray(x) if isinstance(numbers, np.ndarray) else x.tolist()

    def _floats(self, numbers: Any) -> Any:
        """One float for each input, as an array of NumPy's or of Python's; None where there are arrays of samples."""
        n = len(self.tape.inputs)
        if type(numbers) is np.ndarray and numbers.shape == (n,) and numbers.dtype == np.float64:
            return np.ascontiguousarray(numbers)
        if numbers.__class__ is not list or len(numbers) != n or set(map(type, numbers)) != {float}:
            kind, numbers = arguments(numbers, self.tape.inputs)
            if kind is Value:
                raise TypeError("a native tape computes with floats; give numbers, or call the tape itself with Values")
            if kind is list:
                return None
        return array("d", map(as_float, numbers))

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
            self._replaying.samples(self._address(), _data(x), n, some, *out)
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
            self._left[here], self._right[here] = first[here], counts[here] // (1 if row.name == "total" else 2)
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
