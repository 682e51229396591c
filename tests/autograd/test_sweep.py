"""The chain rule on random graphs, in exact arithmetic: what flows back into a node is the sum over its consumers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from test_graph import graphs

from autograd import Value, grad, maximum, topological_order
from autograd.graph import edges
from autograd.operations import CONSTANT, FLOATS, LEAF, OPERATIONS, local_partials
from autograd.sweep import adjoints


@given(graphs(), st.fractions(-3, 3, max_denominator=9))
def test_an_adjoint_is_the_sum_over_consumers_of_partial_times_adjoint(output: Value, seed: Fraction) -> None:
    order = topological_order(output)
    found = adjoints(output, seed, Fraction(0), FLOATS)
    assert found.keys() == set(order)
    want: dict[Value, Any] = dict.fromkeys(order, Fraction(0))
    want[output] = seed
    for parent, consumer, position in edges(order):
        want[parent] += local_partials(consumer)[position] * found[consumer]
    assert found == want
    assert {type(adjoint) for adjoint in found.values()} == {Fraction}


@given(graphs())
def test_backward_and_grad_say_the_same(output: Value) -> None:
    order = topological_order(output)
    assume(
        not any(node.operation is OPERATIONS["maximum"] and node.parents[0] == node.parents[1] for node in order)
    )  # exact without ties
    by_grad = grad(output, order)
    recorded = grad(output, order, create_graph=True)
    assert [node.grad for node in order if node.operation is LEAF] == [0] * sum(node.operation is LEAF for node in order)
    output.backward()
    assert by_grad == [slope.data for slope in recorded]
    assert [node.grad for node in order] == [
        0 if node.operation is CONSTANT else g for node, g in zip(order, by_grad, strict=True)
    ]


@given(graphs())
def test_a_derivative_is_the_slope_of_the_graph_computed_again(output: Value) -> None:
    leaves = [node for node in topological_order(output) if node.operation is LEAF]
    tangents: dict[Value, Any] = {leaf: Fraction(3 * i + 1, 7) for i, leaf in enumerate(leaves)}
    for node in topological_order(output):  # the same derivative forward: along one direction
        if node not in tangents:
            slopes = zip(local_partials(node), node.parents, strict=True)
            tangents[node] = sum((partial * tangents[parent] for partial, parent in slopes), Fraction(0))
    assert tangents[output] == sum((tangents[leaf] * grad(output, leaf) for leaf in leaves), Fraction(0))


def test_the_gradient_of_a_sum_records_nothing() -> None:
    x, y = Value(2.0), Value(3.0)
    slopes = grad(x + y, [x, y], create_graph=True)
    assert [(slope.data, slope.operation) for slope in slopes] == [(1.0, CONSTANT), (1.0, CONSTANT)]


@pytest.mark.parametrize("record", [lambda big: big * 0.5, lambda big: maximum(big, 0.5), lambda big: (1 / big).log()])
def test_a_float_beside_a_fraction_that_no_float_can_hold(record: Callable[[Value], Value]) -> None:
    big, message = (
        Value(Fraction(10) ** 400),
        "a derivative has floats in it and a Fraction beyond 1.8e308; give all numbers as",
    )
    output, big.grad = record(big), 7.0
    for sweep in (output.backward, lambda: grad(output, big)):
        with pytest.raises(OverflowError, match=message):
            sweep()
    assert big.grad == 7.0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on Windows")
def test_a_child_forked_while_another_thread_sweeps_or_renders_has_locks_that_are_free() -> None:
    program = """
import os, threading, time, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # of 3.12, for a fork beside threads
from autograd import fast
from autograd.draw.render import RENDERING
held = threading.Event()
def hold():
    with fast.LOCK, RENDERING:
        held.set()
        time.sleep(0.3)
thread = threading.Thread(target=hold)
thread.start()
held.wait()
child = os.fork()
if not child:
    there = threading.Thread(target=lambda: os._exit(not (fast.LOCK.acquire(False) and RENDERING.acquire(False))))
    there.start()
    time.sleep(5)
    os._exit(2)
thread.join()
with fast.LOCK, RENDERING:
    print(os.waitpid(child, 0)[1])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)  # noqa: S603  # ours
    assert (done.stdout, done.stderr) == ("0\n", "")
