"""Files of models made byte by byte, good ones and hostile ones: used by `damaging`, and by the tests of the readers."""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from typing import Any

import numpy as np


def framed(header: bytes, data: bytes = bytes(16), length: int | None = None) -> bytes:
    return (len(header) if length is None else length).to_bytes(8, "little") + header + data


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
