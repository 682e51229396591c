"""Other libraries with derivatives, where they are installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def jax_of_doubles() -> Iterator[Any]:
    jax = pytest.importorskip("jax")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)  # JAX's way
    try:
        yield jax
    finally:
        jax.config.update("jax_enable_x64", before)
