"""LLVM text to functions that can be called, in this process and for this processor.

The C library's functions are those that Python's own `math` calls, found at run time, so that native results are Python's
to the last bit. What serves every tape is kept on disk, under a hash of its text and of the machine. Such a file is run, so
it is read only where the user owns it and its folder and nobody else may write to them (on Windows, the rights of the
profile see to that). Any other, or a damaged one, is compiled anew; where nothing can be written, each process compiles.
"""

from __future__ import annotations

import ctypes
import os
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from ctypes.util import find_library
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from autograd.tape.native.lowering import Function

POINTER, WHOLE, REAL = ctypes.c_void_p, ctypes.c_int64, ctypes.c_double
LARGEST, STALE = 2**24, 3600  # bytes of a file in the cache; seconds after which a temporary one is of a killed process
COMPILING = threading.RLock()  # llvmlite has a lock of its own, which a child forked meanwhile would wait for without end
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(before=COMPILING.acquire, after_in_parent=COMPILING.release, after_in_child=COMPILING.release)


class Machine(NamedTuple):
    """The functions of a program of kernel.py."""

    replay: Callable[..., None]
    samples: Callable[..., None]
    descend: Callable[..., None]


def loaded(text: str, calls: Iterable[Function] = (), keep: bool = False) -> Machine:
    """Compile the program, which calls these functions, or, with `keep`, take it from the disk if it was compiled before."""
    with COMPILING:
        return _loaded(text, calls, keep)


def _loaded(text: str, calls: Iterable[Function], keep: bool) -> Machine:
    llvm = backend()
    for called in calls:
        llvm.add_symbol(called.symbol, address(called))
    code = (_kept(text) if keep else None) or _compiled(text, keep)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()

    def function(name: str, *arguments: Any) -> Callable[..., None]:
        made = ctypes.CFUNCTYPE(None, *arguments)(engine.get_function_address(name))
        made.engine = engine  # type: ignore[attr-defined]  # a function object takes attributes; the engine owns the code
        return made

    return Machine(
        function("pass", POINTER, POINTER, POINTER, POINTER),
        function("samples", POINTER, POINTER, WHOLE, WHOLE, POINTER, POINTER),
        function("descend", POINTER, POINTER, POINTER, WHOLE, REAL, WHOLE, POINTER, POINTER),
    )


@cache
def backend() -> Any:
    """LLVM for this processor. Raises `ImportError`, with the command that installs it, where it is missing."""
    try:
        import llvmlite.binding as llvm
    except ImportError:
        raise ImportError("native tapes are compiled by LLVM: pip install llvmlite") from None
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


@cache
def _library() -> ctypes.CDLL:
    if sys.platform == "win32":
        return ctypes.CDLL("ucrtbase")
    with suppress(OSError):
        return ctypes.CDLL("libm.so.6")  # of glibc
    return ctypes.CDLL(find_library("m"))  # of macOS and the BSDs; None is the process, which has musl's functions in it


@cache  # ctypes leaves a circle behind each time
def address(called: Function) -> int:
    """Where a function of the C library is. Raises `ValueError` if it has none of that name."""
    try:
        found = _library()[called.name if called.name.isidentifier() else "?"]
    except AttributeError:
        raise ValueError(
            f"{called.operation}: the C library has no function {called.name!r:.60}; "
            "give operation(..., native=...) the name of one that takes and returns doubles, such as 'erf'"
        ) from None
    return ctypes.c_size_t.from_buffer(found).value


def _target() -> Any:
    llvm = backend()
    target = llvm.Target.from_triple(llvm.get_process_triple())
    features = llvm.get_host_cpu_features().flatten()
    return target.create_target_machine(cpu=llvm.get_host_cpu_name(), features=features, opt=3, jit=True)


def _compiled(text: str, keep: bool) -> bytes:
    llvm, target = backend(), _target()
    module = llvm.parse_assembly(text)
    module.verify()
    if keep:  # a tape's own program gains nothing, and LLVM does not give back 80 KB of each pass manager
        builder = llvm.create_pass_builder(target, llvm.create_pipeline_tuning_options(speed_level=2))
        builder.getModulePassManager().run(module, builder)
    code: bytes = target.emit_object(module)
    if keep:
        _keep(text, code)
    return code


def _place(text: str) -> Path:
    """The file in which this program's code is kept, for this version of LLVM and this processor."""
    import hashlib

    llvm = backend()
    of = (
        text,
        llvm.llvm_version_info,
        llvm.get_process_triple(),
        llvm.get_host_cpu_name(),
        llvm.get_host_cpu_features().flatten(),
    )
    root = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not root.is_absolute():  # the standard says to ignore it: it would be another one in each folder
        root = Path.home() / {"darwin": "Library/Caches", "win32": "AppData/Local"}.get(sys.platform, ".cache")
    if not root.is_absolute():
        raise RuntimeError("HOME is relative")
    return root / "chainrule" / f"{hashlib.sha256(repr(of).encode()).hexdigest()}.o"


def _own(found: os.stat_result) -> bool:
    return not hasattr(os, "geteuid") or (found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH))


def _kept(text: str) -> bytes | None:
    """The code on the disk; None if there is none, somebody else could have written it, or it is not what was written."""
    import hashlib

    flags = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))  # a pipe would be waited for
    try:
        place = _place(text)
        if not _own(place.parent.lstat()):
            return None
        with open(place, "rb", opener=lambda path, mode: os.open(path, mode | flags)) as file:
            found = os.fstat(file.fileno())
            content = file.read(LARGEST) if stat.S_ISREG(found.st_mode) and _own(found) else b""
    except (OSError, RuntimeError):  # RuntimeError: there is no home
        return None
    digest, code = content[:32], content[32:]
    return code if hashlib.sha256(code).digest() == digest else None


def _keep(text: str, code: bytes) -> None:
    """Write the code for the next process, whole or not at all; a disk that refuses costs that process the compiling."""
    import hashlib
    from tempfile import NamedTemporaryFile

    with suppress(OSError, RuntimeError):
        place = _place(text)
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not _own(place.parent.lstat()):
            return
        for old in place.parent.glob("*.part"):
            if time.time() - old.lstat().st_mtime > STALE:
                old.unlink(missing_ok=True)
        with NamedTemporaryFile(dir=place.parent, suffix=".part", delete=False) as file:
            written = Path(file.name)
        try:
            written.write_bytes(hashlib.sha256(code).digest() + code)
            written.replace(place)
        finally:
            written.unlink(missing_ok=True)
