"""A folded graph as DOT text: a box for each thing that repeats, with its formula, its size, and the range of its numbers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from autograd.draw.dot import Line, arrows, attributes, box, connect, framed, strength, tip, title
from autograd.draw.folding import Box, fold, formula, shapes
from autograd.draw.layers import gathered, stem
from autograd.draw.markup import digraph, number, text, tooltip
from autograd.draw.style import View
from autograd.floats import as_float
from autograd.names import named, unique
from autograd.operands import Number
from autograd.operations import CONSTANT, LEAF
from autograd.recording import leaf, node_of
from autograd.value import Value


def folded(order: Sequence[Value], swept: bool, view: View) -> tuple[str, dict[str, Box]]:
    """The DOT text, and the boxes by the names that they have in it."""
    boxes, numbers = _named(fold(order), named(order)), shapes(order)
    names = {node: name for name, box in boxes.items() for node in box.nodes}
    places = {name: f"n{i}" for i, name in enumerate(boxes)}
    graph = digraph(view)
    for name, found in boxes.items():
        alone = len(found.nodes) == 1
        content = box(found.nodes[0], swept, view) if alone else _box(name, found, numbers, names, swept, view)
        say = tip(found.nodes[0]) if alone else tooltip(f'open("{name}") draws one of {len(found.parts):,}')
        graph.node(places[name], label=content, tooltip=say)
    all_arrows = [arrow for arrow in arrows(order, swept) if names[arrow.parent] != names[arrow.consumer]]
    bundles = gathered(((places[names[arrow.parent]], places[names[arrow.consumer]]), arrow) for arrow in all_arrows)
    strongest, times = strength(all_arrows), "\u00d7{:,}" if "partials" in view.show else ""
    for i, (ends, bundle) in enumerate(bundles.items()):
        label = bundle[0].label(view) if len(bundle) == 1 else times.format(len(bundle))
        connect(graph, ends, f"p{i}", label, attributes(bundle, strongest, view), view)
    return str(graph.source), boxes


def inside(part: Sequence[Value], names: Mapping[Value, str]) -> list[Value]:
    """A part of a graph as a graph of its own, in order: what it reads is an input there."""
    own, copies = set(part), dict[Value, Value]()
    read = dict.fromkeys(parent for node in part for parent in node.parents if parent not in own)
    for node in (*read, *part):
        operands = tuple(copies[parent] for parent in node.parents) if node in own else ()
        is_constant = node.operation is CONSTANT
        kind = CONSTANT if is_constant else LEAF
        copy = node_of(Value, node.operation, node.data, operands) if operands else leaf(Value, node.data, kind)
        copy.grad, copy.label = node.grad, node.label or ("" if operands or is_constant else names[node])
        copies[node] = copy
    return list(copies.values())


def _named(boxes: Sequence[Box], names: Mapping[Value, str]) -> dict[str, Box]:
    """The boxes by name: the label or stem that all results have, else the name of the last result."""
    labels = [{stem(part[-1].label) or part[-1].label for part in box.parts} for box in boxes]
    wanted = [(len(label) == 1 and label.pop()) or names[box.parts[-1][-1]] for label, box in zip(labels, boxes, strict=True)]
    return dict(zip(unique(wanted), boxes, strict=True))


def _box(name: str, found: Box, numbers: Mapping[Value, int], names: Mapping[Value, str], swept: bool, view: View) -> str:
    ink, parts, result = view.theme.ink, found.parts, found.parts[0][-1]
    count = f"{len(parts):,} \u00d7 " if len(parts) > 1 else ""
    lines: list[Line] = [title(name, bool(result.label), view, f" \u00d7 {len(parts):,}" if len(parts) > 1 else "")]
    if result.left is not None:
        census = Counter(node.operation.symbol for node in found.nodes if node.left is not None).most_common(4)
        said = formula(parts[0], numbers, names, found.varied(numbers))
        lines.append((text(said or ", ".join(f"{times:,} {symbol}" for symbol, times in census)), ink, 16))
    if len(parts[0]) > 1:
        lines.append((f"{count}{len(parts[0]):,} nodes", view.theme.symbol))
    if "data" in view.show:
        lines.append((f"data {_range((part[-1].data for part in parts), view)}", ink))
    if swept and "grad" in view.show and result.operation is not CONSTANT:
        lines.append((f"grad {_range((part[-1].grad for part in parts), view)}", ink))
    symbols = {node.operation.symbol for node in parts[0] if node.left is not None}
    is_lit = view.lit is None or not view.lit.isdisjoint(found.nodes)
    return framed(lines, symbols.pop() if len(symbols) == 1 else "", result.operation, view, is_lit, border=2)


def _range(data: Iterable[Number], view: View) -> str:
    """The smallest and the largest of the numbers, and which are none."""
    floats = [as_float(x) for x in data]
    finite = [x for x in floats if math.isfinite(x)]
    ends = dict.fromkeys(number(x, view.precision) for x in (min(finite), max(finite))) if finite else ()
    said = (" \u2026 ".join(ends), "inf" * any(map(math.isinf, floats)), "nan" * any(map(math.isnan, floats)))
    return ", ".join(filter(None, said))
