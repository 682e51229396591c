"""A training that survives being killed: its state in a file, from which the same call of `fit` goes on.

A checkpoint is a model file, so `nn.load` reads it, with the run beside: what run it is, the step, the history so far. Of
the data it keeps digests only: enough to refuse other data, and small. Numbers are the same to the last bit on the
same machine with the same NumPy and the same number of BLAS threads; else a matrix product may be rounded differently.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nn.arrays import Array, plain
from nn.descent import History, Run
from nn.files.models import MORE, RUN, from_state_dict, named
from nn.files.npz import LIMIT, checked_path, read, remove_leftovers, text, write
from nn.matrix import MatrixMLP

START, SHAPES, THREADS = "weights at the start", "shapes of the weights", "BLAS threads"


def digest(*arrays: Array) -> str:
    """SHA-256 of the numbers, as text; of one array with its shape."""
    found = hashlib.sha256()
    for a in arrays:
        found.update(a.astype("<f8").tobytes())  # in C order, whatever the layout
    return f"{arrays[0].shape if len(arrays) == 1 else ''} {found.hexdigest()}".strip()


def _difference(name: str, there: str, here: str) -> str:
    """What differs, for a person: of numbers that are kept as a digest the shape, or only that they differ."""
    if name in ("X", "Y", "validation", START):
        there, here = there.rpartition(" ")[0], here.rpartition(" ")[0]
    return f"{name} other numbers there than here" if there == here else f"{name} {there:.32} there, {here:.32} here"


def _parameters(model: MatrixMLP) -> tuple[Array, ...]:
    return *model.weights, *(model.biases or ())


def _threads() -> str:
    """How many threads multiply matrices here; nothing where threadpoolctl is not installed."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return ""
    return " and ".join(sorted({str(pool["num_threads"]) for pool in threadpool_info() if pool["user_api"] == "blas"}))


class Checkpoint:
    """The file at `path` and the run that it belongs to."""

    def __init__(
        self, path: Any, model: MatrixMLP, x: Array, y: Array, settings: Mapping[str, Any], more: Mapping[str, Any]
    ) -> None:
        self.path, self.model = checked_path(path, ".npz"), model
        self.run = {
            **{name: repr(setting) for name, setting in settings.items()},
            "activations": " ".join(model.activations),
            "X": digest(x),
            "Y": digest(y),
            SHAPES: " ".join(str(a.shape) for a in _parameters(model)),
            START: digest(*_parameters(model)),
        }
        self.needed = list(self.run)
        self.run |= {name: repr(setting) for name, setting in more.items() if setting is not None}
        self.threads = _threads()
        self.step: int  # of the last one that is in the file
        self.warned = False

    def resume(self, run: Run, history: History, total: int, every: int) -> None:
        """Go on from the file if it is there, else begin it. `ValueError` if it is of another run, or damaged."""
        remove_leftovers(self.path)
        if not Path(self.path).exists():
            self._write(run, history)  # a path that cannot be written is an error before the work, not after it
            return
        try:
            saved = read(self.path, LIMIT + 2 * sum(a.nbytes for a in _parameters(self.model)))
            model = self._model(saved)
            step, past = _past(saved, run.stack)
            more = {name: _like(saved, name, a) for name, a in run.more(past[1]).items()}
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"checkpoint={self.path!r}: {error}; it was left as it is: choose another path, or remove it"
            ) from None
        if step > total:
            raise ValueError(
                f"checkpoint={self.path!r} is at step {step}, and steps={total} counts from the start of the run; give more, "
                "or nn.load it"
            )
        run.go_to(step, model, tuple(more.get("optimizer.state", ())))
        run.best, self.step = more.get("best", run.best), step
        run.seed = int(more["seed"]) if "seed" in more else None
        for at, *seen, held_out in zip(*past, more.get("history.validation", past[0]), strict=True):
            if at % every == 0 or at == total:  # the last entry of a run of fewer steps is none of this one
                for part, entry in zip(history, (at, *seen), strict=True):
                    part.append(entry)
                history.learning_rates.append(run.plan.rate(at))
                if run.validation:
                    history.validation.append(plain(held_out))
                    if run.plan.patience is not None:
                        run.lower(held_out)

    def _model(self, saved: Mapping[str, Array]) -> MatrixMLP:
        """The model in the file. `ValueError` if it is of another run than this one."""
        missing = [name for name in RUN if name not in saved]
        if missing:
            raise ValueError(f"it is no checkpoint; it has no entry {missing[0]!r}")
        then = dict(map(tuple, text(saved["run"].reshape(-1, 2))))
        threads = then.pop(THREADS, "")
        unsaid = [name for name in self.needed if name not in then]
        if unsaid:
            raise ValueError(f"it is no checkpoint; its run has no {unsaid[0]!r}")
        differing = {name for name in {**self.run, **then} if self.run.get(name) != then.get(name)}
        if SHAPES not in differing:
            state = {name: a for name, a in saved.items() if name not in (*RUN, *MORE, "activations")}
            model = from_state_dict(state, self.model.activations)
            if START in differing and digest(*_parameters(model)) == digest(*_parameters(self.model)):  # as after Ctrl-C
                self.run[START] = then[START]
                differing.remove(START)
        if differing:
            names = [name for name in {**self.run, **then} if name in differing]
            facts = (_difference(name, then.get(name, "the default"), self.run.get(name, "the default")) for name in names)
            raise ValueError(f"it is of another run: {'; '.join(facts)}")
        if list(map(np.shape, _parameters(model))) != list(map(np.shape, _parameters(self.model))):
            raise ValueError("its weights have other shapes than it says")
        if not all(np.isfinite(a).all() for a in _parameters(model)):
            raise ValueError("its weights are not finite")
        if threads and self.threads and threads != self.threads:
            warnings.warn(
                f"fit: checkpoint={self.path!r} was written with {threads:.32} BLAS threads, and here are {self.threads}: the "
                "last bits of a matrix product may differ; threadpoolctl.threadpool_limits sets the number",
                RuntimeWarning,
                stacklevel=5,
            )
        return model

    def save(self, run: Run, history: History) -> None:
        """Write the state of the run; where the disk refuses, say so once and let the run go on."""
        if run.step == self.step:
            return
        try:
            self._write(run, history)
        except OSError as error:
            if not self.warned:
                self.warned = True
                kept = f"it still holds step {self.step}" if Path(self.path).exists() else "it is gone"
                warnings.warn(
                    f"fit: checkpoint={self.path!r} could not be written at step {run.step} ({error}); {kept}; the training "
                    "goes on, tries again at every checkpoint, and will not say this again",
                    RuntimeWarning,
                    stacklevel=4,
                )

    def _write(self, run: Run, history: History) -> None:
        now = run.current()
        write(
            self.path,
            {
                **named(self.model, now.weights, now.biases or None),
                "activations": np.array(self.model.activations),
                "run": np.array([*self.run.items(), (THREADS, self.threads)]),
                "step": np.array(run.step),
                "history.steps": np.array(history.steps, dtype=np.int64),
                "history.losses": np.array(history.losses, dtype=np.float64),
                "history.mean_errors": np.array(history.mean_errors, dtype=np.float64),
                **run.more(history.validation),
            },
        )
        self.step = run.step


def _like(saved: Mapping[str, Array], name: str, like: Array) -> Array:
    """The array of that name. `ValueError` if it has another shape or kind than this one, or is not there."""
    found = saved.get(name)
    if found is None or (found.shape, found.dtype.kind) != (like.shape, like.dtype.kind):
        raise ValueError(f"its {name} is missing, or has another shape than the run needs")
    return found


def _past(saved: Mapping[str, Array], stack: tuple[int, ...]) -> tuple[int, tuple[list[int], list[Any], list[Any]]]:
    """The step and the history in the file. `ValueError` if they make no sense."""
    step, steps = saved["step"], saved["history.steps"]
    losses, errors = (saved[f"history.{name}"] for name in ("losses", "mean_errors"))
    if step.shape != () or step.dtype.kind != "i" or steps.dtype.kind != "i" or steps.ndim != 1:
        raise ValueError("its step or its history is not made of whole numbers")
    if losses.dtype.kind != "f" or errors.dtype.kind != "f":
        raise ValueError("the losses and errors of its history are not floats")
    seen = steps.tolist()
    if seen != sorted(set(seen)) or (seen and not 0 <= seen[0] <= seen[-1] <= step) or step < 0:
        raise ValueError("its history is not one of the steps up to its own")
    if any(a.shape != (len(seen), *(stack if seen else ())) for a in (losses, errors)):
        raise ValueError("its history has other shapes than its steps")
    rows = [list(a.astype(np.float64)) if stack else a.tolist() for a in (losses, errors)]
    return int(step), (seen, rows[0], rows[1])
