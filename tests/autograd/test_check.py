"""`gradcheck` says yes to every row and no to every wrong one; it knows kinks and edges, and nothing else, as such."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rows import changed
from test_operations import points, recorded

from autograd import GradientError, Value, exp, first_nonfinite, gradcheck, log, maximum, minimum, relu, sin, sqrt, tanh
from autograd.check import STEPS
from autograd.operations import FLOATS, OPERATIONS
from autograd.recording import record

ROWS = pytest.mark.parametrize("name", OPERATIONS)
POSITIONS = [(name, position) for name, rule in OPERATIONS.items() for position in range(len(rule.domain))]
WRONG: dict[str, Callable[[float], float]] = {
    "ten percent more": lambda slope: 1.1 * slope if slope else 0.1,
    "the other sign": lambda slope: -slope if slope else 1.0,
    "nothing": lambda slope: 0.0 if slope else -1.0,
    "nan": lambda slope: math.nan,
    "a thousandth": lambda slope: slope + 1e-3,
}


def wrong(name: str, position: int, change: Callable[[float], float]) -> Any:
    """The operation with one wrong partial."""
    rule = OPERATIONS[name]

    def partials(m: Any, out: Any, *at: Any) -> tuple[Any, ...]:
        return tuple(change(s) if i == position else s for i, s in enumerate(rule.partials(m, out, *at)))

    return recorded(changed(rule, partials=partials))


@ROWS
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_every_row_agrees_and_is_smooth_off_its_kinks(name: str, data: st.DataObject) -> None:
    at = data.draw(points(OPERATIONS[name]).filter(lambda at: min(abs(at[0] - at[-1]) + (len(at) == 1), *map(abs, at)) > 1e-3))
    report = gradcheck(recorded(OPERATIONS[name]), *at)
    assert report.ok
    assert [row.kind for row in report.rows] == [""] * len(at)
    assert [row.at for row in report.rows] == list(at)


@pytest.mark.parametrize("how", WRONG)
@pytest.mark.parametrize(("name", "position"), POSITIONS)
def test_every_wrong_row_is_caught(name: str, position: int, how: str) -> None:
    domain = OPERATIONS[name].domain
    for share in (0.15, 0.4, 0.8):
        at = [low + (high - low) * abs(share - i * 0.55) for i, (low, high) in enumerate(domain)]
        right = OPERATIONS[name].partials(FLOATS, OPERATIONS[name].forward(*at), *at)[position]
        with pytest.raises(GradientError, match=f"the gradient by x{position} is .* by the sweep and .* by central") as caught:
            gradcheck(wrong(name, position, WRONG[how]), *at)
        error = caught.value
        assert error.input == f"x{position}"
        assert error.analytic == pytest.approx(WRONG[how](right), nan_ok=True)
        assert error.numeric == pytest.approx(right, rel=1e-3, abs=1e-6)
        assert [row.ok for row in error.report.rows] == [i != position for i in range(len(at))]
        assert not error.report.ok
        assert str(error.report) in str(error)
        assert "<-- they differ" in str(error)


@pytest.mark.parametrize("slope", [math.inf, -math.inf])
def test_an_infinite_gradient_is_caught(slope: float) -> None:
    with pytest.raises(GradientError):
        gradcheck(wrong("exp", 0, lambda right: slope), 0.5)


def test_a_wrong_gradient_beside_an_infinite_difference_is_caught() -> None:
    doubled = wrong("exp", 0, lambda right: 2 * right)
    with pytest.raises(GradientError):
        gradcheck(lambda x: doubled(x) / 2 + x / 2, 709.78)


@pytest.mark.parametrize(
    ("f", "at", "off"),
    [
        (lambda x: 3 * x, 0.7, 1e-4),  # rounding makes its one-sided slopes differ, but not like a kink
        (lambda x: (1000 * x) ** 2, 0.0, 5e-3),  # its one-sided slopes are -0.01 and 0.01, and nearer for smaller steps
    ],
)
def test_a_wrong_gradient_between_the_slopes_is_only_right_at_a_kink(
    f: Callable[[Value], Value], at: float, off: float
) -> None:
    nudge = wrong("neg", 0, lambda slope: slope + off)
    with pytest.raises(GradientError) as caught:
        gradcheck(lambda x: f(x) + nudge(x) + x, at)
    assert caught.value.report.rows[0].kind == ""


@pytest.mark.parametrize("size", [1e-8, 1e-12, 1e4, 1e12])
def test_small_and_large_gradients_wrong_by_ten_percent_are_caught(size: float) -> None:
    more = wrong("sin", 0, lambda slope: 1.1 * slope)
    with pytest.raises(GradientError):
        gradcheck(lambda x: more(x) * size, 0.7)
    assert gradcheck(lambda x: sin(x) * size, 0.7).ok


@pytest.mark.parametrize("size", [1e-6, 1e-7])
def test_small_gradients_of_a_large_output_wrong_by_ten_percent_are_caught(size: float) -> None:
    more = wrong("sin", 0, lambda slope: 1.1 * slope)
    with pytest.raises(GradientError):
        gradcheck(lambda x: more(x) * size + 1, 0.7)


@pytest.mark.parametrize("at", [1e-12, -1e-12, 1e8])
def test_a_wrong_gradient_is_caught_at_inputs_of_any_size(at: float) -> None:
    more = wrong("sin", 0, lambda slope: 1.1 * slope)
    with pytest.raises(GradientError):
        gradcheck(lambda x: more(x / at) * at + 1, at)
    with pytest.raises(GradientError):
        gradcheck(lambda x: 1 + more(x - at), at)


KINKS = {
    "abs": (abs, (0.0,)),
    "relu": (relu, (0.0,)),
    "maximum": (maximum, (2.0, 2.0)),
    "minimum": (minimum, (-1.5, -1.5)),
    "a small kink": (lambda x: abs(x - 1) * 1e-4, (1.0,)),
    "a large kink": (lambda x: abs(x - 1) * 1e4, (1.0,)),
    "a kink on a slope": (lambda x: relu(x - 2) + 3 * x, (2.0,)),
    "a kink on a curve": (lambda x: relu(x) + exp(x), (0.0,)),
}


@pytest.mark.parametrize(("f", "at"), KINKS.values(), ids=KINKS)
def test_at_a_kink_a_slope_in_between_is_right_and_said_to_be_one(f: Callable[..., Value], at: tuple[float, ...]) -> None:
    report = gradcheck(f, *at)
    assert [row.kind for row in report.rows] == ["kink"] * len(at)
    assert all(row.left != row.right for row in report.rows)
    assert "kink: slopes" in str(report)


@pytest.mark.parametrize(("f", "at"), KINKS.values(), ids=KINKS)
@pytest.mark.parametrize("beyond", [1.2, -1.2])
def test_at_a_kink_a_slope_outside_is_wrong(f: Callable[..., Value], at: tuple[float, ...], beyond: float) -> None:
    report = gradcheck(f, *at)
    row = report.rows[0]
    middle, half = (row.left + row.right) / 2, abs(row.right - row.left) / 2
    off = middle + beyond * half - row.analytic
    nudge = wrong("neg", 0, lambda slope: slope + off)  # beside + x it adds 0 to the value and `off` to the gradient
    with pytest.raises(GradientError) as caught:
        gradcheck(lambda *xs: f(*xs) + nudge(xs[0]) + xs[0], *at)
    assert caught.value.input == "x0"
    assert caught.value.analytic == pytest.approx(middle + beyond * half)


@pytest.mark.parametrize("distance", [1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7])
def test_a_kink_near_the_point_is_none_at_the_point(distance: float) -> None:
    for x in (distance, -distance):
        assert gradcheck(lambda v: relu(v) + 0.5 * v, x).ok
        halved = wrong("relu", 0, lambda slope: 0.5)
        with pytest.raises(GradientError):
            gradcheck(lambda v: halved(v) + 0.5 * v, x)  # noqa: B023 (called at once)


@pytest.mark.parametrize(
    ("f", "at"),
    [
        (lambda x: (50 * x).sin(), 0.3),
        (lambda x: (100 * x).tanh(), 0.003),
        (lambda x: exp(20 * x), 1.0),
        (lambda x: 1 / x, 1e-2),
        (lambda x: x * x, 0.0),
        (lambda x: (1000 * x).softplus() / 1000, 0.0),
        (log, 1e-3),
    ],
)
def test_a_strong_curve_is_no_kink(f: Callable[[Value], Value], at: float) -> None:
    report = gradcheck(f, at)
    assert [row.kind for row in report.rows] == [""]


@pytest.mark.parametrize(
    "f", [lambda x: (10 * x) ** 2, lambda x: (1000 * x) ** 2, lambda x: sqrt(x * x + 1e-4), lambda x: 9 - exp(x) * 99 + 99 * x]
)
def test_a_sharp_minimum_or_maximum_is_no_kink(f: Callable[[Value], Value]) -> None:
    assert [row.kind for row in gradcheck(f, 0.0).rows] == [""]


@pytest.mark.parametrize(
    ("f", "at", "right", "kind"),
    [
        (sqrt, 0.0, math.inf, "edge"),
        (lambda x: x**1.5, 0.0, 0.0, "edge"),
        (lambda x: x**2.5 + 3 * x, 0.0, 3.0, "edge"),
        (lambda x: sqrt(1 - x), 1.0, -math.inf, "edge"),
        (log, 0.0, math.inf, "not finite here"),
        (log, -1.0, math.nan, "not finite here"),
    ],
)
def test_edges_of_a_domain(f: Callable[[Value], Value], at: float, right: float, kind: str) -> None:
    (row,) = gradcheck(f, at).rows
    assert row.analytic == pytest.approx(right, nan_ok=True)
    assert (row.input, row.at, row.kind) == ("x0", at, kind)


def test_an_edge_is_reported_with_the_slopes_of_the_smallest_step() -> None:
    (row,) = gradcheck(sqrt, 0.0).rows
    assert math.isnan(row.left)
    assert row.right == pytest.approx(STEPS[-1] ** -0.5, rel=1e-12)
    assert str(gradcheck(log, 0.0)).endswith("not finite here: slopes nan from the left, inf from the right")


def test_slopes_that_settle_or_grow_slowly_at_an_edge_are_told_apart() -> None:
    settles, grows = gradcheck(lambda x: x**1.15 + 3 * x, 0.0).rows[0], gradcheck(lambda x: x**0.85, 0.0).rows[0]
    assert (settles.kind, settles.analytic, grows.kind, grows.analytic) == ("edge", 3.0, "edge", math.inf)


@pytest.mark.parametrize("sign", [1, -1])
def test_beside_an_overflow_the_other_side_counts(sign: int) -> None:
    largest = 709.782712893384  # the largest number that has an exp
    (row,) = gradcheck(lambda x: exp(sign * x), sign * largest).rows
    assert (row.kind, row.numeric) == ("edge", sign * math.inf)
    less = wrong("exp", 0, lambda slope: 0.9 * slope)
    with pytest.raises(GradientError):
        gradcheck(lambda x: less(sign * x), sign * largest)


def test_a_gradient_that_is_a_little_off_at_an_edge_is_caught() -> None:
    more = wrong("sin", 0, lambda slope: 1.03 * slope)
    with pytest.raises(GradientError):
        gradcheck(lambda x: x**1.5 + 3 * more(x), 0.0)


@pytest.mark.parametrize("slope", [0.0, 0.25, 1.0])
def test_at_a_kink_the_slope_of_either_side_is_right(slope: float) -> None:
    assert gradcheck(wrong("relu", 0, lambda right: slope), 0.0).ok


@pytest.mark.parametrize("base", ["sqrt", "pow"])
@pytest.mark.parametrize("slope", [-math.inf, 1.0, math.nan])
def test_wrong_gradients_at_an_edge_are_caught(base: str, slope: float) -> None:
    operation = wrong(base, 0, lambda right: slope)
    with pytest.raises(GradientError):
        gradcheck((lambda x: operation(x, 1.5)) if base == "pow" else operation, 0.0)


def test_a_network_like_function_agrees_by_every_input() -> None:
    report = gradcheck(lambda w, x, b, y: (tanh(w * x + b) - y) ** 2 + relu(w) * 1e-3, 0.5, -2.0, 0.3, 1.0)
    assert (report.ok, len(report.rows)) == (True, 4)
    assert len(str(report).splitlines()) == 5


def test_a_report_is_a_table() -> None:
    report = gradcheck(lambda w, y: w.relu() * y, Value(0.0, "weight"), 2.25)
    assert str(report).splitlines() == [
        "     input            at            analytic             numeric",
        "    weight             0                   0               1.125   kink: slopes 0 from the left, 2.25 from the right",
        "        x1          2.25                   0                   0",
    ]
    with pytest.raises(GradientError) as caught:
        gradcheck(lambda x, y: x + 2 * y.data, 0.0, 0.0)
    assert str(caught.value).splitlines() == [
        "the gradient by x1 is 0 by the sweep and 2 by central differences",
        "     input            at            analytic             numeric",
        "        x0             0                   1                   1",
        "        x1             0                   0                   2   <-- they differ",
    ]


def test_a_slope_from_one_side_alone_is_the_numeric_one() -> None:
    (left,) = gradcheck(lambda x: (1 - x) ** 1.5 + 3 * x, 1.0).rows
    (right,) = gradcheck(lambda x: x**1.5 + 3 * x, 0.0).rows
    assert math.isnan(left.right)
    assert math.isnan(right.left)
    assert (left.numeric, right.numeric) == (left.left, right.right)
    assert left.numeric == pytest.approx(3.0, abs=1e-4)


def test_labels_of_values_name_the_rows() -> None:
    x = Value(2.0, "weight")
    report = gradcheck(lambda a, b, c: a * b * c, x, Fraction(1, 2), np.float32(3))
    assert [(row.input, row.at) for row in report.rows] == [("weight", 2.0), ("x1", 0.5), ("x2", 3.0)]
    assert (x.data, x.grad) == (2.0, 0.0)
    labels: list[str] = []
    gradcheck(lambda a, b: labels.extend((a.label, b.label)) or a * b, x, 1.0)  # type: ignore[func-returns-value]  # None
    assert labels[:2] == ["weight", "x1"]


def test_labels_drive_no_terminal() -> None:
    x = Value(1.0, "\x1b[2J\nx" + "y" * 100)
    shown = "\ufffd[2J x" + "y" * 33 + "\u2026"
    report = gradcheck(lambda x: x * x, x)
    assert report.rows[0].input == x.label
    assert str(report).splitlines()[1:] == [str(report.rows[0])]
    assert str(report.rows[0]).startswith(f"{shown}  ")
    with pytest.raises(GradientError, match=re.escape(f"the gradient by {shown} is ")):
        gradcheck(wrong("exp", 0, WRONG["nothing"]), x)


def test_the_tolerance_is_what_is_tolerated() -> None:
    off = wrong("exp", 0, lambda slope: slope * (1 + 1e-4))
    assert gradcheck(off, 0.5, tolerance=1e-3).ok
    with pytest.raises(GradientError):
        gradcheck(off, 0.5, tolerance=1e-5)


@pytest.mark.parametrize(
    ("f", "inputs", "message"),
    [
        (exp, (), "gradcheck: there are no inputs"),
        (exp, ("1",), "gradcheck: '1' is of type str"),
        (exp, (None,), "gradcheck: None is of type NoneType"),
        (exp, (np.array([1.0, 2.0]),), r"gradcheck: array.*array.astype\(object\)"),
        (lambda x: x.data, (1.0,), "gradcheck: f returned 1.0 of type float; it has to return a Value"),
        (lambda x: None, (1.0,), "gradcheck: f returned None of type NoneType"),
        (lambda x: [x], (1.0,), "gradcheck: f returned .* of type list"),
    ],
)
def test_mistakes_are_named(f: Callable[..., Any], inputs: tuple[Any, ...], message: str) -> None:
    with pytest.raises(TypeError, match=f"^{message}"):
        gradcheck(f, *inputs)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: x**3, 0.0),
        (lambda x: 100 * x**3, 0.0),
        (lambda x: x + 1e8, 0.7),
        (lambda x: (x * 1e-8).exp(), 1e8),
        (lambda x: (x - 1) ** 3, 1.0),
        (lambda x: x.sin() ** 3, 0.0),
        (lambda x: (x * 1e6).sin(), 1.0),
        (lambda x: x.log(), 1e-12),
        (lambda x: x.exp(), 709.7),
    ],
)
def test_flat_steep_and_large_functions_are_right(f: Callable[[Value], Value], x: float) -> None:
    assert [row.kind for row in gradcheck(f, x).rows] == [""]


@pytest.mark.parametrize("f", [log, sqrt, lambda x: 1 / x, lambda x: log(-x), lambda x: x.sin()])
@pytest.mark.parametrize("x", [1e-100, 1e-12, STEPS[-1], 2e-10, 1e-9, 1e-8, 1e-7, 1e-6, STEPS[0], 1e-5, 1e-3])
def test_what_changes_fast_near_zero_is_right_there(f: Callable[[Value], Value], x: float) -> None:
    at = x if math.isfinite(f(Value(x)).data) else -x
    assert [row.kind for row in gradcheck(f, at).rows] == [""]


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * (1 if x.data >= 1 else 2),
        lambda x: (x * 1e6).sin() * 1.001 - 0.001 * math.sin(x.data * 1e6),
    ],
    ids=["a jump", "steep and wrong by a thousandth"],
)
def test_what_only_looks_like_a_kink_is_caught(f: Callable[[Value], Value]) -> None:
    with pytest.raises(GradientError):
        gradcheck(f, 1.0)


def test_the_first_nonfinite_node_is_named_with_its_reason() -> None:
    x, y = Value(0.0, "x"), Value(710.0, "y")
    found = first_nonfinite((x * 3).log() * y.exp())
    assert found is not None
    assert (found.node.operation.symbol, found.kind, found.number, found.why) == ("log", "data", -math.inf, "log(0.0) is -inf")
    assert str(first_nonfinite(1 / x + y)) == "the data of / is inf: 1.0 / 0.0 is inf"
    assert str(first_nonfinite(Value(math.nan, "z") + x)) == "the data of 'z' is nan: it was given as that"
    assert str(first_nonfinite(x - math.inf)) == "the data of the number inf is inf: it was given as that"


def test_a_gradient_that_is_not_finite_is_found_where_the_sweep_meets_it_first() -> None:
    x = Value(0.0, "x")
    root = (x * 4).sqrt()
    found = first_nonfinite(root * 2 + x)
    assert found is not None
    assert found.node is root.parents[0]
    assert (found.kind, found.number) == ("grad", math.inf)
    assert found.why == "it is sent 2.0 * inf by sqrt, whose slope at 0.0 is inf"
    assert x.grad == 0.0
    y = Value(0.5, "y")
    found = first_nonfinite(y * 1e308 - (-1e308) * y)
    assert found is not None
    assert (found.node, found.kind, found.why) == (y, "grad", "the sum of what its consumers send it is beyond 1.8e308")


def test_a_graph_of_finite_numbers_has_no_first_nonfinite_node() -> None:
    assert first_nonfinite(Value(2.0).log() + Fraction(1, 3)) is None
    assert first_nonfinite(Value(Fraction(10) ** 400) * 2) is None
    with pytest.raises(TypeError, match=r"^first_nonfinite: output is 3.0 of type float; give a Value$"):
        first_nonfinite(3.0)  # type: ignore[arg-type]


def test_where_a_nonfinite_number_comes_from_is_said_of_any_operation() -> None:
    x, y = Value(0.0, "x" * 60), Value(0.5, "y")
    assert str(first_nonfinite(x**y)) == (
        f"the grad of '{'x' * 40}' is inf: it is sent 1.0 * inf by **, whose slope at 0.0, 0.5 is inf"
    )
    farther = partial(
        record, Value, changed(OPERATIONS["maximum"], name="farther", symbol="farther", forward=lambda a, b: math.inf)
    )
    factorial = partial(record, Value, changed(OPERATIONS["neg"], name="factorial", symbol="!", forward=lambda a: math.inf))
    assert str(first_nonfinite(farther(x, y))) == "the data of farther is inf: farther(0.0, 0.5) is inf"
    assert str(first_nonfinite(factorial(y))) == "the data of ! is inf: !(0.5) is inf"


@pytest.mark.parametrize("size", [1e-5, 1e-8, 1e-12, 1e-100, 5e-324])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_wrong_slope_beside_a_jump_is_never_accepted(size: float, sign: int) -> None:
    """Steps that stay on one side of the jump are so small that rounding hides what they find."""
    at = sign * size
    jumping = recorded(changed(OPERATIONS["heaviside"], forward=lambda a, h: (a > 0) * 1.0, partials=lambda *_: (0.1, 0.0)))
    try:
        report = gradcheck(lambda x: jumping(x, 0.5), at)
    except GradientError:
        return
    assert not report.ok
    assert "<-- they differ" not in str(report)
    assert "undecided" in str(report)


@pytest.mark.parametrize("factor", [1.1, -1.0, 1.0])
def test_where_rounding_hides_the_slope_it_is_undecided_and_not_ok(factor: float) -> None:
    more = wrong("sin", 0, lambda slope: factor * slope)
    report = gradcheck(lambda x: more(x) * 1e-9 + 1000, 0.7)
    assert [(row.kind, row.ok) for row in report.rows] == [("undecided", False)]
    assert not report.ok
    with pytest.raises(GradientError, match="the gradient by x1 is"):  # another one is wrong
        gradcheck(lambda x, y: more(x) * 1e-9 + 1000 + wrong("sin", 0, lambda slope: -slope)(y), 0.7, 0.5)


@pytest.mark.parametrize("x", [5e-324, -5e-324, 1e-310, 2.3e-308])
def test_the_smallest_floats_are_inputs_too(x: float) -> None:
    assert gradcheck(sin, x).ok
    with pytest.raises(GradientError):
        gradcheck(wrong("sin", 0, lambda slope: 1.1 * slope), x)


NOT_A_FUNCTION: Any = Value(2.0)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda: gradcheck(NOT_A_FUNCTION, 1.0),
            TypeError,
            r"^gradcheck: f=Value.* is of type Value; give a function of Values",
        ),
        (
            lambda: gradcheck(Value.exp, 1.0, tolerance=math.nan),
            ValueError,
            "^gradcheck: tolerance=nan has to be a number between",
        ),
        (lambda: gradcheck(Value.exp, 1.0, tolerance=-1), ValueError, "^gradcheck: tolerance=-1 has to be a number between"),
    ],
)
def test_what_cannot_be_checked_is_said(call: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        call()
