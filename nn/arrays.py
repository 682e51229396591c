"""What a user gives as an array: taken as one, or refused by name.

Anything that NumPy makes a real array of is welcome: lists, data frames, tensors, integers, objects such as Fractions or
Values. What would only seem to work is refused: masked arrays and text first of all.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

NO_NUMBERS = (str, bytes, complex, np.complexfloating, timedelta, np.timedelta64, np.ndarray)
FLOATS = (int, float, Decimal, np.integer, np.floating, np.bool_)  # kinds of numbers that become floats, in objects too


def array(x: Any, name: str, ndim: tuple[int, ...]) -> Array:
    """`x` as an array of float64, or of objects if it holds objects; never masked, complex or text."""
    try:
        found = _asked(np.asarray, x, name)
    except ValueError as error:
        ragged = "rows of different lengths; give one number for each column in every row"
        wrong = f"has {ragged}" if "inhomogeneous" in str(error) else f"is not an array of numbers: {error}"
        raise ValueError(f"{name} {wrong}") from None
    if found.dtype.kind not in "biufO":
        raise TypeError(f"{name} holds {'text' if found.dtype.kind in 'SU' else found.dtype}, not real numbers")
    if found.ndim not in ndim:
        expected = " or ".join(map(str, ndim))
        raise ValueError(f"{name} has shape {found.shape}, expected {expected} dimension{'s' * (ndim != (1,))}{kind_of(x)}")
    for entry in found.flat if found.dtype.hasobject else ():
        if isinstance(entry, NO_NUMBERS) or not (hasattr(entry, "__sub__") and hasattr(entry, "__mul__")):
            raise TypeError(f"{name} holds {entry!r:.40}, not real numbers")
    exact = found.dtype.hasobject and any(not isinstance(entry, FLOATS) for entry in found.flat)
    return found if exact else float64(found, name)


def _asked(ask: Callable[[Any], Any], x: Any, name: str) -> Any:
    """`ask(x)`, a function of NumPy. `TypeError`, with the name, where it would lose a mask, or takes no such thing."""
    if _masked(x):
        verb = "is" if isinstance(x, np.ma.MaskedArray) else "holds"
        raise TypeError(f"{name} {verb} a masked array; fill it first, {name}.filled(0.0), or leave the masked samples out")
    try:
        return ask(x)
    except (TypeError, RuntimeError) as error:  # a tensor that needs .detach(), is elsewhere, or of numbers that NumPy lacks
        raise TypeError(f"{name} is a {type(x).__name__} that NumPy does not take: {error}") from None


def _masked(x: Any, depth: int = 2) -> bool:
    """Whether it is a masked array, or a list with one in it: NumPy would take what is under the mask."""
    kinds = set(map(type, x)) if isinstance(x, list | tuple) else {type(x)}
    nested = depth > 0 and any(issubclass(kind, list | tuple) for kind in kinds)
    return any(issubclass(kind, np.ma.MaskedArray) for kind in kinds) or (nested and any(_masked(row, depth - 1) for row in x))


def float64(a: Array, name: str) -> Array:
    """The array as float64, itself if it is one. `ValueError` for a number that no float is near to."""
    try:
        with np.errstate(over="raise"):
            return a.astype(np.float64, copy=False)
    except (OverflowError, FloatingPointError):
        raise ValueError(f"{name} holds a number that is too large for a float, beyond 1.8e308; give smaller ones") from None


def floats(a: Array, name: str) -> Array:
    """The array as float64. `TypeError` for objects that are more than a number, such as symbols and Values."""
    for entry in a.flat if a.dtype.hasobject else ():
        if not isinstance(entry, Real):
            raise TypeError(f"{name} holds {entry!r:.40} beside arrays of floats; give numbers")
    return float64(a, name)


def objects(*arrays: Array) -> bool:
    """Whether any of them holds objects."""
    return any(a.dtype.hasobject for a in arrays)


def kind_of(x: Any) -> str:
    """The end of a message on a shape: what `x` is, where NumPy makes no array of it at all."""
    known = isinstance(x, list | tuple | int | float | np.generic | np.ndarray)
    return "" if known or np.ndim(x) else f"; it is a {type(x).__name__}"


def check_finite(a: Array, name: str) -> None:
    """`ValueError` for an array that holds nan or an infinity; Fractions, in arrays of objects, are finite."""
    if a.dtype.hasobject:
        a = np.array([x for x in a.flat if not isinstance(x, Fraction)], dtype=float)
    if not np.isfinite(a).all():
        raise ValueError(f"{name} holds {a[~np.isfinite(a)][0]}; give finite numbers")


def shape_of(x: Any, name: str) -> tuple[int, ...]:
    """The shape of nested sequences. Raises `ValueError`, with the name, if their lengths differ."""
    try:
        shape: tuple[int, ...] = _asked(np.shape, x, name)
    except ValueError:
        raise ValueError(f"{name} has rows of different lengths; give one number for each column in every row") from None
    return shape


def sequence(x: Any, name: str, example: str) -> list[Any]:
    """`x` as a list. `TypeError`, with the example of what is expected, for text, a number, or anything without an order."""
    ordered = hasattr(x, "__len__") and hasattr(x, "__getitem__") and not isinstance(x, str | bytes | dict)
    if not ordered or getattr(x, "ndim", 1) == 0:
        raise TypeError(f"{name}={x!r:.60} is a {type(x).__name__}; give a list, for example {example}")
    return list(x)


def whole(name: str, x: Any, least: int) -> int:
    """`x` as an int. `ValueError` for anything but a whole number from `least` up."""
    if isinstance(x, bool) or not isinstance(x, int | np.integer) or x < least:
        raise ValueError(f"{name}={x!r:.80} has to be a whole number from {least} up")
    return int(x)


def number(name: str, x: Any) -> float:
    """`x` as a float. `ValueError` for anything but a finite number."""
    found = math.nan
    if isinstance(x, int | float | np.integer | np.floating) and not isinstance(x, bool):
        with suppress(OverflowError):
            found = float(x)
    if not math.isfinite(found):
        raise ValueError(f"{name}={x!r:.80} has to be a finite number")
    return found


def generator(rng: Any) -> Any:
    """The random numbers of a seed, or those that were given. Raises what NumPy does, with the name."""
    if isinstance(rng, np.random.RandomState):
        return rng
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        raise type(error)(f"rng={rng!r:.60} is no seed: {error}; give a whole number, a NumPy generator, or None") from None


def layers(weights: Any, biases: Any, stacks: bool, copy: bool = True) -> tuple[list[Array], list[Array] | None]:
    """Weights (n_in, n_out) and biases (n_out,) of layers that fit together; with `stacks`, of R networks too."""
    W, b = _arrays(weights, "weights", (2, 3) if stacks else (2,), copy), None
    if not W:
        raise ValueError("weights: there are none; give one array of shape (n_in, n_out) per layer")
    stack = W[0].shape[:-2]
    for i, w in enumerate(W):
        expected = (*stack, W[i - 1].shape[-1] if i else w.shape[-2], w.shape[-1])
        if 0 in w.shape:
            raise ValueError(f"weights[{i}] has shape {w.shape}, expected one without zeros")
        if w.shape != expected:
            raise ValueError(f"weights[{i}] has shape {w.shape}; the layers before it need {expected}")
    if biases is not None:
        if len(given := sequence(biases, "biases", LISTS["biases"])) != len(W):
            raise ValueError(f"biases: got {len(given)} arrays, expected {len(W)}, one per layer")
        b = _arrays(given, "biases", (1, 2) if stacks else (1,), copy)
        for i, (bias, w) in enumerate(zip(b, W, strict=True)):
            if bias.shape != (*stack, w.shape[-1]):
                raise ValueError(f"biases[{i}] has shape {bias.shape}, expected {(*stack, w.shape[-1])}")
    return W, b


LISTS = {"weights": "[W1, W2], one array per layer", "biases": "[B1, B2], one array per layer"}


def _arrays(arrays: Any, name: str, ndim: tuple[int, ...], copy: bool) -> list[Array]:
    found = [array(a, f"{name}[{i}]", ndim) for i, a in enumerate(sequence(arrays, name, LISTS[name]))]
    return [a.copy() for a in found] if copy else [a if a.flags.writeable else a.copy() for a in found]


def transposed(m: Array) -> Array:
    """The matrix, or each of R matrices, with rows and columns exchanged."""
    return m.swapaxes(-1, -2)


def plain(x: Any) -> Any:
    """A NumPy scalar as the Python number that it is; anything else as it is."""
    return x.item() if isinstance(x, np.generic) else x
