"""What a training loop may hand in: counts and truth values, mistakes, and parameters gone bad."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from anypart.calculus import gradients as g
from anypart.calculus.gradients import drawing, estimator, families

from .planted import planted

NAN, INF = float("nan"), float("inf")


def logits(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)).requires_grad_()


def square(z):
    return (z - 0.4).square().sum(-1)


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(0, 3), st.booleans())
def test_softmax_is_torchs_for_few_and_many_categories(cats, rows, turned):
    theta = torch.randn(cats, rows, 2).permute(1, 2, 0) if turned else torch.randn(rows, 2, cats)
    theta = (10 * theta).double().requires_grad_()
    weight = torch.randn(rows, 2, cats, dtype=torch.float64)
    found = [f(theta) for f in (drawing.softmax, lambda x: x.softmax(-1))]
    torch.testing.assert_close(*found)
    slopes = [torch.autograd.grad((each * weight).sum(), theta)[0] for each in found]
    torch.testing.assert_close(*slopes)


def test_a_softmax_along_the_wrong_axis_is_noticed():
    broken = planted(drawing, "softmax(0)", "softmax(1)")
    theta = torch.randn(5, 3)
    assert not torch.allclose(broken.softmax(theta), theta.softmax(-1))


BLACK_BOX = [
    g.ScoreFunction("mean"),
    g.ScoreFunction("moving_average"),
    g.ScoreFunction("optimal", draws=3),
    g.ScoreFunction("leave_one_out", draws=2),
    g.NVIL(),
    g.RELAX(lambda z: z.sum(-1)),
    g.DisARM(),
    g.ARM(),
    g.LocalExpectation(),
    g.WithoutReplacement(),
    g.VIMCO(),
    g.Enumeration(),
]


@pytest.mark.parametrize("estimate", BLACK_BOX, ids=lambda e: str(e)[:20])
@pytest.mark.parametrize(
    "f", [lambda z: (z > 0.5).sum(-1), lambda z: (z > 0.5).all(-1)], ids=["count", "truth"]
)
def test_a_count_or_a_truth_value_is_a_reward_like_any_number(estimate, f):
    found = []
    for each in (f, lambda z: f(z).float()):
        theta = logits(4, 3)
        value = copy.deepcopy(estimate)(each, g.Bernoulli(theta), torch.Generator().manual_seed(1))
        value.sum().backward()
        found.append((value.detach(), theta.grad))
    torch.testing.assert_close(found[0], found[1])
    assert found[0][0].dtype == torch.float32


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: g.ReinMax(draws=2.5), "asked for 2.5 draws; it needs a whole number"),
        (lambda: g.DisARM("2"), "asked for '2' draws"),
        (lambda: g.ScoreFunction(draws=0), "asked for 0 draws"),
        (lambda: g.ReinMax(0.0), "temperature is 0.0"),
        (lambda: g.GumbelSoftmax(NAN), "temperature is nan"),
        (lambda: g.StraightThrough(-1.0), "temperature is -1.0"),
        (lambda: g.GumbelRao(0.5, 0), "0 samples"),
        (lambda: g.REBAR(0.0), "temperature is 0.0"),
        (lambda: g.REBAR(scale=0.0), "scale starts at 0.0"),
        (lambda: g.RELAX(square, temperature=0.0), "temperature is 0.0"),
        (lambda: g.Annealed(1.0, 0.0), "from 1.0 to 0.0"),
        (lambda: g.Annealed(1.0, 0.1, 1.5), "keeps 1.5"),
        (lambda: g.ScoreFunction("moving_average", keep=1.0), "keeps 1.0"),
        (lambda: g.NVIL(keep=-0.1), "keeps -0.1"),
        (lambda: g.Normal(torch.zeros(3), torch.ones(2)), "do not broadcast: mean .3,., scale"),
        (lambda: g.Categorical(torch.zeros(2, 3, 0)), "at least one category"),
    ],
)
def test_what_cannot_be_made_is_refused_when_it_is_made(make, words):
    with pytest.raises(g.GradientError, match=words):
        make()


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (g.Bernoulli(torch.tensor([[NAN, 1.0], [INF, 0.0]])), "2 of 4 values of logits are not"),
        (g.Categorical(torch.tensor([[[NAN, 1.0]]])), "1 of 1 choices have NaN"),
        (g.Categorical(torch.full((1, 2, 3), -INF)), "2 of 2 choices have .* no category left"),
        (g.Normal(torch.zeros(2), torch.zeros(2)), "2 of 2 values of scale are not finite and abo"),
        (g.Logistic(torch.zeros(2), -torch.ones(2)), "values of scale"),
        (g.Exponential(torch.zeros(2)), "values of rate"),
        (g.Gamma(torch.ones(2), torch.zeros(2)), "values of rate"),
        (g.Beta(torch.zeros(2), torch.ones(2)), "values of a "),
        (g.Dirichlet(-torch.ones(2)), "values of concentration"),
        (g.VonMises(torch.zeros(2), torch.zeros(2)), "values of concentration"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_parameters_that_describe_no_distribution_are_refused(p, words):
    with pytest.raises(g.GradientError, match=words):
        g.ScoreFunction()(lambda z: z.flatten(len(z.shape) - p.event_dims).sum(-1), p)


def test_a_category_may_be_ruled_out():
    theta = torch.tensor([[[0.0, -INF, 1.0]]], requires_grad=True)
    value = g.ReinMax()(lambda z: z[..., 0, 0], g.Categorical(theta))
    value.sum().backward()
    assert theta.grad.isfinite().all()


def test_a_check_that_is_forgotten_lets_a_nan_through():
    silent = planted(estimator, "            p.check()\n", "            pass\n")

    class Plain(silent.Estimator):
        claim = silent.Claim(unbiased=True, smooth=False, source="")

        def forward(self, f, p, generator=None):
            return f(p.sample(1, generator)).mean(0)

    assert Plain()(square, g.Bernoulli(torch.full((2, 3), NAN))).isfinite().all()
    lenient = planted(families, "tensor > 0)", "tensor > -2)")
    lenient.Family.above_zero = ("logits",)
    lenient.Bernoulli(torch.tensor([-1.0])).check()


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda z: 1.0, "f gave float, not a tensor"),
        (lambda z: z.numpy().sum(-1), "f gave ndarray, not a tensor"),
        (lambda z: z, r"f gave shape \(2, 3, 2\)"),
        (lambda z: z.sum(), r"f gave shape \(\)"),
    ],
)
def test_an_f_that_gives_something_else_is_refused(f, words):
    with pytest.raises(g.GradientError, match=words):
        g.DisARM()(f, g.Bernoulli(torch.zeros(3, 2)))


@pytest.mark.parametrize(
    ("estimate", "words"),
    [
        (g.RELAX(lambda z: z), r"RELAX's control variate gave shape \(1, 3, 2\)"),
        (g.NVIL(torch.nn.Linear(2, 3)), r"NVIL's baseline gave shape \(3, 3\)"),
    ],
)
def test_a_network_of_the_wrong_shape_is_named(estimate, words):
    with pytest.raises(g.GradientError, match=words):
        estimate(square, g.Bernoulli(logits(3, 2)))


def test_a_network_may_end_in_an_axis_of_one():
    for estimate in (g.NVIL(torch.nn.Linear(2, 1)), g.RELAX(torch.nn.Linear(2, 1))):
        assert estimate(square, g.Bernoulli(logits(3, 2))).shape == (3,)


@pytest.mark.parametrize("name", ["rebar", "muprop", "relax", "reinmax", "disarm", "nvil"])
def test_without_gradients_no_graph_is_kept(name):
    p = g.Bernoulli(logits(3, 2))
    estimate = g.find_estimator(name, g.Bernoulli(torch.zeros(2)))
    with torch.no_grad():
        assert not estimate(square, p).requires_grad
    assert estimate(square, p).requires_grad


@pytest.mark.parametrize("name", g.CATALOGUE)
@pytest.mark.parametrize("shape", [(0, 3), (4, 0)])
def test_an_empty_batch_and_no_coordinates_give_empty_gradients(name, shape):
    theta = logits(*shape)
    estimate = g.find_estimator(name, g.Bernoulli(torch.zeros(3)))
    if not isinstance(g.Bernoulli(theta), estimate.families) or (
        shape[1] == 0 and list(estimate.parameters())[1:]  # a network of 3 inputs
    ):
        return
    if name == "score-mean" and shape[0] == 0:
        with pytest.raises(g.GradientError, match="the batch has 0"):
            estimate(square, g.Bernoulli(theta))
        return
    value = estimate(square, g.Bernoulli(theta))
    assert value.shape == shape[:1]
    value.sum().backward()
    assert theta.grad is None or theta.grad.shape == shape
