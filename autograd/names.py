"""Names and numbers as they are printed: a label made plain, short and unique, z1, z2, ... where there is none.

Labels are other people's text: they may be long, equal, empty, or hold anything that Unicode has. Nodes with the same label are
numbered in the order in which they were computed: `x` and `x#2`. So are labels that are the same in LaTeX, `x1` and `x_1#2`.

Source for the widths: Unicode Standard Annex 11, East Asian Width.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import count
from typing import TYPE_CHECKING

from autograd.operands import Number
from autograd.operations import CONSTANT

if TYPE_CHECKING:
    from autograd.value import Value

LONGEST = 40  # characters of a label that are shown
PILED = 3  # accents on a letter that are shown
MISSING = "\ufffd"
DIGITS = 6  # significant digits of a number that is shown
WHOLE = 10**9  # below it whole numbers are shown with all their digits


def plain(label: str) -> str:
    r"""One line of at most LONGEST printable characters; what cannot be printed is shown as a box."""
    visible = "".join(
        c if unicodedata.category(c)[0] not in "CZ" else " " if c.isspace() else MISSING for c in label[: LONGEST + 1]
    )
    return visible if len(visible) <= LONGEST else visible[: LONGEST - 1] + "\u2026"


def visible(text: str, room: int = 20) -> str:
    r"""The text on one line, at most so many columns of it and `...`, with escapes for what cannot be printed."""
    return "".join(fitting(text, room))


def fitting(characters: Iterable[str], room: int) -> list[str]:
    """The characters that fit into so many columns, each as it can be shown, and `...` where there are more."""
    taken: list[str] = []
    piled = 0  # characters of no width on the last one that has any
    for c in characters:
        piled = 0 if columns(c) else piled + 1
        taken.append(c if c.isprintable() and piled <= PILED else c.encode("unicode_escape").decode())
        room -= columns(taken[-1])
        if room < 0:
            taken[-1] = "..."
            break
    return taken


def columns(text: str) -> int:
    """How many columns of a terminal a printable text takes."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else unicodedata.category(c) not in ("Mn", "Me") for c in text)


def named(order: Iterable[Value]) -> dict[Value, str]:
    """A name for each node, no two alike but those of constants, whose name is their number."""
    nodes = list(order)
    labels = {node: label for node in nodes if node.label and (label := plain(node.label).strip())}
    free = dict(zip(labels, unique(labels.values()), strict=True))
    numbered = _numbered("z", set(map(latex_name, labels.values())))
    return {
        node: free.get(node) or (number_text(node.data) if node.operation is CONSTANT else next(numbered)) for node in nodes
    }


def unique(texts: Iterable[str]) -> list[str]:
    """The labels, of which the second that is printed the same is numbered, `x#2`, and so on; no two are alike, also in LaTeX.

    >>> unique(["x", "w", "x", "x#2", "x1", "x_1"])
    ['x', 'w', 'x#3', 'x#2', 'x1', 'x_1#2']
    """
    labels = list(texts)
    wanted = {label: latex_name(label) for label in labels}
    taken, seen = set(wanted.values()), set[str]()
    others = {label: _numbered(f"{label}#", taken, 2) for label in wanted}
    found = []
    for label in labels:
        found.append(next(others[label]) if wanted[label] in seen else label)
        seen.add(wanted[label])
    return found


def _numbered(stem: str, taken: set[str], first: int = 1) -> Iterator[str]:
    """The stem with every number that is not taken yet in LaTeX, and is then."""
    for name in (f"{stem}{n}" for n in count(first)):
        if (printed := latex_name(name)) not in taken:
            taken.add(printed)
            yield name


def number_text(x: Number) -> str:
    """A number as it is shown: whole numbers and short fractions exactly, others to DIGITS significant digits."""
    if isinstance(x, float):
        return f"{x:.0f}" if x.is_integer() and abs(x) < WHOLE else f"{x:.{DIGITS}g}"
    if max(abs(x.numerator), x.denominator) < WHOLE:
        return str(x)
    from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal  # for numbers that a float may not hold

    precise = Context(prec=40, Emax=MAX_EMAX, Emin=MIN_EMIN)
    cut = [max(0, n.bit_length() - 128) for n in (x.numerator, x.denominator)]  # of a longer number the first bits will do
    size = precise.divide(Decimal(x.numerator >> cut[0]), Decimal(x.denominator >> cut[1]))
    size = precise.multiply(size, precise.power(2, cut[0] - cut[1]))
    return f"{Context(prec=DIGITS, Emax=MAX_EMAX, Emin=MIN_EMIN).plus(size).normalize():.{DIGITS}g}"


def listed(texts: list[str]) -> str:
    """The texts as they stand in a sentence; of many the first, and how many others there are."""
    *most, last = texts if len(texts) <= 6 else [*texts[:5], f"{len(texts) - 5:,} more"]
    return f"{', '.join(most)} and {last}" if most else last


def free_letters(taken: Iterable[str], *choices: str) -> str:
    """The first choice of letters of which none is a name already; the last if there is none."""
    names = set(taken)
    return next((letters for letters in choices if names.isdisjoint(letters)), choices[-1])


_INDEX = r"\[([^\W_]+(?:[+-][0-9]+)?(?:,[^\W_]+(?:[+-][0-9]+)?)*)\]"  # [2,0], and [i-1,j] where indices are letters
_SIMPLE = re.compile(rf"[^\W\d]\w*({_INDEX})?(#\w+)?")  # w, W1[2,0], x#2: what is a name at first sight
_MEANT = {"inf", "nan", "if", "else", "and"}  # words that formulas have themselves
_INDEXED = re.compile(rf"([^\W\d_]+)([0-9]*)(?:_([^\W_]+))?(?:{_INDEX})?(?:#([^\W_]+))?")
_GREEK = re.compile(  # the letters that LaTeX has a name for
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|upsilon|phi|chi|psi|omega|"
    "Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Upsilon|Phi|Psi|Omega"
)
_SPECIAL = {c: f"\\{c}" for c in "{}$%&#_"} | {c: c for c in "<>|"} | {"\\": r"\backslash", "^": r"\hat{\ }", "~": r"\sim"}


def text_name(name: str) -> str:
    """A name as it stands in a formula of text: in quotes if it could be taken for something else, where ' is doubled."""
    return name if _SIMPLE.fullmatch(name) and name not in _MEANT else "'{}'".format(name.replace("'", "''"))


def latex_name(name: str) -> str:
    r"""A name in LaTeX: indices below, the number of a layer above, Greek letters as such, all else as text."""
    found = _INDEXED.fullmatch(name)
    if not found:
        parts = re.split(r"([{}$%&#_\\^~<>|'`-])", name)  # where they stand together, -- and ?` are others to TeX
        return "{" + "".join(_SPECIAL.get(part) or f"\\text{{{part}}}" for part in parts if part) + "}"
    stem, digits, below, index, namesake = found.groups()
    indices = [re.sub(r"[^\W_]+", lambda word: _word(word[0]), part) for part in (below, index) if part]
    above = f"^{{({digits})}}" if digits and indices else ""
    subscript = (",".join(indices) or digits) + (rf"\#{_word(namesake)}" if namesake else "")
    return _word(stem) + above + (f"_{{{subscript}}}" if subscript else "")


def _word(word: str) -> str:
    """A word of a name: Greek letters and their names as LaTeX spells them, other words as text."""
    greek = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER (\w+)", unicodedata.name(word, "") if len(word) == 1 else "")
    letter = greek[2].replace("LAMDA", "LAMBDA").capitalize() if greek else word  # Unicode spells it without the b
    letter = letter.lower() if greek and greek[1] == "SMALL" else letter
    if _GREEK.fullmatch(letter):
        return f"\\{letter}"
    return word if word.isascii() and (len(word) == 1 or word.isdigit()) else f"\\text{{{word}}}"


def latex_number(x: Number) -> str:
    r"""A number in LaTeX, with the digits that `number_text` gives it."""
    text = number_text(x)
    sign, size = ("-", text[1:]) if text.startswith("-") else ("", text)
    if size in ("inf", "nan"):
        return sign + (r"\infty" if size == "inf" else r"\text{nan}")
    if "/" in size:
        return "{}\\frac{{{}}}{{{}}}".format(sign, *size.split("/"))
    mantissa, _, exponent = size.partition("e")
    return f"{sign}{mantissa} \\cdot 10^{{{int(exponent)}}}" if exponent else text
