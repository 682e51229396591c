"""Formulas written down as a program, one line for each operation.

What has a name is assigned to it on a line of its own; what is used twice, or has grown long, gets one. The trade-off: a
program is straight on, without loops, so it is as long as the graph that it computes.
"""

from __future__ import annotations

import keyword
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from autograd import floats
from autograd.graph import topological_order
from autograd.printing import ATOM, Dialect, Form, Written, call, composed, infix
from autograd.operations import table
from autograd.expressions import NAME, NUMBER, Expression

if TYPE_CHECKING:
    from autograd.tape.replay import Tape

DEEPEST = 12  # operations within one another on a line
SIGN = 6
WHOLE_POWER = Form("{} ** {}", 7, (8, SIGN))


def _leaf(e: Expression) -> tuple[str, int]:
    if e.op is NAME:
        return e.content, ATOM
    return repr(e.content), SIGN if math.copysign(1, e.content) < 0 else ATOM


def _power(e: Expression) -> tuple[Form, tuple[Expression, ...]]:
    """Python's own operator for a whole constant, with which it never gets complex."""
    exponent = e.parents[1]
    whole = exponent.op is NUMBER and float(exponent.content).is_integer()
    return WHOLE_POWER if whole else call("power", 2), e.parents


PYTHON = Dialect(
    {
        "where": Form("{1} if {0} else {2}", 0, (1, 1, 0)),
        "logical_and": infix("and", 1),
        "less": infix("<", 2),
        "less_equal": infix("<=", 2),
        "greater": infix(">", 2),
        "greater_equal": infix(">=", 2),
        "equal": infix("==", 2),
        "add": infix("+", 4),
        "subtract": infix("-", 4),
        "multiply": infix("*", 5),
        "divide": infix("/", 5),
        "negative": Form("-{}", SIGN, (SIGN,)),
        "power": _power,
    },
    _leaf,
)


def assignments(
    outputs: Iterable[Expression], names: Mapping[Expression, str], dialect: Dialect = PYTHON
) -> tuple[list[str], list[str]]:
    """The lines that compute the outputs, and the text of each output after them.

    Lines come in the order of `names`, those that no output needs are left out.

    >>> from autograd.expressions import exp, symbol
    >>> x = symbol("x")
    >>> e = exp(x)
    >>> assignments([e / (1 + e)], {e: "e"})
    (['e = exp(x)'], ['e / (1 + e)'])
    """
    outputs = list(outputs)
    needed = topological_order(*outputs)
    uses = Counter(parent for e in needed for parent in e.parents)
    known = set(needed)
    temporaries = _fresh("t", set(names.values()))
    lines: list[str] = []
    found: dict[Expression, Written] = {}
    for e in topological_order(*(e for e in names if e in known), *outputs):
        written = composed(e, found, dialect)
        name = names.get(e) or (next(temporaries) if e.parents and (uses[e] > 1 or written.depth >= DEEPEST) else None)
        if name is not None and e.parents:
            lines.append(f"{name} = {written.text}")
            written = Written(name, ATOM, 0)
        found[e] = written
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


def program_of(tape: Tape) -> str:
    """What `Tape.source` is: the function `replay` of the tape's inputs."""
    taken = {"replay", *vars(floats)}
    inputs = identifiers((node.label for node in tape.inputs), "x", taken)
    nodes, adjoint, grads = tape.formulas(table(symbols), inputs)
    slots = {node: slot for slot, node in enumerate(nodes)}
    results = [node for node in topological_order(nodes[tape.output]) if node.left is not None]
    names = dict(zip(results, identifiers((tape.labels.get(slots[node], "") for node in results), "v", taken), strict=True))
    lines: dict[symbols.Expression, str] = {}
    for node in results:
        lines.setdefault(node.data, names[node])
    for node in sorted(results, key=lambda node: -slots[node]):
        lines.setdefault(adjoint[node], f"d_{names[node]}")
    lines.update(zip(grads, (f"d_{name}" for name in inputs), strict=True))
    body, (value, *derivatives) = assignments([nodes[tape.output].data, *grads], lines)
    returned = f"return {value}, [{', '.join(derivatives)}]"
    return "\n    ".join((f"def replay({', '.join(inputs)}):", *body, returned))
