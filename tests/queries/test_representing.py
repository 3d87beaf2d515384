"""Vectors of rows: against enumeration, blind to the cell they speak of, and worth having."""

from __future__ import annotations

import numpy as np
import pytest
from tests.models.makers import MAKERS, N_CATS
from tests.models.oracle import all_rows
from tests.models.planting import plant

from anypart.base.errors import QuestionError
from anypart.base.seeds import generator
from anypart.models.contract import Evidence, Layout
from anypart.optim.in_memory import train_held
from anypart.optim.probe import linear_probe
from anypart.queries import representing
from anypart.queries.representing import Cells

PLAIN = (False,) * len(N_CATS)
STARTS = np.cumsum((0, *N_CATS))


def some_rows(n=6, seed=0):
    rng = np.random.default_rng(seed)
    codes = np.stack([rng.integers(0, k, n) for k in N_CATS], 1).astype(np.int32)
    seen = rng.random(codes.shape) < 0.8
    return codes, seen


def expected(model, codes, told, col):
    """Log-shares of a column's categories among all rows that agree with what is told."""
    rows = all_rows(N_CATS)
    logs = model.log_prob(Evidence(rows, np.ones(rows.shape, bool)))
    agree = ((rows == codes) | ~told).all(1)
    sums = np.array([np.exp(logs[agree & (rows[:, col] == k)]).sum() for k in range(N_CATS[col])])
    return np.maximum(np.log(sums / sums.sum()), representing.LEAST)


def off_enumeration():
    """How far both kinds of expectation are from sums over all rows there can be."""
    model = MAKERS["hidden_tree"](np.random.default_rng(1))
    codes, seen = some_rows()
    _, others, halves = Cells(model, PLAIN)._parts(codes, seen)
    rng, n = generator(0, "halves"), len(N_CATS)
    hidden = [rng.permutation(n) < n // 2 for _ in range(representing.DIVISIONS)]
    worst = 0.0
    for row, there, one, two in zip(codes, seen, others, halves, strict=True):
        for col in range(n):
            place = slice(STARTS[col], STARTS[col + 1])
            alone = np.arange(n) == col
            right = expected(model, row, there & ~alone, col)
            worst = max(worst, np.abs(one[place] - right).max())
            told = [there & ~(h if h[col] else ~h) for h in hidden]
            right = np.mean([expected(model, row, t, col) for t in told], axis=0)
            worst = max(worst, np.abs(two[place] - right).max())
    return worst


def test_expectations_are_those_of_all_rows_that_agree():
    assert off_enumeration() < 1e-3


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("seen & ~hidden)", "seen)"),
        ("(first, ~first)", "(first, first)"),
        ("LEAST) / DIVISIONS", "LEAST)"),
        ("leave_one_out(codes, seen)", "conditional(Evidence(codes, seen))"),
    ],
)
def test_the_enumeration_bites(monkeypatch, right, wrong):
    plant(monkeypatch, "anypart.queries.representing", right, wrong)
    monkeypatch.setitem(globals(), "Cells", representing.Cells)
    assert off_enumeration() > 1e-2


def test_a_number_goes_in_by_its_rank_and_an_empty_cell_as_nothing():
    model = MAKERS["hidden_tree"](np.random.default_rng(1))
    cells = Cells(model, (True, *PLAIN[1:]))
    codes, seen = some_rows()
    codes[:3, 0], seen[:3, 0] = [0, N_CATS[0] - 1, 0], [True, True, False]
    own = cells._parts(codes, seen)[0]
    assert own.shape == (6, 1 + sum(N_CATS[1:]))
    assert own[0, 0] < 0 < own[1, 0]
    assert own[2, 0] == 0
    share = np.exp(model.conditional(Evidence.nothing(1, len(N_CATS)))[0])
    first = np.eye(N_CATS[1])[codes[:, 1]] - share[STARTS[1] : STARTS[2]]
    np.testing.assert_allclose(own[:, 1 : 1 + N_CATS[1]], first * seen[:, [1]], atol=1e-6)


def test_a_row_is_as_long_by_what_it_says_as_by_what_is_expected():
    model = MAKERS["hidden_tree"](np.random.default_rng(1))
    drawn = model.sample(Evidence.nothing(4_000, len(N_CATS)), np.random.default_rng(0))
    found = Cells(model, PLAIN)(drawn, np.ones(drawn.shape, bool))
    assert np.abs(found.mean(0)).max() < 0.05
    spread = found.var(0)
    total = sum(N_CATS)
    assert spread[:total].sum() == pytest.approx(1, abs=0.1)
    assert spread[total:].sum() == pytest.approx(1, abs=0.1)


def test_few_labels_go_further_with_expectations_than_with_the_rows_themselves():
    rng = np.random.default_rng(0)
    group = rng.integers(0, 4, 1_200)
    on = np.random.default_rng(9).random((4, 14)) < 0.5
    codes = (on[group] ^ (rng.random((1_200, 14)) < 0.25)).astype(np.int32)
    seen = np.ones(codes.shape, bool)
    rows = (codes[:800], seen[:800])
    settings = {"n_states": 8}
    model = train_held("latent_classes", settings, Layout((2,) * 14), rows, steps=150).model
    vectors = Cells(model, (False,) * 14)(codes, seen)
    raw = codes.astype(float)

    def right(x):
        found = [
            linear_probe(x[a : a + 12], group[a : a + 12], 4, like=x).log_prob(x[800:]).argmax(1)
            for a in range(0, 240, 12)
        ]
        return np.mean([f == group[800:] for f in found])

    assert right(vectors) > right(raw) + 0.05


def test_vectors_of_something_else_are_refused(stacked, table):
    assert stacked.represent(table.slice(0, 3), of="latent").shape[0] == 3
    with pytest.raises(QuestionError, match=r"no vector of 'latents'.*Did you mean 'latent'"):
        stacked.represent(table, of="latents")
