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


def expected_macro(p, labels, beta):
    """By every outcome; what is missing to 1 in a row is an outcome that is no label."""
    n_rows, n_labels = p.shape
    full = np.concatenate([p, 1 - p.sum(1, keepdims=True)], 1)
    total = np.zeros(n_labels)
    for truth in itertools.product(range(n_labels + 1), repeat=n_rows):
        chance = math.prod(full[i, t] for i, t in enumerate(truth))
        for c in range(n_labels):
            made, true = labels == c, np.array(truth) == c
            below = made.sum() + beta**2 * true.sum()
            total[c] += chance * ((1 + beta**2) * (made & true).sum() / below if below else 0)
    return total


def macro_values_are_expectations(module, seed, n_labels, beta=1.0, n_rows=5):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(n_labels + 1, 0.7), n_rows)
    p = (
        p[:, :n_labels]
        if seed % 2 and n_labels > 2
        else p[:, :n_labels] / p[:, :n_labels].sum(1, keepdims=True)
    )
    found = module.best_macro_f(p, beta)
    right = expected_macro(p, found.labels, beta)
    assert np.allclose(found.values, right, atol=1e-10)
    ways = itertools.product(range(n_labels), repeat=n_rows)
    best = max(expected_macro(p, np.array(w), beta).mean() for w in ways)
    if n_labels == 2:
        assert found.exact
        assert right.mean() == pytest.approx(best, abs=1e-10)
    else:
        assert not found.exact
        assert right.mean() > best - 0.03  # few rows: the expansion is coarse


@pytest.mark.parametrize("beta", [1.0, 2.0])
def test_of_two_labels_no_choice_has_a_higher_expected_macro_f(beta):
    for seed in range(6):
        macro_values_are_expectations(decisions, seed, 2, beta)


def test_of_more_labels_the_value_is_exact_and_the_choice_near_the_best():
    for seed in range(5):
        macro_values_are_expectations(decisions, seed, 3, n_rows=4)


@pytest.mark.parametrize(
    ("right", "wrong", "n_labels"),
    [
        ("weighed(p[ranked[::-1], 0], beta)[::-1]", "weighed(p[ranked[::-1], 0], beta)", 2),
        ("inverse @ misses", "inverse @ misses[::-1]", 3),
        ("labels[ranked[: int(both", "labels[ranked[int(both", 2),
    ],
)
def test_the_law_of_macro_f_notices_a_bug(right, wrong, n_labels):
    broken = planted(decisions, right, wrong)
    with pytest.raises(AssertionError, match="assert"):  # noqa: PT012 - any of the cases
        for seed in range(6):
            macro_values_are_expectations(broken, seed, n_labels, n_rows=4)


def single_changes(module, seed=10):
    """The level of the labels, and of the best of all single changes, each by itself."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet([2.0, 0.5, 0.2, 0.1], 120)
    found = module.best_macro_f(p).labels

    def level(labels):
        return sum(
            module._expand(np.r_[p[labels == c, c], p[labels != c, c]], 1.0)[(labels == c).sum()]
            for c in range(4)
        )

    rivals = []
    for row, label in itertools.product(range(0, 120, 3), range(4)):
        other = found.copy()
        other[row] = label
        rivals.append(level(other))
    return level(found), max(rivals), level(p.argmax(1))


def test_no_single_change_of_a_label_is_better():
    own, best, likeliest = single_changes(decisions)
    assert own >= best - 1e-9
    assert own > likeliest + 0.01


def test_a_wrong_gain_leaves_a_better_change():
    broken = planted(
        decisions, "gain = more + less[:, None]", "gain = 0 * more - 1 + less[:, None]"
    )
    own, best, _ = single_changes(broken)
    assert own < best - 1e-9


def test_macro_f_of_nothing_and_of_many_rows():
    assert len(decisions.best_macro_f(np.zeros((0, 3))).labels) == 0
    rng = np.random.default_rng(0)
    p = rng.dirichlet([1.0, 0.3], 12_000)
    many = decisions.best_macro_f(p)
    assert not many.exact
    assert many.values.mean() > expected_of_likeliest(p) - 1e-6
    with pytest.raises(QuestionError, match="sum to 1 at most"):
        decisions.best_macro_f(np.array([[0.9, 0.9]]))
    with pytest.raises(QuestionError, match="beta above 0"):
        decisions.best_macro_f(np.array([[0.9, 0.1]]), 0)


def expected_of_likeliest(p):
    labels = p.argmax(1)
    both = zip(range(2), (p[:, 0], p[:, 1]), strict=True)
    return np.mean([decisions._expected_f(q[labels == c], q[labels != c], 1.0) for c, q in both])
