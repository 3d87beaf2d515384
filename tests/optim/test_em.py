"""Trees learn: exact counts, likelihood that rises, gaps summed out, the same bits again."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from tests.models import oracle
from tests.models.laws import table_of
from tests.models.makers import MAKERS, N_CATS

from anypart.models.contract import Evidence, Layout
from anypart.models.structure import spanning_tree
from anypart.optim.em import TreeLearner, TreeSettings
from anypart.optim.expected_counts import e_step_down, e_step_up, make_batch
from anypart.optim.hidden_trees import HiddenSettings, HiddenTreeLearner

FAMILIES = ("independent", "chow_liu", "tree_mixture", "hidden_tree")
SMALL = TreeSettings(n_trees=2, pseudo_rows=1.0), HiddenSettings(n_states=4)


def rows_from(family, n_rows, seed, missing=0.0):
    rng = np.random.default_rng(seed)
    model = MAKERS[family](rng)
    codes = model.sample(Evidence.nothing(n_rows, 5), rng)
    return model, codes, rng.random(codes.shape) >= missing


def start(family, codes, seen, settings=SMALL, seed=0):
    observed, hidden = settings
    if family == "hidden_tree":
        return HiddenTreeLearner(Layout(N_CATS), codes, seen, hidden, seed)
    return TreeLearner(family, Layout(N_CATS), codes, seen, observed, seed)


def learn(family, codes, seen, epochs=10, size=250, settings=SMALL):
    learner = start(family, codes, seen, settings)
    starts = range(0, len(codes), size)
    total = epochs * len(starts)
    for step in range(total):
        part = slice(starts[step % len(starts)], starts[step % len(starts)] + size)
        learner.step(codes[part], seen[part], step / total)
    return learner


@pytest.mark.parametrize("family", ["chow_liu", "hidden_tree", "latent_tree", "independent"])
def test_expected_counts_agree_with_enumeration(family):
    rng = np.random.default_rng(3)
    model = MAKERS[family](rng)
    shape, parts = model.parts.shape, model.parts
    rows = oracle.all_rows(N_CATS)
    codes = rows[rng.integers(len(rows), size=8)]
    seen = rng.random(codes.shape) < 0.6
    batch = make_batch(model.layout, codes, seen)
    up = e_step_up(shape, parts.transitions, parts.emissions, batch)
    assert np.allclose(up.log_prob, model.log_prob(Evidence(codes, seen)), atol=1e-5)
    share = rng.random(8)
    counts = e_step_down(shape, parts.transitions, batch, up, share)
    # d log p / d log θ is the expected count (Fisher's identity): perturb every entry.
    for tables, got in (
        (parts.transitions, counts.transitions),
        (parts.emissions, counts.emissions),
    ):
        for table, count in zip(tables, got, strict=True):
            for place in np.ndindex(table.shape):
                old = table[place]
                if family == "chow_liu" and tables is parts.emissions:
                    continue
                logs = []
                for factor in (1 - 2e-2, 1 + 2e-2):
                    table[place] = old * factor
                    logs.append(
                        e_step_up(shape, parts.transitions, parts.emissions, batch).log_prob
                    )
                table[place] = old
                slope = ((logs[1] - logs[0]) * share).sum() / np.log(1.02 / 0.98)
                assert abs(slope - count[place]) < 2e-3


def test_a_chow_liu_tree_learns_the_exact_counts():
    _, codes, seen = rows_from("chow_liu", 2000, 1)
    model = learn("chow_liu", codes, seen, epochs=2).model()
    parent = model.parts.shape.parents
    columns = [c[0] for c in model.parts.shape.columns]
    for node in range(1, 5):
        a, b = columns[parent[node]], columns[node]
        counts = np.zeros((N_CATS[a], N_CATS[b]))
        np.add.at(counts, (codes[:, a], codes[:, b]), 1)
        many = counts.sum(1) > 200
        right = counts / np.maximum(counts.sum(1, keepdims=True), 1)
        assert np.allclose(model.parts.transitions[node][many], right[many], atol=0.01)


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("family", FAMILIES)
def test_learning_comes_near_the_truth(family, missing):
    truth, codes, seen = rows_from(family, 4000, 5, missing)
    model = learn(family, codes, seen).model()
    right, got = table_of(truth), table_of(model)
    divergence = (right * np.log(np.maximum(right, 1e-30) / np.maximum(got, 1e-30))).sum()
    assert divergence < (0.1 if missing else 0.05)


@pytest.mark.parametrize("family", FAMILIES)
def test_full_batch_steps_raise_the_likelihood(family):
    _, codes, seen = rows_from("hidden_tree", 500, 2, 0.2)
    whole = {"step_start": 1.0, "step_end": 1.0}
    hidden = HiddenSettings(3, transition_pseudo=1e-6, emission_pseudo=1e-6, **whole)
    settings = TreeSettings(2, pseudo_rows=1e-6, **whole), hidden
    learner = start(family, codes, seen, settings)
    logs = [learner.step(codes, seen, 0.0) for _ in range(12)]
    assert all(b >= a - 1e-4 for a, b in pairwise(logs[1:]))


@pytest.mark.parametrize("family", FAMILIES)
def test_the_code_of_a_missing_cell_is_never_read(family):
    _, codes, seen = rows_from("hidden_tree", 500, 2, 0.3)
    other = np.where(seen, codes, 0).astype(np.int32)
    one, two = learn(family, codes, seen, 2).model(), learn(family, other, seen, 2).model()
    assert np.array_equal(table_of(one), table_of(two))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_resumed_learner_goes_on_with_the_same_bits(family):
    _, codes, seen = rows_from("hidden_tree", 500, 2, 0.1)
    learner = learn(family, codes, seen, 3)
    kept = {k: v.copy() for k, v in learner.state().items()}
    again = start(family, codes[:50], seen[:50], seed=9)
    again.load_state(kept)
    assert learner.step(codes, seen, 0.5) == again.step(codes, seen, 0.5)
    assert np.array_equal(table_of(learner.model()), table_of(again.model()))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_is_a_snapshot(family):
    _, codes, seen = rows_from("hidden_tree", 500, 2)
    learner = learn(family, codes, seen, 1)
    model = learner.model()
    before = table_of(model)
    learner.step(codes[:100], seen[:100], 0.0)
    assert np.array_equal(before, table_of(model))
    assert not np.array_equal(before, table_of(learner.model()))


def test_a_column_that_is_never_seen_keeps_a_margin_near_even():
    _, codes, seen = rows_from("hidden_tree", 300, 2)
    seen[:, 1] = False
    for family in FAMILIES:
        table = table_of(learn(family, codes, seen, 2).model())
        assert np.allclose(table.sum(axis=(0, 2, 3, 4)), 1 / 4, atol=0.15), family


def test_the_spanning_tree_is_the_heaviest():
    rng = np.random.default_rng(0)
    weights = rng.random((5, 5))
    weights = np.triu(weights, 1) + np.triu(weights, 1).T
    order, parent = spanning_tree(weights)
    assert sorted(order.tolist()) == list(range(5))
    found = sum(weights[c, p] for c, p in enumerate(parent) if p >= 0)
    best = 0.0
    for choice in np.ndindex(5, 5, 5, 5):  # a parent for each column but the first
        parents = (-1, *choice)
        if all(_reaches_root(parents, c) for c in range(5)):
            best = max(best, sum(weights[c, p] for c, p in enumerate(parents) if p >= 0))
    assert abs(found - best) < 1e-12


def _reaches_root(parents, column):
    for _ in range(5):
        if column == 0:
            return True
        column = parents[column]
    return column == 0


@pytest.mark.parametrize("family", FAMILIES)
def test_a_batch_without_rows_teaches_nothing(family):
    _, codes, seen = rows_from(family, 300, 0)
    learner = learn(family, codes, seen, epochs=1)
    before = learner.model().log_prob(Evidence(codes, seen))
    assert learner.step(codes[:0], seen[:0], 0.9) == 0.0
    assert np.array_equal(learner.model().log_prob(Evidence(codes, seen)), before)


def test_a_tree_that_never_saw_a_row_takes_all_values_for_as_likely():
    codes = np.zeros((0, 5), np.int32)
    learner = start("chow_liu", codes, codes > 0)
    learner.step(codes, codes > 0, 0.0)
    asked = np.array([[0, 1, 1, 0, 0]], np.int32)
    found = learner.model().log_prob(Evidence(asked, asked >= 0))
    assert np.allclose(found, -np.log(N_CATS).sum(), atol=1e-5)
