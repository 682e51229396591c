"""Choices that send nothing to the arm that is not taken, and the operations of a list, against what they stand for."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import reduce
from operator import add
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Value, clip, dot, grad, greater, less, log, logsumexp, mean, relu, softmax, sqrt, total, where
from autograd.expressions import as_latex, as_text, symbol, unchanged
from autograd.graph import images, topological_order
from autograd.modules import arithmetic
from autograd.operations import CONSTANT, OPERATIONS
from autograd.sweep import adjoints, guarded_adjoints

NUMBERS = st.lists(st.floats(allow_nan=False, width=32), min_size=1, max_size=12)
X = Value(-1.0)
DEAD: dict[str, tuple[Callable[[Any], Any], float, float]] = {
    # f, where it is taken, and the derivative there: the other arm has none, or an infinite one
    "where": (lambda x: where(greater(x, 0), log(x), x * x), -1.0, -2.0),
    "where of an overflow": (lambda x: where(less(x, 0), autograd.exp(x), 2 * x), 1000.0, 2.0),
    "nested": (lambda x: where(greater(x, 0), sqrt(log(x)), where(less(x, -5), 1 / (x - x), 3 * x)), -1.0, 3.0),
    "maximum": (lambda x: autograd.maximum(log(x), 3.0) + x, 0.0, 1.0),
    "minimum": (lambda x: autograd.minimum(1 / x, 3.0) + x, 0.0, 1.0),
    "clip": (lambda x: clip(log(x), 0, 1) + x, 0.0, 1.0),
    "relu": (lambda x: relu(log(x)) + x, 0.0, 1.0),
    "floor": (lambda x: autograd.floor(1 / x) + x, 0.0, 1.0),
}


@pytest.mark.parametrize("name", DEAD)
def test_the_arm_that_is_not_taken_is_sent_nothing(name: str) -> None:
    f, at, want = DEAD[name]
    x = Value(at)
    assert grad(f(x), x) == want
    f(x).backward()
    assert x.grad == want
    assert grad(f(x), x, create_graph=True).data == want
    assert not math.isnan(grad(grad(f(x), x, create_graph=True), x))


@pytest.mark.parametrize("name", DEAD)
def test_and_so_on_arrays_sample_by_sample(name: str) -> None:
    f, at, _ = DEAD[name]
    order = topological_order(f(Value(at)))
    samples = [at, 1.5, at, 0.25]
    columns = [topological_order(f(Value(x))) for x in samples]
    data = {node: np.array([column[i].data for column in columns]) for i, node in enumerate(order)}
    image, m = images(order, data), arithmetic(np)
    x = next(node for node in order if not node.parents and node.operation is not CONSTANT)
    with np.errstate(all="ignore"):
        found = guarded_adjoints(image[order[-1]], 1.0, 0.0, m)[image[x]]
        plain = adjoints(image[order[-1]], 1.0, 0.0, m)[image[x]]
    wanted = [grad(column[-1], next(v for v in column if not v.parents and v.operation is not CONSTANT)) for column in columns]
    assert np.array_equal(np.broadcast_to(found, 4), wanted, equal_nan=True)
    fine = ~np.isnan(np.broadcast_to(plain, 4))
    assert np.broadcast_to(plain, 4)[fine].tolist() == np.array(wanted)[fine].tolist()


def test_a_zero_that_was_sent_is_not_nothing() -> None:
    x = Value(0.0)
    assert math.isnan(grad(sqrt(x) ** 2, x))  # 0 * inf: the rule does not say 0, and neither do we


def test_a_bool_decides_now_and_records_nothing() -> None:
    a, b = Value(1.0), Value(2.0)
    assert where(X < 0, a, b) is a
    assert where(np.bool_(False), a, b) is b
    assert where(0.0, a, 3).operation is CONSTANT
    with pytest.raises(TypeError, match="where: the condition: 'yes' is of type str"):
        where("yes", a, b)
    found = where(np.array([True, False]), np.array([a, a]), b)
    assert found.tolist() == [a, b]


def test_a_recorded_condition_follows_the_numbers() -> None:
    x = Value(2.0)
    y = where(greater(x, 1), x * x, -x)
    order = topological_order(y)
    m = arithmetic(np)
    data: dict[Any, Any] = {}
    for node in order:
        moved = np.array([2.0, 0.5]) if node is x else node.data
        data[node] = m[node.operation](*(data[p] for p in node.parents)) if node.parents else moved
    assert data[y].tolist() == [4.0, -0.5]
    image = images(order, data)
    assert adjoints(image[y], 1.0, 0.0, m)[image[x]].tolist() == [4.0, -1.0]
    slope = grad(y, x, create_graph=True)
    assert OPERATIONS["where"] in {node.operation for node in topological_order(slope)}


@given(NUMBERS, st.data())
def test_total_and_dot_are_the_chains_to_the_bit(xs: list[float], data: st.DataObject) -> None:
    ys = data.draw(st.lists(st.floats(allow_nan=False, width=32), min_size=len(xs), max_size=len(xs)))
    v, w = [Value(x) for x in xs], [Value(y) for y in ys]
    chain, product = reduce(add, v), reduce(add, [a * b for a, b in zip(v, w, strict=True)])
    for one, many in ((total(v), chain), (dot(v, w), product)):
        assert repr(one.data) == repr(many.data)
        assert grad(one, v) == grad(many, v)
        assert grad(one, w) == grad(many, w)
    assert total(v).parents == tuple(v)
    assert dot(v, w).parents == (*v, *w)


@pytest.mark.parametrize("make", [list, tuple, iter, np.array], ids=["list", "tuple", "iterator", "array"])
def test_a_list_may_be_any_iterable(make: Any) -> None:
    v = [Value(1.0), Value(2.0), Value(4.0)]
    assert [total(make(v)).data, mean(make(v)).data, dot(make(v), make(v)).data] == [7.0, 7 / 3, 21.0]
    assert logsumexp(make(v)).data == pytest.approx(math.log(sum(map(math.exp, (1, 2, 4)))), rel=1e-15)
    powers = np.exp([1, 2, 4])
    assert [p.data for p in softmax(make(v))] == pytest.approx((powers / powers.sum()).tolist(), rel=1e-14)


def test_of_nothing_and_of_fractions() -> None:
    assert [total([]).data, total([]).operation, dot([], []).data] == [0.0, CONSTANT, 0.0]
    for f in (mean, logsumexp, softmax):
        with pytest.raises(ValueError, match=f"^{f.__name__}: there are no values; give at least one"):
            f([])
    thirds = [Value(Fraction(1, 3)), 2, Value(Fraction(1, 6))]
    assert [total(thirds).data, mean(thirds).data, dot(thirds, [3, 1, 6]).data] == [Fraction(5, 2), Fraction(5, 6), 4]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: total(X),  # type: ignore[arg-type]  # the mistake
            r"total: values is Value\(.*\) of type Value; give a list",
        ),
        (
            lambda: dot([X], 3),  # type: ignore[arg-type]  # the mistake
            "dot: ys is 3 of type int; give a list",
        ),
        (lambda: total("ab"), "total: values is 'ab' of type str; give a list"),
        (lambda: mean(np.ones((2, 2))), r"mean: values is an array of shape \(2, 2\)"),
        (lambda: total([X, None]), "operation total: None is of type NoneType, not a real number"),
    ],
)
def test_what_is_no_list_is_refused(call: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        call()
    with pytest.raises(ValueError, match="dot: xs has 1 entries and ys has 2"):
        dot([X], [X, X])


@given(st.lists(st.floats(-800, 800), min_size=1, max_size=6))
def test_logsumexp_and_softmax_are_mpmaths(xs: list[float]) -> None:
    v = [Value(x) for x in xs]
    out = logsumexp(v)
    with mpmath.workdps(50):
        parts = [mpmath.exp(mpmath.mpf(x)) for x in xs]
        whole = mpmath.fsum(parts)
        assert abs(out.data - mpmath.log(whole)) <= 4e-16 * max(map(abs, (*xs, 1)))
        shares = [part / whole for part in parts]
        for got, want in zip(grad(out, v), shares, strict=True):
            assert abs(got - want) <= 1e-12 * want + 5e-324
        for share, want in zip(softmax(v), shares, strict=True):
            assert abs(share.data - want) <= 1e-12 * want + 5e-324
        for i, p in enumerate(softmax(v)):
            wanted = [shares[i] * ((i == j) - shares[j]) for j in range(len(xs))]
            assert all(abs(got - want) <= 1e-12 for got, want in zip(grad(p, v), wanted, strict=True))


def test_they_read_as_sums() -> None:
    x, w = [symbol(f"x{i}") for i in range(1, 8)], [symbol(f"w{i}") for i in range(1, 8)]
    short, long = unchanged(OPERATIONS["dot"])(*x[:2], *w[:2]), unchanged(OPERATIONS["dot"])(*x, *w)
    assert as_text(short) == "x1 * w1 + x2 * w2"
    assert as_text(long * 2) == "(x1 * w1 + x2 * w2 + x3 * w3 + x4 * w4 + ... + x7 * w7) * 2"
    assert as_text(unchanged(OPERATIONS["total"])(*x)) == "x1 + x2 + x3 + x4 + ... + x7"
    assert as_latex(short) == r"x_{1} \cdot w_{1} + x_{2} \cdot w_{2}"
    assert as_text(unchanged(OPERATIONS["dot"])(x[0] + 1, w[0])) == "(x1 + 1) * w1"
