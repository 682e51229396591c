"""Is this gradient right? Central differences against the sweep, and where the first inf or nan comes from.

Numerical slopes are computed from the values of the function alone, so a wrong rule cannot hide in them; they are good to about
ten digits. One-sided slopes tell a wrong gradient from a kink, where they differ, and from the edge of a domain, which has one.

Source: Nocedal & Wright, Numerical Optimization (2nd ed., Springer 2006), section 8.1, for the choice of the step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from autograd.floats import as_float, shown
from autograd.graph import consumers_first, topological_order
from autograd.names import plain
from autograd.operands import Number, checked
from autograd.operations import local_partials
from autograd.slopes import one_value
from autograd.sweep import gradients
from autograd.transforms import grad
from autograd.value import Value

EPSILON = 2.0**-52
UNDECIDED = "undecided"
SEEN = 0.1  # of a slope: rounding beyond this hides whether it is right
TINY = 1e-290  # steps relative to smaller inputs would be subnormal numbers, or nothing
STEPS = tuple(EPSILON ** (1 / 3) / 8**k for k in range(6))  # relative to the size of the input


class Row(NamedTuple):
    """One input: where it stood, what the sweep says, what the differences say, and whether they agree."""

    input: str
    at: float
    analytic: float
    left: float
    right: float
    kind: str
    ok: bool

    @property
    def numeric(self) -> float:
        """The slope by differences: the mean of the two one-sided slopes, or the one that exists."""
        slopes = [slope for slope in (self.left, self.right) if not math.isnan(slope)] or [math.nan]
        return sum(slopes) / len(slopes)

    def __str__(self) -> str:
        verdict = "" if self.ok or self.kind == UNDECIDED else "   <-- they differ"
        note = f"   {self.kind}: slopes {self.left:.6g} from the left, {self.right:.6g} from the right" if self.kind else ""
        return f"{plain(self.input):>10}  {self.at:>12.6g}  {self.analytic:>18.12g}  {self.numeric:>18.12g}{note}{verdict}"


class GradientReport(NamedTuple):
    """What was compared, one row for each input."""

    rows: tuple[Row, ...]

    @property
    def ok(self) -> bool:
        """Whether every row agrees: not if one is undecided, which is where rounding hides the slope."""
        return all(row.ok for row in self.rows)

    def __str__(self) -> str:
        head = f"{'input':>10}  {'at':>12}  {'analytic':>18}  {'numeric':>18}"
        return "\n".join((head, *map(str, self.rows)))


class GradientError(ArithmeticError):
    """The sweep and the differences disagree. Carries the evidence: `input`, `analytic`, `numeric`, and the `report`."""

    def __init__(self, report: GradientReport) -> None:
        first = next(row for row in report.rows if not row.ok and row.kind != UNDECIDED)
        self.input, self.analytic, self.numeric, self.report = first.input, first.analytic, first.numeric, report
        super().__init__(
            f"the gradient by {plain(first.input)} is {first.analytic:.12g} by the sweep "
            f"and {first.numeric:.12g} by central differences\n{report}"
        )


def gradcheck(f: Callable[..., Value], *inputs: Any, tolerance: float = 1e-6) -> GradientReport:
    """Compare the gradient of `f` at the given numbers with central differences.

    `f` takes as many Values as there are inputs and returns a Value. `tolerance` is relative. Returns a report to print, whose
    `ok` is False where rounding hides a slope, which is `undecided`; raises `GradientError`, with the same report, when a
    gradient is wrong, and `TypeError` for inputs that are not numbers or an `f` that does not return a Value. At a kink any
    slope between the two one-sided ones is right.

    >>> report = gradcheck(lambda x, y: x * y.exp(), 2.0, 0.5)
    >>> report.ok, [row.input for row in report.rows]
    (True, ['x0', 'x1'])
    """
    if not callable(f):
        raise TypeError(f"gradcheck: f={f!r:.60} is of type {type(f).__name__}; give a function of Values, then the numbers")
    if not 0 < tolerance < 1:
        raise ValueError(f"gradcheck: tolerance={tolerance!r:.60} has to be a number between 0 and 1, such as 1e-6")
    if not inputs:
        raise TypeError("gradcheck: there are no inputs; give the numbers at which to compare, gradcheck(f, 2.0, 0.5)")
    labels = [x.label if isinstance(x, Value) and x.label else f"x{i}" for i, x in enumerate(inputs)]
    point = [as_float(checked(x.data if isinstance(x, Value) else x, "gradcheck")) for x in inputs]
    leaves = [Value(x, label) for x, label in zip(point, labels, strict=True)]
    output = f(*leaves)
    if not isinstance(output, Value):
        raise TypeError(f"gradcheck: f returned {output!r:.80} of type {type(output).__name__}; it has to return a Value")
    analytic = [as_float(slope) for slope in grad(output, leaves)]

    def at(i: int, moved: float) -> float:
        found = f(*(Value(moved if j == i else x) for j, x in enumerate(point)))
        return as_float(found.data if isinstance(found, Value) else checked(found, "gradcheck: f"))

    inputs_and_slopes = enumerate(zip(labels, point, analytic, strict=True))
    rows = tuple(_compare(partial(at, i), label, x, slope, tolerance) for i, (label, x, slope) in inputs_and_slopes)
    report = GradientReport(rows)
    if any(not row.ok and row.kind != UNDECIDED for row in rows):
        raise GradientError(report)
    return report


def _slopes(f: Callable[[float], float], x: float) -> Iterator[tuple[float, float, float]]:
    """(left slope, right slope, rounding error of a slope) for ever smaller steps."""
    here = f(x)
    steps = [step * max(1.0, abs(x)) for step in STEPS]
    if TINY < abs(x) < STEPS[0]:  # so near to zero that these step across it, or are too large for what changes as fast as log
        steps += [step * abs(x) for step in STEPS]
    for step in steps:
        above, below = x + step, x - step
        left, right = (here - f(below)) / (x - below), (f(above) - here) / (above - x)
        yield left, right, 16 * EPSILON * abs(here) / (x - below)


def _compare(f: Callable[[float], float], label: str, x: float, analytic: float, tolerance: float) -> Row:
    slopes = list(_slopes(f, x))
    central = [left / 2 + right / 2 for left, right, _ in slopes]
    kink, hidden = _is_kink(slopes), None
    for i, (left, right, rounding) in enumerate(slopes):
        if i and abs(central[i] - central[0]) <= rounding:
            continue  # it says no more than the first, only less exactly
        finer = abs(central[i] - central[min(i + 1, len(central) - 1)])  # the error that a smaller step removes
        allowed = tolerance * max(abs(analytic), abs(central[i])) + rounding + (2 * finer if finer <= EPSILON**0.5 else 0.0)
        if math.isfinite(central[i]) and math.isfinite(analytic) and abs(analytic - central[i]) <= allowed:
            nothing = analytic == 0 and i == 0  # is claimed, and the largest step finds nothing but rounding
            if nothing or analytic == central[i] or rounding <= SEEN * max(abs(analytic), abs(central[i])):
                return Row(label, x, analytic, left, right, "kink" if kink else "", True)
            hidden = hidden or Row(label, x, analytic, left, right, UNDECIDED, False)
    if hidden:
        return hidden
    (coarse_left, coarse_right, _), (left, right, noise) = slopes[0], slopes[-1]
    if not math.isfinite(f(x)):
        return Row(label, x, analytic, left, right, "not finite here", not math.isfinite(analytic))
    if not (math.isfinite(left) and math.isfinite(right)) and not (math.isinf(left) and math.isinf(right)):
        slope, coarse = (right, coarse_right) if math.isfinite(right) else (left, coarse_left)
        diverges = abs(slope) > 4 * abs(coarse)
        ok = analytic == math.copysign(math.inf, slope) if diverges else abs(analytic - slope) < abs(analytic - coarse) / 4
        return Row(label, x, analytic, left, right, "edge", ok)
    allowed = 1e-4 * max(abs(left), abs(right)) + 10 * noise  # one-sided slopes are of first order only
    between = min(left, right) - allowed <= analytic <= max(left, right) + allowed
    return Row(label, x, analytic, left, right, "kink" if kink else "", kink and between)


def _is_kink(slopes: Sequence[tuple[float, float, float]]) -> bool:
    """Whether the two one-sided slopes stay apart and stay what they are as the step shrinks; at a jump they would grow."""
    (last_left, last_right, _), (left, right, noise) = slopes[2:4]  # smaller steps round too much
    jump = abs(right - left)
    settled = max(abs(left - last_left), abs(right - last_right)) <= 0.1 * jump
    return settled and jump > 1e-3 * max(abs(left), abs(right)) + 100 * noise


class NonFinite(NamedTuple):
    """The first node whose `kind`, "data" or "grad", is no finite number, that number, and where it comes from."""

    node: Value
    kind: str
    number: Number
    why: str

    def __str__(self) -> str:
        return f"the {self.kind} of {_called(self.node)} is {self.number}: {self.why}"


def first_nonfinite(output: Value) -> NonFinite | None:
    """The first node of the graph whose value, or else whose gradient, is inf or nan, and why; None if all are finite.

    Values are looked at in the order in which they were computed, gradients in the order of the sweep. `.grad` is neither
    read nor written. Raises `TypeError` for anything that is not a Value.

    >>> x = Value(0.0, "x")
    >>> print(first_nonfinite((x * 3).log() + 1))
    the data of log is -inf: log(0.0) is -inf
    >>> print(first_nonfinite(x.sqrt() * 2))
    the grad of 'x' is inf: it is sent 2.0 * inf by sqrt, whose slope at 0.0 is inf
    """
    output = one_value(output, "first_nonfinite: output")
    order = topological_order(output)
    for node in order:
        if not _finite(node.data):
            return NonFinite(node, "data", node.data, _origin(node))
    adjoint, sweep = gradients(output), consumers_first(output, None)[0]
    for node in (*sweep, *(leaf for leaf in order if leaf.left is None)):
        if not _finite(adjoint[node]):
            return NonFinite(node, "grad", adjoint[node], _sent(node, sweep, adjoint))
    return None


def _finite(x: Number) -> bool:
    return math.isfinite(x) if isinstance(x, float) else True  # a Fraction always is


def _called(node: Value) -> str:
    return repr(node.label[:40]) if node.label else node.operation.symbol or f"the number {shown(node.data)}"


def _origin(node: Value) -> str:
    if node.left is None:
        return "it was given as that"
    numbers, symbol = [shown(parent.data) for parent in node.parents], node.operation.symbol
    applied = (
        f" {symbol} ".join(numbers) if len(numbers) > 1 and not symbol.isidentifier() else f"{symbol}({', '.join(numbers)})"
    )
    return f"{applied} is {node.data}"


def _sent(node: Value, sweep: Sequence[Value], adjoint: dict[Value, Number]) -> str:
    """Which consumer sent something that is not finite; if none did, their sum became so."""
    for consumer in sweep:
        for parent, slope in zip(consumer.parents, local_partials(consumer), strict=True):
            if parent is node and not _finite(as_float(adjoint[consumer]) * as_float(slope)):
                at = ", ".join(shown(parent.data) for parent in consumer.parents)
                upstream = shown(adjoint[consumer])
                return f"it is sent {upstream} * {slope} by {_called(consumer)}, whose slope at {at} is {slope}"
    return "the sum of what its consumers send it is beyond 1.8e308"
