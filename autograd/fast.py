"""The sweep of graphs of floats, generated from the rows: the chain rule of `sweep`, with every formula inlined.

Adjoints are kept in the nodes, so one such sweep runs at a time. Where another one is running, and for Fractions, the caller
falls back on `sweep`; where Python's arithmetic raises, the row itself is asked. Every float is the same.
"""

from __future__ import annotations

import os
from _thread import allocate_lock  # `threading` would be a twentieth of what `import autograd` takes
from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import Any, TypeAlias, TypeVar

from autograd.operations import BUILT_IN, CONSTANT, FLOATS, OPERATIONS, Operation
from autograd.recording import latest

Push: TypeAlias = Callable[[Any, float], None]
T = TypeVar("T")

INLINED = 10  # rows, from the top of the table, of which the loop itself has the code; the others are a call each
LOCK = allocate_lock()
BY_ORDER = attrgetter("order")
PUSHES: dict[Operation, Push] = {}

LOOP = """\
def sweep(output, mark, by_order):
    nothing = 0.0
    output._mark = mark
    output._adjoint = 1.0
    results = [output]
    leaves = []
    for node in results:
        operand = node.left
        {seen}
        operand = node.right
        if operand is not None:
            {seen}
            if node.operation.many:
                for operand in node.rest:
                    {seen}
    for leaf in leaves:
        if leaf._data.__class__ is not float:
            return None
    results.sort(key=by_order, reverse=True)
    for node in results:
        g = node._adjoint
        if g is nothing:  # known by identity: a zero that was computed is another
            continue
        row = node.operation
        try:
            {cases}
            else:
                (pushes.get(row) or push_of(row))(node, g)
        except (ArithmeticError, ValueError):
            push_row(node, g)
    return results, leaves
"""
SEEN = """\
if operand._mark is not mark:
    operand._mark = mark
    operand._adjoint = nothing
    if operand.left is None:
        leaves.append(operand)
    else:
        results.append(operand)"""


def swept(output: Any, take: Callable[[list[Any], list[Any]], T]) -> T | None:
    """What `take` makes of the results, consumers first, and of the leaves, which have their adjoints while it runs."""
    lock = LOCK
    if output.left is None or not lock.acquire(False):  # without waiting
        return None
    try:
        found = _loop()(output, object(), BY_ORDER)
        return take(*found) if found is not None and latest[0] < found[0][-1].order else None
    finally:
        lock.release()


def _after_fork() -> None:
    global LOCK  # noqa: PLW0603  # nobody releases what another thread held
    LOCK = allocate_lock()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)


@cache
def _loop() -> Callable[..., Any]:
    rows = [row for row in OPERATIONS.values() if row.name in BUILT_IN and row.arity in (1, 2)][:INLINED]
    space: dict[str, Any] = {"pushes": PUSHES, "push_of": push_of, "push_row": _push_row, "CONSTANT": CONSTANT}
    cases = []
    for row in rows:
        lines, names = _body(row)
        space.update(names, **{f"row_{row.name}": row})
        cases.append("\n    ".join([f"if row is row_{row.name}:", *lines]))
    source = _indented(_indented(LOOP, "{seen}", SEEN), "{cases}", "\nel".join(cases))
    exec(source, space)  # noqa: S102  # our own source: the rows of the table
    made: Callable[..., Any] = space.pop("sweep")
    return made


def _indented(source: str, place: str, lines: str) -> str:
    """The source with these lines in place of a name that stands on lines of its own."""
    for indent in (" " * width for width in (20, 12, 8)):
        source = source.replace(indent + place, indent + lines.replace("\n", "\n" + indent))
    return source


def push_of(row: Operation) -> Push:
    """The function that adds to the adjoint of each operand of a node what the chain rule sends it."""
    if row.arity in (1, 2) and OPERATIONS.get(row.name) is row and row.name in BUILT_IN:
        lines, space = _body(row)
        exec("def push(node, g):" + "".join(f"\n    {line}" for line in lines), space)  # noqa: S102  # as above
        push: Push = space.pop("push")
    else:
        push = _push_row
    PUSHES[row] = push
    return push


def _push_row(node: Any, g: float) -> None:
    """The same for any row, by the row itself."""
    operands = node.parents
    row = node.operation
    partials = row.partials(FLOATS, node.data, *(operand.data for operand in operands))
    for operand, partial in zip(operands[::-1], partials[::-1], strict=True):
        if row.sends(partial):
            operand._adjoint += g * partial


def _body(row: Operation) -> tuple[list[str], dict[str, Any]]:
    """The lines that do it for a row of one or two operands, and what their names mean."""
    from autograd.expressions.expression import EXPANDED, apply, lifted, symbol
    from autograd.expressions.python import FAST, assignments, functions_of, names_in

    operands = [symbol(name) for name in "xy"[: row.arity]]
    partials = [lifted(partial) for partial in row.partials(EXPANDED, symbol("out"), *operands)][::-1]
    sent = partials if row.selects else [apply(OPERATIONS["mul"], symbol("g"), partial) for partial in partials]
    lines, texts = assignments(sent, {}, language=FAST)
    used = set().union(*map(names_in, sent))
    head = [f"{node} = node.{side}" for node, side in (("a", "left"), ("b", "right"))[: row.arity]]
    head += [f"{name} = {node}._data" for name, node in (("x", "a"), ("y", "b"), ("out", "node")) if name in used]
    adds = []  # at the end, for a formula may raise, and then the row itself has to find the adjoints as they were
    for node, text in zip("ba"[-len(operands) :], texts, strict=True):
        if row.selects:
            lines.append(f"p{node} = {text}")
            adds.append(f"if p{node}: {node}._adjoint += g * p{node}")
        elif "f_" in text:  # a call is dear, and a constant needs no derivative: the exponent of x**2
            lines.append(f"s{node} = 0.0 if {node}.operation is CONSTANT else {text}")
            adds.append(f"{node}._adjoint += s{node}")
        elif text != "0":
            adds.append(f"{node}._adjoint += {text}")
    return [*head, *lines, *adds], {**functions_of(sent), "CONSTANT": CONSTANT}
