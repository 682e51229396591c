"""The third seed question: which factor of sigma' is missing, and why are the biases summed?

The 2-2-1 network with biases, samples in columns, as posted. Each version of the posted backward pass is run beside the
gradients of the recorded graph, which says for every line whether it is right. Then the network learns XOR with both
deltas in place. Run it: python examples/which_factor_is_missing.py
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

import nn

Array = NDArray[Any]
X = np.array([[0, 0, 1, 1], [0, 1, 0, 1]])
Y = np.array([[0, 1, 1, 0]])


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def forward_propagation(X: Array, W1: Array, b1: Array, W2: Array, b2: Array) -> tuple[Array, Array]:
    out_h = sigmoid(np.dot(W1, X) + b1)
    return out_h, sigmoid(np.dot(W2, out_h) + b2)


def first_posted(X: Array, Y: Array, out_h: Array, out_y: Array, W2: Array) -> dict[str, Array]:
    """The backward pass of the first post; its dw and db are dW2 and db2."""
    l2_error = out_y - Y
    slope_output = out_y * (1 - out_y)
    dw = l2_error * slope_output * out_h
    db = l2_error * slope_output
    dh = np.dot(W2.T, l2_error)
    l1_error = np.multiply(dh, out_h * (1 - out_h))
    dW1 = np.dot(l1_error, X.T)
    db1 = l1_error
    return {"dW1": dW1, "db1": db1, "dW2": dw, "db2": db}


def posted(X: Array, Y: Array, out_h: Array, out_y: Array, W2: Array) -> dict[str, Array]:
    """The backward pass that was posted last: the slope of the output is computed, and then not used."""
    l2_error = out_y - Y
    dW2 = np.dot(l2_error, out_h.T)
    db2 = np.sum(l2_error, axis=1, keepdims=True)
    dh = np.dot(W2.T, l2_error)
    l1_error = np.multiply(dh, out_h * (1 - out_h))
    dW1 = np.dot(l1_error, X.T)
    db1 = np.sum(l1_error, axis=1, keepdims=True)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


def mended(X: Array, Y: Array, out_h: Array, out_y: Array, W2: Array) -> dict[str, Array]:
    """With the missing factor: l2_delta, not l2_error, is what every later line has to start from."""
    l2_delta = (out_y - Y) * out_y * (1 - out_y)
    dW2 = np.dot(l2_delta, out_h.T)
    db2 = np.sum(l2_delta, axis=1, keepdims=True)
    l1_delta = np.dot(W2.T, l2_delta) * out_h * (1 - out_h)
    dW1 = np.dot(l1_delta, X.T)
    db1 = np.sum(l1_delta, axis=1, keepdims=True)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


def recorded(W1: Array, b1: Array, W2: Array, b2: Array) -> dict[str, Array]:
    """The gradients of the recorded graph, for samples in columns: weights transposed there and back."""
    model = nn.MLP.from_arrays([W1.T, W2.T], [b1[:, 0], b2[:, 0]])
    model.loss(X.T, Y.T).backward()
    found = {}
    for layer, (weights, biases) in enumerate(zip(model.weights, model.biases or [], strict=True), 1):
        found[f"dW{layer}"] = np.array([[w.grad for w in row] for row in weights]).T
        found[f"db{layer}"] = np.array([[b.grad] for b in biases])
    return found


def verdict(gradient: Array, right: Array) -> str:
    if gradient.shape != right.shape:
        return f"has the shape {gradient.shape}, expected {right.shape}"
    off = np.abs(gradient - right).max()
    return "right" if off < 1e-12 else f"wrong by up to {off:.4f}"


def main() -> None:
    np.random.seed(42)  # noqa: NPY002  # the question's own way to draw
    W1, b1 = np.random.randn(2, 2), np.zeros((2, 1))  # noqa: NPY002  # as above
    W2, b2 = np.random.randn(1, 2), np.zeros((1, 1))  # noqa: NPY002  # as above
    out_h, out_y = forward_propagation(X, W1, b1, W2, b2)
    right = recorded(W1, b1, W2, b2)
    print("1. The posted backward pass beside the gradients of the recorded graph, C = 1/2 sum (out_y - Y)^2")
    versions = (("as first posted", first_posted), ("as posted last", posted), ("with the factor out_y * (1 - out_y)", mended))
    for name, backward in versions:
        print(f"   {name}:")
        for key, gradient in backward(X, Y, out_h, out_y, W2).items():
            print(f"     {key} {verdict(gradient, right[key])}")
    print("   C reaches z2 only through out_y = sigma(z2), so dC/dz2 = (out_y - Y) * sigma'(z2). Every later line starts")
    print("   from dC/dz2: without the factor all four gradients are wrong. (For cross-entropy the posted lines are right:")
    print("   there the factor cancels.)")

    delta1 = np.dot(W2.T, (out_y - Y) * out_y * (1 - out_y)) * out_h * (1 - out_h)
    print("\n2. Why biases are summed: b1 is added to every sample's z1, so every sample adds its share to the gradient")
    print(f"   delta1, one column per sample:\n     {str(delta1.round(6)).replace(chr(10), chr(10) + '     ')}")
    print(f"   summed over the samples: {delta1.sum(axis=1).round(6)}   db1 of the graph: {right['db1'][:, 0].round(6)}")
    print(f"   db1 = l1_error, unsummed, has the shape {delta1.shape}; b1 has the shape {b1.shape}: after one update b1 would")
    print("   hold one bias per sample, and the network would no longer be a function of its input alone")

    print("\n3. XOR learned with the mended pass, samples in columns, and by nn.fit, samples in rows: rate 1, 20,000 steps")
    model = nn.MatrixMLP([W1.T, W2.T], [b1[:, 0], b2[:, 0]])
    nn.fit(model, X.T, Y.T, steps=20_000, learning_rate=1)
    for _ in range(20_000):
        out_h, out_y = forward_propagation(X, W1, b1, W2, b2)
        step = mended(X, Y, out_h, out_y, W2)
        W1, b1, W2, b2 = W1 - step["dW1"], b1 - step["db1"], W2 - step["dW2"], b2 - step["db2"]
    print(f"   mended  {forward_propagation(X, W1, b1, W2, b2)[1][0].round(8)}")
    print(f"   nn.fit  {model.predict(X.T)[:, 0].round(8)}")
    print(f"   Predicted label: {(model.predict(X.T).T > 0.5) * 1}")


if __name__ == "__main__":
    main()
