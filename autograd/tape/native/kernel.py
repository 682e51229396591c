"""The native programs as LLVM text: one tape written out, or any tape out of arrays.

Both define `@pass`, which computes the output and its derivatives once; `DRIVERS` call it for every sample of arrays, or
for every step of a descent. `straight` writes a tape out operation by operation, which is fastest and has to be compiled
for each tape. `interpreter` walks over arrays of operations: it is compiled once for all tapes, and spends a third of its
time on finding out what to do next.

The text is made by hand: llvmlite's builder takes 14 microseconds for an instruction, this takes half of one, and LLVM
verifies both.

Source: Griewank & Walther, Evaluating Derivatives (2nd ed., SIAM 2008), section 4.1, on tapes and their interpretation.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from autograd.expressions import EXPANDED, Expression, symbol
from autograd.expressions.expression import is_number, lifted
from autograd.operations import BUILT_IN, OPERATIONS, Operation
from autograd.tape.native.folds import add, folded, unfold
from autograd.tape.native.fusing import CHAIN
from autograd.tape.native.lowering import Code, Function
from autograd.tape.program import FOLDS, Call, Program, formulas, of_node

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
  %position.at = getelementptr i64, ptr %over, i64 %k
  %position = load i64, ptr %position.at
  %at = getelementptr double, ptr %x, i64 %position
  %grad.at = getelementptr double, ptr %grads, i64 %position
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


class Text(NamedTuple):
    """A program as LLVM text, and the functions of the C library that it calls."""

    text: str
    calls: tuple[Function, ...]


def _text(code: Code, *more: str) -> Text:
    return Text("\n".join((code.declarations(), *more, HEAD, "entry:", *code.lines, "}", DRIVERS)), tuple(code.calls.values()))


def straight(program: Program, valued: bool) -> Text:
    """One tape, written out; if it is not `valued`, what only the output needs is left out."""
    code = Code()
    inputs = [f"x{k}" for k in range(program.inputs)]
    names = {name: code.let(f"load double, ptr {_at(code, '%x', k)}") for k, name in enumerate(inputs)}
    nodes, _, grads = formulas(program, inputs, guarded=True)
    wanted = [nodes[program.output].data, *grads] if valued else grads
    places = ["%value"] * valued + [_at(code, "%grads", k) for k in range(len(grads))]
    for found, place in zip(code.compute(wanted, names), places, strict=True):
        code.do(f"store double {found}, ptr {place}")
    code.do("ret void")
    return _text(code)


def _at(code: Code, pointer: str, index: int | str) -> str:
    return code.let(f"getelementptr double, ptr {pointer}, i64 {index}")


FIELDS = ("codes", "left", "right", "rest", "operations", "numbers", "adjoints", "inputs", "first", "output")  # of %program
POINTERS = ("codes", "left", "right", "rest", "numbers", "adjoints")
ALL, LEFT, RIGHT = range(3)  # which operands of an operation lead to an input, and so are sent their share
START = """
%bytes = mul i64 %inputs, 8
call void @llvm.memcpy.p0.p0.i64(ptr %numbers, ptr %x, i64 %bytes, i1 false)
%all = add i64 %first, %operations
br label %clear
clear:
%k = phi i64 [0, %entry], [%k1, %clear]
%clear.at = getelementptr double, ptr %adjoints, i64 %k
store double -0.0, ptr %clear.at
%k1 = add i64 %k, 1
%more = icmp ult i64 %k1, %all
br i1 %more, label %clear, label %cleared
cleared:
%seed = getelementptr double, ptr %adjoints, i64 %output
store double 1.0, ptr %seed
%nothing = icmp eq i64 %operations, 0
br i1 %nothing, label %end, label %forward
"""
FETCH = """
%{way}.code.at = getelementptr i16, ptr %codes, i64 %{way}.i
%{way}.code = load i16, ptr %{way}.code.at
%{way}.left.at = getelementptr i32, ptr %left, i64 %{way}.i
%{way}.left = load i32, ptr %{way}.left.at
%{way}.right.at = getelementptr i32, ptr %right, i64 %{way}.i
%{way}.right = load i32, ptr %{way}.right.at
%{way}.operands = getelementptr i32, ptr %rest, i32 %{way}.left
%{way}.position = add i64 %first, %{way}.i
%{way}.out.at = getelementptr double, ptr %numbers, i64 %{way}.position
%{way}.left.number = getelementptr double, ptr %numbers, i32 %{way}.left
%{way}.right.number = getelementptr double, ptr %numbers, i32 %{way}.right
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
%result.at = getelementptr double, ptr %numbers, i64 %output
%result = load double, ptr %result.at
store double %result, ptr %value
br label %give
give:
%j = phi i64 [0, %end], [%j1, %give]
%sent.at = getelementptr double, ptr %adjoints, i64 %j
%sent = load double, ptr %sent.at
%grad = fadd double %sent, 0.0
%grad.at = getelementptr double, ptr %grads, i64 %j
store double %grad, ptr %grad.at
%j1 = add i64 %j, 1
%more.j = icmp ult i64 %j1, %inputs
br i1 %more.j, label %give, label %given
given:
ret void
"""
MEMORY = "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)"
SENT = """
%upstream.at = getelementptr double, ptr %adjoints, i64 %backward.position
%upstream = load double, ptr %upstream.at
%upstream.bits = bitcast double %upstream to i64
%never = icmp eq i64 %upstream.bits, -9223372036854775808
br i1 %never, label %backward.next, label %backward.sent
backward.sent:
"""  # a sum of shares is never -0.0, so that this says that none was sent


def codes_of(more: Iterable[Call] = ()) -> dict[tuple[Call, int], int]:
    """The number of each case of the interpreter: an operation, built-in or one of `more`, and which operands need a share."""
    built_in = [row for row in OPERATIONS.values() if row.name in BUILT_IN]
    calls = [(row, row.arity or 0) for row in (*built_in, CHAIN) if row.arity is not None or row.name in FOLDS]
    cases = ((call, needs) for call in (*calls, *more) for needs in ((ALL, LEFT, RIGHT) if call[1] == 2 else (ALL,)))
    return {case: code for code, case in enumerate(cases)}


def interpreter(more: Iterable[Call] = ()) -> Text:
    """The program of all tapes: a loop forward over the operations and one back, with a case for each row of the table."""
    code, cases = Code(), codes_of(more)
    for k, field in enumerate(FIELDS):
        at = code.let(f"getelementptr i64, ptr %program, i64 {k}")
        code.do(f"%{field} = load {'ptr' if field in POINTERS else 'i64'}, ptr {at}")
    code.do(START)
    _dispatch(
        code,
        "forward",
        "[0, %cleared], [%forward.next.i, %forward.next]",
        {k: cases[row, ALL] for (row, _), k in cases.items()},
    )
    for (call, needs), case in cases.items():
        if needs == ALL:
            code.do(f"forward.{case}:")
            if call[0].name in FOLDS:
                out = folded(code, call[0])
            else:
                names = _loaded(code, "forward", _positions(code, call[1], "forward"))
                (out,) = code.compute([of_node(call[0])(*map(symbol, names))], names)
            code.do(f"store double {out}, ptr %forward.out.at", "br label %forward.next")
    code.do("forward.next:", TURN)
    _dispatch(code, "backward", "[%last, %turn], [%backward.next.i, %backward.next]", {k: k for k in cases.values()}, SENT)
    for (call, needs), case in cases.items():
        code.do(f"backward.{case}:")
        if call[0].name in FOLDS:
            unfold(code, call[0])
        else:
            _send(code, call, needs)
        code.do("br label %backward.next")
    code.do("backward.next:", END)
    return _text(code, MEMORY)


def _dispatch(code: Code, way: str, index: str, goes: dict[int, int], more: str = "") -> None:
    """The head of a loop: fetch an operation and go to its case."""
    code.do(f"{way}:", f"%{way}.i = phi i64 {index}", FETCH.format(way=way), more)
    cases = (f"i16 {number}, label %{way}.{case}" for number, case in goes.items())
    code.do(f"switch i16 %{way}.code, label %{way}.unknown [{' '.join(cases)}]", f"{way}.unknown:", "unreachable")


def _positions(code: Code, count: int, way: str) -> list[str]:
    """Where the operands of the operation at hand stand among the numbers."""
    if count <= 2:
        return [f"%{way}.left", f"%{way}.right"][:count]
    first = code.let(f"getelementptr i32, ptr %rest, i32 %{way}.right")
    places = (code.let(f"getelementptr i32, ptr {first}, i32 {k}") for k in range(count - 1))
    return [f"%{way}.left", *(code.let(f"load i32, ptr {place}") for place in places)]


def _loaded(code: Code, way: str, positions: list[str]) -> dict[str, str]:
    """The names under which the operands of the operation at hand are loaded."""
    at = [f"%{way}.left.number", f"%{way}.right.number"]
    if len(positions) > 2:
        at = [code.let(f"getelementptr double, ptr %numbers, i32 {position}") for position in positions]
    return {f"x{k}": code.let(f"load double, ptr {at[k]}") for k in range(len(positions))}


def shares_of(row: Operation, count: int) -> list[Expression]:
    """What the chain rule sends to each operand x0, x1, ...: never -0.0, which is where a row selects, and sends nothing."""
    operands, upstream = [symbol(f"x{k}") for k in range(count)], symbol("upstream")
    partials = [lifted(partial) for partial in row.partials(EXPANDED, symbol("out"), *operands)]
    shares = [upstream if is_number(partial, 1) else upstream * partial + 0.0 for partial in partials]
    if row.selects:
        return [EXPANDED.where(partial != 0, share, -0.0) for partial, share in zip(partials, shares, strict=True)]
    return shares


def _send(code: Code, call: Call, needs: int) -> None:
    """Add its share to the adjoint of each operand that needs one, the last operand first."""
    positions, shares = _positions(code, call[1], "backward"), shares_of(*call)
    names = _loaded(code, "backward", positions) | {"upstream": "%upstream"}
    names["out"] = code.let("load double, ptr %backward.out.at")
    kept = slice(0, 1) if needs == LEFT else slice(1, 2) if needs == RIGHT else slice(None)
    for share, position in zip(code.compute(shares[kept], names)[::-1], positions[kept][::-1], strict=True):
        add(code, position, share)


def checked_calls(calls: Iterable[Call]) -> tuple[Function, ...]:
    """The functions of the C library that these operations need. Raises `NotImplementedError` for one without a native form."""
    code = Code()
    for row, count in calls:
        operands = [f"x{k}" for k in range(count)]
        names = {name: f"%{name}" for name in ("out", "upstream", *operands)}
        code.compute([of_node(row)(*map(symbol, operands)), *shares_of(row, count)], names)
    return tuple(code.calls.values())
