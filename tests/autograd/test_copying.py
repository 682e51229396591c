"""Graphs copied and pickled: the same numbers, the same sharing, no recursion, and the original as it was."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from test_graph import graphs

from autograd import Value, grad, topological_order
from autograd.graph import edges
from autograd.operations import LEAF
from autograd.value import UNSWEPT

Copied = Callable[[Any], Any]


def through_pickle(x: Any) -> Any:
    return pickle.loads(pickle.dumps(x))  # noqa: S301  # bytes of our own


WAYS = pytest.mark.parametrize("copied", [copy.deepcopy, through_pickle], ids=["deepcopy", "pickle"])


def shape(output: Value) -> list[Any]:
    """Everything that a graph holds, with operands told by their places."""
    order = topological_order(output)
    place = {node: i for i, node in enumerate(order)}
    held = [(node.operation, node.data, type(node.data), node.grad, node.grad is UNSWEPT, node.label) for node in order]
    return [held, [(place[parent], place[consumer], position) for parent, consumer, position in edges(order)]]


@WAYS
@given(output=graphs())
def test_a_copy_is_the_same_graph_of_other_nodes(copied: Copied, output: Value) -> None:
    for swept in (False, True):
        if swept:
            output.backward()
        twin = copied(output)
        assert shape(twin) == shape(output)
        assert {id(node) for node in topological_order(twin)}.isdisjoint(map(id, topological_order(output)))


@WAYS
def test_what_is_copied_together_shares_its_leaves(copied: Copied) -> None:
    x = Value(3.0, "x")
    twin, product, (again,) = copied((x, x * 2, [x]))
    assert twin is again is product.left
    assert twin is not x
    product.backward()
    assert (twin.grad, x.grad) == (2.0, 0.0)


def test_a_deep_copy_keeps_shared_results_shared() -> None:
    x = Value(3.0)
    inner = x * x
    outer, same = copy.deepcopy((inner + 1, inner))
    assert outer.left is same


def test_a_shallow_copy_has_the_same_operands() -> None:
    x = Value(3.0, "x")
    y = x * x
    y.label = "y"
    twin = copy.copy(y)
    assert twin is not y
    assert twin.parents == (x, x)
    assert all(parent is x for parent in twin.parents)
    assert (twin.operation, twin.data, twin.label, copy.copy(x).operation) == (y.operation, 9.0, "y", LEAF)


def test_results_that_are_pickled_together_stay_one_graph() -> None:
    x = Value(3.0, "x")
    h = x * x
    y = h * h + x
    x2, h2, y2 = through_pickle((x, h, y))
    assert grad(y2, [h2, x2]) == grad(y, [h, x]) == [18.0, 109.0]
    y3, h3, x3 = through_pickle([y, h, x])
    assert grad(y3, [h3, x3]) == [18.0, 109.0]
    again = through_pickle({"model": [x], "losses": [y, h, y]})
    assert again["losses"][0] is again["losses"][2]
    assert grad(again["losses"][0], again["losses"][1]) == 18.0


def test_the_results_of_a_chain_pickle_in_linear_space() -> None:
    chain = [Value(1.0)]
    for _ in range(1500):
        chain.append(chain[-1] * 1.001)
    size = len(pickle.dumps(chain))
    assert size < 1500 * 200
    for order in (chain, chain[::-1]):
        twins = through_pickle(order)
        assert [v.data for v in twins] == [v.data for v in order]
        ends = (twins[-1], twins[0]) if order is chain else (twins[0], twins[-1])
        assert grad(*ends) == grad(chain[-1], chain[0])


class Mine(Value):
    pass


@WAYS
def test_a_subclass_keeps_its_attributes(copied: Copied) -> None:
    x = Mine(3.0, "x")
    x.momentum = [0.5]  # type: ignore[attr-defined]  # what a subclass is for
    y = x * 2
    y.color = "red"  # type: ignore[attr-defined]  # as above
    twin = copied(y)
    assert (type(twin), twin.color, twin.parents[0].momentum) == (Mine, "red", [0.5])


def test_a_copy_knows_what_a_number_was_when_it_was_recorded() -> None:
    x = Value(2.0, "x")
    y = x * x
    x.data = 9.0
    for copied in (copy.deepcopy, through_pickle):
        a, b = copied((x, y))
        assert (grad(b, a), a.data) == (grad(y, x), 9.0)
        with pytest.raises(ValueError, match="was changed while this graph was being recorded"):
            grad(b * b + a, a)


def test_another_process_knows_it_too(tmp_path: Any) -> None:
    x = Value(2.0, "x")
    y = x * x
    x.data = 9.0
    tmp_path.joinpath("graph").write_bytes(pickle.dumps((x, y)))
    program = f"import pickle, autograd; x, y = pickle.load(open({str(tmp_path / 'graph')!r}, 'rb')); z = y * 2 - 1; "
    program += "print(autograd.grad(z, x), x.data)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    assert found.stdout == "8.0 9.0\n"
