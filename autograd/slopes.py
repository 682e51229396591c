"""Derivatives by chosen nodes of a recorded graph: as numbers, or recorded as a graph that can be differentiated again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from autograd.fast import swept
from autograd.functions import RECORDING
from autograd.graph import Image, topological_order
from autograd.operands import Number
from autograd.operations import CONSTANT
from autograd.recording import check_current, leaf
from autograd.sweep import NOTHING, adjoints, gradients, guarded_adjoints
from autograd.value import Value


def slopes(output: Value, inputs: Sequence[Value]) -> list[Number]:
    """d output / d input for each input: numbers of the output's kind.

    >>> x, y = Value(3.0), Value(5.0)
    >>> slopes(x * y, [x, y])
    [5.0, 3.0]
    """
    return slopes_and_leaves(output, inputs)[0]


def slopes_and_leaves(output: Value, inputs: Sequence[Value]) -> tuple[list[Number], Collection[Value]]:
    """The slopes, and nodes of the graph among which all its leaves are."""

    def take(_results: list[Value], leaves: list[Value]) -> tuple[list[Number], Collection[Value]]:
        return [node._adjoint if node._mark is output._mark else 0.0 for node in inputs], leaves

    if not any(node.operation is CONSTANT for node in inputs):
        found = swept(output, take)
        if found is not None:
            return found
    by_node, missing = gradients(output), type(output.data)()
    return [by_node.get(node, missing) for node in inputs], by_node.keys()


def recorded_slopes(output: Value, inputs: Sequence[Value]) -> list[Value]:
    """The same as Values, by a sweep that records itself; only what depends on the inputs is swept.

    Raises `ValueError` where a number of the graph was changed by hand after it was recorded.

    >>> x = Value(2.0)
    >>> [first] = recorded_slopes(x**3, [x])
    >>> first.data, slopes(first, [x])
    (12.0, [12.0])
    """
    order = topological_order(output)
    check_current(order)
    image = dependents(order, inputs)
    missing = leaf(type(output), type(output.data)(), CONSTANT)
    if output not in image:
        return [missing for _ in inputs]
    return [missing if slope is NOTHING else slope for slope in recorded_sweep(image, output, inputs)]


def recorded_sweep(image: Mapping[Value, Image], output: Value, inputs: Iterable[Value]) -> list[Any]:
    """What a recorded sweep of images of the output's graph sends to the inputs: Values, or NOTHING."""
    for sweep in (adjoints, guarded_adjoints):
        by_image = sweep(image[output], one(output), NOTHING, RECORDING)
        found = [by_image.get(image.get(node), NOTHING) for node in inputs]
        if not (any(map(_is_nan, found)) and any(node.operation.selects for node in image)):
            break
    return found


def _is_nan(slope: Any) -> bool:
    return isinstance(slope, Value) and slope.data != slope.data  # which nan alone does


def one(output: Value) -> Value:
    """The seed of a sweep that is recorded."""
    seed: Value = leaf(type(output), type(output.data)(1), CONSTANT)
    return seed


def dependents(
    order: Iterable[Value], inputs: Iterable[Value], *, apart: bool = False, numbers: bool = False
) -> dict[Value, Image]:
    """The nodes that depend on the inputs, as a graph of them that ends where nothing depends on the inputs.

    `apart` counts each input as independent of the others. An image holds its node, or with `numbers` the node's number.

    >>> x, y = Value(2.0), Value(3.0)
    >>> len(dependents(topological_order(x * y.exp()), [x]))
    2
    """
    wanted = set(inputs)
    found: dict[Value, Image] = {}

    def image(node: Value, *operands: Image) -> Image:
        return Image(node.data if numbers else node, node.operation, *operands)

    for node in order:
        if (apart and node in wanted) or not any(parent in found for parent in node.parents):
            if node in wanted:
                found[node] = image(node)
        else:
            operands = (found.get(parent) or image(parent) for parent in node.parents)
            found[node] = image(node, *operands)
    return found
