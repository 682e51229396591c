"""Names and numbers in print: any label gives a short unique name in text and in LaTeX, any number its digits."""

from __future__ import annotations

import math
import random
import shutil
import sys
import unicodedata
from fractions import Fraction
from pathlib import Path

import pytest
import strangers
from hypothesis import given
from hypothesis import strategies as st
from reading import compiled

from autograd import Value, topological_order
from autograd.names import (
    LONGEST,
    free_letters,
    latex_name,
    latex_number,
    listed,
    named,
    number_text,
    plain,
    text_name,
)

NASTY = ["x_{1}", r"a\b$%", "</script><b>", "two\nlines", "\u202eabc\u202c", "L" * 10_000, "^~&#|`'\"", " ", "\x00", "{}", "z1"]


def names(*labels: str) -> list[str]:
    nodes = [Value(float(i), label) for i, label in enumerate(labels)]
    return list(named(nodes).values())


@given(st.lists(st.one_of(st.sampled_from(["", "x", "x#2", "z1", "z2", "x\n", *NASTY]), st.text(max_size=50)), max_size=12))
def test_names_are_unique_short_and_printable(labels: list[str]) -> None:
    found = names(*labels)
    assert len(set(found)) == len(found)
    for name in found:
        assert 0 < len(name) <= LONGEST + len(f"#{len(labels)}")
        assert name == "".join(name.splitlines())
        assert not {unicodedata.category(c)[0] for c in name.replace(" ", "")} & {"C", "Z"}


def test_names_are_labels_or_numbers_in_the_order_of_computing() -> None:
    w, x = Value(0.5, "w"), Value(2.0)
    order = topological_order((w * x + 3) * (w - 0.25))
    assert list(named(order).values()) == ["w", "z1", "z2", "3", "z3", "0.25", "z4", "z5"]
    assert names("x", "x", "x", "y") == ["x", "x#2", "x#3", "y"]
    assert names("x", "x#2", "x") == ["x", "x#2", "x#3"]
    assert names("z1", "", "z2", "") == ["z1", "z3", "z2", "z4"]
    assert names("a\nb", "a b") == ["a b", "a b#2"]
    assert names(" ", "\t") == ["z1", "z2"]


def test_a_label_is_one_short_line() -> None:
    assert plain("two\nlines\tof\x00it") == "two lines of\ufffdit"
    assert plain("x" * 41) == "x" * 39 + "\u2026"
    assert plain("x" * 40) == "x" * 40


@pytest.mark.parametrize("name", ["w", "W1[2,0]", "x_1", "a1[i+1,j]", "x#2", "h_i", "loss", "\u03b8", "lambda"])
def test_names_at_first_sight_have_no_quotes(name: str) -> None:
    assert text_name(name) == name


@pytest.mark.parametrize(
    "name", ["a + b", "2", "3/4", "-x", "x_{1}", "x[1", "my weight", "1e5", "x[a + b]", "f(x)", "inf", "and"]
)
def test_other_names_have_quotes(name: str) -> None:
    assert text_name(name) == f"'{name}'"


def test_a_quote_in_a_name_ends_no_quotes() -> None:
    assert text_name("a' + 'b") == "'a'' + ''b'"


@pytest.mark.parametrize(
    ("name", "want"),
    [
        ("w", "w"),
        ("w1", "w_{1}"),
        ("x_1", "x_{1}"),
        ("z12", "z_{12}"),
        ("W1[2,0]", "W^{(1)}_{2,0}"),
        ("W1[i,j]", "W^{(1)}_{i,j}"),
        ("h[i-1]", "h_{i-1}"),
        ("a2[0]#3", r"a^{(2)}_{0\#3}"),
        ("x#2", r"x_{\#2}"),
        ("w1_2", "w^{(1)}_{2}"),
        ("loss", r"\text{loss}"),
        ("loss2", r"\text{loss}_{2}"),
        ("out_h", r"\text{out}_{h}"),
        ("x_max", r"x_{\text{max}}"),
        ("theta", r"\theta"),
        ("\u03b81", r"\theta_{1}"),
        ("\u039b", r"\Lambda"),
        ("x_{1}", r"{\text{x}\_\{\text{1}\}}"),
        ("a\\b$%", r"{\text{a}\backslash\text{b}\$\%}"),
        ("</b>", r"{<\text{/b}>}"),
        ("50 %", r"{\text{50 }\%}"),
        ("x#\xe9", r"x_{\#\text{" + "\xe9}}"),  # an accent in a formula does not compile either
        ("x#2_a_", r"{\text{x}\#\text{2}\_\text{a}\_}"),  # two signs for below do not compile
        ("a|b", r"{\text{a}|\text{b}}"),  # as text it is a dash, with the fonts that LaTeX has by itself
        (
            "1--2?`",
            r"{\text{1}\text{-}\text{-}\text{2?}\text{`}}",
        ),  # and these are another dash, and a question mark upside down
        ("\u91cd", r"\text{" + "\u91cd}"),
        ("\u0378", r"{\text{" + "\u0378}}"),  # what has no name in Unicode
    ],
)
def test_names_in_latex(name: str, want: str) -> None:
    assert latex_name(name) == want


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="no pdflatex here")
def test_any_name_and_number_compiles(tmp_path: Path) -> None:
    printable = "".join(map(chr, range(32, 127)))
    pieces = [printable[i : i + 8] for i in range(0, len(printable), 8)] + [f"x{c}y" for c in printable] + list(printable)
    labels = [name for name in names(*NASTY, *pieces) if name.isascii()]
    numbers: list[float | Fraction] = [
        math.inf,
        -math.inf,
        math.nan,
        -0.0,
        1e-300,
        -1.5e9,
        Fraction(-3, 4),
        Fraction(10) ** 400,
    ]
    formulas = [*(latex_name(name) for name in labels), *(latex_number(x) for x in numbers)]
    compiled(tmp_path, "\n".join(rf"\[ \left({formula}\right)^{{2}} \]" for formula in formulas))


def test_labels_of_strangers_are_text_in_every_output() -> None:
    pytest.importorskip("latex2mathml", reason="the page's formulas need latex2mathml: pip install '.[html]'")
    pytest.importorskip("pygraphviz", reason="DOT is read by pygraphviz: pip install '.[svg]'")
    numbers = random.Random(0)  # noqa: S311  # no secret
    for k in range(6):
        labels = strangers.some_labels(numbers, 10)
        strangers.check_labels(labels, (*strangers.CHEAP, *(strangers.DEAR if k % 3 == 0 else ())))


def exactly(text: str) -> Fraction:
    mantissa, _, exponent = text.partition("e")
    return Fraction(mantissa) * Fraction(10) ** int(exponent or 0)


@given(
    st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.fractions(), st.integers(0, 999).map(Fraction(3, 7).__pow__))
)
def test_a_number_is_shown_to_six_digits(x: float | Fraction) -> None:
    text = number_text(x)
    assert len(text) <= len("-123456789/123456789")
    assert abs(exactly(text) - Fraction(x)) <= abs(Fraction(x)) * Fraction(5, 10**6)


@pytest.mark.parametrize(
    ("x", "text", "latex"),
    [
        (2.0, "2", "2"),
        (-0.0, "-0", "-0"),
        (123456789.0, "123456789", "123456789"),
        (1e9, "1e+09", r"1 \cdot 10^{9}"),
        (0.1 + 0.2, "0.3", "0.3"),
        (1 / 3, "0.333333", "0.333333"),
        (-1.5e-9, "-1.5e-09", r"-1.5 \cdot 10^{-9}"),
        (math.inf, "inf", r"\infty"),
        (-math.inf, "-inf", r"-\infty"),
        (math.nan, "nan", r"\text{nan}"),
        (1, "1", "1"),
        (Fraction(-3, 4), "-3/4", r"-\frac{3}{4}"),
        (Fraction(10**12 + 1, 3), "3.33333e+11", r"3.33333 \cdot 10^{11}"),
        (Fraction(1, 10**400), "1e-400", r"1 \cdot 10^{-400}"),
        (-(Fraction(2) ** 10**6), "-9.90066e+301029", r"-9.90066 \cdot 10^{301029}"),
    ],
)
def test_numbers_by_hand(x: float | Fraction, text: str, latex: str) -> None:
    assert (number_text(x), latex_number(x)) == (text, latex)


def test_a_very_long_number_takes_no_time_and_meets_no_limit_of_python() -> None:
    assert sys.get_int_max_str_digits() > 0
    assert number_text(Fraction(7) ** 10**6) == "1.09651e+845098"
    assert number_text(Fraction(1, 7**10**6)) == "9.11981e-845099"


def test_lists_and_letters() -> None:
    assert listed(["w"]) == "w"
    assert listed(list("abcdef")) == "a, b, c, d, e and f"
    assert listed(list("abcdefg")) == "a, b, c, d, e and 2 more"
    assert free_letters(["u"], "uv", "rs") == "rs"
    assert free_letters(["u", "r"], "uv", "rs") == "rs"
    assert free_letters(["v", "r"], "vab", "vpq", "rst") == "rst"


ALIKE = [
    ("x1", "x_1"),
    ("x_1", "x1"),
    ("alpha", "\N{GREEK SMALL LETTER ALPHA}"),
    ("W1[0,2]", "W1_0[2]"),
    ("z_1", ""),
    ("x1", "x_1", "x1#2", "x_1#2", "x1", "x_1"),
]


@pytest.mark.parametrize("labels", ALIKE)
def test_names_that_print_alike_in_one_output_stay_distinct_in_all(labels: tuple[str, ...]) -> None:
    leaves = [Value(float(i + 2), label) for i, label in enumerate(labels)]
    output = leaves[0]
    for leaf in leaves[1:]:
        output = output * leaf
    names = named(topological_order(output)).values()
    for shown in (str, text_name, latex_name):
        assert len(set(map(shown, names))) == len(names)
    assert next(iter(names)) == labels[0], "the first keeps its label"
