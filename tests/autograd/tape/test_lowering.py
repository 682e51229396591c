"""Formulas as machine code: the bits that Python computes, one instruction or call for each operation."""

from __future__ import annotations

import re
import struct
from array import array
from collections.abc import Sequence
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import GRID, INF, NAN, NUMBERS, bits
from test_expression import NAMES, SIMPLE, evaluated, expressions

from autograd.expressions import EXPANDED, SYMBOLS, Expression, symbol
from autograd.expressions.expression import lifted
from autograd.operations import FLOATS, OPERATIONS
from autograd.tape.native.kernel import HEAD, Text, _text
from autograd.tape.native.lowering import INSTRUCTIONS, TRUTHS, Code, literal
from autograd.tape.program import NODES, of_node

cos, exp, log, sin, where = EXPANDED.cos, EXPANDED.exp, EXPANDED.log, EXPANDED.sin, EXPANDED.where
x, y, z = map(symbol, NAMES)


def text(outputs: list[Expression], known: Sequence[str] = NAMES) -> Text:
    """A program that computes these of x, y and z, and stores them behind one another."""
    code = Code()
    names = {}
    for k, name in enumerate(known):
        place = code.let(f"getelementptr double, ptr %x, i64 {k}")
        names[name] = code.let(f"load double, ptr {place}")
    for k, found in enumerate(code.compute(outputs, names)):
        place = code.let(f"getelementptr double, ptr %grads, i64 {k}")
        code.do(f"store double {found}, ptr {place}")
    code.do("ret void")
    return _text(code)


def computed(outputs: list[Expression], *points: tuple[float, ...], names: Sequence[str] = NAMES) -> list[list[float]]:
    """What the compiled program gives at each of the points."""
    pytest.importorskip("llvmlite", reason="pip install llvmlite")
    from autograd.tape.native.machine import loaded

    compiled, results = loaded(*text(outputs, names)), []
    for point in points:
        numbers, out = array("d", point), array("d", [0.0] * (len(outputs) + 1))
        start = out.buffer_info()[0]
        compiled.replay(0, numbers.buffer_info()[0], start, start + 8)
        results.append(out[1:].tolist())
    return results


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_row_has_the_bits_that_it_has_in_python(name: str) -> None:
    row = OPERATIONS[name]
    names = [f"x{k}" for k in range(len(row.domain))]
    operands = [*map(symbol, names)]
    formulas = [of_node(row)(*operands), *(1.0 * lifted(0.0 + partial) for partial in row.partials(EXPANDED, z, *operands))]
    points = [*product(GRID if len(names) < 3 else (0.0, -0.0, 1.0, -2.0, INF, NAN), repeat=len(names))]
    outs = [float(row.forward(*point)) for point in points]
    got = computed(formulas, *((*point, out) for point, out in zip(points, outs, strict=True)), names=(*names, "z"))
    for point, out, found in zip(points, outs, got, strict=True):
        want = [out, *(0.0 + partial for partial in row.partials(FLOATS, out, *point))]
        assert [*map(bits, found)] == [*map(bits, want)], (point, found, want)


@settings(max_examples=30, deadline=None)
@given(st.data(), st.tuples(*[NUMBERS] * 3))
def test_any_formula_has_the_bits_that_it_has_in_python(data: st.DataObject, numbers: tuple[float, ...]) -> None:
    at = dict(zip(NAMES, numbers, strict=True))
    often = ("where",) * 8 + ("less", "greater_equal", "exp", "log", "pow") * 2
    found, values = data.draw(expressions(at, NODES, often, SIMPLE[:-2]))
    last = data.draw(st.integers(1, 2))
    outputs, want = found[-last:], values[-last:]
    (got,) = computed(outputs, numbers)
    assert [*map(bits, got)] == [bits(float(value)) for value in want], text(outputs).text


def test_a_truth_is_a_number_and_a_number_a_truth_where_it_is_asked_for() -> None:
    formulas = [SYMBOLS.less(x, y) * 3.0, SYMBOLS.where(x, y, z), SYMBOLS.where(y * 0.0, y, z), SYMBOLS.less(y, x)]
    for at in ((1.0, 2.0, 3.0), (0.0, -2.0, 3.0), (-0.0, NAN, INF), (NAN, 1.0, 2.0)):
        (got,) = computed(formulas, at)
        want = [float(evaluated(e, dict(zip(NAMES, at, strict=True)))) for e in formulas]
        assert [*map(bits, got)] == [*map(bits, want)]


def test_a_choice_is_one_instruction_and_no_branch() -> None:
    program = text([where(x < y, where(y < z, exp(x), log(x)), where(z < x, sin(y), z)) * 2]).text
    body = program.partition(HEAD)[2].partition("}")[0]
    assert body.count("select i1") == 3
    assert "br " not in body
    assert re.findall(r"^(\w+):$", body, re.MULTILINE) == ["entry"]


@pytest.mark.parametrize(("name", "forward", "partials"), [("softplus", ["exp", "log1p"], ["exp"]), ("sigmoid", ["exp"], [])])
def test_a_row_calls_no_more_than_it_needs(name: str, forward: list[str], partials: list[str]) -> None:
    row = OPERATIONS[name]
    out = of_node(row)(x)

    def called(outputs: Any) -> list[str]:
        return re.findall(r"call double @c_(\w+)_1", text([*map(lifted, outputs)]).text)

    assert called([out]) == forward
    assert called(row.partials(EXPANDED, z, x)) == partials
    assert called([out, *row.partials(EXPANDED, out, x)]).count("exp") <= 2


def test_a_long_formula_is_no_deep_recursion() -> None:
    e = x
    for _ in range(3_000):
        e = e * 0.5 + y
    code = Code()
    code.compute([e], {"x": "%x", "y": "%y"})
    assert len(code.lines) == 6_000


def test_no_instruction_allows_another_result() -> None:
    program = text([of_node(row)(*(x, y, z, x)[: len(row.domain)]) for row in OPERATIONS.values()])
    words = set(re.findall(r"[a-z]+", program.text))
    assert not words & {"fast", "nnan", "ninf", "nsz", "arcp", "contract", "afn", "reassoc", "fmuladd", "fma"}
    primitives = {row.native for row in OPERATIONS.values() if row.formula is None}
    assert {called.name for called in program.calls} == primitives - {*INSTRUCTIONS, *TRUTHS, "fabs"}
    assert set(INSTRUCTIONS) | set(TRUTHS) <= {*OPERATIONS}


def test_equal_formulas_that_are_one_object_are_computed_once() -> None:
    code = Code()
    e = exp(x)
    assert code.compute([e, e, e * e], {"x": "%x"}) == ["%n1", "%n1", "%n2"]
    assert code.lines == ["%n1 = call double @c_exp_1(double %x)", "%n2 = fmul double %n1, %n1"]


@pytest.mark.parametrize("number", GRID)
def test_a_number_is_written_with_its_bits(number: float) -> None:
    written = literal(number)
    assert re.fullmatch(r"0x[0-9A-F]{16}", written)
    assert bits(struct.unpack(">d", bytes.fromhex(written[2:]))[0]) == bits(number)


def test_truths_and_whole_numbers_are_written_as_llvm_writes_them() -> None:
    assert (literal(True), literal(False), literal(3), literal(-1)) == (  # what is tested
        "true",
        "false",
        literal(3.0),
        literal(-1.0),
    )
    assert (literal(INF), literal(-0.0)) == ("0x7FF0000000000000", "0x8000000000000000")
    assert literal(NAN)[:5] == "0x7FF"
