"""Hidden trees climb: the right gradient, more likelihood than EM alone, the prior kept."""

import numpy as np
import pytest
import torch
from tests.models.makers import MAKERS, N_CATS
from tests.models.planting import plant

from anypart.models.contract import Evidence, Layout
from anypart.optim import hidden_trees
from anypart.optim.hidden_trees import HiddenSettings, HiddenTreeLearner

LAYOUT = Layout(N_CATS)


def rows(n_rows, seed=0, missing=0.2):
    rng = np.random.default_rng(seed)
    codes = MAKERS["hidden_tree"](rng).sample(Evidence.nothing(n_rows, len(N_CATS)), rng)
    return codes, rng.random(codes.shape) >= missing


def learner_at(codes, seen, steps, size=100, **settings):
    made = HiddenTreeLearner(LAYOUT, codes, seen, HiddenSettings(n_states=3, **settings), 0)
    for step in range(steps):
        some = np.arange(step * size, step * size + size) % len(codes)
        made.step(codes[some], seen[some], step / steps)
    return made


def objective(logits, ascent, learner, codes, seen):
    """Mean log-probability and log-prior of the tables with these logits, in float64."""
    wide = {n: v.astype(np.float64) for n, v in logits.items()}
    wide |= {n: wide[n] @ h.numpy().astype(np.float64) for n, h in ascent._hats.items()}
    tree = ascent._tree_of({n: torch.from_numpy(v).softmax(1) for n, v in wide.items()})
    parts = hidden_trees.TreeParts(tree.shape, tuple(tree.transitions), tuple(tree.emissions))
    found = hidden_trees.HiddenTree(LAYOUT, parts).log_prob(Evidence(codes, seen)).mean()
    prior = learner._prior(1)
    for tables, pseudo in (
        (tree.transitions, prior.transitions),
        (tree.emissions, prior.emissions),
    ):
        found += sum(
            (np.log(t) * np.broadcast_to(p, t.shape)).sum()
            for t, p in zip(tables, pseudo, strict=True)
        )
    return found


def slopes(learner, codes, seen):
    """Return the gradient of a step, and by central differences, for places of every array."""
    ascent, taken = learner._ascent, {}

    def instead(gradient, progress):
        taken.update({name: -g.numpy() for name, g in gradient.items()})

    logits = {n: p.detach().numpy().copy() for n, p in ascent.descent.now.items()}
    ascent.descent.along = instead
    learner.step(codes, seen, 0.9)
    pairs = []
    for name, values in logits.items():
        for place in list(np.ndindex(values.shape))[::5]:
            ends = []
            for sign in (-1, 1):
                moved = {n: v.copy() for n, v in logits.items()}
                moved[name][place] += sign * 0.05
                ends.append(objective(moved, ascent, learner, codes, seen))
            pairs.append((taken[name][place], (ends[1] - ends[0]) / 0.1))
    return np.array(pairs)


@pytest.mark.parametrize("ordered", [(), (1, 4)])
def test_a_step_follows_the_gradient_of_likelihood_and_prior(ordered):
    codes, seen = rows(300)
    learner = learner_at(codes, seen, 12, ordered=ordered)
    assert len(learner._ascent._hats) == bool(ordered)
    found = slopes(learner, codes[:200], seen[:200])
    assert np.abs(found[:, 1]).max() > 0.005  # there is something to find
    np.testing.assert_allclose(found[:, 0], found[:, 1], atol=5e-5)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("table += more", "table += 9 * more"),
        ("self._shares[name] * met.sum(1, keepdim=True)", "self._shares[name]"),
        ("div_(n_rows)", "div_(len(self._columns))"),
        ("slope @ self._hats[name].T", "slope @ self._hats[name].T.flip(1)"),
    ],
)
def test_a_wrong_gradient_is_found(right, wrong, monkeypatch):
    plant(monkeypatch, hidden_trees.__name__, right, wrong)
    with pytest.raises(AssertionError):
        test_a_step_follows_the_gradient_of_likelihood_and_prior((1, 4))


def one_step_up(codes, seen, decay):
    """Logits of all tables, by the name of their array: before and after a step up."""
    settings = HiddenSettings(n_states=5, by_em=0.0, decay=decay)
    learner = HiddenTreeLearner(LAYOUT, codes, seen, settings, 0)
    ascent = learner._ascent = hidden_trees._Ascent(learner.tree, settings)
    first = {n: p.detach().clone() for n, p in ascent.descent.now.items()}
    learner.step(codes, seen, 0.0)
    return first, {n: p.detach() for n, p in ascent.descent.now.items()}


def test_a_step_takes_the_share_of_its_decay_off_every_logit():
    codes, seen = rows(200)
    first, free = one_step_up(codes, seen, 0.0)
    _, held = one_step_up(codes, seen, 0.05)
    for name, start in first.items():
        pull = HiddenSettings.rate * 0.05 * start
        torch.testing.assert_close(free[name] - held[name], pull, atol=1e-5, rtol=1e-3)


def test_decay_teaches_more_from_few_rows():
    gained = []
    for seed in range(3):
        codes, seen = rows(1_100, seed, missing=0.0)
        levels = []
        for decay in (0.03, 0.0):
            settings = HiddenSettings(n_states=8, decay=decay)
            made = HiddenTreeLearner(LAYOUT, codes[:100], seen[:100], settings, 0)
            for step in range(150):
                made.step(codes[:100], seen[:100], step / 150)
            levels.append(made.model().log_prob(Evidence(codes[100:], seen[100:])).mean())
        gained.append(levels[0] - levels[1])
    assert np.mean(gained) > 0.005


@pytest.mark.parametrize(
    "law",
    [
        test_a_step_takes_the_share_of_its_decay_off_every_logit,
        test_decay_teaches_more_from_few_rows,
    ],
)
def test_logits_that_do_not_decay_are_found(law, monkeypatch):
    plant(monkeypatch, hidden_trees.__name__, "            settings.decay,\n", "            0.0,\n")
    with pytest.raises(AssertionError):
        law()


def test_climbing_ends_higher_than_em_alone():
    codes, seen = rows(1_500, missing=0.0)
    mean = {}
    for by_em in (0.125, 1.0):
        model = learner_at(codes[:1_000], seen[:1_000], 150, by_em=by_em).model()
        mean[by_em] = model.log_prob(Evidence(codes[:1_000], seen[:1_000])).mean()
    assert mean[0.125] > mean[1.0] + 0.002


def test_the_rows_of_tables_sum_to_one_and_the_snapshot_is_the_average():
    codes, seen = rows(300)
    learner = learner_at(codes, seen, 40)
    now, averaged = learner.tree, learner.model().parts
    for table in (*averaged.transitions, *averaged.emissions):
        np.testing.assert_allclose(table.sum(1), 1, atol=1e-6)
    assert any(
        not np.allclose(a, b) for a, b in zip(now.emissions, averaged.emissions, strict=True)
    )
    assert all(p.requires_grad for p in learner._ascent.descent.now.values())
    assert torch.is_tensor(next(iter(learner._ascent.descent.now.values())))
