"""A number that remembers how it was computed.

A `Value` holds its number, the operation that made it and its operands; every operator appends one node to that record.
Its methods are made from the table, one for each operation. Recording is spelled out attribute by attribute, because it is
the other half of the time of a training step.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import partial
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from autograd.copying import columns, deep, flat, rebuilt, restored
from autograd.floats import as_float, shown
from autograd.graph import placed
from autograd.operations import CONSTANT, FLOATS, LEAF, OPERATIONS, Operation
from autograd.sweep import adjoints

if TYPE_CHECKING:
    from autograd.methods import Methods  # a stub made from the table: what the loop at the end of this file adds
else:
    Methods = object

Number: TypeAlias = float | Fraction


class _Unswept(float):
    """The grad of a result that no sweep has reached: a zero, told from a zero gradient by identity, in copies too."""

    def __reduce__(self) -> str:
        return "UNSWEPT"


UNSWEPT = _Unswept()


def checked(x: object, where: str) -> Number:
    """`x` as a number that a Value may hold: a Fraction stays one, any other real number becomes a float."""
    if isinstance(x, Real | Decimal):
        try:
            return x if type(x) is Fraction else float(x)
        except OverflowError:
            raise ValueError(f"{where}: {shown(x)} is too large for a float; give it as a Fraction") from None
    if isinstance(x, Value):
        remedy = "it is a Value already: use it as it is, or its .data for the bare number"
    elif hasattr(x, "__array__"):
        remedy = "a Value holds one number; array.astype(object) and NumPy's functions compute with Values element by element"
    else:
        remedy = "give an int, a float or a Fraction"
    raise TypeError(f"{where}: {x!r:.80} is of type {type(x).__name__}, not a real number; {remedy}")


def lift(x: object, other: object, operation: Operation) -> Any:
    """`x` as an operand beside `other`: a Value as it is, a number as a constant, an array for NumPy to spread over."""
    if x.__class__ is int and -LARGE < x < LARGE:
        x = Fraction(x) if other.__class__ is Value and other.data.__class__ is Fraction else float(x)
    elif x.__class__ is not float:
        if isinstance(x, Value):
            return x
        if isinstance(x, Integral) and isinstance(other, Value) and type(other.data) is Fraction:
            x = Fraction(int(x))
        elif getattr(x, "shape", None) and hasattr(x, "__array_ufunc__") and not operation.symbol.isidentifier():
            return NotImplemented  # NumPy asks each element, or says by __array_ufunc__ why not
        elif hasattr(x, "operate"):
            return NotImplemented  # a dual number: its own operator records on its parts
        x = checked(x, f"operation {operation.symbol}")
    node = new(Value)
    node.data = x
    node.grad = 0.0
    node.operation = CONSTANT
    node.left = node.right = None
    node.label = ""
    return node


LARGE = 2**53  # beyond it an int may have no float
new: Callable[[type[Value]], Any] = object.__new__


def result(data: Any, operation: Operation, *numbers: Number) -> Number:
    """What an operation gave, as a number that a Value may hold: a whole one beside Fractions is exact."""
    if data.__class__ is int and any(x.__class__ is Fraction for x in numbers):
        return Fraction(data)
    return checked(data, f"result of {operation.symbol}")


def unary(operation: Operation) -> Callable[[Any], Value]:
    """The method that applies an operation of one operand and records it as one node."""
    forward = operation.forward

    def recorded(self: Any) -> Any:
        try:
            data = forward(self.data)
        except OverflowError:  # a Fraction beyond 1.8e308, of which a part is a float
            data = forward(as_float(self.data))
        node = new(Value)
        node.data = data if data.__class__ is float else result(data, operation, self.data)
        node.grad = UNSWEPT
        node.operation = operation
        node.left = self
        node.right = None
        node.label = ""
        return node

    return recorded


def binary(operation: Operation) -> tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]:
    """The methods that apply an operation of two operands, with the Value on the left and on the right."""
    forward = operation.forward

    def recorded(self: Any, other: Any) -> Any:
        if other.__class__ is not Value:
            other = lift(other, self, operation)
            if other is NotImplemented:
                return other
        try:
            data = forward(self.data, other.data)
        except OverflowError:  # a Fraction beyond 1.8e308 beside a float
            data = forward(as_float(self.data), as_float(other.data))
        node = new(Value)
        node.data = data if data.__class__ is float else result(data, operation, self.data, other.data)
        node.grad = UNSWEPT
        node.operation = operation
        node.left = self
        node.right = other
        node.label = ""
        return node

    def reflected(self: Any, other: Any) -> Any:
        other = lift(other, self, operation)
        return other if other is NotImplemented else recorded(other, self)

    return recorded, reflected


def record(operation: Operation, *operands: Any) -> Any:
    """The node of an operation of any number of operands, Values or numbers; numbers become constants."""
    if len(operands) != operation.arity:
        count = f"{operation.arity} operand{'s' if operation.arity > 1 else ''}"
        raise TypeError(f"{operation.name} takes {count}, got {len(operands)}")
    beside = next((x for x in operands if isinstance(x, Value)), None)
    nodes = tuple(lift(x, beside, operation) for x in operands)
    numbers = [node.data for node in nodes]
    try:
        data = operation.forward(*numbers)
    except OverflowError:
        data = operation.forward(*map(as_float, numbers))
    return node_of(operation, result(data, operation, *numbers), nodes)


def node_of(operation: Operation, data: Number, operands: tuple[Value, ...]) -> Value:
    """A result that has these operands."""
    node: Value = new(Value)
    node.data, node.grad, node.operation, node.label = data, UNSWEPT, operation, ""
    node.left, node.right, node.rest = placed(operands)
    return node


def recorder(operation: Operation) -> Callable[..., Any]:
    """The function that records this operation: of a Value first for one and two operands, of anything for more.

    >>> recorder(OPERATIONS["mul"])(Value(2.0), 3).data
    6.0
    """
    if operation.many:
        return partial(record, operation)
    return unary(operation) if operation.arity == 1 else binary(operation)[0]


def compared(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """The method that compares the numbers of two Values, or of a Value and a number."""

    def comparison(self: Any, other: Any) -> bool:
        if isinstance(other, Value):
            other = other.data
        return compare(self.data, other) if isinstance(other, Real | Decimal) else NotImplemented

    return comparison


class Value(Methods):
    """A leaf of a computation graph: one number, and the gradient that sweeps accumulate for it.

    `data` is a real number: a `Fraction` stays exact, any other kind becomes a float. `label` is its name in pictures
    and derivations. Arithmetic follows IEEE 754, with inf and nan, and never raises for a number's size; exp, log and the like
    are those of the nearest float. Comparisons are by data, `hash` is by identity, so sets and dictionaries keep equal
    numbers apart. Raises `TypeError` for anything that is not a real number.

    >>> x, y = Value(2.0, "x"), Value(3.0, "y")
    >>> z = x * y + x
    >>> z.backward()
    >>> z.data, x.grad, y.grad
    (8.0, 4.0, 2.0)
    """

    __slots__ = ("__weakref__", "data", "grad", "label", "left", "operation", "rest", "right")

    data: Number
    grad: Number
    operation: Operation
    left: Value | None
    right: Value | None
    rest: tuple[Value, ...]  # only where there are more than two operands
    label: str

    def __init__(self, data: Any, label: str = "") -> None:
        if not isinstance(label, str):
            raise TypeError(f"Value: the label {label!r:.80} is of type {type(label).__name__}; give a string")
        self.data = checked(data, "Value")
        self.grad = type(self.data)()
        self.operation = LEAF
        self.left = self.right = None
        self.label = label

    @property
    def parents(self) -> tuple[Value, ...]:
        """The operands in order, with multiplicity: `x * x` has two, a leaf has none.

        >>> x = Value(3.0)
        >>> (x * x).parents == (x, x), x.parents
        (True, ())
        """
        if self.left is None:
            return ()
        if self.right is None:
            return (self.left,)
        return (self.left, self.right, *self.rest) if self.operation.many else (self.left, self.right)

    def backward(self) -> None:
        """Put d self / d node into `.grad` of every node of the graph: leaves accumulate, results are replaced.

        >>> x = Value(3.0)
        >>> y = x * x
        >>> y.backward(); y.backward()
        >>> x.grad, y.grad
        (12.0, 1.0)
        """
        kind = type(self.data)
        for node, adjoint in adjoints(self, kind(1), kind(), FLOATS).items():
            if node.left is not None:
                node.grad = adjoint
            elif node.operation is LEAF:
                node.grad += adjoint

    __lt__, __le__ = compared(operator.lt), compared(operator.le)
    __gt__, __ge__ = compared(operator.gt), compared(operator.ge)
    __eq__, __ne__ = compared(operator.eq), compared(operator.ne)
    __hash__ = object.__hash__

    def __float__(self) -> float:
        return float(self.data)

    def __bool__(self) -> bool:
        return bool(self.data)

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={shown(self.data)}, grad={shown(self.grad)}{label})"

    def __copy__(self) -> Value:
        return cast("Value", rebuilt(Value, self.parents, *columns(self)))

    __deepcopy__ = deep

    def __reduce__(self) -> tuple[Any, ...]:
        return (rebuilt, (Value, (), *columns(self))) if self.left is None else (restored, flat(self))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """NumPy's ufuncs see a Value as one object: an object array is computed element by element."""
        import numpy as np  # not before it is needed: NumPy takes longer to import than everything else here

        compares = ufunc in (np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal)
        for x in inputs:
            if isinstance(x, np.ndarray) and x.dtype != object and (x.ndim or not compares):  # NumPy's scalars come as 0-d
                checked(x, f"operation {ufunc.__name__}")
        boxes = [np.array(x, dtype=object) if isinstance(x, Value) else x for x in inputs]
        return getattr(ufunc, method)(*boxes, **options)

    @property
    def _prev(self) -> set[Value]:  # this and the next: micrograd's names, for drawing code that was written for it
        return set(self.parents)

    @property
    def _op(self) -> str:
        return self.operation.symbol


def _add_methods(row: Operation) -> None:
    """What the row is as a method of Value, and, for an operator, as the one of a Value on its right."""
    functions = (unary(row),) if row.arity == 1 else binary(row)
    for name, function in zip((row.method, row.method.replace("__", "__r", 1)), functions, strict=False):
        function.__name__, function.__qualname__ = name, f"Value.{name}"
        function.__doc__ = f"{row.name} of this Value, recorded as one node."
        setattr(Value, name, function)


for _row in OPERATIONS.values():
    if _row.method:
        _add_methods(_row)
