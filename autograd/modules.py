"""Other modules under NumPy's names, so that the table of rules can be built on them.

JAX, CuPy and Dask have NumPy's names. SymPy and mpmath call some functions otherwise, or leave them to Python's operators;
`completed` fills these in. The trade-off: nothing is wrapped, so an edge of a domain is what the module makes of it
(mpmath raises for 1 / 0 and goes on into the complex numbers at log(-1)).
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from math import inf, nan
from types import SimpleNamespace
from typing import Any

from autograd import floats

NAMES = (
    *("exp", "log", "log1p", "sqrt", "sin", "cos", "tanh", "absolute", "sign", "heaviside", "maximum", "minimum"),
    *("divide", "multiply", "power", "where", "zeros_like", "inf", "nan"),
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
        "inf": inf,
        "nan": nan,
        "log1p": lambda a: module.log(1 + a),
        "sign": lambda a: where(a > 0, 1, where(a < 0, -1, 0 * a)),
        "heaviside": lambda a, at_zero: where(a > 0, 1, where(a < 0, 0, at_zero)),
        "maximum": getattr(module, "Max", lambda a, b: where(a >= b, a, b)),
        "minimum": getattr(module, "Min", lambda a, b: where(a <= b, a, b)),
    }
    return SimpleNamespace(**{name: getattr(module, name, names.get(name)) for name in NAMES})


def _choice(module: Any) -> Callable[[Any, Any, Any], Any]:
    """`where` for a module of single things: a case distinction if it has one, else what the condition says now."""
    piecewise = getattr(module, "Piecewise", None)
    return (lambda condition, a, b: piecewise((a, condition), (b, True))) if piecewise else floats.where
