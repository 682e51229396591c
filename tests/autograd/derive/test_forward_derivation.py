"""The derivation forwards and the comparison of both ways: numbers, texts, counts, and what is refused."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import pytest

import autograd
from autograd import Value, derive, grad, topological_order
from autograd.derive.forward import ForwardDerivation


def graph() -> tuple[Value, list[Value]]:
    w, x, b = Value(0.5, "w"), Value(2.0, "x"), Value(-1.0, "b")
    y = (w * x + b).tanh() * w + autograd.exp(x)
    y.label = "y"
    return y, [w, x, b]


def test_tangents_are_the_gradients_and_terms_add_up() -> None:
    y, leaves = graph()
    for leaf in leaves:
        derivation = derive(y, wrt=leaf, mode="forward")
        assert isinstance(derivation, ForwardDerivation)
        assert derivation.tangents[y] == pytest.approx(grad(y, leaf), rel=1e-15)
        for node in derivation.covered - {leaf}:
            assert derivation.tangents[node] == sum(term.contribution for term in derivation.terms(node))
            assert derivation.tangents[node] == pytest.approx(grad(node, leaf), rel=1e-15)


def test_by_a_result_in_the_middle_what_it_was_made_of_is_held() -> None:
    x = Value(3.0, "x")
    z = x * x
    z.label = "z"
    derivation = derive(z * x, wrt=z, mode="forward")
    assert (derivation.tangents[z], derivation.tangents[x], derivation.tangents[derivation.output]) == (1.0, 0.0, 3.0)
    assert derivation.terms(z) == ()
    assert "  dz/dz = 1\n" in str(derivation)


def test_text_goes_from_the_input_to_the_output() -> None:
    y, (w, *_) = graph()
    text = str(derive(y, wrt=w, mode="forward"))
    assert text.startswith("The derivative of y by w, forward, step by step\n\nGiven\n  w = 0.5")
    *_, tangents = text.split("\n\n")
    assert tangents.splitlines() == [
        "Tangents: dv/dw is the sum of dv/du * du/dw over the operands u of v",
        "  dw/dw = 1",
        "  dz1/dw = x * dw/dw                              since z1 = w * x",
        "         = 2 * 1 = 2",
        "  dz2/dw = 1 * dz1/dw                             since z2 = z1 + b",
        "         = 1 * 2 = 2",
        "  dz3/dw = (1 - z3 * z3) * dz2/dw                 since z3 = tanh(z2)",
        "         = 1 * 2 = 2",
        "  dz4/dw = w * dz3/dw                             since z4 = z3 * w",
        "         + z3 * dw/dw                             since z4 = z3 * w",
        "         = 0.5 * 2 + 0 * 1",
        "         = 1 + 0",
        "         = 1",
        "  dy/dw = 1 * dz4/dw                              since y = z4 + z5",
        "        = 1 * 1 = 1",
    ]


def test_every_tangent_that_text_and_latex_say_is_right() -> None:
    y, (_, x, _) = graph()
    derivation = derive(y, wrt=x, mode="forward")
    names = {name: node for node, name in derivation.names.items()}
    said = re.findall(r"d(\w+)/dx = .*?= (\S+)$", re.sub(r"\n {5,}", " ", derivation.text()), flags=re.MULTILINE)
    assert len(said) == len(derivation.covered) - 1
    for name, number in said:
        assert float(number) == pytest.approx(derivation.tangents[names[name]], rel=1e-5)
    latex = derivation.latex()
    assert latex.count(r"\begin{align*}") == 1
    assert r"\frac{\partial z_{1}}{\partial x} & = w \cdot \frac{\partial x}{\partial x} = 0.5 \cdot 1 = 0.5 \\" in latex
    assert r"= \sum_{u} \frac{\partial v}{\partial u} \cdot \frac{\partial u}{\partial x}" in latex
    assert derivation._repr_latex_() == latex


def test_steps_that_are_alike_are_said_once() -> None:
    w, xs = Value(0.5, "w"), [Value(i + 1.0, f"x{i}") for i in range(50)]
    total: Any = sum(w * x for x in xs)
    derivation = derive(total, wrt=w, mode="forward")
    text = derivation.text()
    assert "and 49 more like it: dz/dw = x_i * dw/dw, i = 0..49" in text
    assert len(text.splitlines()) < 40 < len(derivation.text(fold=False).splitlines())


def test_fractions_and_an_input_without_influence() -> None:
    half = Value(Fraction(1, 2), "h")
    derivation = derive(half * half * half, wrt=half, mode="forward")
    assert derivation.tangents[derivation.output] == Fraction(3, 4)
    assert "= 3/4" in str(derivation)
    stranger = derive(half * half, wrt=Value(Fraction(3), "s"), mode="forward")
    assert stranger.tangents[stranger.output] == 0
    assert str(stranger).endswith("  ds/ds = 1")


def multiplied(output: Value, inputs: list[Value]) -> tuple[list[int], int]:
    """Both counts, by hand: edges between nodes that depend, but those of a sum."""
    order = topological_order(output)
    depend: list[set[Value]] = []
    for x in inputs:
        found = {x}
        for node in order:
            if any(parent in found for parent in node.parents):
                found.add(node)
        depend.append(found)

    def count(found: set[Value]) -> int:
        edges = [(n, k) for n in order for k, p in enumerate(n.parents) if p in found and n not in inputs]
        return sum(not (n.operation.name == "add" or (n.operation.name == "sub" and k == 0)) for n, k in edges)

    return [count(found) for found in depend], count(set().union(*depend))


def test_multiplications_are_those_of_the_edges() -> None:
    y, leaves = graph()
    comparison = derive(y, wrt=leaves).compare()
    forward, back = multiplied(y, leaves)
    assert comparison.multiplications == (tuple(forward), back)
    for leaf in leaves:
        ((one,), sweep) = derive(y, wrt=leaf).compare().multiplications
        assert one == sweep  # by one input, forward is no dearer
    assert sum(forward) > back


def test_the_comparison_in_print() -> None:
    y, leaves = graph()
    text = str(derive(y, wrt=leaves).compare())
    assert max(map(len, text.splitlines())) <= 80
    assert "node                value       d/dw       d/dx       d/db       dy/d" in text
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines() if len(line.split()) == 6}
    assert rows["y"][1:4] == [row[-1] for row in (rows["w"], rows["x"], rows["b"])]
    assert re.search(r"forward +\d+  in 3 runs, \d+ \+ \d+ \+ \d+\n  backward +\d+  in 1 sweep\n", text)
    assert text.endswith("that is\nwhy its training goes backwards, and is called backpropagation.")
    one = str(derive(y, wrt=leaves[0]).compare())
    assert "By one input, forward is no dearer than backward" in one
    wide = [Value(float(i), f"a_long_name_of_an_input_{i}") for i in range(40)]
    total: Any = sum(a * a for a in wide)
    text = str(derive(total, wrt=wide).compare())
    assert max(map(len, text.splitlines())) <= 80
    assert "... 36 more runs forward are left out here" in text
    assert "more nodes in the middle are left out here" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "forward"}, "forward goes from one input, and this is by every node; give one, wrt=x, mode='forward'"),
        ({"mode": "forward", "wrt": [Value(1.0), Value(2.0)]}, "and this is by 2 Values"),
        ({"mode": "up"}, "derive: mode is 'up'; give 'reverse' or 'forward'"),
    ],
)
def test_what_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        derive(Value(1.0) * 2, **options)
    with pytest.raises(ValueError, match="compare: this is a derivation by every node; say by which inputs"):
        derive(Value(1.0) * 2).compare()
