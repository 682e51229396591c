"""Dual numbers: a number, and how fast it changes. Every row of the table computes with them, by the chain rule forwards.

`chained` is that rule, written once: the tangent of a result is the sum of its partials, each times the tangent of its
operand. Each `jvp` has a level, and dual numbers of an inner one treat those of an outer one as constants. Values stand
inside dual numbers, never around them: a derivative of `a + e b` by a Value is that of `a` and of `b`, so the sweep knows
nothing about them.

Sources: Griewank & Walther, Evaluating Derivatives (2nd ed., SIAM 2008), section 3.1; Siskind & Pearlmutter, Nesting
Forward-Mode AD in a Functional Framework (2008), for the levels.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import partial
from itertools import count
from numbers import Integral, Real
from typing import Any

from autograd import floats
from autograd.operands import LARGE, Number, checked, result
from autograd.operations import FLOATS, OPERATIONS, Arithmetic, Operation
from autograd.recording import record
from autograd.sweep import NOTHING, ONE
from autograd.value import Value

ZERO = 0  # the partial of what is not sent on: `0 * tangent` would be nan where the tangent is infinite


def chained(m: Any, row: Operation, partials: Iterable[Any], tangents: Iterable[Any]) -> Any:
    """The sum of partial * tangent over the operands of a row, computed by `m`; what has NOTHING as tangent is left out.

    >>> chained(FLOATS, OPERATIONS["mul"], (5.0, 2.0), (1.0, 10.0))
    25.0
    """
    total: Any = NOTHING
    for slope, tangent in zip(partials, tangents, strict=True):
        if tangent is not NOTHING and slope is not ZERO and not (row.selects and slope == 0):
            total = total + (tangent if slope is ONE else m.mul(tangent, slope))
    return total


class Dual:
    """`data + e tangent` with `e * e = 0`: a number, and how fast it changes. `level` says which jvp it belongs to.

    It has the operators and methods of a Value, made from the table. Its parts are numbers, Values, or dual numbers of
    an outer jvp. Comparisons are by the number. `float(x)` raises `TypeError`, for it would drop the tangent.

    >>> x = Dual(1, 3.0, 1.0)
    >>> x * x + 1
    Dual(10.0, 6.0)
    """

    __slots__ = ("data", "level", "tangent")

    def __init__(self, level: int, data: Any, tangent: Any) -> None:
        self.level, self.data, self.tangent = level, data, tangent

    @staticmethod
    def operate(row: Operation, *operands: Any) -> Any:
        """The operation of these operands, of which one at least is a Dual; the package's functions ask for it."""
        return applied(row, *_lifted(row, operands))

    def __repr__(self) -> str:
        return f"Dual({self.data!r}, {self.tangent!r})"

    def __bool__(self) -> bool:
        return bool(self.data)

    def __pos__(self) -> Dual:
        return self

    def __float__(self) -> float:
        raise TypeError(
            f"{self!r:.80} is a dual number: as a float it would lose its tangent; use the functions of autograd, such as "
            "autograd.exp for math.exp"
        )

    __int__ = __float__

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """NumPy's ufuncs see a Dual as one object; those that are in the table under the same name are the table's."""
        import numpy as np

        row = OPERATIONS.get(ufunc.__name__)
        if row and row.symbol.isidentifier() and method == "__call__" and not any(getattr(x, "shape", ()) for x in inputs):
            return self.operate(row, *inputs)
        boxes = [np.array(x, dtype=object) if isinstance(x, Dual) else x for x in inputs]
        return getattr(ufunc, method)(*boxes, **options)


def applied(row: Operation, *operands: Any) -> Any:
    """The operation on Duals, Values and numbers: by the chain rule for the innermost jvp, whose level is the highest."""
    level = max((x.level for x in operands if isinstance(x, Dual)), default=0)
    if not level:
        return record(Value, row, *operands) if any(isinstance(x, Value) for x in operands) else _of_numbers(row, *operands)
    numbers, slopes = zip(*(parted(x, level) for x in operands), strict=True)
    m = FLOATS if all(x.__class__ is float for x in numbers) else DUALS  # the same on floats, without looking at each
    out = applied(row, *numbers) if m is DUALS else _of_numbers(row, *numbers)
    tangent = chained(m, row, row.partials(m, out, *numbers), slopes)
    return Dual(level, out, zero(out) if tangent is NOTHING else tangent)


def parted(x: Any, level: int) -> tuple[Any, Any]:
    """The number and the tangent for this level; NOTHING where it has none.

    >>> parted(Dual(1, 2.0, 5.0), 1), parted(3.0, 1)[0]
    ((2.0, 5.0), 3.0)
    """
    return (x.data, x.tangent) if isinstance(x, Dual) and x.level == level else (x, NOTHING)


def _of_numbers(row: Operation, *numbers: Number) -> Number:
    """The operation on numbers, as a Value would hold its result."""
    try:
        return result(FLOATS[row](*numbers), row, *numbers)
    except OverflowError:  # a Fraction beyond 1.8e308 beside a float
        return result(FLOATS[row](*map(floats.as_float, numbers)), row)


def base(x: Any) -> Any:
    """What is inside a dual number of any depth: a number or a Value."""
    while isinstance(x, Dual):
        x = x.data
    return x


def bare(x: Any) -> Any:
    """The number itself, without tangents and without its record."""
    x = base(x)
    return x.data if isinstance(x, Value) else x


def zero(x: Any) -> Number:
    """A zero of the same kind: a Fraction beside Fractions, else a float.

    >>> zero(Dual(1, Fraction(1, 2), 1.0))
    Fraction(0, 1)
    """
    return Fraction() if bare(x).__class__ is Fraction else 0.0


def _chosen(condition: Any, a: Any, b: Any) -> Any:
    """A recorded condition is a choice that follows the numbers; a bool is decided already."""
    return (
        applied(OPERATIONS["where"], condition, a, b) if isinstance(base(condition), Value) else floats.where(condition, a, b)
    )


DUALS = Arithmetic(lambda row: partial(applied, row), where=_chosen, zeros_like=zero)  # the rows on all of them


def scalar(x: Any, where: str, beside: Any = None) -> Any:
    """A Dual or a Value as it is, a number as a Value would hold it: exact beside a Fraction. Else raises `TypeError`."""
    if isinstance(x, Dual | Value):
        return x
    if isinstance(x, Integral) and isinstance(bare(beside), Fraction):
        return Fraction(int(x))
    return checked(x, where)


def _lifted(row: Operation, operands: tuple[Any, ...]) -> Sequence[Any]:
    """The operands, with whole numbers exact beside a Fraction."""
    if all(x.__class__ is Dual or x.__class__ is float for x in operands):
        return operands
    exact = next((x for x in operands if isinstance(bare(x), Fraction)), None)
    return [
        float(x) if x.__class__ is int and exact is None and -LARGE < x < LARGE else scalar(x, f"operation {row.symbol}", exact)
        for x in operands
    ]


def _add_methods(row: Operation) -> None:
    """The row as a method of Dual, under the name that it has in Value, and with the Dual on the right of an operator."""

    def method(self: Dual, *others: Any) -> Any:
        return NotImplemented if any(getattr(x, "shape", ()) for x in others) else self.operate(row, self, *others)

    def reflected(self: Dual, other: Any) -> Any:
        return NotImplemented if getattr(other, "shape", ()) else self.operate(row, other, self)

    for name in row.method.split():
        setattr(Dual, name, method)
        if row.arity == 2 and name.startswith("__"):
            setattr(Dual, name.replace("__", "__r", 1), reflected)


def _compared(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def comparison(self: Dual, other: Any) -> bool:
        number = bare(other)
        return compare(bare(self), number) if isinstance(number, Real | Decimal) else NotImplemented

    return comparison


for _row in OPERATIONS.values():
    if _row.method:
        _add_methods(_row)
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(Dual, f"__{_name}__", _compared(getattr(operator, _name)))
Dual.__hash__ = object.__hash__  # type: ignore[method-assign]  # `==` compares numbers; in sets and graphs it is itself

_levels = count(1)


def new_level() -> int:
    """The level of a new jvp: higher than that of every one before it."""
    return next(_levels)
