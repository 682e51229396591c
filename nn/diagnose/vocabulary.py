"""What may be written in a line of the user's function: its own names for what is right, and formulas of them."""

from __future__ import annotations

import ast
import re
from typing import NamedTuple

import numpy as np

from nn.arrays import Array
from nn.diagnose.formulas import shown
from nn.diagnose.gradients import squeezed
from nn.diagnose.messages import renamed, words_for
from nn.diagnose.network import Network
from nn.diagnose.problem import Problem
from nn.diagnose.watch import Line


class Words(NamedTuple):
    """What may be written in a line: the user's names for what is right, and formulas of them; and what it may set."""

    names: dict[str, str]
    factors: list[str]
    formulas: list[str]
    forward: list[Array]
    targets: list[tuple[Array, Array, Array, Array]]


def words_at(problem: Problem, net: Network, line: Line) -> Words:
    """The words for a line."""

    def turned(a: Array) -> Array:
        return a.T if problem.columns else a

    depth = len(problem.W)
    known: dict[str, Array] = {"X": turned(net.A[0][0]), "y": turned(net.Y[0])}
    targets = []
    for l in range(1, depth + 1):
        known |= {
            f"a{l}": turned(net.A[l][0]),
            f"z{l}": turned(net.Z[l][0]),
            f"W{l}": net.W[l].T if problem.out_in else net.W[l],
        }
        known |= {f"delta{l}": turned(net.D[l][0]), f"error{l}": turned(net.E[l][0])}
        known[f"slope{l}"] = turned(net.activations[l - 1].slope_at(net.A[l][0]))
        targets.append((net.E[l][0], net.D[l][0], net.A[l - 1][0].T @ net.D[l][0], net.D[l][0].sum(axis=0)))
    names: dict[str, str] = {}
    for user in sorted(
        (name for name in line.names if not name.startswith("return")), key=lambda name: (not name.isidentifier(), len(name))
    ):
        for ours, right in known.items():
            as_gradient = ours[0] in "de" and re.fullmatch(r"d_?[bwBW]_?\d*", user)
            if (
                line.names[user].shape == right.shape
                and not as_gradient
                and multiple(line.names[user], right, ours[0] not in "de")
            ):
                names.setdefault(ours, user)
    factors: list[str] = []
    formulas: list[str] = []
    for l in range(depth, 0, -1):
        words = words_for(problem, l)
        slope = names.get(f"slope{l}") or renamed(shown("df(z)", words), names)
        error, sloped = names.get(f"error{l}"), slope if factor(slope) else f"({slope})"
        made = (
            f"{error} * {sloped}"
            if error and not (l == depth and problem.loss.by_preactivation) and slope != "1"
            else error or ""
        )
        delta = names.get(f"delta{l}") or made
        factors += [slope] * (slope != "1")
        formulas += [names[n] for n in (f"a{l}", f"z{l}", f"W{l}", "X", "y", f"a{l - 1}") if n in names]
        factors += [f"1 - {names[f'a{l}']}"] if f"a{l}" in names else []
        if delta:
            here = names | {f"delta{l}": delta if delta.isidentifier() else f"({delta})"}
            lines = (("W", "x.T @ d"), ("b", "d.sum(axis=0)"), ("b", "d.sum(axis=0, keepdims=True)"))
            formulas += [delta, *(renamed(shown(text, words, part), here) for part, text in lines)]
    forward = [net.A[0][0], net.Y[0], *(a[0] for a in (*net.A[1:], *net.Z[1:])), *net.W[1:]]
    return Words(names, factors, list(dict.fromkeys(formulas)), forward, targets)


def factor(text: str) -> bool:
    """Whether the text may stand behind a times without brackets."""
    tree = ast.parse(text, mode="eval").body
    return not isinstance(tree, ast.BinOp) or isinstance(tree.op, ast.Mult)


def multiple(numbers: Array, right: Array, times: float = 0) -> bool:
    """Whether the numbers, or their transpose, are those that are right (times 0: a multiple of them)."""
    numbers = np.asarray(numbers)
    for a in (numbers, numbers.T) if numbers.ndim == 2 else (numbers,):
        if squeezed(a.shape) == squeezed(right.shape) and right.any():
            flat, want = a.ravel().astype(float), right.ravel()
            ratio = times or (flat @ want / (want @ want) if len(want) > 1 else 1.0)
            if ratio and np.abs(flat - ratio * want).max() <= 1e-9 * max(np.abs(flat).max(), 1e-300):
                return True
    return False
