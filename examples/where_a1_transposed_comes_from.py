"""The second seed question: why is the update `a1.T @ delta2`, when the textbook says "minus rate times dC/dW2"?

It runs the program of the question, then takes its first step apart: what the program calls dC_dw2 is not yet the
derivative by the weights, and the missing factor is what every weight is multiplied with, the activation that comes in.
The equations of the question's own answer are derived on the way. Run it: python examples/where_a1_transposed_comes_from.py
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

import nn
from autograd import Value, derive

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


def refused(operation: Any) -> str:
    try:
        operation()
    except ValueError as error:
        return str(error).strip()
    return "no error"


def too_early(weight1: Array, weight2: Array, dC_dw1: Array, dC_dw2: Array) -> None:
    print("2. 'Why not weight2 - learningRate * dC_dw2?' dC_dw2 is not dC/dw2: it has one row per sample,")
    print("   weight2 one per hidden neuron. The shapes agree only because there happen to be 4 of each.")
    for name, weight, dC_dw in (("2, of 3 samples", weight2, dC_dw2[:3]), ("1, of 4 samples", weight1, dC_dw1)):
        print(f"   weight{name[0]} - dC_dw{name}: {refused(lambda w=weight, d=dC_dw: w - d)}")
    print("   They are delta2 = dC/dz2 and delta1 = dC/dz1, the derivatives by what goes into the neurons.\n")


def one_weight_one_sample(weight2: Array, a1: Array) -> None:
    w2, a, target = Value(weight2[2, 0], "w2"), Value(a1[3, 2], "a1"), Value(y[3, 0], "y")
    k = w2 * a
    z2 = k + Value(a1[3] @ weight2[:, 0] - k.data, "others")  # what the other neurons add
    a2 = z2.sigmoid()
    v = target - a2
    C = v**2 / 2
    k.label, z2.label, a2.label, v.label, C.label = "k", "z2", "a2", "v", "C"
    print("3. 'The source of multiplying with the activation' is the last factor of the chain: dz2/dw2 = a1,")
    print("   for z2 = ... + w2 * a1 + ... The question's own answer, for one weight and one sample:\n")
    print(derive(C, wrt=w2))
    print("\n   So its (B.1) to (B.4) hold: 1/2 * 2v, -1, sigma'(z2) and a1, in all (a2 - y) * sigma'(z2) * a1.")
    print("   (The first (B) drops the 1/2, the last has it.) The minus of (B.2) turns y - a2 around. That is")
    print("   one sample; what is not in it yet is the sum over the samples.\n")


def sums(weight1: Array, weight2: Array, dC_dw1: Array) -> None:
    derivation = nn.derive_matrices(nn.MatrixMLP([weight1, weight2]), x, y)
    print("4. 'Where does the transpose come from, why np.dot?' C is a sum over the samples, so dC/dw2 is one,")
    print(f"   and a matrix product is how NumPy sums products:\n\n{derivation.at('dW2', 2, 0)}\n")
    model = nn.MLP.from_arrays([weight1, weight2])
    paths = derive(model.loss(x, y), wrt=model.weights[1][2][0]).paths()
    print(f"   Without any matrix: {paths.count} routes lead from weight2[2] to C through the graph, one for each sample.")
    print(f"   Their products {' '.join(f'{route.product:+.7f}' for route in paths.routes)} sum to {paths.total:+.7f}.")
    print("   So 'what works in practice' is no other rule than gradient descent: a1.T @ dC/dz2 is dC/dw2.\n")
    print("5. 'dC_dw1 = np.multiply(dC_dw2, weight2.T) * derv_sigmoid(a1)' spreads a column over a row, (4, 1)")
    print("   over (1, 4). For one output that is dC_dw2 @ weight2.T, a sum of one term:")
    off = np.abs(dC_dw1 - derivation.passes.delta[0]).max()
    print(f"   its largest difference from delta1 is {off:.1e}. With two outputs a neuron has two routes to C, and")
    two = nn.derive_matrices(nn.MatrixMLP.random([3, 4, 2], bias=False, rng=0), x, np.hstack([y, 1 - y]))
    delta2, W2 = two.passes.delta[1], two.model.weights[1]
    print(f"   np.multiply(delta2, W2.T): {refused(lambda: np.multiply(delta2, W2.T))}\n\n{two.at('delta1', 3, 2)}\n")


def signs_and_slopes(weight2: Array, a1: Array) -> None:
    z2 = a1 @ weight2
    a2 = sigmoid(z2)
    textbook = weight2 - 1 * (a1.T @ ((a2 - y) * derv_sigmoid(a2)))
    programs = weight2 + 1 * (a1.T @ ((y - a2) * derv_sigmoid(a2)))
    print("6. And the plus: dC/dw2 starts from (a2 - y), the program from (y - a2), its negative.")
    print(f"   weight2 - rate * dC/dw2  {textbook.T[0]}")
    print(f"   weight2 + rate * ...     {programs.T[0]}   the same: {np.array_equal(textbook, programs)}\n")
    print("7. Eq (A) says derv_sigmoid(z2), the code derv_sigmoid(a2). The code is right: derv_sigmoid wants")
    print("   what sigmoid gave, its a * (1 - a) is sigma'(z) for a = sigma(z). For the first sample:")
    step = 1e-6
    numeric = (sigmoid(z2[0, 0] + step) - sigmoid(z2[0, 0] - step)) / (2 * step)
    print(f"   derv_sigmoid(a2) {derv_sigmoid(a2[0, 0]):.8f}   derv_sigmoid(z2) {derv_sigmoid(z2[0, 0]):.8f}", end="")
    print(f"   by differences {numeric:.8f}")


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
    dC_dw2 = (a2 - y) * derv_sigmoid(a2)  # (y - a2) in the program: see 6
    dC_dw1 = np.multiply(dC_dw2, weight2.T) * derv_sigmoid(a1)
    print()
    too_early(weight1, weight2, dC_dw1, dC_dw2)
    one_weight_one_sample(weight2, a1)
    sums(weight1, weight2, dC_dw1)
    signs_and_slopes(weight2, a1)


if __name__ == "__main__":
    main()
