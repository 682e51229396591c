"""The same work again and again, and by eight threads at once: does memory come back, do threads meet?

Run it: python tests/soak/repeating.py [10000] [SEED]. Every kind of work is repeated so often (what takes longer a tenth or a
hundredth as often) with the garbage collector off; printed is by how many bytes the memory that Python and NumPy hold has
grown since the third time, how many Values are left over, and how many objects the collector finds afterwards that hold each
other in a circle. Then eight threads do it at once, switched every microsecond, each with numbers
of its own: every result has to be that of one thread alone, to the last bit.
"""

from __future__ import annotations

import copy
import gc
import pickle
import random
import sys
import tempfile
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

import nn
from autograd import Tape, Value, derive, draw, first_nonfinite, grad, gradcheck, parse, wrong_ways

Step: TypeAlias = Callable[[], Any]
Work: TypeAlias = Callable[[int], Step]  # of a seed, which decides about the numbers

X = [[0.0, 0.0, 1.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 1.0]]
Y = [[0.0], [1.0], [1.0], [0.0]]
THREADS = 8
CACHES = 50_000  # bytes that Python and NumPy keep for the next small array or string, however often one is made
THEIRS = {"LP_LLVMModule", "dict"}  # llvmlite's pointers to a module hold themselves, by ctypes.cast; of us they hold nothing


def numbers(seed: int, n: int = 3) -> list[float]:
    """The numbers that this seed stands for."""
    chosen = random.Random(seed)  # noqa: S311  # no secret
    return [chosen.uniform(0.1, 1) for _ in range(n)]


def small(seed: int) -> tuple[Value, list[Value]]:
    """A graph of a few operations, shared results and a label among them, and its leaves."""
    w, x, b = (Value(number, name) for number, name in zip(numbers(seed), "wxb", strict=True))
    y = (w * x + b).tanh()
    return y * y + y * w.exp() - 0.5, [w, x, b]


def training(seed: int) -> Step:
    """One step for one sample of the 3-4-1 network of Values."""
    model, sample = nn.MLP(3, [4, 1], rng=seed), iter(range(10**9))

    def step() -> Any:
        k = next(sample) % 4
        model.zero_grad()
        (output,) = model(X[k])
        loss = (output - Y[k][0]) ** 2
        loss.backward()
        for p in model.parameters():
            p.data -= 0.5 * p.grad
        return loss.data, [p.grad for p in model.parameters()]

    return step


def second_order(seed: int) -> Step:
    """A gradient that is differentiated again."""

    def step() -> Any:
        y, leaves = small(seed)
        slopes = grad(y, leaves, create_graph=True)
        penalty: Any = sum(slope * slope for slope in slopes)
        penalty.backward()
        return penalty.data, [leaf.grad for leaf in leaves], grad(slopes[0], leaves)

    return step


def taped(seed: int) -> Step:
    """A tape, recorded anew and called on every kind of number."""

    def step() -> Any:
        y, leaves = small(seed)
        tape, at = Tape(y, leaves), numbers(seed + 1)
        arrays, (value, slopes) = tape([np.array([x, x / 2]) for x in at]), tape([Value(x) for x in at])
        also = tape.on(np)(at), copy.deepcopy(tape)(at), pickle.loads(pickle.dumps(tape))(at)  # noqa: S301  # our own
        return tape(at), repr((arrays, also)), value.data, [slope.data for slope in slopes], tape.source

    return step


def compiled(seed: int) -> Step:
    """A tape of its own for each step, as machine code."""

    def step() -> Any:
        y, leaves = small(seed)
        fast, at = Tape(y, leaves).native(), numbers(seed + 1)
        return fast(at), fast.descend(at, 5, 0.1), repr(fast([np.array([x, x / 2]) for x in at]))

    return step


def interpreted(seed: int) -> Step:
    """One tape that is too long to be compiled for itself."""
    x = y = Value(0.5, "x")
    for _ in range(1500):
        y = (y * x).sin()
    fast, at = Tape(y, x).native(), numbers(seed, 1)
    return lambda: (fast(at), fast.descend(at, 2, 0.1))


def derived(seed: int) -> Step:
    """A derivation in every form, and the wrong ways beside it."""

    def step() -> Any:
        y, (w, *_) = small(seed)
        derivation = derive(y, w)
        texts = [str(derivation), derivation.text(fold=False), derivation.latex(), str(derivation.paths()), str(wrong_ways(y))]
        return texts, derivation[w].adjoint

    return step


def paged(seed: int) -> Step:
    """A derivation as a page, and the picture that is in it."""

    def step() -> Any:
        y, _ = small(seed)
        return derive(y).html(), draw(y).source

    return step


def checked(seed: int) -> Step:
    """Differences, the first inf, copies, an expression that is parsed, and an array of Values."""

    def step() -> Any:
        at = numbers(seed)
        y, leaves = small(seed)
        twin, array = copy.deepcopy(y), np.array(leaves, dtype=object)
        again = pickle.loads(pickle.dumps([y, copy.copy(y), *leaves]))[0]  # noqa: S301  # our own
        report = gradcheck(lambda a, b: a * b.exp(), *at[:2])
        parsed = parse("tanh(w*x + b) / x", dict(zip("wxb", at, strict=True)))
        return (
            str(report),
            str(first_nonfinite(Value(0.0) * y.log() + 1)),
            twin.data,
            again.data,
            repr(parsed),
            (array @ array).data,
        )

    return step


def refused(seed: int) -> Step:
    """Mistakes, each refused by an exception in the middle of the work."""
    model: Any = nn.MLP(3, [4, 1], rng=seed)
    number: Any = 3

    def step() -> Any:
        y, leaves = small(seed)
        mistakes: list[Callable[[], Any]] = [
            lambda: y + "a",
            lambda: y * np.ones(3, dtype="U1"),
            lambda: Value(2j),
            lambda: Tape(y, [y]),
            lambda: Tape(y, leaves)([1.0]),
            lambda: grad(y, number),
            lambda: draw(y, limit=1),
            lambda: derive(y, []),
            lambda: model.loss(X, [[1]]),
            lambda: nn.fit(model, X, Y, 1, 1.0),
            lambda: gradcheck(lambda a: Value(a.data**2) + a, 2.0),
            lambda: parse("tanh(w * x +", {"w": 1.0}),
        ]
        said = []
        for mistake in mistakes:
            try:
                mistake()
            except (TypeError, ValueError, ArithmeticError) as error:  # noqa: PERF203  # each mistake has its own
                said.append(str(error))
        return len(said), said[3:]

    return step


def interrupted(seed: int) -> Step:
    """Ctrl-C in the middle: of recording and of the sweep, of a derivation, of a network's loss, at every place in turn."""
    model, places = nn.MLP(3, [4, 1], rng=seed), iter(range(10**9))

    def step() -> Any:
        left = next(places) * 7 % 3000

        def watch(*_: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
            return watch

        before = sys.gettrace()
        try:
            sys.settrace(watch)
            y, leaves = small(seed)
            y.backward()
            Tape(y, leaves)(numbers(seed))
            derive(y).text()
            model.loss(X, Y).backward()
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)
            watch = lambda *_: None  # noqa: E731  # the function knows itself: a circle of ours, not of theirs
        return None

    return step


def fitted(seed: int) -> Step:
    """A network of matrices: trained, alone, stacked and with a file; saved and loaded, as matrices and as Values."""

    def step() -> Any:
        model = nn.MatrixMLP.random([3, 4, 1], rng=seed)
        stacked = nn.MatrixMLP.random([3, 4, 1], rng=seed, networks=2)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "model.npz")
            histories = [
                nn.fit(model, X, Y, steps=20, learning_rate=0.5, report_every=7, checkpoint=Path(folder, "run.npz")),
                nn.fit(stacked, X, Y, steps=5, learning_rate=0.5),
            ]
            nn.save(model, file)
            loaded: Any = nn.load(file)
        values = loaded.to_mlp()
        values.loss(X, Y).backward()
        again = nn.from_state_dict(nn.state_dict(loaded))
        return repr([list(history) for history in histories]), again.predict(X).tolist(), [p.grad for p in values.parameters()]

    return step


def explained(seed: int) -> Step:
    """The matrix equations of a network."""
    model = nn.MatrixMLP.random([3, 4, 1], rng=seed)

    def step() -> Any:
        derivation = nn.derive_matrices(model, X, Y)
        return str(derivation), derivation.latex(), str(derivation.at("dW2", 2, 0))

    return step


def diagnosed(seed: int) -> Step:
    """What is wrong with a backward pass."""
    model = nn.MatrixMLP.random([3, 4, 1], rng=seed)
    params = {"W1": model.weights[0], "W2": model.weights[1]}
    _, (dW1, dW2), _ = nn.MatrixMLP(model.weights).gradients(X, Y)
    return lambda: str(nn.diagnose({"dW1": dW1, "dW2": -dW2}, params, X, Y, activations=("sigmoid", "sigmoid")))


WORKS: dict[Work, int] = {  # and how many of them take as long as one training step
    training: 1,
    second_order: 1,
    taped: 10,
    compiled: 100,
    interpreted: 10,
    derived: 10,
    checked: 10,
    refused: 10,
    interrupted: 10,
    fitted: 100,
    paged: 100,
    explained: 100,
    diagnosed: 1000,
}


def circles() -> list[str]:
    """The types of the objects that only the collector can free, llvmlite's and threadpoolctl's left out; they are freed."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        gc.collect()
    finally:
        gc.set_debug(0)
    found = [type(each).__name__ for each in gc.garbage]
    if any(type(each).__module__ == "threadpoolctl" for each in gc.garbage):
        found = [name for name in found if "Controller" not in name and name not in ("list", "dict")]
    gc.garbage.clear()
    gc.collect()
    return [] if set(found) == THEIRS else found


def alive() -> int:
    """How many Values there are."""
    return sum(type(each) is Value for each in gc.get_objects())


class Left(NamedTuple):
    """What work has left behind: memory, Values, and the types of what only the collector can free."""

    memory: int
    values: int
    circles: list[str]


def left_by(step: Step, times: int, held: Callable[[], int]) -> Left:
    """What so many steps leave behind without the collector, by what `held` tells of the memory.

    It is asked when Python's lists of free tuples and floats are empty, which a collection does on the way.
    """
    for _ in range(3):
        step()
    gc.collect()
    gc.disable()
    try:
        before, values = held(), alive()
        for _ in range(times):
            step()
        values, found = alive() - values, circles()
        return Left(held() - before, values, found)
    finally:
        gc.enable()


def traced() -> int:
    """The bytes that Python and NumPy hold."""
    return tracemalloc.get_traced_memory()[0]


def together(work: Work, seeds: list[int], times: int) -> bool:
    """Whether threads that work at once find what one alone finds, each seed as often as `times`."""

    def results(seed: int) -> list[Any]:
        step = work(seed)
        return [step() for _ in range(times)]

    alone = [results(seed) for seed in seeds]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(len(seeds)) as pool:
            return list(pool.map(results, seeds)) == alone
    finally:
        sys.setswitchinterval(interval)


def unheard(lost: Any) -> None:
    """Say nothing of a Ctrl-C that came while a generator was closed, where no exception has anywhere to go."""
    if lost.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(lost)


def main(times: int, seed: int) -> None:
    wrong, sys.unraisablehook = 0, unheard
    print(f"seed {seed}{'':14}{'times':>8}{'more bytes':>12}{'Values left':>13}{'in circles':>12}   {THREADS} threads")
    for work, longer in WORKS.items():
        n = max(3, times // longer)
        tracemalloc.start()
        left = left_by(work(seed), n, traced)
        if left.memory >= CACHES:  # a table of Python's own may have been made twice as large, but not twice
            left = left_by(work(seed), n, traced)
        tracemalloc.stop()
        at_once = max(2, n // 100)
        same = together(work, [seed + k for k in range(THREADS)], at_once)
        ok = same and not left.values and not left.circles and left.memory < CACHES
        wrong += not ok
        told = f"{at_once:,} each, {'the same' if same else 'OTHER RESULTS'}"
        row = f"{work.__name__:20}{n:>8,}{left.memory:>12,}{left.values:>13}{len(left.circles):>12}   {told}"
        print(row if ok else f"{row}   WRONG", flush=True)
    print(f"{wrong} of {len(WORKS)} kinds of work leave something behind, or differ between threads")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 10_000, int(sys.argv[2]) if sys.argv[2:] else 0)
