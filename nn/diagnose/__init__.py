"""Which mistake does a hand-written backward pass make?

The gradients that it returns are numbers; a mistake is a part of the derivation filled with the wrong thing. So every
filling of every part is tried, from the output layer back, fewest wrong parts first, until the numbers are reproduced on
several data sets: then the wrong parts are the mistakes. From the bottom up: `problem` (what is asked, and what it may mean),
`network`, `formulas` (their language), `mistakes` (the records), `gradients` (what was returned), `watch`, `readings` (which
conventions are meant), `penalties`, `explanations`, `parts`, `scales`, `search`, `messages`, `report`,
the line to mend (`vocabulary`, `source`), `diagnosis`.

The derivation, for samples in rows, line by line (Nielsen 2015, chapter 2, BP1 to BP4):
    (1) delta of the last layer = dC/da * f'(z)            (2) delta = (delta_after @ W_after.T) * f'(z)
    (3) dW = a_before.T @ delta                            (4) db = delta, summed over the samples
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nn.diagnose.diagnosis import Diagnosis
from nn.diagnose.problem import AUTO, checked
from nn.diagnose.report import Finding as Finding
from nn.diagnose.report import Report as Report


def diagnose(
    backward: Any,
    params: Mapping[str, Any],
    X: Any,
    Y: Any,
    activations: Sequence[str] | str = AUTO,
    loss: str = AUTO,
    reduction: str = AUTO,
    samples: str = AUTO,
    weights: str = AUTO,
    learning_rate: float | str | None = None,
    penalty: Any = AUTO,
) -> Report:
    """Name the mistakes of a hand-written backward pass.

    `params` is {"W1": ..., "b1": ..., "W2": ...}, biases optional, of shape (k,), (1, k) or (k, 1). `backward` is a function
    (params, X, Y) -> {"dW1": ..., "db1": ..., ...}, called on the given data and on fresh data of the same shapes, or that
    dictionary itself; a tuple of gradients is taken in the order in which the shapes fit.

    What is left out, or "auto", is read so that the pass is right, if it can be, and the report says as what; what is stated
    wins. `activations`: one per layer, of those of MLP, and softmax for the last. `loss`: squared_error,
    half_squared_error, binary_cross_entropy or softmax_cross_entropy, as a sum, or mean_squared_error or huber, as a mean over
    samples and outputs. `reduction` says over what it is averaged: "sum" (nothing else), "samples" (1/n), "outputs" (1/k),
    "all". `samples` are "rows" or "columns" of X and Y; `weights` are "in_out" (Z = A @ W) or "out_in". `learning_rate`, if
    known, is looked for where it does not belong. `penalty` c is an L2 penalty that adds c * W to every dW; (c, True) adds
    c * b to every db too; 0 is none.

    Raises `ValueError` and `TypeError` for arguments that do not fit; whatever `backward` does or returns is part of the
    diagnosis.

    >>> def backward(p, X, Y):
    ...     a1 = 1 / (1 + np.exp(-X @ p["W1"]))
    ...     a2 = 1 / (1 + np.exp(-a1 @ p["W2"]))
    ...     delta2 = a2 - Y                                      # ... * a2 * (1 - a2)
    ...     delta1 = delta2 @ p["W2"].T * a1 * (1 - a1)
    ...     return {"dW1": X.T @ delta1, "dW2": a1.T @ delta2}
    >>> random = np.random.default_rng(0)
    >>> params = {"W1": random.normal(size=(3, 4)), "W2": random.normal(size=(4, 1))}
    >>> data = random.normal(size=(5, 3)), random.random((5, 1))
    >>> report = diagnose(backward, params, *data, loss="half_squared_error")
    >>> [(f.mistake, f.layer, f.gradient, f.consequences) for f in report.findings]
    [('missing_activation_derivative', 2, 'dW2', ('dW1',))]
    >>> diagnose(backward, params, *data).ok                     # for it is right for cross-entropy
    True
    """
    options = {"activations": activations, "loss": loss, "reduction": reduction, "samples": samples, "weights": weights}
    with np.errstate(all="ignore"):
        given = checked(params, X, Y, {**options, "learning_rate": learning_rate, "penalty": penalty})
        if not (isinstance(backward, Mapping) or callable(backward)):
            raise TypeError(
                f"backward: {backward!r:.80} is neither a function (params, X, Y) -> gradients nor a dictionary of them"
            )
        return Diagnosis(given, backward).report()
