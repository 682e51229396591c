"""Examples of what is not public: pytest runs the docstrings."""


def of_nn_arrays() -> None:
    """
    >>> from nn.arrays import *
    >>> import numpy as np

    shape_of:

    >>> shape_of([[1, 2], [3, 4], [5, 6]], "X")
    (3, 2)

    sequence:

    >>> sequence((3, 4), "sizes", "[3, 4, 1]")
    [3, 4]

    whole:

    >>> whole("steps", np.int64(3), 0)
    3

    layers:

    >>> [w.shape for w in layers([[[1.0], [2.0]], [[3.0]]], None, stacks=False)[0]]
    [(2, 1), (1, 1)]

    """


def of_nn_activations() -> None:
    """
    >>> from nn.activations import *
    >>> import numpy as np

    of:

    >>> ACTIVATIONS["relu"].of(np.array([-2.0, 3.0]))
    array([0., 3.])

    through:

    >>> ACTIVATIONS["sigmoid"].through(np.array([0.5]), np.array([2.0]))
    array([0.5])

    of_objects:

    >>> of_objects(np.exp, np.array([Value(0.0)]))
    array([Value(data=1.0, grad=0.0)], dtype=object)

    logistic:

    >>> out = np.empty(3)
    >>> logistic(np.array([-1000.0, 0.0, 1000.0]), out, np.empty(3)); out
    array([0. , 0.5, 1. ])

    shifted_exp:

    >>> out = np.empty((1, 3))
    >>> shifted_exp(np.array([[-40.0, 0.0, 0.0]]), out)[1], out[0, 1:]
    (array([[1.]]), array([1., 1.]))

    records:

    >>> [activation.slope_at(np.array([3.0])) for activation in records(["relu", "linear"])]
    [array([1.]), array([1.])]

    activation_names:

    >>> activation_names("sigmoid", 2)
    ('sigmoid', 'sigmoid')

    """


def of_nn_files_checkpoint() -> None:
    """
    >>> from nn.files.checkpoint import *
    >>> from nn.files.checkpoint import _difference
    >>> import numpy as np

    digest:

    >>> digest(np.zeros((4, 3)))
    '(4, 3) 2ea9ab9198d1638007400cd2c3bef1cc745b864b76011a0e1bc52180ac6452d4'

    _difference:

    >>> _difference("X", "(4, 3) 2ea9", "(5, 3) 1b0a"), _difference("X", "(4, 3) 2ea9", "(4, 3) 1b0a")
    ('X (4, 3) there, (5, 3) here', 'X other numbers there than here')

    """


def of_nn_files_npz() -> None:
    """
    >>> from nn.files.npz import *
    >>> import numpy as np

    checked_path:

    >>> checked_path("model.npz", ".npz")
    'model.npz'

    """


def of_nn_train() -> None:
    """
    >>> from nn.train import *
    >>> from nn.train import _stops
    >>> import numpy as np

    _stops:

    >>> list(_stops(3, 10, [4, 6]))
    [3, 4, 6, 8, 10]

    """


def of_nn_losses() -> None:
    """
    >>> from nn.losses import *
    >>> import numpy as np

    reduced:

    >>> LOSSES["half_squared_error"].reduced("mean").reduction
    'all'

    """


def of_nn_derivation_matrices() -> None:
    """
    >>> from nn.derivation.formulas import *
    >>> from autograd.expressions import as_text, symbol
    >>> import numpy as np

    product:

    >>> a1, delta2 = matrix("a1", "si", (5, 4)), matrix("delta2", "sj", (5, 1))
    >>> [factor.text for factor in product(a1, delta2)]
    ['a1.T', 'delta2']

    times:

    >>> as_text(times(symbol("error"), symbol("a2") * (1 - symbol("a2"))))
    'error * a2 * (1 - a2)'

    both_ways:

    >>> a1, delta2, dW2 = matrix("a1", "si", (5, 4)), matrix("delta2", "sj", (5, 1)), matrix("dW2", "ij", (4, 1))
    >>> rows, columns = both_ways(a1, delta2, dW2)
    >>> print(rows, rows.shapes, columns, columns.shapes, sep="    ")
    dW2 = a1.T @ delta2    (4, n) @ (n, 1) -> (4, 1)    dW2 = delta2 @ a1.T    (1, n) @ (n, 4) -> (1, 4)

    why:

    >>> a1, delta2, W2 = matrix("a1", "si", (5, 4)), matrix("delta2", "sj", (5, 1)), matrix("dW2", "ij", (4, 1))
    >>> import textwrap
    >>> print(textwrap.fill(why(a1, delta2, W2), 100))
    dW2[i,j] is the sum over the samples s of a1[s,i] * delta2[s,j]. A matrix product sums over its
    inner indices, so s has to be inner and i, j outer, (i,s) @ (s,j): a1[s,i] is turned to a1.T[i,s],
    delta2[s,j] stays.

    """


def of_nn_derivation_variants() -> None:
    """
    >>> from nn.derivation.variants import *
    >>> import numpy as np

    in_columns:

    >>> model = MatrixMLP([np.array([[2.0], [1.0]])], activations="linear")
    >>> in_columns(model, np.array([[3.0, 0.0]]), np.array([[5.0]]), "half_squared_error").weights
    [array([[3., 0.]])]

    signs:

    >>> model = MatrixMLP([np.array([[2.0]])], activations="linear")
    >>> X, Y = np.array([[3.0]]), np.array([[5.0]])
    >>> signs(model, model.passes(X, Y), Y, "half_squared_error").plus     # 2 + (5 - 2 * 3) * 3
    [array([[-1.]])]

    """


def of_nn_derivation_formulas() -> None:
    """
    >>> from nn.derivation.formulas import *
    >>> import numpy as np

    predicted:

    >>> from autograd.expressions import as_text
    >>> as_text(predicted("half_squared_error", "tanh", 2)), as_text(predicted("binary_cross_entropy", "linear", 2))
    ('a2', 'sigmoid(z2)')

    slope_formula:

    >>> slope_formula("relu", 1), slope_formula("linear", 1)
    (greater(z1, 0), None)

    last_delta_formula:

    >>> from autograd.expressions import as_text
    >>> as_text(last_delta_formula("half_squared_error", "sigmoid", 2, np.ones((4, 1)), axis=1))
    '(a2 - Y) * a2 * (1 - a2)'

    last_delta_why:

    >>> print(last_delta_why("half_squared_error", "tanh", 2))
    The 2 of the square and the 1/2 of C cancel. C depends on z2 only through a2 = tanh(z2), so the slope of tanh is a factor.

    """


def of_nn_mlp() -> None:
    """
    >>> from nn.mlp import *
    >>> import numpy as np

    initial_weights:

    >>> [w.shape for w in initial_weights([3, 4, 1], ["sigmoid", "sigmoid"], 0)]
    [(3, 4), (4, 1)]

    """
