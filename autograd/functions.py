"""The operations of one or two operands as functions: `exp(v)` beside `v.exp()`; plain numbers become constants.

They are made from the table; the stub `functions.pyi` lists them for type checkers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd import floats
from autograd.operations import BUILT_IN, OPERATIONS, Arithmetic, Operation
from autograd.recording import record
from autograd.value import Value


def function_of(row: Operation) -> Callable[..., Any]:
    """The function that records this operation of Values or numbers, and of arrays of them entry by entry."""

    def function(*operands: Any) -> Any:
        if any(getattr(x, "shape", None) for x in operands):
            from autograd.numpys import entry_by_entry  # here: only where there are arrays

            return entry_by_entry(function, operands)
        return record(Value, row, *operands)

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

    def apply(*operands: Any) -> Any:
        return record(Value, row, *operands) if any(isinstance(x, Value) for x in operands) else row.forward(*operands)

    return apply


def _chosen(condition: Any, a: Any, b: Any) -> Any:
    """A recorded condition is a choice that follows the numbers; a bool is decided already."""
    if not isinstance(condition, Value):
        return floats.where(condition, a, b)
    return record(type(condition), OPERATIONS["where"], condition, a, b)


def _zeros_like(a: Any) -> Any:
    return type(a.data if isinstance(a, Value) else a)()


RECORDING = Arithmetic(_recording, where=_chosen, zeros_like=_zeros_like)  # the rows on Values: a graph
__all__ = [row.name for row in OPERATIONS.values() if not row.many and not row.method.startswith("__")]  # no operator
globals().update({name: function_of(OPERATIONS[name]) for name in __all__})
