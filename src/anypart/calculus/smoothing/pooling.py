"""Sorting and ranking as projections: pools of neighbours, found in one pass.

The soft rank of x is the point of the permutahedron of (1, …, n) nearest to x/t, the soft
sort the point of the permutahedron of x nearest to (1, …, n)/t (Blondel, Teboul, Berthet &
Djolonga, "Fast differentiable sorting and ranking", 2020, equations 5 and 6). Both are
isotonic regressions over the sorted values, solved by pooling adjacent violators.

Written with z − w, as usual, the regression loses all digits at low temperatures, where z
is large. Here a pool is known by its mean of x, its size and its place, and all differences
of ranks are exact: pool A below pool B is joined with it

    rank:  mean_B − mean_A < t · (size_A + size_B)/2
    sort:  (mean_B − mean_A) · t > (size_A + size_B)/2

and inside a pool rank = (x − mean x)/t + mean rank, sort = mean x + (place − mean place)/t.
A pool of one is exactly the hard value.

NumPy has no pass that may look back over what it has joined; joining all violating
neighbours at once, round after round, is a vector operation but takes as many rounds as
there are values where the pools grow one by one. Hence a compiled kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Reals = NDArray[Any]
Places = NDArray[np.int64]
P = ParamSpec("P")
R = TypeVar("R")


def _compiled(kernel: Callable[P, R]) -> Callable[P, R]:
    return cast(Callable[P, R], numba.njit(cache=True, nogil=True)(kernel))


def order(x: Reals) -> Places:
    """Return the stable ascending order of each row of (rows, n).

    Single precision is sorted with its place packed into the low bits of one integer:
    NumPy sorts integers with vector instructions, several times faster than an argsort.
    """
    if x.dtype != np.float32:
        return np.argsort(x, axis=-1, kind="stable")
    keys = np.empty(x.shape, np.int64)
    _pack(x.view(np.int32), keys)
    keys.sort(axis=-1)
    keys &= 0xFFFFFFFF
    return keys


@_compiled
def _pack(bits: Any, keys: Places) -> None:
    """Join the bits of every number, in an order of integers, with its place."""
    rows, n = bits.shape
    for r in range(rows):
        for j in range(n):
            number = np.int64(bits[r, j])
            if number == -0x80000000:  # −0 is equal to 0
                number = np.int64(0)
            # Negative numbers order backwards as integers; flipping all but their sign mends it.
            if number < 0:
                number ^= 0x7FFFFFFF
            keys[r, j] = (number << 32) | j


@_compiled
def _pool(values: Reals, t: float, far: bool, mean: Reals, start: Places) -> int:
    """Pool one ascending row; fill mean and start of every pool; return how many."""
    n = len(values)
    top = -1
    for i in range(n):
        top += 1
        mean[top] = values[i]
        start[top] = i
        stop = i + 1
        while top > 0:
            gap = (mean[top] - mean[top - 1]) * (t if far else 1.0)
            reach = 0.5 * (stop - start[top - 1]) * (1.0 if far else t)
            if not ((gap > reach) if far else (gap < reach)):
                break
            size, below = stop - start[top], start[top] - start[top - 1]
            mean[top - 1] += (mean[top] - mean[top - 1]) * (size / (size + below))
            top -= 1
    return top + 1


@_compiled
def forward(x: Reals, places: Places, t: float, far: bool, out: Reals, pool: Places) -> bool:
    """Sort (`far`) or rank every row of x into out; pool[r, j] is the end of j's pool, or 0.

    Ends stand at the start of each pool only, which is all that `backward` needs. Returns
    whether all values were finite.
    """
    finite = True
    rows, n = x.shape
    mean, start, values = np.empty(n), np.empty(n + 1, np.int64), np.empty(n)
    for r in range(rows):
        for j in range(n):
            values[j] = x[r, places[r, j]]
        if not (np.isfinite(values[0]) and np.isfinite(values[n - 1])):
            finite = False
        count = _pool(values, t, far, mean, start)
        start[count] = n
        for b in range(count):
            begin, end = start[b], start[b + 1]
            pool[r, begin] = end
            middle = 0.5 * (begin + end - 1)
            if end == begin + 1:  # exact, infinities too
                if far:
                    out[r, begin] = values[begin]
                else:
                    out[r, places[r, begin]] = begin + 1.0
                continue
            for j in range(begin, end):
                if far:
                    out[r, j] = mean[b] + (j - middle) / t
                else:
                    out[r, places[r, j]] = (values[j] - mean[b]) / t + middle + 1.0
    return finite


@_compiled
def backward(grad: Reals, places: Places, pool: Places, t: float, far: bool, out: Reals) -> None:
    """Pull the gradient of every row back to x: means over pools, or what is left of them."""
    rows, n = grad.shape
    for r in range(rows):
        begin = 0
        while begin < n:
            end = pool[r, begin]
            total = 0.0
            for j in range(begin, end):
                total += grad[r, j] if far else grad[r, places[r, j]]
            mean = total / (end - begin)
            for j in range(begin, end):
                at = places[r, j]
                if far:
                    out[r, at] = mean
                elif end == begin + 1:
                    out[r, at] = 0.0
                else:
                    out[r, at] = (grad[r, at] - mean) / t
            begin = end


@_compiled
def push(along: Reals, places: Places, pool: Places, out: Reals) -> None:
    """Push a change of every row of x to its sort: means over pools."""
    rows, n = along.shape
    for r in range(rows):
        begin = 0
        while begin < n:
            end = pool[r, begin]
            total = 0.0
            for j in range(begin, end):
                total += along[r, places[r, j]]
            for j in range(begin, end):
                out[r, j] = total / (end - begin)
            begin = end
