"""`fit` with a checkpoint: killed, stopped, starved of disk, it ends bit for bit where an undisturbed run ends.

A few kills are here. More, at random moments: `python tests/soak/killing.py 100`, and with Ctrl-C
`python tests/soak/killing.py 50 0 SIGINT`.
"""

from __future__ import annotations

import errno
import hashlib
import os
import random
import re
import shutil
import subprocess
import sys
import textwrap
import time
import warnings
from itertools import islice
from pathlib import Path
from typing import Any

import killing
import numpy as np
import pytest

import nn
from nn import LOSSES, History, MatrixMLP, fit
from nn.arrays import plain
from nn.files.checkpoint import _past
from nn.files.npz import write
from nn.train import _stops

SETTINGS = [
    ("half_squared_error", ("sigmoid", "sigmoid"), True, None),
    ("half_squared_error", ("tanh", "sigmoid"), False, None),
    ("binary_cross_entropy", ("relu", "tanh", "sigmoid"), True, None),
    ("softmax_cross_entropy", ("relu", "linear"), True, 3),
    ("mean_squared_error", ("linear",), False, 2),
]
NUMBERS = np.random.default_rng(0)
X, Y = NUMBERS.normal(size=(6, 3)), np.eye(2)[[0, 1, 1, 0, 1, 0]]
pytestmark = pytest.mark.usefixtures("fast_disk")


def start(setting: int = 0, rng: int = 0) -> MatrixMLP:
    _, activations, bias, networks = SETTINGS[setting]
    return MatrixMLP.random([3, *[4] * (len(activations) - 1), 2], activations, bias, rng=rng, networks=networks)


def train(model: MatrixMLP, steps: int, path: Path | None = None, setting: int = 0, **changed: Any) -> History:
    arguments = {"X": X, "Y": Y, "learning_rate": 0.05, "loss": SETTINGS[setting][0], "report_every": 7, **changed}
    return fit(model, steps=steps, checkpoint=path, **arguments)


def bits(model: MatrixMLP, history: History | None = None) -> list[tuple[Any, ...]]:
    found = [*model.weights, *(model.biases or ()), *(map(np.array, history) if history else ())]
    return [(a.shape, a.dtype, a.tobytes()) for a in found]


def undisturbed(steps: int, setting: int = 0, **changed: Any) -> list[tuple[Any, ...]]:
    model = start(setting)
    return bits(model, train(model, steps, setting=setting, **changed))


def step_in(path: Path) -> int:
    return int(np.load(path)["step"])


# -- going on


@pytest.mark.parametrize("again", ["the initial model", "the same model", "the model of the file"])
@pytest.mark.parametrize("setting", range(len(SETTINGS)))
@pytest.mark.parametrize("stops", [(0, 30), (14, 30), (15, 16, 30), (30, 30)])
def test_more_steps_go_on_to_where_an_undisturbed_run_ends(
    stops: tuple[int, ...], setting: int, again: str, tmp_path: Path
) -> None:
    path = tmp_path / "run.npz"
    model = start(setting)
    history = train(model, stops[0], path, setting)
    for steps in stops[1:]:
        model = {"the initial model": start(setting), "the same model": model, "the model of the file": nn.load(path)}[again]
        history = train(model, steps, path, setting)
    assert bits(model, history) == undisturbed(stops[-1], setting)
    assert bits(nn.load(path)) == bits(model)
    assert [type(x) for part in history for x in part] == [
        type(x) for part in train(start(setting), 30, None, setting) for x in part
    ]


def test_the_initial_model_stays_the_start_after_going_on_with_a_trained_one(tmp_path: Path) -> None:
    path, model = tmp_path / "run.npz", start()
    train(model, 5, path)
    train(model, 20, path)
    model = start()
    assert bits(model, train(model, 30, path)) == undisturbed(30)


def test_it_goes_on_and_does_not_begin_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.npz"
    train(start(), 20, path)
    loss, calls = LOSSES["half_squared_error"], list[int]()

    def evaluate(*arrays: Any) -> Any:
        calls.append(1)
        return loss.evaluate(*arrays)

    monkeypatch.setitem(LOSSES, loss.name, loss._replace(evaluate=evaluate))
    train(start(), 25, path, report_every=7, checkpoint_every=100)
    assert len(calls) == 5 + 3  # steps 20 to 24; the entries of 21 and 25, and the checkpoint of 25
    calls.clear()
    assert train(start(), 25, path).steps == [0, 7, 14, 21, 25]
    assert len(calls) == 1  # before it is written, or would be: it is finished


def test_without_report_every_the_history_is_first_and_last(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    train(start(), 10, path, report_every=None)
    assert train(start(), 20, path, report_every=None).steps == [0, 20]


@pytest.mark.parametrize(
    ("every", "steps", "written"),
    [(10, 35, [0, 10, 20, 30, 35]), (None, 40, [*range(0, 41, 4)]), (None, 5, [*range(6)]), (50, 3, [0, 3])],
)
def test_it_is_written_at_the_start_every_so_often_and_at_the_end(
    every: int | None, steps: int, written: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def noted(path: str, arrays: Any) -> None:
        seen.append(int(arrays["step"]))
        write(path, arrays)

    monkeypatch.setattr("nn.files.checkpoint.write", noted)
    train(start(), steps, tmp_path / "run.npz", checkpoint_every=every)
    assert seen == written


def test_equal_numbers_of_any_kind_and_layout_are_the_same_data(tmp_path: Path) -> None:
    data, targets = np.round(X, 2).astype(np.float32), Y.astype(int)
    want = undisturbed(30, X=data, Y=targets)
    kinds = [
        (data.tolist(), targets.tolist()),
        (np.asfortranarray(data), np.asfortranarray(targets)),
        (data[::-1][::-1], targets),
    ]
    for number, (x, y) in enumerate(kinds):
        path = tmp_path / f"{number}.npz"
        train(start(), 12, path, X=data, Y=targets)
        model = start()
        assert bits(model, train(model, 30, path, X=x, Y=y)) == want


def test_the_layout_of_large_samples_changes_no_bit() -> None:
    x = np.random.default_rng(0).normal(size=(257, 61))
    y = x[:, :3] > 0
    models = [MatrixMLP.random([61, 17, 3], bias=False, rng=0) for _ in range(2)]
    for model, samples in zip(models, (x, np.asfortranarray(x)), strict=True):
        fit(model, samples, y, 20, 0.001)
    assert bits(models[0]) == bits(models[1])


def test_killed_at_random_moments_it_ends_where_it_would_have_ended(tmp_path: Path) -> None:
    moments = random.Random(0)  # noqa: S311  # no secret
    outcome = killing.kill_and_go_on(0, 1500, 25, 3, tmp_path, 0.2, moments)
    assert outcome.right
    assert tmp_path / "run0.npz" in tmp_path.iterdir()


def test_leftovers_of_this_path_are_removed_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    train(start(), 5, path)
    mine, others = ".run.npz.0123456789abcdef.part", [".run.npz.part", ".run_npz.0123456789abcdef.part", "run.npz.bak"]
    for name in (mine, *others):
        (tmp_path / name).write_bytes(b"")
    train(start(), 6, path)
    assert (tmp_path / mine).exists(), "it may be of a process that is running"
    for name in (mine, *others):
        os.utime(tmp_path / name, (0, 0))
    train(start(), 7, path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["run.npz", *others])


def test_leftovers_of_a_first_writing_that_was_killed_are_removed_too(tmp_path: Path) -> None:
    (tmp_path / ".run.npz.0123456789abcdef.part").write_bytes(b"")
    os.utime(tmp_path / ".run.npz.0123456789abcdef.part", (0, 0))
    train(start(), 3, tmp_path / "run.npz")
    assert list(tmp_path.iterdir()) == [tmp_path / "run.npz"]


def test_a_run_without_end_can_begin() -> None:
    assert list(islice(_stops(0, 10**18, [4, 10**9]), 3)) == [0, 4, 8]  # one by one: a list of them would fill the memory


# -- Ctrl-C


def refusing(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def refusing_with(error: type[BaseException]) -> Any:
    def refuse(*_: Any, **__: Any) -> None:
        raise error

    return refuse


WRITING = [(os, "fsync"), (np.lib.format, "write_array"), (Path, "replace")]


def interrupting(function: Any, calls: int) -> Any:
    """The function, that does as Ctrl-C would at the end of its call of that number."""
    count = iter(range(1, 10**9))

    def interrupted(*inputs: Any, **named: Any) -> Any:
        result = function(*inputs, **named)
        if next(count) == calls:
            raise KeyboardInterrupt
        return result

    return interrupted


@pytest.mark.parametrize("call", [1, 2, 9, 10, 23])
@pytest.mark.parametrize("setting", [0, 3])
@pytest.mark.parametrize("again", ["the initial model", "the same model"])
def test_ctrl_c_keeps_the_step_and_the_same_call_goes_on(
    again: str, setting: int, call: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, loss, model = tmp_path / "run.npz", LOSSES[SETTINGS[setting][0]], start(setting)
    with monkeypatch.context() as patch:
        patch.setitem(LOSSES, loss.name, loss._replace(evaluate=interrupting(loss.evaluate, call)))
        with pytest.raises(KeyboardInterrupt) as caught:
            train(model, 30, path, setting, checkpoint_every=11)
    at = step_in(path)
    said = f"fit: stopped after {at} of 30 steps; the model holds their weights, and so does {path}; the same call goes on"
    assert str(caught.value) == f"{said} from there"
    assert bits(nn.load(path)) == bits(model)
    history = caught.value.history  # type: ignore[attr-defined]  # fit put it there
    assert len({len(part) for part in history}) == 1
    assert history.steps == [step for step in (0, 7, 14, 21, 28) if step < at or (step == at and step in history.steps)]
    model = start(setting) if again == "the initial model" else model
    assert bits(model, train(model, 30, path, setting)) == undisturbed(30, setting)


@pytest.mark.parametrize("where", WRITING)
@pytest.mark.parametrize("call", [1, 2, 3, 5, 12])
def test_ctrl_c_while_writing_leaves_a_whole_file(
    where: tuple[Any, str], call: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, model = tmp_path / "run.npz", start()
    train(model, 5, path)
    with monkeypatch.context() as patch:
        patch.setattr(*where, interrupting(getattr(*where), call))
        with pytest.raises(KeyboardInterrupt, match="the same call goes on"):
            train(model, 30, path, checkpoint_every=2)
    assert list(tmp_path.iterdir()) == [path]
    assert bits(nn.load(path)) == bits(model)
    assert bits(model, train(model, 30, path)) == undisturbed(30)


def test_ctrl_c_without_a_checkpoint_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    model, loss = start(), LOSSES["half_squared_error"]
    with monkeypatch.context() as patch:
        patch.setitem(LOSSES, loss.name, loss._replace(evaluate=interrupting(loss.evaluate, 15)))
        with pytest.raises(
            KeyboardInterrupt, match=r"stopped after 12 of 30 steps.* weights; fit\(\.\.\., steps=18\) goes on"
        ) as caught:
            train(model, 30)
    assert caught.value.history.steps == [0, 7]  # type: ignore[attr-defined]  # fit put it there
    train(model, 18)
    assert bits(model) == undisturbed(30)[: len(bits(model))]


def test_ctrl_c_within_an_entry_leaves_whole_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nn.descent.plain", interrupting(plain, 4))  # the mean error of the second entry
    with pytest.raises(KeyboardInterrupt) as caught:
        train(start(), 30)
    assert [len(part) for part in caught.value.history] == [1, 1, 1]  # type: ignore[attr-defined]  # fit put it there


def test_ctrl_c_on_a_full_disk_names_the_step_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, loss, model = tmp_path / "run.npz", LOSSES["half_squared_error"], start()
    train(model, 5, path)
    with monkeypatch.context() as patch:
        patch.setattr("nn.files.checkpoint.write", refusing)
        patch.setitem(LOSSES, loss.name, loss._replace(evaluate=interrupting(loss.evaluate, 10)))
        said = (
            f"and {path} those of step 5; the same call, with the model as it was at the start or as nn.load reads it, goes on"
        )
        with pytest.warns(RuntimeWarning), pytest.raises(KeyboardInterrupt, match=said):
            train(start(), 30, path, checkpoint_every=100)
    before = path.read_bytes()
    for model in (start(), nn.load(path)):
        path.write_bytes(before)
        assert bits(model, train(model, 30, path)) == undisturbed(30)


@pytest.mark.parametrize("where", WRITING)
def test_ctrl_c_twice_says_how_to_go_on(where: tuple[Any, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, loss, model = tmp_path / "run.npz", LOSSES["half_squared_error"], start()
    train(model, 5, path)
    with monkeypatch.context() as patch:
        patch.setitem(LOSSES, loss.name, loss._replace(evaluate=interrupting(loss.evaluate, 10)))
        patch.setattr(*where, refusing_with(KeyboardInterrupt))
        with pytest.raises(
            KeyboardInterrupt, match=r"stopped after 13 of 30 steps.*those of step 5; the same call, with"
        ) as caught:
            train(model, 30, path, checkpoint_every=100)
    assert caught.value.history.steps == [0, 7]  # type: ignore[attr-defined]  # fit put it there
    assert list(tmp_path.iterdir()) == [path]
    assert bits(model) == undisturbed(13)[: len(bits(model))]
    model = start()
    assert bits(model, train(model, 30, path)) == undisturbed(30)


def at_line(number: int, within: str = "") -> Any:
    """A trace function that does as Ctrl-C would before the line of `nn` of that number, counted as they are run.

    Within the function of that name, if there is one.
    """
    lines = iter(range(1, 10**9))

    def trace(frame: Any, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.startswith(os.path.dirname(nn.__file__)):  # noqa: PTH120  # it is called very often
            return None
        if event == "line" and within in ("", frame.f_code.co_name) and next(lines) == number:
            raise KeyboardInterrupt
        return trace

    return trace


def test_ctrl_c_while_the_weights_are_put_into_the_model_leaves_no_mixture(tmp_path: Path) -> None:
    want, number = undisturbed(8)[:4], 0
    while True:
        model, number, before = start(), number + 1, sys.gettrace()
        sys.settrace(at_line(number, "keep"))
        try:
            train(model, 8, tmp_path / f"{number}.npz")
            break
        except KeyboardInterrupt as stopped:
            assert "stopped after 8 of 8 steps" in str(stopped)  # noqa: PT017  # or it ends
            assert bits(model) == want
        finally:
            sys.settrace(before)
    assert number > 4


def test_ctrl_c_before_any_line_leaves_what_it_says(tmp_path: Path) -> None:
    path, told, number = tmp_path / "run.npz", 0, 1
    states = [undisturbed(steps)[:4] for steps in range(9)]
    while True:
        path.unlink(missing_ok=True)
        train(start(), 1, path)
        model, number, before = start(), number + 101, sys.gettrace()
        sys.settrace(at_line(number))
        try:
            train(model, 8, path, checkpoint_every=3)
            break
        except KeyboardInterrupt as stopped:
            sys.settrace(before)
            said = re.match(r"fit: stopped after (\d) of 8 steps", str(stopped))
            assert bits(model) == states[int(said[1]) if said else 0]  # before the training there is nothing to say
            assert bits(nn.load(path)) == bits(model) or not said
            told += said is not None
        finally:
            sys.settrace(before)
        assert bits(model, train(model, 8, path)) == undisturbed(8)
    assert told > 10


def test_ctrl_c_after_an_overflow_keeps_finite_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, model, loss = tmp_path / "run.npz", MatrixMLP([[[0.01]]]), LOSSES["half_squared_error"]
    monkeypatch.setitem(LOSSES, loss.name, loss._replace(evaluate=interrupting(loss.evaluate, 4)))
    with pytest.raises(KeyboardInterrupt, match="fit: stopped after 0 of 5 steps"):  # its weight became -inf, the loss finite
        fit(model, [[100.0]], [[-100.0]], 5, 1e307, checkpoint=path, checkpoint_every=5)
    assert (step_in(path), nn.load(path).weights[0].tolist(), model.weights[0].tolist()) == (0, [[0.01]], [[0.01]])


# -- disks that refuse


@pytest.mark.parametrize("where", WRITING)
def test_a_full_disk_is_told_once_and_the_run_goes_on(
    where: tuple[Any, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, model = tmp_path / "run.npz", start()
    train(start(), 5, path)
    before = path.read_bytes()
    monkeypatch.setattr(*where, refusing)
    with pytest.warns(RuntimeWarning) as told:
        history = train(model, 30, path, checkpoint_every=3)
    (warning,) = told
    monkeypatch.undo()
    said = f"checkpoint='{path}' could not be written at step 6 .*No space left .*; it still holds step 5; "
    said += "the training goes on, tries again at every checkpoint, and will not say this again$"
    assert re.search(said, str(warning.message))
    assert (warning.filename, warning.lineno) == (__file__, train.__code__.co_firstlineno + 2)  # where `fit` is called
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    assert bits(model, history) == undisturbed(30)
    model = start()
    assert bits(model, train(model, 30, path)) == undisturbed(30)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_a_limit_of_the_system_on_the_size_of_files_is_no_end(tmp_path: Path) -> None:
    program = """
        import resource, signal, sys, warnings
        from pathlib import Path
        sys.path.insert(0, sys.argv[2])
        from killing import result
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        result(0, 5, Path(sys.argv[1]))
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            print(result(0, 30, Path(sys.argv[1]), 3))
        print(len(told), "File too large" in str(told[0].message))
    """
    path = tmp_path / "run.npz"
    command = [sys.executable, "-c", textwrap.dedent(program), str(path), str(Path(killing.__file__).parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  # this test's own program
    assert done.stdout.split() == [killing.result(0, 30), "1", "True"]
    assert step_in(path) == 5
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("returns", [False, True])
def test_a_folder_that_vanishes_is_no_end(returns: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, model, loss, calls = tmp_path / "disk", start(), LOSSES["half_squared_error"], []

    def evaluate(*arrays: Any) -> Any:
        calls.append(1)
        if len(calls) == 12:
            shutil.rmtree(folder)
        if len(calls) == 25 and returns:
            folder.mkdir()
        return loss.evaluate(*arrays)

    folder.mkdir()
    monkeypatch.setitem(LOSSES, loss.name, loss._replace(evaluate=evaluate))
    with pytest.warns(RuntimeWarning, match=r"there is no such folder.*; it is gone; the tr") as told:
        history = train(model, 30, folder / "run.npz", checkpoint_every=3)
    monkeypatch.undo()
    assert len(told) == 1
    assert bits(model, history) == undisturbed(30)
    assert (folder / "run.npz").exists() == returns
    if returns:
        assert step_in(folder / "run.npz") == 30


def test_what_cannot_be_written_at_the_start_is_raised_and_the_model_untouched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = start()
    with pytest.raises(FileNotFoundError, match=f"there is no such folder: '{tmp_path}/none'"):
        train(model, 30, tmp_path / "none" / "run.npz")
    monkeypatch.setattr("nn.files.checkpoint.write", refusing)
    with pytest.raises(OSError, match="No space left"):
        train(model, 30, tmp_path / "run.npz")
    assert bits(model) == bits(start())


def test_a_run_that_diverges_keeps_its_last_good_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    for _ in range(2):
        model = start(4)
        with pytest.raises(nn.DivergedError) as caught:
            train(model, 10_000, path, 4, learning_rate=5.0, checkpoint_every=2)
        assert caught.value.kept == caught.value.step - 1
        assert 0 < step_in(path) <= caught.value.kept
        assert all(np.isfinite(a).all() for a in nn.load(path).weights)


def test_what_fails_right_where_it_goes_on_keeps_the_weights_of_the_file(tmp_path: Path) -> None:
    path, model = tmp_path / "run.npz", MatrixMLP([[[0.5]]], activations="linear")
    fit(model, [[1.0]], [[3.0]], 5, 0.1, checkpoint=path)
    write(str(path), {**np.load(path), "0.weight": np.array([[1e200]])})
    model = MatrixMLP([[[0.5]]], activations="linear")
    with pytest.raises(
        nn.DivergedError, match="at step 5 the loss is inf; the model holds the finite weights of step 5;"
    ) as caught:
        fit(model, [[1.0]], [[3.0]], 9, 0.1, checkpoint=path)
    assert (caught.value.step, caught.value.kept) == (5, 5)
    assert model.weights[0].tolist() == [[1e200]]


def test_weights_that_are_not_finite_are_not_written(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    model = MatrixMLP([[[0.01]]])
    with pytest.raises(nn.DivergedError, match="the weights are no longer finite"):
        fit(model, [[100.0]], [[-100.0]], 5, 1e307, checkpoint=path, checkpoint_every=1)
    assert step_in(path) == 0


# -- another run


OTHERS: list[tuple[str, dict[str, Any]]] = [
    ("X", {"X": X + 1e-15}),
    ("X", {"X": X[:5], "Y": Y[:5]}),
    ("Y", {"Y": Y[::-1]}),
    ("loss", {"loss": "mean_squared_error"}),
    ("learning_rate", {"learning_rate": 0.05000000000000001}),
    ("report_every", {"report_every": 8}),
    ("report_every", {"report_every": None}),
]


@pytest.mark.parametrize(("named", "changed"), OTHERS)
def test_another_run_is_refused_by_what_differs(named: str, changed: dict[str, Any], tmp_path: Path) -> None:
    path, model = tmp_path / "run.npz", start()
    train(start(), 5, path)
    before = path.read_bytes()
    with pytest.raises(
        ValueError, match=f"checkpoint='{path}': it is of another run: {named} .* there(, .*| than) here.*choose another path"
    ) as e:
        train(model, 30, path, **changed)
    others = {name for name, _ in OTHERS} - {named, *changed}
    assert not any(f"; {name} " in str(e.value) or f": {name} " in str(e.value) for name in others)
    assert path.read_bytes() == before
    assert bits(model) == bits(start())


@pytest.mark.parametrize(
    ("named", "other"),
    [
        ("weights at the start", MatrixMLP.random([3, 4, 2], rng=1)),
        ("activations", MatrixMLP.random([3, 4, 2], "tanh", rng=0)),
        ("shapes of the weights", MatrixMLP.random([3, 5, 2], rng=0)),
        ("shapes of the weights", MatrixMLP.random([3, 4, 2], rng=0, bias=False)),
        ("shapes of the weights", MatrixMLP.random([3, 4, 2], rng=0, networks=1)),
        ("shapes of the weights", MatrixMLP.random([3, 4, 4, 2], rng=0)),
    ],
)
def test_another_network_is_refused(named: str, other: MatrixMLP, tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    train(start(), 5, path)
    with pytest.raises(ValueError, match=f"it is of another run: .*{named}"):
        train(other, 30, path)


def test_fewer_steps_than_there_are_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    train(start(), 10, path)
    said = "is at step 10, and steps=9 counts from the start of the run; give more, or nn.load it"
    with pytest.raises(ValueError, match=f"^checkpoint={str(path)!r} {said}$"):
        train(start(), 9, path)


# -- no checkpoint


def foreign(path: Path) -> dict[str, Any]:
    train(start(), 20, path)
    good, arrays = path.read_bytes(), dict(np.load(path))
    nn.save(start(), path)
    found: dict[str, Any] = {
        "a model": path.read_bytes(),
        "empty": b"",
        "text": b"epoch,loss\n1,2\n",
        "a pickle": b"\x80\x04}.",
    }
    changes: dict[str, dict[str, Any]] = {
        "negative": {"step": np.array(-1)},
        "negative, without a history": {"step": np.array(-1), **dict.fromkeys(nn.files.models.RUN[2:], np.array([], int))},
        "a float step": {"step": np.array(20.0)},
        "two steps": {"step": np.array([20, 20])},
        "a history of the future": {"step": np.array(13)},
        "a history backwards": {"history.steps": arrays["history.steps"][::-1]},
        "a step twice": {"history.steps": np.array([0, 7, 7, 20])},
        "a history of floats": {"history.steps": arrays["history.steps"] * 1.0},
        "a history of columns": {"history.steps": arrays["history.steps"][:, None]},
        "a short history": {"history.losses": arrays["history.losses"][1:]},
        "another short history": {"history.mean_errors": arrays["history.mean_errors"][1:]},
        "a history of letters that are none": {"history.losses": np.ndarray((4,), "<U1", b"\xff" * 16)},
        "a history of text": {"history.mean_errors": np.array(["1", "2", "3", "4"])},
        "a wide history": {"history.losses": np.stack([arrays["history.losses"]] * 2, 1)},
        "nan": {"0.weight": arrays["0.weight"] * np.nan},
        "transposed": {"0.weight": arrays["0.weight"].T.copy(), "2.weight": arrays["2.weight"].T.copy()},
        "wider": {"0.weight": np.ones((5, 3)), "2.weight": np.ones((2, 5)), "0.bias": np.ones(5)},
        "text weights": {"0.weight": np.array([["a"]])},
        "no words": {"run": np.ones((4, 2))},
        "odd words": {"run": arrays["run"].ravel()[:3]},
        "another entry": {"0.weights": arrays["0.weight"]},
    }
    for name, change in changes.items():
        write(str(path), {**arrays, **change})
        found[name] = path.read_bytes()
    for name in nn.files.models.RUN:
        write(str(path), {key: a for key, a in arrays.items() if key != name})
        found[f"no {name}"] = path.read_bytes()
    for cut in (1, 21, 22, 23, len(good) // 2, len(good) - 4):
        found[f"cut by {cut}"] = good[:-cut]
    return found


def test_what_is_no_checkpoint_of_this_run_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    for name, content in foreign(path).items():
        path.write_bytes(content)
        model = start()
        with pytest.raises(ValueError, match=f"checkpoint='{path}': .*it was left as it is") as caught:
            train(model, 30, path)
        assert "Error" not in str(caught.value), name
        assert path.read_bytes() == content, name
        assert bits(model) == bits(start()), name
    path.unlink()
    path.mkdir()
    with pytest.raises(ValueError, match="it is not a file"):
        train(start(), 30, path)


def without(arrays: dict[str, Any], setting: str) -> Any:
    return np.array([row for row in arrays["run"] if row[0] != setting])


DAMAGES: list[tuple[dict[str, Any], Any, str]] = [  # arguments that are changed, entries that are, and what is said
    ({}, lambda a: {"run": None}, "it is no checkpoint; it has no entry 'run'"),
    ({}, lambda a: {"history.mean_errors": None}, "it is no checkpoint; it has no entry 'history.mean_errors'"),
    ({}, lambda a: {"run": without(a, "loss")}, "it is no checkpoint; its run has no 'loss'"),
    ({}, lambda a: {"run": without(a, "weights at the start")}, "it is no checkpoint; its run has no 'weights at the start'"),
    ({}, lambda a: {"0.weight": a["0.weight"] * np.nan}, "its weights are not finite"),
    ({}, lambda a: {"0.weight": np.ones((5, 3)), "2.weight": np.ones((2, 5)), "0.bias": np.ones(5)},
     "its weights have other shapes than it says"),
    ({"X": X + 1.0, "loss": "mean_squared_error"}, lambda a: {},
     "it is of another run: loss 'half_squared_error' there, 'mean_squared_error' here; X other numbers there than here"),
    ({"X": X[:5], "Y": Y[:5]}, lambda a: {}, "it is of another run: X (6, 3) there, (5, 3) here; Y (6, 2) there, (5, 2) here"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "damage", "said"), DAMAGES, ids=[said for *_, said in DAMAGES])
def test_the_whole_of_what_is_said_about_a_file_of_another_run(
    changed: dict[str, Any], damage: Any, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "run.npz"
    train(start(), 5, path)
    arrays = dict(np.load(path))
    write(str(path), {name: a for name, a in {**arrays, **damage(arrays)}.items() if a is not None})
    with pytest.raises(ValueError, match=r"^checkpoint=") as caught:
        train(start(), 9, path, **changed)
    assert str(caught.value) == (f"checkpoint={str(path)!r}: {said}; it was left as it is: choose another path, or remove it")


def test_a_trained_model_with_other_activations_is_told_the_activations_alone(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    train(start(), 5, path)
    other = MatrixMLP(nn.load(path).weights, nn.load(path).biases, "tanh")
    with pytest.raises(
        ValueError, match="it is of another run: activations sigmoid sigmoid there, tanh tanh here; it was left"
    ):
        train(other, 9, path)


def test_a_model_may_be_as_large_as_any(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, size = tmp_path / "run.npz", 2 * 8 * (3 * 4 + 4 * 2 + 4 + 2)  # twice the bytes of the weights and biases
    train(start(), 5, path)
    monkeypatch.setattr("nn.files.checkpoint.LIMIT", path.stat().st_size - size)
    assert train(start(), 9, path).steps == [0, 7, 9]
    monkeypatch.setattr("nn.files.checkpoint.LIMIT", 0)
    with pytest.raises(
        ValueError, match=rf"^checkpoint=.* bytes, more than max_bytes={size}; raise that if you trust the file;"
    ):
        train(start(), 9, path)


def test_a_changed_byte_is_refused_or_changes_nothing(tmp_path: Path) -> None:
    path, want, numbers = tmp_path / "run.npz", undisturbed(30), random.Random(1)  # noqa: S311  # no secret
    train(start(), 20, path)
    good, refused = path.read_bytes(), 0
    for _ in range(150):
        bad = bytearray(good)
        bad[numbers.randrange(len(bad))] ^= numbers.randrange(1, 256)
        path.write_bytes(bad)
        model = start()
        try:
            found = bits(model, train(model, 30, path))
        except ValueError as error:
            assert "it was left as it is" in str(error)  # noqa: PT017  # either is right, and this has to be said
            refused += 1
        else:
            assert found == want
    assert refused > 100


@pytest.mark.parametrize(
    ("path", "error", "said"),
    [
        ("run.pt", ValueError, "path='run.pt' has to end in .npz"),
        ("run", ValueError, "path='run' has to end in .npz"),
        (b"run.npz", TypeError, "path=b'run.npz' is no path"),
        (True, TypeError, "path=True is no path"),
        ("a\0.npz", ValueError, "has a character in it that no file's name may have"),
    ],
)
def test_paths_that_are_none(path: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        train(start(), 3, path)


@pytest.mark.parametrize("every", [0, -1, 1.5, True, "3"])
def test_checkpoint_every_is_a_whole_number(every: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"checkpoint_every=.* has to be a whole number from 1 up"):
        train(start(), 3, tmp_path / "run.npz", checkpoint_every=every)
    assert not list(tmp_path.iterdir())


def test_checkpoint_every_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="checkpoint_every=5 needs checkpoint="):
        train(start(), 3, checkpoint_every=5)


def test_nothing_is_told_where_all_is_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(start(), 30, tmp_path / "run.npz")
    assert capsys.readouterr() == ("", "")


HISTORY = {"step": 20, "history.steps": [0, 7, 20], "history.losses": [3.0, 2.0, 1.0], "history.mean_errors": [0.3, 0.2, 0.1]}
NO_ENTRIES = {name: np.zeros(0, int if name == "history.steps" else float) for name in nn.files.models.RUN[2:]}
NO_WHOLE = "its step or its history is not made of whole numbers"
NO_STEPS = "its history is not one of the steps up to its own"
NO_SHAPE = "its history has other shapes than its steps"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"step": [20]}, NO_WHOLE),
        ({"step": 20.0}, NO_WHOLE),
        ({"history.steps": [0.0, 7.0, 20.0]}, NO_WHOLE),
        ({"history.steps": [[0], [7], [20]]}, NO_WHOLE),
        ({"step": 19}, NO_STEPS),
        ({"step": -1, **NO_ENTRIES}, NO_STEPS),
        ({"history.steps": [-1, 7, 20]}, NO_STEPS),
        ({"history.steps": [7, 0, 20]}, NO_STEPS),
        ({"history.steps": [0, 7, 7]}, NO_STEPS),
        ({"history.losses": [3, 2, 1]}, "the losses and errors of its history are not floats"),
        ({"history.losses": [3.0, 2.0]}, NO_SHAPE),
        ({"history.mean_errors": [[0.3], [0.2], [0.1]]}, NO_SHAPE),
    ],
)
def test_a_history_that_makes_no_sense_is_refused_with_what_is_wrong(change: dict[str, Any], said: str) -> None:
    saved = {name: np.asarray(entry) for name, entry in {**HISTORY, **change}.items()}
    with pytest.raises(ValueError, match=f"^{said}$"):
        _past(saved, ())


def test_a_history_is_read_as_it_was_written() -> None:
    saved = {name: np.asarray(entry) for name, entry in HISTORY.items()}
    assert _past(saved, ()) == (20, ([0, 7, 20], [3.0, 2.0, 1.0], [0.3, 0.2, 0.1]))
    assert _past({**saved, **NO_ENTRIES}, (2,)) == (20, ([], [], []))
    single = {**saved, "history.losses": np.array([3, 2, 1], np.float32)}
    assert [type(loss) for loss in _past(single, ())[1][1]] == [float] * 3


def test_the_digests_of_a_run_stand_in_its_file_as_they_are(tmp_path: Path) -> None:
    path, model = tmp_path / "run.npz", start()
    train(start(), 5, path)
    run = dict(np.load(path)["run"].tolist())
    assert run["activations"] == "sigmoid sigmoid"
    assert run["X"] == f"(6, 3) {hashlib.sha256(X.astype('<f8').tobytes()).hexdigest()}"
    assert run[nn.files.checkpoint.SHAPES] == "(3, 4) (4, 2) (4,) (2,)"
    parameters = b"".join(a.astype("<f8").tobytes() for a in (*model.weights, *(model.biases or ())))
    assert run[nn.files.checkpoint.START] == hashlib.sha256(parameters).hexdigest()


# -- threads and other processes


def test_another_number_of_blas_threads_is_said_and_the_run_goes_on(tmp_path: Path) -> None:
    threads = pytest.importorskip("threadpoolctl", reason="pip install threadpoolctl")
    path, model = tmp_path / "run.npz", start()
    with threads.threadpool_limits(1):
        train(model, 5, path)
    with threads.threadpool_limits(2), pytest.warns(RuntimeWarning, match="with 1 BLAS threads, and here are 2: ") as said:
        train(model, 8, path)
    assert (said[0].filename, said[0].lineno) == (__file__, train.__code__.co_firstlineno + 2)  # where `fit` is called
    with threads.threadpool_limits(2):
        train(model, 9, path)
    assert step_in(path) == 9


def test_where_the_number_of_threads_is_not_known_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, model = tmp_path / "run.npz", start()
    train(model, 5, path)
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    train(model, 8, path)
    monkeypatch.undo()
    train(model, 9, path)
    assert step_in(path) == 9


def test_processes_that_start_the_same_run_at_once_all_end_well(tmp_path: Path) -> None:
    program = """
import sys, time
import numpy as np
from nn import MatrixMLP, fit
time.sleep(max(0, float(sys.argv[2]) - time.time()))
fit(MatrixMLP.random([3, 90, 1], rng=0), np.eye(3), np.ones((3, 1)), 60, 0.001, checkpoint=sys.argv[1], checkpoint_every=1)
"""
    for i in range(4):
        words = [sys.executable, "-c", program, str(tmp_path / f"{i}.npz"), str(time.time() + 1)]
        started = [subprocess.Popen(words, stderr=subprocess.PIPE) for _ in range(6)]  # noqa: S603  # our own
        assert [process.communicate()[1] for process in started] == [b""] * 6
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"{i}.npz" for i in range(4)]
