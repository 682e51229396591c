"""Classical functions of optimisation and machine learning, on any module of functions, with a point for each.

Formulas: Surjanovic & Bingham, Virtual Library of Simulation Experiments; Hochreiter & Schmidhuber, Long Short-Term Memory
(1997), with a forget gate.
"""

# ruff: noqa: ARG001  # every function takes the module, the polynomials too

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from itertools import pairwise
from math import e, pi
from operator import mul
from typing import Any, NamedTuple


class Classic(NamedTuple):
    """A function of `m` and a list of numbers, which returns a number or a list of them, and where it is tried."""

    f: Callable[[Any, Any], Any]
    at: list[float]


def rosenbrock(m: Any, x: Any) -> Any:
    return sum(100 * (b - a**2) ** 2 + (1 - a) ** 2 for a, b in pairwise(x))


def beale(m: Any, x: Any) -> Any:
    return (1.5 - x[0] + x[0] * x[1]) ** 2 + (2.25 - x[0] + x[0] * x[1] ** 2) ** 2 + (2.625 - x[0] + x[0] * x[1] ** 3) ** 2


def himmelblau(m: Any, x: Any) -> Any:
    return (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2


def booth(m: Any, x: Any) -> Any:
    return (x[0] + 2 * x[1] - 7) ** 2 + (2 * x[0] + x[1] - 5) ** 2


def mccormick(m: Any, x: Any) -> Any:
    return m.sin(x[0] + x[1]) + (x[0] - x[1]) ** 2 - 1.5 * x[0] + 2.5 * x[1] + 1


def goldstein_price(m: Any, x: Any) -> Any:
    a, b = x
    left = 1 + (a + b + 1) ** 2 * (19 - 14 * a + 3 * a**2 - 14 * b + 6 * a * b + 3 * b**2)
    return left * (30 + (2 * a - 3 * b) ** 2 * (18 - 32 * a + 12 * a**2 + 48 * b - 36 * a * b + 27 * b**2))


def six_hump_camel(m: Any, x: Any) -> Any:
    return (4 - 2.1 * x[0] ** 2 + x[0] ** 4 / 3) * x[0] ** 2 + x[0] * x[1] + (4 * x[1] ** 2 - 4) * x[1] ** 2


def easom(m: Any, x: Any) -> Any:
    return -m.cos(x[0]) * m.cos(x[1]) * m.exp(-((x[0] - pi) ** 2) - (x[1] - pi) ** 2)


def ackley(m: Any, x: Any) -> Any:
    n = len(x)
    waves = sum(m.cos(2 * pi * a) for a in x) / n
    return -20 * m.exp(-0.2 * m.sqrt(sum(a**2 for a in x) / n)) - m.exp(waves) + 20 + e


def rastrigin(m: Any, x: Any) -> Any:
    return 10 * len(x) + sum(a**2 - 10 * m.cos(2 * pi * a) for a in x)


def styblinski_tang(m: Any, x: Any) -> Any:
    return sum(a**4 - 16 * a**2 + 5 * a for a in x) / 2


def branin(m: Any, x: Any) -> Any:
    return (x[1] - 5.1 / (4 * pi**2) * x[0] ** 2 + 5 / pi * x[0] - 6) ** 2 + 10 * (1 - 1 / (8 * pi)) * m.cos(x[0]) + 10


def griewank(m: Any, x: Any) -> Any:
    return sum(a**2 for a in x) / 4000 - reduce(mul, (m.cos(a / (i + 1) ** 0.5) for i, a in enumerate(x))) + 1


def zakharov(m: Any, x: Any) -> Any:
    slope = sum(0.5 * (i + 1) * a for i, a in enumerate(x))
    return sum(a**2 for a in x) + slope**2 + slope**4


def wood(m: Any, x: Any) -> Any:
    a, b, c, d = x
    narrow = 100 * (a**2 - b) ** 2 + (a - 1) ** 2 + (c - 1) ** 2 + 90 * (c**2 - d) ** 2
    return narrow + 10.1 * ((b - 1) ** 2 + (d - 1) ** 2) + 19.8 * (b - 1) * (d - 1)


def powell(m: Any, x: Any) -> Any:
    a, b, c, d = x
    return (a + 10 * b) ** 2 + 5 * (c - d) ** 2 + (b - 2 * c) ** 4 + 10 * (a - d) ** 4


def logsumexp(m: Any, x: Any) -> Any:
    return m.log(sum(m.exp(a) for a in x))


def gamma_likelihood(m: Any, x: Any) -> Any:  # of three numbers, by Stirling's series
    shape, rate = x
    log_gamma = (shape - 0.5) * m.log(shape) - shape + 0.5 * m.log(2 * pi + 0 * shape) + 1 / (12 * shape)
    return sum(shape * m.log(rate) - log_gamma + (shape - 1) * m.log(t + 0 * shape) - rate * t for t in (0.7, 1.9, 3.2))


def softmax(m: Any, x: Any) -> Any:
    powers = [m.exp(a) for a in x]
    return [p / sum(powers) for p in powers]


def spherical(m: Any, x: Any) -> Any:
    r, theta, phi = x
    return [r * m.sin(theta) * m.cos(phi), r * m.sin(theta) * m.sin(phi), r * m.cos(theta)]


def lorenz_step(m: Any, x: Any) -> Any:
    a, b, c = x
    return [a + 0.01 * 10 * (b - a), b + 0.01 * (a * (28 - c) - b), c + 0.01 * (a * b - 8 / 3 * c)]


def lstm_cell(m: Any, x: Any) -> Any:
    """Two inputs, two units: the new h and c by the old ones, the inputs, and one weight of each gate."""
    inputs, h, c, weights = x[:2], x[2:4], x[4:6], x[6:]

    def gate(k: int, squash: Any) -> list[Any]:
        return [squash(weights[k] * (inputs[j] - h[1 - j]) + 0.3 * h[j] - 0.1 * inputs[1 - j] + 0.2) for j in range(2)]

    def sigmoid(a: Any) -> Any:
        return 1 / (1 + m.exp(-a))

    forget, enter, leave, fresh = gate(0, sigmoid), gate(1, sigmoid), gate(2, sigmoid), gate(3, m.tanh)
    cell = [forget[j] * c[j] + enter[j] * fresh[j] for j in range(2)]
    return [leave[j] * m.tanh(cell[j]) for j in range(2)] + cell


def attention(m: Any, x: Any) -> Any:
    """One query on three keys, which are the values too."""
    query, keys = x[:2], [x[2:4], x[4:6], x[6:8]]
    powers = [m.exp((query[0] * k[0] + query[1] * k[1]) / 2**0.5) for k in keys]
    return [sum(p * k[j] for p, k in zip(powers, keys, strict=True)) / sum(powers) for j in range(2)]


SCALAR: dict[str, Classic] = {
    "rosenbrock": Classic(rosenbrock, [-1.2, 1.0, 0.7, 0.4, -0.3]),
    "beale": Classic(beale, [1.1, 0.4]),
    "himmelblau": Classic(himmelblau, [2.7, -1.3]),
    "booth": Classic(booth, [0.3, 2.2]),
    "mccormick": Classic(mccormick, [-0.5, 1.5]),
    "goldstein-price": Classic(goldstein_price, [0.2, -0.7]),
    "six-hump camel": Classic(six_hump_camel, [0.5, -0.6]),
    "easom": Classic(easom, [2.5, 3.4]),
    "ackley": Classic(ackley, [0.3, -0.2, 0.6]),
    "rastrigin": Classic(rastrigin, [0.3, -0.2, 0.6]),
    "styblinski-tang": Classic(styblinski_tang, [-2.9, 1.2, 0.5]),
    "branin": Classic(branin, [2.5, 7.5]),
    "griewank": Classic(griewank, [5.0, -3.0, 2.0]),
    "zakharov": Classic(zakharov, [0.5, -0.4, 0.3]),
    "wood": Classic(wood, [-1.5, 0.5, 1.2, -0.7]),
    "powell": Classic(powell, [3.0, -1.0, 0.5, 1.0]),
    "logsumexp": Classic(logsumexp, [1.0, -2.0, 0.5, 3.0]),
    "gamma likelihood": Classic(gamma_likelihood, [2.3, 0.8]),
}
VECTOR: dict[str, Classic] = {
    "softmax": Classic(softmax, [1.0, -2.0, 0.5]),
    "spherical": Classic(spherical, [1.3, 0.7, -2.1]),
    "lorenz step": Classic(lorenz_step, [1.0, -2.0, 15.0]),
    "lstm cell": Classic(lstm_cell, [0.5, -0.3, 0.2, 0.7, -0.4, 0.6, 0.9, -0.8, 0.4, 1.1]),
    "attention": Classic(attention, [0.4, -0.6, 1.0, 0.3, -0.7, 0.8, 0.2, -0.9]),
}
