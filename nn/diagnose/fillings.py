"""What a hand-written backward pass is made of, and what people put there instead: the delta of a layer.

A backward pass is a row of parts: the error, the slope it is multiplied with, what is sent back and through which weights,
the input factor of a weight gradient, the sum of a bias gradient. For each part there is a generator, here or in `lines`. It
yields the right filling first and then every wrong one that happens to be in scope, with its name and the formula as one
would write it. Everything is computed and nothing is parsed, so a mistake is recognised by its numbers in any style of
code, and two mistakes with equal numbers look the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from autograd.expressions import Expression, as_text, symbol
from autograd.expressions.printer import SUM
from nn.activations import ACTIVATIONS, SOFTMAX, Activation
from nn.arrays import Array, transposed
from nn.diagnose.mistakes import WRONG_SLOPES
from nn.diagnose.network import Network

RELU, LINEAR, TANH, SIGMOID = (ACTIVATIONS[name] for name in ("relu", "linear", "tanh", "sigmoid"))


class Filling(NamedTuple):
    """What may stand in a part: its name as a mistake (empty if it is right), its formula, its numbers."""

    mistake: str
    formula: str
    numbers: Array


Row = tuple[str, str, Callable[..., Array]]


def filled(*rows: Row) -> Iterator[Filling]:
    """Each row's numbers, where its shapes allow them: much of what is wrong does not even fit."""
    for mistake, formula, compute in rows:
        try:  # a tenth of a search faster than `suppress`
            numbers = compute()
        except ValueError:
            continue
        yield Filling(mistake, formula, numbers)


def errors(net: Network) -> Iterator[Filling]:
    """dC/da at the outputs."""
    a, y = net.A[-1], net.Y
    name = f"a{net.depth}"
    yield Filling("", f"dC/d{name}", net.E[-1])
    yield Filling("missing_error_factor", "1", np.ones_like(a))
    yield Filling("missing_error_factor", "1", np.full_like(a, 1 / net.factor))  # the average went with the error
    if net.loss.canonical is SIGMOID:
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
    yield Filling("wrong_loss_derivative", "the loss itself", net.loss.terms(a, y))
    if not (net.loss.by_preactivation or _squared(net)):
        yield Filling("wrong_loss_derivative", f"{name} - y", a - y)
    yield Filling("missing_error_factor", name, a)
    yield Filling("missing_error_factor", "y", y)


def whole_deltas(net: Network) -> Iterator[Filling]:
    """delta of the output layer where it is not put together as error times slope."""
    a, y, name = net.A[-1], net.Y, f"a{net.depth}"
    if net.loss.by_preactivation:
        yield Filling("se_delta_with_ce", f"({name} - y) * {name} * (1 - {name})", (a - y) * a * (1 - a))
        yield Filling("se_delta_with_ce", f"({name} - y) times the Jacobian", net.activations[-1].through(a, a - y))
        yield Filling("wrong_loss_derivative", f"abs({name} - y)", np.abs(a - y))
        yield Filling("wrong_loss_derivative", f"({name} - y) ** 2", (a - y) ** 2)
        yield Filling("wrong_loss_derivative", f"sign({name} - y)", np.sign(a - y))
        yield Filling("wrong_loss_derivative", f"{name} + y", a + y)
        yield Filling("missing_error_factor", name, a)
    elif _squared(net):
        yield Filling("ce_delta_with_se", f"{name} - y", a - y)


def _squared(net: Network) -> bool:
    """Whether the loss is a squared error: its derivative is a multiple of a - y."""
    error, difference = net.E[-1], net.A[-1] - net.Y
    largest = np.abs(difference).argmax()
    return bool(np.allclose(error * difference.flat[largest], difference * error.flat[largest], rtol=1e-9))


def slopes(net: Network, layer: int, e: Array) -> Iterator[Filling]:
    """delta of a layer from its error e: the error times the slope, or what was taken for it."""
    f, z, a = net.activations[layer - 1], net.Z[layer], net.A[layer]
    A, Z = symbol(f"a{layer}"), symbol(f"z{layer}")
    yield Filling("", f"f'({Z})", f.through(a, e))
    if f is SOFTMAX:
        yield Filling("softmax_diagonal_only", f"{A} * (1 - {A})", e * a * (1 - a))
    if f is RELU:
        yield Filling("relu_mask_ge_on_output", f"({A} >= 0)", e * (a >= 0))
        yield Filling("relu_backward_multiplies_by_value", f"relu({Z})", e * a)
        yield Filling("relu_applied_to_gradient", "relu(error)", np.maximum(e, 0))
        yield Filling("relu_applied_to_gradient", "(error > 0)", (e > 0) * 1.0)
    if f is not LINEAR:
        yield Filling("missing_activation_derivative", "1", e)
        yield Filling("extra_activation_derivative", f"f'({Z}) ** 2", f.through(a, f.through(a, e)))
        yield Filling("derivative_applied_to_activation", f"f'({A})", f.through(f.of(a), e))
        yield Filling("activation_form_derivative_on_preactivation", slope_text(f, Z), e * f.slope_at(z))
    for other in ACTIVATIONS.values():
        if other not in (f, LINEAR):
            name = other.name
            yield Filling("wrong_activation_derivative", f"{slope_text(other, A)} of {name}", e * other.slope_at(a))
            yield Filling("wrong_activation_derivative", f"{name}'({Z})", e * other.slope_at(other.of(z)))
            yield Filling("wrong_activation_derivative", f"{name}'({A})", e * other.slope_at(other.of(a)))
    for text, formula in WRONG_SLOPES.get(f.name, ()):
        yield Filling("wrong_derivative_formula", text.format(a=A, z=Z), e * formula(z if f is RELU else a))
        if f in (SIGMOID, TANH):
            yield Filling("wrong_derivative_formula", text.format(a=Z, z=Z), e * formula(z))
    for text, formula in WRONG_SLOPES["sigmoid"][:4] if f is TANH else ():
        yield Filling("wrong_derivative_formula", text.format(a=A, z=Z), e * formula(a))
    if f is not LINEAR:
        error, y = symbol("error"), symbol("y")
        at_error = [(error, e), (error, e * net.factor)]
        if layer == net.depth:
            at_error += [(A - y, a - net.Y), (y - A, net.Y - a), (A - y, (a - net.Y) * net.factor)]
        for taken, x in at_error[:: 1 if net.factor != 1 else 2] if layer < net.depth else at_error:
            yield Filling("derivative_at_error", slope_text(f, taken), e * f.slope_at(x))
            yield Filling("derivative_at_error", f"f'({as_text(taken)})", e * f.slope_at(f.of(x)))
        yield from _slopes_elsewhere(net, layer, e)


def _slopes_elsewhere(net: Network, layer: int, e: Array) -> Iterator[Filling]:
    f = net.activations[layer - 1]
    for other in range(net.depth, -1, -1):
        if other == layer:
            continue
        name = "derivative_at_layer_input" if other == layer - 1 else "derivative_at_wrong_layer"
        a, x = net.A[other], symbol(f"a{other}" if other else "X")
        yield from filled(
            (name, slope_text(f, x), lambda a=a: e * f.slope_at(a)),
            (name, f"f'({x})", lambda a=a: e * f.slope_at(f.of(a))),
        )
        if not other:  # X, the last of them, has no pre-activation and no slope of its own
            return
        z, own = net.Z[other], net.activations[other - 1]
        at_z = (
            (f"f'(z{other})", lambda z=z: e * f.slope_at(f.of(z))),
            (f"{own.name}'(z{other})", lambda own=own, a=a: e * own.slope_at(a)),
        )
        yield from filled(*((name, *row) for row in at_z))
        if other == layer - 1:  # both names are right
            at_a = slope_text(f, x), lambda a=a: e * f.slope_at(a)
            yield from filled(*(("derivative_at_wrong_layer", *row) for row in (at_a, *at_z)))


def slope_text(activation: Activation, a: Expression) -> str:
    """The slope of an activation, as one writes it with whatever stands for the output.

    >>> slope_text(ACTIVATIONS["sigmoid"], symbol("a2")), slope_text(ACTIVATIONS["relu"], symbol("a2"))
    ('a2 * (1 - a2)', '(a2 > 0)')
    """
    if activation.formula is None:
        return "1"
    return as_text(activation.formula(a, a), SUM)


def matrix_slopes(net: Network, layer: int, e: Array) -> Iterator[Filling]:
    """delta where error and slope were multiplied as matrices, which runs when the shapes happen to fit."""
    s, name = net.activations[layer - 1].slope_at(net.A[layer]), "matmul_instead_of_elementwise"
    return filled(
        (name, "error @ f'(z)", lambda: e @ s),
        (name, "f'(z) @ error", lambda: s @ e),
        (name, "error @ f'(z).T", lambda: e @ transposed(s)),
        (name, "f'(z) @ error.T", lambda: s @ transposed(e)),
        (name, "error @ f'(z).T @ error", lambda: e @ transposed(s) @ e),
        (name, "error @ (f'(z).T @ f'(z))", lambda: e @ (transposed(s) @ s)),
        (name, "(error.T @ f'(z)).T", lambda: transposed(transposed(e) @ s)),
        (name, "error.T @ f'(z)", lambda: transposed(e) @ s),
    )
