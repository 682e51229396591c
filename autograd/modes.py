"""Without a record: `no_grad` computes numbers alone, `stop_gradient` cuts one Value off; `paused_gc` for long recordings."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident

from autograd.recording import unrecorded
from autograd.slopes import one_value
from autograd.value import Value


@contextmanager
def no_grad() -> Iterator[None]:
    """In this block, and in this thread, results are leaves: nothing is recorded, so nothing can be differentiated.

    >>> x = Value(3.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.data, y.parents
    (9.0, ())
    """
    unrecorded.append(get_ident())
    try:
        yield
    finally:
        unrecorded.remove(get_ident())


def stop_gradient(v: Value) -> Value:
    """A leaf of its own with the same number, `v.detach()`: no gradient goes back through it, and in `jvp` no tangent.

    >>> x = Value(3.0)
    >>> (x * stop_gradient(x)).backward()
    >>> x.grad
    3.0
    """
    return (v if hasattr(v, "operate") else one_value(v, "stop_gradient: v")).detach()  # a dual number operates by itself


@contextmanager
def paused_gc() -> Iterator[None]:
    """In this block Python's garbage collector rests, which otherwise walks over the growing graph again and again.

    Graphs have no circles: they are freed without it, when their last reference goes. Other garbage waits until the end.

    >>> import gc
    >>> with paused_gc():
    ...     print(gc.isenabled())
    False
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
