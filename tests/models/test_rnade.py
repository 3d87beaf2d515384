"""RNADE on real numbers: a density that integrates to one, and the masses of its intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.models.one_order_makers import rnade
from tests.models.planting import plant

from anypart.models import rnade as shipped
from anypart.models.contract import Evidence
from anypart.models.rnade import MOST_LOG, masses, tail

N_CATS = (4, 3)
GRID = np.linspace(-60, 60, 2_401)


def model_of(seed=0):
    model = rnade(np.random.default_rng(seed), N_CATS)
    model.arrays["out_weight"] *= 0.4
    return model


def density_by_hand(model, row):
    """The textbook formula for one row, position by position, hidden layers anew."""
    arrays, total = model.arrays, 0.0
    values = [row[c] for c in model.order]
    for at, x in enumerate(values):
        before = arrays["bias"] + np.array(values[:at]) @ arrays["weight"][:at]
        hidden = np.maximum(arrays["scale"][at] * before, 0)
        logits, mean, log_deviation = (
            arrays["out_weight"][k, at] @ hidden + arrays["out_bias"][k, at] for k in range(3)
        )
        share = np.exp(logits) / np.exp(logits).sum()
        deviation = np.exp(np.clip(log_deviation, -MOST_LOG, MOST_LOG))
        normal = np.exp(-0.5 * ((x - mean) / deviation) ** 2) / deviation / math.sqrt(2 * math.pi)
        total += math.log((share * normal).sum())
    return total


def check_density():
    model = model_of()
    values = np.random.default_rng(1).normal(size=(20, 2))
    right = [density_by_hand(model, row) for row in values]
    np.testing.assert_allclose(model.log_density(values), right, rtol=1e-4)


def test_the_density_is_the_textbook_formula():
    check_density()


def test_the_density_integrates_to_one():
    first, second = np.meshgrid(GRID[::4], GRID, indexing="ij")
    logs = model_of().log_density(np.stack([first.ravel(), second.ravel()], axis=1))
    step = GRID[1] - GRID[0]
    assert np.exp(logs).sum() * step * step * 4 == pytest.approx(1, abs=2e-3)


def check_masses():
    """A code's probability is the integral of the density over its interval."""
    model = model_of()
    first = int(model.order[0])
    place = model.places.layout.slices[0]
    ends = np.concatenate([[-60.0], model.arrays["edges"][place][:-1], [60.0]])
    log_weight, mean, deviation = (a[0] for a in model._walk(1).mixture(0))
    seen = np.zeros((1, 2), bool)
    seen[:, first] = True
    for code in range(N_CATS[first]):
        codes = np.full((1, 2), code, np.int32)
        x = np.linspace(ends[code], ends[code + 1], 20_001)[:, None]
        normal = np.exp(-0.5 * ((x - mean) / deviation) ** 2) / deviation / math.sqrt(2 * math.pi)
        right = np.trapezoid((np.exp(log_weight) * normal).sum(axis=1), x[:, 0])
        found = math.exp(model.log_prob(Evidence(codes, seen))[0])
        assert found == pytest.approx(right, abs=1e-4)


def test_the_mass_of_a_code_is_the_integral_over_its_interval():
    check_masses()


@pytest.mark.parametrize(
    ("right", "wrong", "check"),
    [
        ("- np.log(deviation)", "+ np.log(deviation)", check_density),
        ("self._before += values[:, None]", "self._before -= values[:, None]", check_density),
        ("tail(-high) - tail(-low)", "tail(-high)", check_masses),
        ("[:-1].astype(np.float64)", "[1:].astype(np.float64)", check_masses),
    ],
)
def test_a_planted_bug_is_found(right, wrong, check, monkeypatch):
    plant(monkeypatch, "anypart.models.rnade", right, wrong)
    with pytest.raises((AssertionError, ValueError), match=r"^(?!.*times)"):
        check()


def test_values_that_are_drawn_follow_the_density():
    model, n = model_of(2), 40_000
    drawn = model.sample_values(n, np.random.default_rng(0))
    first = int(model.order[0])
    log_weight, mean, deviation = (a[0] for a in model._walk(1).mixture(0))
    weight = np.exp(log_weight)
    right = weight @ mean
    variance = weight @ (deviation**2 + mean**2) - right**2
    # 6 standard errors: one false alarm in about 10^9.
    assert abs(drawn[:, first].mean() - right) < 6 * math.sqrt(variance / n)
    for cut in (-1.0, 0.0, 1.0):
        share = weight @ (1 - tail((cut - mean) / deviation))
        found = (drawn[:, first] <= cut).mean()
        assert abs(found - share) < 6 * math.sqrt(share * (1 - share) / n) + 1e-9
    other = int(model.order[1])
    near = np.abs(drawn[:, first] - np.median(drawn[:, first])) < 0.02
    walk = model._walk(1)
    walk.add(0, np.array([np.median(drawn[:, first])], np.float32))
    log_weight, mean, _ = (a[0] for a in walk.mixture(1))
    spread = drawn[near, other].std() / math.sqrt(near.sum())
    assert abs(drawn[near, other].mean() - np.exp(log_weight) @ mean) < 6 * spread + 0.05


def test_tails_keep_their_digits():
    for x in (-3.0, 0.0, 0.5, 2.0, 6.0, 12.0, 25.0):
        right = 0.5 * math.erfc(x / math.sqrt(2))
        assert tail(np.array([x]))[0] == pytest.approx(right, rel=2e-7)


def test_masses_of_any_normal_sum_to_one():
    rng = np.random.default_rng(0)
    found = masses(np.linspace(-3, 3, 9), rng.normal(size=(20, 4)) * 5, rng.random((20, 4)) + 0.01)
    assert found.shape == (20, 4, 10)
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=2), 1, atol=1e-6)


def test_parameters_are_counted_without_what_is_given():
    model = model_of()
    n_cols, width, mixes = 2, 6, 3
    right = n_cols * width + width + n_cols + 3 * n_cols * mixes * (width + 1)
    assert model.n_parameters() == right
    assert shipped.FLOOR < 1e-6
