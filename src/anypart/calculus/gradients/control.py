r"""The score function with a learned baseline, NVIL, and with an expansion of f, MuProp.

NVIL, and REBAR and RELAX of `rebar`, have parameters of their own. They are the module's
`.parameters()`; give them to the optimizer beside the model's, and the same backward pass
trains them: a baseline by its squared error, a control variate by the variance of the
gradient it makes.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from anypart.base.errors import GradientError
from anypart.calculus.gradients.estimator import (
    Claim,
    Estimator,
    Integrand,
    kept_share,
    replace_gradient,
    train_beside,
)
from anypart.calculus.gradients.families import Family, Finite


class NVIL(Estimator):
    r"""The score function with a learned baseline that sees what p depends on.

    .. math:: \hat g = \frac{f(z) - C_\psi(\theta) - c}{\max(1, \hat\sigma)}
        \nabla_\theta \log p_\theta(z)

    C is a network of the parameters of p (which are themselves functions of a user's input),
    trained on the squared error; c and σ̂ are running averages of past calls. Target: L.
    Unbiased without `normalise`; with it, the length of the gradient is scaled. Any f.

    Args:
        baseline: the parameters of p, each flattened and side by side, (*batch, n), to
            (*batch,) or (*batch, 1); None leaves only the running mean.
        draws: averaged.
        normalise: divide by the running standard deviation where that is above 1.
        keep: what the running averages keep at a call.

    Cost:
        draws evaluations of f.

    References:
        Mnih and Gregor 2014, Neural variational inference and learning in belief networks,
        sections 2.3 and 2.4.

    """

    claim: ClassVar[Claim] = Claim(unbiased=True, smooth=False, source="Mnih and Gregor 2014")
    moments: Tensor
    calls: Tensor

    def __init__(
        self,
        baseline: nn.Module | None = None,
        draws: int = 1,
        *,
        normalise: bool = False,
        keep: float = 0.9,
    ) -> None:
        super().__init__(draws)
        self.baseline, self.normalise, self.keep = baseline, normalise, kept_share(keep)
        self.register_buffer("moments", torch.zeros(2, dtype=torch.float64))
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))

    def forward(self, f: Integrand, p: Any, generator: torch.Generator | None = None) -> Tensor:
        """Estimate, and learn the baseline."""
        z = p.sample(self.draws, generator)
        value = f(z)
        mean, spread = self._running()
        signal = value.detach() - mean
        if self.training:
            self._move(value.detach())
        if self.baseline is not None:
            seen = torch.cat([t.detach().flatten(-p.event_dims) for t in p.parameters], -1)
            signal = signal - per_element(self.baseline(seen), p.batch_shape, "NVIL's baseline")
            value = _beside(value, signal.square().mean(0))
        scale = max(1.0, spread) if self.normalise else 1.0
        surrogate = (signal.detach() / scale * p.log_prob(z)).mean(0)
        return replace_gradient(value.mean(0), surrogate)

    def _running(self) -> tuple[float, float]:
        if not int(self.calls):
            return 0.0, 1.0
        mean, square = (self.moments / (1 - self.keep ** int(self.calls))).tolist()
        return mean, math.sqrt(max(square - mean * mean, 0.0))

    def _move(self, value: Tensor) -> None:
        new = torch.stack([value.mean(), value.square().mean()]).to(self.moments)
        self.moments.mul_(self.keep).add_(new, alpha=1 - self.keep)
        self.calls.add_(1)


def per_element(said: Tensor, shape: torch.Size, what: str) -> Tensor:
    """Let a network of one's own end in an axis of 1; refuse other shapes than `shape`."""
    if said.shape not in (shape, (*shape, 1)):
        raise GradientError(
            f"{what} gave shape {tuple(said.shape)}; it must give one number for each, "
            f"{tuple(shape)}, or with a last axis of 1."
        )
    return said.reshape(shape)


def _beside(value: Tensor, loss: Tensor) -> Tensor:
    """Train by a loss per element of the batch, beside values of several draws."""
    return train_beside(value, (loss / len(value)).expand_as(value))


class MuProp(Estimator):
    r"""The score function of what a first-order expansion at the mean leaves over.

    .. math:: \hat g = (f(z) - f(\bar z) - f'(\bar z) (z - \bar z)) \nabla_\theta \log p(z)
        + f'(\bar z) \nabla_\theta \bar z

    Target: L. Unbiased for any p, z̄ its mean; f must be differentiable at z̄, and gains where
    it is nearly linear between z and z̄.

    Args:
        draws: averaged; all share one z̄.

    Cost:
        draws + 1 evaluations of f, one of its derivative.

    References:
        Gu, Levine, Sutskever and Mnih 2016, MuProp: unbiased backpropagation for stochastic
        neural networks, eq. 5.

    """

    claim: ClassVar[Claim] = Claim(unbiased=True, smooth=True, source="Gu et al. 2016")
    families: ClassVar[tuple[type, ...]] = (Finite,)

    def forward(self, f: Integrand, p: Any, generator: torch.Generator | None = None) -> Tensor:
        """Estimate from `draws` draws and the mean."""
        z = p.sample(self.draws, generator)
        with torch.enable_grad():
            middle = p.probs.detach().unsqueeze(0).requires_grad_()
            values = f(torch.cat([z, middle]))
            (slope,) = torch.autograd.grad(values[-1].sum(), middle, retain_graph=True)
        event = tuple(range(-p.event_dims, 0))
        linear = (slope * (z - middle.detach())).sum(event)
        fixed = values.detach()
        left = fixed[:-1] - fixed[-1:] - linear
        surrogate = (left * p.log_prob(z)).mean(0) + (slope[0] * p.probs).sum(event)
        return replace_gradient(values[:-1].mean(0), surrogate)

    def evaluations(self, p: Any) -> int:
        """Return one more than draws."""
        return self.draws + 1


def small_network(p: Family, width: int = 16) -> nn.Module:
    """Make a small network over the event of p, for `RELAX` or as `NVIL`'s baseline."""
    event = p.parameters[0].shape[len(p.batch_shape) :]
    n, kind = math.prod(event), p.parameters[0].dtype
    return nn.Sequential(
        _Flat(len(event)),
        nn.Linear(n, width, dtype=kind),
        nn.Tanh(),
        nn.Linear(width, 1, dtype=kind),
        nn.Flatten(-2),
    )


class _Flat(nn.Module):
    """Flattens the axes of the event."""

    def __init__(self, dims: int) -> None:
        super().__init__()
        self.dims = dims

    def forward(self, z: Tensor) -> Tensor:
        """Flatten, (rows, *batch, n)."""
        return z.flatten(-self.dims)
