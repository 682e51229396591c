"""Record once, replay: the 3-4-1 network trained in seven ways, all with the same gradient, and how fast each of them is.

Run it: python examples/record_once.py. It prints what it compares, and plots the steps per second to record_once.png, in the
folder given as an argument or else here. It uses the extras `native` and `examples`, and SymPy; what is not installed is
named, and left out.
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from three_four_one import X, Y, initial_weights

import nn
from autograd import Tape, Value, maximum

Array = NDArray[Any]
Gradient = Callable[[Any], Any]  # from the sixteen weights, neuron by neuron, to the derivatives by them
Training = Callable[[int], Any]  # from a number of steps to the weights after them


def flat(weights: Sequence[Array]) -> Any:
    return np.concatenate([w.T.ravel() for w in weights]).tolist()


START = flat(initial_weights())


def recorded_anew(x: Array, y: Array) -> Gradient:
    """What the engine does by itself: record the graph, sweep it, and forget it."""
    model = nn.MLP.from_arrays(initial_weights())

    def gradient(weights: Any) -> Any:
        for p, w in zip(model.parameters(), weights, strict=True):
            p.data, p.grad = w, 0.0
        model.loss(x, y).backward()
        return [p.grad for p in model.parameters()]

    return gradient


def recorded_once() -> tuple[Tape, Tape]:
    """The loss on the four samples as a tape of the weights; that on one as a tape of the weights, the sample, the target."""
    model = nn.MLP.from_arrays(initial_weights())
    x, y = [Value(0.0, f"x{i}") for i in range(3)], [Value(0.0, "y")]
    return Tape(model.loss(X, Y), model.parameters()), Tape(model.loss([x], [y]), [*model.parameters(), *x, *y])


def over_samples(tape: Any, x: Array, y: Array) -> Gradient:
    """The tape of one sample with all samples as arrays: each derivative comes out as an array too, and is summed up."""
    return lambda weights: [dw.sum().item() for dw in tape([*weights, *x.T, *y.T])[1][:16]]


def formulas(x: Array, y: Array) -> Gradient:
    def gradient(weights: Any) -> Any:
        w = np.array(weights)
        return flat(nn.MatrixMLP([w[:12].reshape(4, 3).T, w[12:].reshape(1, 4).T]).gradients(x, y).weights)

    return gradient


def stepwise(gradient: Gradient) -> Training:
    def train(steps: int) -> Any:
        weights = START
        for _ in range(steps):
            weights = [w - 1.0 * dw for w, dw in zip(weights, gradient(weights), strict=True)]
        return weights

    return train


def fitted(steps: int) -> Any:
    model = nn.MatrixMLP(initial_weights())
    nn.fit(model, X, Y, steps, learning_rate=1.0)
    return flat(model.weights)


def seconds(train: Training, steps: int) -> float:
    start = time.perf_counter()
    train(steps)
    return time.perf_counter() - start


def per_second(train: Training) -> float:
    """Steps a second, in the better of two trainings of a twentieth of a second or more."""
    steps = 1
    while seconds(train, steps) < 0.05:
        steps *= 2
    return steps / min(seconds(train, steps) for _ in range(2))


def off(found: Any, expected: Any) -> str:
    difference = np.abs(np.subtract(found, expected)).max()
    return f"{difference:.1e}" if difference else "same bits"


def compared(ways: dict[str, Gradient], whole: dict[str, Training], steps: int) -> dict[str, float]:
    """Print how far every way is from the first, in the gradient and after some steps; return the steps per second."""
    print(f"   {'':28}{'farthest from that of Values':>34}")
    print(f"   {'':28}{'gradient':>14}{f'weights, step {steps}':>20}{'steps a second':>20}")
    trainings = {name: stepwise(gradient) for name, gradient in ways.items()} | whole
    gradient, weights = (next(iter(ways.values()))(START), next(iter(trainings.values()))(steps))
    speeds = {}
    for name, train in trainings.items():
        first = off(ways[name](START), gradient) if name in ways else ""
        speeds[name] = per_second(train)
        print(f"   {name:28}{first:>14}{off(train(steps), weights):>20}{speeds[name]:20,.0f}")
    print()
    return speeds


def what_a_tape_is() -> Tape:
    print("1. A tape is the program of a graph: its operations, and then the chain rule back over them\n")
    w, x, b = Value(0.5, "w"), Value(2.0, "x"), Value(-1.0, "b")
    tape = Tape(((w * x + b).tanh() - 1) ** 2, [w, x, b])
    print("   " + tape.source.replace("\n", "\n   "))
    print(f"\n   the numbers that it was recorded with: tape([0.5, 2.0, -1.0]) = {tape([0.5, 2.0, -1.0])}")
    print(f"   others:                                tape([2.0, 0.0, 0.0]) = {tape([2.0, 0.0, 0.0])}\n")
    return tape


def speeds(n: int = 1000) -> list[tuple[str, dict[str, float]]]:
    random, (tape, sample) = np.random.default_rng(0), recorded_once()
    x, y = random.random((n, 3)), random.random((n, 1))
    anew, arrays, matrix = "Values, recorded anew", "tape on arrays of samples", "matrix formulas"
    four = {anew: recorded_anew(X, Y), "tape on floats": lambda w: tape(w)[1], arrays: over_samples(sample, X, Y)}
    many = {anew: recorded_anew(x, y), arrays: over_samples(sample, x, y)}
    whole: dict[str, Training] = {}
    try:
        fast, fast_sample = tape.native(), sample.native()
        four["native, a call a step"] = lambda w: fast(w)[1]
        many["native on arrays of samples"] = over_samples(fast_sample, x, y)
        whole["native, descend"] = lambda steps: fast.descend(START, steps, learning_rate=1.0)
    except ImportError as error:
        print(f"native left out: {error}\n")
    print(f"2. One gradient on the four samples, {len(tape)} operations; the tape of one sample has {len(sample)}\n")
    on_four = compared({**four, matrix: formulas(X, Y)}, {**whole, "matrix formulas, nn.fit": fitted}, steps=200)
    print(f"3. The same on {n:,} random samples, where arrays pay: the graph is recorded for one sample only\n")
    return [("4 samples", on_four), (f"{n:,} samples", compared({**many, matrix: formulas(x, y)}, {}, steps=1))]


def derivatives_of_derivatives() -> None:
    print("4. A tape on Values gives Values, so its gradient can be taped too: the Hessian times a vector v\n")
    (tape, _), v = recorded_once(), np.random.default_rng(0).normal(size=16)
    weights = [Value(w) for w in START]
    _, gradient = tape(weights)
    along_v = Tape(sum(g * v_k for g, v_k in zip(gradient, v, strict=True)), weights)
    ahead, behind = (np.array(tape((START + h * v).tolist())[1]) for h in (1e-5, -1e-5))
    print(f"   {along_v!r}; its gradient is H v. First entries, and those of")
    print("   (gradient at w + h v - gradient at w - h v) / 2 h:")
    for entries in (along_v(START)[1], (ahead - behind) / 2e-5):
        print("  ", *(f"{x:14.10f}" for x in entries[:4]))
    print()


def as_formulas(tape: Tape) -> None:
    print("5. The tape of 1. on SymPy's symbols: its gradient as formulas\n")
    try:
        import sympy
    except ImportError:
        print("   left out: pip install sympy\n")
        return
    names = sympy.symbols("w x b", real=True)
    for name, formula in zip(names, tape.on(sympy)(names)[1], strict=True):
        print(f"   d/d{name} = {formula}")
    print()


def frozen_branch() -> None:
    print("6. An `if` is Python's and not in the graph: the tape has the arm that was taken when it was recorded, at 2\n")
    x = Value(2.0, "x")
    frozen = Tape(x * 4 if x > 0 else x / 2, [x])
    chosen = Tape(maximum(x * 4, x / 2), [x])
    for name, tape in (("x * 4 if x > 0 else x / 2", frozen), ("maximum(x * 4, x / 2)", chosen)):
        print(f"   {name}: at 2 {tape([2.0])}, at -3 {tape([-3.0])}")
        print("     " + tape.source.replace("\n", "\n     ") + "\n")
    print("   The source shows it: in the first there is no x / 2. maximum, minimum, relu and abs choose")
    print("   anew each time.\n")


def plot(groups: list[tuple[str, dict[str, float]]]) -> None:
    try:
        import matplotlib as mpl
    except ImportError:
        print("plot left out: pip install 'chainrule[examples]'")
        return
    mpl.use("Agg")  # a file, no window
    import matplotlib.pyplot as plt

    heights = [len(found) for _, found in groups]
    figure, rows = plt.subplots(len(groups), 1, figsize=(9, 5.2), layout="constrained", height_ratios=heights, sharex=True)
    for axes, (title, found) in zip(rows, groups, strict=True):
        names = sorted(found, key=lambda name: -found[name])
        colors = ["#0072B2" if "matrix" in name else "#999999" if "Values" in name else "#D55E00" for name in names]
        bars = axes.barh(names, [found[name] for name in names], color=colors)
        axes.bar_label(bars, [f"{found[name]:,.0f}" for name in names], padding=4)
        axes.set_title(title, loc="left", fontweight="bold")
        axes.set_xscale("log")
        axes.set_xlim(0.5, 4 * max(speed for _, found in groups for speed in found.values()))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.spines[["top", "right"]].set_visible(False)
    rows[-1].set_xlabel("steps a second")
    path = Path(*sys.argv[1:]) / "record_once.png"
    figure.savefig(path, dpi=120)
    print(f"plot: {path.name}")


def main() -> None:
    tape = what_a_tape_is()
    groups = speeds()
    derivatives_of_derivatives()
    as_formulas(tape)
    frozen_branch()
    plot(groups)


if __name__ == "__main__":
    main()
