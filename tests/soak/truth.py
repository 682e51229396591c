"""Random graphs, and what is true of them: mpmath at 50 digits, with a bound for what rounding may do to any float64 engine.

A bound is an error analysis that runs along: every operand is moved by its own error, and what that does to an operation and
to its slopes is computed with 50 digits, so that a graph that is ill-conditioned is granted much, a good one little, and a
kink that is met exactly nothing. The trade-off: formulas of slopes stand in `paper` a second time, on purpose.

Source: Higham, Accuracy and Stability of Numerical Algorithms (2nd ed., SIAM 2002), section 3.3, running error analysis.

Run it: python tests/soak/truth.py 100000 [SEED]. PyTorch and JAX are asked too, where they are installed.
"""

from __future__ import annotations

import functools
import importlib.util
import itertools
import math
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from typing import Any, NamedTuple

import mpmath
import numpy as np
from paper import slopes, values
from programs import Program, Step

from autograd import topological_order
from autograd.operations import OPERATIONS, local_partials

mp = mpmath.mp.clone()
mp.dps = 50
U = 2.0**-53  # half a unit in the last place, of 1
HUGEST = 5e307  # beyond it pi times a number is none
TINY, HUGE = 1e-300, 1e300  # near the ends of the floats that have all their digits


VALUE, SLOPES = values(mp), slopes(mp)
SELECTING = {name for name, row in OPERATIONS.items() if row.selects}
EXACTLY = SELECTING | {"neg", "abs", "fmod"}  # what a float computes without an error
ROUNDED = {"add", "sub", "mul", "div", "sqrt", "square", "reciprocal", "mod", "leaky_relu"}  # and what to the nearest float
FIXED = {"add", "sub", "mul", "square", "total", "dot", "leaky_relu"} | EXACTLY - {"fmod"}  # the slopes are exact


def rounding(name: str, out: Any, inputs: Sequence[Any], spread: float = 0.0) -> float:
    """How far a float64 engine may be from an operation of floats: 4 units in the last place of what it has to add up.

    `spread` is how far its operands' errors have moved the operation; without any, what has a float is that float.
    """
    if name in EXACTLY or (name in ROUNDED and not spread and out == float(out)):
        return 0.0
    smallest = 2.0**-1074 if 0 < abs(out) < TINY else 0.0  # where it has no digits, or is no float but zero
    if name in ROUNDED:
        return U * float(abs(out)) + smallest
    if smallest and name in ("silu", "gelu"):  # a factor of it has no digits
        smallest *= max(1.0, abs(float(inputs[0])))
    return 8 * U * _added(name, out, inputs) + smallest


def _added(name: str, out: Any, inputs: Sequence[Any]) -> float:
    """The size of what an operation has to add up, or of a factor that rounding before it has in its result."""
    size = float(abs(out))
    if name in ("logaddexp", "logsumexp", "total"):
        return float(max(abs(out), *map(abs, inputs)))
    if name == "dot":
        return float(sum(abs(x * w) for x, w in zip(inputs[: len(inputs) // 2], inputs[len(inputs) // 2 :], strict=True)))
    if name == "gelu":  # the tail of erfc, of a rounded a
        return size * (1 + float(inputs[0] * inputs[0])) if size else 0.0
    return max(size, 1.0) if name == "sinc" else size  # sinc: the sine of a rounded pi * a


def slope_rounding(name: str, position: int, slope: Any, out: Any, error: float, inputs: Sequence[Any]) -> float:
    """The same for a slope; where it is computed from the rounded output, or from a rounded exponent, that comes on top."""
    size = float(abs(slope))
    if name in FIXED:
        return 0.0
    a = float(inputs[0])
    if name == "tanh":  # 1 - out * out
        return 2 * (float(abs(out)) * error + 2 * U)
    if name == "tan":  # 1 + out * out
        return 2 * float(abs(out)) * error + 4 * U * size
    if name == "sigmoid":  # out * (1 - out)
        return error + 8 * U * float(out)
    if name in ("logaddexp", "logsumexp"):  # the sigmoid of a difference, or exponentials of some
        return size * (U * (16 + 2 * float(max(inputs) - min(inputs)) + (float(abs(out)) if name == "logsumexp" else 0)))
    if name == "sinc":  # the difference of the cosine of a rounded pi * a and the output, by a
        return error / abs(a) + 8 * U * (4 + 1 / abs(a)) if abs(a) >= 0.3 else 8 * U * size
    if name == "gelu":  # the share below a, and a times the density, of which the exponent is rounded
        return 16 * U * (1 + a * a) * float(VALUE["erfc"](-inputs[0] / mp.sqrt(2)) / 2 + abs(a) * mp.exp(-(mp.mpf(a) ** 2) / 2))
    if name == "silu":  # two terms that cancel
        return 16 * U * (1 + abs(a)) * float(1 / (1 + mp.exp(-inputs[0])))
    if name in ("erf", "erfc"):  # a rounded exponent
        return size * U * (8 + a * a) if size else 0.0
    if name in ("mod", "fmod"):  # how often b was taken from a is whole; beyond 2**50 it may be rounded
        return 0.0 if size < 2**50 else 8 * U * size
    if name == "pow" and position == 0 and inputs[0] != 0:  # b - 1 is rounded before it is an exponent; beyond 2**53 to b
        if inputs[0] < 0 and abs(inputs[1]) > 2**53:
            return math.inf
        return size * (U * (8 + float(abs(mp.log(abs(inputs[0])) * (inputs[1] - 1)))))
    return 8 * U * size


class Truth(NamedTuple):
    """The output and its derivatives by the inputs that are used, each with the bound on a float64 engine's error."""

    numbers: list[Any]
    bounds: list[float]

    def excess(self, found: Sequence[float]) -> float:
        """The largest error of those numbers in units of its bound; at most 1 if all is right."""
        units = [0.0]
        for got, want, bound in zip(found, self.numbers, self.bounds, strict=True):
            error = float(abs(got - want)) if math.isfinite(got) else math.inf
            units.append(0.0 if error == 0 or bound == math.inf else error / bound if bound else math.inf)
        return max(units)

    @property
    def sharp(self) -> bool:
        """Whether nine digits of every number are asked for."""
        return all(bound <= 1e-9 * float(abs(want)) + 1e3 * TINY for want, bound in zip(self.numbers, self.bounds, strict=True))


def truth(program: Program, numbers: Sequence[float]) -> Truth:
    """What a program comes to at these finite numbers, where no operation leaves its domain or what floats can hold."""
    given = dict(zip(program.used, numbers, strict=True))
    values = [mp.mpf(x) for x in (*(given.get(k, 0.0) for k in range(program.inputs)), *program.constants)]
    errors = [0.0] * len(values)
    slopes: list[list[tuple[int, Any, float]]] = []
    for step, at in zip(program.steps, program.operands, strict=True):
        value, partials = VALUE[step.name], SLOPES[step.name]
        inputs = [values[i] for i in at]
        out = value(*inputs)
        by = partials(out, *inputs)
        spread, doubts = 0.0, [0.0] * len(at)
        for corner in _corners(inputs, [errors[i] for i in at]):
            moved = value(*corner)
            spread = _larger(spread, moved - out)
            doubts = [_larger(d, there - here) for d, there, here in zip(doubts, partials(moved, *corner), by, strict=True)]
        error = spread + rounding(step.name, out, inputs, spread)
        slopes.append(
            [
                (i, slope, doubt + slope_rounding(step.name, k, slope, out, error, inputs))
                for k, (i, slope, doubt) in enumerate(zip(at, by, doubts, strict=True))
            ]
        )
        values.append(out)
        errors.append(error)
    return _swept(program, values[-1], errors[-1], slopes)


def _corners(inputs: Sequence[Any], errors: Sequence[float]) -> Any:
    """Where the operands may be: at their ends, at zero, and where all of them are the same."""
    if not any(errors):
        return []
    ends = [(x - e, x + e) if e else (x,) for x, e in zip(inputs, errors, strict=True)]
    low, high = max(min(end) for end in ends), min(max(end) for end in ends)
    zeros = ((*end, mp.zero) if min(end) < 0 < max(end) else end for end in ends)
    return [*itertools.product(*zeros), *([((low + high) / 2,) * len(ends)] if low <= high else [])]


def _larger(size: float, difference: Any) -> float:
    return max(size, float(abs(difference))) if mp.isfinite(difference) else math.inf


def _swept(program: Program, value: Any, error: float, slopes: Sequence[Sequence[tuple[int, Any, float]]]) -> Truth:
    """The chain rule, and the errors along it: of the slope, of the adjoint, of the product and of the sum."""
    first = program.inputs + len(program.constants)
    last = first + len(slopes) - 1
    moving = _moving(program)
    terms: dict[int, list[tuple[Any, float]]] = {last: [(mp.one, 0.0)]}
    found: dict[int, tuple[Any, float]] = {}
    for position in range(last, -1, -1):
        shares = terms.pop(position, [])
        sizes = float(sum(abs(share) for share, _ in shares))
        adjoint, wrong = sum((share for share, _ in shares), mp.zero), math.fsum(e for _, e in shares)
        wrong += (len(shares) - 1) * U * sizes if shares else 0.0
        found[position] = adjoint, wrong
        if position < first or not shares:
            continue
        for operand, slope, doubt in slopes[position - first]:
            if operand in moving:
                size = float(abs(adjoint))
                off = size * doubt + wrong * (float(abs(slope)) + doubt) + U * size * float(abs(slope)) + TINY
                terms.setdefault(operand, []).append((adjoint * slope, off))
    numbers, bounds = zip((value, error), *(found[k] for k in program.used), strict=True)
    return Truth(list(numbers), [bound if mp.isfinite(x) else math.inf for x, bound in zip(numbers, bounds, strict=True)])


def _moving(program: Program) -> set[int]:
    """The positions that depend on an input; the derivative by a constant may be nan."""
    moving = set(range(program.inputs))
    for k, at in enumerate(program.operands, program.inputs + len(program.constants)):
        if moving.intersection(at):
            moving.add(k)
    return moving


SMALL = (0.0, 0.0, 0.0, 1.0, -1.0, 2.0, -2.0, 3.0, 0.5, -0.5)  # of which ties, kinks and exact results are made
WILD = (*SMALL, -0.0, math.inf, -math.inf, math.nan, 1e308, -1e308, 5e-324, 1e-308, 710.0, -746.0, 1e16)
# what meets them exactly
KINKS = ("add", "sub", "mul", "neg", "abs", "pow", "logaddexp", "total", "dot", "mod", "square", *SELECTING)
LARGEST = 1e4


def _number(draw: random.Random, wild: bool) -> float:
    if draw.random() < 0.4:
        return draw.choice(WILD if wild else SMALL)
    return draw.choice((draw.uniform(-3, 3), draw.gauss(0, 1), draw.choice((1, -1)) * 10 ** draw.uniform(-3, 3)))


def _is_tame(name: str, out: float, at: Sequence[float], moving: Sequence[bool]) -> bool:
    if not abs(out) < LARGEST:
        return False
    by = SLOPES[name](mp.mpf(out), *map(mp.mpf, at))
    sizes = [abs(out), *(abs(slope) for slope, moves in zip(by, moving, strict=True) if moves)]
    return all(size == 0 or LARGEST**-4 < size < LARGEST for size in sizes)


def drawn(draw: random.Random, wild: bool = False, names: Sequence[str] = tuple(OPERATIONS)) -> tuple[Program, list[float]]:
    """A program of up to 200 operations, most of them on the last results, and numbers for it.

    In some there are small whole numbers only, so that kinks and ties are met. If it is not `wild`, no operation leaves
    its domain or grows beyond LARGEST, so that there is a truth with digits.
    """
    inputs, kinks = draw.randint(1, 5), draw.random() < 0.3
    names = tuple(name for name in names if name in KINKS) if kinks else tuple(names)
    numbers = [draw.choice(SMALL) if kinks else _number(draw, wild) for _ in range(inputs + draw.randint(0, 3))]
    values, steps = numbers[:], list[Step]()
    moving = set(range(inputs))
    length = round(200 ** draw.random())
    nearest = draw.choice((1, 2, 10))  # a chain, one that is woven, or a bush
    while len(steps) < length:
        second, third, fourth = (draw.choice((draw.randrange(3), draw.randrange(200))) for _ in range(3))
        step = Step(draw.choice(names), draw.randrange(nearest), second, (third, fourth))
        at = step.operands(len(values))
        out = float(_value(step.name, [values[i] for i in at]))
        if not wild and not _is_tame(step.name, out, [values[i] for i in at], [i in moving for i in at]):
            continue  # another operation, or other operands
        if moving.intersection(at):
            moving.add(len(values))
        values.append(out)
        steps.append(step)
    program = Program(inputs, tuple(numbers[inputs:]), tuple(steps))
    return (program, [numbers[k] for k in program.used]) if program.used else drawn(draw, wild, names)


def astray(program: Program, numbers: Sequence[float]) -> list[str]:
    """What is wrong in a recorded graph, node by node: each is held to what its operands' floats, infinite or not, come to."""
    output, _ = program.record(numbers)
    output.backward()
    order = topological_order(output)
    terms: dict[Any, list[float]] = {node: [1.0] if node is output else [] for node in order}
    said = []
    reached = {output}
    for consumer in reversed(order):
        for parent, partial in zip(consumer.parents, local_partials(consumer), strict=True):
            if consumer in reached and not (consumer.operation.name in SELECTING and partial == 0):  # else nothing is sent
                reached.add(parent)
                terms[parent].append(float(consumer.grad * partial))
    for node in order:
        name, at, data = node.operation.name, [float(parent.data) for parent in node.parents], float(node.data)
        if at and not _is_right(data, want := _value(name, at), rounding(name, want, at) if mp.isfinite(want) else 0.0):
            said.append(f"{name}{tuple(at)} is {data!r}")
        for position, (got, want) in enumerate(zip(local_partials(node), _slopes(name, data, at), strict=False)):
            off = slope_rounding(name, position, want, data, rounding(name, data, at), at)
            if not _is_right(float(got), want, off):
                said.append(f"slope {position} of {name}{tuple(at)} is {got!r}")
        if node.left is not None and not _is_right(
            float(node.grad), sum(terms[node]), len(order) * U * sum(map(abs, terms[node]))
        ):
            said.append(f"the grad of {name}{tuple(at)} is {node.grad!r}")
    return said


NUMPYS: dict[str, Callable[..., Any]] = {
    **{name: getattr(np, name) for name in OPERATIONS if hasattr(np, name)},
    "sub": np.subtract,
    "mul": np.multiply,
    "pow": np.float_power,  # np.power of -inf and 0.5 is nan on some processors (NumPy 2.4, AVX-512)
    "div": np.divide,
    "neg": np.negative,
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "softplus": lambda a: np.logaddexp(0, a),
    "relu": lambda a: np.maximum(a, 0),
    "square": lambda a: a * a,
    "erf": math.erf,
    "erfc": math.erfc,
    "softsign": lambda a: a / (1 + abs(a)) if np.isfinite(a) else np.sign(a),
    "leaky_relu": lambda a: a if a > 0 else 0.01 * a,
    "elu": lambda a: a if a > 0 else np.expm1(a),
    "gelu": lambda a: a * math.erfc(-a * math.sqrt(0.5)) / 2 if np.isfinite(a) else np.maximum(a, 0),
    "silu": lambda a: a / (1 + np.exp(-a)) if a != -np.inf else 0.0,
    "clip": lambda a, low, high: np.minimum(np.maximum(a, low), high),
    "total": lambda *numbers: functools.reduce(np.add, numbers),
    "dot": lambda *at: functools.reduce(np.add, map(np.multiply, at[: len(at) // 2], at[len(at) // 2 :])),
    "logsumexp": lambda *numbers: functools.reduce(np.logaddexp, numbers),
}


def _value(name: str, at: Sequence[float]) -> Any:
    """By mpmath; where it has no zeros with signs, no infinity or no nan of IEEE 754, by NumPy."""
    if all(abs(x) < HUGEST for x in at) and all(at):
        return VALUE[name](*map(mp.mpf, at))
    with np.errstate(all="ignore"):
        return float(NUMPYS[name](*map(np.float64, at)))


def _slopes(name: str, out: float, at: Sequence[float]) -> tuple[Any, ...]:
    """By mpmath, far from zero and infinity; nothing is said of edges, which stand one by one in test_rules."""
    if not at or not all(TINY < abs(x) < HUGE for x in (out, *at)):
        return ()
    exactly = [mp.mpf(x) for x in at]
    found: tuple[Any, ...] = SLOPES[name](VALUE[name](*exactly), *exactly)
    return found


def _is_right(got: float, want: Any, off: float) -> bool:
    if mp.isnan(want) or math.isnan(got):
        return bool(mp.isnan(want) and math.isnan(got))
    if math.isinf(got) or mp.isinf(want):  # beyond the largest float there is infinity
        return bool((got > 0) == (want > 0) and abs(want) > 1.797e308 and abs(got) > 1.797e308)
    return bool(abs(got - want) <= off + 2.0**-1074)


SPELLED = (  # what other libraries have too, of floats, with a slope at every kink
    *("add", "sub", "mul", "div", "pow", "neg", "abs", "exp", "log", "sqrt", "sin", "cos", "tanh"),
    *("sigmoid", "softplus", "relu", "maximum", "minimum", "logaddexp"),
)


def by_torch(program: Program, numbers: Sequence[float]) -> list[float]:
    """The output and the derivatives, by PyTorch in float64."""
    import torch

    torch.set_num_threads(1)
    named = {name: getattr(torch, name) for name in SPELLED if hasattr(torch, name)}
    operations = {**named, "softplus": lambda a: torch.logaddexp(a, torch.zeros_like(a))}  # its own is a itself beyond 20
    leaves = {k: torch.tensor(x, dtype=torch.float64, requires_grad=True) for k, x in zip(program.used, numbers, strict=True)}
    nodes = [leaves.get(k, torch.tensor(0.0, dtype=torch.float64)) for k in range(program.inputs)]
    nodes += [torch.tensor(x, dtype=torch.float64) for x in program.constants]
    for step, at in zip(program.steps, program.operands, strict=True):
        nodes.append(operations[step.name](*(nodes[i] for i in at)))
    return [float(x) for x in (nodes[-1].detach(), *torch.autograd.grad(nodes[-1], list(leaves.values())))]


SLOTS = 216  # of the numbers of a program for JAX


@cache
def _jaxs() -> Any:
    """One program for all: a loop over the steps, compiled once, that JAX differentiates."""
    import jax

    set_option: Any = jax.config.update  # which has no types where JAX is installed
    set_option("jax_enable_x64", True)
    m = jax.numpy
    operations: dict[str, Any] = {
        **{name: getattr(m, name) for name in SPELLED if hasattr(m, name)},
        "sub": m.subtract,
        "mul": m.multiply,
        "div": m.divide,
        "neg": m.negative,
        **{name: getattr(jax.nn, name) for name in ("sigmoid", "softplus", "relu")},
        "abs": lambda a: m.maximum(a, -a),  # its own has slope 1 at 0
        # its own has slopes exp(a - out), which lose digits where a is large
        "logaddexp": lambda a, b: m.maximum(a, b) + m.log1p(m.exp(-m.maximum(a - b, b - a))),
    }

    def branch(name: str) -> Callable[[Any, Any], Any]:
        return operations[name] if len(OPERATIONS[name].domain) == 2 else lambda a, _: operations[name](a)

    branches = [branch(name) for name in SPELLED]

    def output(slots: Any, codes: Any, left: Any, right: Any, place: Any, last: Any) -> Any:
        def step(slots: Any, now: Any) -> Any:
            code, i, j, to = now
            return slots.at[to].set(jax.lax.switch(code, branches, slots[i], slots[j])), None

        slots, _ = jax.lax.scan(step, slots, (codes, left, right, place))
        return slots[last]

    return jax.jit(jax.value_and_grad(output))


def by_jax(program: Program, numbers: Sequence[float]) -> list[float]:
    """The same by JAX, in float64."""
    first, names = program.inputs + len(program.constants), SPELLED
    slots = np.zeros(SLOTS)
    slots[program.used] = numbers
    slots[program.inputs : first] = program.constants
    codes = np.zeros(SLOTS, dtype=np.int32)
    left, right, place = (np.full(SLOTS, SLOTS - 1, dtype=np.int32) for _ in range(3))  # the sum of two zeros, to nowhere
    last = first + len(program.steps) - 1
    live = {last}
    for k, (step, at) in reversed(list(enumerate(zip(program.steps, program.operands, strict=True)))):
        if first + k in live:  # the others are not in the graph; here they would be swept, and 0 * inf is nan
            codes[k], left[k], right[k], place[k] = names.index(step.name), at[0], at[-1], first + k
            live.update(at)
    value, slopes = _jaxs()(slots, codes, left, right, place, last)
    return [float(value), *np.asarray(slopes)[program.used].tolist()]


PEERS = {"torch": by_torch, "jax": by_jax}


def look(seed: str, peers: Sequence[str] = ()) -> tuple[Counter[str], float, list[str]]:
    """One graph with a truth and a wild one: what was tried, the largest error in units of its bound, and what is wrong."""
    program, numbers = drawn(random.Random(seed))  # noqa: S311  # no secret
    said, right = Counter({"graphs": 1}), truth(program, numbers)
    said["operations"], said["nine digits"], wrong = len(program.steps), right.sharp, list[str]()
    value, grads = program.engine(numbers)
    excess = right.excess([value, *grads])
    if excess > 1:
        wrong.append(f"{seed}: {excess:.3g} times the bound: {program}, {numbers}")
    if peers:
        program, numbers = drawn(random.Random(seed), names=SPELLED)  # noqa: S311  # no secret
        right = truth(program, numbers)
    for peer in peers:
        found = PEERS[peer](program, numbers)
        said[peer] += 1
        if any(map(math.isnan, found)):  # as JAX has at 0**0
            said[f"with nan by {peer}"] += 1
        elif right.excess(found) > 8:  # its operations are less exact than the C library's
            wrong.append(f"{seed}: {peer} differs: {program}, {numbers}")
    wilder = drawn(random.Random(f"wild {seed}"), wild=True)  # noqa: S311  # no secret
    said["wild graphs"] = 1
    wrong += [f"wild {seed}: {fault}" for fault in astray(*wilder)[:3]]
    return said, excess, wrong


def _looks(seeds: Sequence[str], peers: Sequence[str]) -> tuple[Counter[str], float, list[str]]:
    tried, excesses, wrong = zip(*(look(seed, peers) for seed in seeds), strict=True)
    return sum(tried, Counter[str]()), max(excesses), list(itertools.chain(*wrong))


def main(count: int, seed: int) -> None:
    peers = [peer for peer in PEERS if importlib.util.find_spec(peer)]
    chunks = [[f"{seed}-{i}" for i in range(start, min(start + 200, count))] for start in range(0, count, 200)]
    tried, largest, wrong, began = Counter[str](), 0.0, list[str](), time.time()
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for more, excess, faults in pool.map(_looks, chunks, itertools.repeat(peers)):
            tried, largest, wrong = tried + more, max(largest, excess), wrong + faults
            print(*faults, sep="\n", end="\n" * bool(faults), flush=True)
    print(f"seed {seed}: {', '.join(f'{n:,} {what}' for what, n in tried.items())}; {time.time() - began:.0f} s")
    print(f"the largest error was {largest:.2f} of its bound; {len(wrong)} things are wrong")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
