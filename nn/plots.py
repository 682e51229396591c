"""Pictures of a training, by matplotlib (extra `plots`); each function returns the figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nn.arrays import Array, array, generator
from nn.matrix import MatrixMLP

COLOURS = ["#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]  # Okabe & Ito: the colour-blind tell them apart


def _axes(rows: int = 1) -> Any:
    try:
        from matplotlib.figure import Figure  # no window and no global state, as pyplot has
    except ImportError:
        raise ModuleNotFoundError("plots need matplotlib: pip install 'chainrule[plots]'") from None
    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    axes = figure.subplots(rows, 1, sharex=True, squeeze=False, height_ratios=[3, 1][:rows])[:, 0]
    for each in axes:
        each.spines[["top", "right"]].set_visible(False)
    return figure, *axes


def plot_history(history: Any) -> Any:
    """The losses over the steps, those on the validation data too, and below them the learning rate; `history.plot()`."""
    figure, above, below = _axes(2)
    for losses, name, colour in ((history.losses, "training", 1), (history.validation, "validation", 0)):
        if losses:
            above.plot(history.steps, losses, color=COLOURS[colour], label=name)
    if history.validation and np.ndim(history.losses) == 1:
        above.legend(frameon=False)
    above.set(ylabel="loss", yscale="log" if np.min(history.losses) > 0 else "linear")
    below.plot(history.steps, history.learning_rates, color=COLOURS[2])
    below.set(xlabel="step", ylabel="learning rate")
    return figure


def plot_boundary(model: Any, X: Any, Y: Any, points: int = 200) -> Any:
    """Which class the model gives to each place of the plane, and the samples X, (n, 2), in the colours of their labels Y."""
    x, y = array(X, "X", (2,)), array(Y, "Y", (1, 2))
    if x.shape[1] != 2:
        raise ValueError(f"X has shape {x.shape}; a boundary is drawn for two inputs, (n, 2)")
    labels = y.argmax(axis=1) if y.ndim == 2 and y.shape[1] > 1 else y.ravel().clip(0).astype(int)  # -1 and 1 as 0 and 1
    sides = [np.linspace(a.min() - 0.1 * np.ptp(a), a.max() + 0.1 * np.ptp(a), points) for a in x.T]
    found = model.classify(np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2)).reshape(points, points)
    figure, axes = _axes()
    classes = max(int(found.max()), int(labels.max())) + 1
    colours = (COLOURS * (classes // 6 + 1))[:classes]
    axes.contourf(*sides, found, levels=np.arange(-0.5, classes), colors=colours, alpha=0.25)
    axes.scatter(*x.T, c=[colours[label] for label in labels], edgecolors="white", linewidths=0.5, s=28)
    axes.set(xlabel="x[0]", ylabel="x[1]", aspect="equal")
    return figure


def plot_surface(
    model: MatrixMLP,
    X: Any,
    Y: Any,
    loss: str = "half_squared_error",
    path: Sequence[Array] = (),
    points: int = 41,
    rng: Any = 0,
) -> Any:
    """The loss around the weights of the model over two directions, as contours of its logarithm.

    `path` are the flat weights along a training, `np.concatenate([a.ravel() for a in (*m.weights, *(m.biases or ()))])`. It is
    drawn, and the directions are its first two principal components (Li et al., NeurIPS 2018, section 7); without a path
    they are random, by `rng`, and reach as far as the weights are long.
    """
    arrays = [*model.weights, *(model.biases or ())]
    here = np.concatenate([a.ravel() for a in arrays])
    steps = np.array([*path, here]) - here
    random = np.linalg.qr(generator(rng).normal(size=(here.size, 2)))[0].T
    directions = np.linalg.svd(steps, full_matrices=False)[2][:2] if len(path) > 1 else random
    along = steps @ directions.T
    reach = 1.2 * np.abs(along).max(axis=0) if len(path) > 1 else [np.linalg.norm(here)] * 2
    sides = [np.linspace(-r, r, points) for r in reach]
    flat = here + (np.stack(np.meshgrid(*sides), axis=-1) @ directions).reshape(points**2, -1)  # a stack of networks
    parts = np.split(flat, np.cumsum([a.size for a in arrays])[:-1], axis=1)
    shaped = [part.reshape(-1, *a.shape) for part, a in zip(parts, arrays, strict=True)]
    depth = len(model.weights)
    losses = MatrixMLP(shaped[:depth], shaped[depth:] or None, model.activations).gradients(X, Y, loss).loss
    figure, axes = _axes()
    shown = axes.contourf(*sides, np.log10(np.maximum(losses, 1e-300)).reshape(points, points), 25, cmap="viridis")
    figure.colorbar(shown, label=f"log10 {loss}")
    axes.plot(*along.T, color="white", marker=".", markersize=4, linewidth=1)
    axes.set(xlabel="first direction", ylabel="second direction")
    return figure
