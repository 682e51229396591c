"""Native descents with an optimizer and samples: the numbers of nn.fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nn
from autograd import BranchChanged, Tape, Value

pytest.importorskip("llvmlite", reason="pip install llvmlite")
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(10, 3)), RNG.uniform(0.1, 0.9, size=(10, 1))
RATES = {"sgd": 0.1, "momentum": 0.02, "nesterov": 0.02, "rmsprop": 0.01, "adam": 0.05, "adamw": 0.05}


def network() -> tuple[Any, list[Value], list[Value]]:
    model = nn.MLP(3, [4, 1], rng=1)
    x, y = [Value(0.0) for _ in range(3)], Value(0.0)
    return model.loss([x], [[y]]), list(model.parameters()), [*x, y]


@pytest.mark.parametrize("batch_size", [None, 3])
@pytest.mark.parametrize("name", nn.OPTIMIZERS)
def test_the_numbers_are_those_of_fit(name: str, batch_size: int | None) -> None:
    loss, parameters, given = network()
    fast = Tape(loss, [*parameters, *given]).native()
    start = [node.data for node in fast.tape.inputs]
    samples = dict(zip(given, np.hstack([X, Y]).T, strict=True))
    optimizer = name if name in ("sgd", "momentum", "adam") else nn.OPTIMIZERS[name]
    options: dict[str, Any] = {"optimizer": optimizer, "weight_decay": 0.01, "samples": samples, "batch_size": batch_size}
    got = fast.descend(start, 40, RATES[name], rng=5, **options)
    reference = nn.MLP(3, [4, 1], rng=1)
    nn.fit(
        reference, X, Y, steps=40, learning_rate=RATES[name], optimizer=name, weight_decay=0.01, batch_size=batch_size, rng=5,
        reduction="mean",
    )  # fmt: skip
    assert got[: len(parameters)] == pytest.approx([p.data for p in reference.parameters()], rel=1e-12, abs=1e-12)
    assert got[len(parameters) :] == start[len(parameters) :]


def test_without_samples_and_with_an_object_that_has_settings() -> None:
    x = Value(1.0)
    fast = Tape(x**4, x).native()
    by_name = fast.descend([1.0], 20, 0.1, optimizer="adam")
    assert fast.descend([1.0], 20, 0.1, optimizer=nn.optimizer("adam")) == pytest.approx(by_name, rel=1e-12)
    assert fast.descend([1.0], 20, 0.1, optimizer=nn.optimizer("adam", beta1=0.5)) != pytest.approx(by_name, rel=1e-3)
    assert isinstance(fast.descend(np.ones(1), 20, 0.1, optimizer="momentum"), np.ndarray)


def test_branches_of_samples_are_checked() -> None:
    fast = Tape.record(lambda w, x: w * x if x > 0 else w - x, 1.0, 1.0).native()
    w, x = fast.tape.inputs
    with pytest.raises(BranchChanged):
        fast.descend([1.0, 0.0], 3, 0.1, samples={x: [1.0, -1.0]})
    assert fast.descend([1.0, 0.0], 3, 0.1, samples={x: [1.0, 2.0]})[0] == pytest.approx(1 - 0.45)
    assert w.data == 1.0


@pytest.mark.parametrize(
    ("options", "substance"),
    [
        ({"optimizer": "speed"}, "optimizer='speed'; give 'sgd', 'momentum', 'adam', or a record"),
        ({"samples": {Value(7.0): [1.0]}}, "is no input of the tape"),
        ({"samples": "both"}, r"arrays of \[\(2,\), \(3,\)\]"),
        ({"samples": "empty"}, r"arrays of \[\(0,\), \(0,\)\]"),
    ],
)
def test_what_cannot_be(options: dict[str, Any], substance: str) -> None:
    x, y = Value(1.0), Value(2.0)
    if options.get("samples") in ("both", "empty"):
        options = {"samples": {x: [1.0, 2.0], y: [1.0] * 3} if options["samples"] == "both" else {x: [], y: []}}
    with pytest.raises(ValueError, match=substance):
        Tape(x * y, [x, y]).native().descend([1.0, 2.0], 3, 0.1, **options)
