"""Handwritten digits: a 64-64-10 network on scikit-learn's 1,797 images of 8 x 8 pixels, by mini-batches and Adam.

Needs the extra: pip install '.[examples]'. Run it: python examples/digits.py. It prints the share of held-out digits that
are read right, and plots the loss and the digits that are not to digits.png, in the folder given as an
argument or else here.
"""

import sys
import time
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import nn

mpl.use("Agg")  # a file, no window
import matplotlib.pyplot as plt  # has to come after the choice of backend

BLUE, ORANGE = "#0072B2", "#D55E00"


def plot(history: nn.History, images: NDArray[Any], read: NDArray[Any], meant: NDArray[Any]) -> Path:
    wrong = np.flatnonzero(read != meant)[:10]
    figure = plt.figure(figsize=(10, 4.2), layout="constrained")
    left, right = np.asarray(figure.subfigures(1, 2, width_ratios=(1, 1.2)))
    axes = left.subplots()
    axes.semilogy(history.steps, history.losses, color=BLUE, label="trained on")
    axes.semilogy(history.steps, history.validation, color=ORANGE, label="held out")
    axes.legend(frameon=False)
    axes.set(xlabel="step", ylabel="softmax cross-entropy", title="Loss")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    right.suptitle(f"Read wrong: {np.sum(read != meant)} of {len(meant)} held-out digits")
    for cell, i in zip(right.subplots(2, 5).flat, wrong, strict=False):
        cell.imshow(images[i].reshape(8, 8), cmap="gray_r")
        cell.set_title(f"{meant[i]} read as {read[i]}", fontsize=10, color=ORANGE)
    for cell in right.axes:
        cell.axis("off")
    path = Path(*sys.argv[1:]) / "digits.png"
    figure.savefig(path, dpi=120)
    return path


def main() -> None:
    digits = load_digits()
    pixels = digits.data / 16
    split = train_test_split(pixels, digits.target, test_size=0.25, random_state=0, stratify=digits.target)
    X, X_held_out, meant_train, meant = split
    model = nn.MatrixMLP.random([64, 64, 10], activations=("relu", "softmax"), rng=0)
    start = time.perf_counter()
    history = nn.fit(
        model,
        X,
        meant_train,
        epochs=60,
        learning_rate=3e-3,
        loss="softmax_cross_entropy",
        optimizer="adam",
        batch_size=32,
        weight_decay=1e-3,
        schedule="cosine",
        validation=(X_held_out, meant),
        rng=0,
    )
    seconds = time.perf_counter() - start
    read = model.classify(X_held_out)
    print(f"trained on {len(X)} digits, {history.steps[-1]} steps in {seconds:.1f} s; loss {history.losses[-1]:.4f}")
    print(f"read right: {model.score(X_held_out, meant):.1%} of {len(meant)} held-out digits")
    print(f"plot: {plot(history, X_held_out, read, meant).name}")


if __name__ == "__main__":
    main()
