"""Reading a graph: parents first and left first, the same on every run; edges with multiplicity; images of a graph."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value, maximum, topological_order
from autograd.graph import Image, consumers_first, edges, images
from autograd.operations import OPERATIONS as ROWS
from autograd.operations import local_partials

OPERATIONS = (
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    maximum,
    lambda a, b: -a,
    lambda a, b: abs(a),
    lambda a, b: a.relu(),
    lambda a, b: a * 2,
)
STEP = st.tuples(st.sampled_from(OPERATIONS), st.integers(0, 99), st.integers(0, 99))


@st.composite
def graphs(draw: st.DrawFn) -> Value:
    """The last result of a random program over three exact leaves."""
    nodes = [Value(Fraction(n, 3), label) for n, label in zip((2, -1, 4), "abc", strict=True)]
    for operation, i, j in draw(st.lists(STEP, max_size=12)):
        nodes.append(operation(nodes[-1 - i % len(nodes)], nodes[-1 - j % len(nodes)]))
    return nodes[-1]


def names(order: list[Value]) -> list[str]:
    return [node.label or node.operation.symbol or str(node.data) for node in order]


@given(graphs())
def test_every_node_stands_once_and_after_its_parents(output: Value) -> None:
    order = topological_order(output)
    place = {node: i for i, node in enumerate(order)}
    assert len(place) == len(order)
    assert order[-1] is output
    assert all(place[parent] < place[node] for node in order for parent in node.parents)
    again = topological_order(output)
    assert all(one is other for one, other in zip(order, again, strict=True))


@given(graphs())
def test_consumers_first_walks_every_result_after_its_consumers(output: Value) -> None:
    results, zeros = consumers_first(output, 0)
    order = topological_order(output)
    assert set(zeros) == set(order)
    assert Counter(results) == Counter(node for node in order if node.parents)
    place = {node: i for i, node in enumerate(results)}
    assert all(place[node] < place[parent] for node in results for parent in node.parents if parent in place)


def test_the_order_is_that_of_computing_by_hand() -> None:
    a, b, c = Value(1.0, "a"), Value(2.0, "b"), Value(3.0, "c")
    assert names(topological_order((a - b) * (c + a))) == ["a", "b", "-", "c", "+", "*"]
    assert names(topological_order((a + c) * (b - 4.0))) == ["a", "c", "+", "b", "4.0", "-", "*"]
    assert names(topological_order(a)) == ["a"]
    assert names(topological_order(b * a, a + c)) == ["b", "a", "*", "c", "+"]
    assert topological_order() == []


def test_edges_come_with_position_and_multiplicity() -> None:
    x, y = Value(2.0), Value(3.0)
    square = x * x
    output = square - y
    found = list(edges(topological_order(output)))
    assert [position for *_, position in found] == [0, 1, 0, 1]
    assert [id(node) for parent, consumer, _ in found for node in (parent, consumer)] == [
        id(node) for node in (x, square, x, square, square, output, y, output)
    ]


def test_local_partials_are_those_of_the_rule() -> None:
    x, y = Value(6.0), Value(4.0)
    assert local_partials(x / y) == (0.25, -0.375)
    assert local_partials(x.relu()) == (1,)
    assert local_partials(x) == ()


def test_images_hold_other_numbers_in_the_same_shape() -> None:
    x, y = Value(2.0), Value(3.0)
    product = x * y
    output = product + x
    found = images(topological_order(output), {x: "x", y: "y", product: "xy", output: "xy+x"})
    image = found[output]
    assert isinstance(image, Image)
    assert (image.data, image.operation is ROWS["add"]) == ("xy+x", True)
    assert (image.left, image.right) == (found[product], found[x])
    assert (found[product].left, found[product].right) == (found[x], found[y])
    assert (found[x].left, found[x].operation) == (None, x.operation)
    assert (image.parents, found[x].parents) == ((found[product], found[x]), ())
    assert [node.data for node in topological_order(image)] == ["x", "y", "xy", "xy+x"]
    assert (output.data, output.left, x.data) == (8.0, product, 2.0)


def test_what_has_no_operands_is_no_graph() -> None:
    with pytest.raises(TypeError, match=r"^topological_order: None is of type NoneType; give Values"):
        topological_order(None)  # type: ignore[type-var]  # the mistake
