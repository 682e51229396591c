"""Each loss: its value and its derivative against mpmath, as a graph of Values and as formulas for arrays."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import cache, reduce
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_matrix import within
from test_three_paths import ACTIVATIONS, LAST, PAIRS

from autograd import Tape, Value, logaddexp
from nn import LOSSES, MLP, MatrixMLP, derive_matrices, fit

mpmath.mp.dps = 60


def softplus(x: Any) -> Any:
    return mpmath.log1p(mpmath.exp(x))


def halves(_z: Any, a: Any, y: Any) -> Any:
    return sum(mpmath.mpf(p - q) ** 2 for p, q in zip(a.flat, y.flat, strict=True)) / 2


def bits(z: Any, _a: Any, y: Any) -> Any:
    return sum(q * softplus(-p) + (1 - q) * softplus(p) for p, q in zip(z.flat, y.flat, strict=True)) / y.size


def nats(z: Any, _a: Any, y: Any) -> Any:
    return sum(
        q * (mpmath.log(sum(map(mpmath.exp, logits))) - p)
        for logits, targets in zip(z, y, strict=True) for p, q in zip(logits, targets, strict=True)
    ) / len(y)  # fmt: skip


EXACT: dict[str, Callable[..., Any]] = {
    "half_squared_error": halves,
    "mean_squared_error": lambda z, a, y: 2 * halves(z, a, y) / y.size,
    "binary_cross_entropy": bits,
    "softmax_cross_entropy": nats,
    "huber": lambda _z, a, y: (
        sum(min(abs(p - q), 1) * (abs(p - q) - min(abs(p - q), 1) / 2) for p, q in zip(a.flat, y.flat, strict=True)) / y.size
    ),
}
to_mp = np.frompyfunc(mpmath.mpf, 1, 1)


def exactly(loss: str, logits: Any, Y: Any) -> tuple[Any, Any]:
    """The loss, and its derivative by what a linear last layer gives: a central difference, but with sixty digits."""
    z, y = to_mp(np.asarray(logits, float)), to_mp(np.asarray(Y, float))
    slopes = np.empty_like(z)
    step = mpmath.mpf(10) ** -20
    for at in np.ndindex(z.shape):
        above, below = z.copy(), z.copy()
        above[at] += step
        below[at] -= step
        slopes[at] = (EXACT[loss](above, above, y) - EXACT[loss](below, below, y)) / (2 * step)
    return EXACT[loss](z, z, y), slopes


def by_graph(loss: str, logits: Any, Y: Any) -> tuple[float, Any]:
    z = [[Value(v) for v in row] for row in np.asarray(logits).tolist()]
    value = LOSSES[loss].graph(z, z, np.asarray(Y).tolist())
    value.backward()
    return value.data, np.array([[v.grad for v in row] for row in z])


def by_arrays(loss: str, logits: Any, Y: Any) -> tuple[float, Any]:
    z, y = np.array(logits, float), np.array(Y, float)
    out = np.full_like(z, np.nan)
    value = LOSSES[loss].evaluate(z, z, y, out)
    assert np.array_equal(z, logits)
    assert np.array_equal(y, Y)
    return float(value), out


@cache
def taped(loss: str, Y: tuple[tuple[float, ...], ...], native: bool) -> Any:
    """Recorded at numbers that are far from all that it is replayed at: it has to keep none of them."""
    z = [[Value(1e20 * (i - j)) for j, _ in enumerate(row)] for i, row in enumerate(Y)]
    tape = Tape(LOSSES[loss].graph(z, z, Y), [v for row in z for v in row])
    return tape.native() if native else tape


def by_tape(loss: str, logits: Any, Y: Any, native: bool = False) -> tuple[float, Any]:
    """Replayed at numbers of which it knew nothing."""
    value, slopes = taped(loss, tuple(map(tuple, Y)), native)([x for row in np.asarray(logits, float).tolist() for x in row])
    return value, np.array(slopes).reshape(np.shape(logits))


def by_native(loss: str, logits: Any, Y: Any) -> tuple[float, Any]:
    return by_tape(loss, logits, Y, native=True)


WAYS = pytest.mark.parametrize("how", [by_graph, by_arrays, by_tape, by_native])


def test_these_are_all_the_losses() -> None:
    assert {name: set(loss.outputs) for name, loss in LOSSES.items()} == {name: set(last) for name, last in LAST.items()}
    assert [loss.name for loss in LOSSES.values()] == list(LOSSES)
    assert LOSSES["binary_cross_entropy"].outputs[0] == "sigmoid"


entries = st.floats(-4, 4).map(lambda x: round(x, 6))


@st.composite
def batches(draw: st.DrawFn, losses: tuple[str, ...] = tuple(LAST)) -> tuple[str, Any, Any]:
    loss = draw(st.sampled_from(losses))
    n, k = draw(st.integers(1, 4)), draw(st.integers(1 + (loss == "softmax_cross_entropy"), 4))
    target = st.floats(0, 1) if "entropy" in loss else entries
    draws = (draw(st.lists(st.lists(e, min_size=k, max_size=k), min_size=n, max_size=n)) for e in (entries, target))
    logits, Y = draws
    return loss, logits, Y


@settings(max_examples=120, deadline=None)
@given(batches())
def test_value_and_derivative_are_mpmaths(batch: tuple[str, Any, Any]) -> None:
    value, slopes = exactly(*batch)
    for found, derivative in (by_graph(*batch), by_arrays(*batch)):
        assert found == pytest.approx(float(value), rel=1e-14, abs=1e-15)
        assert np.abs(derivative - slopes.astype(float)).max() <= 1e-14


@pytest.mark.parametrize("target", [0.0, 1.0])
@WAYS
def test_binary_cross_entropy_is_right_to_4_units_in_the_last_place_for_any_logit(how: Any, target: float) -> None:
    logits = [*np.linspace(-1e3, 1e3, 401).tolist(), *np.linspace(-40, 40, 201).tolist(), 1e-300, -1e-300]
    for z in logits:
        value, slope = how("binary_cross_entropy", [[z]], [[target]])
        towards = mpmath.mpf(z if target == 0 else -z)
        exact_slope = (1 if target == 0 else -1) / (1 + mpmath.exp(-towards))
        assert within(value, softplus(towards), 4), z
        assert within(slope.item(), exact_slope, 4) or (
            how is by_arrays and abs(slope.item() - float(exact_slope)) <= 2**-52
        ), z


LOGITS = st.one_of(st.floats(-1e3, 1e3), st.floats(-40, 40), st.sampled_from([0.0, -0.0, 1e3, -1e3, 700.0, -36.7, 1e-300]))


@settings(max_examples=150)
@given(st.lists(LOGITS, min_size=1, max_size=6))
def test_the_log_of_a_sum_of_exp_is_right_to_4_units_in_the_last_place(logits: list[float]) -> None:
    want = mpmath.log1p(mpmath.fsum(map(mpmath.exp, logits)))
    largest = max(0.0, *logits)  # with log(2) it may cancel: these are units of what is added
    target = [1.0] + [0.0] * len(logits)
    by_pairs = reduce(logaddexp, map(Value, logits), Value(0.0)).data
    whole, found = (
        4 * math.ulp(max(want, largest)),
        [how("softmax_cross_entropy", [[0.0, *logits]], [target])[0] for how in (by_graph, by_arrays, by_tape, by_native)],
    )
    assert found[0] == found[2] == found[3]
    assert abs(found[1] - want) <= whole
    again = 0 if len(logits) == 1 else 40 * 2**-53 * want  # a log that enters an exp once more: by its size, where that counts
    assert abs(by_pairs - want) <= whole + again
    assert abs(found[0] - want) <= whole + again


@WAYS
def test_a_loss_that_is_small_keeps_its_digits(how: Any) -> None:
    for others in ([-40.0], [-40.0, -41.0], [-700.0, -1000.0, -699.0], [-1e-3, -30.0]):
        value, _ = how("softmax_cross_entropy", [[2.0, *(2 + z for z in others)]], [[1.0] + [0.0] * len(others)])
        assert within(value, mpmath.log1p(mpmath.fsum(mpmath.exp(mpmath.mpf(2 + z) - 2) for z in others)), 4)


@WAYS
def test_softmax_cross_entropy_takes_huge_logits(how: Any) -> None:
    logits = [[1e3, -1e3, 0.0], [1e300, -1e300, 1e299], [-5e3, -5e3, -5e3 - math.log(2)], [0.0, 0.0, -1e308]]
    value, slopes = how("softmax_cross_entropy", logits, [[1, 0, 0], [1, 0, 0], [0, 0, 1], [0, 1, 0]])
    assert value == pytest.approx((math.log(5) + math.log(2)) / 4, rel=1e-13)
    want = [[0, 0, 0], [0, 0, 0], [0.1, 0.1, -0.2], [0.125, -0.125, 0]]
    assert slopes == pytest.approx(np.array(want), abs=1e-12)
    wrong, slopes = how("softmax_cross_entropy", [[800.0, 0.0]], [[0, 1]])
    assert (wrong, slopes.tolist()) == (800.0, [[1.0, -1.0]])


def test_softmax_targets_need_not_sum_to_one() -> None:
    logits, targets = [[0.5, -1.0, 2.0]], [[2.0, 0.5, 0.0]]
    value, slopes = exactly("softmax_cross_entropy", logits, targets)
    for found, derivative in (
        by_graph("softmax_cross_entropy", logits, targets),
        by_arrays("softmax_cross_entropy", logits, targets),
    ):
        assert found == pytest.approx(float(value), rel=1e-14)
        assert derivative == pytest.approx(slopes.astype(float), abs=1e-14)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_stack_has_the_losses_of_each(data: st.DataObject) -> None:
    loss, logits, Y = data.draw(batches())
    z, y = np.array([logits, np.negative(logits), np.array(logits) / 3]), np.array(Y)
    out = np.full_like(z, np.nan)
    values = LOSSES[loss].evaluate(z, z, y, out)
    for r in range(3):
        value, derivative = by_arrays(loss, z[r], y)
        assert values[r] == pytest.approx(value, rel=1e-13, abs=1e-15)
        assert out[r] == pytest.approx(derivative, rel=1e-13, abs=1e-15)


@settings(max_examples=60, deadline=None)
@given(batches(("half_squared_error", "mean_squared_error")))
def test_squared_errors_of_fractions_are_exact(batch: tuple[str, Any, Any]) -> None:
    loss, logits, Y = batch
    exact = np.frompyfunc(Fraction, 1, 1)
    a, y = exact(np.array(logits, object)), exact(np.array(Y, object))
    out = np.empty_like(a)
    scale = Fraction(1, 2) if loss == "half_squared_error" else Fraction(1, a.size)
    value = LOSSES[loss].evaluate(a, a, y, out)
    graph: Any = LOSSES[loss].graph(a.tolist(), np.frompyfunc(Value, 1, 1)(a).tolist(), y.tolist())
    assert value == graph.data == scale * sum((p - q) ** 2 for p, q in zip(a.flat, y.flat, strict=True))
    assert type(value) is type(graph.data) is Fraction
    assert (out == 2 * scale * (a - y)).all()


CALLS = [
    lambda loss, last: MLP(2, [3, 2], ("relu", last), rng=0).loss(np.ones((4, 2)), np.ones((4, 2)), loss),
    lambda loss, last: MatrixMLP.random([2, 3, 2], ("relu", last), rng=0).gradients(np.ones((4, 2)), np.ones((4, 2)), loss),
    lambda loss, last: fit(MatrixMLP.random([2, 2], last, rng=0), np.ones((4, 2)), np.ones((4, 2)), 1, 0.1, loss),
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("last", ACTIVATIONS)
@pytest.mark.parametrize("loss", [*LAST, "cross_entropy", ""])
def test_losses_are_known_by_name_and_want_their_last_activation(loss: str, last: str, call: Any) -> None:
    if (loss, last) in PAIRS:
        call(loss, last)
        return
    said = (
        f"loss='{loss}' starts from the pre-activation.* has to be {' or '.join(LAST[loss])}, not {last}"
        if loss in LAST
        else f"loss='{loss}' is not known; choose one of half_squared_error, mean_squared_error, binary_cross_entropy, softmax"
    )
    with pytest.raises(ValueError, match=said):
        call(loss, last)


@pytest.mark.parametrize(
    ("loss", "y"),
    [
        ("half_squared_error", [[1.0, 2.0]]),
        ("half_squared_error", [[1.0], [2.0]]),
        ("softmax_cross_entropy", [[1.0], [2.0]]),
        ("softmax_cross_entropy", [[1.0, 2.0]]),
    ],
)
def test_a_graph_of_rows_that_do_not_pair_up_is_refused(loss: str, y: Any) -> None:
    with pytest.raises(ValueError, match=r"zip\(\) argument 2 is"):
        LOSSES[loss].graph([[Value(1.0)]], [[Value(1.0)]], y)


@pytest.mark.parametrize(
    ("name", "Y", "said"),
    [
        *(
            (name, [[0.0, 1.0], [0.5, wrong]], f"Y holds {wrong}; the targets of {name} are probabilities")
            for name in ("binary_cross_entropy", "softmax_cross_entropy")
            for wrong in (-0.1, 2.0)
        ),
        ("softmax_cross_entropy", [[Fraction(3), 0], [0, 1]], r"Y holds 3(\.0)?; the targets"),
        (
            "softmax_cross_entropy",
            [[1.0], [0.0]],
            "^softmax_cross_entropy of one output is 0 .* use binary_cross_entropy, or one output for each class$",
        ),
    ],
)
def test_targets_that_do_not_fit_the_loss_are_refused(name: str, Y: Any, said: str) -> None:
    model, X = MatrixMLP.random([2, len(Y[0])], "linear", rng=0), np.ones((2, 2))
    for ask in (
        lambda: model.gradients(X, Y, name),
        lambda: model.to_mlp().loss(X, Y, name),
        lambda: fit(model, X, Y, 1, 0.1, name),
        lambda: derive_matrices(model, X, Y, name),
    ):
        with pytest.raises(ValueError, match=said):
            ask()


@pytest.mark.parametrize(
    ("loss", "value", "slopes"),
    [
        ("half_squared_error", 0.75, [[-1.0, 0.0], [-0.5, -0.5]]),
        ("mean_squared_error", 0.375, [[-0.5, 0.0], [-0.25, -0.25]]),
        ("binary_cross_entropy", math.log(2), [[-0.125, 0.125], [0.0, 0.0]]),
        ("softmax_cross_entropy", math.log(2), [[-0.25, 0.25], [0.0, 0.0]]),
        ("huber", 0.1875, [[-0.25, 0.0], [-0.125, -0.125]]),
    ],
)
def test_each_loss_of_outputs_that_are_zero_by_hand(loss: str, value: float, slopes: Any) -> None:
    for found, derivative in (by_graph(loss, [[0.0, 0.0]] * 2, BY_HAND), by_arrays(loss, [[0.0, 0.0]] * 2, BY_HAND)):
        assert found == pytest.approx(value, rel=1e-15)
        assert derivative.tolist() == slopes


BY_HAND = [[1.0, 0.0], [0.5, 0.5]]
