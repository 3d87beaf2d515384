r"""One-hot draws with better gradients than straight-through: ReinMax and Gumbel-Rao."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from anypart.base.errors import GradientError
from anypart.calculus.gradients.drawing import pick, softmax, uniforms
from anypart.calculus.gradients.estimator import Claim
from anypart.calculus.gradients.gumbel import warm
from anypart.calculus.gradients.pathwise import Relaxation


class _ReinMax(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, hard: Tensor, probs: Tensor, middle: Tensor) -> Tensor:
        ctx.save_for_backward(probs, middle)
        return hard

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        probs, middle = ctx.saved_tensors
        (g,) = grads
        # Twice the Jacobian at the middle less half of that at p, both diag(π) − π πᵀ.
        by_middle = middle * (g - (middle * g).sum(-1, keepdim=True))
        by_probs = probs * (g - (probs * g).sum(-1, keepdim=True))
        return by_middle.mul(2).sub(by_probs, alpha=0.5), None, None, None


def reinmax(
    logits: Tensor, temperature: float = 1.0, generator: torch.Generator | None = None
) -> Tensor:
    r"""Draw one-hot from the categorical, with a second-order accurate gradient.

    .. math:: \hat\nabla = 2 J\big(\tfrac{\pi_\tau + D}{2}\big) f' - \tfrac12 J(\pi) f'

    Heun's method where straight-through is Euler's: exact for f quadratic in each choice.

    Args:
        logits: (…, cats).
        temperature: τ of the softmax in the middle; 1 or above.
        generator: of the draw.

    References:
        Liu, Dong, Liu, Yu and Gao 2023, Bridging discrete and backpropagation: straight-through
        and beyond, algorithm 2.

    """
    warm(temperature)
    free = logits.detach()
    probs = softmax(free)
    hard = pick(probs, generator)
    soft = probs if temperature == 1.0 else softmax(free / temperature)
    result: Tensor = _ReinMax.apply(logits, hard, probs, (soft + hard).mul_(0.5))
    return result


def _enough(samples: int) -> int:
    if samples < 1:
        raise GradientError(f"Gumbel-Rao was asked for {samples} samples; it needs at least 1.")
    return samples


class _GumbelRao(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, hard: Tensor, soft: Tensor, temperature: float) -> Tensor:
        ctx.save_for_backward(soft)  # (cats, samples, rest)
        ctx.temperature = temperature
        return hard

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        (soft,) = ctx.saved_tensors
        # The mean over the samples of (diag(y) − y yᵀ) g / τ.
        g = _cats_first(grads[0])  # (cats, 1, rest)
        inner = (soft * g).sum(0)
        mean = g.squeeze(1) * soft.mean(1) - (soft * inner).mean(1)
        return mean.T.reshape(grads[0].shape).div(ctx.temperature), None, None, None


def _cats_first(x: Tensor) -> Tensor:
    """Lay (…, cats) out as (cats, 1, rest).

    Sums and products over the categories then run through memory in order, four to eight times
    faster than along a short last axis.
    """
    return x.reshape(-1, x.shape[-1]).T.contiguous().unsqueeze(1)


def gumbel_rao(
    logits: Tensor,
    temperature: float = 1.0,
    samples: int = 10,
    generator: torch.Generator | None = None,
) -> Tensor:
    r"""Draw one-hot, with straight-through Gumbel-Softmax's gradient averaged given the draw.

    .. math:: \hat\nabla = \frac1K \sum_k f'(D)\,
        \frac{\partial\, \mathrm{softmax}((o + g_k)/\tau)}{\partial o}, \quad g_k \sim p(g \mid D)

    The noise given the draw is one exponential race: with rates \(p_j\) the winner i arrives
    at \(T_i \sim \mathrm{Exp}(1)\) and the others at \(T_i + E_j / p_j\); and
    \(\mathrm{softmax}((o + g)/\tau)_j \propto T_j^{-1/\tau}\). The mean is that of
    straight-through Gumbel-Softmax, the variance is lower.

    Args:
        logits: (…, cats).
        temperature: τ, above 0.
        samples: K, of the noise; f is still evaluated once.
        generator: of the draw and the noise.

    References:
        Paulus, Maddison and Krause 2021, Rao-Blackwellizing the straight-through Gumbel-Softmax
        gradient estimator, section 3.

    """
    warm(temperature)
    _enough(samples)
    probs = softmax(logits.detach())
    hard = pick(probs, generator)
    won = _cats_first(hard)
    # A race with all rates scaled alike has the same winner and the same ratios.
    waits = uniforms(probs, (won.shape[0], samples, won.shape[2]), generator).log_().neg_()
    tiny = torch.finfo(probs.dtype).tiny
    first = (waits * won).sum(0)
    # Nothing is added to the winner's own arrival.
    arrivals = waits.mul_((1 - won) / _cats_first(probs).clamp(min=tiny * 1e4)).add_(first)
    soft = _powers(arrivals.reciprocal_().mul_(first), 1 / temperature)
    soft = soft.div_(soft.sum(0))
    result: Tensor = _GumbelRao.apply(logits, hard, soft, temperature)
    return result


def _powers(ratio: Tensor, power: float) -> Tensor:
    """Raise ratios in [0, 1]; the usual temperatures need no logarithm."""
    if power == 1.0:
        return ratio
    return ratio.square_() if power == 2.0 else ratio.pow_(power)


class ReinMax(Relaxation):
    r"""f at an exact draw, with `reinmax`'s second-order gradient.

    Target: L in value; the gradient is biased, less than straight-through's where f is smooth,
    and exact for f quadratic in each choice by itself.

    Args:
        temperature: τ.
        draws: averaged.

    Cost:
        draws evaluations of f and of its derivative.

    References:
        Liu et al. 2023, Bridging discrete and backpropagation: straight-through and beyond.

    """

    claim: ClassVar[Claim] = Claim(unbiased=False, smooth=True, source="Liu et al. 2023")

    def __init__(self, temperature: float = 1.0, *, draws: int = 1) -> None:
        super().__init__(draws)
        self.temperature = warm(temperature)

    def relaxed(self, logits: Tensor, generator: torch.Generator | None) -> Tensor:
        """Draw; see `reinmax`."""
        return reinmax(logits, self.temperature, generator)


class GumbelRao(Relaxation):
    r"""f at an exact draw, with `gumbel_rao`'s averaged gradient.

    Target: L in value; the gradient's mean is straight-through Gumbel-Softmax's, so as biased.

    Args:
        temperature: τ.
        samples: of the noise, given each draw.
        draws: averaged.

    Cost:
        draws evaluations of f and of its derivative, whatever `samples`.

    References:
        Paulus, Maddison and Krause 2021.

    """

    claim: ClassVar[Claim] = Claim(unbiased=False, smooth=True, source="Paulus et al. 2021")

    def __init__(self, temperature: float = 0.5, samples: int = 10, *, draws: int = 1) -> None:
        super().__init__(draws)
        self.temperature, self.samples = warm(temperature), _enough(samples)

    def relaxed(self, logits: Tensor, generator: torch.Generator | None) -> Tensor:
        """Draw; see `gumbel_rao`."""
        return gumbel_rao(logits, self.temperature, self.samples, generator)
