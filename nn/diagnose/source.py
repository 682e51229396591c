"""The mistake in the user's own line, and what belongs there: edits of one place, each run before it is shown.

A line whose numbers are none of the derivation's is edited at one place, until its numbers are: a name for another, a factor
more or less, a transpose, a sum. What is tried is written with the names that the lines of the function have set.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from time import perf_counter
from types import CodeType, FunctionType
from typing import Any, NamedTuple

import numpy as np

from nn.arrays import Array
from nn.diagnose.network import Network
from nn.diagnose.problem import Problem
from nn.diagnose.vocabulary import Words, factor, multiple, words_at
from nn.diagnose.watch import Line

PATIENCE = 0.4  # seconds for all edits
RIGHT = b"right"
ACTS = {
    "append",
    "extend",
    "insert",
    "pop",
    "remove",
    "update",
    "setdefault",
    "write",
    "open",
    "print",
    "input",
    "exec",
    "next",
}


class Edit(NamedTuple):
    """One place of a line, and what is written there instead."""

    line: int
    start: int
    end: int
    old: str
    new: str


class Source:
    """A function whose source can be read, and run with some lines changed."""

    def __init__(self, function: FunctionType) -> None:
        lines, self.first = inspect.getsourcelines(function)
        self.function, self.lines = function, [line.rstrip("\n") for line in lines]

    def tree(self, lines: Sequence[str]) -> ast.FunctionDef:
        """The syntax of the function."""
        found = ast.parse(textwrap.dedent("\n".join(lines))).body[0]
        if not isinstance(found, ast.FunctionDef):
            raise TypeError("not a function with a name")
        found.decorator_list = []
        return found

    def code(self, lines: Sequence[str]) -> CodeType:
        """Its code, with the variables of the functions around it."""
        tree, free = self.tree(lines), self.function.__code__.co_freevars
        around = ast.parse(f"def around({', '.join(free)}):\n    pass")
        around.body[0].body = [tree]  # type: ignore[attr-defined]  # it is a function
        ast.increment_lineno(tree, self.first - 1)
        module = compile(ast.fix_missing_locations(around), self.function.__code__.co_filename, "exec")
        code = next(c for c in module.co_consts if isinstance(c, CodeType))
        return next(c for c in code.co_consts if isinstance(c, CodeType) and c.co_name == tree.name)

    def edited(self, edits: Sequence[Edit]) -> list[str]:
        """The lines with these edits."""
        lines = list(self.lines)
        for e in sorted(edits, key=lambda e: -e.start):
            i = e.line - self.first
            lines[i] = lines[i][: e.start] + e.new + lines[i][e.end :]
        return lines

    def run(self, edits: Sequence[Edit], call: Callable[[], Any]) -> Any:
        """What `call` gives while the function has these edits; None where it raises."""
        old = self.function.__code__
        try:
            self.function.__code__ = self.code(self.edited(edits))
            return call()
        except Exception:  # noqa: BLE001  # an edit that does not run is no edit
            return None
        finally:
            self.function.__code__ = old

    def places(self) -> Iterator[tuple[int, ast.expr, int]]:
        """The expressions that set something: their lines in the file, and how far the source is indented."""
        indent = len(self.lines[0]) - len(self.lines[0].lstrip())
        for node in ast.walk(self.tree(self.lines)):
            if isinstance(node, ast.Assign | ast.Return | ast.AugAssign) and node.value is not None and not _acts(node.value):
                value = node.value
                parts = value.values if isinstance(value, ast.Dict) else value.elts if isinstance(value, ast.Tuple) else [value]
                parts = (
                    [k.value for k in value.keywords]
                    if isinstance(value, ast.Call) and getattr(value.func, "id", "") == "dict"
                    else parts
                )
                yield from ((self.first + node.lineno - 1, part, indent) for part in parts if part.lineno == part.end_lineno)


def _acts(value: ast.expr) -> bool:
    """Whether it may do more than compute; such an expression is not tried out."""
    calls = [node.func for node in ast.walk(value) if isinstance(node, ast.Call)]
    return any(getattr(f, "attr", getattr(f, "id", "")) in ACTS for f in calls)


def function_of(backward: Any, code: CodeType) -> FunctionType | None:
    """The function of that code: `backward` itself, or one that it can reach."""
    own = getattr(backward, "__func__", backward)
    found = [own, vars(type(backward)).get("__call__")]
    cells = [cell.cell_contents for cell in getattr(own, "__closure__", None) or ()]
    reach = [*cells, *getattr(own, "__globals__", {}).values()]
    found += [getattr(x, "__func__", x) for x in reach] + [
        f for x in reach for f in vars(x if isinstance(x, type) else type(x)).values()
    ]
    return next((f for f in found if isinstance(f, FunctionType) and f.__code__ is code), None)


def variants(node: ast.expr, text: str, words: Words) -> Iterator[str]:
    """What may be written for an expression, which reads `text`."""
    if isinstance(node, ast.BinOp):
        yield from (ast.unparse(node.left), ast.unparse(node.right))
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield ast.unparse(node.value)
    for keyword in node.keywords if isinstance(node, ast.Call) else ():
        if keyword.arg == "axis" and isinstance(keyword.value, ast.Constant) and keyword.value.value in {0, 1}:
            yield text.replace(f"axis={keyword.value.value}", f"axis={0 if keyword.value.value else 1}")
    simple = text if isinstance(node, ast.Name | ast.Call | ast.Attribute | ast.Subscript) else f"({text})"
    yield from (f"{simple}.T", f"-{simple}")
    yield from (*words.formulas, *words.factors)
    yield from (f"{simple} * {other if factor(other) else f'({other})'}" for other in words.factors)
    yield from (f"{simple}.sum(axis={axis}, keepdims=True)" for axis in (0, 1))
    yield from (f"{simple}.sum(axis={axis})" for axis in (0, 1))


def edits_of(source: Source, problem: Problem, net: Network, lines: Mapping[int, Line], until: float) -> Iterator[Edit]:
    """Edits of one place after which a line that was wrong sets something right."""
    for number, value, indent in source.places():
        line = lines.get(number)
        if line is None or perf_counter() > until:
            continue
        words, now = words_at(problem, net, line), _value(ast.unparse(value), line)
        if now is None or any(multiple(now, a) for a in words.forward):
            continue
        step = next((i for i in (3, 2, 1, 0) if any(multiple(now, t[i]) for t in words.targets)), -1)
        targets = [a for t in words.targets for i, a in enumerate(t) if i > step and (i > 1 or step < 1)]
        if step > 1:
            continue
        for node in ast.walk(value):
            if isinstance(node, ast.expr) and hasattr(node, "col_offset") and not isinstance(node, ast.Constant):
                start, end = node.col_offset + indent, (node.end_col_offset or 0) + indent
                whole = source.lines[number - source.first]
                for text in variants(node, whole[start:end], words):
                    left, right_end = value.col_offset + indent, (value.end_col_offset or 0) + indent
                    wrapped = f"({text})" if node is not value and any(c in text for c in "+-") and text[0] != "(" else text
                    found = _value(whole[left:start] + wrapped + whole[end:right_end], line)
                    if found is not None and any(multiple(found, right) for right in targets):
                        yield Edit(number, start, end, whole[start:end], wrapped)


@lru_cache(10_000)
def _compiled(text: str) -> CodeType:
    return compile(text, "edit", "eval")


def _value(text: str, line: Line) -> Array | None:
    """The numbers of an expression where that line stands."""
    try:
        found = np.asarray(eval(_compiled(text), line.everywhere, line.scope), dtype=float)  # noqa: S307  # the user's own line
    except Exception:  # noqa: BLE001  # what does not run is nothing
        return None
    return found if found.size and np.isfinite(found).all() else None


class Mended(NamedTuple):
    """One edit that made gradients right: the line's number, before and after it, and what was replaced by what."""

    edit: Edit
    before: str
    after: str
    gradients: frozenset[str]


def mended(
    backward: Any, problem: Problem, net: Network, watch: Callable[[], Sequence[Line]], outcome: Callable[[], dict[str, bytes]]
) -> list[Mended]:
    """Edits, one after the other, each of which makes more gradients right. `outcome` gives their bytes, RIGHT if they are."""
    start, found, now = perf_counter(), list[Mended](), outcome()
    until = start + PATIENCE
    if perf_counter() - start > 0.05:  # too slow to be run for every edit
        return found

    def rank(tried: tuple[dict[str, bytes], Edit]) -> Any:
        after, edit = tried
        kept = sum(g in {RIGHT, now[name]} for name, g in after.items())
        returned = "return" in source.lines[edit.line - source.first]
        return _rights(after), kept, not returned, -len(edit.old) - len(edit.new)

    for function in {function_of(backward, line.code): None for line in watch()}:
        if function is None:
            continue
        source = Source(function)
        while len(found) < 6:
            lines = {line.number: line for line in source.run([], watch) or () if line.code.co_name == function.__name__}
            edits = [(after, e) for e in edits_of(source, problem, net, lines, until) if (after := source.run([e], outcome))]
            if not edits or _rights((best := max(edits, key=rank))[0]) <= _rights(now):
                break
            after, edit = best
            before, at = list(source.lines), edit.line - source.first
            source.lines = source.edited([edit])
            more = frozenset(name for name, g in after.items() if g == RIGHT != now.get(name))
            found.append(Mended(edit, before[at], source.lines[at], more))
            now = after
    return found


def _rights(outcome: Mapping[str, bytes]) -> int:
    return sum(g == RIGHT for g in outcome.values())
