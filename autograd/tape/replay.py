"""Record once, replay: a recorded graph as a function of its inputs, with its gradient.

A recorded graph does not change while it is trained, only its numbers do. On floats a small tape runs as Python source,
generated from the rows of the table; everything else runs operation by operation. The chain rule is `sweep.adjoints` in both.
What Python decided while the graph was recorded, such as an `if` on a Value, stays as it was decided then.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from functools import cached_property, partial
from math import isnan
from typing import TYPE_CHECKING, Any

from autograd.functions import RECORDING
from autograd.modules import arithmetic, converted
from autograd.operands import Number, checked
from autograd.operations import BUILT_IN, FLOATS, LEAF, Arithmetic, Function, Operation
from autograd.operations import named as row_named
from autograd.recording import lift, record
from autograd.slopes import one_value, values
from autograd.sweep import NOTHING, adjoints, guarded_adjoints
from autograd.tape.arguments import arguments, counted, like
from autograd.tape.branches import Guarded, Tapes, branches, labels, listening, together
from autograd.tape.program import TRUTHS, flattened, run, swept
from autograd.tape.source import Source, source_of
from autograd.transforms import grad
from autograd.value import Value

if TYPE_CHECKING:
    from autograd.tape.native import Native

BOTH = (adjoints, guarded_adjoints)
LARGEST_SOURCE = 10_000  # operations: Python compiles a few of them in the time in which it runs a thousand


class Tape(Guarded):
    """The graph of `output` as a function of `inputs`, with its gradient.

    `inputs` are leaves, in the order in which their numbers will be given; one that the output does not depend on has
    derivative 0. Every other leaf is a constant, the number that was recorded, also what `detach` or `stop_gradient` cut
    off. `tape(numbers)` returns the output and the list of its derivatives by the inputs; a list of outputs gives a list of
    numbers and their Jacobian, a list of rows.
    Raises `TypeError` for anything that is not a Value, `ValueError` for an input that is no leaf or is given twice.

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

    What Python decided while it recorded stays decided; a choice that follows the numbers is `where(greater(x, 0), ...)`,
    `maximum` or `relu`. `Tape.record` knows what was decided, and such a tape raises `BranchChanged` for other numbers:

    >>> x = Value(1.0, "x")
    >>> Tape(x / 2 if x > 0 else x, [x])([-4.0])  # as it was for 1.0
    (-2.0, [0.5])
    """

    def __new__(cls, output: Any, inputs: Any) -> Any:
        """A tape of each, where there are several outputs."""
        if isinstance(output, list | tuple):
            if not output:
                raise ValueError("Tape: output is an empty list; give the Values that it shall compute")
            inputs = values(inputs, "Tape: inputs")
            return Tapes([cls(each, inputs) for each in output], tuple(inputs))
        return super().__new__(cls)

    def __getnewargs__(self) -> tuple[None, None]:
        return None, None

    @classmethod
    def record(cls, f: Callable[..., Any], *numbers: Any) -> Any:
        """The tape of `f(*numbers)`, which returns a Value or a list of them; its `branches` are all that `f` decided.

        >>> tape = Tape.record(lambda x: x / 2 if x > 0 else x, 1.0)
        >>> [(branch.condition, branch.outcome) for branch in tape.branches]
        [('x > 0', True)]
        >>> tape([3.0]), tape([-4.0], check=False)
        ((1.5, [0.5]), (-2.0, [0.5]))
        """
        leaves = [Value(x, label) for x, label in zip(numbers, labels(f, len(numbers)), strict=True)]
        output, heard = listening(f, leaves)
        tape = cls(list(output) if isinstance(output, Iterable) else output, leaves)
        tape.taken = branches(heard, leaves)
        if tape.taken:
            tape.guard = cls(together(tape.taken.values()), leaves)
        return tape

    def __init__(self, output: Any, inputs: Value | Iterable[Value]) -> None:
        output = one_value(output, "Tape: output")
        self.inputs = tuple(values(inputs, "Tape: inputs"))
        self.program = flattened(output, self.inputs)
        exact = any(type(c) is Fraction for c in self.program.constants)
        self._selects = any(row.selects for row in self.program.rows)
        self._fast = set() if exact else {float}  # the types of numbers with which floats come out

    def __len__(self) -> int:
        return len(self.program.operations)

    def __repr__(self) -> str:
        return f"Tape({len(self)} operations, {len(self.inputs)} inputs{self.decided})"

    def __call__(self, numbers: Any, check: bool = True) -> tuple[Any, Any]:
        """The output and its derivative by each input, at one number for each input.

        Floats give floats, bit for bit those of the graph recorded anew and swept. Arrays of samples, which broadcast,
        give an array and a list of arrays, all of the common shape; NumPy's exp, log and so on are within 2 units in the
        last place of the floats'. Where `numbers` is itself an array, its first axis counting the inputs, so are the
        derivatives. Values give Values: a graph that can be taped and differentiated again. Raises `ValueError` for a
        wrong number of them or shapes that do not broadcast, `TypeError` for what is no real number, `BranchChanged` where
        `record` would have taken another branch, unless `check=False`.
        """
        if check and self.guard:
            numbers = numbers if hasattr(numbers, "__len__") else list(numbers)  # it is read twice
            self.check(numbers)
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
                found = self._compiled(*numbers)
                if not self._selects or not isnan(sum(found[1])):  # it sends zeros where the rows send nothing
                    return found
            except (ArithmeticError, ValueError):
                pass  # where Python's arithmetic raises, the rows have an answer
        return self._replay(FLOATS, _on_float, [*numbers, *self.program.floats], lambda _: (1.0, 0.0), adjoints)

    def _exactly(self, numbers: Sequence[Number]) -> tuple[Number, list[Number]]:
        """By the engine itself: a graph is recorded anew."""
        leaves = [Value(x) for x in (*numbers, *self.program.constants)]
        output = run(self.program, leaves, _recording)[self.program.output].data
        return output.data, [*grad(output, leaves[: len(numbers)])]

    def _on_values(self, numbers: Sequence[Any]) -> tuple[Any, list[Any]]:
        leaves = [lift(x, None, LEAF, Value) for x in (*numbers, *self.program.constants)]
        value, grads = self._replay(
            RECORDING, _recording, leaves, lambda output: (lift(1, output, LEAF, Value), NOTHING), *BOTH
        )
        missing = lift(0, value, LEAF, Value)
        return value, [missing if slope is NOTHING else slope for slope in grads]

    def _on_arrays(self, arrays: Sequence[Any]) -> tuple[Any, list[Any]]:
        import numpy as np

        m = arithmetic(np)

        def function(row: Operation) -> Function:
            compute = m[row]
            return compute if row.name in BUILT_IN - TRUTHS else lambda *x: np.asarray(compute(*x), dtype=float)

        with np.errstate(all="ignore"):
            value, grads = self._replay(m, function, [*arrays, *self.program.floats], lambda _: (1.0, 0.0), *BOTH)
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
        m, constants = arithmetic(module), [converted(c, module) for c in self.program.constants]
        symbols = hasattr(module, "Piecewise")

        def function(row: Operation) -> Function:
            compute = m[row]
            if row.name in TRUTHS and not symbols:
                return lambda *x: m.where(compute(*x), 1.0, 0.0)
            if row.formula is None:
                return compute
            return lambda *x: converted(found, module) if (found := compute(*x)).__class__ is int else found

        def replay(numbers: Sequence[Any]) -> tuple[Any, list[Any]]:
            leaves = [*counted(numbers, self.inputs), *constants]
            sweep = adjoints if symbols else guarded_adjoints  # a lazy array knows of no nan yet
            return self._replay(m, function, leaves, lambda output: (m.ones_like(output), 0), sweep)

        return replay

    def _replay(
        self,
        m: Arithmetic,
        function: Callable[[Operation], Function],
        leaves: Sequence[Any],
        seed: Callable[[Any], tuple[Any, Any]],
        *sweeps: Callable[..., dict[Any, Any]],
    ) -> tuple[Any, list[Any]]:
        """Operation by operation, on whatever kind of number `m` computes with; `seed(output)` is its one and its zero.

        The next of the sweeps is for where an arm that was not taken made a nan of the one before.
        """
        nodes = run(self.program, leaves, function)
        output = nodes[self.program.output]
        one, zero = seed(output.data)
        for sweep in sweeps if self._selects else (adjoints,):
            adjoint = sweep(output, one, zero, m, swept(self.program, nodes, zero))
            grads = [adjoint[leaf] for leaf in nodes[: len(self.inputs)]]
            if sweep is sweeps[-1] or not any(map(_has_nan, grads)):
                break
        return output.data, grads

    @property
    def source(self) -> str:
        """The program as Python: a line for each operation, then one for each adjoint that leads to an input."""
        return self._source.text

    @cached_property
    def _source(self) -> Source:
        return source_of(self.program)

    @cached_property
    def _compiled(self) -> Callable[..., tuple[float, list[float]]]:
        names: dict[str, Any] = {"inf": math.inf, "nan": math.nan}
        names.update((name, row_named(name).forward) for name in BUILT_IN)
        names.update((name, getattr(math, name)) for name in ("exp", "log", "log1p", "sqrt", "sin", "cos", "tanh"))
        names.update((name, _on_float(row)) for name, row in self._source.own.items())
        exec(self.source, names)  # noqa: S102  # our own source: identifiers, numbers, and the operations of the table
        return names.pop("replay")  # type: ignore[no-any-return]  # out of its globals, or only the collector could free it

    def __getstate__(self) -> dict[str, Any]:
        return {name: held for name, held in vars(self).items() if name not in ("_compiled", "_source")}  # functions, names

    def native(self) -> Native:
        """The tape as machine code: the same call, and `descend`, a whole gradient descent.

        Needs llvmlite; raises `ImportError`, with the command that installs it, where it is missing, and
        `NotImplementedError` for an operation of your own that has no native form.
        """
        from autograd.tape.native import Native

        return Native(self)


def _has_nan(slope: Any) -> bool:
    x = slope.data if isinstance(slope, Value) else slope
    found: Any = x != x  # noqa: PLR0124  # which nan alone does
    return bool(found.any() if hasattr(found, "any") else found)


def _recording(row: Operation) -> Function:
    """What records the operation of Values."""
    return (row.method and getattr(Value, row.method)) or partial(record, Value, row)


def _on_float(row: Operation) -> Function:
    """What computes the operation on floats, and gives a float."""
    forward = row.forward
    if row.name in BUILT_IN and row.formula is None:
        return forward

    def compute(*numbers: float) -> Any:
        data = forward(*numbers)
        return data if data.__class__ is float else checked(data, f"result of {row.symbol}")

    return compute
