r"""The score function with control variates: NVIL, MuProp, REBAR and RELAX.

NVIL, REBAR and RELAX have parameters of their own. They are the module's `.parameters()`; give
them to the optimizer beside the model's, and the same backward pass trains them: a baseline
by its squared error, a control variate by the variance of the gradient it makes.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from anypart.base.errors import GradientError
from anypart.calculus.gradients.estimator import (
    Claim,
    Estimator,
    Integrand,
    attach_gradient,
    replace_gradient,
    train_beside,
)
from anypart.calculus.gradients.families import Family, Finite, uniforms


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
        self.baseline, self.normalise, self.keep = baseline, normalise, keep
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
            said = self.baseline(seen).reshape(p.batch_shape)
            signal = signal - said
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
        if not (temperature > 0 and scale > 0):
            raise GradientError(
                f"REBAR starts at temperature {temperature} and scale {scale}; "
                "both must be above 0."
            )
        self.log_temperature = nn.Parameter(torch.tensor(temperature).log())
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
        self.log_temperature = nn.Parameter(torch.tensor(temperature).log())
        self.log_scale = nn.Parameter(torch.zeros(())) if relaxed else None

    def _values(
        self, f: Integrand, p: Finite, draws: tuple[Tensor, Tensor, Tensor]
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        hard = p.from_categorical(draws[0])
        free, given = (_relax(p, scores, self.log_temperature) for scores in draws[1:])
        by_network = (self.control(free), self.control(given))
        if self.log_scale is None:
            return f(hard), by_network
        value, at_free, at_given = f(torch.cat([hard, free, given])).split(self.draws)
        scale = self.log_scale.exp().to(value.dtype)
        return value, (by_network[0] + scale * at_free, by_network[1] + scale * at_given)

    def evaluations(self, p: Any) -> int:
        """Return one per draw, three with `relaxed`."""
        return self.draws * (3 if self.relaxed else 1)


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
