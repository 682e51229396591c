"""A row of the table with something changed, for tests that need a wrong one."""

from __future__ import annotations

from typing import Any

from autograd import Value
from autograd.operations import Operation

KEPT = (
    *("name", "symbol", "forward", "partials", "domain", "formula", "method", "array", "native", "javascript", "latex"),
    "selects",
)


def changed(row: Operation, **changes: Any) -> Operation:
    return Operation(**{**{name: getattr(row, name) for name in KEPT}, **changes})


def number(x: Any) -> Any:
    """The bare number of a Value or of a number."""
    return x.data if isinstance(x, Value) else x


def inside(row: Operation) -> tuple[float, ...]:
    """A point of the domain, where nothing jumps."""
    return tuple(low + (high - low) * share for (low, high), share in zip(row.domain, (0.7, 0.8, 0.37, 0.61), strict=False))
