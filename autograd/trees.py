"""Numbers in lists, tuples, dictionaries and NumPy arrays (JAX calls them pytrees): taken apart, and put together again."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from itertools import islice
from math import prod
from typing import Any, NamedTuple


class Structure(NamedTuple):
    """How numbers were arranged: a `kind` of container with the `keys` of its parts; an array has its shape as `keys`."""

    kind: Any  # None for a number
    keys: tuple[Any, ...]
    parts: tuple[Structure, ...]

    def filled(self, make: Callable[[tuple[int, ...] | None], Any]) -> Any:
        """The same containers around what `make` gives for each number, called with None, and for each array's shape."""
        if self.kind is None or self.kind is ARRAY:
            return make(self.keys if self.kind is ARRAY else None)
        parts = [part.filled(make) for part in self.parts]
        if self.kind is dict:
            return dict(zip(self.keys, parts, strict=True))
        return self.kind(*parts) if hasattr(self.kind, "_fields") else self.kind(parts)

    def __str__(self) -> str:
        if self.kind is None:
            return "a number"
        if self.kind is ARRAY:
            return f"an array of shape {self.keys}"
        return f"a {self.kind.__name__} with {list(self.keys) if self.kind is dict else len(self.parts)}"


ARRAY = "array"


def is_array(x: object) -> bool:
    """Whether it is an array of NumPy."""
    numpy: Any = sys.modules.get("numpy")  # nobody has an array who has not imported it
    return numpy is not None and isinstance(x, numpy.ndarray)


def flatten(tree: Any) -> tuple[list[Any], Structure]:
    """The numbers in order, and how they were arranged; what is no container counts as a number."""
    numbers: list[Any] = []
    return numbers, _collected(tree, numbers)


def _collected(tree: Any, numbers: list[Any]) -> Structure:
    """The structure of a tree, whose numbers are added to the list."""
    if isinstance(tree, dict | list | tuple):
        keys = tuple(tree if isinstance(tree, dict) else range(len(tree)))
        return Structure(
            dict if isinstance(tree, dict) else type(tree), keys, tuple(_collected(tree[k], numbers) for k in keys)
        )
    if is_array(tree):
        numbers += tree.ravel().tolist()
        return Structure(ARRAY, tree.shape, ())
    numbers.append(tree)
    return Structure(None, (), ())


def flatten_as(tree: Any, structure: Structure, where: str) -> list[Any]:
    """The numbers of a tree that has to be arranged in this way; keys may come in any order. Raises `TypeError`."""
    numbers, found = flatten(tree)
    if found.parts and found.kind is structure.kind and {*found.keys} == {*structure.keys}:
        pairs = zip(structure.keys, structure.parts, strict=True)
        return [x for key, part in pairs for x in flatten_as(tree[key], part, f"{where}[{key!r}]")]
    if found != structure:
        raise TypeError(f"{where} is {found}, where {structure} is needed: {tree!r:.80}")
    return numbers


def unflatten(structure: Structure, numbers: Iterable[Any]) -> Any:
    """The numbers arranged like this."""
    rest = iter(numbers)
    return structure.filled(lambda shape: next(rest) if shape is None else array(list(islice(rest, prod(shape))), shape))


def array(entries: list[Any], shape: tuple[int, ...]) -> Any:
    """The entries as an array of floats; of objects where they are Values, Fractions or dual numbers."""
    import numpy as np

    found = np.empty(len(entries), dtype=float if all(isinstance(x, float) for x in entries) else object)
    found[:] = entries
    return found.reshape(shape)
