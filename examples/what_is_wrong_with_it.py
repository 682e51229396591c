"""Here is my backward pass; what is wrong with it? The three seed questions and ten more passes, diagnosed.

Each pass is written as people post it; `nn.diagnose` runs it on several data sets, finds out which conventions are meant,
says which part of the derivation is wrong, and mends the line. Run it: python examples/what_is_wrong_with_it.py
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from which_factor_is_missing import forward_propagation, sigmoid

import nn

Array = NDArray[Any]
Arrays = dict[str, Array]

X = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
Y = np.array([[0], [1], [1], [0]])
SQUARED = "half_squared_error"


# The three seed questions


def first_seed(params: Arrays, X: Array, Y: Array) -> Arrays:
    """W += L.T.dot(L_Delta): what is added to the weights is the negative of a gradient."""
    W1, W2 = params["W1"], params["W2"]
    L0 = X
    L1 = sigmoid(np.dot(L0, W1))
    L2 = sigmoid(np.dot(L1, W2))
    L2_Error = Y - L2
    L2_Delta = L2_Error * (L2 * (1 - L2))
    L1_Error = L2_Delta.dot(W2.T)
    L1_Delta = L1_Error * (L1 * (1 - L1))
    return {"dW2": -L1.T.dot(L2_Delta), "dW1": -L0.T.dot(L1_Delta)}


def second_seed(params: Arrays, X: Array, Y: Array) -> Arrays:
    """The update that the question expected: weight - learningRate * dC_dw, without the activation that comes in."""
    weight1, weight2 = params["W1"], params["W2"]
    a1 = sigmoid(X @ weight1)
    a2 = sigmoid(a1 @ weight2)
    delta2 = a2 - Y
    dC_dw2 = delta2 * (a2 * (1 - a2))
    dC_dw1 = (np.multiply(dC_dw2, weight2.T)) * (a1 * (1 - a1))
    return {"dW2": dC_dw2, "dW1": dC_dw1}


def third_seed_first(params: Arrays, X: Array, Y: Array) -> Arrays:
    """The first post of the third question."""
    W1, b1, W2, b2 = (params[name] for name in ("W1", "b1", "W2", "b2"))
    out_h, out_y = forward_propagation(X, W1, b1, W2, b2)
    l2_error = out_y - Y
    slope_output = out_y * (1 - out_y)
    dw = l2_error * slope_output * out_h
    db = l2_error * slope_output
    dh = np.dot(W2.T, l2_error)
    l1_error = np.multiply(dh, out_h * (1 - out_h))
    dW1 = np.dot(l1_error, X.T)
    db1 = l1_error
    return {"dW1": dW1, "db1": db1, "dW2": dw, "db2": db}


def third_seed_last(params: Arrays, X: Array, Y: Array) -> Arrays:
    """The last: the slope of the output is forgotten."""
    W1, b1, W2, b2 = (params[name] for name in ("W1", "b1", "W2", "b2"))
    out_h, out_y = forward_propagation(X, W1, b1, W2, b2)
    l2_error = out_y - Y
    dW2 = np.dot(l2_error, out_h.T)
    db2 = np.sum(l2_error, axis=1, keepdims=True)
    dh = np.dot(W2.T, l2_error)
    l1_error = np.multiply(dh, out_h * (1 - out_h))
    dW1 = np.dot(l1_error, X.T)
    db1 = np.sum(l1_error, axis=1, keepdims=True)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


# Ten more, in the styles in which one meets them


def one_sample_at_a_time(params: Arrays, X: Array, Y: Array) -> Arrays:
    """A loop over the samples, with `=` where `+=` belongs."""
    dW1, dW2 = np.zeros_like(params["W1"]), np.zeros_like(params["W2"])
    for x, y in zip(X, Y, strict=True):
        h = sigmoid(x @ params["W1"])
        o = sigmoid(h @ params["W2"])
        delta_o = (o - y) * o * (1 - o)
        delta_h = (params["W2"] @ delta_o) * h * (1 - h)
        dW2 += np.outer(h, delta_o)
        dW1 = np.outer(x, delta_h)
    return {"dW1": dW1, "dW2": dW2}


class Network:
    """A class that keeps everything in self, tanh and then linear; the derivative is given z."""

    def __init__(self, params: Arrays) -> None:
        self.w1, self.w2 = params["W1"], params["W2"]

    def backward(self, X: Array, Y: Array) -> list[Array]:
        """Both passes."""
        self.z1 = X @ self.w1
        self.a1 = np.tanh(self.z1)
        self.out = self.a1 @ self.w2
        self.delta2 = self.out - Y
        self.delta1 = (self.delta2 @ self.w2.T) * (1 - self.z1**2)
        return [X.T @ self.delta1, self.a1.T @ self.delta2]


def in_a_class(params: Arrays, X: Array, Y: Array) -> list[Array]:
    return Network(params).backward(X, Y)


def updates_inside(params: Arrays, X: Array, Y: Array) -> Arrays:
    """The weights are updated on the way back."""
    w1, w2, rate = params["W1"], params["W2"], 0.5
    old1, old2 = w1.copy(), w2.copy()
    hidden = sigmoid(X @ w1)
    output = sigmoid(hidden @ w2)
    d_output = (output - Y) * output * (1 - output)
    w2 -= rate * hidden.T @ d_output
    d_hidden = (d_output @ w2.T) * hidden * (1 - hidden)
    w1 -= rate * X.T @ d_hidden
    return {"dW1": (old1 - w1) / rate, "dW2": (old2 - w2) / rate}


def cached(params: Arrays, X: Array, Y: Array) -> Arrays:
    """Columns, a dictionary as the cache; the hidden bias is forgotten to be summed."""
    m = X.shape[1]
    cache = {"A1": np.tanh(params["W1"] @ X + params["b1"])}
    cache["A2"] = sigmoid(params["W2"] @ cache["A1"] + params["b2"])
    dZ2 = cache["A2"] - Y
    dZ1 = (params["W2"].T @ dZ2) * (1 - cache["A1"] ** 2)
    grads = {"dW2": dZ2 @ cache["A1"].T / m, "db2": np.sum(dZ2, axis=1, keepdims=True) / m}
    grads["dW1"] = dZ1 @ X.T / m
    grads["db1"] = np.sum(dZ1, axis=1) / m
    return grads


def wrong_slope(params: Arrays, X: Array, Y: Array) -> Arrays:
    """A formula for the slope that is in no book."""
    z1 = X @ params["W1"]
    a1 = sigmoid(z1)
    a2 = sigmoid(a1 @ params["W2"])
    delta2 = (a2 - Y) * a2 * (1 - a2)
    delta1 = (delta2 @ params["W2"].T) * sigmoid(z1) * sigmoid(1 - z1)
    return {"dW1": X.T @ delta1, "dW2": a1.T @ delta2}


def weight_decay(params: Arrays, X: Array, Y: Array) -> Arrays:
    """Right, with an L2 penalty that nobody mentions."""
    a1 = np.tanh(X @ params["W1"])
    a2 = sigmoid(a1 @ params["W2"])
    delta2 = (a2 - Y) / len(X)
    delta1 = (delta2 @ params["W2"].T) * (1 - a1**2)
    return {"dW1": X.T @ delta1 + 0.01 * params["W1"], "dW2": a1.T @ delta2 + 0.01 * params["W2"]}


def half_a_decay(params: Arrays, X: Array, Y: Array) -> Arrays:
    """The penalty of the first layer is forgotten, and so is its slope."""
    a1 = np.tanh(X @ params["W1"])
    a2 = sigmoid(a1 @ params["W2"])
    delta2 = (a2 - Y) / len(X)
    delta1 = delta2 @ params["W2"].T
    return {"dW1": X.T @ delta1, "dW2": a1.T @ delta2 + 0.01 * params["W2"]}


def softmax_of_everything(params: Arrays, X: Array, Y: Array) -> Arrays:
    """The sum of the softmax runs over the whole batch."""
    a1 = np.maximum(0, X @ params["W1"])
    z2 = a1 @ params["W2"]
    probabilities = np.exp(z2) / np.sum(np.exp(z2))
    delta2 = probabilities - Y
    delta1 = (delta2 @ params["W2"].T) * (a1 > 0)
    return {"dW1": X.T @ delta1, "dW2": a1.T @ delta2}


def bias_from_weights(params: Arrays, X: Array, Y: Array) -> tuple[Array, ...]:
    """A tuple of gradients; those of the biases are made from those of the weights."""
    a1 = sigmoid(X @ params["W1"] + params["b1"])
    out = a1 @ params["W2"] + params["b2"]
    delta2 = 2 * (out - Y) / len(X)
    delta1 = (delta2 @ params["W2"].T) * a1 * (1 - a1)
    dW2, dW1 = a1.T @ delta2, X.T @ delta1
    return dW1, dW1.sum(axis=0), dW2, delta2.sum(axis=0)


TOTALS: dict[str, Any] = {"dW1": 0.0, "dW2": 0.0}


def never_zeroed(params: Arrays, X: Array, Y: Array) -> dict[str, Any]:
    """Gradients that are added up and never set back."""
    a1 = sigmoid(X @ params["W1"])
    a2 = sigmoid(a1 @ params["W2"])
    delta2 = (a2 - Y) * a2 * (1 - a2)
    TOTALS["dW2"] = TOTALS["dW2"] + a1.T @ delta2
    TOTALS["dW1"] = TOTALS["dW1"] + X.T @ ((delta2 @ params["W2"].T) * a1 * (1 - a1))
    return dict(TOTALS)


def main() -> None:
    random = np.random.default_rng(1)
    rows: Arrays = {"W1": 2 * random.random((3, 4)) - 1, "W2": 2 * random.random((4, 1)) - 1}
    columns: Arrays = {"W1": random.normal(size=(2, 2)), "b1": np.zeros((2, 1))}
    columns |= {"W2": random.normal(size=(1, 2)), "b2": np.zeros((1, 1))}
    biased: Arrays = {"W1": rows["W1"], "b1": random.normal(size=4), "W2": rows["W2"], "b2": random.normal(size=1)}
    classes: Arrays = {"W1": rows["W1"], "W2": random.normal(size=(4, 3))}
    labels = np.eye(3)[[0, 1, 2, 1]]
    squared: dict[str, Any] = {"loss": SQUARED}
    cases: list[tuple[str, Any, Arrays, Array, Array, dict[str, Any]]] = [
        ("The first seed's program, its step with the sign of a gradient", first_seed, rows, X, Y, {}),
        ("The second seed's expectation, weight - rate * dC_dw", second_seed, rows, X, Y, {}),
        ("The third seed's first post", third_seed_first, columns, X[:, :2].T, Y.T, squared),
        ("The third seed's last post, with a squared error", third_seed_last, columns, X[:, :2].T, Y.T, squared),
        ("The same, with nothing said of the loss", third_seed_last, columns, X[:, :2].T, Y.T, {}),
        ("A loop over the samples", one_sample_at_a_time, rows, X, Y, squared),
        ("A class", in_a_class, rows, X, Y, {}),
        ("Updates inside the pass", updates_inside, rows, X, Y, squared | {"learning_rate": 0.5}),
        ("A cache, samples in columns", cached, columns, X[:, :2].T, Y.T, {}),
        ("A slope that is in no book", wrong_slope, rows, X, Y, squared),
        ("Weight decay", weight_decay, rows, X, Y, {}),
        ("Half of a weight decay, and another mistake", half_a_decay, rows, X, Y, {"penalty": 0.01}),
        ("A softmax of everything", softmax_of_everything, classes, X, labels, {"loss": "softmax_cross_entropy"}),
        ("A tuple of gradients", bias_from_weights, biased, X, Y, {}),
        ("Gradients that are never zeroed", never_zeroed, rows, X, Y, squared),
    ]
    for title, backward, params, x, y, stated in cases:
        print(f"== {title}\n{nn.diagnose(backward, params, x, y, **stated)}\n")


if __name__ == "__main__":
    main()
