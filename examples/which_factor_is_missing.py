"""The third seed question: which factor of sigma' is missing, and why are the biases summed?

The 2-2-1 network with biases, samples in columns, as posted. Each version of the posted backward pass is run beside the
gradients of the recorded graph, which says for every line whether it is right; then each doubt is answered by trying.
Run it: python examples/which_factor_is_missing.py
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

import nn
from autograd import wrong_ways

Array = NDArray[Any]
Arrays = dict[str, Array]
X = np.array([[0, 0, 1, 1], [0, 1, 0, 1]])
Y = np.array([[0, 1, 1, 0]])


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def forward_propagation(X: Array, W1: Array, b1: Array, W2: Array, b2: Array) -> tuple[Array, Array]:
    out_h = sigmoid(np.dot(W1, X) + b1)
    return out_h, sigmoid(np.dot(W2, out_h) + b2)


def first_posted(X: Array, Y: Array, out_h: Array, out_y: Array, W2: Array) -> Arrays:
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


def second_post(X: Array, Y: Array, out_h: Array, out_y: Array, W2: Array) -> Arrays:
    """The second: it uses a slope that is not there."""
    l2_error = out_y - Y
    dW2 = np.dot(l2_error, out_h.T)
    db2 = np.sum((l2_error * slope_output), axis=1, keepdims=True)  # type: ignore[name-defined]  # noqa: F821  # as posted
    dh = np.dot(W2.T, l2_error)
    l1_error = np.multiply(dh, out_h * (1 - out_h))
    dW1 = np.dot(l1_error, X.T)
    db1 = np.sum(l1_error, axis=1, keepdims=True)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


def posted(X: Array, Y: Array, out_h: Array, out_y: Array, W2: Array) -> Arrays:
    """The backward pass that was posted last: the slope of the output is computed, and then not used."""
    l2_error = out_y - Y
    dW2 = np.dot(l2_error, out_h.T)
    db2 = np.sum(l2_error, axis=1, keepdims=True)
    dh = np.dot(W2.T, l2_error)
    l1_error = np.multiply(dh, out_h * (1 - out_h))
    dW1 = np.dot(l1_error, X.T)
    db1 = np.sum(l1_error, axis=1, keepdims=True)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


def mended(X: Array, Y: Array, out_h: Array, out_y: Array, W2: Array) -> Arrays:
    """With the missing factor: l2_delta, not l2_error, is what every later line has to start from."""
    l2_delta = (out_y - Y) * out_y * (1 - out_y)
    dW2 = np.dot(l2_delta, out_h.T)
    db2 = np.sum(l2_delta, axis=1, keepdims=True)
    l1_delta = np.dot(W2.T, l2_delta) * out_h * (1 - out_h)
    dW1 = np.dot(l1_delta, X.T)
    db1 = np.sum(l1_delta, axis=1, keepdims=True)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


def initial() -> Arrays:
    np.random.seed(42)  # noqa: NPY002  # the question's own way to draw
    W1, W2 = np.random.randn(2, 2), np.random.randn(1, 2)  # noqa: NPY002  # as above
    return {"W1": W1, "b1": np.zeros((2, 1)), "W2": W2, "b2": np.zeros((1, 1))}


def layers(p: Arrays) -> tuple[list[Array], list[Array]]:
    """The same weights and biases for samples in rows."""
    return [p["W1"].T, p["W2"].T], [p["b1"][:, 0], p["b2"][:, 0]]


def recorded(p: Arrays) -> Arrays:
    """The gradients of the recorded graph, transposed for samples in columns."""
    model = nn.MLP.from_arrays(*layers(p))
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


def the_versions(p: Arrays) -> None:
    print("1. The posted backward passes beside the gradients of the recorded graph, C = 1/2 sum (out_y - Y)^2")
    out_h, out_y = forward_propagation(X, **p)
    right = recorded(p)
    versions = (("as first posted", first_posted), ("as posted last", posted), ("with the factor out_y * (1 - out_y)", mended))
    for name, backward in versions:
        print(f"   {name}:")
        for key, gradient in backward(X, Y, out_h, out_y, p["W2"]).items():
            print(f"     {key} {verdict(gradient, right[key])}")
    try:
        second_post(X, Y, out_h, out_y, p["W2"])
    except NameError as error:
        print(f"   the post between them: NameError, {error}. (In a notebook")
        print("     an older slope_output, of other weights, may lie about: no error then, only a wrong db2.)\n")


def the_factor(p: Arrays) -> None:
    out_h, out_y = forward_propagation(X, **p)
    right, last = recorded(p), posted(X, Y, out_h, out_y, p["W2"])
    cross = nn.MatrixMLP(*layers(p)).gradients(X.T, Y.T, loss="binary_cross_entropy")
    off = max(np.abs(last[f"dW{layer}"].T / 4 - dW).max() for layer, dW in enumerate(cross.weights, 1))
    print("2. Which factor? C knows z2 only through out_y = sigma(z2): dC/dz2 = (out_y - Y) * slope_output.")
    print("   Every line starts from it: not dW2 and db2 alone, dh = np.dot(W2.T, l2_error) misses it as well,")
    print("   and dW1 and db1 with it. For cross-entropy the factor cancels, and the last post is right but for")
    print(f"   the 1/4 of the mean: dW1 / 4 and dW2 / 4 differ from that gradient by {off:.1e} at most.\n")
    dw = first_posted(X, Y, out_h, out_y, p["W2"])["dW2"]
    derivation = nn.derive_matrices(nn.MatrixMLP(*layers(p)), X.T, Y.T)
    print("3. 'This will give an error because you have not transposed out_h'. Not the product: (1, 4) spreads")
    print(f"   over (2, 4), and dw is {dw.shape}. The update does, for W2 is {p['W2'].shape}:")
    try:
        p["W2"] - dw
    except ValueError as error:
        print(f"   W2 - dw: {str(error).strip()}")
    print("   np.dot((l2_error * slope_output), out_h.T) is right: it sums over the samples. The equations for")
    print("   samples in columns (a1 is out_h, a2 is out_y):")
    for e in derivation.equations:
        print(f"   ({e.line}) {e.columns!s:48} {e.columns.shapes}")
    print(f"   Its dW2 {np.dot((out_y - Y) * out_y * (1 - out_y), out_h.T).round(8)}, the graph's {right['dW2'].round(8)}\n")


def the_biases(p: Arrays) -> None:
    model = nn.MLP.from_arrays(*layers(p))
    loss = model.loss(X.T, Y.T)
    print("4. Why biases are summed: b1 is added to every sample's z1, so every sample adds its share:\n")
    print(nn.derive_matrices(model, X.T, Y.T).at("db1", 0))
    b1 = (model.biases or [])[0][0]
    unsummed = wrong_ways(loss).ways[1]
    print(f"\n   A sweep has the same mistake, {unsummed.name}: it leaves b1[0] with the share of one sample,")
    print(f"   {unsummed.adjoints[b1]:.6g}. (print(autograd.wrong_ways(loss)) shows this and three more.)\n")
    print("5. 'db1 = l1_error: not sure if it will make any difference'. No error: b1 (2, 1) minus db1 (2, 4)")
    q = {name: a.copy() for name, a in p.items()}
    for _ in range(20_000):
        out_h, out_y = forward_propagation(X, **q)
        step = mended(X, Y, out_h, out_y, q["W2"])
        step["db1"] = np.dot(q["W2"].T, (out_y - Y) * out_y * (1 - out_y)) * out_h * (1 - out_h)  # unsummed
        q = {name: a - step[f"d{name}"] for name, a in q.items()}
    print(f"   makes b1 {q['b1'].shape}, a bias for every sample. After 20,000 steps, with all else mended:")
    print(f"   the samples as they were  {forward_propagation(X, **q)[1][0].round(4)}")
    print(f"   the same, the last first  {forward_propagation(X[:, ::-1], **q)[1][0].round(4)}   not those in reverse order")
    try:
        forward_propagation(np.hstack([X, X[:, :1]]), **q)
    except ValueError as error:
        print(f"   five samples: {str(error).strip()}\n")


def learning(p: Arrays) -> None:
    out_h, out_y = forward_propagation(X, **p)
    once = {name: a - 0.01 * posted(X, Y, out_h, out_y, p["W2"])[f"d{name}"] for name, a in p.items()}
    out_y = forward_propagation(X, **once)[1]
    print("6. Does it learn? The program as posted makes one step; num_iterations = 100000 stands there unused.")
    print(f"   1 step, as posted last   out_y {out_y[0].round(4)}   pred {(out_y > 0.5) * 1}")
    for name, loss, rate in (("mended", "half_squared_error", 0.01), ("as posted last", "binary_cross_entropy", 0.04)):
        model = nn.MatrixMLP(*layers(p))
        nn.fit(model, X.T, Y.T, steps=100_000, learning_rate=rate, loss=loss)
        out_y = model.predict(X.T).T
        print(f"   100,000, {name:15} out_y {out_y[0].round(4)}   pred {(out_y > 0.5) * 1}")


def main() -> None:
    p = initial()
    the_versions(p)
    the_factor(p)
    the_biases(p)
    learning(p)


if __name__ == "__main__":
    main()
