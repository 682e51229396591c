"""The diagnosis in words: what was found, as data; printed as text, and as HTML in a notebook."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from html import escape
from typing import Any, NamedTuple

from nn.diagnose.mistakes import MISTAKES
from nn.diagnose.problem import listed


class Finding(NamedTuple):
    """One mistake: its name, where it sits, the gradient in which it first shows, and what it spoils besides.

    `line` is the user's line of source that contains it, and what belongs there, where that could be found.
    """

    mistake: str
    layer: int
    gradient: str
    message: str
    consequences: tuple[str, ...]
    also: tuple[str, ...]
    line: str = ""

    @property
    def title(self) -> str:
        """The mistake in a few words."""
        record = MISTAKES.get(self.mistake)
        title = record.title if record else self.mistake
        return f"Layer {self.layer}, {self.gradient}: {title}" if self.layer else f"{title[0].upper()}{title[1:]}"

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is said about it, paragraph by paragraph."""
        said = [self.message, *([self.line] if self.line else [])]
        if self.consequences:
            verb = "is" if len(self.consequences) == 1 else "are"
            said.append(f"Only because of it {listed(self.consequences)} {verb} wrong too.")
        if self.also:
            others = "; ".join(MISTAKES[name].title if name in MISTAKES else name for name in self.also)
            said.append(f"The same numbers would come out of: {others}.")
        return tuple(said)

    def __str__(self) -> str:
        return "\n".join([self.title, *(_wrapped(text, "   ") for text in self.sentences)])


class Report(NamedTuple):
    """The diagnosis, to print.

    `findings` are the mistakes. `right` and `wrong` name the gradients; `unexplained` are those of the wrong ones that no
    mistake reproduces, and `notes` say of them what can be said. `read_as` are the conventions under which the pass was read,
    `hints` what would be right or wrong under others, `patch` the lines that make all gradients right: (number, old, new).
    """

    findings: tuple[Finding, ...]
    right: tuple[str, ...]
    wrong: tuple[str, ...]
    unexplained: tuple[str, ...]
    notes: tuple[str, ...]
    read_as: str = ""
    hints: tuple[str, ...] = ()
    patch: tuple[tuple[int, str, str], ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every gradient is right."""
        return not (self.findings or self.wrong or self.unexplained or self.notes)

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain dictionaries, lists and texts, for JSON."""
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in self._asdict().items()}
        findings = [
            {**f._asdict(), "consequences": list(f.consequences), "also": list(f.also), "title": f.title} for f in self.findings
        ]
        return {"ok": self.ok, **plain, "findings": findings, "patch": [list(line) for line in self.patch]}

    def __repr__(self) -> str:
        found = [f"{f.mistake} in layer {f.layer}" for f in self.findings]
        said = "right" if self.ok else "; ".join(found) or f"unexplained: {listed(self.unexplained)}"
        return f"<Report: {said}>"

    def paragraphs(self) -> Iterator[str]:
        """What is said before and after the findings; an empty text stands for the findings themselves."""
        if self.ok:
            yield f"This backward pass is right: {listed(self.right)} equal the gradients of the loss."
        elif self.findings:
            yield "There is one mistake." if len(self.findings) == 1 else f"There are {len(self.findings)} mistakes."
        if self.read_as:
            yield f"This is {'right' if self.ok else 'read'} for {self.read_as}."
        yield ""
        yield from self.notes
        if self.right and not self.ok:
            yield f"Right as they are: {listed(self.right)}."
        if self.findings and not self.notes and not self.unexplained:
            yield "Checked: a backward pass with exactly this reproduces every number that yours returned."
        yield from self.hints

    def __str__(self) -> str:
        parts: list[str] = []
        for text in self.paragraphs():
            parts += [_wrapped(text)] if text else [f"{number}. {finding}" for number, finding in enumerate(self.findings, 1)]
        if self.patch:
            lines = [f"   line {number:<4} - {old.strip()}\n{'':13}+ {new.strip()}" for number, old, new in self.patch]
            lines[:0] = [
                f"With {'this line' if len(self.patch) == 1 else 'these lines'} all gradients are right (this was run):"
            ]
            parts.append("\n".join(lines))
        return "\n\n".join(parts)

    def _repr_html_(self) -> str:
        """The same as HTML: a heading and a list of the findings, a table of the lines to change."""
        parts: list[str] = []
        for text in self.paragraphs():
            if text:
                parts.append(f"<p>{escape(text)}</p>")
                continue
            for number, finding in enumerate(self.findings, 1):
                said = "".join(f"<p>{escape(sentence)}</p>" for sentence in finding.sentences)
                parts.append(f"<h4>{number}. {escape(finding.title)}</h4>{said}")
        if self.patch:
            cells = [(str(n), old.strip(), new.strip()) for n, old, new in self.patch]
            rows = "".join(
                f"<tr><td>{n}</td><td><code>{escape(old)}</code></td><td><code>{escape(new)}</code></td></tr>"
                for n, old, new in cells
            )
            head = "<tr><th>line</th><th>instead of</th><th>right</th></tr>"
            parts.append(f"<p>With these lines all gradients are right (this was run):</p><table>{head}{rows}</table>")
        return f"<div class='diagnosis'>{''.join(parts)}</div>"


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(text, 100, initial_indent=indent, subsequent_indent=indent, break_long_words=False)
