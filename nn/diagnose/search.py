"""The search for the wrong parts that reproduce a backward pass's numbers.

Layer by layer from the outputs back: every delta that the layer may have used, stacked, how each of its gradients comes out
of it (`hits`), and the cheapest ways to explain both together; each explanation is carried on with what it says was sent
back. A wrong part costs about one, and is paid for once however many gradients it spoils. First come the mistakes that have
a name, alone and then two at once; then every formula of the grammar. What agrees on data set 0 is tried on all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from nn.arrays import Array
from nn.diagnose import parts
from nn.diagnose.explanations import UNEXPLAINED, Candidate, Cause, Filling, Hit, Sent, State, all_causes, cost, pair_cost, pairs
from nn.diagnose.formulas import evaluated
from nn.diagnose.gradients import CLOSE, Seen, squeezed
from nn.diagnose.network import Network, network
from nn.diagnose.parts import Layer
from nn.diagnose.problem import Problem
from nn.losses import Loss

SLACK = 1.2  # how much dearer than the cheapest an explanation may be before it is given up
KEPT = 10  # explanations carried from layer to layer
GUESSED = 1.3  # what a constant costs that nobody stated


class Stack(NamedTuple):
    """Deltas of a layer on data set 0: each is one of the errors with one of the slopes."""

    numbers: Array
    errors: list[int]
    slopes: list[int]


class Places(NamedTuple):
    """A layer, and what may stand in it."""

    layer: Layer
    errors: list[Filling]
    slopes: list[tuple[str, str, bool]]


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
        errors = list(parts.errors(layer, self.rates))
        places = Places(layer, errors, list(parts.slopes(layer)))
        right = Candidate((), self.net.D[number], self.net.E[number]) if state.after is None else self.candidate(places, 0, 0)
        hits: list[list[Hit]] = [list(self.of_right(layer, s, right)) for s in seen]

        def dear(limit: float) -> bool:
            return not all(hits) or pair_cost(pairs(hits)[0]) > limit

        for stage, limit in ((self.singles, 0.5), (self.doubles, 1.9), (self.lines_enumerated, 2.1), (self.enumerated, 2.1)):
            if dear(limit):
                for found, more in zip(hits, stage(places, right, seen), strict=True):
                    found += more
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
            scope = layer.full | {"d": right.delta}
            for mistake, formula in parts.lines(layer, part) if seen.readings[0].any() else ():
                try:
                    numbers = evaluated(formula, scope)
                except (ValueError, KeyError, NameError):
                    continue
                vanishes = mistake and np.abs(numbers).max(initial=0) <= 1e-12 * self.size
                if vanishes and any(squeezed(numbers.shape) == squeezed(r.shape) for r in seen.readings):
                    yield Hit((layer.cause(mistake, part, formula),), (), right, 1.0)

    def candidate(self, places: Places, e: int, s: int) -> Candidate:
        """The delta of one error and one slope, on all data sets."""
        error = places.errors[e]
        mistake, formula, _ = places.slopes[s]
        cause = (places.layer.cause(mistake, "slope", formula),) if mistake else ()
        delta = _sloped(places.layer.full, places.slopes[s], error.numbers)
        return Candidate((*error.causes, *cause), np.asarray(delta), error.numbers)

    def singles(self, places: Places, right: Candidate, seen: Sequence[Seen]) -> list[list[Hit]]:
        """One wrong part in the delta at most, and one in each line."""
        whole = list(parts.wholes(places.layer))
        found = [self.of_candidate(places.layer, right, seen)]
        E = np.stack([places.errors[0].numbers[0]])
        found.append(self.of_stack(places, _stack(places, E, range(1, len(places.slopes))), seen))
        E = np.stack([error.numbers[0] for error in places.errors])
        found.append(self.of_stack(places, _stack(places, E, (0,), skip=1 if right.causes == () else 0), seen))
        by_whole = [self.of_candidate(places.layer, Candidate(w.causes, w.numbers, self.net.E[places.layer.number]), seen) for w in whole]
        found = [found[0], *by_whole, *found[1:]] if self.net.loss.by_preactivation else [*found, *by_whole]
        return [[hit for hits in found for hit in hits[i]] for i in range(len(seen))]

    def doubles(self, places: Places, _right: Candidate, seen: Sequence[Seen]) -> list[list[Hit]]:
        """Two wrong parts in the delta."""
        if len(places.errors) < 2:
            return [[] for _ in seen]
        E = np.stack([error.numbers[0] for error in places.errors])
        return self.of_stack(places, _stack(places, E, range(1, len(places.slopes)), skip=1), seen)

    def of_candidate(self, layer: Layer, candidate: Candidate, seen: Sequence[Seen]) -> list[list[Hit]]:
        """How the gradients come out of this delta, by the lines that have a name."""
        if not np.isfinite(candidate.delta).all():
            return [[] for _ in seen]
        return [self.tested(layer, s, candidate.delta[:1], lambda _: candidate) for s in seen]

    def of_stack(self, places: Places, stack: Stack, seen: Sequence[Seen]) -> list[list[Hit]]:
        """How the gradients come out of these deltas."""
        made: dict[int, Candidate] = {}

        def make(i: int) -> Candidate:
            if i not in made:
                made[i] = self.candidate(places, stack.errors[i], stack.slopes[i])
            return made[i]

        return [self.tested(places.layer, s, stack.numbers, make) if len(stack.numbers) else [] for s in seen]

    def tested(self, layer: Layer, seen: Seen, deltas: Array, make: Any, few: bool = False) -> list[Hit]:
        """The lines, of those that have a name (few: of the likeliest), by which one of the deltas gives this gradient."""
        found: list[Hit] = []
        if np.abs(seen.readings[0]).max() <= 1e-12 * self.size:
            return found
        scope = layer.small | {"d": deltas}
        for mistake, formula in parts.lines(layer, seen.name[1]):
            if (mistake or seen.fits) and (not few or mistake in parts.LIKELY):
                try:
                    numbers = evaluated(formula, scope)
                except (ValueError, KeyError, NameError):
                    continue
                if len(numbers) != len(deltas) or not numbers.size:
                    continue
                for i, ratio in seen.hits(numbers, 2 if mistake else 1)[:40]:
                    candidate = make(i)
                    cause = (layer.cause(mistake, seen.name[1], formula),) if mistake else ()
                    found += self.confirmed(layer, seen, candidate, cause, formula, ratio)
        return found

    def confirmed(self, layer: Layer, seen: Seen, candidate: Candidate, cause: tuple[Cause, ...], formula: str, ratio: float) -> list[Hit]:
        """The hits of a line that agreed on data set 0, if it agrees on all."""
        numbers = evaluated(formula, layer.full | {"d": candidate.delta, "e": candidate.error})
        if not seen.equals(numbers, ratio, 2 if cause else 1):
            return []
        scale = ratio / self.problem.factor
        doubt = 1.0 if seen.name in self.correct and (candidate.causes or cause) else 0.0
        found = [Hit(cause, scaling, candidate, scale, doubt) for scaling in self.scalings(scale, layer.number)]
        return sorted(found, key=lambda hit: bool(hit.scaling))

    def lines_enumerated(self, places: Places, right: Candidate, seen: Sequence[Seen]) -> list[list[Hit]]:
        """Any formula in the lines of dW and db, from the right delta."""
        found: list[list[Hit]] = []
        for s in seen:
            part, layer, hits = s.name[1], places.layer, []
            if s.fits and s.name not in self.correct and s.readings[0].any():
                grown = parts.enumerated(layer, part, right.delta[0], right.error[0])
                for i, ratio in s.hits(grown.numbers, 1)[:12]:
                    formula = grown.text(i)
                    hits += self.confirmed(layer, s, right, (parts.unnamed(layer, part, formula),), formula, ratio)
            found.append(hits)
        return found

    def enumerated(self, places: Places, right: Candidate, seen: Sequence[Seen]) -> list[list[Hit]]:
        """Any formula in the slope, or in the error."""
        layer, found = places.layer, [list[Hit]() for _ in seen]
        for part in ("slope", "error" if layer.last else "back"):
            grown = parts.enumerated(layer, part, right.delta[0], right.error[0])
            for e in range(min(2, len(places.errors))) if part == "slope" else (0,):
                error = places.errors[e]
                if part == "slope":
                    deltas = error.numbers[0] * grown.numbers
                else:
                    deltas = _sloped(layer.small, places.slopes[0], grown.numbers)
                for hits, more in zip(found, self.of_grown(places, part, error, grown.text, deltas, seen), strict=True):
                    hits += more
        return found

    def of_grown(self, places: Places, part: str, error: Filling, text: Any, deltas: Array, seen: Sequence[Seen]) -> list[list[Hit]]:
        """How the gradients come out of deltas of which a part was enumerated."""
        layer, made = places.layer, dict[int, Candidate]()

        def make(i: int) -> Candidate:
            if i not in made:
                formula = text(i)
                cause = parts.unnamed(layer, part, formula)
                numbers = np.broadcast_to(evaluated(formula, layer.full | {"e": error.numbers}), error.numbers.shape)
                e = error.numbers if part == "slope" else numbers
                delta = e * numbers if part == "slope" else _sloped(layer.full, places.slopes[0], numbers)
                made[i] = Candidate((*(error.causes if part == "slope" else ()), cause), np.asarray(delta), e)
            return made[i]

        return [self.tested(layer, s, deltas, make, few=True) for s in seen]

    def scalings(self, ratio: float, number: int) -> list[tuple[Cause, ...]]:
        """The names of a factor, as few as possible; all that have the same number of them."""
        if abs(ratio - 1) <= CLOSE:
            return [()]
        for count in (1, 2, 3):
            named = []
            for choice in combinations(self.scales, count):
                if abs(np.prod([s[2] for s in choice]) / ratio - 1) <= CLOSE and _likely(choice):
                    named.append(tuple(Cause(name, number, "scale", text, price) for name, text, _, price in choice))
            if named:
                return named
        return [(Cause("wrong_scale", number, "scale", f"{ratio:.6g}", 2.0),)]

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
        sent.append((self.net.D[number], self.net.E[number], frozenset()))  # the mistakes may be in the lines of dW and db alone
        done: list[Array] = []
        by_gradient = (*state.by_gradient, *blamed)
        for delta, error, active in sent:
            if delta.shape == self.net.A[number].shape and not any(np.allclose(delta, d, CLOSE, 0) for d in done):
                done.append(delta)
                after, used = Sent(delta, error, gradient), (*state.used, delta)
                price = cost(causes) + sum(hit.doubt for hit in pair) / 2
                yield State(price, causes, by_gradient, after, active, state.rank + rank + (not active), used)


def _sloped(scope: dict[str, Any], slope: tuple[str, str, bool], e: Array) -> Array:
    """The deltas that come out of errors with that slope."""
    numbers = evaluated(slope[1], scope | {"e": e, "ef": e * scope["factor"]})
    return numbers * np.ones_like(e) if slope[2] else e * numbers


def _stack(places: Places, E: Array, which: Sequence[int], skip: int = 0) -> Stack:
    """The errors from `skip` on with these slopes, stacked, where the shapes and numbers allow it."""
    numbers, errors, slopes = [], list[int](), list[int]()
    for s in which:
        try:
            deltas = _sloped(places.layer.small, places.slopes[s], E[skip:])
        except ValueError:
            continue
        if deltas.shape == E[skip:].shape:
            good = np.flatnonzero(np.isfinite(deltas).all(axis=(1, 2)))
            numbers.append(deltas[good])
            errors += [int(i) + skip for i in good]
            slopes += [s] * len(good)
    return Stack(np.concatenate(numbers) if numbers else np.zeros((0, *E.shape[1:])), errors, slopes)


def _likely(choice: Sequence[tuple[str, str, float, float]]) -> bool:
    """Different factors, of which a guessed rate stands alone or beside a sign, and of three one is a sign."""
    names = [c[0] for c in choice]
    guessed = any(c[3] == GUESSED for c in choice)
    return len(set(names)) == len(names) and (len(names) - ("sign_flipped" in names) <= (1 if guessed else 2))


def scales(n: int, k: int, loss: Loss, reduction: str, learning_rate: float | None) -> Sequence[tuple[str, str, float, float]]:
    """Factors by which a right gradient may be off: name, text, number, cost; the likelier first."""
    found: list[tuple[str, str, float, float]] = [("sign_flipped", "-1", -1.0, 1.0)]
    if reduction in ("samples", "all"):
        found.append(("missing_1_over_n", "n", float(n), 1.0))
    if reduction in ("outputs", "all") and k > 1:
        found.append(("missing_1_over_k", "k", float(k), 1.0))
    half = ("missing_factor_2", "1/2", 0.5, 1.0)
    doubled = not loss.by_preactivation and float(loss.error(np.array(0.5), np.array(0.0))) == 1.0  # as 2 * (a - y) is
    found += [half] * doubled
    found += [("extra_factor_2", "2", 2.0, 1.0), ("extra_factor_4", "4", 4.0, 1.0), ("extra_1_over_n", "1/n", 1 / n, 1.0)]
    found += [half] * (not doubled)
    if learning_rate is None:
        found += [("learning_rate_folded", f"{rate:g}", rate, GUESSED) for rate in (0.1, 0.01, 0.001, 0.05, 0.3)]
    elif learning_rate != 1:
        found.append(("learning_rate_folded", f"{learning_rate:g}", learning_rate, 1.0))
    found += [("extra_1_over_k", "1/k", 1 / k, 1.1), ("extra_factor_n", "n", float(n), 1.1), ("extra_factor_k", "k", float(k), 1.1)]
    return [scale for scale in found if scale[2] != 1]
