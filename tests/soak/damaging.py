"""Damage files of models and checkpoints at random: is each refused by a `ValueError`, or read as something that it may be?

Run it: python tests/soak/damaging.py 100000 [SEED]. Damage to the bytes alone has to be refused or to change nothing, as there
are checksums (safetensors has none: there it may change numbers). Damage by someone who makes the checksums anew may end in
another model. Nothing else is allowed: no other exception, no message that speaks of Python's insides, no more memory than
three times the file and two MB, no second, nothing that is run, imported or unpickled.
"""

from __future__ import annotations

import io
import json
import os
import random
import re
import resource
import signal
import sys
import tempfile
import tracemalloc
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from archives import DESCRS, HOSTILE, NAMES, SHAPES, archive, framed, npy, with_pickle

import nn
from nn import MatrixMLP

INSIDES = re.compile(r"object (has|is)|NoneType|subscript|operand|argument|Traceback|\w+Error\b|broadcast|unpack")
RUNS = ("exec", "compile", "import", "pickle.find_class", "os.system", "os.exec", "os.posix_spawn", "subprocess.Popen")
NUMBERS = (0, 1, 2, 7, 8, 22, 46, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)
X, Y = np.random.default_rng(0).normal(size=(4, 3)), np.eye(2)[[0, 1, 1, 0]]
STEPS = 6


class Good(NamedTuple):
    """A file as it should be, and how it is read: by a function that returns every bit of what it read."""

    suffix: str
    content: bytes
    read: Callable[[Path], Any]


def bits(model: MatrixMLP) -> Any:
    return model.activations, [(a.shape, a.tobytes()) for a in (*model.weights, *(model.biases or ()))]


def loaded(path: Path) -> Any:
    return bits(nn.load(path))


def going_on(networks: int | None) -> Callable[[Path | None], Any]:
    def trained(path: Path | None) -> Any:
        model = MatrixMLP.random([3, 2, 2], rng=0, networks=networks)
        history = nn.fit(model, X, Y, STEPS, 0.1, report_every=2, checkpoint=path)
        return bits(model), [np.array(part).tobytes() for part in history]

    return trained


def good_files(folder: Path) -> list[Good]:
    found = []
    for networks in (None, 3):
        model = MatrixMLP.random([3, 4, 2], ("tanh", "linear"), rng=0, networks=networks, bias=networks is None)
        for suffix in ("npz", "safetensors"):
            path = folder / f"good.{suffix}"
            nn.save(model, path)
            found.append(Good(suffix, path.read_bytes(), loaded))
        path = folder / f"run{networks}.npz"
        trained = going_on(networks)
        assert trained(path) == trained(None)
        found.append(Good("npz", path.read_bytes(), trained))
    return found


# -- damage


def damaged_bytes(good: bytes, other: bytes, at: random.Random) -> bytes:
    """Bits flipped, bytes and numbers replaced, pieces cut out, doubled, moved, put in from another file."""
    bad = bytearray(good or b"\0")
    for _ in range(at.choice((1, 1, 1, 2, 5))):
        i, j = sorted(at.randrange(len(bad) + 1) for _ in range(2))
        k = at.choice([m.start() for m in re.finditer(rb"PK..|NUMPY|\{|:", bad, re.DOTALL)] or [0]) + at.randrange(50)
        match at.randrange(10):
            case 0 | 1:
                bad[i % len(bad)] ^= 1 << at.randrange(8)
            case 2:
                bad[i % len(bad)] = at.randrange(256)
            case 3:
                size = at.choice((2, 4, 8))
                bad[k : k + size] = (at.choice(NUMBERS) % 256**size).to_bytes(size, "little")
            case 4:
                del bad[i:]
            case 5:
                del bad[i : min(j, i + 40)]
            case 6:
                bad[i:i] = bad[i:j]
            case 7:
                bad += at.choice((b"\0", b"PK\5\6" + bytes(18), other, at.randbytes(30)))
            case 8:
                bad[i:] = other[i:]
            case _:
                bad[k:k] = at.randbytes(at.randrange(1, 9))
        bad = bad or bytearray(1)  # the next has something to damage
    return bytes(bad)


def header_lies(data: bytes, at: random.Random) -> bytes:
    """An array whose header says something else of it, or that has other bytes."""
    if data[:6] != b"\x93NUMPY":
        return data
    start = 10 + int.from_bytes(data[8:10], "little")
    said = re.findall(rb"'descr': '?(.*?)'?, 'fortran_order': (\w+), 'shape': (\(.*?\)), }", data[10:start], re.DOTALL) or [()]
    descr, order, shape = (part.decode("latin1") for part in said[0]) if said[0] else ("<f8", "False", "(1,)")
    match at.randrange(6):
        case 0:
            descr = at.choice(("<f4", "<f2", ">f8", "<i8", "|b1", "|u1", "<U2", ">U1", *DESCRS.split()))
        case 1:
            order = at.choice(("True", "False", "None", "1"))
        case 2:
            shape = at.choice((*SHAPES.split("; "), "(2, 2)", "(3,)", "(2, 3, 4)", "(0,)", f"({at.choice(NUMBERS)}, 1)"))
        case 3:
            return npy(descr, order, shape, damaged_bytes(data[start:] or b"\0", data, at))
        case 4:
            return data[: at.randrange(len(data))]
        case _:
            return npy(descr, order, shape, data[start:], version=bytes(at.choices((0, 1, 2, 3), k=2)))
    return npy(descr, order, shape, data[start:])


def remade_npz(good: bytes, other: bytes, at: random.Random) -> bytes:
    """Another archive, checksums and all."""
    with zipfile.ZipFile(io.BytesIO(good)) as file:
        entries = [(entry.filename, file.read(entry)) for entry in file.infolist()]
    for _ in range(at.choice((1, 1, 2, 3))):
        i = at.randrange(len(entries))
        name, data = entries[i]
        match at.randrange(9):
            case 0 | 1 | 2:
                entries[i] = name, header_lies(data, at)
            case 3:
                entries[i] = at.choice((*NAMES.split(), *(n for n, _ in entries), "run.npy", "4.weight.npy")), data
            case 4:
                entries[i] = name, entries[at.randrange(len(entries))][1]
            case 5:
                entries.insert(i, (at.choice((name, "1.weight.npy", "x.0.bias.npy", "step.npy")), header_lies(data, at)))
            case 6:
                at.shuffle(entries)
            case 7 if len(entries) > 1:
                del entries[i]
            case _:
                values = np.frombuffer(at.randbytes(16 * at.randrange(1, 9)), at.choice(("<f8", "<i8", "<i4", "<U1")))
                entries[i] = name, npy(values.dtype.str, shape=str(values.shape), data=values.tobytes())
    if at.random() < 0.1:
        return at.choice((with_pickle(), other, at.choice(list(HOSTILE.values()))))
    method = at.choice((*[zipfile.ZIP_STORED] * 9, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    return archive(entries, method, at.choice((*[b""] * 9, b"hello", b"PK\5\6" + bytes(18))))


def remade_safetensors(good: bytes, other: bytes, at: random.Random) -> bytes:
    """Another header before the same bytes, or before others."""
    start = 8 + int.from_bytes(good[:8], "little")
    header, data = json.loads(good[8:start]), good[start:]
    odd: tuple[Any, ...] = (
        None,
        3,
        -1,
        1.5,
        "sigmoid",
        "",
        [],
        {},
        [0],
        [2, 3],
        [2**63, 2],
        [-1, -2],
        "__import__('os')",
        True,
    )
    for _ in range(at.choice((1, 1, 2))):
        name = at.choice(list(header))
        match at.randrange(8):
            case 0:
                header[name] = at.choice(odd)
            case 1 | 2 if isinstance(header[name], dict) and header[name]:
                header[name][at.choice(list(header[name]))] = at.choice(odd)
            case 3 if isinstance(header[name], dict):
                header[name]["dtype"] = at.choice(["F32", "F16", "BF16", "I64", "U8", "BOOL", "C64", "F8_E4M3", "F4", "PICKLE"])
            case 4:
                header[at.choice(("0.weight", "../0.weight", "1.bias", "__metadata__", "\u0663.weight"))] = header.pop(name)
            case 5:
                data = damaged_bytes(data or b"\0", other, at)
            case 6 if isinstance(header[name], dict):
                header[name]["shape"] = [at.choice(NUMBERS) for _ in range(at.randrange(4))]
            case _:
                header["9.weight"] = {"dtype": "F64", "shape": at.choice(odd), "data_offsets": at.choice(odd)}
        header = header or {"0.weight": None}
    text = at.choice((*[json.dumps(header)] * 6, json.dumps(header) + " " * at.randrange(99), "[" * 9999, "\ud800", "nan"))
    length = at.choice((None, None, None, None, *NUMBERS[:-1]))
    return framed(text.encode("utf-8", "surrogatepass"), data, length)


# -- what becomes of it


RAN: list[str] = []
WATCHING = False


def watch(event: str, _: Any) -> None:
    if WATCHING and event.startswith(RUNS):
        RAN.append(event)


@contextmanager
def watched(seconds: float) -> Iterator[None]:
    """Nothing is run in it unseen, and it ends."""
    global WATCHING  # noqa: PLW0603  # such a hook cannot be taken away
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    tracemalloc.reset_peak()
    WATCHING = True
    try:
        yield
    finally:
        WATCHING = False
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def too_long(*_: Any) -> None:
    raise TimeoutError("it takes more than a second of computing")


def outcome(good: Good, bad: bytes, path: Path, want: Any, allowed: list[Any] | None) -> str:
    """What became of the file, in words; what should not have begins with a "!"."""
    path.write_bytes(bad)
    before = tracemalloc.get_traced_memory()[0]
    RAN.clear()
    try:
        with watched(1.0):
            found = good.read(path)
        told = "the same" if found == want else "another model" if allowed is None or found in allowed else "!another model"
    except nn.DivergedError:
        told = "another model" if allowed is None else "!diverged"
    except ValueError as error:
        said = str(error)
        clear = str(path) in said and len(said) < 700 and not INSIDES.search(said.replace(str(path), ""))
        told = "refused" if clear and type(error) is ValueError else f"!{type(error).__name__}: {said[:300]}"
        if path.read_bytes() != bad:
            told = "!refused, and changed"
    except BaseException as error:  # noqa: BLE001  # whatever it is, it is what is looked for
        told = f"!{type(error).__name__}: {error}"
    peak = tracemalloc.get_traced_memory()[1] - before
    if peak > 2_000_000 + 3 * len(bad):
        told = f"!{peak} bytes of memory for a file of {len(bad)}"
    return f"!it ran {RAN[:3]}" if RAN else told


def main(count: int, seed: int) -> None:
    at, seen, problems = random.Random(seed), Counter[str](), list[str]()  # noqa: S311  # no secret
    os.fsync = lambda fd: None
    warnings.simplefilter("ignore")  # zipfile warns of a name that is twice there
    signal.signal(signal.SIGVTALRM, too_long)
    sys.addaudithook(watch)
    with tempfile.TemporaryDirectory() as name:
        files = good_files(Path(name))
        wants = [good.read(_put(good.content, Path(name) / f"bad.{good.suffix}")) for good in files]
        whole = [*wants, *(loaded(_put(good.content, Path(name) / "bad.npz")) for good in files if good.suffix == "npz")]
        tracemalloc.start()
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, -1))
        for number in range(count):
            i = at.randrange(len(files))
            good, other = files[i], at.choice(files).content
            remade = {"npz": remade_npz, "safetensors": remade_safetensors}[good.suffix]
            how = at.choice(("bytes", "bytes", "remade", "both"))
            bad = remade(good.content, other, at) if how != "bytes" else good.content
            bad = damaged_bytes(bad, other, at) if how != "remade" else bad
            strict = how == "bytes" and good.suffix == "npz"  # a piece of another file may be all of it
            told = outcome(good, bad, Path(name) / f"bad.{good.suffix}", wants[i], whole if strict else None)
            kind = "checkpoint" if good.read is not loaded else good.suffix
            seen[f"{kind}, {'damaged' if how == 'bytes' else 'made anew'}: {told.partition(':')[0]}"] += 1
            if told[0] == "!":
                problems.append(f"file {number}, {kind}, {how}: {told}")
    print(f"seed {seed}: {count} files")
    print("\n".join(f"{n:8} {what}" for what, n in sorted(seen.items())))
    print("\n".join(problems[:20]))
    print(f"{len(problems)} of them ended as none may end")
    sys.exit(bool(problems))


def _put(content: bytes, path: Path) -> Path:
    path.write_bytes(content)
    return path


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
