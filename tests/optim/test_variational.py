"""The autoencoder's training: the bound, its gradient, and what it adds to a stack."""

import numpy as np
import pytest
import torch

from anypart.models.contract import Evidence, Layout
from anypart.optim.catalogue import LEARNERS
from anypart.optim.stack_weights import mixture_log_prob, stack_weights
from anypart.optim.variational import VAELearner, VAESettings, partly, posterior

LATENTS = {"gaussian": (6, 1), "bernoulli": (8, 1), "categorical": (4, 4)}


def factors(n_rows, seed, n_cols=16):
    """Bits that three hidden factors move together: no tree says that."""
    weights = 2 * np.random.default_rng(7).normal(size=(3, n_cols))
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n_rows, 3)) @ weights
    return (rng.random((n_rows, n_cols)) < 1 / (1 + np.exp(-logits))).astype(np.int32)


def train(latent, codes, steps=250, seed=0):
    dims, cats = LATENTS[latent]
    layout = Layout((2,) * codes.shape[1])
    seen = np.ones(codes.shape, bool)
    settings = VAESettings(latent, dims, cats, width=48, draws=128, rate=6e-3)
    learner = VAELearner(layout, codes, seen, settings, seed)
    rng = np.random.default_rng(seed)
    for step in range(steps):
        rows = rng.integers(0, len(codes), 128)
        learner.step(codes[rows], seen[rows], step / steps)
    return learner


def level(model, codes):
    return model.log_prob(Evidence(codes, np.ones(codes.shape, bool)))


@pytest.mark.parametrize("latent", LATENTS)
def test_without_it_the_stack_is_worse(latent):
    train_rows, valid, test = factors(1_000, 1), factors(300, 2), factors(300, 3)
    layout, seen = Layout((2,) * 16), np.ones(train_rows.shape, bool)
    members = {}
    for family, settings in (("chow_liu", {}), ("hidden_tree", {"n_states": 8})):
        learner = LEARNERS[family](layout, train_rows, seen, settings, 0)
        for step in range(20):
            learner.step(train_rows, seen, step / 20)
        members[family] = learner.model()
    members["vae"] = train(latent, train_rows).model()
    levels = {}
    for names in (("chow_liu", "hidden_tree"), tuple(members)):
        on_valid = np.stack([level(members[n], valid) for n in names], 1)
        weights = stack_weights(on_valid)
        on_test = np.stack([level(members[n], test) for n in names], 1)
        levels[names] = mixture_log_prob(on_test, weights)
        if "vae" in names:
            assert weights[-1] > 0.03  # so validation lets it in
    without, with_it = levels.values()
    gain = with_it - without
    assert gain.mean() > 3 * gain.std() / len(gain) ** 0.5  # nats per row, paired
    _, low, _ = members["vae"].interval(Evidence(test, np.ones(test.shape, bool)))
    assert level(members["vae"], test).mean() - low.mean() < 0.5


@pytest.mark.parametrize("latent", LATENTS)
def test_a_resumed_learner_takes_the_same_steps(latent):
    codes = factors(200, 4)
    learner = train(latent, codes, steps=4)
    other = train(latent, codes, steps=0)
    other.load_state(learner.state())
    seen = np.ones(codes.shape, bool)
    for one in (learner, other):
        one.step(codes, seen, 0.5)
    for name, array in learner.state().items():
        np.testing.assert_array_equal(array, other.state()[name])


@pytest.mark.parametrize("latent", LATENTS)
def test_the_divergence_is_that_of_draws(latent):
    dims, cats = LATENTS[latent]
    settings = VAESettings(latent, dims, cats)
    described = torch.randn(3, settings.sizes[0], generator=torch.Generator().manual_seed(0))
    q, divergence = posterior(described, settings)
    prior, _ = posterior(torch.zeros_like(described), settings)
    z = q.sample(40_000, torch.Generator().manual_seed(1))
    gap = q.log_prob(z) - prior.log_prob(z)
    error = gap.std(0) / 200
    assert ((gap.mean(0) - divergence).abs() < 5 * error + 1e-4).all()


def test_the_loss_in_torch_is_above_the_estimated_likelihood():
    codes = factors(300, 5)
    learner = train("bernoulli", codes, steps=60)
    seen = np.ones(codes.shape, bool)
    bounds = [
        learner.loss(codes, seen, seen, torch.Generator().manual_seed(s), 1.0).item()
        for s in range(20)
    ]
    assert -np.mean(bounds) < level(learner.model(), codes).mean() + 0.3


def test_the_encoder_is_shown_whole_rows_and_parts_of_rows():
    seen = np.random.default_rng(0).random((400, 10)) < 0.9
    shown = partly(seen, np.random.default_rng(1))
    assert not (shown & ~seen).any()
    whole = (shown == seen).all(1).mean()
    assert 0.4 < whole < 0.75


def test_missing_cells_are_not_learned_from():
    codes = factors(100, 6)
    seen = np.random.default_rng(2).random(codes.shape) < 0.7
    changed = np.where(seen, codes, 1 - codes).astype(np.int32)
    learner = train("gaussian", codes, steps=0)
    losses = [
        learner.loss(c, seen, seen, torch.Generator().manual_seed(0), 1.0).item()
        for c in (codes, changed)
    ]
    assert losses[0] == losses[1]
