"""Memory against time: a long computation as one node, whose inside is recorded again when a sweep comes to it.

Source: Griewank & Walther, Evaluating Derivatives (2nd ed., SIAM 2008), chapter 12.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any, NoReturn

from autograd.calls import standing_for, tie
from autograd.floats import shown
from autograd.forward import Dual
from autograd.graph import stamp, topological_order
from autograd.operands import Number
from autograd.operations import CONSTANT, FLOATS, REAL, Operation
from autograd.recording import node_of
from autograd.slopes import dependents, one_value, recorded_sweep
from autograd.sweep import NOTHING, adjoints
from autograd.trees import flatten, unflatten
from autograd.value import Value

Run = Callable[[Sequence[Value]], Value]  # f, called with these in place of the Values among its arguments


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function `f`, which returns one Value, recorded as one node: its own graph is dropped, and recorded again in a sweep.

    A chain of n operations in parts of sqrt(n) then takes the memory of about 2 sqrt(n) nodes, and one more run of `f`.
    Gradients reach the arguments, and the Values that `f` uses from outside. Checkpoints nest, and `create_graph=True` goes
    through them (what it records is kept). Under jvp `f` is simply called.

    `f` has to do the same each time: a sweep that finds another number raises `RuntimeError`. Its graph cannot be pickled,
    nor turned into formulas or compiled, for its inside is a function; that raises `TypeError`.

    >>> from autograd import grad
    >>> def ten_steps(x):
    ...     for _ in range(10):
    ...         x = (x * 2).sin()
    ...     return x
    >>> x = Value(0.5)
    >>> y = checkpoint(ten_steps)(x)
    >>> len(topological_order(y)), grad(y, x) == grad(ten_steps(x), x)
    (2, True)
    """
    if not callable(f):
        raise TypeError(f"checkpoint: {f!r:.80} is of type {type(f).__name__}; give a function")

    def recorded(*arguments: Any, **named: Any) -> Any:
        numbers, structure = flatten(arguments)
        if any(isinstance(x, Dual) for x in numbers):
            return f(*arguments, **named)

        def run(leaves: Sequence[Value]) -> Value:
            rest = iter(leaves)
            inside = unflatten(structure, [next(rest) if isinstance(x, Value) else x for x in numbers])
            return one_value(f(*inside, **named), "checkpoint: what f returned")

        operands = [x for x in numbers if isinstance(x, Value)]
        data, outside = _first_run(run, operands)
        if not operands and not outside:
            raise TypeError("checkpoint: f was given no Value, and uses none from outside; there is nothing to record")
        return node_of(type((*operands, *outside)[0]), Checkpoint(run, len(operands), outside), data, (*operands, *outside))

    return recorded


def _first_run(run: Run, operands: Sequence[Value]) -> tuple[Number, list[Value]]:
    """The number, and the Values from outside that were used: results from before, and leaves."""
    leaves = [standing_for(x) for x in operands]
    before = stamp()
    output = run(leaves)
    order = topological_order(output)
    inside = {node for node in order if node.left is not None and node.order > before}
    used = dict.fromkeys(parent for node in order if node in inside for parent in node.parents)
    used[output] = None  # f may return what it was given, or a Value from outside
    own = {*leaves, *inside}
    return output.data, [node for node in used if node not in own and node.operation is not CONSTANT]


class Checkpoint(Operation):
    """The operation of one node: its partials come from recording `run` again."""

    __slots__ = ()

    def __init__(self, run: Run, count: int, outside: Sequence[Value]) -> None:
        def forward(*numbers: Number) -> Number:
            return _again(run, numbers, count, outside)[0].data

        domain = (REAL,) * (count + len(outside))
        super().__init__("checkpoint", "checkpoint", forward, partial(_partials, run, count, outside), domain)

    def __reduce__(self) -> NoReturn:
        raise TypeError("checkpoint: a graph with a checkpoint in it cannot be pickled, for its inside is a function")


def _again(run: Run, inputs: Sequence[Any], count: int, outside: Sequence[Value]) -> tuple[Value, list[Value]]:
    """The output and the operands of the inside, recorded anew on these inputs."""
    if not all(isinstance(x, Value | float | Fraction) for x in inputs):
        raise TypeError(
            f"checkpoint: its inside is a function of numbers, and here is {inputs[0]!r:.60} of type "
            f"{type(inputs[0]).__name__}; for formulas, pages and tapes call f without checkpoint"
        )
    for x, node in zip(inputs[count:], outside, strict=True):
        if (x is not node) if isinstance(x, Value) else not _same(x, node.data):
            raise RuntimeError(
                f"checkpoint: f uses {node!r:.60} from outside, which is not the operand {x!r:.60} of this graph"
            )
    leaves = [standing_for(x) for x in inputs[:count]]
    return run(leaves), leaves


def _same(a: Number, b: Number) -> bool:
    return a == b or (a != a and b != b)  # noqa: PLR0124  # nan differs from itself


def _partials(run: Run, count: int, outside: Sequence[Value], m: Any, out: Any, *inputs: Any) -> tuple[Any, ...]:  # noqa: ARG001
    """The derivatives by the operands: numbers, or Values where the inputs are."""
    output, leaves = _again(run, inputs, count, outside)
    order = topological_order(output)
    recorded = any(isinstance(x, Value) for x in inputs)
    before = out.data if recorded else out
    if not _same(output.data, before):
        raise RuntimeError(
            f"checkpoint: f gives {shown(output.data)} now, and gave {shown(before)} when it was recorded; it has to do the "
            "same each time: draw random numbers outside, and sweep before a Value that it uses is changed"
        )
    if missing := [node for node in outside if node not in {*order}]:
        raise RuntimeError(
            f"checkpoint: f used {missing[0]!r:.60} when it was recorded, and does not now; make Values that it uses "
            "outside of it"
        )
    ends = [*leaves, *outside]
    image = dependents(order, ends, apart=True, numbers=not recorded)
    if output not in image:
        return (0,) * len(ends)
    if recorded:
        slopes = recorded_sweep(image, output, ends)
        for leaf, x in zip(leaves, inputs, strict=False):
            tie(leaf, x)
    else:
        kind = type(output.data)
        found = adjoints(image[output], kind(1), kind(), FLOATS)
        slopes = [found.get(image.get(node), NOTHING) for node in ends]
    return tuple(0 if slope is NOTHING else slope for slope in slopes)
