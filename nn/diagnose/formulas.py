"""The language of formulas in which a mistake is described: NumPy for samples in rows, computed, enumerated, and shown.

A formula is text, such as `x.T @ d`. `evaluated` computes it in a scope of arrays that may have leading axes, one for each data
set or candidate; `combined` makes all formulas of a size; `shown` writes one in the user's orientation and names.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from autograd.expressions import as_text, symbol
from nn.activations import ACTIVATIONS, SOFTMAX, Activation
from nn.arrays import Array, transposed

Scope = Mapping[str, Any]
OPERATORS: dict[str, Callable[[Array, Array], Array]] = {"*": np.multiply, "-": np.subtract, "+": np.add, "/": np.divide}


class _Leading(ast.NodeTransformer):
    """`.T` and the axes of sums, so that they leave leading axes alone."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        return ast.Call(ast.Name("T", ast.Load()), [node.value], []) if node.attr == "T" else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.func, ast.Attribute):
            return node
        return ast.Call(ast.Name("total", ast.Load()), [node.func.value, ast.Constant(node.func.attr)], node.keywords)


@cache
def _compiled(formula: str) -> CodeType:
    tree = ast.fix_missing_locations(_Leading().visit(ast.parse(formula.strip(), mode="eval")))
    return compile(tree, formula, "eval")


def evaluated(formula: str, scope: Scope) -> Array:
    """The numbers of a formula. `ValueError` where the shapes do not fit."""
    return np.asarray(eval(_compiled(formula), {"__builtins__": {}}, scope))  # noqa: S307  # formulas of our own


def tried(formula: str, scope: Scope) -> Array | None:
    """The numbers of a formula, or None where shapes or names do not allow it."""
    try:
        return evaluated(formula, scope)
    except (ValueError, KeyError, NameError):
        return None


def total(a: Array, how: str, axis: int | None = None, keepdims: bool = False) -> Array:
    """The sum or mean over samples (axis 0), neurons (axis 1) or both, of the last two axes."""
    axes = (-2, -1) if axis is None else axis - 2
    return np.asarray(getattr(np, how)(a, axis=axes, keepdims=keepdims))


def _slope_of(f: Activation, z: Array) -> Array:
    return f.slope_at(f.of(z))


def functions(f: Activation, n: int) -> dict[str, Any]:
    """What a formula of a layer with that activation and n samples may call."""
    found: dict[str, Any] = {name: getattr(np, name) for name in ("abs", "exp", "log", "maximum", "sign", "sqrt", "where")}
    for h in (*ACTIVATIONS.values(), SOFTMAX):
        found |= {f"g_{h.name}": h.slope_at, f"d_{h.name}": partial(_slope_of, h), f"of_{h.name}": h.of}
    steps = np.arange(1.0, n + 1)[:, None]
    found |= {"T": transposed, "total": total, "ones": np.ones_like, "up": steps, "down": steps[::-1], "f": f.of}
    found |= {"first": lambda a: a[..., :1, :], "last": lambda a: a[..., -1:, :], "log": lambda a: np.log(np.abs(a))}
    return found | {"g": f.slope_at, "df": partial(_slope_of, f)}


class Terms(NamedTuple):
    """Formulas of one shape, with their numbers on one data set stacked; a text is made when it is asked for."""

    numbers: Array
    text: Callable[[int], str]


def terms(formulas: Sequence[str], scope: Scope, shape: tuple[int, ...]) -> Terms:
    """These formulas as terms, but for those that do not fit the shape."""
    kept, arrays = [], []
    for formula in formulas:
        numbers = tried(formula, scope)
        if numbers is not None and numbers.shape in {(), shape, (1, *shape[1:])}:
            arrays.append(np.broadcast_to(numbers.astype(float), shape))
            kept.append(formula)
    numbers = np.stack(arrays)
    keep = distinct(numbers)
    return Terms(numbers[keep], lambda i: kept[int(keep[i])])


def combined(p: Terms, q: Terms, operators: Sequence[str]) -> Terms:
    """Every term of p and every term of q, joined by each of the operators; equal numbers once, the first of them."""
    shape, (P, Q) = p.numbers.shape[1:], (len(p.numbers), len(q.numbers))
    pairs = [OPERATORS[o](p.numbers[:, None], q.numbers[None]).reshape(-1, *shape) for o in operators]
    numbers = np.concatenate(pairs)
    keep = distinct(numbers)

    def text(i: int) -> str:
        o, rest = divmod(int(keep[i]), P * Q)
        return f"({p.text(rest // Q)}) {operators[o]} ({q.text(rest % Q)})"

    return Terms(numbers[keep], text)


def joined(*parts: Terms) -> Terms:
    """Terms one after another."""
    numbers = np.concatenate([part.numbers for part in parts])
    texts = [(part, i) for part in parts for i in range(len(part.numbers))]
    keep = distinct(numbers)
    return Terms(numbers[keep], lambda i: texts[int(keep[i])][0].text(texts[int(keep[i])][1]))


def distinct(numbers: Array) -> Array:
    """Where the finite arrays of a stack stand that are not zero, each of equal ones once, in their order."""
    flat = numbers.reshape(len(numbers), -1)
    key = flat @ np.random.default_rng(0).uniform(1, 2, flat.shape[1])
    useful = np.flatnonzero(np.isfinite(key) & (np.abs(flat).max(axis=1, initial=0) > 1e-12))
    _, first = np.unique(key[useful].astype(np.float32), return_index=True)
    return useful[np.sort(first)]


class Words(NamedTuple):
    """How formulas of one layer are shown: its activation, what names become, and the user's orientation."""

    f: Activation
    names: Mapping[str, str]
    columns: bool
    out_in: bool


WEIGHTS = ("W", "Wa", "dWa")


class _Shown(ast.NodeTransformer):
    """The abbreviations of formulas, written out: slopes above all."""

    def __init__(self, words: Words) -> None:
        self.words = words

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name, rest = (node.func.id if isinstance(node.func, ast.Name) else ""), node.args[:1]
        kind, _, of = name.partition("_")
        if kind in {"g", "df", "d"} and (of or kind != "d"):
            f = {**ACTIVATIONS, SOFTMAX.name: SOFTMAX}[of] if of else self.words.f
            own = kind == "df" and isinstance(rest[0], ast.Name) and rest[0].id == "z"
            at = rest[0] if kind == "g" else ast.Name("a") if own else ast.Call(ast.Name(f.name), rest, [])
            return _slope(f, at, rest[0])
        if kind == "of" or name == "f":
            return ast.Call(ast.Name(of or self.words.f.name), rest, [])
        if name == "ones":
            return ast.Call(ast.Name("ones_like"), node.args, [])
        return node


def _slope(f: Activation, a: ast.expr, z: ast.expr) -> ast.expr:
    """f' as one writes it, of a = f(z)."""
    if f.formula is None:
        return ast.Constant(1)
    text = as_text(f.formula(symbol("A_"), symbol("Z_")))
    return _Named({"A_": a, "Z_": z}).visit(ast.parse(text, mode="eval").body)  # type: ignore[no-any-return]  # an expression


class _Named(ast.NodeTransformer):
    """Names replaced by expressions."""

    def __init__(self, names: Mapping[str, ast.expr]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self.names.get(node.id, node)


def _entrywise(node: ast.expr) -> bool:
    """Whether it is arithmetic entry by entry, of names and numbers alone."""
    kinds = (ast.BinOp, ast.Name, ast.Constant, ast.operator, ast.expr_context, ast.UnaryOp, ast.unaryop)
    return isinstance(node, ast.BinOp) and all(
        isinstance(part, kinds) and not isinstance(part, ast.MatMult) for part in ast.walk(node)
    )


def _method(node: Any, t: bool, w: Words) -> ast.expr:
    """The method of what is turned, such as `d.sum`."""
    return ast.Attribute(_turned(node.value, t, w), node.attr)


def _turned(node: ast.expr, t: bool, w: Words) -> ast.expr:
    """The formula (t: its transpose) in terms of the user's arrays, of which those in the other orientation are transposed."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        left, right = (_turned(side, t, w) for side in (node.left, node.right))
        return ast.BinOp(right, node.op, left) if t else ast.BinOp(left, node.op, right)
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return _turned(node.value, not t, w)
    if isinstance(node, ast.Name):
        if node.id in {"b", "one", "up", "down", "n", "k", "rate", "loss"}:
            return node
        other = w.out_in if node.id in WEIGHTS or node.id.startswith("W") else w.columns
        return ast.Attribute(node, "T") if t != other else node
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"first", "last"}:
        inner = _turned(node.args[0], t, w)
        flipped = isinstance(inner, ast.Attribute) and inner.attr == "T"
        one = f"x[{':, ' * (t != flipped)}{':1' if node.func.id == 'first' else '-1:'}]{'.T' * flipped}"
        base = inner.value if isinstance(inner, ast.Attribute) and flipped else inner
        return _Named({"x": base}).visit(ast.parse(one, mode="eval").body)  # type: ignore[no-any-return]  # an expression
    leaves = [leaf for leaf in ast.walk(node) if isinstance(leaf, ast.Name)] if _entrywise(node) else []
    if leaves and all(isinstance(_turned(leaf, t, w), ast.Attribute) for leaf in leaves):
        return ast.Attribute(_turned(node, not t, w), "T")
    for field, value in ast.iter_fields(node):
        if isinstance(value, ast.expr) and not (field == "func" and isinstance(value, ast.Name)):
            setattr(node, field, _method(value, t, w) if field == "func" else _turned(value, t, w))
        elif isinstance(value, list) and field in {"args", "comparators"}:
            setattr(node, field, [_turned(v, t, w) for v in value])
    if isinstance(node, ast.Call) and t:
        for keyword in node.keywords:
            if keyword.arg == "axis" and isinstance(keyword.value, ast.Constant):
                keyword.value = ast.Constant(0 if keyword.value.value else 1)
    return node


def shown(formula: str, words: Words, part: str = "") -> str:
    """A formula in the user's orientation and names; `part` W is one that has the shape of the weights."""
    bare = re.sub(r" [*/] factor\b", "", formula.strip()).replace("ef", "e")
    tree = _Shown(words).visit(ast.parse(bare, mode="eval").body)
    tree = _turned(tree, words.out_in if part == "W" else words.columns, words)
    names = {name: ast.parse(text, mode="eval").body for name, text in words.names.items()}
    return ast.unparse(ast.fix_missing_locations(_Named(names).visit(tree)))
