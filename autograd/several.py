"""The operations of more than two operands, and of a list, which may be any iterable of Values and numbers."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import Any

from autograd.functions import function_of
from autograd.operands import checked
from autograd.operations import CONSTANT, OPERATIONS
from autograd.recording import leaf, lift, record
from autograd.value import Value

__all__ = ["clip", "dot", "logsumexp", "mean", "softmax", "total", "where"]
TOTAL, DOT, LOGSUMEXP = (OPERATIONS[name] for name in ("total", "dot", "logsumexp"))
_choice, _clipped = function_of(OPERATIONS["where"]), function_of(OPERATIONS["clip"])


def where(condition: Any, a: Any, b: Any) -> Any:
    """`a` where the condition holds, else `b`; the one that is not taken is sent nothing, so no nan comes from it.

    A recorded condition, `less(x, 1)`, is part of the graph: a tape of it follows the numbers. A bool, `x < 1`, is decided
    now, as an `if` would be, and records nothing. Any number that is not 0 holds. Arrays are taken entry by entry. Raises
    `TypeError` for what is no number.

    >>> from autograd import grad, greater, log
    >>> x = Value(-1.0)
    >>> y = where(greater(x, 0), log(x), x * x)
    >>> y.data, grad(y, x)
    (1.0, -2.0)
    """
    if any(getattr(x, "shape", None) for x in (condition, a, b)):
        from autograd.numpys import entry_by_entry  # here: only where there are arrays

        return entry_by_entry(where, (condition, a, b))
    if isinstance(condition, Value) or hasattr(condition, "operate"):
        return _choice(condition, a, b)
    holds = checked(condition, "where: the condition")
    first, second = _nodes([a, b], "where")
    return first if holds else second


def clip(x: Any, low: Any = None, high: Any = None) -> Any:
    """`x`, or the bound that it is beyond; None is no bound. Slope 0 at a bound. Where they cross, it is `high`, as NumPy's.

    >>> clip(Value(3.0), 0, 1).data, clip(-2.0, low=-1).data
    (1.0, -1.0)
    """
    return _clipped(x, -inf if low is None else low, inf if high is None else high)


def total(values: Iterable[Any]) -> Value:
    """The sum, as one node, to the bit that of `v1 + v2 + ...`; of nothing it is the constant 0.

    >>> total([Value(1.0), 2, Value(3.0)]).data, total([]).data
    (6.0, 0.0)
    """
    return _recorded(TOTAL, _listed("total: values", values))


def mean(values: Iterable[Any]) -> Value:
    """The sum divided by how many there are. Raises `ValueError` for none.

    >>> mean([Value(1.0), 4.0]).data
    2.5
    """
    operands = _some("mean", values)
    return _recorded(TOTAL, operands) / len(operands)


def dot(xs: Iterable[Any], ys: Iterable[Any]) -> Value:
    """The weighted sum, as one node, to the bit that of `x1 * y1 + x2 * y2 + ...`; of nothing it is the constant 0.

    Raises `ValueError` if one has more entries than the other.

    >>> from autograd import grad
    >>> w = [Value(1.0), Value(2.0)]
    >>> grad(dot(w, [3.0, 4.0]), w)
    [3.0, 4.0]
    """
    left, right = _listed("dot: xs", xs), _listed("dot: ys", ys)
    if len(left) != len(right):
        raise ValueError(f"dot: xs has {len(left)} entries and ys has {len(right)}; give as many of one as of the other")
    return _recorded(DOT, [*left, *right])


def logsumexp(values: Iterable[Any]) -> Value:
    """log(exp(v1) + exp(v2) + ...), without overflow, as one node. Raises `ValueError` for no values.

    >>> logsumexp([Value(1000.0), Value(-1000.0)]).data
    1000.0
    """
    return _recorded(LOGSUMEXP, _some("logsumexp", values))


def softmax(values: Iterable[Any]) -> list[Value]:
    """The share of each in the sum of the exponentials: exp(v - logsumexp(values)). Raises `ValueError` for no values.

    >>> [round(p.data, 15) for p in softmax([Value(0.0), Value(0.0)])]
    [0.5, 0.5]
    """
    operands = _nodes(_some("softmax", values), "softmax")
    whole = _recorded(LOGSUMEXP, operands)
    return [(x - whole).exp() for x in operands]


def _recorded(row: Any, operands: list[Any]) -> Value:
    """One node; of nothing the constant 0."""
    return record(Value, row, *operands) if operands else leaf(Value, 0.0, CONSTANT)  # type: ignore[no-any-return]  # a Value


def _nodes(operands: list[Any], name: str) -> list[Any]:
    """Each operand as a node; a number is a constant, exact beside Fractions."""
    known = next((x for x in operands if isinstance(x, Value)), None)
    kind = Value if known is None else type(known)
    row = OPERATIONS.get(name, TOTAL)
    return [x if hasattr(x, "operate") else lift(x, known, row, kind) for x in operands]  # a dual number is as it is


def _listed(name: str, values: Any) -> list[Any]:
    """The entries of a list, an array of one axis, or any other iterable."""
    if isinstance(values, Value | str | bytes) or not isinstance(values, Iterable):
        raise TypeError(f"{name} is {values!r:.60} of type {type(values).__name__}; give a list of Values or numbers")
    shape = getattr(values, "shape", (0,))
    if len(shape) != 1:
        raise TypeError(f"{name} is an array of shape {shape}; give one of one axis, such as array.ravel()")
    return list(values)


def _some(name: str, values: Any) -> list[Any]:
    operands = _listed(f"{name}: values", values)
    if not operands:
        raise ValueError(f"{name}: there are no values; give at least one")
    return operands
