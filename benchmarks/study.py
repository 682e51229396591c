"""The graph of a public study of scalar autograd, natively, against a C interpreter of it and against PyTorch.

The graph: 100 inputs i / 100 and 10,000 operations, in turn a softplus, a sum of four, a product, and a softmax of four with
its four results; then the derivatives of the last node by the inputs (arogozhnikov.github.io/2023/12/28/fastest-autograd.html).
The C program, study.c, has a case for each of these four operations; ours is made of the table's own, so a softmax is
fifteen (four subtractions of the largest, as it was when it was recorded, four exp, three sums, four quotients). The last
node depends on every one of the 10,000 operations, but on 17 of the inputs only: the tape has these. A softmax of numbers
that are almost equal sends little back: the derivatives shrink to a tenth every 29 operations, and to 0 in the end, by
underflow. So they are compared on a graph of 800 operations, where they are about 1e-28.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ctypes import c_long, c_void_p
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
from compare import FASTER, SECONDS, TIMES, Side, alone, c_library, compare, fresh, peer_module, same, same_gradient

from autograd import Tape, Value, exp, softplus, topological_order

HERE = Path(__file__).parent
OPERATIONS, SMALL, PASSES = 10_000, 800, 500
STARTS = [k / 100 for k in range(100)]


def softmax(operands: list[Value]) -> Iterator[Value]:
    largest = max(operands).data
    powers = [exp(a - largest) for a in operands]
    total = reduce(add, powers)
    return (power / total for power in powers)


def recorded(operations: int = OPERATIONS) -> tuple[Value, list[Value]]:
    """The last node, and the inputs that it depends on."""
    inputs = [Value(x) for x in STARTS]
    nodes = [*inputs]
    for k in range(operations):
        match k % 4:
            case 0:
                nodes.append(softplus(nodes[-10]))
            case 1:
                nodes.append(reduce(add, nodes[-30:-10:5]))
            case 2:
                nodes.append(nodes[-20] * nodes[-10])
            case 3:
                nodes.extend(softmax(nodes[-4:]))
    used = set(topological_order(nodes[-1]))
    return nodes[-1], [node for node in inputs if node in used]


def taped(operations: int = OPERATIONS) -> tuple[Tape, Any]:
    output, inputs = recorded(operations)
    return Tape(output, inputs), np.array([node.data for node in inputs])


def program(operations: int) -> tuple[Any, int]:
    """The graph for the C program: a row of kind, four operands and the result for each operation; the number of nodes."""
    rows, n = [], len(STARTS)
    for k in range(operations):
        operands = ((n - 10,), (n - 30, n - 25, n - 20, n - 15), (n - 20, n - 10), (n - 4, n - 3, n - 2, n - 1))[k % 4]
        rows.append([k % 4, *operands, *[0] * (4 - len(operands)), n])
        n += 4 if k % 4 == 3 else 1
    return np.array(rows, dtype=np.int32), n


def c_block(library: Any, operations: int) -> Any:
    """The function that makes so many passes in C, and returns the last node and the derivatives by all inputs."""
    rows, nodes = program(operations)
    values, adjoints = np.zeros(nodes), np.zeros(nodes)
    values[: len(STARTS)] = STARTS
    library.replay.argtypes = (c_void_p, c_long, c_void_p, c_void_p, c_long)

    def block(passes: int = PASSES) -> tuple[float, Any]:
        arguments = rows.ctypes.data, len(rows), values.ctypes.data, adjoints.ctypes.data, nodes
        for _ in range(passes):
            library.replay(*arguments)
        return values[-1].item(), adjoints[: len(STARTS)].copy()

    return block


def torch_pass(torch: Any, operations: int = OPERATIONS) -> tuple[float, Any]:
    """The study's own program for PyTorch, in float64."""
    functional = torch.nn.functional
    inputs = torch.tensor(STARTS, dtype=torch.float64, requires_grad=True)
    nodes = [*inputs]
    for k in range(operations):
        match k % 4:
            case 0:
                nodes.append(functional.softplus(nodes[-10]))
            case 1:
                nodes.append(sum(nodes[-30:-10:5]))
            case 2:
                nodes.append(nodes[-20] * nodes[-10])
            case 3:
                nodes.extend(functional.softmax(torch.stack(nodes[-4:]), dim=0))
    nodes[-1].backward()
    return nodes[-1].item(), inputs.grad.numpy()


def agree(name: str, peer: Callable[[int], tuple[float, Any]]) -> None:
    """Print whether the peer finds the last node of the whole graph, and the derivatives of the small one, that we find."""
    tape, numbers = taped()
    same(name, tape.native()(numbers)[0], peer(OPERATIONS)[0], what="come to")
    tape, numbers = taped(SMALL)
    place = [STARTS.index(x) for x in numbers]
    same_gradient(name, tape.native()(numbers)[1], peer(SMALL)[1][place])


def once(operations: int = OPERATIONS) -> float:
    """From nothing to the first derivatives."""
    tape, numbers = taped(operations)
    return float(tape.native()(numbers)[0])


def run() -> None:
    output, inputs = recorded()
    tape, numbers = taped()
    fast = tape.native()

    def passes() -> None:
        for _ in range(PASSES):
            fast(numbers)

    def start() -> None:
        Tape(output, inputs).native()(numbers)

    ours = Side("ours", passes, PASSES)
    library = c_library(HERE / "study.c", "-O3")
    if library is not None:
        agree("study: C", lambda operations: c_block(library, operations)(1))
        peer = Side("C, gcc -O3", c_block(library, OPERATIONS), PASSES)
        compare(f"study: one pass, {len(tape):,} operations", ours, peer, TIMES, goal=1.5, rounds=15)
    torch = peer_module("torch")
    if torch is not None:
        agree("study: PyTorch", lambda operations: torch_pass(torch, operations))
        compare("study: one pass", ours, Side("PyTorch", lambda: torch_pass(torch)), FASTER, goal=500)
    alone("study: start in a process that has replayed before", Side("ours", start), SECONDS, goal=0.5)
    alone(
        "study: start, imports and recording included, in a fresh process",
        Side("ours", lambda: fresh("import study; study.once()")),
        SECONDS,
        goal=0.5,
    )
