"""Models in files: the same bits come back, and PyTorch and safetensors have the same names for them."""

from __future__ import annotations

import io
import re
import struct
import sys
from collections.abc import Callable
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from archives import framed
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from nn import MLP, MatrixMLP

NO_SAFETENSORS = pytest.mark.skipif(find_spec("safetensors") is None, reason="safetensors is not installed")
SUFFIXES = ["npz", pytest.param("safetensors", marks=NO_SAFETENSORS)]
NAMES = ("sigmoid", "tanh", "relu", "linear")
MODEL = MatrixMLP.random([2, 1], rng=0)
pytestmark = pytest.mark.usefixtures("fast_disk")


def bits(model: MatrixMLP) -> Any:
    arrays = [*model.weights, *(model.biases or ())]
    return model.activations, model.biases is None, [(a.shape, a.dtype.str, a.tobytes()) for a in arrays]


ODD = [0.1, -0.0, np.inf, -np.inf, 5e-324, 1.7976931348623157e308, struct.unpack("<d", b"\1\2\3\4\5\6\xf8\xff")[0]]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("networks", [None, 1, 3])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("sizes", [[1, 1], [3, 4, 1], [2, 3, 4, 5]])
def test_every_bit_comes_back(sizes: list[int], bias: bool, networks: int | None, suffix: str, tmp_path: Path) -> None:
    names = [NAMES[i % 4] for i in range(len(sizes) - 1)]
    model = MatrixMLP.random(sizes, names, bias, rng=0, networks=networks)
    for a in (*model.weights, *(model.biases or ())):
        a.flat[: len(ODD)] = ODD[: a.size]
    before = bits(model)
    for path in (tmp_path / f"model.{suffix}", str(tmp_path / f"other.{suffix}")):
        nn.save(model, path)
        assert bits(nn.load(path)) == bits(model) == before
    assert (tmp_path / f"model.{suffix}").read_bytes() == (tmp_path / f"other.{suffix}").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"model.{suffix}", f"other.{suffix}"]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=2, max_size=9), st.booleans(), st.none() | st.integers(1, 3), st.data())
def test_names_and_back_is_the_same_network(sizes: list[int], bias: bool, networks: int | None, data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(NAMES), min_size=len(sizes) - 1, max_size=len(sizes) - 1))
    model = MatrixMLP.random(sizes, names, bias, rng=0, networks=networks)
    state = nn.state_dict(model)
    shuffled = dict(data.draw(st.permutations(list(state.items()))))
    assert bits(nn.from_state_dict(shuffled, names)) == bits(model)
    assert bits(nn.from_state_dict({f"net.body.{name}": a for name, a in shuffled.items()}, names)) == bits(model)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_network_of_values_is_saved_by_its_numbers(suffix: str, tmp_path: Path) -> None:
    values = MLP(3, [4, 2], ("tanh", "linear"), rng=0)
    values.parameters()[2].data = -0.0
    nn.save(values, tmp_path / f"model.{suffix}")
    found = nn.load(tmp_path / f"model.{suffix}").to_mlp()
    assert [str(p.data) for p in found.parameters()] == [str(p.data) for p in values.parameters()]
    assert [p.label for p in found.parameters()] == [p.label for p in values.parameters()]
    assert found.activations == values.activations


def test_state_dict_is_a_copy_in_the_layout_of_torch() -> None:
    model = MatrixMLP.random([3, 1, 4, 2], ("linear", "relu", "linear"), rng=0)
    state = nn.state_dict(model)
    assert list(state) == ["0.weight", "0.bias", "1.weight", "1.bias", "3.weight", "3.bias"]
    assert all(a.flags.c_contiguous and a.flags.writeable and a.dtype == np.float64 for a in state.values())
    assert np.array_equal(state["3.weight"], model.weights[2].T)
    before = bits(model)
    for a in state.values():
        a[...] = 7
    assert bits(model) == before
    back = nn.from_state_dict(state)
    back.weights[0][...] = 9
    assert (state["0.weight"] == 7).all()


def test_numpy_alone_reads_and_writes_such_files(tmp_path: Path) -> None:
    model, path = MatrixMLP.random([3, 4, 1], rng=0), tmp_path / "model.npz"
    nn.save(model, path)
    with np.load(path, allow_pickle=False) as file:
        arrays: dict[str, Any] = dict(file)
    assert arrays["activations"].tolist() == ["sigmoid", "sigmoid"]
    for change in (np.asfortranarray, lambda a: a.astype(">f4"), lambda a: np.ones(a.shape, np.uint8)):
        changed: dict[str, Any] = {name: change(a) if name != "activations" else a for name, a in arrays.items()}
        np.savez(path, **changed)
        found = nn.load(path).weights[0]
        assert found.dtype == np.float64
        assert np.array_equal(found, changed["0.weight"].T)


def test_files_that_do_not_name_their_activations(tmp_path: Path) -> None:
    model, path = MatrixMLP.random([3, 4, 1], ("tanh", "linear"), rng=0), tmp_path / "state.npz"
    arrays: dict[str, Any] = nn.state_dict(model)
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match="it does not say which activations the network has; give activations="):
        nn.load(path)
    assert bits(nn.load(path, activations=["tanh", "linear"])) == bits(model)
    nn.save(model, path)
    assert bits(nn.load(path, ("tanh", "linear"))) == bits(model)
    for other in ("tanh", ["tanh"], ["linear", "tanh"]):
        with pytest.raises(ValueError, match=r"activations=.* but it says \('tanh', 'linear'\)"):
            nn.load(path, other)
    nn.save(MatrixMLP.random([3, 4, 1], rng=0), path)
    assert nn.load(path, "sigmoid").activations == ("sigmoid", "sigmoid")
    assert nn.load(path, np.array(["sigmoid", "sigmoid"])).activations == ("sigmoid", "sigmoid")  # type: ignore[arg-type]  # is one
    wrong: list[Any] = [3, 1.5, object(), b"sigmoid", {"sigmoid"}, "", "gelu", [None, None], ["sigmoid"] * 3, [["sigmoid"]] * 2]
    for other in wrong:
        with pytest.raises(ValueError, match=r"state\.npz': activations[=:].*(give a list|but it says)"):
            nn.load(path, other)
    np.savez(path, **arrays)
    for other in wrong:
        with pytest.raises(ValueError, match=r"state\.npz': activations[=:].*(give a list|choose from|expected 2)"):
            nn.load(path, other)


REFUSED_MODELS: list[tuple[Any, type[Exception], str]] = [
    (None, TypeError, "save: the model is a NoneType; give a MatrixMLP or an MLP"),
    (MODEL.weights, TypeError, "the model is a list"),
    (MatrixMLP([np.array([[Fraction(1, 3)]])]), TypeError, r"arrays of objects \(Fractions\)"),
    (MLP.from_arrays([[[Fraction(1, 3)]]]), TypeError, r"arrays of objects \(Fractions\)"),
]


@pytest.mark.parametrize(("model", "error", "said"), REFUSED_MODELS)
def test_models_that_cannot_be_saved(model: Any, error: type[Exception], said: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=said):
        nn.save(model, tmp_path / "model.npz")
    with pytest.raises(error, match=said.replace("save:", "state_dict:")):
        nn.state_dict(model)
    assert not list(tmp_path.iterdir())


PATHS: list[tuple[Any, type[Exception], str]] = [
    ("model", ValueError, "path='model' has to end in .npz or .safetensors"),
    ("model.pt", ValueError, "has to end in"),
    ("", ValueError, "has to end in"),
    ("a\0.npz", ValueError, "has a character in it that no file's name may have"),
    ("a\ud800.npz", ValueError, r"path='a\\ud800.npz' has a character in it that no file's name may have"),
    (3, TypeError, "path=3 is no path"),
    (None, TypeError, "path=None is no path"),
    (io.BytesIO(), TypeError, "is no path"),
]


@pytest.mark.parametrize(("path", "error", "said"), PATHS)
def test_paths_that_are_none(path: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        nn.save(MODEL, path)
    with pytest.raises(error, match=said):
        nn.load(path)


def test_where_nothing_is_the_error_is_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        nn.load(tmp_path / "none.npz")
    with pytest.raises(FileNotFoundError, match="there is no such folder"):
        nn.save(MODEL, tmp_path / "none" / "model.npz")


# -- state dictionaries


W, B = [[1.0, 2.0]], [3.0]
STATES: list[tuple[Any, type[Exception], str]] = [
    ({}, TypeError, r"state: expected a dictionary with 0\.weight, 0\.bias, \.\.\., got {}"),
    ([("0.weight", W)], TypeError, "state: expected a dictionary"),
    ({"weight": W}, ValueError, r"state has an entry 'weight', expected names as 0\.weight and 0\.bias"),
    ({"fc1.weight": W}, ValueError, r"an entry 'fc1\.weight'"),
    ({0: W}, ValueError, "an entry 0"),
    ({"0.weight": W, "1.running_mean": B}, ValueError, r"an entry '1\.running_mean'"),
    ({"0.weight": W, "00.weight": W}, ValueError, r"an entry '00\.weight'.* each number once"),
    ({"a.0.weight": W, "b.0.bias": B}, ValueError, "expected one network, and a bias for every weight or none"),
    ({"0.weight": W, "0.bias": B, "1.weight": W}, ValueError, "a bias for every weight or none"),
    ({"0.bias": B}, ValueError, "a bias for every weight or none"),
    ({"0.weight": [1.0, 2.0]}, ValueError, r"state\['0\.weight'\] has shape \(2,\), expected 2 or 3 dimensions"),
    ({"0.weight": [["a"]]}, TypeError, r"state\['0\.weight'\] holds text, not real numbers"),
    ({"0.weight": W, "0.bias": [1.0, 2.0]}, ValueError, r"state\['0\.bias'\] has shape \(2,\), expected \(1,\)"),
    ({"n.1.weight": W, "n.3.weight": W}, ValueError, r"^state\['n\.3\.weight'\] has shape \(2, 1\); .* \(weights are tra"),
]  # fmt: skip


@pytest.mark.parametrize(("state", "error", "said"), STATES)
def test_other_states_are_refused(state: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        nn.from_state_dict(state)


# -- torch, safetensors


MODULES = {"sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "ReLU"}


def sequential(torch: Any, sizes: list[int], names: tuple[str, ...], bias: bool) -> Any:
    layers = []
    for n_in, n_out, name in zip(sizes[:-1], sizes[1:], names, strict=True):
        layers.append(torch.nn.Linear(n_in, n_out, bias=bias, dtype=torch.float64))
        if name != "linear":
            layers.append(getattr(torch.nn, MODULES[name])())
    return torch.nn.Sequential(*layers)


NETWORKS = [
    ([3, 4, 1], ("sigmoid", "sigmoid")),
    ([2, 5, 4, 3], ("relu", "tanh", "linear")),
    ([3, 4, 4, 2], ("linear", "linear", "sigmoid")),
]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("sizes", "names"), NETWORKS)
def test_torch_computes_the_same_outputs_and_gradients(sizes: list[int], names: tuple[str, ...], bias: bool) -> None:
    torch = pytest.importorskip("torch")
    model = MatrixMLP.random(sizes, names, bias, rng=0)
    net = sequential(torch, sizes, names, bias)
    net.load_state_dict({name: torch.from_numpy(a) for name, a in nn.state_dict(model).items()})
    numbers = np.random.default_rng(1)
    X, Y = numbers.normal(size=(7, sizes[0])), numbers.normal(size=(7, sizes[-1]))
    outputs = net(torch.from_numpy(X))
    np.testing.assert_allclose(outputs.detach().numpy(), model.predict(X), rtol=1e-12, atol=1e-14)
    (0.5 * (outputs - torch.from_numpy(Y)) ** 2).sum().backward()
    found = model.gradients(X, Y)
    as_state = nn.state_dict(MatrixMLP(found.weights, found.biases, names))
    for name, parameter in net.named_parameters():
        np.testing.assert_allclose(parameter.grad.numpy(), as_state[name], rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("sizes", "names"), NETWORKS)
def test_from_torch(sizes: list[int], names: tuple[str, ...], bias: bool) -> None:
    torch = pytest.importorskip("torch")
    net = sequential(torch, sizes, names, bias)
    before = {name: t.clone() for name, t in net.state_dict().items()}
    model = nn.from_state_dict(net.state_dict(), names)
    X = np.random.default_rng(1).normal(size=(7, sizes[0]))
    np.testing.assert_allclose(model.predict(X), net(torch.from_numpy(X)).detach().numpy(), rtol=1e-12, atol=1e-14)
    model.weights[0][...] = 0
    assert all(torch.equal(t, before[name]) for name, t in net.state_dict().items())
    half = nn.from_state_dict(net.float().state_dict(), names)
    assert np.array_equal(half.weights[0], before["0.weight"].float().double().numpy().T)


def test_tensors_that_numpy_does_not_take_are_refused_with_a_remedy() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(TypeError, match=r"state\['0\.weight'\] .*detach"):
        nn.from_state_dict(dict(torch.nn.Linear(2, 1).named_parameters(prefix="0")))
    with pytest.raises(TypeError, match=r"state\['0\.weight'\] is a Tensor that NumPy does not take.*BFloat16"):
        nn.from_state_dict({"0.weight": torch.ones((1, 2), dtype=torch.bfloat16)})


def test_stacks_go_to_torch_as_stacks() -> None:
    torch = pytest.importorskip("torch")
    model = MatrixMLP.random([3, 4, 2], ("tanh", "linear"), rng=0, networks=5)
    state = {name: torch.from_numpy(a) for name, a in nn.state_dict(model).items()}
    net = sequential(torch, [3, 4, 2], ("tanh", "linear"), True)
    X = np.random.default_rng(1).normal(size=(7, 3))
    outputs = torch.func.vmap(lambda s: torch.func.functional_call(net, s, (torch.from_numpy(X),)))(state)
    np.testing.assert_allclose(outputs.detach().numpy(), model.predict(X), rtol=1e-12, atol=1e-14)


def test_safetensors_that_others_wrote_and_read(tmp_path: Path) -> None:
    numpy_files = pytest.importorskip("safetensors.numpy")
    model, path = MatrixMLP.random([3, 4, 1], ("tanh", "linear"), rng=0), tmp_path / "model.safetensors"
    nn.save(model, path)
    state, found = nn.state_dict(model), numpy_files.load_file(path)
    assert {name: a.tolist() for name, a in found.items()} == {name: a.tolist() for name, a in state.items()}
    numpy_files.save_file(nn.state_dict(model), path)
    with pytest.raises(ValueError, match="give activations="):
        nn.load(path)
    assert bits(nn.load(path, ("tanh", "linear"))) == bits(model)
    with pytest.raises(ValueError, match="more than max_bytes=100"):
        nn.load(path, max_bytes=100)
    numpy_files.save_file(
        {name: a.astype(np.float16) for name, a in nn.state_dict(model).items()}, path, {"activations": "tanh linear"}
    )
    assert np.array_equal(nn.load(path).weights[0], model.weights[0].astype(np.float16))


def test_safetensors_of_torch(tmp_path: Path) -> None:
    torch, files = pytest.importorskip("torch"), pytest.importorskip("safetensors.torch")
    model, path = MatrixMLP.random([3, 4, 1], rng=0), tmp_path / "model.safetensors"
    nn.save(model, path)
    net = sequential(torch, [3, 4, 1], model.activations, True)
    net.load_state_dict(files.load_file(path))
    files.save_file(net.state_dict(), path)
    assert bits(nn.load(path, "sigmoid")) == bits(model)
    files.save_file({"0.weight": torch.ones((1, 2), dtype=torch.bfloat16)}, path)
    with pytest.raises(ValueError, match="it holds BF16, a kind of number that NumPy does not have"):
        nn.load(path, "sigmoid")


TENSOR = b'"0.weight": {"dtype": "F64", "shape": [1, 2], "data_offsets": [0, 16]}'
HOSTILE_TENSORS: dict[str, bytes] = {
    "empty": b"",
    "an npz": b"PK\3\4" + bytes(200),
    "a header of 2**63": framed(b"{" + TENSOR + b"}", length=2**63 - 1),
    "a header beyond the file": framed(b"{" + TENSOR + b"}", length=1000),
    "no JSON": framed(b"{" + TENSOR),
    "a deep header": framed(b"[" * 100_000),
    "a list": framed(b"[1, 2]"),
    "offsets beyond the file": framed(b"{" + TENSOR.replace(b"16]", b"160]") + b"}"),
    "a huge shape": framed(b"{" + TENSOR.replace(b"[1, 2]", b"[1000000000000, 2]") + b"}"),
    "a negative shape": framed(b"{" + TENSOR.replace(b"[1, 2]", b"[-1, -2]") + b"}"),
    "an unknown dtype": framed(b"{" + TENSOR.replace(b"F64", b"PICKLE") + b"}"),
    "complex numbers": framed(b"{" + TENSOR.replace(b"F64", b"C64") + b"}"),
    "metadata that is null, and no activations": framed(b'{"__metadata__": null, ' + TENSOR + b"}"),
    "a large header": framed(b"{" + b" " * 2**20 + b'"__metadata__": {"activations": "sigmoid"}, ' + TENSOR + b"}"),
    "metadata of numbers": framed(b'{"__metadata__": {"activations": 3}, ' + TENSOR + b"}"),
    "other activations": framed(b'{"__metadata__": {"activations": "exec"}, ' + TENSOR + b"}"),
    "no activations": framed(b'{"__metadata__": {"activations": ""}, ' + TENSOR + b"}"),
    "no tensors": framed(b'{"__metadata__": {"activations": "sigmoid"}}', b""),
    "another name": framed(b'{"__metadata__": {"activations": "sigmoid"}, ' + TENSOR.replace(b"0.w", b"../0.w") + b"}"),
}


@pytest.mark.parametrize("kind", HOSTILE_TENSORS)
def test_hostile_safetensors_are_refused(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("safetensors")
    path = tmp_path / "model.safetensors"
    path.write_bytes(HOSTILE_TENSORS[kind])
    with pytest.raises(ValueError, match=r"model\.safetensors': ") as caught:
        nn.load(path)
    assert type(caught.value) is ValueError
    path.write_bytes(framed(b'{"__metadata__": {"activations": "sigmoid"}, ' + TENSOR + b"}"))
    assert bits(nn.load(path)) == bits(MatrixMLP([np.zeros((2, 1))]))


def test_without_safetensors_the_error_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(framed(b"{" + TENSOR + b"}"))
    monkeypatch.setitem(sys.modules, "safetensors", None)
    actions: list[Callable[[], Any]] = [lambda: nn.save(MODEL, path), lambda: nn.load(path)]
    for action in actions:
        with pytest.raises(
            ModuleNotFoundError, match=r"safetensors files need the package safetensors: pip install safetensors"
        ):
            action()


NEITHER = "expected one network, and a bias for every weight or none at all"


def test_what_is_wrong_with_a_file_is_said_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.npz"
    weights = {"0.weight": np.ones((2, 3)), "0.bias": np.ones(2), "2.weight": np.ones((1, 2))}
    for arrays, said in (
        (weights, f"path={str(path)!r}: it does not say which activations the network has; give activations="),
        (
            {**weights, "activations": np.array([["relu", "relu"]])},
            f"path={str(path)!r}: its activations are an array of shape (1, 2), expected one name for each layer",
        ),
        (
            {**weights, "activations": np.array(["relu", "relu"])},
            f"path={str(path)!r}: state has 0.weight, 0.bias, 2.weight; {NEITHER}",
        ),
    ):
        np.savez(path, **arrays)
        with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
            nn.load(path)
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ModuleNotFoundError, match=r"^safetensors files need the package .*: pip install safetensors$"):
        nn.save(MODEL, tmp_path / "model.safetensors")
