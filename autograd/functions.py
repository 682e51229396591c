"""The operations as functions: `exp(v)` beside `v.exp()`, and those of two operands, `maximum(a, b)`.

There is one for each row of the table whose symbol is a name, made from the row; the stub `functions.pyi` lists them for
type checkers. A plain number given to them becomes a constant, so `exp(1)` is a Value too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd import floats
from autograd.operations import BUILT_IN, OPERATIONS, Arithmetic, Operation
from autograd.value import Value, lift, record, recorder


def owner(*operands: Any) -> Any:
    """The first operand that computes operations by its own `operate(row, *operands)`, as dual numbers do; or None."""
    return next((x for x in operands if x.__class__ is not Value and hasattr(x, "operate")), None)


def function_of(row: Operation) -> Callable[..., Any]:
    """The function that records this operation of Values or numbers.

    >>> function_of(OPERATIONS["exp"])(0.0).data
    1.0
    """
    apply = recorder(row)

    def one(a: Any) -> Any:
        return apply(lift(a, None, row)) if (own := owner(a)) is None else own.operate(row, a)

    def two(a: Any, b: Any) -> Any:
        return apply(lift(a, b, row), b) if (own := owner(a, b)) is None else own.operate(row, a, b)

    def many(*operands: Any) -> Any:
        return record(row, *operands) if (own := owner(*operands)) is None else own.operate(row, *operands)

    function = many if row.many else one if row.arity == 1 else two
    function.__name__ = function.__qualname__ = row.name
    operands = ", ".join("abcdefgh"[: row.arity])
    function.__doc__ = f"""{row.name}({operands}) of Values or numbers, recorded as one node.

    Raises TypeError for anything that is not a real number. Its derivative is the row {row.name!r} of autograd.operations.
    """
    if row.name in BUILT_IN:
        numbers = ", ".join(str(sum(interval) / 2 + 0.5) for interval in row.domain)
        function.__doc__ += f"""
    >>> from autograd import {row.name}
    >>> {row.name}({numbers}).data == OPERATIONS[{row.name!r}].forward({numbers})
    True
    """
    return function


def _recording(row: Operation) -> Callable[..., Any]:
    """The function, which computes a number where there is no Value among the operands."""
    function = function_of(row)

    def apply(*operands: Any) -> Any:
        return function(*operands) if any(isinstance(x, Value) for x in operands) else row.forward(*operands)

    return apply


RECORDING = Arithmetic(_recording, where=floats.where, zeros_like=lambda a: type(a.data)())  # the rows on Values: a graph
__all__ = [row.name for row in OPERATIONS.values() if row.symbol.isidentifier() and row.name != "abs"]  # Python has one
globals().update({name: function_of(OPERATIONS[name]) for name in __all__})
