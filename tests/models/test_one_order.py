"""What every family along one order obeys, and planted bugs that the laws find."""

from __future__ import annotations

import numpy as np
import pytest
from tests.models import oracle
from tests.models.laws import SAMPLES, samples_agree_with, table_of
from tests.models.one_order_makers import MANY_ORDERS, N_CATS, ONE_ORDER
from tests.models.planting import plant

from anypart.base.errors import QuestionError, SavedFitError
from anypart.models import conditional_table, fvsbn, nade, separate_networks
from anypart.models.catalogue import CATALOGUE, load_model
from anypart.models.contract import Evidence, Layout


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


MAKERS = ONE_ORDER | MANY_ORDERS
ABOUT_ONE = {  # these speak of the order
    "parts_that_come_first_are_sums",
    "a_walk_tells_what_the_parallel_pass_tells",
    "a_position_hears_only_earlier_ones",
    "samples_given_what_comes_first_agree",
    "several_cells_are_near_enumeration",
}


def hold(law, family, seeds=3):
    for seed in range(1 if law.startswith("samples") else seeds):
        rng = np.random.default_rng([seed, len(law)])
        LAWS[law](MAKERS[family](rng), rng)


# What was read along one order of several is not saved by itself.
CASES = [(f, law) for f in MAKERS for law in LAWS if f in ONE_ORDER or law not in ABOUT_ONE]
CASES = [c for c in CASES if c[0] in CATALOGUE or c[1] != "saved_answers_are_the_same"]


@pytest.mark.parametrize(("family", "law"), CASES)
def test_law(family, law):
    hold(law, family)


@pytest.mark.parametrize("family", MANY_ORDERS)
def test_several_orders_are_the_mean_of_each(family):
    model = MANY_ORDERS[family](np.random.default_rng(0))
    tables = [table_of(member) for member in model.mixture.members]
    assert len(tables) == 3
    np.testing.assert_allclose(table_of(model), np.mean(tables, axis=0), rtol=1e-5)
    assert np.abs(tables[0] - tables[1]).max() > 1e-3


SHARED, FVSBN, PLACES = (f"anypart.models.{m}" for m in ("one_order", "fvsbn", "places"))
BUGS = {
    "complete_rows_sum_to_one": (PLACES, "found += 1\n", "found += 1.1\n"),
    "parts_that_come_first_are_sums": (PLACES, "cells *= there", "cells *= 1"),
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
    "samples_agree_with_densities": (
        PLACES,
        "u < np.exp(logs[:, 1])",
        "u < np.exp(logs[:, 0])",
    ),
    "samples_given_what_comes_first_agree": (
        SHARED,
        "walk.tell(at, found[at], all_there)",
        "walk.tell(at, 0 * found[at], all_there)",
    ),
    "one_cell_given_all_others_agrees_with_enumeration": (
        "anypart.models.single_gaps",
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


@pytest.mark.parametrize("family", MAKERS)
def test_weighted_evidence_is_refused_with_a_way_out(family):
    evidence = Evidence.nothing(1, 5)
    weighted = Evidence(evidence.codes, evidence.seen, {0: np.zeros((1, 2))})
    with pytest.raises(QuestionError, match="purpose='any'"):
        MAKERS[family](np.random.default_rng(0)).log_prob(weighted)


@pytest.mark.parametrize("family", [f for f in MAKERS if f in CATALOGUE])
def test_a_damaged_state_is_refused(family):
    settings, arrays = MAKERS[family](np.random.default_rng(0)).state()
    for name in arrays:
        less = {k: v for k, v in arrays.items() if k != name}
        for broken in (less, less | {name: arrays[name][:-1]}):
            with pytest.raises(SavedFitError, match="is damaged"):
                load_model(family, settings, broken)
    with pytest.raises(SavedFitError, match="is damaged"):
        load_model(family, {}, arrays)


@pytest.mark.parametrize("family", MAKERS)
def test_no_rows_give_no_answers(family):
    model = MAKERS[family](np.random.default_rng(0))
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


@pytest.mark.parametrize(
    ("family", "law", "module", "right", "wrong"),
    [
        (
            "nade",
            "a_walk_tells_what_the_parallel_pass_tells",
            "nade",
            "walk.add(at, x[:, place])",
            "pass",
        ),
        (
            "made_along_one",
            "a_walk_tells_what_the_parallel_pass_tells",
            "made",
            "slice(ends[at + 1], ends[at + 2])",
            "slice(ends[at], ends[at + 1])",
        ),
        (
            "made_along_one",
            "a_position_hears_only_earlier_ones",
            "made",
            "before[:, None] <= position[None, :]",
            "before[:, None] <= 1 + position[None, :]",
        ),
        (
            "separate_networks",
            "a_walk_tells_what_the_parallel_pass_tells",
            "separate_networks",
            "self._x[:, places.slices[at]] =",
            "self._x[:, places.slices[0]] =",
        ),
        (
            "eonade_along_one",
            "a_walk_tells_what_the_parallel_pass_tells",
            "nade",
            "found[:, place] = walk.logits(at)\n",
            "found[:, place] = walk.logits(at)\n            walk._told = None\n",
        ),
        (
            "eonade",
            "one_cell_given_all_others_agrees_with_enumeration",
            "many_orders",
            "found, many = fill_single_gaps(self, evidence)",
            "found, many = self.mixture.conditional(evidence), []",
        ),
    ],
)
def test_a_planted_bug_in_a_family_is_found(family, law, module, right, wrong, monkeypatch):
    plant(monkeypatch, f"anypart.models.{module}", right, wrong)
    with pytest.raises((AssertionError, ValueError), match=r"^(?!.*times)"):
        hold(law, family, 6)


def direct_nade(model, codes):
    """Every hidden layer from all earlier inputs anew: the formula without the recursion."""
    x = model.places.encode(codes, codes >= 0, model.means).astype(np.float64)
    arrays, found = model.arrays, np.zeros(x.shape)
    for place in model.places.slices:
        before = arrays["bias"] + x[:, : place.start] @ arrays["weight"][: place.start]
        hidden = 0.5 * (1 + np.tanh(before / 2))
        found[:, place] = hidden @ arrays["out_weight"][place].T + arrays["out_bias"][place]
    return found


@pytest.mark.parametrize("scale", [0.3, 1, 10, 100])  # held in 4 bytes, in 8, and as it is
def test_nades_recursion_is_its_direct_formula(scale):
    model = MAKERS["nade"](np.random.default_rng(0), (2, 3, 2, 5) * 6)
    model.arrays["weight"] *= np.float32(scale)
    codes = np.random.default_rng(1).integers(0, 2, (50, 24)).astype(np.int32)
    found = model._logits(model.places.encode(codes, codes >= 0, model.means))
    np.testing.assert_allclose(found, direct_nade(model, codes), atol=2e-4)


def test_parameters_are_what_the_literature_counts():
    binary = Layout((2,) * 784)
    assert fvsbn.n_parameters(binary) == 307_720
    assert separate_networks.n_parameters(binary, 500) == 154_252_784
    assert nade.n_parameters(binary, 500) == 785_284
    assert conditional_table.n_parameters(Layout((2,) * 784)) == 2**784 - 1
    small = [(4, 3, 10, 46, 31), (8, 16, 36, 712, 280)]
    for n, d, logistic, networks, shared in small:
        layout = Layout((2,) * n)
        assert fvsbn.n_parameters(layout) == logistic
        assert separate_networks.n_parameters(layout, d) == networks
        assert nade.n_parameters(layout, d) == shared


@pytest.mark.parametrize("family", ["fvsbn", "nade", "separate_networks", "eonade"])
def test_a_model_counts_the_numbers_that_it_holds(family):
    """All that is not cut by a mask; random numbers are never 0 by themselves."""
    model = MAKERS[family](np.random.default_rng(0))
    held = sum(np.count_nonzero(a) for a in model.arrays.values())
    silent = 0
    if family == "separate_networks":  # a column of one category has a network of no use
        at = int(np.argmax(np.array(model.places.sizes) == 0))
        silent = np.count_nonzero(model.arrays["weight"][at]) + model.arrays["bias"].shape[1]
    assert model.n_parameters() == held - silent


def test_made_counts_what_any_of_its_masks_leaves():
    model = MAKERS["made"](np.random.default_rng(0), n_orders=1)
    along = model.mixture.members[0]
    weights = [a for name, a in along.arrays.items() if "degrees" not in name]
    assert model.n_parameters() == sum(map(np.count_nonzero, weights)) == along.n_parameters()
    assert MAKERS["made"](np.random.default_rng(0)).n_parameters() > model.n_parameters()
