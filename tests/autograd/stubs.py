"""The stubs that type checkers read, made from the table: `python tests/autograd/stubs.py` writes them after one was added."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from autograd import functions
from autograd.operations import BUILT_IN, OPERATIONS

HEAD = "# Made from the table by tests/autograd/stubs.py.\n\n"
BUILT = [row for row in OPERATIONS.values() if row.name in BUILT_IN]


def methods() -> str:
    """What the table adds to Value."""
    lines = []
    for row in BUILT:
        for method in filter(None, [row.method]):
            operands = {1: "self", 2: "self, other: Any"}.get(len(row.domain), "self, low: Any, high: Any")
            lines.append(f"    def {method}({operands}) -> Value: ...")
            if method.startswith("__") and row.arity == 2:
                lines.append(f"    def {method.replace('__', '__r', 1)}(self, other: Any) -> Value: ...")
    return (
        HEAD
        + "from typing import Any\n\nfrom autograd.recording import Recorded\nfrom autograd.value import Value\n\n"
        + "class Methods(Recorded):\n"
        + "\n".join(lines)
        + "\n"
    )


def naturally(name: str) -> list[Any]:
    """By what linters sort names: log2 comes before log10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def of_functions() -> str:
    """The functions of the table."""
    listed = "".join(f'    "{name}",\n' for name in sorted(functions.__all__, key=naturally))
    lines = [
        f"def {name}({', '.join(f'{operand}: Any' for operand in 'abcdefgh'[: OPERATIONS[name].arity])}) -> Value: ..."
        for name in functions.__all__
    ]
    return (
        HEAD
        + "from collections.abc import Callable\nfrom typing import Any\n\n"
        + "from autograd.operations import Arithmetic, Operation\nfrom autograd.value import Value\n\n"
        + f"__all__ = [\n{listed}]\n\nRECORDING: Arithmetic\n\n"
        + "def function_of(row: Operation) -> Callable[..., Any]: ...\n"
        + "\n".join(lines)
        + "\n"
    )


STUBS = {"autograd/methods.pyi": methods, "autograd/functions.pyi": of_functions}

if __name__ == "__main__":
    for path, text in STUBS.items():
        Path(__file__).parents[2].joinpath(path).write_text(text())
