"""The best choice beside every choice there is, over every outcome there is."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.planted import planted

from anypart.base.errors import QuestionError
from anypart.calculus.smoothing import decisions
from anypart.calculus.smoothing.decisions import best_f_beta, least_cost


def expected_f(p, chosen, beta):
    total = 0.0
    for truth in itertools.product([0, 1], repeat=len(p)):
        chance = math.prod(q if y else 1 - q for q, y in zip(p, truth, strict=True))
        hits = sum(c and y for c, y in zip(chosen, truth, strict=True))
        below = sum(chosen) + beta**2 * sum(truth)
        total += chance * ((1 + beta**2) * hits / below if below else 0.0)
    return total


def no_choice_is_better(module, p, beta):
    found = module.best_f_beta(np.array(p), beta)
    assert found.exact
    best = max(expected_f(p, c, beta) for c in itertools.product([0, 1], repeat=len(p)))
    assert found.value == pytest.approx(best, abs=1e-10)
    assert expected_f(p, found.chosen.astype(int), beta) == pytest.approx(best, abs=1e-10)


CHANCES = st.lists(st.floats(0, 1) | st.sampled_from([0.0, 1.0, 0.5]), min_size=1, max_size=6)


@settings(max_examples=80, deadline=None)
@given(CHANCES, st.sampled_from([0.5, 1.0, 1.3, 2.0]))
def test_no_choice_has_a_higher_expected_f(p, beta):
    no_choice_is_better(decisions, p, beta)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("1 / (k + b2 * sizes)", "1 / (k + sizes)"),
        ("hits = np.arange(len(head)) + start", "hits = np.arange(len(head))"),
        ("order = np.argsort(-p", "order = np.argsort(p"),
        ("zip(range(n, 0, -1), _growing(p[::-1])", "zip(range(n, 0, -1), _growing(p)"),
    ],
)
def test_the_law_notices_a_bug(right, wrong):
    broken = planted(decisions, right, wrong)
    rng = np.random.default_rng(0)
    with pytest.raises(AssertionError, match="assert"):  # noqa: PT012 - any of the cases
        for _ in range(10):
            no_choice_is_better(broken, [1.0, *rng.random(4).tolist()], 2.0)


def test_many_rows_are_weighed_as_a_simulation_says():
    rng = np.random.default_rng(1)
    p = rng.beta(0.4, 2, 800)
    found = best_f_beta(p)
    truth = rng.random((4000, 800)) < p
    hits = (truth & found.chosen).sum(1)
    f = 2 * hits / (found.chosen.sum() + truth.sum(1))
    # 4 standard errors
    assert abs(f.mean() - found.value) < 4 * f.std() / math.sqrt(4000)


def test_the_expansion_nears_the_exact_value_and_says_that_it_is_one(monkeypatch):
    p = np.random.default_rng(2).beta(0.3, 2, 1500)
    exact = best_f_beta(p, 2.0)
    monkeypatch.setattr(decisions, "EXACT_ROWS", 1000)
    near = best_f_beta(p, 2.0)
    assert exact.exact
    assert not near.exact
    assert near.value == pytest.approx(exact.value, abs=5e-6)
    assert abs(int(near.chosen.sum()) - int(exact.chosen.sum())) <= 1


def test_the_threshold_is_about_half_the_f_that_is_reached():
    p = np.random.default_rng(3).beta(0.5, 2, 2000)
    found = best_f_beta(p)
    assert p[found.chosen].min() == pytest.approx(found.value / 2, abs=0.01)


@pytest.mark.parametrize("p", [[], [0.0, 0.0], [1.0], [0.0]])
def test_extreme_chances_have_a_choice(p):
    found = best_f_beta(np.array(p))
    assert found.value == pytest.approx(1.0 if 1.0 in p else 0.0)
    assert found.chosen.tolist() == [q == 1.0 for q in p]


def test_the_least_cost_is_that_of_every_decision():
    rng = np.random.default_rng(4)
    chances, costs = rng.dirichlet(np.ones(3), 50), rng.normal(size=(4, 3))
    best, expected = least_cost(chances, costs)
    for row, b, e in zip(chances, best, expected, strict=True):
        each = [sum(c * q for c, q in zip(line, row, strict=True)) for line in costs]
        assert e == pytest.approx(min(each))
        assert each[b] == pytest.approx(min(each))


def test_what_is_no_chance_is_refused():
    with pytest.raises(QuestionError, match="between 0 and 1"):
        best_f_beta(np.array([0.2, 1.2]))
    with pytest.raises(QuestionError, match="between 0 and 1"):
        best_f_beta(np.array([np.nan]))
    with pytest.raises(QuestionError, match="beta above 0"):
        best_f_beta(np.array([0.2]), 0.0)
