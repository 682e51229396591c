"""The chain rule forwards: `jvp` beside every number of a running function, `tangents` along a graph that is recorded.

The rule itself is `chained`, in `duals`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from autograd.duals import Dual, chained, new_level, parted, scalar, zero
from autograd.functions import RECORDING
from autograd.graph import topological_order
from autograd.operations import CONSTANT, FLOATS
from autograd.recording import check_current, leaf, recorded_numbers
from autograd.sweep import NOTHING
from autograd.trees import flatten, flatten_as, unflatten
from autograd.value import Value


def jvp(f: Callable[..., Any], primals: Any, tangents: Any) -> tuple[Any, Any]:
    """(value, tangent): f(*primals), and how fast it changes when the primals change at the rate of the tangents.

    This is the Jacobian times a vector, by dual numbers: nothing is recorded, so a long run takes no more memory than `f`.
    For several directions at one point, record a graph and call `tangents`, which takes a third of the time.
    `primals` and `tangents` are lists or tuples, one entry for each argument of `f`; an entry is a number, or lists,
    tuples, dictionaries and arrays of numbers, and the tangent is arranged like the primal. `f` returns any of these.
    Fractions stay exact; Values and other calls of jvp may be inside and outside. Raises `TypeError` for anything else.

    >>> jvp(lambda x, y: x * y, (3.0, 5.0), (1.0, 0.0))
    (15.0, 5.0)
    >>> jvp(lambda v: {"sum": v[0] + v[1], "product": v[0] * v[1]}, ([3.0, 5.0],), ([1.0, 10.0],))
    ({'sum': 8.0, 'product': 15.0}, {'sum': 11.0, 'product': 35.0})
    """
    for name, found in (("primals", primals), ("tangents", tangents)):
        if not isinstance(found, list | tuple):
            raise TypeError(f"jvp: {name} is {found!r:.80} of type {type(found).__name__}; give a tuple, ({found!r:.20},)")
    numbers, structure = flatten(tuple(primals))
    slopes = flatten_as(tuple(tangents), structure, "jvp: tangents")
    level = new_level()
    duals = [
        Dual(level, scalar(x, "jvp: primals"), scalar(slope, "jvp: tangents", x))
        for x, slope in zip(numbers, slopes, strict=True)
    ]
    outputs, arranged = flatten(f(*unflatten(structure, duals)))
    pairs = [parted(scalar(out, "jvp: f returned something else than numbers"), level) for out in outputs]
    changes = [zero(out) if slope is NOTHING else slope for out, slope in pairs]
    return unflatten(arranged, [out for out, _ in pairs]), unflatten(arranged, changes)


def tangents(output: Value, seeds: Mapping[Value, Any], create_graph: bool = False) -> dict[Value, Any]:
    """How fast each node of the graph changes when those in `seeds` change at these rates: a dictionary by node.

    One run forward over the recorded graph, about as long as a sweep. A seed of a node that has operands adds to what
    comes from them. Numbers as `grad` gives them, Values with `create_graph=True`. Nothing is written into the graph.
    Raises `TypeError` for anything that is not a Value, or a seed that is not a number.

    >>> x, y = Value(3.0, "x"), Value(5.0, "y")
    >>> z = x * y + x
    >>> rates = tangents(z, {x: 1.0})
    >>> rates[z], rates[x], rates[y]
    (6.0, 1.0, 0.0)
    """
    if not isinstance(output, Value):
        raise TypeError(f"tangents: output is {output!r:.80} of type {type(output).__name__}; give a Value")
    if not isinstance(seeds, Mapping):
        raise TypeError(f"tangents: seeds is {seeds!r:.80} of type {type(seeds).__name__}; give a dictionary, {{x: 1.0}}")
    start: dict[Value, Any] = {}
    for node, seed in seeds.items():
        if not isinstance(node, Value):
            raise TypeError(f"tangents: the key {node!r:.80} of seeds is of type {type(node).__name__}; give Values")
        start[node] = scalar(seed, "tangents: seeds", node)
        if create_graph and not isinstance(start[node], Value):
            start[node] = leaf(type(node), start[node], CONSTANT)
        elif isinstance(start[node], Value) and not create_graph:
            raise TypeError(f"tangents: the seed {seed!r:.80} is a recorded number; use create_graph=True, or its .data")
    order = topological_order(output)
    found = pushed(order, start, create_graph)
    return {node: blank(node, create_graph) if (slope := found[node]) is NOTHING else slope for node in order}


def blank(node: Value, create_graph: bool) -> Any:
    """The derivative of what does not depend: a zero of the node's kind, as a constant where derivatives are recorded."""
    return leaf(type(node), zero(node), CONSTANT) if create_graph else zero(node)


def pushed(order: Iterable[Value], seeds: Mapping[Value, Any], create_graph: bool) -> dict[Value, Any]:
    """The tangent of every node in an order of operands first; NOTHING where no seed leads to it.

    >>> x = Value(3.0)
    >>> [pushed(topological_order(x * x + 1), {x: 1.0}, create_graph=False)[x]]
    [1.0]
    """
    m, order = RECORDING if create_graph else FLOATS, list(order)
    numbers: Mapping[Value, Any] = dict(zip(order, order, strict=True)) if create_graph else recorded_numbers(order)
    if create_graph:
        check_current(order)
    tangent: dict[Value, Any] = {}
    for node in order:
        slopes = [tangent[parent] for parent in node.parents]
        total = seeds.get(node, NOTHING)
        if any(slope is not NOTHING for slope in slopes):
            partials = node.operation.partials(m, numbers[node], *(numbers[parent] for parent in node.parents))
            through = chained(m, node.operation, partials, slopes)
            total = through if total is NOTHING else total if through is NOTHING else total + through
        tangent[node] = total
    return tangent
