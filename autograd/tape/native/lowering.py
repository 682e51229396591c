"""Formulas as LLVM's assembly text: the rows of the table become machine code.

Everything here is text in, text out; `machine` has it compiled. No instruction allows a reordering, a fused multiplication
or an approximation, so every float is the one that the rows give in Python. The trade-off: `where` computes both of its
arms, as in the table, and functions of the C library stay calls, one at a time.

Source: the LLVM Language Reference Manual, "Instruction Reference" (llvm.org/docs/LangRef.html).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from math import nan
from types import SimpleNamespace
from typing import Any

from autograd.graph import topological_order
from autograd.operations import table
from autograd.expressions import NAME, NUMBER, Expression, where

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


class Code:
    """A function body that grows, line by line."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._names = 0

    def let(self, instruction: str) -> str:
        """Append the instruction, and return the name of what it computes."""
        self._names += 1
        self.lines.append(f"%n{self._names} = {instruction}")
        return f"%n{self._names}"

    def do(self, *lines: str) -> None:
        """Append lines that compute nothing that has a name."""
        self.lines += lines

    def compute(self, outputs: Iterable[Expression], names: Mapping[str, str]) -> list[str]:
        """Append what computes the expressions, with these names for their symbols; return what holds each of them.

        >>> code = Code()
        >>> code.compute([symbols.symbol("x") * 3.0], {"x": "%x"}), code.lines
        (['%n1'], ['%n1 = fmul double %x, 0x4008000000000000'])
        """
        outputs = list(outputs)
        found: dict[Expression, str] = {}
        for e in topological_order(*outputs):
            if e.op is NAME:
                found[e] = names[e.content]
            elif e.op is NUMBER:
                found[e] = literal(e.content)
            else:
                found[e] = self.let(INSTRUCTIONS[e.op].format(*(found[p] for p in e.parents)))
        return [found[e] for e in outputs]


def literal(x: float) -> str:
    """A number as LLVM writes it: the sixteen digits of its bits.

    >>> literal(1), literal(True)
    ('0x3FF0000000000000', 'true')
    """
    return str(x).lower() if x is True or x is False else f"0x{struct.pack('>d', x).hex().upper()}"
