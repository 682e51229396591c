"""The page of a derivation: one HTML file with the graph, its numbers, and the sweep to step through.

The graph is in the page as data, and the rows that it uses as JavaScript printed from the table, so the page computes again
when an input is changed. Text from outside is data too: it stands in JSON and is shown as text, and a Content-Security-Policy
lets nothing run but the scripts of this package, and nothing be fetched. The page computes in float64: a Fraction becomes the
nearest float.

Source for the policy: W3C, Content Security Policy Level 3, 2.3.1 (hashes) and 6.1.3 (default-src).
"""

from __future__ import annotations

import re
from importlib import resources
from typing import Any

from autograd.derive.page.formulas import Formulas
from autograd.derive.page.graph import Graph
from autograd.derive.steps import Steps
from autograd.draw.style import FILL, INK, NEGATIVE, POSITIVE, RESULT, THINNEST, WIDEST
from autograd.expressions.javascript import lacking, rows
from autograd.names import listed
from autograd.operations import CONSTANT, LEAF

SCRIPTS = ("numbers.js", "story.js", "page.js")
WIDTHS = {"thinnest": THINNEST, "strongest": WIDEST}  # of arrows, as in a drawing


def page(derivation: Steps, limit: int = 500) -> str:
    """The derivation as an HTML page that needs no network: step through it, look at any node, change the inputs."""
    graph = Graph(derivation, limit)
    missing = lacking(graph.used)
    formulas = Formulas(graph.used)
    program = graph.program(formulas, fixed=bool(missing)) | {"widths": WIDTHS, "fixed": _why_fixed(missing)}
    parts = {
        "style": _colors() + _file("page.css"),
        "rows": "const RULES = {}, FORMULAS = {};\n" if missing else rows(graph.used) + formulas.script(),
        "formulas": formulas.templates() + graph.templates(),
        "svg": graph.svg(),
        "program": _json(program),
        "script": "\n".join(map(_file, SCRIPTS)),
    }
    parts["policy"] = (
        f"default-src 'none'; img-src data:; style-src {_hash(parts['style'])}; "
        f"script-src {_hash(parts['rows'])} {_hash(parts['script'])}; base-uri 'none'; form-action 'none'"
    )
    return re.sub(r"\{\{(\w+)\}\}", lambda place: parts[place[1]], _file("page.html"))


def _why_fixed(missing: list[str]) -> str:
    """Why the page cannot compute again; nothing if it can."""
    has = "has" if len(missing) == 1 else "have"
    return f"{listed(missing)} {has} no JavaScript form; the page shows the graph but cannot recompute it" if missing else ""


def _colors() -> str:
    """The colours of the drawings, for the style sheet."""
    colors = {"ink": INK, "positive": POSITIVE, "negative": NEGATIVE, "box": RESULT}
    colors |= {"leaf": FILL[LEAF], "constant": FILL[CONSTANT]}
    return ":root {" + "".join(f" --{name}: {color};" for name, color in colors.items()) + " }\n"


def _file(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")


def _json(data: Any) -> str:
    """The data as JSON in ASCII that nothing in HTML can end."""
    import json

    return json.dumps(data).replace("<", "\\u003c")


def _hash(text: str) -> str:
    import base64
    import hashlib

    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
