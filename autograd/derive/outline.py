"""What a derivation says, in order, before it is printed: what is given, the way forward, the way back.

Every step appears with its symbols and then with its numbers, and steps that are alike appear once. Numbers are shown with six
digits, so a sum that is added up by hand may differ in the last of them; `steps` has all digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from autograd.derive.groups import Folding, Group, Row
from autograd.derive.steps import Steps, Term
from autograd.expressions import Expression, derivative, equation, number, symbol, unchanged
from autograd.expressions.expression import MUL, SUM
from autograd.expressions.rows import definition, usual_partials
from autograd.names import free_letters
from autograd.operands import Number
from autograd.operations import CONSTANT, OPERATIONS, Operation, of_count
from autograd.value import Value

LIMIT = 100  # steps, or groups of steps, that are shown of each part
LISTED = 24  # members of a group whose results are listed
TERMS = 8  # consumers of one node that are shown
LETTERS = ("vabcdefgh", "vpqrstuwx", "rstuvwxyz")  # for a result and its operands, in the list of local derivatives
NOTHING = ", which sends nothing"
ORDINALS = ("first", "second", "third")


class Equation(NamedTuple):
    """One step: a sum of products with symbols and with numbers, what these come to, and the result."""

    left: Expression
    symbols: tuple[Expression, ...]
    numbers: tuple[Expression, ...]
    result: Expression
    contributions: tuple[Expression, ...] = ()
    since: tuple[tuple[Expression, str], ...] = ()
    left_out: int = 0
    depends: bool = True


class Letter(NamedTuple):
    """What a letter stands for: these numbers in turn, which are all from the first to the last if it is an `interval`."""

    letter: str
    numbers: tuple[Number, ...]
    interval: bool


class Alike(NamedTuple):
    """What is said of many nodes at once: one for all of them, with letters for indices, and the results of each."""

    size: int
    more: bool
    pattern: Expression | None
    letters: tuple[Letter, ...]
    results: tuple[Expression, ...]


class Local(NamedTuple):
    """An operation and its derivatives by its operands."""

    operation: Expression
    partials: tuple[Expression, ...]


Item: TypeAlias = Equation | Alike | Local


class Part(NamedTuple):
    """One part; `left_out` is the number of nodes that are left out, where there are too many."""

    name: str
    items: list[Item]
    left_out: int = 0


class Outline(NamedTuple):
    """The name of the output, the names of what it is derived by (None for every node), two letters for nodes, the parts."""

    output: str
    wrt: tuple[str, ...] | None
    letters: str
    parts: tuple[Part, ...]


def outline(derivation: Steps, fold: bool = True) -> Outline:
    """What is said of a derivation; with `fold=False` every step by itself, and however many there are."""
    return outline_of(derivation, Parts(derivation, fold))


def outline_of(derivation: Steps, parts: Parts) -> Outline:
    """The same, in these parts."""
    names = derivation.names
    return Outline(
        names[derivation.output],
        None if derivation.wrt is None else tuple(names[node] for node in derivation.wrt),
        free_letters(names.values(), "uv", "rs"),
        tuple(part for part in parts.parts() if part.items),
    )


class Parts:
    """The parts of a derivation; `same` is what all its derivatives share, as `Folding` has it."""

    same = 0

    def __init__(self, derivation: Steps, fold: bool) -> None:
        self.derivation, self.fold = derivation, fold
        self.names = {node: symbol(name) for node, name in derivation.names.items()}
        self.groups = Folding(derivation, self.same).groups if fold else _alone

    def parts(self) -> Iterator[Part]:
        """What is given, the way forward, the rows of the table that were used, the way back."""
        covered, order = self.derivation.covered, self.derivation.order
        results = [node for node in order if node in covered and not covered.isdisjoint(node.parents)]
        used = covered.union(*(node.parents for node in results)).difference(results)
        given = [node for node in order if node in used and node.operation is not CONSTANT]
        yield self.part("given", self.groups(given, self.names.__getitem__), self._given)
        yield self.part("forward", self.groups(results, self.definition), self._forward)
        yield Part("local", list(self._local()))
        yield self.slopes()

    def slopes(self) -> Part:
        """The last part: the derivatives."""
        back = [step.node for step in self.derivation.steps if step.node.operation is not CONSTANT]
        return self.part("backward", self.groups(back, self._terms), self._backward)

    def part(self, name: str, groups: list[Group], items: Callable[[Group], Iterator[Item]]) -> Part:
        """A part of these groups, as many as there is room for."""
        shown = groups[:LIMIT] if self.fold else groups
        left_out = sum(len(group.nodes) for group in groups[len(shown) :])
        return Part(name, [item for group in shown for item in items(group)], left_out)

    def _given(self, group: Group) -> Iterator[Item]:
        yield alike(group.nodes, False, group.pattern, group.letters, self._given_number)

    def _forward(self, group: Group) -> Iterator[Item]:
        node, *more = group.nodes
        data = self.derivation.data
        name, made = self.definition(node).parents
        numbers = unchanged(made.op)(*(number(shown_number(data[operand], data[node])) for operand in node.parents))
        yield Equation(name, (made,), (numbers,), number(shown_number(data[node])))
        if more:
            yield alike(more, True, group.pattern, group.letters, self._value)

    def _local(self) -> Iterator[Item]:
        used: dict[Operation, set[int]] = {}
        for step in self.derivation.steps:
            if step.node.operation is not CONSTANT:
                for term in step.terms:
                    used.setdefault(of_count(term.consumer.operation, len(term.consumer.parents)), set()).add(term.position)
        place = {name: i for i, name in enumerate(OPERATIONS)}  # the order of the table
        rows = sorted(used, key=lambda row: place.get(row.name, len(place)))
        v, *letters = map(symbol, self._letters(max((len(row.domain) for row in rows), default=0)))
        for row in rows:
            operands = letters[: len(row.domain)]
            partials = enumerate(zip(operands, usual_partials(row, v, *operands), strict=True))
            slopes = tuple(equation(derivative(v, x), partial) for i, (x, partial) in partials if i in used[row])
            yield Local(equation(v, definition(row, *operands)), slopes)

    def _letters(self, operands: int) -> Sequence[str]:
        """Names for a result and so many operands, none of which is a name already."""
        many = max(operands, 2) + 1
        if many > len(LETTERS[0]):
            return ("v", *(f"x{i}" for i in range(1, many)))
        return free_letters(self.derivation.names.values(), *(letters[:many] for letters in LETTERS))

    def _backward(self, group: Group) -> Iterator[Item]:
        node, *more = group.nodes
        step = self.derivation[node]
        terms = step.terms[:TERMS] if self.fold else step.terms
        yield Equation(
            self._slope(node),
            tuple(map(self._term, terms)),
            tuple(times(*(number(shown_number(x)) for x in (term.upstream, term.partial))) for term in terms),
            number(step.adjoint),
            tuple(number(shown_number(term.contribution)) for term in terms if len(step.terms) > 1),
            tuple((self.definition(term.consumer), side(term)) for term in terms),
            len(step.terms) - len(terms),
            bool(terms) or node is self.derivation.output,
        )
        if more:
            pattern = group.pattern if len(step.terms) == 1 else None
            yield alike(more, True, pattern, group.letters, self._adjoint)

    def definition(self, node: Value) -> Expression:
        """The equation that says how a result was made."""
        made = self.derivation[node].definition
        if made is None:
            raise ValueError(f"{self.derivation.names[node]} is not a result, it has no definition")
        return equation(self.names[node], made)

    def _terms(self, node: Value) -> Expression:
        """The equation that says what the derivative by a node is the sum of."""
        terms = tuple(map(self._term, self.derivation[node].terms))
        return equation(self._slope(node), terms[0] if len(terms) == 1 else Expression(SUM, terms))

    def _term(self, term: Term) -> Expression:
        return times(self._slope(term.consumer), term.formula)

    def _slope(self, node: Value) -> Expression:
        return derivative(self.names[self.derivation.output], self.names[node])

    def _given_number(self, node: Value) -> Expression:
        return equation(self.names[node], number(self.derivation.data[node]))

    def _value(self, node: Value) -> Expression:
        return equation(self.names[node], number(shown_number(self.derivation.data[node])))

    def _adjoint(self, node: Value) -> Expression:
        return equation(self._slope(node), number(self.derivation[node].adjoint))


times = unchanged(MUL)


def side(term: Term) -> str:
    """Which operand is meant, where several of the consumer are the same node; and that nothing was sent, if it is not seen."""
    parents = term.consumer.parents
    alike = sum(parent is parents[term.position] for parent in parents) > 1
    surprising = not term.sent and term.upstream * term.partial != 0
    return f", by its {ordinal(term.position, len(parents))} operand" * alike + NOTHING * surprising


def ordinal(position: int, operands: int) -> str:
    """The operand at this position in words."""
    words = ("left", "right") if operands == 2 else ORDINALS
    return words[position] if position < len(words) else f"{position + 1}th"


def _alone(nodes: Iterable[Value], row: Row) -> list[Group]:
    return [Group((node,), row(node), {}) for node in nodes]


def alike(
    nodes: Sequence[Value],
    more: bool,
    pattern: Expression | None,
    columns: dict[str, tuple[Number, ...]],
    result: Callable[[Value], Expression],
) -> Alike:
    """What is said of these nodes: that they are `more` like the equation before, a pattern, and the result of each."""
    results = tuple(map(result, nodes)) if len(nodes) <= LISTED else ()
    letters = tuple(_letter(letter, tuple(dict.fromkeys(column))) for letter, column in columns.items())
    return Alike(len(nodes), more, pattern if letters else None, () if pattern is None else letters, results)


def _letter(letter: str, numbers: tuple[Number, ...]) -> Letter:
    first, last = min(numbers), max(numbers)
    whole = all(isinstance(n, int) for n in numbers) and len(numbers) == last - first + 1
    return Letter(letter, (first, last) if whole else numbers, whole)


def shown_number(x: Number, result: Number = 0) -> Number:
    """The number; a zero without its sign, unless the sign decides about a result that is infinite."""
    return x if isinstance(result, float) and math.isinf(result) else x + 0
