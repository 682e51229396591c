"""A function called on leaves in place of its arguments, and the derivatives of what it returned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from autograd.forward import Dual, blank, parted, pushed, scalar, zero
from autograd.graph import stamp, topological_order
from autograd.operations import CONSTANT, LEAF, OPERATIONS
from autograd.recording import is_off, leaf, unrecorded
from autograd.slopes import constant, recorded_slopes, slopes_and_leaves
from autograd.sweep import NOTHING
from autograd.trees import Structure, flatten, is_array, unflatten
from autograd.value import Value


def standing_for(x: Any) -> Value:
    """A leaf with the number of a Value, or a number, to be tied to it later; its order is before what it becomes."""
    found = leaf(type(x), x.data) if isinstance(x, Value) else Value(x)
    found.order = stamp()
    if isinstance(x, Value) and x.label:
        found.label = x.label
    return found


def tie(node: Value, x: Any) -> None:
    """Make the leaf depend on the Value that it stands for, as `x * 1`; one that stands for a number becomes a constant."""
    if isinstance(x, Value):
        node.operation, node.left, node.right = OPERATIONS["mul"], x, constant(x, 1)
    else:
        node.operation = CONSTANT


class Call:
    """`f(*arguments)` with the numbers of the arguments `argnums` as leaves. `output` is what `f` returned."""

    def __init__(
        self, where: str, f: Callable[..., Any], argnums: Any, arguments: Sequence[Any], named: Mapping[str, Any]
    ) -> None:
        self.where = where
        if unrecorded and is_off():
            raise ValueError(
                f"{where}: inside of no_grad nothing is recorded, so nothing can be differentiated; call it outside"
            )
        positions = _positions(argnums, len(arguments), where)
        numbers, structure = flatten(tuple(arguments[i] for i in positions))
        self.structure = structure if isinstance(argnums, Sequence) else structure.parts[0]
        self.leaves: dict[Value, Any] = {}  # and what each stands for
        inside = unflatten(structure, [self._leaf(scalar(x, f"{where}: an argument of f")) for x in numbers])
        replaced = dict(enumerate(arguments)) | dict(zip(positions, inside, strict=True))
        self.recorded = any(isinstance(x, Value) for x in self.leaves.values())
        self.output = f(*replaced.values(), **named)

    def _leaf(self, x: Any) -> Any:
        """A leaf that stands for a number or a Value; inside a dual number, for what it holds."""
        if isinstance(x, Dual):
            return Dual(x.level, self._leaf(x.data), x.tangent)
        node = standing_for(x)
        self.leaves[node] = x
        return node

    def rows(self, outputs: Sequence[Any], mode: str = "reverse") -> list[list[Any]]:
        """d output / d leaf: a row for each output, with a number, a Value or a Dual for each leaf."""
        before = self.recorded
        found = self._matrix(outputs, mode)
        return found if self.recorded == before else self._matrix(outputs, mode)

    def _matrix(self, outputs: Sequence[Any], mode: str) -> list[list[Any]]:
        level = max((out.level for out in outputs if isinstance(out, Dual)), default=0)
        if not level:
            return self._columns(outputs) if mode == "forward" else [self._row(out) for out in outputs]
        pairs = [(x, 0.0 if slope is NOTHING else slope) for x, slope in (parted(out, level) for out in outputs)]
        data, change = (self._matrix(part, mode) for part in zip(*pairs, strict=True))
        return [[Dual(level, *parts) for parts in zip(*rows, strict=True)] for rows in zip(data, change, strict=True)]

    def _row(self, output: Any) -> list[Any]:
        """One sweep."""
        leaves = list(self.leaves)
        if not isinstance(output, Value):
            return [zero(output) for _ in leaves]
        if self.recorded:
            return list(recorded_slopes(output, leaves))
        found, nodes = slopes_and_leaves(output, leaves)
        self._look(nodes)
        return found

    def _columns(self, outputs: Sequence[Any]) -> list[list[Any]]:
        """One run forward for each leaf."""
        order = topological_order(*(out for out in outputs if isinstance(out, Value)))
        self._look(order)
        seeds = ({node: constant(node, 1) if self.recorded else type(node.data)(1)} for node in self.leaves)
        columns = [pushed(order, seed, self.recorded) for seed in seeds]
        found = [[column.get(out, NOTHING) if isinstance(out, Value) else NOTHING for column in columns] for out in outputs]
        blanks = [blank(out, self.recorded) for out in outputs]
        return [[none if x is NOTHING else x for x in row] for row, none in zip(found, blanks, strict=True)]

    def _look(self, nodes: Iterable[Value]) -> None:
        """Results are recorded where the graph has leaves that are not of this call."""
        self.recorded = self.recorded or any(node.operation is LEAF and node not in self.leaves for node in nodes)

    def look(self, outputs: Iterable[Any]) -> None:
        """Find out whether results are recorded, where no derivative has been asked for yet."""
        inner = list(outputs)
        for x in inner:  # grows while it is read
            if isinstance(x, Dual):
                inner += (x.data, x.tangent)
        self._look(topological_order(*(x for x in inner if isinstance(x, Value))))

    def settle(self) -> None:
        """The leaves have served: each is tied to what it stands for."""
        for node, x in self.leaves.items():
            tie(node, x)

    def number(self, x: Any) -> Any:
        """A result as the caller gets it: a Value where results are recorded, else its number."""
        if isinstance(x, Dual):
            return Dual(x.level, self.number(x.data), self.number(x.tangent))
        return x.data if isinstance(x, Value) and not self.recorded else x

    def outputs(self) -> tuple[list[Any], Structure]:
        """What `f` returned, as a list, and its arrangement. Raises `TypeError` where none of it has been recorded."""
        found, structure = flatten(self.output)
        for x in found:
            scalar(x, f"{self.where}: in what f returned")
        self._check_recorded(found)
        return found, structure

    def one_result(self) -> Any:
        """The one number that `f` returned, as a Value or a Dual. Raises `TypeError` for anything else."""
        out = self.output
        if is_array(out) and not out.shape:
            out = out.item()
        if isinstance(out, list | tuple | dict) or is_array(out):
            raise TypeError(
                f"{self.where}: f returned {out!r:.80} of type {type(out).__name__}, and has to return one Value; "
                "for the derivatives of several outputs use jacobian(f) or vjp(f, ...)"
            )
        scalar(out, f"{self.where}: f has to return a Value")
        self._check_recorded([out])
        return out

    def _check_recorded(self, found: Iterable[Any]) -> None:
        if not any(isinstance(x, Value | Dual) for x in found):
            raise TypeError(
                f"{self.where}: f returned {self.output!r:.80} of type {type(self.output).__name__}, which does not depend on "
                "its arguments: nothing that was recorded is in it. Compute with the arguments themselves and with functions "
                "of autograd (autograd.exp, not math.exp); for a constant, return 0 * x + constant"
            )


def checked_function(where: str, f: Any, argnums: Any) -> None:
    """Raises `TypeError` where `f` is no function, or `argnums` no position of an argument or tuple of them."""
    if not callable(f):
        raise TypeError(f"{where}: {f!r:.80} is of type {type(f).__name__}; give a function")
    for i in argnums if isinstance(argnums, list | tuple) else [argnums]:
        if isinstance(i, Value):
            raise TypeError(f"{where}: argnums is {i!r:.80}; a function is differentiated first and called then, {where}(f)(x)")
        if not isinstance(i, int):
            raise TypeError(f"{where}: argnums is {argnums!r:.80}; give the position of an argument, or a tuple of them")


def _positions(argnums: Any, count: int, where: str) -> list[int]:
    """The positions of the arguments, counted from the left."""
    wanted = list(argnums) if isinstance(argnums, list | tuple) else [argnums]
    if not all(-count <= i < count for i in wanted):
        raise ValueError(f"{where}: argnums is {argnums!r:.80}, and f was called with {count} arguments; they count from 0")
    return [i % count for i in wanted]
