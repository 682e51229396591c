"""The examples run as a reader would run them, and print what their question's answer rests on."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted(path.name for path in (ROOT / "examples").glob("*.py"))
PRINTED = {
    "three_four_one.py": (
        r"largest difference among all 16 entries of dW1 and dW2: \d\.\de-1[6789]",
        r"step      0   mean error 0\.496410031902\d",
        r"step 10,000   mean error 0\.008584525653\d",
        r"outputs 0\.00260572 0\.99672209 0\.99701711 0\.00386759",
        r"the same: True, bit for bit",
        r"before the step 0\.495187, \+ with Y - L2 (0\.495066), - with L2 - Y \1, - with Y - L2 0\.495329",
        r"dW2 = a1\.T @ delta2 +dW2 = delta2 @ a1\.T\n +BP2 +delta1 = \(delta2 @ W2\.T\).* delta1 = \(W2\.T @ delta2\)",
        r"difference between an entry here and there is (0\.0e\+00|\d\.\de-1[789])\.",
        r"shapes \(4,1\) and \(4,4\) not aligned(.|\n)*in columns it is right: +(\[.*\])\n.* is the same: +\2",
        r"dW2\[2,0\] in the matrix  0\.0067693163489549\d+\n +in the graph   0\.0067693163489549",
        r"three_four_one\.svg(.|\n)*neuron\.svg",
    ),
    "where_a1_transposed_comes_from.py": (
        r"(0\.0370918524)\d+   \1",
        r"could not be broadcast together with shapes \(4,1\) \(3,1\)\n.*shapes \(3,4\) \(4,4\)",
        r"dC/dw2 = dC/dk \* a1 +since k = w2 \* a1\n +(= 0\.122137 \* 0\.812062 = 0\.0991826)",
        r"sample 3 .*= 0\.812062 \* 0\.122137 +=  0\.0991826\n +sum =   0\.144507\n",
        r"in the matrix  (0\.1445073141740)\d+\n +in the graph   \1",
        r"4 routes lead(.|\n)*products \+0\.0959061 -0\.0246792 -0\.0259022 \+0\.0991826 sum to \+0\.1445073\.",
        r"broadcast together with shapes \(4,2\) \(2,4\)(.|\n)*neuron 0 (.|\n)*neuron 1 ",
        r"the same: True",
        r"derv_sigmoid\(a2\) (0\.\d{7})\d   derv_sigmoid\(z2\) -0\.\d+   by differences \1",
    ),
    "which_factor_is_missing.py": (
        r"as posted last:\n +dW1 wrong.*\n +db1 wrong.*\n +dW2 wrong.*\n +db2 wrong",
        r"out_y\):\n +dW1 right\n +db1 right\n +dW2 right\n +db2 right",
        r"NameError, name 'slope_output' is not defined",
        r"differ from that gradient by (0\.0e\+00|\d\.\de-1[678]) at most",
        r"W2 - dw: operands could not be broadcast together with shapes \(1,2\) \(2,4\)",
        r"dW2 = delta2 @ a1\.T +\(1, n\) @ \(n, 2\) -> \(1, 2\)",
        r"Its dW2 (\[\[.*\]\]), the graph's \1\n",
        r"db1\[0\] in the matrix  (0\.00384692518282)\d+\n +in the graph   \1",
        r"as they were  \[(0\.\d+) (.|\n)*the last first  (?!.*\1\])",
        r"five samples: operands could not be broadcast together",
        r"as posted last   out_y .* pred \[\[0 0 0 0\]\]\n.*mended .*pred \[\[0 1 1 0\]\]\n.*pred \[\[0 1 1 0\]\]",
    ),
    "what_is_wrong_with_it.py": (
        r"== The first seed.*\nThis backward pass is right",
        r"== The second seed.*\nThere are 2 mistakes(.|\n)*1. Layer 2, dW2: the input is(.|\n)*2. Layer 1, dW1: the input is",
        r"Layer 1, dW1: the error is sent back instead of the delta",
        r"with a squared error\nThere is one mistake.(.|\n)*1. Layer 2, dW2: the slope is missing",
        r"\+ l2_error = \(out_y - Y\) \* out_y \* \(1 - out_y\)",
        r"nothing said of the loss\nThis backward pass is right(.|\n)*Under a squared error it would lack the slope",
        r"== Weight decay\nThis backward pass is right(.|\n)*penalty=0.01",
    ),
    "record_once.py": (
        r"def replay\(w, x, b\):(.|\n)*return v5, \[d_w, d_x, d_b\]",
        r"tape on floats +same bits +same bits",
        r"tape on arrays of samples +\d\.\de-1[6-9] +\d\.\de-1[4-6]",
        r"matrix formulas +\d\.\de-1[6-9] +\d\.\de-1[4-6]",
        r"native, a call a step +same bits +same bits(.|\n)*native, descend +same bits|native left out: .*pip install",
        r"those of\n.*\n( +-?0\.\d{6})\d+( +-?0\.\d{6})\d+.*\n\1\d+\2\d+",
        r"d/dw = x\*\(1 - tanh\(b \+ w\*x\)\*\*2\)",
        r"if x > 0 else x / 2: at 2 \(8\.0, \[4\.0\]\), at -3 \(-12\.0, \[4\.0\]\)",
        r"maximum\(x \* 4, x / 2\): at 2 \(8\.0, \[4\.0\]\), at -3 \(-1\.5, \[0\.5\]\)",
        r"plot: record_once\.png|plot left out: pip install",
    ),
    "digits.py": (r"read right: (97\.[5-9]|9[89]\.\d)% of 450 held-out digits", r"plot: digits\.png"),
}


SLOW = ("digits.py", "record_once.py", "which_factor_is_missing.py")


def run(name: str, folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    command = [sys.executable, str(ROOT / "examples" / name), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder, check=False)  # noqa: S603  # ours
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in EXAMPLES])
def test_an_example_prints_what_its_answer_rests_on(name: str, tmp_path: Path) -> None:
    if name == "digits.py":
        for package in ("sklearn", "matplotlib"):
            pytest.importorskip(package, reason="pip install '.[examples]'")
    printed = run(name, tmp_path)
    for pattern in PRINTED[name]:
        assert re.search(pattern, printed), f"{pattern!r} is not in\n{printed}"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(set(re.findall(r"\w+\.(?:svg|png)", printed)))


def test_pictures_go_into_the_folder_that_is_given(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    run("three_four_one.py", tmp_path, "pictures")
    assert [path.name for path in tmp_path.iterdir()] == ["pictures"]
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == ["neuron.svg", "three_four_one.svg"]


def test_the_report_in_the_readme_is_the_one_that_is_printed(tmp_path: Path) -> None:
    report = (ROOT / "README.md").read_text().split("```text\n")[1].split("```")[0]
    assert report in run("what_is_wrong_with_it.py", tmp_path)


def test_the_readme_begins_with_the_two_commands() -> None:
    block = (ROOT / "README.md").read_text().split("```")[1]
    assert block.splitlines()[1:] == [
        "pip install '.[svg]' && python examples/three_four_one.py",
        "pip install '.[svg,test]' && pytest",
    ]
