"""Random programs over the whole table, to be recorded anew with any numbers, and numbers of every kind for them.

A program is data: how many inputs, which constants, which operation of which two earlier results. Recorded, it is a graph
without a branch that Python took, so a tape of it has to give what the engine gives, at any other numbers too.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

from hypothesis import strategies as st

from autograd import Value, grad
from autograd.operations import OPERATIONS
from autograd.recording import record

INF, NAN = math.inf, math.nan
SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -8.0, 1 / 3, 1e16, INF, -INF, NAN)
EXTREME = (1e308, -1e308, 5e-324, -5e-324, 2.2e-308, 1e-160, -1e200, 709.8, -745.5, 2.0**53 + 2)
GRID = SPECIAL + EXTREME
NUMBERS = st.one_of(st.sampled_from(GRID), st.floats(-3, 3), st.floats())
FUNCTIONS: dict[str, Callable[..., Value]] = {name: partial(record, Value, row) for name, row in OPERATIONS.items()}
RATIONAL = ("add", "sub", "mul", "div", "neg", "abs", "relu", "maximum", "minimum")
ROUNDED = (*RATIONAL, "sqrt")  # what IEEE 754 rounds rightly, so that any two machines agree to the last bit
SMOOTH = ("add", "sub", "mul", "neg", "sin", "cos", "tanh", "sigmoid", "softplus")  # and bounded derivatives, everywhere


class Step(NamedTuple):
    """An operation, its operands as places counted back from the last result."""

    name: str
    left: int
    right: int
    others: tuple[int, ...] = (0, 0)

    def operands(self, known: int) -> tuple[int, ...]:
        """The positions of its operands, where so many numbers are known."""
        places = (self.left, self.right, *self.others)[: len(OPERATIONS[self.name].domain)]
        return tuple(known - 1 - place % known for place in places)


class Program(NamedTuple):
    """So many inputs, then these constants, then these steps; the last result is the output."""

    inputs: int
    constants: tuple[float, ...]
    steps: tuple[Step, ...]

    @property
    def operands(self) -> list[tuple[int, ...]]:
        """Of each step the positions of its operands, among the inputs, the constants and the results before it."""
        return [step.operands(known) for known, step in enumerate(self.steps, self.inputs + len(self.constants))]

    @property
    def used(self) -> list[int]:
        """The positions of the inputs on which the output depends."""
        reaches = [{k} for k in range(self.inputs)] + [set() for _ in self.constants]
        for operands in self.operands:
            reaches.append(set().union(*(reaches[at] for at in operands)))
        return sorted(reaches[-1])

    def record(self, numbers: Sequence[Any]) -> tuple[Value, list[Value]]:
        """The output, and its inputs, recorded with these numbers: one for each input that is used."""
        given = dict(zip(self.used, numbers, strict=True))
        leaves = [Value(given.get(k, 0.0)) for k in range(self.inputs)]
        nodes = [*leaves, *map(Value, self.constants)]
        for step, operands in zip(self.steps, self.operands, strict=True):
            nodes.append(FUNCTIONS[step.name](*(nodes[at] for at in operands)))
        return nodes[-1], [leaves[k] for k in self.used]

    def engine(self, numbers: Sequence[Any]) -> tuple[Any, list[Any]]:
        """What the engine makes of these numbers: recorded anew, and swept."""
        output, leaves = self.record(numbers)
        return output.data, grad(output, leaves)


def programs(
    names: Iterable[str] = tuple(OPERATIONS), constants: st.SearchStrategy[float] = NUMBERS, longest: int = 16
) -> st.SearchStrategy[Program]:
    """Programs of these operations; most steps go on from a recent result."""
    far = st.integers(0, 20)
    step = st.builds(Step, st.sampled_from(tuple(names)), st.one_of(st.integers(0, 2), far), far, st.tuples(far, far))
    found = st.builds(
        Program,
        st.integers(1, 4),
        st.lists(constants, max_size=3).map(tuple),
        st.lists(step, min_size=1, max_size=longest).map(tuple),
    )
    return found.filter(lambda program: bool(program.used))


@st.composite
def cases(draw: st.DrawFn, names: Iterable[str] = tuple(OPERATIONS), numbers: st.SearchStrategy[Any] = NUMBERS) -> Any:
    """A program, and three lists of numbers for it."""
    program = draw(programs(names, numbers))
    n = len(program.used)
    return program, [draw(st.lists(numbers, min_size=n, max_size=n)) for _ in range(3)]


def bits(x: Any) -> Any:
    """What two numbers have in common if they are the same to the last bit: their kind and their bits; all nan are one."""
    if type(x) is Fraction:
        return x
    return "nan" if math.isnan(x) else struct.pack(">d", x).hex()


def same(got: Any, want: Any) -> bool:
    """Whether a value and its gradients are the same as others, bit for bit."""
    (value, grads), (value_, grads_) = got, want
    return bool([*map(bits, (value, *grads))] == [*map(bits, (value_, *grads_))])
