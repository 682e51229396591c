"""What may stand in each part of a backward pass: the right thing, the mistakes that have a name, and what is enumerated.

The parts of a layer are its error (at the outputs `error`, below `back`), the slope, the lines of dW and db. A formula
names what is in scope: a, z, x (what comes in), W, b, y of the layer, e its error, d its delta, and da, ea, Wa, dWa of the
layer after.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from nn.activations import ACTIVATIONS, SOFTMAX
from nn.arrays import Array, transposed
from nn.diagnose.explanations import Cause, Filling, Sent
from nn.diagnose.formulas import Terms, combined, evaluated, functions, joined, terms
from nn.diagnose.mistakes import MISTAKES, RIGHT, UNNAMED
from nn.diagnose.network import Network

LINEAR, SIGMOID = ACTIVATIONS["linear"], ACTIVATIONS["sigmoid"]
RARE = {"input_of_wrong_layer": 1.1, "weight_gradient_zero": 1.1, "only_one_sample": 1.1, "bias_from_weight_gradient": 1.1}
LIKELY = ("", "transposed_gradient", "bias_mean_instead_of_sum", "bias_not_summed_over_batch")  # lines for any delta at all
LIMIT = 2_500_000  # numbers in a stack

LEAVES = {  # what formulas that have no name are made of, by part
    "slope": ("a", "z", "1", "2", "f(a)", "of_sigmoid(z)", "of_tanh(z)", "exp(-z)", "f(1 - z)", "x", "(z > 0)"),
    "error": ("a", "y", "1", "2", "log(a)", "log(1 - a)"),
    "W": ("x.T @ d", "W", "1", "2", "d.sum(axis=0, keepdims=True)", "d.mean(axis=0, keepdims=True)"),
    "b": ("d.sum(axis=0)", "b", "e.sum(axis=0)", "df(z).sum(axis=0)", "(d * df(z)).sum(axis=0)", "g(b)", "df(b)", "1", "2",
          "d.mean(axis=0)", "W.sum(axis=0)", "a.sum(axis=0)", "(d * a).sum(axis=0)"),
}  # fmt: skip


@cache
def formulas_of(*keys: str) -> tuple[tuple[str, str], ...]:
    """The named mistakes in these parts, with their formulas."""
    return tuple((m.name, text) for m in MISTAKES.values() for key in keys for text in m.formulas.get(key, ()))


class Layer(NamedTuple):
    """One layer of a network, as the place of formulas: its scope on data set 0, and on all of them."""

    net: Network
    number: int
    after: Sent | None
    small: dict[str, Any]
    full: dict[str, Any]

    @property
    def last(self) -> bool:
        """Whether it is the layer of the outputs."""
        return self.number == self.net.depth

    def cause(self, mistake: str, part: str, formula: str, size: float = 0) -> Cause:
        """A wrong part of this layer."""
        return Cause(mistake, self.number, part, formula, RARE.get(mistake, 1.0) + size)


def layer_of(net: Network, number: int, biases: Sequence[Array], after: Sent | None, later: Sequence[Array]) -> Layer:
    """The scope of a layer; `later` are the deltas of the layers after the next."""
    f, a = net.activations[number - 1], net.A[number]
    arrays: dict[str, Any] = {"a": a, "z": net.Z[number], "x": net.A[number - 1], "y": net.Y, "out": net.A[-1], "X": net.A[0]}
    arrays |= {f"a{l}": net.A[l] for l in range(1, net.depth + 1)} | {f"z{l}": net.Z[l] for l in range(1, net.depth + 1)}
    arrays["one"] = np.ones_like(a)
    if number > 1:
        arrays["zx"] = net.Z[number - 1]
    if number == net.depth:
        arrays["loss"] = net.loss.terms(a, net.Y)
    if after is not None:
        arrays |= {"da": after.delta, "ea": after.error, "za": net.Z[number + 1]}
        arrays |= {f"delta{l}": d for l, d in enumerate(later, number + 2)} | {f"delta{number + 1}": after.delta}
        if after.gradient is not None:
            arrays["dWa"] = after.gradient
    weights = {f"W{l}": net.W[l] for l in range(1, net.depth + 1)} | {"W": net.W[number], "b": biases[number - 1]}
    weights |= {"Wa": net.W[number + 1]} if number < net.depth else {}
    fixed = functions(f, a.shape[-2]) | weights | {"factor": net.factor, "n": a.shape[-2], "k": net.Y.shape[-1]}
    small, full = fixed | {name: x[0] for name, x in arrays.items()}, fixed | arrays
    for scope in (small, full):
        scope["through"] = lambda e, at=None, scope=scope: f.through(scope["a"] if at is None else at, e)
    return Layer(net, number, after, small, full)


def squared(net: Network) -> bool:
    """Whether the loss is a squared error: its derivative is a multiple of a - y."""
    error, difference = net.E[-1], net.A[-1] - net.Y
    largest = np.abs(difference).argmax()
    return bool(np.allclose(error * difference.flat[largest], difference * error.flat[largest], rtol=1e-9))


def _filled(layer: Layer, rows: Sequence[tuple[str, str]], part: str) -> Iterator[Filling]:
    for mistake, formula in rows:
        with suppress(ValueError, KeyError, NameError):
            causes = (layer.cause(mistake, part, formula),) if mistake else ()
            yield Filling(causes, formula, np.broadcast_to(evaluated(formula, layer.full), layer.full["a"].shape))


def errors(layer: Layer, rates: Sequence[float]) -> Iterator[Filling]:
    """What may have reached the activation of the layer, the right thing first."""
    net, n = layer.net, layer.number + 1
    if layer.last:
        yield Filling((), RIGHT["error"], net.E[-1])
        kind = "bce" if net.loss.canonical is SIGMOID else "other"
        curious = () if net.loss.by_preactivation or squared(net) else ("error:curious",)
        yield from _filled(layer, formulas_of("error", f"error:{kind}", *curious), "error")
        return
    yield from _filled(layer, [("", RIGHT["back"])], "back")
    yield from _filled(layer, formulas_of("back", *(("back:deep",) if n < net.depth else ())), "back")
    if layer.after is not None and layer.after.gradient is not None:
        yield from _filled(layer, formulas_of("back:gradient"), "back")
        for rate in rates:
            rows = [(name, text.replace("rate", f"{rate:g}")) for name, text in formulas_of("back:rates")]
            yield from _filled(layer, rows, "back")
    for l in range(n + 1, net.depth + 1):
        rows = [("delta_of_wrong_layer", f"delta{l} @ Wa.T"), ("delta_of_wrong_layer", f"delta{l} @ W{l}.T")]
        yield from _filled(layer, rows, "back")


def wholes(layer: Layer) -> Iterator[Filling]:
    """Deltas that are not put together as error times slope."""
    net = layer.net
    if layer.last:
        kind = "delta:ce" if net.loss.by_preactivation else "delta:squared" if squared(net) else ""
        softmax = ("delta:softmax",) if net.activations[-1] is SOFTMAX and net.loss.by_preactivation else ()
        yield from _filled(layer, formulas_of(kind, *softmax), "delta")
    others = [(l, layer.full[f"delta{l}"]) for l in range(layer.number + 1, net.depth + 1)]
    for l, delta in (*others, *((l, net.D[l]) for l in range(layer.number - 1, 0, -1))):
        yield Filling((layer.cause("delta_of_wrong_layer", "delta", f"delta{l}"),), f"delta{l}", delta)


def slopes(layer: Layer) -> Iterator[tuple[str, str, bool]]:
    """What the error may be multiplied with: mistake, formula, and whether the formula is the whole delta already."""
    f, net = layer.net.activations[layer.number - 1], layer.net
    yield "", "through(e)", True
    keys = (
        *(("slope:curved",) if f is not LINEAR else ()),
        *(("slope:last",) if layer.last and f is not LINEAR else ()),
        f"slope:{f.name}",
    )
    for mistake, formula in formulas_of(*keys):
        if formula == "df(z) ** 2":
            yield mistake, "through(through(e))", True
        elif formula == "df(a)" and f is SOFTMAX:
            yield mistake, "through(e, f(a))", True
        else:
            yield mistake, formula, False
    for mistake, formula in formulas_of("whole", f"whole:{f.name}"):
        yield mistake, formula, True
    for h in ACTIVATIONS.values():
        if h not in (f, LINEAR):
            yield from (
                ("wrong_activation_derivative", text, False) for text in (f"g_{h.name}(a)", f"d_{h.name}(z)", f"d_{h.name}(a)")
            )
    for l in range(net.depth, -1, -1) if f is not LINEAR else ():
        if l != layer.number:
            a, own = f"a{l}" if l else "X", net.activations[l - 1].name
            texts = (f"g({a})", f"df({a})", *((f"df(z{l})", f"d_{own}(z{l})") if l else ()))
            names = ["derivative_at_layer_input"] * (l == layer.number - 1) + ["derivative_at_wrong_layer"] * (l > 0)
            yield from ((name, text, False) for name in names for text in texts)


def lines(layer: Layer, kind: str) -> Iterator[tuple[str, str]]:
    """The formulas of dW ("W") or db ("b") from the delta, the right one first."""
    yield "", RIGHT[kind]
    yield from formulas_of(kind, *((f"{kind}:inner",) if layer.number > 1 else ()))
    for l in range(layer.net.depth + 1) if kind == "W" else ():
        if l not in (layer.number - 1, layer.number):
            yield "input_of_wrong_layer", f"{f'a{l}' if l else 'X'}.T @ d"


def _grown(names: Sequence[str], shape: tuple[int, ...], scope: dict[str, Any], deep: bool = False) -> Terms:
    """All expressions over these names, by size, as far as the limit on numbers allows."""
    one = terms(names, scope, shape)
    two = joined(one, combined(one, one, "*-+/"))
    size = len(two.numbers) * int(np.prod(shape))
    more = [combined(two, one, "*-+/"), combined(one, two, "-/")] if deep and size * len(one.numbers) * 4 <= LIMIT else []
    return joined(
        two,
        *more,
        *(
            [combined(two, two, "*+-"[: LIMIT // (size * len(two.numbers))])]
            if more and size * len(two.numbers) <= LIMIT
            else []
        ),
    )


def enumerated(layer: Layer, part: str, d: Array, e: Array) -> Terms:
    """What may stand in a part and has no name: errors for error and back, slopes for slope, gradients for W and b."""
    scope = layer.small | {"d": d, "e": e}
    shape = scope["a"].shape
    f, after, before = (layer.net.activations[min(max(layer.number + i, 0), layer.net.depth - 1)].name for i in (-1, 0, -2))
    if part in {"slope", "error"}:
        return _grown(LEAVES[part], shape, scope, deep=True)
    if part == "b":
        return _grown(LEAVES["b"], scope["b"].shape, scope)
    if part == "back":
        sent = _grown(("da", "ea", f"d_{after}(za)", f"of_{after}(za)", "za", "ones(da)"), scope["da"].shape, scope)
        return Terms(sent.numbers @ transposed(scope["Wa"]), lambda i: f"({sent.text(i)}) @ Wa.T")
    p = _grown(("x", "zx", f"g_{before}(x)", "ones(x)"), scope["x"].shape, scope)
    q = joined(terms(("d", "e"), scope, shape), _grown(("d", "e", f"d_{f}(z)", "a", "z"), shape, scope))
    q = Terms(q.numbers[: max(2, min(200, LIMIT // (len(p.numbers) * scope["W"].size)))], q.text)
    product = np.einsum("pni,qnj->pqij", p.numbers, q.numbers).reshape(-1, *scope["W"].shape)
    by_product = Terms(product, lambda i: f"({p.text(i // len(q.numbers))}).T @ ({q.text(i % len(q.numbers))})")
    return joined(by_product, _grown(LEAVES["W"], scope["W"].shape, scope))


def unnamed(layer: Layer, part: str, formula: str) -> Cause:
    """The cause for a formula that no mistake has: by the part that it stands in, the dearer the longer it is."""
    size = sum(character in "*/+-@(" for character in formula)
    return layer.cause(UNNAMED[part], part, formula, 1.1 + min(0.04 * size, 0.6))
