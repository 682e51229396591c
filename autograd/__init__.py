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
__all__ = ["Drawing", "RenderError", "Value", "derive", "draw", "grad", "topological_order", "zero_grad"]
__all__ += ["BranchChanged", "Derivation", "GradientError", "GradientReport", "NonFinite", "ParseError", "Tape", "WrongWay"]
__all__ += ["WrongWays", "checkpoint", "derivative", "first_nonfinite", "gradcheck", "hessian", "hvp", "jacobian", "jvp"]
__all__ += ["no_grad", "operation", "parse", "paused_gc", "stop_gradient", "tangents", "taylor", "value_and_grad", "vjp"]
__all__ += ["wrong_ways"]
__all__ += functions.__all__
__all__ += several.__all__

_LATER = {
    "check": "GradientError GradientReport NonFinite first_nonfinite gradcheck",
    "cli.parse": "parse",
    "cli.tokens": "ParseError",
    "custom": "operation",
    "derive.derivation": "Derivation",
    "derive.report": "WrongWay WrongWays",
    "derive.wrong_ways": "wrong_ways",
    "forward": "jvp tangents",
    "functional": "derivative hessian hvp jacobian taylor value_and_grad vjp",
    "modes": "no_grad paused_gc stop_gradient",
    "recompute": "checkpoint",
    "tape.branches": "BranchChanged",
    "tape.replay": "Tape",
}
_LATER = {name: f"autograd.{module}" for module, names in _LATER.items() for name in names.split()}


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
