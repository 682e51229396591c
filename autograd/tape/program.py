"""The flat program: a graph as a list of operations, each with the positions of its operands.

The numbers of a program stand in one row: first the inputs, then the constants, then the result of each operation. So an
operation is known by its row of the table and the positions of its operands, of which it may have any number.

Source: Griewank & Walther, Evaluating Derivatives (2nd ed., SIAM 2008), section 4.1, on tapes.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from operator import attrgetter
from typing import Any, NamedTuple, TypeAlias

from autograd.expressions import EXPANDED, Expression, number, symbol
from autograd.expressions.expression import MUL, NUMBER, WHERE, apply, lifted
from autograd.floats import as_float
from autograd.graph import Image, topological_order
from autograd.operands import Number
from autograd.operations import BUILT_IN, LEAF, OPERATIONS, Arithmetic, Function, Operation
from autograd.recording import recorded_numbers
from autograd.sweep import NOTHING, Walk, adjoints, guarded_adjoints
from autograd.value import Value

FOLDS = ("total", "dot", "chain")  # of any number of operands, a loop in machine code
NOT_EQUAL = OPERATIONS["not_equal"]
Call: TypeAlias = tuple[Operation, int]  # an operation, and of how many operands


class Program(NamedTuple):
    """A flat graph of so many `inputs`; `labels` are those of the positions that have one."""

    inputs: int
    constants: list[Number]
    operations: list[Operation]
    operands: array[int]
    starts: array[int]
    output: int
    labels: dict[int, str]
    rows: tuple[Operation, ...]

    @property
    def first(self) -> int:
        """The position of the first operation's result."""
        return self.inputs + len(self.constants)

    @property
    def floats(self) -> list[float]:
        """The constants as floats."""
        return list(map(as_float, self.constants))

    def uncommon(self) -> tuple[Call, ...]:
        """A user's operations, and those of any number of operands that are no folds, each with how many it has here."""
        which = {row for row in self.rows if row.name not in BUILT_IN or (row.arity is None and row.name not in FOLDS)}
        if not which:
            return ()
        counts = map(int.__sub__, self.starts[1:], self.starts)
        return tuple(dict.fromkeys(call for call in zip(self.operations, counts, strict=True) if call[0] in which))


def flattened(output: Value, inputs: Sequence[Value]) -> Program:
    """The program of what leads from the inputs, leaves of the graph, to the output; what does not depend on them is a
    constant.
    """
    order = topological_order(output)
    _check_inputs(inputs)
    constants = _constants(order, set(inputs))
    results = [node for node in order if node.left is not None and node not in constants]
    results.sort(key=attrgetter("order"))  # as they were recorded, which is the order of a sweep, backwards
    parents = [node.parents if node.operation.many or node.right is None else (node.left, node.right) for node in results]
    used = dict.fromkeys(node for nodes in (*parents, (output,)) for node in nodes if node in constants)
    position = {node: k for k, node in enumerate((*inputs, *used, *results))}
    operations = [node.operation for node in results]
    return Program(
        len(inputs),
        [constants[node] for node in used],
        operations,
        array("q", [position[node] for nodes in parents for node in nodes]),
        array("q", accumulate(map(len, parents), initial=0)),
        position[output],
        {position[node]: node.label for node in (*inputs, *results) if node.label},
        tuple(dict.fromkeys(operations)),
    )


def _check_inputs(inputs: Sequence[Value]) -> None:
    if not inputs:
        raise ValueError("Tape: no inputs; give the leaves whose numbers will change")
    seen: set[Value] = set()
    for position, node in enumerate(inputs):
        if node.left is not None:
            wrong = f"is the result of {node.operation.name!r}; inputs are leaves of the graph"
        elif node in seen:
            wrong = "is given twice"
        else:
            seen.add(node)
            continue
        raise ValueError(f"Tape: inputs[{position}], {node!r:.80}, {wrong}")


def _constants(order: Sequence[Value], inputs: set[Value]) -> dict[Value, Number]:
    """The number of every node that depends on no input, as it was recorded."""
    moving = set(inputs)
    for node in order:
        if node.left in moving or node.right in moving or (node.operation.many and not moving.isdisjoint(node.rest)):
            moving.add(node)
    return {node: number for node, number in recorded_numbers(order).items() if node not in moving}


def run(program: Program, leaves: Iterable[Any], function: Callable[[Operation], Function]) -> list[Image]:
    """The node of every position, computed from the inputs and constants; `function(row)` computes an operation."""
    compute = {row: function(row) for row in program.rows}
    nodes = [Image(x, LEAF) for x in leaves]
    operands, starts = program.operands, program.starts
    for row, start, end in zip(program.operations, starts, starts[1:], strict=False):  # spelled out, as recording is
        node = Image.__new__(Image)
        a = nodes[operands[start]]
        node.operation, node.left, node.right, node.rest, node.order = row, a, None, (), len(nodes)
        if end - start == 1:
            node.data = compute[row](a.data)
        elif end - start == 2:
            b = node.right = nodes[operands[start + 1]]
            node.data = compute[row](a.data, b.data)
        else:
            b, *rest = (nodes[k] for k in operands[start + 1 : end])
            node.right, node.rest = b, tuple(rest)
            node.data = compute[row](a.data, b.data, *(other.data for other in rest))
        nodes.append(node)
    return nodes


def _float(x: Any) -> Expression:
    """A whole number or a truth as a float: what a node holds."""
    e = lifted(x)
    if e.op is NUMBER:
        return e if e.content.__class__ is float else number(as_float(e.content))
    return apply(WHERE, e, 1.0, 0.0) if e.op.name in TRUTHS else e


TRUTHS = frozenset(("less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "logical_and"))  # what gives one


NODES = Arithmetic(  # the rows on symbols, of which formulas choose among floats: a node never holds anything else
    lambda row: None if row.formula else lambda *operands: apply(row, *operands),
    where=lambda condition, a, b: apply(WHERE, condition, _float(a), _float(b)),
    zeros_like=EXPANDED.zeros_like,
)


def of_node(row: Operation) -> Function:
    """What computes the operation's expression, from those of its operands."""
    compute = NODES[row]
    if row.name in TRUTHS:  # of constants it may be one of its operands
        return lambda *operands: apply(WHERE, compute(*operands), 1.0, 0.0)
    return lambda *operands: _float(compute(*operands))


def swept(program: Program, nodes: list[Image], zero: Any) -> Walk:
    """What a sweep of these nodes walks along."""
    return nodes[: program.first - 1 : -1], dict.fromkeys(nodes, zero)


def _sent(condition: Any, a: Any, b: Any) -> Expression:
    """A choice; what a sweep sends by a partial that is a choice among numbers is a choice among products, or nothing."""
    asked, term = lifted(condition), lifted(a)
    if asked.op is not NOT_EQUAL or asked.parents[0].op is not WHERE or term.op is not MUL:
        return apply(WHERE, condition, a, b)
    upstream, partial = term.parents
    return _times(upstream, partial, b) if partial is asked.parents[0] else apply(WHERE, condition, a, b)


def _times(upstream: Expression, partial: Expression, nothing: Any) -> Expression:
    if partial.op is WHERE:
        condition, *arms = partial.parents
        return apply(WHERE, condition, *(_times(upstream, arm, nothing) for arm in arms))
    if partial.op is NUMBER:
        return lifted(nothing) if partial.content == 0 else apply(MUL, upstream, partial)
    return apply(WHERE, apply(NOT_EQUAL, partial, 0), apply(MUL, upstream, partial), nothing)


SENT = Arithmetic(
    lambda row: None if row.formula else lambda *operands: apply(row, *operands), where=_sent, zeros_like=EXPANDED.zeros_like
)


class Formulas(NamedTuple):
    """What a program computes, as expressions: the result of every position, its adjoint, and the inputs' derivatives."""

    nodes: list[Image]
    adjoint: dict[Image, Expression]
    grads: list[Expression]


def formulas(program: Program, names: Iterable[str], guarded: bool = False) -> Formulas:
    """The program on symbols, which are the names of the inputs; composed operations become their formulas."""
    leaves = [*map(symbol, names), *map(number, program.floats)]
    nodes = run(program, leaves, of_node)
    sweep = guarded_adjoints if guarded and any(row.selects for row in program.rows) else adjoints
    adjoint = sweep(nodes[program.output], number(1), NOTHING, SENT, swept(program, nodes, NOTHING))
    sent = (adjoint[node] for node in nodes[: program.inputs])
    return Formulas(nodes, adjoint, [number(0.0) if x is NOTHING else 0.0 + x for x in sent])  # each sum starts from 0.0
