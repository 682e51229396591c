"""Formulas as LLVM's assembly text: the rows of the table become machine code.

Everything here is text in, text out; `machine` has it compiled. No instruction allows a reordering, a fused multiplication
or an approximation, so every float is the one that the rows give in Python. `where` computes both of its arms, as in the
table; what has no instruction is a call to a function of the C library.

Source: the LLVM Language Reference Manual, "Instruction Reference" (llvm.org/docs/LangRef.html).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from autograd.expressions import Expression
from autograd.expressions.expression import NAME, NUMBER
from autograd.graph import topological_order
from autograd.operations import Operation

INSTRUCTIONS = {
    "add": "fadd double {}, {}",
    "sub": "fsub double {}, {}",
    "mul": "fmul double {}, {}",
    "div": "fdiv double {}, {}",
    "neg": "fneg double {}",
    "abs": "call double @llvm.fabs.f64(double {})",
    "sqrt": "call double @llvm.sqrt.f64(double {})",
    "where": "select i1 {}, double {}, double {}",
}
TRUTHS = {  # whose result is an i1
    "less": "fcmp olt double {}, {}",
    "less_equal": "fcmp ole double {}, {}",
    "greater": "fcmp ogt double {}, {}",
    "greater_equal": "fcmp oge double {}, {}",
    "equal": "fcmp oeq double {}, {}",
    "not_equal": "fcmp une double {}, {}",
    "logical_and": "and i1 {}, {}",
}
ASKS = {"where": (0,), "logical_and": (0, 1)}  # which operands are an i1


class Function(NamedTuple):
    """A function of the C library, with so many operands, that an operation calls."""

    name: str
    operands: int
    operation: str

    @property
    def symbol(self) -> str:
        """What it is called in our programs."""
        return f"c_{self.name}_{self.operands}"


class Code:
    """A function body that grows, line by line; `calls` are the functions that it needs, by their symbols."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.calls: dict[str, Function] = {}
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
        """Append what computes the expressions, with these names for their symbols; return what holds each of them."""
        outputs = list(outputs)
        found: dict[Expression, str] = {}
        truths: set[Expression] = set()
        known: dict[str, str] = {}  # what is computed already, from other objects too
        for e in topological_order(*outputs):
            if e.op is NAME:
                found[e] = names[e.content]
            elif e.op is NUMBER:
                found[e] = literal(e.content)
            else:
                operands = [found[p] for p in e.parents]
                if e.op.name in ASKS or not truths.isdisjoint(e.parents):
                    asks = ASKS.get(e.op.name, ())
                    operands = [self._as(k in asks, p in truths, found[p]) for k, p in enumerate(e.parents)]
                instruction = self._instruction(e.op, len(operands)).format(*operands)
                found[e] = known[instruction] = known.get(instruction) or self.let(instruction)
            if e.op.name in TRUTHS or (e.op is NUMBER and isinstance(e.content, bool)):
                truths.add(e)
        return [self._as(False, e in truths, found[e]) for e in outputs]

    def _as(self, truth: bool, is_truth: bool, name: str) -> str:
        """The operand as a truth or as a number, as it is asked for: Python takes one for the other."""
        if truth is is_truth:
            return name
        return self.let(f"fcmp une double {name}, 0.0" if truth else f"uitofp i1 {name} to double")

    def _instruction(self, operation: Operation, count: int) -> str:
        known = INSTRUCTIONS.get(operation.name) or TRUTHS.get(operation.name)
        if known is not None:
            return known
        if not operation.native:
            raise NotImplementedError(
                f"{operation.name} has no native form; give operation(..., native='name of a function of the C library')"
            )
        called = Function(operation.native, count, operation.name)
        self.calls[called.symbol] = called
        return f"call double @{called.symbol}({', '.join(['double {}'] * called.operands)})"

    def declarations(self) -> str:
        """What a program has to declare for this body."""
        calls = (f"declare double @{name}({', '.join(['double'] * f.operands)}) #0" for name, f in self.calls.items())
        return "\n".join((*DECLARATIONS, *calls))


DECLARATIONS = (
    "declare double @llvm.fabs.f64(double)",
    "declare double @llvm.sqrt.f64(double)",
    "attributes #0 = { nounwind willreturn memory(none) }",
)


def literal(x: float) -> str:
    """A number as LLVM writes it: the sixteen digits of its bits."""
    return str(x).lower() if isinstance(x, bool) else f"0x{struct.pack('>d', x).hex().upper()}"
