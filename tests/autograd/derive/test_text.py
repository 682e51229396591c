"""The text of a derivation, read back: every number in it is the computed one, every formula computes it; it is short."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from fractions import Fraction
from functools import reduce
from itertools import product
from operator import add
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import evaluated
from test_derive import networks
from test_graph import graphs

import nn
from autograd import Derivation, Value, derive, dot, greater, maximum, total, where
from autograd.derive.outline import Letter, _letter, shown_number
from autograd.derive.text import WIDTH, _columns, _sum
from autograd.operations import CONSTANT, FLOATS, OPERATIONS

TOKEN = re.compile(r"-?(?:inf|nan|\d+(?:\.\d+)?(?:e[+-]\d+)?(?:/\d+)?)(?![\w/])")
FUNCTIONS: dict[str, Any] = {
    **{name: rule.forward for name, rule in OPERATIONS.items() if rule.symbol == name},
    "max": OPERATIONS["maximum"].forward,
    "min": OPERATIONS["minimum"].forward,
    "cos": math.cos,
    "step": lambda a, b: FLOATS.heaviside(a - b, 0),
    "inf": math.inf,
    "nan": math.nan,
}


def close(text: str, want: Any) -> bool:
    """Whether the text is the number to six digits; a short fraction is exact."""
    if "inf" in text or "nan" in text:
        return float(text) == want or (math.isnan(float(text)) and math.isnan(want))
    mantissa, _, exponent = text.partition("e")
    got = Fraction(mantissa) * Fraction(10) ** int(exponent or 0)
    return math.isfinite(want) and abs(got - Fraction(want)) <= abs(Fraction(want)) * ("/" not in text) * Fraction(5, 10**6)


def numbers(text: str) -> list[str]:
    """The numbers in it, in order; what is subtracted from a sum is a negative summand."""
    return TOKEN.findall(re.sub(r" - (?=[\d(in])", " + -", text))


def section(text: str, head: str) -> list[str]:
    """The lines under the head that begins with this word."""
    parts = [part.split("\n") for part in text.split("\n\n")]
    return next((part[1:] for part in parts if part[0].startswith(head)), [])


def steps(text: str) -> Iterator[list[str]]:
    """The lines of each step of the way back."""
    step: list[str] = []
    for line in section(text, "Backward"):
        if line.startswith("  d") and step:
            yield step
            step = []
        step.append(line)
    yield step


def value(formula: str, derivation: Derivation) -> Any:
    """What a printed formula comes to with the numbers of its names; None where Python has no number for it."""
    names = {name: node.data for node, name in derivation.names.items() if node.operation is not CONSTANT}
    number = Fraction if isinstance(derivation.output.data, Fraction) else float
    try:
        found = evaluated(formula, number, {**FUNCTIONS, **names})
    except (ArithmeticError, ValueError):
        return None
    return None if isinstance(found, complex) else found


def agree(got: Any, want: Any) -> bool:
    return got is None or got == pytest.approx(want, rel=1e-5, nan_ok=True)


@settings(max_examples=200, deadline=None)
@given(st.one_of(graphs(), networks()))
def test_every_number_and_formula_of_the_text_is_what_was_computed(output: Value) -> None:
    derivation = derive(output)
    text = derivation.text(fold=False)
    nodes = {name: node for node, name in derivation.names.items() if node.operation is not CONSTANT}
    given_lines = section(text, "Given")
    assert {line.split(" = ")[0].strip() for line in given_lines} == {name for name in nodes if not nodes[name].parents}
    for line in given_lines:
        name, shown = line.split(" = ")
        assert close(shown, nodes[name.strip()].data)
    for line in section(text, "Forward"):
        name, formula, shown, result = line.split(" = ")
        node = nodes[name.strip()]
        assert close(result, node.data)
        assert agree(value(formula, derivation), node.data)
        tokens = numbers(shown.removeprefix("-") if node.operation.name == "neg" else shown.replace(" - ", ", "))
        assert all(close(token, operand.data) for token, operand in zip(tokens, node.parents, strict=True))
    out = derivation.names[output]
    for first, *more in steps(text):
        name = first.split(" = ")[0].strip().removeprefix(f"d{out}/d")
        step = derivation[nodes[name]]
        if not step.terms:
            assert close(first.split(" = ")[1], step.adjoint)
            continue
        lines = [first, *more]
        for line, term in zip(lines, step.terms, strict=False):
            product, since = re.split(r"\s+since ", line)
            slope, formula = re.split(r" [=+] ", product, maxsplit=1)[1].split(" * ", 1)
            consumer, definition = re.split(", by its |, which sends", since)[0].split(" = ")
            assert slope == f"d{out}/d{consumer}"
            assert nodes[consumer] is term.consumer
            assert agree(value(formula, derivation), term.partial)
            assert agree(value(definition, derivation), term.consumer.data)
        want = [x for term in step.terms for x in (term.upstream, term.partial)]
        want += [term.contribution for term in step.terms] if len(step.terms) > 1 else []
        tokens = numbers(" ".join(lines[len(step.terms) :]))
        assert all(close(token, x) for token, x in zip(tokens, (*want, step.adjoint), strict=True))


def network() -> tuple[nn.MLP, Value]:
    """The 3-4-1 network with simple weights, and its cost for one sample."""
    weights = [[[(i + 1) / 8 - j / 4 for j in range(4)] for i in range(3)], [[0.5], [-0.25], [0.75], [-1.0]]]
    model = nn.MLP.from_arrays(weights)
    cost = model.loss([[0.0, 1.0, 1.0]], [[1.0]])
    cost.label = "C"
    return model, cost


def test_the_network_of_three_four_one_fits_on_two_pages() -> None:
    model, cost = network()
    lines = str(derive(cost)).split("\n")
    assert len(lines) <= 110
    assert max(map(len, lines)) <= WIDTH + 6
    for line in (
        "  z1 = x[0] * W1[0,0] = 0 * 0.125 = 0",
        "      and 11 more like it: z = x[i] * W1[i,j], i = 0..2, j = 0..3",
        "      and 3 more like it: a1[i] = sigmoid(z), i = 0..3",
        "      and 3 more like it: z = a1[i] * W2[i,0], i = 0..3",
        "  v = sigmoid(a)        dv/da = v * (1 - v)",
        "  W1[0,0] = 0.125   W1[0,1] = -0.125  W1[0,2] = -0.375  W1[0,3] = -0.625",
        "      and 11 more like it: dC/dW1[i,j] = dC/dz * x[i], i = 0..2, j = 0..3",
        "      and 3 more like it: dC/dW2[i,0] = dC/dz * a1[i], i = 0..3",
    ):
        assert line in lines
    by_parameters = str(derive(cost, model.parameters()))
    assert "The derivative of C by W1[0,0], W1[1,0], W1[2,0], W1[0,1], W1[1,1] and 11 more, step by step" in by_parameters
    assert "dC/dx" not in by_parameters
    assert "x[0] = 0" in by_parameters


def test_every_node_of_the_network_is_in_the_text_folded_or_not() -> None:
    _, cost = network()
    derivation = derive(cost)
    for text in (derivation.text(), derivation.text(fold=False)):
        for node, name in derivation.names.items():
            if node.operation is not CONSTANT:
                assert re.search(rf"(^|\s){re.escape(name)} = ", text)
                assert re.search(rf"(^|\s)dC/d{re.escape(name)} = ", text)
    assert "more like it" not in derivation.text(fold=False)


def test_a_small_one_by_hand() -> None:
    x = Value(3.0, "x")
    y = x * x * x + x
    y.label = "y"
    assert (
        str(derive(y, x))
        == """\
The derivative of y by x, step by step

Given
  x = 3

Forward: every result from its operands
  z1 = x * x = 3 * 3 = 9
  z2 = z1 * x = 9 * 3 = 27
  y = z2 + x = 27 + 3 = 30

Local derivatives: of every operation by its operands
  v = a + b             dv/da = 1, dv/db = 1
  v = a * b             dv/da = b, dv/db = a

Backward: dy/du is the sum of dy/dv * dv/du over the results v that u went into
  dy/dy = 1
  dy/dz2 = dy/dy * 1                              since y = z2 + x
         = 1 * 1 = 1
  dy/dz1 = dy/dz2 * x                             since z2 = z1 * x
         = 1 * 3 = 3
  dy/dx = dy/dy * 1                               since y = z2 + x
        + dy/dz2 * z1                             since z2 = z1 * x
        + dy/dz1 * x                              since z1 = x * x, by its right operand
        + dy/dz1 * x                              since z1 = x * x, by its left operand
        = 1 * 1 + 1 * 9 + 3 * 3 + 3 * 3
        = 1 + 9 + 9 + 9
        = 28"""
    )


def test_numbers_that_are_not_ordinary() -> None:
    zero, never, half = Value(-0.0, "z"), Value(math.nan, "n"), Value(Fraction(3, 4), "f")
    assert "z1 = 1 / z = 1 / (-0) = -inf" in str(derive(1 / zero))
    assert "z1 = 2 * z = 2 * 0 = 0" in str(derive(2 * zero))
    assert "dz1/dn = dz1/dz1 * [n > 0]" in str(derive(never.relu()))
    assert "= 1 * nan = nan" in str(derive(never.relu()))
    assert "f = 3/4\n" in str(derive(half * half))
    assert "z1 = f * f = 3/4 * (3/4) = 9/16\n" in str(derive(half * half))
    assert "= -1 * (3/4) + (-1 * (3/4))\n" in str(derive(-(half * half)))
    assert "= -3/4 - 3/4\n" in str(derive(-(half * half)))
    assert "dz1/da = dz1/dz1 * 0.5" in str(derive(maximum(Value(2.0, "a"), 2)))
    assert "x = 0.123457\n" in str(derive(Value(0.123456789, "x") * 2))


def test_what_does_not_lie_between_is_given_and_what_nothing_depends_on_is_said() -> None:
    w, x, b = Value(0.5, "w"), Value(2.0, "x"), Value(-1.0, "b")
    output = w * x * (b * 2)
    text = str(derive(output, w))
    assert section(text, "Given") == ["  w = 0.5", "  x = 2", "  z2 = -2"]
    assert [line.split(" = ")[0] for line in section(text, "Forward")] == ["  z1", "  z3"]
    text = str(derive(output, [w * x, b]))  # another product than that in the output
    assert text.startswith("The derivative of z3 by z4 and b, step by step\n")
    assert "\n  dz3/dz4 = 0, for z3 does not depend on z4\n" in text
    assert str(derive(x)).endswith("\n  dx/dx = 1")
    assert "dv/dp = q, dv/dq = p" in text  # for b is a name already


def test_labels_of_strangers_are_text() -> None:
    labels = ["x_{1}", "a\\b$%", "</script><b>", "two\nlines", "\u202eleft", "L" * 10_000, "2", "dC/dx = 0", "since"]
    leaves = [Value(float(i), label) for i, label in enumerate(labels)]
    text = str(derive(sum(leaves[1:], leaves[0]) * 1.0))
    for shown in (
        "'x_{1}'",
        "'a\\b$%'",
        "'</script><b>'",
        "'two lines'",
        "'\ufffdleft'",
        f"'{'L' * 39}\u2026'",
        "'2'",
        "'dC/dx = 0'",
    ):
        assert f"  {shown} = " in text
        assert f"/d{shown} = " in text
    assert max(map(len, text.splitlines())) < 200


def test_steps_of_the_same_kind_are_told_once_with_their_numbers_as_long_as_these_are_few() -> None:
    def products(n: int) -> str:
        terms = [Value(i / 4, f"w{i}") * Value(1.0, f"x_{i}") for i in range(n)]
        return str(derive(sum(terms[1:], terms[0])))

    few, many = products(10), products(1000)
    assert "and 9 more like it: z = w_i * x_i, i = 0..9" in few
    assert "w9 = 2.25" in few
    assert "and 9 more like it: dz19/dw_i = dz19/dz * x_i, i = 0..9" in few
    assert "and 999 more like it: z = w_i * x_i, i = 0..999" in many
    assert "  1,000 numbers: w_i, i = 0..999" in many
    assert "w998" not in many
    assert len(many.split("\n")) < 60


def test_indices_that_are_shifted_against_each_other() -> None:
    h = Value(1.0, "h0")
    for i in range(1, 9):
        h = (h * Value(i / 2, f"w{i}")).tanh()
        h.label = f"h{i}"
    text = str(derive(h))
    assert "and 6 more like it: z = h_i * w[i+1], i = 1..7" in text
    assert "and 6 more like it: h_i = tanh(z), i = 2..8" in text
    assert "and 5 more like it: dh8/dh_i = dh8/dz * w[i+1], i = 2..7" in text


def test_constants_that_differ_get_a_letter() -> None:
    t = Value(2.0, "t")
    text = str(derive(sum((t * c for c in (0.5, 3.0, -1.0)), Value(0.0, "s"))))
    assert "and 2 more like it: z = t * c, c = 0.5, 3 and -1" in text


def test_a_long_text_is_cut_where_it_says_so() -> None:
    y = Value(1.0, "y")
    for i in range(300):
        y = y * 2
        y.label = "abcdefghij"[i % 10] * (1 + i // 10)  # no two names of one shape
    derivation = derive(y)
    text = derivation.text()
    assert text.count("... and 200 more, left out here; text(fold=False) shows them all") == 1
    assert "... and 201 more, left out here" in text
    assert len(text.split("\n")) < 320
    assert "left out" not in derivation.text(fold=False)


def test_a_node_with_many_consumers_has_the_first_of_its_terms_told() -> None:
    t = Value(2.0, "t")
    derivation = derive(sum((t * i for i in range(20)), Value(0.0, "s")))
    text = derivation.text()
    assert text.count("... and 12 more") == 3
    assert "\n          = 190\n" in text
    assert "... and" not in derivation.text(fold=False)


def test_nodes_with_several_terms_are_told_by_their_results_alone() -> None:
    x = [Value(i + 1.0, f"x[{i}]") for i in range(3)]
    text = str(derive(reduce(add, (each * each for each in x))))
    assert "\n            = 6\n      and 2 more like it:\n      dz5/dx[0] = 2  dz5/dx[1] = 4" in text


def test_a_zero_has_its_sign_where_it_is_given_and_nowhere_else() -> None:
    y = [Value(-0.0, f"y{i}") * 2.0 for i in range(3)]
    lines = str(derive(reduce(add, y))).splitlines()
    assert lines[3] == "  y0 = -0  y1 = -0  y2 = -0"
    assert lines[6:9] == [
        "  z1 = y0 * 2 = 0 * 2 = 0",
        "      and 2 more like it: z = y_i * 2, i = 0..2",
        "      z2 = 0  z4 = 0",
    ]
    assert shown_number(Fraction(1), Fraction(10) ** 400) == 1  # which is larger than any float, and not infinite


def test_names_in_the_head_have_quotes_where_they_need_them() -> None:
    w = Value(3.0, "my weight")
    y = w * 2
    y.label = "my loss"
    assert str(derive(y, w)).startswith("The derivative of 'my loss' by 'my weight', step by step\n")


def test_what_is_asked_for_is_given_though_nothing_is_made_of_it() -> None:
    x, other = Value(3.0, "x"), Value(5.0, "other")
    assert section(str(derive(x * x, [x, other])), "Given") == ["  x = 3", "  other = 5"]


def test_four_and_twenty_numbers_are_listed_and_not_one_more() -> None:
    def given_lines(n: int) -> list[str]:
        return section(str(derive(reduce(add, (Value(1.0, f"x[{i}]") for i in range(n))))), "Given")

    assert sum(line.count(" = 1") for line in given_lines(24)) == 24
    assert given_lines(25) == ["  25 numbers: x[i], i = 0..24"]


@pytest.mark.parametrize(
    ("numbers", "want", "interval"),
    [((2, 0, 1), (0, 2), True), ((0, 2, 5), (0, 2, 5), False), ((1.0, 2.0, 3.0), (1.0, 2.0, 3.0), False)],
)
def test_only_indices_without_gaps_are_an_interval(numbers: Any, want: Any, interval: bool) -> None:
    assert _letter("i", numbers) == Letter("i", want, interval)


def test_thousands_have_commas() -> None:
    t = Value(2.0, "t")
    text = derive(sum((t * (i + 0.5) for i in range(1_100)), Value(0.0, "s"))).text()
    assert text.count("... and 1,092 more") == 3
    assert "\n            + ... and 1,092 more\n" in text
    assert "and 1,099 more like it: z = t * c" in text
    y = Value(1.0, "y")
    for word in product("abcdefghijk", repeat=3):
        y = -y
        y.label = "".join(word)  # each is of a shape of its own
    assert "... and 1,231 more, left out here; text(fold=False) shows them all" in derive(y).text()


def test_a_sum_goes_on_in_the_next_line_where_there_is_no_room() -> None:
    assert [*_sum(["1", "-2", "a * b", "-3 * 4"], 99)] == ["= 1 - 2 + a * b + (-3 * 4)"]
    assert [*_sum(["1", "-2", "a * b"], 15)] == ["= 1 - 2 + a * b"]
    assert [*_sum(["1", "-2", "a * b"], 14)] == ["= 1 - 2", "  + a * b"]
    x = Value(0.123456, "a label of forty letters, as many as fit")
    lines = derive(reduce(add, (x * (k / 7) for k in range(1, 15)))).text().splitlines()
    assert WIDTH - 12 < max(len(line) for line in lines if "label" not in line) <= WIDTH + 2


def test_results_stand_side_by_side_as_many_as_there_is_room_for() -> None:
    assert [*_columns(["a" * 20] * 5)] == ["  ".join(["a" * 20] * 4), "a" * 20]
    assert [*_columns(["a" * 21] * 4)] == ["  ".join(["a" * 21] * 3), "a" * 21]
    assert [*_columns(["a" * 50, "b"])] == ["a" * 50, "b"]


def three() -> Derivation:
    """Three alike, and then one of each kind."""
    w, x = Value(-2.0, "w"), [Value(0.5 * i, f"x[{i}]") for i in range(3)]
    cost = ((w * x[0]).tanh() + (w * x[1]).tanh() + (w * x[2]).tanh()) ** 2
    cost.label = "cost"
    return derive(cost)


def test_of_the_arm_that_was_not_taken_it_is_said_that_nothing_is_sent() -> None:
    x = Value(-1.0, "x")
    text = derive(where(greater(x, 0), x.log(), 1) + x.relu()).text()
    assert section(text, "Backward")[-6:] == [
        "  dz5/dx = dz5/dz4 * [x > 0]                      since z4 = relu(x)",
        "         + dz5/dz2 * nan                          since z2 = log(x), which sends nothing",
        "         + dz5/dz1 * 0                            since z1 = x > 0",
        "         = 1 * 0 + 0 * nan + 0 * 0",
        "         = 0 + 0 + 0",
        "         = 0",
    ]


def test_operations_of_any_number_of_operands() -> None:
    a, b = Value(2.0, "a"), Value(3.0, "b")
    text = derive(total([a, b, dot([a, b], [b, 4])])).text()
    assert section(text, "Local") == [
        "  v = p + q + r         dv/dp = 1, dv/dq = 1, dv/dr = 1",
        "  v = p * r + q * s     dv/dp = r, dv/dq = s, dv/dr = p",
    ]
    assert "         + dz2/dz1 * 4                            since z1 = a * b + b * 4, by its second operand" in text
    text = derive(total([Value(1.0, f"x[{i}]") for i in range(30)])).text()
    assert text.count("x[0] + x[1] + x[2] + x[3] + ... + x[29]") == 2


def test_the_whole_text() -> None:
    """Every sign of it; the tests above say what it has to be, and what of it is right."""
    assert f"{three().text()}\n" == Path(__file__).with_name("derivation.txt").read_text(encoding="utf-8")


def test_many_numbers_are_told_by_their_letters_alone() -> None:
    text = derive(reduce(add, (Value(2.0**-i, f"x[{i}]") * 3 for i in range(30)))).text()
    assert text.splitlines()[2:5] == ["Given", "  30 numbers: x[i], i = 0..29", ""]
    assert "      and 26 more like it" in text.splitlines()  # sums, whose names follow no rule


def test_the_rule_has_letters_that_are_no_names() -> None:
    text = derive(Value(1.0, "u") * Value(2.0, "v")).text()
    assert "\nBackward: dz1/dr is the sum of dz1/ds * ds/dr over the results s that r went into\n" in text
    text = derive(Value(1.0, "v") * Value(2.0, "p")).text()
    assert section(text, "Local") == ["  r = s * t             dr/ds = t, dr/dt = s"]
