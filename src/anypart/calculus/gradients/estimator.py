r"""The contract of every estimator of \(\nabla_\theta L\), \(L = E_{z \sim p_\theta}[f(z)]\).

An estimator is a torch module. Called with f and p it returns one number per element of the
batch: the value is an estimate of L, and its backward pass puts the estimate of the gradient
on the parameters of p, and \(E[\partial f / \partial \phi]\) on f's own parameters. So it stands
where the loss of a training loop stands:

    p = Bernoulli(encoder(x))
    loss = estimate(lambda z: cost(z, x), p).mean()
    loss.backward()

f is called with z of shape `(rows, *batch, *event)` and returns `(rows, *batch)`; `rows` is the
number of draws times what the estimator needs for each. It may be called with any number.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn

from anypart.base.errors import GradientError
from anypart.calculus.gradients.families import Family

Integrand = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Claim:
    r"""What an estimator says about itself; laws and the judge hold it to this.

    Args:
        unbiased: the mean of its gradient is the gradient of its target.
        smooth: f must be differentiable in z, and defined between the values of z.
        source: authors, year.
        least_draws: below which it is not defined.
        objective: the name of its target where that is not \(E[f]\).
        exact: every call gives the gradient itself.

    """

    unbiased: bool
    smooth: bool
    source: str
    least_draws: int = 1
    objective: str = "E[f(z)]"
    exact: bool = False


class Estimator(nn.Module, ABC):
    """An estimator of the gradient of an expectation; see the module's head.

    Args:
        draws: independent draws per element of the batch, averaged.

    """

    claim: ClassVar[Claim]
    families: ClassVar[tuple[type, ...]] = (Family,)

    def __init__(self, draws: int = 1) -> None:
        super().__init__()
        if not isinstance(cast("object", draws), int) or draws < self.claim.least_draws:
            raise GradientError(
                f"{type(self).__name__} was asked for {draws!r} draws; it needs a whole number of "
                f"at least {self.claim.least_draws}."
            )
        self.draws = draws

    def __call__(self, f: Integrand, p: Any, generator: torch.Generator | None = None) -> Tensor:
        """Estimate L, (*batch,), with the gradient's estimate as its backward pass.

        Args:
            f: (rows, *batch, *event) to (rows, *batch).
            p: the distribution; its parameters get the gradient.
            generator: of every random number; torch's own if None.

        Raises:
            GradientError: p is of a family that the estimator cannot use or has a parameter
                that is NaN, f has the wrong shape, or f carries no gradient where one is needed.

        """
        if not isinstance(p, self.families):
            known = " or ".join(family.__name__ for family in self.families)
            raise GradientError(
                f"{type(self).__name__} estimates over {known}, but p is {type(p).__name__}. "
                "`choose` names estimators for it."
            )
        if isinstance(p, Family):
            p.check()
        result: Tensor = super().__call__(_checked(f, p, type(self)), p, generator)
        return result if torch.is_grad_enabled() else result.detach()

    @abstractmethod
    def forward(self, f: Integrand, p: Any, generator: torch.Generator | None = None) -> Tensor:
        """Estimate; f's shape is checked already."""

    def target(self, f: Integrand, p: Any) -> Tensor:
        r"""Return the exact objective of which this estimates the gradient, (*batch,).

        Enumerates a finite family and integrates a continuous one, within `exact_value`'s limits.
        """
        from anypart.calculus.gradients.exact import exact_value

        return exact_value(f, p)

    def evaluations(self, p: Any) -> int:
        """Return how often f is evaluated per element of the batch."""
        return self.draws


def kept_share(keep: float) -> float:
    """Return what a running average keeps at a call, which is a share below 1.

    Raises:
        GradientError: it is not.

    """
    if not 0 <= keep < 1:
        raise GradientError(f"A running average that keeps {keep} of itself: take one in [0, 1).")
    return keep


def _checked(f: Integrand, p: Any, estimator: type[Estimator]) -> Integrand:
    event_dims = p.event_dims if isinstance(p, Family) else None

    def call(z: Tensor) -> Tensor:
        value = _numbers(f(z), z)
        dims = z.dim() - event_dims if event_dims else min(value.dim(), z.dim() - 1)
        if value.shape != z.shape[:dims] or dims == 0:
            raise GradientError(
                f"f gave shape {tuple(value.shape)} for z of shape {tuple(z.shape)}; it must "
                f"give one number per draw and element of the batch, {tuple(z.shape[:dims])}. "
                "Sum over the axes of the event."
            )
        if z.requires_grad and not value.requires_grad:
            raise GradientError(
                f"{estimator.__name__} needs f to be differentiable in z, but its value carries "
                "no gradient. For a step, a comparison or a black box take ScoreFunction."
            )
        return value

    return call


def _numbers(value: Any, z: Tensor) -> Tensor:
    """Let counts and truth values be numbers; refuse what is no tensor."""
    if not isinstance(value, Tensor):
        raise GradientError(
            f"f gave {type(value).__name__}, not a tensor; it must give one number per draw and "
            "element of the batch. Write torch.as_tensor(…) around it."
        )
    return value if value.is_floating_point() else value.to(z.dtype)


def replace_gradient(value: Tensor, surrogate: Tensor) -> Tensor:
    """Return `value` with the gradient of `surrogate` added to its own."""
    return value + (surrogate - surrogate.detach())


class _Attach(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, *pairs: Tensor) -> Tensor:
        ctx.save_for_backward(*pairs[len(pairs) // 2 :])
        return value.clone()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grads: Tensor
    ) -> tuple[Tensor | None, ...]:
        (upper,) = grads
        gradients: Sequence[Tensor] = ctx.saved_tensors
        shaped = [
            g * upper.reshape(upper.shape + (1,) * (g.dim() - upper.dim())) for g in gradients
        ]
        return (upper, *shaped, *(None for _ in gradients))


def attach_gradient(
    value: Tensor, parameters: Sequence[Tensor], gradients: Sequence[Tensor]
) -> Tensor:
    """Return `value` whose backward pass also gives the parameters these gradients.

    Args:
        value: (*batch,).
        parameters: each (*batch, *event).
        gradients: of the value with respect to the parameters, in their shapes.

    """
    fixed = [g.detach() for g in gradients]
    result: Tensor = _Attach.apply(value, *parameters, *fixed)
    return result


class _Beside(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, own: Tensor) -> Tensor:
        return value.clone()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grads: Tensor
    ) -> tuple[Tensor, Tensor]:
        return grads[0], grads[0].abs()


def train_beside(value: Tensor, own_loss: Tensor) -> Tensor:
    """Return `value` whose backward pass also descends an estimator's own loss.

    The own loss (a baseline's squared error, a control variate's variance) is minimised
    whatever the sign of the loop's loss: who maximises a reward by minimising −L must not
    turn the training of the baseline round.
    """
    result: Tensor = _Beside.apply(value, own_loss)
    return result
