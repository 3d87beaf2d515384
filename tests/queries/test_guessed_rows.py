"""A mixture with an autoencoder: even complete rows are estimates, and it says so."""

import numpy as np
import pytest
from tests.models.planting import plant
from tests.models.test_vae import LAYOUT, all_rows, truth, wild
from tests.queries.conftest import make_table

from anypart.models.contract import Evidence, Layout
from anypart.models.independent import Independent, independent_shape
from anypart.models.latent_tree.model import TreeParts
from anypart.models.stack import Stack
from anypart.models.vae import VAE
from anypart.queries import events
from anypart.queries.fitted import Fitted

SHARE = 0.6  # of the autoencoder


def independent(layout):
    rng = np.random.default_rng(0)
    tables = [rng.dirichlet(np.full(n, 3.0), 1).astype(np.float32) for n in layout.n_cats]
    start = np.ones((1, 1), np.float32)
    return Independent(layout, TreeParts(independent_shape(layout.n_cols), (start,), tuple(tables)))


def mixture(seed=0, draws=128):
    members = [wild("bernoulli", draws=draws, seed=seed), independent(LAYOUT)]
    return Stack(members, np.log([SHARE, 1 - SHARE]))


def misses(n_models=20):
    """Deviations from the exact mixture, in the standard errors that were told."""
    found = []
    codes, seen = all_rows()
    for seed in range(n_models):
        model = mixture(seed)
        estimate = events.log_prob(model, Evidence(codes, seen))
        exact = SHARE * truth(model.members[0], codes, seen)
        exact += np.exp(np.log(1 - SHARE) + model.members[1].log_prob(Evidence(codes, seen)))
        found.append((estimate.value - np.log(exact)) / estimate.error)
    return np.concatenate(found)


def test_errors_of_complete_rows_are_as_large_as_told():
    away = misses()
    assert 0.6 < np.sqrt(np.mean(away.clip(-5, 5) ** 2)) < 1.6
    assert (np.abs(away) < 3).mean() > 0.95


@pytest.mark.parametrize(
    ("module", "right", "wrong"),
    [
        ("anypart.models.vae", "w.std(1, ddof=1) / w.mean(1)", "0.3 * w.std(1, ddof=1)"),
        ("anypart.models.stack", "(weight * cast", "(0.1 * weight * cast"),
    ],
)
def test_errors_that_are_too_small_are_noticed(module, right, wrong, monkeypatch):
    plant(monkeypatch, module, right, wrong)
    assert (np.abs(misses(8)) < 3).mean() < 0.9


@pytest.fixture
def guessing(stacked):
    layout = stacked.model.layout
    rng = np.random.default_rng(0)
    shapes = {
        "embed": (layout.total + layout.n_cols, 8),
        "encode_bias": (8,),
        "latent_weight": (8, 4),
        "latent_bias": (4,),
        "decode_weight": (4, 8),
        "decode_bias": (8,),
        "out_weight": (8, layout.total),
        "out_bias": (layout.total,),
    }
    arrays = {k: rng.normal(size=s).astype(np.float32) for k, s in shapes.items()}
    member = VAE(Layout(layout.n_cats), arrays, "bernoulli", 1, (64, 0))
    return Fitted(stacked.schema, Stack([member, stacked.model], np.log([0.5, 0.5])))


def test_a_score_of_complete_rows_says_that_it_is_an_estimate(guessing, monkeypatch):
    rows = make_table(200).drop_null().slice(0, 20)
    answer = guessing.log_prob(rows)
    assert not answer.exact
    assert "estimates even complete rows" in answer.reason
    assert answer.standard_error > 0
    plant(monkeypatch, "anypart.queries.exactness", "if not model.ability.rows:", "if False:")
    assert "even complete rows" not in guessing.log_prob(rows).reason


def test_without_an_autoencoder_complete_rows_are_exact(stacked):
    rows = make_table(200).drop_null().slice(0, 20)
    assert stacked.log_prob(rows).exact
