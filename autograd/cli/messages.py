"""What is wrong with a text that is no expression, and what to write instead.

Each function returns the message, and a note below the place to which the parser points. It says what to write where one or two
tokens make that plain, and only what was found where they do not.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection
from string import ascii_lowercase

from autograd.cli.tokens import Token, functions, spelled
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


def stray(token: Token) -> tuple[str, str]:
    """A character that is not in the language."""
    advice = f"; {WRITE[token.text]}" if token.text in WRITE else ""
    note = "" if advice else f"there are names, numbers, {OPERATORS}, parentheses and\n{all_functions()}"
    return f"{visible(token.text)} is not known here{advice}", note


def missing(previous: Token, token: Token) -> str:
    """A token, or the end, where an operand is due."""
    if not previous.text:
        return f"an operand is missing before {token.text}" if token.text else "the expression is empty"
    if previous.kind == "(":
        return "there is no operand in the parentheses"
    return "an operand is missing " + (f"between {previous.text} and {token.text}" if token.text else f"after {previous.text}")


def beside(previous: Token, token: Token) -> tuple[str, str]:
    """An operand that follows another one."""
    left, right = visible(previous.text), visible(token.text)
    advice = "" if token.kind == previous.kind == "number" else f"for a product write {left}*{right}"
    return f"there is no operator between {left} and {right}", advice


def miscounted(row: Operation, given: int) -> str:
    """A function of too few or too many operands."""
    counted = {1: "one operand", 2: "two operands"}.get(len(row.domain), f"{row.arity} operands")
    return f"{row.name} takes {counted}, {call(row)}, not {given}"


def unknown_name(token: Token, names: Collection[str]) -> tuple[str, str]:
    """A name that has no number."""
    name = spelled(token.text)
    splits = ((name[:i], name[i:]) for i in range(1, min(len(name), LONGEST)))
    pairs = (split for split in splits if all(part in names for part in split))
    factors = name.split("\u00b7") if "\u00b7" in name else next(pairs, ())  # the dot of a product may stand in a name
    if factors:
        return f"{visible(name)} is one name, and has no number", f"for a product write {visible('*'.join(factors), LONGEST)}"
    note = f"names: {visible(' '.join(names), 60)}\n{all_functions()}" if names else all_functions()
    return f"the name {visible(name)} has no number{meant(name, [*names, *functions()])}", note


def unknown_function(token: Token) -> tuple[str, str]:
    """A name before a parenthesis that is no function."""
    name = spelled(token.text)
    return f"there is no function {visible(name)}{meant(name, functions())}", all_functions()


def call(row: Operation) -> str:
    """How a function is written."""
    return f"{row.name}({', '.join(ascii_lowercase[: row.arity])})"


def meant(name: str, known: Collection[str]) -> str:
    """The question whether one of the known names was meant, `; did you mean w?`; empty where none is near."""
    from difflib import get_close_matches  # only for a mistake

    folded = {k.casefold(): k for k in known if len(k) <= LONGEST}
    wanted = "log" if name == "ln" else name.casefold()
    if len(wanted) > LONGEST:
        return ""
    longer = [k for k in folded if len(wanted) > 2 and k.startswith(wanted)]
    near = longer or get_close_matches(wanted, list(folded)[-1000:], 1)
    return f"; did you mean {folded[near[0]]}?" if near else ""
