import math

import pytest
import torch

from anypart.calculus import gradients as g
from anypart.calculus.gradients import exact

from . import oracle
from .planted import planted
from .problems import BITS, CHOICES, pairs, table


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_enumeration_of_bits_is_the_sum_over_states(dtype):
    value, gradient = oracle.bernoulli_gradient(BITS, pairs)
    logits = BITS.to(dtype, copy=True).requires_grad_()
    found = g.Enumeration()(pairs, g.Bernoulli(logits))
    found.backward()
    assert found.dtype == dtype
    assert found.item() == pytest.approx(value, rel=1e-5)
    torch.testing.assert_close(logits.grad.double(), gradient, rtol=1e-5, atol=1e-6)


def test_enumeration_of_choices_is_the_sum_over_states():
    value, gradient = oracle.categorical_gradient(CHOICES, table)
    logits = CHOICES.clone().requires_grad_()
    found = g.Enumeration()(table, g.Categorical(logits))
    found.backward()
    assert found.item() == pytest.approx(value)
    torch.testing.assert_close(logits.grad, gradient)


def test_enumeration_has_gradients_of_every_order():
    logits = BITS[:2].clone().requires_grad_()
    f = lambda z: (z[..., 0] * z[..., 1] + z[..., 0]).exp()  # noqa: E731
    call = lambda t: g.Enumeration()(f, g.Bernoulli(t))  # noqa: E731
    assert torch.autograd.gradcheck(call, (logits,))
    assert torch.autograd.gradgradcheck(call, (logits,))


def test_enumeration_works_on_a_batch_of_several_axes():
    logits = torch.randn(2, 3, 4, dtype=torch.float64)
    batched = g.Enumeration()(pairs, g.Bernoulli(logits))
    alone = [[g.Enumeration()(pairs, g.Bernoulli(row)).item() for row in part] for part in logits]
    torch.testing.assert_close(batched, torch.tensor(alone, dtype=torch.float64))


def test_enumeration_refuses_with_the_cost():
    with pytest.raises(g.GradientError, match=r"100 coordinates is 1\.27e30 evaluations"):
        g.Enumeration()(pairs, g.Bernoulli(torch.zeros(100)))
    with pytest.raises(g.GradientError, match=r"Enumerating 4 coordinates is 3\.2e2"):
        g.Enumeration(limit=319)(pairs, g.Bernoulli(torch.zeros(20, 4)))
    g.Enumeration(limit=320)(pairs, g.Bernoulli(torch.zeros(20, 4)))


def test_quadrature_is_the_integral_and_its_gradient():
    def density(mean, scale):
        return lambda x: (
            torch.exp(-(((x - mean) / scale) ** 2) / 2) / (scale * math.sqrt(2 * math.pi))
        )

    def truth(mean, scale):
        return oracle.line_integral(density(mean, scale), lambda x: torch.sin(3 * x) + x**4, -9, 9)

    mean = torch.tensor([0.4], dtype=torch.float64, requires_grad=True)
    scale = torch.tensor([0.7], dtype=torch.float64, requires_grad=True)
    f = lambda z: (torch.sin(3 * z) + z**4).sum(-1)  # noqa: E731
    found = g.Quadrature()(f, g.Normal(mean, scale))
    found.backward()
    assert found.item() == pytest.approx(truth(0.4, 0.7), abs=1e-9)
    assert mean.grad.item() == pytest.approx(oracle.slope(lambda m: truth(m, 0.7), 0.4), abs=1e-6)
    assert scale.grad.item() == pytest.approx(oracle.slope(lambda s: truth(0.4, s), 0.7), abs=1e-6)


def test_quadrature_over_two_coordinates_is_the_product():
    p = g.Normal(
        torch.tensor([[0.1, 0.5]], dtype=torch.float64), torch.tensor(0.3, dtype=torch.float64)
    )
    f = lambda z: z[..., 0].square() * z[..., 1].exp()  # noqa: E731
    found = g.Quadrature(panels=8)(f, p)
    assert found.item() == pytest.approx((0.01 + 0.09) * math.exp(0.5 + 0.045), rel=1e-9)


def test_quadrature_sees_the_slope_of_a_step():
    mean = torch.tensor([1.0], dtype=torch.float64, requires_grad=True)
    step = lambda z: (z > 0).double().sum(-1)  # noqa: E731
    g.Quadrature(breaks=[0.0])(step, g.Normal(mean, torch.tensor(1.0).double())).backward()
    assert mean.grad.item() == pytest.approx(0.24197072451914337, abs=1e-12)


def test_quadrature_refuses_what_it_cannot_do():
    three = g.Normal(torch.zeros(3), torch.tensor(1.0))
    with pytest.raises(g.GradientError, match=r"3 coordinates is 1\.07e9 evaluations"):
        g.Quadrature()(lambda z: z.sum(-1), three)
    with pytest.raises(g.GradientError, match="over Continuous, but p is Bernoulli"):
        g.Quadrature()(lambda z: z.sum(-1), g.Bernoulli(torch.zeros(1)))


def test_a_lost_state_breaks_the_sum():
    broken = planted(
        exact, "z = lone.expand(len(states)", "z = lone.flip(0)[1:].expand(len(states) - 1"
    )
    value, _ = oracle.bernoulli_gradient(BITS, pairs)
    found = broken.Enumeration()(pairs, g.Bernoulli(BITS))
    assert found.item() != pytest.approx(value, rel=1e-3)
