"""A training step made of Values, against micrograd's: how fast a graph is recorded and swept.

The network is 3-4-1 on four samples: a relu hidden layer (micrograd has no sigmoid), a linear output, the sum of squared
errors, plain gradient descent. `plain` writes the step out in `Value` code and takes the class of Values as its argument,
so that both engines run the same lines; `model` does the same with each package's own MLP.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from compare import FASTER, Side, compare, peer_module, same

import nn
from autograd import Value

X = ((0.0, 0.0, 1.0), (0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (1.0, 1.0, 1.0))
Y = (0.0, 1.0, 1.0, 0.0)
STEPS = 400


def train(predict: Callable[[Any], Any], parameters: Callable[[], list[Any]], zero_grad: Callable[[], None]) -> float:
    """`STEPS` steps; the last loss."""
    for _ in range(STEPS):
        loss = sum((predict(x) - y) ** 2 for x, y in zip(X, Y, strict=True))
        zero_grad()
        loss.backward()
        for p in parameters():
            p.data -= 0.02 * p.grad
    return float(loss.data)


def plain(value: Any) -> float:
    """The network in the code that a user writes without an MLP: lists of Values, and sums of products."""
    draw = random.Random(1)
    hidden = [[value(draw.uniform(-1, 1)) for _ in range(4)] for _ in range(4)]  # three weights and a bias each
    output = [value(draw.uniform(-1, 1)) for _ in range(5)]
    parameters = [*output, *(p for neuron in hidden for p in neuron)]

    def predict(x: Any) -> Any:
        a = [(w[0] * x[0] + w[1] * x[1] + w[2] * x[2] + w[3]).relu() for w in hidden]
        return output[0] * a[0] + output[1] * a[1] + output[2] * a[2] + output[3] * a[3] + output[4]

    def zero_grad() -> None:
        for p in parameters:
            p.grad = 0.0

    return train(predict, lambda: parameters, zero_grad)


def ours() -> float:
    model = nn.MLP(3, [4, 1], ["relu", "linear"], rng=0)
    return train(lambda x: model(x)[0], model.parameters, model.zero_grad)


def micrograd(module: Any) -> float:
    """Its MLP, started from the weights of ours."""
    model, start = module.MLP(3, [4, 1]), nn.MLP(3, [4, 1], ["relu", "linear"], rng=0)
    for p, q in zip(model.parameters(), start.parameters(), strict=True):
        p.data = q.data
    return train(model, model.parameters, model.zero_grad)


def run() -> None:
    engine, network = peer_module("micrograd.engine"), peer_module("micrograd.nn")
    if engine is None or network is None:
        return
    same("engine: plain Values", plain(Value), plain(engine.Value))
    compare(
        "engine: plain Values, one step",
        Side("ours", lambda: plain(Value), STEPS),
        Side("micrograd", lambda: plain(engine.Value), STEPS),
        FASTER,
        goal=3,
    )
    same("engine: MLP", ours(), micrograd(network))
    compare(
        "engine: MLP, one step",
        Side("ours", ours, STEPS),
        Side("micrograd", lambda: micrograd(network), STEPS),
        FASTER,
        goal=3,
    )
