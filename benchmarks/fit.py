"""60,000 steps of the fast loop, `nn.fit`, against the first seed question's own loop and against JAX.

The network is the question's: 3-4-1, sigmoid in both layers, no biases, half the squared error, learning rate 1, from the
question's weights. Its program is run as it stands, less the two lines that print. In JAX the whole step, `jax.grad` of
the loss included, is one jitted function in float64, called once per step. Every block is the full 60,000 steps.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from compare import FASTER, TIMES, Side, compare, peer_module, same

import nn

STEPS = 60_000

PROGRAM = """
import numpy as np

def Sigmoid(Z,Deriv = False):
    P = np.reciprocal(1+np.exp(-Z))
    if Deriv == False:
        return P
    else:
        return Z*(1-Z)

#Input Data
X = np.array([[0,0,1],[0,1,1],[1,0,1],[1,1,1]])
Y = np.array([[0],
              [1],
              [1],
              [0]])

np.random.seed(1)
W1 = 2*np.random.random((3,4)) - 1
W2 = 2*np.random.random((4,1)) - 1

#Training

for j in range(60000):
    L0 = X  #Input Layer
    L1 = Sigmoid(np.dot(L0,W1))  #First Hidden Layer
    L2 = Sigmoid(np.dot(L1,W2))  # Output Layer

    L2_Error = Y - L2

    L2_Delta = L2_Error * Sigmoid(L2,Deriv = True)   #Output Layer Error
    #Now How much layer 1 contributed in the error of Layer 2
    L1_Error = L2_Delta.dot(W2.T)
    L1_Delta = L1_Error * Sigmoid(L1,Deriv = True)  # Hidden Layer Erro

    #Updates
    W2 += L1.T.dot(L2_Delta)
    W1 += L0.T.dot(L1_Delta)
"""
CODE = compile(PROGRAM, "first seed", "exec")

X = np.array([[0.0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
Y = np.array([[0.0], [1], [1], [0]])


def start() -> list[Any]:
    random = np.random.RandomState(1)
    return [2 * random.random_sample(shape) - 1 for shape in ((3, 4), (4, 1))]


def ours() -> float:
    history = nn.fit(nn.MatrixMLP(start()), X, Y, STEPS, learning_rate=1.0)
    return float(history.losses[-1])


def question() -> float:
    names: dict[str, Any] = {}
    exec(CODE, names)
    model = nn.MatrixMLP([names["W1"], names["W2"]])
    return float(model.gradients(X, Y).loss)


def jax_step(jax: Any) -> tuple[Any, Any]:
    """The loss and a step of training in JAX, nothing compiled yet."""
    jax.config.update("jax_enable_x64", True)
    x, y = jax.numpy.asarray(X), jax.numpy.asarray(Y)

    def loss(weights: Any) -> Any:
        a = x
        for w in weights:
            a = jax.nn.sigmoid(a @ w)
        return ((a - y) ** 2).sum() / 2

    def step(weights: Any) -> Any:
        return [w - dw for w, dw in zip(weights, jax.grad(loss)(weights), strict=True)]

    return loss, step


def jax_block(jax: Any) -> Any:
    """The function that trains in JAX, its step compiled."""
    loss, plain = jax_step(jax)
    step = jax.jit(plain)

    def train() -> float:
        weights = [jax.numpy.asarray(w) for w in start()]
        for _ in range(STEPS):
            weights = step(weights)
        return float(jax.block_until_ready(loss(weights)))

    return train


def batches(rows: int, batch: int | None) -> Any:
    """A block of 1,000 steps on as many digits as there are `rows`, in mini-batches or on all of them."""
    random = np.random.default_rng(0)
    x, y = random.normal(size=(rows, 64)), random.integers(10, size=rows)

    def train() -> None:
        model = nn.MatrixMLP.random([64, 32, 10], ("tanh", "linear"), rng=0)
        nn.fit(model, x, y, 1000, 0.01, "softmax_cross_entropy", batch_size=batch, rng=0)

    return train


def run() -> None:
    for rows in (32, 100):
        small, full = Side("mini-batches of 1,500", batches(1500, rows)), Side("all of as many", batches(rows, None))
        compare(f"fit: a step on {rows} rows", small, full, TIMES, goal=1.5)
    last = ours()
    same("fit: the question's loop", last, question(), tolerance=1e-6)
    compare("fit: 60,000 steps", Side("ours", ours), Side("the question's loop", question), FASTER, goal=2, rounds=5)
    jax = peer_module("jax")
    if jax is not None:
        train = jax_block(jax)
        same("fit: JAX", last, train(), tolerance=1e-6)
        compare("fit: 60,000 steps", Side("ours", ours), Side("JAX, jitted step", train), FASTER, goal=1, rounds=5)
