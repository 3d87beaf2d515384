r"""Estimators that differentiate f along the path of a draw: \(z = g_\theta(\varepsilon)\)."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import torch
from torch import Tensor

from anypart.calculus.gradients.estimator import Claim, Estimator, Integrand
from anypart.calculus.gradients.families import Categorical, Continuous, Finite
from anypart.calculus.gradients.gumbel import categorical_straight_through, gumbel_softmax, warm


class Pathwise(Estimator):
    r"""The reparameterization gradient of a continuous family.

    .. math:: \nabla_\theta L = E_\varepsilon[f'(g_\theta(\varepsilon))
        \nabla_\theta g_\theta(\varepsilon)]

    Target: L. Unbiased for f that is continuous and differentiable almost everywhere; for an f
    with a jump it misses the jump (a step gives exactly 0), so an f whose value carries no
    gradient is refused. Variance is usually below the score function's, not always: for
    f = sin(10 z) at N(1, 1) it is 50 against .5.

    Args:
        draws: averaged.

    Cost:
        draws evaluations of f and of its derivative.

    References:
        Kingma and Welling 2014, Auto-encoding variational Bayes; Rezende et al. 2014; for the
        implicit families Figurnov, Mohamed and Mnih 2018.

    Example:
        >>> from anypart.calculus.gradients import Normal
        >>> mean = torch.zeros(3, requires_grad=True)
        >>> Pathwise(draws=4)(lambda z: z.sum(-1), Normal(mean, torch.tensor(1.0))).backward()
        >>> mean.grad
        tensor([1., 1., 1.])

    """

    claim: ClassVar[Claim] = Claim(unbiased=True, smooth=True, source="Kingma and Welling 2014")
    families: ClassVar[tuple[type, ...]] = (Continuous,)

    def forward(self, f: Integrand, p: Any, generator: torch.Generator | None = None) -> Tensor:
        """Average f over reparameterized draws."""
        return f(p.rsample(self.draws, generator)).mean(0)


class Relaxation(Estimator):
    """An estimator that is f at draws with a made-up gradient; one file line per relative."""

    families: ClassVar[tuple[type, ...]] = (Finite,)

    @abstractmethod
    def relaxed(self, logits: Tensor, generator: torch.Generator | None) -> Tensor:
        """Draw one z per logits (…, cats), with a gradient."""

    def sample(self, p: Finite, generator: torch.Generator | None = None) -> Tensor:
        """Draw z, (draws, *batch, *event), with a gradient to the logits."""
        choice: Categorical = p.as_categorical()
        logits = choice.logits.expand(self.draws, *choice.logits.shape)
        return p.from_categorical(self.relaxed(logits, generator))

    def forward(self, f: Integrand, p: Any, generator: torch.Generator | None = None) -> Tensor:
        """Average f over the draws."""
        return f(self.sample(p, generator)).mean(0)


class GumbelSoftmax(Relaxation):
    r"""f at the relaxed draw softmax((o + g)/τ), or at its one-hot with `hard`.

    .. math:: \hat L = f(y), \quad \nabla_\theta \hat L = f'(y)\, \partial y / \partial o

    Target: E[f] over the relaxed variable, which is not L: biased in value and gradient. With
    `hard` the value is unbiased and the gradient is that of no objective (straight-through
    Gumbel-Softmax). f must be defined, and mean something, between the one-hot vectors.

    Args:
        temperature: τ; assign a new one at each step to anneal it (`Annealed`).
        hard: straight-through.
        draws: averaged.

    Cost:
        draws evaluations of f and of its derivative.

    References:
        Jang, Gu and Poole 2017, Categorical reparameterization with Gumbel-Softmax;
        Maddison, Mnih and Teh 2017, The Concrete distribution.

    """

    claim: ClassVar[Claim] = Claim(unbiased=False, smooth=True, source="Jang, Gu and Poole 2017")

    def __init__(self, temperature: float = 1.0, *, hard: bool = False, draws: int = 1) -> None:
        super().__init__(draws)
        self.temperature, self.hard = warm(temperature), hard

    def relaxed(self, logits: Tensor, generator: torch.Generator | None) -> Tensor:
        """Draw; see `gumbel_softmax`."""
        return gumbel_softmax(logits, self.temperature, hard=self.hard, generator=generator)


class StraightThrough(Relaxation):
    r"""f at an exact draw, with the gradient of softmax(o/τ) in the place of the draw's.

    .. math:: \nabla_\theta \hat L = f'(z)\, \partial\, \mathrm{softmax}(o/\tau) / \partial o

    Target: L in value; the gradient is a first-order approximation, exact for f linear in each
    coordinate's choice at τ = 1, biased otherwise.

    Args:
        temperature: τ of the backward pass.
        draws: averaged.

    Cost:
        draws evaluations of f and of its derivative.

    References:
        Bengio, Léonard and Courville 2013; as a first-order method Liu et al. 2023, section 3.

    """

    claim: ClassVar[Claim] = Claim(
        unbiased=False, smooth=True, source="Bengio, Léonard and Courville 2013"
    )

    def __init__(self, temperature: float = 1.0, *, draws: int = 1) -> None:
        super().__init__(draws)
        self.temperature = warm(temperature)

    def relaxed(self, logits: Tensor, generator: torch.Generator | None) -> Tensor:
        """Draw; see `categorical_straight_through`."""
        return categorical_straight_through(logits, self.temperature, generator)
