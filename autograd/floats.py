"""IEEE-754 arithmetic on one Python number.

Python's own arithmetic raises where float64 has an answer: `1.0 / 0.0`, `math.exp(1000)`, `math.log(0)`. The functions
here give that answer, inf or nan, as IEEE 754-2019, section 9.2.1, says. A `Fraction` stays exact where an exact answer exists.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from fractions import Fraction
from math import inf, nan
from typing import Any, TypeAlias, TypeVar

Real: TypeAlias = float | Fraction
T = TypeVar("T")


def divide(a: Real, b: Real) -> Real:
    """`a / b`; a number over zero is an infinity with the sign of both, 0 / 0 is nan."""
    try:
        return a / b
    except ZeroDivisionError:
        return math.copysign(inf, b) * (1 if a > 0 else -1 if a < 0 else nan)
    except OverflowError:
        return divide(as_float(a), as_float(b))


def as_float(a: Real) -> float:
    """The number as a float: an infinity for a Fraction beyond 1.8e308."""
    try:
        return float(a)
    except OverflowError:
        return inf if a > 0 else -inf


def power(a: Real, b: Real) -> Real:
    """`a ** b` as C's `pow`: nan, never complex, for a negative base with a broken exponent."""
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
    """`a * b`, also where a Fraction beyond 1.8e308 meets a float."""
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


def _two(function: Callable[[float, float], float]) -> Callable[[Real, Real], float]:
    """`function` of the math module, of two numbers; a Fraction beyond the floats is an infinity."""

    def extended(a: Real, b: Real) -> float:
        return function(as_float(a), as_float(b))

    extended.__wrapped__ = function  # type: ignore[attr-defined]  # as above
    return extended


def _cbrt(a: Real) -> float:  # for Python 3.10: the root of the size by pow, and a step of Newton's
    size = abs(as_float(a))
    if not 0 < size < inf:
        return as_float(a)
    r = float(size ** (1 / 3))
    return math.copysign(r - (r - size / (r * r)) / 3, a)


def _nan(a: Real) -> float:  # noqa: ARG001  # for arguments outside of a domain
    return nan


exp = _extended(math.exp, lambda a: inf if a > 0 else 0.0)
exp2 = _extended(getattr(math, "exp2", lambda a: 2.0**a), lambda a: inf if a > 0 else 0.0)
expm1 = _extended(math.expm1, lambda a: inf if a > 0 else -1.0)
log = _extended(math.log, lambda a: inf if a > 1 else -inf if a >= 0 else nan)
log2 = _extended(math.log2, log)
log10 = _extended(math.log10, log)
log1p = _extended(math.log1p, lambda a: inf if a > 0 else -inf if a == -1 else nan)
sqrt = _extended(math.sqrt, lambda a: inf if a > 0 else nan)
cbrt = _extended(getattr(math, "cbrt", _cbrt), as_float)
sin = _extended(math.sin, _nan)
cos = _extended(math.cos, _nan)
tan = _extended(math.tan, _nan)
arcsin = _extended(math.asin, _nan)
arccos = _extended(math.acos, _nan)
arctan = _extended(math.atan, lambda a: math.atan(as_float(a)))
arctan2 = _two(math.atan2)
hypot = _two(math.hypot)
sinh = _extended(math.sinh, lambda a: inf if a > 0 else -inf)
cosh = _extended(math.cosh, lambda a: inf)
tanh = _extended(math.tanh, lambda a: 1.0 if a > 0 else -1.0)
arcsinh = _extended(math.asinh, as_float)
arccosh = _extended(math.acosh, lambda a: inf if a > 1 else nan)
arctanh = _extended(math.atanh, lambda a: a * inf if abs(a) == 1 else nan)
erf = _extended(math.erf, lambda a: 1.0 if a > 0 else -1.0)
erfc = _extended(math.erfc, lambda a: 0.0 if a > 0 else 2.0)


def modulo(a: Real, b: Real) -> Real:
    """`a % b`, with the sign of `b`; nan for b = 0."""
    try:
        return a % b
    except ZeroDivisionError:
        return nan
    except OverflowError:
        return modulo(as_float(a), as_float(b))


def fmod(a: Real, b: Real) -> Real:
    """C's remainder, with the sign of `a`; nan for b = 0 or an infinite a."""
    if not (isinstance(a, float) or isinstance(b, float)) and b:
        return a - b * math.trunc(Fraction(a) / b)
    try:
        return math.fmod(as_float(a), as_float(b))
    except ValueError:
        return nan


def _whole(function: Callable[[Real], int]) -> Callable[[Real], Real]:
    """A rounding of Python's, which gives ints, on floats, with the sign of zero; a Fraction stays one."""

    def rounded(a: Real) -> Real:
        if not isinstance(a, float):
            return Fraction(function(a))
        return math.copysign(function(a), a) if math.isfinite(a) else a

    return rounded


floor, ceil, trunc, rint = _whole(math.floor), _whole(math.ceil), _whole(math.trunc), _whole(round)


def _number(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], float]:
    """A comparison as a number, 1.0 or 0.0."""
    return lambda a, b: 1.0 if compare(a, b) else 0.0


less, less_equal, equal = map(_number, (operator.lt, operator.le, operator.eq))
greater, greater_equal, not_equal = map(_number, (operator.gt, operator.ge, operator.ne))
both = _number(lambda a, b: a and b)


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
