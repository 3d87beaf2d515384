import itertools

import numpy as np
import pytest
from tests.models.planting import plant

from anypart.optim import stack_weights as shipped
from anypart.optim.stack_weights import mixture_log_prob, stack_weights


def log_probs(n_rows=400, n_members=3, seed=0):
    return np.log(np.random.default_rng(seed).gamma(0.5, size=(n_rows, n_members)) + 1e-9)


def objective(weights, logs):
    mixture = np.log(np.exp(logs) @ weights).sum()
    with np.errstate(divide="ignore"):
        return mixture + np.log(weights).sum()


def grid_best(logs, n=60):
    """Try every weight on a grid: slow and obvious."""
    grid = [
        np.array([i, j, n - i - j]) / n for i in range(1, n) for j in range(1, n - i) if i + j < n
    ]
    return max(objective(w, logs) for w in grid)


def test_no_weights_on_a_grid_are_better():
    logs = log_probs()
    assert objective(stack_weights(logs), logs) >= grid_best(logs) - 1e-6


def test_the_grid_law_bites(monkeypatch):
    logs = log_probs()
    logs[:, 0] += 1
    monkeypatch.setattr(shipped, "_em", lambda logs, _: np.full(logs.shape[1], 1 / logs.shape[1]))
    assert objective(stack_weights(logs), logs) < grid_best(logs) - 1


def test_weights_are_a_distribution():
    weights = stack_weights(log_probs(50, 6))
    assert weights.sum() == pytest.approx(1)
    assert np.all(weights >= 0)


def test_of_near_twins_one_is_kept_and_who_adds_much_stays():
    """Every pair of members is tried: slow and obvious."""
    rng = np.random.default_rng(3)
    two = np.log(rng.gamma(2.0, size=(2_000, 2)))
    logs = np.concatenate([two, two + rng.normal(0, 0.01, two.shape)], axis=1)

    def value(kept):
        part = logs[:, list(kept)]
        return mixture_log_prob(part, shipped._em(part, 2_000)).mean()

    kept = np.flatnonzero(stack_weights(logs))
    assert sorted(kept % 2) == [0, 1]
    assert value(kept) > max(value(pair) for pair in itertools.combinations(range(4), 2)) - 0.01
    assert value(kept) > value(range(4)) - 0.01


def test_the_law_of_near_twins_bites(monkeypatch):
    plant(monkeypatch, shipped.__name__, "<= prices[i]]", "> prices[i]]")
    with pytest.raises(AssertionError, match="assert"):
        test_of_near_twins_one_is_kept_and_who_adds_much_stays()


def test_of_twins_the_cheap_one_is_kept_and_a_costly_one_that_is_missed():
    rng = np.random.default_rng(4)
    one, other = np.log(rng.gamma(2.0, size=(2, 2_000)))
    logs = np.stack([one, one, other], axis=1)
    assert np.flatnonzero(stack_weights(logs, costs=(9.0, 1.0, 99.0))).tolist() == [1, 2]
    assert np.flatnonzero(stack_weights(logs, costs=(1.0, 9.0, 99.0))).tolist() == [0, 2]


def test_the_law_of_costs_bites(monkeypatch):
    plant(monkeypatch, shipped.__name__, "(-paid[i] if", "(paid[i] if")
    with pytest.raises(AssertionError):
        test_of_twins_the_cheap_one_is_kept_and_a_costly_one_that_is_missed()


def test_a_costly_member_must_add_more():
    logs = np.zeros((4_000, 2))
    logs[:, 1] = -3
    logs[::20, 1] = 3.5  # worth .013 nats per row to the mixture
    for costs, kept in (((1.0, 1.0), [0]), ((1.0, 99.0), [0]), ((99.0, 1.0), [0, 1])):
        assert np.flatnonzero(shipped.stack_weights(logs, costs=costs)).tolist() == kept


def test_rows_of_few_nats_keep_who_adds_little():
    logs = np.zeros((4_000, 2))
    logs[:, 1] = -3
    logs[::20, 1] = 3.5  # worth .013 nats per row to the mixture
    for nats, kept in ((-6.0, [0, 1]), (-60.0, [0])):
        least = shipped.least_gain_of(logs + nats)
        found = shipped.stack_weights(logs + nats, least_gain=least)
        assert np.flatnonzero(found).tolist() == kept


def test_the_law_of_few_nats_bites(monkeypatch):
    plant(monkeypatch, shipped.__name__, "LEAST_SHARE * abs(", "4 * LEAST_SHARE * abs(")
    with pytest.raises(AssertionError):
        test_rows_of_few_nats_keep_who_adds_little()


def test_the_law_of_prices_bites(monkeypatch):
    plant(monkeypatch, shipped.__name__, "np.minimum(paid /", "np.minimum(50 * paid /")
    with pytest.raises(AssertionError):
        test_a_costly_member_must_add_more()


def test_a_member_that_alone_explains_a_row_is_kept():
    logs = np.zeros((500, 2))
    logs[:, 1] -= 3
    logs[7, 0] = -np.inf
    assert stack_weights(logs).min() > 0


def test_a_useless_member_is_dropped():
    logs = log_probs(2_000)
    logs[:, 1] -= 50
    weights = stack_weights(logs)
    assert weights[1] == 0
    assert weights.sum() == pytest.approx(1)


def test_few_rows_do_not_silence_a_member_that_is_as_good():
    logs = np.random.default_rng(0).normal(size=(12, 2))
    logs -= logs.mean(axis=0)
    assert stack_weights(logs).min() > 0.2


def test_many_twins_leave_one_at_least():
    weights = stack_weights(np.zeros((500, 40)))
    assert weights.sum() == pytest.approx(1)


def test_rows_that_all_members_exclude_are_survived():
    logs = log_probs(100)
    logs[0] = -np.inf
    logs[1, 0] = -np.inf
    assert stack_weights(logs).sum() == pytest.approx(1)


def test_mixture_is_the_weighted_sum():
    logs = log_probs(20)
    weights = np.array([0.2, 0.8, 0.0])
    np.testing.assert_allclose(
        mixture_log_prob(logs, weights), np.log(np.exp(logs) @ weights), rtol=1e-12
    )
