"""Which texts of a picture are crossed by an arrow or lie on one another: measured on the SVG, its curves made polygons."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

SVG = "{http://www.w3.org/2000/svg}"
WIDTHS = dict.fromkeys("ijl.,:;'|![]() /ftI", 0.28) | dict.fromkeys("mwMWGOQ\u2026%", 0.83) | {"-": 0.33, "\u2212": 0.584}
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
    """Whether a line of this half width comes into the box."""
    left, top, right, bottom = box[0] - half, box[1] - half, box[2] + half, box[3] + half
    for (ax, ay), (bx, by) in zip(points, points[1:], strict=False):
        steps = max(1, int(2 * max(abs(bx - ax), abs(by - ay))))
        for k in range(steps + 1):
            x, y = ax + (bx - ax) * k / steps, ay + (by - ay) * k / steps
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
        if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    ]
