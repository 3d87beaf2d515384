from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anypart.scores import predictive
from anypart.scores.fidelity import ks_distance
from anypart.scores.predictive import Points, column_points


class TwoCells:
    """Code 0 is the atom 0.5, code 1 the interval [0, 1) around it, code 2 is [1, 3)."""

    def values_at(self, column_ix: int, codes: np.ndarray, u: np.ndarray) -> np.ndarray:
        return np.choose(codes, [np.full(len(u), 0.5), u, 1 + 2 * u])


def draw(probs: np.ndarray, n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    codes = rng.choice(3, n, p=probs)
    return TwoCells().values_at(0, codes, rng.random(n))


@pytest.mark.parametrize("level", [0.05, 0.3, 0.5, 0.62, 0.95])
def test_quantiles_are_those_of_many_draws(level: float) -> None:
    probs = np.array([0.2, 0.5, 0.3])
    found = column_points(TwoCells(), 0, 3).quantile(probs[None], level)[0]
    assert found == pytest.approx(np.quantile(draw(probs, 200_000, 0), level), abs=0.12)


def ranks(points: Points, stated: np.ndarray, x: np.ndarray) -> np.ndarray:
    u = np.random.default_rng(1).random(len(x))
    return points.rank(np.tile(stated, (len(x), 1)), x, u)


def test_ranks_are_uniform_if_the_probabilities_are_right() -> None:
    probs = np.array([0.4, 0.3, 0.3])
    found = ranks(column_points(TwoCells(), 0, 3), probs, draw(probs, 20_000, 0))
    uniform = np.random.default_rng(2).random(20_000)
    # Two samples of 20,000 differ by more than 0.02 once in 600 times.
    assert ks_distance(found, uniform) < 0.02


def test_ranks_are_not_uniform_if_the_probabilities_are_wrong() -> None:
    found = ranks(
        column_points(TwoCells(), 0, 3),
        np.array([0.4, 0.4, 0.2]),
        draw(np.array([0.4, 0.3, 0.3]), 20_000, 0),
    )
    assert ks_distance(found, np.random.default_rng(2).random(20_000)) > 0.05


def test_ranks_of_an_atom_need_the_random_part(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = predictive.Points.rank

    def without(self: Points, probs: np.ndarray, x: np.ndarray, u: np.ndarray) -> np.ndarray:
        return plain(self, probs, x, np.ones_like(u))

    monkeypatch.setattr(predictive.Points, "rank", without)
    probs = np.array([0.4, 0.3, 0.3])
    found = ranks(column_points(TwoCells(), 0, 3), probs, draw(probs, 20_000, 0))
    assert ks_distance(found, np.random.default_rng(2).random(20_000)) > 0.1


values = st.lists(st.integers(-5, 5), min_size=1, max_size=30)


@given(values, values)
def test_the_kolmogorov_smirnov_distance_is_the_largest_gap(a: list[int], b: list[int]) -> None:
    def below(xs: list[int], t: int) -> float:
        return sum(x <= t for x in xs) / len(xs)

    expected = max(abs(below(a, t) - below(b, t)) for t in range(-5, 6))
    assert ks_distance(np.array(a, float), np.array(b, float)) == pytest.approx(expected)
