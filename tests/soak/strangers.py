"""Strangers' text at its worst: labels stay text in every output, expressions get an answer or an error that can be printed.

Run it: python tests/soak/strangers.py 100000 [SEED], half an hour; a few of each are in the suite. It draws so many labels, and
so many expressions: pieces that mean something in some format, any Unicode, and good ones spoilt. Whatever is made of labels is
read by a parser that is not ours, and has to have the shape that harmless labels give it; expressions have to mean what
Python's own grammar says. The trade-off: what is slow (Graphviz, the page, the command line, and where they are pdflatex and
Chromium) gets a share of them.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import html.parser
import io
import json
import os
import random
import re
import shutil
import sys
import tempfile
import time
import warnings
import xml.etree.ElementTree as ET  # of our own output
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from browser import CHROMIUM, DRIVER, Browser
from reading import compiled

from autograd import ParseError, Tape, Value, derive, draw, first_nonfinite, gradcheck, parse, wrong_ways
from autograd.cli.main import main as command
from autograd.cli.tokens import functions
from autograd.names import columns
from autograd.operations import OPERATIONS
from autograd.tape.native.kernel import straight

FUNCTIONS = functions()
FORMATS = {
    "DOT": r"\N|\G|\E|{a b|<b>|</TD></TR></TABLE>>|n0 -> n1;|]]>|&lt;|&#65;|&amp;lt;|<|>|&|\|\\|\n",
    "HTML": "</script>|<!-- <script>|-->|<img src=x onerror=ran=1>|'\"><i>|{{script}}|</template>|</style>|<svg>|&x",
    "LaTeX": r"\end{align*}|\input{it}|\write18{it}|$$|%|{|}|#1|^^M|~|&|_|^|\\[1ex]|--|``|''|?`|\def\x{|\text{",
    "Python": "import os|__import__('os')|lambda: 0|return|:\n raise|'''|#|;|replay|exp|inf|nan|d_x|t1|x1|if|and|None",
    "JavaScript": "${ran = 1}|`|*/|//|__proto__|constructor|NaN|\u2028|\u2029",
    "a terminal": "\x1b[2J|\x1b]0;it\x07|\x9b31m|\r|\n|\b|\x00|\x7f|\x85|\t|\u202e|\u2066|\u200f|\u061c|\ufeff|\u200d|\ud800",
    "a derivation": "' = 5|a' + 'b|'| = |  |dz1/dx|since|\n  x = 3|x#2|z1|x: 3 instead of 7.|2|3/4|-1e5|\U000e0041|\ufffe",
    "letters": "\u05d0\u05d1|\u0627|\u91cd\u307f|e\u0301|\u0301\u0316|\U0001f600|\uff11|\u00b2|x\u0661|\ufb01|\xdf|\u03a9|\xb5",
    "names": 'w|x_1|W1[2,0]|a1[0]|theta|x01|weight|u|e|z2|\u03b8 |my weight|[|]|(|)|,|.|=|+|*|/|-|:|!|?|"|',
}
PIECES = [*(piece for pieces in FORMATS.values() for piece in pieces.split("|")), "|"]
NAMES = {"w": 0.5, "x": -2.0, "b": 3.0, "\u03b1_1": 1.25}
CODE = [
    "__import__('os')",
    "x.__class__",
    "(lambda: x)()",
    "f'{x}'",
    "[x]",
    "9**9**9",
    "1e999",
    "0x1F",
    "1_0",
    "1__0",
    "x if x",
]
CODE += [
    "\u0661\u0662",
    "\uff12",
    "\uff54anh(",
    "x\u00b2",
    "\u2212",
    "\u00d7",
    "^",
    ":=",
    "=",
    "//",
    "@",
    "max(",
    "sin",
    "maximum(",
    ",",
]
SIMPLE = r"[^\W\d]\w*(?:\[[^\s'\]]*\])?(?:#\w+)?"
NAME = re.compile(rf"d?'(?:[^']|'')*'|{SIMPLE}")
INDEXED = re.compile(
    r"[^\W\d_]+[0-9]*(_[^\W_]+)?(\[[^\W_]+([+-][0-9]+)?(,[^\W_]+([+-][0-9]+)?)*\])?(#[^\W_]+)?"
)  # not as text in LaTeX
GREEK = "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|upsilon|phi|chi|psi|omega"
COMMAND = re.compile(
    rf"\\(?:text(?:bf)?|q?quad|t?frac|partial|c?dots?|sum|left|right|tanh|hat|sim|backslash|{GREEK}|{GREEK.title()})"
)
UNKNOWN = "\xd0\xde\xf0\xfe\u0104\u0105\u0110\u0111\u0118\u0119\u0126\u0127\u012e\u012f\u0138\u013f\u0140\u0149\u014a\u014b"
UNKNOWN += "\u0166\u0167\u0172\u0173\u017f"
MATHML = {"math", "mrow", "mi", "mn", "mo", "mtext", "msub", "msup", "msubsup", "xmlns", "display", "stretchy"}
SVG, LINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}title"
events: list[str] = []  # what Python reports to auditors while an expression is parsed
watched = False


def characters(numbers: random.Random, most: int) -> str:
    """Any of Unicode, or of its first 256."""
    top = numbers.choice([128, 256, 0x3000, 0x110000])
    return "".join(chr(numbers.randrange(top)) for _ in range(numbers.randint(1, most)))


def spoilt(text: str, numbers: random.Random, pieces: Sequence[str]) -> str:
    """The text with some of it taken out, doubled, or replaced."""
    for _ in range(numbers.randint(1, 4)):
        i, j = sorted(numbers.randint(0, len(text)) for _ in range(2))
        j = min(j, i + 3)
        put = numbers.choice(["", text[i:j] * 2, numbers.choice(pieces), characters(numbers, 1)])
        text = text[:i] + put + text[j:]
    return text


# ---- Labels.


def a_label(numbers: random.Random) -> str:
    kind = numbers.random()
    if kind < 0.2:
        return characters(numbers, 12)
    if kind < 0.4:
        return spoilt(numbers.choice(["W1[2,0]", "x_1", "theta", "x#2", "my weight"]), numbers, PIECES)
    text = "".join(numbers.choice(PIECES) for _ in range(numbers.randint(1, 4)))
    return text * 2000 if kind > 0.98 else text


def shown(label: str) -> str:
    """What an output is to show of it: one line, no more than 40 characters, a box for what cannot be printed."""
    text = "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in label)
    return (text if len(text) <= 40 else text[:39] + "\u2026").strip()


def some_labels(numbers: random.Random, count: int) -> list[str]:
    """Labels of which no two are shown alike, nor as a name that is given to what has none."""
    found: dict[str, str] = {}
    while len(found) < count:
        label = a_label(numbers)
        if not re.fullmatch(r"|z\d+|.*#\d+|q\w", shown(label)):
            found.setdefault(shown(label), label)
    return list(found.values())


class Outputs:
    """A graph with these labels, and everything that is written of it."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.leaves = [Value(1 + i / 8, label) for i, label in enumerate(labels[:-1])]
        self.output = self.leaves[0].tanh()
        for leaf in self.leaves[1:]:
            self.output = self.output * leaf + leaf
        self.output.label = labels[-1]
        self.names = [shown(label) for label in labels]
        self.derivation = derive(self.output)
        self.tape = Tape(self.output, self.leaves)

    def function(self, *inputs: Value) -> Value:
        return sum((x * x for x in inputs), Value(0.0))

    def messages(self) -> Iterator[str]:
        """Reports, representations and errors, of one shape whatever the labels are."""
        yield repr(self.leaves)
        yield repr(self.derivation[self.leaves[0]])
        yield str(gradcheck(self.function, *self.leaves))
        yield str(first_nonfinite(Value(float("inf"), self.leaves[0].label) * self.output))
        x, y = self.leaves[:2]
        calls: list[Callable[[], Any]] = [
            lambda: self.tape([1.0]),
            lambda: self.tape(["1"] * len(self.leaves)),
            lambda: self.tape([[1, 2], [1, 2, 3]] + [1] * (len(self.leaves) - 2)),
            lambda: Tape(self.output, [x, x]),
            lambda: Tape(x * y, [x * y]),
            lambda: self.tape.native().descend([1.0] * len(self.leaves), 1, 0.1, over=[Value(1.0, y.label)]),
            lambda: Value([x]),
            lambda: Value(Value(1.0, y.label)),
            lambda: draw([x]),  # type: ignore[arg-type]  # these are mistakes
            lambda: list(derive(self.output, [x, y]).paths()),
            lambda: list(derive(self.output, y).paths(limit=1)),
            lambda: parse("w", {"w": [y]}),
            lambda: gradcheck(lambda *_: [x], 1.0),  # type: ignore[arg-type]
        ]
        for call in calls:
            try:
                call()
            except (ValueError, TypeError) as error:  # noqa: PERF203  # each of them raises
                yield str(error)
            else:
                raise AssertionError("no error")


def shape(text: str) -> str:
    """A derivation in text with N for every name and word, and one space for any."""
    return " ".join(NAME.sub("N", re.sub(r"\n +(= )?", " ", text)).replace("= ", "").split())


def printable(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))


# What is read of each output: it returns what has to be the same whatever the labels are, and finds the labels in the rest.


def text(it: Outputs) -> list[str]:
    narrowed, ways = derive(it.output, it.leaves[1]), wrong_ways(it.output)
    table, *_ = str(ways).split("\n\n")
    full = it.derivation.text(fold=False)
    texts = [full, narrowed.text(fold=False), str(narrowed.paths()), *(way.why for way in ways.ways)]
    for text in (*texts, str(it.derivation), str(ways)):
        assert printable(text), "a text"
    names = [name[1:-1].replace("''", "'") if name[0] == "'" else name for name in NAME.findall(full.split("\n\n")[1])[1:]]
    assert sorted(names) == sorted(it.names[:-1]), "names in the text"
    return [*map(shape, texts), *(" ".join(line.split()[-5:]) for line in table.split("\n"))]


def messages(it: Outputs) -> list[int]:
    found = list(it.messages())
    for message in found:
        assert printable(message), f"message {message!r:.200}"
        assert len(message) < 1000 or message.startswith(("[", "Step")), f"message {message!r:.200}"
    return [message.count("\n") for message in found]


def latex(it: Outputs) -> list[int]:
    found = re.fullmatch(r"\\begin\{align\*\}\n(.*)\n\\end\{align\*\}", it.derivation.latex(fold=False), re.DOTALL)
    assert found, "environment"
    body, depth = found[1], 0
    signs = Counter(re.findall(r"\\[a-zA-Z]+|\\\\\[1ex\]|\\.|[{}&$#%~]", body))
    assert all(COMMAND.fullmatch(sign) for sign in signs if sign[1:].isalpha()), f"commands {signs}"
    assert not signs.keys() & set("$#%~"), "signs that mean something"
    assert signs["&"] == body.count("\n") + 1 == signs["\\\\"] + signs["\\\\[1ex]"] + 1, "rows"
    for sign in re.findall(r"\\.|[{}]", body):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        assert depth >= 0, "braces"
    assert depth == 0, "braces"
    names = map(untexed, re.findall(r"(?m)^& \\quad \{(.*)\} = \S+ ", body.split(r"\textbf{Forward}")[0]))
    assert list(names) == [by_number(name) for name in it.names[:-1] if not INDEXED.fullmatch(name)], "names in LaTeX"
    return [signs[sign] for sign in (r"\frac", r"\partial", r"\tanh", r"\textbf", r"\cdot", r"\\[1ex]")]


def untexed(latex: str) -> str:
    """The name that stands as text in LaTeX."""
    for sign, character in {r"\hat{\ }": "^", r"\backslash": r"\\", r"\sim": "~"}.items():
        latex = latex.replace(sign, character)
    return re.sub(r"\\(.)", r"\1", re.sub(r"\\text\{([^{}]*)\}", r"\1", latex))


def by_number(name: str) -> str:
    """The name with numbers for what plain LaTeX has no letter for."""
    return "".join(c if " " <= c <= "~" or ("\xc0" <= c <= "\u017f" and c not in UNKNOWN) else f"U+{ord(c):04X}" for c in name)


def source(it: Outputs) -> tuple[Any, ...]:
    tree = ast.parse(it.tape.source)
    order: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = order.setdefault(node.id, f"n{len(order)}")
        elif isinstance(node, ast.arg):
            node.arg = order.setdefault(node.arg, f"n{len(order)}")
    assert it.tape.source.isascii()
    return ast.dump(tree), it.tape([1.5] * len(it.leaves)), straight(it.tape.program, valued=True)  # the last one is LLVM's


def dot(it: Outputs) -> list[Any]:
    import pygraphviz

    graph = pygraphviz.AGraph(string=draw(it.output).source)
    nodes = [graph.get_node(node).attr for node in graph.nodes()]
    boxes = [ET.fromstring(node["label"]) for node in nodes]  # noqa: S314
    bold = [e.text for box in boxes for e in box.iter("B")]  # names, and, in a font of their own, the signs of operations
    titles = [text.replace("\\\\", "\\").strip() for text in bold if text]
    tips = {html.unescape(node["tooltip"].replace("\\" * 4, "\\")).rpartition(" = ")[0].strip() for node in nodes}
    assert sorted(titles) == sorted(it.names), "names in DOT"
    assert set(it.names) <= tips, "tooltips in DOT"
    return [graph.nodes(), graph.edges(), [(e.tag, e.attrib) for box in boxes for e in box.iter()]]


def svg(it: Outputs) -> list[Any]:
    root = ET.fromstring(draw(it.output).svg())  # noqa: S314
    written = {spaced(e.text or "") for e in root.iter(f"{SVG}text")}
    tips = {spaced(e.get(LINK, "")).rpartition(" = ")[0].strip() for e in root.iter(f"{SVG}a")}
    assert set(map(spaced, it.names)) <= written & tips, "names in SVG"
    return [(e.tag, *e.attrib) for e in root.iter()]


def spaced(text: str) -> str:
    return " ".join(text.split())


class Page(html.parser.HTMLParser):
    """What a page is made of: its elements and attributes, and the texts in them; the names in MathML are apart."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[Any] = []
        self.texts: dict[str, str] = {}
        self.mathml: set[str] = set()
        self.at, self.inert = "", False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "template" and str(given["id"]).startswith("name"):
            self.inert, self.at = True, "name"
        elif self.inert:
            self.mathml |= {tag, *given}
        else:
            self.elements.append((tag, *given, given.get("content")))
            self.at = f"{tag} {given.get('id')} {len(self.elements)}"

    def handle_endtag(self, tag: str) -> None:
        if not self.inert:
            self.elements.append(f"/{tag}")
        self.inert = self.inert and tag != "template"

    def handle_comment(self, data: str) -> None:
        self.elements.append(f"!{data}")

    def handle_data(self, data: str) -> None:
        self.texts[self.at] = self.texts.get(self.at, "") + data


def page(it: Outputs) -> list[Any]:
    found = Page(it.derivation.html())
    assert found.mathml <= MATHML, found.mathml
    (program,) = (text for at, text in found.texts.items() if at.startswith("script program"))
    assert set(it.names) <= {node["name"] for node in json.loads(program)["nodes"]}, "names on the page"
    return [found.elements, [text for at, text in found.texts.items() if at.startswith(("script None", "style"))]]


Reading: TypeAlias = Callable[[Outputs], Any]
CHEAP: tuple[Reading, ...] = (text, messages, latex, source, dot)
DEAR: tuple[Reading, ...] = (svg, page)


@functools.cache
def harmless(read: Reading, count: int) -> Any:
    return read(Outputs([f"q{chr(ord('a') + i)}" for i in range(count)]))


def check_labels(labels: Sequence[str], readings: Sequence[Reading] = (*CHEAP, *DEAR)) -> None:
    """Raises `AssertionError` for an output that is made otherwise with these labels than with others."""
    found = Outputs(labels)
    for read in readings:
        assert read(found) == harmless(read, len(labels)), f"the shape of {read.__name__}"


# ---- Expressions.


def an_expression(numbers: random.Random, depth: int = 5) -> str:
    """A good one, in any spacing."""
    kind, gap = numbers.random(), numbers.choice(["", "", "", " ", "\n"])
    if depth == 0 or kind < 0.1:
        return numbers.choice([*NAMES, "2", "0", ".5", "1.", "1e-3", "2.5E+1", "1_000", "7", "1e300"])
    part = functools.partial(an_expression, numbers, numbers.randint(0, depth - 1))
    if kind < 0.2:
        return numbers.choice("+-") + gap + part()
    if kind < 0.3:
        return f"({gap}{part()}{gap})"
    if kind < 0.5:
        rule = FUNCTIONS[numbers.choice(sorted(FUNCTIONS))]
        return f"{rule.name}{gap}({f'{gap},'.join(part() for _ in rule.domain)})"
    return f"{part()}{gap}{numbers.choice(['+', '-', '*', '/', '%', '**'])}{gap}{part()}"


def a_text(numbers: random.Random) -> str:
    """What somebody may type or send instead of an expression."""
    kind = numbers.random()
    if kind < 0.25:
        return an_expression(numbers)
    if kind < 0.6:
        return spoilt(an_expression(numbers), numbers, [*CODE, *PIECES])
    if kind < 0.75:
        return "".join(numbers.choice([*CODE, *PIECES, *NAMES, *"0123456789+-*/()., "]) for _ in range(numbers.randint(1, 20)))
    if kind < 0.85:
        return characters(numbers, 60)
    if kind < 0.99:
        return numbers.randbytes(numbers.randint(1, 40)).decode("utf-8", "surrogateescape")
    piece = numbers.choice(
        ["(", "-", "x+", "2**", "tanh(", "9", "0.", "x", ")", "x ", "a\u0301\u0316", "1_", "x*(", "?", "\u2028", "wx"]
    )
    return piece * numbers.randint(100, 20_000) + numbers.choice(["", "x", "x" + ")" * 1000])


def by_python(text: str) -> float | None:
    """What Python's grammar makes of it, with the rows of the table for numbers; None for what is no expression here."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(f"({re.sub(chr(92) + 's', ' ', text)})", mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    signs = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow", ast.Mod: "mod", ast.USub: "neg"}
    signs |= {ast.Lt: "less", ast.LtE: "less_equal", ast.Gt: "greater", ast.GtE: "greater_equal"}
    signs |= {ast.Eq: "equal", ast.NotEq: "not_equal"}

    def value(node: ast.AST) -> float:
        match node:
            case ast.Constant(value=int() | float() as x) if not isinstance(x, bool) and abs(x) < 1.8e308:
                return float(x)
            case ast.Name(id=name) if name in NAMES:
                return NAMES[name]
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return value(operand)
            case ast.UnaryOp(op=sign, operand=operand):
                return float(OPERATIONS[signs[type(sign)]].forward(value(operand)))
            case ast.BinOp(op=sign, left=left, right=right):
                return float(OPERATIONS[signs[type(sign)]].forward(value(left), value(right)))
            case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in signs:
                return float(OPERATIONS[signs[type(sign)]].forward(value(left), value(right)))
            case ast.Call(func=ast.Name(id=name), args=operands, keywords=[]) if len(FUNCTIONS[name].domain) == len(operands):
                return float(FUNCTIONS[name].forward(*map(value, operands)))
        raise KeyError(node)

    try:
        return value(tree)
    except (KeyError, OverflowError):
        return None


# What Python reads and an expression has not, and the other way round
ONLY_PYTHON = re.compile(r"[#\\]|0[xXbBoO]|,\s*\)|\(\s*\w+\s*\)\s*\(|[jJ]")
ONLY_HERE = re.compile(r"(?<![\w.])0[0-9_]*[0-9]|[^\S \t\n\f\r]|\b(?:if|and|or|in|is|not|else|for)\b|[0-9.](?=[a-zA-Z])")


def listen(event: str, _: Any) -> None:
    if watched:
        events.append(event)


def check_expression(text: str) -> float:
    """Parse it; the seconds that it took."""
    global watched  # noqa: PLW0603  # an auditor cannot be taken away again
    events.clear()
    start = time.process_time()
    watched = True
    try:
        found: Value | ParseError = parse(text, NAMES)
    except ParseError as error:
        found = error
    finally:
        watched = False
    taken = time.process_time() - start
    said = str(found)
    assert not events, events
    assert printable(said), repr(said)
    assert len(said) < 1000, repr(said[:1000])
    if isinstance(found, ParseError):
        assert 0 <= found.start <= found.end <= len(text)
        assert max(map(columns, said.split("\n"))) <= 80
    if len(text) < 300:
        want = by_python(text)
        if isinstance(found, Value) and want is not None:
            assert repr(found.data) == repr(want), f"{found.data} instead of {want}"
        elif isinstance(found, Value):
            assert ONLY_HERE.search(text), "Python refuses it"
        elif want is not None:
            assert ONLY_PYTHON.search(text), f"Python says {want}; here: {said}"
    assert taken < 1, f"{taken:.1f} s"
    return taken


def a_command(numbers: random.Random) -> list[str]:
    """Words for the command line."""
    words = [a_text(numbers), *(f"{name}={x}" for name, x in NAMES.items() if numbers.random() < 0.95)]
    if numbers.random() < 0.3:
        words.append(
            f"{numbers.choice([*NAMES, a_label(numbers)])}={numbers.choice(['-inf', '--inf', '1/0', a_text(numbers)])}"
        )
    numbers.shuffle(words)
    if numbers.random() < 0.2:  # a file has no folder in its name: it stays where the command is run
        words += [numbers.choice(["--wrt", "--svg", "--html", a_label(numbers), "--" + a_label(numbers)])]
        words += [
            a_label(numbers)
            if words[-1] == "--wrt"
            else re.sub(r"[/\0]", "", a_label(numbers))[:30] + numbers.choice([".svg", ".html", ""])
        ]
    words += [option for option in ("--latex", "--paths", "--wrong-ways", "--help") if numbers.random() < 0.1]
    return [word.replace("\0", "") for word in words]


def check_command(words: list[str]) -> float:
    start = time.process_time()
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = command(words)
    assert printable(out.getvalue()), f"{words}: {out.getvalue()!r:.300}"
    assert printable(err.getvalue()), f"{words}: {err.getvalue()!r:.300}"
    assert code in (0, 1, 2), code
    assert bool(out.getvalue()) == (code == 0), code
    assert code == 0 or err.getvalue(), code
    return time.process_time() - start


# ---- The command.


class Tally:
    """How many were tried, the slowest, and what went wrong."""

    def __init__(self) -> None:
        self.tried: Counter[str] = Counter()
        self.slowest: dict[str, tuple[float, str]] = {}
        self.wrong: Counter[str] = Counter()

    def run(self, what: str, of: Any, check: Callable[[], float | None], count: int = 1) -> None:
        self.tried[what] += count
        try:
            taken = check() or 0.0
            self.slowest[what] = max(self.slowest.get(what, (0.0, "")), (taken, f"{of!r:.60}"))
        except Exception as error:  # noqa: BLE001  # whatever it is, it is what is looked for
            kind = f"{what}: {type(error).__name__} {str(error)[:60]!r}"
            self.wrong[kind] += 1
            if self.wrong[kind] <= 3:
                told = [f"{each:.60}" for each in of] if isinstance(of, list) else of
                print(f"{kind}\n    {str(error)[:600]!r}\n    {told!r:.600}", flush=True)


def check_pdflatex(labels: Sequence[str], folder: Path) -> None:
    compiled(folder, "\\allowdisplaybreaks\n" + Outputs(labels).derivation.latex())


def check_chromium(labels: Sequence[str], browser: Browser) -> None:
    browser.open(Outputs(labels).output)
    for i in range(browser.run("return nodes.length")):
        browser.run("choose(arguments[0])", i)
        assert browser.text("#story h2") == browser.run("return nodes[arguments[0]].name", i), "name"
    assert browser.run("return typeof ran") == "undefined", "run"
    assert browser.run("return document.querySelectorAll('script').length") == 3, "scripts"
    assert browser.run("return document.querySelectorAll('b, i, img').length") == 0, "elements"
    assert browser.complaints() == [], "complaints"


def draw_labels(count: int, numbers: random.Random, tally: Tally, folder: Path) -> None:
    browser = Browser(folder) if CHROMIUM and DRIVER else None
    for k in range(count // 10):
        labels = some_labels(numbers, 10)
        for read in (*CHEAP, *(DEAR if k % 20 == 0 else ())):
            tally.run(f"labels in {read.__name__}", labels, functools.partial(check_labels, labels, [read]), 10)
        if k % 100 == 0 and shutil.which("pdflatex"):
            tally.run("labels in pdflatex", labels, functools.partial(check_pdflatex, labels, folder), 10)
        if k % 200 == 0 and browser:
            tally.run("labels in Chromium", labels, functools.partial(check_chromium, labels, browser), 10)
    if browser:
        browser.driver.quit()


def draw_expressions(count: int, numbers: random.Random, tally: Tally) -> None:
    sys.addaudithook(listen)
    with contextlib.suppress(ParseError):
        parse("y", NAMES)  # so that all is imported that a mistake needs
    for k in range(count):
        text = a_text(numbers)
        tally.run("expressions", text, functools.partial(check_expression, text))
        if k % 20 == 0:
            words = a_command(numbers)
            tally.run("command lines", words, functools.partial(check_command, words))


def main(count: int, seed: int) -> None:
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # where the command line writes
        draw_labels(count, random.Random(seed), tally, Path(folder))  # noqa: S311  # no secret
        draw_expressions(count, random.Random(seed), tally)  # noqa: S311  # no secret
        os.chdir("/")
    print(f"seed {seed}: {dict(tally.tried)}")
    for what, (taken, of) in tally.slowest.items():
        if taken:
            print(f"{what}: the slowest took {taken:.2f} s: {of}")
    print(f"{sum(tally.wrong.values())} went wrong: {dict(tally.wrong)}")
    sys.exit(bool(tally.wrong))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
