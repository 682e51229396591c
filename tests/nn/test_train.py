"""`fit` against the same descent written out longhand: its weights, its history, its failures, and Ctrl-C at any moment."""

from __future__ import annotations

import math
import sys
from fractions import Fraction
from itertools import islice
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from test_matrix import BAD_SAMPLES, stack
from test_three_paths import LAST, PAIRS, XOR, Case, after, arrays, assert_close, case, cases, first_seed, trajectory

from nn import LOSSES, DivergedError, MatrixMLP, fit
from nn.activations import ACTIVATIONS


def descend(model: MatrixMLP, X: Any, Y: Any, steps: int, rate: float, loss: str) -> None:
    """Plain steps with the formulas of MatrixMLP."""
    for _ in range(steps):
        found = model.gradients(X, Y, loss)
        for array, slope in zip(arrays(model), arrays(found), strict=True):
            array[...] = array - rate * slope


@settings(max_examples=100, deadline=None)
@given(cases(), st.sampled_from([0.2, 0.01, -0.01]), st.integers(0, 12))
def test_fit_takes_the_steps_of_the_formulas(c: Case, rate: float, steps: int) -> None:
    rate = rate / len(c.X)
    model, other = c.matrices(), c.matrices()
    with np.errstate(all="ignore"):
        descend(other, c.X, c.Y, steps, rate, c.loss)
    assume(max(np.abs(a).max() for a in arrays(other)) < 4)  # what runs away magnifies rounding too
    fit(model, c.X, c.Y, steps, rate, c.loss)
    for want in (arrays(other), after(c, rate, steps)):
        assert_close(arrays(model), want, floor=1e-13)  # the weights began with a size near 1


@pytest.mark.parametrize(("rate", "n", "steps"), [(0.05, 6, 15), (1, 1, 3)])
@pytest.mark.parametrize("hidden", ACTIVATIONS)
@pytest.mark.parametrize(("loss", "last"), PAIRS)
def test_for_every_pair_of_activations_and_every_loss(
    loss: str, last: str, hidden: str, rate: float, n: int, steps: int
) -> None:
    for activations in ((hidden, last), (hidden, "tanh", hidden, last)):
        c = case(3, [3, *[4] * (len(activations) - 1), 2], activations, loss, n=n)
        model = c.matrices()
        fit(model, c.X, c.Y, steps, rate, loss)
        assert_close(arrays(model), after(c, rate, steps))


@pytest.mark.parametrize("networks", [1, 4])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("loss", LAST)
def test_a_stack_trains_as_each_network_alone(loss: str, bias: bool, networks: int) -> None:
    singles, stacked = stack(range(networks), [3, 4, 3, 2], ("sigmoid", "relu", LAST[loss][0]), loss, bias)
    X, Y = singles[0].X, singles[0].Y
    history = fit(stacked, X, Y, 40, 0.1, loss, report_every=20)
    assert np.shape(history.losses) == np.shape(history.mean_errors) == (3, networks)
    for r, c in enumerate(singles):
        alone = c.matrices()
        seen = fit(alone, X, Y, 40, 0.1, loss, report_every=20)
        assert_close(arrays(stacked.network(r)), arrays(alone))
        assert_close(arrays(alone), after(c, 0.1, 40))
        assert [losses[r] for losses in history.losses] == pytest.approx(seen.losses, rel=1e-12)
        assert [errors[r] for errors in history.mean_errors] == pytest.approx(seen.mean_errors, rel=1e-12)


@pytest.mark.parametrize(
    ("steps", "every", "seen"),
    [(10, None, [0, 10]), (10, 1, list(range(11))), (10, 4, [0, 4, 8, 10]), (10, 100, [0, 10]), (0, None, [0]), (0, 3, [0])],
)
@pytest.mark.parametrize("loss", LAST)
def test_the_history_is_that_of_the_longhand_descent(loss: str, steps: int, every: int | None, seen: list[int]) -> None:
    c = case(1, [3, 4, 2], ("tanh", LAST[loss][0]), loss)
    model = c.matrices()
    history = fit(model, c.X, c.Y, steps, 0.2, loss, report_every=every)
    want = list(islice(trajectory(c, 0.2), steps + 1))
    assert history.steps == seen
    assert history.losses == pytest.approx([want[step][1] for step in seen], rel=1e-12)
    assert history.mean_errors == pytest.approx([want[step][2] for step in seen], rel=1e-12)
    assert {type(x) for x in (*history.losses, *history.mean_errors)} == {float}
    assert_close(arrays(model), after(c, 0.2, steps), 0 if steps == 0 else 1e-12)


def test_to_go_on_is_to_start_again_where_it_stopped() -> None:
    c = first_seed()
    once, twice = c.matrices(), c.matrices()
    whole = fit(once, c.X, c.Y, 101, 1)
    first, second = fit(twice, c.X, c.Y, 50, 1), fit(twice, c.X, c.Y, 51, 1)
    assert_close(arrays(twice), arrays(once), 0)
    assert (first.losses[0], second.losses[1]) == tuple(whole.losses)
    assert first.losses[1] == second.losses[0]


def test_samples_of_any_layout_train_alike_and_are_not_changed() -> None:
    c = first_seed()
    (want, _, _) = next(islice(trajectory(c, 1), 30, None))
    for kind in (lambda a: a.astype(float), lambda a: a.astype(np.float32), np.ndarray.tolist, np.asfortranarray):
        X, Y = kind(c.X), kind(c.Y)
        if isinstance(X, np.ndarray):
            X.setflags(write=False)
            Y.setflags(write=False)
        model = c.matrices()
        fit(model, X, Y, 30, 1)
        assert np.array_equal(X, c.X)
        assert np.array_equal(Y, c.Y)
        assert_close(arrays(model), want.weights)
    assert_close(c.weights, first_seed().weights, 0)


def test_the_arrays_of_the_model_stay_the_same_objects() -> None:
    c = case(0, [2, 3, 1], ("tanh", "linear"), "half_squared_error")
    model = c.matrices()
    before = arrays(model)
    fit(model, c.X, c.Y, 3, 0.1)
    assert all(a is b for a, b in zip(arrays(model), before, strict=True))
    assert_close(before, after(c, 0.1, 3))


# -- progress


@pytest.mark.parametrize("installed", [True, False])
def test_progress_is_shown_and_changes_nothing(
    installed: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if installed:
        pytest.importorskip("tqdm")
    else:
        monkeypatch.setitem(sys.modules, "tqdm", None)
    c = first_seed()
    model, silent = c.matrices(), c.matrices()
    history = fit(model, c.X, c.Y, 300, 1, report_every=100, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert fit(silent, c.X, c.Y, 300, 1, report_every=100) == history
    assert history.steps == [0, 100, 200, 300]
    assert capsys.readouterr() == ("", "")
    assert_close(arrays(model), arrays(silent), 0)
    if installed:
        assert "300/300" in err
        assert "100%" in err
        assert " steps/s" in err
    else:
        shown = sorted({*range(0, 301, 3), 100, 200})  # each hundredth of the way, and where an entry is made
        assert err == "".join(f"step {step} of 300\n" for step in shown)


@pytest.mark.parametrize("steps", [0, 1, 5])
def test_progress_of_few_steps(steps: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    fit(first_seed().matrices(), *XOR, steps=steps, learning_rate=1, progress=True)
    assert capsys.readouterr().err == "".join(f"step {step} of {steps}\n" for step in range(steps + 1))


# -- training that fails


def first_failure(c: Case, rate: float) -> tuple[int, list[Any]]:
    """The step at which the longhand loss is not finite any more, and the arrays of the step before."""
    before: list[Any] = []
    with np.errstate(all="ignore"):
        for step, (now, loss, _) in enumerate(islice(trajectory(c, rate), 10_000)):
            if not math.isfinite(loss):
                return step, before
            before = arrays(now)
    raise AssertionError("it never failed")


@pytest.mark.parametrize("every", [None, 1, 7])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    ("activations", "loss", "rate"),
    [
        (("linear",), "half_squared_error", 3.0),
        (("linear",), "mean_squared_error", 9.0),
        (("linear",), "half_squared_error", 0.9),  # slowly, over hundreds of steps
        (("linear", "linear"), "mean_squared_error", 9.0),
        (("relu", "linear"), "half_squared_error", 2.0),
        (("linear", "linear"), "binary_cross_entropy", 1e100),
        (("linear", "linear"), "softmax_cross_entropy", 1e100),
    ],
)
def test_divergence_is_told_at_its_first_step(
    activations: tuple[str, ...], loss: str, rate: float, bias: bool, every: int | None
) -> None:
    c = case(5, [3, 4, 2][-len(activations) - 1 :], activations, loss, bias, n=6)
    step, kept = first_failure(c, rate)
    model = c.matrices()
    with pytest.raises(
        DivergedError, match=f"at step {step} the loss is (inf|nan); .* step {step - 1}; .* {rate:g}".replace("+", r"\+")
    ) as caught:
        fit(model, c.X, c.Y, 10_000, rate, loss, report_every=every)
    assert (caught.value.step, caught.value.kept) == (step, step - 1)
    assert not np.isfinite(caught.value.loss)
    assert isinstance(caught.value, ArithmeticError)
    assert all(np.isfinite(a).all() for a in arrays(model))
    assert_close(arrays(model), kept, 1e-9)  # hundreds of steps that magnify rounding


def test_one_diverging_network_stops_the_stack() -> None:
    c = case(5, [3, 2], ("linear",), "half_squared_error", n=6)
    wild = c._replace(weights=[1e153 * w for w in c.weights])
    step, kept = first_failure(wild, 0.9)
    model = MatrixMLP([np.stack([c.weights[0], wild.weights[0]])], [np.stack(arrays(c)[1:] * 2)], "linear")
    with pytest.raises(DivergedError) as caught:
        fit(model, c.X, c.Y, 1000, 0.9)
    assert caught.value.step == step
    assert np.isfinite(caught.value.loss).tolist() == [True, False]
    assert_close(arrays(model.network(1)), kept, 1e-12)
    assert_close(arrays(model.network(0)), after(c, 0.9, step - 1), 1e-12)


def test_what_is_not_finite_from_the_start_changes_nothing() -> None:
    c = first_seed()
    model = c.matrices()
    with pytest.raises(ValueError, match="fit: X holds nan"):
        fit(model, [[np.nan] * 3] * 4, c.Y, 10, 1)
    with pytest.raises(ValueError, match="fit: Y holds inf"):
        fit(model, c.X, [[np.inf]] * 4, 10, 1)
    assert_close(arrays(model), c.weights, 0)
    model.weights[0][0, 0] = np.nan
    with pytest.raises(DivergedError, match="the loss is nan; the model is unchanged") as caught:
        fit(model, c.X, c.Y, 10, 1)
    assert (caught.value.step, caught.value.kept) == (0, 0)


HIDDEN_OVERFLOW: dict[str, Any] = {
    "X": [[100.0]],
    "Y": [[-100.0]],
    "learning_rate": 1e307,
}  # to a weight of -inf: its sigmoid is a good 0


@pytest.mark.parametrize("steps", [1, 5])
def test_weights_that_overflow_under_a_finite_loss_are_not_kept(steps: int) -> None:
    model = MatrixMLP([[[0.01]]])
    with pytest.raises(DivergedError) as caught:
        fit(model, **HIDDEN_OVERFLOW, steps=steps)
    assert caught.value.kept == 0
    assert 1 <= caught.value.step <= steps
    assert model.weights[0].tolist() == [[0.01]]


def test_after_a_hidden_overflow_the_weights_of_the_last_report_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    loss, calls = LOSSES["half_squared_error"], iter(range(1, 100))

    def overflowing(z: Any, a: Any, y: Any, out: Any) -> Any:
        value = loss.evaluate(z, a, y, out)
        if next(calls) == 7:  # reports of steps 0 and 3, steps 0 to 4
            out[...] = np.inf
        return value

    c = Case([np.array([[0.5]])], None, ("sigmoid",), loss.name, np.array([[1.0]]), np.array([[0.0]]))
    monkeypatch.setitem(LOSSES, loss.name, loss._replace(evaluate=overflowing))
    model = c.matrices()
    with pytest.raises(DivergedError) as caught:
        fit(model, c.X, c.Y, 20, 1, report_every=3)
    assert caught.value.kept == 3
    assert_close(arrays(model), after(c, 1, 3))


@pytest.mark.parametrize("networks", [None, 2])
@pytest.mark.parametrize("hidden", ["sigmoid", "tanh"])
def test_preactivations_beyond_700_are_no_failure(hidden: str, networks: int | None) -> None:
    c = case(2, [2, 3, 1], (hidden, "sigmoid"), "binary_cross_entropy", n=5)
    c = c._replace(weights=[1e3 * c.weights[0], 1e3 * c.weights[1]], X=4 * c.X)
    model = c.matrices()
    if networks:
        weights, biases = ([np.stack([a] * networks) for a in part] for part in (c.weights, c.biases or ()))
        model = MatrixMLP(weights, biases, c.activations)
    history = fit(model, c.X, c.Y, 20, 0.5, c.loss, report_every=5)
    want = list(islice(trajectory(c, 0.5), 21))
    assert np.abs(c.X @ c.weights[0]).max() > 1000
    for step, loss in zip(history.steps, history.losses, strict=True):
        assert loss == pytest.approx(want[step][1], rel=1e-12)
    for r in range(networks or 0):
        assert_close(arrays(model.network(r)), arrays(want[-1][0]))
    if networks is None:
        assert_close(arrays(model), arrays(want[-1][0]))


# -- Ctrl-C


def interrupting(function: Any, calls: int) -> Any:
    """The function, that does as Ctrl-C would in the middle of its call of that number."""
    count = iter(range(1, 10**9))

    def interrupted(*inputs: Any) -> Any:
        result = function(*inputs)
        if next(count) == calls:
            raise KeyboardInterrupt
        return result

    return interrupted


@pytest.mark.parametrize("call", [1, 2, 3, 8, 9, 27])
@pytest.mark.parametrize("where", ["loss", "value", "slope"])
def test_ctrl_c_leaves_the_weights_of_a_whole_step(where: str, call: int, monkeypatch: pytest.MonkeyPatch) -> None:
    c = case(4, [3, 4, 2], ("tanh", "tanh"), "half_squared_error")
    if where == "loss":
        loss = LOSSES[c.loss]
        monkeypatch.setitem(LOSSES, c.loss, loss._replace(evaluate=interrupting(loss.evaluate, call)))
        done = max(0, call - 2)  # the first call is the report of step 0
    elif where == "value":
        tanh = ACTIVATIONS["tanh"]
        monkeypatch.setitem(ACTIVATIONS, "tanh", tanh._replace(value=interrupting(tanh.value, call)))
        done = max(0, (call - 3) // 2)  # two layers
    else:
        tanh = ACTIVATIONS["tanh"]
        monkeypatch.setitem(ACTIVATIONS, "tanh", tanh._replace(slope=interrupting(tanh.slope, call)))
        done = call - 1  # one call, for all layers
    model = c.matrices()
    with pytest.raises(KeyboardInterrupt):
        fit(model, c.X, c.Y, 10_000, 0.1)
    assert_close(arrays(model), after(c, 0.1, done))


def test_ctrl_c_after_an_overflow_leaves_finite_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    loss = LOSSES["half_squared_error"]
    monkeypatch.setitem(LOSSES, loss.name, loss._replace(evaluate=interrupting(loss.evaluate, 3)))
    model = MatrixMLP([[[0.01]]])
    with pytest.raises(KeyboardInterrupt):
        fit(model, **HIDDEN_OVERFLOW, steps=5)
    assert model.weights[0].tolist() == [[0.01]]


# -- what is refused


OBJECTS = r"fit: arrays of objects cannot be trained in place; give float arrays, array\.astype\(float\)$"
BAD_ARGUMENTS = [
    ({"steps": -1}, ValueError, "steps=-1 has to be a whole number from 0 up"),
    ({"steps": 2.0}, ValueError, r"steps=2\.0 has to be"),
    ({"steps": True}, ValueError, "steps=True has to be"),
    ({"steps": None}, ValueError, "steps=None has to be"),
    ({"epochs": 3}, ValueError, "steps=3 and epochs=3: give one of the two"),
    ({"steps": None, "epochs": 1.5}, ValueError, r"epochs=1\.5 has to be a whole number"),
    ({"batch_size": 0}, ValueError, "batch_size=0 has to be a whole number from 1 up"),
    ({"optimizer": "adm"}, ValueError, "optimizer='adm' is not known; choose one of sgd, momentum"),
    ({"optimizer": None}, ValueError, "optimizer=None is not known"),
    ({"weight_decay": -1}, ValueError, r"weight_decay=-1\.0 has to be 0 or more"),
    ({"schedule": "step"}, ValueError, "schedule='step' is no function of the step, and not constant, linear, cosine"),
    ({"schedule": lambda step: math.nan}, ValueError, r"schedule\(0\)=nan has to be a finite number"),
    ({"validation": ([[1.0]], [[1.0]])}, ValueError, r"validation: X has shape \(1, 1\), expected \(n, 2\)"),
    ({"validation": 3}, TypeError, "validation: .* give validation="),
    ({"patience": 2}, ValueError, "patience=2 needs validation="),
    ({"reduction": "none"}, ValueError, "reduction='none' has to be 'mean', 'sum', or None for that of the loss"),
    ({"rng": "a", "batch_size": 2}, TypeError, "rng='a' is no seed"),
    ({"report_every": 0}, ValueError, "report_every=0 has to be a whole number from 1 up"),
    ({"report_every": 1.5}, ValueError, r"report_every=1\.5"),
    ({"learning_rate": math.nan}, ValueError, "learning_rate=nan has to be a finite number"),
    ({"learning_rate": math.inf}, ValueError, "learning_rate=inf"),
    ({"learning_rate": "0.1"}, ValueError, r"learning_rate='0\.1'"),
    ({"loss": "softmax"}, ValueError, "loss='softmax' is not known"),
    ({"loss": "softmax_cross_entropy"}, ValueError, "loss='softmax_cross_entropy' .* has to be linear, not sigmoid$"),
    ({"X": np.full((4, 2), Fraction(1), dtype=object)}, TypeError, OBJECTS),
    *(({"X": x, "Y": y}, error, said) for x, y, error, said in BAD_SAMPLES),
]


@pytest.mark.parametrize(("wrong", "error", "said"), BAD_ARGUMENTS)
def test_wrong_arguments_are_refused_and_the_model_is_untouched(wrong: Any, error: type[Exception], said: str) -> None:
    model = MatrixMLP.random([2, 3, 1], rng=0)
    before = [a.copy() for a in arrays(model)]
    right = {"X": np.ones((4, 2)), "Y": np.ones((4, 1)), "steps": 3, "learning_rate": 0.1}
    with pytest.raises(error, match=f"^{said}"):
        fit(model, **{**right, **wrong})
    assert_close(arrays(model), before, 0)


def test_numpy_numbers_are_numbers() -> None:
    c = first_seed()
    model = c.matrices()
    history = fit(model, c.X, c.Y, np.int64(3), np.float32(0.5), report_every=np.int32(2))  # type: ignore[arg-type]  # at run time
    assert history.steps == [0, 2, 3]
    assert_close(arrays(model), after(c, 0.5, 3))


def test_a_model_that_is_none_is_refused_with_the_remedy() -> None:
    with pytest.raises(TypeError, match=r"the model is a list; give a MatrixMLP or an MLP"):
        fit([], *XOR, 1, 1)  # type: ignore[arg-type]  # the mistake that is tested
