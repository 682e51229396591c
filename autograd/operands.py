"""What may be an operand: which numbers a Value holds, and what is said of everything else."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Real
from typing import Any, TypeAlias, TypeVar

from autograd.floats import shown
from autograd.operations import OPERATIONS, Function, Operation

Number: TypeAlias = float | Fraction
T = TypeVar("T")

LARGE = 2**53  # beyond it an int may have no float
CONTAINERS = (str, bytes, bytearray, list, tuple, dict, set, complex, type(None))  # they have operators, and none for a Value


def checked(x: Any, where: str) -> Number:
    """`x` as a number that a Value may hold: a Fraction stays one, any other real number becomes a float."""
    if isinstance(x, Real | Decimal):
        if type(x) is Fraction:
            return x
        try:
            number = float(x)
        except OverflowError:
            number = math.inf
        if math.isinf(number) and _is_finite(x):
            raise ValueError(f"{where}: {shown(x)} is too large for a float; give it as a Fraction")
        return number
    if getattr(x, "shape", None) == () and hasattr(x, "item") and not hasattr(x, "operation"):
        inner = x.item()  # an array of one number, or NumPy's bool
        if isinstance(inner, Real | Decimal):
            return checked(inner, where)
    raise TypeError(f"{where}: {x!r:.80} is of type {type(x).__name__}, not a real number; {_advice(x)}")


def _is_finite(x: Any) -> bool:
    return x.is_finite() if isinstance(x, Decimal) else x == x and x not in (math.inf, -math.inf)  # noqa: PLR0124  # nan


def _advice(x: Any) -> str:
    if hasattr(x, "operation") and hasattr(x, "backward"):
        return "it is a Value already: use it as it is, or its .data for the bare number"
    if hasattr(x, "__array__"):
        return "a Value holds one number; array.astype(object) and NumPy's functions compute with Values element by element"
    return "give an int, a float or a Fraction"


def beside(x: Any, other: Any, operation: Operation) -> Any:
    """The number `x` as an operand beside a number: an int beside a Fraction is exact, all else as `checked` says."""
    if x.__class__ is int and -LARGE < x < LARGE:
        return Fraction(x) if other.__class__ is Fraction else float(x)
    if isinstance(x, Integral) and other.__class__ is Fraction:
        return Fraction(int(x))
    if not (isinstance(x, Real | Decimal) or getattr(x, "shape", None) == ()) and _has_operator(x, operation):
        return NotImplemented
    name = operation.symbol if operation.method.startswith("__") else operation.name
    return checked(x, f"operation {name}")


def _has_operator(x: Any, operation: Operation) -> bool:
    """Whether a type, not one of Python's own, defines what Python would ask of it on the right of a Value."""
    reflected = operation.method.replace("__", "__r", 1)
    has_one = hasattr(type(x), reflected) or hasattr(x, "__array_ufunc__")  # an array answers for itself, also with a no
    return operation.method.startswith("__") and not isinstance(x, CONTAINERS) and has_one


def result(data: Any, operation: Operation, *numbers: Number) -> Number:
    """What an operation gave, as a number that a Value may hold: a whole one beside Fractions is exact."""
    if data.__class__ is int and any(x.__class__ is Fraction for x in numbers):
        return Fraction(data)
    return checked(data, f"result of {operation.symbol}")


def with_methods(make: Callable[[Operation, bool], Function]) -> Callable[[type[T]], type[T]]:
    """A decorator of classes: a method for each row, by `make(row, reflected)`; an operator has one for the right side too."""

    def decorated(kind: type[T]) -> type[T]:
        for row in OPERATIONS.values():
            for reflected in (False, True)[: 2 if row.method.startswith("__") and row.arity == 2 else bool(row.method)]:
                name = row.method.replace("__", "__r", 1) if reflected else row.method
                function = make(row, reflected)
                function.__name__, function.__qualname__ = name, f"{kind.__name__}.{name}"
                setattr(kind, name, function)
        return kind

    return decorated
