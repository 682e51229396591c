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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from nn.arrays import array, check_finite, float64
from nn.losses import Array
from nn.matrix import transposed
from nn.mistakes import LINES, WORDS
from nn.mlp import ACTIVATION_NAMES
from nn.search import CLOSE, DEPTH, Cause, Problem, Search, Seen, reading, squeezed

LOSSES = ("squared_error", "half_squared_error", "binary_cross_entropy", "softmax_cross_entropy")
ACTIVATIONS = (*ACTIVATION_NAMES, "softmax")
REDUCTIONS = ("sum", "samples", "outputs", "all")
FRESH = (1.0, 1.0, 2.0, 3.0)  # spreads of the data sets beside the given one, relative to it


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
    """The diagnosis, to print.

    `findings` are the mistakes. `right` and `wrong` name the gradients; `unexplained` are those of the wrong ones that no
    known mistake reproduces, and `notes` say of them what can be said. `turned`: the formulas are transposes of the user's.
    """

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


def _listed(names: Iterable[Any]) -> str:
    """Names with commas, those in quotes that a stranger may have chosen."""
    return ", ".join(f"{name:.60}" if isinstance(name, str) and name.isidentifier() else f"{name!r:.60}" for name in names)


def _one_of(name: str, x: Any, allowed: Sequence[str]) -> str:
    if not isinstance(x, str) or x not in allowed:
        raise ValueError(f"{name}={x!r:.60} is not known; choose one of {', '.join(allowed)}")
    return str(x)


def _layers(given: Mapping[str, Array], depth: int, width: int, out_in: bool) -> tuple[list[Array], list[Array]]:
    """Weights as n_in x n_out and biases as (k,), zeros where there are none; `ValueError` where they do not fit together."""
    W, b = [], []
    for layer in range(1, depth + 1):
        w = given[f"W{layer}"]
        w = w.T if out_in and w.ndim == 2 else w
        if w.ndim != 2 or w.shape[0] != width:
            shape, expected = given[f"W{layer}"].shape, f"(n_out, {width})" if out_in else f"({width}, n_out)"
            raise ValueError(
                f"params['W{layer}'] has shape {shape}, expected {expected}: {width} numbers come into layer {layer}"
            )
        width = w.shape[1]
        bias = given.get(f"b{layer}", np.zeros(width))
        if bias.shape not in ((width,), (1, width), (width, 1)):
            raise ValueError(f"params['b{layer}'] has shape {bias.shape}, expected ({width},), (1, {width}) or ({width}, 1)")
        W.append(w)
        b.append(bias.ravel())
    return W, b


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
        raise ValueError(f"params has {_listed(params)}; {depth} activations need W1 to W{depth}, and b1 to b{depth} at most")
    loss = _one_of("loss", options["loss"], LOSSES)
    needed = {"binary_cross_entropy": "sigmoid", "softmax_cross_entropy": "softmax"}.get(loss)
    if needed and activations[-1] != needed:
        raise ValueError(f"loss={loss!r} needs {needed} as the last activation, not {activations[-1]!r}")
    columns = _one_of("samples", options["samples"], ("rows", "columns")) == "columns"
    out_in = _one_of("weights", options["weights"], ("in_out", "out_in")) == "out_in"
    given = {name: float64(array(p, f"params[{name!r}]", (1, 2)), f"params[{name!r}]") for name, p in params.items()}
    x, y = (float64(array(a, name, (2,)), name) for a, name in ((X, "X"), (Y, "Y")))
    for name, a in (*((f"params[{name!r}]", p) for name, p in given.items()), ("X", x), ("Y", y)):
        check_finite(a, name)
        if not a.size:
            raise ValueError(f"{name} has shape {a.shape}, expected one without zeros")
    x, y = (x.T, y.T) if columns else (x, y)
    W, b = _layers(given, depth, x.shape[1], out_in)
    width = W[-1].shape[1]
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
    if name[1] == "b" and squeezed(got) == squeezed(shape):
        return reading(name, (stacked.reshape(len(stacked), -1),), True), ""
    if len(got) != 2:
        return reading(name, (stacked,), False), ""
    turned = transposed(stacked)
    if name[1] == "W" and got == shape:
        return reading(name, (turned, stacked) if problem.out_in else (stacked, turned), True), ""
    return reading(name, (stacked, turned), False), ""


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
    `weights` are "in_out" (Z = A @ W) or "out_in". `learning_rate`, if known, is looked for where it does not belong. Raises
    `ValueError` and `TypeError` for arguments that do not fit; whatever `backward` does or returns is part of the diagnosis.

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
                bare = f"{name} is missing, but there is a {name[1:]}; gradients are returned as dW1, db1, ..."
                there = f"{name} is missing: the backward pass returned {_listed(sorted(map(str, returned[0])))}."
                notes.append(bare if name[1:] in returned[0] else there)
                continue
            found, problem_with_it = _seen(name, [r[name] for r in returned], problem)
            if found is None:
                notes.append(problem_with_it + ".")
            else:
                seen[name] = found
        if not seen:
            return Report((), (), names, names, tuple(notes))
        return _report(Search(problem, data, seen), names, notes)


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
        copies = {name: p.copy() for name, p in problem.params.items()}
        try:
            result = backward(copies, *((x.T.copy(), y.T.copy()) if problem.columns else (x.copy(), y.copy())))
        except Exception as error:  # noqa: BLE001  # whatever it raises is the diagnosis
            shapes = ", ".join(f"{name} {np.shape(p)}" for name, p in (*params.items(), ("X", x.T if problem.columns else x)))
            return [], f"The backward pass raised {type(error).__name__}: {error}. The shapes it was given: {shapes}."
        if not isinstance(result, Mapping):
            return [], f"The backward pass returned {result!r:.60}; it has to return a dictionary, {{'dW1': ..., 'db1': ...}}."
        found.append(result)
    return found, ""


def _report(search: Search, names: tuple[str, ...], notes: list[str]) -> Report:
    right = tuple(name for name in names if name in search.correct)
    wrong = tuple(name for name in names if name not in right)
    if len(right) == len(search.seen):
        return Report((), right, wrong, tuple(n for n in names if n not in search.seen), tuple(notes))
    if not any(any(reading.any() for reading in found.readings) for found in search.seen.values()):
        notes.append(f"Every gradient is zero: {_listed(tuple(search.seen))}. Nothing has been computed yet.")
        return Report((), right, wrong, wrong, tuple(notes))
    best, *others = search.best()
    findings = []
    for cause in sorted(best.causes, key=lambda c: (-c.layer, DEPTH.index(c.slot), c.mistake)):
        blamed = [name for name, causes in best.by_gradient if cause in causes and name in wrong]
        if cause.mistake == "unexplained" or not blamed:
            continue
        swapped = [other.causes - best.causes for other in others if best.causes - other.causes == {cause}]
        also = sorted({instead.mistake for causes in swapped if len(causes) == 1 for instead in causes} - {cause.mistake})
        alone = tuple(name for name, causes in best.by_gradient if name in blamed[1:] and causes == {cause})
        findings.append(Finding(cause.mistake, cause.layer, blamed[0], _message(cause), alone, tuple(also)))
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


def _far_off(search: Search, name: str) -> str:
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
