"""Every array argument of every public function of `nn`, in every kind, layout and shape: the right answer or a clear error.

A table of arguments against a table of kinds. The numbers are whole and small, so that every kind holds them exactly, and
the right answer is that for plain float64. What is refused is refused by a message that names the argument, what it got
and what is expected; and no array of the user is ever changed, nor is part of a result.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pytest

import nn
from autograd import Value
from nn import MLP, MatrixMLP
from nn.arrays import array, floats, sequence, shape_of, whole

X = np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 1.0], [2.0, 2.0, 1.0], [1.0, 1.0, 0.0]])
Y = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
W1, W2 = np.array([[1.0, 0.0], [2.0, 1.0], [0.0, 1.0]]), np.array([[2.0, 1.0], [0.0, 1.0]])
B1, B2 = np.array([1.0, 0.0]), np.array([0.0, 2.0])


def matrices() -> MatrixMLP:
    return MatrixMLP([W1, W2], [B1, B2])


def values() -> MLP:
    return MLP.from_arrays([W1, W2], [B1, B2])


def numbers(found: Any) -> Any:
    """Whatever was returned, as nested lists of floats."""
    if isinstance(found, MatrixMLP):
        return numbers([found.weights, found.biases])
    if isinstance(found, MLP):
        return [p.data for p in found.parameters()]
    if isinstance(found, nn.Report | nn.MatrixDerivation):
        return str(found)
    if isinstance(found, Value):
        return found.data
    if isinstance(found, list | tuple):
        return [numbers(part) for part in found]
    return found if found is None else np.asarray(found, dtype=float).tolist()


def fitted(x: Any, y: Any) -> Any:
    model = matrices()
    return nn.fit(model, x, y, 3, 0.5), model


def backward(p: Any, x: Any, y: Any) -> Any:
    a1 = 1 / (1 + np.exp(-x @ p["W1"] - p["b1"]))
    a2 = 1 / (1 + np.exp(-a1 @ p["W2"] - p["b2"]))
    delta2 = (a2 - y) * a2 * (1 - a2)
    delta1 = delta2 @ p["W2"].T * a1 * (1 - a1)
    return {"dW1": x.T @ delta1, "db1": delta1.sum(axis=0), "dW2": a1.T @ delta2, "db2": delta2.sum(axis=0)}


PARAMS = {"W1": W1, "b1": B1, "W2": W2, "b2": B2}
STATE = {"0.weight": W1.T.copy(), "0.bias": B1, "2.weight": W2.T.copy(), "2.bias": B2}


def diagnosed(**changed: Any) -> Any:
    params = {**PARAMS, **{name: a for name, a in changed.items() if name in PARAMS}}
    return nn.diagnose(backward(PARAMS, X, Y), params, changed.get("X", X), changed.get("Y", Y))


class Argument(NamedTuple):
    """One argument: how messages name it, a right array for it, and the call with it."""

    name: str
    right: Any
    call: Callable[[Any], Any]


ARGUMENTS = {
    "MatrixMLP weights": Argument("weights[0]", W1, lambda a: MatrixMLP([a, W2], [B1, B2])),
    "MatrixMLP weights[1]": Argument("weights[1]", W2, lambda a: MatrixMLP([W1, a], [B1, B2])),
    "MatrixMLP biases": Argument("biases[1]", B2, lambda a: MatrixMLP([W1, W2], [B1, a])),
    "MatrixMLP.predict": Argument("X", X, matrices().predict),
    "MLP.predict": Argument("X", X, lambda a: values().predict(a)),
    "MatrixMLP.samples": Argument("X", X, matrices().samples),
    "MatrixMLP.targets": Argument("Y", Y, lambda a: matrices().targets(a, X)),
    "MatrixMLP.gradients X": Argument("X", X, lambda a: matrices().gradients(a, Y)),
    "MatrixMLP.gradients Y": Argument("Y", Y, lambda a: matrices().gradients(X, a)),
    "MatrixMLP.gradients Y of probabilities": Argument("Y", Y, lambda a: matrices().gradients(X, a, "binary_cross_entropy")),
    "MatrixMLP.passes X": Argument("X", X, lambda a: matrices().passes(a, Y)),
    "MatrixMLP.passes Y": Argument("Y", Y, lambda a: matrices().passes(X, a)),
    "derive_matrices X": Argument("X", X, lambda a: nn.derive_matrices(matrices(), a, Y)),
    "derive_matrices Y": Argument("Y", Y, lambda a: nn.derive_matrices(matrices(), X, a)),
    "fit X": Argument("X", X, lambda a: fitted(a, Y)),
    "fit Y": Argument("Y", Y, lambda a: fitted(X, a)),
    "MLP.from_arrays weights": Argument("weights[0]", W1, lambda a: MLP.from_arrays([a, W2], [B1, B2])),
    "MLP.from_arrays weights[1]": Argument("weights[1]", W2, lambda a: MLP.from_arrays([W1, a], [B1, B2])),
    "MLP.from_arrays biases": Argument("biases[1]", B2, lambda a: MLP.from_arrays([W1, W2], [B1, a])),
    "MLP call": Argument("x", X[1], values()),
    "MLP.loss X": Argument("X", X, lambda a: values().loss(a, Y)),
    "MLP.loss Y": Argument("Y", Y, lambda a: values().loss(X, a)),
    "MLP.loss Y of probabilities": Argument("Y", Y, lambda a: values().loss(X, a, "binary_cross_entropy")),
    "Neuron call": Argument("x", X[1], values().layers[0][0]),
    "Neuron.preactivation": Argument("x", X[1], values().layers[0][0].preactivation),
    "diagnose W1": Argument("params['W1']", W1, lambda a: diagnosed(W1=a)),
    "diagnose W2": Argument("params['W2']", W2, lambda a: diagnosed(W2=a)),
    "diagnose b1": Argument("params['b1']", B1, lambda a: diagnosed(b1=a)),
    "diagnose X": Argument("X", X, lambda a: diagnosed(X=a)),
    "diagnose Y": Argument("Y", Y, lambda a: diagnosed(Y=a)),
    "from_state_dict weight": Argument("state['0.weight']", W1.T, lambda a: nn.from_state_dict({**STATE, "0.weight": a})),
    "from_state_dict bias": Argument("state['2.bias']", B2, lambda a: nn.from_state_dict({**STATE, "2.bias": a})),
}


class Subclass(np.ndarray):
    """An array whose arithmetic would show."""

    def __array_finalize__(self, _: Any) -> None:
        self.note = "mine"


class Frame:
    """As pandas has it: columns come first in iterating and in [], and NumPy gets the array by __array__."""

    def __init__(self, a: Any) -> None:
        self.a = a
        self.shape, self.ndim = a.shape, a.ndim

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:  # NumPy's protocol
        return self.a.astype(dtype) if dtype is not None else self.a.copy() if copy else self.a

    def __len__(self) -> int:
        return len(self.a)

    def __iter__(self) -> Any:
        return iter([f"column {i}" for i in range(self.a.shape[-1])])

    def __getitem__(self, name: Any) -> Any:
        raise KeyError(name)


class Bare:
    """Nothing but the interface of NumPy."""

    def __init__(self, a: Any) -> None:
        self.kept, self.__array_interface__ = a, a.__array_interface__


def spread(a: Any) -> Any:
    """The same numbers, with others between them in memory."""
    wide = np.full(tuple(3 * n for n in a.shape), 9.0)
    part = wide[tuple(slice(1, None, 3) for _ in a.shape)]
    part[...] = a
    return part


def unaligned(a: Any) -> Any:
    kept = np.zeros(a.nbytes + 1, np.uint8)[1:].view(np.float64).reshape(a.shape)
    kept[...] = a
    return kept


def nested_with(a: Any, entry: Any) -> Any:
    """Lists, with this as their last number."""
    found = last = a.tolist()
    while isinstance(last[-1], list):
        last = last[-1]
    last[-1] = entry
    return found


def read_only(a: Any) -> Any:
    a = a.copy()
    a.setflags(write=False)
    return a


def to(dtype: str) -> Callable[[Any], Any]:
    return lambda a: a.astype(dtype)


def objects(kind: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return np.vectorize(kind, otypes=[object])


def filled(a: Any, entry: Any) -> Any:
    """An array of objects that has this one everywhere."""
    found = np.empty(a.shape, object)
    for index in np.ndindex(a.shape):
        found[index] = entry
    return found


def matrix(a: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        return np.asmatrix(a) if a.ndim == 2 else a


RIGHT: dict[str, Callable[[Any], Any]] = {
    "list": lambda a: a.tolist(),
    "tuple": lambda a: tuple(map(tuple, a)) if a.ndim == 2 else tuple(a),
    "list of arrays": list,
    "Fortran order": np.asfortranarray,
    "strided": spread,
    "backwards": lambda a: a[..., ::-1].copy()[..., ::-1],
    "unaligned": unaligned,
    "read-only": read_only,
    **{name: to(name) for name in ("f2", "f4", ">f8", "longdouble", "i1", "i2", "i8", ">i4", "u1", "u2", "u4", "u8", "O")},
    "whole objects": lambda a: a.astype(int).astype(object),
    **{f"objects of {kind.__name__}": objects(kind) for kind in (np.float32, np.int64, Decimal)},
    "matrix": matrix,
    "subclass": lambda a: a.copy().view(Subclass),
    "frame": Frame,
    "interface": Bare,
    "memoryview": lambda a: np.ascontiguousarray(a).data,
    "Fractions": lambda a: objects(Fraction)(a.astype(int)),
    "booleans": lambda a: a.astype(bool),
    "objects of booleans": lambda a: objects(np.bool_)(a.astype(bool)),
}
WITHOUT_FRACTIONS = (
    *(f"MatrixMLP.{call}" for call in ("predict", "gradients X", "passes X")),
    "derive_matrices X",
    "fit X",
)

WRONG: dict[str, tuple[Callable[[Any], Any], str]] = {
    "None": (lambda _: None, "None|NoneType"),
    "a number": (lambda _: 3.0, r"shape \(\)|dimension"),
    "0-d": (lambda _: np.array(3.0), r"shape \(\)"),
    "a string": (lambda _: "abc", "str|text|'abc'"),
    "bytes": (lambda _: b"abc", "bytes|text"),
    "a dictionary": (lambda a: dict(enumerate(a.tolist())), "dict"),
    "a set": (lambda a: set(a.ravel().tolist()), "set"),
    "a generator": (iter, "iterator|generator"),
    "a function": (lambda _: len, "function|builtin"),
    "strings": (lambda a: a.astype(str), "text|str"),
    "bytestrings": (lambda a: a.astype("S"), "text|bytes"),
    "objects of strings": (lambda a: a.astype(str).astype(object), "'|str"),
    "objects of None": (lambda a: np.full(a.shape, None), "None"),
    "complex": (lambda a: a + 1j, "complex"),
    "objects of complex": (lambda a: (a + 1j).astype(object), "complex|1j"),
    "dates": (lambda a: a.astype("i8").astype("M8[D]"), "datetime"),
    "durations": (lambda a: a.astype("i8").astype("m8[D]"), "timedelta"),
    "records": (lambda a: a.astype([("f", "f8")]), r"\[\('f'|void|record"),
    "masked": (lambda a: np.ma.masked_equal(a, 1.0), "is a masked"),
    "a list with a masked array": (lambda a: [np.ma.masked_equal(a, 1.0)], "holds a masked"),
    "the masked number": (lambda a: nested_with(a, np.ma.masked), "holds a masked"),
    "objects of arrays": (lambda a: filled(a, np.ones(2)), r"array\(\[1., 1.\]\)"),
    "objects of 0-d arrays": (lambda a: filled(a, np.array(1.0)), r"array\(1.\)"),
    "numbers beyond the floats": (lambda a: filled(a, 10**400), "too large for a float"),
    "beside others": (lambda a: nested_with(a, 10**400), "too large for a float"),
    "long doubles beyond the floats": (lambda a: a + np.nextafter(np.longdouble("inf"), 0), "too large for a float"),
    "ragged": (lambda a: [*a.tolist()[:-1], [1.0] * 9], "inhomogeneous|different lengths"),
    "nested": (lambda a: [a.tolist(), [a.tolist()]], "inhomogeneous|different lengths"),
    "empty list": (lambda _: [], r"shape \(0,\)|none|empty"),
    "one dimension more": (lambda a: a[None], r"shape \("),
    "two dimensions more": (lambda a: a[None, None], r"shape \(1, 1, "),
    "one dimension fewer": (lambda a: a[0], r"shape \("),
    "no rows": (lambda a: a[:0], r"shape \("),
    "no columns": (lambda a: a[..., :0], r"shape \("),
    "one column more": (lambda a: np.concatenate([a, a[..., :1]], -1), "shape|got"),
    "one column fewer": (lambda a: a[..., 1:], "shape|got"),
    "Values of strings": (lambda a: np.full(a.shape, object()), "object"),
}


RELATIVE = {"one column more", "one column fewer", "one dimension more", "no rows", "no columns"}  # which of two is wrong?
OTHERS = ("weights[1]", "biases[0]", "biases[1]", "params['W1']", "params['b1']", "params['b2']", "['2.weight']", "['0.bias']")


EXPECTED = (
    "expected|give |need|not real numbers|has to|does not take|too large|choose|is made of|one for each|fill it|is neither"
)


def hashed(a: Any) -> Any:
    """What is in it, to see whether it was changed."""
    if isinstance(a, list | tuple):
        return [hashed(part) for part in a]
    if isinstance(a, Frame | Bare):
        return hashed(getattr(a, "a", None) if isinstance(a, Frame) else a.kept)
    if isinstance(a, np.ndarray) and not a.dtype.hasobject and a is not np.ma.masked:
        return a.dtype.str, a.shape, a.strides, a.tobytes(), str(getattr(a, "mask", ""))
    return a.tolist() if isinstance(a, np.ndarray | memoryview) else repr(a)


BOOLEANS = ("booleans", "objects of booleans")  # other numbers: it would search
APART = [(argument, kind) for argument in ARGUMENTS if argument.startswith("diagnose") for kind in BOOLEANS]
APART.append(("derive_matrices Y", "Fractions"))  # in its graph they stay exact, so the last digits differ


@pytest.mark.parametrize("argument", ARGUMENTS)
def test_right_numbers_of_any_kind(argument: str) -> None:
    _, right, call = ARGUMENTS[argument]
    others = hashed([X, Y, W1, W2, B1, B2, *STATE.values()])
    for kind in (kind for kind in RIGHT if (argument, kind) not in APART):
        given = RIGHT[kind](right)
        before = hashed(given)
        if kind == "Fractions" and argument in WITHOUT_FRACTIONS:
            with pytest.raises(TypeError, match=r"no exp\(\)|objects cannot be trained|float arrays"):
                call(given)
        else:
            assert numbers(call(given)) == numbers(call(np.asarray(given, dtype=float))), kind
        assert hashed(given) == before, kind
        assert hashed([X, Y, W1, W2, B1, B2, *STATE.values()]) == others, kind


FITS = [("diagnose b1", "one dimension more"), *(("from_state_dict weight", f"one column {n}") for n in ("more", "fewer"))]


@pytest.mark.parametrize("argument", ARGUMENTS)
def test_wrong_things_are_refused_by_name(argument: str) -> None:
    name, right, call = ARGUMENTS[argument]
    for kind in (kind for kind in WRONG if (argument, kind) not in FITS):
        make, said = WRONG[kind]
        given = make(right)
        before = hashed(given)
        with pytest.raises((TypeError, ValueError)) as caught:
            call(given)
        message = str(caught.value)
        named = [name, *(other for other in OTHERS if kind in RELATIVE)]
        assert any(n in message for n in named), (kind, message)
        assert re.search(said, message), (kind, message)
        assert re.search(EXPECTED, message), (kind, message)
        assert hashed(given) == before, kind


@pytest.mark.parametrize("argument", ARGUMENTS)
def test_a_result_has_no_array_of_the_user_in_it(argument: str) -> None:
    _, right, call = ARGUMENTS[argument]
    given = np.ascontiguousarray(right).copy()
    for a in arrays_in(call(given)):
        assert not np.shares_memory(a, given)


def arrays_in(found: Any) -> list[Any]:
    """All arrays that can be reached from a result."""
    if isinstance(found, np.ndarray):
        return [found]
    parts = found if isinstance(found, list | tuple) else vars(found).values() if hasattr(found, "__dict__") else ()
    return [] if isinstance(found, Value) else [a for part in parts for a in arrays_in(part)]


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("argument", [name for name in ARGUMENTS if name.startswith(("fit", "derive", "diagnose"))])
def test_numbers_that_are_not_finite_are_refused_where_they_would_spoil_everything(argument: str, number: float) -> None:
    name, right, call = ARGUMENTS[argument]
    given = right.copy()
    given.flat[1] = number
    with pytest.raises(ValueError, match=rf"{re.escape(name)} holds {number}; give finite numbers"):
        call(given)


@pytest.mark.parametrize("argument", ARGUMENTS)
def test_tensors(argument: str) -> None:
    torch = pytest.importorskip("torch")
    name, right, call = ARGUMENTS[argument]
    for given in (torch.from_numpy(right.copy()), torch.from_numpy(right.astype(np.float32))):
        before = given.clone()
        assert numbers(call(given)) == numbers(call(right))
        assert torch.equal(given, before)
    for given in (torch.tensor(right, requires_grad=True), [torch.ones(right.shape[-1], requires_grad=True)] * len(right)):
        with pytest.raises(TypeError, match=rf"{re.escape(name)} is a \w+ that NumPy does not take: .*detach"):
            call(given)


# -- what is no array


def mutable() -> dict[str, Any]:
    return {"model": matrices(), "X": X, "Y": Y, "steps": 3, "learning_rate": 0.1}


def diagnosed_with(name: str) -> Callable[[Any], Any]:
    def call(a: Any) -> Any:
        return nn.diagnose(backward, PARAMS, X, Y, **{name: a})

    return call


class Odd(NamedTuple):
    """An argument that is no array: what may not be given, how the message begins to name it, and the call."""

    wrong: list[Any]
    named: str
    call: Callable[[Any], Any]


NOTHING: list[Any] = [None, 3.5, object(), {"a": 1}, {1}, b"ab", 1j]
NO_COUNT: list[Any] = [None, 1.0, "1", [1], -3, True, np.ones(2), np.float64(1), 1j]
NO_NAME: list[Any] = [None, 3, "gelu", "", b"relu", ["sigmoid"], {"sigmoid"}, np.array(["tanh", "relu"])]
NO_NAMES: list[Any] = [
    None,
    3,
    "gelu",
    "",
    b"relu",
    ["tanh"],
    ["tanh"] * 3,
    ["tanh", None],
    {"tanh", "relu"},
    ["tanh", ["relu"]],
]
ODD = {
    "MatrixMLP weights": Odd([*NOTHING, 3, "ab", [], iter([W1])], "weights", MatrixMLP),
    "MatrixMLP biases": Odd([*NOTHING[1:], 3, "ab", [], [B1], iter([B1])], "biases", lambda a: MatrixMLP([W1, W2], a)),
    "MatrixMLP activations": Odd(NO_NAMES, "activations", lambda a: MatrixMLP([W1, W2], activations=a)),
    "MatrixMLP.random sizes": Odd(
        [*NOTHING, 3, "ab", [3], [3, 0], [3, -1], [3, 1.0], [3, True], [3, None], [3, "1"], iter([3, 1])],
        "sizes",
        MatrixMLP.random,
    ),
    "MatrixMLP.random activations": Odd(NO_NAMES, "activations", lambda a: MatrixMLP.random([3, 2, 2], a)),
    "MatrixMLP.random rng": Odd(["a", -1, 1.5, [None], {}], "rng", lambda a: MatrixMLP.random([3, 2], rng=a)),
    "MatrixMLP.random networks": Odd(NO_COUNT[1:], "networks", lambda a: MatrixMLP.random([3, 2], networks=a)),
    "MatrixMLP.from_mlp": Odd([*NOTHING, matrices(), W1, MLP], "from_mlp: the model", MatrixMLP.from_mlp),
    "MatrixMLP.network": Odd(
        [*NO_COUNT, 2, slice(1), 10**30], "index", lambda a: MatrixMLP.random([3, 2], networks=2).network(a)
    ),
    "MatrixMLP.gradients loss": Odd([*NO_NAME, "sigmoid"], "loss", lambda a: matrices().gradients(X, Y, a)),
    "MatrixMLP.passes loss": Odd([*NO_NAME, "sigmoid"], "loss", lambda a: matrices().passes(X, Y, a)),
    "derive_matrices model": Odd([*NOTHING, W1, MatrixMLP], "the model", lambda a: nn.derive_matrices(a, X, Y)),
    "derive_matrices loss": Odd([*NO_NAME, "sigmoid"], "loss", lambda a: nn.derive_matrices(matrices(), X, Y, a)),
    "MLP n_in": Odd([None, 1.0, "3", 0, True], "sizes", lambda a: MLP(a, [2])),
    "MLP n_outs": Odd([*NOTHING, 3, np.int64(3), "ab"], "n_outs", lambda a: MLP(3, a)),
    "MLP n_outs of sizes": Odd([[], [0], [1.5], ["a"], [None]], "sizes", lambda a: MLP(3, a)),
    "MLP activations": Odd(NO_NAMES, "activations", lambda a: MLP(3, [2, 1], "none" if a is None else a)),
    "MLP nodes": Odd([*NO_NAME, 1], "nodes", lambda a: MLP(3, [2, 1], nodes=a)),
    "Layer n_in": Odd([*NOTHING[1:4], -3, 0], "n_in|sizes|iterable|weights", lambda a: nn.Layer(a, 2)),
    "optimizer": Odd([*NO_NAME[:5]], "optimizer", nn.optimizer),
    "optimizer setting": Odd([None, "a", -1, 1, np.nan, [0.5]], "beta1", lambda a: nn.optimizer("adam", beta1=a)),
    "MLP rng": Odd(["a", -1, 1.5], "rng", lambda a: MLP(3, [2, 1], rng=a)),
    "MLP.from_arrays weights": Odd([*NOTHING, 3, "ab", [], iter([W1])], "weight", MLP.from_arrays),
    "MLP.from_arrays biases": Odd([*NOTHING[1:], 3, "ab", [], [B1]], "bias", lambda a: MLP.from_arrays([W1, W2], a)),
    "MLP.from_arrays activations": Odd(NO_NAMES, "activations", lambda a: MLP.from_arrays([W1, W2], None, a)),
    "MLP.loss loss": Odd([*NO_NAME, "sigmoid"], "loss", lambda a: values().loss(X, Y, a)),
    "Neuron weights": Odd([*NOTHING, "ab", [], [1.0], [None], W1], "weights", lambda a: nn.Neuron(a, None, "tanh")),
    "Neuron bias": Odd([*NOTHING[1:], 3, "a", [Value(1.0)]], "bias", lambda a: nn.Neuron([Value(1.0)], a, "tanh")),
    "Neuron activation": Odd(NO_NAME[:5], "activation", lambda a: nn.Neuron([Value(1.0)], None, a)),
    "Neuron.activate": Odd([*NOTHING, "a", [Value(1.0)], B1], "z", lambda a: nn.Neuron([Value(1.0)], None, "tanh").activate(a)),
    "fit model": Odd([*NOTHING, W1, MatrixMLP], "fit: the model", lambda a: nn.fit(**{**mutable(), "model": a})),
    "fit steps": Odd(NO_COUNT, "steps", lambda a: nn.fit(**{**mutable(), "steps": a})),
    "fit rate": Odd(
        [object(), {1}, 1j, "1", np.nan, np.inf, 10**400, True, np.ones(1), Value(1.0), np.complex128(1)],
        "learning_rate",
        lambda a: nn.fit(**{**mutable(), "learning_rate": a}),
    ),
    "fit loss": Odd([*NO_NAME, "sigmoid"], "loss", lambda a: nn.fit(**mutable(), loss=a)),
    "fit report_every": Odd([*NO_COUNT[1:], 0], "report_every", lambda a: nn.fit(**mutable(), report_every=a)),
    "fit checkpoint": Odd([3.5, object(), b"a.npz", "a.pt", True, 0, ""], "path", lambda a: nn.fit(**mutable(), checkpoint=a)),
    "diagnose params": Odd([*NOTHING, "ab", [W1], {}, {"W2": W1}, {1: W1}], "params", lambda a: nn.diagnose(backward, a, X, Y)),
    "diagnose backward": Odd([None, 3, "ab", [W1]], "backward", lambda a: nn.diagnose(a, PARAMS, X, Y)),
    "diagnose activations": Odd(
        [None, 3, "tanh", [], ["tanh"] * 3, ["gelu", "tanh"], ["tanh", None], ["tanh", ["relu"]], {"tanh", "relu"}],
        "activations",
        lambda a: nn.diagnose(backward, PARAMS, X, Y, a),
    ),
    **{
        f"diagnose {name}": Odd([None, 3, "ab", ["sum"], {}, np.ones(2)], name, diagnosed_with(name))
        for name in ("loss", "reduction", "samples", "weights")
    },
    "diagnose rate": Odd(["1", [1.0], np.nan, True, 1j], "learning_rate", diagnosed_with("learning_rate")),
    "from_state_dict state": Odd([*NOTHING, 3, "ab", [], {}, [("0.weight", W1)]], "state", nn.from_state_dict),
    "from_state_dict activations": Odd(NO_NAMES, "activations", lambda a: nn.from_state_dict(STATE, a)),
    "state_dict": Odd([*NOTHING, 3, "ab", [W1], MatrixMLP], "state_dict: the model", nn.state_dict),
    "save model": Odd([*NOTHING, 3, "ab", [W1], MLP], "save: the model", lambda a: nn.save(a, "never.npz")),
}  # fmt: skip


@pytest.mark.parametrize("argument", ODD)
def test_odd_arguments_are_refused_by_name(argument: str) -> None:
    for wrong in ODD[argument].wrong:
        with pytest.raises((TypeError, ValueError), match=rf"\b{ODD[argument].named}") as caught:
            ODD[argument].call(wrong)
        assert re.search(EXPECTED, str(caught.value)), str(caught.value)


@pytest.mark.parametrize("kind", [k for k in RIGHT if k not in BOOLEANS])
def test_the_backward_pass_that_is_diagnosed_gets_arrays_of_floats(kind: str) -> None:
    def checking(p: Any, x: Any, y: Any) -> Any:
        assert {(type(a), a.dtype.str) for a in (*p.values(), x, y)} == {(np.ndarray, "<f8")}
        found = backward(p, x, y)
        for a in (*p.values(), x, y):
            a[...] = 0  # they are copies
        return found

    given = [RIGHT[kind](a) for a in (*PARAMS.values(), X, Y)]
    before = hashed(given)
    report = nn.diagnose(checking, dict(zip(PARAMS, given[:4], strict=True)), given[4], given[5])
    assert report.ok, str(report)
    assert hashed(given) == before


def test_targets_that_have_no_float_are_refused_beside_floats() -> None:
    with pytest.raises(TypeError, match=r"Y holds Value\(.* beside arrays of floats; give numbers"):
        matrices().gradients(X, np.full((4, 2), Value(1.0)))


class Table:
    """Something of two dimensions of which NumPy makes an array, as data frames are."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array([[1.0, 2.0]])


class Held:
    """Something of which NumPy makes no array, as a tensor that has a gradient."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise TypeError("call .detach() first")


ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)
ROWS = "rows of different lengths; give one number for each column in every row"
MASKED = "holds a masked array; fill it first, X.filled(0.0), or leave the masked samples out"
TOO_LARGE = "holds a number that is too large for a float"
SAID = [  # in whole: what is wrong, what it is, what was expected
    (lambda: array(3, "X", (1, 2)), "X has shape (), expected 1 or 2 dimensions"),
    (lambda: array({1: 2}, "X", (2,)), "X has shape (), expected 2 dimensions; it is a dict"),
    (lambda: array([1.0, 2.0], "X", (2,)), "X has shape (2,), expected 2 dimensions"),
    (lambda: array(Table(), "X", (1,)), "X has shape (1, 2), expected 1 dimension"),
    (lambda: array([[{1}, 2]], "X", (2,)), "X holds {1}, not real numbers"),
    (lambda: array(np.array(["2026"], "M8[Y]"), "X", (1,)), "X holds datetime64[Y], not real numbers"),
    (lambda: floats(np.array([Fraction(10**400)], object), "Y"), f"Y {TOO_LARGE}, beyond 1.8e308; give smaller ones"),
    (lambda: array(Held(), "X", (2,)), "X is a Held that NumPy does not take: call .detach() first"),
    (lambda: array([[[1.0, np.ma.masked]]], "X", (2, 3)), f"X {MASKED}"),
    (lambda: shape_of(ENDLESS, "X"), f"X has {ROWS}"),
    (lambda: sequence(np.array(3), "sizes", "[3, 4]"), "sizes=array(3) is a ndarray; give a list, for example [3, 4]"),
    (lambda: sequence("ab", "sizes", "[3, 4]"), "sizes='ab' is a str; give a list, for example [3, 4]"),
    (lambda: whole("steps", -1, 0), "steps=-1 has to be a whole number from 0 up"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "said"), SAID, ids=[said for _, said in SAID])
def test_the_whole_of_what_is_said(call: Callable[[], Any], said: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    assert str(caught.value) == said


def test_what_is_right_already_is_taken_as_it_is() -> None:
    assert array(X, "X", (2,)) is X
    assert (whole("steps", 0, 0), array(Table(), "X", (2,)).tolist()) == (0, [[1.0, 2.0]])


def test_every_public_name_has_its_rows() -> None:
    tables = " ".join([*ARGUMENTS, *ODD])
    results = {"MatrixDerivation", "Finding", "Report", "Gradients", "History", "DivergedError", "LOSSES"}
    results |= {"Module", "OPTIMIZERS", "plot_boundary", "plot_surface"}
    packages = {name for name in vars(nn) if name.islower() and type(getattr(nn, name)) is type(nn)}
    for name in {n for n in vars(nn) if not n.startswith("_")} - results - packages - {"load"}:  # `load` has test_npz
        assert name in tables, name
    taking = {
        "predict",
        "gradients",
        "passes",
        "samples",
        "targets",
        "network",
        "random",
        "from_mlp",
        "from_arrays",
        "loss",
        "activate",
        "preactivation",
    }
    without = {"to_mlp", "parameters", "zero_grad", "weights", "biases", "activations", "layers", "checked", "nodes", "single"}
    for cls in (MatrixMLP, MLP, nn.Neuron):
        for name in vars(cls):
            assert name.startswith("_") or name in without or (name in taking and name in tables), name
