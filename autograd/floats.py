"""IEEE-754 arithmetic on one Python number.

Python's own arithmetic raises where float64 has an answer: `1.0 / 0.0`, `math.exp(1000)`, `math.log(0)`. The functions
here give that answer, inf or nan, instead. A `Fraction` stays exact wherever an exact answer exists.

The special cases are those of IEEE 754-2019, section 9.2.1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from math import inf, nan
from typing import Any, TypeAlias, TypeVar

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
        return math.copysign(inf, b) * (1 if a > 0 else -1 if a < 0 else nan)
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


power.__wrapped__ = math.pow  # type: ignore[attr-defined]  # as below


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

    extended.__wrapped__ = function  # type: ignore[attr-defined]  # what generated code calls, as functools names it
    return extended


exp = _extended(math.exp, lambda a: inf if a > 0 else 0.0)
log = _extended(math.log, lambda a: inf if a > 1 else -inf if a >= 0 else nan)
log1p = _extended(math.log1p, lambda a: inf if a > 0 else -inf if a == -1 else nan)
sqrt = _extended(math.sqrt, lambda a: inf if a > 0 else nan)
sin = _extended(math.sin, lambda a: nan)
cos = _extended(math.cos, lambda a: nan)
tanh = _extended(math.tanh, lambda a: 1.0 if a > 0 else -1.0)


def where(condition: bool, a: T, b: T) -> T:
    """`a` if the condition holds, else `b`. Both are computed before it chooses."""
    return a if condition else b


def shown(x: Any) -> str:
    """A number as text; a very long one by its size, which Python would refuse to write out."""
    try:
        text = str(x)
    except ValueError:
        text = f"{'-' if x < 0 else ''}1e{math.log10(abs(x.numerator)) - math.log10(x.denominator):.0f}"
    return text if len(text) <= 60 else text[:40] + "..."
