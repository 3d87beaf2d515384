"""Every network of the catalogue hears only what it may, on trained weights."""

import numpy as np
import pytest

from anypart.models.catalogue import CATALOGUE
from anypart.models.contract import Evidence, Layout
from anypart.models.stack import Stack
from anypart.optim.catalogue import LEARNERS
from anypart.scores.autoregression import prove, score_autoregression

LAYOUT = Layout((2, 3, 2, 4, 2))
NETWORKS = {  # family → chains of its small model; what is not here is no chain of networks
    "fvsbn": {},
    "separate_networks": {"width": 6},
    "nade": {"width": 6},
    "eonade": {"width": 6, "orders": 2},
    "made": {"width": 12, "orders": 2},
    "order_agnostic": {"width": 8, "blocks": 1, "orders": 2},
}
OTHERS = {"independent", "chow_liu", "tree_mixture", "hidden_tree", "continuous_mixture"}
OTHERS |= {"conditional_table", "boosted_trees", "vae", "stack", "rnade"}


def trained(family, steps=6):
    rng = np.random.default_rng(0)
    codes = np.stack([rng.integers(0, n, 120) for n in LAYOUT.n_cats], 1).astype(np.int32)
    codes[:, 2] = codes[:, 0]
    seen = np.ones(codes.shape, bool)
    learner = LEARNERS[family](LAYOUT, codes, seen, NETWORKS[family], 0)
    for step in range(steps):
        learner.step(codes, seen, step / steps)
    return learner.model()


def test_every_family_of_the_catalogue_is_accounted_for():
    assert set(CATALOGUE) == set(NETWORKS) | OTHERS


@pytest.mark.parametrize("family", NETWORKS)
def test_every_trained_network_is_proved_autoregressive(family):
    found = list(prove(trained(family)))
    assert found
    assert all(p.proved for p in found), found


def first_and_independent(family):
    """Nats per row of a network before its first step, and of the independent model."""
    rng = np.random.default_rng(1)
    shares = [rng.dirichlet(np.full(n, 0.5)) for n in LAYOUT.n_cats]
    codes = np.stack([rng.choice(len(p), 2_000, p=p) for p in shares], 1).astype(np.int32)
    seen = np.ones(codes.shape, bool)
    start = LEARNERS[family](LAYOUT, codes, seen, NETWORKS[family], 0).model()
    counts = [
        np.bincount(column, minlength=n) for column, n in zip(codes.T, LAYOUT.n_cats, strict=True)
    ]
    levels = [k[k > 0] / k.sum() for k in counts]
    independent = sum(float((p * np.log(p)).sum()) for p in levels)
    return start.log_prob(Evidence(codes, seen)).mean(), independent


@pytest.mark.parametrize("family", NETWORKS)
def test_training_starts_at_the_independent_model(family):
    start, independent = first_and_independent(family)
    even = -sum(np.log(LAYOUT.n_cats))
    assert abs(start - independent) < 0.01 * (independent - even)


@pytest.mark.parametrize("family", ["made", "nade"])
def test_a_start_at_0_is_told_from_the_independent_model(family, monkeypatch):
    from tests.models.planting import plant

    plant(monkeypatch, "anypart.models.places", "found = np.log(margins)", "found = 0 * margins")
    start, independent = first_and_independent(family)
    assert start < independent - 0.1


def test_a_leak_in_trained_weights_is_found_and_named():
    model = trained("fvsbn")
    first, last = model.order[0], model.order[-1]
    weight = np.array(model.arrays["weight"])
    weight[-1, 0] = 1e-30  # however small
    model.arrays["weight"] = weight
    (proof,) = prove(model)
    assert proof.leaks == ((first, last),)
    scores = score_autoregression(Stack([model, trained("nade")], np.zeros(2)))
    assert (scores.chains, scores.proved) == (2, 1)
    assert scores.notes == (f"fvsbn: column {first} depends on column {last}",)


def test_a_mask_that_lets_a_column_hear_itself_is_found(monkeypatch):
    from tests.models.planting import plant

    plant(
        monkeypatch,
        "anypart.models.made",
        "position[:, None] < position",
        "position[:, None] <= position",
    )
    assert not all(p.proved for p in prove(trained("made")))


def test_weights_that_are_not_what_answers_prove_nothing(monkeypatch):
    model = trained("nade")
    monkeypatch.setattr(type(model), "_logits", lambda self, x: np.ones_like(x))
    (proof,) = prove(model)
    assert (proof.proved, proof.why) == (False, "its logits are not those of its weights")
    assert score_autoregression(trained("order_agnostic")).proved == 2
