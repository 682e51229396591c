"""A program as Python: one line for each operation, then one for each adjoint.

What has a name is assigned to it on a line of its own. What is used twice, or has grown long, gets a name.
"""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from autograd.expressions import Expression
from autograd.expressions.printer import ATOM, Form, Language, Text, call, composed
from autograd.expressions.python import PYTHON
from autograd.graph import topological_order
from autograd.operations import BUILT_IN, OPERATIONS, Operation
from autograd.tape.program import Program, formulas

DEEPEST = 12  # operations within one another on a line
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
    body, (value, *derivatives) = assignments([output.data, *grads], lines, _calling(own))
    returned = f"return {value}, [{', '.join(derivatives)}]"
    text = "\n    ".join((f"def replay({', '.join(inputs)}):", *body, returned))
    return Source(text, {name: operation for operation, name in own.items()})


def _own(outputs: Sequence[Expression], taken: set[str]) -> dict[Operation, str]:
    """A name for each operation of a user's own in the formulas; two records may have been registered under one name."""
    found = dict.fromkeys(e.op for e in topological_order(*outputs) if e.parents and e.op.name not in BUILT_IN)
    free = (taken - OPERATIONS.keys()) | RESERVED
    return dict(zip(found, identifiers((operation.name for operation in found), "f", free), strict=True))


def _calling(own: Mapping[Operation, str]) -> Language:
    """Python, in which these operations are calls, whatever their symbols are."""

    def form(e: Expression) -> tuple[Form, Sequence[Expression]]:
        return call(own[e.op], len(e.parents)), e.parents

    return PYTHON._replace(forms={**PYTHON.forms, **{operation.name: form for operation in own}})


def assignments(
    outputs: Iterable[Expression], names: Mapping[Expression, str], language: Language = PYTHON
) -> tuple[list[str], list[str]]:
    """The lines that compute the outputs, and the text of each output after them.

    Lines come in the order of `names`, those that no output needs are left out.

    >>> from autograd.expressions import SYMBOLS, symbol
    >>> e = SYMBOLS.exp(symbol("x"))
    >>> assignments([e / (1 + e)], {e: "e"})
    (['e = exp(x)'], ['e / (1 + e)'])
    """
    outputs = list(outputs)
    needed = topological_order(*outputs)
    uses = Counter(parent for e in needed for parent in e.parents)
    known = set(needed)
    temporaries = _fresh("t", set(names.values()))
    lines: list[str] = []
    found: dict[Expression, Text] = {}
    for e in topological_order(*(e for e in names if e in known), *outputs):
        text = composed(e, found, language)
        name = names.get(e) or (next(temporaries) if e.parents and (uses[e] > 1 or text.depth >= DEEPEST) else None)
        if name is not None and e.parents:
            lines.append(f"{name} = {text.text}")
            text = Text(name, ATOM, 0)
        found[e] = text
    return lines, [found[e].text for e in outputs]


def _fresh(stem: str, taken: set[str]) -> Iterator[str]:
    """stem1, stem2, ... without those that are taken."""
    k = 0
    while True:
        k += 1
        if f"{stem}{k}" not in taken:
            yield f"{stem}{k}"


def identifiers(labels: Iterable[str], stem: str, taken: set[str]) -> list[str]:
    """A name that Python takes for each label, none of them in `taken`, to which they are added.

    >>> identifiers(["W1[0,2]", "lambda", "", "W1[0,2]"], "x", set())
    ['W1_0_2', 'x2', 'x3', 'W1_0_2__4']
    """
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
