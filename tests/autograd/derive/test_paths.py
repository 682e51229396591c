"""Routes through a graph: all of them and each once, their products sum to the gradient; counted however many there are."""

from __future__ import annotations

import math
import re
from collections import Counter
from decimal import Context, Decimal
from fractions import Fraction
from functools import reduce
from operator import add

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_derive import wanted
from test_graph import graphs

from autograd import Value, derive, grad, greater, topological_order, where
from autograd.derive import paths as room
from autograd.derive.paths import Paths
from autograd.expressions import as_text
from autograd.operations import local_partials


def by_hand(node: Value, goal: Value) -> list[tuple[tuple[Value, int], ...]]:
    """Every route from a node down to the goal, as (consumer, position), found by recursion over the operands."""
    if node is goal:
        return [()]
    return [(*route, (node, position)) for position, parent in enumerate(node.parents) for route in by_hand(parent, goal)]


@settings(max_examples=200, deadline=None)
@given(graphs(), st.data())
def test_routes_are_all_routes_and_their_products_sum_to_the_gradient(output: Value, data: st.DataObject) -> None:
    w = data.draw(wanted(output))[0]
    paths = derive(output, w).paths(limit=10**6)
    want = by_hand(output, w)
    assert paths.count == len(want) == len(paths.routes)
    assert paths.length == sum(map(len, want))
    assert paths.edges == len({edge for route in want for edge in route})
    partials = {node: derive(output).partials(node) for node in topological_order(output)}
    expected = [
        ((id(w), *(id(node) for node, _ in route)), tuple(as_text(partials[node][i][0]) for node, i in route), numbers, product)
        for route in want
        for numbers in [tuple(local_partials(node)[i] for node, i in route)]
        for product in [math.prod(numbers, start=Fraction(1))]
    ]
    got = [
        (tuple(map(id, nodes)), tuple(as_text(formula) for formula, _ in steps), tuple(number for _, number in steps), product)
        for nodes, steps, product in paths
    ]
    assert Counter(got) == Counter(expected)
    assert paths.total == paths.adjoint == grad(output, w)
    assert type(paths.total) is Fraction


def test_a_repeated_operand_is_two_routes() -> None:
    x, y = Value(3.0, "x"), Value(2.0, "y")
    routes = derive(x * x, x).paths().routes
    assert [as_text(formula) for route in routes for formula, _ in route.partials] == ["x", "x"]
    quotient = derive((x + y) / (x + y) * 1.0, x).paths()
    assert (quotient.count, quotient.total, quotient.adjoint) == (2, 0.0, 0.0)
    inner = x + y
    assert [route.product for route in derive(inner / inner, x).paths()] == [0.2, -0.2]


def test_a_product_is_multiplied_as_the_sweep_multiplies() -> None:
    x = Value(1.0, "x")
    y = x * 1e200 * 1e-200 * 1e-200
    (route,) = derive(y, x).paths()
    assert route.product == grad(y, x) == 0.0  # in the other order it would be 1e-200


def test_routes_go_along_consumers_in_the_order_of_computing() -> None:
    x = Value(3.0, "x")
    y = x * x * x + x
    derivation = derive(y, x)
    names = [[derivation.names[node] for node in route.nodes] for route in derivation.paths()]
    assert names == [["x", "z1", "z2", "z3"]] * 2 + [["x", "z2", "z3"], ["x", "z3"]]
    assert [route.product for route in derivation.paths()] == [9.0, 9.0, 9.0, 1.0]


def test_the_output_itself_and_what_it_does_not_depend_on() -> None:
    x, w = Value(3.0, "x"), Value(Fraction(2), "w")
    (route,) = derive(x, x).paths()
    assert route == ((x,), (), 1.0)
    paths = derive(x * 2, w).paths()
    assert (paths.count, paths.routes, paths.total, paths.adjoint, paths.edges, paths.length) == (0, (), 0.0, 0.0, 0, 0)
    assert str(paths) == "No route leads from w to z1: z1 does not depend on w, so dz1/dw = 0."


def doublings(n: int) -> tuple[Value, Paths]:
    x = y = Value(1.0, "x")
    for _ in range(n):
        y = y + y
    y.label = "y"
    return y, derive(y, x).paths()


def test_too_many_routes_are_counted_and_said_but_not_listed() -> None:
    _, paths = doublings(40)
    assert (paths.count, paths.edges, paths.length) == (2**40, 80, 40 * 2**40)
    assert paths.adjoint == 2.0**40
    said = re.escape("there are 1,099,511,627,776 routes from x to y, more than the limit of 1,000; raise it")
    for ask in (lambda: paths.routes, lambda: paths.total, lambda: list(paths)):
        with pytest.raises(ValueError, match=said):
            ask()
    text = str(paths)
    assert "1,099,511,627,776 routes lead from x to y, too many to list; the first of them:" in text
    assert "43,980,465,111,040 edges" in text.replace("\n", " ")
    assert "each of the 80 edges" in text.replace("\n", " ")
    assert "dy/dx = 1.09951e+12" in text
    assert "Their sum" not in text


def test_the_limit_is_the_number_of_routes() -> None:
    y, _ = doublings(5)
    (x,) = (node for node in topological_order(y) if not node.parents)
    paths = derive(y, x).paths(limit=32)
    assert len(paths.routes) == 32
    assert str(paths).startswith("32 routes lead from x to y:\n  x -> z1 -> z2 -> z3 -> z4 -> y\n")
    with pytest.raises(ValueError, match="32 routes from x to y, more than the limit of 31"):
        _ = derive(y, x).paths(limit=31).routes


def test_few_routes_that_are_too_long_are_said_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST", 100)
    _, paths = doublings(5)
    with pytest.raises(ValueError, match="the 32 routes from x to y have 160 edges together, too many to list"):
        _ = paths.routes
    assert "too many to list" in str(paths)
    monkeypatch.setattr(room, "MOST", 160)
    assert "too many to list" not in str(paths)


def test_a_count_is_exact_as_far_as_python_writes_it_out() -> None:
    for n in (5000, 14_000):
        _, paths = doublings(n)
        assert (paths.count, paths.length) == (2**n, n * 2**n)
    _, paths = doublings(5000)
    assert "1.41247e+1505 routes" in str(paths)
    assert math.isinf(paths.adjoint)


def test_a_count_of_more_digits_is_rounded_to_those() -> None:
    n = 15_000  # 4,516 digits
    _, paths = doublings(n)
    for got, want in ((paths.count, 2**n), (paths.length, n * 2**n)):
        assert type(got) is int
        assert 0 < abs(got - want) < want // 10**4290
    assert "2.81796e+4515 routes lead from x to y" in str(paths)


def test_counts_at_the_bounds_of_their_ways_of_being_written() -> None:
    assert (room._counted(10**15 - 1), room._counted(10**15)) == ("999,999,999,999,999", "1e+15")
    longest = 10**room.DIGITS - 1  # all its digits are kept
    assert room._whole(Context(room.DIGITS).create_decimal("9" * room.DIGITS)) == longest
    assert room._rounded().add(Decimal("1e2000000"), Decimal(1)) == Decimal("1e2000000")


def test_a_long_route_is_told_by_its_ends() -> None:
    x = y = Value(0.5, "x")
    for _ in range(20_000):
        y = y * x
    paths = derive(y, x).paths()
    assert (paths.count, paths.edges) == (20_001, 40_000)
    text = str(paths)
    assert "20,001 routes lead from x to " in text
    assert "(19,989 more)" in text


def test_the_text_by_hand() -> None:
    x = Value(3.0, "x")
    y = x * x * x + x
    y.label = "y"
    assert (
        str(derive(y, x).paths())
        == """\
4 routes lead from x to y:
  x -> z1 -> z2 -> y
      1 * x * x = 1 * 3 * 3 = 9
  x -> z1 -> z2 -> y
      1 * x * x = 1 * 3 * 3 = 9
  x -> z2 -> y
      1 * z1 = 1 * 9 = 9
  x -> y
      1

Their sum: 9 + 9 + 9 + 1 = 28
The sweep: dy/dx = 28

Why the sweep takes no routes: each goes all its way by itself, so together they have 9
edges. The sweep goes once along each of the 6 edges between x and y: what comes back to
a node from several sides is added up there, and goes on as one number. One more node
with two edges onward can double the routes; for the sweep it is two edges more."""
    )
    assert (
        str(derive(x * x, x).paths())
        == """\
2 routes lead from x to z1:
  x -> z1
      x = 3
  x -> z1
      x = 3

Their sum: 3 + 3 = 6
The sweep: dz1/dx = 6

Why the sweep takes no routes: each goes all its way by itself, so together they have 2
edges. The sweep goes once along each of the 2 edges between x and z1: what comes back
to a node from several sides is added up there, and goes on as one number. Here no two
routes share an edge, so there is nothing to save yet. One more node with two edges
onward can double the routes; for the sweep it is two edges more."""
    )


ONE_ROUTE = """\
1 route leads from x to {}:
  {}

The sweep: d{}/dx = {}

There is one route, and the sweep goes the same way."""


def test_the_text_of_one_route_whose_nodes_are_all_told_or_those_at_its_ends() -> None:
    x = y = Value(3.0, "x")
    for _ in range(11):
        y = y * 2
    line = "x -> z1 -> z2 -> z3 -> z4 -> z5 -> z6 -> z7 -> z8 -> z9 -> z10 -> z11\n      " + " * ".join(["2"] * 11) + " = 2048"
    assert str(derive(y, x).paths()) == ONE_ROUTE.format("z11", line, "z11", 2048)
    ends = "x -> z1 -> z2 -> z3 -> z4 -> z5 -> (1 more) -> z7 -> z8 -> z9 -> z10 -> z11 -> z12"
    assert str(derive(y * 2, x).paths()) == ONE_ROUTE.format("z12", ends, "z12", 4096)
    zero = Value(-0.0, "zero") * x
    assert str(derive(zero, x).paths()) == ONE_ROUTE.format("z1", "x -> z1\n      zero = 0", "z1", 0)


def test_a_product_without_room_is_told_in_lines() -> None:
    x, short, long = Value(1.0, "x"), Value(2.0, "s" * 39), Value(2.0, "l" * 40)
    for first, second, product in (
        (short, Value(2.0, "t" * 39), f"      {'t' * 39} * {'s' * 39} = 2 * 2 = 4\n"),
        (short, long, f"      = {'l' * 40} * {'s' * 39}\n      = 2 * 2\n      = 4\n"),
    ):
        assert product in str(derive(x * first * second, x).paths())


def test_of_many_products_the_first_are_in_the_sum() -> None:
    x = Value(1.0, "x")
    eight = reduce(add, [x * k for k in range(3, 11)])
    assert "\nTheir sum: 3 + 4 + 5 + 6 + 7 + 8 + 9 + 10 = 52\n" in str(derive(eight, x).paths())
    assert "\nTheir sum: 3 + 4 + 5 + 6 + 7 + 8 + 9 + 10 + ... 2 more = 75\n" in str(derive(eight + x * 11 + x * 12, x).paths())


def test_zeros_have_no_sign() -> None:
    x, zero = Value(1.0, "x"), Value(-0.0)
    assert "\nTheir sum: 0 + 0 = 0\nThe sweep: dz4/dx = 0\n" in str(derive(x * zero + x * zero, x).paths())


def test_paths_are_those_of_one_value() -> None:
    x, y = Value(3.0, "x"), Value(2.0, "y")
    with pytest.raises(ValueError, match=r"this is a derivation by every node; ask for one, derive\(output, wrt=w\)"):
        derive(x * y).paths()
    with pytest.raises(ValueError, match="this is a derivation by 2 Values"):
        derive(x * y, [x, y]).paths()
    with pytest.raises(TypeError, match="limit='all' is of type str; give a whole number"):
        derive(x * y, x).paths("all")  # type: ignore[arg-type]


def test_a_sum_stands_in_parentheses_in_a_product() -> None:
    u, v = Value(0.5, "u"), Value(2.0, "v")
    assert "\n      (1 - z2 * z2) * v = 0.419974 * 2 = 0.839949\n" in str(derive((u * v).tanh(), u).paths())


def test_nothing_goes_along_a_route_through_an_arm_that_was_not_taken() -> None:
    x = Value(-1.0, "x")
    paths = derive(where(greater(x, 0), x.log(), x * 3), x).paths()
    assert [route.product for route in paths] == [0.0, 0.0, 3.0]
    assert paths.total == paths.adjoint == 3.0
    assert "\n      0 * nan = 0, for nothing is sent this way\n" in str(paths)
