"""Gradients as a function of the graph: `grad`, which leaves `.grad` alone, and `zero_grad`.

With `create_graph=True` the sweep runs on Values instead of numbers and so records itself; its gradients can be
differentiated again, to any order, by the same rules. Each order costs a graph several times larger.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autograd.fast import swept
from autograd.functions import RECORDING
from autograd.graph import images, topological_order
from autograd.operations import CONSTANT
from autograd.recording import check_current, leaf
from autograd.sweep import NOTHING, adjoints, gradients, guarded_adjoints
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
        check_current(order)
        image = images(order, {node: node for node in order})
        kind, one = type(output), type(output.data)
        seed, missing = leaf(kind, one(1), CONSTANT), leaf(kind, one(), CONSTANT)
        found = _recorded(image, output, seed, wanted)
        if any(map(_is_nan, found.values())) and any(node.operation.selects for node in order):
            found = _recorded(image, output, seed, wanted, guarded_adjoints)
        found = {node: slope if isinstance(slope, Value) else missing for node, slope in found.items()}
    else:
        found, missing = _numeric(output, wanted), type(output.data)()
    results = [found.get(node, missing) for node in wanted]
    return results[0] if isinstance(inputs, Value) else results


def _is_nan(slope: Any) -> bool:
    return isinstance(slope, Value) and slope.data != slope.data  # which nan alone does


def _recorded(image: Any, output: Value, seed: Value, wanted: list[Value], sweep: Any = adjoints) -> dict[Value, Any]:
    """The same as Values, by a sweep that is recorded."""
    by_image = sweep(image[output], seed, NOTHING, RECORDING)
    return {node: by_image[image[node]] for node in wanted if node in image}


def _numeric(output: Value, wanted: list[Value]) -> dict[Value, Any]:
    """The derivative by each of the wanted nodes that is in the graph."""
    if any(node.operation is CONSTANT for node in wanted):
        return gradients(output)
    found = swept(output, lambda _results, _leaves: {n: n._adjoint for n in wanted if n._mark is output._mark})
    return gradients(output) if found is None else found


def zero_grad(parameters: Iterable[Value]) -> None:
    """Set `.grad` of each Value to zero, before the next backward pass accumulates into it.

    Raises `TypeError`, and changes nothing, if one of them is not a Value.

    >>> x = Value(2.0)
    >>> (x * x).backward(); zero_grad([x]); x.grad
    0.0
    """
    for value in values(parameters, "zero_grad: values"):
        value.grad = type(value.data)()
