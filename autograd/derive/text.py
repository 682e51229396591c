"""A derivation as text: how it is laid out; what it says is in `outline`."""

from __future__ import annotations

from collections.abc import Iterator

from autograd.derive.outline import Alike, Equation, Item, Letter, Local, Outline
from autograd.expressions import as_text
from autograd.names import listed, number_text, text_name

WIDTH = 86  # of a line that can be broken
SINCE = 46  # where the reasons begin
HEADS = {
    "given": "Given",
    "forward": "Forward: every result from its operands",
    "local": "Local derivatives: of every operation by its operands",
    "tangents": "Tangents: d{2}/d{3} is the sum of d{2}/d{1} * d{1}/d{3} over the operands {1} of {2}",
    "backward": "Backward: d{0}/d{1} is the sum of d{0}/d{2} * d{2}/d{1} over the results {2} that {1} went into",
}


def render(outline: Outline) -> str:
    """The derivation as text, step by step."""
    out = text_name(outline.output)
    by = "" if outline.wrt is None else listed([*map(text_name, outline.wrt)])
    forward = ", forward" if outline.parts[-1].name == "tangents" else ""
    lines = [f"The derivative of {out}{by and ' by '}{by}{forward}, step by step"]
    for part in outline.parts:
        lines += ["", HEADS[part.name].format(out, *outline.letters, by)]
        lines += [f"  {line}" for item in part.items for line in _lines(item)]
        if part.left_out:
            lines.append(f"  ... and {part.left_out:,} more, left out here; text(fold=False) shows them all")
    return "\n".join(lines)


def _lines(item: Item) -> Iterator[str]:
    if isinstance(item, Alike):
        yield from _alike(item)
    elif isinstance(item, Local):
        yield f"{as_text(item.operation):<20}  {', '.join(map(as_text, item.partials))}"
    elif item.since:
        yield from _backward(item)
    else:
        line = " = ".join(map(as_text, (item.left, *item.symbols, *item.numbers, item.result)))
        yield line if item.depends else "{}, for {} does not depend on {}".format(line, *map(as_text, item.left.parents))


def _alike(item: Alike) -> Iterator[str]:
    words = f"and {item.size:,} more like it" if item.more else f"{item.size:,} numbers"
    pattern = [] if item.pattern is None else [as_text(item.pattern)]
    about = ", ".join([*pattern, *map(_range, item.letters)])
    margin = "    " if item.more else ""
    if item.more or not item.results:
        yield f"{margin}{words}{':' if about or item.results else ''} {about}".rstrip()
    yield from (f"{margin}{line}" for line in _columns(list(map(as_text, item.results))))


def _backward(step: Equation) -> Iterator[str]:
    left = as_text(step.left)
    gap = " " * len(left)
    for i, (product, (made, side)) in enumerate(zip(step.symbols, step.since, strict=True)):
        line = f"{gap if i else left} {'+' if i else '='} {as_text(product)}"
        yield f"{line:<{SINCE}}  since {as_text(made)}{side}"
    if not step.contributions:
        yield f"{gap} = {as_text(step.numbers[0])} = {as_text(step.result)}"
        return
    more = [f"... and {step.left_out:,} more"] if step.left_out else []
    yield from (f"{gap} + {text}" for text in more)
    for summands in (step.numbers, step.contributions):
        yield from (f"{gap} {line}" for line in _sum([*map(as_text, summands), *more], WIDTH - len(gap)))
    yield f"{gap} = {as_text(step.result)}"


def _sum(summands: list[str], width: int) -> Iterator[str]:
    """The sum in lines of no more than this width, if a summand has room in it; a negative number is subtracted."""
    line = f"= {summands[0]}"
    for text in summands[1:]:
        negative, is_number = text.startswith("-"), " " not in text
        more = f"- {text[1:]}" if negative and is_number else f"+ ({text})" if negative else f"+ {text}"
        if len(line) + len(more) >= width:
            yield line
            line = f"  {more}"
        else:
            line = f"{line} {more}"
    yield line


def _columns(texts: list[str]) -> Iterator[str]:
    """The texts side by side, as many as there is room for, and below each other."""
    width = max(map(len, texts), default=0) + 2
    across = max(1, (WIDTH + 2) // width)
    for i in range(0, len(texts), across):
        yield "".join(f"{text:<{width}}" for text in texts[i : i + across]).rstrip()


def _range(letter: Letter) -> str:
    numbers = [number_text(n) for n in letter.numbers]
    return f"{letter.letter} = {'..'.join(numbers) if letter.interval else listed(numbers)}"
