"""The texts of the native programs: what LLVM reads, one case for each row, and nothing that a number could get into."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from programs import FUNCTIONS, GRID, INF, NAN, RATIONAL, cases, same

from autograd import Tape, Value
from autograd.operations import OPERATIONS
from autograd.tape.native.kernel import ALL, FIELDS, LEFT, POINTERS, RIGHT, codes_of, interpreter, straight
from autograd.tape.program import FOLDS, Program

ROWS = pytest.mark.parametrize("name", OPERATIONS)
FEW = (0.0, -0.0, 1.0, -2.0, INF, NAN)  # of more than two operands
TWO = [name for name, rule in OPERATIONS.items() if rule.arity == 2]
x, y = Value(2.0, "x"), Value(3.0, "y")


@pytest.fixture
def llvm() -> Any:
    pytest.importorskip("llvmlite", reason="pip install llvmlite")
    from autograd.tape.native.machine import backend

    return backend()


def interpreted(tape: Tape) -> Any:
    """The tape by way of the interpreter, however small it is."""
    pytest.importorskip("llvmlite", reason="pip install llvmlite")
    from autograd.tape import native

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native, "LARGEST_STRAIGHT", -1)
        fast = tape.native()
    assert fast._arrays is not None
    return fast


def test_llvm_reads_both_programs(llvm: Any) -> None:
    for text in (
        interpreter(),
        *(straight(Tape((x * y).sigmoid() ** 2 + x.softplus(), [x, y]).program, valued) for valued in (True, False)),
    ):
        module = llvm.parse_assembly(text.text)
        module.verify()
        functions = {f.name for f in module.functions if not f.is_declaration}
        assert functions == {"pass", "samples", "descend"}


def test_every_case_has_a_number_of_its_own_that_fits_two_bytes() -> None:
    codes = codes_of()
    assert sorted(codes.values()) == list(range(len(codes)))
    wanted = {
        ((row, row.arity or 0), needs)
        for name, row in OPERATIONS.items()
        for needs in ((ALL, LEFT, RIGHT) if name in TWO else (ALL,))
        if row.arity is not None or name in FOLDS
    }
    assert codes.keys() == wanted
    assert all(codes[call, RIGHT] == codes[call, LEFT] + 1 == codes[call, ALL] + 2 for call, needs in codes if needs == LEFT)


def test_the_interpreter_has_a_case_for_each_row_forward_and_for_each_need_backward() -> None:
    codes, text = codes_of(), interpreter().text
    blocks = re.findall(r"^(\w+)\.(\d+):$", text, re.MULTILINE)
    assert {int(code) for way, code in blocks if way == "forward"} == {
        codes[(row, row.arity or 0), ALL] for row in OPERATIONS.values() if row.arity is not None or row.name in FOLDS
    }
    assert {int(code) for way, code in blocks if way == "backward"} == set(codes.values())
    assert len(blocks) == len(set(blocks))
    assert interpreter() == interpreter()


def test_each_code_goes_to_its_case_which_sends_a_share_to_the_operands_that_need_it() -> None:
    codes, text = codes_of(), interpreter().text
    pieces = re.split(r"^backward\.(\d+):$", text, flags=re.MULTILINE)
    sent = {
        int(code): re.findall(r"ptr %adjoints, i32 %backward\.(\w+)", block)
        for code, block in zip(pieces[1::2], pieces[2::2], strict=True)
    }
    cases = {(way, int(code)): int(to) for code, way, to in re.findall(r"i16 (\d+), label %(\w+)\.(\d+)", text)}
    for (call, needs), code in codes.items():
        wanted = {ALL: ["right", "left"], LEFT: ["left"], RIGHT: ["right"]} if call[1] == 2 else {ALL: ["left"][: call[1]]}
        assert (cases.pop(("forward", code)), cases.pop(("backward", code))) == (codes[call, ALL], code)
        assert sent[code] == wanted[needs]
    assert cases == {}


def test_what_the_interpreter_is_told_about_a_program() -> None:
    assert set(POINTERS) < set(FIELDS)
    text = interpreter().text
    for field in FIELDS:
        assert f"%{field} = load {'ptr' if field in POINTERS else 'i64'}," in text


def test_a_straight_program_has_the_operations_of_its_tape_and_no_labels() -> None:
    a, b = Value(2.0, '"\n} evil'), Value(3.0, "%x")
    text = straight(Tape((a * b).tanh() + 1.5, [a, b]).program, valued=True).text
    body = text.partition("entry:")[2].partition("}")[0]
    assert "evil" not in text
    assert len(re.findall("@c_tanh_1", body)) == 1
    assert "0x3FF8000000000000" in body
    assert re.findall(r"@c_(\w+)", text) == ["tanh_1", "tanh_1"]


def test_a_program_for_descents_leaves_out_what_only_the_output_needs() -> None:
    tape, only = (
        Tape(output, [x, y]).program for output in (x.exp() + y.sin().log() * x, x.exp() * 0 + (x + 1).tanh() - y.cos())
    )

    def calls(program: Program, valued: bool) -> list[str]:
        return sorted(re.findall(r"call double @c_(\w+)_1", straight(program, valued).text))

    assert calls(tape, valued=True) == calls(tape, valued=False) == ["cos", "exp", "log", "sin"]
    assert calls(only, valued=True) == ["cos", "exp", "sin", "tanh"]
    assert calls(only, valued=False) == ["exp", "sin", "tanh"]
    assert "ptr %value\n" in straight(tape, valued=True).text
    assert not re.search(r"store double .*ptr %value$", straight(tape, valued=False).text.partition("}\n\n")[0], re.MULTILINE)


@ROWS
def test_every_row_interpreted_at_every_pair_of_special_values(name: str) -> None:
    count = len(OPERATIONS[name].domain)
    pairs = [list(at) for at in product(FEW if count > 2 else GRID, repeat=count)]
    leaves = [Value(1.0) for _ in pairs[0]]
    tape = Tape(FUNCTIONS[name](*leaves), leaves)
    fast = interpreted(tape)
    for numbers in pairs:
        assert same(fast(numbers), tape(numbers)), numbers


@pytest.mark.parametrize("name", TWO)
@pytest.mark.parametrize("constant", [0.0, -0.0, 2.0, -1.5, INF, NAN])
def test_nothing_is_sent_to_a_constant_and_all_to_the_other_operand(name: str, constant: float) -> None:
    a = Value(1.0)
    for output in (FUNCTIONS[name](a, Value(constant)), FUNCTIONS[name](Value(constant), a), FUNCTIONS[name](a, a)):
        tape = Tape(output, a)
        fast = interpreted(tape)
        for number in (0.5, -2.0, 0.0, -0.0, constant, INF):
            assert same(fast([number]), tape([number])), number


def test_both_shares_of_one_operand_are_added_in_the_engines_order() -> None:
    tape = Tape(x.sin() + x**x, x)
    fast = interpreted(tape)
    for k in range(300):
        assert same(fast([0.1 + k / 97]), tape([0.1 + k / 97]))


def test_the_numbers_of_one_call_do_not_reach_the_next() -> None:
    fast = interpreted(Tape(x * y + x / y, [x, y]))
    first = fast([2.0, 4.0])
    fast([INF, NAN])
    assert fast([2.0, 4.0]) == first == (8.5, [4.25, 1.875])


def test_a_tape_without_operations_and_a_constant_between_results() -> None:
    assert interpreted(Tape(x, x))([5.0]) == (5.0, [1.0])
    assert Tape(x, x).native()([5.0]) == (5.0, [1.0])
    assert interpreted(Tape((x * 3 + 1) * (2 - x * 7), x))([1.0]) == (-20.0, [3.0 * -5.0 + 4.0 * -7.0])


@settings(max_examples=80, deadline=None)
@given(cases())
def test_the_interpreter_computes_any_program_to_the_last_bit(case: Any) -> None:
    program, (recorded, *others) = case
    fast = interpreted(Tape(*program.record(recorded)))
    for numbers in others:
        assert same(fast(numbers), program.engine(numbers))


@settings(max_examples=30, deadline=None)
@given(cases())
def test_a_straight_program_computes_any_program_to_the_last_bit(case: Any) -> None:
    pytest.importorskip("llvmlite", reason="pip install llvmlite")
    program, (recorded, *others) = case
    fast = Tape(*program.record(recorded)).native()
    assert fast._arrays is None
    for numbers in others:
        assert same(fast(numbers), program.engine(numbers))


@settings(max_examples=25, deadline=None)
@given(cases(RATIONAL))
def test_the_same_of_the_rows_that_have_the_most_ties(case: Any) -> None:
    program, (recorded, *others) = case
    tape = Tape(*program.record(recorded))
    for fast in (tape.native(), interpreted(tape)):
        for numbers in (recorded, *others):
            assert same(fast(numbers), program.engine(numbers))
