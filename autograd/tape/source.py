"""A program as Python: one line for each operation, then one for each adjoint.

What has a name is assigned to it on a line of its own. What is used twice, or has grown long, gets a name.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from autograd.expressions import Expression
from autograd.expressions.python import PYTHON, assignments
from autograd.graph import topological_order
from autograd.operations import BUILT_IN, OPERATIONS, Operation
from autograd.tape.program import Program, formulas

RESERVED = {"replay", "inf", "nan", *BUILT_IN}


class Source(NamedTuple):
    """The function `replay` as text, and what it calls: built-in operations by their names, and a user's own by these."""

    text: str
    own: dict[str, Operation]


def source_of(program: Program) -> Source:
    """The program as a function `replay` of its inputs, which returns the output and the list of the derivatives."""
    taken = {*RESERVED, *OPERATIONS}
    labels, count = program.labels, program.inputs
    inputs = identifiers((labels.get(k, "") for k in range(count)), "x", taken)
    nodes, adjoint, grads = formulas(program, inputs)
    output = nodes[program.output]
    position = {node: k for k, node in enumerate(nodes)}
    results = [node for node in topological_order(output) if node.left is not None]
    names = dict(zip(results, identifiers((labels.get(position[node], "") for node in results), "v", taken), strict=True))
    lines: dict[Expression, str] = {}
    for node in results:
        lines.setdefault(node.data, names[node])
    for node in sorted(results, key=lambda node: -position[node]):
        lines.setdefault(adjoint[node], f"d_{names[node]}")
    lines.update(zip(grads, (f"d_{name}" for name in inputs), strict=True))
    own = _own([output.data, *grads], taken)
    language = PYTHON._replace(call=lambda operation: own.get(operation, operation.name))
    body, (value, *derivatives) = assignments([output.data, *grads], lines, language=language)
    returned = f"return {value}, [{', '.join(derivatives)}]"
    text = "\n    ".join((f"def replay({', '.join(inputs)}):", *body, returned))
    return Source(text, {name: operation for operation, name in own.items()})


def _own(outputs: Sequence[Expression], taken: set[str]) -> dict[Operation, str]:
    """A name for each operation of a user's own in the formulas; two records may have been registered under one name."""
    found = dict.fromkeys(e.op for e in topological_order(*outputs) if e.parents and e.op.name not in BUILT_IN)
    free = (taken - OPERATIONS.keys()) | RESERVED
    return dict(zip(found, identifiers((operation.name for operation in found), "f", free), strict=True))


def identifiers(labels: Iterable[str], stem: str, taken: set[str]) -> list[str]:
    """A name that Python takes for each label, none of them in `taken`, to which they are added."""
    names: list[str] = []
    for k, label in enumerate(labels, start=1):
        name = re.sub(r"\W+", "_", label[:40], flags=re.ASCII).strip("_")
        if not name[:1].isalpha() or keyword.iskeyword(name) or re.match(r"([xvt]\d+|d_.*)$", name):
            name = f"{stem}{k}"
        while name in taken:
            name = f"{name}__{k}"
        taken.add(name)
        names.append(name)
    return names
