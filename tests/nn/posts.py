"""Backward passes in the styles in which people post them, right ones and wrong ones, each with what is to be found.

`POSTS` has for each: the function, its network (sizes; how samples, weights and biases are laid out), what is stated, and
mistakes with their layers; none if it is right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Post(NamedTuple):
    """One backward pass: see above."""

    backward: Any
    sizes: tuple[int, ...]
    layout: str
    stated: dict[str, Any]
    mistakes: set[tuple[str, int]]


POSTS: dict[str, Post] = {}


def post(sizes: tuple[int, ...], layout: str, *mistakes: tuple[str, int], **stated: Any) -> Callable[[Any], Any]:
    """Enter the function into the table. The layout: rows or columns, then how biases are laid out."""

    def enter(f: Any) -> Any:
        POSTS[f"{f.__name__}{len([name for name in POSTS if name.startswith(f.__name__)]) or ''}"] = Post(
            f, sizes, layout, stated, set(mistakes)
        )
        return f

    return enter


def data(p: Post, seed: int = 3) -> tuple[dict[str, Any], Any, Any]:
    """Parameters, X and Y for a post."""
    r = np.random.default_rng(seed)
    rows, bias = p.layout.split()
    params: dict[str, Any] = {}
    for l, (i, o) in enumerate(zip(p.sizes, p.sizes[1:], strict=False), 1):
        params[f"W{l}"] = r.normal(size=(i, o) if rows == "rows" else (o, i))
        if bias != "none":
            params[f"b{l}"] = r.normal(size={"flat": (o,), "row": (1, o), "column": (o, 1)}[bias])
    n, k = 6, p.sizes[-1]
    X = r.normal(size=(n, p.sizes[0]))
    Y = np.eye(k)[r.integers(k, size=n)] if k > 1 else r.integers(0, 2, (n, 1)).astype(float)
    return (params, X, Y) if rows == "rows" else (params, X.T, Y.T)


def sigmoid(x: Any, deriv: bool = False) -> Any:
    return x * (1 - x) if deriv else 1 / (1 + np.exp(-x))


def softmax(z: Any) -> Any:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def relu(z: Any) -> Any:
    return np.maximum(0, z)


# right ones, in several conventions


@post((3, 4, 1), "rows none")
@post((3, 4, 1), "rows none", loss="half_squared_error")
@post((3, 4, 1), "rows none", ("se_delta_with_ce", 2), loss="binary_cross_entropy")
def trask(p: Any, X: Any, y: Any) -> Any:
    l1 = sigmoid(X @ p["W1"])
    l2 = sigmoid(l1 @ p["W2"])
    l2_error = y - l2
    l2_delta = l2_error * sigmoid(l2, deriv=True)
    l1_error = l2_delta.dot(p["W2"].T)
    l1_delta = l1_error * sigmoid(l1, deriv=True)
    return {"dW2": -l1.T.dot(l2_delta), "dW1": -X.T.dot(l1_delta)}


@post((3, 5, 1), "columns column")
@post((3, 5, 1), "columns column", loss="binary_cross_entropy", reduction="samples")
@post((3, 5, 1), "columns column", activations=("tanh", "sigmoid"))
def coursera(params: Any, X: Any, Y: Any) -> Any:
    m = X.shape[1]
    W1, b1, W2, b2 = params["W1"], params["b1"], params["W2"], params["b2"]
    A1 = np.tanh(np.dot(W1, X) + b1)
    A2 = sigmoid(np.dot(W2, A1) + b2)
    dZ2 = A2 - Y
    dW2 = (1 / m) * np.dot(dZ2, A1.T)
    db2 = (1 / m) * np.sum(dZ2, axis=1, keepdims=True)
    dZ1 = np.multiply(np.dot(W2.T, dZ2), 1 - np.power(A1, 2))
    dW1 = (1 / m) * np.dot(dZ1, X.T)
    db1 = (1 / m) * np.sum(dZ1, axis=1, keepdims=True)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


@post((4, 6, 3), "rows row")
@post((4, 6, 3), "rows row", penalty=0.01)
@post((4, 6, 3), "rows row", loss="softmax_cross_entropy")
def with_decay(model: Any, X: Any, y: Any) -> Any:
    reg_lambda = 0.01
    W1, b1, W2, b2 = model["W1"], model["b1"], model["W2"], model["b2"]
    a1 = np.tanh(X.dot(W1) + b1)
    probs = softmax(a1.dot(W2) + b2)
    delta3 = probs - y
    dW2 = (a1.T).dot(delta3) + reg_lambda * W2
    db2 = np.sum(delta3, axis=0, keepdims=True)
    delta2 = delta3.dot(W2.T) * (1 - np.power(a1, 2))
    dW1 = np.dot(X.T, delta2) + reg_lambda * W1
    return dW1, db2 * 0 + np.sum(delta2, axis=0) if False else np.sum(delta2, axis=0, keepdims=True), dW2, db2


@post((4, 5, 2), "rows flat")
@post((4, 5, 2), "rows flat", activations=("relu", "linear"))
@post((4, 5, 2), "rows flat", loss="mean_squared_error")
def regression(p: Any, X: Any, y: Any) -> Any:
    z1 = X @ p["W1"] + p["b1"]
    h = relu(z1)
    out = h @ p["W2"] + p["b2"]
    grad = 2.0 * (out - y) / y.size
    gh = (grad @ p["W2"].T) * (z1 > 0)
    return [X.T @ gh, gh.sum(0), h.T @ grad, grad.sum(0)]


class Net:
    """One step per sample, everything in self."""

    def __init__(self, params: Any) -> None:
        self.w = [params["W1"], params["W2"], params["W3"]]
        self.b = [params["b1"], params["b2"], params["b3"]]

    def backprop(self, X: Any, Y: Any) -> Any:
        nabla_w = [np.zeros(w.shape) for w in self.w]
        nabla_b = [np.zeros(b.shape) for b in self.b]
        for i in range(X.shape[1]):
            x, y = X[:, i : i + 1], Y[:, i : i + 1]
            a1 = sigmoid(self.w[0] @ x + self.b[0])
            a2 = sigmoid(self.w[1] @ a1 + self.b[1])
            a3 = sigmoid(self.w[2] @ a2 + self.b[2])
            delta = (a3 - y) * a3 * (1 - a3)
            nabla_b[2] += delta
            nabla_w[2] += delta @ a2.T
            delta = (self.w[2].T @ delta) * a2 * (1 - a2)
            nabla_b[1] += delta
            nabla_w[1] += delta @ a1.T
            delta = (self.w[1].T @ delta) * a1 * (1 - a1)
            nabla_b[0] += delta
            nabla_w[0] += delta @ x.T
        return nabla_w, nabla_b


@post((3, 4, 3, 2), "columns column")
@post((3, 4, 3, 2), "columns column", activations=("sigmoid",) * 3, loss="half_squared_error", samples="columns")
def nielsen(p: Any, X: Any, Y: Any) -> Any:
    w, b = Net(p).backprop(X, Y)
    return {f"dW{l + 1}": w[l] for l in range(3)} | {f"db{l + 1}": b[l] for l in range(3)}


# wrong ones

SE = {"loss": "half_squared_error"}


@post((3, 4, 1), "rows none", ("missing_activation_derivative", 1))
@post((3, 4, 1), "rows none", ("missing_activation_derivative", 1), **SE)
def no_hidden_slope(p: Any, X: Any, y: Any) -> Any:
    l1 = sigmoid(X @ p["W1"])
    l2 = sigmoid(l1 @ p["W2"])
    l2_delta = (l2 - y) * l2 * (1 - l2)
    l1_delta = l2_delta.dot(p["W2"].T)
    return {"dW2": l1.T.dot(l2_delta), "dW1": X.T.dot(l1_delta)}


@post((3, 4, 1), "rows none", ("activation_form_derivative_on_preactivation", 1), **SE)
def slope_of_z(p: Any, X: Any, y: Any) -> Any:
    z1 = np.dot(X, p["W1"])
    a1 = sigmoid(z1)
    a2 = sigmoid(np.dot(a1, p["W2"]))
    d2 = (a2 - y) * sigmoid(a2, deriv=True)
    d1 = np.dot(d2, p["W2"].T) * sigmoid(z1, deriv=True)
    return {"dW2": np.dot(a1.T, d2), "dW1": np.dot(X.T, d1)}


@post((3, 4, 1), "rows none", ("wrong_derivative_formula", 1), **SE)
def odd_slope(p: Any, X: Any, y: Any) -> Any:
    z1 = X @ p["W1"]
    a1 = sigmoid(z1)
    a2 = sigmoid(a1 @ p["W2"])
    d2 = (a2 - y) * a2 * (1 - a2)
    d1 = (d2 @ p["W2"].T) * sigmoid(z1) * sigmoid(1 - z1)
    return {"dW2": a1.T @ d2, "dW1": X.T @ d1}


@post((3, 4, 2), "columns column", ("bias_not_summed_over_batch", 1), loss="half_squared_error")
def one_bias_unsummed(p: Any, X: Any, Y: Any) -> Any:
    A1 = np.tanh(p["W1"] @ X + p["b1"])
    A2 = sigmoid(p["W2"] @ A1 + p["b2"])
    dZ2 = (A2 - Y) * A2 * (1 - A2)
    dZ1 = (p["W2"].T @ dZ2) * (1 - A1**2)
    return {"dW1": dZ1 @ X.T, "db1": dZ1, "dW2": dZ2 @ A1.T, "db2": np.sum(dZ2, axis=1, keepdims=True)}


@post((3, 4, 2), "columns column", ("bias_gradient_shape", 1))
def flat_for_a_column(p: Any, X: Any, Y: Any) -> Any:
    A1 = np.tanh(p["W1"] @ X + p["b1"])
    A2 = sigmoid(p["W2"] @ A1 + p["b2"])
    dZ2 = (A2 - Y) * A2 * (1 - A2)
    dZ1 = (p["W2"].T @ dZ2) * (1 - A1**2)
    return {"dW1": dZ1 @ X.T, "db1": dZ1.sum(1), "dW2": dZ2 @ A1.T, "db2": np.sum(dZ2, axis=1, keepdims=True)}


@post((4, 5, 3), "rows row", ("penalty_missing", 1))
@post((4, 5, 3), "rows row", ("penalty_missing", 1), penalty=0.1)
def decay_in_one(p: Any, X: Any, y: Any) -> Any:
    a1 = np.tanh(X @ p["W1"] + p["b1"])
    d2 = (softmax(a1 @ p["W2"] + p["b2"]) - y) / len(X)
    d1 = d2 @ p["W2"].T * (1 - a1**2)
    return {
        "dW1": X.T @ d1,
        "db1": d1.sum(axis=0, keepdims=True),
        "dW2": a1.T @ d2 + 0.1 * p["W2"],
        "db2": d2.sum(axis=0, keepdims=True),
    }


@post((4, 5, 3), "rows row", ("penalty_doubled", 2), ("missing_activation_derivative", 1), penalty=0.1)
def decay_and_slope(p: Any, X: Any, y: Any) -> Any:
    a1 = np.tanh(X @ p["W1"] + p["b1"])
    d2 = (softmax(a1 @ p["W2"] + p["b2"]) - y) / len(X)
    d1 = d2 @ p["W2"].T
    return {
        "dW1": X.T @ d1 + 0.1 * p["W1"],
        "db1": d1.sum(axis=0, keepdims=True),
        "dW2": a1.T @ d2 + 2 * 0.1 * p["W2"],
        "db2": d2.sum(axis=0, keepdims=True),
    }


@post((3, 4, 2), "rows flat", ("only_one_sample", 2), **SE)
def assigned_in_a_loop(p: Any, X: Any, Y: Any) -> Any:
    dW1, dW2 = np.zeros_like(p["W1"]), np.zeros_like(p["W2"])
    db1, db2 = np.zeros_like(p["b1"]), np.zeros_like(p["b2"])
    for x, y in zip(X, Y, strict=True):
        h = sigmoid(x @ p["W1"] + p["b1"])
        o = sigmoid(h @ p["W2"] + p["b2"])
        do = (o - y) * o * (1 - o)
        dh = (p["W2"] @ do) * h * (1 - h)
        dW2 = np.outer(h, do)
        db2 += do
        dW1 += np.outer(x, dh)
        db1 += dh
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


@post((4, 5, 3), "rows flat", ("softmax_wrong_axis", 2), loss="softmax_cross_entropy")
def softmax_over_everything(p: Any, X: Any, y: Any) -> Any:
    z1 = X @ p["W1"] + p["b1"]
    a1 = relu(z1)
    z2 = a1 @ p["W2"] + p["b2"]
    a2 = np.exp(z2) / np.sum(np.exp(z2))
    d2 = a2 - y
    d1 = d2 @ p["W2"].T * (z1 > 0)
    return {"dW1": X.T @ d1, "db1": d1.sum(0), "dW2": a1.T @ d2, "db2": d2.sum(0)}


TOTAL = {"dW1": 0.0, "dW2": 0.0}


@post((3, 4, 1), "rows none", ("state_between_calls", 0), **SE)
def never_reset(p: Any, X: Any, y: Any) -> Any:
    a1 = sigmoid(X @ p["W1"])
    a2 = sigmoid(a1 @ p["W2"])
    d2 = (a2 - y) * a2 * (1 - a2)
    TOTAL["dW2"] = TOTAL["dW2"] + a1.T @ d2
    TOTAL["dW1"] = TOTAL["dW1"] + X.T @ (d2 @ p["W2"].T * a1 * (1 - a1))
    return dict(TOTAL)


@post((3, 4, 1), "rows flat", ("forward_bias", 1), activations=("tanh", "sigmoid"))
def biases_subtracted(p: Any, X: Any, y: Any) -> Any:
    a1 = np.tanh(X @ p["W1"] - p["b1"])
    a2 = sigmoid(a1 @ p["W2"] - p["b2"])
    d2 = (a2 - y) / len(X)
    d1 = d2 @ p["W2"].T * (1 - a1**2)
    return {"dW1": X.T @ d1, "db1": d1.sum(0), "dW2": a1.T @ d2, "db2": d2.sum(0)}


@post((3, 4, 1), "rows none", ("updated_weights_used", 1), learning_rate=0.5, **SE)
def updated_inside(p: Any, X: Any, y: Any) -> Any:
    w1, w2 = p["W1"], p["W2"]
    start1, start2 = w1.copy(), w2.copy()
    a1 = sigmoid(X @ w1)
    a2 = sigmoid(a1 @ w2)
    delta2 = (a2 - y) * a2 * (1 - a2)
    w2 -= 0.5 * a1.T @ delta2
    delta1 = (delta2 @ w2.T) * a1 * (1 - a1)
    w1 -= 0.5 * X.T @ delta1
    return {"dW1": (start1 - w1) / 0.5, "dW2": (start2 - w2) / 0.5}


@post((3, 4, 2), "rows flat", ("bias_from_weight_gradient", 2), **SE)
def bias_from_weights(p: Any, X: Any, y: Any) -> Any:
    cache = {"A0": X}
    cache["A1"] = sigmoid(X @ p["W1"] + p["b1"])
    cache["A2"] = sigmoid(cache["A1"] @ p["W2"] + p["b2"])
    d2 = (cache["A2"] - y) * cache["A2"] * (1 - cache["A2"])
    d1 = (d2 @ p["W2"].T) * cache["A1"] * (1 - cache["A1"])
    grads = {"dW2": cache["A1"].T @ d2, "dW1": cache["A0"].T @ d1}
    grads["db2"] = grads["dW2"].sum(axis=0)
    grads["db1"] = d1.sum(axis=0)
    return grads


@post((3, 4, 2), "rows flat", ("missing_activation_derivative", 2), ("own_output_as_input", 2), **SE)
def two_at_once(p: Any, X: Any, y: Any) -> Any:
    a1 = sigmoid(X @ p["W1"] + p["b1"])
    a2 = sigmoid(a1 @ p["W2"] + p["b2"])
    d2 = a2 - y
    d1 = (d2 @ p["W2"].T) * a1 * (1 - a1)
    return {"dW1": X.T @ d1, "db1": d1.sum(0), "dW2": a2.T @ d2, "db2": d2.sum(0)}


@post((4, 5, 3), "rows flat", ("missing_1_over_n", 2), loss="softmax_cross_entropy", reduction="samples")
@post((4, 5, 3), "rows flat", loss="softmax_cross_entropy")
@post((4, 5, 3), "rows flat")
def not_divided(p: Any, X: Any, y: Any) -> Any:
    z1 = X @ p["W1"] + p["b1"]
    a1 = np.where(z1 > 0, z1, 0.01 * z1)
    d2 = softmax(a1 @ p["W2"] + p["b2"]) - y
    d1 = d2 @ p["W2"].T * np.where(z1 > 0, 1, 0.01)
    return {"dW1": X.T @ d1, "db1": d1.sum(0), "dW2": a1.T @ d2, "db2": d2.sum(0)}


@post((3, 3, 3), "rows none", ("missing_transpose", 1), **SE)
def no_transpose(p: Any, X: Any, y: Any) -> Any:
    a1 = np.tanh(X @ p["W1"])
    a2 = np.tanh(a1 @ p["W2"])
    d2 = (a2 - y) * (1 - a2**2)
    d1 = (d2 @ p["W2"]) * (1 - a1**2)
    return {"dW1": X.T @ d1, "dW2": a1.T @ d2}


@post((3, 4, 2), "rows flat", ("bias_times_delta", 1), **SE)
def bias_in_its_gradient(p: Any, X: Any, y: Any) -> Any:
    a1 = sigmoid(X @ p["W1"] + p["b1"])
    a2 = sigmoid(a1 @ p["W2"] + p["b2"])
    d2 = (a2 - y) * a2 * (1 - a2)
    d1 = (d2 @ p["W2"].T) * a1 * (1 - a1)
    return {"dW1": X.T @ d1, "db1": p["b1"] * d1.sum(0), "dW2": a1.T @ d2, "db2": d2.sum(0)}
