"""The derivation as data: every number is the engine's own, every formula computes it, terms sum as the sweep sums."""

from __future__ import annotations

import math
import subprocess
import sys
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_graph import graphs

from autograd import Derivation, Value, derive, exp, grad, maximum, minimum, topological_order, wrong_ways
from autograd.derive.steps import Step
from autograd.expressions import as_text, number, substituted
from autograd.graph import edges
from autograd.operations import CONSTANT, LEAF, local_partials

OPERATIONS = (
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a / b,
    lambda a, b: a**2,
    lambda a, b: 3 - a,
    lambda a, b: a.tanh(),
    lambda a, b: a.sigmoid(),
    lambda a, b: a.softplus() * b,
    lambda a, b: abs(a).sqrt(),
    lambda a, b: abs(a).log(),
    maximum,
    minimum,
)
STEP = st.tuples(st.sampled_from(OPERATIONS), st.integers(0, 99), st.integers(0, 99), st.sampled_from(["", "", "h", "u1"]))


@st.composite
def networks(draw: st.DrawFn) -> Value:
    """The last result of a random program over three floats, some results with labels, which may be the same."""
    data = draw(st.lists(st.sampled_from([0.0, -0.0, 0.5, -1.25, 3.0, 1e-3, 1e200]), min_size=3, max_size=3))
    nodes = [Value(x, label) for x, label in zip(data, ("a", "", "W1[0,2]"), strict=True)]
    for operation, i, j, label in draw(st.lists(STEP, max_size=12)):
        nodes.append(operation(nodes[-1 - i % len(nodes)], nodes[-1 - j % len(nodes)]))
        nodes[-1].label = label
    return nodes[-1]


def same(got: Any, want: Any) -> bool:
    """The same number of the same kind, to the last bit, -0.0 and nan told apart from all others."""
    if isinstance(got, float) and isinstance(want, float):
        return got.hex() == want.hex()
    return type(got) is type(want) and bool(got == want)


def wanted(output: Value) -> st.SearchStrategy[list[Value]]:
    return st.lists(st.sampled_from(topological_order(output)), min_size=1, max_size=3)


@settings(max_examples=200, deadline=None)
@given(st.one_of(graphs(), networks()), st.data())
def test_every_number_is_the_engines_own(output: Value, data: st.DataObject) -> None:
    wrt = data.draw(st.one_of(st.none(), wanted(output)))
    derivation = derive(output, wrt)
    kind = type(output.data)
    reached = {output}
    for step in derivation.steps:
        assert same(step.adjoint, grad(output, step.node))
        assert same(step.data, step.node.data)
        assert all(map(same, [partial for _, partial in step.partials], local_partials(step.node)))
        assert len(step.partials) == len(step.node.parents)
        total = kind(1) if step.node is output else kind()
        for term in step.terms:
            formula, partial = derivation[term.consumer].partials[term.position]
            assert term.consumer.parents[term.position] is step.node
            assert term.formula is formula
            assert same(term.partial, partial)
            assert same(term.upstream, grad(output, term.consumer))
            product = term.upstream * term.partial
            assert term.sent == (term.consumer in reached and not (term.consumer.operation.selects and partial == 0))
            assert same(term.contribution, product if term.sent else kind())
            reached |= {step.node} if term.sent else set()
            total += term.contribution
        assert same(total, step.adjoint)


@settings(max_examples=200, deadline=None)
@given(st.one_of(graphs(), networks()), st.data())
def test_steps_are_all_between_and_consumers_come_first(output: Value, data: st.DataObject) -> None:
    wrt = data.draw(st.one_of(st.none(), wanted(output)))
    derivation = derive(output, wrt)
    order = topological_order(output)
    above = set(order if wrt is None else wrt)
    for node in order:
        if any(parent in above for parent in node.parents):
            above.add(node)
    assert {step.node for step in derivation.steps} == above == derivation.covered
    assert len(derivation.steps) == len(above)
    seen: set[Value] = set()
    uses = [(parent, consumer, position) for parent, consumer, position in edges(order) if parent in above]
    for step in derivation.steps:
        consumers = {(consumer, position) for parent, consumer, position in uses if parent is step.node}
        assert {(term.consumer, term.position) for term in step.terms} == consumers
        assert len(step.terms) == len(consumers)
        assert seen.issuperset(term.consumer for term in step.terms)
        seen.add(step.node)
    kinds = [bool(step.node.parents) for step in derivation.steps]
    assert kinds == sorted(kinds, reverse=True)  # leaves and constants at the end


def computed(formula: Any, derivation: Derivation) -> Any:
    """What a formula comes to with the numbers of its names."""
    nodes = {name: node for node, name in derivation.names.items() if node.operation is not CONSTANT}
    return substituted(formula, {name: number(node.data) for name, node in nodes.items()}).content


@settings(max_examples=200, deadline=None)
@given(st.one_of(graphs(), networks()))
def test_formulas_compute_the_numbers_beside_them(output: Value) -> None:
    derivation = derive(output)
    for step in derivation.steps:
        pairs = [] if step.definition is None else [(step.definition, step.data)]
        for formula, want in (*pairs, *step.partials):
            got = computed(formula, derivation)
            assert got == want or (math.isnan(got) and math.isnan(want))
        assert (step.definition is None) == (step.node.operation in (LEAF, CONSTANT))


def test_a_step_by_hand() -> None:
    w, x = Value(0.5, "w"), Value(2.0, "x")
    derivation = derive((w * x + 3).tanh() * w)
    assert [step.name for step in derivation.steps] == ["z4", "z3", "z2", "z1", "3", "x", "w"]
    assert [derivation.names[node] for node in derivation.order] == ["w", "x", "z1", "3", "z2", "z3", "z4"]
    step = derivation[w]
    assert isinstance(step, Step)
    assert [derivation.names[term.consumer] for term in step.terms] == ["z4", "z1"]
    assert [(term.position, repr(term.formula)) for term in step.terms] == [(1, "z3"), (0, "x")]
    assert (derivation.output.data, derivation.wrt) == (step.node.data * math.tanh(4), None)


def test_terms_stand_in_the_order_in_which_the_sweep_adds() -> None:
    x = Value(1.0, "x")
    output = (x / x) * 1.0 + x * 2.0**-53
    step = derive(output)[x]
    assert [term.contribution for term in step.terms] == [2.0**-53, -1.0, 1.0]
    assert step.adjoint == grad(output, x) == 2.0**-53  # in another order the first would be lost


def test_a_label_that_looks_like_a_constant_is_not_taken_for_it() -> None:
    derivation = derive(maximum(Value(2.0, "1"), 1.0))
    ((formula, partial), _) = derivation.steps[0].partials
    assert (as_text(formula), partial) == ("['1' > 1]", 1)


def test_names_are_the_same_whatever_is_asked_for() -> None:
    w, x = Value(0.5, "w"), Value(2.0, "x")
    inner = x * 2
    output = inner * w + inner
    everything = derive(output).names
    assert derive(output, w).names == derive(output, [inner, w]).names == everything
    assert everything[inner] == "z1"


def test_a_derivation_stays_what_it_was_when_numbers_and_labels_change() -> None:
    w, x = Value(0.5, "w"), Value(2.0, "x")
    output = w * x
    derivation, again = derive(output), derive(output)
    text = str(again)
    w.data, w.label, output.data = 7.0, "v", 0.0
    assert str(derivation) == text
    assert derivation[x].terms[0].partial == 0.5
    assert (w.grad, x.grad) == (0.0, 0.0)


def test_what_the_output_does_not_depend_on_has_a_derivative_of_zero() -> None:
    x, other = Value(Fraction(2), "x"), Value(3.0, "other")
    result = other * 2
    derivation = derive(x * x, [other, result, x])
    assert [step.name for step in derivation.steps] == ["z1", "z2", "other", "x"]
    assert (derivation[other].adjoint, derivation[result].adjoint, derivation[other].terms) == (0, 0, ())
    assert type(derivation[other].adjoint) is Fraction
    assert derivation[result].definition is not None
    aside = (x * 3) * 2
    assert [step.node for step in derive(x * x, [x, aside]).steps][1:] == [aside, x]  # and not x * 3, which leads aside


def test_the_output_itself_and_constants() -> None:
    x = Value(3.0, "x")
    (step,) = derive(x).steps
    assert (step.adjoint, step.terms, step.definition, step.data) == (1.0, (), None, 3.0)
    (step,) = derive(x * x, x * x).steps
    assert step.adjoint == 0.0  # another product than that
    root, constant = derive(exp(1)).steps
    assert (constant.name, constant.adjoint, repr(root.definition)) == ("1", math.e, "exp(1.0)")


def test_several_are_asked_for_in_any_iterable_and_once() -> None:
    x, y = Value(3.0, "x"), Value(2.0, "y")
    output = x * y
    assert derive(output, np.array([[x, y], [x, y]], dtype=object).flat).wrt == (x, y)
    assert derive(output, iter([y])).wrt == (y,)
    assert derive(output, x).wrt == (x,)


def test_what_cannot_be_derived_is_said() -> None:
    x = Value(3.0, "x")
    with pytest.raises(TypeError, match=r"derive: output is 3.0 of type float; give a Value"):
        derive(3.0)  # type: ignore[call-overload]  # the mistake
    with pytest.raises(TypeError, match=r"derive: wrt\[1\] is 'x' of type str"):
        derive(x, [x, "x"])  # type: ignore[list-item]
    empty = "derive: wrt is empty; give a Value or several, or leave it out to derive by all of them"
    with pytest.raises(ValueError, match=f"^{empty}$"):
        derive(x, [])
    with pytest.raises(KeyError):
        derive(x * 2, x)[Value(1.0)]


def test_of_a_long_chain_little_is_told() -> None:
    x = y = Value(0.3, "x")
    for _ in range(1000):
        y = (y * 0.5).tanh() + x
    derivation = derive(y)
    assert len(derivation.steps) == 4001
    assert len(str(derivation)) < 20_000


def test_jupyter_gets_a_page_or_formulas_without_latex2mathml(monkeypatch: pytest.MonkeyPatch) -> None:
    derivation = derive(Value(3.0, "x") * 2)
    assert derivation._repr_latex_() == derivation.latex()
    pytest.importorskip("latex2mathml")
    shown = derivation._repr_html_()
    assert shown is not None
    assert shown.startswith('<iframe sandbox="allow-scripts" srcdoc="'), "its scripts run, and cannot reach the notebook"
    assert "<script" not in shown.split(">")[0]
    monkeypatch.setitem(sys.modules, "latex2mathml", None)
    monkeypatch.setitem(sys.modules, "latex2mathml.converter", None)
    assert derivation._repr_html_() is None
    with pytest.raises(ImportError, match="pip install latex2mathml"):
        derivation.html()


def test_derive_imports_nothing_of_the_page_before_it_is_asked() -> None:
    program = "import sys, autograd; x = autograd.Value(2.0, 'x'); str(autograd.derive(x * x)); "
    program += "print(sorted({'html', 'json', 'numpy', 'latex2mathml', 'autograd.derive.page'} & sys.modules.keys()))"
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)  # noqa: S603
    assert run.stdout.strip() == "[]"


def test_the_numbers_are_those_with_which_the_graph_was_recorded() -> None:
    x = Value(3.0, "x")
    y = x * x
    before, wrong = str(derive(y)), str(wrong_ways(y))
    x.data = 5.0
    assert (str(derive(y)), str(wrong_ways(y))) == (before, wrong)
    assert derive(y)[x].adjoint == grad(y, x) == 6.0
    assert derive(y, x).paths().total == 6.0
