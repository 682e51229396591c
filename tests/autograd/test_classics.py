"""Derivatives of twenty-three classical functions by every transform, against mpmath at 40 digits and, where installed, JAX."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mpmath
import numpy as np
import pytest
from classics import SCALAR, VECTOR, Classic
from peers import jax_of_doubles

import autograd
from autograd import Value, grad, hessian, hvp, jacobian, jvp, tangents, taylor, value_and_grad, vjp

CLASSICS = SCALAR | VECTOR


def ours(classic: Classic) -> Any:
    return lambda x: classic.f(autograd, x)


def direction(n: int) -> list[float]:
    return [0.3 + 0.7 * (-1) ** i * (i + 1) for i in range(n)]


def partials(classic: Classic, order: int) -> Any:
    """All derivatives of that order by mpmath: an array with the outputs as its first axis."""
    n = len(classic.at)
    at = [mpmath.mpf(x) for x in classic.at]
    outputs = classic.f(mpmath, at)
    count = len(outputs) if isinstance(outputs, list) else 1

    def one(k: int, *by: int) -> Any:
        def f(*x: Any) -> Any:
            found = classic.f(mpmath, list(x))
            return found[k] if isinstance(found, list) else found

        return mpmath.diff(f, tuple(at), tuple(by.count(i) for i in range(n)))

    axes = [range(count)] + [range(n)] * order
    return np.array([[float(one(k, *by)) for by in np.ndindex(*(n,) * order)] for k in axes[0]]).reshape(count, *(n,) * order)


def close(got: Any, want: Any) -> None:
    """Equal to 1e-12 of the largest entry: of which a small entry may be the difference of large terms."""
    got, want = np.asarray(got, dtype=float), np.asarray(want, dtype=float)
    assert got.shape == want.shape
    assert np.abs(got - want).max() <= 1e-12 * max(1.0, np.abs(want).max())


@pytest.fixture(autouse=True)
def _digits() -> Iterator[None]:
    with mpmath.workdps(40):
        yield


@pytest.mark.parametrize("name", CLASSICS)
def test_jacobians_both_ways_jvp_and_vjp_are_mpmaths(name: str) -> None:
    classic = CLASSICS[name]
    want, f = partials(classic, 1), ours(classic)
    v = direction(len(classic.at))
    for mode in ("forward", "reverse", "auto"):
        got = jacobian(f, mode=mode)(classic.at)
        close(got if name in VECTOR else [got], want)
    close(np.atleast_1d(jvp(f, (classic.at,), (v,))[1]), want @ v)
    value, pullback = vjp(f, classic.at)
    weights = direction(len(want))
    close(pullback(weights if name in VECTOR else weights[0])[0], weights @ want)
    close(np.atleast_1d(value), [float(x) for x in np.atleast_1d(classic.f(mpmath, list(map(mpmath.mpf, classic.at))))])


@pytest.mark.parametrize("name", SCALAR)
def test_gradients_hessians_and_their_products_are_mpmaths(name: str) -> None:
    classic = SCALAR[name]
    f, first, second = ours(classic), partials(classic, 1)[0], partials(classic, 2)[0]
    v = direction(len(classic.at))
    close(grad(f)(classic.at), first)
    close(value_and_grad(f)(classic.at)[1], first)
    close(hessian(f)(classic.at), second)
    close(hvp(f)(classic.at, v), second @ v)
    close(jacobian(grad(f), mode="reverse")(classic.at), second)  # reverse over reverse
    close(grad(lambda x: jvp(f, (x,), (v,))[1])(classic.at), second @ v)  # reverse over forward
    forward = jvp(lambda x: jvp(f, (x,), (v,))[1], (classic.at,), (v,))  # forward over forward
    close(forward, [first @ v, v @ second @ v])


@pytest.mark.parametrize("name", SCALAR)
def test_arrays_and_recorded_graphs_give_the_same(name: str) -> None:
    classic = SCALAR[name]
    f, at = ours(classic), np.array(classic.at)
    assert grad(f)(at).dtype == hessian(f)(at).dtype == float
    assert grad(f)(at).tolist() == grad(f)(classic.at)
    assert hessian(f)(at).tolist() == hessian(f)(classic.at)
    leaves = [Value(x) for x in classic.at]
    output = f(leaves)
    v = direction(len(leaves))
    assert tangents(output, dict(zip(leaves, v, strict=True)))[output] == jvp(f, (classic.at,), (v,))[1]


def test_taylor_coefficients_of_a_hard_function_are_mpmaths() -> None:
    def f(m: Any, x: Any) -> Any:
        return m.exp(m.sin(x)) / (1 + x**2) + m.sqrt(2 + m.tanh(x))

    want = mpmath.taylor(lambda x: f(mpmath, x), mpmath.mpf(0.4), 6)
    assert taylor(lambda x: f(autograd, x), 0.4, 6) == pytest.approx([float(c) for c in want], rel=1e-13, abs=1e-13)


@pytest.mark.parametrize("name", CLASSICS)
def test_numbers_and_arrangements_are_those_of_jax(name: str) -> None:
    classic = CLASSICS[name]
    v = direction(len(classic.at))
    with jax_of_doubles() as jax:

        def theirs(x: Any) -> Any:
            return classic.f(jax.numpy, x)

        want = jax.jacobian(theirs)(classic.at)
        got = jacobian(ours(classic))(classic.at)
        assert jax.tree.structure(got) == jax.tree.structure(want)
        close(got, want)
        close(jvp(ours(classic), (classic.at,), (v,))[1], jax.jvp(theirs, (classic.at,), (v,))[1])
        if name in SCALAR:
            close(hessian(ours(classic))(classic.at), jax.hessian(theirs)(classic.at))
            got, want = hessian(ours(classic))(np.array(classic.at)), jax.hessian(theirs)(jax.numpy.array(classic.at))
            close(got, want)


def test_a_jacobian_of_trees_is_arranged_like_jaxs() -> None:
    at = {"a": np.array([[0.3, -0.7]]), "b": [1.1, (0.4,)]}

    def f(m: Any, t: Any, y: Any) -> Any:
        wave = m.sin(t["a"]) * y
        return {"wave": wave, "sum": (wave.sum() + t["b"][0] * t["b"][1][0], t["b"][0] ** 2 * y)}

    with jax_of_doubles() as jax:
        want = jax.jacobian(lambda t, y: f(jax.numpy, t, y), argnums=(0, 1))(at, 0.9)
        got = jacobian(lambda t, y: f(np, t, y), argnums=(0, 1))(at, 0.9)
        assert jax.tree.structure(got) == jax.tree.structure(want)
        for ours_, theirs in zip(jax.tree.leaves(got), jax.tree.leaves(want), strict=True):
            close(ours_, theirs)
