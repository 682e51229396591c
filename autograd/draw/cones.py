"""Which part of a graph belongs together: a result with all that is computed for it alone.

In logic synthesis such a part is a maximum fanout-free cone (Cong & Ding, FlowMap, IEEE TCAD 13(1), 1994). A neuron with its
weights is one; its inputs are not in it, for other neurons read them too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from autograd.value import Value

_INDEXED = re.compile(r"(.*[^\s\[])\[[^\[\]]+\]", re.DOTALL)


def stem(label: str) -> str:
    """A label without the indices at its end; empty if it has none.

    >>> stem("W1[0,2]"), stem("w")
    ('W1', '')
    """
    found = _INDEXED.fullmatch(label)
    return found[1] if found else ""


def cones(order: Sequence[Value]) -> dict[Value, list[Value]]:
    """By root, the nodes of each cone in their order. Roots: what several nodes read, what nothing reads, labelled results.

    >>> x = Value(2.0, "x")
    >>> a = x.sin()
    >>> [[node.operation.name for node in cone] for cone in cones([x, a, a * x]).values()]
    [['leaf'], ['sin', 'mul']]
    """
    consumer: dict[Value, Value | None] = {}  # the only one, or None
    for node in order:
        for parent in dict.fromkeys(node.parents):
            consumer[parent] = None if parent in consumer else node
    root: dict[Value, Value] = {}
    for node in reversed(order):
        only = consumer.get(node)
        root[node] = node if only is None or (node.label and node.left is not None) else root[only]
    return gathered((root[node], node) for node in order)


def gathered(pairs: Iterable[tuple[Value, Value]]) -> dict[Value, list[Value]]:
    """The second of each pair, listed by the first."""
    found: dict[Value, list[Value]] = {}
    for key, node in pairs:
        found.setdefault(key, []).append(node)
    return found
