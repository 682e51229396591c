"""What is wrong with a text that is no expression, and what to write instead.

One function for each thing that can be wrong; each returns the error for the parser to raise, pointing at the place. It says
what to write where one or two tokens make that plain, and only what was found where they do not.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection

from autograd.cli.tokens import ParseError, Token, functions, spelled
from autograd.names import visible
from autograd.operations import Operation

WRITE = {
    "^": "write **",
    "\u00b2": "write **2",
    "\u00b3": "write **3",
    "\u00f7": "write /",
    **dict.fromkeys("\u00d7\u00b7\u22c5\u2217", "write *"),
    **dict.fromkeys("\u2212\u2013\u2014", "write -, the minus of the keyboard"),
    **dict.fromkeys("[{", "write ("),
    **dict.fromkeys("]}", "write )"),
    "=": "an expression has none; numbers are given beside it",
    ".": "functions are written tanh(x), not x.tanh()",
}
OPERATORS = "+ - * / % ** < <= > >= == !="
LONGEST = 40  # letters of a name for which a near one is looked for


def all_functions() -> str:
    """The line that lists them."""
    return "\n".join(textwrap.wrap(f"functions: {' '.join(sorted(functions()))}", 78, subsequent_indent=" " * 11))


def stray(text: str, token: Token) -> ParseError:
    """A character that is not in the language."""
    advice = f"; {WRITE[token.text]}" if token.text in WRITE else ""
    note = "" if advice else f"there are names, numbers, {OPERATORS}, parentheses and\n{all_functions()}"
    return _at(text, token, f"{visible(token.text)} is not known here{advice}", note=note)


def missing(text: str, previous: Token, token: Token) -> ParseError:
    """A token, or the end, where an operand is due."""
    if not previous.text:
        return _at(text, token, f"an operand is missing before {token.text}" if token.text else "the expression is empty")
    if previous.kind == "(":
        return _at(text, token, "there is no operand in the parentheses") if token.text else unclosed(text, previous)
    where = f"between {previous.text} and {token.text}" if token.text else f"after {previous.text}"
    return _at(text, token, f"an operand is missing {where}")


def beside(text: str, previous: Token, token: Token) -> ParseError:
    """An operand that follows another one."""
    left, right = visible(previous.text), visible(token.text)
    advice = "" if token.kind == previous.kind == "number" else f"for a product write {left}*{right}"
    return _at(text, token, f"there is no operator between {left} and {right}", note=advice)


def unopened(text: str, token: Token) -> ParseError:
    """A comma or a closing parenthesis that belongs to no function or parenthesis."""
    comma = "a comma stands only between operands of a function; decimals have a point, 0.5"
    return _at(text, token, comma if token.kind == "," else "there is no ( for this )")


def chained(text: str, token: Token) -> ParseError:
    """A comparison of what a comparison gave, which Python reads as two of them."""
    return _at(text, token, "one comparison follows another; write a product of the two, (a < b)*(b < c)")


def unclosed(text: str, token: Token) -> ParseError:
    """A parenthesis that is open at the end."""
    return _at(text, token, "this ( is never closed")


def not_called(text: str, token: Token) -> ParseError:
    """A function without its parenthesis."""
    return _at(text, token, f"{token.text} is a function; write {_call(functions()[spelled(token.text)])}")


def miscounted(text: str, row: Operation, given: int, opened: Token, closed: Token) -> ParseError:
    """A function of too few or too many operands."""
    counted = {1: "one operand", 2: "two operands"}.get(len(row.domain), f"{row.arity} operands")
    return _at(text, opened, f"{row.name} takes {counted}, {_call(row)}, not {given}", upto=closed)


def unknown_name(text: str, token: Token, names: Collection[str]) -> ParseError:
    """A name that has no number."""
    name = spelled(token.text)
    splits = ((name[:i], name[i:]) for i in range(1, min(len(name), LONGEST)))
    pairs = (split for split in splits if all(part in names for part in split))
    factors = name.split("\u00b7") if "\u00b7" in name else next(pairs, ())  # the dot of a product may stand in a name
    if factors:
        product = visible("*".join(factors), LONGEST)
        return _at(text, token, f"{visible(name)} is one name, and has no number", note=f"for a product write {product}")
    note = f"names: {visible(' '.join(names), 60)}\n{all_functions()}" if names else all_functions()
    return _at(text, token, f"the name {visible(name)} has no number{meant(name, [*names, *functions()])}", note=note)


def unknown_function(text: str, token: Token) -> ParseError:
    """A name before a parenthesis that is no function."""
    name = spelled(token.text)
    return _at(text, token, f"there is no function {visible(name)}{meant(name, functions())}", note=all_functions())


def too_large(text: str, token: Token) -> ParseError:
    """A number beyond the floats, which is refused rather than called infinite."""
    return _at(text, token, f"the number {visible(token.text)} is beyond the largest float, 1.8e308")


def meant(name: str, known: Collection[str]) -> str:
    """The question whether one of the known names was meant; empty where none is near."""
    from difflib import get_close_matches  # only for a mistake

    folded = {k.casefold(): k for k in known if len(k) <= LONGEST}
    wanted = "log" if name == "ln" else name.casefold()
    if len(wanted) > LONGEST:
        return ""
    longer = [k for k in folded if len(wanted) > 2 and k.startswith(wanted)]
    near = longer or get_close_matches(wanted, list(folded)[-1000:], 1)
    return f"; did you mean {folded[near[0]]}?" if near else ""


def _call(row: Operation) -> str:
    return f"{row.name}({', '.join('abcdefghijklmnopqrstuvwxyz'[: row.arity])})"


def _at(text: str, token: Token, problem: str, upto: Token | None = None, note: str = "") -> ParseError:
    return ParseError(problem, text, token.start, (upto or token).end, note)
