"""The contract of every smooth stand-in: one name, hard and soft, and a bound between them."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, Concatenate, Generic, ParamSpec, cast

import torch
from torch import Tensor

from anypart.base.errors import QuestionError

P = ParamSpec("P")
Soft = Callable[Concatenate[Tensor, float, P], Tensor]
Hard = Callable[Concatenate[Tensor, P], Tensor]


class Smooth(Generic[P]):
    """A function with jumps or kinks, and its smooth stand-in, under one name.

    Args:
        soft: (x, temperature, options) → the stand-in.
        hard: (x, options) → the function itself.
        bound: (x, temperature, options) → what |soft − hard| never exceeds, broadcastable
            to the output.

    """

    def __init__(self, soft: Soft[P], hard: Hard[P], bound: Soft[P]) -> None:
        self._soft, self._hard, self._bound = soft, hard, bound
        functools.update_wrapper(self, soft)

    def __repr__(self) -> str:
        return f"<smooth {getattr(self._soft, '__name__', '?')}>"

    def __call__(
        self, x: Tensor, temperature: float, *options: P.args, **named: P.kwargs
    ) -> Tensor:
        """Return the soft value at a positive temperature, the hard one at 0.

        Raises:
            QuestionError: a temperature below 0 or no number, NaN among the values, an
                empty dimension, values that are not floating point.

        """
        check(x, temperature)
        if temperature == 0:
            return self._hard(x, *options, **named)
        return self._soft(x, float(temperature), *options, **named)

    def straight_through(
        self, x: Tensor, temperature: float, *options: P.args, **named: P.kwargs
    ) -> Tensor:
        """Return the hard value with the derivative of the soft one.

        References:
            Bengio, Léonard & Courville, "Estimating or propagating gradients through
            stochastic neurons" (2013), section 4.

        """
        soft = self(x, temperature, *options, **named)
        with torch.no_grad():
            hard = self._hard(x, *options, **named)
        return cast(Tensor, _HardForward.apply(soft, hard))

    def bound(self, x: Tensor, temperature: float, *options: P.args, **named: P.kwargs) -> Tensor:
        """Return what |soft − hard| never exceeds, in the unit of the output."""
        check(x, temperature)
        with torch.no_grad():
            if temperature == 0:
                return x.new_zeros(())
            return self._bound(x, float(temperature), *options, **named)


def smooth(*, hard: Hard[P], bound: Soft[P]) -> Callable[[Soft[P]], Smooth[P]]:
    """Join a soft function (decorated) with its hard one and the bound between them."""
    return lambda soft: Smooth(soft, hard, bound)


class _HardForward(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, soft: Tensor, hard: Tensor) -> Tensor:
        del ctx, soft
        return hard.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        del ctx
        return grads[0], None


def check(x: Tensor, temperature: float) -> None:
    """Refuse what has no meaning: NaN, integers, a temperature that is not in [0, ∞)."""
    if not 0 <= temperature < math.inf:
        raise QuestionError(
            f"A temperature is finite and at least 0 (0: the hard function), not {temperature!r}."
        )
    if not x.is_floating_point():
        raise QuestionError(f"Smooth functions take floating point, not {x.dtype}. Use x.float().")
    # Mostly one pass: a finite sum has no NaN among its terms.
    if not math.isfinite(float(x.detach().sum())) and x.isnan().any():
        raise QuestionError(
            f"{int(x.isnan().sum())} of {x.numel()} values are NaN, which has no order. "
            "Mask them out first."
        )


def length(x: Tensor, dim: int) -> int:
    """Return the size of a dimension, at least 1."""
    if not -x.ndim <= dim < x.ndim:
        raise QuestionError(f"There is no dimension {dim} in a tensor of shape {tuple(x.shape)}.")
    if not x.shape[dim]:
        raise QuestionError(
            f"Dimension {dim} of shape {tuple(x.shape)} is empty, and nothing has no largest value."
        )
    return x.shape[dim]


def below_max(x: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Return x − max(x), and max(x) without a derivative; infinities of one sign tie.

    Shifting first keeps every exponential at most 1, whatever the temperature.
    """
    length(x, dim)
    top = x.detach().amax(dim, keepdim=True)
    gap = x - top
    if not top.isfinite().all():
        gap = gap.nan_to_num(nan=0.0, posinf=math.inf, neginf=-math.inf)
    return gap, top


def softplus(x: Tensor) -> Tensor:
    """Return log(1 + e^x), right to the last digit also in double precision."""
    return torch.nn.functional.softplus(x, threshold=40.0)
