"""Formulas as LLVM's assembly text: the rows of the table become machine code.

Everything here is text in, text out; `native` has it compiled. Expressions are put where they are needed: what only one
arm of a `where` uses is computed in that arm, if it is as costly as a call. No instruction allows a reordering, a fused
multiplication or an approximation, so every float is the one that the rows give in Python. The trade-off: functions of
the C library stay calls, and are not vectorised.

Source: the LLVM Language Reference Manual, "Instruction Reference" (llvm.org/docs/LangRef.html).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from math import nan
from types import SimpleNamespace
from typing import Any

from autograd import symbols
from autograd.graph import topological_order
from autograd.rules import table
from autograd.symbols import NAME, NUMBER, Expression, where

CALLS = {"exp": 1, "log": 1, "log1p": 1, "sin": 1, "cos": 1, "tanh": 1, "power": 2}  # to the C library: its `pow` is our power
INSTRUCTIONS = {
    "add": "fadd double {}, {}",
    "subtract": "fsub double {}, {}",
    "multiply": "fmul double {}, {}",
    "divide": "fdiv double {}, {}",
    "negative": "fneg double {}",
    "absolute": "call double @llvm.fabs.f64(double {})",
    "sqrt": "call double @llvm.sqrt.f64(double {})",
    "less": "fcmp olt double {}, {}",
    "less_equal": "fcmp ole double {}, {}",
    "greater": "fcmp ogt double {}, {}",
    "greater_equal": "fcmp oge double {}, {}",
    "equal": "fcmp oeq double {}, {}",
    "logical_and": "and i1 {}, {}",
    "where": "select i1 {}, double {}, double {}",
    **{name: f"call double @c_{name}({', '.join(['double {}'] * inputs)})" for name, inputs in CALLS.items()},
}
DECLARATIONS = "\n".join(
    (
        "declare double @llvm.fabs.f64(double)",
        "declare double @llvm.sqrt.f64(double)",
        *(f"declare double @c_{name}({', '.join(['double'] * inputs)}) #0" for name, inputs in CALLS.items()),
        "attributes #0 = { nounwind willreturn memory(none) }",
    )
)

_CHOICES: dict[str, Any] = {  # what `floats` decides with `if`
    "sign": lambda a: where(a > 0, 1, where(a < 0, -1, where(a == 0, 0, nan))),
    "heaviside": lambda a, at_zero: where(a > 0, 1, where(a < 0, 0, where(a == 0, at_zero, nan))),
    "maximum": lambda a, b: where(a >= b, a, where(a == a, b, a)),  # noqa: PLR0124  # nan alone differs from itself
    "minimum": lambda a, b: where(a <= b, a, where(a == a, b, a)),  # noqa: PLR0124  # as above
}
LOWERED = table(SimpleNamespace(**{**vars(symbols), **_CHOICES}))

Region = tuple[tuple[int, int], ...]  # the arms within which something is computed: (position of the `where`, which arm)


class Code:
    """A function body that grows: its lines, and the block in which the next one stands."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.block = "entry"
        self._names = 0

    def name(self) -> str:
        """A name that is not used yet."""
        self._names += 1
        return f"n{self._names}"

    def let(self, instruction: str) -> str:
        """Append the instruction, and return the name of what it computes."""
        name = f"%{self.name()}"
        self.lines.append(f"{name} = {instruction}")
        return name

    def do(self, *lines: str) -> None:
        """Append lines that compute nothing that has a name."""
        self.lines += lines

    def begin(self, block: str) -> None:
        """Let the lines from here on stand in this block."""
        self.lines.append(f"{block}:")
        self.block = block

    def compute(self, outputs: Iterable[Expression], names: Mapping[str, str]) -> list[str]:
        """Append what computes the expressions, with these names for their symbols; return what holds each of them.

        >>> code = Code()
        >>> code.compute([symbols.symbol("x") * 3.0], {"x": "%x"}), code.lines
        (['%n1'], ['%n1 = fmul double %x, 0x4008000000000000'])
        """
        outputs = list(outputs)
        order = topological_order(*outputs)
        members = _regions(order, outputs)
        found: dict[Expression, str] = {}
        self._region((), order, members, found, names)
        return [found[e] for e in outputs]

    def _region(
        self,
        region: Region,
        order: list[Expression],
        members: dict[Region, list[int]],
        found: dict[Expression, str],
        names: Mapping[str, str],
    ) -> None:
        for i in members.get(region, ()):
            e = order[i]
            if e.op is NAME:
                found[e] = names[e.content]
            elif e.op is NUMBER:
                found[e] = literal(e.content)
            elif ((*region, (i, 1)) in members) or ((*region, (i, 2)) in members):
                condition, *arms = e.parents
                after, blocks = self.name(), [self.name(), self.name()]
                self.do(f"br i1 {found[condition]}, label %{blocks[0]}, label %{blocks[1]}")
                pairs = []
                for k, (block, arm) in enumerate(zip(blocks, arms, strict=True), start=1):
                    self.begin(block)
                    self._region((*region, (i, k)), order, members, found, names)
                    pairs.append(f"[{found[arm]}, %{self.block}]")
                    self.do(f"br label %{after}")
                self.begin(after)
                found[e] = self.let(f"phi double {', '.join(pairs)}")
            else:
                found[e] = self.let(INSTRUCTIONS[e.op].format(*(found[p] for p in e.parents)))


def _regions(order: list[Expression], outputs: Iterable[Expression]) -> dict[Region, list[int]]:
    """Which expressions, by their positions in the order, are computed in which arms; those without a call everywhere."""
    position = {e: i for i, e in enumerate(order)}
    region: dict[int, Region] = {position[e]: () for e in outputs}
    costly: set[int] = set()
    for i in range(len(order) - 1, -1, -1):
        e = order[i]
        if e.op in CALLS:
            costly.update(where for where, _ in region[i])
        for k, parent in enumerate(e.parents):
            here = (*region[i], (i, k)) if e.op == "where" and k else region[i]
            p = position[parent]
            region[p] = _common(region[p], here) if p in region else here
    members: dict[Region, list[int]] = {}
    for i in range(len(order)):
        arms = tuple(arm for arm in region[i] if arm[0] in costly)
        members.setdefault(arms, []).append(i)
    return members


def _common(a: Region, b: Region) -> Region:
    n = 0
    while n < min(len(a), len(b)) and a[n] == b[n]:
        n += 1
    return a[:n]


def literal(x: float) -> str:
    """A number as LLVM writes it: the sixteen digits of its bits.

    >>> literal(1), literal(True)
    ('0x3FF0000000000000', 'true')
    """
    return str(x).lower() if x is True or x is False else f"0x{struct.pack('>d', x).hex().upper()}"
