"""Which texts of a picture are crossed by an arrow or lie on one another: measured on the SVG, its curves made polygons."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from itertools import pairwise

SVG = "{http://www.w3.org/2000/svg}"
WIDTHS = {  # of Helvetica, in parts of the size (Adobe, Core 14 AFM files)
    **dict.fromkeys("ijl'", 0.222),
    **dict.fromkeys(" .,:;![]()/|ftI", 0.278),
    **dict.fromkeys("r-", 0.333),
    **dict.fromkeys("cksvxyzJ", 0.5),
    **dict.fromkeys("+=\u2212\u00d7<>", 0.584),
    **dict.fromkeys("ABEKPSVXYFTZL", 0.667),
    **dict.fromkeys("CDHNRUwGOQ", 0.75),
    **dict.fromkeys("mMW%\u2026", 0.95),
}
Box = tuple[float, float, float, float]
Point = tuple[float, float]


def texts(svg: str) -> list[tuple[str, Box]]:
    """Every text with the box around it: Helvetica's widths, from the baseline to the height of a capital."""
    found = []
    for element in ET.fromstring(svg).iter(SVG + "text"):  # noqa: S314 (rendered here a moment ago)
        text = "".join(element.itertext()).replace("\xa0", " ")
        size, x, y = (float(element.get(name, 0)) for name in ("font-size", "x", "y"))
        width = size * sum(WIDTHS.get(c, 0.556) for c in text)
        left = {"start": x, "middle": x - width / 2, "end": x - width}[element.get("text-anchor", "start")]
        found.append((text, (left, y - 0.72 * size, left + width, y)))
    return found


def strokes(svg: str) -> Iterator[tuple[list[Point], float]]:
    """Of every arrow its line and its head as points close to each other, and half the width of the stroke."""
    for group in ET.fromstring(svg).iter(SVG + "g"):  # noqa: S314 (as above)
        if group.get("class") != "edge":
            continue
        for path in group.iter(SVG + "path"):
            yield flattened(path.get("d", "")), float(path.get("stroke-width", 1)) / 2
        for head in group.iter(SVG + "polygon"):
            yield [(float(x), float(y)) for x, y in re.findall(r"([-\d.]+),([-\d.]+)", head.get("points", ""))], 0.5


def flattened(d: str, pieces: int = 32) -> list[Point]:
    """The points of an SVG path of one start and cubic Bezier curves, as Graphviz writes them."""
    points = [(float(x), float(y)) for x, y in re.findall(r"([-\d.]+),([-\d.]+)", d)]
    found = points[:1]
    for i in range(1, len(points), 3):
        a, b, c, e = points[i - 1 : i + 3]
        for k in range(1, pieces + 1):
            t, u = k / pieces, 1 - k / pieces
            weights = (u**3, 3 * u * u * t, 3 * u * t * t, t**3)
            found.append(tuple(sum(w * p[axis] for w, p in zip(weights, (a, b, c, e), strict=True)) for axis in (0, 1)))  # type: ignore[arg-type]
    return found


def touches(points: list[Point], half: float, box: Box) -> bool:
    """Whether a line of this half width, cut off square at its ends, comes into the box."""
    left, top, right, bottom = box
    for (ax, ay), (bx, by) in pairwise(points):
        if max(ax, bx) + half < left or min(ax, bx) - half > right or max(ay, by) + half < top or min(ay, by) - half > bottom:
            continue
        length = math.hypot(bx - ax, by - ay)
        steps = max(1, int(2 * length))
        across = (half * (ay - by) / length, half * (bx - ax) / length) if length else (0.0, 0.0)
        for k in range(steps + 1):
            for side in (-1, 0, 1):
                x = ax + (bx - ax) * k / steps + side * across[0]
                y = ay + (by - ay) * k / steps + side * across[1]
                if left < x < right and top < y < bottom:
                    return True
    return False


def crossed(svg: str) -> list[str]:
    """The texts that an arrow crosses."""
    lines = list(strokes(svg))
    return [text for text, box in texts(svg) if any(touches(points, half, box) for points, half in lines)]


def overlapping(svg: str) -> list[tuple[str, str]]:
    """The pairs of texts that lie on one another."""
    found = texts(svg)
    return [
        (one, other)
        for i, (one, a) in enumerate(found)
        for other, b in found[i + 1 :]
        if a[0] < b[2] - 1 and b[0] < a[2] - 1 and a[1] < b[3] and b[1] < a[3]
    ]
