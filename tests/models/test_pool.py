"""A pool is a mixture for the questions of its experts, and its ground for all others."""

import numpy as np
import pytest
from tests.models.makers import hidden_tree
from tests.models.one_order_makers import N_CATS, boosted_trees
from tests.models.planting import plant

from anypart.base.errors import SavedFitError
from anypart.models.catalogue import load_model
from anypart.models.contract import Evidence
from anypart.models.pool import Expert, Pool

N_ROWS = 40


def pool_of(rng, most_gaps=1):
    """Two experts about the last column of one order, and one about another's last."""

    def about(wanted):
        while not wanted((model := boosted_trees(rng)).order[-1]):
            pass
        return model

    first = about(lambda last: N_CATS[last] > 1)
    column = int(first.order[-1])
    alike, other = about(lambda last: last == column), about(lambda last: last != column)
    experts = [
        Expert(first, column, 0.3, most_gaps),
        Expert(alike, column, 0.45, most_gaps),
        Expert(other, int(other.order[-1]), 1.0, most_gaps),
    ]
    return Pool(hidden_tree(rng), experts)


def rows_of(rng, n_seen=0.8):
    codes = np.stack([rng.integers(0, n, N_ROWS) for n in N_CATS], 1).astype(np.int32)
    return codes, rng.random(codes.shape) < n_seen


def by_hand(pool, evidence, asked):
    """The sum of the formula, a row and an expert at a time."""
    out = np.exp(pool.ground.conditional(evidence).astype(float))
    for row in range(evidence.n_rows):
        for col, place in enumerate(pool.layout.slices):
            if not asked[row, col]:
                continue
            about = [e for e in pool.experts if e.column == col]
            about = [e for e in about if e.able(evidence.seen[[row]])[0]]
            part = (1 - sum(e.weight for e in about)) * out[row, place]
            for e in about:
                part = part + e.weight * np.exp(e.model.column(evidence.rows([row]), col)[0])
            out[row, place] = part
    return out


def conditionals_are_the_weighted_sum(seed=0):
    rng = np.random.default_rng(seed)
    pool, (codes, seen) = pool_of(rng), rows_of(rng)
    evidence = Evidence(codes, seen)
    found = np.exp(pool.conditional(evidence))
    assert np.allclose(found, by_hand(pool, evidence, ~seen), atol=1e-5)
    for place in pool.layout.slices:
        assert np.allclose(found[:, place].sum(1), 1, atol=1e-5)


def test_conditionals_are_the_weighted_sum_of_the_experts_and_the_ground():
    for seed in range(4):
        conditionals_are_the_weighted_sum(seed)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("1.0 - weights.sum(axis=0)", "1.0 - 0 * weights.sum(axis=0)"),
        ("self._pooled(found, evidence, ~evidence.seen)", "found"),
        ("<= self.most_gaps", "<= self.most_gaps + 1"),
    ],
)
def test_the_sum_notices(right, wrong, monkeypatch):
    able = Expert.able
    plant(monkeypatch, "anypart.models.pool", right, wrong)
    if "gaps" in right:
        planted = Expert.able
        rng = np.random.default_rng(0)
        seen, expert = rows_of(rng)[1], pool_of(rng).experts[0]
        assert (planted(expert, seen) != able(expert, seen)).any()
        return
    with pytest.raises(AssertionError, match="assert"):
        conditionals_are_the_weighted_sum()


def test_a_row_with_more_gaps_than_were_weighed_is_the_grounds():
    rng = np.random.default_rng(1)
    pool, (codes, seen) = pool_of(rng, most_gaps=0), rows_of(rng, n_seen=0.7)
    found, ground = (m.conditional(Evidence(codes, seen)) for m in (pool, pool.ground))
    gaps = (~seen).sum(1)
    place = pool.layout.slices[pool.experts[0].column]
    alone = (gaps == 1) & ~seen[:, pool.experts[0].column]
    assert alone.any()
    assert (np.abs(found[alone, place] - ground[alone, place]) > 1e-6).any()
    assert np.array_equal(found[gaps > 1], ground[gaps > 1])


def test_each_cell_given_the_others_is_pooled_too():
    rng = np.random.default_rng(2)
    pool, (codes, seen) = pool_of(rng), rows_of(rng, n_seen=0.9)
    found = pool.leave_one_out(codes, seen)
    for col, place in enumerate(pool.layout.slices):
        without = seen.copy()
        without[:, col] = False
        right = pool.conditional(Evidence(codes, without))[:, place]
        assert np.allclose(np.exp(found[:, place]), np.exp(right), atol=1e-5)


def test_everything_else_is_the_grounds():
    rng = np.random.default_rng(3)
    pool, (codes, seen) = pool_of(rng), rows_of(rng)
    evidence, ground = Evidence(codes, seen), pool.ground
    assert np.array_equal(pool.log_prob(evidence), ground.log_prob(evidence))
    assert np.array_equal(pool.represent(evidence), ground.represent(evidence))
    draws = (m.sample(evidence, np.random.default_rng(0)) for m in (pool, ground))
    assert np.array_equal(*draws)


def test_saved_answers_are_the_same_and_damage_is_refused():
    rng = np.random.default_rng(4)
    pool, (codes, seen) = pool_of(rng), rows_of(rng)
    settings, arrays = pool.state()
    again = load_model("pool", settings, arrays)
    evidence = Evidence(codes, seen)
    assert np.array_equal(again.conditional(evidence), pool.conditional(evidence))
    for broken in (
        {**settings, "experts": settings["experts"][:1]},
        {**settings, "experts": [[99, 0.5, 1]] * 3},
        {"parts": settings["parts"]},
    ):
        with pytest.raises(SavedFitError, match="saved pool is damaged"):
            load_model("pool", broken, arrays)


def test_a_column_by_itself_is_what_complete_rows_say_of_it():
    rng = np.random.default_rng(5)
    for model in (boosted_trees(rng) for _ in range(3)):
        codes, _ = rows_of(rng)
        col = int(model.order[-1])
        seen = np.ones(codes.shape, bool)
        seen[:, col] = False
        evidence = Evidence(codes, seen)
        right = model.conditional(evidence)[:, model.layout.slices[col]]
        assert np.allclose(model.column(evidence, col), right, atol=1e-4)
