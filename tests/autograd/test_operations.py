"""Every row of the table against mpmath at 50 digits, SymPy and NumPy; the conventions at kinks and edges one by one.

The tests iterate over `OPERATIONS`: a new row is tested by being there, against mpmath's function of the same name.
"""

from __future__ import annotations

import copy
import math
import pickle
from fractions import Fraction
from functools import partial
from typing import Any

import mpmath
import numpy as np
import paper
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from peers import jax_of_doubles

from autograd import Value, grad, topological_order
from autograd.modules import arithmetic
from autograd.operations import CONSTANT, FLOATS, LEAF, OPERATIONS, Arithmetic, Operation
from autograd.recording import record

ROWS = pytest.mark.parametrize("name", OPERATIONS)
INF, NAN = math.inf, math.nan


MP, SLOPES = paper.values(mpmath.mp), paper.slopes(mpmath.mp)


class Flat(sympy.Function):  # type: ignore[misc]  # SymPy has no types
    """SymPy's floor, with the derivative that SymPy leaves open."""

    def fdiff(self, argindex: int = 1) -> Any:  # noqa: ARG002  # as SymPy calls it
        return sympy.Integer(0)

    @classmethod
    def eval(cls, x: Any) -> Any:
        return sympy.floor(x) if x.is_number else None


SYMPY: dict[str, Any] = {
    "sinc": lambda a: sympy.sinc(sympy.pi * a),
    "mod": lambda a, b: a - b * Flat(a / b),
    "fmod": lambda a, b: a - b * Flat(a / b),  # of positive numbers
    "hypot": lambda a, b: sympy.sqrt(a * a + b * b),
    "exp2": lambda a: 2**a,
    "expm1": lambda a: sympy.exp(a) - 1,
    "log2": lambda a: sympy.log(a) / math.log(2),
    "log10": lambda a: sympy.log(a) / math.log(10),
    **{f"arc{name}": getattr(sympy, f"a{name}") for name in ("sin", "cos", "tan", "tan2", "sinh", "cosh", "tanh")},
    "ceil": sympy.ceiling,
    "trunc": lambda a: sympy.sign(a) * sympy.floor(sympy.Abs(a)),
    "rint": lambda a: Flat(a + sympy.Rational(1, 2)),
    "logical_and": sympy.And,
    "where": lambda c, a, b: sympy.Piecewise((a, c), (b, True)),
    "mul": lambda a, b: a * b,
    "div": lambda a, b: sympy.sympify(a) / b,
    "pow": sympy.Pow,
    "neg": lambda a: -a,
    "abs": sympy.Abs,
    "log1p": lambda a: sympy.log(1 + a),
    "maximum": sympy.Max,
    "minimum": sympy.Min,
    "heaviside": sympy.Heaviside,
}
SYMBOLIC = Arithmetic(
    lambda row: (
        SYMPY.get(row.name) or (None if row.formula else row.array if callable(row.array) else getattr(sympy, row.name))
    ),
    zeros_like=lambda a: sympy.Integer(0),
)
ARRAYS = arithmetic(np)


def exact(name: str) -> Any:
    return MP[name]


def recorded(rule: Operation) -> Any:
    """The operation of a rule on Values, whether or not it has a name or an operator."""
    return partial(record, Value, rule)


def points(rule: Operation) -> st.SearchStrategy[tuple[float, ...]]:
    """Points of the domain away from zero and from ties, where kinks are."""
    inside = st.tuples(*(st.floats(*interval).map(lambda x: round(x, 6)) for interval in rule.domain))
    smooth = inside.filter(lambda at: 0 not in at and len(set(at)) == len(at))
    if rule.name in ("floor", "ceil", "trunc", "rint"):
        return smooth.filter(lambda at: abs(2 * at[0] - round(2 * at[0])) > 1e-3)
    if rule.name in ("mod", "fmod"):
        return smooth.filter(lambda at: abs(at[0] / at[1] - round(at[0] / at[1])) > 1e-3)
    return smooth


def close(got: float, want: Any, relative: float = 1e-13) -> bool:
    return bool(abs(got - want) <= relative * max(1e-2, abs(want)))


def same(got: Any, want: float, ulps: int = 2) -> bool:
    if not math.isfinite(want):
        return math.isnan(got) if math.isnan(want) else bool(got == want)
    return bool(abs(got - want) <= ulps * math.ulp(want))


@ROWS
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_forward_and_partials_are_mpmaths(name: str, data: st.DataObject) -> None:
    rule = OPERATIONS[name]
    at = data.draw(points(rule))
    out = rule.forward(*at)
    partials = rule.partials(FLOATS, out, *at)
    with mpmath.workdps(50):
        exactly = tuple(map(mpmath.mpf, at))
        assert close(out, exact(name)(*exactly))
        assert len(partials) == len(at) == len(rule.domain)
        for position, got in enumerate(partials):
            order = tuple(int(i == position) for i in range(len(at)))
            want = mpmath.diff(exact(name), exactly, order)
            assert close(got, want)
            assert close(SLOPES[name](exact(name)(*exactly), *exactly)[position], want)  # the formula on paper


@ROWS
def test_values_and_gradients_are_jaxs(name: str) -> None:
    rule, rng = OPERATIONS[name], np.random.default_rng(0)
    with jax_of_doubles() as jax:
        spelled: dict[str, Any] = {
            "softsign": jax.nn.soft_sign,
            "gelu": partial(jax.nn.gelu, approximate=False),
            "total": lambda *xs: sum(xs),
            "dot": lambda a, b, c, d: a * c + b * d,
            "logsumexp": lambda *xs: jax.nn.logsumexp(jax.numpy.stack(xs)),
            "where": lambda c, a, b: jax.numpy.where(c != 0, a, b),
        }
        homes = (jax.numpy, jax.nn, jax.scipy.special, jax.lax)
        theirs = spelled.get(name) or next(getattr(home, name) for home in homes if hasattr(home, name))
        slopes = jax.value_and_grad(lambda at: 1.0 * theirs(*at))  # a comparison gives a bool
        for _ in range(5):
            at = [float(rng.uniform(*interval)) for interval in rule.domain]
            leaves = [Value(x) for x in at]
            out = record(Value, rule, *leaves)
            want = slopes(at)
            assert close(out.data, float(want[0]))
            assert all(map(close, grad(out, leaves), map(float, want[1])))


@pytest.mark.parametrize("name", [name for name, row in OPERATIONS.items() if not (row.selects and row.formula is None)])
def test_partials_are_sympys_derivatives_of_the_forward(name: str) -> None:
    rule, letters = OPERATIONS[name], sympy.symbols("a b c d", real=True)[: len(OPERATIONS[name].domain)]
    out = sympy.sympify(getattr(SYMBOLIC, name)(*letters))
    corners = [low + (high - low) * share for (low, high), share in zip(rule.domain, (0.35, 0.8, 0.2, 0.6), strict=False)]
    for ats in (corners, [x / 2 + 0.06 for x in corners], [high * 0.9 - i for i, (_, high) in enumerate(rule.domain)]):
        at = dict(zip(letters, map(sympy.Rational, ats), strict=True))
        for symbol, slope in zip(letters, rule.partials(SYMBOLIC, out, *letters), strict=True):
            difference = (sympy.diff(out, symbol) - slope).subs(at)
            rounded = sympy.sympify(slope).has(sympy.Float) or out.has(sympy.Float)  # such as pi, in a row a float
            assert abs(sympy.N(difference, 30, maxn=500)) < (1e-14 if rounded else 1e-25)


@ROWS
def test_numpys_table_is_the_scalar_table_element_by_element(name: str) -> None:
    rule = OPERATIONS[name]
    special = [0.0, -0.0, 1.0, -2.0, INF, NAN]
    if len(rule.domain) <= 2:
        special += [-1.0, 2.0, 0.5, 1e-9, 800.0, -800.0, -INF]
    steps = 11 - 2 * len(rule.domain)
    inputs = np.array(np.meshgrid(*[special + list(np.linspace(*interval, steps)) for interval in rule.domain]))
    scalars = list(zip(*(row.ravel().tolist() for row in inputs), strict=True))
    outs = np.array([rule.forward(*at) for at in scalars], dtype=float)
    with np.errstate(all="ignore"):
        spread = [np.array(at, dtype=float) for at in zip(*scalars, strict=True)]
        ulps = [16 if name == "logsumexp" else 2] * len(outs)  # two roundings more, and a sum that may cancel
        assert all(map(same, getattr(ARRAYS, name)(*spread).tolist(), outs.tolist(), ulps))
        for position, partial in enumerate(rule.partials(ARRAYS, outs, *spread)):
            scalar = [rule.partials(FLOATS, out, *at)[position] for out, at in zip(outs.tolist(), scalars, strict=True)]
            assert all(map(same, np.broadcast_to(partial, outs.shape).tolist(), scalar))


@pytest.mark.parametrize("name", ["sigmoid", "softplus"])
@given(at=st.one_of(st.floats(-1e3, 1e3), st.sampled_from([-745.13, -740.0, -708.4, -36.7, -1e-9, 0.0, 1e-300, 36.7, 709.8])))
def test_sigmoid_and_softplus_keep_all_their_digits(name: str, at: float) -> None:
    got = OPERATIONS[name].forward(at)
    with mpmath.workdps(50):
        want = MP[name](mpmath.mpf(at)) if at > -100 else mpmath.exp(at)  # both are e**a there, to 40 digits
        assert abs(got - want) <= 4 * math.ulp(got)


CONVENTIONS = [
    # name, inputs, value, partials
    ("relu", (0.0,), 0.0, (0,)),
    ("relu", (-0.0,), 0.0, (0,)),
    ("relu", (NAN,), NAN, (NAN,)),
    ("abs", (0.0,), 0.0, (0,)),
    ("abs", (-0.0,), 0.0, (0,)),
    ("maximum", (2.0, 2.0), 2.0, (0.5, 0.5)),
    ("minimum", (2.0, 2.0), 2.0, (0.5, 0.5)),
    ("maximum", (INF, INF), INF, (0.5, 0.5)),
    ("minimum", (-INF, -INF), -INF, (0.5, 0.5)),
    ("maximum", (INF, 1.0), INF, (1, 0)),
    ("maximum", (1.0, NAN), NAN, (NAN, NAN)),
    ("sqrt", (0.0,), 0.0, (INF,)),
    ("sqrt", (-0.0,), -0.0, (INF,)),
    ("sqrt", (-1.0,), NAN, (NAN,)),
    ("log", (0.0,), -INF, (INF,)),
    ("log", (-0.0,), -INF, (INF,)),
    ("log", (-1.0,), NAN, (NAN,)),
    ("pow", (0.0, 0.0), 1.0, (0, 0)),
    ("pow", (0.0, 1.0), 0.0, (1, 0)),
    ("pow", (0.0, 2.0), 0.0, (0, 0)),
    ("pow", (0.0, 0.5), 0.0, (INF, 0)),
    ("pow", (-2.0, 3.0), -8.0, (12, NAN)),
    ("pow", (-2.0, 0.0), 1.0, (0, NAN)),
    ("pow", (-8.0, 1 / 3), NAN, (NAN, NAN)),
    ("div", (1.0, 0.0), INF, (INF, -INF)),
    ("div", (0.0, 0.0), NAN, (INF, NAN)),
    ("exp", (1000.0,), INF, (INF,)),
    ("sigmoid", (INF,), 1.0, (0,)),
    ("sigmoid", (-INF,), 0.0, (0,)),
    ("softplus", (-INF,), 0.0, (0,)),
    ("softplus", (INF,), INF, (1,)),
    ("exp", (INF,), INF, (INF,)),
    ("exp", (-INF,), 0.0, (0,)),
    ("log", (INF,), INF, (0,)),
    ("sqrt", (INF,), INF, (0,)),
    ("sin", (INF,), NAN, (NAN,)),
    ("cos", (-INF,), NAN, (NAN,)),
    ("tanh", (INF,), 1.0, (0,)),
    ("tanh", (-INF,), -1.0, (0,)),
    ("abs", (-INF,), INF, (-1,)),
    ("relu", (INF,), INF, (1,)),
    ("relu", (-INF,), 0.0, (0,)),
    ("add", (INF, -INF), NAN, (1, 1)),
    ("sub", (INF, INF), NAN, (1, -1)),
    ("mul", (INF, 0.0), NAN, (0, INF)),
    ("mul", (1e200, 1e200), INF, (1e200, 1e200)),
    ("div", (1.0, -0.0), -INF, (-INF, -INF)),
    ("div", (1.0, INF), 0.0, (0, 0)),
    ("div", (INF, INF), NAN, (0, NAN)),
    ("div", (-INF, 2.0), -INF, (0.5, INF)),
    ("pow", (0.0, -1.0), INF, (-INF, -INF)),
    ("pow", (2.0, INF), INF, (INF, INF)),
    ("pow", (INF, 2.0), INF, (INF, INF)),
    ("pow", (INF, 0.0), 1.0, (0, INF)),
    ("pow", (NAN, 1.0), NAN, (1, NAN)),
    ("pow", (10.0, 400.0), INF, (INF, INF)),
    ("minimum", (NAN, 1.0), NAN, (NAN, NAN)),
    ("minimum", (-INF, 1.0), -INF, (1, 0)),
    ("logaddexp", (2.0, 2.0), 2 + math.log(2), (0.5, 0.5)),
    ("logaddexp", (1e3, -1e3), 1e3, (1, 0)),
    ("logaddexp", (INF, INF), INF, (0.5, 0.5)),
    ("logaddexp", (-INF, -INF), -INF, (0.5, 0.5)),
    ("logaddexp", (-INF, INF), INF, (0, 1)),
    ("logaddexp", (-INF, 1.0), 1.0, (0, 1)),
    ("logaddexp", (1.0, NAN), NAN, (NAN, NAN)),
    ("pow", (5e-324, 0.0), 1.0, (0, math.log(5e-324))),
    ("pow", (5e-324, 1.0), 5e-324, (1, 5e-324 * math.log(5e-324))),
    ("pow", (INF, 0.0), 1.0, (0, INF)),
    ("relu", (NAN,), NAN, (NAN,)),
    ("mod", (-5.0, 3.0), 1.0, (1, 2)),
    ("mod", (5.0, -3.0), -1.0, (1, 2)),
    ("mod", (6.0, 3.0), 0.0, (1, -2)),
    ("mod", (1.0, 0.0), NAN, (1, NAN)),
    ("mod", (INF, 2.0), NAN, (1, NAN)),
    ("fmod", (-5.0, 3.0), -2.0, (1, 1)),
    ("square", (1e200,), INF, (2e200,)),
    ("reciprocal", (0.0,), INF, (-INF,)),
    ("reciprocal", (INF,), 0.0, (0,)),
    ("cbrt", (0.0,), 0.0, (INF,)),
    ("cbrt", (-8.0,), -2.0, (1 / 12,)),
    ("cbrt", (INF,), INF, (0,)),
    ("hypot", (0.0, 0.0), 0.0, (0, 0)),
    ("hypot", (INF, 1.0), INF, (1, 0)),
    ("hypot", (1.0, -INF), INF, (0, -1)),
    ("hypot", (INF, INF), INF, (NAN, NAN)),
    ("hypot", (1e300, 1e300), math.sqrt(2) * 1e300, (math.sqrt(0.5), math.sqrt(0.5))),
    ("hypot", (3e-320, 4e-320), 5e-320, (0.6, 0.8)),
    ("exp2", (2000.0,), INF, (INF,)),
    ("exp2", (-INF,), 0.0, (0,)),
    ("expm1", (1e-20,), 1e-20, (1,)),
    ("expm1", (-50.0,), -1.0, (math.exp(-50),)),
    ("expm1", (-INF,), -1.0, (0,)),
    ("log1p", (1e-20,), 1e-20, (1,)),
    ("log1p", (-1.0,), -INF, (INF,)),
    ("log2", (-0.0,), -INF, (INF,)),
    ("log10", (-1.0,), NAN, (NAN,)),
    ("tan", (INF,), NAN, (NAN,)),
    ("arcsin", (1.0,), math.pi / 2, (INF,)),
    ("arcsin", (1.5,), NAN, (NAN,)),
    ("arcsin", (1 - 2.0**-53,), math.asin(1 - 2.0**-53), (2.0**26,)),
    ("arccos", (-1.0,), math.pi, (-INF,)),
    ("arccos", (INF,), NAN, (NAN,)),
    ("arctan", (INF,), math.pi / 2, (0,)),
    ("arctan", (1e160,), math.pi / 2, (1e-320,)),
    ("arctan2", (0.0, 0.0), 0.0, (NAN, NAN)),
    ("arctan2", (0.0, -1.0), math.pi, (-1, 0)),
    ("arctan2", (1.0, INF), 0.0, (0, 0)),
    ("arctan2", (INF, 1.0), math.pi / 2, (0, 0)),
    ("arctan2", (3e200, 4e200), math.atan2(3, 4), (1.6e-201, -1.2e-201)),
    ("sinh", (1000.0,), INF, (INF,)),
    ("cosh", (-INF,), INF, (-INF,)),
    ("arcsinh", (1e200,), math.asinh(1e200), (1e-200,)),
    ("arcsinh", (-INF,), -INF, (0,)),
    ("arccosh", (1.0,), 0.0, (INF,)),
    ("arccosh", (0.5,), NAN, (NAN,)),
    ("arccosh", (-2.0,), NAN, (NAN,)),
    ("arccosh", (INF,), INF, (0,)),
    ("arctanh", (1.0,), INF, (INF,)),
    ("arctanh", (-1.0,), -INF, (INF,)),
    ("arctanh", (2.0,), NAN, (NAN,)),
    ("arctanh", (-INF,), NAN, (NAN,)),
    ("erf", (-INF,), -1.0, (0,)),
    ("erfc", (27.0,), math.erfc(27), (-2 / math.sqrt(math.pi) * math.exp(-729),)),
    ("sinc", (0.0,), 1.0, (0,)),
    ("sinc", (1e-9,), 1.0, (-(math.pi**2) / 3 * 1e-9,)),
    ("sinc", (INF,), NAN, (NAN,)),
    ("softsign", (-INF,), -1.0, (0,)),
    ("softsign", (0.0,), 0.0, (1,)),
    ("leaky_relu", (0.0,), 0.0, (0.01,)),
    ("leaky_relu", (-INF,), -INF, (0.01,)),
    ("leaky_relu", (NAN,), NAN, (NAN,)),
    ("elu", (0.0,), 0.0, (1,)),
    ("elu", (-INF,), -1.0, (0,)),
    ("elu", (INF,), INF, (1,)),
    ("gelu", (INF,), INF, (1,)),
    ("gelu", (-INF,), 0.0, (0,)),
    ("gelu", (-40.0,), 0.0, (0,)),
    ("silu", (-INF,), 0.0, (0,)),
    ("silu", (INF,), INF, (1,)),
    ("clip", (0.0, 0.0, 1.0), 0.0, (0, 1, 0)),
    ("clip", (1.0, 0.0, 1.0), 1.0, (0, 0, 1)),
    ("clip", (0.5, 0.0, 1.0), 0.5, (1, 0, 0)),
    ("clip", (0.5, 2.0, 1.0), 1.0, (0, 0, 1)),
    ("clip", (-INF, 0.0, 1.0), 0.0, (0, 1, 0)),
    ("clip", (NAN, 0.0, 1.0), NAN, (NAN, NAN, NAN)),
    ("where", (1.0, 2.0, INF), 2.0, (0, 1, 0)),
    ("where", (0.0, NAN, 3.0), 3.0, (0, 0, 1)),
    ("where", (NAN, 2.0, 3.0), 2.0, (0, 1, 0)),
    ("logsumexp", (INF, INF, 0.0), INF, (0.5, 0.5, 0)),
    ("logsumexp", (-INF, -INF, -INF), -INF, (1 / 3, 1 / 3, 1 / 3)),
    ("logsumexp", (0.0, -50.0, -800.0), math.exp(-50), (1, math.exp(-50), 0)),
    ("logsumexp", (NAN, 1.0, 1.0), NAN, (NAN, NAN, NAN)),
    ("rint", (2.5,), 2.0, (0,)),
    ("rint", (INF,), INF, (0,)),
    ("floor", (-0.5,), -1.0, (0,)),
    ("floor", (NAN,), NAN, (0,)),
    ("ceil", (2.0,), 2.0, (0,)),
    ("trunc", (-1.5,), -1.0, (0,)),
    ("less", (1.0, 1.0), 0.0, (0, 0)),
    ("less_equal", (1.0, 1.0), 1.0, (0, 0)),
    ("not_equal", (NAN, NAN), 1.0, (0, 0)),
    ("equal", (0.0, -0.0), 1.0, (0, 0)),
]


@pytest.mark.parametrize(("name", "inputs", "value", "partials"), CONVENTIONS)
def test_kinks_and_edges(name: str, inputs: tuple[float, ...], value: float, partials: tuple[float, ...]) -> None:
    rule, leaves = OPERATIONS[name], [Value(x) for x in inputs]
    output = recorded(rule)(*leaves)
    assert same(output.data, value)
    assert all(map(same, rule.partials(FLOATS, output.data, *inputs), partials))
    output.backward()
    assert all(map(same, [leaf.grad for leaf in leaves], partials))
    assert all(map(same, grad(output, leaves), partials))
    assert all(map(same, [slope.data for slope in grad(output, leaves, create_graph=True)], partials))


COMPARISONS = ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "logical_and")


@ROWS
def test_nan_comes_through(name: str) -> None:
    inputs = (NAN, 2.0, 3.0, 4.0)[: len(OPERATIONS[name].domain)]
    if name in COMPARISONS:  # a nan is unlike anything, and not 0
        assert OPERATIONS[name].forward(*inputs) == (name in ("not_equal", "logical_and"))
        return
    out = OPERATIONS[name].forward(*inputs)
    slopes = dict(zip("abcd", OPERATIONS[name].partials(FLOATS, out, *inputs), strict=False))
    known = {"add": {"a": 1, "b": 1}, "sub": {"a": 1, "b": -1}, "mul": {"a": 2.0}, "div": {"a": 0.5}, "neg": {"a": -1}}
    known |= {"sign": {"a": 0}, "heaviside": {"a": 0, "b": 0}, "deg2rad": {"a": math.pi / 180}, "rad2deg": {"a": 180 / math.pi}}
    known |= {"total": {"a": 1, "b": 1, "c": 1}, "dot": {"a": 3.0, "b": 4.0, "d": 2.0}, "mod": {"a": 1}, "fmod": {"a": 1}}
    known |= {name: {"a": 0} for name in ("floor", "ceil", "trunc", "rint")} | {"where": {"a": 0, "b": 1, "c": 0}}
    assert math.isnan(out) or name == "where"
    assert {k: slope for k, slope in slopes.items() if not math.isnan(slope)} == known.get(name, {})


def test_relu_of_either_zero_is_plus_zero() -> None:
    assert [math.copysign(1, Value(zero).relu().data) for zero in (0.0, -0.0)] == [1, 1]


def test_x_to_the_x_adds_both_roads() -> None:
    x = Value(2.0)
    want = 4 * (math.log(2) + 1)
    assert grad(x**x, x) == pytest.approx(want, rel=1e-15)
    assert grad(x**x, x, create_graph=True).data == pytest.approx(want, rel=1e-15)


def second(name: str, inputs: tuple[float, ...], first: int, then: int) -> float:
    leaves = [Value(x) for x in inputs]
    output = recorded(OPERATIONS[name])(*leaves)
    return float(grad(grad(output, leaves[first], create_graph=True), leaves[then]))


@pytest.mark.parametrize(
    ("name", "inputs", "first", "then", "want"),
    [
        ("relu", (0.0,), 0, 0, 0.0),
        ("abs", (0.0,), 0, 0, 0.0),
        ("maximum", (2.0, 2.0), 0, 1, 0.0),
        ("pow", (0.0, 2.0), 0, 0, 2.0),
        ("pow", (0.0, 1.0), 0, 0, 0.0),
        ("pow", (2.0, 0.0), 1, 0, 0.5),
        ("pow", (2.0, 0.0), 1, 1, math.log(2) ** 2),
        ("pow", (5e-324, 0.0), 0, 0, 0.0),
        ("pow", (5e-324, 1.0), 0, 0, 0.0),
        ("arcsin", (1.0,), 0, 0, INF),
        ("arccos", (1.0,), 0, 0, -INF),
        ("arccosh", (1.0,), 0, 0, -INF),
        ("arctanh", (-1.0,), 0, 0, -INF),
        ("arctanh", (2.0,), 0, 0, NAN),
        ("log", (-1.0,), 0, 0, NAN),
        ("arctan", (1e100,), 0, 0, -2e-300),
        ("arctan", (INF,), 0, 0, 0.0),
        ("arcsinh", (-INF,), 0, 0, 0.0),
        ("erf", (INF,), 0, 0, 0.0),
        ("erfc", (-INF,), 0, 0, 0.0),
        ("cbrt", (INF,), 0, 0, 0.0),
        ("sinc", (0.0,), 0, 0, -(math.pi**2) / 3),
        ("hypot", (0.0, 0.0), 0, 1, 0.0),
        ("hypot", (INF, 1.0), 1, 1, 0.0),
        ("elu", (0.0,), 0, 0, 0.0),
        ("gelu", (-INF,), 0, 0, 0.0),
        ("silu", (INF,), 0, 0, 0.0),
        ("clip", (1.0, 0.0, 1.0), 0, 0, 0.0),
        ("logsumexp", (-INF, 1.0, 1.0), 1, 2, -0.25),
    ],
)
def test_second_derivatives_at_kinks_and_edges(
    name: str, inputs: tuple[float, ...], first: int, then: int, want: float
) -> None:
    assert same(second(name, inputs, first, then), want, 4)


def test_the_slope_of_softplus_is_recorded_as_one_sigmoid() -> None:
    x = Value(0.5)
    slope = grad(x.softplus(), x, create_graph=True)
    assert [node.operation.name for node in topological_order(slope)] == ["constant", "leaf", "sigmoid", "mul"]


def test_mixed_second_derivative_of_a_power_at_exponent_zero() -> None:
    assert second("pow", (2.0, 0.0), 0, 1) == 0.5  # d/db of b * a**(b - 1), the same as in the other order


@pytest.mark.parametrize("name", ["sqrt", "log"])
def test_second_derivatives_at_zero_are_infinite_by_continuity(name: str) -> None:
    assert second(name, (0.0,), 0, 0) == -INF


@pytest.mark.parametrize("rule", [*OPERATIONS.values(), LEAF, CONSTANT], ids=lambda rule: rule.name)
def test_a_copied_rule_is_the_same_rule(rule: Operation) -> None:
    assert copy.deepcopy(rule) is copy.copy(rule) is rule
    assert pickle.loads(pickle.dumps(rule)) is rule  # noqa: S301 (bytes of our own)


def test_names_and_symbols_say_which_row() -> None:
    assert [name for name, rule in OPERATIONS.items() if name != rule.name] == []
    assert all(rule.arity in (None, len(rule.domain)) for rule in OPERATIONS.values())
    signs = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**", "neg": "-", "mod": "%", "logical_and": "and"}
    signs |= {"less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==", "not_equal": "!="}
    assert [rule.symbol for rule in OPERATIONS.values()] == [signs.get(name, name) for name in OPERATIONS]


RATIONAL = [
    *("add", "sub", "mul", "div", "neg", "abs", "relu", "maximum", "minimum", "square", "reciprocal", "mod", "fmod", "where"),
    *("clip", "total", "dot", "floor", "ceil", "trunc", "rint"),
]


@pytest.mark.parametrize("name", RATIONAL)
def test_rational_rows_stay_in_the_fractions(name: str) -> None:
    rule = OPERATIONS[name]
    at = (Fraction(-2, 3), Fraction(5, 7), Fraction(1, 9), Fraction(8))[: len(rule.domain)]
    out = rule.forward(*at)
    assert type(out) is Fraction
    assert all(isinstance(partial, int | Fraction) for partial in rule.partials(FLOATS, out, *at))
    if len(at) == 2:
        out = rule.forward(at[0], at[0])
        assert all(isinstance(partial, int | Fraction) for partial in rule.partials(FLOATS, out, at[0], at[0]))  # a tie
