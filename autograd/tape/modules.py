"""Other modules under NumPy's names, so that the table of rules can be built on them.

JAX, CuPy and Dask have NumPy's names. SymPy and mpmath call some functions otherwise, or leave them to Python's operators;
`completed` fills these in. The trade-off: nothing is wrapped, so an edge of a domain is what the module makes of it
(mpmath raises for 1 / 0 and goes on into the complex numbers at log(-1)).
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from fractions import Fraction
from math import inf, nan
from types import SimpleNamespace
from typing import Any, TypeAlias

from autograd import floats

Number: TypeAlias = float | Fraction

NAMES = (
    *("exp", "log", "log1p", "sqrt", "sin", "cos", "tanh", "absolute", "sign", "heaviside", "maximum", "minimum"),
    *("divide", "multiply", "power", "where", "zeros_like", "ones_like", "inf", "nan"),
)


def completed(module: Any) -> Any:
    """`module` with all of NumPy's names that the table asks for: its own, else SymPy's words for them, else operators.

    Raises `TypeError` for something that has not even `exp` and `log`.

    >>> import mpmath
    >>> completed(mpmath).divide(mpmath.mpf(1), 4)
    mpf('0.25')
    """
    if not all(callable(getattr(module, name, None)) for name in ("exp", "log")):
        raise TypeError(f"{module!r:.80} has no functions exp and log; give a module of functions with NumPy's names")
    where = getattr(module, "where", None) or _choice(module)
    names: dict[str, Any] = {
        "absolute": abs,
        "divide": operator.truediv,
        "multiply": operator.mul,
        "power": operator.pow,
        "where": where,
        "zeros_like": lambda a: 0 * a,
        "ones_like": lambda a: converted(1, module),
        "inf": inf,
        "nan": nan,
        "log1p": lambda a: module.log(1 + a),
        "sign": lambda a: where(a > 0, 1, where(a < 0, -1, 0 * a)),
        "heaviside": lambda a, at_zero: where(a > 0, 1, where(a < 0, 0, at_zero)),
        "maximum": lambda a, b: where(a >= b, a, b),
        "minimum": lambda a, b: where(a <= b, a, b),
    }
    names.update((name, getattr(module, name)) for name in NAMES if hasattr(module, name))
    if hasattr(module, "Max"):  # SymPy, whose `maximum` is the largest value of a function, and in which nothing overflows
        exp, log = module.exp, module.log
        names.update(maximum=module.Max, minimum=module.Min)
        names.update(sigmoid=lambda a: 1 / (1 + exp(-a)), logaddexp=lambda a, b: log(exp(a) + exp(b)))
    return SimpleNamespace(**names)


def converted(x: Number, module: Any) -> Any:
    """A constant for this module: exact where it has exact numbers, else as it is.

    >>> import sympy
    >>> converted(2.0, sympy), converted(Fraction(1, 3), sympy)
    (2, 1/3)
    """
    convert = getattr(module, "sympify", None) or getattr(module, "mpmathify", None)
    if convert is None:
        return floats.as_float(x)
    return convert(int(x) if x % 1 == 0 else x)  # inf % 1 is nan


def _choice(module: Any) -> Callable[[Any, Any, Any], Any]:
    """`where` for a module of single things: a case distinction if it has one, else what the condition says now."""
    piecewise = getattr(module, "Piecewise", None)
    return (lambda condition, a, b: piecewise((a, condition), (b, True))) if piecewise else floats.where
