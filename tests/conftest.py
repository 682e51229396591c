"""For every test: no deadline of hypothesis, and `fast_disk`. Under mutation testing a plugin does more."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

pytest_plugins = ["mutation"] if "MUTANT_UNDER_TEST" in os.environ else []  # tests/soak/mutation.py

# the time that a case takes says more of the machine than of the code
settings.register_profile("suite", deadline=None, max_examples=70)
settings.load_profile("suite")


@pytest.fixture
def fast_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real disks take ten milliseconds; that `fsync` is called, and when, is a test of its own in test_npz."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture(autouse=True)
def _table() -> Iterator[None]:
    """What a test registers is gone after it."""
    from autograd.operations import OPERATIONS  # under mutation testing a plugin comes first

    before = dict(OPERATIONS)
    yield
    if before != OPERATIONS:
        OPERATIONS.clear()
        OPERATIONS.update(before)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs a browser is slow."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("slow")
