"""The LaTeX of a derivation: it compiles whatever the labels are, and read back every number in it is the computed one."""

from __future__ import annotations

import math
import re
import shutil
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
from reading import compiled, from_latex
from test_derive import networks
from test_graph import graphs
from test_text import agree, close, network, three, value

from autograd import Derivation, Value, derive, greater, where
from autograd.derive.latex import _alike, _broken, _equation
from autograd.derive.outline import Alike, Equation
from autograd.expressions import Expression, as_latex, symbol
from autograd.expressions import number as constant
from autograd.names import latex_name
from autograd.operations import CONSTANT

PDFLATEX = pytest.mark.skipif(not shutil.which("pdflatex"), reason="no pdflatex here")
TOKEN = re.compile(r"-?(?:\\infty|\\text\{nan\}|\\frac\{\d+\}\{\d+\}|\d+(?:\.\d+)?(?: \\cdot 10\^\{-?\d+\})?)")
SLOPE = r"\\frac\{\\partial (\S+)\}\{\\partial (\S+)\}"


def number(latex: str) -> str:
    """The number as text."""
    text = re.sub(r"\\frac\{(\d+)\}\{(\d+)\}", r"\1/\2", latex).replace(r"\infty", "inf").replace(r"\text{nan}", "nan")
    return re.sub(r" \\cdot 10\^\{(-?\d+)\}", r"e\1", text)


def equations(latex: str) -> Iterator[tuple[str, list[str]]]:
    """The left side of each equation and its right sides; rows that go on are put together."""
    table = re.split(r" \\\\(?:\[1ex\])?\n", latex.split("\n", 1)[1].rsplit("\n", 1)[0])
    left, right = "", ""
    for row in table:
        head, rest = (part.strip() for part in row.split("&", 1))
        if head or (rest.startswith((r"\quad", r"\textbf")) and not rest.startswith(r"\quad +")):
            if left:
                yield left, right.removeprefix("= ").split(" = ")
            left, right = head, ""
        right += " " + rest.removeprefix(r"\quad ") if right else rest
    yield left, right.removeprefix("= ").split(" = ")


@settings(max_examples=200, deadline=None)
@given(st.one_of(graphs(), networks()))
def test_every_number_and_formula_of_the_latex_is_what_was_computed(output: Value) -> None:
    derivation = derive(output)
    nodes = {name: node for node, name in derivation.names.items() if node.operation is not CONSTANT}
    count = 0
    for left, sides in equations(derivation.latex(fold=False).replace(r" \quad \text{for nothing is sent}", "")):
        if r"\partial" not in left:
            node = nodes[name_of(left)]
            assert agree(value(from_latex(sides[0]), derivation), node.data)
            assert close(number(sides[-1]), node.data)
            count += 1
            continue
        found = re.fullmatch(SLOPE, left)
        assert found
        step = derivation[nodes[name_of(found[2])]]
        assert close(number(sides[-1]), step.adjoint)
        if step.terms:
            products = re.split(r" \+ (?=\\frac\{\\partial)", sides[0])
            for product, term in zip(products, step.terms, strict=True):
                slope, formula = product.split(r" \cdot ", 1)
                consumer = re.fullmatch(SLOPE, slope)
                assert consumer
                assert nodes[name_of(consumer[2])] is term.consumer
                assert agree(value(from_latex(formula), derivation), term.partial)
            want: list[Any] = [x for term in step.terms for x in (term.upstream, term.partial)]
            want += [term.contribution for term in step.terms] if len(step.terms) > 1 else []
            tokens = map(number, TOKEN.findall(" ".join(sides[1:])))
            assert all(close(token, x) for token, x in zip(tokens, (*want, step.adjoint), strict=True))
        count += 1
    assert count == len(nodes) + sum(bool(node.parents) for node in nodes.values())


def name_of(latex: str) -> str:
    """The name in the derivation."""
    return from_latex(latex).replace(" ", "")


def rows(derivation: Derivation) -> list[str]:
    return derivation.latex().split("\n")


def test_the_network_of_three_four_one_in_rows_that_fit_an_article() -> None:
    _, cost = network()
    latex = rows(derive(cost))
    assert (latex[0], latex[-1]) == (r"\begin{align*}", r"\end{align*}")
    assert len(latex) <= 85
    for row in (
        r"z_{1} & = x_{0} \cdot W^{(1)}_{0,0} = 0 \cdot 0.125 = 0 \\",
        r"& \quad \text{and 11 more: } z = x_{i} \cdot W^{(1)}_{i,j},\;\; i = 0, \dots, 2,\;\; j = 0, \dots, 3 \\",
        r"& \quad \text{and 3 more: } a^{(1)}_{i} = \sigma\left(z\right),\;\; i = 0, \dots, 3 \\",
        r"& \quad v = \sigma\left(a\right),\;\; \tfrac{\partial v}{\partial a} = v \cdot \left(1 - v\right) \\[1ex]",
    ):
        assert row in latex


def test_a_small_one_by_hand() -> None:
    x = Value(3.0, "x")
    assert rows(derive(x * x))[-5:-1] == [
        r"\frac{\partial z_{1}}{\partial z_{1}} & = 1 \\",
        r"\frac{\partial z_{1}}{\partial x} & = %s \cdot x + %s \cdot x \\" % ((r"\frac{\partial z_{1}}{\partial z_{1}}",) * 2),
        r" & = 1 \cdot 3 + 1 \cdot 3 \\",
        r" & = 3 + 3 = 6",
    ]
    (row,) = (row for row in rows(derive(x * x, Value(1.0, "w"))) if "depend" in row)
    assert row == (r"\frac{\partial z_{1}}{\partial w} & = 0 \quad \text{for } z_{1} \text{ does not depend on } w")


def test_of_the_arm_that_was_not_taken_it_is_said_that_nothing_is_sent() -> None:
    x = Value(-1.0, "x")
    (row,) = (row for row in rows(derive(where(greater(x, 0), x.log(), 1) * math.inf)) if "partial z_{2}} & =" in row)
    assert row.endswith(r"\cdot 0 = \infty \cdot 0 = 0 \quad \text{for nothing is sent} \\")


def test_an_equation_without_room_has_its_numbers_in_a_row_of_their_own() -> None:
    a, b = Value(0.25, "a" * 30), Value(0.5, "b" * 30)
    above, below = r"\frac{\partial z_{1}}{\partial z_{1}}", rf"{{\partial {latex_name(a.label)}}}"
    assert [row for row in rows(derive(a * b, a)) if "0.25" in row or "0.5" in row] == [
        rf"& \quad {latex_name(a.label)} = 0.25 \\",
        rf"& \quad {latex_name(b.label)} = 0.5 \\[1ex]",
        r"& = 0.25 \cdot 0.5 = 0.125 \\[1ex]",
        rf"\frac{{\partial z_{{1}}}}{below} & = {above} \cdot {latex_name(b.label)} = 1 \cdot 0.5 = 0.5",
    ]


def test_what_is_left_out_is_said() -> None:
    y = t = Value(1.0, "t")
    for i in range(300):
        y = y * t
        y.label = "abcdefghij"[i % 10] * (1 + i // 10)
    latex = derive(y).latex()
    assert r"\text{... and 200 more, left out here; latex(fold=False) shows them all}" in latex
    many = derive(sum((t * i for i in range(20)), Value(0.0, "s"))).latex()
    assert many.count(r" + \cdots") == 3
    assert "left out" not in derive(y).latex(fold=False)


@PDFLATEX
def test_derivations_compile_whatever_the_labels_are(tmp_path: Path) -> None:
    labels = [
        "x_{1}",
        "a\\b$%",
        "</script><b>",
        "two\nlines",
        "\u202eleft",
        "L" * 10_000,
        "2",
        "[1ex]",
        "\\end{align*}",
        "#^~&",
    ]
    labels += [
        "\u03b8",
        "\u91cd\u307f",
        "gr\xf6\xdfe",
        "\U0001f600",
        "\u05d0",
        "\xf0\xfe\u0105",
        "x\u0663",
        "W1[2,0]",
        "W1[2,0]",
        "e",
    ]
    leaves = [Value(i / 3, label) for i, label in enumerate(labels)]
    output = sum(leaves[1:], leaves[0]) ** Fraction(1, 3) / math.inf + leaves[3] * -1e-30
    output.label = "y^2"
    _, cost = network()
    odd = derive(Value(Fraction(-3, 4), "f").relu() / Value(Fraction(10) ** 400, "g"))
    compiled(tmp_path, "\\allowdisplaybreaks\n" + derive(output).latex() + odd.latex() + derive(cost).latex(fold=False))
    assert r"Overfull \hbox" not in compiled(tmp_path, derive(cost).latex())


@PDFLATEX
def test_the_network_is_printed_on_two_pages(tmp_path: Path) -> None:
    _, cost = network()
    said = compiled(tmp_path, "\\allowdisplaybreaks\n" + derive(cost).latex(), "\\usepackage[a4paper, margin=1.5cm]{geometry}")
    assert "(2 pages," in said


def test_the_whole_latex() -> None:
    """Every sign of it; the tests above say what it has to be, and what of it is right."""
    assert f"{three().latex()}\n" == Path(__file__).with_name("derivation.tex").read_text(encoding="utf-8")


def test_many_numbers_are_told_by_their_letters_alone() -> None:
    latex = derive(reduce(add, (Value(2.0**-i, f"x[{i}]") for i in range(30)))).latex()
    assert r"& \quad \text{30 numbers: } x_{i},\;\; i = 0, \dots, 29 \\[1ex]" in latex.splitlines()
    x = Value(2.0, "x")
    for constants, letters in (((3, 5, 9, 17, 33), "3, 5, 9, 17, 33"), ((3, 5, 9, 17, 33, 65), r"3, 5, 9, 17, 33, \dots")):
        latex = derive(reduce(add, (x * c for c in constants))).latex()
        assert rf"\text{{and {len(constants) - 1} more: }} z = x \cdot c,\;\; c = {letters} \\" in latex


def test_a_sum_in_several_rows_has_all_its_summands() -> None:
    x, factors = Value(2.0, "x"), [Value(k + 0.5, f"factor_number_{k}") for k in range(6)]
    latex = derive(reduce(add, (x * factor for factor in factors)), x).latex(fold=False)
    backward = latex[latex.index("Backward") :]
    assert [backward.count(rf"\cdot {latex_name(factor.label)} ") for factor in factors] == [1] * 6
    assert [backward.count(rf"1 \cdot {k}.5 ") for k in range(6)] == [1] * 6


def wide(*lengths: int) -> list[Expression]:
    """Names of so many letters, each of which takes two more in a row of 63."""
    return [symbol(letter * length) for letter, length in zip("abcdef", lengths, strict=False)]


def test_a_row_has_what_there_is_room_for() -> None:
    for lengths, rows_of in (
        ((29, 30), [2]),
        ((30, 30), [1, 1]),
        ((20, 20, 20), [2, 1]),
        ((30, 30, 29), [1, 2]),
        ((99, 1), [1, 1]),
        ((99,), [1]),
        ((), []),
    ):
        assert [len(row) for row in _broken(wide(*lengths))] == rows_of
    assert [len(row) for row in _broken([constant(-1)] * 11)] == [10, 1]  # four more, for they stand in parentheses
    assert [len(row) for row in _broken([constant(1)] * 22)] == [21, 1]


def test_words_before_numbers_take_their_room() -> None:
    def lines(size: int, pattern: Expression | None, *results: Expression) -> list[str]:
        return [*_alike(Alike(size, True, pattern, (), results))]

    a, b, c = wide(25, 25, 24)
    assert lines(1_000, None) == [r"& \quad \text{and 1,000 more} "]
    assert lines(2, None, a, b) == [rf"& \quad \text{{and 2 more: }} {as_latex(a)}", rf"& \quad {as_latex(b)}"]
    assert lines(2, None, a, c) == [rf"& \quad \text{{and 2 more: }} {as_latex(a)},\;\; {as_latex(c)}"]
    a, b = wide(29, 30)
    assert lines(2, c, a, b) == [
        rf"& \quad \text{{and 2 more: }} {as_latex(c)}",
        rf"& \quad {as_latex(a)},\;\; {as_latex(b)}",
    ]


def test_an_equation_is_broken_where_there_is_no_room() -> None:
    y, (a, b, c, d), number = symbol("y"), wide(30, 25, 40, 40), constant
    assert [*_equation(Equation(y, (a,), (b,), number(11)))] == [f"y & = {as_latex(a)} = {as_latex(b)} = 11"]
    assert [*_equation(Equation(y, (a,), (b,), number(111)))] == [f"y & = {as_latex(a)}", f"& = {as_latex(b)} = 111"]
    sums = Equation(y, (c, d), (number(1), number(2)), number(-11), (number(-1),) * 11)
    more = r" + \left(-1\right)"
    assert [*_equation(sums)] == [
        f"y & = {as_latex(c)}",
        rf" & \quad + {as_latex(d)}",
        " & = 1 + 2",
        f" & = -1{more * 9}",
        rf" & \quad{more} = -11",
    ]
    for result, last in ((3, [f" & = -1{more * 9} = 3"]), (33, [f" & = -1{more * 9}", "& = 33"])):
        assert [*_equation(sums._replace(contributions=(number(-1),) * 10, result=number(result)))][3:] == last


def test_thousands_have_commas() -> None:
    t, y = Value(2.0, "t"), Value(1.0, "y")
    assert r"\text{and 1,099 more: } z = t \cdot c" in derive(sum((t * (i + 0.5) for i in range(1_100)), y)).latex()
    assert r"\text{1,100 numbers: } x_{i}" in derive(reduce(add, (Value(1.0, f"x{i}") for i in range(1_100)))).latex()
    for word in product("abcdefghijk", repeat=3):
        y = -y
        y.label = "".join(word)  # each is of a shape of its own
    assert "... and 1,231 more, left out here; latex(fold=False) shows them all" in derive(y).latex()


def test_rows_of_the_table_stand_side_by_side() -> None:
    (row,) = (row for row in rows(derive(Value(2.0, "x").exp().sin())) if "v = e^" in row)
    assert row == (
        r"& \quad v = e^{a},\;\; \tfrac{\partial v}{\partial a} = v"
        r"\qquad v = \sin\left(a\right),\;\; \tfrac{\partial v}{\partial a} = \cos\left(a\right) \\[1ex]"
    )


def test_letters_without_a_font_stand_there_by_their_numbers() -> None:
    assert r"& \quad \text{U+4F60} = 1 \\" in derive(Value(1.0, "\u4f60") * Value(2.0, "x")).latex().splitlines()
    assert r"U+0111" in derive(Value(1.0, "\u0111") * Value(2.0, "x")).latex()


def test_the_rule_has_letters_that_are_no_names() -> None:
    (rule,) = (row for row in derive(Value(1.0, "u") * Value(2.0, "v")).latex().splitlines() if "Backward" in row)
    assert rule.endswith(r"\text{ over the results } s \text{ that } r \text{ went into} \\")
