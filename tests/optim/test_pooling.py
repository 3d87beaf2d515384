"""Weights of a question's own: found by what is asked, not by whole rows."""

import numpy as np
import pytest
from tests.models.planting import plant

from anypart.models.contract import Evidence, Layout
from anypart.models.pool import Expert, Pool
from anypart.optim import pooling
from anypart.optim.boosting import BoostLearner, BoostSettings
from anypart.optim.catalogue import LEARNERS

LAYOUT = Layout((3, 2, 4, 2))
ABOUT = BoostSettings(depth=2, rate=0.5, ridge=1.0, about=1)


def rows_of(n_rows, seed, missing=0.1):
    """Column 1 is whether the others' sum is odd, nine times in ten."""
    rng = np.random.default_rng(seed)
    a, c, d = (rng.integers(0, n, n_rows) for n in (3, 4, 2))
    odd = (c + d) % 2
    b = np.where(rng.random(n_rows) < 0.9, odd, 1 - odd)
    codes = np.stack([a, b, c, d], 1).astype(np.int32)
    return codes, rng.random(codes.shape) >= missing


def trees(settings=ABOUT, rounds=12, n_rows=600):
    codes, seen = rows_of(n_rows, 0)
    learner = BoostLearner(LAYOUT, codes, seen, settings, 0)
    for _ in range(rounds):
        learner.step(codes, seen, 0.0)
    return learner


def ground():
    codes, seen = rows_of(600, 0)
    learner = LEARNERS["independent"](LAYOUT, codes, seen, {}, 0)
    learner.step(codes, seen, 0.0)
    return learner.model()


def test_trees_about_a_column_are_of_it_alone_and_hear_what_is_given():
    model = trees().model()
    assert model.order.tolist() == [0, 2, 3, 1]
    assert (model.arrays["tests"][:, :3] == -1).all()
    assert (model.arrays["tests"][:, 3] >= 0).any()
    _, arrays = model.state()
    assert arrays["grown"].tolist() == [3, 4]
    assert arrays["tests"].shape[1] == arrays["values"].shape[1] == 1
    some = trees(BoostSettings(depth=2, rate=0.5, about=1, given=(3,))).model()
    assert some.order.tolist() == [3, 1, 0, 2]
    codes, _ = rows_of(200, 3)
    asked = np.ones(codes.shape, bool)
    asked[:, 1] = False
    other = codes.copy()
    other[:, [0, 2]] = 0
    heard = (some.column(Evidence(c, asked), 1) for c in (codes, other))
    assert np.array_equal(*heard)


def test_a_stopped_run_of_trees_about_a_column_goes_on_with_the_same():
    whole, first, again = trees(rounds=6), trees(rounds=4), trees(rounds=0)
    again.load_state(first.state())
    for _ in range(2):
        again.step(None, None, 0.0)
    for name, array in whole.state().items():
        np.testing.assert_allclose(array, again.state()[name], atol=1e-6)


def good_and_poor():
    good, poor = trees().model(), trees(rounds=1, n_rows=40).model()
    experts = [Expert(m, 1, 1.0, 3) for m in (poor, good)]
    codes, seen = rows_of(800, 7)
    return experts, codes, seen


def weights_are_the_best_for_the_question():
    experts, codes, seen = good_and_poor()
    base = ground()
    found = pooling.weigh(base, experts, codes, seen)
    asked = seen.copy()
    asked[:, 1] = False
    rows = np.flatnonzero(seen[:, 1])
    evidence = Evidence(codes, asked).rows(rows)

    def level(weights):
        pool = Pool(base, [Expert(e.model, 1, w, 3) for e, w in zip(experts, weights, strict=True)])
        logs = pool.conditional(evidence)[:, LAYOUT.slices[1]]
        return logs[np.arange(len(rows)), codes[rows, 1]].mean()

    grid = [(i / 20, j / 20) for i in range(21) for j in range(21 - i)]
    best = max(level(w) for w in grid)
    assert level(found) > best - 0.004  # a pseudo-count and a price of .0005 pull a little
    assert found[1] > 0.7


def test_weights_are_those_that_a_grid_finds_for_the_question():
    weights_are_the_best_for_the_question()


def test_the_grid_notices_weights_of_another_question(monkeypatch):
    right = "codes[rows, expert.column]"
    plant(monkeypatch, "anypart.optim.pooling", right, "1 - codes[rows, expert.column]")
    with pytest.raises(AssertionError, match="assert"):
        weights_are_the_best_for_the_question()


def test_a_column_that_no_row_has_is_shared_evenly():
    experts, codes, seen = good_and_poor()
    seen[:, 1] = False
    assert pooling.weigh(ground(), experts, codes, seen) == [1 / 3, 1 / 3]
