"""Does `nn.diagnose` name the mistakes that `planting` plants?

Run it: python tests/soak/diagnosing.py [500]. It plants every mistake alone and that many random pairs, and prints what is not
named right.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import product
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


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
