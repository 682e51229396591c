"""The local variables of the user's function, watched while it runs: what every line found when it was first run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FrameType
from typing import Any, NamedTuple

import numpy as np

from nn.arrays import Array

MOST, LARGEST = 400, 20_000  # lines, numbers in an array


class Line(NamedTuple):
    """A line of `code` when it was first run (0: its end): the arrays by the names that one writes, and all variables."""

    code: CodeType
    number: int
    names: dict[str, Array]
    scope: dict[str, Any]
    everywhere: dict[str, Any]


def code_of(backward: Any) -> CodeType | None:
    """The code of a function, a method or an object that can be called; None for what is built in."""
    code = getattr(getattr(backward, "__func__", backward), "__code__", None)
    code = code or getattr(vars(type(backward)).get("__call__"), "__code__", None)
    return code if isinstance(code, CodeType) else None


def _arrays(variables: dict[str, Any]) -> Iterator[tuple[str, Array]]:
    """The arrays among the variables, those in dictionaries, lists and objects too, as one writes them."""
    for name, value in variables.items():
        inside: Iterable[tuple[str, Any]] = [(name, value)]
        if isinstance(value, dict):
            inside = [(f"{name}[{key!r}]", item) for key, item in list(value.items())[:40]]
        elif isinstance(value, list | tuple):
            inside = [(f"{name}[{i}]", item) for i, item in enumerate(value[:12])]
        elif hasattr(value, "__dict__") and not callable(value) and not isinstance(value, type(sys)):
            inside = [(f"{name}.{key}", item) for key, item in list(vars(value).items())[:40]]
        yield from ((t, a) for t, a in inside if isinstance(a, np.ndarray) and a.dtype.kind in "fb" and 0 < a.size < LARGEST)


def watched(backward: Any, run: Callable[[], Any]) -> list[Line]:
    """The lines in the file of `backward` that `run` runs. Tracing is as it was afterwards, whatever happens."""
    code, found, lines = code_of(backward), list[Line](), set[tuple[CodeType, int]]()
    if code is None:
        run()
        return found

    def local(frame: FrameType, event: str, arg: Any) -> Any:
        number = frame.f_lineno if event == "line" else 0
        if event in {"line", "return"} and (frame.f_code, number) not in lines and len(found) < MOST:
            lines.add((frame.f_code, number))
            scope = {name: a.copy() if isinstance(a, np.ndarray) else a for name, a in frame.f_locals.items()}
            names = {text: a.copy() for text, a in _arrays(scope | {"return": arg} if event == "return" else scope)}
            found.append(Line(frame.f_code, number, names, scope, frame.f_globals))
        return local

    def globally(frame: FrameType, event: str, _arg: Any) -> Any:
        ours = event == "call" and frame.f_code.co_filename == code.co_filename
        return local if ours and not frame.f_code.co_name.startswith("<") else None

    old = sys.gettrace()
    sys.settrace(globally)
    try:
        run()
    finally:
        sys.settrace(old)
    return found


def key_of(numbers: Array) -> tuple[int, float, float]:
    """What is the same for an array and its transpose."""
    flat = np.asarray(numbers, dtype=float).ravel()
    return flat.size, float(f"{flat.sum():.9g}"), float(f"{flat @ flat:.9g}")
