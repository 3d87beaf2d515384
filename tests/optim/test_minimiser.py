"""Distances as losses beside the exact ones, and what each choice reaches."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from tests.models.planting import plant

import anypart as ap
from anypart.base.errors import FitError
from anypart.models.contract import Evidence, Layout
from anypart.optim import finish
from anypart.optim.distances import exact, minimised, objectives
from anypart.optim.distances.models import all_rows, log_probs
from anypart.optim.events import Progress
from anypart.optim.minimiser import DistanceLearner, DistanceSettings
from anypart.optim.plan_file import Member
from anypart.optim.rows import Rows, Split

LAYOUT = Layout((2, 3, 2))
MODULE = "anypart.optim.distances.objectives"
OF_CELLS = (*minimised.LISTED, "forward_kl")


def check_between():
    """The losses are the exact distances, to machine precision (Hellinger squared)."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        p, q = rng.dirichlet(np.full(12, 0.7), 2)
        p[rng.integers(12)] = 0
        p /= p.sum()
        for name in OF_CELLS:
            if name == "reverse_kl":
                p = (p + 1e-3) / (p + 1e-3).sum()
            found = float(objectives.between(name, torch.tensor(p), torch.tensor(np.log(q))))
            wanted = float(getattr(exact, name)(p, q))
            assert found == pytest.approx(wanted**2 if name == "hellinger" else wanted, abs=1e-13)


def mixture(seed):
    gen = torch.Generator().manual_seed(seed)
    weights = torch.randn(3, generator=gen, dtype=torch.float64)
    tables = torch.randn(3, LAYOUT.total, generator=gen, dtype=torch.float64)
    return objectives.Mixture(LAYOUT, weights, tables)


def hot(codes):
    return torch.from_numpy(objectives.one_hot(LAYOUT, codes)).double()


def check_kernel():
    """The loss by pairs of classes is (p − q)ᵀ K (p − q) over all rows, but for pᵀ K p."""
    states = all_rows(LAYOUT.n_cats)
    rng = np.random.default_rng(1)
    codes = states[rng.integers(0, len(states), 50)]
    objective, q = objectives.Kernel(LAYOUT, codes, rng), mixture(0)
    share = np.array([(codes == s).all(1).mean() for s in states])
    probs = q.log_prob(hot(states)).exp().numpy()
    assert probs.sum() == pytest.approx(1, abs=1e-12)
    kernel = objective.rho ** (states[:, None] != states[None]).sum(-1)
    wanted = exact.squared_mmd(share, probs, kernel) - share @ kernel @ share
    assert float(objective.loss(q, hot(codes))) == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("check", [check_between, check_kernel])
def test_losses_are_the_distances(check):
    check()


@pytest.mark.parametrize(
    ("right", "wrong", "check"),
    [
        ("(q * (log_q - log_p)).sum()\n    assert", "(p * (log_q - log_p)).sum()\n    assert",
         check_between),
        ("(log_q / 2).exp()", "log_q.exp()", check_between),
        ("- math.log(2)", "+ math.log(2)", check_between),
        ("self.rho + (1 - self.rho) * d", "self.rho * d", check_kernel),
        ("- 2 * (crossed @ w)", "- (crossed @ w)", check_kernel),
    ],
)  # fmt: skip
def test_planted_bugs_are_caught(monkeypatch, right, wrong, check):
    plant(monkeypatch, MODULE, right, wrong)
    with pytest.raises(AssertionError):
        check()


def two_bells(n=600):
    """Four clusters of 5 columns, of which two classes can only reach some."""
    rng = np.random.default_rng(2)
    centres = np.array([[0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [1, 1, 0, 0, 1], [0, 0, 1, 1, 0]])
    of = rng.choice(4, n, p=[0.4, 0.3, 0.2, 0.1])
    return (centres[of] ^ (rng.random((n, 5)) < 0.08)).astype(np.int32)


def reached(distance, steps=300):
    """Distances of two classes from the rows, trained by one of them."""
    codes, layout = two_bells(), Layout((2,) * 5)
    seen = np.ones(codes.shape, bool)
    settings = DistanceSettings(distance, n_states=2)
    learner = DistanceLearner(layout, codes, seen, settings, 0)
    for step in range(steps):
        learner.step(codes, seen, step / steps)
    q = np.exp(log_probs(learner.model(), all_rows(layout.n_cats)))
    p = np.bincount(np.ravel_multi_index(tuple(codes.T), layout.n_cats), minlength=32) / len(codes)
    return {name: float(getattr(exact, name)(p, q / q.sum())) for name in OF_CELLS} | {
        "level": learner.judge(learner.model(), codes, seen)
    }


def test_what_is_minimised_is_nearer_than_what_another_distance_reaches():
    found = {name: reached(name) for name in ("forward_kl", "jensen_shannon", "total_variation")}
    for one, other in itertools.permutations(found, 2):
        assert found[one][one] <= found[other][one] + 1e-3
    assert found["forward_kl"]["total_variation"] > found["total_variation"]["total_variation"]
    assert found["total_variation"]["forward_kl"] > found["forward_kl"]["forward_kl"] + 0.01
    level = found["total_variation"]
    assert level["level"] == pytest.approx(-level["total_variation"], abs=1e-5)


def test_every_model_answers_any_part_exactly():
    codes = two_bells()
    settings = DistanceSettings("mmd", n_states=3)
    model = DistanceLearner(
        Layout((2,) * 5), codes, np.ones(codes.shape, bool), settings, 0
    ).model()
    seen = np.array([[True, False, True, False, False]])
    part = model.log_prob(Evidence(codes[:1], seen))
    states = all_rows(model.layout.n_cats)
    both = (states[:, [0, 2]] == codes[0, [0, 2]]).all(axis=1)
    assert np.exp(part[0]) == pytest.approx(np.exp(log_probs(model, states))[both].sum(), rel=1e-5)


def rows(gaps=False, n_cols=3):
    rng = np.random.default_rng(3)
    table = {f"c{i}": rng.choice(["a", "b"], 120).tolist() for i in range(n_cols)}
    if gaps:
        table["c0"][5] = None
    return table


@pytest.mark.parametrize(
    ("table", "settings", "words"),
    [
        (rows(), {"distance": "wasserstein"}, "no distance 'wasserstein' .* distance between rows"),
        (rows(), {"distance": "mdm"}, "Did you mean 'mmd'"),
        (rows(gaps=True), {"distance": "mmd"}, "empty cells"),
        (rows(n_cols=20), {"distance": "hellinger"}, r"about 10\^6 .* forward_kl or mmd"),
        (rows(), {"distance": "mmd", "purpose": "any"}, "purpose='distance'"),
    ],
)
def test_what_cannot_be_minimised_is_refused(table, settings, words):
    with pytest.raises(FitError, match=words):
        ap.fit(table, minutes=0.01, **{"purpose": "distance", **settings})


def test_a_fit_by_a_distance_keeps_its_name_and_answers_exactly():
    fitted = ap.fit(rows(), minutes=0.01, purpose="distance", distance="total_variation")
    assert fitted.metadata["distance"] == "total_variation"
    assert dict(fitted.metadata["weights"]) == {"latent_classes": 1.0}
    asked = fitted.ask("c0", given={"c1": "a"})
    assert asked.exact
    assert sum(asked.value["probability"].to_pylist()) == pytest.approx(1)
    assert set(fitted.baselines) == {"independent", "chow_liu"}


def told(distance, folder, monkeypatch):
    """What training tells of a member, while it goes on and at its end."""
    ticks = itertools.count(step=100.0)  # so that it tells after every step
    monkeypatch.setattr("time.monotonic", lambda: next(ticks))
    source = Held(np.random.default_rng(0).integers(0, 2, (200, 3)).astype(np.int32))
    halves = Split(Rows(source, np.arange(50)), *source.rows(np.arange(50)))
    member = Member("m", "latent_classes", {"distance": distance, "n_states": 2}, 0, 20, 50, 5, 9)
    events = []
    events.append(finish.finish_member(member, halves, folder, events.append))
    return events, finish.load_stored(member, folder)


class Held:
    n_rows, n_cats = 200, (2, 2, 2)

    def __init__(self, codes):
        self.codes = codes

    def rows(self, index):
        return self.codes[index], np.ones(self.codes[index].shape, bool)


def check_levels(tmp_path, monkeypatch):
    """What is called a likelihood is one, whatever was minimised."""
    events, stored = told("mmd", tmp_path, monkeypatch)
    mean = stored.valid_log_prob.mean()
    assert events[-1].log_lik == stored.event.log_lik == pytest.approx(mean)
    levels = [e.log_lik for e in events if isinstance(e, Progress)]
    assert len(levels) == 20
    assert set(levels) == {None}


def test_likelihoods_are_told_whatever_is_minimised(tmp_path, monkeypatch):
    check_levels(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("module", "right", "wrong"),
    [
        ("finish", "float(log_prob.mean())", "trained.log_lik"),
        ("loop", "None if isinstance(self.learner, Judge)", "None if False"),
    ],
)
def test_another_measure_called_a_likelihood_is_noticed(
    module, right, wrong, tmp_path, monkeypatch
):
    plant(monkeypatch, f"anypart.optim.{module}", right, wrong)
    with pytest.raises(AssertionError, match=r"^(?!.*times)"):
        check_levels(tmp_path, monkeypatch)
