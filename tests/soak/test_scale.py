"""At any size and in any company: no reader recurses, each is linear by count, threads do not meet, memory comes back.

The commands for a million operations and for ten thousand repetitions are growing.py and repeating.py; here is what of them
is cheap. Linear is counted in lines of Python that run, not in time; what one line does at once, as to copy a list or to add
two long integers, only the command sees.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from growing import ENVIRONMENT, fresh, readers, tangle, tree, writers
from repeating import WORKS, Left, Work, alive, circles, interrupted, left_by, small, together, training

from autograd import Tape, Value, derive, draw, first_nonfinite, grad, topological_order, wrong_ways

pytest.importorskip("llvmlite", reason="pip install llvmlite")
pytest.importorskip("latex2mathml", reason="pip install '.[html]'")


@pytest.fixture(autouse=True, scope="module")
def only_what_is_made_here() -> Iterator[None]:
    """The collector need not look again and again at what other tests have left."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def rows_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tapes run row by row, as large ones do: Python's compiling of a small one counts nothing that is ours."""
    monkeypatch.setattr("autograd.tape.replay.LARGEST_SOURCE", 0)


@pytest.mark.slow
def test_no_reader_recurses_and_a_graph_is_dropped_without_recursion() -> None:
    assert len(fresh("tangle", 4000, 0, "seconds")) > 30  # in a process of its own: its threads have room for few frames


@pytest.mark.slow
def test_a_recursion_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENVIRONMENT, "PYTHONPATH", os.pathsep.join((ENVIRONMENT["PYTHONPATH"], str(Path(__file__).parent))))
    program = """
import growing

def depth(node):
    return 1 + max(map(depth, node.parents), default=0)

growing.measure = lambda *_: depth(growing.tangle(200).output)
growing.child("chain", 10, 0, "seconds")
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=ENVIRONMENT)  # noqa: S603, PLW1510  # ours
    assert run.returncode
    assert "RecursionError" in run.stderr


def lines(step: Callable[[], Any]) -> int:
    """How many lines of Python the step runs, a loop's again in every turn."""
    count = 0

    def watch(_: Any, event: str, __: Any) -> Any:
        nonlocal count
        count += event == "line"
        return watch

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        step()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.usefixtures("rows_only")
@pytest.mark.parametrize("shape", [tangle, tree])
def test_every_reader_is_linear(shape: Callable[[int], Any]) -> None:
    for steps, size in ((readers, 200), (writers, 60)):
        small, large = ({name: step for name, step in steps(shape(n)) if "native" not in name} for n in (size, 2 * size))
        for name in small:
            if "refuses" not in name:
                small[name]()
                few, many = lines(small[name]), lines(large[name])
                assert many <= 2.05 * few + 200, (name, few, many)


@pytest.mark.parametrize("work", [work for work, longer in WORKS.items() if longer < 100], ids=lambda work: work.__name__)
def test_threads_do_not_meet(work: Work) -> None:
    assert together(work, list(range(8)), 2)


def test_readers_may_share_a_graph() -> None:
    y, leaves = small(0)
    y.backward()
    tape, derivation = Tape(y, leaves), derive(y, leaves[0])
    native, held = tape.native(), [(node.data, node.grad) for node in topological_order(y)]

    def read(_: int) -> Any:
        texts = str(derivation), derivation.latex(), str(derivation.paths()), str(wrong_ways(y)), draw(y).source, tape.source
        slopes = grad(y, leaves), [g.data for g in grad(y, leaves, create_graph=True)], first_nonfinite(y)
        return texts, slopes, tape([0.1, 0.2, 0.3]), native([0.1, 0.2, 0.3]), (y + leaves[0] * 2).data

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(read, range(16)))
    finally:
        sys.setswitchinterval(interval)
    assert found == [read(0)] * 16
    assert [(node.data, node.grad) for node in topological_order(y)] == held


def test_the_first_use_of_what_is_imported_later_may_be_in_many_threads() -> None:
    program = """
import sys, threading, autograd, nn
sys.setswitchinterval(1e-6)
names, ready, wrong = [*autograd._LATER], threading.Barrier(16), []
def first(k):
    x = autograd.Value(2.0, "x")
    ready.wait()
    try:
        for name in names[k % len(names):] + names[:k % len(names)]:
            getattr(autograd, name)
        d = autograd.derive(x * x, x)
        (str(d), d.latex(), str(d.paths()), d._repr_html_(), autograd.Tape(x * x, x).native()([3.0])) if k % 2 else \
            (autograd.Tape(x * x, x).native()([3.0]), d._repr_html_(), str(d.paths()), d.latex(), str(d))
    except BaseException as error:
        wrong.append(error)
threads = [threading.Thread(target=first, args=(k,)) for k in range(16)]
for t in threads: t.start()
for t in threads: t.join()
print(wrong)
"""
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)  # noqa: S603  # ours
    assert run.stdout == "[]\n"


def test_ten_thousand_steps_leave_nothing_behind() -> None:
    left = left_by(training(0), 10_000, sys.getallocatedblocks)
    assert left.memory < 200
    assert left[1:] == (0, [])


@pytest.mark.parametrize("work", [work for work, longer in WORKS.items() if longer < 1000], ids=lambda work: work.__name__)
def test_no_work_makes_a_circle(work: Work) -> None:
    times = 60 if work is interrupted else 1
    assert left_by(work(0), times, alive) == Left(0, 0, [])


class Mine(Value):
    """What may have attributes."""


def test_a_circle_would_be_seen() -> None:
    def step() -> None:
        x: Any = Mine(1.0)
        x.circle = [x, Value(2.0)]

    left = left_by(step, 5, alive)
    assert left.values == 5
    assert sorted(left.circles) == sorted(["Mine", "Value", "list"] * 5)
    assert circles() == []
