"""The sentence on a mistake, in the user's orientation and with the user's names where they are known."""

from __future__ import annotations

import re
from collections.abc import Mapping

from nn.diagnose.explanations import Cause
from nn.diagnose.formulas import Words, shown
from nn.diagnose.mistakes import MISTAKES, RIGHT
from nn.diagnose.problem import Problem

NAMES = {"a": "a{l}", "z": "z{l}", "zx": "z{p}", "x": "a{p}", "W": "W{l}", "b": "b{l}", "d": "delta{l}", "e": "error{l}"}
NAMES |= {"error": "error{l}", "da": "delta{n}", "ea": "error{n}", "za": "z{n}", "Wa": "W{n}", "dWa": "dW{n}", "out": "a{k}"}


def words_for(problem: Problem, layer: int) -> Words:
    """How formulas of that layer are shown."""
    places = {"l": layer, "p": layer - 1, "n": layer + 1, "k": len(problem.W)}
    names = {name: text.format(**places).replace("a0", "X") for name, text in NAMES.items()} | {"one": "1"}
    return Words(problem.activations[layer - 1], names, problem.columns, problem.out_in)


def right_line(problem: Problem, layer: int, part: str) -> str:
    """The line that is right for that part of a layer."""
    words, depth = words_for(problem, layer), len(problem.W)
    if part in {"W", "b"}:
        return f"d{part}{layer} = {shown(RIGHT[part], words, part)}"
    if layer == depth and problem.loss.by_preactivation:
        return f"delta{layer} = a{layer} - y"
    f = problem.activations[layer - 1]
    error = (
        shown(RIGHT["back"], words)
        if layer < depth
        else "2 * (a - y)"
        if problem.loss_name in {"squared_error", "mean_squared_error"}
        else "(a - y)"
    )
    error = error.replace("a -", f"a{layer} -") if problem.loss_name != "huber" else f"clip(a{layer} - y, -1, 1)"
    if "squared" not in problem.loss_name and problem.loss_name != "huber" and layer == depth:
        error = f"dC/da{layer}"
    error = f"({error})" if "@" in error else error
    if f.jacobian:
        return f"delta{layer} = {shown('a * (e - (e * a).sum(axis=1, keepdims=True))', words)}, error{layer} being {error}"
    slope = shown("df(z)", words)
    slope = slope if re.fullmatch(r"[\w.]+ \* \(1 - [\w.]+\)", slope) or slope == "1" else f"({slope})"
    return f"delta{layer} = {error}" + (f" * {slope}" if slope != "1" else "")


def message(cause: Cause, problem: Problem, names: Mapping[str, str] | None = None) -> str:
    """The sentence on a cause, and the line that is right."""
    l, depth = cause.layer, len(problem.W)
    words = words_for(problem, l)
    part = "W" if cause.part == "W" else ""
    formula = cause.part not in {"scale", "penalty", "shape"} and cause.used not in {"loss", ""}
    used = shown(cause.used, words, part) if formula else "the loss itself" if cause.used == "loss" else cause.used
    kind = "W" if cause.part not in {"b", "shape"} else "b"
    right = right_line(problem, l, kind if cause.part in {"W", "b"} else "delta").split(" = ", 1)[1]
    fills = {
        "l": l,
        "p": l - 1,
        "n": l + 1,
        "used": used,
        "right": right,
        "slope": shown("df(z)", words),
        "gradient": f"d{kind}{l}",
    }
    fills |= {"input": f"a{l - 1}", "slope_after": shown("df(z)", words_for(problem, l + 1)) if l < depth else ""}
    if cause.part == "back":
        fills["right"] = shown(RIGHT["back"], words)
    if cause.part == "penalty":
        name, _, ours = cause.used.partition(" | ")
        fills |= {"used": name, "right": ours, "gradient": f"d{name.split()[-1]}" if name else f"d{ours.split()[-1]}"}
    if cause.part == "shape":
        fills["used"], _, fills["update"] = cause.used.partition(" | ")
    text = MISTAKES[cause.mistake].words.format(**fills).replace("a0", "X")
    if cause.part not in {"scale", "penalty", "shape"} and "{right}" not in MISTAKES[cause.mistake].words:
        text += f" Right: {right_line(problem, l, cause.part)}."
    return renamed(text, names or {})


def renamed(text: str, names: Mapping[str, str]) -> str:
    """The text with the user's names for the arrays of the derivation."""
    plain = {ours: user for ours, user in names.items() if ours[0] != "W" or user.isidentifier()}
    return re.sub(r"\b(?:[azWb]|delta|error)\d+\b|\b[Xy]\b", lambda m: plain.get(m[0], m[0]), text)
