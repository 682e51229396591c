"""The second seed question: why is the update `a1.T @ delta2`, when the textbook says "minus rate times dC/dW2"?

It runs the program of the question, then takes its first step apart: what the program calls dC_dw2 is not yet the
derivative by the weights, and the missing factor is what every weight is multiplied with, the activation that comes in.
Run it: python examples/where_a1_transposed_comes_from.py
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

import nn

Array = NDArray[Any]
x = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
y = np.array([[0, 1, 1, 0]]).T


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def derv_sigmoid(a: Any) -> Any:
    return a * (1 - a)


def program_of_the_question(weight1: Array, weight2: Array, iterations: int = 1000) -> Array:
    """As posted, but for the printing of shapes; the question draws its weights unseeded, here they are given."""
    learningRate = 1
    a0 = x
    for _ in range(iterations):
        z1 = x @ weight1
        a1 = sigmoid(z1)
        z2 = a1 @ weight2
        a2 = sigmoid(z2)
        delta2 = y - a2
        dC_dw2 = delta2 * derv_sigmoid(a2)
        dC_dw1 = (np.multiply(dC_dw2, weight2.T)) * derv_sigmoid(a1)
        weight2 = weight2 + learningRate * np.dot(a1.T, dC_dw2)
        weight1 = weight1 + learningRate * np.dot(a0.T, dC_dw1)
    return np.asarray(a2)


def main() -> None:
    random = np.random.default_rng(0)
    weight1, weight2 = random.random((3, 4)), random.random((4, 1))
    print("1. The program of the question, 1,000 iterations, and nn.fit from the same weights")
    fast = nn.MatrixMLP([weight1, weight2])
    nn.fit(fast, x, y, steps=999, learning_rate=1)  # the program's a2 was computed before its last update
    for by_program, by_fit in zip(program_of_the_question(weight1, weight2), fast.predict(x), strict=True):
        print(f"   {by_program[0]:.12f}   {by_fit[0]:.12f}")

    a1 = sigmoid(x @ weight1)
    a2 = sigmoid(a1 @ weight2)
    delta2 = (a2 - y) * derv_sigmoid(a2)
    print("\n2. What the program calls dC_dw2 is not dC/dW2: it has one row per sample, W2 one row per hidden neuron.")
    print("   The shapes agree only because there happen to be 4 of each. With the first 3 samples:")
    product = a1[:3].T @ delta2[:3]
    print(f"   delta2 {delta2[:3].shape}   W2 {weight2.shape}   a1 {a1[:3].shape}   a1.T @ delta2 {product.shape}")
    try:
        weight2 - delta2[:3]
    except ValueError as error:
        print(f"   W2 - delta2: {error}")
    print("   It is delta2 = dC/dz2, the derivative by the sum that goes into the output neuron.")

    print("\n3. The missing factor: z2 = ... + a1[2] * W2[2] + ..., so dz2/dW2[2] = a1[2], for each sample its own.")
    print("   The chain rule for the one weight W2[2], sample by sample, and its sum over the samples:")
    shares = a1[:, 2] * delta2[:, 0]
    for i, share in enumerate(shares):
        print(f"     sample {i}:  a1[{i},2] * delta2[{i}] = {a1[i, 2]:.6f} * {delta2[i, 0]:+.6f} = {share:+.8f}")
    print(f"     their sum                                    {shares.sum():+.8f}")
    print(f"     entry [2] of a1.T @ delta2                   {(a1.T @ delta2)[2, 0]:+.8f}")
    model = nn.MLP.from_arrays([weight1, weight2])
    model.loss(x, y).backward()
    print(f"     W2[2].grad, from the recorded graph          {model.weights[1][2][0].grad:+.8f}")
    print("   A matrix product sums over the index that both factors share. To sum over samples, the samples have to be")
    print("   the columns of the left factor: that is what the transpose does, and why a1.T stands on the left.")

    print("\n4. And the plus: dC/dW2 = a1.T @ delta2 starts from (a2 - y); the program starts from (y - a2), its negative.")
    textbook = weight2 - 1 * (a1.T @ ((a2 - y) * derv_sigmoid(a2)))
    programs = weight2 + 1 * (a1.T @ ((y - a2) * derv_sigmoid(a2)))
    print(f"   W2 - rate * dC/dW2  {textbook.T[0]}")
    print(f"   W2 + rate * ...     {programs.T[0]}   the same: {np.array_equal(textbook, programs)}")


if __name__ == "__main__":
    main()
