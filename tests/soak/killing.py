"""Train, kill the training with SIGKILL at a random moment, start it again: does it end where it would have ended?

Run it: python tests/soak/killing.py 100 [SEED]. The child is this file too, called with the number of a training and a path.
With `python tests/soak/killing.py 100 SEED SIGINT` it is Ctrl-C, every other time twice; the child then says whether the model
is the one of the step that the exception names, and the history the one up to there.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import nn

STOPPED = 130  # how a child ends that Ctrl-C stopped
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}  # the child trains with this checkout
VALIDATION = np.array([[0.5, 0.1, 0.2], [1.0, -1.0, 0.3]]), np.eye(2)
ADAM: dict[str, Any] = {"optimizer": "adam", "batch_size": 4, "schedule": "cosine", "validation": VALIDATION, "patience": 10**6}
TRAININGS: list[tuple[str, tuple[str, ...], bool, int | None, dict[str, Any]]] = [
    ("half_squared_error", ("sigmoid", "sigmoid"), True, None, {}),
    ("half_squared_error", ("sigmoid", "sigmoid"), False, None, {}),
    ("binary_cross_entropy", ("tanh", "relu", "sigmoid"), True, None, {}),
    ("softmax_cross_entropy", ("relu", "linear"), True, 5, {}),
    ("mean_squared_error", ("tanh", "linear"), False, 3, {}),
    ("softmax_cross_entropy", ("tanh", "softmax"), True, None, ADAM),
    ("huber", ("tanh", "linear"), False, 2, {"optimizer": "nesterov", "batch_size": 2, "weight_decay": 1e-4}),
]


def result(number: int, steps: int, checkpoint: Path | None = None, every: int | None = None) -> str:
    """Train by that number's arguments; a digest of every bit of the weights and the history."""
    model, history = trained(number, steps, checkpoint, every)
    return digest(model, history)


def digest(model: nn.MatrixMLP, history: Any = ()) -> str:
    arrays: list[Any] = [*model.weights, *(model.biases or ()), *map(np.array, history)]
    return hashlib.sha256(b"".join(a.tobytes() + str(a.shape).encode() for a in arrays)).hexdigest()


def trained(number: int, steps: int, checkpoint: Path | None, every: int | None) -> tuple[nn.MatrixMLP, nn.History]:
    """The model and the history; Ctrl-C has the model too."""
    loss, activations, bias, networks, more = TRAININGS[number % len(TRAININGS)]
    numbers = np.random.default_rng(number)
    X, Y = numbers.normal(size=(6, 3)), np.eye(2)[numbers.integers(2, size=6)]
    sizes = [3, *[4] * (len(activations) - 1), 2]
    model = nn.MatrixMLP.random(sizes, activations, bias, rng=number, networks=networks)
    try:
        history = nn.fit(
            model, X, Y, steps, 0.05, loss, 70, checkpoint=checkpoint, checkpoint_every=every, **{**more, "rng": number}
        )
    except KeyboardInterrupt as stopped:
        stopped.model = model  # type: ignore[attr-defined]  # an exception takes any attribute
        raise
    return model, history


def consistent(number: int, stopped: Any, path: Path) -> str:
    """What Ctrl-C left behind: "right", "nothing said" where no training had begun, or what is wrong."""
    said = re.fullmatch(
        r"fit: stopped after (\d+) of .* weights, and (so does )?.*; the same call.* goes on from there", str(stopped)
    )
    model = getattr(stopped, "model", None)
    if said is None or model is None:
        begun = model is not None and digest(model) != digest(trained(number, 0, None, None)[0])
        return "WRONG: it said nothing of its training" if begun else "nothing said"
    if "patience" in TRAININGS[number % len(TRAININGS)][-1]:  # a run of fewer steps has other rates, and ends with its best
        return "WRONG: model and file differ" if said[2] and digest(nn.load(path)) != digest(model) else "right"
    there, history = trained(number, int(said[1]), None, None)
    if digest(model) != digest(there):
        return f"WRONG: the model is not that of step {said[1]}"
    if said[2] and digest(nn.load(path)) != digest(there):
        return f"WRONG: the file is not that of step {said[1]}"
    kept = min(len(stopped.history.steps), len(history.steps) - 1)  # its last entry may be none of a longer run
    right = len({len(part) for part in stopped.history}) == 1 and all(
        np.array_equal(a[:kept], b[:kept]) for a, b in zip(stopped.history, history, strict=True)
    )
    return "right" if right else "WRONG: the history is another"


class Outcome(NamedTuple):
    """What became of one training: how often it was killed, at which steps it was found then, whether it ended right."""

    kills: int
    found: list[int]
    leftovers: int
    right: bool
    said: list[str]


def kill_and_go_on(
    number: int,
    steps: int,
    every: int,
    kills: int,
    folder: Path,
    longest: float,
    moments: random.Random,
    by: signal.Signals = signal.SIGKILL,
) -> Outcome:
    """Start the training, kill it, start it again, `kills` times at most; then let it end."""
    path = folder / f"run{number}.npz"
    command = [sys.executable, __file__, "train", str(number), str(steps), str(every), str(path)]
    found, said = list[int](), list[str]()
    leftovers = 0
    while True:
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as child:  # noqa: S603  # this file
            assert child.stdout is not None
            child.stdout.readline()  # everything is imported
            if len(found) < kills:
                time.sleep(moments.uniform(0, longest))
                child.send_signal(by)
                if by == signal.SIGINT and len(found) % 2:
                    time.sleep(moments.uniform(0, 0.005))
                    child.send_signal(by)
            printed = child.stdout.read().strip()
        if child.returncode == 0:
            return Outcome(len(found), found, leftovers, printed == result(number, steps), said)
        if child.returncode != (STOPPED if by == signal.SIGINT else -by):
            raise RuntimeError(f"the child ended with {child.returncode}: {printed}")
        said.append(printed)
        found.append(int(np.load(path)["step"]) if path.exists() else -1)
        leftovers = len(list(folder.glob(".*.part")))


def main(kills: int, seed: int, by: signal.Signals) -> None:
    moments, outcomes, number = random.Random(seed), list[Outcome](), 0  # noqa: S311  # no secret
    with tempfile.TemporaryDirectory() as folder:
        while sum(outcome.kills for outcome in outcomes) < kills:
            left = kills - sum(outcome.kills for outcome in outcomes)
            outcomes.append(kill_and_go_on(number, 30_000, 20, min(left, 10), Path(folder), 0.3, moments, by))
            print(f"training {number}: {outcomes[-1]}")
            number += 1
    found = Counter("no file" if at < 0 else "step 0" if at == 0 else "later" for o in outcomes for at in o.found)
    killed, leftovers = (sum(part) for part in zip(*((o.kills, o.leftovers) for o in outcomes), strict=True))
    wrong = sum(not o.right for o in outcomes)
    print(f"seed {seed}: {killed} {by.name} in {len(outcomes)} trainings; then found: {dict(found)}; {leftovers} in a writing")
    print(f"{wrong} trainings ended elsewhere than an undisturbed one, to the last bit")
    said = Counter(what for outcome in outcomes for what in outcome.said if what)
    print(*(f"{count} times: {what}" for what, count in said.items()), sep="\n")
    sys.exit(wrong > 0 or any(what.startswith("WRONG") for what in said))


if __name__ == "__main__":
    if sys.argv[1] == "train":
        try:
            print("ready", flush=True)
            print(result(int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[5]), int(sys.argv[4])))
        except KeyboardInterrupt as caught:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            print(consistent(int(sys.argv[2]), caught, Path(sys.argv[5])))
            sys.exit(STOPPED)
    else:
        main(int(sys.argv[1]), int([*sys.argv, "0"][2]), signal.Signals[sys.argv[3] if len(sys.argv) > 3 else "SIGKILL"])
