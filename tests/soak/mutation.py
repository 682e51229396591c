"""How the suite runs under mutation testing (mutants.md): a plugin that conftest loads where mutmut runs the tests."""

from __future__ import annotations

import os
import sys
from itertools import accumulate
from pathlib import Path
from time import process_time

import pytest
from hypothesis import Phase, settings

LEFT_OUT = (  # besides what is marked `slow`
    "__mutmut_",  # a mutant is a copy of its function, with a copy of the doctest
    # what takes about a second, thousands of times
    "test_a_node_takes_at_most_220_bytes",
    "test_killed_at_random_moments_it_ends_where_it_would_have_ended",
    "test_ctrl_c_before_any_line_leaves_what_it_says",
    "test_long_and_deep_texts_end_within_a_second",
    "tests/test_examples.py",
    "tests/soak/test_scale.py",
    # who is warned is counted in frames, what is public in names: a module with mutants has some more
    "test_a_full_disk_is_told_once_and_the_run_goes_on",
    "test_every_public_name_has_its_rows",
    "test_derive_imports_nothing_of_the_page_before_it_is_asked",
)
OURS = tuple(path.stem for path in Path(__file__).parent.glob("*.py"))  # with the tests, what imports the library
AT_IMPORT = Path("ran_at_import.txt")  # in the folder that mutmut makes
SECONDS = 5  # of tests for a mutant, as long as they took without it
ELSEWHERE = {  # modules and packages whose tests stand under another name
    "autograd.__main__": "main",
    "nn.activations": "matrix",
    "nn.arrays": "shapes",
    "nn.files.models": "files",
    "nn.derivation": "derive_matrices",
    "nn.descent": "train",
}

# the same cases in every run; one failure is enough, nobody reads how small it could have been
settings.register_profile(
    "mutation",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=30,
    phases=(Phase.explicit, Phase.generate),
)
settings.load_profile("mutation")


def mutant() -> str:
    """Set by mutmut: the mutant's name, or what it does instead of testing one."""
    return os.environ.get("MUTANT_UNDER_TEST", "")


def room() -> tuple[str, str]:
    """Where the tests of the mutant's module are, or else those of its package, and its doctests."""
    module = mutant().rpartition(".")[0]
    top, package = Path("tests", module.partition(".")[0]), module.rpartition(".")[0]
    names = (ELSEWHERE.get(place, place.rpartition(".")[2]) for place in (module, package))
    found = (path.as_posix() for name in names for path in top.rglob(f"test_{name}.py"))
    return next(found, f"tests/{package.replace('.', '/')}/"), f"{module.replace('.', '/')}.py"


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
    config.args[:] = chosen(config.args)
    if function:
        bounded()
    if function and function in AT_IMPORT.read_text().split():
        config.args[:] = [test for test in config.args if test.startswith(room())] or config.args
        for name in list(sys.modules):
            if name.startswith(("autograd", "nn", "test_", *OURS)):
                del sys.modules[name]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    kept = [item for item in items if not any(name in item.nodeid for name in LEFT_OUT)]
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
