"""The wrong ways: numbers by hand on small graphs, and on random ones those of each mistake as people make it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from test_graph import graphs

from autograd import Value, derive, greater, parse, topological_order, where, wrong_ways
from autograd.derive.report import _short
from autograd.operations import CONSTANT, LEAF, local_partials

DIAMOND = """\
d z2 / d node, in the order of the sweep; * where it is wrong
                          right         (1)         (2)         (3)         (4)
z2 = a + z1                   1           1           1           1           1
z1 = a * a                    1           1           1           1           2*
a = x * x                    19          19           9*         19          56*
x                           114           6*         27*        228*        450*

(1) Depth-first order: a node passes on its adjoint as soon as one consumer has
    reached it, without waiting for the others.
    They differ first at x: 6 instead of 114. a passed on 1 as soon as it was
    reached; the rest of its 19 came later and went no further.

(2) = instead of +=: each consumer writes its term into the adjoint of its
    operand, where it should be added.
    They differ first at a: 9 instead of 19. Its terms are 1, 9 and 9; the last
    one wrote over the others.

(3) A second sweep, leaves not cleared: what the first one left in the leaves is
    still there, and the second one adds to it.
    They differ first at x: 228 instead of 114. That is the sum over two sweeps:
    meant for two samples of a batch, wrong for two steps of training. Between
    steps call zero_grad.

(4) A second sweep, nothing cleared: what the first one left in the results is
    still there too.
    They differ first at z1: 2 instead of 1. z1 still held 1 from the first
    sweep, and passed on 2 in the second: the first is counted again, and x gets
    450, neither 114 nor twice that. Value.backward replaces what results hold,
    so that this cannot happen to it."""


def diamond() -> tuple[Value, Value, Value]:
    x = Value(3.0, "x")
    a = x * x  # 9
    a.label = "a"
    return a + a * a, a, x  # the adjoint of a is 1 + 2 * 9 = 19, that of x 19 * 2 * 3 = 114


def test_the_diamond_by_hand() -> None:
    output, a, x = diamond()
    report = wrong_ways(output)
    product = output.parents[1]
    assert list(report.right.items()) == [(output, 1), (product, 1), (a, 19), (x, 114)]
    early, assigned, leaves, everything = report.ways
    assert early.adjoints == {output: 1, product: 1, a: 19, x: 6}  # a passed on 1 of its 19
    assert assigned.adjoints == {output: 1, product: 1, a: 9, x: 27}  # 9 wrote over 1 and 9, and 9 * 3 over 9 * 3
    assert leaves.adjoints == {output: 1, product: 1, a: 19, x: 228}
    assert everything.adjoints == {output: 1, product: 2, a: 19 + 1 + 2 * 18, x: 114 + 56 * 6}
    assert [way.first for way in report.ways] == [x, a, x, product]
    assert everything.wrong == (product, a, x)
    assert str(report) == DIAMOND


def test_who_was_late_is_a_consumer_not_another_node_with_the_same_number() -> None:
    b, c = Value(1.0, "b"), Value(2.0, "c")
    square, two = c * c, b + b
    late = two + b
    report = wrong_ways(square * late + (square + late))
    assert report.ways[0].first is two
    assert square.parents[0] == two
    assert ". z3 passed on 4 as soon as it was reached; the rest of its 5 came later" in report.ways[0].why


def test_the_order_of_operands_decides_whether_depth_first_shows() -> None:
    x = Value(3.0, "x")
    a = x * x
    early = wrong_ways(a * a + a).ways[0]  # here a is reached when the product and the sum have both contributed
    assert early.first is None
    assert early.why == (
        "This graph does not show it: what is used twice is reached in time here, or what comes late changes nothing."
    )


def test_on_a_tree_all_orders_agree() -> None:
    report = wrong_ways(parse("tanh(w*x + b)", {"w": 0.5, "x": 2, "b": -1}))
    early, assigned, leaves, everything = report.ways
    assert early.first is None
    assert assigned.first is None
    assert early.why.endswith("where results make a tree all orders agree.")
    assert assigned.why.endswith("nothing is used twice, so no sum is lost.")
    assert [report.names[node] for node in leaves.wrong] == ["b", "x", "w"]
    assert [report.names[node] for node in everything.wrong] == ["z2", "z1", "b", "x", "w"]


def test_where_only_leaves_keep_anything_both_second_sweeps_are_twice_the_gradient() -> None:
    x, y = Value(3.0, "x"), Value(2.0, "y")
    *_, leaves, everything = wrong_ways(x * y).ways
    assert leaves.adjoints == everything.adjoints
    assert everything.why.endswith("As in (3): no result had kept anything that it could pass on again.")


def by_paths(node: Value, consumers: dict[Value, list[tuple[Value, int]]], output: Value) -> Any:
    """The sum over all paths to the output of the products of partials, one path after another."""
    total = Fraction(node is output)
    for consumer, position in consumers[node]:
        total += local_partials(consumer)[position] * by_paths(consumer, consumers, output)
    return total


@given(graphs())
def test_the_right_sweep_is_the_sum_over_all_paths(output: Value) -> None:
    order = topological_order(output)
    consumers: dict[Value, list[tuple[Value, int]]] = {node: [] for node in order}
    for consumer in order:
        for position, parent in enumerate(consumer.parents):
            consumers[parent].append((consumer, position))
    assume(max(len(c) for c in consumers.values()) <= 6)
    right = wrong_ways(output).right
    assert right == {node: by_paths(node, consumers, output) for node in order if node.operation is not CONSTANT}
    assert list(right) == [step.node for step in derive(output).steps if step.node.operation is not CONSTANT]


class Careless:
    """Adjoints as in the first autograd engine that somebody writes: recursion, and a dictionary in the place of .grad."""

    def __init__(self, output: Value) -> None:
        self.grad: dict[Value, Any] = dict.fromkeys(topological_order(output), Fraction(0))
        self.output = output

    def add(self, node: Value) -> None:
        for parent, partial in zip(node.parents, local_partials(node), strict=True):
            self.grad[parent] += partial * self.grad[node]

    def assign(self, node: Value) -> None:
        for parent, partial in zip(node.parents, local_partials(node), strict=True):
            self.grad[parent] = partial * self.grad[node]

    def depth_first(self) -> dict[Value, Any]:
        seen = set()

        def visit(node: Value) -> None:
            if node not in seen:
                seen.add(node)
                self.add(node)
                for parent in node.parents:
                    visit(parent)

        self.grad[self.output] = Fraction(1)
        visit(self.output)
        return self.grad

    def in_order(self, order: list[Value], step: Any, times: int) -> dict[Value, Any]:
        for _ in range(times):
            self.grad[self.output] = Fraction(1)
            for node in order:
                step(self, node)
        return self.grad


@given(graphs())
def test_each_way_is_the_mistake_that_people_make(output: Value) -> None:
    report = wrong_ways(output)
    order = list(report.right)
    grads = [node.grad for node in order]
    once = Careless(output).in_order(order, Careless.add, 1)
    want = [
        Careless(output).depth_first(),
        Careless(output).in_order(order, Careless.assign, 1),
        {node: x * (1 + (node.operation is LEAF)) for node, x in once.items()},
        Careless(output).in_order(order, Careless.add, 2),
    ]
    for way, wanted in zip(report.ways, want, strict=True):
        assert way.adjoints == {node: wanted[node] for node in order}
        assert list(way.wrong) == [node for node in order if wanted[node] != report.right[node]]
        assert way.first is (way.wrong[0] if way.wrong else None)
        assert way.why.startswith("They differ first at " if way.wrong else "This graph does not show it: ")
    assert [node.grad for node in order] == grads
    assert all(len(line) <= 80 for line in str(report).splitlines())


def test_leaves_twice_is_what_backward_called_twice_leaves() -> None:
    output, a, x = diamond()
    report = wrong_ways(output)
    output.backward()
    output.backward()
    assert (x.grad, a.grad) == (report.ways[2].adjoints[x], report.ways[2].adjoints[a])


def test_rounding_is_no_mistake() -> None:
    rounded = 0
    for n in range(3, 30):
        text = "+".join(f"sin({0.1 * k}*x)*{1 / k}" for k in range(1, n))
        report = wrong_ways(parse(text, {"x": 0.7}))
        early, x = report.ways[0], list(report.right)[-1]
        rounded += early.adjoints[x] != report.right[x]
        assert early.first is None
    assert rounded > 5  # the sum in another order is another float


def test_infinities_and_nan_are_compared_too() -> None:
    x = Value(0.0, "x")
    report = wrong_ways(x.sqrt() * 0 + x.log() + x)
    assert all(str(number) == "nan" for way in report.ways for node, number in way.adjoints.items() if node is x)
    assert "nan" in str(report)
    y = Value(0.0, "y")
    logarithm = wrong_ways(y + y.log() * 2).ways
    assert [way.first for way in logarithm[:2]] == [None, None]


def test_what_a_graph_does_not_show_is_said_in_whole() -> None:
    x = Value(2.0, "x")
    shown, report = wrong_ways(diamond()[0]).ways, wrong_ways(x * 0).ways
    assert [(way.name, way.what) for way in report] == [(way.name, way.what) for way in shown]
    assert [way.why.removeprefix("This graph does not show it: ") for way in report] == [
        "no result is used twice, and where results make a tree all orders agree.",
        "nothing is used twice, so no sum is lost.",
        "no leaf has a finite gradient other than 0.",
        "all that was kept is 0 or not finite, or is the output's, which starts from 1 again.",
    ]
    assert wrong_ways(x * 1 + x * 0).ways[1].why.endswith("where several terms meet, the last alone is their sum.")
    square = x * x
    assert ": what is used twice is reached in time here" in wrong_ways(square * square).ways[0].why


def test_nan_instead_of_infinity_and_small_differences_of_fractions_are_mistakes() -> None:
    x = Value(0.0, "x")
    root = x.sqrt()
    early = wrong_ways(root * 0 + root * 1).ways[0]  # it passes on 0 * inf before the 1 has come
    assert (str(early.adjoints[x]), early.first) == ("nan", x)
    y = Value(Fraction(2), "y")
    assigned = wrong_ways(y * Fraction(1) + y * Fraction(1, 10**20)).ways[1]
    assert (assigned.adjoints[y], assigned.first) == (1, y)


def test_rounding_is_a_share_of_all_that_was_added_up() -> None:
    x = Value(0.7, "x")
    report = wrong_ways(x * 0.5 + x * 0.7 - x * 1.0 + x * -0.2)
    assert report.ways[0].adjoints[x] != report.right[x]
    assert abs(float(report.right[x])) < 1e-15
    assert report.ways[0].first is None
    y = Value(1.0, "y")
    assert wrong_ways(y * 1.5e308 - y * 1.5e308 + y * 5.0).ways[1].first is y  # all of it is more than a float holds


def test_a_leaf_a_constant_and_a_graph_without_slopes() -> None:
    x = Value(2.0, "x")
    assert [way.first for way in wrong_ways(x).ways] == [None, None, x, None]
    assert [way.first for way in wrong_ways(x * 0).ways] == [None] * 4
    assert wrong_ways(parse("1", {})).right == {}
    for output in (x, x * 0, parse("1", {})):
        assert "does not show it" in str(wrong_ways(output))


def test_a_long_graph_is_cut() -> None:
    x = Value(1.0, "x")
    output = x
    for _ in range(20_000):
        output = output + x * 1.0
    lines = str(wrong_ways(output)).splitlines()
    assert all("*" in line for line in lines[2:26])  # those where something is wrong; the output is right in every way
    assert lines[26] == "... and 39,977 more nodes"
    assert len(lines) < 60
    assert "It has 20,001 terms; the last one, 1, wrote over the others." in " ".join(map(str.strip, lines))


def test_long_names_and_numbers_stay_in_their_columns() -> None:
    x = Value(1.0, "a rather long label of a node")
    output = x
    for _ in range(3):
        output = output * x.tanh() * -1.23456e-17
    table = str(wrong_ways(output)).split("\n\n")[0].splitlines()
    assert "z8 = z6 * z7         -1.235e-17 " in table[3]
    assert table[-1].startswith("'a rather long l...  -2.206e-51 ")
    assert max(map(len, table)) <= 80


def test_names_and_numbers_that_just_fit_and_that_just_do_not() -> None:
    table = str(wrong_ways(Value(1.0, "n" * 19) * Value(2.0, "m" * 20))).splitlines()
    assert [line[:21] for line in table[3:5]] == [f"{'m' * 16}...  ", f"{'n' * 19}  "]
    for x, text in (
        (-1.23e-17, "-1.23e-17"),
        (1.2346e-17, "1.2346e-17"),
        (-1.2346e-17, "-1.235e-17"),  # as -1.2346e-17 it would touch the column before
        (Fraction(-1234567, 10) * 10**400, "-1.23457e+405"),  # which no float shows
    ):
        assert _short(x) == text


def test_a_table_that_just_fits_has_every_node_and_one_that_does_not_those_at_which_something_is_wrong() -> None:
    output = Value(1.0, "x")
    for _ in range(23):
        output = -output
    lines = str(wrong_ways(output)).split("\n\n")[0].splitlines()
    assert [line.split()[0] for line in lines[2:]] == [*(f"z{k}" for k in range(23, 0, -1)), "x"]
    lines = str(wrong_ways(-output)).split("\n\n")[0].splitlines()
    assert [line.split()[0] for line in lines[2:]] == [*(f"z{k}" for k in range(23, 0, -1)), "x", "..."]
    assert lines[-1] == "... and 1 more node"


def test_a_name_that_reads_like_the_report_stands_in_quotes() -> None:
    x = Value(1.0, "y: 3 instead of 2. All is well")
    output = x * x + x
    output.label = "a' / 'b"
    report = wrong_ways(output)
    assert report.names[x] == x.label
    assert str(report).startswith("d 'a'' / ''b' / d node")
    assert report.ways[1].why.startswith(f"They differ first at '{x.label}': 1 instead of 3. ")
    assert f" and '{x.label}' gets " in report.ways[3].why


def test_only_values_have_sweeps() -> None:
    with pytest.raises(TypeError, match=r"^wrong_ways: output is 3.0 of type float; give a Value$"):
        wrong_ways(3.0)  # type: ignore[arg-type]  # that is the mistake


def test_nothing_is_sent_to_an_arm_that_was_not_taken() -> None:
    x = Value(-1.0, "x")
    report = wrong_ways(where(greater(x, 0), x.log(), x * 3) + x)
    assert report.right[x] == 4.0
    assert [way.adjoints[x] for way in report.ways] == [4.0, 0.0, 8.0, 14.0]  # nan in none of them; `=` writes a 0 of nothing
