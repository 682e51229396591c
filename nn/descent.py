"""One training, ready to run: each step reads one copy of the weights and writes the other, so the last good ones stay.

What a step calls stands in `nn.calls`, how the optimizer makes new weights in `nn.optimizers`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import repeat
from typing import Any, NamedTuple, NoReturn

import numpy as np

from nn.arrays import Array, number, plain
from nn.calls import Buffers, Call, Weights, backward_calls, forward_calls
from nn.losses import Loss
from nn.matrix import MatrixMLP
from nn.optimizers import State, Stepper


class Entries(NamedTuple):
    """The three lists of a `History`."""

    steps: list[int]
    losses: list[Any]
    mean_errors: list[Any]


class History(Entries):
    """What was seen along the way, before the step of that number: `losses` and mean absolute errors, of all samples.

    The errors are those of the outputs; with a cross-entropy of linear outputs, those of their sigmoid or softmax. The last
    entry is the state after the last step. For R stacked networks each entry is an array of R numbers. Beside them stand
    the `learning_rates` of these steps, and `validation`, the losses on the validation data, which is empty without any.
    """

    def __init__(self, *_: list[Any]) -> None:
        self.validation: list[Any] = []
        self.learning_rates: list[float] = []

    def __repr__(self) -> str:
        if not self.steps:
            return "History of 0 entries"
        ends = (f"step {self.steps[i]} loss {self.losses[i]}" for i in (0, -1))
        return f"History of {len(self.steps)} entries: {', '.join(ends)}"

    def plot(self) -> Any:
        """The figure of losses and learning rates over the steps; needs matplotlib (extra `plots`)."""
        from nn.plots import plot_history

        return plot_history(self)


class DivergedError(ArithmeticError):
    """The loss, or a weight, was not finite at `step`; the model holds the weights of step `kept`."""

    def __init__(self, step: int, loss: Any, kept: int, learning_rate: float, summed: bool) -> None:
        self.step, self.loss, self.kept = step, loss, kept
        what = f"the weights are no longer finite (the loss is {loss})" if np.isfinite(loss).all() else f"the loss is {loss}"
        now = f"holds the finite weights of step {kept}" if step else "is unchanged"
        remedy = f"try a learning rate smaller than {learning_rate:g}, or smaller numbers"
        divided = ", or reduction='mean': the loss is a sum over samples and outputs" if summed else "; the loss is a mean"
        super().__init__(f"fit: at step {step} {what}; the model {now}; {remedy}{divided}")


class Plan(NamedTuple):
    """How a run descends. `schedule` gives the factor of the learning rate at a step; `batch` is the rows of a mini-batch."""

    loss: Loss
    optimizer: Stepper
    schedule: Callable[[int], Any] | None = None
    batch: int | None = None
    seed: int | None = None
    patience: int | None = None

    @property
    def bare(self) -> bool:
        """Whether a step is W -= learning_rate * dW, with the same rate for all."""
        return self.optimizer.record.name == "sgd" and not (self.schedule or self.optimizer.settings["weight_decay"])

    def rate(self, step: int) -> float:
        """The learning rate of that step."""
        rate = self.optimizer.settings["learning_rate"]
        return rate if self.schedule is None else rate * number(f"schedule({step})", self.schedule(step))


class _Part:
    """What runs forward and back over some samples: x is (n, n_in), with a column of ones behind it where there are biases."""

    def __init__(self, run: Run, x: Array, y: Array, xT: Array) -> None:
        model, plan, copies = run.model, run.plan, run.copies
        self.y, self.at = y, Buffers(model, len(x))
        last = self.at.delta[-1]
        self.evaluate = partial(plan.loss.evaluate, self.at.z, self.at.a[-1], y, last)
        self.guarded, self.forward = (
            [forward_calls(model, x, old, self.at, guarded) for old in copies] for guarded in (True, False)
        )
        self.backward: list[list[Call]] = []
        rate = plan.optimizer.settings["learning_rate"]
        scale: list[Call] = []
        if plan.bare and rate != 1:  # scaling the first delta scales every gradient, and it is the smallest array
            scale.append(partial(np.multiply, last, np.array(rate), last))
        for old, new in (copies, copies[::-1]):  # `new` holds the gradient until the update
            update: Call = partial(np.subtract, old.flat, new.flat, new.flat) if plan.bare else partial(run.update, old, new)
            self.backward.append([*scale, *backward_calls(model, xT, old, new, self.at, plan.loss), update])

    def outputs(self, side: int) -> Any:
        """Run forward with that copy of the weights, and return the loss."""
        for call in self.guarded[side]:
            call()
        return self.evaluate()


class Run:
    """The state of one training: two copies of weights and optimizer state, and the calls that make one of the other."""

    def __init__(self, model: MatrixMLP, x: Array, y: Array, plan: Plan, validation: tuple[Array, Array] | None = None) -> None:
        self.model, self.plan, self.n, self.seed = model, plan, len(x), plan.seed
        self.first = self.step = 0
        self.whole = True  # False while the other copy of the weights may hold half a gradient
        self.copies = (Weights(model), Weights(model))
        zeros: State = tuple(np.zeros_like(self.copies[0].flat) for _ in plan.optimizer.record.state)
        self.states = [zeros, zeros]
        self.good = 0, Weights(model).flat, zeros
        self.best, self.lowest, self.stale = self.good[1], math.inf, 0
        x1 = x if model.biases is None else np.hstack([x, np.ones((len(x), 1))])
        if plan.batch:
            self.data, self.block = (x1, y), -1
            self.epochs = 1 if self.seed is None else max(1, 4096 // len(x))  # whose orders are drawn at once
            self.order = self.own = np.tile(np.arange(len(x)), (self.epochs, 1))
            taken = {n: [np.zeros((n, a.shape[1])) for a in self.data] for n in {plan.batch, len(x) % plan.batch} if n}
            self.parts = {n: (_Part(self, a[0], a[1], a[0].T), a) for n, a in taken.items()}
        self.all = _Part(self, x1, y, x1.T if plan.batch else np.ascontiguousarray(x1.T))
        self.validation: _Part | None = None
        if validation:
            v, y = validation
            v = v if model.biases is None else np.hstack([v, np.ones((len(v), 1))])
            self.validation = _Part(self, v, y, v.T)
        self.stack = model.weights[0].shape[:-2]
        self.finite: Callable[[Any], Any] = (lambda losses: np.isfinite(losses).all()) if self.stack else math.isfinite

    def draw(self, step: int) -> _Part:
        """The mini-batch of that step, taken."""
        batch: int = self.plan.batch  # type: ignore[assignment]  # not None where this is called
        epoch, i = divmod(step, -(-self.n // batch))
        block, row = divmod(epoch, self.epochs)
        if self.seed is not None and block != self.block:
            self.order, self.block = np.random.default_rng([self.seed, block]).permuted(self.own, axis=1), block
        chosen = self.order[row, i * batch : (i + 1) * batch]
        part, taken = self.parts[len(chosen)]
        for a, into in zip(self.data, taken, strict=True):
            a.take(chosen, 0, into, "clip")  # with "raise" NumPy would copy once more
        return part

    def update(self, old: Weights, new: Weights) -> None:
        """What the optimizer makes of the old weights, their gradient and its state; `new` holds the gradient until here."""
        step, side, by = self.step, self.step & 1, self.plan.optimizer
        settings = {**by.settings, "learning_rate": self.plan.rate(step)} if self.plan.schedule else by.settings
        new.flat[:], self.states[1 - side] = by.record.update(old.flat, new.flat, self.states[side], step + 1, settings)

    def current(self) -> Weights:
        """The weights of this step."""
        return self.copies[self.step & 1]

    def state(self) -> State:
        """What the optimizer keeps, of this step."""
        return self.states[self.step & 1]

    def more(self, validation: Sequence[Any]) -> dict[str, Array]:
        """What a checkpoint holds beside weights and history: of the optimizer, of the order of samples, the best weights."""
        found = {
            "optimizer.state": np.array(self.state()) if self.state() else None,
            "best": None if self.plan.patience is None else self.best,
            "seed": None if self.seed is None else np.array(self.seed),
            "history.validation": np.array(validation, dtype=float) if self.validation else None,
        }
        return {name: a for name, a in found.items() if a is not None}

    def stand(self, step: int, flat: Array, state: State) -> None:
        """Stand at that step, with these weights."""
        self.step, self.states[step & 1] = step, state
        self.current().flat[:] = flat

    def go_to(self, step: int, model: MatrixMLP, state: State) -> None:
        """Go on from that step, with the weights of that model."""
        self.first, self.good = step, (step, Weights(model).flat, state)
        self.stand(*self.good)

    def check(self) -> Any:
        """The loss of the current weights, of which it keeps a copy; `DivergedError` if loss or weights are not finite."""
        loss = self.all.outputs(self.step & 1)
        if not (np.isfinite(loss).all() and np.isfinite(self.current().flat).all()):
            self.fail(loss)
        self.good = self.step, self.current().flat.copy(), self.state()
        return loss

    def record(self, history: History) -> None:
        """Note the loss and the mean error of the current weights, and the loss on the validation data."""
        loss, part = self.check(), self.all
        history.steps.append(self.step)
        history.losses.append(plain(loss))
        predicted = self.plan.loss.predicted(part.at.z, part.at.a[-1])
        history.mean_errors.append(plain(np.abs(part.y - predicted).mean(axis=(-2, -1))))
        history.learning_rates.append(self.plan.rate(self.step))
        if self.validation:
            loss = plain(self.validation.outputs(self.step & 1))
            if self.plan.patience is not None and self.lower(loss):
                self.best = self.good[1]
            history.validation.append(loss)  # after the best weights: an entry that Ctrl-C leaves incomplete is made again

    def lower(self, loss: float) -> bool:
        """Whether this validation loss is the lowest so far; `stale` counts those since that were not."""
        lower = loss < self.lowest
        self.lowest, self.stale = (loss, 0) if lower else (self.lowest, self.stale + 1)
        return lower

    def fail(self, loss: Any) -> NoReturn:
        """Say at which step it failed; `keep` then goes back to the last finite weights."""
        failed = self.step
        self.whole = True  # the update of this step has not begun
        self.step_back()
        raise DivergedError(failed, loss, self.step, self.plan.rate(failed), self.plan.loss.reduction == "sum")

    def step_back(self) -> None:
        """Go back to the last finite weights: to those of the step before if they are, else to the copy."""
        other = 1 - (self.step & 1)
        before = self.copies[other].flat
        if self.whole and self.step > self.first and np.isfinite(before).all():
            self.good = self.step - 1, before, self.states[other]
        self.stand(*self.good)

    def keep(self, best: bool = False) -> None:
        """Put the current weights into the model, or the last finite ones; or the best."""
        if not np.isfinite(self.current().flat).all():
            self.step_back()
        current = Weights(self.model, self.best) if best else self.current()
        arrays, views = (*self.model.weights, *(self.model.biases or ())), (*current.weights, *current.biases)
        list(map(np.ndarray.__setitem__, arrays, repeat(...), views))  # one call of C: Ctrl-C comes before it or after it

    def descend(self, stop: int) -> None:
        """Step on to number `stop`."""
        self.whole = False
        draw, finite, part = self.draw if self.plan.batch else None, self.finite, self.all
        for step in range(self.step, stop):
            self.step = step
            if draw:
                part = draw(step)
            for call in part.forward[step & 1]:
                call()
            if not finite(part.evaluate()):
                loss = part.outputs(
                    step & 1
                )  # a pre-activation beyond 700 is no failure: guarded, it gives the right activation
                if not finite(loss):
                    self.fail(loss)
            for call in part.backward[step & 1]:
                call()
        self.step, self.whole = stop, True
