"""Probes and plain representations against formulas, and with planted bugs."""

from __future__ import annotations

import numpy as np
import pytest
from tests.models.planting import plant

from anypart.optim import features, probe


def two_clouds(n, seed, apart=3.0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    x = rng.normal(size=(n, 4)) + apart * labels[:, None] * np.array([1.0, 0, 0, 0])
    return x, labels


def steepness(seed=0):
    """Length of the gradient of a probe's objective at its weights; 0 at the optimum."""
    x, labels = two_clouds(60, seed)
    found = probe.linear_probe(x, labels, 2, like=x * 2)
    z = (x - found.centre) / found.scale
    p = np.exp(found.log_prob(x))
    gradient = np.column_stack([np.ones(60), z]).T @ (p - np.eye(2)[labels])
    # The penalty is one of the path: the one whose gradient it is.
    sides = [np.abs(gradient[1:] + c * found.weights[1:]).max() for c in probe.PENALTIES]
    return max(min(sides), np.abs(gradient[0]).max())


def test_a_linear_probe_is_at_the_optimum_of_its_objective():
    assert steepness() < 1e-2


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("(p - truth) + ridge * ahead)", "(p - truth) + 0.5 * ridge * ahead)"),
        ("ridge[0] = 0.0", "ridge[0] = 50.0"),
        ("weights[:1] - mean @ turned", "weights[:1] + mean @ turned"),
    ],
)
def test_the_optimum_bites(monkeypatch, right, wrong):
    plant(monkeypatch, "anypart.optim.probe", right, wrong)
    assert steepness() > 1e-2


def test_the_penalty_grows_where_labels_say_nothing():
    x, _ = two_clouds(200, 1)
    labels = np.random.default_rng(2).integers(0, 2, 200)
    found = probe.linear_probe(x, labels, 2)
    assert np.abs(found.weights[1:]).max() < 0.1
    x, labels = two_clouds(200, 1)
    said = probe.linear_probe(x, labels, 2).log_prob(x)
    assert (said.argmax(1) == labels).mean() > 0.85
    np.testing.assert_allclose(np.exp(said).sum(1), 1)


def test_one_label_of_one_class_is_enough_to_answer():
    found = probe.linear_probe(np.ones((1, 3)), np.array([2]), 4)
    assert found.log_prob(np.ones((2, 3))).argmax(1).tolist() == [2, 2]


def wrong_votes():
    """How many votes differ from those by sorting all cosines."""
    x, labels = two_clouds(40, 3, 1.0)
    asked, _ = two_clouds(30, 4, 1.0)
    centre = x.mean(0)
    off = 0
    found = probe.by_neighbours(x, labels, 3, asked, k=5)
    for row, shares in zip(asked, found, strict=True):
        cosines = [
            (a - centre)
            @ (row - centre)
            / np.linalg.norm(a - centre)
            / np.linalg.norm(row - centre)
            for a in x
        ]
        near = labels[np.argsort(cosines)[::-1][:5]]
        votes = np.array([(near == c).sum() for c in range(3)])
        off += not np.allclose(shares, (votes + 0.2) / (5 + 0.6))
    return off


def test_neighbours_are_the_nearest_by_cosine():
    assert wrong_votes() == 0


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("np.argpartition(-units", "np.argpartition(units"), ("labels[near]), 1.0", "near % 3), 1.0")],
)
def test_the_neighbours_law_bites(monkeypatch, right, wrong):
    plant(monkeypatch, "anypart.optim.probe", right, wrong)
    assert wrong_votes() > 0


def test_principal_components_are_the_eigenvectors_of_the_covariance():
    x = np.random.default_rng(0).normal(size=(50, 5)) * np.array([5, 3, 2, 1, 0.5])
    made = features.principal_components(x, 2)(x)
    values = np.sort(np.linalg.eigvalsh(np.cov(x.T)))[::-1]
    np.testing.assert_allclose(made.var(0, ddof=1), values[:2])
    assert abs(np.corrcoef(made.T)[0, 1]) < 1e-8
    assert features.principal_components(x, 99)(x).shape == (50, 5)


def test_k_means_ends_where_centres_are_the_means_of_their_rows():
    rng = np.random.default_rng(0)
    corners = np.array([[0.0, 0], [9, 0], [0, 9]])
    x = np.repeat(corners, 20, 0) + rng.normal(size=(60, 2)) / 10
    near = features.k_means(x, 3, seed=1)(x)
    assert near.shape == (60, 3)
    groups = near.argmax(1).reshape(3, 20)
    assert [len(set(g)) for g in groups.tolist()] == [1, 1, 1]
    assert len({g[0] for g in groups.tolist()}) == 3
    assert features.k_means(np.ones((4, 2)), 3, 0)(np.ones((4, 2))).shape == (4, 1)


def test_random_features_are_the_same_for_the_same_seed():
    x = np.random.default_rng(0).normal(size=(10, 3))
    one, two, other = (features.random_features(x, 16, s)(x) for s in (0, 0, 1))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)
    assert (one >= 0).all()
