"""Gradients as a function of the graph: `grad`, which leaves `.grad` alone, and `zero_grad`.

With `create_graph=True` the sweep runs on Values instead of numbers and so records itself; its gradients can be
differentiated again, to any order, by the same rules. The trade-off: each order costs a graph several times larger.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autograd.functions import RECORDING
from autograd.graph import images, topological_order
from autograd.operations import CONSTANT, FLOATS
from autograd.sweep import NOTHING, adjoints, guarded_adjoints
from autograd.value import Value, lift


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


def grad(output: Value, inputs: Value | Iterable[Value], create_graph: bool = False) -> Any:
    """d output / d input for each input: a number each, or a Value each with `create_graph=True`.

    One input gives one result, several give a list. An input on which the output does not depend gets 0. No `.grad` is
    read or written. Raises `TypeError` for anything that is not a Value.

    >>> x = Value(2.0)
    >>> first = grad(x**3, x, create_graph=True)
    >>> first.data, grad(first, x)
    (12.0, 12.0)
    """
    output = one_value(output, "grad: output")
    wanted = values(inputs, "grad: inputs")
    if create_graph:
        order = topological_order(output)
        image = images(order, {node: node for node in order})
        seed, missing = lift(1, output, CONSTANT), lift(0, output, CONSTANT)
        found: dict[Value, Any] = {}
        for sweep in (adjoints, guarded_adjoints):
            by_image = sweep(image[output], seed, NOTHING, RECORDING)
            found = {node: by_image[image[node]] for node in wanted if node in image}
            if not any(isinstance(slope, Value) and slope != slope for slope in found.values()):  # noqa: PLR0124  # nan
                break
            if not any(node.operation.selects for node in order):
                break
        found = {node: lift(slope, output, CONSTANT) for node, slope in found.items() if slope is not NOTHING}
    else:
        kind = type(output.data)
        found, missing = adjoints(output, kind(1), kind(), FLOATS), kind()
    results = [found.get(node, missing) for node in wanted]
    return results[0] if isinstance(inputs, Value) else results


def zero_grad(parameters: Iterable[Value]) -> None:
    """Set `.grad` of each Value to zero, before the next backward pass accumulates into it.

    Raises `TypeError`, and changes nothing, if one of them is not a Value.

    >>> x = Value(2.0)
    >>> (x * x).backward(); zero_grad([x]); x.grad
    0.0
    """
    for value in values(parameters, "zero_grad: values"):
        value.grad = type(value.data)()
