"""A tiny scalar autograd engine: a number that remembers how it was computed.

>>> from autograd import Value
>>> w, x, b = Value(0.5, "w"), Value(2.0, "x"), Value(-1.0, "b")
>>> y = (w * x + b).tanh()
>>> y.backward()
>>> w.grad, x.grad, b.grad
(2.0, 0.5, 1.0)
"""

from autograd.check import GradientError as GradientError
from autograd.check import GradientReport as GradientReport
from autograd.check import NonFinite as NonFinite
from autograd.check import first_nonfinite as first_nonfinite
from autograd.check import gradcheck as gradcheck
from autograd.derive import Derivation as Derivation
from autograd.derive import derive as derive
from autograd.draw import Drawing as Drawing
from autograd.draw import RenderError as RenderError
from autograd.draw import draw as draw
from autograd.functions import cos as cos
from autograd.functions import exp as exp
from autograd.functions import log as log
from autograd.functions import maximum as maximum
from autograd.functions import minimum as minimum
from autograd.functions import relu as relu
from autograd.functions import sigmoid as sigmoid
from autograd.functions import sin as sin
from autograd.functions import softplus as softplus
from autograd.functions import sqrt as sqrt
from autograd.functions import tanh as tanh
from autograd.gradients import grad as grad
from autograd.gradients import zero_grad as zero_grad
from autograd.graph import topological_order as topological_order
from autograd.parse import parse as parse
from autograd.parting import WrongWay as WrongWay
from autograd.parting import WrongWays as WrongWays
from autograd.tape import Tape as Tape
from autograd.tokens import ParseError as ParseError
from autograd.value import Value as Value
from autograd.wrong_ways import wrong_ways as wrong_ways
