"""The order matters to a family that cannot represent everything, and can be learned."""

from __future__ import annotations

import numpy as np
import pytest
from tests.models.planting import plant

from anypart.models.contract import Layout
from anypart.optim import orders

LAYOUT = Layout((2, 2, 2, 2))


def cause(n_rows, seed):
    """Columns 1 to 3 make column 0 together; alone they are coins.

    After its causes the first column is a logistic regression; before them, the causes
    given the effect lean on each other in ways that no logistic regression tells.
    """
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 2, (n_rows, 4)).astype(np.int32)
    chance = 1 / (1 + np.exp(-12 * (codes[:, 1:].sum(axis=1) - 2.5)))
    codes[:, 0] = rng.random(n_rows) < chance
    return codes, np.ones(codes.shape, bool)


def check_order():
    found = orders.try_orders(LAYOUT, cause(3_000, 0), cause(3_000, 1), n_random=2)
    assert [t.log_lik for t in found] == sorted((t.log_lik for t in found), reverse=True)
    assert {t.name for t in found} == {"chow_liu", "given", "reversed", "random 1", "random 2"}
    by_name = {t.name: t for t in found}
    assert by_name["reversed"].log_lik > by_name["given"].log_lik + 0.002
    assert found[0].order.tolist()[-1] == 0


def test_the_effect_is_put_after_its_causes():
    check_order()


def test_an_order_judged_by_the_worst_is_found_out(monkeypatch):
    plant(monkeypatch, "anypart.optim.orders", "-tried.log_lik", "tried.log_lik")
    with pytest.raises(AssertionError, match="assert"):
        check_order()
