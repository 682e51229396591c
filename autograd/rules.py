"""The table: one row per operation, and the only place where its derivative stands.

A row is plain arithmetic. `table(m)` builds the rows on any module with NumPy's names: on `floats` they compute numbers
(`RULES`), on the engine's own functions they record graphs (which is how second derivatives come out), on NumPy they
compute arrays, on a module of symbols they print formulas. The trade-off: `where` computes both of its branches, and in
return one row serves every kind of number.

`partials(out, *inputs)` gives the local derivative with respect to each input; it sees the output first, so that nothing
is computed twice. Formulas: Abramowitz & Stegun, Handbook of Mathematical Functions, 3.3, 4.1, 4.2, 4.3, 4.5. At kinks
and edges: the subgradient of least norm, by continuity with inf allowed; nan where the derivative is undefined.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from autograd import floats

Domain = tuple[float, float]

REAL: Domain = (-3.0, 3.0)
POSITIVE: Domain = (0.1, 3.0)


class Rule(NamedTuple):
    """One row: how an operation is computed and how it is differentiated.

    `forward` takes one or two inputs; `partials` takes the output and the inputs, and returns one derivative for each.
    `domain` is the interval per input on which tests sample the operation.
    """

    name: str
    symbol: str
    forward: Callable[..., Any]
    partials: Callable[..., tuple[Any, ...]]
    domain: tuple[Domain, ...]

    def __deepcopy__(self, memo: object) -> Rule:
        return self  # a rule is known by identity, in a copied graph too

    def __reduce__(self) -> tuple[Any, ...]:
        return _rule_named, (self.name,)


def _rule_named(name: str) -> Rule:
    return {"leaf": LEAF, "constant": CONSTANT, **RULES}[name]


def table(m: Any) -> dict[str, Rule]:
    """The rows, built on the functions of `m`, a module with NumPy's names.

    >>> import numpy as np
    >>> table(np)["sin"].partials(0.0, np.array([0.0, np.pi]))
    (array([ 1., -1.]),)
    """
    where, divide, power = m.where, m.divide, m.power

    def logistic(a: Any) -> Any:
        e = m.exp(-m.absolute(a))  # at most 1: nothing cancels, nothing overflows
        return where(a < 0, e, 1) / (1 + e)

    sigmoid = getattr(m, "sigmoid", logistic)  # recorded Values and symbols keep it as the one operation that it is

    def softplus(a: Any) -> Any:
        return where(a > 0, a, 0) + m.log1p(m.exp(-m.absolute(a)))

    def gap(a: Any, b: Any) -> Any:  # a - b; zero where both are the same infinity
        return where((a == b) & (m.absolute(a) == m.inf), 0, a - b)

    def joined(a: Any, b: Any) -> Any:  # log(exp(a) + exp(b))
        return m.maximum(a, b) + m.log1p(m.exp(-m.absolute(gap(a, b))))

    logaddexp = getattr(m, "logaddexp", joined)

    def share(a: Any, b: Any) -> Any:  # of exp(a) in exp(a) + exp(b)
        return sigmoid(gap(a, b))

    def powers(out: Any, a: Any, b: Any) -> tuple[Any, Any]:  # of a**b; 0**0 is constant for a, 0**b for b >= 0
        by_base = where((a == 0) & (b == 0), 0, m.multiply(b, power(a, b - 1)))
        return by_base, where((a == 0) & (b >= 0), 0, m.multiply(out, m.log(a)))

    def reciprocal(a: Any) -> Any:  # 1 / a where log is defined; inf at zero, be it 0.0 or -0.0
        return where(a > 0, divide(1, a), where(a == 0, divide(1, a + 0), m.nan))

    def root(out: Any) -> Any:  # 1 / (2 sqrt(a)), inf at zero, be it 0.0 or -0.0
        return divide(0.5, where(out == 0, out + 0, out))

    def positive(a: Any) -> Any:  # max(a, 0)
        return where(a <= 0, m.zeros_like(a), a)

    def larger(a: Any, b: Any) -> Any:  # d max(a, b) / d a: 1 where a > b, one half at a tie
        zero = m.zeros_like(a)
        return m.heaviside(where(a == b, zero, a - b), 1 / (zero + 2))

    # fmt: off
    rows = (
        #    name         symbol       forward             partials, given out and the inputs                 domain
        Rule("add",       "+",         lambda a, b: a + b, lambda out, a, b: (1, 1),                          (REAL, REAL)),
        Rule("sub",       "-",         lambda a, b: a - b, lambda out, a, b: (1, -1),                         (REAL, REAL)),
        Rule("mul",       "*",         lambda a, b: a * b, lambda out, a, b: (b, a),                          (REAL, REAL)),
        Rule("div",       "/",         divide,             lambda out, a, b: (divide(1, b), -divide(out, b)), (REAL, POSITIVE)),
        Rule("pow",       "**",        power,              powers,                                            (POSITIVE, REAL)),
        Rule("neg",       "-",         lambda a: -a,       lambda out, a: (-1,),                              (REAL,)),
        Rule("abs",       "abs",       m.absolute,         lambda out, a: (m.sign(a),),                       (REAL,)),
        Rule("exp",       "exp",       m.exp,              lambda out, a: (out,),                             (REAL,)),
        Rule("log",       "log",       m.log,              lambda out, a: (reciprocal(a),),                   (POSITIVE,)),
        Rule("sqrt",      "sqrt",      m.sqrt,             lambda out, a: (root(out),),                       (POSITIVE,)),
        Rule("sin",       "sin",       m.sin,              lambda out, a: (m.cos(a),),                        (REAL,)),
        Rule("cos",       "cos",       m.cos,              lambda out, a: (-m.sin(a),),                       (REAL,)),
        Rule("tanh",      "tanh",      m.tanh,             lambda out, a: (1 - out * out,),                   (REAL,)),
        Rule("sigmoid",   "sigmoid",   sigmoid,            lambda out, a: (out * (1 - out),),                 (REAL,)),
        Rule("softplus",  "softplus",  softplus,           lambda out, a: (sigmoid(a),),                      (REAL,)),
        Rule("relu",      "relu",      positive,           lambda out, a: (m.heaviside(a, 0),),               (REAL,)),
        Rule("maximum",   "maximum",   m.maximum,          lambda out, a, b: (larger(a, b), larger(b, a)),    (REAL, REAL)),
        Rule("minimum",   "minimum",   m.minimum,          lambda out, a, b: (larger(b, a), larger(a, b)),    (REAL, REAL)),
        Rule("logaddexp", "logaddexp", logaddexp,          lambda out, a, b: (share(a, b), share(b, a)),      (REAL, REAL)),
    )
    # fmt: on
    return {row.name: row for row in rows}


RULES = table(floats)
LEAF = Rule("leaf", "", lambda: None, lambda out: (), ())  # a number that the user made: it accumulates its gradient
CONSTANT = LEAF._replace(name="constant")  # a plain number beside a Value: it has none
