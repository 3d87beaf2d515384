"""Families of real coordinates whose draws are a differentiable function of their parameters."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from anypart.calculus.gradients.drawing import uniforms
from anypart.calculus.gradients.families import Continuous


@dataclass(frozen=True, eq=False)
class Normal(Continuous):
    """Independent normal coordinates.

    Args:
        mean: (*batch, dims).
        scale: standard deviations, above 0; broadcast against the mean.

    Example:
        >>> Normal(torch.zeros(3, 2), torch.tensor(2.0)).rsample(5).shape
        torch.Size([5, 3, 2])

    """

    above_zero: ClassVar[tuple[str, ...]] = ("scale",)

    mean: Tensor
    scale: Tensor

    def rsample(self, draws: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw z = mean + scale · ε with ε ~ N(0, 1), (draws, *batch, dims)."""
        noise = torch.randn(
            (draws, *self.mean.shape),
            dtype=self.mean.dtype,
            device=self.mean.device,
            generator=generator,
        )
        return self.mean + self.scale * noise

    def log_prob(self, z: Tensor) -> Tensor:
        """Return nats per draw, (draws, *batch)."""
        away = (z - self.mean) / self.scale
        return -(0.5 * away.square() + self.scale.log() + 0.5 * math.log(2 * math.pi)).sum(-1)

    def interval(self) -> tuple[Tensor, Tensor]:
        """Bound all but 1e-23 of the mass, for quadrature."""
        return self.mean - 10 * self.scale, self.mean + 10 * self.scale


class _FromUniform(Continuous):
    """Location and scale of a standard variable, made from a uniform."""

    above_zero: ClassVar[tuple[str, ...]] = ("scale",)

    def rsample(self, draws: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw z = loc + scale · quantile(u), (draws, *batch, dims)."""
        loc, scale = self.parameters
        return loc + scale * self.quantile(uniforms(loc, (draws, *loc.shape), generator))

    def log_prob(self, z: Tensor) -> Tensor:
        """Return nats per draw, (draws, *batch)."""
        loc, scale = self.parameters
        return (self.log_density((z - loc) / scale) - scale.log()).sum(-1)

    def interval(self) -> tuple[Tensor, Tensor]:
        """Bound all but 1e-15 of the mass."""
        loc, scale = self.parameters
        end = torch.tensor([1e-15], dtype=torch.float64)
        low, high = self.quantile(end), self.quantile_of_rest(end)
        return loc + scale * low.to(loc), loc + scale * high.to(loc)

    @staticmethod
    @abstractmethod
    def quantile(u: Tensor) -> Tensor:
        """Return the standard variable at which the distribution function is u."""

    @staticmethod
    @abstractmethod
    def quantile_of_rest(u: Tensor) -> Tensor:
        """Return the standard variable above which the mass is u."""

    @staticmethod
    @abstractmethod
    def log_density(x: Tensor) -> Tensor:
        """Return the log-density of the standard variable."""


@dataclass(frozen=True, eq=False)
class Logistic(_FromUniform):
    """Logistic coordinates: loc + scale · log(u / (1 − u))."""

    loc: Tensor
    scale: Tensor

    @staticmethod
    def quantile(u: Tensor) -> Tensor:
        """Return the log-odds of u."""
        return u.log() - torch.log1p(-u)

    @staticmethod
    def quantile_of_rest(u: Tensor) -> Tensor:
        """Return minus the log-odds of u."""
        return torch.log1p(-u) - u.log()

    @staticmethod
    def log_density(x: Tensor) -> Tensor:
        """Return log σ(x) + log σ(−x)."""
        return functional.logsigmoid(x) + functional.logsigmoid(-x)


@dataclass(frozen=True, eq=False)
class Laplace(_FromUniform):
    """Laplace coordinates; density exp(−|x|)/2 around loc."""

    loc: Tensor
    scale: Tensor

    @staticmethod
    def quantile(u: Tensor) -> Tensor:
        """Invert each half by itself, so that small u keep their digits."""
        low = (2 * u).log()
        return torch.where(u < 0.5, low, -torch.log(2 * (1 - u)))

    @staticmethod
    def quantile_of_rest(u: Tensor) -> Tensor:
        """Return −log(2u), for u below 1/2."""
        return -(2 * u).log()

    @staticmethod
    def log_density(x: Tensor) -> Tensor:
        """Return −|x| − log 2."""
        return -x.abs() - math.log(2)


@dataclass(frozen=True, eq=False)
class Gumbel(_FromUniform):
    """Gumbel coordinates: loc − scale · log(−log u)."""

    loc: Tensor
    scale: Tensor

    @staticmethod
    def quantile(u: Tensor) -> Tensor:
        """Return −log(−log u)."""
        return -(-u.log()).log()

    @staticmethod
    def quantile_of_rest(u: Tensor) -> Tensor:
        """Return −log(−log(1 − u))."""
        return -(-torch.log1p(-u)).log()

    @staticmethod
    def log_density(x: Tensor) -> Tensor:
        """Return −x − exp(−x)."""
        return -x - (-x).exp()


@dataclass(frozen=True, eq=False)
class Exponential(Continuous):
    """Exponential coordinates: −log(u) / rate."""

    above_zero: ClassVar[tuple[str, ...]] = ("rate",)

    rate: Tensor

    def rsample(self, draws: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw z, (draws, *batch, dims)."""
        return -uniforms(self.rate, (draws, *self.rate.shape), generator).log() / self.rate

    def log_prob(self, z: Tensor) -> Tensor:
        """Return nats per draw, (draws, *batch)."""
        return (self.rate.log() - self.rate * z).sum(-1)

    def interval(self) -> tuple[Tensor, Tensor]:
        """Bound all but 1e-16 of the mass."""
        return torch.zeros_like(self.rate), 37 / self.rate


@dataclass(frozen=True, eq=False)
class Uniform(Continuous):
    """Uniform coordinates on [low, high]: low + (high − low) · u.

    Only the path sees how the support moves: the score function is refused.
    """

    moves: ClassVar[bool] = True

    low: Tensor
    high: Tensor

    def rsample(self, draws: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw z, (draws, *batch, dims)."""
        u = uniforms(self.low, (draws, *self.low.shape), generator)
        return self.low + (self.high - self.low) * u

    def log_prob(self, z: Tensor) -> Tensor:
        """Return nats per draw, (draws, *batch); −inf outside."""
        inside = (z >= self.low) & (z <= self.high)
        return torch.where(inside, -(self.high - self.low).log(), -math.inf).sum(-1)

    def interval(self) -> tuple[Tensor, Tensor]:
        """Return the support."""
        return self.low, self.high
