"""The picture: one box a node and one arrow an edge; any label is text in well-formed SVG; files, limits, no renderer."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_graph import graphs

from autograd import Drawing, RenderError, Value, draw, topological_order
from autograd.graph import edges

SVG = "{http://www.w3.org/2000/svg}"
TITLE = "{http://www.w3.org/1999/xlink}title"


def neuron() -> Value:
    w, x, b = Value(0.5, "w"), Value(2.0, "x"), Value(-1.0, "b")
    return (w * x + b).tanh()


def root(drawing: Drawing) -> ET.Element:
    return ET.fromstring(drawing.svg())  # noqa: S314 (rendered here a moment ago)


def texts(drawing: Drawing) -> list[str]:
    return ["".join(text.itertext()).replace("\xa0", " ") for text in root(drawing).iter(SVG + "text")]


def arrows(drawing: Drawing) -> list[str]:
    """The arrows from box to box, each with its attributes and the number at which it pauses."""
    lines = re.findall(r"^\t(\w+) -> (\w+)(.*)$", drawing.source, re.MULTILINE)
    labels = dict(re.findall(r"^\t(p\d+) \[label=<<FONT[^>]*>(.*)</FONT>>", drawing.source, re.MULTILINE))
    begun = {head: tail for tail, head, _ in lines if head.startswith("p")}
    return [
        f"{begun.get(tail, tail)} -> {head}{rest or ' ['}" + (f" label={labels[tail]}" if tail in labels else "")
        for tail, head, rest in lines
        if not head.startswith("p")
    ]


def widths(drawing: Drawing) -> list[str]:
    return [found[1] for arrow in arrows(drawing) if (found := re.search(r"penwidth=([\d.]+)", arrow))]


def boxes(drawing: Drawing) -> list[str]:
    return re.findall(r"^\t(n\d+ \[.*)$", drawing.source, re.MULTILINE)


@settings(max_examples=15, deadline=None)
@given(graphs(), st.booleans())
def test_one_box_a_node_and_one_arrow_an_edge(output: Value, swept: bool) -> None:
    if swept:
        output.backward()
    order = topological_order(output)
    drawing = draw(output)
    place = {node: i for i, node in enumerate(order)}
    want = [f"n{place[parent]} -> n{place[consumer]}" for parent, consumer, _ in edges(order)]
    assert [line.split(" [")[0] for line in arrows(drawing)] == want
    assert [line.split(" ")[0] for line in boxes(drawing)] == [f"n{i}" for i in range(len(order))]
    classes = [group.get("class") for group in root(drawing).iter(SVG + "g")]
    numbers = sum(parent.operation.name != "constant" for parent, _, _ in edges(order))  # of arrows, each in a box of its own
    assert (classes.count("node"), classes.count("edge")) == (len(order) + numbers, len(want) + numbers)


def test_x_times_x_has_two_arrows() -> None:
    x = Value(3.0, "x")
    assert [line.split(" [")[0] for line in arrows(draw(x * x))] == ["n0 -> n1", "n0 -> n1"]


def test_boxes_say_label_symbol_and_data_and_arrows_their_partial() -> None:
    shown = texts(draw(neuron()))
    assert {"w", "x", "b", "\u00d7", "+", "tanh", "data 0.5", "data 2", "data \u22121", "data 0"} <= set(shown)
    assert sorted(line.split("label=")[1][:1] for line in arrows(draw(neuron()))) == ["0", "1", "1", "1", "2"]


def test_arrows_are_as_thick_as_the_root_of_their_share_of_the_strongest_flow() -> None:
    x, y, z = Value(1.0), Value(0.0), Value(1.0)
    output = 9 * x + 4 * y + z
    output.backward()
    assert widths(draw(output)) == ["5.00", "3.67", "2.33", "2.33", "2.33", "2.33"]
    small = 0.25 * Value(100.0)  # nothing flows to the constant, however large the partial
    small.backward()
    assert widths(draw(small)) == ["5.00"]
    infinite = y.sqrt() - x
    infinite.backward()
    assert widths(draw(infinite)) == ["5.00"] * 3


def test_gradients_are_shown_after_backward_only() -> None:
    output = neuron()
    before = draw(output)
    assert not [text for text in texts(before) if text.startswith("grad")]
    assert "penwidth" not in before.source
    output.backward()
    after = draw(output)
    assert sorted(text for text in texts(after) if text.startswith("grad")) == sorted(
        ["grad 2", "grad 0.5", "grad 1", "grad 1", "grad 1", "grad 1"]
    )
    assert all("penwidth=" in arrow for arrow in arrows(after))
    assert (output.grad, output.parents[0].grad) == (1.0, 1.0)


def test_a_part_of_a_swept_graph_shows_its_gradients_zeros_too() -> None:
    x = Value(-2.0, "x")
    inner = x * 3
    (inner.relu() + x).backward()
    assert [text for text in texts(draw(inner)) if text.startswith("grad")] == ["grad 1", "grad 0"]
    assert "grad 1" in texts(draw(x))


def test_the_sign_of_the_flow_is_its_color_and_no_flow_is_dashed() -> None:
    x, y, z = Value(2.0, "x"), Value(3.0, "y"), Value(-1.0, "z")
    output = x - y * 2 + z.relu()
    output.backward()
    lines = {line.split(" [")[0]: line for line in arrows(draw(output))}
    by_label = {
        node.label or node.operation.symbol or str(node.data): f"n{i}" for i, node in enumerate(topological_order(output))
    }
    assert '"#007FC6"' in lines[f"{by_label['x']} -> {by_label['-']}"]
    assert '"#D55E00"' in lines[f"{by_label['*']} -> {by_label['-']}"]
    assert "style=dashed" in lines[f"{by_label['z']} -> {by_label['relu']}"]
    assert [line for line in arrows(draw(output)) if "label" not in line] == [
        f"{by_label['2.0']} -> {by_label['*']} ["
    ]  # constant
    assert "grad" not in boxes(draw(output))[int(by_label["2.0"][1:])]


@pytest.mark.parametrize("output", [Value(3.0, "x"), __import__("pickle").loads(__import__("pickle").dumps(Value(3.0) * 2))])
def test_no_gradient_is_shown_before_backward(output: Value) -> None:
    assert "grad " not in draw(output).source


def test_the_same_graph_gives_the_same_bytes_in_every_process() -> None:
    program = "from test_draw import *; y = neuron(); y.backward(); print(draw(y).source, end='')"
    output = neuron()
    output.backward()
    path = os.pathsep.join(sys.path)
    for seed in ("1", "2"):
        env = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"}
        fresh = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, env=env)  # noqa: S603
        assert fresh.stdout.decode().replace("\r\n", "\n") == draw(output).source == draw(output).source


NASTY = {
    # label: how it is shown
    'say "hi"': 'say "hi"',
    "it's": "it's",
    "<b>&amp;</b>": "<b>&amp;</b>",
    "a<b & c>d": "a<b & c>d",
    "]]><!-- -->": "]]><!-- -->",
    "two\nlines\ttab\r": "two lines tab",
    r"\N\G\E\T\H\L\l\r\n": r"\N\G\E\T\H\L\l\r\n",
    "back\\": "back\\",
    "\\\\\\": "\\\\\\",
    "nul\0nul": "nul\ufffdnul",
    "lone \ud800 and \udfff": "lone \ufffd and \ufffd",
    "\U0001f600 emoji \u00e9": "\U0001f600 emoji \u00e9",
    "left\u202eright": "left\ufffdright",
    "\u05d0\u05d1 \u03bb\u2081": "\u05d0\u05d1 \u03bb\u2081",
    "\ufffe\uffff": "\ufffd\ufffd",
    "x" * 40: "x" * 40,
    "x" * 41: "x" * 39 + "\u2026",
    "long" * 2500: ("long" * 10)[:39] + "\u2026",
    "&" * 10_000: "&" * 39 + "\u2026",
    "{a|b} %s $x n0 -> n1;": "{a|b} %s $x n0 -> n1;",
}


@pytest.mark.parametrize(("label", "shown"), NASTY.items(), ids=range(len(NASTY)))
def test_a_nasty_label_is_text(label: str, shown: str) -> None:
    x = Value(1.0, label)
    drawing = draw(x * x)
    assert " ".join(texts(drawing)[0].split()) == " ".join(shown.split())
    assert len(boxes(drawing)) == 2
    drawing.source.encode()  # no surrogates


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=50), min_size=8, max_size=8))
@example([" ", "\n", "\u3000", "\xa0", "\\", "<", "&#65;", "\x1b[31m"])
def test_any_text_is_text(labels: list[str]) -> None:
    drawing = draw(sum((Value(i, label) for i, label in enumerate(labels)), Value(0)))
    shown = {" ".join(text.split()) for text in texts(drawing)}
    for label in labels:
        text = "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in label)
        assert " ".join((text if len(text) <= 40 else text[:39] + "\u2026").split()) in shown | {""}


@pytest.mark.parametrize("label", [r"\N", r"\G", r"a\Eb", "&lt;b&gt; &#65; &"])
def test_a_backslash_and_an_entity_in_a_tooltip_are_text(label: str) -> None:
    (tip,) = (title for a in root(draw(Value(1.0, label))).iter(SVG + "a") if (title := a.get(TITLE)))
    assert tip == f"{label} = 1.0"


def test_tooltips_have_all_digits() -> None:
    x = Value(1 / 3, 'a "b" <c>')
    tips = [a.get(TITLE) for a in root(draw(x * 2)).iter(SVG + "a")]
    assert {'a "b" <c> = 0.3333333333333333', "2.0", "0.6666666666666666"} <= set(tips)


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (Fraction(1, 3), "data 1/3"),
        (Fraction(-7), "data \u22127"),
        (-0.0, "data 0"),
        (float("inf"), "data inf"),
        (float("-inf"), "data \u2212inf"),
        (float("nan"), "data nan"),
        (1e-300, "data 1e\u2212300"),
        (123456789.0, "data 1.235e+08"),
    ],
)
def test_any_number_is_drawn_before_and_after_backward(data: Any, shown: str) -> None:
    output = Value(data, "x") * Value(Fraction(1), "y")
    for _ in range(2):
        assert shown in texts(draw(output))
        output.backward()


@pytest.mark.parametrize("power", [400, 5000])
def test_a_large_fraction_is_drawn(power: int) -> None:
    output = Value(Fraction(10) ** power) * Value(Fraction(2))
    assert len(boxes(draw(output))) == 3


def test_a_graph_beyond_the_limit_is_refused_with_the_remedy() -> None:
    x = output = Value(1.0)
    for _ in range(9):
        output = output + x
    assert len(boxes(draw(output, limit=10))) == 10
    with pytest.raises(ValueError, match="draw: the graph") as caught:
        draw(output, limit=9)
    assert str(caught.value) == (
        'draw: the graph has 10 nodes, more than the limit of 9; fold what repeats, draw(output, collapse="auto"), '
        "draw a part of it, draw(output.parents[0]), or raise the limit, draw(output, limit=10)"
    )
    for _ in range(500):
        output = output + x
    with pytest.raises(ValueError, match="510 nodes, more than the limit of 500"):
        draw(output)


@pytest.mark.parametrize("wrong", [3.0, None, "x", [Value(1.0)]])
def test_what_is_no_value_is_not_drawn(wrong: Any) -> None:
    with pytest.raises(TypeError, match=rf"^draw: .* is of type {type(wrong).__name__}; give the Value whose graph to draw"):
        draw(wrong)


@pytest.mark.parametrize(("suffix", "magic"), [(".svg", b"<?xml"), (".pdf", b"%PDF"), (".png", b"\x89PNG"), (".SVG", b"<?xml")])
def test_a_picture_is_saved_by_suffix(tmp_path: Path, suffix: str, magic: bytes) -> None:
    target = draw(neuron()).save(tmp_path / f"neuron{suffix}")
    assert target == tmp_path / f"neuron{suffix}"
    assert target.read_bytes().startswith(magic)
    assert draw(neuron()).save(str(target)) == target
    if suffix == ".svg":
        assert target.read_text(encoding="utf-8") == draw(neuron()).svg()


@pytest.mark.parametrize("name", ["picture.gif", "picture", "picture.svg.txt"])
def test_another_suffix_is_refused_and_writes_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=rf"^save\('.*{name}'\): the suffix '.*' is not one of .svg, .pdf, .png$"):
        draw(neuron()).save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="the dot of this test is a shell script")
def test_the_dot_of_the_system_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dot = tmp_path / "dot"
    dot.write_text('#!/bin/sh\necho "$@"\ncat\n')
    dot.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    drawing = draw(neuron())
    assert drawing.svg() == f"-Kdot -Tsvg\n{drawing.source}"
    assert drawing.save(tmp_path / "neuron.pdf").read_text(encoding="utf-8").startswith("-Kdot -Tpdf\n")


def test_without_a_renderer_the_error_carries_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawing = draw(neuron())
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    with pytest.raises(RenderError, match=r"pip install pygraphviz") as caught:
        drawing.svg()
    assert caught.value.source == drawing.source
    assert str(caught.value) == (
        "no Graphviz found to render the picture; either pip install pygraphviz, which brings it, or install Graphviz "
        "itself (apt install graphviz, brew install graphviz); the DOT text is in .source"
    )
    with pytest.raises(RenderError):
        drawing.save(tmp_path / "neuron.svg")
    assert list(tmp_path.iterdir()) == []


def test_pygraphviz_renders_one_picture_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Graphviz in the process aborts it, now and then, if two threads are in it."""
    inside, most = 0, 0

    class AGraph:
        def __init__(self, string: str) -> None:
            self.string = string

        def draw(self, **_: str) -> bytes:
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            time.sleep(0.002)
            inside -= 1
            return self.string.encode()

    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "pygraphviz", SimpleNamespace(AGraph=AGraph))
    pictures = [draw(Value(float(k))) for k in range(16)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(Drawing.svg, pictures)) == [picture.source for picture in pictures]
    assert most == 1
