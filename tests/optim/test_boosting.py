"""Boosting: trees equal to brute force, likelihood that rises, gaps, the same bits again."""

import numpy as np
import pytest
from tests.models.laws import table_of
from tests.models.planting import plant

from anypart.models.contract import Evidence, Layout
from anypart.optim.boosting import LONGEST, BoostLearner, BoostSettings

LAYOUT = Layout((2, 4, 1, 3, 2))
GIVEN = BoostSettings(order="given", depth=3, rate=0.5, ridge=1.0, least=1.0, share=1.0, asked=1.0)


def rows_of(n_rows=400, seed=0, missing=0.1):
    """The last column is the exclusive or of the first two, read as odd or even."""
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 2, n_rows), rng.integers(0, 4, n_rows)
    c = np.minimum(b, 2)
    d = np.where(rng.random(n_rows) < 0.95, (a + b) % 2, a)
    codes = np.stack([a, b, 0 * a, c, d], 1).astype(np.int32)
    return codes, rng.random(codes.shape) >= missing


def boost(rounds, settings=GIVEN, missing=0.1, seed=0):
    codes, seen = rows_of(missing=missing)
    learner = BoostLearner(LAYOUT, codes, seen, settings, seed)
    for _ in range(rounds):
        learner.step(codes, seen, 0.0)
    return learner


def best_first_question(g, h, earlier, ridge=1.0):
    """Try every question about every earlier place, one at a time."""
    best = (-1, (g.sum() ** 2 / (h.sum() + ridge)) * 1.0001)
    for question, yes in earlier:
        if min(h[yes].sum(), h[~yes].sum()) < 1:
            continue
        gain = sum(g[s].sum() ** 2 / (h[s].sum() + ridge) for s in (yes, ~yes))
        if gain > best[1]:
            best = (question, gain)
    return best[0]


def first_questions_are_those_of_brute_force():
    codes, _ = rows_of(missing=0.0)
    tests = boost(1, missing=0.0).model().arrays["tests"][0]
    places = boost(0).model().places
    answers = []  # (column, question, which rows say yes)
    for col, (size, place) in enumerate(zip(places.sizes, places.slices, strict=True)):
        for k in range(size):
            yes = codes[:, col] == (k if size > 1 else 1)
            answers.append((col, place.start + k, yes))
            if k < size - 1:
                answers.append((col, places.total + place.start + k, codes[:, col] <= k))
    share = (codes[:, 4].sum() + 0.5) / (len(codes) + 1)
    g, h = share - codes[:, 4], np.full(len(codes), share * (1 - share))
    earlier = [(q, yes) for c, q, yes in sorted(answers, key=lambda a: a[1]) if c < 4]
    assert tests[4, 0] == best_first_question(g, h, earlier)


def leaves_hold_the_best_step():
    codes, _ = rows_of(missing=0.0)
    learner = boost(1, missing=0.0)
    model = learner.model()
    place = model.places.slices[4].start
    share = (codes[:, 4].sum() + 0.5) / (len(codes) + 1)
    # Rows of one leaf share their first two columns here, so the leaf is found by them.
    logits = model._logits(model.places.encode(codes, codes >= 0, model.means))[:, place]
    start = np.log(share / (1 - share))
    for value in np.unique(logits):
        rows = logits == value
        g, h = (share - codes[rows, 4]).sum(), share * (1 - share) * rows.sum()
        assert value - start == pytest.approx(-0.5 * g / (h + 1), abs=1e-4)


def steps_of_certain_rare_values_are_bounded():
    """Where one row in 400 says yes and a question tells which, Newton's step is 400 long."""
    codes = np.zeros((2_000, 2), np.int32)
    codes[::400] = 1
    settings = BoostSettings(order="given", depth=1, rate=0.5, ridge=1e-3, least=1e-3, asked=1.0)
    learner = BoostLearner(Layout((2, 2)), codes, codes >= 0, settings, 0)
    learner.step(codes, codes >= 0, 0.0)
    values = learner.model().arrays["values"]
    assert values.max() == pytest.approx(settings.rate * LONGEST)


def test_steps_of_certain_rare_values_are_bounded():
    steps_of_certain_rare_values_are_bounded()


def test_first_questions_are_those_of_brute_force():
    first_questions_are_those_of_brute_force()


def test_leaves_hold_the_best_step():
    leaves_hold_the_best_step()


@pytest.mark.parametrize(
    ("law", "right", "wrong"),
    [
        (first_questions_are_those_of_brute_force, "totals[:, None] - sums", "-sums"),
        (
            leaves_hold_the_best_step,
            "totals - yes_totals, yes_totals",
            "yes_totals, totals - yes_totals",
        ),
        (steps_of_certain_rare_values_are_bounded, "np.clip(steps, -LONGEST, LONGEST)", "steps"),
    ],
)
def test_a_planted_bug_breaks_the_law(law, right, wrong, monkeypatch):
    plant(monkeypatch, "anypart.optim.boosting", right, wrong)
    with pytest.raises(AssertionError, match="assert"):
        law()


def test_exclusive_or_is_learned_where_logistic_regression_cannot():
    model = boost(30).model()
    codes, seen = rows_of(seed=5, missing=0.0)
    with_it = model.log_prob(Evidence(codes, seen)).mean()
    seen[:, 4] = False
    assert with_it - model.log_prob(Evidence(codes, seen)).mean() > -0.35  # ln 2 = .69 by chance
    assert table_of(model).sum() == pytest.approx(1, abs=1e-5)


def test_likelihood_rises_with_every_full_round():
    codes, seen = rows_of()
    learner = boost(0)
    found = [learner.step(codes, seen, 0.0) for _ in range(12)]
    assert (np.diff(found) > 0).all()
    exact = boost(11).model().log_prob(Evidence(codes, seen)).mean()
    assert found[11] == pytest.approx(exact, abs=1e-4)


def test_a_stopped_run_goes_on_with_the_same_trees():
    settings = BoostSettings(order="random", share=0.5)
    whole, first, again = (boost(n, settings, seed=4) for n in (9, 5, 0))
    again.load_state(first.state())
    for _ in range(4):
        again.step(None, None, 0.0)
    for name, array in whole.state().items():
        np.testing.assert_allclose(array, again.state()[name], atol=1e-6)


def test_a_cell_that_is_not_seen_teaches_nothing_about_its_column():
    codes, seen = rows_of()
    seen[:, 4] = False
    learner = BoostLearner(LAYOUT, codes, seen, GIVEN, 0)
    learner.step(codes, seen, 0.0)
    place = learner.model().places.slices[4]
    assert (learner.model().arrays["values"][:, place] == 0).all()
    assert (learner.model().arrays["tests"][:, 4] == -1).all()


def test_shapes_of_trees():
    arrays = boost(3, BoostSettings(order="given", depth=4)).model().arrays
    assert arrays["tests"].shape == (3, 5, 15)
    assert arrays["values"].shape == (3, 9, 16)


FOR_ONE = BoostSettings(
    order="given", depth=2, rate=0.5, ridge=1.0, question={"asked": [1, 3], "given": [4, 0]}
)


def test_trees_for_a_question_are_of_what_is_asked_and_hear_what_is_given():
    model = boost(8, FOR_ONE).model()
    assert model.order.tolist() == [0, 4, 1, 3, 2]
    grown = (model.arrays["tests"] >= 0).any(axis=(0, 2))
    assert grown.tolist() == [False, False, True, True, False]
    _, arrays = model.state()
    assert arrays["grown"].tolist() == [2, 4]
    assert arrays["tests"].shape[1] == 2


def test_a_stopped_run_of_trees_for_a_question_goes_on_with_the_same():
    whole, first, again = boost(6, FOR_ONE), boost(4, FOR_ONE), boost(0, FOR_ONE)
    again.load_state(first.state())
    for _ in range(2):
        again.step(None, None, 0.0)
    for name, array in whole.state().items():
        np.testing.assert_allclose(array, again.state()[name], atol=1e-6)
