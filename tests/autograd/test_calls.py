"""Transforms of functions: their arrangements, what happens to Values from outside, and every mistake by name."""

from __future__ import annotations

import math
import subprocess
import sys
from collections import namedtuple
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import autograd
import autograd.calls
from autograd import (
    Value,
    derivative,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    sin,
    taylor,
    topological_order,
    value_and_grad,
    vjp,
)

Pair = namedtuple("Pair", "left right")  # noqa: PYI024  # as users have them


def test_gradients_are_arranged_like_the_arguments() -> None:
    def f(t: Any, n: int, scale: float = 1.0) -> Any:
        return scale * (t["w"] * t["w"]).sum() * n + t["p"].left ** 3 - t["p"].right[0]

    at: Any = {"w": np.array([[1.0, 2.0]]), "p": Pair(2, (5.0,))}
    found = grad(f)(at, 3, scale=0.5)
    assert (found["w"].tolist(), found["w"].dtype) == ([[3.0, 6.0]], float)
    assert found["p"] == Pair(12.0, (-1.0,))
    assert type(found["p"]) is Pair
    assert isinstance(at["w"][0, 0], float)  # the arguments are as before


def test_argnums() -> None:
    def f(x: Any, y: Any) -> Any:
        return x * y * y

    assert grad(f, 1)(2.0, 3.0) == grad(f, argnums=1)(2.0, 3.0) == grad(f, -1)(2.0, 3.0) == 12.0
    assert grad(f, (1, 0))(2.0, 3.0) == (12.0, 9.0)
    assert grad(f, argnums=[0])(2.0, 3.0) == (9.0,)
    assert value_and_grad(f, argnums=(0, 1))(2.0, 3.0) == (18.0, (9.0, 12.0))
    assert jacobian(f, argnums=1)(2.0, 3.0) == 12.0
    assert hessian(f, argnums=(0, 1))(2.0, 3.0) == ((0.0, 6.0), (6.0, 4.0))


def test_kinds_of_numbers() -> None:
    half = Fraction(1, 2)
    assert (grad(lambda x: x**3)(half), type(grad(lambda x: x**3)(half))) == (Fraction(3, 4), Fraction)
    assert (type(grad(lambda x: x)(3)), type(grad(lambda x: x)(np.float32(3)))) == (float, float)
    assert hessian(lambda v: v[0] ** 2 * v[1])([half, half]) == [[1, 1], [1, 0]]
    assert [type(x) for x in taylor(lambda x: 1 / (1 - x), half, 3)] == [Fraction] * 4
    assert taylor(lambda x: 1 / (1 - x), half, 3) == [2, 4, 8, 16]
    assert grad(lambda v: (v * v).sum())(np.array([half, half], dtype=object)).tolist() == [1, 1]
    assert grad(lambda v: (v * v).sum())(np.array([1, 2])).tolist() == [2.0, 4.0]
    assert grad(lambda x: x * x)(np.array(3.0)).shape == ()


def test_an_input_without_influence_gets_zero_and_constants_among_outputs_are_allowed() -> None:
    assert grad(lambda v: v[0] * 2)([1.0, 5.0]) == [2.0, 0.0]
    for mode in ("forward", "reverse"):
        assert jacobian(lambda v: [v[0] * v[1], 1.0, v[1]], mode=mode)([2.0, 3.0]) == [[3.0, 2.0], [0.0, 0.0], [0.0, 1.0]]
    assert grad(grad(lambda x: 3 * x))(1.0) == 0.0
    assert derivative(lambda x: 3 * x, 5)(1.0) == 0.0
    assert derivative(lambda x: x**2, 0)(3.0) == 9.0


def test_auto_takes_the_mode_with_fewer_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    rows = autograd.calls.Call.rows

    def spy(self: Any, outputs: Any, mode: str = "reverse") -> Any:
        seen.append(mode)
        return rows(self, outputs, mode)

    monkeypatch.setattr(autograd.calls.Call, "rows", spy)
    jacobian(lambda x: [x, x * x, x])(1.0)
    jacobian(lambda v: v[0] * v[1])([1.0, 2.0])
    jacobian(lambda v: [v[0], v[1]])([1.0, 2.0])
    assert seen == ["forward", "reverse", "reverse"]


def test_values_from_outside_make_results_values_that_lead_to_them() -> None:
    w = Value(2.0, "w")

    def f(x: Any) -> Any:
        return w * x**3

    slope = grad(f)(2.0)
    assert (slope.data, grad(slope, w)) == (24.0, 12.0)
    value, slope = value_and_grad(f)(2.0)
    assert (grad(value, w), grad(slope, w)) == (8.0, 12.0)
    for mode in ("forward", "reverse"):
        rows = jacobian(lambda x: [f(x), x], mode=mode)(2.0)
        assert [float_of(row) for row in rows] == [24.0, 1.0]
        assert grad(rows[0], w) == 12.0
    second = hessian(f)(2.0)
    assert (second.data, grad(second, w)) == (24.0, 12.0)
    value, pullback = vjp(f, 2.0)
    assert grad(pullback(5.0)[0], w) == 60.0
    slope.backward()
    assert w.grad == 12.0
    assert all(node is w or node.operation.name != "leaf" for node in topological_order(slope))


def float_of(x: Any) -> float:
    return x.data if isinstance(x, Value) else x


def test_an_argument_that_is_a_value_and_is_used_from_outside_as_well() -> None:
    x = Value(3.0, "x")
    y = x * x
    slope = grad(lambda t: t * y)(y)  # y, as the other factor is held
    assert (slope.data, grad(slope, x)) == (9.0, 6.0)
    slope = grad(lambda t: t * t * x)(y)  # 2 y x = 2 x**3
    assert (slope.data, grad(slope, x)) == (54.0, 54.0)
    assert grad(grad(lambda t: t * t * x)(y), y) == 6.0
    value, pullback = vjp(lambda t: [t * x, t**2], y)
    (found,) = pullback([1.0, 1.0])  # x + 2 x**2
    assert (value[0].data, found.data, grad(found, x)) == (27.0, 21.0, 13.0)


def test_training_through_an_inner_gradient_is_recorded_in_linear_time() -> None:
    """Gradient descent inside of a function, differentiated by its rate: 60 steps, each an inner gradient."""

    def after(rate: Any, steps: int) -> Any:
        x = 1.0 + 0 * rate
        for _ in range(steps):
            x = x - rate * grad(lambda t: t**4)(x)
        return x

    def exact(steps: int) -> Fraction:
        x, dx, rate = Fraction(1), Fraction(0), Fraction(1, 100)
        for _ in range(steps):
            x, dx = x - rate * 4 * x**3, dx - 4 * x**3 - rate * 12 * x**2 * dx
        return dx

    assert grad(after)(0.01, 5) == pytest.approx(float(exact(5)), rel=1e-13)
    assert jvp(lambda r: after(r, 5), (0.01,), (1.0,))[1] == pytest.approx(float(exact(5)), rel=1e-13)
    sizes = [len(topological_order(after(Value(0.01), steps))) for steps in (30, 60)]
    assert sizes[1] < 2.1 * sizes[0]


def test_vjp_takes_one_sweep_and_any_number_of_cotangents() -> None:
    value, pullback = vjp(lambda v, s: {"a": v * s, "b": v.sum()}, np.array([1.0, 2.0]), 3.0)
    assert (value["a"].tolist(), value["b"]) == ([3.0, 6.0], 3.0)
    first, second = pullback({"b": 1.0, "a": np.array([10.0, 100.0])})
    assert (first.tolist(), second) == ([31.0, 301.0], 210.0)
    assert pullback({"a": np.zeros(2), "b": 0.0})[1] == 0.0


def test_taylor_is_closed_forms() -> None:
    assert taylor(sin, 0.0, 7) == pytest.approx([0, 1, 0, -1 / 6, 0, 1 / 120, 0, -1 / 5040], abs=1e-16)
    x = Value(0.5)
    coefficients = taylor(lambda t: t**4, x, 2)
    assert grad(coefficients[2], x) == 12 * 0.5


def test_hvp_is_of_the_size_of_a_gradient() -> None:
    n = 300
    at, v = [0.1 * (-1) ** i for i in range(n)], [1.0] + [0.0] * (n - 1)

    def f(x: Any) -> Any:
        return sum((100 * (b - a**2) ** 2 + (1 - a) ** 2 for a, b in pairwise(x)), 0.0)

    found = hvp(f)(at, v)
    assert found[:3] == pytest.approx([1200 * 0.01 + 40 + 2, -40.0, 0.0])
    assert not any(found[3:])


ONE: Any = Value(1.0)
MISTAKES: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: grad(lambda x: [x])(1.0), TypeError, r"^grad: f returned \[.*\] of type list, .* use jacobian\(f\) or vjp"),
    (lambda: grad(lambda v: v * 2)(np.ones(2)), TypeError, "^grad: f returned array.*use jacobian"),
    (lambda: value_and_grad(lambda x: {"a": x})(1.0), TypeError, "^value_and_grad: f returned .* of type dict"),
    (lambda: hessian(lambda x: [x])(1.0), TypeError, "use jacobian"),
    (lambda: grad(lambda x: 3.0)(1.0), TypeError, r"returned 3.0 of type float, which does not depend .* not math.exp"),
    (lambda: jacobian(lambda x: [1.0, 2])(1.0), TypeError, "^jacobian: f returned .* which does not depend"),
    (lambda: vjp(lambda x: 1.0, 2.0), TypeError, "^vjp: f returned 1.0 .* which does not depend"),
    (lambda: grad(math.exp)(1.0), TypeError, "autograd.exp for math.exp"),
    (lambda: grad(lambda x: "text")(1.0), TypeError, "^grad: f has to return a Value: 'text' is of type str"),
    (lambda: grad(lambda x: None)(1.0), TypeError, "^grad: f has to return a Value: None is of type NoneType"),
    (lambda: jacobian(lambda x: [x, "text"])(1.0), TypeError, "^jacobian: in what f returned: 'text' is of type str"),
    (lambda: grad(lambda x: x)(1j), TypeError, "^grad: an argument of f: 1j is of type complex, not a real number"),
    (lambda: grad(lambda x: x)("1"), TypeError, "^grad: an argument of f: '1' is of type str"),
    (lambda: grad(lambda x: x)(np.array([1j])), TypeError, "^grad: an argument of f: 1j is of type complex"),
    (lambda: grad(lambda x: x)(None), TypeError, "^grad: an argument of f: None"),
    (lambda: grad(lambda x: x, ONE), TypeError, r"a function is differentiated first and called then, grad\(f\)\(x\)"),
    (lambda: grad(lambda x: x, argnums="x"), TypeError, "^grad: argnums is 'x'; give the position"),  # type: ignore[arg-type]
    (lambda: grad(lambda x: x, 1)(1.0), ValueError, "^grad: argnums is 1, and f was called with 1 arguments"),
    (grad(lambda x: x), ValueError, "^grad: argnums is 0, and f was called with 0 arguments"),
    (lambda: grad(3.0, 1), TypeError, "^grad: output is 3.0 of type float; give a Value"),  # type: ignore[call-overload]
    (lambda: value_and_grad(3.0), TypeError, "^value_and_grad: 3.0 is of type float; give a function"),  # type: ignore[arg-type]
    (lambda: jacobian(lambda x: x, mode="back"), ValueError, "^jacobian: mode is 'back'; give 'auto', 'forward' or 'reverse'"),
    (lambda: vjp(lambda x: [x, x], 1.0)[1](1.0), TypeError, "^vjp: the cotangent is a number, where a list with 2 is needed"),
    (lambda: derivative(lambda x: [x])(1.0), TypeError, "^derivative: .* for several outputs use jacobian"),
    (lambda: derivative(lambda x: x, -1)(1.0), ValueError, "^derivative: order is -1; give 0, 1, 2"),
    (lambda: taylor(lambda x: x, [1.0], 2), TypeError, r"^taylor: x: \[1.0\] is of type list"),
]


@pytest.mark.parametrize(("call", "kind", "message"), MISTAKES, ids=range(len(MISTAKES)))
def test_mistakes_say_what_to_give_instead(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        call()


def test_the_transforms_need_no_numpy() -> None:
    program = (
        "import sys, autograd; f = lambda v: v[0] * v[1].exp()\n"
        "print(autograd.hessian(f)([2.0, 0.0]), autograd.jvp(f, ([2.0, 0.0],), ([1.0, 0.0],)), 'numpy' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout  # noqa: S603
    assert found == "[[0.0, 1.0], [1.0, 2.0]] (2.0, 1.0) False\n"
