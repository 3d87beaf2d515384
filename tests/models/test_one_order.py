"""What every family along one order obeys, and planted bugs that the laws find."""

from __future__ import annotations

import numpy as np
import pytest
from tests.models import oracle
from tests.models.laws import SAMPLES, samples_agree_with, table_of
from tests.models.one_order_makers import N_CATS, ONE_ORDER
from tests.models.planting import plant

from anypart.base.errors import QuestionError, SavedFitError
from anypart.models.catalogue import load_model
from anypart.models.contract import Evidence


def first_seen(model, rng, n_seen):
    """A row whose first cells of the order are seen."""
    codes = oracle.all_rows(model.layout.n_cats)
    codes = codes[rng.integers(len(codes))]
    seen = np.zeros(len(codes), bool)
    seen[model.order[:n_seen]] = True
    return codes, seen


def many(codes, seen, n_rows):
    return Evidence(np.tile(codes, (n_rows, 1)).astype(np.int32), np.tile(seen, (n_rows, 1)))


def complete_rows_sum_to_one(model, rng):
    assert abs(table_of(model).sum() - 1) < 1e-5


def parts_that_come_first_are_sums(model, rng):
    table = table_of(model)
    for n_seen in range(len(N_CATS) + 1):
        codes, seen = first_seen(model, rng, n_seen)
        found = np.exp(model.log_prob(many(codes, seen, 2)))
        assert np.allclose(found, oracle.event(table, codes, seen), rtol=1e-4)


def every_part_is_normalised(model, rng):
    """With gaps the chain still sums to one over the seen cells."""
    seen = rng.random(len(N_CATS)) < 0.6
    codes = oracle.all_rows(N_CATS)
    codes = codes[(codes[:, ~seen] == 0).all(axis=1)]
    logs = model.log_prob(Evidence(codes, np.tile(seen, (len(codes), 1))))
    assert abs(np.exp(logs).sum() - 1) < 1e-5


def a_walk_tells_what_the_parallel_pass_tells(model, rng):
    rows = oracle.all_rows(N_CATS)
    codes = rows[rng.integers(len(rows), size=40)][:, model.order]
    seen = rng.random(codes.shape) < 0.8
    x = model.places.encode(codes, seen, model.means)
    right = model.places.log_softmax(model._logits(x))
    walk = model._walk(len(codes))
    for at, place in enumerate(model.places.layout.slices):
        assert np.allclose(walk.cell(at), right[:, place], atol=1e-4)
        walk.tell(at, codes[:, at], seen[:, at])


def a_position_hears_only_earlier_ones(model, rng):
    """The Jacobian of the logits, by changing each input: lower triangular, and not empty."""
    n = model.places.total
    x = rng.random((1, n)).astype(np.float32)
    base, column = model._logits(x), model.places.column_of
    steps = [step * one for one in np.eye(n, dtype=np.float32) for step in (0.5, -0.5)]
    moved = np.abs(np.concatenate([model._logits(x + step) for step in steps]) - base)
    jacobian = moved.reshape(n, 2, n).max(axis=1)  # input, output
    earlier = column[:, None] < column[None, :]
    assert (jacobian[~earlier] == 0).all()
    assert (jacobian[earlier] > 0).mean() > 0.5


def samples_agree_with_densities(model, rng):
    samples_agree_with(model, rng, Evidence.nothing(SAMPLES, model.layout.n_cols))


def samples_given_what_comes_first_agree(model, rng):
    samples_agree_with(model, rng, many(*first_seen(model, rng, 2), SAMPLES))


def one_cell_given_all_others_agrees_with_enumeration(model, rng):
    table, rows = table_of(model), oracle.all_rows(N_CATS)
    codes = rows[rng.integers(len(rows), size=8)]
    seen = np.ones(codes.shape, bool)
    seen[np.arange(8), rng.integers(len(N_CATS), size=8)] = False
    cells = model.conditional(Evidence(codes, seen))
    others = model.leave_one_out(codes, seen | True)
    for row in range(8):
        right = oracle.conditional(table, codes[row], seen[row])
        assert np.allclose(np.exp(cells[row]), right, atol=2e-5)
        right = oracle.leave_one_out(table, codes[row], seen[row] | True)
        assert np.allclose(np.exp(others[row]), right, atol=2e-5)


def several_cells_are_near_enumeration(model, rng):
    """256 weighed draws: within .25 of the right probability, and no category excluded."""
    table, rows = table_of(model), oracle.all_rows(N_CATS)
    codes = rows[rng.integers(len(rows), size=6)]
    seen = np.zeros(codes.shape, bool)
    seen[:, model.order[-1]] = True
    cells = model.conditional(Evidence(codes, seen))
    for row in range(6):
        right = oracle.conditional(table, codes[row], seen[row])
        assert np.allclose(np.exp(cells[row]), right, atol=0.25)
        assert np.isfinite(cells[row][right > 0]).all()
    sums = [np.exp(cells[:, s]).sum(axis=1) for s in model.layout.slices]
    assert np.allclose(sums, 1, atol=1e-5)


def saved_answers_are_the_same(model, rng):
    again = load_model(model.family, *model.state())
    codes, rows = oracle.all_rows(N_CATS), rng.integers(0, 2, size=10)
    evidence = Evidence(codes[rows], rng.random((10, len(N_CATS))) < 0.7)
    for verb in ("log_prob", "conditional", "represent"):
        assert np.array_equal(getattr(model, verb)(evidence), getattr(again, verb)(evidence))
    draws = (m.sample(evidence, np.random.default_rng(1)) for m in (model, again))
    assert np.array_equal(*draws)
    assert again.n_parameters() == model.n_parameters()


LAWS = {
    f.__name__: f
    for f in (
        complete_rows_sum_to_one,
        parts_that_come_first_are_sums,
        every_part_is_normalised,
        a_walk_tells_what_the_parallel_pass_tells,
        a_position_hears_only_earlier_ones,
        samples_agree_with_densities,
        samples_given_what_comes_first_agree,
        one_cell_given_all_others_agrees_with_enumeration,
        several_cells_are_near_enumeration,
        saved_answers_are_the_same,
    )
}


def hold(law, family, seeds=3):
    for seed in range(1 if law.startswith("samples") else seeds):
        rng = np.random.default_rng([seed, len(law)])
        LAWS[law](ONE_ORDER[family](rng), rng)


@pytest.mark.parametrize("family", ONE_ORDER)
@pytest.mark.parametrize("law", LAWS)
def test_law(family, law):
    hold(law, family)


SHARED, FVSBN, PLACES = (f"anypart.models.{m}" for m in ("one_order", "fvsbn", "places"))
BUGS = {
    "complete_rows_sum_to_one": (PLACES, "np.log(1 + np.exp(-", "np.log(1.1 + np.exp(-"),
    "parts_that_come_first_are_sums": (PLACES, "_softplus(one)) * seen[:, col]", "_softplus(one))"),
    "every_part_is_normalised": (
        PLACES,
        "np.where(seen[:, col], logs[np.arange(len(logs)), chosen], 0.0)",
        "logs[np.arange(len(logs)), chosen]",
    ),
    "a_walk_tells_what_the_parallel_pass_tells": (
        FVSBN,
        "end = places.slices[last].stop",
        "end = places.slices[last].start",
    ),
    "a_position_hears_only_earlier_ones": (
        FVSBN,
        'x @ self.arrays["weight"]',
        'x @ (self.arrays["weight"] + 0.1)',
    ),
    "samples_agree_with_densities": (SHARED, "u < np.exp(logs[:, 1])", "u < np.exp(logs[:, 0])"),
    "samples_given_what_comes_first_agree": (
        SHARED,
        "walk.tell(at, found[at], all_there)",
        "walk.tell(at, 0 * found[at], all_there)",
    ),
    "one_cell_given_all_others_agrees_with_enumeration": (
        SHARED,
        "codes[:, col] = code\n",
        "codes[:, col] = 0\n",
    ),
    "several_cells_are_near_enumeration": (
        SHARED,
        "np.exp(log_weights - log_weights.max(axis=1, keepdims=True)).ravel()",
        "np.exp(-log_weights).ravel()",
    ),
    "saved_answers_are_the_same": (
        SHARED,
        '"order": self.order',
        '"order": self.order[::-1]',
    ),
}


def test_every_law_has_a_bug_to_find():
    assert set(BUGS) == set(LAWS)


@pytest.mark.parametrize("law", BUGS)
def test_a_planted_bug_breaks_the_law(law, monkeypatch):
    plant(monkeypatch, *BUGS[law])
    with pytest.raises(AssertionError, match=r"^(?!.*times)"):
        hold(law, "fvsbn", 6)


@pytest.mark.parametrize("family", ONE_ORDER)
def test_weighted_evidence_is_refused_with_a_way_out(family):
    evidence = Evidence.nothing(1, 5)
    weighted = Evidence(evidence.codes, evidence.seen, {0: np.zeros((1, 2))})
    with pytest.raises(QuestionError, match="purpose='any'"):
        ONE_ORDER[family](np.random.default_rng(0)).log_prob(weighted)


@pytest.mark.parametrize("family", ONE_ORDER)
def test_a_damaged_state_is_refused(family):
    settings, arrays = ONE_ORDER[family](np.random.default_rng(0)).state()
    for name in arrays:
        less = {k: v for k, v in arrays.items() if k != name}
        for broken in (less, less | {name: arrays[name][:-1]}):
            with pytest.raises(SavedFitError, match="is damaged"):
                load_model(family, settings, broken)
    with pytest.raises(SavedFitError, match="is damaged"):
        load_model(family, {}, arrays)


@pytest.mark.parametrize("family", ONE_ORDER)
def test_no_rows_give_no_answers(family):
    model = ONE_ORDER[family](np.random.default_rng(0))
    none = Evidence.nothing(0, 5)
    assert model.log_prob(none).shape == (0,)
    assert model.conditional(none).shape == (0, sum(N_CATS))
    assert model.leave_one_out(none.codes, none.seen).shape == (0, sum(N_CATS))
    assert model.sample(none, np.random.default_rng(0)).shape == (0, 5)
    assert len(model.represent(none)) == 0


def test_many_columns_are_drawn_as_few_are():
    """More than one panel of columns, so that what a whole panel adds is in it."""
    model = ONE_ORDER["fvsbn"](np.random.default_rng(0), (2, 3) * 40)
    model.arrays["weight"] *= 0.3
    drawn = model.sample(Evidence.nothing(30, 80), np.random.default_rng(1))
    inner = drawn[:, model.order]
    walk = model._walk(30)
    x = model.places.encode(inner, np.ones(inner.shape, bool), model.means)
    right = model.places.log_softmax(model._logits(x))
    for at, place in enumerate(model.places.layout.slices):
        np.testing.assert_allclose(walk.cell(at), right[:, place], atol=2e-4)
        walk.tell(at, inner[:, at], np.ones(30, bool))
