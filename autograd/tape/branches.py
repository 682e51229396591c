"""The branches that Python took while a tape was recorded: every comparison of recorded Values, and how it came out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial, reduce
from linecache import getline
from typing import Any, NamedTuple

from autograd.floats import shown
from autograd.graph import topological_order
from autograd.names import plain
from autograd.operations import OPERATIONS
from autograd.recording import record
from autograd.tape.arguments import like
from autograd.value import Comparison, Value, watching

ROWS = {"lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal", "eq": "equal", "ne": "not_equal"}


class BranchChanged(ValueError):  # noqa: N818  # it says what happened
    """The numbers would take another branch than the tape was recorded with."""


class Branch(NamedTuple):
    """A condition of Values: where in the program, which one, and how it came out."""

    file: str
    line: int
    condition: str
    outcome: bool

    def __str__(self) -> str:
        code = getline(self.file, self.line).strip()
        return f"{self.file}:{self.line}: {self.condition} was {self.outcome}" + (f", in {code!r}" if code else "")


class Heard(list[Comparison]):
    """The comparisons that are made, and the place of each in the user's program."""

    def __init__(self) -> None:
        super().__init__()
        self.places: list[tuple[str, int]] = []

    def append(self, comparison: Comparison) -> None:
        """Remember it; the place is the first frame outside of this package."""
        frame: Any = sys._getframe(1)  # noqa: SLF001  # `inspect` takes longer to import
        while frame.f_back and frame.f_globals.get("__name__", "").startswith("autograd."):
            frame = frame.f_back
        self.places.append((frame.f_code.co_filename, frame.f_lineno))
        super().append(comparison)


def listening(f: Callable[..., Any], operands: Iterable[Value]) -> tuple[Any, Heard]:
    """What `f` returns, and the comparisons that it made."""
    heard = Heard()
    watching.append(heard)
    try:
        return f(*operands), heard
    finally:
        watching[:] = [other for other in watching if other is not heard]


def branches(heard: Heard, inputs: Sequence[Value]) -> dict[Branch, Value]:
    """The branches that depend on the inputs, each with a node that is 1 where it comes out as it did, else 0."""
    found: dict[Branch, Value] = {}
    for (compare, a, b, outcome), place in zip(heard, heard.places, strict=True):
        row = OPERATIONS[ROWS[compare.__name__]]
        holds = record(Value, row, a, b)
        if not set(inputs).isdisjoint(topological_order(holds)):
            same = holds if outcome else record(Value, OPERATIONS["equal"], holds, 0.0)
            branch = Branch(*place, f"{_called(a)} {row.symbol} {_called(b)}", outcome)
            known = found.get(branch)
            found[branch] = same if known is None else record(Value, OPERATIONS["logical_and"], known, same)
    return found


def together(nodes: Iterable[Value]) -> Value:
    """The node that is 1 where all of them are."""
    return reduce(partial(record, Value, OPERATIONS["logical_and"]), nodes)


def labels(f: Callable[..., Any], count: int) -> list[str]:
    """The names of its operands, as far as it has them."""
    code = getattr(f, "__code__", None)
    return [*(code.co_varnames[: code.co_argcount] if code else ()), *[""] * count][:count]


def _called(x: Any) -> str:
    return plain(x.label) or shown(x.data) if isinstance(x, Value) else shown(x)


class Guarded:
    """What knows which branches were taken. `guard` is a tape of whether all are taken again; None where there are none."""

    inputs: tuple[Value, ...]
    taken: dict[Branch, Value] = {}  # noqa: RUF012  # never changed
    guard: Any = None

    @property
    def branches(self) -> list[Branch]:
        """What the numbers decided while `record` recorded: file, line, condition and outcome."""
        return [*self.taken]

    @property
    def decided(self) -> str:
        """The branches as text, a line for each."""
        return ", recorded where" * bool(self.taken) + "".join(f"\n  {branch}" for branch in self.taken)

    def check(self, numbers: Any, guard: Any = None) -> None:
        """Raise `BranchChanged` where these numbers, or some of these samples, would take another branch."""
        if self.guard is None:
            return
        given = [x.data if isinstance(x, Value) else x for x in numbers]
        if _holds((guard or self.guard)(given)[0]):
            return
        for branch, holds in self.taken.items():
            if not _holds(type(self.guard)(holds, self.inputs)(given)[0]):
                raise BranchChanged(
                    f"{branch}, when this tape was recorded, and would not be with these numbers; record a tape for them, or "
                    "replay regardless with check=False"
                )


def _holds(truths: Any) -> bool:
    """Whether it holds: a number, or an array of them."""
    return bool(truths.all() if hasattr(truths, "all") else truths)


class Tapes(Guarded):
    """What `Tape` gives for several outputs: the values, and their Jacobian, a row for each."""

    def __init__(self, parts: Sequence[Any], inputs: tuple[Value, ...]) -> None:
        self.parts, self.inputs = parts, inputs

    def __repr__(self) -> str:
        return f"Tapes({[*self.parts]}{self.decided})"

    def __call__(self, numbers: Any, check: bool = True) -> tuple[Any, Any]:
        """The list of the outputs and the list of their gradients; both are arrays, if `numbers` is one."""
        given = numbers if hasattr(numbers, "__len__") else list(numbers)
        if check:
            self.check(given)
        outputs, rows = zip(*(part(given) for part in self.parts), strict=True)
        return like(given, [*outputs]), like(given, [*rows])

    def on(self, module: Any) -> Callable[[Sequence[Any]], tuple[Any, Any]]:
        """All of them on the numbers of another module, as for one output."""
        return Tapes([part.on(module) for part in self.parts], self.inputs)

    def native(self) -> Tapes:
        """All of them as machine code."""
        found = Tapes([part.native() for part in self.parts], self.inputs)
        found.taken, found.guard = self.taken, self.guard
        return found
