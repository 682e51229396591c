"""Gradients: `grad` of a recorded graph or of a function, which leaves `.grad` alone, and `zero_grad`.

What is done with functions is in `functional`, which is imported when it is first needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, overload

from autograd.slopes import one_value, recorded_slopes, slopes_and_leaves, values
from autograd.value import Value

Function = Callable[..., Any]
Argnums = int | Sequence[int]


@overload
def grad(output: Value, inputs: Value, create_graph: Literal[False] = False) -> float: ...
@overload
def grad(output: Value, inputs: Iterable[Value], create_graph: Literal[False] = False) -> list[float]: ...
@overload
def grad(output: Value, inputs: Value, create_graph: Literal[True]) -> Value: ...
@overload
def grad(output: Value, inputs: Iterable[Value], create_graph: Literal[True]) -> list[Value]: ...
@overload
def grad(output: Value, inputs: Value | Iterable[Value], create_graph: bool) -> Any: ...
@overload
def grad(output: Function, inputs: Argnums = 0, /) -> Function: ...
@overload
def grad(output: Function, /, *, argnums: Argnums) -> Function: ...
def grad(output: Any, inputs: Any = 0, create_graph: bool = False, *, argnums: Any = None) -> Any:
    """The gradient of a graph, d output / d input for each input, or with a function `f` the function that computes it.

    Of a graph: a number for each input, or a Value with `create_graph=True`, which can be differentiated again. One input
    gives one result, several give a list. An input on which the output does not depend gets 0. No `.grad` is read or
    written. Of a function: `grad(f)(*arguments)` is the derivative by the argument `argnums`, arranged like it; a tuple
    of positions gives a tuple. Raises `TypeError` for anything else.

    >>> x = Value(2.0)
    >>> first = grad(x**3, x, create_graph=True)
    >>> first.data, grad(first, x)
    (12.0, 12.0)
    >>> grad(lambda v: v["a"] * v["b"][0])({"a": 2.0, "b": [3.0, 4.0]})
    {'a': 3.0, 'b': [2.0, 0.0]}
    >>> grad(grad(lambda x: x**3))(2.0)
    12.0
    """
    if callable(output):
        from autograd.functional import gradient  # here: it takes as long to import as half of the engine

        return gradient("grad", output, inputs if argnums is None else argnums)[0]
    output = one_value(output, "grad: output")
    wanted = values(inputs, "grad: inputs")
    found: Sequence[Any] = recorded_slopes(output, wanted) if create_graph else slopes_and_leaves(output, wanted)[0]
    return found[0] if isinstance(inputs, Value) else found


def zero_grad(parameters: Iterable[Value]) -> None:
    """Set `.grad` of each Value to zero, before the next backward pass accumulates into it.

    Raises `TypeError`, and changes nothing, if one of them is not a Value.

    >>> x = Value(2.0)
    >>> (x * x).backward(); zero_grad([x]); x.grad
    0.0
    """
    for value in values(parameters, "zero_grad: values"):
        value.grad = type(value.data)()
