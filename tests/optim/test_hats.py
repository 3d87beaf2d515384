"""Hats: every table can be reached, neighbours learn from each other, few rows teach more."""

import numpy as np
import pytest
import torch
from tests.models.planting import plant

from anypart.models.contract import Evidence, Layout
from anypart.optim import hats as shipped
from anypart.optim.decoder import DecoderLearner, DecoderSettings
from anypart.optim.hats import REACH, hats, in_hats
from anypart.optim.hidden_trees import HiddenSettings, HiddenTreeLearner


@pytest.mark.parametrize("n", [4, 5, 17, 64, 250])
def test_rows_of_logits_come_back_but_for_their_mean(n):
    logits = np.random.default_rng(n).normal(size=(3, n)).astype(np.float32)
    back = in_hats(logits) @ hats(n)
    np.testing.assert_allclose(back, logits - logits.mean(1, keepdims=True), atol=2e-4)


def check_basis(n):
    made = shipped.hats(n)
    assert made.shape[0] < 3 * n + 8
    assert made.sum(axis=0).mean() == pytest.approx(REACH, rel=1e-5)
    assert np.array_equal(made[:n] > 0, np.eye(n) > 0)
    places = [np.flatnonzero(row) for row in made]
    assert all(np.array_equal(p, np.arange(p[0], p[-1] + 1)) for p in places)  # neighbours
    assert {len(p) for p in places} >= {1, 3} | ({7} if n >= 16 else set())
    heights = [row.max() / made[0, 0] for row in made[n:]]
    assert max(heights) == pytest.approx(0.7)
    wide = made[n:].sum(axis=0)
    assert wide.min() > 0.5 * wide.max()  # hats of a width add up to a constant


@pytest.mark.parametrize("n", [4, 9, 64])
def test_hats_of_all_widths_cover_all_categories(n):
    check_basis(n)


def test_missing_hats_are_found(monkeypatch):
    plant(
        monkeypatch,
        "anypart.optim.hats",
        "np.arange(0, n + width, width)",
        "np.arange(width, n, 2 * width)",
    )
    with pytest.raises(AssertionError):
        check_basis(64)


def hidden_tree(codes, ordered):
    settings = HiddenSettings(n_states=8, decay=0.1, ordered=ordered)
    return HiddenTreeLearner(Layout((32, 32)), codes, codes >= 0, settings, 0)


def mixture(codes, ordered):
    settings = DecoderSettings(dims=4, width=32, points=64, ordered=ordered)
    return DecoderLearner(Layout((32, 32)), codes, codes >= 0, settings, 0)


def check_that_order_teaches(learner_of, gain):
    """Two numbers of 32 cells that hang together smoothly, 400 rows."""
    rng = np.random.default_rng(0)

    def drawn(n):
        x = rng.normal(size=n)
        both = np.stack([x, 0.8 * x + 0.6 * rng.normal(size=n)], 1)
        return np.clip((both + 2.5) / 5 * 32, 0, 31).astype(np.int32)

    codes, test = drawn(400), drawn(3_000)
    levels = []
    for ordered in ((), (0, 1)):
        learner = learner_of(codes, ordered)
        batches = np.random.default_rng(1)
        for step in range(400):
            some = batches.permutation(400)[:100]
            learner.step(codes[some], codes[some] >= 0, step / 400)
        levels.append(learner.model().log_prob(Evidence(test, test >= 0)).mean())
    assert levels[1] > levels[0] + gain


@pytest.mark.parametrize(("learner_of", "gain"), [(hidden_tree, 0.05), (mixture, 0.15)])
def test_neighbours_learn_from_each_other(learner_of, gain):
    check_that_order_teaches(learner_of, gain)


@pytest.mark.parametrize(("learner_of", "gain"), [(hidden_tree, 0.05), (mixture, 0.15)])
def test_hats_that_are_cells_only_are_found(monkeypatch, learner_of, gain):
    plant(monkeypatch, shipped.__name__, "while width < n:", "while width < 0:")
    with pytest.raises(AssertionError):
        check_that_order_teaches(learner_of, gain)


def check_that_weights_come_back():
    """Columns of 5, 3 (too few for an order), 2 and 9; the mean of a hatted one goes."""
    weights = np.random.default_rng(4).normal(size=(7, 19)).astype(np.float32)
    columns = shipped.HattedColumns((5, 3, 2, 9), (0, 1, 3))
    right = weights.copy()
    for place in (slice(0, 5), slice(10, 19)):
        right[:, place] -= right[:, place].mean(1, keepdims=True)
    back = columns.to_cells(torch.from_numpy(columns.to_hats(weights)))
    np.testing.assert_allclose(back.numpy(), right, atol=1e-4)


def test_weights_of_ordered_columns_come_back_but_for_their_mean():
    check_that_weights_come_back()


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("weights.split(self._widths, 1)", "weights.split(self._widths[::-1], 1)"),
        ("p @ self._hats[c] if c", "2 * p @ self._hats[c] if c"),
    ],
)
def test_weights_that_go_astray_are_found(monkeypatch, right, wrong):
    plant(monkeypatch, shipped.__name__, right, wrong)
    with pytest.raises((AssertionError, RuntimeError)):
        check_that_weights_come_back()
