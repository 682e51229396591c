"""The search for the wrong parts that reproduce a backward pass's numbers.

Layer by layer from the outputs back: every delta that the layer may have used, stacked, how each of its gradients comes out
of it (`hits`), and the cheapest ways to explain both together; each explanation is carried on with what it says was sent
back. A wrong part costs about one, and is paid for once however many gradients it spoils. First come the mistakes that have
a name, alone and then two at once; then every formula of the grammar. What agrees on data set 0 is tried on all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from nn.arrays import Array
from nn.diagnose import parts
from nn.diagnose.explanations import (
    UNEXPLAINED,
    Candidate,
    Cause,
    Filling,
    Hit,
    Sent,
    State,
    all_causes,
    cost,
    pair_cost,
    pairs,
)
from nn.diagnose.formulas import Terms, evaluated, tried
from nn.diagnose.gradients import CLOSE, Seen, squeezed
from nn.diagnose.network import Network, network
from nn.diagnose.parts import Layer
from nn.diagnose.problem import Problem
from nn.diagnose.scales import scales, scalings

SLACK = 1.2  # how much dearer than the cheapest an explanation may be before it is given up
KEPT = 10  # explanations carried from layer to layer


Stack = tuple[Array, Callable[[int], Candidate], Callable[[str], Any]]  # deltas on data set 0, what each is, lines to try


class Places(NamedTuple):
    """A layer, and what may stand in it."""

    layer: Layer
    errors: list[Filling]
    slopes: list[tuple[str, str, bool]]

    def candidate(self, e: int, s: int) -> Candidate:
        """The delta of one error and one slope, on all data sets."""
        error, (mistake, formula, _) = self.errors[e], self.slopes[s]
        cause = (self.layer.cause(mistake, "slope", formula),) if mistake else ()
        return Candidate((*error.causes, *cause), sloped(self.layer.full, self.slopes[s], error.numbers), error.numbers)

    def stack(self, errors: Sequence[Filling], skipped: int, which: Sequence[int]) -> Stack:
        """These errors with these slopes, where the shapes and numbers allow it."""
        E = np.stack([error.numbers[0] for error in errors]) if errors else np.zeros((0, *self.layer.small["a"].shape))
        numbers, origin = [E[:0]], list[tuple[int, int]]()
        for s in which:
            with suppress(ValueError):
                deltas = sloped(self.layer.small, self.slopes[s], E)
                if deltas.shape == E.shape:
                    good = np.flatnonzero(np.isfinite(deltas).all(axis=(1, 2)))
                    numbers.append(deltas[good])
                    origin += [(int(i) + skipped, s) for i in good]
        return np.concatenate(numbers), lambda i: self.candidate(*origin[i]), partial(parts.lines, self.layer)


def _same(candidate: Candidate, _: int) -> Candidate:
    return candidate


def sloped(scope: dict[str, Any], slope: tuple[str, str, bool], e: Array) -> Array:
    """The deltas that come out of errors with that slope."""
    numbers = evaluated(slope[1], scope | {"e": e, "ef": e * scope["factor"]})
    return np.asarray(numbers * np.ones_like(e) if slope[2] else e * numbers)


class Search:
    """The gradients that were returned, the network that they should belong to, and the search for what explains them."""

    def __init__(self, problem: Problem, X: Array, Y: Array, seen: dict[str, Seen]) -> None:
        self.problem, self.seen = problem, seen
        self.net: Network = network(problem.W, problem.b, X, Y, problem.activations, problem.loss, problem.factor)
        self.size = max(float(np.abs(reading).max()) for s in seen.values() for reading in s.readings)
        n, k = problem.Y.shape
        self.scales = scales(n, k, problem.loss, problem.reduction, problem.learning_rate)
        self.factors = {name: value for name, _, value, _ in self.scales}
        self.correct = {name for name in seen if self.right(name)}
        rate = problem.learning_rate
        self.rates = (rate,) if rate is not None else (1.0, 0.5, 0.1, 0.05, 0.01, 0.001)
        self.known: dict[Any, Any] = {}

    def right(self, name: str) -> bool:
        """Whether that gradient is what it should be."""
        found, exact = self.seen[name], self.exact(name)
        return found.fits and bool(np.abs(found.readings[0] - exact).max() <= CLOSE * max(np.abs(exact).max(), 1e-300))

    def exact(self, name: str) -> Array:
        """The right gradient, on every data set."""
        l = int(name[2:])
        d = self.net.D[l]
        return (self.net.A[l - 1].swapaxes(-1, -2) @ d if name[1] == "W" else d.sum(axis=-2)) * self.problem.factor

    def best(self) -> list[State]:
        """The cheapest explanations of all layers together, the preferred one first."""
        states = [State(0, frozenset(), (), None, frozenset(), 0)]
        for number in range(self.net.depth, 0, -1):
            grown: list[State] = []
            cheapest = np.inf
            for state in states:
                if state.cost <= cheapest + SLACK:
                    grown += self.explain(state, number)
                    cheapest = min([cheapest, *(new.cost for new in grown)])
            unique: dict[Any, State] = {}
            for state in sorted(grown, key=lambda s: (s.cost, s.rank)):
                sent = state.after.delta.ravel()[:3].round(12).tolist() if state.after else None
                names = frozenset((cause.mistake, cause.layer, cause.part) for cause in state.causes)
                unique.setdefault((names, str(sent)), state)
            states = [s for s in unique.values() if s.cost <= cheapest + SLACK][:KEPT]
        return [state for state in states if state.cost <= states[0].cost + 0.05]

    def explain(self, state: State, number: int) -> Iterator[State]:
        """The state with one more layer, in every way that may be the cheapest in the end."""
        seen = [self.seen[name] for name in (f"dW{number}", f"db{number}") if name in self.seen]
        if all(s.name in self.correct for s in seen):
            yield from self.extended(state, number, seen, (), 0)
            return
        key = number, *((state.after.delta.tobytes(), state.after.error.tobytes()) if state.after else ()), len(state.used)
        if key not in self.known:
            self.known[key] = pairs(self.layer_hits(state, number, seen))
        for rank, pair in enumerate(self.known[key]):
            yield from self.extended(state, number, seen, pair, rank)

    def layer_hits(self, state: State, number: int, seen: Sequence[Seen]) -> list[list[Hit]]:
        """How each gradient of the layer comes out, in stages: a stage is left out where those before it were cheap."""
        layer = parts.layer_of(self.net, number, self.problem.b, state.after, state.used[-2::-1])
        places = Places(layer, list(parts.errors(layer, self.rates)), list(parts.slopes(layer)))
        right = Candidate((), self.net.D[number], self.net.E[number]) if state.after is None else places.candidate(0, 0)
        hits: list[list[Hit]] = [list(self.of_right(layer, s, right)) for s in seen]
        for stage, limit in ((self.singles, 0.5), (self.doubles, 1.9), (self.lines_enumerated, 2.1), (self.enumerated, 2.1)):
            if all(hits) and pair_cost(pairs(hits)[0]) <= limit:
                continue
            for deltas, make, lines in stage(places, right):
                for i, s in enumerate(seen):
                    hits[i] += self.tested(layer, s, deltas, make, lines(s.name[1]))
        for s, found in zip(seen, hits, strict=True):
            if not found:
                found.append(Hit((Cause("unexplained", number, s.name[1], "", UNEXPLAINED),), (), right, 1.0))
        return hits

    def of_right(self, layer: Layer, seen: Seen, right: Candidate) -> Iterator[Hit]:
        """A gradient that is right, or zero."""
        if seen.name in self.correct:
            yield Hit((), (), right, 1.0)
        elif np.abs(seen.readings[0]).max() <= 1e-12 * self.size:
            part = seen.name[1]
            nothing = "weight_gradient_zero" if part == "W" else "bias_gradient_zero"
            if not right.delta.any() and seen.fits:
                yield Hit((), (), right, 1.0)
            yield Hit((layer.cause(nothing, part, "0"),), (), right, 1.0)
            for mistake, formula in parts.lines(layer, part) if seen.readings[0].any() else ():
                numbers = tried(formula, layer.full | {"d": right.delta})
                if numbers is None or not mistake or np.abs(numbers).max(initial=0) > 1e-12 * self.size:
                    continue
                if any(squeezed(numbers.shape) == squeezed(r.shape) for r in seen.readings):
                    yield Hit((layer.cause(mistake, part, formula),), (), right, 1.0)

    def singles(self, places: Places, right: Candidate) -> Iterator[Stack]:
        """One wrong part in the delta at most, and one in each line."""
        layer, slopes = places.layer, range(1, len(places.slopes))
        whole = [Candidate(w.causes, w.numbers, self.net.E[layer.number]) for w in parts.wholes(layer)]
        alone: list[Stack] = [
            (c.delta[:1], partial(_same, c), partial(parts.lines, layer)) for c in (right, *whole) if np.isfinite(c.delta).all()
        ]
        both = [places.stack(places.errors[:1], 0, slopes), places.stack(places.errors[1:], 1, (0,))]
        yield from [*alone, *both] if self.net.loss.by_preactivation else [*alone[:1], *both, *alone[1:]]

    def doubles(self, places: Places, _right: Candidate) -> Iterator[Stack]:
        """Two wrong parts in the delta."""
        yield places.stack(places.errors[1:], 1, range(1, len(places.slopes)))

    def lines_enumerated(self, places: Places, right: Candidate) -> Iterator[Stack]:
        """Any formula in the lines of dW and db, from the right delta."""
        grown = {kind: parts.enumerated(places.layer, kind, right.delta[0], right.error[0]) for kind in "Wb"}
        yield right.delta[:1], lambda _: right, grown.__getitem__

    def enumerated(self, places: Places, right: Candidate) -> Iterator[Stack]:
        """Any formula in the slope, or in the error."""
        layer = places.layer
        for part, error in (*(("slope", e) for e in places.errors[:2]), ("error" if layer.last else "back", places.errors[0])):
            key = "grown", layer.number, part, right.delta.tobytes() if part == "back" else b""
            if key not in self.known:
                self.known[key] = parts.enumerated(layer, part, right.delta[0], right.error[0])
            grown = self.known[key]
            slope = part == "slope"
            deltas = error.numbers[0] * grown.numbers if slope else sloped(layer.small, places.slopes[0], grown.numbers)

            def make(i: int, part: str = part, error: Filling = error, grown: Terms = grown, slope: bool = slope) -> Candidate:
                cause = parts.unnamed(layer, part, grown.text(i))
                found = evaluated(grown.text(i), layer.full | {"e": error.numbers})
                numbers = np.broadcast_to(found, error.numbers.shape)
                if slope:
                    return Candidate((*error.causes, cause), error.numbers * numbers, error.numbers)
                return Candidate((cause,), sloped(layer.full, places.slopes[0], numbers), numbers)

            yield deltas, make, lambda kind: [row for row in parts.lines(layer, kind) if row[0] in parts.LIKELY]

    def tested(self, layer: Layer, seen: Seen, deltas: Array, make: Any, lines: Any) -> list[Hit]:
        """The hits of the lines, which are rows of mistake and formula, or enumerated, with one of the deltas."""
        found: list[Hit] = []
        if np.abs(seen.readings[0]).max() <= 1e-12 * self.size or not len(deltas):
            return found
        if isinstance(lines, Terms):
            if seen.fits and seen.name not in self.correct:
                for i, ratio in seen.hits(lines.numbers, 1)[:12]:
                    blame = (parts.unnamed(layer, seen.name[1], lines.text(i)),)
                    found += self.confirmed(layer, seen, make(0), blame, lines.text(i), ratio)
            return found
        deltas = deltas[: 4 * parts.LIMIT // max(layer.small["W"].size, deltas[0].size)]  # of large layers the likeliest alone
        scope, make = layer.small | {"d": deltas}, cache(make)
        for mistake, formula in lines:
            numbers = tried(formula, scope) if mistake or seen.fits else None
            if numbers is not None and numbers.size and len(numbers) == len(deltas):
                for i, ratio in seen.hits(numbers, 2 if mistake else 1)[:40]:
                    cause = (layer.cause(mistake, seen.name[1], formula),) if mistake else ()
                    found += self.confirmed(layer, seen, make(i), cause, formula, ratio)
        return found

    def confirmed(
        self, layer: Layer, seen: Seen, candidate: Candidate, cause: tuple[Cause, ...], formula: str, ratio: float
    ) -> list[Hit]:
        """The hits of a line that agreed on data set 0, if it agrees on all."""
        numbers = evaluated(formula, layer.full | {"d": candidate.delta, "e": candidate.error})
        if not seen.equals(numbers, ratio, 2 if cause else 1):
            return []
        scale = ratio / self.problem.factor
        doubt = 1.0 if seen.name in self.correct and (candidate.causes or cause) else 0.0
        found = [Hit(cause, scaling, candidate, scale, doubt) for scaling in scalings(self.scales, scale, layer.number)]
        return sorted(found, key=lambda hit: bool(hit.scaling))

    def extended(self, state: State, number: int, seen: Sequence[Seen], pair: tuple[Hit, ...], rank: int) -> Iterator[State]:
        """The state after one way to explain a layer, once for each delta that it may have sent back."""
        blamed = tuple((s.name, state.active | frozenset(all_causes(hit))) for s, hit in zip(seen, pair, strict=False))
        causes = state.causes.union(*(all_causes(hit) for hit in pair))
        first = self.seen.get(f"dW{number}")
        gradient = first.readings[0] if first is not None and first.fits else None
        sent: list[tuple[Array, Array, frozenset[Cause]]] = []
        for hit in pair:
            c = hit.candidate
            sent.append((c.delta * hit.scale, c.error * hit.scale, state.active.union(c.causes, hit.scaling)))
            sent.append((c.delta, c.error, state.active.union(c.causes)))
            for one in hit.scaling if len(hit.scaling) > 1 else ():  # one factor stood in delta, the other in the line below
                factor = self.factors[one.mistake]
                sent.append((c.delta * factor, c.error * factor, state.active.union(c.causes, (one,))))
        sent.append(
            (self.net.D[number], self.net.E[number], frozenset())
        )  # the mistakes may be in the lines of dW and db alone
        done: list[Array] = []
        by_gradient = (*state.by_gradient, *blamed)
        for delta, error, active in sent:
            if delta.shape == self.net.A[number].shape and not any(np.allclose(delta, d, CLOSE, 0) for d in done):
                done.append(delta)
                after, used = Sent(delta, error, gradient), (*state.used, delta)
                price = cost(causes) + sum(hit.doubt for hit in pair) / 2
                yield State(price, causes, by_gradient, after, active, state.rank + rank + (not active), used)
