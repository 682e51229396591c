"""A tiny scalar autograd engine: a number that remembers how it was computed.

>>> from autograd import Value
>>> w, x, b = Value(0.5, "w"), Value(2.0, "x"), Value(-1.0, "b")
>>> y = (w * x + b).tanh()
>>> y.backward()
>>> w.grad, x.grad, b.grad
(2.0, 0.5, 1.0)

What is more than the engine, `_LATER`, is imported at its first use: `import autograd` stays light.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from autograd.check import GradientError, GradientReport, NonFinite, first_nonfinite, gradcheck
from autograd.draw import Drawing, RenderError, draw
from autograd.functions import cos, exp, log, logaddexp, maximum, minimum, relu, sigmoid, sin, softplus, sqrt, tanh
from autograd.gradients import grad, zero_grad
from autograd.graph import topological_order
from autograd.value import Value

if TYPE_CHECKING:
    from autograd.derivation.derive import Derivation, derive
    from autograd.derivation.parting import WrongWay, WrongWays
    from autograd.derivation.wrong_ways import wrong_ways
    from autograd.tapes.tape import Tape
    from autograd.terminal.parse import parse
    from autograd.terminal.tokens import ParseError

__all__ = [
    "Derivation",
    "Drawing",
    "GradientError",
    "GradientReport",
    "NonFinite",
    "ParseError",
    "RenderError",
    "Tape",
    "Value",
    "WrongWay",
    "WrongWays",
    "cos",
    "derive",
    "draw",
    "exp",
    "first_nonfinite",
    "grad",
    "gradcheck",
    "log",
    "logaddexp",
    "maximum",
    "minimum",
    "parse",
    "relu",
    "sigmoid",
    "sin",
    "softplus",
    "sqrt",
    "tanh",
    "topological_order",
    "wrong_ways",
    "zero_grad",
]

_LATER = {
    "Derivation": "autograd.derivation.derive",
    "derive": "autograd.derivation.derive",
    "WrongWay": "autograd.derivation.parting",
    "WrongWays": "autograd.derivation.parting",
    "wrong_ways": "autograd.derivation.wrong_ways",
    "Tape": "autograd.tapes.tape",
    "parse": "autograd.terminal.parse",
    "ParseError": "autograd.terminal.tokens",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'autograd' has no attribute {name!r}")
    found = getattr(import_module(_LATER[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
