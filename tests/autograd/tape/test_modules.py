"""The tape on other modules' numbers: SymPy, mpmath, NumPy itself, JAX and Dask, each against what that module itself says."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product
from types import ModuleType, SimpleNamespace
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from programs import FUNCTIONS
from test_operations import exact

from autograd import Tape, Value, maximum, minimum
from autograd.modules import arithmetic, converted
from autograd.operations import OPERATIONS
from autograd.recording import record

ROWS = pytest.mark.parametrize("name", OPERATIONS)
SIDED = ("abs", "relu", "softplus")  # written with a distinction at zero
HALF, THIRD = Fraction(1, 2), Fraction(1, 3)
x, y = Value(2.0, "x"), Value(3.0, "y")


def tape_of(name: str) -> Tape:
    leaves = [Value(at, letter) for at, letter in zip((1.5, 0.5, 2.5, 0.25), "abcd", strict=True)][
        : len(OPERATIONS[name].domain)
    ]
    return Tape(record(Value, OPERATIONS[name], *leaves), leaves)


def inside(name: str, share: float) -> list[float]:
    """A point of the row's domain."""
    return [round(low + (high - low) * share / (k + 1), 3) for k, (low, high) in enumerate(OPERATIONS[name].domain)]


def everything(a: Any, b: Any) -> Any:
    """A function with many rows in it, of Values as of SymPy's and mpmath's numbers, given their functions."""
    return (a * b + 0.5).sin() * a.exp() / (b * b + 1) - (a - b).tanh() ** 2 + (a * a + b * b + 1).log().sqrt() * (b + 4) ** a


# --- SymPy


SYMPYS = [  # the rows that SymPy differentiates and simplifies by itself; test_operations has the others
    *(
        "add",
        "sub",
        "mul",
        "div",
        "pow",
        "neg",
        "abs",
        "exp",
        "log",
        "log1p",
        "sqrt",
        "sin",
        "cos",
        "tanh",
        "sigmoid",
        "softplus",
    ),
    *("relu", "maximum", "minimum", "logaddexp", "sign", "heaviside", "square", "reciprocal", "tan", "sinh", "cosh", "arcsin"),
    *("arccos", "arcsinh", "arccosh", "hypot", "exp2", "expm1", "log2", "log10", "erf", "erfc", "deg2rad", "rad2deg"),
    *("total", "dot", "silu", "softsign", "leaky_relu", "cbrt"),
]


@pytest.mark.parametrize("name", SYMPYS)
def test_sympy_says_that_every_rows_gradient_is_the_derivative(name: str) -> None:
    domain = OPERATIONS[name].domain
    sides = [{"positive": True}, {"negative": True}] if name in SIDED else [{"real": True}]
    for side in sides:
        letters = [
            sympy.Symbol(z, **({"positive": True} if low > 0 else side)) for z, (low, _) in zip("abcd", domain, strict=False)
        ]
        value, grads = tape_of(name).on(sympy)(letters)
        for letter, got in zip(letters, grads, strict=True):
            difference = sympy.diff(value, letter) - got
            if name in ("maximum", "minimum", "sign", "heaviside"):  # SymPy's own functions and a case distinction
                points = [dict(zip(letters, map(sympy.Rational, inside(name, s)), strict=True)) for s in (0.2, 0.9)]
                assert [difference.subs(point) for point in points] == [0, 0]
            else:
                assert sympy.simplify(difference) == 0


def test_sympys_gradient_is_a_formula() -> None:
    a, b = sympy.symbols("a b")
    value, (by_a, by_b) = Tape((x * y).sin() * x + y**3, [x, y]).on(sympy)([a, b])
    assert value == a * sympy.sin(a * b) + b**3
    assert by_a == sympy.sin(a * b) + a * b * sympy.cos(a * b)
    assert by_b == a**2 * sympy.cos(a * b) + 3 * b**2
    assert str(by_b) == "a**2*cos(a*b) + 3*b**2"


def test_sympys_whole_function_has_its_own_derivative() -> None:
    a, b = sympy.symbols("a b", positive=True)
    value, grads = Tape(everything(x, y), [x, y]).on(sympy)([a, b])
    at = {a: sympy.Rational(7, 10), b: sympy.Rational(6, 5)}
    for letter, got in zip((a, b), grads, strict=True):
        assert abs((sympy.diff(value, letter) - got).subs(at).evalf(40)) < 1e-30


def test_sympys_constants_stay_exact() -> None:
    a = sympy.Symbol("a")
    exact_ = Value(Fraction(2))
    value, (slope,) = Tape(exact_ * THIRD + exact_**2, exact_).on(sympy)([a])
    assert (value, slope) == (a**2 + a / 3, 2 * a + sympy.Rational(1, 3))
    value, (slope,) = Tape(x + y, [x]).on(sympy)([a])
    assert (value, slope, isinstance(slope, sympy.Basic)) == (a + 3, 1, True)


def test_sympy_takes_plain_numbers_too() -> None:
    a = sympy.Symbol("a")
    value, grads = Tape(x * y, [x, y]).on(sympy)([a, 2])
    assert (value, grads) == (2 * a, [2, a])
    value, grads = Tape(maximum(x, y), [x, y]).on(sympy)([sympy.Rational(1, 3), sympy.Rational(1, 4)])
    assert (value, grads) == (sympy.Rational(1, 3), [1, 0])
    value, grads = Tape(minimum(x, y), [x, y]).on(sympy)([a, a])
    assert (value, grads) == (a, [HALF, HALF])


# --- mpmath


@pytest.mark.parametrize("name", [name for name, row in OPERATIONS.items() if row.method or row.symbol.isidentifier()][:-1])
@pytest.mark.parametrize("share", [0.15, 0.6, 0.95])
def test_mpmath_has_50_digits_of_every_row(name: str, share: float) -> None:
    with mpmath.workdps(50):
        at = list(map(mpmath.mpf, inside(name, share)))
        value, grads = tape_of(name).on(mpmath)(at)
        close(value, exact(name)(*at))
        for k, got in enumerate(grads):
            with mpmath.workdps(120):
                want = mpmath.diff(exact(name), tuple(at), tuple(int(i == k) for i in range(len(at))))
            close(got, want)


def close(got: Any, want: Any) -> None:
    assert isinstance(got, mpmath.mpf)
    assert abs(got - want) <= mpmath.mpf(10) ** -46 * max(1, abs(want)), (got, want)


def test_mpmath_has_50_digits_of_a_whole_function() -> None:
    def written(a: Any, b: Any) -> Any:
        m = mpmath
        first = m.sin(a * b + HALF.numerator / m.mpf(2)) * m.exp(a) / (b * b + 1)
        return first - m.tanh(a - b) ** 2 + m.sqrt(m.log(a * a + b * b + 1)) * (b + 4) ** a

    with mpmath.workdps(50):
        at = (mpmath.mpf(7) / 10, mpmath.mpf(6) / 5)
        value, grads = Tape(everything(x, y), [x, y]).on(mpmath)(at)
        close(value, written(*at))
        for k, got in enumerate(grads):
            with mpmath.workdps(150):
                want = mpmath.diff(written, at, (1 - k, k))
            close(got, want)


def test_mpmaths_constants_and_trivial_gradients_are_mpmaths() -> None:
    exact_ = Value(Fraction(2))
    with mpmath.workdps(50):
        value, (slope,) = Tape(exact_ * THIRD, exact_).on(mpmath)([mpmath.mpf(1)])
        close(value, mpmath.mpf(1) / 3)
        close(slope, mpmath.mpf(1) / 3)
        _, slopes = Tape(x + y - 1, [x, y]).on(mpmath)([mpmath.mpf(1), mpmath.mpf(2)])
        for slope in slopes:
            close(slope, mpmath.mpf(1))


def test_at_a_tie_each_gets_half_and_at_a_kink_none_in_mpmath_too() -> None:
    one, zero = mpmath.mpf(1), mpmath.mpf(0)
    assert Tape(maximum(x, y), [x, y]).on(mpmath)([one, one]) == (1, [0.5, 0.5])
    assert Tape(minimum(x, y), [x, y]).on(mpmath)([one, one]) == (1, [0.5, 0.5])
    assert Tape(minimum(x, y), [x, y]).on(mpmath)([one, one * 2]) == (1, [1, 0])
    assert Tape(x.relu() + abs(x), x).on(mpmath)([zero]) == (0, [0])
    assert Tape(x.relu() + abs(x), x).on(mpmath)([-one]) == (1, [-1])


# --- NumPy itself, JAX, Dask


def numbers_of(tape: Tape, module: Any, inputs: list[Any]) -> list[Any]:
    value, grads = tape.on(module)(inputs)
    return [np.asarray(z, dtype=float) for z in (value, *grads)]


@ROWS
def test_numpy_itself(name: str) -> None:
    tape = tape_of(name)
    inputs = list(np.array([inside(name, share) for share in (0.1, 0.4, 0.9)]).T)
    value, grads = tape(inputs)
    for got, want in zip(numbers_of(tape, np, inputs), (value, *grads), strict=True):
        assert got == pytest.approx(np.broadcast_to(want, got.shape), rel=1e-14)


def test_numpys_arrays_broadcast_and_are_not_changed() -> None:
    tape = Tape(x * y + (x * x).exp() + x, [x, y])
    a, b = np.arange(3), np.arange(2.0).reshape(2, 1)
    value, (by_a, by_b) = tape.on(np)([a, b])
    assert np.allclose(value, a * b + np.exp(a * a) + a)
    assert np.allclose(by_a, b + 2 * a * np.exp(a * a) + 1)
    assert np.allclose(by_b, a)
    assert (a.tolist(), b.tolist()) == ([0, 1, 2], [[0.0], [1.0]])


@pytest.fixture(scope="module")
def jax() -> Any:
    found = pytest.importorskip("jax", reason="pip install jax")
    found.config.update("jax_enable_x64", True)  # jax's way of saying it
    return found


def test_jax_eager_compiled_and_mapped(jax: Any) -> None:
    tapes = {name: tape_of(name) for name in OPERATIONS}
    points = {name: np.array([inside(name, share) for share in (0.1, 0.4, 0.9)]) for name in OPERATIONS}

    def all_of_them(numbers: Any) -> Any:
        return {name: tape.on(jax.numpy)(numbers[name]) for name, tape in tapes.items()}

    eager = all_of_them({name: list(points[name][0]) for name in OPERATIONS})
    compiled = jax.jit(all_of_them)({name: list(points[name][0]) for name in OPERATIONS})
    mapped = jax.jit(jax.vmap(all_of_them))({name: list(points[name].T) for name in OPERATIONS})
    for name, tape in tapes.items():
        want, slopes = tape(list(points[name].T))
        for row, right in zip((mapped[name][0], *mapped[name][1]), (want, *slopes), strict=True):
            assert row.dtype == np.float64
            assert np.asarray(row) == pytest.approx(right, rel=1e-13)
        for value, grads in (eager[name], compiled[name]):
            assert [float(z) for z in (value, *grads)] == pytest.approx([z[0] for z in (want, *slopes)], rel=1e-13)


def test_jax_differentiates_the_tapes_value_to_the_tapes_gradient(jax: Any) -> None:
    run = Tape(everything(x, y), [x, y]).on(jax.numpy)
    at = (0.7, 1.2)
    _, grads = jax.jit(run)(at)
    by_jax = jax.jit(jax.grad(lambda a, b: run((a, b))[0], argnums=(0, 1)))(*at)
    assert list(map(float, grads)) == pytest.approx(list(map(float, by_jax)), rel=1e-13)
    assert list(map(float, grads)) == pytest.approx(Tape(everything(x, y), [x, y])(at)[1], rel=1e-13)


@ROWS
def test_dask_computes_what_numpy_computes_and_not_before_it_is_asked(name: str) -> None:
    array = pytest.importorskip("dask.array", reason="pip install 'dask[array]'")
    tape = tape_of(name)
    columns = list(np.array([inside(name, share) for share in np.linspace(0, 1, 10)]).T)
    value, grads = tape.on(array)([array.from_array(column, chunks=3) for column in columns])
    want, slopes = tape(columns)
    for got, right in zip((value, *grads), (want, *slopes), strict=True):
        assert isinstance(got, array.Array)
        assert got.compute(scheduler="synchronous") == pytest.approx(right, rel=1e-13)


def test_a_sum_over_more_samples_than_memory_holds_on_a_local_cluster() -> None:
    dask = pytest.importorskip("dask", reason="pip install 'dask[array]'")
    array = pytest.importorskip("dask.array", reason="pip install 'dask[array]'")
    distributed = pytest.importorskip("distributed", reason="pip install 'dask[distributed]'")
    samples = 10_000_000  # 400 MB for the samples, the values and three derivatives; the workers have 300 MB together
    w, b, t = Value(0.5, "w"), Value(0.1, "b"), Value(0.0, "t")
    run = Tape(((w * t + b).tanh() - 0.3) ** 2, [w, b, t]).on(array)
    options = {"n_workers": 2, "threads_per_worker": 1, "memory_limit": "150MB", "dashboard_address": ":0"}
    with distributed.LocalCluster(processes=True, **options) as cluster, distributed.Client(cluster):
        value, (by_w, by_b, _) = run([0.5, 0.1, array.arange(samples, chunks=samples // 64) / samples])
        means = dask.compute(value.mean(), by_w.mean(), by_b.mean())

    def p(s: Any) -> Any:
        return mpmath.tanh(s / 2 + mpmath.mpf("0.1"))

    integrals = [
        mpmath.quad(lambda s: (p(s) - 0.3) ** 2, [0, 1]),
        mpmath.quad(lambda s: 2 * (p(s) - 0.3) * (1 - p(s) ** 2) * s, [0, 1]),
        mpmath.quad(lambda s: 2 * (p(s) - 0.3) * (1 - p(s) ** 2), [0, 1]),
    ]
    assert means == pytest.approx(list(map(float, integrals)), abs=1e-6)  # the mean over [0, 1] is close to the integral


# --- what a module has to bring


@pytest.mark.parametrize("module", [np, mpmath, sympy, math])
def test_every_row_is_there(module: ModuleType) -> None:
    m = arithmetic(module)
    assert all(callable(m[row]) and m[row] is getattr(m, name) for name, row in OPERATIONS.items())
    assert arithmetic(module) is m


def test_a_modules_own_names_come_first() -> None:
    m = arithmetic(np)
    own = ("exp", "log", "log1p", "sqrt", "sin", "cos", "tanh", "sign", "heaviside", "maximum", "minimum", "logaddexp", "where")
    assert all(getattr(m, name) is getattr(np, name) for name in own)
    assert (m.abs, m.div, m.pow, m.zeros_like, m.ones_like) == (np.absolute, np.divide, np.power, np.zeros_like, np.ones_like)
    assert arithmetic(sympy).maximum is sympy.Max
    assert arithmetic(mpmath).log1p is mpmath.log1p


def test_what_a_module_lacks_is_an_error_at_its_use_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = SimpleNamespace(exp=math.exp, log=math.log)
    m = arithmetic(lacking)
    assert m.sigmoid(0.0) == 0.5
    with pytest.raises(
        NotImplementedError, match=r"^this module has no function sin; give the operation as a formula of others$"
    ):
        m.sin(1.0)
    monkeypatch.setattr(lacking, "sin", math.sin, raising=False)
    assert m.sin(1.0) == math.sin(1.0)


def test_two_functions_and_operators_are_enough() -> None:
    small = SimpleNamespace(exp=math.exp, log=math.log, sqrt=math.sqrt, sin=math.sin, cos=math.cos, tanh=math.tanh)
    for name in FUNCTIONS.keys() & {*SYMPYS[:22]}:
        tape, at = tape_of(name), inside(name, 0.7)
        value, grads = tape.on(small)(at)
        want, slopes = tape(at)
        assert [value, *grads] == pytest.approx([want, *slopes], rel=1e-14)


@pytest.mark.parametrize("name", ["sign", "heaviside", "maximum", "minimum", "zeros_like"])
def test_what_a_module_lacks_is_as_numpy_has_it(name: str) -> None:
    ours, theirs, numbers = getattr(arithmetic(math), name), getattr(np, name), (-2.0, -0.5, 0.0, 0.5, 2.0)
    pairs = [(a,) for a in numbers] if name in ("sign", "zeros_like") else list(product(numbers, repeat=2))
    assert [ours(*pair) for pair in pairs] == [theirs(*pair) for pair in pairs]


@pytest.mark.parametrize("module", [3, "numpy", None, SimpleNamespace(exp=math.exp), SimpleNamespace(exp=1, log=2)])
def test_what_is_no_module_of_functions(module: Any) -> None:
    with pytest.raises(
        TypeError, match="has no functions exp and log; give a module of functions with NumPy's names"
    ) as caught:
        Tape(x, x).on(module)
    assert repr(module)[:60] in str(caught.value)


def test_numbers_are_counted_here_too() -> None:
    for module in (np, sympy, mpmath):
        with pytest.raises(ValueError, match=r"2 inputs .*got 1 numbers"):
            Tape(x * y, [x, y]).on(module)([1.0])
        with pytest.raises(TypeError, match="a list of numbers"):
            Tape(x * y, [x, y]).on(module)("xy")


def test_constants_for_a_module() -> None:
    assert converted(2.0, sympy) == sympy.Integer(2)
    assert converted(THIRD, sympy) == sympy.Rational(1, 3)
    assert converted(0.5, sympy) == sympy.Float(0.5)
    assert converted(2.0**60, sympy) == sympy.Integer(2**60)
    assert [str(converted(-0.0, module)) for module in (sympy, mpmath)] == ["0", "0.0"]  # neither has a zero with a sign
    assert converted(THIRD, np) == 1 / 3
    assert math.copysign(1, converted(-0.0, np)) == -1
    assert [str(converted(c, sympy)) for c in (math.inf, -math.inf, math.nan)] == ["oo", "-oo", "nan"]
    assert converted(Fraction(10) ** 400, np) == math.inf
    assert converted(Fraction(10) ** 400, sympy) == 10**400


EDGES = [math.nan, -math.inf, math.inf, 0.0, -1.0, 2.0]


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "silu", "softplus", "abs", "sign"])
def test_dask_and_mpmath_say_at_nan_and_inf_what_floats_say(name: str) -> None:
    dask = pytest.importorskip("dask.array", reason="pip install 'dask[array]'")
    tape = tape_of(name)
    with np.errstate(all="ignore"):
        value, (slope,) = tape.on(dask)([dask.from_array(np.array(EDGES))])
        found = [np.broadcast_to(np.asarray(part), len(EDGES)) for part in (value, slope)]
    for i, at in enumerate(EDGES):
        want_value, (want_slope,) = tape([at])
        assert [part[i] for part in found] == pytest.approx([want_value, want_slope], nan_ok=True)
        value, (slope,) = tape.on(mpmath)([mpmath.mpf(at)])
        assert [float(value), float(slope)] == pytest.approx([want_value, want_slope], nan_ok=True)
