"""Operations of any number of operands in the interpreter: a loop over them, forward from the left, back from the right."""

from __future__ import annotations

from autograd.operations import Operation
from autograd.tape.native.lowering import Code

LOOP = """
br label %{name}.start
{name}.start:
br label %{name}
{name}:
%{name}.k = phi i32 [{first}, %{name}.start], [%{name}.next, %{name}.end]
%{name}.sum = phi double [{start}, %{name}.start], [%{name}.result, %{name}.end]
%{name}.more = icmp slt i32 %{name}.k, %{count}
br i1 %{name}.more, label %{name}.body, label %{name}.done
{name}.body:"""
AGAIN = """
br label %{name}.end
{name}.end:
%{name}.result = fadd double {result}, {more}
%{name}.next = add i32 %{name}.k, 1
br label %{name}
{name}.done:"""


def add(code: Code, position: str, share: str) -> None:
    """Add to the adjoint of that position."""
    at = code.let(f"getelementptr double, ptr %adjoints, i32 {position}")
    before = code.let(f"load double, ptr {at}")
    code.do(f"store double {code.let(f'fadd double {before}, {share}')}, ptr {at}")


def _operand(code: Code, way: str, k: str, offset: int = 0) -> tuple[str, str]:
    """The position of operand k of a fold, and its number."""
    at = f"getelementptr i32, ptr %{way}.operands, i32 {k}"
    if offset:
        at = f"getelementptr i32, ptr {code.let(at)}, i32 {offset}"
    position = code.let(f"load i32, ptr {code.let(at)}")
    return position, code.let(f"load double, ptr {code.let(f'getelementptr double, ptr %numbers, i32 {position}')}")


def _term(code: Code, name: str, k: str) -> str:
    """What a fold adds: an operand, or the product of two."""
    offset = int(name == "chain")
    _, a = _operand(code, "forward", k, offset)
    if name == "total":
        return a
    _, b = _operand(code, "forward", code.let(f"add i32 {k}, %forward.right"), offset)
    return code.let(f"fmul double {a}, {b}")


def folded(code: Code, row: Operation) -> str:
    """The sum, from the left."""
    name, chain = f"forward.{row.name}", row.name == "chain"
    start = _operand(code, "forward", "0")[1] if chain else _term(code, row.name, "0")
    code.do(LOOP.format(name=name, first=1 - chain, start=start, count="forward.right"))
    code.do(AGAIN.format(name=name, result=f"%{name}.sum", more=_term(code, row.name, f"%{name}.k")))
    return f"%{name}.sum"


SENDS = {"total": ("a",), "dot": ("b", "a"), "chain": ("ba",)}  # to which factors, in loops one after the other


def unfold(code: Code, row: Operation) -> None:
    """Send each operand its share, the last one first."""
    for factors in SENDS[row.name]:
        name, offset = f"backward.{row.name}.{factors}", int(row.name == "chain")
        code.do(LOOP.format(name=name, first=0, start="0.0", count="backward.right"))
        a = code.let(f"sub i32 {code.let(f'sub i32 %backward.right, %{name}.k')}, 1")
        if row.name == "total":
            add(code, _operand(code, "backward", a)[0], "%upstream")
        else:
            places = {"a": a, "b": code.let(f"add i32 {a}, %backward.right")}
            found = {factor: _operand(code, "backward", place, offset) for factor, place in places.items()}
            for factor in factors:
                other = found["a" if factor == "b" else "b"][1]
                share = code.let(f"fadd double {code.let(f'fmul double %upstream, {other}')}, 0.0")
                add(code, found[factor][0], share)
        code.do(AGAIN.format(name=name, result="0.0", more="0.0"))
    if row.name == "chain":
        add(code, _operand(code, "backward", "0")[0], "%upstream")
