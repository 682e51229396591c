"""What a user gives as an array: taken as one, or refused by name.

Anything that NumPy makes a real array of is welcome: lists, data frames, tensors, integers, objects such as Fractions or
Values. The trade-off: what would only seem to work is refused, masked arrays and text first of all.
"""

from __future__ import annotations

from datetime import timedelta
from numbers import Real
from typing import Any

import numpy as np

from nn.losses import Array

NO_NUMBERS = (str, bytes, complex, np.complexfloating, timedelta, np.timedelta64)


def array(x: Any, name: str, ndim: tuple[int, ...]) -> Array:
    """`x` as an array of float64, or of objects if it holds objects; never masked, complex or text."""
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array; fill it first, {name}.filled(0.0), or leave the masked samples out")
    try:
        found = np.asarray(x)
    except ValueError as error:
        raise ValueError(f"{name} is not an array: {error}") from None
    except (TypeError, RuntimeError) as error:  # a tensor that needs .detach(), is elsewhere, or of numbers that NumPy lacks
        raise TypeError(f"{name} is a {type(x).__name__} that NumPy does not take: {error}") from None
    if found.dtype.kind not in "biufO":
        raise TypeError(f"{name} holds {found.dtype}, not real numbers")
    if found.ndim not in ndim:
        expected = " or ".join(map(str, ndim))
        raise ValueError(f"{name} has shape {found.shape}, expected {expected} dimensions{kind_of(x)}")
    if not found.dtype.hasobject:
        return found.astype(np.float64, copy=False)
    for entry in found.flat:
        if isinstance(entry, NO_NUMBERS) or not (hasattr(entry, "__sub__") and hasattr(entry, "__mul__")):
            raise TypeError(f"{name} holds {entry!r:.40}, not real numbers")
    return found if any(not isinstance(entry, int | float) for entry in found.flat) else found.astype(np.float64)


def floats(a: Array, name: str) -> Array:
    """The array as float64. `TypeError` for objects that are more than a number, such as symbols and Values."""
    for entry in a.flat if a.dtype.hasobject else ():
        if not isinstance(entry, Real):
            raise TypeError(f"{name} holds {entry!r:.40} beside arrays of floats; give numbers")
    return a.astype(np.float64, copy=False)


def kind_of(x: Any) -> str:
    """The end of a message on a shape: what `x` is, where NumPy makes no array of it at all."""
    return "" if np.ndim(x) or isinstance(x, int | float | np.generic | np.ndarray) else f"; it is a {type(x).__name__}"


def check_finite(a: Array, name: str) -> None:
    """`ValueError` for an array that holds nan or an infinity."""
    if not np.isfinite(a).all():
        raise ValueError(f"{name} holds {a[~np.isfinite(a)][0]}; give finite numbers")


def shape_of(x: Any, name: str) -> tuple[int, ...]:
    """The shape of nested sequences. Raises `ValueError`, with the name, if their lengths differ.

    >>> shape_of([[1, 2], [3, 4], [5, 6]], "X")
    (3, 2)
    """
    try:
        return np.shape(x)
    except ValueError:
        raise ValueError(f"{name} has rows of different lengths; give one number for each input in every row") from None


def sequence(x: Any, name: str, example: str) -> list[Any]:
    """`x` as a list. `TypeError`, with the example of what is expected, for text, a number, or anything without an order.

    >>> sequence((3, 4), "sizes", "[3, 4, 1]")
    [3, 4]
    """
    ordered = hasattr(x, "__len__") and hasattr(x, "__getitem__") and not isinstance(x, str | bytes | dict)
    if not ordered or getattr(x, "ndim", 1) == 0:
        raise TypeError(f"{name}={x!r:.60} is a {type(x).__name__}; give a list, for example {example}")
    return list(x)


def whole(name: str, x: Any, least: int) -> int:
    """`x` as an int. `ValueError` for anything but a whole number from `least` up.

    >>> whole("steps", np.int64(3), 0)
    3
    """
    if isinstance(x, bool) or not isinstance(x, int | np.integer) or x < least:
        raise ValueError(f"{name}={x!r:.80} has to be a whole number from {least} up")
    return int(x)
