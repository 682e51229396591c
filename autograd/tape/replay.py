"""Record once, replay: a graph flattened into a program over numbered slots, run again with other numbers.

A recorded graph does not change while it is trained, only its numbers do. What the tape keeps of it is, for every
operation, the row of the table and the slots of its operands. On floats a small tape runs as Python source, generated from
the rows; everything else runs row by row; the chain rule is `sweep.adjoints` in both. The trade-off: what Python decided
while the graph was recorded (an `if` on a Value, which of two logits is larger) stays as it was decided then.

Source: Griewank & Walther, Evaluating Derivatives (2nd ed., SIAM 2008), section 4.1, on tapes.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

from autograd import floats
from autograd.functions import RECORDED
from autograd.transforms import grad, one_value, values
from autograd.graph import Image, consumers_first, row_of, topological_order
from autograd.operations import LEAF, OPERATIONS, Operation, table
from autograd.sweep import NOTHING, adjoints
from autograd.tape.arguments import arguments, counted, like
from autograd.tape.modules import completed, converted
from autograd.tape.program import program_of
from autograd.value import Number, Value, lift

if TYPE_CHECKING:
    from autograd.tape.native import Native

LARGEST_SOURCE = 10_000  # operations: Python compiles a few of them in the time in which it runs a thousand
NONE = -1  # the slot of an operand that is not there


class Tape:
    """The graph of `output` as a function of `inputs`, with its gradient.

    `inputs` are leaves of the graph, in the order in which their numbers will be given. Every other leaf is a constant
    from now on. `tape(numbers)` returns the output and the list of its derivatives by the inputs. Raises `TypeError` for
    anything that is not a Value, `ValueError` for an input that is no leaf of the graph or is given twice.

    >>> w, x = Value(0.5, "w"), Value(2.0, "x")
    >>> tape = Tape((w * x).tanh(), [w, x])
    >>> tape([0.0, 3.0])
    (0.0, [3.0, 0.0])
    >>> print(tape.source)
    def replay(w, x):
        v1 = w * x
        v2 = tanh(v1)
        d_v1 = 1 - v2 * v2
        d_w = 0.0 + d_v1 * x
        d_x = 0.0 + d_v1 * w
        return v2, [d_w, d_x]

    What Python decided while it recorded stays decided; for a choice that follows the numbers there are `maximum`,
    `minimum`, `abs` and `relu`:

    >>> x = Value(1.0, "x")
    >>> Tape(x / 2 if x > 0 else x, [x])([-4.0])  # the arm of 1.0
    (-2.0, [0.5])
    """

    def __init__(self, output: Value, inputs: Value | Iterable[Value]) -> None:
        output = one_value(output, "Tape: output")
        self.inputs = tuple(values(inputs, "Tape: inputs"))
        order = topological_order(output)
        _check_inputs(self.inputs, set(order))
        constants = _constants(order, set(self.inputs))
        results = [node for node in reversed(consumers_first(output, None)[0]) if node not in constants]
        used = dict.fromkeys(p for node in results for p in (node.left, node.right) if p in constants)
        self.constants = [constants[node] for node in used]
        slots = {node: slot for slot, node in enumerate((*self.inputs, *used, *results))}
        self.output = slots[output]
        self.rules = [node.operation for node in results]
        self.left = array("q", [slots[node.left] for node in results])
        self.right = array("q", [NONE if node.right is None else slots[node.right] for node in results])
        self._fast = set() if any(type(c) is Fraction for c in self.constants) else {float}  # the types that floats alone have
        self.labels = {slots[node]: node.label for node in results if node.label}

    def __len__(self) -> int:
        return len(self.rules)

    def __repr__(self) -> str:
        return f"Tape({len(self)} operations, {len(self.inputs)} inputs)"

    def __call__(self, numbers: Any) -> tuple[Any, Any]:
        """The output and its derivative by each input, at one number for each input.

        Floats give floats, bit for bit those of the graph recorded anew and swept. Arrays of samples, which broadcast,
        give an array and a list of arrays, all of the common shape; NumPy's exp, log and so on are within 2 units in the
        last place of the floats'. Where `numbers` is itself an array, its first axis counting the inputs, so are the
        derivatives. Values give Values: a graph that can be taped and differentiated again. Raises `ValueError` for a
        wrong number of them or shapes that do not broadcast, `TypeError` for what is no real number.
        """
        if numbers.__class__ is list and len(numbers) == len(self.inputs) and set(map(type, numbers)) == self._fast:
            return self._on_floats(numbers)
        kind, given = arguments(numbers, self.inputs)
        if kind is Value:
            return self._on_values(given)
        if kind is Fraction or (kind is float and not self._fast):
            return self._exactly(given)
        value, grads = self._on_floats(given) if kind is float else self._on_arrays(given)
        return value, like(numbers, grads)

    def _on_floats(self, numbers: Sequence[float]) -> tuple[Any, list[Any]]:
        if len(self) <= LARGEST_SOURCE:
            try:
                return self._compiled(*numbers)
            except (ArithmeticError, ValueError):
                pass  # where Python's arithmetic raises, the rows have an answer
        return self._replay(OPERATIONS, [*numbers, *self.floats], lambda _: (1.0, 0.0))

    def _exactly(self, numbers: Sequence[Number]) -> tuple[Number, list[Number]]:
        """By the engine itself: a graph is recorded anew."""
        leaves = [Value(x) for x in (*numbers, *self.constants)]
        output = self._forward(RECORDED, leaves)[self.output].data
        return output.data, grad(output, leaves[: len(numbers)])

    def _on_values(self, numbers: Sequence[Any]) -> tuple[Any, list[Any]]:
        leaves = [lift(x, None, LEAF) for x in (*numbers, *self.constants)]
        return self._replay(RECORDED, leaves, lambda output: (lift(1, output, LEAF), NOTHING))

    def _on_arrays(self, arrays: Sequence[Any]) -> tuple[Any, list[Any]]:
        import numpy as np

        with np.errstate(all="ignore"):
            value, grads = self._replay(table(np), [*arrays, *self.floats], lambda _: (1.0, 0.0))
        shape = np.broadcast_shapes(*(x.shape for x in arrays))
        value, *grads = (np.array(np.broadcast_to(x, shape), dtype=float) for x in (value, *grads))
        return value, grads

    def on(self, module: Any) -> Callable[[Sequence[Any]], tuple[Any, list[Any]]]:
        """The tape on the numbers of another module with NumPy's names: jax.numpy, cupy, dask.array, sympy, mpmath.

        What it returns is called with one of the module's numbers, or a plain one, for each input, and returns the
        module's. Raises `TypeError` for a module without the functions.

        >>> import sympy
        >>> x = Value(2.0, "x")
        >>> Tape(x.sin() * x, [x]).on(sympy)([sympy.Symbol("x")])
        (x*sin(x), [x*cos(x) + sin(x)])
        """
        names = completed(module)
        rows, constants = table(names), [converted(c, module) for c in self.constants]

        def replay(numbers: Sequence[Any]) -> tuple[Any, list[Any]]:
            return self._replay(rows, [*counted(numbers, self.inputs), *constants], lambda output: (names.ones_like(output), 0))

        return replay

    @property
    def floats(self) -> list[float]:
        """The constants as floats."""
        return list(map(floats.as_float, self.constants))

    def _replay(
        self, rows: Mapping[str, Rule], leaves: Sequence[Any], seed: Callable[[Any], tuple[Any, Any]]
    ) -> tuple[Any, list[Any]]:
        """Row by row, on whatever kind of number the rows compute with; `seed(output)` is its one and its zero."""
        nodes = self._forward(rows, leaves)
        output = nodes[self.output]
        adjoint = adjoints(output, *seed(output.data))
        return output.data, [adjoint[leaf] for leaf in nodes[: len(self.inputs)]]

    def _forward(self, rows: Mapping[str, Rule], leaves: Sequence[Any]) -> list[Image]:
        """The node of every slot, computed from the leaves."""
        nodes = [Image(x, LEAF, None, None) for x in leaves]
        for recorded, left, right in zip(self.rules, self.left, self.right, strict=True):
            row, a = row_of(recorded, rows), nodes[left]
            if right == NONE:
                nodes.append(Image(row.forward(a.data), row, a, None))
            else:
                b = nodes[right]
                nodes.append(Image(row.forward(a.data, b.data), row, a, b))
        return nodes

    def formulas(
        self, rows: Mapping[str, Rule], names: Iterable[str]
    ) -> tuple[list[Image], dict[Image, symbols.Expression], list[symbols.Expression]]:
        """The node of every slot with its formula for data, the adjoints, and what becomes of the inputs' derivatives.

        `rows` is the table on `symbols` or on something like it, `names` are those of the inputs.
        """
        leaves = [*map(symbols.symbol, names), *map(symbols.number, self.floats)]
        nodes = self._forward(rows, leaves)
        adjoint = adjoints(nodes[self.output], symbols.number(1), NOTHING)
        grads = [symbols.add(0.0, adjoint[node]) for node in nodes[: len(self.inputs)]]  # all sums of the sweep start from 0.0
        return nodes, adjoint, grads

    @cached_property
    def source(self) -> str:
        """The program as Python: a line for each operation, then one for each adjoint that leads to an input."""
        return program_of(self)

    @cached_property
    def _compiled(self) -> Callable[..., tuple[float, list[float]]]:
        names = {
            **vars(floats),
            **{name: getattr(math, name) for name in ("exp", "log", "log1p", "sqrt", "sin", "cos", "tanh")},
        }
        exec(self.source, names)  # noqa: S102  # our own source: identifiers, numbers, and the operations of the table
        return names.pop("replay")  # type: ignore[no-any-return]  # out of its globals, or only the collector could free it

    def __getstate__(self) -> dict[str, Any]:
        return {name: held for name, held in vars(self).items() if name != "_compiled"}  # no function can be pickled

    def native(self) -> Native:
        """The tape as machine code: the same call, and `descend`, a whole gradient descent.

        Needs the extra `native`; raises `ImportError`, with the command that installs it, where it is missing.
        """
        from autograd.tape.native import Native

        return Native(self)


def _check_inputs(inputs: Sequence[Value], graph: set[Value]) -> None:
    if not inputs:
        raise ValueError("Tape: no inputs; give the leaves whose numbers will change")
    seen: set[Value] = set()
    for position, node in enumerate(inputs):
        if node.left is not None:
            raise ValueError(
                f"Tape: inputs[{position}], {node!r:.80}, is the result of {node.operation.name!r}; inputs are leaves of the graph"
            )
        if node not in graph:
            raise ValueError(f"Tape: inputs[{position}], {node!r:.80}, is not in the graph: the output does not depend on it")
        if node in seen:
            raise ValueError(f"Tape: inputs[{position}], {node!r:.80}, is given twice")
        seen.add(node)


def _constants(order: Iterable[Value], inputs: set[Value]) -> dict[Value, Number]:
    """The number of every node that depends on no input, computed anew from the leaves' numbers of now."""
    moving = set(inputs)
    constants: dict[Value, Value] = {}
    for node in order:
        if node in moving:
            continue
        if node.left is None:
            constants[node] = Value(node.data)
        elif node.left in moving or node.right in moving:
            moving.add(node)
        else:
            constants[node] = row_of(node.operation, RECORDED).forward(*(constants[p] for p in node.parents))
    return {node: constant.data for node, constant in constants.items()}
