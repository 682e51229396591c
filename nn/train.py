"""The fast loop: `fit` checks what it is given, then runs the descent and stops where something is recorded or saved.

What a step does stands in `nn.descent`, what the file of a run holds in `nn.files.checkpoint`. Between two stops only the loss
is checked, for being finite, so a run that nobody watches costs nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from nn.arrays import Array, check_finite, generator, objects, whole
from nn.descent import History, Plan, Run
from nn.files.checkpoint import Checkpoint, digest
from nn.losses import Loss, loss_named
from nn.matrix import MatrixMLP
from nn.mlp import MLP
from nn.optimizers import SCHEDULES, Stepper


def fit(
    model: MatrixMLP | MLP, X: Any, Y: Any, steps: int | None = None, learning_rate: float | None = None,
    loss: str = "half_squared_error", report_every: int | None = None, progress: bool = False, checkpoint: Any = None,
    checkpoint_every: int | None = None, *, epochs: int | None = None, optimizer: str | Stepper = "sgd",
    batch_size: int | None = None, shuffle: bool = True, rng: Any = None, weight_decay: float | None = None,
    schedule: str | Callable[[int], float] | None = None, validation: tuple[Any, Any] | None = None,
    patience: int | None = None, callback: Callable[[Any, History], Any] | None = None, reduction: str | None = None,
) -> History:  # fmt: skip
    """Train `model` in place by `steps` steps, or `epochs`: of gradient descent on all samples, W -= learning_rate * dW.

    X is (n, d), Y is (n, k), or n labels (`MatrixMLP.gradients`), all finite. half_squared_error is a sum, the other losses are
    means, so their steps want a larger rate; `reduction`, "mean" or "sum", changes that. The model may be R stacked
    networks, which train at once, or an MLP of Values, which gets the numbers of its twin of arrays. The history has an entry
    before step 0, every `report_every` steps, and after the last. `progress` shows a bar (tqdm if installed, else a line on
    stderr for every hundredth of the way). Raises `ValueError` and `TypeError` for arguments that do not fit, and
    `DivergedError` when the loss is not finite any more; then, and after Ctrl-C, the model holds the finite weights of
    the last good step. The `KeyboardInterrupt` says how to go on, and has the `history` so far
    (not one that comes before the training begins: then nothing has changed).

    `optimizer` is a name or what `nn.optimizer` makes, whose settings count where `learning_rate` and `weight_decay` are None;
    what it keeps begins anew. With `batch_size` a step takes that many samples, the last one of an epoch those that are
    left, in an order that `rng` (a seed, a generator, or None) draws for each epoch, or with `shuffle=False` in their own.
    `schedule` is constant, linear (to 0), cosine (to 0), or a function from the step to the factor of the learning rate.
    `validation`, (X, Y), is evaluated at each entry. `patience` ends the training after so many entries without a lower
    validation loss; the model gets the weights of the lowest, then and at the end. `callback(model, history)` is called
    after each entry, and ends the training by a true result. With `epochs` or `patience` an entry is made every epoch.

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
    given = MatrixMLP.from_mlp(model) if isinstance(model, MLP) else model
    x, y, chosen = _checked(given, X, Y, loss, reduction)
    held_out = None if validation is None else _held_out(given, validation, loss, reduction)
    batch = len(x) if batch_size is None else min(len(x), whole("batch_size", batch_size, 1))
    epoch = -(-len(x) // batch)
    if epochs is not None and steps is not None:
        raise ValueError(f"steps={steps!r} and epochs={epochs!r}: give one of the two")
    total = whole("steps", steps, 0) if epochs is None else epoch * whole("epochs", epochs, 0)
    often = max(1, total) if epochs is patience is None else epoch
    every = often if report_every is None else whole("report_every", report_every, 1)
    if patience is not None and (held_out is None or given.weights[0].ndim == 3 or whole("patience", patience, 1) < 1):
        raise ValueError(f"patience={patience!r} needs validation=(X, Y), and a single network")
    chosen_by = optimizer if isinstance(optimizer, Stepper) else Stepper(optimizer)
    beside = {name: a for name, a in (("learning_rate", learning_rate), ("weight_decay", weight_decay)) if a is not None}
    stepper = Stepper(chosen_by.record.name, **{**chosen_by.settings, **beside}) if beside else chosen_by
    seed = int(generator(rng).integers(2**63)) if epoch > 1 and shuffle else None
    plan = Plan(chosen, stepper, _schedule(schedule, total), batch if epoch > 1 else None, seed, patience)
    run, file = Run(given, x, y, plan, held_out), None
    if checkpoint is not None:
        settings = {"loss": loss, "learning_rate": stepper.settings["learning_rate"], "report_every": report_every and every}
        more = {"optimizer": str(stepper) if str(stepper) != "sgd" else None, "batch_size": plan.batch, "reduction": reduction}
        more |= {"shuffle": None if shuffle else False, "rng": int(rng) if seed and isinstance(rng, int | np.integer) else None}
        more |= {"schedule": schedule if isinstance(schedule, str) else schedule and "a function", "patience": patience}
        more |= {
            "steps": total if patience or isinstance(schedule, str) else None,
            "validation": held_out and digest(*held_out),
        }
        file = Checkpoint(checkpoint, given, x, y, settings, more)
    elif checkpoint_every is not None:
        raise ValueError(f"checkpoint_every={checkpoint_every!r} needs checkpoint=, the path of a file")
    file_every = max(1, total // 10) if checkpoint_every is None else whole("checkpoint_every", checkpoint_every, 1)
    cycles = [every, *([max(1, total // 100)] if progress else ()), *([file_every] if file else ())]
    call = None if callback is None else lambda history: callback(_copied(given, model), history)
    try:
        return _train(run, file, total, cycles, file_every, progress, call)
    finally:
        _copied(given, model)


def _train(
    run: Run, file: Checkpoint | None, total: int, cycles: list[int], file_every: int, progress: bool, callback: Any
) -> History:
    """Descend from one stop to the next, the multiples of the cycles; note the entries of the first one, and write the file."""
    history, every = History([], [], []), cycles[0]
    if file:
        file.resume(run, history, total, every)
    try:
        with np.errstate(all="ignore"), _bar(total, progress) as show:
            for stop in _stops(run.step, total, cycles):
                run.descend(stop)
                ended = False
                if (stop % every == 0 or stop == total) and stop not in history.steps[-1:]:
                    run.record(history)
                    if callback:
                        run.keep()
                        ended = bool(callback(history))
                ended = ended or (run.plan.patience is not None and run.stale >= run.plan.patience)
                if file and (stop % file_every == 0 or stop == total or ended):
                    run.check()
                    file.save(run, history)
                show(stop)
                if ended:
                    break
            run.keep(best=run.plan.patience is not None)
    except BaseException as stopped:
        run.keep()
        if isinstance(stopped, KeyboardInterrupt):
            _explain(stopped, run, history, total, file)
        raise
    return history


def _copied(twin: MatrixMLP, model: Any) -> Any:
    """The model, with the numbers of its twin where it is one of Values."""
    if twin is not model:
        nothing: list[Any] = [None] * len(twin.weights)
        blocks = [w if b is None else np.vstack([w, b]) for w, b in zip(twin.weights, twin.biases or nothing, strict=True)]
        for p, x in zip(model.parameters(), np.concatenate([a.T.ravel() for a in blocks]).tolist(), strict=True):
            p.data = x
    return model


def _stops(step: int, total: int, cycles: Sequence[int]) -> Iterator[int]:
    """The step itself, the later multiples of the cycles, and the last step."""
    while step < total:
        yield step
        step = min(total, *(step - step % cycle + cycle for cycle in cycles))
    yield step


def _explain(stopped: KeyboardInterrupt, run: Run, history: History, total: int, file: Checkpoint | None) -> None:
    """Put into the exception where the training stands and how to go on: the last line of any traceback shows it."""
    parts = [*history, history.learning_rates, *([history.validation] if run.validation else ())]
    whole = min(map(len, parts))  # Ctrl-C may have come in the middle of an entry
    for part in parts:
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


def _checked(model: Any, X: Any, Y: Any, loss: str, reduction: str | None) -> tuple[Array, Array, Loss]:
    """The data as arrays, and the loss."""
    if not isinstance(model, MatrixMLP):
        raise TypeError(f"fit: the model is a {type(model).__name__}; give a MatrixMLP or an MLP")
    chosen = loss_named(loss, model.checked().activations[-1]).reduced(reduction)
    x = model.samples(X)
    y = model.targets(Y, x, chosen)
    chosen.check(y)
    if objects(x, y, *model.weights, *(model.biases or ())):
        raise TypeError("fit: arrays of objects cannot be trained in place; give float arrays, array.astype(float)")
    check_finite(x, "fit: X")
    check_finite(y, "fit: Y")
    return x, y, chosen


def _held_out(model: MatrixMLP, validation: Any, loss: str, reduction: str | None) -> tuple[Array, Array]:
    """The validation data as arrays."""
    try:
        X, Y = validation
        return _checked(model, X, Y, loss, reduction)[:2]
    except (TypeError, ValueError) as error:
        raise type(error)(f"validation: {error}; give validation=(X, Y), samples and targets") from None


def _schedule(schedule: Any, total: int) -> Callable[[int], Any] | None:
    """The factor of the learning rate as a function of the step; None where it is 1."""
    if isinstance(schedule, str) and schedule in SCHEDULES:
        return lambda step: SCHEDULES[schedule](step / max(1, total))
    if schedule is not None and schedule != "constant" and not callable(schedule):
        raise ValueError(f"schedule={schedule!r:.60} is no function of the step, and not constant, {', '.join(SCHEDULES)}")
    return None if schedule == "constant" else schedule


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
