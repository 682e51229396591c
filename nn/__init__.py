"""Small neural networks three ways: made of Values, as the matrix formulas derived by hand, and as the fast loop.

>>> import nn
>>> X, Y = [[0.0, 1.0], [1.0, 1.0]], [[1.0], [0.0]]
>>> values = nn.MLP(2, [3, 1], rng=0)
>>> values.loss(X, Y).backward()
>>> formulas = nn.MatrixMLP.from_mlp(values).gradients(X, Y)
>>> round(values.weights[0][1][2].grad, 15) == round(formulas.weights[0][1, 2].item(), 15)
True
"""

import autograd

if not hasattr(autograd, "Value"):
    raise ImportError(
        "nn belongs to chainrule, and the autograd that is installed here is another one, as of HIPS; "
        "pip uninstall autograd, then pip install --force-reinstall chainrule"
    )

from nn.derivation import MatrixDerivation as MatrixDerivation
from nn.derivation import derive_matrices as derive_matrices
from nn.descent import DivergedError as DivergedError
from nn.descent import History as History
from nn.diagnose import Finding as Finding
from nn.diagnose import Report as Report
from nn.diagnose import diagnose as diagnose  # the function takes the place of the package's name
from nn.files import from_state_dict as from_state_dict
from nn.files import load as load
from nn.files import save as save
from nn.files import state_dict as state_dict
from nn.losses import LOSSES as LOSSES
from nn.matrix import Gradients as Gradients
from nn.matrix import MatrixMLP as MatrixMLP
from nn.mlp import MLP as MLP
from nn.mlp import Layer as Layer
from nn.mlp import Module as Module
from nn.mlp import Neuron as Neuron
from nn.optimizers import OPTIMIZERS as OPTIMIZERS
from nn.optimizers import optimizer as optimizer
from nn.plots import plot_boundary as plot_boundary
from nn.plots import plot_surface as plot_surface
from nn.train import fit as fit
