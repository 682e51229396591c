"""Large graphs on a page: what repeats is one box with its formula; every node is in one; in linear time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from crossing import crossed, overlapping, texts
from hypothesis import given, settings
from hypothesis import strategies as st
from test_graph import graphs
from test_pictures import network, tangled

from autograd import Value, draw, operation, topological_order
from autograd.draw.folding import MOST, Box, fold, formula, shapes
from autograd.draw.layers import cones, stem


def chain(steps: int) -> Value:
    x = y = Value(0.5, "x")
    w, b = Value(0.3, "w"), Value(0.1, "b")
    for _ in range(steps):
        y = y.sin() * w + b
    return y + x


def products(n: int) -> Value:
    terms = [Value(0.1, f"x[{i}]") * Value(0.2, f"w[{i}]") for i in range(n)]
    return (sum(terms[1:], terms[0]) + Value(0.1, "b")).tanh()


def recurrent(steps: int, width: int) -> Value:
    U = [[Value(0.1, f"U[{i},{j}]") for j in range(width)] for i in range(width)]
    h = [Value(0.5, f"h[{i}]") for i in range(width)]
    for t in range(steps):
        z = [sum((u * v for u, v in zip(row, h, strict=True)), Value(0.2, f"x[{t}]")) for row in U]
        h = [(a * a).tanh() for a in z]
    return sum(h[1:], h[0])


def formulas(output: Value) -> set[str]:
    return {text for text, _ in texts(draw(output, collapse="auto").svg())}


def test_a_network_is_its_layers() -> None:
    drawing = draw(network(20, 5, 3), collapse="auto")
    assert {name: len(nodes) for name, nodes in drawing.boxes.items()} == {"x": 20, "a1": 5 * 62, "a2": 3 * 17, "C": 16}
    shown = formulas(network(20, 5, 3))
    assert {"sigmoid((x * W1).sum() + b1)", "sigmoid((a1 * W2).sum() + b2)", "((a2 - c)**2).sum() / 2"} <= shown
    assert {"5 \u00d7 62 nodes", "3 \u00d7 17 nodes", "16 nodes", "\u00d7100", "\u00d715", "\u00d73"} <= shown


def test_constants_that_are_one_number_are_shown() -> None:
    x = [Value(i / 10, f"x[{i}]") for i in range(5)]
    same, other = ([(a * 3 - c) ** 2 for a, c in zip(x, constants, strict=True)] for constants in ([1] * 5, range(5)))
    for terms, want in ((same, "((x * 3 - 1)**2).sum() / 2"), (other, "((x * 3 - c)**2).sum() / 2")):
        order = topological_order(sum(terms[1:], terms[0]) / 2)
        numbers = shapes(order)
        assert formula(order, numbers, {}, Box(0, [order]).varied(numbers)) == want


@pytest.mark.parametrize(
    "output", [chain(4000), products(4000), recurrent(60, 4), tangled(4000, 1)], ids=["chain", "sum", "rnn", "no"]
)
def test_any_graph_is_a_page(output: Value) -> None:
    order = topological_order(output)
    boxes = fold(order)
    assert 3 <= len(boxes) <= MOST
    nodes = [node for box in boxes for node in box.nodes]
    assert len(nodes) == len(order)
    assert set(map(id, nodes)) == set(map(id, order))


@settings(max_examples=60, deadline=None)
@given(graphs(), st.integers(1, 8))
def test_every_node_is_in_one_box_and_boxes_are_in_order(output: Value, most: int) -> None:
    order = topological_order(output)
    boxes = fold(order, most)
    place = {node: i for i, box in enumerate(boxes) for node in box.nodes}
    assert sum(len(box.nodes) for box in boxes) == len(order) == len(place)
    assert len(boxes) <= most
    assert all(place[parent] <= place[node] for node in order for parent in node.parents)


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_equal_shapes_are_equal_trees(output: Value) -> None:
    """The tree of a node, spelled out as text: two nodes have one shape where the texts are equal."""
    spelled: dict[Value, str] = {}
    for node in topological_order(output):
        parents = node.parents
        has_exponent = node.operation.name == "pow" and parents[1].operation.name == "constant"
        same = len(parents) > 1 and parents[0] is parents[1]
        head = (node.operation.name, stem(node.label) or node.label, same, parents[1].data if has_exponent else "")
        inner = ", ".join(spelled[parent] for parent in parents)
        spelled[node] = f"{head}({inner})"
    numbers = shapes(list(spelled))
    pairs = {(numbers[node], spelled[node]) for node in spelled}
    assert len(pairs) == len(set(numbers.values())) == len(set(spelled.values()))


def test_a_cone_is_what_is_computed_for_one_result_alone() -> None:
    x, w = Value(2.0, "x"), Value(3.0, "w")
    a = x * w
    b = a.exp()
    b.label = "b"
    output = b * x + a.sin() * 4
    found = [[node.label or node.operation.name for node in cone] for cone in cones(topological_order(output)).values()]
    assert found == [["x"], ["w", "mul"], ["b"], ["mul", "sin", "constant", "mul", "add"]]


def test_a_box_is_opened_and_has_in_it_what_it_reads() -> None:
    output = network(600, 3, 2)
    output.backward()
    drawing = draw(output, collapse="auto")
    layer = drawing.open("a1")
    assert [len(nodes) for nodes in layer.boxes.values()] == [600, 600, 600, 1, 600, 1]
    last = drawing.open("a2")
    shown = {text for text, _ in texts(last.svg())}
    assert {"a1[0]", "a1[1]", "a1[2]", "W2[0,0]", "b2[0]", "sigmoid"} <= shown
    assert last.boxes == {}
    with pytest.raises(ValueError, match=r"open: no box is named 'a3'; the boxes are x, a1, a2, C"):
        drawing.open("a3")
    with pytest.raises(ValueError, match=r"the boxes are none, for nothing is folded here; draw\(output, "):
        last.open("a1")
    assert draw(drawing.boxes["a1"][-1], collapse="auto").boxes.keys() == layer.boxes.keys()  # by its node


def test_zeros_are_operands_like_others() -> None:
    x = [Value(0.0, f"x[{i}]") for i in range(40)]
    drawing = draw(sum((a * Value(0.0, f"w[{i}]") for i, a in enumerate(x)), Value(0.0, "b")), collapse="auto")
    assert sum(map(len, drawing.boxes.values())) == 40 * 4 + 1
    first = next(name for name, nodes in drawing.boxes.items() if nodes[-1].operation.symbol == "*")
    assert {"\u00d7", "x[0]", "w[0]"} <= {text for text, _ in texts(drawing.open(first).svg())}


def test_ranges_say_what_is_not_finite() -> None:
    numbers = (1.0, -2.0, float("inf"), float("nan"))
    terms = [Value(a, f"x[{i}]").sin() for i, a in enumerate(numbers)]
    assert any(
        "data \u22122 \u2026 1, inf, nan" in text for text in formulas(sum(terms[1:], terms[0]) * Value(2.0, "k").exp().exp())
    )


def test_a_users_operation_folds() -> None:
    cube = operation("cube_to_fold", lambda a: a**3, lambda m, out, a: (3 * a * a,))
    x = [Value(i / 10, f"x[{i}]") for i in range(30)]
    terms = [cube(a) for a in x]
    assert "cube_to_fold" in " ".join(formulas(sum(terms[1:], terms[0]).exp()))


def test_highlighting_and_themes_hold_for_boxes() -> None:
    output = network(20, 5, 3)
    output.backward()
    drawing = draw(output, collapse="auto", wrt=output.parents[0], theme="dark")
    assert "#15181D" in drawing.source
    assert {name for name in drawing.boxes if f"<B>{name}</B>" in drawing.source} == {"x", "a1", "a2", "C"}
    svg = drawing.svg()
    assert (crossed(svg), overlapping(svg)) == ([], [])


def test_beyond_the_limit_the_error_says_how_to_fold() -> None:
    with pytest.raises(ValueError, match=r'more than the limit of 500; fold what repeats, draw\(output, collapse="auto"\)'):
        draw(products(200))


def test_the_same_picture_in_every_process() -> None:
    program = "from test_folding import *; print(draw(recurrent(40, 3), collapse='auto').source, end='')"
    want = draw(recurrent(40, 3), collapse="auto").source
    for seed in ("1", "2"):
        env = {**os.environ, "PYTHONPATH": os.pathsep.join((str(Path(__file__).parent), *sys.path)), "PYTHONHASHSEED": seed}
        env["PYTHONIOENCODING"] = "utf-8"
        fresh = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, env=env)  # noqa: S603
        assert fresh.stdout.decode().replace("\r\n", "\n") == want


@pytest.mark.slow
@pytest.mark.parametrize(
    "made", [lambda n: chain(n // 3), lambda n: products(n // 4), lambda n: tangled(n, 5)], ids=["chain", "sum", "no"]
)
def test_a_hundred_thousand_nodes_are_folded_in_linear_time(made: Any) -> None:
    took = []
    for n in (25_000, 100_000):
        order = topological_order(made(n))
        best = float("inf")
        for _ in range(3):
            start = time.perf_counter()
            assert len(fold(order)) <= MOST
            best = min(best, time.perf_counter() - start)
        took.append(best)
    assert took[1] < 4 * took[0] * 2.5 + 0.2
    assert took[1] < 20
