"""The losses and slopes of a network as formulas, for the layer that they are about: the records, with its names."""

from __future__ import annotations

import numpy as np

from autograd.expressions import SYMBOLS, Expression, call, summed, symbol
from autograd.operations import OPERATIONS
from nn.activations import ACTIVATIONS, SOFTMAX
from nn.arrays import Array
from nn.derivation.notation import times
from nn.losses import LOSSES

Y = symbol("Y")


def predicted(loss: str, activation: str, layer: int) -> Expression:
    """p, what is compared with the targets: the activation of the last layer, or what the loss makes of a bare z."""
    canonical, z = LOSSES[loss].canonical, symbol(f"z{layer}")
    if canonical is None or canonical.name == activation:
        return symbol(f"a{layer}")
    return getattr(SYMBOLS, canonical.name)(z) if canonical.name in OPERATIONS else call(canonical.name, z)


def loss_formula(loss: str, activation: str, layer: int) -> Expression:
    """The loss."""
    return LOSSES[loss].formula(predicted(loss, activation, layer), Y)


def slope_formula(activation: str, layer: int) -> Expression | None:
    """The slope of the layer's activation; None if it is 1."""
    formula = ACTIVATIONS[activation].formula
    return None if formula is None else formula(symbol(f"a{layer}"), symbol(f"z{layer}"))


def last_delta_formula(loss: str, activation: str, layer: int, y: Array, axis: int) -> Expression:
    """Delta of the last layer; `axis` is that of the outputs, 0 for samples in columns.

    Softmax's formula is usually given for targets that sum to 1; where those of a sample do not, their sum is a factor.
    """
    chosen, p = LOSSES[loss], predicted(loss, activation, layer)
    if chosen.canonical is SOFTMAX and not np.allclose(y.sum(axis=1), 1, rtol=0, atol=1e-12):
        p = p * summed(Y, axis, keepdims=True)
    error, slope = chosen.delta(p, Y), slope_formula(activation, layer)
    return error if chosen.by_preactivation or slope is None else times(error, slope)


def last_delta_why(loss: str, activation: str, layer: int) -> str:
    """Where the formula of the last delta comes from, in words."""
    chosen = LOSSES[loss]
    if chosen.by_preactivation or ACTIVATIONS[activation].formula is None:
        return chosen.why
    a, z = f"a{layer}", f"z{layer}"
    return f"{chosen.why} C depends on {z} only through {a} = {activation}({z}), so the slope of {activation} is a factor."
