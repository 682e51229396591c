"""The operations of more than two operands, and of a list: `where`, `clip`, `total`, `mean`, `dot`, `logsumexp`, `softmax`.

A list may be any iterable of Values and numbers: a list, a tuple, a generator, an array of Values. `total`, `dot` and
`logsumexp` record one node, however long the list is.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from numbers import Real
from typing import Any

from autograd.operations import CONSTANT, OPERATIONS
from autograd.value import Value, lift, record

__all__ = ["clip", "dot", "logsumexp", "mean", "softmax", "total", "where"]
WHERE, CLIP, TOTAL, DOT, LOGSUMEXP = (OPERATIONS[name] for name in ("where", "clip", "total", "dot", "logsumexp"))


def where(condition: Any, a: Any, b: Any) -> Value:
    """`a` where the condition holds, else `b`; the one that is not taken is sent nothing, so no nan comes from it.

    A recorded condition, `less(x, 1)`, is part of the graph: a tape of it follows the numbers. A bool, `x < 1`, is decided
    now, as an `if` would be, and records nothing. Any number that is not 0 holds. Raises `TypeError` for what is no number.

    >>> from autograd import grad, greater, log
    >>> x = Value(-1.0)
    >>> y = where(greater(x, 0), log(x), x * x)
    >>> y.data, grad(y, x)
    (1.0, -2.0)
    """
    if isinstance(condition, Value):
        return record(WHERE, condition, a, b)  # type: ignore[no-any-return]
    if not isinstance(condition, Real) and type(condition).__name__ != "bool_":  # NumPy's, also called bool
        if getattr(condition, "shape", None) == ():
            return where(condition.item(), a, b)
        raise TypeError(
            f"where: the condition {condition!r:.60} is of type {type(condition).__name__}; give a comparison of Values, "
            "less(a, b), or a bool"
        )
    a, b = lift(a, b, WHERE), lift(b, a, WHERE)
    return a if condition else b  # type: ignore[no-any-return]


def clip(x: Any, low: Any = None, high: Any = None) -> Value:
    """`x`, or the bound that it is beyond; None is no bound. Slope 0 at a bound. Where they cross, it is `high`, as NumPy's.

    >>> clip(Value(3.0), 0, 1).data, clip(-2.0, low=-1).data
    (1.0, -1.0)
    """
    return record(CLIP, x, -inf if low is None else low, inf if high is None else high)  # type: ignore[no-any-return]


def total(values: Iterable[Any]) -> Value:
    """The sum, as one node, to the bit that of `v1 + v2 + ...`; of nothing it is the constant 0.

    >>> total([Value(1.0), 2, Value(3.0)]).data, total([]).data
    (6.0, 0.0)
    """
    operands = _listed("total: values", values)
    return record(TOTAL, *operands) if operands else lift(0, None, CONSTANT)  # type: ignore[no-any-return]


def mean(values: Iterable[Any]) -> Value:
    """The sum divided by how many there are. Raises `ValueError` for none.

    >>> mean([Value(1.0), 4.0]).data
    2.5
    """
    operands = _some("mean", values)
    return record(TOTAL, *operands) / len(operands)  # type: ignore[no-any-return]


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
    return record(DOT, *left, *right) if left else lift(0, None, CONSTANT)  # type: ignore[no-any-return]


def logsumexp(values: Iterable[Any]) -> Value:
    """log(exp(v1) + exp(v2) + ...), without overflow, as one node. Raises `ValueError` for no values.

    >>> logsumexp([Value(1000.0), Value(-1000.0)]).data
    1000.0
    """
    return record(LOGSUMEXP, *_some("logsumexp", values))  # type: ignore[no-any-return]


def softmax(values: Iterable[Any]) -> list[Value]:
    """The share of each in the sum of the exponentials: exp(v - logsumexp(values)). Raises `ValueError` for no values.

    >>> [p.data for p in softmax([Value(0.0), Value(0.0)])]
    [0.5, 0.5]
    """
    operands = _some("softmax", values)
    whole = record(LOGSUMEXP, *operands)
    return [(lift(x, whole, LOGSUMEXP) - whole).exp() for x in operands]


def _listed(where_: str, values: Any) -> list[Any]:
    if isinstance(values, Value | str | bytes) or not isinstance(values, Iterable):
        raise TypeError(f"{where_} is {values!r:.60} of type {type(values).__name__}; give a list of Values or numbers")
    if len(getattr(values, "shape", (0,))) != 1:
        raise TypeError(f"{where_} is an array of shape {values.shape}; give one of one axis, such as array.ravel()")
    return list(values)


def _some(name: str, values: Any) -> list[Any]:
    operands = _listed(f"{name}: values", values)
    if not operands:
        raise ValueError(f"{name}: there are no values; give at least one")
    return operands
