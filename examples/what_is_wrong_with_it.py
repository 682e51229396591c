"""Here is my backward pass; what is wrong with it? The backward passes of the three seed questions, diagnosed.

Each is as it was posted, wrapped to take (params, X, Y) and to return its gradients by name; `nn.diagnose` runs it on
several data sets and says which lines of the derivation it breaks. Run it: python examples/what_is_wrong_with_it.py
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from which_factor_is_missing import first_posted, forward_propagation, posted, second_post, sigmoid

import nn

Array = NDArray[Any]
Arrays = dict[str, Array]

X = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
Y = np.array([[0], [1], [1], [0]])


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


def third_seed(post: Callable[..., Arrays]) -> Callable[[Arrays, Array, Array], Arrays]:
    """A post of the third seed as a function of (params, X, Y), with the forward pass that goes with it."""

    def backward(params: Arrays, X: Array, Y: Array) -> Arrays:
        out_h, out_y = forward_propagation(X, params["W1"], params["b1"], params["W2"], params["b2"])
        return post(X, Y, out_h, out_y, params["W2"])

    return backward


def main() -> None:
    random = np.random.default_rng(1)
    weights = {"W1": 2 * random.random((3, 4)) - 1, "W2": 2 * random.random((4, 1)) - 1}
    columns = {"W1": random.normal(size=(2, 2)), "b1": np.zeros((2, 1))}
    columns |= {"W2": random.normal(size=(1, 2)), "b2": np.zeros((1, 1))}
    x, y = X[:, :2].T, Y.T
    for title, backward in (
        ("The first seed's program, its step with the sign of a gradient", first_seed),
        ("The second seed's expectation, weight - rate * dC_dw", second_seed),
    ):
        print(f"== {title}\n{nn.diagnose(backward, weights, X, Y)}\n")
    for title, post in (
        ("The third seed's first post", first_posted),
        ("The third seed's second post", second_post),
        ("The third seed's last post", posted),
    ):
        print(f"== {title}\n{nn.diagnose(third_seed(post), columns, x, y, samples='columns', weights='out_in')}\n")


if __name__ == "__main__":
    main()
