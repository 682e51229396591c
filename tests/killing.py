"""Train, kill the training with SIGKILL at a random moment, start it again: does it end where it would have ended?

Run it: python tests/killing.py 100 [SEED]. The child is this file too, called with the number of a training and a path.
"""

from __future__ import annotations

import hashlib
import random
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

TRAININGS = [
    ("half_squared_error", ("sigmoid", "sigmoid"), True, None),
    ("half_squared_error", ("sigmoid", "sigmoid"), False, None),
    ("binary_cross_entropy", ("tanh", "relu", "sigmoid"), True, None),
    ("softmax_cross_entropy", ("relu", "linear"), True, 5),
    ("mean_squared_error", ("tanh", "linear"), False, 3),
]


def result(number: int, steps: int, checkpoint: Path | None = None, every: int | None = None) -> str:
    """Train by that number's arguments; a digest of every bit of the weights and the history."""
    loss, activations, bias, networks = TRAININGS[number % len(TRAININGS)]
    numbers = np.random.default_rng(number)
    X, Y = numbers.normal(size=(6, 3)), np.eye(2)[numbers.integers(2, size=6)]
    sizes = [3, *[4] * (len(activations) - 1), 2]
    model = nn.MatrixMLP.random(sizes, activations, bias, rng=number, networks=networks)
    history = nn.fit(model, X, Y, steps, 0.05, loss, report_every=70, checkpoint=checkpoint, checkpoint_every=every)
    arrays: list[Any] = [*model.weights, *(model.biases or ()), *map(np.array, history)]
    return hashlib.sha256(b"".join(a.tobytes() + str(a.shape).encode() for a in arrays)).hexdigest()


class Outcome(NamedTuple):
    """What became of one training: how often it was killed, at which steps it was found then, whether it ended right."""

    kills: int
    found: list[int]
    leftovers: int
    right: bool


def kill_and_go_on(
    number: int, steps: int, every: int, kills: int, folder: Path, longest: float, moments: random.Random
) -> Outcome:
    """Start the training, kill it, start it again, `kills` times at most; then let it end."""
    path = folder / f"run{number}.npz"
    command = [sys.executable, __file__, "train", str(number), str(steps), str(every), str(path)]
    found: list[int] = []
    leftovers = 0
    while True:
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:  # noqa: S603  # this file
            assert child.stdout is not None
            child.stdout.readline()  # everything is imported
            if len(found) < kills:
                time.sleep(moments.uniform(0, longest))
                child.send_signal(signal.SIGKILL)
            printed = child.stdout.read().strip()
        if child.returncode == 0:
            return Outcome(len(found), found, leftovers, printed == result(number, steps))
        if child.returncode != -signal.SIGKILL:
            raise RuntimeError(f"the child ended with {child.returncode}")
        found.append(int(np.load(path)["step"]) if path.exists() else -1)
        leftovers += len(list(folder.glob(".*.part")))


def main(kills: int, seed: int) -> None:
    moments, outcomes, number = random.Random(seed), list[Outcome](), 0  # noqa: S311  # no secret
    with tempfile.TemporaryDirectory() as folder:
        while sum(outcome.kills for outcome in outcomes) < kills:
            left = kills - sum(outcome.kills for outcome in outcomes)
            outcomes.append(kill_and_go_on(number, 30_000, 20, min(left, 10), Path(folder), 0.3, moments))
            print(f"training {number}: {outcomes[-1]}")
            number += 1
    found = Counter("no file" if at < 0 else "step 0" if at == 0 else "later" for o in outcomes for at in o.found)
    killed, leftovers = (sum(part) for part in zip(*((o.kills, o.leftovers) for o in outcomes), strict=True))
    wrong = sum(not o.right for o in outcomes)
    print(f"seed {seed}: {killed} kills in {len(outcomes)} trainings; then found: {dict(found)}; {leftovers} in a writing")
    print(f"{wrong} trainings ended elsewhere than an undisturbed one, to the last bit")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    if sys.argv[1] == "train":
        print("ready", flush=True)
        print(result(int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[5]), int(sys.argv[4])))
    else:
        main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
