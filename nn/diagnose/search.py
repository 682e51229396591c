"""The search for the wrong parts that reproduce a backward pass's numbers.

Layer by layer from the outputs back: every delta that the layer may have used (`candidates`), how each of its gradients
comes out of it (`hits`), and the cheapest ways to explain both together; each explanation is carried on with what it says
was sent back. A wrong part costs one, and is paid for once however many gradients it spoils. Of all explanations only the
cheapest few are carried on, which keeps a search through thousands of them short.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from nn.arrays import Array
from nn.diagnose import fillings, lines
from nn.diagnose.explanations import Candidate, Cause, Hit, State, all_causes, cost, pair_cost, pairs
from nn.diagnose.fillings import Filling
from nn.diagnose.gradients import CLOSE, Seen, squeezed
from nn.diagnose.lines import Sent
from nn.diagnose.network import Network, network
from nn.diagnose.problem import Problem

SLACK = 1.2  # how much dearer than the cheapest an explanation may be before it is given up
KEPT = 12  # explanations carried from layer to layer


class Search:
    """The gradients that were returned, the network that they should belong to, and the search for what explains them."""

    def __init__(self, problem: Problem, data: Sequence[tuple[Array, Array]], seen: dict[str, Seen]) -> None:
        self.problem, self.seen = problem, seen
        X, Y = (np.stack(arrays) for arrays in zip(*data, strict=True))
        self.net: Network = network(problem.W, problem.b, X, Y, problem.activations, problem.loss, problem.factor)
        self.size = max(float(np.abs(reading).max()) for s in seen.values() for reading in s.readings)
        n, k = problem.Y.shape
        self.scales = lines.scales(n, k, problem.loss, problem.reduction, problem.learning_rate)
        rate = problem.learning_rate
        self.factors = {name: value for name, _, value in self.scales}
        self.correct = {name for name in seen if self.right(name)}
        self.rates = (rate,) if rate is not None else (1.0, 0.5, 0.1, 0.05, 0.01, 0.001)

    def right(self, name: str) -> bool:
        """Whether that gradient is what it should be."""
        found, exact = self.seen[name], self.exact(name)
        return found.fits and bool(np.abs(found.readings[0] - exact).max() <= CLOSE * max(np.abs(exact).max(), 1e-300))

    def exact(self, name: str) -> Array:
        """The right gradient, on every data set."""
        return next(self.fillings(name, self.net.D[int(name[2:])])).numbers * self.problem.factor

    def fillings(self, name: str, delta: Array) -> Iterator[Filling]:
        """What may stand in the line of that gradient, the right thing first."""
        of_layer = lines.weight_gradients if name[1] == "W" else lines.bias_gradients
        return of_layer(self.net, int(name[2:]), delta)

    def best(self) -> list[State]:
        """The cheapest explanations of all layers together, the preferred one first."""
        states = [State(0, frozenset(), (), None, frozenset(), 0)]
        for layer in range(self.net.depth, 0, -1):
            grown: list[State] = []
            cheapest = np.inf
            for state in states:
                grown += self.explain(state, layer, cheapest + SLACK - state.cost)
                cheapest = min([cheapest, *(new.cost for new in grown)])
            unique: dict[Any, State] = {}
            for state in sorted(grown, key=lambda s: (s.cost, s.rank)):
                sent = state.after.delta.ravel()[:3].round(12).tolist() if state.after else None
                names = frozenset((cause.mistake, cause.layer, cause.part) for cause in state.causes)
                unique.setdefault((names, str(sent)), state)
            states = [s for s in unique.values() if s.cost <= cheapest + SLACK][:KEPT]
        return [state for state in states if state.cost == states[0].cost]

    def candidates(self, state: State, layer: int) -> list[Candidate]:
        """Every delta that the layer may have used, fewest wrong parts first, then the likelier."""
        net, shape = self.net, self.net.A[layer].shape
        found = []
        if state.after is None:
            errors, whole = fillings.errors(net), list(fillings.whole_deltas(net))
            found.append(Candidate((), net.D[layer], net.E[layer]))
        else:
            later = state.used[-2::-1]
            errors = lines.sent_back(net, layer, state.after, later, self.rates)
            used = [(layer + 1, state.after.delta), *enumerate(later, layer + 2)]
            whole = [Filling("delta_of_wrong_layer", f"delta{i}", delta) for i, delta in used]
        whole += [Filling("delta_of_wrong_layer", f"delta{i}", net.D[i]) for i in range(layer - 1, 0, -1)]
        wholes = [Candidate((Cause(f.mistake, layer, "delta", f.formula),), f.numbers, net.E[layer]) for f in whole]
        if net.loss.by_preactivation:
            found += wholes
        for e in errors:
            if e.numbers.shape == shape:
                blame = (Cause(e.mistake, layer, "back" if state.after else "error", e.formula),) if e.mistake else ()
                found += self.sloped(layer, e, blame, skip_right=state.after is None and not blame)
        if not net.loss.by_preactivation:
            found += wholes
        return sorted((c for c in found if np.isfinite(c.delta).all()), key=lambda c: len(c.causes))

    def sloped(self, layer: int, e: Filling, blame: tuple[Cause, ...], skip_right: bool) -> Iterator[Candidate]:
        """The deltas that come out of one error."""
        for s in (*fillings.slopes(self.net, layer, e.numbers), *fillings.matrix_slopes(self.net, layer, e.numbers)):
            if s.mistake or not skip_right:
                causes = (*blame, Cause(s.mistake, layer, "slope", s.formula)) if s.mistake else blame
                yield Candidate(causes, s.numbers, e.numbers)

    def hits(self, seen: Seen, candidate: Candidate, layer: int) -> Iterator[Hit]:
        """How the gradient comes out of this delta."""
        found: list[Hit] = []
        for filling in self.fillings(seen.name, candidate.delta):
            if not filling.numbers.size or (not filling.mistake and not seen.fits):
                continue
            ratio = seen.ratio(filling.numbers, 2 if filling.mistake else 1)
            if ratio is None:
                continue
            causes = (Cause(filling.mistake, layer, seen.name[1], filling.formula),) if filling.mistake else ()
            scale = ratio / self.problem.factor
            found += [Hit(causes, scaling, candidate, scale) for scaling in self.scalings(scale, layer)]
        yield from sorted(found, key=lambda hit: bool(hit.scaling))  # a mean of biases before a sum with a factor 1/n

    def scalings(self, ratio: float, layer: int) -> Iterator[tuple[Cause, ...]]:
        """The names of a factor, as few as possible; all that have the same number of them."""
        if abs(ratio - 1) <= CLOSE:
            yield ()
            return
        for count in (1, 2, 3):
            named = False
            for choice in product(self.scales, repeat=count):
                names = [scale[0] for scale in choice]
                if (
                    names == sorted(names)
                    and len(set(names)) == count
                    and abs(np.prod([s[2] for s in choice]) / ratio - 1) <= CLOSE
                ):
                    named = True
                    yield tuple(Cause(name, layer, "scale", text) for name, text, _ in choice)
            if named:
                return
        yield (Cause("wrong_scale", layer, "scale", f"{ratio:.6g}"),)

    def explain(self, state: State, layer: int, limit: float) -> Iterator[State]:
        """The state with one more layer, in every way that may be the cheapest in the end and adds at most `limit`."""
        seen = [self.seen[name] for name in (f"dW{layer}", f"db{layer}") if name in self.seen]
        if all(s.name in self.correct for s in seen):
            yield from self.extended(state, layer, seen, (), 0)
            return
        hits: list[list[Hit]] = [[] for _ in seen]
        candidates = self.candidates(state, layer)
        zero = [np.abs(s.readings[0]).max() <= 1e-12 * self.size for s in seen]
        for i, s in enumerate(seen):
            if zero[i]:
                hits[i] = list(self.zero_hits(s, candidates[0], layer))
        bound = limit
        for candidate in candidates:
            if len(candidate.causes) > bound:
                break
            before = sum(map(len, hits))
            for i, s in enumerate(seen):
                if not zero[i]:
                    hits[i] += self.hits(s, candidate, layer)
                elif candidate.causes and not candidate.delta.any():
                    hits[i].append(Hit((), (), candidate, 1.0))
            if all(hits) and sum(map(len, hits)) > before:
                bound = min(bound, pair_cost(pairs(hits)[0]))
        for i, s in enumerate(seen):
            if not hits[i]:
                hits[i].append(Hit((Cause("unexplained", layer, s.name[1], ""),), (), candidates[0], 1.0))
        for rank, pair in enumerate(pairs(hits)):
            yield from self.extended(state, layer, seen, pair, rank)

    def zero_hits(self, seen: Seen, candidate: Candidate, layer: int) -> Iterator[Hit]:
        """How the gradient comes out as zero: by being right, or by being a sum that vanishes, or by being set to zero."""
        nothing = Filling("weight_gradient_zero" if seen.name[1] == "W" else "bias_gradient_zero", "0", np.zeros(1))
        for filling in (*self.fillings(seen.name, candidate.delta), nothing):
            shaped = filling.formula == "0" or any(squeezed(filling.numbers.shape) == shape for shape, *_ in seen.flat)
            if not (filling.mistake or seen.fits) or not shaped:
                continue
            if np.abs(filling.numbers).max(initial=0) <= 1e-12 * self.size:
                causes = (Cause(filling.mistake, layer, seen.name[1], filling.formula),) if filling.mistake else ()
                yield Hit(causes, (), candidate, 1.0)

    def extended(self, state: State, layer: int, seen: Sequence[Seen], pair: tuple[Hit, ...], rank: int) -> Iterator[State]:
        """The state after one way to explain a layer, once for each delta that it may have sent back."""
        blamed = tuple((s.name, state.active | frozenset(all_causes(hit))) for s, hit in zip(seen, pair, strict=False))
        causes = state.causes.union(*(all_causes(hit) for hit in pair))
        first = self.seen.get(f"dW{layer}")
        gradient = first.readings[0] if first is not None and first.fits else None
        sent: list[tuple[Array, Array, frozenset[Cause]]] = []
        for hit in pair:
            c = hit.candidate
            sent.append((c.delta * hit.scale, c.error * hit.scale, state.active.union(c.causes, hit.scaling)))
            sent.append((c.delta, c.error, state.active.union(c.causes)))
            for one in hit.scaling if len(hit.scaling) > 1 else ():  # one factor stood in delta, the other in the line below
                factor = self.factors[one.mistake]
                sent.append((c.delta * factor, c.error * factor, state.active.union(c.causes, (one,))))
        sent.append((self.net.D[layer], self.net.E[layer], frozenset()))  # the mistakes may be in the lines of dW and db alone
        done: list[Array] = []
        by_gradient = (*state.by_gradient, *blamed)
        for delta, error, active in sent:
            if delta.shape == self.net.A[layer].shape and not any(np.allclose(delta, d, CLOSE, 0) for d in done):
                done.append(delta)
                after, used = Sent(delta, error, gradient), (*state.used, delta)
                yield State(cost(causes), causes, by_gradient, after, active, state.rank + rank + (not active), used)
