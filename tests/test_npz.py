"""Files of arrays: a crash leaves the old one or the new one, and nothing that a file says is believed.

Hostile files are made by hand, byte by byte where need be; what a reading takes of memory is measured. Files that are damaged
at random, by the ten thousand: `python tests/damaging.py 100000`.
"""

from __future__ import annotations

import io
import os
import random
import re
import struct
import sys
import tempfile
import tracemalloc
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_files import MODEL, SUFFIXES, bits

import nn
from nn import MatrixMLP

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


def npy(descr: str = "<f8", order: str = "False", shape: str = "(1, 2)", data: bytes = bytes(16), **changed: Any) -> bytes:
    header = changed.get("header", f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n").encode()
    length: bytes = changed.get("length", len(header)).to_bytes(2, "little")
    version: bytes = changed.get("version", b"\1\0")
    return b"".join((b"\x93NUMPY", version, length, header, data))


def archive(entries: list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED, comment: bytes = b"") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as made:
        for name, data in entries:
            made.writestr(zipfile.ZipInfo(name), data, compress_type=compression)
        made.comment = comment
    return bytes(file.getvalue())


ACTIVATIONS = ("activations.npy", npy("<U7", "False", "(1,)", "sigmoid".encode("utf-32-le")))


def one(weight: bytes, activations: bytes = ACTIVATIONS[1], **how: Any) -> bytes:
    return archive([("0.weight.npy", weight), ("activations.npy", activations)], **how)


def words(descr: str, text: bytes, shape: str = "(1,)") -> bytes:
    return one(npy(), npy(descr, "False", shape, text))


def patched(data: bytes, marker: bytes, offset: int, new: bytes, which: int = 0) -> bytes:
    """The bytes with those at `offset` after the marker of that number replaced."""
    at = -1
    for _ in range(which + 1):
        at = data.index(marker, at + 1)
    at += offset
    return data[:at] + new + data[at + len(new) :]


def nested(depth: int) -> bytes:
    """Entries that lie within each other: each is the array of all the bytes that follow, so together they are far more."""
    files, directory = b"", b""
    for number in reversed(range(depth)):
        name = f"{number}.weight.npy".encode()
        data = npy("|u1", shape=f"({len(files)},)", data=files)
        fields = (20, 0, 0, 0, 33, zlib.crc32(data), len(data), len(data), len(name), 0)
        files = struct.pack("<4sHHHHHLLLHH", b"PK\3\4", *fields) + name + data
        where = -len(files)  # from the end of the entries; the directory wants it from their beginning
        directory += struct.pack("<4sHHHHHHLLLHHHHHLl", b"PK\1\2", 20, *fields, 0, 0, 0, 0, where) + name
    start = len(files)
    for at in (i for i in range(len(directory)) if directory[i : i + 4] == b"PK\1\2"):
        (where,) = struct.unpack_from("<l", directory, at + 42)
        directory = directory[: at + 42] + struct.pack("<L", start + where) + directory[at + 46 :]
    return files + directory + struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, depth, depth, len(directory), start, 0)


def with_pickle() -> bytes:
    file = io.BytesIO()
    arrays: dict[str, Any] = {"0.weight": np.array([[Trap()]], dtype=object), "activations": np.array(["sigmoid"])}
    np.savez(file, **arrays)
    return file.getvalue()


class Trap:
    def __reduce__(self) -> Any:
        return os._exit, (77,)


NAMES = (
    "/etc/passwd ../0.weight.npy a/0.weight.npy C:\\0.weight.npy 0.weight 0.weight.txt .npy 00.weight.npy 0.weight.npy.npy "
    "0.running_mean.npy 9999999999.weight.npy"
)
SHAPES = (
    "(1, 2; 1, 2; (-1, -2); (1, 3); (1, 99999999999); (1, 1); (); (True, 2); (1,2); (0x1, 2); (1L, 2L); (1.0, 2); [1, 2]; "
    "(__import__('os')._exit(77), 2)"
)
DESCRS = "f8 <c16 <M8[s] |V8 <f16 <f3 |S8 <f8' <U0 <U99999999 >O =f8 <i3 O"


def hostile() -> dict[str, bytes]:
    good = one(npy())
    directory, end, huge = b"PK\1\2", b"PK\5\6", (0xFFFFFFF0).to_bytes(4, "little")
    many = archive([(f"{i}.weight.npy", b"") for i in range(30_000)])
    size, start = struct.unpack_from("<LL", many, len(many) - 10)
    zip64 = b"PK\6\6" + struct.pack("<QHHLLQQQQ", 44, 45, 45, 0, 0, 30_000, 30_000, size, start)
    zip64 += b"PK\6\7" + struct.pack("<LQL", 0, len(many) - 22, 1)
    files = {
        "empty": b"",
        "text": b"0.weight,0.bias\n1,2\n",
        "an .npy": npy(),
        "a pickle": b"\x80\x04\x95" + bytes(30),
        "an empty archive": archive([]),
        "no activations": archive([("0.weight.npy", npy())]),
        "no weights": archive([ACTIVATIONS]),
        "objects": with_pickle(),
        "objects, said in the header": one(npy("|O")),
        "a comment": one(npy(), comment=b"hello"),
        "junk before it": b"#!/bin/sh\n" + good,
        "junk behind it": good + b"x",
        "another file behind it": good + good,
        "compressed": one(npy(), compression=zipfile.ZIP_DEFLATED),
        "a bomb": one(npy(shape="(1, 10000000)", data=bytes(80_000_000)), compression=zipfile.ZIP_DEFLATED),
        "bzip2": one(npy(), compression=zipfile.ZIP_BZIP2),
        "lzma": one(npy(), compression=zipfile.ZIP_LZMA),
        "encrypted": patched(good, directory, 8, b"\1\0"),
        "another method in the directory": patched(good, directory, 10, b"\x63\0"),
        "a version of the future": patched(good, directory, 6, b"\xff\0"),
        "a directory that says stored of what is compressed": patched(one(npy(), compression=8), directory, 10, b"\0\0"),
        "a directory with a huge size": patched(good, directory, 24, huge),
        "with two huge sizes": patched(good, directory, 20, huge * 2),
        "a long name in the entry": patched(one(npy(shape="(1, 9000)", data=bytes(72000))), b"PK\3\4", 26, b"\0\xee"),
        "a wrong checksum": patched(good, directory, 16, b"abcd"),
        "another name in the directory": patched(good, directory, 46, b"1"),
        "an entry beyond the file": patched(good, directory, 42, huge),
        "an entry in the directory": patched(good, directory, 42, (len(good) - 60).to_bytes(4, "little")),
        "two entries in one place": patched(good, directory, 42, bytes(4), which=1),
        "a directory beyond the file": patched(good, end, 16, huge),
        "a huge directory": patched(good, end, 12, huge),
        "a comment that is not there": patched(good, end, 20, b"\1"),
        "a directory of another size": patched(good, end, 12, b"\7"),
        "thirty thousand entries": many,
        "entries within each other": nested(600),
        "another directory, by zip64": many[:-22] + zip64 + good[-22:],
        "a name in no encoding": patched(patched(good, directory, 8, b"\0\x08"), directory, 46, b"\xff\xfe"),
        "twice": archive([("0.weight.npy", npy()), ("1.weight.npy", npy()), ACTIVATIONS]).replace(b"1.weight", b"0.weight"),
        "more dimensions": one(npy(shape="(1, 1, 1, 2)")),
        "fewer dimensions": one(npy(shape="(2,)")),
        "no number": one(npy("<U2")),
        "no text": one(npy(), npy(shape="(2,)")),
        "a table of text": words("<U1", b"a\0\0\0", "(1, 1)"),
        "letters that are none": words("<U1", b"\xff" * 4),
        "surrogates": words("<U1", b"\0\xd8\0\0"),
        "another activation": words("<U4", b"e\0\0\0" * 4),
        "two activations": words("<U7", "sigmoid".encode("utf-32-le") * 2, "(2,)"),
        "zero outputs": one(npy(shape="(0, 2)", data=b"")),
        "a huge shape of nothing": one(npy(shape=f"({10**11}, 0, {10**11})", data=b"")),
        "layers that do not fit": archive([("0.weight.npy", npy()), ("2.weight.npy", npy()), ACTIVATIONS]),
        "a bias without a weight": archive([("0.weight.npy", npy()), ("1.bias.npy", npy(shape="(2,)")), ACTIVATIONS]),
    }  # fmt: skip
    for name in ("", "0.weight.npy\n", "0\u0663.weight.npy", "x" * 200 + ".npy", *NAMES.split()):
        files[f"a name {name[:30]!r}"] = archive([("0.weight.npy", npy()), (name, npy()), ACTIVATIONS])
    shapes = [*SHAPES.split("; "), "(" * 300 + ")" * 300, "(9" * 2000, f"({'9' * 5000},)"]
    files |= {f"shape {shape[:20]}": one(npy(shape=shape)) for shape in shapes}
    files |= {f"descr {descr}": one(npy(descr)) for descr in ("", *DESCRS.split())}
    files |= {f"order {order}": one(npy(order=order)) for order in ("0", "None", "true", "")}
    whole = "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }"
    headers = ["", whole, whole[:-1] + "\n", whole + "x\n", f" {whole}\n", f"{whole}\n{whole}\n", "-" * 9000 + "1\n"]
    files |= {f"header {i}": one(npy(header=header)) for i, header in enumerate(headers)}
    files |= {f"version {v!r}": one(npy(version=v)) for v in (b"\2\0", b"\3\0", b"\0\0", b"\1\1", b"\xff\xff")}
    files |= {f"length {n}": one(npy(length=n)) for n in (0, 1, 57, 65535)}
    files |= {f"{n} bytes of an entry": one(npy()[:n]) for n in (0, 5, 8, 9, 10, 11, 60, len(npy()) - 1)}
    files["one byte more"] = one(npy() + b"x")
    return files


HOSTILE = hostile()


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
