"""The page in headless Chromium: what it computes, shows, announces and refuses to run; it is skipped where there is none."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import math
import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from fractions import Fraction
from html import unescape
from typing import Any

import pytest
from browser import CHROMIUM, DOWN, DRIVER, END, ENTER, ESCAPE, HOME, LEFT, RIGHT, TAB, UP, Browser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_graph import graphs

import nn
from autograd import Value, maximum, topological_order
from autograd.derive import derive
from autograd.derive.page import page
from autograd.expressions import as_latex, symbol
from autograd.expressions.rows import partials_at
from autograd.names import latex_name, plain
from autograd.operations import CONSTANT, OPERATIONS
from autograd.recording import record

pytest.importorskip("latex2mathml", reason="the page's formulas need latex2mathml: pip install '.[html]'")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    pytest.importorskip("selenium", reason="the page is tested with selenium: pip install '.[test]'")
    if not CHROMIUM or not DRIVER:
        pytest.skip("the page is tested in Chromium, which is not here: apt install chromium chromium-driver")
    started = Browser(tmp_path_factory.mktemp("pages"))
    yield started
    started.driver.quit()


def neuron() -> Value:
    w, x, b = Value(0.5, "w"), Value(2.0, "x"), Value(-1.0, "b")
    y = (w * x + b).tanh()
    y.label = "y"
    return y


def network() -> Value:
    loss = nn.MatrixMLP.random([3, 4, 1], rng=1).to_mlp().loss([[0.0, 1.0, 1.0]], [[1.0]])
    loss.label = "C"
    return loss


def is_close(a: float, b: float, ulps: int = 4, beside: float = 0.0) -> bool:
    """Equal but for what two C libraries differ by; with the sign of a zero. A sum may cancel: `beside` is what was summed."""
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    if a == b or math.isinf(a) or math.isinf(b):
        return a == b and math.copysign(1, a) == math.copysign(1, b)
    return abs(a - b) <= ulps * math.ulp(max(abs(b), beside))


# What it computes.


def test_stepping_to_the_end_shows_the_gradients_of_the_sweep(browser: Browser) -> None:
    output = network()
    derivation = derive(output)
    browser.open(output)
    assert browser.run("return step") == sum(node.left is not None for node in derivation.order)
    expected = [step for step in derivation.steps if step.node.operation is not CONSTANT]
    for i, shown in enumerate([browser.boxes(), *browser.steps(len(expected))]):
        for k, step in enumerate(expected):
            data, gradient = shown[step.name]
            assert data is not None
            assert is_close(data, float(step.data), beside=max((abs(float(p.data)) for p in step.node.parents), default=0.0))
            assert (gradient is None) == (k >= i), "a gradient is shown when the sweep has reached it, and not before"
            assert gradient is None or is_close(gradient, float(step.adjoint))
    assert browser.run("return step === last")
    cells = browser.run(
        "return inputs.map((i) => [nodes[i].name, byId(`gradient${i}`).title, byId(`gradient${i}`).textContent])"
    )
    output.backward()
    leaves = {node.label: float(node.grad) for node in derivation.order if node.left is None and node.operation is not CONSTANT}
    assert all(is_close(float(title), leaves[name]) for name, title, _ in cells)
    assert [text.replace("\u2212", "-") for *_, text in cells] == [f"{leaves[name] + 0.0:.4g}" for name, *_ in cells]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graphs())
def test_any_graph_has_the_terms_and_the_adjoints_of_its_derivation(browser: Browser, output: Value) -> None:
    browser.open(output)
    steps = [step for step in derive(output).steps if step.node.operation is not CONSTANT]
    term = "({ consumer, position, partial, contribution }) => [nodes[consumer].name, position, partial, contribution]"
    found = browser.run(f"return sweep.map((i) => [nodes[i].name, adjoints[i], terms[i].map({term})])")
    names = derive(output).names
    for (name, adjoint, terms), step in zip(found, steps, strict=True):
        assert name == step.name
        assert adjoint == pytest.approx(float(step.adjoint), rel=1e-13)
        want = [(names[term.consumer], term.position, float(term.partial), float(term.contribution)) for term in step.terms]
        assert [(n, p) for n, p, *_ in terms] == [(n, p) for n, p, *_ in want]
        for (*_, partial, contribution), (*_, partial_, contribution_) in zip(terms, want, strict=True):
            assert (partial, contribution) == pytest.approx((partial_, contribution_), rel=1e-13)
    assert browser.complaints() == []


EDGES = (
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    2.0,
    -2.0,
    3.0,
    -8.0,
    1 / 3,
    5e-324,
    1e-300,
    1e300,
    710.0,
    -745.0,
    math.inf,
    -math.inf,
    math.nan,
)
NUMBERS = st.one_of(st.sampled_from(EDGES), st.floats(-30, 30), st.floats())
COMPUTE = """
const text = (x) => (Object.is(x, -0) ? "-0.0" : String(x));
return arguments[0].map((numbers) => {
  numbers.forEach((number, k) => { data[inputs[k]] = parsed(number); });
  compute();
  return [text(data[output]), ...inputs.map((i) => text(adjoints[i]))];
});
"""
TYPE = """
const text = (x) => (Object.is(x, -0) ? "-0.0" : String(x));
arguments[0].forEach((number, k) => {
  const field = document.getElementById(`input${inputs[k]}`);
  field.value = number;
  field.dispatchEvent(new Event("change"));
});
goTo(last);
return inputs.map((i) => document.getElementById(`gradient${i}`).title);
"""


def applied(name: str, operands: list[Value]) -> Value:
    found: Value = record(Value, OPERATIONS[name], *operands)
    return found


@pytest.mark.parametrize("name", OPERATIONS)
def test_changed_inputs_give_what_the_engine_gives(browser: Browser, name: str) -> None:
    count = len(OPERATIONS[name].domain)
    browser.open(applied(name, [Value(2.0, label) for label in "abcd"[:count]]))

    def engine(sample: tuple[float, ...]) -> list[float]:
        operands = [Value(x) for x in sample]
        output = applied(name, operands)
        output.backward()
        return [float(output.data), *(float(operand.grad) for operand in operands)]

    def check(samples: list[tuple[float, ...]]) -> None:
        found = browser.run(COMPUTE, [[repr(x) for x in sample] for sample in samples])
        for sample, numbers in zip(samples, found, strict=True):
            want, got = engine(sample), [float(number) for number in numbers]
            assert all(map(is_close, got, want)), (sample, got, want)

    edges = EDGES if count < 3 else (0.0, -0.0, 1.0, -2.0, math.inf, math.nan)
    check(list(itertools.product(edges, repeat=count)))
    settings(max_examples=3, deadline=None)(given(st.lists(st.tuples(*[NUMBERS] * count), min_size=20, max_size=40))(check))()
    for pair in [(1.5, 0.25), (-2.0, -2.0), (0.0, -0.0), (math.nan, 1.0), (math.inf, 0.0)]:
        sample = (*pair, -1.0, 3.0)
        got = [float(x) for x in browser.run(TYPE, [repr(x) for x in sample[:count]])]
        assert all(map(is_close, got, engine(sample[:count])[1:])), (sample, got)
    assert browser.complaints() == []


# What it shows.


def test_the_formula_that_is_shown_is_the_one_that_holds_at_these_numbers(browser: Browser) -> None:
    from latex2mathml.converter import convert

    for name, rule in OPERATIONS.items():
        count = len(rule.domain)
        browser.open(applied(name, [Value(2.0, label) for label in "abcd"[:count]]))
        for sample in itertools.product((0.0, 2.0, -2.0), repeat=count):
            out = rule.forward(*sample)
            shown = browser.run(
                """arguments[0].forEach((x, i) => { data[inputs[i]] = x; }); compute();
                const letters = (i) => math("mi", "uvstw"[i === output ? 4 : inputs.indexOf(i)]);
                return formulasOf(output).map((id) => formula(id, output, letters).textContent)""",
                list(sample),
            )
            names = dict(zip("uvst", sample, strict=False)) | {"w": out}
            formulas = partials_at(rule, symbol("w"), [*map(symbol, "uvst"[:count])], names)
            want = [ET.fromstring(convert(as_latex(formula))) for formula in formulas]  # noqa: S314 (made here)
            assert shown == ["".join(math.itertext()) for math in want], (name, sample)


def test_a_story_tells_every_term_of_a_sum_in_symbols_and_in_numbers(browser: Browser) -> None:
    x = Value(-2.0, "x")
    y = x * x + x**3
    y.label = "y"
    browser.open(y)
    browser.run("boxes[0].group.dispatchEvent(new MouseEvent('click'))")
    assert browser.text("#story h2") == "x"
    items = browser.run("return [...document.querySelectorAll('#story ol li')].map((item) => item.textContent)")
    assert [item.replace("\u2202", "d").replace("\u00b7", "*").replace("\u2212", "-") for item in items] == [
        "through z2dydz2*dz2dx=dydz2*3*x3-1=1*3*(-2)3-1=12",
        "through z1, as its right operanddydz1*(dz1dx)right=dydz1*x=1*(-2)=-2",
        "through z1, as its left operanddydz1*(dz1dx)left=dydz1*x=1*(-2)=-2",
    ]
    last = browser.run("return [...document.querySelectorAll('#story .equation')].at(-1).textContent")
    assert last == "\u2202y\u2202x=12+(\u22122)+(\u22122)=8"
    assert browser.text("#status") == "The story of x; Next and Back go on with the steps."
    browser.run("document.querySelector('#story li button').click()")
    assert browser.text("#story h2") == "z2"
    assert browser.run("return document.activeElement.id") == "story"


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda a, b: b + a, "y=b+a=-3+2=-1"),
        (lambda a, b: a - b, "y=a-b=2-(-3)=5"),
        (lambda a, b: a * b, "y=a*b=2*(-3)=-6"),
        (lambda a, b: a / b, "y=ab=2-3=-0.6667"),
        (lambda a, b: b**a, "y=ba=(-3)2=9"),
        (lambda a, b: a**b, "y=ab=2-3=0.125"),
        (lambda a, b: -b, "y=-b=-(-3)=3"),
        (lambda a, b: abs(b) + a * 0, "z1=|b|=|-3|=3"),
        (lambda a, b: b.tanh() + a * 0, "z1=tanh(b)=tanh(-3)=-0.9951"),
        (lambda a, b: b * 1e7, "y=b*1*107=-3*1*107=-3*107"),
    ],
)
def test_signs_stand_in_parentheses_where_they_would_be_misread(browser: Browser, build: Any, text: str) -> None:
    y = build(Value(2.0, "a"), Value(-3.0, "b"))
    y.label = "y"
    browser.open(y)
    if text.startswith("z1"):
        browser.run("choose(nodes.findIndex(({ name }) => name === 'z1'))")
    shown = browser.text("#story .equation").replace("\u2212", "-").replace("\u00b7", "*")
    assert shown == text


def test_the_active_node_and_its_edges_light_up(browser: Browser) -> None:
    browser.open(neuron())
    lit = (
        "return [...document.querySelectorAll('.lit')].map((group) => group.querySelector('title').textContent.split(' = ')[0])"
    )
    seen = []
    for _ in range(browser.run("goTo(0); return last")):
        browser.run("goTo(step + 1)")
        seen.append(browser.run(lit))
    assert seen == [
        ["z1", "d z1 / d w", "d z1 / d x"],
        ["z2", "d z2 / d z1", "d z2 / d b"],
        ["y", "d y / d z2"],
        ["y"],
        ["z2", "d y / d z2"],
        ["z1", "d z2 / d z1"],
        *[[name, f"d {'z2' if name == 'b' else 'z1'} / d {name}"] for name in ("b", "x", "w")],
    ]


def test_values_appear_one_by_one_before_the_sweep(browser: Browser) -> None:
    browser.open(neuron())
    browser.run("goTo(0)")
    known = [[name for name, (data, _) in shown.items() if data is not None] for shown in [browser.boxes(), *browser.steps(3)]]
    inputs = {"w", "x", "b"}
    assert list(map(set, known)) == [inputs, inputs | {"z1"}, inputs | {"z1", "z2"}, inputs | {"z1", "z2", "y"}]
    browser.run("goTo(1)")
    assert browser.run("return boxes[4].numbers[0].textContent + arrows[2].querySelector('text').textContent") == ""


def test_in_a_notebook_the_page_stands_in_a_frame(browser: Browser) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    browser.open(neuron())
    path = browser.directory / "notebook.html"
    path.write_text(f"<!DOCTYPE html><p>cell</p>{derive(neuron())._repr_html_()}", encoding="utf-8")
    browser.driver.get(path.as_uri())
    browser.driver.switch_to.frame(0)
    wait = WebDriverWait(browser.driver, 10)  # the frame has an origin of its own: keys reach it a little later
    wait.until(lambda _: browser.run("return document.readyState") == "complete")
    browser.keys(TAB)
    wait.until(lambda _: browser.run("return document.hasFocus()"))
    browser.keys(RIGHT)
    wait.until(lambda _: browser.text("#status") == "Backward, 1 of 6: the gradient of y is 1.")
    browser.run("byId('next').click()")
    assert browser.text("#status") == "Backward, 2 of 6: the gradient of z2 is 1 \u00b7 1 = 1."
    browser.driver.switch_to.default_content()
    assert browser.complaints() == []


def test_texts_and_arrows_of_the_picture_follow_the_numbers(browser: Browser) -> None:
    browser.open(neuron())
    texts = "return [...boxes[0].group.querySelectorAll('text')].map((text) => text.textContent)"
    arrow = "return [arrows[0].getAttribute('class'), arrows[0].querySelector('text').textContent]"
    assert browser.run(texts) == ["w", "data 0.5", ""]
    assert browser.run(arrow) == ["edge ", "2"]
    browser.run("goTo(last)")
    assert browser.run(texts) == ["w", "data 0.5", "grad 2"]
    assert browser.run(arrow)[0].startswith("edge positive")
    browser.type("x", "-0.25")
    assert browser.run(arrow) == ["edge negative lit", "\u22120.25"]
    browser.type("x", "0")
    assert browser.run(arrow) == ["edge zero lit", "0"]
    browser.type("w", "-1.2345e-300")
    assert browser.run(texts)[1] == "data \u22121.234e\u2212300"
    assert browser.run("return boxes[0].numbers[0].getComputedTextLength() <= boxes[0].room + 0.01")


def test_with_wrt_the_page_has_what_lies_between_and_the_rest_is_given(browser: Browser) -> None:
    w, x = Value(0.5, "w"), Value(2.0, "x")
    y = (w * (x + 1)).tanh() * x
    browser.open(y, wrt=w)
    kinds = browser.run("return Object.fromEntries(nodes.map(({ name, kind }) => [name, kind]))")
    assert kinds == {"w": "input", "z1": "given", "z2": "result", "z3": "result", "x": "given", "z4": "result"}
    browser.type("w", "0.25")
    w.data = 0.25
    y = (w * (x + 1)).tanh() * x
    y.backward()
    browser.run("goTo(last)")
    assert is_close(browser.boxes()["w"][1] or 0.0, float(w.grad))
    assert browser.boxes()["x"][1] is None


def test_a_result_that_is_asked_for_is_an_input_of_the_page(browser: Browser) -> None:
    x = Value(2.0, "x")
    z = x * 3
    z.label = "z"
    far = z - 5  # does not lead to the output
    far.label = "far"
    browser.open(z * z + x, wrt=[z, far])
    assert browser.run("return inputs.map((i) => nodes[i].name)") == ["z", "far"]
    browser.run("goTo(last)")
    assert (browser.boxes()["z"], browser.boxes()["far"]) == ((6.0, 12.0), (1.0, 0.0))


@pytest.mark.parametrize("output", [Value(3.0, "x"), Value(Fraction(1, 3), "x"), (Value(3.0) * 2).parents[1]])
def test_a_graph_of_one_node_is_a_page_too(browser: Browser, output: Value) -> None:
    browser.open(output)
    browser.run("goTo(last)")
    assert list(browser.boxes().values()) == [(float(output.data), 1.0)]
    assert browser.complaints() == []


# Changing inputs.


def test_what_is_no_number_is_said_and_the_number_stays(browser: Browser) -> None:
    browser.open(neuron())
    field = browser.run("return document.getElementById('input1')")
    for text in ("abc", "", "1e", "0x10", "1,5", "--1"):
        browser.type("x", text)
        assert browser.run("return [arguments[0].getAttribute('aria-invalid'), data[1]]", field) == ["true", 2]
        assert f"\u201c{text}\u201d is not a number: x stays 2" in browser.text("#problem")
    browser.type("x", "4")
    assert browser.run("return [arguments[0].getAttribute('aria-invalid'), data[1]]", field) == ["false", 4]
    assert browser.text("#problem") == ""
    assert browser.text("#status") == "x is 4: y is 0.7616."
    browser.type("w", "abc")
    browser.run("document.querySelector('[type=reset]').click()")
    assert browser.run("return [data[0], data[1], document.getElementById('input0').value]") == [0.5, 2, "0.5"]
    assert browser.run("return document.querySelectorAll('[aria-invalid=true]').length") == 0
    assert browser.text("#problem") == ""


def test_numbers_are_shown_with_four_digits_and_whole_ones_as_they_are(browser: Browser) -> None:
    browser.open(neuron())
    numbers = [
        "0",
        "-0",
        "1",
        "-12345",
        "999999",
        "1234567",
        "0.5",
        "1234.5678",
        "12345.678",
        "0.00012345",
        "1.2e-5",
        "inf",
        "nan",
    ]
    assert browser.run("return arguments[0].map((text) => short(parsed(text)))", numbers) == [
        *(
            "0",
            "0",
            "1",
            "\u221212345",
            "999999",
            "1.235e+6",
            "0.5",
            "1235",
            "1.235e+4",
            "0.0001234",
            "1.2e-5".replace("-", "\u2212"),
        ),
        *("inf", "nan"),
    ]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(), min_size=20, max_size=20))
def test_a_number_is_written_and_read_again_as_it_is(browser: Browser, numbers: list[float]) -> None:
    script = "return arguments[0].map(parsed).map((x) => [exact(x), Object.is(x, parsed(exact(x)))])"
    for x, (text, is_same) in zip(numbers, browser.run(script, [repr(x) for x in numbers]), strict=True):
        assert is_same
        assert float(text) == x or (math.isnan(x) and text == "nan")


# For everyone.


def test_with_the_keyboard_alone_one_gets_everywhere(browser: Browser) -> None:
    browser.open(neuron())
    focus = "const e = document.activeElement; return e.id || e.textContent.trim().split('\\n')[0]"
    visible = """const e = document.activeElement;
      return e.matches(":focus-visible") && (e.matches(".node") || getComputedStyle(e).outlineWidth === "3px")"""
    stops: list[str] = []
    for _ in range(20):
        browser.keys(TAB)
        stops.append(browser.run(focus))
        assert browser.run(visible), stops
        if stops[-1] == "input3":
            break
    assert stops[:7] == ["Skip the picture", "back", "slider", "next", "to-inputs", "to-values", "to-gradients"]
    assert stops[7:] == [
        "smaller",
        "fit",
        "larger",
        "node6",
        *(["picture"] * ("picture" in stops)),
        "Reset",
        "input0",
        "input1",
        "input3",
    ]
    browser.run("document.activeElement.blur()")
    browser.keys(RIGHT)
    assert browser.text("#status") == "Backward, 1 of 6: the gradient of y is 1."
    browser.keys(END)
    assert browser.run("return step === last")
    browser.keys(HOME)
    assert browser.text("#status") == "The inputs are given. Next: the first result."
    browser.keys(LEFT, RIGHT, RIGHT)
    assert browser.text("#status") == "Forward, 2 of 3: z2 is 0."
    browser.run("boxes[0].group.focus()")
    browser.keys(DOWN, DOWN, UP, ENTER)
    assert browser.text("#story h2") == "x"
    assert browser.run("return document.activeElement.id") == "node2"
    browser.keys(ESCAPE)
    assert browser.text("#story h2") == "z2"
    browser.run("document.getElementById('slider').focus()")
    browser.keys(RIGHT, RIGHT)
    assert browser.text("#status").startswith("Backward, 1 of 6")
    browser.run("document.getElementById('input0').focus()")
    browser.keys(HOME, RIGHT)
    assert browser.text("#status").startswith("Backward, 1 of 6")


def test_a_screen_reader_hears_every_step_and_the_name_of_every_control(browser: Browser) -> None:
    browser.open(neuron())
    assert browser.run("return ['status', 'problem'].map((id) => byId(id).getAttribute('role'))") == ["status", "alert"]
    browser.run("goTo(last)")
    tree = browser.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    named: dict[str, list[str]] = {}
    for node in tree:
        role, name = node.get("role", {}).get("value"), node.get("name", {}).get("value")
        if any(p["name"] == "focusable" and p["value"]["value"] for p in node.get("properties", [])) and role != "RootWebArea":
            assert name, node
            named.setdefault(role, []).append(name)
    assert named["textbox"] == ["w", "x", "b"]
    assert named["slider"] == ["Step"]
    assert {"Back", "Next", "Inputs", "Values", "Gradients", "Smaller picture", "Fit", "Larger picture", "Reset"} < set(
        named["button"]
    )
    assert {"w, data 0.5, grad 2", "z1, mul, data 1, grad 1", "y, tanh, data 0, grad 1"} < set(named["button"])


@pytest.mark.parametrize("output", [neuron(), network()], ids=["neuron", "network"])
def test_a_phone_needs_no_sideways_scroll(browser: Browser, output: Value) -> None:
    browser.open(output, width=360, height=640)
    for action in ("goTo(0)", "goTo(results.length + 3)", "goTo(last)", "choose(results[0])", "complain(input0, true)"):
        browser.run(action)
        assert browser.run("return document.documentElement.scrollWidth") <= 360, action
    assert browser.run("return [...document.querySelectorAll('nav button, form button')].every((b) => b.offsetHeight >= 24)")


CONTRAST = """
const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
const pixel = canvas.getContext("2d", { willReadFrequently: true });
const over = (color, under) => {
  pixel.fillStyle = `rgb(${under})`;
  pixel.fillRect(0, 0, 1, 1);
  pixel.fillStyle = color;
  pixel.fillRect(0, 0, 1, 1);
  return [...pixel.getImageData(0, 0, 1, 1).data].slice(0, 3);
};
const luminance = (rgb) => {
  const [r, g, b] = rgb.map((x) => x / 255).map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = (e) => {
  const box = e.closest(".node")?.querySelector("path");
  const under = e === document.documentElement ? [255, 255, 255] : ground(e.parentElement);
  return box && e.matches("text") ? over(getComputedStyle(box).fill, under) : over(getComputedStyle(e).backgroundColor, under);
};
return [...document.querySelectorAll("body *")].filter((e) => e.checkVisibility() &&
    [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) && !e.closest("title, script, template")).map((e) => {
  const style = getComputedStyle(e);
  const below = ground(e);
  const [a, b] = [luminance(over(e.matches("text") ? style.fill : style.color, below)), luminance(below)].sort((x, y) => y - x);
  return [(a + 0.05) / (b + 0.05), e.tagName, e.textContent];
});
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_in_both_colour_schemes(browser: Browser, scheme: str) -> None:
    x, y = Value(2.0, "x"), Value(-3.0, "y")
    browser.open(x * y - y * 2 + (x - 5).relu(), scheme=scheme)
    page_color = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert page_color == {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 24, 27)"}[scheme]
    for action in ("goTo(0)", "goTo(last)", "choose(0)", "complain(input0, true)"):
        browser.run(action)
        found = browser.run(CONTRAST)
        assert len(found) > 40
        assert min(found)[0] >= 4.5, min(found)


def test_nothing_moves_for_those_who_want_it_calm(browser: Browser) -> None:
    browser.open(neuron())
    moves = "(e) => parseFloat(getComputedStyle(e).transitionDuration) > 0"
    moving = f"return [...document.querySelectorAll('*')].filter({moves}).length"
    assert browser.run(moving) == 0
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert browser.run(moving) > 0


def test_in_a_large_picture_the_active_node_comes_into_view_and_the_page_stays(browser: Browser) -> None:
    browser.open(network())
    assert browser.run("return picture.scrollWidth > picture.clientWidth || picture.scrollHeight > picture.clientHeight")
    inside = """const [box, pane] = [boxes[active()].group, picture].map((e) => e.getBoundingClientRect());
      return box.left >= pane.left && box.right <= pane.right && box.top >= pane.top && box.bottom <= pane.bottom"""
    for _ in range(browser.run("goTo(1); return last - 1")):
        assert browser.run(inside)
        browser.run("goTo(step + 1)")
    assert browser.run("return window.scrollY") == 0
    width = "return svg.getBoundingClientRect().width"
    before = browser.run(width)
    browser.run("document.getElementById('larger').click()")
    assert browser.run(width) == pytest.approx(1.25 * before, rel=1e-3)
    browser.run("document.getElementById('fit').click()")
    assert browser.run("return picture.scrollWidth <= picture.clientWidth && picture.scrollHeight <= picture.clientHeight")


# Nothing from outside runs, nothing goes outside.

HOSTILE = (
    "</script><b>bold</b>",
    "<img src=x onerror=ran=1>",
    "<!-- <script>",
    "x_{1}",
    "${ran = 1}",
    "\u2028ran = 1",
    "javascript:ran=1",
    "{{script}}",
    "]]>&lt;b&gt;&amp;",
    "\\N \\text{<b>}",
    "'\"`; ran = 1",
    "\u202etxet",
    "__proto__",
    "\ud800",
    "n\u0303\U0001f600" * 30,
)


def test_labels_of_strangers_are_shown_and_not_run(browser: Browser) -> None:
    leaves = [Value(1.0, label) for label in HOSTILE]
    output = sum(leaves[1:], leaves[0]) * 1
    output.label = HOSTILE[0]
    browser.open(output)
    for i in range(browser.run("return nodes.length")):
        browser.run("choose(arguments[0])", i)
        assert browser.text("#story h2") == browser.run("return nodes[arguments[0]].name", i)
    assert browser.run("return inputs.map((i) => document.querySelector(`label[for=input${i}]`).textContent)") == list(
        map(shown, HOSTILE)
    )
    assert browser.run("return typeof ran") == "undefined"
    assert browser.run("return ['script', 'b', 'img'].map((tag) => document.getElementsByTagName(tag).length)") == [3, 0, 0]
    assert browser.complaints() == []


def shown(label: str) -> str:
    return plain(label).strip()


def test_no_request_leaves_the_page_and_nothing_is_complained_of(browser: Browser) -> None:
    browser.requests()
    browser.open(network())
    browser.keys(*[RIGHT] * 5, END, HOME)
    browser.type("x[1]", "abc")
    browser.type("x[1]", "2")
    browser.run("choose(3)")
    assert browser.requests() <= {browser.path.as_uri(), "data:,"}
    assert browser.complaints() == []


def test_what_the_policy_does_not_know_does_not_run(browser: Browser) -> None:
    browser.open(neuron())
    browser.run("""
      const script = Object.assign(document.createElement("script"), { textContent: "window.ran = 1" });
      const image = Object.assign(new Image(), { src: "https://example.invalid/x.png" });
      document.body.append(script, image);
      document.body.insertAdjacentHTML("beforeend", "<p onclick='window.ran = 1'>p</p>");
      document.body.lastChild.click();""")
    assert browser.run("return window.ran") is None
    messages = browser.complaints()
    assert len(messages) == 3
    assert all("Content Security Policy" in message for message in messages)


# What needs no browser.


def test_the_policy_names_the_scripts_by_their_hashes_and_nothing_else() -> None:
    text = page(derive(neuron()))
    policy = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[0]
    want = {
        f"'sha256-{base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()}'"
        for body in re.findall(r"<(?:script|style)>(.*?)</(?:script|style)>", text, re.DOTALL)
    }
    assert set(re.findall(r"'sha256-[^']*'", policy)) == want
    assert len(want) == 3
    assert policy.startswith("default-src 'none';")
    assert not re.search(r"unsafe|https?:|\*", policy)
    assert set(re.findall(r"https?://[\w./]+", text)) == {
        "http://www.w3.org/1998/Math/MathML",
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_the_same_graph_gives_the_same_page_and_is_left_as_it_was() -> None:
    output = neuron()
    text = page(derive(output))
    assert page(derive(output)) == text
    assert [node.grad for node in topological_order(output)] == [0.0] * 6
    output.backward()
    assert page(derive(output)) == text


@settings(max_examples=15, deadline=None)
@given(graphs(), st.booleans())
def test_boxes_and_arrows_have_the_numbers_that_the_program_gives_them(output: Value, narrowed: bool) -> None:
    text = page(derive(output, topological_order(output)[0] if narrowed else None))
    nodes = json.loads(re.findall(r'id="program">(.*)</script>', text)[0])["nodes"]
    boxes = dict(re.findall(r'<g id="node(\d+)" class="node">\s*<title>n(\d+)</title>', text))
    assert boxes == {str(i + 1): str(i) for i in range(len(nodes))}
    arrows = dict(re.findall(r'<g id="edge(\d+)" class="edge">\s*<title>n(\d+&#45;&gt;n\d+)</title>', text))
    want = [f"{parent}&#45;&gt;n{i}" for i, node in enumerate(nodes) for parent in node["parents"]]
    assert arrows == {str(k + 1): arrow for k, arrow in enumerate(want)}


def test_what_the_page_says_without_a_browser() -> None:
    x, y = Value(2.0, "x"), Value(-1.0, "</script>")
    output = maximum(x, y * 0.5)
    output.label = "W1[0,0]"
    text = page(derive(output))
    colors = ("#1a1a1a", "#007FC6", "#D55E00", "#FFFFFF", "#FFF3D6", "#ECECEC")
    names = ("ink", "positive", "negative", "box", "leaf", "constant")
    assert f"<style>:root {{ {' '.join(f'--{n}: {c};' for n, c in zip(names, colors, strict=True))} }}\n" in text
    program = text.split('id="program">')[1].split("</script>")[0]
    assert "\\u003c/script>" in program
    assert json.loads(program) == {
        "nodes": [
            {"name": "x", "kind": "input", "operation": "", "row": "", "parents": [], "data": 2.0},
            {"name": "</script>", "kind": "input", "operation": "", "row": "", "parents": [], "data": -1.0},
            {"name": "0.5", "kind": "constant", "operation": "", "row": "", "parents": [], "data": 0.5},
            {"name": "z1", "kind": "result", "operation": "mul", "row": "mul", "parents": [1, 2], "data": -0.5},
            {
                "name": "W1[0,0]",
                "kind": "result",
                "operation": "maximum",
                "row": "maximum",
                "selects": True,
                "parents": [0, 3],
                "data": 2.0,
            },
        ],
        "sweep": [4, 3, 1, 0],
        "widths": {"thinnest": 1.0, "strongest": 4.0},
        "fixed": "",
    }
    formulas = """const FORMULAS = {
  mul: { value: 0, partials: (out, a, b) => [1, 2] },
  maximum: { value: 3, partials: (out, a, b) => [a === b ? 4 : 5, b === a ? 4 : 6] },
};
"""
    assert formulas in text
    shown = [re.sub("<[^>]*>", "", re.sub(r'<mi class="(\w+)"></mi>', r"{\1}", html)) for html in templates(text)]
    assert list(map(unescape, shown)) == [
        "{0}·{1}",
        "{1}",
        "{0}",
        "max({0},{1})",
        "0.5",
        "[{0}>{1}]",
        "[{1}>{0}]",
        "x",
        "z1",
        "W0,0(1)",
    ]
    assert re.findall(r'<template id="(\w+)" class="(\w*)">', text) == [
        *((f"formula{i}", "product") for i in range(7)),
        *((f"name{i}", "") for i in (0, 3, 4)),
    ]
    assert {*re.findall(r"<text[^>]*>([^<]*)</text>", text)} >= {"&lt;/script&gt;", "W1[0,0]", "x"}
    assert '<mi class="0"></mi><mo>&#x000B7;</mo><mi class="1"></mi>' in text
    assert text.count("</template>\n<template") == 9
    for total in (x + y, x - y, -x):  # a factor that needs parentheses
        assert '<template id="formula0" class="sum">' in page(derive(total))
    assert '"data": "-Infinity"' in page(derive(Value(-math.inf, "x") * 2))


def templates(text: str) -> list[str]:
    return re.findall(r"<template[^>]*>(.*)</template>", text)


def test_a_graph_beyond_the_limit_is_refused_with_a_way_out() -> None:
    w = Value(1.0, "w")
    long = w * 1
    for _ in range(600):
        long = long + 1
    with pytest.raises(ValueError, match=r"has 1203 nodes, more than the limit of 500; .*derive\(output, wrt=w\)"):
        page(derive(long))
    v = Value(2.0, "v")
    assert page(derive(long * v, wrt=v)).startswith("<!DOCTYPE html>")


def test_without_latex2mathml_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "latex2mathml.converter", None)
    said = r"^page: the formulas need latex2mathml, which is not installed; pip install latex2mathml$"
    with pytest.raises(ImportError, match=said):
        page(derive(neuron()))


@given(st.from_regex(r"[^\W\d][\w\[\],#]{0,8}", fullmatch=True))
def test_every_name_has_a_formula_or_is_written_as_it_is(name: str) -> None:
    text = page(derive(Value(1.0, name)))
    for found in re.findall(r'<template id="name0" class="">(.*)</template>', text):
        assert set("".join(ET.fromstring(found).itertext())) <= set(name) | set("()#,") or latex_name(name).startswith("\\")  # noqa: S314
