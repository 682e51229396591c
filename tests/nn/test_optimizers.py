"""The optimizers against their formulas written out again, number by number, and against PyTorch where it is installed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import nn
from autograd import Value
from nn.optimizers import OPTIMIZERS, SCHEDULES

STEPS = 1000


def longhand(name: str, p: list[float], gradients: Any, rate: float, decay: float) -> list[float]:
    """Each parameter alone, on Python's floats, as the papers have it."""
    found = []
    for i, start in enumerate(p):
        x = start
        velocity = square = first = second = 0.0
        for t, row in enumerate(gradients, 1):
            g = float(row[i])
            if name == "adamw":
                x *= 1 - rate * decay
            else:
                g += decay * x
            if name == "sgd":
                x -= rate * g
            elif name in ("momentum", "nesterov"):
                velocity = 0.9 * velocity + g
                x -= rate * (velocity if name == "momentum" else g + 0.9 * velocity)
            elif name == "rmsprop":
                square = 0.99 * square + 0.01 * g * g
                x -= rate * g / (math.sqrt(square) + 1e-8)
            else:
                first = 0.9 * first + 0.1 * g
                second = 0.999 * second + 0.001 * g * g
                x -= rate * (first / (1 - 0.9**t)) / (math.sqrt(second / (1 - 0.999**t)) + 1e-8)
        found.append(x)
    return found


def walked(name: str, p: list[float], gradients: Any, **settings: float) -> list[float]:
    values, by = [Value(x) for x in p], nn.optimizer(name, **settings)
    for row in gradients:
        for v, g in zip(values, row, strict=True):
            v.grad = float(g)
        by.step(values)
    return [v.data for v in values]


@pytest.mark.parametrize("decay", [0.0, 0.01])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_thousand_steps_are_those_of_the_formulas(name: str, decay: float) -> None:
    numbers = np.random.default_rng(0)
    p, gradients = numbers.normal(size=5).tolist(), numbers.normal(size=(STEPS, 5)) * [1, 1e-3, 1e3, 0, 1]
    found = walked(name, p, gradients, learning_rate=1e-3, weight_decay=decay)
    assert found == pytest.approx(longhand(name, p, gradients, 1e-3, decay), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_thousand_steps_are_those_of_torch(name: str) -> None:
    torch = pytest.importorskip("torch")
    numbers = np.random.default_rng(1)
    p, gradients = numbers.normal(size=5), numbers.normal(size=(STEPS, 5))
    theirs = torch.tensor(p, dtype=torch.float64, requires_grad=True)
    kinds = {"sgd": torch.optim.SGD, "rmsprop": torch.optim.RMSprop, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    momentum = {"momentum": {"momentum": 0.9}, "nesterov": {"momentum": 0.9, "nesterov": True}}.get(name, {})
    optimizer = kinds.get(name, torch.optim.SGD)([theirs], lr=1e-2, **momentum)
    for row in gradients:
        theirs.grad = torch.tensor(row)
        optimizer.step()
    assert walked(name, p.tolist(), gradients, learning_rate=1e-2) == pytest.approx(theirs.tolist(), rel=1e-12)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_fit_takes_the_steps_of_the_optimizer(name: str) -> None:
    numbers = np.random.default_rng(2)
    X, Y = numbers.normal(size=(7, 3)), numbers.normal(size=(7, 2))
    fast, slow = (nn.MLP(3, [4, 2], "tanh", rng=0) for _ in range(2))
    by = nn.optimizer(name, learning_rate=0.01, weight_decay=0.02)
    nn.fit(fast, X, Y, 30, optimizer=by)
    for _ in range(30):
        slow.zero_grad()
        slow.loss(X, Y).backward()
        by.step(slow.parameters())
    assert [p.data for p in fast.parameters()] == pytest.approx([p.data for p in slow.parameters()], rel=1e-11)


def test_formulas_are_plain_arithmetic() -> None:
    for record in OPTIMIZERS.values():
        state = tuple(0.0 for _ in record.state)
        numbers, after = record.update(2.0, 0.5, state, 1, record.settings)
        values, _ = record.update(Value(2.0), Value(0.5), state, 1, record.settings)
        assert values.data == pytest.approx(numbers, rel=1e-15)
        assert len(after) == len(record.state)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(TypeError, match="sgd has no setting 'beta1'; it has learning_rate, weight_decay"):
        nn.optimizer("sgd", beta1=0.5)
    with pytest.raises(ValueError, match=r"beta2=1\.0 has to be 0 or more, and below 1"):
        nn.optimizer("adam", beta2=1)
    by = nn.optimizer("adam")
    with pytest.raises(TypeError, match=r"step: 3\.0 is a float; give Values, as model\.parameters\(\)"):
        by.step([3.0])  # type: ignore[list-item]  # the mistake that is tested
    by.step([Value(1.0)])
    with pytest.raises(ValueError, match="got 2 parameters, and 1 before; make an optimizer for each model"):
        by.step([Value(1.0), Value(2.0)])


def test_schedules_begin_at_the_rate_and_end_at_zero() -> None:
    for name, factor in SCHEDULES.items():
        assert (factor(0.0), factor(0.5)) == pytest.approx((1, 0.5)), name
        assert factor(1.0) == pytest.approx(0, abs=1e-15)
