"""The heart: one gradient by three paths, the sweep over Values, MatrixMLP's formulas, and the formulas written out here.

`longhand` is what the three seed questions do, line by line, for any depth, with functions of its own. On drawn networks
the three agree to rounding, in rational arithmetic exactly, and on symbols as formulas.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice, pairwise
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from autograd import topological_order
from autograd.graph import images
from autograd.modules import arithmetic
from autograd.operations import CONSTANT
from autograd.sweep import adjoints
from nn import MLP, MatrixMLP, fit

ACTIVATIONS = ("sigmoid", "tanh", "relu", "linear", "leaky_relu")
KINKED = ("relu", "leaky_relu")
LAST = {  # the activations that the last layer may have
    "half_squared_error": ACTIVATIONS,
    "mean_squared_error": ACTIVATIONS,
    "binary_cross_entropy": ("sigmoid", "linear"),
    "softmax_cross_entropy": ("linear",),
    "huber": ACTIVATIONS,
}
PAIRS = [(loss, last) for loss, allowed in LAST.items() for last in allowed]
XOR = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]]), np.array([[0], [1], [1], [0]])


class Case(NamedTuple):
    """A network, its loss and its samples."""

    weights: list[Any]
    biases: list[Any] | None
    activations: tuple[str, ...]
    loss: str
    X: Any
    Y: Any

    def matrices(self) -> MatrixMLP:
        return MatrixMLP(self.weights, self.biases, self.activations)

    def neurons(self) -> MLP:
        return MLP.from_arrays(self.weights, self.biases, self.activations)


def case(seed: int, sizes: list[int], activations: tuple[str, ...], loss: str, bias: bool = True, n: int = 4) -> Case:
    """Random numbers of such a size that signals stay near 1."""
    rng = np.random.default_rng(seed)
    weights = [rng.uniform(-1, 1, (i, j)) * np.sqrt(3 / i) for i, j in pairwise(sizes)]
    biases = [rng.uniform(-1, 1, j) for j in sizes[1:]] if bias else None
    shape = n, sizes[-1]
    if loss == "binary_cross_entropy":
        Y = rng.choice([0.0, 0.25, 1.0], shape)
    else:
        Y = rng.dirichlet(np.ones(sizes[-1]), n) if loss == "softmax_cross_entropy" else rng.uniform(-2, 2, shape)
    return Case(weights, biases, activations, loss, rng.uniform(-1, 1, (n, sizes[0])), Y)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    loss, last = draw(st.sampled_from(PAIRS))
    sizes = draw(st.lists(st.integers(1, 8), min_size=2, max_size=5))
    sizes[-1] += loss == "softmax_cross_entropy"  # of one output it is refused
    hidden = draw(st.tuples(*[st.sampled_from(ACTIVATIONS)] * (len(sizes) - 2)))
    found = case(draw(st.integers(0, 10**9)), sizes, (*hidden, last), loss, draw(st.booleans()), draw(st.integers(1, 16)))
    Z, _ = forward(found)
    for z, activation in zip(Z, found.activations, strict=True):
        assume(activation not in KINKED or np.abs(z).min() > 1e-4)  # at a kink rounding decides, between right and right
    return found


def sigmoid(z: Any) -> Any:
    e = np.exp(-np.abs(z))
    return np.where(z < 0, e, 1) / (1 + e)


FUNCTION: dict[str, Any] = {
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "relu": lambda z: np.where(z > 0, z, 0 * z),
    "linear": lambda z: z,
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
}
SLOPE: dict[str, Any] = {
    "sigmoid": lambda a: a * (1 - a),
    "tanh": lambda a: 1 - a**2,
    "relu": lambda a: 1 * (a > 0),
    "linear": np.ones_like,
    "leaky_relu": lambda a: np.where(a > 0, 1, 0.01),
}


def forward(c: Case) -> tuple[list[Any], list[Any]]:
    Z, A = [], [c.X]
    for layer, W in enumerate(c.weights):
        Z.append(A[-1] @ W + (0 if c.biases is None else c.biases[layer]))
        A.append(FUNCTION[c.activations[layer]](Z[-1]))
    return Z, A


def loss_of(loss: str, z: Any, a: Any, y: Any) -> Any:
    if loss == "half_squared_error":
        return ((a - y) ** 2).sum() / 2
    if loss == "mean_squared_error":
        return ((a - y) ** 2).sum() / y.size
    if loss == "binary_cross_entropy":
        return (np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))).mean()
    if loss == "huber":
        return np.where(np.abs(a - y) <= 1, (a - y) ** 2 / 2, np.abs(a - y) - 0.5).sum() / y.size
    top = z.max(axis=1, keepdims=True)
    return (y * (top + np.log(np.exp(z - top).sum(axis=1, keepdims=True)) - z)).sum() / len(y)


def last_delta(c: Case, z: Any, a: Any) -> Any:
    if c.loss == "half_squared_error":
        return (a - c.Y) * SLOPE[c.activations[-1]](a)
    if c.loss == "mean_squared_error":
        return 2 * (a - c.Y) / c.Y.size * SLOPE[c.activations[-1]](a)
    if c.loss == "huber":
        return np.minimum(1, np.maximum(-1, a - c.Y)) / c.Y.size * SLOPE[c.activations[-1]](a)
    if c.loss == "binary_cross_entropy":
        return (predicted(c.loss, z, a) - c.Y) / c.Y.size
    return (predicted(c.loss, z, a) * c.Y.sum(axis=1, keepdims=True) - c.Y) / len(c.Y)


def predicted(loss: str, z: Any, a: Any) -> Any:
    """What is compared with the targets."""
    if "entropy" not in loss:
        return a
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return sigmoid(z) if loss == "binary_cross_entropy" else e / e.sum(axis=1, keepdims=True)


def longhand(c: Case) -> tuple[Any, list[Any], list[Any] | None]:
    """The loss, dW and db: delta2 = (a2 - y) * a2 * (1 - a2); dW2 = a1.T @ delta2; delta1 = delta2 @ W2.T * a1 * (1 - a1)."""
    Z, A = forward(c)
    delta = last_delta(c, Z[-1], A[-1])
    dW, db = [A[-2].T @ delta], [delta.sum(axis=0)]
    for layer in range(len(c.weights) - 1, 0, -1):
        delta = delta @ c.weights[layer].T * SLOPE[c.activations[layer - 1]](A[layer])
        dW.append(A[layer - 1].T @ delta)
        db.append(delta.sum(axis=0))
    return loss_of(c.loss, Z[-1], A[-1], c.Y), dW[::-1], None if c.biases is None else db[::-1]


def trajectory(c: Case, rate: float) -> Iterator[tuple[Case, Any, Any]]:
    """The network before each step of gradient descent, its loss and its mean absolute error."""
    while True:
        value, dW, db = longhand(c)
        Z, A = forward(c)
        yield c, value, np.abs(predicted(c.loss, Z[-1], A[-1]) - c.Y).mean()
        weights = [W - rate * d for W, d in zip(c.weights, dW, strict=True)]
        c = c._replace(weights=weights, biases=c.biases and [b - rate * d for b, d in zip(c.biases, db or (), strict=True)])


def after(c: Case, rate: float, steps: int) -> list[Any]:
    """All arrays of the network after so many steps, longhand."""
    found, _, _ = next(islice(trajectory(c, rate), steps, None))
    return arrays(found)


def arrays(model: Any) -> list[Any]:
    return [*model.weights, *(model.biases or ())]


def by_values(c: Case, model: MLP) -> tuple[Any, list[Any], list[Any] | None]:
    """The loss, dW and db by the sweep."""
    loss = model.loss(c.X, c.Y, c.loss)
    loss.backward()
    dW = [np.array([[w.grad for w in row] for row in layer]) for layer in model.weights]
    return loss.data, dW, model.biases and [np.array([b.grad for b in layer]) for layer in model.biases]


def assert_close(got: list[Any] | None, want: list[Any] | None, tolerance: float = 1e-12, floor: float = 1e-15) -> None:
    """Array by array, to a part of the largest entry; the floor is for arrays that are zero but for rounding."""
    assert (got is None) == (want is None)
    for g, w in zip(got or (), want or (), strict=True):
        assert g.shape == w.shape
        assert np.abs(g - w).max() <= tolerance * np.abs(w).max() + floor


@settings(max_examples=150, deadline=None)
@given(cases())
def test_the_three_paths_agree(c: Case) -> None:
    formulas, (loss, dW, db) = c.matrices().gradients(c.X, c.Y, c.loss), longhand(c)
    by_sweep, swept_dW, swept_db = by_values(c, c.neurons())
    assert formulas.loss == pytest.approx(loss, rel=1e-12)
    assert by_sweep == pytest.approx(loss, rel=1e-12)
    for got_dW, got_db in ((formulas.weights, formulas.biases), (swept_dW, swept_db)):
        assert_close(got_dW, dW)
        assert_close(got_db, db)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_the_gradient_is_the_slope_of_the_loss(c: Case) -> None:
    found = c.matrices().gradients(c.X, c.Y, c.loss)
    for array, slopes in zip(arrays(c), arrays(found), strict=True):
        numeric = np.empty_like(array)
        for at in np.ndindex(array.shape):
            here, ends = array[at], []
            for array[at] in (here + 1e-5, here - 1e-5):
                Z, A = forward(c)
                ends.append(loss_of(c.loss, Z[-1], A[-1], c.Y))
            array[at] = here
            numeric[at] = (ends[0] - ends[1]) / 2e-5
        assert np.abs(slopes - numeric).max() <= 1e-7 * (np.abs(numeric).max() + abs(found.loss) + 1)


@pytest.mark.parametrize("hidden", ACTIVATIONS)
@pytest.mark.parametrize(("loss", "last"), PAIRS)
def test_torch_agrees(loss: str, last: str, hidden: str) -> None:
    torch = pytest.importorskip("torch")
    of_torch = {
        "half_squared_error": lambda z, a, y: torch.nn.functional.mse_loss(a, y, reduction="sum") / 2,
        "mean_squared_error": lambda z, a, y: torch.nn.functional.mse_loss(a, y),
        "binary_cross_entropy": lambda z, a, y: torch.nn.functional.binary_cross_entropy_with_logits(z, y),
        "softmax_cross_entropy": lambda z, a, y: torch.nn.functional.cross_entropy(z, y),
        "huber": lambda z, a, y: torch.nn.functional.huber_loss(a, y),
    }
    c = case(len(hidden), [3, 5, 4, 2], (hidden, hidden, last), loss, n=6)
    weights, biases = ([torch.tensor(w, requires_grad=True) for w in found] for found in (c.weights, c.biases or ()))
    a = torch.tensor(c.X)
    for w, b, activation in zip(weights, biases, c.activations, strict=True):
        z = a @ w + b
        a = (
            z
            if activation == "linear"
            else getattr(torch if hasattr(torch, activation) else torch.nn.functional, activation)(z)
        )
    value = of_torch[loss](z, a, torch.tensor(c.Y))
    value.backward()
    found = c.matrices().gradients(c.X, c.Y, loss)
    assert found.loss == pytest.approx(value.item(), rel=1e-13)
    assert_close(arrays(found), [w.grad.numpy() for w in (*weights, *biases)], 1e-13)
    _, dW, db = by_values(c, c.neurons())
    assert_close([*dW, *(db or ())], [w.grad.numpy() for w in (*weights, *biases)], 1e-13)


def first_seed() -> Case:
    random = np.random.RandomState(1)  # as np.random.seed(1), without touching the state that all share
    weights = [2 * random.random_sample((3, 4)) - 1, 2 * random.random_sample((4, 1)) - 1]
    return Case(weights, None, ("sigmoid", "sigmoid"), "half_squared_error", *XOR)


def test_on_the_3_4_1_network_the_paths_agree_to_8_units_in_the_last_place() -> None:
    """Units of the summed sizes of an entry's terms: over the samples they cancel, so the entry itself has fewer digits."""
    c = first_seed()
    X, y, (W1, W2) = c.X, c.Y, c.weights
    a1 = 1 / (1 + np.exp(-(X @ W1)))
    a2 = 1 / (1 + np.exp(-(a1 @ W2)))
    delta2 = (a2 - y) * a2 * (1 - a2)
    delta1 = delta2 @ W2.T * a1 * (1 - a1)
    want = [X.T @ delta1, a1.T @ delta2]
    units = [np.spacing(X.T @ np.abs(delta1)), np.spacing(a1.T @ np.abs(delta2))]
    _, swept, _ = by_values(c, c.neurons())
    for got in (swept, c.matrices().gradients(X, y).weights, longhand(c)[1]):
        for g, w, unit in zip(got, want, units, strict=True):
            assert (np.abs(g - w) <= 8 * unit).all()


@st.composite
def exact_cases(draw: st.DrawFn) -> Case:
    sizes = draw(st.lists(st.integers(1, 4), min_size=2, max_size=4))
    activations = draw(st.tuples(*[st.sampled_from(["relu", "linear"])] * (len(sizes) - 1)))
    rng = np.random.default_rng(draw(st.integers(0, 10**9)))

    def fractions(*shape: int) -> Any:  # small ones: sums are often zero, where relu has its kink
        return np.frompyfunc(Fraction, 2, 1)(rng.integers(-2, 3, shape), rng.integers(1, 4, shape))

    weights = [fractions(*shape) for shape in pairwise(sizes)]
    biases = [fractions(j) for j in sizes[1:]] if draw(st.booleans()) else None
    n = draw(st.integers(1, 5))
    loss = draw(st.sampled_from(["half_squared_error", "mean_squared_error"]))
    return Case(weights, biases, activations, loss, fractions(n, sizes[0]), fractions(n, sizes[-1]))


@settings(max_examples=100, deadline=None)
@given(exact_cases())
def test_in_rational_arithmetic_the_paths_agree_exactly(c: Case) -> None:
    formulas, (loss, dW, db) = c.matrices().gradients(c.X, c.Y, c.loss), longhand(c)
    by_sweep, swept_dW, swept_db = by_values(c, c.neurons())
    assert by_sweep == formulas.loss == loss
    assert type(by_sweep) is type(formulas.loss) is Fraction
    for swept, by_formula, want in zip([*swept_dW, *(swept_db or ())], arrays(formulas), [*dW, *(db or ())], strict=True):
        assert swept.shape == by_formula.shape == want.shape
        assert (swept == by_formula).all()
        assert (by_formula == want).all()
        assert {type(x) for x in (*swept.flat, *by_formula.flat)} == {Fraction}


class Symbolic:
    """A SymPy expression as NumPy meets it in an array of objects: operators, and `exp` as a method."""

    def __init__(self, expr: Any) -> None:
        self.expr = expr

    def __add__(self, other: Any) -> Symbolic:
        return Symbolic(self.expr + bare(other))

    def __sub__(self, other: Any) -> Symbolic:
        return Symbolic(self.expr - bare(other))

    def __rsub__(self, other: Any) -> Symbolic:
        return Symbolic(bare(other) - self.expr)

    def __mul__(self, other: Any) -> Symbolic:
        return Symbolic(self.expr * bare(other))

    def __truediv__(self, other: Any) -> Symbolic:
        return Symbolic(self.expr / bare(other))

    def __rtruediv__(self, other: Any) -> Symbolic:
        return Symbolic(bare(other) / self.expr)

    def __neg__(self) -> Symbolic:
        return Symbolic(-self.expr)

    def exp(self) -> Symbolic:
        return Symbolic(sympy.exp(self.expr))

    __radd__, __rmul__ = __add__, __mul__


def bare(x: Any) -> Any:
    return x.expr if isinstance(x, Symbolic) else sympy.Integer(x)


SYMPY = SimpleNamespace(  # what the rules of the table ask of a module, for symbols
    **{name: getattr(sympy, name) for name in ("exp", "log", "sqrt", "sin", "cos", "tanh")},
    sigmoid=lambda a: 1 / (1 + sympy.exp(-a)),
    where=lambda condition, a, b: a if condition else b,
    divide=lambda a, b: a / b,
    multiply=lambda a, b: a * b,
    power=lambda a, b: a**b,
    absolute=sympy.Abs,
    maximum=sympy.Max,
    minimum=sympy.Min,
)


@pytest.mark.parametrize("loss", ["half_squared_error", "mean_squared_error"])
def test_on_a_2_2_1_network_of_symbols_the_difference_of_the_paths_is_zero(loss: str) -> None:
    def symbols(name: str, *shape: int) -> Any:
        return np.array(sympy.symbols(f"{name}:{np.prod(shape)}"), dtype=object).reshape(shape)

    W1, W2, b1, b2 = symbols("W", 2, 2), symbols("V", 2, 1), symbols("b", 2), symbols("c", 1)
    X, Y = symbols("x", 2, 2), symbols("y", 2, 1)
    wrap = np.frompyfunc(Symbolic, 1, 1)
    formulas = MatrixMLP([wrap(W1), wrap(W2)], [wrap(b1), wrap(b2)]).gradients(wrap(X), wrap(Y), loss)

    model = MLP(2, [2, 1], rng=0)
    zero, one = model([0.0, 0.0])[0] * 0, sympy.Integer(1)  # any Value: X and Y are given as Values, to be told apart
    x, y = (np.frompyfunc(lambda _: type(zero)(0.5), 1, 1)(a) for a in (X, Y))
    graph = topological_order(model.loss(list(x), list(y), loss))
    meant: dict[Any, Any] = {}
    for values, names in ((x, X), (y, Y), *zip(model.weights, (W1, W2), strict=True)):
        meant.update(zip(np.array(values, dtype=object).flat, names.flat, strict=True))
    for layer, names in zip(model.biases or (), (b1, b2), strict=True):
        meant.update(zip(layer, names, strict=True))
    m = arithmetic(SYMPY)
    for node in graph:  # the same graph computed again, on symbols
        if node.operation is CONSTANT:
            meant[node] = sympy.Integer(int(node.data))
        elif node.parents:
            meant[node] = getattr(m, node.operation.name)(*(meant[parent] for parent in node.parents))
    image = images(graph, meant)
    swept = adjoints(image[graph[-1]], one, sympy.Integer(0), m)
    assert sympy.expand(meant[graph[-1]] - formulas.loss.expr) == 0
    pairs = [
        (v, d)
        for layer, dW in zip(model.weights, formulas.weights, strict=True)
        for row, d_row in zip(layer, dW, strict=True)
        for v, d in zip(row, d_row, strict=True)
    ]
    pairs += [
        (v, d)
        for layer, db in zip(model.biases or (), formulas.biases or (), strict=True)
        for v, d in zip(layer, db, strict=True)
    ]
    assert len(pairs) == len(model.parameters()) == 9
    for value, derived in pairs:
        assert derived.expr != 0
        assert sympy.expand(swept[image[value]] - derived.expr) == 0


def test_the_first_seeds_loop_takes_the_same_200_steps_by_all_paths() -> None:
    c = first_seed()
    W1, W2 = (w.copy() for w in c.weights)
    model = c.neurons()
    for _ in range(200):  # the seed's own lines; its error is y - a2, hence its +=
        L1 = 1 / (1 + np.exp(-(c.X @ W1)))
        L2 = 1 / (1 + np.exp(-(L1 @ W2)))
        L2_delta = (c.Y - L2) * (L2 * (1 - L2))
        L1_delta = L2_delta.dot(W2.T) * (L1 * (1 - L1))
        W2 += L1.T.dot(L2_delta)
        W1 += c.X.T.dot(L1_delta)
        model.zero_grad()
        model.loss(c.X, c.Y).backward()
        for p in model.parameters():
            p.data -= p.grad
    fast = c.matrices()
    fit(fast, c.X, c.Y, steps=200, learning_rate=1)
    for got in (MatrixMLP.from_mlp(model).weights, fast.weights, after(c, 1, 200)):
        assert_close(got, [W1, W2])


def test_fit_prints_the_digits_of_the_first_seeds_program() -> None:
    c = first_seed()
    model = c.matrices()
    history = fit(model, c.X, c.Y, steps=59_999, learning_rate=1, report_every=10_000)
    assert history.steps == [*range(0, 60_000, 10_000), 59_999]
    assert history.mean_errors[0] == pytest.approx(0.4964100319027255, rel=1e-15)
    assert history.mean_errors[1] == pytest.approx(0.008584525653247, rel=1e-10)
    outputs = model.predict(c.X)[:, 0]  # of the last pass forward, before the last update
    assert outputs.round(8).tolist() == [0.00260572, 0.99672209, 0.99701711, 0.00386759]


def test_the_second_seeds_program() -> None:
    rng = np.random.default_rng(2)
    x, y = XOR
    weight1, weight2 = rng.random((3, 4)), rng.random((4, 1))
    model = MatrixMLP([weight1, weight2])
    for _ in range(1000):
        a1 = 1 / (1 + np.exp(-(x @ weight1)))
        a2 = 1 / (1 + np.exp(-(a1 @ weight2)))
        dC_dw2 = (y - a2) * (a2 * (1 - a2))
        dC_dw1 = np.multiply(dC_dw2, weight2.T) * (a1 * (1 - a1))
        weight2 = weight2 + 1 * np.dot(a1.T, dC_dw2)
        weight1 = weight1 + 1 * np.dot(x.T, dC_dw1)
    fit(model, x, y, steps=1000, learning_rate=1)
    assert_close(model.weights, [weight1, weight2])


@pytest.mark.parametrize(("loss", "rate"), [("half_squared_error", 0.5), ("binary_cross_entropy", 2.0)])
def test_the_third_seeds_program_samples_in_columns(loss: str, rate: float) -> None:
    """As it was put right, with both deltas times their slope; as printed, without the last slope, it is cross-entropy."""
    rng = np.random.RandomState(42)
    X, Y = np.array([[0, 0, 1, 1], [0, 1, 0, 1]]), np.array([[0, 1, 1, 0]])
    W1, b1, W2, b2 = rng.randn(2, 2), np.zeros((2, 1)), rng.randn(1, 2), np.zeros((1, 1))
    model = MatrixMLP([W1.T, W2.T], [b1[:, 0], b2[:, 0]])
    for step in range(300):
        out_h = 1 / (1 + np.exp(-(np.dot(W1, X) + b1)))
        out_y = 1 / (1 + np.exp(-(np.dot(W2, out_h) + b2)))
        l2_error = out_y - Y
        if loss == "half_squared_error":
            l2_error = l2_error * (out_y * (1 - out_y))
        dW2, db2 = np.dot(l2_error, out_h.T), np.sum(l2_error, axis=1, keepdims=True)
        l1_error = np.multiply(np.dot(W2.T, l2_error), out_h * (1 - out_h))
        dW1, db1 = np.dot(l1_error, X.T), np.sum(l1_error, axis=1, keepdims=True)
        if step == 0:
            mean = 4 if loss == "binary_cross_entropy" else 1
            found = model.gradients(X.T, Y.T, loss)
            assert_close(arrays(found), [d / mean for d in (dW1.T, dW2.T, db1[:, 0], db2[:, 0])])
        W1, b1, W2, b2 = (p - rate / mean * d for p, d in ((W1, dW1), (b1, db1), (W2, dW2), (b2, db2)))
    fit(model, X.T, Y.T, steps=300, learning_rate=rate, loss=loss)
    assert_close(arrays(model), [W1.T, W2.T, b1[:, 0], b2[:, 0]])
