"""What every exact model obeys; each law takes a model and raises AssertionError if not."""

from __future__ import annotations

import numpy as np
from tests.models import oracle

from anypart.models.catalogue import load_model
from anypart.models.contract import Evidence

TOLERANCE = 2e-5  # float32 tables
SAMPLES = 20_000
ERROR_RATE = 1e-6  # of each chi-square test, if the model is right


def table_of(model):
    """p(row) of every row, from complete rows only."""
    rows = oracle.all_rows(model.layout.n_cats)
    logs = model.log_prob(Evidence(rows, np.ones(rows.shape, bool)))
    return np.exp(logs).reshape(model.layout.n_cats)


def random_evidence(model, rng, n_rows=12, weighted=True):
    """Rows with random gaps, and random weights on some columns."""
    n_cats = model.layout.n_cats
    rows = oracle.all_rows(n_cats)
    codes = rows[rng.integers(len(rows), size=n_rows)]
    seen = rng.random(codes.shape) < rng.random((n_rows, 1))
    weights = {}
    for column in rng.permutation(len(n_cats))[: int(rng.integers(3)) if weighted else 0]:
        seen[:, column] = False
        w = rng.normal(size=(n_rows if rng.random() < 0.5 else 1, n_cats[column]))
        w[:, 1:][rng.random(w[:, 1:].shape) < 0.3] = -np.inf
        weights[int(column)] = w
    return Evidence(codes, seen, weights)


def of_row(evidence, row):
    """Codes, seen and weights of one row, as the oracle takes them."""
    weights = {c: w[row if len(w) > 1 else 0] for c, w in evidence.weights.items()}
    return evidence.codes[row], evidence.seen[row], weights


def sums_to_one(model, rng):
    assert abs(table_of(model).sum() - 1) < TOLERANCE
    assert np.allclose(model.log_prob(Evidence.nothing(3, model.layout.n_cols)), 0, atol=1e-5)


def marginals_are_sums(model, rng):
    """log_prob of any part, weighted too, is the sum over what is not said."""
    table, evidence = table_of(model), random_evidence(model, rng)
    logs = model.log_prob(evidence)
    assert logs.dtype == np.float64
    for row, log in enumerate(logs):
        right = oracle.event(table, *of_row(evidence, row))
        assert abs(np.exp(log) - right) <= TOLERANCE * max(right, 1e-3)


def marginal_of_a_marginal(model, rng):
    """Summing one seen cell out of a part gives the smaller part."""
    evidence = random_evidence(model, rng, weighted=False)
    column = int(rng.integers(model.layout.n_cols))
    less = evidence.seen.copy()
    less[:, column] = False
    more = less.copy()
    more[:, column] = True
    # All in one question, so that rows with the cell and rows without it are mixed.
    codes, seen = [evidence.codes], [less]
    for code in range(model.layout.n_cats[column]):
        codes.append(evidence.codes.copy())
        codes[-1][:, column] = code
        seen.append(more)
    logs = model.log_prob(Evidence(np.concatenate(codes), np.concatenate(seen)))
    whole, *parts = np.exp(logs).reshape(-1, evidence.n_rows)
    assert np.allclose(sum(parts), whole, rtol=1e-4, atol=1e-7)


def conditional_is_a_ratio(model, rng):
    """p(cell | given) = p(cell, given) / p(given), both from log_prob."""
    evidence = random_evidence(model, rng, weighted=False)
    column = int(rng.integers(model.layout.n_cols))
    seen = evidence.seen.copy()
    seen[:, column] = False
    given = Evidence(evidence.codes, seen)
    cells = model.conditional(given)[:, model.layout.slices[column]]
    base = model.log_prob(given)
    both = seen.copy()
    both[:, column] = True
    for code in range(model.layout.n_cats[column]):
        codes = evidence.codes.copy()
        codes[:, column] = code
        ratio = np.exp(model.log_prob(Evidence(codes, both)) - base)
        assert np.allclose(np.exp(cells[:, code]), ratio, atol=TOLERANCE)


def conditional_agrees_with_enumeration(model, rng):
    table, evidence = table_of(model), random_evidence(model, rng)
    cells = model.conditional(evidence)
    assert cells.dtype == np.float32
    assert not np.isnan(cells).any()
    for row, logs in enumerate(cells):
        right = oracle.conditional(table, *of_row(evidence, row))
        assert np.allclose(np.exp(logs), right, atol=TOLERANCE)


def leave_one_out_agrees_with_enumeration(model, rng):
    table, evidence = table_of(model), random_evidence(model, rng, weighted=False)
    cells = model.leave_one_out(evidence.codes, evidence.seen)
    assert cells.dtype == np.float32
    for row, logs in enumerate(cells):
        right = oracle.leave_one_out(table, *of_row(evidence, row)[:2])
        assert np.allclose(np.exp(logs), right, atol=TOLERANCE)


def what_is_not_seen_is_not_read(model, rng):
    """The code of an unseen cell makes no difference, and rows do not touch each other."""
    evidence = random_evidence(model, rng)
    other = np.where(evidence.seen, evidence.codes, 0)
    changed = Evidence(other.astype(np.int32), evidence.seen, evidence.weights)
    assert np.array_equal(model.log_prob(evidence), model.log_prob(changed))
    alone = [model.log_prob(evidence.rows(slice(i, i + 1)))[0] for i in range(evidence.n_rows)]
    assert np.allclose(alone, model.log_prob(evidence), rtol=1e-6, atol=1e-6)


def chi_square_bound(dof):
    """Above it a chi-square falls with probability below ERROR_RATE (Laurent & Massart)."""
    t = -np.log(ERROR_RATE)
    return dof + 2 * np.sqrt(dof * t) + 2 * t


def samples_agree_with(model, rng, evidence):
    """Frequencies of complete rows drawn for one row of evidence, by a chi-square test."""
    codes, seen, weights = of_row(evidence, 0)
    table = table_of(model)
    right = table * oracle.likelihood(table.shape, codes, seen, weights)
    right = (right / right.sum()).ravel()
    drawn = model.sample(evidence, rng)
    assert drawn.dtype == np.int32
    assert (drawn[:, seen] == codes[seen]).all()
    counts = np.bincount(np.ravel_multi_index(drawn.T, table.shape), minlength=table.size)
    assert counts[right == 0].sum() == 0
    expected = right * len(drawn)
    # Rare rows are counted together, so that the statistic is near its distribution.
    order = np.argsort(expected)
    n_rare = int(np.searchsorted(np.cumsum(expected[order]), 10.0)) + 1
    got, want = (np.append(a[order[n_rare:]], a[order[:n_rare]].sum()) for a in (counts, expected))
    assert ((got - want) ** 2 / want).sum() < chi_square_bound(max(len(want) - 1, 1))


def half_seen(evidence, n_rows):
    """The row of the evidence that is nearest to half seen, many times."""
    row = int(np.argmin(np.abs(evidence.seen.mean(axis=1) - 0.5)))
    codes, seen, weights = of_row(evidence, row)
    return Evidence(
        np.tile(codes, (n_rows, 1)),
        np.tile(seen, (n_rows, 1)),
        {c: np.asarray(w)[None, :] for c, w in weights.items()},
    )


def samples_agree_with_densities(model, rng):
    samples_agree_with(model, rng, Evidence.nothing(SAMPLES, model.layout.n_cols))


def samples_given_the_same_agree(model, rng):
    samples_agree_with(model, rng, half_seen(random_evidence(model, rng), SAMPLES))


def samples_given_different_rows_agree(model, rng):
    """The same evidence among other evidence: the path on which rows differ."""
    mine = half_seen(random_evidence(model, rng, weighted=False), SAMPLES)
    other = half_seen(random_evidence(model, rng, weighted=False), SAMPLES)
    codes = np.stack([mine.codes, other.codes], 1).reshape(-1, mine.codes.shape[1])
    seen = np.stack([mine.seen, other.seen], 1).reshape(codes.shape)

    class Alternating:
        layout = model.layout
        log_prob = staticmethod(model.log_prob)

        @staticmethod
        def sample(evidence, rng):
            return model.sample(Evidence(codes, seen), rng)[::2]

    samples_agree_with(Alternating, rng, mine)


def saved_answers_are_the_same(model, rng):
    settings, arrays = model.state()
    again = load_model(model.family, settings, arrays)
    evidence = random_evidence(model, rng)
    assert np.array_equal(model.log_prob(evidence), again.log_prob(evidence))
    assert np.array_equal(model.conditional(evidence), again.conditional(evidence))
    one, two = np.random.default_rng(1), np.random.default_rng(1)
    assert np.array_equal(model.sample(evidence, one), again.sample(evidence, two))
    assert np.array_equal(model.represent(evidence), again.represent(evidence))


LAWS = {
    f.__name__: f
    for f in (
        sums_to_one,
        marginals_are_sums,
        marginal_of_a_marginal,
        conditional_is_a_ratio,
        conditional_agrees_with_enumeration,
        leave_one_out_agrees_with_enumeration,
        what_is_not_seen_is_not_read,
        samples_agree_with_densities,
        samples_given_the_same_agree,
        samples_given_different_rows_agree,
        saved_answers_are_the_same,
    )
}
