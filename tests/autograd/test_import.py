"""`import autograd` alone is light: in a fresh interpreter it brings neither NumPy nor Graphviz along."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import autograd


def run(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603


def test_importing_and_differentiating_loads_neither_numpy_nor_graphviz() -> None:
    program = """
import sys
import autograd
x = autograd.Value(2.0)
(x * 3 + x.exp()).backward()
autograd.gradcheck(autograd.sin, 0.5)
print(sorted({"numpy", "graphviz", "pygraphviz"} & sys.modules.keys()), x.grad > 10)
"""
    assert run(program) == "[] True"


def test_every_public_name_is_there_and_nothing_hides_a_module() -> None:
    names = {name for name in dir(autograd) if not name.startswith("_")}
    functions = {"cos", "exp", "log", "logaddexp", "maximum", "minimum", "relu", "sigmoid", "sin", "softplus", "sqrt", "tanh"}
    others = {"Drawing", "GradientError", "GradientReport", "RenderError", "Value", "draw", "grad", "gradcheck"}
    assert names >= functions | others | {"topological_order", "zero_grad"}
    assert all(callable(getattr(autograd, name)) for name in functions | others)


def test_beside_another_autograd_nn_says_what_is_wrong_and_how_to_mend_it(tmp_path: Path) -> None:
    (tmp_path / "autograd").mkdir()
    (tmp_path / "autograd" / "__init__.py").write_text("grad = None  # as HIPS autograd has")
    repository = Path(autograd.__file__).parents[1]
    path = os.pathsep.join([str(tmp_path), str(repository)])
    done = subprocess.run(  # our own
        [sys.executable, "-c", "import nn"],
        env={**os.environ, "PYTHONPATH": path},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: nn belongs to chainrule, and the autograd that is installed here is another one")
    assert "pip uninstall autograd, then pip install --force-reinstall chainrule" in last
