"""Contrastive losses against enumeration, and with planted bugs."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from anypart.base.errors import GradientError
from anypart.calculus import contrast
from tests.models.planting import plant

MODULE = "anypart.calculus.contrast"


def uniform(n):
    same = torch.ones(n, 5, dtype=torch.float64)
    return float(contrast.nt_xent(same, same, 0.3))


def test_uniform_similarities_give_the_log_of_the_candidates():
    assert uniform(4) == pytest.approx(math.log(7), abs=1e-12)
    for n in (2, 3, 16):
        assert uniform(n) == pytest.approx(math.log(2 * n - 1), abs=1e-12)
        assert float(contrast.info_nce(torch.zeros(n, n))) == pytest.approx(math.log(n), abs=1e-6)


def by_hand(first, second, temperature):
    views = [*first.tolist(), *second.tolist()]
    n, total = len(first), 0.0

    def cosine(a, b):
        dot = sum(x * y for x, y in zip(a, b, strict=True))
        return dot / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))

    for i, view in enumerate(views):
        partner = (i + n) % (2 * n)
        below = sum(
            math.exp(cosine(view, other) / temperature) for j, other in enumerate(views) if j != i
        )
        total -= math.log(math.exp(cosine(view, views[partner]) / temperature) / below)
    return total / (2 * n)


def off_by_hand():
    rng = torch.Generator().manual_seed(0)
    first, second = torch.randn(2, 5, 3, generator=rng, dtype=torch.float64)
    return abs(float(contrast.nt_xent(first, second, 0.2)) - by_hand(first, second, 0.2))


def test_nt_xent_is_the_sum_over_views():
    assert off_by_hand() < 1e-12


def violation(n_pairs=3, n_critics=60):
    """How far log n − E[loss] exceeds the information, over critics, by enumerating batches.

    Batches of independent pairs of an enumerable joint; the best critic is among them.
    """
    worst = -math.inf
    for seed in range(n_critics):
        rng = np.random.default_rng(seed)
        joint = rng.dirichlet(np.full(6, 0.3)).reshape(2, 3) + 1e-9
        joint /= joint.sum()
        ratio = np.log(joint / joint.sum(1, keepdims=True) / joint.sum(0))
        information = float((joint * ratio).sum())
        critic = ratio if seed % 2 else ratio + rng.normal(size=ratio.shape) * seed / 10
        bound = 0.0
        states = list(itertools.product(range(2), range(3)))
        for batch in itertools.product(states, repeat=n_pairs):
            chance = math.prod(joint[s] for s in batch)
            x, y = (list(part) for part in zip(*batch, strict=True))
            loss = contrast.info_nce(torch.tensor(critic[np.ix_(x, y)]))
            bound += chance * float(contrast.information_bound(loss, n_pairs))
        worst = max(worst, bound - information)
    return worst


def test_the_bound_is_never_violated_on_an_enumerable_joint():
    assert violation(n_critics=30) < 1e-9


BUGS = {
    "the row is its own candidate": (
        "torch.eye(2 * n, dtype=torch.bool), -torch.inf",
        "torch.eye(2 * n, dtype=torch.bool), 0.0",
        lambda: abs(uniform(4) - math.log(7)) > 1e-3,
    ),
    "the partner is another row": ("roll(n)", "roll(1)", lambda: off_by_hand() > 1e-3),
    "no temperature": ("views.T / temperature", "views.T", lambda: off_by_hand() > 1e-3),
    "the log of one more": (
        "math.log(candidates)",
        "math.log(candidates + 1)",
        lambda: violation(n_critics=2) > 1e-3,
    ),
    "the partner is not among the candidates": (
        "cross_entropy(scores, torch.arange(len(scores), device=scores.device))",
        "cross_entropy(scores, torch.arange(len(scores))) - 0 * scores.sum() "
        "+ (torch.log1p(-torch.softmax(scores, 1).diagonal())).mean()",
        lambda: violation(n_critics=2) > 1e-3,
    ),
}


@pytest.mark.parametrize("bug", BUGS)
def test_the_laws_bite(monkeypatch, bug):
    right, wrong, noticed = BUGS[bug]
    plant(monkeypatch, MODULE, right, wrong)
    assert noticed()


def test_without_negatives_one_vector_for_all_is_the_best():
    rng = torch.Generator().manual_seed(0)
    first, second = torch.randn(2, 6, 3, generator=rng)
    same = torch.ones(6, 3)
    some = float(contrast.nt_xent(first, second, negatives=False))
    best = float(contrast.nt_xent(same, same, negatives=False))
    assert best == pytest.approx(-2)
    assert best < some
    assert float(contrast.nt_xent(same, same)) > float(contrast.nt_xent(first, first))


def test_spread_and_rank_tell_a_collapse():
    assert float(contrast.spread(torch.ones(9, 4))) == pytest.approx(0, abs=1e-6)
    assert float(contrast.spread(torch.eye(4))) == pytest.approx(1 - 1 / 4)
    assert float(contrast.effective_rank(torch.eye(4))) == pytest.approx(4)
    line = torch.arange(1.0, 9)[:, None] * torch.ones(4)
    assert float(contrast.effective_rank(line)) == pytest.approx(1, abs=1e-3)


def test_a_row_alone_has_nothing_to_be_told_from():
    with pytest.raises(GradientError, match="two rows or more"):
        contrast.nt_xent(torch.ones(1, 2), torch.ones(1, 2))
