"""What recording promises: nothing is lost without a word, and the numbers of a graph are those it was recorded with."""

from __future__ import annotations

import builtins
import math
import threading
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Value, derive, draw, grad, gradcheck, no_grad, stop_gradient
from autograd.operations import LEAF, OPERATIONS

LOSES = {
    "float": float,
    "int": int,
    "round": round,
    "complex": complex,
    "math.exp": math.exp,
    "math.fsum": lambda v: math.fsum([v, v]),
    "range": builtins.range,
    "%": lambda v: "%.3f" % v,  # noqa: UP031  # what is tested
    "np.array": lambda v: np.array([v], dtype=float),
    "np.float64": np.float64,
    "np.interp": lambda v: np.interp(v, [0.0, 1.0], [0.0, 1.0]),
}


def assigned(v: Value) -> None:
    np.zeros(2)[0] = v


@pytest.mark.parametrize("use", [*LOSES.values(), assigned], ids=[*LOSES, "assigned"])
def test_what_would_make_a_bare_number_raises_and_names_the_way(use: Callable[[Value], Any]) -> None:
    for v in (Value(0.5, "v"), Value(0.5) * 2):
        with pytest.raises((TypeError, ValueError)) as caught:
            use(v)
        texts = []
        error: BaseException | None = caught.value
        while error is not None:
            texts.append(str(error))
            error = error.__cause__ or error.__context__
        assert any("lose its gradient" in text and ".data" in text for text in texts), texts


def test_every_function_of_math_records_or_raises() -> None:
    """Python's math: none returns a bare number."""
    taken = {}
    for name in dir(math):
        function = getattr(math, name)
        if name.startswith("_") or not callable(function):
            continue
        for count in (1, 2, 3):
            try:
                found = function(*[Value(0.5)] * count)
            except (TypeError, ValueError):
                continue
            taken[name] = found
    assert {name: x for name, x in taken.items() if not isinstance(x, Value)} == {}


def test_the_ways_to_the_bare_number() -> None:
    v = Value(2 / 3, "v")
    assert (v.item(), f"{v:.3f}", f"{v:8.2e}", "%.3f" % v.data, format(v)) == (2 / 3, "0.667", "6.67e-01", "0.667", str(v))  # noqa: UP031
    assert (+v) is v


def test_detached_values_and_no_grad() -> None:
    x = Value(3.0, "x")
    cut = (x * x).detach()
    assert (cut.data, cut.parents, cut.operation) == (9.0, (), LEAF)
    assert grad(x * stop_gradient(x), x) == 3.0
    with pytest.raises(TypeError, match=r"^stop_gradient: v is 3.0 of type float; give a Value"):
        stop_gradient(3.0)  # type: ignore[arg-type]  # the mistake
    with no_grad():
        with no_grad():
            assert (x * x).parents == ()
        y = x.exp() + autograd.maximum(x, 1) - np.array([x])[0]
        inner = []
        thread = threading.Thread(target=lambda: inner.append((x * 2).parents))
        thread.start()
        thread.join()
    assert (y.parents, y.data, inner[0][0]) == ((), math.exp(3.0), x)
    after = x * x
    assert after.parents == (x, x)


class Mine(Value):
    pass


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_a_subclass_computes_is_of_the_subclass(name: str) -> None:
    row = OPERATIONS[name]
    x, count = Mine(2.0 if name == "arccosh" else 0.5, "x"), len(row.domain)
    x._vis_color = "red"  # type: ignore[attr-defined]  # the lecture's own attribute
    operands = [[x, x]] * (1 + (name == "dot")) if row.arity is None else [x] * row.arity
    found = [getattr(autograd, name)(*operands)] if hasattr(autograd, name) else []
    if row.method:
        found += [getattr(x, row.method)(*[x] * (count - 1)), getattr(x, row.method)(*[2.0] * (count - 1))]
    if row.method and row.arity == 2:
        found += [getattr(Value(1.0), row.method)(x), getattr(x, row.method)(Value(1.0))]
    assert {type(v) for v in found} == {Mine}
    assert all(isinstance(v.parents[0], Value) for v in found)
    assert grad(found[0], x, create_graph=True).data == grad(found[0], x)


def test_numbers_of_a_graph_are_those_it_was_recorded_with() -> None:
    x, y = Value(2.0, "x"), Value(5.0, "y")
    z = x * y + x
    x.data = 3.0
    assert grad(z, [x, y]) == [6.0, 2.0]
    z.backward()
    assert (x.grad, y.grad, x.data) == (6.0, 2.0, 3.0)
    assert grad(x * y + x, [x, y]) == [6.0, 3.0]
    assert "2 * 5" in str(derive(z))
    assert "3" not in str(derive(z))
    assert "data 2" in draw(z).source
    with pytest.raises(ValueError, match=r"^'x' was 2.0 when this graph was recorded and is 3.0 now; record it again"):
        grad(z, x, create_graph=True)
    x.data = 2.0
    assert grad(z, [x, y]) == [6.0, 2.0]


def test_a_graph_that_was_recorded_in_part_before_a_change_has_no_one_point() -> None:
    x = Value(2.0, "x")
    square = x * x
    x.data = 3.0
    mixed = square + x
    for read in (lambda: grad(mixed, x), mixed.backward, lambda: str(derive(mixed)), lambda: draw(mixed)):
        with pytest.raises(ValueError, match=r"^the number of 'x' was changed while this graph was being recorded"):
            read()
    assert x.grad == 0.0


def test_the_training_loop_goes_on() -> None:
    w, x = Value(1.0, "w"), Value(2.0, "x")
    for _ in range(3):
        w.grad = 0.0
        loss = (w * x - 6.0) ** 2
        loss.backward()
        before = w.data
        w.data -= 0.05 * w.grad
        assert f"data {before:.4g}".replace("-", "\u2212") in draw(loss).source
    assert w.data == pytest.approx(3 - 2 * 0.6**3)
    assert gradcheck(lambda a: a * x, 3.0).ok


@pytest.mark.parametrize("number", [np.float32(0.1), 3, True, Fraction(1, 3)])
def test_a_number_put_there_is_one_of_ours(number: Any) -> None:
    x = Value(2.0)
    x.data = number
    assert type(x.data) is (Fraction if isinstance(number, Fraction) else float)
    assert type((x * 2).data) is type(x.data)


def test_nothing_is_differentiated_inside_of_no_grad() -> None:
    with no_grad():
        for transform in (autograd.grad, autograd.value_and_grad, autograd.jacobian):
            with pytest.raises(ValueError, match="inside of no_grad nothing is recorded"):
                transform(lambda v: v * v)(2.0)
