"""How the suite runs under mutation testing (mutants.md); in an ordinary run only hypothesis' deadline is set here."""

from __future__ import annotations

import os
import sys
from pathlib import Path

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
    "tests/test_examples.py",
    "tests/test_scale.py",
    # who is warned is counted in frames, what is public in names: a module with mutants has some more
    "test_a_full_disk_is_told_once_and_the_run_goes_on",
    "test_every_public_name_has_its_rows",
)
OURS = ("planting", "killing", "strangers", "growing", "repeating", "truth", "programs", "test_")  # what imports the library
AT_IMPORT = Path("ran_at_import.txt")  # in the folder that mutmut makes

# the same cases in every run; one failure is enough, nobody reads how small it could have been
settings.register_profile("mutation", derandomize=True, database=None, deadline=None, phases=(Phase.explicit, Phase.generate))
settings.register_profile(
    "suite", deadline=None, max_examples=70
)  # time a case takes says more of the machine than of the code
settings.load_profile("mutation" if "MUTANT_UNDER_TEST" in os.environ else "suite")


def mutant() -> str:
    """Set by mutmut: the mutant's name, or what it does instead of testing one."""
    return os.environ.get("MUTANT_UNDER_TEST", "")


def room() -> tuple[str, str]:
    """Where the tests of the mutant's room are, and its doctests."""
    module = mutant().rpartition(".")[0]
    return f"tests/test_{module.rpartition('.')[2]}.py", f"{module.replace('.', '/')}.py"


def pytest_configure(config: pytest.Config) -> None:
    """The table and the operators are made while the modules are imported: their mutants need an import of their own.

    Every test rests on those functions; only the room's tests are run, which is what its tests are there for.
    """
    function = mutant().rpartition("__mutmut_")[0]
    if function and function in AT_IMPORT.read_text().split():
        config.args[:] = [test for test in config.args if test.startswith(room())] or config.args
        for name in list(sys.modules):
            if name.startswith(("autograd", "nn", *OURS)):
                del sys.modules[name]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The tests of the mutant's room first."""
    if "MUTANT_UNDER_TEST" in os.environ:
        kept = [item for item in items if not any(name in item.nodeid for name in LEFT_OUT)]
        config.hook.pytest_deselected(items=list(set(items) - set(kept)))
        items[:] = sorted(kept, key=lambda item: not item.nodeid.startswith(room()))


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
