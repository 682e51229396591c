"""Formulas as machine code: the bits that Python computes, one instruction or call for each operation."""

from __future__ import annotations

import re
import struct
from array import array
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import GRID, INF, NAN, NUMBERS, bits
from test_expression import NAMES, SIMPLE, expressions

from autograd import floats, symbols
from autograd.rules import RULES
from autograd.symbols import Expression, cos, exp, log, sin, symbol, where
from autograd.tapes import lowering
from autograd.tapes.kernel import DRIVERS, HEAD
from autograd.tapes.lowering import CALLS, DECLARATIONS, INSTRUCTIONS, LOWERED, Code, literal

LOW = SimpleNamespace(**{**vars(symbols), **lowering._CHOICES})
x, y, z = map(symbol, NAMES)


def text(outputs: list[Expression]) -> str:
    """A program that computes these of x, y and z, and stores them behind one another."""
    code = Code()
    names = {}
    for k, name in enumerate(NAMES):
        place = code.let(f"getelementptr double, ptr %x, i64 {k}")
        names[name] = code.let(f"load double, ptr {place}")
    for k, found in enumerate(code.compute(outputs, names)):
        place = code.let(f"getelementptr double, ptr %grads, i64 {k}")
        code.do(f"store double {found}, ptr {place}")
    return "\n".join((DECLARATIONS, HEAD, "entry:", *code.lines, "ret void", "}", DRIVERS))


def computed(outputs: list[Expression], *points: tuple[float, ...], program: str = "") -> list[list[float]]:
    """What the compiled program gives at each of the points."""
    pytest.importorskip("llvmlite", reason="pip install '.[native]'")
    from autograd.tapes.machine import machine

    compiled, results = machine(program or text(outputs)), []
    for point in points:
        numbers, out = array("d", point), array("d", [0.0] * (len(outputs) + 1))
        start = out.buffer_info()[0]
        compiled.replay(0, numbers.buffer_info()[0], start, start + 8)
        results.append(out[1:].tolist())
    return results


@pytest.mark.parametrize("name", RULES)
def test_every_row_has_the_bits_that_it_has_in_python(name: str) -> None:
    row, low = RULES[name], LOWERED[name]
    operands = [x, y][: len(row.domain)]
    out = low.forward(*operands)
    formulas = [out, *(1.0 * symbols.add(0.0, partial) for partial in low.partials(z, *operands))]
    points = [(a, b) for a in GRID for b in (GRID if len(operands) == 2 else (0.0,))]
    outs = [row.forward(*point[: len(operands)]) for point in points]
    got = computed(formulas, *((a, b, float(out)) for (a, b), out in zip(points, outs, strict=True)))
    for point, out, found in zip(points, outs, got, strict=True):
        want = [float(out), *(0.0 + partial for partial in row.partials(out, *point[: len(operands)]))]
        assert [*map(bits, found)] == [*map(bits, want)], (point, found, want)


@settings(max_examples=30, deadline=None)
@given(st.data(), st.tuples(*[NUMBERS] * 3))
def test_any_formula_has_the_bits_that_it_has_in_python(data: st.DataObject, numbers: tuple[float, ...]) -> None:
    at = dict(zip(NAMES, numbers, strict=True))
    often = ("where",) * 8 + ("less", "greater_equal", "exp", "log", "power") * 2
    found, values = data.draw(expressions(at, LOW, often, SIMPLE[:-2]))  # True is no double here
    both = [(e, value) for e, value in zip(found, values, strict=True) if not isinstance(value, bool)]
    last = data.draw(st.integers(1, 2))
    outputs, want = zip(*both[-last:], strict=True)
    (got,) = computed(list(outputs), numbers)
    assert [*map(bits, got)] == [bits(float(value)) for value in want], text(list(outputs))


def test_a_choice_is_one_instruction_and_no_branch() -> None:
    program = text([where(x < y, where(y < z, exp(x), log(x)), where(z < x, sin(y), z)) * 2])
    body = program.partition(HEAD)[2].partition("}")[0]
    assert body.count("select i1") == 3
    assert "br " not in body
    assert re.findall(r"^(\w+):$", body, re.MULTILINE) == ["entry"]


@pytest.mark.parametrize(("name", "forward", "partials"), [("softplus", ["exp", "log1p"], ["exp"]), ("sigmoid", ["exp"], [])])
def test_a_row_calls_no_more_than_it_needs(name: str, forward: list[str], partials: list[str]) -> None:
    out = LOWERED[name].forward(x)
    assert re.findall(r"call double @c_(\w+)", text([out])) == forward
    assert re.findall(r"call double @c_(\w+)", text([*LOWERED[name].partials(z, x)])) == partials
    assert re.findall(r"call double @c_(\w+)", text([out, *LOWERED[name].partials(out, x)])).count("exp") <= 2


def test_a_long_formula_is_no_deep_recursion() -> None:
    e = x
    for _ in range(3_000):
        e = e * 0.5 + y
    code = Code()
    code.compute([e], {"x": "%x", "y": "%y"})
    assert len(code.lines) == 6_000


def test_no_instruction_allows_another_result() -> None:
    program = text(
        [f(x) for f in (exp, log, sin, cos)]
        + [e for name, row in LOWERED.items() if len(row.domain) == 2 for e in [row.forward(x, y)]]
    )
    words = set(re.findall(r"[a-z]+", program))
    assert not words & {"fast", "nnan", "ninf", "nsz", "arcp", "contract", "afn", "reassoc", "fmuladd", "fma"}
    assert set(CALLS) <= set(INSTRUCTIONS)


def test_equal_formulas_that_are_one_object_are_computed_once() -> None:
    code = Code()
    e = exp(x)
    assert code.compute([e, e, e * e], {"x": "%x"}) == ["%n1", "%n1", "%n2"]
    assert code.lines == ["%n1 = call double @c_exp(double %x)", "%n2 = fmul double %n1, %n1"]


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


@pytest.mark.parametrize("name", ["sign", "heaviside", "maximum", "minimum"])
def test_what_python_decides_with_if_is_decided_alike(name: str) -> None:
    inputs = 1 if name == "sign" else 2
    points = [(a, b, 0.0) for a in GRID for b in (GRID if inputs == 2 else (0.0,))]
    got = computed([getattr(LOW, name)(*[x, y][:inputs])], *points)
    want = [float(getattr(floats, name)(*point[:inputs])) for point in points]
    assert [bits(found) for (found,) in got] == [*map(bits, want)]
