"""Formulas written down as a program, one line for each operation.

An expression becomes text from its operands up, with the parentheses that it needs and no others. What has a name is
assigned to it on a line of its own; what is used twice, or has grown long, gets one. The trade-off: a `Dialect` is no more
than a template for each operation, so it can say how an operation is spelled, not what it means.
"""

from __future__ import annotations

import keyword
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from autograd.graph import topological_order
from autograd.symbols import NAME, NUMBER, Expression

ATOM = 9  # the precedence of what never needs parentheses
DEEPEST = 12  # operations within one another on a line


class Form(NamedTuple):
    """How an operation is spelled: its precedence, and the least that its operands may have without parentheses."""

    template: str
    precedence: int
    operands: tuple[int, ...]


Dialect = Mapping[str, Form]


def _infix(symbol: str, precedence: int) -> Form:
    return Form(f"{{}} {symbol} {{}}", precedence, (precedence, precedence + 1))


PYTHON: Dialect = {
    "where": Form("{1} if {0} else {2}", 0, (1, 1, 0)),
    "logical_and": _infix("and", 1),
    "less": _infix("<", 2),
    "less_equal": _infix("<=", 2),
    "greater": _infix(">", 2),
    "greater_equal": _infix(">=", 2),
    "equal": _infix("==", 2),
    "add": _infix("+", 4),
    "subtract": _infix("-", 4),
    "multiply": _infix("*", 5),
    "divide": _infix("/", 5),
    "negative": Form("-{}", 6, (6,)),
}
WHOLE_POWER = Form("{} ** {}", 7, (8, 6))  # of a whole constant: never complex, so Python's own operator will do


class Written(NamedTuple):
    """The text of an expression, its precedence, and how many operations lie within one another in it."""

    text: str
    precedence: int
    depth: int


def _leaf(e: Expression) -> Written:
    if e.op is NAME:
        return Written(e.content, ATOM, 0)
    negative = math.copysign(1, e.content) < 0
    return Written(repr(e.content), 6 if negative else ATOM, 0)


def _composed(e: Expression, operands: list[Written], dialect: Dialect) -> Written:
    form = dialect.get(e.op)
    if e.op == "power" and e.parents[1].op is NUMBER and float(e.parents[1].content).is_integer():
        form = WHOLE_POWER
    if form is None:
        form = Form(f"{e.op}({', '.join('{}' for _ in operands)})", ATOM, (0,) * len(operands))
    texts = (w.text if w.precedence >= least else f"({w.text})" for w, least in zip(operands, form.operands, strict=True))
    return Written(form.template.format(*texts), form.precedence, 1 + max(w.depth for w in operands))


def assignments(
    outputs: Iterable[Expression], names: Mapping[Expression, str], dialect: Dialect = PYTHON
) -> tuple[list[str], list[str]]:
    """The lines that compute the outputs, and the text of each output after them.

    Lines come in the order of `names`, those that no output needs are left out.

    >>> from autograd.symbols import exp, symbol
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
        if not e.parents:
            found[e] = _leaf(e)
            continue
        written = _composed(e, [found[p] for p in e.parents], dialect)
        name = names.get(e) or (next(temporaries) if uses[e] > 1 or written.depth >= DEEPEST else None)
        if name is not None:
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
