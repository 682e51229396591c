"""Numbers in lists, tuples, dictionaries and NumPy arrays: taken apart into one list, and put together again.

What the transforms take and return; JAX calls them pytrees. NumPy is imported only where there is an array.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from itertools import islice
from math import prod
from typing import Any, NamedTuple


class Structure(NamedTuple):
    """How numbers were arranged: in a `kind` of container (None for a number), with the `keys` of a dictionary.

    An array has its shape as `keys`, and no parts.
    """

    kind: Any
    keys: tuple[Any, ...]
    parts: tuple[Structure, ...]

    def filled(self, make: Callable[[tuple[int, ...] | None], Any]) -> Any:
        """The same containers around what `make` gives for each number, called with None, and for each array's shape."""
        if self.kind is None:
            return make(None)
        if self.kind is ARRAY:
            return make(self.keys)
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
NUMBER = Structure(None, (), ())


def is_array(x: object) -> bool:
    """Whether it is an array of NumPy."""
    numpy: Any = sys.modules.get("numpy")  # nobody has an array who has not imported it
    return numpy is not None and isinstance(x, numpy.ndarray)


def flatten(tree: Any) -> tuple[list[Any], Structure]:
    """The numbers in order, and how they were arranged; what is no container counts as a number.

    >>> numbers, structure = flatten({"w": [1.0, 2.0], "b": 3.0})
    >>> numbers, unflatten(structure, [10, 20, 30])
    ([1.0, 2.0, 3.0], {'w': [10, 20], 'b': 30})
    """
    numbers: list[Any] = []
    return numbers, _collected(tree, numbers)


def _collected(tree: Any, numbers: list[Any]) -> Structure:
    """The structure of a tree, whose numbers are added to the list."""
    if isinstance(tree, dict):
        return Structure(dict, tuple(tree), tuple(_collected(part, numbers) for part in tree.values()))
    if isinstance(tree, list | tuple):
        return Structure(type(tree), (), tuple(_collected(part, numbers) for part in tree))
    if is_array(tree):
        numbers += tree.ravel().tolist()
        return Structure(ARRAY, tree.shape, ())
    numbers.append(tree)
    return NUMBER


def flatten_as(tree: Any, structure: Structure, where: str) -> list[Any]:
    """The numbers of a tree that has to be arranged in this way; keys may come in any order. Raises `TypeError`.

    >>> flatten_as({"b": 1.0, "a": 2.0}, flatten({"a": 0.0, "b": 0.0})[1], "tangents")
    [2.0, 1.0]
    """
    if structure.kind is dict and isinstance(tree, dict) and tree.keys() == set(structure.keys):
        pairs = zip(structure.keys, structure.parts, strict=True)
        return [x for key, part in pairs for x in flatten_as(tree[key], part, f"{where}[{key!r}]")]
    numbers, found = flatten(tree)
    if found.kind is structure.kind is not dict and structure.parts and len(found.parts) == len(structure.parts):
        pairs = zip(tree, structure.parts, strict=True)
        return [x for i, (part, want) in enumerate(pairs) for x in flatten_as(part, want, f"{where}[{i}]")]
    if found != structure:
        raise TypeError(f"{where} is {found}, where {structure} is needed: {tree!r:.80}")
    return numbers


def unflatten(structure: Structure, numbers: Iterable[Any]) -> Any:
    """The numbers arranged like this. Arrays are of floats where all their numbers are, and else of objects."""
    rest = iter(numbers)
    return structure.filled(lambda shape: next(rest) if shape is None else array(list(islice(rest, prod(shape))), shape))


def array(entries: list[Any], shape: tuple[int, ...]) -> Any:
    """The entries as an array of floats; of objects where they are Values, Fractions or dual numbers.

    >>> array([1.0, 2.0], (2, 1)).tolist()
    [[1.0], [2.0]]
    """
    import numpy as np

    found = np.empty(len(entries), dtype=float if all(isinstance(x, float) for x in entries) else object)
    found[:] = entries
    return found.reshape(shape)
