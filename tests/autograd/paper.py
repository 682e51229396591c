"""What every row of the table comes to, and its slopes, in mpmath's arithmetic: as on paper, with nothing of the engine.

`values(mp)` has the values; a row without an entry is mpmath's function of its name. `slopes(mp)` has the derivatives by each
operand, from the output and the operands. Outside of the domain they are nan; at kinks and ties they follow the conventions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.operations import OPERATIONS

LEAK = 0.01  # the slope of leaky_relu below zero


def values(mp: Any) -> dict[str, Callable[..., Any]]:
    """The value of each row, computed with this context."""

    def within(function: Callable[[Any], Any], low: float, high: float) -> Callable[[Any], Any]:
        return lambda a: function(a) if low <= a <= high else mp.nan

    def logarithm(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda a: function(a) if a > 0 else mp.nan

    def power(a: Any, b: Any) -> Any:
        if a < 0:
            return mp.power(a, int(b)) if mp.isint(b) else mp.nan
        return (mp.one if b == 0 else mp.zero if b > 0 else mp.inf) if a == 0 else mp.power(a, b)

    def whole(rounded: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda a: a if abs(a) > 1e40 else rounded(a)  # a float as large is whole

    def towards_zero(a: Any) -> Any:
        return mp.sign(a) * mp.floor(abs(a))

    def logsumexp(*numbers: Any) -> Any:
        top = max(numbers)
        return top + mp.log(mp.fsum(mp.exp(x - top) for x in numbers))

    def erfc(a: Any) -> Any:
        return mp.erfc(a) if abs(a) < 1e9 else mp.mpf(1 - mp.sign(a))  # mpmath's own raises for a large number

    table = {
        "add": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "mul": lambda a, b: a * b,
        "div": lambda a, b: a / b if b != 0 else mp.nan,  # which rounding alone keeps from zero: nothing can be said
        "pow": power,
        "neg": lambda a: -a,
        "abs": abs,
        "log": logarithm(mp.log),
        "log1p": lambda a: mp.log1p(a) if a > -1 else -mp.inf if a == -1 else mp.nan,
        "exp2": lambda a: mp.power(2, a),
        "log2": logarithm(lambda a: mp.log(a, 2)),
        "log10": logarithm(mp.log10),
        "mod": lambda a, b: a % b if b != 0 else mp.nan,
        "fmod": lambda a, b: mp.sign(a) * (abs(a) % abs(b)) if b != 0 else mp.nan,
        "square": lambda a: a * a,
        "reciprocal": lambda a: 1 / a if a != 0 else mp.nan,
        "sqrt": lambda a: mp.sqrt(a) if a >= 0 else mp.nan,
        "cbrt": lambda a: mp.sign(a) * mp.cbrt(abs(a)),
        "arcsin": within(mp.asin, -1, 1),
        "arccos": within(mp.acos, -1, 1),
        "arctan": mp.atan,
        "arctan2": mp.atan2,
        "arcsinh": mp.asinh,
        "arccosh": within(mp.acosh, 1, mp.inf),
        "arctanh": within(mp.atanh, -1, 1),
        "sinc": mp.sincpi,
        "deg2rad": lambda a: a * mp.pi / 180,
        "rad2deg": lambda a: a * 180 / mp.pi,
        "sigmoid": lambda a: 1 / (1 + mp.exp(-a)),
        "softplus": lambda a: mp.log1p(mp.exp(a)),
        "softsign": lambda a: a / (1 + abs(a)),
        "relu": lambda a: max(a, mp.zero),
        "leaky_relu": lambda a: a if a > 0 else mp.mpf(LEAK) * a,
        "elu": lambda a: a if a > 0 else mp.expm1(a),
        "erfc": erfc,
        "gelu": lambda a: a * erfc(-a / mp.sqrt(2)) / 2,
        "silu": lambda a: a / (1 + mp.exp(-a)),
        "maximum": max,
        "minimum": min,
        "clip": lambda a, low, high: min(max(a, low), high),
        "logaddexp": logsumexp,
        "total": lambda *numbers: mp.fsum(numbers),
        "dot": lambda *numbers: mp.fdot(numbers[: len(numbers) // 2], numbers[len(numbers) // 2 :]),
        "logsumexp": logsumexp,
        "heaviside": lambda a, b: b if a == 0 else mp.mpf(a > 0),
        "floor": whole(mp.floor),
        "ceil": whole(mp.ceil),
        "trunc": whole(towards_zero),
        "rint": whole(mp.nint),
        "where": lambda c, a, b: a if c else b,
        "less": lambda a, b: mp.mpf(a < b),
        "less_equal": lambda a, b: mp.mpf(a <= b),
        "greater": lambda a, b: mp.mpf(a > b),
        "greater_equal": lambda a, b: mp.mpf(a >= b),
        "equal": lambda a, b: mp.mpf(a == b),
        "not_equal": lambda a, b: mp.mpf(a != b),
        "logical_and": lambda a, b: mp.mpf(bool(a and b)),
    }
    return {name: table.get(name) or getattr(mp, name) for name in OPERATIONS}


def slopes(mp: Any) -> dict[str, Callable[..., tuple[Any, ...]]]:
    """The slopes of each row, from the output and the operands."""
    one, zero, half = mp.one, mp.zero, mp.mpf(0.5)
    value = values(mp)
    sigmoid, over = value["sigmoid"], value["div"]

    def powers(out: Any, a: Any, b: Any) -> tuple[Any, Any]:
        by_base = zero if b == 0 else b * value["pow"](a, b - 1)
        return by_base, mp.nan if a < 0 or (a == 0 and b < 0) else zero if a == 0 else out * mp.log(a)

    def which(a: Any, b: Any) -> tuple[Any, Any]:  # of the two is larger
        return (mp.mpf(a > b), mp.mpf(b > a)) if a != b else (half, half)

    def of_log(a: Any, base: Any = one) -> tuple[Any]:
        return (1 / (a * base) if a > 0 else mp.inf if a == 0 else mp.nan,)

    def arc(a: Any) -> Any:
        return 1 / mp.sqrt((1 - a) * (1 + a)) if abs(a) < 1 else mp.inf if abs(a) == 1 else mp.nan

    def shares(*numbers: Any) -> tuple[Any, ...]:
        top = max(numbers)
        parts = [mp.exp(x - top) for x in numbers]
        return tuple(part / mp.fsum(parts) for part in parts)

    def clip(a: Any, low: Any, high: Any) -> tuple[Any, ...]:
        taken = 2 if high <= low or high <= a else 1 if a <= low else 0
        return tuple(mp.mpf(place == taken) for place in range(3))

    def gelu(a: Any) -> tuple[Any]:
        return (value["erfc"](-a / mp.sqrt(2)) / 2 + a * mp.exp(-a * a / 2) / mp.sqrt(2 * mp.pi),)

    def gauss(a: Any) -> Any:
        return 2 / mp.sqrt(mp.pi) * mp.exp(-a * a)

    table: dict[str, Callable[..., tuple[Any, ...]]] = {
        "add": lambda out, a, b: (one, one),
        "sub": lambda out, a, b: (one, -one),
        "mul": lambda out, a, b: (b, a),
        "div": lambda out, a, b: (over(1, b), over(-a, b**2)),
        "pow": powers,
        "neg": lambda out, a: (-one,),
        "abs": lambda out, a: (mp.sign(a),),
        "exp": lambda out, a: (out,),
        "log": lambda out, a: of_log(a),
        "log1p": lambda out, a: of_log(1 + a),
        "exp2": lambda out, a: (out * mp.log(2),),
        "expm1": lambda out, a: (mp.exp(a),),
        "log2": lambda out, a: of_log(a, mp.log(2)),
        "log10": lambda out, a: of_log(a, mp.log(10)),
        "mod": lambda out, a, b: (one, over(out - a, b)),
        "fmod": lambda out, a, b: (one, over(out - a, b)),
        "square": lambda out, a: (2 * a,),
        "reciprocal": lambda out, a: (over(-1, a * a),),
        "sqrt": lambda out, a: (1 / (2 * out) if a > 0 else mp.inf if a == 0 else mp.nan,),
        "cbrt": lambda out, a: (1 / (3 * out * out) if a != 0 else mp.inf,),
        "hypot": lambda out, a, b: (a / out, b / out) if out else (zero, zero),
        "sin": lambda out, a: (mp.cos(a),),
        "cos": lambda out, a: (-mp.sin(a),),
        "tan": lambda out, a: (mp.sec(a) ** 2,),
        "arcsin": lambda out, a: (arc(a),),
        "arccos": lambda out, a: (-arc(a),),
        "arctan": lambda out, a: (1 / (1 + a * a),),
        "arctan2": lambda out, a, b: (over(b, a * a + b * b), over(-a, a * a + b * b)),
        "sinh": lambda out, a: (mp.cosh(a),),
        "cosh": lambda out, a: (mp.sinh(a),),
        "tanh": lambda out, a: (mp.sech(a) ** 2,),
        "arcsinh": lambda out, a: (1 / mp.sqrt(1 + a * a),),
        "arccosh": lambda out, a: (1 / mp.sqrt((a - 1) * (a + 1)) if a > 1 else mp.inf if a == 1 else mp.nan,),
        "arctanh": lambda out, a: (1 / ((1 - a) * (1 + a)) if abs(a) < 1 else mp.inf if abs(a) == 1 else mp.nan,),
        "erf": lambda out, a: (gauss(a),),
        "erfc": lambda out, a: (-gauss(a),),
        "sinc": lambda out, a: ((mp.cospi(a) - out) / a if abs(a) > 1e-12 else -(mp.pi**2) * a / 3,),
        "deg2rad": lambda out, a: (mp.pi / 180,),
        "rad2deg": lambda out, a: (180 / mp.pi,),
        "sigmoid": lambda out, a: (sigmoid(a) * sigmoid(-a),),
        "softplus": lambda out, a: (sigmoid(a),),
        "softsign": lambda out, a: (1 / (1 + abs(a)) ** 2,),
        "relu": lambda out, a: (mp.mpf(a > 0),),
        "leaky_relu": lambda out, a: (one if a > 0 else mp.mpf(LEAK),),
        "elu": lambda out, a: (one if a > 0 else mp.exp(a),),
        "gelu": lambda out, a: gelu(a),
        "silu": lambda out, a: (sigmoid(a) * (1 + a * sigmoid(-a)),),
        "maximum": lambda out, a, b: which(a, b),
        "minimum": lambda out, a, b: which(b, a),
        "clip": lambda out, a, low, high: clip(a, low, high),
        "logaddexp": lambda out, a, b: shares(a, b),
        "total": lambda out, *numbers: (one,) * len(numbers),
        "dot": lambda out, *numbers: (*numbers[len(numbers) // 2 :], *numbers[: len(numbers) // 2]),
        "logsumexp": lambda out, *numbers: shares(*numbers),
        "heaviside": lambda out, a, b: (zero, mp.mpf(a == 0)),
        "where": lambda out, c, a, b: (zero, mp.mpf(bool(c)), mp.mpf(not c)),
    }
    flat = {name: lambda out, *at: (zero,) * len(at) for name, row in OPERATIONS.items() if row.selects}
    return {**flat, **table}
