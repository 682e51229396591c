"""What NumPy's functions do with a Value: they record the operation of that name, and spread over arrays.

NumPy asks a Value only where it is an argument itself. Of an array of objects it compares the entries, in `maximum`,
`minimum`, `clip`, `where` and `sign`, without asking them; there the functions of autograd work entry by entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from autograd.operands import checked
from autograd.operations import OPERATIONS
from autograd.recording import Recorded, record

COMPARISONS = {np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal}


def ufunc_of_values(ufunc: Any, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """What a ufunc gives where one of its operands is a Value: a Value, or an array of Values."""
    row = OPERATIONS.get(ufunc.__name__)
    if row is not None and row.symbol.isidentifier() and method == "__call__" and not options:
        return entry_by_entry(partial(record, _kind(inputs), row), inputs)
    where = f"operation {ufunc.__name__}"
    boxes = [_boxed(x, where, ufunc in COMPARISONS) for x in inputs]
    return getattr(ufunc, method)(*boxes, **options)


def _kind(operands: Iterable[Any]) -> type:
    """The type of the Value among them."""
    return next(type(x) for x in operands if isinstance(x, Recorded))


def _boxed(x: Any, where: str, compares: bool) -> Any:
    """An operand as an array of objects, whose entries compute for themselves."""
    if isinstance(x, Recorded):
        return np.array(x, dtype=object)
    if isinstance(x, np.ndarray) and x.dtype != object and x.ndim:
        return x.astype(object)
    if isinstance(x, np.ndarray | np.generic) and not (isinstance(x, np.ndarray) and x.dtype == object):
        inner = x.item()
        return np.array(inner if compares or isinstance(inner, int) else checked(inner, where), dtype=object)
    return x


def entry_by_entry(function: Callable[..., Any], operands: tuple[Any, ...]) -> Any:
    """The function of each entry of operands that broadcast; of single ones just that."""
    if not any(isinstance(x, np.ndarray) and x.ndim for x in operands):
        return function(*operands)
    boxes = [x.astype(object) if isinstance(x, np.ndarray) else np.array(x, dtype=object) for x in operands]
    return np.frompyfunc(function, len(operands), 1)(*boxes)


def function_of_values(function: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """What another function of NumPy's gives where one of its arguments is a Value."""
    row = OPERATIONS.get(function.__name__)
    if row is not None and row.symbol.isidentifier() and row.arity == len(arguments) and not options:
        return entry_by_entry(partial(record, _kind(arguments), row), arguments)

    def box(x: Any) -> Any:
        return np.array(x, dtype=object) if isinstance(x, Recorded) else x

    try:
        return function(*map(box, arguments), **{name: box(x) for name, x in options.items()})
    except TypeError as error:
        raise TypeError(
            f"numpy.{function.__name__} of a Value would lose its gradient: {error}; use functions of autograd, or .data where "
            "the bare number is meant"
        ) from error
