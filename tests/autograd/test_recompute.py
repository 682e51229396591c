"""`checkpoint`: the same gradients from less memory, and every way in which its inside could be another one."""

from __future__ import annotations

import copy
import pickle
import random
import tracemalloc
from fractions import Fraction
from typing import Any

import pytest

from autograd import Value, checkpoint, draw, exp, grad, gradcheck, hvp, jvp, tangents, topological_order


def chain(x: Any, w: Any, n: int) -> Any:
    for _ in range(n):
        x = (x * w).sin() + x * 0.9
    return x


def test_gradients_of_arguments_and_of_values_from_outside_are_the_same() -> None:
    w, x, y = Value(1.3), Value(0.4), Value(0.7)
    z = w * y  # a result from outside that has a history of its own, and is used beside it

    def f(a: Any) -> Any:
        return chain(a["x"], z, 5) * w + a["n"] * y * z

    plain, folded = f({"x": x, "n": 2.0}), checkpoint(f)({"x": x, "n": 2.0})
    assert folded.data == plain.data
    assert set(folded.parents) == {x, z, w, y}
    assert grad(folded, [w, x, y, z]) == pytest.approx(grad(plain, [w, x, y, z]), rel=1e-14)
    folded.backward()
    assert [v.grad for v in (w, x, y)] == pytest.approx(grad(plain, [w, x, y]), rel=1e-14)
    assert tangents(folded, {y: 1.0})[folded] == pytest.approx(grad(plain, y), rel=1e-14)


def test_it_nests_and_fractions_stay_exact() -> None:
    w = Value(Fraction(2, 3))
    inner = checkpoint(lambda t: t * t + w)
    outer = checkpoint(lambda t: inner(inner(t)) * w)
    x = Value(Fraction(1, 2))
    plain = ((x * x + w) * (x * x + w) + w) * w
    assert (outer(x).data, grad(outer(x), [x, w])) == (plain.data, grad(plain, [x, w]))
    assert isinstance(grad(outer(x), x), Fraction)


def test_second_derivatives_go_through_it() -> None:
    w, x = Value(1.3), Value(0.4)
    plain, folded = chain(x, w, 4), checkpoint(lambda t: chain(t, w, 4))(x)
    for first in (x, w):
        slopes = [grad(output, first, create_graph=True) for output in (plain, folded)]
        for second in (x, w):
            assert grad(slopes[1], second) == pytest.approx(grad(slopes[0], second), rel=1e-12)
        third = [grad(grad(slope, x, create_graph=True), w) for slope in slopes]
        assert third[1] == pytest.approx(third[0], rel=1e-11)


def test_under_the_transforms() -> None:
    w = Value(1.3)
    f = checkpoint(lambda t: chain(t, 1.3, 4))
    assert grad(f)(0.4) == pytest.approx(grad(lambda t: chain(t, 1.3, 4))(0.4), rel=1e-14)
    assert jvp(f, (0.4,), (1.0,)) == jvp(lambda t: chain(t, 1.3, 4), (0.4,), (1.0,))
    assert hvp(f)(0.4, 1.0) == pytest.approx(hvp(lambda t: chain(t, 1.3, 4))(0.4, 1.0), rel=1e-12)
    slope = grad(checkpoint(lambda t: chain(t, w, 4)))(0.4)
    assert grad(slope, w) == pytest.approx(grad(grad(lambda t: chain(t, w, 4))(0.4), w), rel=1e-12)
    assert gradcheck(f, 0.4).ok


def test_memory_of_a_long_chain() -> None:
    def peak(part: Any) -> tuple[int, float]:
        x = Value(0.3)
        tracemalloc.start()
        y = x
        for _ in range(40):
            y = part(y)
        slope = grad(y, x)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most, slope

    def part(t: Any) -> Any:
        return chain(t, 1.1, 50)

    plain, folded = peak(part), peak(checkpoint(part))
    assert folded[1] == pytest.approx(plain[1], rel=1e-12)
    assert folded[0] < plain[0] / 5


def test_what_is_no_operand() -> None:
    x, w = Value(2.0), Value(3.0)
    assert checkpoint(lambda t: w)(x).parents == (x, w)
    assert grad(checkpoint(lambda t: w)(x), [x, w]) == [0.0, 1.0]
    assert grad(checkpoint(lambda t: t)(x), x) == 1.0
    assert len(topological_order(checkpoint(lambda t, n: t**n)(x, 3))) == 2
    assert checkpoint(lambda: w * w)().parents == (w,)
    with pytest.raises(TypeError, match="f was given no Value, and uses none from outside"):
        checkpoint(exp)(3.0)


def test_an_inside_that_is_another_one_the_second_time_is_an_error() -> None:
    x, w = Value(2.0), Value(3.0)
    rng = random.Random(1)  # noqa: S311  # no secret
    with pytest.raises(RuntimeError, match=r"f gives .* now, and gave .*; it has to do the same each time"):
        grad(checkpoint(lambda t: t * rng.random())(x), x)
    changed = checkpoint(lambda t: t * w)(x)
    w.data = 4.0
    with pytest.raises(RuntimeError, match=r"f gives 8\.0 now, and gave 6\.0"):
        grad(changed, x)
    with pytest.raises(RuntimeError, match="and does not now; make Values that it uses outside of it"):
        grad(checkpoint(lambda t: t * Value(3.0))(x), x)


def test_copies_and_pickles() -> None:
    x, w = Value(2.0, "x"), Value(3.0, "w")
    output = checkpoint(lambda t: t * w)(x)
    with pytest.raises(TypeError, match="a graph with a checkpoint in it cannot be pickled"):
        pickle.dumps(output)
    twin = copy.deepcopy(output)
    assert grad(twin, twin.parents) == [3.0, 2.0]
    with pytest.raises(RuntimeError, match="is not the operand"):
        grad(twin, twin.parents, create_graph=True)


def test_formulas_and_pictures() -> None:
    x = Value(2.0, "x")
    output = checkpoint(lambda t: t * t)(x)
    assert "checkpoint" in draw(output).source
    with pytest.raises(TypeError, match=r"its inside is a function of numbers, .* call f without checkpoint"):
        output.operation.partials(None, "out", "a")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda t: 3.0, "what f returned is 3.0 of type float"),
        (lambda t: [t], "what f returned is .* of type list; give a Value"),
    ],
)
def test_results_that_are_no_value(wrong: Any, message: str) -> None:
    with pytest.raises(TypeError, match=f"^checkpoint: {message}"):
        checkpoint(wrong)(Value(1.0))
    with pytest.raises(TypeError, match=r"^checkpoint: 3 is of type int; give a function"):
        checkpoint(3)  # type: ignore[arg-type]
