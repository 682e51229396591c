"""Formulas as machine code: the bits that Python computes, and nothing computed in an arm that is not taken."""

from __future__ import annotations

import ctypes
import math
import re
from array import array
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import GRID, INF, NAN, NUMBERS, bits
from test_symbols import NAMES, expressions

from autograd import lowering, symbols
from autograd.kernel import DRIVERS, HEAD
from autograd.lowering import CALLS, DECLARATIONS, INSTRUCTIONS, LOWERED, Code, literal
from autograd.rules import RULES
from autograd.symbols import Expression, cos, exp, log, sin, symbol, where

LOW = SimpleNamespace(**{**vars(symbols), **lowering._CHOICES})
x, y, z = map(symbol, NAMES)


def text(outputs: list[Expression]) -> str:
    """A program that computes these of x, y and z, and stores them behind one another."""
    code = Code()
    names = {}
    for k, name in enumerate(NAMES):
        names[name] = code.let(f"load double, ptr {code.let(f'getelementptr double, ptr %x, i64 {k}')}")
    for k, found in enumerate(code.compute(outputs, names)):
        code.do(f"store double {found}, ptr {code.let(f'getelementptr double, ptr %grads, i64 {k}')}")
    return "\n".join((DECLARATIONS, HEAD, "entry:", *code.lines, "ret void", "}", DRIVERS))


def computed(outputs: list[Expression], *points: tuple[float, ...], program: str = "") -> list[list[float]]:
    """What the compiled program gives at each of the points."""
    pytest.importorskip("llvmlite", reason="pip install '.[native]'")
    from autograd.machine import machine

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


@settings(max_examples=60, deadline=None)
@given(st.data(), st.tuples(*[NUMBERS] * 3))
def test_any_formula_has_the_bits_that_it_has_in_python(data: st.DataObject, numbers: tuple[float, ...]) -> None:
    at = dict(zip(NAMES, numbers, strict=True))
    found, values = data.draw(expressions(at, LOW, ("where",) * 8 + ("less", "greater_equal", "exp", "log", "power") * 2))
    both = [(e, value) for e, value in zip(found, values, strict=True) if not isinstance(value, bool)]
    last = data.draw(st.integers(1, 2))
    outputs, want = zip(*both[-last:], strict=True)
    (got,) = computed(list(outputs), numbers)
    assert [*map(bits, got)] == [bits(float(value)) for value in want], text(list(outputs))


def blocks(outputs: list[Expression]) -> dict[str, list[str]]:
    """The calls that stand in each block of the program: {"entry": ["exp"], ...}."""
    found: dict[str, list[str]] = {}
    block = ""
    for line in text(outputs).partition(HEAD)[2].partition("}")[0].strip().splitlines():
        if line.endswith(":"):
            block = line[:-1]
            found[block] = []
        found[block] += re.findall(r"@c_(\w+)", line)
    return found


def test_a_call_that_only_one_arm_needs_stands_in_that_arm() -> None:
    found = blocks([where(x < y, exp(x), log(y))])
    assert [calls for calls in found.values() if calls] == [["exp"], ["log"]]
    assert found["entry"] == []
    assert len(found) == 4  # what comes before, two arms, what comes after


@pytest.mark.parametrize(
    "outputs",
    [
        [where(x < y, exp(x), x), exp(x)],
        [where(x < y, (e := exp(x)) + 1, e * 2)],
        [where(exp(x) < y, x, y)],
        [(e := exp(x)) + where(x < y, e, x)],
        [where(x < y, where(y < z, e := exp(x), y), e)],
    ],
)
def test_a_call_that_is_needed_elsewhere_too_stands_before_and_once(outputs: list[Expression]) -> None:
    if len(outputs) == 2:
        outputs = [where(x < y, outputs[1], x), outputs[1]]
    found = blocks(outputs)
    assert sum(found.values(), []) == ["exp"]
    assert found["entry"] == ["exp"]


def test_arms_within_arms() -> None:
    found = blocks([where(x < y, where(y < z, exp(x), log(x)), where(z < x, sin(y), z)) * 2])
    assert found["entry"] == []
    assert sorted(calls[0] for calls in found.values() if calls) == ["exp", "log", "sin"]
    assert all(len(calls) <= 1 for calls in found.values())


def test_a_choice_without_a_call_is_one_instruction() -> None:
    program = text([where(x < y, x * z + 1, -y)])
    assert program.count("select i1") == 1
    assert list(blocks([where(x < y, x * z + 1, -y)])) == ["entry"]


@pytest.mark.parametrize("name", ["softplus", "pow"])
def test_a_row_calls_no_more_than_it_needs(name: str) -> None:
    operands = [x, y][: len(RULES[name].domain)]
    out = LOWERED[name].forward(*operands)
    assert blocks([out])["entry"] == ([] if name == "softplus" else ["power"])
    partials = blocks([e for e in LOWERED[name].partials(z, *operands)])
    assert partials["entry"] == (["exp"] if name == "softplus" else [])


def test_the_arm_that_is_not_taken_calls_nothing() -> None:
    llvm = pytest.importorskip("llvmlite.binding", reason="pip install '.[native]'")
    called: list[tuple[str, float]] = []
    kept = []
    program = text([where(x < y, exp(x), where(y < z, log(y), cos(z))) + sin(x)])
    for name in ("exp", "log", "cos", "sin"):
        watch = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(lambda a, name=name: called.append((name, a)) or getattr(math, name)(a))
        kept.append(watch)
        llvm.add_symbol(f"watched_{name}", ctypes.cast(watch, ctypes.c_void_p).value)
        program = program.replace(f"@c_{name}(", f"@watched_{name}(")
    for point, arm in (((1.0, 2.0, 0.0), "exp"), ((2.0, 1.0, 3.0), "log"), ((2.0, 1.0, 0.5), "cos")):
        called.clear()
        ((got,),) = computed([x], point, program=program)
        argument = dict(zip(("exp", "log", "cos"), point, strict=True))[arm]
        assert sorted(called) == sorted([(arm, argument), ("sin", point[0])])
        assert got == getattr(math, arm)(argument) + math.sin(point[0])


def test_a_long_formula_is_no_deep_recursion() -> None:
    e = x
    for _ in range(3_000):
        e = e * 0.5 + y
    code = Code()
    code.compute([e], {"x": "%x", "y": "%y"})
    assert len(code.lines) == 6_000


def test_no_instruction_allows_another_result() -> None:
    program = text([f(x) for f in (exp, log, sin, cos)] + [e for name, row in LOWERED.items() if len(row.domain) == 2 for e in [row.forward(x, y)]])
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
    import struct

    written = literal(number)
    assert re.fullmatch(r"0x[0-9A-F]{16}", written)
    assert bits(struct.unpack(">d", bytes.fromhex(written[2:]))[0]) == bits(number)


def test_truths_and_whole_numbers_are_written_as_llvm_writes_them() -> None:
    assert (literal(True), literal(False), literal(3), literal(-1)) == (  # noqa: FBT003  # what is tested
        "true",
        "false",
        literal(3.0),
        literal(-1.0),
    )
    assert (literal(INF), literal(-0.0)) == ("0x7FF0000000000000", "0x8000000000000000")
    assert literal(NAN)[:5] == "0x7FF"


@pytest.mark.parametrize("name", ["sign", "heaviside", "maximum", "minimum"])
def test_what_python_decides_with_if_is_decided_alike(name: str) -> None:
    from autograd import floats

    inputs = 1 if name == "sign" else 2
    points = [(a, b, 0.0) for a in GRID for b in (GRID if inputs == 2 else (0.0,))]
    got = computed([getattr(LOW, name)(*[x, y][:inputs])], *points)
    want = [float(getattr(floats, name)(*point[:inputs])) for point in points]
    assert [bits(found) for (found,) in got] == [*map(bits, want)]
