"""The formula of a folded part: names by their stems, sums of equal terms as `.sum()`."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from autograd.draw.cones import stem
from autograd.expressions import Expression, as_text, number, summed, symbol, unchanged
from autograd.operations import CONSTANT, OPERATIONS
from autograd.value import Value

LONGEST = 8  # operations in a formula that is shown
ADD = OPERATIONS["add"]
Term = tuple[int, Expression | None, int]  # the number of its shape, the expression, the operations in it; None: too many
Terms = list[tuple[Term, int]]  # of a sum, with how often each comes after itself


def formula(
    part: Sequence[Value],
    numbers: Mapping[Value, int],
    names: Mapping[Value, str] | None = None,
    varied: Container[tuple[int, int]] = (),
) -> str:
    """The formula of the last node of the part, in the names of what it reads; empty where it would be long.

    `numbers` has the shapes of nodes; `varied` where a constant is not always the same number, by the shape that reads it
    and the position: there it is `c`.

    >>> x, w = Value(2.0, "x[0]"), Value(3.0, "w[0]")
    >>> part = [a := x * w, b := x * w, a + b]
    >>> formula(part, {x: 0, w: 1, a: 2, b: 2, part[-1]: 3})
    '(x * w).sum()'
    """
    terms: dict[Value, Terms] = {}
    for node in part:
        operands = [
            _single(numbers[parent], symbol("c"))
            if (numbers[node], position) in varied
            else terms.get(parent) or _name(parent, names or {}, numbers)
            for position, parent in enumerate(node.parents)
        ]
        if node.left is None:
            terms[node] = _name(node, names or {}, numbers)
        elif node.operation is ADD:
            terms[node] = _joined(*operands)
        else:
            terms[node] = [(_applied(node, operands, numbers), 1)]
    expression = _total(terms[part[-1]])[1]
    return "" if expression is None else as_text(expression)


def _name(node: Value, names: Mapping[Value, str], numbers: Mapping[Value, int]) -> Terms:
    if node.operation is CONSTANT:
        return _single(numbers[node], number(node.data))
    return _single(numbers[node], symbol(stem(node.label) or names.get(node) or node.label))


def _single(shape: int, expression: Expression) -> Terms:
    return [((shape, expression, 0), 1)]


def _joined(left: Terms, right: Terms) -> Terms:
    """The terms of a sum, of which few are kept: one too long is not shown anyway."""
    joined = list(left)
    for term, times in right:
        if joined and joined[-1][0][0] == term[0]:
            joined[-1] = (joined[-1][0], joined[-1][1] + times)
        else:
            joined.append((term, times))
    return joined if len(joined) <= LONGEST else [((-1, None, 0), 1)]


def _total(terms: Terms) -> Term:
    """The sum of the terms."""
    shape, total, size = terms[0][0][0], None, 0
    for (_, expression, operations), times in terms:
        if expression is None:
            return shape, None, 0
        size += operations + 1
        term = summed(expression) if times > 1 else expression
        total = term if total is None else unchanged(ADD)(total, term)
    return (shape, total, size - 1) if size - 1 <= LONGEST else (shape, None, 0)


def _applied(node: Value, operands: list[Terms], numbers: Mapping[Value, int]) -> Term:
    totals = [_total(terms) for terms in operands]
    size = 1 + sum(size for _, _, size in totals)
    expressions = [expression for _, expression, _ in totals if expression is not None]
    if len(expressions) < len(totals) or size > LONGEST:
        return numbers[node], None, 0
    return numbers[node], unchanged(node.operation)(*expressions), size
