"""The table: one row per operation, and the only place where its derivative is written down.

Rows are plain arithmetic on `m`, whatever computes on the kind of number at hand: `FLOATS`, recorded Values, NumPy arrays,
symbols. Formulas: Abramowitz & Stegun, Handbook of Mathematical Functions, chapters 3 and 4. At kinks and edges: the
subgradient of least norm, by continuity with inf allowed; nan where the derivative is undefined.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import cache, partial
from typing import Any, TypeAlias

from autograd import floats
from autograd import formulas as f

Domain: TypeAlias = tuple[float, float]
Function: TypeAlias = Callable[..., Any]

REAL: Domain = (-3.0, 3.0)
POSITIVE: Domain = (0.1, 3.0)
UNIT: Domain = (-0.9, 0.9)


class Operation:
    """One row: how an operation is computed, differentiated and spelled.

    A row is either primitive, with a `forward` that takes floats, or composed, with a `formula(m, *inputs)` of other rows;
    then `forward` is that formula on floats. `partials(m, out, *inputs)` gives the derivative by each input. `domain` has an
    interval for each operand, in which tests sample it. `method` is its name as a method of Value, `array` how NumPy computes
    a primitive (a function, or the name of one), `native` the name of the C library's function, `javascript` that of
    JavaScript's, `latex` a template for its operands. `arity` is None for a row of any number of operands; its domain is then
    a sample. An operand whose partial is 0 in a row that `selects`, the arm that was not taken, is sent nothing.
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
        array: Function | str | None = None,
        native: str | None = None,
        javascript: str | None = None,
        latex: str | None = None,
        selects: bool = False,
        several: bool = False,
    ) -> None:
        self.name, self.symbol, self.forward, self.partials, self.domain = name, symbol, forward, partials, domain
        self.method, self.formula, self.array, self.native, self.javascript, self.latex = (
            method,
            formula,
            array,
            native,
            javascript,
            latex,
        )
        self.arity = None if several else len(domain)
        self.many = several or len(domain) > 2  # nodes keep two operands in slots of their own, and more in a third
        self.selects = selects

    def sends(self, partial: Any) -> bool:
        """Whether an operand with this partial is sent anything."""
        return not self.selects or partial != 0

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
    """

    def __init__(self, find: Callable[[Operation], Function | None], **own: Function) -> None:
        self._find = find
        vars(self).update(own)

    def __getattr__(self, name: str) -> Function:
        if name.startswith("_") or name not in OPERATIONS:
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
    row = SPECIAL.get(name) or OPERATIONS.get(name)
    if row is None:
        raise LookupError(
            f"the operation {name!r} is not registered here; call autograd.operation({name!r}, ...), as the program did that "
            "recorded the graph, and then load it"
        )
    return row


def primitive(name: str, symbol: str, forward: Function, partials: Function, *domain: Domain, **spelled: Any) -> Operation:
    """A row that each backend computes by a function of its own: NumPy, C and JavaScript call it by its name."""
    spelling: dict[str, Any] = {"array": name, "native": name, "javascript": f"Math.{spelled.get('native', name)}"}
    spelling["method"] = f"__{name}__" if not symbol.isidentifier() else name if len(domain) == 1 else ""
    return Operation(name, symbol, forward, partials, domain, **{**spelling, **spelled})


def composed(name: str, formula: Function, partials: Function, *domain: Domain, **spelled: Any) -> Operation:
    """A row that is computed by a formula of other rows."""
    spelling = {"symbol": name, "forward": partial(formula, FLOATS), "method": name if len(domain) == 1 else ""}
    return Operation(name, partials=partials, domain=domain, formula=formula, **{**spelling, **spelled})


def jumping(name: str, symbol: str, forward: Function, *domain: Domain, **spelled: Any) -> Operation:
    """A primitive row that has slope 0 everywhere."""
    return primitive(name, symbol, forward, f.steady, *domain, selects=True, **spelled)


FLOATS = Arithmetic(lambda row: row.forward, mul=floats.multiply, zeros_like=lambda a: type(a)())


# fmt: off
ROWS = (
    #         name         symbol   value           derivative by each operand                                sampled on
    primitive("add",       "+",     operator.add,   lambda m, out, a, b: (1, 1),                          REAL, REAL,
              array=operator.add),
    primitive("sub",       "-",     operator.sub,   lambda m, out, a, b: (1, -1),                         REAL, REAL,
              array=operator.sub),
    primitive("mul",       "*",     operator.mul,   lambda m, out, a, b: (b, a),                          REAL, REAL,
              array=operator.mul),
    primitive("div",       "/",     floats.divide,  lambda m, out, a, b: (m.div(1, b), -m.div(out, b)),   REAL, POSITIVE,
              array="divide", method="__truediv__"),
    primitive("pow",       "**",    floats.power,   f.powers,                                             POSITIVE, REAL,
              array="power", javascript="power"),
    primitive("neg",       "-",     operator.neg,   lambda m, out, a: (-1,),                              REAL,
              array=operator.neg),
    primitive("abs",       "abs",   abs,            lambda m, out, a: (m.sign(a),),                       REAL,
              array="absolute", method="__abs__", native="fabs", javascript="Math.abs", latex=r"\left|{}\right|"),
    primitive("exp",       "exp",   floats.exp,     lambda m, out, a: (out,),                             REAL,
              latex="e^{{{}}}"),
    primitive("log",       "log",   floats.log,     lambda m, out, a: (f.one_over(m, a),),                POSITIVE),
    primitive("log1p",     "log1p", floats.log1p,   lambda m, out, a: (f.one_over(m, 1 + a),),            POSITIVE,
              latex=r"\log\left(1 + {}\right)"),
    primitive("exp2",      "exp2",  floats.exp2,    lambda m, out, a: (out * m.log(2),),                     REAL,
              javascript="2 ** a", latex="2^{{{}}}"),
    primitive("expm1",     "expm1", floats.expm1,   lambda m, out, a: (m.exp(a),),                        REAL),
    primitive("log2",      "log2",  floats.log2,    lambda m, out, a: (f.one_over(m, a * m.log(2)),),        POSITIVE,
              latex=r"\log_2"),
    primitive("log10",     "log10", floats.log10,   lambda m, out, a: (f.one_over(m, a * m.log(10)),),       POSITIVE,
              latex=r"\log_{10}"),
    composed("mod",        f.modulo,                lambda m, out, a, b: (1, -f.whole(m, out, a, b)),     REAL, POSITIVE,
             symbol="%", forward=floats.modulo, method="__mod__"),
    composed("square",     lambda m, a: a * a,      lambda m, out, a: (2 * a,),                           REAL),
    composed("reciprocal", lambda m, a: m.div(1, a), lambda m, out, a: (-(out * out),),                   POSITIVE),
    primitive("sqrt",      "sqrt",  floats.sqrt,    lambda m, out, a: (m.div(0.5, m.where(out == 0, out + 0, out)),), POSITIVE,
              latex=r"\sqrt{{{}}}"),  # -0.0 + 0 is 0.0
    primitive("cbrt",      "cbrt",  floats.cbrt,    lambda m, out, a: (m.pow(out, -2) / 3,),              POSITIVE,
              latex=r"\sqrt[3]{{{}}}"),
    primitive("hypot",     "hypot", floats.hypot,   f.hypot_slopes,                                       REAL, REAL,
              method="hypot"),
    primitive("sin",       "sin",   floats.sin,     lambda m, out, a: (m.cos(a),),                        REAL),
    primitive("cos",       "cos",   floats.cos,     lambda m, out, a: (-m.sin(a),),                       REAL),
    primitive("tan",       "tan",   floats.tan,     lambda m, out, a: (1 + out * out,),                   UNIT),
    primitive("arcsin",    "arcsin", floats.arcsin, lambda m, out, a: (m.div(1, m.sqrt(f.circle(m, a))),), UNIT,
              native="asin"),
    primitive("arccos",    "arccos", floats.arccos, lambda m, out, a: (-m.div(1, m.sqrt(f.circle(m, a))),), UNIT,
              native="acos"),
    primitive("arctan",    "arctan", floats.arctan, lambda m, out, a: (f.arctan_slope(m, a),),            REAL,
              native="atan"),
    primitive("arctan2",   "arctan2", floats.arctan2, f.angle_slopes,                                     REAL, POSITIVE,
              native="atan2", method="arctan2"),
    primitive("sinh",      "sinh",  floats.sinh,    lambda m, out, a: (m.cosh(a),),                       REAL),
    primitive("cosh",      "cosh",  floats.cosh,    lambda m, out, a: (m.sinh(a),),                       REAL),
    primitive("tanh",      "tanh",  floats.tanh,    lambda m, out, a: (1 - out * out,),                   REAL),
    primitive("arcsinh",   "arcsinh", floats.arcsinh, lambda m, out, a: (m.div(1, m.hypot(1, a)),),       REAL,
              native="asinh"),
    primitive("arccosh",   "arccosh", floats.arccosh, lambda m, out, a: (m.div(m.div(1, m.sqrt(a - 1)), m.sqrt(a + 1)),),
              (1.1, 4.0), native="acosh"),
    primitive("arctanh",   "arctanh", floats.arctanh, lambda m, out, a: (f.one_over(m, f.circle(m, a)),),     UNIT,
              native="atanh"),
    primitive("erf",       "erf",   floats.erf,     lambda m, out, a: (f.gauss(m, a),),                   REAL,
              javascript=f.ERF_JS),
    primitive("erfc",      "erfc",  floats.erfc,    lambda m, out, a: (-f.gauss(m, a),),                  REAL,
              javascript=f.ERFC_JS),
    composed("sinc",       lambda m, a: m.where(a == 0, 1, m.div(m.sin(f.pi(m) * a), f.pi(m) * a)),
             lambda m, out, a: (f.sinc_slope(m, out, a),), REAL),
    composed("deg2rad",    lambda m, a: a * f.degree(m), lambda m, out, a: (f.degree(m),),                     REAL),
    composed("rad2deg",    lambda m, a: a * (180 / f.pi(m)), lambda m, out, a: (180 / f.pi(m),),                   REAL),
    composed("sigmoid",    f.logistic,              lambda m, out, a: (out * (1 - out),),                 REAL,
             latex=r"\sigma"),
    composed("softplus",   f.softplus,              lambda m, out, a: (m.sigmoid(a),),                    REAL),
    composed("softsign",   lambda m, a: f.at_ends(m, a, m.sign(a), m.div(a, 1 + m.abs(a))),
             lambda m, out, a: (m.pow(1 + m.abs(a), -2),), REAL),
    composed("relu",       lambda m, a: m.where(a <= 0, m.zeros_like(a), a), lambda m, out, a: (m.heaviside(a, 0),), REAL,
             selects=True),
    composed("leaky_relu", lambda m, a: m.where(a <= 0, f.SLOPE * a, a),
             lambda m, out, a: (f.SLOPE + (1 - f.SLOPE) * m.heaviside(a, 0),), REAL),
    composed("elu",        lambda m, a: m.relu(a) + m.expm1(-m.relu(-a)), lambda m, out, a: (m.exp(-m.relu(-a)),), REAL),
    composed("gelu",       f.gelu,                  lambda m, out, a: (f.gelu_slope(m, a),),              REAL),
    composed("silu",       lambda m, a: f.at_ends(m, a, m.relu(a), a * m.sigmoid(a)),
             lambda m, out, a: (f.silu_slope(m, a),), REAL),
    composed("maximum",    f.maximum,               lambda m, out, a, b: (f.larger(m, a, b), f.larger(m, b, a)), REAL, REAL,
             selects=True, latex=r"\max"),
    composed("minimum",    f.minimum,               lambda m, out, a, b: (f.larger(m, b, a), f.larger(m, a, b)), REAL, REAL,
             selects=True, latex=r"\min"),
    composed("clip",       lambda m, a, low, high: m.minimum(m.maximum(a, low), high), f.clip_slopes,
             REAL, (-2.0, -1.0), (1.0, 2.0), selects=True, method="clip"),
    composed("logaddexp",  f.logaddexp,             lambda m, out, a, b: (m.sigmoid(f.gap(m, a, b)), m.sigmoid(f.gap(m, b, a))),
             REAL, REAL, latex=r"\log\left(e^{{{}}} + e^{{{}}}\right)"),
    #        of any number: the sample is of one number of operands
    composed("total",      f.total,                 lambda m, out, *values: (1,) * len(values), REAL, REAL, REAL, several=True),
    composed("dot",        f.dot,                   f.others, *[REAL] * 4, several=True),
    composed("logsumexp",  f.logsumexp,             f.shares, REAL, REAL, REAL, several=True),
    #        what jumps has slope 0 everywhere
    composed("sign",       f.sign,                  f.steady,                                             REAL,
             selects=True),
    composed("heaviside",  f.step,                  lambda m, out, a, b: (0, m.where(a == 0, 1, 0)),      REAL, REAL,
             selects=True),
    jumping("floor",       "floor", floats.floor,   REAL, latex=r"\left\lfloor {} \right\rfloor"),
    jumping("ceil",        "ceil",  floats.ceil,    REAL, latex=r"\left\lceil {} \right\rceil"),
    jumping("trunc",       "trunc", floats.trunc,   REAL),
    jumping("rint",        "rint",  floats.rint,    REAL, javascript=f.RINT_JS),
    primitive("fmod",      "fmod",  floats.fmod,    lambda m, out, a, b: (1, -f.whole(m, out, a, b)),     REAL, POSITIVE,
              javascript="a % b", method="fmod"),
    #        choices: the arm that is not taken is sent nothing; recorded, a comparison is 1.0 or 0.0
    primitive("where",     "where", floats.where,   lambda m, out, c, a, b: (0, m.where(c, 1, 0), m.where(c, 0, 1)),
              (0, 1), REAL, REAL, selects=True),
    jumping("less",          "<",   floats.less,    REAL, REAL, array=operator.lt, method=""),
    jumping("less_equal",    "<=",  floats.less_equal, REAL, REAL, array=operator.le, method=""),
    jumping("greater",       ">",   floats.greater, REAL, REAL, array=operator.gt, method=""),
    jumping("greater_equal", ">=",  floats.greater_equal, REAL, REAL, array=operator.ge, method=""),
    jumping("equal",         "==",  floats.equal,   REAL, REAL, array=operator.eq, method=""),
    jumping("not_equal",     "!=",  floats.not_equal, REAL, REAL, array=operator.ne, method=""),
    jumping("logical_and",   "and", floats.both,    (0, 1), (0, 1), method=""),
)
# fmt: on
OPERATIONS: dict[str, Operation] = {row.name: row for row in ROWS}
BUILT_IN = frozenset(OPERATIONS)
LEAF = Operation("leaf", "", lambda: None, lambda m, out: (), ())  # a number that the user made: it accumulates its gradient
CONSTANT = Operation("constant", "", lambda: None, lambda m, out: (), ())  # a plain number beside a Value: it has none
SPECIAL = {"leaf": LEAF, "constant": CONSTANT}


@cache
def of_count(row: Operation, count: int) -> Operation:
    """The row for exactly so many operands, for readers that name each; itself if it is of a certain number."""
    if row.arity is not None:
        return row
    return Operation(row.name, row.symbol, row.forward, row.partials, (REAL,) * count, formula=row.formula)


def local_partials(node: Any) -> tuple[Any, ...]:
    """The derivatives of a node by each of its operands, at their numbers; none for a leaf."""
    partials: tuple[Any, ...] = node.operation.partials(FLOATS, node.data, *(parent.data for parent in node.parents))
    return partials
