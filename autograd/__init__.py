"""A tiny scalar autograd engine: a number that remembers how it was computed.

>>> from autograd import Value
>>> w, x, b = Value(0.5, "w"), Value(2.0, "x"), Value(-1.0, "b")
>>> y = (w * x + b).tanh()
>>> y.backward()
>>> w.grad, x.grad, b.grad
(2.0, 0.5, 1.0)

What is more than the engine is imported at its first use: `import autograd` stays light.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from autograd import functions, several
from autograd.derive import derive
from autograd.draw import Drawing, RenderError, draw
from autograd.functions import *  # noqa: F403  # one for each row of the table
from autograd.graph import topological_order
from autograd.several import *  # noqa: F403  # where, clip, and those of a list
from autograd.transforms import grad, zero_grad
from autograd.value import Value

if TYPE_CHECKING:
    from autograd.check import GradientError, GradientReport, NonFinite, first_nonfinite, gradcheck
    from autograd.cli.parse import parse
    from autograd.cli.tokens import ParseError
    from autograd.custom import operation
    from autograd.derive.derivation import Derivation
    from autograd.derive.report import WrongWay, WrongWays
    from autograd.derive.wrong_ways import wrong_ways
    from autograd.forward import jvp, tangents
    from autograd.functional import derivative, hessian, hvp, jacobian, taylor, value_and_grad, vjp
    from autograd.modes import no_grad, paused_gc, stop_gradient
    from autograd.recompute import checkpoint
    from autograd.tape.branches import BranchChanged
    from autograd.tape.replay import Tape

__version__ = "0.2.0"
__all__ = [
    "BranchChanged",
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
    "checkpoint",
    "derivative",
    "derive",
    "draw",
    "first_nonfinite",
    "grad",
    "gradcheck",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "no_grad",
    "operation",
    "parse",
    "paused_gc",
    "stop_gradient",
    "tangents",
    "taylor",
    "topological_order",
    "value_and_grad",
    "vjp",
    "wrong_ways",
    "zero_grad",
]
__all__ += functions.__all__
__all__ += several.__all__

_LATER = {
    **dict.fromkeys(("jvp", "tangents"), "autograd.forward"),
    **dict.fromkeys(("derivative", "hessian", "hvp", "jacobian", "taylor", "value_and_grad", "vjp"), "autograd.functional"),
    "checkpoint": "autograd.recompute",
    **dict.fromkeys(("GradientError", "GradientReport", "NonFinite", "first_nonfinite", "gradcheck"), "autograd.check"),
    **dict.fromkeys(("no_grad", "paused_gc", "stop_gradient"), "autograd.modes"),
    **dict.fromkeys(("WrongWay", "WrongWays"), "autograd.derive.report"),
    "Derivation": "autograd.derive.derivation",
    "operation": "autograd.custom",
    "wrong_ways": "autograd.derive.wrong_ways",
    "Tape": "autograd.tape.replay",
    "BranchChanged": "autograd.tape.branches",
    "parse": "autograd.cli.parse",
    "ParseError": "autograd.cli.tokens",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'autograd' has no attribute {name!r}")
    try:
        found = getattr(import_module(_LATER[name]), name)
    except AttributeError as error:  # Python would make "cannot import name" of it, and hide what is wrong
        raise ImportError(f"autograd.{name}: importing {_LATER[name]} failed: {error}") from error
    return globals().setdefault(name, found)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
