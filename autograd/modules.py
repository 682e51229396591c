"""The table on the numbers of other modules: NumPy's arrays, JAX, CuPy, Dask, SymPy, mpmath.

What a module lacks is an error only for who needs it. An edge of a domain is what the module makes of it (mpmath raises for
1 / 0, and goes on into the complex numbers at log(-1)).
"""

from __future__ import annotations

import importlib
import operator
from collections.abc import Callable
from fractions import Fraction
from functools import cache, partial
from types import ModuleType
from typing import Any

from autograd import floats
from autograd.operations import BUILT_IN, Arithmetic, Function, Operation


def arithmetic(module: Any) -> Arithmetic:
    """The operations on the numbers of a module that has NumPy's names, or some of them and Python's operators.

    An operation is computed by its `array`, else by the module's function of its name, else by its formula; a forward of a
    user's own without `array` is applied entry by entry. Raises `TypeError` for something that has not even `exp` and `log`.
    """
    if not all(callable(getattr(module, name, None)) for name in ("exp", "log")):
        raise TypeError(f"{module!r:.80} has no functions exp and log; give a module of functions with NumPy's names")
    return _cached(module) if isinstance(module, ModuleType) else _arithmetic(module)


def _arithmetic(module: Any) -> Arithmetic:
    own: dict[str, Function] = {
        "zeros_like": getattr(module, "zeros_like", lambda a: converted(0, module)),
        "ones_like": getattr(module, "ones_like", lambda a: converted(1, module)),
    }
    if hasattr(module, "besselj"):  # SymPy and mpmath: their sinc is sin(x) / x, and mpmath's fmod has the sign of b
        own.update(sinc=lambda a: module.sinc(module.pi * a), fmod=partial(PLAIN["fmod"], module))
    if hasattr(module, "Piecewise"):  # SymPy: its `maximum` is that of a function, and no number overflows or is -0.0
        exp, log = module.exp, module.log
        own.update(trunc=lambda a: module.sign(a) * module.floor(module.Abs(a)), ceil=module.ceiling)
        half = module.Rational(1, 2)
        own.update(
            rint=lambda a: module.floor(a + half) - module.Piecewise((1, module.Eq(module.Mod(a + half, 2), 1)), (0, True))
        )
        own.update(fmod=lambda a, b: module.sign(a) * module.Mod(module.Abs(a), module.Abs(b)), logical_and=module.And)
        own.update(hypot=lambda a, b: module.sqrt(a * a + b * b), mod=module.Mod)
        own.update(where=lambda c, a, b: module.Piecewise((a, c), (b, True)), maximum=module.Max, minimum=module.Min)
        own.update(sigmoid=lambda a: 1 / (1 + exp(-a)), logaddexp=lambda a, b: log(exp(a) + exp(b)))
        own.update(heaviside=lambda a, at_zero: module.Piecewise((1, a > 0), (0, a < 0), (at_zero, True)))
    return Arithmetic(lambda row: _function(module, row), **own)


_cached = cache(_arithmetic)
PLAIN: dict[str, Function] = {  # what a module of exact numbers leaves to its user
    "log1p": lambda module, a: module.log(1 + a),
    "trunc": lambda module, a: module.ceil(a) if a < 0 else module.floor(a),
    "fmod": lambda module, a, b: a - b * PLAIN["trunc"](module, a / b),
    "cbrt": lambda module, a: abs(a) ** (a / a / 3) * (1 if a > 0 else -1) if a else a,
    "expm1": lambda module, a: module.exp(a) - 1,
    "exp2": lambda module, a: 2**a,
    "log2": lambda module, a: module.log(a, 2),
    "log10": lambda module, a: module.log(a, 10),
}
OPERATORS: dict[str, Function] = {  # for a module that leaves these to Python's operators, or to one another
    "abs": abs,
    "div": operator.truediv,
    "pow": operator.pow,
    "where": floats.where,
    "logical_and": floats.both,
    "rint": round,
}


def _function(module: Any, row: Operation) -> Function | None:
    """What computes the operation on the module's numbers; None where its formula does, or nothing."""
    if callable(row.array):
        return row.array
    is_numpy = getattr(module, "__name__", "") == "numpy"
    found: Function | None = None
    if row.name in BUILT_IN or not (row.formula or is_numpy):  # NumPy may use a user's name for something else
        places = [module]
        if row.name in ("erf", "erfc") and getattr(module, "__name__", "").startswith("jax"):
            places.append(importlib.import_module("jax.scipy.special"))  # JAX keeps them in a module of their own
        found = next((f for place in places for name in _names(row) if (f := getattr(place, name, None))), None)
    if found is None and row.name in PLAIN:
        return partial(PLAIN[row.name], module)
    if found is None and row.formula is None:
        if row.name not in OPERATORS and not hasattr(module, "frompyfunc"):
            where = getattr(module, "__name__", "this module")
            raise NotImplementedError(f"{where} has no function {row.name}; give the operation as a formula of others")
        return OPERATORS.get(row.name) or _entry_by_entry(module, row)
    return found


RENAMED = {"rint": "nint"}  # mpmath's name


def _names(row: Operation) -> tuple[str, ...]:
    """What a module may call the operation: NumPy's name, or C's, such as atan."""
    if row.arity is None:
        return ()
    named = row.array if isinstance(row.array, str) else row.name
    c = row.native if row.native != row.name else None  # `div` is something else in SymPy
    return (named, *filter(None, (c, RENAMED.get(row.name))))


def _entry_by_entry(numpy: Any, row: Operation) -> Callable[..., Any]:
    """The operation's forward, applied to the entries of arrays that broadcast."""
    apply = numpy.frompyfunc(row.forward, row.arity, 1)
    return lambda *arrays: numpy.asarray(apply(*arrays), dtype=float)


def converted(x: float | Fraction, module: Any) -> Any:
    """A constant for this module: exact where it has exact numbers, else as it is."""
    convert = getattr(module, "sympify", None) or getattr(module, "mpmathify", None)
    if convert is None:
        return floats.as_float(x)
    return convert(int(x) if x % 1 == 0 else x)  # inf % 1 is nan
