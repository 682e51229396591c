"""Compiling: kept on disk between processes, and what happens where there is no disk, no home, no llvmlite."""

from __future__ import annotations

import gc
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from autograd import Tape, Value
from autograd.tape import native
from autograd.tape.native import kernel
from autograd.tape.native import machine as room

x, y = Value(2.0, "x"), Value(3.0, "y")
LARGE = 2_001
PROGRAM = """
import sys
import autograd
from autograd import Value, Tape
x = Value(2.0, "x")
output = x
for _ in range({operations}):
    output = output * 1.5 + x
fast = Tape(output, x).native()
value, (slope,) = fast([1.0])
print(value == slope == Tape(output, x)([1.0])[0], fast._arrays is not None)
"""


def run(program: str, **environment: str | None) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, **environment}
    settings = {key: value for key, value in variables.items() if value is not None}
    return subprocess.run(  # noqa: S603  # programs of our own
        [sys.executable, "-W", "error", "-c", program], env=settings, capture_output=True, text=True, check=False
    )


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    pytest.importorskip("llvmlite", reason="pip install llvmlite")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "not" / "there yet"))
    return tmp_path / "not" / "there yet" / "chainrule"


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The programs that LLVM is made to compile from here on."""
    found: list[str] = []
    compiled = room._compiled

    def watched(text: str, keep: bool) -> bytes:
        found.append(text)
        return compiled(text, keep)

    monkeypatch.setattr(room, "_compiled", watched)
    return found


def answer(keep: bool = True) -> Any:
    """What a freshly compiled or fetched interpreter computes."""
    compiled = room.loaded(*kernel.interpreter(), keep=keep)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native, "LARGEST_STRAIGHT", 0)
        patch.setattr(native, "_interpreter", lambda own: compiled)
        return Tape(x * y + x, [x, y]).native()([4.0, 5.0])


RIGHT = (24.0, [6.0, 4.0])


def test_the_interpreter_is_compiled_once_and_kept(cache: Path, compilations: list[str]) -> None:
    assert answer() == answer() == answer() == RIGHT
    assert len(compilations) == 1
    (file,) = cache.iterdir()
    assert file.suffix == ".o"
    if os.name == "posix":
        assert stat.S_IMODE(cache.stat().st_mode) == 0o700
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_is_compiled_for_one_tape_is_not_kept(cache: Path, compilations: list[str]) -> None:
    assert Tape(x * y + x, [x, y]).native()([4.0, 5.0]) == RIGHT
    assert answer(keep=False) == RIGHT
    assert len(compilations) == 2
    assert not cache.exists()
    assert answer() == answer(keep=False) == RIGHT
    assert len(compilations) == 4


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-1],
        lambda content: content[:40],
        lambda content: content + b"!",
        lambda content: bytes(len(content)),
        lambda content: content[:2_000] + bytes([content[2_000] ^ 1]) + content[2_001:],
        lambda content: bytes([content[0] ^ 1]) + content[1:],
    ],
)
def test_a_damaged_file_is_noticed_and_written_anew(cache: Path, compilations: list[str], damage: Any) -> None:
    answer()
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert answer() == RIGHT
    assert len(compilations) == 2
    assert list(cache.iterdir()) == [file]
    assert file.read_bytes() == whole


def test_another_program_another_processor_and_another_llvm_have_files_of_their_own(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert room._place("a").parent == cache
    places = {room._place("a"), room._place("b")}
    llvm = room.backend()
    for name, value in (
        ("get_host_cpu_name", lambda: "another"),
        ("get_process_triple", lambda: "another"),
        ("llvm_version_info", (1,)),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(llvm, name, value)
            places.add(room._place("a"))
    with monkeypatch.context() as patch:
        patch.setattr(llvm, "get_host_cpu_features", type("Other", (), {"flatten": lambda self: "+other"}))
        places.add(room._place("a"))
    assert len(places) == 6
    assert room._place("a") == room._place("a")


@pytest.mark.parametrize(
    ("platform", "place"),
    [("linux", ".cache"), ("darwin", "Library/Caches"), ("win32", "AppData/Local"), ("freebsd13", ".cache")],
)
@pytest.mark.parametrize("variable", ["", None])
def test_without_the_variable_it_is_the_systems_cache_in_the_home(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, place: str, variable: str | None
) -> None:
    assert room._place("a").parent == cache
    monkeypatch.delenv("XDG_CACHE_HOME") if variable is None else monkeypatch.setenv("XDG_CACHE_HOME", variable)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setattr(sys, "platform", platform)
    assert room._place("a").parent == tmp_path / place / "chainrule"


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("variable", ["relative", "./relative", "../relative"])
def test_a_relative_path_in_the_variable_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", variable)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert room._place("a").is_relative_to(tmp_path)
    monkeypatch.setattr(Path, "home", lambda: Path("relative"))
    assert answer() == RIGHT
    assert not Path("relative").exists()


def _linked(cache: Path, file: Path) -> None:
    file.rename(cache.parent / file.name)
    file.symlink_to(cache.parent / file.name)


def _folder_linked(cache: Path, _: Path) -> None:
    cache.rename(cache.parent / "elsewhere")
    cache.symlink_to(cache.parent / "elsewhere")


def _piped(_: Path, file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def _folder(_: Path, file: Path) -> None:
    file.unlink()
    file.mkdir()


CHANGES = {
    "file of all": lambda _, file: file.chmod(0o622),
    "folder of the group": lambda cache, _: cache.chmod(0o770),
    "folder of all": lambda cache, _: cache.chmod(0o777),
    "huge": lambda _, file: os.truncate(file, 2**40),
    "link": _linked,
    "link to a folder": _folder_linked,
    "pipe": _piped,
    "folder": _folder,
}


@pytest.mark.skipif(os.name != "posix", reason="owners and modes are POSIX's")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_somebody_else_could_have_written_is_not_run(cache: Path, compilations: list[str], change: Any) -> None:
    answer()
    (file,) = cache.iterdir()
    change(cache, file)
    assert answer() == RIGHT
    assert len(compilations) == 2
    assert list(cache.iterdir()) == [file], "no rubbish"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("of", ["file", "folder"])
def test_what_another_user_owns_is_neither_run_nor_written(cache: Path, compilations: list[str], of: str) -> None:
    answer()
    (file,) = cache.iterdir()
    os.chown(file if of == "file" else cache, 65534, 65534)
    if of == "folder":
        file.unlink()
    assert answer() == RIGHT
    assert len(compilations) == 2
    if of == "folder":
        assert list(cache.iterdir()) == []
    else:
        assert file.stat().st_uid == 0, "a planted file is replaced"


@pytest.mark.skipif(os.name != "posix", reason="owners are POSIX's")
def test_another_users_process_does_not_use_this_cache(
    cache: Path, compilations: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer()
    user = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert answer() == answer() == RIGHT
    assert len(compilations) == 3
    assert len(list(cache.iterdir())) == 1


def test_temporary_files_of_killed_processes_are_removed_when_they_are_old(cache: Path) -> None:
    answer()
    (file,) = cache.iterdir()
    file.unlink()
    old, young = cache / "old.part", cache / "young.part"
    for left in (old, young):
        left.write_bytes(b"half")
    os.utime(old, (0, 0))
    assert answer() == RIGHT
    assert sorted(cache.iterdir()) == sorted([file, young])


def test_a_place_that_cannot_be_written_costs_nothing_but_the_compiling(
    tmp_path: Path, compilations: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("llvmlite", reason="pip install llvmlite")
    file = tmp_path / "file"
    file.write_text("no directory")
    for place in (file, file / "below", Path("/proc/nowhere")):
        monkeypatch.setenv("XDG_CACHE_HOME", str(place))
        assert answer() == RIGHT
    assert len(compilations) == 3
    assert file.read_text() == "no directory"


def test_a_file_that_cannot_be_replaced_leaves_no_rubbish(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders: list[Path] = []

    def refuse(written: Path, place: Path) -> None:
        folders.extend((written.parent, place.parent))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    assert answer() == RIGHT
    assert folders == [cache, cache], "only within a folder is a file moved whole or not at all"
    assert list(cache.iterdir()) == []


def test_a_disk_that_is_full_leaves_no_rubbish(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert answer() == RIGHT
    assert list(cache.iterdir()) == []


def test_no_home_at_all(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    assert answer() == RIGHT
    assert len(list(cache.iterdir())) == 1, "the variable says where, so that no home is needed"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert answer() == RIGHT


def test_a_new_process_finds_what_another_kept(cache: Path) -> None:
    program = PROGRAM.format(operations=LARGE)
    for _ in range(2):
        done = run(program, XDG_CACHE_HOME=str(cache.parent))
        assert (done.stdout, done.stderr) == ("True True\n", "")
    assert len(list(cache.iterdir())) == 1
    watch = "from autograd.tape.native import machine as room\nroom._compiled = None\n"
    assert run(watch + program, XDG_CACHE_HOME=str(cache.parent)).stdout == "True True\n"


def test_without_llvmlite_it_is_said_what_to_install_and_all_else_works() -> None:
    blocked = "import sys\nsys.modules['llvmlite'] = sys.modules['llvmlite.binding'] = None\n"
    program = """
from autograd import Value, Tape
x = Value(2.0)
tape = Tape(x * x, x)
print(tape([3.0]))
for _ in range(2):
    try:
        tape.native()
    except ImportError as error:
        print(error)
"""
    done = run(blocked + program)
    assert done.stderr == ""
    first, *errors = done.stdout.splitlines()
    assert first == "(9.0, [6.0])"
    assert len(errors) == 2
    assert all("pip install llvmlite" in error for error in errors)


def test_importing_autograd_and_replaying_floats_loads_neither_numpy_nor_llvmlite() -> None:
    program = """
import sys
import autograd
x = autograd.Value(2.0)
tape = autograd.Tape(x * x.exp(), x)
tape([3.0]), tape([autograd.Value(3.0)]), tape((1,)), tape.source
print(sorted({"numpy", "llvmlite", "numba", "jax", "sympy", "mpmath", "ctypes"} & sys.modules.keys()))
"""
    done = run(program)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_home_that_is_not_there_yet_and_one_that_is_no_directory(tmp_path: Path) -> None:
    pytest.importorskip("llvmlite", reason="pip install llvmlite")
    (tmp_path / "file").write_text("no directory")
    for home in ("not there yet", "file"):
        done = run(PROGRAM.format(operations=LARGE), HOME=str(tmp_path / home), XDG_CACHE_HOME=None)
        assert (done.stdout, done.stderr) == ("True True\n", "")
    assert len(list((tmp_path / "not there yet").rglob("*.o"))) == 1 or sys.platform != "linux"


def test_what_is_no_program_is_an_error_and_no_crash() -> None:
    pytest.importorskip("llvmlite", reason="pip install llvmlite")
    for text in ("nonsense", "define void @pass( {"):
        with pytest.raises(RuntimeError):
            room.loaded(text)


@pytest.mark.slow
def test_the_memory_of_a_native_tape_comes_back() -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4

    def some(count: int) -> int:
        for k in range(count):
            x, y = Value(1.0), Value(2.0)
            Tape((x * y).tanh() + k * x, [x, y]).native()([1.0, 2.0])
        gc.collect()
        return resident()

    if not Path("/proc/self/statm").exists():
        pytest.skip("needs Linux")
    before = some(60)
    assert some(200) - before < 200 * 20  # KB


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on Windows")
def test_a_child_forked_while_another_thread_compiles_does_not_hang() -> None:
    pytest.importorskip("llvmlite", reason="pip install llvmlite")
    program = """
import os, signal, threading, time, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # of 3.12, for a fork beside threads
from autograd import Tape, Value
from autograd.tape.native import machine
x = Value(2.0, "x")
output = x
for _ in range(600):
    output = output * 1.5 + x.sin()
small, large = Tape(x * x, x).native(), Tape(output, x).native()
begun = threading.Event()
compiled = machine._compiled
machine._compiled = lambda *given: begun.set() or compiled(*given)
thread = threading.Thread(target=lambda: large([1.0]))
thread.start()
begun.wait(20)
time.sleep(0.01)
child = os.fork()
if not child:
    signal.alarm(20)
    os._exit(small([3.0]) != (9.0, [6.0]) or large([0.0])[0] != 0.0)
thread.join()
print(os.waitpid(child, 0)[1])
"""
    done = run(program)
    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.parametrize(
    ("platform", "present", "opened"),
    [
        ("linux", {"libm.so.6"}, ["libm.so.6"]),
        ("linux", {None}, ["libm.so.6", None]),  # musl
        ("darwin", {"libm.dylib"}, ["libm.so.6", "libm.dylib"]),
        ("freebsd14", {"libm.so.5"}, ["libm.so.6", "libm.so.5"]),
        ("win32", {"ucrtbase"}, ["ucrtbase"]),
    ],
)
def test_the_c_library_of_each_platform(
    monkeypatch: pytest.MonkeyPatch, platform: str, present: set[str | None], opened: list[str | None]
) -> None:
    tried: list[str | None] = []

    def library(name: str | None) -> str:
        tried.append(name)
        if name not in present:
            raise OSError(name)
        return "opened"

    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(room, "ctypes", type("Other", (), {"CDLL": staticmethod(library)}))
    monkeypatch.setattr(room, "find_library", lambda name: next(iter(present)) if name == "m" else None)
    library_of: Any = room._library.__wrapped__  # without its cache
    assert library_of() == "opened"
    assert tried == opened
