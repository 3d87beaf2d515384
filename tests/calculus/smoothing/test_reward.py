"""The metric as a reward: its exact form beside the exact expectation, and an unbiased draw."""

from __future__ import annotations

import importlib

import pytest
import torch
from tests.data.planted import planted

from anypart.calculus.gradients import Enumeration, ScoreFunction
from anypart.calculus.smoothing import metrics
from anypart.calculus.smoothing.metrics import logits

reward = importlib.import_module("anypart.calculus.smoothing.metrics.reward")
Y = torch.tensor([1, 0, 0, 1, 1])


def scores(*shape):
    z = torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    return z.requires_grad_()


def enumerated_reward_is_the_exact_expectation(module):
    z = scores(5)
    found = module.as_reward(metrics.f1, z, Y, Enumeration())
    want = metrics.expected_f_beta(logits(z), Y)
    assert found.item() == pytest.approx(want.item(), abs=1e-9)
    for a, b in zip(torch.autograd.grad(found, z), torch.autograd.grad(want, z), strict=True):
        assert torch.allclose(a, b, atol=1e-9)


def test_the_enumerated_reward_is_the_exact_expected_f():
    enumerated_reward_is_the_exact_expectation(reward)


def test_the_law_notices_the_opposite_decisions():
    broken = planted(reward, "probabilities(d)", "probabilities(1 - d)")
    with pytest.raises(AssertionError, match="assert"):
        enumerated_reward_is_the_exact_expectation(broken)


def test_the_expected_accuracy_of_classes_is_the_smooth_accuracy():
    z, y = scores(4, 3), torch.tensor([0, 2, 1, 1])
    found = reward.as_reward(metrics.accuracy, z, y, Enumeration())
    assert found.item() == pytest.approx(metrics.accuracy(logits(z), y).item())


def test_the_score_functions_mean_is_the_exact_slope():
    torch.manual_seed(0)
    z = scores(5)
    (want,) = torch.autograd.grad(metrics.expected_f_beta(logits(z), Y), z)
    estimate = ScoreFunction("leave_one_out", draws=4)
    each = torch.stack(
        [
            torch.autograd.grad(reward.as_reward(metrics.f1, z, Y, estimate), z)[0]
            for _ in range(200)
        ]
    )
    error = each.std(0) / 200**0.5
    assert ((each.mean(0) - want).abs() < 4.5 * error).all()
