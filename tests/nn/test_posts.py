"""`nn.diagnose` on backward passes as people post them, and what it prints of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from posts import POSTS, TOTAL, data

import nn


def report_on(name: str) -> Any:
    TOTAL.update(dW1=0.0, dW2=0.0)
    return nn.diagnose(POSTS[name].backward, *data(POSTS[name]), **POSTS[name].stated)


@pytest.mark.parametrize("name", POSTS)
def test_a_post_is_diagnosed(name: str) -> None:
    report = report_on(name)
    found = {(f.mistake, f.layer) for f in report.findings}
    assert found == POSTS[name].mistakes, str(report)
    assert report.ok == (not found)
    assert not report.unexplained
    assert str(report)
    assert "<" not in str(report).replace("z1 <", "").replace("<=", "")
    assert report.to_dict()["ok"] == report.ok
    assert report._repr_html_().count("<h4>") == len(found)


@pytest.mark.parametrize("name", [name for name, p in POSTS.items() if not p.mistakes])
def test_the_same_numbers_as_a_dictionary(name: str) -> None:
    post = POSTS[name]
    returned = post.backward(*data(post))
    if isinstance(returned, dict):
        assert nn.diagnose(returned, *data(post), **post.stated).ok


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("trask", "l2_delta = l2_error"),
        ("no_hidden_slope", 'l1_delta = l2_delta.dot(p["W2"].T) * l1 * (1 - l1)'),
        ("slope_of_z", 'd1 = np.dot(d2, p["W2"].T) * sigmoid(a1, deriv=True)'),
        ("no_transpose", 'd1 = (d2 @ p["W2"].T) * (1 - a1**2)'),
    ],
)
def test_a_patch_is_one_line_in_the_users_names(name: str, line: str) -> None:
    (patch,) = report_on(name).patch
    assert patch[2].strip() == line


def test_a_patch_makes_the_pass_right_and_leaves_the_function_as_it_was() -> None:
    for name, post in POSTS.items():
        code = post.backward.__code__
        report = report_on(name)
        assert post.backward.__code__ is code
        assert not report.patch or "all gradients are right" in str(report)


def test_what_is_stated_and_makes_it_wrong_is_said_to_be_right_for_another() -> None:
    post = POSTS["regression"]
    report = nn.diagnose(post.backward, *data(post), activations=("tanh", "linear"))
    assert not report.ok
    assert report.hints == ("It is right for activations=('relu', 'linear'); if that is what was meant, say so.",)


def test_tracing_is_as_it_was() -> None:
    import sys

    before = sys.gettrace()
    report_on("no_hidden_slope")
    assert sys.gettrace() is before


def test_numbers_alone_have_no_lines() -> None:
    post = POSTS["no_hidden_slope"]
    report = nn.diagnose(post.backward(*data(post)), *data(post))
    assert report.patch == ()
    assert np.all([f.line == "" for f in report.findings])
