"""Derivatives of functions by name, under the conventions of JAX and HIPS autograd; `grad(f)` is here too.

Arguments and results are numbers, or lists, tuples, dictionaries and NumPy arrays of them. Numbers come out as numbers, but
as Values where an argument is a Value or `f` uses Values from outside: the derivative depends on those. So transforms nest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from math import factorial, prod
from typing import Any

from autograd.calls import Call, checked_function
from autograd.forward import jvp, scalar
from autograd.sweep import NOTHING
from autograd.trees import Structure, array, flatten_as, unflatten

Function = Callable[..., Any]
Argnums = int | Sequence[int]


def gradient(where: str, f: Function, argnums: Any) -> tuple[Function, Function]:
    """The function that returns the gradient, and the one that returns the value with it."""
    checked_function(where, f, argnums)

    def both(*arguments: Any, **named: Any) -> tuple[Any, Any]:
        call = Call(where, f, argnums, arguments, named)
        out = call.one_result()
        (row,) = call.rows([out])
        call.settle()
        return call.number(out), unflatten(call.structure, row)

    return lambda *arguments, **named: both(*arguments, **named)[1], both


def value_and_grad(f: Function, argnums: Argnums = 0) -> Function:
    """The function that returns (f(*arguments), its gradient), from one sweep.

    >>> value_and_grad(lambda x, y: x * y, argnums=(0, 1))(3.0, 5.0)
    (15.0, (5.0, 3.0))
    """
    return gradient("value_and_grad", f, argnums)[1]


def vjp(f: Function, *primals: Any) -> tuple[Any, Function]:
    """(f(*primals), pullback): `pullback(cotangent)` is the cotangent times the Jacobian, a tuple with one entry an argument.

    The cotangent is arranged like the value; each pullback is one sweep, whatever the number of outputs.

    >>> value, pullback = vjp(lambda x, y: [x * y, x + y], 3.0, 5.0)
    >>> value, pullback([1.0, 0.0]), pullback([0.0, 1.0])
    ([15.0, 8.0], (5.0, 3.0), (1.0, 1.0))
    """
    checked_function("vjp", f, 0)
    call = Call("vjp", f, tuple(range(len(primals))), primals, {})
    outputs, structure = call.outputs()
    call.look(outputs)
    call.settle()

    def pullback(cotangent: Any) -> Any:
        weights = flatten_as(cotangent, structure, "vjp: the cotangent")
        total: Any = NOTHING
        for out, weight in zip(outputs, weights, strict=True):
            total = total + out * scalar(weight, "vjp: the cotangent", out)
        return unflatten(call.structure, call.rows([total])[0])

    return unflatten(structure, map(call.number, outputs)), pullback


def jacobian(f: Function, argnums: Argnums = 0, mode: str = "auto") -> Function:
    """The function that computes the derivative of every output by every input.

    It is arranged as in JAX: like the outputs, with an arrangement like the inputs in place of each; of arrays it is one
    array of shape `outputs.shape + inputs.shape`. `f` is called once. "forward" then takes a run over its graph for each
    input, "reverse" a sweep for each output, "auto" what is fewer. Raises `ValueError` for another mode.

    >>> jacobian(lambda v: [v[0] * v[1], v[0] + 2, v[1]])([3.0, 5.0])
    [[5.0, 3.0], [1.0, 0.0], [0.0, 1.0]]
    """
    checked_function("jacobian", f, argnums)
    if mode not in ("auto", "forward", "reverse"):
        raise ValueError(f"jacobian: mode is {mode!r:.60}; give 'auto', 'forward' or 'reverse'")

    def jacobian_of(*arguments: Any, **named: Any) -> Any:
        call = Call("jacobian", f, argnums, arguments, named)
        outputs, structure = call.outputs()
        chosen = mode if mode != "auto" else "forward" if len(call.leaves) < len(outputs) else "reverse"
        rows = call.rows(outputs, chosen)
        call.settle()
        return _arranged(structure, call.structure, rows)

    return jacobian_of


def _arranged(outer: Structure, inner: Structure, rows: Iterable[Sequence[Any]]) -> Any:
    """A matrix as the Jacobian of outputs and inputs that are arranged like this."""
    rest = iter(rows)

    def block(above: tuple[int, ...] | None) -> Any:
        mine = [iter(row) for row in islice(rest, prod(above or ()))]

        def entry(below: tuple[int, ...] | None) -> Any:
            entries = [x for row in mine for x in islice(row, prod(below or ()))]
            return entries[0] if above is below is None else array(entries, (above or ()) + (below or ()))

        return inner.filled(entry)

    return outer.filled(block)


def hessian(f: Function, argnums: Argnums = 0) -> Function:
    """The function that computes the second derivatives: forward over reverse, one run over the gradient's graph an input.

    Arranged like a Jacobian of the gradient: of an array it has the shape `inputs.shape + inputs.shape`.

    >>> hessian(lambda v: v[0] ** 2 * v[1])([3.0, 5.0])
    [[10.0, 6.0], [6.0, 0.0]]
    """
    return jacobian(gradient("grad", f, argnums)[0], argnums, mode="forward")


def hvp(f: Function) -> Function:
    """The function of (x, v) that computes the Hessian of `f` at `x` times `v`, arranged like `x`, without the Hessian.

    It is a jvp of the gradient, a few times the work of one gradient for any number of inputs.

    >>> hvp(lambda v: v[0] ** 2 * v[1])([3.0, 5.0], [1.0, 10.0])
    [70.0, 6.0]
    """
    slope = gradient("grad", f, 0)[0]
    return lambda x, v: jvp(slope, (x,), (v,))[1]


def derivative(f: Function, order: int = 1) -> Function:
    """The function that computes the derivative of that order of a function of one number, by nested dual numbers.

    The cost grows like 3**order: orders up to ten or so. Raises `ValueError` for an order that is not 0, 1, 2, ...

    >>> derivative(lambda x: x**5, order=3)(2.0)
    240.0
    """
    return lambda x: _derivatives("derivative", f, x, order)[-1]


def taylor(f: Function, x: Any, order: int) -> list[Any]:
    """The coefficients of the Taylor series of `f` at `x`: f(x), f'(x), f''(x) / 2, ..., up to that order.

    Exact for Fractions. The cost is that of `derivative`.

    >>> from autograd import exp
    >>> taylor(exp, 0.0, 4)[2:] == [1 / 2, 1 / 6, 1 / 24]
    True
    """
    return [slope / factorial(n) for n, slope in enumerate(_derivatives("taylor", f, x, order))]


def _derivatives(where: str, f: Function, x: Any, order: int) -> list[Any]:
    """f(x) and its derivatives up to that order, from one run of nested jvps."""
    if not isinstance(order, int) or order < 0:
        raise ValueError(f"{where}: order is {order!r:.60}; give 0, 1, 2, ...")

    def up_to(n: int, x: Any) -> list[Any]:
        if not n:
            return [scalar(f(x), f"{where}: what f returned; for several outputs use jacobian")]
        found, rates = jvp(lambda y: up_to(n - 1, y), (x,), (1,))
        return [*found, rates[-1]]

    return up_to(order, scalar(x, f"{where}: x"))
