"""The table: one row per operation, and the only place where its derivative is written down.

Rows are plain arithmetic on `m`, whatever computes on the kind of number at hand: `FLOATS` here, recorded Values, NumPy
arrays, symbols. So one row computes numbers, records graphs (which is how second derivatives come out), prints formulas
and becomes compiled code. `partials(m, out, *inputs)` gives the derivative by each input; it sees the output first, so
that nothing is computed twice.

Formulas: Abramowitz & Stegun, Handbook of Mathematical Functions, chapters 3 and 4. At kinks and edges: the subgradient
of least norm, by continuity with inf allowed; nan where the derivative is undefined.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial
from math import inf, nan
from typing import Any, TypeAlias

from autograd import floats

Domain: TypeAlias = tuple[float, float]
Function: TypeAlias = Callable[..., Any]

REAL: Domain = (-3.0, 3.0)
POSITIVE: Domain = (0.1, 3.0)


class Operation:
    """One row: how an operation is computed, differentiated and spelled.

    A row is either primitive, with a `forward` that takes floats, or composed, with a `formula(m, *inputs)` of other rows;
    then `forward` is that formula on floats. `domain` has an interval for each operand, in which tests sample it.
    `method` is its name as a method of Value; `array` is how NumPy computes a primitive (a function, or the name of one),
    `native` the name of the C library's function, `javascript` that of JavaScript's, `latex` a template for its operands.
    """

    __slots__ = (
        *("name", "symbol", "forward", "formula", "partials", "domain", "arity", "many", "selects"),
        *("method", "array", "native", "javascript", "latex"),
    )

    def __init__(
        self,
        name: str,
        symbol: str,
        forward: Function,
        partials: Function,
        domain: tuple[Domain, ...],
        *,
        formula: Function | None = None,
        method: str = "",
        selects: bool = False,
        array: Function | str | None = None,
        native: str | None = None,
        javascript: str | None = None,
        latex: str | None = None,
    ) -> None:
        self.name, self.symbol, self.forward, self.partials, self.domain = name, symbol, forward, partials, domain
        self.method, self.selects = method, selects
        self.formula, self.array, self.native, self.javascript, self.latex = formula, array, native, javascript, latex
        self.arity = len(domain)
        self.many = self.arity > 2  # nodes keep two operands in slots of their own, and more in a third

    def __repr__(self) -> str:
        return f"Operation({self.name!r})"

    def __copy__(self) -> Operation:
        return self  # an operation is known by identity, in a copied graph too

    def __deepcopy__(self, memo: object) -> Operation:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return named, (self.name,)


class Arithmetic:
    """What a row computes with: every operation of the table by its name, on one kind of number.

    `find(operation)` returns the function that computes it on these numbers, or None; a composed operation is then
    computed by its formula. Names are looked up when they are used. `own` are names that are not in the table.

    >>> FLOATS.exp(0.0), FLOATS.where(1 > 2, 3.0, 4.0)
    (1.0, 4.0)
    """

    def __init__(self, find: Callable[[Operation], Function | None], **own: Function) -> None:
        self._find = find
        vars(self).update(own)

    def __getattr__(self, name: str) -> Function:
        if name.startswith("_") or (name not in OPERATIONS and name not in CHOICES):
            raise AttributeError(f"m.{name}: there is no operation {name!r} in the table")
        function = self._computing(named(name))
        if name in BUILT_IN:  # what a user registers may be registered anew
            vars(self)[name] = function
        return function

    def __getitem__(self, row: Operation) -> Function:
        """What computes this very record, which a node may have kept from before its name was registered anew."""
        return getattr(self, row.name) if row.name in BUILT_IN else self._computing(row)

    def _computing(self, row: Operation) -> Function:
        function = self._find(row) or (row.formula and partial(row.formula, self))
        if function is None:
            raise NotImplementedError(f"the operation {row.name!r} has no function for these numbers")
        return function


def named(name: str) -> Operation:
    """The operation of that name. Raises `LookupError` where it is not registered, as in a process that unpickles a graph."""
    row = SPECIAL.get(name) or OPERATIONS.get(name) or CHOICES.get(name)
    if row is None:
        raise LookupError(
            f"the operation {name!r} is not registered here; call autograd.operation({name!r}, ...), as the program did that "
            "recorded the graph, and then load it"
        )
    return row


def primitive(name: str, symbol: str, forward: Function, partials: Function, *domain: Domain, **spelled: Any) -> Operation:
    """A row that each backend computes by a function of its own: NumPy, C and JavaScript call it by its name."""
    spelling: dict[str, Any] = {"array": name, "native": name, "javascript": f"Math.{name}", "latex": rf"\{name}"}
    spelling["method"] = f"__{name}__" if not symbol.isidentifier() else name if len(domain) == 1 else ""
    return Operation(name, symbol, forward, partials, domain, **{**spelling, **spelled})


def composed(name: str, formula: Function, partials: Function, *domain: Domain, **spelled: Any) -> Operation:
    """A row that is computed by a formula of other rows."""
    method = name if len(domain) == 1 else ""
    return Operation(name, name, partial(formula, FLOATS), partials, domain, formula=formula, method=method, **spelled)


def _logistic(m: Any, a: Any) -> Any:
    e = m.exp(-m.abs(a))  # at most 1: nothing cancels, nothing overflows
    return m.where(a < 0, e, 1) / (1 + e)


def _gap(m: Any, a: Any, b: Any) -> Any:  # a - b; zero where both are the same infinity
    return m.where((a == b) & (m.abs(a) == inf), 0, a - b)


def _share(m: Any, a: Any, b: Any) -> Any:  # of exp(a) in exp(a) + exp(b)
    return m.sigmoid(_gap(m, a, b))


def _powers(m: Any, out: Any, a: Any, b: Any) -> tuple[Any, Any]:  # of a**b; 0**0 is constant for a, 0**b for b >= 0
    by_base = m.where((a == 0) & (b == 0), 0, m.mul(b, m.pow(a, b - 1)))
    return by_base, m.where((a == 0) & (b >= 0), 0, m.mul(out, m.log(a)))


def _reciprocal(m: Any, a: Any) -> Any:  # 1 / a where log is defined; inf at zero, be it 0.0 or -0.0
    return m.where(a > 0, m.div(1, a), m.where(a == 0, m.div(1, a + 0), nan))


def _root(m: Any, out: Any) -> Any:  # 1 / (2 sqrt(a)), inf at zero, be it 0.0 or -0.0
    return m.div(0.5, m.where(out == 0, out + 0, out))


def _larger(m: Any, a: Any, b: Any) -> Any:  # d max(a, b) / d a: 1 where a > b, one half at a tie
    zero = m.zeros_like(a)
    return m.heaviside(m.where(a == b, zero, a - b), 1 / (zero + 2))


def _softplus(m: Any, a: Any) -> Any:
    return m.where(a > 0, a, 0) + m.log1p(m.exp(-m.abs(a)))


def _positive(m: Any, a: Any) -> Any:
    return m.where(a <= 0, m.zeros_like(a), a)


def _maximum(m: Any, a: Any, b: Any) -> Any:  # nan if either is nan, which alone differs from itself
    return m.where(a >= b, a, m.where(a == a, b, a))  # noqa: PLR0124  # as said


def _minimum(m: Any, a: Any, b: Any) -> Any:
    return m.where(a <= b, a, m.where(a == a, b, a))  # noqa: PLR0124  # as above


def _logaddexp(m: Any, a: Any, b: Any) -> Any:
    return m.maximum(a, b) + m.log1p(m.exp(-m.abs(_gap(m, a, b))))


def _sign(m: Any, a: Any) -> Any:
    return m.where(a > 0, 1, m.where(a < 0, -1, m.where(a == 0, 0, nan)))


def _step(m: Any, a: Any, at_zero: Any) -> Any:
    return m.where(a > 0, 1, m.where(a < 0, 0, m.where(a == 0, at_zero, nan)))


FLOATS = Arithmetic(lambda row: row.forward, mul=floats.multiply, zeros_like=lambda a: type(a)())


def _steady(m: Any, out: Any, *inputs: Any) -> tuple[int, ...]:  # noqa: ARG001  # of what only jumps
    return (0,) * len(inputs)


# fmt: off
CHOICES = {row.name: row for row in (  # what formulas choose by
    primitive("where",         "where", floats.where,  lambda m, out, c, a, b: (0, m.where(c, 1, 0), m.where(c, 0, 1)),
              (0, 1), REAL, REAL),
    primitive("less",          "<",     operator.lt,   _steady, REAL, REAL, array=operator.lt),
    primitive("less_equal",    "<=",    operator.le,   _steady, REAL, REAL, array=operator.le),
    primitive("greater",       ">",     operator.gt,   _steady, REAL, REAL, array=operator.gt),
    primitive("greater_equal", ">=",    operator.ge,   _steady, REAL, REAL, array=operator.ge),
    primitive("equal",         "==",    operator.eq,   _steady, REAL, REAL, array=operator.eq),
    primitive("logical_and",   "and",   operator.and_, _steady, (0, 1), (0, 1), array=operator.and_),
)}
OPERATIONS: dict[str, Operation] = {row.name: row for row in (
    #         name         symbol   value           derivative by each operand                                sampled on
    primitive("add",       "+",     operator.add,   lambda m, out, a, b: (1, 1),                              REAL, REAL,
              array=operator.add),
    primitive("sub",       "-",     operator.sub,   lambda m, out, a, b: (1, -1),                             REAL, REAL,
              array=operator.sub),
    primitive("mul",       "*",     operator.mul,   lambda m, out, a, b: (b, a),                              REAL, REAL,
              array=operator.mul),
    primitive("div",       "/",     floats.divide,  lambda m, out, a, b: (m.div(1, b), -m.div(out, b)),       REAL, POSITIVE,
              array="divide", method="__truediv__"),
    primitive("pow",       "**",    floats.power,   _powers,                                                  POSITIVE, REAL,
              array="power", javascript="power"),
    primitive("neg",       "-",     operator.neg,   lambda m, out, a: (-1,),                                  REAL,
              array=operator.neg),
    primitive("abs",       "abs",   abs,            lambda m, out, a: (m.sign(a),),                           REAL,
              array="absolute", method="__abs__", latex=r"\left|{}\right|"),
    primitive("exp",       "exp",   floats.exp,     lambda m, out, a: (out,),                                 REAL,
              latex="e^{{{}}}"),
    primitive("log",       "log",   floats.log,     lambda m, out, a: (_reciprocal(m, a),),                   POSITIVE),
    primitive("log1p",     "log1p", floats.log1p,   lambda m, out, a: (_reciprocal(m, 1 + a),),               POSITIVE,
              latex=r"\log\left(1 + {}\right)"),
    primitive("sqrt",      "sqrt",  floats.sqrt,    lambda m, out, a: (_root(m, out),),                       POSITIVE,
              latex=r"\sqrt{{{}}}"),
    primitive("sin",       "sin",   floats.sin,     lambda m, out, a: (m.cos(a),),                            REAL),
    primitive("cos",       "cos",   floats.cos,     lambda m, out, a: (-m.sin(a),),                           REAL),
    primitive("tanh",      "tanh",  floats.tanh,    lambda m, out, a: (1 - out * out,),                       REAL),
    #        name         value by other rows       derivative by each operand                                sampled on
    composed("sigmoid",   _logistic,                lambda m, out, a: (out * (1 - out),),                     REAL,
             latex=r"\sigma"),
    composed("softplus",  _softplus,                lambda m, out, a: (m.sigmoid(a),),                        REAL),
    composed("relu",      _positive,                lambda m, out, a: (m.heaviside(a, 0),),                   REAL),
    composed("maximum",   _maximum,                 lambda m, out, a, b: (_larger(m, a, b), _larger(m, b, a)), REAL, REAL,
             latex=r"\max"),
    composed("minimum",   _minimum,                 lambda m, out, a, b: (_larger(m, b, a), _larger(m, a, b)), REAL, REAL,
             latex=r"\min"),
    composed("logaddexp", _logaddexp,               lambda m, out, a, b: (_share(m, a, b), _share(m, b, a)),   REAL, REAL,
             latex=r"\log\left(e^{{{}}} + e^{{{}}}\right)"),
    composed("sign",      _sign,                    _steady,                                                   REAL),
    composed("heaviside", _step,                    lambda m, out, a, b: (0, m.where(a == 0, 1, 0)),          REAL, REAL),
)}
# fmt: on
BUILT_IN = frozenset({*OPERATIONS, *CHOICES})
LEAF = Operation("leaf", "", lambda: None, lambda m, out: (), ())  # a number that the user made: it accumulates its gradient
CONSTANT = Operation("constant", "", lambda: None, lambda m, out: (), ())  # a plain number beside a Value: it has none
SPECIAL = {"leaf": LEAF, "constant": CONSTANT}


def local_partials(node: Any) -> tuple[Any, ...]:
    """The derivatives of a node by each of its operands, at their numbers; none for a leaf.

    >>> from autograd import Value
    >>> local_partials(Value(2.0) * Value(5.0))
    (5.0, 2.0)
    """
    partials: tuple[Any, ...] = node.operation.partials(FLOATS, node.data, *(parent.data for parent in node.parents))
    return partials
