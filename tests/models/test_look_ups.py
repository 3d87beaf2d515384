"""Columns that are looked up together say what they say one by one."""

import numpy as np
import pytest
from tests.models.planting import plant

from anypart.models import look_ups
from anypart.models.continuous_mixture import ContinuousMixture, shapes
from anypart.models.contract import Evidence, Layout

LAYOUT = Layout((2, 40, 7, 3, 90, 5, 2))


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def _sums(groups, codes, seen, n_mixes):
    total = np.zeros((len(codes), n_mixes), np.float32)
    look_ups.add_looked_up(total, groups, codes, seen)
    return total


def _differ(rng):
    by_cat = np.log(rng.random((LAYOUT.total, 6)) + 0.1).astype(np.float32)
    codes = rng.integers(0, LAYOUT.n_cats, (500, LAYOUT.n_cols)).astype(np.int32)
    seen = rng.random(codes.shape) < 0.6
    seen[:50], seen[50:60] = True, False
    one_by_one = np.zeros((len(codes), 6))
    for col, place in enumerate(LAYOUT.slices):
        one_by_one += np.where(seen[:, [col]], by_cat[place][codes[:, col]], 0)
    makers = (look_ups.alone, look_ups.together)
    found = [_sums(make(LAYOUT, by_cat), codes, seen, 6) for make in makers]
    return max(float(np.abs(f - one_by_one).max()) for f in found)


def test_sums_are_those_of_the_columns_one_by_one(rng):
    assert _differ(rng) < 1e-5


def test_small_columns_share_tables_of_a_bounded_size(rng):
    by_cat = rng.random((LAYOUT.total, 3)).astype(np.float32)
    groups = look_ups.together(LAYOUT, by_cat)
    assert sorted(col for g in groups for col in g.cols) == list(range(LAYOUT.n_cols))
    assert len(groups) < LAYOUT.n_cols
    assert all(len(g.table) <= look_ups.MOST_TOGETHER for g in groups)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("codes[:, self.cols] + 1, 0)", "codes[:, self.cols], 0)"),
        ("steps.append(len(table))", "steps.append(len(own))"),
        ("        if len(rows) == 0:", "        if len(rows) < len(codes):"),
        ("total[rows] += here", "total[rows] = here"),
    ],
)
def test_planted_bug_is_found(rng, monkeypatch, right, wrong):
    plant(monkeypatch, look_ups.__name__, right, wrong)
    assert _differ(rng) > 1e-2


def test_many_rows_have_the_scores_of_few(monkeypatch, rng):
    layout = Layout((20, 3, 40, 2, 26))
    sizes = shapes(layout, 6, 2, 4)
    arrays = {name: rng.normal(size=size).astype(np.float32) for name, size in sizes.items()}
    model = ContinuousMixture(layout, arrays)
    codes = rng.integers(0, model.layout.n_cats, (300, 5)).astype(np.int32)
    evidence = Evidence(codes, rng.random(codes.shape) < 0.7)
    few = model.log_prob(evidence)
    monkeypatch.setattr("anypart.models.continuous_mixture.FEWEST_ROWS", 1)
    assert not model.__dict__.get("_together")
    np.testing.assert_allclose(model.log_prob(evidence), few, atol=1e-4)
    assert model.__dict__["_together"]
