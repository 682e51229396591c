"""The other parts of a hand-written backward pass: what is sent back, the gradients of weights and biases, factors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from nn.arrays import Array, transposed
from nn.diagnose.fillings import Filling, filled
from nn.diagnose.network import Network
from nn.losses import Loss


class Sent(NamedTuple):
    """What an explanation says of the layer after: the delta it used, the error before its slope, its weight gradient."""

    delta: Array
    error: Array
    gradient: Array | None


def sent_back(net: Network, layer: int, after: Sent, deltas: Sequence[Array], rates: Sequence[float]) -> Iterator[Filling]:
    """The error of a hidden layer: what is sent back, and through which weights. `deltas` are of the layers after the next."""
    n = layer + 1
    W, shape, last = net.W[n], net.A[layer].shape, net.A[-1] - net.Y
    yield from filled(
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
            yield from filled(("updated_weights_used", text, lambda r=rate: after.delta @ transposed(W - r * gradient)))
            text = f"delta{n} @ (W{n} + {rate:g} * dW{n}).T"
            yield from filled(("updated_weights_used", text, lambda r=rate: after.delta @ transposed(W + r * gradient)))
        yield from filled(("gradient_used_as_weight", f"delta{n} @ dW{n}.T", lambda: after.delta @ transposed(gradient)))
    yield from filled(("missing_transpose", f"delta{n} @ W{n}", lambda: after.delta @ W))
    for text, sent in ((f"delta{n}", after.delta), (f"error{n}", after.error)):
        name = "upstream_not_propagated"
        yield from filled(
            (name, text, lambda sent=sent: np.broadcast_to(sent, shape)),
            (name, f"{text} summed over its neurons", lambda sent=sent: np.broadcast_to(sent.sum(-1, keepdims=True), shape)),
            (name, f"{text} averaged over its neurons", lambda sent=sent: np.broadcast_to(sent.mean(-1, keepdims=True), shape)),
        )
    if n < net.depth:
        text = f"(a{net.depth} - y) @ W{n}.T"
        yield from filled(("upstream_not_propagated", text, lambda: last @ transposed(W)))
        yield from filled(("upstream_not_propagated", f"(a{net.depth} - y)", lambda: np.broadcast_to(last, shape)))
    for later, delta in enumerate(deltas, n + 1):
        name = "delta_of_wrong_layer"
        yield from filled(
            (name, f"delta{later} @ W{n}.T", lambda delta=delta: delta @ transposed(W)),
            (name, f"delta{later} @ W{later}.T", lambda delta=delta, later=later: delta @ transposed(net.W[later])),
        )


def weight_gradients(net: Network, layer: int, delta: Array) -> Iterator[Filling]:
    """dW of a layer from its delta: the input factor, and how the two are multiplied."""
    before, W = net.A[layer - 1], net.W[layer]
    x, d = ("X" if layer == 1 else f"a{layer - 1}"), f"delta{layer}"
    shape = (len(delta), *W.shape)
    total = delta.sum(axis=-2, keepdims=True)
    yield from filled(
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
        yield from filled(("preactivation_as_input", f"z{layer - 1}.T @ {d}", lambda: transposed(net.Z[layer - 1]) @ delta))
    for other in range(net.depth + 1):
        if other not in (layer - 1, layer):
            name = "X" if other == 0 else f"a{other}"
            yield from filled(("input_of_wrong_layer", f"{name}.T @ {d}", lambda o=other: transposed(net.A[o]) @ delta))


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


def scales(n: int, k: int, loss: Loss, reduction: str, learning_rate: float | None) -> Sequence[tuple[str, str, float]]:
    """Factors by which a right gradient may be off, with their names, the likelier first."""
    found: list[tuple[str, str, float]] = [("sign_flipped", "-1", -1.0)]
    if reduction in ("samples", "all"):
        found.append(("missing_1_over_n", "n", float(n)))
    if reduction in ("outputs", "all") and k > 1:
        found.append(("missing_1_over_k", "k", float(k)))
    doubled = not loss.by_preactivation and float(loss.error(np.array(0.5), np.array(0.0))) == 1.0  # as 2 * (a - y) is
    if doubled:
        found.append(("missing_factor_2", "1/2", 0.5))
    found += [("extra_factor_2", "2", 2.0), ("extra_factor_4", "4", 4.0), ("extra_1_over_n", "1/n", 1 / n)]
    if not doubled:
        found.append(("missing_factor_2", "1/2", 0.5))
    if learning_rate is None:
        found += [("learning_rate_folded", f"{rate:g}", rate) for rate in (0.1, 0.01, 0.001, 0.05, 0.3)]
    elif learning_rate != 1:
        found.append(("learning_rate_folded", f"{learning_rate:g}", learning_rate))
    found += [("extra_1_over_k", "1/k", 1 / k), ("extra_factor_n", "n", float(n)), ("extra_factor_k", "k", float(k))]
    return [scale for scale in found if scale[2] != 1]
