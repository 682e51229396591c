"""The chain rule forwards: dual numbers beside every number of a running function, and tangents along a recorded graph.

Each jvp has a level; dual numbers of an inner one treat those of an outer one as constants. Values stand inside dual
numbers, never around them: a derivative of `a + e b` by a Value is that of `a` and of `b`. Sources: Griewank & Walther,
Evaluating Derivatives (2008), section 3.1; Siskind & Pearlmutter, Nesting Forward-Mode AD (2008), for the levels.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import partial
from itertools import count
from numbers import Integral, Real
from typing import Any

from autograd import floats
from autograd.functions import RECORDING
from autograd.graph import topological_order
from autograd.operands import LARGE, Number, checked, result, with_methods
from autograd.operations import CONSTANT, FLOATS, OPERATIONS, Arithmetic, Operation
from autograd.recording import check_current, computed, leaf, record, recorded_numbers
from autograd.slopes import constant, one_value
from autograd.sweep import NOTHING, ONE
from autograd.trees import flatten, flatten_as, unflatten
from autograd.value import Value

ZERO = 0  # the partial of what is not sent on: `0 * tangent` would be nan where the tangent is infinite
new_level = count(1).__next__  # of a new jvp: higher than that of every one before it


def chained(m: Any, row: Operation, partials: Iterable[Any], tangents: Iterable[Any]) -> Any:
    """The rule: the sum of partial * tangent over the operands, computed by `m`; what has NOTHING as tangent is left out."""
    total: Any = NOTHING
    for slope, tangent in zip(partials, tangents, strict=True):
        if tangent is not NOTHING and slope is not ZERO and not (row.selects and slope == 0):
            total = total + (tangent if slope is ONE else m.mul(tangent, slope))
    return total


def _method(row: Operation, reflected: bool) -> Callable[..., Any]:
    """The operation as a method of Dual; an array spreads over it by itself."""

    def method(self: Dual, *others: Any) -> Any:
        if any(getattr(x, "shape", ()) for x in others):
            return NotImplemented
        return self.operate(row, *others, self) if reflected else self.operate(row, self, *others)

    return method


def _compared(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def comparison(self: Dual, other: Any) -> bool:
        number = bare(other)
        return compare(bare(self), number) if isinstance(number, Real | Decimal) else NotImplemented

    return comparison


@with_methods(_method)
class Dual:
    """`data + e tangent` with `e * e = 0`: a number, and how fast it changes. `level` says which jvp it belongs to."""

    __slots__ = ("data", "level", "tangent")

    def __init__(self, level: int, data: Any, tangent: Any) -> None:
        self.level, self.data, self.tangent = level, data, tangent

    @staticmethod
    def operate(row: Operation, *operands: Any) -> Any:
        """The operation of these operands, of which one at least is a Dual; the package's functions ask for it."""
        return applied(row, *_lifted(row, operands))

    __lt__, __le__ = _compared(operator.lt), _compared(operator.le)
    __gt__, __ge__ = _compared(operator.gt), _compared(operator.ge)
    __eq__, __ne__ = _compared(operator.eq), _compared(operator.ne)
    __hash__ = object.__hash__  # in sets and graphs it is itself

    def __repr__(self) -> str:
        return f"Dual({self.data!r}, {self.tangent!r})"

    def __bool__(self) -> bool:
        return bool(self.data)

    def __pos__(self) -> Dual:
        return self

    def detach(self) -> Number:
        """The number alone: no tangent goes through it."""
        return bare(self)  # type: ignore[no-any-return]  # inside every Dual is a number

    def __float__(self) -> float:
        raise TypeError(
            f"{self!r:.80} is a dual number: as a float it would lose its tangent; use the functions of autograd, such as "
            "autograd.exp for math.exp"
        )

    __int__ = __float__

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """NumPy's ufuncs see a Dual as one object; those that are in the table under the same name are the table's."""
        import numpy as np

        row = OPERATIONS.get(ufunc.__name__)
        if row and row.symbol.isidentifier() and method == "__call__" and not any(getattr(x, "shape", ()) for x in inputs):
            return self.operate(row, *inputs)
        boxes = [np.array(x, dtype=object) if isinstance(x, Dual) else x for x in inputs]
        return getattr(ufunc, method)(*boxes, **options)


def applied(row: Operation, *operands: Any) -> Any:
    """The operation on Duals, Values and numbers: by the chain rule for the innermost jvp, whose level is the highest."""
    level = max((x.level for x in operands if isinstance(x, Dual)), default=0)
    if not level:
        return record(Value, row, *operands) if any(isinstance(x, Value) for x in operands) else _of_numbers(row, *operands)
    numbers, slopes = zip(*(parted(x, level) for x in operands), strict=True)
    m = FLOATS if all(x.__class__ is float for x in numbers) else DUALS  # the same on floats, without looking at each
    out = applied(row, *numbers) if m is DUALS else _of_numbers(row, *numbers)
    tangent = chained(m, row, row.partials(m, out, *numbers), slopes)
    return Dual(level, out, zero(out) if tangent is NOTHING else tangent)


def parted(x: Any, level: int) -> tuple[Any, Any]:
    """The number and the tangent for this level; NOTHING where it has none."""
    return (x.data, x.tangent) if isinstance(x, Dual) and x.level == level else (x, NOTHING)


def _of_numbers(row: Operation, *numbers: Number) -> Number:
    """The operation on numbers, as a Value would hold its result."""
    return result(computed(row, *numbers), row, *numbers)


def base(x: Any) -> Any:
    """What is inside a dual number of any depth: a number or a Value."""
    while isinstance(x, Dual):
        x = x.data
    return x


def bare(x: Any) -> Any:
    """The number itself, without tangents and without its record."""
    x = base(x)
    return x.data if isinstance(x, Value) else x


def zero(x: Any) -> Number:
    """A zero of the same kind: a Fraction beside Fractions, else a float."""
    return Fraction() if bare(x).__class__ is Fraction else 0.0


def _chosen(condition: Any, a: Any, b: Any) -> Any:
    """A recorded condition is a choice that follows the numbers; a bool is decided already."""
    recorded = isinstance(base(condition), Value)
    return applied(OPERATIONS["where"], condition, a, b) if recorded else floats.where(condition, a, b)


DUALS = Arithmetic(lambda row: partial(applied, row), where=_chosen, zeros_like=zero)  # the rows on all of them


def scalar(x: Any, where: str, beside: Any = None) -> Any:
    """A Dual or a Value as it is, a number as a Value would hold it: exact beside a Fraction. Else raises `TypeError`."""
    if isinstance(x, Dual | Value):
        return x
    if isinstance(x, Integral) and isinstance(bare(beside), Fraction):
        return Fraction(int(x))
    return checked(x, where)


def _lifted(row: Operation, operands: tuple[Any, ...]) -> Sequence[Any]:
    """The operands, with whole numbers exact beside a Fraction."""
    if all(x.__class__ is Dual or x.__class__ is float for x in operands):
        return operands
    exact = next((x for x in operands if isinstance(bare(x), Fraction)), None)
    return [
        float(x) if x.__class__ is int and exact is None and -LARGE < x < LARGE else scalar(x, f"operation {row.symbol}", exact)
        for x in operands
    ]


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
    one_value(output, "tangents: output")
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
    found = pushed(topological_order(output), start, create_graph)
    return {node: blank(node, create_graph) if slope is NOTHING else slope for node, slope in found.items()}


def blank(x: Any, create_graph: bool) -> Any:
    """The derivative of what does not depend: a zero of its kind, a constant where derivatives of Values are recorded."""
    return constant(x, 0) if create_graph and isinstance(x, Value) else zero(x)


def pushed(order: Sequence[Value], seeds: Mapping[Value, Any], create_graph: bool) -> dict[Value, Any]:
    """The tangent of every node in an order of operands first; NOTHING where no seed leads to it."""
    if create_graph:
        check_current(order)
    m = RECORDING if create_graph else FLOATS
    numbers: Mapping[Value, Any] = dict(zip(order, order, strict=True)) if create_graph else recorded_numbers(order)
    tangent: dict[Value, Any] = {}
    for node in order:
        slopes = [tangent[parent] for parent in node.parents]
        total = seeds.get(node, NOTHING)
        if any(slope is not NOTHING for slope in slopes):
            partials = node.operation.partials(m, numbers[node], *(numbers[parent] for parent in node.parents))
            through = chained(m, node.operation, partials, slopes)
            total = total if through is NOTHING else total + through
        tangent[node] = total
    return tangent
