"""Functions with kinks: max, min, abs, clip. Off by at most t·ln 2, or t·ln n for max and min."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from anypart.base.errors import QuestionError
from anypart.calculus.smoothing.contract import below_max, length, smooth, softplus

# The names are those of torch, whose functions these stand in for.


def _log_n(x: Tensor, temperature: float, dim: int = -1) -> Tensor:
    return x.new_tensor(temperature * math.log(length(x, dim)))


def _amax(x: Tensor, dim: int = -1) -> Tensor:
    length(x, dim)
    return x.amax(dim)


def _amin(x: Tensor, dim: int = -1) -> Tensor:
    length(x, dim)
    return x.amin(dim)


@smooth(hard=_amax, bound=_log_n)
def max(x: Tensor, temperature: float, dim: int = -1) -> Tensor:
    r"""Smooth maximum, the log-sum-exp; from above.

    .. math:: t \log \sum_i e^{x_i / t}, \qquad 0 \le \text{soft} - \max x \le t \ln n

    Its gradient is the softmax; the bound is attained where all are equal. Entries of −∞
    do not count.

    Args:
        x: any shape.
        temperature: t, in the unit of x.
        dim: reduced.

    Example:
        >>> x = torch.tensor([2.0, 1, 4, 5, 3])
        >>> [round(float(max(x, 1 / k)), 4) for k in (1, 2)]
        [5.4519, 5.0727]
        >>> float(max(x, 0)), round(float(max.bound(x, 1.0)), 3)
        (5.0, 1.609)

    """
    gap, top = below_max(x, dim)
    return top.squeeze(dim) + temperature * torch.logsumexp(gap / temperature, dim)


@smooth(hard=_amin, bound=_log_n)
def min(x: Tensor, temperature: float, dim: int = -1) -> Tensor:
    """Smooth minimum, −max(−x); from below by at most t·ln n."""
    return -max(-x, temperature, dim)


def _ln2(x: Tensor, temperature: float) -> Tensor:
    return x.new_tensor(temperature * math.log(2.0))


@smooth(hard=torch.abs, bound=_ln2)
def abs(x: Tensor, temperature: float) -> Tensor:
    r"""Smooth absolute value, the smooth maximum of x and −x; from above.

    .. math:: t \log(e^{x/t} + e^{-x/t}) = |x| + t \log(1 + e^{-2|x|/t})

    Its derivative is tanh(x/t), `sign` at the same temperature.

    Example:
        >>> round(float(abs(torch.tensor(0.0), 1.0)), 4)
        0.6931

    """
    size = x.abs()
    return size + temperature * softplus(-2 * size / temperature)


def _clamp(x: Tensor, low: float, high: float) -> Tensor:
    _ordered(low, high)
    return x.clamp(low, high)


def _ordered(low: float, high: float) -> None:
    if not low < high:
        raise QuestionError(f"clip needs low < high, and {low} is not below {high}.")


def _clip_bound(x: Tensor, temperature: float, low: float, high: float) -> Tensor:
    _ordered(low, high)
    return _ln2(x, temperature).clamp(max=(high - low) / 2)


@smooth(hard=_clamp, bound=_clip_bound)
def clip(x: Tensor, temperature: float, low: float, high: float) -> Tensor:
    r"""Smooth clip to [low, high], which it never leaves.

    .. math:: \text{low} + t \log \frac{1 + e^{(x - \text{low})/t}}{1 + e^{(x - \text{high})/t}}

    Off by at most t·ln 2, and by at most half the width.

    Args:
        x: any shape.
        temperature: t, in the unit of x.
        low: the least value.
        high: the greatest value.

    Example:
        >>> clip(torch.tensor([-9.0, 0.5, 9.0]), 0.1, 0.0, 1.0).round(decimals=4)
        tensor([0.0000, 0.5000, 1.0000])

    """
    _ordered(low, high)
    a, b = (x - low) / temperature, (x - high) / temperature
    width = (high - low) / temperature
    if width < 1:  # the two logarithms are near each other: take that of the ratio
        rise = torch.log1p(math.expm1(width) * torch.sigmoid(b))
    else:
        # Where x is above high both grow like x; their difference is that of the mirror.
        upper = width + softplus(-a) - softplus(-b)
        rise = torch.where(b > 0, upper, softplus(a) - softplus(b))
    return (low + temperature * rise).clamp(low, high)  # rounding may step over
