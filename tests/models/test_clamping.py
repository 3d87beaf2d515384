"""Rows drawn with seen cells clamped: they meet the event, and their density is the one told."""

from __future__ import annotations

import numpy as np
import pytest
from tests.models import oracle
from tests.models.laws import chi_square_bound, random_evidence
from tests.models.one_order_makers import MANY_ORDERS, ONE_ORDER
from tests.models.planting import plant
from tests.models.test_order_agnostic import wild

from anypart.models.contract import Clamping, Evidence

MAKERS = {**ONE_ORDER, **MANY_ORDERS, "order_agnostic": lambda rng: wild()}

DRAWS = 3_000


def check(name):
    """Over all rows of an event the density sums to 1, and draws follow it."""
    rng = np.random.default_rng(0)
    model = MAKERS[name](rng)
    for _ in range(4):
        evidence = random_evidence(model, rng)
        for row in np.flatnonzero(~evidence.seen.all(axis=1))[:3]:
            check_event(model, evidence.rows(np.array([row])), rng)


def check_event(model, one, rng):
    n_cats, rows = model.layout.n_cats, oracle.all_rows(model.layout.n_cats)
    weights = {c: np.asarray(w)[0] for c, w in one.weights.items()}
    possible = oracle.likelihood(n_cats, one.codes[0], one.seen[0], weights).ravel() > 0
    total, density = model.score_clamped(rows, one.rows(np.zeros(len(rows), int)))
    whole = Evidence(rows, np.ones(rows.shape, bool))
    np.testing.assert_allclose(total, model.log_prob(whole), atol=1e-4)
    right = np.where(possible, np.exp(density), 0)
    np.testing.assert_allclose(right.sum(), 1, atol=1e-5)
    drawn = model.draw_clamped(one.rows(np.zeros(DRAWS, int)), rng)
    counts = np.bincount(np.ravel_multi_index(drawn.T, n_cats), minlength=len(rows))
    assert counts[~possible].sum() == 0
    often = right * DRAWS > 5
    expected = right[often] * DRAWS
    assert ((counts[often] - expected) ** 2 / expected).sum() < chi_square_bound(len(expected))


@pytest.mark.parametrize("name", MAKERS)
def test_draws_have_the_density_that_is_told(name):
    assert isinstance(MAKERS[name](np.random.default_rng(0)), Clamping)
    check(name)


BUGS = [
    ("one_order", "free = ~evidence.seen[block]", "free = evidence.seen[block]", "fvsbn"),
    ("one_order", "log_softmax(logs + weights[col]", "log_softmax(logs + 0 * weights[col]",
        "fvsbn"),
    ("places", "own - np.logaddexp", "0 * own - np.logaddexp", "fvsbn"),
    ("many_orders", "chosen == number", "chosen <= number", "made"),
    ("order_agnostic", "log_softmax(logs + (given", "log_softmax(logs + 0 * (given",
        "order_agnostic"),
    ("order_agnostic", "sums = self._sums(self._tokens(some, seen))",
        "sums = self._sums(self._tokens(some, seen & False))", "order_agnostic"),
]  # fmt: skip


@pytest.mark.parametrize(("module", "right", "wrong", "name"), BUGS)
def test_a_planted_bug_is_found(module, right, wrong, name, monkeypatch):
    plant(monkeypatch, f"anypart.models.{module}", right, wrong)
    with np.errstate(invalid="ignore"), pytest.raises(AssertionError, match=r"^(?!.*times)"):
        check(name)
