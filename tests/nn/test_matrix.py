"""MatrixMLP: shapes in and out, what it refuses, kinds of numbers, stacks of networks, and the way to Values and back.

That its gradients are right is shown in test_three_paths.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from test_three_paths import ACTIVATIONS, LAST, Case, arrays, assert_close, case, cases, exact_cases, forward, longhand

from autograd import Value
from nn import MatrixMLP, derive_matrices
from nn.mlp import initial_weights


def within(got: float, exact: Any, units: float) -> bool:
    """Whether a float is that near to mpmath's number, in units in the last place."""
    return bool(abs(mpmath.mpf(got) - exact) <= units * float(np.spacing(max(abs(float(exact)), 1e-323))))


@settings(max_examples=60, deadline=None)
@given(cases())
def test_predict_is_the_last_activation(c: Case) -> None:
    _, A = forward(c)
    found = c.matrices().predict(c.X)
    assert found.shape == (len(c.X), c.weights[-1].shape[1])
    assert_close([found], [A[-1]], 1e-13)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_are_right_to_4_units_in_the_last_place(activation: str) -> None:
    z = np.concatenate([np.linspace(-1e3, 1e3, 801), np.linspace(-40, 40, 801), 10.0 ** np.arange(-300, 3)])
    exact = {
        "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
        "tanh": mpmath.tanh,
        "relu": lambda x: max(x, mpmath.mpf(0)),
        "linear": lambda x: x,
        "leaky_relu": lambda x: max(x, x * mpmath.mpf(0.01)),
    }[activation]
    found = MatrixMLP([[[1.0]]], activations=activation).predict(z[:, None])[:, 0]
    with mpmath.workdps(40):
        wrong = [(x, a) for x, a in zip(z.tolist(), found.tolist(), strict=True) if not within(a, exact(mpmath.mpf(x)), 4)]
    assert wrong == []


def test_extreme_preactivations_have_their_limits() -> None:
    z = [[-np.inf], [-1e308], [1e308], [np.inf]]
    assert MatrixMLP([[[1.0]]], activations="sigmoid").predict(z)[:, 0].tolist() == [0, 0, 1, 1]
    assert MatrixMLP([[[1.0]]], activations="tanh").predict(z)[:, 0].tolist() == [-1, -1, 1, 1]
    assert MatrixMLP([[[1.0]]], activations="relu").predict(z)[:, 0].tolist() == [0, 0, 1e308, np.inf]
    assert np.isnan(MatrixMLP([[[1.0]]]).predict([[np.nan]])).all()


@settings(max_examples=40, deadline=None)
@given(cases())
def test_to_values_and_back_is_the_same_network(c: Case) -> None:
    model = c.matrices()
    neurons = model.to_mlp()
    back = MatrixMLP.from_mlp(neurons)
    assert back.activations == neurons.activations == model.activations == c.activations
    assert (back.biases is None) == (neurons.biases is None) == (c.biases is None)
    assert_close(arrays(back), arrays(c), 0)
    assert_close(arrays(MatrixMLP.from_mlp(c.neurons())), arrays(c), 0)
    assert_close([np.array([[v.data for v in neurons(x)] for x in c.X])], [model.predict(c.X)])
    neurons.parameters()[0].data = 9.0
    back.weights[0][...] = 9.0
    assert_close(arrays(model), arrays(c), 0)


@settings(max_examples=40, deadline=None)
@given(exact_cases())
def test_fractions_survive_the_round_trip(c: Case) -> None:
    back = MatrixMLP.from_mlp(c.matrices().to_mlp())
    for got, want in zip(arrays(back), arrays(c), strict=True):
        assert (got == want).all()
        assert {type(x) for x in got.flat} == {Fraction}


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_arrays_of_values_go_through_the_same_lines(activation: str) -> None:
    c = case(0, [3, 4, 2], (activation, activation), "half_squared_error")
    lift = np.frompyfunc(Value, 1, 1)
    of_values = MatrixMLP([lift(w) for w in c.weights], [lift(b) for b in c.biases or ()], c.activations).gradients(c.X, c.Y)
    assert of_values.loss.data == pytest.approx(longhand(c)[0], rel=1e-13)
    assert_close([np.vectorize(lambda v: v.data)(d) for d in arrays(of_values)], arrays(c.matrices().gradients(c.X, c.Y)))


@pytest.mark.parametrize("z", [-1000.0, -30.0, 0.0, 2.5, 1000.0])
def test_a_sigmoid_of_values_has_its_slope_at_any_number(z: float) -> None:
    bias, floats = Value(z), MatrixMLP([[[1.0]]], [[z]])
    of_values = MatrixMLP([[[1.0]]], [np.array([bias])])
    of_values.gradients([[0.0]], [[1.0]]).loss.backward()
    slopes = floats.gradients([[0.0]], [[1.0]]).biases or [np.empty(0)]
    assert bias.grad == pytest.approx(slopes[0].item(), rel=1e-14)


THIRD = np.array([[Fraction(1, 3)]], dtype=object)


class Third(Fraction):
    """A Fraction whose activations are known, and are exact."""

    def __mul__(self, other: Any) -> Any:
        return Third(super().__mul__(other))

    def tanh(self) -> Fraction:
        return Fraction(1, 3)

    sigmoid = tanh


@pytest.mark.parametrize(("activation", "slope"), [("sigmoid", Fraction(2, 9)), ("tanh", Fraction(8, 9))])
def test_slopes_of_exact_activations_are_exact(activation: str, slope: Fraction) -> None:
    one = np.array([[Third(1)]], dtype=object)
    (delta,) = MatrixMLP([one], activations=activation).passes(one, [[Fraction(0)]]).delta
    assert (delta[0, 0], type(delta[0, 0])) == (slope / 3, Fraction)


@pytest.mark.parametrize(("activation", "function"), [("sigmoid", "exp"), ("tanh", "tanh")])
def test_fractions_have_no_exp(activation: str, function: str) -> None:
    with pytest.raises(TypeError, match=rf"^a Fraction has no {function}\(\); use relu or linear for it, or arrays of floats$"):
        MatrixMLP([THIRD], activations=activation).predict(THIRD)


@pytest.mark.parametrize("kind", [Fraction, Value])
def test_cross_entropies_of_objects_are_those_of_an_mlp(kind: Any) -> None:
    model = MatrixMLP([np.frompyfunc(kind, 1, 1)(np.eye(2))], activations="linear")
    for loss in ("binary_cross_entropy", "softmax_cross_entropy"):
        with pytest.raises(
            TypeError, match=f"^{loss} takes arrays of floats here, and X or the weights hold objects; model.to_mlp"
        ):
            model.gradients(np.eye(2), np.eye(2), loss)
    floats = MatrixMLP([np.eye(2)], activations="linear")
    halves = np.full((2, 2), Fraction(1, 2))
    assert derive_matrices(floats, np.eye(2), halves, "softmax_cross_entropy").Y.dtype == float


def test_targets_in_a_row_are_told_how_to_stand_in_rows() -> None:
    rows = r"for numbers of classes np.eye\(3\)\[Y\]"
    with pytest.raises(ValueError, match=rf"^Y has shape \(2,\), expected \(2, 3\); give one row per sample, {rows}$"):
        MatrixMLP.random([2, 3]).gradients(np.eye(2), [0, 1])


def test_outputs_of_fractions_are_fractions() -> None:
    model = MatrixMLP([np.array([[Fraction(-1)]], dtype=object)], activations="relu")
    assert type(model.predict(np.array([[Fraction(1)]], dtype=object))[0, 0]) is Fraction


def stack(seeds: range, sizes: list[int], activations: tuple[str, ...], loss: str, bias: bool) -> tuple[list[Case], MatrixMLP]:
    """Networks on the same samples: one by one, and as one stack."""
    first, *others = (case(seed, sizes, activations, loss, bias, n=5) for seed in seeds)
    singles = [first, *(other._replace(X=first.X, Y=first.Y) for other in others)]
    weights = [np.stack(layer) for layer in zip(*(c.weights for c in singles), strict=True)]
    biases = [np.stack(layer) for layer in zip(*(c.biases or () for c in singles), strict=True)]
    return singles, MatrixMLP(weights, biases if bias else None, activations)


@pytest.mark.parametrize("networks", [1, 3])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("loss", LAST)
def test_a_stack_does_what_each_network_does_alone(loss: str, bias: bool, networks: int) -> None:
    singles, stacked = stack(range(networks), [3, 4, 3, 2], ("relu", "tanh", LAST[loss][0]), loss, bias)
    X, Y = singles[0].X, singles[0].Y
    outputs, found = stacked.predict(X), stacked.gradients(X, Y, loss)
    assert outputs.shape == (networks, 5, 2)
    assert found.loss.shape == (networks,)
    assert (found.biases is None) != bias
    for r, c in enumerate(singles):
        alone = stacked.network(r)
        assert_close(arrays(alone), arrays(c), 0)
        assert alone.activations == c.activations
        assert_close([outputs[r]], [alone.predict(X)], 1e-14)
        value, dW, db = longhand(c)
        assert found.loss[r] == pytest.approx(value, rel=1e-13)
        assert_close([d[r] for d in arrays(found)], [*dW, *(db or ())])
    alone.weights[0][...] = 0
    assert_close([stacked.weights[0][-1]], [singles[-1].weights[0]], 0)


def test_a_random_stack_has_networks_that_differ() -> None:
    stacked = MatrixMLP.random([3, 4, 1], rng=0, networks=10)
    assert [a.shape for a in arrays(stacked)] == [(10, 3, 4), (10, 4, 1), (10, 4), (10, 1)]
    assert len({w.tobytes() for w in stacked.weights[0]}) == 10
    assert not any(b.any() for b in stacked.biases or ())
    assert MatrixMLP.random([3, 1], bias=False, rng=0, networks=2).biases is None
    with pytest.raises(ValueError, match=r"^to_mlp: these are 10 stacked networks; convert model.network\(i\) instead$"):
        stacked.to_mlp()
    with pytest.raises(ValueError, match=r"^network: this is a single network; there is none to choose$"):
        MatrixMLP.random([3, 1]).network(0)


def test_networks_of_a_stack_are_counted_from_either_end() -> None:
    stacked = MatrixMLP.random([3, 1], rng=0, networks=10)
    assert_close(arrays(stacked.network(-10)), arrays(stacked.network(0)), 0)
    assert_close(arrays(stacked.network(-1)), arrays(stacked.network(9)), 0)
    for index in (10, -11, True, 1.0):
        with pytest.raises(ValueError, match=rf"^index={index} has to be a whole number from 0 to 9$"):
            stacked.network(index)  # type: ignore[arg-type]  # the mistake


def test_only_a_network_of_values_comes_from_one() -> None:
    with pytest.raises(TypeError, match=r"^from_mlp: the model is a MatrixMLP; give an MLP$"):
        MatrixMLP.from_mlp(MatrixMLP.random([3, 1]))  # type: ignore[arg-type]  # the mistake


def strided(a: Any) -> Any:
    return np.repeat(a, 3, axis=1)[:, ::3]


def read_only(a: Any) -> Any:
    a = a.copy()
    a.setflags(write=False)
    return a


KINDS = [
    np.ndarray.tolist, np.asfortranarray, strided, read_only,
    lambda a: a.astype(np.float32), lambda a: a.astype(np.int8), lambda a: a.astype(bool), lambda a: a[::-1][::-1],
    lambda a: a.astype(np.uint64), lambda a: tuple(map(tuple, a.tolist())), lambda a: a.astype(">f8"),
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_arrays_of_any_real_kind_are_taken_and_none_is_changed(kind: Any) -> None:
    X, Y, W, b = np.array([[0, 1], [1, 1], [1, 0]]), np.array([[1], [0], [1]]), np.array([[1, 0], [1, 1]]), np.array([[1, 0]])
    reference = MatrixMLP([W.astype(float), W[:, :1].astype(float)], [b[0].astype(float), b[0, :1].astype(float)], "tanh")
    want = reference.gradients(X.astype(float), Y.astype(float))
    given = [kind(a) for a in (X, Y, W, W[:, :1], b, b[:, :1])]
    model = MatrixMLP(given[2:4], [given[4][0], given[5][0]], "tanh")
    found = model.gradients(given[0], given[1])
    assert {a.dtype for a in (*arrays(model), *arrays(found))} == {np.dtype(float)}
    assert found.loss == pytest.approx(want.loss, rel=1e-15)
    assert_close(arrays(found), arrays(want), 1e-15)
    assert_close([model.predict(given[0])], [reference.predict(X)], 1e-15)
    for array in arrays(model):
        array[...] = 7
    for a, original in zip(given, (X, Y, W, W[:, :1], b, b[:, :1]), strict=True):
        assert np.array_equal(a, original)


def test_gradients_change_neither_the_model_nor_the_samples() -> None:
    c = case(0, [3, 4, 2], ("relu", "linear"), "softmax_cross_entropy")
    model, X, Y = c.matrices(), c.X.copy(), c.Y.copy()
    first, second = model.gradients(X, Y, c.loss), model.gradients(X, Y, c.loss)
    assert type(first.loss) is float
    assert_close([X, Y, *arrays(model)], [c.X, c.Y, *arrays(c)], 0)
    assert_close(arrays(second), arrays(first), 0)


def test_a_seed_has_its_weights() -> None:
    first, second = (initial_weights([3, 2, 1], ["sigmoid"] * 2, seed) for seed in (1, 2))
    assert_close(MatrixMLP.random([3, 2, 1], rng=1).weights, first, 0)
    assert_close(MatrixMLP.random([3, 2, 1], rng=2).weights, second, 0)
    assert (first[0] != second[0]).all()


def test_one_name_is_for_all_layers() -> None:
    assert MatrixMLP.random([2, 3, 1], "relu").activations == ("relu", "relu")
    assert MatrixMLP.random([2, 3, 1], ["relu", "linear"]).activations == ("relu", "linear")
    assert MatrixMLP([[[1.0]]]).activations == ("sigmoid",)


W, W3 = np.ones((2, 3)), np.ones((3, 1))
BAD_NETWORKS = [
    (lambda: MatrixMLP([]), ValueError, r"weights: there are none; give one array of shape \(n_in, n_out\) per layer$"),
    (lambda: MatrixMLP(3), TypeError, r"weights=3 is a int; give a list, for example \[W1, W2\], one array per layer$"),  # type: ignore[arg-type]  # the mistake
    (lambda: MatrixMLP([W], 3), TypeError, r"biases=3 is a int; give a list, for example \[B1, B2\], one array per layer$"),  # type: ignore[arg-type]  # the mistake
    (lambda: MatrixMLP([np.ones(3)]), ValueError, r"weights\[0\] has shape \(3,\), expected 2 or 3 dimensions"),
    (lambda: MatrixMLP([np.float64(3)]), ValueError, r"weights\[0\] has shape \(\), expected 2 or 3 dimensions"),
    (lambda: MatrixMLP([np.ones((1, 1, 1, 1))]), ValueError, r"weights\[0\] has shape \(1, 1, 1, 1\)"),
    (lambda: MatrixMLP([W, W]), ValueError, r"weights\[1\] has shape \(2, 3\); the layers before it need \(3, 3\)"),
    (lambda: MatrixMLP([W, np.ones((5, 3, 1))]), ValueError, r"weights\[1\] has shape \(5, 3, 1\)"),
    (lambda: MatrixMLP([np.ones((0, 3))]), ValueError, r"weights\[0\] has shape \(0, 3\).*without zeros"),
    (lambda: MatrixMLP([np.ones((2, 0)), np.ones((0, 1))]), ValueError, r"weights\[0\] has shape \(2, 0\)"),
    (lambda: MatrixMLP([[[1.0, 2.0], [3.0]]]), ValueError, r"weights\[0\] has rows of different lengths"),
    (lambda: MatrixMLP([W], []), ValueError, "biases: got 0 arrays, expected 1"),
    (lambda: MatrixMLP([W], [np.ones(2)]), ValueError, r"biases\[0\] has shape \(2,\), expected \(3,\)"),
    (lambda: MatrixMLP([W], [np.ones((1, 3))]), ValueError, r"biases\[0\] has shape \(1, 3\), expected \(3,\)"),
    (lambda: MatrixMLP([W, W3], [np.ones(3), 1.0]), ValueError, r"biases\[1\] has shape \(\), expected 1 or 2 dimensions"),
    (lambda: MatrixMLP([np.ones((5, 2, 3))], [np.ones(3)]), ValueError, r"biases\[0\] has shape \(3,\), expected \(5, 3\)"),
    (lambda: MatrixMLP([W, W3], activations=["relu"]), ValueError, "activations: got 1 names, expected 2"),
    (lambda: MatrixMLP([W], activations="Relu"), ValueError, "activations: 'Relu' is not known; choose from sigmoid"),
    (lambda: MatrixMLP([W + 1j]), TypeError, r"weights\[0\] holds complex128, not real numbers"),
    (lambda: MatrixMLP([W.astype(str)]), TypeError, r"weights\[0\] holds text, not real numbers"),
    (lambda: MatrixMLP([W], [np.ma.ones(3)]), TypeError, r"biases\[0\] is a masked array.*biases\[0\]\.filled"),
    (lambda: MatrixMLP.random([3]), ValueError, r"sizes: \[3\] has to be at least two"),
    (lambda: MatrixMLP.random([3, 0]), ValueError, r"sizes: \[3, 0\]"),
    (lambda: MatrixMLP.random([3, 1], networks=0), ValueError, "networks=0 has to be a whole number from 1 up"),
]


@pytest.mark.parametrize(("make", "error", "said"), BAD_NETWORKS)
def test_wrong_networks_are_refused(make: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=f"^{said}"):
        make()


X, Y = np.ones((4, 2)), np.ones((4, 1))
BAD_SAMPLES = [
    (X[:, :1], Y, ValueError, r"X has shape \(4, 1\), expected \(n, 2\)"),
    (X.T, Y, ValueError, r"X has shape \(2, 4\), expected \(n, 2\)"),
    (X[0], Y, ValueError, r"X has shape \(2,\), expected 2 dimensions"),
    (1.0, Y, ValueError, r"X has shape \(\), expected 2 dimensions"),
    ([], Y, ValueError, r"X has shape \(0,\), expected 2 dimensions"),
    (X[:0], Y[:0], ValueError, r"X has shape \(0, 2\), expected \(n, 2\) with at least one sample"),
    ([[1.0, 2.0], [3.0]], Y, ValueError, "X has rows of different lengths"),
    (X, Y[:3], ValueError, r"Y has shape \(3, 1\), expected \(4, 1\)"),
    (X, Y[:3, 0], ValueError, r"Y has shape \(3,\), expected \(4, 1\)$"),
    (X, np.ones((4, 2)), ValueError, r"Y has shape \(4, 2\), expected \(4, 1\)$"),
    (X, 1.0, ValueError, r"Y has shape \(\), expected 1 or 2 dimensions"),
    (X, np.ma.masked_equal(Y, 0), TypeError, r"Y is a masked array; fill it first, Y\.filled\(0\.0\)"),
    (np.ma.masked_equal(X, 0), Y, TypeError, "X is a masked array"),
    ([["1", "2"]] * 4, Y, TypeError, "X holds text, not real numbers"),
    (X, Y * 1j, TypeError, "Y holds complex128, not real numbers"),
    (X, np.array([["2026-01-01"]] * 4, dtype="M8[D]"), TypeError, "Y holds datetime64"),
]


@pytest.mark.parametrize(("x", "y", "error", "said"), BAD_SAMPLES)
def test_wrong_samples_are_refused(x: Any, y: Any, error: type[Exception], said: str) -> None:
    model = MatrixMLP([W, W3])
    with pytest.raises(error, match=f"^{said}"):
        model.gradients(x, y)
    if said.startswith("X"):
        with pytest.raises(error, match=f"^{said}"):
            model.predict(x)


def test_the_targets_of_a_deep_stack_belong_to_its_last_layer() -> None:
    model = MatrixMLP.random([2, 3, 4, 5], rng=0, networks=6)
    with pytest.raises(ValueError, match=r"^Y has shape \(4, 1\), expected \(4, 5\)$"):
        model.gradients(X, Y)


def test_an_array_of_objects_that_holds_floats_is_taken() -> None:
    model = MatrixMLP([W, W3])
    assert_close([model.predict(X.astype(object)).astype(float)], [model.predict(X)])
