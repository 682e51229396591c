"""The losses and slopes of a network as formulas: NumPy code, for the layer that it is about.

What `nn.losses` and `nn.matrix` compute stands here as it is written on paper; the tests run these formulas as code and hold
them to the numbers. The slopes are the rows of the engine's table.
"""

from __future__ import annotations

import re

import numpy as np

from autograd.derivation.dialects import as_text
from autograd.symbols import symbol
from nn.activations import ACTIVATIONS
from nn.arrays import Array
from nn.derivation.notation import bracketed
from nn.losses import LOSSES


def predicted(loss: str, activation: str, layer: int) -> str:
    """p, what is compared with the targets: the activation of the last layer, or what the loss makes of a bare z.

    >>> predicted("half_squared_error", "tanh", 2), predicted("binary_cross_entropy", "linear", 2)
    ('a2', 'sigmoid(z2)')
    """
    canonical = LOSSES[loss].canonical
    return f"a{layer}" if canonical is None or canonical.name == activation else f"{canonical.name}(z{layer})"


def loss_formula(loss: str, activation: str, layer: int) -> str:
    """The loss.

    >>> loss_formula("half_squared_error", "sigmoid", 2)
    '((a2 - Y) ** 2).sum() / 2'
    """
    return _with(LOSSES[loss].formula, predicted(loss, activation, layer))


def _with(formula: str, p: str) -> str:
    return re.sub(r"\bp\b", p, formula)


def slope_formula(activation: str, layer: int) -> str:
    """The slope of the layer's activation as a factor, from the table of rules; nothing for a linear layer.

    >>> slope_formula("sigmoid", 2), slope_formula("relu", 1), slope_formula("linear", 1)
    (' * a2 * (1 - a2)', ' * (z1 > 0)', '')
    """
    formula = ACTIVATIONS[activation].formula
    if formula is None:
        return ""
    slope = formula(symbol(f"a{layer}"), symbol(f"z{layer}"))
    return f" * {bracketed(as_text(slope))}".replace("[", "(").replace("]", ")")  # a step is a mask in NumPy


def last_delta_formula(loss: str, activation: str, layer: int, y: Array, axis: int) -> str:
    """Delta of the last layer; `axis` is that of the outputs, 0 for samples in columns.

    Where the targets of a sample do not sum to 1, as the formula of softmax that one knows wants it, their sum is a factor.

    >>> last_delta_formula("half_squared_error", "sigmoid", 2, np.ones((4, 1)), axis=1)
    '(a2 - Y) * a2 * (1 - a2)'
    """
    p = predicted(loss, activation, layer)
    if loss == "softmax_cross_entropy" and not np.allclose(y.sum(axis=1), 1, rtol=0, atol=1e-12):
        p += f" * Y.sum(axis={axis}, keepdims=True)"
    error = _with(LOSSES[loss].delta, p)
    return error if LOSSES[loss].by_preactivation else error + slope_formula(activation, layer)


def last_delta_why(loss: str, activation: str, layer: int) -> str:
    """Where the formula of the last delta comes from, in words.

    >>> print(last_delta_why("half_squared_error", "tanh", 2))
    The 2 of the square and the 1/2 of C cancel. C depends on z2 only through a2 = tanh(z2), so the slope of tanh is a factor.
    """
    if LOSSES[loss].by_preactivation or activation == "linear":
        return LOSSES[loss].why
    a, z = f"a{layer}", f"z{layer}"
    return (
        f"{LOSSES[loss].why} C depends on {z} only through {a} = {activation}({z}), so the slope of {activation} is a factor."
    )
