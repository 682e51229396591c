"""The chain rule written out for a recorded graph: as data, text, LaTeX and a page, along paths, and with known mistakes.

`derivation` is what the user holds; `steps` makes it as data. `groups` finds the steps that differ in nothing but their
indices, `outline` puts in order what is said, and `text` and `latex` print it. `page` is the derivation in a browser.
`paths` multiplies along routes. `forward` writes the chain rule out forwards, and `compare` sets both ways beside each
other. `wrong_ways` runs known mistakes beside the right sweep, and `report` shows them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, overload

from autograd.slopes import one_value, values
from autograd.value import Value

if TYPE_CHECKING:
    from autograd.derive.derivation import Derivation
    from autograd.derive.forward import ForwardDerivation


@overload
def derive(output: Value, wrt: Value | Iterable[Value] | None = None, mode: Literal["reverse"] = "reverse") -> Derivation: ...
@overload
def derive(output: Value, wrt: Value | Iterable[Value] | None = None, *, mode: Literal["forward"]) -> ForwardDerivation: ...
def derive(output: Value, wrt: Value | Iterable[Value] | None = None, mode: str = "reverse") -> Derivation | ForwardDerivation:
    """Write out the chain rule for the graph of `output`: for every node, or for what lies between `wrt` and the output.

    With `mode="forward"` it is written out forwards, for the derivatives of all results by `wrt`, one Value. The graph is
    read, not changed. Raises `TypeError` for anything that is not a Value, and `ValueError` for a `wrt` that is empty, or
    not one Value where the mode is forward.

    >>> from autograd import Value
    >>> x = Value(3.0, "x")
    >>> step = derive(x * x + x)[x]
    >>> [(term.upstream, term.partial, term.contribution) for term in step.terms], step.adjoint
    ([(1.0, 1, 1.0), (1.0, 3.0, 3.0), (1.0, 3.0, 3.0)], 7.0)
    """
    output = one_value(output, "derive: output")
    if mode not in ("reverse", "forward"):
        raise ValueError(f"derive: mode is {mode!r:.60}; give 'reverse' or 'forward'")
    wanted = () if wrt is None else tuple(dict.fromkeys(values(wrt, "derive: wrt")))
    if mode == "forward":
        from autograd.derive.forward import ForwardDerivation

        if len(wanted) != 1:
            asked = "every node" if wrt is None else f"{len(wanted)} Values"
            raise ValueError(f"derive: forward goes from one input, and this is by {asked}; give one, wrt=x, mode='forward'")
        return ForwardDerivation(output, wanted[0])
    from autograd.derive.derivation import Derivation  # here, as above: `import autograd` stays light

    if wrt is None:
        return Derivation(output, None)
    if not wanted:
        raise ValueError("derive: wrt is empty; give a Value or several, or leave it out to derive by all of them")
    return Derivation(output, wanted)
