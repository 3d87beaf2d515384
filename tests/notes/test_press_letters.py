"""Letters in figures keep their size when needless digits are cut."""

import re

from notes import press


def test_letters_keep_their_size(monkeypatch):
    monkeypatch.setattr(press, "figures", {})
    fig, ax = press.axes()
    ax.set_xlabel("words")
    press.figure("letters", fig)
    scales = set(re.findall(r'transform="scale\(([\d.]+)\)"', press.figures["letters"]))
    assert scales == {"0.015625"}
