"""Which steps are shown as one: those that differ in indices only, with a letter for each index that differs."""

from __future__ import annotations

import re
from functools import reduce
from operator import add

import pytest
from hypothesis import given, settings
from test_derive import networks

import nn
from autograd import Value, derive
from autograd.derive.groups import FEWEST, Folding, Group, _template
from autograd.expressions import Expression, as_text, equation, operands_first, symbol
from autograd.expressions.expression import NAME


def folded(*outputs: Value) -> list[tuple[int, str, dict[str, tuple[float, ...]]]]:
    """Of the results of these graphs: how many make one group, as what, and what the letters stand for."""
    derivation = derive(reduce(add, outputs))

    def row(node: Value) -> Expression:
        definition = derivation[node].definition
        assert definition is not None
        return equation(symbol(derivation.names[node]), definition)

    found = Folding(derivation).groups([node for node in derivation.order if node.parents], row)
    return [(len(group.nodes), as_text(group.pattern), group.letters) for group in found]


@pytest.mark.parametrize(
    ("name", "template", "numbers"),
    [
        ("W1[2,0]", "W1[{},{}]{}", (2, 0, 1)),
        ("a1[3]#2", "a1[{}]{}", (3, 2)),
        ("w12", "w_{}{}", (12, 1)),
        ("x_1", "x_{}{}", (1, 1)),
        ("w1_2", "w1_{}{}", (2, 1)),
        ("loss", "loss{}", (1,)),
        ("out_h", "out_h{}", (1,)),
        ("a + 2", "a + 2", ()),
        ("x_{1}", "x_{{1}}", ()),
    ],
)
def test_what_counts_as_an_index(name: str, template: str, numbers: tuple[int, ...]) -> None:
    assert _template(name) == (template, numbers)


def test_equal_indices_have_one_letter_and_others_another() -> None:
    x = [Value(1.0, f"x[{i}]") for i in range(3)]
    products = [x[i] * Value(1.0, f"W1[{i},{j}]") for j in range(2) for i in range(3)]
    letters = {"i": (0, 1, 2, 0, 1, 2), "j": (0, 0, 0, 1, 1, 1)}
    assert folded(*products)[0] == (6, "z = x[i] * W1[i,j]", letters)


def test_an_index_that_never_differs_stays_a_number() -> None:
    assert folded(*(Value(1.0, f"W2[{i},0]") ** 2 for i in range(4)))[0][:2] == (4, "z = W2[i,0]**2")


def test_shifted_indices_and_constants_have_letters_too() -> None:
    a = [Value(1.0, f"a[{i}]") for i in range(5)]
    steps = [a[i] * a[i + 1] for i in range(4)]
    assert folded(*steps)[0][1] == "z = a[i] * a[i+1]"
    h = [Value(1.0, f"h{i}") for i in range(9)]
    steps = [h[i] * h[i - 1] for i in range(4, 9)]
    assert folded(*steps)[0][1] == "z = h_i * h[i-1]"
    steps = [Value(1.0, "x") * c for c in (0.5, 4.0, -1.0)]
    assert folded(*steps)[0][1:] == ("z = x#i * c", {"i": (1, 2, 3), "c": (0.5, 4.0, -1.0)})


def test_letters_are_not_names_that_there_are_already() -> None:
    i, steps = Value(1.0, "i"), [Value(1.0, f"x[{k}]") ** 2 for k in range(3)]
    assert folded(i * 1, *steps)[1][1] == "z = x[j]**2"


def test_layers_are_told_apart() -> None:
    model = nn.MLP.from_arrays([[[1.0] * 3] * 3, [[1.0] * 3] * 3, [[1.0]] * 3])
    (output,) = model([1.0, 2.0, 3.0])
    patterns = [pattern for count, pattern, _ in folded(output) if count >= FEWEST]
    for layer, source in ((1, "x"), (2, "a1")):
        assert patterns.count(f"z = {source}[i] * W{layer}[i,j]") == 1
        assert patterns.count(f"a{layer}[i] = sigmoid(z)") == 1
    assert [count for count, pattern, _ in folded(output) if "W3" in pattern] == [3]
    sums = [count for count, pattern, _ in folded(output) if re.search(r" = z\d* \+ z", pattern)]
    assert sums == [3, 3, 3, 3, 1, 1]  # two of each neuron; those of the two layers are in groups of their own


def test_two_alike_are_told_one_by_one_and_different_operations_apart() -> None:
    x = [Value(1.0, f"x{i}") for i in range(5)]
    assert [count for count, *_ in folded(x[0] * 2, x[1] * 2)] == [1, 1, 1]
    assert folded(x[0].exp(), x[1].exp(), x[2].exp(), x[3].log(), x[4].log())[0][:2] == (3, "z = exp(x_i)")
    squares = [x[0] ** 2, x[1] ** 2, x[2] ** 3, x[3] ** 3]
    assert folded(*squares)[0][1] == "z = x_i**c"  # the formula is one, whatever the exponent


def test_rows_are_alike_in_their_shape_and_in_the_names_of_what_is_in_them() -> None:
    leaves = [Value(1.0, f"x{i}") for i in range(6)]
    derivation = derive(reduce(add, [*leaves, Value(1.0, "u1"), Value(1.0, "v1")]))
    u, v = symbol("u1"), symbol("v1")
    for one, other in ((u + v, u * v), ((u + v) * u, (u + v) * v), (u * u, v * v)):
        rows = dict(zip(leaves, [one, other] * 3, strict=True))
        found = Folding(derivation).groups(leaves, rows.__getitem__)
        assert [(group.nodes, as_text(group.pattern)) for group in found] == [
            (tuple(leaves[::2]), as_text(one)),
            (tuple(leaves[1::2]), as_text(other)),
        ]


def test_the_labels_of_constants_tell_nothing_apart() -> None:
    steps = [Value(1.0, "x") * c for c in (0.5, 4.0, -1.0)]
    for step, label in zip(steps, ("half", "four", "minus"), strict=True):
        step.parents[1].label = label
    assert folded(*steps)[0][:2] == (3, "z = x#i * c")


def test_more_indices_than_letters() -> None:
    columns = [(0, a, b) for a in (1, 2, 3) for b in range(5)]
    x = [Value(1.0, f"x[{','.join(map(str, row))}]") for row in zip(*columns, strict=True)]
    letters = [*"ijklmnpqrstuvw", "i14"]
    assert folded(*(each.exp() for each in x))[0] == (
        3,
        f"z = exp(x[{','.join(letters)}])",
        dict(zip(letters, columns, strict=True)),
    )


@settings(max_examples=50, deadline=None)
@given(networks())
def test_every_node_is_in_one_group_in_order_and_the_pattern_has_its_letters_for_the_first(output: Value) -> None:
    derivation = derive(output)
    folding = Folding(derivation)
    nodes = list(derivation.order)
    found: list[Group] = folding.groups(nodes, lambda node: symbol(derivation.names[node]))
    assert sorted(id(node) for group in found for node in group.nodes) == sorted(map(id, nodes))
    place = {node: i for i, node in enumerate(nodes)}
    firsts = [place[group.nodes[0]] for group in found]
    assert firsts == sorted(firsts)
    for group in found:
        assert len(group.nodes) == 1 or len(group.nodes) >= FEWEST
        text = as_text(group.pattern)
        assert all(letter in text and len(column) == len(group.nodes) for letter, column in group.letters.items())
        assert all(e.op is NAME for e in operands_first(group.pattern))
