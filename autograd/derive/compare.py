"""Forward and backward beside each other, on one graph: the numbers of both, and the multiplications that each takes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from textwrap import fill

from autograd.derive.forward import ForwardDerivation
from autograd.derive.steps import Steps
from autograd.names import columns, listed, number_text, text_name, visible
from autograd.operations import CONSTANT
from autograd.sweep import ONE
from autograd.value import Value

WIDTH, NAME, NUMBER = 80, 14, 11  # columns of a line, of a node, of a number
ROWS = 24  # nodes that are shown
RUNS = 4  # runs forward that are shown


class Comparison:
    """The derivatives of `output` by some inputs, computed both ways. Print it."""

    def __init__(self, derivation: Steps, wrt: tuple[Value, ...]) -> None:
        self.derivation, self.wrt = derivation, wrt
        self.forward = tuple(ForwardDerivation(derivation.output, x) for x in wrt)

    @cached_property
    def multiplications(self) -> tuple[tuple[int, ...], int]:
        """Those of each run forward, and those of the sweep."""
        used = {node for run in self.forward for node in run.covered}  # the sweep has no use for what depends on no input
        back = sum(term.partial is not ONE for step in self.derivation.steps if step.node in used for term in step.terms)
        return tuple(run.multiplications for run in self.forward), back

    def __str__(self) -> str:
        names = self.derivation.names
        out = text_name(names[self.derivation.output])
        by = listed([text_name(names[x]) for x in self.wrt]) if len(self.wrt) <= RUNS else f"{len(self.wrt):,} inputs"
        head = f"The derivative of {out} by {by}, forward and backward"
        note = f"Forward, d node/d input is computed downwards, a run for each input; backward, d{out}/d node upwards, once."
        return "\n\n".join(
            (fill(head, WIDTH), fill(note, WIDTH), "\n".join(self._table()), "\n".join(self._counts()), self._why())
        )

    def _table(self) -> Iterator[str]:
        """A line for each node, in the order of computation: its number, its tangents, its adjoint."""
        derivation, names = self.derivation, self.derivation.names
        runs = self.forward[:RUNS]
        heads = ["value", *(f"d/d{text_name(names[run.x])}" for run in runs), f"d{text_name(names[derivation.output])}/d"]
        yield _row("node", [_cut(head, NUMBER) for head in heads])
        covered = {node for run in self.forward for node in run.covered}
        rows = [node for node in derivation.order if node in covered and node.operation is not CONSTANT]
        for node in rows[: ROWS // 2] + rows[max(ROWS // 2, len(rows) - ROWS // 2) :]:
            numbers = [derivation.data[node], *(run.tangents[node] for run in runs), derivation.adjoints.get(node, 0.0)]
            yield _row(text_name(names[node]), [number_text(x) for x in numbers])
        if len(rows) > ROWS:
            yield f"... {len(rows) - ROWS:,} more nodes in the middle are left out here"
        if more := len(self.forward[RUNS:]):
            yield f"... {more:,} more run{'s' if more > 1 else ''} forward {'are' if more > 1 else 'is'} left out here"

    def _counts(self) -> Iterator[str]:
        forward, back = self.multiplications
        runs = "1 run" if len(forward) == 1 else f"{len(forward):,} runs"
        each = " + ".join(map(str, forward)) if 1 < len(forward) <= 8 else ""
        yield "Multiplications of a local derivative by what comes from the neighbour:"
        yield f"  forward   {sum(forward):>8,}  in {runs}{each and f', {each}'}"
        yield f"  backward  {back:>8,}  in 1 sweep"

    def _why(self) -> str:
        forward, back = self.multiplications
        if len(forward) == 1:
            what = (
                f"By one input, forward is no dearer than backward ({forward[0]:,} and {back:,}), and it has no need to keep "
                "the graph. Another input would take another run, while the sweep backward has its derivative already."
            )
        else:
            what = (
                f"A run forward answers for one input, and all outputs; a sweep backward for one output, and all "
                f"{len(forward):,} inputs."
            )
            if sum(forward) == back:
                what = f"On this graph both take as many, for no result depends on two inputs in a way that costs. {what}"
        return fill(
            f"{what} A network has one loss and very many weights: that is why its training goes backwards, and is "
            "called backpropagation.",
            WIDTH,
        )


def _row(name: str, cells: list[str]) -> str:
    name = _cut(name, NAME)
    return name + " " * (NAME - columns(name)) + "".join(f"{cell:>{NUMBER}}" for cell in cells)


def _cut(name: str, width: int) -> str:
    """The name, cut so that it leaves a column of this width."""
    return visible(name, width - 1 if columns(name) < width else width - 4)
