"""One record is enough: an activation or a loss works in MLP, MatrixMLP, fit, derive_matrices and diagnose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nn
from autograd.expressions import call, mean, size
from nn.activations import ACTIVATIONS, SOFTMAX, Activation
from nn.losses import LOSSES, Loss

# written out here once more, apart from the records
FUNCTION: dict[str, Callable[[Any], Any]] = {
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "linear": lambda z: z,
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "squareplus": lambda z: (z + np.sqrt(z * z + 4)) / 2,
}
SLOPE: dict[str, Callable[[Any], Any]] = {
    "sigmoid": lambda a: a * (1 - a),
    "tanh": lambda a: 1 - a * a,
    "relu": lambda a: (a > 0) * 1.0,
    "linear": np.ones_like,
    "leaky_relu": lambda a: np.where(a > 0, 1, 0.01),
    "squareplus": lambda a: a * a / (a * a + 1),
}
ERROR: dict[str, Callable[[Any, Any], Any]] = {  # by the output
    "half_squared_error": lambda a, y: a - y,
    "mean_squared_error": lambda a, y: 2 * (a - y) / y.size,
    "binary_cross_entropy": lambda a, y: (a - y) / (a * (1 - a)) / y.size,
    "huber": lambda a, y: np.clip(a - y, -1, 1) / y.size,
    "quartic": lambda a, y: (a - y) ** 3 / y.size,
}
SQUAREPLUS = Activation(  # Barron, Squareplus: A Softplus-Like Algebraic Rectifier (2021)
    "squareplus",
    lambda z, out, scratch: np.copyto(out, FUNCTION["squareplus"](z)),
    lambda a, out: np.copyto(out, SLOPE["squareplus"](a)),
    lambda z: (z + (z * z + 4).sqrt()) / 2,
    lambda a, z: a * a / (a * a + 1),
)


def _quartic(_z: Any, a: Any, y: Any, out: Any) -> Any:
    out[...] = (a - y) ** 3 / y.size
    return ((a - y) ** 4 / 4).sum(axis=(-2, -1)) / y.size


QUARTIC = Loss(
    "quartic",
    lambda z, a, y: (
        sum(((p - q) ** 4 for row, of in zip(a, y, strict=True) for p, q in zip(row, of, strict=True)), 0)
        / (4 * len(y) * len(y[0]))
    ),
    _quartic,
    lambda p, y: mean((p - y) ** 4) / 4,
    lambda p, y: (p - y) ** 3 / size(y),
    "The 4 of the power and the 1/4 cancel; the mean divides by Y.size.",
    "all",
    terms=lambda a, y: (a - y) ** 4 / 4,
    error=lambda a, y: (a - y) ** 3,
)
PAIRS = [("half_squared_error", "leaky_relu"), ("huber", "sigmoid"), ("huber", "leaky_relu"), ("mean_squared_error", "tanh")]
PAIRS += [("binary_cross_entropy", "sigmoid"), ("quartic", "linear"), ("quartic", "squareplus"), ("huber", "squareplus")]


@pytest.fixture(autouse=True)
def _one_record_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ACTIVATIONS, "squareplus", SQUAREPLUS)
    monkeypatch.setitem(LOSSES, "quartic", QUARTIC)


def samples(loss: str, activations: tuple[str, ...]) -> tuple[nn.MatrixMLP, Any, Any]:
    rng = np.random.default_rng(3)
    model = nn.MatrixMLP.random([3, 4, 2], activations, rng=rng)
    model.biases = [rng.uniform(-1, 1, b.shape) for b in model.biases or ()]
    Y = rng.uniform(-3, 3, (6, 2)) if loss != "binary_cross_entropy" else rng.integers(0, 2, (6, 2)).astype(float)
    X = rng.normal(size=(6, 3))
    linear = nn.MatrixMLP(model.weights, model.biases, [activations[0], "linear"])
    model.biases[-1] -= linear.predict(X).mean(axis=0)  # so that some z are below zero
    return model, X, Y


def longhand(loss: str, activations: tuple[str, ...], slope: bool = True) -> Callable[[Any, Any, Any], dict[str, Any]]:
    """A backward pass of two layers, written by hand; without `slope` that of the last layer is forgotten."""
    first, last = activations

    def backward(p: Any, X: Any, Y: Any) -> dict[str, Any]:
        a1 = FUNCTION[first](X @ p["W1"] + p["b1"])
        a2 = FUNCTION[last](a1 @ p["W2"] + p["b2"])
        delta2 = ERROR[loss](a2, Y) * (SLOPE[last](a2) if slope else 1)
        delta1 = (delta2 @ p["W2"].T) * SLOPE[first](a1)
        return {"dW1": X.T @ delta1, "db1": delta1.sum(0), "dW2": a1.T @ delta2, "db2": delta2.sum(0)}

    return backward


def named(model: Any) -> dict[str, Any]:
    return {f"{kind}{l}": a for kind, of in (("W", model.weights), ("b", model.biases)) for l, a in enumerate(of, 1)}


@pytest.mark.parametrize("hidden", FUNCTION)
@pytest.mark.parametrize(("loss", "last"), PAIRS)
def test_all_five_agree(loss: str, last: str, hidden: str) -> None:
    model, X, Y = samples(loss, (hidden, last))
    params = named(model)
    want = longhand(loss, (hidden, last))(params, X, Y)

    by_matrices = named(model.gradients(X, Y, loss))
    values = model.to_mlp()
    values.loss(X, Y, loss).backward()
    by_values = named(type("", (), {"weights": values.weights, "biases": values.biases}))
    derivation = nn.derive_matrices(model, X, Y, loss)
    stepped = nn.MatrixMLP(model.weights, model.biases, model.activations)
    nn.fit(stepped, X, Y, steps=1, learning_rate=0.5, loss=loss)
    for name, p in params.items():
        exact = want[f"d{name}"]
        close: Any = {"rtol": 1e-12, "atol": 1e-14}
        np.testing.assert_allclose(by_matrices[name], exact, **close)
        np.testing.assert_allclose(np.vectorize(lambda v: v.grad)(np.array(by_values[name])), exact, **close)
        np.testing.assert_allclose(named(stepped)[name], p - 0.5 * exact, **close)
        for entry in np.ndindex(p.shape):
            equation = derivation.at(f"d{name}", *entry)
            assert equation.from_graph == pytest.approx(exact[entry], rel=1e-12, abs=1e-14)
    reduction = "all" if loss == "binary_cross_entropy" else "sum"  # cross-entropies are sums in diagnose
    report = nn.diagnose(longhand(loss, (hidden, last)), params, X, Y, (hidden, last), loss, reduction)
    assert report.ok, str(report)


@pytest.mark.parametrize("hidden", ["leaky_relu", "squareplus"])
@pytest.mark.parametrize(("loss", "last"), [pair for pair in PAIRS if pair[1] != "linear" and "entropy" not in pair[0]])
def test_a_mistake_is_named(loss: str, last: str, hidden: str) -> None:
    model, X, Y = samples(loss, (hidden, last))
    report = nn.diagnose(longhand(loss, (hidden, last), slope=False), named(model), X, Y, (hidden, last), loss)
    (finding,) = report.findings
    assert (finding.mistake, finding.layer) == ("missing_activation_derivative", 2)
    assert set(finding.consequences) == {"db2", "dW1", "db1"}


@pytest.mark.parametrize("loss", ["huber", "quartic"])
def test_the_derivative_of_another_loss_is_named(loss: str) -> None:
    model, X, Y = samples(loss, ("tanh", "sigmoid"))
    squared = longhand("mean_squared_error", ("tanh", "sigmoid"))

    def backward(p: Any, X: Any, Y: Any) -> dict[str, Any]:
        return {name: g / 2 for name, g in squared(p, X, Y).items()}

    (finding,) = nn.diagnose(backward, named(model), X, Y, ("tanh", "sigmoid"), loss).findings
    assert (finding.mistake, finding.layer) == ("wrong_loss_derivative", 2)
    assert "a2 - y" in finding.message.lower()


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_leaky_slope_where_another_belongs_is_named(activation: str) -> None:
    model, X, Y = samples("huber", (activation, "linear"))

    def backward(p: Any, X: Any, Y: Any) -> dict[str, Any]:
        a1 = FUNCTION[activation](X @ p["W1"] + p["b1"])
        delta2 = ERROR["huber"](a1 @ p["W2"] + p["b2"], Y)
        delta1 = (delta2 @ p["W2"].T) * SLOPE["leaky_relu"](a1)
        return {"dW1": X.T @ delta1, "db1": delta1.sum(0), "dW2": a1.T @ delta2, "db2": delta2.sum(0)}

    (finding,) = nn.diagnose(backward, named(model), X, Y, (activation, "linear"), "huber").findings
    assert finding.layer == 1
    assert "wrong_activation_derivative" in {finding.mistake, *finding.also}


def test_leaky_relu_has_its_slope_at_zero_in_values_and_matrices() -> None:
    model = nn.MatrixMLP([[[1.0]]], activations="leaky_relu")
    values = model.to_mlp()
    values.loss([[0.0]], [[1.0]]).backward()
    weights = nn.MatrixMLP([[[0.0]]], activations="leaky_relu")
    of_values = weights.to_mlp()
    of_values.loss([[2.0]], [[1.0]]).backward()
    assert of_values.weights[0][0][0].grad == weights.gradients([[2.0]], [[1.0]]).weights[0].item() == -0.02


def test_leaky_relu_starts_with_the_width_of_relu() -> None:
    relu, leaky = (nn.MatrixMLP.random([3, 4], name, rng=0).weights[0] for name in ("relu", "leaky_relu"))
    assert (relu == leaky).all()


def test_a_loss_that_is_a_mean_by_its_name_is_one_in_diagnose_too() -> None:
    activations = ("tanh", "linear")
    model, X, Y = samples("mean_squared_error", activations)
    right = longhand("mean_squared_error", activations)
    assert nn.diagnose(right, named(model), X, Y, activations, "mean_squared_error").ok
    assert nn.diagnose(right, named(model), X, Y, activations, "squared_error", "all").ok
    missing = nn.diagnose(lambda *given: {k: g * Y.size for k, g in right(*given).items()}, named(model), X, Y, activations,
                          "mean_squared_error")  # fmt: skip
    assert {f.mistake for f in missing.findings} >= {"missing_1_over_n"}
    per_sample = lambda *given: {k: g * Y.shape[1] for k, g in right(*given).items()}  # noqa: E731  # a line is enough
    assert nn.diagnose(per_sample, named(model), X, Y, activations, "mean_squared_error", "samples").ok


def test_only_what_is_true_is_said_of_the_other_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    def pinball(_z: Any, a: Any, y: Any, out: Any) -> Any:
        out[...] = np.where(a > y, 0.2, -0.8)
        return np.where(a > y, 0.2 * (a - y), 0.8 * (y - a)).sum(axis=(-2, -1))

    record = QUARTIC._replace(name="pinball", evaluate=pinball, error=lambda a, y: np.where(a > y, 0.2, -0.8))
    monkeypatch.setitem(LOSSES, "pinball", record)
    model, X, Y = samples("pinball", ("tanh", "linear"))
    for loss, said in (("pinball", "from -dC/da2"), ("quartic", "from (Y - a2)"), ("huber", "from (Y - a2)")):
        assert f"W2 += a1.T @ delta2, {said} " in str(nn.derive_matrices(model, X, Y, loss))


def test_softmax_is_the_last_activation_of_arrays_alone() -> None:
    said = r"'softmax' is not known; choose from sigmoid.*, and softmax for the last layer of a MatrixMLP"
    for refused in (lambda: nn.MatrixMLP([np.eye(2), np.eye(2)], activations="softmax"), lambda: nn.MLP(2, [2], "softmax")):
        with pytest.raises(ValueError, match=said):
            refused()
    model = nn.MatrixMLP([np.eye(2)], activations="softmax")
    with pytest.raises(ValueError, match=r"has to be sigmoid or tanh.*, not softmax"):
        model.gradients(np.eye(2), np.eye(2))
    with pytest.raises(TypeError, match="softmax_cross_entropy with a linear last layer"):
        SOFTMAX.graph(nn.MLP(1, [1], rng=0).weights[0][0][0])


def test_the_clip_of_huber_is_shown() -> None:
    delta = LOSSES["huber"].delta(call("p"), call("y"))
    assert delta.parents[0].op.symbol == "clip"
