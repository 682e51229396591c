"""Programs as users write them: option greeks, an orbit, an LSTM cell, an attention head, a regression on a data frame."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

import autograd as ag
from autograd import Value, dot, grad, softmax, total

MARKET = {"S": 100.0, "K": 105.0, "T": 0.75, "r": 0.03, "sigma": 0.25}


def black_scholes(m: Any, S: Any, K: Any, T: Any, r: Any, sigma: Any) -> Any:
    """The price of a call; `m` has log, sqrt, exp and erf."""
    d1 = (m.log(S / K) + (r + sigma**2 / 2) * T) / (sigma * m.sqrt(T))
    d2 = d1 - sigma * m.sqrt(T)
    normal: Callable[[Any], Any] = lambda d: (1 + m.erf(d / m.sqrt(2))) / 2  # noqa: E731  # as one writes it
    return S * normal(d1) - K * m.exp(-r * T) * normal(d2)


def test_black_scholes_with_all_greeks() -> None:
    leaves = {name: Value(x, name) for name, x in MARKET.items()}
    price = black_scholes(ag, **leaves)
    S, sigma = leaves["S"], leaves["sigma"]
    first = grad(price, list(leaves.values()))
    gamma = grad(grad(price, S, create_graph=True), S)
    vomma = grad(grad(price, sigma, create_graph=True), sigma)
    with mpmath.workdps(40):
        at = tuple(map(mpmath.mpf, MARKET.values()))
        f: Callable[..., Any] = lambda *x: black_scholes(mpmath, *x)  # noqa: E731  # as above
        assert price.data == pytest.approx(float(f(*at)), rel=1e-13)
        for i, got in enumerate(first):
            assert got == pytest.approx(float(mpmath.diff(f, at, tuple(int(k == i) for k in range(5)))), rel=1e-12)
        assert gamma == pytest.approx(float(mpmath.diff(f, at, (2, 0, 0, 0, 0))), rel=1e-11)
        assert vomma == pytest.approx(float(mpmath.diff(f, at, (0, 0, 0, 0, 2))), rel=1e-11)
    with pytest.raises(TypeError, match="lose its gradient"):
        black_scholes(math, **leaves)


def kepler(m: Any, M: Any, e: Any) -> Any:
    """The eccentric anomaly, by ten steps of Newton's method."""
    E = M + e * m.sin(M)
    for _ in range(10):
        E = E - (E - e * m.sin(E) - M) / (1 - e * m.cos(E))
    return E


def test_the_sensitivities_of_a_kepler_orbit() -> None:
    M, e = Value(0.8, "M"), Value(0.3, "e")
    E = kepler(ag, M, e)
    x, y = ag.cos(E) - e, ag.sqrt(1 - e * e) * ag.sin(E)
    slope = 1 / (1 - 0.3 * math.cos(E.data))  # the implicit function theorem: dE/dM, and dE/de = sin(E) times it
    assert grad(E, [M, e]) == pytest.approx([slope, math.sin(E.data) * slope], rel=1e-14)
    assert grad(x, M) == pytest.approx(-math.sin(E.data) * slope, rel=1e-14)
    assert grad(ag.arctan2(y, x), e) == pytest.approx(float(mpmath.diff(true_anomaly, 0.3)), rel=1e-9)


def true_anomaly(e: Any) -> Any:
    E = kepler(mpmath, mpmath.mpf(0.8), e)
    return mpmath.atan2(mpmath.sqrt(1 - e * e) * mpmath.sin(E), mpmath.cos(E) - e)


def values(rng: np.random.Generator, *shape: int) -> np.ndarray[Any, Any]:
    found = np.empty(shape, dtype=object)
    for index in np.ndindex(*shape):
        found[index] = Value(rng.normal())
    return found


def numbers(array: Any) -> np.ndarray[Any, Any]:
    found: np.ndarray[Any, Any] = np.vectorize(lambda v: v.data, otypes=[float])(array)
    return found


def slopes(f: Any, arrays: list[Any], step: float = 1e-6) -> list[float]:
    """Central differences by every entry."""
    found = []
    for array in arrays:
        for index in np.ndindex(*array.shape):
            here = array[index]
            ends = []
            for moved in (here + step, here - step):
                array[index] = moved
                ends.append(f(*arrays))
            array[index] = here
            found.append((ends[0] - ends[1]) / (2 * step))
    return found


def lstm(m: Any, W: Any, x: Any, h: Any, c: Any) -> Any:
    gates = W @ np.concatenate([x, h])
    i, f, o, g = (gates[k::4] for k in range(4))
    c = m.sigmoid(f) * c + m.sigmoid(i) * m.tanh(g)
    return (m.sigmoid(o) * m.tanh(c)).sum()


class Plain:
    """The functions on arrays of floats."""

    tanh = np.tanh

    @staticmethod
    def sigmoid(z: Any) -> Any:
        return 1 / (1 + np.exp(-z))


def test_an_lstm_cell_on_object_arrays() -> None:
    rng = np.random.default_rng(0)
    arrays = [values(rng, 8, 5), values(rng, 3), values(rng, 2), values(rng, 2)]
    out = lstm(ag, *arrays)
    got = grad(out, [v for array in arrays for v in array.flat])
    plain = [numbers(array) for array in arrays]
    assert out.data == pytest.approx(lstm(Plain, *plain), rel=1e-14)
    assert got == pytest.approx(slopes(lambda *a: lstm(Plain, *a), plain), rel=1e-6, abs=1e-8)


def attention(weigh: Any, q: Any, K: Any, V: Any) -> Any:
    weights = weigh(K @ q / math.sqrt(len(q)))
    return (weights @ V).sum()


def weighed(z: Any) -> Any:
    e = np.exp(z - z.max())
    return e / e.sum()


def test_an_attention_head_on_object_arrays() -> None:
    rng = np.random.default_rng(1)
    arrays = [values(rng, 4), values(rng, 3, 4), values(rng, 3, 2)]
    out = attention(lambda z: np.array(softmax(z)), *arrays)
    got = grad(out, [v for array in arrays for v in array.flat])
    plain = [numbers(array) for array in arrays]
    assert out.data == pytest.approx(attention(weighed, *plain), rel=1e-13)
    assert got == pytest.approx(slopes(lambda *a: attention(weighed, *a), plain), rel=1e-6, abs=1e-8)


def test_logistic_regression_on_a_data_frame() -> None:
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(2)
    frame = pandas.DataFrame({"age": rng.normal(size=40), "dose": rng.normal(size=40)})
    frame["ill"] = (2 * frame.age - frame.dose + 0.3 * rng.normal(size=40) > 0).astype(int)
    weights, bias = [Value(0.0, "age"), Value(0.0, "dose")], Value(0.0, "bias")
    for _ in range(60):
        logits = [dot(weights, row) + bias for row in frame[["age", "dose"]].to_numpy()]
        loss = total(ag.softplus(-z if ill else z) for z, ill in zip(logits, frame.ill, strict=True)) / len(frame)
        for p, slope in zip([*weights, bias], grad(loss, [*weights, bias]), strict=True):
            p.data -= 2.0 * slope
    assert loss.data < 0.25
    assert weights[0].data > 1
    assert weights[1].data < 0
    column = frame.age * weights[0]  # a series of Values
    assert column.iloc[3].data == frame.age[3] * weights[0].data
