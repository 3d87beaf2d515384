"""Logistic autoregression is trained to its optimum; what it can learn and what it cannot."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from tests.models.planting import plant

from anypart.models.contract import Evidence, Layout
from anypart.models.places import Places
from anypart.optim.logistic import Regressions
from anypart.optim.logistic_path import PathLearner, PathSettings

N_CATS = (2, 3, 2, 4, 1, 2)
LAYOUT = Layout(N_CATS)


def table(n_rows=300, seed=0, gaps=0.0):
    """Each column leans on the sum of the ones before."""
    rng = np.random.default_rng(seed)
    codes = np.zeros((n_rows, len(N_CATS)), np.int32)
    for col, n_cats in enumerate(N_CATS):
        lean = codes[:, :col].sum(axis=1) + rng.integers(0, 2, n_rows)
        noise = rng.integers(0, n_cats, n_rows)
        codes[:, col] = np.where(rng.random(n_rows) < 0.7, lean % n_cats, noise)
    return codes, rng.random(codes.shape) >= gaps


def learner(steps, gaps=0.0, **settings):
    codes, seen = table(gaps=gaps)
    chosen = PathSettings(**{"points": 6, "passes": 200, "crossed": False} | settings)
    made = PathLearner(LAYOUT, codes, seen, chosen, 0)
    for _ in range(steps):
        made.step(codes[:1], seen[:1], 0.0)
    return made


def objective(theta, codes, seen, means, penalty):
    """The penalised loss of each column, cell by cell, in the open."""
    places = Places(LAYOUT)
    total = np.zeros(len(N_CATS))
    for row, there in zip(codes, seen, strict=True):
        x = places.encode(row[None], there[None], means)[0] - means
        for col, place in enumerate(places.slices):
            if not there[col] or N_CATS[col] == 1:
                continue
            earlier = slice(0, place.start)
            logits = theta[0, place] + x[earlier] @ theta[1:][earlier, place]
            logits = np.array([0.0, logits[0]]) if N_CATS[col] == 2 else logits
            total[col] -= logits[row[col]] - np.log(np.exp(logits).sum())
    for col, place in enumerate(places.slices):
        total[col] += 0.5 * penalty * (theta[1:, place] ** 2).sum()
    return total


def check_objective():
    rng = np.random.default_rng(0)
    codes, seen = table(30, gaps=0.2)
    places = Places(LAYOUT)
    means = places.margins(codes, seen)
    theta = rng.normal(size=(1 + places.total, places.total)) * 0.5
    theta[1:][~places.before] = 0
    rows = Regressions(places, codes, seen, means)
    look = rows.look(theta.astype(np.float32), np.full(places.total, 0.7, np.float32))
    right = objective(theta, codes, seen, means, 0.7)
    np.testing.assert_allclose(look.loss, right[np.array(N_CATS) > 1], rtol=1e-4)
    for _ in range(40):
        i, j = rng.integers(theta.shape[0]), rng.integers(theta.shape[1])
        if i and not places.before[i - 1, j]:
            assert look.gradient[i, j] == 0
            continue
        up, down = theta.copy(), theta.copy()
        up[i, j] += 1e-4
        down[i, j] -= 1e-4
        rise = objective(up, codes, seen, means, 0.7) - objective(down, codes, seen, means, 0.7)
        np.testing.assert_allclose(look.gradient[i, j], rise.sum() / 2e-4, rtol=1e-3, atol=2e-3)


def test_objective_and_gradient_agree_with_finite_differences():
    check_objective()


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("gradient[1:] -= self.means[:, None] * gradient[0]", "pass"),
        ("nats = np.maximum(logits, 0)", "nats = np.minimum(logits, 0)"),
        ("residual = p - x", "residual = p - 0.9 * x"),
        ("part *= mask", "part *= 1"),
        ("0.5 * penalty", "penalty"),
    ],
)
def test_a_planted_bug_in_the_objective_is_found(right, wrong, monkeypatch):
    plant(monkeypatch, "anypart.optim.logistic", right, wrong)
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        check_objective()


@pytest.mark.parametrize("gaps", [0.0, 0.3])
def test_every_point_of_the_path_is_an_optimum(gaps, monkeypatch):
    monkeypatch.setattr("anypart.optim.logistic.ENOUGH", 1e-7)
    made = learner(0, gaps, order="given")
    for point in range(6):
        made.step(*table(1), 0.0)
        look = made._rows.look(
            made._theta, np.float32(made._settings.penalty(point)) * made._multiple
        )
        assert np.abs(look.gradient).max() < 0.02 * len(table()[0]) ** 0.5


def test_the_likelihood_of_the_training_rows_rises_along_the_path():
    codes, seen = table()
    made, logs = learner(0), []
    for _ in range(6):
        made.step(codes, seen, 0.0)
        logs.append(made.model().log_prob(Evidence(codes, seen)).mean())
    assert all(after >= before - 1e-4 for before, after in itertools.pairwise(logs))
    assert logs[-1] > logs[0] + 0.1


def test_the_start_is_the_independent_model():
    codes, seen = table(gaps=0.2)
    start = learner(0, 0.2).model()
    shares = []
    for col, n_cats in enumerate(N_CATS):
        counts = np.bincount(codes[seen[:, col], col], minlength=n_cats) + 0.5
        shares.append(np.log(counts / counts.sum()))
    right = [sum(shares[c][row[c]] for c in range(len(N_CATS))) for row in codes[:20]]
    found = start.log_prob(Evidence(codes[:20], np.ones((20, len(N_CATS)), bool)))
    np.testing.assert_allclose(found, right, rtol=1e-4)


def test_a_column_of_noise_is_penalised_more_than_one_that_follows():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 2, (400, 6)).astype(np.int32)
    codes[:, 5] = codes[:, 0] ^ (rng.random(400) < 0.02)
    seen = np.ones(codes.shape, bool)
    made = PathLearner(Layout((2,) * 6), codes, seen, PathSettings(order="given"), 0)
    made.step(codes, seen, 0.0)
    assert made._multiple[5] < made._multiple[4]


def exclusive_or():
    codes = np.array(list(itertools.product((0, 1), repeat=2)), np.int32)
    codes = np.concatenate([codes, codes[:, :1] ^ codes[:, 1:]], axis=1)
    return np.tile(codes, (50, 1)), np.ones((200, 3), bool)


def test_it_cannot_learn_the_exclusive_or():
    codes, seen = exclusive_or()
    made = PathLearner(Layout((2, 2, 2)), codes, seen, PathSettings(order="given"), 0)
    for _ in range(25):
        made.step(codes, seen, 0.0)
    # The best logistic regression of the third on the first two is a coin.
    found = made.model().log_prob(Evidence(codes, seen)).mean()
    assert found == pytest.approx(-3 * np.log(2), abs=1e-3)


def test_it_learns_what_is_linear():
    codes, seen = exclusive_or()
    codes[:, 2] = codes[:, 0] & codes[:, 1]
    made = PathLearner(Layout((2, 2, 2)), codes, seen, PathSettings(order="given"), 0)
    for _ in range(25):
        made.step(codes, seen, 0.0)
    assert made.model().log_prob(Evidence(codes, seen)).mean() > -2 * np.log(2) - 0.02


def test_going_on_from_a_state_gives_the_same_bits():
    straight, first, second = (learner(n, crossed=True) for n in (5, 2, 0))
    second.load_state(first.state())
    for _ in range(3):
        second.step(*table(1), 0.0)
    one, two = straight.state(), second.state()
    assert one.keys() == two.keys()
    assert all(np.array_equal(one[k], two[k]) for k in one)


def test_a_snapshot_does_not_move_with_later_steps():
    made = learner(2)
    model, rows = made.model(), Evidence(*table())
    before = model.log_prob(rows)
    made.step(*table(1), 0.0)
    assert np.array_equal(before, model.log_prob(rows))


def test_columns_of_one_category_alone_have_nothing_to_learn():
    codes, seen = np.zeros((5, 2), np.int32), np.ones((5, 2), bool)
    made = PathLearner(Layout((1, 1)), codes, seen, PathSettings(), 0)
    assert made.step(codes, seen, 0.0) == 0.0
    assert np.array_equal(made.model().log_prob(Evidence(codes, seen)), np.zeros(5))
