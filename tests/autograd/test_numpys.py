"""Every function of NumPy with a Value: it records, or raises, or is listed here with the reason why neither."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from autograd import Value, grad, topological_order

ANSWERS = set(  # a bool, an index, a shape, a text: no number that has a derivative
    "all allclose any argmax argmin argsort argwhere array2string array_equal array_equiv array_repr array_str count_nonzero "
    "equal flatnonzero greater greater_equal isclose iscomplex iscomplexobj isin isneginf isposinf isreal isrealobj isscalar "
    "iterable less less_equal logical_not logical_or logical_xor may_share_memory min_scalar_type nanargmax nanargmin ndim "
    "not_equal printoptions put putmask place copyto result_type shape shares_memory size issubdtype info bmat can_cast".split()
)
OTHERS = set(  # the result does not depend on the number: its shape alone matters, or a constant was given beside it
    "angle bartlett blackman hamming hanning ediff1d empty_like full_like gradient imag intersect1d ones_like repeat "
    "zeros_like extract setdiff1d real_if_close unique nan_to_num".split()
)
CHOOSES = {"fmin", "fmax", "fix"}  # NumPy compares objects itself; here it has taken the constant beside the Value


def entries(found: Any) -> list[Any]:
    if isinstance(found, np.ndarray):
        return list(found.flat)
    return [entry for part in found for entry in entries(part)] if isinstance(found, list | tuple) else [found]


NOT_ASKED = {"show_config", "show_runtime", "get_include", "test"}
NAMES = [name for name in dir(np) if callable(getattr(np, name)) and not isinstance(getattr(np, name), type)]


@pytest.mark.parametrize("name", sorted(name for name in NAMES if name[0] != "_" and name not in NOT_ASKED))
def test_a_function_of_numpys_records_or_raises_or_is_listed(name: str) -> None:
    for place in range(4):
        v = Value(0.5, "v")
        operands = ((v,), (v, 0.25), (0.25, v), (v, 0.0, 1.0))[place]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = getattr(np, name)(*operands)
        except Exception:  # noqa: BLE001, S112  # that it raises is what is asked
            continue
        recorded = any(isinstance(entry, Value) and v in topological_order(entry) for entry in entries(found))
        assert recorded or name in ANSWERS | OTHERS | CHOOSES, f"numpy.{name} gave {found!r:.80}"


def test_functions_of_arrays_of_values() -> None:
    numbers = np.array([0.5, 2.0, -1.0])
    array = np.array([Value(x) for x in numbers.tolist()])
    for name in ("mean", "std", "var", "prod", "sum"):
        found = getattr(np, name)(array)
        step = 1e-6
        ends = [getattr(np, name)(numbers + at * np.array([step, 0, 0])) for at in (1, -1)]
        assert found.data == pytest.approx(getattr(np, name)(numbers), rel=1e-14)
        assert grad(found, array[0]) == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-6, abs=1e-9)
    assert (array @ array).data == np.dot(array, array).data == pytest.approx(numbers @ numbers)
    assert np.linalg.norm(array).data == pytest.approx(np.linalg.norm(numbers))
    at_two: Any = Value(2.0)
    assert np.polyval(array, at_two).data == pytest.approx(np.polyval(numbers, 2.0))
    assert [v.data for v in np.tan(array)] == pytest.approx(np.tan(numbers), rel=1e-15)
