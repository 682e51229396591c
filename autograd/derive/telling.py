"""What a derivation says, in order, before it is written as text or as LaTeX: what is given, the way forward, the way back.

Every step stands with its symbols and then with its numbers, and steps that are alike are told once. The trade-off: six
digits are shown of a number, so a sum that is added up by hand may differ in the last of them; `steps` has all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from autograd.derive.derive import Derivation, Term
from autograd.derive.families import Family, Folding, Row
from autograd.derive.formulas import FORMULAS, derivative, equation, operation
from autograd.expressions import Expression, number, symbol
from autograd.names import free_letters
from autograd.operations import CONSTANT
from autograd.value import Number, Value

LIMIT = 100  # steps, or families of steps, that are told of each part
LISTED = 24  # members of a family of which the results are listed
TERMS = 8  # consumers of one node that are told


class Equation(NamedTuple):
    """One step: a sum of products with symbols and with numbers, what these come to, and the result.

    `since` has for each summand the consumer's equation, and which operand of two that are the same node is meant;
    `left_out` says how many more summands there are, `depends` that there could be any.
    """

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
    """What is told of many nodes at once: one for all of them, with letters for indices, and the results of each.

    With `more` they are like the equation before it.
    """

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
    """What is told of one kind; `left_out` is how many nodes are not told, for there are too many."""

    name: str
    items: list[Item]
    left_out: int = 0


def told(derivation: Derivation, fold: bool = True) -> list[Part]:
    """Everything that is told of a derivation; with `fold=False` every step by itself, and however many there are."""
    teller = _Teller(derivation, fold)
    return [part for part in teller.parts() if part.items]


class _Teller:
    def __init__(self, derivation: Derivation, fold: bool) -> None:
        self.derivation, self.fold = derivation, fold
        self.names = {node: symbol(name) for node, name in derivation.names.items()}
        self.families = Folding(derivation).families if fold else _alone

    def parts(self) -> Iterator[Part]:
        """What is given, the way forward, the rows of the table that were used, the way back."""
        told, order = self.derivation.told, self.derivation.order
        results = [node for node in order if node in told and not told.isdisjoint(node.parents)]
        used = told.union(*(node.parents for node in results)).difference(results)
        given = [node for node in order if node in used and node.operation is not CONSTANT]
        back = [step.node for step in self.derivation.steps if step.node.operation is not CONSTANT]
        yield self._part("given", self.families(given, self.names.__getitem__), self._given)
        yield self._part("forward", self.families(results, self._definition), self._forward)
        yield Part("local", list(self._local()))
        yield self._part("backward", self.families(back, self._terms), self._backward)

    def _part(self, name: str, families: list[Family], tell: Callable[[Family], Iterator[Item]]) -> Part:
        shown = families[:LIMIT] if self.fold else families
        left_out = sum(len(family.nodes) for family in families[len(shown) :])
        return Part(name, [item for family in shown for item in tell(family)], left_out)

    def _given(self, family: Family) -> Iterator[Item]:
        yield _alike(family.nodes, False, family.pattern, family.letters, self._given_number)

    def _forward(self, family: Family) -> Iterator[Item]:
        node, *more = family.nodes
        data = self.derivation.data
        name, definition = self._definition(node).parents
        numbers = operation(definition.op)(*(number(_shown(data[operand], data[node])) for operand in node.parents))
        yield Equation(name, (definition,), (numbers,), number(_shown(data[node])))
        if more:
            yield _alike(more, True, family.pattern, family.letters, self._value)

    def _local(self) -> Iterator[Item]:
        varied = (step for step in self.derivation.steps if step.node.operation is not CONSTANT)
        used = {(term.consumer.operation.name, term.position) for step in varied for term in step.terms}
        v, a, b = map(symbol, free_letters(self.derivation.names.values(), "vab", "vpq", "rst"))
        for name, rule in FORMULAS.items():
            operands = (a, b)[: len(rule.domain)]
            partials = enumerate(zip(operands, rule.partials(v, *operands), strict=True))
            slopes = tuple(equation(derivative(v, x), partial) for i, (x, partial) in partials if (name, i) in used)
            if slopes:
                yield Local(equation(v, rule.forward(*operands)), slopes)

    def _backward(self, family: Family) -> Iterator[Item]:
        node, *more = family.nodes
        step = self.derivation[node]
        terms = step.terms[:TERMS] if self.fold else step.terms
        yield Equation(
            self._slope(node),
            tuple(map(self._term, terms)),
            tuple(_times(*(number(_shown(x)) for x in (term.upstream, term.partial))) for term in terms),
            number(step.adjoint),
            tuple(number(_shown(term.contribution)) for term in terms if len(step.terms) > 1),
            tuple((self._definition(term.consumer), _side(term)) for term in terms),
            len(step.terms) - len(terms),
            bool(terms) or node is self.derivation.output,
        )
        if more:
            pattern = family.pattern if len(step.terms) == 1 else None
            yield _alike(more, True, pattern, family.letters, self._adjoint)

    def _definition(self, node: Value) -> Expression:
        """The equation that says how a result was made."""
        definition = self.derivation[node].definition
        if definition is None:
            raise ValueError(f"{self.derivation.names[node]} is not a result, it has no definition")
        return equation(self.names[node], definition)

    def _terms(self, node: Value) -> Expression:
        """The equation that says what the derivative by a node is the sum of."""
        terms = tuple(map(self._term, self.derivation[node].terms))
        return equation(self._slope(node), terms[0] if len(terms) == 1 else Expression("sum", terms))

    def _term(self, term: Term) -> Expression:
        return _times(self._slope(term.consumer), term.formula)

    def _slope(self, node: Value) -> Expression:
        return derivative(self.names[self.derivation.output], self.names[node])

    def _given_number(self, node: Value) -> Expression:
        return equation(self.names[node], number(self.derivation.data[node]))

    def _value(self, node: Value) -> Expression:
        return equation(self.names[node], number(_shown(self.derivation.data[node])))

    def _adjoint(self, node: Value) -> Expression:
        return equation(self._slope(node), number(self.derivation[node].adjoint))


_times = operation("multiply")


def _side(term: Term) -> str:
    left, *right = term.consumer.parents
    return ("left", "right")[term.position] if right and left is right[0] else ""


def _alone(nodes: Iterable[Value], row: Row) -> list[Family]:
    return [Family((node,), row(node), {}) for node in nodes]


def _alike(
    nodes: Sequence[Value],
    more: bool,
    pattern: Expression | None,
    columns: dict[str, tuple[Number, ...]],
    result: Callable[[Value], Expression],
) -> Alike:
    results = tuple(map(result, nodes)) if len(nodes) <= LISTED else ()
    letters = tuple(_letter(letter, tuple(dict.fromkeys(column))) for letter, column in columns.items())
    return Alike(len(nodes), more, pattern if letters else None, () if pattern is None else letters, results)


def _letter(letter: str, numbers: tuple[Number, ...]) -> Letter:
    first, last = min(numbers), max(numbers)
    whole = all(isinstance(n, int) for n in numbers) and len(numbers) == last - first + 1
    return Letter(letter, (first, last) if whole else numbers, whole)


def _shown(x: Number, result: Number = 0) -> Number:
    """The number; a zero without its sign, unless the sign decides about a result that is infinite."""
    return x if isinstance(result, float) and math.isinf(result) else x + 0
