"""Pictures that can be read: no number is crossed, none lies on another; options, highlighting, themes, sizes, frames."""

from __future__ import annotations

import random
import re
import struct
import xml.etree.ElementTree as ET
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from crossing import SVG, crossed, flattened, overlapping, texts, touches

from autograd import Value, draw, topological_order
from autograd.draw.dot import dot
from autograd.draw.style import THEMES


def neuron() -> Value:
    y = (Value(0.5, "w") * Value(2.0, "x") + Value(-0.5, "b")).tanh()
    y.label = "y"
    return y


def square() -> Value:
    x = Value(3.0, "x")
    return x * x


def shared() -> Value:
    x = Value(0.5, "x")
    a = x.sin()
    b = a * x
    return (b.exp() + a) * b - x**2


def network(*sizes: int, seed: int = 0) -> Value:
    """The cost of a network for one sample, with the labels that networks of nn have."""
    numbers = random.Random(seed)  # noqa: S311 (no secret)
    signals = [Value(round(numbers.uniform(-1, 1), 2), f"x[{i}]") for i in range(sizes[0])]
    for layer, width in enumerate(sizes[1:], 1):
        results = []
        for j in range(width):
            weights = [Value(numbers.uniform(-1, 1), f"W{layer}[{i},{j}]") for i in range(len(signals))]
            products = [signal * weight for signal, weight in zip(signals, weights, strict=True)]
            z = sum(products[1:], products[0]) + Value(0.1, f"b{layer}[{j}]")
            results.append(z.sigmoid())
            results[-1].label = f"a{layer}[{j}]"
        signals = results
    squares = [(a - (j == 0)) ** 2 for j, a in enumerate(signals)]
    cost: Value = sum(squares[1:], squares[0]) / 2
    cost.label = "C"
    return cost


def tangled(n: int, seed: int) -> Value:
    numbers = random.Random(seed)  # noqa: S311 (no secret)
    ways: list[Callable[[Value, Value], Value]] = [lambda a, b: a + b, lambda a, b: a * b, lambda a, _: a.sin()]
    nodes = [Value(numbers.uniform(-2, 2), f"x{i}") for i in range(3)]
    while len(nodes) < n:
        a, b = numbers.choice(nodes[-8:]), numbers.choice(nodes[-8:])
        nodes.append(numbers.choice(ways)(a, b))
    return sum(nodes[-4:], Value(0.0))


GRAPHS: dict[str, Callable[[], Value]] = {
    "neuron": neuron,
    "square": square,
    "shared": shared,
    "2-2-1": lambda: network(2, 2, 1),
    "3-4-1": lambda: network(3, 4, 1),
    "3-4-3-2": lambda: network(3, 4, 3, 2),
    **{f"tangled {seed}": partial(tangled, 12 + 4 * seed, seed) for seed in range(4)},
}


def swept(output: Value) -> Value:
    output.backward()
    return output


@pytest.mark.parametrize("direction", ["LR", "TB"])
@pytest.mark.parametrize("graph", GRAPHS)
def test_no_text_is_crossed_and_none_lies_on_another(graph: str, direction: str) -> None:
    output = GRAPHS[graph]()
    for _ in range(2):
        svg = draw(output, direction=direction, title=graph).svg()
        assert (crossed(svg), overlapping(svg)) == ([], [])
        output.backward()
    svg = draw(output, direction=direction, collapse="auto").svg()
    assert (crossed(svg), overlapping(svg)) == ([], [])


def test_the_measure_sees_what_is_crossed() -> None:
    svg = draw(swept(square())).svg()
    ((left, top, right, bottom),) = {box for text, box in texts(svg) if text == "data 9"}
    through = f'<g class="edge"><path d="M{left - 9},{top}C{left},{bottom} {right},{bottom} {right + 9},{top}"/></g></svg>'
    assert crossed(svg.replace("</svg>", through)) == ["data 9"]
    assert overlapping(svg.replace("</svg>", f'<text x="{left}" y="{bottom}" font-size="9">no</text></svg>')) == [
        ("data 9", "no")
    ]
    assert flattened("M0,0C0,3 3,3 3,0", 2) == [(0, 0), (1.5, 2.25), (3, 0)]
    assert touches([(0, 0), (10, 0)], 1, (4, 0.5, 6, 2))
    assert not touches([(0, 0), (10, 0)], 0.4, (4, 0.5, 6, 2))


def test_an_arrow_has_one_number_and_it_is_the_partial() -> None:
    found = [text for text, _ in texts(draw(square()).svg())]
    assert found == ["x", "data 3", "3", "3", "\u00d7", "z1", "data 9"]


@pytest.mark.parametrize(
    ("show", "want"),
    [
        (("data", "grad", "partials", "labels"), ["x", "data 3", "grad 6", "3", "3", "\u00d7", "z1", "data 9", "grad 1"]),
        (["labels"], ["x", "\u00d7", "z1"]),
        ("data", ["data 3", "\u00d7", "data 9"]),
        (("grad", "partials"), ["grad 6", "3", "3", "\u00d7", "grad 1"]),
        ((), ["\u00d7"]),
    ],
)
def test_what_is_shown(show: Any, want: list[str]) -> None:
    assert [text for text, _ in texts(draw(swept(square()), show=show).svg()) if text.strip()] == want


def test_the_other_options_are_seen() -> None:
    output = Value(1 / 3, "x") * Value(2.0)
    shown: Callable[..., Any] = lambda **options: {text for text, _ in texts(draw(output, **options).svg())}  # noqa: E731  # short
    assert "data 0.33" in shown(precision=2)
    assert "data 0.33333333333333331" in shown(precision=17)
    assert {"z1", "z2"} <= shown()
    assert not {"z1", "z2"} & shown(names=False)
    assert "say <hi> \\N" in shown(title="say <hi> \\N")
    wide, high = (ET.fromstring(draw(output, direction=d).svg()) for d in ("LR", "TB"))  # noqa: S314 (ours)
    size = [[float(picture.get(side, "")[:-2]) for side in ("width", "height")] for picture in (wide, high)]
    assert size[0][0] > size[1][0]
    assert size[0][1] < size[1][1]


def test_names_are_those_of_a_derivation() -> None:
    from autograd.names import named

    output = shared()
    names = set(named(topological_order(output)).values())
    assert {text for text, _ in texts(draw(output).svg()) if re.fullmatch(r"z\d+|x", text)} == names - {"2"}


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"direction": "RL"}, ValueError, "direction='RL' is not known; choose 'LR' or 'TB'"),
        ({"show": "grads"}, ValueError, "show='grads' is not known; choose 'data', 'grad', 'partials' or 'labels'"),
        ({"show": 3}, TypeError, "show=3 is of type int; give some of ('data', 'grad', 'partials', 'labels')"),
        ({"show": ("data", None)}, ValueError, "show=None is not known; choose 'data', 'grad', 'partials' or 'labels'"),
        ({"precision": 0}, ValueError, "precision=0 has to be from 1 to 17"),
        ({"precision": 18}, ValueError, "precision=18 has to be from 1 to 17"),
        ({"precision": 2.0}, TypeError, "precision=2.0 is of type float; give the digits, 1 to 17"),
        ({"precision": True}, TypeError, "precision=True is of type bool"),
        ({"title": 3}, TypeError, "title=3 is of type int; give a string or None"),
        ({"theme": "blue"}, ValueError, "theme='blue' is not known; choose 'light', 'dark' or 'print'"),
        ({"names": 1}, ValueError, "names=1 is not known; choose True or False"),
        ({"scale": 0}, ValueError, "scale=0 has to be above 0 and at most 100"),
        ({"scale": float("nan")}, ValueError, "scale=nan has to be above 0"),
        ({"scale": "2"}, TypeError, "scale='2' is of type str; give a number above zero"),
        ({"collapse": True}, ValueError, "collapse=True is not known; choose None or 'auto'"),
        ({"limit": "9"}, TypeError, "limit='9' is of type str; give a number of nodes"),
        ({"highlight": "w"}, TypeError, "highlight='w' is of type str; give a Value or a sequence of Values"),
        ({"highlight": [3]}, TypeError, "highlight has 3 of type int; give Values of the graph"),
        ({"highlight": ()}, ValueError, "highlight is empty"),
        (
            {"wrt": Value(1.0, "other")},
            ValueError,
            "wrt has Value(data=1.0, grad=0.0, label='other'), which is not in the graph",
        ),
    ],
)
def test_a_wrong_option_is_refused_with_what_is_allowed(options: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=r"^draw: " + re.escape(says)):
        draw(square(), **options)


def faint(svg: str) -> set[str]:
    """The texts that are faded."""
    root = ET.fromstring(svg)  # noqa: S314 (ours)
    return {"".join(text.itertext()).replace("\xa0", " ") for text in root.iter(SVG + "text") if text.get("fill-opacity")}


def test_a_path_stands_out() -> None:
    output = swept(neuron())
    z2 = output.parents[0]
    z1 = z2.parents[0]
    faded = faint(draw(output, highlight=[z1.parents[0], z1, z2, output]).svg())
    assert {"x", "b", "data 2", "0.5"} <= faded
    assert not {"w", "z1", "z2", "y", "2", "0.7864"} & faded


def test_a_node_stands_out_with_its_consumers_and_what_wrt_reaches_as_a_whole() -> None:
    x = Value(0.5, "x")
    a = x.sin()
    output = (a * Value(2.0, "w")).exp()
    assert {"x", "z1", "w", "z2", "z3"} & faint(draw(output, highlight=x).svg()) == {"w", "z2", "z3"}
    assert {"x", "z1", "w", "z2", "z3"} & faint(draw(output, wrt=x).svg()) == {"w"}
    assert {"x", "z1", "w", "z2", "z3"} & faint(draw(output, wrt=[output]).svg()) == {"x", "w", "z1", "z2"}
    assert not faint(draw(output).svg())


@pytest.mark.parametrize("theme", THEMES)
def test_the_texts_of_a_theme_have_a_contrast_of_at_least_three(theme: str) -> None:
    """WCAG 2.1, 1.4.11: 3 to 1 for large text and graphics."""
    colors = THEMES[theme]

    def light(color: str) -> float:
        parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(one: str, other: str) -> float:
        low, high = sorted((light(one), light(other)))
        return (high + 0.05) / (low + 0.05)

    grounds = [colors.leaf, colors.constant, colors.result]
    assert min(contrast(colors.ink, ground) for ground in grounds) > 7
    for ground in (colors.background if colors.background != "transparent" else "#FFFFFF", colors.leaf, colors.result):
        assert min(contrast(color, ground) for color in (colors.positive, colors.negative, colors.line)) > 3
    svg = draw(swept(network(2, 2, 1)), theme=theme).svg()
    assert colors.ink.lower() in svg.lower()
    assert colors.leaf.lower() in svg.lower()


def test_print_tells_signs_apart_without_colour() -> None:
    x = Value(2.0, "x")
    source = draw(swept(x - 3 * Value(1.0, "y")), theme="print").source
    assert source.count("arrowhead=empty") == 2
    assert "arrowhead=empty" not in draw(swept(neuron()), theme="print").source


def test_a_png_fills_a_slide(tmp_path: Path) -> None:
    def size(path: Path) -> tuple[int, int]:
        return struct.unpack(">II", path.read_bytes()[16:24])

    wide, high = size(draw(square()).save(tmp_path / "x.png"))
    assert (abs(wide - 1920) < 8 and high <= 1088) or (abs(high - 1080) < 8 and wide <= 1928)
    half = size(draw(square(), scale=0.5).save(tmp_path / "half.png"))
    assert abs(half[0] - wide / 2) < 8
    chain = Value(1.0, "x")
    for _ in range(40):
        chain = chain.sin()
    assert size(draw(chain).save(tmp_path / "chain.png"))[0] > 4000  # it is not made so small that nobody can read it


def test_scale_is_a_factor_for_svg_too() -> None:
    width = [float(re.findall(r'width="([\d.]+)pt"', draw(square(), scale=scale).svg())[0]) for scale in (1.0, 2.0)]
    assert width[1] == 2 * width[0]


def test_a_notebook_shows_the_svg_no_wider_than_its_cell() -> None:
    drawing = draw(square())
    assert 'style="max-width: 100%; height: auto"' in drawing._repr_svg_()
    ET.fromstring(drawing._repr_svg_())  # noqa: S314 (ours)
    assert re.fullmatch(r"Drawing\([\d,]+ characters of DOT; save\('graph\.svg'\) writes the picture\)", repr(drawing))


def test_layers_stand_in_frames_and_inputs_in_a_column() -> None:
    root = ET.fromstring(draw(network(3, 4, 1)).svg())  # noqa: S314 (ours)
    frames = [group for group in root.iter(SVG + "g") if group.get("class") == "cluster"]
    assert sorted("".join(text.itertext()) for frame in frames for text in frame.iter(SVG + "text")) == ["a1", "a2"]
    assert len(frames) == 2 + 4
    places = {"".join(text.itertext()): text for text in root.iter(SVG + "text")}
    at = {
        name: tuple(float(places[name].get(axis, "")) for axis in "xy") for name in places if name.startswith(("x[", "a", "W"))
    }
    assert len({at[f"x[{i}]"][0] for i in range(3)}) == 1
    assert at["x[0]"][1] < at["x[1]"][1] < at["x[2]"][1]
    assert at["x[0]"][0] < at["W1[0,0]"][0] < at["a1[0]"][0] < at["W2[0,0]"][0] < at["a2[0]"][0]


def test_the_page_finds_its_texts_in_boxes_and_arrows_by_number() -> None:
    output = swept(shared())
    order = topological_order(output)
    from autograd import Drawing
    from autograd.graph import edges

    root = ET.fromstring(Drawing(dot(order, swept=True, room=84)).svg())  # noqa: S314 (ours)
    groups = {
        group.get("id"): ["".join(text.itertext()) for text in group.iter(SVG + "text")] for group in root.iter(SVG + "g")
    }
    for i, node in enumerate(order, 1):
        numbers = [text.split("\xa0")[0].split(" ")[0] for text in groups[f"node{i}"]][-2:]
        assert numbers == (["data"] if node.operation.name == "constant" else ["data", "grad"])
    for k, (parent, _, _) in enumerate(edges(order), 1):
        assert len(groups[f"edge{k}"]) == (parent.operation.name != "constant")
