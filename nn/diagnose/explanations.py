"""What a search is made of: causes, the candidates and hits that they lead to, and the explanations that they make up."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

from nn.arrays import Array


class Cause(NamedTuple):
    """A wrong part, and the formula that stands there; `cost` is about one, and more where it is less likely."""

    mistake: str
    layer: int
    part: str
    used: str
    cost: float = 1.0


class Filling(NamedTuple):
    """What may stand in a part: its causes (none if it is right), its formula, its numbers on all data sets."""

    causes: tuple[Cause, ...]
    formula: str
    numbers: Array


class Sent(NamedTuple):
    """What an explanation says of the layer after: the delta it used, the error before its slope, its weight gradient."""

    delta: Array
    error: Array
    gradient: Array | None


class Candidate(NamedTuple):
    """A delta of one layer, and the wrong parts that lead to it."""

    causes: tuple[Cause, ...]
    delta: Array
    error: Array


class Hit(NamedTuple):
    """A candidate with which one gradient comes out, after these further causes; `scale` is the factor among them."""

    causes: tuple[Cause, ...]
    scaling: tuple[Cause, ...]
    candidate: Candidate
    scale: float
    doubt: float = 0.0


class State(NamedTuple):
    """An explanation of the layers so far: what it blames, for each gradient, and what it sends back."""

    cost: float
    causes: frozenset[Cause]
    by_gradient: tuple[tuple[str, frozenset[Cause]], ...]
    after: Sent | None
    active: frozenset[Cause]
    rank: float
    used: tuple[Array, ...] = ()


DEPTH = ("error", "back", "delta", "slope", "scale", "W", "b", "penalty")  # the parts of a layer, the deepest cause first
UNEXPLAINED = 5.0  # what a gradient costs that comes out of nothing


def cost(causes: frozenset[Cause] | tuple[Cause, ...]) -> float:
    """What an explanation by these causes costs: about one for each."""
    return sum(cause.cost for cause in causes)


def all_causes(hit: Hit) -> tuple[Cause, ...]:
    """What a hit blames, from the delta to the factor."""
    return (*hit.candidate.causes, *hit.causes, *hit.scaling)


def pairs(hits: list[list[Hit]]) -> list[tuple[Hit, ...]]:
    """Ways to explain the gradients of one layer together, cheapest first; a cause that they share counts once."""
    cheap = [sorted(h, key=lambda hit: cost(all_causes(hit)) + hit.doubt)[:30] for h in hits]
    return sorted(product(*cheap), key=pair_cost)[:12]


def pair_cost(pair: tuple[Hit, ...]) -> float:
    """What the causes of these hits cost together."""
    return cost(frozenset(cause for hit in pair for cause in all_causes(hit))) + sum(hit.doubt for hit in pair)
