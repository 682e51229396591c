"""How the suite runs under mutation testing (mutants.md). In an ordinary run: no deadline of hypothesis, and `fast_disk`."""

from __future__ import annotations

import os
import sys
from itertools import accumulate
from pathlib import Path
from time import process_time

import pytest
from hypothesis import Phase, settings

LEFT_OUT = (
    "__mutmut_",  # a mutant is a copy of its function, with a copy of the doctest
    # what takes seconds, thousands of times
    "test_a_million_operations_record_differentiate_print_and_vanish",
    "test_a_node_takes_at_most_220_bytes",
    "test_pairs_are_named",
    "test_killed_at_random_moments_it_ends_where_it_would_have_ended",
    "test_ctrl_c_before_any_line_leaves_what_it_says",
    "test_long_and_deep_texts_end_within_a_second",
    "test_a_sum_over_more_samples_than_memory_holds_on_a_local_cluster",
    "tests/test_examples.py",
    "tests/test_scale.py",
    # who is warned is counted in frames, what is public in names: a module with mutants has some more
    "test_a_full_disk_is_told_once_and_the_run_goes_on",
    "test_every_public_name_has_its_rows",
    "test_derive_imports_nothing_of_the_page_before_it_is_asked",
)
OURS = ("planting", "killing", "strangers", "growing", "repeating", "truth", "programs", "test_")  # what imports the library
AT_IMPORT = Path("ran_at_import.txt")  # in the folder that mutmut makes
SECONDS = 5  # of tests for a mutant, as long as they took without it
ELSEWHERE = {  # rooms whose tests stand under another name
    "autograd.__main__": "main",
    "autograd.printing": "symbols",
    "autograd.derivation.dialects": "formulas",
    "autograd.derivation.parting": "page",
    "autograd.derivation.telling": "derive",
    "autograd.terminal.remedies": "parse",
    "autograd.terminal.tokens": "parse",
    "nn.activations": "matrix",
    "nn.arrays": "shapes",
    "nn.descent": "train",
    "nn.diagnose": "diagnose",
    "nn.files.checkpoint": "checkpoint",
    "nn.files.models": "files",
    "nn.files.npz": "npz",
}

PHASES = (Phase.explicit, Phase.generate)
# the same cases in every run; one failure is enough, nobody reads how small it could have been
settings.register_profile("mutation", derandomize=True, database=None, deadline=None, max_examples=30, phases=PHASES)
settings.register_profile(
    "suite", deadline=None, max_examples=70
)  # time a case takes says more of the machine than of the code
settings.load_profile("mutation" if "MUTANT_UNDER_TEST" in os.environ else "suite")


@pytest.fixture
def fast_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real disks take ten milliseconds; that `fsync` is called, and when, is a test of its own in test_npz."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


def mutant() -> str:
    """Set by mutmut: the mutant's name, or what it does instead of testing one."""
    return os.environ.get("MUTANT_UNDER_TEST", "")


def room() -> tuple[str, str]:
    """Where the tests of the mutant's room are, and its doctests."""
    module = mutant().rpartition(".")[0]
    rooms = {"nn.derivation.": "derive_matrices", "nn.diagnose.": "diagnose"}
    of_package = next((tests for package, tests in rooms.items() if module.startswith(package)), None)
    tests = of_package or ELSEWHERE.get(module, module.rpartition(".")[2])
    return f"tests/test_{tests}.py", f"{module.replace('.', '/')}.py"


def chosen(tests: list[str]) -> list[str]:
    """The tests of the room and then the others that reach the mutant, the fastest first, until their time is spent."""
    from mutmut.state import state

    took = state().duration_by_test
    ordered = sorted(tests, key=lambda test: (not test.startswith(room()), took.get(test, 0.0), test))
    spent = accumulate(took.get(test, 0.0) for test in ordered)
    return [test for test, seconds in zip(ordered, spent, strict=True) if seconds < SECONDS] or ordered[:1]


def bounded() -> None:
    """A mutant that never ends, or that takes all the memory, is a dead one."""
    import resource

    for kind, most in ((resource.RLIMIT_CPU, int(process_time()) + 4 * SECONDS), (resource.RLIMIT_AS, 2**33)):
        resource.setrlimit(kind, (most, resource.getrlimit(kind)[1]))


def pytest_configure(config: pytest.Config) -> None:
    """The table and the operators are made while the modules are imported: their mutants need an import of their own.

    Every test rests on those functions; only the room's tests are run, which is what its tests are there for.
    """
    function = mutant().rpartition("__mutmut_")[0]
    if "MUTANT_UNDER_TEST" in os.environ:
        config.args[:] = chosen(config.args)
    if function:
        bounded()
    if function and function in AT_IMPORT.read_text().split():
        config.args[:] = [test for test in config.args if test.startswith(room())] or config.args
        for name in list(sys.modules):
            if name.startswith(("autograd", "nn", *OURS)):
                del sys.modules[name]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "MUTANT_UNDER_TEST" in os.environ:
        here = [item for item in items if "browser" not in getattr(item, "fixturenames", ())]  # Chromium takes more than 8 GB
        kept = [item for item in here if not any(name in item.nodeid for name in LEFT_OUT)]
        config.hook.pytest_deselected(items=list(set(items) - set(kept)))
        items[:] = kept


def pytest_collection_finish() -> None:
    if mutant() == "stats":
        AT_IMPORT.write_text("\n".join(sorted(reached())))


def pytest_runtest_setup() -> None:
    """Every test rests on what ran at import."""
    if mutant() == "stats":
        reached().update(AT_IMPORT.read_text().split())


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A mutant with which nothing can be imported is a dead one, not a run that somebody interrupted."""
    if mutant() and session.exitstatus in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.USAGE_ERROR):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def reached() -> set[str]:
    """The functions that mutmut has seen running since the last test ended."""
    from mutmut.state import state

    functions: set[str] = state()._stats
    return functions
