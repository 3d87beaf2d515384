"""Calibration beside brute force and simulation, and bugs that the comparison catches."""

from __future__ import annotations

import numpy as np
import pytest
from tests.models.planting import plant

from anypart.scores import calibration

MODULE = "anypart.scores.calibration"


def right(n, seed):
    """Confidences, and hits that they state rightly."""
    rng = np.random.default_rng(seed)
    stated = rng.uniform(0.3, 1.0, n)
    return stated, rng.random(n) < stated


def by_hand(stated, met):
    pairs = sorted(zip(stated.tolist(), met.tolist(), strict=True))
    size, error = len(pairs) // 10, 0.0
    for k in range(10):
        part = pairs[k * size : (k + 1) * size]
        error += abs(sum(s for s, _ in part) - sum(m for _, m in part)) / len(pairs)
    return error


def check_error():
    stated, met = right(2_000, 0)
    found = calibration.reliability(stated, met, 0)
    assert found.error == pytest.approx(by_hand(stated, met))
    assert found.cells == sum(b.cells for b in found.bins) == 2_000


def check_perfect():
    """The simulated predictor's error is what right predictors have, on average."""
    stated, _ = right(500, 1)
    rng = np.random.default_rng(2)
    errors = [by_hand(stated, rng.random(500) < stated) for _ in range(400)]
    found = calibration.reliability(stated, right(500, 1)[1], 0)
    # Means of 200 and of 400 errors, each with a spread of about a quarter of the mean.
    spread = np.std(errors)
    assert found.perfect == pytest.approx(np.mean(errors), abs=5 * spread / 200**0.5)
    assert found.perfect_most == pytest.approx(np.quantile(errors, 0.95), abs=spread)


def check_depth():
    """Depths are uniform if truths come from the stated probabilities, ties and all."""
    rng = np.random.default_rng(3)
    probs = np.array([[0.4, 0.2, 0.2, 0.2], [0.1, 0.5, 0.4, 0.0]])[rng.integers(0, 2, 40_000)]
    truth = (rng.random((40_000, 1)) > probs.cumsum(axis=1)).sum(axis=1)
    found = calibration.depth(probs, truth, rng.random(40_000))
    for level in calibration.LEVELS:
        one = calibration.coverage(found, level)
        assert abs(one.met - level) < 4 * one.error


CHECKS = [check_error, check_perfect, check_depth]


@pytest.mark.parametrize("check", CHECKS)
def test_calibration_agrees_with_brute_force(check):
    check()


@pytest.mark.parametrize(
    ("right_line", "wrong_line", "check"),
    [
        ('np.argsort(stated, kind="stable")', "np.arange(len(stated))", check_error),
        ("rng.random(len(stated)) < stated", "rng.random(len(stated)) < 0.5", check_perfect),
        ("+ u * own[:, 0]", "+ own[:, 0]", check_depth),
        ("((probs == own) & before)", "((probs == own) & (probs < 0))", check_depth),
    ],
)
def test_planted_bugs_are_caught(monkeypatch, right_line, wrong_line, check):
    plant(monkeypatch, MODULE, right_line, wrong_line)
    with pytest.raises(AssertionError):
        check()


def test_a_bin_says_where_a_right_predictor_would_lie():
    stated, met = right(5_000, 4)
    found = calibration.reliability(stated, met, 0)
    inside = [b.low <= b.met <= b.high for b in found.bins]
    assert sum(inside) >= 8  # of ten that each are inside 95 times of 100
    wrong = calibration.reliability(stated, np.ones(5_000, bool), 0)
    assert wrong.error > wrong.perfect_most + 0.2
    assert not any(b.low <= b.met <= b.high for b in wrong.bins[:5])
