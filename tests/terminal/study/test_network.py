"""`anypart study receptive-field` and `anypart study bias`, as a person types them."""

from __future__ import annotations

import json
import re
import sys
from html.parser import HTMLParser

import pytest

from anypart.terminal.main import main

NETS = """
from torch import nn

def small():
    return nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2))

def line():
    return nn.Sequential(nn.Conv1d(1, 2, 3, 2), nn.ConvTranspose1d(2, 1, 3, 2))

def ring():
    return nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular")
"""


@pytest.fixture
def nets(tmp_path, monkeypatch):
    """Stand in a folder with a module of networks, as somebody who wrote one."""
    (tmp_path / "nets_of_mine.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("nets_of_mine", None)


def run(capsys, *words):
    code = main(["study", *words])
    told = capsys.readouterr()
    return code, told.out, told.err


def figures(out, layer):
    """The numbers in the row of a layer."""
    (row,) = [line for line in out.splitlines() if line.strip().startswith(layer)]
    return row.strip().removeprefix(layer).split()


class Page(HTMLParser):
    """What a browser would make of a page: its words, its drawings, what it loads."""

    VOID = frozenset(("meta", "link", "br", "img", "input", "hr"))

    def __init__(self, text):
        super().__init__()
        self.words, self.tags, self.open, self.loads = [], [], [], []
        self.feed(text)
        assert not self.open, f"{self.open} are not closed"

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.loads += [v for k, v in attrs if k in ("src", "href") and not v.startswith("#")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def numbers(self, tag, *names):
        return [[float(a[n]) for n in names] for t, a in self.tags if t == tag and names[0] in a]


def test_layers_are_shown_with_the_field_of_the_article(capsys):
    code, out, _ = run(
        capsys, "receptive-field", "conv 3 s2, conv 3 s2, last: conv 3", "--size", "64"
    )
    assert code == 0
    assert figures(out, "last") == ["13", "4", "15", "7", "0"]


def test_layers_become_json(capsys):
    code, out, _ = run(capsys, "receptive-field", "conv 3 s2, deconv 3 s2", "--json")
    (rows,) = json.loads(out)["axes"]
    assert code == 0
    assert [row["receptive_field"] for row in rows] == [3, 5]
    assert rows[1]["intervals"] == [[-2, 2], [0, 2]]


def test_a_field_that_depends_on_the_position_is_said(capsys):
    _, out, _ = run(capsys, "receptive-field", "conv 3 s2, deconv 3 s2")
    assert "the field depends on the output's position. 0: -2 to 2; 1: 0 to 2" in out


def test_a_module_is_traced_and_drawn(capsys, nets):
    code, out, _ = run(
        capsys, "receptive-field", "nets_of_mine:small", "--size", "1x3x32x32", "--html", "f.html"
    )
    assert code == 0
    assert figures(out, "3")[1:5] == ["1x4x8x8", "4", "5", "1"]
    assert "f.html is written." in out
    page = Page((nets / "f.html").read_text(encoding="utf-8"))
    words = " ".join(page.words)
    assert page.loads == []
    assert "5 x 5" in words
    assert "Middle output (4, 4)" in words
    assert "of equal weights: closed form" in words
    # The frame is where the middle output looks: rows 15 to 19 of 32, drawn 360 wide.
    frame = page.numbers("rect", "x", "y", "width", "height")[-1]
    assert frame == pytest.approx([15 * 11.25, 15 * 11.25, 5 * 11.25, 5 * 11.25], abs=0.1)
    assert len(page.numbers("rect", "x", "y", "width", "height")) == 1 + 25


def test_a_line_has_no_ellipse_and_no_closed_form_where_it_does_not_hold(capsys, nets):
    run(capsys, "receptive-field", "nets_of_mine:line", "--size", "1x1x33", "--html", "f.html")
    page = Page((nets / "f.html").read_text(encoding="utf-8"))
    assert "ellipse" not in [tag for tag, _ in page.tags]
    assert not re.search("ellipse|closed form", " ".join(page.words))


def test_a_module_becomes_json(capsys, nets):
    words = ("receptive-field", "nets_of_mine:ring", "--size", "1x1x5x4", "--json")
    code, out, _ = run(capsys, *words)
    assert code == 0
    layers = json.loads(out)["layers"]
    assert layers[-1]["exact"]
    assert layers[-1]["axes"][0]["intervals"][1:4] == [[0, 2], [1, 3], [2, 4]]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("receptive-field", "conv x"), "'x' in 'conv x' is no size"),
        (("receptive-field", "conv 3", "--size", "2by2"), "--size '2by2' is no size"),
        (("receptive-field", "conv 3", "--html", "f.html"), "give module:factory"),
        (("receptive-field", "nets_of_mine:smal", "--size", "1x3x8x8"), "Did you mean 'small'?"),
        (("receptive-field", "nets_of_mine:small"), "--size 1x3x224x224"),
        (("receptive-field", "no_such_module:net", "--size", "1x3x8x8"), "no_such_module"),
        (("bias", "nothing", "--size", "2x2"), "'nothing' is not module:factory"),
        (("bias", "nets_of_mine:small"), "--size 4x3x32x32"),
        (("bias", "nets_of_mine:small", "--size", "2x3x8x8", "--html", "f.html"), "leave out"),
    ],
)
def test_what_cannot_be_shown_is_an_error_that_says_what_to_do(capsys, nets, words, said):
    code, out, err = run(capsys, *words)
    assert (code, out) == (2, "")
    assert said in err
    assert not (nets / "f.html").exists()


def test_a_unit_learns_its_bias_and_another_cannot_do_without(capsys, nets):
    code, out, _ = run(capsys, "bias", "--html", "b.html")
    assert code == 0
    assert figures(out, "with a bias")[-2] == "0"
    assert int(figures(out, "without")[-2]) > 0
    assert "decide the same: yes" in out
    assert "lie on one ray from the origin" in out
    page = Page((nets / "b.html").read_text(encoding="utf-8"))
    points = page.numbers("circle", "cx", "cy")
    assert page.loads == []
    assert len(points) == int(re.search(r"(\d+) points", out)[1])
    # The solid line has all that shall fire on one side.
    (solid,) = [
        a["d"]
        for t, a in page.tags
        if t == "path" and a["class"] == "model-line" and "style" not in a
    ]
    x1, y1, x2, y2 = map(float, re.findall(r"-?[\d.]+", solid))
    kinds = [a["class"] == "dot best" for t, a in page.tags if t == "circle"]
    sides = [(x2 - x1) * (cy - y1) - (y2 - y1) * (cx - x1) > 0 for cx, cy in points]
    assert len(set(zip(kinds, sides, strict=True))) == 2


def test_a_unit_becomes_json(capsys):
    _, out, _ = run(capsys, "bias", "--json")
    found = json.loads(out)
    assert found["with_bias"]["threshold"] == -found["with_bias"]["bias"]
    assert found["same_decisions"]
    assert found["without_bias"]["bias"] == 0


def test_biases_that_can_go_are_named_with_the_reason(capsys, nets):
    code, out, _ = run(capsys, "bias", "nets_of_mine:small", "--size", "4x3x16x16")
    assert code == 0
    assert figures(out, "0.bias")[:2] == ["4", "yes"]
    assert figures(out, "1.bias")[:2] == ["4", "no"]
    assert "1 of 2 can go: 4 numbers, 16 bytes." in out
    _, out, _ = run(capsys, "bias", "nets_of_mine:small", "--size", "4x3x16x16", "--json")
    assert json.loads(out)["saved_bytes"] == 16
