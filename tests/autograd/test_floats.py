"""The numbers of `floats` against NumPy's float64, special values and signs of zero included; Fractions stay exact."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from autograd import floats
from autograd.operations import FLOATS

SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, -0.5, -2.0, 2.0, 3.0, -3.0, math.inf, -math.inf, math.nan)
EXTREME = (1e308, -1e308, 5e-324, -5e-324, 1e16, 709.0, 710.0, -745.0, -746.0, 2.0**53 + 2)
GRID = SPECIAL + EXTREME
ARCS = ("arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh")
MORE = ("tan", "sinh", "cosh", "exp2", "expm1", "log2", "log10", "cbrt", "square", "reciprocal")
ROUNDINGS = ("floor", "ceil", "trunc", "rint")
UNARY = ("exp", "log", "log1p", "sqrt", "sin", "cos", "tanh", "abs", "sign", "neg", *ARCS, *MORE, *ROUNDINGS)
NUMPYS = {"abs": "absolute", "neg": "negative", "div": "divide", "pow": "power"}
BINARY = ("div", "pow", "maximum", "minimum", "heaviside", "hypot", "arctan2", "mod", "fmod")


def same(got: float, want: float, ulps: int = 2) -> bool:
    """Equal with the sign of zero, both nan, or finite and a few units in the last place apart."""
    if math.isnan(want) or math.isinf(want) or want == 0:
        return math.isnan(got) if math.isnan(want) else got == want and math.copysign(1, got) == math.copysign(1, want)
    return abs(got - want) <= ulps * math.ulp(want)


def numpys(name: str, *inputs: float) -> float:
    with np.errstate(all="ignore"):
        return float(
            getattr(np, NUMPYS.get(name, name))(*(np.array([x]) for x in inputs))[0]
        )  # arrays: of scalars it takes x**0.5 for a sqrt


@pytest.mark.parametrize("name", UNARY)
def test_one_input_is_what_numpy_computes_at_every_special_value(name: str) -> None:
    wrong = [(a, got, numpys(name, a)) for a in GRID if not same(got := getattr(FLOATS, name)(a), numpys(name, a))]
    assert wrong == []


@pytest.mark.parametrize("name", BINARY)
def test_two_inputs_are_what_numpy_computes_at_every_pair_of_special_values(name: str) -> None:
    pairs = [(a, b) for a, b in product(GRID, GRID) if not (name in ("maximum", "minimum") and a == b == 0)]  # either zero
    wrong = [
        (a, b, got, numpys(name, a, b)) for a, b in pairs if not same(got := getattr(FLOATS, name)(a, b), numpys(name, a, b))
    ]
    assert wrong == []


@given(st.sampled_from(UNARY + BINARY), st.floats(), st.floats())
def test_any_two_floats_give_what_numpy_gives(name: str, a: float, b: float) -> None:
    inputs = (a,) if name in UNARY else (a, b)
    either_zero = name in ("maximum", "minimum") and a == b == 0
    huge_root = name == "pow" and a < 0 and not b.is_integer()  # the test below
    assume(not either_zero and not huge_root)
    assert same(getattr(FLOATS, name)(*inputs), numpys(name, *inputs), ulps=4)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (-8.0, 1 / 3),
        (-2.0, -0.5),
        (-5e-324, 0.5),
        (-1e300, 1.5),
        (-1e-300, -1.5),
    ],
)
def test_a_broken_power_of_a_negative_number_is_nan(a: float, b: float) -> None:
    assert math.isnan(floats.power(a, b))


@pytest.mark.parametrize(
    ("got", "want"),
    [
        (floats.divide(Fraction(1), Fraction(3)), Fraction(1, 3)),
        (floats.power(Fraction(2, 3), 3), Fraction(8, 27)),
        (floats.power(Fraction(2, 3), Fraction(-2)), Fraction(9, 4)),
        (floats.power(Fraction(-1), Fraction(10**400 + 1)), Fraction(-1)),
        (floats.power(Fraction(0), Fraction(10**400)), Fraction(0)),
        (FLOATS.maximum(Fraction(1, 3), Fraction(1, 2)), Fraction(1, 2)),
        (FLOATS.minimum(Fraction(1, 3), Fraction(1, 2)), Fraction(1, 3)),
        (FLOATS.abs(Fraction(-1, 3)), Fraction(1, 3)),
        (FLOATS.zeros_like(Fraction(1, 3)), Fraction(0)),
    ],
)
def test_fractions_stay_exact(got: Any, want: Fraction) -> None:
    assert type(got) is Fraction
    assert got == want


def test_a_large_power_of_a_fraction_stays_exact() -> None:
    got = floats.power(Fraction(7, 8), Fraction(10**6))
    assert isinstance(got, Fraction)
    assert (got.numerator, got.denominator) == (7**10**6, 8**10**6)  # as a Fraction it would be reduced again, for seconds


@pytest.mark.parametrize(
    ("got", "want"),
    [
        (floats.divide(Fraction(1), Fraction(0)), math.inf),
        (floats.divide(Fraction(-1), Fraction(0)), -math.inf),
        (floats.divide(Fraction(0), Fraction(0)), math.nan),
        (floats.divide(Fraction(1), -0.0), -math.inf),
        (floats.divide(Fraction(10) ** 400, -0.0), -math.inf),
        (floats.power(Fraction(0), Fraction(-1)), math.inf),
        (floats.power(Fraction(-8), Fraction(1, 3)), math.nan),
        (floats.power(Fraction(4), Fraction(1, 2)), 2.0),
        # exact, they would not end
        (floats.power(Fraction(1, 3), Fraction(10) ** 400), 0.0),
        (floats.power(Fraction(3), Fraction(10) ** 400), math.inf),
        (floats.power(Fraction(3, 2), Fraction(-(10**9))), 0.0),
        # no float could hold one of them
        (floats.power(0.5, Fraction(10) ** 400), 0.0),
        (floats.power(Fraction(10) ** 400, -0.5), 0.0),
        (floats.power(Fraction(10) ** 400, Fraction(-1, 2)), 0.0),
        (floats.exp(Fraction(10) ** 400), math.inf),
        (floats.exp(-(Fraction(10) ** 400)), 0.0),
        (FLOATS.sign(Fraction(-1, 3)), -1),
    ],
)
def test_fractions_without_an_exact_answer_give_the_float(got: float, want: float) -> None:
    assert same(got, want)


@pytest.mark.parametrize(
    ("name", "inputs", "want"),
    [
        ("div", (Fraction(10) ** 400, 2.0), math.inf),
        ("div", (2.0, Fraction(10) ** 400), 0.0),
        ("mul", (Fraction(10) ** 400, -0.5), -math.inf),
        ("mul", (0.0, Fraction(10) ** 400), math.nan),
        ("log", (Fraction(10) ** 400,), math.inf),
        ("sqrt", (Fraction(10) ** 400,), math.inf),
        ("log1p", (Fraction(10) ** 400,), math.inf),
        ("tanh", (Fraction(10) ** 400,), 1.0),
        ("tanh", (-(Fraction(10) ** 400),), -1.0),
    ],
)
def test_fractions_beyond_the_floats_act_as_infinities(name: str, inputs: tuple[Any, ...], want: float) -> None:
    assert same(getattr(FLOATS, name)(*inputs), want)


def test_where_chooses_either() -> None:
    assert (floats.where(True, 1, 2), floats.where(False, 1, 2)) == (1, 2)


@pytest.mark.parametrize("choose", [FLOATS.maximum, FLOATS.minimum])
def test_of_two_equal_numbers_it_is_the_first(choose: Any) -> None:
    assert [math.copysign(1, choose(*zeros)) for zeros in ((0.0, -0.0), (-0.0, 0.0))] == [1, -1]
    assert [type(choose(*twos)) for twos in ((Fraction(2), 2.0), (2.0, Fraction(2)))] == [Fraction, float]
