"""Steps that are shown once for many: the products of a layer, which differ in nothing but their indices.

Two steps are alike if they are the same operation on operands that were made alike, two operations deep, and if their
consumers are alike; the indices in their labels may differ. Two operations deep is enough to keep the layers apart by their
labels, and ignores how far along a chain of sums a step is, so that a sum of 784 products takes a few lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable
from typing import Any, NamedTuple, TypeAlias

from autograd.derive.steps import Steps
from autograd.expressions import Expression, operands_first, symbol
from autograd.expressions.expression import DERIVATIVE, NAME, NUMBER
from autograd.operations import CONSTANT
from autograd.value import Value

FEWEST = 3  # nodes that make a group
LETTERS, NUMBERS = "ijklmnpqrstuvw", "cdefgh"  # for indices and for constants
_NUMBERED = re.compile(r"([^\W\d]+?)(\d*)(?:_(\d+))?(?:\[(\d+(?:,\d+)*)\])?(?:#(\d+))?")  # W1[2,0], x_1, w12, a1[0]#2

Row: TypeAlias = Callable[[Value], Expression]
Numbers: TypeAlias = tuple[Any, ...]
Template: TypeAlias = tuple[str, Numbers]  # a name with gaps for its numbers, and these; the last counts namesakes


class Group(NamedTuple):
    """Nodes that are alike, and the row of the first as a `pattern`, with letters for what differs from row to row."""

    nodes: tuple[Value, ...]
    pattern: Expression
    letters: dict[str, Numbers]


class Folding:
    """What makes the nodes of a derivation alike: the template of each name, and how each node was made."""

    def __init__(self, derivation: Steps, same: int = 0) -> None:
        self.derivation, self.same = derivation, same
        self.place = {node: i for i, node in enumerate(derivation.order)}
        self.templates = {name: _template(name) if node.label else ("z", ()) for node, name in derivation.names.items()}
        self.roles: dict[Value, Any] = {
            node: (node.operation, None if node.operation is CONSTANT else self.templates[name][0])
            for node, name in derivation.names.items()
        }
        for _ in range(2):
            known: dict[Hashable, int] = {}
            self.roles = {
                node: known.setdefault((role, *(self.roles[parent] for parent in node.parents)), len(known))
                for node, role in self.roles.items()
            }

    def groups(self, nodes: Iterable[Value], row: Row) -> list[Group]:
        """The nodes in order; those with alike rows make one group, at the place of the first."""
        alike: dict[Hashable, dict[Value, tuple[Numbers, ...]]] = {}
        place: dict[Value, int] = {}
        for node in nodes:
            place[node] = len(place)
            shape, numbers = self._read(row(node))
            alike.setdefault((self.roles[node], shape), {})[node] = numbers
        found: list[Group] = []
        for rows in alike.values():
            first, *more = rows
            if len(rows) < FEWEST:
                found += [Group((node,), row(node), {}) for node in rows]
            else:
                same = (first, *sorted(more, key=self._index))
                found.append(Group(same, *self._pattern(row(first), zip(*(rows[node] for node in same), strict=True))))
        return sorted(found, key=lambda group: place[group.nodes[0]])

    def _index(self, node: Value) -> tuple[Any, ...]:
        """Where a node stands among others like it: by the numbers in its label, then as computed."""
        return *self.templates[self.derivation.names[node]][1], self.place[node]

    def _read(self, expression: Expression) -> tuple[Hashable, tuple[Numbers, ...]]:
        """What an expression has in common with those that differ in numbers only, and the numbers of each name in it."""
        place: dict[Expression, int] = {}
        shape: list[Hashable] = []
        numbers: list[Numbers] = []
        for e in operands_first(expression):
            place[e] = len(place)
            if e.parents:
                shape.append((e.op, *(place[parent] for parent in e.parents)))
            else:
                template, found = self.templates[e.content] if e.op is NAME else ("", (e.content,))
                shape.append(template)
                numbers.append(found)
        return tuple(shape), tuple(numbers)

    def _pattern(self, first: Expression, rows: Iterable[tuple[Numbers, ...]]) -> tuple[Expression, dict[str, Numbers]]:
        """The first row with a letter for every number that is not the same in all rows, and the numbers of each letter."""
        letters, columns = _Letters(self.templates), iter(rows)
        image: dict[Expression, Expression] = {}
        for e in operands_first(first):
            parents = [image[parent] for parent in e.parents]
            if e.op is DERIVATIVE:
                parents[self.same] = e.parents[self.same]  # the output, or the input, which is the same in every row
            image[e] = (
                Expression(e.op, tuple(parents)) if parents else letters.operand(e, list(zip(*next(columns), strict=True)))
            )
        return image[first], letters.columns


def _template(name: str) -> Template:
    """The name with gaps for its indices, and these; the digit of W1[2,0] is no index, that of w1 is one."""
    found = _NUMBERED.fullmatch(name)
    if not found:
        return name.replace("{", "{{").replace("}", "}}"), ()
    stem, digits, sub, index, copy = found.groups()
    indices = index.split(",") if index else []
    below = [n for n in (sub, None if sub or index else digits) if n]
    text = stem + (digits if sub or index else "") + ("_{}" if below else "")
    text += f"[{','.join('{}' for _ in indices)}]" if indices else ""
    return text + "{}", tuple(map(int, (*below, *indices, copy or 1)))


class _Letters:
    """The letters for columns of numbers, one number from each row: equal columns get one letter, shifted ones i and i-1."""

    def __init__(self, templates: dict[str, Template]) -> None:
        self.templates = templates
        self.columns: dict[str, Numbers] = {}

    def operand(self, e: Expression, columns: list[Numbers]) -> Expression:
        """What stands in the pattern for a name or a number of the first row; `columns` has its numbers in all rows."""
        vary = [len(set(column)) > 1 for column in columns]
        if e.op is NUMBER:
            return symbol(self._letter(columns[0], NUMBERS)) if vary[0] else e
        template, numbers = self.templates[e.content]
        if numbers and not any(vary):
            return e
        texts = [
            self._letter(column, LETTERS) if varies else str(column[0]) for column, varies in zip(columns, vary, strict=True)
        ]
        namesake = texts.pop() if texts else "1"
        if not all(text.isalnum() for text in texts):
            template = template.replace("_{}", "[{}]")  # h_i, but h[i-1]
        return symbol(template.format(*texts, "" if namesake == "1" else f"#{namesake}"))

    def _letter(self, column: Numbers, pool: str) -> str:
        for letter, known in self.columns.items():
            shift = column[0] - known[0]
            if all(c - k == shift for c, k in zip(column, known, strict=True)):
                return f"{letter}{shift:+d}" if shift else letter
        free = (letter for letter in pool if letter not in self.columns and letter not in self.templates)
        letter = next(free, f"{pool[0]}{len(self.columns)}")
        self.columns[letter] = column
        return letter
