"""The continuous families: draws against densities, paths against quadrature and differences."""

import math

import pytest
import torch

from anypart.calculus import gradients as g
from anypart.calculus.gradients import continuous, implicit

from . import oracle
from .planted import planted

MOST = 5.5
N = 40_000

FAMILIES = {
    "normal": (g.Normal, (0.3, 0.7)),
    "logistic": (g.Logistic, (0.3, 0.7)),
    "laplace": (g.Laplace, (0.3, 0.7)),
    "gumbel": (g.Gumbel, (0.3, 0.7)),
    "uniform": (g.Uniform, (0.3, 1.9)),
    "exponential": (g.Exponential, (1.3,)),
    "gamma": (g.Gamma, (2.3, 1.4)),
    "beta": (g.Beta, (1.6, 2.4)),
    "von_mises": (g.VonMises, (0.4, 1.7)),
}


def smooth(z):
    """Period 2π, so that it suits angles too."""
    return (z.sin() + 0.5 * (2 * z).cos()).sum(-1)


def made(family, numbers, n=None, dtype=torch.float64):
    shape = (1,) if n is None else (n, 1)
    return family(*(torch.full(shape, v, dtype=dtype, requires_grad=True) for v in numbers))


def samples(family, numbers, estimator, n=N, seed=0):
    values = [torch.full((n, 1), v, dtype=torch.float64, requires_grad=True) for v in numbers]
    estimator(smooth, family(*values), torch.Generator().manual_seed(seed)).sum().backward()
    return torch.cat([v.grad for v in values], 1)


def truth(family, numbers):
    """Differentiate the integral of density · f by central differences, on a fine grid."""

    def value(*at):
        p = family(*(torch.tensor([v], dtype=torch.float64) for v in at))
        low, high = (end.item() for end in p.interval())
        return oracle.line_integral(
            lambda x: p.log_prob(x[:, None]).exp(), lambda x: smooth(x[:, None]), low, high, 400_001
        )

    slopes = []
    for i in range(len(numbers)):
        moved = lambda v, i=i: value(*numbers[:i], v, *numbers[i + 1 :])  # noqa: E731
        slopes.append(oracle.slope(moved, numbers[i]))
    return torch.tensor(slopes)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_density_integrates_to_one_and_draws_follow_it(name):
    family, numbers = FAMILIES[name]
    p = made(family, numbers)
    low, high = (end.item() for end in p.interval())
    draws = p.sample(N, torch.Generator().manual_seed(1))[:, 0]
    assert not draws.requires_grad
    density = lambda x: p.log_prob(x[:, None]).exp().nan_to_num(0.0)  # noqa: E731
    with torch.no_grad():
        assert oracle.line_integral(density, torch.ones_like, low, high) == pytest.approx(
            1, abs=1e-4
        )
        for f in (torch.sin, torch.cos, lambda x: (x > 0.7).double()):
            expected = oracle.line_integral(density, f, low, high)
            error = f(draws).std().item() / N**0.5
            assert abs(f(draws).mean().item() - expected) < MOST * error + 1e-5


@pytest.mark.parametrize("name", FAMILIES)
def test_the_path_has_the_gradient_of_the_integral(name):
    family, numbers = FAMILIES[name]
    assert (
        oracle.significance(samples(family, numbers, g.Pathwise()), truth(family, numbers)) < MOST
    )


@pytest.mark.parametrize("name", [n for n in FAMILIES if n != "uniform"])
def test_the_score_function_has_it_too(name):
    family, numbers = FAMILIES[name]
    estimator = g.ScoreFunction("leave_one_out", draws=4)
    assert oracle.significance(samples(family, numbers, estimator), truth(family, numbers)) < MOST


@pytest.mark.parametrize("name", FAMILIES)
def test_quadrature_agrees_with_differences_of_the_integral(name):
    family, numbers = FAMILIES[name]
    p = made(family, numbers)
    g.Quadrature()(smooth, p).backward()
    found = torch.autograd.grad(g.Quadrature()(smooth, p).sum(), p.parameters, allow_unused=True)
    torch.testing.assert_close(torch.cat(found).float(), truth(family, numbers), atol=2e-4, rtol=0)


def test_the_path_of_a_point_on_the_simplex_keeps_it_there():
    concentration = torch.tensor([0.8, 2.0, 3.5], dtype=torch.float64)
    weight = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    theta = concentration.expand(N, 3).clone().requires_grad_()
    f = lambda z: (z * weight).sum(-1).square()  # noqa: E731
    z = g.Dirichlet(theta).rsample(1, torch.Generator().manual_seed(2))
    torch.testing.assert_close(z.sum(-1), torch.ones(1, N, dtype=torch.float64))
    f(z).sum().backward()

    def value(a):  # moments of the Dirichlet in closed form
        total = a.sum()
        mean = a / total
        second = (torch.diag(mean) + total * torch.outer(mean, mean)) / (total + 1)
        return weight @ second @ weight

    exact = torch.autograd.functional.jacobian(value, concentration)
    assert oracle.significance(theta.grad, exact) < MOST


@pytest.mark.parametrize("concentration", [1e-3, 0.3, 5.0, 400.0, 1e4])
def test_angles_turn_with_their_concentration_at_any_size(concentration):
    k = torch.full((N, 1), concentration, dtype=torch.float64, requires_grad=True)
    z = g.VonMises(torch.zeros(N, 1, dtype=torch.float64), k).rsample(
        1, torch.Generator().manual_seed(3)
    )
    z.cos().sum().backward()  # E cos z = I1 / I0
    ratio = lambda at: (torch.special.i1e(at) / torch.special.i0e(at)).item()  # noqa: E731
    here = torch.tensor(concentration, dtype=torch.float64)
    slope = (ratio(here * 1.0001) - ratio(here * 0.9999)) / (concentration * 0.0002)
    assert oracle.significance(k.grad, torch.tensor([slope])) < MOST


def test_float32_draws_stay_inside_the_support():
    noise = torch.Generator().manual_seed(4)
    tiny = torch.full((2_000, 1), 1e-2)
    z = g.Beta(tiny, tiny).rsample(1, noise)
    assert ((z > 0) & (z < 1)).all()
    assert g.Gamma(tiny, tiny).rsample(1, noise).min() > 0
    assert g.Exponential(torch.ones(2_000, 1)).rsample(1, noise).isfinite().all()


def test_a_support_that_moves_refuses_the_score_function():
    p = made(g.Uniform, (0.0, 1.0))
    with pytest.raises(g.GradientError, match="Take Pathwise"):
        g.ScoreFunction()(smooth, p)


@pytest.mark.parametrize(
    ("module", "old", "new", "make", "numbers"),
    [
        (implicit, "return -grads[0] * slope", "return grads[0] * slope", "VonMises", (0.4, 1.7)),
        (implicit, "(t.cos() - mean)", "t.cos()", "VonMises", (0.4, 1.7)),
        (
            implicit,
            "generator) / self.rate",
            "generator) / self.rate.detach()",
            "Gamma",
            (2.3, 1.4),
        ),
        (
            continuous,
            "loc + scale * self.quantile(",
            "loc + scale.detach() * self.quantile(",
            "Gumbel",
            (0.3, 0.7),
        ),
    ],
)
def test_planted_bugs_bend_the_path(module, old, new, make, numbers):
    broken = getattr(planted(module, old, new), make)
    family = getattr(g, make)
    try:
        found = samples(broken, numbers, g.Pathwise())
    except TypeError:  # a detached parameter has no gradient at all
        return
    assert oracle.significance(found, truth(family, numbers)) > MOST


def test_the_interval_of_a_family_made_from_uniforms_has_its_ends_in_order():
    for name in ("logistic", "laplace", "gumbel"):
        low, high = made(*FAMILIES[name]).interval()
        assert low.item() < -2 < 20 < high.item()
        assert math.isfinite(low.item())
