r"""The score function with a control variate on relaxed draws: REBAR and RELAX.

Both have parameters of their own, trained by the same pass as the model's; see `control`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from anypart.base.errors import GradientError
from anypart.calculus.gradients.control import per_element
from anypart.calculus.gradients.drawing import uniforms
from anypart.calculus.gradients.estimator import (
    Claim,
    Estimator,
    Integrand,
    attach_gradient,
    train_beside,
)
from anypart.calculus.gradients.families import Finite
from anypart.calculus.gradients.gumbel import warm


class _Controlled(Estimator):
    r"""The score function with a control variate on relaxed draws, free and given the hard one.

    .. math:: \hat g = (f(b) - c(\tilde y)) \nabla \log p(b)
        + \nabla c(y) - \nabla c(\tilde y)
    """

    families: ClassVar[tuple[type, ...]] = (Finite,)

    def forward(self, f: Integrand, p: Any, generator: torch.Generator | None = None) -> Tensor:
        """Estimate, and learn the control variate while in `train()`."""
        with torch.enable_grad():
            theta = p.logits.detach().requires_grad_()
            mine = p.replaced(theta)
            hard, free, given = self._draw(mine, generator)
            value, control = self._values(f, mine, (hard, free, given))
            own = [t for t in self.parameters() if t.requires_grad]
            learning = self.training and bool(own)
            (by_path,) = torch.autograd.grad(
                (control[0] - control[1]).mean(0).sum(),
                theta,
                create_graph=learning,
                retain_graph=True,
            )
            left = value.detach() - (control[1] if learning else control[1].detach())
            left = left.reshape(left.shape + (1,) * p.event_dims)
            gradient = (left * p.scores(p.from_categorical(hard))[0]).mean(0) + by_path
            result = attach_gradient(value.mean(0), p.parameters, [gradient])
            if learning:
                slopes = torch.autograd.grad(
                    gradient.square().sum() / max(value[0].numel(), 1),
                    own,
                    retain_graph=True,
                    allow_unused=True,
                )
                result = train_beside(result, _pull(own, slopes).expand_as(result))
            return result

    def _draw(self, p: Finite, generator: torch.Generator | None) -> tuple[Tensor, Tensor, Tensor]:
        """Draw one-hot, the Gumbel scores that made it, and scores given it."""
        log_p = p.as_categorical().logits.log_softmax(-1)
        shape = (self.draws, *log_p.shape)
        free = log_p - uniforms(log_p, shape, generator).log().neg().log()
        hard = torch.zeros(shape, dtype=log_p.dtype, device=log_p.device)
        hard = hard.scatter(-1, free.detach().argmax(-1, keepdim=True), 1.0)
        log_wait = uniforms(log_p, shape, generator).log().neg().log()  # one uniform per category
        first = (log_wait * hard).sum(-1, keepdim=True)
        # A race: the winner arrives after Exp(1), the others after that and Exp(p_j) more.
        given = torch.where(hard > 0, -first, -torch.logaddexp(log_wait - log_p, first))
        return hard, free, given

    @abstractmethod
    def _values(
        self, f: Integrand, p: Finite, draws: tuple[Tensor, Tensor, Tensor]
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Return f at the hard draw, and the control variate at the free and the given one."""


def _pull(parameters: Sequence[Tensor], slopes: Sequence[Tensor | None]) -> Tensor:
    """Return a number whose gradient by the parameters is `slopes`."""
    pairs = zip(parameters, slopes, strict=True)
    return torch.stack([(t * s.detach()).sum() for t, s in pairs if s is not None]).sum()


def _relax(p: Finite, scores: Tensor, log_temperature: Tensor) -> Tensor:
    return p.from_categorical((scores / log_temperature.exp().to(scores.dtype)).softmax(-1))


class REBAR(_Controlled):
    r"""The score function with f at the relaxed draw as its control variate.

    .. math:: c(y) = \eta f(\mathrm{softmax}(y / \tau))

    Target: L. Unbiased for every η and τ, which are learned (by their logarithms) for the least
    variance; f must be differentiable and defined between the values of z.

    Args:
        temperature: where τ starts.
        scale: where η starts.
        draws: averaged.

    Cost:
        3 · draws evaluations of f, 2 of its derivative, and while learning second derivatives.

    References:
        Tucker, Mnih, Maddison, Lawson and Sohl-Dickstein 2017, REBAR: low-variance, unbiased
        gradient estimates for discrete latent variable models, eq. 7.

    """

    claim: ClassVar[Claim] = Claim(unbiased=True, smooth=True, source="Tucker et al. 2017")

    def __init__(self, temperature: float = 0.5, scale: float = 1.0, *, draws: int = 1) -> None:
        super().__init__(draws)
        if not scale > 0:
            raise GradientError(f"REBAR's scale starts at {scale}; it must be above 0.")
        self.log_temperature = nn.Parameter(torch.tensor(warm(temperature)).log())
        self.log_scale = nn.Parameter(torch.tensor(scale).log())

    def _values(
        self, f: Integrand, p: Finite, draws: tuple[Tensor, Tensor, Tensor]
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        relaxed = [_relax(p, scores, self.log_temperature) for scores in draws[1:]]
        values = f(torch.cat([p.from_categorical(draws[0]), *relaxed]))
        hard, free, given = values.split(self.draws)
        scale = self.log_scale.exp().to(values.dtype)
        return hard, (scale * free, scale * given)

    def evaluations(self, p: Any) -> int:
        """Return three per draw."""
        return 3 * self.draws


class RELAX(_Controlled):
    r"""REBAR with a free network as its control variate: f may be a black box.

    .. math:: c(y) = r_\rho(\mathrm{softmax}(y / \tau)) \;[+\; \eta f(\mathrm{softmax}(y/\tau))]

    Target: L. Unbiased for every network, which is learned for the least variance. f is
    evaluated at the hard draw only, so any f will do; with `relaxed` f itself is part of c and
    must be differentiable.

    Args:
        control: a module, relaxed z of shape (rows, *batch, *event) to (rows, *batch).
        relaxed: add REBAR's control variate.
        temperature: where τ starts.
        draws: averaged.

    Cost:
        draws evaluations of f, 3 · draws with `relaxed`; 2 · draws of the network.

    References:
        Grathwohl, Choi, Wu, Roeder and Duvenaud 2018, Backpropagation through the void:
        optimizing control variates for black-box gradient estimation, eq. 10.

    """

    claim: ClassVar[Claim] = Claim(unbiased=True, smooth=False, source="Grathwohl et al. 2018")

    def __init__(
        self,
        control: Callable[[Tensor], Tensor],
        *,
        relaxed: bool = False,
        temperature: float = 0.5,
        draws: int = 1,
    ) -> None:
        super().__init__(draws)
        self.control, self.relaxed = control, relaxed
        self.log_temperature = nn.Parameter(torch.tensor(warm(temperature)).log())
        self.log_scale = nn.Parameter(torch.zeros(())) if relaxed else None

    def _values(
        self, f: Integrand, p: Finite, draws: tuple[Tensor, Tensor, Tensor]
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        hard = p.from_categorical(draws[0])
        free, given = (_relax(p, scores, self.log_temperature) for scores in draws[1:])
        shape, what = free.shape[: -p.event_dims], "RELAX's control variate"
        by_network = (
            per_element(self.control(free), shape, what),
            per_element(self.control(given), shape, what),
        )
        if self.log_scale is None:
            return f(hard), by_network
        value, at_free, at_given = f(torch.cat([hard, free, given])).split(self.draws)
        scale = self.log_scale.exp().to(value.dtype)
        return value, (by_network[0] + scale * at_free, by_network[1] + scale * at_given)

    def evaluations(self, p: Any) -> int:
        """Return one per draw, three with `relaxed`."""
        return self.draws * (3 if self.relaxed else 1)
