"""What a note's code hands over: numbers once, figures in the page's colours."""

import re

import numpy as np
import pytest

from notes import press


@pytest.fixture(autouse=True)
def nothing_yet(monkeypatch):
    monkeypatch.setattr(press, "figures", {})
    monkeypatch.setattr(press, "told", {})


def drawn(name="dots"):
    fig, ax = press.axes()
    ax.plot([0, 1], [0, 1.23456789])
    ax.scatter(np.arange(40), np.arange(40), color=press.ACCENT_2)
    press.figure(name, fig)
    return press.figures[name]


def test_a_figure_has_the_colours_of_the_page():
    svg = drawn()
    assert "var(--accent)" in svg
    assert "var(--accent-2)" in svg
    assert re.findall(r"#[0-9a-f]{6}\b", svg) == []


def test_the_ids_of_a_figure_are_its_own_and_are_used():
    svg = drawn()
    ids = re.findall(r' id="([^"]*)"', svg)
    used = re.findall(r'(?:href="#|url\(#)([^")]*)', svg)
    assert set(ids) == set(used)
    assert all(name.startswith("dots-") for name in ids)
    assert set(ids).isdisjoint(re.findall(r' id="([^"]*)"', drawn("others")))


def test_the_same_figure_is_the_same_bytes(monkeypatch):
    first = drawn()
    monkeypatch.setattr(press, "figures", {})
    assert drawn() == first


def test_marks_of_one_style_say_it_once():
    assert drawn().count("fill: var(--accent-2)") == 1


def test_numbers_are_plain():
    press.tell(a=np.float64(0.5), b=np.int64(3), c="word", d=np.bool_(True))
    assert press.told == {"a": 0.5, "b": 3, "c": "word", "d": True}
    assert all(type(v) in (float, int, str, bool) for v in press.told.values())


def test_letters_keep_their_size():
    fig, ax = press.axes()
    ax.set_xlabel("words", fontsize=8.5)
    press.figure("letters", fig)
    scales = set(re.findall(r'transform="scale\(([\d.]+)\)"', press.figures["letters"]))
    assert scales == {"0.015625"}
    assert "scale(0.085 -0.085)" in press.figures["letters"]
