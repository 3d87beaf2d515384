import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from anypart.calculus import gradients as g
from anypart.calculus.gradients import drawing, gumbel

from .planted import planted

P = torch.tensor([0.1, 0.2, 0.3, 0.4])
N = 200_000
# A frequency of N draws strays by 6 standard errors once in 5e8: .0066 at p = .4.
NEAR = 0.0066


def noise(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gumbel_max_and_the_inverse_of_sums_draw_from_p(dtype):
    logits = P.to(dtype).log().expand(N, 4)
    for draws in (g.gumbel_max(logits, noise()), drawing.pick(P.to(dtype).expand(N, 4), noise())):
        assert draws.dtype == dtype
        assert torch.equal(draws.sum(-1), torch.ones(N, dtype=dtype))
        torch.testing.assert_close(draws.mean(0), P.to(dtype), atol=NEAR, rtol=0)


def test_logits_need_no_normalising():
    shifted = g.gumbel_softmax(P.log() + 5, 0.7, generator=noise())
    torch.testing.assert_close(shifted, g.gumbel_softmax(P.log(), 0.7, generator=noise()))


def test_the_four_steps_of_the_proof_of_gumbel_max():
    # (a) given eps_1, category 1 wins by k − 1 independent inequalities, (b) each of
    # probability eps_1^(p_i / p_1), (c) together eps_1^(1/p_1 − 1), (d) whose integral is p_1.
    p1 = P[0].double()
    first = torch.linspace(0.05, 0.95, 7, dtype=torch.float64)
    score = lambda eps, p: torch.log(p) - torch.log(-torch.log(eps))  # noqa: E731
    eps = torch.rand(N, dtype=torch.float64, generator=noise(1))
    for other in P[1:].double():
        wins = (score(first[:, None], p1) > score(eps, other)).double().mean(1)
        torch.testing.assert_close(wins, first ** (other / p1), atol=NEAR, rtol=0)
    product = torch.stack([first ** (other / p1) for other in P[1:].double()]).prod(0)
    torch.testing.assert_close(product, first ** (1 / p1 - 1))
    line = torch.linspace(0, 1, 100_001, dtype=torch.float64)
    assert torch.trapezoid(line ** (1 / p1 - 1), line).item() == pytest.approx(0.1, abs=1e-6)


@pytest.mark.parametrize(
    ("temperature", "mean"),
    [
        (5.0, [0.2128, 0.2438, 0.2641, 0.2793]),
        (1.0, [0.1332, 0.2192, 0.2920, 0.3555]),
        (0.1, [0.1005, 0.2001, 0.3003, 0.3991]),
    ],
)
def test_the_mean_of_the_relaxed_draw_is_not_p(temperature, mean):
    draws = g.gumbel_softmax(P.log().expand(N, 4), temperature, generator=noise())
    torch.testing.assert_close(draws.mean(0), torch.tensor(mean), atol=0.006, rtol=0)


@pytest.mark.parametrize(
    ("temperature", "share"), [(1.0, 0.008), (0.5, 0.118), (0.1, 0.707), (0.01, 0.968)]
)
def test_small_temperatures_are_mostly_one_hot(temperature, share):
    draws = g.gumbel_softmax(P.log().expand(N, 4), temperature, generator=noise())
    found = (draws.amax(-1) > 0.99).float().mean().item()
    assert found == pytest.approx(share, abs=0.006)


def test_gradients_at_small_temperatures_are_mostly_zero_and_rarely_huge():
    sizes = {}
    for temperature in (1.0, 0.1):
        y = g.gumbel_softmax(P.log().double().expand(N, 4), temperature, generator=noise())
        sizes[temperature] = (y * (1 - y) / temperature).abs()  # dy_i / do_i
    assert sizes[1.0].median().item() == pytest.approx(0.122, abs=0.01)
    assert sizes[0.1].median().item() < 1e-4
    assert sizes[1.0].square().mean().item() == pytest.approx(0.023, abs=0.003)
    assert sizes[0.1].square().mean().item() == pytest.approx(0.29, abs=0.03)


def test_plain_softmax_only_reaches_the_largest_entry():
    plain = (P.log() / 0.01).softmax(-1)
    torch.testing.assert_close(plain, torch.tensor([0.0, 0, 0, 1]), atol=1e-6, rtol=0)


def test_gumbels_have_their_moments_and_their_maximum():
    draws = g.gumbels(P.double().expand(N, 4), noise())
    assert draws.mean().item() == pytest.approx(0.5772, abs=0.01)
    assert draws.var().item() == pytest.approx(math.pi**2 / 6, abs=0.03)
    shifted = (draws + 2.5 + P.log()).amax(-1)  # a Gumbel around logsumexp = 2.5
    assert shifted.mean().item() == pytest.approx(3.0772, abs=0.02)
    assert shifted.var().item() == pytest.approx(math.pi**2 / 6, abs=0.05)


def test_hard_draws_carry_the_relaxed_gradient():
    weights = torch.tensor([1.0, -2.0, 0.5, 3.0])
    gradients = []
    for hard in (False, True):
        logits = P.log().clone().requires_grad_()
        draw = g.gumbel_softmax(logits, 0.5, hard=hard, generator=noise(3))
        (draw * weights).sum().backward()
        gradients.append(logits.grad)
    assert set(draw.tolist()) == {0.0, 1.0}
    torch.testing.assert_close(*gradients)


def test_relaxed_draws_pass_gradcheck():
    logits = P.double().log().requires_grad_()
    for temperature in (0.3, 1.0, 4.0):
        assert torch.autograd.gradcheck(
            lambda t, at=temperature: g.gumbel_softmax(t, at, generator=noise()), (logits,)
        )


def test_straight_through_has_the_gradient_of_the_softmax():
    logits = P.log().clone().requires_grad_()
    weights = torch.tensor([1.0, -2.0, 0.5, 3.0])
    (g.categorical_straight_through(logits, 0.7, noise()) * weights).sum().backward()
    other = P.log().clone().requires_grad_()
    ((other / 0.7).softmax(-1) * weights).sum().backward()
    torch.testing.assert_close(logits.grad, other.grad)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from([-50.0, 0.0, 50.0]), min_size=1, max_size=5), st.integers(0, 99))
def test_extreme_logits_and_one_category_stay_finite(logits, seed):
    for dtype in (torch.float32, torch.float64):
        theta = torch.tensor([logits], dtype=dtype).requires_grad_()
        for hard in (False, True):
            for temperature in (0.01, 1.0):
                draw = g.gumbel_softmax(theta, temperature, hard=hard, generator=noise(seed))
                (draw * torch.arange(len(logits))).sum().backward()
                assert draw.isfinite().all()
                assert theta.grad.isfinite().all()


def test_a_category_of_probability_zero_is_never_drawn():
    probs = torch.tensor([0.0, 0.3, 0.7, 0.0]).expand(N, 4)
    draws = drawing.pick(probs, noise())
    assert draws[:, [0, 3]].sum() == 0


def test_uniforms_are_never_zero_or_one(monkeypatch):
    step = 2.0**-24
    for edge in (0.0, 1 - step):
        monkeypatch.setattr(torch, "rand", lambda shape, edge=edge, **_: torch.full(shape, edge))
        u = drawing.uniforms(torch.zeros(1), (3,), None)
        assert ((u > 0) & (u < 1)).all()


def test_annealing_starts_at_the_start_and_keeps_a_share_of_the_excess():
    schedule = g.Annealed(1.0, 0.01, 0.999)
    assert schedule(0) == 1.0
    assert (schedule(8) - 0.01) / (schedule(7) - 0.01) == pytest.approx(0.999)


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_a_temperature_that_is_not_above_zero_is_refused(temperature):
    with pytest.raises(g.GradientError, match="must be above 0"):
        g.gumbel_softmax(P.log(), temperature)


def test_planted_bugs_break_the_frequencies():
    for old, new in [
        (".log_().neg_().log_().neg_()", ".log_().neg_().log_()"),
        ("logits.detach() + gumbels", "logits.detach().exp() + gumbels"),
    ]:
        broken = planted(gumbel, old, new)
        draws = broken.gumbel_max(P.log().expand(N, 4), noise())
        assert (draws.mean(0) - P).abs().max() > 5 * NEAR


def test_a_forgotten_temperature_breaks_the_mean():
    broken = planted(gumbel, "else noisy / temperature)", "else noisy)")
    draws = broken.gumbel_softmax(P.log().expand(N, 4), 5.0, generator=noise())
    assert (draws.mean(0) - torch.tensor([0.2128, 0.2438, 0.2641, 0.2793])).abs().max() > 0.03
