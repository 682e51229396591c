"""NumPy's names for one Python number, with IEEE-754 results.

Python's own arithmetic raises where float64 has an answer: `1.0 / 0.0`, `math.exp(1000)`, `math.log(0)`. The functions
here give that answer (inf, nan) instead, under the names that NumPy uses, so that the table of rules can be built on this
module, on NumPy, or on any other module with these names. The trade-off: the usual case costs one more Python call than
`math` alone; the rare case costs an exception. `Fraction` stays exact wherever an exact answer exists.

The special cases are those of IEEE 754-2019, section 9.2.1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from math import inf, nan
from typing import TypeAlias, TypeVar

Real: TypeAlias = float | Fraction
T = TypeVar("T")


def divide(a: Real, b: Real) -> Real:
    """`a / b`; a number over zero is an infinity with the sign of both, 0 / 0 is nan.

    >>> divide(1.0, 0.0), divide(1.0, -0.0), divide(0.0, 0.0)
    (inf, -inf, nan)
    """
    try:
        return a / b
    except ZeroDivisionError:
        return math.copysign(inf, b) * sign(a) if a != 0 else nan
    except OverflowError:
        return divide(as_float(a), as_float(b))


def as_float(a: Real) -> float:
    """The number as a float: an infinity for a Fraction beyond 1.8e308.

    >>> as_float(Fraction(1, 4)), as_float(-(Fraction(10) ** 400))
    (0.25, -inf)
    """
    try:
        return float(a)
    except OverflowError:
        return inf if a > 0 else -inf


def power(a: Real, b: Real) -> Real:
    """`a ** b` as C's `pow`: nan, never complex, for a negative base with a broken exponent.

    >>> power(2.0, 10.0), power(0.0, -1.0), power(-10.0, 999.0), power(-8.0, 1 / 3)
    (1024.0, inf, -inf, nan)
    """
    if not (a.__class__ is b.__class__ is float) and not _can_be_written(a, b):
        a, b = as_float(a), as_float(b)
    try:
        result = a**b
    except (ZeroDivisionError, OverflowError):  # 0 to a negative power, or a result beyond 1.8e308
        if a < 0 and b % 1:
            return nan
        return math.copysign(inf, a) if b % 2 == 1 else inf
    return nan if isinstance(result, complex) and not isinstance(a, complex) else result


def _can_be_written(a: Real, b: Real) -> bool:
    """Whether a power is exact, and has less than some million digits: more would take minutes, or never end."""
    if isinstance(a, float) or isinstance(b, float) or b.denominator > 1:
        return False
    return abs(b) * (max(abs(a.numerator), a.denominator).bit_length() - 1) < 2**22  # those of 0, 1 and -1 are short


def multiply(a: Real, b: Real) -> Real:
    """`a * b`, also where a Fraction beyond 1.8e308 meets a float.

    >>> multiply(Fraction(10) ** 400, -0.5)
    -inf
    """
    try:
        return a * b
    except OverflowError:
        return as_float(a) * as_float(b)


def _extended(function: Callable[[Real], float], otherwise: Callable[[Real], float]) -> Callable[[Real], float]:
    """`function` of the math module, with `otherwise` for the arguments at which it raises."""

    def extended(a: Real) -> float:
        try:
            return function(a)
        except (ValueError, OverflowError):
            return otherwise(a)

    return extended


exp = _extended(math.exp, lambda a: inf if a > 0 else 0.0)
log = _extended(math.log, lambda a: inf if a > 1 else -inf if a >= 0 else nan)
log1p = _extended(math.log1p, lambda a: inf if a > 0 else -inf if a == -1 else nan)
sqrt = _extended(math.sqrt, lambda a: inf if a > 0 else nan)
sin = _extended(math.sin, lambda a: nan)
cos = _extended(math.cos, lambda a: nan)
tanh = _extended(math.tanh, lambda a: 1.0 if a > 0 else -1.0)
absolute = abs


def where(condition: bool, a: T, b: T) -> T:
    """`a` if the condition holds, else `b`. Both are computed before it chooses."""
    return a if condition else b


def maximum(a: Real, b: Real) -> Real:
    """The larger of two; nan if either is nan (Python's `max` depends on their order)."""
    return a if a >= b or a != a else b  # noqa: PLR0124  # nan alone differs from itself


def minimum(a: Real, b: Real) -> Real:
    """The smaller of two; nan if either is nan."""
    return a if a <= b or a != a else b  # noqa: PLR0124  # as above


def sign(a: Real) -> float:
    """-1, 0 or 1; nan of nan."""
    return 1 if a > 0 else -1 if a < 0 else 0 if a == 0 else nan


def heaviside(a: Real, at_zero: float) -> float:
    """The unit step: 0 below zero, 1 above, `at_zero` at zero; nan of nan."""
    return 1 if a > 0 else 0 if a < 0 else at_zero if a == 0 else nan


def zeros_like(a: Real) -> Real:
    """The zero of the same kind: 0.0 or Fraction(0)."""
    return type(a)()
