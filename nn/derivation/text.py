"""A whole matrix derivation as text: the forward pass, the equations from the loss back, the other layout, the other sign."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autograd.expressions import as_text
from autograd.names import number_text
from nn.arrays import plain
from nn.derivation.equations import WIDTH, equation_text, exact, paragraph, short
from nn.derivation.formulas import loss_formula, predicted
from nn.losses import LOSSES

if TYPE_CHECKING:
    from nn.derivation.matrices import MatrixDerivation


def text(d: MatrixDerivation) -> str:
    """All of it: the forward pass, the equations from the loss back, the other layout, the other sign."""
    parts = [_forward(d)]
    for equation in d.equations:
        if equation.line < 3:
            parts.append(f"Layer {equation.layer}")
        parts.append(equation_text(equation))
    return "\n\n".join([*parts, _both_layouts(d), _both_signs(d)])


def _forward(d: MatrixDerivation) -> str:
    layers, n = len(d.model.weights), len(d.X)
    rows = []
    for layer, (activation, w) in enumerate(zip(d.model.activations, d.model.weights, strict=True), 1):
        before, bias = f"a{layer - 1}" if layer > 1 else "X", f" + b{layer}" if d.model.biases is not None else ""
        a = f"a{layer} = z{layer}" if activation == "linear" else f"a{layer} = {activation}(z{layer})"
        rows.append((f"z{layer} = {before} @ W{layer}{bias}", f"(n, {w.shape[0]}) @ {w.shape} -> (n, {w.shape[1]})", a))
    sizes = "-".join(map(str, [len(d.model.weights[0]), *(w.shape[1] for w in d.model.weights)]))
    loss = as_text(loss_formula(d.loss, d.model.activations[-1], layers))
    return "\n".join(
        (
            f"The {sizes} network with C = {d.loss}, for n = {n} sample{'s' if n > 1 else ''} in rows",
            *_aligned(rows, "   "),
            f"    C = {loss} = {number_text(d.passes.loss)}",
        )
    )


def _aligned(rows: Sequence[Sequence[str]], between: str) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [f"    {between.join(f'{cell:{widths[i]}}' for i, cell in enumerate(row))}".rstrip() for row in rows]


def _bracketed(x: Any) -> str:
    return f"({short(x)})" if x < 0 else short(x)


def _both_layouts(d: MatrixDerivation) -> str:
    rows = [("samples in rows", "samples in columns"), ("X is (n, d), W is n_in x n_out", "X is (d, n), W is n_out x n_in")]
    for e in d.equations:
        rows.append((f"({e.line}) {e.rows}", f"({e.line}) {e.columns}"))
        rows.append((f"        {e.rows.shapes}", f"        {e.columns.shapes}"))
    lines = _aligned(rows, "   ")
    if max(map(len, lines)) > WIDTH + 8:  # too wide to stand side by side
        lines = [line for i in (0, 1) for line in ("", *(f"    {row[i]}" for row in rows))][1:]
    return "\n".join(
        (
            "Samples in columns: every matrix transposed, and (A @ B).T = B.T @ A.T turns the order",
            *lines,
            *paragraph(f"Both computed, the largest difference of an entry is {number_text(d.columns_apart)}."),
        )
    )


def _odd(d: MatrixDerivation) -> bool:
    """Whether the derivative of the loss changes its sign, and nothing else, where p and Y change places."""
    loss, a = LOSSES[d.loss], d.passes.a[-1]
    return loss.by_preactivation or bool((loss.error(a, d.Y) == -loss.error(d.Y, a)).all())


def _both_signs(d: MatrixDerivation) -> str:
    last = len(d.model.weights)
    entry = next(e.entry for e in d.equations if e.name == f"dW{last}")
    place = d.signs.names.index(f"W{last}")
    old, step = (plain(a[entry]) for a in (d.model.weights[-1], d.signs.steps[place]))
    minus, plus = (exact(plain(a[place][entry])) for a in (d.signs.minus, d.signs.plus))
    p, dW = as_text(predicted(d.loss, d.model.activations[-1], last)), d.equations[1].rows.text
    one, other = f"({p} - Y)", f"(Y - {p})"
    if not _odd(d):
        one, other = f"dC/da{last}", f"-dC/da{last}"
    rows = [
        (f"W{last} -= {dW}, from {one}", f"{short(old)} - {_bracketed(-step)}", f"= {minus}"),
        (f"W{last} += {dW}, from {other}", f"{short(old)} + {_bracketed(step)}", f"= {plus}"),
    ]
    numbers, both = sum(a.size for a in d.signs.plus), " and biases" if d.model.biases else ""
    all_of_them = f"all {numbers} weights{both} are" if numbers > 1 else "the weight is"
    verdict = "the same, bit for bit" if d.signs.same else "not the same"
    return "\n".join(
        (
            f"Minus or plus: one step of gradient descent at rate 1, for W{last}[{entry[0]},{entry[1]}]",
            *_aligned(rows, "   "),
            *paragraph(
                f"{one} and {other} differ in the sign alone, and so do the products and sums that are made of them: the "
                f"minus stands in front, or inside. After the step {all_of_them} {verdict}."
            ),
        )
    )
