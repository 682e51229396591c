"""How an operation is recorded: the slots of a node, and the code that appends one, generated from the rows.

Where Python's arithmetic raises (an overflow, a division by zero), and for Fractions, that code gives way to the row itself.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from autograd.floats import as_float, shown
from autograd.graph import placed, stamp
from autograd.operands import LARGE, Number, beside, result
from autograd.operations import CONSTANT, LEAF, Operation

new: Callable[[type], Any] = object.__new__
latest = [0]  # when a number was last changed by hand, on the clock of `stamp`
KNOWN = 3  # changes by hand that a node remembers: one, the way back, and that there was one before
unrecorded: list[int] = []  # the threads that are inside of no_grad, each as often as it is


class Recorded:
    """The slots of a node. What is not needed is not filled: a gradient, a label, more than two operands."""

    _data: Number
    _grad: Number
    _label: str
    _mark: object  # this and the next belong to the sweep that is running
    _adjoint: Number
    _was: tuple[tuple[int, Number], ...]  # when the number was changed by hand, and what it was before
    operation: Operation
    left: Any
    right: Any
    rest: tuple[Any, ...]
    order: int  # numbers results as they are recorded: operands have smaller ones

    __slots__ = ("__weakref__", *__annotations__)

    @property
    def parents(self) -> tuple[Any, ...]:
        """The operands in order, with multiplicity: `x * x` has two, a leaf has none."""
        if self.left is None:
            return ()
        if self.right is None:
            return (self.left,)
        return (self.left, self.right, *self.rest) if self.operation.many else (self.left, self.right)


def leaf(kind: type, x: Number, operation: Operation = LEAF) -> Any:
    """A node without operands: a leaf, or a constant."""
    node = new(kind)
    node._data = x
    node._grad = x.__class__()
    node._mark = None
    node.operation = operation
    node.left = node.right = None
    return node


def changed(node: Any, x: Number) -> None:
    """Give a node another number, which counts from now on; what it was is kept for what was recorded before."""
    was = node._data
    if x.__class__ is was.__class__ and (x == was or x != x):  # noqa: PLR0124  # nan stays nan
        node._data = x
        return
    latest[0] = now = stamp()
    node._was, node._data = ((now, was), *getattr(node, "_was", ())[: KNOWN - 1]), x


def recorded_numbers(order: Sequence[Any]) -> dict[Any, Number]:
    """The number of each node when the graph was recorded; `ValueError` where one changed while it was."""
    numbers = {node: node.data for node in order}
    results = [node for node in order if node.left is not None]
    if not results or latest[0] < min(node.order for node in results):
        return numbers
    seen: dict[Any, Number] = {}
    for consumer in results:
        for node in (*consumer.parents, consumer):
            number = _number_at(node, consumer.order)
            if seen.setdefault(node, number) != number and number == number:  # noqa: PLR0124  # nan differs from itself
                raise ValueError(_mixed(node))
    return numbers | seen


def as_recorded(order: Sequence[Any]) -> dict[Any, Any]:
    """Each node by itself; or, where a number was changed by hand since, by a copy that has the number of the recording."""
    copies: dict[Any, Any] = {}
    numbers = recorded_numbers(order)
    if all(x is node._data for node, x in numbers.items()):
        return dict(zip(order, order, strict=True))
    for node in order:
        operands = tuple(copies[parent] for parent in node.parents)
        operation = node.operation
        copy = (
            node_of(type(node), operation, numbers[node], operands) if operands else leaf(type(node), numbers[node], operation)
        )
        copy._grad, copy._label = node.grad, node.label
        copies[node] = copy
    return copies


def check_current(order: Sequence[Any]) -> None:
    """`ValueError` for a graph of which a number was changed by hand after it was recorded."""
    for node, was in recorded_numbers(order).items():
        if was != node.data and was == was:  # noqa: PLR0124  # nan differs from itself
            raise ValueError(
                f"{_called(node)} was {shown(was)} when this graph was recorded and is {shown(node.data)} now; record it "
                "again, or put the number back"
            )


def _called(node: Any) -> str:
    return repr(node.label) if node.label else f"the {node.operation.symbol or 'leaf'} {shown(node.data)}"


def _number_at(node: Any, time: int) -> Number:
    number, changes = node.data, getattr(node, "_was", ())
    for when, was in changes:
        if time > when:
            return number  # type: ignore[no-any-return]  # a node holds a number
        number = was
    if len(changes) == KNOWN:  # and there may have been others before
        raise ValueError(_mixed(node))
    return number  # type: ignore[no-any-return]  # as above


def _mixed(node: Any) -> str:
    return (
        f"the number of {_called(node)} was changed while this graph was being recorded, or too often since then, so its "
        "numbers do not fit together; record it again"
    )


def lift(x: Any, other: Any, operation: Operation, kind: type) -> Any:
    """`x` as an operand beside the node `other`, or None: a node as it is, a number as a constant; or NotImplemented."""
    if isinstance(x, Recorded):
        return x
    if x.__class__ is not float:
        if getattr(x, "dtype", None) == object and x.shape == ():  # noqa: E721  # a dtype, no type
            return lift(x.item(), other, operation, kind)  # NumPy's box around a Value
        x = beside(x, None if other is None else other._data, operation)
        if x is NotImplemented:
            return x
    return leaf(kind, x, CONSTANT)


def node_of(kind: type, operation: Operation, data: Number, operands: tuple[Any, ...]) -> Any:
    """A result that has these operands; a leaf inside of no_grad."""
    if unrecorded and is_off():
        return leaf(kind, data)
    node = new(kind)
    node._data, node._mark, node.operation = data, None, operation
    node.left, node.right, node.rest = placed(operands)
    node.order = stamp()
    return node


def is_off() -> bool:
    """Whether this thread is inside of no_grad."""
    from threading import get_ident  # here: it is a twentieth of what `import autograd` takes

    return get_ident() in unrecorded


def record(kind: type, operation: Operation, *operands: Any) -> Any:
    """The node of an operation of any number of operands, nodes or numbers; what has a method `operate` is asked instead."""
    if operation.arity is not None and len(operands) != operation.arity:
        counted = f"{operation.arity} operand{'s' if operation.arity > 1 else ''}"
        raise TypeError(f"{operation.name} takes {counted}, got {len(operands)}")
    own = next((x for x in operands if hasattr(x, "operate")), None)
    if own is not None:
        return own.operate(operation, *operands)
    known = next((x for x in operands if isinstance(x, Recorded)), None)
    kind = kind if known is None else type(known)
    nodes = tuple(lift(x, known, operation, kind) for x in operands)
    numbers = [node._data for node in nodes]
    return node_of(kind, operation, result(computed(operation, *numbers), operation, *numbers), nodes)


def computed(operation: Operation, *numbers: Number) -> Any:
    """The number that the row gives."""
    try:
        return operation.forward(*numbers)
    except OverflowError:  # a Fraction beyond 1.8e308, of which a part is a float
        return operation.forward(*map(as_float, numbers))


HEAD = """\
def recorded(self):
    kind = type(self)
    x = self._data
"""
HEAD_OF_TWO = """\
def recorded(self, other):
    kind = type(self)
    if type(other) is not kind:
        if type(other) is float or (type(other) is int and type(self._data) is float and -LARGE < other < LARGE):
            number = other
            other = new(kind)
            other._data = float(number)
            other._mark = None
            other.operation = CONSTANT
            other.left = other.right = None
        else:
            other = lift(other, self, row, kind)
            if other is NotImplemented:
                return other
            if type(other) is not kind and issubclass(type(other), kind):
                kind = type(other)
    x = {left}._data
    y = {right}._data
"""
FORMULA = """\
    if {floats}:
        try:
            data = {formula}
        except (ArithmeticError, ValueError):
            data = computed(row, {numbers})
    else:
        data = computed(row, {numbers})
"""
NODE = """\
    if type(data) is not float:
        data = result(data, row, {numbers})
    if unrecorded:
        return node_of(kind, row, data, {operands})
    node = new(kind)
    node._data = data
    node._mark = None
    node.operation = row
    node.left = {left}
    node.right = {right}
    node.order = stamp()
    return node
"""


def recorder(row: Operation, reflected: bool = False) -> Callable[..., Any]:
    """The code that records this operation of one or two operands, the first of which is a node; `reflected`, the second."""
    from autograd.expressions.expression import symbol  # here: an operation that is not used costs nothing
    from autograd.expressions.printer import printed
    from autograd.expressions.python import FAST, formula_of, functions_of

    unary = row.arity == 1
    formula = formula_of(row, [symbol(name) for name in "xy"[: row.arity]])
    left, right = ("self", "None") if unary else ("other", "self") if reflected else ("self", "other")
    fields = {"left": left, "right": right, "numbers": "x" if unary else "x, y", "formula": printed(formula, FAST)}
    fields["operands"] = f"({left},)" if unary else f"({left}, {right})"
    fields["floats"] = "type(x) is float" if unary else "type(x) is float is type(y)"
    if getattr(operator, row.name, None) is row.forward:
        fields["floats"] = "True"  # Python's own operator, which is right for Fractions too
    space = {**functions_of([formula]), "row": row, "computed": computed, "result": result, "lift": lift}
    space |= {"unrecorded": unrecorded, "node_of": node_of, "new": new, "stamp": stamp, "CONSTANT": CONSTANT, "LARGE": LARGE}
    source = (HEAD if unary else HEAD_OF_TWO) + FORMULA + NODE
    exec(source.format(**fields), space)  # noqa: S102  # our own source: the rows of the table
    made: Callable[..., Any] = space.pop("recorded")
    return made


def method(row: Operation, reflected: bool = False) -> Callable[..., Any]:
    """The method of a class of nodes, or the one of a node on the right of a number; its first call compiles it."""
    compiled: list[Callable[..., Any]] = []

    def first(self: Any, *operands: Any) -> Any:
        if row.many:
            return record(type(self), row, self, *operands)
        if not compiled:
            made = recorder(row, reflected)
            made.__name__, made.__qualname__, made.__doc__ = named.__name__, named.__qualname__, named.__doc__
            compiled.append(made)
        for kind in type(self).__mro__:
            if vars(kind).get(named.__name__) is named:
                setattr(kind, named.__name__, compiled[0])
        return compiled[0](self, *operands)

    def one(self: Any) -> Any:
        return first(self)

    def two(self: Any, other: Any) -> Any:
        return first(self, other)

    named = first if row.many else one if row.arity == 1 else two  # with the signature that `help` shows
    named.__doc__ = f"{row.name} of this Value, recorded as one node."
    if row.arity == 1 and not row.method.startswith("__"):
        x = sum(row.domain[0]) / 2 + 0.25
        named.__doc__ += f"\n\n>>> Value({x}).{row.name}().data\n{row.forward(x)}\n"
    return named
