"""A training step of a 784-128-10 network on 128 samples with `nn.fit`, against its matrix products alone and PyTorch.

Sigmoid hidden layer, linear outputs, biases, softmax cross-entropy, plain gradient descent, float64. The five products
are those that any such step contains, into arrays allocated before; what is above 1 is everything else that a step does.
PyTorch runs the same network from the same weights on the CPU, eagerly, with its default threads and `torch.optim.SGD`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
from compare import TIMES, Side, compare, peer_module, same

import nn

STEPS, RATE = 300, 0.1
random = np.random.default_rng(0)
X = random.random((128, 784))
Y = np.eye(10)[random.integers(10, size=128)]


def model() -> nn.MatrixMLP:
    return nn.MatrixMLP.random([784, 128, 10], ["sigmoid", "linear"], rng=0)


def ours(network: nn.MatrixMLP) -> float:
    return float(nn.fit(network, X, Y, STEPS, RATE, loss="softmax_cross_entropy").losses[-1])


def products(network: nn.MatrixMLP) -> None:
    W1, W2 = network.weights
    z1, z2, d1, d2 = (np.zeros((128, n)) for n in (128, 10, 128, 10))
    dW1, dW2 = np.empty_like(W1), np.empty_like(W2)
    for _ in range(STEPS):
        np.matmul(X, W1, out=z1)
        np.matmul(z1, W2, out=z2)
        np.matmul(z1.T, d2, out=dW2)
        np.matmul(d2, W2.T, out=d1)
        np.matmul(X.T, d1, out=dW1)


def torch_block(torch: Any) -> float:
    """`STEPS` steps in PyTorch; the loss after the last."""
    start = model()
    linear = [torch.nn.Linear(784, 128, dtype=torch.float64), torch.nn.Linear(128, 10, dtype=torch.float64)]
    with torch.no_grad():
        for layer, w, b in zip(linear, start.weights, start.biases or (), strict=True):
            layer.weight.copy_(torch.from_numpy(w.T))
            layer.bias.copy_(torch.from_numpy(b))
    net = torch.nn.Sequential(linear[0], torch.nn.Sigmoid(), linear[1])
    x, labels = torch.from_numpy(X), torch.from_numpy(Y.argmax(axis=1))
    descent = torch.optim.SGD(net.parameters(), lr=RATE)
    for _ in range(STEPS):
        descent.zero_grad()
        torch.nn.functional.cross_entropy(net(x), labels).backward()
        descent.step()
    with torch.no_grad():
        return float(torch.nn.functional.cross_entropy(net(x), labels))


def bare(name: str) -> None:
    network = model()
    side = Side("ours", lambda: ours(network), STEPS)
    compare(name, side, Side("five products", lambda: products(network), STEPS), TIMES, goal=1.2, rounds=15)


def run() -> None:
    bare("big: one 784-128-10 step")
    # On two threads half of every product lies in the other core's cache when the rest of the step reads it.
    subprocess.run([sys.executable, __file__], env={**os.environ, "OPENBLAS_NUM_THREADS": "1"}, check=True)
    torch = peer_module("torch")
    if torch is not None:
        network = model()
        same("big: PyTorch", ours(model()), torch_block(torch))
        side = Side("ours", lambda: ours(network), STEPS)
        peer = Side("PyTorch", lambda: torch_block(torch), STEPS)
        compare("big: one 784-128-10 step", side, peer, TIMES, goal=1.25, rounds=15)


if __name__ == "__main__":
    bare("big: one 784-128-10 step, one BLAS thread")
