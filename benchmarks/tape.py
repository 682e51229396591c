"""A graph recorded once and replayed: the steps of the 3-4-1 network against micrograd, JAX and C; and a large network.

On floats the network is that of engine.py, because micrograd has no sigmoid; natively it is the seed question's, as in
fit.py: sigmoid in both layers, no biases, half the squared error, learning rate 1, 60,000 steps. In JAX the whole descent
is one jitted `lax.fori_loop` in float64. In C it is three_four_one.c, compiled by gcc -O2. All of them are compiled before
the time is taken, ours too, but for the line that is called cold: there a fresh process imports, records, flattens,
compiles and descends, and finds nothing of an earlier run on the disk but Python's own bytecode.
"""

from __future__ import annotations

from ctypes import c_double, c_long, c_void_p
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import engine
import fit
import numpy as np
from compare import A_SECOND, FASTER, SECONDS, TIMES, Side, alone, c_library, compare, fresh, peer_module, same, same_gradient

import nn
from autograd import Tape, Value

HERE = Path(__file__).parent
X, Y, STEPS = fit.X, fit.Y, fit.STEPS
FLOAT_STEPS, IMAGES = 4000, 200


def on_floats() -> None:
    network = peer_module("micrograd.nn")
    if network is None:
        return
    model = nn.MLP(3, [4, 1], ["relu", "linear"], rng=0)
    loss: Any = sum((model(x)[0] - y) ** 2 for x, y in zip(engine.X, engine.Y, strict=True))
    tape = Tape(loss, model.parameters())

    def train(steps: int) -> float:
        numbers = [p.data for p in model.parameters()]
        value = 0.0
        for _ in range(steps):
            value, grads = tape(numbers)
            numbers = [x - 0.02 * dx for x, dx in zip(numbers, grads, strict=True)]
        return value

    same("tape: floats", train(engine.STEPS), engine.micrograd(network))
    compare(
        "tape: floats, one step",
        Side("ours", lambda: train(FLOAT_STEPS), FLOAT_STEPS),
        Side("micrograd", lambda: engine.micrograd(network), engine.STEPS),
        FASTER,
        goal=40,
    )


def recorded() -> tuple[Tape, list[Any]]:
    """The network's loss as a tape, and its weights."""
    model = nn.MLP.from_arrays(fit.start())
    return Tape(model.loss(X, Y), model.parameters()), [p.data for p in model.parameters()]


def jax_block(jax: Any) -> Any:
    """The function that trains in JAX, compiled as a whole."""
    _, step = fit.jax_step(jax)
    descend = jax.jit(lambda weights: jax.lax.fori_loop(0, STEPS, lambda _, w: step(w), weights))
    start = [jax.numpy.asarray(w) for w in fit.start()]
    return lambda: jax.block_until_ready(descend(start))


def c_block(library: Any) -> Any:
    """The function that trains in C."""
    library.descend.argtypes = (c_void_p, c_void_p, c_void_p, c_void_p, c_long, c_double)

    def train() -> Any:
        weights = fit.start()
        library.descend(*(a.ctypes.data for a in (X, Y, *weights)), STEPS, 1.0)
        return weights

    return train


def formulas(weights: Any) -> nn.Gradients:
    return nn.MatrixMLP([np.asarray(w) for w in weights]).gradients(X, Y)


def natively() -> None:
    tape, start = recorded()
    fast = tape.native()

    def train() -> Any:
        return fast.descend(start, steps=STEPS, learning_rate=1.0)

    loss, name, ours = fast(train())[0], "tape: native, 60,000 steps", Side("ours", train)
    jax = peer_module("jax")
    if jax is not None:
        block = jax_block(jax)
        same("tape: JAX", loss, formulas(block()).loss, tolerance=1e-6)
        compare(name, ours, Side("JAX, jitted fori_loop", block), TIMES, goal=0.5)
    library = c_library(HERE / "three_four_one.c", "-O2")
    if library is not None:
        block = c_block(library)
        same("tape: C", loss, formulas(block()).loss, tolerance=1e-6)
        compare(name, ours, Side("C, gcc -O2", block), TIMES, goal=1, rounds=15)


def cold() -> None:
    program = f"import tape; t, start = tape.recorded(); t.native().descend(start, steps={STEPS}, learning_rate=1.0)"

    def block() -> None:
        with TemporaryDirectory() as empty:
            fresh(program, XDG_CACHE_HOME=empty)

    alone("tape: cold, 60,000 steps in a fresh process", Side("ours", block), SECONDS, goal=2.5)


def large() -> None:
    random = np.random.default_rng(0)
    model = nn.MLP(784, [50, 10], rng=0)
    x = [Value(pixel) for pixel in random.random(784)]
    y = [Value(target) for target in np.eye(10)[3]]

    def block() -> Tape:
        return Tape(model.loss([x], [y]), [*model.parameters(), *x, *y])

    tape = block()
    fast, numbers = tape.native(), np.array([node.data for node in tape.inputs])
    value, grads = fast(numbers)
    by_hand = nn.MatrixMLP.from_mlp(model).gradients([numbers[-794:-10]], [numbers[-10:]])
    layers = zip(by_hand.weights, by_hand.biases or (), strict=True)
    in_order = [dp for dW, db in layers for dp in np.vstack((dW, db)).T.flat]  # neuron by neuron: its weights, then its bias
    same("tape: 784-50-10, matrix formulas", value, by_hand.loss)
    same_gradient("tape: 784-50-10, matrix formulas", grads[: len(in_order)], in_order)

    def passes() -> None:
        for _ in range(IMAGES):
            fast(numbers)

    name = f"tape: 784-50-10, {len(tape):,} operations"
    alone(f"{name}, forward and backward", Side("an image", passes, IMAGES), A_SECOND, goal=1000)
    alone(f"{name}, recorded and flattened", Side("ours", block), SECONDS, goal=2)


def run() -> None:
    on_floats()
    natively()
    cold()
    large()
