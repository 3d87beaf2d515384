"""The continuous mixture learns, torch and NumPy agree, and a stopped run goes on."""

import dataclasses

import numpy as np
import pytest
from tests.models.laws import table_of
from tests.models.planting import plant

from anypart.models.contract import Evidence, Layout
from anypart.optim.decoder import DecoderLearner, DecoderSettings, decode, normal_points

LAYOUT = Layout((2, 3, 2, 2))
SETTINGS = DecoderSettings(dims=2, width=16, layers=2, points=256, rate=0.02)


def rows_in_clusters(n_rows=600, seed=0):
    """Every column follows one hidden switch, so that they depend on each other."""
    rng = np.random.default_rng(seed)
    switch = rng.integers(0, 2, n_rows)
    noisy = [np.where(rng.random(n_rows) < 0.9, switch, 1 - switch) for _ in range(4)]
    codes = np.stack(noisy, 1).astype(np.int32)
    codes[:, 1] *= 2
    return codes, rng.random(codes.shape) < 0.9


def learn(steps=60, layout=LAYOUT):
    codes, seen = rows_in_clusters()
    learner = DecoderLearner(layout, codes, seen, SETTINGS, seed=3)
    for step in range(steps):
        learner.step(codes, seen, step / 60)
    return learner


@pytest.mark.parametrize("n_cats", [(2, 3, 2, 2), (2, 2, 2, 2)])
def test_torch_and_numpy_decode_the_same_tables(n_cats):
    layout = Layout(n_cats)
    codes, seen = rows_in_clusters()
    learner = DecoderLearner(layout, codes.clip(0, 1), seen, SETTINGS, seed=1)
    model = learner.model()
    import torch

    named = {n: torch.tensor(a) for n, a in model.state()[1].items()}
    theirs = decode(named, named["points"], layout).numpy()
    np.testing.assert_allclose(model.log_tables, theirs, atol=2e-5)


def test_training_finds_what_the_columns_share():
    codes, seen = rows_in_clusters(seed=9)
    evidence = Evidence(codes, seen)
    before, after = learn(0).model().log_prob(evidence), learn().model().log_prob(evidence)
    alone = sum(np.log([0.5, 0.5])[0] for _ in range(4)) * 0.9
    assert before.mean() == pytest.approx(alone, abs=0.1)
    assert after.mean() > before.mean() + 0.4
    assert table_of(learn().model()).sum() == pytest.approx(1, abs=1e-5)


def test_a_stopped_run_goes_on_with_the_same_bits():
    codes, seen = rows_in_clusters()
    whole, first = learn(20), learn(12)
    again = DecoderLearner(LAYOUT, codes, seen, SETTINGS, seed=3)
    again.load_state(first.state())
    for step in range(12, 20):
        again.step(codes, seen, step / 60)
    for name, array in whole.state().items():
        np.testing.assert_array_equal(array, again.state()[name], err_msg=name)


def test_a_cell_that_is_not_seen_teaches_nothing():
    codes, seen = rows_in_clusters()
    seen[:, 2] = False
    other = codes.copy()
    other[:, 2] = 1 - other[:, 2]
    a, b = (DecoderLearner(LAYOUT, c, seen, SETTINGS, seed=3) for c in (codes, other))
    assert a.step(codes, seen, 0.0) == b.step(other, seen, 0.0)


def told_and_true():
    """What a late step says of the rows before it, and what the model says of them."""
    codes, seen = rows_in_clusters()
    learner = learn(40)
    learner.load_state(
        {k: learner.state()[k.replace("mean/", "now/")] for k in learner.state()}
    )  # the average is where the parameters are
    true = learner.model().log_prob(Evidence(codes, seen)).mean()
    return learner.step(codes, seen, 0.9), true


def test_what_is_learned_at_its_own_points_is_what_the_model_says():
    told, true = told_and_true()
    assert told == pytest.approx(true, abs=1e-4)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("torch.log_softmax(weights, 0)", "weights"),
        ('arrays["log_weights"] -= np', 'arrays["log_weights"] -= 0 * np'),
        ('if fresh else now["points"]', 'if fresh else 0.9 * now["points"]'),
    ],
)
def test_the_law_of_own_points_bites(monkeypatch, right, wrong):
    plant(monkeypatch, "anypart.optim.decoder", right, wrong)
    told, true = told_and_true()
    assert told != pytest.approx(true, abs=1e-4)


def test_few_points_of_their_own_are_better_than_few_even_ones():
    codes, seen = rows_in_clusters(seed=9)
    found = []
    for fresh in (0.3, 1.0):
        learner = DecoderLearner(
            LAYOUT, codes, seen, dataclasses.replace(SETTINGS, points=4, fresh=fresh), seed=3
        )
        for step in range(80):
            learner.step(codes, seen, step / 80)
        model = learner.model()
        even = np.allclose(model.state()[1]["log_weights"], -np.log(4), atol=1e-6)
        found.append((model.log_prob(Evidence(codes, seen)).mean(), even))
    (own, learned), (given, even) = found
    assert not learned
    assert even
    assert own > given + 0.01


def test_points_are_spread_as_a_normal():
    from anypart.optim.decoder import lattice

    points = normal_points(lattice(4096, 3, seed=0)).numpy()
    np.testing.assert_allclose(points.mean(0), 0, atol=0.01)
    np.testing.assert_allclose(np.cov(points.T), np.eye(3), atol=0.03)


def test_the_comparison_of_torch_and_numpy_catches_a_planted_bug(monkeypatch):
    plant(monkeypatch, "anypart.models.layers", "0.044715", "0.44715")
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        test_torch_and_numpy_decode_the_same_tables((2, 2, 2, 2))
