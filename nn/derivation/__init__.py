"""From scalars to matrices: every matrix equation of a network's backward pass beside the graph that it sums up.

`matrices` puts the derivation together: `recorded` reads the terms of an entry off the graph, `notation` finds shapes and
transposes from the indices that are summed over, `formulas` has the words for losses and slopes, `variants` the same
with samples in columns and with the other sign; `written` and `latex` print it.
"""

from nn.derivation.matrices import MatrixDerivation as MatrixDerivation
from nn.derivation.matrices import derive_matrices as derive_matrices
