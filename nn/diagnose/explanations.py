"""What a search is made of: causes, the candidates and hits that they lead to, and the explanations that they make up."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

from nn.arrays import Array
from nn.diagnose.lines import Sent


class Cause(NamedTuple):
    """A wrong part."""

    mistake: str
    layer: int
    part: str
    used: str


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


class State(NamedTuple):
    """An explanation of the layers so far: what it blames, for each gradient, and what it sends back."""

    cost: float
    causes: frozenset[Cause]
    by_gradient: tuple[tuple[str, frozenset[Cause]], ...]
    after: Sent | None
    active: frozenset[Cause]
    rank: int
    used: tuple[Array, ...] = ()


DEPTH = ("error", "back", "delta", "slope", "scale", "W", "b")  # the parts of a layer, the deepest cause first
RARE = dict.fromkeys(
    ("extra_1_over_k", "extra_factor_n", "extra_factor_k", "input_of_wrong_layer", "weight_gradient_zero"), 1.1
)
COSTS = {"unexplained": 5.0, "wrong_scale": 2.0, **RARE}


def cost(causes: frozenset[Cause] | tuple[Cause, ...]) -> float:
    """What an explanation by these causes costs: about one for each."""
    return sum(COSTS.get(cause.mistake, 1) for cause in causes)


def all_causes(hit: Hit) -> tuple[Cause, ...]:
    """What a hit blames, from the delta to the factor."""
    return (*hit.candidate.causes, *hit.causes, *hit.scaling)


def pairs(hits: list[list[Hit]]) -> list[tuple[Hit, ...]]:
    """Ways to explain the gradients of one layer together, cheapest first; a cause that they share counts once."""
    cheap = [sorted(h, key=lambda hit: cost(all_causes(hit)))[:30] for h in hits]
    return sorted(product(*cheap), key=pair_cost)[:12]


def pair_cost(pair: tuple[Hit, ...]) -> float:
    """What the causes of these hits cost together."""
    return cost(frozenset(cause for hit in pair for cause in all_causes(hit)))
