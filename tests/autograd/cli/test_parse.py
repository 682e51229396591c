"""The parser against Python's own: the same numbers and gradients for the same text; what is no expression is pointed at."""

from __future__ import annotations

import ast
import pickle
import random
import time
from fractions import Fraction
from typing import Any

import pytest
import strangers
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
from autograd import ParseError, Value, parse, topological_order
from autograd.cli.messages import OPERATORS
from autograd.cli.tokens import Token, excerpt, functions, spelled, tokens
from autograd.names import columns, visible
from autograd.operations import CONSTANT, LEAF, OPERATIONS

NAMES = {"w": 0.5, "x": -2.0, "b": 3.0, "\u03b1_1": 1.25}
NUMBERS = st.sampled_from(["0", "2", "3", "10", "1.", ".5", "0.25", "1e-3", "2.5E+1", "1_000", "007.5"])
SPACE = st.sampled_from(["", "", "", " ", "  ", "\t", "\n"])


@st.composite
def texts(draw: st.DrawFn, depth: int = 5) -> str:
    """An expression as somebody may type it: any spacing, and parentheses where they are needed, where not, or nowhere."""
    kinds = ["number", "name", "name"] + ["sign", "infix", "infix", "infix", "parentheses", "function"] * (depth > 0)
    kind, gap, part = draw(st.sampled_from(kinds)), draw(SPACE), texts(depth - 1)
    if kind == "number":
        text = draw(NUMBERS)
    elif kind == "name":
        text = draw(st.sampled_from(list(NAMES)))
    elif kind == "sign":
        text = draw(st.sampled_from("-+")) + gap + draw(part)
    elif kind == "infix":
        text = draw(part) + gap + draw(st.sampled_from(["+", "-", "*", "/", "%", "**"])) + draw(SPACE) + draw(part)
    elif kind == "parentheses":
        text = f"({gap}{draw(part)}{gap})"
    else:
        rule = functions()[draw(st.sampled_from(sorted(functions())))]
        text = f"{rule.name}{gap}({f'{gap},'.join(draw(part) for _ in rule.domain)})"
    return text


class Constants(ast.NodeTransformer):
    """Numbers become constants of the engine, which have IEEE arithmetic; a plus in front goes, for Values have none."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Call(ast.Name("Value", ast.Load()), [node], [])

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        operand = self.visit(node.operand)
        return operand if isinstance(node.op, ast.UAdd) else ast.UnaryOp(node.op, operand)


def by_python(text: str, leaves: dict[str, Value]) -> Value:
    tree = Constants().visit(ast.parse(f"({text})", mode="eval"))
    known = {name: getattr(autograd, name, abs) for name in functions()}
    code = compile(ast.fix_missing_locations(tree), "text", "eval")
    result: Value = eval(code, {"Value": Value, **known, **leaves})  # noqa: S307  # the text of the strategy above
    return result


@settings(max_examples=400)
@given(texts())
def test_numbers_and_gradients_are_those_of_python_evaluating_the_same_text(text: str) -> None:
    text = text.replace("007", "7")  # Python refuses leading zeros
    leaves, others = ({name: Value(x, name) for name, x in NAMES.items()} for _ in range(2))
    found, want = parse(text, leaves), by_python(text, others)
    assert repr(found.data) == repr(want.data)
    found.backward()
    want.backward()
    assert [repr(leaf.grad) for leaf in leaves.values()] == [repr(leaf.grad) for leaf in others.values()]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("-x**2", "-(x**2)"),
        ("2**-1", "2**(-1)"),
        ("2**3**2", "2**(3**2)"),
        ("2**-x**2", "2**(-(x**2))"),
        ("2**-x*3", "(2**(-x))*3"),
        ("-x*w", "(-x)*w"),
        ("w-x-b", "(w-x)-b"),
        ("w/x/b", "(w/x)/b"),
        ("w-x*b**2", "w-(x*(b**2))"),
        ("-x%w*b", "((-x)%w)*b"),
        ("w+x<x*b", "(w+x)<(x*b)"),
        ("maximum(w, x == b)", "maximum(w, (x == b))"),
        ("w*-x", "w*(-x)"),
        ("+x", "x"),
        ("--x", "-(-x)"),
        ("maximum(w+x,x*b)", "maximum((w+x),(x*b))"),
    ],
)
def test_precedence(text: str, same: str) -> None:
    def shape(text: str) -> list[Any]:
        return [(node.operation.symbol, node.data, len(node.parents)) for node in topological_order(parse(text, NAMES))]

    assert shape(text) == shape(same)


def test_precedence_by_hand() -> None:
    numbers = {"-2**2": -4, "2**-1": 0.5, "2**3**2": 512, "2-3-4": -5, "8/4/2": 1, "-1**-2*3": -3, "-7%3": 2, "1+1<3": 1}
    for text, value in {**numbers, "where(2>3, 4, 5)": 5}.items():
        assert parse(text, {}).data == value


def test_the_graph_is_the_one_that_python_records() -> None:
    y = parse("x*x + 1/2*x", {"x": 3, "unused": 1})
    nodes = topological_order(y)
    assert [(node.label or node.operation.symbol or node.data) for node in nodes] == ["x", "*", 0.5, "*", "+"]
    assert [node.operation for node in nodes if not node.parents] == [LEAF, CONSTANT]
    x = Value(2.0)
    assert parse("x", {"x": x}) is x
    assert parse("sin(x)", {"x": x}).parents[0] is x
    assert x.label == ""
    constant = parse("2 + 1", {})
    assert (constant.data, constant.operation) == (3.0, CONSTANT)


def test_every_function_of_the_table_is_there() -> None:
    for rule in OPERATIONS.values():
        if rule.name in functions():
            found = parse(f"{rule.symbol}({', '.join('xyz'[: len(rule.domain)])})", {"x": 0.5, "y": 0.25, "z": 1.5})
            assert found.operation is rule
            assert [parent.label for parent in found.parents] == list("xyz"[: len(rule.domain)])
    assert {"exp", "log", "sqrt", "sin", "cos", "tanh", "sigmoid", "relu", "softplus", "abs", "maximum", "minimum"} <= {
        *functions()
    }
    of_any_number = {"total", "dot", "logsumexp"}  # which are a sum to write
    others = {rule.symbol for rule in OPERATIONS.values()} - {*functions()} - of_any_number
    assert {*OPERATORS.split(), "and"} == others
    for sign in OPERATORS.split():
        found = parse(f"x {sign} y", {"x": 0.5, "y": 0.25})
        assert (found.operation.symbol, [parent.label for parent in found.parents]) == (sign, ["x", "y"])


def test_fractions_stay_exact_beside_whole_numbers() -> None:
    y = parse("2*x**2 - 0/3 + maximum(x, 0)", {"x": Fraction(1, 3)})
    y.backward()
    assert repr(y.data) == "Fraction(5, 9)"
    assert parse("0.5*x", {"x": Fraction(1, 2)}).data == 0.25
    assert str(parse("x * -0", {"x": 1.0}).data) == "-0.0"


def test_names_are_those_of_python() -> None:
    assert parse("\u00b5 + \u03bb", {"\u03bc": 1, "\u03bb": 2}).data == 3  # a micro sign is the letter mu to Python too
    assert parse("lambda*if", {"lambda": 2, "if": 3}).data == 6
    assert parse("tanh_", {"tanh_": 2}).data == 2


def refusal(text: str, numbers: dict[str, float] = NAMES) -> ParseError | None:
    try:
        assert type(parse(text, numbers).data) is float
    except ParseError as error:
        return error
    return None


WRONG = [
    ("2x", "no operator between 2 and x\nfor a product write 2*x", "x"),
    ("w x", "no operator between w and x\nfor a product write w*x", "x"),
    ("x(w)", "no operator between x and (\nfor a product write x*(", "("),
    ("(x)(w)", "no operator between ) and (", "("),
    ("1.2.3", "no operator between 1.2 and .3", ".3"),
    ("x sin(w)", "no operator between x and sin", "sin"),
    ("", "the expression is empty", ""),
    (" \n ", "the expression is empty", ""),
    ("x +", "an operand is missing after +", ""),
    ("*x", "an operand is missing before *", "*"),
    ("x */ w", "an operand is missing between * and /", "/"),
    ("x+-", "an operand is missing after -", ""),
    ("maximum(x,,w)", "an operand is missing between , and ,", ","),
    ("maximum(,x)", "no operand in the parentheses", ","),
    (")", "an operand is missing before )", ")"),
    ("x + ()", "no operand in the parentheses", ")"),
    ("sin()", "no operand in the parentheses", ")"),
    ("((((", "this ( is never closed", "("),
    ("(x*(w + b)", "this ( is never closed", "("),
    ("(x))", "no ( for this )", ")"),
    ("0,5*x", "decimals have a point", ","),
    ("(x, w)", "a comma stands only between operands of a function", ","),
    ("sin(x, w)", "sin takes one operand, sin(a), not 2", "(x, w)"),
    ("maximum(x)", "maximum takes two operands, maximum(a, b), not 1", "(x)"),
    ("tanh x", "tanh is a function; write tanh(a)", "tanh"),
    ("minimum", "minimum is a function; write minimum(a, b)", "minimum"),
    ("y + x", "the name y has no number", "y"),
    ("X", "the name X has no number; did you mean x?", "X"),
    ("wx", "wx is one name, and has no number\nfor a product write w*x", "wx"),
    ("alpha_1 + x", "the name alpha_1 has no number", "alpha_1"),
    ("sinn(x)", "no function sinn; did you mean sin?", "sinn"),
    ("ln(x)", "no function ln; did you mean log?", "ln"),
    ("max(x, w)", "no function max; did you mean maximum?", "max"),
    ("min(x, w)", "no function min; did you mean minimum?", "min"),
    ("__import__('os')", "no function __import__", "__import__"),
    ("x^2", "^ is not known here; write **", "^"),
    ("x\u00b2", "\u00b2 is not known here; write **2", "\u00b2"),
    ("w\u00d7x", "write *", "\u00d7"),
    ("w\u00b7x", "for a product write w*x", "w\u00b7x"),
    ("w \u2212 x", "write -, the minus of the keyboard", "\u2212"),
    ("[x]", "write (", "["),
    ("y = x*x", "numbers are given beside it", "="),
    ("x.tanh()", "functions are written tanh(x), not x.tanh()", "."),
    ("x & 2", "& is not known here", "&"),
    ("w < x <= b", "one comparison follows another; write a product of the two, (a < b)*(b < c)", "<="),
    ("x =< w", "= is not known here", "="),
    ("clip(x, w)", "clip takes 3 operands, clip(a, b, c), not 2", "(x, w)"),
    ("total(x, w)", "there is no function total", "total"),
    ("1e400", "the number 1e400 is beyond the largest float", "1e400"),
    ("9" * 5000, "is beyond the largest float", "9" * 5000),
]


@pytest.mark.parametrize(("text", "problem", "place"), WRONG)
def test_what_is_no_expression_is_pointed_at(text: str, problem: str, place: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(text, NAMES)
    error = caught.value
    assert problem in f"{error.problem}\n{error.note}"
    assert text[error.start : error.end] == place
    if text.strip():
        shown, carets = str(error).splitlines()[1:3]
        assert carets == " " * (shown.index(visible(text)[:1]) + error.start) + "^" * len(carets.strip())
        assert len(carets.strip()) == max(1, columns(visible(place)))
    assert max(map(columns, str(error).splitlines())) <= 80


ALL = """\
functions: abs arccos arccosh arcsin arcsinh arctan arctan2 arctanh cbrt ceil
           clip cos cosh deg2rad elu erf erfc exp exp2 expm1 floor fmod gelu
           heaviside hypot leaky_relu log log10 log1p log2 logaddexp maximum
           minimum rad2deg reciprocal relu rint sigmoid sign silu sin sinc
           sinh softplus softsign sqrt square tan tanh trunc where"""
WORDS = {
    "": "the expression is empty",
    "*x": "an operand is missing before *",
    "x +": "an operand is missing after +",
    "x*/w": "an operand is missing between * and /",
    "sin()": "there is no operand in the parentheses",
    "(x": "this ( is never closed",
    "(": "this ( is never closed",
    "x)": "there is no ( for this )",
    "x, w": "a comma stands only between operands of a function; decimals have a point, 0.5",
    "2x": "there is no operator between 2 and x\nfor a product write 2*x",
    "2 3": "there is no operator between 2 and 3",
    "tanh x": "tanh is a function; write tanh(a)",
    "sin(x, w)": "sin takes one operand, sin(a), not 2",
    "maximum(x)": "maximum takes two operands, maximum(a, b), not 1",
    "wx": "wx is one name, and has no number\nfor a product write w*x",
    "y": f"the name y has no number\nnames: w x\n{ALL}",
    "sinn(x)": f"there is no function sinn; did you mean sin?\n{ALL}",
    "1e400": "the number 1e400 is beyond the largest float, 1.8e308",
    "x?": f"? is not known here\nthere are names, numbers, + - * / % ** < <= > >= == !=, parentheses and\n{ALL}",
    "x^2": "^ is not known here; write **",
    f"{'9' * 50} x": f"there is no operator between {'9' * 20}... and x\nfor a product write {'9' * 20}...*x",
    "\uff53\uff49\uff4e x": "\uff53\uff49\uff4e is a function; write sin(a)",  # wide letters, which are sin to Python too
    "\uff46(x)": f"there is no function f\n{ALL}",
    "\uff59": f"the name y has no number\nnames: w x\n{ALL}",
    "a" * 41: f"the name {'a' * 20}... has no number\nnames: w x\n{ALL}",
    "sinn": f"the name sinn has no number; did you mean sin?\nnames: w x\n{ALL}",
}


@pytest.mark.parametrize(("text", "words"), WORDS.items())
def test_it_is_said_in_these_words_and_no_others(text: str, words: str) -> None:
    error = refusal(text, {"w": 0.5, "x": -2.0})
    assert error is not None
    assert "\n".join(filter(None, (error.problem, error.note))) == words


def test_what_else_was_meant() -> None:
    long = "q" * 40
    for text, known, meant in (
        ("ma(x)", ["x"], ""),  # two letters begin too many names
        ("SOFTP(x)", ["x"], "; did you mean softplus?"),
        (long[1:], [long], f"; did you mean {long}?"),
        (long, [long + "q"], ""),  # 41 letters are too many to be meant
        ("LN(x)", ["x"], ""),
        (long[1:] + "r", [long], f"; did you mean {long}?"),
        ("quuy", ["quux", *(f"a{k}" for k in range(999 - len(functions())))], "; did you mean quux?"),
        ("quuy", ["quux", *(f"a{k}" for k in range(1000 - len(functions())))], ""),  # the last thousand are asked
    ):
        error = refusal(text, dict.fromkeys(known, 1.0))
        assert error is not None
        assert "".join(error.problem.partition(";")[1:]) == meant


def test_of_long_names_and_of_many_as_much_is_said_as_there_is_room_for() -> None:
    a, b, many = "a" * 40, "b" * 30, [f"name_{k:02}" for k in range(20)]
    for text, known, note in (
        (a[1:] + b, [a[1:], b], f"for a product write {a[1:]}*..."),
        (a[10:] + b, [a[10:], b], f"for a product write {a[10:]}*{b[:9]}..."),
        (a + b, [a, b], f"names: {a} {b[:19]}...\n{ALL}"),  # where it is to be parted is not looked for beyond 39 letters
        ("y", many, f"names: {' '.join(many)[:60]}...\n{ALL}"),
        ("y", [], ALL),
    ):
        error = refusal(text, dict.fromkeys(known, 1.0))
        assert error is not None
        assert error.note == note


def test_it_says_which_names_and_functions_there_are() -> None:
    with pytest.raises(ParseError) as caught:
        parse("w*y + b", {"w": 0.5, "x": 2, "b": -1})
    assert str(caught.value).splitlines() == [
        "the name y has no number",
        "    w*y + b",
        "      ^",
        "names: w x b",
        *ALL.splitlines(),
    ]


def test_a_long_name_is_neither_shown_nor_meant() -> None:
    for text, names in (("qrs", ["qrs" + "d" * 1000]), ("a" * 1000, ["a" * 999]), ("a" * 2000 + "+", ["a" * 1000])):
        error = refusal(text, dict.fromkeys(names, 1.0))
        assert "did you mean" not in str(error)
        assert max(map(columns, str(error).splitlines())) <= 80


def test_the_error_goes_to_other_processes_as_it_is() -> None:
    error = refusal("w*y", {"w": 1.0})
    assert error is not None
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  # bytes of our own
    assert (str(again), vars(again)) == (str(error), vars(error))
    assert error.args == (error.problem, error.text, error.start, error.end, error.note)


def test_an_end_is_where_the_text_ends() -> None:
    error = refusal("x +   \n")
    assert error is not None
    assert (error.start, str(error)) == (3, "an operand is missing after +\n    x +   \\n\n       ^")


def test_a_long_text_is_cut_around_the_place_and_nothing_drives_the_terminal() -> None:
    shown, carets = excerpt("a + " * 500 + "?? \x1b[2J\u202e" + " + b" * 500, 2000, 2002)
    assert shown[carets.index("^") :].startswith(r"?? \x1b[2J\u202e + b + b")
    assert carets.strip() == "^^"
    assert shown.startswith("...")
    assert shown.endswith("...")
    assert max(columns(shown), columns(carets)) <= 76
    assert visible("e" + "\u0301" * 5) == "e\u0301\u0301\u0301" + r"\u0301\u0301"  # a pile of them reaches into other lines
    assert excerpt("\u91cd\u307f e\u0301 ?", 6, 7)[1] == " " * 7 + "^"  # wide letters, and an accent of no width


def test_the_whole_window_around_a_place_and_the_width_of_letters() -> None:
    assert excerpt("a" * 100 + "?" * 30 + "b" * 100, 100, 130) == (
        "..." + "a" * 30 + "?" * 20 + "..." + "b" * 13 + "...",
        " " * 33 + "^" * 23,
    )
    assert [*map(columns, ("w*x", "\u91cd\u307f", "\uff41", "e\u0301", "x\u20dd"))] == [3, 4, 2, 1, 1]
    assert visible("\u0301" * 4) == "\u0301" * 3 + r"\u0301"
    assert str(refusal(" \n ")) == "the expression is empty"


def test_the_pieces_of_a_text_and_an_error_without_a_note() -> None:
    pieces = [("-", "-", 0), ("number", "2.5", 1), ("**", "**", 4), ("function", "sin", 6), ("(", "(", 10), ("name", "w_1", 11)]
    pieces += [(")", ")", 14), ("stray", "?", 15), ("end", "", 16)]
    assert [*tokens("-2.5**sin (w_1)? ")] == [Token(*piece) for piece in pieces]
    assert str(ParseError("a problem", "w", 0, 1)) == "a problem\n    w\n    ^"


def test_a_long_name_is_spelled_anew_up_to_a_bound() -> None:
    assert spelled("\u00b5" * 250) == "\u03bc" * 250
    assert spelled("\u00b5" * 251) == "\u00b5" * 251


GARBAGE = st.lists(
    st.sampled_from([*"wxb0123()+-*/,.^=_ \t\n\x00\x1b\x7f\u00b2\u00b7\u2212", "**", "sin", "tanh(", "maximum(", "1e999"])
    | st.characters(),
    max_size=60,
).map("".join)


@settings(max_examples=600)
@given(GARBAGE)
def test_any_text_is_an_answer_or_a_parse_error_that_can_be_printed(text: str) -> None:
    error = refusal(text)
    if error is not None:
        assert 0 <= error.start <= error.end <= len(text)
        assert all(line.isprintable() for line in str(error).splitlines())
        assert max(map(columns, str(error).splitlines())) <= 80


def test_what_strangers_type_is_an_answer_or_a_clear_error() -> None:
    numbers = random.Random(0)  # noqa: S311  # no secret
    for _ in range(1000):
        strangers.check_expression(strangers.a_text(numbers))


LONG = {
    "10,000 characters": "x+" * 5000 + "x",
    "parentheses": "(" * 100_000 + "x" + ")" * 100_000,
    "open parentheses": "(" * 100_000,
    "closed parentheses": ")" * 100_000,
    "functions": "tanh(" * 20_000 + "x" + ")" * 20_000,
    "signs": "-" * 100_000 + "x",
    "powers": "2**" * 10_000 + "x",
    "digits": "9" * 1_000_000,
    "decimals": "0." + "3" * 1_000_000,
    "one name": "x" * 100_000,
    "operands": "x " * 50_000,
    "strays": "?" * 100_000,
    "a tower": "9**9**9",
    "accents on one letter": "a" + "\u0301\u0316" * 100_000,
    "accents on many letters": ("a" + "\u0301\u0316" * 100 + "+") * 1000,
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG.keys())
def test_long_and_deep_texts_end_within_a_second(text: str) -> None:
    start = time.process_time()
    error = refusal(text)
    assert len(str(error)) < 600
    assert time.process_time() - start < 3  # some tenths of a second on an idle machine


def test_a_deep_text_has_the_right_answer() -> None:
    assert parse("(" * 1000 + "x" + ")" * 1000 + "**2", {"x": 3}).data == 9
    assert parse("9**9**9", {}).data == float("inf")
    x = Value(1.0)
    parse("x+" * 4999 + "x", {"x": x}).backward()
    assert x.grad == 5000


def test_wrong_arguments_are_refused() -> None:
    for numbers, problem in (
        ([("x", 1)], "of type list; give {'x': 2.0, ...}"),
        ({1: 2.0}, "the name 1 is of type int; give a string"),
        ({"x": "2"}, "parse: the number of x: '2' is of type str, not a real number"),
    ):
        with pytest.raises(TypeError) as caught:
            parse("x", numbers)  # type: ignore[arg-type]  # that is the mistake
        assert problem in str(caught.value)
    for names, problem in (
        ({"x y": 1.0}, "'x y' cannot be a name"),
        ({"2x": 1.0}, "'2x' cannot be a name"),
        ({"": 1.0}, "'' cannot be a name"),
        ({"\x1b[2J": 1.0}, r"'\\x1b[2J' cannot be a name"),
        ({"tanh": 1.0}, "tanh is a function here"),
        ({"\u00b5": 1.0, "\u03bc": 1.0}, "given twice"),
    ):
        with pytest.raises(ValueError, match="parse: ") as refused:
            parse("x", names)
        assert problem in str(refused.value)
    with pytest.raises(TypeError, match="the expression 5 is of type int; give a string"):
        parse(5, {})  # type: ignore[arg-type]  # that is the mistake
