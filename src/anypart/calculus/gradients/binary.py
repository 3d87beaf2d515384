"""Estimators that couple two draws of bits: unbiased, for any f, at two evaluations."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from anypart.calculus.gradients.drawing import uniforms
from anypart.calculus.gradients.estimator import Claim, Estimator, Integrand, attach_gradient
from anypart.calculus.gradients.families import Bernoulli


class _Antithetic(Estimator):
    """Two draws of each uniform u, one by u and one by 1 − u."""

    families: ClassVar[tuple[type, ...]] = (Bernoulli,)

    def forward(self, f: Integrand, p: Any, generator: torch.Generator | None = None) -> Tensor:
        """Estimate from pairs of draws."""
        logits: Tensor = p.logits.detach()
        u = uniforms(logits, (self.draws, *logits.shape), generator)
        probs = logits.sigmoid()
        one, two = (u > 1 - probs).to(u.dtype), (u < probs).to(u.dtype)
        values = f(torch.cat([one, two]))  # (2 draws, *batch)
        fixed = values.detach()
        gap = (fixed[: self.draws] - fixed[self.draws :]).unsqueeze(-1)
        gradient = (gap * self.factor(logits, u, one, two)).mean(0)
        return attach_gradient(values.mean(0), [p.logits], [gradient])

    def factor(self, logits: Tensor, u: Tensor, one: Tensor, two: Tensor) -> Tensor:
        """Return what the difference of f is multiplied by, (draws, *batch, dims)."""
        raise NotImplementedError

    def evaluations(self, p: Any) -> int:
        """Return two per draw."""
        return 2 * self.draws


class ARM(_Antithetic):
    r"""Augment, reinforce, merge.

    .. math:: \nabla_\theta L = E_u[(f(1[u > \sigma(-\theta)]) - f(1[u < \sigma(\theta)]))
        (u - \tfrac12)]

    Target: L. Unbiased, for any f, over bits. DisARM is never worse.

    Args:
        draws: antithetic pairs, averaged.

    Cost:
        2 · draws evaluations of f.

    References:
        Yin and Zhou 2019, ARM: Augment-REINFORCE-merge gradient for stochastic binary networks.

    """

    claim: ClassVar[Claim] = Claim(unbiased=True, smooth=False, source="Yin and Zhou 2019")

    def factor(self, logits: Tensor, u: Tensor, one: Tensor, two: Tensor) -> Tensor:
        """Return u − 1/2."""
        return u - 0.5


class DisARM(_Antithetic):
    r"""ARM with its uniform integrated out given the two draws (U2G).

    .. math:: \hat g_i = \tfrac12 (f(b) - f(\tilde b)) (-1)^{\tilde b_i}
        1[b_i \ne \tilde b_i]\, \sigma(|\theta_i|)

    Target: L. Unbiased, for any f, over bits. At θ = 0 and one bit the variance is exactly 0.

    Args:
        draws: antithetic pairs, averaged.

    Cost:
        2 · draws evaluations of f.

    References:
        Dong, Mnih and Tucker 2020, DisARM: an antithetic gradient estimator for binary latent
        variables, eq. 6; Yin et al. 2020, Probabilistic best subset selection (U2G).

    Example:
        >>> logits = torch.zeros(32, 1, requires_grad=True)
        >>> DisARM()(lambda z: (z - 0.499).square().sum(-1), Bernoulli(logits)).sum().backward()
        >>> bool((logits.grad - 0.0005).abs().max() < 1e-7)  # every draw gives the truth
        True

    """

    claim: ClassVar[Claim] = Claim(unbiased=True, smooth=False, source="Dong et al. 2020")

    def factor(self, logits: Tensor, u: Tensor, one: Tensor, two: Tensor) -> Tensor:
        """Return ±σ(|θ|)/2 where the draws differ, 0 elsewhere."""
        return 0.5 * (one - two) * logits.abs().sigmoid()
