"""Three operations of a user: one like erf, one like gelu and one with three operands, through every reader of a graph."""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM, DRIVER, Browser
from reading import compiled

from autograd import Value, derive, draw, grad, operation, wrong_ways
from autograd.derive.page import page

ERF = "Math.sign(a) * Math.sqrt(1 - Math.exp(-a * a * (4 / Math.PI + 0.147 * a * a) / (1 + 0.147 * a * a)))"  # to 1e-4


def erf(javascript: str | None = ERF) -> Any:
    def partials(m: Any, out: Any, a: Any) -> tuple[Any]:  # noqa: ARG001  # every row takes the same arguments
        return (2 / math.sqrt(math.pi) * m.exp(-a * a),)

    return operation("my_erf", math.erf, partials, native="erf", javascript=javascript)


def output(javascript: str | None = ERF, at: float = 0.5) -> tuple[Value, list[Value]]:
    """One of each, all with x as an operand, once in two places."""
    gelu = operation("my_gelu", formula=lambda m, a: a * m.sigmoid(1.702 * a))
    lerp = operation(
        "lerp",
        lambda a, b, t: a + t * (b - a),
        lambda m, out, a, b, t: (1 - t, t, b - a),
        symbol="\u039b",
        javascript="a + t * (b - a)".replace("t", "c"),
    )
    x, t = Value(at, "x"), Value(0.25, "t")
    y = lerp(erf(javascript)(x), x, t) * gelu(x) + lerp(x, t, x)
    y.label = "y"
    return y, [x, t]


def test_text() -> None:
    y, leaves = output()
    text = str(derive(y))
    assert "z1 = my_erf(x) = my_erf(0.5) = 0.5205" in text
    assert "z2 = \u039b(z1, x, t) = \u039b(0.5205, 0.5, 0.25) = 0.515375" in text
    assert "v = \u039b(a, b, c)        dv/da = 1 - c, dv/db = c, dv/dc = b - a" in text
    assert "v = my_erf(a)         dv/da = 1.12838 * exp(-a * a)" in text
    assert "dv/da = sigmoid(1.702 * a) + a * (sigmoid(1.702 * a) * (1 - sigmoid(1.702 * a))) * 1.702" in text
    assert "since z5 = \u039b(x, t, x), by its third operand" in text
    assert "since z5 = \u039b(x, t, x), by its first operand" in text
    assert "since z2 = \u039b(z1, x, t)\n" in text
    for leaf in leaves:
        assert f" = {grad(y, leaf):.6g}\n" in f"{text}\n"


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="no pdflatex here")
def test_latex(tmp_path: Path) -> None:
    latex = derive(output()[0]).latex()
    assert r"\operatorname{my\_erf}\left(x\right)" in latex
    assert r"\Lambda\left(z_{1}, x, t\right)" in latex
    compiled(tmp_path, latex)
    operation("sign_of_mine", formula=lambda m, a: 2 * a, symbol="{<50 %>\\^_}")
    compiled(tmp_path, derive(operation("twice", formula=lambda m, a: m.sign_of_mine(a))(Value(1.0, "x"))).latex())


def test_paths_and_wrong_ways() -> None:
    y, (x, t) = output()
    paths = derive(y, x).paths()
    assert paths.count == 5
    assert paths.total == pytest.approx(paths.adjoint)
    assert "x -> z1 -> z2 -> z4 -> y" in str(paths)
    assert "z3 * (1 - t) * (1.12838 * exp(-x * x))" in str(paths)
    report = wrong_ways(y)
    assert "z2 = \u039b(z1, x, t)" in str(report)
    assert report.right[t] == grad(y, t)
    assert [bool(way.wrong) for way in report.ways] == [False, True, True, True]


def test_picture() -> None:
    y, _ = output()
    y.backward()
    source = draw(y, show=("data", "labels")).source
    assert source.count("->") == 12
    assert {"my_erf", "my_gelu", "\u039b"} <= set(re.findall(r">([^<>]+)</FONT>", source))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    pytest.importorskip("selenium", reason="the page is tested with selenium: pip install '.[test]'")
    pytest.importorskip("latex2mathml", reason="the page's formulas need latex2mathml: pip install latex2mathml")
    if not CHROMIUM or not DRIVER:
        pytest.skip("the page is tested in Chromium, which is not here: apt install chromium chromium-driver")
    started = Browser(tmp_path_factory.mktemp("pages"))
    yield started
    started.driver.quit()


def text_of(browser: Browser, selector: str) -> str:
    return browser.text(selector).replace("\u2202", "d").replace("\u00b7", "*").replace("\u2212", "-")


def test_page(browser: Browser) -> None:
    y, (x, t) = output()
    browser.open(y)
    browser.run("goTo(last)")
    for leaf in (x, t):
        assert browser.boxes()[leaf.label][1] == pytest.approx(grad(y, leaf), rel=1e-3)
    browser.type("x", "-1.5")
    y, leaves = output(at=-1.5)
    for leaf in leaves:
        assert browser.boxes()[leaf.label][1] == pytest.approx(grad(y, leaf), rel=1e-3)
    browser.run("choose(nodes.findIndex(({ name }) => name === 'x'))")
    story = text_of(browser, "#story")
    assert "through z5, as its third operanddydz5*(dz5dx)third=dydz5*(t-x)" in story
    assert browser.run("return fixed") == ""
    assert browser.complaints() == []


def test_a_page_without_javascript_shows_the_recorded_numbers(browser: Browser) -> None:
    y, (x, t) = output(javascript=None)
    browser.open(y)
    said = "my_erf has no JavaScript form; the page shows the graph but cannot recompute it."
    assert browser.text("#fixed") == said
    assert browser.run("return [...document.querySelectorAll('form input, form button')].every((e) => e.disabled)")
    browser.run("goTo(last)")
    boxes = browser.boxes()
    for leaf in (x, t):
        assert boxes[leaf.label][0] == leaf.data
        assert boxes[leaf.label][1] == pytest.approx(grad(y, leaf), rel=1e-13)
    browser.run("choose(nodes.findIndex(({ name }) => name === 'z1'))")
    story = text_of(browser, "#story")
    assert "z1=my_erf(x)=my_erf(0.5)=0.5205" in story
    assert "dz1dx=1.12838*e-x*x=1.12838*e-0.5*0.5=0.8788" in story
    assert browser.complaints() == []


def test_what_the_page_without_javascript_has_as_data() -> None:
    pytest.importorskip("latex2mathml", reason="the page's formulas need latex2mathml: pip install latex2mathml")
    x = Value(-math.inf, "x")
    text = page(derive(erf(javascript=None)(x)))
    program = json.loads(re.findall(r'id="program">(.*)</script>', text)[0])
    assert program["nodes"][1] == {
        "name": "z1",
        "kind": "result",
        "operation": "my_erf",
        "row": "my_erf",
        "parents": [0],
        "data": -1.0,
        "value": 0,
        "formulas": [1],
        "partials": [0.0],
    }
    assert program["nodes"][0]["data"] == "-Infinity"
    assert "const RULES = {}, FORMULAS = {};" in unescape(text)


def test_an_operation_that_was_registered_again_keeps_its_record_in_every_reader() -> None:
    old = operation("again", formula=lambda m, a: 2 * a)
    x = Value(3.0, "x")
    y = old(x)
    new = operation("again", formula=lambda m, a: 5 * a)
    y = y * new(x)
    text = str(derive(y))
    assert text.count("v = again(a)") == 2
    assert "dv/da = 2" in text
    assert "dv/da = 5" in text
    pytest.importorskip("latex2mathml", reason="the page's formulas need latex2mathml: pip install latex2mathml")
    html = page(derive(y))
    assert "const op_again = (a) => (2 * a);\nconst op_again$2 = (a) => (5 * a);" in html
    assert '"row": "again$2"' in html


def test_a_formula_that_is_too_long_to_be_read_is_named() -> None:
    def formula(m: Any, a: Any, b: Any) -> Any:
        for _ in range(30):
            a = m.sin(a) * m.sin(a) * b  # printed, the last of them would have 2**30 parts
        return a

    long = operation("long", formula=formula)
    y = long(Value(0.5, "x"), Value(2.0, "w"))
    text = str(derive(y))
    assert "  v = long(a, b)        dv/da = dlong/d1(a, b), dv/db = dlong/d2(a, b)" in text
    assert "since z1 = long(x, w)" in text
    assert "dlong/d2" in derive(y).latex()
    pytest.importorskip("latex2mathml", reason="the page's formulas need latex2mathml: pip install latex2mathml")
    assert "long has no JavaScript form" in page(derive(y))
