"""The derivation in a terminal: `python -m autograd "tanh(w*x + b)" w=0.5 x=2 b=-1`.

The expression and its numbers are parsed, never run as Python. A word that begins with one minus is an expression, `-x**2`,
so there are no options of one letter.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any, NoReturn, TextIO

from autograd.cli.messages import OPERATORS, meant
from autograd.cli.parse import named, parse
from autograd.cli.tokens import ParseError, functions, spelled
from autograd.derive import derive
from autograd.derive.derivation import Derivation
from autograd.derive.wrong_ways import wrong_ways
from autograd.draw import draw
from autograd.graph import topological_order
from autograd.names import number_text, visible
from autograd.value import Value

WIDTH = 80
PATH = 4096  # columns of the name of a file: all of it
EXAMPLE = 'python -m autograd "tanh(w*x + b)" w=0.5 x=2 b=-1'
ABOUT = f"""\
Derive an expression by its names: the chain rule written out, step by step,
with formulas and numbers. For example:

  {EXAMPLE}"""
LANGUAGE = f"""\
An expression has names, numbers, parentheses, the operators
{OPERATORS} and the functions
{fill(" ".join(sorted(functions())), WIDTH - 1)}.
Put it in quotes, for a shell reads * and ( itself. A number may be computed,
w=1/3 or w=sqrt(2); inf and nan are numbers too.

Exit codes: 0 done, 1 something could not be written, 2 something is wrong with
the expression, a number or an option."""
OPTIONS = {
    "--wrt": ("NAME", "derive by this name only; several with commas or several times"),
    "--svg": ("FILE", "draw the graph into FILE (.svg, .pdf or .png); needs Graphviz"),
    "--html": ("FILE", "write the derivation as a page that steps through it"),
    "--latex": ("", "print LaTeX"),
    "--paths": ("", "print every path from a name to the result, and their sum"),
    "--wrong-ways": ("", "print what four famous mistakes make of this graph"),
    "--help": ("", "print this"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """What `python -m autograd` does with these words; returns the exit code."""
    code = 2
    if sys.stdout is None:  # closed by the shell, >&-
        return _refuse("output: it is closed", 1)
    try:
        try:
            options = _parser().parse_intermixed_args(_marked(sys.argv[1:] if argv is None else argv))
            if options.help:
                _say(_parser().format_help().rstrip(), sys.stdout)
                return 0
            leaves, derivation = _derivation(options)
            code = 1
            for text in _files(options, derivation):
                _say(text, sys.stderr)
            _say("\n\n".join(_texts(options, derivation, leaves)), sys.stdout)
        except (ValueError, RuntimeError, ImportError) as error:
            return _refuse(str(error), code)
    except BrokenPipeError:  # whoever read has seen enough, as `head` has; Python would complain of it once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return _refuse(f"{visible(str(error.filename or 'output'), PATH)}: {error.strerror}", 1)
    return 0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message}; --help says more")


def _parser() -> _Parser:
    usage, raw = 'python -m autograd "EXPRESSION" NAME=NUMBER ... [options]', argparse.RawDescriptionHelpFormatter
    parser = _Parser(usage=usage, description=ABOUT, epilog=LANGUAGE, formatter_class=raw, add_help=False)
    parser.add_argument("words", nargs="*", help=argparse.SUPPRESS)
    for option, (metavar, about) in OPTIONS.items():
        kind: dict[str, Any] = {"metavar": metavar, "action": "append", "default": []} if metavar else {"action": "store_true"}
        parser.add_argument(option, help=about, **kind)
    return parser


def _marked(argv: Sequence[str]) -> list[str]:
    """The words with a space before those that argparse would take for an option, and that are none."""
    if list(argv) == ["-h"]:
        return ["--help"]
    words = list(argv)
    end = words.index("--") if "--" in words else len(words)
    for option in (word.partition("=")[0] for word in words[:end] if word.startswith("--")):
        if option not in OPTIONS:
            advice = meant(option, OPTIONS) or "; an expression that begins with two minuses stands after a word --"
            raise ValueError(f"there is no option {visible(option)}{advice}\n--help says more")
    return [f" {word}" if re.match("-[^-]", word) else word for word in words[:end]] + [f" {word}" for word in words[end + 1 :]]


def _derivation(options: argparse.Namespace) -> tuple[list[Value], Derivation]:
    """What is asked for: the leaves to derive by, and the derivation."""
    words = [word.strip() for word in options.words]
    if not words:
        raise ValueError(f"there is no expression; for example:\n    {EXAMPLE}\n--help says more")
    text = next((word for word in words if not re.match("[^=<>!]*=(?!=)", word)), words[0])
    words.remove(text)
    leaves = named(_numbers(words))
    output = parse(text, leaves)
    nodes = set(topological_order(output))
    used = [leaf for leaf in leaves.values() if leaf in nodes]
    if not used:
        value = number_text(output.data)
        raise ValueError(f"there is no name in the expression, so there is nothing to derive by; its value is {value}")
    for leaf in (leaf for leaf in leaves.values() if leaf not in nodes):
        _say(f"{visible(leaf.label)} is not in the expression; the derivative by it is 0", sys.stderr)
    wanted = [spelled(name.strip()) for names in options.wrt for name in names.split(",")]
    for name in wanted:
        if name not in leaves:
            raise ValueError(f"--wrt {visible(name)}: there is no such name{meant(name, leaves)}\nnames: {' '.join(leaves)}")
    wrt = [leaves[name] for name in wanted]
    return wrt or used, derive(output, wrt or None)


def _numbers(assignments: Sequence[str]) -> Mapping[str, float]:
    found: dict[str, float] = {}
    for word in assignments:
        name, equals, text = (part.strip() for part in word.partition("="))
        if not equals:
            advice = "such as x=2; if it belongs to the expression, put all of the expression in quotes"
            raise ValueError(f"{visible(word)!r} is not NAME=NUMBER, {advice}")
        if name in found:
            raise ValueError(f"{visible(name)} is given twice, as {number_text(found[name])} and as {visible(text)}")
        found[name] = _number(name, text)
    return found


def _number(name: str, text: str) -> float:
    if re.fullmatch("[+-]?(inf|nan)", text.lower()):
        return float(text)
    problem = f"{visible(f'{name}={text}', WIDTH // 2)} has no number after the ="
    if not text or text.isidentifier():
        raise ValueError(f"{problem}; write for example {visible(name)}=0.5")
    try:
        return float(parse(text, {}).data)
    except ParseError as error:
        raise ValueError(f"{problem}: {error}") from None


def _files(options: argparse.Namespace, derivation: Derivation) -> Iterator[str]:
    """Write the files that are asked for, and say which."""
    if options.svg:
        derivation.output.backward()  # once, however many files: leaves add up
    pages = list(map(_page, options.html))
    for file in options.svg:
        yield f"the graph is in {visible(str(draw(derivation.output).save(file.strip())), PATH)}"
    for page in pages:
        page.write_text(derivation.html(), encoding="utf-8")
        yield f"the page is in {visible(str(page), PATH)}"


def _page(file: str) -> Path:
    """Where a page may be written. `ValueError` for the name of another kind of file, or for a file that is another kind."""
    path, shown = Path(file.strip()), visible(file.strip(), PATH)
    if path.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"--html {shown}: the name of a page ends in .html or .htm")
    if path.is_file() and path.read_bytes()[:9].lower() not in (b"", b"<!doctype"):
        raise ValueError(f"{shown} is there already and is no page; give another name")
    return path


def _texts(options: argparse.Namespace, derivation: Derivation, leaves: Sequence[Value]) -> Iterator[str]:
    """The texts that are asked for; without options it is the derivation."""
    if options.latex:
        yield derivation.latex()
    if options.paths:
        yield from (str(derive(derivation.output, leaf).paths()) for leaf in leaves)
    if options.wrong_ways:
        yield str(wrong_ways(derivation.output))
    if not (options.latex or options.paths or options.wrong_ways):
        yield str(derivation)


def _say(text: str, stream: TextIO | None) -> None:
    """Print a text, with escapes for what the terminal's encoding does not have; nothing where the stream is closed."""
    if stream is None:
        return
    encoding = stream.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), file=stream, flush=True)


def _refuse(message: str, code: int) -> int:
    lines = message.removeprefix("parse: ").splitlines()
    _say("\n".join(line if line[:1] == " " else fill(line, WIDTH) for line in lines), sys.stderr)
    return code
