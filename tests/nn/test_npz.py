"""Files of arrays: a crash leaves the old one or the new one, and nothing that a file says is believed.

Hostile files are made by hand, byte by byte where need be; what a reading takes of memory is measured. Files that are damaged
at random, by the ten thousand: `python tests/soak/damaging.py 100000`.
"""

from __future__ import annotations

import io
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from archives import HOSTILE, npy, one
from hypothesis import given, settings
from hypothesis import strategies as st
from test_files import MODEL, SUFFIXES, bits

import nn
from nn import MatrixMLP
from nn.files import npz

pytestmark = pytest.mark.usefixtures("fast_disk")

# -- writing


def test_the_new_file_is_on_the_disk_before_it_takes_the_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, did, replace = tmp_path / "model.npz", list[str](), Path.replace
    nn.save(MatrixMLP.random([1, 1], rng=0), path)
    old = path.read_bytes()

    def fsync(number: int) -> None:
        did.append(
            "folder" if os.path.samestat(os.fstat(number), tmp_path.stat()) else f"file {os.fstat(number).st_size > 500}"
        )
        assert (path.read_bytes() == old) == (did == ["file True"])

    def replacing(self: Path, target: Path) -> Path:
        did.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replacing)
    nn.save(MatrixMLP.random([1, 1], rng=1), path)
    assert did == ["file True", "rename", "folder"]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("where", [(os, "fsync"), (Path, "replace"), (np.lib.format, "write_array")])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_fails_in_writing_leaves_the_old_file(
    error: BaseException, where: tuple[Any, str], suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"model.{suffix}"
    nn.save(MatrixMLP.random([2, 1], rng=0), path)
    old = path.read_bytes()

    def failing(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(*where, failing)
    if suffix == "npz" or where[1] != "write_array":
        with pytest.raises(type(error)):
            nn.save(MatrixMLP.random([2, 1], rng=1), path)
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_system_that_cannot_sync_folders_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(number: int) -> None:
        if os.path.samestat(os.fstat(number), tmp_path.stat()):
            raise OSError(22, "Invalid argument")

    monkeypatch.setattr(os, "fsync", fsync)
    nn.save(MatrixMLP.random([2, 1], rng=0), tmp_path / "model.npz")
    assert nn.load(tmp_path / "model.npz").weights[0].shape == (2, 1)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such modes")
def test_links_and_modes_stay_as_they_are(tmp_path: Path) -> None:
    folder, link = tmp_path / "disk", tmp_path / "model.npz"
    folder.mkdir()
    link.symlink_to(folder / "real.npz")
    for rng, mode in ((0, 0o640), (1, 0o600)):
        nn.save(MatrixMLP.random([2, 1], rng=rng), link)
        (folder / "real.npz").chmod(mode)
    nn.save(MatrixMLP.random([2, 1], rng=2), link)
    assert link.is_symlink()
    assert (folder / "real.npz").stat().st_mode & 0o777 == 0o600
    assert bits(nn.load(link)) == bits(MatrixMLP.random([2, 1], rng=2))


def test_a_path_is_shown_as_text_of_python(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[2J\n.npz"
    path.write_bytes(b"no archive")
    with pytest.raises(ValueError, match=re.escape(f"path={str(path)!r}: it is")) as caught:
        nn.load(path)
    assert str(caught.value).isprintable()


def test_an_error_names_the_file_that_the_user_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.npz"

    def refusing(self: Path, _mode: str) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refusing)  # who runs the tests may write everywhere
    with pytest.raises(PermissionError) as caught:
        nn.save(MODEL, path)
    assert caught.value.filename == str(path)


def no_files(folder: Path, device: str) -> list[Path]:
    """A folder, a pipe and a device, by names of files."""
    found = [folder / f"{name}.npz" for name in ("folder", "pipe", "device")]
    found[0].mkdir()
    os.mkfifo(found[1])
    found[2].symlink_to(device)
    return found


PIPES = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders")


@PIPES
def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    folder, pipe, device = no_files(tmp_path, "/dev/null")
    for path in (folder, pipe, device):
        with pytest.raises(FileExistsError, match="this is not a file"):
            nn.save(MODEL, path)
    assert (folder.is_dir(), pipe.is_fifo(), device.is_char_device(), len(list(tmp_path.iterdir()))) == (True, True, True, 3)


def test_links_in_a_circle_are_no_error_of_pathlib(tmp_path: Path) -> None:
    (tmp_path / "a.npz").symlink_to("b.npz")
    (tmp_path / "b.npz").symlink_to("a.npz")
    with pytest.raises(OSError, match="symbolic links"):
        nn.load(tmp_path / "a.npz")
    nn.save(MODEL, tmp_path / "a.npz")
    assert bits(nn.load(tmp_path / "b.npz")) == bits(MODEL)


def test_more_layers_than_can_be_read_again_are_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, written = tmp_path / "model.npz", []
    monkeypatch.setattr("nn.files.npz.LARGEST_DIRECTORY", 64 + 3 * 60)  # of the activations, of layers
    for layers in range(1, 7):
        model = MatrixMLP([[[1.0]]] * layers, None, "linear")
        try:
            nn.save(model, path)
        except ValueError as error:
            said = f"path={str(path)!r}: these are {layers + 1} arrays, more than such a file holds"
            assert str(error) == said  # noqa: PT017  # from one on
            continue
        written.append(layers)
        assert bits(nn.load(path)) == bits(model)
    assert written == [1, 2, 3]


def test_more_than_such_a_file_holds_is_not_written(tmp_path: Path) -> None:
    model = MatrixMLP([[[1.0]]])
    model.weights[0] = np.lib.stride_tricks.as_strided(np.zeros(1), (2**15, 2**14), (0, 0))
    with pytest.raises(ValueError, match="these arrays are 4 GiB or more"):
        nn.files.npz.write(str(tmp_path / "model.npz"), {"0.weight": model.weights[0]})
    assert not list(tmp_path.iterdir())


# -- hostile files


def test_the_good_one_of_the_hostile_is_read(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    path.write_bytes(one(npy()))
    assert bits(nn.load(path)) == bits(MatrixMLP([np.zeros((2, 1))]))


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_are_refused_in_little_memory(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    path.write_bytes(HOSTILE[kind])
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"model\.npz': ") as caught:
            nn.load(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert type(caught.value) is ValueError
    assert len(str(caught.value)) < 600
    assert peak < 2_000_000 + 3 * len(HOSTILE[kind])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_truncated_files_are_refused(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"model.{suffix}"
    nn.save(MatrixMLP.random([3, 4, 1], rng=0), path)
    good = path.read_bytes()
    for length in range(0, len(good), 3):
        path.write_bytes(good[:length])
        with pytest.raises(ValueError, match=r"model\.\w+': its? "):
            nn.load(path)


NOISE = st.binary(max_size=200)


@settings(max_examples=300, deadline=None)
@given(NOISE | NOISE.map(lambda data: one(npy(data=data))) | NOISE.map(one) | NOISE.map(lambda data: one(npy(version=data))))
def test_noise_is_refused_unless_it_is_a_model(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.npz"
        path.write_bytes(content)
        try:
            assert nn.load(path).weights[0].shape == (2, 1)
        except ValueError as error:
            assert str(path) in str(error)  # noqa: PT017  # both are right


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_changed_bytes_are_refused_or_harmless(suffix: str, tmp_path: Path) -> None:
    model, path, numbers = MatrixMLP.random([3, 4, 1], rng=0), tmp_path / f"model.{suffix}", random.Random(0)  # noqa: S311  # no secret
    nn.save(model, path)
    good, refused = path.read_bytes(), 0
    for _ in range(400):
        bad = bytearray(good)
        for _ in range(numbers.choice((1, 1, 2, 8))):
            bad[numbers.randrange(len(bad))] = numbers.choice((0, 1, 0x7F, 0xFF, numbers.randrange(256)))
        path.write_bytes(bad)
        try:
            found = nn.load(path)
        except ValueError:
            refused += 1
        else:  # safetensors has no checksum, so its numbers may differ
            assert suffix == "safetensors" or bits(found) == bits(model)
    assert refused > (200 if suffix == "npz" else 20)


def test_larger_than_the_limit_is_refused_before_it_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.npz"
    nn.save(MODEL, path)
    size = path.stat().st_size
    assert bits(nn.load(path, max_bytes=size)) == bits(MODEL)
    with pytest.raises(
        ValueError, match=f"it has {size} bytes, more than max_bytes={size - 1}; raise that if you trust the file"
    ):
        nn.load(path, max_bytes=size - 1)
    with path.open("r+b") as file:
        file.truncate(2**40)  # a hole: it takes no place on the disk
    monkeypatch.setattr(Path, "open", None)
    with pytest.raises(ValueError, match=f"it has {2**40} bytes, more than max_bytes={2**30}"):
        nn.load(path)
    bad: list[Any] = [-1, 1.5, True, "1", None]
    for wrong in bad:
        with pytest.raises(ValueError, match=r"max_bytes=.* has to be a whole number from 0 up"):
            nn.load(path, max_bytes=wrong)


@PIPES
def test_folders_pipes_and_devices_are_no_files(tmp_path: Path) -> None:
    for path in no_files(tmp_path, "/dev/zero"):
        with pytest.raises(ValueError, match="it is not a file"):
            nn.load(path)


def entry(a: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, a)
    return stream.getvalue()


def test_an_entry_says_whole_what_is_wrong_with_it() -> None:
    good = entry(np.arange(6.0).reshape(2, 3))
    for stored in (good, entry(np.asfortranarray(np.arange(6.0).reshape(2, 3)))):
        assert nn.files.npz._array(stored, "W.npy").tolist() == [[0, 1, 2], [3, 4, 5]]
    header = repr(good[10:90]).replace("'<f8'", "'|O8'")
    for bad, said in (
        (good + b"12", "W.npy is said to have shape (2, 3) of float64, but it has 50 bytes"),
        (good[:-8], "W.npy is said to have shape (2, 3) of float64, but it has 40 bytes"),
        (good.replace(b"<f8", b"|O8"), f"the header of W.npy is not one of an array of numbers or text: {header}"),
    ):
        with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
            nn.files.npz._array(bad, "W.npy")


def test_what_a_failing_write_abandons_is_no_view_of_a_buffer() -> None:
    for part in npz._zipped({"W": np.eye(3)}):
        assert isinstance(part, bytes | bytearray), "Python 3.12 crashes on a generator that is dropped with a view in it"


@pytest.mark.skipif(os.name != "posix", reason="limits of the size of files are POSIX's")
def test_a_run_whose_checkpoints_no_longer_fit_warns_once_and_goes_on() -> None:
    program = """
import os, resource, sys, tempfile, warnings
import numpy as np
from nn import MatrixMLP, fit
folder = tempfile.TemporaryDirectory()
path = os.path.join(folder.name, "c.npz")
model, X, Y = MatrixMLP.random([3, 900, 1], rng=0), np.eye(3), np.ones((3, 1))
fit(model, X, Y, 1, .001, checkpoint=path)
resource.setrlimit(resource.RLIMIT_FSIZE, (2**15, 2**15))  # a write that goes beyond fails, as on a full disk
model = MatrixMLP.random([3, 900, 1], rng=0)
with warnings.catch_warnings(record=True) as found:
    warnings.simplefilter("always")
    history = fit(model, X, Y, 400, .001, checkpoint=path, checkpoint_every=1)
print(len(found), "still holds step 1" in str(found[0].message), history.steps[-1], os.listdir(folder.name))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)  # noqa: S603  # ours
    assert (done.stdout, done.stderr, done.returncode) == ("1 True 400 ['c.npz']\n", "", 0)


def test_what_a_living_process_writes_is_no_leftover(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    with npz.replacing(str(path)) as file:
        npz.remove_leftovers(str(path))
        file.write(b"whole")
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("refusals", [1, 5, 6])
def test_windows_may_refuse_for_a_while_to_replace_a_file_that_is_read(
    refusals: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, replace, left = tmp_path / "model.npz", Path.replace, iter(range(refusals))
    waited: list[float] = []

    def refusing(self: Path, target: Path) -> Path:
        if next(left, None) is not None:
            raise PermissionError(13, "Access is denied")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", refusing)
    monkeypatch.setattr(time, "sleep", waited.append)
    with pytest.raises(PermissionError):  # elsewhere a refusal is final
        nn.save(MODEL, path)
    left = iter(range(refusals))
    monkeypatch.setattr(sys, "platform", "win32")
    if refusals == 6:
        with pytest.raises(PermissionError):
            nn.save(MODEL, path)
    else:
        nn.save(MODEL, path)
    assert len(waited) == min(refusals, 5)
    assert sum(waited) <= 1.1
    assert [p.name for p in tmp_path.iterdir()] == ["model.npz"] * (refusals < 6)


@pytest.mark.parametrize("able", [True, False])
def test_macos_is_asked_to_put_the_file_on_the_disk_itself(able: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def full(_: int, command: int) -> None:
        asked.append(command)
        if not able:
            raise OSError(45, "Operation not supported")

    fcntl = pytest.importorskip("fcntl", reason="macOS has it")
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", full)
    monkeypatch.setattr(os, "fsync", lambda number: asked.append("fsync"))
    nn.save(MODEL, tmp_path / "model.npz")
    assert asked[: 2 - able] == [51] + ["fsync"] * (not able)
