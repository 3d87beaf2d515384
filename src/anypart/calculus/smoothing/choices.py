"""Choices: argmax, its one-hot vector, and the mask of the k largest."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from anypart.base.errors import QuestionError
from anypart.calculus.smoothing.contract import below_max, length, smooth


def _one_hot(x: Tensor, dim: int = -1) -> Tensor:
    length(x, dim)
    return torch.zeros_like(x).scatter(dim, x.argmax(dim, keepdim=True), 1.0)


def _gap(x: Tensor, k: int, dim: int) -> Tensor:
    """How far the k-th largest is above the next, 0 if infinities tie."""
    top = x.topk(k + 1, dim).values
    return (top.select(dim, k - 1) - top.select(dim, k)).nan_to_num(nan=0.0, posinf=math.inf)


def _others(x: Tensor, temperature: float, dim: int) -> Tensor:
    """The most that all but the largest entry can get of a softmax."""
    n = length(x, dim)
    if n == 1:
        return x.new_zeros(x.select(dim, 0).shape)
    odds = (n - 1) * torch.exp(-_gap(x, 1, dim) / temperature)
    return odds / (1 + odds)


def _one_hot_bound(x: Tensor, temperature: float, dim: int = -1) -> Tensor:
    return _others(x, temperature, dim).unsqueeze(dim)


@smooth(hard=_one_hot, bound=_one_hot_bound)
def one_hot_argmax(x: Tensor, temperature: float, dim: int = -1) -> Tensor:
    r"""Smooth one-hot vector of the largest entry: the softmax of x/t.

    With g the gap between the largest two, no entry is off by more than
    (n−1)e^{−g/t} / (1 + (n−1)e^{−g/t}). Ties share; the hard one takes the first. What the
    weights lose of the maximum, max x − Σ x p, is at most `regret(n, t)` whatever the gap.

    Example:
        >>> one_hot_argmax(torch.tensor([2.0, 1, 4, 5, 3]), 0.5)
        tensor([2.1434e-03, 2.9008e-04, 1.1702e-01, 8.6470e-01, 1.5838e-02])

    """
    return torch.softmax(below_max(x, dim)[0] / temperature, dim)


def regret(n: int, temperature: float) -> float:
    r"""Bound what the softmax's mean loses of the maximum, attained for some x.

    .. math:: \max x - \sum_i x_i p_i \le t \, W\!\left(\frac{n - 1}{e}\right)

    W is Lambert's function. With all but one at distance d = t·y the loss is
    t·y(n−1)/(n−1+e^y), largest where (y−1)e^{y−1} = (n−1)/e.

    Example:
        >>> round(regret(2, 1.0), 5)
        0.27846

    """
    if n < 1:
        raise QuestionError(f"There is no choice among {n}; n is at least 1.")
    target = (n - 1) / math.e
    w = math.log1p(target)
    for _ in range(60):  # Newton from above on a convex function
        w -= (w * math.exp(w) - target) / ((1 + w) * math.exp(w))
    return temperature * w


def _index(x: Tensor, dim: int = -1) -> Tensor:
    length(x, dim)
    return x.argmax(dim).to(x.dtype)


def _index_bound(x: Tensor, temperature: float, dim: int = -1) -> Tensor:
    return (length(x, dim) - 1) * _others(x, temperature, dim)


@smooth(hard=_index, bound=_index_bound)
def argmax(x: Tensor, temperature: float, dim: int = -1) -> Tensor:
    r"""Smooth position of the largest entry, Σ i·softmax(x/t)_i, counted from 0.

    Two equal peaks give a position between them, which is neither: look at
    `one_hot_argmax` where x may have several.

    Example:
        >>> x = torch.tensor([2.0, 1, 4, 5, 3])
        >>> [round(float(argmax(x, 1 / k)), 3) for k in (1, 2, 5)]
        [2.734, 2.892, 2.993]
        >>> float(argmax(torch.tensor([5.0, 0, 5.0]), 0.1))  # neither of the two
        1.0

    """
    index = torch.arange(length(x, dim), dtype=x.dtype, device=x.device)
    return (one_hot_argmax(x, temperature, dim).movedim(dim, -1) * index).sum(-1)


def _count(x: Tensor, k: int, dim: int) -> int:
    n = length(x, dim)
    if not 0 <= k <= n:
        raise QuestionError(f"There are {n} entries along dimension {dim}, not {k} to choose.")
    return n


def _hard_mask(x: Tensor, k: int, dim: int = -1) -> Tensor:
    _count(x, k, dim)
    return torch.zeros_like(x).scatter(dim, x.topk(k, dim).indices, 1.0)


def _mask_bound(x: Tensor, temperature: float, k: int, dim: int = -1) -> Tensor:
    n = _count(x, k, dim)
    if k in (0, n):
        return x.new_zeros(())
    moved = torch.sigmoid(-_gap(x, k, dim) / (2 * temperature)) * (k if 2 * k > n else n - k)
    return moved.clamp(max=1.0).unsqueeze(dim)


@smooth(hard=_hard_mask, bound=_mask_bound)
def top_k_mask(x: Tensor, temperature: float, k: int, dim: int = -1) -> Tensor:
    r"""Smooth mask of the k largest: entries in [0, 1] that sum to k.

    .. math:: p_i = \sigma((x_i - \lambda)/t), \quad \lambda : \sum_i p_i = k

    It maximises Σ p x + t·H(p) over such masks, H the sum of binary entropies. Half the
    gap g at the cut bounds the error: max(k, n−k)·σ(−g/2t).

    Adding up k softmaxes, each of what the ones before it left, p ← p + softmax((1−p)·x/t),
    is not a mask; this is what it gives for k = 2 of [0, 2], and what is right:

    >>> x, p = torch.tensor([0.0, 2.0]), torch.zeros(2)
    >>> for _ in range(2):
    ...     p = p + torch.softmax((1 - p) * x, 0)
    >>> p  # more than 1 in an entry, and all of two are not [1, 1]
    tensor([0.5599, 1.4401])
    >>> top_k_mask(x, 1.0, 2)
    tensor([1., 1.])

    Args:
        x: any shape.
        temperature: t, in the unit of x.
        k: how many, from 0 to n.
        dim: along which.

    Cost:
        O(n log n) for the sort, then a few passes.

    Example:
        >>> top_k_mask(torch.tensor([3.0, 2, 1, 4]), 0.1, 2).round(decimals=4)
        tensor([0.9933, 0.0067, 0.0000, 1.0000])

    """
    n = _count(x, k, dim)
    if k in (0, n):
        return float(k > 0) + 0 * x.clamp(-1, 1)  # derivative 0, infinities too
    u = x.movedim(dim, -1).double()
    pair = u.detach().topk(k + 1, -1).values[..., k - 1 :]
    if not pair.isfinite().all():
        raise QuestionError(
            f"The {k} largest are cut at an infinite value, where the mask has no limit. "
            "Give finite values around the cut."
        )
    centre = pair.mean(-1, keepdim=True)
    u = ((u - centre) / temperature).clamp(-1e300, 1e300)
    half = (pair[..., :1] - pair[..., 1:]) / (2 * temperature)
    with torch.no_grad():
        cut = _cut(u, k, -half - math.log(k), half + math.log(n - k))
    # Newton's steps that are differentiated: the first gives the cut its first derivative,
    # the second its second and third.
    for _ in range(2):
        slope = _slope(u - cut).sum(-1, keepdim=True)
        step = (torch.sigmoid(u - cut).sum(-1, keepdim=True) - k) / slope.clamp(min=FLAT)
        cut = cut + torch.where(slope > FLAT, step, 0.0)
    p = torch.sigmoid(u - cut)
    return p.to(x.dtype).movedim(-1, dim)


FLAT = 1e-30  # a slope below it: every entry is 0 or 1, and stays so


def _slope(u: Tensor) -> Tensor:
    return torch.sigmoid(u) * torch.sigmoid(-u)


def _cut(u: Tensor, k: int, low: Tensor, high: Tensor) -> Tensor:
    """Find where Σ σ(u − cut) = k: Newton's steps, halving when they leave the bracket."""
    cut = (low + high) / 2
    for _ in range(80):
        excess = torch.sigmoid(u - cut).sum(-1, keepdim=True) - k
        low, high = torch.where(excess > 0, cut, low), torch.where(excess > 0, high, cut)
        if not (excess.abs() > 1e-13 * k).any():
            break
        newton = cut + excess / _slope(u - cut).sum(-1, keepdim=True)
        inside = (newton > low) & (newton < high)
        cut = torch.where(inside, newton, (low + high) / 2)
    return cut
