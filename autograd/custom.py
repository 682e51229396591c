"""The user's own operations: they enter the table by the same door as the built-in rows."""

from __future__ import annotations

import keyword
import operator
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from autograd.functions import function_of
from autograd.graph import Image, topological_order
from autograd.operands import with_methods
from autograd.operations import (
    BUILT_IN,
    CONSTANT,
    FLOATS,
    LEAF,
    OPERATIONS,
    REAL,
    SPECIAL,
    Arithmetic,
    Domain,
    Function,
    Operation,
)
from autograd.sweep import NOTHING, adjoints


def operation(
    name: str,
    forward: Function | None = None,
    partials: Function | None = None,
    *,
    formula: Function | None = None,
    symbol: str | None = None,
    domain: tuple[Domain, ...] | None = None,
    array: Function | None = None,
    native: str | None = None,
    javascript: str | None = None,
) -> Callable[..., Any]:
    """Add your own row to the table, and return it as a function of Values and numbers.

    Give `forward(*floats)`, which computes a float, with `partials(m, out, *inputs)`, which returns a tuple with the
    derivative by each input; or `formula(m, *inputs)`, which composes operations that are there, and then `partials` may be
    left out. Both are plain arithmetic on `m`, which has every operation by its name: `m.exp(a)`, `m.where(a > 0, a, 0)`;
    so they work on floats, Values, arrays, symbols and in compiled code alike.

    `symbol` is its name in pictures and formulas; `domain` has an interval of floats for each operand, in which checks
    sample it. For a `forward`, the backends take `array`, a NumPy function (without it, arrays are computed entry by entry),
    `native`, the name of a function of the C library, and `javascript`, the name of a function of JavaScript or an
    expression in a, b, c, ... Without them a native tape raises an error, and a page cannot compute again.

    To register a name of your own once more replaces it; nodes that are recorded keep what they were recorded with. Raises
    `ValueError` for the name of a built-in operation, `TypeError` for arguments that do not fit together.

    >>> import math
    >>> from autograd import Value, grad
    >>> erf = operation(
    ...     "doc_erf", math.erf, lambda m, out, a: (2 / math.sqrt(math.pi) * m.exp(-a * a),), native="erf"
    ... )
    >>> x = Value(0.5)
    >>> round(grad(erf(x), x), 6)
    0.878783
    >>> swish = operation("doc_swish", formula=lambda m, a: a * m.sigmoid(a))
    >>> grad(swish(x), x) == grad(x * x.sigmoid(), x)
    True
    """
    where = f"operation {name!r:.60}"
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
        raise ValueError(f"{where}: the name has to be an identifier, such as 'my_erf'")
    if name in BUILT_IN or name in SPECIAL:
        raise ValueError(f"{where}: this name is a built-in operation's; choose another one, such as {'my_' + name!r}")
    if (forward is None) == (formula is None):
        raise TypeError(f"{where}: give either forward, which computes a float, or formula, which composes other operations")
    if forward is not None and partials is None:
        raise TypeError(f"{where}: a forward needs partials(m, out, *inputs), which returns the derivative by each input")
    if formula is not None and (array or native or javascript):
        raise TypeError(f"{where}: a formula is computed by its parts everywhere; array, native and javascript go with forward")
    functions = {"forward": forward, "partials": partials, "formula": formula, "array": array}
    for label, x in {**functions, "symbol": symbol, "native": native, "javascript": javascript}.items():
        if x is not None and not (callable(x) if label in functions else isinstance(x, str)):
            wanted = "function" if label in functions else "string"
            raise TypeError(f"{where}: {label}={x!r:.60} is of type {type(x).__name__}; give a {wanted}")
    known = _count(partials, 2, where) if partials else _count(formula, 1, where)
    intervals = tuple(domain) if domain is not None else (REAL,) * known
    if len(intervals) != known:
        raise ValueError(f"{where}: domain has {len(intervals)} intervals for {known} operands; give one for each")
    computing = forward or partial(cast("Function", formula), FLOATS)
    slopes = _checked(where, partials, known) if partials else partial(_derived, cast("Function", formula))
    spelled: Any = {"array": array, "native": native, "javascript": javascript}
    OPERATIONS[name] = Operation(name, symbol or name, computing, slopes, intervals, formula=formula, **spelled)
    return function_of(OPERATIONS[name])


def _count(function: Any, before: int, where: str) -> int:
    """How many operands the function takes, after `before` other parameters."""
    import inspect  # here: it takes longer to import than the engine

    parameters = inspect.signature(function).parameters.values()
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        raise TypeError(
            f"{where}: name the operands one by one, such as a, b, c; *{[*parameters][-1].name} does not say how many"
        )
    count = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty for p in parameters) - before
    if count < 1:
        first = ("m, out, a", "m, a")[before == 1]
        raise TypeError(f"{where}: {function!r:.60} has no parameter for an operand; it is called as f({first}, ...)")
    return count


def _checked(where: str, partials: Function, count: int) -> Function:
    """The partials of a user, held to their promise: a tuple with one derivative for each operand."""

    def checked(m: Any, out: Any, *inputs: Any) -> tuple[Any, ...]:
        found = partials(m, out, *inputs)
        if not isinstance(found, tuple):
            raise TypeError(
                f"{where}: partials returned {found!r:.60} of type {type(found).__name__}; return a tuple, (slope,)"
            )
        if len(found) != count:
            raise ValueError(f"{where}: partials returned {len(found)} derivatives for {count} operands; return one for each")
        return found

    return checked


def _derived(formula: Function, m: Any, out: Any, *inputs: Any) -> tuple[Any, ...]:  # noqa: ARG001  # the formula gives it again
    """The partials of a formula by the chain rule: it is recorded on these numbers, and swept."""
    leaves = [Traced(m, x, LEAF) for x in inputs]
    recording = Arithmetic(lambda row: partial(_record, row, m=m), zeros_like=lambda a: m.zeros_like(a.data))
    output = formula(recording, *leaves)
    if getattr(getattr(output, "dtype", None), "kind", "") == "O":  # what np.where gives, for one
        raise TypeError(f"{formula!r:.80} returned an array of objects, which has no derivative; use m.where for np.where")
    found = adjoints(output, 1, NOTHING, m, guarded=_chooses(output)) if isinstance(output, Traced) else {}
    return tuple(0 if (slope := found.get(leaf, NOTHING)) is NOTHING else slope for leaf in leaves)


def _chooses(output: Traced) -> bool:
    """Whether an operation in the formula selects, so that an arm that is not taken must be sent nothing."""
    return any(node.operation.selects for node in topological_order(output))


def _record(row: Operation, *operands: Any, m: Any) -> Traced:
    nodes = [x if isinstance(x, Traced) else Traced(m, x, CONSTANT) for x in operands]
    return Traced(m, m[row](*(node.data for node in nodes)), row, *nodes)


def _method(row: Operation, reflected: bool) -> Function:
    return lambda self, *others: _record(row, *((*others, self) if reflected else (self, *others)), m=self.m)


def _compared(compare: Function) -> Callable[[Any, Any], Any]:
    return lambda self, other: compare(self.data, other.data if isinstance(other, Traced) else other)


@with_methods(_method)
class Traced(Image):
    """A number of any kind that records what is computed with it, by `m`; comparisons compare the numbers."""

    __slots__ = ("m",)

    def __init__(self, m: Any, data: Any, operation: Operation, *operands: Any) -> None:
        super().__init__(data, operation, *operands)
        self.m = m

    __lt__, __le__ = _compared(operator.lt), _compared(operator.le)
    __gt__, __ge__ = _compared(operator.gt), _compared(operator.ge)
    __eq__, __ne__ = _compared(operator.eq), _compared(operator.ne)
    __hash__ = object.__hash__  # a graph goes by identity
