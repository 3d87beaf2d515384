"""Functions with jumps: step, greater, sign, floor, round. Exact as the distance to a jump grows.

Near a jump no continuous function is close to one that jumps, so a bound must know how far
x is from it; far from the jump the error falls like e^{−distance / t}.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from anypart.calculus.smoothing.contract import smooth


def _heaviside(x: Tensor) -> Tensor:
    return torch.heaviside(x, x.new_tensor(0.5))


def _step_bound(x: Tensor, temperature: float) -> Tensor:
    return torch.sigmoid(-x.abs() / temperature)


@smooth(hard=_heaviside, bound=_step_bound)
def step(x: Tensor, temperature: float) -> Tensor:
    """Smooth step, the sigmoid of x/t; the hard one is 0 below 0, 1 above, and ½ at 0.

    Off by exactly σ(−|x|/t), except at 0, where it is right.

    Example:
        >>> step(torch.tensor([-1.0, 0.0, 1.0]), 0.5)
        tensor([0.1192, 0.5000, 0.8808])

    """
    return torch.sigmoid(x / temperature)


def _greater(x: Tensor, than: Tensor | float = 0.0) -> Tensor:
    return _heaviside(x - than)


def _greater_bound(x: Tensor, temperature: float, than: Tensor | float = 0.0) -> Tensor:
    return _step_bound(x - than, temperature)


@smooth(hard=_greater, bound=_greater_bound)
def greater(x: Tensor, temperature: float, than: Tensor | float = 0.0) -> Tensor:
    """Smooth x > than, in [0, 1]; ½ where they are equal, so that (x>y) + (y>x) = 1."""
    return torch.sigmoid((x - than) / temperature)


def _sign_bound(x: Tensor, temperature: float) -> Tensor:
    return 2 * torch.sigmoid(-2 * x.abs() / temperature)


@smooth(hard=torch.sign, bound=_sign_bound)
def sign(x: Tensor, temperature: float) -> Tensor:
    """Smooth sign, tanh(x/t): the derivative of `abs` at the same temperature."""
    return torch.tanh(x / temperature)


def _floor_bound(x: Tensor, temperature: float) -> Tensor:
    away = torch.minimum(x - x.floor(), x.floor() + 1 - x)
    decay = -math.expm1(-1 / temperature)
    return (torch.exp(-away / temperature) / decay).clamp(max=1.0)


def _round_bound(x: Tensor, temperature: float) -> Tensor:
    return _floor_bound(x + 0.5, temperature)


SERIES_FROM = 0.2  # both expansions are exact to 1e-15 here, with nine and eight terms


@smooth(hard=torch.floor, bound=_floor_bound)
def floor(x: Tensor, temperature: float) -> Tensor:
    r"""Smooth floor: the mean of the floors of x + t·L, L of the logistic distribution.

    .. math:: \sum_k [\sigma((x - k)/t) - 1_{k \le 0}]
        = x - \tfrac12 + \sum_{k \ge 1} \frac{2 \pi t \sin 2 \pi k x}{\sinh 2 \pi^2 k t}

    The left sum is short at low temperatures, the right one (its Fourier series, by Poisson
    summation) at high ones, where the floor becomes x − ½. Never further off than 1.

    Example:
        >>> floor(torch.tensor([0.5, 1.5, 2.9]), 0.05).round(decimals=4)
        tensor([0.0000, 1.0000, 2.1192])

    """
    if temperature < SERIES_FROM:
        # The nearest jump: its distance is exact, that of the one below −1e−5 is rounded.
        whole = x.detach().round()
        part = (x - whole).nan_to_num(nan=0.0)  # ∞ − ∞
        out = whole
        for k in range(-7, 1):  # jumps at and below x, most of the way up
            out = out - torch.sigmoid((k - part) / temperature)
        for k in range(1, 9):
            out = out + torch.sigmoid((part - k) / temperature)
        return out
    out = x - 0.5
    angle = 2 * math.pi * (x - x.detach().floor()).nan_to_num(nan=0.0)
    for k in range(1, 10):
        depth = 2 * math.pi**2 * k * temperature
        if depth > 700:  # sinh overflows, the term is long gone
            break
        out = out + 2 * math.pi * temperature / math.sinh(depth) * torch.sin(k * angle)
    return out


@smooth(hard=torch.round, bound=_round_bound)
def round(x: Tensor, temperature: float) -> Tensor:
    """Smooth round, the smooth floor of x + ½; never further off than 1."""
    return floor(x + 0.5, temperature)
