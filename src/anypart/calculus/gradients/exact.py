r"""The objective and its gradient without sampling: the truth that estimators are held to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from anypart.base.errors import GradientError
from anypart.calculus.gradients.estimator import Claim, Estimator, Integrand
from anypart.calculus.gradients.families import Continuous, Finite

MOST_EVALUATIONS = 2**20


def _refuse_beyond(limit: int, needed: int, what: str) -> None:
    if needed > limit:
        exponent = math.floor(math.log10(needed))
        raise GradientError(
            f"{what} is {needed / 10**exponent if exponent < 300 else needed // 10**exponent:.3g}e"
            f"{exponent} evaluations of f; the limit is {limit:,}. Take an estimator "
            "(`choose` names one), or raise `limit`."
        )


class Enumeration(Estimator):
    r"""The exact objective over a finite family, by listing every state.

    .. math:: L = \sum_z p_\theta(z) f(z), \quad
        \nabla_\theta L = \sum_z f(z) \nabla_\theta p_\theta(z)

    Target: L itself. Assumes nothing of f. Exact, and differentiable to any order.

    Args:
        limit: most evaluations of f, over states and batch, before it refuses.

    Cost:
        n_states evaluations of f per element of the batch: 2^dims, or cats^dims.

    Example:
        >>> from anypart.calculus.gradients import Bernoulli
        >>> p = Bernoulli(torch.zeros(1, requires_grad=True))
        >>> Enumeration()(lambda z: (z - 0.499).square().sum(-1), p).item()
        0.250001...
        >>> Enumeration()(lambda z: z.sum(-1), Bernoulli(torch.zeros(100)))
        Traceback (most recent call last):
        anypart.base.errors.GradientError: Enumerating 100 coordinates is 1.27e30 evaluations ...

    """

    claim: ClassVar[Claim] = Claim(unbiased=True, smooth=False, source="the definition", exact=True)
    families: ClassVar[tuple[type, ...]] = (Finite,)

    def __init__(self, limit: int = MOST_EVALUATIONS) -> None:
        super().__init__()
        self.limit = limit

    def forward(self, f: Integrand, p: Any, generator: torch.Generator | None = None) -> Tensor:
        """Sum over the states."""
        batch = p.batch_shape
        dims = p.logits.shape[len(batch)]
        needed = p.n_states * math.prod(batch)
        _refuse_beyond(self.limit, needed, f"Enumerating {dims} coordinates")
        states = p.states()  # (n_states, *event)
        lone = states.reshape(len(states), *(1 for _ in batch), *states.shape[1:])
        z = lone.expand(len(states), *batch, *states.shape[1:])
        return (p.log_prob(z).exp() * f(z)).sum(0)

    def evaluations(self, p: Any) -> int:
        """Return the number of states."""
        return int(p.n_states)


@lru_cache(maxsize=8)
def _legendre(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    return np.polynomial.legendre.leggauss(nodes)


class Quadrature(Estimator):
    r"""The exact objective over a continuous family of one or two coordinates.

    .. math:: L = \int p_\theta(z) f(z)\, dz \approx \sum_k w_k\, p_\theta(z_k) f(z_k)

    The nodes stay where they are while θ moves, so the gradient is the integral of
    \(f \nabla p\): right for an f with jumps too (where the support itself moves, the nodes
    move with it, and f must be smooth). Gauss-Legendre with 16 nodes on each panel;
    name f's jumps and kinks in `breaks` and the result is right to about 1e-12.

    Target: L itself. Assumes that f is smooth between the breaks.

    Args:
        panels: equal parts of each coordinate's interval.
        breaks: where f is not smooth; further ends of panels.
        limit: most evaluations of f, over nodes and batch.

    Cost:
        (16 · (panels + breaks))^dims evaluations of f per element of the batch.

    Example:
        >>> from anypart.calculus.gradients import Normal
        >>> mean = torch.tensor([0.0], requires_grad=True)
        >>> p = Normal(mean, torch.tensor(1.0))
        >>> Quadrature(breaks=[0.0])(lambda z: (z > 0).float().sum(-1), p).backward()
        >>> round(mean.grad.item(), 5)  # the normal density at 0
        0.39894

    """

    claim: ClassVar[Claim] = Claim(unbiased=True, smooth=False, source="Gauss 1814", exact=True)
    families: ClassVar[tuple[type, ...]] = (Continuous,)

    def __init__(
        self,
        panels: int = 64,
        breaks: Sequence[float] = (),
        limit: int = MOST_EVALUATIONS,
    ) -> None:
        super().__init__()
        self.panels, self.breaks, self.limit = panels, tuple(breaks), limit

    def forward(self, f: Integrand, p: Any, generator: torch.Generator | None = None) -> Tensor:
        """Sum over the nodes."""
        dims = p.parameters[0].shape[-1]
        needed = self.evaluations(p) * math.prod(p.batch_shape)
        _refuse_beyond(self.limit, needed, f"Quadrature over {dims} coordinates")
        low, high = p.interval()
        if not p.moves:
            low, high = low.detach(), high.detach()
        nodes, weights = self._line(low, high)  # (line, *batch, dims)
        line = len(nodes)
        # The grid over the coordinates: coordinate d moves with the d-th digit of the number.
        number = torch.arange(line**dims, device=nodes.device)
        digits = [(number // line**d) % line for d in range(dims)]
        z = torch.stack([nodes[digits[d], ..., d] for d in range(dims)], -1)
        log_w = torch.stack([weights[digits[d], ..., d] for d in range(dims)], -1).log().sum(-1)
        return ((p.log_prob(z) + log_w).exp() * f(z)).sum(0)

    def _line(self, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
        steps = torch.linspace(0, 1, self.panels + 1, dtype=low.dtype, device=low.device)
        steps = steps.reshape(-1, *(1 for _ in low.shape))
        cuts = [low + (high - low) * steps]
        cuts += [torch.full_like(low, b).clamp(low, high).unsqueeze(0) for b in self.breaks]
        edges = torch.cat(cuts).sort(0).values
        x, w = (torch.as_tensor(a, dtype=low.dtype, device=low.device) for a in _legendre(16))
        x, w = (a.reshape(1, -1, *(1 for _ in low.shape)) for a in (x, w))
        half = ((edges[1:] - edges[:-1]) / 2).unsqueeze(1)
        middle = ((edges[1:] + edges[:-1]) / 2).unsqueeze(1)
        return (middle + half * x).flatten(0, 1), (half * w).flatten(0, 1)

    def evaluations(self, p: Any) -> int:
        """Return the number of nodes."""
        return int((16 * (self.panels + len(self.breaks))) ** p.parameters[0].shape[-1])


def exact_value(f: Integrand, p: Any, breaks: Sequence[float] = ()) -> Tensor:
    """Return E[f] exactly, (*batch,), differentiable: by enumeration or by quadrature.

    Args:
        f: (rows, *batch, *event) to (rows, *batch).
        p: a finite family, or a continuous one of one or two coordinates.
        breaks: of quadrature, where f is not smooth.

    """
    return Enumeration()(f, p) if isinstance(p, Finite) else Quadrature(breaks=breaks)(f, p)
