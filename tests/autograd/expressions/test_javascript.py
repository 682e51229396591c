"""The table of rules printed as JavaScript: what is printed says what the expression says; test_page runs it in a browser."""

from __future__ import annotations

import itertools
import math
import operator
import random
import re
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import operation
from autograd.expressions import SYMBOLS, Expression, number, symbol, unchanged
from autograd.expressions.expression import NAME, NEG
from autograd.expressions.javascript import PRELUDE, as_javascript, keys, lacking, literal, rows
from autograd.operations import FLOATS, OPERATIONS, of_count

COMPUTE: dict[str, Callable[..., Any]] = {"add": operator.add, "sub": operator.sub, "mul": operator.mul, "neg": operator.neg}


@st.composite
def expressions(draw: st.DrawFn) -> Expression:
    """A random program of + - * and the minus sign over three names: the part of JavaScript that Python reads alike."""
    nodes = [symbol(name) for name in "abc"]
    step = st.tuples(st.sampled_from(list(COMPUTE.values())), st.integers(0, 99), st.integers(0, 99))
    for compute, i, j in draw(st.lists(step, min_size=1, max_size=8)):
        operands = nodes[-1 - i % len(nodes)], nodes[-1 - j % len(nodes)]
        nodes.append(compute(*operands[: 1 if compute is operator.neg else 2]))
    return nodes[-1]


def computed(e: Expression, names: dict[str, float]) -> float:
    if e.op is NAME:
        return names[e.content]
    operands = [computed(parent, names) for parent in e.parents]
    return float(COMPUTE[e.op.name](*operands))


@given(expressions(), st.lists(st.floats(-9, 9), min_size=3, max_size=3))
def test_what_is_printed_computes_what_the_expression_computes(e: Expression, numbers: list[float]) -> None:
    names = dict(zip("abc", numbers, strict=True))
    assert eval(as_javascript(e), {}, names) == computed(e, names)  # noqa: S307  # of what was printed a moment ago


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda a, b: a - (b - a), "a - (b - a)"),
        (lambda a, b: (a - b) - a, "a - b - a"),
        (lambda a, b: a / (a * b), "a / (a * b)"),
        (lambda a, b: (a + b) ** 2, "power(a + b, 2)"),
        (lambda a, b: -(a + b), "-(a + b)"),
        (lambda a, b: a - -b, "a - (-b)"),
        (lambda a, b: a * -2.0, "a * (-2)"),
        (lambda a, b: SYMBOLS.where((a == 0) & (b >= a + 1), math.nan, -math.inf), "a === 0 && b >= a + 1 ? NaN : -Infinity"),
        (lambda a, b: SYMBOLS.where(a < b, SYMBOLS.where(a <= 0, 1, 2), b) * 3, "(a < b ? (a <= 0 ? 1 : 2) : b) * 3"),
        (lambda a, b: SYMBOLS.where(SYMBOLS.where(a < b, a, b) > 0, a, -0.0), "(a < b ? a : b) > 0 ? a : -0"),
    ],
)
def test_parentheses_stand_where_they_are_needed(build: Callable[[Any, Any], Expression], text: str) -> None:
    assert as_javascript(build(symbol("a"), symbol("b"))) == text


def test_every_row_is_printed_and_calls_nothing_that_is_not_there() -> None:
    script = rows(of_count(row, len(row.domain)) for row in OPERATIONS.values())
    assert re.findall(r"^  (\w+): \{$", script, re.MULTILINE) == list(OPERATIONS)
    own = set(re.findall(r"^const (\w+) = \(", script, re.MULTILINE))
    expressions = {"exp2", "rint", "fmod", "erf", "erfc"}
    assert own == {"power", *(f"op_{name}" for name, row in OPERATIONS.items() if row.formula or name in expressions)}
    calls = set(re.findall(r"(?<!\w )\b((?:Math\.|op_)\w+|power)\(", script.removeprefix(PRELUDE)))
    missing = [f for f in sorted(calls - own) if run(f"console.log(typeof {f})") != "function"]
    assert missing == []


def run(script: str) -> str:
    return subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603, S607


POINTS = [0.0, -0.0, 0.3, -0.3, 1.0, -1.0, 1.5, 2.5, 5.0, -12.0, math.inf, -math.inf, math.nan, 1e-9, 700.0]


def written(x: float) -> str:
    return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(repr(float(x)), repr(float(x)))


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_row_in_javascript_computes_what_it_computes_in_python(name: str) -> None:
    row = of_count(OPERATIONS[name], len(OPERATIONS[name].domain))
    ats = [
        at for at in itertools.product(POINTS, repeat=len(row.domain)) if name != "logical_and" or not any(map(math.isnan, at))
    ]
    ats = random.Random(1).sample(ats, min(200, len(ats)))  # noqa: S311  # of cases
    outs = [row.forward(*at) for at in ats]
    calls = [f"[{', '.join(map(written, at))}], {written(out)}" for at, out in zip(ats, outs, strict=True)]
    program = "".join(f"show({call});\n" for call in calls)
    computed = f"RULES.{name}.forward(...at), ...RULES.{name}.partials(out, ...at)"
    show = f"const show = (at, out) => console.log([{computed}].map(Number).join(' '));\n"
    lines = run(rows([row]) + show + program).splitlines()
    found = [[float(x.replace("Infinity", "inf")) for x in line.split()] for line in lines]
    for at, out, line in zip(ats, outs, found, strict=True):
        for got, want in zip(line, (out, *row.partials(FLOATS, out, *at)), strict=True):
            same = got == want or (math.isnan(got) and math.isnan(want))
            assert same or abs(got - want) <= 1e-14 * max(abs(want), 1e-300), (at, got, want)


ROWS = """\
const RULES = {
  div: {
    forward: (a, b) => a / b,
    partials: (out, a, b) => [1 / b, -(out / b)],
  },
  neg: {
    forward: (a) => -a,
    partials: (out, a) => [-1],
  },
};
"""


def test_the_whole_text_of_two_rows() -> None:
    assert rows([OPERATIONS["div"], OPERATIONS["neg"]]) == PRELUDE + ROWS


def test_numbers_are_written_as_javascript_reads_them() -> None:
    numbers = (True, False, 2, 2.0, -0.0, 0.1, 1e300, math.inf, -math.inf, math.nan)
    texts = ["true", "false", "2", "2", "-0", "0.1", "1e+300", "Infinity", "-Infinity", "NaN"]
    assert [*map(literal, numbers)] == texts
    assert as_javascript(unchanged(NEG)(number(-2.0))) == "-(-2)"  # --2 is no JavaScript


def test_the_rows_that_are_asked_for_are_printed_once() -> None:
    asked = iter([OPERATIONS["tanh"], OPERATIONS["add"], OPERATIONS["tanh"]])
    assert re.findall(r"^  (\w+): ", rows(asked), re.MULTILINE) == ["tanh", "add"]


def test_operations_of_the_users_own_and_what_they_use() -> None:
    operation("js_half", lambda a: a / 2, lambda m, out, a: (0.5,), javascript="a / 2")
    operation("js_cbrt", lambda a: a ** (1 / 3), lambda m, out, a: (m.div(1, 3 * out * out),), javascript="Math.cbrt")
    operation("js_same", lambda a: a, lambda m, out, a: (1,), javascript="a")
    operation("js_both", formula=lambda m, a, b: m.js_half(a) + m.js_cbrt(b), symbol="+")
    script = rows([OPERATIONS["js_both"], OPERATIONS["js_same"]])
    assert "const op_js_half = (a) => (a / 2);\n" in script
    assert "const op_js_both = (a, b) => (op_js_half(a) + Math.cbrt(b));\n" in script
    assert (
        "forward: (a, b) => op_js_both(a, b),\n    partials: (out, a, b) => [0.5, 1 / (3 * Math.cbrt(b) * Math.cbrt(b))]"
        in script
    )
    assert "const op_js_same = (a) => (a);\n" in script


def test_an_operation_that_was_registered_again_is_another_one() -> None:
    operation("js_twice", lambda a: a * 2, lambda m, out, a: (2,), javascript="a * 2")
    old = OPERATIONS["js_twice"]
    operation("js_twice", lambda a: a * 3, lambda m, out, a: (3,), javascript="a * 3")
    new = OPERATIONS["js_twice"]
    script = rows([old, new])
    assert keys([old, new]) == {old: "js_twice", new: "js_twice$2"}
    assert "const op_js_twice = (a) => (a * 2);\nconst op_js_twice$2 = (a) => (a * 3);\n" in script
    assert "  js_twice$2: {\n    forward: (a) => op_js_twice$2(a)," in script


def test_nothing_of_the_users_ends_the_script() -> None:
    operation("js_less", lambda a: a, lambda m, out, a: (1,), javascript="a </script>/.length + (a<!--a)")
    script = rows([OPERATIONS["js_less"]])
    assert "</script" not in script
    assert "<!--" not in script


def test_what_has_no_javascript_is_refused() -> None:
    operation("js_none", lambda a: a, lambda m, out, a: (1,))
    operation("js_uses", formula=lambda m, a: 2 * m.js_none(a))
    assert lacking([OPERATIONS["js_uses"], OPERATIONS["exp"]]) == ["js_none"]
    with pytest.raises(
        ValueError, match=r"^the operation 'js_none' has no JavaScript form; give one, operation\(..., javascript"
    ):
        rows([OPERATIONS["js_uses"]])


def test_more_operands_than_letters() -> None:
    names = [f"x{i}" for i in range(30)]
    scope: dict[str, Any] = {}
    exec(f"def formula(m, {', '.join(names)}): return {' + '.join(names)}", scope)  # noqa: S102  # of what is above
    operation("js_many", formula=scope["formula"])
    assert "(a0, a1, a2, " in rows([OPERATIONS["js_many"]])


def test_a_formula_calls_the_record_of_now_and_a_node_keeps_its_own() -> None:
    operation("js_again", lambda a: a * 2, lambda m, out, a: (2,), javascript="a * 2")
    old = OPERATIONS["js_again"]
    operation("js_again", lambda a: a * 3, lambda m, out, a: (3,), javascript="a * 3")
    operation("js_calls", formula=lambda m, a: m.js_again(a))
    script = rows([old, OPERATIONS["js_calls"]])
    assert "const op_js_calls = (a) => (op_js_again$2(a));\nconst op_js_again$2 = (a) => (a * 3);\n" in script
    assert "  js_again: {\n    forward: (a) => op_js_again(a)," in script
