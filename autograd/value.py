"""A number that remembers how it was computed: its operation and its operands. `recording` has the code of its methods."""

from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from autograd.copying import deep, packed, twin
from autograd.fast import swept
from autograd.floats import shown
from autograd.operands import checked, with_methods
from autograd.operations import LEAF
from autograd.recording import Recorded, changed, leaf, method
from autograd.sweep import gradients

if TYPE_CHECKING:
    from typing_extensions import Self

    from autograd.methods import Methods  # a stub made from the table: what `with_methods` adds
else:
    Methods = Recorded


class _Unswept(float):
    """The grad of a result that no sweep has reached: a zero, which `is` tells from a zero gradient, in copies too."""

    def __reduce__(self) -> str:
        return "UNSWEPT"


UNSWEPT = _Unswept()


class Comparison(NamedTuple):
    """A comparison that a program made of recorded Values."""

    compare: Callable[[Any, Any], bool]
    a: Any
    b: Any
    outcome: bool


watching: list[list[Comparison]] = []  # who wants to know which comparisons are made, the innermost last


def noticed(compare: Callable[[Any, Any], bool], a: Any, b: Any, outcome: bool) -> bool:
    """The outcome of a comparison of Values, of which a recording tape hears."""
    if watching:
        watching[-1].append(Comparison(compare, a, b, outcome))
    return outcome


def compared(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """The method that compares the numbers of two Values, or of a Value and a number."""

    def comparison(self: Any, other: Any) -> bool:
        number = other._data if isinstance(other, Value) else other
        if not isinstance(number, Real | Decimal):
            return NotImplemented  # type: ignore[no-any-return]  # as Python wants it
        return noticed(compare, self, other, compare(self._data, number))

    return comparison


def _put(results: list[Value], leaves: list[Value]) -> bool:
    """Their adjoints into `.grad`: results are replaced, leaves accumulate."""
    for node in results:
        node._grad = node._adjoint
    for node in leaves:
        if node.operation is LEAF:
            node._grad += node._adjoint
    return True


def refused(function: str) -> Callable[[Any], NoReturn]:
    """The method that would make a bare number of a Value, and lose its gradient."""

    def refuse(self: Any) -> NoReturn:
        raise TypeError(
            f"{function} of {self!r:.60} would lose its gradient; use the function of autograd (autograd.exp for math.exp), "
            "or its .data where the bare number is meant"
        )

    return refuse


@with_methods(method)
class Value(Methods):
    """A leaf of a computation graph: one number, and the gradient that sweeps accumulate for it.

    `data` is a real number: a `Fraction` stays exact, any other kind becomes a float. `label` is its name in pictures
    and derivations. Arithmetic follows IEEE 754, with inf and nan, and never raises for a number's size; exp, log and the like
    are those of the nearest float. Comparisons are by data, `hash` is by identity, so sets and dictionaries keep equal
    numbers apart. Raises `TypeError` for anything that is not a real number.

    What would lose the gradient raises `TypeError`: `float(v)`, `math.exp(v)`. The bare number is `v.data` or `v.item()`.
    A subclass, `class Value(autograd.Value): pass`, has attributes of its own, and what is computed with it is of it.

    >>> x, y = Value(2.0, "x"), Value(3.0, "y")
    >>> z = x * y + x
    >>> z.backward()
    >>> z.data, x.grad, y.grad
    (8.0, 4.0, 2.0)
    """

    __slots__ = ()

    def __init__(self, data: Any, label: str = "", *more: Any) -> None:
        if more or isinstance(label, tuple):
            raise TypeError(
                "Value takes a number and a label; what operands made it is recorded by its operators. For an operation of "
                "your own, in place of _children and _backward, write for example autograd.operation('my_tanh', math.tanh, "
                "lambda m, out, a: (1 - out * out,))"
            )
        self._data = checked(data, "Value")
        self._grad = type(self._data)()
        self._mark = None
        self.operation = LEAF
        self.left = self.right = None
        if label.__class__ is not str or label:
            self.label = label

    @property
    def data(self) -> float:
        """The number. A new one counts from then on: what was recorded before keeps the number that it was recorded with."""
        return self._data  # type: ignore[return-value]  # of a Value of Fractions it is a Fraction

    @data.setter
    def data(self, x: Any) -> None:
        changed(self, x if x.__class__ is float else checked(x, "Value.data"))

    @property
    def grad(self) -> float:
        """The gradient that sweeps have put here; 0 before the first."""
        try:
            return self._grad  # type: ignore[return-value]  # as above
        except AttributeError:
            return UNSWEPT

    @grad.setter
    def grad(self, x: Any) -> None:
        self._grad = x if x.__class__ is float else checked(x, "Value.grad")

    @property
    def label(self) -> str:
        """The name in pictures and derivations; empty for none."""
        return getattr(self, "_label", "")  # few results have one: to catch an error is four times as slow

    @label.setter
    def label(self, x: str) -> None:
        if not isinstance(x, str):
            raise TypeError(f"Value: the label {x!r:.80} is of type {type(x).__name__}; give a string")
        self._label = x

    def backward(self) -> None:
        """Put d self / d node into `.grad` of every node of the graph: leaves accumulate, results are replaced.

        >>> x = Value(3.0)
        >>> y = x * x
        >>> y.backward(); y.backward()
        >>> x.grad, y.grad
        (12.0, 1.0)
        """
        if swept(self, _put) is None:
            found = gradients(self)
            for node, adjoint in found.items():
                node._adjoint = adjoint
            _put([node for node in found if node.left is not None], [node for node in found if node.left is None])

    def item(self) -> float:
        """The number, as NumPy calls it: the same as `data`."""
        return self.data

    def detach(self) -> Self:
        """A leaf of its own with the same number: no gradient goes back through it.

        >>> x = Value(3.0)
        >>> (x * x.detach()).backward()
        >>> x.grad
        3.0
        """
        return leaf(type(self), self._data)  # type: ignore[no-any-return]  # made of the type

    __lt__, __le__ = compared(operator.lt), compared(operator.le)
    __gt__, __ge__ = compared(operator.gt), compared(operator.ge)
    __eq__, __ne__ = compared(operator.eq), compared(operator.ne)
    __hash__ = object.__hash__
    __float__, __int__, __index__ = refused("float"), refused("int"), refused("operator.index")
    __complex__ = refused("complex")

    def __round__(self, digits: int | None = None) -> NoReturn:
        refused("round")(self)

    def __pos__(self) -> Self:
        return self

    def conjugate(self) -> Self:
        """The Value itself, as of every real number: `np.std` asks for it."""
        return self

    def __bool__(self) -> bool:
        return noticed(operator.ne, self, 0, bool(self._data))

    def __format__(self, spec: str) -> str:
        return format(self._data, spec) if spec else str(self)

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"{type(self).__name__}(data={shown(self._data)}, grad={shown(self.grad)}{label})"

    __copy__, __deepcopy__, __reduce__ = twin, deep, packed

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        from autograd.numpys import ufunc_of_values  # here: NumPy takes longer to import than everything else

        return ufunc_of_values(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:  # NumPy's
        from autograd.numpys import function_of_values  # as above

        return function_of_values(function, arguments, options)

    @property
    def _prev(self) -> set[Value]:  # this and the next: micrograd's names, for drawing code that was written for it
        return set(self.parents)

    @property
    def _op(self) -> str:
        return self.operation.symbol


for _name in ("floor", "ceil", "trunc"):  # what NumPy calls for an array of objects
    setattr(Value, f"__{_name}__", lambda self, name=_name: getattr(self, name)())
