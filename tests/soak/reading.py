"""Printed formulas read back, with nothing of the printer: text is Python but for [a > b], LaTeX is turned into such text."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

NUMBER = r"(?<![\w.])\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.])"
TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|\d+(?:\.\d+)?|\S")
FUNCTIONS = {r"\sigma": "sigmoid", r"\log": "log", r"\sin": "sin", r"\cos": "cos", r"\tanh": "tanh"}
FUNCTIONS |= {r"\max": "max", r"\min": "min", r"\sqrt": "sqrt"}
SIGNS = {r"\cdot": "*", r"\infty": "inf", r"\le": "<=", r"\ge": ">="}
OPEN = {"(": "(", "|": "abs(", "[": "["}
CLOSE = {")": ")", "|": ")", "]": "]"}


def evaluated(text: str, number: Callable[[str], Any], names: Mapping[str, Any]) -> Any:
    """What a formula comes to, its numbers read by `number`; `names` has what names, functions and `step` stand for."""
    known = sorted(names, key=len, reverse=True)
    pattern = "|".join((*(rf"(?<![\w']){re.escape(name)}(?![\w[#'])" for name in known), NUMBER))
    places: list[Any] = []

    def placed(found: re.Match[str]) -> str:
        places.append(names[found[0]] if found[0] in names else number(found[0]))
        return f"_{len(places) - 1}_"

    code = re.sub(pattern, placed, text)
    for bracket, call in (("[", "step("), ("]", ")"), (" > ", ", ")):  # [a > b] as step(a, b)
        code = code.replace(bracket, call)
    found = {f"_{i}_": value for i, value in enumerate(places)} | {"step": names.get("step")}
    return eval(code, {"__builtins__": {}}, found)  # noqa: S307 (text of our own printer)


def from_latex(latex: str) -> str:
    """The text of the same formula; names are letters with indices, W^{(1)}_{2,0} is W1[2,0] and z_{12} is z12."""
    return _read(TOKEN.findall(latex.replace(r"\tfrac", r"\frac")))


def _read(tokens: list[str]) -> str:
    """The text of all the tokens, or of those up to the brace that closes the group; these are taken away."""
    text = ""
    while tokens and (head := tokens.pop(0)) != "}":
        if head == r"\frac":
            above, below = _group(tokens), _group(tokens)
            text += f"d{above[1:]}/d{below[1:]}" if above.startswith("@") else f"(({above})/({below}))"
        elif head == r"\partial":
            text += "@"
        elif head in (r"\left", r"\right"):
            text += (OPEN if head == r"\left" else CLOSE)[tokens.pop(0)]
        elif head == r"\operatorname":
            text += _group(tokens)
        elif head in FUNCTIONS:
            text += f"{FUNCTIONS[head]}({_group(tokens)})" if tokens[0] == "{" else FUNCTIONS[head]
        elif head == "e" and tokens[:1] == ["^"]:
            del tokens[0]
            text += f"exp({_group(tokens)})"
        elif head == r"\text":
            text += _name(_group(tokens), tokens)
        elif head.isalpha():
            text += _name(head, tokens)
        elif head == "^":
            text += f"**({_group(tokens)})"
        else:
            text += f" {SIGNS.get(head, head)} "
    return text


def _group(tokens: list[str]) -> str:
    assert tokens.pop(0) == "{"
    return _read(tokens)


def _name(stem: str, tokens: list[str]) -> str:
    """A name with what stands above and below it."""
    above = below = ""
    if tokens[:3] == ["^", "{", "("]:
        above = tokens[3]
        del tokens[:6]
    if tokens[:2] == ["_", "{"]:
        end = tokens.index("}")
        below = "".join(tokens[2:end])
        del tokens[: end + 1]
    below, sign, namesake = below.partition(r"\#")
    return (f"{stem}{above}[{below}]" if above else stem + below) + sign[1:] + namesake


def compiled(folder: Path, body: str, preamble: str = "") -> str:
    """What pdflatex says of an article with this body and amsmath; it has to compile."""
    source = (
        "\\documentclass{article}\n\\usepackage{amsmath}\n" + preamble + "\\begin{document}\n" + body + "\n\\end{document}\n"
    )
    (folder / "it.tex").write_text(source)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "it.tex"]
    run = subprocess.run(command, cwd=folder, capture_output=True, check=False)  # noqa: S603
    said = run.stdout.decode(errors="replace")
    assert run.returncode == 0, said[-2000:]
    return said
