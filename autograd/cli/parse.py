"""A line of text as a graph: the one that Python would record for it, without Python running it.

The language is names, numbers, the operators and the functions of the table, and parentheses, with Python's
precedences; nothing else is in it, so nothing else can be reached from it. Two stacks, one of operands and one of operators
that wait for theirs, stand in for functions that mirror the grammar: nesting ends at the memory, not at the depth of
Python's stack.

Sources: Dijkstra, Algol 60 translation (Mathematisch Centrum MR 35, 1961), the shunting yard; The Python Language
Reference, 6.17, operator precedence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

from autograd.cli import messages
from autograd.cli.tokens import ParseError, Token, functions, spelled, tokens
from autograd.expressions.printer import COMPARISON, PRECEDENCE, SIGN
from autograd.names import visible
from autograd.operands import checked
from autograd.operations import CONSTANT, OPERATIONS, Operation
from autograd.recording import leaf, record
from autograd.value import Value

Operand: TypeAlias = Value | float  # a number stays one until it meets a Value, as in Python

INFIX = {row.symbol: row for row in OPERATIONS.values() if row.symbol in PRECEDENCE and row.arity == 2 and row.symbol != "and"}


def parse(text: str, numbers: Mapping[str, Any]) -> Value:
    """The graph of the expression in `text`; a name stands for the Value or the number that `numbers` has for it.

    The graph is the one that Python would record for the same text: a name is one leaf however often it is used, a number is
    a constant, and what is made of numbers alone is computed at once. `numbers` may have names that the text does not use.
    Raises `ParseError`, a `ValueError` that points at the place, for a text that is no expression; `ValueError` for a name
    that cannot be one; `TypeError` for what is not a number.

    >>> y = parse("tanh(w*x + b)", {"w": 0.5, "x": 2, "b": -1})
    >>> y.data, y.operation.name
    (0.0, 'tanh')
    >>> w = Value(3.0, "w")
    >>> parse("-w**2 + 1/2", {"w": w}).backward(); w.grad
    -6.0
    >>> parse("2w", {"w": w})
    Traceback (most recent call last):
    autograd.cli.tokens.ParseError: there is no operator between 2 and w
        2w
         ^
    for a product write 2*w
    """
    if not isinstance(text, str):
        raise TypeError(f"parse: the expression {text!r:.80} is of type {type(text).__name__}; give a string")
    yard, pieces = _Yard(text, named(numbers)), list(tokens(text))
    for token, following in pairwise(pieces):
        yard.take(token, following)
    return yard.result(pieces[-1])


def named(numbers: Mapping[str, Any]) -> dict[str, Value]:
    """A leaf for every name that has a number; a Value stays what it is. Raises as `parse` does."""
    if not isinstance(numbers, Mapping):
        raise TypeError(f"parse: the numbers {numbers!r:.80} are of type {type(numbers).__name__}; give {{'x': 2.0, ...}}")
    leaves: dict[str, Value] = {}
    for given, x in numbers.items():
        if not isinstance(given, str):
            raise TypeError(f"parse: the name {given!r:.80} is of type {type(given).__name__}; give a string")
        name = spelled(given)
        if not name.isidentifier():
            raise ValueError(f"parse: {visible(given)!r} cannot be a name; a name has letters, digits and _, no digit first")
        if name in functions():
            raise ValueError(f"parse: {name} is a function here and cannot name a number; choose another name for it")
        if name in leaves:
            raise ValueError(f"parse: the name {visible(name)} is given twice")
        leaves[name] = x if isinstance(x, Value) else Value(checked(x, f"parse: the number of {visible(name)}"), name)
    return leaves


class _Waiting(NamedTuple):
    """An operator or an open parenthesis that waits for its operands, and how many operands were there before them."""

    token: Token
    operation: Operation | None  # of the operator, or of the function whose parenthesis it is
    binds: int  # 0 for a parenthesis
    already: int


class _Yard:
    """The two stacks, and what the next token does to them."""

    def __init__(self, text: str, leaves: dict[str, Value]) -> None:
        self.text, self.leaves = text, leaves
        self.operands: list[Operand] = []
        self.waiting: list[_Waiting] = []
        self.previous = Token("start", "", 0)  # the last one that was taken
        self.complete = False  # whether an operand stands before the next token, so that an operator is due

    def take(self, token: Token, following: Token) -> None:
        """Take one token; `following` is the one after it."""
        if token.kind == "stray":
            raise self.error(token, *messages.stray(token))
        self.operator(token) if self.complete else self.operand(token, following)
        self.previous = token

    def operand(self, token: Token, following: Token) -> None:
        """Where an operand is due: a number, a name, a function, a parenthesis, or a sign in front of one of them."""
        previous, already = self.previous, len(self.operands)
        if token.kind in ("number", "name"):
            self.operands.append(float(token.text) if token.kind == "number" else self.leaf(token, following))
            self.complete = True
            if self.operands[-1] == math.inf and token.kind == "number":  # refused rather than called infinite
                raise self.error(token, f"the number {visible(token.text)} is beyond the largest float, 1.8e308")
        elif token.kind == "function":
            if following.kind != "(":
                write = messages.call(functions()[spelled(token.text)])
                raise self.error(token, f"{token.text} is a function; write {write}")
        elif token.kind == "(":
            function = functions()[spelled(previous.text)] if previous.kind == "function" else None
            self.waiting.append(_Waiting(token, function, 0, already))
        elif token.kind == "-":
            self.waiting.append(_Waiting(token, OPERATIONS["neg"], SIGN, already))
        elif token.kind != "+":
            raise self.error(token, messages.missing(previous, token))

    def operator(self, token: Token) -> None:
        """Where an operator is due: one between two operands, or the end of one in parentheses."""
        if token.kind in INFIX:
            binds = PRECEDENCE[token.kind]
            self.reduce(binds + (token.kind == "**" or binds == COMPARISON))  # a**b**c is a**(b**c), but a-b-c is (a-b)-c
            if binds == COMPARISON and self.waiting and self.waiting[-1].binds == binds:
                raise self.error(token, "one comparison follows another; write a product of the two, (a < b)*(b < c)")
            self.waiting.append(_Waiting(token, INFIX[token.kind], binds, len(self.operands) - 1))
            self.complete = False
        elif token.kind in (",", ")"):
            self.reduce(COMPARISON)
            if not self.waiting or (token.kind == "," and self.waiting[-1].operation is None):
                comma = "a comma stands only between operands of a function; decimals have a point, 0.5"
                raise self.error(token, comma if token.kind == "," else "there is no ( for this )")
            if token.kind == ")":
                self.close(token)
            self.complete = token.kind == ")"
        else:
            raise self.error(token, *messages.beside(self.previous, token))

    def reduce(self, binds: int) -> None:
        """Apply the waiting operators that bind at least so strongly."""
        while self.waiting and self.waiting[-1].binds >= binds:
            self.apply(self.waiting.pop())

    def close(self, token: Token) -> None:
        """End a parenthesis, and apply the function whose it is, if it is one's."""
        opened = self.waiting.pop()
        if opened.operation is not None:
            given = len(self.operands) - opened.already
            if given != opened.operation.arity:
                raise self.error(opened.token, messages.miscounted(opened.operation, given), upto=token)
            self.apply(opened)

    def apply(self, entry: _Waiting) -> None:
        """Replace the operands of an operator by its result: a node if one of them is a Value, else a number."""
        operation: Any = entry.operation
        operands: list[Any] = self.operands[entry.already :]
        values = [x for x in operands if isinstance(x, Value)]
        if any(isinstance(x.data, Fraction) for x in values):  # beside which a whole number is exact, as Python's int is
            operands = [Fraction(x) if isinstance(x, float) and x.is_integer() else x for x in operands]
        found = record(Value, operation, *operands) if values else float(operation.forward(*operands))
        self.operands[entry.already :] = [found]

    def result(self, end: Token) -> Value:
        """The graph, once every token is taken."""
        if not self.complete and self.previous.kind != "(":
            raise self.error(end, messages.missing(self.previous, end))
        self.reduce(COMPARISON)
        if self.waiting:
            raise self.error(self.waiting[-1].token, "this ( is never closed")
        found = self.operands[0]
        node: Value = found if isinstance(found, Value) else leaf(Value, found, CONSTANT)
        return node

    def leaf(self, token: Token, following: Token) -> Value:
        """The leaf that a name stands for."""
        found = self.leaves.get(spelled(token.text))
        if found is not None:
            return found
        if following.text == "=":
            raise self.error(following, *messages.stray(following))
        is_called = following.kind == "("
        raise self.error(token, *(messages.unknown_function(token) if is_called else messages.unknown_name(token, self.leaves)))

    def error(self, token: Token, problem: str, note: str = "", upto: Token | None = None) -> ParseError:
        """What is wrong, with the text from one token up to another."""
        return ParseError(problem, self.text, token.start, (upto or token).end, note)
