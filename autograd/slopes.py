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
from autograd.sweep import NOTHING, adjoints, gradients
from autograd.value import Value


def one_value(found: Any, where: str) -> Value:
    """`found` as it is; `TypeError` for anything that is not a Value."""
    if not isinstance(found, Value):
        raise TypeError(f"{where} is {found!r:.80} of type {type(found).__name__}; give a Value")
    return found


def values(found: Any, where: str) -> list[Value]:
    """The list of them, also of a single Value; `TypeError` for anything that is not a Value."""
    if isinstance(found, Value):
        return [found]
    if not isinstance(found, Iterable):
        raise TypeError(f"{where} is {found!r:.80} of type {type(found).__name__}; give Values")
    result = list(found)
    for position, value in enumerate(result):
        if not isinstance(value, Value):
            raise TypeError(f"{where}[{position}] is {value!r:.80} of type {type(value).__name__}; give Values (array.flat)")
    return result


def slopes_and_leaves(output: Value, inputs: Sequence[Value]) -> tuple[list[Number], Collection[Value]]:
    """d output / d input for each input, of the output's kind; and nodes of the graph among which all its leaves are."""

    def take(_results: list[Value], leaves: list[Value]) -> tuple[list[Number], Collection[Value]]:
        return [node._adjoint if node._mark is output._mark else 0.0 for node in inputs], leaves

    if not any(node.operation is CONSTANT for node in inputs):
        found = swept(output, take)
        if found is not None:
            return found
    by_node, missing = gradients(output), type(output.data)()
    return [by_node.get(node, missing) for node in inputs], by_node.keys()


def recorded_slopes(output: Value, inputs: Sequence[Value]) -> list[Value]:
    """The same as Values, by a sweep that records itself; only what depends on the inputs is swept."""
    order = topological_order(output)
    check_current(order)
    image, missing = dependents(order, inputs), constant(output, 0)
    if output not in image:
        return [missing for _ in inputs]
    return [missing if slope is NOTHING else slope for slope in recorded_sweep(image, output, inputs)]


def recorded_sweep(image: Mapping[Value, Image], output: Value, inputs: Iterable[Value]) -> list[Any]:
    """What a recorded sweep of images of the output's graph sends to the inputs: Values, or NOTHING."""
    for guarded in (False, True):
        by_image = adjoints(image[output], constant(output, 1), NOTHING, RECORDING, guarded=guarded)
        found = [by_image.get(image.get(node), NOTHING) for node in inputs]
        has_nan = any(isinstance(slope, Value) and slope.data != slope.data for slope in found)
        if not (has_nan and any(node.operation.selects for node in image)):
            break
    return found


def constant(node: Value, x: int) -> Value:
    """A whole number as a constant beside the node: the seed of a sweep that is recorded, or a slope of zero."""
    return leaf(type(node), type(node.data)(x), CONSTANT)  # type: ignore[no-any-return]  # made of the type


def dependents(
    order: Iterable[Value], inputs: Iterable[Value], *, apart: bool = False, numbers: bool = False
) -> dict[Value, Image]:
    """The nodes that depend on the inputs, as a graph of them that ends where nothing depends on the inputs."""
    wanted, found = set(inputs), dict[Value, Image]()

    def image(node: Value, *operands: Image) -> Image:
        return Image(node.data if numbers else node, node.operation, *operands)

    for node in order:
        if (apart and node in wanted) or not any(parent in found for parent in node.parents):
            if node in wanted:
                found[node] = image(node)
        else:
            found[node] = image(node, *(found.get(parent) or image(parent) for parent in node.parents))
    return found
