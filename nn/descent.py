"""One training, ready to run: gradient descent as a list of NumPy calls, with every buffer allocated once.

A training step is always the same NumPy calls on the same arrays, so the list is made once, arguments bound, and then only
run: the steps of `nn.matrix` with buffers, made from the same records. The tests hold the two together. It takes a quarter
of the time of a loop over `MatrixMLP.gradients` for the 3-4-1 network, two thirds for 64-32-10 on 200 samples. Small
matrices multiply by `ndarray.dot`, which costs half of what `@` does; layers with the same activation share one buffer and
so one call for the slope; all weights are one array, updated by one subtraction. Each step reads one copy of the weights
and writes the other, so the last good ones are never lost.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from itertools import groupby, repeat
from typing import Any, NamedTuple, NoReturn

import numpy as np

from nn.activations import ACTIVATIONS
from nn.arrays import Array, plain, transposed
from nn.losses import Loss
from nn.matrix import MatrixMLP

Call = Callable[[], Any]


class History(NamedTuple):
    """What was seen along the way, before the step of that number: `losses` and mean absolute errors.

    The errors are those of the outputs; with a cross-entropy of linear outputs, those of their sigmoid or softmax. The last
    entry is the state after the last step. For R stacked networks each entry is an array of R numbers.
    """

    steps: list[int]
    losses: list[Any]
    mean_errors: list[Any]


class DivergedError(ArithmeticError):
    """The loss, or a weight, was not finite at `step`; the model holds the weights of step `kept`."""

    def __init__(self, step: int, loss: Any, kept: int, learning_rate: float) -> None:
        self.step, self.loss, self.kept = step, loss, kept
        what = f"the weights are no longer finite (the loss is {loss})" if np.isfinite(loss).all() else f"the loss is {loss}"
        now = f"holds the finite weights of step {kept}" if step else "is unchanged"
        remedy = f"try a learning rate smaller than {learning_rate:g}, or smaller numbers"
        super().__init__(f"fit: at step {step} {what}; the model {now}; {remedy}")


class _Weights:
    """All weights and biases of a network in one array, with a view for each layer and its parts.

    A bias is one more row of its layer's weights: `blocks[l]` is (n_in + 1, n_out), or (n_in, n_out) without biases.
    """

    def __init__(self, model: MatrixMLP) -> None:
        self.blocks: list[Array] = []
        self.weights: list[Array] = []
        self.biases: list[Array] = []
        blocks = model.weights
        if model.biases is not None:
            pairs = zip(model.weights, model.biases, strict=True)
            blocks = [np.concatenate((w, b[..., None, :]), axis=-2) for w, b in pairs]
        self.flat = np.concatenate([block.ravel() for block in blocks])
        start = 0
        for like, w in zip(blocks, model.weights, strict=True):
            block = self.flat[start : start + like.size].reshape(like.shape)
            start += like.size
            self.blocks.append(block)
            self.weights.append(block[..., : w.shape[-2], :])
            if model.biases is not None:
                self.biases.append(block[..., -1, :])


def _product(a: Array, b: Array, out: Array) -> Call:
    small = a.ndim == b.ndim == 2 and out.size < 4096  # dot zeroes `out` first, which costs more than matmul's overhead
    return partial(a.dot, b, out) if small else partial(np.matmul, a, b, out)


class _Buffers:
    """Activations, slopes and deltas of every layer, for n samples."""

    def __init__(self, model: MatrixMLP, n: int) -> None:
        shapes = [(*w.shape[:-2], n, w.shape[-1]) for w in model.weights]
        sizes = [int(np.prod(shape)) for shape in shapes]
        self.bounds = np.cumsum([0, *sizes])
        self.flat_a, self.flat_slope = np.zeros(self.bounds[-1]), np.zeros(self.bounds[-1])
        self.a, self.slope = (
            [flat[i:j].reshape(shape) for i, j, shape in zip(self.bounds[:-1], self.bounds[1:], shapes, strict=True)]
            for flat in (self.flat_a, self.flat_slope)
        )
        self.scratch, self.delta = ([np.zeros(shape) for shape in shapes] for _ in range(2))
        self.z = np.zeros(shapes[-1])


def _forward(model: MatrixMLP, x: Array, w: _Weights, at: _Buffers, guarded: bool) -> list[Call]:
    """A = f(A_before @ W + b), layer by layer; the last pre-activation stays in `at.z`."""
    calls: list[Call] = []
    before, last = x, len(w.weights) - 1
    for layer, (weights, a) in enumerate(zip(w.weights, at.a, strict=True)):
        z = at.z if layer == last else a
        calls.append(_product(before, weights if layer else w.blocks[0], z))
        if w.biases and layer:
            calls.append(partial(np.add, z, w.biases[layer][..., None, :], z))
        if model.activations[layer] != "linear" or z is not a:
            f = ACTIVATIONS[model.activations[layer]]
            value = f.value if guarded or f.unguarded is None else f.unguarded
            calls.append(partial(value, z, a, at.scratch[layer]))
        before = a
    return calls


def _backward(model: MatrixMLP, x: Array, w: _Weights, into: _Weights, at: _Buffers, loss: Loss) -> list[Call]:
    """delta = (delta_after @ W_after.T) * f'(z); dW = A_before.T @ delta; db = delta summed over the samples."""
    calls: list[Call] = []
    last = len(w.weights) - 1
    ones = np.ones((1, len(x)))  # `ones @` sums over the samples, in less than half of the time of `np.add.reduce`
    with_slope = range(last if loss.by_preactivation else last + 1)
    for name, run in groupby(with_slope, key=lambda layer: model.activations[layer]):
        layers = list(run)
        part = slice(at.bounds[layers[0]], at.bounds[layers[-1] + 1])
        calls.append(partial(ACTIVATIONS[name].slope, at.flat_a[part], at.flat_slope[part]))
    for layer in range(last, -1, -1):
        delta = at.delta[layer]
        if layer < last:
            calls.append(_product(at.delta[layer + 1], transposed(w.weights[layer + 1]), delta))
        if layer in with_slope:
            calls.append(partial(np.multiply, delta, at.slope[layer], delta))
        if layer == 0:  # with biases, x ends in a column of ones: one product gives dW and db
            calls.append(_product(np.ascontiguousarray(x.T), delta, into.blocks[0]))
            continue
        calls.append(_product(transposed(at.a[layer - 1]), delta, into.weights[layer]))
        if w.biases:
            calls.append(_product(ones, delta, into.biases[layer][..., None, :]))
    return calls


class Run:
    """The state of one training: two copies of the weights, the step, and the calls that make one from the other."""

    def __init__(self, model: MatrixMLP, x: Array, y: Array, loss: Loss, learning_rate: float) -> None:
        self.model, self.y, self.loss, self.learning_rate = model, y, loss, learning_rate
        self.first = self.step = 0
        self.whole = True  # False while the other copy of the weights may hold half a gradient
        self.good = 0, _Weights(model).flat
        self.at = at = _Buffers(model, len(x))
        x1 = x if model.biases is None else np.hstack([x, np.ones((len(x), 1))])
        self.copies = copies = (_Weights(model), _Weights(model))
        self.evaluate = partial(loss.evaluate, at.z, at.a[-1], y, at.delta[-1])
        self.finite: Callable[[Any], Any] = math.isfinite if at.z.ndim == 2 else lambda losses: np.isfinite(losses).all()
        self.guarded: list[list[Call]] = []
        self.programs: list[tuple[list[Call], list[Call]]] = []
        scale: list[Call] = []
        if learning_rate != 1:  # scaling the first delta scales every gradient, and it is the smallest array
            scale.append(partial(np.multiply, at.delta[-1], np.array(learning_rate), at.delta[-1]))
        for old, new in (copies, copies[::-1]):
            update: Call = partial(np.subtract, old.flat, new.flat, new.flat)  # `new` holds the gradient until here
            backward = [*scale, *_backward(model, x1, old, new, at, loss), update]
            self.programs.append((_forward(model, x1, old, at, guarded=False), backward))
            self.guarded.append(_forward(model, x1, old, at, guarded=True))

    def outputs(self) -> Any:
        """Run forward with the current weights, and return the loss."""
        for call in self.guarded[self.step & 1]:
            call()
        return self.evaluate()

    def current(self) -> _Weights:
        """The weights of this step."""
        return self.copies[self.step & 1]

    def go_to(self, step: int, model: MatrixMLP) -> None:
        """Stand at that step, with the weights of that model."""
        self.first = self.step = step
        self.good = step, _Weights(model).flat
        self.current().flat[:] = self.good[1]

    def check(self) -> Any:
        """The loss of the current weights, of which it keeps a copy; `DivergedError` if loss or weights are not finite."""
        loss = self.outputs()
        if not (np.isfinite(loss).all() and np.isfinite(self.current().flat).all()):
            self.fail(loss)
        self.good = self.step, self.current().flat.copy()
        return loss

    def record(self, history: History) -> None:
        """Note the loss and the mean error of the current weights."""
        loss = self.check()
        history.steps.append(self.step)
        history.losses.append(plain(loss))
        history.mean_errors.append(plain(np.abs(self.y - self.loss.predicted(self.at.z, self.at.a[-1])).mean(axis=(-2, -1))))

    def fail(self, loss: Any) -> NoReturn:
        """Say at which step it failed; `keep` then goes back to the last finite weights."""
        failed = self.step
        self.whole = True  # the update of this step has not begun
        self.step_back()
        raise DivergedError(failed, loss, self.step, self.learning_rate)

    def step_back(self) -> None:
        """Go back to the last finite weights: to those of the step before if they are, else to the copy."""
        before = self.copies[1 - (self.step & 1)].flat
        if self.whole and self.step > self.first and np.isfinite(before).all():
            self.good = self.step - 1, before
        self.step, kept = self.good
        self.current().flat[:] = kept

    def keep(self) -> None:
        """Put the current weights into the model, or the last finite ones."""
        if not np.isfinite(self.current().flat).all():
            self.step_back()
        current = self.current()
        arrays, views = (*self.model.weights, *(self.model.biases or ())), (*current.weights, *current.biases)
        list(map(np.ndarray.__setitem__, arrays, repeat(...), views))  # one call of C: Ctrl-C comes before it or after it

    def descend(self, stop: int) -> None:
        """Step on to number `stop`."""
        self.whole = False
        evaluate, finite, programs = self.evaluate, self.finite, self.programs
        for step in range(self.step, stop):
            self.step = step
            forward, backward = programs[step & 1]
            for call in forward:
                call()
            if not finite(evaluate()):
                loss = self.outputs()  # a pre-activation beyond 700 is no failure: guarded, it gives the right activation
                if not finite(loss):
                    self.fail(loss)
            for call in backward:
                call()
        self.step, self.whole = stop, True
