"""The pieces of an expression, and an error that points at one of them.

A text that is no expression is shown with carets under the place: a long one cut to a window around it, and every
character that a terminal might obey or hide as its escape, so that the message can be printed as it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from autograd.names import columns, fitting, visible
from autograd.operations import OPERATIONS, Operation

DIGITS = "[0-9]+(?:_[0-9]+)*"
NUMBER = re.compile(rf"(?:{DIGITS}(?:\.(?:{DIGITS})?)?|\.{DIGITS})(?:[eE][+-]?{DIGITS})?")
OPERATOR = re.compile(r"\*\*|[<>=!]=|[-+*/%<>(),]")

LONGEST = 250  # characters of a name that is spelled anew
BEFORE, LINE = 30, 70  # columns that are shown before the place, and in all
INDENT = "    "


class Token(NamedTuple):
    """A piece of a text. `kind` is "number", "name", "function", "end", "stray", or the operator itself."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """Where the next piece may start."""
        return self.start + len(self.text)


def functions() -> dict[str, Operation]:
    """The operations that are called as functions, the user's own included; not those of any number of operands."""
    return {row.symbol: row for row in OPERATIONS.values() if row.symbol.isidentifier() and row.symbol != "and" and row.arity}


def spelled(name: str) -> str:
    """A name as Python itself spells it, NFKC, so that a micro sign is the Greek letter that it looks like."""
    return unicodedata.normalize("NFKC", name) if len(name) <= LONGEST else name


def tokens(text: str) -> Iterator[Token]:
    """The pieces of the text in order, without the space between them; the last one is the end."""
    start, known = 0, functions()
    while start < len(text):
        end = start + 1
        if text[start].isidentifier():
            while end < len(text) and ("_" + text[end]).isidentifier():
                end += 1
            yield Token("function" if spelled(text[start:end]) in known else "name", text[start:end], start)
        elif match := NUMBER.match(text, start) or OPERATOR.match(text, start):
            end = match.end()
            yield Token("number" if match.re is NUMBER else match[0], match[0], start)
        elif not text[start].isspace():
            yield Token("stray", text[start], start)
        start = end
    yield Token("end", "", len(text.rstrip()))


class ParseError(ValueError):
    """A text that is no expression: `problem`, the `text`, and the place in it from `start` to `end`.

    >>> print(ParseError("there is no operator between 2 and x", "1 + 2x", 5, 6))
    there is no operator between 2 and x
        1 + 2x
             ^
    """

    def __init__(self, problem: str, text: str, start: int, end: int, note: str = "") -> None:
        self.problem, self.text, self.start, self.end, self.note = problem, text, start, end, note
        super().__init__(problem, text, start, end, note)

    def __str__(self) -> str:
        lines = [INDENT + line for line in excerpt(self.text, self.start, self.end)] if self.text.strip() else []
        return "\n".join([self.problem, *lines, *([self.note] if self.note else [])])


def excerpt(text: str, start: int, end: int) -> tuple[str, str]:
    """The text around a place, on one line, and the carets under it."""
    before = "".join(fitting(reversed(text[:start]), BEFORE)[::-1])
    there = visible(text[start:end])
    after = visible(text[end:], LINE - columns(before + there) - 1)
    return before + there + after, " " * columns(before) + "^" * max(1, columns(there))
