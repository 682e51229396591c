"""`import autograd` in a fresh interpreter, against the interpreter alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from compare import MORE, Side, compare

import autograd

WHERE = str(Path(autograd.__file__).parents[1])  # the fresh interpreter imports the same autograd as this one


def interpreter(program: str) -> None:
    subprocess.run([sys.executable, "-c", program], cwd=WHERE, check=True)


def run() -> None:
    compare(
        "startup: a fresh process",
        Side("import autograd", lambda: interpreter("import autograd")),
        Side("bare interpreter", lambda: interpreter("pass")),
        MORE,
        goal=30,
        rounds=25,
    )
