"""Models to and from files, and to and from the names that PyTorch gives to the same weights.

One naming for all: that of `torch.nn.Sequential(Linear, Sigmoid, Linear, ...)`, "0.weight", "0.bias", "2.weight", with
weights of shape (n_out, n_in), as `torch.nn.Linear` has them; here they are n_in x n_out. An `.npz` file holds these
arrays and the names of the activations; a `.safetensors` file the same, with the activations as metadata. Only
numbers are kept, so nothing in a file can run; labels of Values are made anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nn.arrays import Array, array, sequence, transposed, whole
from nn.files.npz import LARGEST_DIRECTORY, LIMIT, checked_path, read, read_bytes, replacing, text, write
from nn.matrix import MatrixMLP
from nn.mlp import MLP

NAME = re.compile(r"((?:\w+\.)*?)(\d{1,9})\.(weight|bias)", re.ASCII)
RUN = ("run", "step", "history.steps", "history.losses", "history.mean_errors")  # what a checkpoint holds beside a model
MORE = ("optimizer.state", "best", "seed", "history.validation")  # and where there are such


def named(model: MatrixMLP, weights: Sequence[Array], biases: Sequence[Array] | None) -> dict[str, Array]:
    """Weights and biases of this model's layers by PyTorch's names: copies."""
    state, position = {}, 0
    for layer, (w, activation) in enumerate(zip(weights, model.activations, strict=True)):
        state[f"{position}.weight"] = transposed(w).copy()
        if biases is not None:
            state[f"{position}.bias"] = biases[layer].copy()
        position += 1 if activation == "linear" else 2  # an activation is a module of its own
    return state


def _matrices(model: Any, who: str) -> MatrixMLP:
    if not isinstance(model, MatrixMLP | MLP):
        raise TypeError(f"{who}: the model is a {type(model).__name__}; give a MatrixMLP or an MLP")
    found = model if isinstance(model, MatrixMLP) else MatrixMLP.from_mlp(model)
    if any(a.dtype.hasobject for a in (*found.weights, *(found.biases or ()))):
        raise TypeError(f"{who}: arrays of objects (Fractions) have no place in a file; give floats, array.astype(float)")
    return found


def state_dict(model: MatrixMLP | MLP) -> dict[str, Array]:
    """The weights by the names of `torch.nn.Sequential`: copies, (n_out, n_in) or (R, n_out, n_in), as float64.

    In PyTorch: `net.double().load_state_dict({name: torch.from_numpy(a) for name, a in nn.state_dict(model).items()})`.
    Raises `TypeError` for anything but a MatrixMLP or an MLP of floats.

    >>> {name: a.shape for name, a in state_dict(MatrixMLP.random([3, 4, 1], rng=0)).items()}
    {'0.weight': (4, 3), '0.bias': (4,), '2.weight': (1, 4), '2.bias': (1,)}
    """
    found = _matrices(model, "state_dict")
    return named(found, found.weights, found.biases)


def from_state_dict(state: Mapping[str, Any], activations: str | Sequence[str] = "sigmoid") -> MatrixMLP:
    """The network with the weights of a `torch.nn.Sequential`: `net.state_dict()`, or `state_dict(model)`.

    Entries are tensors or arrays, (n_out, n_in); layers stand in the order of their numbers, and what stands before a
    number ("net.0.weight") has to be the same everywhere. Which `activations` are between them, the names do not say.
    Raises `ValueError` for other names or shapes that do not fit together, `TypeError` for entries that hold no numbers.

    >>> model = from_state_dict({"0.weight": [[1.0, 2.0]], "0.bias": [10.0]}, "linear")
    >>> model.predict([[1.0, 1.0]])
    array([[13.]])
    """
    if not isinstance(state, Mapping) or not state:
        raise TypeError(f"state: expected a dictionary with 0.weight, 0.bias, ..., got {state!r:.80}")
    parts: dict[str, dict[int, Any]] = {"weight": {}, "bias": {}}
    prefixes = set()
    for name, a in state.items():
        match = NAME.fullmatch(name) if isinstance(name, str) else None
        if not match or int(match[2]) in parts[match[3]]:
            raise ValueError(f"state has an entry {name!r:.60}, expected names as 0.weight and 0.bias, each number once")
        prefixes.add(match[1])
        parts[match[3]][int(match[2])] = array(a, f"state[{name!r}]", (2, 3) if match[3] == "weight" else (1, 2))
    weights, biases = parts["weight"], parts["bias"]
    if len(prefixes) > 1 or (biases and weights.keys() != biases.keys()):
        raise ValueError(f"state has {', '.join(state)}; expected one network, and a bias for every weight or none at all")
    order = sorted(weights)
    try:
        return MatrixMLP([transposed(weights[i]) for i in order], [biases[i] for i in order] if biases else None, activations)
    except ValueError as error:
        (prefix,) = prefixes
        said = re.sub(r"(weight|bias)e?s\[(\d+)\]", lambda m: f"state['{prefix}{order[int(m[2])]}.{m[1]}']", str(error))
        raise ValueError(f"{said} (weights are transposed, to n_in x n_out)") from None


def save(model: MatrixMLP | MLP, path: Any) -> None:
    """Write the model to `path`, which ends in .npz, or .safetensors (extra `safetensors`); `load` reads both.

    The new file takes the place of an old one only when all of it is on the disk. Raises `TypeError` for a model that is
    none, `ValueError` for another suffix, and `OSError` where the disk refuses.

    >>> save(MatrixMLP.random([3, 4, 1], rng=0), getfixture("tmp_path") / "model.npz")
    """
    name, found = checked_path(path, ".npz", ".safetensors"), _matrices(model, "save")
    state = named(found, found.weights, found.biases)
    if name.endswith(".npz"):
        write(name, {**state, "activations": np.array(found.activations)})
        return
    as_bytes = _package().numpy.save
    with replacing(name) as file:
        file.write(as_bytes(state, {"activations": " ".join(found.activations)}))


def load(path: Any, activations: str | Sequence[str] | None = None, max_bytes: int = LIMIT) -> MatrixMLP:
    """The model that `save` wrote, or that a checkpoint of `fit` holds, bit for bit; `.to_mlp()` makes it one of Values.

    `activations` are for files that do not name them: state dictionaries that something else wrote. Nothing in a file is
    ever run, and none larger than `max_bytes` is opened (a loaded model takes about twice its file). Raises
    `ValueError` for a file that is cut off, damaged, foreign or too large, and `OSError` for one that cannot be opened.

    >>> path = getfixture("tmp_path") / "model.npz"
    >>> save(MatrixMLP.random([3, 4, 1], rng=0), path)
    >>> load(path).weights[0].shape
    (3, 4)
    """
    name, limit = checked_path(path, ".npz", ".safetensors"), whole("max_bytes", max_bytes, 0)
    try:
        state, said = _npz(read(name, limit)) if name.endswith(".npz") else _safetensors(read_bytes(name, limit))
        return from_state_dict(state, _agreed(said, activations))
    except (TypeError, ValueError) as error:
        raise ValueError(f"path={name!r}: {error}") from None


def _agreed(said: tuple[str, ...] | None, activations: str | Sequence[str] | None) -> str | Sequence[str]:
    """The activations that the file names, or those that were given where it names none."""
    if said is None:
        if activations is None:
            raise ValueError("it does not say which activations the network has; give activations=")
        return activations
    given = [activations] * len(said) if isinstance(activations, str) else activations
    if given is not None and tuple(sequence(given, "activations", "['tanh', 'linear']")) != said:
        raise ValueError(f"activations={activations!r}, but it says {said!r:.200}")
    return said


def _npz(arrays: Mapping[str, Array]) -> tuple[dict[str, Any], tuple[str, ...] | None]:
    state = {name: a for name, a in arrays.items() if name not in (*RUN, *MORE)}
    said = state.pop("activations", None)
    if said is not None and said.ndim != 1:
        raise ValueError(f"its activations are an array of shape {said.shape}, expected one name for each layer")
    return state, None if said is None else tuple(text(said))


def _safetensors(data: bytes) -> tuple[dict[str, Any], tuple[str, ...] | None]:
    package, length = _package(), int.from_bytes(data[:8], "little")
    if length > LARGEST_DIRECTORY:
        raise ValueError(f"its header is said to have {length} bytes, too large for arrays of a network")
    try:
        state = package.numpy.load(data)
    except package.SafetensorError as error:
        raise ValueError(f"it is no safetensors file, or damaged: {error}") from None
    except KeyError as error:
        raise ValueError(f"it holds {error.args[0]}, a kind of number that NumPy does not have") from None
    metadata = json.loads(data[8 : 8 + length]).get("__metadata__")  # `load` has checked it: a dictionary of text, or null
    names = (metadata or {}).get("activations")
    return state, None if names is None else tuple(names.split())


def _package() -> Any:
    try:
        import safetensors.numpy
    except ImportError:
        needed = "safetensors files need the package safetensors: pip install safetensors"
        raise ModuleNotFoundError(needed) from None
    return safetensors
