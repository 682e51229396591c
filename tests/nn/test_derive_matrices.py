"""`nn.derive_matrices`: matrix and graph agree on every entry, and whatever is printed is run as code or looked up.

The formulas are NumPy code, so they are evaluated here, for samples in rows and in columns; so are the symbols of every
term; the numbers of the graph are compared with those of `backward()`.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from autograd.expressions import as_latex, as_text, call, mean, size, summed, symbol, where
from autograd.names import number_text
from nn import MatrixDerivation
from nn.derivation.formulas import last_delta_formula, last_delta_why, matrix, predicted, product, why
from nn.derivation.variants import in_columns, signs

ACTIVATIONS = ("sigmoid", "tanh", "relu", "linear", "leaky_relu")
PAIRS = [(loss.name, last) for loss in nn.LOSSES.values() for last in loss.outputs]
X = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
Y = np.array([[0], [1], [1], [0]])


def model_of_the_question() -> nn.MatrixMLP:
    random = np.random.RandomState(1)
    return nn.MatrixMLP([2 * random.random_sample((3, 4)) - 1, 2 * random.random_sample((4, 1)) - 1])


def made(seed: int, sizes: list[int], hidden: list[str], pair: tuple[str, str], bias: bool, n: int) -> MatrixDerivation:
    rng, (loss, last) = np.random.default_rng(seed), pair
    model = nn.MatrixMLP.random(sizes, [*hidden, last], bias, rng)
    if model.biases is not None:
        model.biases = [rng.uniform(-1, 1, b.shape) for b in model.biases]
    targets = rng.choice([0.0, 0.25, 1.0], (n, sizes[-1])) if "entropy" in loss else rng.uniform(-2, 2, (n, sizes[-1]))
    if loss == "softmax_cross_entropy" and seed % 2:
        targets = np.eye(sizes[-1])[rng.integers(sizes[-1], size=n)]
    return nn.derive_matrices(model, rng.normal(size=(n, sizes[0])), targets, loss)


@st.composite
def derivations(draw: st.DrawFn) -> MatrixDerivation:
    sizes = draw(st.lists(st.integers(1, 4), min_size=2, max_size=4))
    hidden = draw(st.lists(st.sampled_from(ACTIVATIONS), min_size=len(sizes) - 2, max_size=len(sizes) - 2))
    pair, bias, n = draw(st.sampled_from(PAIRS)), draw(st.booleans()), draw(st.integers(1, 5))
    sizes[-1] += pair[0] == "softmax_cross_entropy"  # of one output it is refused
    return made(draw(st.integers(0, 10**6)), sizes, hidden, pair, bias, n)


def every_pair() -> list[MatrixDerivation]:
    """One derivation for each loss with each last activation, all hidden activations among them."""
    return [
        made(i, [2, 3, 2, 3], [ACTIVATIONS[i % 5], ACTIVATIONS[(i + 1) % 5]], pair, i % 3 > 0, 4)
        for i, pair in enumerate(PAIRS)
    ]


def matrices(d: MatrixDerivation) -> dict[str, Any]:
    """The matrices by the names that they have in formulas."""
    found: dict[str, Any] = {"X": d.X, "Y": d.Y, "C": d.passes.loss}
    for layer, w in enumerate(d.model.weights, 1):
        found |= {f"W{layer}": w, f"z{layer}": d.passes.z[layer - 1], f"a{layer}": d.passes.a[layer]}
        found |= {f"delta{layer}": d.passes.delta[layer - 1], f"dW{layer}": d.gradients.weights[layer - 1]}
        if d.model.biases is not None and d.gradients.biases is not None:
            found |= {f"b{layer}": d.model.biases[layer - 1], f"db{layer}": d.gradients.biases[layer - 1]}
    return found


def turned(found: dict[str, Any]) -> dict[str, Any]:
    return {name: a if np.ndim(a) == 0 else a[:, None] if a.ndim == 1 else a.T for name, a in found.items()}


def functions(axis: int) -> dict[str, Any]:
    def softmax(z: Any) -> Any:
        e = np.exp(z - z.max(axis=axis, keepdims=True))
        return e / e.sum(axis=axis, keepdims=True)

    def huber(d: Any) -> Any:
        return np.where(abs(d) <= 1, d**2 / 2, abs(d) - 0.5)

    found = {name: getattr(np, name) for name in ("tanh", "log", "exp", "where", "clip", "sign", "abs")}
    found |= {"sigmoid": lambda z: 1 / (1 + np.exp(-z)), "relu": lambda z: np.maximum(z, 0)}
    return found | {"softmax": softmax, "huber": huber}


def run(code: str, names: dict[str, Any], axis: int = 1) -> Any:
    n = names["X"].shape[1 - axis]
    return eval(code, {**functions(axis), **names, "n": n})  # noqa: S307  # formulas of our own


def entries(d: MatrixDerivation) -> Any:
    for name, found in matrices(d).items():
        if name.startswith(("delta", "dW", "db")):
            for index in np.ndindex(found.shape):
                yield name, index, found[index].item()


def sizes(d: MatrixDerivation) -> dict[str, Any]:
    """What the terms of each entry could be in size: no slope is larger than 1, no difference than its parts together."""
    found = matrices(d)
    delta = np.abs(d.passes.a[-1]) + np.abs(d.Y) + 1
    for layer in range(len(d.model.weights), 0, -1):
        found |= {
            f"delta{layer}": delta,
            f"dW{layer}": np.abs(d.passes.a[layer - 1]).T @ delta,
            f"db{layer}": delta.sum(axis=0),
        }
        delta = delta @ np.abs(d.model.weights[layer - 1]).T
    return found


@settings(max_examples=60, deadline=None)
@given(derivations())
def test_the_terms_of_every_entry_sum_to_it_and_matrix_and_graph_agree(d: MatrixDerivation) -> None:
    for name, index, number in entries(d):
        e = d.at(name, *index)
        terms = [term.number for term in e.terms]
        assert (e.from_matrix, e.entry, e.name) == (number, index, name)
        assert abs(sum(terms) - e.from_graph) <= len(terms) * 2.0**-52 * sum(map(abs, terms))
        assert e.difference == abs(number - e.from_graph) <= 128 * 2.0**-52 * sizes(d)[name][index]
        leaky = "leaky_relu" in d.model.activations  # whose slope is the sum of two
        assert len(terms) > 1 or leaky or terms == [e.from_graph]  # a single term is multiplied in the order of the sweep
        for term in e.terms:
            assert np.prod(term.factors) == pytest.approx(term.number, rel=1e-14, abs=1e-300)


@settings(max_examples=30, deadline=None)
@given(derivations())
def test_the_numbers_of_the_graph_are_those_of_backward(d: MatrixDerivation) -> None:
    values = d.model.to_mlp()
    values.loss(d.X, d.Y, d.loss).backward()
    for layer, rows in enumerate(values.weights, 1):
        for i, row in enumerate(rows):
            for j, w in enumerate(row):
                assert d.at(f"dW{layer}", i, j).from_graph == w.grad
    for layer, biases in enumerate(values.biases or [], 1):
        for j, b in enumerate(biases):
            assert d.at(f"db{layer}", j).from_graph == b.grad


@settings(max_examples=30, deadline=None)
@given(derivations())
def test_the_symbols_of_every_term_are_the_numbers_beside_them(d: MatrixDerivation) -> None:
    names = matrices(d)
    for e in d.equations:
        for term in e.terms:
            assert term.sample in ({e.entry[0]} if e.line < 3 else range(len(d.X)))
            assert term.neuron == (e.entry[-1] if e.line != 2 else term.neuron)
            for text, factor in zip(term.symbols, term.factors, strict=True):
                said = run(re.sub(r"^\[(.+ > .+)\]$", r"(\1)", text), names)
                assert said == pytest.approx(factor, rel=1e-5, abs=1e-12)
        slope = d.model.activations[e.layer - 1]
        if e.line == 2 or (e.line == 1 and "entropy" not in d.loss):  # a relu's slope is shown where it is 1, too
            shown = {"relu": f"z{e.layer}[", "leaky_relu": f"z{e.layer}[", "linear": ""}.get(slope, f"a{e.layer}[")
            assert all(term.symbols[-1].count(shown) for term in e.terms)
        if e.line == 2:
            assert [term.neuron for term in e.terms] == list(range(d.model.weights[e.layer].shape[1]))
        if e.line > 2:
            assert [term.sample for term in e.terms] == list(range(len(d.X)))


def test_the_formulas_are_code_that_gives_the_matrices_in_rows_and_in_columns() -> None:
    for d in every_pair():
        rows = matrices(d)
        columns = turned(rows)
        for e in d.equations:
            for form, names, axis in ((e.rows, rows, 1), (e.columns, columns, 0)):
                found = run(form.text, names, axis)
                assert found == pytest.approx(names[e.name], rel=1e-12, abs=1e-15), str(form)
                assert found.shape == form.result.shape
        line = str(d).split("    C = ")[1].splitlines()[0]
        formula, number = line.rsplit(" = ", 1)
        assert run(formula, rows) == pytest.approx(d.passes.loss, rel=1e-12)
        assert number == number_text(d.passes.loss)


def test_the_shapes_are_those_of_the_arrays_and_say_where_the_samples_are() -> None:
    for d in every_pair():
        rows = matrices(d)
        for e in d.equations:
            for form, names, axis in ((e.rows, rows, 1), (e.columns, turned(rows), 0)):
                for operand in (*form.factors, form.result):
                    shape = run(e.name if operand is form.result else operand.text, names, axis).shape
                    assert operand.shape == shape
                    assert eval(operand.dims, {"n": len(d.X)}) == shape  # noqa: S307  # shapes of our own
                    assert ("n" in operand.dims) == ("s" in operand.letters)
                assert form.shapes in str(d)
            if e.rows.factors:
                left, right = e.rows.factors
                assert left.shape[1] == right.shape[0]
                assert left.letters[1] == right.letters[0] == ("k" if e.line == 2 else "s")


def test_samples_in_columns_are_computed_and_are_the_transposes() -> None:
    for d in every_pair():
        found = d.transposed
        pairs = [*zip(found.delta, d.passes.delta, strict=True), *zip(found.weights, d.gradients.weights, strict=True)]
        pairs += [
            (c[:, 0], b) for c, b in zip(found.biases, d.gradients.biases or found.biases, strict=True) if d.gradients.biases
        ]
        apart = [np.abs(c.T - r).max() for c, r in pairs]
        assert max(apart) == d.columns_apart < 1e-15
        assert f"largest difference of an entry is {number_text(d.columns_apart)}." in str(d)


def test_the_columns_are_not_made_from_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    right = nn.MatrixMLP.passes

    def wrong(self: nn.MatrixMLP, *args: Any, **named: Any) -> Any:
        found = right(self, *args, **named)
        return found._replace(delta=[delta * 1.5 for delta in found.delta])

    monkeypatch.setattr(nn.MatrixMLP, "passes", wrong)
    d = nn.derive_matrices(model_of_the_question(), X, Y)
    assert d.columns_apart > 0.01
    assert not d.signs.same
    assert "After the step all 16 weights are not the same." in " ".join(str(d).split())
    for e in d.equations:  # nor is the graph made from the matrices
        assert e.difference == pytest.approx(abs(e.from_graph) / 2)
        assert f"difference {number_text(e.difference)}" in str(e)


@settings(max_examples=60, deadline=None)
@given(derivations())
def test_plus_with_y_minus_a_is_minus_with_a_minus_y_bit_for_bit(d: MatrixDerivation) -> None:
    assert d.signs.same
    numbers = dict(zip(d.signs.names, zip(d.signs.minus, d.signs.plus, strict=True), strict=True))
    for layer, w in enumerate(d.model.weights):
        minus, plus = numbers[f"W{layer + 1}"]
        assert np.array_equal(minus, w - d.gradients.weights[layer])
        assert np.array_equal(minus.view(np.uint64), plus.view(np.uint64))
    for layer, b in enumerate(d.model.biases or ()):
        minus, plus = numbers[f"b{layer + 1}"]
        assert d.gradients.biases
        assert np.array_equal(minus, b - d.gradients.biases[layer])
        assert np.array_equal(minus.view(np.uint64), plus.view(np.uint64))


def test_the_step_with_plus_starts_from_y_minus_a() -> None:
    model = model_of_the_question()
    W1, W2 = model.weights
    a1 = 1 / (1 + np.exp(-X @ W1))
    a2 = 1 / (1 + np.exp(-a1 @ W2))
    d2 = (Y - a2) * a2 * (1 - a2)
    d1 = d2 @ W2.T * a1 * (1 - a1)
    found = nn.derive_matrices(model, X, Y).signs
    assert found.names == ["W2", "W1"]
    assert found.steps[0] == pytest.approx(a1.T @ d2, rel=1e-12)
    assert found.plus[1] == pytest.approx(W1 + X.T @ d1, rel=1e-12)


def test_the_network_of_the_question_reads_like_this() -> None:
    text = str(nn.derive_matrices(model_of_the_question(), X, Y))
    for expected in (
        "The 3-4-1 network with C = half_squared_error, for n = 4 samples in rows",
        "(1) delta2 = (a2 - Y) * a2 * (1 - a2)               (n, 1)",
        "      route  0.5 * 2 * (a2[0,0] - Y[0,0]) * a2[0,0] * (1 - a2[0,0])\n             = 0.5 * 0.947459 * 0.24931 = 0.1181",
        "(3) dW2 = a1.T @ delta2                             (4, n) @ (n, 1) -> (4, 1)",
        "      sample 1  a1[1,2] * delta2[1,0] = 0.312364 * -0.127698 = -0.0398884",
        "\n                                                         sum = 0.00676932\n",
        "(2) delta1 = (delta2 @ W2.T) * a1 * (1 - a1)        (n, 1) @ (1, 4) -> (n, 4)",
        "(3) dW1 = X.T @ delta1                              (3, n) @ (n, 4) -> (3, 4)",
        "(3) dW2 = a1.T @ delta2                        (3) dW2 = delta2 @ a1.T\n",
        "    W2 += a1.T @ delta2, from (Y - a2)   -0.945225 + (-0.00676932)   = -0.95199412995310",
    ):
        assert expected in text
    words = " ".join(text.split())
    assert "s has to be inner and i, j outer, (i,s) @ (s,j): a1[s,i] is turned to a1.T[i,s], delta2[s,j] stays." in words
    assert "k has to be inner and s, i outer, (s,k) @ (k,i): delta2[s,k] stays, W2[i,k] is turned to W2.T[k,i]." in words
    assert "After the step all 16 weights are the same, bit for bit." in words


def test_every_number_that_is_printed_is_one_that_was_computed() -> None:
    for d in every_pair():
        for e in d.equations:
            text = str(e)
            for which, number in (("matrix", e.from_matrix), ("graph", e.from_graph)):
                (said,) = re.findall(rf"in the {which} +(\S+)", text)
                assert float(said) == number
            lines = [line for line in text.splitlines() if re.match(r" +((sample|neuron|route) .*|)= ", line)]
            said = [" = ".join(part.strip() for part in line.split("= ")[1:]) for line in lines]
            for numbers, term in zip(said, e.terms, strict=True):
                factors = " * ".join(number_text(x + 0) for x in term.factors)
                assert numbers in (f"{factors} = {number_text(term.number + 0)}", *[factors] * (len(term.factors) == 1))
            sums = re.findall(r"sum = +(\S+)", text)
            assert sums == [number_text(sum(term.number for term in e.terms) + 0)] * (len(e.terms) > 1)


def test_many_terms_are_folded_and_the_lines_stay_short() -> None:
    d = made(3, [4, 9, 8], ["relu"], ("softmax_cross_entropy", "linear"), True, 20)
    for e in d.equations:
        shown = [line for line in str(e).splitlines() if re.match(r" +(sample|neuron|route) ", line)]
        assert len(shown) == min(6, len(e.terms))
        assert (f"and {len(e.terms) - 6} more, none of them larger" in str(e)) == (len(e.terms) > 6)
        assert f"sum = {number_text(sum(term.number for term in e.terms))}\n" in str(e).replace("=  ", "= ").replace(
            "=  ", "= "
        )
        if e.line > 2:
            largest = sorted(e.terms, key=lambda term: -abs(term.number))[:6]
            assert [line.split()[1] for line in shown] == [str(term.sample) for term in sorted(largest)]
    for found in (d, *every_pair()):
        assert max(map(len, str(found).splitlines())) <= 100


def test_the_largest_terms_are_shown_where_most_are_zero() -> None:
    d = nn.derive_matrices(nn.MatrixMLP([np.arange(1.0, 10.0)[:, None]], activations="linear"), np.eye(9), np.zeros((9, 1)))
    text = str(d.at("dW1", 8, 0))
    assert re.findall(r"sample (\d)", text) == ["0", "1", "2", "3", "4", "8"]
    assert "X[8,8] * delta1[8,0] = 1 * 9 = 9\n      and 3 more, none of them larger\n" in text


def test_the_routes_through_a_softmax_stand_in_the_order_of_the_targets() -> None:
    d = nn.derive_matrices(nn.MatrixMLP([[[1.0] * 3]], None, "linear"), [[2]], [[1, 0.5, 0.25]], "softmax_cross_entropy")
    assert [term.symbols[1:] for term in d.at("delta1", 0, 1).terms] == [
        ("Y[0,0]", "softmax(z1)[0,1]"),
        ("Y[0,1]", "softmax(z1)[0,0]", "-1"),  # of its own log there is one for each other output
        ("Y[0,1]", "softmax(z1)[0,2]", "-1"),
        ("Y[0,2]", "softmax(z1)[0,1]"),
    ]


def test_a_cross_entropy_starts_from_z_also_where_z_is_the_output() -> None:
    d = nn.derive_matrices(nn.MatrixMLP([[[1.0]]], None, "linear"), [[2]], [[1]], "binary_cross_entropy")
    assert [term.symbols for term in d.at("delta1", 0, 0).terms] == [
        ("1", "Y[0,0]", "sigmoid(-z1[0,0])", "-1"),
        ("1", "1 - Y[0,0]", "sigmoid(z1[0,0])"),
    ]


def test_a_factor_is_written_out_no_deeper_than_it_is_shown() -> None:
    """A loss of a thousand samples is a sum in a sum a thousand times over, more than Python's stack has frames."""
    d = nn.derive_matrices(nn.MatrixMLP([[[1.0]]], None, "linear"), np.ones((1001, 1)), np.zeros((1001, 1)))
    assert [term.symbols for term in d.at("delta1", 3, 0).terms] == [("0.5", "2 * (a1[3,0] - Y[3,0])")]


def test_a_network_of_values_is_derived_and_left_as_it_is() -> None:
    model = model_of_the_question()
    values = model.to_mlp()
    values.weights[0][0][0].grad = 7.0
    values.weights[0][0][0].label = "mine"
    assert str(nn.derive_matrices(values, X.tolist(), Y.tolist())) == str(nn.derive_matrices(model, X, Y))
    assert [p.grad for p in values.parameters()] == [7.0] + [0.0] * 15
    assert values.weights[0][0][0].label == "mine"


def test_a_derivation_stays_as_it_is_when_the_network_is_trained() -> None:
    model, x, y = model_of_the_question(), X.astype(float), Y.astype(float)
    d = nn.derive_matrices(model, x, y)
    before = str(d), str(d.at("dW1", 0, 0))
    nn.fit(model, x, y, steps=10, learning_rate=1)
    x += 1
    y += 1
    assert (str(d), str(d.at("dW1", 0, 0))) == before


def test_fractions_agree_exactly() -> None:
    third = Fraction(1, 3)
    W = [np.array([[third, -third], [Fraction(2), third]]), np.array([[Fraction(1, 7)], [Fraction(-2, 5)]])]
    model = nn.MatrixMLP(W, activations=["relu", "linear"])
    x, y = np.array([[Fraction(1), Fraction(2)], [third, Fraction(-1, 9)]]), np.array([[Fraction(1)], [Fraction(0)]])
    d = nn.derive_matrices(model, x, y)
    assert [e.difference for e in d.equations] == [0] * 4
    assert all(isinstance(e.from_graph, Fraction) for e in d.equations)
    assert f"in the graph   {d.equations[1].from_graph}   difference 0\n" in str(d)
    large = nn.derive_matrices(nn.MatrixMLP([np.array([[Fraction(10) ** 400]])], None, "linear"), x[:1, :1], y[:1])
    assert "in the matrix  9999999999999999999999999999999999999999..." in str(large)
    assert "After the step the weight is the same, bit for bit." in " ".join(str(large).split())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": nn.MatrixMLP.random([3, 4, 1], rng=0, networks=5)}, r"5 stacked networks; give one, model\.network\(i\)"),
        ({"X": X[:, :2]}, r"X has shape \(4, 2\), expected \(n, 3\)"),
        ({"Y": Y.T}, r"Y has shape \(1, 4\), expected \(4, 1\)"),
        ({"Y": Y[:3, 0]}, r"Y has shape \(3,\), expected \(4, 1\)"),
        ({"X": X[:0], "Y": Y[:0]}, r"X has shape \(0, 3\), expected \(n, 3\) with at least one sample"),
        ({"X": X * np.nan}, r"derive_matrices: X holds nan; give finite numbers"),
        ({"Y": Y + np.inf}, r"derive_matrices: Y holds inf"),
        ({"model": nn.MatrixMLP([np.full((3, 1), np.inf)])}, r"derive_matrices: weights\[0\] holds inf"),
        ({"model": nn.MatrixMLP([np.ones((3, 1))], [np.array([np.nan])])}, r"derive_matrices: biases\[0\] holds nan"),
        (
            {"model": nn.MatrixMLP([np.full((3, 1), 1e200), np.full((1, 1), 1e200)], None, "linear")},
            r"derive_matrices: z2 holds inf",
        ),
        ({"loss": "hinge"}, r"loss='hinge' is not known; choose one of half_squared_error"),
        ({"loss": "softmax_cross_entropy"}, r"has to be linear, not sigmoid"),
        (
            {"loss": "binary_cross_entropy", "Y": Y + 0.5},
            r"Y holds 1\.5; the targets of binary_cross_entropy are probabilities",
        ),
        ({"X": np.ones((20_000, 3)), "Y": np.ones((20_000, 1))}, r"make 320,000 products.*X\[:12500\] and Y\[:12500\]"),
    ],
)
def test_what_cannot_be_derived_is_refused_with_what_to_do(change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"model": model_of_the_question(), "X": X, "Y": Y} | change
    with pytest.raises(ValueError, match=message):
        nn.derive_matrices(**arguments)


def test_another_model_is_refused() -> None:
    with pytest.raises(TypeError, match="the model is a list; give a MatrixMLP or an MLP"):
        nn.derive_matrices([X], X, Y)  # type: ignore[arg-type]  # the user's mistake


def test_an_entry_or_a_matrix_that_is_not_there_is_refused() -> None:
    d = nn.derive_matrices(model_of_the_question(), X, Y)
    with pytest.raises(ValueError, match="no 'db2'; it has delta2, dW2, delta1, dW1"):
        d.at("db2", 0)
    for entry in ((4, 0), (0,), (-1, 0), (0, 0, 0)):
        with pytest.raises(ValueError, match=r"dW2 has shape \(4, 1\), counted from 0; there is no entry \["):
            d.at("dW2", *entry)


def test_the_latex_has_every_formula_and_its_braces_match() -> None:
    for d in every_pair():
        source = d.latex()
        assert source.count(r"\begin{align*}") == source.count(r"\end{align*}") == len(d.equations)
        assert source.count(r"\left") == source.count(r"\right")
        for e in d.equations:
            assert as_latex(e.rows.expression, layers=True) in e.latex()
            assert e.latex() in source
        assert source.count("{") == source.count("}")
    assert (
        r"\frac{\partial C}{\partial W^{(2)}} &= a^{(1)\top} \, \delta^{(2)} && (4 \times n)\,(n \times 1) \to 4 \times 1"
        in (nn.derive_matrices(model_of_the_question(), X, Y).latex())
    )


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_the_latex_compiles(tmp_path: Path) -> None:
    body = "\n\n".join(d.latex() for d in every_pair())
    source = rf"\documentclass{{article}}\usepackage{{amsmath}}\begin{{document}}{body}\end{{document}}"
    (tmp_path / "derivation.tex").write_text(source)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "derivation.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603  # our own source
    assert done.returncode == 0, done.stdout[-1000:]


EXACT = nn.MatrixMLP([[[1.0, -2.0], [0.5, 1.0]], [[2.0], [-1.0]]], [[0.5, 1.0], [-1.0]], ["relu", "linear"])  # no rounding
ALL_OF_IT = r"""
The 2-2-1 network with C = mean_squared_error, for n = 2 samples in rows
    z1 = X @ W1 + b1    (n, 2) @ (2, 2) -> (n, 2)   a1 = relu(z1)
    z2 = a1 @ W2 + b2   (n, 2) @ (2, 1) -> (n, 1)   a2 = z2
    C = ((a2 - Y)**2).mean() = 20

Layer 2

(1) delta2 = 2 * (a2 - Y) / Y.size                  (n, 1)
    Entry [1,0]: one route leads from z2[1,0] to C in the graph. Along a route the slopes
    multiply, from C back:
      route  0.5 * 2 * (a2[1,0] - Y[1,0]) = 0.5 * -12 = -6
      delta2[1,0] in the matrix  -6.0
                  in the graph   -6.0   difference 0
    The 2 of the square stays, for C has no 1/2; the mean divides by Y.size.

(3) dW2 = a1.T @ delta2                             (2, n) @ (n, 1) -> (2, 1)
    Entry [1,0]: every sample s uses W2[1,0] once, on its way to z2[s,0], and adds a term:
      sample 0  a1[0,1] * delta2[0,0] = 1 * 2  =   2
      sample 1  a1[1,1] * delta2[1,0] = 6 * -6 = -36
                                           sum = -34
      dW2[1,0] in the matrix  -34.0
               in the graph   -34.0   difference 0
    dW2[i,j] is the sum over the samples s of a1[s,i] * delta2[s,j]. A matrix product sums
    over its inner indices, so s has to be inner and i, j outer, (i,s) @ (s,j): a1[s,i] is
    turned to a1.T[i,s], delta2[s,j] stays.

(4) db2 = delta2.sum(axis=0)                        (1,)
    Entry [0]: every sample s adds b2[0] to its z2[s,0], and adds a term:
      sample 0  delta2[0,0] =  2
      sample 1  delta2[1,0] = -6
                        sum = -4
      db2[0] in the matrix  -4.0
             in the graph   -4.0   difference 0
    db2[j] is the sum over the samples s of delta2[s,j]: one and the same b2[j] is added in
    every sample, with slope 1, so every sample has its share. It is the line of dW2 for an
    input that is always 1.

Layer 1

(2) delta1 = (delta2 @ W2.T) * (z1 > 0)             (n, 1) @ (1, 2) -> (n, 2)
    Entry [1,1]: a1[1,1] goes into every neuron k of layer 2; each route adds a term:
      neuron 0  delta2[1,0] * W2[1,0] * (z1[1,1] > 0) = -6 * -1 * 1 = 6
      delta1[1,1] in the matrix  6.0
                  in the graph   6.0   difference 0
    (delta2 @ W2.T)[s,i] is the sum over the neurons k of delta2[s,k] * W2[i,k]. A matrix
    product sums over its inner indices, so k has to be inner and s, i outer, (s,k) @ (k,i):
    delta2[s,k] stays, W2[i,k] is turned to W2.T[k,i].

(3) dW1 = X.T @ delta1                              (2, n) @ (n, 2) -> (2, 2)
    Entry [0,1]: every sample s uses W1[0,1] once, on its way to z1[s,1], and adds a term:
      sample 0  X[0,0] * delta1[0,1] = 1 * -2 =  -2
      sample 1  X[1,0] * delta1[1,1] = -2 * 6 = -12
                                          sum = -14
      dW1[0,1] in the matrix  -14.0
               in the graph   -14.0   difference 0
    dW1[i,j] is the sum over the samples s of X[s,i] * delta1[s,j]. A matrix product sums
    over its inner indices, so s has to be inner and i, j outer, (i,s) @ (s,j): X[s,i] is
    turned to X.T[i,s], delta1[s,j] stays.

(4) db1 = delta1.sum(axis=0)                        (2,)
    Entry [1]: every sample s adds b1[1] to its z1[s,1], and adds a term:
      sample 0  delta1[0,1] = -2
      sample 1  delta1[1,1] =  6
                        sum =  4
      db1[1] in the matrix  4.0
             in the graph   4.0   difference 0
    db1[j] is the sum over the samples s of delta1[s,j]: one and the same b1[j] is added in
    every sample, with slope 1, so every sample has its share. It is the line of dW1 for an
    input that is always 1.

Samples in columns: every matrix transposed, and (A @ B).T = B.T @ A.T turns the order
    samples in rows                           samples in columns
    X is (n, d), W is n_in x n_out            X is (d, n), W is n_out x n_in
    (1) delta2 = 2 * (a2 - Y) / Y.size        (1) delta2 = 2 * (a2 - Y) / Y.size
            (n, 1)                                    (1, n)
    (3) dW2 = a1.T @ delta2                   (3) dW2 = delta2 @ a1.T
            (2, n) @ (n, 1) -> (2, 1)                 (1, n) @ (n, 2) -> (1, 2)
    (4) db2 = delta2.sum(axis=0)              (4) db2 = delta2.sum(axis=1, keepdims=True)
            (1,)                                      (1, 1)
    (2) delta1 = (delta2 @ W2.T) * (z1 > 0)   (2) delta1 = (W2.T @ delta2) * (z1 > 0)
            (n, 1) @ (1, 2) -> (n, 2)                 (2, 1) @ (1, n) -> (2, n)
    (3) dW1 = X.T @ delta1                    (3) dW1 = delta1 @ X.T
            (2, n) @ (n, 2) -> (2, 2)                 (2, n) @ (n, 2) -> (2, 2)
    (4) db1 = delta1.sum(axis=0)              (4) db1 = delta1.sum(axis=1, keepdims=True)
            (2,)                                      (2, 1)
    Both computed, the largest difference of an entry is 0.

Minus or plus: one step of gradient descent at rate 1, for W2[1,0]
    W2 -= a1.T @ delta2, from (a2 - Y)   -1 - (-34)   = 33.0
    W2 += a1.T @ delta2, from (Y - a2)   -1 + 34      = 33.0
    (a2 - Y) and (Y - a2) differ in the sign alone, and so do the products and sums that are
    made of them: the minus stands in front, or inside. After the step all 9 weights and
    biases are the same, bit for bit.
"""
ALL_LATEX = r"""
\begin{align*}
\delta^{(2)} &= \frac{2 \, \left(a^{(2)} - Y\right)}{\operatorname{size} Y} && n \times 1 \\[3pt]
\delta^{(2)}_{1,0} &= 0.5 \cdot 2 \cdot \left(a^{(2)}_{1,0} - Y_{1,0}\right) && = 0.5 \cdot \left(-12\right) \\[3pt]
 &&& = -6
\end{align*}
\begin{align*}
\frac{\partial C}{\partial W^{(2)}} &= a^{(1)\top} \, \delta^{(2)} && (2 \times n)\,(n \times 1) \to 2 \times 1 \\[3pt]
\frac{\partial C}{\partial W^{(2)}_{1,0}} &= a^{(1)}_{0,1} \cdot \delta^{(2)}_{0,0} && = 1 \cdot 2 \\[3pt]
 &\quad +  a^{(1)}_{1,1} \cdot \delta^{(2)}_{1,0} && \quad +  6 \cdot \left(-6\right) \\[3pt]
 &&& = -34
\end{align*}
\begin{align*}
\frac{\partial C}{\partial b^{(2)}} &= \sum_{s} \delta^{(2)} && 1 \\[3pt]
\frac{\partial C}{\partial b^{(2)}_{0}} &= \delta^{(2)}_{0,0} && = 2 \\[3pt]
 &\quad +  \delta^{(2)}_{1,0} && \quad +  \left(-6\right) \\[3pt]
 &&& = -4
\end{align*}
\begin{align*}
\delta^{(1)} &= \left(\delta^{(2)} \, W^{(2)\top}\right) \odot \left(z^{(1)} > 0\right) && (n \times 1)\,(1 \times 2) \to n \times 2 \\[3pt]
\delta^{(1)}_{1,1} &= \delta^{(2)}_{1,0} \cdot W^{(2)}_{1,0} \cdot \left(z^{(1)}_{1,1} > 0\right) && = \left(-6\right) \cdot \left(-1\right) \cdot 1 \\[3pt]
 &&& = 6
\end{align*}
\begin{align*}
\frac{\partial C}{\partial W^{(1)}} &= X^{\top} \, \delta^{(1)} && (2 \times n)\,(n \times 2) \to 2 \times 2 \\[3pt]
\frac{\partial C}{\partial W^{(1)}_{0,1}} &= X_{0,0} \cdot \delta^{(1)}_{0,1} && = 1 \cdot \left(-2\right) \\[3pt]
 &\quad +  X_{1,0} \cdot \delta^{(1)}_{1,1} && \quad +  \left(-2\right) \cdot 6 \\[3pt]
 &&& = -14
\end{align*}
\begin{align*}
\frac{\partial C}{\partial b^{(1)}} &= \sum_{s} \delta^{(1)} && 2 \\[3pt]
\frac{\partial C}{\partial b^{(1)}_{1}} &= \delta^{(1)}_{0,1} && = \left(-2\right) \\[3pt]
 &\quad +  \delta^{(1)}_{1,1} && \quad +  6 \\[3pt]
 &&& = 4
\end{align*}
"""  # noqa: E501  # LaTeX, as it is printed
ONE_LAYER = r"""
The 1-2 network with C = softmax_cross_entropy, for n = 1 sample in rows
    z1 = X @ W1   (n, 1) @ (1, 2) -> (n, 2)   a1 = z1
    C = -(Y * log(softmax(z1))).sum() / n = 1.03972

Layer 1

(1) delta1 = (softmax(z1) * Y.sum(axis=1, keepdims=True) - Y) / n    (n, 2)
    Entry [0,0]: 2 routes lead from z1[0,0] to C in the graph. Along a route the slopes
    multiply, from C back:
      route  1 * Y[0,0] * softmax(z1)[0,1] * (-1) = 1 * 1 * 0.5 * -1 = -0.5
      route  1 * Y[0,1] * softmax(z1)[0,0]        = 1 * 0.5 * 0.5    = 0.25
                                                                 sum = -0.25
      delta1[0,0] in the matrix  -0.25
                  in the graph   -0.25   difference 0
    Each Y weighs the log of a sum of exp. Its slope by another z is the share of that one's
    exp, the softmax p; by its own z it is minus the shares of all others, p - 1. The routes
    sum to p - Y, where Y sums to 1, and the mean divides by n.

(3) dW1 = X.T @ delta1                              (1, n) @ (n, 2) -> (1, 2)
    Entry [0,0]: every sample s uses W1[0,0] once, on its way to z1[s,0], and adds a term:
      sample 0  X[0,0] * delta1[0,0] = 2 * -0.25 = -0.5
      dW1[0,0] in the matrix  -0.5
               in the graph   -0.5   difference 0
    dW1[i,j] is the sum over the samples s of X[s,i] * delta1[s,j]. A matrix product sums
    over its inner indices, so s has to be inner and i, j outer, (i,s) @ (s,j): X[s,i] is
    turned to X.T[i,s], delta1[s,j] stays.

Samples in columns: every matrix transposed, and (A @ B).T = B.T @ A.T turns the order
    samples in rows
    X is (n, d), W is n_in x n_out
    (1) delta1 = (softmax(z1) * Y.sum(axis=1, keepdims=True) - Y) / n
            (n, 2)
    (3) dW1 = X.T @ delta1
            (1, n) @ (n, 2) -> (1, 2)

    samples in columns
    X is (d, n), W is n_out x n_in
    (1) delta1 = (softmax(z1) * Y.sum(axis=0, keepdims=True) - Y) / n
            (2, n)
    (3) dW1 = delta1 @ X.T
            (2, n) @ (n, 1) -> (2, 1)
    Both computed, the largest difference of an entry is 0.

Minus or plus: one step of gradient descent at rate 1, for W1[0,0]
    W1 -= X.T @ delta1, from (softmax(z1) - Y)   1 - (-0.5)   = 1.5
    W1 += X.T @ delta1, from (Y - softmax(z1))   1 + 0.5      = 1.5
    (softmax(z1) - Y) and (Y - softmax(z1)) differ in the sign alone, and so do the products
    and sums that are made of them: the minus stands in front, or inside. After the step all
    2 weights are the same, bit for bit.
"""


def test_the_whole_text_and_the_whole_latex_of_a_network_with_biases() -> None:
    d = nn.derive_matrices(EXACT, [[1, 2], [-2, 1]], [[1], [-1]], "mean_squared_error")
    assert f"\n{d}\n" == ALL_OF_IT
    assert f"\n{d.latex()}\n" == ALL_LATEX


def test_the_whole_text_of_one_layer_whose_formulas_are_too_wide_to_stand_side_by_side() -> None:
    d = nn.derive_matrices(nn.MatrixMLP([[[1.0, 1.0]]], None, "linear"), [[2]], [[1, 0.5]], "softmax_cross_entropy")
    assert f"\n{d}\n" == ONE_LAYER


@pytest.mark.parametrize(("loss", "last"), PAIRS)
def test_the_other_ways_give_the_gradients_of_every_pair(loss: str, last: str) -> None:
    rng = np.random.default_rng(1)
    model = nn.MatrixMLP.random([2, 3, 2, 3], ["tanh", "relu", last], rng=rng)
    model.biases = [rng.uniform(-1, 1, b.shape) for b in model.biases or ()]
    x, y = rng.normal(size=(4, 2)), rng.choice([0.0, 0.25, 1.0], (4, 3))
    right = model.gradients(x, y, loss)
    found, turned = signs(model, model.passes(x, y, loss), y, loss), in_columns(model, x, y, loss)
    want = {f"W{l}": dW for l, dW in enumerate(right.weights, 1)} | {f"b{l}": db for l, db in enumerate(right.biases or (), 1)}
    now = {f"W{l}": w for l, w in enumerate(model.weights, 1)} | {f"b{l}": b for l, b in enumerate(model.biases, 1)}
    assert found.names == ["W3", "b3", "W2", "b2", "W1", "b1"]
    for name, step, plus, minus in zip(found.names, found.steps, found.plus, found.minus, strict=True):
        assert np.allclose(step, -want[name], rtol=1e-12, atol=1e-15)
        assert np.allclose(plus, now[name] - want[name], rtol=1e-12, atol=1e-15)
        assert np.array_equal(plus, minus)
    for layer in (1, 2, 3):
        assert np.allclose(turned.weights[layer - 1].T, want[f"W{layer}"], rtol=1e-12, atol=1e-15)
        assert np.allclose(turned.biases[layer - 1][:, 0], want[f"b{layer}"], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("y", "factor"),
    [([[0, 1], [1, 0]], False), ([[1, 1e-13]], False), ([[1, 1e-10]], True), ([[0.5, 0.5], [1, 1]], True), ([[1, 1]], True)],
)
def test_the_sum_of_the_targets_is_a_factor_where_it_is_not_1(y: Any, factor: bool) -> None:
    found = as_text(last_delta_formula("softmax_cross_entropy", "linear", 1, np.array(y), axis=1))
    assert found == f"(softmax(z1){' * Y.sum(axis=1, keepdims=True)' if factor else ''} - Y) / n"


@pytest.mark.parametrize(("loss", "last"), PAIRS)
def test_the_slope_is_explained_where_it_is_a_factor(loss: str, last: str) -> None:
    formula = as_text(last_delta_formula(loss, last, 3, np.eye(3), axis=1))
    slope = f" C depends on z3 only through a3 = {last}(z3), so the slope of {last} is a factor."
    assert last_delta_why(loss, last, 3).endswith(slope) == ("entropy" not in loss and last != "linear")
    assert last_delta_why(loss, last, 3).startswith(nn.LOSSES[loss].why)
    error = as_text(nn.LOSSES[loss].delta(predicted(loss, last, 3), symbol("Y")))
    assert formula.removeprefix("(").startswith(error.removeprefix("("))
    assert (formula == error) == ("entropy" in loss or last == "linear")
    assert ("a3 * (1 - a3)" in formula) == ("entropy" not in loss and last == "sigmoid")


a, b, W, z, n = map(symbol, ("a1", "Y", "W2", "z1", "n"))


@pytest.mark.parametrize(
    ("formula", "code", "latex"),
    [
        (summed((a - b) ** 2) / 2, "((a1 - Y)**2).sum() / 2", r"\frac{\sum \left(a^{(1)} - Y\right)^{2}}{2}"),
        (mean(a + b), "(a1 + Y).mean()", r"\operatorname{mean} \left(a^{(1)} + Y\right)"),
        (summed(W, 0) ** 2, "W2.sum(axis=0)**2", r"\left(\sum_{s} W^{(2)}\right)^{2}"),
        (summed(W, 1, keepdims=True), "W2.sum(axis=1, keepdims=True)", r"\sum_{j} W^{(2)}"),
        (call("softmax", z)[0, 1], "softmax(z1)[0,1]", r"\operatorname{softmax}\left(z^{(1)}\right)_{0,1}"),
        (symbol("a1[0,1]") * symbol("W2[10,2]"), "a1[0,1] * W2[10,2]", r"a^{(1)}_{0,1} \cdot W^{(2)}_{10,2}"),
        (W[0, "j"] * (1 - a["s"]), "W2[0,j] * (1 - a1[s])", r"W^{(2)}_{0,j} \cdot \left(1 - a^{(1)}_{s}\right)"),
        (2 * (a - b) / size(b), "2 * (a1 - Y) / Y.size", r"\frac{2 \, \left(a^{(1)} - Y\right)}{\operatorname{size} Y}"),
        (a * (z * b), "a1 * (z1 * Y)", r"a^{(1)} \odot \left(z^{(1)} \odot Y\right)"),
        (a * -b, "a1 * (-Y)", r"a^{(1)} \odot \left(-Y\right)"),
        ((-b) ** 2, "(-Y)**2", r"\left(-Y\right)^{2}"),
        ((b / n) ** 2, "(Y / n)**2", r"\left(\frac{Y}{n}\right)^{2}"),
        ((a @ W) * (z > 0), "(a1 @ W2) * (z1 > 0)", r"\left(a^{(1)} \, W^{(2)}\right) \odot \left(z^{(1)} > 0\right)"),
        (a - (z - b), "a1 - (z1 - Y)", r"a^{(1)} - \left(z^{(1)} - Y\right)"),
        ((a + b).T, "(a1 + Y).T", r"\left(a^{(1)} + Y\right)^{\top}"),
        ((a.T @ W)["i", "j"], "(a1.T @ W2)[i,j]", r"\left(a^{(1)\top} \, W^{(2)}\right)_{i,j}"),
        (symbol("dW2")[1, 0], "dW2[1,0]", r"\frac{\partial C}{\partial W^{(2)}_{1,0}}"),
        (where(z > 0, 1, 0.01), "where(z1 > 0, 1, 0.01)",
         r"\begin{cases} 1 & \text{if } z^{(1)} > 0 \\ 0.01 & \text{otherwise} \end{cases}"),
        ((a @ W) @ z, "a1 @ W2 @ z1", r"a^{(1)} \, W^{(2)} \, z^{(1)}"),
        (a @ (W @ z), "a1 @ (W2 @ z1)", r"a^{(1)} \, \left(W^{(2)} \, z^{(1)}\right)"),
    ],
)  # fmt: skip
def test_each_kind_of_formula_as_code_and_in_latex(formula: Any, code: str, latex: str) -> None:
    assert as_text(formula) == code
    assert as_latex(formula, layers=True) == latex


def test_as_many_products_as_are_allowed_are_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nn.derivation.matrices.LARGEST", 64)
    nn.derive_matrices(model_of_the_question(), X, Y)
    monkeypatch.setattr("nn.derivation.matrices.LARGEST", 63)
    with pytest.raises(ValueError, match=r"4 samples make 64 products, .* more than 63; give some of the samples, X\[:3\]"):
        nn.derive_matrices(model_of_the_question(), X, Y)


def test_a_delta_that_overflows_is_refused_by_name() -> None:
    model = nn.MatrixMLP([[[1e-100]], [[1e200]]], None, "linear")
    with pytest.raises(ValueError, match=r"derive_matrices: delta1 holds -?inf"):
        nn.derive_matrices(model, [[1.0]], [[-1e200]])


def test_why_the_neurons_are_summed_over_in_any_place() -> None:
    delta, W = matrix("delta3", "sk", (5, 2)), matrix("W3", "ik", (4, 2))
    assert why(delta, W, matrix("e", "si", (5, 4))).startswith(
        "e[s,i] is the sum over the neurons k of delta3[s,k] * W3[i,k]. A"
    )
    one = matrix("v", "k", (2,)), matrix("w", "k", (2,))
    assert product(*one) == one
