"""Where gaps are drawn: whole patterns, for rows whose values had such gaps."""

from __future__ import annotations

import numpy as np
import pytest
from tests.models.planting import plant

from anypart.data.schema import Cell, Column, Kind
from anypart.queries import gap_tree
from anypart.queries.gap_tree import GapTree, grow
from anypart.queries.gaps import Gaps, count_gaps

N = 4_000
COLUMNS = (
    Column("age", Kind.COUNT, "", cells=tuple(Cell(i, i) for i in range(20))),
    Column("town", Kind.CATEGORICAL, "", categories=tuple("abcdef")),
    Column("income", Kind.CATEGORICAL, "", categories=("low", "high")),
    Column("rent", Kind.CATEGORICAL, "", categories=("low", "high")),
)


def make_rows(seed=0, *, by_value=True):
    """Income is missing for the young of two towns, mostly, and rent whenever income is."""
    rng = np.random.default_rng(seed)
    codes = np.stack([rng.integers(c.n_cats, size=N) for c in COLUMNS], axis=1).astype(np.int32)
    young = (codes[:, 0] < 7) & np.isin(codes[:, 1], [1, 4])
    share = np.where(young, 0.8, 0.1) if by_value else np.full(N, 0.2)
    seen = np.ones(codes.shape, bool)
    seen[:, 2:] = (rng.random(N) >= share)[:, None]
    return codes, seen, young


def learned(codes, seen):
    return count_gaps(lambda index: (codes[index], seen[index]), len(codes), COLUMNS)


def shares_of_gaps(seed=0):
    codes, seen, _ = make_rows(seed)
    fresh, _, fresh_young = make_rows(seed + 1)
    drawn = learned(codes, seen).draw(fresh, (), np.random.default_rng(2))
    assert (drawn[:, 2] == drawn[:, 3]).all()  # patterns stay whole
    assert drawn[:, :2].all()
    return (~drawn[:, 2])[fresh_young].mean(), (~drawn[:, 2])[~fresh_young].mean()


def test_gaps_are_where_such_rows_had_them():
    inside, outside = shares_of_gaps()
    assert inside == pytest.approx(0.8, abs=0.05)
    assert outside == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (
            "np.where(goes_left, *self.children[node])",
            "np.where(goes_left, *self.children[node][::-1])",
        ),
        ("(rows[goes_left], rows[~goes_left])", "(rows[~goes_left], rows[goes_left])"),
        ("if gain <= 0:", "if True:"),  # switched off: gaps know nothing of values
    ],
)
def test_a_planted_bug_moves_the_gaps(monkeypatch, right, wrong):
    plant(monkeypatch, gap_tree.__name__, right, wrong)
    inside, outside = shares_of_gaps()
    assert abs(inside - 0.8) > 0.05 or abs(outside - 0.1) > 0.02


def trees_by_chance():
    sizes = [c.n_cats for c in COLUMNS], [c.kind.numeric for c in COLUMNS]
    return [grow(*make_rows(seed, by_value=False)[:2], *sizes) for seed in range(20)]


def test_gaps_by_chance_grow_no_tree(monkeypatch):
    assert trees_by_chance() == [GapTree()] * 20
    plant(
        monkeypatch,
        gap_tree.__name__,
        "gain, k = _best_place(met[order]",
        "cost, (gain, k) = 0.0, _best_place(met[order]",
    )
    assert trees_by_chance() != [GapTree()] * 20


def test_a_condition_shows_its_columns_and_an_unmet_one_too():
    codes, seen, _ = make_rows()
    drawn = learned(codes, seen).draw(codes, [2], np.random.default_rng(0))
    assert drawn[:, 2].all()
    assert drawn[:, 3].all()  # in patterns that show income rent is seen
    seen[:, 2] = False
    assert learned(codes, seen).draw(codes, [2], np.random.default_rng(0))[:, 2].all()


def test_what_is_saved_comes_back_and_a_tree_without_children_is_refused():
    found = learned(*make_rows()[:2])
    assert len(found.tree.columns) > 3
    again = Gaps.from_json(found.to_json())
    assert again.tree == found.tree
    assert (again.counts == found.counts).all()
    assert (again.patterns == found.patterns).all()
    assert found.counts.sum() == N
    broken = found.to_json()
    broken["tree"] = broken["tree"] | {"children": [(0, 0)] * len(found.tree.columns)}
    with pytest.raises(ValueError, match="no children"):
        Gaps.from_json(broken)


def test_a_fit_saved_without_a_tree_is_read():
    old = {"n_cols": 2, "gaps": [[], [1]], "counts": [3, 1]}
    drawn = Gaps.from_json(old).draw(np.zeros((400, 2), np.int32), (), np.random.default_rng(0))
    assert (~drawn[:, 1]).mean() == pytest.approx(0.25, abs=0.08)
