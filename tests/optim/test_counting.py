"""The full table is counts; the exclusive or is nothing special to it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from tests.models.planting import plant

from anypart.base.errors import FitError
from anypart.models.contract import Evidence, Layout
from anypart.optim.counting import TableLearner, TableSettings

LAYOUT = Layout((2, 3, 2))


def rows(n_rows=500, gaps=0.0):
    rng = np.random.default_rng(0)
    codes = np.stack([rng.integers(0, n, n_rows) for n in LAYOUT.n_cats], axis=1)
    codes[:, 2] = np.where(rng.random(n_rows) < 0.9, (codes[:, 0] + codes[:, 1]) % 2, codes[:, 2])
    return codes.astype(np.int32), rng.random(codes.shape) >= gaps


def learnt(codes, seen, steps=16, **settings):
    made = TableLearner(LAYOUT, codes, seen, TableSettings(**settings))
    for _ in range(steps):
        made.step(codes[:1], seen[:1], 0.0)
    return made


def check_frequencies():
    codes, seen = rows()
    model = learnt(codes, seen, most=1e-9, least=1e-12).model()
    for state in itertools.product(*map(range, LAYOUT.n_cats)):
        share = (codes == state).all(axis=1).mean()
        row = Evidence(np.array([state], np.int32), np.ones((1, 3), bool))
        assert np.exp(model.log_prob(row)[0]) == pytest.approx(share, abs=1e-6)


def test_without_pseudo_rows_the_table_is_the_frequencies():
    check_frequencies()


def test_a_planted_bug_in_the_counts_is_found(monkeypatch):
    plant(monkeypatch, "anypart.optim.counting", "past * table + ", "table + ")
    with pytest.raises(AssertionError, match="assert"):
        check_frequencies()


def test_pseudo_rows_pull_towards_the_margins():
    codes, seen = rows()
    far = learnt(codes, seen, most=1e9, least=1e9).model()
    shares = [np.bincount(codes[:, c], minlength=n) + 0.5 for c, n in enumerate(LAYOUT.n_cats)]
    right = [np.log(s / s.sum()) for s in shares]
    row = Evidence(codes[:5], seen[:5])
    expected = [sum(right[c][r[c]] for c in range(3)) for r in codes[:5]]
    np.testing.assert_allclose(far.log_prob(row), expected, rtol=1e-6)


def test_rows_with_gaps_raise_the_likelihood_at_every_step():
    codes, seen = rows(gaps=0.3)
    made = TableLearner(LAYOUT, codes, seen, TableSettings(1e-6, 1e-6))
    logs = []
    for _ in range(8):
        made.step(codes[:1], seen[:1], 0.0)
        logs.append(made.model().log_prob(Evidence(codes, seen)).sum())
    assert all(after >= before - 1e-6 for before, after in itertools.pairwise(logs))


def test_going_on_from_a_state_gives_the_same_bits():
    codes, seen = rows(gaps=0.2)
    straight, first, second = (learnt(codes, seen, n) for n in (6, 3, 0))
    second.load_state(first.state())
    for _ in range(3):
        second.step(codes[:1], seen[:1], 0.0)
    one, two = straight.state(), second.state()
    assert all(np.array_equal(one[k], two[k]) for k in one)


def test_many_columns_are_refused_with_their_number_of_states():
    layout = Layout((2,) * 40)
    nothing = np.zeros((1, 40), np.int32)
    with pytest.raises(FitError, match="1,099,511,627,776 rows"):
        TableLearner(layout, nothing, nothing == 0, TableSettings())
