"""What trees do at the edges: impossible evidence, extremes, damaged states, wide rows."""

from __future__ import annotations

import numpy as np
import pytest
from tests.models import oracle
from tests.models.laws import of_row, random_evidence, table_of
from tests.models.makers import MAKERS, N_CATS

from anypart.base.errors import QuestionError, SavedFitError
from anypart.models.catalogue import CATALOGUE, load_model
from anypart.models.chow_liu import ChowLiu, identity_emissions
from anypart.models.contract import Evidence, Layout
from anypart.models.hidden_tree import HiddenTree
from anypart.models.latent_tree import Shape, TreeParts
from anypart.models.stack import Stack


def two_columns(joint):
    """The Chow-Liu tree of a joint table of two columns."""
    joint = np.asarray(joint, np.float32)
    root = joint.sum(1, keepdims=True)
    rows = joint / np.where(root > 0, root, 1)
    rows[root[:, 0] == 0] = 1 / joint.shape[1]
    parts = TreeParts(
        Shape((-1, 0), joint.shape, (0, 1)), (root.T.copy(), rows), identity_emissions(joint.shape)
    )
    return ChowLiu(Layout(joint.shape), parts)


def rows_of(*rows):
    codes = np.array(rows, np.int32)
    return Evidence(codes, np.ones(codes.shape, bool))


EQUAL = [[0.5, 0.0], [0.0, 0.5]]


def test_an_impossible_row_has_log_probability_minus_infinity():
    assert np.array_equal(
        np.isneginf(two_columns(EQUAL).log_prob(rows_of((0, 0), (0, 1)))), [False, True]
    )


@pytest.mark.parametrize("verb", ["conditional", "represent"])
def test_nothing_follows_from_an_impossible_row(verb):
    with pytest.raises(QuestionError, match=r"Row 1 says something .* probability 0"):
        getattr(two_columns(EQUAL), verb)(rows_of((0, 0), (0, 1)))


def test_no_row_is_drawn_given_an_impossible_one():
    rng = np.random.default_rng(0)
    with pytest.raises(QuestionError, match="Row 1 says something"):
        two_columns(EQUAL).sample(rows_of((0, 0), (0, 1)), rng)
    with pytest.raises(QuestionError, match="Row 0 says something"):
        two_columns(EQUAL).sample(rows_of(*[(0, 1)] * 2000), rng)
    with pytest.raises(QuestionError, match=r"Row 1 .* no most likely row"):
        two_columns(EQUAL).most_likely(rows_of((0, 0), (0, 1)))


def test_leaving_out_the_cell_that_makes_a_row_impossible_is_possible():
    cells = np.exp(two_columns(EQUAL).leave_one_out(*_codes_seen(rows_of((0, 1)))))
    assert np.array_equal(cells, [[0, 1, 1, 0]])


def test_weights_that_exclude_everything_are_impossible():
    nothing = Evidence.nothing(2, 2)
    excluded = Evidence(nothing.codes, nothing.seen, {0: np.full((1, 2), -np.inf)})
    assert np.isneginf(two_columns(EQUAL).log_prob(excluded)).all()


def test_a_stack_asks_only_members_that_can_explain_the_row():
    equal, mixed = two_columns(EQUAL), two_columns([[0.1, 0.4], [0.3, 0.2]])
    stack = Stack([equal, mixed], np.log([0.5, 0.5]))
    table = table_of(stack)
    row = rows_of((0, 1))
    assert np.allclose(
        np.exp(stack.leave_one_out(row.codes, row.seen)[0]),
        oracle.leave_one_out(table, row.codes[0], row.seen[0]),
        atol=1e-6,
    )
    assert np.array_equal(stack.sample(row, np.random.default_rng(0)), row.codes)
    assert np.isfinite(stack.log_prob(row)).all()
    assert np.array_equal(np.exp(stack.conditional(row)), [[1, 0, 0, 1]])
    with pytest.raises(QuestionError, match="Row 0 says something"):
        Stack([equal, equal], np.zeros(2)).conditional(row)


def test_a_long_chain_of_unlikely_cells_stays_finite():
    n = 1500
    rng = np.random.default_rng(0)
    shape = Shape((-1, *range(n - 1)), (3,) * n, tuple(range(n)))
    transitions = [
        rng.dirichlet(np.ones(3), shape.states_above(i)).astype(np.float32) for i in range(n)
    ]
    rare = np.tile(np.array([1 - 1e-7, 1e-7], np.float32), (3, 1))
    model = HiddenTree(Layout((2,) * n), TreeParts(shape, tuple(transitions), (rare,) * n))
    row = Evidence(np.ones((2, n), np.int32), np.ones((2, n), bool))
    assert np.allclose(model.log_prob(row), n * np.log(1e-7), rtol=1e-4)
    cells = model.leave_one_out(row.codes, row.seen)
    assert np.allclose(np.exp(cells[:, 1::2]), 1e-7, rtol=1e-3)


def test_the_most_likely_row_is_the_most_likely_row():
    for seed in range(5):
        rng = np.random.default_rng(seed)
        model = MAKERS["chow_liu"](rng)
        table, evidence = table_of(model), random_evidence(model, rng)
        for row, found in enumerate(model.most_likely(evidence)):
            joint = table * oracle.likelihood(N_CATS, *of_row(evidence, row))
            assert np.isclose(joint[tuple(found)], joint.max(), rtol=1e-4)


@pytest.mark.parametrize("family", MAKERS)
def test_no_rows_give_no_answers(family):
    model = MAKERS[family](np.random.default_rng(0))
    none = Evidence.nothing(0, 5)
    assert model.log_prob(none).shape == (0,)
    assert model.conditional(none).shape == (0, sum(N_CATS))
    assert model.leave_one_out(none.codes, none.seen).shape == (0, sum(N_CATS))
    assert model.sample(none, np.random.default_rng(0)).shape == (0, 5)
    assert len(model.represent(none)) == 0


@pytest.mark.parametrize("family", MAKERS)
def test_a_question_leaves_the_evidence_as_it_was(family):
    rng = np.random.default_rng(2)
    model = MAKERS[family](rng)
    evidence = random_evidence(model, rng)
    before = evidence.codes.copy(), evidence.seen.copy()
    for verb in (model.log_prob, model.conditional, model.represent):
        assert np.array_equal(verb(evidence), verb(evidence))
    model.sample(evidence, rng)
    assert np.array_equal(evidence.codes, before[0])
    assert np.array_equal(evidence.seen, before[1])


@pytest.mark.parametrize("family", [n for n, f in CATALOGUE.items() if f.exact])
def test_a_damaged_state_is_refused(family):
    model = MAKERS[family](np.random.default_rng(0))
    settings, arrays = model.state()
    for name in arrays:
        broken = {k: (v[:-1] if k == name else v) for k, v in arrays.items()}
        with pytest.raises(SavedFitError, match="is damaged"):
            load_model(family, settings, broken)
        with pytest.raises(SavedFitError, match="is damaged"):
            load_model(family, settings, {k: v for k, v in arrays.items() if k != name})
    with pytest.raises(SavedFitError, match="is damaged"):
        load_model(family, {}, arrays)


def test_an_unknown_family_is_refused():
    with pytest.raises(SavedFitError, match="Did you mean 'chow_liu'"):
        load_model("chow_lui", {}, {})


def _codes_seen(evidence):
    return evidence.codes, evidence.seen
