"""The first seed question: why `W2 += L1.T.dot(L2_Delta)`, with a plus, and in the opposite order to the textbook?

The program of the question is a 3-4-1 sigmoid network. Its first step is taken apart, doubt by doubt, beside the recorded
graph of the same cost; then it is trained, and drawn. Run it: python examples/three_four_one.py. It draws the graph of one
sample's cost, three_four_one.svg, and that of a single neuron, neuron.svg, into the folder given as an argument or else here.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import nn
from autograd import Value, draw

Array = NDArray[Any]
X = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]], dtype=float)
Y = np.array([[0], [1], [1], [0]], dtype=float)


def initial_weights() -> list[Array]:
    """As in the question: uniform between -1 and 1, from NumPy's seed 1."""
    random = np.random.RandomState(1)
    return [2 * random.random_sample((3, 4)) - 1, 2 * random.random_sample((4, 1)) - 1]


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def cost(W1: Array, W2: Array) -> Any:
    return ((sigmoid(sigmoid(X @ W1) @ W2) - Y) ** 2).sum() / 2


def longhand(W1: Array, W2: Array) -> list[Array]:
    """The gradients as the matrix formulas of a derivation on paper, for C = 1/2 sum (a2 - y)^2."""
    a1 = sigmoid(X @ W1)
    a2 = sigmoid(a1 @ W2)
    delta2 = (a2 - Y) * a2 * (1 - a2)
    delta1 = (delta2 @ W2.T) * a1 * (1 - a1)
    return [X.T @ delta1, a1.T @ delta2]


def recorded(model: nn.MLP) -> list[Array]:
    """The gradients that the sweep finds in the recorded graph; no formula of this network was written for it."""
    model.zero_grad()
    model.loss(X, Y).backward()
    return [np.array([[w.grad for w in row] for row in layer]) for layer in model.weights]


def three_gradients() -> None:
    weights = initial_weights()
    values = recorded(nn.MLP.from_arrays(weights))
    formulas = nn.MatrixMLP(weights).gradients(X, Y).weights
    paper = longhand(*weights)
    print("1. One gradient, three ways: dC/dW2 before the first step, C = 1/2 sum (L2 - Y)^2")
    print(f"   {'Value':>22} {'MatrixMLP':>22} {'longhand':>22}")
    for row in zip(values[1].flat, formulas[1].flat, paper[1].flat, strict=True):
        print("   " + " ".join(f"{x:22.17f}" for x in row))
    difference = max(np.abs(v - other).max() for way in (formulas, paper) for v, other in zip(values, way, strict=True))
    print(f"   largest difference among all 16 entries of dW1 and dW2: {difference:.1e}\n")


def plus_or_minus() -> None:
    W1, W2 = initial_weights()
    L1 = sigmoid(X @ W1)
    L2 = sigmoid(L1 @ W2)
    plus = W2 + L1.T.dot((Y - L2) * L2 * (1 - L2))
    minus = W2 - L1.T.dot((L2 - Y) * L2 * (1 - L2))
    uphill = W2 - L1.T.dot((Y - L2) * L2 * (1 - L2))
    print("2. 'Shouldn't it be W2 - L1.T.dot(L2_Delta)?' The minus is there: L2_Error is Y - L2, while the")
    print("   gradient of C starts from L2 - Y. Subtracting the gradient is adding its negative:")
    print("   (L1.T.dot(L2_Delta), L2_Delta from ...)   W2 after the step")
    print(f"   W2 + ..., from Y - L2, as in the program  {plus.T.round(8)[0]}")
    print(f"   W2 - ..., from L2 - Y, gradient descent   {minus.T.round(8)[0]}")
    print(f"   the same: {np.array_equal(plus, minus)}, bit for bit. To change one sign alone is to climb, as C says:")
    print(
        f"   before the step {cost(W1, W2):.6f}, + with Y - L2 {cost(W1, plus):.6f}, - with L2 - Y {cost(W1, minus):.6f}, ",
        end="",
    )
    print(f"- with Y - L2 {cost(W1, uphill):.6f}\n")


def the_order() -> None:
    W1, W2 = initial_weights()
    L1 = sigmoid(X @ W1)
    L2 = sigmoid(L1 @ W2)
    L2_Delta = (Y - L2) * L2 * (1 - L2)
    derivation = nn.derive_matrices(nn.MatrixMLP([W1, W2]), X, Y)
    print("3. 'According to BP2 the order is opposite in the code': the textbook has a sample in each column,")
    print("   the program in each row. So all matrices are transposed, and (A @ B).T = B.T @ A.T:")
    print(f"   {'':10} {'the program: samples in rows':42} the textbook: samples in columns")
    for bp, e in zip(("BP1", "BP4, dW2", "BP2", "BP4, dW1"), derivation.equations, strict=True):
        print(f"   {bp:10} {e.rows!s:42} {e.columns!s}")
    print(f"   Both computed, the largest difference between an entry here and there is {derivation.columns_apart:.1e}.")
    print("   (a1 and a2 are the program's L1 and L2. BP2's sigma'(z1) is Sigmoid(L1, Deriv=True): of L1, which")
    print("   is sigma(z1), it makes L1 * (1 - L1), the slope at z1.)\n")
    print("4. 'I think it should be W2 += L2_Delta.dot(L1.T)'. With samples in rows that is no matrix product:")
    try:
        L2_Delta.dot(L1.T)
    except ValueError as error:
        print(f"   L2_Delta.dot(L1.T): {error}")
    in_columns = L2_Delta.T.dot(L1)  # L2_Delta of the textbook is L2_Delta.T, its L1.T is L1
    print(f"   With samples in columns it is right: {in_columns.round(8)[0]}")
    print(f"   and L1.T.dot(L2_Delta) is the same:  {L1.T.dot(L2_Delta).T.round(8)[0]}")
    print("   Neither has to be believed: here is an entry of both equations, term by term, from the graph.")
    print("   (print(nn.derive_matrices(model, X, Y)) says this of every equation, of any network of nn.)")
    for name, *entry in (("dW2", 2, 0), ("delta1", 0, 2)):
        print(f"\n{derivation.at(name, *entry)}")
    print()


def training() -> None:
    print("5. 60,000 steps by nn.fit; the program of the question prints the same mean errors and outputs")
    model = nn.MatrixMLP(initial_weights())
    # The program prints the outputs that it computed before its last update: those after 59,999 steps.
    history = nn.fit(model, X, Y, steps=59_999, learning_rate=1.0, report_every=10_000)
    for step, error in zip(history.steps, history.mean_errors, strict=True):
        print(f"   step {step:6,}   mean error {error:.13f}")
    print("   outputs", *(f"{y:.8f}" for y in model.predict(X).flat))
    print()


def picture(folder: Path) -> None:
    model = nn.MLP.from_arrays(initial_weights())
    loss = model.loss(X[1:2], Y[1:2])
    loss.label = "C"
    loss.backward()
    path = draw(loss).save(folder / "three_four_one.svg")
    print(f"6. The graph of C for the sample {X[1].astype(int)}, with every local derivative: {path.name}")
    w, x, b = Value(0.5, "w"), Value(2.0, "x"), Value(-0.5, "b")
    y = (w * x + b).tanh()
    y.label = "y"
    y.backward()
    path = draw(y).save(folder / "neuron.svg")
    print(f"   and of a single neuron, small enough for a slide: {path.name}")


if __name__ == "__main__":
    three_gradients()
    plus_or_minus()
    the_order()
    training()
    picture(Path(*sys.argv[1:]))
