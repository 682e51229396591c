"""Arrays in `.npz` files, written so that a crash leaves the old file or the new one, read as if a stranger had made them.

NumPy's own format, without pickle: `np.load(path)` opens these files. Only what `write` or `np.savez` writes is read: stored,
not compressed, numbers and text. So no entry can be larger than its file, and every size is known before anything is
allocated. (`np.load` takes 3.2 GB for a file of 1 kB that claims to be large, and 34 s for 100,000 empty entries.)

Formats: APPNOTE.TXT 6.3 (PKWARE), 4.3.7, 4.3.12, 4.3.14 and 4.3.16 for zip files; numpy.lib.format, version 1.0, for entries.
"""

from __future__ import annotations

import errno
import math
import os
import re
import secrets
import stat
import struct
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np

from nn.arrays import Array

LIMIT = 2**30
STALE = 3600  # seconds after which a temporary file is of a killed process
LARGEST_DIRECTORY = 2**20  # zipfile keeps ten times as much memory for it; a network of 5000 layers has half of that
HEADER = re.compile(
    rb"\{'descr': '([<>|](?:f[248]|[iu][1248]|b1)|[<>]U[1-9]\d{0,6})', 'fortran_order': (True|False), "
    rb"'shape': \((|\d{1,12},|\d{1,12}(?:, \d{1,12})+)\), \} *\n"
)


def checked_path(path: Any, *suffixes: str) -> str:
    """The path as text. `TypeError` for anything but a path, `ValueError` for another suffix."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path={path!r:.80} is no path; give a name that ends in {' or '.join(suffixes)}")
    name = os.fspath(path)
    if not isinstance(name, str) or not name.endswith(suffixes):
        raise ValueError(f"path={name!r} has to end in {' or '.join(suffixes)}")
    with suppress(UnicodeEncodeError):
        if b"\0" not in os.fsencode(name):
            return name
    raise ValueError(f"path={name!r} has a character in it that no file's name may have")


@contextmanager
def replacing(path: str) -> Iterator[IO[bytes]]:
    """A file to write, that takes the place of `path` once it is on the disk; on any exception `path` stays as it was."""
    target = _target(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no such folder", str(target.parent))
    if target.exists() and not target.is_file():  # the new file would take the place of a pipe or a device
        raise FileExistsError(errno.EEXIST, "this is not a file", str(target))
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
    try:
        with temporary.open("xb") as file:
            with suppress(OSError):  # there is no old file, or its mode is not ours to give
                temporary.chmod(stat.S_IMODE(target.stat().st_mode))
            yield file
            file.flush()
            _sync(file.fileno())
        _replace(temporary, target)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError) and error.filename == str(temporary):
            error.filename = str(target)  # the name that the user knows
        raise
    with suppress(OSError, AttributeError):  # the file is in its place; Windows and some file systems cannot sync a folder
        folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _target(path: str) -> Path:
    """Through links, to the folder where the file is."""
    return Path(os.path.realpath(path))  # Path.resolve fails on links in a circle with a RuntimeError


def _sync(number: int) -> None:
    """Put the file on the disk: on macOS fsync alone leaves it in the memory of the drive."""
    with suppress(ImportError, AttributeError, OSError):  # other systems; a drive of the network cannot do it
        import fcntl

        fcntl.fcntl(number, fcntl.F_FULLFSYNC)  # type: ignore[attr-defined]  # macOS has it
        return
    os.fsync(number)


def _replace(temporary: Path, target: Path) -> None:
    for wait in (0.01, 0.03, 0.1, 0.3, 0.6) if sys.platform == "win32" else ():  # which refuses while somebody reads it
        with suppress(PermissionError):
            temporary.replace(target)
            return
        time.sleep(wait)
    temporary.replace(target)


def remove_leftovers(path: str) -> None:
    """Remove what a killed `replacing` of this path left behind long ago; a young one may be of a process that is running."""
    target = _target(path)
    named = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{16}}\.part")
    with suppress(OSError):
        for found in filter(lambda found: named.fullmatch(found.name), target.parent.iterdir()):
            if time.time() - found.stat().st_mtime > STALE:
                found.unlink()


def write(path: str, arrays: Mapping[str, Array]) -> None:
    """Write the arrays, each under its name; the same arrays make the same bytes. `ValueError` for more than `read` reads."""
    if sum(50 + len(name) for name in arrays) > LARGEST_DIRECTORY:
        raise ValueError(f"path={path!r}: these are {len(arrays)} arrays, more than such a file holds")
    if sum(a.nbytes for a in arrays.values()) >= 2**32 - 8 * LARGEST_DIRECTORY:
        raise ValueError(f"path={path!r}: these arrays are 4 GiB or more, which is more than such a file holds")
    with replacing(path) as file:
        for part in _zipped(arrays):
            file.write(part)


def _zipped(arrays: Mapping[str, Array]) -> Iterator[Any]:
    """The bytes of the file: entries, directory, end. (A `ZipFile` that Ctrl-C breaks off raises errors of its own.)"""
    directory, start = bytearray(), 0
    for name, a in arrays.items():
        entry, file_name = BytesIO(), f"{name}.npy".encode()
        np.lib.format.write_array(entry, a, version=(1, 0), allow_pickle=False)
        data = entry.getvalue()  # no view: a write that fails abandons this generator, and 3.12 then crashes
        sizes = (zlib.crc32(data), len(data), len(data), len(file_name))
        fields = struct.pack("<HHHHHLLLHH", 20, 0, 0, 0, 33, *sizes, 0)  # version 2.0, stored, on the first day of 1980
        yield b"PK\3\4" + fields + file_name
        yield data
        directory += struct.pack("<4sH", b"PK\1\2", 20) + fields + struct.pack("<HHHLL", 0, 0, 0, 0, start) + file_name
        start += 30 + len(file_name) + len(data)
    yield directory
    yield struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, len(arrays), len(arrays), len(directory), start, 0)


def read_bytes(path: str, max_bytes: int) -> bytes:
    """The whole file. `ValueError`, which speaks of it as "it", if it is larger, or no file: a folder, a pipe, a device."""
    found = Path(path).stat()
    if not stat.S_ISREG(found.st_mode):
        raise ValueError("it is not a file")
    if found.st_size > max_bytes:
        raise ValueError(f"it has {found.st_size} bytes, more than max_bytes={max_bytes}; raise that if you trust the file")
    with Path(path).open("rb") as file:
        return file.read(found.st_size)


def read(path: str, max_bytes: int = LIMIT) -> dict[str, Array]:
    """The arrays by name, not to be written to. `ValueError`, which speaks of "it", for a large, foreign or damaged file."""
    data, arrays = read_bytes(path, max_bytes), dict[str, Array]()
    _check_ends(data)
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > len(data):  # as where one entry lies within another
                raise ValueError("its entries together are said to be larger than the file")
            for entry in entries:
                name = entry.filename
                if not re.fullmatch(r"\w[\w.]{0,99}\.npy", name, re.ASCII) or name[:-4] in arrays:
                    raise ValueError(f"it has an entry {name!r:.60}, which is twice there or no name of an array")
                if entry.compress_type != zipfile.ZIP_STORED:
                    raise ValueError(f"{name} is compressed; np.savez stores it as it is")
                arrays[name[:-4]] = _array(archive.read(entry), name)
    except (zipfile.BadZipFile, struct.error, NotImplementedError, RuntimeError, EOFError, OverflowError) as error:
        raise ValueError(f"it is damaged: {error!s:.200}") from None  # zipfile quotes up to 64 kB
    return arrays


def _check_ends(data: bytes) -> None:
    """`ValueError` unless it begins and ends as a zip file does, with a directory that is small."""
    if data[:4] != b"PK\3\4":
        raise ValueError(f"it is no .npz file; it begins with {data[:8]!r}" if data else "it is empty")
    end = data[-22:]
    if end[:4] != b"PK\5\6" or end[20:] != b"\0\0":
        raise ValueError("its end is missing or changed")
    size, start = struct.unpack("<LL", end[12:20])
    if size > LARGEST_DIRECTORY or data[-42:-38] == b"PK\6\7":
        raise ValueError("its directory is too large for arrays of a network")
    if start + size + 22 != len(data):  # as where one file was written behind another
        raise ValueError("its directory is not where its end says")


def _array(data: bytes, name: str) -> Array:
    """One entry; its header is read by a pattern, not evaluated."""
    start = 10 + int.from_bytes(data[8:10], "little")
    header = HEADER.fullmatch(data, 10, start)
    if data[:8] != b"\x93NUMPY\1\0" or not header:
        raise ValueError(f"the header of {name} is not one of an array of numbers or text: {data[10:90]!r}")
    dtype = np.dtype(header[1].decode())
    shape = tuple(int(n) for n in header[3].decode().split(",") if n.strip())
    if math.prod(shape) * dtype.itemsize != len(data) - start:
        raise ValueError(f"{name} is said to have shape {shape} of {dtype}, but it has {len(data) - start} bytes")
    return np.ndarray(shape, dtype, data, start, order="F" if header[2] == b"True" else "C")


def text(a: Array) -> Any:
    """The strings of an array of text. `ValueError` for other arrays, or where its bytes are no text."""
    if a.dtype.kind != "U":
        raise ValueError(f"an array of {a.dtype} stands where names belong")
    points = np.ndarray(a.size * a.dtype.itemsize // 4, f"{a.dtype.byteorder}u4", a.tobytes())
    if (points > 0x10FFFF).any():  # NumPy fails on these with a SystemError
        raise ValueError("there are letters in it that do not exist")
    return a.tolist()
