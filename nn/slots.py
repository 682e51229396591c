"""What a hand-written backward pass is made of, and what people put there instead.

A backward pass is a row of slots: the error, the slope it is multiplied with, what is sent back and through which weights,
the input factor of a weight gradient, the sum of a bias gradient. For each slot there is a generator here; it yields the
right filling first and then every wrong one that happens to be in scope, with its name and the formula as one would write
it. The trade-off: everything is computed, nothing is parsed, so a mistake is recognised by its numbers in any style of
code, and two mistakes with equal numbers cannot be told apart.

Arrays: samples are rows, S data sets at once, so A is (S, n, k) and W is (n_in, n_out). Derivatives of activations are the
rows of `autograd.rules`, on NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from autograd.rules import table
from nn.losses import Array
from nn.matrix import transposed

RULES = table(np)


class Filling(NamedTuple):
    """What may stand in a slot: its name as a mistake (empty if it is right), its formula, its numbers."""

    mistake: str
    formula: str
    numbers: Array


Row = tuple[str, str, Callable[..., Array]]


def _filled(*rows: Row) -> Iterator[Filling]:
    """Each row's numbers, where its shapes allow them: much of what is wrong does not even fit."""
    for mistake, formula, compute in rows:
        with suppress(ValueError):
            yield Filling(mistake, formula, compute())


def value(activation: str, z: Array) -> Array:
    """f(z)."""
    if activation == "linear":
        return z
    if activation == "softmax":
        e = np.exp(z - z.max(axis=-1, keepdims=True))
        return np.asarray(e / e.sum(axis=-1, keepdims=True))
    return np.asarray(RULES[activation].forward(z))


def form(activation: str, a: Array) -> Array:
    """f' as it is written with the activation, a * (1 - a) for sigmoid, at whatever stands for a."""
    if activation == "linear":
        return np.ones_like(a)
    (slope,) = RULES["sigmoid" if activation == "softmax" else activation].partials(a, a)
    return np.asarray(slope)


def through(activation: str, a: Array, e: Array) -> Array:
    """dC/dz from e = dC/da: the error times the slope; for softmax times the whole Jacobian."""
    if activation == "softmax":
        return np.asarray(a * (e - (e * a).sum(axis=-1, keepdims=True)))
    return e * form(activation, a)


class Network(NamedTuple):
    """A forward pass on S data sets, and the right backward pass, before the loss is averaged, multiplied by `factor`.

    Lists are indexed by layer, from 1; A[0] is X, Z[0], E[0] and D[0] are not used. E is dC/dA, D is dC/dZ.
    """

    W: list[Array]
    A: list[Array]
    Z: list[Array]
    E: list[Array]
    D: list[Array]
    Y: Array
    activations: tuple[str, ...]
    loss: str
    factor: float

    @property
    def depth(self) -> int:
        """The number of layers."""
        return len(self.activations)


def network(
    W: Sequence[Array], b: Sequence[Array], X: Array, Y: Array, activations: tuple[str, ...], loss: str, factor: float
) -> Network:
    """Run forward and back. `b` has zeros where there are no biases."""
    A, Z = [X], [X]
    for w, bias, activation in zip(W, b, activations, strict=True):
        Z.append(A[-1] @ w + bias)
        A.append(value(activation, Z[-1]))
    depth = len(W)
    E, D = [X] * (depth + 1), [X] * (depth + 1)
    E[depth] = error(loss, A[depth], Y)
    for layer in range(depth, 0, -1):
        if layer < depth:
            E[layer] = D[layer + 1] @ transposed(W[layer])
        D[layer] = through(activations[layer - 1], A[layer], E[layer])
        if layer == depth and loss.endswith("cross_entropy"):
            D[layer] = A[depth] - Y if loss.startswith("binary") else A[depth] * Y.sum(axis=-1, keepdims=True) - Y
    return Network([X, *W], A, Z, E, D, Y, activations, loss, factor)


def error(loss: str, a: Array, y: Array) -> Array:
    """dC/da of the outputs."""
    if loss == "binary_cross_entropy":
        return np.asarray((a - y) / (a * (1 - a)))
    if loss == "softmax_cross_entropy":
        return np.asarray(-y / a)
    return np.asarray((a - y) * (2 if loss == "squared_error" else 1))


def errors(net: Network) -> Iterator[Filling]:
    """dC/da at the outputs."""
    a, y = net.A[-1], net.Y
    name = f"a{net.depth}"
    yield Filling("", f"dC/d{name}", net.E[-1])
    yield Filling("missing_error_factor", "1", np.ones_like(a))
    yield Filling("missing_error_factor", "1", np.full_like(a, 1 / net.factor))  # the average went with the error
    if net.loss == "binary_cross_entropy":
        yield Filling(
            "sign_error_inside_bce_derivative", f"-(y / {name}) - (1 - y) / (1 - {name})", -(y / a) - (1 - y) / (1 - a)
        )
        yield Filling("wrong_loss_derivative", f"-y / {name}", -y / a)
        yield Filling("wrong_loss_derivative", f"(1 - y) / (1 - {name})", (1 - y) / (1 - a))
        yield Filling("wrong_loss_derivative", f"({name} - y) / {name}", (a - y) / a)
        yield Filling("wrong_loss_derivative", f"({name} - y) / (1 - {name})", (a - y) / (1 - a))
    else:
        yield Filling("wrong_loss_derivative", f"-y / {name} + (1 - y) / (1 - {name})", -y / a + (1 - y) / (1 - a))
    yield Filling("wrong_loss_derivative", f"({name} - y) ** 2", (a - y) ** 2)
    yield Filling("wrong_loss_derivative", f"abs({name} - y)", np.abs(a - y))
    yield Filling("wrong_loss_derivative", f"sign({name} - y)", np.sign(a - y))
    yield Filling("wrong_loss_derivative", f"({name} - y) ** 3", (a - y) ** 3)
    yield Filling("wrong_loss_derivative", f"log({name}) - y", np.log(np.abs(a)) - y)
    yield Filling("wrong_loss_derivative", f"-y * log({name})", -y * np.log(np.abs(a)))
    yield Filling("wrong_loss_derivative", f"{name} + y", a + y)
    terms = {"binary": -(y * np.log(a) + (1 - y) * np.log(1 - a)), "softmax": -y * np.log(a)}.get(
        net.loss.split("_")[0], (a - y) ** 2
    )
    yield Filling("wrong_loss_derivative", "the loss itself", terms)
    yield Filling("missing_error_factor", name, a)
    yield Filling("missing_error_factor", "y", y)


def whole_deltas(net: Network) -> Iterator[Filling]:
    """delta of the output layer where it is not put together as error times slope."""
    a, y, name = net.A[-1], net.Y, f"a{net.depth}"
    if net.loss.endswith("cross_entropy"):
        yield Filling("se_delta_with_ce", f"({name} - y) * {name} * (1 - {name})", (a - y) * a * (1 - a))
        yield Filling("se_delta_with_ce", f"({name} - y) times the Jacobian", through(net.activations[-1], a, a - y))
        yield Filling("wrong_loss_derivative", f"abs({name} - y)", np.abs(a - y))
        yield Filling("wrong_loss_derivative", f"({name} - y) ** 2", (a - y) ** 2)
        yield Filling("wrong_loss_derivative", f"sign({name} - y)", np.sign(a - y))
        yield Filling("wrong_loss_derivative", f"{name} + y", a + y)
        yield Filling("missing_error_factor", name, a)
    else:
        yield Filling("ce_delta_with_se", f"{name} - y", a - y)


WRONG_FORMULAS: dict[str, tuple[tuple[str, Callable[[Array], Array]], ...]] = {
    "sigmoid": (
        ("{a}", lambda a: a),
        ("1 - {a}", lambda a: 1 - a),
        ("{a} * (1 + {a})", lambda a: a * (1 + a)),
        ("1 + {a}", lambda a: 1 + a),
        ("{a} ** 2", lambda a: a * a),
        ("{a} ** 2 * (1 - {a})", lambda a: a * a * (1 - a)),
        ("{a} * (1 - {a}) ** 2", lambda a: a * (1 - a) ** 2),
        ("(1 - {a}) ** 2", lambda a: (1 - a) ** 2),
        ("{a} - 1", lambda a: a - 1),
        ("1 - 2 * {a}", lambda a: 1 - 2 * a),
        ("{a} * (1 - {a} ** 2)", lambda a: a * (1 - a * a)),
        ("{a} / (1 - {a})", lambda a: a / (1 - a)),
        ("1 / ({a} * (1 - {a}))", lambda a: 1 / (a * (1 - a))),
        ("exp(-{a}) / (1 + exp(-{a}))", lambda a: np.exp(-a) / (1 + np.exp(-a))),
    ),
    "tanh": (
        ("1 - {a}", lambda a: 1 - a),
        ("1 + {a} ** 2", lambda a: 1 + a * a),
        ("{a} ** 2", lambda a: a * a),
        ("(1 - {a}) ** 2", lambda a: (1 - a) ** 2),
        ("{a}", lambda a: a),
        ("{a} * (1 + {a})", lambda a: a * (1 + a)),
        ("1 + {a}", lambda a: 1 + a),
        ("{a} ** 2 - 1 + {a}", lambda a: a * a - 1 + a),
        ("1 - abs({a})", lambda a: 1 - np.abs(a)),
        ("(1 - {a} ** 2) ** 0.5", lambda a: np.sqrt(1 - a * a)),
        ("1 - {a} ** 3", lambda a: 1 - a**3),
        ("1 - 2 * {a}", lambda a: 1 - 2 * a),
        ("1 / (1 - {a} ** 2)", lambda a: 1 / (1 - a * a)),
        ("1 / (1 + {a} ** 2)", lambda a: 1 / (1 + a * a)),
    ),
    "relu": (
        ("{a} <= 0", lambda a: (a <= 0) * 1.0),
        ("sign of {z}", np.sign),
        ("1 or 0.01 by the sign of {z}", lambda a: np.where(a > 0, 1, 0.01)),
        ("1 or 0.1 by the sign of {z}", lambda a: np.where(a > 0, 1, 0.1)),
    ),
    "linear": (
        ("{a}", lambda a: a),
        ("1 - {a}", lambda a: 1 - a),
    ),
    "softmax": (
        ("{a}", lambda a: a),
        ("1 - {a}", lambda a: 1 - a),
        ("{a} ** 2", lambda a: a * a),
    ),
}


def slopes(net: Network, layer: int, e: Array) -> Iterator[Filling]:
    """delta of a layer from its error e: the error times the slope, or what was taken for it."""
    f, z, a = net.activations[layer - 1], net.Z[layer], net.A[layer]
    A, Z = f"a{layer}", f"z{layer}"
    yield Filling("", f"f'({Z})", through(f, a, e))
    if f == "softmax":
        yield Filling("softmax_diagonal_only", f"{A} * (1 - {A})", e * a * (1 - a))
    if f == "relu":
        yield Filling("relu_mask_ge_on_output", f"({A} >= 0)", e * (a >= 0))
        yield Filling("relu_backward_multiplies_by_value", f"relu({Z})", e * a)
        yield Filling("relu_applied_to_gradient", "relu(error)", np.maximum(e, 0))
        yield Filling("relu_applied_to_gradient", "(error > 0)", (e > 0) * 1.0)
    if f != "linear":
        yield Filling("missing_activation_derivative", "1", e)
        yield Filling("extra_activation_derivative", f"f'({Z}) ** 2", through(f, a, through(f, a, e)))
        yield Filling("derivative_applied_to_activation", f"f'({A})", through(f, value(f, a), e))
        yield Filling("activation_form_derivative_on_preactivation", form_text(f, Z), e * form(f, z))
    for other in ("sigmoid", "tanh", "relu"):
        if other != f:
            yield Filling("wrong_activation_derivative", f"{form_text(other, A)} of {other}", e * form(other, a))
            yield Filling("wrong_activation_derivative", f"{other}'({Z})", e * form(other, value(other, z)))
            yield Filling("wrong_activation_derivative", f"{other}'({A})", e * form(other, value(other, a)))
    for text, formula in WRONG_FORMULAS[f]:
        yield Filling("wrong_derivative_formula", text.format(a=A, z=Z), e * formula(z if f == "relu" else a))
        if f in ("sigmoid", "tanh"):
            yield Filling("wrong_derivative_formula", text.format(a=Z, z=Z), e * formula(z))
    for text, formula in WRONG_FORMULAS["sigmoid"][:4] if f == "tanh" else ():
        yield Filling("wrong_derivative_formula", text.format(a=A, z=Z), e * formula(a))
    if f != "linear":
        at_error = [("error", e), ("error", e * net.factor)]
        if layer == net.depth:
            at_error += [(f"({A} - y)", a - net.Y), (f"(y - {A})", net.Y - a), (f"({A} - y)", (a - net.Y) * net.factor)]
        for text, x in at_error[:: 1 if net.factor != 1 else 2] if layer < net.depth else at_error:
            yield Filling("derivative_at_error", form_text(f, text), e * form(f, x))
            yield Filling("derivative_at_error", f"f'({text})", e * form(f, value(f, x)))
        yield from _slopes_elsewhere(net, layer, e)


def _slopes_elsewhere(net: Network, layer: int, e: Array) -> Iterator[Filling]:
    f = net.activations[layer - 1]
    for other in range(net.depth, -1, -1):
        if other == layer:
            continue
        name = "derivative_at_layer_input" if other == layer - 1 else "derivative_at_wrong_layer"
        a, x = net.A[other], f"a{other}" if other else "X"
        yield from _filled(
            (name, form_text(f, x), lambda a=a: e * form(f, a)),
            (name, f"f'({x})", lambda a=a: e * form(f, value(f, a))),
        )
        if not other:  # X, the last of them, has no pre-activation and no slope of its own
            return
        z, own = net.Z[other], net.activations[other - 1]
        at_z = (
            (f"f'(z{other})", lambda z=z: e * form(f, value(f, z))),
            (f"{own}'(z{other})", lambda own=own, a=a: e * form(own, a)),
        )
        yield from _filled(*((name, *row) for row in at_z))
        if other == layer - 1:  # both names are right
            at_a = form_text(f, x), lambda a=a: e * form(f, a)
            yield from _filled(*(("derivative_at_wrong_layer", *row) for row in (at_a, *at_z)))


def form_text(activation: str, a: str) -> str:
    """`form` as one writes it."""
    texts = {
        "sigmoid": "{0} * (1 - {0})",
        "softmax": "{0} * (1 - {0})",
        "tanh": "1 - {0} ** 2",
        "relu": "({0} > 0)",
        "linear": "1",
    }
    return texts[activation].format(a)


class Sent(NamedTuple):
    """What an explanation says of the layer after: the delta it used, the error before its slope, its weight gradient."""

    delta: Array
    error: Array
    gradient: Array | None


def sent_back(net: Network, layer: int, after: Sent, deltas: Sequence[Array], rates: Sequence[float]) -> Iterator[Filling]:
    """The error of a hidden layer: what is sent back, and through which weights. `deltas` are of the layers after the next."""
    n = layer + 1
    W, shape, last = net.W[n], net.A[layer].shape, net.A[-1] - net.Y
    yield from _filled(
        ("", f"delta{n} @ W{n}.T", lambda: after.delta @ transposed(W)),
        ("error_propagated_without_delta", f"error{n} @ W{n}.T", lambda: after.error @ transposed(W)),
        ("upstream_gradient_dropped", f"1 @ W{n}.T", lambda: np.ones_like(after.delta) @ transposed(W)),
        ("upstream_gradient_dropped", f"1 @ W{n}.T", lambda: np.full_like(after.delta, 1 / net.factor) @ transposed(W)),
        ("upstream_gradient_dropped", "1", lambda: np.ones(shape)),
        ("upstream_gradient_dropped", "1", lambda: np.full(shape, 1 / net.factor)),
    )
    gradient = after.gradient
    if gradient is not None:
        for rate in rates:
            text = f"delta{n} @ (W{n} - {rate:g} * dW{n}).T"
            yield from _filled(("updated_weights_used", text, lambda r=rate: after.delta @ transposed(W - r * gradient)))
            text = f"delta{n} @ (W{n} + {rate:g} * dW{n}).T"
            yield from _filled(("updated_weights_used", text, lambda r=rate: after.delta @ transposed(W + r * gradient)))
        yield from _filled(("gradient_used_as_weight", f"delta{n} @ dW{n}.T", lambda: after.delta @ transposed(gradient)))
    yield from _filled(("missing_transpose", f"delta{n} @ W{n}", lambda: after.delta @ W))
    for text, sent in ((f"delta{n}", after.delta), (f"error{n}", after.error)):
        name = "upstream_not_propagated"
        yield from _filled(
            (name, text, lambda sent=sent: np.broadcast_to(sent, shape)),
            (name, f"{text} summed over its neurons", lambda sent=sent: np.broadcast_to(sent.sum(-1, keepdims=True), shape)),
            (name, f"{text} averaged over its neurons", lambda sent=sent: np.broadcast_to(sent.mean(-1, keepdims=True), shape)),
        )
    if n < net.depth:
        text = f"(a{net.depth} - y) @ W{n}.T"
        yield from _filled(("upstream_not_propagated", text, lambda: last @ transposed(W)))
        yield from _filled(("upstream_not_propagated", f"(a{net.depth} - y)", lambda: np.broadcast_to(last, shape)))
    for later, delta in enumerate(deltas, n + 1):
        name = "delta_of_wrong_layer"
        yield from _filled(
            (name, f"delta{later} @ W{n}.T", lambda delta=delta: delta @ transposed(W)),
            (name, f"delta{later} @ W{later}.T", lambda delta=delta, later=later: delta @ transposed(net.W[later])),
        )


def matrix_slopes(net: Network, layer: int, e: Array) -> Iterator[Filling]:
    """delta where error and slope were multiplied as matrices, which runs when the shapes happen to fit."""
    s, name = form(net.activations[layer - 1], net.A[layer]), "matmul_instead_of_elementwise"
    return _filled(
        (name, "error @ f'(z)", lambda: e @ s),
        (name, "f'(z) @ error", lambda: s @ e),
        (name, "error @ f'(z).T", lambda: e @ transposed(s)),
        (name, "f'(z) @ error.T", lambda: s @ transposed(e)),
        (name, "error @ f'(z).T @ error", lambda: e @ transposed(s) @ e),
        (name, "error @ (f'(z).T @ f'(z))", lambda: e @ (transposed(s) @ s)),
        (name, "(error.T @ f'(z)).T", lambda: transposed(transposed(e) @ s)),
        (name, "error.T @ f'(z)", lambda: transposed(e) @ s),
    )


def weight_gradients(net: Network, layer: int, delta: Array) -> Iterator[Filling]:
    """dW of a layer from its delta: the input factor, and how the two are multiplied."""
    before, W = net.A[layer - 1], net.W[layer]
    x, d = ("X" if layer == 1 else f"a{layer - 1}"), f"delta{layer}"
    shape = (len(delta), *W.shape)
    total = delta.sum(axis=-2, keepdims=True)
    yield from _filled(
        ("", f"{x}.T @ {d}", lambda: transposed(before) @ delta),
        ("transposed_gradient", f"{d}.T @ {x}", lambda: transposed(delta) @ before),
        ("own_output_as_input", f"a{layer}.T @ {d}", lambda: transposed(net.A[layer]) @ delta),
        ("missing_input_factor", f"{d} summed over the samples", lambda: np.broadcast_to(total, shape)),
        ("missing_input_factor", f"{d} summed over the samples", lambda: total),
        ("missing_input_factor", d, lambda: delta),
        ("missing_input_factor", f"{d}.T @ {d}", lambda: transposed(delta) @ delta),
        ("weight_as_input", f"W{layer} * {d} summed over the samples", lambda: W * total),
        ("weight_as_input", f"W{layer}.T @ {d}", lambda: transposed(W) @ delta),
        ("weight_as_input", f"W{layer} @ {d}.T", lambda: W @ transposed(delta)),
        ("weight_as_input", f"W{layer} @ {d}", lambda: W @ delta),
        ("weight_as_input", f"W{layer} @ ({d}.T @ {d})", lambda: W @ (transposed(delta) @ delta)),
        ("elementwise_instead_of_matmul", f"{x} * {d}", lambda: before * delta),
        ("elementwise_instead_of_matmul", f"{x}.T * {d}", lambda: transposed(before) * delta),
        ("elementwise_instead_of_matmul", f"the sum of {x} * {d}", lambda: (before * delta).sum(axis=-2)),
        ("elementwise_instead_of_matmul", f"the sum of {x}, times the sum of {d}",
         lambda: before.sum(axis=-2)[..., :, None] * total),
        ("elementwise_instead_of_matmul", f"the sum of {x} * {d}",
         lambda: np.broadcast_to((before * delta).sum(-2)[..., None], shape)),
        ("missing_transpose", f"{x} @ {d}", lambda: before @ delta),
        ("missing_transpose", f"{d} @ {x}", lambda: delta @ before),
        ("missing_transpose", f"{x} @ {d}.T", lambda: before @ transposed(delta)),
    )  # fmt: skip
    if layer > 1:
        yield from _filled(("preactivation_as_input", f"z{layer - 1}.T @ {d}", lambda: transposed(net.Z[layer - 1]) @ delta))
    for other in range(net.depth + 1):
        if other not in (layer - 1, layer):
            name = "X" if other == 0 else f"a{other}"
            yield from _filled(("input_of_wrong_layer", f"{name}.T @ {d}", lambda o=other: transposed(net.A[o]) @ delta))


def bias_gradients(_net: Network, layer: int, delta: Array) -> Iterator[Filling]:
    """db of a layer from its delta: the sum over the samples, or what was taken for it."""
    d, n = f"delta{layer}", delta.shape[-2]
    yield Filling("", f"{d} summed over the samples", delta.sum(axis=-2))
    yield Filling("bias_mean_instead_of_sum", f"mean of {d} over the samples", delta.sum(axis=-2) / n)
    yield Filling("bias_not_summed_over_batch", d, delta)
    yield Filling("bias_summed_over_wrong_axis", f"{d} summed over its neurons", delta.sum(axis=-1))
    yield Filling("bias_summed_over_wrong_axis", f"mean of {d} over its neurons", delta.mean(axis=-1))
    everything = delta.sum(axis=(-2, -1))
    yield Filling("bias_summed_over_all_axes", f"sum of all of {d}", everything)
    yield Filling(
        "bias_summed_over_all_axes", f"sum of all of {d}", np.broadcast_to(everything[..., None], (len(delta), delta.shape[-1]))
    )
    yield Filling("bias_summed_over_all_axes", f"mean of all of {d}", everything / (n * delta.shape[-1]))
    yield Filling("bias_not_summed_over_batch", f"{d} of the first sample", delta[..., 0, :])
    yield Filling("bias_not_summed_over_batch", f"{d} of the last sample", delta[..., -1, :])


def scales(n: int, k: int, loss: str, reduction: str, learning_rate: float | None) -> Sequence[tuple[str, str, float]]:
    """Factors by which a right gradient may be off, with their names, the likelier first."""
    found: list[tuple[str, str, float]] = [("sign_flipped", "-1", -1.0)]
    if reduction in ("samples", "all"):
        found.append(("missing_1_over_n", "n", float(n)))
    if reduction in ("outputs", "all") and k > 1:
        found.append(("missing_1_over_k", "k", float(k)))
    if loss == "squared_error":
        found.append(("missing_factor_2", "1/2", 0.5))
    found += [("extra_factor_2", "2", 2.0), ("extra_factor_4", "4", 4.0), ("extra_1_over_n", "1/n", 1 / n)]
    if loss != "squared_error":
        found.append(("missing_factor_2", "1/2", 0.5))
    if learning_rate is None:
        found += [("learning_rate_folded", f"{rate:g}", rate) for rate in (0.1, 0.01, 0.001, 0.05, 0.3)]
    elif learning_rate != 1:
        found.append(("learning_rate_folded", f"{learning_rate:g}", learning_rate))
    found += [("extra_1_over_k", "1/k", 1 / k), ("extra_factor_n", "n", float(n)), ("extra_factor_k", "k", float(k))]
    return [scale for scale in found if scale[2] != 1]


Slot = Callable[[Network, int, Any], Iterator[Filling]]
