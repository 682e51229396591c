"""A row of the table with something changed, for tests that need a wrong one."""

from __future__ import annotations

from typing import Any

from autograd import Value
from autograd.operations import Operation

KEPT = ("name", "symbol", "forward", "partials", "domain", "formula", "method", "array", "native", "javascript", "latex")


def changed(row: Operation, **changes: Any) -> Operation:
    return Operation(**{**{name: getattr(row, name) for name in KEPT}, **changes})


def number(x: Any) -> Any:
    """The bare number of a Value or of a number."""
    return x.data if isinstance(x, Value) else x
