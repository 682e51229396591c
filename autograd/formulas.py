"""The longer formulas of the table: plain arithmetic on `m`, for values and for derivatives.

Nothing cancels and nothing overflows that the result does not. Where a derivative is a choice, it is one of `m`'s
(`heaviside`, `relu`), so that a recorded graph of it follows the numbers; a choice by `==` is for an edge.
Formulas: Abramowitz & Stegun, Handbook of Mathematical Functions, chapters 4 and 7; Milakov & Gimelshein, Online normalizer
calculation for softmax (2018), for the running sum of `logsumexp`.
"""

from __future__ import annotations

from functools import reduce
from math import factorial, inf, nan
from operator import add
from typing import Any, TypeAlias

Partials: TypeAlias = tuple[Any, ...]
SLOPE = 0.01  # of leaky_relu below zero
SINC = [(-1) ** k * 2 * k / factorial(2 * k + 1) for k in range(1, 12)]  # the series of its slope, in (pi a)**2
HUGE = 1e75  # a number whose fourth power is a float yet


def steady(m: Any, out: Any, *inputs: Any) -> Partials:  # noqa: ARG001  # of what only jumps
    """No slope anywhere."""
    return (0,) * len(inputs)


def pi(m: Any) -> Any:
    """The number pi, to as many digits as `m` has; like `m.log(2)` a constant, which a formula computes once."""
    return m.arccos(-1)


def degree(m: Any) -> Any:
    """One degree in radians."""
    return pi(m) / 180


def gap(m: Any, a: Any, b: Any) -> Any:
    """a - b; zero where both are the same infinity."""
    return m.where((a == b) & (m.abs(a) == inf), 0, a - b)


def one_over(m: Any, a: Any) -> Any:
    """1 / a where log is defined; inf at zero, be it 0.0 or -0.0; below, nan, and so is its own slope."""
    return m.where(a > 0, m.div(1, a), m.where(a == 0, m.div(1, a + 0), nan * a))


def powers(m: Any, out: Any, a: Any, b: Any) -> Partials:
    """Of a**b; 0**0 is constant for a, 0**b for b >= 0. At b = 0 it is b / a, for a**(b - 1) may be too large for a float."""
    by_base = m.where(b == 0, m.where(a == 0, 0, m.div(b, a)), m.mul(b, m.pow(a, b - 1)))
    return by_base, m.where((a == 0) & (b >= 0), 0, m.mul(out, m.log(a)))


def larger(m: Any, a: Any, b: Any) -> Any:
    """d max(a, b) / d a: 1 where a > b, one half at a tie."""
    zero = m.zeros_like(a)
    return m.heaviside(m.where(a == b, zero, a - b), 1 / (zero + 2))


def above(m: Any, a: Any, b: Any) -> Any:
    """1 where a > b, else 0; nan if either is nan."""
    return m.heaviside(m.where(a == b, m.zeros_like(a), a - b), 0)


def circle(m: Any, a: Any) -> Any:
    """1 - a**2, to the last digit near 1 and -1."""
    return m.where(a * a == 1, 1 - a * a, (1 - a) * (1 + a))


def far(a: Any, condition: Any) -> Any:
    """The condition, marked as one of an edge: a formula that is read is that of the other numbers."""
    return condition & (a == a)  # noqa: PLR0124  # always, but for nan


def arctan_slope(m: Any, a: Any) -> Any:
    """1 / (1 + a**2); written so that a number beyond HUGE has a slope too."""
    return m.where(far(a, m.abs(a) > HUGE), m.div(m.div(1, a), a), m.div(1, 1 + a * a))


def cosine(m: Any, a: Any, b: Any, h: Any) -> Any:
    """a / hypot(a, b), which is h."""
    return m.where((m.abs(a) == inf) & (m.abs(b) < inf), m.sign(a), m.div(a, h))


def hypot_slopes(m: Any, out: Any, a: Any, b: Any) -> Partials:
    """The direction of (a, b); zero at the origin."""
    return m.where(out == 0, 0, cosine(m, a, b, out)), m.where(out == 0, 0, cosine(m, b, a, out))


def angle_slopes(m: Any, out: Any, a: Any, b: Any) -> Partials:  # noqa: ARG001  # a row's signature
    """Of arctan2(a, b): (b, -a) / (a**2 + b**2)."""
    h = m.hypot(a, b)
    return m.div(cosine(m, b, a, h), h), -m.div(cosine(m, a, b, h), h)


def sinc_slope(m: Any, out: Any, a: Any) -> Any:
    """(cos(pi a) - sinc(a)) / a, which cancels near zero: there it is a series, good to the last digit up to 0.3."""
    series = reduce(lambda total, factor: total * ((pi(m) * a) * (pi(m) * a)) + factor, SINC[::-1])
    return m.where(far(a, m.abs(a) < 0.3), pi(m) * pi(m) * a * series, m.div(m.cos(pi(m) * a) - out, a))


def gauss(m: Any, a: Any) -> Any:
    """d erf(a) / d a."""
    return at_ends(m, a, 0, 2 / m.sqrt(pi(m)) * m.exp(-(a * a)))


def modulo(m: Any, a: Any, b: Any) -> Any:
    """The remainder with the sign of b, from C's, which has that of a."""
    rest = m.fmod(a, b)
    moved = m.where((rest < 0) & (b > 0), rest + b, m.where((rest > 0) & (b < 0), rest + b, rest))
    return m.where(rest == 0, m.where(b < 0, -0.0, 0.0), moved)


def whole(m: Any, out: Any, a: Any, b: Any) -> Any:
    """How often b was taken from a."""
    return m.rint(m.div(a - out, b))


def logistic(m: Any, a: Any) -> Any:
    """1 / (1 + exp(-a))."""
    e = m.exp(-m.abs(a))  # at most 1: nothing cancels, nothing overflows
    return m.where(a < 0, e, 1) / (1 + e)


def softplus(m: Any, a: Any) -> Any:
    """log(1 + exp(a))."""
    return m.where(a > 0, a, 0) + m.log1p(m.exp(-m.abs(a)))


def at_ends(m: Any, a: Any, ends: Any, else_: Any) -> Any:
    """At the infinities `ends`, where the formula would compute inf * 0."""
    return m.where(m.abs(a) == inf, ends, else_)


def gelu(m: Any, a: Any) -> Any:
    """a times the share of a normal distribution below a."""
    return at_ends(m, a, m.relu(a), a * (m.erfc(-m.sqrt(0.5) * a) / 2))


def gelu_slope(m: Any, a: Any) -> Any:
    """That share, plus a times the density."""
    density = m.sqrt(0.5) / m.sqrt(pi(m)) * m.exp(-(a * a) / 2)
    return at_ends(m, a, m.heaviside(a, 0), m.erfc(-m.sqrt(0.5) * a) / 2 + a * density)


def silu_slope(m: Any, a: Any) -> Any:
    """s * (1 + a * (1 - s)), where s is the sigmoid."""
    return at_ends(m, a, m.heaviside(a, 0), m.sigmoid(a) * (1 + a * m.sigmoid(-a)))


def maximum(m: Any, a: Any, b: Any) -> Any:
    """The larger; nan if either is nan, which alone differs from itself."""
    return m.where(a >= b, a, m.where(a == a, b, a))  # noqa: PLR0124  # as said


def minimum(m: Any, a: Any, b: Any) -> Any:
    """The smaller; nan if either is."""
    return m.where(a <= b, a, m.where(a == a, b, a))  # noqa: PLR0124  # as above


def clip_slopes(m: Any, out: Any, a: Any, low: Any, high: Any) -> Partials:  # noqa: ARG001  # a row's signature
    """1 for the one that is the value; at a bound it is the bound, and where the bounds cross it is the upper one."""
    over, fits = above(m, a, low), above(m, high, low)
    under = above(m, high, a)
    return over * under, (1 - over) * fits, 1 - fits * under


def logaddexp(m: Any, a: Any, b: Any) -> Any:
    """log(exp(a) + exp(b))."""
    return m.maximum(a, b) + m.log1p(m.exp(-m.abs(gap(m, a, b))))


def sign(m: Any, a: Any) -> Any:
    """1, 0 or -1."""
    return m.where(a > 0, 1, m.where(a < 0, -1, m.where(a == 0, 0, nan)))


def step(m: Any, a: Any, at_zero: Any) -> Any:
    """1 above zero, 0 below."""
    return m.where(a > 0, 1, m.where(a < 0, 0, m.where(a == 0, at_zero, nan)))


def total(m: Any, *values: Any) -> Any:  # noqa: ARG001  # a formula's signature
    """v1 + v2 + ..., from left to right: Python's `sum` rounds otherwise."""
    return reduce(add, values)


def dot(m: Any, *values: Any) -> Any:  # noqa: ARG001  # a formula's signature
    """x1 * w1 + x2 * w2 + ..., from left to right, of x1, x2, ..., w1, w2, ..."""
    half = len(values) // 2
    return reduce(add, [x * w for x, w in zip(values[:half], values[half:], strict=True)])


def others(m: Any, out: Any, *values: Any) -> Partials:  # noqa: ARG001  # a row's signature
    """Of dot: of each factor the other one."""
    half = len(values) // 2
    return values[half:] + values[:half]


def logsumexp(m: Any, *values: Any) -> Any:
    """log(exp(v1) + exp(v2) + ...): the largest so far, and what the others add to it, in one pass."""
    largest, rest = values[0], 0
    for value in values[1:]:
        e = m.exp(-m.abs(gap(m, value, largest)))
        rest = m.where(value > largest, (rest + 1) * e, rest + e)
        largest = m.maximum(largest, value)
    return largest + m.log1p(rest)


def shares(m: Any, out: Any, *values: Any) -> Partials:
    """Of each in the sum of the exponentials: softmax."""
    parts = [m.exp(gap(m, value, out)) for value in values]
    whole = reduce(add, parts)
    return tuple(m.div(part, whole) for part in parts)


ERF = (  # JavaScript has none: the series of positive terms, A&S 7.1.6
    "((s, t, n) => {{ if (!(Math.abs({x}) < 6)) return {x} === {x} ? Math.sign({x}) : {x}; "
    "while (Math.abs(t) > 1e-17 * Math.abs(s)) {{ n += 2; t *= 2 * {x} * {x} / n; s += t; }} "
    "return 1.1283791670955126 * Math.exp(-{x} * {x}) * s; }})({x}, {x}, 1)"
)
ERF_JS = ERF.format(x="a")
ERFC_JS = (  # and the continued fraction for the tails, A&S 7.1.14
    "((x, f, k) => { if (!(x >= 1)) return 1 - " + ERF_JS + "; "
    "while (k > 0) { f = x + k / 2 / f; k -= 1; } k = Math.round(x * 16) / 16; "  # of which the square is exact
    "f = x > 30 ? 0 : Math.exp(-k * k) * Math.exp((k - x) * (k + x)) / f / 1.772453850905516; "
    "return a < 0 ? 2 - f : f; })(Math.abs(a), Math.abs(a), 200)"
)
RINT_JS = "Math.abs(a) < 2 ** 52 ? Math.sign(a) * (Math.abs(a) + 2 ** 52 - 2 ** 52) : a"  # the sum is rounded to even
