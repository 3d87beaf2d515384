"""Contrastive training: what it learns, and the collapse that it warns of."""

from __future__ import annotations

import numpy as np
import pytest
from tests.models.planting import plant

from anypart.base.errors import FitError
from anypart.models.contract import Evidence, Layout
from anypart.optim import views
from anypart.optim.catalogue import LEARNERS
from anypart.optim.events import Warned
from anypart.optim.loop import train_member
from anypart.optim.plan_file import Member
from anypart.optim.rows import Rows, Split
from anypart.optim.views import View

N_COLS = 8
SETTINGS = {"width": 16, "blocks": 1, "rate": 1e-2, "predict": 0.0, "contrast": 1.0}


def groups(n_rows, seed):
    """Bits that a hidden one of four groups moves together, and the group."""
    centres = np.random.default_rng(5).random((4, N_COLS)) < 0.5
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 4, n_rows)
    flipped = rng.random((n_rows, N_COLS)) < 0.1
    return (centres[group] ^ flipped).astype(np.int32), group


class Table:
    n_rows, n_cats = 400, (2,) * N_COLS
    codes = groups(400, 0)[0]

    def rows(self, index):
        return self.codes[index], np.ones((len(self.codes[index]), N_COLS), bool)


def train(tmp_path, steps=120, **more):
    member = Member("network", "order_agnostic", {**SETTINGS, **more}, 0, steps, 64, 20, 99)
    codes, _ = groups(200, 1)
    split = Split(Rows(Table(), np.empty(0, np.int64)), codes, np.ones(codes.shape, bool))
    events = []
    trained = train_member(member, split, tmp_path / "checkpoint", events.append)
    return trained, [e for e in events if isinstance(e, Warned)]


def directions(model):
    codes, _ = groups(200, 2)
    vectors = model.represent(Evidence(codes, np.ones(codes.shape, bool)))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_with_negatives_rows_stay_apart_and_nothing_is_told(tmp_path):
    trained, warned = train(tmp_path)
    assert not warned
    units = directions(trained.model)
    assert 1 - (units.mean(0) ** 2).sum() > 0.3


def test_without_negatives_the_representation_collapses_and_training_warns(tmp_path):
    trained, warned = train(tmp_path, negatives=False)
    assert len(warned) == 1
    units = directions(trained.model)
    assert 1 - (units.mean(0) ** 2).sum() < 0.2
    assert "collapsed" in warned[0].text
    assert "negatives" in warned[0].text


def test_the_warning_goes_on_after_a_resume():
    codes, _ = groups(64, 3)
    seen, layout = np.ones(codes.shape, bool), Layout(Table.n_cats)
    settings = SETTINGS | {"negatives": False}
    first = LEARNERS["order_agnostic"](layout, codes, seen, settings, 0)
    for step in range(80):
        first.step(codes, seen, step / 80)
    second = LEARNERS["order_agnostic"](layout, codes, seen, settings, 0)
    assert second.trouble() == ""
    second.load_state(first.state())
    assert second.trouble() == first.trouble() != ""
    for one in (first, second):
        one.step(codes, seen, 0.9)
    for name, array in first.state().items():
        np.testing.assert_array_equal(array, second.state()[name])


IMAGE = (3, 4)
PIXELS = np.arange(2 * 12, dtype=np.int32).reshape(2, 12)


def broken():
    """Whether a view shows something that the image has not, or moves it wrongly."""
    seen = np.ones(PIXELS.shape, bool)
    seen[1, 5] = False
    for seed in range(20):
        rng = np.random.default_rng(seed)
        codes, shown = views.see(View("crop", 0.7, IMAGE), PIXELS, seen, rng)
        boxes = shown.reshape(2, *IMAGE)
        sides = [boxes[0].any(axis=1).sum(), boxes[0].any(axis=0).sum()]
        if (shown & ~seen).any() or sides != [2, 3] or shown[0].sum() != 6:
            return True
        codes, shown = views.see(View("shift", 0.34, IMAGE), PIXELS, seen, rng)
        for row in (0, 1):
            place = np.flatnonzero(shown[row])
            source = codes[row][place] - 12 * row
            down = np.unique(place // 4 - source // 4)
            right = np.unique(place % 4 - source % 4)
            whole = (3 - abs(down[0])) * (4 - abs(right[0])) - shown[row].sum()
            gap = 0 if row == 0 else 1  # the cell that is not seen may be moved outside
            if len(down) > 1 or len(right) > 1 or not 0 <= whole <= gap:
                return True
    return False


def test_crops_and_shifts_show_what_is_there():
    assert not broken()


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("within & np.take_along_axis(seen, source, axis=1)", "np.ones_like(within)"),
        ("from_y * cols + from_x, 0", "from_y * rows + from_x, 0"),
        ("return codes, seen & inside.reshape(codes.shape)", "return codes, seen"),
        ("place < start + long", "place <= start + long"),
    ],
)
def test_the_views_law_bites(monkeypatch, right, wrong):
    plant(monkeypatch, "anypart.optim.views", right, wrong)
    for kind, function in list(views.KINDS.items()):
        monkeypatch.setitem(views.KINDS, kind, getattr(views, function.__name__))
    assert broken()


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (View("blur"), "There is no view 'blur'"),
        (View("crop"), "needs the size of the image"),
        (View("shift", 0.1, (2, 2)), "Code all pixels alike"),
    ],
)
def test_a_view_that_cannot_be_is_refused(view, said):
    with pytest.raises(FitError, match=said):
        view.check((2, 2, 2, 3))
