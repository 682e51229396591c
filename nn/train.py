"""The fast loop: `fit` checks what it is given, then runs the descent and stops where something is recorded or saved.

What a step does stands in `nn.descent`, what the file of a run holds in `nn.files.checkpoint`. Between two stops only the loss
is checked, for being finite, so a run that nobody watches costs nothing.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from nn.arrays import Array, check_finite, objects, whole
from nn.descent import History, Run
from nn.files.checkpoint import Checkpoint
from nn.losses import Loss, loss_named
from nn.matrix import MatrixMLP


def fit(
    model: MatrixMLP,
    X: Any,
    Y: Any,
    steps: int,
    learning_rate: float,
    loss: str = "half_squared_error",
    report_every: int | None = None,
    progress: bool = False,
    checkpoint: Any = None,
    checkpoint_every: int | None = None,
) -> History:
    """Train `model` in place by `steps` steps of gradient descent on all samples: W -= learning_rate * dW.

    X is (n, d), Y is (n, k), all finite; half_squared_error is a sum, the other losses are means (`MatrixMLP.gradients`), so
    their steps want a larger rate. The model may be R stacked networks, which train at once. The history has an entry before
    step 0, every `report_every` steps, and after the last. `progress` shows a bar (tqdm if installed, else a line on
    stderr for every hundredth of the way). Raises `ValueError` and `TypeError` for arguments that do not fit, and
    `DivergedError` when the loss is not finite any more; then, and after Ctrl-C, the model holds the finite weights of
    the last good step. The `KeyboardInterrupt` says how to go on, and has the `history` so far
    (not one that comes before the training begins: then nothing has changed).

    `checkpoint`, a path that ends in .npz, keeps the run: it is written before step 0, every `checkpoint_every` steps (a
    tenth of them), after the last, and on Ctrl-C. The same call, with the model as it was at the start or as the
    checkpoint has it, goes on from there, and ends where it would have ended undisturbed, bit for bit, with the whole
    history. `steps` counts from the start of the run and may be more than before; other data, weights, loss, rate or
    `report_every` raise a `ValueError` that names them, as does a file that is no checkpoint. An `OSError` of the first
    writing is raised; later ones, as of a full disk, cause one `RuntimeWarning`, and the run goes on.

    >>> model = MatrixMLP([np.array([[0.0]])], activations="linear")
    >>> history = fit(model, [[1.0]], [[3.0]], steps=20, learning_rate=0.5)
    >>> history.steps, history.losses[0], model.weights[0].round(4)
    ([0, 20], 4.5, array([[3.]]))
    """
    x, y, chosen, rate = _checked(model, X, Y, learning_rate, loss)
    total = whole("steps", steps, 0)
    every = max(1, total) if report_every is None else whole("report_every", report_every, 1)
    file_every = max(1, total // 10) if checkpoint_every is None else whole("checkpoint_every", checkpoint_every, 1)
    run, history, file = Run(model, x, y, chosen, rate), History([], [], []), None
    cycles = [every, *([max(1, total // 100)] if progress else ())]
    if checkpoint is not None:
        settings = {"loss": loss, "learning_rate": rate, "report_every": None if report_every is None else every}
        file = Checkpoint(checkpoint, model, x, y, settings)
        file.resume(run, history, total, every)
        cycles.append(file_every)
    elif checkpoint_every is not None:
        raise ValueError(f"checkpoint_every={checkpoint_every!r} needs checkpoint=, the path of a file")
    try:
        with np.errstate(all="ignore"), _bar(total, progress) as show:
            for stop in _stops(run.step, total, cycles):
                run.descend(stop)
                if (stop % every == 0 or stop == total) and stop not in history.steps[-1:]:
                    run.record(history)
                if file and (stop % file_every == 0 or stop == total):
                    run.check()
                    file.save(run, history)
                show(stop)
            run.keep()
    except BaseException as stopped:
        run.keep()
        if isinstance(stopped, KeyboardInterrupt):
            _explain(stopped, run, history, total, file)
        raise
    return history


def _stops(step: int, total: int, cycles: Sequence[int]) -> Iterator[int]:
    """The step itself, the later multiples of the cycles, and the last step.

    >>> list(_stops(3, 10, [4, 6]))
    [3, 4, 6, 8, 10]
    """
    while step < total:
        yield step
        step = min(total, *(step - step % cycle + cycle for cycle in cycles))
    yield step


def _explain(stopped: KeyboardInterrupt, run: Run, history: History, total: int, file: Checkpoint | None) -> None:
    """Put into the exception where the training stands and how to go on: the last line of any traceback shows it."""
    whole = min(map(len, history))  # Ctrl-C may have come in the middle of an entry
    for part in history:
        del part[whole:]
    stopped.history = history  # type: ignore[attr-defined]  # an exception takes any attribute
    then = f"; fit(..., steps={total - run.step}) goes on from there"
    if file is not None:
        with suppress(KeyboardInterrupt):  # a second one while it is written: the file stays as it was
            file.save(run, history)
        then = f", and so does {file.path}; the same call goes on from there"
        if file.step != run.step:
            again = "the same call, with the model as it was at the start or as nn.load reads it, goes on from there"
            then = f", and {file.path} those of step {file.step}; {again}"
    stopped.args = (f"fit: stopped after {run.step} of {total} steps; the model holds their weights{then}",)


def _checked(model: Any, X: Any, Y: Any, learning_rate: Any, loss: str) -> tuple[Array, Array, Loss, float]:
    """The data as arrays, the loss and the rate."""
    if not isinstance(model, MatrixMLP):
        raise TypeError(f"fit: the model is a {type(model).__name__}; give a MatrixMLP, MatrixMLP.from_mlp(model)")
    chosen = loss_named(loss, model.activations[-1])
    x = model.samples(X)
    y = model.targets(Y, x)
    chosen.check(y)
    if objects(x, y, *model.weights, *(model.biases or ())):
        raise TypeError("fit: arrays of objects cannot be trained in place; give float arrays, array.astype(float)")
    check_finite(x, "fit: X")
    check_finite(y, "fit: Y")
    return x, y, chosen, _rate(learning_rate)


def _rate(x: Any) -> float:
    rate = math.nan
    if isinstance(x, int | float | np.integer | np.floating) and not isinstance(x, bool):
        with suppress(OverflowError):
            rate = float(x)
    if not math.isfinite(rate):
        raise ValueError(f"learning_rate={x!r:.80} has to be a finite number")
    return rate


@contextmanager
def _bar(total: int, wanted: bool) -> Iterator[Callable[[int], object]]:
    """A function that shows how far the training has come: by tqdm, or by a line on stderr where there is none."""
    if not wanted:
        yield lambda step: None
        return
    try:
        from tqdm import tqdm
    except ImportError:
        yield lambda step: print(f"step {step} of {total}", file=sys.stderr)
        return
    with tqdm(total=total, unit=" steps") as bar:
        yield lambda step: bar.update(step - bar.n)
