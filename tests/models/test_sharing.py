"""Rows that agree on subtrees: the smaller tree says what the whole one says."""

from __future__ import annotations

import numpy as np
import pytest
from tests.models.makers import random_parts
from tests.models.planting import plant

from anypart.models.contract import Evidence, Layout
from anypart.models.hidden_tree import HiddenTree
from anypart.models.latent_tree import Shape, sharing
from anypart.models.latent_tree.passes import upward
from anypart.models.latent_tree.sharing import share_subtrees

SHAPE = Shape((-1, 0, 1, 1, 0, 4, 5, -1, 7), (3, 4, 2, 3, 4, 2, 3, 2, 3), (0, 1, 2, 3, 4, 5, 6, 8))
N_CATS = (2, 3, 2, 4, 3, 2, 5, 3)
MANY_CATS = (2, 3, 2, 4, 3, 20, 30, 3)  # so many that an inner node stays


def case(n_rows, n_cats=N_CATS):
    """A tree, and rows with gaps; one column is not seen at all."""
    rng = np.random.default_rng(3)
    tree = HiddenTree(Layout(n_cats), random_parts(rng, SHAPE, n_cats))
    codes = rng.integers(0, n_cats, (n_rows, len(n_cats))).astype(np.int32)
    seen = rng.random(codes.shape) < 0.8
    seen[:, 2] = False
    return tree, Evidence(codes, seen)


def check_that_the_smaller_tree_says_the_same(n_cats=N_CATS):
    tree, evidence = case(1_500, n_cats)
    smaller, columns = share_subtrees(tree.circuit, evidence)
    assert smaller is not tree.circuit
    one_by_one = [upward(tree.circuit, evidence.rows(slice(i, i + 1))) for i in range(1_500)]
    expected = np.concatenate([u.log_prob for u in one_by_one])
    np.testing.assert_allclose(upward(smaller, columns).log_prob, expected, atol=3e-6)
    np.testing.assert_allclose(tree.log_prob(evidence), expected, atol=3e-6)


@pytest.mark.parametrize("shared", [0.01, 0.05, 0.25, 1.0])
def test_the_smaller_tree_says_what_the_whole_one_says(monkeypatch, shared):
    monkeypatch.setattr(sharing, "SHARED", shared)
    check_that_the_smaller_tree_says_the_same()


def test_inner_nodes_stay_where_few_rows_agree():
    check_that_the_smaller_tree_says_the_same(MANY_CATS)


def test_rows_are_numbered_by_sorting_where_a_table_would_be_long(monkeypatch):
    monkeypatch.setattr(sharing, "MOST_COUNTED", 2)
    check_that_the_smaller_tree_says_the_same()


def test_many_columns_of_many_categories_do_not_overflow_the_numbers():
    codes = [np.array([0, 1, 0, 1, 7], np.int32)] * 9
    logs = [np.zeros(250)] * 9
    ids, rows = sharing._number(codes, logs, range(9))
    assert ids[0] == ids[2] != ids[1] == ids[3] != ids[4]
    assert codes[0][rows][ids].tolist() == codes[0].tolist()


def test_few_rows_and_weights_are_left_alone():
    tree, evidence = case(50)
    assert share_subtrees(tree.circuit, evidence) == (tree.circuit, evidence)
    weighted = Evidence(*_unseen(case(2_000)[1]), {0: np.zeros((1, 2))})
    assert share_subtrees(tree.circuit, weighted)[0] is tree.circuit


def _unseen(evidence):
    seen = evidence.seen.copy()
    seen[:, 0] = False
    return evidence.codes, seen


def test_an_impossible_subtree_stays_impossible():
    tree, evidence = case(1_200)
    tree.parts.emissions[6][:] = [1, 0, 0, 0, 0]
    tree.__dict__.pop("circuit", None)
    found = tree.log_prob(evidence)
    impossible = evidence.seen[:, 6] & (evidence.codes[:, 6] > 0)
    assert np.array_equal(np.isneginf(found), impossible)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("total + logs + scale_to_one(message)", "logs + scale_to_one(message)"),
        ("message = product @ transition.T", "message = product @ transition"),
        ("unseen = np.int32(len(logs) - 1)", "unseen = np.int32(0)"),
        ("key = key * len(logs[column]) + code", "key = key + code"),
        ("if parent < 0 or whole[list(shape.children[node])].any():", "if parent < 0:"),
    ],
)
def test_the_law_bites(monkeypatch, right, wrong):
    plant(monkeypatch, "anypart.models.latent_tree.sharing", right, wrong)
    with pytest.raises((AssertionError, ValueError, KeyError, IndexError)):
        check_that_the_smaller_tree_says_the_same(MANY_CATS)
