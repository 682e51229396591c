"""The diagnosis in words: the findings of a search, and the report that is printed."""

from __future__ import annotations

import textwrap
from typing import NamedTuple

import numpy as np

from nn.diagnose.explanations import DEPTH, Cause
from nn.diagnose.gradients import CLOSE
from nn.diagnose.mistakes import LINES, WORDS
from nn.diagnose.problem import listed
from nn.diagnose.search import Search


class Finding(NamedTuple):
    """One mistake: its name, where it sits, the gradient in which it first shows, and what it spoils besides."""

    mistake: str
    layer: int
    gradient: str
    message: str
    consequences: tuple[str, ...]
    also: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{self.mistake}, layer {self.layer}, first seen in {self.gradient}", _wrapped(self.message, "   ")]
        if self.consequences:
            verb = "is" if len(self.consequences) == 1 else "are"
            lines.append(f"   Only because of it {listed(self.consequences)} {verb} wrong too.")
        if self.also:
            lines.append(_wrapped(f"The same numbers would come out of: {listed(self.also)}.", "   "))
        return "\n".join(lines)


class Report(NamedTuple):
    """The diagnosis, to print.

    `findings` are the mistakes. `right` and `wrong` name the gradients; `unexplained` are those of the wrong ones that no
    known mistake reproduces, and `notes` say of them what can be said. `turned`: the formulas are transposes of the user's.
    """

    findings: tuple[Finding, ...]
    right: tuple[str, ...]
    wrong: tuple[str, ...]
    unexplained: tuple[str, ...]
    notes: tuple[str, ...]
    turned: bool = False

    @property
    def ok(self) -> bool:
        """Whether every gradient is right."""
        return not (self.findings or self.wrong or self.unexplained or self.notes)

    def __str__(self) -> str:
        if self.ok:
            return f"This backward pass is right: {listed(self.right)} equal the gradients of the loss."
        parts = []
        if self.findings:
            parts.append("There is one mistake." if len(self.findings) == 1 else f"There are {len(self.findings)} mistakes.")
        parts += [f"{number}. {finding}" for number, finding in enumerate(self.findings, 1)]
        parts += [_wrapped(note) for note in self.notes]
        if self.right:
            parts.append(_wrapped(f"Right as they are: {listed(self.right)}."))
        if self.findings and not self.notes:
            parts.append("Checked: a backward pass with exactly this reproduces every number that yours returned.")
            if self.turned:
                parts.append("(The formulas have samples in rows and weights n_in x n_out; yours are their transposes.)")
        return "\n\n".join(parts)


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(text, 100, initial_indent=indent, subsequent_indent=indent)


def report(search: Search, names: tuple[str, ...], notes: list[str]) -> Report:
    """What the search found of the gradients of these names; `notes` are of those that could not be read."""
    right = tuple(name for name in names if name in search.correct)
    wrong = tuple(name for name in names if name not in right)
    if len(right) == len(search.seen):
        return Report((), right, wrong, tuple(n for n in names if n not in search.seen), tuple(notes))
    if not any(any(reading.any() for reading in found.readings) for found in search.seen.values()):
        notes.append(f"Every gradient is zero: {listed(tuple(search.seen))}. Nothing has been computed yet.")
        return Report((), right, wrong, wrong, tuple(notes))
    best, *others = search.best()
    findings = []
    for cause in sorted(best.causes, key=lambda c: (-c.layer, DEPTH.index(c.part), c.mistake)):
        blamed = [name for name, causes in best.by_gradient if cause in causes and name in wrong]
        if cause.mistake == "unexplained" or not blamed:
            continue
        swapped = [other.causes - best.causes for other in others if best.causes - other.causes == {cause}]
        also = sorted({instead.mistake for causes in swapped if len(causes) == 1 for instead in causes} - {cause.mistake})
        alone = tuple(name for name, causes in best.by_gradient if name in blamed[1:] and causes == {cause})
        findings.append(Finding(cause.mistake, cause.layer, blamed[0], message(cause), alone, tuple(also)))
    unexplained = tuple(
        name for name, causes in best.by_gradient if any(c.mistake == "unexplained" for c in causes) and name in wrong
    )
    notes += [_far_off(search, name) for name in unexplained if name in search.seen]
    unexplained = (*unexplained, *(n for n in names if n not in search.seen))
    turned = search.problem.columns or search.problem.out_in
    return Report(tuple(findings), right, wrong, unexplained, tuple(notes), turned)


def message(cause: Cause) -> str:
    """The sentence on a cause, and the line that is right."""
    places = {"l": cause.layer, "p": cause.layer - 1, "n": cause.layer + 1}
    line = LINES.get(cause.part, "").format(**places).replace("a0", "X")
    words = WORDS[cause.mistake].format(used=cause.used, **places).replace("a0", "X")
    return words if cause.part == "scale" else f"{words} Right: {line}."


def _far_off(search: Search, name: str) -> str:
    """How far a gradient that nothing explains is from the right one."""
    found, exact = search.seen[name], search.exact(name)
    if not found.fits:
        return f"{name} has the wrong shape, {found.readings[0].shape[1:]}, and comes out of no mistake that is known here."
    ours, theirs = exact[0].ravel(), found.readings[0][0].ravel()
    size = float(np.linalg.norm(theirs) / np.linalg.norm(ours))
    angle = float(np.degrees(np.arccos(np.clip(ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs), -1, 1))))
    signs = int((np.sign(ours) != np.sign(theirs)).sum())
    entries = int((np.abs(ours - theirs) > CLOSE * np.abs(ours).max()).sum())
    return (
        f"{name} comes out of no mistake that is known here: {entries} of {ours.size} entries are off, {signs} in sign; as a "
        f"whole it is {size:.4g} times as long as the right gradient, at an angle of {angle:.1f} degrees."
    )
