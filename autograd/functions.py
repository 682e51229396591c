"""The operations as functions: `exp(v)` beside `v.exp()`, and those of two, `maximum(a, b)`.

A plain number given to them becomes a constant, so `exp(1)` is a Value too. At the end stands `RECORDED`, the table of
rules built on these functions: it records a graph instead of computing a number.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, TypeAlias

from autograd import floats
from autograd.rules import RULES, table
from autograd.value import Number, Value, binary, lift, unary

Operand: TypeAlias = Value | Number


def _one_input(name: str) -> Callable[[Operand], Value]:
    rule, method = RULES[name], getattr(Value, name)

    def function(a: Operand) -> Value:
        result: Value = method(lift(a, None, rule))
        return result

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""The Value {name}(a) of a Value or a number, recorded as one node. Also a method of Value.

    Raises TypeError for anything that is not a real number. Its derivative is the row {name!r} of autograd.rules.

    >>> from autograd import {name}
    >>> {name}(0.5).data == RULES[{name!r}].forward(0.5)
    True
    """
    return function


def _two_inputs(name: str, what: str, flow: str) -> Callable[[Operand, Operand], Value]:
    rule = RULES[name]
    method, _ = binary(rule)

    def function(a: Operand, b: Operand) -> Value:
        result: Value = method(lift(a, b, rule), b)
        return result

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""The {what} of two Values or numbers, recorded as one node; nan if either is nan.

    {flow} Raises TypeError for anything that is not a real number. Its derivative is the row {name!r} of autograd.rules.

    >>> from autograd import {name}
    >>> {name}(Value(2.0), 2).data == RULES[{name!r}].forward(2.0, 2.0)
    True
    """
    return function


exp, log, sqrt = _one_input("exp"), _one_input("log"), _one_input("sqrt")
sin, cos, tanh = _one_input("sin"), _one_input("cos"), _one_input("tanh")
sigmoid, relu, softplus = _one_input("sigmoid"), _one_input("relu"), _one_input("softplus")
maximum = _two_inputs("maximum", "larger", "The gradient goes to the larger; at a tie each gets half of it.")
minimum = _two_inputs("minimum", "smaller", "The gradient goes to the smaller; at a tie each gets half of it.")
logaddexp = _two_inputs(
    "logaddexp", "log(exp(a) + exp(b))", "Neither overflows; each gets the share that its exp has in the sum."
)

_recording: dict[str, Any] = {
    **vars(floats),  # where, sign and heaviside decide by comparing, which Values do by their data
    **{f.__name__: f for f in (exp, log, sqrt, sin, cos, tanh, sigmoid, maximum, minimum, logaddexp)},
    "absolute": abs,
    "divide": operator.truediv,
    "multiply": operator.mul,
    "power": operator.pow,
    "zeros_like": lambda a: type(a.data)(),
}
RECORDED = {
    name: row._replace(forward=(unary if len(row.domain) == 1 else lambda rule: binary(rule)[0])(RULES[name]))
    for name, row in table(SimpleNamespace(**_recording)).items()
}
