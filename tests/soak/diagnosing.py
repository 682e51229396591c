"""Does `nn.diagnose` name the mistakes that `planting` plants?

Run it: python tests/soak/diagnosing.py [500]. It plants every mistake alone, that many random pairs, and a fifth as many
triples and random expressions in a slope or a line; then it leaves out conventions at random, of right passes, some of them
with an L2 penalty, and of wrong ones. It prints what is not as it should be.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice, product
from typing import Any

import numpy as np
import planting
from planting import PLANTS, Config, Mistake, changes, plant

import nn

diagnose: Any = vars(nn).get("diagnose")  # Any: the harness is checked without it


def rng(*seed: Any) -> np.random.Generator:
    return np.random.default_rng([sum(map(ord, str(part))) for part in seed])


def report_on(config: Config, backward: Any, seed: int = 7) -> Any:
    return diagnose(backward, *config.data(seed), **config.options)


def blamed(report: Any) -> set[str]:
    return {name for f in report.findings for name in (f.gradient, *f.consequences)}


def names(finding: Any) -> set[str]:
    return {finding.mistake, *finding.also}


def judge(config: Config, mistakes: Sequence[Mistake], report: Any) -> str:
    """What is wrong with the report on these mistakes; nothing is the empty string."""
    wrong = set(changes(config, mistakes))
    found = [f"{f.mistake} {f.layer}" for f in report.findings]
    if report.ok:
        return "said to be right"
    if blamed(report) - wrong:
        return f"blames {sorted(blamed(report) - wrong)}, which are right; found {found}"
    if len(mistakes) == 1 and wrong - blamed(report):
        return f"does not blame {sorted(wrong - blamed(report))}; found {found}"
    missed = [m for m in mistakes if not any(f.layer == m.layer and m.name in names(f) for f in report.findings)]
    more = [f for f in report.findings if not any(f.layer == m.layer and m.name in names(f) for m in mistakes)]
    return f"found {found}" if missed or more else ""


def reproduced(config: Config, mistakes: Sequence[Mistake], report: Any) -> bool:
    """Do the findings, planted here, give the same numbers? Then they are another explanation, and as good a one."""
    found = {(f.mistake, f.layer) for f in report.findings}
    if len(found) > len(mistakes) or any(name not in PLANTS for name, _ in found):
        return False
    choices = [[Mistake(name, l, v) for v in planting.variants(name, l, config)] for name, l in found]
    return any(planting.equal(config, combined, mistakes) for combined in product(*choices))


def tried(pairs: Iterable[tuple[Config, list[Mistake]]]) -> list[tuple[str, float, Config, list[Mistake]]]:
    """Of each: what is wrong with the report, and the seconds it took."""
    found = []
    for config, chosen in pairs:
        start = time.perf_counter()
        report = report_on(config, plant(config, chosen))
        seconds = time.perf_counter() - start
        verdict = judge(config, chosen, report)
        if verdict.startswith("found") and reproduced(config, chosen, report):
            verdict = ""
        found.append((verdict, seconds, config, chosen))
    return found


def penalised(backward: Any, weights: float, biases: float) -> Any:
    """The pass with an L2 penalty."""
    return lambda p, X, Y: {
        name: g + (weights if name[1] == "W" else biases) * p[name[1:]] for name, g in backward(p, X, Y).items()
    }


def accused(r: np.random.Generator, count: int) -> list[Any]:
    """Right passes, each with any of its conventions left out, with and without a penalty, that are not said to be right."""
    found = []
    for i, config in enumerate(islice(planting.configs(r), count)):
        name = list(planting.CORRECT)[i % len(planting.CORRECT)]
        weights, biases = ((0.0, 0.0), (0.03, 0.0), (0.2, 0.2 if config.bias else 0.0))[int(r.integers(3))]
        backward = penalised(planting.correct(name, config), weights, biases)
        stated = {name: value for name, value in config.options.items() if r.random() < 0.3}
        reports = [diagnose(given, *config.data(7), **stated) for given in (backward, backward(*config.data(7)))]
        found += [(name, (weights, biases), stated, config, repr(report)) for report in reports if not report.ok]
    return found


def unexplained(cases: Iterable[tuple[Config, list[Mistake]]], r: np.random.Generator) -> list[Any]:
    """Wrong passes with conventions left out of which some gradient is explained under no reading; or that take too long."""
    found = []
    for config, chosen in cases:
        stated = {name: value for name, value in config.options.items() if r.random() < 0.5}
        report = diagnose(plant(config, chosen), *config.data(7), **stated)
        if report.unexplained or not (report.ok or report.findings):
            found.append((chosen, stated, config, report.read_as))
    return found


LEAVES = ("a", "z", "1", "2", "sigmoid(z)", "np.tanh(z)", "np.exp(-z)")


def expression(r: np.random.Generator, size: int) -> str:
    """A random formula over what is in scope where a slope is computed."""
    if size == 1:
        return str(r.choice(LEAVES))
    left = int(r.integers(1, size))
    return f"({expression(r, left)} {r.choice(list('*+-'))} {expression(r, size - left)})"


def odd_slope(r: np.random.Generator) -> tuple[Config, str, Any]:
    """A network, a formula, and its right pass but for that formula as the slope of layer 1."""
    while True:
        config, formula = next(planting.configs(r)), expression(r, int(r.integers(2, 5)))
        code = compile(formula, "slope", "eval")

        def slope(s: Any, l: int, code: Any = code) -> Any:
            return s.error(l) * eval(code, {"np": np, "sigmoid": planting.sigmoid, "a": s.A[l], "z": s.Z[l]})  # noqa: S307  # our own

        def backward(p: Any, X: Any, Y: Any, config: Config = config, slope: Any = slope) -> Any:
            run = planting.Pass(config, (), p, X, Y)
            run.wrong["slope", 1] = slope
            return run.gradients()

        right, wrong = plant(config)(*config.data(7))["dW1"], backward(*config.data(7))["dW1"]
        if np.isfinite(wrong).all() and abs(wrong).max() > 1e-6 and not np.allclose(right, wrong, 1e-4):
            return config, formula, backward


def odd_slopes(r: np.random.Generator, count: int) -> list[Any]:
    """Of passes with a random formula as a slope: what is not explained, or blamed wrongly."""
    found = []
    for config, formula, backward in (odd_slope(r) for _ in range(count)):
        report = report_on(config, backward)
        if report.unexplained or blamed(report) - {"dW1", "db1"}:
            found.append((formula, config, repr(report)))
    return found


def triples(r: np.random.Generator) -> tuple[Config, list[Mistake]]:
    """Three mistakes in one random network."""
    while True:
        names = [str(name) for name in r.choice(list(PLANTS), 3, replace=False)]
        try:
            return planting.case(r, names, tries=60)
        except LookupError:
            continue


def show(title: str, results: list[tuple[str, float, Config, list[Mistake]]]) -> None:
    """A table of what was not named right."""
    failed = [result for result in results if result[0]]
    planted = Counter(m.name for *_, chosen in results for m in chosen)
    missed = Counter(m.name for *_, chosen in failed for m in chosen)
    deep = [seconds for _, seconds, config, _ in results if config.depth == 3]
    print(
        f"{title}: {len(results) - len(failed)} of {len(results)} named right, {100 - 100 * len(failed) / len(results):.1f} %"
    )
    print(f"right gradients blamed: {sum(verdict.startswith('blames') for verdict, *_ in failed)}")
    print(f"slowest: {max(result[1] for result in results):.2f} s; of 3 layers: {max(deep, default=0):.2f} s")
    for name, count in missed.most_common():
        print(f"  {name:45} {count:3} of {planted[name]}")
    for verdict, _, config, chosen in failed:
        print(f"  {[tuple(m) for m in chosen]}: {verdict}\n      {config}")


def main(pairs: int) -> None:
    r = rng("command")
    show("alone", tried(planting.case(r, [name]) for name in PLANTS for _ in range(8)))
    show("pairs", tried(planting.random_pair(r) for _ in range(pairs)))
    show("triples", tried(triples(r) for _ in range(pairs // 5)))
    for title, found, count in (
        ("random slopes that are not written out", odd_slopes(r, pairs // 5), pairs // 5),
        ("right passes that are accused, conventions left out", accused(r, pairs), 2 * pairs),
        (
            "wrong passes that are not explained",
            unexplained((planting.random_pair(r) for _ in range(pairs // 5)), r),
            pairs // 5,
        ),
    ):
        print(f"{title}: {len(found)} of {count}", *found, sep="\n  ")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
