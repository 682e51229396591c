"""The report of wrong sweeps beside the right one: the numbers in columns, and where and why each of them goes wrong.

A line has 80 columns: a long name is cut, a long number loses digits, and of a large graph only the nodes with wrong numbers
are shown; the report as data has them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from autograd.expressions import as_text, number, symbol
from autograd.expressions.rows import definition
from autograd.floats import as_float
from autograd.names import columns, number_text, text_name, visible
from autograd.operands import Number
from autograd.operations import CONSTANT
from autograd.value import Value

Adjoints: TypeAlias = dict[Value, Number]

WIDTH, NAME, NUMBER = 80, 20, 12  # columns of a line, of a node, of a number
ROWS = 24  # nodes that are shown


class WrongWay(NamedTuple):
    """One mistake: what is done, the adjoints that come of it, the nodes where they are wrong in sweep order, and why."""

    name: str
    what: str
    adjoints: Adjoints
    wrong: tuple[Value, ...]
    why: str

    @property
    def first(self) -> Value | None:
        """The first node at which this way is wrong; None where this graph does not show the mistake."""
        return self.wrong[0] if self.wrong else None


class WrongWays(NamedTuple):
    """The `right` adjoint of each node in sweep order, its name in `names`, and the wrong `ways`. Print it."""

    output: Value
    names: dict[Value, str]
    right: Adjoints
    ways: tuple[WrongWay, ...]

    def __str__(self) -> str:
        from textwrap import fill

        paragraphs = ["\n".join(self._table())]
        for i, way in enumerate(self.ways, 1):
            what = fill(f"({i}) {way.name}: {way.what}", WIDTH, subsequent_indent="    ")
            paragraphs.append(what + "\n" + fill(way.why, WIDTH, initial_indent="    ", subsequent_indent="    "))
        return "\n\n".join(paragraphs)

    def _table(self) -> Iterator[str]:
        """A line for each node: the right adjoint, and that of each way, with a star where it is wrong."""
        yield f"d {text_name(self.names[self.output])} / d node, in the order of the sweep; * where it is wrong"
        heads = ["right", *(f"({i})" for i in range(1, len(self.ways) + 1))]
        yield (" " * NAME + "".join(f"{head:>{NUMBER - 1}} " for head in heads)).rstrip()
        wrong = [{*way.wrong} for way in self.ways]
        anywhere = set().union(*wrong)
        shown = [node for node in self.right if node in anywhere or len(self.right) <= ROWS][:ROWS]
        for node in shown:
            name = self._definition(node)
            name = visible(name, NAME - 1 if columns(name) < NAME else NAME - 4)
            cells = [f"{_short(self.right[node]):>{NUMBER - 1}} "]
            for way, there in zip(self.ways, wrong, strict=True):
                cells.append(f"{_short(way.adjoints[node]):>{NUMBER - 1}}{'*' if node in there else ' '}")
            yield (name + " " * (NAME - columns(name)) + "".join(cells)).rstrip()
        if more := len(self.right) - len(shown):
            yield f"... and {more:,} more node{'s' if more > 1 else ''}"

    def _definition(self, node: Value) -> str:
        if not node.parents:
            return text_name(self.names[node])
        operands = [number(p.data) if p.operation is CONSTANT else symbol(self.names[p]) for p in node.parents]
        return f"{text_name(self.names[node])} = {as_text(definition(node.operation, *operands))}"


def _short(x: Number) -> str:
    """A number with one column of its place left free, as far as a float can show it in fewer digits."""
    text, short = number_text(x), f"{as_float(x):.4g}"
    return text if len(text) < NUMBER - 1 or "inf" in short else short
