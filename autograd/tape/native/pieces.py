"""Pieces of LLVM text from which the native programs are put together; `kernel` fills them in."""

from __future__ import annotations

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
