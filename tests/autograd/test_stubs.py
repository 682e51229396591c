"""The stubs for type checkers are those of today's table."""

from __future__ import annotations

from pathlib import Path

import pytest
import stubs


@pytest.mark.parametrize("path", stubs.STUBS)
def test_a_stub_is_what_the_table_gives(path: str) -> None:
    assert Path(stubs.__file__).parents[2].joinpath(path).read_text() == stubs.STUBS[path](), (
        "run python tests/autograd/stubs.py"
    )
