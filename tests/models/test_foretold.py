"""What one column foretells of another is judged on rows that were left out, one by one."""

import numpy as np
import pytest
from tests.data.planted import planted

from anypart.models import structure as shipped
from anypart.models.contract import Layout


def by_leaving_out(codes, seen, n_cats, a, b):
    """Leave out each row, count the others, and ask what they tell of it."""
    both = seen[:, a] & seen[:, b]
    x, y, n = codes[both, a], codes[both, b], both.sum()
    counts = np.zeros((n_cats[a], n_cats[b]))
    np.add.at(counts, (x, y), 1)
    alone = np.outer(counts.sum(1), counts.sum(0)) / n**2
    best = 0.0
    for kappa in shipped.SMOOTHING:
        told = []
        for i, j in zip(x, y, strict=True):
            others = counts.copy()
            others[i, j] -= 1
            p = (others[i, j] + kappa * alone[i, j]) / (others.sum() + kappa)
            told.append(np.log(p / alone[i, j]))
        best = max(best, np.mean(told))
    return best


def rows(n, n_cats, gaps=0.0, seed=0):
    rng = np.random.default_rng(seed)
    first = rng.integers(0, n_cats[0], n)
    codes = [first] + [
        np.where(rng.random(n) < 0.6, first % k, rng.integers(0, k, n)) for k in n_cats[1:]
    ]
    return np.stack(codes, 1).astype(np.int32), rng.random((n, len(n_cats))) >= gaps


def check_against_leaving_out(module, gaps):
    n_cats = (7, 3, 9, 2)
    codes, seen = rows(250, n_cats, gaps)
    layout = Layout(n_cats)
    found = module.foretold(layout, module.pair_counts(layout, codes, seen))
    assert np.array_equal(found, found.T)
    assert not found.diagonal().any()
    for a in range(4):
        for b in range(a):
            assert found[a, b] == pytest.approx(by_leaving_out(codes, seen, n_cats, a, b), abs=1e-9)
    assert found[0, 1] > 0.1


@pytest.mark.parametrize("gaps", [0.0, 0.4])
def test_each_row_is_foretold_by_the_others(gaps):
    check_against_leaving_out(shipped, gaps)


def check_that_chance_foretells_nothing(module):
    rng = np.random.default_rng(1)
    layout = Layout((64, 64, 2, 3))
    codes = np.stack([rng.integers(0, n, 4_000) for n in layout.n_cats], 1).astype(np.int32)
    codes[:, 3] = np.where(rng.random(4_000) < 0.3, codes[:, 2], codes[:, 3])
    counts = module.pair_counts(layout, codes, codes >= 0)
    found = module.foretold(layout, counts)
    joint = counts[:64, 64:128] / 4_000
    plain = (joint * np.log(np.maximum(joint, 1e-9) * 64 * 64)).sum()
    assert plain > 0.3  # of counted shares: chance alone
    assert found[0, 1] < 0.003
    assert found[2, 3] > 0.02  # few categories that do hang together weigh more


def test_many_categories_foretell_nothing_by_chance():
    check_that_chance_foretells_nothing(shipped)


def check_correction(module):
    n_cats = (5, 4, 3)
    codes, seen = rows(300, n_cats, 0.3)
    layout = Layout(n_cats)
    found = module.corrected(layout, module.pair_counts(layout, codes, seen))
    np.testing.assert_allclose(found, found.T, atol=1e-12)
    for a in range(3):
        for b in range(a):
            both = seen[:, a] & seen[:, b]
            joint = np.zeros((n_cats[a], n_cats[b]))
            np.add.at(joint, (codes[both, a], codes[both, b]), 1.0)
            entropies = []
            for counts in (joint.sum(1), joint.sum(0), joint.ravel()):
                p = counts[counts > 0] / counts.sum()
                entropies.append(-(p * np.log(p)).sum() + (len(p) - 1) / 2 / counts.sum())
            left, right, together = entropies
            assert found[a, b] == pytest.approx(left + right - together, abs=1e-9)


def test_miller_s_correction_agrees_with_entropies_of_each_pair():
    check_correction(shipped)


def test_a_strayed_tree_doubts_no_more_than_half():
    codes, seen = rows(400, (20, 30, 25), 0.1)
    layout = Layout((20, 30, 25))
    counts = shipped.pair_counts(layout, codes, seen)
    low, high = shipped.foretold(layout, counts), shipped.corrected(layout, counts)
    assert (high >= low).all()
    shares = set()
    for seed in range(20):
        strayed = shipped.strayed(layout, counts, 0.0, np.random.default_rng(seed))
        above = high > low
        share = np.unique(((strayed - low)[above] / (high - low)[above]).round(9))
        assert len(share) == 1  # one doubt for the whole tree
        shares.add(float(share[0]))
    assert 0 <= min(shares) < 0.15 < 0.35 < max(shares) <= 0.5


def test_columns_without_rows_in_common_foretell_nothing():
    codes, seen = rows(50, (3, 4))
    seen[:25, 0] = seen[25:, 1] = False
    layout = Layout((3, 4))
    assert not shipped.foretold(layout, shipped.pair_counts(layout, codes, seen)).any()
    assert shipped.foretold(Layout((3,)), np.ones((3, 3))).shape == (1, 1)


def test_the_laws_bite_on_a_row_that_foretells_itself():
    itself = planted(shipped, "np.maximum(joint - 1, 0)", "joint")
    with pytest.raises(AssertionError):
        check_against_leaving_out(itself, 0.0)
    with pytest.raises(AssertionError):
        check_that_chance_foretells_nothing(itself)
    even = planted(shipped, "left[:, owner] * joint.sum(axis=0)", "left[:, owner] * joint.mean()")
    with pytest.raises(AssertionError):
        check_against_leaving_out(even, 0.4)
    uncorrected = planted(shipped, "pairs[1] - used - used.T + 1", "0 * pairs[1]")
    with pytest.raises(AssertionError):
        check_correction(uncorrected)
