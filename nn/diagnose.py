"""Which mistake does a hand-written backward pass make?

The gradients that it returns are numbers; a mistake is a slot of the derivation filled with the wrong thing. So every
filling of every slot (`nn.slots`) is tried, from the output layer back, fewest wrong slots first, until the numbers are
reproduced on several data sets: then the wrong slots are the mistakes. The trade-off: it costs up to a second or two, and
it sees only what changes the numbers.

The derivation, for samples in rows, line by line (Nielsen 2015, chapter 2, BP1 to BP4):
    (1) delta of the last layer = dC/da * f'(z)            (2) delta = (delta_after @ W_after.T) * f'(z)
    (3) dW = a_before.T @ delta                            (4) db = delta, summed over the samples
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from nn import slots
from nn.losses import Array
from nn.matrix import array, transposed
from nn.mistakes import LINES, WORDS
from nn.slots import Filling, Network, Sent

LOSSES = ("squared_error", "half_squared_error", "binary_cross_entropy", "softmax_cross_entropy")
ACTIVATIONS = ("sigmoid", "tanh", "relu", "linear", "softmax")
REDUCTIONS = ("sum", "samples", "outputs", "all")
FRESH = (1.0, 1.0, 2.0, 3.0)  # spreads of the data sets beside the given one, relative to it
CLOSE = 1e-7  # relative: below it two gradients are the same, rounding apart
SLACK = 1.2  # how much dearer than the cheapest an explanation may be before it is given up
KEPT = 12  # explanations carried from layer to layer


class Finding(NamedTuple):
    """One mistake: its name, where it sits, the gradient in which it first shows, and what it spoils besides."""

    mistake: str
    layer: int
    gradient: str
    message: str
    consequences: tuple[str, ...]
    also: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{self.mistake}, layer {self.layer}, first seen in {self.gradient}", _wrapped(self.message, "   ")]
        if self.consequences:
            verb = "is" if len(self.consequences) == 1 else "are"
            lines.append(f"   Only because of it {_listed(self.consequences)} {verb} wrong too.")
        if self.also:
            lines.append(_wrapped(f"The same numbers would come out of: {_listed(self.also)}.", "   "))
        return "\n".join(lines)


class Report(NamedTuple):
    """The diagnosis. `findings` explain all numbers; `unexplained` gradients are described in `notes`."""

    findings: tuple[Finding, ...]
    right: tuple[str, ...]
    wrong: tuple[str, ...]
    unexplained: tuple[str, ...]
    notes: tuple[str, ...]
    turned: bool = False

    @property
    def ok(self) -> bool:
        """Whether every gradient is right."""
        return not (self.findings or self.wrong or self.unexplained or self.notes)

    def __str__(self) -> str:
        if self.ok:
            return f"This backward pass is right: {_listed(self.right)} equal the gradients of the loss."
        parts = []
        if self.findings:
            parts.append("There is one mistake." if len(self.findings) == 1 else f"There are {len(self.findings)} mistakes.")
        parts += [f"{number}. {finding}" for number, finding in enumerate(self.findings, 1)]
        parts += [_wrapped(note) for note in self.notes]
        if self.right:
            parts.append(_wrapped(f"Right as they are: {_listed(self.right)}."))
        if self.findings and not self.notes:
            parts.append("Checked: a backward pass with exactly this reproduces every number that yours returned.")
            if self.turned:
                parts.append("(The formulas have samples in rows and weights n_in x n_out; yours are their transposes.)")
        return "\n\n".join(parts)


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(text, 100, initial_indent=indent, subsequent_indent=indent)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)


class Cause(NamedTuple):
    """A wrong slot."""

    mistake: str
    layer: int
    slot: str
    used: str


class Candidate(NamedTuple):
    """A delta of one layer, and the wrong slots that lead to it."""

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


DEPTH = ("error", "back", "delta", "slope", "scale", "W", "b")  # a layer's slots, the deepest cause first
RARE = dict.fromkeys(
    ("extra_1_over_k", "extra_factor_n", "extra_factor_k", "input_of_wrong_layer", "weight_gradient_zero"), 1.1
)
COSTS = {"unexplained": 5.0, "wrong_scale": 2.0, **RARE}


def _cost(causes: frozenset[Cause] | tuple[Cause, ...]) -> float:
    return sum(COSTS.get(cause.mistake, 1) for cause in causes)


class Problem(NamedTuple):
    """What was asked, in one orientation: samples in rows, weights n_in x n_out."""

    params: dict[str, Array]
    W: list[Array]
    b: list[Array]
    X: Array
    Y: Array
    activations: tuple[str, ...]
    loss: str
    reduction: str
    columns: bool
    out_in: bool
    learning_rate: float | None

    @property
    def factor(self) -> float:
        """What the loss is multiplied with by its average."""
        n, k = self.Y.shape
        over: int = {"sum": 1, "samples": n, "outputs": k, "all": n * k}[self.reduction]
        return 1 / over


def _one_of(name: str, x: Any, allowed: Sequence[str]) -> str:
    if x not in allowed:
        raise ValueError(f"{name}={x!r} is not known; choose one of {', '.join(allowed)}")
    return str(x)


def _problem(params: Any, X: Any, Y: Any, activations: Sequence[str], options: Mapping[str, Any]) -> Problem:
    if not isinstance(params, Mapping) or "W1" not in params:
        raise ValueError(f"params: expected a dictionary with W1, b1 (optional), W2, ..., got {params!r:.80}")
    if isinstance(activations, str) or not isinstance(activations, Sequence) or not activations:
        raise TypeError(f"activations={activations!r}: give one name per layer, for example ('sigmoid', 'sigmoid')")
    depth = len(activations)
    for i, name in enumerate(activations):
        _one_of(f"activations[{i}]", name, ACTIVATIONS if i == depth - 1 else ACTIVATIONS[:-1])
    known = {f"{letter}{layer}" for layer in range(1, depth + 1) for letter in "Wb"}
    if set(params) - known or not {f"W{layer}" for layer in range(1, depth + 1)} <= set(params):
        raise ValueError(f"params has {', '.join(params)}; {depth} activations need W1 to W{depth}, and b1 to b{depth} at most")
    loss = _one_of("loss", options["loss"], LOSSES)
    needed = {"binary_cross_entropy": "sigmoid", "softmax_cross_entropy": "softmax"}.get(loss)
    if needed and activations[-1] != needed:
        raise ValueError(f"loss={loss!r} needs {needed} as the last activation, not {activations[-1]!r}")
    columns = _one_of("samples", options["samples"], ("rows", "columns")) == "columns"
    out_in = _one_of("weights", options["weights"], ("in_out", "out_in")) == "out_in"
    given = {name: array(p, f"params[{name!r}]", (1, 2)).astype(float) for name, p in params.items()}
    x, y = (array(a, name, (2,)).astype(float) for a, name in ((X, "X"), (Y, "Y")))
    x, y = (x.T, y.T) if columns else (x, y)
    W, b, width = [], [], x.shape[1]
    for layer in range(1, depth + 1):
        w = given[f"W{layer}"]
        w = w.T if out_in and w.ndim == 2 else w
        if w.ndim != 2 or w.shape[0] != width:
            raise ValueError(
                f"params['W{layer}'] has shape {given[f'W{layer}'].shape}, but {width} numbers come into layer {layer}"
            )
        width = w.shape[1]
        bias = given.get(f"b{layer}", np.zeros(width))
        if bias.shape not in ((width,), (1, width), (width, 1)):
            raise ValueError(f"params['b{layer}'] has shape {bias.shape}, expected ({width},), (1, {width}) or ({width}, 1)")
        W.append(w)
        b.append(bias.ravel())
    if y.shape != (len(x), width):
        raise ValueError(f"Y has shape {np.shape(Y)}, expected {(width, len(x)) if columns else (len(x), width)}")
    reduction = _one_of("reduction", options["reduction"], REDUCTIONS)
    rate = options["learning_rate"]
    if rate is not None and (isinstance(rate, bool) or not isinstance(rate, int | float) or not np.isfinite(rate)):
        raise ValueError(f"learning_rate={rate!r} has to be a finite number, or None if it is not known")
    return Problem(
        given, W, b, x, y, tuple(activations), loss, reduction, columns, out_in, None if rate is None else float(rate)
    )


def _fresh(problem: Problem) -> Iterator[tuple[Array, Array]]:
    """The given data, and more of the same shapes, with targets like the given ones."""
    yield problem.X, problem.Y
    random = np.random.default_rng(0)
    y = problem.Y
    for spread in FRESH:
        x = random.normal(problem.X.mean(), spread * (problem.X.std() or 1.0), problem.X.shape)
        if np.isin(y, (0, 1)).all() and y.shape[1] > 1 and (y.sum(axis=1) == 1).all():
            targets = np.eye(y.shape[1])[random.integers(y.shape[1], size=len(y))]
        elif np.isin(y, (0, 1)).all():
            targets = random.integers(0, 2, y.shape).astype(float)
        else:
            targets = random.uniform(y.min(), y.max() if y.max() > y.min() else y.min() + 1, y.shape)
        yield x, targets


class Seen(NamedTuple):
    """One gradient as the backward pass returned it, in our orientation, on S data sets."""

    name: str
    readings: tuple[Array, ...]
    fits: bool
    flat: tuple[tuple[tuple[int, ...], Array, int, int], ...]

    def ratio(self, candidate: Array, readings: int = 2) -> float | None:
        """The one factor between these numbers and the candidate's, or None if there is none."""
        shape = _squeezed(candidate.shape)
        for reading, theirs, largest, smaller in self.flat[:readings]:
            if shape != reading:
                continue
            ours = candidate.reshape(-1)
            here = ours.item(largest)
            if not here:
                continue
            there, size = theirs.item(largest), abs(theirs.item(largest))
            factor = there / here
            if not abs(ours.item(smaller) * factor - theirs.item(smaller)) <= CLOSE * size:  # most are turned away here
                continue
            if factor and np.abs(ours * factor - theirs).max() <= CLOSE * size:
                return float(factor)
        return None


def _reading(name: str, readings: tuple[Array, ...], fits: bool) -> Seen:
    """The gradient, with each reading also as one row of numbers, and where its largest and a middling one stand."""
    flat = []
    for reading in readings:
        order = np.abs(reading).ravel().argsort()
        flat.append((_squeezed(reading.shape), reading.reshape(-1), int(order[-1]), int(order[len(order) * 2 // 3])))
    return Seen(name, readings, fits, tuple(flat))


@cache
def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(size for size in shape if size != 1)


def _seen(name: str, raw: Sequence[Any], problem: Problem) -> tuple[Seen | None, str]:
    """The gradient, or None and what is wrong with it as an array."""
    shape = np.shape(problem.params[name[1:]])
    try:
        arrays = [np.asarray(r, dtype=float) for r in raw]
        stacked = np.stack(arrays)
    except (TypeError, ValueError):
        return None, f"{name} is not an array of numbers of one shape: {raw[0]!r:.80}"
    if not np.isfinite(stacked).all():
        return None, f"{name} holds numbers that are not finite, {stacked[~np.isfinite(stacked)][0]}; expected finite ones"
    got = stacked.shape[1:]
    if not stacked.size:
        return None, f"{name} is empty, of shape {got}; expected {shape}"
    if name[1] == "b" and _squeezed(got) == _squeezed(shape):
        return _reading(name, (stacked.reshape(len(stacked), -1),), True), ""
    if len(got) != 2:
        return _reading(name, (stacked,), False), ""
    turned = transposed(stacked)
    if name[1] == "W" and got == shape:
        return _reading(name, (turned, stacked) if problem.out_in else (stacked, turned), True), ""
    return _reading(name, (stacked, turned), False), ""


class _Search:
    """The gradients that were returned, the network that they should belong to, and the search for what explains them."""

    def __init__(self, problem: Problem, data: Sequence[tuple[Array, Array]], seen: dict[str, Seen]) -> None:
        self.problem, self.seen = problem, seen
        X, Y = (np.stack(arrays) for arrays in zip(*data, strict=True))
        self.net: Network = slots.network(problem.W, problem.b, X, Y, problem.activations, problem.loss, problem.factor)
        self.size = max(float(np.abs(reading).max()) for s in seen.values() for reading in s.readings)
        n, k = problem.Y.shape
        self.scales = slots.scales(n, k, problem.loss, problem.reduction, problem.learning_rate)
        rate = problem.learning_rate
        self.correct = {name for name in seen if self.right(name)}
        self.rates = (rate,) if rate is not None else (1.0, 0.5, 0.1, 0.05, 0.01, 0.001)

    def right(self, name: str) -> bool:
        """Whether that gradient is what it should be."""
        found, exact = self.seen[name], self.exact(name)
        return found.fits and bool(np.abs(found.readings[0] - exact).max() <= CLOSE * max(np.abs(exact).max(), 1e-300))

    def exact(self, name: str) -> Array:
        """The right gradient, on every data set."""
        layer = int(name[2:])
        fillings = slots.weight_gradients if name[1] == "W" else slots.bias_gradients
        return next(fillings(self.net, layer, self.net.D[layer])).numbers * self.problem.factor

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
                names = frozenset((cause.mistake, cause.layer, cause.slot) for cause in state.causes)
                unique.setdefault((names, str(sent)), state)
            states = [s for s in unique.values() if s.cost <= cheapest + SLACK][:KEPT]
        return [state for state in states if state.cost == states[0].cost]

    def candidates(self, state: State, layer: int) -> list[Candidate]:
        """Every delta that the layer may have used, fewest wrong slots first, then the likelier."""
        net, shape = self.net, self.net.A[layer].shape
        found = []
        if state.after is None:
            errors, whole = slots.errors(net), list(slots.whole_deltas(net))
            found.append(Candidate((), net.D[layer], net.E[layer]))
        else:
            later = state.used[-2::-1]
            errors = slots.sent_back(net, layer, state.after, later, self.rates)
            used = [(layer + 1, state.after.delta), *enumerate(later, layer + 2)]
            whole = [Filling("delta_of_wrong_layer", f"delta{i}", delta) for i, delta in used]
        whole += [Filling("delta_of_wrong_layer", f"delta{i}", net.D[i]) for i in range(layer - 1, 0, -1)]
        wholes = [Candidate((Cause(f.mistake, layer, "delta", f.formula),), f.numbers, net.E[layer]) for f in whole]
        if net.loss.endswith("cross_entropy"):
            found += wholes
        for e in errors:
            if e.numbers.shape == shape:
                blame = (Cause(e.mistake, layer, "back" if state.after else "error", e.formula),) if e.mistake else ()
                found += self.sloped(layer, e, blame, skip_right=state.after is None and not blame)
        if not net.loss.endswith("cross_entropy"):
            found += wholes
        return sorted((c for c in found if np.isfinite(c.delta).all()), key=lambda c: len(c.causes))

    def sloped(self, layer: int, e: Filling, blame: tuple[Cause, ...], skip_right: bool) -> Iterator[Candidate]:
        """The deltas that come out of one error."""
        for s in (*slots.slopes(self.net, layer, e.numbers), *slots.matrix_slopes(self.net, layer, e.numbers)):
            if s.mistake or not skip_right:
                causes = (*blame, Cause(s.mistake, layer, "slope", s.formula)) if s.mistake else blame
                yield Candidate(causes, s.numbers, e.numbers)

    def hits(self, seen: Seen, candidate: Candidate, layer: int) -> Iterator[Hit]:
        """How the gradient comes out of this delta."""
        weight = seen.name[1] == "W"
        fillings = (slots.weight_gradients if weight else slots.bias_gradients)(self.net, layer, candidate.delta)
        for filling in fillings:
            if not filling.numbers.size or (not filling.mistake and not seen.fits):
                continue
            ratio = seen.ratio(filling.numbers, 2 if filling.mistake else 1)
            if ratio is None:
                continue
            causes = (Cause(filling.mistake, layer, seen.name[1], filling.formula),) if filling.mistake else ()
            for scaling in self.scalings(ratio / self.problem.factor, layer):
                yield Hit(causes, scaling, candidate, ratio / self.problem.factor)

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
                bound = min(bound, _pair_cost(_pairs(hits)[0]))
        for i, s in enumerate(seen):
            if not hits[i]:
                hits[i].append(Hit((Cause("unexplained", layer, s.name[1], ""),), (), candidates[0], 1.0))
        for rank, pair in enumerate(_pairs(hits)):
            yield from self.extended(state, layer, seen, pair, rank)

    def zero_hits(self, seen: Seen, candidate: Candidate, layer: int) -> Iterator[Hit]:
        """How the gradient comes out as zero: by being right, or by being a sum that vanishes, or by being set to zero."""
        weight = seen.name[1] == "W"
        fillings = (slots.weight_gradients if weight else slots.bias_gradients)(self.net, layer, candidate.delta)
        for filling in (*fillings, Filling("weight_gradient_zero" if weight else "bias_gradient_zero", "0", np.zeros(1))):
            shaped = filling.formula == "0" or any(_squeezed(filling.numbers.shape) == shape for shape, *_ in seen.flat)
            if not (filling.mistake or seen.fits) or not shaped:
                continue
            if np.abs(filling.numbers).max(initial=0) <= 1e-12 * self.size:
                causes = (Cause(filling.mistake, layer, seen.name[1], filling.formula),) if filling.mistake else ()
                yield Hit(causes, (), candidate, 1.0)

    def extended(self, state: State, layer: int, seen: Sequence[Seen], pair: tuple[Hit, ...], rank: int) -> Iterator[State]:
        """The state after one way to explain a layer, once for each delta that it may have sent back."""
        blamed = tuple((s.name, state.active | frozenset(_all(hit))) for s, hit in zip(seen, pair, strict=False))
        causes = state.causes.union(*(_all(hit) for hit in pair))
        first = self.seen.get(f"dW{layer}")
        gradient = first.readings[0] if first is not None and first.fits else None
        sent: list[tuple[Array, Array, tuple[Cause, ...]]] = []
        for hit in pair:
            c = hit.candidate
            sent.append((c.delta * hit.scale, c.error * hit.scale, (*c.causes, *hit.scaling)))
            sent.append((c.delta, c.error, c.causes))
        done: list[Array] = []
        for delta, error, active in sent:
            if delta.shape == self.net.A[layer].shape and not any(np.array_equal(delta, d) for d in done):
                done.append(delta)
                spread = state.active | frozenset(active)
                yield State(
                    _cost(causes),
                    causes,
                    (*state.by_gradient, *blamed),
                    Sent(delta, error, gradient),
                    spread,
                    state.rank + rank,
                    (*state.used, delta),
                )
        true = self.net.D[layer]
        if not any(np.allclose(true, d, CLOSE, 0) for d in done):
            after = Sent(true, self.net.E[layer], gradient)
            yield State(
                _cost(causes),
                causes,
                (*state.by_gradient, *blamed),
                after,
                frozenset(),
                state.rank + rank + 1,
                (*state.used, true),
            )


def _all(hit: Hit) -> tuple[Cause, ...]:
    return (*hit.candidate.causes, *hit.causes, *hit.scaling)


def _pairs(hits: list[list[Hit]]) -> list[tuple[Hit, ...]]:
    """Ways to explain the gradients of one layer together, cheapest first; a cause that they share counts once."""
    cheap = [sorted(h, key=lambda hit: _cost(_all(hit)))[:30] for h in hits]
    return sorted(product(*cheap), key=_pair_cost)[:12]


def _pair_cost(pair: tuple[Hit, ...]) -> float:
    return _cost(frozenset(cause for hit in pair for cause in _all(hit)))


def diagnose(
    backward: Any,
    params: Mapping[str, Any],
    X: Any,
    Y: Any,
    activations: Sequence[str] = ("sigmoid", "sigmoid"),
    loss: str = "half_squared_error",
    reduction: str = "sum",
    samples: str = "rows",
    weights: str = "in_out",
    learning_rate: float | None = None,
) -> Report:
    """Name the mistakes of a hand-written backward pass.

    `params` is {"W1": ..., "b1": ..., "W2": ...}, biases optional, of shape (k,), (1, k) or (k, 1). `backward` is a function
    (params, X, Y) -> {"dW1": ..., "db1": ..., ...}, called on the given data and on fresh data of the same shapes, or that
    dictionary itself. `activations`: one per layer, of sigmoid, tanh, relu, linear, and softmax for the last. `loss`:
    squared_error, half_squared_error, binary_cross_entropy or softmax_cross_entropy, as a sum; `reduction` says over what
    it is averaged: "sum" (nothing), "samples" (1/n), "outputs" (1/k), "all". `samples` are "rows" or "columns" of X and Y;
    `weights` are "in_out" (Z = A @ W) or "out_in". Raises `ValueError` and `TypeError` for arguments that do not fit; whatever
    `backward` does or returns is part of the diagnosis.

    >>> def backward(p, X, Y):
    ...     a1 = 1 / (1 + np.exp(-X @ p["W1"]))
    ...     a2 = 1 / (1 + np.exp(-a1 @ p["W2"]))
    ...     delta2 = a2 - Y                                      # ... * a2 * (1 - a2)
    ...     delta1 = delta2 @ p["W2"].T * a1 * (1 - a1)
    ...     return {"dW1": X.T @ delta1, "dW2": a1.T @ delta2}
    >>> random = np.random.default_rng(0)
    >>> params = {"W1": random.normal(size=(3, 4)), "W2": random.normal(size=(4, 1))}
    >>> report = diagnose(backward, params, random.normal(size=(5, 3)), random.random((5, 1)))
    >>> [(f.mistake, f.layer, f.gradient, f.consequences) for f in report.findings]
    [('missing_activation_derivative', 2, 'dW2', ('dW1',))]
    """
    options = {"loss": loss, "reduction": reduction, "samples": samples, "weights": weights, "learning_rate": learning_rate}
    with np.errstate(all="ignore"):
        problem = _problem(params, X, Y, activations, options)
        data = list(_fresh(problem)) if callable(backward) else [(problem.X, problem.Y)]
        names = tuple(
            f"d{kind}{layer}" for layer in range(len(activations), 0, -1) for kind in "Wb" if f"{kind}{layer}" in params
        )
        returned, trouble = _returned(backward, params, problem, data)
        if trouble:
            return Report((), (), (), names, (trouble,))
        seen, notes = {}, []
        for name in names:
            if any(name not in r for r in returned):
                notes.append(f"{name} is missing: the backward pass returned {_listed(sorted(map(str, returned[0])))}.")
                continue
            found, problem_with_it = _seen(name, [r[name] for r in returned], problem)
            if found is None:
                notes.append(problem_with_it + ".")
            else:
                seen[name] = found
        if not seen:
            return Report((), (), names, names, tuple(notes))
        return _report(_Search(problem, data, seen), names, notes)


def _returned(
    backward: Any, params: Mapping[str, Any], problem: Problem, data: Sequence[tuple[Array, Array]]
) -> tuple[list[Mapping[str, Any]], str]:
    """What the backward pass returned on each data set, or why it returned nothing."""
    if isinstance(backward, Mapping):
        return [backward], ""
    if not callable(backward):
        raise TypeError(
            f"backward: {backward!r:.80} is neither a function (params, X, Y) -> gradients nor a dictionary of them"
        )
    found = []
    for x, y in data:
        copies = {name: np.array(p) for name, p in params.items()}
        try:
            result = backward(copies, *((x.T.copy(), y.T.copy()) if problem.columns else (x.copy(), y.copy())))
        except Exception as error:  # noqa: BLE001  # whatever it raises is the diagnosis
            shapes = ", ".join(f"{name} {np.shape(p)}" for name, p in (*params.items(), ("X", x.T if problem.columns else x)))
            return [], f"The backward pass raised {type(error).__name__}: {error}. The shapes it was given: {shapes}."
        if not isinstance(result, Mapping):
            return [], f"The backward pass returned {result!r:.60}; it has to return a dictionary, {{'dW1': ..., 'db1': ...}}."
        found.append(result)
    return found, ""


def _report(search: _Search, names: tuple[str, ...], notes: list[str]) -> Report:
    right = tuple(name for name in names if name in search.correct)
    wrong = tuple(name for name in names if name not in right)
    if len(right) == len(search.seen):
        return Report((), right, wrong, tuple(n for n in names if n not in search.seen), tuple(notes))
    best, *others = search.best()
    findings = []
    for cause in sorted(best.causes, key=lambda c: (-c.layer, DEPTH.index(c.slot), c.mistake)):
        blamed = [name for name, causes in best.by_gradient if cause in causes and name in wrong]
        if cause.mistake == "unexplained" or not blamed:
            continue
        also = {
            (other.causes - best.causes)
            for other in others
            if len(other.causes - best.causes) == 1 and best.causes - other.causes == {cause}
        }
        alone = tuple(name for name, causes in best.by_gradient if name in blamed[1:] and causes == {cause})
        also_named = sorted({next(iter(a)).mistake for a in also} - {cause.mistake})
        findings.append(Finding(cause.mistake, cause.layer, blamed[0], _message(cause), alone, tuple(also_named)))
    unexplained = tuple(
        name for name, causes in best.by_gradient if any(c.mistake == "unexplained" for c in causes) and name in wrong
    )
    notes += [_far_off(search, name) for name in unexplained if name in search.seen]
    unexplained = (*unexplained, *(n for n in names if n not in search.seen))
    turned = search.problem.columns or search.problem.out_in
    return Report(tuple(findings), right, wrong, unexplained, tuple(notes), turned)


def _message(cause: Cause) -> str:
    places = {"l": cause.layer, "p": cause.layer - 1, "n": cause.layer + 1}
    line = LINES.get(cause.slot, "").format(**places).replace("a0", "X")
    words = WORDS[cause.mistake].format(used=cause.used, **places).replace("a0", "X")
    return words if cause.slot == "scale" else f"{words} Right: {line}."


def _far_off(search: _Search, name: str) -> str:
    """How far a gradient that nothing explains is from the right one."""
    found, exact = search.seen[name], search.exact(name)
    if not found.fits:
        return f"{name} has the wrong shape, {found.readings[0].shape[1:]}, and comes out of no mistake that is known here."
    ours, theirs = exact[0].ravel(), found.readings[0][0].ravel()
    size = float(np.linalg.norm(theirs) / np.linalg.norm(ours))
    angle = float(np.degrees(np.arccos(np.clip(ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs), -1, 1))))
    signs = int((np.sign(ours) != np.sign(theirs)).sum())
    entries = int((np.abs(ours - theirs) > CLOSE * np.abs(ours).max()).sum())
    return (
        f"{name} comes out of no mistake that is known here: {entries} of {ours.size} entries are off, {signs} in sign; as a "
        f"whole it is {size:.4g} times as long as the right gradient, at an angle of {angle:.1f} degrees."
    )
