"""From scalars to matrices: every matrix equation of a network's backward pass beside the graph that it sums up.

From the bottom up: `formulas` (matrices, with transposes from the indices that are summed over; losses and slopes), `recorded`
(the terms of an entry, from the graph), `variants` (samples in columns, the other sign), `equations` (one equation, and how it
and all of them are printed), `matrices` (what the user holds).
"""

from nn.derivation.matrices import MatrixDerivation as MatrixDerivation
from nn.derivation.matrices import derive_matrices as derive_matrices
