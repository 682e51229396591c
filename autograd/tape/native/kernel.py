"""The native programs as LLVM text: one tape straight on, or any tape out of arrays.

Both define `@pass`, which computes the output and its derivatives once; `DRIVERS` call it for every sample of arrays, or
for every step of a descent. `straight` writes a tape out operation by operation, which is fastest and has to be compiled
for each tape; `INTERPRETER` walks over arrays of operations, and is compiled once for all tapes. The trade-off: the
second spends a third of its time on finding out what to do next.

Source: Griewank & Walther, Evaluating Derivatives (2nd ed., SIAM 2008), section 4.1, on tapes and their interpretation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograd.graph import Image
from autograd.operations import LEAF, Operation
from autograd.sweep import NOTHING, adjoints
from autograd.expressions import Expression, symbol
from autograd.tape.native.lowering import DECLARATIONS, LOWERED, Code

if TYPE_CHECKING:
    from autograd.tape.replay import Tape

HEAD = "define void @pass(ptr %program, ptr noalias %x, ptr noalias %value, ptr noalias %grads) {"
DRIVERS = """
define void @samples(ptr %program, ptr %x, i64 %inputs, i64 %count, ptr %values, ptr %grads) {
entry:
  br label %sample
sample:
  %s = phi i64 [0, %entry], [%s1, %sample]
  %row = mul i64 %s, %inputs
  %x.row = getelementptr double, ptr %x, i64 %row
  %value = getelementptr double, ptr %values, i64 %s
  %grads.row = getelementptr double, ptr %grads, i64 %row
  call void @pass(ptr %program, ptr %x.row, ptr %value, ptr %grads.row)
  %s1 = add i64 %s, 1
  %again = icmp ult i64 %s1, %count
  br i1 %again, label %sample, label %end
end:
  ret void
}

define void @descend(ptr %program, ptr %x, ptr %over, i64 %count, double %rate, i64 %steps, ptr %value, ptr %grads) {
entry:
  br label %step
step:
  %s = phi i64 [0, %entry], [%s1, %stepped]
  call void @pass(ptr %program, ptr %x, ptr %value, ptr %grads)
  br label %move
move:
  %k = phi i64 [0, %step], [%k1, %move]
  %slot.at = getelementptr i64, ptr %over, i64 %k
  %slot = load i64, ptr %slot.at
  %at = getelementptr double, ptr %x, i64 %slot
  %grad.at = getelementptr double, ptr %grads, i64 %slot
  %number = load double, ptr %at
  %grad = load double, ptr %grad.at
  %change = fmul double %rate, %grad
  %moved = fsub double %number, %change
  store double %moved, ptr %at
  %k1 = add i64 %k, 1
  %more = icmp ult i64 %k1, %count
  br i1 %more, label %move, label %stepped
stepped:
  %s1 = add i64 %s, 1
  %again = icmp ult i64 %s1, %steps
  br i1 %again, label %step, label %end
end:
  ret void
}
"""


def straight(tape: Tape, valued: bool) -> str:
    """The program of one tape, written out; if it is not `valued`, what only the output needs is left out.

    A descent asks for nothing but the derivatives.
    """
    code = Code()
    inputs = [f"x{k}" for k in range(len(tape.inputs))]
    names = {name: code.let(f"load double, ptr {_at(code, '%x', k)}") for k, name in enumerate(inputs)}
    nodes, _, grads = tape.formulas(LOWERED, inputs)
    wanted = [nodes[tape.output].data, *grads] if valued else grads
    places = ["%value"] * valued + [_at(code, "%grads", k) for k in range(len(grads))]
    for found, place in zip(code.compute(wanted, names), places, strict=True):
        code.do(f"store double {found}, ptr {place}")
    return "\n".join((DECLARATIONS, HEAD, "entry:", *code.lines, "ret void", "}", DRIVERS))


def _at(code: Code, pointer: str, index: int | str) -> str:
    return code.let(f"getelementptr double, ptr {pointer}, i64 {index}")


FIELDS = ("codes", "left", "right", "operations", "slots", "adjoints", "inputs", "first", "output")  # of %program, 8 bytes each
POINTERS = ("codes", "left", "right", "slots", "adjoints")
BOTH, LEFT, RIGHT = range(3)  # which operands of an operation lead to an input, and so are sent their share
START = """
%bytes = mul i64 %inputs, 8
call void @llvm.memcpy.p0.p0.i64(ptr %slots, ptr %x, i64 %bytes, i1 false)
%all = add i64 %first, %operations
%all.bytes = mul i64 %all, 8
call void @llvm.memset.p0.i64(ptr %adjoints, i8 0, i64 %all.bytes, i1 false)
%seed = getelementptr double, ptr %adjoints, i64 %output
store double 1.0, ptr %seed
%nothing = icmp eq i64 %operations, 0
br i1 %nothing, label %end, label %forward
"""
FETCH = """
%{way}.code.at = getelementptr i8, ptr %codes, i64 %{way}.i
%{way}.code = load i8, ptr %{way}.code.at
%{way}.left.at = getelementptr i32, ptr %left, i64 %{way}.i
%{way}.left = load i32, ptr %{way}.left.at
%{way}.right.at = getelementptr i32, ptr %right, i64 %{way}.i
%{way}.right = load i32, ptr %{way}.right.at
%{way}.slot = add i64 %first, %{way}.i
%{way}.out.at = getelementptr double, ptr %slots, i64 %{way}.slot
%{way}.a.at = getelementptr double, ptr %slots, i32 %{way}.left
%{way}.b.at = getelementptr double, ptr %slots, i32 %{way}.right
"""
TURN = """
%forward.next.i = add i64 %forward.i, 1
%forward.more = icmp ult i64 %forward.next.i, %operations
br i1 %forward.more, label %forward, label %turn
turn:
%last = sub i64 %operations, 1
br label %backward
"""
END = """
%backward.next.i = sub i64 %backward.i, 1
%backward.done = icmp eq i64 %backward.i, 0
br i1 %backward.done, label %end, label %backward
end:
%result.at = getelementptr double, ptr %slots, i64 %output
%result = load double, ptr %result.at
store double %result, ptr %value
call void @llvm.memcpy.p0.p0.i64(ptr %grads, ptr %adjoints, i64 %bytes, i1 false)
ret void
"""
MEMORY = """
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
"""


def code_of(row: Operation, needs: int) -> int:
    """The number of an operation in the interpreter's programs."""
    return 3 * list(LOWERED).index(row.name) + needs


def interpreter() -> str:
    """The program of all tapes: a loop forward over the operations and one back, with a case for each row of the table."""
    code = Code()
    for k, field in enumerate(FIELDS):
        at = code.let(f"getelementptr i64, ptr %program, i64 {k}")
        code.do(f"%{field} = load {'ptr' if field in POINTERS else 'i64'}, ptr {at}")
    code.do(START)
    _dispatch(code, "forward", "[0, %entry], [%forward.next.i, %forward.next]")
    for row in LOWERED.values():
        code.do(f"forward.{code_of(row, BOTH)}:")
        (out,) = code.compute([row.forward(*_operands(row))], _loaded(code, row, "forward"))
        code.do(f"store double {out}, ptr %forward.out.at", "br label %forward.next")
    code.do("forward.next:", TURN)
    _dispatch(code, "backward", "[%last, %turn], [%backward.next.i, %backward.next]")
    for row in LOWERED.values():
        for needs in (BOTH, LEFT, RIGHT)[: 2 * len(row.domain) - 1]:
            code.do(f"backward.{code_of(row, needs)}:")
            _send(code, row, needs)
            code.do("br label %backward.next")
    code.do("backward.next:", END)
    return "\n".join((DECLARATIONS, MEMORY, HEAD, "entry:", *code.lines, "}", DRIVERS))


def _dispatch(code: Code, way: str, index: str) -> None:
    """The head of a loop: fetch an operation and go to its case."""
    code.do(f"{way}:", f"%{way}.i = phi i64 {index}", FETCH.format(way=way))
    cases = (
        f"i8 {code_of(row, needs)}, label %{way}.{code_of(row, BOTH if way == 'forward' else needs)}"
        for row in LOWERED.values()
        for needs in (BOTH, LEFT, RIGHT)[: 2 * len(row.domain) - 1]
    )
    code.do(f"switch i8 %{way}.code, label %{way}.unknown [{' '.join(cases)}]", f"{way}.unknown:", "unreachable")


def _operands(row: Operation) -> list[Expression]:
    return [symbol(name) for name in "ab"[: len(row.domain)]]


def _loaded(code: Code, row: Operation, way: str) -> dict[str, str]:
    """The names under which the operands of the operation at hand are loaded."""
    return {name: code.let(f"load double, ptr %{way}.{name}.at") for name in "ab"[: len(row.domain)]}


def _send(code: Code, row: Operation, needs: int) -> None:
    """Add to the adjoint of each operand what the chain rule sends it: `adjoints` of a graph of this one operation."""
    leaves = [Image(x, LEAF, None, None) for x in _operands(row)]
    shares = adjoints(Image(symbol("out"), row, leaves[0], leaves[1] if leaves[1:] else None), symbol("upstream"), NOTHING)
    names = _loaded(code, row, "backward")
    names["out"] = code.let("load double, ptr %backward.out.at")
    names["upstream"] = code.let(f"load double, ptr {_at(code, '%adjoints', '%backward.slot')}")
    sides = [
        (leaf, side) for leaf, side, other in zip(leaves, ("left", "right"), (RIGHT, LEFT), strict=False) if needs != other
    ]
    for share, (_, side) in zip(code.compute([shares[leaf] for leaf, _ in sides], names)[::-1], sides[::-1], strict=True):
        at = code.let(f"getelementptr double, ptr %adjoints, i32 %backward.{side}")
        before = code.let(f"load double, ptr {at}")
        code.do(f"store double {code.let(f'fadd double {before}, {share}')}, ptr {at}")
