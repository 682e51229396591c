"""Formulas as data: the rows of the table, computed with symbols, give expressions instead of numbers.

An expression is a node of a graph like any other, an operation with its operands, and whatever prints it (as text, LaTeX,
Python, JavaScript, machine code) walks it. While it is made, only that is simplified which leaves every float as it is,
bit for bit: constants are computed, `1 * x` is x, a choice of which one arm is ruled out is the other. `0 * x` and `x + 0`
stay, for x may be inf, nan or -0.0.

Source for what may be simplified: Goldberg, What Every Computer Scientist Should Know About Floating-Point Arithmetic
(ACM Computing Surveys 23(1), 1991), "Languages and Compilers".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from autograd.floats import Real
from autograd.graph import topological_order
from autograd.operations import LEAF, OPERATIONS, Arithmetic, Operation


def shown(name: str, symbol: str = "", **spelled: Any) -> Operation:
    """An operation that is only printed, not computed: an equation, a matrix product, a function of arrays."""
    return Operation(name, symbol or name, LEAF.forward, LEAF.partials, (), **spelled)


T = TypeVar("T")

NAME, NUMBER = shown("name"), shown("number")  # the two without operands
EQUATION, DERIVATIVE, SUM = shown("equation", "="), shown("derivative"), shown("sum")
MATMUL, TRANSPOSE, ENTRY = shown("matmul", "@"), shown("transpose"), shown("entry")
SUMMED, AVERAGED, SIZE, CHOSEN = shown("summed"), shown("averaged"), shown("size"), shown("chosen", "where")
ADD, SUB, MUL, DIV, POW, NEG = (OPERATIONS[name] for name in ("add", "sub", "mul", "div", "pow", "neg"))
WHERE, AND, EQUAL = (OPERATIONS[name] for name in ("where", "logical_and", "equal"))


def _operator(name: str, *, reflected: bool = False) -> Callable[..., Expression]:
    row = OPERATIONS[name]
    return lambda *operands: apply(row, *(operands[::-1] if reflected else operands))


class Expression:
    """An operation `op` of its operands, `parents`; a name or a number has none, but `content`.

    >>> x = symbol("x")
    >>> y = 1 - x * x
    >>> y.op.name, y.parents[1].op.name, y.parents[0].content
    ('sub', 'mul', 1)
    """

    __slots__ = ("content", "op", "parents")

    def __init__(self, op: Operation, parents: tuple[Expression, ...] = (), content: Any = None) -> None:
        self.op, self.parents, self.content = op, parents, content

    __hash__ = object.__hash__

    __neg__, __abs__ = _operator("neg"), _operator("abs")
    __add__, __radd__ = _operator("add"), _operator("add", reflected=True)
    __sub__, __rsub__ = _operator("sub"), _operator("sub", reflected=True)
    __mul__, __rmul__ = _operator("mul"), _operator("mul", reflected=True)
    __truediv__, __rtruediv__ = _operator("div"), _operator("div", reflected=True)
    __pow__, __rpow__ = _operator("pow"), _operator("pow", reflected=True)
    __mod__, __rmod__ = _operator("mod"), _operator("mod", reflected=True)
    __and__, __rand__ = _operator("logical_and"), _operator("logical_and", reflected=True)
    __lt__, __le__ = _operator("less"), _operator("less_equal")
    __gt__, __ge__ = _operator("greater"), _operator("greater_equal")
    __eq__, __ne__ = _operator("equal"), _operator("not_equal")  # type: ignore[assignment]  # a comparison is an expression too

    def __matmul__(self, other: Any) -> Expression:
        return unchanged(MATMUL)(self, other)

    def __getitem__(self, index: Any) -> Expression:
        """An entry: the indices are numbers, or names of letters."""
        indices = index if isinstance(index, tuple) else (index,)
        return Expression(ENTRY, (self, *(symbol(i) if isinstance(i, str) else lifted(i) for i in indices)))

    @property
    def T(self) -> Expression:  # noqa: N802  # NumPy's name
        """The transpose."""
        return Expression(TRANSPOSE, (self,))

    def __bool__(self) -> bool:
        raise TypeError(f"whether {self!r} holds is not known before its names have numbers; use m.where(condition, a, b)")

    def __float__(self) -> float:
        raise TypeError(f"{self!r} is a formula, not a number; in a row of the table write m.exp(a) where you have math.exp(a)")

    def __repr__(self) -> str:
        operands = ", ".join("..." if p.parents else str(p.content) for p in self.parents)
        return f"{self.op.name}({operands})" if self.parents else str(self.content)


def symbol(name: str) -> Expression:
    """The expression that is a name."""
    return Expression(NAME, content=name)


def number(x: Real) -> Expression:
    """The expression that is a number, or True or False."""
    return Expression(NUMBER, content=x)


def lifted(x: Any) -> Expression:
    """An expression as it is, a number as one."""
    return x if isinstance(x, Expression) else number(x)


def is_number(e: Expression, x: float) -> bool:
    """Whether the expression is this very number; -0.0 is not 0."""
    return e.op is NUMBER and bool(e.content == x) and math.copysign(1, e.content) == math.copysign(1, x)


def apply(op: Operation, *operands: Any) -> Expression:
    """The operation of its operands, which are expressions or numbers: computed if all are numbers, else simplified."""
    args = tuple(map(lifted, operands))
    if all(x.op is NUMBER for x in args):
        return number(op.forward(*(x.content for x in args)))
    simpler = _simpler(op, args)
    return Expression(op, args) if simpler is None else simpler


def _simpler(op: Operation, args: tuple[Expression, ...]) -> Expression | None:
    """What the operation comes to without being computed, with every float as it would be; None if it is itself."""
    a, b = args[0], args[-1]
    if op is MUL:
        factor, other = (a, b) if a.op is NUMBER else (b, a)
        return other if is_number(factor, 1) else apply(NEG, other) if is_number(factor, -1) else None
    if (op in (DIV, POW) and is_number(b, 1)) or (op is SUB and is_number(b, 0)):
        return a
    if op is NEG and a.op is op:
        return a.parents[0]
    if op is AND and NUMBER in (a.op, b.op):
        condition, other = (a, b) if a.op is NUMBER else (b, a)
        return other if condition.content else condition
    if op is WHERE and (a.op is NUMBER or args[1] is b):
        return args[1] if a.op is NUMBER and a.content else b
    return None


def unchanged(op: Operation) -> Callable[..., Expression]:
    """The function that makes the operation of its operands as it is: nothing is simplified or computed."""
    return lambda *operands: Expression(op, tuple(map(lifted, operands)))


def applied(op: Operation) -> Callable[..., Expression]:
    """The function that applies the operation to its operands."""
    return partial(apply, op)


def zeros_like(a: Expression) -> Expression:  # noqa: ARG001  # every formula here is one of floats
    """What a row takes for the zeros of an array."""
    return number(0.0)


SYMBOLS = Arithmetic(applied, zeros_like=zeros_like)  # every operation is kept as the one that it is
EXPANDED = Arithmetic(lambda row: None if row.formula else applied(row), zeros_like=zeros_like)  # and here as its formula


def operands_first(expression: Expression) -> list[Expression]:
    """Every part of an expression, each once and after its operands; the expression itself is the last."""
    return topological_order(expression)


def gathered(expression: Expression, found: Callable[[Expression, list[T]], T]) -> T:
    """What `found` says of the expression, which is given each part with what it said of the operands."""
    said: dict[Expression, T] = {}
    for e in operands_first(expression):
        said[e] = found(e, [said[parent] for parent in e.parents])
    return said[expression]


def printed_size(expression: Expression) -> int:
    """How many names, numbers and operations its text has: an operand that is used twice is printed twice."""
    return gathered(expression, lambda _, sizes: 1 + sum(sizes))


def rebuilt(e: Expression, operands: list[Expression]) -> Expression:
    """The same operation of other operands, simplified where it can be computed; what has no operands is itself."""
    if not operands:
        return e
    return apply(e.op, *operands) if e.op.domain else Expression(e.op, tuple(operands), e.content)


def substituted(expression: Expression, meanings: Mapping[str, Expression]) -> Expression:
    """The expression with names replaced by what they mean; what is of numbers only is computed.

    >>> x, y = symbol("x"), symbol("y")
    >>> substituted(x * (1 - x) + y, {"x": number(0.25)}), substituted(x * (1 - x), {"x": number(0.25)})
    (add(0.1875, y), 0.1875)
    """
    return gathered(expression, lambda e, new: meanings.get(e.content, e) if e.op is NAME else rebuilt(e, new))


def call(function: str, *operands: Any) -> Expression:
    """A function that is only shown, such as softmax(z)."""
    return unchanged(shown(function))(*operands)


def derivative(output: Expression, node: Expression) -> Expression:
    """The name of the derivative of one by the other: dy/dx."""
    return Expression(DERIVATIVE, (output, node))


def equation(left: Expression, right: Expression) -> Expression:
    """The statement that both are equal; to be printed, not to be decided."""
    return Expression(EQUATION, (left, right))


def where(condition: Expression, a: Any, b: Any) -> Expression:
    """The choice entry by entry of an array, printed as NumPy's `where(condition, a, b)`."""
    return unchanged(CHOSEN)(condition, a, b)


def summed(e: Expression, axis: int | None = None, keepdims: bool = False) -> Expression:
    """The sum of all entries, or along an axis, printed as `e.sum()` or `e.sum(axis=0)`."""
    return Expression(SUMMED, (e,), None if axis is None else (axis, keepdims))


def size(e: Expression) -> Expression:
    """The number of entries, printed as `e.size`."""
    return Expression(SIZE, (e,))


def mean(e: Expression) -> Expression:
    """The mean of all entries, printed as `e.mean()`."""
    return Expression(AVERAGED, (e,))
