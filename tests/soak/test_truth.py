"""Random graphs over the whole table against mpmath at 50 digits and, where installed, PyTorch and JAX; and that it bites.

Some hundred graphs; `python tests/soak/truth.py 100000` looks at more.
"""

from __future__ import annotations

import random
from collections import Counter

import pytest
from programs import Program, Step
from rows import inside
from truth import PEERS, TINY, Truth, astray, drawn, look, truth

from autograd.operations import FLOATS, OPERATIONS

SEEDS = [f"suite {i}" for i in range(200)]
CHUNKS = pytest.mark.parametrize("seeds", [SEEDS[k::5] for k in range(5)], ids=range(5))


@CHUNKS
def test_values_and_gradients_are_those_of_50_digits(seeds: list[str]) -> None:
    assert [fault for seed in seeds for fault in look(seed)[2]] == []


@pytest.mark.parametrize("peer", PEERS)
def test_they_are_those_of_other_libraries(peer: str) -> None:
    pytest.importorskip(peer, reason=f"compared with {peer} where it is installed: pip install {peer}")
    tried, _, wrong = zip(*(look(seed, [peer]) for seed in SEEDS[:40]), strict=True)
    assert [fault for faults in wrong for fault in faults] == []
    assert sum(tried, Counter[str]())[f"with nan by {peer}"] < 8  # JAX has nan at 0**0, which is in a twelfth of all graphs


def test_the_graphs_have_every_row_are_deep_share_and_are_well_conditioned_half_of_the_time() -> None:
    found = [drawn(random.Random(seed)) for seed in SEEDS]  # noqa: S311  # no secret
    rows = Counter(step.name for program, _ in found for step in program.steps)
    assert rows.keys() == OPERATIONS.keys()
    assert max(len(program.steps) for program, _ in found) > 150
    assert any(len(set(at)) < len(at) for program, _ in found for at in program.operands)
    assert sum(truth(program, numbers).sharp for program, numbers in found[50:100]) > 20


def single(name: str, *numbers: float) -> Truth:
    """The truth of one operation."""
    places = [*range(len(numbers))[::-1], 0, 0, 0]
    return truth(Program(len(numbers), (), (Step(name, places[0], places[1], tuple(places[2:4])),)), numbers)


def test_a_kink_that_is_met_exactly_is_granted_nothing() -> None:
    x_minus_x = Step("sub", 0, 0)
    for name, slope in (("relu", 0), ("abs", 0)):
        assert single(name, 0.0) == Truth([0, slope], [0.0, TINY])
        assert truth(Program(1, (), (x_minus_x, Step(name, 0, 0))), [0.1]).excess([0.0, 1e-9]) > 1e9
    assert single("maximum", 0.1, 0.1).excess([0.1, 0.5, 0.5]) == 0
    assert single("maximum", 0.1, 0.1).excess([0.1, 1.0, 0.0]) > 1e9


def test_a_kink_that_rounding_decides_is_granted_both_sides() -> None:
    x_thrice = (Step("add", 1, 1), Step("add", 0, 2))  # 0.1 + 0.1 + 0.1 is not 0.3 in floats
    program = Program(1, (0.3,), (*x_thrice, Step("sub", 0, 2), Step("relu", 0, 0)))
    assert [truth(program, [0.1]).excess([5.6e-17, slope]) <= 1 for slope in (0.0, 3.0, 7.0)] == [True, True, False]


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("position", range(5))
def test_a_slight_error_of_a_row_is_seen(name: str, position: int) -> None:
    row = OPERATIONS[name]
    numbers = inside(row)
    out = row.forward(*numbers)
    found = [out, *row.partials(FLOATS, out, *numbers)]
    assert single(name, *numbers).excess(found) <= 1
    if position < len(found):
        found[position] += 1e-14 * max(1, abs(found[position]))
        assert single(name, *numbers).excess(found) > 1


def test_faults_of_wild_graphs_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    program, numbers = Program(1, (), (Step("exp", 0, 0), Step("add", 0, 0))), [1.0]
    assert astray(program, numbers) == []
    monkeypatch.setattr("truth._value", lambda name, at: 1.0)
    assert astray(program, numbers) == [
        "exp(1.0,) is 2.718281828459045",
        "add(2.718281828459045, 2.718281828459045) is 5.43656365691809",
    ]
    monkeypatch.undo()
    monkeypatch.setattr("truth._slopes", lambda name, out, at: [2.0] * len(at))
    assert astray(program, numbers)[0] == "slope 0 of exp(1.0,) is 2.718281828459045"
