"""The objective of several draws at once: the logarithm of a mean of weights."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
from torch import Tensor

from anypart.base.errors import GradientError
from anypart.calculus.gradients.estimator import Claim, Estimator, Integrand, replace_gradient
from anypart.calculus.gradients.families import Finite

_MOST_TUPLES = 2**20


class VIMCO(Estimator):
    r"""Score function of a multi-draw bound, each draw's baseline made from the others.

    .. math:: L_K = E[\log \tfrac1K \sum_k e^{f(z_k)}], \quad
        \hat g = \sum_k (\hat L - \hat L_{-k}) \nabla_\theta \log p(z_k)

    \(\hat L_{-k}\) has the mean of the other f in the place of f(z_k).

    Target: not L but \(L_K\), above it; with f = log p(x, z) − log q(z) the bound of
    importance-weighted autoencoders. Unbiased for that, for any f.

    Args:
        draws: K, at least 2.

    Cost:
        draws evaluations of f.

    References:
        Mnih and Rezende 2016, Variational inference for Monte Carlo objectives, eq. 10.

    """

    claim: ClassVar[Claim] = Claim(
        unbiased=True,
        smooth=False,
        source="Mnih and Rezende 2016",
        least_draws=2,
        objective="E[log mean exp f(z_k)]",
    )

    def __init__(self, draws: int = 4) -> None:
        super().__init__(draws)

    def forward(self, f: Integrand, p: Any, generator: torch.Generator | None = None) -> Tensor:
        """Estimate from K draws."""
        z = p.sample(self.draws, generator)
        value = f(z)  # (draws, *batch)
        bound = value.logsumexp(0) - math.log(self.draws)
        fixed = value.detach()
        others = (fixed.sum(0) - fixed) / (self.draws - 1)
        own = torch.eye(self.draws, dtype=torch.bool, device=fixed.device)
        own = own.reshape(*own.shape, *(1 for _ in fixed.shape[1:]))
        without = torch.where(own, others.unsqueeze(0), fixed.unsqueeze(1))  # (kept, left, *batch)
        signal = fixed.logsumexp(0) - without.logsumexp(0)
        return replace_gradient(bound, (signal * p.log_prob(z)).sum(0))

    def target(self, f: Integrand, p: Any) -> Tensor:
        """Return the bound exactly, by listing every tuple of K states."""
        if not isinstance(p, Finite) or p.n_states**self.draws > _MOST_TUPLES:
            raise GradientError(
                f"The exact bound of {self.draws} draws lists every tuple of states; that takes a "
                f"finite family and at most {_MOST_TUPLES:,} tuples. Take fewer draws or states."
            )
        states = p.states()
        z = states.reshape(len(states), *(1 for _ in p.batch_shape), *states.shape[1:])
        z = z.expand(len(states), *p.batch_shape, *states.shape[1:])
        value, log_p = f(z), p.log_prob(z)
        tuples = torch.cartesian_prod(*[torch.arange(len(states))] * self.draws)  # (all, draws)
        bound = value[tuples].logsumexp(1) - math.log(self.draws)
        return (log_p[tuples].sum(1).exp() * bound).sum(0)
