"""The page of a derivation: one HTML file with the graph, its numbers, and the sweep to step through.

The graph travels with the page as data, and the rows that it uses as JavaScript printed from the table, so the page computes
again when an input is changed. Text from outside is data too: it stands in JSON and is shown as text, and a
Content-Security-Policy lets nothing run but the scripts written here, nor anything be fetched. The trade-off: the page
computes in float64, so a Fraction becomes the nearest float, and its formulas are a row's, with constants as operands.

Source for the policy: W3C, Content Security Policy Level 3, 2.3.1 (hashes) and 6.1.3 (default-src).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from importlib import resources
from typing import TYPE_CHECKING, Any

from autograd.derivation.dialects import as_latex
from autograd.derivation.formulas import CHOICES, FORMULAS, operands_first, operation, substituted
from autograd.derivation.javascript import as_javascript, literal, rows
from autograd.derivation.printed import latex_name
from autograd.rules import CONSTANT, LEAF, RULES
from autograd.symbols import Expression, number, symbol

from autograd import symbols
from autograd.draw import FILL, INK, NEGATIVE, POSITIVE, RESULT, Drawing, dot
from autograd.floats import as_float
from autograd.value import Value, new

if TYPE_CHECKING:
    from autograd.derivation.derive import Derivation

INDEXED = re.compile(r"[^\W\d][\w\[\],#]*")  # a name in which HTML finds nothing that means more
KIND = {LEAF: "input", CONSTANT: "given"}
WIDTH = 84  # of a box, in points: room for a number that changes
HOLES = {"a": symbol("u"), "b": symbol("v"), "out": symbol("w")}  # what stands in a formula for the names of a row


def page(derivation: Derivation, limit: int = 500) -> str:
    """The derivation as an HTML page that needs no network: step through it, ask any node, change the inputs.

    Raises `ValueError` for a graph of more than `limit` nodes or with an operation that is not in the table,
    `ImportError` where latex2mathml is missing, which writes the formulas, and `RenderError` where Graphviz is.

    >>> from autograd import Value, derive
    >>> w, x = Value(0.5, "w"), Value(2.0, "x")
    >>> page(derive(w * x))[:15]
    '<!DOCTYPE html>'
    """
    graph = _Graph(derivation, limit)
    used = [copy.rule.name for copy in graph.nodes.values() if copy.left is not None]
    formulas = _Formulas(used)
    style, template, script = (_file(name) for name in ("page.css", "page.html", "page.js"))
    parts = {
        "style": _colors() + style,
        "svg": graph.svg(),
        "formulas": formulas.templates() + graph.templates(),
        "program": _json(graph.program()),
        "rows": rows(used) + formulas.script(),
        "script": script,
    }
    parts["policy"] = (
        f"default-src 'none'; img-src data:; style-src {_hash(parts['style'])}; "
        f"script-src {_hash(parts['rows'])} {_hash(parts['script'])}; base-uri 'none'; form-action 'none'"
    )
    return re.sub(r"\{\{(\w+)\}\}", lambda place: parts[place[1]], template)


class _Graph:
    """The part of the graph that the page shows: the nodes that are told, which vary, and their other operands, given.

    `nodes` has each with its copy, for on the page a node may be less than it was: what `wrt` asks for is an input there, and
    the gradients are those of the derivation.
    """

    def __init__(self, derivation: Derivation, limit: int) -> None:
        output, free = derivation.output, set(derivation.wrt or ())
        self.varied = {node for node in derivation.told if node.rule is not CONSTANT} | {output}
        self.results = {
            node
            for node in self.varied & derivation.adjoints.keys()
            if node.left is not None and (node not in free or not self.varied.isdisjoint(node.parents))
        }
        shown = self.varied.union(*(node.parents for node in self.results))
        if len(shown) > limit:
            raise ValueError(
                f"page: the graph has {len(shown)} nodes, more than the limit of {limit}; take a part of it: "
                "derive(output, wrt=w) has only what lies between w and the output, derive(output.parents[0]) an operand"
            )
        self.nodes: dict[Value, Value] = {}
        for node in derivation.order:
            if node in shown:
                self.nodes[node] = self._copy(node, derivation)
        self.names = derivation.names
        self.sweep = list(dict.fromkeys((output, *(step.node for step in derivation.steps if step.node in self.varied))))

    def _copy(self, node: Value, derivation: Derivation) -> Value:
        copy: Value = new(Value)
        is_result = node in self.results
        copy.rule = node.rule if is_result else LEAF if node in self.varied else CONSTANT
        copy.left = self.nodes[node.left] if is_result and node.left is not None else None
        copy.right = self.nodes[node.right] if is_result and node.right is not None else None
        copy.data = as_float(derivation.data[node])
        copy.grad = as_float(derivation.adjoints.get(node, 0.0))
        copy.label = "" if node.rule is CONSTANT else derivation.names[node]
        return copy

    def svg(self) -> str:
        """The picture, without the head that a file of its own would have."""
        text = Drawing(dot(list(self.nodes.values()), swept=True, room=WIDTH)).svg()
        return text[text.index("<svg") :]

    def program(self) -> dict[str, Any]:
        """The graph as data: its nodes, with the places of their operands, and the places in the order of the sweep."""
        place = {node: i for i, node in enumerate(self.nodes)}
        nodes = [
            {
                "name": self.names[node],
                "kind": "constant" if node.rule is CONSTANT else KIND.get(copy.rule, "result"),
                "operation": copy.rule.name if node in self.results else "",
                "parents": [place[parent] for parent in node.parents if node in self.results],
                "data": copy.data if math.isfinite(copy.data) else literal(copy.data),
            }
            for node, copy in self.nodes.items()
        ]
        return {"nodes": nodes, "sweep": [place[node] for node in self.sweep]}

    def templates(self) -> str:
        """The names that have indices or Greek letters as inert HTML; the page writes the others as they are."""
        names = ((i, self.names[node]) for i, node in enumerate(self.nodes) if node.rule is not CONSTANT)
        return "".join(_template(f"name{i}", _mathml(latex_name(name))) for i, name in names if INDEXED.fullmatch(name))


class _Formulas:
    """The formulas of some rows, as MathML with holes where operands stand, and as JavaScript that says which one holds."""

    def __init__(self, rules: Iterable[str]) -> None:
        self.mathml: dict[tuple[str, str], int] = {}
        self.rows = {name: self._row(name) for name in dict.fromkeys(rules)}

    def _row(self, name: str) -> str:
        names = ("out", "a", "b")[: 1 + len(RULES[name].domain)]
        out, *operands = map(symbol, names)
        value = as_javascript(self._numbered(FORMULAS[name].forward(*operands)))
        partials = (as_javascript(self._numbered(partial)) for partial in CHOICES[name].partials(out, *operands))
        return f"  {name}: {{ value: {value}, partials: ({', '.join(names)}) => [{', '.join(partials)}] }},\n"

    def _numbered(self, formula: Expression) -> Expression:
        """The number of the formula's template; if it has a choice, the same choice between the templates of its arms."""
        order = operands_first(formula)
        choice = next((e for e in order if e.op == "where"), None)
        if choice is not None:
            condition, *arms = choice.parents
            return symbols.where(condition, *(self._numbered(_replaced(order, choice, arm)) for arm in arms))
        mathml = re.sub(r"<mi>([uvw])</mi>", r'<mi class="\1"></mi>', _mathml(as_latex(substituted(formula, HOLES))))
        kind = "sum" if formula.op in ("add", "subtract", "negative") else "product"
        return number(self.mathml.setdefault((mathml, kind), len(self.mathml)))

    def script(self) -> str:
        """The JavaScript constant FORMULAS: by operation, the number of the formula that holds for these operands."""
        return "const FORMULAS = {\n" + "".join(self.rows.values()) + "};\n"

    def templates(self) -> str:
        """The formulas as inert HTML."""
        return "".join(_template(f"formula{i}", mathml, kind) for (mathml, kind), i in self.mathml.items())


def _replaced(order: list[Expression], old: Expression, new: Expression) -> Expression:
    """The last expression in an order of operands first, with another in the place of `old`."""
    image: dict[Expression, Expression] = {}
    for e in order:
        operands = [image[parent] for parent in e.parents]
        image[e] = new if e is old else getattr(symbols, e.op, operation(e.op))(*operands) if operands else e
    return image[order[-1]]


def _template(key: str, content: str, kind: str = "") -> str:
    return f'<template id="{key}" class="{kind}">{content}</template>\n'


def _mathml(latex: str) -> str:
    try:
        from latex2mathml.converter import convert
    except ImportError:
        raise ImportError(
            "page: the formulas need latex2mathml, which is not installed; pip install 'chainrule[html]'"
        ) from None
    return convert(latex)


def _colors() -> str:
    """The colours of the drawings, for the style sheet."""
    colors = {"ink": INK, "positive": POSITIVE, "negative": NEGATIVE, "box": RESULT}
    colors |= {"leaf": FILL[LEAF], "constant": FILL[CONSTANT]}
    return ":root {" + "".join(f" --{name}: {color};" for name, color in colors.items()) + " }\n"


def _file(name: str) -> str:
    return resources.files("autograd.derivation").joinpath(name).read_text(encoding="utf-8")


def _json(data: Any) -> str:
    """The data as JSON in ASCII that nothing in HTML can end."""
    import json

    return json.dumps(data).replace("<", "\\u003c")


def _hash(text: str) -> str:
    import base64
    import hashlib

    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
