"""`nn.diagnose` against mistakes planted by `planting`, which is a second reading of the same specification.

`python tests/soak/diagnosing.py 500` plants every mistake alone and 500 random pairs.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from fractions import Fraction
from itertools import islice, product
from typing import Any, NamedTuple

import numpy as np
import planting
import pytest
from diagnosing import accused, blamed, diagnose, judge, odd_slopes, report_on, rng, tried
from planting import CORRECT, PLANTS, Config, Mistake, changes, configs, plant

from nn.diagnose import Finding, Report
from nn.diagnose.explanations import Sent
from nn.diagnose.formulas import evaluated, shown
from nn.diagnose.gradients import CLOSE
from nn.diagnose.messages import words_for
from nn.diagnose.mistakes import MISTAKES
from nn.diagnose.network import Network, network
from nn.diagnose.parts import Layer, enumerated, errors, layer_of, lines, slopes, wholes
from nn.diagnose.problem import last_activations, losses
from nn.diagnose.scales import scales

XOR = np.array([[0.0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]]), np.array([[0.0], [1], [1], [0]])


# the harness itself


def test_every_name_of_the_table_is_planted() -> None:
    counts = {family: len(members) for family, members in planting.FAMILIES.items()}
    assert counts == {"slope": 15, "chain": 9, "input": 6, "bias": 5, "scale": 7, "sign": 3}


def test_the_right_passes_are_finite_differences_of_the_loss() -> None:
    for config in islice(configs(rng("finite differences")), 50):
        given = config.data(3)
        numerical = planting.numerical(config, *given)
        for name in CORRECT:
            found = planting.correct(name, config)(*given)
            assert set(found) == set(config.names)
            for key, want in numerical.items():
                got = np.asarray(found[key])
                assert got.size == want.size
                assert abs(got.reshape(want.shape) - want).max() < 1e-6 * (1 + abs(want).max()), (name, key, config)


def test_what_changes_nothing_is_not_planted() -> None:
    config = Config((3, 4, 1), ("relu", "linear"))
    assert not planting.applicable("derivative_applied_to_activation", 1, config)
    assert not planting.applicable("missing_activation_derivative", 2, config)
    assert not planting.applicable("missing_transpose", 1, config)
    assert not planting.applicable("updated_weights_used", 1, config)
    assert changes(config, [("bias_summed_over_all_axes", 2)]) == []  # of a single output the sum of all is the sum
    assert changes(config, [("upstream_gradient_dropped", 1)]) == ["dW1", "db1"]


# 1. no right pass is accused


@pytest.mark.parametrize("name", CORRECT)
def test_a_right_pass_is_not_accused(name: str) -> None:
    for config in islice(configs(rng("right", name)), 8):
        report = report_on(config, planting.correct(name, config))
        assert report.ok, (config, str(report))
        assert list(report.findings) == []


def test_a_right_dictionary_is_not_accused() -> None:
    for config in islice(configs(rng("right dictionary")), 12):
        assert report_on(config, plant(config)(*config.data(7))).ok, config


# 2. each mistake alone


@pytest.mark.parametrize("name", PLANTS)
def test_one_mistake_can_be_planted_and_is_named(name: str) -> None:
    config, chosen = planting.case(rng("alone", name), [name])
    assert changes(config, chosen)
    assert planting.applicable(name, chosen[0].layer, config)
    assert chosen[0] in planting.explanations(config, chosen)
    report = report_on(config, plant(config, chosen))
    assert judge(config, chosen, report) == "", (chosen, config, str(report))
    assert all(f.message and isinstance(f.layer, int) for f in report.findings)
    assert report.findings[0].gradient in str(report)


@pytest.mark.parametrize(
    "name", ["missing_activation_derivative", "error_propagated_without_delta", "bias_not_summed_over_batch"]
)
def test_one_mistake_is_named_from_a_dictionary(name: str) -> None:
    config = Config((3, 4, 2), ("sigmoid", "tanh"), reduction="samples", n=6)
    chosen = [planting.mistake(name, 1, config)]
    report = report_on(config, plant(config, chosen)(*config.data(7)))
    assert judge(config, chosen, report) == "", str(report)


def test_the_first_gradient_that_is_wrong_is_the_one_named_and_the_others_follow_from_it() -> None:
    config = Config((3, 4, 2), ("sigmoid", "sigmoid"))
    (finding,) = report_on(config, plant(config, [("missing_activation_derivative", 2)])).findings
    assert (finding.layer, finding.gradient, set(finding.consequences)) == (2, "dW2", {"db2", "dW1", "db1"})
    (finding,) = report_on(config, plant(config, [("transposed_gradient", 1)])).findings
    assert (finding.layer, finding.gradient, list(finding.consequences)) == (1, "dW1", [])


# 3. pairs; 5. what is found reproduces


@pytest.mark.slow
def test_pairs_are_named() -> None:
    r = rng("pairs")
    found = tried(planting.random_pair(r) for _ in range(12))
    failed = [(verdict, chosen, config) for verdict, _, config, chosen in found if verdict]
    assert not [case for case in failed if case[0].startswith("blames")]
    assert len(failed) <= 1, failed  # the long run, `python tests/soak/diagnosing.py`, has the rate


# 4. conventions left out: no right pass is accused; formulas that have no name are written out


def test_no_right_pass_is_accused_whatever_is_left_out() -> None:
    assert accused(rng("left out"), 30) == []


def test_a_slope_that_has_no_name_is_written_out() -> None:
    assert len(odd_slopes(rng("odd slopes"), 12)) <= 1


# 5. shapes and other accidents: a report, not a crash


SMALL = Config((3, 4, 2), ("sigmoid", "sigmoid"))


def spoilt(**replaced: Any) -> Any:
    """The right pass with these gradients replaced; None leaves one out."""

    def backward(params: Any, X: Any, Y: Any) -> dict[str, Any]:
        found = {**plant(SMALL)(params, X, Y), **replaced}
        return {name: g for name, g in found.items() if g is not None}

    return backward


@pytest.mark.parametrize(
    "value",
    [
        0.0,
        1,
        None,
        np.zeros((4, 2)),
        np.zeros((2, 4)),
        np.zeros(7),
        np.zeros((4, 2, 1)),
        np.full((4, 2), np.nan),
        np.full((4, 2), np.inf),
        [],
        "text",
        [[1.0], [2.0, 3.0]],
    ],
)
def test_a_gradient_that_is_no_gradient_is_reported(value: Any) -> None:
    report = report_on(SMALL, spoilt(dW2=value))
    assert not report.ok
    assert blamed(report) <= {"dW2"}
    assert "dW2" in str(report)
    assert not report_on(SMALL, spoilt(dW2=value)(*SMALL.data(7))).ok


@pytest.mark.parametrize("returned", [None, 0.0, [], {}, np.zeros((4, 2)), (1, 2)])
def test_something_else_than_gradients_is_reported(returned: Any) -> None:
    report = report_on(SMALL, lambda *_: returned)
    assert not report.ok
    assert str(report)


def test_an_exception_is_reported() -> None:
    def backward(params: Any, X: Any, Y: Any) -> dict[str, Any]:
        return {"dW1": X @ Y, "dW2": params["W2"]}

    report = report_on(SMALL, backward)
    assert not report.ok
    assert "ValueError" in str(report)
    assert "matmul" in str(report)


def test_what_is_given_is_not_changed() -> None:
    def backward(params: Any, X: Any, Y: Any) -> dict[str, Any]:
        found = plant(SMALL)(params, X, Y)
        for name in params:
            params[name] -= 0.1 * found["d" + name]
        X *= 0
        return found

    given = SMALL.data(7)
    diagnose(backward, *given, **SMALL.options)
    for before, after in zip(SMALL.data(7)[1:], given[1:], strict=True):
        assert (before == after).all()
    assert all((SMALL.data(7)[0][name] == p).all() for name, p in given[0].items())


BAD: list[tuple[str, dict[str, Any]]] = [
    ("activations", {"activations": ("sigmoid",)}),
    ("activations", {"activations": ("sigmoid", "swish")}),
    ("activations", {"activations": ("softmax", "sigmoid")}),
    ("activations", {"activations": 3}),
    ("loss", {"loss": "hinge"}),
    ("loss", {"loss": None}),
    ("sigmoid", {"loss": "binary_cross_entropy", "activations": ("sigmoid", "tanh")}),
    ("softmax", {"loss": "softmax_cross_entropy"}),
    ("reduction", {"reduction": "mean"}),
    ("samples", {"samples": "row"}),
    ("weights", {"weights": "out-in"}),
    ("learning_rate", {"learning_rate": "0.1"}),
    ("backward", {"backward": 3}),
    ("params", {"params": [1, 2]}),
    ("params|W1", {"params": {}}),
    ("W2", {"params": {"W1": np.ones((3, 4)), "W2": np.ones((5, 2))}}),
    ("b1", {"params": {"W1": np.ones((3, 4)), "W2": np.ones((4, 2)), "b1": np.ones(5)}}),
    ("X|W1", {"X": np.ones((5, 4))}),
    ("X", {"X": "text"}),
    ("Y", {"Y": np.ones((5, 3))}),
    ("Y", {"Y": np.ones((4, 2))}),
]


@pytest.mark.parametrize(("named", "arguments"), BAD)
def test_a_bad_argument_is_refused_by_name(named: str, arguments: dict[str, Any]) -> None:
    params, X, Y = SMALL.data(7)
    given = {"backward": plant(SMALL), "params": params, "X": X, "Y": Y, **SMALL.options, **arguments}
    with pytest.raises((ValueError, TypeError), match=named):
        diagnose(**given)


SIGMOIDS = "give one name per layer, for example ('sigmoid', 'sigmoid')"
NOT_KNOWN = "is not known; choose one of"
WRONG: list[tuple[dict[str, Any], str]] = [  # beside 3-4-2, five samples in rows
    ({"params": [1, 2]}, "params: expected a dictionary with W1, b1 (optional), W2, ..., got [1, 2]"),
    ({"params": {"W2": 1}}, "params: expected a dictionary with W1, b1 (optional), W2, ..., got {'W2': 1}"),
    ({"activations": "tanh"}, f"activations='tanh': {SIGMOIDS}"),
    ({"activations": 3}, f"activations=3: {SIGMOIDS}"),
    ({"activations": ()}, f"activations=(): {SIGMOIDS}"),
    ({"activations": ("tanh", 3)}, f"activations[1]=3 {NOT_KNOWN} sigmoid, tanh, relu, linear, leaky_relu, softmax"),
    ({"activations": ("softmax", "tanh")}, f"activations[0]='softmax' {NOT_KNOWN} sigmoid, tanh, relu, linear, leaky_relu"),
    ({"activations": ("tanh",)}, "params has W1, W2; 1 activations need W1 to W1, and b1 to b1 at most"),
    ({"activations": ("tanh",) * 3}, "params has W1, W2; 3 activations need W1 to W3, and b1 to b3 at most"),
    ({"params": {"W1": 1, "W2": 2, "X1": 3}},
     "params has W1, W2, X1; with 2 layers it may have W1 to W2, and b1 to b2 at most"),
    ({"loss": "hinge"},
     (f"loss='hinge' {NOT_KNOWN} squared_error, half_squared_error, mean_squared_error, binary_cross_entropy, "
      "softmax_cross_entropy, huber")),
    ({"loss": "binary_cross_entropy", "activations": ("sigmoid", "tanh")},
     "loss='binary_cross_entropy' needs sigmoid as the last activation, not 'tanh'"),
    ({"loss": "softmax_cross_entropy", "activations": ("tanh", "sigmoid")},
     "loss='softmax_cross_entropy' needs softmax as the last activation, not 'sigmoid'"),
    ({"samples": "row"}, f"samples='row' {NOT_KNOWN} rows, columns"),
    ({"weights": "out-in"}, f"weights='out-in' {NOT_KNOWN} in_out, out_in"),
    ({"reduction": None}, f"reduction=None {NOT_KNOWN} sum, samples, outputs, all"),
    *(({"learning_rate": rate}, f"learning_rate={rate!r} has to be a finite number, or None if it is not known")
      for rate in ("0.1", True, math.inf)),
    ({"backward": 3}, "backward: 3 is neither a function (params, X, Y) -> gradients nor a dictionary of them"),
    ({"X": np.ones(3)}, "X has shape (3,), expected 2 dimensions"),
    ({"Y": np.ones(3)}, "Y has shape (3,), expected 2 dimensions"),
    ({"X": np.ones((0, 3))}, "X has shape (0, 3), expected one without zeros"),
    ({"X": np.full((5, 3), np.nan)}, "X holds nan; give finite numbers"),
    ({"Y": np.full((5, 2), -np.inf)}, "Y holds -inf; give finite numbers"),
    ({"X": [[Fraction(10**400)] * 3]}, "X holds a number that is too large for a float, beyond 1.8e308; give smaller ones"),
    ({"Y": [[Fraction(10**400)] * 2]}, "Y holds a number that is too large for a float, beyond 1.8e308; give smaller ones"),
    ({"W1": [[Fraction(10**400)]]},
     "params['W1'] holds a number that is too large for a float, beyond 1.8e308; give smaller ones"),
    ({"W1": np.ones((1, 3, 4))}, "params['W1'] has shape (1, 3, 4), expected 1 or 2 dimensions"),
    ({"W1": np.ones(3)}, "params['W1'] has shape (3,), expected (3, n_out): 3 numbers come into layer 1"),
    ({"W2": np.ones((5, 2))}, "params['W2'] has shape (5, 2), expected (4, n_out): 4 numbers come into layer 2"),
    ({"weights": "out_in"},
     ("params['W1'] has shape (3, 4), expected (n_out, 3): 3 numbers come into layer 1; "
      "samples='rows', weights='in_out' would fit")),
    ({"b1": np.ones(5)}, "params['b1'] has shape (5,), expected (4,), (1, 4) or (4, 1)"),
    ({"Y": np.ones((5, 3))}, "Y has shape (5, 3), expected (5, 2)"),
    ({"samples": "columns", "X": np.ones((3, 5))}, "Y has shape (5, 2), expected (2, 5)"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "said"), WRONG, ids=[said for _, said in WRONG])
def test_the_whole_of_what_is_said_about_an_argument(arguments: dict[str, Any], said: str) -> None:
    params: dict[str, Any] = {"W1": np.ones((3, 4)), "W2": np.ones((4, 2))}
    params |= {name: a for name, a in arguments.items() if name[0] in "Wb" and name[1].isdigit()}
    given: dict[str, Any] = {"backward": {}, "params": params, "X": np.ones((5, 3)), "Y": np.ones((5, 2))}
    with pytest.raises((ValueError, TypeError)) as caught:
        diagnose(**given | {name: a for name, a in arguments.items() if name not in params})
    assert str(caught.value) == said


def raising(*_: Any) -> Any:
    raise KeyError("dw")


MISSING = "is missing, but there is a W2; gradients are returned as dW1, db1, ..."


@pytest.mark.parametrize(
    ("backward", "report"),
    [
        (raising, ((), (), (), ("dW2", "dW1"), (
            "The backward pass raised KeyError: 'dw'. The shapes it was given: W1 (3, 4), W2 (4, 2), X (3, 5).",))),
        (lambda *_: 3, ((), (), (), ("dW2", "dW1"), (
            "The backward pass returned 3; it has to return a dictionary, {'dW1': ..., 'db1': ...}.",))),
        ({"W2": 1, "c": 2}, ((), (), ("dW2", "dW1"), ("dW2", "dW1"), (
            f"dW2 {MISSING}", "dW1 is missing: the backward pass returned W2, c."))),
        ({"dW1": np.zeros((3, 4)), "dW2": np.zeros((4, 2))}, ((), (), ("dW2", "dW1"), ("dW2", "dW1"), (
            "Every gradient is zero: dW2, dW1. Nothing has been computed yet.",))),
        ({"dW1": np.zeros((3, 4)), "W2": 1}, ((), (), ("dW2", "dW1"), ("dW2", "dW1"), (
            f"dW2 {MISSING}", "Every gradient is zero: dW1. Nothing has been computed yet."))),
    ],
)  # fmt: skip
def test_the_whole_report_of_what_is_no_gradient(backward: Any, report: Any) -> None:
    random = rng("no gradient")
    params = {"W1": random.normal(size=(3, 4)), "W2": random.normal(size=(4, 2))}
    found = diagnose(backward, params, random.normal(size=(3, 5)), random.random((2, 5)), samples="columns")
    assert found == Report(*report)


def test_what_is_right_is_named_where_another_is_missing() -> None:
    config = Config((3, 4, 2), ("sigmoid", "sigmoid"), bias=None)
    right = plant(config)(*config.data(7))
    said = "dW1 is missing: the backward pass returned dW2."
    assert report_on(config, {"dW2": right["dW2"]}) == Report((), ("dW2",), ("dW1",), ("dW1",), (said,))


@pytest.mark.parametrize(
    ("samples", "weights", "formula"),
    [
        ("rows", "in_out", "a1.T @ delta2"),
        ("columns", "out_in", "delta2 @ a1.T"),
        ("rows", "out_in", "delta2.T @ a1"),
        ("columns", "in_out", "a1 @ delta2.T"),
    ],
)
def test_formulas_are_in_the_users_orientation(samples: str, weights: str, formula: str) -> None:
    config = replace(SMALL, samples=samples, weights=weights, bias=None)
    report = report_on(config, plant(config, [("missing_input_factor", 2)])(*config.data(7)))
    assert f"Right: dW2 = {formula}." in report.findings[0].message


DRAWN = rng("targets")
CLASSES, LABELS = np.eye(3)[DRAWN.integers(3, size=300)], DRAWN.integers(0, 2, (300, 3)).astype(float)


def given_to_a_backward_pass(X: Any, Y: Any) -> list[tuple[Any, Any]]:
    seen: list[tuple[Any, Any]] = []

    def backward(_params: Any, x: Any, y: Any) -> dict[str, Any]:
        seen.append((x, y))
        return {}

    diagnose(backward, {"W1": np.ones((X.shape[1], Y.shape[1]))}, X, Y, ("sigmoid",))
    (x, y), (again, targets), *fresh = seen
    assert np.array_equal(x, again)  # asked twice: does it remember anything?
    assert np.array_equal(y, targets)
    return [(x, y), *fresh]


@pytest.mark.parametrize(
    "Y", [CLASSES, LABELS, CLASSES[:, :1], np.ones((300, 1)), DRAWN.uniform(-2, 5, (300, 3)), np.full((300, 3), 4.0)]
)
def test_fresh_data_is_like_the_given_one(Y: Any) -> None:
    X = rng("samples").normal(3, 2, (300, 10))
    seen = given_to_a_backward_pass(X, Y)
    assert len(seen) == 5
    assert np.array_equal(seen[0][0], X)
    assert np.array_equal(seen[0][1], Y)
    labels = np.isin(Y, (0, 1)).all()
    low, high = (0, 1) if labels else (Y.min(), max(Y.max(), Y.min() + 1))
    for (x, y), spread in zip(seen[1:], (2, 2, 4, 6), strict=True):
        assert x.mean() == pytest.approx(3, abs=0.5)
        assert x.std() == pytest.approx(spread, rel=0.05)
        assert y.shape == Y.shape
        assert (y.min(), y.max()) == pytest.approx((low, high), abs=0.02 * (high - low))
        assert y.mean() == pytest.approx((1 / 3 if Y is CLASSES else (low + high) / 2), abs=0.1 * (high - low))
        assert np.isin(y, (0, 1)).all() == labels
        assert (y.sum(axis=1) == 1).all() == (Y is CLASSES)
    assert len({x.tobytes() for x, _ in seen}) == len({y.tobytes() for _, y in seen}) == 5
    again = given_to_a_backward_pass(X, Y)
    assert [(x.tobytes(), y.tobytes()) for x, y in again] == [(x.tobytes(), y.tobytes()) for x, y in seen]


def test_fresh_data_beside_samples_that_are_all_alike_is_not() -> None:
    seen = given_to_a_backward_pass(np.full((50, 40), 7.0), np.ones((50, 1)))
    assert [x.std() for x, _ in seen] == pytest.approx([0, 1, 1, 2, 3], rel=0.1)


def test_gradients_that_are_all_zero_are_called_that() -> None:
    config = Config((3, 4, 1), ("sigmoid", "sigmoid"), bias=None)
    report = report_on(config, lambda p, _x, _y: {"dW1": np.zeros((3, 4)), "dW2": np.zeros((4, 1))})
    assert not report.ok
    assert list(report.findings) == []
    assert "Every gradient is zero: dW2, dW1" in str(report)


def test_a_network_that_is_not_finite_is_refused() -> None:
    config = Config((3, 4, 1), ("sigmoid", "sigmoid"), bias=None)
    params, X, Y = config.data(7)
    params["W1"][0, 0] = np.nan
    with pytest.raises(ValueError, match=r"params\['W1'\] holds nan"):
        diagnose(plant(config), params, X, Y, **config.options)


def test_names_without_their_d_are_pointed_at() -> None:
    config = Config((3, 4, 1), ("sigmoid", "sigmoid"), bias=None)
    report = report_on(config, lambda p, _x, _y: dict(p))
    assert "dW2 is missing, but there is a W2" in str(report)


def test_names_that_somebody_else_chose_drive_no_terminal() -> None:
    config = Config((3, 4, 1), ("sigmoid", "sigmoid"), bias=None)
    report = report_on(config, lambda _p, _x, _y: {"W": 1, "\x1b[2J": 2})
    assert "dW2 is missing: the backward pass returned '\\x1b[2J', W." in str(report)
    params, X, Y = config.data(7)
    strange: dict[Any, Any] = {**params, "\n": 1, None: 2}
    with pytest.raises(ValueError, match=r"^params has W1, W2, '\\n', None; 2 activations need"):
        diagnose(plant(config), strange, X, Y, **config.options)


# 6. the seed questions, as posted


def first_seed(params: Any, X: Any, Y: Any) -> dict[str, Any]:
    def Sigmoid(Z: Any, Deriv: bool = False) -> Any:  # noqa: N802  the post's name
        P = np.reciprocal(1 + np.exp(-Z))
        if Deriv == False:  # noqa: E712  as posted
            return P
        return Z * (1 - Z)

    W1, W2 = params["W1"], params["W2"]
    L0 = X
    L1 = Sigmoid(np.dot(L0, W1))
    L2 = Sigmoid(np.dot(L1, W2))
    L2_Error = Y - L2
    L2_Delta = L2_Error * Sigmoid(L2, Deriv=True)
    L1_Error = L2_Delta.dot(W2.T)
    L1_Delta = L1_Error * Sigmoid(L1, Deriv=True)
    return {"dW2": -L1.T.dot(L2_Delta), "dW1": -L0.T.dot(L1_Delta)}  # the program adds these to W: the step's negative


def second_seed(params: Any, X: Any, Y: Any, *, textbook: bool = False) -> dict[str, Any]:
    def derv_sigmoid(x: Any) -> Any:
        return x * (1 - x)

    weight1, weight2, a0 = params["W1"], params["W2"], X
    a1 = planting.sigmoid(X @ weight1)
    a2 = planting.sigmoid(a1 @ weight2)
    delta2 = Y - a2
    dC_dw2 = delta2 * derv_sigmoid(a2)
    dC_dw1 = (np.multiply(dC_dw2, weight2.T)) * derv_sigmoid(a1)
    if textbook:  # "weight2 = weight2 - learningRate*dC_dw2 --> these are what the textbook tells"
        return {"dW2": -dC_dw2, "dW1": -dC_dw1}
    return {"dW2": -np.dot(a1.T, dC_dw2), "dW1": -np.dot(a0.T, dC_dw1)}  # the step's negative, as above


def third_seed_forward(params: Any, X: Any) -> tuple[Any, Any]:
    out_h = planting.sigmoid(np.dot(params["W1"], X) + params["b1"])
    return out_h, planting.sigmoid(np.dot(params["W2"], out_h) + params["b2"])


def third_seed_first_post(params: Any, X: Any, Y: Any) -> dict[str, Any]:
    W2 = params["W2"]
    out_h, out_y = third_seed_forward(params, X)
    l2_error = out_y - Y
    slope_output = out_y * (1 - out_y)
    dw = l2_error * slope_output * out_h
    db = l2_error * slope_output
    dh = np.dot(W2.T, l2_error)
    l1_error = np.multiply(dh, out_h * (1 - out_h))
    dW1 = np.dot(l1_error, X.T)
    db1 = l1_error
    return {"dW2": dw, "db2": db, "dW1": dW1, "db1": db1}


def third_seed_second_post(params: Any, X: Any, Y: Any) -> dict[str, Any]:
    W2 = params["W2"]
    out_h, out_y = third_seed_forward(params, X)
    l2_error = out_y - Y
    dW2 = np.dot(l2_error, out_h.T)
    db2 = np.sum((l2_error * slope_output), axis=1, keepdims=True)  # type: ignore[name-defined]  # noqa: F821  as posted
    dh = np.dot(W2.T, l2_error)
    l1_error = np.multiply(dh, out_h * (1 - out_h))
    return {"dW1": np.dot(l1_error, X.T), "db1": np.sum(l1_error, axis=1, keepdims=True), "dW2": dW2, "db2": db2}


def third_seed_last_post(params: Any, X: Any, Y: Any) -> dict[str, Any]:
    W2 = params["W2"]
    out_h, out_y = third_seed_forward(params, X)
    l2_error = out_y - Y
    dW2 = np.dot(l2_error, out_h.T)
    db2 = np.sum(l2_error, axis=1, keepdims=True)
    dh = np.dot(W2.T, l2_error)
    l1_error = np.multiply(dh, out_h * (1 - out_h))
    dW1 = np.dot(l1_error, X.T)
    db1 = np.sum(l1_error, axis=1, keepdims=True)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


def asked(backward: Any, third: bool) -> Any:
    r = rng("seed")
    if third:
        params = {"W1": r.normal(size=(2, 2)), "b1": np.zeros((2, 1)), "W2": r.normal(size=(1, 2)), "b2": np.zeros((1, 1))}
        return diagnose(backward, params, XOR[0][:, :2].T, XOR[1].T, loss="half_squared_error")
    return diagnose(backward, {"W1": 2 * r.random((3, 4)) - 1, "W2": 2 * r.random((4, 1)) - 1}, *XOR, loss="half_squared_error")


def placed(report: Any) -> set[tuple[str, int, str]]:
    return {(f.mistake, f.layer, f.gradient) for f in report.findings}


def test_the_first_two_seeds_are_right_given_as_the_steps_negative() -> None:
    for backward in (first_seed, second_seed):
        report = asked(backward, third=False)
        assert report.ok, str(report)
        assert list(report.findings) == []


def test_the_second_seeds_textbook_line_lacks_the_input() -> None:
    report = asked(lambda *given: second_seed(*given, textbook=True), third=False)
    assert placed(report) == {("missing_input_factor", 1, "dW1"), ("missing_input_factor", 2, "dW2")}, str(report)


def test_the_third_seeds_first_post() -> None:
    report = asked(third_seed_first_post, third=True)
    assert [(f.mistake, f.layer, f.gradient) for f in report.findings] == [  # as the derivation goes
        ("elementwise_instead_of_matmul", 2, "dW2"),
        ("bias_not_summed_over_batch", 2, "db2"),
        ("error_propagated_without_delta", 1, "dW1"),
        ("bias_not_summed_over_batch", 1, "db1"),
    ], str(report)


def test_the_third_seeds_second_post_uses_a_name_before_it_is_there() -> None:
    report = asked(third_seed_second_post, third=True)
    assert not report.ok
    assert "slope_output" in str(report)


def test_the_third_seeds_last_post() -> None:
    (finding,) = asked(third_seed_last_post, third=True).findings
    assert (finding.mistake, finding.layer, finding.gradient) == ("missing_activation_derivative", 2, "dW2")
    assert set(finding.consequences) == {"db2", "dW1", "db1"}


# 7. what is in no table


@pytest.mark.parametrize("name", ["dW1", "dW2", "db1", "db2"])
def test_an_unknown_mistake_is_said_to_be_unexplained(name: str) -> None:
    shapes: dict[str, tuple[int, ...]] = {"dW1": (3, 4), "dW2": (4, 2), "db1": (4,), "db2": (2,)}
    noise = rng("noise", name).normal(size=shapes[name])

    def backward(params: Any, X: Any, Y: Any) -> dict[str, Any]:
        found = plant(SMALL)(params, X, Y)
        return {**found, name: found[name] + noise}

    report = report_on(SMALL, backward)
    assert not report.ok
    assert blamed(report) <= {name}
    assert not [f for f in report.findings if f.mistake in PLANTS], str(report)
    assert all(gradient in str(report) for gradient in SMALL.names)


# 8. the parts: the formula that a report shows, run as code, gives the numbers that were looked for


SQUARE = [  # four samples of four numbers, three layers of four neurons: whatever could stand in a part fits there
    Config((4, 4, 4, 4), activations, loss, n=4)
    for activations, loss in (
        (("relu", "tanh", "sigmoid"), "binary_cross_entropy"),
        (("sigmoid", "relu", "softmax"), "softmax_cross_entropy"),
        (("linear", "sigmoid", "tanh"), "squared_error"),
        (("tanh", "linear", "relu"), "half_squared_error"),
    )
]
ORIENTATIONS = list(product((False, True), (False, True)))


def layers_of(config: Config) -> tuple[Network, list[Layer]]:
    """The layers of that config's network on two data sets, from the last to the first, each after what is right."""
    params, X, Y = config.data(1)
    data = np.stack([X, config.data(2)[1]]), np.stack([Y, config.data(2)[2]])
    W, b = ([params[f"{kind}{l}"] for l in range(1, config.depth + 1)] for kind in "Wb")
    functions = tuple(last_activations()[name] for name in config.activations)
    net = network(W, b, *data, functions, losses()[config.loss], 1.0)
    right = [Sent(net.D[l], net.E[l], net.A[l - 1].swapaxes(1, 2) @ net.D[l]) for l in (1, 2, 3)]
    after: list[Any] = [*right[1:], None]
    return net, [layer_of(net, l, b, after[l - 1], [s.delta for s in after[l:-1]]) for l in (3, 2, 1)]


def run_as_code(formula: str, layer: Layer, d: Any, e: Any, columns: bool, out_in: bool) -> Any:
    """What a formula that is shown gives for somebody whose arrays are in that orientation."""
    l, net = layer.number, layer.net
    arrays = {"X": net.A[0][0], "y": net.Y[0], f"delta{l}": d, f"error{l}": e}
    for i in (1, 2, 3):
        arrays |= {f"a{i}": net.A[i][0], f"z{i}": net.Z[i][0]} | ({} if i == l else {f"delta{i}": net.D[i][0]})
    if layer.after is not None:
        arrays |= {f"error{l + 1}": layer.after.error[0]}
    weights = {f"W{i}": net.W[i] for i in (1, 2, 3)} | {f"dW{l + 1}": getattr(layer.after, "gradient", [0])[0]}
    names = {name: a.T if columns else a for name, a in arrays.items()}
    names |= {name: w.T if out_in and np.ndim(w) else w for name, w in weights.items()}
    names |= {name: getattr(np, name) for name in ("ones_like", "abs", "exp", "sign", "where", "sqrt", "maximum", "tanh")}
    names |= {f: planting.VALUE[f] for f in ("sigmoid", "relu", "leaky_relu", "linear")}
    names |= {"log": lambda a: np.log(np.abs(a)), f"b{l}": layer.small["b"][:, None] if columns else layer.small["b"]}
    return eval(formula, names)  # noqa: S307  # formulas of our own


@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
@pytest.mark.parametrize(("columns", "out_in"), ORIENTATIONS)
@pytest.mark.parametrize("config", SQUARE, ids=lambda config: config.loss)
def test_a_formula_that_is_shown_gives_the_numbers_that_were_looked_for(config: Config, columns: bool, out_in: bool) -> None:
    _, layers = layers_of(config)
    functions = tuple(last_activations()[name] for name in config.activations)
    tried = 0
    for layer in layers:
        d, e = rng("d").normal(size=(2, 4, 4))
        words = words_for(Spoken(functions, (1, 2, 3), columns, out_in), layer.number)  # type: ignore[arg-type]
        fillings = [(f.formula, "", f.numbers[0]) for f in errors(layer, (0.5,)) if f.causes and f.formula != "loss"]
        scope = layer.small | {"d": d, "e": e, "ef": e}
        for formula, part in [(text, kind) for kind in "Wb" for _, text in lines(layer, kind)] + [
            (text, "") for _, text, _ in slopes(layer)
        ]:
            fillings.append((formula, part, evaluated(formula, scope)))
        for formula, part, numbers in fillings:
            if any(word in formula for word in ("through", "up *", "down", "factor", "(x * d).sum(axis=0)")):
                continue  # what is shown in words
            text = shown(formula, words, part)
            if "softmax" in text or ("> 0" in text and "@" in text) or re.search(r"\b1\b @|@ \(*1\b", text):
                continue  # no function of NumPy; booleans, of which @ gives booleans; the 1 of a linear layer
            with np.errstate(all="ignore"):
                got = np.asarray(run_as_code(text, layer, d, e, columns, out_in)) * 1.0
            got = got.T if (out_in if part == "W" else columns) and got.ndim > 1 else got
            if numbers.ndim == got.ndim:
                assert np.allclose(got, numbers, equal_nan=True), (formula, text)
                tried += 1
    assert tried > 150


class Spoken(NamedTuple):
    """What the words for a layer depend on."""

    activations: Any
    W: Any
    columns: bool
    out_in: bool


@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
@pytest.mark.parametrize("config", SQUARE, ids=lambda config: config.loss)
def test_every_mistake_of_the_table_has_its_formula(config: Config) -> None:
    _, layers = layers_of(config)
    for layer in layers:
        found = {f.causes[0].mistake for f in (*errors(layer, (0.3,)), *wholes(layer)) if f.causes}
        found |= {mistake for mistake, _, _ in slopes(layer)} - {""}
        found |= {mistake for part in "Wb" for mistake, _ in lines(layer, part)} - {""}
        assert found <= set(MISTAKES)
        for name in PLANTS:
            in_lines = PLANTS[name].slot == "scale" or name == "bias_gradient_zero"
            if not in_lines and planting.variants(name, layer.number, replace(config, learning_rate=0.3)):
                assert name in found, (name, layer.number)


@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
def test_what_is_enumerated_has_the_numbers_of_its_text() -> None:
    _, layers = layers_of(SQUARE[2])
    for layer in layers:
        d, e = rng("d").normal(size=(2, 4, 4))
        for part in ("slope", "error" if layer.last else "back", "W", "b"):
            grown = enumerated(layer, part, d, e)
            assert len(grown.numbers) > 80
            for i in rng("some").integers(0, len(grown.numbers), 40):
                numbers = evaluated(grown.text(int(i)), layer.small | {"d": d, "e": e})
                assert np.allclose(numbers, grown.numbers[i], equal_nan=True), grown.text(int(i))


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (("squared_error", "sum", None), "sign_flipped missing_factor_2 TIMES RATES MORE"),
        (("squared_error", "all", 0.3), "sign_flipped missing_1_over_n missing_1_over_k missing_factor_2 TIMES 0.3 MORE"),
        (("half_squared_error", "samples", 1), "sign_flipped missing_1_over_n TIMES missing_factor_2 MORE"),
        (("binary_cross_entropy", "outputs", 0.5), "sign_flipped missing_1_over_k TIMES missing_factor_2 0.5 MORE"),
    ],
)
def test_the_factors_that_are_looked_for(given: tuple[str, str, float | None], names: str) -> None:
    loss, reduction, rate = given
    words = names.replace("TIMES", "extra_factor_2 extra_factor_4 extra_1_over_n").replace("RATES", "0.1 0.01 0.001 0.05 0.3")
    words = words.replace("MORE", "extra_1_over_k extra_factor_n extra_factor_k")
    said = {"sign_flipped": "-1", "missing_1_over_n": "n", "missing_1_over_k": "k", "missing_factor_2": "1/2"}
    said |= {"extra_factor_2": "2", "extra_factor_4": "4", "extra_1_over_n": "1/n", "extra_1_over_k": "1/k"}
    said |= {"extra_factor_n": "n", "extra_factor_k": "k"}
    texts = [(word, said[word]) if word in said else ("learning_rate_folded", word) for word in words.split()]
    want = [(name, text, eval(text, {"n": 5, "k": 3})) for name, text in texts]  # noqa: S307  # numbers of our own
    assert [scale[:3] for scale in scales(5, 3, losses()[loss], reduction, rate)] == want
    assert "missing_1_over_k" not in {name for name, *_ in scales(5, 1, losses()[loss], reduction, rate)}
    assert all(factor != 1 for _, _, factor, _ in scales(1, 1, losses()[loss], reduction, rate))


SMALLEST = Config((2, 3, 2), ("tanh", "sigmoid"), n=3)


@pytest.mark.parametrize("rate", [1.0, 0.5, 0.1, 0.05, 0.01, 0.001])
def test_weights_updated_at_a_rate_that_is_not_told(rate: float) -> None:
    wrong = plant(replace(SMALLEST, learning_rate=rate), [("updated_weights_used", 1)])
    (finding,) = report_on(SMALLEST, wrong).findings
    assert finding.mistake == "updated_weights_used"
    assert f"error1 is delta2 @ (W2 - {rate:g} * dW2).T: W2 had been updated" in finding.message


@pytest.mark.parametrize(("rate", "name"), [(0.37, "learning_rate_folded"), (None, "wrong_scale")])
def test_a_rate_is_known_in_a_gradient_where_it_is_told(rate: float | None, name: str) -> None:
    config = replace(SMALLEST, learning_rate=rate)
    found = plant(config)(*config.data(7))
    (finding,) = report_on(config, {**found, "dW2": 0.37 * found["dW2"]}).findings
    assert (finding.mistake, finding.layer, finding.gradient) == (name, 2, "dW2")


def test_a_factor_that_has_no_name_is_told_with_its_number() -> None:
    def backward(params: Any, X: Any, Y: Any) -> dict[str, Any]:
        found = plant(SMALLEST)(params, X, Y)
        return {**found, "dW2": 3.7 * found["dW2"]}

    (finding,) = report_on(SMALLEST, backward).findings
    assert (finding.mistake, finding.layer, finding.gradient) == ("wrong_scale", 2, "dW2")
    assert finding.message == "It is 3.7 times what it should be."


CROSSED = Config((2, 3, 2), ("tanh", "sigmoid"), "binary_cross_entropy", n=3)
DEEP = Config((2, 2, 2, 2), ("tanh", "sigmoid", "tanh"), n=3)


@pytest.mark.parametrize(
    ("config", "planted", "also"),
    [
        (replace(SMALLEST, n=2, loss="squared_error"), Mistake("missing_factor_2", 2, "delta"), {"extra_1_over_n"}),
        (replace(SMALLEST, reduction="samples"), Mistake("missing_1_over_n", 2, "delta"), set()),
        (Config((2, 3, 3), ("tanh", "sigmoid"), n=3), Mistake("extra_1_over_n", 2, "delta"), set()),  # 1/k is less likely
        (SMALLEST, Mistake("sign_flipped", 2, "dW"), set()),
        (SMALLEST, Mistake("sign_flipped", 2, "delta"), set()),
        (CROSSED, Mistake("se_delta_with_ce", 2), None),
        (DEEP, Mistake("delta_of_wrong_layer", 3, "used 1"), None),
        (DEEP, Mistake("delta_of_wrong_layer", 1, "sent"), None),
    ],
)
def test_the_likelier_of_two_names_comes_first(config: Config, planted: Mistake, also: set[str] | None) -> None:
    (finding,) = report_on(config, plant(config, [planted])(*config.data(7))).findings
    assert finding[:2] == planted[:2]
    assert also is None or set(finding.also) == also


def test_a_sign_in_one_line_is_not_sent_back() -> None:
    mistakes = [("sign_flipped", 2, "dW"), ("missing_activation_derivative", 1)]
    report = report_on(SMALLEST, plant(SMALLEST, mistakes)(*SMALLEST.data(7)))
    assert placed(report) == {("sign_flipped", 2, "dW2"), ("missing_activation_derivative", 1, "dW1")}


def test_numbers_that_are_small_as_a_whole_are_not_taken_for_zero() -> None:
    config = Config((2, 3, 2), ("linear", "linear"), bias=None, n=3)
    params, X, Y = config.data(7)
    (finding,) = diagnose(plant(config, [("sign_flipped", 2)]), params, 1e-9 * X, 1e-9 * Y, **config.options).findings
    assert (finding.mistake, finding.layer) == ("sign_flipped", 2)


def test_what_is_unexplained_is_said_to_be_so_far_off() -> None:
    given = SMALLEST.data(7)
    found = plant(SMALLEST)(*given)
    right = found["dW2"].copy()
    found["dW2"][0] = 2 * abs(right[0]) + 1
    found["dW2"][1, 0] += CLOSE  # more than that part of the largest, and so off
    assert abs(right).max() < 0.5
    report = diagnose(found, *given, **SMALLEST.options)
    assert (report.unexplained, report.wrong) == (("dW2",), ("dW2",))
    cosine = (found["dW2"] * right).sum() / np.linalg.norm(right) / np.linalg.norm(found["dW2"])
    words = "dW2 comes out of no mistake that is known here: 3 of 6 entries are off, "
    words += f"{(right[0] < 0).sum()} in sign; as a whole it is "
    words += f"{np.linalg.norm(found['dW2']) / np.linalg.norm(right):.4g} times as long as the right gradient, at an angle of "
    assert " ".join(report.notes) == words + f"{math.degrees(math.acos(cosine)):.1f} degrees."
    noise = {
        **found,
        "dW2": rng("noise").normal(size=(5, 4)),
        "db2": np.zeros((0, 2)),
        "dW1": "text",
        "db1": np.full(3, np.inf),
    }
    assert diagnose(noise, *given, **SMALLEST.options).notes == (
        "db2 is empty, of shape (0, 2); expected (2,).",
        "dW1 is not an array of numbers of one shape: 'text'.",
        "db1 holds numbers that are not finite, inf; expected finite ones.",
        "dW2 has the wrong shape, (5, 4), and comes out of no mistake that is known here.",
    )


WHOLE = """
There are 2 mistakes.

1. Layer 2, dW2: the delta of cross-entropy with a squared error
   delta2 is the bare a2 - y, the delta of cross-entropy; a squared error keeps the slope: (a2 - y)
   * f'(z2).
   Only because of it db2, dW1 are wrong too.

2. Layer 1, dW1: the input is missing
   dW1 is delta1: the factor X, with which each weight was multiplied, is missing.
   Only because of it db1 is wrong too.
   The same numbers would come out of: the weights for the input; the sign is flipped.

Right as they are: db3, dW3.

Checked: a backward pass with exactly this reproduces every number that yours returned.
"""


def test_a_whole_report() -> None:
    first = "delta2 is the bare a2 - y, the delta of cross-entropy; a squared error keeps the slope: (a2 - y) * f'(z2)."
    second = "dW1 is delta1: the factor X, with which each weight was multiplied, is missing."
    findings = (
        Finding("ce_delta_with_se", 2, "dW2", first, ("db2", "dW1"), ()),
        Finding("missing_input_factor", 1, "dW1", second, ("db1",), ("weight_as_input", "sign_flipped")),
    )
    report = Report(findings, ("db3", "dW3"), ("dW2", "dW1"), (), ())
    assert f"\n{report}\n" == WHOLE
    assert repr(report) == "<Report: ce_delta_with_se in layer 2; missing_input_factor in layer 1>"
    assert report.to_dict()["findings"][1]["also"] == ["weight_as_input", "sign_flipped"]
    assert "<h4>1. Layer 2, dW2: the delta of cross-entropy with a squared error</h4>" in report._repr_html_()
    alone = str(Report(findings[1:], (), ("dW1",), (), ()))
    assert alone.startswith("There is one mistake.\n\n1. Layer 1, dW1: the input is missing\n")
    assert str(Report(findings[1:], (), ("dW1",), (), ("Said besides.",))).endswith("sign is flipped.\n\nSaid besides.")
    assert str(Report((), ("dW1", "db1"), (), (), ())) == (
        "This backward pass is right: dW1, db1 equal the gradients of the loss."
    )
