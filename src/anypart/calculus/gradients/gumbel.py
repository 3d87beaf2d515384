r"""Draws from a categorical that carry a gradient, by Gumbel noise and by its relatives.

Each function takes logits `(…, cats)` and gives draws of that shape, relaxed or one-hot, and
can stand where `torch.nn.functional.gumbel_softmax` stands. Of all of them only `gumbel_max`
and the values of the hard ones are draws from the categorical; every gradient is biased.
Noise goes on logits or log-probabilities, never on probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from anypart.base.errors import GradientError
from anypart.calculus.gradients.drawing import pick, softmax, uniforms


def gumbels(like: Tensor, generator: torch.Generator | None = None) -> Tensor:
    r"""Draw standard Gumbels, \(-\log(-\log u)\), in the shape of a tensor.

    Mean .5772, variance π²/6; \(\max_i(o_i + g_i)\) is a Gumbel around logsumexp(o).
    """
    return uniforms(like, tuple(like.shape), generator).log_().neg_().log_().neg_()


class _Hard(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, soft: Tensor) -> Tensor:
        hard = torch.zeros(soft.shape, dtype=soft.dtype, device=soft.device)
        return hard.scatter_(-1, soft.argmax(-1, keepdim=True), 1.0)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return grads[0]


def straight_through(soft: Tensor) -> Tensor:
    """Return the one-hot of the largest entry, with the gradient of the identity.

    Bengio, Léonard and Courville 2013, Estimating or propagating gradients through
    stochastic neurons.

    Example:
        >>> soft = torch.tensor([0.2, 0.5, 0.3], requires_grad=True)
        >>> straight_through(soft)
        tensor([0., 1., 0.], grad_fn=<_HardBackward>)

    """
    result: Tensor = _Hard.apply(soft)
    return result


def warm(temperature: float) -> float:
    """Return a temperature that is one: above 0.

    Raises:
        GradientError: it is not.

    """
    if not temperature > 0:
        raise GradientError(f"The temperature is {temperature}; it must be above 0.")
    return temperature


def gumbel_max(logits: Tensor, generator: torch.Generator | None = None) -> Tensor:
    r"""Draw one-hot from the categorical: onehot(argmax(o + g)).

    An exact draw whose randomness knows nothing of θ, so a reparameterization, but one
    through which no gradient passes.

    References:
        Gumbel 1954; Maddison, Tarlow and Minka 2014, A* sampling.

    """
    return straight_through(logits.detach() + gumbels(logits, generator))


def gumbel_softmax(
    logits: Tensor,
    temperature: float = 1.0,
    *,
    hard: bool = False,
    generator: torch.Generator | None = None,
) -> Tensor:
    r"""Draw from the relaxed categorical, softmax((o + g)/τ).

    Its limit as τ → 0 is the Gumbel-Max draw; at any τ > 0 its mean is not p, and the
    gradient of f at it is biased. Small τ: less bias, and gradients that are mostly near 0
    and rarely huge.

    Args:
        logits: (…, cats), unnormalised log-probabilities.
        temperature: τ, above 0.
        hard: give the one-hot of the largest entry, keep the gradient of the relaxed draw.
        generator: of the noise.

    References:
        Jang, Gu and Poole 2017; Maddison, Mnih and Teh 2017.

    Example:
        >>> noise = torch.Generator().manual_seed(0)
        >>> p = torch.tensor([0.1, 0.2, 0.3, 0.4]).expand(100_000, 4)
        >>> gumbel_softmax(p.log(), 1.0, generator=noise).mean(0)  # not p
        tensor([0.1..., 0.2..., 0.2..., 0.3...])

    """
    noisy = logits + gumbels(logits, generator)
    soft = softmax(noisy if warm(temperature) == 1.0 else noisy / temperature)
    return straight_through(soft) if hard else soft


class _Categorical(torch.autograd.Function):
    """A hard draw with the Jacobian of softmax(o/τ)."""

    @staticmethod
    def forward(ctx: Any, soft: Tensor, hard: Tensor) -> Tensor:
        return hard

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return grads[0], None


def categorical_straight_through(
    logits: Tensor, temperature: float = 1.0, generator: torch.Generator | None = None
) -> Tensor:
    r"""Draw one-hot from the categorical, with the gradient of softmax(o/τ).

    Args:
        logits: (…, cats).
        temperature: of the backward pass only; the draw is exact at any.
        generator: of the draw.

    References:
        Bengio, Léonard and Courville 2013.

    """
    probs = softmax(logits)
    soft = probs if warm(temperature) == 1.0 else softmax(logits / temperature)
    result: Tensor = _Categorical.apply(soft, pick(probs.detach(), generator))
    return result


@dataclass(frozen=True)
class Annealed:
    r"""A temperature that falls with the steps: \(\tau_t = e + (s - e)\, k^t\).

    Args:
        start: s, at step 0.
        end: e, in the limit.
        keep: k, share of the excess that a step keeps.

    Example:
        >>> temperature = Annealed()
        >>> [round(temperature(step), 3) for step in (0, 1_000, 10_000)]
        [1.0, 0.374, 0.01]

    """

    start: float = 1.0
    end: float = 0.01
    keep: float = 0.999

    def __post_init__(self) -> None:
        """Refuse what would not fall, or fall to 0."""
        if not (self.start >= self.end > 0 and 0 <= self.keep < 1):
            raise GradientError(
                f"A temperature from {self.start} to {self.end} that keeps {self.keep} of the "
                "excess: it must fall to something above 0, and keep a share in [0, 1)."
            )

    def __call__(self, step: int) -> float:
        """Return the temperature of a step."""
        return self.end + (self.start - self.end) * self.keep**step
