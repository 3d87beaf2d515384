"""Parts that few complete rows share: sums over them, without errors, and bugs that are found."""

from __future__ import annotations

import numpy as np
import pytest
from tests.models import oracle
from tests.models.laws import of_row, table_of
from tests.models.planting import plant
from tests.queries.test_estimates import mixture, parts

from anypart.models.contract import Evidence
from anypart.queries import completions, estimates, events


def check(model, seed, weighted):
    table, evidence = table_of(model), parts(model, seed, weighted=weighted)
    part, cells = events.log_prob(model, evidence), events.conditional(model, evidence)
    assert (part.error == 0).all()
    assert np.isinf(part.effective).all()
    assert (cells.error == 0).all()
    for row in range(evidence.n_rows):
        right = oracle.event(table, *of_row(evidence, row))
        np.testing.assert_allclose(part.value[row], np.log(right), atol=1e-5)
        right = oracle.conditional(table, *of_row(evidence, row))
        np.testing.assert_allclose(np.exp(cells.value[row]), right, atol=1e-5)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_few_complete_rows_are_summed(seed, weighted):
    check(mixture(seed), seed, weighted)


@pytest.mark.parametrize(
    ("module", "right", "wrong"),
    [
        ("completions", "number[free] //= n_cats", "number[free] //= 2"),
        ("completions", "given[row if len(given) > 1 else 0,", "0 * given[0,"),
        ("completions", "share, evidence.n_rows * n_cats", "None, evidence.n_rows * n_cats"),
        ("completions", "np.diff(row, prepend=-1)", "np.diff(row, prepend=0)"),
        ("estimates", "few = ways <= n", "few = ways < 0"),
    ],
)
def test_a_planted_bug_is_found(module, right, wrong, monkeypatch):
    plant(monkeypatch, f"anypart.queries.{module}", right, wrong)
    with pytest.raises((AssertionError, ValueError, IndexError), match=r"^(?!.*times)"):
        check(mixture(0), 0, True)


def test_an_impossible_event_has_no_probability():
    model = mixture(0)
    never = {0: np.full((1, 2), -np.inf)}
    evidence = Evidence(np.zeros((1, 5), np.int32), np.zeros((1, 5), bool), never)
    assert completions.log_prob(model, evidence)[0] == -np.inf
    assert np.isnan(completions.conditional(model, evidence)).any()


def test_rows_are_cut_into_blocks_of_about_as_many_lines(monkeypatch):
    monkeypatch.setattr(estimates, "ROWS_TOGETHER", 100)
    rng = np.random.default_rng(0)
    for n in (0, 1, 7, 50):
        lines = rng.integers(1, 60, n).astype(float)
        blocks = estimates._blocks(np.arange(n), lines)
        assert np.array_equal(np.concatenate([np.zeros(0, int), *blocks]), np.arange(n))
        assert all(lines[b].sum() < 100 + 60 for b in blocks)
        assert len(blocks) <= lines.sum() // 100 + 1
