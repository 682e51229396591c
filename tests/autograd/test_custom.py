"""The user's own operations: three kinds of them through the engine, and every mistake at the door by name."""

from __future__ import annotations

import copy
import math
import pickle
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest

import autograd
from autograd import Value, grad, gradcheck, topological_order
from autograd.operations import OPERATIONS

ROOT_PI = math.sqrt(math.pi)
OWN: dict[str, Callable[[], Any]] = {
    "t_erf": lambda: autograd.operation(
        "t_erf", math.erf, lambda m, out, a: (2 / ROOT_PI * m.exp(-a * a),), native="erf", symbol="erf"
    ),
    "t_gelu": lambda: autograd.operation("t_gelu", formula=lambda m, a: a * m.sigmoid(1.702 * a)),
    "t_fma": lambda: autograd.operation("t_fma", lambda a, b, c: a * b + c, lambda m, out, a, b, c: (b, a, 1)),
}
EXACT: dict[str, Callable[..., Any]] = {
    "t_erf": mpmath.erf,
    "t_gelu": lambda a: a / (1 + mpmath.exp(-mpmath.mpf(1.702) * a)),
    "t_fma": lambda a, b, c: a * b + c,
}
AT = (0.7, -1.3, 0.4)


@pytest.mark.parametrize("name", OWN)
def test_value_and_derivatives_of_two_orders_are_mpmaths(name: str) -> None:
    function = OWN[name]()
    arity = len(OPERATIONS[name].domain)
    leaves = [Value(x) for x in AT[:arity]]
    output = function(*leaves)
    assert output.parents == tuple(leaves)
    with mpmath.workdps(40):
        at = tuple(map(mpmath.mpf, AT[:arity]))
        assert output.data == pytest.approx(float(EXACT[name](*at)), rel=1e-15)
        for i, leaf in enumerate(leaves):
            order = tuple(int(k == i) for k in range(arity))
            slope = grad(output, leaf, create_graph=True)
            assert slope.data == pytest.approx(float(mpmath.diff(EXACT[name], at, order)), rel=1e-13)
            for j, other in enumerate(leaves):
                twice = tuple(int(k == i) + int(k == j) for k in range(arity))
                want = float(mpmath.diff(EXACT[name], at, twice))
                assert grad(slope, other) == pytest.approx(want, rel=1e-12, abs=1e-12)
    output.backward()
    assert [leaf.grad for leaf in leaves] == grad(output, leaves)


@pytest.mark.parametrize("name", OWN)
def test_gradcheck_copies_and_pickles(name: str) -> None:
    function = OWN[name]()
    arity = OPERATIONS[name].arity
    assert gradcheck(function, *AT[:arity]).ok
    output = function(*[Value(x, "abc"[i]) for i, x in enumerate(AT[:arity])]) * 2
    for twin in (copy.deepcopy(output), pickle.loads(pickle.dumps(output))):  # noqa: S301  # bytes of our own
        assert twin.data == output.data
        leaves = [[node for node in topological_order(graph) if node.label] for graph in (twin, output)]
        assert grad(twin, leaves[0]) == grad(output, leaves[1])


def test_it_takes_numbers_fractions_and_object_arrays() -> None:
    fma = OWN["t_fma"]()
    assert fma(1, 2.0, Value(3)).data == 5.0
    assert [type(parent) for parent in fma(1, 2.0, 3).parents] == [Value] * 3
    exact = fma(Value(Fraction(1, 3)), 2, 1)
    assert (exact.data, type(exact.data)) == (Fraction(5, 3), Fraction)
    assert [v.data for v in np.array([Value(1.0), Value(2.0)])] == [1.0, 2.0]


def test_rows_compose_and_may_be_used_by_other_rows() -> None:
    OWN["t_erf"]()
    normal = autograd.operation("t_normal", formula=lambda m, a: (1 + m.t_erf(a / math.sqrt(2))) / 2)
    x = Value(0.3)
    assert grad(normal(x), x) == pytest.approx(math.exp(-0.045) / math.sqrt(2 * math.pi), rel=1e-14)
    assert grad(grad(normal(x), x, create_graph=True), x) == pytest.approx(-0.3 * grad(normal(x), x), rel=1e-13)


def test_a_formula_with_a_choice_and_one_that_ignores_an_operand() -> None:
    bent = autograd.operation("t_bent", formula=lambda m, a, b: m.where(a > 0, a * 3, -a))
    x, y = Value(2.0), Value(5.0)
    assert grad(bent(x, y), [x, y]) == [3.0, 0.0]
    assert grad(bent(-x, y), [x, y]) == [1.0, 0.0]
    flat = autograd.operation("t_flat", formula=lambda m, a: 3.0)
    assert grad(flat(x), x) == 0.0


def test_registering_again_replaces_it_and_recorded_nodes_keep_theirs() -> None:
    first = autograd.operation("t_twice", lambda a: 2 * a, lambda m, out, a: (2,))
    x = Value(3.0)
    old = first(x)
    again = autograd.operation("t_twice", lambda a: 5 * a, lambda m, out, a: (5,))
    assert (grad(old, x), grad(again(x), x), grad(first(x), x)) == (2.0, 5.0, 2.0)


WRONG: list[tuple[type[Exception], str, dict[str, Any]]] = [
    (ValueError, "this name is a built-in operation's; choose another one, such as 'my_exp'", {"name": "exp"}),
    (ValueError, "this name is a built-in operation's", {"name": "where"}),
    (ValueError, "the name has to be an identifier", {"name": "my op"}),
    (ValueError, "the name has to be an identifier", {"name": "lambda"}),
    (TypeError, "give either forward, .* or formula", {"forward": None}),
    (TypeError, "give either forward, .* or formula", {"formula": lambda m, a: a}),
    (TypeError, r"a forward needs partials\(m, out, \*inputs\)", {"partials": None}),
    (TypeError, "forward=3 is of type int; give a function", {"forward": 3}),
    (TypeError, "native=3 is of type int; give a string", {"native": 3}),
    (TypeError, "name the operands one by one", {"partials": lambda m, out, *at: at}),
    (TypeError, "has no parameter for an operand", {"partials": lambda m, out: ()}),
    (ValueError, "domain has 2 intervals for 1 operands", {"domain": ((0, 1), (0, 1))}),
    (TypeError, "array, native and javascript go with forward",
     {"forward": None, "partials": None, "formula": lambda m, a: a, "native": "erf"}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "message", "change"), WRONG, ids=range(len(WRONG)))
def test_a_mistake_at_the_door_names_the_operation(kind: type[Exception], message: str, change: dict[str, Any]) -> None:
    given = {"name": "t_wrong", "forward": math.erf, "partials": lambda m, out, a: (1,), **change}
    before = dict(OPERATIONS)
    with pytest.raises(kind, match=rf"^operation '{given['name']}': .*{message}"):
        autograd.operation(**given)
    assert before == OPERATIONS


@pytest.mark.parametrize(
    ("partials", "kind", "message"),
    [
        (lambda m, out, a: 2 * a, TypeError, r"partials returned 2.0 of type float; return a tuple, \(slope,\)"),
        (lambda m, out, a: (1, 2), ValueError, "partials returned 2 derivatives for 1 operands; return one for each"),
    ],
)
def test_partials_that_break_their_promise_are_named_at_first_use(partials: Any, kind: type[Exception], message: str) -> None:
    output = autograd.operation("t_wrong", math.erf, partials)(Value(1.0))
    with pytest.raises(kind, match=f"^operation 't_wrong': {message}"):
        output.backward()


def test_a_forward_has_to_give_a_number_and_the_count_of_operands_is_checked() -> None:
    text = autograd.operation("t_text", str, lambda m, out, a: (1,), domain=((0, 1),))
    with pytest.raises(TypeError, match=r"^result of t_text: '1.0' is of type str, not a real number"):
        text(Value(1.0))
    with pytest.raises(TypeError, match=r"^t_fma takes 3 operands, got 2"):
        OWN["t_fma"]()(1, 2)


def test_another_process_has_to_register_it_too(tmp_path: Any) -> None:
    file = tmp_path / "graph.pickle"
    file.write_bytes(pickle.dumps(OWN["t_erf"]()(Value(0.5, "x"))))
    load = f"import pickle, math, autograd; y = pickle.load(open({str(file)!r}, 'rb')); print(y.data == math.erf(0.5))"
    register = "import autograd, math; autograd.operation('t_erf', math.erf, lambda m, out, a: (m.exp(-a * a),)); "

    def run(code: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603  # ours

    assert run(register + load).stdout == "True\n"
    assert (
        "LookupError: the operation 't_erf' is not registered here; call autograd.operation('t_erf', ...)" in run(load).stderr
    )


def test_a_formula_of_numpys_where_has_no_derivative() -> None:
    chosen = autograd.operation("t_chosen", formula=lambda m, a: np.where(a > 1, a * a, 3 * a))
    x = Value(2.0)
    assert chosen(x).data == 4.0
    with pytest.raises(TypeError, match=r"^<function .* returned an array of objects, .*; use m.where for np.where$"):
        grad(chosen(x), x)


def test_an_arm_of_a_formula_that_is_not_taken_is_sent_nothing_on_any_tape() -> None:
    own = autograd.operation("t_arms", formula=lambda m, a: m.where(m.greater(a, 0), m.log(a), a * a))
    selu = autograd.operation("t_selu", formula=lambda m, a: m.where(a > 0, 1.05 * a, 1.75 * (m.exp(a) - 1)))
    for function, at, want in ((own, -1.0, (1.0, [-2.0])), (selu, 1000.0, (1050.0, [1.05]))):
        x = Value(at)
        assert grad(function(x), x) == want[1][0]
        tape = autograd.Tape(function(x), [x])
        assert tape([at]) == tape.native()([at]) == want
        value, grads = tape([np.array([at])])
        assert (value.tolist(), grads[0].tolist()) == ([want[0]], want[1])
    assert autograd.hessian(selu)(2.0) == 0.0
