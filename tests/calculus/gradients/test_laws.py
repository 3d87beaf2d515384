"""Every estimator of the catalogue against enumeration, and bugs that the laws catch.

The stated error rate: a law calls an unbiased estimator biased if a coordinate strays by more
than 5.5 standard errors, once in 2 million runs for the 14 coordinates of a problem.
"""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from anypart.calculus import gradients as g
from anypart.calculus.gradients import (
    binary,
    control,
    hard,
    judge,
    local,
    many_draws,
    rebar,
    without_replacement,
)
from anypart.calculus.gradients.families import Finite

from . import oracle
from .planted import planted
from .problems import BITS, DISCRETE, pairs, replicates, table

MOST = 5.5
N = 12_000
MULTI = "vimco"

DRAWN = [name for name in g.CATALOGUE if name not in ("quadrature", "pathwise", "enumeration")]
UNBIASED = [
    name
    for name in DRAWN
    if name != MULTI and g.find_estimator(name, g.Bernoulli(BITS)).claim.unbiased
]


def truth(name):
    family, logits, f = DISCRETE[name]
    exact = oracle.bernoulli_gradient if family is g.Bernoulli else oracle.categorical_gradient
    return exact(logits, f)[1]


def cases(names):
    return list(_cases(names))


def _cases(names):
    for name in names:
        for problem, (family, logits, _) in DISCRETE.items():
            if issubclass(family, g.find_estimator(name, family(logits)).families):
                yield name, problem


def strays(estimator, name, n=N):
    family, logits, f = DISCRETE[name]
    return oracle.significance(
        replicates(estimator, family, logits, f, n, chunk=n // 4), truth(name)
    )


@pytest.mark.parametrize(("name", "problem"), cases(UNBIASED))
def test_the_mean_of_an_unbiased_estimator_is_the_gradient(name, problem):
    family, logits, _ = DISCRETE[problem]
    torch.manual_seed(3)
    assert strays(g.find_estimator(name, family(logits)), problem) < MOST


@pytest.mark.parametrize("name", ["rebar", "relax", "relax-smooth", "nvil"])
def test_learning_its_own_parameters_leaves_the_mean_alone(name):
    torch.manual_seed(4)
    family, logits, f = DISCRETE["bits"]
    p = family(logits)
    estimator = g.NVIL(g.small_network(p)) if name == "nvil" else g.find_estimator(name, p)
    before = [t.detach().clone() for t in estimator.parameters()]
    optimizer = torch.optim.Adam(estimator.parameters(), lr=0.05)
    for _ in range(40):
        optimizer.zero_grad()
        theta = logits.expand(16, 4).clone().requires_grad_()
        estimator(f, g.Bernoulli(theta)).mean().backward()
        optimizer.step()
    moved = [(a - b).abs().max() for a, b in zip(before, estimator.parameters(), strict=True)]
    assert min(moved) > 1e-3
    assert strays(estimator.eval(), "bits") < MOST


@pytest.mark.parametrize(
    ("module", "old", "new", "make"),
    [
        # a dropped factor
        (binary, "return 0.5 * (one - two)", "return (one - two)", lambda m: m.DisARM()),
        (binary, "logits.abs().sigmoid()", "logits.sigmoid()", lambda m: m.DisARM()),
        (binary, "return u - 0.5", "return (u - 0.5) / 2", lambda m: m.ARM()),
        (binary, "(u > 1 - probs)", "(u > probs)", lambda m: m.DisARM()),
        # one uniform for all coordinates
        (
            rebar,
            "uniforms(log_p, shape, generator).log().neg().log()  # one uniform per category",
            "uniforms(log_p, shape[:-2] + (1, 1), generator).log().neg().log().expand(shape)",
            lambda m: m.REBAR(),
        ),
        # a detached term
        (
            rebar,
            "control[0] - control[1])",
            "control[0] - control[1].detach())",
            lambda m: m.REBAR(),
        ),
        (control, "(slope[0] * p.probs)", "(slope[0] * p.probs.detach())", lambda m: m.MuProp()),
        (control, "fixed[-1:] - linear", "fixed[-1:]", lambda m: m.MuProp()),
        (
            rebar,
            "torch.where(hard > 0, -first,",
            "torch.where(hard > 0, first,",
            lambda m: m.REBAR(),
        ),
        (
            without_replacement,
            "pairs * fixed.unsqueeze(-2)).sum(-1)",
            "fixed.unsqueeze(-2)).sum(-1)",
            lambda m: m.WithoutReplacement(),
        ),
        (
            without_replacement,
            "all_of).exp(), (pairs",
            "all_of).exp() ** 0.5, (pairs",
            lambda m: m.WithoutReplacement(),
        ),
        (
            local,
            "table.detach()).sum(0).sum(-1)",
            "table.detach()).sum(0).mean(-1)",
            lambda m: m.LocalExpectation(),
        ),
        (local, "other * choice.probs", "z * choice.probs", lambda m: m.LocalExpectation()),
    ],
)
def test_planted_bugs_move_the_mean(module, old, new, make):
    assert strays(make(planted(module, old, new)), "bits", 40_000) > MOST


def test_vimco_has_the_gradient_of_its_own_objective():
    family, logits, f = g.Bernoulli, BITS[:2], lambda z: z[..., 0] - 2 * z[..., 1] * z[..., 0]
    theta = logits.clone().requires_grad_()
    probs = torch.sigmoid(theta)
    total = 0.0  # every triple of states, in plain loops
    states = [torch.tensor([a, b], dtype=torch.float64) for a in (0, 1) for b in (0, 1)]
    chance = lambda z: (z * probs + (1 - z) * (1 - probs)).prod()  # noqa: E731
    for x in states:
        for y in states:
            for z in states:
                weight = chance(x) * chance(y) * chance(z)
                total = total + weight * (f(x).exp() + f(y).exp() + f(z).exp()).div(3).log()
    total.backward()
    estimator = g.VIMCO(draws=3)
    torch.testing.assert_close(estimator.target(f, family(logits)), total.detach())
    found = replicates(estimator, family, logits, f, 40_000)
    assert oracle.significance(found, theta.grad) < MOST
    plain = oracle.bernoulli_gradient(logits, f)[1]
    assert oracle.significance(found, plain) > MOST  # and not that of E f
    broken = planted(
        many_draws, "fixed.logsumexp(0) - without", "0 * fixed.logsumexp(0) - 2 * without"
    )
    wrong = replicates(broken.VIMCO(draws=3), family, logits, f, 40_000)
    assert oracle.significance(wrong, theta.grad) > MOST


def test_straight_through_is_exact_for_a_linear_f_and_reinmax_for_a_quadratic_one():
    logits = torch.tensor([[0.5, -1.0, 0.2]], dtype=torch.float64)
    weight = torch.tensor([1.0, -2.0, 0.7], dtype=torch.float64)
    linear = lambda z: (z[..., 0, :] * weight).sum(-1)  # noqa: E731
    mixed = torch.randn(3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    square = lambda z: torch.einsum("...i,ij,...j->...", z[..., 0, :], mixed, z[..., 0, :])  # noqa: E731
    for estimator, f, exact in [
        (g.StraightThrough(), linear, True),
        (g.ReinMax(), linear, True),
        (g.StraightThrough(), square, False),
        (g.ReinMax(), square, True),
    ]:
        found = replicates(estimator, g.Categorical, logits, f, 20_000)
        off = oracle.significance(found, oracle.categorical_gradient(logits, f)[1])
        assert off < MOST if exact else off > MOST


def test_a_half_forgotten_in_reinmax_is_noticed():
    broken = planted(hard, "alpha=0.5", "alpha=1.0")
    logits = torch.tensor([[0.5, -1.0, 0.2]], dtype=torch.float64)
    weight = torch.tensor([1.0, -2.0, 0.7], dtype=torch.float64)
    linear = lambda z: (z[..., 0, :] * weight).sum(-1)  # noqa: E731
    found = replicates(broken.ReinMax(), g.Categorical, logits, linear, 5_000)
    assert oracle.significance(found, oracle.categorical_gradient(logits, linear)[1]) > MOST


@pytest.mark.parametrize("temperature", [0.5, 1.0, 0.8])
def test_gumbel_rao_has_the_mean_of_straight_through_gumbel_and_less_variance(temperature):
    _, logits, f = DISCRETE["choices"]
    rao = replicates(g.GumbelRao(temperature, 16), g.Categorical, logits, f, 20_000)
    plain = replicates(g.GumbelSoftmax(temperature, hard=True), g.Categorical, logits, f, 20_000, 1)
    errors = (rao.var(0) + plain.var(0)).div(20_000).sqrt()
    assert ((rao.mean(0) - plain.mean(0)).abs() / errors).max() < MOST
    assert rao.var(0).sum() < plain.var(0).sum()
    for old, new in [
        ("/ _cats_first(probs)", "* _cats_first(probs)"),
        (".add_(first)", ".add_(2 * first)"),
    ]:
        broken = planted(hard, old, new)
        wrong = replicates(broken.GumbelRao(temperature, 16), g.Categorical, logits, f, 20_000)
        assert ((wrong.mean(0) - plain.mean(0)).abs() / errors).max() > MOST


@pytest.mark.parametrize("name", [*DRAWN, "enumeration"])
def test_the_value_is_an_unbiased_estimate_too(name):
    family, logits, f = DISCRETE["bits"]
    estimator = g.find_estimator(name, family(logits)).eval()
    if name in (MULTI, "gumbel-softmax"):
        return  # their objective is another one
    values = estimator(f, family(logits.expand(N, 4)), torch.Generator().manual_seed(5))
    value, _ = oracle.bernoulli_gradient(logits, f)
    assert values.shape == (N,)
    assert oracle.significance(values.detach().unsqueeze(1), torch.tensor([value])) < MOST


@pytest.mark.parametrize("name", [*DRAWN, "enumeration"])
def test_the_own_parameters_of_f_get_their_gradient(name):
    family, logits, f = DISCRETE["bits"]
    weight = torch.zeros(N, dtype=torch.float64, requires_grad=True)
    estimator = g.find_estimator(name, family(logits)).eval()
    if name in (MULTI, "gumbel-softmax"):
        return
    p = family(logits.expand(N, 4).clone().requires_grad_())
    estimator(lambda z: weight.exp() * f(z), p, torch.Generator().manual_seed(6)).sum().backward()
    value, _ = oracle.bernoulli_gradient(logits, f)
    assert oracle.significance(weight.grad.unsqueeze(1), torch.tensor([value])) < MOST


def test_a_maximiser_trains_the_own_parameters_in_the_same_direction():
    family, logits, f = DISCRETE["bits"]
    for make in (g.REBAR, lambda: g.NVIL(g.small_network(family(logits)))):
        slopes = []
        torch.manual_seed(7)
        estimator = make()
        for sign in (1.0, -1.0):
            estimator.zero_grad()
            theta = logits.expand(8, 4).clone().requires_grad_()
            value = estimator.train()(f, family(theta), torch.Generator().manual_seed(8))
            if isinstance(estimator, g.NVIL):
                estimator.calls.zero_()
                estimator.moments.zero_()
            (sign * value.mean()).backward()
            slopes.append(next(estimator.parameters()).grad.clone())
        torch.testing.assert_close(*slopes)


@settings(max_examples=12, deadline=None)
@given(
    name=st.sampled_from([*DRAWN, "enumeration"]),
    logits=st.lists(st.sampled_from([-50.0, -1.0, 0.0, 50.0]), min_size=1, max_size=3),
    double=st.booleans(),
    seed=st.integers(0, 9),
)
def test_extreme_logits_give_finite_gradients_in_both_precisions(name, logits, double, seed):
    dtype = torch.float64 if double else torch.float32
    theta = torch.tensor([logits, logits], dtype=dtype, requires_grad=True)
    p = g.Bernoulli(theta)
    estimator = g.find_estimator(name, g.Bernoulli(theta.detach()[0]))
    value = estimator(lambda z: (z - 0.4).square().sum(-1), p, torch.Generator().manual_seed(seed))
    value.sum().backward()
    assert value.dtype == theta.grad.dtype == dtype
    assert value.isfinite().all()
    assert theta.grad.isfinite().all()


@pytest.mark.parametrize("name", [n for n, problem in cases(DRAWN) if problem == "choices"])
def test_one_category_has_no_gradient_and_odd_layouts_change_nothing(name):
    lone = torch.randn(3, 2, 1, dtype=torch.float64, requires_grad=True)
    f = lambda z: z.square().sum((-1, -2)) + z[..., 0].sum(-1)  # noqa: E731
    estimator = g.find_estimator(name, g.Categorical(lone.detach()[0]))
    estimator(f, g.Categorical(lone), torch.Generator().manual_seed(1)).sum().backward()
    assert lone.grad.abs().max() < 1e-12
    base = torch.randn(3, 4, 2, dtype=torch.float64)
    found = []
    for logits in (base.mT, base.mT.contiguous()):
        theta = logits.detach().requires_grad_()
        torch.manual_seed(0)
        estimator = g.find_estimator(name, g.Categorical(theta.detach()[0]))
        estimator(f, g.Categorical(theta), torch.Generator().manual_seed(1)).sum().backward()
        found.append(theta.grad)
    torch.testing.assert_close(*found)


@pytest.mark.parametrize("name", [n for n, problem in cases(DRAWN) if problem == "bits"])
def test_an_element_of_the_batch_does_not_see_the_others(name):
    if name == "score-mean":
        return  # its baseline is the others
    family, logits, f = DISCRETE["bits"]
    torch.manual_seed(0)
    estimator = g.find_estimator(name, family(logits)).eval()
    theta = torch.randn(5, 4, dtype=torch.float64, requires_grad=True)
    value = estimator(f, family(theta), torch.Generator().manual_seed(1))
    (gradient,) = torch.autograd.grad(value[2], theta)
    assert gradient[[0, 1, 3, 4]].abs().max() == 0
    assert name == "gumbel-softmax" or value.dim() == 1


def test_the_number_of_evaluations_is_as_stated():
    for name, problem in cases(DRAWN):
        family, logits, f = DISCRETE[problem]
        counted = judge._Counted(f)
        p = family(logits.expand(2, *logits.shape))
        estimator = g.find_estimator(name, family(logits))
        estimator(counted, p)
        assert counted.rows == estimator.evaluations(p), name


def test_disarm_has_no_variance_on_the_toy_and_storchastics_faults_are_not_ours():
    theta = torch.zeros(500, 1, dtype=torch.float64, requires_grad=True)
    toy = lambda z: (z - 0.499).square().sum(-1)  # noqa: E731
    g.DisARM()(toy, g.Bernoulli(theta), torch.Generator().manual_seed(0)).sum().backward()
    torch.testing.assert_close(theta.grad, torch.full_like(theta, 0.0005), rtol=1e-12, atol=0)
    estimator = g.REBAR()
    drawn = estimator._draw(g.Bernoulli(torch.zeros(1, 3)), torch.Generator().manual_seed(0))
    assert len(set(drawn[2].flatten().tolist())) == 6  # a uniform of its own for every latent


def test_finite_families_are_the_same_by_two_categories():
    p = g.Bernoulli(BITS)
    assert isinstance(p, Finite)
    torch.testing.assert_close(p.as_categorical().probs[:, 0], p.probs)
    both = torch.eye(2, dtype=torch.float64)[torch.tensor([0, 1, 1, 0])]
    assert p.from_categorical(both).tolist() == [1, 0, 0, 1]
    assert pairs(p.states()).shape == (16,)
    assert table(g.Categorical(DISCRETE["choices"][1]).states()).shape == (9,)


def test_gumbel_top_k_draws_one_after_the_other_from_what_is_left():
    p = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
    n = 60_000
    drawn = g.gumbel_top_k(p.log().expand(n, 4), 2, torch.Generator().manual_seed(0))
    for a in range(4):
        for b in range(4):
            exact = 0.0 if a == b else (p[a] * p[b] / (1 - p[a])).item()
            found = ((drawn[:, 0] == a) & (drawn[:, 1] == b)).double().mean().item()
            assert abs(found - exact) < 5.5 * (exact * (1 - exact) / n) ** 0.5 + 1e-12
    with pytest.raises(g.GradientError, match="5 of 4 categories"):
        g.gumbel_top_k(p.log(), 5)


def test_with_every_state_drawn_the_gradient_is_exact():
    _, logits, f = DISCRETE["choices"]
    theta = logits.clone().requires_grad_()
    value = g.WithoutReplacement(draws=20)(f, g.Categorical(theta))
    value.backward()
    exact, slope = oracle.categorical_gradient(logits, f)
    assert value.item() == pytest.approx(exact)
    torch.testing.assert_close(theta.grad, slope)


def test_without_replacement_has_less_variance_than_leave_one_out():
    _, logits, f = DISCRETE["choices"]
    spread = [
        replicates(e, g.Categorical, logits, f, 8_000).var(0).sum()
        for e in (g.WithoutReplacement(draws=4), g.ScoreFunction("leave_one_out", draws=4))
    ]
    assert spread[0] < 0.8 * spread[1]
