r"""Families without a simple inverse: the path by the implicit function theorem.

.. math:: \frac{\partial z}{\partial \theta} =
    - \frac{\partial F_\theta(z) / \partial\theta}{p_\theta(z)}

A draw may come from rejection; differentiating F(z) = u at it gives the path all the same
(Figurnov, Mohamed and Mnih 2018, Implicit reparameterization gradients, eq. 5).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from anypart.calculus.gradients.drawing import uniforms
from anypart.calculus.gradients.families import Continuous

_X, _W = np.polynomial.legendre.leggauss(48)


def _gamma(concentration: Tensor, draws: int, generator: torch.Generator | None) -> Tensor:
    # torch's own standard gamma takes a generator and carries the implicit gradient.
    wide = concentration.expand(draws, *concentration.shape)
    tiny = torch.finfo(wide.dtype).tiny
    return torch._standard_gamma(wide.contiguous(), generator=generator).clamp(min=tiny)  # type: ignore[attr-defined]


@dataclass(frozen=True, eq=False)
class Gamma(Continuous):
    """Gamma coordinates of a concentration and a rate, both above 0."""

    above_zero: ClassVar[tuple[str, ...]] = ("concentration", "rate")

    concentration: Tensor
    rate: Tensor

    def rsample(self, draws: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw z, (draws, *batch, dims)."""
        return _gamma(self.concentration, draws, generator) / self.rate

    def log_prob(self, z: Tensor) -> Tensor:
        """Return nats per draw, (draws, *batch)."""
        a = self.concentration
        return (a * self.rate.log() + (a - 1) * z.log() - self.rate * z - a.lgamma()).sum(-1)

    def interval(self) -> tuple[Tensor, Tensor]:
        """Bound all but about 1e-15 of the mass."""
        a = self.concentration
        return torch.zeros_like(a), (a + 9 * a.sqrt() + 40) / self.rate


@dataclass(frozen=True, eq=False)
class Beta(Continuous):
    """Beta coordinates: the share of one gamma in the sum of two."""

    above_zero: ClassVar[tuple[str, ...]] = ("a", "b")

    a: Tensor
    b: Tensor

    def rsample(self, draws: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw z in (0, 1), (draws, *batch, dims)."""
        both = Dirichlet(torch.stack([self.a, self.b], -1)).rsample(draws, generator)
        edge = torch.finfo(both.dtype).eps
        return both[..., 0].clamp(edge, 1 - edge)

    def log_prob(self, z: Tensor) -> Tensor:
        """Return nats per draw, (draws, *batch)."""
        total = (self.a + self.b).lgamma() - self.a.lgamma() - self.b.lgamma()
        return ((self.a - 1) * z.log() + (self.b - 1) * torch.log1p(-z) + total).sum(-1)

    def interval(self) -> tuple[Tensor, Tensor]:
        """Return the support."""
        return torch.zeros_like(self.a), torch.ones_like(self.a)


@dataclass(frozen=True, eq=False)
class Dirichlet(Continuous):
    """One point of the simplex over `dims`: gammas divided by their sum."""

    above_zero: ClassVar[tuple[str, ...]] = ("concentration",)

    concentration: Tensor

    def rsample(self, draws: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw z, (draws, *batch, dims), on the simplex."""
        parts = _gamma(self.concentration, draws, generator)
        return parts / parts.sum(-1, keepdim=True)

    def log_prob(self, z: Tensor) -> Tensor:
        """Return nats per draw, (draws, *batch)."""
        a = self.concentration
        return ((a - 1) * z.log()).sum(-1) + a.sum(-1).lgamma() - a.lgamma().sum(-1)

    def interval(self) -> tuple[Tensor, Tensor]:
        """Return the cube around the simplex, over which no quadrature is meant."""
        zero = torch.zeros_like(self.concentration)
        return zero, zero + 1


class _Turned(torch.autograd.Function):
    """A von Mises angle about 0, whose gradient by the concentration is implicit."""

    @staticmethod
    def forward(ctx: Any, concentration: Tensor, angle: Tensor) -> Tensor:
        ctx.save_for_backward(concentration, angle)
        return angle.clone()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grads: Tensor
    ) -> tuple[Tensor, None]:
        k, angle = ctx.saved_tensors
        # dF/dk / p(z) = ∫_0^z (cos t − A(k)) exp(k (cos t − cos z)) dt, A = I1 / I0: by symmetry
        # F(0) = 1/2 for every k, so the integral starts at 0 and is as short as the draw.
        x, w = (torch.as_tensor(v, dtype=k.dtype, device=k.device) for v in (_X, _W))
        shape = (-1, *(1 for _ in angle.shape))
        t = angle * (x.reshape(shape) + 1) / 2
        mean = torch.special.i1e(k) / torch.special.i0e(k)
        inside = (t.cos() - mean) * (k * (t.cos() - angle.cos())).exp()
        slope = (inside * w.reshape(shape)).sum(0) * angle / 2
        return -grads[0] * slope, None


@dataclass(frozen=True, eq=False)
class VonMises(Continuous):
    """Angles in [loc − π, loc + π], around a circle: f must have the period 2π."""

    above_zero: ClassVar[tuple[str, ...]] = ("concentration",)

    loc: Tensor
    concentration: Tensor

    def rsample(self, draws: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw angles, (draws, *batch, dims), by the rejection of Best and Fisher 1979."""
        k = self.concentration.expand(draws, *self.concentration.shape)
        angle = _best_fisher(k.detach(), generator)
        result: Tensor = _Turned.apply(k, angle)
        return self.loc + result

    def log_prob(self, z: Tensor) -> Tensor:
        """Return nats per draw, (draws, *batch)."""
        k = self.concentration
        # i0e is exp(−k) I0(k): nothing overflows.
        log_norm = math.log(2 * math.pi) + torch.special.i0e(k).log() + k
        return (k * (z - self.loc).cos() - log_norm).sum(-1)

    def interval(self) -> tuple[Tensor, Tensor]:
        """Return one turn around loc."""
        return self.loc - math.pi, self.loc + math.pi


def _best_fisher(k: Tensor, generator: torch.Generator | None) -> Tensor:
    wide = k.double().clamp(min=1e-6)
    tau = 1 + (1 + 4 * wide.square()).sqrt()
    rho = (tau - (2 * tau).sqrt()) / (2 * wide)
    r = (1 + rho.square()) / (2 * rho)
    angle, open_ = torch.zeros_like(wide), torch.ones_like(wide, dtype=torch.bool)
    while bool(open_.any()):
        u = [uniforms(wide, tuple(wide.shape), generator) for _ in range(3)]
        z = (math.pi * u[0]).cos()
        f = (1 + r * z) / (r + z)
        c = wide * (r - f)
        accepted = (c * (2 - c) > u[1]) | ((c / u[1]).log() + 1 >= c)
        new = (u[2] - 0.5).sign() * f.clamp(-1, 1).acos()
        angle = torch.where(open_ & accepted, new, angle)
        open_ = open_ & ~accepted
    return angle.to(k.dtype)
