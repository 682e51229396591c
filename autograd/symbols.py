"""NumPy's names for formulas: the table of rules, built on this module, gives expressions instead of numbers.

An expression is a node of a graph like any other, an operation with its operands, and whatever prints it (as Python, as a
formula, as machine code) walks it. While it is made, only that is simplified which leaves every float as it is, bit for
bit: constants are computed, `1 * x` is x, a choice of which one arm is ruled out is the other. The trade-off: `0 * x` and
`x + 0` stay, for x may be inf, nan or -0.0.

Source for what may be simplified: Goldberg, What Every Computer Scientist Should Know About Floating-Point Arithmetic
(ACM Computing Surveys 23(1), 1991), "Languages and Compilers".
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from math import inf, nan  # noqa: F401  # NumPy has these names too
from typing import Any, TypeAlias

from autograd import floats

Operation: TypeAlias = Callable[..., "Expression"]

NAME, NUMBER = "name", "number"  # the two operations without operands
_COMPUTE: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "negative": operator.neg,
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "equal": operator.eq,
    "logical_and": operator.and_,
}


def _operation(op: str) -> Operation:
    """The function that makes the expression `op` of its operands, or the number, if they are numbers."""
    compute = _COMPUTE.get(op) or getattr(floats, op)

    def operation(*operands: Any) -> Expression:
        args = tuple(x if x.__class__ is Expression else number(x) for x in operands)
        if all(x.op is NUMBER for x in args):
            return number(compute(*(x.content for x in args)))
        simpler = _simpler(op, args)
        return Expression(op, args) if simpler is None else simpler

    operation.__name__ = operation.__qualname__ = op
    operation.__doc__ = f"The expression {op}(...) of its operands, which are expressions or numbers."
    return operation


def _simpler(op: str, args: tuple[Expression, ...]) -> Expression | None:
    """What the operation comes to without being computed, with every float as it would be; None if it is itself."""
    a, b = args[0], args[-1]
    if op == "multiply":
        factor, other = (a, b) if a.op is NUMBER else (b, a)
        return other if is_number(factor, 1) else negative(other) if is_number(factor, -1) else None
    if (op in ("divide", "power") and is_number(b, 1)) or (op == "subtract" and is_number(b, 0)):
        return a
    if op == "negative" and a.op == op:
        return a.parents[0]
    if op == "logical_and" and NUMBER in (a.op, b.op):
        condition, other = (a, b) if a.op is NUMBER else (b, a)
        return other if condition.content else condition
    if op == "where" and (a.op is NUMBER or args[1] is b):
        return args[1] if a.op is NUMBER and a.content else b
    return None


add, subtract, multiply, divide, power = map(_operation, ("add", "subtract", "multiply", "divide", "power"))
negative, absolute, exp, log, log1p, sqrt = map(_operation, ("negative", "absolute", "exp", "log", "log1p", "sqrt"))
sin, cos, tanh, sign, heaviside = map(_operation, ("sin", "cos", "tanh", "sign", "heaviside"))
maximum, minimum, where, logical_and = map(_operation, ("maximum", "minimum", "where", "logical_and"))
less, less_equal, equal = map(_operation, ("less", "less_equal", "equal"))
greater, greater_equal = map(_operation, ("greater", "greater_equal"))


def zeros_like(a: Expression) -> Expression:  # noqa: ARG001  # NumPy's signature
    """The zero of the same kind: every formula here is one of floats."""
    return number(0.0)


def _both(operation: Operation) -> tuple[Operation, Operation]:
    """The method for an expression on the left, and that for one on the right of a number."""
    return operation, lambda self, other: operation(other, self)


class Expression:
    """An operation `op` of its operands, `parents`; a name or a number has none, but `content`.

    >>> x = symbol("x")
    >>> y = 1 - x * x
    >>> y.op, y.parents[1].op, y.parents[0].content
    ('subtract', 'multiply', 1)
    """

    __slots__ = ("content", "op", "parents")

    def __init__(self, op: str, parents: tuple[Expression, ...] = (), content: Any = None) -> None:
        self.op, self.parents, self.content = op, parents, content

    __add__, __radd__ = _both(add)
    __sub__, __rsub__ = _both(subtract)
    __mul__, __rmul__ = _both(multiply)
    __truediv__, __rtruediv__ = _both(divide)
    __pow__, __rpow__ = _both(power)
    __and__, __rand__ = _both(logical_and)
    __lt__, __gt__ = _both(less)[0], _both(greater)[0]
    __le__, __ge__ = _both(less_equal)[0], _both(greater_equal)[0]
    __eq__: Any = _both(equal)[0]
    __hash__ = object.__hash__

    def __neg__(self) -> Expression:
        return negative(self)

    def __bool__(self) -> bool:
        raise TypeError(f"whether {self!r} holds is not known before its names have numbers; use where(condition, a, b)")

    def __repr__(self) -> str:
        operands = ", ".join("..." if p.parents else str(p.content) for p in self.parents)
        return f"{self.op}({operands})" if self.parents else str(self.content)


def symbol(name: str) -> Expression:
    """The expression that is a name."""
    return Expression(NAME, content=name)


def number(x: floats.Real) -> Expression:
    """The expression that is a number, or True or False."""
    return Expression(NUMBER, content=x)


def is_number(e: Expression, x: float) -> bool:
    """Whether the expression is this very number; -0.0 is not 0."""
    return e.op is NUMBER and bool(e.content == x) and math.copysign(1, e.content) == math.copysign(1, x)
