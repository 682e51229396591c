"""What a tape was called with: floats, arrays of samples, Values or Fractions, as many as it has inputs.

One room for the questions that every backend asks, so that all of them accept the same things and refuse the others with
the same words. NumPy is imported only where arrays come in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from fractions import Fraction
from numbers import Real
from typing import Any

from autograd.floats import as_float
from autograd.names import plain
from autograd.operands import Number, checked
from autograd.value import Value

NUMBERS = Real | Decimal


def counted(numbers: Iterable[Any], inputs: Sequence[Value]) -> list[Any]:
    """The list of them. Raises `ValueError` if they are not as many as the inputs, `TypeError` if they are no list."""
    if (
        isinstance(numbers, str | bytes | Mapping | AbstractSet)
        or not isinstance(numbers, Iterable)
        or getattr(numbers, "shape", None) == ()
    ):
        raise TypeError(f"a tape is called with a list of numbers, one for each input, not with {numbers!r:.80}")
    _refuse_mask(numbers, "numbers")
    given = list(numbers)
    if len(given) != len(inputs):
        names = ", ".join(plain(node.label) or "?" for node in inputs[:8]) + (", ..." if len(inputs) > 8 else "")
        raise ValueError(f"the tape has {len(inputs)} inputs ({names}), got {len(given)} numbers; give one for each input")
    return given


def arguments(numbers: Any, inputs: Sequence[Value]) -> tuple[type, list[Any]]:
    """What kind they are of, and the list of them: `float`, `Fraction` and `Value` as they are, or `list` for arrays."""
    given = counted(numbers, inputs)
    if all(isinstance(x, float) for x in given):  # NumPy's float64 is one too
        return float, list(map(float, given))
    if any(isinstance(x, Value) for x in given):
        return Value, [x if isinstance(x, Value) else checked(x, _place(k, inputs)) for k, x in enumerate(given)]
    if all(isinstance(x, NUMBERS) or getattr(x, "shape", None) == () for x in given):
        found = [_number(x, k, inputs) for k, x in enumerate(given)]
        return (Fraction if Fraction in set(map(type, found)) else float), found
    return list, _broadcast([_array(x, k, inputs) for k, x in enumerate(given)], inputs)


def like(numbers: Any, grads: list[Any]) -> Any:
    """The gradients as an array, where the numbers were given as one."""
    if isinstance(numbers, list | tuple):
        return grads
    import numpy as np

    return np.array(grads) if isinstance(numbers, np.ndarray) else grads


def _place(position: int, inputs: Sequence[Value]) -> str:
    label = inputs[position].label
    return f"numbers[{position}]" + (f", for {label!r:.80}" if label else "")


def _number(x: Any, position: int, inputs: Sequence[Value]) -> Number:
    x = x if isinstance(x, NUMBERS) else _array(x, position, inputs).item()
    return x if x.__class__ is float else checked(x, _place(position, inputs))


def _refuse_mask(x: Any, place: str) -> None:
    if hasattr(x, "mask") and hasattr(x, "filled"):
        raise TypeError(f"{place}: a masked array; fill it first, array.filled(...)")


def _array(x: Any, position: int, inputs: Sequence[Value]) -> Any:
    """`x` as an array of float64."""
    import numpy as np

    if type(x) is np.ndarray and x.dtype == np.float64:
        return x
    place = _place(position, inputs)
    _refuse_mask(x, place)
    if isinstance(x, NUMBERS):
        return np.array(as_float(checked(x, place)))
    try:
        array = np.asarray(x)
    except ValueError:
        raise ValueError(f"{place}: rows of different lengths; give an array of numbers") from None
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"{place}: {x!r:.80} of type {type(x).__name__} holds no real numbers; give floats or arrays of them, "
            "or call tape.on(module) with the numbers of another module"
        )
    return array.astype(np.float64, copy=False)


def _broadcast(arrays: list[Any], inputs: Sequence[Value]) -> list[Any]:
    """The arrays, each of the common shape or of one number. Raises `ValueError` if they have no common shape."""
    import numpy as np

    try:
        shape = np.broadcast_shapes(*(array.shape for array in arrays))
    except ValueError:
        shapes = {array.shape: _place(k, inputs) for k, array in reversed(list(enumerate(arrays))) if array.ndim}
        found = "; ".join(f"{shape} is the shape of {place}" for shape, place in list(shapes.items())[:-4:-1])
        raise ValueError(f"arrays of samples have to broadcast: {found}; give each input one number or such an array") from None
    return [array if array.ndim == 0 else np.broadcast_to(array, shape) for array in arrays]
