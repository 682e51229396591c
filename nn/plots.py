"""Pictures of a training, by matplotlib (extra `plots`); each function returns the figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nn.arrays import Array, array
from nn.matrix import MatrixMLP

BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"  # Okabe & Ito: told apart by the colour-blind too


def _axes(rows: int = 1) -> Any:
    try:
        from matplotlib.figure import Figure  # no window and no global state, as pyplot has
    except ImportError:
        raise ModuleNotFoundError("plots need matplotlib: pip install 'chainrule[plots]'") from None
    figure = Figure(figsize=(6.4, 4.2 if rows == 1 else 5.2), layout="constrained")
    axes = figure.subplots(rows, 1, sharex=True, squeeze=False, height_ratios=[3, 1][:rows])[:, 0]
    for each in axes:
        each.spines[["top", "right"]].set_visible(False)
    return figure, axes


def plot_history(history: Any) -> Any:
    """The losses over the steps, those on the validation data too, and below them the learning rate."""
    figure, (above, below) = _axes(2)
    scale = "log" if min(np.min(history.losses), *map(np.min, history.validation or [1])) > 0 else "linear"
    above.plot(history.steps, history.losses, color=BLUE, label="training")
    if history.validation:
        above.plot(history.steps, history.validation, color=ORANGE, label="validation")
        above.legend(frameon=False)
    above.set(yscale=scale, ylabel="loss")
    below.plot(history.steps, history.learning_rates, color=GREEN)
    below.set(xlabel="step", ylabel="learning rate", ylim=(0, None) if min(history.learning_rates) >= 0 else None)
    return figure


def plot_boundary(model: Any, X: Any, Y: Any, points: int = 200) -> Any:
    """What the model says at each place of the plane, and the samples X, (n, 2), in the colours of their labels Y."""
    x, y = array(X, "X", (2,)), array(Y, "Y", (1, 2))
    if x.shape[1] != 2:
        raise ValueError(f"X has shape {x.shape}; a boundary is drawn for two inputs, (n, 2)")
    labels = y.argmax(axis=1) if y.ndim == 2 and y.shape[1] > 1 else y.ravel().clip(0).astype(int)  # -1 and 1 as 0 and 1
    sides = [np.linspace(a.min() - 0.1 * np.ptp(a), a.max() + 0.1 * np.ptp(a), points) for a in x.T]
    grid = np.stack(np.meshgrid(*sides), axis=-1)
    found = model.classify(grid.reshape(-1, 2)).reshape(points, points)
    figure, (axes,) = _axes()
    classes = max(int(found.max()), int(labels.max())) + 1
    colours = ([ORANGE, BLUE, GREEN, "#CC79A7", "#E69F00", "#56B4E9"] * (classes // 6 + 1))[:classes]
    axes.contourf(*sides, found, levels=np.arange(-0.5, classes), colors=colours, alpha=0.25)
    axes.scatter(*x.T, c=[colours[int(label)] for label in labels], edgecolors="white", linewidths=0.5, s=28)
    axes.set(xlabel="x[0]", ylabel="x[1]", aspect="equal")
    return figure


def plot_surface(
    model: MatrixMLP, X: Any, Y: Any, loss: str = "half_squared_error", path: Sequence[Array] = (), **options: Any
) -> Any:
    """The loss around the weights of the model, over two directions: contours of its logarithm.

    `path` are the flat weights along a training, `np.concatenate([a.ravel() for a in (*m.weights, *(m.biases or ()))])`; the
    directions are then the first two principal components of the path, which is drawn (Li et al., NeurIPS 2018, section
    7); without it they are random, as long as the weights. `options`: `points` each way, `rng`, `span` (1 is that length).
    """
    points, span = options.pop("points", 41), options.pop("span", 1.0)
    random = np.random.default_rng(options.pop("rng", 0))
    if options:
        raise TypeError(f"plot_surface has no option {', '.join(options)}; it has points, rng and span")
    arrays = [*model.weights, *(model.biases or ())]
    here = np.concatenate([a.ravel() for a in arrays])
    steps = np.array([*path, here]) - here
    directions = (
        np.linalg.svd(steps, full_matrices=False)[2][:2]
        if len(path) > 1
        else np.linalg.qr(random.normal(size=(len(here), 2)))[0].T
    )
    along = steps @ directions.T
    reach = 1.2 * np.abs(along).max(axis=0) if len(path) > 1 else np.full(2, np.linalg.norm(here))
    sides = [span * np.linspace(-r, r, points) for r in np.maximum(reach, 1e-12)]
    ends = np.cumsum([a.size for a in arrays])[:-1]
    losses = np.empty((points, points))
    for i, j in np.ndindex(losses.shape):
        moved = [
            a.reshape(like.shape)
            for a, like in zip(
                np.split(here + sides[0][j] * directions[0] + sides[1][i] * directions[1], ends), arrays, strict=True
            )
        ]
        losses[i, j] = (
            MatrixMLP(moved[: len(model.weights)], moved[len(model.weights) :] or None, model.activations)
            .gradients(X, Y, loss)
            .loss
        )
    figure, (axes,) = _axes()
    shown = axes.contourf(*sides, np.log10(np.maximum(losses, 1e-300)), 25, cmap="viridis")
    figure.colorbar(shown, label=f"log10 {loss}")
    axes.plot(*along.T, color="white", marker=".", markersize=4, linewidth=1)
    axes.set(xlabel="first direction", ylabel="second direction")
    return figure
