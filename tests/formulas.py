"""Random formulas over the table, each with the number that Python computes on the way."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from programs import NUMBERS

from autograd.expressions import Expression, number, symbol
from autograd.expressions.expression import NAME, NUMBER
from autograd.graph import topological_order
from autograd.operations import CHOICES, FLOATS, OPERATIONS, Arithmetic

SIMPLE = (0.0, -0.0, 1.0, -1.0, 2.0, 0, 1, -1)  # what a simplification looks for
NAMES = ("x", "y", "z")
COMPARE = [name for name in CHOICES if name not in ("where", "logical_and")]


def evaluated(e: Expression, at: dict[str, float]) -> Any:
    """The number that an expression stands for, with nothing but its operations' own definitions."""
    found: dict[Expression, Any] = {}
    for node in topological_order(e):
        if node.op is NAME or node.op is NUMBER:
            found[node] = at[node.content] if node.op is NAME else node.content
        else:
            found[node] = FLOATS[node.op](*(found[p] for p in node.parents))
    return found[e]


@st.composite
def expressions(
    draw: st.DrawFn,
    at: dict[str, float],
    m: Arithmetic,
    often: tuple[str, ...] = ("mul", "neg"),
    simple: tuple[float, ...] = SIMPLE,
) -> tuple[list[Expression], list[Any]]:
    """Expressions of a random program, made by `m`, and beside each of them the number that Python computes on the way."""
    leaves = draw(st.lists(st.one_of(st.sampled_from(simple), NUMBERS), min_size=1, max_size=4))
    found: list[tuple[Any, Any]] = [(symbol(name), at[name]) for name in NAMES] + [(number(c), c) for c in leaves]
    conditions: list[tuple[Any, Any]] = []
    for _ in range(draw(st.integers(1, 14))):
        name = draw(st.sampled_from((*OPERATIONS, *COMPARE, "logical_and", "where", *often)))
        operands = [draw(st.sampled_from(found)) for _ in range(3)]
        if name in COMPARE:
            operands, into = operands[:2], conditions
        elif name == "logical_and" and conditions:
            operands, into = [draw(st.sampled_from(conditions)) for _ in range(2)], conditions
        elif name == "where" and conditions:
            operands, into = [draw(st.sampled_from(conditions)), *operands[:2]], found
        elif name in ("logical_and", "where"):
            continue
        else:
            operands, into = operands[: OPERATIONS[name].arity], found
        value = getattr(FLOATS, name)(*(x for _, x in operands))
        into.append((getattr(m, name)(*(e for e, _ in operands)), value if into is conditions else float(value)))
    both = found + conditions
    return [e for e, _ in both], [value for _, value in both]
