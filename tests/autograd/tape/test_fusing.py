"""Chains of sums and products become one instruction each, with the same floats in the same order."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import GRID, same
from test_kernel import interpreted

from autograd import Tape, Value, grad
from autograd.tape.native.fusing import fused

WAYS: dict[str, Callable[..., Any]] = {
    "from zero": lambda ws, xs, b: sum(w * x for w, x in zip(ws, xs, strict=True)) + b,
    "from a bias": lambda ws, xs, b: sum((w * x for w, x in zip(ws, xs, strict=True)), b),
    "products first": lambda ws, xs, b: sum([w * x for w, x in zip(ws, xs, strict=True)]) * b,
    "from a product": lambda ws, xs, b: ws[0] * xs[0] + ws[1] * xs[1] + ws[2] * xs[2] + b,
    "squares": lambda ws, xs, b: sum(x * x for x in [*ws, *xs]) * b,
    "a sum": lambda ws, xs, b: sum(ws, b) * sum(xs),
    "mixed": lambda ws, xs, b: ws[0] * xs[0] + ws[1] * xs[1] + b + xs[1] + xs[2] * xs[2] + ws[2] * xs[1],
    "its start is a factor": lambda ws, xs, b: sum((w * x for w, x in zip(ws, xs, strict=True)), xs[1]) * b,
    "a product is used twice": lambda ws, xs, b: (p := ws[0] * xs[0]) + ws[1] * xs[1] + p + b,
}


def names(tape: Tape) -> list[str]:
    return [row.name for row in fused(tape.program).operations]


def engine(f: Any, numbers: list[float]) -> tuple[float, list[float]]:
    leaves = list(map(Value, numbers))
    output = f(leaves)
    return output.data, grad(output, leaves)


@pytest.mark.parametrize(
    ("way", "wanted"),
    [
        ("from zero", ["chain", "add"]),
        ("from a bias", ["chain"]),
        ("products first", ["chain", "mul"]),
        ("from a product", ["chain", "add"]),
        ("squares", ["chain", "mul"]),
        ("a sum", ["total", "total", "mul"]),
        ("its start is a factor", ["mul", "add", "chain", "mul"]),
        ("a product is used twice", ["mul", "mul", "add", "total"]),
    ],
)
def test_what_is_put_together(way: str, wanted: list[str]) -> None:
    leaves = [Value(float(k)) for k in range(1, 8)]
    assert names(Tape(WAYS[way](leaves[:3], leaves[3:6], leaves[6]), leaves)) == wanted


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_every_way_has_the_bits_of_the_engine(way: str, data: st.DataObject) -> None:
    number = st.one_of(st.sampled_from(GRID), st.floats(-3, 3))
    numbers = data.draw(st.lists(number, min_size=7, max_size=7))
    same_place = data.draw(st.lists(st.integers(0, 6), min_size=7, max_size=7))  # operands may be one node

    def f(leaves: list[Value]) -> Value:
        x = [leaves[k] for k in same_place]
        y: Value = WAYS[way](x[:3], x[3:6], x[6])
        return y.tanh() * x[0] + y

    leaves = [Value(0.5 + k) for k in range(7)]
    assert same(interpreted(Tape(f(leaves), leaves))(numbers), engine(f, numbers))


def test_sums_whose_pieces_are_recorded_in_any_order() -> None:
    for seed in range(300):
        chance = random.Random(seed)  # noqa: S311  # a test's
        numbers = [chance.uniform(-2, 2) for _ in range(5)]

        def f(leaves: list[Value], seed: int = seed) -> Value:
            chance = random.Random(seed)  # noqa: S311  # a test's
            nodes = list(leaves)
            for _ in range(25):
                a, b = chance.choice(nodes[-8:]), chance.choice(nodes)
                nodes.append(a * b if chance.random() < 0.4 else a + b)
            return nodes[-1].tanh() + nodes[-2]

        leaves = [Value(0.1 * k) for k in range(5)]
        tape = Tape(f(leaves), leaves)
        assert same(interpreted(tape)(numbers), engine(f, numbers)), seed


def test_time_is_linear_in_the_length_of_a_chain_that_cannot_be_put_together() -> None:
    x = Value(1.0)
    shared = [x * x for _ in range(20_000)]
    products = [p * x for p in shared]
    marks = [p.tanh() for p in products[:1]]
    output = sum(a * b for a, b in zip(products, reversed(shared), strict=True)) + sum(products) + marks[0]
    assert len(fused(Tape(output, x).program).operations) < 100_000
