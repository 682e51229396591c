"""The network of Values: its numbers and names, what it refuses, and that it is a graph like any other."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from test_three_paths import ACTIVATIONS, FUNCTION, arrays, assert_close, by_values, case, longhand

from autograd import Value, gradcheck, topological_order
from nn import MLP, MatrixMLP, Neuron


def data(model: MLP) -> list[Any]:
    return arrays(MatrixMLP.from_mlp(model))


def test_parameters_are_labelled_as_the_entries_of_the_matrices() -> None:
    model = MLP(3, [2, 1], rng=0)
    assert [p.label for p in model.parameters()] == [
        "W1[0,0]", "W1[1,0]", "W1[2,0]", "b1[0]", "W1[0,1]", "W1[1,1]", "W1[2,1]", "b1[1]", "W2[0,0]", "W2[1,0]", "b2[0]",
    ]  # fmt: skip
    assert [[[w.label for w in row] for row in layer] for layer in model.weights] == [
        [["W1[0,0]", "W1[0,1]"], ["W1[1,0]", "W1[1,1]"], ["W1[2,0]", "W1[2,1]"]],
        [["W2[0,0]"], ["W2[1,0]"]],
    ]
    assert [[b.label for b in layer] for layer in model.biases or ()] == [["b1[0]", "b1[1]"], ["b2[0]"]]
    graph = topological_order(model.loss([[1, 0, 1]], [[1]]))
    labels = [node.label for node in graph if node.label]
    assert sorted(labels) == sorted([*(p.label for p in model.parameters()), "x[0]", "x[1]", "x[2]", "a1[0]", "a1[1]", "a2[0]"])


def test_without_biases_there_are_none() -> None:
    model = MLP(3, [2, 1], bias=False, rng=0)
    assert model.biases is None
    assert len(model.parameters()) == 3 * 2 + 2
    assert len(MLP(3, [2, 1], rng=0).parameters()) == (3 + 1) * 2 + 3
    assert [n.bias for layer in model.layers for n in layer] == [None] * 3


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_neuron_is_f_of_w_x_plus_b(activation: str) -> None:
    w, b, x = [0.5, -2.0, 0.25], 0.125, [1.5, 0.25, -3.0]
    z = 0.5 * 1.5 - 2.0 * 0.25 - 0.25 * 3.0 + 0.125
    model = MLP.from_arrays([[[v] for v in w]], [[b]], activation)
    (a,) = model(x)
    assert a.data == pytest.approx(float(FUNCTION[activation](z)), rel=1e-15)
    assert a.label == "a1[0]"
    neuron = Neuron([Value(v) for v in w], Value(b), activation, "n")
    assert neuron([Value(v) for v in x]).data == a.data
    assert neuron.preactivation([Value(v) for v in x]).data == z


def test_a_value_as_input_gets_its_gradient() -> None:
    model = MLP.from_arrays([[[2.0], [3.0]]], activations="linear")
    x = [Value(1.0), Value(5.0)]
    (y,) = model(x)
    y.backward()
    assert [v.grad for v in x] == [2.0, 3.0]
    assert gradcheck(lambda *inputs: MLP(2, [3, 1], "tanh", rng=1)(inputs)[0], 0.5, -0.25).ok


def test_gradients_accumulate_until_zero_grad() -> None:
    c = case(0, [3, 4, 2], ("tanh", "sigmoid"), "half_squared_error")
    model = c.neurons()
    _, once, _ = by_values(c, model)
    _, twice, _ = by_values(c, model)
    assert_close(twice, [2 * d for d in once], 1e-15)
    model.zero_grad()
    assert [p.grad for p in model.parameters()] == [0.0] * 4 * 4 + [0.0] * 2 * 5
    _, again, _ = by_values(c, model)
    assert_close(again, once, 0)


def test_a_deep_copy_is_a_network_of_its_own_that_trains() -> None:
    c = case(0, [2, 3, 1], ("relu", "sigmoid"), "binary_cross_entropy")
    model = c.neurons()
    model.loss(c.X, c.Y, c.loss).backward()
    before = [p.grad for p in model.parameters()]
    twin = copy.deepcopy(model)
    assert [p.grad for p in twin.parameters()] == before
    twin.zero_grad()
    _, dW, db = by_values(c, twin)
    assert_close([*dW, *(db or ())], [*longhand(c)[1], *(longhand(c)[2] or ())])
    for p in twin.parameters():
        p.data -= p.grad
    assert twin.loss(c.X, c.Y, c.loss).data < model.loss(c.X, c.Y, c.loss).data
    assert [p.grad for p in model.parameters()] == before
    assert_close(data(model), arrays(c), 0)


@pytest.mark.parametrize("make", [lambda: 5, lambda: np.random.default_rng(5), lambda: np.random.RandomState(5)])
def test_the_same_rng_gives_the_same_network(make: Any) -> None:
    first, second = (data(MLP(3, [4, 2], ("relu", "tanh"), rng=make())) for _ in range(2))
    assert_close(first, second, 0)
    assert_close(arrays(MatrixMLP.random([3, 4, 2], ("relu", "tanh"), rng=make())), first, 0)
    rng = make() if make() != 5 else np.random.default_rng(5)
    one, other = (data(MLP(3, [4], rng=rng)) for _ in range(2))
    assert (one[0] != other[0]).all()  # a generator goes on
    assert (data(MLP(3, [4]))[0] != data(MLP(3, [4]))[0]).all()  # None is fresh every time


@pytest.mark.parametrize(("activation", "width"), [("relu", 6 / 30), ("tanh", 6 / 50), ("sigmoid", 6 / 50), ("linear", 6 / 50)])
def test_initial_weights_are_uniform_of_the_published_width(activation: str, width: float) -> None:
    w = np.concatenate([d.ravel() for d in MatrixMLP.random([30, 20], activation, rng=0, networks=20).weights])
    assert 0.99 * np.sqrt(width) < w.max() <= np.sqrt(width)
    assert 0.99 * np.sqrt(width) < -w.min() <= np.sqrt(width)
    assert w.var() == pytest.approx(width / 3, rel=0.05)
    assert [b.data for layer in MLP(30, [20], activation, rng=0).biases or () for b in layer] == [0.0] * 20


def test_fractions_stay_exact() -> None:
    third = Fraction(1, 3)
    model = MLP.from_arrays([[[third], [Fraction(2)]]], [[Fraction(-1)]], "relu")
    loss = model.loss([[Fraction(3), third]], [[Fraction(1, 7)]])
    loss.backward()
    error = 1 + Fraction(2, 3) - 1 - Fraction(1, 7)
    assert loss.data == error**2 / 2
    assert [p.grad for p in model.parameters()] == [3 * error, error / 3, error]
    assert all(isinstance(p.grad, Fraction) for p in model.parameters())


def test_inputs_may_be_arrays_of_any_real_kind_and_are_not_changed() -> None:
    model = MLP(3, [2, 1], rng=0)
    X, Y = np.array([[0, 1, 2], [2, 1, 1]]), np.array([[1], [0]])
    want = model.loss([[0.0, 1.0, 2.0], [2.0, 1.0, 1.0]], [[1.0], [0.0]]).data
    kinds = [X, X.astype(np.float32), X.astype(object), np.asfortranarray(X), np.repeat(X, 2, axis=1)[:, ::2], X.tolist()]
    for x in kinds:
        kept = copy.deepcopy(x)
        assert model.loss(x, Y).data == want
        assert np.array_equal(x, kept)
    weights = np.array([[1.0], [2.0]])
    trained = MLP.from_arrays([weights])
    trained.weights[0][0][0].data = 9.0
    assert weights[0, 0] == 1.0


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: MLP(3, []), r"sizes: \[3\]"),
        (lambda: MLP(0, [1]), r"sizes: \[0, 1\]"),
        (lambda: MLP(3, [4, 0]), r"sizes: \[3, 4, 0\]"),
        (lambda: MLP(3, [4.5]), r"sizes: \[3, 4.5\]"),  # type: ignore[list-item]  # the mistake that is tested
        (lambda: MLP(3, [4, 1], ["relu"]), "activations: got 1 names, expected 2"),
        (lambda: MLP(3, [4, 1], "gelu"), "activations: 'gelu' is not known; choose from sigmoid, tanh, relu, linear"),
        (lambda: MLP.from_arrays([]), "weights: there are none"),
        (lambda: MLP.from_arrays([[[1.0]], [[1.0]]], [[0.0]]), "biases: got 1 arrays, expected 2, one per layer"),
        (
            lambda: MLP.from_arrays([np.ones((2, 3)), np.ones((2, 1))]),
            r"weights\[1\] has shape \(2, 1\); the layers before it need \(3, 1\)",
        ),
        (lambda: MLP.from_arrays([np.ones((2, 3))], [np.ones(2)]), r"biases\[0\] has shape \(2,\), expected \(3,\)"),
        (lambda: MLP.from_arrays([np.ones(3)]), r"weights\[0\] has shape \(3,\), expected 2 dimensions"),
        (lambda: MLP.from_arrays([np.ones((2, 0))]), r"weights\[0\] has shape \(2, 0\)"),
    ],
)
def test_wrong_networks_are_refused(make: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()


def test_a_single_width_is_refused_with_the_remedy() -> None:
    with pytest.raises(TypeError, match=r"^n_outs=3 is a number; give the width of every layer, .*, for example \[4, 3\]$"):
        MLP(2, 3)  # type: ignore[arg-type]  # the mistake


def test_widths_in_no_order_are_refused_with_an_example() -> None:
    with pytest.raises(TypeError, match=r"^n_outs=\{3\} is a set; give a list, for example \[4, 1\]$"):
        MLP(2, {3})  # type: ignore[arg-type]  # the mistake


def test_entries_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(TypeError, match=r"weights\[0\] holds text, not real numbers"):
        MLP.from_arrays([[["a"]]])
    with pytest.raises(TypeError, match="x holds None, not real numbers"):
        MLP(2, [1], rng=0)([1.0, None])


@pytest.mark.parametrize("x", [[1.0], [1.0, 2.0, 3.0], [], 1.0, np.ones((3, 2)), np.ones((2, 1)), np.float64(2), None])
def test_a_sample_of_the_wrong_length_is_refused(x: Any) -> None:
    with pytest.raises(ValueError, match=f"x has shape {re.escape(str(np.shape(x)))}, expected {re.escape('(2,)')}"):
        MLP(2, [1], rng=0)(x)


@pytest.mark.parametrize(
    ("X", "Y", "said"),
    [
        ([[1, 2]], [[1, 2]], r"Y has shape \(1, 2\), expected \(1, 1\)"),
        ([[1, 2], [3, 4]], [[1]], r"Y has shape \(1, 1\), expected \(2, 1\)"),
        ([[1, 2]], [1, 0], r"Y has shape \(2,\), expected \(1, 1\)"),
        ([[1, 2]], 1.0, r"Y has shape \(\), expected \(1, 1\)"),
        ([[1, 2, 3]], [[1]], r"X has shape \(1, 3\), expected \(n, 2\)"),
        ([1, 2], [[1], [1]], r"X has shape \(2,\), expected \(n, 2\)"),
        (1.0, [[1]], r"X has shape \(\), expected \(n, 2\)"),
        ([], [], r"X has shape \(0,\), expected \(n, 2\), .* at least one"),
        (np.ones((0, 2)), np.ones((0, 1)), r"X has shape \(0, 2\), expected \(n, 2\), .* at least one"),
    ],
)
def test_samples_and_targets_of_the_wrong_shape_are_refused(X: Any, Y: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        MLP(2, [1], rng=0).loss(X, Y)


@pytest.mark.parametrize("x", [[1.0], [1.0, 2.0, 3.0]])
def test_a_neuron_refuses_a_wrong_number_of_inputs(x: list[float]) -> None:
    said = rf"^x has shape \({len(x)},\), expected \(2,\); the neuron a1\[0\] has 2 weights$"
    with pytest.raises(ValueError, match=said):
        Neuron([Value(1.0), Value(2.0)], None, "linear", "a1[0]")([Value(v) for v in x])


def test_a_list_of_one_activation_is_taken_as_for_a_layer() -> None:
    one: Any = ["relu"]
    assert Neuron([Value(1.0)], None, one)([Value(-2.0)]).data == 0.0


def test_a_neuron_without_a_name_labels_nothing() -> None:
    assert Neuron([Value(1.0)], None, "tanh")([Value(2.0)]).label == ""


@pytest.mark.parametrize(("X", "Y", "name"), [([[1, 2], [3]], [[1], [1]], "X"), ([[1, 2], [3, 4]], [[1], [1, 2]], "Y")])
def test_ragged_samples_are_refused_by_name(X: Any, Y: Any, name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} "):
        MLP(2, [1], rng=0).loss(X, Y)


def test_ragged_weights_and_a_ragged_sample_are_refused_by_name() -> None:
    said = "has rows of different lengths; give one number for each column in every row$"
    with pytest.raises(ValueError, match=rf"^weights\[0\] {said}"):
        MLP.from_arrays([[[1.0, 2.0], [3.0]]])
    with pytest.raises(ValueError, match=rf"^weights\[1\] {said}"):
        MLP.from_arrays([[[1.0, 2.0]], [[1.0], [2.0, 3.0]]])
    with pytest.raises(ValueError, match=f"^x {said}"):
        MLP(2, [1], rng=0)([[1.0], [1.0, 2.0]])
    with pytest.raises(ValueError, match=r"^weights\[0\] has shape \(\), expected 2 dimensions$"):
        MLP.from_arrays([1.0])


def test_text_is_refused_with_the_name_of_the_argument() -> None:
    neuron: Any = Neuron([Value(1.0), Value(2.0)], None, "tanh")
    model: Any = MLP(2, [1], rng=0)
    uses: list[tuple[str, Callable[[], Any]]] = [
        ("^x holds text", lambda: neuron(["a", "b"])),
        ("^x has rows of different lengths", lambda: neuron([[1.0], [1.0, 2.0]])),
        (r"^z=3.0 is a float; give a Value, as `preactivation` returns$", lambda: neuron.activate(3.0)),
        ("^X holds text", lambda: model.loss([["a", "b"]], [[1.0]])),
        ("^Y holds text", lambda: model.loss([[1.0, 2.0]], [["a"]])),
        (r"^biases\[0\] holds text", lambda: MLP.from_arrays([[[1.0]]], [["a"]])),
        (r"^biases\[0\] has rows of different lengths", lambda: MLP.from_arrays([[[1.0]]], [[[1.0], [1.0, 2.0]]])),
        (r"^biases\[0\] has shape \(\), expected 1 dimension; it is a dict$", lambda: MLP.from_arrays([[[1.0]]], [{1: 2.0}])),
        (r"^weights\[0\] has shape \(\), expected 2 dimensions; it is a dict$", lambda: MLP.from_arrays([{1: 2.0}])),
        ("^weights and bias: 1.0 is a float; a neuron is made of Values$", lambda: Neuron([number], None, "tanh")),
        ("^weights and bias: 1.0 is a float; a neuron is made of Values$", lambda: Neuron([Value(1.0)], number, "tanh")),
        ("^weights: there are none; a neuron has one for each input$", lambda: Neuron([], None, "tanh")),
        ("^activations: got 2 names, expected 1", lambda: Neuron([Value(1.0)], None, ["tanh", "relu"])),  # type: ignore[arg-type]  # the mistake
        (r"^rng='x' is no seed: .*; give a whole number, a NumPy generator, or None$", lambda: MLP(2, [1], rng="x")),
        (r"^networks='3' has to be a whole number from 1 up$", lambda: MatrixMLP.random([2, 1], networks=odd)),
    ]
    odd: Any = "3"
    number: Any = 1.0
    for name, example, call in (
        ("weights", "[W1, W2], one array per layer", lambda: MLP.from_arrays(odd)),
        ("biases", "[B1, B2], one array per layer", lambda: MLP.from_arrays([[[1.0]]], odd)),
        ("activations", "['tanh', 'linear']", lambda: MLP(2, [1], {odd: 1})),
        ("weights", "[Value(0.5)]", lambda: Neuron(odd, None, "tanh")),
    ):
        uses.append((rf"^{name}=.*; give a list, for example {re.escape(example)}$", call))
    for said, use in uses:
        with pytest.raises((TypeError, ValueError), match=said):
            use()
