"""The classifier beside chances that are known, and bugs that this catches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.planting import plant

from anypart.optim import classifier
from anypart.optim.classifier import Rows

MODULE = "anypart.optim.classifier"


def two_kinds(n, seed=0):
    """A number with gaps, a category whose codes have no order, and a column of noise."""
    rng = np.random.default_rng(seed)
    number, code = rng.normal(size=n), rng.integers(0, 8, n)
    gap = rng.random(n) < 0.2
    odds = 2.0 * (number > 0.5) * ~gap + 1.5 * (code % 2) - 2.0 * gap
    label = rng.random(n) < 1 / (1 + np.exp(0.75 - odds))
    numbers = np.stack([np.where(gap, np.nan, number), code, rng.normal(size=n)], axis=1)
    return Rows(numbers, np.array([False, True, False])), label, odds - 0.75


def check_odds():
    """The classifier's log-odds are near the true ones on rows that it has not seen."""
    found = classifier.learn_classifier(*two_kinds(4_000)[:2])
    rows, _, odds = two_kinds(1_000, seed=1)
    assert np.mean((found.log_odds(rows) - odds) ** 2) < 0.12 < np.var(odds) / 3


def check_apart():
    """Every row is judged by a classifier of the other folds' rows."""
    rows, label, _ = two_kinds(300)
    found = classifier.classify_apart(rows, label, 3, np.random.default_rng(2))
    fold = np.random.default_rng(2).permutation(300) % 3
    for k in range(3):
        inside, other = np.flatnonzero(fold == k), np.flatnonzero(fold != k)
        alone = classifier.learn_classifier(rows.take(other), label[other])
        assert np.allclose(found[inside], alone.log_odds(rows.take(inside)))


def check_chance():
    """Of pure chance hardly more is claimed than there is."""
    rng = np.random.default_rng(2)
    rows, label = Rows(rng.normal(size=(300, 5)), np.zeros(5, bool)), rng.random(300) < 0.5
    found = classifier.classify_apart(rows, label, 3, rng)
    assert np.logaddexp(0, np.where(label, -found, found)).mean() < np.log(2) + 0.02


def check_few():
    """Fifty rows teach what is plain."""
    areas = []
    for seed in range(8):
        rows, label, _ = two_kinds(50, seed)
        others, truth, _ = two_kinds(500, 99)
        score = classifier.learn_classifier(rows, label).log_odds(others)
        areas.append(classifier.area_under_curve(score, truth))
    assert np.mean(areas) > 0.62


@pytest.mark.parametrize("check", [check_odds, check_apart, check_chance, check_few])
def test_the_classifier_knows_what_can_be_known(check):
    check()


@pytest.mark.parametrize(
    ("right", "wrong", "check"),
    [
        ("+ 1, 0)", "+ 1, 1)", check_odds),  # gaps share a bin with the least numbers
        ("x = places[code]", "x = code.astype(float)", check_odds),
        ("-RATE * down", "RATE * down", check_odds),
        ("np.flatnonzero(fold != k)", "np.flatnonzero(fold >= 0)", check_apart),
        ("min(LEAST, LEAST_SHARE * float(curve.sum()))", "LEAST", check_few),
        ("return trees[:kept]", "return trees", check_chance),
    ],
)
def test_planted_bugs_are_caught(monkeypatch, right, wrong, check):
    plant(monkeypatch, MODULE, right, wrong)
    with pytest.raises(AssertionError):
        check()


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=2, max_size=30))
def test_the_area_is_the_share_of_pairs_in_the_right_order(pairs):
    score, label = np.array([s for s, _ in pairs], float), np.array([y for _, y in pairs])
    found = classifier.area_under_curve(score, label)
    wins = [(a > b) + (a == b) / 2 for a in score[label] for b in score[~label]]
    assert found == pytest.approx(np.mean(wins)) if wins else np.isnan(found)


def test_rows_of_one_kind_or_without_columns_give_the_shares():
    nothing = Rows(np.zeros((40, 0)), np.zeros(0, bool))
    half = np.arange(40) % 2 == 0
    assert classifier.learn_classifier(nothing, half).log_odds(nothing) == pytest.approx(0)
    some = Rows(np.arange(40.0)[:, None], np.zeros(1, bool))
    assert (classifier.learn_classifier(some, np.ones(40, bool)).log_odds(some) > 3).all()
