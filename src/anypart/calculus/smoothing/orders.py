"""Orders: sort, rank, the k largest values, quantiles. O(n log n), exact from a temperature on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from anypart.base.errors import QuestionError
from anypart.calculus.smoothing.contract import length, smooth


@cache
def _kernels() -> ModuleType:
    from anypart.calculus.smoothing import pooling  # compiled code, when it is needed

    return pooling


@dataclass(frozen=True)
class _Pools:
    """What a projection joined: the order of (rows, n), the ends of pools, the temperature."""

    places: NDArray[np.int64]
    ends: NDArray[np.int64]
    temperature: float


class _Projection(torch.autograd.Function):
    """Soft sort (`far`) or soft rank of the last dimension of (rows, n)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, temperature: float, far: bool) -> Tensor:
        kernels, values = _kernels(), np.ascontiguousarray(x.numpy(force=True))
        places = kernels.order(values)
        out, ends = np.empty_like(values), np.empty(values.shape, np.int64)
        if not kernels.forward(values, places, temperature, far, out, ends) and far:
            raise QuestionError(
                "Soft sorting takes means of values, and a mean with an infinite one is infinite. "
                "Clip the values first, or rank them: ranks of infinities are finite."
            )
        ctx.found, ctx.kind = _Pools(places, ends, temperature), "pull" if far else "rank"
        return torch.from_numpy(out).to(x.device)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        return _sloped(grads[0], ctx.found, ctx.kind), None, None


class _Slope(torch.autograd.Function):
    """The derivative of a projection: a linear map, which has a derivative of its own.

    That of a rank is symmetric; that of a sort pulls from places to values, and its transpose
    pushes from values to places.
    """

    @staticmethod
    def forward(ctx: Any, v: Tensor, found: _Pools, kind: str) -> Tensor:
        ctx.found, ctx.kind = found, kind
        return _along(v, found, kind)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        transposed = {"pull": "push", "push": "pull", "rank": "rank"}[ctx.kind]
        return _sloped(grads[0], ctx.found, transposed), None, None


def _sloped(v: Tensor, found: _Pools, kind: str) -> Tensor:
    if not torch.is_grad_enabled():  # as a rule; a Function takes its time
        return _along(v, found, kind)
    return cast(Tensor, _Slope.apply(v, found, kind))


def _along(v: Tensor, found: _Pools, kind: str) -> Tensor:
    kernels, values = _kernels(), np.ascontiguousarray(v.numpy(force=True))
    out = np.empty_like(values)
    if kind == "push":
        kernels.push(values, found.places, found.ends, out)
    else:
        far = kind == "pull"
        kernels.backward(values, found.places, found.ends, found.temperature, far, out)
    return torch.from_numpy(out).to(v.device)


def _project(x: Tensor, temperature: float, dim: int, *, far: bool) -> Tensor:
    n = length(x, dim)
    # Half precision is widened: its own steps are larger than the gaps that matter.
    wide = x if x.dtype in (torch.float32, torch.float64) else x.float()
    if x.ndim == 2 and dim in (-1, 1):
        return cast(Tensor, _Projection.apply(wide, temperature, far)).to(x.dtype)
    rows = wide.movedim(dim, -1)
    out = cast(Tensor, _Projection.apply(rows.reshape(-1, n), temperature, far))
    return out.reshape(rows.shape).movedim(-1, dim).to(x.dtype)


def _hard_sort(x: Tensor, dim: int = -1, descending: bool = False) -> Tensor:
    length(x, dim)
    return x.sort(dim, descending=descending).values


def _sort_bound(x: Tensor, temperature: float, dim: int = -1, descending: bool = False) -> Tensor:
    del descending
    n = length(x, dim)
    spread = x.amax(dim, keepdim=True) - x.amin(dim, keepdim=True)
    size = (2 * temperature * spread).sqrt().clamp(1, n)  # of the worst pool
    return ((size - 1) * (spread / size - 1 / (2 * temperature))).clamp(min=0.0)


@smooth(hard=_hard_sort, bound=_sort_bound)
def sort(x: Tensor, temperature: float, dim: int = -1, descending: bool = False) -> Tensor:
    r"""Smooth sort: the point nearest to (1, …, n)/t that is a mean of permutations of x.

    Its sum is that of x, it is in order, and it is exactly the sorted x when no two
    neighbours are further apart than 1/t: the temperature has the unit 1/x. As t grows all
    values go to their mean. With R the range of x, no value is off by more than
    (m−1)(R/m − 1/2t) at the worst m ≤ n, less than (√R − 1/√2t)².

    Args:
        x: any shape, finite; its derivative is exact, the mean over each pool.
        temperature: t, in the unit 1/x.
        dim: along which.
        descending: largest first.

    Cost:
        O(n log n) time, O(n) memory; on the CPU.

    References:
        Blondel, Teboul, Berthet & Djolonga, "Fast differentiable sorting and ranking"
        (2020), equation 5.

    Example:
        >>> sort(torch.tensor([2.9, 0.1, 1.2]), 0.5)
        tensor([0.1000, 1.2000, 2.9000])
        >>> sort(torch.tensor([2.9, 0.1, 1.2]), 2.0)
        tensor([0.9000, 1.4000, 1.9000])

    """
    out = _project(x, temperature, dim, far=True)
    return out.flip(dim) if descending else out


def _hard_rank(x: Tensor, dim: int = -1) -> Tensor:
    length(x, dim)
    # Where neighbours are at least t apart the projection is the rank, and ties share it.
    rows = x.detach().movedim(dim, -1)
    low = torch.searchsorted(ordered := rows.contiguous().sort(-1).values, rows.contiguous())
    high = torch.searchsorted(ordered, rows.contiguous(), right=True)
    return ((low + high + 1).to(x.dtype) / 2).movedim(-1, dim)


def _rank_bound(x: Tensor, temperature: float, dim: int = -1) -> Tensor:
    n = length(x, dim)
    if n == 1:
        return x.new_zeros(())
    ordered = x.movedim(dim, -1).sort(-1).values
    gaps = (ordered[..., 1:] - ordered[..., :-1]).nan_to_num(nan=0.0, posinf=math.inf)
    least = gaps.amin(-1, keepdim=True).movedim(-1, dim)
    return (n - 1) / 2 * (1 - least / temperature).clamp(min=0.0)


@smooth(hard=_hard_rank, bound=_rank_bound)
def rank(x: Tensor, temperature: float, dim: int = -1) -> Tensor:
    r"""Smooth rank, 1 for the least: the point nearest to x/t that is a mean of rankings.

    Its sum is n(n+1)/2; equal values have equal ranks, hard and soft (their average, as in
    `scipy.stats.rankdata`). It is exact when no two values are nearer than t, and with g
    the smallest gap never off by more than (n−1)/2 · (1 − g/t), attained where all gaps are
    equal. As t grows all ranks go to (n+1)/2.

    Args:
        x: any shape; infinities are the extremes.
        temperature: t, in the unit of x.
        dim: along which.

    Cost:
        O(n log n) time, O(n) memory; on the CPU.

    References:
        Blondel, Teboul, Berthet & Djolonga, "Fast differentiable sorting and ranking"
        (2020), equation 6.

    Example:
        >>> rank(torch.tensor([2.9, 0.1, 1.2]), 1.0)
        tensor([3., 1., 2.])
        >>> rank(torch.tensor([2.9, 0.1, 1.2]), 2.0)
        tensor([2.7500, 1.3500, 1.9000])

    """
    return _project(x, temperature, dim, far=False)


def _kept(x: Tensor, k: int, dim: int) -> None:
    if not 1 <= k <= length(x, dim):
        raise QuestionError(f"There are {x.shape[dim]} values along dimension {dim}, not {k}.")


def _hard_top(x: Tensor, k: int, dim: int = -1) -> Tensor:
    _kept(x, k, dim)
    return x.topk(k, dim).values


def _top_bound(x: Tensor, temperature: float, k: int, dim: int = -1) -> Tensor:
    _kept(x, k, dim)
    return _sort_bound(x, temperature, dim)


@smooth(hard=_hard_top, bound=_top_bound)
def top_k(x: Tensor, temperature: float, k: int, dim: int = -1) -> Tensor:
    """Smooth k largest values, largest first: the head of the smooth `sort`, and its bound."""
    _kept(x, k, dim)
    return sort(x, temperature, dim, True).narrow(dim, 0, k)


def _at(x: Tensor, q: float, dim: int) -> Tensor:
    """Interpolate between the order statistics around q·(n−1)."""
    if not 0 <= q <= 1:
        raise QuestionError(f"A quantile lies between 0 and 1, and {q} does not.")
    place = q * (x.shape[dim] - 1)
    low = math.floor(place)
    high = low + 1 if low + 1 < x.shape[dim] else low
    part = place - low
    lower = x.select(dim, low)
    return lower if part == 0 else lower * (1 - part) + x.select(dim, high) * part


def _hard_quantile(x: Tensor, q: float, dim: int = -1) -> Tensor:
    return _at(_hard_sort(x, dim), q, dim)


def _quantile_bound(x: Tensor, temperature: float, q: float, dim: int = -1) -> Tensor:
    del q
    return _sort_bound(x, temperature, dim).squeeze(dim)


@smooth(hard=_hard_quantile, bound=_quantile_bound)
def quantile(x: Tensor, temperature: float, q: float, dim: int = -1) -> Tensor:
    """Smooth quantile at level q in [0, 1]: of the smooth `sort`, interpolated, and its bound."""
    return _at(sort(x, temperature, dim), q, dim)


def _hard_median(x: Tensor, dim: int = -1) -> Tensor:
    return _hard_quantile(x, 0.5, dim)


def _median_bound(x: Tensor, temperature: float, dim: int = -1) -> Tensor:
    return _quantile_bound(x, temperature, 0.5, dim)


@smooth(hard=_hard_median, bound=_median_bound)
def median(x: Tensor, temperature: float, dim: int = -1) -> Tensor:
    """Smooth median, the quantile at ½ (the mean of the middle two for an even number)."""
    return quantile(x, temperature, 0.5, dim)
