"""A folded graph as DOT text: a box for each thing that repeats, with its formula, its size, and the range of its numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from autograd.draw.cones import stem
from autograd.draw.dot import Arrow, box, flow, pausing, tip
from autograd.draw.folding import Box, census, fold, shapes
from autograd.draw.formula import formula
from autograd.draw.markup import colored, digraph, number, symbol_cell, table, text, tooltip
from autograd.draw.options import View
from autograd.draw.style import faded
from autograd.floats import as_float
from autograd.graph import edges
from autograd.names import named
from autograd.operands import Number
from autograd.operations import CONSTANT, LEAF
from autograd.recording import leaf, node_of
from autograd.value import Value


def folded(order: Sequence[Value], swept: bool, view: View) -> tuple[str, dict[str, Box]]:
    """The DOT text, and the boxes by the names that they have in it."""
    boxes = _named(fold(order), named(order))
    numbers = shapes(order)
    names = {node: name for name, box in boxes.items() for node in box.nodes}
    places = {name: f"n{i}" for i, name in enumerate(boxes)}
    graph = digraph(view)
    for name, found in boxes.items():
        alone = len(found.nodes) == 1
        content = box(found.nodes[0], swept, view) if alone else _box(name, found, numbers, names, swept, view)
        say = tip(found.nodes[0]) if alone else tooltip(f'open("{name}") draws one of {len(found.parts):,}')
        graph.node(places[name], label=content, tooltip=say)
    bundles = _bundles(order, names, swept)
    flows = [max(map(abs, _flows(bundle)), default=0.0) for bundle in bundles.values()]
    strongest = max(filter(math.isfinite, flows), default=0.0)
    for i, ((parent, consumer), bundle) in enumerate(bundles.items()):
        ends = places[parent], places[consumer]
        label = bundle[0].label(view) if len(bundle) == 1 else f"\u00d7{len(bundle):,}" if "partials" in view.show else ""
        attributes = _attributes(bundle, strongest, swept, view)
        if label:
            pausing(graph, ends, f"p{i}", label, attributes, view, enters=False)
        else:
            graph.edge(*ends, **attributes)
    source: str = graph.source
    return source, boxes


def inside(found: Box, names: Mapping[Value, str]) -> list[Value]:
    """The first part of a box as a graph of its own, in order: what it reads is an input there."""
    copies: dict[Value, Value] = {}
    part = found.parts[0]
    for node in part:
        for parent in node.parents:
            if parent not in copies:
                copies[parent] = _input(parent, names)
        operands = tuple(copies[parent] for parent in node.parents)
        copies[node] = _copy(node, operands) if operands else _input(node, names)
    own = set(part)
    return [copy for node, copy in copies.items() if node not in own] + [copies[node] for node in part]


def _copy(node: Value, operands: tuple[Value, ...]) -> Value:
    copy: Value = node_of(Value, node.operation, node.data, operands)
    copy.grad, copy.label = node.grad, node.label
    return copy


def _input(node: Value, names: Mapping[Value, str]) -> Value:
    is_constant = node.operation is CONSTANT
    copy: Value = leaf(Value, node.data, CONSTANT if is_constant else LEAF)
    copy.grad, copy.label = node.grad, node.label or ("" if is_constant else names[node])
    return copy


def _named(boxes: Sequence[Box], names: Mapping[Value, str]) -> dict[str, Box]:
    """The boxes by name: the label or stem that all results have, else the name of the last result."""
    found: dict[str, Box] = {}
    for folded in boxes:
        labels = {stem(node.label) or node.label for node in folded.results}
        name = labels.pop() if len(labels) == 1 else ""
        name = name or names[folded.results[-1]]
        unique, n = name, 1
        while unique in found:
            n += 1
            unique = f"{name}#{n}"
        found[unique] = folded
    return found


def _box(name: str, found: Box, numbers: Mapping[Value, int], names: Mapping[Value, str], swept: bool, view: View) -> str:
    theme, parts, result = view.theme, found.parts, found.parts[0][-1]
    is_lit = view.lit is None or not view.lit.isdisjoint(found.nodes)
    tone = str if is_lit else faded
    rows = [_title(name, bool(result.label), len(parts), view, tone)]
    if result.left is not None:
        said = formula(parts[0], numbers, names, found.varied(numbers))
        said = said or ", ".join(f"{count:,} {symbol}" for symbol, count in census(found.nodes)[:4])
        rows.append(colored(text(said), tone(theme.ink), 16))
    if len(parts[0]) > 1:
        times = f"{len(parts):,} \u00d7 " if len(parts) > 1 else ""
        rows.append(colored(f"{times}{len(parts[0]):,} nodes", tone(theme.symbol)))
    if "data" in view.show:
        rows.append(colored(f"data {_range((node.data for node in found.results), view)}", tone(theme.ink)))
    if swept and "grad" in view.show and result.operation is not CONSTANT:
        rows.append(colored(f"grad {_range((node.grad for node in found.results), view)}", tone(theme.ink)))
    symbols = {node.operation.symbol for node in parts[0] if node.left is not None}
    side = symbol_cell(symbols.pop(), tone(theme.ink)) if len(symbols) == 1 else ""
    line = theme.accent if is_lit and view.lit is not None else tone(theme.line)
    return table(rows, tone(theme.fill(result.operation)), line, border=2, side=side)


def _title(name: str, own: bool, count: int, view: View, tone: Callable[[str], str]) -> str:
    """The name of a box, slanted where it is not from a label, and how many parts there are."""
    written = f"<B>{text(name)}</B>" if own else f"<I>{text(name)}</I>"
    color = view.theme.ink if own else view.theme.symbol
    return colored(f"{written} \u00d7 {count:,}" if count > 1 else written, tone(color))


def _range(data: Iterable[Number], view: View) -> str:
    """The smallest and the largest of the numbers, and which are none."""
    floats = [as_float(x) for x in data]
    finite = [x for x in floats if math.isfinite(x)]
    said = list(dict.fromkeys(number(x, view.precision) for x in (min(finite), max(finite)))) if finite else []
    said = [" \u2026 ".join(said)] if said else []
    said += ["inf"] if any(map(math.isinf, floats)) else []
    return ", ".join(said + (["nan"] if any(map(math.isnan, floats)) else []))


def _bundles(order: Sequence[Value], names: Mapping[Value, str], swept: bool) -> dict[tuple[str, str], list[Arrow]]:
    """The arrows from box to box."""
    found: dict[tuple[str, str], list[Arrow]] = {}
    for parent, consumer, position in edges(order):
        ends = names[parent], names[consumer]
        if ends[0] != ends[1]:
            found.setdefault(ends, []).append(Arrow(parent, consumer, position, swept))
    return found


def _flows(bundle: Iterable[Arrow]) -> list[float]:
    return [arrow.flow for arrow in bundle if math.isfinite(arrow.flow)]


def _attributes(bundle: Sequence[Arrow], strongest: float, swept: bool, view: View) -> dict[str, str]:
    """One arrow looks as it does alone; many look like their strongest, grey where they differ in sign."""
    if len(bundle) == 1:
        return bundle[0].attributes(strongest, view)
    flows = _flows(bundle) if swept else []
    found = flow(max(flows, key=abs), strongest, view) if flows else {}
    if any(x > 0 for x in flows) and any(x < 0 for x in flows):
        found |= {"color": view.theme.line, "fontcolor": view.theme.line, "arrowhead": "normal"}
    if not any(view.is_lit(arrow.parent, arrow.consumer) for arrow in bundle):
        color = faded(found.get("color", view.theme.line))
        found |= {"color": color, "fontcolor": color}
    return found
