"""The network of the first seed question, trained three ways with one gradient, and drawn.

Run it: python examples/three_four_one.py. It prints what it compares, and writes the graph of one sample's loss to
three_four_one.svg beside this file, and that of a single neuron to neuron.svg.
"""

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
    print("1. One gradient, three ways: dC/dW2 before the first step")
    print(f"   {'Value':>22} {'MatrixMLP':>22} {'longhand':>22}")
    for row in zip(values[1].flat, formulas[1].flat, paper[1].flat, strict=True):
        print("   " + " ".join(f"{x:22.17f}" for x in row))
    difference = max(np.abs(v - other).max() for way in (formulas, paper) for v, other in zip(values, way, strict=True))
    print(f"   largest difference among all 16 entries of dW1 and dW2: {difference:.1e}\n")


def three_trainings(steps: int = 200) -> None:
    print(f"2. {steps} steps at rate 1, three ways: the output for each sample")
    model = nn.MLP.from_arrays(initial_weights())
    W1, W2 = initial_weights()
    for _ in range(steps):
        recorded(model)
        for w in model.parameters():
            w.data -= 1.0 * w.grad
        dW1, dW2 = longhand(W1, W2)
        W1 -= dW1
        W2 -= dW2
    fast = nn.MatrixMLP(initial_weights())
    nn.fit(fast, X, Y, steps=steps, learning_rate=1.0)
    print(f"   {'Value':>18} {'longhand':>18} {'fit':>18}")
    for x, by_hand, by_fit in zip(X, sigmoid(sigmoid(X @ W1) @ W2), fast.predict(X), strict=True):
        print(f"   {model(x)[0].data:18.14f} {by_hand[0]:18.14f} {by_fit[0]:18.14f}")
    print()


def full_training() -> None:
    print("3. 60,000 steps by nn.fit; the question's program prints the same mean errors and outputs")
    model = nn.MatrixMLP(initial_weights())
    # The program prints the outputs that it computed before its last update: those after 59,999 steps.
    history = nn.fit(model, X, Y, steps=59_999, learning_rate=1.0, report_every=10_000)
    for step, error in zip(history.steps, history.mean_errors, strict=True):
        print(f"   step {step:6,}   mean error {error:.13f}")
    print("   outputs", *(f"{y:.8f}" for y in model.predict(X).flat), "\n")


def plus_is_minus() -> None:
    W1, W2 = initial_weights()
    a1 = sigmoid(X @ W1)
    a2 = sigmoid(a1 @ W2)
    plus = W2 + a1.T @ ((Y - a2) * a2 * (1 - a2))
    minus = W2 - a1.T @ ((a2 - Y) * a2 * (1 - a2))
    print("4. Why W2 += a1.T @ delta, and not minus? The minus is inside: delta there starts from (y - a2), not (a2 - y)")
    print(f"   W2 += a1.T @ ((y - a2) * ...)   {plus.T.round(8)[0]}")
    print(f"   W2 -= a1.T @ ((a2 - y) * ...)   {minus.T.round(8)[0]}   the same: {np.array_equal(plus, minus)}\n")


def picture() -> None:
    model = nn.MLP.from_arrays(initial_weights())
    loss = model.loss(X[1:2], Y[1:2])
    loss.label = "C"
    loss.backward()
    path = draw(loss).save(Path(__file__).with_suffix(".svg"))
    print(f"5. The graph of C for the sample {X[1].astype(int)}, with every local derivative: {path.name}")
    w, x, b = Value(0.5, "w"), Value(2.0, "x"), Value(-1.0, "b")
    y = (w * x + b).tanh()
    y.label = "y"
    y.backward()
    path = draw(y).save(Path(__file__).with_name("neuron.svg"))
    print(f"   and of a single neuron, small enough for a slide: {path.name}")


if __name__ == "__main__":
    three_gradients()
    three_trainings()
    full_training()
    plus_is_minus()
    picture()
