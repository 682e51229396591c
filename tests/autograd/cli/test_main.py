"""The terminal: what it prints is what the library says; what is wrong is said without a traceback."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import textwrap
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import strangers

from autograd import Value, derive, wrong_ways
from autograd.cli.main import main
from autograd.cli.tokens import functions

ROOT = Path(__file__).parents[3]
SVG = "{http://www.w3.org/2000/svg}"
WORDS = ("tanh(w*x + b)", "w=0.5", "x=2", "b=-1")


def neuron() -> tuple[Value, Value]:
    w, x, b = Value(0.5, "w"), Value(2.0, "x"), Value(-1.0, "b")
    return (w * x + b).tanh(), w


def in_terminal(*words: str, encoding: str = "utf-8", stdout: int = subprocess.PIPE) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding, "PYTHONWARNINGS": "error"}
    environment.pop("PYTHONUNBUFFERED", None)  # what is left in a buffer is what complains at the end
    command = [sys.executable, "-m", "autograd", *words]
    return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, env=environment, check=False)  # noqa: S603  # our own


def test_the_derivation_is_printed() -> None:
    done = in_terminal(*WORDS)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == f"{derive(neuron()[0])}\n"


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)  # as of `| head`, once it has gone
    done = in_terminal(*WORDS, stdout=write)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


def test_a_terminal_without_unicode_gets_escapes() -> None:
    done = in_terminal("\u03b1*x + \u91cd", "\u03b1=1", "x=2", "\u91cd=3", encoding="ascii")
    assert done.returncode == 0, done.stderr
    assert rb"\u03b1 * x" in done.stdout
    refused = in_terminal("\u03b1*y", "\u03b1=1", encoding="ascii")
    assert refused.returncode == 2
    assert rb"\u03b1*y" in refused.stderr


@pytest.mark.parametrize(
    ("text", "number", "slope"), [("-x**2", "x=3", -6), ("-1*-x", "x=-2", 1), ("-x", "x=1e3", -1), ("-h", "h=2", -1)]
)
def test_what_begins_with_a_minus_is_an_expression(
    text: str, number: str, slope: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([text, number, "--wrong-ways"]) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith(f"{number[0]} "))
    assert float(row.split()[1]) == slope
    assert main([number, "--wrong-ways", text]) == 0


def test_two_minuses_stand_after_a_word_of_two(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--wrong-ways", "--", "--x", "x=1"]) == 0
    assert "z2 = -z1" in capsys.readouterr().out
    assert main(["--x", "x=1"]) == 2
    assert "there is no option --x" in capsys.readouterr().err
    assert main(["--1*x", "x=1"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "there is no option --1*x; an expression that begins with two minuses stands",
        "after a word --",
        "--help says more",
    ]


@pytest.mark.parametrize(
    ("word", "x"),
    [("x=1/4", 0.25), ("x=-2", -2.0), ("x=sqrt(4)", 2.0), ("x= +.5 ", 0.5), ("x=-inf", float("-inf")), ("x=1_000", 1000.0)],
)
def test_a_number_may_be_computed(word: str, x: float, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["x + 0*x", word]) == 0
    leaf = Value(x, "x")
    assert capsys.readouterr().out == f"{derive(leaf + 0 * leaf)}\n"
    assert main(["x*1", "x=nan"]) == 0
    assert "nan" in capsys.readouterr().out


def test_by_what_to_derive(capsys: pytest.CaptureFixture[str]) -> None:
    output, w = neuron()
    x = output.parents[0].parents[0].parents[1]
    want = f"{derive(output, [w, x])}\n"
    for words in (["--wrt", "w,x"], ["--wrt", "w", "--wrt", "x"], ["--wrt=w, x"]):
        assert main([*WORDS, *words]) == 0
        assert capsys.readouterr() == (want, "")
    assert main([*WORDS, "--wrt", "W"]) == 2
    assert capsys.readouterr().err == "--wrt W: there is no such name; did you mean w?\nnames: w x b\n"


def test_other_forms_are_printed_instead(capsys: pytest.CaptureFixture[str]) -> None:
    output, w = neuron()
    x, b = output.parents[0].parents[0].parents[1], output.parents[0].parents[1]
    assert main([*WORDS, "--latex"]) == 0
    assert capsys.readouterr().out == f"{derive(output).latex()}\n"
    assert main([*WORDS, "--paths", "--wrt", "w"]) == 0
    assert capsys.readouterr().out == f"{derive(output, w).paths()}\n"
    assert main([*WORDS, "--paths", "--wrong-ways"]) == 0
    everything = [*(derive(output, leaf).paths() for leaf in (w, x, b)), wrong_ways(output)]
    assert capsys.readouterr().out == "\n\n".join(map(str, everything)) + "\n"


def test_files_are_written_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("latex2mathml", reason="the page's formulas need latex2mathml: pip install '.[html]'")
    picture, page = tmp_path / "neuron.svg", tmp_path / "neuron.html"
    page.write_text("<!DOCTYPE html>what was there before")
    assert main([*WORDS, "--svg", str(picture), "--html", str(page)]) == 0
    output, _ = neuron()
    assert capsys.readouterr() == (f"{derive(output)}\n", f"the graph is in {picture}\nthe page is in {page}\n")
    assert {"data 0.5", "grad 2"} <= {text.text for text in ET.fromstring(picture.read_text()).iter(f"{SVG}text")}  # noqa: S314  # our own
    assert page.read_text(encoding="utf-8") == derive(output).html()


@pytest.mark.parametrize("name", ["keep.py", "keep", "keep.html.txt", "keep.html", "keep.HTM"])
def test_a_page_overwrites_pages_alone(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("latex2mathml", reason="the page's formulas need latex2mathml: pip install '.[html]'")
    file = tmp_path / name
    file.write_text("important = 1")
    assert main([*WORDS, "--html", str(file), "--svg", str(tmp_path / "new.svg")]) == 1
    out, err = capsys.readouterr()
    page = file.suffix.lower() in (".html", ".htm")
    said = "is there already and is no page" if page else "the name of a page ends in .html or .htm"
    assert (out, said in " ".join(err.split())) == ("", True)
    assert file.read_text() == "important = 1"
    assert list(tmp_path.iterdir()) == [file], "nothing is written at all"
    if page:
        file.write_bytes(b"")
        assert main([*WORDS, "--html", str(file)]) == 0
        assert main([*WORDS, "--html", str(file)]) == 0


@pytest.mark.skipif(os.name != "posix", reason="a POSIX shell closes it")
@pytest.mark.parametrize(("closed", "said"), [(">&-", "output: it is closed\n"), (">&- 2>&-", "")])
def test_a_closed_output_is_said_and_is_no_traceback(closed: str, said: str) -> None:
    command = f"'{sys.executable}' -m autograd 'x*x' x=2 {closed}"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)  # noqa: S603  # our own
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said)


def test_what_cannot_be_written_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    monkeypatch.setitem(sys.modules, "latex2mathml", None)
    monkeypatch.setitem(sys.modules, "latex2mathml.converter", None)
    for words, problem in (
        (["--svg", str(tmp_path / "a.svg")], "pip install pygraphviz"),
        (["--svg", str(tmp_path / "a.txt")], "the suffix '.txt' is not one of"),
        (["--html", str(tmp_path / "a.html")], "pip install latex2mathml"),
    ):
        assert main([*WORDS, *words]) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert problem in " ".join(err.split())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["autograd.draw"], "render", lambda source, suffix: b"")
    assert main(["x*x", "x=1", "--svg", str(tmp_path / "nowhere" / "a.svg")]) == 1
    assert " ".join(capsys.readouterr().err.split()).endswith("nowhere/a.svg: No such file or directory")
    assert main(["x+" * 600 + "x", "x=1", "--svg", str(tmp_path / "a.svg")]) == 1
    assert "more than the limit of 500" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([], 'there is no expression; for example:\n    python -m autograd "tanh(w*x + b)" w=0.5 x=2 b=-1\n'),
        (["x*y", "x=3"], "the name y has no number\n    x*y\n      ^\nnames: x\n"),
        (["2x", "x=3"], "no operator between 2 and x\n    2x\n     ^\n"),
        (["y = x*x", "x=3"], "numbers are given beside it\n    y = x*x\n      ^\n"),
        (["x.real", "x=3"], "functions are written"),
        (["__import__('os').system('true')", "x=3"], "there is no function __import__"),
        (["x*x", "x=abc"], "x=abc has no number after the =; write for example x=0.5"),
        (["x*x", "x="], "x= has no number after the =; write for example x=0.5"),
        (["x*x", "x=1,5"], "decimals have a point, 0.5\n    1,5\n     ^\n"),
        (["x*x", "x=--inf"], "x=--inf has no number after the =: the name inf has no number"),
        (["x*x", "x=\u0131nf"], "x=\u0131nf has no number after the =; write for example x=0.5"),
        (["x*x", "x=1e400"], "the number 1e400 is beyond the largest float"),
        (["x*x", "x"], "'x' is not NAME=NUMBER, such as x=2"),
        (["w", "README.md", "x", "w=1"], "put all of the expression in quotes"),
        (["x*x", "x=1", "x=2"], "x is given twice, as 1 and as 2"),
        (["x*x", "2x=1"], "'2x' cannot be a name"),
        (["x*x", "=1"], "'' cannot be a name"),
        (["x*x", "x=1", "tanh=2"], "tanh is a function here"),
        (["x*x", "x=1", "--svgg", "a"], "there is no option --svgg; did you mean --svg?"),
        (["x*x", "x=1", "--lat"], "there is no option --lat; did you mean --latex?"),
        (["x*x", "x=1", "--svg"], "argument --svg: expected one argument; --help says more"),
        (["x*x", "x=1", "--latex=3"], "ignored explicit argument '3'"),
        (["9**9**9"], "nothing to derive by; its value is inf"),
        (["(" * 100_000, "x=1"], "this ( is never closed"),
        (["x \x1b[2J", "x=1"], r"\x1b[2J"),
    ],
)
def test_what_is_wrong_is_said(words: list[str], problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert problem in err or problem in " ".join(err.split())
    assert max(map(len, err.splitlines())) <= 80
    assert "parse: " not in err
    assert "\x1b" not in err


def test_a_name_that_is_not_used_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["x*x", "x=3", "y=1"]) == 0
    out, err = capsys.readouterr()
    x = Value(3.0, "x")
    assert (out, err) == (f"{derive(x * x)}\n", "y is not in the expression; the derivative by it is 0\n")


@pytest.mark.skipif(os.name == "nt", reason="no such names of files there")
def test_the_name_of_a_file_does_not_drive_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("latex2mathml", reason="the page's formulas need latex2mathml: pip install '.[html]'")
    monkeypatch.chdir(tmp_path)
    assert main(["x*x", "x=1", "--html", "\x1b[2J\n.html", "--svg", "\x1b[2J.svg"]) == 0
    assert capsys.readouterr().err == "the graph is in \\x1b[2J.svg\nthe page is in \\x1b[2J\\n.html\n"
    assert main(["x*x", "x=1", "--html", "no\x1bwhere/it.html"]) == 1
    assert capsys.readouterr().err == "no\\x1bwhere/it.html: No such file or directory\n"


def test_what_strangers_type_is_answered_or_refused_and_drives_no_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    numbers = random.Random(0)  # noqa: S311  # no secret
    for _ in range(100):
        strangers.check_command(strangers.a_command(numbers))


HELP = f"""\
usage: python -m autograd "EXPRESSION" NAME=NUMBER ... [options]

Derive an expression by its names: the chain rule written out, step by step,
with formulas and numbers. For example:

  python -m autograd "tanh(w*x + b)" w=0.5 x=2 b=-1

options:
  --wrt NAME    derive by this name only; several with commas or several times
  --svg FILE    draw the graph into FILE (.svg, .pdf or .png); needs Graphviz
  --html FILE   write the derivation as a page that steps through it
  --latex       print LaTeX
  --paths       print every path from a name to the result, and their sum
  --wrong-ways  print what four famous mistakes make of this graph
  --help        print this

An expression has names, numbers, parentheses, the operators
+ - * / % ** < <= > >= == != and the functions
{textwrap.fill(" ".join(sorted(functions())), 79)}.
Put it in quotes, for a shell reads * and ( itself. A number may be computed,
w=1/3 or w=sqrt(2); inf and nan are numbers too.

Exit codes: 0 done, 1 something could not be written, 2 something is wrong with
the expression, a number or an option.
"""


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help_shows_how(word: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main([word]) == 0
    assert capsys.readouterr() == (HELP, "")
    assert max(map(len, HELP.splitlines())) <= 80


def test_two_pictures_of_one_call_are_the_same(tmp_path: Path) -> None:
    first, second = tmp_path / "1.svg", tmp_path / "2.svg"
    assert main(["x*y+x", "x=1", "y=2", "--svg", str(first), "--svg", str(second)]) == 0
    assert first.read_text() == second.read_text()
