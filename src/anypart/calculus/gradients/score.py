r"""The score function (REINFORCE, policy gradient), which asks nothing of f, and its baselines."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from anypart.base.errors import GradientError, suggest
from anypart.calculus.gradients.estimator import (
    Claim,
    Estimator,
    Integrand,
    attach_gradient,
    kept_share,
    replace_gradient,
)
from anypart.calculus.gradients.families import Continuous, Drawable, Family

BASELINES = ("mean", "moving_average", "optimal", "leave_one_out")


class ScoreFunction(Estimator):
    r"""The score function, with any of the classical baselines.

    .. math:: \nabla_\theta L = E[(f(z) - b)\, \nabla_\theta \log p_\theta(z)]

    Target: L. Unbiased for every baseline here, since none of them looks at the draw that it is
    subtracted from. Assumes nothing of f (a black box, a reward, a metric), and of p only that
    its support does not move with θ. The variance grows with f's spread and with the number of
    coordinates; at f = z², N(1, 1) it is 30 bare, 18 with b = E f, 14 with the best constant.

    Args:
        baseline: b, one of

            - None, or a number: a constant;
            - `mean`: the mean of f over the other elements of the batch;
            - `moving_average`: of f over past calls, kept as a buffer, moved in `train()`;
            - `optimal`: \(E[f s^2] / E[s^2]\) for each parameter by itself, s its score, from
              the element's other draws; p must be a family;
            - `leave_one_out`: the mean of f over the element's other draws (RLOO).
        draws: averaged.
        keep: what the moving average keeps at a call.

    Cost:
        draws evaluations of f, none of its derivative; no baseline adds one.

    References:
        Williams 1992; Greensmith, Bartlett and Baxter 2004 (optimal baseline); Kool, van Hoof
        and Welling 2019, Buy 4 REINFORCE samples, get a baseline for free.

    Example:
        >>> from anypart.calculus.gradients import Bernoulli
        >>> logits = torch.zeros(32, 10, requires_grad=True)
        >>> estimate = ScoreFunction("leave_one_out", draws=4)
        >>> loss = estimate(lambda z: (z.sum(-1) > 5).float(), Bernoulli(logits)).mean()
        >>> loss.backward()
        >>> logits.grad.shape
        torch.Size([32, 10])
        >>> ScoreFunction("leave_one_out")
        Traceback (most recent call last):
        anypart.base.errors.GradientError: The baseline 'leave_one_out' needs at least 2 draws, ...

    """

    claim: ClassVar[Claim] = Claim(unbiased=True, smooth=False, source="Williams 1992")
    families: ClassVar[tuple[type, ...]] = (Family, Drawable)
    average: Tensor
    calls: Tensor

    def __init__(
        self, baseline: float | str | None = None, draws: int = 1, keep: float = 0.99
    ) -> None:
        super().__init__(draws)
        if isinstance(baseline, str) and baseline not in BASELINES:
            raise GradientError(
                f"There is no baseline {baseline!r}; there are {', '.join(BASELINES)}, a number "
                f"and None.{suggest(baseline, BASELINES)}"
            )
        if baseline in ("leave_one_out", "optimal") and draws < 2:
            raise GradientError(
                f"The baseline {baseline!r} needs at least 2 draws, but draws is {draws}. "
                f"Write ScoreFunction({baseline!r}, draws=2)."
            )
        self.baseline, self.keep = baseline, kept_share(keep)
        self.register_buffer("average", torch.zeros((), dtype=torch.float64))
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))

    def forward(self, f: Integrand, p: Any, generator: torch.Generator | None = None) -> Tensor:
        """Estimate from `draws` draws."""
        if isinstance(p, Continuous) and p.moves:
            raise GradientError(
                f"The support of {type(p).__name__} moves with its parameters, where the score "
                "function is wrong. Take Pathwise."
            )
        z = p.sample(self.draws, generator)
        value = f(z)  # (draws, *batch)
        fixed = value.detach()
        if self.baseline == "optimal":
            return _with_optimal(value, z, p)
        advantage = fixed - self._baseline(fixed)
        surrogate = advantage * p.log_prob(z)
        return replace_gradient(value.mean(0), surrogate.mean(0))

    def _baseline(self, value: Tensor) -> Tensor | float:
        if self.baseline == "leave_one_out":
            return others_mean(value)
        if self.baseline == "mean":
            n = value[0].numel()
            if n < 2:
                raise GradientError(
                    f"The baseline 'mean' is over the other elements of a batch, but the batch has "
                    f"{n}. Take 'leave_one_out' with 2 draws, or 'moving_average'."
                )
            per_element = value.mean(0)
            return (per_element.sum() - per_element) / (n - 1)
        if self.baseline == "moving_average":
            return self._move(value)
        return 0.0 if self.baseline is None else float(self.baseline)

    def _move(self, value: Tensor) -> float:
        """Return the average of past calls, then take this call in."""
        calls = int(self.calls)
        # The average starts at 0; dividing by the weight of what it has seen undoes that.
        before = float(self.average) / (1 - self.keep**calls) if calls else 0.0
        if self.training and value.numel():
            self.average.mul_(self.keep).add_((1 - self.keep) * float(value.mean()))
            self.calls.add_(1)
        return before


def others_mean(value: Tensor) -> Tensor:
    """Return for each draw the mean over the other draws, (draws, *batch); draws ≥ 2."""
    return (value.sum(0) - value) / (len(value) - 1)


def _with_optimal(value: Tensor, z: Tensor, p: Any) -> Tensor:
    if not isinstance(p, Family):
        raise GradientError(
            f"The baseline 'optimal' needs the score of each parameter, which {type(p).__name__} "
            "does not give. Take 'leave_one_out'."
        )
    fixed = value.detach()
    shaped = fixed.reshape(fixed.shape + (1,) * (z.dim() - fixed.dim()))
    mean = others_mean(shaped)
    gradients: list[Tensor] = []
    for score in p.scores(z):
        square = score.square()
        # Sums over the other draws, added up and not subtracted: a draw whose score is
        # large must leave no rounding in its own baseline.
        weight, total = _others_sum(square), _others_sum(square * shaped)
        known = weight > torch.finfo(weight.dtype).tiny
        best = torch.where(known, total / torch.where(known, weight, 1.0), mean)
        gradients.append(((shaped - best) * score).mean(0))
    return attach_gradient(value.mean(0), p.parameters, gradients)


def _others_sum(terms: Tensor) -> Tensor:
    """Add up the other draws, as what is before plus what is after: no cancellation."""
    zero = torch.zeros_like(terms[:1])
    before = torch.cat([zero, terms[:-1].cumsum(0)])
    after = torch.cat([terms[1:].flip(0).cumsum(0).flip(0), zero])
    return before + after
