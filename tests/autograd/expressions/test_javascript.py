"""The table of rules printed as JavaScript: what is printed says what the expression says; test_page runs it in a browser."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import symbols
from autograd.derivation import javascript
from autograd.derivation.javascript import PRELUDE, as_javascript, literal, rows
from autograd.rules import RULES
from autograd.symbols import Expression, symbol

OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "negative": operator.neg,
}


@st.composite
def expressions(draw: st.DrawFn) -> Expression:
    """A random program of + - * and the minus sign over three names: the part of JavaScript that Python reads alike."""
    nodes = [symbol(name) for name in "abc"]
    step = st.tuples(st.sampled_from(list(OPERATIONS.values())), st.integers(0, 99), st.integers(0, 99))
    for operation, i, j in draw(st.lists(step, min_size=1, max_size=8)):
        operands = nodes[-1 - i % len(nodes)], nodes[-1 - j % len(nodes)]
        nodes.append(operation(*operands[: 1 if operation is operator.neg else 2]))
    return nodes[-1]


def computed(e: Expression, names: dict[str, float]) -> float:
    if e.op == "name":
        return names[e.content]
    operands = [computed(parent, names) for parent in e.parents]
    return float(OPERATIONS[e.op](*operands))


@given(expressions(), st.lists(st.floats(-9, 9), min_size=3, max_size=3))
def test_what_is_printed_computes_what_the_expression_computes(e: Expression, numbers: list[float]) -> None:
    names = dict(zip("abc", numbers, strict=True))
    assert eval(as_javascript(e), {}, names) == computed(e, names)  # noqa: S307  # of what was printed a moment ago


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda a, b: a - (b - a), "a - (b - a)"),
        (lambda a, b: (a - b) - a, "a - b - a"),
        (lambda a, b: symbols.divide(a, a * b), "a / (a * b)"),
        (lambda a, b: (a + b) ** 2, "power(a + b, 2)"),
        (lambda a, b: -(a + b), "-(a + b)"),
        (lambda a, b: a - -b, "a - -b"),
        (lambda a, b: a * -2.0, "a * -2"),
        (lambda a, b: symbols.where((a == 0) & (b >= a + 1), math.nan, -math.inf), "a === 0 && b >= a + 1 ? NaN : -Infinity"),
        (lambda a, b: symbols.where(a < b, symbols.where(a <= 0, 1, 2), b) * 3, "(a < b ? (a <= 0 ? 1 : 2) : b) * 3"),
        (lambda a, b: symbols.where(symbols.where(a < b, a, b) > 0, a, -0.0), "(a < b ? a : b) > 0 ? a : -0"),
    ],
)
def test_parentheses_stand_where_they_are_needed(build: Callable[[Any, Any], Expression], text: str) -> None:
    assert as_javascript(build(symbol("a"), symbol("b"))) == text


def test_every_row_is_printed_and_calls_nothing_that_is_not_there() -> None:
    script = rows(RULES)
    assert re.findall(r"^  (\w+): \{$", script, re.MULTILINE) == list(RULES)
    own = set(re.findall(r"^const (\w+) = \(", PRELUDE, re.MULTILINE))
    mathematics = {f"Math.{f}" for f in ("abs", "exp", "log", "log1p", "sqrt", "sin", "cos", "tanh")}
    assert set(re.findall(r"([\w.]+)\(", script.removeprefix(PRELUDE))) == own | mathematics


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
    assert rows(["neg", "div"]) == PRELUDE + ROWS


def test_numbers_are_written_as_javascript_reads_them() -> None:
    numbers = (True, False, 2, 2.0, -0.0, 0.1, 1e300, math.inf, -math.inf, math.nan)
    texts = ["true", "false", "2", "2", "-0", "0.1", "1e+300", "Infinity", "-Infinity", "NaN"]
    assert [*map(literal, numbers)] == texts
    assert as_javascript(Expression("negative", (symbols.number(-2.0),))) == "-(-2)"  # --2 is no JavaScript


def test_only_the_rows_that_are_asked_for_are_printed_in_the_order_of_the_table() -> None:
    assert re.findall(r"^  (\w+): ", rows(iter(["tanh", "add", "tanh"])), re.MULTILINE) == ["add", "tanh"]


def test_what_has_no_javascript_is_refused() -> None:
    unknown = "the operation 'cube' is not in the table of rules, so its formula is not known here"
    with pytest.raises(ValueError, match=f"^{unknown}$"):
        rows(["zeta", "theta", "eta", "add", "cube", "iota"])  # the first by the alphabet
    with pytest.raises(ValueError, match="the operation 'erf' has no JavaScript here; give it a line in ") as caught:
        as_javascript(Expression("erf", (symbol("a"),)))
    assert (Path(__file__).parents[3] / str(caught.value).split()[-1]).samefile(javascript.__file__)
